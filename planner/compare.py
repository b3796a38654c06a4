"""The comparison: policies on the same customers, in three frames, against as_is.

At target: each policy is staffed until the same service targets hold. Equal hours: the paid hours of as_is. Equal
budget: the cash of as_is (customers' margin left out). In each frame every policy is planned by the same planner, and
differences are paired on replications. Nothing here knows which policy is which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from planner import evidence, frames
from planner.anchor import Anchored, anchor, lens_of
from planner.channels import used_only
from planner.money import Money, amounts, money
from planner.natural import NaturalValues
from planner.pieces import Kept, Piece, finish
from planner.plan import PROOF_REPLICATIONS, PlanResult, as_is_roster, plan, schedule_of
from planner.requirement import MOST, QUICK, Requirement
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.problems import FieldError
from planner.scenario.schema import LEVERS, Policy, Scenario, off_value
from sim.measures import (
    CUSTOMER,
    PEOPLE,
    Estimate,
    Measure,
    Sums,
    Totals,
    along,
    difference,
    estimate,
    evaluate,
    overall,
)
from sim.replicate import Engine, replicate
from sim.world import Floats

FRAMES, FRAME_MEANING, SEED = frames.FRAMES, frames.FRAME_MEANING, frames.SEED
TOLERANCE = 0.005
AT_ONCE = 3
"""Policies that are worked on at the same time."""
Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """One policy in one frame."""

    policy: str
    roster: Roster
    totals: Totals
    money: Money
    residue: float
    """How far the frame's equality is off, relative (0 at target)."""


class Part(NamedTuple):
    """A lever's part of a bundle: alone on as_is, last in the bundle, and the average of the two."""

    lever: str
    alone: dict[str, Estimate]
    last: dict[str, Estimate]
    average: dict[str, Estimate]


@dataclass
class Doubt:
    """How often the order of two policies flips over draws of the uncertain coefficients."""

    draws: int
    flips: dict[str, float]
    """measure -> share of draws in which the order differs from the default's."""
    values: dict[str, list[float]]
    """measure -> difference (policy less as_is) in each draw."""
    sceptic: dict[str, float]
    """measure -> difference with all grade C and D effects at zero."""


@dataclass
class Comparison:
    """Everything that was compared."""

    scenario: Scenario
    anchored: Anchored
    today: Cell
    """as_is with the roster of today itself; in the frames it is planned anew, as every policy is."""
    frames: dict[str, dict[str, Cell]]
    plans: dict[str, PlanResult]
    ladders: dict[str, list[Part]] = field(default_factory=dict)
    doubt: dict[str, Doubt] = field(default_factory=dict)


# --- measures of a cell ---------------------------------------------------------------------------------------------


def formulas(cell: Cell, scenario: Scenario) -> dict[str, tuple[Floats, Floats | None, str]]:
    """Every measure of a cell as (above, below, unit) over replications."""
    customers, people = overall(cell.totals.customers), overall(cell.totals.people)
    rows: dict[str, tuple[Floats, Floats | None, str]] = {}
    for name, m in used_only(CUSTOMER, scenario).items():
        rows[name] = (*m.formula(customers), m.unit)
    for name, m in used_only(PEOPLE, scenario).items():
        rows[name] = (*m.formula(people), m.unit)
    for name in ("load_p95", "load_end_p95", "exhaustion_p95"):
        rows[name] = (np.asarray(cell.totals.single[name], float), None, "points")
    rows |= amounts(cell.money, cell.totals, scenario)
    return rows


def measures_of(cell: Cell, scenario: Scenario) -> dict[str, Estimate]:
    """Every measure of a cell with its interval."""
    return {name: estimate(a, b, unit, least=0.0) for name, (a, b, unit) in formulas(cell, scenario).items()}


def differences_of(cell: Cell, base: Cell, scenario: Scenario) -> dict[str, Estimate]:
    """Paired differences, cell less base."""
    mine, theirs = formulas(cell, scenario), formulas(base, scenario)
    return {name: difference((a, b), theirs[name][:2], unit) for name, (a, b, unit) in mine.items()}


def average_of(
    first: tuple[Cell, Cell], second: tuple[Cell, Cell], scenario: Scenario
) -> dict[str, Estimate]:
    """The mean of two paired differences, each cell less base, all on the same replications."""
    plus, minus, also, less = (formulas(cell, scenario) for cell in (*first, *second))
    return {
        name: estimate(
            (_linear(*plus[name][:2]) - _linear(*minus[name][:2]) + _linear(*also[name][:2]) - _linear(*less[name][:2])) / 2,
            None,
            # A difference of shares is no share: its interval is not held within 0 and 1.
            f"{unit} points" if unit == "share" else unit,
        )._replace(unit=unit)
        for name, (_, _, unit) in plus.items()
    }  # fmt: skip


