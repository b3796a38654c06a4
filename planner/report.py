"""What is told: one document per run for machines and pages, and plain words and tables for people.

A document is made of plain values alone (no NaN, no infinity), so that it is one JSON text; tables and sentences are
made from documents, never from the objects behind them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from planner.anchor import Anchored
from planner.compare import (
    FRAME_MEANING,
    Comparison,
    breakdown,
    differences_of,
    formulas,
    measures_of,
)
from planner.money import CASH_LINES, LINE_MEANING
from planner.plan import PlanResult, target_lines
from planner.requirement import Requirement
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.schema import DAYS, Scenario
from planner.shrinkage import rostered_per_present
from sim.measures import CUSTOMER, PEOPLE, Estimate, Totals, difference, summary

Json = dict[str, Any]

LABELS: dict[str, str] = {
    "containment": "Containment, of bot sessions",
    "service_level_g0": "g0: in time, of answered",
    "service_level_g1": "g1: in time, of answered and late abandoned",
    "service_level_g2": "g2: in time or gone in time, of all offered",
    "cash": "Cash",
    "margin_lost": "Margin of customers lost",
    "cash_and_margin": "Cash and margin lost",
    "once": "One-off cash",
    "cost_per_contact": "Cash per contact",
    "cost_per_resolved_need": "Cash per resolved need",
    "cost_per_kept_customer": "Cash per kept customer",
    "customers_lost": "Customers lost",
    "leavers": "Leavers",
    "attrition": "Attrition",
    "people": "People to employ",
    "load_p95": "Load met, 95th percentile",
    "load_end_p95": "Load at shift end, 95th percentile",
    "exhaustion_p95": "Exhaustion, 95th percentile",
    "vulnerable_unmet": "Vulnerable needs left unmet",
    "load_over_share": "Time with load above the threshold",
    "log_resolution": "Resolved, as a log would say",
    "ended_unserved": "Gave up unserved",
    "refused_person": "Refused a person by the bot",
    "first_contact_resolution": "Resolved at first contact",
    "false_containment": "Falsely contained",
    "returns": "Returned",
}
HIGHER_IS_BETTER = {
    "service_level", "first_contact_resolution", "resolution", "heard", "seen_and_sorted", "log_resolution",
    "recovery_taken", "containment",
}  # fmt: skip
HEADLINE = (
    "service_level", "abandonment", "speed_of_answer_s", "occupancy", "handle_time_s", "handle_time_per_resolved_s",
    "first_contact_resolution", "log_resolution", "resolution", "contacts_per_resolved", "heard", "seen_and_sorted",
    "sorted_not_heard", "warm_unresolved", "cold_unresolved", "ended_unserved", "undisclosed", "returns",
    "escalations", "vulnerable_unmet", "refused_person", "load", "load_p95", "load_over_share", "exhaustion",
    "recovery_taken", "recovery_owed", "attrition", "customers_lost", "paid_hours", "people", "cost_per_resolved_need",
    "cash", "margin_lost", "cash_and_margin", "once",
)  # fmt: skip
"""Measures of the printed comparison, in this order."""


def label_of(name: str) -> str:
    """A measure's name for people."""
    if name.startswith("money_"):
        return name[6:].replace("_", " ").capitalize()
    return LABELS.get(name, name.removesuffix("_s").replace("_", " ").capitalize())


def meaning_of(name: str) -> str:
    """A sentence on a measure."""
    if name.startswith("money_"):
        return LINE_MEANING.get(name[6:], "")
    m = CUSTOMER.get(name) or PEOPLE.get(name)
    return m.meaning if m else LINE_MEANING.get(name, "")


# --- documents ------------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Plain values only: numpy scalars and arrays become numbers and lists, estimates mappings, NaN nothing."""
    if isinstance(value, Estimate):
        return {
            "mean": plain(value.mean),
            "low": plain(value.low),
            "high": plain(value.high),
            "unit": value.unit,
        }
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def misfit_rows(anchored: Anchored) -> list[Json]:
    """Observed against simulated as_is."""
    return [
        {"type": m.type, "field": m.field, "observed": plain(m.observed), "simulated": plain(m.simulated), "off": plain(m.off)}
        for m in anchored.misfit
    ]  # fmt: skip


