"""In a circle the most emotional minutes of one person less the least of another are at most `spread` of this rule.

Minutes on the queue times the post's share at their time, over the horizon, rounded down.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.rostering.problem import NamedRoster, RosterProblem, Work
from planner.rostering.rules.base import (
    SHARES,
    Broken,
    Build,
    added,
    circles,
    exposed,
    exposed_on,
    shares_apart,
)

NAME = "fair_exposure"
TITLE = "Emotional work shared fairly"
UNIT = "minute"
LIMIT = "circle"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Circles with more between the most and the least, broken by the minutes beyond."""

    def minutes(_: int, work: Mapping[int, Work]) -> int:
        return sum(sum(exposed(problem, one)) for one in work.values()) // SHARES

    return shares_apart(problem, roster, NAME, minutes, "emotional minute")


def post(build: Build) -> None:
    """What the stretches of each person come to, added up over the horizon."""
    most = build.problem.spread.get(NAME)
    if most is not None:
        for people in circles(build.problem):
            amounts = [
                added(exposed_on(build, number, day) for day in range(build.problem.days))
                for number in people
            ]
            sums, tops = [one.total for one in amounts], [one.top for one in amounts]
            build.spread(NAME, sums, most, SHARES, tops=tops)