def _linear(above: Floats, below: Floats | None) -> Floats:
    """(reps,) values whose mean is the measure and whose spread is that of a ratio of totals (delta method)."""
    if below is None:
        return np.asarray(above, np.float64)
    size = float(below.mean())
    if size == 0:
        return np.full(len(above), np.nan)
    ratio = float(above.mean()) / size
    return np.asarray(ratio + (above - ratio * below) / size, np.float64)


Parts = dict[str, dict[str, tuple[Mapping[str, Measure], Sums]]]
"""By what, which part of it -> its measures and their sums."""


def parts_of(totals: Totals, scenario: Scenario) -> Parts:
    """Sums by type, segment, channel, vulnerability and group."""
    channels = [kind.channel for kind in scenario.types.values()]
    by_channel: dict[str, Sums] = {}
    for channel in dict.fromkeys(channels):
        chosen = [t for t, other in enumerate(channels) if other == channel]
        by_channel[channel] = overall({k: v[:, chosen] for k, v in totals.customers.items()})
    customers: dict[str, dict[str, Sums]] = {
        "by_type": dict(zip(scenario.types, along(totals.customers, 0), strict=True)),
        "by_segment": dict(zip(scenario.segments, along(totals.customers, 1), strict=True)),
        "by_vulnerable": dict(zip(("not vulnerable", "vulnerable"), along(totals.customers, 2), strict=True)),
        "by_channel": by_channel,
    }
    told, of_people = used_only(CUSTOMER, scenario), used_only(PEOPLE, scenario)
    found: Parts = {by: {name: (told, sums) for name, sums in some.items()} for by, some in customers.items()}
    groups = zip(scenario.groups, along(totals.people, 0), strict=True)
    return found | {"by_group": {name: (of_people, sums) for name, sums in groups}}


def breakdown(totals: Totals, scenario: Scenario) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Measures by type, segment, channel, vulnerability and group."""
    return {
        by: {name: evaluate(measures, sums) for name, (measures, sums) in some.items()}
        for by, some in parts_of(totals, scenario).items()
    }


def breakdown_differences(
    totals: Totals, base: Totals, scenario: Scenario
) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Paired differences, totals less base, by type, segment, channel, vulnerability and group."""
    theirs = parts_of(base, scenario)
    return {
        by: {
            name: {
                key: difference(m.formula(sums), m.formula(theirs[by][name][1]), m.unit)
                for key, m in measures.items()
            }
            for name, (measures, sums) in some.items()
        }
        for by, some in parts_of(totals, scenario).items()
    }


# --- running --------------------------------------------------------------------------------------------------------


