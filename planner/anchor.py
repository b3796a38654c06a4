"""Anchoring: natural values such that simulating today's policy, as_is, returns the numbers that were observed.

A first guess comes from quadrature (`natural`), then a few rounds of simulation on fixed draws correct, type by
type, the needs per contact, natural talk and after-contact work, base odds of resolving and being heard, containment
and intensity; base rates hold at the loads, pressures and mix of as_is, not at zero. A last run on fresh draws shows
the misfit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from planner.channels import usual_level
from planner.natural import (
    NaturalValues,
    UnreachableError,
    intensity_shape,
    mean_talk_reaching,
    reach_weights,
)
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.problems import FieldError, FieldErrors
from planner.scenario.schema import ContactType, Scenario, WhatIf
from sim import records as r
from sim.draws import unit_sample
from sim.measures import Estimate, Lens, Totals, estimate, joined, totals_of_block
from sim.replicate import Engine, shared, simulated
from sim.world import MAX_ROWS, Clock, Floats, World

QUANTILES = 1001
ENOUGH, ALIKE, MOST_REPLICATIONS = 4_000, 0.01, 32
"""Contacts per type to anchor on; how little the luck of who is slow may move the mean handle time; the most replications
spent on both."""
DAMPED, SETTLED = 0.85, 0.01
"""Part of a correction that is made after the first round (whole ones overshoot by about a quarter); when to stop."""
TELLING = 100
"""With fewer contacts than this a number that is far off may be luck, whatever its interval says."""
FIRST_SEED, CHECK_SEED = 7_001, 7_002
EVERYONE = "everyone"
A_DAY_S = 86_400.0
SPREADS = tuple(k / 20 for k in range(1, 101))
"""Coefficients of variation of talk that are tried where one is too small."""
Say = Callable[[str], None]


class Misfit(NamedTuple):
    """One observed number beside what simulating as_is gives."""

    type: str
    field: str
    observed: float
    simulated: Estimate
    contacts: float = math.inf
    """How many contacts tell, over all replications."""

    @property
    def off(self) -> float:
        """Relative misfit."""
        return (self.simulated.mean - self.observed) / self.observed if self.observed else 0.0


class Anchored(NamedTuple):
    """Natural values, and how well they give the observed ones back."""

    natural: NaturalValues
    misfit: tuple[Misfit, ...]
    rounds: int


def lens_of(scenario: Scenario, policy: str = "as_is") -> Lens:
    """What counts as in time (each type's first service level target; without one 20 s, and a day for deferred work),
    and how exhaustion makes people leave under a policy."""
    within = np.array([A_DAY_S if kind.deferred else 20.0 for kind in scenario.types.values()]) * 1000
    names = list(scenario.types)
    for target in reversed(scenario.targets):
        if target.measure == "service_level":
            for name in scenario.scope(target):
                within[names.index(name)] = target.wait_s * 1000
    return Lens(within, c.leaving_factor(scenario, scenario.policy(policy)))


def observed_base(scenario: Scenario) -> Scenario:
    """The scenario as observed: no events and no changes, which come after today."""
    return scenario.model_copy(update={"what_if": WhatIf(), "events": ()})


def first_guess(scenario: Scenario, *, strict: bool = True) -> NaturalValues:
    """Natural values by quadrature, before any simulation.

    With `strict` false, an emotional ratio that a type cannot have gives way to the nearest that it can.
    """
    kinds = list(scenario.types.items())
    n_types, n_groups = len(kinds), len(scenario.groups)
    blank = NaturalValues(
        needs_per_contact=np.ones(n_types), talk_factor=np.ones(n_types), acw_factor=np.ones(n_types),
        resolved=np.zeros(n_types), heard=np.zeros(n_types), contained_shift=np.zeros(n_types),
        intensity_mean=np.full(n_types, -2.0), intensity_loading=np.zeros(n_types),
        exhaustion=np.zeros(n_groups), leaving_base=np.zeros(n_groups),
        handle_ms=np.ones((n_types, QUANTILES)), handled=np.ones(n_types),
    )  # fmt: skip
    clock = c.clock_of(scenario)
    _refuse_too_many(scenario, clock)
    policy = scenario.policies["as_is"]
    bot = c.bot_of(scenario, blank, policy, clock)
    types = c.types_of(scenario, blank)
    shares = np.diff(c.demand_of(scenario, blank, clock).segment_share, axis=1, prepend=0.0)
    talk_factor, acw_factor = np.ones(n_types), np.ones(n_types)
    centre, loading = np.zeros(n_types), np.zeros(n_types)
    handles = np.zeros((n_types, QUANTILES))
    listening = 1 + scenario.coefficient("listening_on_talk") * (0.0 if policy.scripts else 1.0)
    errors: list[FieldError] = []
    for t, (name, kind) in enumerate(kinds):
        out = bot.asks[t] if bot.early_way_out else 0.0
        weights = reach_weights(
            bot.offered[t], bot.containment[t], shares[t], out, bot.hangs_up[t],
            float(types.containment_loading[t]),
        )  # fmt: skip
        family, cv, rho = int(types.talk_family[t]), float(types.talk_cv[t]), float(types.talk_loading[t])
        if "handle" not in kind.natural:
            # What a log shows of a chat holds the others that were open meanwhile.
            acw_factor[t] = 1 / usual_level(scenario, name)[1]
            talk_factor[t] = acw_factor[t] / mean_talk_reaching(weights, family, cv, rho)
        mean_ms = float(types.talk_ms[t].mean())
        acw_share = float(types.acw_ms[t]) / (mean_ms + float(types.acw_ms[t]))
        stated = kind.emotional_ratio
        ratio = scenario.coefficient("emotional_ratio") if stated is None else stated
        shape_with = partial(
            intensity_shape, weights, family, talk_loading=rho, spread=scenario.coefficient("intensity_spread"),
            above=scenario.coefficient("intense_above"),
            intense=scenario.coefficient("intense_share") if kind.intense is None else kind.intense,
            ratio=ratio, acw_share=acw_share, listening=listening,
        )  # fmt: skip

        def reaches(cv: float, shape_with: Callable[..., tuple[float, float]] = shape_with) -> bool:
            try:
                shape_with(cv=cv)
            except UnreachableError:
                return False
            return True

        try:
            centre[t], loading[t] = shape_with(cv=cv)
        except UnreachableError as error:
            if strict:
                errors.append(_unreachable(("types", name), kind, ratio, cv, error, reaches))
                continue
            centre[t], loading[t] = shape_with(cv=cv, ratio=min(max(ratio, error.low), error.high))
        u = (np.arange(QUANTILES) + 0.5) / QUANTILES
        slower = 1.0 if "handle" in kind.natural else usual_level(scenario, name)[1]
        handles[t] = (unit_sample(family, cv, u) * mean_ms + types.acw_ms[t]) / slower
    _raise(errors)
    offered = c.offered_by_interval(scenario).sum(axis=(1, 2))
    return blank._replace(
        talk_factor=talk_factor,
        acw_factor=acw_factor,
        resolved=np.array([c.logit(_resolved(scenario, kind)) for _, kind in kinds]),
        heard=np.array([c.logit(_heard(scenario, kind)) for _, kind in kinds]),
        intensity_mean=centre,
        intensity_loading=loading,
        leaving_base=np.full(n_groups, attrition(scenario)),
        handle_ms=handles,
        handled=np.maximum(offered, 1e-9),
    )


def _raise(errors: list[FieldError]) -> None:
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise FieldErrors(errors)


def _refuse_too_many(scenario: Scenario, clock: Clock) -> None:
    """Volumes beyond what one simulation holds, warm-up and follow-up included."""
    offered = c.offered_by_interval(scenario).sum(axis=(1, 2)) * clock.n_days / clock.days
    if offered.sum() > MAX_ROWS:
        name, kind = list(scenario.types.items())[int(offered.argmax())]
        raise FieldError(
            ("types", name, "offered_per_week"),
            kind.offered_per_week,
            f"must leave at most {MAX_ROWS:,} contacts of all types in the {clock.n_days} days that are simulated "
            f"(warm-up and follow-up inside)",
        )


def _unreachable(
    path: tuple[str, ...], kind: ContactType, ratio: float, cv: float, error: UnreachableError,
    reaches: Callable[[float], bool],
) -> FieldError:  # fmt: skip
    """What keeps intense contacts from taking so much longer: after-contact work, want of spread, or the ratio."""
    handle = kind.handle
    longer = f"for intense contacts to take {ratio:g} times as long (emotional_ratio)"
    if ratio > error.high and error.most_acw_share > 0:
        least = handle.acw_s * (1 / error.most_acw_share - 1)
        found = handle.talk_s if isinstance(handle.talk_s, float) else None
        allowed = (
            f"must be at least {math.ceil(least)} beside {handle.acw_s:g} s of after-contact work, {longer}"
        )
        return FieldError((*path, "handle", "talk_s"), found, allowed)
    if ratio > error.high and kind.emotional_ratio is None:
        enough = next((more for more in SPREADS if more > cv and reaches(more)), None)
        if enough is not None:
            return FieldError(
                (*path, "handle", "cv"), cv, f"must be at least {enough:g}, {longer}, or the family fixed"
            )
    return FieldError((*path, "emotional_ratio"), kind.emotional_ratio, str(error))


def attrition(scenario: Scenario) -> float:
    """Observed yearly attrition."""
    return scenario.coefficient("attrition") if scenario.attrition is None else scenario.attrition


def _resolved(scenario: Scenario, kind: object) -> float:
    value = getattr(kind, "resolved", None)
    return scenario.coefficient("first_contact_resolution") if value is None else float(value)


def _heard(scenario: Scenario, kind: object) -> float:
    value = getattr(kind, "heard", None)
    return scenario.coefficient("heard_share") if value is None else float(value)


class _Run(NamedTuple):
    sums: Totals
    handles: Floats


def _one(world: World, lens: Lens, seed: int, k: int, engine: Engine) -> _Run:
    block, written = simulated(world, seed, [k], engine)
    here = np.flatnonzero(
        (written.outcome == r.ANSWERED) & (written.lines["arrive_ms"] >= world.clock.start_ms)
    )
    kind, full_ms = block.needs["type"][block.links["need"][here]], written.lines["full_ms"][here]
    n_types = len(world.types.talk_cv)
    handles = np.full((n_types, QUANTILES), np.nan)
    grid = (np.arange(QUANTILES) + 0.5) / QUANTILES
    for t in range(n_types):
        values = full_ms[kind == t]
        if len(values):
            handles[t] = np.quantile(values, grid)
    return _Run(totals_of_block(world, block, written, lens), handles)


def _several(
    world: World, lens: Lens, seed: int, n: int, engine: Engine, executor: Executor | None
) -> tuple[Totals, Floats]:
    if executor is None:
        runs = [_one(world, lens, seed, k, engine) for k in range(n)]
    else:
        sent = shared(executor, world)
        runs = list(executor.map(_one, [sent] * n, [lens] * n, [seed] * n, range(n), [engine] * n))
    with np.errstate(invalid="ignore"):
        stacked = np.stack([run.handles for run in runs])
    present = ~np.isnan(stacked)
    handles = np.where(present, stacked, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    return joined([run.sums for run in runs]), handles


def anchor(
    scenario: Scenario,
    roster: Roster,
    *,
    replications: int = 4,
    rounds: int = 6,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    say: Say = lambda _: None,
    strict: bool = True,
) -> Anchored:
    """Natural values of a scenario whose as_is works to this roster.

    With `strict` false, a misfit is reported and never refused (draws of coefficients may be extreme), and an emotional
    ratio that a type cannot have gives way to the nearest that it can.
    Raises FieldError (path in the scenario) for observed values that no natural values can give.
    """
    base = observed_base(scenario)
    lens = lens_of(base)
    natural = first_guess(base, strict=strict)
    if strict:
        offered = float(c.offered_by_interval(base).sum()) / len(base.types)
        wanted = max(ENOUGH / max(offered, 1.0), _luck_of_people(base, roster) / ALIKE**2)
        replications = int(np.clip(round(wanted), replications, MOST_REPLICATIONS))
    fixed = {name: [field in kind.natural for kind in base.types.values()] for name, field in _MARKS.items()}
    done = 0
    for done in range(1, rounds + 1):
        world = c.compile_world(base, natural, "as_is", roster, follow=False)
        sums, handles = _several(world, lens, FIRST_SEED, replications, engine, executor)
        natural, change = _corrected(base, natural, sums, handles, fixed, done, 1.0 if done == 1 else DAMPED)
        say(f"anchoring round {done}: largest correction {change:.2%}")
        if change < SETTLED and done > 2:
            break
    world = c.compile_world(base, natural, "as_is", roster, follow=False)
    sums, _ = _several(world, lens, CHECK_SEED, max(replications, 4), engine, executor)
    misfit = (*misfits(base, sums), *people_misfits(base, natural, sums))
    if strict:
        _refuse_impossible(base, misfit)
    return Anchored(natural, misfit, done)


def _luck_of_people(scenario: Scenario, roster: Roster) -> float:
    """Variance of one replication's mean handle time (relative) that comes from who works there."""
    groups = list(scenario.groups.values())
    people = roster.people(len(groups)).astype(float)
    usual = scenario.coefficient("agent_spread")
    spread = np.array([usual if group.spread is None else group.spread for group in groups])
    variance = spread**2
    traits = c.traits_of(scenario, scenario.policies["as_is"])
    for share, factor in zip(traits.high - traits.low, traits.speed * traits.talk, strict=True):
        variance = variance + share * (1 - share) * (factor - 1) ** 2
    total = max(people.sum(), 1.0)
    return float((people * variance).sum() / total**2)


_MARKS = {
    "needs_per_contact": "offered", "talk_factor": "handle", "acw_factor": "handle", "resolved": "resolved",
    "heard": "heard", "contained_shift": "contained", "intensity_mean": "intense",
}  # fmt: skip
"""What a type lists under `natural` to keep a natural value as it is."""


def by_type(sums: Totals, name: str) -> Floats:
    """(reps, T) sums by type."""
    return np.asarray(sums.customers[name].sum(axis=(2, 3)), np.float64)


def observed_values(scenario: Scenario, sums: Totals) -> dict[str, Floats]:
    """(T,) observed values by field, weighted as the simulated contacts are where they vary by time of day."""
    kinds = list(scenario.types.values())
    answered = sum(sums.service[k].sum(axis=(0, 2)) for k in ("answered", "deferred_answered"))
    talk = np.zeros(len(kinds))
    for t, kind in enumerate(kinds):
        by_time = c.by_interval(kind.handle.talk_s, scenario)
        weight = answered[t] if answered[t].sum() > 0 else np.ones(len(by_time))
        talk[t] = (by_time * weight).sum() / weight.sum()
    today_intense = scenario.coefficient("intense_share")
    return {
        "offered": c.offered_by_interval(scenario).sum(axis=(1, 2)),
        "talk": talk,
        "acw": np.array([kind.handle.acw_s for kind in kinds]),
        "resolved": np.array([_resolved(scenario, kind) for kind in kinds]),
        "heard": np.array([_heard(scenario, kind) for kind in kinds]),
        "contained": np.array([_contained(scenario, kind) for kind in kinds]),
        "intense": np.array([today_intense if kind.intense is None else kind.intense for kind in kinds]),
    }


def _contained(scenario: Scenario, kind: object) -> float:
    bot = kind.automation  # type: ignore[attr-defined]
    total = weight = 0.0
    for name, segment in scenario.segments.items():
        own = bot.of(name)
        part = kind.segments.get(name, 0.0) if kind.segments else segment.share  # type: ignore[attr-defined]
        total += part * own.offered * own.contained
        weight += part * own.offered
    return total / weight if weight > 0 else 0.0


def simulated_values(sums: Totals) -> dict[str, tuple[Floats, Floats | None]]:
    """(reps, T) totals above and below each observed field; talk and after-contact work as a log has them."""
    work, shown = by_type(sums, "talk_min") + by_type(sums, "acw_min"), by_type(sums, "handle_min")
    slower = np.where(shown > work * (1 + 1e-9), shown / np.maximum(work, 1e-12), 1.0)
    return {
        "offered": (by_type(sums, "contacts"), None),
        "talk": (by_type(sums, "talk_min") * 60 * slower, by_type(sums, "answered")),
        "acw": (by_type(sums, "acw_min") * 60 * slower, by_type(sums, "answered")),
        "resolved": (by_type(sums, "first_resolved"), by_type(sums, "first_answered")),
        "heard": (by_type(sums, "heard"), by_type(sums, "spoken")),
        "contained": (by_type(sums, "contained"), by_type(sums, "sessions")),
        "intense": (by_type(sums, "intense_answered"), by_type(sums, "answered")),
    }


def _corrected(
    scenario: Scenario,
    natural: NaturalValues,
    sums: Totals,
    handles: Floats,
    fixed: dict[str, list[bool]],
    round_number: int,
    part: float = 1.0,
) -> tuple[NaturalValues, float]:
    """Natural values after one round of correction (`part` of it), and the largest relative correction."""
    observed = observed_values(scenario, sums)
    ratio = {
        name: above.sum(axis=0) / np.maximum(below.sum(axis=0), 1e-12)
        for name, (above, below) in simulated_values(sums).items()
        if below is not None
    }
    contacts, needs = by_type(sums, "contacts").sum(axis=0), by_type(sums, "needs").sum(axis=0)
    seen = by_type(sums, "answered").sum(axis=0) > 0
    # Needs per contact is a ratio, so that the luck of the day cancels.
    per_contact = np.where(contacts > 0, needs / np.maximum(contacts, 1e-12), natural.needs_per_contact)

    def logits(p: Floats) -> Floats:
        q = np.clip(p, 1e-6, 1 - 1e-6)
        return np.log(q / (1 - q))

    spread = scenario.coefficient("intensity_spread")

    def probits(p: Floats) -> Floats:
        return np.asarray(ndtri(np.clip(p, 1e-6, 1 - 1e-6)), np.float64)

    def scaled(factor: Floats, field: str) -> Floats:
        """The factor that would have given the observed mean; never more than twentyfold at once."""
        aim, found = observed[field], ratio[field]
        told = seen & (aim > 0)
        return np.where(told, factor * aim / np.maximum(found, np.maximum(0.05 * aim, 1e-12)), factor)

    sessions = by_type(sums, "sessions").sum(axis=0) > 0
    step = {
        "needs_per_contact": per_contact,
        "talk_factor": scaled(natural.talk_factor, "talk"),
        "acw_factor": scaled(natural.acw_factor, "acw"),
        "resolved": natural.resolved
        + np.where(seen, logits(observed["resolved"]) - logits(ratio["resolved"]), 0),
        "heard": natural.heard + np.where(seen, logits(observed["heard"]) - logits(ratio["heard"]), 0),
        "contained_shift": natural.contained_shift
        + np.where(sessions, probits(observed["contained"]) - probits(ratio["contained"]), 0),
        "intensity_mean": natural.intensity_mean
        + np.where(
            seen & (observed["intense"] > 0),
            spread * (probits(observed["intense"]) - probits(ratio["intense"])),
            0,
        ),
    }
    change = 0.0
    for name, value in step.items():
        value[fixed[name]] = getattr(natural, name)[fixed[name]]
        old = getattr(natural, name)
        step[name] = value = old + part * (value - old)
        scale = np.maximum(np.abs(old), 0.5)
        change = max(change, float(np.max(np.abs(value - old) / scale, initial=0)))
    spells = sums.people["spells"].sum(axis=0)
    exhaustion = np.where(spells > 0, sums.people["exhaustion"].sum(axis=0) / np.maximum(spells, 1), 0.0)
    leaving = np.where(spells > 0, sums.people["leaving"].sum(axis=0) / np.maximum(spells, 1), 1.0)
    # `leaving` was measured against the reference then in force; what counts is the spread about the new one.
    factor = c.leaving_factor(scenario, scenario.policies["as_is"]) ** (natural.exhaustion - exhaustion)
    base = attrition(scenario) / np.maximum(leaving * factor, 1e-9)
    if round_number > 1:
        change = max(change, float(np.max(np.abs(exhaustion - natural.exhaustion), initial=0)) / 10)
    known = handles.sum(axis=1) > 0
    replaced = natural._replace(
        **step,
        exhaustion=exhaustion,
        leaving_base=base,
        handle_ms=np.where(known[:, None], handles, natural.handle_ms),
        handled=np.maximum(by_type(sums, "answered").mean(axis=0), 1e-9),
    )
    return replaced, change


def misfits(scenario: Scenario, sums: Totals) -> list[Misfit]:
    """Every observed number beside the simulated one."""
    observed = observed_values(scenario, sums)
    rows = []
    for field, (above, below) in simulated_values(sums).items():
        for t, (name, kind) in enumerate(scenario.types.items()):
            if {"talk": "handle", "acw": "handle"}.get(field, field) in kind.natural:
                continue
            if (field == "contained" and not kind.automation.contains) or (
                field == "acw" and kind.handle.acw_s == 0
            ):
                continue
            if below is not None and below[:, t].sum() == 0:
                continue
            unit = {"offered": "contacts", "talk": "s", "acw": "s"}.get(field, "share")
            simulated = estimate(above[:, t], None if below is None else below[:, t], unit, least=0.0)
            value = float(observed[field][t])
            contacts = value * len(above) if below is None else float(below[:, t].sum())
            rows.append(Misfit(name, field, value, simulated, contacts))
    return rows


def people_misfits(scenario: Scenario, natural: NaturalValues, sums: Totals) -> list[Misfit]:
    """Attrition and absence, where they were given, beside the simulated ones."""
    p = sums.people
    rows = []
    if scenario.attrition and p["spells"].sum() > 0:
        leaving = (p["leaving"] * natural.leaving_base).sum(axis=1)
        found = estimate(leaving, p["spells"].sum(axis=1), "share a year")
        rows.append(Misfit(EVERYONE, "attrition", scenario.attrition, found))
    away = sum(item.share for item in scenario.shrinkage if item.kind == "absence")
    if away and p["shifts"].sum() > 0:
        found = estimate(p["absences"].sum(axis=1), p["shifts"].sum(axis=1), "share")
        rows.append(Misfit(EVERYONE, "absence", away, found))
    return rows


_PATHS = {
    "offered": ("offered_per_week",), "talk": ("handle", "talk_s"), "acw": ("handle", "acw_s"),
    "resolved": ("resolved",), "heard": ("heard",), "contained": ("automation", "contained"), "intense": ("intense",),
}  # fmt: skip


def _refuse_impossible(scenario: Scenario, misfit: tuple[Misfit, ...]) -> None:
    """An observed number that no natural value can give stays far off however often it is corrected."""
    errors = []
    for row in misfit:
        # Three half-intervals: of many numbers, and rare ones in a small centre, some are out by luck.
        clearly = abs(row.simulated.mean - row.observed) > 1.5 * (row.simulated.high - row.simulated.low)
        if row.type == EVERYONE or row.contacts < TELLING or row.observed <= 0:
            continue
        if abs(row.off) > 0.15 and clearly:
            # Offered is simulated over the horizon and given by the week.
            week = scenario.types[row.type].offered_per_week / row.observed if row.field == "offered" else 1.0
            errors.append(
                FieldError(
                    ("types", row.type, *_PATHS[row.field]),
                    row.observed * week,
                    f"cannot be what is observed under as_is: the nearest that any natural values give is "
                    f"{row.simulated.mean * week:.4g} (check staffing, patience and containment against it)",
                )
            )
    _raise(errors)
