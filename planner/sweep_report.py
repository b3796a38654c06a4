"""What a sweep says: one document, sentences on what happens from end to end, and the curve as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from planner import runs
from planner.compare import Cell, differences_of, measures_of
from planner.money import money
from planner.report import label_of, number, plain, print_applied
from planner.scenario.load import Applied
from planner.scenario.problems import counted
from planner.scenario.schema import Scenario
from planner.sweeps import Axis, Point, Simulated

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, Any]
SWEPT = (
    "service_level",
    "deferred_in_time",
    "abandonment",
    "occupancy",
    "resolution",
    "heard",
    "cash",
    "cash_and_margin",
)
"""Measures of a printed sweep, where a scenario has them."""

NOTHING: Json = {"mean": None}


def document_of(
    scenario: Scenario, axes: Sequence[Axis], points: Sequence[Point], found: Sequence[Mapping[str, Simulated]], *,
    replications: int, seed: int, engine: str, seconds: float, applied: Sequence[Applied] = (),
) -> Json:  # fmt: skip
    """What `sweep --json` prints: every policy at every point, and paired differences from the first policy."""
    policies = list(found[0])
    rows: list[Json] = []
    for point, mine in zip(points, found, strict=True):
        cells = {
            policy: Cell(
                policy, one.roster, one.totals, money(point.scenario, one.natural, policy, one.totals), 0.0
            )
            for policy, one in mine.items()
        }
        first = cells[policies[0]]
        n_groups, minutes = len(point.scenario.groups), point.scenario.horizon.interval_min
        rows.append(
            {
                "values": dict(zip((axis.path for axis in axes), point.values, strict=True)),
                "policies": {
                    policy: {
                        "measures": plain(measures_of(cell, point.scenario)),
                        "differences": plain(differences_of(cell, first, point.scenario)),
                        "rostered_hours": float(cell.roster.paid_minutes(n_groups, minutes).sum()) / 60,
                        "windows_missed": mine[policy].missed,
                    }
                    for policy, cell in cells.items()
                },
            }
        )
    document: Json = {
        "scenario": scenario.name,
        "title": scenario.title or scenario.name,
        "currency": scenario.costs.currency,
        "applied": runs.applied_rows(applied),
        "policies": {p: scenario.policies[p].title or p for p in policies},
        "engine": engine,
        "seed": seed,
        "replications": replications,
        "replanned": found[0][policies[0]].missed is not None,
        "seconds": round(seconds, 3),
        "vary": [{"field": axis.path, "values": list(axis.values)} for axis in axes],
        "points": rows,
    }
    return document | {"sentences": sentences_of(document)}


def sentences_of(document: Json) -> list[str]:
    """What happens between the two ends, policy by policy; and where the order of two policies is sure."""
    first, last = document["points"][0], document["points"][-1]
    where = " and ".join(
        f"{axis['field']} goes from {axis['values'][0]:g} to {axis['values'][-1]:g}"
        for axis in document["vary"]
        if len(axis["values"]) > 1
    )
    said = []
    for policy, title in document["policies"].items() if where else ():
        ends = [point["policies"][policy] for point in (first, last)]
        parts = []
        for name in ("service_level", "deferred_in_time", "resolution", "cash_and_margin"):
            a, b = (end["measures"].get(name, NOTHING) for end in ends)
            if a["mean"] is not None and b["mean"] is not None:
                unit = f" {b['unit']}" if "a year" in b["unit"] else ""
                parts.append(
                    f"{label_of(name).lower()} from {number(a['mean'], a['unit'])} to {number(b['mean'], b['unit'])}{unit}"
                )
        staff = "planned anew at each point" if document["replanned"] else "on the roster in use"
        said.append(f"As {where}, {title} ({staff}) goes in {', in '.join(parts)}.")
    base, *others = document["policies"]
    for policy in others:
        better, worse = [], []
        for point in document["points"]:
            d = point["policies"][policy]["differences"]["cash_and_margin"]
            at = ", ".join(f"{value:g}" for value in point["values"].values())
            if d["high"] is not None and d["high"] < 0:
                better.append(at)
            elif d["low"] is not None and d["low"] > 0:
                worse.append(at)
        n = len(document["points"])
        told = [
            f"{word} at {'every point' if len(some) == n else '; '.join(some)}"
            for word, some in (("cheaper", better), ("dearer", worse))
            if some
        ]
        said.append(
            f"With the margin of customers lost, {document['policies'][policy]} is surely "
            f"{' and '.join(told)}, against {document['policies'][base]}."
            if told
            else f"With the margin of customers lost, {document['policies'][policy]} and {document['policies'][base]} cannot be told apart at any point."
        )
    return said


def frame_of(document: Json) -> pd.DataFrame:
    """A long table of a sweep: the varied fields, policy, measure, mean, low, high, unit."""
    import pandas as pd  # slow to import

    return pd.DataFrame(
        [
            {
                **point["values"],
                "policy": policy,
                "measure": name,
                **{k: e[k] for k in ("mean", "low", "high", "unit")},
            }
            for point in document["points"]
            for policy, one in point["policies"].items()
            for name, e in one["measures"].items()
        ]
    )


def print_curve(console: Console, document: Json) -> None:
    """`sweep` in words: what happens, then the curve."""
    console.print(f"[bold]{document['title']}[/bold]", highlight=False)
    print_applied(console, document)
    for sentence in document["sentences"]:
        console.print(sentence, highlight=False)
    table = Table(
        title=f"Each point with its 95 % interval; {counted(document['replications'], 'replication')}, seed {document['seed']}",
        title_justify="left",
    )
    fields = [axis["field"] for axis in document["vary"]]
    for field in fields:
        table.add_column(field, justify="right")
    several = len(document["policies"]) > 1
    if several:
        table.add_column("Policy")
    first = next(iter(document["points"][0]["policies"].values()))["measures"]
    shown = [name for name in SWEPT if first.get(name, NOTHING)["mean"] is not None]
    for name in shown:
        unit = first[name]["unit"]
        money = f", {unit.replace(' ', ' 1,000 ', 1)}" if "a year" in unit else ""
        table.add_column(label_of(name) + money, justify="right")
    if document["replanned"]:
        table.add_column("Rostered hours", justify="right")
        table.add_column("Windows missed", justify="right")
    for point in document["points"]:
        for policy, one in point["policies"].items():
            cells = [f"{point['values'][field]:g}" for field in fields]
            cells += [document["policies"][policy]] if several else []
            cells += [_cell(one["measures"][name]) for name in shown]
            if document["replanned"]:
                cells += [f"{one['rostered_hours']:,.0f}", str(one["windows_missed"])]
            table.add_row(*cells)
    console.print(table)


def _cell(e: Json) -> str:
    """A measure with its interval below it; money in thousands."""
    scale, digits, tail = (0.001, 0, "") if "a year" in e["unit"] else (100.0, 1, " %")
    mean, low, high = (
        None if e[k] is None else f"{e[k] * scale:,.{digits}f}" for k in ("mean", "low", "high")
    )
    if mean is None:
        return "-"
    return mean + tail if low is None or high is None else f"{mean}{tail}\n[{low}, {high}]"
