"""Levers ranked one by one: each laid alone on today's policy, and on top of the policy in force.

What finance can cash is people, so by default today's roster is fitted: shifts are taken out of it or put in, group by
group, until people are as busy as under the base, and the lever is simulated so; what whole shifts cannot take is
priced. With `equal_hours` the roster stays, and hours that the work needs more or less are shown and not priced; with
`at_target` every lever is planned anew. Nothing here knows a lever by name, but for its usual setting. A lever on a
base is a piece of work, and so is a draw of the doubt, which values every lever anew under other coefficients.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

import numpy as np
from pydantic import BaseModel, ValidationError

from planner import evidence
from planner.anchor import Anchored, anchor
from planner.compare import Cell, Runner, differences_of, formulas
from planner.frames import PLAN_SEED
from planner.levers import RANKED, is_on, known
from planner.money import WEEKS_PER_YEAR, money
from planner.pieces import Kept, Piece, finish, listed, roster_from
from planner.plan import PROOF_REPLICATIONS, plan, weeks_of
from planner.roster import Roster, RosteredShift
from planner.scenario import compile as c
from planner.scenario.problems import counted
from planner.scenario.schema import (
    PRICED,
    CallBackLever,
    DecompressionLever,
    HiringLever,
    LeverCost,
    OutsourceLever,
    Policy,
    ProactiveLever,
    RecoveryLever,
    Scenario,
    SelfServiceLever,
    SpecialistLever,
    TargetLever,
    off_value,
)
from planner.shifts import GRID_MIN
from sim.measures import Estimate, estimate, t_value
from sim.replicate import Engine
from sim.world import Floats

FRAMES = ("equal_occupancy", "equal_hours", "at_target")
FRAME_MEANING = {
    "equal_occupancy": "people are taken out of the roster or put in, group by group, until they are as busy as before;"
    " their pay is in cash",
    "equal_hours": "the roster stays as it is; hours that the work needs more or less are shown, and not in cash",
    "at_target": "with and without the lever people are planned anew until the same service targets hold",
}
MOVING = (
    "service_level", "abandonment", "handle_time_s", "first_contact_resolution", "resolution", "heard", "undisclosed",
    "returns", "vulnerable_unmet", "vulnerable_refused", "occupancy", "load", "load_over_share", "exhaustion",
    "recovery_owed", "attrition", "containment", "contacts_per_resolved", "same_agent",
)  # fmt: skip
"""Measures of which the three that move most are told."""
TOGETHER = {"detectors": ("specialists",)}
"""Levers that are taken from a policy with others: nobody would listen for cues and then do nothing about them."""
CONTEXT, SHARE_OUT, POINTS = 0.9, 0.2, 0.05
"""Usual settings where neither the file nor the evidence table has one: handovers with context; people at a partner;
points of containment more."""
DOUBTED = ("cash", "cash_and_margin")
"""Measures that are taken from every draw."""
DRAWN_REPLICATIONS = 2
AGAIN = 3
"""Further plans of as_is at target, each found with other customers to search by: how far the search itself moves money."""
OWN_LINES = {
    "detectors": ("detectors",), "specialists": ("specialist_training",),
    "authority": ("concessions", "concession_leakage"),
}  # fmt: skip
"""Lines of cash that a lever alone is on."""


class Setting(NamedTuple):
    """What a lever is set to, and whence."""

    lever: str
    change: dict[str, Any]
    """Fields of the policy, and their values."""
    costs: dict[str, LeverCost]
    """What the file says that these levers cost by themselves."""
    source: str
    """The policy it is taken from, or `usual`, or `off` where today's own lever is taken away."""


@dataclass(frozen=True)
class Ranked:
    """A lever's part on one base."""

    differences: dict[str, Estimate]
    """Measure -> paired difference, with the lever less without."""
    moves: tuple[str, ...]
    """The three measures that move most, relative to the base, of those that surely move."""
    hours: Estimate
    """Paid hours a year that the work needs more; in cash unless the frame says otherwise."""
    own_per_year: Estimate
    """Of the difference in cash, what the lever costs by itself."""
    own_once: float
    in_force: bool
    """Whether the base has it already: then it is taken away, and the difference turned round."""
    missed: int | None = None
    """Target windows that the plan made for it misses; None where none is made."""
    doubt: Doubt | None = None


@dataclass(frozen=True)
class Doubt:
    """A lever's part on one base over draws of the uncertain coefficients."""

    values: dict[str, list[float]]
    """Measure -> mean difference in each draw."""
    sceptic: dict[str, float]
    """Measure -> the same where no effect of grade C or D exists."""


