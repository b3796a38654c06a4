"""Contacts a second and core on the insurer's week of today: the SimPy model, its compiled twin, the SimPy idiom.

The engines run alone, on customers drawn beforehand; drawing and measuring have rows of their own. A contact counts
when it was offered: repeats and what the bot contains are inside.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import idiom
from benchmarks.measure import alternating, cpu, table
from planner import jobs
from planner.anchor import anchor, first_guess, lens_of
from planner.plan import as_is_roster
from planner.scenario import compile as c
from sim import draws, kernel, measures, model
from sim.measures import Lens
from sim.replicate import Engine, replicate, totals_of
from sim.world import World

SEED = 1
HIGH_WATER = Path("/proc/self/clear_refs")


def insurer(quick: bool) -> tuple[World, Lens]:
    """Today's world of the insurer, roughly anchored; `quick` follows nobody beyond the week."""
    scenario = jobs.load(jobs.DEMO).value
    roster = as_is_roster(scenario)
    natural = (
        first_guess(scenario)
        if quick
        else anchor(scenario, roster, replications=1, rounds=3, strict=False).natural
    )
    return c.compile_world(scenario, natural, "as_is", roster, follow=not quick), lens_of(scenario)


def run(quick: bool = False) -> dict[str, Any]:
    """All figures; rates in contacts per second of processor time on one core."""
    world, lens = insurer(quick)
    kernel.warm_up(lambda _: None)
    totals_of(world, lens, SEED, [0])
    t_draw, block = cpu(lambda: draws.draw_block(world, SEED, [0]), 5)
    t_kernel, written = cpu(lambda: kernel.simulate_block(world, block), 5)
    t_totals, _ = cpu(lambda: measures.totals_of_block(world, block, written, lens), 5)
    drawn = draws.draw(world, SEED, 0)
    records = kernel.simulate(world, drawn)
    contacts, agents = idiom.contacts_of(world, drawn, records), idiom.agents_on_queue(world)
    same, centre = model.simulate(world, drawn), idiom.simulate(contacts, agents)
    t_model, t_idiom, ratios = alternating(
        lambda: model.simulate(world, drawn), lambda: idiom.simulate(contacts, agents), 1 if quick else 7
    )
    offered = int((records.contacts.outcome > 0).sum())
    rates = {
        "kernel": offered / t_kernel,
        "simpy_model": offered / t_model,
        "simpy_idiom": len(centre.outcome) / t_idiom,
    }
    return {
        "days": world.clock.n_days,
        "contacts": offered,
        "contacts_idiom": len(centre.outcome),
        "agents": len(world.staffing.group_of),
        "same_records": all(
            bool((a == b).all()) for a, b in zip(records.contacts, same.contacts, strict=True)
        ),
        "contacts_per_s": {name: round(rate) for name, rate in rates.items()},
        "simpy_model_to_idiom_each_time": [
            round(ratio * offered / len(centre.outcome), 2) for ratio in ratios
        ],
        "ratio_to_idiom": {name: round(rate / rates["simpy_idiom"], 2) for name, rate in rates.items()},
        "ns_per_contact": {
            "draws": round(t_draw / offered * 1e9),
            "kernel": round(t_kernel / offered * 1e9),
            "measures": round(t_totals / offered * 1e9),
        },
        "contacts_per_s_all_told": round(offered / (t_draw + t_kernel + t_totals)),
        "memory_mb_of_one_replication": {
            engine: memory(world, lens, engine) for engine in ("kernel", "simpy")
        },
    }


def memory(world: World, lens: Lens, engine: Engine) -> float | None:
    """Peak memory that one replication adds to a fresh process: draws, engine and measures, MB; Linux only."""
    return peak_of(world, lens, 1, engine)


def peak_of(world: World, lens: Lens, replications: int, engine: Engine = "kernel") -> float | None:
    """Peak memory that replications on two threads add to a fresh process, MB; Linux only."""
    if not HIGH_WATER.exists():
        return None
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        peak = executor.submit(_peak, world, lens, replications, engine).result()
    return None if peak is None else round(peak, 1)


def _peak(world: World, lens: Lens, replications: int, engine: Engine) -> float | None:
    kernel.warm_up(lambda _: None)
    try:
        HIGH_WATER.write_text("5")  # the high-water mark starts again from here
    except OSError:
        return None
    before = _most()
    with ThreadPoolExecutor(2) as pool:
        replicate(world, lens, replications, seed=SEED, engine=engine, executor=pool)
    return _most() - before


def _most() -> float:
    """The largest resident memory since the mark was reset, MB."""
    status = Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) / 1e3


def told(result: dict[str, Any]) -> str:
    """The figures as tables."""
    names = {
        "kernel": "compiled engine",
        "simpy_model": "SimPy model",
        "simpy_idiom": "SimPy, a process per contact",
    }
    rows = [
        [names[k], f"{result['contacts_per_s'][k]:,}", f"{result['ratio_to_idiom'][k]:.1f}"]
        for k in ("simpy_idiom", "simpy_model", "kernel")
    ]
    ns, mb = result["ns_per_contact"], result["memory_mb_of_one_replication"]
    return "\n".join([
        table(
            f"Insurer, as_is, {result['days']} days, {result['contacts']:,} contacts, {result['agents']} agents",
            ["engine alone", "contacts/s and core", "times the idiom"], rows,
        ),
        "The SimPy model against the idiom, by turns: "
        + ", ".join(f"{ratio:.2f}" for ratio in result["simpy_model_to_idiom_each_time"]) + " times.",
        f"Both engines wrote the same records: {'yes' if result['same_records'] else 'NO'}.",
        f"Per contact: drawing {ns['draws']} ns, simulating {ns['kernel']} ns, measuring {ns['measures']} ns; "
        f"all told {result['contacts_per_s_all_told']:,} contacts/s.",
        "One replication adds, at its peak: "
        + ", ".join(f"{name} {'unknown' if size is None else f'{size:.0f} MB'}" for name, size in mb.items()),
    ])  # fmt: skip
