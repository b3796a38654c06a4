"""Long work in pieces: each goes through an executor, and is kept on disk as soon as it is done.

What was interrupted goes on from what is there: the same question finds its folder again by its key (scenario, options and
code), and computes only what is missing. A piece is one JSON file, written aside and renamed; floats come back bit for bit.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from planner import runs
from planner.roster import Activity, Roster, RosteredShift
from planner.scenario.schema import Scenario

T = TypeVar("T")
Say = Callable[[str], None]
UNFINISHED = ".unfinished"
EVERY_S = 1.0
"""Between two lines of progress."""


class Piece(NamedTuple):
    """A function of an importable module, and its arguments."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Kept:
    """The finished pieces of one long piece of work; of none where there is no folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def get(self, name: str) -> Any:
        """What a piece gave, or None if it is not there or cannot be read."""
        if self.folder is None:
            return None
        try:
            return json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))["value"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def has(self, name: str) -> bool:
        """Whether a piece is there."""
        return self.folder is not None and (self.folder / f"{name}.json").exists()

    def put(self, name: str, value: Any) -> None:
        """Keep what a piece gave. Raises OSError where nothing can be written."""
        if self.folder is None:
            return
        aside = self.folder / f".{name}-{os.getpid()}"
        text = json.dumps({"value": value})
        for last in (False, True):
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                aside.write_text(text, encoding="utf-8")
                aside.replace(self.folder / f"{name}.json")
                return
            except FileNotFoundError:  # whoever asks the same is done, and has cleared the folder
                if last:
                    raise
            except OSError as error:  # a full disk names no file
                with suppress(OSError):
                    aside.unlink()
                raise OSError(error.errno, error.strerror, str(self.folder)) from None

    def clear(self) -> None:
        """All is done, and kept elsewhere as a run."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            with suppress(OSError):  # others are not done
                self.folder.parent.rmdir()


def kept_for(kind: str, scenario: Scenario, options: Mapping[str, Any], folder: Path | None) -> Kept:
    """Where the pieces of this question are kept, beside the runs."""
    if folder is None:
        return Kept()
    return Kept(folder / UNFINISHED / runs.name_of(kind, scenario, runs.key_of(kind, scenario, options)))


def finish(
    pieces: Mapping[str, Piece],
    kept: Kept,
    executor: Executor | None,
    *,
    say: Say = lambda _: None,
    what: str = "pieces of work",
    progress: Callable[[int, int], None] | None = None,
    encode: Callable[[Any], Any] = lambda value: value,
    decode: Callable[[Any], Any] = lambda value: value,
) -> dict[str, Any]:
    """What each piece gives, in their order: from what is kept, else computed, and kept as it comes.

    `encode` turns a value into what JSON can hold, `decode` back. Whatever ends it early, it says first how much is kept.
    """
    found: dict[str, Any] = {}
    for name in pieces:
        with suppress(TypeError, ValueError, AttributeError, LookupError):  # damaged: done again
            if (value := kept.get(name)) is not None:
                found[name] = decode(value)
    if found:
        say(f"found {len(found)} of {len(pieces)} {what} done before")
    missing = {name: piece for name, piece in pieces.items() if name not in found}
    waiting: dict[Future[Any], str] = {}
    told = 0.0
    try:
        if executor is not None:
            waiting = {
                executor.submit(piece.function, *piece.arguments): name for name, piece in missing.items()
            }
        for one in as_completed(waiting) if waiting else missing:
            name = waiting[one] if isinstance(one, Future) else one
            piece = missing[name]
            found[name] = one.result() if isinstance(one, Future) else piece.function(*piece.arguments)
            kept.put(name, encode(found[name]))
            now = time.monotonic()
            if progress is not None and (now - told >= EVERY_S or len(found) == len(pieces)):
                told = now
                progress(len(found), len(pieces))
    except BaseException:
        for future in waiting:
            future.cancel()
        if kept.folder is not None:
            say(
                f"{len(found)} of {len(pieces)} {what} are done and kept in {kept.folder}; the same command goes on from there"
            )
        raise
    return {name: found[name] for name in pieces}


def listed(value: Any) -> Any:
    """Named tuples, sets and arrays as JSON can hold them."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(k): listed(v) for k, v in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return [listed(v) for v in value] if isinstance(value, (tuple, list)) else value


def roster_from(value: Any) -> Roster:
    """A roster of which `listed` made a list."""
    shifts, on_duty, unseen, variants = value
    return Roster(
        tuple(
            RosteredShift(group, person, day, start, minutes, tuple(Activity(*a) for a in acts), tuple(posts))
            for group, person, day, start, minutes, acts, posts in shifts
        ),
        {int(g): np.asarray(duty, np.int64) for g, duty in on_duty.items()},
        tuple(unseen),
        tuple((group, frozenset(types)) for group, types in variants),
    )
