"""The bare requirement: people on the queue per interval and skill set, such that every target holds.

A list of rows: in interval i, people able to serve any of the types in a set >= n. Erlang A on lagged load is the
start; then simulation rounds raise the row with the best measured gain on common draws per unit of cost (cuts, after
Cezik & L'Ecuyer 2008), until every target's one-sided 95 % limit clears it; a last pass takes back what is not needed.
Skills are pooled throughout, never rounded up per queue; recovery, repeats and bot leftovers are inside, because the
arrivals and handle times are those that the simulation finds under the policy itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from planner.anchor import lens_of
from planner.channels import agent_seconds, agent_share, more_for_deferred
from planner.frames import PLAN_SEED
from planner.natural import NaturalValues
from planner.numbers import TypeSet, mix_of_today, numbers_of, type_sets, workable
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.problems import FieldError
from planner.scenario.schema import RecoveryLever, Scenario, Target
from planner.seats import seats_of
from planner.shifts import usual_shifts
from sim import erlang
from sim.draws import Block, draw_block, people_of
from sim.measures import more_than_expected, people_by_day, service_of, t_value
from sim.records import Written
from sim.replicate import Engine, run_block, shared, shares_memory, simulated, totals_once
from sim.world import Floats, Ints, Staffing, World, frozen

Say = Callable[[str], None]
FIRST, MOST = 4, 32
"""Replications at first, and at most until a target is decided (a quick plan stops at QUICK)."""
QUICK = 8
SMALL = 24
"""Up to so many intervals every row is tried by itself; beyond, rows of a window are tried together."""
ENOUGH = 0.05
"""So far above its aim (in service level) a window has people to give back."""
PER_POINT = 0.4
"""Near a target, a point of service level costs about so much per cent of people."""
SEED = PLAN_SEED
RELIEVED = (0.85, 0.93, 0.97)
"""Shares of those who came for ceilings that a search tries to do with once all targets hold."""
WORK = ("queued", "deferred", "messages")
"""Contacts that reached people, live or not."""
KEPT = 12
"""Replications whose customers are kept in memory between simulations."""


@dataclass(frozen=True)
class Verdict:
    """A target in one window: where it stands."""

    target: int
    window: tuple[int, ...]
    """Flat intervals (day x I + i) of the window."""
    label: str
    mean: float
    limit: float
    """The one-sided 95 % limit on the wrong side."""
    aim: float
    met: bool
    """Whether the limit clears the aim."""
    clearly_missed: bool
    held: bool
    """Whether the mean does."""
    low: float
    """The mean's two-sided 95 % interval."""
    high: float

    @property
    def short(self) -> float:
        """How far the measure is from its aim, in its own unit; 0 if met."""
        return 0.0 if self.met else abs(self.aim - self.limit)


@dataclass
class Requirement:
    """Rows per set of types, the numbers per group that satisfy them at least cost, and how it went."""

    scenario: Scenario
    policy: str
    sets: list[TypeSet]
    need: Floats
    """(sets, days x I) people able to serve the set."""
    duty: Ints = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    """(G, days x I) bare numbers on duty."""
    verdicts: list[Verdict] = field(default_factory=list)
    rounds: int = 0
    simulations: int = 0
    unreached: list[str] = field(default_factory=list)
    own: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    """(G, days x I) rows of single groups, from occupancy and load ceilings."""

    @property
    def agent_hours(self) -> float:
        """Bare hours on the queue over the horizon."""
        return float(self.duty.sum()) * self.scenario.horizon.interval_min / 60


# --- targets --------------------------------------------------------------------------------------------------------


def targets_of(scenario: Scenario, policy: str) -> list[Target]:
    """The scenario's targets and the policy's own occupancy ceilings."""
    targets = list(scenario.targets)
    for group, ceiling in (scenario.policy(policy).occupancy_ceiling or {}).items():
        targets.append(Target(measure="occupancy", at_most=ceiling, groups=(group,), window="week"))
    return targets


def describe(target: Target) -> str:
    """A target in words."""
    who = ", ".join(target.types or target.groups) or "everyone"
    often = f", in {target.with_probability:.0%} of cases" if target.with_probability else ""
    if target.within_h is not None:
        who = ", ".join(target.types) or "all deferred work"
        return f"{target.at_least:.0%} of {who} answered in {target.within_h:g} h ({target.window}{often})"
    if target.measure == "service_level":
        return f"{target.at_least:.0%} of {who} answered in {target.within_s:g} s ({target.window}, {target.definition}{often})"
    unit = " s" if target.measure == "mean_wait" else ""
    aim = (
        f"{target.at_most:.0%}"
        if target.measure in ("abandonment", "occupancy")
        else f"{target.at_most:g}{unit}"
    )
    return f"{target.measure.replace('_', ' ')} of {who} at most {aim} ({target.window}{often})"


class Measured:
    """Sums by interval of some replications, under each distinct acceptable wait."""

    def __init__(self, by_wait: dict[float, dict[str, Floats]], scenario: Scenario) -> None:
        self.by_wait = by_wait
        self.scenario = scenario

    def service(self, target: Target) -> dict[str, Floats]:
        """(reps, T, days x I) sums for a target; of people (reps, G, days)."""
        wait = target.wait_s if target.measure == "service_level" else next(iter(self.by_wait))
        return {name: value.reshape(*value.shape[:2], -1) for name, value in self.by_wait[wait].items()}


def waits_of(scenario: Scenario, policy: str) -> list[float]:
    """The distinct acceptable waits of the service levels, seconds."""
    return sorted({t.wait_s for t in targets_of(scenario, policy) if t.measure == "service_level"}) or [20.0]


def sums_by_wait(world: World, block: Block, written: Written, waits: list[float]) -> list[dict[str, Floats]]:
    """What targets are judged by, of a block of one replication: a mapping for each acceptable wait (s)."""
    same = people_by_day(world, written.spells) | {"unexpected": more_than_expected(world, block.needs)}
    n = len(world.types.talk_cv)
    services = [service_of(world, block, written, np.full(n, wait * 1000.0)) for wait in waits]
    return [{name: column[0] for name, column in service.items()} | same for service in services]