class Runner:
    """Plans and simulates the cells of a comparison."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        replications: int = 10,
        seed: int = SEED,
        engine: Engine = "kernel",
        executor: Executor | None = None,
        say: Say = lambda _: None,
        plan_replications: int = QUICK,
        anchored: Anchored | None = None,
        as_is: Roster | None = None,
        plans: Mapping[str, PlanResult] | None = None,
    ) -> None:
        self.scenario, self.replications, self.seed = scenario, replications, seed
        self.engine, self.executor, self.say = engine, executor, say
        self.plan_replications = plan_replications
        self.as_is = as_is or as_is_roster(scenario, say)
        self.anchored = anchored or anchor(scenario, self.as_is, engine=engine, executor=executor, say=say)
        self.plans: dict[str, PlanResult] = dict(plans or {})

    def simulate(
        self, policy: str, roster: Roster, *, scenario: Scenario | None = None, natural: NaturalValues | None = None,
        replications: int | None = None,
    ) -> Totals:  # fmt: skip
        """Stacked totals of a policy working to a roster, needs followed to their end."""
        chosen = scenario or self.scenario
        world = c.compile_world(chosen, natural or self.anchored.natural, policy, roster)
        return replicate(
            world, lens_of(chosen, policy), replications or self.replications, seed=self.seed, engine=self.engine,
            executor=self.executor,
        )  # fmt: skip

    def called(self, policy: str) -> str:
        """The policy's name for people."""
        known = self.scenario.policies.get(policy)
        return (known.title if known else "") or policy

    def cell(self, policy: str, roster: Roster, residue: float = 0.0) -> Cell:
        """Simulate one policy with one roster."""
        totals = self.simulate(policy, roster)
        return Cell(
            policy, roster, totals, money(self.scenario, self.anchored.natural, policy, totals), residue
        )

    def plan(self, policy: str) -> PlanResult:
        """The policy's plan at target, made once."""
        if policy not in self.plans:
            self.say(f"planning {self.called(policy)} at target")
            self.plans[policy] = plan(
                self.scenario, self.anchored.natural, policy, engine=self.engine, executor=self.executor,
                say=lambda text: self.say(f"{self.called(policy)}: {text}"), plan_replications=self.plan_replications,
                replications=min(PROOF_REPLICATIONS, self.plan_replications),
            )  # fmt: skip
        return self.plans[policy]

    def paid_hours(self, roster: Roster) -> float:
        """Paid hours of a roster."""
        return (
            float(roster.paid_minutes(len(self.scenario.groups), self.scenario.horizon.interval_min).sum())
            / 60
        )

    def scaled(self, requirement: Requirement, hours: float) -> Roster:
        """The policy's own requirement, stretched or shrunk to so many paid hours."""
        if not self.scenario.shifts:
            duty = requirement.duty * (hours / max(requirement.agent_hours, 1e-9))
            days = self.scenario.horizon.days
            whole = np.stack([_keeping_total(row) for row in duty])
            return Roster((), {g: row.reshape(days, -1) for g, row in enumerate(whole)})
        at_target = self.paid_hours(self.plans[requirement.policy].roster)
        scale = hours / max(at_target, 1e-9)
        _, _, roster, _ = schedule_of(
            self.scenario,
            requirement,
            scale=scale,
            paid_minutes=hours * 60,
            thorough=self.plan_replications >= MOST,
        )
        return roster

    def equal_hours(self, policy: str) -> tuple[Roster, float]:
        """The policy's roster with the paid hours of as_is, and the residue."""
        wanted = self.paid_hours(self.as_is)
        roster = self.scaled(self.plan(policy).requirement, wanted)
        return roster, self.paid_hours(roster) / wanted - 1

    def equal_budget(self, policy: str, base: Cell, start: Cell) -> Cell:
        """The policy's cell whose cash is that of as_is, by a few steps on paid hours."""
        self.say(f"fitting {self.called(policy)} to the budget")
        aim = float(base.money.cash.mean())
        hours, cell = self.paid_hours(start.roster), start
        seen: list[tuple[float, float]] = []
        best, best_residue = start, float(start.money.cash.mean()) / aim - 1
        for _ in range(5):
            residue = float(cell.money.cash.mean()) / aim - 1
            if abs(residue) < abs(best_residue):
                best, best_residue = cell, residue
            if abs(best_residue) <= TOLERANCE:
                break
            seen.append((hours, residue))
            if len(seen) > 1 and abs(seen[-1][1] - seen[-2][1]) > 1e-9:
                (h0, r0), (h1, r1) = seen[-2:]
                hours = float(np.clip(h1 - r1 * (h1 - h0) / (r1 - r0), 0.6 * h1, 1.6 * h1))
            else:
                # Cash moves by the cost of an hour, and by what fewer people do to leavers and repeats.
                people = sum(
                    float(cell.money.lines[k].mean()) for k in ("payroll", "outsourcing", "seats", "leavers")
                )
                hours *= float(np.clip(1 - residue * aim / max(people, 1e-9), 0.6, 1.6))
            cell = self.cell(policy, self.scaled(self.plan(policy).requirement, hours))
        return Cell(policy, best.roster, best.totals, best.money, best_residue)

    def run(self, policies: Sequence[str], frames: Sequence[str] = FRAMES) -> Comparison:
        """All cells."""
        if self.paid_hours(self.as_is) <= 0 and set(frames) != {"at_target"}:
            raise FieldError(
                ("groups",),
                None,
                "needs people employed today: without any there are no hours to be equal to",
            )
        self.say("simulating today")
        today = self.cell("as_is", self.as_is)
        everyone = ["as_is", *(p for p in policies if p != "as_is")]
        results: dict[str, dict[str, Cell]] = {}
        first = side_by_side(lambda policy: self._first_frames(policy, frames), everyone)
        for frame in ("at_target", "equal_hours"):
            results[frame] = {policy: cells[frame] for policy, cells in first.items() if frame in cells}
        if "equal_budget" in frames:
            hours = results["equal_hours"]
            base = hours["as_is"]
            results["equal_budget"] = side_by_side(
                lambda policy: (
                    replace(base, residue=0.0)
                    if policy == "as_is"
                    else self.equal_budget(policy, base, hours[policy])
                ),
                everyone,
            )
        kept = {frame: results[frame] for frame in frames}
        plans = {policy: self.plans[policy] for policy in everyone if policy in self.plans}
        return Comparison(self.scenario, self.anchored, today, kept, plans)

    def _first_frames(self, policy: str, frames: Sequence[str]) -> dict[str, Cell]:
        """The policy's cells at target and with equal hours, as far as the frames want them."""
        cells: dict[str, Cell] = {}
        if "at_target" in frames:
            roster = self.plan(policy).roster
            self.say(f"simulating {self.called(policy)} at target")
            cells["at_target"] = self.cell(policy, roster)
        if "equal_hours" in frames or "equal_budget" in frames:
            roster, residue = self.equal_hours(policy)
            self.say(f"simulating {self.called(policy)} with equal hours")
            cells["equal_hours"] = self.cell(policy, roster, residue)
        return cells

    # --- the ladder -------------------------------------------------------------------------------------------------

    def ladder(self, policy: str, comparison: Comparison, replications: int | None = None) -> list[Part]:
        """Each lever's part, staffing held: alone on as_is with its roster, last in the bundle with the bundle's.

        What the bundle's own roster brings (decompression, ceilings, the mix of groups) is a rung of its own.
        """
        frame = comparison.frames[held_frame(comparison.frames)]
        full, base = frame[policy], frame["as_is"]
        n = min(replications or self.replications, self.replications)
        levers = levers_between(self.scenario, policy)
        self.say(f"the ladder of {self.called(policy)}: {len(levers)} levers")
        rungs: list[Part] = []
        base_cut, full_cut = _first(base, n, self), _first(full, n, self)
        for lever in levers:
            if lever == "roster":
                alone = self._variant("as_is", {}, full.roster, n)
                without = self._variant(policy, {}, base.roster, n)
            else:
                value = getattr(self.scenario.policy(policy), lever)
                today = getattr(self.scenario.policies["as_is"], lever)
                paid = self.scenario.policy(policy).costs
                costs = {
                    **self.scenario.policies["as_is"].costs,
                    **{k: paid[k] for k in (lever,) if k in paid},
                }
                alone = self._variant("as_is", {lever: value, "costs": costs}, base.roster, n)
                without = self._variant(policy, {lever: _off(lever, today)}, full.roster, n)
            first = differences_of(alone, base_cut, self.scenario)
            last = differences_of(full_cut, without, self.scenario)
            average = average_of((alone, base_cut), (full_cut, without), self.scenario)
            rungs.append(Part(lever, first, last, average))
        return rungs

    def _variant(self, policy: str, change: dict[str, object], roster: Roster, n: int) -> Cell:
        changed = self.scenario.policy(policy).model_copy(update=change)
        scenario = self.scenario.model_copy(
            update={"policies": {**self.scenario.policies, "variant": changed}}
        )
        if policy == "as_is":
            # as_is fills the gaps of other policies: the variant must not be filled again.
            scenario = self.scenario.model_copy(
                update={"policies": {**self.scenario.policies, "variant": _explicit(changed)}}
            )
        totals = self.simulate("variant", roster, scenario=scenario, replications=n)
        return Cell("variant", roster, totals, money(scenario, self.anchored.natural, "variant", totals), 0.0)

    # --- doubt ------------------------------------------------------------------------------------------------------

    def doubt(
        self,
        comparison: Comparison,
        n: int,
        *,
        seed: int = 1,
        replications: int = 2,
        kept: Kept | None = None,
    ) -> dict[str, Doubt]:
        """Flips of each policy against as_is over `n` draws of the uncertain coefficients, staffing held.

        Each draw is a piece of work of its own.
        """
        frame = comparison.frames[held_frame(comparison.frames)]
        policies = [p for p in frame if p != "as_is"]
        own = dict(self.scenario.behaviour)
        settings = {f"draw-{k:05d}": setting for k, setting in enumerate(evidence.draw(n, seed, own))}
        settings["sceptic"] = evidence.sceptic(own)
        rosters = {policy: frame[policy].roster for policy in ("as_is", *policies)}
        self.say(f"doubt: {n} draws of the coefficients, and the sceptic's setting")
        draws = finish(
            {
                name: Piece(
                    _drawn,
                    (
                        self.scenario.model_copy(update={"behaviour": _settable(setting)}), self.as_is, rosters,
                        replications, self.seed, self.engine,
                    ),
                )
                for name, setting in settings.items()
            },
            kept or Kept(),
            self.executor,
            say=self.say,
            what="draws",
            progress=lambda done, of: self.say(f"draw {done} of {of}"),
        )  # fmt: skip
        found = {p: {m: [draws[name][p][m] for name in settings] for m in DOUBTED} for p in policies}
        result = {}
        for policy in policies:
            default = differences_of(frame[policy], frame["as_is"], self.scenario)
            flips = {
                m: float(np.mean([np.sign(x) != np.sign(default[m].mean) for x in found[policy][m][:n]]))
                if n
                else 0.0
                for m in DOUBTED
            }
            result[policy] = Doubt(
                n,
                flips,
                {m: found[policy][m][:n] for m in DOUBTED},
                {m: found[policy][m][n] for m in DOUBTED},
            )
        return result


