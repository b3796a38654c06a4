"""A what-if curve: one or a few fields of a scenario take several values, and each point is simulated with intervals.

A point is what `simulate --set FIELD=VALUE` gives: its own roster of today and natural values, or (re-planned) a roster
that meets the targets there. Points and blocks of replications are pieces of work: kept as they come, on one machine or many.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import numpy as np

from planner.anchor import anchor, lens_of, observed_base
from planner.natural import NaturalValues
from planner.pieces import Kept, Piece, Say, finish, listed, roster_from
from planner.plan import PROOF_REPLICATIONS, as_is_roster, plan
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.problems import SET, Problem, ScenarioError, nearest, quote
from planner.scenario.schema import Scenario
from sim.measures import Lens, Totals, joined
from sim.replicate import Engine, Progress, blocks, shared, totals_of
from sim.world import World

MOST_POINTS = 400
PARTS, MOST_IN_PART = 32, 50
"""A point's replications come in about so many pieces, of at most so many."""
VARY = "--vary"


class Axis(NamedTuple):
    """A field and the values that it takes."""

    path: str
    values: tuple[float, ...]


class Point(NamedTuple):
    """A scenario at one point of the sweep."""

    values: tuple[float, ...]
    """One for each axis."""
    scenario: Scenario


# --- what is asked ----------------------------------------------------------------------------------------------------


def axes_of(texts: Sequence[str]) -> list[Axis]:
    """Fields and values from FIELD=FROM:TO:POINTS or FIELD=A,B,C. Raises ScenarioError, all problems at once."""
    axes: list[Axis] = []
    problems: list[Problem] = []
    for text in texts:
        path, equals, values = text.partition("=")
        path = path.strip()
        try:
            if not equals or not path:
                raise ValueError(
                    "must be FIELD=FROM:TO:POINTS or FIELD=A,B,C, such as what_if.volume=0.9:1.2:4"
                )
            if not all(path.split(".")):
                raise ValueError("must be a path of names joined by single dots")
            if any(axis.path == path for axis in axes):
                raise ValueError("is varied twice: keep one")
            axes.append(Axis(path, _values(values)))
        except ValueError as error:
            problems.append(
                Problem(VARY, None, path if equals else "", quote(values if equals else text), str(error))
            )
    n = math.prod(len(axis.values) for axis in axes)
    if not problems and n > MOST_POINTS:
        problems.append(Problem(VARY, None, "", f"{n:,}", f"must make at most {MOST_POINTS} points together"))
    if problems:
        raise ScenarioError(problems)
    return axes


def _values(text: str) -> tuple[float, ...]:
    first, *more = text.split(":")
    if not more:
        values = tuple(_number(part) for part in first.split(","))
        if len(set(values)) < len(values):
            raise ValueError("must be different values")
        return values
    n = more[-1].strip()
    if len(more) != 2 or not n.isdecimal() or len(n) > 9 or not 2 <= int(n) <= MOST_POINTS:
        raise ValueError(f"must be FROM:TO:POINTS with 2 to {MOST_POINTS} points, or values with commas")
    low, high = _number(first), _number(more[0])
    if low == high:
        raise ValueError("must go from one value to another")
    # Rounded, so that steps of 0.1 are what one would type.
    values = tuple(float(f"{x:.12g}") for x in np.linspace(low, high, int(n)).tolist())
    if len(set(values)) < len(values):
        raise ValueError(f"must leave room for {n} different values of twelve digits")
    return values


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("must be numbers")
    return value


def settings_of(axes: Sequence[Axis]) -> list[tuple[tuple[float, ...], list[str]]]:
    """Each point's values, and what to set for it; the last axis varies fastest."""
    return [
        (values, [f"{axis.path}={value:.12g}" for axis, value in zip(axes, values, strict=True)])
        for values in itertools.product(*(axis.values for axis in axes))
    ]


def as_varied(error: ScenarioError, axes: Sequence[Axis], values: Sequence[float]) -> list[Problem]:
    """What is wrong at a point, told as what is wrong with `--vary`: without it the scenario is fine."""
    paths = [axis.path for axis in axes]
    point = ", ".join(f"{path}={value:.12g}" for path, value in zip(paths, values, strict=True))
    return [
        p._replace(file=VARY)
        if p.file == SET and any(_touches(p.field, path) for path in paths)
        else p._replace(allowed=f"{p.allowed.removesuffix(SET)}{VARY} {point}")
        if p.allowed.endswith(f", with {SET}")
        else p
        for p in error.problems
    ]


def _touches(field: str, path: str) -> bool:
    return (
        field == path
        or field.startswith(f"{path}.")
        or path.startswith(f"{field}.")
        or nearest(field, [path]) == path
    )


# --- what is computed -------------------------------------------------------------------------------------------------


class Simulated(NamedTuple):
    """A policy at a point."""

    natural: NaturalValues
    roster: Roster
    totals: Totals
    missed: int | None
    """Target windows that a plan misses; None on the roster in use."""


