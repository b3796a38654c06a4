"""The paid minutes of a person over the horizon are at least `Terms.least_paid_min`."""

from __future__ import annotations

from planner.rostering.problem import Duty, NamedRoster, RosterProblem, Terms
from planner.rostering.rules.base import Broken, Build, bound_totals, totals_beyond

NAME = "least_paid"
TITLE = "Paid time at least"
UNIT = "minute"
LIMIT = "least_paid_min"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with fewer, broken by the minutes missing."""
    return totals_beyond(problem, roster, NAME, _worth, _limit, least=True, noun="paid minute")


def post(build: Build) -> None:
    """The paid minutes of each person, added up."""
    bound_totals(build, NAME, _worth, _limit, least=True)


def _worth(duty: Duty) -> int:
    return duty.paid_min


def _limit(terms: Terms) -> int:
    return terms.least_paid_min
