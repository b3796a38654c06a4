"""A roster in use as it is read, files as they are written, what is locked, overtime and shifts that can be given back."""

import csv
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from icalendar import Calendar
from lines import DUTIES, person

sys.path.insert(0, str(Path(__file__).parents[1]))
import small

from planner import new_files, roster_files
from planner.rostering import published, wishes
from planner.rostering.people import needs_of_cover, problem_of, roster_of
from planner.rostering.problem import Duty, NamedRoster, Need, Pause, RosterProblem, Terms, Work
from planner.rostering.time_off import given_back
from planner.rostering.validate import audit
from planner.scenario.csv_table import plain, safe
from planner.scenario.problems import ScenarioError

SCENARIO = small.tiny(time_zone="Europe/Berlin")
PROBLEM = problem_of(SCENARIO, ())
HEAD = "id,date,shift,start"
LUNCHES = "pause 10:00-10:15; lunch 12:00-12:30; off the phone 13:00-13:15; pause 15:00-15:15"


def read(text: str | bytes, scenario=SCENARIO, problem=None) -> NamedRoster:
    data = text if isinstance(text, bytes) else text.encode()
    known = problem or (PROBLEM if scenario is SCENARIO else problem_of(scenario, ()))
    return published.read("in_use.csv", data, scenario, known)


def refused(text: str | bytes, **how) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read(text, **how)
    return str(caught.value).splitlines()


def number(kind: str, start: int, problem: RosterProblem = PROBLEM) -> int:
    return next(k for k, d in enumerate(problem.duties) if (d.kind, d.start_min) == (kind, start))


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_shift_is_the_duty_of_its_kind_and_start():
    found = read(f"{HEAD}\ncare-002,2026-03-03,early,9:00\nfront-001,2026-03-02,day,08:45:00\n")
    assert [(w.person, w.day, w.duty) for w in found.work] == [
        (0, 0, number("day", 525)),
        (5, 1, number("early", 540)),
    ]


def test_pauses_are_those_of_the_file():
    found = read(f'{HEAD},pauses\nfront-001,2026-03-02,day,09:00,"{LUNCHES}"\n')
    assert found.work[0].pauses == (600, 720, 780, 900)
    shuffled = read(
        f'{HEAD},pauses\nfront-001,2026-03-02,day,09:00,"pause 15:00; lunch 12:00; pause 10:00; off the phone 13:00"\n'
    )
    assert shuffled == found


def test_without_pauses_people_with_the_same_shift_take_turns():
    rows = "".join(f"front-00{k},2026-03-02,day,09:00\n" for k in (1, 2, 3))
    found = read(f"{HEAD}\n{rows}care-001,2026-03-02,early,09:00\n")
    lunches = [work.pauses[1] for work in found.work[:3]]
    assert lunches == sorted(set(lunches))
    duty = PROBLEM.duties[found.work[3].duty]
    assert (
        found.work[3].pauses[0]
        == 540 + (duty.pauses[0].earliest_min + duty.pauses[0].latest_min) // 2 // 15 * 15
    )
    assert not [b for b in audit(PROBLEM, found).hard if b.rule == "pauses"]


def test_pauses_that_crowd_each_other_still_fit():
    crowded = Duty("D", 0, 60, 60, tuple(Pause(name, 15, True, 0, 45) for name in "abcd"))
    assert all(published.pauses_at(crowded, share) == (0, 15, 30, 45) for share in (0.0, 0.5, 0.9))
    wide = Duty("D", 0, 240, 240, (Pause("a", 15, True, 60, 120),))
    assert [published.pauses_at(wide, share) for share in (0.0, 0.5, 1.0)] == [(60,), (90,), (120,)]


def test_a_row_a_person_reads_as_well():
    wide = read(
        "id,group,mon 2026-03-02,2026-03-03\nfront-001,front,day 08:45-16:45,off\ncare-002,care,leave,early 09:00\n"
    )
    assert [(w.person, w.day, w.duty) for w in wide.work] == [
        (0, 0, number("day", 525)),
        (5, 1, number("early", 540)),
    ]


