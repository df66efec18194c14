"""A real headless Chromium for the tests of pages, spoken to over a pipe in the DevTools protocol; no driver needed."""
from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
         "--disable-component-update", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe"]
# The browser reads commands from descriptor 3 and answers on descriptor 4.
LAUNCH = """import os, sys
for number, spare in ((1, 103), (2, 104)): os.dup2(int(sys.argv[number]), spare)
os.dup2(103, 3), os.dup2(104, 4)
os.execvp(sys.argv[3], sys.argv[3:])"""


class Browser:
    """``with Browser(folder) as b: b.open(page); b.wait("document.querySelector('svg')")``.

    ``errors`` collects what the page threw or logged as an error; ``folder`` holds the profile, a temporary one.
    """

    def __init__(self, folder: Path, width: int = 1280, height: int = 800, dark: bool = False):
        assert CHROMIUM, "no Chromium"
        self.errors: list[str] = []
        self.count, self.buffer = 0, b""
        read, self.write = os.pipe()
        self.read, write = os.pipe()
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}",
                   "about:blank"]
        self.process = subprocess.Popen([sys.executable, "-S", "-c", LAUNCH, str(read), str(write), *command],
                                        pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read)
        os.close(write)
        self.session, self.dark = "", dark

    def __enter__(self) -> Browser:
        try:
            self.attach("page")
            if self.dark:
                self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: Any) -> None:
        try:
            self.session = ""
            self.call("Browser.close")
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        finally:
            os.close(self.read)
            os.close(self.write)

    def call(self, method: str, **params: Any) -> dict:
        """One command and its answer; events that come in between are looked through for errors."""
        self.count += 1
        command = {"id": self.count, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.write, json.dumps(command).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def attach(self, kind: str) -> None:
        """Speak from now on to the page, or to the (sandboxed) ``iframe`` inside it."""
        self.session = ""
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == kind)
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def open(self, page: Path | str) -> None:
        """Load a file, and wait until it is loaded."""
        self.call("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", str(answer)))
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 60) -> None:
        """Until a JavaScript condition holds."""
        end = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds} s still not: {condition}; errors: {self.errors}")
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """One key, as from a keyboard: ``"ArrowRight"``, ``"a"``."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def screenshot(self, path: Path) -> None:
        """What the window shows, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _receive(self) -> dict:
        while b"\0" not in self.buffer:
            if not select.select([self.read], [], [], 60)[0]:
                raise TimeoutError("the browser is silent")
            part = os.read(self.read, 1 << 16)
            if not part:
                raise ConnectionError("the browser has gone")
            self.buffer += part
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict) -> None:
        params = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])
        elif event.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
