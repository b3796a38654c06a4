"""Chat, deferred work and call-backs: against closed forms, by hand, and counted anew from the records."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import reference_cases as cases
from reference_cases import Z
from small import stack
from worlds import small_run, small_world

from sim import channels, kernel, model, rules
from sim import draws as d
from sim import records as r
from sim import world as w
from sim.draws import Block, Draws
from sim.erlang import erlang_b, erlang_c, queue_a, queue_c
from sim.measures import CUSTOMER, PEOPLE, Lens, evaluate, overall, people_by_day, totals
from sim.plain import anonymous_staffing, plain_world
from sim.records import Contacts, Records, Written
from sim.world import DAY_MS, HOUR_MS, MINUTE_MS, World

SECOND = 1000
ALL_DAY = (0.0, 24.0)
WINDOW = (2 * HOUR_MS, 22 * HOUR_MS)
"""Of a day that starts empty: when what happens is looked at."""


def part(world: World, name: str, **fields: Any) -> World:
    """The world with these fields of one of its parts."""
    return world._replace(**{name: getattr(world, name)._replace(**fields)})


def centre(
    *, per_s: float, work_s: float, agents: int, slots: int = 1, slowing: tuple[float, ...] = (), **plain: Any
) -> World:
    """One type and one group of a plain centre round the clock for a day, on chat with so many slots."""
    world = plain_world(
        arrivals_per_hour=per_s * 3600, talk_s=work_s, agents=agents, open_hours=ALL_DAY, **{"patience_s": math.inf, **plain}
    )  # fmt: skip
    f = np.array([[1.0, 1.0, *slowing]]) if slowing else np.ones((1, slots + 1))
    world = part(world, "types", channel=np.full(1, w.CHAT))
    return part(world, "groups", slots=np.array([slots]), slowing=f)


def near(values: list[tuple[float, float]], expected: float, name: str) -> None:
    """A ratio of totals over replications is within Z standard errors of what is expected."""
    found = cases.simulated(*np.array(values, float).T)
    assert found.se < 0.05 * abs(expected), (name, found, expected)
    assert abs(found.mean - expected) <= Z * found.se, (name, found, expected)


Look = Callable[[World, Contacts], dict[str, tuple[float, float]]]


def contacts_of(block: Block, written: Written) -> Contacts:
    """The contacts of a block of one replication."""
    return r.records_of(written, block.first_row, 0).contacts


def runs(world: World, n: int, look: Look) -> dict[str, list[tuple[float, float]]]:
    """What each of `n` replications gives, as (total, of how much), by name."""
    several = [
        found[0]
        for found in cases.looks(world, n, lambda a, block, written: look(a, contacts_of(block, written)))
    ]
    return {name: [one[name] for one in several] for name in several[0]}


def inside(c: Contacts) -> np.ndarray:
    """Rows that reached people in the window."""
    return np.flatnonzero((c.reach_ms >= WINDOW[0]) & (c.reach_ms < WINDOW[1]))


def waits(_: World, c: Contacts) -> dict[str, tuple[float, float]]:
    """Of those in the window: waited, mean wait and time in the system, left."""
    row = inside(c)
    wait = (c.end_ms - c.reach_ms)[row] / SECOND
    answered = c.outcome[row] == r.ANSWERED
    stay = (c.done_ms - c.reach_ms)[row][answered] / SECOND
    return {
        "waited": ((wait > 0).sum(), len(row)),
        "wait": (wait.sum(), len(row)),
        "stay": (stay.sum(), answered.sum()),
        "left": ((c.outcome[row] == r.ABANDONED).sum(), len(row)),
    }


# --- chat: closed forms -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("agents", "slots"), [(2, 3), (3, 2), (1, 5)])
def test_chats_that_do_not_slow_each_other_are_a_queue_of_all_slots(agents: int, slots: int) -> None:
    servers, work = agents * slots, 20.0
    per_s = 0.85 * servers / work
    found = runs(centre(per_s=per_s, work_s=work, agents=agents, slots=slots), 10, waits)
    exact = queue_c(servers, per_s, work, 20.0)
    near(found["waited"], erlang_c(servers, per_s * work), "waited")
    near(found["wait"], exact.mean_wait_s, "wait")
    near(found["stay"], exact.mean_wait_s + work, "stay")


def test_impatient_chats_are_erlang_a() -> None:
    found = runs(centre(per_s=0.3, work_s=20.0, agents=2, slots=3, patience_s=30.0), 10, waits)
    exact = queue_a(6, 0.3, 20.0, 30.0, 20.0)
    near(found["left"], exact.p_abandon, "left")
    near(found["wait"], exact.mean_wait_s, "wait")


@pytest.mark.parametrize("slots", [1, 3, 40])
def test_attention_shared_evenly_is_one_server_whatever_the_slots(slots: int) -> None:
    """With f(n) = n and exponential work, n in the system is M/M/1, however many of them are in slots."""
    work, per_s = 10.0, 0.07
    world = centre(
        per_s=per_s, work_s=work, agents=1, slots=slots, slowing=tuple(float(n) for n in range(2, slots + 1))
    )
    found = runs(world, 24, waits)
    near(found["stay"], work / (1 - per_s * work), "stay")


def test_processor_sharing_hangs_on_mean_work_alone() -> None:
    """E[stay] = work / (1 - rho) for any distribution, where everybody finds a slot; first come, first served would
    take (1 + cv^2) / 2 times the wait."""
    work, per_s, slots = 10.0, 0.06, 60
    world = centre(
        per_s=per_s, work_s=work, agents=1, slots=slots, slowing=tuple(float(n) for n in range(2, slots + 1))
    )
    world = part(world, "types", talk_family=np.array([w.LOGNORMAL]), talk_cv=np.array([1.8]))
    found = runs(world, 32, waits)
    near(found["stay"], work / (1 - per_s * work), "stay")
    assert max(total for total, _ in found["waited"]) == 0


@pytest.mark.parametrize("slowing", [(1.2, 1.5), (1.6, 2.6), (2.3, 3.7)])
def test_any_slowing_is_a_chain_of_births_and_deaths(slowing: tuple[float, ...]) -> None:
    """One agent, exponential work: from n in the system, min(n, k) / f(min(n, k)) of work is done per unit of time."""
    work, slots, per_s = 10.0, 3, 0.06
    f = np.array([1.0, 1.0, *slowing])
    n = np.arange(1, 400)
    busy = np.minimum(n, slots)
    p = np.concatenate([[1.0], np.cumprod(per_s * work / (busy / f[busy]))])
    p /= p.sum()
    everybody = np.arange(400)
    in_slots = np.minimum(everybody, slots)

    def look(world: World, c: Contacts) -> dict[str, tuple[float, float]]:
        row = inside(c)
        at_once = row[c.end_ms[row] == c.reach_ms[row]]
        alone = at_once[c.live[at_once] == 1]
        slot_s = (c.done_ms - c.end_ms)[row].sum() / SECOND
        return waits(world, c) | {"alone": (len(alone), len(row)), "slots": (slot_s, len(row))}

    found = runs(centre(per_s=per_s, work_s=work, agents=1, slots=slots, slowing=slowing), 24, look)
    near(found["stay"], (p * everybody).sum() / per_s, "stay")
    near(found["waited"], p[slots:].sum(), "waited")
    near(found["alone"], p[0], "alone")
    near(found["slots"], (p * in_slots).sum() / per_s, "slots")


def test_silent_chats_block_slots_like_erlang_b() -> None:
    """Nobody waits: blocking is Erlang's, whatever the mixture of work and time-outs, from their mean alone."""
    share, work, timeout, servers, per_s = 0.3, 20.0, 45.0, 6, 0.2
    world = centre(per_s=per_s, work_s=work, agents=2, slots=3)
    world = part(
        world, "types", balk=np.ones(1), silent=np.array([share]), silent_ms=np.array([int(timeout * SECOND)])
    )

    def look(_: World, c: Contacts) -> dict[str, tuple[float, float]]:
        row = inside(c)
        silent = (c.outcome[row] == r.SILENT).sum()
        taken = row[c.agent[row] >= 0]
        slot_s = (c.done_ms - c.end_ms)[taken].sum() / SECOND
        return {
            "blocked": ((c.outcome[row] == r.ABANDONED).sum(), len(row)),
            "silent": (silent, len(taken)),
            "slots": (slot_s, (WINDOW[1] - WINDOW[0]) / SECOND),
        }

    load = per_s * ((1 - share) * work + share * timeout)
    found = runs(world, 12, look)
    near(found["blocked"], erlang_b(servers, load), "blocked")
    near(found["silent"], share, "silent")
    near(found["slots"], load * (1 - erlang_b(servers, load)), "slots")


