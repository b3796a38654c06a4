"""Simulated annealing of a named roster, compiled: a change at a time, judged by what it changes alone.

Moves: another duty on a day, work moved to another day, given or taken away, days swapped by two people, a pause moved, another post
for a stretch; new work gets the pauses and posts that cost least where it comes. A change that costs d is taken with probability
exp(-d / T), T falling (Kirkpatrick, Gelatt & Vecchi 1983). Cover is priced by window (the time of some needs): what one more or one
fewer of each kin would change is kept at hand, kin being those who count for the same needs.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.compiled import compiled

Ints = NDArray[np.int64]
NEVER = 1 << 40
HARD = 1 << 20
"""What a hard rule broken weighs."""
TOO_MUCH = HARD // 2
STEP = 64
"""Moves at one temperature."""


class Tables(NamedTuple):
    """A problem in arrays; P people, D days, K duties, Q posts and last that of those without one, N kin and last nobody, W windows, L layers.

    Lists of lists are one array: where each list begins in it, and where the last ends, then what is in them.
    """

    grid: int
    """Minutes of a slot; slots are counted from the first midnight."""
    per_day: int
    first_weekday: int
    n_posts: int
    most_pauses: int
    spreads: int
    """Whether any spread is priced."""
    duties: Ints
    """(K, 6) slots from midnight to START, LENGTH in slots, minutes PAID, KIND, NIGHT or not, N_PAUSES."""
    pauses: Ints
    """(K, B, 4) earliest and latest slot into the duty, length, and whether it is decompression."""
    fixed: Ints
    """(K, B + 1) the post that each stretch must have, -1 for any."""
    may: Ints
    """Lists of duties, by kind and start; `which` (P, D) says whose are offered when, -1 where the duty must stay."""
    may_at: Ints
    """(lists, K) where a duty is in `may`, -1 for not."""
    which: Ints
    cell: Ints
    """(P, D, K + 1) price of each duty, and of none."""
    people: Ints
    """(P, LIMITS + N_LIMITS) how many posts each HAS; those LIKE each other count alike at the same posts; whether what EXPOSES matters; the
    CIRCLE or -1; limits in the order of `improve._limits`."""
    posts: Ints
    """(P, most posts) each one's, the usual first."""
    kin: Ints
    """(P, Q + 1) kin at each post."""
    likes: Ints
    """Lists of people who are alike; `members` of those in a circle."""
    members: Ints
    between: Ints
    """(2, L, slots + 1) the first window that starts then or later, and the one after the last that ends then or before; windows of
    a layer start and end one after another."""
    windows: Ints
    """(W, 3) PATTERN by which it is priced, slots at which it starts and ends, the end rounded up."""
    of_kind: Ints
    """(D, kinds) the window of a kind of duty on a day."""
    patterns: Ints
    """(patterns, 4) first term and the one after the last; likewise in `kins`, those who count there."""
    kins: Ints
    terms: Ints
    """(terms, 4) first set and the one after the last, price of the most that any of them is beyond, what that is at least."""
    counts: Ints
    """(sets, N + 1) what each kin adds to a set."""
    beyond: Ints
    """(W, most sets) what sets are beyond with nobody there."""
    kinds: Ints
    """(P, kinds, kinds + 1) kinds that may not follow, and the most duties of the kind."""
    price: Ints
    """(rules,) in the order of `improve.RULES`."""
    share: Ints
    """(Q + 1, slots + 1) emotional minutes x 1000 at each post from the first midnight."""
    emotional: Ints
    """(Q + 1,)"""
    spread: Ints
    """(4, 3) for exposure, nights, weekends and requests: whether spread is priced, the price and what is allowed."""
    refuses: Ints
    """(P, D, K + 1) requests refused by each duty, and by none; (0, 0, 0) where that is not to be spread."""


START, LENGTH, PAID, KIND, NIGHT, N_PAUSES = range(6)
HAS, LIKE, EXPOSES, CIRCLE, LIMITS = range(5)
N_LIMITS = 19
PATTERN, FROM, TO = range(3)
DUTY, GONE, STRAIN = range(3)
WAS, COST = range(2)
NOW, BEST, DIFFERENT, READY = range(4)