WRONG = {
    "somebody unknown": (
        "front-01,2026-03-02,day,09:00,,", "in_use.csv:2: id: must be an id of the people in force: front-001, front-002, ",
    ),
    "close to somebody": ("front_001,2026-03-02,day,09:00,,", "did you mean front-001?"),
    "an unknown shift": (
        "front-001,2026-03-02,dya,09:00,,", "in_use.csv:2: shift: must be a shift of the catalogue: day, early, late, peak (found 'dya'; did you mean day?)",
    ),
    "a start that there is not": (
        "front-001,2026-03-02,day,10:00,,", "in_use.csv:2: start: must be a start of the shift day: 08:45, 09:00 (found '10:00')",
    ),
    "a start that is none": ("front-001,2026-03-02,day,ten,,", "must be a start of the shift day"),
    "another end": (
        "front-001,2026-03-02,day,09:00,18:00,", "in_use.csv:2: end: must be 17:00, when a shift day from 09:00 ends (found '18:00')",
    ),
    "a date that is none": ("front-001,3/2/2026,day,09:00,,", "in_use.csv:2: date: must be a date like 2026-03-02 (found '3/2/2026')"),
    "a date beyond": (
        "front-001,2026-03-09,day,09:00,,", "in_use.csv:2: date: must lie within the horizon, 2026-03-02 to 2026-03-03 (found '2026-03-09')",
    ),
    "pauses of another shift": (
        "front-001,2026-03-02,day,09:00,,tea 10:00", "in_use.csv:2: pauses: must be the pauses of the shift in their order (pause; lunch; ",
    ),
    "pauses that are none": ("front-001,2026-03-02,day,09:00,,10:00 tea", "must be pauses with their times, like lunch 12:00-12:30"),
    "times that are none": ("front-001,2026-03-02,early,09:00,,pause 25:00", "pauses: must have times from 00:00 to 24:00"),
    "too long a pause": ("front-001,2026-03-02,early,09:00,,pause 10:30-11:30; off the phone 12:00", "must last 15 minutes, as pause does"),
    "a pause outside": ("front-001,2026-03-02,early,09:00,,off the phone 12:00; pause 14:00", "must be the pauses of the shift"),
    "pauses that overlap": (
        "front-001,2026-03-02,early,09:00,,pause 10:30; off the phone 10:35", "must lie within the shift, 09:00 to 13:30, and overlap no other pause",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rows_are_told_with_line_column_and_what_is_allowed(name):
    row, told = WRONG[name]
    lines = refused(f"{HEAD},end,pauses\n{row}\n")
    assert len(lines) == 1
    assert told in lines[0]


def test_groups_weekdays_and_rows_twice():
    lines = refused(
        f"{HEAD},group,day\nfront-001,2026-03-02,day,09:00,care,mon\nfront-001,2026-03-02,early,09:00,front,tue\n"
        "front-002,2026-03-02,day,09:00,front,Monday\nfront-002,2026-03-02,early,09:00,front,Mon\n"
    )
    assert lines == [
        "in_use.csv:2: group: must be front, the group of front-001 (found 'care')",
        "in_use.csv:3: day: must be mon, which 2026-03-02 is (found 'tue')",
        "in_use.csv:3: shift: is a second shift of front-001 on a day: the first is in line 2 (found 'early')",
        "in_use.csv:5: shift: is a second shift of front-002 on a day: the first is in line 4 (found 'early')",
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("", "in_use.csv: is empty: its first line must name columns (id, date, shift, start, ...)"),
        (f"{HEAD}\n", "in_use.csv: has no shift: a roster that nobody works is none"),
        ("id;date;shift;start\n", "in_use.csv:1: separates its columns by semicolons: save it with commas"),
        ("id,date,shitf,start\n", "in_use.csv:1: may have the columns id, group, date, day, shift, start, end, "),
        ("id,date,start\n", "in_use.csv:1: lacks the column shift"),
        ("id,date,shift,start,start\n", "in_use.csv:1: has the column start twice: keep one"),
        (f"{HEAD}\nfront-001,2026-03-02,day\n", "in_use.csv:2: must have 4 cells, as the first line has"),
        (b"PK\x03\x04sheet", "in_use.csv: is a workbook, not a CSV file: save the sheet as CSV (UTF-8)"),
        ("id,2026-03-02,2026-03-02\n", "in_use.csv:1: has the column 2026-03-02 twice: keep one"),
        ("id,2026-03-02,mon 2026-03-02\n", "in_use.csv:1: is the day of the column 2026-03-02 too: keep one"),
        ("id,2026-04-02\n", "in_use.csv:1: must lie within the horizon, 2026-03-02 to 2026-03-03"),
        ("grp,2026-03-02\n", "in_use.csv:1: may have the columns id, group, 2026-03-02 (found column 'grp'"),
        ("id,2026-03-02\nfront-001,day\n", "in_use.csv:2: 2026-03-02: must be a shift with its times, like early 08:00-16:30, or off"),
        ("id,2026-03-02\nfront-001,day 9:15\n", "in_use.csv:2: 2026-03-02: must be a start of the shift day: 08:45, 09:00"),
        ("id,2026-03-02\nfront-001,day 9:00\nfront-001,early 9:00\n", "in_use.csv:3: 2026-03-02: is a second shift of front-001"),
        ("id,2026-03-02\nfront-001,off\n", "in_use.csv: has no shift: a roster that nobody works is none"),
    ],
)  # fmt: skip
def test_wrong_columns_and_forms(data, told):
    assert refused(data)[0].startswith(told)


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "roster.csv").write_text("x" * 5_000_001)
    for name, told in (
        ("rooster.csv", "rooster.csv: no such file (did you mean roster.csv?)"),
        (".", "is a folder, not a CSV file"),
        ("roster.csv", "is too large for a roster: 5.0 MB, at most 5 MB"),
        ("a\0b", "not a file name"),
    ):
        with pytest.raises(ScenarioError) as caught:
            published.bytes_of(tmp_path / name)
        assert told in str(caught.value)


