"""A duty given to a person on a day is one of `Person.duties` of that day.

Those leave out times not available and what the contract or the skills do not allow. Without a price it is part of what a roster is:
nobody is called in when they are not available to keep another rule.
"""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build

NAME = "allowed_duties"
TITLE = "Only shifts that the person may work"
UNIT = "shift"
LIMIT = None


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Duties that may not be given, each broken by 1."""
    return [
        Broken(
            NAME,
            w.person,
            w.day,
            1,
            f"{problem.people[w.person].id}, day {w.day}: {problem.duties[w.duty].kind} is not allowed",
        )
        for w in roster.work
        if w.duty not in problem.people[w.person].duties[w.day]
    ]


def post(build: Build) -> None:
    """Other duties are none of the choices, or, at a price, add up to 0."""
    if build.hard(NAME):
        return
    for number, person in enumerate(build.problem.people):
        for day, allowed in enumerate(person.duties):
            build.at_most(
                NAME,
                [(1, given) for duty, given in build.gives(number, day).items() if duty not in allowed],
                0,
            )
