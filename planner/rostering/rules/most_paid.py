"""The paid minutes of a person over the horizon are at most `Terms.most_paid_min`."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody

NAME = "most_paid"
TITLE = "Paid minutes at most"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with more, broken by the minutes beyond."""
    found = []
    for number, person, work in everybody(problem, roster):
        total, limit = sum(problem.duties[w.duty].paid_min for w in work.values()), person.terms.most_paid_min
        if limit is not None and total > limit:
            found.append(
                Broken(
                    NAME, number, None, total - limit, f"{person.id}: {total} paid minutes, at most {limit}"
                )
            )
    return found


def post(build: Build) -> None:
    """The paid minutes of each person, added up."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        limit = person.terms.most_paid_min
        if limit is None:
            continue
        total = [
            (problem.duties[duty].paid_min, given)
            for day in range(problem.days)
            for duty, given in build.gives(number, day).items()
        ]
        build.at_most(NAME, total, limit)