# --- queues that rotate ---------------------------------------------------------------------------------------------

ROTATING = small.tiny(labour_rules={"rotation": {"most_min": 120}}, shrinkage=[])


def test_queues_are_read_by_the_time_at_which_a_stretch_begins():
    head, row = f"{HEAD},pauses,queues\n", 'front-001,2026-03-02,early,09:00,pause 10:30-10:45,"{}"\n'
    problem = problem_of(ROTATING, ())
    names = [problem.posts[k].name for k in problem.people[0].posts]
    assert names == ["all", "emotional", "routine"]
    found = read(head + row.format("09:00-10:30 emotional; 10:45-13:30 routine"), scenario=ROTATING)
    assert [problem.posts[k].name for k in found.work[0].posts] == ["emotional", "routine"]
    usual = read(head + row.format("09:00-10:30 all; 10:45-13:30 all"), scenario=ROTATING)
    assert usual.work[0].posts == ()
    for text, told in (
        ("emotional", "must be times with their queues, like 09:00-11:00 emotional"),
        ("09:00-10:30 emotinal; 10:45-13:30 all", "must be one of: all, emotional, routine (found 'emotinal'; did you mean emotional?)"),
        ("09:00-13:30 emotional", "must say the queue from 10:45, where a stretch begins"),
        ("09:00-10:30 all; 10:45-12:00 all; 12:00-13:30 routine", "must change queues at pauses: no stretch begins at 12:00"),
    ):  # fmt: skip
        assert told in refused(head + row.format(text), scenario=ROTATING)[0]
    alone = refused(f"{HEAD},queues\nfront-001,2026-03-02,early,09:00,09:00-10:30 all\n")
    assert "must be empty: this person's queues do not rotate" in alone[0]


# --- writing --------------------------------------------------------------------------------------------------------


def work(who: str, group: str, day: int, shift: str, start: int, end: int, pauses=(), queues=()) -> dict:
    return {
        "person": who, "group": group, "day": day, "date": f"2026-03-0{day + 1}", "shift": shift, "start_min": start, "end_min": end,
        "paid_min": end - start, "queues": [{"name": n, "start_min": a, "end_min": b} for n, a, b in queues],
        "pauses": [{"name": n, "kind": "break", "paid": True, "start_min": a, "end_min": b} for n, a, b in pauses],
    }  # fmt: skip


