"""What is measured, counted anew from the records by plain loops, contact by contact and journey by journey."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import small
from small import stack

from planner.anchor import lens_of
from planner.scenario import compile as c
from planner.scenario.schema import Scenario
from sim import records as r
from sim.draws import Draws
from sim.measures import (
    CUSTOMER,
    PEOPLE,
    Lens,
    Totals,
    difference,
    estimate,
    evaluate,
    overall,
    totals,
    undisclosed,
)
from sim.records import Records
from sim.replicate import simulate_once
from sim.world import DAY_MS, World

POLICIES = ("as_is", "hard", "soft")
ENDED = (r.CONTAINED, r.CONTAINED_FALSELY, r.HUNG_UP, r.ANSWERED, r.ABANDONED, r.TURNED_AWAY, r.CLOSED)


class Run(NamedTuple):
    """One replication, its sums, and each need's contacts in their order."""

    scenario: Scenario
    world: World
    draws: Draws
    records: Records
    lens: Lens
    totals: Totals
    journeys: dict[int, list[int]]


@cache
def run(policy: str) -> Run:
    scenario = small.tiny(
        types__order__offered_per_week=4000, types__trouble__offered_per_week=1500, segments__home__vulnerable=0.3,
        policies__soft__specialists={"groups": ["care"], "types": ["trouble"]},
        detectors__voice={"target": "vulnerable", "sensitivity": 0.7, "specificity": 0.8},
        policies__soft__detectors=["distress", "voice"],
    )  # fmt: skip
    natural = small.natural_values(scenario)
    world = c.compile_world(scenario, natural, policy, small.plain_roster(scenario, 14, 7))
    draws, records = simulate_once(world, 5, 0)
    journeys: dict[int, list[int]] = {}
    start, end = world.clock.start_ms, world.clock.end_ms
    for row, (need, outcome) in enumerate(
        zip(draws.rows.need.tolist(), records.contacts.outcome.tolist(), strict=True)
    ):
        if outcome and start <= draws.needs.birth_ms[need] < end:
            journeys.setdefault(need, []).append(row)
    lens = lens_of(scenario)
    return Run(scenario, world, draws, records, lens, totals(world, draws, records, lens), journeys)


def value(policy: str, name: str) -> float:
    """A measure of the run over all customers, or all people."""
    sums = stack([run(policy).totals])
    if name in CUSTOMER:
        return evaluate({name: CUSTOMER[name]}, overall(sums.customers))[name].mean
    return evaluate({name: PEOPLE[name]}, overall(sums.people))[name].mean


@pytest.mark.parametrize("policy", POLICIES)
def test_service_levels_by_counting(policy: str) -> None:
    found = run(policy)
    x, clock = found.records.contacts, found.world.clock
    n: Counter[str] = Counter()
    wait_s = 0.0
    for row in range(len(x.outcome)):
        at, outcome = x.arrive_ms[row], x.outcome[row]
        if not (outcome and clock.start_ms <= at < clock.end_ms) or x.flags[row] & r.CALLED_BACK:
            continue
        if outcome not in (r.ANSWERED, r.ABANDONED, r.TURNED_AWAY, r.CLOSED) or x.reach_ms[row] < 0:
            continue
        wait = x.end_ms[row] - x.reach_ms[row]
        within = wait <= found.lens.within_ms[found.draws.needs.type[found.draws.rows.need[row]]]
        n["offered"] += 1
        wait_s += wait / 1000
        if outcome == r.ANSWERED:
            n["answered"] += 1
            n["good"] += within
        elif outcome == r.ABANDONED:
            n["gone at once" if within else "gone late"] += 1
    assert min(n["gone at once"], n["gone late"], n["answered"] - n["good"]) > 0
    left = n["gone at once"] + n["gone late"]
    assert value(policy, "queued") == n["offered"]
    assert value(policy, "service_level_g0") == pytest.approx(n["good"] / n["answered"])
    assert value(policy, "service_level_g1") == pytest.approx(n["good"] / (n["answered"] + n["gone late"]))
    assert value(policy, "service_level_g2") == pytest.approx((n["good"] + n["gone at once"]) / n["offered"])
    assert value(policy, "service_level") == pytest.approx(n["good"] / n["offered"])
    assert value(policy, "abandonment") == pytest.approx(left / n["offered"])
    assert value(policy, "mean_wait_s") == pytest.approx(wait_s / n["offered"])


def test_days_start_as_they_really_do() -> None:
    """Round the clock the first minutes find people busy, though nobody ever comes back; where doors open, nobody is."""
    busy = {}
    for name, hours in (("always", "00:00-24:00"), ("opens", "09:00-17:00")):
        scenario = small.tiny(
            opening__hours={"every day": hours}, behaviour={"max_attempts": 1}, types__order__offered_per_week=20_000,
        )  # fmt: skip
        roster = small.plain_roster(scenario, 12, 12)
        world = c.compile_world(scenario, small.natural_values(scenario), "as_is", roster)
        _, records = simulate_once(world, 5, 0)
        at = world.clock.open_ms[world.clock.warm_days]
        x = records.contacts
        answered = x.outcome == r.ANSWERED
        busy[name] = int((answered & (x.end_ms < at) & (at < x.end_ms + x.talk_ms)).sum())
        assert world.clock.warm_days == (name == "always")
    assert busy["opens"] == 0
    assert busy["always"] > 3


