"""More than one machine: a Dask cluster as a `concurrent.futures.Executor`. The one module that knows Dask.

Connects to the one address given and nowhere else. Every worker is asked first what it would compute with, and refused
unless its code and libraries are ours; each task asks again, for workers may join late. A worker that dies costs time:
its tasks go to others, and what they share is kept by the scheduler, not by a worker. Only sums travel back.
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import logging
import pickle
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from typing import Any, TypeVar
from weakref import WeakSet

import numpy as np

from planner import runs
from planner.scenario.problems import clip, counted, one_line, quote

T = TypeVar("T")
Say = Callable[[str], None]
CONNECT_S = 4
"""Within which a scheduler must answer, and name a worker."""
ADDRESS = re.compile(r"(?:(?:tcp|tls)://)?(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})")
SETTINGS = {
    "distributed.comm.timeouts.connect": f"{CONNECT_S}s",
    "distributed.admin.large-graph-warning-threshold": "1GB",
}

GONE = ("FutureCancelledError", "CommClosedError", "ClosedClientError", "TimeoutError")

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's mallopt."""
MEMORY = "give each worker more (dask worker --memory-limit), or fewer threads (--nthreads)"


class ClusterError(Exception):
    """Something about a cluster that ends a command, told in one line."""


class Cluster(Executor):
    """A connected cluster. Whatever goes wrong with it reaches futures as a ClusterError."""

    def __init__(self, client: Any, address: str, workers: Mapping[str, Mapping[str, Any]]) -> None:
        self.client, self.address, self.workers = client, address, workers
        self.lanes = sum(int(one["threads"]) for one in workers.values())
        """Tasks that run at the same time."""
        self._tasks: WeakSet[Any] = WeakSet()
        self._expected = _ours()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a function of an importable module on some worker.

        As `Client.get_executor` does, whose futures never end if the scheduler goes while a result is on its way.
        """
        outer: Future[T] = Future()
        task = self.client.submit(_there, self._expected, partial(fn, **kwargs), *args, pure=False)
        self._tasks.add(task)

        def done(task: Any) -> None:
            if not outer.set_running_or_notify_cancel():
                return
            try:
                outer.set_result(task.result())
            except BaseException as error:
                outer.set_exception(self._told(error))

        task.add_done_callback(done)
        return outer

    def share(self, value: Any) -> Any:
        """Bring a value to every worker once; hand the result to tasks in its place.

        It is a task like any other, so that the scheduler can make it anew where all who held it are gone.
        """
        key = "shared-" + hashlib.sha256(pickle.dumps(value)).hexdigest()[:32]
        future = self.client.submit(_itself, value, key=key, pure=True)
        if len(self.workers) > 1:
            with suppress(Exception):  # else whoever needs it fetches it
                self.client.replicate([future])
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Give back what still waits; the cluster itself stays."""
        self.client.cancel(list(self._tasks))

    def _told(self, error: BaseException) -> BaseException:
        name = type(error).__name__
        if name == "KilledWorker":
            last: Any = error.args[1]
            n = int(error.args[2]) + 1
            who = "they" if n > 1 else "it"
            return ClusterError(
                f"--cluster: a task ended {counted(n, 'worker')}, {last.address} the last: most likely {who} ran out of memory; {MEMORY}"
            )
        if isinstance(error, CancelledError) or name in GONE:
            return ClusterError(
                f"--cluster: the scheduler at {self.address} has gone; nothing answers there any more"
            )
        return error


@lru_cache(maxsize=1)
def _ours() -> dict[str, str]:
    """What results hang on, beside the scenario: code and libraries."""
    versions = runs.versions()
    major_minor = ".".join(versions.pop("python").split(".")[:2])
    versions.pop("pandas")  # makes tables, no numbers
    return {"code": runs.code_hash(), "Python": major_minor, **versions}


def _there(expected: Mapping[str, str], fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """On a worker: the task, unless this is the wrong place for it."""
    wrong = difference(_ours(), expected)
    _keep_memory()
    if wrong:
        raise ClusterError(refusal(f"worker {_name()}", wrong))
    try:
        return fn(*map(_aligned, args), **kwargs)
    except MemoryError:
        raise ClusterError(f"--cluster: worker {_name()} ran out of memory; {MEMORY}") from None


@lru_cache(maxsize=1)
def _keep_memory() -> None:
    """On a worker: keep freed memory for the next replication.

    Dask has workers give every freed array back to the system at once, and with a replication's arrays coming and going
    that costs as much again as simulating does.
    """
    with suppress(Exception):  # another C library than glibc
        libc: Any = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(M_TRIM_THRESHOLD, 128 << 20)


def _name() -> str:
    from distributed import get_worker

    return str(get_worker().address)


def _aligned(value: Any) -> Any:
    """A named tuple whose arrays start where the compiled engine expects it; in messages they start anywhere."""
    if isinstance(value, np.ndarray) and not value.flags.aligned:
        copy = value.copy()
        copy.setflags(write=value.flags.writeable)
        return copy
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_aligned, value))
    return value


def _itself(value: T) -> T:
    return value


def _look(dask_worker: Any) -> dict[str, Any]:
    """On a worker: what it would compute with, and on what."""
    from sim import kernel

    about = {"threads": dask_worker.state.nthreads, "cpu": runs.cpu(), "compiled": kernel.is_cached()}
    return {"ours": _ours(), **about}


