"""What is asked of a roster beside its targets: a roster in use, what must stay of it, overtime, time off.

A point is what the search counts in: somebody short on the queue for a quarter of an hour costs 20. So that overtime can be held against
that, an hour of plain pay is worth 20 points too: whoever is missing costs four times what an hour of theirs is paid. Overtime
costs 20 x (1 + premium) points an hour, and a shift of it is given where more than about a third of it would be short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any

from planner.frames import PLAN_SEED
from planner.rostering import published
from planner.rostering.problem import WEEK_DAYS, NamedRoster, RosterProblem
from planner.rostering.rules import changes, overtime
from planner.scenario.problems import Problem, ScenarioError, nearest, quote, some
from planner.scenario.schema import DAYS, Scenario, days_of

CHANGE_PRICE = 40
"""Points for each shift that differs from the published roster: as somebody short for half an hour."""
PAID_HOUR = 20
"""Points that an hour of plain pay is worth."""


@dataclass(frozen=True)
class Wishes:
    """How a roster is made."""

    replications: int = 10
    seed: int = PLAN_SEED
    quick: bool = False
    rounds: int = 3
    reliefs: bool = True
    published: Path | None = None
    """A file with the roster in use."""
    keep: bool = False
    """Judge that one, and make no other."""
    change_price: int = CHANGE_PRICE
    locks: tuple[str, ...] = ()
    """Days, dates, stretches of dates and ids that stay as published."""
    overtime_hours: float = 0.0
    """Paid hours a week beyond the contract that each person may work."""
    time_off: bool = False
    """Whether shifts are looked for that can be given back."""

    def options(self, policy: str, engine: str) -> dict[str, Any]:
        """What decides a roster's result, beside the scenario and the code. Raises ScenarioError for a file that cannot be read."""
        data = None if self.published is None else published.bytes_of(self.published)
        return {
            "policy": policy, "replications": self.replications, "seed": self.seed, "quick": self.quick, "rounds": self.rounds,
            "reliefs": self.reliefs, "engine": engine, "published": None if data is None else hashlib.sha256(data).hexdigest(),
            "keep": self.keep, "change_price": self.change_price, "locks": list(self.locks),
            "overtime_hours": self.overtime_hours, "time_off": self.time_off,
        }  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """Wishes read against a scenario."""

    wishes: Wishes
    scenario: Scenario
    data: bytes = b""
    """Of the file with the roster in use."""
    locked: frozenset[tuple[int, int]] = frozenset()

    def in_use(self, problem: RosterProblem) -> NamedRoster | None:
        """The roster in use; None where there is none. Raises ScenarioError, a line for each thing wrong."""
        if self.wishes.published is None:
            return None
        return published.read(self.wishes.published.name, self.data, self.scenario, problem)

    def of(self, problem: RosterProblem) -> RosterProblem:
        """The problem with all that is wished."""
        if (known := self.in_use(problem)) is not None and not self.wishes.keep:
            prices = {**problem.prices, changes.NAME: self.wishes.change_price}
            problem = problem._replace(published=known, locked=self.locked, prices=prices)
        hours = self.wishes.overtime_hours
        return with_overtime(problem, hours, self.scenario.costs.overtime_premium) if hours else problem


def asked_of(scenario: Scenario, wishes: Wishes, problem: RosterProblem) -> Asked:
    """Read what is wished, against the people and duties of a problem. Raises ScenarioError, a line for each thing wrong."""
    if wishes.published is None:
        return Asked(wishes, scenario)
    data = published.bytes_of(wishes.published)
    published.read(wishes.published.name, data, scenario, problem)
    return Asked(wishes, scenario, data, locked_cells(scenario, problem, wishes.locks))


def locked_cells(
    scenario: Scenario, problem: RosterProblem, locks: Sequence[str]
) -> frozenset[tuple[int, int]]:
    """People and days (their numbers) of ids, days like mon-wed, dates and stretches of dates. Raises ScenarioError."""
    ids = {person.id: number for number, person in enumerate(problem.people)}
    cells: set[tuple[int, int]] = set()
    problems = []
    for text in locks:
        name = text.strip()
        if name in ids:
            cells |= {(ids[name], day) for day in range(problem.days)}
            continue
        days, why = _days(scenario, name)
        if why:
            close = nearest(name, [*ids, *DAYS])
            close = None if close == name.lower() else close
            problems.append(Problem("--lock", None, "", quote(text), why, close))
        cells |= {(number, day) for number in ids.values() for day in days}
    if problems:
        raise ScenarioError(problems)
    return frozenset(cells)


def _days(scenario: Scenario, text: str) -> tuple[list[int], str]:
    """Days of the horizon, and what is allowed where there are none."""
    start, n = scenario.horizon.start, scenario.horizon.days
    last = date.fromordinal(start.toordinal() + n - 1)
    try:
        found = [(date.fromisoformat(end.strip()) - start).days for end in text.split("..", 1)]
    except ValueError:
        try:
            weekdays = days_of(text)
        except ValueError:
            return (
                [],
                "must be days like mon-wed, a date, dates like 2026-03-02..2026-03-04, or an id of the people",
            )
        days = [day for day in range(n) if (start.weekday() + day) % WEEK_DAYS in weekdays]
        there = some([DAYS[(start.weekday() + day) % WEEK_DAYS] for day in range(min(n, WEEK_DAYS))])
        return days, "" if days else f"must name a day of the horizon: {there}"
    if found[0] > found[-1]:
        return [], "must be dates in their order"
    if found[0] < 0 or found[-1] >= n:
        return [], f"must lie within the horizon, {start} to {last}"
    return list(range(found[0], found[-1] + 1)), ""


def with_overtime(problem: RosterProblem, hours_per_week: float, premium: float) -> RosterProblem:
    """The problem in which everybody may work so many paid hours more, at a price, and the shifts that takes at the longest."""
    more = round(hours_per_week * 60 * ceil(problem.days / WEEK_DAYS))
    people = []
    for person in problem.people:
        terms = person.terms
        longest = max((problem.duties[k].paid_min for day in person.duties for k in day), default=0)
        if terms.most_paid_min is not None and longest:
            shifts = None if terms.most_shifts is None else terms.most_shifts + ceil(more / longest)
            terms = terms._replace(
                agreed_paid_min=terms.most_paid_min,
                most_paid_min=terms.most_paid_min + more,
                most_shifts=shifts,
            )
        people.append(person._replace(terms=terms))
    price = round(PAID_HOUR * (1 + premium) * overtime.QUARTER_MIN / 60)
    return problem._replace(people=tuple(people), prices={**problem.prices, overtime.NAME: price})
