"""The ranking of levers as a document, as sentences and as a table with bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from planner import evidence
from planner.compare import Runner, measures_of
from planner.levers import is_on, known, sentence
from planner.money import CASH_LINES
from planner.ranking import (
    AGAIN,
    DRAWN_REPLICATIONS,
    FRAME_MEANING,
    Base,
    Doubt,
    Lever,
    Ranked,
    explicit,
    value_of,
)
from planner.report import (
    HEADLINE,
    Json,
    asked,
    change,
    label_of,
    misfit_rows,
    plain,
    print_applied,
    tells,
    thousands,
)
from planner.scenario.load import Applied
from planner.scenario.problems import counted
from planner.scenario.schema import Scenario
from planner.words import money_of, value_words

TOLD = (*HEADLINE, "containment", "same_agent", *(f"money_{line}" for line in CASH_LINES))
"""Measures of a lever's document."""
BAR = 11
"""Places of a bar on each side of zero."""
WORTH = "cash_and_margin"
WITHIN = 0.9
"""Share of the draws that an interval over draws holds: 95 % would take many more of them."""
GRADES = "A experiment, B observed in operations, C claimed or practised, D assumed"


# --- the document ---------------------------------------------------------------------------------------------------


def document_of(
    runner: Runner, levers: Sequence[Lever], bases: Mapping[str, Base], *, policy: str, frame: str, seconds: float,
    applied: Sequence[Applied] = (),
) -> Json:  # fmt: skip
    """What `levers --json` prints."""
    scenario = runner.scenario
    ranked = [lever for lever in levers if lever.setting is not None]
    search = bases["as_is"].search
    document: Json = {
        **asked(scenario, policy, applied),
        "titles": {name: scenario.policies[name].title or name for name in scenario.policies},
        "frame": frame,
        "meaning": FRAME_MEANING[frame],
        "replications": runner.replications,
        "draws": draws_of(levers),
        "drawn_replications": min(DRAWN_REPLICATIONS, runner.replications),
        "seed": runner.seed,
        "seconds": round(seconds, 3),
        "anchoring": misfit_rows(scenario, runner.anchored),
        "bases": {
            name: plain({k: e for k, e in measures_of(base.cell, scenario).items() if k in TOLD})
            for name, base in bases.items()
        },
        "windows_missed": {name: base.missed for name, base in bases.items()},
        "search": None if search is None else plain(search),
        "levers": [_lever(scenario, lever, search or {}) for lever in ranked],
        "left_out": [
            {
                "lever": one.name,
                "title": known(one.name).title,
                "sentence": sentence(one.name),
                "why": one.why_not,
            }
            for one in levers
            if one.setting is None
        ],
    }
    document["sentences"] = sentences(document)
    return document


def draws_of(levers: Sequence[Lever]) -> int:
    """Over how many draws of the coefficients they were valued; 0 without doubt."""
    parts = (lever.alone for lever in levers)
    return max((len(part.doubt.values[WORTH]) for part in parts if part and part.doubt), default=0)


def _lever(scenario: Scenario, lever: Lever, search: Mapping[str, float]) -> Json:
    setting = lever.setting
    assert setting is not None
    today = explicit(scenario, "as_is")
    told = {
        name: value_words(scenario, name, value, value_of(today, name))
        for name, value in setting.change.items()
    }
    title = known(lever.name).title
    off = not is_on(today.model_copy(update=setting.change), lever.name)
    return {
        "lever": lever.name,
        "title": f"No {title[0].lower()}{title[1:]}" if off else title,
        "sentence": sentence(lever.name),
        "set_to": "; ".join(told.values()),
        "from": setting.source,
        "effects": [_row(scenario, key) for key in known(lever.name).effects],
        "prices": [_row(scenario, key) for key in known(lever.name).prices],
        "priced": bool(off or known(lever.name).prices or setting.costs),
        "alone": _ranked(lever.alone, search),
        "on_top": _ranked(lever.on_top, search),
    }


def _row(scenario: Scenario, key: str) -> Json:
    """A row of evidence with the value that this scenario uses."""
    row = evidence.table()[key]
    return {
        "key": key, "meaning": row.meaning, "value": scenario.coefficient(key), "low": row.low, "high": row.high,
        "unit": row.unit, "grade": row.grade, "source": row.source, "own": key in scenario.behaviour,
    }  # fmt: skip