def _compile() -> None:
    from sim import kernel

    kernel.warm_up(lambda _: None)


def difference(theirs: Mapping[str, str], ours: Mapping[str, str]) -> list[str]:
    """What differs between two machines' code and libraries, in words."""
    return [
        "other code of Unhurried" if key == "code" else f"{key} {theirs.get(key)} instead of {value}"
        for key, value in ours.items()
        if theirs.get(key) != value
    ]


def refusal(who: str, wrong: list[str], others: int = 0) -> str:
    """The line about a machine that must not compute."""
    also = f", and {others} more," if others else ""
    return (
        f"--cluster: {who}{also} is refused: it has {', '.join(wrong)}; results would not be the same. "
        "Install the same versions there and start it again"
    )


def checked_address(text: str) -> str:
    """The address as Dask takes it. Raises ClusterError for what is none."""
    found = ADDRESS.fullmatch(text.strip())
    if found is None or not 0 < int(found.group(1)) < 65_536:
        raise ClusterError(
            f"--cluster: must be the address of a Dask scheduler, such as tcp://10.0.0.5:8786 (found {quote(text)})"
        )
    return text.strip() if "://" in text else f"tcp://{text.strip()}"


def _hush() -> None:
    """Dask logs at length, some of it after the end, what is told here in one line."""
    for name in [
        name for name in logging.root.manager.loggerDict if name.startswith(("distributed", "tornado"))
    ]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def connect(address: str, *, compiled: bool = True, say: Say = lambda _: None) -> Iterator[Cluster]:
    """An executor over the workers of the scheduler at this address.

    `compiled` has the engine compiled where it is not yet. Raises ClusterError for an address that is none, where nothing answers,
    where Dask is not installed, and for workers with other code or libraries, before anything runs.
    """
    place = checked_address(address)
    try:
        import dask
        import distributed
    except ImportError:
        raise ClusterError(
            "--cluster: needs Dask, which is not installed here: pip install 'unhurried[cluster]'"
        ) from None

    make: Any = distributed.Client  # after which its loggers exist
    _hush()
    with dask.config.set(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="distributed")
        _knock(place)
        client = make(
            place, timeout=CONNECT_S, name="unhurried", set_as_default=False, direct_to_workers=False
        )
        try:
            cluster = Cluster(client, place, _workers(client, place))
            cpus = ", ".join(sorted({one["cpu"] for one in cluster.workers.values()}))
            say(
                f"cluster at {place}: {counted(len(cluster.workers), 'worker')}, {counted(cluster.lanes, 'thread')} ({cpus})"
            )
            if compiled:
                _have_compiled(client, cluster.workers, say)
            try:
                yield cluster
            finally:
                with suppress(Exception):
                    cluster.shutdown()
        finally:
            with suppress(Exception):
                client.close(timeout=2)


def _knock(place: str) -> None:
    """Raise ClusterError unless a scheduler answers; a client itself takes long to give up."""
    from distributed import core

    ask: Any = core.rpc

    async def who() -> str:
        async with ask(place, timeout=CONNECT_S) as there:
            return str((await there.identity())["type"])

    async def soon() -> str:
        return await asyncio.wait_for(who(), CONNECT_S)

    try:
        kind = asyncio.run(soon())
    except TypeError:  # raised before anything is sent
        raise ClusterError(
            "--cluster: tls:// needs Dask's own settings on this machine: distributed.comm.tls, with ca-file and client"
        ) from None
    except Exception:
        raise ClusterError(f"--cluster: no Dask scheduler answers at {clip(place)}") from None
    if kind != "Scheduler":
        raise ClusterError(
            f"--cluster: must be the address of a Dask scheduler ({clip(place)} is a {kind.lower()})"
        )


def _workers(client: Any, place: str) -> dict[str, dict[str, Any]]:
    """What each worker is, all of them fit to compute."""
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except Exception:
        raise ClusterError(
            f"--cluster: the scheduler at {place} has no workers; start some: dask worker {place}"
        ) from None
    try:
        faults = difference(client.run_on_scheduler(_ours), _ours())
    except Exception as error:
        faults = _no_answer(error)
    if faults:
        raise ClusterError(refusal(f"the scheduler at {place}", faults))
    found: dict[str, Any] = client.run(_look, on_error="return")
    wrong: dict[str, list[str]] = {}
    for name, one in found.items():
        faults = _no_answer(one) if isinstance(one, Exception) else difference(one["ours"], _ours())
        if faults:
            wrong[f"worker {name}"] = faults
    if wrong:
        name = next(iter(wrong))
        raise ClusterError(refusal(name, wrong[name], len(wrong) - 1))
    return found


def _no_answer(error: Exception) -> list[str]:
    """What is wrong with a machine that cannot even say what it has."""
    if isinstance(error, ImportError):
        return ["no such version of Unhurried"]
    return [f"an error of its own: {one_line(str(error))}"]


def _have_compiled(client: Any, workers: Mapping[str, Mapping[str, Any]], say: Say) -> None:
    """Have the engine compiled on every worker, each by itself, and say so where it takes a while."""
    waiting = [name for name, one in workers.items() if not one["compiled"]]
    if waiting:
        say(
            f"Compiling the simulation engine on {counted(len(waiting), 'worker')}; this takes some seconds, once."
        )
    jobs = [client.submit(_compile, workers=[name], pure=False) for name in waiting]
    for job in jobs:
        job.result()
