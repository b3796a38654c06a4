"""People who rotate between posts, some of their group's queues or all: in both engines, by hand, and from a roster."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small import natural_values, tiny
from test_channels import both, by_hand, part
from test_engines import differences
from worlds import small_run, some_features

from planner.pieces import listed, roster_from
from planner.roster import Activity, Roster, RosteredShift
from planner.scenario import compile as c
from sim import draws as d
from sim import kernel, model
from sim import records as r
from sim import world as w
from sim.exposure import stretches
from sim.plain import plain_world
from sim.records import Records
from sim.replicate import simulate_once
from sim.world import HOUR_MS, MINUTE_MS, World

SEEDS = range(40)
ROTATION = frozenset({"rotation", "shifts", "activities"})
ALL, ROUTINE, HARD = 0, 1, 2
"""Posts of the worlds by hand: both types, the first alone, the second alone."""
Shift = tuple[int, float, float, int, list[tuple[float, float, int]]]
"""Agent, hours from and to, post, and activities: hour, minutes, post from then on."""


def rotating(shifts: list[Shift], **plain: Any) -> World:
    """One group for two types from eight to four, and these shifts at its posts."""
    world = plain_world(
        types=2, groups=1, agents=1, open_hours=(8.0, 16.0), **{"patience_s": float("inf"), **plain}
    )
    delay = np.zeros((8, 3), np.int64)
    delay[1::2, ROUTINE] = delay[::2, HARD] = -1
    queues = np.full((3, 8), -1)
    for post in range(3):
        mine = np.flatnonzero(delay[:, post] >= 0)
        queues[post, : len(mine)] = mine
    world = part(
        world, "routing", delay_of_group=delay, queues=queues, priority=np.zeros((3, 8), np.int64),
        home_of=np.zeros(3, np.int64),
    )  # fmt: skip
    shifts = sorted(shifts, key=lambda shift: (shift[1], shift[0]))
    acts = [act for shift in shifts for act in shift[4]]
    n, people = len(shifts), 1 + max(agent for agent, *_ in shifts)
    staffing = world.staffing._replace(
        group_of=np.zeros(people, np.int64), person=np.arange(people), agent=np.array([s[0] for s in shifts]),
        start_ms=np.array([int(s[1] * HOUR_MS) for s in shifts]),
        end_ms=np.array([int(s[2] * HOUR_MS) for s in shifts]), day=np.zeros(n, np.int64),
        absence_factor=np.ones(n), late_factor=np.ones(n), shift_post=np.array([s[3] for s in shifts]),
        act_from=np.concatenate([[0], np.cumsum([len(s[4]) for s in shifts])]),
        act_ms=np.array([round(at * HOUR_MS) for at, _, _ in acts], np.int64),
        act_length_ms=np.array([int(minutes * MINUTE_MS) for _, minutes, _ in acts], np.int64),
        act_kind=np.zeros(len(acts), np.int64), act_paid=np.ones(len(acts), np.int64),
        act_post=np.array([post for *_, post in acts], np.int64), slot_ms=np.zeros(0, np.int64),
        slot_group=np.zeros(0, np.int64), slot_change=np.zeros(0, np.int64),
    )  # fmt: skip
    return w.frozen(world._replace(staffing=staffing))  # type: ignore[no-any-return]


def hours(*several: float) -> list[int]:
    return [round(hour * HOUR_MS) for hour in several]


# --- engine = engine ----------------------------------------------------------------------------------------


def queues_of(world: World, draws: d.Draws, records: Records) -> w.Ints:
    """(rows,) the queue that each contact waited in, by its flags."""
    flags = records.contacts.flags
    form = np.where(flags & (r.FLAG_RIGHT | r.FLAG_WRONG) > 0, w.FLAGGED, w.ORDINARY)
    form = np.where(flags & r.TIER_TWO > 0, w.SECOND_TIER, form)
    form = np.where(flags & r.MESSAGE > 0, w.MESSAGES, form)
    return form * len(world.types.acw_ms) + draws.needs.type[draws.rows.need]


def posts_of(world: World, records: Records, rows: w.Ints) -> w.Ints:
    """The post at which each of these contacts was answered."""
    of, found = stretches(world, records.spells, records.started), records.contacts
    key = of.agent << 36 | of.start_ms
    return of.post[np.searchsorted(key, found.agent[rows] << 36 | found.end_ms[rows], side="right") - 1]


def test_engines_agree_on_people_who_rotate_and_nobody_answers_what_their_post_does_not_take() -> None:
    seen = {"further": 0, "elsewhere": 0, "late": 0, "chats": 0, "again": 0}
    for seed in SEEDS:
        world, draws = small_run(seed, some_features(seed) | ROTATION)
        records = kernel.simulate(world, draws)
        assert differences(model.simulate(world, draws), records) == [], seed
        found, spells, staffing = records.contacts, records.spells, world.staffing
        rows = np.flatnonzero(found.agent >= 0)
        post, queue = posts_of(world, records, rows), queues_of(world, draws, records)[rows]
        assert (world.routing.home_of[post] == staffing.group_of[found.agent[rows]]).all()
        assert (world.routing.delay_of_group[queue, post] >= 0).all()
        n_groups = len(world.groups.slots)
        seen["further"] += int((post >= n_groups).sum())
        away = world.routing.delay_of_group[queue] < 0
        seen["elsewhere"] += int(
            (away & (world.routing.home_of == world.routing.home_of[post][:, None])).sum()
        )
        seen["late"] += int((spells.on_ms > staffing.start_ms[spells.shift]).sum())
        seen["chats"] += int((found.live[rows] > 1).sum())
        seen["again"] += int((found.flags & r.SAME_AGENT > 0).sum())
    assert min(seen.values()) > 20, seen


def test_a_post_with_all_queues_is_the_group_itself() -> None:
    """Whoever has such a post all day does to the last bit what they do without."""
    for seed in range(12):
        on = (some_features(seed) | ROTATION) - {"rotation"}
        world, draws = small_run(seed, on)
        home = np.arange(len(world.groups.slots))
        home = np.concatenate([home, home])
        n, routing = len(world.groups.slots), world.routing
        same = routing._replace(
            home_of=home, delay_of_group=routing.delay_of_group[:, home], queues=routing.queues[home],
            priority=routing.priority[home],
        )  # fmt: skip
        group = world.staffing.group_of[world.staffing.agent]
        staffing = world.staffing._replace(
            shift_post=np.where(np.arange(len(group)) % 2, n + group, -1),
            act_post=n + np.repeat(group, np.diff(world.staffing.act_from)),
        )
        other = w.frozen(world._replace(routing=same, staffing=staffing))
        for engine in (kernel.simulate, model.simulate):
            assert differences(engine(other, draws), kernel.simulate(world, draws)) == []


# --- by hand ------------------------------------------------------------------------------------------------


def test_nobody_takes_a_hard_contact_at_the_routine_post() -> None:
    """Alone at the routine post until a pause at ten, then at the other: each type waits for its half of the day."""
    world = rotating([(0, 8, 12, ROUTINE, [(10, 30, HARD)])])
    times = hours(8.1, 8.2, 9.99, 10.1, 11, 11.5)
    world, drawn = by_hand(world, times, [3 * MINUTE_MS] * 6, types=[1, 0, 0, 0, 1, 0])
    found = both(world, drawn)
    end = found.contacts.end_ms / MINUTE_MS
    finish = 9.99 * 60 + 3
    assert end[1] == pytest.approx(8.2 * 60)
    assert end[2] == pytest.approx(9.99 * 60), "the pause waits for the contact in progress"
    assert found.started.tolist() == [round(finish * MINUTE_MS)]
    assert end[0] == pytest.approx(finish + 30), "waiting since eight, from the moment they come back"
    assert end[4] == pytest.approx(660)
    assert found.contacts.outcome[[3, 5]].tolist() == [r.CLOSED] * 2, "routine, when nobody takes it"
    # with all queues at every time, nobody waits
    free = part(world, "staffing", shift_post=np.array([-1]), act_post=np.array([-1]))
    assert (both(free, drawn).contacts.outcome == r.ANSWERED).all()


def test_the_longest_idle_comes_first_whatever_the_post() -> None:
    """Two who both take the type: the one idle longer, though at the later post; the least loaded where that is asked for."""
    world = rotating([(0, 8.5, 16, ALL, []), (1, 8, 16, ROUTINE, [])], load_minutes=10.0)
    world, drawn = by_hand(
        world, hours(9, 9.01, 9.5, 9.6), [20 * MINUTE_MS, MINUTE_MS] * 2, types=[0, 0, 0, 1]
    )
    assert both(world, drawn).contacts.agent.tolist() == [1, 0, 0, 0], (
        "the second, back since 9.03, waits longer"
    )
    least = part(world, "routing", by_load=1)
    found = both(least, drawn).contacts
    assert found.agent[2] == 0, "agent 1 has talked for longer"


def test_whoever_comes_late_takes_the_post_that_follows() -> None:
    world = rotating([(0, 8, 12, ROUTINE, [(8.5, 10, HARD), (11, 10, ALL)])])
    world, drawn = by_hand(world, hours(9.1, 9.2), [MINUTE_MS] * 2, types=[0, 1])
    late = drawn._replace(people=drawn.people._replace(late_ms=np.array([HOUR_MS])))
    found = both(world, late)
    assert found.contacts.end_ms[1] == round(9.2 * HOUR_MS)
    assert found.contacts.end_ms[0] == round((11 + 1 / 6) * HOUR_MS)
    assert found.started.tolist() == [-1, 11 * HOUR_MS]
    assert stretches(world, found.spells, found.started).post.tolist() == [HARD, ALL]


def test_recovery_counts_over_the_group_and_waits_for_the_queue_of_the_post() -> None:
    """Both fall due at once, one at each post: half of two may rest at a time, so the other's is owed."""
    world = rotating([(0, 8, 16, ROUTINE, []), (1, 8, 16, HARD, [])])
    world = part(
        world, "levers", rest_on_type=np.ones(2, np.int64), rest_ms=5 * MINUTE_MS, rest_hardest_ms=5 * MINUTE_MS,
        rest_share=0.5, rest_queue=0,
    )  # fmt: skip
    world, drawn = by_hand(world, hours(9, 9), [10 * MINUTE_MS] * 2, types=[0, 1])
    taken = both(world, drawn).spells
    assert taken.due_ms.tolist() == [5 * MINUTE_MS] * 2
    assert taken.rest_ms.tolist() == [5 * MINUTE_MS, 0]
    everybody = both(part(world, "levers", rest_share=1.0), drawn).spells
    assert everybody.rest_ms.tolist() == [5 * MINUTE_MS] * 2
    # A caller who waits for the other post alone keeps nobody from recovering.
    world, drawn = by_hand(
        part(world, "levers", rest_share=1.0), hours(9, 9, 9.01), [10 * MINUTE_MS] * 3, types=[0, 1, 1]
    )
    taken = both(world, drawn).spells
    assert taken.rest_ms.tolist() == [5 * MINUTE_MS, 10 * MINUTE_MS]
    assert taken.idle_ms[0] == (8 * 60 - 15) * MINUTE_MS
    assert both(world, drawn).contacts.end_ms[2] == 9 * HOUR_MS + 10 * MINUTE_MS, (
        "at once after the first, not after recovery"
    )


