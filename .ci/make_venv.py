"""Make a virtual environment where Python came without ensurepip, as Debian's python3 does without python3-venv.

usage: python3 make_venv.py FOLDER. Fetches pip's own wheel from PyPI, checks its digest, and lets it install itself.
"""
from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import urllib.parse
import urllib.request
import venv
from pathlib import Path

PAGE = "https://pypi.org/pypi/pip/json"

folder = Path(sys.argv[1])
venv.create(folder, with_pip=False, clear=True)
try:
    with urllib.request.urlopen(PAGE) as page:
        file = next(file for file in json.load(page)["urls"] if file["packagetype"] == "bdist_wheel")
    with urllib.request.urlopen(urllib.parse.urljoin(PAGE, file["url"])) as page:
        content = page.read()
except OSError as error:
    sys.exit(f"This Python has no ensurepip, and pip could not be fetched ({error}).\n"
             "Install it by hand (on Debian or Ubuntu: sudo apt install python3-venv), then run make again.")
if hashlib.sha256(content).hexdigest() != file["digests"]["sha256"]:
    sys.exit("The pip that PyPI sent does not have the digest that PyPI states; nothing was installed.")
wheel = folder / file["filename"]
wheel.write_bytes(content)
subprocess.run([folder / "bin" / "python", wheel / "pip", "install", "--quiet", "--no-index", wheel], check=True)
wheel.unlink()