def _ranked(part: Ranked | None, search: Mapping[str, float]) -> Json | None:
    """A lever's part; differences of money within what the search for plans may make of itself are not told apart."""
    if part is None:
        return None

    def verdict(measure: str) -> str:
        told = tells(plain(part.differences[measure]))
        small = 0 < abs(part.differences[measure].mean) < search.get(measure, 0.0)
        return "cannot tell" if small else told

    return {
        "differences": plain({name: part.differences[name] for name in TOLD if name in part.differences}),
        "moves": list(part.moves),
        "hours": plain(part.hours),
        "own_per_year": plain(part.own_per_year),
        "own_once": plain(part.own_once),
        "in_force": part.in_force,
        "windows_missed": part.missed,
        "doubt": None if part.doubt is None else _doubted(part.doubt),
        "verdict": verdict(WORTH),
        "verdict_on_cash": verdict("cash"),
    }


def _doubted(doubt: Doubt) -> Json:
    """What a lever comes to over the draws, by measure; what nine draws in ten lie within needs a few of them."""
    found: Json = {}
    for measure, values in doubt.values.items():
        low, high = np.quantile(values, [(1 - WITHIN) / 2, (1 + WITHIN) / 2])
        found[measure] = plain({
            "median": float(np.median(values)), "low": float(low), "high": float(high), "pays": sum(v < 0 for v in values),
            "costs": sum(v > 0 for v in values), "values": values, "sceptic": doubt.sceptic[measure],
        })  # fmt: skip
    return found


# --- sentences ------------------------------------------------------------------------------------------------------


def sentences(document: Json) -> list[str]:
    """What stands out, how people were staffed, and how sure it is."""
    rows = [row for row in document["levers"] if row["alone"]]
    if not rows:
        return ["None of the levers asked for can be set in this scenario."]
    way = "on_top" if rows[0]["on_top"] else "alone"
    base = document["policy_title"]
    where = f"on top of {base}" if way == "on_top" else f"alone on {base}"
    by: dict[str, list[Json]] = {}
    for row in rows:
        by.setdefault(row[way]["verdict"], []).append(row)
    saving, costing = by.get("saves", [])[:1], by.get("costs", [])[-1:]
    say = _amounts(document, [(row, WORTH) for row in [*saving, *costing]], way)
    said = [f"{say(row, WORTH)} saves most" for row in saving] + [
        f"{say(row, WORTH)} costs most" for row in costing
    ]
    unsure, nothing = len(by.get("cannot tell", [])), len(by.get("nothing", []))
    tail = [f"the simulation cannot tell of {unsure} whether they save"] if unsure > 1 else []
    tail += ["the simulation cannot tell of 1 whether it saves"] if unsure == 1 else []
    tail += [f"{nothing} {'changes' if nothing == 1 else 'change'} nothing here"] if nothing else []
    text = " and ".join(said) if said else "none surely saves or costs"
    found = [
        f"Of {len(rows)} levers laid {where}, {text} on cash and margin lost{'; ' if tail else ''}{', and '.join(tail)}."
    ]
    cash = [row for row in rows if row[way]["verdict_on_cash"] == "saves"]
    if len(rows) == 1:
        told = {
            "saves": "surely saves",
            "costs": "surely costs",
            "cannot tell": "the simulation cannot tell which",
            "nothing": "changes nothing",
        }
        say = _amounts(document, [(rows[0], WORTH), (rows[0], "cash")], way)
        found = [
            f"Laid {where}: {say(rows[0], WORTH)} on cash and margin lost: {told[rows[0][way]['verdict']]}. "
            f"On cash alone {say(rows[0], 'cash')}: {told[rows[0][way]['verdict_on_cash']]}."
        ]
    elif cash:
        best = min(cash, key=lambda row: row[way]["differences"]["cash"]["mean"])
        told_best = _amounts(document, [(best, "cash")], way)(best, "cash")
        found.append(
            f"On cash alone {len(cash)} of them surely save, most of all {told_best}."
            if len(cash) > 1
            else f"On cash alone one of them surely saves: {told_best}."
        )
    else:
        found.append("On cash alone none of them surely saves.")
    found[0] += " A minus is money saved; behind it the 95 % interval."
    found.append(f"How they are staffed: {document['meaning']}.")
    if document["frame"] == "equal_hours":
        found[-1] = found[-1][:-1] + "; levers that only bring people in (ceilings) do nothing in it."
    if document["frame"] == "at_target":
        found.append(_plans_sentence(document, rows, way))
    unknown = sum(any(e["grade"] == "D" and not e["own"] for e in row["effects"]) for row in rows)
    found.append(
        f"The intervals say how sure the simulation is of the difference, not of the evidence: levers that rest on at least one "
        f"effect that nobody has measured (grade D): {unknown} of {len(rows)}."
    )
    if document["draws"]:
        found.append(_doubt_sentence(document, rows, way))
    unpriced = [
        row["title"].lower()
        for row in rows
        if row["lever"] in ASKS_A_PRICE and not row["priced"] and not row[way]["own_per_year"]["mean"]
    ]
    if unpriced:
        found.append(
            f"Somebody has to build or run what no price is given for (policies.NAME.costs.LEVER), and cash leaves that out: "
            f"{', '.join(unpriced)}. What such a lever saves is the most that it may cost."
        )
    return found


