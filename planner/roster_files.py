"""A roster's document as files: CSV by shift and by person, a workbook, and a calendar for each person.

Made from the document that `roster --json` prints, so that a kept run gives the same files. How much emotional work somebody has is
told of all together, never beside a name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from planner import roster_in_use
from planner.report import Json, result_words
from planner.roster_report import (
    EXPOSED,
    SPREAD,
    by_words,
    hour_price,
    price_words,
    relief_sentence,
    sentences,
)
from planner.rostering.published import LONG, WIDE, cell_name
from planner.rostering.rules import EMOTIONAL
from planner.scenario.csv_table import safe
from planner.scenario.schema import DAYS
from planner.words import clock

CHANGES = ("id", "group", "date", "day", "before", "after")
FORMATS = {"share": "0.0 %", "s": '0.0 "s"'}
SHORT, OVER, OFF = (PatternFill("solid", fgColor=colour) for colour in ("F8C6C0", "D7EAD3", "EEEEEE"))


# --- CSV -------------------------------------------------------------------------------------------------------------


def long_rows(document: Json) -> list[list[Any]]:
    """The columns `LONG` for each shift, in the order of people and days."""
    return [
        [
            work["person"], work["group"], work["date"], weekday_of(work["date"]), work["shift"], clock(work["start_min"]),
            clock(work["end_min"]), work["paid_min"] / 60, _pauses(work), _queues(work),
        ]
        for work in document["work"]
    ]  # fmt: skip


def _pauses(work: Json) -> str:
    return "; ".join(
        f"{cell_name(p['name'])} {clock(p['start_min'])}-{clock(p['end_min'])}" for p in work["pauses"]
    )


def _queues(work: Json) -> str:
    return "; ".join(
        f"{clock(q['start_min'])}-{clock(q['end_min'])} {cell_name(q['name'])}" for q in work["queues"]
    )


def wide_rows(document: Json) -> list[list[Any]]:
    """For each person id and group, then for each day the shift, empty where they are off, `leave` where they are on leave."""
    given = {(work["person"], work["day"]): shift_words(work) for work in document["work"]}
    return [
        [
            one["id"],
            one["group"],
            *(
                given.get((one["id"], day)) or ("leave" if day in one["leave_days"] else "")
                for day in range(1, document["horizon"]["days"] + 1)
            ),
        ]
        for one in document["persons"]
    ]


def wide_columns(document: Json) -> list[str]:
    """The columns of `wide_rows`."""
    return [*WIDE, *(f"{weekday_of(day)} {day}" for day in dates_of(document))]


def dates_of(document: Json) -> list[str]:
    """The dates of the horizon."""
    start = date.fromisoformat(document["horizon"]["start"])
    return [(start + timedelta(k)).isoformat() for k in range(document["horizon"]["days"])]


def weekday_of(day: str) -> str:
    """The weekday of a date as files have it: mon."""
    return DAYS[date.fromisoformat(day).weekday()]


def shift_words(work: Json) -> str:
    """A shift in a cell: early 08:00-16:30."""
    return f"{work['shift']} {clock(work['start_min'])}-{clock(work['end_min'])}"


def change_rows(document: Json) -> list[list[Any]]:
    """The columns `CHANGES` for each day on which somebody's shift is another than in the roster in use."""
    return [
        [row["id"], row["group"], row["date"], weekday_of(row["date"]), row["before"], row["after"]]
        for row in document["published"]["changes"]
    ]


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV text in which nothing is computed."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(columns)
    table.writerows(
        [safe(cell) if isinstance(cell, str) else f"{cell:g}" for cell in row] for row in rows
    )  # fmt: skip
    return out.getvalue().encode()


def long_csv(document: Json) -> bytes:
    """A row a shift; `--published` reads it back."""
    return csv_of(LONG, long_rows(document))


def wide_csv(document: Json) -> bytes:
    """A row a person; `--published` reads it back, but for pauses and queues."""
    return csv_of(wide_columns(document), wide_rows(document))