def simulation_document(
    scenario: Scenario, policy: str, engine: str, seed: int, replications: int, seconds: float, totals: Totals
) -> Json:
    """What `simulate --json` prints."""
    return {
        "scenario": scenario.name,
        "policy": policy,
        "engine": engine,
        "seed": seed,
        "replications": replications,
        "seconds": round(seconds, 3),
        "measures": plain(summary(totals)),
        **plain(breakdown(totals, scenario)),
    }


def week_of(
    scenario: Scenario, requirement: Requirement | None, roster: Roster, totals: Totals | None
) -> Json:
    """The horizon interval by interval: required, on the queue, in shift, offered, answered in time."""
    n, days = len(scenario.groups), scenario.horizon.days
    minutes = scenario.horizon.interval_min
    per_present = np.repeat(rostered_per_present(scenario), c.n_intervals(scenario))
    present = np.ones_like(per_present) if roster.on_duty else per_present
    queue = roster.cover(n, days, minutes).reshape(n, -1) / present
    shift = roster.cover(n, days, minutes, gross=True).reshape(n, -1) / present
    labels = [
        f"{DAYS[c.weekday_of(scenario, d)].capitalize()} {i * minutes // 60:02d}:{i * minutes % 60:02d}"
        for d in range(days)
        for i in range(1440 // minutes)
    ]
    week: Json = {
        "interval_min": minutes,
        "labels": labels,
        "groups": list(scenario.groups),
        "required": None if requirement is None else requirement.duty,
        "on_queue": np.round(queue, 3),
        "in_shift": np.round(shift, 3),
    }
    if totals is not None:
        for name in ("queued", "in_time", "abandoned"):
            week[name] = np.round(totals.service[name].mean(axis=0).reshape(len(scenario.types), -1), 3)
        week["types"] = list(scenario.types)
    result: Json = plain(week)
    return result


def plan_document(result: PlanResult, seconds: float) -> Json:
    """What `plan --json` prints."""
    schedule = result.schedule
    return {
        "scenario": result.scenario.name,
        "policy": result.policy,
        "status": schedule.status if schedule else "plain numbers",
        "cost": plain(schedule.objective if schedule else None),
        "bound": plain(schedule.bound if schedule else None),
        "gap": plain(schedule.gap if schedule else None),
        "schedule_seconds": plain(round(schedule.seconds, 3) if schedule else None),
        "seconds": round(seconds, 3),
        "violations": list(result.violations),
        "fte": {
            "bare": plain(sum(f.bare for f in result.fte)),
            "rostered": plain(sum(f.rostered for f in result.fte)),
            "paid": plain(sum(f.paid for f in result.fte)),
            "erlang_c_flat_shrinkage": plain(result.erlang_c_fte),
            "people": sum(f.people for f in result.fte),
            "headcount": sum(f.headcount for f in result.fte),
            "by_group": [
                {"group": f.group, "bare": plain(f.bare), "rostered": plain(f.rostered), "paid": plain(f.paid), "people": f.people, "headcount": f.headcount}
                for f in result.fte
            ],
        },
        "requirement": {
            "agent_hours": plain(result.requirement.agent_hours),
            "rounds": result.requirement.rounds,
            "simulations": result.requirement.simulations,
            "unreached": list(result.requirement.unreached),
        },
        "unmet": [{"day": u.day, "time": u.time, "skill": u.skill, "short": plain(u.short)} for u in result.unmet],
        "targets": [
            {"target": t, "window": w, "mean": plain(m), "aim": plain(a), "met": bool(ok)}
            for t, w, m, a, ok in target_lines(result)
        ],
        "repairs": result.repairs,
        "proof": {"replications": result.proof.replications, "measures": plain(result.proof.measures)},
        "week": week_of(result.scenario, result.requirement, result.roster, result.proof.totals),
    }  # fmt: skip


def comparison_document(comparison: Comparison, *, replications: int, seed: int, seconds: float) -> Json:
    """What `compare --json` prints."""
    scenario = comparison.scenario
    frames = []
    for frame, cells in comparison.frames.items():
        base = cells["as_is"]
        differences = {
            p: plain(differences_of(cell, base, scenario)) for p, cell in cells.items() if p != "as_is"
        }
        frames.append(
            {
                "frame": frame,
                "meaning": FRAME_MEANING[frame],
                "policies": {p: plain(measures_of(cell, scenario)) for p, cell in cells.items()},
                "differences": differences,
                "residue": {p: plain(cell.residue) for p, cell in cells.items()},
                "breakdown": {p: plain(breakdown(cell.totals, scenario)) for p, cell in cells.items()},
                "ladder": ladder_rows(comparison) if frame == "equal_hours" else {},
                "verdict": verdict(comparison, frame),
            }
        )
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "story": scenario.story,
        "currency": scenario.costs.currency,
        "replications": replications,
        "seed": seed,
        "seconds": round(seconds, 3),
        "policies": {p: {"title": scenario.policies[p].title or p, "story": scenario.policies[p].story} for p in cells},
        "anchoring": misfit_rows(comparison.anchored),
        "frames": frames,
        "doubt": {
            p: {"draws": d.draws, "flips": plain(d.flips), "values": plain(d.values), "sceptic": plain(d.sceptic)}
            for p, d in comparison.doubt.items()
        },
        "plans": {p: plan_document(result, 0.0) for p, result in comparison.plans.items()},
        "today": {"measures": plain(measures_of(comparison.today, scenario)), "planned_anew": plain(planned_anew(comparison))},
        "as_is_week": week_of(scenario, None, comparison.today.roster, comparison.today.totals),
    }  # fmt: skip


