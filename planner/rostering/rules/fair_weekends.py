"""In a circle the most weekends with work of one person less the fewest of another are at most `spread` of this rule."""

from __future__ import annotations

from collections.abc import Mapping

from planner.rostering.problem import NamedRoster, RosterProblem, Work
from planner.rostering.rules.base import Broken, Build, Sum, bound_shares, shares_apart, weekends

NAME = "fair_weekends"
TITLE = "Weekends shared fairly"
UNIT = "weekend"
LIMIT = "circle"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Circles with more between the most and the fewest, broken by the weekends beyond."""
    of_horizon = weekends(problem)

    def worked(_: int, work: Mapping[int, Work]) -> int:
        return sum(any(day in work for day in days) for days in of_horizon)

    return shares_apart(problem, roster, NAME, worked, "weekend")


def post(build: Build) -> None:
    """For each weekend whether a person has any work, added up."""
    of_horizon = weekends(build.problem)

    def worked(person: int) -> Sum:
        return [(1, build.any_of([build.works(person, day) for day in days])) for days in of_horizon]

    bound_shares(build, NAME, worked)