# --- deferred work and call-backs: closed forms -------------------------------------------------------------


def two_classes(per_s: tuple[float, float], work_s: tuple[float, float], agents: int, family: int) -> World:
    """Calls, and deferred work that comes after them."""
    world = plain_world(types=2, agents=agents, patience_s=math.inf, open_hours=ALL_DAY)
    expected = world.demand.expected * 0 + np.array(per_s)[:, None, None] * 1800
    world = part(world, "demand", expected=expected)
    world = part(
        world, "types", channel=np.array([w.VOICE, w.DEFERRED]), talk_family=np.full(2, family), talk_cv=np.full(2, 0.6),
        talk_ms=np.repeat(np.array(work_s)[:, None] * SECOND, 48, axis=1),
    )  # fmt: skip
    return part(world, "routing", priority=np.tile([0, 9], (1, 4)))


def by_class(_: World, block: Block, written: Written) -> dict[str, tuple[float, float]]:
    c = contacts_of(block, written)
    row = inside(c)
    wait = (c.end_ms - c.reach_ms)[row] / SECOND
    kind = block.needs["type"][block.links["need"][row]]
    assert (c.outcome[row] == r.ANSWERED).all()
    return {
        "calls": (wait[kind == 0].sum(), (kind == 0).sum()),
        "deferred": (wait[kind == 1].sum(), (kind == 1).sum()),
    }


def test_deferred_work_waits_as_the_second_class_of_many_servers() -> None:
    """Non-preemptive priority, M/M/s with one service rate: Kella & Yechiali (1985)."""
    agents, work, per_s = 4, 20.0, (0.08, 0.07)
    rho_1, rho = per_s[0] * work / agents, sum(per_s) * work / agents
    several = list(cases.looks(two_classes(per_s, (work, work), agents, w.EXPONENTIAL), 24, by_class))
    base = erlang_c(agents, rho * agents) * work / agents
    near([one[0]["calls"] for one in several], base / (1 - rho_1), "calls")
    near([one[0]["deferred"] for one in several], base / (1 - rho_1) / (1 - rho), "deferred")


def test_deferred_work_waits_as_the_second_class_of_one_server() -> None:
    """Non-preemptive priority, M/G/1 with different work: Cobham (1954)."""
    work, per_s, cv = (8.0, 25.0), (0.04, 0.014), 0.6
    several = list(cases.looks(two_classes(per_s, work, 1, w.LOGNORMAL), 24, by_class))
    residual = sum(rate * s * s * (1 + cv * cv) / 2 for rate, s in zip(per_s, work, strict=True))
    rho_1 = per_s[0] * work[0]
    rho = rho_1 + per_s[1] * work[1]
    near([one[0]["calls"] for one in several], residual / (1 - rho_1), "calls")
    near([one[0]["deferred"] for one in several], residual / (1 - rho_1) / (1 - rho), "deferred")


def test_call_backs_for_everybody_are_a_queue_that_nobody_leaves() -> None:
    agents, work, per_s = 5, 20.0, 0.21
    world = part(
        centre(per_s=per_s, work_s=work, agents=agents, patience_s=5.0), "types", channel=np.full(1, w.VOICE)
    )
    impatient = runs(world, 4, waits)
    assert min(left / n for left, n in impatient["left"]) > 0.05, "else nothing is shown"
    world = part(world, "levers", call_back_after_ms=np.zeros(1, np.int64), call_back_accepts=np.ones(1))

    def look(a: World, c: Contacts) -> dict[str, tuple[float, float]]:
        row = inside(c)
        taken = c.flags[row] & r.CALL_BACK_TAKEN > 0
        assert np.array_equal(taken, c.end_ms[row] > c.reach_ms[row])
        return waits(a, c)

    found = runs(world, 16, look)
    exact = queue_c(agents, per_s, work, 20.0)
    near(found["waited"], erlang_c(agents, per_s * work), "called back")
    near(found["wait"], exact.mean_wait_s, "wait")
    assert sum(left for left, _ in found["left"]) < 0.001 * sum(n for _, n in found["left"]), (
        "under a millisecond"
    )


# --- by hand ------------------------------------------------------------------------------------------------


def by_hand(
    world: World, births: list[int], work_ms: list[int], types: list[int] | None = None, **rows: Any
) -> tuple[World, Draws]:
    """These customers and no others: when each comes, how much work each is, of which type, and how else they are drawn."""
    world = part(world, "demand", expected=np.full_like(world.demand.expected, 5.0))
    world = part(
        world,
        "types",
        talk_family=np.full(len(world.types.channel), w.FIXED),
        talk_ms=world.types.talk_ms * 0 + SECOND,
    )
    drawn = d.draw(world, 1, 0)
    n = len(births)
    needs = d.Needs(*(column[:n] for column in drawn.needs))
    assert len(needs.key) == n
    needs = needs._replace(
        birth_ms=np.array(births), day=np.array(births) // DAY_MS, type=np.array(types or [0] * n)
    )
    columns = {name: column[..., :n] for name, column in zip(d.Rows._fields, drawn.rows, strict=True)}
    columns |= {
        "need": np.arange(n), "attempt": np.zeros(n, np.int64), "next": np.full(n, -1),
        "talk_unit": np.array(work_ms) / SECOND,
    }  # fmt: skip
    columns |= {name: np.array(values) for name, values in rows.items()}
    return world, drawn._replace(needs=needs, rows=d.Rows(**columns))