def planned_anew(comparison: Comparison) -> dict[str, Estimate]:
    """What planning as_is anew with the same hours changes by itself; empty without that frame."""
    frame = comparison.frames.get("equal_hours")
    return differences_of(frame["as_is"], comparison.today, comparison.scenario) if frame else {}


def ladder_rows(comparison: Comparison) -> dict[str, list[Json]]:
    """The ladders: each lever alone, last and on average."""
    keep = ("cash", "margin_lost", "cash_and_margin", *(n for n in HEADLINE if n not in ("once",)))
    return {
        policy: [
            {
                "lever": part.lever,
                "alone": {k: plain(part.alone[k]) for k in dict.fromkeys(keep)},
                "last": {k: plain(part.last[k]) for k in dict.fromkeys(keep)},
                "average": {k: plain(part.average[k]) for k in dict.fromkeys(keep)},
            }
            for part in parts
        ]
        for policy, parts in comparison.ladders.items()
    }


# --- the verdict ----------------------------------------------------------------------------------------------------


def verdict(comparison: Comparison, frame: str) -> Json:
    """Who wins on what, in words: cash first, then with kept margin; and where it turns."""
    cells, scenario = comparison.frames[frame], comparison.scenario
    currency = scenario.costs.currency
    names = {p: (scenario.policies[p].title or p) for p in cells}
    sums = {p: formulas(cell, scenario) for p, cell in cells.items()}
    sentences: list[str] = []
    off = {p: cell.residue for p, cell in cells.items() if abs(cell.residue) > 0.005}
    if off:
        sentences.append(
            "This frame is not quite equal ("
            + ", ".join(f"{names[p]} {100 * r:+.1f} %" for p, r in off.items())
            + "): read it with that in mind."
        )
    for measure, words in (("cash", "On cash"), ("cash_and_margin", "With the margin of customers lost")):
        if measure == "cash" and frame == "equal_budget":
            continue  # equal by construction
        ranked = sorted(cells, key=lambda p: float(np.mean(sums[p][measure][0])))
        best, second = ranked[0], ranked[1] if len(ranked) > 1 else ranked[0]
        if best == second:
            continue
        gap = difference(sums[best][measure][:2], sums[second][measure][:2], "")
        sure = gap.high < 0
        if gap.mean == gap.low == gap.high == 0:
            sentences.append(f"{words}, there is no difference between {names[best]} and {names[second]}.")
            continue
        less = f"{_money(-gap.mean, currency)} a year less than {names[second]}"
        interval = f"95 % interval {_money(-gap.high, currency)} to {_money(-gap.low, currency)}"
        sentences.append(
            f"{words}, {names[best]} costs least: {less} ({interval})."
            if sure
            else f"{words}, the simulation cannot tell {names[best]} and {names[second]} apart: {names[best]} comes to {less} ({interval})."
        )
    sentences += _short_of_targets(comparison, frame, names)
    anew = planned_anew(comparison) if frame == "equal_hours" else {}
    if anew:
        sentences.append(
            f"Every policy is planned anew here, {names['as_is']} too; against the roster of today that alone changes cash by "
            f"{_signed(anew['cash'], currency)} and margin lost by {_signed(anew['margin_lost'], currency)} a year."
        )
    turns: dict[str, float | None] = {}
    base = cells["as_is"]
    for policy, cell in cells.items():
        if policy == "as_is":
            continue
        d = differences_of(cell, base, scenario)
        cash, margin = d["cash"].mean, d["margin_lost"].mean
        text = (
            f"{names[policy]} against {names['as_is']}: cash {_signed(d['cash'], currency)} a year, margin lost "
            f"{_signed(d['margin_lost'], currency)}, together {_signed(d['cash_and_margin'], currency)}"
        )
        once = cell.money.once - base.money.once
        if once:
            text += f"; once {_money(once, currency)}"
            saved = -d["cash_and_margin"].mean
            if once > 0 and saved > 0:
                text += f", paid back in {once / saved * 12:.1f} months of cash and kept margin"
        sentences.append(text + ".")
        turns[policy] = None
        if margin * cash < 0 and frame != "equal_budget":
            turns[policy] = -cash / margin
            sentences.append(
                f"It turns where a lost customer is worth {-cash / margin:.2f} times what the scenario says"
                f" ({names[policy]} is the dearer one {'below' if margin < 0 else 'above'} that)."
            )
    winners = {}
    for measure in (
        "service_level",
        "first_contact_resolution",
        "heard",
        "load",
        "attrition",
        "returns",
        "customers_lost",
        "vulnerable_unmet",
    ):
        sign = -1 if measure in HIGHER_IS_BETTER else 1

        def value(p: str, measure: str = measure) -> float:
            a, b, _ = sums[p][measure]
            below = 1.0 if b is None else float(b.mean())
            return float(a.mean()) / below if below else 0.0

        best = min(cells, key=lambda p: sign * value(p))
        others = [p for p in cells if p != best]
        gaps = [difference(sums[best][measure][:2], sums[p][measure][:2], "") for p in others]
        sure = all(gap.high < 0 if sign > 0 else gap.low > 0 for gap in gaps)
        winners[measure] = {"policy": best, "value": value(best), "sure": bool(sure)}
    return {"sentences": sentences, "turns_at_value_factor": plain(turns), "best": plain(winners)}


