"""From a requirement to a schedule, a roster and its proof; and the roster that as_is works to today.

A plan is judged by the last step alone: the very roster is simulated, absence and lateness and all. What stays short
is listed with day, time, skill and number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from planner.anchor import lens_of
from planner.channels import agent_share, usual_level
from planner.natural import NaturalValues
from planner.requirement import (
    ENOUGH,
    MOST,
    PER_POINT,
    SEED,
    Requirement,
    Verdict,
    judge,
    measured_of,
    require,
    sums_by_wait,
    targets_of,
    to_spare,
    waits_of,
)
from planner.roster import Activity, Roster, RosteredShift
from planner.scenario import compile as c
from planner.scenario.problems import FieldError
from planner.scenario.schema import DAYS, Group, Scenario, Target
from planner.schedule.cover import solve
from planner.schedule.people import assign
from planner.schedule.problem import CoverProblem, CoverRow, PaidTime
from planner.schedule.problem import Plan as Schedule
from planner.schedule.validate import validate
from planner.shifts import GRID_MIN, on_queue_share, shift_kinds, usual_shifts
from planner.shrinkage import rostered_per_present, worked_share
from sim import erlang
from sim.measures import Estimate, Lens, Totals, joined, summary, totals_of_block
from sim.replicate import Engine, shared, simulated
from sim.world import Floats, Ints, World

PROOF_REPLICATIONS = 10
LOWERED = 2
"""How often days with people to spare are scheduled with fewer; in a quick plan once."""
MIX_WEIGHT = 0.1
"""Price of straying from the requirement's mix of groups, against that of a person short: more than any difference in
wages, less than a wage, so that it moves people between groups and adds none."""
BACK_OFFICE = 0.85
"""Occupancy at which a spreadsheet plans deferred work."""
ASSUMED_SHRINKAGE = 0.3
"""Of a spreadsheet, where the scenario names none and has no items."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Fte:
    """Full-time equivalents of one group, step by step."""

    group: str
    bare: float
    """On the queue, in contract weeks."""
    rostered: float
    """In the schedule: breaks, off-phone time, absence and lateness inside."""
    paid: float
    """With leave."""
    people: int
    """People in the roster, part-timers among them."""
    headcount: int
    """People employed today."""
    today: float
    """With leave, today: full contracts."""
    needed: int
    """Full contracts to employ, leave covered."""

    @property
    def change(self) -> int:
        """Full contracts to hire, or below zero to release."""
        return self.needed - round(self.today)


@dataclass(frozen=True)
class ErlangC:
    """What the usual spreadsheet would say: Erlang C per queue and interval, rounded up, one flat shrinkage on top."""

    on_queue: float
    """FTE without any shrinkage."""
    shrinkage: float
    """The flat share."""
    source: str
    """Where it comes from: flat_shrinkage or items of the file, or assumed."""
    chats: bool = False
    """Whether there are chats: their handle time is divided by the chats at once."""
    deferred: bool = False
    """Whether there is deferred work: its hours over an occupancy of BACK_OFFICE, without Erlang."""

    @property
    def fte(self) -> float:
        """FTE with the flat shrinkage."""
        return self.on_queue / (1 - self.shrinkage)


@dataclass(frozen=True)
class Outcome:
    """A target in one window of the proof."""

    target: Target
    day: int
    """Day of the horizon (the window's first)."""
    minute: int | None
    """Minute of the day, where the window is one interval."""
    week: int | None
    """Number of the week, where there are several."""
    floor: bool
    """Whether it is the floor of single intervals that is judged."""
    verdict: Verdict

    @property
    def at_least(self) -> bool:
        """Whether more is better."""
        return self.target.measure == "service_level" or self.target.with_probability is not None

    @property
    def margin(self) -> float:
        """How far the mean is on the right side, in its own unit; below zero it misses."""
        gap = self.verdict.mean - self.verdict.aim
        return gap if self.at_least else -gap

    @property
    def used(self) -> float:
        """The share used up of what the target leaves room for; above 1 it misses.

        Room is what may be late, abandoned or waited; under an occupancy ceiling it is the idle time that must be left.
        """
        mean, aim = self.verdict.mean, self.verdict.aim
        if self.at_least:
            return (1 - mean) / max(1 - aim, 1e-9)
        if self.target.measure == "occupancy":
            return (1 - aim) / max(1 - mean, 1e-9)
        return mean / max(aim, 1e-9)