def both(world: World, drawn: Draws) -> Records:
    """The records, which are those of either engine."""
    records = kernel.simulate(world, drawn)
    again = model.simulate(world, drawn)
    for x, y in zip((*records.contacts, *records.spells), (*again.contacts, *again.spells), strict=True):
        assert x.tobytes() == y.tobytes()
    return records


def test_rules_of_shared_attention_by_hand() -> None:
    assert rules.work_left(900, 752, 1.5) == 399, "752 / 1.5 is 501 and a third: 501 whole ms are done"
    assert rules.work_left(10, 752, 1.5) == 0
    assert rules.work_ends(100, 501, 1.5) == 852, "751.5 ms are rounded up"
    assert rules.work_ends(100, 500, 1.5) == 850
    assert rules.load_pull(0.6, 300, 400, 2e-6) == pytest.approx(0.6 * 0.75 * 2e-6)
    assert rules.load_pulled(3e-6, 60_000, 2) == pytest.approx(0.09)


def test_two_chats_to_the_millisecond() -> None:
    """f(2) = 1.5. A (1,000 ms) at 0; B (501 ms) at 100: A has 900 left, so until 1,450; B until 852. Then A has
    900 - 501 = 399 left, at full speed until 1,251."""
    world, drawn = by_hand(
        centre(per_s=1, work_s=1, agents=1, slots=2, slowing=(1.5,)), [0, 100], [1000, 501]
    )
    c, s, *_ = both(world, drawn)
    assert c.end_ms.tolist() == [0, 100]
    assert c.done_ms.tolist() == [1251, 852]
    assert c.live.tolist() == [1, 2]
    assert c.talk_ms.tolist() == [1000, 501]
    assert s.chat_ms.sum() == 1251
    assert s.slot_ms.sum() == 1251 + 752
    assert (s.talk_ms.sum(), s.acw_ms.sum(), s.contacts.sum()) == (0, 0, 2)
    assert s.idle_ms.sum() == DAY_MS - 1251


def test_three_chats_and_one_that_waits_by_hand() -> None:
    """Two slots, f(2) = 1.25: A (100 s), B (100 s) at 0 end at 125 s together; C (8 s) waits from 10 s, D (4 s) from 20 s.
    A's row is the lower: A is over first, C takes its slot in the same instant, then B is over and D comes: C and D go on at 1.25."""
    world, drawn = by_hand(
        centre(per_s=1, work_s=1, agents=1, slots=2, slowing=(1.25,)),
        [0, 0, 10 * SECOND, 20 * SECOND], [100 * SECOND, 100 * SECOND, 8 * SECOND, 4 * SECOND],
    )  # fmt: skip
    c, s, *_ = both(world, drawn)
    assert c.done_ms[:2].tolist() == [125 * SECOND, 125 * SECOND]
    assert c.end_ms[2:].tolist() == [125 * SECOND, 125 * SECOND]
    # D until 130 s; by then C has done 4 of its 8 s and goes on alone.
    assert c.done_ms[2:].tolist() == [134 * SECOND, 130 * SECOND]
    assert (s.chat_ms.sum(), s.slot_ms.sum()) == (134 * SECOND, (125 * 2 + 5 * 2 + 4) * SECOND)


def test_who_takes_a_chat_by_hand() -> None:
    """The idle first; then the fewest chats, the longest with so many; full slots wait."""
    world, drawn = by_hand(
        centre(per_s=1, work_s=1, agents=2, slots=2), [k * SECOND for k in range(5)], [60 * SECOND] * 5
    )
    c = both(world, drawn).contacts
    first, second = c.agent[:2]
    assert first != second
    assert c.agent[:5].tolist() == [first, second, first, second, first]
    assert c.live[:4].tolist() == [1, 1, 2, 2]
    assert c.end_ms[4] == 60 * SECOND, "when the first one's first chat is over"


def test_a_call_comes_before_a_further_chat_by_hand() -> None:
    """A (60 s) and B (100 s) chat; a call waits from 20 s, so a chat that comes at 30 s finds no slot when A is over; at
    100 s the agent is free and takes the call (40 s), then the chat."""
    world = plain_world(types=2, agents=1, patience_s=math.inf, open_hours=ALL_DAY)
    world = part(world, "types", channel=np.array([w.CHAT, w.VOICE]))
    world = part(world, "groups", slots=np.array([3]), slowing=np.ones((1, 4)))
    at, work = [0, 0, 20, 30], [60, 100, 40, 10]
    world, drawn = by_hand(world, [x * SECOND for x in at], [x * SECOND for x in work], types=[0, 0, 1, 0])
    c, s, *_ = both(world, drawn)
    assert c.end_ms.tolist() == [0, 0, 100 * SECOND, 140 * SECOND]
    assert c.done_ms.tolist() == [60 * SECOND, 100 * SECOND, 140 * SECOND, 150 * SECOND]
    assert (s.chat_ms.sum(), s.slot_ms.sum(), s.talk_ms.sum()) == (110 * SECOND, 170 * SECOND, 40 * SECOND)


def test_an_impatient_caller_gives_the_slot_back_by_hand() -> None:
    """The only call that waits gives up at 50 s; the chat that waits beside it takes the free slot then."""
    world = plain_world(types=2, agents=1, patience_s=math.inf, open_hours=ALL_DAY)
    world = part(
        world, "types", channel=np.array([w.CHAT, w.VOICE]), patience_ms=world.types.patience_ms * 0 + SECOND
    )
    world = part(world, "groups", slots=np.array([2]), slowing=np.ones((1, 3)))
    world, drawn = by_hand(
        world, [0, 20 * SECOND, 30 * SECOND], [90 * SECOND, 40 * SECOND, 10 * SECOND], types=[0, 1, 0],
        patience_unit=[500.0, 30.0, 500.0],
    )  # fmt: skip
    c = both(world, drawn).contacts
    assert c.outcome.tolist() == [r.ANSWERED, r.ABANDONED, r.ANSWERED]
    assert c.end_ms.tolist() == [0, 50 * SECOND, 50 * SECOND]
    assert c.done_ms[2] == 60 * SECOND