DOUBTED = ("cash", "cash_and_margin", "margin_lost", "first_contact_resolution", "heard", "attrition")
"""Measures whose order may flip."""


def _drawn(
    scenario: Scenario,
    as_is: Roster,
    rosters: Mapping[str, Roster],
    replications: int,
    seed: int,
    engine: Engine,
) -> dict[str, dict[str, float]]:
    """Differences from as_is under other coefficients: today is anchored anew, the rosters stay."""
    again = anchor(scenario, as_is, replications=replications, rounds=3, engine=engine, strict=False)
    cells = {}
    for policy, roster in rosters.items():
        world = c.compile_world(scenario, again.natural, policy, roster)
        totals = replicate(world, lens_of(scenario, policy), replications, seed=seed, engine=engine)
        cells[policy] = Cell(policy, roster, totals, money(scenario, again.natural, policy, totals), 0.0)
    deltas = {p: differences_of(cell, cells["as_is"], scenario) for p, cell in cells.items() if p != "as_is"}
    return {policy: {m: delta[m].mean for m in DOUBTED} for policy, delta in deltas.items()}


def held_frame(found: Mapping[str, object]) -> str:
    """The frame whose staffing is held by ladder and doubt: equal hours where it was asked for, else the first."""
    return "equal_hours" if "equal_hours" in found else next(iter(found))


