"""The shifts of a person over the horizon are at least `Terms.least_shifts`."""

from __future__ import annotations

from planner.rostering.problem import Duty, NamedRoster, RosterProblem, Terms
from planner.rostering.rules.base import Broken, Build, bound_totals, totals_beyond

NAME = "least_shifts"
TITLE = "Shifts at least"
UNIT = "shift"
LIMIT = "least_shifts"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with fewer, broken by the shifts missing."""
    return totals_beyond(problem, roster, NAME, _worth, _limit, least=True, noun="shift")


def post(build: Build) -> None:
    """The shifts of each person, added up."""
    bound_totals(build, NAME, _worth, _limit, least=True)


def _worth(_: Duty) -> int:
    return 1


def _limit(terms: Terms) -> int:
    return terms.least_shifts