def measured_of(done: list[list[dict[str, Floats]]], waits: list[float], scenario: Scenario) -> Measured:
    """Sums of several replications (each a list by acceptable wait), stacked."""
    by_wait = {
        wait: {name: np.stack([several[i][name] for several in done]) for name in done[0][i]}
        for i, wait in enumerate(waits)
    }
    return Measured(by_wait, scenario)


def parts(target: Target, measured: Measured, names: list[str], groups: list[str]) -> tuple[Floats, Floats]:
    """(reps, days x I) totals above and below the target's measure."""
    s = measured.service(target)
    if target.measure in ("occupancy", "load"):
        who = [groups.index(g) for g in target.groups] or list(range(len(groups)))
        n = c.n_intervals(measured.scenario)
        above, below = (
            ("handled_min", "ready_min")
            if target.measure == "occupancy"
            else ("load_area_min", "present_min")
        )
        # A day's people stand in its first interval: these measures have windows of whole days.
        wide = [np.zeros((*s[name].shape[:1], s[name].shape[2], n)) for name in (above, below)]
        for values, name in zip(wide, (above, below), strict=True):
            values[:, :, 0] = s[name][:, who].sum(axis=1)
        return wide[0].reshape(len(wide[0]), -1), wide[1].reshape(len(wide[1]), -1)
    who = [names.index(t) for t in measured.scenario.scope(target)]

    def pick(name: str) -> Floats:
        return np.asarray(s[name][:, who].sum(axis=1), np.float64)

    if target.within_h is not None:
        return pick("deferred_in_time"), pick("deferred")
    if target.measure == "mean_wait":
        return pick("wait_answered_s"), pick("answered")
    if target.measure == "abandonment":
        return pick("abandoned"), pick("queued")
    if target.definition == "g0":
        return pick("in_time"), pick("answered")
    if target.definition == "g1":
        return pick("in_time"), pick("answered") + pick("abandoned") - pick("abandoned_in_time")
    if target.definition == "g2":
        return pick("in_time") + pick("abandoned_in_time"), pick("queued")
    return pick("in_time"), pick("queued")


def windows(target: Target, days: int, n_intervals: int) -> list[tuple[str, tuple[int, ...]]]:
    """Labelled windows of flat intervals."""
    if target.window == "week":
        weeks = [range(d, min(d + 7, days)) for d in range(0, days, 7)]
        return [
            ("week" if len(weeks) == 1 else f"week {k + 1}", tuple(d * n_intervals + i for d in week for i in range(n_intervals)))
            for k, week in enumerate(weeks)
        ]  # fmt: skip
    if target.window == "day":
        return [(f"day {d + 1}", tuple(range(d * n_intervals, (d + 1) * n_intervals))) for d in range(days)]
    return [
        (f"day {d + 1}, interval {i + 1}", (d * n_intervals + i,))
        for d in range(days)
        for i in range(n_intervals)
    ]


def judge(scenario: Scenario, policy: str, measured: Measured) -> list[Verdict]:
    """Every target in every window that has any contacts."""
    names, groups = list(scenario.types), list(scenario.groups)
    days, n = scenario.horizon.days, c.n_intervals(scenario)
    luck = _luck(measured)
    found = []
    for k, target in enumerate(targets_of(scenario, policy)):
        above, below = parts(target, measured, names, groups)
        for label, window in windows(target, days, n):
            here = list(window)
            a, b = above[:, here].sum(axis=1), below[:, here].sum(axis=1)
            if b.sum() > 0:
                found.append(_verdict(k, target, window, label, a, b, luck[:, here].sum(axis=1)))
            if target.floor is not None and target.window != "interval":
                found += [
                    _floor(k, target, i, above[:, i], below[:, i], luck[:, i])
                    for i in window
                    if below[:, i].sum() > 0
                ]
    return found


def side_by_side(
    scenario: Scenario, policy: str, before: Measured, after: Measured, window: tuple[int, ...]
) -> list[tuple[Verdict, Verdict, float]]:
    """Every target over the same flat intervals, whatever its own windows, on the same draws before and after a change.

    With half of the difference's 95 % interval; infinite for targets with a probability. Only targets that have contacts there in both.
    """
    names, groups, here = list(scenario.types), list(scenario.groups), list(window)
    luck = [_luck(one)[:, here].sum(axis=1) for one in (before, after)]
    found = []
    for k, target in enumerate(targets_of(scenario, policy)):
        sums = []
        for one in (before, after):
            above, below = parts(target, one, names, groups)
            sums.append((above[:, here].sum(axis=1), below[:, here].sum(axis=1)))
        if not all(below.sum() > 0 for _, below in sums):
            continue
        old, new = (
            _verdict(k, target, window, "", above, below, chance)
            for (above, below), chance in zip(sums, luck, strict=True)
        )
        half = float("inf")
        if target.with_probability is None:
            residue = [(a - a.sum() / b.sum() * b) / b.mean() for a, b in sums]
            _, error, free = _without_luck(residue[1] - residue[0], luck[0])
            half = t_value(free + 1) * error
        found.append((old, new, half))
    return found


def room(target: Target, v: Verdict, value: float) -> float:
    """How far a value clears its aim, as the service level that as many people would be worth; below zero it does not."""
    gap = value - v.aim if target.measure == "service_level" else v.aim - value
    if target.with_probability is not None or target.measure == "load":
        return min(gap, 0.0)
    if target.measure == "abandonment":
        return 2 * gap  # few abandon where many wait too long
    if target.measure == "service_level":
        return gap
    relative = gap / v.aim if v.aim > 0 else min(gap, 0.0)
    return relative / PER_POINT if target.measure == "occupancy" else 0.1 * relative


def to_spare(verdicts: list[Verdict], targets: list[Target], size: int) -> Floats:
    """(days x I) by how much the surest targets' limits clear wherever they count, 0 where one does not, or by little."""
    least = np.full(size, np.inf)
    for v in verdicts:
        here = list(v.window)
        least[here] = np.minimum(least[here], room(targets[v.target], v, v.limit))
    return np.where(np.isfinite(least) & (least > ENOUGH / 2), least, 0.0)


def _luck(measured: Measured) -> Floats:
    """(reps, days x I) seconds of people's work beyond what is expected; its mean is 0 over all replications."""
    sums, scenario = measured.service(Target(measure="abandonment", at_most=1.0)), measured.scenario
    offered, queued = sums["offered"].sum(axis=(0, 2)), sum(sums[k].sum(axis=(0, 2)) for k in WORK)
    weight = queued / np.maximum(offered, 1.0) * agent_seconds(scenario)
    return np.asarray(np.tensordot(sums["unexpected"], weight, axes=(1, 0)), np.float64)


