"""Blocks of replications: drawn as they were defined, and the same whatever the size of the block or the number of threads."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import plain_draws
import pytest
from worlds import FEATURES, small_world, some_features

from sim import draws as d
from sim import kernel, model
from sim import records as r
from sim.measures import Lens, Totals, joined, one_of
from sim.plain import plain_world
from sim.replicate import blocks, each, replicate, run_block, simulate_once, totals_of
from sim.world import World

ROUNDED = {"intensity": 1e-15, "talk_unit": 1e-10, "acw_unit": 1e-15, "patience_unit": 1e-15}
"""Where the compiled drawing rounds otherwise than numpy: relative differences. Talk is inverted without a detour over
Phi, which costs digits far out; the others differ in the last bit of an exponential or a logarithm."""
SEEDS = range(12)


def same(a: Totals, b: Totals) -> bool:
    """Every sum to the last bit."""
    return all(
        x.keys() == y.keys()
        and all(np.asarray(x[name]).tobytes() == np.asarray(y[name]).tobytes() for name in x)
        for x, y in zip(a, b, strict=True)
    )


def lens_of(world: World) -> Lens:
    return Lens(np.full(len(world.types.talk_cv), 20_000.0), 1.1, 1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_compiled_draws_are_what_numpy_draws(seed: int) -> None:
    world = small_world(seed, some_features(seed))
    found = d.draw(world, seed, 1)
    needs = plain_draws.draw_needs(world, seed, 1)
    for expected, got in ((needs, found.needs), (plain_draws.draw_rows(world, needs), found.rows)):
        for name, x, y in zip(expected._fields, expected, got, strict=True):
            assert x.shape == y.shape, name
            if name in ROUNDED:
                np.testing.assert_allclose(y, x, rtol=ROUNDED[name], atol=0, err_msg=name)
            else:
                assert np.array_equal(x, y), name


@pytest.mark.parametrize("seed", SEEDS)
def test_a_block_writes_what_each_replication_writes_alone(seed: int) -> None:
    """And what the SimPy model writes, although the block draws later attempts only when they happen."""
    world = small_world(seed, some_features(seed))
    numbers = [3, 0, 7]
    block = d.draw_block(world, seed, numbers)
    written = kernel.simulate_block(world, block)
    for i, k in enumerate(numbers):
        drawn = d.draw(world, seed, k)
        found = r.records_of(written, block.first_row, i)
        for other in (model.simulate(world, drawn), kernel.simulate(world, drawn)):
            pairs = zip(
                (*found.contacts, *found.spells, found.absent, found.started),
                (*other.contacts, *other.spells, other.absent, other.started),
                strict=True,
            )
            assert all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in pairs)


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_hang_neither_on_blocks_nor_on_threads_nor_on_the_engine(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world(seed, some_features(seed))
    lens, numbers = lens_of(world), [4, 0, 1, 9, 2]
    alone = joined([totals_of(world, lens, seed, [k]) for k in numbers])
    assert same(alone, totals_of(world, lens, seed, numbers))
    monkeypatch.setattr("sim.replicate.ROWS_PER_BLOCK", 1)
    with ThreadPoolExecutor(3) as pool:
        spread = list(each(world, lens, numbers, seed=seed, executor=pool))
    assert [list(part) for part, _ in spread] == [[k] for k in numbers]
    assert same(alone, joined([sums for _, sums in spread]))
    if seed % 4 == 0:
        assert same(one_of(alone, 1), one_of(totals_of(world, lens, seed, numbers[:2], "simpy"), 1))


def test_blocks_hold_as_many_replications_as_fit() -> None:
    small, large = plain_world(arrivals_per_hour=1.0), plain_world(arrivals_per_hour=60_000.0)
    assert blocks(small, range(10)) == [range(10)]
    assert [len(part) for part in blocks(large, range(3))] == [1, 1, 1]
    assert [len(part) for part in blocks(small, range(10), 4)] == [3, 3, 3, 1]
    assert blocks(small, []) == []


def test_a_block_is_taken_apart_into_its_replications() -> None:
    world = small_world(2, frozenset(FEATURES) - {"fixed"})
    block = d.draw_block(world, 2, [5, 1], whole=True)
    for i, k in enumerate((5, 1)):
        for part, other in zip(d.draws_of(block, i), d.draw(world, 2, k), strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(part, other, strict=True))
    with pytest.raises(ValueError, match="not everything is drawn"):
        d.draws_of(d.draw_block(world, 2, [5]), 0)
    assert run_block(world, block, "simpy").outcome.tobytes() == run_block(world, block).outcome.tobytes()


def test_a_later_block_does_not_remember_the_one_before() -> None:
    """The state of agents and queues starts afresh, also after a day that ends with people at work and in line."""
    world = plain_world(arrivals_per_hour=600.0, agents=9, patience_s=float("inf"), open_hours=(0.0, 24.0))
    whole = replicate(world, lens_of(world), 6)
    late = replicate(world, lens_of(world), range(3, 6))
    assert np.array_equal(whole.customers["wait_s"][3:], late.customers["wait_s"])
    assert (simulate_once(world, 1, 5)[1].contacts.outcome == r.WAITING).any()


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see processes")
def test_workers_do_not_outlive_a_parent_that_is_killed() -> None:
    """SimPy's processes: killed outright, the parent can tell them nothing."""
    code = (
        "import os, sys, time\n"
        "from sim.replicate import local_executor\n"
        "if __name__ == '__main__':\n"
        "    pool = local_executor('simpy', 2)\n"
        "    pids = {pool.submit(os.getpid).result() for _ in range(20)}\n"
        "    print(*pids, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with TemporaryDirectory() as folder:
        script = Path(folder) / "parent.py"
        script.write_text(code)
        parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        assert workers
        assert all(map(_alive, workers))
        parent.kill()
        parent.wait()
        parent.stdout.close()
        until = time.monotonic() + 20
        while any(map(_alive, workers)) and time.monotonic() < until:
            time.sleep(0.1)
        assert not any(map(_alive, workers))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False