def document(**changes) -> dict:
    target = {
        "what": "Service level", "when": "Monday", "said": ["70 %", "60 %", "80 %", "75 %"], "side": "at least", "met": False, "held": False,
        "used": 1.2, "mean": 0.7, "low": 0.6, "high": None, "unit": "share",
    }  # fmt: skip
    rules = [
        {"rule": "rest", "title": "Rest between shifts", "price": None, "applies": True, "broken": 1, "by": 30, "texts": ["=Ann rests too little"]},
        {"rule": "exposure_day", "title": "Emotional work in a day", "price": 1, "applies": True, "broken": 1, "by": 9, "texts": ["Ann: 99 emotional minutes"]},
        {"rule": "weekends", "title": "Weekends at most", "price": None, "applies": False, "broken": 0, "by": 0, "texts": []},
    ]  # fmt: skip
    lived = {"n": 3, "mean": 50.0, "most": 90.0, "quantiles": {"0.5": 40.0, "0.95": 80.0}}
    nothing = {"limit_min": None, "simulated": {"n": 0}, "planned": {"n": 0}, "share_above_limit": None}
    exposed = {
        "day": {"limit_min": 85, "simulated": lived, "planned": {"n": 3, "most": 70.0}, "share_above_limit": 0.04}, "week": nothing,
        "longest_stretch": nothing,
    }  # fmt: skip
    pooled = {"people": 2, "least": 1, "median": 1.5, "most": 2, "counts": [[1, 1], [2, 1]]}
    return {
        "scenario": "tiny", "title": "Tiny", "policy_title": "Today", "currency": "EUR", "people": 3, "shifts": 3, "paid_hours": 25.0, "seed": 1,
        "horizon": {"start": "2026-03-02", "days": 2}, "time_zone": "Europe/Berlin", "rules": rules, "targets": [target],
        "proof": {"replications": 2}, "shortfalls": [], "asked_hours": 10.0, "short_hours": 0.0, "reliefs": None,
        "certificate": {"status": "none", "seconds": 1.0}, "published": None, "overtime": None, "time_off": None,
        "spread": {"nights": pooled, "weekends": {"people": 0}, "requests": 0}, "exposure": exposed,
        "persons": [
            {"id": "Ann", "group": "front", "site": "North", "time_zone": None, "leave_days": []},
            {"id": "=2+5", "group": "+x", "site": "", "time_zone": "Asia/Manila", "leave_days": [2]},
            {"id": "Zoe", "group": "front", "site": "", "time_zone": None, "leave_days": []},
        ],
        "work": [
            work("Ann", "front", 1, "day", 540, 1020, [("lunch", 720, 750)], [("hard", 540, 720), ("all", 750, 1020)]),
            work("Ann", "front", 2, "night", 1320, 1800, [("a; b", 1500, 1515)]),
            work("=2+5", "+x", 1, "@day", 540, 1020),
        ],
        "cover": [{"skill": "Orders", "skills": ["order"], "minutes": 720, "asked": [2, 3, 0, 4], "short": [0, 1, 0, 0], "over": [0, 0, 2, 3]}],
        **changes,
    }  # fmt: skip


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode())))


def test_a_row_a_shift():
    assert rows(roster_files.long_csv(document())) == [
        ["id", "group", "date", "day", "shift", "start", "end", "paid_hours", "pauses", "queues"],
        ["Ann", "front", "2026-03-02", "mon", "day", "09:00", "17:00", "8", "lunch 12:00-12:30", "09:00-12:00 hard; 12:30-17:00 all"],
        ["Ann", "front", "2026-03-03", "tue", "night", "22:00", "06:00", "8", "a, b 01:00-01:15", ""],
        ["'=2+5", "'+x", "2026-03-02", "mon", "'@day", "09:00", "17:00", "8", "", ""],
    ]  # fmt: skip


def test_a_row_a_person():
    assert rows(roster_files.wide_csv(document())) == [
        ["id", "group", "mon 2026-03-02", "tue 2026-03-03"],
        ["Ann", "front", "day 09:00-17:00", "night 22:00-06:00"],
        ["'=2+5", "'+x", "'@day 09:00-17:00", "leave"],
        ["Zoe", "front", "", ""],
    ]


