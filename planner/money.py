"""Money: what a policy costs in cash in a year, and what it keeps or loses in customers' margin.

Two totals. Cash: payroll, overtime premium, outsourcing, automation, seats, training, concessions, complaints, leavers;
one-off apart, and apart the pay of time between contacts: work that is saved while the same hours are paid turns up
there, and nobody can cash it. Cash and margin lost adds the remaining discounted margin of customers who leave because of how their
needs ended. A year repeats the horizon. All lines are linear in a replication's sums, save that a customer can be
lost only once: a year is 1 - (1 - p)^n over the n needs of a customer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planner.levers import People as Counts
from planner.levers import outsourced_shares, own_costs
from planner.natural import NaturalValues
from planner.plan import weeks_of
from planner.scenario import compile as c
from planner.scenario.schema import Policy, Scenario, SpecialistLever
from planner.shrinkage import worked_share
from sim.measures import Estimate, Totals, estimate
from sim.world import Floats

WEEKS_PER_YEAR = 365.25 / 7
ENDINGS = ("sorted_heard", "sorted", "warm", "cold")
CASH_LINES = (
    "payroll", "overtime_premium", "outsourcing", "seats", "automation", "detectors", "telephony", "concessions",
    "concession_leakage", "complaints", "leavers", "specialist_training", "levers", "policy",
)  # fmt: skip
MONEY = (
    "cash", "margin_lost", "cash_and_margin", "once", *(f"money_{line}" for line in CASH_LINES), "cost_per_contact",
    "cost_per_resolved_need", "cost_per_kept_customer", "customers_lost", "leavers", "attrition", "people",
    "idle_hours", "idle_pay",
)  # fmt: skip
"""Every figure of money, as `amounts` makes them."""
LINE_MEANING = {
    "payroll": "Paid hours of in-house people, leave and absence inside.",
    "overtime_premium": "Premium on time worked beyond the shift.",
    "outsourcing": "Paid hours of outsourced groups.",
    "seats": "Seats, licences and equipment of the people needed.",
    "automation": "The automated front: fixed, and per session.",
    "detectors": "Listening by detectors, per contact.",
    "telephony": "Per contact answered by a person.",
    "concessions": "Concessions made under authority that were called for.",
    "concession_leakage": "Concessions made under authority that were not called for.",
    "complaints": "Handling of complaints.",
    "leavers": "Recruiting, training pay and ramp loss of leavers, each once.",
    "specialist_training": "Training the successors of specialists who leave.",
    "levers": "What levers cost by themselves: licences, trainers and trainees' hours, messages.",
    "policy": "Other yearly costs of the policy.",
    "margin_lost": "Margin of customers lost because of how their needs ended.",
    "idle_hours": "Paid hours between contacts: work that a policy saves and nobody can cash turns up here.",
    "idle_pay": "Their pay, leave and absence inside: part of payroll and outsourcing, not on top.",
}


class Money(NamedTuple):
    """Yearly amounts per replication, and what is paid once."""

    lines: dict[str, Floats]
    """(reps,) yearly cash by line."""
    margin_lost: Floats
    """(reps,) yearly margin of customers lost."""
    customers: Floats
    """(reps,) customers whose needs arose, also those met before they became a call."""
    customers_lost: Floats
    """(reps,) customers lost a year."""
    leavers: Floats
    """(reps,) people leaving a year."""
    attrition: Floats
    """(reps,) leavers per person employed and year."""
    people: Floats
    """(reps,) people paid for, full-time equivalents with leave, outsourced or not: counted as a plan counts them."""
    once: float
    """One-off cash."""
    idle_hours: Floats
    """(reps,) hours a year between contacts."""
    idle_pay: Floats
    """(reps,) their pay, which payroll and outsourcing have inside."""
    by_group: Floats
    """(reps, G) yearly cash of people alone: pay, seats, leavers; inside these lines."""
    by_lever: dict[str, tuple[Floats, float]]
    """What each lever costs by itself: (reps,) a year, inside the line `levers`, and once, inside `once`."""

    @property
    def cash(self) -> Floats:
        """(reps,) yearly cash."""
        return np.asarray(sum(self.lines.values()), np.float64)

    @property
    def cash_and_margin(self) -> Floats:
        """(reps,) yearly cash plus margin lost."""
        return self.cash + self.margin_lost


def money(scenario: Scenario, natural: NaturalValues, policy: str, totals: Totals) -> Money:
    """A policy's money from its stacked totals."""
    chosen = scenario.policy(policy)
    costs, per_year = scenario.costs, WEEKS_PER_YEAR / weeks_of(scenario)
    groups = list(scenario.groups.values())
    rate = np.array([g.cost_per_hour for g in groups])
    outsourced = np.array([g.outsourced for g in groups])
    contract_hours = np.array([g.hours_per_week for g in groups])
    worked = worked_share(scenario)
    p = totals.people
    reps = len(p["paid_min"])
    zero = np.zeros(reps)

    overtime = p["overtime_min"] / 60
    regular = np.maximum(p["paid_min"] / 60 - overtime, 0.0)
    bought, factor = outsourced_shares(scenario, chosen)
    own_paid = (regular / worked + overtime) * rate * per_year * (1 - bought)
    bought_paid = (regular + overtime) * rate * factor * per_year * bought
    gross = np.where(outsourced, regular, regular / worked)
    fte = gross / contract_hours / weeks_of(scenario)
    heads = regular / worked / contract_hours / weeks_of(scenario)

    idle = p["idle_min"] / 60 * per_year
    idle_pay = (idle / worked * (1 - bought) + idle * factor * bought) * rate

    base = natural.leaving_base * p["leaving"] / np.maximum(p["spells"], 1e-9)
    employed = fte * (1 - bought)
    leavers = base * employed
    recruiting = scenario.coefficient("recruiting_cost") if costs.recruiting is None else costs.recruiting
    weekly = contract_hours * rate
    ramp = scenario.coefficient("ramp_weeks") * (1 - scenario.coefficient("ramp_speed"))
    per_leaver = recruiting + weekly * (scenario.coefficient("training_weeks") + ramp)

    cust = totals.customers
    by_type = {
        name: cust[name].sum(axis=(2, 3))
        for name in ("queued", "deferred", "journey_answered", *(f"contacts_{e}" for e in ENDINGS))
    }
    sessions = cust["journey_sessions"].sum(axis=3)
    session_cost = np.array(
        [
            [kind.automation.of(s).cost_per_session for s in scenario.segments]
            for kind in scenario.types.values()
        ]
    )
    listening = np.zeros(len(scenario.types))
    names = list(scenario.types)
    for detector in chosen.detectors or ():
        ear = scenario.detectors[detector]
        for name in ear.types or names:
            listening[names.index(name)] += ear.cost_per_contact
    complaints = sum(
        by_type[f"contacts_{e}"].sum(axis=1) * scenario.coefficient(f"complain_{e}") for e in ENDINGS
    )
    answered = by_type["journey_answered"].sum(axis=1)
    leaked = scenario.coefficient("concession_leakage")
    conceded = answered * scenario.coefficient("concession_share") if chosen.authority else zero

    lever = chosen.specialists
    training = lever.training_per_person if isinstance(lever, SpecialistLever) else 0.0
    special = c.specialist_groups(chosen)
    expert = np.array([name in special for name in scenario.groups])
    experts = float((fte * expert).sum(axis=1).mean())
    counts = Counts(heads, leavers, cust["needs"].sum(axis=(2, 3)) * per_year)
    by_lever = own_costs(scenario, chosen, counts)
    if training:
        a_year, once = by_lever.get("specialists", (zero, 0.0))
        by_lever["specialists"] = a_year, once + training * experts
    lines = {
        "payroll": own_paid.sum(axis=1),
        "overtime_premium": (
            overtime * (1 - bought + bought * factor) * rate * costs.overtime_premium * per_year
        ).sum(axis=1),
        "outsourcing": bought_paid.sum(axis=1),
        "seats": employed.sum(axis=1) * costs.seat_per_year,
        "automation": (sessions * session_cost).sum(axis=(1, 2)) * per_year + costs.automation_per_year,
        "detectors": ((by_type["queued"] + by_type["deferred"]) * listening).sum(axis=1) * per_year,
        "telephony": answered * costs.contact * per_year,
        "concessions": conceded * (1 - leaked) * costs.concession * per_year,
        "concession_leakage": conceded * leaked * costs.concession * per_year,
        "complaints": complaints * costs.complaint * per_year,
        "leavers": (leavers * per_leaver).sum(axis=1),
        "specialist_training": (leavers * expert).sum(axis=1) * training,
        "levers": zero + sum((a_year for a_year, _ in by_lever.values()), zero),
        "policy": zero + (chosen.cost_per_year or 0.0),
    }
    lost, margin = _lost(scenario, chosen, totals, per_year)
    segments = np.array([s.needs_per_year for s in scenario.segments.values()])
    customers = (_arisen(scenario, chosen, totals).sum(axis=(1, 3)) * per_year / segments).sum(axis=1)
    total = np.maximum(employed.sum(axis=1), 1e-9)
    return Money(
        lines, margin, customers, lost, leavers.sum(axis=1), leavers.sum(axis=1) / total, heads.sum(axis=1),
        (chosen.cost_once or 0.0) + sum(once for _, once in by_lever.values()),
        idle.sum(axis=1), idle_pay.sum(axis=1),
        own_paid + bought_paid + employed * costs.seat_per_year + leavers * per_leaver, by_lever,
    )  # fmt: skip