def test_a_silent_chat_by_hand() -> None:
    """It holds a slot for its time-out, slows nobody, and its customer is gone as if they had given up."""
    world = centre(per_s=1, work_s=1, agents=1, slots=2, slowing=(2.0,), redial=1.0, max_attempts=2)
    world = part(world, "types", silent=np.array([0.5]), silent_ms=np.array([30 * SECOND]))
    world, drawn = by_hand(world, [0, 10 * SECOND], [60 * SECOND, 60 * SECOND])
    rows = drawn.rows._replace(silent=np.array([0.9, 0.1]), attempt=np.array([1, 1]))
    c, s, *_ = both(world, drawn._replace(rows=rows))
    assert c.outcome.tolist() == [r.ANSWERED, r.SILENT]
    assert c.done_ms.tolist() == [60 * SECOND, 40 * SECOND], "the first one is not slowed"
    assert (s.chat_ms.sum(), s.slot_ms.sum(), s.contacts.sum()) == (60 * SECOND, 90 * SECOND, 2)
    # With an attempt left the customer writes again, in the same instant that the agent finds them gone.
    again = d.Rows(*(np.concatenate([column, column[..., 1:]], axis=-1) for column in rows))
    again = again._replace(
        attempt=np.array([0, 0, 1]), next=np.array([-1, 2, -1]), silent=np.array([0.9, 0.1, 0.9]),
        redial_ms=np.array([0, 5 * SECOND, 0]), need=np.array([0, 1, 1]), redials=np.array([0.5, 0.5, 0.5]),
    )  # fmt: skip
    c = both(world, drawn._replace(rows=again)).contacts
    assert c.flags.tolist() == [0, r.REDIALS, 0]
    assert c.arrive_ms[2] == 15 * SECOND
    assert c.end_ms[2] == 40 * SECOND, "the slot is given back then"


def night(agent_from: int, agent_to: int, days: int = 2) -> World:
    """Calls and e-mail; doors open from nine to five, one person from and to these hours."""
    world = plain_world(
        types=2, agents=1, patience_s=math.inf, open_hours=(9.0, 17.0), days=days, interval_min=60
    )
    duty = np.zeros((1, days, 24), np.int64)
    duty[:, :, agent_from:agent_to] = 1
    world = world._replace(staffing=anonymous_staffing(world.clock, duty))
    world = part(world, "types", channel=np.array([w.VOICE, w.DEFERRED]))
    return part(world, "routing", priority=np.tile([0, 9], (1, 4)))


def test_e_mail_over_a_night_by_hand() -> None:
    """Four e-mails of 20 min each after hours; by age from eight o'clock, before the doors open; a call comes in between
    (at 9:10, when the fourth begins at 9:00 and ends at 9:20), and what is left at ten stays where it is."""
    hours = [18, 20, 22, 23, 24 + 9 + 1 / 6, 24 + 9.25, 24 + 9.3]
    at = [int(x * HOUR_MS) for x in hours]
    world, drawn = by_hand(night(8, 10), at, [20 * MINUTE_MS] * 7, types=[1, 1, 1, 1, 0, 1, 1])
    c, s, *_ = both(world, drawn)
    eight = DAY_MS + 8 * HOUR_MS
    minutes = ((c.end_ms - eight) / MINUTE_MS).tolist()
    assert minutes[:4] == [0, 20, 40, 60]
    assert minutes[4] == 80, "the call first, though an e-mail is older"
    assert minutes[5] == 100
    assert c.outcome[6] == r.WAITING, "nobody stays for it"
    tomorrow = s.on_ms >= DAY_MS
    assert (s.off_ms[tomorrow] - eight).tolist() == [120 * MINUTE_MS]
    sums = totals(
        world, drawn, Records(c, s, np.zeros(0), np.zeros(0)), Lens(np.array([20.0 * SECOND, 11.0 * HOUR_MS]))
    )
    assert sums.customers["deferred"].sum() == 6
    assert sums.customers["deferred_answered"].sum() == 5
    # 14:00, 12:20, 10:40, 10:00 and 0:25 hours old
    assert sums.customers["deferred_wait_h"].sum() == pytest.approx(
        14 + 12 + 1 / 3 + 10 + 2 / 3 + 10 + 5 / 12
    )
    assert sums.customers["deferred_in_time"].sum() == 3
    assert sums.customers["backlog_end"].sum() == 1
    assert (sums.customers["queued"].sum(), sums.customers["live_answered"].sum()) == (1, 1)


def test_who_writes_loses_patience_by_hand() -> None:
    """Three e-mails at 18, 20 and 22 o'clock, whose writers wait 10, 12 and 9 hours for an answer; work begins at eight. The
    first and the third give up, the one at four, the other at seven; the second is answered at eight, as it gives up."""
    world = part(night(8, 10), "types", patience_ms=np.full((2, 24), float(HOUR_MS)))
    at = [18 * HOUR_MS, 20 * HOUR_MS, 22 * HOUR_MS]
    patience = [10.0, 12.0 + 1e-6, 9.0]
    world, drawn = by_hand(world, at, [20 * MINUTE_MS] * 3, types=[1, 1, 1], patience_unit=patience)
    c, *_ = both(world, drawn)
    assert c.outcome.tolist() == [r.ABANDONED, r.ANSWERED, r.ABANDONED]
    assert c.end_ms.tolist() == [DAY_MS + 4 * HOUR_MS, DAY_MS + 8 * HOUR_MS, DAY_MS + 7 * HOUR_MS]
    sums = totals(
        world,
        drawn,
        Records(c, r.blank_spells(0), np.zeros(0), np.zeros(0)),
        Lens(np.full(2, 13.0 * HOUR_MS)),
    ).customers
    assert {name: sums[name].sum() for name in ("deferred", "deferred_answered", "deferred_in_time", "abandoned", "live_abandoned", "queued")} == {
        "deferred": 3, "deferred_answered": 1, "deferred_in_time": 1, "abandoned": 2, "live_abandoned": 0, "queued": 0,
    }  # fmt: skip


def test_messages_left_out_of_hours_by_hand() -> None:
    """A call at 18:00 becomes a message, read at nine; one at 16:59 waits on the line and is served out."""
    world = part(night(9, 17), "clock", out_of_hours=w.MESSAGE)
    world = part(world, "types", channel=np.array([w.VOICE, w.VOICE]))
    at = [int(16.9 * HOUR_MS), int(16.95 * HOUR_MS), 18 * HOUR_MS]
    world, drawn = by_hand(world, at, [12 * MINUTE_MS, 10 * MINUTE_MS, 7 * MINUTE_MS])
    c, *_ = both(world, drawn)
    assert c.end_ms.tolist() == [at[0], at[0] + 12 * MINUTE_MS, DAY_MS + 9 * HOUR_MS]
    assert c.flags.tolist() == [0, 0, r.MESSAGE]
    sums = totals(
        world, drawn, Records(c, r.blank_spells(0), np.zeros(0), np.zeros(0)), Lens(np.full(2, 1e9))
    ).customers
    assert {name: sums[name].sum() for name in ("messages", "messages_answered", "message_wait_h", "queued", "deferred")} == {
        "messages": 1, "messages_answered": 1, "message_wait_h": 15, "queued": 2, "deferred": 0,
    }  # fmt: skip


