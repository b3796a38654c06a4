"""The roster in use beside a new one: what each keeps and costs, which shifts change, and what that buys. Also overtime and time off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner.report import Json
from planner.roster_report import MOST_LINES, rule_rows, spread_of
from planner.rostering.problem import WEEK_DAYS, NamedRoster, RosterProblem, Work
from planner.rostering.rules.base import published_duties
from planner.rostering.staff import Staffed
from planner.rostering.time_off import given_back
from planner.rostering.validate import short_hours
from planner.rostering.wishes import Asked
from planner.scenario.problems import counted
from planner.words import clock

# --- documents -------------------------------------------------------------------------------------------------------


def standing(result: Staffed) -> Json:
    """What a roster keeps, lacks and costs; against the requirement's own needs, and simulated."""
    problem, named = result.asked, result.outcome.roster
    rows = rule_rows(result.against, problem)
    spread = spread_of(problem, result.against, result)
    return {
        "shifts": len(named.work),
        "paid_hours": sum(problem.paid_min(named)) / 60,
        "overtime_hours": sum(overtime_minutes(problem, named)) / 60,
        "pay_per_week": pay(result, named) * WEEK_DAYS / problem.days,
        "short_hours": short_hours(problem, result.against),
        "over_hours": sum(m.over * problem.needs[m.need].minutes for m in result.against.met) / 60,
        "targets_missed": len(result.proof.missed),
        "windows": len(result.proof.verdicts),
        "rules_broken": [
            {"rule": row["rule"], "title": row["title"], "broken": row["broken"], "by": row["by"], "price": row["price"]}
            for row in rows if row["broken"] and row["rule"] != "changes"
        ],
        "hard_rules_broken": sum(row["broken"] for row in rows if row["price"] is None),
        "nights": spread["nights"],
        "weekends": spread["weekends"],
        "requests_refused": len(result.against.refused),
    }  # fmt: skip


def overtime_minutes(problem: RosterProblem, named: NamedRoster) -> list[int]:
    """By person the paid minutes over the horizon beyond those agreed, or else beyond the contract's most."""
    found = []
    for minutes, person in zip(problem.paid_min(named), problem.people, strict=True):
        terms = person.terms
        agreed = terms.most_paid_min if terms.agreed_paid_min is None else terms.agreed_paid_min
        found.append(0 if agreed is None else max(0, minutes - agreed))
    return found


def pay(result: Staffed, named: NamedRoster) -> float:
    """What paid time over the horizon costs, overtime with its premium."""
    scenario, problem = result.scenario, result.asked
    rates = [scenario.groups[one.group].cost_per_hour / 60 for one in result.people]
    plain = sum(rates[work.person] * problem.duties[work.duty].paid_min for work in named.work)
    beyond = sum(n * rate for n, rate in zip(overtime_minutes(problem, named), rates, strict=True))
    return plain + scenario.costs.overtime_premium * beyond


def changes(in_use: Staffed, new: Staffed) -> list[Json]:
    """Each day on which somebody has another duty than in the roster in use, in the order of people and days."""
    problem, start = new.asked, new.scenario.horizon.start
    before = published_duties(problem._replace(published=in_use.outcome.roster))
    after = published_duties(problem._replace(published=new.outcome.roster))
    return [
        {
            "id": problem.people[person].id, "group": new.people[person].group, "day": day + 1,
            "date": (start + timedelta(day)).isoformat(), "before": _said(problem, before.get((person, day))),
            "after": _said(problem, after.get((person, day))),
        }
        for person, day in sorted(before.keys() | after.keys())
        if before.get((person, day)) != after.get((person, day))
    ]  # fmt: skip


def _said(problem: RosterProblem, number: int | None) -> str:
    if number is None:
        return "off"
    duty = problem.duties[number]
    pauses = sum(pause.kind == "decompression" for pause in duty.pauses)
    told = f" with {counted(pauses, 'decompression')}" if pauses else ""
    return f"{duty.kind} {clock(duty.start_min)}-{clock(duty.end_min)}{told}"


