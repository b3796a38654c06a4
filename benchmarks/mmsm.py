"""One queue with impatient customers, M/M/s+M: both engines, the SimPy idiom, Ciw and salabim beside the closed form.

Twelve agents at 100 % load, patience of a minute, handle time of two. Everybody's figure must lie near Erlang A;
speed counts processor seconds, arrivals drawn beforehand for the first three and inside for Ciw and salabim, as they
are built.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks import idiom
from benchmarks.measure import cpu, table
from sim import draws, erlang, kernel, model
from sim import records as r
from sim.plain import plain_world

PER_HOUR, TALK_S, PATIENCE_S, AGENTS, WITHIN_S = 360.0, 120.0, 60.0, 12, 20.0
DAYS, DAYS_OF_CIW = 20, 4


def run(quick: bool = False) -> dict[str, Any]:
    """Rates in contacts a second of processor time, and what each engine finds."""
    days, of_ciw = (4, 1) if quick else (DAYS, DAYS_OF_CIW)
    world = plain_world(
        arrivals_per_hour=PER_HOUR, talk_s=TALK_S, agents=AGENTS, patience_s=PATIENCE_S, open_hours=(0.0, 24.0),
        days=days,
    )  # fmt: skip
    kernel.warm_up(lambda _: None)
    drawn = draws.draw(world, 1, 0)
    kernel.simulate(world, drawn)
    found: dict[str, dict[str, float]] = {}
    block = draws.draw_block(world, 1, [0])
    runs = {
        "kernel": (lambda: kernel.simulate_block(world, block), 5),
        "simpy_model": (lambda: model.simulate(world, drawn), 2),
    }
    for name, (engine, times) in runs.items():
        seconds, found_by = cpu(engine, times)
        c = (
            found_by.contacts
            if name == "simpy_model"
            else r.records_of(found_by, block.first_row, 0).contacts
        )
        left = c.outcome == r.ABANDONED
        wait = (c.end_ms - c.reach_ms) / 1000
        found[name] = _row(seconds, left, wait, c.outcome == r.ANSWERED)
    contacts = idiom.contacts_of(world, drawn, kernel.simulate(world, drawn))
    seconds, centre = cpu(lambda: idiom.simulate(contacts, [AGENTS]), 1 if quick else 2)
    outcome = np.array(centre.outcome)
    found["simpy_idiom"] = _row(
        seconds, outcome == idiom.ABANDONED, np.array(centre.wait), outcome == idiom.ANSWERED
    )
    seconds, (left, wait) = cpu(lambda: _ciw(of_ciw))
    found["ciw"] = _row(seconds, left, wait, ~left)
    if find_spec("salabim") is not None:
        seconds, (left, wait) = cpu(lambda: _salabim(of_ciw))
        found["salabim"] = _row(seconds, left, wait, ~left)
    exact = erlang.queue_a(AGENTS, PER_HOUR / 3600, TALK_S, PATIENCE_S, WITHIN_S)
    usual = found["simpy_idiom"]["contacts_per_s"]
    return {
        "agents": AGENTS,
        "load": PER_HOUR / 3600 * TALK_S / AGENTS,
        "exact": {
            "abandonment": round(exact.p_abandon, 4),
            "service_level": round(exact.service_level.g3, 4),
        },
        "engines": found,
        "ratio_to_idiom": {name: round(row["contacts_per_s"] / usual, 2) for name, row in found.items()},
        "kernel_to": {
            name: round(found["kernel"]["contacts_per_s"] / row["contacts_per_s"])
            for name, row in found.items()
            if name != "kernel"
        },
    }


def _row(seconds: float, left: Any, wait: Any, answered: Any) -> dict[str, float]:
    return {
        "contacts": len(left),
        "contacts_per_s": round(len(left) / seconds),
        "abandonment": round(float(left.mean()), 4),
        "service_level": round(float((answered & (wait <= WITHIN_S)).mean()), 4),
    }


def _ciw(days: int) -> tuple[Any, Any]:
    """Who left, and how long everybody waited."""
    import ciw

    ciw.seed(1)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(PER_HOUR / 3600)],
        service_distributions=[ciw.dists.Exponential(1 / TALK_S)],
        reneging_time_distributions=[ciw.dists.Exponential(1 / PATIENCE_S)],
        number_of_servers=[AGENTS],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(days * 86_400.0)
    records = simulation.get_all_records()
    return np.array([x.record_type == "renege" for x in records]), np.array([x.waiting_time for x in records])


def _salabim(days: int) -> tuple[Any, Any]:
    """Who left, and how long everybody waited."""
    import salabim

    env = salabim.Environment(trace=False, random_seed=1)
    agents = salabim.Resource(capacity=AGENTS)
    handle, patience = salabim.Exponential(TALK_S), salabim.Exponential(PATIENCE_S)
    left: list[bool] = []
    wait: list[float] = []

    class Caller(salabim.Component):  # type: ignore[misc]
        def process(self) -> None:
            came = env.now()
            self.request(agents, fail_delay=patience.sample())
            left.append(self.failed())
            wait.append(env.now() - came)
            if not self.failed():
                self.hold(handle.sample())
                self.release()

    salabim.ComponentGenerator(Caller, iat=salabim.Exponential(3600 / PER_HOUR), till=days * 86_400.0)
    env.run(till=days * 86_400.0)
    return np.array(left), np.array(wait)


def told(result: dict[str, Any]) -> str:
    """The figures as a table."""
    names = {
        "simpy_idiom": "SimPy, a process per contact", "ciw": "Ciw", "salabim": "salabim", "simpy_model": "SimPy model",
        "kernel": "compiled engine",
    }  # fmt: skip
    rows = [
        [
            title, f"{result['engines'][k]['contacts_per_s']:,}", f"{result['ratio_to_idiom'][k]:.1f}",
            f"{result['engines'][k]['abandonment']:.2%}", f"{result['engines'][k]['service_level']:.2%}",
        ]
        for k, title in names.items()
        if k in result["engines"]
    ]  # fmt: skip
    exact = result["exact"]
    rows.append(["Erlang A", "", "", f"{exact['abandonment']:.2%}", f"{exact['service_level']:.2%}"])
    return table(
        f"M/M/{result['agents']}+M at {result['load']:.0%}",
        ["engine", "contacts/s and core", "times the idiom", "abandoned", "within 20 s"], rows,
    )  # fmt: skip