@dataclass(frozen=True)
class Lever:
    """A lever with its ranks, or why it has none."""

    name: str
    setting: Setting | None
    why_not: str = ""
    alone: Ranked | None = None
    on_top: Ranked | None = None


# --- settings -------------------------------------------------------------------------------------------------------


def value_of(policy: Policy, lever: str) -> Any:
    """A lever's value, said outright where it is off."""
    value = getattr(policy, lever)
    return off_value(lever) if value is None else value


def setting_of(scenario: Scenario, lever: str, in_force: str) -> Setting | str:
    """What to set a lever to: as in the policy in force, as in another of the file, off if today has it on, or as usual.

    A string says why it can be set to nothing.
    """
    today = scenario.policies["as_is"]
    others = [name for name in scenario.policies if name not in ("as_is", "oracle", in_force)]
    for name in [in_force, *others]:
        mine = scenario.policy(name)
        if name != "as_is" and value_of(mine, lever) != value_of(today, lever):
            change = {lever: value_of(mine, lever)}
            change |= {more: value_of(mine, more) for more in TOGETHER.get(lever, ())}
            costs = {more: mine.costs[more] for more in change if more in mine.costs}
            return Setting(lever, change, costs, name)
    if is_on(today, lever):
        return Setting(lever, {lever: off_value(lever)}, {}, "off")
    found = _usual(scenario, lever)
    return found if isinstance(found, str) else Setting(lever, found, {}, "usual")


def _usual(scenario: Scenario, lever: str) -> dict[str, Any] | str:
    """A lever's usual setting, or why it has none."""
    if lever in _USUAL:
        return _USUAL[lever](scenario)
    for kind in get_args(Policy.model_fields[lever].annotation):
        if kind is bool:
            return {lever: True}
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            try:
                return {lever: kind()}
            except ValidationError:
                break
    return "no policy of the file sets it, and it has no usual setting"


def _bots(scenario: Scenario) -> list[str]:
    return [name for name, kind in scenario.types.items() if kind.automation.contains]


def _fronts(scenario: Scenario) -> list[str]:
    return [name for name, kind in scenario.types.items() if kind.automation.offered > 0]


def _target(scenario: Scenario) -> dict[str, Any]:
    """At today's mean handle time of each type."""
    seconds = {
        name: max(1.0, round(float(np.mean(c.by_interval(kind.handle.talk_s, scenario))) + kind.handle.acw_s))
        for name, kind in scenario.types.items()
    }
    return {"handle_time_target": TargetLever(seconds=seconds)}


def _pooled(scenario: Scenario) -> dict[str, Any] | str:
    return {"pooled": True} if len(scenario.groups) > 1 else "there is one group"


def _way_out(scenario: Scenario) -> dict[str, Any] | str:
    if not _fronts(scenario):
        return "there is no bot"
    return {"early_way_out": scenario.policies["as_is"].early_way_out is False}


def _context(scenario: Scenario) -> dict[str, Any] | str:
    bots = [scenario.types[name].automation.context for name in _fronts(scenario)]
    if not bots:
        return "there is no bot"
    if min(bots) >= CONTEXT:
        return "handovers carry their context already"
    return {"context": CONTEXT}


def _contained(scenario: Scenario) -> dict[str, Any] | str:
    better = {name: scenario.types[name].automation.contained + POINTS for name in _bots(scenario)}
    better = {name: share for name, share in better.items() if share < 0.95}
    return {"contained": better} if better else "no bot contains anybody, or could contain more"


def _experts(scenario: Scenario) -> SpecialistLever | None:
    """The group of the most empathy among those that serve emotional types, for these types."""
    hard = {name for name, kind in scenario.types.items() if kind.emotional}
    able = [name for name in scenario.groups if hard & set(scenario.skills(name))]
    if not able or len(scenario.groups) < 2:
        return None
    best = max(able, key=lambda name: scenario.groups[name].empathy)
    types = tuple(name for name in scenario.types if name in hard & set(scenario.skills(best)))
    return SpecialistLever(groups=(best,), types=types)


def _specialists(scenario: Scenario) -> dict[str, Any] | str:
    lever = _experts(scenario)
    return {"specialists": lever} if lever else "no group among several serves a type marked emotional"