class State(NamedTuple):
    """A roster, what follows from it, the best one so far, and room to judge changes in."""

    work: Ints
    """(P, D, 2 B + 2) duty, -1 for none; slots of its pauses into it; posts."""
    best: Ints
    totals: Ints
    """(4,) cost NOW, of the BEST, how many cells are DIFFERENT between them, and whether all that follows is READY."""
    differs: Ints
    """(P x D,) which are different; `differ` (P, D) has them marked."""
    differ: Ints
    beyond: Ints
    """(W, most sets)"""
    windows: Ints
    """(W, 2) kin that the person who is judged WAS there, and COST now."""
    margins: Ints
    """(2, N + 1, W) what one more of a kin would change of that, and one fewer."""
    mine: Ints
    """(P,) price of the rules about days."""
    days: Ints
    """(P, D, 3) DUTY; exposure x 1000 GONE in it; price of the rules about posts that it breaks, STRAIN."""
    rows: Ints
    """(2, D, 3) the same as it would be for somebody and another; `values` (2, 4) likewise."""
    value: Ints
    """(4, P) what is to be spread; `ends` (4, circles, 4) the most, the least, and how many have them."""
    ends: Ints
    values: Ints
    new: Ints
    """(2 B + 2,) work that is judged."""
    sums: Ints
    """(most posts, L, most windows + 1) worth of being there from the start of the duty."""


def state_of(t: Tables, work: Ints) -> State:
    """Room for a search from this roster, which is copied."""
    n_people, days, _ = work.shape
    n_windows, n_kin = len(t.windows), t.counts.shape[1]

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    windows = zeros(n_windows, 2)
    windows[:, WAS] = n_kin - 1
    return State(
        work.copy(), work.copy(), zeros(4), zeros(n_people * days), zeros(n_people, days), t.beyond.copy(), windows,
        zeros(2, n_kin, n_windows), zeros(n_people), zeros(n_people, days, 3), zeros(2, days, 3), zeros(4, n_people),
        zeros(4, t.members[0] - 1, 4), zeros(2, 4), zeros(work.shape[2]), zeros(t.posts.shape[1], t.between.shape[1], n_windows + 1),
    )  # fmt: skip


def search(
    t: Tables, s: State, seed: int, span: tuple[int, int], moves: int, hot: float, cold: float
) -> None:
    """The moves from `span[0]` up to `span[1]` of so many in all, from hot to cold; the best roster is kept in `s`."""
    _compiled()(t, s, seed, span[0], span[1], moves, hot, cold)


# --- cover ------------------------------------------------------------------------------------------------------------


def _price(t: Tables, s: State, w: int, add: int, drop: int) -> int:
    """Price of a window with one more of kin `add` and one fewer of kin `drop`."""
    pattern = t.windows[w, PATTERN]
    total, i = 0, 0
    for term in range(t.patterns[pattern, 0], t.patterns[pattern, 1]):
        most = t.terms[term, 3]
        for one in range(t.terms[term, 0], t.terms[term, 1]):
            most = max(most, s.beyond[w, i] + t.counts[one, add] - t.counts[one, drop])
            i += 1
        total += t.terms[term, 2] * most
    return int(total)


def _refresh(t: Tables, s: State, w: int) -> None:
    pattern, nobody = t.windows[w, PATTERN], t.counts.shape[1] - 1
    now = _price(t, s, w, nobody, nobody)
    s.windows[w, COST] = now
    for i in range(t.patterns[pattern, 2], t.patterns[pattern, 3]):
        kin = t.kins[i]
        s.margins[0, kin, w] = _price(t, s, w, kin, nobody) - now
        s.margins[1, kin, w] = _price(t, s, w, nobody, kin) - now


def _shift(t: Tables, s: State, w: int, add: int, drop: int) -> None:
    """Somebody is there as another kin, or as nobody."""
    pattern = t.windows[w, PATTERN]
    i = 0
    for term in range(t.patterns[pattern, 0], t.patterns[pattern, 1]):
        for one in range(t.terms[term, 0], t.terms[term, 1]):
            s.beyond[w, i] += t.counts[one, add] - t.counts[one, drop]
            i += 1
    _refresh(t, s, w)


def _change(t: Tables, s: State, w: int, old: int, new: int) -> int:
    """What it changes of a window's price."""
    nobody = t.counts.shape[1] - 1
    if old == new:
        return 0
    if old == nobody:
        return int(s.margins[0, new, w])
    if new == nobody:
        return int(s.margins[1, old, w])
    return int(_price(t, s, w, new, old) - s.windows[w, COST])


def _stretch(t: Tables, day: int, one: Ints, k: int) -> tuple[int, int]:
    """Slots from and to which somebody is on the queue between pauses."""
    duty = one[0]
    first = day * t.per_day + t.duties[duty, START]
    begin = first if k == 0 else first + one[k] + t.pauses[duty, k - 1, 2]
    end = first + (t.duties[duty, LENGTH] if k == t.duties[duty, N_PAUSES] else one[1 + k])
    return begin, end


