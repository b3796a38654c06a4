"""The duties of a person on a day are at most one.

Part of what a roster is: it cannot have a price, and no other rule is kept at its expense.
"""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, plural

NAME = "one_shift_a_day"
TITLE = "One shift a day"
UNIT = "shift"
LIMIT = None


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Days with several duties, broken by those beyond the first."""
    counts: dict[tuple[int, int], int] = {}
    for work in roster.work:
        counts[work.person, work.day] = counts.get((work.person, work.day), 0) + 1
    return [
        Broken(NAME, person, day, n - 1, f"{problem.people[person].id}, day {day}: {plural(n, 'shift')}")
        for (person, day), n in sorted(counts.items())
        if n > 1
    ]


def post(build: Build) -> None:
    """The duties given on a day add up to whether the person works on it: 0 or 1."""
    for person in range(len(build.problem.people)):
        for day in range(build.problem.days):
            given = build.gives(person, day)
            build.equal([(1, literal) for literal in given.values()], build.works(person, day))
