"""How numbers and names are said: plain words, without what charts need."""

from __future__ import annotations

import re


def safe(text: object) -> str:
    """Text of a file or an error, with nothing in it that Markdown would read as its own."""
    return re.sub(r"([\\`*_\[\]{}<>#$~|:])", r"\\\1", " ".join(str(text).split()))


def share(value: float, digits: int = 1) -> str:
    """A share in per cent."""
    return f"{100 * value:.{digits}f} %"
