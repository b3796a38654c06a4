"""The people in force as a document, a table and a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from planner import new_files
from planner.rostering.people import Employee, asked_hours, listed, newcomer_weeks, people_of
from planner.scenario.people_file import spans_text, written
from planner.scenario.schema import Person, Scenario

MOST_NOTICES = 20
MOST_ID = 26
"""Characters of an id that are kept on one line."""


def document_of(scenario: Scenario) -> dict[str, Any]:
    """The list in force, how many paid hours it has, and how many today's contacts ask for."""
    people = people_of(scenario)
    return {
        "scenario": scenario.name,
        "title": scenario.title or scenario.name,
        "made_from_headcounts": not scenario.people,
        "number": len(people),
        "can_be_rostered": bool(people and scenario.shifts),
        "least_hours_per_week": sum(one.least_hours for one in people),
        "most_hours_per_week": sum(one.most_hours for one in people),
        "asked_hours_per_week": asked_hours(scenario),
        "newcomers": [one.id for one in people if one.newcomer],
        "newcomer_weeks": newcomer_weeks(scenario),
        "people": [_row(one, said) for one, said in zip(people, listed(scenario), strict=True)],
    }


def _row(one: Employee, said: Person) -> dict[str, Any]:
    return {
        "id": one.id,
        "group": one.group,
        "skills": dict(one.skills),
        "contract": one.contract,
        "least_hours": one.least_hours,
        "most_hours": one.most_hours,
        "least_days": one.least_days,
        "most_days": one.most_days,
        "shifts": list(one.only),
        "availability": {days: spans_text(spans) for days, spans in said.availability.items()},
        "leave": [list(stretch) for stretch in said.leave],
        "leave_days": [day + 1 for day in one.leave],
        "requests": [wish.model_dump() for wish in said.requests],
        "site": one.site,
        "time_zone": one.time_zone,
        "tenure_weeks": one.tenure_weeks,
        "newcomer": one.newcomer,
    }


def sentence(document: dict[str, Any]) -> str:
    """How many there are, what they are paid for against what is asked, and who is new."""
    n, new = document["number"], document["newcomers"]
    if not n:
        return "Nobody is employed in this scenario (headcount, or a list of people)."
    least, most = document["least_hours_per_week"], document["most_hours_per_week"]
    whence = "made from the groups' headcounts" if document["made_from_headcounts"] else "listed"
    who = f"{n:,} {'person' if n == 1 else 'people'}, {whence}"
    hours = f"{least:,.0f} to {most:,.0f} paid hours a week by contract, leave inside"
    asked = f"today's contacts ask for about {document['asked_hours_per_week']:,.0f} (Erlang C, a first guess: unhurried plan finds it by simulation)"
    weeks = f"{document['newcomer_weeks']:g} weeks"
    newcomers = f"Nobody is a newcomer (less than {weeks})."
    if new:
        shown = ", ".join(new[:8]) + (f" and {len(new) - 8} more" if len(new) > 8 else "")
        newcomers = f"Newcomers, here for less than {weeks}: {shown}."
    without = (
        ""
        if document["can_be_rostered"]
        else " Without a shift catalogue (shifts) nobody can be rostered by name."
    )
    return f"{who}: {hours}; {asked}. {newcomers}{without}"


def print_notices(out: Console, texts: list[str]) -> None:
    """What is worth knowing of a list, a line each; of very many the first."""
    for text in texts[:MOST_NOTICES]:
        out.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)
    if len(texts) > MOST_NOTICES:
        out.print(
            f"  ... and {len(texts) - MOST_NOTICES:,} more of this kind (--json has all)", highlight=False
        )


def print_people(out: Console, document: dict[str, Any]) -> None:
    """The sentence, what is worth knowing, and the table."""
    out.print(f"[bold]{escape(document['title'])}[/bold]\n{escape(sentence(document))}", highlight=False)
    print_notices(out, [notice["text"] for notice in document["notices"]])
    if not document["people"]:
        return
    _print_groups(out, document["people"])
    widest = max(len(row["id"]) + len(" (new)") * row["newcomer"] for row in document["people"])
    table = Table(title="Everybody", title_justify="left")
    for name in ("Id", "Group", "Skills", "Contract, hours a week", "Availability", "Leave"):
        table.add_column(name, overflow="fold", min_width=min(widest, MOST_ID) if name == "Id" else None)
    for row in document["people"]:
        hours = f"{row['least_hours']:g} to {row['most_hours']:g}"
        skills = ", ".join(
            name if share == 1 else f"{name} {share:g}" for name, share in row["skills"].items()
        )
        cells = (
            row["id"] + (" (new)" if row["newcomer"] else ""),
            row["group"],
            skills,
            f"{row['contract']}: {hours}" if row["contract"] else hours,
            "; ".join(f"{days} {hours}" for days, hours in row["availability"].items()) or "always",
            "; ".join(first if first == last else f"{first}..{last}" for first, last in row["leave"]),
        )
        table.add_row(*(escape(cell) for cell in cells))
    out.print(table)


def _print_groups(out: Console, people: list[dict[str, Any]]) -> None:
    """How many there are of each group, what they are paid for by contract, and their days of leave; the last row adds up."""
    table = Table(title="By group", title_justify="left")
    table.add_column("Group", overflow="fold")
    for name in ("People", "Newcomers", "Paid hours a week, least", "most", "Days of leave"):
        table.add_column(name, justify="right")
    groups = list(dict.fromkeys(row["group"] for row in people))
    for name, rows in ((g, [row for row in people if row["group"] == g]) for g in groups):
        table.add_row(escape(name), *_added(rows))
    if len(groups) > 1:
        table.add_section()
        table.add_row("All", *_added(people))
    out.print(table)


def _added(rows: list[dict[str, Any]]) -> list[str]:
    sums = (
        len(rows), sum(row["newcomer"] for row in rows), sum(row["least_hours"] for row in rows), sum(row["most_hours"] for row in rows),
        sum(len(row["leave_days"]) for row in rows),
    )  # fmt: skip
    return [f"{n:,.0f}" for n in sums]


def write(path: Path, scenario: Scenario) -> None:
    """The list in force as a new CSV file, whole or not at all. Raises OSError."""
    new_files.write({path: written(listed(scenario)).encode()})