def changes_csv(document: Json) -> bytes:
    """What is changed in the roster in use."""
    return csv_of(CHANGES, change_rows(document))


# --- the workbook ----------------------------------------------------------------------------------------------------


def workbook(document: Json) -> bytes:
    """An XLSX workbook: summary, roster, shifts, cover, exposure and fairness, rules, reliefs, targets, and changes where there are any."""
    book = Workbook()
    book.remove(book.worksheets[0])
    _summary(book, document)
    _roster(book, document)
    _table(book, "Shifts", [_title(name) for name in LONG], long_rows(document))
    _cover(book, document)
    _fairness(book, document)
    _rules(book, document)
    _reliefs(book, document)
    _targets(book, document)
    if document["published"] is not None and not document["published"]["kept"]:
        _table(book, "Changes", [_title(name) for name in CHANGES], change_rows(document))
    if document["time_off"] is not None:
        _time_off(book, document)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _title(column: str) -> str:
    return column.replace("_", " ").capitalize()


def _put(cell: Cell, value: Any) -> Cell:
    """A value, texts as texts whatever they begin with."""
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(("=", "+", "-", "@"))
    else:
        cell.value = value
    return cell


def _sheet(book: Workbook, title: str, columns: Sequence[str]) -> Worksheet:
    sheet: Worksheet = book.create_sheet(title)
    for k, name in enumerate(columns, 1):
        _put(sheet.cell(1, k), name).font = Font(bold=True)
    sheet.freeze_panes = "A2"
    return sheet


