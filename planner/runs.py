"""Runs on disk: one folder each, with `run.json` and Parquet tables, written aside and then renamed.

A killed run leaves nothing half-done. A run's name is its kind, its scenario and a key over everything that decides
its numbers: the resolved scenario, the options and the code; so the same question finds its answer again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.scenario.load import Applied
from planner.scenario.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path("runs")


@lru_cache(maxsize=1)
def code_hash() -> str:
    """A hash of the code that decides what a run says: sim, planner and the evidence table."""
    import planner
    import sim

    digest = hashlib.sha256()
    for package in (sim, planner):
        root = Path(str(package.__file__)).parent
        for source in sorted([*root.rglob("*.py"), *root.rglob("*.yaml")]):
            if source.name in ("cli.py", "runs.py"):
                continue
            digest.update(source.relative_to(root).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def key_of(kind: str, scenario: Scenario, options: Mapping[str, Any]) -> str:
    """What a run is found by."""
    text = json.dumps(
        {"kind": kind, "scenario": scenario.model_dump(mode="json"), "options": dict(options), "code": code_hash()},
        sort_keys=True, default=str,
    )  # fmt: skip
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def name_of(kind: str, scenario: Scenario, key: str) -> str:
    """The folder's name."""
    return f"{kind}-{scenario.name}-{key}"


def save(
    kind: str,
    scenario: Scenario,
    options: Mapping[str, Any],
    document: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame] | None = None,
    *,
    applied: Sequence[tuple[str, Any, str]] = (),
    folder: Path = FOLDER,
) -> Path:
    """Keep a run; one of the same key that is there already says the same, and stays. Returns its folder."""
    key = key_of(kind, scenario, options)
    final = folder / name_of(kind, scenario, key)
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        for name, frame in (tables or {}).items():
            frame.to_parquet(aside / f"{name}.parquet", index=False)
        record = {
            "kind": kind,
            "key": key,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "options": dict(options),
            "applied": [{"path": p, "value": v, "source": s} for p, v, s in applied],
            "versions": versions(),
            "code": code_hash(),
            "scenario": scenario.model_dump(mode="json"),
            "document": document,
        }
        (aside / "run.json").write_text(json.dumps(record, default=str, allow_nan=False), encoding="utf-8")
        aside.chmod(0o755)
        if final.exists() and read(final / "run.json") is None:
            shutil.rmtree(final, ignore_errors=True)  # damaged
        try:
            aside.rename(final)
        except OSError:
            if read(final / "run.json") is None:
                raise
    except OSError as error:  # a full disk names no file
        why = error.strerror or (os.strerror(error.errno) if error.errno else str(error))
        raise OSError(error.errno, why, str(folder)) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return final


def ready(folder: Path = FOLDER) -> None:
    """Raise OSError if nothing can be kept in this folder: better before the work than after it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder):
        pass


def versions() -> dict[str, str]:
    """What the numbers were made with."""
    names = ("numpy", "scipy", "simpy", "numba", "ortools", "pandas")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def cpu() -> str:
    """This machine's family of processors, for which the engine is compiled."""
    from llvmlite import binding  # numba's own, slow to import

    return str(binding.get_host_cpu_name())


def find(
    kind: str, scenario: Scenario, options: Mapping[str, Any], folder: Path = FOLDER
) -> dict[str, Any] | None:
    """The run of exactly this question, or None."""
    path = folder / name_of(kind, scenario, key_of(kind, scenario, options)) / "run.json"
    return read(path) if path.exists() else None


def read(path: Path) -> dict[str, Any] | None:
    """A run's record; None if it cannot be read."""
    try:
        if not path.is_file():
            return None
        record = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError):
        return None
    whole = isinstance(record, dict) and isinstance(record.get("scenario"), dict)
    return record if whole else None


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def listed(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """All runs, newest first, without their documents."""
    found = []
    for path in folder.glob("*/run.json"):
        record = read(path)
        if record and not path.parent.name.startswith("."):
            found.append(
                {
                    "run": path.parent.name,
                    "kind": record.get("kind"),
                    "scenario": record.get("scenario", {}).get("name"),
                    "made": record.get("made"),
                    "options": record.get("options"),
                    "current": record.get("code") == code_hash(),
                }
            )
    return sorted(found, key=lambda row: str(row["made"]), reverse=True)


def applied_rows(applied: Sequence[Applied]) -> list[list[Any]]:
    """Changes to the file: path, value, source."""
    return [[a.path, _jsonable(a.value), a.source] for a in applied]


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(v) for v in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