def test_reserved_people_stay_with_deferred_work() -> None:
    """Everything waits all day: of five people, two (40 %) are always on e-mail, and nobody else is."""
    world = plain_world(types=2, agents=5, patience_s=math.inf, open_hours=ALL_DAY)
    world = part(world, "types", channel=np.array([w.VOICE, w.DEFERRED]))
    world = part(world, "routing", priority=np.tile([0, 9], (1, 4)))
    n = 200
    kinds = [k % 2 for k in range(n)]
    mail = []
    for reserved in (0.0, 0.4):
        changed = part(world, "groups", reserved=np.array([reserved]))
        changed, drawn = by_hand(
            changed, [0] * n, [(60 + 7 * k % 50) * SECOND for k in range(n)], types=kinds
        )
        c = both(changed, drawn).contacts
        at = np.arange(5 * MINUTE_MS, 25 * MINUTE_MS, MINUTE_MS)[:, None]
        busy = (c.end_ms <= at) & (at < c.done_ms)
        assert (busy.sum(axis=1) == 5).all()
        mail.append((busy & (np.array(kinds) == 1)).sum(axis=1))
    assert (mail[0] == 0).all()
    assert (mail[1] == 2).all()


def called_back(**levers: Any) -> World:
    """One person; whoever waits for 15 s is offered a call-back."""
    world = plain_world(agents=1, patience_s=1.0, open_hours=(9.0, 17.0), days=2, interval_min=60, redial=0.0)
    world = part(world, "types", patience_family=np.full(1, w.EXPONENTIAL))
    return part(
        world, "levers", call_back_after_ms=np.array([15 * SECOND]), call_back_accepts=np.array([0.5]),
        call_back_unanswered=0.2, call_back_dial_ms=40 * SECOND, **levers,
    )  # fmt: skip


def test_call_backs_keep_their_place_by_hand() -> None:
    """Busy until 100 s. A (10 s) and D (50 s) accept, B (12 s) does not and gives up at 42 s, C (20 s) has patience; E (30 s)
    gives up before the offer. A is called at 100 s for 60 s; C is next; D picks up nothing: 40 s lost, then F (240 s)."""
    nine = 9 * HOUR_MS
    at = [0, 10, 12, 20, 30, 50, 240]
    accepts = [0.9, 0.1, 0.9, 0.9, 0.1, 0.1, 0.9]
    patience = [1.0, 20.0, 30.0, 999.0, 14.0, 20.0, 999.0]
    world, drawn = by_hand(
        called_back(), [nine + x * SECOND for x in at], [x * SECOND for x in (100, 60, 9, 70, 9, 9, 10)],
        accepts=accepts, patience_unit=patience, unanswered=[0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1],
    )  # fmt: skip
    c, s, *_ = both(world, drawn)
    taken = r.CALLED_BACK | r.CALL_BACK_TAKEN
    assert ((c.end_ms - nine) // SECOND).tolist() == [0, 100, 42, 160, 44, 230, 270]
    assert c.outcome.tolist() == [
        r.ANSWERED, r.ANSWERED, r.ABANDONED, r.ANSWERED, r.ABANDONED, r.UNREACHED, r.ANSWERED,
    ]  # fmt: skip
    assert c.flags.tolist() == [0, taken, 0, 0, 0, taken, 0]
    assert c.done_ms[5] - c.end_ms[5] == c.acw_ms[5] == 40 * SECOND
    assert s.acw_ms.sum() == 40 * SECOND
    assert s.talk_ms.sum() == (100 + 60 + 70 + 10) * SECOND
    sums = totals(world, drawn, Records(c, s, np.zeros(0), np.zeros(0)), Lens(np.array([20.0 * SECOND])))
    one = {name: value.sum() for name, value in sums.customers.items()}
    assert (one["call_backs_taken"], one["unreached"], one["queued"], one["called_back"]) == (1, 1, 5, 0)
    assert one["call_back_wait_min"] == pytest.approx(1.5)
    assert one["wait_answered_s"] == pytest.approx(140 + 30), "A and D stand outside speed of answer"


@pytest.mark.parametrize("at_close", [w.SERVE_OUT, w.SEND_AWAY])
def test_call_backs_outlast_the_night_by_hand(at_close: int) -> None:
    """At five a call goes on until 17:30; who waits on the line is served out or sent away; who was promised a call is
    called at nine, and nobody stays for them."""
    five = 17 * HOUR_MS
    world = part(called_back(), "clock", at_close=at_close)
    world, drawn = by_hand(
        world, [five - 100 * SECOND, five - 90 * SECOND, five - 80 * SECOND], [31 * MINUTE_MS, MINUTE_MS, 5 * MINUTE_MS],
        accepts=[0.9, 0.1, 0.9], patience_unit=[9999.0] * 3, unanswered=[0.9] * 3,
    )  # fmt: skip
    c, s, *_ = both(world, drawn)
    free = five - 100 * SECOND + 31 * MINUTE_MS
    assert c.end_ms[1] == DAY_MS + 9 * HOUR_MS
    assert c.outcome[2] == (r.ANSWERED if at_close == w.SERVE_OUT else r.CLOSED)
    assert c.end_ms[2] == (free if at_close == w.SERVE_OUT else five)
    assert s.off_ms[0] == free + (5 * MINUTE_MS if at_close == w.SERVE_OUT else 0)


def test_being_heard_and_resolving_with_several_chats_by_hand() -> None:
    world = centre(per_s=1, work_s=1, agents=1, slots=3, heard_concurrency=-0.3, resolved_concurrency=-0.2)
    world = part(world, "types", heard=np.array([0.4]), resolved=np.array([0.7]))
    world, drawn = by_hand(world, [0, 1 * SECOND, 2 * SECOND], [60 * SECOND] * 3)
    c = both(world, drawn).contacts
    extra = np.arange(3)
    assert c.heard == pytest.approx(1 / (1 + np.exp(-(0.4 - 0.3 * extra))))
    assert c.if_heard == pytest.approx(1 / (1 + np.exp(-(0.7 - 0.2 * extra))))


def test_what_follows_a_chat_follows_at_its_end() -> None:
    """A chat of 60 s at f(2) = 2 with another: who escalates is with the second tier when it is over, not before."""
    world = centre(
        per_s=1, work_s=1, agents=2, slots=1, slowing=(2.0,), max_attempts=2, escalate_cold=1.0, escalate_warm=1.0,
        escalate_sorted=1.0, escalate_sorted_heard=1.0,
    )  # fmt: skip
    world = part(world, "groups", slots=np.array([2]))
    world, drawn = by_hand(world, [0, 0, 0], [60 * SECOND, 90 * SECOND, 30 * SECOND])
    rows = d.Rows(*(np.concatenate([column, column[..., :1]], axis=-1) for column in drawn.rows))
    rows = rows._replace(
        attempt=np.array([0, 1, 1, 1]), next=np.array([3, -1, -1, -1]), need=np.array([0, 1, 2, 0])
    )
    c = both(world, drawn._replace(rows=rows)).contacts
    # With the third, which lasts until 60 s, the first has 30 s left, and goes on alone.
    assert c.agent[0] == c.agent[2] != c.agent[1]
    assert c.done_ms[:3].tolist() == [90 * SECOND, 90 * SECOND, 60 * SECOND]
    assert c.arrive_ms[3] == 90 * SECOND
    assert c.flags.tolist() == [r.ESCALATED, 0, 0, r.TIER_TWO]


def test_only_waits_on_the_line_keep_people_from_being_heard() -> None:
    """E-mail and a call wait for ten minutes, a third of them for three until a call-back was offered: -0.1 for each minute
    on the line beyond two."""
    world = plain_world(types=2, agents=1, patience_s=math.inf, open_hours=ALL_DAY, heard_wait_per_min=-0.1)
    world = part(world, "types", channel=np.array([w.VOICE, w.DEFERRED]), heard=np.array([0.5, 0.5]))
    world = part(
        world, "levers", call_back_after_ms=np.array([3 * MINUTE_MS, -1]), call_back_accepts=np.full(2, 0.5)
    )
    world, drawn = by_hand(
        world, [0, 1, 2, 3], [10 * MINUTE_MS, 1, 1, 1], types=[0, 0, 0, 1], accepts=[0.9, 0.9, 0.1, 0.9]
    )
    c = both(world, drawn).contacts
    assert (c.end_ms[1:] >= 10 * MINUTE_MS).all()
    assert c.flags[2] == r.CALLED_BACK | r.CALL_BACK_TAKEN
    log_odds = np.array([0.5, 0.5 - 0.8, 0.5 - 0.1, 0.5])
    assert c.heard == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=1e-5)