def _kin(t: Tables, person: int, one: Ints, k: int) -> int:
    """In the k-th stretch."""
    return int(t.kin[person, one[1 + t.most_pauses + k]])


def _mark(t: Tables, s: State, person: int, day: int, one: Ints) -> int:
    """Note where somebody is now; what taking all of it away would change."""
    change = 0
    for k in range(t.duties[one[0], N_PAUSES] + 1):
        begin, end = _stretch(t, day, one, k)
        kin = _kin(t, person, one, k)
        for layer in range(t.between.shape[1]):
            for w in range(t.between[0, layer, begin], t.between[1, layer, end]):
                change += s.margins[1, kin, w]
                s.windows[w, WAS] = kin
    w, kin = t.of_kind[day, t.duties[one[0], KIND]], t.kin[person, t.n_posts]
    s.windows[w, WAS] = kin
    return int(change + s.margins[1, kin, w])


def _forget(t: Tables, s: State, day: int, duty: int) -> None:
    nobody = t.counts.shape[1] - 1
    begin = day * t.per_day + t.duties[duty, START]
    for layer in range(t.between.shape[1]):
        for w in range(t.between[0, layer, begin], t.between[1, layer, begin + t.duties[duty, LENGTH]]):
            s.windows[w, WAS] = nobody
    s.windows[t.of_kind[day, t.duties[duty, KIND]], WAS] = nobody


def _worth(t: Tables, s: State, j: int, first: int, begin: int, end: int) -> int:
    """Of being at one's j-th post, summed from slot `first`, what it changes from `begin` to `end`."""
    change = 0
    for layer in range(t.between.shape[1]):
        low = t.between[0, layer, begin]
        high = t.between[1, layer, end]
        if high > low:
            from_ = t.between[0, layer, first]
            change += s.sums[j, layer, high - from_] - s.sums[j, layer, low - from_]
    return int(change)


def _choose(t: Tables, s: State, person: int, day: int, duty: int, week: int) -> int:
    """Pauses and posts that cost least, one after another, ties by lot, into the room for them; what being there changes.

    week: exposure x 1000 of the person's other duties in the week. Where somebody is now must be marked.
    """
    first = day * t.per_day + t.duties[duty, START]
    last = first + t.duties[duty, LENGTH]
    nobody = t.counts.shape[1] - 1
    for j in range(t.people[person, HAS]):
        kin = t.kin[person, t.posts[person, j]]
        for layer in range(t.between.shape[1]):
            from_, total = t.between[0, layer, first], 0
            s.sums[j, layer, 0] = 0
            for w in range(from_, t.between[1, layer, last]):
                old = s.windows[w, WAS]
                if old == nobody:
                    total += s.margins[0, kin, w]
                elif old == kin:
                    total -= s.margins[1, kin, w]
                else:
                    total += _price(t, s, w, kin, old) - s.windows[w, COST] - s.margins[1, old, w]
                s.sums[j, layer, w - from_ + 1] = total
    s.new[0] = duty
    exposes = t.people[person, EXPOSES]
    free, run, turn_run, of_day, change = 0, 0, 0, 0, 0
    n = t.duties[duty, N_PAUSES]
    for k in range(n + 1):
        if k < n:
            low, high, length = max(free, t.pauses[duty, k, 0]), t.pauses[duty, k, 1], t.pauses[duty, k, 2]
        else:
            low = high = t.duties[duty, LENGTH]
            length = 0
        least, chosen, best = NEVER, low, 0
        width = high - low + 1
        turn = np.random.randint(width) if width > 1 else 0
        offset = np.random.randint(t.people[person, HAS]) if t.people[person, HAS] > 1 else 0
        for i in range(width):
            at = low + (i + turn) % width
            rest = 0
            if k < n:
                rest = NEVER
                for j in range(t.people[person, HAS]):
                    rest = min(rest, _worth(t, s, j, first, first + at + length, last))
            for i_post in range(t.people[person, HAS]):
                j = (i_post + offset) % t.people[person, HAS]
                if (
                    t.fixed[duty, k] >= 0
                    and t.people[person, HAS] > 1
                    and t.posts[person, j] != t.fixed[duty, k]
                ):
                    continue
                price = _worth(t, s, j, first, first + free, first + at) + rest
                if exposes:
                    post = t.posts[person, j]
                    gone = t.share[post, first + at] - t.share[post, first + free]
                    price += _step(t, person, post, gone, (at - free) * t.grid, run, turn_run, of_day, week)
                if price < least:
                    least, chosen, best = price, at, j
        post = t.posts[person, best]
        change += _worth(t, s, best, first, first + free, first + chosen)
        s.new[1 + t.most_pauses + k] = post
        if exposes:
            gone = t.share[post, first + chosen] - t.share[post, first + free]
            run, of_day = run + gone, of_day + gone
            if k < n and t.pauses[duty, k, 3]:
                run = 0
            if chosen > free:
                turn_run = turn_run + (chosen - free) * t.grid if t.emotional[post] else 0
        if k < n:
            s.new[1 + k] = chosen
        free = chosen + length
    w, kin = t.of_kind[day, t.duties[duty, KIND]], t.kin[person, t.n_posts]
    if s.windows[w, WAS] == kin:
        return int(change - s.margins[1, kin, w])
    return int(change + s.margins[0, kin, w])


