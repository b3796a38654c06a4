"""Bare numbers as people who come and go: whoever is asked for is there, relieved in time, and like those of a roster."""

from __future__ import annotations

import numpy as np
import pytest
import small
from small import stack

from planner.anchor import lens_of
from planner.plan import schedule_of
from planner.requirement import Search, require
from planner.scenario import compile as c
from planner.seats import seats_of
from planner.shifts import Usual, usual_shifts
from sim import rules
from sim.draws import draw
from sim.kernel import simulate
from sim.measures import people_by_day, summary
from sim.plain import plain_behaviour, plain_world
from sim.replicate import totals_once
from sim.world import HOUR_MS, RELIEF_MS

EIGHT = Usual((8.0, 8.0), (0.0, 0.0))


def there(staffing, interval_ms: int, n: int) -> np.ndarray:
    """(G, intervals) people in their seats at the middle of each interval."""
    middle = (np.arange(n) + 0.5) * interval_ms
    inside = (staffing.start_ms[:, None] <= middle) & (staffing.end_ms[:, None] > middle)
    groups = staffing.group_of[staffing.agent]
    return np.stack([inside[groups == g].sum(axis=0) for g in range(int(staffing.group_of.max()) + 1)])


def test_as_many_sit_there_as_are_asked_for() -> None:
    scenario = small.tiny()
    rng = np.random.default_rng(5)
    duty = rng.integers(0, 6, (2, 48))
    clock = c.clock_of(scenario, follow=False)
    staffing = seats_of(duty, scenario, clock, Usual((6.0, 5.0), (0.1, 0.2)))
    found = there(staffing, clock.interval_ms, clock.n_days * 24).reshape(2, clock.n_days, 24)
    which = (np.arange(clock.n_days) - clock.warm_days) % 2
    assert np.array_equal(found, duty.reshape(2, 2, 24)[:, which])
    longest = [
        (staffing.end_ms - staffing.start_ms)[staffing.group_of[staffing.agent] == g].max() for g in (0, 1)
    ]
    assert longest[0] <= 6 * HOUR_MS
    assert longest[1] <= 5 * HOUR_MS
    assert np.all(np.diff(staffing.start_ms) >= 0)
    assert staffing.unseen_rest.tolist() == [0.1, 0.2]


def test_nobody_sits_twice_at_once_and_seats_change_hands() -> None:
    """Round the clock: each seat's people relieve one another, and none is called while still at work."""
    scenario = small.tiny(opening__hours={"mon-sun": "00:00-24:00"})
    clock = c.clock_of(scenario, follow=False)
    staffing = seats_of(np.full((2, 48), 3), scenario, clock, EIGHT)
    assert len(np.unique(staffing.agent)) == 2 * 2 * 3
    for agent in np.unique(staffing.agent):
        mine = staffing.agent == agent
        starts, ends = staffing.start_ms[mine], staffing.end_ms[mine]
        assert np.all(starts[1:] - ends[:-1] >= 4 * HOUR_MS)


def test_no_numbers_no_seats() -> None:
    scenario = small.tiny()
    staffing = seats_of(np.zeros((2, 48), np.int64), scenario, c.clock_of(scenario), EIGHT)
    assert len(staffing.agent) == len(staffing.group_of) == 0


def test_plain_numbers_are_relieved_after_eight_hours() -> None:
    """Sixteen hours of one person on duty are two spells, and the second starts fresh."""
    world = plain_world(open_hours=(0.0, 16.0), agents=1, arrivals_per_hour=20.0)
    world = world._replace(
        behaviour=plain_behaviour(load_half_life_ms=1e12, rest_half_life_ms=1e12, load_minutes=0.1),
        types=world.types._replace(intensity_mean=np.array([5.0])),
    )
    drawn = draw(world, 3, 0)
    records = simulate(world, drawn)
    spells = records.spells
    assert len(spells.on_ms) == 2
    assert RELIEF_MS <= spells.off_ms[0] == spells.on_ms[1] < RELIEF_MS + HOUR_MS // 2
    assert spells.load_end[0] > 100
    later = records.contacts.load[
        (records.contacts.agent >= 0) & (records.contacts.end_ms >= spells.on_ms[1])
    ]
    assert later.min() == 0.0