def test_nobody_sees_deferred_work_wait_by_hand() -> None:
    """Three e-mails wait: they hurry nobody, and do not fill the queue. With another call waiting a call of 40 s is cut by a
    tenth, and no more; the third call that would wait is turned away."""
    world = plain_world(
        types=2,
        agents=1,
        patience_s=math.inf,
        open_hours=ALL_DAY,
        queue_speed_up=0.1,
        queue_speed_up_most=0.9,
    )
    world = part(world, "types", channel=np.array([w.VOICE, w.DEFERRED]))
    world = part(world, "routing", priority=np.tile([0, 9], (1, 4)), max_queue=2)
    at = [0, 1, 2, 3, 50, 60, 70]
    world, drawn = by_hand(
        world, [x * SECOND for x in at], [x * SECOND for x in (100, 30, 30, 30, 40, 50, 50)],
        types=[1, 1, 1, 1, 0, 0, 0],
    )  # fmt: skip
    c = both(world, drawn).contacts
    assert c.outcome.tolist() == [r.ANSWERED] * 6 + [r.TURNED_AWAY]
    assert c.end_ms[:6].tolist() == [x * SECOND for x in (0, 186, 216, 246, 100, 136)]
    assert c.talk_ms[:6].tolist() == [x * SECOND for x in (100, 30, 30, 30, 36, 50)]


@pytest.mark.parametrize(("rest_queue", "third_ms"), [(10, 370 * SECOND), (0, 100 * SECOND)])
def test_recovery_after_a_chat_by_hand(rest_queue: int, third_ms: int) -> None:
    """f(2) = 1.5. A (60 s) takes 90 s, more than the 80 after which a pause of 120 s is due; B (100 s) until 130 s. C comes at
    100 s: it waits until both pauses are over, or is taken at once where pauses are postponed while anybody waits."""
    world = centre(per_s=1, work_s=1, agents=1, slots=2, slowing=(1.5,))
    world = part(
        world, "levers", rest_over_ms=80 * SECOND, rest_ms=120 * SECOND, rest_hardest_ms=120 * SECOND, rest_queue=rest_queue
    )  # fmt: skip
    world, drawn = by_hand(world, [0, 0, 100 * SECOND], [60 * SECOND, 100 * SECOND, 10 * SECOND])
    c, s, *_ = both(world, drawn)
    assert c.done_ms[0] == 90 * SECOND
    assert c.flags[0] == r.REST_DUE
    assert c.end_ms[2] == third_ms
    assert s.rest_ms.sum() == 240 * SECOND, "B takes longer than 80 s too: both pauses follow it"


def test_who_has_a_break_due_takes_no_further_chat_by_hand() -> None:
    """A chat until 100 s; a break of 300 s due at 60 s; who comes at 70 s is answered after it, and who comes at 500 s,
    the shift over at 480 s with a chat still open, never."""
    world = centre(per_s=1, work_s=1, agents=1, slots=2)
    one = np.ones(1, np.int64)
    staffing = world.staffing._replace(
        group_of=one * 0, person=one, agent=one * 0, start_ms=one * 0, end_ms=one * 480 * SECOND, day=one * 0,
        absence_factor=np.ones(1), late_factor=np.ones(1), act_from=np.array([0, 1]), act_ms=one * 60 * SECOND,
        act_length_ms=one * 300 * SECOND, act_kind=one * w.BREAK, act_paid=one, shift_post=-one, act_post=-one,
        slot_ms=one[:0], slot_group=one[:0], slot_change=one[:0],
    )  # fmt: skip
    world, drawn = by_hand(
        world._replace(staffing=staffing),
        [0, 70 * SECOND, 490 * SECOND],
        [100 * SECOND, 130 * SECOND, SECOND],
    )
    c, s, *_ = both(world, drawn)
    assert c.end_ms[:2].tolist() == [0, 400 * SECOND]
    assert c.outcome[2] == r.WAITING
    assert (s.off_ms[0], s.break_ms[0], s.chat_ms[0]) == (530 * SECOND, 300 * SECOND, 230 * SECOND)


def test_of_anonymous_people_those_with_the_fewest_chats_leave_by_hand() -> None:
    """Two people until half past, then one. The first has two chats by then, the second one: a further chat at 31 min goes
    to the first, and the second is gone when theirs is over."""
    world = centre(per_s=1, work_s=1, agents=2, slots=3)
    duty = np.ones((1, 1, 48), np.int64)
    duty[0, 0, 0] = 2
    world = world._replace(staffing=anonymous_staffing(world.clock, duty))
    world, drawn = by_hand(
        world, [0, 1, 2, 31 * MINUTE_MS], [40 * MINUTE_MS, 35 * MINUTE_MS, 45 * MINUTE_MS, MINUTE_MS]
    )
    c, s, *_ = both(world, drawn)
    first, second = c.agent[:2]
    assert c.agent.tolist() == [first, second, first, first]
    assert s.off_ms[s.agent == second].tolist() == [1 + 35 * MINUTE_MS]


# --- counted anew from the records --------------------------------------------------------------------------

BLEND = frozenset({
    "types", "groups", "overlap", "overflow", "chat", "deferred", "silent", "busy", "impatience", "redials", "returns",
    "load", "spread", "segments", "crowded_chats", "scripts", "offers", "no_reply", "messages", "opening_hours",
})  # fmt: skip


