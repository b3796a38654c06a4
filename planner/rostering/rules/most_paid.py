"""The paid minutes of a person over the horizon are at most `Terms.most_paid_min`."""

from __future__ import annotations

from planner.rostering.problem import Duty, NamedRoster, RosterProblem, Terms
from planner.rostering.rules.base import Broken, Build, bound_totals, totals_beyond

NAME = "most_paid"
TITLE = "Paid time at most"
UNIT = "minute"
LIMIT = "most_paid_min"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with more, broken by the minutes beyond."""
    return totals_beyond(problem, roster, NAME, _worth, _limit, least=False, noun="paid minute")


def post(build: Build) -> None:
    """The paid minutes of each person, added up."""
    bound_totals(build, NAME, _worth, _limit, least=False)


def _worth(duty: Duty) -> int:
    return duty.paid_min


def _limit(terms: Terms) -> int | None:
    return terms.most_paid_min