def _replace(t: Tables, s: State, person: int, day: int, new: Ints) -> None:
    """Other work on a day, or none (-1), in the roster and the cover."""
    nobody = t.counts.shape[1] - 1
    done = nobody + 1
    one = s.work[person, day]
    if one[0] >= 0:
        _mark(t, s, person, day, one)
    if new[0] >= 0:
        for k in range(t.duties[new[0], N_PAUSES] + 1):
            begin, end = _stretch(t, day, new, k)
            kin = _kin(t, person, new, k)
            for layer in range(t.between.shape[1]):
                for w in range(t.between[0, layer, begin], t.between[1, layer, end]):
                    if s.windows[w, WAS] != kin:
                        _shift(t, s, w, kin, s.windows[w, WAS])
                    s.windows[w, WAS] = done
        w, kin = t.of_kind[day, t.duties[new[0], KIND]], t.kin[person, t.n_posts]
        if s.windows[w, WAS] != kin:
            _shift(t, s, w, kin, nobody)
        s.windows[w, WAS] = done
    if one[0] >= 0:
        begin = day * t.per_day + t.duties[one[0], START]
        end = begin + t.duties[one[0], LENGTH]
        for layer in range(t.between.shape[1]):
            for w in range(t.between[0, layer, begin], t.between[1, layer, end]):
                if s.windows[w, WAS] < nobody:
                    _shift(t, s, w, nobody, s.windows[w, WAS])
        w = t.of_kind[day, t.duties[one[0], KIND]]
        if s.windows[w, WAS] < nobody:
            _shift(t, s, w, nobody, s.windows[w, WAS])
        _forget(t, s, day, one[0])
    if new[0] >= 0:
        _forget(t, s, day, new[0])
    _copy(one, new)
    _note(s, person, day)


# --- rules ------------------------------------------------------------------------------------------------------------


def _days(t: Tables, person: int, row: Ints) -> int:
    """Price of the rules about days that a person's duties break."""
    limit, price, days = t.people[person, LIMITS:], t.price, len(row)
    total, paid, shifts, weekends, weekend = 0, 0, 0, 0, -1
    run, nights, off, end, last = limit[10], limit[12], 0, limit[11], limit[13]
    run_from, off_from = -limit[10], 0
    for day in range(days):
        duty = row[day, DUTY]
        if duty < 0:
            if run > 0 and run_from > 0:
                total += price[7] * max(0, limit[5] - run)
            if run > 0 or day == 0:
                off_from = day
            off, run, nights, last = off + 1, 0, 0, -1
            continue
        kind = t.duties[duty, KIND]
        paid, shifts = paid + t.duties[duty, PAID], shifts + 1
        if run == 0:
            run_from = day
            if off > 0 and off_from > 0:
                total += price[8] * max(0, limit[7] - off)
        off, run = 0, run + 1
        if run > limit[6]:
            total += price[6]
        nights = nights + 1 if t.duties[duty, NIGHT] else 0
        if nights > limit[9]:
            total += price[10]
        begins = (day * t.per_day + t.duties[duty, START]) * t.grid
        total += price[5] * max(0, limit[4] - (begins - end))
        if begins < end:
            total += HARD  # whatever the price of rest, nobody works two duties at a time
        end = begins + t.duties[duty, LENGTH] * t.grid
        if last >= 0 and t.kinds[person, last, kind]:
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
    for kind in range(t.kinds.shape[1]):
        if t.kinds[person, kind, -1] < days:
            of_kind = 0
            for day in range(days):
                if row[day, DUTY] >= 0 and t.duties[row[day, DUTY], KIND] == kind:
                    of_kind += 1
            total += price[0] * max(0, of_kind - t.kinds[person, kind, -1])
    return int(total)


def _over(amount: int, limit: int) -> int:
    """Minutes of an amount x 1000 beyond a limit, begun ones too."""
    return (max(0, amount - limit) + 999) // 1000


