"""People by name: each error of the list and its CSV provoked, what is made without one, and the problem that they pose."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import small
from typer.testing import CliRunner

from planner import jobs
from planner.cli import app
from planner.numbers import TypeSet
from planner.rostering import cover
from planner.rostering import people as made
from planner.rostering.people import needs_of, needs_of_cover, notices, people_of, problem_of
from planner.rostering.problem import DAY_MIN, NamedRoster, Post, Request, Work
from planner.rostering.rules.base import earliest_pauses, may_work
from planner.rostering.validate import audit
from planner.scenario import clocks
from planner.scenario.people_file import COLUMNS, written
from planner.scenario.problems import FieldError
from planner.scenario.schema import Contract, Person, Scenario

SPRING = "2026-03-23"
"""The Monday of the week whose Sunday, 29 March, loses its hour from 02:00 in Europe."""
AUTUMN = "2026-10-19"
FAIR = {"fair_exposure": 1, "fair_nights": 20, "fair_weekends": 20, "fair_requests": 10}
NIGHT = {"hours": 8, "starts": "22:00"}


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., list[str]]:
    """Check a scenario with this CSV beside it; give the lines told, none where it is fine."""

    def told(text: str | None, *sets: str, **changes: object) -> list[str]:
        if text is not None:
            (tmp_path / "people.csv").write_text(text, encoding="utf-8")
        changes = {"horizon__days": 7, "people": {"file": "people.csv"}, **changes}
        (tmp_path / "tiny.yaml").write_text(small.text(**changes), encoding="utf-8")
        words = [word for one in sets for word in ("--set", one)]
        result = CliRunner().invoke(app, ["check", str(tmp_path / "tiny.yaml"), *words])
        assert "Traceback" not in result.output, result.output
        assert result.exit_code == (2 if result.stderr else 0), result.output
        return result.stderr.splitlines()

    return told


def scenario(*people: dict[str, object], **changes: object) -> Scenario:
    listed = {"people": list(people)} if people else {}
    return Scenario.model_validate(small.raw(**{"horizon__days": 7, **listed, **changes}))


# --- the CSV: columns and form --------------------------------------------------------------------------------------


def test_a_good_list_has_nothing_to_tell(check):
    assert check("id,group\nana,front\nbob,care\n") == []


FORM = {
    "unknown column": ("id,group,skils\na,front,order\n", 1, "column 'skils'; did you mean skills?"),
    "misspelt column that must be there": ("id,groups\na,front\n", 1, "did you mean group?"),
    "missing column": ("id,skills\na,order\n", 1, "lacks the column group"),
    "duplicated column": ("id,group,group\na,front,front\n", 1, "has the column group twice"),
    "semicolons": ("id;group\na;front\n", 1, "separates its columns by semicolons"),
    "too few cells": ("id,group,site\na,front\n", 2, "must have 3 cells, as the first line has"),
    "too many cells": ("id,group\na,front,x\n", 2, "must have 2 cells"),
    "an open quote": ('id,group\n"a,front\n', 2, "is not a CSV file"),
    "only a head": ("id,group\n", None, "lists nobody"),
    "empty": ("\n\n", None, "is empty: its first line must name columns (id, group, ...)"),
}


@pytest.mark.parametrize("case", FORM)
def test_the_form_of_the_csv(case: str, check):
    text, line, says = FORM[case]
    (told,) = check(text)
    assert told.startswith(f"people.csv:{line}: " if line else "people.csv: ")
    assert says in told


CELLS = {
    "duplicated id": ("id,group\na,front\nb,front\nA,care\n", 4, "id: is the id of entry 1 too"),
    "no id": ("id,group\n,front\n", 2, "id: must be given"),
    "unknown group": ("id,group\na,frnt\n", 2, "group: must be a group: front, care (found 'frnt'; did you mean front?)"),
    "unknown skill": ("id,group,skills\na,front,order; troubel\n", 2, "skills.troubel: must be a contact type: order, trouble"),
    "no skill": ("id,group,skills\na,front,order 0\n", 2, "skills: must have a contact type above 0"),
    "too proficient": ("id,group,skills\na,front,order 2\n", 2, "skills.order: must be less than or equal to 1.5"),
    "a comma": ('id,group,skills\na,front,"order 0,8"\n', 2, "written with a point, not a comma"),
    "skill twice": ("id,group,skills\na,front,order; order 0.5\n", 2, "skills: is named twice: keep one (found 'order')"),
    "unknown contract": ("id,group,contract\na,front,ful\n", 2, "contract: must be a contract: full, odd (found 'ful'; did you mean full?)"),
    "hours without colons": ("id,group,availability\na,front,mon-fri 8-18\n", 2, 'availability.mon-fri: must be hours like "08:00-18:00"'),
    "days without hours": ("id,group,availability\na,front,mon-fri\n", 2, "availability: must be days and hours, like mon-fri 08:00-18:00"),
    "no such day": ("id,group,availability\na,front,mo 08:00-18:00\n", 2, "must be days like mon, mon-fri"),
    "never there": ("id,group,availability\na,front,mon-fri off\n", 2, "availability: must have hours on some day"),
    "a day twice": ("id,group,availability\na,front,mon-fri 08:00-18:00; fri 08:00-12:00\n", 2, "names fri, which mon-fri names too"),
    "leave that is no day": ("id,group,leave\na,front,2026-02-30\n", 2, "leave.0: must be a date such as 2026-03-31"),
    "leave beyond": ("id,group,leave\na,front,9\n", 2, "leave.0: must lie inside the horizon of 7 days (found '9')"),
    "leave backwards": ("id,group,leave\na,front,5..3\n", 2, "leave.0: must not end before it begins"),
    "a wish for no shift": ("id,group,requests\na,front,2 dya\n", 2, "requests.0.wants: must be off, work or a shift"),
    "a wish without a wish": ("id,group,requests\na,front,2\n", 2, "requests.0.wants: must be given"),
    "a wish for no day": ("id,group,requests\na,front,8 off\n", 2, "requests.0.day: must lie inside the horizon"),
    "no such zone": ("id,group,time_zone\na,front,Europe/Berln\n", 2, "did you mean Europe/Berlin?"),
    "a zone to compare with none": ("id,group,time_zone\na,front,Europe/Berlin\n", 2, "needs the time zone of the centre (time_zone)"),
    "tenure in words": ("id,group,tenure_weeks\na,front,long\n", 2, "tenure_weeks: must be a number (found 'long')"),
    "a formula": ("id,group,site\na,front,=1+1\n", 2, "site: must not begin with a sign"),
}  # fmt: skip
CONTRACTS = {"full": {"least_hours": 30, "most_hours": 40}, "odd": {"least_hours": 2, "most_hours": 40}}


@pytest.mark.parametrize("case", CELLS)
def test_each_wrong_cell_is_one_line_with_file_and_line(case: str, check):
    text, line, says = CELLS[case]
    says = says.replace("less than or equal to", "at most")
    (told,) = check(text, contracts=CONTRACTS)
    assert told.startswith(f"people.csv:{line}: ")
    assert says in told


def test_all_that_is_wrong_is_told_at_once_and_by_line(check):
    text = "id,group,skills,leave,time_zone\na,frnt,order,,Europe/Nowhere\nb,care,ordre,9,\na,care,,,\n"
    told = check(text, contracts=CONTRACTS, types__order__resolved=2)
    assert told[0].startswith("tiny.yaml:")
    assert "resolved" in told[0]
    assert [line.split(": ")[:2] for line in told[1:]] == [
        ["people.csv:2", "time_zone"], ["people.csv:2", "group"], ["people.csv:3", "skills.ordre"], ["people.csv:3", "leave.0"],
        ["people.csv:4", "id"],
    ]  # fmt: skip


# --- the file beside the scenario -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"file": "peple.csv"}, "people.file: no such file (found 'peple.csv'; did you mean people.csv?)"),
        ({"file": "../people.csv"}, "people.file: must lie beside the scenario file"),
        ({"file": "/etc/passwd"}, "people.file: must lie beside the scenario file"),
        ({"file": "."}, "people.file: is a folder"),
        ({"file": 3}, "people.file: must be the name of a CSV file (found 3)"),
        ({"fil": "people.csv"}, "unknown field (did you mean file?"),
        ({}, "people: must be a list, or {file: people.csv}"),
        ("people.csv", "people: must be a list"),
    ],
)
def test_what_is_no_list_beside_the_file(entry: object, says: str, check):
    (told,) = check("id,group\na,front\n", people=entry)
    assert told.startswith("tiny.yaml:")
    assert says in told


def test_a_link_out_of_the_folder_is_refused(check, tmp_path: Path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside.csv"
    outside.write_text("id,group\na,front\n", encoding="utf-8")
    (tmp_path / "people.csv").symlink_to(outside)
    (told,) = check(None)
    assert "must lie beside the scenario file" in told


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04sheet", "people.csv: is a workbook, not a CSV file"),
        ("id,group\nJos\xe9,front\n".encode("latin-1"), "people.csv:2: is not UTF-8 text"),
        (b"id\0,group\n", "people.csv: is not a text file"),
        (b"x" * 5_000_001, "tiny.yaml:"),
    ],
)
def test_what_is_no_csv(data: bytes, says: str, check, tmp_path: Path):
    (tmp_path / "people.csv").write_bytes(data)
    (told,) = check(None)
    assert told.startswith(says)


def test_overrides_may_name_another_list_and_its_errors_are_told(check, tmp_path: Path):
    (tmp_path / "more.csv").write_text("id,group\na,frnt\n", encoding="utf-8")
    (told,) = check("id,group\na,front\n", overrides={"more": {"people.file": "more.csv"}})
    assert told.startswith("more.csv:2: group: ")
    (told,) = check("id,group\na,front\n", "people.0.group=care")
    assert "are in a file: change them there" in told


def test_what_the_list_says_decides_the_hash(check, tmp_path: Path):
    hashes = []
    for name in ("ana", "bob"):
        assert check(f"id,group\n{name},front\n") == []
        loaded = jobs.load(str(tmp_path / "tiny.yaml"))
        assert [one.id for one in loaded.value.people] == [name]
        hashes.append(loaded.text_hash)
    assert hashes[0] != hashes[1]
    assert all(len(one) == 64 for one in hashes)


def test_a_list_of_a_thousand_reads_fast_and_bom_and_blank_lines_do_no_harm(check):
    rows = "".join(f"p{k},front,order 0.9,mon-fri 07:00-19:00\n\n" for k in range(1000))
    assert check("\ufeffID, Group ,skills,availability\r\n" + rows) == []


# --- contracts, rules, clocks ---------------------------------------------------------------------------------------


def test_a_contract_that_no_shifts_give(check):
    (told,) = check(
        "id,group,contract\na,front,few\n",
        contracts={"few": {"least_hours": 38, "most_hours": 39, "shifts": ["day"]}},
    )
    assert "contracts.few.least_hours: cannot be met: 38 to 39 paid hours on 0 to 5 days a week" in told
    assert "the nearest that day can give is 37.5 hours (found 38)" in told


def test_a_contract_that_the_groups_shifts_do_not_give_is_told_where_it_is_given(check):
    text = "id,group,contract\na,front,full\nb,care,full\n"
    told = check(text, contracts=CONTRACTS, groups__care__shifts=["peak"])
    assert len(told) == 1
    assert told[0].startswith("people.csv:3: contract: cannot be met")
    assert "(group care)" in told[0]
    (told,) = check(
        text, contracts={"full": {"most_hours": 40, "shifts": ["day"]}}, groups__care__shifts=["peak"]
    )
    assert told.startswith("people.csv:3: contract: has none of the shifts of group care: peak")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"contracts": {"c": {"least_hours": 40, "most_hours": 30}}}, "contracts.c.least_hours: must be at most most_hours, 30"),
        ({"contracts": {"c": {"most_hours": 30, "least_days": 4, "most_days": 3}}}, "must be at most most_days, 3"),
        ({"contracts": {"c": {"most_hours": 30, "least_days": 6}}}, "must be at most days_per_week, 5"),
        ({"contracts": {"c": {"most_hours": 30, "shifts": ["dy"]}}}, "did you mean day?"),
        ({"labour_rules": {"newcomer_shifts": ["dya"]}}, "labour_rules.newcomer_shifts.0: must be a shift"),
        ({"labour_rules": {"forbidden_successions": {"lat": ["day"]}}}, "did you mean late?"),
        ({"labour_rules": {"forbidden_successions": {"late": ["earl"]}}}, "did you mean early?"),
        ({"labour_rules": {"prices": {"rests": 3}}}, "labour_rules.prices"),
        ({"labour_rules": {"prices": {"rest": "soft"}}}, "labour_rules.prices.rest"),
        ({"labour_rules": {"prices": {"leave": 3}}}, "labour_rules.prices.leave"),
        ({"labour_rules": {"prices": {"newcomers": -3}}}, "labour_rules.prices.newcomers"),
        ({"labour_rules": {"fair": {"night": 3}}}, "labour_rules.fair.night: unknown field (did you mean nights?"),
        ({"labour_rules": {"fair": {"nights": -1}}}, "labour_rules.fair.nights: must be at least 0"),
        ({"labour_rules": {"fair": {"requests": 0.5}}}, "labour_rules.fair.requests"),
        ({"labour_rules": {"fair": {"weekends": 100_001}}}, "labour_rules.fair.weekends: must be at most 100000"),
        ({"labour_rules": {"fair": {"exposure": "hard"}}}, "labour_rules.fair.exposure"),
        ({"labour_rules": {"fair": 3}}, "labour_rules.fair"),
        ({"labour_rules": {"most_days_in_a_row": 0}}, "must be at least 1"),
        ({"labour_rules": {"exposure": {"stretch_min": 0}}}, "labour_rules.exposure.stretch_min: must be at least 1"),
        ({"labour_rules": {"exposure": {"day_min": 1500}}}, "must be at most 1440"),
        ({"labour_rules": {"exposure": {"day": 180}}}, "labour_rules.exposure.day: unknown field (did you mean day_min?"),
        ({"labour_rules": {"decompression": {"after_min": 0}}}, "labour_rules.decompression.after_min: must be at least 1"),
        ({"labour_rules": {"decompression": {"minutes": 15}}}, "labour_rules.decompression.after_min: must be given"),
        ({"labour_rules": {"decompression": {"after_min": 90, "minutes": 12}}}, "must be a multiple of 5"),
        ({"labour_rules": {"rotation": {"emotional": ["order"]}}}, "labour_rules.rotation.most_min: must be given"),
        ({"labour_rules": {"rotation": {"most_min": 0}}}, "labour_rules.rotation.most_min: must be at least 1"),
        ({"labour_rules": {"rotation": {"most_min": 90, "emotional": ["order", "troubel"]}}},
         "labour_rules.rotation.emotional.1: must be a contact type: order, trouble (found 'troubel'; did you mean trouble?)"),
        ({"labour_rules": {"rotation": {"most_min": 90, "emotional": ["order", "trouble"]}}},
         "labour_rules.rotation.emotional: must leave some group both these and other types"),
        ({"labour_rules": {"rotation": {"most_min": 90}}, "types__trouble__emotional": False}, "none is marked emotional"),
        ({"labour_rules": {"prices": {"exposur": 3}}}, "labour_rules.prices.exposur: the name must be one of: rest"),
        ({"time_zone": "Berlin"}, "must be a time zone of the IANA list"),
    ],
)  # fmt: skip
def test_contracts_and_rules_that_cannot_be(changes: dict, says: str, check):
    told = check("id,group\na,front\n", **changes)
    assert len(told) == 1
    assert says in told[0]


@pytest.mark.parametrize(
    "cell", ["07:00-19:00", "every day 07:00-19:00", "mon-sun: 07:00-19:00", "Mon-Sun 07:00 to 19:00"]
)
def test_hours_of_every_day_in_a_cell(cell: str, check, tmp_path: Path):
    assert check(f"id,group,availability\na,front,{cell}\n") == []
    (one,) = people_of(jobs.load(str(tmp_path / "tiny.yaml")).value)
    assert one.windows[2:4] == ((420, 1140), (DAY_MIN + 420, DAY_MIN + 1140))


def test_of_very_many_notices_the_first_are_printed(check, tmp_path: Path):
    assert check("id,group,leave\n" + "".join(f"p{k},front,1..7\n" for k in range(50))) == []
    shown = CliRunner().invoke(app, ["check", str(tmp_path / "tiny.yaml")]).stdout
    assert shown.count("is on leave on every day") == 20
    assert "and 32 more of this kind" in shown  # two of them of headcounts


@pytest.mark.parametrize("feeling", ["exhaustion", "mood", "stress", "empathy"])
def test_nobodys_feelings_are_a_field(feeling: str, check):
    (told,) = check(f"id,group,{feeling}\na,front,1\n")
    assert f"column '{feeling}'" in told
    (told,) = check(None, people=[{"id": "a", "group": "front", feeling: 1}])
    assert "unknown field" in told


@pytest.mark.parametrize(
    ("start", "hours", "says"),
    [
        (SPRING, "sun 02:30-12:00", "has a time that does not exist on 2026-03-29"),
        (SPRING, "sat 20:00-02:30", "has a time that does not exist on 2026-03-29"),
        (SPRING, "sun 03:00-12:00", None),
        (SPRING, "fri 20:00-02:30", None),
        (AUTUMN, "sun 02:30-12:00", "has a time that comes twice on 2026-10-25"),
        (AUTUMN, "sun 00:00-24:00", None),
        ("2026-03-02", "sun 02:30-12:00", None),
    ],
)
def test_times_that_the_clock_skips_or_has_twice(start: str, hours: str, says: str | None, check):
    told = check(f"id,group,availability\na,front,{hours}\n", horizon__start=start, time_zone="Europe/Berlin",
                 shifts__night=NIGHT)  # fmt: skip
    if says is None:
        assert told == []
    else:
        assert len(told) == 1
        assert told[0].startswith("people.csv:2: availability.")
        assert says in told[0]


def test_changes_of_clocks_are_those_of_the_zone():
    (spring,) = clocks.changes("Europe/Berlin", date(2026, 3, 23), 7)
    assert (spring.day, spring.skipped, spring.twice) == (date(2026, 3, 29), (120, 180), None)
    (autumn,) = clocks.changes("Europe/Berlin", date(2026, 10, 19), 7)
    assert (autumn.day, autumn.skipped, autumn.twice) == (date(2026, 10, 25), None, (120, 180))
    assert clocks.changes("Asia/Tokyo", date(2026, 1, 1), 365) == ()


def test_people_elsewhere_are_there_by_their_own_clock():
    """New York changes three weeks before Berlin: until then 13:00 there is 18:00 here, not 19:00."""
    person = {
        "id": "a",
        "group": "front",
        "time_zone": "America/New_York",
        "availability": {"mon": "08:00-12:00"},
        "leave": [2],
    }
    for start, hour in (("2026-03-02", 14), ("2026-03-09", 13), ("2026-03-30", 14)):
        (one,) = people_of(scenario(person, horizon__start=start, time_zone="Europe/Berlin"))
        assert (hour * 60, (hour + 4) * 60) in one.windows
        assert one.away == ((DAY_MIN + (hour - 8) * 60, 2 * DAY_MIN + (hour - 8) * 60),)


def test_nobody_begins_at_a_time_that_the_clock_skips():
    changes = {"shifts__odd": {"hours": 4, "starts": "02:00-03:00"}, "horizon__start": SPRING}
    for zone, least in (("Europe/Berlin", 180), ("Asia/Tokyo", 120)):
        problem = problem_of(scenario({"id": "a", "group": "front"}, time_zone=zone, **changes), ())
        starts = [
            problem.duties[k].start_min
            for k in problem.people[0].duties[6]
            if problem.duties[k].kind == "odd"
        ]
        assert min(starts) == least


# --- what is allowed, and worth knowing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,front,full,,1..7", "a is on leave on every day of the horizon: no shift is planned"),
        ("a,front,full,,2026-01-01..2026-12-31", "a is on leave on every day of the horizon"),
        ("a,front,full,mon-fri 00:00-06:00,", "a can be given no shift: no shift fits"),
        (
            "a,front,full,mon 08:00-20:00,",
            "a can work at most 7.5 paid hours, where the contract asks for 30",
        ),
    ],
)
def test_who_can_hardly_be_given_a_shift_is_told_in_one_line(row: str, says: str, check, tmp_path: Path):
    text = f"id,group,contract,availability,leave\n{row}\n"
    assert check(text, contracts=CONTRACTS, groups__front__headcount=1, groups__care__headcount=0) == []
    loaded = jobs.load(str(tmp_path / "tiny.yaml"))
    (notice,) = jobs.notices(loaded)
    assert str(notice).startswith("people.csv:2: ")
    assert says in str(notice)
    result = CliRunner().invoke(app, ["check", str(tmp_path / "tiny.yaml"), "--json"])
    assert [one["line"] for one in json.loads(result.stdout)["notices"]] == [2]


def test_skills_that_the_group_does_not_serve_count_for_nothing_and_are_told(check, tmp_path: Path):
    """Nothing else is routed to the people of a group, so that cover must not count them for more."""
    text = "id,group,skills\nAnn,care,trouble; order\nBob,front,order; trouble 0\n"
    assert check(text, groups__front__headcount=1, groups__care__headcount=1) == []
    loaded = jobs.load(str(tmp_path / "tiny.yaml"))
    assert [str(one) for one in jobs.notices(loaded)] == [
        "people.csv:2: skills: Ann counts for nothing with order, which group care does not serve"
    ]
    assert [set(one.skills) for one in people_of(loaded.value)] == [{"trouble"}, {"order"}]
    ann, _ = problem_of(loaded.value, ()).people
    assert ann.skills == {"trouble", "group care"}
    (line,) = check("id,group,skills\nAnn,care,order; trouble 0\n")
    assert "people.csv:2: skills: must have a contact type of group care above 0" in line


def test_a_list_that_is_not_the_headcount_and_a_week_with_a_change_of_clocks_are_told():
    one = scenario({"id": "a", "group": "front"}, time_zone="Europe/Berlin", horizon__start=SPRING)
    said = {error.path: error.allowed for error in notices(one)}
    assert set(said) == {("groups", "front", "headcount"), ("groups", "care", "headcount"), ("time_zone",)}
    assert "shorter than their times say" in said["time_zone",]


# --- people from headcounts -----------------------------------------------------------------------------------------


def test_people_are_made_from_headcounts_always_alike():
    s = scenario(groups__front__headcount=40, groups__front__newcomers=0.1)
    people = people_of(s)
    assert people == people_of(s)
    assert [p.id for p in people][:2] == ["front-001", "front-002"]
    assert people[-1].id == "care-003"
    front = [p for p in people if p.group == "front"]
    assert len(front) == 40
    assert all(dict(p.skills) == {"order": 1.0, "trouble": 1.0} for p in front)
    assert [p.id for p in front if p.newcomer] == ["front-037", "front-038", "front-039", "front-040"]
    assert all(0 < p.tenure_weeks < 8 for p in front[-4:])
    # A tenth of five days a week is leave: twenty days, spread evenly.
    assert sum(len(p.leave) for p in front) == 20
    assert max(len(p.leave) for p in front) == 1
    assert all(p.least_hours <= 37.5 <= p.most_hours for p in people)
    assert len(people_of(scenario(what_if__headcount=0.5))) == 4  # 2 and 1.5, rounded


def test_what_is_written_reads_back_as_the_same(check, tmp_path: Path):
    for s in (
        scenario(groups__front__headcount=40, groups__front__newcomers=0.1),
        scenario(
            {"id": "José 1", "group": "care", "skills": {"order": 0.8, "trouble": 1.2}, "contract": "full", "site": "Ulm, Süd",
             "availability": {"mon-thu": "08:00-12:00, 13:00-18:00", "sat": "22:00-06:00", "sun": "always"},
             "leave": ["2026-03-04", "2026-03-06..2026-03-07", 2], "time_zone": "Europe/Lisbon", "tenure_weeks": 2.5,
             "requests": [{"day": 3, "wants": "off", "weight": 40}, {"day": "2026-03-08", "wants": "not late"}]},
            contracts=CONTRACTS, time_zone="Europe/Berlin",
        ),
    ):  # fmt: skip
        text = written(made.listed(s))
        assert check(text, contracts=CONTRACTS, time_zone="Europe/Berlin") == []
        assert jobs.load(str(tmp_path / "tiny.yaml")).value.people == made.listed(s)
        assert next(csv.reader(io.StringIO(text))) == list(COLUMNS)
        again = Scenario.model_validate_json(s.model_dump_json())
        assert again == s  # as a kept run has it


@pytest.mark.parametrize("name", list(jobs.shipped()))
def test_every_shipped_scenario_has_people_who_can_work(name: str):
    s = jobs.load(name).value
    problem = problem_of(s, ())
    assert len(problem.people) == sum(group.headcount for group in s.groups.values())
    assert len({p.id for p in problem.people}) == len(problem.people)
    for person in problem.people:
        assert any(person.duties)
        assert 0 < person.terms.least_paid_min <= person.terms.most_paid_min
        best = sorted(
            (max(problem.duties[k].paid_min for k in day) for day in person.duties if day), reverse=True
        )
        assert sum(best[: person.terms.most_shifts]) >= person.terms.least_paid_min
    assert 0.5 < made.asked_hours(s) / sum(g.headcount * g.hours_per_week for g in s.groups.values()) < 2


# --- the problem ----------------------------------------------------------------------------------------------------


def given(s: Scenario, policy: str = "as_is") -> list[set[tuple[str, int]]]:
    """Kind and start of what the first person may be given by day, with no rule of leave and newcomers broken."""
    problem = problem_of(s, (), policy)
    person, duties = problem.people[0], problem.duties
    return [
        {(duties[k].kind, duties[k].start_min) for k in day if may_work(person, number, duties[k])}
        for number, day in enumerate(person.duties)
    ]


def test_shifts_lie_in_availability_and_touch_no_leave():
    everywhere = given(scenario({"id": "a", "group": "front"}, shifts__night=NIGHT))
    assert all({kind for kind, _ in day} == {"day", "early", "late", "peak", "night"} for day in everywhere)
    person = {
        "id": "a",
        "group": "front",
        "availability": {"mon-thu": "09:00-13:30", "fri": "20:00-06:30"},
        "leave": [4],
    }
    days = given(scenario(person, shifts__night=NIGHT))
    assert days[0] == days[1] == days[2] == {("early", 540)}
    assert days[3] == set()
    assert days[4] == {("night", 1320)}
    assert days[5] == days[6] == set()
    # The night before a day of leave would end on it.
    assert ("night", 1320) not in given(
        scenario({"id": "a", "group": "front", "leave": [3]}, shifts__night=NIGHT)
    )[1]


def test_contract_group_and_newness_say_which_shifts():
    few = {
        "contracts": {"c": {"most_hours": 40, "shifts": ["day", "late"]}},
        "labour_rules": {"newcomer_shifts": ["day"]},
    }
    person = {"id": "a", "group": "front", "contract": "c"}
    assert {kind for kind, _ in given(scenario(person, **few))[0]} == {"day", "late"}
    assert {kind for kind, _ in given(scenario({**person, "tenure_weeks": 7.9}, **few))[0]} == {"day"}
    assert {kind for kind, _ in given(scenario({**person, "tenure_weeks": 8}, **few))[0]} == {"day", "late"}
    assert {kind for kind, _ in given(scenario(person, groups__front__shifts=["late"], **few))[0]} == {"late"}


def test_leave_and_newness_bind_as_rules_so_that_a_report_can_say_which():
    """The shifts are in the lists: what stands against them is told by its name."""
    person = {"id": "a", "group": "front", "tenure_weeks": 1, "leave": [2]}
    s = scenario(person, labour_rules={"newcomer_shifts": ["day"], "prices": {"newcomers": 30}})
    problem = problem_of(s, ())
    one = problem.people[0]
    assert (one.leave, one.terms.only_kinds) == ({1}, {"day"})
    late = next(k for k in one.duties[1] if problem.duties[k].kind == "late")
    starts = tuple(problem.duties[late].start_min + p.earliest_min for p in problem.duties[late].pauses)
    found = audit(problem, NamedRoster((Work(0, 1, late, starts),)))
    assert [b.rule for b in found.hard if b.rule in ("leave", "allowed_duties")] == ["leave"]
    assert [(b.rule, problem.prices[b.rule]) for b in found.soft if b.rule == "newcomers"] == [
        ("newcomers", 30)
    ]
    veteran = problem_of(scenario({**person, "tenure_weeks": 100}), ()).people[0]
    assert veteran.terms.only_kinds is None
    everything = {"newcomer_shifts": ["late", "day", "early", "peak"]}
    assert problem_of(scenario(person, labour_rules=everything), ()).people[0].terms.only_kinds is None


def test_leave_elsewhere_ends_by_the_clock_there():
    """Lisbon is an hour behind: its days of leave end, and begin, at one in the morning of the centre."""
    person = {"id": "a", "group": "front", "leave": [3, 4], "time_zone": "Europe/Lisbon"}
    shifts = {f"shifts__{name}": {"hours": hours, "starts": start}
              for name, hours, start in (("dusk", 3, "22:00"), ("midnight", 4, "00:00"), ("dawn", 4, "01:00"))}  # fmt: skip
    s = scenario(person, time_zone="Europe/Berlin", shifts__night=NIGHT, **shifts)
    problem, days = problem_of(s, ()), given(s)
    assert problem.people[0].leave == {3}
    assert ("dusk", 1320) in days[1]  # until one in the morning
    assert ("night", 1320) not in days[1]
    assert days[2] == days[3] == set()
    assert ("midnight", 0) not in days[4]
    assert ("dawn", 60) in days[4]


def test_those_alike_share_a_circle():
    def circles(*people: dict[str, object], **changes: object) -> list[int | None]:
        return [one.circle for one in problem_of(scenario(*people, **changes), ()).people]

    plain = {"group": "front"}
    a, b = {"id": "a", **plain}, {"id": "b", **plain}
    assert circles(a, {"id": "b", "group": "care"}, {**a, "id": "c"}) == [0, 1, 0]
    assert circles(a, {**b, "leave": [2]}, {**b, "id": "c", "availability": {"mon": "always"}}) == [
        0,
        None,
        None,
    ]
    assert circles(
        a, {**b, "skills": ["order"]}, {**b, "id": "c", "requests": [{"day": 1, "wants": "off"}]}
    ) == [0, 0, 0]
    contracts = {
        "few": {"least_hours": 10, "most_hours": 40},
        "late": {"least_hours": 10, "most_hours": 40, "shifts": ["late"]},
    }
    few, late = ({"contract": name} for name in contracts)
    assert circles({**a, **few}, {**b, **few}, {**b, **late, "id": "c"}, contracts=contracts) == [0, 0, 1]
    new = {**b, "tenure_weeks": 1}
    assert circles(a, new) == [0, 0]
    assert circles(a, new, labour_rules={"newcomer_shifts": ["day"]}) == [0, 1]
    # Whole groups without a list: all but the twenty of forty and the two of three who are on leave.
    made_up = circles(groups__front__headcount=40)
    assert [made_up.count(circle) for circle in (0, 1, None)] == [20, 1, 22]


def test_what_is_shared_fairly_and_how_hard_it_weighs():
    def fair(**points: int):
        problem = problem_of(scenario({"id": "a", "group": "front"}, labour_rules={"fair": points}), ())
        return {name: price for name, price in problem.prices.items() if name in FAIR}, dict(problem.spread)

    assert fair() == (FAIR, dict.fromkeys(FAIR, 0))
    assert fair(nights=5, weekends=0) == (
        {"fair_exposure": 1, "fair_nights": 5, "fair_requests": 10},
        {"fair_exposure": 0, "fair_nights": 0, "fair_requests": 0},
    )
    assert fair(exposure=0, nights=0, weekends=0, requests=0) == ({}, {})


def test_terms_say_contract_and_rules():
    rules = {"most_nights_in_a_row": 3, "forbidden_successions": {"late": ["early", "day"]}, "most_weekends": 2,
             "prices": {"rest": 5, "paid_time": 1, "days_off_together": "hard"}}  # fmt: skip
    contracts = {"c": {"least_hours": 30, "most_hours": 40, "least_days": 3, "most_days": 5}}
    person = {"id": "a", "group": "front", "contract": "c"}

    def terms(days: int = 7, leave: list[object] = []):  # noqa: B006
        s = scenario({**person, "leave": leave}, contracts=contracts, labour_rules=rules, horizon__days=days)
        return problem_of(s, ())

    problem = terms()
    t = problem.people[0].terms
    assert problem.prices == {"rest": 5, "least_paid": 1, "most_paid": 1, **FAIR}
    assert (t.least_paid_min, t.most_paid_min, t.least_shifts, t.most_shifts) == (1800, 2400, 3, 5)
    assert (t.least_rest_min, t.most_in_a_row, t.most_nights_in_a_row, t.least_off_in_a_row) == (660, 6, 3, 2)
    assert t.forbidden == {("late", "early"), ("late", "day")}
    assert t.most_weekends == 1
    assert terms(28).people[0].terms.most_weekends == 2
    assert terms(14).people[0].terms[:4] == (3600, 4800, 6, 10)
    # Two days of leave are two of five days of work; a week of leave is no more than five.
    assert terms(leave=["2..3"]).people[0].terms[:4] == (1080, 1440, 1, 3)
    assert terms(leave=["1..7"]).people[0].terms[:4] == (0, 0, 0, 0)
    # Three days of a week owe three sevenths less a shift, and may hold all of the week's hours.
    assert terms(3).people[0].terms[:4] == (int(1800 * 3 / 7 - 450), 2400, 0, 3)


def test_requests_become_requests():
    wishes = [{"day": "2026-03-04", "wants": "off", "weight": 40}, {"day": 1, "wants": "late"}, {"day": 2, "wants": "not late"},
              {"day": 5, "wants": "work"}, {"day": 6, "wants": "off"}, {"day": "2027-01-01", "wants": "off"}]  # fmt: skip
    s = scenario({"id": "a", "group": "front", "requests": wishes, "leave": [6]})
    assert problem_of(s, ()).people[0].requests == (
        Request(2, None, False, 40), Request(0, "late", True, 20), Request(1, "late", False, 20), Request(4, None, True, 20),
    )  # fmt: skip


def test_decompression_and_time_off_the_phone_are_pauses_of_the_duties():
    s = scenario({"id": "a", "group": "care"})
    kinds = {
        policy: {p.kind for d in problem_of(s, (), policy).duties for p in d.pauses}
        for policy in ("as_is", "soft")
    }
    assert "decompression" not in kinds["as_is"]
    assert kinds["soft"] > kinds["as_is"]
    for duty in problem_of(s, (), "soft").duties:
        assert duty.paid_min == duty.minutes - sum(p.minutes for p in duty.pauses if not p.paid)


def test_limits_on_emotional_work_become_terms_and_prices():
    bare = problem_of(scenario(), ())
    assert {who.terms[-5:] for who in bare.people} == {(None,) * 5}
    assert (bare.posts, {who.posts for who in bare.people}) == ((), {()})
    rules = {"exposure": {"stretch_min": 60, "week_min": 720}, "decompression": {"after_min": 90},
             "rotation": {"most_min": 120}, "prices": {"exposure": 3, "rotation": 2}}  # fmt: skip
    limited = problem_of(scenario(labour_rules=rules), ())
    assert {who.terms[-5:] for who in limited.people} == {(60, None, 720, 90, 120)}
    assert {name: price for name, price in limited.prices.items() if name != "least_off_in_a_row"} == {
        "exposure_stretch": 3, "exposure_day": 3, "exposure_week": 3, "rotation": 2, **FAIR,
    }  # fmt: skip


def posts_of(s: Scenario, shares=None) -> dict[str, list[Post]]:
    posed = problem_of(s, (), shares=shares)
    return {who.id: [posed.posts[post] for post in who.posts] for who in posed.people}


def test_who_can_do_both_has_three_posts_and_others_one_or_none():
    people = (
        {"id": "both", "group": "front"},
        {"id": "hard", "group": "front", "skills": ["trouble"]},
        {"id": "easy", "group": "front", "skills": {"order": 1, "trouble": 0}},
        {"id": "care", "group": "care"},
    )
    rotation = {"labour_rules": {"rotation": {"most_min": 120}}}
    found = posts_of(scenario(*people, **rotation))
    assert [(post.name, post.emotional) for post in found["both"]] == [
        ("all", False), ("emotional", True), ("routine", False),
    ]  # fmt: skip
    assert [(post.name, post.emotional) for post in found["hard"]] == [("emotional", False)]
    assert [(post.name, post.emotional) for post in found["easy"]] == [("routine", False)]
    assert found["care"] == []
    shares = {"front": {"all": (300,), "emotional": (600,)}, "care": {"all": (700,)}}
    found = posts_of(scenario(*people, **rotation), shares)
    assert [post.share for post in found["both"]] == [(300,), (600,), ()]
    assert [post.share for post in found["hard"]] == [(600,)]
    assert [(post.name, post.skills, post.share) for post in found["care"]] == [("all", None, (700,))]
    found = posts_of(scenario(*people), shares)
    assert {who: [post.name for post in posts] for who, posts in found.items()} == {
        "both": ["all"], "hard": ["all"], "easy": ["all"], "care": ["all"],
    }  # fmt: skip
    assert posts_of(scenario(*people), {"care": {"all": (0, 0)}})["care"] == []


def test_at_a_post_somebody_counts_for_its_side_for_the_wide_need_and_for_the_groups():
    s = scenario(labour_rules={"rotation": {"most_min": 120}}, groups__front__second_tier=True)
    late, token = made._tier, made._token
    asks = {
        "order": {"order"}, "trouble": {"trouble"}, "either": {"order", "trouble"}, "late": {late("trouble")},
        "late orders": {late("order"), "order"}, "front": {token("front")}, "both": {token("front"), token("care")},
    }  # fmt: skip
    posed = problem_of(s, ())
    counted = {
        posed.posts[post].name: {
            name for name, any_of in asks.items() if any_of & cover.at_post(posed, 0, post)
        }
        for post in posed.people[0].posts
    }
    assert counted == {
        "all": set(asks),
        "emotional": set(asks) - {"order", "late orders"},
        "routine": set(asks) - {"trouble", "late"},
    }
    # A token of another group counts for nobody at any post.
    assert all(token("care") not in cover.at_post(posed, 0, post) for post in posed.people[0].posts)


def test_each_shift_is_offered_with_more_decompression_too():
    s = scenario(labour_rules={"decompression": {"after_min": 90, "minutes": 15}})
    posed, bare = problem_of(s, ()), problem_of(scenario(), ())
    front = posed.people[0]

    def number(duty) -> int:
        return sum(pause.kind == "decompression" for pause in duty.pauses)

    for day in range(5):
        offered = [posed.duties[k] for k in front.duties[day]]
        usual = [bare.duties[k] for k in bare.people[0].duties[day]]
        assert [duty for duty in offered if number(duty) == 0] == usual
        for n in (1, 2, 3):
            relieved = [duty for duty in offered if number(duty) == n]
            assert [(d.kind, d.start_min, d.minutes, d.paid_min) for d in relieved] == [
                (d.kind, d.start_min, d.minutes, d.paid_min) for d in usual
            ]
            assert all(earliest_pauses(duty) is not None for duty in relieved)
            assert [tuple(p for p in d.pauses if p.kind != "decompression") for d in relieved] == [
                d.pauses for d in usual
            ]
    # They part the shift: around lunch, with wide windows.
    days = [next(d for d in posed.duties if d.kind == "day" and number(d) == n) for n in (1, 2, 3)]
    assert ["".join(p.kind[0] for p in duty.pauses) for duty in days] == ["bdlob", "bdlodb", "bddlodb"]
    assert all(
        p.paid and p.latest_min - p.earliest_min >= 150
        for d in days
        for p in d.pauses
        if p.kind == "decompression"
    )
    # The policy's own block stays.
    assert {number(duty) for duty in problem_of(s, (), "soft").duties if duty.kind == "day"} == {
        0,
        1,
        2,
        3,
        4,
    }


def test_a_shift_without_a_place_for_decompression_is_told(check, tmp_path: Path):
    full = [{"name": "a", "minutes": 30, "paid": False, "earliest": 15, "latest": 15},
            {"name": "b", "minutes": 180, "paid": False, "earliest": 45, "latest": 45}]  # fmt: skip
    rules = {"decompression": {"after_min": 90, "minutes": 60}}
    assert (
        check(
            "id,group\na,front\n",
            labour_rules=rules,
            shifts__peak={"hours": 4, "starts": "10:00", "breaks": full},
        )
        == []
    )
    shown = CliRunner().invoke(app, ["check", str(tmp_path / "tiny.yaml")]).stdout
    assert "finds no place between the breaks of peak" in " ".join(shown.split())


def test_nobody_and_no_shifts_are_told_not_thrown():
    with pytest.raises(FieldError, match="headcount above 0"):
        problem_of(scenario(groups__front__headcount=0, groups__care__headcount=0), ())
    numbers = Scenario.model_validate(small.raw(**small.by_numbers(6, 4)))
    with pytest.raises(FieldError, match="made of shifts"):
        problem_of(numbers, ())


# --- needs ----------------------------------------------------------------------------------------------------------


def asked(
    s: Scenario, rows: dict[tuple[tuple[int, ...], tuple[int, ...]], float], duty: list[float]
) -> SimpleNamespace:
    """A requirement whose rows ((types), (groups)) hold in the first open hour."""
    size, at = s.horizon.days * 24, 9

    def row(value: float):
        return np.where(np.arange(size) == at, value, 0.0)

    return SimpleNamespace(
        sets=[TypeSet(*key) for key in rows],
        need=np.stack([row(value) for value in rows.values()]),
        own=np.zeros((2, size)),
        duty=np.stack([row(value) for value in duty]),
    )


def test_needs_ask_for_what_the_rows_inside_do_not():
    """Three for trouble, which both groups can do, and five in all; order is front's alone."""
    s = scenario(shrinkage=[])
    rows = {((0,), (0,)): 2.0, ((1,), (0, 1)): 1.0, ((0, 1), (0, 1)): 5.2}
    needs = needs_of(s, asked(s, rows, [2, 3]))
    assert [(n.day, n.start_min, n.minutes) for n in needs[::2]] == [
        (0, 540 + k, 15) for k in (0, 15, 30, 45)
    ]
    assert {(n.skills, n.people) for n in needs} == {
        (frozenset({"order"}), 2),
        (frozenset({"order", "trouble"}), 3),
    }
    # Nothing of order is routed to care, whoever was trained; a specialist of front does not count for what they lack.
    trained = scenario(
        {"id": "a", "group": "care", "skills": ["order", "trouble"]},
        {"id": "b", "group": "front", "skills": ["trouble"]},
    )
    a, b = problem_of(trained, needs).people
    assert "order" not in a.skills
    assert "order" not in b.skills


