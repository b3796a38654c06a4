"""How the compiled parts are compiled: once for each version of their sources, and kept on disk.

Numba's own cache watches a function's file alone and would keep a kernel with yesterday's rules; so each set of sources
has a folder of its own. Special functions are scipy's, called by their address: the same value to the last bit.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

CACHES_KEPT = 4
SOURCES = (
    "compiled.py", "drawing.py", "draws.py", "kernel.py", "measuring.py", "records.py", "rules.py",
    "world.py",
)  # fmt: skip
"""What the compiled parts are made of."""
SPECIAL = {"ndtri": "ndtri", "ndtr": "__pyx_fuse_1ndtr", "gammaincinv": "gammaincinv"}
"""scipy's special functions of doubles, and their names in its C interface."""
lock = RLock()
F = TypeVar("F", bound=Callable[..., Any])


def cache_folder() -> Path | None:
    """Where compiled code is kept: a folder for these very sources; None if it cannot be written."""
    numba: Any = import_module("numba")
    print_of = hashlib.sha256(f"{numba.__version__} {numba.config.BOUNDSCHECK}".encode())
    for name in SOURCES:
        source = Path(__file__).parent / name
        print_of.update(source.name.encode() + b"\0" + source.read_bytes())
    chosen = os.environ.get("UNHURRIED_CACHE")
    root = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "unhurried"
    try:
        folder = root.expanduser() / f"kernel-{print_of.hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
        os.utime(folder)
    except (OSError, RuntimeError):
        return None
    with suppress(OSError):
        newest = sorted(folder.parent.glob("kernel-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in newest[CACHES_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def _counts() -> dict[str, Any]:
    numba: Any = import_module("numba")
    return {"_nrt": False} if hasattr(numba.core.options.DefaultOptions, "_nrt") else {}


def jitable(function: F, *, inlined: bool = False) -> F:
    """The function, which compiled ones may call; inlined wherever they do."""
    numba: Any = import_module("numba")
    with lock:
        done: F = numba.extending.register_jitable(
            no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=inlined, **_counts()
        )(function)
    return done


def compiled(
    function: Callable[..., Any], helpers: Iterable[Callable[..., Any]] = (), *, inlined: bool = False
) -> Any:
    """The function as Numba wraps it, outside the interpreter's lock and cached; compiled when first called.

    Without reference counts, as nothing is allocated in there: a loop runs twice as fast. inlined: helpers become part of what calls
    them, which pays where they are passed whole tables of arrays.
    """
    numba: Any = import_module("numba")
    with lock:
        for helper in helpers:
            jitable(helper, inlined=inlined)
        folder, before = cache_folder(), numba.config.CACHE_DIR
        if folder is not None:
            numba.config.CACHE_DIR = str(folder)
        try:
            return numba.njit(nogil=True, cache=folder is not None, **_counts())(function)
        finally:
            numba.config.CACHE_DIR = before


def special(name: str) -> Any:
    """One of scipy's special functions for compiled code; its last argument is 0."""
    numba: Any = import_module("numba")
    binding: Any = import_module("llvmlite.binding")
    symbol = f"unhurried_{name}"
    binding.add_symbol(
        symbol, numba.extending.get_cython_function_address("scipy.special.cython_special", SPECIAL[name])
    )
    double, whole = numba.types.float64, numba.types.int32
    arguments = (double, double, whole) if name == "gammaincinv" else (double, whole)
    return numba.types.ExternalFunction(symbol, double(*arguments))