def blocks_of(n: int) -> list[range]:
    """The replications 0 to n - 1 in pieces, the same whoever computes them."""
    size = min(MOST_IN_PART, max(1, n // PARTS))
    return [range(first, min(first + size, n)) for first in range(0, n, size)]


def sums_of(world: World, lens: Lens, seed: int, numbers: range, engine: Engine) -> Totals:
    """The sums of a block, without those by interval: few numbers, whatever the horizon."""
    done = [totals_of(world, lens, seed, part, engine) for part in blocks(world, numbers)]
    return joined(done)._replace(service={})


def simulate_all(
    worlds: Mapping[str, tuple[World, Lens]], n: int, seed: int, engine: Engine, executor: Executor, kept: Kept, *,
    say: Say = lambda _: None, progress: Progress | None = None,
) -> dict[str, Totals]:  # fmt: skip
    """`n` replications of each world, in blocks that are kept as they come."""
    ranges = blocks_of(n)
    pieces: dict[str, Piece] = {}
    for name, (world, lens) in worlds.items():
        missing = [block for block in ranges if not kept.has(_name(name, block))]
        sent = shared(executor, world) if missing else world
        pieces |= {_name(name, block): Piece(sums_of, (sent, lens, seed, block, engine)) for block in ranges}
    found = finish(
        pieces,
        kept,
        executor,
        say=say,
        what="blocks of replications",
        progress=progress,
        encode=listed,
        decode=_arrays,
    )
    return {name: _joined([found[_name(name, block)] for block in ranges]) for name in worlds}


def _name(world: str, block: range) -> str:
    return f"{world}-{block.start:05d}"


def _joined(blocks: Sequence[Totals]) -> Totals:
    """Stacked blocks as one."""
    whole: list[tuple[Any, ...]] = [tuple(block) for block in blocks]
    parts: list[Any] = [
        {k: np.concatenate([one[k] for one in part]) for k in part[0]} for part in zip(*whole, strict=True)
    ]
    return Totals(*parts)


def _arrays(value: Any) -> Totals:
    parts: list[Any] = [{k: np.asarray(v, np.float64) for k, v in part.items()} for part in value]
    return Totals(*parts)


def _natural(value: Any) -> NaturalValues:
    return NaturalValues(*(np.asarray(v, np.float64) for v in value))


def _planned(
    scenario: Scenario, natural: NaturalValues, policy: str, engine: Engine, most: int, seed: int
) -> tuple[Roster, int]:
    """A plan's roster, and how many target windows its proof misses."""
    made = plan(
        scenario, natural, policy, engine=engine, plan_replications=most, seed=seed, replications=PROOF_REPLICATIONS
    )  # fmt: skip
    return made.roster, len(made.proof.missed)


def today_of(
    points: Sequence[Point], engine: Engine, executor: Executor, kept: Kept, say: Say
) -> list[tuple[Roster, NaturalValues]]:
    """Each point's roster of today and natural values: once for all points that differ only in what comes after today."""
    say("today's roster at each point")
    rosters = finish(
        {f"roster-{k:03d}": Piece(as_is_roster, (point.scenario,)) for k, point in enumerate(points)},
        kept, executor, say=say, what="rosters", encode=listed, decode=roster_from,
    )  # fmt: skip
    found: list[tuple[Roster, NaturalValues]] = []
    anchored: dict[str, NaturalValues] = {}
    for point, roster in zip(points, rosters.values(), strict=True):
        base = observed_base(point.scenario).model_dump(mode="json")
        text = json.dumps([base, listed(roster)], sort_keys=True, default=str)
        name = f"natural-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        if name not in anchored:
            known = kept.get(name)
            if known is not None:
                anchored[name] = _natural(known)
            else:
                anchored[name] = anchor(
                    point.scenario, roster, engine=engine, executor=executor, say=say
                ).natural
                kept.put(name, listed(anchored[name]))
        found.append((roster, anchored[name]))
    return found


def _place(k: int, policy: str, policies: Sequence[str]) -> str:
    return f"{k:03d}-{policies.index(policy):02d}"


def run(
    points: Sequence[Point], policies: Sequence[str], *, replications: int, seed: int, engine: Engine, executor: Executor,
    kept: Kept, replan: int | None = None, plan_seed: int = 0, say: Say = lambda _: None,
) -> list[dict[str, Simulated]]:  # fmt: skip
    """Every policy at every point; `replan` is the most replications of a plan's search, None for the roster in use."""
    today = today_of(points, engine, executor, kept, say)
    rosters: dict[tuple[int, str], tuple[Roster, int | None]] = {
        (k, policy): (roster, None) for k, (roster, _) in enumerate(today) for policy in policies
    }
    if replan is not None:
        say(f"planning {len(rosters)} times")
        plans = finish(
            {
                f"plan-{_place(k, policy, policies)}": Piece(
                    _planned, (points[k].scenario, today[k][1], policy, engine, replan, plan_seed)
                )
                for k, policy in rosters
            },
            kept, executor, say=say, what="plans", progress=lambda done, of: say(f"plan {done} of {of}"),
            encode=listed, decode=lambda value: (roster_from(value[0]), value[1]),
        )  # fmt: skip
        rosters = dict(zip(rosters, plans.values(), strict=True))
    worlds = {
        f"point-{_place(k, policy, policies)}": (
            c.compile_world(points[k].scenario, today[k][1], policy, roster),
            lens_of(points[k].scenario, policy),
        )
        for (k, policy), (roster, _) in rosters.items()
    }
    say(f"simulating {len(worlds)} times {replications} replications")
    totals = simulate_all(
        worlds, replications, seed, engine, executor, kept, say=say,
        progress=lambda done, of: say(f"block {done} of {of}"),
    )  # fmt: skip
    result: list[dict[str, Simulated]] = [{} for _ in points]
    for (k, policy), (roster, missed) in rosters.items():
        result[k][policy] = Simulated(
            today[k][1], roster, totals[f"point-{_place(k, policy, policies)}"], missed
        )
    return result
