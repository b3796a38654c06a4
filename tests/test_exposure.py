"""Emotional minutes and minutes on the queue: by hand, and counted anew from the records minute by minute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_channels import by_hand, part
from test_posts import ALL, HARD, ROUTINE, hours, rotating
from worlds import small_run, some_features

from sim import draws as d
from sim import kernel
from sim import records as r
from sim import world as w
from sim.draws import Draws
from sim.exposure import SLOT_MS, Exposure, exposures, shares, stretches
from sim.plain import anonymous_staffing
from sim.records import written_of
from sim.replicate import simulated
from sim.world import DAY_MS, HOUR_MS, MINUTE_MS, World

CALM, UPSET = 0.2, 0.9


def exposure(world: World, drawn: Draws, intensity: list[float] | None = None) -> Exposure:
    """Of one replication, its needs as intense as given."""
    if intensity is not None:
        drawn = drawn._replace(needs=drawn.needs._replace(intensity=np.array(intensity)))
    block = d.block_of(drawn)
    (found,) = exposures(world, block, kernel.simulate_block(world, block))
    return found


def test_a_day_by_hand() -> None:
    """One person, eight to twelve, at the routine post until a pause of half an hour at ten, then at the other.

    Upset are a call of 20 min at 8:10, one of 30 min at 10:40 and one of 4 min at 11:15; a calm one of an hour is not counted.
    """
    world = rotating([(0, 8, 12, ROUTINE, [(10, 30, HARD)])])
    begins = hours(8 + 1 / 6, 9 - 0.25, 10 + 2 / 3, 11.25)
    lengths = [20, 60, 30, 4]
    world, drawn = by_hand(world, begins, [n * MINUTE_MS for n in lengths], types=[0, 0, 1, 1])
    found = exposure(world, drawn, [UPSET, CALM, UPSET, UPSET])
    emotional, on_queue = found.emotional_min[:, 0], found.on_queue_min[:, 0]
    assert found.emotional_min.shape == found.on_queue_min.shape == (3, 1, 96)
    assert emotional[ROUTINE, 32:35].tolist() == [5, 15, 0], "8:10 to 8:30"
    assert emotional[HARD, 42:46].tolist() == [5, 15, 10, 4], "10:40 to 11:10, and 11:15 to 11:19"
    assert emotional.sum() == 54
    assert on_queue[ROUTINE, 32:40].tolist() == [15] * 8, "until ten"
    assert on_queue[HARD, 42:48].tolist() == [15] * 6, "from half past"
    assert on_queue.sum() == 120 + 90
    assert found.by_day_min.tolist() == found.by_week_min.tolist() == [54]
    assert found.longest_min.tolist() == [34]
    planned = shares(found.emotional_min, found.on_queue_min)
    assert planned[ROUTINE, 32:35].tolist() == [333, 1000, 0]
    assert planned[ROUTINE, 60] == round(1000 * 20 / 120), "nobody there: as over the day"
    assert planned[ALL].tolist() == [0] * 96


def test_chats_share_attention_and_nobody_there_takes_none() -> None:
    """An upset chat alone for ten minutes, with a calm one for ten, with a calm and an upset one for the rest."""
    world = rotating([(0, 8, 12, ALL, [])])
    world = part(
        world, "types", channel=np.full(2, w.CHAT), silent=np.array([0.0, 1.0]), silent_ms=np.full(2, 60_000)
    )
    world = part(world, "groups", slots=np.array([4]), slowing=np.ones((1, 5)))
    start, minutes = 9 * HOUR_MS, [0, 10, 20]
    world, drawn = by_hand(
        world,
        [*(start + m * MINUTE_MS for m in minutes), start + 22 * MINUTE_MS],
        [30 * MINUTE_MS] * 4,
        types=[0, 0, 0, 1],
    )
    found = exposure(world, drawn, [UPSET, CALM, UPSET, UPSET])
    # 9:00-9:10 1 of 1; 9:10-9:20 1 of 2; 9:20-9:30 2 of 3; 9:30-9:40 1 of 2; 9:40-9:50 1 of 1
    assert found.emotional_min[ALL, 0, 36:40] == pytest.approx([10 + 2.5, 2.5 + 20 / 3, 5 + 5, 5])
    assert found.by_day_min == pytest.approx([10 + 5 + 20 / 3 + 5 + 10])
    calm = exposure(world, drawn, [CALM] * 4)
    assert calm.emotional_min.sum() == 0
    assert calm.by_day_min.tolist() == [0.0], "who came counts, with nothing to bear"


def test_days_weeks_and_nights_by_hand() -> None:
    """Days go by the start of the shift, weeks from the first measured day; who did not come is in no sample."""
    world = rotating([(0, 8, 12, ALL, []), (1, 22, 30, ALL, [(24, 30, ALL)])], days=9)
    clock = world.clock._replace(
        open_ms=np.arange(9) * DAY_MS, close_ms=(np.arange(9) + 1) * DAY_MS, always_open=1
    )
    staffing = world.staffing
    late = np.array([0, 1, 7, 8])  # the days on which both work
    staffing = staffing._replace(
        agent=np.tile(staffing.agent, 4), day=np.repeat(late, 2),
        start_ms=(late[:, None] * DAY_MS + staffing.start_ms).ravel(), end_ms=(late[:, None] * DAY_MS + staffing.end_ms).ravel(),
        absence_factor=np.ones(8), late_factor=np.ones(8), shift_post=np.full(8, -1),
        act_from=np.array([0, 0, 1, 1, 2, 2, 3, 3, 4]), act_ms=(late[:, None] * DAY_MS + staffing.act_ms).ravel(),
        act_length_ms=np.tile(staffing.act_length_ms, 4), act_kind=np.zeros(4, np.int64), act_paid=np.ones(4, np.int64),
        act_post=np.full(4, -1),
    )  # fmt: skip
    world = w.frozen(world._replace(clock=clock, staffing=staffing))
    times = hours(9, 23.5, 25, 24 + 9, 24 + 23, 7 * 24 + 23, 8 * 24 + 23.9)
    world, drawn = by_hand(world, times, [m * MINUTE_MS for m in (10, 7, 20, 5, 1, 2, 9)])
    found = exposure(world, drawn, [UPSET] * 7)
    assert found.by_day_min == pytest.approx([0, 0, 1, 2, 5, 6, 10, 27], abs=1e-9)
    assert found.longest_min == pytest.approx([0, 0, 1, 2, 5, 6, 10, 20], abs=1e-9), (
        "a night's pause parts 7 and 20"
    )
    assert found.by_week_min == pytest.approx([0, 8, 15, 28], abs=1e-9)
    assert found.emotional_min.sum() == pytest.approx(51), "the simulation ends 3 min before the last call"
    assert found.emotional_min[ALL, 1, 4:6].tolist() == [15, 5]
    world = part(world, "groups", absence=np.ones(1))
    away = drawn._replace(people=drawn.people._replace(absent=np.array([0.0] * 2 + [1.0] * 6)))
    assert len(exposure(world, away, [UPSET] * 7).by_day_min) == 6


def test_of_anonymous_people_each_spell_is_somebody() -> None:
    world = rotating([(0, 8, 12, ALL, [])])
    duty = np.zeros((1, 1, 48), np.int64)
    duty[:, :, 16:24], duty[:, :, 28:32] = 1, 1
    world = w.frozen(world._replace(staffing=anonymous_staffing(world.clock, duty)))
    world, drawn = by_hand(world, hours(9, 15), [10 * MINUTE_MS, 20 * MINUTE_MS])
    found = exposure(world, drawn, [UPSET] * 2)
    assert found.by_day_min.tolist() == [10, 20]
    assert found.by_week_min.tolist() == []
    assert found.on_queue_min.sum() == 6 * 60


def test_without_anybody_there_is_nothing() -> None:
    world = rotating([(0, 8, 12, ROUTINE, [])])
    world, drawn = by_hand(world, hours(9), [MINUTE_MS], types=[1])
    found = exposure(world, drawn, [UPSET])
    assert found.emotional_min.sum() == 0
    assert found.on_queue_min[ROUTINE].sum() == 240
    nobody = exposure(part(world, "groups", absence=np.ones(1)), drawn._replace(
        people=drawn.people._replace(absent=np.zeros(1))
    ))  # fmt: skip
    assert [part_.sum() for part_ in nobody] == [0] * 5
    assert shares(nobody.emotional_min, nobody.on_queue_min).sum() == 0


# --- counted anew -------------------------------------------------------------------------------------------


def counted(world: World, records: r.Records, at: w.Ints) -> dict[str, Any]:
    """At each of these moments, agent by agent: whether on the queue, and the share of attention that is emotional."""
    found, spells, staffing = records.contacts, records.spells, world.staffing
    on = np.zeros((len(staffing.group_of), len(at)), bool)
    share = np.zeros(on.shape)
    for k in range(len(spells.agent)):
        on[spells.agent[k]] |= (spells.on_ms[k] <= at) & (at < spells.off_ms[k])
    for act in np.flatnonzero(records.started >= 0):
        shift = np.searchsorted(staffing.act_from, act, side="right") - 1
        began = records.started[act]
        on[staffing.agent[shift]] &= (at < began) | (at >= began + staffing.act_length_ms[act])
    for agent in range(len(on)):
        mine = np.flatnonzero((found.outcome == r.ANSWERED) & (found.agent == agent))
        here = (found.end_ms[mine, None] <= at) & (at < found.done_ms[mine, None])
        emotional = here[found.intensity[mine] > world.behaviour.intense_above].sum(axis=0)
        share[agent] = emotional / np.maximum(1, here.sum(axis=0))
    return {"on": on, "share": share}


@pytest.mark.parametrize("seed", range(12))
def test_minutes_agree_with_looking_every_few_seconds(seed: int) -> None:
    on = some_features(seed) | {"rotation", "activities"} | ({"shifts"} if seed % 4 else set())
    on = on | {"chat"} if seed % 2 else on - {"chat"}
    world, drawn = small_run(seed, frozenset(on))
    records = kernel.simulate(world, drawn)
    block = d.block_of(drawn)
    (found,) = exposures(world, block, written_of([records]))
    step = 5_000
    at = np.arange(world.clock.start_ms, world.clock.end_ms, step)
    looked = counted(world, records, at)
    slot = (at - world.clock.start_ms) // SLOT_MS
    for name, minutes in (("share", found.emotional_min), ("on", found.on_queue_min)):
        per_slot = np.bincount(slot, looked[name].sum(axis=0), minutes[0].size) * step / MINUTE_MS
        # a contact's ends lie up to a step off, for each of the people
        assert np.abs(minutes.sum(axis=0).ravel() - per_slot).max() < 1.5
        assert minutes.sum() == pytest.approx(per_slot.sum(), rel=0.02)
        assert minutes.sum() > 30
    assert not (looked["share"][~looked["on"]] > 0).any(), "nobody handles anything away from the queue"
    assert (found.emotional_min <= found.on_queue_min + 1e-9).all()
    assert (np.diff(found.by_day_min) >= 0).all()
    assert found.longest_min.sum() <= found.by_day_min.sum() + 1e-9
    if "edges" not in on:
        assert found.by_day_min.sum() == pytest.approx(found.emotional_min.sum(), rel=0.1)
    # Every stretch is where its spell is, and they add up to the time not spent at activities.
    spells = records.spells
    of = stretches(world, spells, records.started)
    away = spells.break_ms + spells.lunch_ms + spells.offline_ms + spells.decompression_ms
    length = np.bincount(of.spell, of.end_ms - of.start_ms, len(away))
    whole = spells.off_ms < world.clock.stop_ms
    assert (length == spells.off_ms - spells.on_ms - away)[whole].all()


def test_several_replications_are_each_by_itself() -> None:
    world, _ = small_run(4, some_features(4) | {"rotation", "shifts", "activities"})
    both = exposures(world, *simulated(world, 9, [3, 5]))
    for found, number in zip(both, (3, 5), strict=True):
        (alone,) = exposures(world, *simulated(world, 9, [number]))
        for x, y in zip(found, alone, strict=True):
            assert np.array_equal(x, y)
    assert not np.array_equal(both[0].emotional_min, both[1].emotional_min)
