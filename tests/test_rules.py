"""What happens in a contact, by the formulas that the model states: by hand, and for every conversation of a run.

Both engines call the same rules, so that they agree says nothing about whether these are right. Here each is worked out
anew from the page that states it, with numbers of its own.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from worlds import small_run

from planner import evidence
from sim import kernel, rules
from sim import records as r
from sim import world as w
from sim.draws import Draws
from sim.model import Model
from sim.records import Records
from sim.world import World

B = evidence.behaviour()
MIN = 60_000


def share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


# --- by hand, at the defaults ---------------------------------------------------------------------------------


def test_load_of_a_contact_by_hand() -> None:
    """One fully intense contact of ten minutes is a point; scripts or a target add a fifth; absorption multiplies."""
    assert rules.load_gained(1.0, 10 * MIN, rules.load_rate(B, 1.0, 0)) == pytest.approx(1.0)
    assert rules.load_gained(0.5, 4 * MIN, rules.load_rate(B, 1.25, 1)) == pytest.approx(
        0.5 * 0.4 * 1.25 * 1.2
    )


def test_load_halves_at_each_states_own_pace_by_hand() -> None:
    for half_life_ms, minutes in (
        (B.load_half_life_ms, 60),
        (B.rest_half_life_ms, 12),
        (B.off_half_life_ms, 12),
    ):
        assert half_life_ms == minutes * MIN
        assert rules.decayed(3.0, minutes * MIN, half_life_ms) == pytest.approx(1.5)
    # 4 points fall below 1 after two half-lives
    assert rules.time_over(4.0, 10_000_000, 60.0 * MIN, 1.0) == pytest.approx(120 * MIN, abs=1)
    assert rules.time_over(4.0, 5 * MIN, 60.0 * MIN, 1.0) == 5 * MIN
    assert rules.time_over(0.9, 5 * MIN, 60.0 * MIN, 1.0) == 0


def test_the_least_loaded_stays_the_least_loaded() -> None:
    """Idle people share one half-life: who is ahead when the second sits down is ahead at any later time."""
    half = 60.0 * MIN
    for load, since, other, since_too in ((2.0, 0, 1.5, 20 * MIN), (2.0, 0, 1.5, 30 * MIN), (0.0, 9, 0.1, 0)):
        later = 90 * MIN
        mine = rules.decayed(load, later - since, half)
        theirs = rules.decayed(other, later - since_too, half)
        keys = rules.idle_key(load, since, half), rules.idle_key(other, since_too, half)
        assert (keys[0] < keys[1]) == (mine < theirs)


def test_exhaustion_and_absence_by_hand() -> None:
    """A tenth of what is left at the shift's end; half of it gone in five days; absence times 1.1 a point."""
    assert rules.exhaustion_next(B, 1.0, 0, 2.0) == pytest.approx(1.2)
    assert rules.exhaustion_next(B, 1.0, 5, 0.0) == pytest.approx(0.5)
    assert rules.p_absent(B, 0.06, 3.0, 1.0) == pytest.approx(0.06 * 1.1**2)
    assert rules.p_absent(B, 0.06, 0.0, 1.0) == pytest.approx(0.06 / 1.1)
    assert rules.p_absent(B, 0.9, 9.0, 1.0) == 0.95


def test_handling_by_hand() -> None:
    """+1 % an hour on shift, +2 % a point of load, +5 % for listening to the intense, by skill or without scripts."""
    plain = 1.1 * (1 + 0.02 * 1.5) * (1 + 0.01 * 3)
    three_hours = 3 * w.HOUR_MS
    assert rules.talk_factor(B, 1.1, 1.5, three_hours, 0.6, 0.4, 0) == pytest.approx(plain)
    assert rules.talk_factor(B, 1.1, 1.5, three_hours, 0.61, 0.4, 0) == pytest.approx(plain * 1.05)
    assert rules.talk_factor(B, 1.1, 1.5, three_hours, 0.61, 0.4, 1) == pytest.approx(plain * 1.02)
    assert [rules.hurried_share(B, n) for n in (0, 3, 10, 50)] == pytest.approx([0, 0.03, 0.1, 0.1])


def test_reserved_people_by_hand() -> None:
    def reserved(share: float, n: int) -> int:
        return next(k for k in range(n + 1) if not rules.is_reserved(share, n, k))

    assert [
        reserved(0.0, 100),
        reserved(0.07, 100),
        reserved(0.071, 100),
        reserved(0.4, 3),
        reserved(1.0, 3),
    ] == [0, 7, 8, 2, 3]


