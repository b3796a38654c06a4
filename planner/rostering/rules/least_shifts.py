"""The shifts of a person over the horizon are at least `Terms.least_shifts`."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody, plural

NAME = "least_shifts"
TITLE = "Shifts at least"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with fewer, broken by the shifts missing."""
    found = []
    for number, person, work in everybody(problem, roster):
        total, limit = len(work), person.terms.least_shifts
        if total < limit:
            found.append(
                Broken(
                    NAME,
                    number,
                    None,
                    limit - total,
                    f"{person.id}: {plural(total, 'shift')}, at least {limit}",
                )
            )
    return found


def post(build: Build) -> None:
    """The shifts of each person, added up."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        limit = person.terms.least_shifts
        if limit <= 0:
            continue
        total = [(1, given) for day in range(problem.days) for given in build.gives(number, day).values()]
        build.at_least(NAME, total, limit)