class Steady:
    """A small world of calls, chats and e-mail in which nothing is ever due for anybody, with what its contacts are."""

    def __init__(self, seed: int) -> None:
        three = [s for s in range(50 * seed, 50 * seed + 50) if len(small_world(s, BLEND).types.channel) == 3]
        world = small_world(three[0], BLEND)
        n_groups, n = len(world.groups.slots), DAY_MS // world.clock.interval_ms
        world = part(world, "types", channel=np.array([w.VOICE, w.CHAT, w.DEFERRED]))
        patience = world.types.patience_ms.copy()
        patience[2] *= 2_000.0
        world = part(world, "types", patience_ms=patience)
        offers = np.array([40 * SECOND, 40 * SECOND, -1])
        world = part(world, "levers", call_back_after_ms=offers, call_back_accepts=np.full(3, 0.4))
        world = part(
            world,
            "groups",
            slots=2 + np.arange(n_groups),
            slowing=np.tile([1, 1, 1.3, 1.7, 2.2], (n_groups, 1)),
        )
        hour = np.arange(n) * world.clock.interval_ms // HOUR_MS
        per_hour = np.where((hour >= 8) & (hour < 17), 1.0, 0.2) * np.array([12.0, 60.0, 8.0])[:, None]
        expected = (
            np.repeat(per_hour[:, None], world.clock.n_days, axis=1) * world.clock.interval_ms / HOUR_MS
        )
        world = part(world, "demand", expected=expected * n_groups / 2)
        staffing = anonymous_staffing(world.clock, np.full((n_groups, world.clock.n_days, n), 3))
        self.world = world._replace(staffing=staffing._replace(unseen_rest=world.staffing.unseen_rest))
        self.drawn = d.draw(self.world, seed, 0)
        self.records = kernel.simulate(self.world, self.drawn)
        c = self.c = self.records.contacts
        self.kind = self.drawn.needs.type[self.drawn.rows.need]
        tier, message = c.flags & r.TIER_TWO > 0, c.flags & r.MESSAGE > 0
        form = np.where(message, w.MESSAGES, np.where(tier, w.SECOND_TIER, w.ORDINARY))
        self.queue = form * len(world.types.channel) + self.kind
        reached = c.reach_ms >= 0
        self.chat = reached & channels.is_chat(world, self.kind, c.flags)
        self.call = reached & (world.types.channel[self.kind] == w.VOICE) & ~message
        self.until = np.where(c.end_ms < 0, w.NEVER, c.end_ms)
        self.taken = c.agent >= 0
        self.last = DAY_MS - HOUR_MS
        """From then on anonymous people change places."""

    def open_with(self, agent: int, at: int) -> np.ndarray:
        """What somebody works on in the ms that begins then."""
        c = self.c
        return self.taken & (c.agent == agent) & (c.end_ms <= at) & (at < c.done_ms)

    def call_waits(self, group: int, at: int) -> bool:
        """Whether a call that the group may take waits since before that ms."""
        delay = self.world.routing.delay_of_group[self.queue, group]
        c = self.c
        return bool((self.call & (delay >= 0) & (c.reach_ms + delay < at) & (at < self.until)).any())


@pytest.mark.parametrize("seed", range(6))
def test_no_slot_is_left_empty_while_a_chat_waits(seed: int) -> None:
    """Whoever chats and may take a chat that waits has no room, unless a call waits for their group."""
    x = Steady(seed)
    c, slots, group_of = x.c, x.world.groups.slots, x.world.staffing.group_of
    waited = np.flatnonzero(x.chat & (c.reach_ms < x.last) & (x.until > c.reach_ms + 1))
    assert len(waited) > 20
    looked = 0
    changes = np.unique(np.concatenate([c.end_ms[x.taken], c.done_ms[x.taken], c.end_ms[c.end_ms >= 0]]))
    for row in waited[:60]:
        end = min(x.until[row], x.last)
        moments = [int(c.reach_ms[row]) + 1, *changes[(changes > c.reach_ms[row]) & (changes < end)].tolist()]
        for at in moments[:40]:
            for agent in np.unique(c.agent[x.taken & (c.end_ms <= at) & (at < c.done_ms)]):
                group = group_of[agent]
                delay = x.world.routing.delay_of_group[x.queue[row], group]
                mine = x.open_with(agent, at)
                if 0 <= delay < at - c.reach_ms[row] and at < end and (mine & x.chat).any():
                    assert mine.sum() == slots[group] or x.call_waits(group, at + 1), (row, at, agent)
                    looked += 1
    assert looked > 50


@pytest.mark.parametrize("seed", range(6))
def test_further_chats_go_to_those_with_the_fewest_and_calls_come_first(seed: int) -> None:
    x = Steady(seed)
    c, slots, group_of = x.c, x.world.groups.slots, x.world.staffing.group_of
    further = chosen = 0
    for row in np.flatnonzero(x.chat & x.taken & (c.end_ms < x.last)):
        at, agent = int(c.end_ms[row]), c.agent[row]
        group = group_of[agent]
        before = x.open_with(agent, at - 1) & (c.done_ms != at)
        if not (before & x.chat).any() or (c.end_ms[np.arange(len(c.end_ms)) != row] == at).any():
            continue
        further += 1
        assert not x.call_waits(group, at)
        if (c.done_ms == at).any():
            continue  # whose turn it is then hangs on the order within the ms
        for other in np.flatnonzero(group_of == group):
            open_there = x.open_with(other, at - 1)
            if (open_there & x.chat).any() and open_there.sum() < slots[group]:
                assert before.sum() <= open_there.sum()
                chosen += int(other != agent)
    assert further > 20
    assert chosen > 0 or slots.max() < 3


@pytest.mark.parametrize("seed", range(6))
def test_load_of_shared_attention(seed: int) -> None:
    """Between changes load decays, and grows by the mean of the live chats' pull; worked out anew from the records.

    Whoever takes somebody's place after eight hours starts without load, in the middle of the other's chats.
    """
    x = Steady(seed)
    c, b, world, s = x.c, x.world.behaviour, x.world, x.records.spells
    live = x.chat & (c.outcome == r.ANSWERED)
    calls = x.taken & ~x.chat & (c.outcome == r.ANSWERED)
    several = 0
    for agent, on, off in zip(s.agent.tolist(), s.on_ms.tolist(), s.off_ms.tolist(), strict=True):
        if on > 0 and not ((s.agent == agent) & (s.off_ms == on)).any():
            continue
        group = world.staffing.group_of[agent]
        rest = world.staffing.unseen_rest[group]
        half_life = 1 / (1 / b.load_half_life_ms + rest / b.rest_half_life_ms)
        rate = x.drawn.people.absorption[agent] * (1 + b.strain * world.levers.scripts) / (10 * MINUTE_MS)
        mine = np.flatnonzero(x.taken & (c.agent == agent) & (c.done_ms > on) & (c.end_ms < off))
        moments = np.unique(np.concatenate([c.end_ms[mine], c.done_ms[mine]]))
        load, at = 0.0, on
        for now in moments[(moments > on) & (moments < off)].tolist():
            here = mine[(c.end_ms[mine] <= at) & (c.done_ms[mine] > at)]
            load *= 0.5 ** ((now - at) / half_life)
            chats = here[live[here]]
            if len(chats):
                share = c.talk_ms[chats] / (c.talk_ms[chats] + c.acw_ms[chats])
                load += (c.intensity[chats] * share).mean() * rate * (now - at)
            # A call's load is there at its end.
            over = here[calls[here]]
            load += float((c.intensity[over] * c.talk_ms[over]).sum()) * rate
            at = now
            for row in mine[c.end_ms[mine] == now]:
                assert c.load[row] == pytest.approx(load, rel=1e-9, abs=1e-12)
                several += int(c.live[row] > 1)
    assert several > 100