def test_pressure_by_hand() -> None:
    """Of 100 s cut from 400 s, 20 % are slack and 15 % are passed on; the other 65 s are a share of the need."""
    assert rules.over_target(400.0, 300.0) == 100
    assert rules.over_target(400.0, 0.0) == rules.over_target(250.0, 300.0) == 0
    assert rules.unmet_share(B, 100.0, 400.0) == pytest.approx(65 / 400)
    assert rules.unmet_share(B, 0.0, 400.0) == 0
    # twice as slow a person, and as much of the need is unmet: their factor is in both
    assert rules.unmet_share(B, 200.0, 800.0) == rules.unmet_share(B, 100.0, 400.0)
    # a whole contact is passed on so often that 15 % of the work cut goes on
    edge = 0.15 * 100 / 400
    assert rules.is_passed_on(B, 100.0, 400.0, edge - 1e-9)
    assert not rules.is_passed_on(B, 100.0, 400.0, edge + 1e-9)


def test_heard_by_hand() -> None:
    base = rules.heard_base(B, 0.7, 0.2, 1.0, 1)
    assert base == pytest.approx(0.7 + 0.2 + 0.5 - 0.3)
    # intensity 0.5 with an empathy of 0.25: -0.8 + 0.8 x 0.25 a unit; five minutes waited, three beyond two
    odds = base + (-0.8 + 0.2) * 0.5 - 0.5 - 2.0 * 0.1 - 0.3 * 1.5 - 0.05 * 3
    assert rules.odds(rules.heard_odds(B, base, 0.5, 0.25, 0.1, 1.5, 1, 5 * MIN)) == pytest.approx(
        share(odds)
    )
    assert rules.odds(rules.heard_odds(B, 0.7, 0.0, 0.0, 0.0, 0.0, 0, 2 * MIN)) == pytest.approx(share(0.7))


def test_resolved_and_endings_by_hand() -> None:
    base = rules.resolved_base(B, 0.9, 0.1, 1.0, 1)
    assert base == pytest.approx(0.9 + 0.1 + 0.3 + 0.3)
    assert rules.resolved_odds(B, base, 1.2, 0.1, 1.5) == pytest.approx(
        base - 0.5 * 1.2 - 2.0 * 0.1 - 0.25 * 1.5
    )
    assert B.resolved_not_heard == -0.7
    assert [bool(rules.unsafe(B, v, i)) for v, i in ((0, 0.6), (1, 0.1), (0, 0.61))] == [False, True, True]
    endings = [rules.ending_of(resolved, heard) for resolved in (True, False) for heard in (True, False)]
    assert endings == [rules.SORTED_HEARD, rules.SORTED, rules.WARM, rules.COLD]
    assert [rules.p_return(B, ending) for ending in endings] == [0.03, 0.08, 0.55, 0.45]
    assert [rules.p_escalate(B, ending) for ending in endings] == [0, 0.02, 0.06, 0.1]


def test_recovery_by_hand() -> None:
    assert [rules.rest_due(n, 3 * MIN, 10 * MIN) for n in range(4)] == [0, 3 * MIN, 10 * MIN, 10 * MIN]


# --- every conversation of a run ------------------------------------------------------------------------------

TALKS = frozenset({
    "types", "groups", "overlap", "priority", "overflow", "bot", "way_out", "detectors", "specialists", "scripts",
    "authority", "targets", "families", "impatience", "returns", "redials", "escalations", "passed_on", "load",
    "spread", "segments", "balk",
})  # fmt: skip
SEEDS = range(6)


@cache
def run(seed: int, on: frozenset[str]) -> tuple[World, Draws, Records]:
    world, draws = small_run(seed, on)
    return world, draws, kernel.simulate(world, draws)


class Talks:
    """The answered contacts of a run, a column for each thing that their formulas hang on."""

    def __init__(self, world: World, draws: Draws, records: Records) -> None:
        c, s, rows = records.contacts, records.spells, draws.rows
        self.row = row = np.flatnonzero(c.outcome == r.ANSWERED)
        self.need, self.agent = rows.need[row], c.agent[row]
        self.kind = draws.needs.type[self.need]
        self.group = world.staffing.group_of[self.agent]
        self.flags, self.at, self.load = c.flags[row], c.end_ms[row], c.load[row]
        self.wait, self.intensity, self.unmet = self.at - c.reach_ms[row], c.intensity[row], c.unmet[row]
        self.talk, self.acw, self.full = c.talk_ms[row], c.acw_ms[row], c.full_ms[row]
        self.over = self.at + self.talk + self.acw
        self.interval = c.arrive_ms[row] % w.DAY_MS // world.clock.interval_ms
        here = (s.agent[None, :] == self.agent[:, None]) & (s.on_ms[None, :] <= self.at[:, None])
        here &= self.at[:, None] < s.off_ms[None, :]
        assert (here.sum(axis=1) == 1).all()
        self.spell = here.argmax(axis=1)
        flagged = self.flags & (r.FLAG_RIGHT | r.FLAG_WRONG) > 0
        form = np.where(self.flags & r.TIER_TWO > 0, w.SECOND_TIER, np.where(flagged, w.FLAGGED, w.ORDINARY))
        self.queue = form * len(world.types.acw_ms) + self.kind
        self.strained = (world.levers.scripts == 1) | (world.levers.target_ms[self.kind] > 0)