@pytest.mark.parametrize("policy", POLICIES)
def test_occupancy_and_utilisation_leave_recovery_out(policy: str) -> None:
    found = run(policy)
    s, clock = found.records.spells, found.world.clock
    mine = (s.on_ms >= clock.start_ms) & (s.on_ms < clock.end_ms)
    handled, ready = (s.talk_ms + s.acw_ms)[mine].sum(), s.idle_ms[mine].sum()
    assert value(policy, "occupancy") == pytest.approx(handled / (handled + ready))
    assert value(policy, "utilisation") == pytest.approx(handled / (s.off_ms - s.on_ms)[mine].sum())
    assert (s.rest_ms[mine].sum() > 0) == (policy == "soft")
    owed = np.maximum(0, s.due_ms - s.rest_ms)[mine].sum()
    assert value(policy, "recovery_owed") == pytest.approx(owed / 60_000 / mine.sum())


@pytest.mark.parametrize("policy", POLICIES)
def test_resolution_as_it_is_and_as_a_log_would_say(policy: str) -> None:
    found = run(policy)
    x, clock = found.records.contacts, found.world.clock
    first: list[float] = []
    for rows in found.journeys.values():
        answered = [row for row in rows if x.outcome[row] == r.ANSWERED]
        if answered:
            row = answered[0]
            first.append(float(x.heard[row] * x.if_heard[row] + (1 - x.heard[row]) * x.if_not[row]))
    assert value(policy, "first_contact_resolution") == pytest.approx(sum(first) / len(first))
    quiet = seen = 0
    for row in np.flatnonzero(x.outcome == r.ANSWERED):
        if clock.start_ms <= x.arrive_ms[row] < clock.end_ms:
            later = found.draws.rows.next[row]
            came = later >= 0 and x.outcome[later] > 0
            seen += 1
            quiet += not (came and x.arrive_ms[later] - x.end_ms[row] <= 7 * DAY_MS)
    assert value(policy, "log_resolution") == pytest.approx(quiet / seen)
    assert value(policy, "log_resolution") > value(policy, "first_contact_resolution"), "many just give up"


@pytest.mark.parametrize("policy", POLICIES)
def test_the_guardrail_by_counting(policy: str) -> None:
    """Vulnerable needs left unmet, and those who were refused a person they asked for: each need once."""
    found = run(policy)
    x = found.records.contacts
    n: Counter[str] = Counter()
    for need, rows in found.journeys.items():
        if not found.draws.needs.vulnerable[need]:
            continue
        last = rows[-1]
        goes_on = x.flags[last] & (r.RETURNS | r.REDIALS | r.ESCALATED | r.PASSED_ON) > 0
        n["needs"] += 1
        n["unmet"] += x.ending[last] not in (0, 1) and not goes_on and x.outcome[last] in ENDED
        n["refused"] += any(x.flags[row] & r.REFUSED for row in rows)
    assert n["unmet"] > 10
    assert (n["refused"] > 10) == (policy == "hard")
    assert value(policy, "vulnerable_unmet") == pytest.approx(100 * n["unmet"] / n["needs"])
    assert value(policy, "vulnerable_refused") == pytest.approx(100 * n["refused"] / n["needs"])
    nobody = {name: total[..., :1] for name, total in stack([found.totals]).customers.items()}
    assert np.isnan(evaluate(CUSTOMER, overall(nobody))["vulnerable_unmet"].mean), "not theirs to be measured"


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_lost_by_counting(policy: str) -> None:
    """Customers lost, needs left untold and complaints, journey by journey, from the chances at each contact."""
    found = run(policy)
    b, x, needs = found.world.behaviour, found.records.contacts, found.draws.needs
    returns = (b.return_sorted_heard, b.return_sorted, b.return_warm, b.return_cold)
    escalates = (b.escalate_sorted_heard, b.escalate_sorted, b.escalate_warm, b.escalate_cold)
    churn = (b.churn_sorted_heard, b.churn_sorted, b.churn_warm, b.churn_cold)
    lost = untold = 0.0
    seen = np.zeros(4)
    by_bot = 0.0
    for need, rows in found.journeys.items():
        for attempt, row in enumerate(rows):
            outcome, heard = x.outcome[row], x.heard[row]
            last = attempt + 1 == b.max_attempts
            intensity = x.intensity[row]
            if outcome == r.CONTAINED_FALSELY:
                intensity = min(1.0, intensity + b.bot_loop_intensity)
            scale = 1 - b.churn_intensity + 2 * b.churn_intensity * intensity
            scale *= found.world.types.churn_scale[needs.type[need]]
            if x.ending[row] >= 0:
                yes, no = x.if_heard[row], x.if_not[row]
                endings = (heard * yes, (1 - heard) * no, heard * (1 - yes), (1 - heard) * (1 - no))
                seen += endings
                up = np.array(escalates) if outcome == r.ANSWERED else np.zeros(4)
                by_bot += sum(endings) if outcome != r.ANSWERED else 0
                stops = np.ones(4) if last else (1 - up) * (1 - np.array(returns))
                lost += scale * float((np.array(endings) * stops * churn).sum())
                if outcome == r.ANSWERED:
                    untold += (1 - heard) * (yes - no) * stops[3]
            elif outcome in (r.ABANDONED, r.HUNG_UP, r.TURNED_AWAY):
                lost += scale * b.churn_abandoned * (1 if last else 1 - b.redial)
            elif outcome == r.CLOSED:
                lost += scale * b.churn_abandoned
    assert value(policy, "churned") == pytest.approx(lost)
    assert value(policy, "undisclosed") == pytest.approx(1000 * untold / len(found.journeys))
    # A bot contact has an ending like any other, and may be complained of.
    assert by_bot > 100
    sums = found.totals.customers
    ended = [sums[f"contacts_{name}"].sum() for name in ("sorted_heard", "sorted", "warm", "cold")]
    assert ended == pytest.approx(seen.tolist())
    assert b.bot_loop_intensity > 0