def _lost(scenario: Scenario, chosen: Policy, totals: Totals, per_year: float) -> tuple[Floats, Floats]:
    """(reps,) customers lost in a year, and their margin, by segment and vulnerability."""
    churned = totals.customers["churned"].sum(axis=1)
    needs, arisen = totals.customers["needs"].sum(axis=1), _arisen(scenario, chosen, totals).sum(axis=1)
    n = np.array([s.needs_per_year for s in scenario.segments.values()])[None, :, None]
    value = np.array([s.value for s in scenario.segments.values()])[None, :, None] * scenario.what_if.value
    p = np.clip(churned / np.maximum(needs, 1e-9), 0.0, 1.0)
    customers = arisen * per_year / n
    # Customers whose needs were met before they called are customers still, with fewer needs to lose patience over.
    lost = customers * (1 - (1 - p) ** (n * (needs / np.maximum(arisen, 1e-9))))
    return lost.sum(axis=(1, 2)), (lost * value).sum(axis=(1, 2))


def _arisen(scenario: Scenario, chosen: Policy, totals: Totals) -> Floats:
    """(reps, T, S, 2) needs that arose, those inside that a message met before they became a call."""
    left = c.still_called(scenario, chosen)
    return np.asarray(totals.customers["needs"] / np.maximum(left, 1e-9)[None, :, None, None], np.float64)


