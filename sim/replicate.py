"""Many replications: draw, simulate, add up; in this process or through any `concurrent.futures.Executor`.

Replication k of a world depends on (seed, k) alone, so the order, the number of workers and the size of the blocks in
which they are handed out change nothing. Only sums travel back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Literal

from sim import draws as d
from sim.measures import Lens, Totals, stack, totals
from sim.records import Records
from sim.world import World

Engine = Literal["kernel", "simpy"]
Progress = Callable[[int, int], None]
BLOCKS_A_LANE = 4
"""So that a slow machine, or one that is lost, holds up little."""


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


def totals_of(
    world: World,
    lens: Lens,
    seed: int,
    numbers: Iterable[int],
    engine: Engine = "kernel",
    known: d.Known | None = None,
) -> list[Totals]:
    """A block of replications: their sums, in the order of their numbers."""
    return [totals_once(world, lens, seed, k, engine, known) for k in numbers]


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
    if not shares_memory(executor):
        known = None
    blocks = blocks_of(wanted, executor)
    if executor is None:
        results: Iterable[list[Totals]] = (totals_of(world, lens, seed, b, engine, known) for b in blocks)
    else:
        sent = shared(executor, world)
        futures = [executor.submit(totals_of, sent, lens, seed, b, engine, known) for b in blocks]
        results = (future.result() for future in futures)
    done = 0
    for block, result in zip(blocks, results, strict=True):
        for k, sums in zip(block, result, strict=True):
            done += 1
            if progress is not None:
                progress(done, len(wanted))
            yield k, sums


def blocks_of(numbers: list[int], executor: Executor | None) -> list[list[int]]:
    """Replications as they are handed out: one by one here, in some blocks for each lane of a cluster."""
    lanes = getattr(executor, "lanes", 0)
    size = max(1, len(numbers) // (BLOCKS_A_LANE * lanes)) if lanes else 1
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def shared(executor: Executor, value: Any) -> Any:
    """What to hand to tasks in place of `value`: an executor with a `share` brings it to its workers once, for all tasks."""
    share = getattr(executor, "share", None)
    return value if share is None else share(value)


def shares_memory(executor: Executor | None) -> bool:
    """Whether tasks run in this very process."""
    return executor is None or isinstance(executor, ThreadPoolExecutor)


def local_executor(engine: Engine = "kernel", workers: int = 2) -> Executor:
    """Threads for the kernel, which runs outside the interpreter's lock; processes for SimPy."""
    if engine == "kernel":
        return ThreadPoolExecutor(workers)
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