def _step(
    t: Tables, person: int, post: int, gone: int, minutes: int, run: int, turn: int, of_day: int, of_week: int
) -> int:
    """Price that a stretch with so much exposure adds to that of the duty so far.

    run: exposure since the last decompression; turn: minutes at emotional posts, one stretch after another.
    """
    limit, price = t.people[person, LIMITS:], t.price
    total = price[12] * _over(gone, limit[14])
    total += price[13] * (_over(of_day + gone, limit[15]) - _over(of_day, limit[15]))
    total += price[14] * (_over(of_week + of_day + gone, limit[16]) - _over(of_week + of_day, limit[16]))
    total += price[15] * (_over(run + gone, limit[17]) - _over(run, limit[17]))
    if t.emotional[post]:
        total += price[16] * (max(0, turn + minutes - limit[18]) - max(0, turn - limit[18]))
    return int(total)


def _strain(t: Tables, person: int, day: int, one: Ints, row: Ints) -> None:
    """Put the duty, its exposure x 1000 and the price of the rules about it, the week's apart, into the row of a person's day."""
    duty = one[0]
    row[DUTY], row[GONE], row[STRAIN] = duty, 0, 0
    if duty < 0 or not t.people[person, EXPOSES]:
        return
    total, run, turn, of_day = 0, 0, 0, 0
    for k in range(t.duties[duty, N_PAUSES] + 1):
        begin, end = _stretch(t, day, one, k)
        at, minutes = one[1 + t.most_pauses + k], (end - begin) * t.grid
        gone = t.share[at, end] - t.share[at, begin]
        total += _step(t, person, at, gone, minutes, run, turn, of_day, -NEVER)
        run, of_day = run + gone, of_day + gone
        if minutes > 0:
            turn = turn + minutes if t.emotional[at] else 0
        if k < t.duties[duty, N_PAUSES] and t.pauses[duty, k, 3]:
            run = 0
    row[GONE], row[STRAIN] = of_day, total


def _weeks(t: Tables, person: int, row: Ints) -> int:
    """Price of too much exposure in a week."""
    limit = t.people[person, LIMITS + 16]
    if limit >= NEVER:
        return 0
    total, of_week = 0, 0
    for day in range(len(row)):
        of_week += row[day, GONE]
        if day % 7 == 6 or day == len(row) - 1:
            total += _over(of_week, limit)
            of_week = 0
    return int(total * t.price[14])


def _exposed(t: Tables, s: State, person: int, row: Ints) -> int:
    """What other exposure by day changes for a person."""
    if not t.people[person, EXPOSES]:
        return 0
    change = _weeks(t, person, row) - _weeks(t, person, s.days[person])
    for day in range(len(row)):
        change += row[day, STRAIN] - s.days[person, day, STRAIN]
    return int(change)


def _measure(t: Tables, person: int, row: Ints, values: Ints) -> None:
    """What of a person's duties is to be spread."""
    exposure, nights, weekends, weekend, refused = 0, 0, 0, -1, 0
    for day in range(len(row)):
        duty = row[day, DUTY]
        exposure += row[day, GONE]
        if t.refuses.shape[0] > 0:
            refused += t.refuses[person, day, duty]
        if duty < 0:
            continue
        nights += t.duties[duty, NIGHT]
        number = (day + t.first_weekday) // 7
        if (day + t.first_weekday) % 7 >= 5 and number != weekend:
            weekend = number
            weekends += 1
    values[0], values[1], values[2], values[3] = exposure // 1000, nights, weekends, refused


def _ends(t: Tables, s: State, what: int, circle: int) -> None:
    """The most and the least of a circle, looked up."""
    most, least, n_most, n_least = -NEVER, NEVER, 0, 0
    for i in range(t.members[circle], t.members[circle + 1]):
        value = s.value[what, t.members[i]]
        if value > most:
            most, n_most = value, 0
        if value < least:
            least, n_least = value, 0
        n_most += value == most
        n_least += value == least
    ends = s.ends[what, circle]
    ends[0], ends[1], ends[2], ends[3] = most, least, n_most, n_least


def _unfair(t: Tables, s: State, what: int, circle: int) -> int:
    return int(
        t.spread[what, 1] * max(0, s.ends[what, circle, 0] - s.ends[what, circle, 1] - t.spread[what, 2])
    )