def _detectors(scenario: Scenario) -> dict[str, Any] | str:
    lever = _experts(scenario)
    if not scenario.detectors:
        return "the file names no detector"
    if lever is None:
        return "no group among several serves a type marked emotional, so there is nobody to route to"
    return {"detectors": tuple(scenario.detectors), "specialists": lever}


def _decompression(scenario: Scenario) -> dict[str, Any] | str:
    return (
        {"decompression": DecompressionLever()}
        if scenario.shifts
        else "people are given as numbers, not in shifts"
    )


def _ceiling(scenario: Scenario) -> dict[str, Any]:
    """The general ceiling, and the lower one for groups whose first skills are emotional."""
    ceilings = {}
    for name, group in scenario.groups.items():
        first = group.skills[0] if group.skills else ()
        types = [first] if isinstance(first, str) else list(first)
        hard = any(scenario.types[kind].emotional for kind in types)
        ceilings[name] = (
            scenario.coefficient("occupancy_ceiling_emotional")
            if hard
            else scenario.coefficient("occupancy_ceiling")
        )
    return {"occupancy_ceiling": ceilings}


def _proactive(scenario: Scenario) -> dict[str, Any] | str:
    """For the largest type that is not marked emotional."""
    plain = {name: kind.offered_per_week for name, kind in scenario.types.items() if not kind.emotional}
    if not plain:
        return "all types are marked emotional"
    return {"proactive_contact": ProactiveLever(types=(max(plain, key=lambda name: plain[name]),))}


def _self_service(scenario: Scenario) -> dict[str, Any] | str:
    more = scenario.coefficient("self_service_more")
    offered = {name: scenario.types[name].automation.offered for name in _bots(scenario)}
    wider = {name: round(min(1.0, share + more), 6) for name, share in offered.items() if share < 1}
    return (
        {"self_service": SelfServiceLever(offered=wider)}
        if wider
        else "no bot contains anybody, or could be offered more"
    )


def _outsourcing(scenario: Scenario) -> dict[str, Any] | str:
    if all(group.outsourced for group in scenario.groups.values()):
        return "all groups are outsourced"
    return {"outsourcing": OutsourceLever(share=SHARE_OUT)}


def _hiring(scenario: Scenario) -> dict[str, Any] | str:
    if all(group.outsourced for group in scenario.groups.values()):
        return "all groups are outsourced"
    return {"hiring": HiringLever()}


def _call_back(scenario: Scenario) -> dict[str, Any] | str:
    if all(kind.channel != "voice" for kind in scenario.types.values()):
        return "there are no calls"
    return {"call_back": CallBackLever()}


def _chats(scenario: Scenario) -> dict[str, Any] | str:
    """One chat fewer at once, where there are several."""
    fewer = {name: n - 1 for name in scenario.groups if (n := scenario.chats("as_is", name)) > 1}
    return {"chats": fewer} if fewer else "nobody holds several chats at once"


def _reserved(scenario: Scenario) -> dict[str, Any] | str:
    """A tenth of the people of every group that deferred work may go to."""
    mine = [
        name
        for name, group in scenario.groups.items()
        if {kind for skill in group.skills for kind in ((skill,) if isinstance(skill, str) else skill)}
        & set(scenario.deferred_types())
    ]
    return {"reserved": dict.fromkeys(mine, 0.1)} if mine else "there is no deferred work"


_USUAL: dict[str, Callable[[Scenario], dict[str, Any] | str]] = {
    "handle_time_target": _target, "pooled": _pooled, "early_way_out": _way_out, "context": _context,
    "contained": _contained, "detectors": _detectors, "specialists": _specialists,
    "recovery": lambda _: {"recovery": RecoveryLever(button=True)}, "decompression": _decompression,
    "occupancy_ceiling": _ceiling, "proactive_contact": _proactive, "self_service": _self_service,
    "outsourcing": _outsourcing, "hiring": _hiring, "call_back": _call_back, "chats": _chats, "reserved": _reserved,
    "max_queue": lambda _: "no policy of the file sets it, and it has no usual setting",
}  # fmt: skip


# --- rosters --------------------------------------------------------------------------------------------------------


