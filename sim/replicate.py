"""Many replications: draw, simulate, add up; in this process or through any `concurrent.futures.Executor`.

Replication k of a world depends on (seed, k) alone, so blocks, their order and the number of workers change nothing.
Only sums travel back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from multiprocessing import parent_process
from threading import Thread
from typing import Any, Literal

from sim import draws as d
from sim.measures import Lens, Totals, joined, one_of, totals_of_block
from sim.records import Records, Written, records_of, written_of
from sim.world import Room, World

Engine = Literal["kernel", "simpy"]
Progress = Callable[[int, int], None]

room = Room()
ROWS_PER_BLOCK = 524_288
"""Possible contacts that are drawn, simulated and measured in one go: some 150 MB, as one replication of a centre of 200 takes."""
TASKS = 16
"""Tasks into which an executor's work is cut at least; four for each lane where it has `lanes`, so that a slow machine holds up little."""


def run_block(world: World, block: d.Block, engine: Engine = "kernel") -> Written:
    """Run one engine on what was drawn (`whole` for SimPy); they write down the same."""
    if engine == "simpy":
        from sim import model

        return written_of([model.simulate(world, d.draws_of(block, i)) for i in range(len(block.numbers))])
    from sim import kernel

    return kernel.simulate_block(world, block)


def simulate_once(
    world: World, seed: int, replication: int, engine: Engine = "kernel"
) -> tuple[d.Draws, Records]:
    """One replication's draws and records, all of them."""
    block = d.draw_block(world, seed, [replication], whole=True)
    return d.draws_of(block, 0), records_of(run_block(world, block, engine), block.first_row, 0)


def simulated(
    world: World, seed: int, numbers: Sequence[int], engine: Engine = "kernel"
) -> tuple[d.Block, Written]:
    """The replications with these numbers: what was drawn of them as far as it mattered, and what was written down."""
    block = d.draw_block(world, seed, numbers, whole=engine == "simpy")
    return block, run_block(world, block, engine)


def totals_of(
    world: World, lens: Lens, seed: int, numbers: Sequence[int], engine: Engine = "kernel"
) -> Totals:
    """The sums of the replications with these numbers, in their order; records are gone afterwards."""
    if engine == "simpy":
        return totals_of_block(world, *simulated(world, seed, numbers, engine), lens)
    from sim import kernel

    block = d.draw_block(world, seed, numbers, room=room)
    return totals_of_block(world, block, kernel.simulate_block(world, block, room), lens, room)


def totals_once(world: World, lens: Lens, seed: int, replication: int, engine: Engine = "kernel") -> Totals:
    """One replication's sums."""
    return one_of(totals_of(world, lens, seed, [replication], engine), 0)


def blocks(world: World, numbers: Sequence[int], at_least: int = 1) -> list[Sequence[int]]:
    """The numbers in blocks for `totals_of`: few enough for the memory of one, and `at_least` so many blocks."""
    rows = world.demand.expected.sum() * (1.0 + float(world.behaviour.max_attempts > 1))
    most = max(1, int(ROWS_PER_BLOCK / max(rows, 1.0)))
    size = min(most, max(1, -(-len(numbers) // max(1, at_least))))
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def replicate(
    world: World,
    lens: Lens,
    replications: int | Iterable[int],
    *,
    seed: int = 1,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Totals:
    """Sums of several replications, in the order of their numbers along the first axis."""
    numbers = range(replications) if isinstance(replications, int) else replications
    done = each(world, lens, numbers, seed=seed, engine=engine, executor=executor, progress=progress)
    return joined([sums for _, sums in done])


def each(
    world: World,
    lens: Lens,
    numbers: Iterable[int],
    *,
    seed: int = 1,
    engine: Engine = "kernel",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Sequence[int], Totals]]:
    """Blocks of replications and their numbers, in the order of these, as they are done."""
    wanted = list(numbers)
    if executor is None:
        parts = blocks(world, wanted)
        results = (totals_of(world, lens, seed, part, engine) for part in parts)
    else:
        parts = blocks(world, wanted, max(TASKS, 4 * getattr(executor, "lanes", 0)))
        sent = shared(executor, world)
        futures = [executor.submit(totals_of, sent, lens, seed, part, engine) for part in parts]
        results = (future.result() for future in futures)
    n_done = 0
    for part, sums in zip(parts, results, strict=True):
        n_done += len(part)
        if progress is not None:
            progress(n_done, len(wanted))
        yield part, sums


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

    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """A worker whose parent is killed would wait for its next task for ever."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