@pytest.mark.parametrize(
    "text", ["=1+1", "+x", "-", "@a", "'=1", "'", "\tx", "plain", "", "d'or", "'quoted'"]
)
def test_what_is_made_safe_reads_back(text):
    assert plain(safe(text)) == text
    assert not safe(text).startswith(("=", "+", "-", "@", "\t"))


def sheets(found: dict) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(roster_files.workbook(found)))


def test_the_workbook_has_its_sheets_and_colours_gaps():
    book = sheets(document())
    assert book.sheetnames == [
        "Summary", "Roster", "Shifts", "Cover", "Exposure and fairness", "Rules", "Reliefs", "Targets",
    ]  # fmt: skip
    cover = book["Cover"]
    shown = {(row, k): cover.cell(row, k).value for row in (2, 3) for k in (3, 4, 5, 6)}
    assert shown == {
        (2, 3): 0,
        (2, 4): None,
        (2, 5): 2,
        (2, 6): None,
        (3, 3): -1,
        (3, 4): 3,
        (3, 5): 3,
        (3, 6): 4,
    }
    colours = {key: cover.cell(*key).fill.fgColor.rgb[-6:] for key in ((2, 3), (3, 3), (3, 4))}
    assert colours == {(2, 3): "000000", (3, 3): "F8C6C0", (3, 4): "D7EAD3"}
    assert [cell.value for cell in book["Targets"][2]] == [
        "Service level",
        "Monday",
        0.7,
        0.6,
        None,
        "at least 75 %",
        "missed",
    ]
    assert book["Targets"].cell(2, 3).number_format == "0.0 %"


def test_nothing_in_the_workbook_is_computed_and_no_name_stands_beside_emotional_work():
    book = sheets(document())
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type != "f" for cell in cells)
    assert "=2+5" in {cell.value for cell in cells}
    rules = {row[0].value: row[5].value for row in book["Rules"].iter_rows(min_row=2)}
    assert rules == {
        "Rest between shifts": "=Ann rests too little",
        "Emotional work in a day": None,
        "Weekends at most": None,
    }
    results = [[cell.value for cell in row[1:5]] for row in book["Rules"].iter_rows(min_row=2)]
    assert results == [
        ["must hold", "broken", 1, "30 minutes"],
        ["1 a minute", "broken", 1, "9 minutes"],
        ["must hold", "limits nobody", 0, None],
    ]
    fair = [cell.value for row in book["Exposure and fairness"].iter_rows() for cell in row]
    assert {"Ann", "=2+5", "Zoe"}.isdisjoint(fair)
    sheet = book["Exposure and fairness"]
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert found[1][:5] == ["Nights", 1, 1.5, 2, 2]
    at = next(k for k, row in enumerate(found) if row[0] == "Emotional work, each has")
    assert found[at + 1] == ["Minutes a day", 40, 80, 90, 70, 85, 0.04]
    assert len(found) == at + 2


def test_control_characters_do_not_spoil_the_workbook():
    odd = document()
    odd["work"][0]["shift"] = "d\x01ay"
    assert "day 09:00-17:00" in [cell.value for cell in sheets(odd)["Roster"][2]]


def test_calendars():
    found = roster_files.calendars(document(), datetime(2026, 2, 1, tzinfo=UTC))
    assert list(found) == ["Ann.ics", "2-5.ics"]  # nobody without shifts
    ann = Calendar.from_ical(found["Ann.ics"])
    day, night = ann.events
    assert (str(day["summary"]), str(day["location"])) == ("day", "North")
    assert str(day["uid"]) == "Ann-2026-03-02@tiny.unhurried"
    assert str(day["description"]) == "lunch 12:00-12:30\n09:00-12:00 hard\n12:30-17:00 all"
    assert day.start.isoformat() == "2026-03-02T09:00:00+01:00"
    assert night.end.isoformat() == "2026-03-04T06:00:00+01:00"
    assert len(ann.timezones) == 1
    away = Calendar.from_ical(found["2-5.ics"]).events[0]
    assert away.start.isoformat() == "2026-03-02T16:00:00+08:00"
    assert away.start == day.start