def test_needs_left_untold_are_counted_once() -> None:
    """Where not being heard keeps everybody from telling, and everybody tries to the last, a need counts once."""
    found = run("as_is")
    b = found.world.behaviour._replace(return_cold=1.0, escalate_cold=0.0)
    draws = found.draws._replace(
        rows=found.draws.rows._replace(attempt=np.zeros_like(found.draws.rows.attempt))
    )
    assert undisclosed(found.world._replace(behaviour=b), draws, found.records.contacts).max() == 0


def test_what_wrong_flags_cost_specialists() -> None:
    found = run("soft")
    x, clock = found.records.contacts, found.world.clock
    care = list(found.scenario.groups).index("care")
    minutes, both = 0.0, 0
    n: Counter[str] = Counter()
    for row in np.flatnonzero(x.outcome > 0):
        if not clock.start_ms <= x.arrive_ms[row] < clock.end_ms:
            continue
        right, wrong, missed = (
            x.flags[row] & flag > 0 for flag in (r.FLAG_RIGHT, r.FLAG_WRONG, r.FLAG_MISSED)
        )
        n["right"], n["wrong"], n["missed"] = n["right"] + right, n["wrong"] + wrong, n["missed"] + missed
        both += right and wrong
        if x.outcome[row] == r.ANSWERED and found.world.staffing.group_of[x.agent[row]] == care:
            minutes += (wrong and not right) * (x.talk_ms[row] + x.acw_ms[row]) / 60_000
    assert min(both, minutes) > 0
    assert value("soft", "wrong_flag_min") == pytest.approx(minutes)
    assert value("soft", "flag_precision") == pytest.approx(n["right"] / (n["right"] + n["wrong"]))
    assert value("soft", "flag_recall") == pytest.approx(n["right"] / (n["right"] + n["missed"]))


def test_the_more_exhausted_shifts_by_counting() -> None:
    """Those begun more than a point above what the group's people brought with them under today's policy."""
    _, world, _, records, _, sums, _ = run("hard")
    raised = records.spells._replace(
        exhaustion=records.spells.exhaustion + np.arange(len(records.spells.agent)) % 3
    )
    lens = run("hard").lens
    found = totals(world, run("hard").draws, records._replace(spells=raised), lens)
    start, end, count, spells = world.clock.start_ms, world.clock.end_ms, Counter(), 0
    for agent, on, brought in zip(
        raised.agent.tolist(), raised.on_ms.tolist(), raised.exhaustion.tolist(), strict=True
    ):
        if start <= on < end:
            spells += 1
            count[brought > world.groups.exhaustion[world.staffing.group_of[agent]] + 1.0] += 1
    assert 0 < count[True] < spells
    share = evaluate(PEOPLE, overall(stack([found]).people))["exhaustion_over_share"].mean
    assert share == pytest.approx(count[True] / spells)
    assert sums.people["exhausted"].sum() < found.people["exhausted"].sum()


def test_intervals_stay_where_values_can_be() -> None:
    values = np.array([0.0, 0.1, 0.9])
    free = estimate(values, unit="hours")
    assert free.low < 0 < free.mean < free.high
    assert estimate(values, unit="hours", least=0.0) == free._replace(low=0.0)
    share = estimate(values, unit="share")
    assert (share.low, share.high) == (0.0, 1.0)
    nothing = estimate(values, np.zeros(3), least=0.0)
    assert np.isnan([nothing.mean, nothing.low, nothing.high]).all()
    d = difference((values, None), (values[::-1], None))
    assert d.low < 0, "a difference may be below zero"
    for policy in POLICIES:
        stacked = stack([run(policy).totals, run(policy).totals])
        assert all(e.low >= 0 for e in evaluate(PEOPLE, overall(stacked.people)).values() if e.low == e.low)
