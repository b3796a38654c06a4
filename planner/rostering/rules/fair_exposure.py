"""In a circle the most emotional minutes of one person less the least of another are at most `spread` of this rule.

Minutes on the queue times the post's share at their time, over the horizon, rounded down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from planner.rostering.problem import DAY_MIN, NamedRoster, RosterProblem, Work
from planner.rostering.rules.base import (
    Broken,
    Build,
    Sum,
    bound_shares,
    earliest_pauses,
    exposure,
    shares_apart,
    stretches,
)

NAME = "fair_exposure"
TITLE = "Emotional work shared fairly"
THOUSAND = 1000


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Circles with more between the most and the least, broken by the minutes beyond."""

    def minutes(_: int, work: Mapping[int, Work]) -> int:
        return _emotional(problem, work.values()) // THOUSAND

    return shares_apart(problem, roster, NAME, minutes, "emotional minute")


def post(build: Build) -> None:
    """Each duty at the usual post, less its pauses; work that is fixed at the posts that it has."""
    problem = build.problem
    known: dict[tuple[int, int, int], int] = {}

    def span(post: int, start_min: int, end_min: int) -> int:
        key = post, start_min, end_min
        if key not in known:
            known[key] = exposure(problem, *key)
        return known[key]

    def minutes(person: int) -> Sum:
        usual = next(iter(problem.people[person].posts), None)
        for day in range(problem.days):
            fixed = build.fixed(person, day)
            if fixed is not None:
                yield _emotional(problem, [fixed]), 1
                continue
            if usual is None:
                continue
            for number, given in build.gives(person, day).items():
                duty = problem.duties[number]
                begin = day * DAY_MIN + duty.start_min
                yield span(usual, begin, begin + duty.minutes), given
                starts = build.starts(person, day, number) or [
                    {at: given} for at in earliest_pauses(duty) or ()
                ]
                for pause, choices in zip(duty.pauses, starts, strict=True):
                    for at, pausing in choices.items():
                        yield -span(usual, begin + at, begin + at + pause.minutes), pausing

    bound_shares(build, NAME, minutes, THOUSAND)


def _emotional(problem: RosterProblem, work: Iterable[Work]) -> int:
    """Thousandths of emotional minutes."""
    return sum(exposure(problem, post, *span) for one in work for *span, post in stretches(problem, one))
