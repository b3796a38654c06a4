"""More than one machine: real Dask schedulers and workers on loopback give the same numbers bit for bit, or one clear line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import small
from typer.testing import CliRunner

from planner import cluster as dask_cluster
from planner import jobs, pieces, runs
from planner.anchor import lens_of
from planner.cli import app
from planner.cluster import ClusterError, connect
from planner.scenario import compile as c
from planner.scenario.problems import FieldError, FieldErrors
from sim.measures import Totals, joined
from sim.replicate import each, local_executor, replicate
from sim.world import World

ROOT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]
ENV = {
    "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s",  # a scheduler that asks a dead worker waits so long
}
LOCAL = ("--host", "127.0.0.1", "--no-dashboard")


class Machines:
    """A scheduler and its workers, each a process of its own."""

    def __init__(self, folder: Path, scheduler_env: dict[str, str] | None = None) -> None:
        self.folder, self.processes = folder, []
        file = folder / "scheduler.json"
        self.start("scheduler", "--port", "0", "--scheduler-file", str(file), env=scheduler_env)
        self._until(lambda: file.exists() and bool(file.read_text()))
        self.address: str = json.loads(file.read_text())["address"]

    def start(self, what: str, *words: str, env: dict[str, str] | None = None) -> subprocess.Popen:
        log = (self.folder / f"log-{len(self.processes)}").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", what, *words, *LOCAL], cwd=self.folder, stdout=log, stderr=log,
            env=os.environ | ENV | (env or {}),
        )  # fmt: skip
        self.processes.append(process)
        return process

    def workers(self, n: int, *words: str, env: dict[str, str] | None = None) -> list[subprocess.Popen]:
        started = [
            self.start("worker", self.address, "--nthreads", "1", *(words or ("--no-nanny",)), env=env)
            for _ in range(n)
        ]
        self._until(lambda: sum(self._registered(log) for log in self.folder.glob("log-*")) >= n)
        return started

    def _registered(self, log: Path) -> bool:
        return "Registered to:" in log.read_text()

    def _until(self, done: Callable[[], bool]) -> None:
        for _ in range(600):
            if done():
                return
            time.sleep(0.05)
        raise AssertionError("the machines did not start")

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def machines(folder: Path, env: dict[str, str] | None = None) -> Iterator[Machines]:
    folder.mkdir(exist_ok=True)
    there = Machines(folder, env)
    try:
        yield there
    finally:
        there.stop()


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Iterator[Machines]:
    """A scheduler with two workers."""
    with machines(tmp_path_factory.mktemp("two")) as there:
        there.workers(2)
        yield there


@pytest.fixture(scope="module")
def world() -> tuple[World, object]:
    scenario = small.tiny()
    roster = small.plain_roster(scenario, 4, 3)
    return c.compile_world(scenario, small.natural_values(scenario), "soft", roster), lens_of(scenario)


def same(a: Totals, b: Totals) -> bool:
    return all(
        set(x) == set(y) and all(np.array_equal(x[k], y[k], equal_nan=True) for k in x)
        for x, y in zip(a, b, strict=True)
    )


def told(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 2, (result.stdout, result.stderr, result.exception)
    lines = [line for line in result.stderr.splitlines() if not line.lstrip()[:1].isdigit()]
    assert len(lines) == 1, result.stderr
    return lines[0]


# --- the same numbers -------------------------------------------------------------------------------------------------


def test_the_same_bits_on_one_thread_two_processes_and_a_cluster(two, world):
    alone = replicate(*world, 6, seed=3)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as pair:
        assert same(replicate(*world, 6, seed=3, executor=one), alone)
        assert same(replicate(*world, 6, seed=3, executor=pair), alone)
    with local_executor("simpy", 2) as processes:
        assert same(replicate(*world, 6, seed=3, engine="simpy", executor=processes), alone)
        assert same(replicate(*world, 6, seed=3, engine="kernel", executor=processes), alone)
    with connect(two.address) as there:
        assert there.lanes == 2
        assert same(replicate(*world, 6, seed=3, executor=there), alone)
        assert same(replicate(*world, 6, seed=3, engine="simpy", executor=there), alone)
    assert not same(replicate(*world, 6, seed=4), alone)


def test_a_comparison_is_the_same_on_a_cluster(two, tmp_path):
    (tmp_path / "tiny.yaml").write_text(small.text(**small.by_numbers(6, 4)), encoding="utf-8")
    scenario = jobs.load(str(tmp_path / "tiny.yaml")).value
    options = jobs.compare_options(["as_is", "soft"], ["at_target"], 2, 5, True, 1, True)
    here, _ = jobs.compare(scenario, options)
    there, _ = jobs.compare(scenario, options, cluster=two.address.removeprefix("tcp://"))
    assert here.pop("made_on") == {
        "cluster": None,
        "workers": 1,
        "threads": jobs.lanes(),
        "cpu": [runs.cpu()],
    }
    assert there.pop("made_on") == {"cluster": two.address, "workers": 2, "threads": 2, "cpu": [runs.cpu()]}
    assert _timeless(here) == _timeless(there)


def test_a_ranking_with_its_doubt_is_the_same_on_a_cluster(two):
    scenario = small.tiny(**small.by_numbers(6, 4))
    options = jobs.rank_options("soft", "equal_occupancy", 2, 5, True, ["authority", "scripts"], 1)
    here, _ = jobs.rank_levers(scenario, options)
    there, _ = jobs.rank_levers(scenario, options, cluster=two.address)
    assert there.pop("made_on")["workers"] == 2
    assert here.pop("made_on")["cluster"] is None
    assert _timeless(here) == _timeless(there)


def _timeless(document: object) -> object:
    if isinstance(document, dict):
        return {k: _timeless(v) for k, v in document.items() if k != "seconds"}
    return [_timeless(v) for v in document] if isinstance(document, list) else document


def test_a_world_goes_to_each_worker_once(two, world):
    with connect(two.address) as there:
        sent = there.share(world[0])
        assert there.share(world[0]).key == sent.key
        held = there.client.who_has([sent])
        assert set(next(iter(held.values()))) == set(there.workers)
        sums = there.submit(_of_several, sent, world[1]).result()
    assert same(sums, replicate(*world, 2, seed=1))


def _of_several(world: World, lens: object) -> Totals:
    assert all(a.flags.aligned for part in world for a in part if isinstance(a, np.ndarray))
    return replicate(world, lens, 2, seed=1)


def test_errors_of_a_scenario_come_back_as_they_were(two):
    with connect(two.address) as there:
        with pytest.raises(FieldError) as one:
            there.submit(_refuse, False).result()
        with pytest.raises(FieldErrors) as several:
            there.submit(_refuse, True).result()
    assert (one.value.path, one.value.found) == (("a", 1), 2)
    assert [e.path for e in several.value.errors] == [("a", 1)]


def _refuse(several: bool) -> None:
    error = FieldError(("a", 1), 2, "must be more")
    raise FieldErrors([error]) if several else error


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_worker_killed_half_way_costs_time_and_no_results(tmp_path, world):
    alone = replicate(*world, 40, seed=7)
    with machines(tmp_path / "killed") as there:
        first, _ = there.workers(2)
        with connect(there.address) as executor:
            done = []
            for _, sums in each(*world, range(40), seed=7, executor=executor):
                if len(done) == 1:
                    os.kill(first.pid, signal.SIGKILL)
                    first.wait(10)
                done.append(sums)
            assert len(executor.client.scheduler_info()["workers"]) == 1
    assert same(joined(done), alone)


def other_code(folder: Path) -> Path:
    """A copy of the code with another number in it."""
    for package in ("sim", "planner"):
        shutil.copytree(ROOT / package, folder / package)
    rules = folder / "sim" / "rules.py"
    rules.write_text(rules.read_text(encoding="utf-8").replace("LN2 = 0.69", "LN2 = 0.70"), encoding="utf-8")
    return folder


def test_a_worker_with_other_code_is_refused_before_anything_runs(two, tmp_path):
    other = other_code(tmp_path / "other")
    with machines(tmp_path / "mixed") as there:
        there.workers(1)
        with connect(there.address) as executor:
            there.workers(2, "--no-nanny", "--name", "odd", env={"PYTHONPATH": str(other)})
            found = executor.client.scheduler_info()["workers"]
            odd = next(name for name, one in found.items() if one["id"] == "odd")
            late = executor.client.submit(
                dask_cluster._there, dask_cluster._ours(), abs, -1, workers=[odd], pure=False
            )
            with pytest.raises(ClusterError, match=f"{odd} is refused: it has other code"):
                late.result()
        with pytest.raises(ClusterError, match=f"worker {odd} is refused: it has other code of Unhurried;"):
            connect(there.address).__enter__()
        assert len(executor.workers) == 1


@pytest.mark.parametrize("what", ["no such version", "other code"])
def test_a_scheduler_without_the_code_is_refused(tmp_path, file, what):
    """Dask has the scheduler unpack what it passes on."""
    older = tmp_path / "older"
    if what == "other code":
        other_code(older)
    else:  # raised, for an editable installation would find elsewhere what is only missing here
        (older / "planner").mkdir(parents=True)
        (older / "planner" / "__init__.py").write_text('raise ImportError("older")', encoding="utf-8")
    with machines(tmp_path / "bare", {"PYTHONPATH": str(older)}) as there:
        there.workers(1)
        assert told("simulate", file, "--cluster", there.address) == (
            f"--cluster: the scheduler at {there.address} is refused: it has {what} of Unhurried; results would not be the same. "
            "Install the same versions there and start it again"
        )


def test_what_differs_is_named():
    ours = dask_cluster._ours()
    assert {"code", "Python", "numpy", "numba", "scipy", "simpy", "ortools"} == set(ours)
    assert not dask_cluster.difference(ours, ours)
    theirs = ours | {"numpy": "1.0", "code": "0"}
    assert dask_cluster.difference(theirs, ours) == [
        "other code of Unhurried",
        f"numpy 1.0 instead of {ours['numpy']}",
    ]
    line = dask_cluster.refusal("worker tcp://10.0.0.7:41", ["numpy 1.0 instead of 2.0"], 2)
    assert line.startswith(
        "--cluster: worker tcp://10.0.0.7:41, and 2 more, is refused: it has numpy 1.0 instead of 2.0;"
    )


def test_a_worker_that_runs_out_of_memory_is_told_in_one_line(two, tmp_path):
    with (
        connect(two.address) as executor,
        pytest.raises(ClusterError, match=r"worker tcp://\S+ ran out of memory"),
    ):
        executor.submit(np.ones, 10**16).result()
    with machines(tmp_path / "small", {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}) as there:
        there.workers(1, "--nanny", "--memory-limit", "700MB")
        with (
            connect(there.address, compiled=False) as executor,
            pytest.raises(ClusterError, match=r"a task ended 1 worker, .*most likely it ran out of memory"),
        ):
            executor.submit(np.ones, 4 * 10**8).result()


def test_a_scheduler_that_goes_is_told_in_one_line(tmp_path):
    with machines(tmp_path / "gone") as there:
        there.workers(1)
        with connect(there.address) as executor:
            waiting = [executor.submit(time.sleep, 0.02) for _ in range(100)]
            waiting[0].result()
            there.processes[0].kill()
            assert (
                f"--cluster: the scheduler at {there.address} has gone; nothing answers there any more"
                in {str(one.exception(20)) for one in waiting}
            )


def test_an_engine_that_is_not_compiled_yet_is_compiled_first_and_it_is_said(two):
    said: list[str] = []
    with connect(two.address, say=said.append) as there:
        assert all(one["compiled"] for one in there.workers.values())
        assert not any("Compiling" in text for text in said)
        cold = {name: {**one, "compiled": False} for name, one in there.workers.items()}
        dask_cluster._have_compiled(there.client, cold, said.append)
        ran = there.client.run(_has_run_the_engine)
    assert said[-1] == "Compiling the simulation engine on 2 workers; this takes some seconds, once."
    assert list(ran.values()) == [True, True]


def _has_run_the_engine() -> bool:
    from sim import kernel

    return bool(kernel._compiled and kernel._compiled[0].signatures)


def test_a_sweep_whose_cluster_goes_is_taken_up_again_here(tmp_path, file):
    words = ("sweep", file, "--vary", "what_if.volume=0.9,1.2", "-n", "160")
    with machines(tmp_path / "lost") as there:
        there.workers(1)
        process = subprocess.Popen(
            [sys.executable, "-m", "planner.cli", *words, "--cluster", there.address], cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        there._until(
            lambda: (
                len(list((Path("runs") / pieces.UNFINISHED).glob("*/point-*.json"))) >= 3
                or process.poll() is not None
            )
        )
        there.processes[0].kill()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, ""), err
    *_, kept, last = err.splitlines()
    assert "blocks of replications are done and kept in" in kept
    assert last == f"--cluster: the scheduler at {there.address} has gone; nothing answers there any more"
    n = len(list((Path("runs") / pieces.UNFINISHED).glob("*/point-*.json")))
    went_on = CliRunner().invoke(app, [*words, "--json"])
    assert f"found {n} of " in went_on.stderr
    whole = CliRunner().invoke(app, [*words, "--json", "--out", "elsewhere"])
    documents = [json.loads(result.stdout) for result in (went_on, whole)]
    assert _timeless(documents[0]) == _timeless(documents[1])


def test_a_sweep_planned_anew_on_a_cluster_is_the_same(two, file):
    words = ("sweep", file, "--vary", "what_if.volume=0.9,1.2", "-n", "2", "--replan", "--quick", "--json")
    here = CliRunner().invoke(app, [*words, "--out", "here"])
    there = CliRunner().invoke(app, [*words, "--out", "there", "--cluster", two.address])
    documents = [json.loads(result.stdout) for result in (here, there)]
    assert [d.pop("made_on")["cluster"] for d in documents] == [None, two.address]
    assert _timeless(documents[0]) == _timeless(documents[1])


@pytest.fixture
def file(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(small.text(**small.by_numbers(6, 4)), encoding="utf-8")
    return "tiny.yaml"


@pytest.mark.parametrize(
    "text", ["nonsense", "127.0.0.1:0", "127.0.0.1:99999", "http://10.0.0.1:80", "a b:1", ""]
)
@pytest.mark.parametrize("command", ["simulate", "plan", "compare", "levers"])
def test_an_address_that_is_none(file, command, text):
    line = told(command, file, "--cluster", text)
    assert line.startswith(
        "--cluster: must be the address of a Dask scheduler, such as tcp://10.0.0.5:8786 (found "
    )


def test_a_cluster_that_is_not_there(file):
    start = time.monotonic()
    line = told("simulate", file, "--cluster", "127.0.0.1:1")
    assert line == "--cluster: no Dask scheduler answers at tcp://127.0.0.1:1"
    assert time.monotonic() - start < 20


def test_tls_without_certificates(file):
    assert told("simulate", file, "--cluster", "tls://127.0.0.1:1") == (
        "--cluster: tls:// needs Dask's own settings on this machine: distributed.comm.tls, with ca-file and client"
    )


def test_a_worker_is_no_scheduler(file, two):
    with connect(two.address) as there:
        worker = next(iter(there.workers))
    assert told("simulate", file, "--cluster", worker) == (
        f"--cluster: must be the address of a Dask scheduler ({worker} is a worker)"
    )


def test_a_cluster_without_workers(file, tmp_path):
    with machines(tmp_path / "empty") as there:
        assert told("simulate", file, "--cluster", there.address) == (
            f"--cluster: the scheduler at {there.address} has no workers; start some: dask worker {there.address}"
        )


def test_without_dask_it_is_said_what_to_install(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert told("simulate", file, "--cluster", "127.0.0.1:8786") == (
        "--cluster: needs Dask, which is not installed here: pip install 'unhurried[cluster]'"
    )
