"""Files that are written whole or not at all."""
from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from .errors import message


def write(path: str | os.PathLike, content: bytes | Callable[[BinaryIO], Any]) -> Path:
    """Write a file whole or not at all: beside its place first, then moved over what stood there.

    ``content`` is the bytes, or a function that writes them into the open file that it is given.
    """
    fill = content if callable(content) else lambda file: file.write(content)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(message(f"Parent directory {target.parent} does not exist.",
                                        instead=f"os.makedirs({str(target.parent)!r}) first"))
    if target.exists() and not target.is_file():      # a device or a pipe has nothing to keep whole
        with open(target, "wb") as file:
            fill(file)
        return Path(path)
    partial = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}")
    try:
        with open(partial, "xb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())                   # else the name may reach the disk before the bytes do
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return Path(path)
