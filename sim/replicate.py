"""Many replications: draw, simulate, add up; in this process or through any `concurrent.futures.Executor`.

Replication k of a world depends on (seed, k) alone, so the order and the number of workers change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Literal

from sim import draws as d
from sim.measures import Lens, Totals, stack, totals
from sim.records import Records
from sim.world import World

Engine = Literal["kernel", "simpy"]
Progress = Callable[[int, int], None]


def simulate_once(
    world: World, seed: int, replication: int, engine: Engine = "kernel", known: d.Known | None = None
) -> tuple[d.Draws, Records]:
    """One replication's draws and records."""
    drawn = d.draw(world, seed, replication, known)
    return drawn, run_engine(world, drawn, engine)


def run_engine(world: World, drawn: d.Draws, engine: Engine) -> Records:
    """Run one engine on what was drawn; they give the same records."""
    if engine == "simpy":
        from sim import model

        return model.simulate(world, drawn)
    from sim import kernel

    return kernel.simulate(world, drawn)


def totals_once(
    world: World,
    lens: Lens,
    seed: int,
    replication: int,
    engine: Engine = "kernel",
    known: d.Known | None = None,
) -> Totals:
    """One replication's sums; records are gone afterwards."""
    drawn, records = simulate_once(world, seed, replication, engine, known)
    return totals(world, drawn, records, lens)


def replicate(
    world: World,
    lens: Lens,
    replications: int | Iterable[int],
    *,
    seed: int = 1,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    progress: Progress | None = None,
    known: d.Known | None = None,
) -> Totals:
    """Sums of several replications, stacked in the order of their numbers."""
    numbers = list(range(replications)) if isinstance(replications, int) else list(replications)
    return stack(
        [
            t
            for _, t in each(
                world,
                lens,
                numbers,
                seed=seed,
                engine=engine,
                executor=executor,
                progress=progress,
                known=known,
            )
        ]
    )


def each(
    world: World,
    lens: Lens,
    numbers: Iterable[int],
    *,
    seed: int = 1,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    progress: Progress | None = None,
    known: d.Known | None = None,
) -> Iterator[tuple[int, Totals]]:
    """Replications one after another, as they are done, in the order of their numbers."""
    wanted = list(numbers)
    if engine == "simpy":
        known = None  # worker processes share nothing
    if executor is None:
        results: Iterable[Totals] = (totals_once(world, lens, seed, k, engine, known) for k in wanted)
    else:
        futures = [executor.submit(totals_once, world, lens, seed, k, engine, known) for k in wanted]
        results = (future.result() for future in futures)
    for i, (k, result) in enumerate(zip(wanted, results, strict=True)):
        if progress is not None:
            progress(i + 1, len(wanted))
        yield k, result


def local_executor(engine: Engine = "kernel", workers: int = 2) -> Executor:
    """Threads for the kernel, which runs outside the interpreter's lock; processes for SimPy."""
    if engine == "kernel":
        return ThreadPoolExecutor(workers)
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
