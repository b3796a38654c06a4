"""Duties that touch a day of `Person.leave`, from midnight to midnight, are at most none; those past midnight touch the next day too.

Without a price it is part of what a roster is: nobody is called back from leave to keep another rule.
"""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, touches_leave

NAME = "leave"
TITLE = "No shifts on leave"
UNIT = "shift"
LIMIT = "leave"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Duties with time on leave, each broken by 1."""
    return [
        Broken(
            NAME,
            w.person,
            w.day,
            1,
            f"{problem.people[w.person].id}, day {w.day}: {problem.duties[w.duty].kind} touches leave",
        )
        for w in roster.work
        if touches_leave(problem.people[w.person], w.day, problem.duties[w.duty])
    ]


def post(build: Build) -> None:
    """Such duties are none of the choices, or, at a price, add up to 0."""
    if build.hard(NAME):
        return
    duties = build.problem.duties
    for number, person in enumerate(build.problem.people):
        if person.leave:
            for day in range(build.problem.days):
                on_leave = [
                    (1, given)
                    for duty, given in build.gives(number, day).items()
                    if touches_leave(person, day, duties[duty])
                ]
                build.at_most(NAME, on_leave, 0)