def amounts(m: Money, totals: Totals, scenario: Scenario) -> dict[str, tuple[Floats, Floats | None, str]]:
    """Every money measure as (above, below, unit): yearly lines, totals, and unit costs."""
    unit = f"{scenario.costs.currency} a year"
    one = scenario.costs.currency
    per_year = WEEKS_PER_YEAR / weeks_of(scenario)
    contacts = totals.customers["journey_contacts"].sum(axis=(1, 2, 3)) * per_year
    resolved = totals.customers["resolved_needs"].sum(axis=(1, 2, 3)) * per_year
    rows: dict[str, tuple[Floats, Floats | None, str]] = {
        f"money_{name}": (value, None, unit) for name, value in m.lines.items()
    }
    rows |= {
        "cash": (m.cash, None, unit),
        "margin_lost": (m.margin_lost, None, unit),
        "cash_and_margin": (m.cash_and_margin, None, unit),
        "once": (np.full(len(m.cash), m.once), None, f"{one}, once"),
        "cost_per_contact": (m.cash, contacts, one),
        "cost_per_resolved_need": (m.cash, resolved, one),
        "cost_per_kept_customer": (m.cash, m.customers - m.customers_lost, one),
        "customers_lost": (m.customers_lost, None, "customers a year"),
        "leavers": (m.leavers, None, "people a year"),
        "attrition": (m.attrition, None, "share a year"),
        "people": (m.people, None, "FTE, with leave"),
        "idle_hours": (m.idle_hours, None, "hours a year"),
        "idle_pay": (m.idle_pay, None, unit),
    }
    return rows


def estimates(m: Money, totals: Totals, scenario: Scenario) -> dict[str, Estimate]:
    """Every money measure with its interval."""
    return {
        name: estimate(a, b, unit, least=0.0) for name, (a, b, unit) in amounts(m, totals, scenario).items()
    }