def _spread(t: Tables, s: State, person: int, values: Ints) -> int:
    """Somebody has other values now; what that changes. `values` has those before."""
    circle, change = t.people[person, CIRCLE], 0
    if circle < 0:
        return 0
    ends = s.ends[0, circle]
    for what in range(4):
        new, old = values[what], s.value[what, person]
        if not t.spread[what, 0] or new == old:
            continue
        change -= _unfair(t, s, what, circle)
        s.value[what, person], values[what] = new, old
        ends = s.ends[what, circle]
        if (old == ends[0] and ends[2] == 1 and new < old) or (old == ends[1] and ends[3] == 1 and new > old):
            _ends(t, s, what, circle)
        else:
            ends[2] -= old == ends[0]
            ends[3] -= old == ends[1]
            if new > ends[0]:
                ends[0], ends[2] = new, 0
            if new < ends[1]:
                ends[1], ends[3] = new, 0
            ends[2] += new == ends[0]
            ends[3] += new == ends[1]
        change += _unfair(t, s, what, circle)
    return int(change)


# --- the search -------------------------------------------------------------------------------------------------------


def _copy(to: Ints, what: Ints) -> None:
    for i in range(len(what)):
        to[i] = what[i]


def _copy_row(to: Ints, what: Ints) -> None:
    for day in range(len(what)):
        _copy(to[day], what[day])


def _note(s: State, person: int, day: int) -> None:
    if not s.differ[person, day]:
        s.differ[person, day] = 1
        s.differs[s.totals[DIFFERENT]] = person * s.work.shape[1] + day
        s.totals[DIFFERENT] += 1


def _keep(s: State, change: int) -> None:
    """The cost changes; if it is the least so far, so is the roster."""
    s.totals[NOW] += change
    if s.totals[NOW] >= s.totals[BEST]:
        return
    s.totals[BEST] = s.totals[NOW]
    for i in range(s.totals[DIFFERENT]):
        person, day = s.differs[i] // s.work.shape[1], s.differs[i] % s.work.shape[1]
        s.differ[person, day] = 0
        _copy(s.best[person, day], s.work[person, day])
    s.totals[DIFFERENT] = 0


def _taken(change: int, heat: float) -> bool:
    return bool(change <= 0 or np.random.random() < math.exp(-change / heat))


def _some_duty(t: Tables, s: State, person: int, day: int, near: int) -> int:
    """A duty that the person may be given on the day: near another one in the list, or one of their other days', or the
    cheapest of three; -1 for none."""
    which = t.which[person, day]
    low, high = t.may[which], t.may[which + 1]
    if low == high:
        return -1
    what = np.random.random()
    if what < 0.7:
        like = near if what < 0.5 else s.work[person, np.random.randint(s.work.shape[1]), 0]
        if like >= 0 and t.may_at[which, like] >= 0:
            to = t.may_at[which, like] + (np.random.randint(-4, 5) if what < 0.5 else 0)
            if low <= to < high:
                return int(t.may[to])
    chosen = -1
    for _ in range(3):
        other = t.may[low + np.random.randint(high - low)]
        if chosen < 0 or t.cell[person, day, other] < t.cell[person, day, chosen]:
            chosen = other
    return int(chosen)


def _move_pause(t: Tables, s: State, heat: float, person: int, day: int) -> None:
    one = s.work[person, day]
    duty = one[0]
    if duty < 0 or t.duties[duty, N_PAUSES] == 0:
        return
    k = np.random.randint(t.duties[duty, N_PAUSES])
    at, length = one[1 + k], t.pauses[duty, k, 2]
    to = t.pauses[duty, k, 0] + np.random.randint(t.pauses[duty, k, 1] - t.pauses[duty, k, 0] + 1)
    if to == at or (k > 0 and to < one[k] + t.pauses[duty, k - 1, 2]):
        return
    if k + 1 < t.duties[duty, N_PAUSES] and to + length > one[2 + k]:
        return
    _copy(s.new, one)
    s.new[1 + k] = to
    # Only what lies about the two times changes.
    first, nobody = day * t.per_day + t.duties[duty, START], t.counts.shape[1] - 1
    before, after = _kin(t, person, one, k), _kin(t, person, one, k + 1)
    begin, _ = _stretch(t, day, one, k)
    _, end = _stretch(t, day, one, k + 1)
    change = 0
    for layer in range(t.between.shape[1]):
        low = max(t.between[1, layer, first + min(at, to)], t.between[0, layer, begin])
        high = min(t.between[0, layer, first + max(at, to) + length], t.between[1, layer, end])
        for w in range(low, high):
            old = new = nobody
            if t.windows[w, TO] <= first + at:
                old = before
            elif t.windows[w, FROM] >= first + at + length:
                old = after
            if t.windows[w, TO] <= first + to:
                new = before
            elif t.windows[w, FROM] >= first + to + length:
                new = after
            change += _change(t, s, w, old, new)
    _settle(t, s, heat, change, person, day)


