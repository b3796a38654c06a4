"""The coefficients of the model as data: default, range, grade, source; and the settings made from them.

The table is `evidence.yaml`. Three kinds of setting come from it: the defaults; the sceptic's, where every
effect of grade C or D has its neutral value; and joint draws, where every coefficient of grade C or D is
triangular on (low, default, high). A setting holds every coefficient that anything reads, in the table's
units; `behaviour` turns one into what the engines read. What a user has measured, `own`, is neither doubted
nor drawn.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from sim.world import DAY_MS, MINUTE_MS, Behaviour

if TYPE_CHECKING:
    import pandas as pd

Grade = Literal["A", "B", "C", "D"]

_IN_MS: dict[str, tuple[str, int]] = {
    "handover_ms": ("handover_s", 1_000),
    "return_median_ms": ("return_median_days", DAY_MS),
    "load_half_life_ms": ("load_half_life_min", MINUTE_MS),
    "rest_half_life_ms": ("rest_half_life_min", MINUTE_MS),
    "off_half_life_ms": ("off_half_life_min", MINUTE_MS),
}
"""Fields of a Behaviour that the table holds in another unit: its key there, and ms per unit."""

_NOT_ABOVE = (
    ("rest_half_life_min", "load_half_life_min"),
    ("off_half_life_min", "rest_half_life_min"),
    ("recovery_min", "recovery_hardest_min"),
)
"""Pairs of which the first may not exceed the second."""

_WITHIN = {"share": (0.0, 1.0), "intensity": (0.0, 1.0), "weight": (0.0, 1.0), "correlation": (0.0, 0.99)}
_ANY_SIGN = ("relative change", "log-odds", "share per", "skill")
_POSITIVE = ("half_life", "per_exhaustion", "load_minutes", "load_threshold", "max_attempts", "return_median")


class UnknownCoefficientError(KeyError):
    """A name that no coefficient has, with the nearest one that exists."""

    def __str__(self) -> str:
        return str(self.args[0])


class ImpossibleValueError(ValueError):
    """A value that a coefficient cannot take, alone or beside the others."""


class Coefficient(BaseModel):
    """One row of the evidence table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    meaning: str
    """What it is, in one plain sentence."""
    default: float = math.nan
    """Its value where nothing better is known; not a number where context has only a sign."""
    low: float = math.nan
    """The low end of its range."""
    high: float = math.nan
    """The high end of its range."""
    unit: str
    """What it is counted in."""
    grade: Grade
    """A experiment or meta-analysis; B observed in operations; C claimed or practised; D assumed."""
    source: str
    """Where default and range come from."""
    effect: bool = False
    """Whether it says how strongly one thing works on another, and not how much there is of something."""
    zero: float | str | None = None
    """For effects of grade C and D: the value at which nothing happens, or the coefficient it then equals."""
    together: str = ""
    """Rows with the same word move together in a draw."""
    used: Literal["sim", "planner", "context"]
    """Who reads it: the engines, the planner, or nobody."""
    note: str = ""
    """What a reader must know besides."""

    @property
    def is_doubted(self) -> bool:
        """Whether its grade is C or D."""
        return self.grade in ("C", "D")

    @property
    def is_drawn(self) -> bool:
        """Whether draws vary it."""
        return self.is_doubted and self.used != "context" and self.low < self.high


@cache
def table() -> Mapping[str, Coefficient]:
    """All rows by key, in the order of the file; read-only."""
    raw = YAML(typ="safe", pure=True).load(files("planner").joinpath("evidence.yaml").read_text("utf-8"))
    return MappingProxyType({key: Coefficient.model_validate(row) for key, row in raw.items()})


def defaults() -> dict[str, float]:
    """The default of every coefficient that anything reads."""
    return {key: row.default for key, row in table().items() if row.used != "context"}


def complete(own: Mapping[str, float] | None = None) -> dict[str, float]:
    """The defaults under the user's own values; where an order must hold, the default gives way."""
    return _settled(defaults(), own or {})


def sceptic(own: Mapping[str, float] | None = None) -> dict[str, float]:
    """The setting of somebody who believes no effect of grade C or D: each at its neutral value."""
    own = own or {}
    values = complete(own)
    neutral = {
        key: values[row.zero] if isinstance(row.zero, str) else float(row.zero)
        for key, row in table().items()
        if key in values and key not in own and row.effect and row.is_doubted and row.zero is not None
    }
    return _settled(values | neutral, own)