def with_blocks(scenario: Scenario, roster: Roster, policy: Policy) -> Roster:
    """The roster with the policy's decompression block in each shift, in its middle or next to what is there."""
    from planner.roster import Activity

    lever = policy.decompression
    if not isinstance(lever, DecompressionLever):
        return roster
    names = list(scenario.groups)

    def blocked(shift: RosteredShift) -> RosteredShift:
        if lever.groups and names[shift.group] not in lever.groups:
            return shift
        others = sorted((a.start_min, a.start_min + a.minutes) for a in shift.activities)
        starts = range(0, shift.minutes - lever.minutes + 1, GRID_MIN)
        free = [s for s in starts if all(s + lever.minutes <= a or s >= b for a, b in others)]
        if not free:
            return shift
        middle = (shift.minutes - lever.minutes) / 2
        start = min(free, key=lambda s: abs(s - middle))
        block = Activity(start, lever.minutes, "decompression", True)
        return shift.with_activity(block)

    return roster._replace(shifts=tuple(blocked(shift) for shift in roster.shifts))


def _without_blocks(roster: Roster) -> Roster:
    return roster._replace(shifts=tuple(shift.without("decompression") for shift in roster.shifts))


def fitted(scenario: Scenario, roster: Roster, factors: Floats) -> Roster:
    """The roster with each group's shifts, or numbers on duty, this many times as many: taken evenly from the week.

    Whole shifts are left out, or worked by others too, with as many people as that takes, so that nobody's week gets
    shorter; plain numbers are rounded so that running totals hold.
    """
    shifts: list[RosteredShift] = []
    for group, factor in enumerate(factors):
        mine = sorted(
            (s for s in roster.shifts if s.group == group), key=lambda s: (s.day, s.start_min, s.person)
        )
        change = round(len(mine) * float(factor)) - len(mine)
        chosen = _evenly(len(mine), abs(change))
        shifts += _thinned(mine, set(chosen)) if change < 0 else mine
        if change > 0:
            shifts += _dealt([mine[i] for i in chosen], max(s.person for s in mine) + 1, scenario)
    on_duty = {}
    for group, duty in roster.on_duty.items():
        total = np.round(np.concatenate([[0.0], np.cumsum(duty.ravel() * float(factors[group]))]))
        on_duty[group] = np.diff(total).astype(np.int64).reshape(duty.shape)
    shifts.sort(key=lambda s: (s.day, s.start_min, s.group, s.person))
    return roster._replace(shifts=tuple(shifts), on_duty=on_duty)


def _evenly(n: int, k: int) -> list[int]:
    """`k` places spread evenly over `n`, each as often as it takes."""
    return [math.floor((i + 0.5) * n / k) for i in range(k)] if n else []


def _dealt(extra: Sequence[RosteredShift], first: int, scenario: Scenario) -> list[RosteredShift]:
    """Shifts dealt to new people, numbered from `first`: one a day each, and no more than a week's working days."""
    most = scenario.days_per_week * max(1, math.ceil(scenario.horizon.days / 7))
    days: list[set[int]] = []
    found = []
    for shift in extra:
        who = next((k for k, d in enumerate(days) if shift.day not in d and len(d) < most), len(days))
        if who == len(days):
            days.append(set())
        days[who].add(shift.day)
        found.append(shift._replace(person=first + who))
    return found


def _thinned(mine: Sequence[RosteredShift], out: set[int]) -> list[RosteredShift]:
    """Shifts without some; as many people go as worked these, and their other shifts fill the others' weeks."""
    people = sorted({s.person for s in mine})
    going = {people[i] for i in _evenly(len(people), round(len(out) * len(people) / len(mine)))}
    gaps: dict[int, list[int]] = {}
    for i in sorted(out):
        if mine[i].person not in going:
            gaps.setdefault(mine[i].day, []).append(mine[i].person)
    kept = [s for i, s in enumerate(mine) if i not in out]
    return [
        s._replace(person=gaps[s.day].pop(0)) if s.person in going and gaps.get(s.day) else s for s in kept
    ]


# --- one lever ------------------------------------------------------------------------------------------------------


class Work(NamedTuple):
    """Minutes of the horizon, (reps, G)."""

    handling: Floats
    queue: Floats
    """Handling, and ready for more."""
    paid: Floats


def _work(cell: Cell) -> Work:
    p = cell.totals.people
    handling = p["talk_min"] + p["acw_min"]
    return Work(handling, handling + p["idle_min"], p["paid_min"])


