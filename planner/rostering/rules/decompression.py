"""The emotional minutes of a duty before its first decompression pause, between two, and after the last are at most `Terms.decompress_after_min` each.

Other pauses end nothing: the stretches around them add up.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.rostering.problem import NamedRoster, Pause, RosterProblem
from planner.rostering.rules.base import (
    Broken,
    Build,
    beyond,
    bound_exposure,
    everybody,
    exposed,
    may_be_exposed,
    minutes_told,
)

NAME = "decompression"
TITLE = "Decompression after emotional work"
UNIT = "minute"
LIMIT = "decompress_after_min"


def between(pauses: Sequence[Pause], stretches: int) -> list[range]:
    """Stretches (their numbers) between decompression pauses, before the first and after the last."""
    after = [n + 1 for n, pause in enumerate(pauses[: stretches - 1]) if pause.kind == "decompression"]
    return [range(first, end) for first, end in zip([0, *after], [*after, stretches], strict=True)]


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Times without decompression that are too long, broken by the minutes beyond, a begun one counts."""
    found = []
    for number, person, work in everybody(problem, roster):
        most = person.terms.decompress_after_min
        if most is None:
            continue
        for day, given in work.items():
            amounts = exposed(problem, given)
            for run in between(problem.duties[given.duty].pauses, len(amounts)):
                amount = sum(amounts[stretch] for stretch in run)
                if beyond(amount, most) > 0:
                    text = f"{person.id}, day {day}: {minutes_told(amount)} without decompression, at most {most}"
                    found.append(Broken(NAME, number, day, beyond(amount, most), text))
    return found


def post(build: Build) -> None:
    """A sum for each time without decompression of each duty."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        most = person.terms.decompress_after_min
        if most is not None:
            for day in range(problem.days):
                for duty, stretches in may_be_exposed(build, number, day):
                    for run in between(problem.duties[duty].pauses, len(stretches)):
                        bound_exposure(build, NAME, stretches[run.start : run.stop], most)
