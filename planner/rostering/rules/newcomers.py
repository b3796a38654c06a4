"""A duty given to a newcomer is one of the kinds in `Terms.only_kinds`."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build

NAME = "newcomers"
TITLE = "Shifts that newcomers may work"
UNIT = "shift"
LIMIT = "only_kinds"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Duties of other kinds, each broken by 1."""
    found = []
    for work in roster.work:
        person, kind = problem.people[work.person], problem.duties[work.duty].kind
        only = person.terms.only_kinds
        if only is not None and kind not in only:
            text = f"{person.id}, day {work.day}: {kind} is not for newcomers"
            found.append(Broken(NAME, work.person, work.day, 1, text))
    return found


def post(build: Build) -> None:
    """Duties of other kinds add up to 0 on each day."""
    problem = build.problem
    for number, person in enumerate(problem.people):
        only = person.terms.only_kinds
        if only is not None:
            for day in range(problem.days):
                others = [
                    (1, given)
                    for duty, given in build.gives(number, day).items()
                    if problem.duties[duty].kind not in only
                ]
                build.at_most(NAME, others, 0)