class Ranker:
    """Simulates levers on bases, each base and each variant once."""

    def __init__(self, runner: Runner, frame: str) -> None:
        self.runner, self.frame = runner, frame
        self.scenario = runner.scenario
        self.as_is: Cell | None = None
        """Its occupancy is what people are fitted to."""

    # A variant is a policy that is complete, so that nothing of as_is fills it.
    def _scenario(self, policy: Policy) -> Scenario:
        return self.scenario.model_copy(update={"policies": {**self.scenario.policies, "variant": policy}})

    def _cell(self, policy: Policy, roster: Roster, replications: int | None = None) -> Cell:
        scenario = self._scenario(policy)
        totals = self.runner.simulate("variant", roster, scenario=scenario, replications=replications)
        natural = self.runner.anchored.natural
        return Cell("variant", roster, totals, money(scenario, natural, "variant", totals), 0.0)

    def planned(self, policy: Policy, seed: int = PLAN_SEED) -> tuple[Roster, int]:
        """The roster of a plan at target, and how many target windows its proof misses."""
        scenario, runner = self._scenario(policy), self.runner
        made = plan(
            scenario, runner.anchored.natural, "variant", engine=runner.engine, executor=runner.executor,
            plan_replications=runner.plan_replications,
            replications=min(PROOF_REPLICATIONS, runner.plan_replications), seed=seed,
        )  # fmt: skip
        return made.roster, len(made.proof.missed)

    def base(self, policy: Policy, roster: Roster | None = None) -> Cell:
        """as_is with this roster, or else today's: what people's occupancy is taken from."""
        cell = self.as_is = self._cell(policy, roster or self.runner.as_is)
        return self._priced(cell, self.busy(policy)) if self.frame == "equal_occupancy" else cell

    def busy(self, policy: Policy) -> Floats:
        """(reps, G) occupancy to keep to: that of as_is, lowered to the policy's ceilings on its mean."""
        assert self.as_is is not None
        work = _work(self.as_is)
        occupancy = np.divide(work.handling, work.queue, out=np.zeros_like(work.queue), where=work.queue > 0)
        ceilings = policy.occupancy_ceiling or {}
        most = np.array([ceilings.get(name, 1.0) for name in self.scenario.groups])
        mean = work.handling.sum(axis=0) / np.maximum(work.queue.sum(axis=0), 1e-9)
        return np.asarray(occupancy * np.minimum(1.0, most / np.maximum(mean, 1e-9)), np.float64)

    def on(self, base: Cell, base_policy: Policy, policy: Policy, planned: Roster | None = None) -> Cell:
        """A variant of the base's policy, staffed as the frame says; hours that whole shifts cannot take are priced.

        At target it works to the roster of its plan.
        """
        if self.frame == "at_target":
            assert planned is not None
            return self._cell(policy, planned)
        roster = base.roster
        if policy.decompression != base_policy.decompression:
            roster = with_blocks(self.scenario, _without_blocks(roster), policy)
        if self.frame == "equal_hours":
            return self._cell(policy, roster)
        # One replication says how many people; over the base's own, so that a lever that does nothing moves nobody.
        first = self._cell(policy, roster, 1)
        factors = self._factors(first, self.busy(policy)) / self._factors(base, self.busy(base_policy))
        cell = self._cell(policy, fitted(self.scenario, roster, factors))
        return self._priced(cell, self.busy(policy))

    def _factors(self, cell: Cell, aim: Floats) -> Floats:
        """(G,) people needed over people there to be as busy as they should be, in the first replication."""
        work = _work(cell)
        handling, there, wanted = work.handling[0], work.queue[0], aim[0]
        needed = np.divide(handling, wanted, out=there.copy(), where=wanted > 0)
        ok = (there > 0) & (needed > 0)
        return np.asarray(np.divide(needed, there, out=np.ones_like(there), where=ok), np.float64)

    def missing(self, cell: Cell, aim: Floats) -> Floats:
        """(reps, G) minutes on the queue that are missing, or too many, for people to be as busy as they should be."""
        work = _work(cell)
        needed = np.divide(work.handling, aim, out=work.queue.copy(), where=aim > 0)
        return np.asarray(needed - work.queue, np.float64)

    def _priced(self, cell: Cell, aim: Floats) -> Cell:
        paid, queue = cell.money.by_group, _work(cell).queue
        per_min = np.divide(paid, queue, out=np.zeros_like(paid), where=queue > 0)
        more = (self.missing(cell, aim) * per_min).sum(axis=1)
        lines = {**cell.money.lines, "payroll": cell.money.lines["payroll"] + more}
        return replace(cell, money=cell.money._replace(lines=lines))

    def hours(self, cell: Cell, policy: Policy) -> Floats:
        """(reps,) paid hours a year, with those that are missing for people to be as busy as they should be."""
        work = _work(cell)
        paid = work.paid.sum(axis=1)
        if self.frame != "at_target":
            per_min = np.divide(work.paid, work.queue, out=np.zeros_like(work.paid), where=work.queue > 0)
            paid = paid + (self.missing(cell, self.busy(policy)) * per_min).sum(axis=1)
        return np.asarray(paid / 60 * WEEKS_PER_YEAR / weeks_of(self.scenario), np.float64)

    def rank(self, base: Cell, base_policy: Policy, setting: Setting) -> Ranked:
        """A lever's part on a base; taken away where the base has it."""
        today = self.scenario.policies["as_is"]
        in_force = {name: value_of(base_policy, name) for name in setting.change} == setting.change
        change = {name: value_of(today, name) for name in setting.change} if in_force else setting.change
        costs = {**base_policy.costs, **setting.costs}
        policy = base_policy.model_copy(update={**change, "costs": costs})
        planned, missed = self.planned(policy) if self.frame == "at_target" else (None, None)
        other = self.on(base, base_policy, policy, planned)
        (first, mine), (second, theirs) = (
            ((base, base_policy), (other, policy)) if in_force else ((other, policy), (base, base_policy))
        )
        differences = differences_of(first, second, self.scenario)
        hours = estimate(self.hours(first, mine) - self.hours(second, theirs), None, "hours a year")
        moves = moves_of(differences, second, self.scenario)
        return Ranked(differences, moves, hours, *self._own(setting, first, second), in_force, missed)

    def _own(self, setting: Setting, first: Cell, second: Cell) -> tuple[Estimate, float]:
        """What the lever costs by itself: its own costs, and the lines of cash that nothing else is on."""
        zero = np.zeros(len(first.money.cash))
        a_year, once = zero, 0.0
        lines = {line for name in setting.change for line in OWN_LINES.get(name, ())}
        for cell, sign in ((first, 1), (second, -1)):
            for name in setting.change:
                yearly, paid = cell.money.by_lever.get(name, (zero, 0.0))
                a_year, once = a_year + sign * yearly, once + sign * paid
            for line in lines:
                a_year = a_year + sign * cell.money.lines[line]
        return estimate(a_year, None, f"{self.scenario.costs.currency} a year"), once


