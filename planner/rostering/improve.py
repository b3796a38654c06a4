"""A roster made better by simulated annealing, compiled: a change at a time, judged by what it changes alone.

Moves: another duty on a day, work moved to another day, given or taken away, a pause moved; a new duty gets the pauses that cost least
where it comes. A change that costs d is taken with probability exp(-d / T), T falling (Kirkpatrick, Gelatt & Vecchi 1983). Hard rules
weigh so much that they are only ever mended. What comes out is recomputed by the validator.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.rostering.problem import DAY_MIN, Duty, NamedRoster, RosterProblem, Terms, Work
from planner.rostering.rules.base import earliest_pauses, is_night, published_duties
from planner.rostering.validate import audit
from sim.compiled import compiled

Ints = NDArray[np.int64]
MOST_SKILL_SETS = 6
"""Needs of more different sets of skills are left to the optimiser: every subset of them is looked at."""
NEVER = 1 << 40
HARD = 1 << 20
"""What each unit of a hard rule broken weighs, and each of these many minutes: a shift missing weighs less than a rule
broken to give it."""
MINUTES = {"least_paid": 1200, "most_paid": 1200, "rest": 60}
RULES = (
    "most_of_kind", "least_paid", "most_paid", "least_shifts", "most_shifts", "rest", "most_in_a_row", "least_in_a_row",
    "least_off_in_a_row", "weekends", "nights_in_a_row", "forbidden_successions",
    "overtime",
)  # fmt: skip
HOT, COLD = 2.0, 0.05
"""First and last temperature, in prices of a person short."""


class Tables(NamedTuple):
    """A problem in arrays; P people, D days, K duties, S slots of the clock and then one for each day and kind."""

    start: Ints
    """(K,) slots; so `length`."""
    length: Ints
    paid: Ints
    kind: Ints
    night: Ints
    n_pauses: Ints
    pauses: Ints
    """(K, B, 3) earliest and latest slot into the duty, and length."""
    may: Ints
    """The duties that each person may be given on each day, by kind and start, one list after the other."""
    may_from: Ints
    """(P x D + 1,)"""
    cell: Ints
    """(P, D, K + 1) price of each duty, and of none."""
    able: Ints
    """(P,) bits of the sets of skills that somebody has any of; `kin` numbers people alike."""
    kin: Ints
    able_of_kin: Ints
    asked: Ints
    """(S, 2^J) people asked for by any of some sets of skills; `there` (S,) has a bit for each that asks."""
    there: Ints
    under: Ints
    over: Ints
    n_clock: int
    n_kinds: int
    per_day: int
    first_weekday: int
    terms: Ints
    """(P, 15): the limits of `Terms` in their order, then what was before, then the paid minutes agreed."""
    most_of_kind: Ints
    """(P, kinds)"""
    forbidden: Ints
    """(P, kinds, kinds)"""
    price: Ints
    """(rules,)"""


class NotForThis(ValueError):  # noqa: N818
    """The problem has something that this search cannot judge; the text says what."""


def improve(
    problem: RosterProblem, start: NamedRoster | None = None, *, moves: int, seed: int = 0, starts: int = 1
) -> NamedRoster:
    """The best roster of `starts` searches of so many moves each, run side by side; never worse than `start`.

    The same seed gives the same roster. Raises NotForThis for needs that are not each one slot of the clock, or differ in
    price at the same time, or ask for too many different sets of skills.
    """
    tables, grid = tables_of(problem)
    first = start or NamedRoster(())
    if not tables.may.size:  # nobody, or nothing that anybody may do
        return first
    duty, pause = _arrays(problem, tables, grid, first)
    price = float(np.median(tables.under[tables.under > 0])) if (tables.under > 0).any() else 1.0

    def search(number: int) -> NamedRoster:
        best_duty, best_pause = duty.copy(), pause.copy()
        _search(tables, best_duty, best_pause, seed * 1000 + number, moves, HOT * price, COLD * price)
        return _roster(problem, tables, grid, best_duty, best_pause)

    with ThreadPoolExecutor(starts) as pool:
        found = list(pool.map(search, range(starts)))
    return min(
        [*([start] if start is not None else []), *found], key=lambda roster: _badness(problem, roster)
    )


def moves_in(problem: RosterProblem, seconds: float, probe: int = 100_000) -> int:
    """About how many moves this machine makes in so many seconds; compiles the search if it is not yet."""
    tables, _ = tables_of(problem)
    duty, pause = _arrays(problem, tables, 1, NamedRoster(()))
    _search(tables, duty.copy(), pause.copy(), 0, 1, 1.0, 1.0)
    begun = time.perf_counter()
    _search(tables, duty, pause, 0, probe, 1.0, 1.0)
    return max(1, int(probe * seconds / (time.perf_counter() - begun)))


def _search(t: Tables, duty: Ints, pause: Ints, seed: int, moves: int, hot: float, cold: float) -> None:
    """Better the arrays in their place; the rest is room for the compiled search."""
    room = [np.zeros(shape, np.int64) for shape in (
        (len(t.there), len(t.able_of_kin)), len(t.there), len(duty), duty.shape[1], pause.shape[2],
    )]  # fmt: skip
    _compiled()(t, duty, pause, seed, moves, hot, cold, duty.copy(), pause.copy(), *room)


def _badness(problem: RosterProblem, roster: NamedRoster) -> tuple[int, int, int]:
    found = audit(problem, roster)
    return len(found.hard), sum(b.by for b in found.hard), found.objective


# --- a problem in arrays ----------------------------------------------------------------------------------------------


def tables_of(problem: RosterProblem) -> tuple[Tables, int]:
    """The problem in arrays, and the minutes of a slot."""
    timed = [need for need in problem.needs if need.kind is None]
    grid = math.gcd(
        DAY_MIN, *(m for d in problem.duties for m in (d.start_min, d.minutes)),
        *(m for d in problem.duties for p in d.pauses for m in (p.minutes,)),
        *(m for n in timed for m in (n.start_min, n.minutes)),
    )  # fmt: skip
    if any(need.minutes != grid for need in timed):
        raise NotForThis(f"needs of {max(n.minutes for n in timed)} minutes on a grid of {grid}")
    per_day = DAY_MIN // grid
    kinds = sorted({d.kind for d in problem.duties} | {n.kind for n in problem.needs if n.kind is not None})
    number = {kind: i for i, kind in enumerate(kinds)}
    longest = max((-(-d.end_min // DAY_MIN) for d in problem.duties), default=1)
    n_clock = (problem.days + longest) * per_day
    sets = sorted({need.skills for need in problem.needs}, key=sorted)
    if len(sets) > MOST_SKILL_SETS:
        raise NotForThis(f"needs ask for {len(sets)} different sets of skills, at most {MOST_SKILL_SETS}")
    n_slots = n_clock + problem.days * len(kinds)
    asked, there = np.zeros((n_slots, 1 << len(sets)), np.int64), np.zeros(n_slots, np.int64)
    under, over = np.zeros(n_slots, np.int64), np.zeros(n_slots, np.int64)
    for need in problem.needs:
        slot = need.day * per_day + need.start_min // grid
        if need.kind is not None:
            slot = n_clock + need.day * len(kinds) + number[need.kind]
        bit = 1 << sets.index(need.skills)
        if there[slot] and (under[slot], over[slot]) != (need.under, need.over):
            raise NotForThis("needs of the same time with different prices")
        there[slot] |= bit
        under[slot], over[slot] = need.under, need.over
        for some in range(1 << len(sets)):
            if some & bit:
                asked[slot, some] += need.people
    people, n_people = problem.people, len(problem.people)
    able = np.array(
        [sum(1 << j for j, s in enumerate(sets) if not s or s & p.skills) for p in people], np.int64
    )
    able_of_kin, kin = np.unique(able, return_inverse=True)
    order = sorted(
        range(len(problem.duties)), key=lambda k: (problem.duties[k].kind, problem.duties[k].start_min)
    )
    rank = {k: i for i, k in enumerate(order)}
    lists = [sorted(set(days), key=rank.__getitem__) for person in people for days in person.duties]
    may_from = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)
    cell = np.zeros((n_people, problem.days, len(problem.duties) + 1), np.int64)
    for i, person in enumerate(people):
        for duty, price in person.dislike.items():
            cell[i, :, duty] += price
        for wish in person.requests:
            fits = np.array([wish.kind in (None, d.kind) for d in problem.duties] + [False])
            cell[i, wish.day, fits != wish.wants] += wish.weight
    published = published_duties(problem)
    stays = {"changes": problem.prices.get("changes", HARD), "locked": problem.prices.get("locked", HARD)}
    for i, day in np.ndindex(cell.shape[:2]):
        price = stays["changes"] * (problem.published is not None) + stays["locked"] * (
            (i, day) in problem.locked
        )
        cell[i, day] += price
        cell[i, day, published.get((i, day), -1)] -= price
    most = max((len(d.pauses) for d in problem.duties), default=0)
    pauses = np.zeros((len(problem.duties), max(1, most), 3), np.int64)
    for k, duty_ in enumerate(problem.duties):
        pauses[k, : len(duty_.pauses)] = _windows(duty_, grid)
    column = {name: i for i, name in enumerate(RULES)}
    price_of = np.array([HARD // MINUTES.get(name, 1) for name in RULES], np.int64)
    for name, price in problem.prices.items():
        if name in column:
            price_of[column[name]] = price
    price_of[column["rest"]] *= grid  # rest is counted in slots
    tables = Tables(
        start=np.array([d.start_min // grid for d in problem.duties], np.int64),
        length=np.array([d.minutes // grid for d in problem.duties], np.int64),
        paid=np.array([d.paid_min for d in problem.duties], np.int64),
        kind=np.array([number[d.kind] for d in problem.duties], np.int64),
        night=np.array([is_night(d) for d in problem.duties], np.int64),
        n_pauses=np.array([len(d.pauses) for d in problem.duties], np.int64), pauses=pauses,
        may=np.array([k for one in lists for k in one], np.int64), may_from=may_from, cell=cell,
        able=able, kin=kin.astype(np.int64), able_of_kin=able_of_kin.astype(np.int64), asked=asked, there=there, under=under, over=over,
        n_clock=n_clock, n_kinds=len(kinds), per_day=per_day, first_weekday=problem.first_weekday,
        terms=np.array([_limits(p.terms, p.before, grid, number) for p in people], np.int64).reshape(n_people, 15),
        most_of_kind=np.array(
            [[p.terms.most_of_kind.get(kind, NEVER) for kind in kinds] for p in people], np.int64
        ).reshape(n_people, len(kinds)),
        forbidden=np.array(
            [[[(a, b) in p.terms.forbidden for b in kinds] for a in kinds] for p in people], np.int64
        ).reshape(n_people, len(kinds), len(kinds)),
        price=price_of,
    )  # fmt: skip
    return tables, grid


def _windows(duty: Duty, grid: int) -> Ints:
    """(B, 3) earliest and latest slot of each pause, within which the others still fit, and its length."""
    windows = np.array(
        [[-(-p.earliest_min // grid), p.latest_min // grid, p.minutes // grid] for p in duty.pauses], np.int64
    ).reshape(-1, 3)
    for k in range(1, len(windows)):
        windows[k, 0] = max(windows[k, 0], windows[k - 1, 0] + windows[k - 1, 2])
    end = duty.minutes // grid
    for k in reversed(range(len(windows))):
        windows[k, 1] = min(windows[k, 1], end - windows[k, 2])
        end = windows[k, 1]
    return windows


def _limits(terms: Terms, before: Any, grid: int, number: dict[str, int]) -> list[int]:
    def most(value: int | None) -> int:
        return NEVER if value is None else value

    return [
        terms.least_paid_min, most(terms.most_paid_min), terms.least_shifts, most(terms.most_shifts),
        -(-terms.least_rest_min // grid), terms.least_in_a_row, most(terms.most_in_a_row), terms.least_off_in_a_row,
        most(terms.most_weekends), most(terms.most_nights_in_a_row),
        before.days_in_a_row, -NEVER if before.end_min is None else -(-before.end_min // grid),
        before.nights_in_a_row, -1 if before.kind is None else number.get(before.kind, -1),
        most(terms.agreed_paid_min),
    ]  # fmt: skip


def _arrays(problem: RosterProblem, t: Tables, grid: int, roster: NamedRoster) -> tuple[Ints, Ints]:
    """(P, D) duties, -1 for none, and (P, D, B) slots of their pauses into them."""
    duty = np.full((len(problem.people), problem.days), -1, np.int64)
    pause = np.zeros((*duty.shape, t.pauses.shape[1]), np.int64)
    for work in roster.work:
        given = problem.duties[work.duty]
        duty[work.person, work.day] = work.duty
        into = [at - given.start_min for at in work.pauses] or earliest_pauses(given) or ()
        for i, at in enumerate(into):
            pause[work.person, work.day, i] = at // grid
    return duty, pause


def _roster(problem: RosterProblem, t: Tables, grid: int, duty: Ints, pause: Ints) -> NamedRoster:
    work = []
    for person, day in np.argwhere(duty >= 0).tolist():
        k = int(duty[person, day])
        first = problem.duties[k].start_min
        at = tuple(first + int(slot) * grid for slot in pause[person, day, : t.n_pauses[k]])
        work.append(Work(person, day, k, at))
    return NamedRoster(tuple(work))


# --- compiled ---------------------------------------------------------------------------------------------------------


def _slot_cost(t: Tables, n: Ints, slot: int) -> int:
    """Price of a slot with (kin, S) people `n`: short is what any sets of skills lack together (Hall), over what is left."""
    there = t.there[slot]
    if there == 0:
        return 0
    short, able = 0, 0
    for some in range(1, there + 1):
        if some & there != some:
            continue
        able = 0
        for kin in range(len(t.able_of_kin)):
            if t.able_of_kin[kin] & some:
                able += n[slot, kin]
        short = max(short, t.asked[slot, some] - able)
    return int(t.under[slot] * short + t.over[slot] * (able - t.asked[slot, there] + short))


def _set(t: Tables, n: Ints, cost: Ints, kin: int, slot: int, sign: int) -> int:
    if t.there[slot] == 0:
        return 0
    n[slot, kin] += sign
    before = cost[slot]
    cost[slot] = _slot_cost(t, n, slot)
    return int(cost[slot] - before)


def _place(t: Tables, n: Ints, cost: Ints, kin: int, day: int, duty: int, pause: Ints, sign: int) -> int:
    """Somebody works a duty, or no longer; what that changes of the cover's price."""
    first = day * t.per_day + t.start[duty]
    change = _set(t, n, cost, kin, t.n_clock + day * t.n_kinds + t.kind[duty], sign)
    at, k = 0, 0
    while at < t.length[duty]:
        if k < t.n_pauses[duty] and at == pause[k]:
            at += t.pauses[duty, k, 2]
            k += 1
            continue
        change += _set(t, n, cost, kin, first + at, sign)
        at += 1
    return change