def _short_of_targets(comparison: Comparison, frame: str, names: Mapping[str, str]) -> list[str]:
    """Where a frame leaves a policy far from the service that its targets ask for."""
    at_target = comparison.frames.get("at_target", {})
    found = []
    for policy, cell in comparison.frames[frame].items():
        if frame == "at_target" or policy not in at_target:
            continue
        here, there = (
            measures_of(c, comparison.scenario)["service_level"].mean for c in (cell, at_target[policy])
        )
        if here < there - 0.05:
            found.append(
                f"{names[policy]} misses its service targets here: {100 * here:.0f} % answered in time, "
                f"{100 * there:.0f} % where they hold."
            )
    return found


def _money(amount: float, currency: str) -> str:
    size = abs(amount)
    text = f"{size / 1e6:,.2f} million" if size >= 1e6 else f"{size:,.0f}"
    return f"{'-' if amount < 0 else ''}{text} {currency}"


def _signed(e: Estimate, currency: str) -> str:
    sign = "+" if e.mean >= 0 else ""
    return f"{sign}{_money(e.mean, currency)} ({_money(e.low, currency)} to {_money(e.high, currency)})"


# --- tables ---------------------------------------------------------------------------------------------------------


def number(value: float | None, unit: str) -> str:
    """A number as its unit wants it."""
    if value is None:
        return "-"
    if unit == "share" or unit.startswith("share a"):
        return f"{100 * value:.1f} %"
    if "a year" in unit and abs(value) >= 10_000:
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.1f}"