def _doubt_sentence(document: Json, rows: Sequence[Json], way: str) -> str:
    """Which levers pay whatever the coefficients are, and which whatever they are do not."""
    n = document["draws"]
    if len(rows) == 1:
        d = rows[0][way]["doubt"]
        return (
            f"How sure the conclusion is: over {counted(n, 'draw')} of the uncertain coefficients {quoted(rows[0])} saves in {d[WORTH]['pays']} on "
            f"cash and margin lost and in {d['cash']['pays']} on cash."
        )
    doubted = {quoted(row): row[way]["doubt"][WORTH] for row in rows}
    most, least = (
        [name for name, d in doubted.items() if d[side] >= WITHIN * n] for side in ("pays", "costs")
    )
    open_ = len(rows) - len(most) - len(least) - sum(not d["pays"] + d["costs"] for d in doubted.values())
    sceptic = sum(d["sceptic"] < 0 for d in doubted.values())
    said = [
        f"save in nine of ten or more: {', '.join(most) or 'none'}",
        f"cost in nine of ten or more: {', '.join(least) or 'none'}",
    ]
    if open_:
        said.append(f"for {open_} it hangs on what the coefficients are")
    return (
        f"How sure the conclusion is: over {counted(n, 'draw')} of the uncertain coefficients, cash and margin lost; {'; '.join(said)}. "
        f"In the sceptic's setting (no uncertain effect exists) {sceptic} of {len(rows)} save."
    )


ASKS_A_PRICE = ("context", "contained", "scripts", "handle_time_target", "pooled", "detectors")
"""Levers that somebody has to build or run, and whose price is each house's own."""


def _plans_sentence(document: Json, rows: Sequence[Json], way: str) -> str:
    """Whether the targets hold in the plans, and what the intervals leave out."""
    base = document["policy"] if way == "on_top" else "as_is"
    missed = {"without any of them": document["windows_missed"][base]}
    missed |= {f"with {quoted(row)}": row[way]["windows_missed"] for row in rows if not row[way]["in_force"]}
    missed |= {f"without {quoted(row)}": row[way]["windows_missed"] for row in rows if row[way]["in_force"]}
    told = [f"{name} {counted(n, 'window')}" for name, n in missed.items() if n]
    text = (
        f"Plans miss a target here and there, so that staffing is not quite alike: {', '.join(told)}."
        if told
        else "In every plan all targets hold."
    )
    search = document["search"]
    say = money_of(document["currency"], list(search.values()))
    return (
        f"{text} Each plan is what a search found. {document['titles']['as_is']} planned {AGAIN + 1} times, with other customers to search by, "
        f"says how far that goes: differences below {say(search[WORTH])} a year on cash and margin lost ({say(search['cash'])} on cash) "
        "may be the search's; they count as not told apart, and the intervals leave that out."
    )