def published_document(asked: Asked, in_use: Staffed, new: Staffed) -> Json:
    """What `published` holds in the document of a roster."""
    wishes = asked.wishes
    rows = [] if wishes.keep else changes(in_use, new)
    return {
        "file": wishes.published.name if wishes.published else "",
        "kept": wishes.keep,
        "change_price": wishes.change_price,
        "locks": list(wishes.locks),
        "locked_days": len(asked.locked),
        "changed_shifts": len(rows),
        "changed_people": len({row["id"] for row in rows}),
        "changes": rows,
        "in_use": standing(in_use),
        "new": None if wishes.keep else standing(new),
    }


def overtime_document(asked: Asked, result: Staffed) -> Json | None:
    """How much overtime is worked and what its premium costs; None where none was offered."""
    if not asked.wishes.overtime_hours:
        return None
    problem, scenario = result.asked, result.scenario
    beyond = overtime_minutes(problem, result.outcome.roster)
    rates = [scenario.groups[one.group].cost_per_hour / 60 for one in result.people]
    plain = sum(n * rate for n, rate in zip(beyond, rates, strict=True))
    return {
        "hours_per_week_offered": asked.wishes.overtime_hours,
        "points_per_quarter": problem.prices["overtime"],
        "people": sum(n > 0 for n in beyond),
        "hours": sum(beyond) / 60,
        "pay": plain * (1 + scenario.costs.overtime_premium),
        "premium": plain * scenario.costs.overtime_premium,
    }


def without(result: Staffed) -> tuple[list[Json], NamedRoster]:
    """Shifts that can be given back, largest over first, and the roster without all of them."""
    scenario, problem, named = result.scenario, result.asked, result.outcome.roster
    found = given_back(problem, named)
    gone: set[Work] = {one.work for one in found}
    beyond = overtime_minutes(problem, named)
    rows = []
    for one in found:
        rate = scenario.groups[result.people[one.work.person].group].cost_per_hour / 60
        extra = min(beyond[one.work.person], one.paid_min)
        beyond[one.work.person] -= extra
        rows.append({
            "id": problem.people[one.work.person].id, "group": result.people[one.work.person].group,
            "day": one.work.day + 1, "date": (scenario.horizon.start + timedelta(one.work.day)).isoformat(),
            "shift": _said(problem, one.work.duty), "paid_hours": one.paid_min / 60,
            "pay": rate * (one.paid_min + scenario.costs.overtime_premium * extra), "over_hours": one.over_hours,
        })  # fmt: skip
    return rows, NamedRoster(tuple(work for work in named.work if work not in gone))


def time_off_document(rows: Sequence[Json], before: Staffed, after: Staffed | None) -> Json:
    """What can be given back, what that saves, and how many target windows are missed before and after, simulated."""
    return {
        "shifts": list(rows),
        "hours": sum(row["paid_hours"] for row in rows),
        "pay": sum(row["pay"] for row in rows),
        "targets_missed_before": len(before.proof.missed),
        "targets_missed_after": len((after or before).proof.missed),
    }


# --- in print --------------------------------------------------------------------------------------------------------


def sentences(document: Json) -> list[str]:
    """What changes and what that buys; overtime; what can be given back."""
    found = []
    if (known := document["published"]) is not None:
        found.append(_kept(known) if known["kept"] else _changed(known))
    if (extra := document["overtime"]) is not None:
        money = document["currency"]
        found.append(
            "Overtime: none is worth its price."
            if not extra["people"]
            else f"Overtime: {extra['hours']:,.1f} hours by {_people(extra['people'])} "
            f"(up to {extra['hours_per_week_offered']:g} a week each), {_money(extra['pay'], money)}, {_money(extra['premium'], money)} of it premium."
        )
    if (off := document["time_off"]) is not None:
        found.append(_given_back(off, document["currency"]))
    return found


def _money(amount: float, currency: str) -> str:
    return f"{amount:,.0f} {currency}"


def _people(n: int) -> str:
    return "1 person" if n == 1 else f"{n:,} people"


def _kept(known: Json) -> str:
    now = known["in_use"]
    broken = ", ".join(
        f"{row['title'].lower()} ({row['broken']})" for row in now["rules_broken"] if row["price"] is None
    )
    rules = f"rules broken: {broken}" if broken else "every rule that must hold is kept"
    return f"This is the roster in use, from {known['file']}, as it stands; {rules}."