def test_needs_count_unplanned_shrinkage_by_weekday():
    s = scenario(shrinkage=[{"name": "Sickness", "kind": "absence", "share": 0.5}])
    needs = needs_of(s, asked(s, {((0,), (0,)): 4.0}, [4, 0]))
    assert {n.people for n in needs} == {8}


def test_overlapping_rows_ask_for_no_more_than_the_people_with_whom_all_hold():
    raw = small.raw(horizon__days=7, shrinkage=[])
    raw["types"]["third"] = dict(raw["types"]["trouble"])
    raw["groups"] = {"a": {"skills": ["order"], "headcount": 3}, "b": {"skills": ["order", "trouble"], "headcount": 3},
                     "c": {"skills": ["trouble", "third"], "headcount": 3}}  # fmt: skip
    raw["policies"] = {"as_is": {}}
    s = Scenario.model_validate(raw)
    rows = {((0,), (0, 1)): 6.0, ((1,), (1, 2)): 6.0, ((0, 1, 2), (0, 1, 2)): 9.0}
    needs = needs_of(s, asked(s, rows, [3, 3, 3]))
    first = [n for n in needs if n.start_min == 540]
    assert sum(n.people for n in first) == 9
    assert {n.people for n in first} == {4, 5}


def test_cover_becomes_needs_by_group():
    s = scenario()
    cover = np.zeros((2, 7, 24))
    cover[1, 2, 10] = 1.6
    needs = needs_of_cover(s, cover)
    assert [(n.day, n.start_min, n.people) for n in needs] == [(2, 600 + k, 2) for k in (0, 15, 30, 45)]
    ids = [p.id for p in problem_of(s, needs).people if p.skills & needs[0].skills]
    assert ids == ["care-001", "care-002", "care-003"]


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_lists_writes_and_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    (tmp_path / "tiny.yaml").write_text(small.text(horizon__days=7), encoding="utf-8")
    shown = run(app, ["people", "tiny.yaml", "--csv", "people.csv"])
    assert shown.exit_code == 0, shown.output
    flat = " ".join(shown.stdout.split())
    assert "7 people, made from the groups' headcounts" in flat
    assert "today's contacts ask for about" in flat
    assert "front-001" in flat
    assert "Written to people.csv" in shown.stderr
    again = run(app, ["people", "tiny.yaml", "--csv", "people.csv"], standalone_mode=False)
    assert "is there already" in str(again.exception.message)
    (tmp_path / "tiny.yaml").write_text(
        small.text(horizon__days=7, people={"file": "people.csv"}), encoding="utf-8"
    )
    document = json.loads(run(app, ["people", "tiny.yaml", "--json"]).stdout)
    assert document["number"] == 7
    assert not document["made_from_headcounts"]
    assert document["notices"] == []
    assert [one["id"] for one in document["people"]][:1] == ["front-001"]
    assert document["least_hours_per_week"] < 7 * 37.5 < document["most_hours_per_week"]


