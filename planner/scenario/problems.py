"""What can be wrong with a scenario, and how it is told: file, line, field, found, allowed."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

PathKey = str | int

SET = "--set"
UNKNOWN = "unknown field"


class Problem(NamedTuple):
    """One thing wrong with a scenario, told in one line."""

    file: str
    line: int | None
    field: str
    found: str | None
    allowed: str
    nearest: str | None = None

    def __str__(self) -> str:
        """Give `insurer.yaml:31: types.claims.talk_s: must be greater than 0 (found -5)`."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        hint = f"did you mean {self.nearest}?" if self.nearest else ""
        if self.found is not None and self.found.startswith(UNKNOWN):
            message, aside = self.found, f"{hint} allowed: {self.allowed}".strip()
        else:
            found = f"found {self.found}" if self.found is not None else ""
            message, aside = self.allowed, "; ".join(part for part in (found, hint) if part)
        text = f"{message} ({aside})" if aside else message
        return ": ".join(part for part in (place, self.field, text) if part)


class ScenarioError(Exception):
    """Everything that is wrong with a scenario file, one line each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems, each once, file by file in their order; those of `--set` come last."""
        told = dict.fromkeys(problems)
        files = list(dict.fromkeys(p.file for p in told))
        kept = sorted(told, key=lambda p: (p.file == SET, files.index(p.file), p.line or 0))
        if not kept:
            raise ValueError("a ScenarioError needs at least one problem")
        self.problems: tuple[Problem, ...] = tuple(kept)
        super().__init__("\n".join(str(p) for p in kept))

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way back from a worker process."""
        return (type(self), (self.problems,))


class FieldError(ValueError):
    """Raised by a validator about one field, whose path is relative to the model that raises.

    `found` is the offending value; leave it None to show what the file says there.
    """

    def __init__(
        self, path: Sequence[PathKey], found: object, allowed: str, nearest: str | None = None
    ) -> None:
        """Say which field, what was found, what is allowed, and the nearest good spelling."""
        super().__init__(allowed)
        self.path = tuple(path)
        self.found = found
        self.allowed = allowed
        self.nearest = nearest

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way back from a worker process."""
        return (type(self), (self.path, self.found, self.allowed, self.nearest))


class FieldErrors(ValueError):  # noqa: N818  (it holds several)
    """Several field errors at once, raised by one validator."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        """Keep the errors in the order given."""
        self.errors = tuple(errors)
        super().__init__("; ".join(str(e) for e in self.errors))

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the way back from a worker process."""
        return (type(self), (self.errors,))


def nearest(word: str, options: Iterable[str]) -> str | None:
    """Give the option that `word` most likely stands for, or None."""

    def plain(text: str) -> str:
        return re.sub(r"[\s-]+", "_", text[:60].strip().lower())

    known = {plain(option): option for option in options}
    typed = plain(word)

    def likeness(option: str) -> float:
        swapped = sorted(option) == sorted(typed)
        return (
            difflib.SequenceMatcher(None, option, typed).ratio()
            + 0.1 * (option[:1] == typed[:1])
            + 0.1 * swapped
        )

    hits = difflib.get_close_matches(typed, known, n=5, cutoff=0.6)
    return known[max(hits, key=likeness)] if hits else None


def dotted(keys: Iterable[PathKey]) -> str:
    """Write a path as the user does: types.claims.talk_s."""
    return ".".join(clip(str(key)) if str(key) else "''" for key in keys)


def clip(text: str, longest: int = 60) -> str:
    """Cut to one printable line."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return short if short.isprintable() else repr(short)[1:-1]


def one_line(text: str) -> str:
    """Fold a text of several lines into one."""
    return clip(" ".join(text.split()), 400)


def quote(text: str) -> str:
    """Show a text in quotes, cut short."""
    return f"'{clip(text, 40)}'"


def number(value: float) -> str:
    """Show a number without float noise."""
    return str(value) if isinstance(value, int) else f"{value:.12g}"


def show(value: object) -> str:
    """Show a Python value as a planner would write it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return clip(number(value))
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Mapping | BaseModel):
        n = len(value) if isinstance(value, Mapping) else len(type(value).model_fields)
        return f"a mapping of {n} field{'' if n == 1 else 's'}"
    if isinstance(value, list | tuple | set | frozenset):
        n = len(value)
        return f"a list of {n} entr{'y' if n == 1 else 'ies'}"
    return clip(str(value))


def counted(n: int, noun: str) -> str:
    """So many of something: 1 group, 3 groups."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def some(names: Sequence[str], most: int = 12) -> str:
    """List names, the first dozen of many."""
    shown = [clip(str(name), 40) for name in names[:most]]
    return ", ".join([*shown, "..."] if len(names) > most else shown) or "none"