def test_calendars_without_a_time_zone_float_and_uids_stay():
    before = roster_files.calendars(document(time_zone=None), datetime(2026, 2, 1, tzinfo=UTC))
    event = Calendar.from_ical(before["Ann.ics"]).events[0]
    assert event.start.isoformat() == "2026-03-02T09:00:00"
    moved = document(time_zone=None)
    moved["work"][0] |= {"shift": "late", "start_min": 600}
    after = Calendar.from_ical(roster_files.calendars(moved)["Ann.ics"]).events[0]
    assert (after["uid"], str(after["summary"])) == (event["uid"], "late")


def test_a_night_over_the_change_of_clocks_keeps_its_times():
    spring = document(horizon={"start": "2026-03-28", "days": 2})
    spring["work"] = [work("Ann", "front", 1, "night", 1320, 1800) | {"date": "2026-03-28"}]
    event = Calendar.from_ical(roster_files.calendars(spring)["Ann.ics"]).events[0]
    assert (event.start.isoformat(), event.end.isoformat()) == (
        "2026-03-28T22:00:00+01:00",
        "2026-03-29T06:00:00+02:00",
    )


def test_names_of_calendars_are_told_apart():
    taken: set[str] = set()
    names = [roster_files._file_name(one, taken) for one in ("Ann B", "ann-b", "ANN/B", "...", "Zoë")]
    assert names == ["Ann-B.ics", "ann-b-2.ics", "ANN-B-3.ics", "person.ics", "Zoë.ics"]


def test_files_are_written_all_or_none(tmp_path):
    one, folder = tmp_path / "a.csv", tmp_path / "calendars"
    new_files.write({one: b"x", folder: {"a.ics": b"y"}})
    assert (one.read_bytes(), (folder / "a.ics").read_bytes()) == (b"x", b"y")
    with pytest.raises(FileExistsError) as caught:
        new_files.write({tmp_path / "b.csv": b"z", tmp_path / "more": {"c.ics": b"w"}, one: b"new"})
    assert caught.value.filename == str(one)
    with pytest.raises(OSError, match="No such file"):
        new_files.write({tmp_path / "b.csv": b"z", tmp_path / "none" / "c.csv": b"w"})
    with pytest.raises(FileNotFoundError):
        new_files.write({tmp_path / "b.csv": b"z", tmp_path / "more": {"no/c.ics": b"w"}})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "calendars"]
    assert one.read_bytes() == b"x"


# --- locks and overtime ---------------------------------------------------------------------------------------------


def cells(*locks: str) -> frozenset[tuple[int, int]]:
    return wishes.locked_cells(SCENARIO, PROBLEM, locks)


def test_locks_by_day_date_and_person():
    everybody = range(len(PROBLEM.people))
    assert cells("mon") == cells("2026-03-02") == {(n, 0) for n in everybody}
    assert cells("2026-03-02..2026-03-03") == cells("mon-wed") == {(n, d) for n in everybody for d in (0, 1)}
    assert cells(" care-001 ") == {(4, 0), (4, 1)}
    assert cells("care-001", "tue") == {(4, 0)} | {(n, 1) for n in everybody}


def test_locks_that_are_none():
    with pytest.raises(ScenarioError) as caught:
        cells("care_001", "sat", "2026-03-02..2026-03-04", "2026-03-03..2026-03-02", "mun")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("--lock: must be days like mon-wed, a date, ")
    assert lines[0].endswith("(found 'care_001'; did you mean care-001?)")
    assert lines[1:4] == [
        "--lock: must name a day of the horizon: mon, tue (found 'sat')",
        "--lock: must lie within the horizon, 2026-03-02 to 2026-03-03 (found '2026-03-02..2026-03-04')",
        "--lock: must be dates in their order (found '2026-03-03..2026-03-02')",
    ]
    assert lines[4].endswith("did you mean mon?)")


def test_overtime_is_more_of_everybody_at_a_price():
    more = wishes.with_overtime(PROBLEM, 4, 0.5)
    before, after = PROBLEM.people[0].terms, more.people[0].terms
    assert (after.agreed_paid_min, after.most_paid_min) == (before.most_paid_min, before.most_paid_min + 240)
    assert after.most_shifts == before.most_shifts + 1
    # An hour of pay is worth 20 points: a quarter of one and a half of them 7.5, to the nearest even.
    assert more.prices["overtime"] == 8
    assert wishes.with_overtime(PROBLEM, 4, 0.2).prices["overtime"] == 6
    unlimited = PROBLEM._replace(people=(PROBLEM.people[0]._replace(terms=Terms()),))
    assert wishes.with_overtime(unlimited, 4, 0.5).people[0].terms == Terms()