def draw(
    n: int, seed: int, own: Mapping[str, float] | None = None, *, also: Collection[str] = ()
) -> list[dict[str, float]]:
    """`n` joint draws: C and D triangular on their ranges, A and B at their defaults, own values as given.

    Rows of `also` are drawn whatever their grade. Each coefficient has its own stream by (seed, name), so a further draw or row changes no other.
    """
    from scipy.stats import triang  # slow to import

    own = own or {}
    fixed = complete(own)
    drawn: dict[str, list[float]] = {}
    for key, row in table().items():
        if (row.is_drawn or (key in also and row.low < row.high)) and key not in own:
            stream = np.random.default_rng([seed, zlib.crc32((row.together or key).encode())])
            width = row.high - row.low
            spread = triang(c=(row.default - row.low) / width, loc=row.low, scale=width)
            drawn[key] = np.asarray(spread.ppf(stream.random(n)), np.float64).tolist()
    return [_settled(fixed | {key: column[i] for key, column in drawn.items()}, own) for i in range(n)]


def behaviour(values: Mapping[str, float] | None = None) -> Behaviour:
    """What the engines read: the defaults with these values in their place, in the engines' units."""
    settled = complete(values)
    fields: dict[str, float] = {}
    for field in Behaviour._fields:
        key, ms = _IN_MS.get(field, (field, 1))
        fields[field] = settled[key] * ms
    attempts = int(fields.pop("max_attempts"))
    return Behaviour(**fields, max_attempts=attempts)


def key_of(field: str) -> str:
    """The table's key for a field of a Behaviour."""
    return _IN_MS.get(field, (field, 1))[0]


def as_frame() -> pd.DataFrame:
    """The table for pages and documents: one row per coefficient, `zero` as a number."""
    import pandas as pd  # slow to import

    rows = table()
    frame = pd.DataFrame([row.model_dump() for row in rows.values()], index=pd.Index(list(rows), name="key"))
    frame["zero"] = [
        rows[row.zero].default if isinstance(row.zero, str) else (math.nan if row.zero is None else row.zero)
        for row in rows.values()
    ]
    return frame


def _settled(values: Mapping[str, float], own: Mapping[str, float]) -> dict[str, float]:
    """Lay `own` over `values`, check it, and let what is not own give way where two must keep an order."""
    for key, value in own.items():
        check(key, value)
    settled = {**values, **{key: float(value) for key, value in own.items()}}
    for small, large in _NOT_ABOVE:
        if settled[small] > settled[large]:
            if small in own:
                raise ImpossibleValueError(
                    f"{small} = {settled[small]:g} may not exceed {large} = {settled[large]:g}: set both"
                )
            settled[small] = settled[large]
    if settled["slack"] + settled["passed_on"] > 1.0:
        if "slack" in own and "passed_on" in own:
            raise ImpossibleValueError("slack and passed_on may not exceed 1 together")
        gives_way, stays = ("slack", "passed_on") if "passed_on" in own else ("passed_on", "slack")
        settled[gives_way] = 1.0 - settled[stays]
    return settled


def check(key: str, value: float) -> None:
    """Refuse a name that nothing computes with, or a value that the coefficient cannot take by itself."""
    rows = table()
    if key not in rows:
        near = get_close_matches(key, rows, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnknownCoefficientError(f"there is no coefficient {key!r}{hint}")
    row = rows[key]
    if row.used == "context":
        raise UnknownCoefficientError(f"{key} is context: it is shown, and nothing computes with it")
    if not math.isfinite(value):
        raise ImpossibleValueError(f"{key} = {value}: must be a finite number")
    low, high = _WITHIN.get(row.unit, (-math.inf if row.unit.startswith(_ANY_SIGN) else 0.0, math.inf))
    if not low <= value <= high:
        bounds = f"between {low:g} and {high:g}" if math.isfinite(high) else f"at least {low:g}"
        raise ImpossibleValueError(f"{key} = {value:g}: must be {bounds} ({row.unit})")
    if value <= 0 and any(part in key for part in _POSITIVE):
        raise ImpossibleValueError(f"{key} = {value:g}: must be greater than 0 ({row.unit})")
    if key == "max_attempts" and value != int(value):
        raise ImpossibleValueError(f"{key} = {value:g}: must be a whole number")
