"""From rows to numbers per group: which sets of types ask for people, and how many of each group answer them.

Work that several groups can do goes to them in the proportions of today's people (`mix: today`), so that no policy
is credited with swapping dear people for cheap ones; or to the least expensive (`mix: cheapest`), which is a hiring
plan. Either way every row holds, and in the first no more people are used than the rows ask for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.scenario import compile as c
from planner.scenario.schema import Scenario, Target, days_of
from sim import world as w
from sim.world import Floats, Ints, World

Bools = NDArray[np.bool_]

NEARNESS = 0.1
"""Weight of the distance to today's mix against one person more; below a half, numbers come first."""
TOGETHER = 16
"""Intervals solved in one call: they do not touch, but a call has a price of its own."""
OUT_OF_REACH = 100.0
"""Price, in people, of one whom no shift of their group can put there."""


@dataclass(frozen=True)
class TypeSet:
    """A set of types, and the groups able to serve any of them; T + t is the second tier of type t."""

    types: tuple[int, ...]
    groups: tuple[int, ...]


def able_groups(world: World, within_ms: Floats | None = None) -> dict[int, set[int]]:
    """Groups that may serve each type, ordinary or flagged, and T + t where a second tier of t has its own.

    Groups that are offered a type only after `within_ms` (T,) are left out: whoever waits for them is late already.
    """
    n_types = len(world.types.talk_cv)
    order, delay = world.routing.order, world.routing.delay
    longest = np.full(n_types, np.inf) if within_ms is None else within_ms

    def groups(*forms: int, t: int) -> set[int]:
        queues = [form * n_types + t for form in forms]
        return {
            int(g) for q in queues for g, ms in zip(order[q], delay[q], strict=True) if g >= 0 and ms <= longest[t]
        } or {int(g) for q in queues for g in order[q] if g >= 0}  # fmt: skip

    able = {t: groups(w.ORDINARY, w.FLAGGED, t=t) for t in range(n_types)}
    upper = {n_types + t: groups(w.SECOND_TIER, t=t) for t in range(n_types)}
    return able | {u: g for u, g in upper.items() if g != able[u - n_types]}


def type_sets(scenario: Scenario, targets: list[Target], world: World) -> list[TypeSet]:
    """Each type alone, each target's scope, what only some groups can serve, and everything: the rows' sets."""
    names = list(scenario.types)
    # Of types that say how they are routed: groups that help only when a contact is late help no service level.
    within = np.full(len(names), np.inf)
    for target in targets:
        if target.measure == "service_level":
            for t in [names.index(name) for name in scenario.scope(target) if scenario.types[name].route]:
                within[t] = min(within[t], target.wait_s * 1000)
    able = able_groups(world, within)
    upper = [u for u in able if u >= len(names)]
    wanted: list[tuple[int, ...]] = [(t,) for t in range(len(names))]
    wanted += [
        tuple(u for u in upper if able[u] == circle)
        for circle in sorted({frozenset(able[u]) for u in upper}, key=sorted)
    ]
    mixed = 0 < len(scenario.deferred_types()) < len(names)
    scopes = [
        scenario.scope(target)
        for target in targets
        if target.types or (mixed and target.measure not in ("occupancy", "load"))
    ]
    wanted += [tuple(sorted(names.index(name) for name in scope)) for scope in scopes]
    # Hall's condition: for any groups, what only they can serve must fit into them.
    closed = {frozenset(a) for a in able.values()}
    for _ in range(3):
        closed |= {a | b for a in closed for b in closed} if len(closed) <= 24 else set()
    wanted += [tuple(t for t in able if able[t] <= circle) for circle in sorted(closed, key=sorted)]
    wanted.append(tuple(able))
    sets: dict[tuple[int, ...], TypeSet] = {}
    for types in wanted:
        groups = tuple(sorted(set().union(*(able[t] for t in types))))
        sets.setdefault(types, TypeSet(types, groups))
    return list(sets.values())


def mix_of_today(scenario: Scenario) -> Floats:
    """(G,) shares of today's hours: headcount and contract, or the numbers on duty."""
    hours = np.array([
        group.headcount * group.hours_per_week if group.on_duty is None
        else float(c.by_days(group.on_duty, scenario).sum())
        for group in scenario.groups.values()
    ])  # fmt: skip
    return hours / hours.sum() if hours.sum() > 0 else np.full(len(hours), 1 / len(hours))