@pytest.mark.parametrize("hurried", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_conversation_follows_the_formulas(seed: int, hurried: bool) -> None:
    on = TALKS | {"hurry"} if hurried else TALKS
    world, draws, records = run(seed, on)
    b, g, types, levers = world.behaviour, world.groups, world.types, world.levers
    c, rows, t = records.contacts, draws.rows, Talks(world, draws, records)
    assert len(t.row) > 100
    speed = draws.people.speed[t.agent] * g.speed[t.group, t.kind]
    hours = (t.at - records.spells.on_ms[t.spell]) / w.HOUR_MS
    listens = np.where(t.intensity > b.intense_above, np.maximum(g.empathy[t.group], 1 - levers.scripts), 0.0)
    factor = speed * (1 + b.load_on_talk * t.load) * (1 + b.fatigue_per_hour * hours)
    factor *= 1 + b.listening_on_talk * listens
    repeats = t.flags & r.REPEATS > 0
    talk = rows.talk_unit[t.row] * types.talk_ms[t.kind, t.interval] * factor + b.handover_ms * repeats
    full = talk + rows.acw_unit[t.row] * types.acw_ms[t.kind] * speed
    assert np.abs(t.full - full).max() <= 0.51

    waiting = np.array(
        [waits_for(world, draws, records, group, at) for group, at in zip(t.group, t.at, strict=True)]
    )
    hurry = talk * np.minimum(b.queue_speed_up_most, b.queue_speed_up * waiting)
    over = np.maximum(0, full - hurry - levers.target_ms[t.kind])
    cut = hurry + np.where(levers.target_ms[t.kind] > 0, levers.cut[t.kind] * over, 0.0)
    # Two roundings, and a talk of a millisecond at least.
    assert np.abs(t.talk + t.acw - (full - cut)).max() <= 2
    assert (cut > 0).any()
    assert t.unmet == pytest.approx(np.minimum(1, cut / full * (1 - b.slack - b.passed_on)), rel=1e-9)

    special = g.specialist[t.group]
    log_odds = types.heard[t.kind] + g.heard[t.group] + b.heard_specialist * special
    log_odds += b.heard_scripts * levers.scripts + b.heard_repeat * repeats
    log_odds += (b.heard_intensity + b.heard_empathy * g.empathy[t.group]) * t.intensity
    log_odds += b.heard_unmet * t.unmet + b.heard_load * t.load
    log_odds += b.heard_wait_per_min * np.maximum(0, t.wait / MIN - 2)
    assert c.heard[t.row] == pytest.approx(1 / (1 + np.exp(-log_odds)), rel=1e-9)

    log_odds = types.resolved[t.kind] + g.resolved[t.group] + b.resolved_specialist * special
    log_odds += (
        b.resolved_authority * levers.authority + b.resolved_unmet * t.unmet + b.resolved_load * t.load
    )
    log_odds += b.resolved_difficulty * draws.needs.difficulty[t.need]
    unsafe = (draws.needs.vulnerable[t.need] == 1) | (t.intensity > b.intense_above)
    passed = t.flags & r.PASSED_ON > 0
    yes, no = (1 / (1 + np.exp(-(log_odds + change))) for change in (0.0, b.resolved_not_heard * unsafe))
    assert c.if_heard[t.row] == pytest.approx(np.where(passed, 0, yes), rel=1e-9)
    assert c.if_not[t.row] == pytest.approx(np.where(passed, 0, no), rel=1e-9)

    # What was drawn decides: first whether it is passed on, then heard, resolved, escalated, and returned to.
    goes_on = rows.attempt[t.row] + 1 < b.max_attempts
    assert np.array_equal(passed, goes_on & (rows.passed_on[t.row] < b.passed_on * cut / full))
    heard = rows.heard[t.row] < c.heard[t.row]
    resolved = rows.resolved[t.row] < np.where(heard, yes, no)
    ending = np.where(resolved, np.where(heard, 0, 1), np.where(heard, 2, 3))
    assert np.array_equal(c.ending[t.row], np.where(passed, -1, ending))
    up = np.array([b.escalate_sorted_heard, b.escalate_sorted, b.escalate_warm, b.escalate_cold])[ending]
    back = np.array([b.return_sorted_heard, b.return_sorted, b.return_warm, b.return_cold])[ending]
    escalates = ~passed & goes_on & (rows.escalates[t.row] < up)
    assert np.array_equal(t.flags & r.ESCALATED > 0, escalates)
    returns = ~passed & goes_on & ~escalates & (rows.returns[t.row] < back)
    assert np.array_equal(t.flags & r.RETURNS > 0, returns)
    assert passed.any()
    assert escalates.any()
    assert returns.any()


def waits_for(world: World, draws: Draws, records: Records, group: int, at: int) -> int:
    """How many wait for a group just after somebody of it has answered, by the records."""
    c = records.contacts
    inside = (c.reach_ms >= 0) & (c.reach_ms < at) & (at < np.where(c.end_ms < 0, w.NEVER, c.end_ms))
    return int((world.routing.delay_of_group[queues_of(world, draws, records)[inside], group] >= 0).sum())


def queues_of(world: World, draws: Draws, records: Records) -> np.ndarray:
    """(rows,) the queue in which each possible contact would wait, by its flags."""
    flags = records.contacts.flags
    flagged = flags & (r.FLAG_RIGHT | r.FLAG_WRONG) > 0
    form = np.where(flags & r.TIER_TWO > 0, w.SECOND_TIER, np.where(flagged, w.FLAGGED, w.ORDINARY))
    return form * len(world.types.acw_ms) + draws.needs.type[draws.rows.need]


@pytest.mark.parametrize("seed", SEEDS)
def test_load_is_taken_on_and_decays_from_contact_to_contact(seed: int) -> None:
    world, draws, records = run(seed, TALKS)
    b, t = world.behaviour, Talks(world, draws, records)
    rest = world.staffing.unseen_rest[t.group]
    half_life = 1 / (1 / b.load_half_life_ms + rest / b.rest_half_life_ms)
    gained = (
        t.intensity * t.talk / (10 * MIN) * draws.people.absorption[t.agent] * (1 + b.strain * t.strained)
    )
    order = np.lexsort((t.at, t.spell))
    before, after = order[:-1], order[1:]
    same = t.spell[before] == t.spell[after]
    before, after = before[same], after[same]
    left = t.load[before] * 0.5 ** ((t.over - t.at)[before] / half_life[before]) + gained[before]
    left = left * 0.5 ** ((t.at[after] - t.over[before]) / half_life[before])
    assert len(left) > 100
    assert t.load[after] == pytest.approx(left, rel=1e-9)
    assert t.load.max() > 0.5
    # and over the whole spell, in which all that was taken on and is not left has decayed
    spells = records.spells
    last = np.append(t.spell[order][1:] != t.spell[order][:-1], True)
    for k in order[last]:
        idle = max(0, spells.off_ms[t.spell[k]] - t.over[k])
        end = (t.load[k] * 0.5 ** ((t.over - t.at)[k] / half_life[k]) + gained[k]) * 0.5 ** (
            idle / half_life[k]
        )
        assert spells.load_end[t.spell[k]] == pytest.approx(end, rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_right_one_is_answered_by_the_right_one(seed: int) -> None:
    """Priority, then the longest wait; nobody is idle while somebody waits whom they may take; the longest idle first."""
    world, draws, records = run(seed, TALKS)
    c, s, t, routing = records.contacts, records.spells, Talks(world, draws, records), world.routing
    queue = queues_of(world, draws, records)
    end = np.where(c.end_ms < 0, world.clock.stop_ms, c.end_ms)
    waited = np.flatnonzero((c.reach_ms >= 0) & (end > c.reach_ms))
    assert len(waited) > 30
    for k in range(len(t.row)):
        group, at = t.group[k], t.at[k]
        others = waited[(c.reach_ms[waited] < at) & (at < end[waited])]
        delay = routing.delay_of_group[queue[others], group]
        others = others[(delay >= 0) & (at - c.reach_ms[others] >= delay)]
        mine = (routing.priority[group, t.queue[k]], at - t.wait[k])
        for j in others:
            assert (routing.priority[group, queue[j]], c.reach_ms[j]) >= mine

    # When people were free: between contacts, from signing on to signing off.
    free: list[tuple[int, int, int]] = []
    for spell in range(len(s.agent)):
        mine = np.flatnonzero(t.spell == spell)
        mine = mine[np.argsort(t.at[mine])]
        since = [int(s.on_ms[spell]), *t.over[mine].tolist()]
        until = [*t.at[mine].tolist(), int(s.off_ms[spell])]
        free += [(int(s.agent[spell]), a, z) for a, z in zip(since, until, strict=True) if z > a]
    agent, since, until = np.array(free).T
    group_of = world.staffing.group_of[agent]
    for j in waited:
        for group, delay in enumerate(routing.delay_of_group[queue[j]].tolist()):
            may = c.reach_ms[j] + delay
            idle = (group_of == group) & (np.maximum(since, may) < np.minimum(until, end[j]))
            assert delay < 0 or not idle.any()

    at_once = np.flatnonzero(t.wait == 0)
    assert len(at_once) > 30
    for k in at_once:
        idle = (since < t.at[k]) & (t.at[k] <= until)
        chosen = idle & (agent == t.agent[k]) & (until == t.at[k])
        if not chosen.any():
            continue  # free in the same millisecond
        same = idle & (group_of == t.group[k])
        assert since[chosen][0] == since[same].min()
        order = routing.order[t.queue[k]].tolist()
        for group in order[: order.index(t.group[k])]:
            late = routing.delay_of_group[t.queue[k], group] > 0
            assert late or not (idle & (group_of == group) & (t.at[k] < until)).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_people_leave_when_their_patience_ends(seed: int) -> None:
    world, draws, records = run(seed, TALKS)
    c, rows = records.contacts, draws.rows
    kind = draws.needs.type[rows.need]
    interval = c.arrive_ms % w.DAY_MS // world.clock.interval_ms
    patience = rows.patience_unit * world.types.patience_ms[kind, interval]
    gone = c.outcome == r.ABANDONED
    assert gone.sum() > 10
    assert np.array_equal((c.end_ms - c.reach_ms)[gone], np.floor(patience[gone]).astype(np.int64))
    answered = c.outcome == r.ANSWERED
    assert ((c.end_ms - c.reach_ms)[answered] <= patience[answered])[(c.end_ms > c.reach_ms)[answered]].all()


@pytest.mark.parametrize("seed", SEEDS)
def test_recovery_falls_due_by_what_triggers_it_and_stays_within_its_budget(seed: int) -> None:
    world, draws, records = run(seed, TALKS | {"rest", "budget"})
    b, levers, t = world.behaviour, world.levers, Talks(world, draws, records)
    n = levers.rest_on_type[t.kind].copy()
    n += (levers.rest_over_ms > 0) & (t.talk + t.acw > levers.rest_over_ms)
    n += (levers.rest_on_flag == 1) & (t.flags & (r.FLAG_RIGHT | r.FLAG_WRONG) > 0)
    pressed = (t.intensity > b.intense_above) & (draws.rows.button[t.row] < b.button_uptake)
    n += (levers.rest_on_button == 1) & pressed
    n += t.intensity > levers.rest_on_intensity
    due = np.where(n == 0, 0, np.where(n == 1, levers.rest_ms, levers.rest_hardest_ms))
    s = records.spells
    assert np.array_equal(np.bincount(t.spell, due, len(s.due_ms)).astype(np.int64), s.due_ms)
    assert np.array_equal(t.flags & r.REST_DUE > 0, due > 0)
    assert (s.rest_ms <= np.minimum(s.due_ms, levers.rest_budget_ms)).all()


def test_a_full_budget_was_met() -> None:
    """The budget is worth a test only where it holds somebody back."""
    held = 0
    for seed in SEEDS:
        world, _, records = run(seed, TALKS | {"rest", "budget"})
        held += int((records.spells.due_ms > world.levers.rest_budget_ms).sum())
    assert held > 0


@pytest.mark.parametrize(
    ("share", "signed_on", "at_once"), [(0.1, 4, 1), (0.1, 15, 1), (0.1, 20, 2), (0.5, 5, 2), (1.0, 3, 3)]
)
def test_no_more_than_the_share_pauses_at_once_but_always_one(
    share: float, signed_on: int, at_once: int
) -> None:
    world, draws = small_run(0, TALKS | {"rest"})
    model = Model(world._replace(levers=world.levers._replace(rest_share=share)), draws)
    group = model.groups[0]
    group.signed_on = signed_on
    allowed = []
    for group.resting in range(signed_on):
        allowed.append(model.may_rest(group, group))
    assert allowed == [n < at_once for n in range(signed_on)]
