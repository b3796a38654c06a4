"""All told, drawing and measures included: replications in blocks, on one core and on two.

The insurer's world of today; the SSJ CallCenter day (10,000 days in all, of 1,660 contacts); and a week of 10,000
contacts a day under two policies. Rates on one core count processor seconds, those on two the clock.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine import insurer, peak_of
from benchmarks.measure import cpu, table
from planner.anchor import anchor, first_guess, lens_of
from planner.plan import as_is_roster
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.load import read
from planner.scenario.schema import Scenario
from sim import draws, kernel, measures
from sim.measures import Lens
from sim.replicate import blocks, replicate, simulated, totals_of
from sim.world import World

SSJ = Path(__file__).parent.parent / "tests" / "validation" / "ssj_callcenter.yaml"
SSJ_DAYS = 10_000
WEEK_OF = 10_000
"""Contacts a day in the week of two policies."""


def ssj(days: int = 50) -> tuple[World, Lens]:
    """SSJ's CallCenter, so many days to a replication."""
    scenario = read(SSJ, Scenario).value
    scenario = scenario.model_copy(update={"horizon": scenario.horizon.model_copy(update={"days": days})})
    duty = {g: c.by_days(group.on_duty, scenario) for g, group in enumerate(scenario.groups.values())}
    return c.compile_world(scenario, first_guess(scenario), "as_is", Roster((), duty)), lens_of(scenario)


def rate(world: World, lens: Lens, replications: int) -> dict[str, float]:
    """Contacts a second and core, all told and part by part, and on two threads by the clock."""
    block, written = simulated(world, 1, blocks(world, range(replications))[0])
    measures.totals_of_block(world, block, written, lens)
    each = np.count_nonzero(written.outcome) / len(block.numbers)
    numbers = block.numbers.tolist()
    n = each * len(numbers)
    parts = {
        "draws": cpu(lambda: draws.draw_block(world, 1, numbers), 5)[0],
        "kernel": cpu(lambda: kernel.simulate_block(world, block), 5)[0],
        "measures": cpu(lambda: measures.totals_of_block(world, block, written, lens), 5)[0],
    }
    all_told, _ = cpu(
        lambda: [totals_of(world, lens, 1, part) for part in blocks(world, range(replications))]
    )
    with ThreadPoolExecutor(2) as pool:
        replicate(world, lens, 2 * len(numbers), executor=pool)  # each thread gets its memory
        start = time.perf_counter()
        replicate(world, lens, replications, executor=pool)
        on_two = time.perf_counter() - start
    return {
        "contacts": round(each * replications),
        "replications_a_block": len(numbers),
        **{f"{name}_ns": round(seconds / n * 1e9) for name, seconds in parts.items()},
        "kernel_contacts_per_s": round(n / parts["kernel"]),
        "contacts_per_s": round(each * replications / all_told),
        "contacts_per_s_on_two": round(each * replications / on_two),
    }


def python_us(world: World, lens: Lens, few: int = 16, many: int = 64) -> float:
    """Microseconds that a replication costs beyond its contacts: of a world in which next to nothing happens."""
    nearly = world._replace(demand=world.demand._replace(expected=world.demand.expected * 1e-6))
    seconds = [cpu(lambda n=n: totals_of(nearly, lens, 1, range(n)), 5)[0] for n in (few, many)]  # type: ignore[misc]
    return round((seconds[1] - seconds[0]) / (many - few) * 1e6, 1)


def week(replications: int, around: int | None = None) -> dict[str, float]:
    """Seconds on the clock, and memory, of paired replications of two policies in a week of 10,000 contacts a day.

    The week lies within as many days of warm-up and of follow-up as 99 of 100 returns take, 17, or `around` days.
    """
    from planner import jobs

    scenario = jobs.load(jobs.DEMO).value
    if around is not None:
        near = scenario.horizon.model_copy(update={"warm_up_days": around, "follow_up_days": around})
        scenario = scenario.model_copy(update={"horizon": near})
    roster = as_is_roster(scenario)
    natural = anchor(scenario, roster, replications=1, rounds=3, strict=False).natural
    lens = lens_of(scenario)
    worlds = [c.compile_world(scenario, natural, name, roster) for name in ("as_is", "empathy_aware")]
    day = replicate(worlds[0], lens, 1).customers["contacts"].sum() / worlds[0].clock.days
    share = WEEK_OF / float(day)
    worlds = [w._replace(demand=w.demand._replace(expected=w.demand.expected * share)) for w in worlds]
    days = worlds[0].clock.n_days
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        found = [replicate(world, lens, replications, executor=pool) for world in worlds]
    seconds = time.perf_counter() - start
    return {
        "replications": replications,
        "contacts_in_the_week": round(float(found[0].customers["contacts"].sum()) / replications),
        "days_simulated": days,
        "contacts_in_all": round(2 * replications * days * WEEK_OF),
        "seconds": round(seconds, 2),
        "memory_mb": peak_of(worlds[0], lens, 4),
    }


def run(quick: bool = False) -> dict[str, Any]:
    """All figures."""
    world, lens = insurer(quick)
    callcenter, its_lens = ssj()
    kernel.warm_up(lambda _: None)
    return {
        "insurer": rate(world, lens, 2 if quick else 24),
        "ssj_callcenter": rate(callcenter, its_lens, (500 if quick else SSJ_DAYS) // callcenter.clock.days),
        "python_us_per_replication": python_us(*ssj(1)),
        "week_of_two_policies": week(4 if quick else 100),
        "the_same_with_five_days_around": week(4 if quick else 100, 5),
    }


def told(result: dict[str, Any]) -> str:
    """The figures as a table."""
    names = {"insurer": "insurer, as_is", "ssj_callcenter": "SSJ CallCenter"}
    rows = [
        [title, *(f"{result[name][key]:,}" for key in ("contacts", "draws_ns", "kernel_ns", "measures_ns", "contacts_per_s", "contacts_per_s_on_two"))]
        for name, title in names.items()
    ]  # fmt: skip
    weeks = [
        f"A week of {week_of['contacts_in_the_week']:,} contacts, two policies, {week_of['replications']} paired replications "
        f"of {week_of['days_simulated']} days ({week_of['contacts_in_all']:,} contacts): {week_of['seconds']} s on two threads"
        + (f", {week_of['memory_mb']:.0f} MB" if week_of["memory_mb"] else "") + "."
        for week_of in (result["week_of_two_policies"], result["the_same_with_five_days_around"])
    ]  # fmt: skip
    return "\n".join([
        table(
            "All told, in blocks",
            ["world", "contacts", "draw ns", "simulate ns", "measure ns", "contacts/s, one core", "on two"], rows,
        ),
        f"A replication of a day costs {result['python_us_per_replication']} microseconds beyond its contacts.",
        *weeks,
    ])  # fmt: skip