def within_reach(scenario: Scenario, *, whole: bool = False) -> Bools:
    """(G, days x I) whether some shift of the group can put a person there, with `whole` for all of the interval; the horizon repeats."""
    n = c.n_intervals(scenario)
    size, minutes = scenario.horizon.days * n, scenario.horizon.interval_min
    reach = np.zeros((len(scenario.groups), size), np.bool_)
    for g, group in enumerate(scenario.groups.values()):
        if not scenario.shifts or group.on_duty is not None:
            reach[g] = True
            continue
        for name in group.shifts or tuple(scenario.shifts):
            shift = scenario.shifts[name]
            first, last = shift.starts[0], shift.starts[1] + round(shift.hours * 60)
            for day in range(scenario.horizon.days):
                if c.weekday_of(scenario, day) in days_of(shift.days):
                    start, end = first // minutes, -(-last // minutes)
                    if whole:
                        start, end = -(-first // minutes), last // minutes
                    at = np.arange(day * n + start, day * n + end)
                    reach[g, at % size] = True
    return reach


def workable(scenario: Scenario) -> Bools:
    """(G, days x I) whether the group can have people at work then, doors open or not; the horizon repeats."""
    reach = within_reach(scenario, whole=True)
    is_open = c.open_intervals(scenario).reshape(-1)
    for g, group in enumerate(scenario.groups.values()):
        if group.on_duty is not None:
            reach[g] = is_open | (c.by_days(group.on_duty, scenario).reshape(-1) > 0)
        elif not scenario.shifts:
            reach[g] = is_open
    return reach


class Numbers:
    """Whole numbers per group that satisfy every row, interval by interval; intervals do not touch."""

    def __init__(
        self, sets: list[TypeSet], cost: Floats, mix: Floats | None = None, reach: Bools | None = None
    ) -> None:
        """`cost` (G,) an hour; `mix` (G,) today's shares: with it numbers follow them, without it the cost."""
        self.cost, self.mix, self.reach = np.asarray(cost, float), mix, reach
        self._solved: dict[bytes, Ints] = {}
        # Sets served by the same groups ask together: the largest number counts.
        circles = list(dict.fromkeys(s.groups for s in sets))
        self._circle = np.array([circles.index(s.groups) for s in sets])
        self._member = np.zeros((len(circles), len(self.cost)))
        for k, groups in enumerate(circles):
            self._member[k, list(groups)] = 1

    def of(self, need: Floats, own: Floats | None = None) -> Ints:
        """(G, intervals) for rows `need` (sets, intervals) and rows of single groups `own` (G, intervals)."""
        n_groups, n = len(self.cost), need.shape[1]
        low = np.zeros((n_groups, n)) if own is None else np.ceil(own - 1e-9)
        rows = np.zeros((len(self._member), n))
        np.maximum.at(rows, self._circle, np.ceil(need - 1e-9))
        reach = np.ones((n_groups, n), np.bool_) if self.reach is None else self.reach
        asked = [i for i in range(n) if rows[:, i].max(initial=0) > 0 or low[:, i].max(initial=0) > 0]
        key = {i: rows[:, i].tobytes() + low[:, i].tobytes() + reach[:, i].tobytes() for i in asked}
        fresh = list({key[i]: i for i in asked if key[i] not in self._solved}.values())
        for first in range(0, len(fresh), TOGETHER):
            some = fresh[first : first + TOGETHER]
            for i, numbers in zip(
                some, self._solve(rows[:, some], low[:, some], reach[:, some]), strict=True
            ):
                self._solved[key[i]] = numbers
        duty = np.zeros((n_groups, n), np.int64)
        for i in asked:
            duty[:, i] = self._solved[key[i]]
        return duty

    def _solve(self, rows: Floats, low: Floats, reach: Bools) -> Ints:
        """(intervals, G) for some intervals at once."""
        from scipy.optimize import Bounds, LinearConstraint, milp  # slow to import
        from scipy.sparse import block_diag

        blocks = [self._block(rows[:, i], low[:, i], reach[:, i]) for i in range(rows.shape[1])]
        prices, matrices, lows, floors, whole = zip(*blocks, strict=True)
        result = milp(
            np.concatenate(prices),
            constraints=LinearConstraint(block_diag(matrices, format="csr"), lb=np.concatenate(lows)),
            integrality=np.concatenate(whole),
            bounds=Bounds(np.concatenate(floors), np.inf),
            options={"mip_rel_gap": 1e-7},
        )
        numbers = np.round(np.asarray(result.x).reshape(len(blocks), -1)[:, : len(self.cost)])
        return np.asarray(numbers.astype(np.int64))

    def _block(self, rows: Floats, low: Floats, reach: Bools) -> tuple[Floats, Floats, Floats, Floats, Ints]:
        """Price, matrix, lower limits of rows and columns, and which columns are whole, for one interval."""
        n = len(self.cost)
        person = np.where(reach, 1.0, OUT_OF_REACH) * (
            1.0 if self.mix is not None else np.maximum(self.cost, 1e-6)
        )
        person = person + np.arange(n) * 1e-6
        if self.mix is None:
            return person, self._member, rows, low, np.ones(n, np.int64)
        here = np.where(reach, self.mix, 0.0)
        here = here / here.sum() if here.sum() > 0 else self.mix
        # People first; then the distance |d - mix x sum(d)|, one column a group.
        away = np.eye(n) - here[:, None]
        matrix = np.block([
            [self._member, np.zeros((len(rows), n))], [-away, np.eye(n)], [away, np.eye(n)],
        ])  # fmt: skip
        return (
            np.concatenate([person, np.full(n, NEARNESS)]),
            matrix,
            np.concatenate([rows, np.zeros(2 * n)]),
            np.concatenate([low, np.zeros(n)]),
            np.repeat(np.array([1, 0]), n),
        )


def numbers_of(scenario: Scenario, sets: list[TypeSet]) -> Numbers:
    """The scenario's way from rows to numbers."""
    cost = np.array([group.cost_per_hour or 1.0 for group in scenario.groups.values()])
    mix = mix_of_today(scenario) if scenario.mix == "today" else None
    return Numbers(sets, cost, mix, within_reach(scenario))