def change(value: Json) -> str:
    """A difference with its interval."""
    unit = str(value["unit"])
    scale, tail = (100.0, " pts") if unit.startswith("share") else (1.0, "")
    if value["mean"] is None:
        return "-"
    if value["low"] is None or value["high"] is None:
        return f"{value['mean'] * scale:+,.2f}{tail}"
    mean, low, high = (float(value[k]) * scale for k in ("mean", "low", "high"))
    if low == high:
        return f"{mean:+,.{0 if abs(mean) >= 1000 else 2}f}{tail}"
    digits = 0 if max(abs(low), abs(high)) >= 1000 else 2
    return f"{mean:+,.{digits}f}{tail} [{low:,.{digits}f}, {high:,.{digits}f}]"


def print_estimates(console: Console, title: str, measures: Mapping[str, Json], names: Sequence[str]) -> None:
    """One policy's measures."""
    table = Table(title=title, title_justify="left")
    table.add_column("Measure")
    table.add_column("Value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("Unit")
    for name in names:
        m = measures.get(name)
        if m:
            interval = f"{number(m['low'], m['unit'])} to {number(m['high'], m['unit'])}"
            table.add_row(label_of(name), number(m["mean"], m["unit"]), interval, m["unit"])
    console.print(table)


def print_simulation(console: Console, document: Json) -> None:
    """`simulate` in words."""
    names = [*CUSTOMER, *PEOPLE, "load_p95", "exhaustion_p95"]
    print_estimates(console, f"{document['scenario']}: {document['policy']}", document["measures"], names)
    console.print(
        f"{document['replications']} replications, seed {document['seed']}, {document['engine']} engine"
    )


def print_misfit(console: Console, rows: Sequence[Json]) -> None:
    """Observed beside simulated."""
    worst = max((abs(row["off"] or 0) for row in rows), default=0.0)
    console.print(
        f"Today's numbers come back from simulating as_is: the largest misfit is {100 * worst:.1f} %."
        if rows
        else "Nothing is observed in this scenario: all values are natural."
    )
    table = Table(title="Anchoring", title_justify="left")
    for name in ("Type", "Field"):
        table.add_column(name)
    for name in ("Observed", "Simulated", "95 % interval", "Off"):
        table.add_column(name, justify="right")
    for row in rows:
        s = row["simulated"]
        table.add_row(
            row["type"], row["field"], number(row["observed"], s["unit"]), number(s["mean"], s["unit"]),
            f"{number(s['low'], s['unit'])} to {number(s['high'], s['unit'])}", f"{100 * (row['off'] or 0):+.1f} %",
        )  # fmt: skip
    console.print(table)


def print_plan(console: Console, document: Json) -> None:
    """`plan` in words: a sentence, then the numbers."""
    fte = document["fte"]
    missed = [t for t in document["targets"] if not t["met"]]
    held = f"all {len(document['targets'])} target windows hold" if not missed else (
        f"{len(missed)} of {len(document['targets'])} target windows are missed"
    )  # fmt: skip
    console.print(
        f"[bold]{document['scenario']}, {document['policy']}[/bold]: {fte['paid']:.1f} FTE on the payroll "
        f"({fte['rostered']:.1f} rostered, {fte['bare']:.1f} bare on the queue); today {fte['headcount']} people. "
        f"Erlang C per queue with flat shrinkage would have said {fte['erlang_c_flat_shrinkage']:.1f}."
    )
    console.print(
        f"Simulating the roster itself, absence and all ({document['proof']['replications']} replications): {held}."
    )
    if document["gap"] is not None:
        console.print(
            f"Schedule: {document['status']}, within {100 * document['gap']:.2f} % of the proven bound, "
            f"{document['schedule_seconds']:.1f} s."
        )
    table = Table(title="People by group (FTE)", title_justify="left")
    table.add_column("Group")
    for name in ("On the queue", "Rostered", "Paid, with leave", "People in the roster", "Employed today"):
        table.add_column(name, justify="right")
    for f in fte["by_group"]:
        table.add_row(
            f["group"],
            f"{f['bare']:.1f}",
            f"{f['rostered']:.1f}",
            f"{f['paid']:.1f}",
            str(f["people"]),
            str(f["headcount"]),
        )
    console.print(table)
    table = Table(title="Targets, from the simulated roster", title_justify="left")
    table.add_column("Target")
    table.add_column("Window")
    for name in ("Simulated", "Aim", ""):
        table.add_column(name, justify="right")
    for t in document["targets"]:
        table.add_row(
            t["target"], t["window"], f"{t['mean']:.3f}", f"{t['aim']:.3f}", "met" if t["met"] else "missed"
        )
    console.print(table)
    short = [u for u in document["unmet"] if u["short"] >= 0.5]
    if short:
        console.print(
            f"The schedule is short by half a person or more in {len(short)} intervals; the largest:"
        )
        for u in sorted(short, key=lambda u: -u["short"])[:8]:
            console.print(f"  {u['day']} {u['time']} {u['skill']}: short by {u['short']:.1f}")
    for line in document["requirement"]["unreached"]:
        console.print(f"  not reached by the requirement: {line}")


def print_comparison(console: Console, document: Json, *, every: bool = False) -> None:
    """`compare` in words: the staffing, the verdict of each frame, then the table, then the ladder."""
    for policy, plan in document["plans"].items():
        fte = plan["fte"]
        console.print(
            f"To hold the service targets, {document['policies'][policy]['title'].lower()} needs "
            f"{fte['paid']:.0f} FTE on the payroll ({fte['bare']:.0f} on the queue); "
            f"Erlang C per queue with flat shrinkage would say {fte['erlang_c_flat_shrinkage']:.0f}.",
            highlight=False,
        )
    for frame in document["frames"]:
        console.print(f"\n[bold]{frame['frame'].replace('_', ' ').capitalize()}[/bold]: {frame['meaning']}")
        for sentence in frame["verdict"]["sentences"]:
            console.print(f"  {sentence}")
        policies = list(frame["policies"])
        table = Table(title_justify="left")
        table.add_column("Measure")
        for p in policies:
            table.add_column(document["policies"][p]["title"], justify="right")
        for p in policies[1:]:
            table.add_column(
                f"{document['policies'][p]['title']} minus {document['policies'][policies[0]]['title'].lower()} [95 %]",
                justify="right",
            )
        names = list(frame["policies"][policies[0]]) if every else [*HEADLINE]
        money = [f"money_{line}" for line in CASH_LINES]
        for name in [*names, *(m for m in money if m not in names)]:
            first = frame["policies"][policies[0]].get(name)
            if first is None:
                continue
            unit = first["unit"]
            suffix = "" if unit.startswith("share") else f" ({unit})"
            table.add_row(
                label_of(name) + suffix,
                *(number(frame["policies"][p][name]["mean"], unit) for p in policies),
                *(change(frame["differences"][p][name]) for p in policies[1:]),
            )
        console.print(table)
        off = ", ".join(f"{p} {100 * r:+.2f} %" for p, r in frame["residue"].items() if r)
        if off:
            console.print(f"  Left of equality: {off}.")
        for policy, parts in frame["ladder"].items():
            _print_ladder(console, document, policy, parts)
    for policy, d in document["doubt"].items():
        title = document["policies"][policy]["title"]
        console.print(
            f"How sure the conclusion is: over {d['draws']} draws of the uncertain coefficients, the sign of {title} "
            f"against today flips in {100 * d['flips']['cash']:.0f} % on cash and in "
            f"{100 * d['flips']['cash_and_margin']:.0f} % with kept margin. In the sceptic's setting: cash "
            f"{d['sceptic']['cash']:+,.0f}, with margin {d['sceptic']['cash_and_margin']:+,.0f} {document['currency']} a year."
        )


def _print_ladder(console: Console, document: Json, policy: str, parts: Sequence[Json]) -> None:
    table = Table(
        title=f"What each lever of {document['policies'][policy]['title']} does, staffing held (a year)",
        title_justify="left",
    )
    table.add_column("Lever")
    for name in (
        "Cash, alone",
        "Cash, last",
        "With margin, alone",
        "With margin, last",
        "With margin, average",
        "Resolved at first, average",
    ):
        table.add_column(name, justify="right")
    for part in parts:
        table.add_row(
            part["lever"].replace("_", " "),
            *(
                f"{part[way][m]['mean']:+,.0f}"
                for m in ("cash", "cash_and_margin")
                for way in ("alone", "last")
            ),
            f"{part['average']['cash_and_margin']:+,.0f}",
            f"{100 * part['average']['first_contact_resolution']:+.2f} pts",
        )
    console.print(table)
