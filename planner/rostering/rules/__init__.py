"""Rules that a roster keeps: one module each, with its inequality in words, a check and a form for the optimiser.

Every module has NAME, by which it is priced; TITLE, as reports call it; UNIT, in which it is broken; LIMIT, where it is set; `check(problem, roster)`, which needs no solver; and
`post(build)`. Minimum rules spare what touches an end of the horizon; what came before it counts for maximum rules.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any, Protocol

from planner.rostering.problem import NamedRoster, Person, RosterProblem, Terms
from planner.rostering.rules import (
    allowed_duties,
    changes,
    decompression,
    exposure_day,
    exposure_stretch,
    exposure_week,
    fair_exposure,
    fair_nights,
    fair_requests,
    fair_weekends,
    forbidden_successions,
    least_in_a_row,
    least_off_in_a_row,
    least_paid,
    least_shifts,
    leave,
    locked,
    most_in_a_row,
    most_of_kind,
    most_paid,
    most_shifts,
    newcomers,
    nights_in_a_row,
    one_shift_a_day,
    overtime,
    pauses,
    queues,
    rest,
    rotation,
    weekends,
)
from planner.rostering.rules.base import Broken, Build

__all__ = ["BY_NAME", "FAIR", "NEVER_PRICED", "RULES", "Broken", "Build", "Rule", "check", "require_sound"]


class Rule(Protocol):
    """What each module of a rule has."""

    NAME: str
    TITLE: str
    UNIT: str
    """What `Broken.by` counts, and a price is for."""

    @property
    def LIMIT(self) -> str | None:  # noqa: N802
        """The field of `Terms`, `Person` or `RosterProblem` that says whether it limits anybody; None where it always may."""

    def check(self, problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
        """Where a roster breaks it, and by how much."""

    def post(self, build: Build) -> None:
        """Add it to a model."""


RULES: tuple[Rule, ...] = (
    one_shift_a_day,
    allowed_duties,
    leave,
    newcomers,
    most_of_kind,
    least_paid,
    most_paid,
    overtime,
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
    fair_exposure,
    fair_nights,
    fair_weekends,
    fair_requests,
    locked,
    changes,
)
"""All rules, in the order in which reports list them."""

BY_NAME = {rule.NAME: rule for rule in RULES}

FAIR = tuple(rule.NAME for rule in (fair_exposure, fair_nights, fair_weekends, fair_requests))
"""Those of fair spread, which `RosterProblem.spread` names."""

EMOTIONAL = frozenset(
    rule.NAME
    for rule in (exposure_stretch, exposure_day, exposure_week, decompression, rotation, fair_exposure)
)
"""Rules about emotional work: where they are broken is told to nobody by name."""

NEVER_PRICED = frozenset({one_shift_a_day.NAME, pauses.NAME, queues.NAME})
"""What makes a roster a roster."""


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Everything that a roster breaks, hard or priced."""
    return [broken for rule in RULES for broken in rule.check(problem, roster)]


def applies(rule: Rule, problem: RosterProblem) -> bool:
    """Whether a rule limits anybody in this problem: a limit that nobody set is not one that is kept."""
    if rule.NAME in FAIR and rule.NAME not in problem.spread:
        return False
    if rule.LIMIT is None:
        return True
    people = problem.people
    wholes: list[tuple[Any, Sequence[Any]]] = [
        (Terms, [person.terms for person in people]), (Person, people), (RosterProblem, [problem]),
    ]  # fmt: skip
    kind, those = next((kind, those) for kind, those in wholes if rule.LIMIT in kind._fields)
    return any(getattr(one, rule.LIMIT) != kind._field_defaults[rule.LIMIT] for one in those)


def require_sound(problem: RosterProblem) -> None:
    """Raise ValueError for what makes no sense, naming the field and what was found there.

    Prices and spreads of what is no such rule or below 0, circles below 0, posts that there are not, of people or duties, a published roster with
    work that the problem does not have, what is locked though nothing was published, and locked people and days that there are not.
    """
    for name, price in problem.prices.items():
        _require_name("prices", "rule", name, BY_NAME)
        if name in NEVER_PRICED:
            raise ValueError(f"prices: {name} is part of what a roster is and cannot have a price")
        if price < 0:
            raise ValueError(f"prices: {name} has {price}, must be at least 0")
    for name, most in problem.spread.items():
        _require_name("spread", "rule of fair spread", name, FAIR)
        if most < 0:
            raise ValueError(f"spread: {name} has {most}, must be at least 0")
    people, days = len(problem.people), problem.days
    for person in problem.people:
        if person.circle is not None and person.circle < 0:
            raise ValueError(
                f"circle of {person.id}: {person.circle}, must be at least 0, or None for nobody"
            )
        for post in person.posts:
            if not 0 <= post < len(problem.posts):
                raise ValueError(f"posts of {person.id}: no post {post}, there are {len(problem.posts)}")
    for duty in problem.duties:
        for post in duty.posts:
            if not 0 <= post < len(problem.posts):
                raise ValueError(f"posts of {duty.kind}: no post {post}, there are {len(problem.posts)}")
    for work in problem.published.work if problem.published else ():
        inside = 0 <= work.person < people and 0 <= work.day < days
        if not inside or not 0 <= work.duty < len(problem.duties):
            raise ValueError(f"the published roster has work that the problem does not have: {work}")
    if problem.locked and problem.published is None:
        raise ValueError("locked: there is no published roster for what is locked to stay as")
    for number, day in sorted(problem.locked):
        if not (0 <= number < people and 0 <= day < days):
            known = f"people are 0 to {people - 1}, days 0 to {days - 1}"
            raise ValueError(f"locked: no person {number} with a day {day}; {known}")


def _require_name(field: str, noun: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        meant = (
            f"did you mean {near[0]}?"
            if near
            else f"{noun.replace('rule', 'rules', 1)} are {', '.join(known)}"
        )
        raise ValueError(f"{field}: no {noun} is called {name}; {meant}")
