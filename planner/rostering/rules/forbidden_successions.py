"""For a pair of kinds in `Terms.forbidden`, duties of the first on a day plus duties of the second on the next are at most one.

The first day of the horizon follows `Before.kind`.
"""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody

NAME = "forbidden_successions"
TITLE = "Shifts that may not follow each other"
UNIT = "time"
LIMIT = "forbidden"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Pairs of days, each broken by 1."""
    found = []
    for number, person, work in everybody(problem, roster):
        kinds = {day: problem.duties[given.duty].kind for day, given in work.items()}
        if person.before.kind is not None:
            kinds[-1] = person.before.kind
        for day in range(problem.days):
            pair = kinds.get(day - 1), kinds.get(day)
            if pair in person.terms.forbidden:
                found.append(
                    Broken(NAME, number, day, 1, f"{person.id}, day {day}: {pair[1]} after {pair[0]}")
                )
    return found


def post(build: Build) -> None:
    """For each kind: those duties on a day, and all that may not follow on the next, are at most one."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        for first in sorted({first for first, _ in person.terms.forbidden}):
            banned = {then for kind, then in person.terms.forbidden if kind == first}
            for day in range(problem.days):
                then = [
                    (1, given)
                    for duty, given in build.gives(number, day).items()
                    if problem.duties[duty].kind in banned
                ]
                if day == 0:
                    build.at_most(NAME, then, int(person.before.kind != first))
                    continue
                before = [
                    (1, given)
                    for duty, given in build.gives(number, day - 1).items()
                    if problem.duties[duty].kind == first
                ]
                if before and then:
                    build.at_most(NAME, before + then, 1)