def side_by_side(job: Callable[[str], T], policies: Sequence[str]) -> dict[str, T]:
    """A job for each policy, a few at a time in threads: their results do not hang on one another.

    Engines and optimisers leave the interpreter's lock while they work, and what they need waits in turn otherwise.
    """
    with ThreadPoolExecutor(AT_ONCE) as threads:
        waiting = [threads.submit(job, policy) for policy in policies]
        try:
            return {policy: one.result() for policy, one in zip(policies, waiting, strict=True)}
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _settable(setting: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in setting.items()}


def _keeping_total(row: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Whole numbers whose running total follows the row's."""
    return np.diff(np.round(np.concatenate([[0.0], np.cumsum(row)]))).astype(np.int64)


def _first(cell: Cell, n: int, runner: Runner) -> Cell:
    """The same cell on its first `n` replications."""
    if n >= runner.replications:
        return cell
    parts: list[Any] = [{k: np.asarray(v)[:n] for k, v in part.items()} for part in cell.totals]
    cut = Totals(*parts)
    return Cell(
        cell.policy, cell.roster, cut, money(runner.scenario, runner.anchored.natural, cell.policy, cut), 0.0
    )


def _off(lever: str, today: object) -> object:
    """The value of a lever that is as it is today, said outright."""
    return off_value(lever) if today is None else today


def _explicit(policy: Policy) -> Policy:
    return policy.model_copy(
        update={k: _off(k, getattr(policy, k)) for k in LEVERS if _off(k, getattr(policy, k)) is not None}
    )


PLANNED = ("decompression", "occupancy_ceiling")
"""Levers that act through the roster."""


def levers_between(scenario: Scenario, policy: str) -> list[str]:
    """Levers in which a policy differs from as_is, those of the roster as one; costs go with no lever."""
    today, mine = scenario.policies["as_is"], scenario.policy(policy)
    found = []
    for lever in LEVERS:
        if lever in PLANNED or lever in ("cost_per_year", "cost_once"):
            continue
        if _off(lever, getattr(mine, lever)) != _off(lever, getattr(today, lever)):
            found.append(lever)
    return [*found, "roster"]