def moves_of(differences: Mapping[str, Estimate], base: Cell, scenario: Scenario) -> tuple[str, ...]:
    """The three measures that move most against the base, relative, among those whose interval leaves zero out."""
    found = formulas(base, scenario)
    size: dict[str, float] = {}
    for name in MOVING:
        e = differences[name]
        above, below, _ = found[name]
        level = (
            float(np.mean(above)) / float(np.mean(below))
            if below is not None and np.mean(below)
            else float(np.mean(above))
        )
        if math.isfinite(e.mean) and (e.low > 0 or e.high < 0):
            size[name] = abs(e.mean) / max(abs(level), 1e-12)
    return tuple(sorted(size, key=lambda name: -size[name])[:3])


class Asked(NamedTuple):
    """What a piece needs in order to be computed anywhere."""

    scenario: Scenario
    anchored: Anchored
    as_is: Roster
    in_force: str
    frame: str
    replications: int
    plan_replications: int
    seed: int
    engine: Engine

    def ranker(self, anchored: Anchored | None = None) -> Ranker:
        """A ranker that does all of its work where it is."""
        runner = Runner(
            self.scenario, replications=self.replications, seed=self.seed, engine=self.engine,
            plan_replications=self.plan_replications, anchored=anchored or self.anchored, as_is=self.as_is,
        )  # fmt: skip
        return Ranker(runner, self.frame)

    @property
    def policies(self) -> dict[str, Policy]:
        """as_is and the policy in force, every lever said outright."""
        return {name: explicit(self.scenario, name) for name in dict.fromkeys(("as_is", self.in_force))}


def asked_of(runner: Runner, in_force: str, frame: str) -> Asked:
    """The question that a runner is to answer."""
    return Asked(
        runner.scenario, runner.anchored, runner.as_is, in_force, frame, runner.replications,
        runner.plan_replications, runner.seed, runner.engine,
    )  # fmt: skip


class Base(NamedTuple):
    """A policy that levers are laid on."""

    cell: Cell
    missed: int | None
    """Target windows that its plan misses; None where none is made."""
    search: Mapping[str, float] | None = None
    """Measure of money -> what two plans at target may differ by through the luck of their search (95 %)."""


