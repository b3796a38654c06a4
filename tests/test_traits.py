"""Traits of people, and coming back to the same person: what each must do, by hand and by counting."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import small_run, small_world

from sim import draws as d
from sim import kernel, model
from sim import records as r
from sim import world as w
from sim.plain import plain_world
from sim.world import Traits, World, no_traits

ENGINES = (kernel.simulate, model.simulate)
NEUTRAL = {
    "speed": 1.0,
    "talk": 1.0,
    "heard": 0.0,
    "resolved": 0.0,
    "empathy": 0.0,
    "absorption": 1.0,
    "spread": 1.0,
}


def traits(share: float, n_groups: int = 1, lot: int = 0, **effects: float) -> Traits:
    """One trait that this share of every group has."""
    fields = {name: np.full((1, n_groups), value) for name, value in (NEUTRAL | effects).items()}
    return Traits(
        lot=np.array([lot]), low=np.zeros((1, n_groups)), high=np.full((1, n_groups), share), **fields
    )


def crowd(**changes: object) -> World:
    """A centre of 4,000 people who do not differ."""
    world = plain_world(agents=2_000, arrivals_per_hour=10.0)
    groups = world.groups._replace(empathy=np.array([0.5]))
    return w.frozen(world._replace(groups=groups, **changes))  # type: ignore[no-any-return]


def test_a_trait_is_had_by_its_share_and_changes_what_it_names() -> None:
    effects = {"speed": 0.8, "talk": 1.1, "heard": 0.3, "resolved": -0.2, "empathy": 0.7, "absorption": 0.75}
    people = d.draw_people(crowd(traits=traits(0.3, **effects)), 1, 0)
    has = people.heard > 0
    assert has.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 4_000))
    assert set(people.speed[has]) == {0.8}
    assert set(people.talk[has]) == {1.1}
    assert set(people.resolved[has]) == {-0.2}
    assert set(people.empathy[has]) == {1.0}, "skill stays within 0 and 1"
    assert set(people.absorption[has]) == {0.75}
    assert set(people.speed[~has]) == set(people.talk[~has]) == set(people.absorption[~has]) == {1.0}
    assert set(people.heard[~has]) == set(people.resolved[~has]) == {0.0}
    assert set(people.empathy[~has]) == {0.5}


def test_a_larger_share_adds_people_and_changes_nobody_else() -> None:
    some, more = (
        d.draw_people(crowd(traits=traits(share, heard=1.0)), 1, 0).heard > 0 for share in (0.2, 0.35)
    )
    assert (more & some).sum() == some.sum() < more.sum()


def test_lots_are_drawn_apart_and_leave_speed_alone() -> None:
    plain = d.draw_people(small_world(1, frozenset({"spread"})), 1, 0)
    world = small_world(1, frozenset({"spread"}))
    marked = d.draw_people(world._replace(traits=traits(0.5, heard=1.0, lot=4)), 1, 0)
    assert plain.speed.tobytes() == marked.speed.tobytes()
    one, other = (d.draw_people(crowd(traits=traits(0.5, heard=1.0, lot=lot)), 1, 0).heard for lot in (0, 4))
    assert np.mean(one * other) == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 4_000))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("engine", ENGINES)
def test_a_trait_without_effect_changes_nothing(seed: int, engine: object) -> None:
    on = frozenset({"types", "groups", "spread", "load", "returns", "bot"})
    world, draws = small_run(seed, on)
    marked = world._replace(traits=traits(0.4, len(world.groups.empathy)))
    again = draws._replace(people=d.draw_people(marked, seed, 0))
    before, after = engine(world, draws), engine(marked, again)  # type: ignore[operator]
    for x, y in zip((*before.contacts, *before.spells), (*after.contacts, *after.spells), strict=True):
        assert x.tobytes() == y.tobytes()


def test_speed_spreads_more_where_the_trait_says_so() -> None:
    world = crowd(traits=traits(0.5, heard=1.0, spread=2.0))
    world = world._replace(groups=world.groups._replace(speed_cv=np.array([0.2])))
    people = d.draw_people(world, 1, 0)
    has = people.heard > 0
    for chosen, cv in ((has, 0.4), (~has, 0.2)):
        assert people.speed[chosen].std() / people.speed[chosen].mean() == pytest.approx(cv, rel=0.1)
        assert people.speed[chosen].mean() == pytest.approx(1.0, abs=4 * cv / np.sqrt(chosen.sum()))


# --- coming back to the same person --------------------------------------------------------------------------


def one_comes_back(engine: object, same_agent: int, others: int = 3) -> tuple[World, np.ndarray, np.ndarray]:
    """A day on which all come back within hours; who answered first and second contacts, with the flags of these."""
    world = plain_world(
        arrivals_per_hour=2.0, agents=1 + others, talk_s=60.0, patience_s=float("inf"), open_hours=(0.0, 24.0), days=2,
        return_warm=1.0, return_cold=1.0, return_sorted=1.0, return_sorted_heard=1.0, return_sigma=0.3,
        return_median_ms=2.0 * w.HOUR_MS, max_attempts=2,
    )  # fmt: skip
    world = world._replace(levers=world.levers._replace(same_agent=same_agent))
    draws = d.draw(world, 1, 0)
    c = engine(world, draws).contacts  # type: ignore[operator]
    again = np.flatnonzero((draws.rows.attempt == 1) & (c.outcome == r.ANSWERED))
    first = draws.rows.need[again]  # attempt 0 of a need is the row of its number
    return world, np.stack([c.agent[first], c.agent[again]]), c.flags[again]


@pytest.mark.parametrize("engine", ENGINES)
def test_whoever_comes_back_meets_the_same_person_unless_busy(engine: object) -> None:
    _, without, flags = one_comes_back(engine, 0)
    assert (without[0] == without[1]).mean() < 0.6
    assert not (flags & r.SAME_AGENT).any()
    _, pairs, flags = one_comes_back(engine, 1)
    known = flags & r.SAME_AGENT > 0
    assert (pairs[0] == pairs[1])[known].all()
    assert 0.8 < known.mean() < 1.0, "a minute's work, two an hour: nearly always idle, and gone at midnight"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_effects_are_those_of_the_coefficients(engine: object) -> None:
    """By hand: the odds move by the coefficients, talk by its factor, and only for those put to the same person."""
    found = {}
    for name, change in (
        ("off", {}),
        ("on", {"same_agent_heard": 0.7, "same_agent_resolved": -0.4, "same_agent_talk": 0.25}),
    ):
        world = plain_world(
            arrivals_per_hour=2.0, agents=3, talk_s=60.0, patience_s=float("inf"), open_hours=(0.0, 24.0), days=2,
            return_warm=1.0, return_cold=1.0, return_sorted=1.0, return_sorted_heard=1.0, return_sigma=0.3,
            return_median_ms=2.0 * w.HOUR_MS, max_attempts=2, **change,
        )  # fmt: skip
        world = world._replace(levers=world.levers._replace(same_agent=1))
        found[name] = engine(world, d.draw(world, 1, 0)).contacts  # type: ignore[operator]
    a, b = found["off"], found["on"]
    known = (a.flags & r.SAME_AGENT > 0) & (b.flags & r.SAME_AGENT > 0)
    others = (a.outcome == r.ANSWERED) & (a.flags & r.SAME_AGENT == 0) & (b.flags & r.SAME_AGENT == 0)
    assert known.sum() > 20

    def logit(p: np.ndarray) -> np.ndarray:
        return np.log(p / (1 - p))

    np.testing.assert_allclose(logit(b.heard[known]) - logit(a.heard[known]), 0.7, rtol=1e-9)
    np.testing.assert_allclose(logit(b.if_heard[known]) - logit(a.if_heard[known]), -0.4, rtol=1e-9)
    assert np.abs(b.talk_ms[known] - 1.25 * a.talk_ms[known]).max() <= 1
    assert (b.talk_ms == a.talk_ms)[others].all()
    assert (b.heard == a.heard)[others].all()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_second_tier_and_queues_that_the_person_does_not_serve_are_left_alone(engine: object) -> None:
    on = frozenset({"same_agent", "types", "groups", "returns", "escalations", "detectors", "busy"})
    met = 0
    for seed in range(6):
        world, draws = small_run(seed, on)
        c = engine(world, draws).contacts  # type: ignore[operator]
        known = c.flags & r.SAME_AGENT > 0
        assert not (known & (c.flags & r.TIER_TWO > 0)).any()
        form = np.where(c.flags & (r.FLAG_RIGHT | r.FLAG_WRONG) > 0, w.FLAGGED, w.ORDINARY)
        kind = draws.needs.type[draws.rows.need]
        queue = form * len(world.types.acw_ms) + kind
        group = world.staffing.group_of[c.agent]
        assert (world.routing.delay_of_group[queue, group][known] >= 0).all()
        met += int(known.sum())
    assert met > 20


def test_without_traits_there_are_none() -> None:
    assert len(no_traits(3).lot) == 0
    assert no_traits(3).low.shape == (0, 3)