@dataclass(frozen=True)
class Unmet:
    """A stretch that the schedule leaves short."""

    day: str
    time: str
    skill: str
    short: float

    def __str__(self) -> str:
        return f"{self.day} {self.time} {self.skill}: short by {self.short:.3g}"


@dataclass(frozen=True)
class Proof:
    """What simulating the roster gave."""

    replications: int
    measures: dict[str, Estimate]
    verdicts: tuple[Verdict, ...]
    totals: Totals

    @property
    def missed(self) -> tuple[Verdict, ...]:
        """Windows whose target the simulated roster misses, in the mean."""
        return tuple(v for v in self.verdicts if not v.held)


@dataclass(frozen=True)
class PlanResult:
    """A plan from end to end."""

    scenario: Scenario
    policy: str
    requirement: Requirement
    schedule: Schedule | None
    violations: tuple[str, ...]
    roster: Roster
    fte: tuple[Fte, ...]
    unmet: tuple[Unmet, ...]
    proof: Proof
    erlang_c: ErlangC
    repairs: int
    seed: int
    """Of the search; the proof takes the next, so that it meets other customers."""


# --- rosters -----------------------------------------------------------------------------------------------------------


def _roster_of(scenario: Scenario, problem: CoverProblem, schedule: Schedule, groups: list[int]) -> Roster:
    """Shifts given to anonymous people of their group."""
    staffed = assign(schedule, problem, rest_h=scenario.rest_hours, days_per_week=scenario.days_per_week)
    shifts = []
    for shift, person in zip(schedule.shifts, staffed.agents, strict=True):
        kind = problem.shift_kinds[shift.kind]
        acts = tuple(
            Activity(
                start - shift.start_min, kind.breaks[i].minutes, kind.breaks[i].kind, kind.breaks[i].paid
            )
            for i, start in shift.breaks
        )
        shifts.append(
            RosteredShift(groups[shift.group], person, shift.day, shift.start_min, kind.length_min, acts)
        )
    return Roster(tuple(shifts), {})


# --- today ----------------------------------------------------------------------------------------------------------


def weeks_of(scenario: Scenario) -> float:
    """The horizon in contract weeks: by the share of a week's contacts that falls into it."""
    week = sum(kind.offered_per_week for kind in scenario.types.values())
    return float(c.offered_by_interval(scenario).sum() / week) if week > 0 else scenario.horizon.days / 7


def observed_load(scenario: Scenario) -> Floats:
    """(T, days, I) Erlangs that reach people under as_is, from observed numbers alone."""
    offered = c.offered_by_interval(scenario)
    load = np.zeros_like(offered)
    for t, (name, kind) in enumerate(scenario.types.items()):
        hangs = (
            scenario.coefficient("hang_up") if kind.automation.hangs_up is None else kind.automation.hangs_up
        )
        reach = 1 - kind.automation.offered * min(1.0, kind.automation.contained + hangs)
        handle = c.by_interval(kind.handle.talk_s, scenario) + kind.handle.acw_s
        load[t] = offered[t] * reach * handle / (scenario.horizon.interval_min * 60)
        if kind.channel == "chat":
            load[t] /= usual_level(scenario, name)[0]
        elif kind.deferred:
            is_open = c.open_intervals(scenario)
            load[t] = load[t].sum() * is_open / is_open.sum()  # done when people are there, not when it comes
    return load


def workload_shares(scenario: Scenario) -> Floats:
    """(T, G) shares of each type's work that the groups carry so that the busiest is as little busy as can be."""
    types, groups = list(scenario.types), list(scenario.groups)
    work = observed_load(scenario).sum(axis=(1, 2))
    capacity = np.array([max(g.headcount * g.hours_per_week, 1e-6) for g in scenario.groups.values()])
    pairs = [
        (t, g)
        for t, name in enumerate(types)
        for g, group in enumerate(groups)
        if name in scenario.skills(group)
    ]
    n = len(pairs)
    price = np.concatenate([[scenario.skills(groups[g]).index(types[t]) * 1e-7 for t, g in pairs], [1.0]])
    equal = np.zeros((len(types), n + 1))
    upper = np.zeros((len(groups), n + 1))
    for k, (t, g) in enumerate(pairs):
        equal[t, k] = 1
        upper[g, k] = work[t]
    upper[:, n] = -capacity
    from scipy.optimize import linprog  # slow to import

    result = linprog(price, A_ub=upper, b_ub=np.zeros(len(groups)), A_eq=equal, b_eq=np.ones(len(types)))
    shares = np.zeros((len(types), len(groups)))
    found = np.asarray(result.x)
    for k, (t, g) in enumerate(pairs):
        shares[t, g] = found[k]
    return shares