def _move_post(t: Tables, s: State, heat: float, person: int, day: int) -> None:
    one = s.work[person, day]
    duty = one[0]
    if duty < 0 or t.people[person, HAS] < 2:
        return
    k = np.random.randint(t.duties[duty, N_PAUSES] + 1)
    to = t.posts[person, np.random.randint(t.people[person, HAS])]
    if to == one[1 + t.most_pauses + k] or t.fixed[duty, k] >= 0:
        return
    _copy(s.new, one)
    s.new[1 + t.most_pauses + k] = to
    change, old, new = 0, _kin(t, person, one, k), t.kin[person, to]
    begin, end = _stretch(t, day, one, k)
    for layer in range(t.between.shape[1]):
        for w in range(t.between[0, layer, begin], t.between[1, layer, end]):
            change += _change(t, s, w, old, new)
    _settle(t, s, heat, change, person, day)


def _settle(t: Tables, s: State, heat: float, change: int, person: int, day: int) -> None:
    """Take other pauses and posts of the same duty, those in `new`, or leave it."""
    row, spread = s.rows[0], False
    if t.people[person, EXPOSES]:
        _copy_row(row, s.days[person])
        _strain(t, person, day, s.new, row[day])
        change += _exposed(t, s, person, row)
        if t.spread[0, 0]:
            spread = True
            _measure(t, person, row, s.values[0])
            change += _spread(t, s, person, s.values[0])
    if _taken(change, heat):
        if t.people[person, EXPOSES]:
            _copy(s.days[person, day], row[day])
        _replace(t, s, person, day, s.new)
        _keep(s, change)
    elif spread:
        _spread(t, s, person, s.values[0])


def _move_work(t: Tables, s: State, heat: float, person: int, day: int, what: float) -> None:
    """Another duty (`what` below 0.7), or on another day, or none."""
    one, to_day = s.work[person, day], day
    old, given = one[0], -1
    if t.which[person, day] < 0:
        return
    if what < 0.7:
        given = _some_duty(t, s, person, day, old)
        if given < 0 or given == old:
            return
    elif what < 0.95:
        to_day = np.random.randint(s.work.shape[1])
        if old < 0 or s.work[person, to_day, 0] >= 0 or t.which[person, to_day] < 0:
            return
        given = _some_duty(t, s, person, to_day, old)
        if given < 0:
            return
    elif old < 0:
        return
    row = s.rows[0]
    _copy_row(row, s.days[person])
    change = t.cell[person, to_day, given] - t.cell[person, to_day, row[to_day, DUTY]]
    if to_day != day:
        change += t.cell[person, day, -1] - t.cell[person, day, old]
        row[day, DUTY] = -1
        row[day, GONE] = row[day, STRAIN] = 0
    row[to_day, DUTY] = given
    row[to_day, GONE] = row[to_day, STRAIN] = 0
    mine = _days(t, person, row)
    change += mine - s.mine[person]
    if change >= TOO_MUCH:
        return
    week = 0
    if t.people[person, EXPOSES]:
        for other in range(to_day - to_day % 7, min(to_day - to_day % 7 + 7, len(row))):
            week += row[other, GONE]
    if old >= 0:
        change += _mark(t, s, person, day, one)
    s.new[0] = -1
    if given >= 0:
        change += _choose(t, s, person, to_day, given, week)
    if old >= 0:
        _forget(t, s, day, old)
    if t.people[person, EXPOSES]:
        _strain(t, person, to_day, s.new, row[to_day])
        change += _exposed(t, s, person, row)
    if t.spreads:
        _measure(t, person, row, s.values[0])
        change += _spread(t, s, person, s.values[0])
    if _taken(change, heat):
        s.mine[person] = mine
        _copy_row(s.days[person], row)
        _replace(t, s, person, to_day, s.new)
        if to_day != day:
            s.new[0] = -1
            _replace(t, s, person, day, s.new)
        _keep(s, change)
    elif t.spreads:
        _spread(t, s, person, s.values[0])


