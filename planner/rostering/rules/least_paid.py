"""The paid minutes of a person over the horizon are at least `Terms.least_paid_min`."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody

NAME = "least_paid"
TITLE = "Paid minutes at least"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with fewer, broken by the minutes missing."""
    found = []
    for number, person, work in everybody(problem, roster):
        total, limit = (
            sum(problem.duties[w.duty].paid_min for w in work.values()),
            person.terms.least_paid_min,
        )
        if total < limit:
            found.append(
                Broken(
                    NAME, number, None, limit - total, f"{person.id}: {total} paid minutes, at least {limit}"
                )
            )
    return found


def post(build: Build) -> None:
    """The paid minutes of each person, added up."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        limit = person.terms.least_paid_min
        if limit <= 0:
            continue
        total = [
            (problem.duties[duty].paid_min, given)
            for day in range(problem.days)
            for duty, given in build.gives(number, day).items()
        ]
        build.at_least(NAME, total, limit)
