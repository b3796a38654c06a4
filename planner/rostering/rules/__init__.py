"""Rules that a roster keeps: one module each, with its inequality in words, a check and a form for the optimiser.

Every module has NAME, by which it is priced; TITLE, as reports call it; `check(problem, roster)`, which needs no solver; and
`post(build)`. Minimum rules spare what touches an end of the horizon; what came before it counts for maximum rules.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Protocol

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules import (
    allowed_duties,
    decompression,
    exposure_day,
    exposure_stretch,
    exposure_week,
    forbidden_successions,
    least_in_a_row,
    least_off_in_a_row,
    least_paid,
    least_shifts,
    most_in_a_row,
    most_of_kind,
    most_paid,
    most_shifts,
    nights_in_a_row,
    one_shift_a_day,
    pauses,
    queues,
    rest,
    rotation,
    weekends,
)
from planner.rostering.rules.base import Broken, Build

__all__ = ["BY_NAME", "NEVER_PRICED", "RULES", "Broken", "Build", "Rule", "check", "require_prices"]


class Rule(Protocol):
    """What each module of a rule has."""

    NAME: str
    TITLE: str

    def check(self, problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
        """Where a roster breaks it, and by how much."""

    def post(self, build: Build) -> None:
        """Add it to a model."""


RULES: tuple[Rule, ...] = (
    one_shift_a_day,
    allowed_duties,
    most_of_kind,
    least_paid,
    most_paid,
    least_shifts,
    most_shifts,
    rest,
    most_in_a_row,
    least_in_a_row,
    least_off_in_a_row,
    weekends,
    nights_in_a_row,
    forbidden_successions,
    pauses,
    queues,
    exposure_stretch,
    exposure_day,
    exposure_week,
    decompression,
    rotation,
)
"""All rules, in the order in which reports list them."""

BY_NAME = {rule.NAME: rule for rule in RULES}

NEVER_PRICED = frozenset({one_shift_a_day.NAME, pauses.NAME, queues.NAME})
"""What makes a roster a roster."""


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Everything that a roster breaks, hard or priced."""
    return [broken for rule in RULES for broken in rule.check(problem, roster)]


def require_prices(problem: RosterProblem) -> None:
    """Raise ValueError for a price of something that is no rule, or that cannot have a price, or below 0."""
    for name, price in problem.prices.items():
        if name not in BY_NAME:
            near = get_close_matches(name, BY_NAME, n=1)
            meant = f"did you mean {near[0]}?" if near else f"rules are {', '.join(BY_NAME)}"
            raise ValueError(f"prices: no rule is called {name}; {meant}")
        if name in NEVER_PRICED:
            raise ValueError(f"prices: {name} is part of what a roster is and cannot have a price")
        if price < 0:
            raise ValueError(f"prices: {name} has {price}, must be at least 0")
