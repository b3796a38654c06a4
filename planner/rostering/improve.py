"""A roster made better by simulated annealing: a problem in arrays, searches side by side, and what they find judged by the validator.

The search itself is compiled, in `planner.rostering.anneal`. Hard rules weigh so much that they are only ever mended. Short and over of
needs that the same people could serve cost what the cheapest split costs (Hall's condition, by level of price: a matching that fills
the dearest needs and one that uses the dearest people exist together, Mendelsohn & Dulmage 1958).
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.rostering import cover
from planner.rostering.anneal import (
    BEST,
    CIRCLE,
    EXPOSES,
    FROM,
    HARD,
    HAS,
    LIKE,
    LIMITS,
    N_LIMITS,
    NEVER,
    PATTERN,
    TO,
    Ints,
    Tables,
    search,
    state_of,
)
from planner.rostering.problem import (
    DAY_MIN,
    SHARE_MIN,
    Duty,
    NamedRoster,
    Need,
    Person,
    Request,
    RosterProblem,
    Terms,
    Work,
)
from planner.rostering.rules.base import circles, earliest_pauses, is_night, published_duties, touches_leave
from planner.rostering.validate import audit

MOST_SETS = 256
"""Needs of the same time are judged as they are where they overlap in so many ways; in more, some people count for fewer of them."""
MINUTES = {
    "least_paid": 1200, "most_paid": 1200, "rest": 60, "exposure_stretch": 60, "exposure_day": 60, "exposure_week": 60,
    "decompression": 60, "rotation": 60, "fair_exposure": 60, "overtime": 80,
}  # fmt: skip
"""Each of these many minutes (of overtime: quarters of an hour) of a hard rule weighs HARD: a shift missing weighs less than a rule broken to give it."""
RULES = (
    "most_of_kind", "least_paid", "most_paid", "least_shifts", "most_shifts", "rest", "most_in_a_row", "least_in_a_row",
    "least_off_in_a_row", "weekends", "nights_in_a_row", "forbidden_successions", "exposure_stretch", "exposure_day", "exposure_week",
    "decompression", "rotation", "overtime",
)  # fmt: skip
SPREADS = ("fair_exposure", "fair_nights", "fair_weekends", "fair_requests")
HOT, COLD = 1.0, 0.05
"""First and last temperature, in prices of a person short."""
TOLD_AFTER_S = 2.0
CHUNKS = 50
"""A search is told of, and may be stopped, so many times."""
Tell = Callable[[float, float], object]


class _TooManyWaysError(Exception):
    """Needs of the same time overlap in more ways than the search has room for."""


def improve(
    problem: RosterProblem,
    start: NamedRoster | None = None,
    *,
    moves: int,
    seed: int = 0,
    starts: int = 1,
    warmth: float = 1.0,
    tell: Tell | None = None,
) -> NamedRoster:
    """The best roster of `starts` searches of so many moves each, run side by side; never worse than `start`.

    The same seed gives the same roster. warmth: share of the usual first temperature; below about 0.2 a search keeps most of a good start.
    tell: called now and then with the share of the moves made and the least `own_cost` so far;
    where it returns False, the search ends with what it has.
    """
    t = tables_of(problem)
    first = start or NamedRoster(())
    if not t.which.size:
        return first
    work = _work_of(problem, t, first)
    hot, cold = (share * _usual_price(problem) for share in (max(HOT * warmth, COLD), COLD))
    progress = _Progress(starts, tell)

    def one(number: int) -> NamedRoster:
        s = state_of(t, work)
        for chunk in range(CHUNKS):
            span = moves * chunk // CHUNKS, moves * (chunk + 1) // CHUNKS
            search(t, s, _seed(seed, number, chunk), span, moves, hot, cold)
            if not progress.goes_on(number, (chunk + 1) / CHUNKS, int(s.totals[BEST])):
                break
        return _roster(problem, t, s.best)

    with ThreadPoolExecutor(starts) as pool:
        found = list(pool.map(one, range(starts)))
    return min(
        [*([start] if start is not None else []), *found], key=lambda roster: _badness(problem, roster)
    )


def warm_up(say: Callable[[str], None]) -> None:
    """Have the search compiled, and say so where it takes a while: once for each version of the sources."""
    duty = Duty("day", 0, 60, 60)
    person = Person("nobody", frozenset(), ((0,),), Terms())
    problem = RosterProblem(1, 0, (duty,), (person,), (Need(0, 1, 1, 1, None, 0, 60),))
    slow = threading.Timer(
        TOLD_AFTER_S, say, ["Compiling the search for rosters; this takes half a minute or so, once."]
    )
    slow.start()
    try:
        improve(problem, moves=1)
    finally:
        slow.cancel()


def own_cost(problem: RosterProblem, roster: NamedRoster) -> int:
    """What the search sees: the objective, and what hard rules broken weigh. Pauses and posts at fault are put right first."""
    t = tables_of(problem)
    s = state_of(t, _work_of(problem, t, roster))
    search(t, s, 0, (0, 0), 1, 1.0, 1.0)
    return int(s.totals[BEST])


def moves_in(problem: RosterProblem, seconds: float, probe: int = 200_000) -> int:
    """About how many moves this machine makes in so many seconds, measured on a roster that is filled; compiles the search if need be."""
    t = tables_of(problem)
    if not t.which.size:
        return 1
    s = state_of(t, _work_of(problem, t, NamedRoster(())))
    hot, cold = (share * _usual_price(problem) for share in (HOT, COLD))
    search(t, s, 0, (0, probe), probe, hot, cold)
    begun = time.perf_counter()
    search(t, s, 1, (0, probe), probe, hot, cold)
    return max(1, int(probe * seconds / (time.perf_counter() - begun)))


class _Progress:
    """How far the searches are, together."""

    def __init__(self, searches: int, tell: Tell | None) -> None:
        self.tell = tell
        self.shares = [0.0] * searches
        self.least: float = math.inf
        self.stopped = False
        self.lock = threading.Lock()

    def goes_on(self, number: int, share: float, cost: int) -> bool:
        """Note how far one search is; whether it is to go on."""
        with self.lock:
            self.shares[number] = share
            self.least = min(self.least, cost)
            if self.tell is not None and not self.stopped:
                self.stopped = self.tell(sum(self.shares) / len(self.shares), self.least) is False
            return not self.stopped


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence([number % (1 << 32) for number in numbers]).generate_state(1)[0])


def _usual_price(problem: RosterProblem) -> float:
    prices = [need.under for need in problem.needs if need.under > 0]
    return float(np.median(prices)) if prices else 1.0


def _badness(problem: RosterProblem, roster: NamedRoster) -> tuple[int, int, int]:
    found = audit(problem, roster)
    return len(found.hard), sum(b.by for b in found.hard), found.objective


# --- a problem in arrays ----------------------------------------------------------------------------------------------


def tables_of(problem: RosterProblem) -> Tables:
    """The problem in arrays."""
    people, duties, days = problem.people, problem.duties, problem.days
    grid = _grid(problem)
    per_day = DAY_MIN // grid
    kinds = sorted({d.kind for d in duties} | {n.kind for n in problem.needs if n.kind is not None})
    number = {kind: i for i, kind in enumerate(kinds)}
    horizon_min = (days + max((-(-d.end_min // DAY_MIN) for d in duties), default=1)) * DAY_MIN
    kin = _Kin(problem)
    windows = _Windows(problem, kin, horizon_min, grid)
    posts = [person.posts or (len(problem.posts),) for person in people]
    like: dict[object, list[int]] = {}
    for i in range(len(people)):
        like.setdefault((tuple(kin.at[i]), posts[i]), []).append(i)
    together = circles(problem)
    pauses = np.zeros((len(duties), max((len(d.pauses) for d in duties), default=0), 4), np.int64)
    for k, duty in enumerate(duties):
        pauses[k, : len(duty.pauses)] = _pauses(duty, grid)
    fixed = np.full((len(duties), pauses.shape[1] + 1), -1, np.int64)
    for k, duty in enumerate(duties):
        fixed[k, : len(duty.posts)] = duty.posts
    offered = _offered(problem, pauses)
    lists = {one: i for i, one in enumerate(dict.fromkeys(each for row in offered for each in row))}
    may = _lists(lists)
    may_at = np.full((len(lists), len(duties)), -1, np.int64)
    for one, i in lists.items():
        may_at[i, list(one)] = may[i] + np.arange(len(one))
    which = np.array([[lists[one] for one in row] for row in offered], np.int64).reshape(len(people), days)
    for cell in _fixed(problem):
        which[cell] = -1
    price = np.array([_weight(problem, name) for name in RULES], np.int64)
    spread = np.array([_spread(problem, name, bool(together)) for name in SPREADS], np.int64)
    share = _shares(problem, horizon_min, grid)
    emotional = np.array([post.emotional for post in problem.posts] + [False], np.int64)
    people_ = np.zeros((len(people), LIMITS + N_LIMITS), np.int64)
    people_[:, HAS] = [len(one) for one in posts]
    people_[:, CIRCLE] = -1
    for i, members in enumerate(like.values()):
        people_[members, LIKE] = i
    for i, members in enumerate(together):
        people_[members, CIRCLE] = i
    for i, person in enumerate(people):
        to_spread = bool(spread[0, 0]) and people_[i, CIRCLE] >= 0
        people_[i, EXPOSES] = _exposes(person, share, emotional, to_spread)
        people_[i, LIMITS:] = _limits(person, number)
    terms = [term for some in windows.terms for term in some]
    set_from, term_from, kin_from = _from(t.sets for t in terms), _from(windows.terms), _from(windows.kins)
    return Tables(
        grid=grid, per_day=per_day, first_weekday=problem.first_weekday, n_posts=len(problem.posts), most_pauses=pauses.shape[1],
        spreads=int(spread[:, 0].any()),
        duties=np.array(
            [(d.start_min // grid, d.minutes // grid, d.paid_min, number[d.kind], is_night(d), len(d.pauses)) for d in duties], np.int64
        ).reshape(len(duties), 6),
        pauses=pauses, fixed=fixed, may=may, may_at=may_at, which=which, cell=_cells(problem), people=people_, posts=_ragged(posts), kin=kin.at,
        likes=_lists(like.values()), members=_lists(together), between=windows.between, windows=windows.array,
        of_kind=windows.of_kind(days, kinds), kins=np.array([k for some in windows.kins for k in some], np.int64),
        patterns=np.stack([term_from[:-1], term_from[1:], kin_from[:-1], kin_from[1:]], axis=1),
        terms=np.stack(
            [set_from[:-1], set_from[1:], [term.weight for term in terms], [term.least for term in terms]], axis=1
        ).astype(np.int64),
        counts=windows.counts, beyond=windows.beyond,
        kinds=np.array(
            [
                [[*((a, b) in p.terms.forbidden for b in kinds), p.terms.most_of_kind.get(a, NEVER)] for a in kinds]
                for p in people
            ], np.int64
        ).reshape(len(people), len(kinds), len(kinds) + 1),
        price=price, share=share, emotional=emotional, spread=spread,
        refuses=_refusals(problem) if spread[3, 0] else np.zeros((0, 0, 0), np.int64),
    )  # fmt: skip


def _spread(problem: RosterProblem, name: str, any_circle: bool) -> tuple[bool, int, int]:
    price = _weight(problem, name)
    return any_circle and name in problem.spread and price > 0, price, problem.spread.get(name, 0)


def _from(lists: Iterable[Sized]) -> Ints:
    """Where each list begins if they follow one another, and the end."""
    return np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)


def _lists(lists: Collection[Collection[int]]) -> Ints:
    """Lists as one array: where each begins in it, where the last ends, and what is in them."""
    flat = [value for one in lists for value in one]
    return np.concatenate([_from(lists) + len(lists) + 1, np.array(flat, np.int64)])


def _ragged(lists: Sequence[Sequence[int]]) -> Ints:
    table = np.zeros((len(lists), max((len(one) for one in lists), default=1)), np.int64)
    for i, one in enumerate(lists):
        table[i, : len(one)] = one
    return table


def _grid(problem: RosterProblem) -> int:
    """Minutes of which everything is a multiple; pauses start at its multiples, of which there are some in each window."""
    timed = [need for need in problem.needs if need.kind is None]
    grid = math.gcd(
        DAY_MIN, *(m for d in problem.duties for m in (d.start_min, d.minutes)),
        *(p.minutes for d in problem.duties for p in d.pauses), *(m for n in timed for m in (n.start_min, n.minutes)),
        *(SHARE_MIN for post in problem.posts if post.share or post.emotional),
    )  # fmt: skip
    for duty in problem.duties:
        if earliest_pauses(duty) is not None and not _fit(_pauses(duty, grid)):
            grid = math.gcd(grid, *(pause.earliest_min for pause in duty.pauses))
    return grid


def _pauses(duty: Duty, grid: int) -> Ints:
    """(B, 4) earliest and latest slot of each pause, within which the others still fit, its length, and whether it is decompression."""
    windows = np.array(
        [
            [max(0, -(-p.earliest_min // grid)), p.latest_min // grid, p.minutes // grid, p.kind == "decompression"]
            for p in duty.pauses
        ],
        np.int64,
    ).reshape(-1, 4)  # fmt: skip
    for k in range(1, len(windows)):
        windows[k, 0] = max(windows[k, 0], windows[k - 1, 0] + windows[k - 1, 2])
    end = duty.minutes // grid
    for k in reversed(range(len(windows))):
        windows[k, 1] = min(windows[k, 1], end - windows[k, 2])
        end = windows[k, 1]
    return windows


def _fit(windows: Ints) -> bool:
    return bool((windows[:, 0] <= windows[:, 1]).all())


def _weight(problem: RosterProblem, rule: str) -> int:
    return problem.prices.get(rule, HARD // MINUTES.get(rule, 1))


def _too_new(problem: RosterProblem, person: Person, duty: int) -> bool:
    return person.terms.only_kinds is not None and problem.duties[duty].kind not in person.terms.only_kinds


def _offered(problem: RosterProblem, pauses: Ints) -> list[list[tuple[int, ...]]]:
    """The duties that each person may be given on each day, by kind and start."""
    order = sorted(
        range(len(problem.duties)), key=lambda k: (problem.duties[k].kind, problem.duties[k].start_min)
    )
    rank = {k: i for i, k in enumerate(order)}
    fit = [_fit(pauses[k, : len(duty.pauses)]) for k, duty in enumerate(problem.duties)]
    return [
        [
            tuple(
                k
                for k in (
                    order
                    if "allowed_duties" in problem.prices
                    else sorted(set(offered), key=rank.__getitem__)
                )
                if fit[k]
                and (not person.posts or set(problem.duties[k].posts) <= set(person.posts))
                and ("leave" in problem.prices or not touches_leave(person, day, problem.duties[k]))
                and ("newcomers" in problem.prices or not _too_new(problem, person, k))
            )
            for day, offered in enumerate(person.duties)
        ]
        for person in problem.people
    ]


def _cells(problem: RosterProblem) -> Ints:
    """(P, D, K + 1) price of each duty on each day, and of none."""
    n_duties = len(problem.duties)
    cell = np.zeros((len(problem.people), problem.days, n_duties + 1), np.int64)
    not_allowed, leave, new = (_weight(problem, name) for name in ("allowed_duties", "leave", "newcomers"))
    for i, person in enumerate(problem.people):
        cell[i, :, :n_duties] += not_allowed
        for day, offered in enumerate(person.duties):
            cell[i, day, list(set(offered))] -= not_allowed
        for duty, price in person.dislike.items():
            cell[i, :, duty] += price
        for k in range(n_duties):
            if _too_new(problem, person, k):
                cell[i, :, k] += new
            for day in range(problem.days) if person.leave else ():
                cell[i, day, k] += leave * touches_leave(person, day, problem.duties[k])
        for wish in person.requests:
            cell[i, wish.day, _refusing(problem, wish)] += wish.weight
    published = published_duties(problem)
    for rule, cells in (
        ("locked", problem.locked),
        ("changes", np.ndindex(cell.shape[:2]) if problem.published is not None else ()),
    ):
        differs = _weight(problem, rule)
        for i, day in cells:
            cell[i, day] += differs
            cell[i, day, published.get((i, day), -1)] -= differs
    return cell


def _fixed(problem: RosterProblem) -> frozenset[tuple[int, int]]:
    """People and days that are locked without a price."""
    return frozenset() if "locked" in problem.prices else problem.locked


def _refusing(problem: RosterProblem, wish: Request) -> NDArray[np.bool_]:
    """(K + 1,) the duties, or none, that do not meet it."""
    fits = np.array([wish.kind in (None, d.kind) for d in problem.duties] + [False])
    return np.asarray(fits != wish.wants)


def _refusals(problem: RosterProblem) -> Ints:
    refuses = np.zeros((len(problem.people), problem.days, len(problem.duties) + 1), np.int64)
    for i, person in enumerate(problem.people):
        for wish in person.requests:
            refuses[i, wish.day] += _refusing(problem, wish)
    return refuses


def _shares(problem: RosterProblem, horizon_min: int, grid: int) -> Ints:
    """(Q + 1, slots + 1) emotional minutes x 1000 at each post from the first midnight."""
    minutes = np.arange(horizon_min) // SHARE_MIN
    total = np.zeros((len(problem.posts) + 1, horizon_min // grid + 1), np.int64)
    for q, post in enumerate(problem.posts):
        if post.share:
            of_minute = np.array(post.share, np.int64)[minutes % len(post.share)]
            total[q, 1:] = np.cumsum(of_minute.reshape(-1, grid).sum(axis=1))
    return total


def _exposes(person: Person, share: Ints, emotional: Ints, to_spread: bool) -> bool:
    terms, posts = person.terms, list(person.posts)
    limits = (
        terms.most_exposed_stretch_min,
        terms.most_exposed_day_min,
        terms.most_exposed_week_min,
        terms.decompress_after_min,
    )
    limited = to_spread or any(limit is not None for limit in limits)
    rotates = terms.most_at_emotional_min is not None
    return (limited and bool(share[posts, -1].any())) or (rotates and bool(emotional[posts].any()))


def _limits(person: Person, number: Mapping[str, int]) -> list[int]:
    terms, before = person.terms, person.before

    def most(value: int | None, unit: int = 1) -> int:
        return NEVER if value is None else value * unit

    return [
        terms.least_paid_min, most(terms.most_paid_min), terms.least_shifts, most(terms.most_shifts), terms.least_rest_min,
        terms.least_in_a_row, most(terms.most_in_a_row), terms.least_off_in_a_row, most(terms.most_weekends),
        most(terms.most_nights_in_a_row), before.days_in_a_row, -NEVER if before.end_min is None else before.end_min,
        before.nights_in_a_row, -1 if before.kind is None else number.get(before.kind, -1), most(terms.most_exposed_stretch_min, 1000),
        most(terms.most_exposed_day_min, 1000), most(terms.most_exposed_week_min, 1000), most(terms.decompress_after_min, 1000),
        most(terms.most_at_emotional_min), most(terms.agreed_paid_min),
    ]  # fmt: skip


class _Kin:
    """Who counts for the same needs, at a post."""

    def __init__(self, problem: RosterProblem) -> None:
        asked = sorted({need.skills for need in problem.needs}, key=sorted)
        numbers: dict[tuple[bool, ...], int] = {}

        def of(skills: frozenset[str]) -> int:
            able = tuple(not some or bool(some & skills) for some in asked)
            return numbers.setdefault(able, len(numbers))

        self.at = np.array(
            [
                [of(cover.at_post(problem, i, post)) for post in (*range(len(problem.posts)), None)]
                for i in range(len(problem.people))
            ], np.int64
        ).reshape(len(problem.people), len(problem.posts) + 1)  # fmt: skip
        """(P, Q + 1) at each post, and with all skills."""
        self.n = len(numbers)
        self.able = {
            some: frozenset(kin for able, kin in numbers.items() if able[j]) for j, some in enumerate(asked)
        }


Item = tuple[frozenset[int], int, int]
"""A need of a window: the kin who count for it, and its prices for under and over."""


class _Set(NamedTuple):
    """Some needs of a window and who serves them: `sign` x (kin there - asked by needs) may be beyond."""

    sign: int
    kin: frozenset[int]
    items: frozenset[int]


class _Term(NamedTuple):
    """Part of the price of a window: `weight` x the most that any of the sets is beyond, at least `least`."""

    weight: int
    least: int
    sets: tuple[_Set, ...]


class _Windows:
    """The times and the days with kinds for which there are needs, in arrays."""

    def __init__(self, problem: RosterProblem, kin: _Kin, horizon_min: int, grid: int) -> None:
        timed: list[tuple[int, int, dict[Item, int]]] = []
        kinds: list[tuple[int, str, dict[Item, int]]] = []
        for group in cover.groups(problem.needs):
            asked: dict[Item, int] = {}
            for need in (problem.needs[n] for n in group.needs):
                parts = [(need.under, need.people)]
                if need.core and need.core_under:
                    parts = [
                        (need.under, need.people - need.core),
                        (need.under + need.core_under, need.core),
                    ]
                for under, people in parts:
                    item = kin.able[need.skills], under, need.over
                    asked[item] = asked.get(item, 0) + people
            if group.kind is None:
                timed.append((group.start_min, group.end_min, asked))
            else:
                kinds.append((group.day, group.kind, asked))
        layers: list[list[tuple[int, int, dict[Item, int]]]] = []
        for window in sorted(timed, key=lambda one: one[:2]):
            for layer in layers:
                if layer[-1][1] <= window[1]:
                    layer.append(window)
                    break
            else:
                layers.append([window])
        ordered = [window for layer in layers for window in layer]
        bounds = np.arange(horizon_min // grid + 1) * grid
        base = _from(layers)[:-1, None]
        shape = len(layers), len(bounds)
        first = base + np.array(
            [np.searchsorted([w[0] for w in layer], bounds) for layer in layers], np.int64
        ).reshape(shape)
        after = base + np.array(
            [np.searchsorted([w[1] for w in layer], bounds, side="right") for layer in layers], np.int64
        ).reshape(shape)
        self.between = np.stack([first, after])
        self.kinds = {(day, kind): len(ordered) + i for i, (day, kind, _) in enumerate(kinds)}
        # The last window is that of everything that nobody asks for.
        pattern = self._patterns([asked for *_, asked in ordered + kinds] + [{}], kin.n)
        self.array = np.zeros((len(pattern), 3), np.int64)
        self.array[:, PATTERN] = pattern
        self.array[: len(ordered), FROM] = [w[0] // grid for w in ordered]
        self.array[: len(ordered), TO] = [-(-w[1] // grid) for w in ordered]

    def of_kind(self, days: int, kinds: Sequence[str]) -> Ints:
        """(D, kinds) the window of each."""
        nothing = len(self.array) - 1
        return np.array(
            [[self.kinds.get((day, kind), nothing) for kind in kinds] for day in range(days)], np.int64
        ).reshape(days, len(kinds))

    def _patterns(self, windows: Sequence[Mapping[Item, int]], n_kin: int) -> list[int]:
        keys = [tuple(sorted(asked, key=lambda i: (sorted(i[0]), *i[1:]))) for asked in windows]
        numbers = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        self.terms = [_terms_within_reach(key) for key in numbers]
        self.kins = [sorted(frozenset().union(*(item[0] for item in key))) for key in numbers]
        sets = [one for terms in self.terms for term in terms for one in term.sets]
        self.counts = np.zeros((len(sets), n_kin + 1), np.int64)
        for i, one in enumerate(sets):
            self.counts[i, list(one.kin)] = one.sign
        self.beyond = np.zeros(
            (len(windows), max(1, *(sum(len(t.sets) for t in ts) for ts in self.terms))), np.int64
        )
        for w, (key, asked) in enumerate(zip(keys, windows, strict=True)):
            own = [one for term in self.terms[numbers[key]] for one in term.sets]
            for i, one in enumerate(own):
                self.beyond[w, i] = -one.sign * sum(asked[key[item]] for item in one.items)
        return [numbers[key] for key in keys]


def _terms_within_reach(items: Sequence[Item]) -> list[_Term]:
    """The price of a window; where needs overlap in too many ways, as if some people counted for fewer of them: never too low.

    Whoever counts for most needs leaves first, and there the need that most others count for.
    """
    able = [set(kin) for kin, _, _ in items]
    while True:
        try:
            return _terms_of(
                [(frozenset(kin), under, over) for kin, (_, under, over) in zip(able, items, strict=True)]
            )
        except _TooManyWaysError:
            serves = Counter(kin for those in able for kin in those)
            for _ in range(max(1, sum(serves.values()) // 16)):
                kin = max(sorted(serves), key=serves.__getitem__)
                if serves[kin] > 1:
                    serves[kin] -= 1
                    max((those for those in able if kin in those), key=len).remove(kin)


def _terms_of(items: Sequence[Item]) -> list[_Term]:
    """The price of a window with these needs, as sums of what sets of needs lack, or of people have too many of, by level of price."""
    if not items:
        return []
    everybody = frozenset().union(*(able for able, _, _ in items))
    numbered = frozenset(range(len(items)))
    over_of = {kin: min(over for able, _, over in items if kin in able) for kin in everybody}
    floor = min(over_of.values(), default=0)
    terms: list[_Term] = []
    levels = sorted({under for _, under, _ in items})
    for below, level in zip([-floor, *levels], levels, strict=False):
        circles = {i: able for i, (able, under, _) in enumerate(items) if under >= level}
        terms += [
            _Term(level - below, 0, tuple(_Set(-1, kin, members) for members, kin in part))
            for part in _closed(circles)
        ]
    # What is left over costs the lowest price of over at least, whoever it is.
    terms.append(_Term(floor, -NEVER, (_Set(1, everybody, numbered),)))
    levels = sorted(set(over_of.values()))
    for below, level in pairwise(levels):
        serves = {
            kin: frozenset(i for i in numbered if kin in items[i][0])
            for kin, over in over_of.items()
            if over >= level
        }
        terms += [
            _Term(level - below, 0, tuple(_Set(1, members, needs) for members, needs in part))
            for part in _closed(serves)
        ]
    terms = [term for term in terms if term.weight]
    if sum(len(term.sets) for term in terms) > MOST_SETS:
        raise _TooManyWaysError
    return terms


def _closed(circles: Mapping[int, frozenset[int]]) -> list[list[tuple[frozenset[int], frozenset[int]]]]:
    """For each part of what hangs together: each union of circles, and all whose circles lie within it."""
    parts: list[set[int]] = []
    for one, circle in circles.items():
        joined = [part for part in parts if any(circles[other] & circle for other in part)]
        parts = [part for part in parts if part not in joined] + [{one}.union(*joined)]
    found = []
    for part in parts:
        unions: set[frozenset[int]] = set()
        for circle in {circles[one] for one in part}:
            unions |= {union | circle for union in unions} | {circle}
            if len(unions) > MOST_SETS:
                raise _TooManyWaysError
        found.append(
            [
                (frozenset(one for one in part if circles[one] <= union), union)
                for union in sorted(unions, key=sorted)
            ]
        )
    return found


# --- a roster in arrays -----------------------------------------------------------------------------------------------


def _work_of(problem: RosterProblem, t: Tables, roster: NamedRoster) -> Ints:
    """(P, D, 2 B + 2) duties, -1 for none, slots of their pauses into them, and posts; what is locked as published."""
    work = np.zeros((len(problem.people), problem.days, 2 * t.most_pauses + 2), np.int64)
    work[:, :, 0] = -1
    work[:, :, 1 + t.most_pauses :] = t.posts[:, None, :1]
    given = {(w.person, w.day): w for w in roster.work}
    published = {(w.person, w.day): w for w in problem.published.work} if problem.published else {}
    for cell in _fixed(problem):
        stays = published.get(cell)
        if stays is None:
            given.pop(cell, None)
        elif cell not in given or given[cell].duty != stays.duty:
            given[cell] = stays
    for cell, one in given.items():
        duty, n = problem.duties[one.duty], len(problem.duties[one.duty].pauses)
        row = work[cell]
        row[0] = one.duty
        into = np.array([at - duty.start_min for at in one.pauses], np.int64)
        row[1 : 1 + n] = _right(into, t.pauses[one.duty, :n], t.grid)
        if len(one.posts) == n + 1 and set(one.posts) <= set(problem.people[one.person].posts):
            row[1 + t.most_pauses : 2 + t.most_pauses + n] = one.posts
        if problem.people[one.person].posts:
            row[1 + t.most_pauses : 1 + t.most_pauses + len(duty.posts)] = duty.posts
    return work


def _right(into: Ints, windows: Ints, grid: int) -> Ints:
    """Slots of pauses, or the earliest where they are not as they must be."""
    slots = into // grid
    if len(slots) == len(windows) and not (into % grid).any():
        within = (windows[:, 0] <= slots) & (slots <= windows[:, 1])
        if within.all() and (slots[:-1] + windows[:-1, 2] <= slots[1:]).all():
            return slots
    return windows[:, 0]


def _roster(problem: RosterProblem, t: Tables, rows: Ints) -> NamedRoster:
    work = []
    for person, day in np.argwhere(rows[:, :, 0] >= 0).tolist():
        k, *rest = rows[person, day].tolist()
        n, first = len(problem.duties[k].pauses), problem.duties[k].start_min
        at = tuple(first + slot * t.grid for slot in rest[:n])
        posts = tuple(rest[t.most_pauses : t.most_pauses + n + 1])
        usual = all(post == t.posts[person, 0] for post in posts)
        work.append(Work(person, day, k, at, () if usual else posts))
    return NamedRoster(tuple(work))