def bases_of(ranker: Ranker, policies: Mapping[str, Policy], kept: Kept | None = None) -> dict[str, Base]:
    """The bases: planned (and the plan kept), or as busy as today's, or as their ceilings let them be."""
    kept, bases = kept or Kept(), dict[str, Base]()
    for name, policy in policies.items():
        roster, missed = None, None
        if ranker.frame == "at_target":
            there = kept.get(f"plan-{name}")
            if there is None:
                ranker.runner.say(f"planning {name} at target")
                roster, missed = ranker.planned(policy)
                kept.put(f"plan-{name}", listed([roster, missed]))
            else:
                roster, missed = roster_from(there[0]), there[1]
        ranker.runner.say(f"simulating {name}")
        if name == "as_is":
            cell = ranker.base(policy, roster)
        else:
            cell = ranker.on(bases["as_is"].cell, policies["as_is"], policy, roster)
        bases[name] = Base(cell, missed)
    return bases


def rank(
    runner: Runner, in_force: str, frame: str, names: Sequence[str] | None = None, kept: Kept | None = None
) -> tuple[list[Lever], dict[str, Base]]:
    """Every lever alone on as_is and on top of the policy in force, the most worth first; and these bases.

    A lever on a base is a piece of work, kept as soon as it is done.
    """
    scenario, asked = runner.scenario, asked_of(runner, in_force, frame)
    bases = bases_of(Ranker(runner, frame), asked.policies, kept)
    if frame == "at_target":
        search = search_of(runner, asked, bases["as_is"].cell, kept or Kept())
        bases = {name: base._replace(search=search) for name, base in bases.items()}
    settings = {
        name: setting_of(scenario, name, in_force) for name in RANKED if names is None or name in names
    }
    wanted = {name: s for name, s in settings.items() if isinstance(s, Setting)}
    runner.say(f"valuing {counted(len(wanted), 'lever')}")
    parts = finish(
        {
            f"part-{base}-{name}": Piece(_part, (asked, bases["as_is"].cell, bases[base].cell, base, setting))
            for name, setting in wanted.items()
            for base in bases
        },
        kept or Kept(),
        runner.executor,
        say=runner.say,
        what="parts of levers",
        progress=lambda done, of: runner.say(f"part {done} of {of}"),
        encode=lambda part: listed(vars(part)),
        decode=_read,
    )
    ranked = [
        Lever(
            name,
            setting,
            alone=parts[f"part-as_is-{name}"],
            on_top=parts[f"part-{in_force}-{name}"] if in_force != "as_is" else None,
        )
        for name, setting in wanted.items()
    ]
    ranked.sort(key=lambda lever: _worth(lever))
    left_out = [Lever(name, None, why_not=s) for name, s in settings.items() if isinstance(s, str)]
    return [*ranked, *left_out], bases


def search_of(runner: Runner, asked: Asked, first: Cell, kept: Kept) -> dict[str, float]:
    """What two plans at target may differ by, from plans of as_is with other customers to search by."""
    runner.say(
        "planning as_is again with other customers to search by: how far the search itself moves money"
    )
    again = finish(
        {f"again-{k}": Piece(_again, (asked, PLAN_SEED + 100 * k)) for k in range(1, AGAIN + 1)},
        kept, runner.executor, say=runner.say, what="plans",
    )  # fmt: skip
    values = [_money_of(first, asked.scenario), *again.values()]
    spread = {m: float(np.std([v[m] for v in values], ddof=1)) for m in DOUBTED}
    return {m: float(t_value(len(values))) * math.sqrt(2) * sd for m, sd in spread.items()}


def _again(asked: Asked, seed: int) -> dict[str, float]:
    """The money of as_is with a plan of its own."""
    ranker, policy = asked.ranker(), asked.policies["as_is"]
    return _money_of(ranker._cell(policy, ranker.planned(policy, seed)[0]), asked.scenario)


def _money_of(cell: Cell, scenario: Scenario) -> dict[str, float]:
    found = formulas(cell, scenario)
    return {m: float(np.mean(found[m][0])) for m in DOUBTED}


def _part(asked: Asked, as_is: Cell, cell: Cell, base: str, setting: Setting) -> Ranked:
    """A lever's part on a base, whose cell is given."""
    ranker = asked.ranker()
    ranker.as_is = as_is
    return ranker.rank(cell, asked.policies[base], setting)


def _read(kept: Any) -> Ranked:
    """A lever's part as it was kept."""
    return Ranked(
        {name: Estimate(*e) for name, e in kept["differences"].items()},
        tuple(kept["moves"]),
        Estimate(*kept["hours"]),
        Estimate(*kept["own_per_year"]),
        kept["own_once"],
        kept["in_force"],
        kept["missed"],
    )