def _verdict(
    k: int, target: Target, window: tuple[int, ...], label: str, a: Floats, b: Floats, luck: Floats
) -> Verdict:
    at_least = target.measure == "service_level"
    aim = float(target.at_least if at_least else target.at_most)  # type: ignore[arg-type]
    n = len(a)
    if target.with_probability is not None:
        from scipy.stats import beta  # slow to import

        ratio = np.where(b > 0, a / np.maximum(b, 1e-12), aim)
        hits = int(((ratio >= aim) if at_least else (ratio <= aim)).sum())
        low, high, lowest, highest = (
            float(limit)
            for level in (0.05, 0.025)
            for limit in (
                beta.ppf(level, hits, n - hits + 1) if hits else 0.0,
                beta.ppf(1 - level, hits + 1, n - hits) if hits < n else 1.0,
            )
        )
        q, mean = target.with_probability, hits / n
        return Verdict(k, window, label, mean, low, q, low >= q, high < q, mean >= q, lowest, highest)
    mean, error, free = _adjusted(a, b, luck)
    most = 1.0 if target.measure in ("service_level", "abandonment", "occupancy") else float("inf")
    mean = min(most, max(0.0, mean))
    half, wide = (t_value(free + 1, level) * error for level in (0.95, 0.975))
    low, high = max(0.0, mean - wide), min(most, mean + wide)
    if at_least:
        limit, met, missed, held = mean - half, mean - half >= aim, mean + half < aim, mean >= aim
    else:
        limit, met, missed, held = mean + half, mean + half <= aim, mean - half > aim, mean <= aim
    return Verdict(k, window, label, mean, limit, aim, met, missed, held, low, high)


def _adjusted(a: Floats, b: Floats, luck: Floats) -> tuple[float, float, int]:
    """The ratio of two sums, its standard error and degrees of freedom, with the luck of who came taken out.

    The contacts beyond those expected are a control variate: their mean is known (Lavenberg & Welch 1981; for contact
    centres L'Ecuyer & Buist 2006). With fewer than four replications the plain ratio, of one alone without error.
    """
    mean = float(a.sum() / b.sum())
    shift, error, free = _without_luck((a - mean * b) / b.mean(), luck)
    return mean - shift, error, free


def _without_luck(off: Floats, luck: Floats) -> tuple[float, float, int]:
    """How much luck has moved the mean of some residuals, the standard error without it, and degrees of freedom."""
    n = len(off)
    if n < 2:
        return 0.0, 0.0, 1
    spread = luck - luck.mean()
    area = float(spread @ spread)
    if n < 4 or area <= 1e-9:
        return 0.0, float(off.std(ddof=1)) / float(np.sqrt(n)), n - 1
    slope = float(off @ spread) / area
    rest = off - slope * spread
    error = np.sqrt(float(rest @ rest) / (n - 2) * (1 / n + luck.mean() ** 2 / area))
    return slope * float(luck.mean()), float(error), n - 2


def _floor(k: int, target: Target, i: int, a: Floats, b: Floats, luck: Floats) -> Verdict:
    plain = target.model_copy(update={"at_least": target.floor, "with_probability": None})
    return _verdict(k, plain, (i,), f"floor, interval {i}", a, b, luck)


def roster_of_duty(duty: Ints, scenario: Scenario) -> Roster:
    """Plain numbers as a roster."""
    days = scenario.horizon.days
    return Roster((), {g: duty[g].reshape(days, -1) for g in range(len(duty))})


# --- the search -----------------------------------------------------------------------------------------------------


class Forecast(NamedTuple):
    """What people have to do where there are more than enough of them: T types, then their T second tiers."""

    queued: Floats
    """(2T, days x I) live contacts that reach people."""
    waiting: Floats
    """(2T, days x I) contacts that may wait for hours: deferred ones, and messages left out of hours."""
    handle_s: Floats
    """(2T,) a person's time for one, seconds."""
    patience_s: Floats
    """(2T,) mean patience, seconds."""
    mean_handle_s: float
    """Over all contacts."""