def _table(book: Workbook, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Worksheet:
    sheet = _sheet(book, title, columns)
    widest = [len(name) for name in columns]
    for i, row in enumerate(rows, 2):
        for k, value in enumerate(row):
            _put(sheet.cell(i, k + 1), value)
            widest[k] = max(widest[k], len(str(value)))
    for k, n in enumerate(widest, 1):
        sheet.column_dimensions[get_column_letter(k)].width = min(n + 2, 60)
    return sheet


def _summary(book: Workbook, document: Json) -> None:
    told = (*sentences(document), relief_sentence(document), *roster_in_use.sentences(document))
    rows = [[sentence] for sentence in told if sentence]
    sheet = _table(book, "Summary", [f"{document['title']}, {document['policy_title']}"], rows)
    sheet.column_dimensions["A"].width = 120
    for row in sheet.iter_rows():
        row[0].alignment = Alignment(wrap_text=True, vertical="top")


def _roster(book: Workbook, document: Json) -> None:
    sheet = _table(book, "Roster", [_title(name) for name in wide_columns(document)], wide_rows(document))
    sheet.freeze_panes = "C2"
    for row in sheet.iter_rows(min_row=2, min_col=3):
        for cell in row:
            if cell.value in ("", "leave"):
                cell.fill = OFF


def _cover(book: Workbook, document: Json) -> None:
    """Quarter-hours down, days across: people there less people asked for, then those asked for; gaps and people to spare in colour."""
    days = [f"{weekday_of(day)} {day}" for day in dates_of(document)]
    n = len(days)
    sheet = _sheet(book, "Cover", ["Skill", "Time", *(f"{day}: more (+) or fewer than asked" for day in days), *(f"{day}: asked" for day in days)])  # fmt: skip
    for k in range(3, 3 + 2 * n):
        sheet.column_dimensions[get_column_letter(k)].width = 16
    sheet.row_dimensions[1].height = 48
    for cell in sheet[1]:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    at = 2
    for row in document["cover"]:
        per_day = len(row["asked"]) // n
        for slot in range(per_day):
            times = [day * per_day + slot for day in range(n)]
            if not any(row["asked"][t] for t in times):
                continue
            _put(sheet.cell(at, 1), row["skill"])
            _put(sheet.cell(at, 2), clock(slot * row["minutes"]))
            for day, t in enumerate(times):
                if not row["asked"][t]:
                    continue
                short, over = row["short"][t], row["over"][t]
                gap = _put(sheet.cell(at, 3 + day), over - short)
                if short or over:
                    gap.fill = SHORT if short else OVER
                _put(sheet.cell(at, 3 + n + day), row["asked"][t])
            at += 1
    sheet.freeze_panes = "C2"


def _fairness(book: Workbook, document: Json) -> None:
    """Least, median and most, and how many people have how much: nobody is named."""
    spread = {
        name: row
        for name, row in document["spread"].items()
        if isinstance(row, Mapping) and row.get("people")
    }
    names = {name: SPREAD.get(name) or _title(name) for name in spread}
    sheet = _table(
        book, "Exposure and fairness", ["Each has", "Least", "Median", "Most", "People"],
        [[names[name], row["least"], row["median"], row["most"], row["people"]] for name, row in spread.items()],
    )  # fmt: skip
    at = len(spread) + 3
    for name, row in spread.items():
        _put(sheet.cell(at, 1), names[name]).font = Font(bold=True)
        _put(sheet.cell(at, 2), "People")
        for value, people in row["counts"]:
            at += 1
            _put(sheet.cell(at, 1), value)
            _put(sheet.cell(at, 2), people)
        at += 2
    _exposed(sheet, at + 1, document)
    sheet.column_dimensions["A"].width = 60


def _exposed(sheet: Worksheet, at: int, document: Json) -> None:
    """Emotional minutes, as simulated and as planned, over all people."""
    known = {name: row for name, row in document["exposure"].items() if row["simulated"]["n"]}
    if not known:
        return
    heads = (
        "Emotional work, each has", "Median, simulated", "95 of 100 have less than", "Most, simulated", "Most, planned", "Limit for the plan",
        "Share simulated above it",
    )  # fmt: skip
    for k, head in enumerate(heads, 1):
        _put(sheet.cell(at, k), head).font = Font(bold=True)
    for name, row in known.items():
        at += 1
        lived, planned = row["simulated"], row["planned"]
        cells = (
            EXPOSED[name], lived["quantiles"]["0.5"], lived["quantiles"]["0.95"], lived["most"], planned["most"] if planned["n"] else None,
            row["limit_min"], row["share_above_limit"],
        )  # fmt: skip
        for k, value in enumerate(cells, 1):
            _put(sheet.cell(at, k), value).number_format = "0.0 %" if k == len(cells) else "0"


def _rules(book: Workbook, document: Json) -> None:
    rows = [
        [
            row["title"], price_words(row), "broken" if row["broken"] else "kept" if row["applies"] else "limits nobody", row["broken"],
            by_words(row), "" if row["rule"] in EMOTIONAL else "; ".join(row["texts"]),
        ]
        for row in document["rules"]
    ]  # fmt: skip
    columns = ["Rule", "Must hold, or its price in points", "Result", "Times broken", "By, in all", "Where"]
    sheet = _table(book, "Rules", columns, rows)
    for row in sheet.iter_rows(min_row=2):
        if row[2].value == "broken":
            row[2].fill = SHORT if row[1].value == "must hold" else OFF


def _reliefs(book: Workbook, document: Json) -> None:
    money, found = document["currency"], document["reliefs"]
    rows = [
        [
            row["what"], "yes" if row["clear"] else "no", row["saved_hours"], row["extra_paid_hours"], row["cost_per_week"],
            row["cost_once"], hour_price(row) if row["clear"] else "",
        ]
        for row in (found["tried"] if found else ())
    ]  # fmt: skip
    columns = [
        "Relief",
        "Clear",
        "Hours short saved",
        "Paid hours more",
        f"{money} a week",
        f"{money} once",
        f"{money} for an hour saved",
    ]
    _table(book, "Reliefs", columns, rows)


def _targets(book: Workbook, document: Json) -> None:
    rows = [
        [t["what"], t["when"], t["mean"], t["low"], t["high"], f"{t['side']} {t['said'][3]}", result_words(t)]
        for t in document["targets"]
    ]  # fmt: skip
    columns = ["Target", "Window", "Simulated", "95 % interval, low", "95 % interval, high", "Aim", "Result"]
    sheet = _table(book, "Targets", columns, rows)
    for target, row in zip(document["targets"], sheet.iter_rows(min_row=2), strict=True):
        for cell in row[2:5]:
            cell.number_format = FORMATS.get(target["unit"], "0.0")
        if row[6].value == "missed":
            row[6].fill = SHORT


def _time_off(book: Workbook, document: Json) -> None:
    rows = [
        [row["id"], row["group"], row["date"], row["shift"], row["paid_hours"], row["pay"], row["over_hours"]]
        for row in document["time_off"]["shifts"]
    ]  # fmt: skip
    columns = [
        "Id",
        "Group",
        "Date",
        "Shift",
        "Paid hours",
        f"Pay, {document['currency']}",
        "Hours over in its time",
    ]
    _table(book, "Time off", columns, rows)


# --- calendars -------------------------------------------------------------------------------------------------------


def calendars(document: Json, made: datetime | None = None) -> dict[str, bytes]:
    """By file name, a calendar (RFC 5545) of each person who has a shift, in the person's time zone, else the centre's, else local time.

    An event is known by the person and the day: a calendar of a later roster changes it where it stands.
    """
    stamp = made or datetime.now(UTC)
    centre = document["time_zone"]
    by_person: dict[str, list[Json]] = {}
    for work in document["work"]:
        by_person.setdefault(work["person"], []).append(work)
    found: dict[str, bytes] = {}
    names: set[str] = set()
    for one in document["persons"]:
        if one["id"] not in by_person:
            continue
        calendar = Calendar()
        calendar.add("prodid", "-//Unhurried//Roster//EN")
        calendar.add("version", "2.0")
        calendar.add("x-wr-calname", f"{document['title']}: {one['id']}")
        for work in by_person[one["id"]]:
            calendar.add_component(_event(document, work, one, centre, stamp))
        if centre:
            years = [date.fromisoformat(day).year for day in (dates_of(document)[0], dates_of(document)[-1])]
            calendar.add_missing_timezones(date(years[0] - 1, 1, 1), date(years[1] + 1, 12, 31))
        found[_file_name(one["id"], names)] = calendar.to_ical()
    return found


def _event(document: Json, work: Json, person: Json, centre: str | None, stamp: datetime) -> Event:
    def at(minute: int) -> datetime:
        local = datetime.fromisoformat(work["date"]) + timedelta(minutes=minute)
        if centre is None:
            return local
        # By way of UTC, for a time that the clock skips is told as the one after it.
        there = local.replace(tzinfo=ZoneInfo(centre)).astimezone(UTC)
        return there.astimezone(ZoneInfo(person["time_zone"] or centre))

    def span(part: Json) -> str:
        return f"{at(part['start_min']):%H:%M}-{at(part['end_min']):%H:%M}"

    event = Event()
    event.add("uid", f"{quote(person['id'])}-{work['date']}@{document['scenario']}.unhurried")
    event.add("dtstamp", stamp)
    event.add("summary", work["shift"])
    event.add("dtstart", at(work["start_min"]))
    event.add("dtend", at(work["end_min"]))
    lines = [f"{pause['name']} {span(pause)}" for pause in work["pauses"]]
    lines += [f"{span(queue)} {queue['name']}" for queue in work["queues"]]
    if lines:
        event.add("description", "\n".join(lines))
    if person["site"]:
        event.add("location", person["site"])
    return event


def _file_name(person: str, taken: set[str]) -> str:
    """A name that every file system takes, and none takes for another's."""
    stem = re.sub(r"[^\w.@-]+", "-", person).strip(".-") or "person"
    name, n = stem, 1
    while name.lower() in taken:
        n += 1
        name = f"{stem}-{n}"
    taken.add(name.lower())
    return f"{name}.ics"
