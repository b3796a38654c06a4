"""A day planned anew as a document and in print: what is short without and with it, who does what otherwise, what it costs and gains."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.replan import Result, Shown
from planner.report import Json, asked, plain, print_asked
from planner.requirement import targets_of
from planner.rostering.intraday import (
    BREAKS,
    COMES_IN,
    LEAVES,
    QUEUES,
    STARTS,
    STAYS,
    Change,
    newly_broken,
)
from planner.rostering.problem import Duty, Work
from planner.rostering.validate import short_hours
from planner.scenario.load import Applied
from planner.scenario.problems import counted
from planner.words import WEEKDAYS, amount_words, clock, is_share, target_words, title_of

MOST_LINES = 15
DONE = {
    COMES_IN: "comes in on a day off",
    STAYS: "stays longer",
    STARTS: "begins at another time",
    LEAVES: "goes home early",
    BREAKS: "breaks move",
    QUEUES: "other queues",
}
"""What people do otherwise, in the order in which it is told."""


def document_of(result: Result, seconds: float, *, applied: Sequence[Applied] = ()) -> Json:
    """What `replan --json` prints."""
    scenario, plan, kept = result.scenario, result.plan, result.kept
    rest, day = plan.rest, result.day
    rows = sorted(
        (_row(result, change) for change in plan.changes),
        key=lambda row: (list(DONE).index(row["what"][0]), -abs(row["extra_hours"]), row["person"]),
    )
    date = scenario.horizon.start + timedelta(day)
    return {
        **asked(scenario, kept.policy, applied),
        "run": kept.run,
        "seed": result.seed,
        "seconds": round(seconds, 3),
        "replications": result.replications,
        "day": day + 1,
        "date": date.isoformat(),
        "weekday": WEEKDAYS[date.weekday()],
        "at": clock(result.at_min),
        "from": clock(rest.moment.at_min),
        "anchored_anew": kept.natural is None,
        "overtime_hours_at_most": rest.moment.overtime_min / 60,
        "sick_share": result.sick_share,
        "sick": [rest.problem.people[number].id for number in sorted(rest.moment.sick)],
        "sick_at_work": sum(_is_at_work(result, number) for number in rest.moment.sick),
        "load": _load(result),
        "asked_hours": sum(need.people * need.minutes for need in rest.problem.needs) / 60,
        "short_hours": {
            "before": short_hours(rest.problem, plan.before), "after": short_hours(rest.problem, plan.after),
        },
        "points": {"before": plan.before.objective, "after": plan.after.objective},
        "hard_rules_newly_broken": [broken.text for broken in newly_broken(plan.before, plan.after)],
        "counts": {what: sum(what in row["what"] for row in rows) for what in DONE},
        "overtime_hours": _hours(rows, STAYS),
        "overtime_cost": _cost(result, rows, STAYS),
        "called_in_hours": _hours(rows, COMES_IN),
        "called_in_cost": _cost(result, rows, COMES_IN),
        "given_back_hours": -_hours(rows, LEAVES),
        "given_back_cost": -_cost(result, rows, LEAVES),
        "changes": rows,
        "service": {
            "rest_of_day": [_shown(result, one) for one in result.of_rest],
            "whole_day": [_shown(result, one) for one in result.of_day],
        },
        "cover": _cover(result),
        "work": [_work(result, work) for work in plan.roster.work if work.day == day],
    }  # fmt: skip


def _is_at_work(result: Result, number: int) -> bool:
    moment, duties = result.plan.rest.moment, result.kept.problem.duties
    return any(
        work.person == number and work.day == moment.day and duties[work.duty].end_min > moment.at_min
        for work in result.kept.roster.work
    )


def _load(result: Result) -> Json:
    """Hours of work that reach people in the rest of the day, as the roster was made for and now."""
    scenario, interval = result.scenario, result.scenario.horizon.interval_min
    n = 1440 // interval
    first = result.day * n + result.plan.rest.moment.at_min // interval
    here = slice(first, (result.day + 1) * n)
    before, after = (
        load[:, here].sum(axis=1) * interval / 60 for load in (result.load_before, result.load_after)
    )
    return {
        "before": float(before.sum()),
        "after": float(after.sum()),
        "by_type": [
            {"type": name, "title": title_of(scenario, name), "before": float(before[t]), "after": float(after[t])}
            for t, name in enumerate(scenario.types)
        ],
    }  # fmt: skip


def _row(result: Result, change: Change) -> Json:
    problem = result.plan.rest.problem
    has = problem.duties[change.has.duty]
    had = None if change.had is None else problem.duties[change.had.duty]
    return {
        "person": problem.people[change.person].id,
        "group": result.kept.people[change.person].group,
        "what": [name for name in DONE if name in change.what],
        "had": None if change.had is None or had is None else _times(had, change.had),
        "has": _times(has, change.has),
        "extra_hours": (has.paid_min - (had.paid_min if had else 0)) / 60,
    }


def _times(duty: Duty, work: Work) -> Json:
    return {
        "shift": duty.kind, "start_min": duty.start_min, "end_min": duty.end_min,
        "pauses": [
            {"name": p.name, "kind": p.kind, "paid": p.paid, "start_min": at, "end_min": at + p.minutes}
            for p, at in zip(duty.pauses, work.pauses, strict=True)
        ],
    }  # fmt: skip


def _work(result: Result, work: Work) -> Json:
    """A row as `roster` has them."""
    problem = result.plan.rest.problem
    duty = problem.duties[work.duty]
    return {
        "person": problem.people[work.person].id, "group": result.kept.people[work.person].group, "day": work.day + 1,
        "paid_min": duty.paid_min, **_times(duty, work), "posts": [problem.posts[post].name for post in work.posts],
    }  # fmt: skip


def _hours(rows: Sequence[Json], what: str) -> float:
    return float(sum(row["extra_hours"] for row in rows if what in row["what"]))


def _cost(result: Result, rows: Sequence[Json], what: str) -> float:
    """Pay of those hours: with the premium of overtime where somebody works more than they were to."""
    groups = result.scenario.groups
    factor = 1.0 if what == LEAVES else 1 + result.scenario.costs.overtime_premium
    return float(
        sum(
            row["extra_hours"] * groups[row["group"]].cost_per_hour * factor
            for row in rows
            if what in row["what"]
        )
    )


def _shown(result: Result, one: Shown) -> Json:
    target = targets_of(result.scenario, result.kept.policy)[one.target]
    verdicts = {"before": one.before, "after": one.after}
    return {
        "target": one.target,
        "what": target_words(result.scenario, target),
        "unit": "share" if is_share(target) else "s" if target.measure == "mean_wait" else "points",
        "side": "at least" if target.measure == "service_level" or target.with_probability else "at most",
        "aim": one.before.aim,
        **{
            name: {
                "mean": plain(v.mean), "low": plain(v.low), "high": plain(v.high), "met": bool(v.held),
                "said": [amount_words(target, value, 1) for value in (v.mean, v.low, v.high)],
            }
            for name, v in verdicts.items()
        },
        "gained": {
            "mean": one.after.mean - one.before.mean, "low": plain(one.after.mean - one.before.mean - one.half),
            "high": plain(one.after.mean - one.before.mean + one.half),
        },
        "said_aim": amount_words(target, one.before.aim),
    }  # fmt: skip


def _cover(result: Result) -> list[Json]:
    """By skills and quarter-hour: people asked, and short without and with the change."""
    problem, plan = result.plan.rest.problem, result.plan
    rows: dict[tuple[str, ...], Json] = {}
    for number, need in enumerate(problem.needs):
        skills = tuple(sorted(need.skills))
        row = rows.setdefault(skills, {
            "skills": list(skills), "from_min": [], "asked": [], "short_before": [], "short_after": [], "over_before": [],
            "over_after": [],
        })  # fmt: skip
        row["from_min"].append((need.day - result.day) * 1440 + need.start_min)
        row["asked"].append(need.people)
        for name, found in (("before", plan.before), ("after", plan.after)):
            row[f"short_{name}"].append(found.met[number].short)
            row[f"over_{name}"].append(found.met[number].over)
    return list(rows.values())


# --- in print ---------------------------------------------------------------------------------------------------------


def sentences(document: Json) -> list[str]:
    """What a planner on the day has to know first."""
    told = [_short(document), _what_happened(document), _who(document), _rules(document)]
    return [sentence for sentence in told if sentence]


def _hours_words(hours: float) -> str:
    return f"{hours:,.1f} h"


def _short(document: Json) -> str:
    before, after = document["short_hours"]["before"], document["short_hours"]["after"]
    when = f"From {document['weekday']} {document['from']} on"
    if not document["asked_hours"]:
        return f"{when} nobody is asked for: there is nothing to plan anew."
    of = f"of {document['asked_hours']:,.0f} hours on the queue that the rest of the day asks for"
    if not before:
        return f"{when} nobody is missing, {of}."
    if after == before:
        return f"{when} {_hours_words(before)} are short, {of}, and no change allowed on the day would save any at a price worth paying."
    return f"{when} {_hours_words(before)} would be short, {of}; planned anew, {_hours_words(after)} are."


def _what_happened(document: Json) -> str:
    load = document["load"]
    parts = []
    if load["before"] > 0 and abs(load["after"] / load["before"] - 1) >= 0.0005:
        changed = [
            row
            for row in load["by_type"]
            if row["before"] > 0 and abs(row["after"] / row["before"] - 1) >= 0.01
        ]
        changed.sort(key=lambda row: -abs(row["after"] - row["before"]))
        by = ", ".join(f"{row['title']} {_percent_more(row)}" for row in changed[:3])
        parts.append(
            f"the work that reaches people changes by {_percent_more(load)} for the rest of the day{f' ({by})' if by else ''}"
        )
    if document["sick"]:
        n, there = len(document["sick"]), document["sick_at_work"]
        parts.append(
            f"{counted(n, 'person') if n == 1 else f'{n:,} people'} sick, {there:,} of them with a shift that is not over"
        )
    return (
        f"What happened: {'; '.join(parts)}."
        if parts
        else "Nothing has happened: no other load than in the roster, nobody sick."
    )


def _percent_more(row: Json) -> str:
    return f"{100 * (row['after'] / row['before'] - 1):+.0f} %"


def _who(document: Json) -> str:
    counts, money = document["counts"], document["currency"]
    if not document["changes"]:
        return "Nobody's day changes."
    said = []
    if counts[STAYS]:
        cost = f"{document['overtime_cost']:,.0f} {money}"
        said.append(
            f"{_do(counts[STAYS], 'stays', 'stay')} longer ({_hours_words(document['overtime_hours'])} of overtime, {cost})"
        )
    if counts[COMES_IN]:
        cost = f"{document['called_in_cost']:,.0f} {money}"
        comes = _do(counts[COMES_IN], "comes", "come")
        said.append(f"{comes} in on a day off ({_hours_words(document['called_in_hours'])}, {cost})")
    if counts[LEAVES]:
        cost = f"{document['given_back_cost']:,.0f} {money}"
        said.append(
            f"{counts[LEAVES]:,} may go home early ({_hours_words(document['given_back_hours'])} given back, {cost})"
        )
    if counts[STARTS]:
        said.append(f"{_do(counts[STARTS], 'begins', 'begin')} at another time")
    if counts[BREAKS]:
        said.append(f"breaks move for {counts[BREAKS]:,}")
    if counts[QUEUES]:
        said.append(f"{_do(counts[QUEUES], 'takes', 'take')} other queues")
    return f"{'; '.join(said)[:1].upper()}{'; '.join(said)[1:]}."


def _do(n: int, one: str, several: str) -> str:
    """So many do something."""
    return f"{n:,} {one if n == 1 else several}"


def _rules(document: Json) -> str:
    broken = document["hard_rules_newly_broken"]
    if not broken:
        return "Every rule that the roster in force keeps is kept; all other days stay as they are."
    return f"Rules broken by this: {'; '.join(broken[:3])}."


def print_replan(out: Console, document: Json) -> None:
    """Sentences, then what changes for service, then who does what."""
    print_asked(out, document)
    for sentence in sentences(document):
        out.print(escape(sentence), highlight=False)
    _print_service(out, document)
    _print_changes(out, document)
    anchored = ", anchored anew as the kept run has no natural values" if document["anchored_anew"] else ""
    out.print(
        f"  The roster in force is that of {escape(document['run'])}{anchored}. {document['seconds']:.1f} s, seed {document['seed']}.",
        highlight=False,
    )


def _print_service(out: Console, document: Json) -> None:
    table = Table(
        title=f"{document['weekday']} {document['date']}, simulated {document['replications']} times as it would be and planned anew",
        title_justify="left",
    )
    table.add_column("Target")
    table.add_column("When")
    for name in ("As it would be", "Planned anew", "Aim", "Gained"):
        table.add_column(name, justify="right")
    for key, when in (("rest_of_day", f"from {document['from']}"), ("whole_day", "whole day")):
        for row in document["service"][key]:
            table.add_row(
                escape(row["what"].split(": ")[0]), when, *(_with_interval(row[name]) for name in ("before", "after")),
                f"{row['side']} {row['said_aim']}", _gained(row),
            )  # fmt: skip
    if table.row_count:
        out.print(table)
        out.print("  In brackets 95 % intervals; the same customers and absences in both.", highlight=False)


def _with_interval(row: Json) -> str:
    mean, low, high = row["said"]
    return f"{mean} ({low} to {high})"


def _gained(row: Json) -> str:
    e = row["gained"]
    factor, unit = (100, "points") if row["unit"] == "share" else (1, row["unit"])
    if e["mean"] is None:
        return ""
    text = f"{factor * e['mean']:+.1f}"
    if e["low"] is not None:
        text += f" ({factor * e['low']:+.1f} to {factor * e['high']:+.1f})"
    return f"{text} {unit}"


def _print_changes(out: Console, document: Json) -> None:
    rows = document["changes"]
    if not rows:
        return
    table = Table(title="Who does what otherwise", title_justify="left")
    for name in ("Person", "What", "Was", "Is"):
        table.add_column(name, overflow="fold", min_width=14 if name in ("Was", "Is") else None)
    table.add_column("Paid hours", justify="right", min_width=10)
    for row in rows[:MOST_LINES]:
        what = ", ".join(DONE[name] for name in row["what"])
        was = "off" if row["had"] is None else _span(row["had"], row, "had")
        hours = f"{row['extra_hours']:+.2g}" if row["extra_hours"] else ""
        table.add_row(escape(row["person"]), what, was, _span(row["has"], row, "has"), hours)
    out.print(table)
    if len(rows) > MOST_LINES:
        out.print(f"  and {len(rows) - MOST_LINES:,} more (--json has all)", highlight=False)


def _span(times: Json, row: Json, side: str) -> str:
    """Start and end; where breaks alone move, the first of them that is elsewhere on the other side."""
    text = f"{clock(times['start_min'])} to {clock(times['end_min'])}"
    if row["what"][0] != BREAKS:
        return text
    there = {(p["name"], p["start_min"]) for p in row["has" if side == "had" else "had"]["pauses"]}
    moved = [
        f"{p['name']} {clock(p['start_min'])}"
        for p in times["pauses"]
        if (p["name"], p["start_min"]) not in there
    ]
    more = ", ..." if len(moved) > 1 else ""
    return escape(f"{text}; {moved[0]}{more}") if moved else text
