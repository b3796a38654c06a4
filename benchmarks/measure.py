"""How the benchmarks take time: processor seconds of this process, the best of a few runs."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median
from typing import Any, TypeVar

T = TypeVar("T")


def cpu(job: Callable[[], T], times: int = 1) -> tuple[float, T]:
    """Processor seconds of the quickest of `times` runs, and what the last one gave.

    Processor time leaves out other programs, though not their part in caches and clock speed.
    """
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        result = job()
        best = min(best, time.process_time() - start)
    return best, result


def alternating(
    one: Callable[[], object], other: Callable[[], object], times: int
) -> tuple[float, float, list[float]]:
    """Median processor seconds of each of two jobs run by turns, and how many times longer the other takes, each time.

    By turns, so that a machine that slows down slows both.
    """
    pairs = [(cpu(one)[0], cpu(other)[0]) for _ in range(times)]
    ones, others = zip(*pairs, strict=True)
    return median(ones), median(others), [b / a for a, b in pairs]


def circumstances() -> dict[str, Any]:
    """What a reader needs to judge the figures: versions, cores, and how busy the machine was."""
    names = ("numpy", "scipy", "simpy", "numba", "ortools", "ciw")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in names},
        "cores": os.cpu_count(),
        "load_average": None if load is None else round(load, 1),
    }


def table(title: str, heads: list[str], rows: list[list[str]]) -> str:
    """A plain table: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in [heads, *rows]
    ]  # fmt: skip
    return "\n".join([title, *lines])