def test_at_closing_those_are_sent_away_whom_nobody_at_work_will_take() -> None:
    """Of two who wait at four, the one is served whose post somebody has, or comes back to from the pause that they are in."""
    shifts: list[Shift] = [(0, 8, 17, ROUTINE, [(15.9, 20, HARD)])]
    world, drawn = by_hand(rotating(shifts), hours(15.95, 15.96), [MINUTE_MS] * 2, types=[0, 1])
    assert both(world, drawn).contacts.outcome.tolist() == [r.CLOSED, r.ANSWERED]


def test_who_comes_back_goes_to_the_one_they_know_only_if_that_one_takes_the_type_now() -> None:
    shifts: list[Shift] = [(0, 8, 16, ALL, [(10, 10, HARD)]), (1, 8.5, 16, ROUTINE, [])]
    world = part(rotating(shifts, return_cold=1.0, return_warm=1.0, max_attempts=2), "levers", same_agent=1)
    world = part(world, "behaviour", return_median_ms=float(HOUR_MS))
    world, drawn = by_hand(world, hours(8.1, 9.8), [MINUTE_MS] * 2, types=[0, 0])
    for returned_after, agent in ((HOUR_MS, 0), (3 * HOUR_MS, 1)):
        rows = drawn.rows._replace(
            need=np.array([0, 0]), attempt=np.array([0, 1]), next=np.array([1, -1]), resolved=np.ones(2),
            returns=np.zeros(2), return_ms=np.full(2, returned_after), talk_unit=np.full(2, 60.0),
        )  # fmt: skip
        needs = d.Needs(*(column[:1] for column in drawn.needs))
        found = both(world, drawn._replace(needs=needs, rows=rows)).contacts
        assert found.agent.tolist() == [0, agent]
        assert bool(found.flags[1] & r.SAME_AGENT) == (agent == 0)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("routing", {"home_of": np.array([0, 1, 0])}, "belongs to a group"),
        ("routing", {"home_of": np.array([1, 0, 0])}, "belongs to a group"),
        ("routing", {"delay_of_group": np.tile([0, 7, 0], (8, 1))}, "at the group's delays"),
        ("staffing", {"shift_post": np.array([3])}, "of the person's own group"),
        ("staffing", {"act_post": np.zeros(0, np.int64)}, "of the person's own group"),
    ],
)
def test_posts_that_make_no_sense_are_refused(name: str, fields: dict[str, Any], message: str) -> None:
    world = rotating([(0, 8, 12, ROUTINE, [(10, 30, HARD)])])
    w.check(world)
    with pytest.raises(ValueError, match=message):
        w.check(part(world, name, **fields))


