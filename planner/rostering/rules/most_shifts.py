"""The shifts of a person over the horizon are at most `Terms.most_shifts`."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody, plural

NAME = "most_shifts"
TITLE = "Shifts at most"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with more, broken by the shifts beyond."""
    found = []
    for number, person, work in everybody(problem, roster):
        total, limit = len(work), person.terms.most_shifts
        if limit is not None and total > limit:
            found.append(
                Broken(
                    NAME,
                    number,
                    None,
                    total - limit,
                    f"{person.id}: {plural(total, 'shift')}, at most {limit}",
                )
            )
    return found


def post(build: Build) -> None:
    """The shifts of each person, added up."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        limit = person.terms.most_shifts
        if limit is None:
            continue
        total = [(1, given) for day in range(problem.days) for given in build.gives(number, day).values()]
        build.at_most(NAME, total, limit)