class Search:
    """Simulation rounds over rows for one scenario and policy."""

    def __init__(
        self,
        scenario: Scenario,
        natural: NaturalValues,
        policy: str,
        *,
        engine: Engine = "kernel",
        executor: Executor | None = None,
        say: Say = lambda _: None,
        most_replications: int = MOST,
        seed: int = SEED,
    ) -> None:
        self.scenario, self.natural, self.policy = scenario, natural, policy
        self.engine, self.executor, self.say = engine, executor, say
        self.most_replications, self.seed = most_replications, seed
        self.targets = targets_of(scenario, policy)
        self.days, self.n = scenario.horizon.days, c.n_intervals(scenario)
        self.size = self.days * self.n
        n_groups = len(scenario.groups)
        self.cost = (
            np.array([group.cost_per_hour or 1.0 for group in scenario.groups.values()])
            if scenario.mix == "cheapest"
            else np.ones(n_groups)
        )
        self.mix = mix_of_today(scenario)
        self.waits = waits_of(scenario, policy)
        self.drawn: dict[int, Block] = {}
        self.simulations = 0
        ample = self._everywhere()
        self.usual = usual_shifts(scenario, policy)
        world = c.compile_world(scenario, natural, policy, roster_of_duty(ample, scenario), follow=False)
        nobody = np.zeros(n_groups)
        self.world = world._replace(groups=world.groups._replace(absence=nobody, late=nobody))
        self.sets = type_sets(scenario, self.targets, self.world)
        self.numbers = numbers_of(scenario, self.sets)
        self.most_gain = 1e9
        self.worth: dict[tuple[int, int, tuple[int, ...]], float] = {}
        self.own = np.zeros((len(scenario.groups), self.size))
        self.all_told: dict[tuple[int, tuple[int, ...]], int] = {}
        """People of all groups in a ceiling's window when it was last missed."""

    def _ample(self) -> int:
        offered = c.offered_by_interval(self.scenario) * self.scenario.what_if.volume
        seconds = np.array([
            float(c.by_interval(k.handle.talk_s, self.scenario).max()) + k.handle.acw_s
            for k in self.scenario.types.values()
        ])  # fmt: skip
        load = (offered.max(axis=2).max(axis=1) * seconds).sum() / (self.scenario.horizon.interval_min * 60)
        return int(load * 2 + 8 * np.sqrt(load) + 10)

    def _everywhere(self) -> Ints:
        """(G, days x I) more people than anybody needs; where work may wait, only at hours at which they can come."""
        ample = np.full((len(self.scenario.groups), self.size), self._ample(), np.int64)
        return ample * workable(self.scenario) if self.scenario.has_deferred() else ample

    def simulate(self, duty: Ints, replications: range) -> Measured:
        """Sums of these replications with these numbers on duty; the customers are the same every time."""
        staffing = self._staffing(duty)
        world: World = self.world._replace(staffing=frozen(staffing))
        self.simulations += len(replications)
        if self.executor is None:
            done = [self._one(world, k) for k in replications]
        elif shares_memory(self.executor):
            done = list(self.executor.map(self._one, [world] * len(replications), replications))
        else:
            sent = shared(self.executor, world)
            futures = [
                self.executor.submit(_one_elsewhere, sent, self.seed, k, self.waits, self.engine)
                for k in replications
            ]
            done = [future.result() for future in futures]
        return measured_of(done, self.waits, self.scenario)

    def _staffing(self, duty: Ints) -> Staffing:
        """People who come and go as on a roster; where there are no shifts, plain numbers as the plan will have them."""
        if self.scenario.shifts:
            return seats_of(duty, self.scenario, self.world.clock, self.usual)
        return c.staffing_of(self.scenario, roster_of_duty(duty, self.scenario), self.world.clock)

    def _one(self, world: World, k: int) -> list[dict[str, Floats]]:
        block = self.drawn.get(k)
        if block is None:
            block = draw_block(world, self.seed, [k], whole=self.engine == "simpy")
            if k < KEPT:
                self.drawn[k] = block
        block = block._replace(people=people_of(world, self.seed, block.numbers))
        return sums_by_wait(world, block, run_block(world, block, self.engine), self.waits)

    def forecast(self) -> Forecast:
        """The contacts and handle times that the policy itself leads to, simulated with more people than anybody needs."""
        plenty = self.simulate(self._everywhere(), range(FIRST))
        self._refuse_unreachable(judge(self.scenario, self.policy, plenty))
        sums = totals_once(self.world, lens_of(self.scenario), self.seed, 0, self.engine)
        service = plenty.by_wait[self.waits[0]]
        # Types first, then their second tiers, as the sets number them.
        queued = self._by_tier(service["queued"], service["second_tier"])
        waiting = self._by_tier(service["deferred"] + service["messages"], service["deferred_second_tier"])
        answered = sums.customers["answered"].sum(axis=(1, 2))
        handle = sums.customers["handle_min"].sum(axis=(1, 2)) * 60 / np.maximum(answered, 1e-9)
        rest = sums.people["recovery_due_min"].sum() * 60 / max(answered.sum(), 1e-9)
        work, slot = agent_share(self.scenario, self.policy)
        gone = self.world.types.silent
        handle = (1 - gone) * handle * work + gone * self.world.types.silent_ms / 1000 * slot
        if isinstance(self.scenario.policy(self.policy).recovery, RecoveryLever):
            handle = handle + rest
        mean = float((handle * answered).sum() / max(answered.sum(), 1e-9)) or 60.0
        patience = np.minimum(self.world.types.patience_ms.mean(axis=1) / 1000, 86_400.0)
        return Forecast(queued, waiting, np.tile(handle, 2), np.tile(patience, 2), mean)

    def _by_tier(self, contacts: Floats, second: Floats) -> Floats:
        """(2T, days x I) contacts by type, then of its second tier where that has people of its own, from both by replication."""
        all_tiers, above = contacts.mean(axis=0), second.mean(axis=0)
        n = len(all_tiers)
        apart = np.isin(np.arange(n) + n, [u for s in self.sets for u in s.types])
        above = np.where(apart[:, None, None], above, 0.0)
        return np.asarray(np.concatenate([all_tiers - above, above]).reshape(2 * n, -1), np.float64)

    def start(self, *, from_below: bool = True) -> Requirement:
        """Rows from Erlang A on lagged load, for the forecast.

        A search starts `from_below`, for it adds what is missing; otherwise every row is staffed to the targets themselves.
        """
        seconds = self.scenario.horizon.interval_min * 60
        met = self.forecast()
        self.most_gain = max(1.0, 1.5 * seconds / met.mean_handle_s)
        rates, handle, patience = met.queued / seconds, met.handle_s, met.patience_s
        need = np.zeros((len(self.sets), self.size))
        can = workable(self.scenario) if self.scenario.has_deferred() else None
        for k, s in enumerate(self.sets):
            types = list(s.types)
            rate = rates[types].sum(axis=0)
            if rate.sum() <= 0:
                continue
            work = (rates[types] * handle[types, None]).sum(axis=0)
            mean = float(work.sum() / rate.sum())
            wait_for = float((rates[types].sum(axis=1) * patience[types]).sum() / rate.sum())
            load = erlang.lagged_load(
                rate * (work / np.maximum(rate * mean, 1e-12)), seconds, mean, cyclic=True
            )
            load = np.where(rate > 0, load, 0.0)
            aims = []
            if self._second_tier(s):
                aims = self._loosest(s)
            elif len(s.types) > 1 or self._alone(s):
                aims = [t for t in self.targets if set(s.types) <= self._scope(t)]
            # Whoever meets the bot before the doors open counts where they came, when nobody can be there yet.
            here = (rate > 0) if can is None else (rate > 0) & can[list(s.groups)].any(axis=0)
            for i in np.flatnonzero(here):
                need[k, i] = self._erlang(float(load[i]), mean, wait_for, aims, from_below)
        if self.scenario.has_deferred():
            self._start_deferred(need, met)
        requirement = Requirement(self.scenario, self.policy, self.sets, need, own=self.own)
        requirement.duty = self.numbers.of(need, self.own)
        return requirement

    def _start_deferred(self, need: Floats, met: Forecast) -> None:
        """Raise the rows of every set that has deferred work to what it asks for beside the set's live work."""
        seconds = self.scenario.horizon.interval_min * 60
        work = met.waiting * met.handle_s[:, None] / seconds
        live = met.queued / seconds * met.handle_s[:, None]
        is_open = c.open_intervals(self.scenario).reshape(-1)
        can = workable(self.scenario)
        for k, s in enumerate(self.sets):
            types = list(s.types)
            hours = [t.within_h for t in self.targets if t.within_h and self._scope(t) & set(types)]
            due = max(1, int(min(hours) * 3600 // seconds)) if hours else None
            need[k] += more_for_deferred(
                need[k], live[types].sum(axis=0), work[types].sum(axis=0),
                np.asarray(can[list(s.groups)].any(axis=0)), due, is_open,
            )  # fmt: skip

    def _alone(self, s: TypeSet) -> bool:
        """Whether the groups of a single type serve nothing else."""
        return not any(set(s.groups) & set(o.groups) for o in self.sets if not set(s.types) & set(o.types))

    def _scope(self, target: Target) -> set[int]:
        """The target's types, second tiers included."""
        names = list(self.scenario.types)
        people = target.measure in ("occupancy", "load") and not target.types
        chosen = names if people else self.scenario.scope(target)
        return {u for t in map(names.index, chosen) for u in (t, len(names) + t)}

    def _second_tier(self, s: TypeSet) -> bool:
        return min(s.types) >= len(self.scenario.types)

    def _loosest(self, s: TypeSet) -> list[Target]:
        """What a second tier is staffed to at first: of its types' service levels the most lenient."""
        levels = [
            t
            for t in self.targets
            if t.measure == "service_level" and t.within_h is None and self._scope(t) & set(s.types)
        ]
        return sorted(levels, key=lambda t: float(t.at_least or 0))[:1]

    def _erlang(
        self, load: float, mean_s: float, patience_s: float, aims: list[Target], from_below: bool
    ) -> float:
        """People for a load; from below, cuts add what is missing, and few need to be taken back."""
        carried, points, times = (0.92, 0.08, 1.3) if from_below else (1.0, 0.0, 1.0)
        people = carried * load if load > 2 else 0.0
        for target in aims:
            if target.within_h is not None:
                continue
            if target.measure == "service_level":
                aim = max(0.05, float(target.at_least or 0) - points)
                n = erlang.agents_for(
                    load / mean_s, mean_s, measure=target.definition, target=min(aim, 0.99), patience_s=patience_s,
                    within_s=target.within_s,
                )  # fmt: skip
                people = max(people, n)
            elif target.measure == "abandonment" and target.at_most:
                n = erlang.agents_for(
                    load / mean_s, mean_s, measure="p_abandon", target=min(0.9, times * target.at_most), patience_s=patience_s
                )  # fmt: skip
                people = max(people, n)
            elif target.measure == "mean_wait" and target.at_most:
                n = erlang.agents_for(
                    load / mean_s, mean_s, measure="mean_wait", target=times * target.at_most, patience_s=patience_s
                )  # fmt: skip
                people = max(people, n)
        return float(np.ceil(people)) if load > 0.05 else 0.0

    def _refuse_unreachable(self, verdicts: list[Verdict]) -> None:
        for v in verdicts:
            target = self.targets[v.target]
            if v.clearly_missed and target.measure in ("service_level", "abandonment", "mean_wait"):
                field_name = "at_least" if target.measure == "service_level" else "at_most"
                if v.target < len(self.scenario.targets):
                    raise FieldError(
                        ("targets", v.target, field_name), v.aim,
                        f"cannot be reached with any number of people: with more than enough the {target.measure.replace('_', ' ')} is {v.mean:.3g} ({v.label})",
                    )  # fmt: skip

    def run(self, most_rounds: int = 12, *, trim: bool = True) -> Requirement:
        """Raise until every target clears, then take back what is not needed."""
        requirement = self.start()
        if self.size > SMALL:
            self._approach(requirement)
        replications = FIRST if self.size <= SMALL else min(QUICK, self.most_replications)
        # A small search adds one agent-interval a round.
        most = most_rounds if self.size > SMALL else most_rounds * SMALL
        for round_number in range(1, most + 1):
            requirement.rounds = round_number
            measured, verdicts, replications = self._decided(requirement.duty, replications)
            requirement.verdicts = verdicts
            missed = [v for v in verdicts if not v.met]
            self.say(
                f"requirement round {round_number}: {requirement.agent_hours:,.0f} agent-hours, "
                f"{len(missed)} of {len(verdicts)} target windows missed"
            )
            if not missed:
                break
            if not self._raise_rows(requirement, measured, missed, replications):
                break
        missed = [v for v in requirement.verdicts if not v.met]
        requirement.unreached = [f"{describe(self.targets[v.target])}: {v.label}" for v in missed]
        if trim and not missed:
            self._relieve(requirement, replications)
            self._take_back(requirement, replications)
        requirement.simulations = self.simulations
        requirement.own = self.own
        return requirement

    def _approach(self, requirement: Requirement, most: int = 5) -> None:
        """Scale the rows of whole windows until each is about right, before single rows are touched."""
        for _ in range(most):
            verdicts = judge(self.scenario, self.policy, self.simulate(requirement.duty, range(FIRST)))
            more = np.zeros((len(self.sets), self.size))
            least = np.full((len(self.sets), self.size), np.inf)
            far = 0
            for v in verdicts:
                target = self.targets[v.target]
                if target.measure not in ("service_level", "abandonment") or len(v.window) < 2:
                    continue
                if target.with_probability is not None:
                    continue
                gap = (v.aim - v.mean) if target.measure == "service_level" else (v.mean - v.aim)
                far += gap > 0.02
                scope, window = self._scope(target), list(v.window)
                asked = self._need_of(scope, requirement, window)
                for k, s in enumerate(self.sets):
                    if not scope & set(s.types):
                        continue
                    least[k, window] = np.minimum(least[k, window], room(target, v, v.mean))
                    if gap >= 0.004:
                        # A wider row rises by as much as the scope asks for of it.
                        part = 1.0
                        if not set(s.types) <= scope:
                            part = min(1.0, asked / max(float(requirement.need[k, window].sum()), 1e-9))
                        step = part * min(0.12, (0.8 if gap > 0.05 else 0.5) * gap)
                        more[k, window] = np.maximum(more[k, window], step)
            too_many = (more == 0) & (least > ENOUGH) & np.isfinite(least)
            factor = np.where(too_many, -np.minimum(0.06, PER_POINT * (least - 0.5 * ENOUGH)), more)
            if not factor.any():
                return
            before = requirement.agent_hours
            requirement.need *= 1 + factor
            requirement.duty = self.numbers.of(requirement.need, self.own)
            self.say(f"requirement: {requirement.agent_hours:,.0f} agent-hours, {far} target windows far off")
            if not far and abs(requirement.agent_hours / max(before, 1e-9) - 1) < 0.003:
                return

    def _need_of(self, scope: set[int], requirement: Requirement, window: list[int]) -> float:
        """The largest row inside the scope, over the window."""
        inside = [k for k, s in enumerate(self.sets) if set(s.types) <= scope]
        return float(requirement.need[inside][:, window].sum(axis=1).max(initial=0.0))

    def _decided(self, duty: Ints, replications: int) -> tuple[Measured, list[Verdict], int]:
        """Judge, adding replications while a target stands neither clearly met nor clearly missed."""
        while True:
            measured = self.simulate(duty, range(replications))
            verdicts = judge(self.scenario, self.policy, measured)
            open_ones = [v for v in verdicts if not v.met and not v.clearly_missed]
            missed = [v for v in verdicts if v.clearly_missed]
            if missed or not open_ones or replications >= self.most_replications:
                return measured, [self._granted(v) for v in verdicts], replications
            replications = min(self.most_replications, replications * 2)

    def _granted(self, v: Verdict) -> Verdict:
        """A probability that every replication meets is met: few replications can never say more than that."""
        all_hit = self.targets[v.target].with_probability is not None and v.mean >= 1
        return replace(v, met=True) if all_hit else v

    def _candidates(self, missed: list[Verdict]) -> tuple[list[tuple[int, ...]], set[int]]:
        """Distinct sets of groups that could help, and the intervals where they could (one before, too)."""
        groups: list[tuple[int, ...]] = []
        where: set[int] = set()
        for v in missed:
            target = self.targets[v.target]
            types = self._scope(target)
            for s in self.sets:
                if types & set(s.types) and s.groups not in groups:
                    groups.append(s.groups)
            where |= {i for j in v.window for i in (j - 1, j) if 0 <= i < self.size}
        return groups, where

    def _raise_rows(
        self, requirement: Requirement, base: Measured, missed: list[Verdict], replications: int
    ) -> bool:
        """Raise rows by the best measured gain per cost until the measured gains make up what is missing."""
        moved = self._raise_groups_for_ceilings(requirement, missed)
        service = [v for v in missed if self.targets[v.target].measure not in ("occupancy", "load")]
        # Who comes for a ceiling serves as well: what service still lacks is seen in the next round.
        if service and not moved:
            few = (
                KEPT if self.size <= SMALL else FIRST
            )  # the same customers: a difference shows in few replications
            moved = self._raise_for_service(requirement, base, service, min(replications, few)) or moved
        if moved:
            requirement.duty = self.numbers.of(requirement.need, self.own)
        return moved

    def _raise_groups_for_ceilings(self, requirement: Requirement, missed: list[Verdict]) -> bool:
        moved = False
        groups = list(self.scenario.groups)
        for v in missed:
            target = self.targets[v.target]
            if target.measure not in ("occupancy", "load") or not target.at_most:
                continue
            excess = min(1.25, max(1.005, v.limit / float(target.at_most)))
            # People who came instead of others share the same work: if that did not help, the others stay too.
            all_told = int(requirement.duty[:, v.window].sum())
            if self.all_told.get((v.target, v.window)) == all_told:
                self.own[:, v.window] = np.maximum(self.own[:, v.window], requirement.duty[:, v.window])
            self.all_told[v.target, v.window] = all_told
            for g in [groups.index(name) for name in target.groups] or range(len(groups)):
                window = list(v.window)
                now = requirement.duty[g, window].astype(float)
                if not now.any():
                    continue
                # One more at least; in proportion to who is there: cumulative rounding keeps the total.
                more = max(excess, (now.sum() + 1) / now.sum())
                wanted = np.diff(np.round(np.concatenate([[0.0], np.cumsum(now * more)])))
                self.own[g, window] = np.maximum(self.own[g, window], np.maximum(now, wanted))
                moved = True
        return moved

    def _effects(self, base: Measured, duty: Ints, verdicts: list[Verdict], replications: int) -> Floats:
        """What other numbers on duty do to each verdict, in contacts of its window (or seconds waited) for the better."""
        names, groups = list(self.scenario.types), list(self.scenario.groups)
        changed = self.simulate(duty, range(replications))
        effects = np.zeros(len(verdicts))
        for k, v in enumerate(verdicts):
            target, window = self.targets[v.target], list(v.window)
            sign = 1.0 if target.measure == "service_level" else -1.0
            aim = float((target.at_least if sign > 0 else target.at_most) or 0.0)
            for measured, way in ((changed, 1.0), (base, -1.0)):
                above, below = parts(target, measured, names, groups)
                gap = above[:replications, window].sum() - aim * below[:replications, window].sum()
                effects[k] += sign * way * float(gap) / replications
        return effects

    def _missing(self, base: Measured, missed: list[Verdict]) -> Floats:
        """Contacts (or seconds) by which each missed window is short."""
        names, groups = list(self.scenario.types), list(self.scenario.groups)
        short = np.zeros(len(missed))
        for k, v in enumerate(missed):
            target = self.targets[v.target]
            below = parts(target, base, names, groups)[1][:, list(v.window)].sum(axis=1).mean()
            part = 1.0 if target.with_probability is None else 0.1
            short[k] = max(v.short, 1e-4) * float(below) * part
        return short

    def _raise_for_service(
        self, requirement: Requirement, base: Measured, missed: list[Verdict], replications: int
    ) -> bool:
        groups, where = self._candidates(missed)
        # Nobody helps where nobody waits: what would be measured there is the luck of who comes to work.
        asked = base.by_wait[self.waits[0]]["queued"].sum(axis=(0, 1)).reshape(-1) > 0
        if any(self.targets[v.target].within_h is not None for v in missed):
            asked |= workable(self.scenario).any(axis=0)
        where = {i for i in where if asked[i]}
        choices = sorted({self._preferred(requirement, able) for able in groups})
        if self.size <= SMALL:
            return self._raise_one(requirement, base, missed, choices, sorted(where), replications)
        return self._raise_windows(requirement, base, missed, choices, replications)

    def _preferred(self, requirement: Requirement, able: tuple[int, ...]) -> int:
        """Of groups that could do the work, the cheapest; where wages do not count, the one furthest below today's share."""

        def rank(g: int) -> tuple[float, float, int]:
            return float(self.cost[g]), float(requirement.duty[g].sum()) / max(float(self.mix[g]), 1e-9), g

        return min(able, key=rank)

    def _raise_one(
        self, requirement: Requirement, base: Measured, missed: list[Verdict], choices: list[int], where: list[int],
        replications: int,
    ) -> bool:  # fmt: skip
        """The one agent-interval with the best measured gain per cost."""
        short = self._missing(base, missed)
        best, best_gain = None, 0.0
        for group in choices:
            for i in where:
                duty = requirement.duty.copy()
                duty[group, i] += 1
                effects = self._effects(base, duty, missed, replications)
                gain = float(np.minimum(effects, short).sum()) / self.cost[group]
                if best is None or gain > best_gain:
                    best, best_gain = (group, i), gain
        if best is None:
            return False
        self._raise_row(requirement, *best)
        return True

    def _raise_windows(
        self,
        requirement: Requirement,
        base: Measured,
        missed: list[Verdict],
        choices: list[int],
        replications: int,
    ) -> bool:
        """One person more of each group in all missed windows at once tells what an agent-interval is worth there;

        as many as are missing are then added where most contacts are late. Single intervals could not be told from
        luck at this size.
        """
        short = self._missing(base, missed)
        late = self._lateness(base, missed)
        present = requirement.duty.sum(axis=0).astype(float)
        for k, v in enumerate(missed):
            if self.targets[v.target].within_h is not None:
                # Deferred work can be done at any hour: people are added where there are fewest.
                late[k] = present[list(v.window)].max(initial=0.0) - present + 1.0
        days = {v.window for v in missed}
        # What an agent-interval is worth falls slowly: one measurement serves later rounds, a little discounted.
        keys = [[(group, v.target, v.window) for v in missed] for group in choices]
        worth = np.array([[self.worth.get(key, -1.0) for key in row] for row in keys])
        for c_, group in enumerate(choices):
            if (worth[c_] >= 0).all():
                worth[c_] *= 0.75
                continue
            duty = requirement.duty.copy()
            for window in days:
                busy = [i for i in window if requirement.duty[:, i].sum() > 0]
                duty[group, busy] += 1
            effects = self._effects(base, duty, missed, replications)
            for k, v in enumerate(missed):
                n = sum(1 for i in v.window if requirement.duty[:, i].sum() > 0)
                worth[c_, k] = float(np.clip(effects[k] / max(n, 1), 0.0, self.most_gain))
        for row, values in zip(keys, worth, strict=True):
            self.worth.update(zip(row, values.tolist(), strict=True))
        for k, v in enumerate(missed):
            types = self._scope(self.targets[v.target])
            able = {g for s in self.sets if len(s.types) == 1 and set(s.types) <= types for g in s.groups}
            for c_, group in enumerate(choices):
                if group not in able and len(able & set(choices)):
                    worth[c_, k] = 0.0
        raised = 0
        added: dict[tuple[int, int], int] = {}
        left = short.copy()
        for k in np.argsort(-short):
            v = missed[int(k)]
            best = int(np.argmax(worth[:, k] / self.cost[choices]))
            gain = max(float(worth[best, k]), 0.15)
            if left[k] <= 0:
                continue
            # A step too short costs another round, a step too long is taken back afterwards.
            n = max(1, round(0.9 * float(left[k]) / gain))
            busy = [i for i in v.window if requirement.duty[:, i].sum() > 0]
            n = min(n, 2 * len(busy))
            for i in self._places(late[int(k)], busy, n):
                added[choices[best], i] = added.get((choices[best], i), 0) + 1
                raised += 1
            for j, other in enumerate(missed):
                if set(other.window) & set(v.window):
                    left[j] -= n * worth[best, j]
        for (group, i), times in added.items():
            for _ in range(times):
                self._raise_row(requirement, group, i)
        return raised > 0

    def _lateness(self, base: Measured, verdicts: list[Verdict]) -> list[Floats]:
        """(intervals,) smoothed contacts that each verdict's target finds late, lost or waiting."""
        names, groups = list(self.scenario.types), list(self.scenario.groups)
        found = []
        for v in verdicts:
            target = self.targets[v.target]
            above, below = parts(target, base, names, groups)
            late = (below - above if target.measure == "service_level" else above).mean(axis=0)
            if target.within_h is not None:
                late = np.zeros_like(late)  # when it came says nothing of when somebody was missing
            found.append(np.convolve(np.maximum(late, 0), [0.25, 0.5, 0.25], mode="same"))
        return found

    def _places(self, late: Floats, busy: list[int], n: int) -> list[int]:
        """`n` intervals among the busy ones, in proportion to lateness (largest remainders)."""
        weight = late[busy] + 1e-9
        exact = n * weight / weight.sum()
        whole = np.floor(exact).astype(int)
        for j in np.argsort(whole - exact)[: n - int(whole.sum())]:
            whole[j] += 1
        return [i for i, times in zip(busy, whole, strict=True) for _ in range(times)]

    def _raise_row(self, requirement: Requirement, group: int, i: int) -> None:
        """One more of this group: every row that counts it rises to what is there then, so that nothing else gives way."""
        requirement.duty[group, i] += 1
        for k, s in enumerate(self.sets):
            if group in s.groups:
                there = float(requirement.duty[list(s.groups), i].sum())
                requirement.need[k, i] = max(requirement.need[k, i], there)

    def _relieve(self, requirement: Requirement, replications: int) -> None:
        """Give back who came for a ceiling of one group before others came for another's and relieved it."""
        for g in np.flatnonzero(self.own.any(axis=1)).tolist():
            ceilings = [v for v in requirement.verdicts if self._is_ceiling_of(self.targets[v.target], g)]
            nearest = max((v.limit / v.aim for v in ceilings if v.aim > 0), default=0.0)
            for share in RELIEVED:
                if share < nearest:
                    continue
                own = self.own.copy()
                own[g] = np.diff(np.round(np.concatenate([[0.0], np.cumsum(own[g] * share)])))
                duty = self.numbers.of(requirement.need, own)
                if duty.sum() >= requirement.duty.sum():
                    continue
                _, verdicts, _ = self._decided(duty, replications)
                if all(v.met for v in verdicts):
                    self.own, requirement.duty, requirement.verdicts = own, duty, verdicts
                    self.say(
                        f"requirement: {requirement.agent_hours:,.0f} agent-hours, others having relieved a ceiling"
                    )
                    break

    def _is_ceiling_of(self, target: Target, group: int) -> bool:
        names = target.groups or tuple(self.scenario.groups)
        return target.measure in ("occupancy", "load") and list(self.scenario.groups)[group] in names

    def _take_back(self, requirement: Requirement, replications: int) -> None:
        """Lower what costs least while every target still clears."""
        if self.size <= SMALL:
            self._take_each(requirement, replications)
            while self._swap_each(requirement, replications):
                self._take_each(requirement, replications)
            return
        if self.most_replications <= QUICK:
            return  # cuts come from below and end close to the aim: what this would find is not worth a quick plan's time
        for _ in range(2):
            if not self._take_windows(requirement, replications):
                return

    def _still_met(self, requirement: Requirement, duty: Ints, replications: int, note: str) -> bool:
        """Accept other numbers if every target clears with them."""
        _, verdicts, _ = self._decided(duty, replications)
        if any(not v.met for v in verdicts):
            return False
        for k, s in enumerate(self.sets):
            # Where a cheaper person took a dearer one's place, the rows of the cheaper group rise with it.
            there = duty[list(s.groups)].sum(axis=0)
            before = requirement.duty[list(s.groups)].sum(axis=0)
            requirement.need[k] = np.where(there > before, there, np.minimum(requirement.need[k], there))
        requirement.duty, requirement.verdicts = duty, verdicts
        self.say(f"requirement: {requirement.agent_hours:,.0f} agent-hours {note}")
        return True

    def _take_each(self, requirement: Requirement, replications: int) -> None:
        """Take back agent-intervals that nothing needs, the dearest first; one that was needed once is needed still."""
        spots = sorted(zip(*np.nonzero(requirement.duty), strict=True), key=lambda s: (-self.cost[s[0]], s))
        for g, i in spots:
            while requirement.duty[g, i] > self.own[g, i]:
                duty = requirement.duty.copy()
                duty[g, i] -= 1
                if not self._still_met(requirement, duty, replications, "after taking one back"):
                    break

    def _swap_each(self, requirement: Requirement, replications: int) -> bool:
        """Put a cheaper group's person where a dearer one's is, if every target clears all the same."""
        swapped = False
        for g, i in zip(*np.nonzero(requirement.duty), strict=True):
            for h in sorted(range(len(self.cost)), key=lambda h: (self.cost[h], h)):
                if self.cost[h] >= self.cost[g] or requirement.duty[g, i] <= self.own[g, i]:
                    break
                duty = requirement.duty.copy()
                duty[g, i] -= 1
                duty[h, i] += 1
                if self._still_met(requirement, duty, replications, "after a swap"):
                    swapped = True
                    break
        return swapped

    def _take_windows(self, requirement: Requirement, replications: int) -> bool:
        """Take people back on days whose targets all clear by far, where fewest contacts are late."""
        measured, verdicts, replications = self._decided(requirement.duty, replications)
        if any(not v.met for v in verdicts):
            return False
        service = [v for v in verdicts if self.targets[v.target].measure in ("service_level", "abandonment")]
        names, groups = list(self.scenario.types), list(self.scenario.groups)
        room = np.array([
            abs(v.limit - v.aim) * parts(self.targets[v.target], measured, names, groups)[1][:, list(v.window)].sum(axis=1).mean()
            for v in service
        ])  # fmt: skip
        late = self._lateness(measured, service)
        trial = requirement.duty.copy()
        taken = 0
        n = min(replications, KEPT)
        above = requirement.duty.sum(axis=1) / np.maximum(self.mix, 1e-9)
        for group in sorted(range(len(self.cost)), key=lambda g: (-self.cost[g], -above[g], g)):
            duty = trial.copy()
            busy = np.flatnonzero((duty[group] > 1) & (duty[group] > self.own[group]))
            if len(busy) == 0:
                continue
            duty[group, busy] -= 1
            loss = -self._effects(measured, duty, service, n)
            for window in {v.window for v in service}:
                mine = [k for k, v in enumerate(service) if set(v.window) & set(window)]
                spots = [int(i) for i in busy if int(i) in set(window)]
                if not spots:
                    continue
                each = np.maximum(loss[mine] / len(spots), 0.25)
                count = int(0.5 * float((np.maximum(room[mine], 0) / each).min()))
                pressure = np.sum([late[k] for k in mine], axis=0)
                for i in sorted(spots, key=lambda i: (float(pressure[i]), i))[: min(count, len(spots))]:
                    trial[group, i] -= 1
                    taken += 1
                for k in mine:
                    room[k] -= min(count, len(spots)) * float(np.maximum(loss[k] / len(spots), 0.25))
        return taken > 0 and self._still_met(
            requirement, trial, replications, f"after taking {taken} agent-intervals back"
        )


def _one_elsewhere(
    world: World, seed: int, k: int, waits: list[float], engine: Engine
) -> list[dict[str, Floats]]:
    """As `Search._one`, for a process that does not know the search and its draws."""
    return sums_by_wait(world, *simulated(world, seed, [k], engine), waits)


def require(
    scenario: Scenario,
    natural: NaturalValues,
    policy: str,
    *,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    say: Say = lambda _: None,
    most_rounds: int = 12,
    most_replications: int = MOST,
    seed: int = SEED,
) -> Requirement:
    """The bare requirement of a policy. Raises FieldError for targets that no number of people can reach."""
    search = Search(
        scenario,
        natural,
        policy,
        engine=engine,
        executor=executor,
        say=say,
        most_replications=most_replications,
        seed=seed,
    )
    return search.run(most_rounds)