ENDS = (
    "contained", "hung_up", "answered", "abandoned", "turned_away", "closed", "silent", "unreached", "in_system",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_every_contact_and_every_minute_is_counted_once(seed: int) -> None:
    x = Steady(seed)
    c, s, world = x.c, x.records.spells, x.world
    sums = totals(world, x.drawn, x.records, Lens(np.full(len(world.types.channel), 30.0 * SECOND)))
    customers, people = sums.customers, sums.people
    assert np.array_equal(customers["contacts"], sum(customers[end] for end in ENDS))
    assert min(customers[end].sum() for end in ("silent", "unreached", "deferred", "messages", "queued")) > 0
    parts = people["talk_min"] + people["acw_min"] + people["chat_min"] + people["idle_min"]
    assert people["present_min"] == pytest.approx(parts, rel=0.02), "what goes on beyond the last day apart"
    done = s.off_ms < world.clock.stop_ms
    assert (s.off_ms - s.on_ms == s.talk_ms + s.acw_ms + s.chat_ms + s.idle_ms)[done].all()

    # Minutes by interval, second by second on one of the days
    clock = world.clock
    n = DAY_MS // clock.interval_ms
    busy = np.zeros((len(world.groups.slots), n))
    for agent in np.unique(c.agent[x.taken]):
        mine = x.taken & (c.agent == agent) & (c.end_ms < DAY_MS)
        edges = np.unique(
            np.concatenate([c.end_ms[mine], c.done_ms[mine], np.arange(n + 1) * clock.interval_ms])
        )
        for start, end in pairwise(edges[edges <= DAY_MS].tolist()):
            if (mine & (c.end_ms <= start) & (start < c.done_ms)).any():
                busy[world.staffing.group_of[agent], start // clock.interval_ms] += (end - start) / MINUTE_MS
    assert sums.service["busy_min"][:, 0] == pytest.approx(busy)
    by_day = people_by_day(world, s)
    assert by_day["handled_min"].sum() == pytest.approx(
        (people["talk_min"] + people["acw_min"] + people["chat_min"]).sum()
    )

    # What is said of people and of the deferred, by counting
    stacked = stack([sums])
    found = evaluate(PEOPLE, overall(stacked.people)) | evaluate(CUSTOMER, overall(stacked.customers))
    mine = (s.on_ms >= clock.start_ms) & (s.on_ms < clock.end_ms)
    handled = (s.talk_ms + s.acw_ms + s.chat_ms)[mine].sum()
    assert found["occupancy"].mean == pytest.approx(handled / (handled + s.idle_ms[mine].sum()))
    assert found["chats_at_once"].mean == pytest.approx(s.slot_ms[mine].sum() / s.chat_ms[mine].sum())
    room = s.chat_ms * world.groups.slots[world.staffing.group_of[s.agent]]
    assert found["slot_occupancy"].mean == pytest.approx(s.slot_ms[mine].sum() / room[mine].sum())
    here = (c.arrive_ms >= clock.start_ms) & (c.arrive_ms < clock.end_ms) & (c.outcome > 0)
    live = here & (c.flags & (r.CALLED_BACK | r.MESSAGE) == 0) & (world.types.channel[x.kind] != w.DEFERRED)
    picked_up = live & np.isin(c.outcome, (r.ANSWERED, r.SILENT))
    offered = picked_up | (live & np.isin(c.outcome, (r.ABANDONED, r.TURNED_AWAY)))
    offered |= live & (c.outcome == r.CLOSED) & (c.reach_ms >= 0)
    good = picked_up & (c.end_ms - c.reach_ms <= 30 * SECOND)
    assert found["service_level"].mean == pytest.approx(good.sum() / offered.sum())
    answered = here & (c.outcome == r.ANSWERED)
    assert found["handle_time_s"].mean == pytest.approx((c.done_ms - c.end_ms)[answered].mean() / SECOND)
    for name in ("queued", "in_time", "deferred", "messages", "deferred_wait_h", "message_wait_h"):
        assert sums.service[name].sum() == pytest.approx(customers[name].sum()), name


def test_a_world_that_does_not_fit_is_refused() -> None:
    world = plain_world(types=1)
    groups, types = world.groups, world.types
    for name, fields, said in (
        ("groups", {"slots": groups.slots * 0}, "at least one slot"),
        ("groups", {"slots": groups.slots * 3}, "a slowing for each number"),
        ("groups", {"slowing": groups.slowing * 1.5}, "starts at 1"),
        ("levers", {"call_back_after_ms": world.levers.call_back_after_ms * 0}, "those who wait live"),
    ):
        wrong = part(world, name, **fields)
        if name == "levers":
            wrong = part(wrong, "types", channel=types.channel * 0 + w.DEFERRED)
        with pytest.raises(ValueError, match=said):
            w.check(wrong)
    messages = part(world, "clock", out_of_hours=w.MESSAGE)
    w.check(messages)
    order = world.routing.order.copy()
    order[3] = -1
    with pytest.raises(ValueError, match="nobody reads"):
        w.check(part(messages, "routing", order=order))
    with pytest.raises(ValueError, match="four queues"):
        w.check(part(world, "routing", order=order[:3]))


def test_what_a_world_does_not_ask_is_not_drawn() -> None:
    """And what it does ask changes nothing else that is drawn."""
    plain, asked = frozenset({"types", "chat"}), frozenset({"types", "chat", "silent", "offers", "no_reply"})
    without, drawn = small_run(3, plain)[1].rows, small_run(3, asked)[1].rows
    for name in d.Rows._fields:
        assert np.array_equal(getattr(without, name), getattr(drawn, name)), name
    for on in (plain, asked):
        lines = d.draw_block(small_world(3, on), 3, [0]).lines
        for name in ("silent", "accepts", "unanswered"):
            u = lines[name][drawn.attempt == 0]
            reaches = u > 0
            assert (u[reaches] < 1).any() == (on == asked)