# --- doubt ----------------------------------------------------------------------------------------------------------


def doubt(
    runner: Runner, levers: Sequence[Lever], in_force: str, frame: str, n: int, *,
    lanes: int = 1, seed: int = 1, kept: Kept | None = None,
) -> list[Lever]:  # fmt: skip
    """The levers with what they come to in each of `n` draws of the uncertain coefficients, and in the sceptic's setting.

    Everything of grade C and D is drawn, and what the ranked levers rest on whatever its grade. In each draw today is
    anchored anew, and every lever, set as it is, valued anew on the same customers, staffed as the frame says.
    """
    kept = kept or Kept()
    settings = [lever.setting for lever in levers if lever.setting is not None]
    own = dict(runner.scenario.behaviour)
    theirs = {key for s in settings for key in (*known(s.lever).effects, *known(s.lever).prices)}
    asked = asked_of(runner, in_force, frame)._replace(
        replications=min(DRAWN_REPLICATIONS, runner.replications)
    )

    def piece(setting: Mapping[str, float]) -> Piece:
        behaviour = {key: float(value) for key, value in setting.items()}
        return Piece(
            _drawn,
            (asked._replace(scenario=runner.scenario.model_copy(update={"behaviour": behaviour})), settings),
        )

    runner.say("doubt: the sceptic's setting, which also tells how long a draw takes")
    sceptic = finish(
        {"sceptic": piece(evidence.sceptic(own))}, kept, runner.executor, say=runner.say, what="sceptic's settings"
    )["sceptic"]  # fmt: skip
    pieces = {
        f"draw-{k:05d}": piece(setting) for k, setting in enumerate(evidence.draw(n, seed, own, also=theirs))
    }
    before, start = sum(kept.has(name) for name in pieces), time.monotonic()
    whole = duration(sceptic["seconds"] * math.ceil((n - before) / lanes))
    runner.say(
        f"doubt: {counted(n, 'draw')} of the coefficients, {counted(len(settings), 'lever')} in each: "
        f"{duration(sceptic['seconds'])} a draw, about {whole} in all"
    )

    def progress(done: int, of: int) -> None:
        left = (time.monotonic() - start) / max(done - before, 1) * (of - done)
        runner.say(f"draw {done} of {of}" + (f", about {duration(left)} to go" if left else ""))

    drawn = finish(
        pieces, kept, runner.executor, say=runner.say, what="draws", progress=progress
    )  # fmt: skip

    def doubted(part: Ranked | None, base: str, name: str) -> Ranked | None:
        if part is None:
            return None
        values = {m: [draw["values"][base][name][m] for draw in drawn.values()] for m in DOUBTED}
        return replace(part, doubt=Doubt(values, dict(sceptic["values"][base][name])))

    return [
        lever if lever.setting is None else replace(
            lever, alone=doubted(lever.alone, "as_is", lever.name), on_top=doubted(lever.on_top, in_force, lever.name)
        )
        for lever in levers
    ]  # fmt: skip


def duration(seconds: float) -> str:
    """A time as people say it, roughly."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _drawn(asked: Asked, settings: Sequence[Setting]) -> dict[str, Any]:
    """Base -> lever -> measure -> mean difference under other coefficients; and the seconds that it took."""
    start = time.monotonic()
    again = anchor(
        asked.scenario, asked.as_is, replications=asked.replications, rounds=3, engine=asked.engine, strict=False
    )  # fmt: skip
    ranker, policies = asked.ranker(again), asked.policies
    bases = bases_of(ranker, policies)
    values: dict[str, dict[str, dict[str, float]]] = {name: {} for name in bases}
    for base, policy in policies.items():
        for setting in settings:
            part = ranker.rank(bases[base].cell, policy, setting)
            values[base][setting.lever] = {m: float(part.differences[m].mean) for m in DOUBTED}
    return {"seconds": time.monotonic() - start, "values": values}


def _worth(lever: Lever) -> float:
    part = lever.on_top or lever.alone
    assert part is not None
    return part.differences["cash_and_margin"].mean


def explicit(scenario: Scenario, name: str) -> Policy:
    """A policy with every lever said outright, so that nothing of as_is fills it when it is changed."""
    policy = scenario.policy(name)
    said = {lever: value_of(policy, lever) for lever in PRICED}
    return policy.model_copy(update={lever: value for lever, value in said.items() if value is not None})