def _swap(t: Tables, s: State, heat: float, person: int, day: int) -> None:
    """Two who count alike swap their days, one or several: the cover stays."""
    like, last, differ, change = t.people[person, LIKE], day, 0, 0
    other = t.likes[np.random.randint(t.likes[like], t.likes[like + 1])]
    if np.random.random() < 0.5:
        last = np.random.randint(day, s.work.shape[1])
    if other == person:
        return
    _copy_row(s.rows[0], s.days[person])
    _copy_row(s.rows[1], s.days[other])
    for at in range(day, last + 1):
        mine, theirs = s.work[person, at], s.work[other, at]
        if mine[0] < 0 and theirs[0] < 0:
            continue
        if t.which[person, at] < 0 or t.which[other, at] < 0:
            return
        for k in range(len(mine)):
            differ += mine[k] != theirs[k]
        change += t.cell[person, at, theirs[0]] - t.cell[person, at, mine[0]]
        change += t.cell[other, at, mine[0]] - t.cell[other, at, theirs[0]]
        s.rows[0, at, DUTY], s.rows[1, at, DUTY] = theirs[0], mine[0]
    if not differ or change >= TOO_MUCH:
        return
    days = _days(t, person, s.rows[0]), _days(t, other, s.rows[1])
    change += days[0] - s.mine[person] + days[1] - s.mine[other]
    if change >= TOO_MUCH:
        return
    for at in range(day, last + 1):
        _strain(t, person, at, s.work[other, at], s.rows[0, at])
        _strain(t, other, at, s.work[person, at], s.rows[1, at])
    change += _exposed(t, s, person, s.rows[0]) + _exposed(t, s, other, s.rows[1])
    if t.spreads:
        _measure(t, person, s.rows[0], s.values[0])
        _measure(t, other, s.rows[1], s.values[1])
        change += _spread(t, s, person, s.values[0])
        change += _spread(t, s, other, s.values[1])
    if _taken(change, heat):
        s.mine[person], s.mine[other] = days
        _copy_row(s.days[person], s.rows[0])
        _copy_row(s.days[other], s.rows[1])
        for at in range(day, last + 1):
            for k in range(s.work.shape[2]):
                s.work[person, at, k], s.work[other, at, k] = s.work[other, at, k], s.work[person, at, k]
            _note(s, person, at)
            _note(s, other, at)
        _keep(s, change)
    elif t.spreads:
        _spread(t, s, other, s.values[1])
        _spread(t, s, person, s.values[0])


def _begin(t: Tables, s: State) -> None:
    """What follows from the roster, which is the best so far."""
    total = 0
    for w in range(len(t.windows)):
        _refresh(t, s, w)
    for person in range(s.work.shape[0]):
        for day in range(s.work.shape[1]):
            _copy(s.new, s.work[person, day])
            total += t.cell[person, day, s.new[0]]
            s.work[person, day, 0] = -1
            _replace(t, s, person, day, s.new)
            _strain(t, person, day, s.new, s.days[person, day])
            total += s.days[person, day, STRAIN]
        s.mine[person] = _days(t, person, s.days[person])
        total += s.mine[person] + _weeks(t, person, s.days[person])
        _measure(t, person, s.days[person], s.values[0])
        for what in range(4):
            s.value[what, person] = s.values[0, what]
    for circle in range(t.members[0] - 1):
        for what in range(4):
            _ends(t, s, what, circle)
            if t.spread[what, 0]:
                total += _unfair(t, s, what, circle)
    for w in range(len(t.windows)):
        total += s.windows[w, COST]
    s.totals[NOW], s.totals[BEST], s.totals[READY] = total, total + 1, 1
    _keep(s, 0)


def _anneal(
    t: Tables, s: State, seed: int, first: int, last: int, moves: int, hot: float, cold: float
) -> None:
    """The moves from the first up to the last."""
    if not s.totals[READY]:
        _begin(t, s)
    np.random.seed(seed)
    n_people, days = s.work.shape[0], s.work.shape[1]
    heat = hot
    for move in range(first, last):
        if move == first or move % STEP == 0:
            heat = hot * (cold / hot) ** (move / moves)
        person = np.random.randint(n_people)
        day = np.random.randint(days)
        what = np.random.random()
        if what < 0.25:
            if what < 0.08 and t.posts.shape[1] > 1:
                _move_post(t, s, heat, person, day)
            else:
                _move_pause(t, s, heat, person, day)
        elif what < 0.30:
            _swap(t, s, heat, person, day)
        else:
            _move_work(t, s, heat, person, day, what)


HELPERS = (
    _price, _refresh, _shift, _change, _stretch, _kin, _mark, _forget, _worth, _over, _step, _choose, _copy, _copy_row, _note, _replace,
    _days, _strain, _weeks, _exposed, _measure, _ends, _unfair, _spread, _keep, _taken, _some_duty, _settle, _move_pause, _move_post,
    _move_work, _swap, _begin,
)  # fmt: skip


@cache
def _compiled() -> Any:
    """The search as Numba wraps it."""
    return compiled(_anneal, HELPERS, inlined=True)
