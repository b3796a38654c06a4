"""New files, all of them whole or none at all: written aside, then put in their places; what is there already stays."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

Content = bytes | Mapping[str, bytes]
"""Of a file; or of the files of a folder, by name."""


def write(files: Mapping[Path, Content]) -> None:
    """Write new files and folders of files. Raises OSError, and then leaves nothing behind, where one cannot be written or is there."""
    aside: dict[Path, Path] = {}
    placed: list[Path] = []
    path = Path()
    try:
        for path, content in files.items():
            aside[path] = _aside(path, content)
        for path, written in aside.items():
            if path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            written.replace(path)
            placed.append(path)
    except BaseException as error:
        for one in [*placed, *aside.values()]:
            if one.is_dir():
                shutil.rmtree(one, ignore_errors=True)
            else:
                one.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def _aside(path: Path, content: Content) -> Path:
    """Where the content is, beside its place."""
    home = path.absolute().parent
    if isinstance(content, Mapping):
        folder = Path(tempfile.mkdtemp(prefix=".writing-", dir=home))
        try:
            for name, data in content.items():
                (folder / name).write_bytes(data)
            folder.chmod(0o755)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=home)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(0o644)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