def _amounts(document: Json, told: Sequence[tuple[Json, str]], way: str) -> Callable[[Json, str], str]:
    """How a lever and what it comes to are said; all amounts of a sentence in one unit."""
    amounts = [row[way]["differences"][m][k] or 0.0 for row, m in told for k in ("mean", "low", "high")]
    say = money_of(document["currency"], amounts)

    def of(row: Json, measure: str) -> str:
        e = row[way]["differences"][measure]
        interval = (
            f"{say(e['low'], sign=True, bare=True)} to {say(e['high'], sign=True, bare=True)}"
            if e["low"] is not None
            else "no interval"
        )
        return f"{quoted(row)} ({say(e['mean'], sign=True)} a year, {interval})"

    return of


def quoted(row: Json) -> str:
    """A lever's title within a sentence."""
    title = str(row["title"])
    return f"“{title[0].lower()}{title[1:]}”"


# --- print ----------------------------------------------------------------------------------------------------------


def bar(value: float, most: float) -> str:
    """A bar from the middle: to the left what is saved, to the right what is lost."""
    places = min(BAR, round(abs(value) / most * BAR)) if most > 0 else 0
    left, right = ("█" * places, "") if value < 0 else ("", "█" * places)
    return f"{left:>{BAR}}│{right:<{BAR}}"


def span(low: float, high: float, most: float) -> str:
    """What draws come to, from low to high, on the places of a bar."""
    if most <= 0:
        return f"{'│':^{2 * BAR + 1}}"
    first, last = (min(BAR, max(-BAR, round(x / most * BAR))) for x in (low, high))
    return "".join("│" if k == 0 else "█" if first <= k <= last else " " for k in range(-BAR, BAR + 1))


def print_levers(console: Console, document: Json) -> None:
    """Sentences, the ranking with bars, and what stands behind each lever."""
    console.print(f"[bold]{document['title']}[/bold] ({document['scenario']})", highlight=False)
    print_applied(console, document)
    for text in document["sentences"]:
        console.print(text, highlight=False)
    ways = [("alone", f"alone on {document['titles']['as_is']}")]
    if any(row["on_top"] for row in document["levers"]):
        ways.append(("on_top", f"on top of {document['policy_title']}"))
    for way, words in reversed(ways):
        _print_ranking(console, document, way, words)
        if document["draws"]:
            _print_doubt(console, document, way, words)
    console.print(
        "  Below zero saves (bar to the left). Cash and margin: with the margin of customers lost. Cash has the lever's own price and its people inside; what is paid once stands apart. "
        "Hours: paid hours a year that the work needs more. In force: the policy has it; what it does there is what goes without it.",
        highlight=False,
    )
    _print_behind(console, document)
    for row in document["left_out"]:
        console.print(f"  Not ranked: {row['title'].lower()}: {row['why']}.", highlight=False)


def _print_ranking(console: Console, document: Json, way: str, words: str) -> None:
    rows = sorted(
        (row for row in document["levers"] if row[way]),
        key=lambda row: row[way]["differences"][WORTH]["mean"],
    )
    if not rows:
        return
    most = max(abs(row[way]["differences"][WORTH]["mean"]) for row in rows)
    table = Table(
        title=f"Levers {words} (thousand {document['currency']} a year, 95 % intervals)", title_justify="left"
    )
    table.add_column("Lever", overflow="fold", min_width=18)
    table.add_column("Cash and margin lost", justify="center", no_wrap=True)
    for name in ("Cash and\nmargin", "Cash", "Own price\na year, once", "Hours\na year"):
        table.add_column(name, justify="right")
    table.add_column("Moves most", overflow="fold")
    table.add_column("Verdict")
    for row in rows:
        part = row[way]
        d = part["differences"]
        moved = "\n".join(f"{label_of(name)} {short_change(d[name])}" for name in part["moves"])
        table.add_row(
            row["title"] + (" (in force)" if part["in_force"] else ""),
            bar(d[WORTH]["mean"], most),
            thousands(d[WORTH], "+").replace(" [", "\n["),
            thousands(d["cash"], "+").replace(" [", "\n["),
            price_words(row, part),
            f"{part['hours']['mean']:+,.0f}",
            moved or "-",
            part["verdict"],
        )
    console.print(table)