def as_is_roster(scenario: Scenario, say: Say = lambda _: None) -> Roster:
    """Today's roster: the hours of today's headcount, spread as the observed work is; plain numbers where given."""
    if all(group.on_duty is not None for group in scenario.groups.values()):
        numbers = {g: c.by_days(group.on_duty, scenario) for g, group in enumerate(scenario.groups.values())}
        return Roster((), numbers, usual_shifts(scenario, "as_is").rest)
    load, shares = observed_load(scenario), workload_shares(scenario)
    shifts: list[RosteredShift] = []
    for g, (name, group) in enumerate(scenario.groups.items()):
        people = group.headcount * scenario.what_if.headcount
        hours = people * group.hours_per_week * weeks_of(scenario) * worked_share(scenario)
        if hours <= 0:
            continue
        profile = np.tensordot(shares[:, g], load, axes=1)
        if profile.sum() <= 0:
            profile = load.sum(axis=0)
        kinds = shift_kinds(scenario, "as_is", [g])
        on_queue = hours * 60 * on_queue_share(kinds)
        wanted = profile * on_queue / (profile.sum() * scenario.horizon.interval_min)
        problem = CoverProblem(
            grid_min=GRID_MIN, n_days=scenario.horizon.days, group_names=(name,), shift_kinds=kinds,
            rows=_rows([((0,), wanted.reshape(-1))]), cost_per_paid_min=(0.0,), under_cost=2.0, over_cost=1.0,
            interval_slots=_slots(scenario), paid_time=PaidTime(hours * 60, "exact"),
            max_shifts=(math.ceil(people * scenario.days_per_week * max(weeks_of(scenario), 1 / 7) * 1.05) + 1,),
        )  # fmt: skip
        schedule = solve(problem, thorough=False)
        say(f"today's roster: {name}, {len(schedule.shifts)} shifts, {hours:,.0f} paid hours")
        shifts += _roster_of(scenario, problem, schedule, [g]).shifts
    return Roster(tuple(shifts), {})