def _changed(known: Json) -> str:
    before, after = known["in_use"], known["new"]
    if not known["changed_shifts"]:
        return f"No shift changes in the roster in use ({known['file']}): nothing that was tried, at {known['change_price']:,} points a change, proves better."
    n = known["changed_shifts"]
    return (
        f"Of the roster in use ({known['file']}) {n:,} {'shift changes' if n == 1 else 'shifts change'}, of {_people(known['changed_people'])}, "
        f"which gives: hours short {before['short_hours']:,.1f} before, {after['short_hours']:,.1f} after; "
        f"target windows missed {before['targets_missed']} before, {after['targets_missed']} after, of {after['windows']}, both simulated; "
        f"rules broken {before['hard_rules_broken']} before, {after['hard_rules_broken']} after."
    )


def _given_back(off: Json, money: str) -> str:
    n = len(off["shifts"])
    if not n:
        return "Time off: no shift can be given back without making anybody short."
    return (
        f"Time off: {counted(n, 'shift')} can be given back, {off['hours']:,.1f} paid hours, {_money(off['pay'], money)}; "
        f"target windows missed, simulated: {off['targets_missed_before']} with them, {off['targets_missed_after']} without."
    )


def print_in_use(out: Console, document: Json) -> None:
    """Sentences, the two rosters side by side, what changes, and what can be given back."""
    for sentence in sentences(document):
        out.print(escape(sentence), highlight=False)
    known = document["published"]
    if known is not None and not known["kept"]:
        _print_side_by_side(out, document)
        _print_rows(
            out, "Shifts that change", ("Id", "Date", "Before", "After"),
            [(row["id"], row["date"], row["before"], row["after"]) for row in known["changes"]], "--changes FILE.csv",
        )  # fmt: skip
    if document["time_off"] is not None and document["time_off"]["shifts"]:
        _print_rows(
            out, "Shifts that can be given back, the largest over first", ("Id", "Date", "Shift", "Paid hours", f"Pay, {document['currency']}"),
            [(row["id"], row["date"], row["shift"], f"{row['paid_hours']:g}", f"{row['pay']:,.0f}") for row in document["time_off"]["shifts"]],
            "--json",
        )  # fmt: skip


def side_by_side(document: Json) -> list[tuple[str, str, str]]:
    """What the roster in use and the new one come to: name, before, after."""
    before, after = document["published"]["in_use"], document["published"]["new"]
    rows = [
        (title, f"{before[key]:,.{digits}f}", f"{after[key]:,.{digits}f}")
        for title, key, digits in (
            ("Shifts", "shifts", 0), ("Paid hours", "paid_hours", 1), ("Overtime hours", "overtime_hours", 1),
            (f"Pay a week, {document['currency']}", "pay_per_week", 0), ("Hours short", "short_hours", 1), ("Hours over", "over_hours", 1),
            (f"Target windows missed, of {after['windows']}", "targets_missed", 0),
            ("Times that a rule that must hold is broken", "hard_rules_broken", 0), ("Requests refused", "requests_refused", 0),
        )
    ]  # fmt: skip
    return rows + [
        (title, _range(before[key]), _range(after[key]))
        for title, key in (
            ("Nights of a person, least to most", "nights"),
            ("Weekends of a person, least to most", "weekends"),
        )
    ]


def _print_side_by_side(out: Console, document: Json) -> None:
    table = Table(title="The roster in use and the new one, both simulated", title_justify="left")
    table.add_column("")
    for name in ("In use", "New"):
        table.add_column(name, justify="right")
    for row in side_by_side(document):
        table.add_row(*row)
    out.print(table)


def _range(row: Json) -> str:
    return f"{row['least']:g} to {row['most']:g}" if row["people"] else ""


def _print_rows(
    out: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], where: str
) -> None:
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows[:MOST_LINES]:
        table.add_row(*(escape(str(cell)) for cell in row))
    out.print(table)
    if len(rows) > MOST_LINES:
        out.print(f"  and {len(rows) - MOST_LINES:,} more ({where} has all)", highlight=False)