def _print_doubt(console: Console, document: Json, way: str, words: str) -> None:
    rows = doubted_rows(document, way)
    if not rows:
        return
    most = max(max(abs(row[way]["doubt"][WORTH][end]) for end in ("low", "high")) for row in rows)
    table = Table(
        title=f"The same {words} over {counted(document['draws'], 'draw')} of the uncertain coefficients (thousand {document['currency']} a year: "
        "median, and what nine draws in ten lie within)",
        title_justify="left",
    )
    table.add_column("Lever", overflow="fold", min_width=18)
    table.add_column("Cash and margin lost", justify="center", no_wrap=True)
    for name in ("Cash and\nmargin", "Saves in", "Sceptic", "Cash", "Saves in", "Sceptic"):
        table.add_column(name, justify="right")
    for row in rows:
        part = row[way]
        both = [part["doubt"][measure] for measure in (WORTH, "cash")]
        table.add_row(
            row["title"] + (" (in force)" if part["in_force"] else ""),
            span(both[0]["low"], both[0]["high"], most),
            *(text for d in both for text in doubt_words(d, document["draws"])),
        )
    console.print(table)
    console.print(
        "  Each draw takes every uncertain coefficient from its range of evidence, anchors today anew, and values every lever on the same "
        f"customers, {counted(document['drawn_replications'], 'replication')}. Sceptic: where no effect of grade C or D exists.",
        highlight=False,
    )


def doubted_rows(document: Json, way: str) -> list[Json]:
    """Levers with their doubt, those that save most in the middle draw first."""
    rows = [row for row in document["levers"] if row[way] and row[way]["doubt"]]
    return sorted(rows, key=lambda row: row[way]["doubt"][WORTH]["median"])


def doubt_words(d: Json, draws: int) -> tuple[str, str, str]:
    """Median and interval over draws, in how many it saves, and the sceptic's."""
    spread = thousands({"mean": d["median"], "low": d["low"], "high": d["high"]}, "+")
    return spread, f"{d['pays']} of {draws}", f"{round(d['sceptic'] / 1000, 1) + 0.0:+,.1f}"


def short_change(value: Json) -> str:
    """A difference with its unit, without its interval."""
    unit = str(value["unit"])
    told = "" if unit.startswith("share") or value["mean"] is None else f" {unit}"
    text = change({**value, "low": None, "high": None})
    if text[1:5] == "0.00" and value["mean"]:
        text = f"{value['mean'] * (100 if unit.startswith('share') else 1):+.1g}{text[5:]}"  # small, and yet surely moved
    return text + told


def price_words(row: Json, part: Json) -> str:
    """What a lever costs by itself, in thousands: a year, and once on a line of its own."""
    yearly, once = (part["own_per_year"]["mean"] or 0.0) / 1000, (part["own_once"] or 0.0) / 1000
    if not yearly and not once:
        return "-" if row["priced"] or row["lever"] not in ASKS_A_PRICE else "not given"
    said = [f"{yearly:,.1f}"] if yearly else []
    return "\n".join(said + ([f"{once:,.1f} once"] if once else []))


def _print_behind(console: Console, document: Json) -> None:
    table = Table(title=f"What stands behind them ({GRADES})", title_justify="left")
    for name in (
        "Lever",
        "What it is",
        "Set to",
        "Effect: value, range, grade",
        "Price: value, range, grade",
    ):
        table.add_column(name, overflow="fold")
    for row in document["levers"]:
        source = {"usual": "usual setting", "off": "taken away"}.get(row["from"], f"as in {row['from']}")
        table.add_row(
            row["title"], row["sentence"], f"{row['set_to']} ({source})",
            "\n".join(behind(e) for e in row["effects"]) or "in the file",
            "\n".join(behind(e) for e in row["prices"]) or ("in the file" if row["priced"] else "-"),
        )  # fmt: skip
    console.print(table)


def behind(e: Json) -> str:
    """A row of evidence in a few words."""
    mine = ", yours" if e["own"] else f" ({e['low']:g} to {e['high']:g}, {e['grade']})"
    return f"{e['key']} {e['value']:g}{mine}"