def _choose_pauses(t: Tables, n: Ints, cost: Ints, kin: int, day: int, duty: int, pause: Ints) -> None:
    """Each pause where somebody is missed least, one after another, ties by lot."""
    first, free = day * t.per_day + t.start[duty], 0
    for k in range(t.n_pauses[duty]):
        low, high, length = max(free, t.pauses[duty, k, 0]), t.pauses[duty, k, 1], t.pauses[duty, k, 2]
        least, chosen = NEVER, low
        width = high - low + 1
        turn = np.random.randint(width)
        for i in range(width):
            at = low + (i + turn) % width
            price = 0
            for slot in range(first + at, first + at + length):
                if t.there[slot]:
                    n[slot, kin] += 1
                    price += cost[slot] - _slot_cost(t, n, slot)
                    n[slot, kin] -= 1
            if price < least:
                least, chosen = price, at
        pause[k] = chosen
        free = chosen + length


def _person_cost(t: Tables, person: int, row: Ints) -> int:
    """Price of the rules that a person's days break."""
    limit, price, days = t.terms[person], t.price, len(row)
    total, paid, shifts, weekends, weekend = 0, 0, 0, 0, -1
    run, nights, off, end, last = limit[10], limit[12], 0, limit[11], limit[13]
    run_from, off_from = -limit[10], 0
    for day in range(days):
        duty = row[day]
        if duty < 0:
            if run > 0 and run_from > 0:
                total += price[7] * max(0, limit[5] - run)
            if run > 0 or day == 0:
                off_from = day
            off, run, nights, last = off + 1, 0, 0, -1
            continue
        kind = t.kind[duty]
        paid, shifts = paid + t.paid[duty], shifts + 1
        if run == 0:
            run_from = day
            if off > 0 and off_from > 0:
                total += price[8] * max(0, limit[7] - off)
        off, run = 0, run + 1
        if run > limit[6]:
            total += price[6]
        nights = nights + 1 if t.night[duty] else 0
        if nights > limit[9]:
            total += price[10]
        begins = day * t.per_day + t.start[duty]
        total += price[5] * max(0, limit[4] - (begins - end))
        end = begins + t.length[duty]
        if last >= 0 and t.forbidden[person, last, kind]:
            total += price[11]
        last = kind
        of_week = (day + t.first_weekday) % 7
        number = (day + t.first_weekday) // 7
        if of_week >= 5 and number != weekend:
            weekend = number
            weekends += 1
    total += price[9] * max(0, weekends - limit[8])
    total += price[1] * max(0, limit[0] - paid) + price[2] * max(0, paid - limit[1])
    total += price[3] * max(0, limit[2] - shifts) + price[4] * max(0, shifts - limit[3])
    total += price[12] * max(0, -((limit[14] - paid) // 15))
    for kind in range(t.n_kinds):
        if t.most_of_kind[person, kind] < days:
            of_kind = 0
            for day in range(days):
                if row[day] >= 0 and t.kind[row[day]] == kind:
                    of_kind += 1
            total += price[0] * max(0, of_kind - t.most_of_kind[person, kind])
    return int(total)


def _some_duty(t: Tables, duty: Ints, person: int, day: int, near: int) -> int:
    """A duty that the person may be given on the day: near another one in the list, or one of their other days', or the
    cheapest of three; -1 for none."""
    days = duty.shape[1]
    low, high = t.may_from[person * days + day], t.may_from[person * days + day + 1]
    if low == high:
        return -1
    what = np.random.random()
    if what < 0.7:
        like = near if what < 0.5 else duty[person, np.random.randint(days)]
        if like >= 0:
            for at in range(low, high):
                if t.may[at] == like:
                    to = at + np.random.randint(-4, 5) if what < 0.5 else at
                    if low <= to < high:
                        return int(t.may[to])
                    break
    chosen = -1
    for _ in range(3):
        other = t.may[low + np.random.randint(high - low)]
        if chosen < 0 or t.cell[person, day, other] < t.cell[person, day, chosen]:
            chosen = other
    return int(chosen)


def _copy(to: Ints, what: Ints) -> None:
    for i in range(len(what)):
        to[i] = what[i]


def _keep(best_duty: Ints, best_pause: Ints, duty: Ints, pause: Ints) -> None:
    for person in range(duty.shape[0]):
        _copy(best_duty[person], duty[person])
        for day in range(duty.shape[1]):
            _copy(best_pause[person, day], pause[person, day])


def _anneal(
    t: Tables, best_duty: Ints, best_pause: Ints, seed: int, moves: int, hot: float, cold: float,
    duty: Ints, pause: Ints, n: Ints, cost: Ints, mine: Ints, row: Ints, new: Ints,
) -> None:  # fmt: skip
    """Search from the roster given, and leave the best one found in its place; the last seven are room, `duty` and `pause` like it."""
    np.random.seed(seed)
    n_people, days = duty.shape
    total = 0
    for slot in range(len(t.there)):
        cost[slot] = _slot_cost(t, n, slot)
        total += cost[slot]
    for person in range(n_people):
        for day in range(days):
            if duty[person, day] >= 0:
                total += _place(t, n, cost, t.kin[person], day, duty[person, day], pause[person, day], 1)
            total += t.cell[person, day, duty[person, day]]
        mine[person] = _person_cost(t, person, duty[person])
        total += mine[person]
    best = total
    for move in range(moves):
        heat = hot * (cold / hot) ** (move / moves)
        person = np.random.randint(n_people)
        day = np.random.randint(days)
        kin, old = t.kin[person], duty[person, day]
        what = np.random.random()
        if what < 0.25:
            # A pause moves.
            if old < 0 or t.n_pauses[old] == 0:
                continue
            k = np.random.randint(t.n_pauses[old])
            at, length = pause[person, day, k], t.pauses[old, k, 2]
            to = t.pauses[old, k, 0] + np.random.randint(t.pauses[old, k, 1] - t.pauses[old, k, 0] + 1)
            if to == at or (k > 0 and to < pause[person, day, k - 1] + t.pauses[old, k - 1, 2]):
                continue
            if k + 1 < t.n_pauses[old] and to + length > pause[person, day, k + 1]:
                continue
            first = day * t.per_day + t.start[old]
            change = 0
            for slot in range(first + at, first + at + length):
                change += _set(t, n, cost, kin, slot, 1)
            for slot in range(first + to, first + to + length):
                change += _set(t, n, cost, kin, slot, -1)
            if change <= 0 or np.random.random() < math.exp(-change / heat):
                pause[person, day, k] = to
                total += change
                if total < best:
                    best = total
                    _keep(best_duty, best_pause, duty, pause)
            else:
                for slot in range(first + to, first + to + length):
                    _set(t, n, cost, kin, slot, 1)
                for slot in range(first + at, first + at + length):
                    _set(t, n, cost, kin, slot, -1)
            continue
        _copy(row, duty[person])
        to_day = day
        if what < 0.7:
            given = _some_duty(t, duty, person, day, old)
            if given < 0 or given == old:
                continue
        elif what < 0.95:
            # Work moves to another day.
            to_day = np.random.randint(days)
            if old < 0 or duty[person, to_day] >= 0:
                continue
            given = _some_duty(t, duty, person, to_day, old)
            if given < 0:
                continue
            row[day] = -1
        else:
            if old < 0:
                continue
            given = -1
        row[to_day] = given
        change = _person_cost(t, person, row) - mine[person]
        change += t.cell[person, to_day, given] - t.cell[person, to_day, duty[person, to_day]]
        if to_day != day:
            change += t.cell[person, day, -1] - t.cell[person, day, old]
        if change >= HARD // 2:
            continue
        if old >= 0:
            change += _place(t, n, cost, kin, day, old, pause[person, day], -1)
        if given >= 0:
            _choose_pauses(t, n, cost, kin, to_day, given, new)
            change += _place(t, n, cost, kin, to_day, given, new, 1)
        if change <= 0 or np.random.random() < math.exp(-change / heat):
            mine[person] = _person_cost(t, person, row)
            _copy(duty[person], row)
            if given >= 0:
                _copy(pause[person, to_day], new)
            total += change
            if total < best:
                best = total
                _keep(best_duty, best_pause, duty, pause)
        else:
            if given >= 0:
                _place(t, n, cost, kin, to_day, given, new, -1)
            if old >= 0:
                _place(t, n, cost, kin, day, old, pause[person, day], 1)


@cache
def _compiled() -> Any:
    """The search as Numba wraps it."""
    return compiled(
        _anneal, (_slot_cost, _set, _place, _choose_pauses, _person_cost, _some_duty, _copy, _keep)
    )