# --- shifts that can be given back ----------------------------------------------------------------------------------


def centre(asked: list[int], n: int, terms: Terms | None = None, **more) -> RosterProblem:
    """So many people, and on each day so many wanted from 9 to 10, by which a D counts."""
    people = tuple(person(terms or Terms(), len(asked), name) for name in "ABCDEFG"[:n])
    needs = tuple(Need(day, k, 20, 1, None, 540, 60) for day, k in enumerate(asked))
    return RosterProblem(len(asked), 0, DUTIES, people, needs, **more)


def all_work(n: int, days: int) -> NamedRoster:
    return NamedRoster(tuple(Work(who, day, 0) for who in range(n) for day in range(days)))


def test_shifts_are_given_back_where_most_are_over_first_and_nobody_is_short():
    problem, roster = centre([3, 1, 2], 4), all_work(4, 3)
    found = given_back(problem, roster)
    assert [one.over_hours for one in found] == [3, 2, 2, 1, 1, 1]
    assert sorted(one.work.day for one in found) == [0, 1, 1, 1, 2, 2]
    assert found[0].work.day == 1
    assert all(one.paid_min == 450 for one in found)
    rest = NamedRoster(tuple(w for w in roster.work if w not in {one.work for one in found}))
    assert [(m.short, m.over) for m in audit(problem, rest).met] == [(0, 0)] * 3


def test_who_is_short_already_gets_no_shorter():
    assert given_back(centre([3, 2], 2), all_work(2, 2)) == []


def test_a_contract_does_not_stand_against_it_but_other_rules_and_locks_do():
    owed = centre([1], 2, Terms(least_paid_min=450, least_shifts=1))
    assert len(given_back(owed, all_work(2, 1))) == 1
    in_a_row = centre([2, 0, 2, 2, 2], 2, Terms(least_in_a_row=3))
    assert {one.work.day for one in given_back(in_a_row, all_work(2, 5))} == {1}
    inside = centre([2, 2, 1, 2, 2], 2, Terms(least_off_in_a_row=2))
    assert given_back(inside, all_work(2, 5)) == []
    everything = frozenset((who, 0) for who in range(2))
    locked = centre([1], 2, published=all_work(2, 1), locked=everything)
    assert given_back(locked, all_work(2, 1)) == []


def test_skills_that_are_needed_are_kept():
    people = tuple(
        person(Terms(), 1, name, skills=frozenset(skills))
        for name, skills in (("A", "xy"), ("B", "x"), ("C", "x"))
    )
    needs = tuple(Need(0, 1, 20, 1, None, 540, 60, frozenset(skill)) for skill in "xy")
    found = given_back(RosterProblem(1, 0, DUTIES, people, needs), all_work(3, 1))
    assert len(found) == 1
    assert found[0].work.person in (1, 2)


def test_of_a_real_scenario_what_is_given_back_leaves_nobody_shorter():
    scenario = small.busy(shrinkage=[])
    problem = problem_of(scenario, ())
    first = NamedRoster(
        tuple(
            Work(n, day, duty, tuple(problem.duties[duty].start_min + at for at in published.pauses_at(problem.duties[duty], 0.5)))
            for n, who in enumerate(problem.people) for day, duties in enumerate(who.duties) for duty in duties[:1]
        )
    )  # fmt: skip
    cover = roster_of(scenario, problem, first).cover(2, scenario.horizon.days, scenario.horizon.interval_min)
    problem = problem._replace(needs=needs_of_cover(scenario, cover * 0.7))
    found = given_back(problem, first)
    gone = {one.work for one in found}
    rest = NamedRoster(tuple(w for w in first.work if w not in gone))
    assert len(found) > 5
    assert sum(m.short for m in audit(problem, rest).met) == sum(m.short for m in audit(problem, first).met)