def test_unseen_breaks_ease_load_as_much_as_breaks_would() -> None:
    """A fifth of the time in pauses: the same decay over an hour on the queue and a quarter of an hour of pause."""
    b = plain_behaviour(load_half_life_ms=3.6e6, rest_half_life_ms=0.72e6)
    on_queue, pause = 1.0 * HOUR_MS, 0.25 * HOUR_MS
    apart = rules.decayed(
        rules.decayed(4.0, int(on_queue), b.load_half_life_ms), int(pause), b.rest_half_life_ms
    )
    together = rules.decayed(4.0, int(on_queue), rules.half_life_on_queue(b, 0.25))
    assert together == pytest.approx(apart)
    assert rules.half_life_on_queue(b, 0.0) == pytest.approx(b.load_half_life_ms)


def test_a_usual_shift_is_what_the_catalogue_takes_off_the_queue() -> None:
    scenario = small.tiny(shifts__early=None, shifts__late=None, shifts__peak=None, shrinkage=[])
    # 60 of 480 minutes are breaks; the care group's decompression block adds 15.
    assert usual_shifts(scenario, "as_is").rest == pytest.approx((60 / 420, 60 / 420))
    assert usual_shifts(scenario, "soft").rest == pytest.approx((60 / 420, 75 / 405))
    assert usual_shifts(scenario, "soft").hours == (8.0, 8.0)
    assert usual_shifts(small.tiny(**small.by_numbers(2, 2)), "as_is") == EIGHT


def test_people_in_seats_are_like_those_of_the_roster() -> None:
    """Load and handle time of the search's people and of the roster that comes of it, on the same customers.

    Plain numbers that never went home and took no breaks were four per cent slower, with twice the load.
    """
    scenario = small.busy(
        6, types__trouble__intense=0.6, behaviour={**small.SOON, "load_on_talk": 0.08}, targets=[
            {"measure": "service_level", "at_least": 0.75, "within_s": 40},
        ],
    )  # fmt: skip
    natural = small.natural_values(scenario)
    search = Search(scenario, natural, "as_is")
    need = require(scenario, natural, "as_is", most_replications=8)
    _, _, roster, _ = schedule_of(scenario, need, thorough=False)
    seats = search.world._replace(staffing=search._staffing(need.duty))
    shifts = c.compile_world(scenario, natural, "as_is", roster, follow=False)
    found = [
        summary(stack([totals_once(world, lens_of(scenario), 5, k, "kernel") for k in range(24)]))
        for world in (seats, shifts)
    ]
    bare, whole = found
    assert bare["load"].mean > 0.5
    assert bare["handle_time_s"].mean == pytest.approx(whole["handle_time_s"].mean, rel=0.015)
    assert bare["load"].mean == pytest.approx(whole["load"].mean, rel=0.15)


def test_people_by_day_add_up_to_the_totals() -> None:
    scenario = small.tiny()
    natural = small.natural_values(scenario)
    _, _, roster, _ = schedule_of(
        scenario, require(scenario, natural, "soft", most_replications=4), thorough=False
    )
    world = c.compile_world(scenario, natural, "soft", roster)
    drawn = draw(world, 4, 0)
    by_day = people_by_day(world, simulate(world, drawn).spells)
    people = totals_once(world, lens_of(scenario), 4, 0, "kernel").people
    assert by_day["handled_min"].shape == (2, 2)
    assert by_day["handled_min"].sum(axis=1) == pytest.approx(people["talk_min"] + people["acw_min"])
    assert by_day["ready_min"].sum(axis=1) == pytest.approx(
        people["talk_min"] + people["acw_min"] + people["idle_min"]
    )
    assert by_day["present_min"].sum(axis=1) == pytest.approx(people["present_min"])
    assert by_day["load_area_min"].sum(axis=1) == pytest.approx(people["load_area_min"])
