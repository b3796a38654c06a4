"""In a circle the most nights of one person less the fewest of another are at most `spread` of this rule.

A night is a duty that covers 02:00, of its own day or the next.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.rostering.problem import NamedRoster, RosterProblem, Work
from planner.rostering.rules.base import Broken, Build, Sum, bound_shares, is_night, shares_apart

NAME = "fair_nights"
TITLE = "Nights shared fairly"
UNIT = "night"
LIMIT = "circle"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Circles with more between the most and the fewest, broken by the nights beyond."""

    def nights(_: int, work: Mapping[int, Work]) -> int:
        return sum(is_night(problem.duties[one.duty]) for one in work.values())

    return shares_apart(problem, roster, NAME, nights, "night")


def post(build: Build) -> None:
    """The nights of each person, added up."""
    problem = build.problem
    night = {number for number, duty in enumerate(problem.duties) if is_night(duty)}

    def nights(person: int) -> Sum:
        return [
            (1, given)
            for day in range(problem.days)
            for duty, given in build.gives(person, day).items()
            if duty in night
        ]

    bound_shares(build, NAME, nights)