# --- from a roster ------------------------------------------------------------------------------------------

ORDER, TROUBLE = frozenset({"order"}), frozenset({"trouble"})
BREAKS = (Activity(120, 15, "break", True), Activity(240, 30, "lunch", False))


def roster(*posts: tuple[int, ...], variants: tuple[tuple[int, frozenset[str]], ...]) -> Roster:
    """People of the first group who work both days from nine to five with these posts."""
    return Roster(
        tuple(
            RosteredShift(0, person, day, 540, 480, BREAKS, post) for day in (0, 1) for person, post in enumerate(posts)
        ),
        {},
        variants=variants,
    )  # fmt: skip


def test_a_roster_with_posts_becomes_a_world_with_them() -> None:
    """Somebody who rotates, somebody with one skill, somebody at all: each answers what they are rostered for."""
    scenario = tiny(shrinkage=[{"name": "Tea", "kind": "adherence", "share": 0.05}])
    both_types = (0, ORDER | TROUBLE)
    plan = roster(
        (1, 2, 0), (1, 1, 1), (), variants=(both_types, (0, ORDER), (0, TROUBLE), (0, ORDER), (1, TROUBLE))
    )
    world = c.compile_world(scenario, natural_values(scenario), "as_is", plan)
    assert world.routing.home_of.tolist() == [0, 1, 0, 0], (
        "twice the same, and all of a group's types, are no posts"
    )
    n_days = world.clock.n_days
    assert world.staffing.shift_post.tolist() == [2, 2, -1] * n_days
    of_tea = world.staffing.act_post.reshape(-1, 3, 3)  # two breaks, and the time that adherence loses
    assert np.sort(of_tea[:, 0]).tolist() == [[-1, 0, 3]] * n_days
    assert np.sort(of_tea[:, 1]).tolist() == [[-1, 2, 2]] * n_days
    assert (of_tea[:, 2] == -1).all()
    drawn, records = simulate_once(world, 3, 0)
    found = records.contacts
    rows = np.flatnonzero(found.agent >= 0)
    kind = drawn.needs.type[drawn.rows.need[rows]]
    post = posts_of(world, records, rows)
    assert set(kind[post == 2]) == {0}
    assert set(kind[post == 3]) == {1}
    assert set(kind[post == 0]) == {0, 1}
    assert set(kind[found.agent[rows] == 1]) == {0}
    assert differences(simulate_once(world, 3, 0, "simpy")[1], records) == []


