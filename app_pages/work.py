"""Comparisons, rankings and rosters being made: each in a thread of its own, so that it goes on whatever page is looked at.

One is made at a time, the next waits its turn. The thread never touches a page: it leaves its progress here, and
pages read it. Work is found by where its run will be kept, so every tab that asks the same question sees it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from planner.scenario.schema import Scenario

STEPS = (
    ("planning ", 8),
    ("the ladder", 4),
    ("roster ", 6),
    ("fitting ", 2),
    ("simulating ", 1),
    ("today's roster", 1),
    ("anchoring", 0.1),
)
"""Steps of a comparison by how their message begins, with their rough weights."""
COUNTED = re.compile(r"(part|draw|relief) (\d+) of (\d+)")
"""Steps that say themselves how far they are."""


class StoppedError(Exception):
    """Somebody pressed Stop, or the app is closing."""


@dataclass
class Work:
    """One comparison, ranking or roster under way: how far it is, and what became of it."""

    kind: str
    """compare, levers or roster, as its run."""
    title: str
    digest: str
    total: float
    counts: Mapping[str, float] = field(default_factory=dict)
    """What its counted steps weigh, each as a whole."""
    counted: dict[str, float] = field(default_factory=dict)
    line: str = "Waiting for the one before it"
    done: float = 0.0
    error: Exception | None = None
    ended: bool = False
    stop: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, text: str) -> None:
        """Note a step; the place where a job that is to stop, stops."""
        if self.stop or not threading.main_thread().is_alive():
            raise StoppedError
        with self.lock:
            step = COUNTED.match(text)
            if step is not None and step[1] in self.counts:
                self.counted[step[1]] = self.counts[step[1]] * int(step[2]) / int(step[3])
            else:
                self.done += next((weight for start, weight in STEPS if text.startswith(start)), 0.05)
            self.line = text[:1].upper() + text[1:]

    @property
    def share(self) -> float:
        """How far it is, roughly."""
        return min((self.done + sum(self.counted.values())) / (self.total + sum(self.counts.values())), 0.99)


@st.cache_resource(show_spinner=False)
def _all() -> tuple[dict[Path, Work], threading.Lock]:
    """Work by where its run will be kept, and whose turn it is."""
    return {}, threading.Lock()


def of(path: Path | None) -> Work | None:
    """The work whose run will be kept there."""
    return None if path is None else _all()[0].get(path)


def running(kind: str) -> Path | None:
    """Where the run of the work of a kind will be kept, if any is under way."""
    return next((path for path, work in _all()[0].items() if work.kind == kind and not work.ended), None)


def start(
    path: Path, digest: str, scenario: Scenario, job: Callable[[Callable[[str], None]], object], *,
    kind: str = "compare", counts: Mapping[str, float] | None = None, total: float | None = None,
) -> None:  # fmt: skip
    """Have a job done, unless it is being done; `job` is given what to tell its progress to.

    Counted steps (`part`, `draw`, `relief`) weigh as `counts` says; all others together weigh `total`, or as those of a comparison.
    """
    found, turn = _all()
    known = found.get(path)
    if known is not None and not known.ended:
        return
    others = len(scenario.policies) - 1
    if total is None:
        total = len(scenario.groups) + (4 if counts else 11 + 16 * others)
    work = found[path] = Work(kind, scenario.title or scenario.name, digest, total, counts or {})

    def run() -> None:
        try:
            with turn:
                work.say("reading the scenario")
                job(work.say)
        except Exception as error:
            work.error = error
        finally:
            work.ended = True

    threading.Thread(target=run, name=f"{kind} {scenario.name}", daemon=True).start()