def _slots(scenario: Scenario) -> int:
    return max(1, scenario.horizon.interval_min // GRID_MIN)


def _rows(rows: Sequence[tuple[tuple[int, ...], Floats]], weight: float = 1.0) -> tuple[CoverRow, ...]:
    """Cover rows from (groups, numbers per interval), the largest where the same groups are asked for twice."""
    most: dict[tuple[int, ...], Floats] = {}
    for groups, numbers in rows:
        most[groups] = np.maximum(most[groups], numbers) if groups in most else numbers
    return tuple(
        CoverRow(int(i), groups, float(numbers[i]), weight)
        for groups, numbers in most.items()
        for i in np.flatnonzero(numbers > 1e-9)
    )


# --- the plan -------------------------------------------------------------------------------------------------------


def cover_problem(
    scenario: Scenario,
    requirement: Requirement,
    *,
    scale: Floats | float = 1.0,
    paid_minutes: float | None = None,
) -> CoverProblem:
    """The scheduling problem of a requirement: rows grossed up for unplanned shrinkage; planned time is in the shifts."""
    groups = list(range(len(scenario.groups)))
    cost = tuple(group.cost_per_hour / 60 for group in scenario.groups.values())
    per_present = np.repeat(rostered_per_present(scenario), c.n_intervals(scenario))
    rows = [
        (s.groups, need * per_present * scale)
        for s, need in zip(requirement.sets, requirement.need, strict=True)
    ]
    ceilings = requirement.own
    rows += [((g,), ceilings[g] * per_present * scale) for g in groups if ceilings[g].any()]
    kept = [((g,), requirement.duty[g] * per_present * scale) for g in groups if len(groups) > 1]
    wishes = _rows(kept, MIX_WEIGHT) if scenario.mix == "today" else ()
    top = max([*cost, 1e-3])
    return CoverProblem(
        grid_min=GRID_MIN,
        n_days=scenario.horizon.days,
        group_names=tuple(scenario.groups),
        shift_kinds=shift_kinds(scenario, requirement.policy, groups),
        rows=(*_rows(rows), *wishes),
        cost_per_paid_min=cost,
        under_cost=6 * top * GRID_MIN,
        over_cost=0.05 * top * GRID_MIN,
        interval_slots=_slots(scenario),
        paid_time=None if paid_minutes is None else PaidTime(paid_minutes, "exact", 0.004),
    )


def schedule_of(
    scenario: Scenario,
    requirement: Requirement,
    *,
    scale: Floats | float = 1.0,
    paid_minutes: float | None = None,
    thorough: bool = True,
) -> tuple[CoverProblem, Schedule, Roster, tuple[str, ...]]:
    """Shifts for a requirement, checked by the validator, given to anonymous people."""
    problem = cover_problem(scenario, requirement, scale=scale, paid_minutes=paid_minutes)
    schedule = solve(problem, thorough=thorough)
    audit = validate(problem, schedule)
    roster = _roster_of(scenario, problem, schedule, list(range(len(scenario.groups))))
    return problem, schedule, roster, tuple(str(v) for v in audit.violations)


def prove(
    scenario: Scenario,
    natural: NaturalValues,
    policy: str,
    roster: Roster,
    *,
    replications: int = PROOF_REPLICATIONS,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    seed: int = SEED + 1,
) -> Proof:
    """Simulate the roster itself and hold it against every target."""
    world = c.compile_world(scenario, natural, policy, roster, follow=False)
    waits = waits_of(scenario, policy)
    rest = [(lens_of(scenario, policy), waits, seed, k, engine) for k in range(replications)]
    if executor is None:
        done = [_proof_once(world, *one) for one in rest]
    else:
        sent = shared(executor, world)
        futures = [executor.submit(_proof_once, sent, *one) for one in rest]
        done = [future.result() for future in futures]
    main = joined([sums for sums, _ in done])
    measured = measured_of([by_wait for _, by_wait in done], waits, scenario)
    return Proof(replications, summary(main), tuple(judge(scenario, policy, measured)), main)


def _proof_once(
    world: World, lens: Lens, waits: list[float], seed: int, k: int, engine: Engine
) -> tuple[Totals, list[dict[str, Floats]]]:
    block, written = simulated(world, seed, [k], engine)
    return totals_of_block(world, block, written, lens), sums_by_wait(world, block, written, waits)


def plan(
    scenario: Scenario,
    natural: NaturalValues,
    policy: str,
    *,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    say: Say = lambda _: None,
    requirement: Requirement | None = None,
    repairs: int = 4,
    replications: int = PROOF_REPLICATIONS,
    plan_replications: int = MOST,
    seed: int = SEED,
) -> PlanResult:
    """Requirement, schedule, roster and proof; redone with more where the proof misses a window, with fewer where it clears by far."""
    need = requirement or require_for(
        scenario, natural, policy, engine=engine, executor=executor, say=say, plan_replications=plan_replications, seed=seed
    )  # fmt: skip
    size = scenario.horizon.days * c.n_intervals(scenario)
    scale = np.ones(size)
    targets = targets_of(scenario, policy)
    thorough = plan_replications >= MOST
    best: _Try | None = None
    done, lowered = 0, 0
    while True:
        tried = _try(scenario, natural, policy, need, scale, thorough, replications, engine, executor, seed)
        missed = tried.proof.missed
        say(f"proof: {len(missed)} of {len(tried.proof.verdicts)} target windows missed")
        if best is None or not missed or best.proof.missed:
            best = tried
        if missed and lowered:
            break  # the one before gave back as much as could be
        if missed and done < repairs:
            done += 1
            for v in missed:
                window = list(v.window)
                more = min(0.06, max(0.01, PER_POINT * abs(v.aim - v.mean)))
                scale[window] = np.minimum(scale[window] * (1 + more), 1.6)
            continue
        spare = to_spare(list(tried.proof.verdicts), targets, size)
        if missed or done or lowered >= (LOWERED if thorough else 1) or not (spare > ENOUGH).any():
            break
        lowered += 1
        scale = scale * (1 - np.minimum(0.06, PER_POINT * spare))
        say("proof: some days have people to spare")
    return PlanResult(
        scenario=scenario,
        policy=policy,
        requirement=need,
        schedule=best.schedule,
        violations=best.violations,
        roster=best.roster,
        fte=fte_of(scenario, need, best.roster),
        unmet=unmet_of(scenario, need, best.schedule),
        proof=best.proof,
        erlang_c=erlang_c(scenario, best.proof.totals, policy),
        repairs=done,
        seed=seed,
    )


def require_for(
    scenario: Scenario, natural: NaturalValues, policy: str, *, engine: Engine = "kernel", executor: Executor | None = None,
    say: Say = lambda _: None, plan_replications: int = MOST, seed: int = SEED,
) -> Requirement:  # fmt: skip
    """The bare requirement of a policy. Raises FieldError where no target asks for anybody, or none can be reached."""
    if not any(t.measure in ("service_level", "mean_wait", "abandonment") for t in scenario.targets):
        raise FieldError(
            ("targets",),
            None,
            "needs a service level, mean wait or abandonment: without one nobody is needed",
        )
    return require(
        scenario, natural, policy, engine=engine, executor=executor, say=say, most_replications=plan_replications, seed=seed
    )  # fmt: skip


@dataclass(frozen=True)
class _Try:
    """A schedule of a requirement, and what simulating it gave."""

    schedule: Schedule | None
    violations: tuple[str, ...]
    roster: Roster
    proof: Proof


def _try(
    scenario: Scenario, natural: NaturalValues, policy: str, need: Requirement, scale: Floats, thorough: bool,
    replications: int, engine: Engine, executor: Executor | None, seed: int,
) -> _Try:  # fmt: skip
    schedule: Schedule | None = None
    violations: tuple[str, ...] = ()
    if scenario.shifts:
        _, schedule, roster, violations = schedule_of(scenario, need, scale=scale, thorough=thorough)
    else:
        duty = np.ceil(need.duty * np.repeat(rostered_per_present(scenario), c.n_intervals(scenario)) * scale)
        days = scenario.horizon.days
        roster = Roster((), {g: row.astype(np.int64).reshape(days, -1) for g, row in enumerate(duty)})
    proof = prove(
        scenario,
        natural,
        policy,
        roster,
        replications=replications,
        engine=engine,
        executor=executor,
        seed=seed + 1,
    )
    return _Try(schedule, violations, roster, proof)


def fte_of(scenario: Scenario, requirement: Requirement, roster: Roster) -> tuple[Fte, ...]:
    """Bare, rostered and paid FTE by group."""
    weeks = weeks_of(scenario)
    paid = roster.paid_minutes(len(scenario.groups), scenario.horizon.interval_min) / 60
    people = roster.people(len(scenario.groups))
    rows = []
    for g, (name, group) in enumerate(scenario.groups.items()):
        contract = group.hours_per_week * weeks
        bare = float(requirement.duty[g].sum()) * scenario.horizon.interval_min / 60
        with_leave = paid[g] / contract / worked_share(scenario)
        rows.append(
            Fte(
                group=name, bare=bare / contract, rostered=paid[g] / contract, paid=with_leave, people=int(people[g]),
                headcount=group.headcount, today=_employed(scenario, group), needed=math.ceil(round(with_leave, 1)),
            )
        )  # fmt: skip
    return tuple(rows)


def _employed(scenario: Scenario, group: Group) -> float:
    """Full contracts of today: the headcount, or what the plain numbers on duty come to."""
    if group.on_duty is None or group.headcount:
        return group.headcount * scenario.what_if.headcount
    hours = float(c.by_days(group.on_duty, scenario).sum()) * scenario.horizon.interval_min / 60
    return hours / (group.hours_per_week * weeks_of(scenario)) / worked_share(scenario)


def unmet_of(scenario: Scenario, requirement: Requirement, schedule: Schedule | None) -> tuple[Unmet, ...]:
    """What the schedule leaves short, in words."""
    if schedule is None:
        return ()
    names, types = list(scenario.groups), list(scenario.types)
    n = c.n_intervals(scenario)
    rows = []
    for u in schedule.unmet:
        day, i = divmod(u.interval, n)
        minute = i * scenario.horizon.interval_min
        # Several sets may share their groups: the one that asks for most is the one that is short.
        match = [
            s
            for _, s in sorted(
                zip(requirement.need[:, u.interval], requirement.sets, strict=True), key=lambda row: -row[0]
            )
            if s.groups == u.groups
        ]
        asked = match[0].types if match else ()
        ordinary = [types[t] for t in asked if t < len(types)]
        skill = ", ".join(ordinary or names_of_second_tier(asked, types) or [names[g] for g in u.groups])
        if len(ordinary) == len(types):
            skill = "everyone"
        label = f"{DAYS[c.weekday_of(scenario, day)].capitalize()} (day {day + 1})"
        rows.append(Unmet(label, f"{minute // 60:02d}:{minute % 60:02d}", skill, u.short))
    return tuple(rows)


def names_of_second_tier(numbers: tuple[int, ...], types: list[str]) -> list[str]:
    """Type sets number the second tier of type t as T + t."""
    return [f"{types[t - len(types)]} (second tier)" for t in numbers if t >= len(types)]


def erlang_c(scenario: Scenario, totals: Totals, policy: str = "as_is") -> ErlangC:
    """The usual spreadsheet on what the simulation finds to arrive and to take, `policy` saying how many chats at once.

    A chat counts as a call of its handle time divided by the chats at once; deferred work is volume times handle time
    at an occupancy of BACK_OFFICE, wherever in the week it lies.
    """
    seconds = scenario.horizon.interval_min * 60
    hours = 0.0
    answered = totals.customers["answered"].sum(axis=(0, 2, 3))
    handle = totals.customers["handle_min"].sum(axis=(0, 2, 3)) * 60 / np.maximum(answered, 1e-9)
    rates = totals.service["queued"].mean(axis=0) / seconds
    waiting = totals.service["deferred"] + totals.service["messages"]
    waiting = waiting.mean(axis=0).sum(axis=(1, 2)) * handle / 3600
    hours += float(waiting.sum()) / BACK_OFFICE
    handle = handle * agent_share(scenario, policy)[1]
    for t, name in enumerate(scenario.types):
        numbers = queue_numbers(scenario, name, rates[t].reshape(-1), float(handle[t]))
        hours += float(numbers.sum()) * seconds / 3600
    contract = np.array([g.hours_per_week for g in scenario.groups.values()]).mean() * weeks_of(scenario)
    kinds = scenario.types.values()
    return ErlangC(
        float(hours / contract),
        *flat_shrinkage(scenario),
        chats=any(kind.channel == "chat" for kind in kinds),
        deferred=scenario.has_deferred(),
    )


def queue_numbers(scenario: Scenario, name: str, rates_per_s: Floats, handle_s: float) -> Ints:
    """(intervals,) people for one type's queue by Erlang C, each interval by itself, to the type's own service level.

    80 % in 20 s where it has none; nobody for a twentieth of a contact or less.
    """
    seconds = scenario.horizon.interval_min * 60
    target = next(
        (
            x
            for x in scenario.targets
            if x.measure == "service_level" and x.within_h is None and name in scenario.scope(x)
        ),
        None,
    )
    level = float(target.at_least or 0.8) if target else 0.8
    within = target.within_s if target else 20.0
    numbers = np.zeros(len(rates_per_s), np.int64)
    for i, rate in enumerate(rates_per_s.tolist()):
        if rate * seconds > 0.05 and handle_s > 0:
            numbers[i] = erlang.agents_for(
                rate, handle_s, measure="g3", target=min(level, 0.999), within_s=within
            )
    return numbers


def flat_shrinkage(scenario: Scenario) -> tuple[float, str]:
    """The one share that a spreadsheet would use, and where it comes from."""
    if scenario.flat_shrinkage is not None:
        return scenario.flat_shrinkage, "flat_shrinkage"
    items = sum(item.share for item in scenario.shrinkage)
    return (min(items, 0.9), "items") if items > 0 else (ASSUMED_SHRINKAGE, "assumed")


class Proven(Protocol):
    """What was planned and what simulating it gave."""

    @property
    def scenario(self) -> Scenario:
        """The scenario."""

    @property
    def policy(self) -> str:
        """The policy's name."""

    @property
    def proof(self) -> Proof:
        """What simulating the roster gave."""


def outcomes(result: Proven) -> list[Outcome]:
    """Every window of the proof, with its target and interval."""
    targets, n = targets_of(result.scenario, result.policy), c.n_intervals(result.scenario)
    found = []
    for v in result.proof.verdicts:
        target = targets[v.target]
        single = len(v.window) == 1
        floor = single and target.window != "interval"
        day, i = divmod(v.window[0], n)
        found.append(
            Outcome(
                target=target,
                day=day,
                minute=i * result.scenario.horizon.interval_min if single else None,
                week=day // 7 + 1 if target.window == "week" and result.scenario.horizon.days > 7 else None,
                floor=floor,
                verdict=v,
            )
        )
    return found


def tightest(found: Sequence[Outcome]) -> list[Outcome]:
    """Each target's window with the least room left, the target that decided the staffing first."""
    worst: dict[tuple[int, bool], Outcome] = {}
    for one in found:
        key = one.verdict.target, one.floor
        if key not in worst or one.used > worst[key].used:
            worst[key] = one
    return sorted(worst.values(), key=lambda one: -one.used)