def test_a_roster_without_posts_or_with_whole_ones_is_the_same_world() -> None:
    scenario = tiny()
    natural = natural_values(scenario)
    plain = c.compile_world(scenario, natural, "as_is", roster((), (), variants=()))
    whole = c.compile_world(
        scenario, natural, "as_is", roster((0, -1, 0), (-1, 0, 0), variants=((0, ORDER | TROUBLE),))
    )
    assert len(whole.routing.home_of) == 2
    assert differences(simulate_once(plain, 1, 0)[1], simulate_once(whole, 1, 0)[1]) == []


def test_cover_hours_and_people_of_a_roster_are_the_group_s_whatever_the_posts() -> None:
    some = roster((0, 1, 0), (1, 1, 0), variants=((0, ORDER), (0, TROUBLE)))
    none = roster((), (), variants=())
    assert np.array_equal(some.cover(2, 2, 15), none.cover(2, 2, 15))
    assert np.array_equal(some.paid_minutes(2, 15), none.paid_minutes(2, 15))
    assert some.people(2).tolist() == [2, 0]


def test_a_roster_with_posts_survives_being_written_down() -> None:
    some = roster((0, 1, 0), (), variants=((0, ORDER | TROUBLE), (0, TROUBLE)))
    assert roster_from(listed(some)) == some


def test_an_activity_more_or_less_keeps_the_posts_of_the_others() -> None:
    shift = RosteredShift(0, 0, 0, 540, 480, BREAKS, (0, 1, -1))
    more = shift.with_activity(Activity(180, 10, "decompression", True))
    assert [a.start_min for a in more.activities] == [120, 180, 240]
    assert more.posts == (0, 1, 1, -1)
    assert shift.with_activity(Activity(5, 10, "decompression", True)).posts == (0, 0, 1, -1)
    assert more.without("decompression") == shift
    assert more.without("break").posts == (0, 1, -1)
    plain = shift._replace(posts=())
    assert plain.with_activity(Activity(180, 10, "decompression", True)).without("decompression") == plain


@pytest.mark.parametrize(
    ("posts", "variants"),
    [
        ((0, 0), ((0, ORDER),)),
        ((0, 0, 0), ((1, TROUBLE),)),
        ((), ((0, frozenset({"ordr"})),)),
        ((), ((2, ORDER),)),
    ],
)
def test_posts_that_do_not_fit_a_shift_or_a_scenario_are_refused(posts: Any, variants: Any) -> None:
    scenario = tiny()
    with pytest.raises(ValueError, match=r"do not fit a shift|a variant of group"):
        c.compile_world(scenario, natural_values(scenario), "as_is", roster(posts, variants=variants))
