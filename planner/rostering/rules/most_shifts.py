"""The shifts of a person over the horizon are at most `Terms.most_shifts`."""

from __future__ import annotations

from planner.rostering.problem import Duty, NamedRoster, RosterProblem, Terms
from planner.rostering.rules.base import Broken, Build, bound_totals, totals_beyond

NAME = "most_shifts"
TITLE = "Shifts at most"
UNIT = "shift"
LIMIT = "most_shifts"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with more, broken by the shifts beyond."""
    return totals_beyond(problem, roster, NAME, _worth, _limit, least=False, noun="shift")


def post(build: Build) -> None:
    """The shifts of each person, added up."""
    bound_totals(build, NAME, _worth, _limit, least=False)


def _worth(_: Duty) -> int:
    return 1


def _limit(terms: Terms) -> int | None:
    return terms.most_shifts