def test_the_command_without_shifts(tmp_path: Path):
    (tmp_path / "tiny.yaml").write_text(small.text(**small.by_numbers(6, 4)), encoding="utf-8")
    shown = CliRunner().invoke(app, ["people", str(tmp_path / "tiny.yaml")])
    assert shown.exit_code == 0
    assert "nobody can be rostered by name" in " ".join(shown.stdout.split())


@pytest.mark.parametrize("word", ["people.txt", "nowhere/people.csv"])
def test_a_csv_that_cannot_be_written_is_told(word: str):
    result = CliRunner().invoke(app, ["people", "insurer", "--csv", word], standalone_mode=False)
    assert "must" in result.exception.message


def test_a_person_and_a_contract_are_frozen_and_strict():
    with pytest.raises(ValueError, match="frozen"):
        Person(id="a", group="g").id = "b"
    with pytest.raises(ValueError, match="Extra"):
        Contract(most_hours=3, hours=3)


def test_each_group_is_added_up_and_the_groups_to_all(tmp_path: Path):
    (tmp_path / "tiny.yaml").write_text(small.text(), encoding="utf-8")
    shown = CliRunner().invoke(app, ["people", str(tmp_path / "tiny.yaml")]).stdout
    document = json.loads(CliRunner().invoke(app, ["people", str(tmp_path / "tiny.yaml"), "--json"]).stdout)
    lines = [line.strip("│ ").split("│") for line in shown.splitlines() if line.startswith("│")]
    found = {cells[0].strip(): [int(n.replace(",", "")) for n in cells[1:]] for cells in lines[:3]}
    assert list(found) == ["front", "care", "All"]
    assert [a + b for a, b in zip(found["front"][:2], found["care"][:2], strict=True)] == found["All"][:2]
    assert found["All"][0] == document["number"]
    assert found["All"][2:4] == [round(document[f"{w}_hours_per_week"]) for w in ("least", "most")]
