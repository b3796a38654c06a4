"""`unhurried roster`: files that read back, a roster in use that is kept or changed a little, overtime, time off, and every refusal."""

import csv
import json
from pathlib import Path

import openpyxl
import pytest
import small
from click.testing import Result
from icalendar import Calendar
from typer.testing import CliRunner

from planner.cli import app

RUNS = CliRunner()
FEW = ("--quick", "-n", "2", "--rounds", "0", "--no-reliefs")
CHANGES = {"shrinkage": [], "time_zone": "Europe/Berlin", "costs": {"overtime_premium": 0.25}}


def run(*words: str) -> Result:
    return RUNS.invoke(app, ["roster", *words])


def document(result: Result) -> dict:
    assert result.exit_code == 0, (result.stderr, result.exception)
    return json.loads(result.stdout)


def told(result: Result) -> list[str]:
    """The lines of an expected error; progress must not have begun."""
    assert result.exit_code == 2, (result.stdout, result.stderr, result.exception)
    assert result.stdout == ""
    return result.stderr.splitlines()


class Made:
    """A folder with a scenario, a roster made anew, and its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scenario = str(folder / "tiny.yaml")
        (folder / "tiny.yaml").write_text(small.text(**CHANGES), encoding="utf-8")
        files = (
            "--csv",
            self.at("roster.csv"),
            "--wide",
            self.at("week.csv"),
            "--xlsx",
            self.at("roster.xlsx"),
            "--ics",
            self.at("calendars"),
        )
        self.first = document(run(self.scenario, *FEW, "--json", *files, *self.out))

    @property
    def out(self) -> tuple[str, str]:
        return "--out", self.at("runs")

    def at(self, name: str) -> str:
        return str(self.folder / name)

    def run(self, *words: str) -> Result:
        return run(self.scenario, *FEW, *self.out, *words)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("roster"))


def read(path: str) -> list[dict]:
    return list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))


def cells(document: dict) -> set[tuple]:
    return {(w["person"], w["date"], w["shift"], w["start_min"]) for w in document["work"]}


def test_files_say_what_the_document_says(made):
    rows = read(made.at("roster.csv"))
    assert len(rows) == made.first["shifts"]
    assert {(r["id"], r["date"], r["shift"]) for r in rows} == {key[:3] for key in cells(made.first)}
    assert sum(float(r["paid_hours"]) for r in rows) == pytest.approx(made.first["paid_hours"])
    wide = list(csv.reader(Path(made.at("week.csv")).read_text(encoding="utf-8").splitlines()))
    assert [row[0] for row in wide[1:]] == [one["id"] for one in made.first["persons"]]
    assert sum(cell not in ("", "leave") for row in wide[1:] for cell in row[2:]) == made.first["shifts"]
    book = openpyxl.load_workbook(made.at("roster.xlsx"))
    assert book["Shifts"].max_row == len(rows) + 1
    assert book["Roster"].max_row == len(wide)
    assert {cell.value for cell in book["Targets"]["G"][1:]} <= {"held", "held in the mean only", "missed"}
    calendars = list(Path(made.at("calendars")).glob("*.ics"))
    assert sum(len(Calendar.from_ical(path.read_bytes()).events) for path in calendars) == len(rows)


def test_a_new_roster_says_nothing_of_one_in_use(made):
    assert (made.first["published"], made.first["overtime"], made.first["time_off"]) == (None, None, None)
    assert made.first["time_zone"] == "Europe/Berlin"
    assert made.first["horizon"] == {"start": "2026-03-02", "days": 2}


def test_what_is_exported_reads_back_and_is_judged_alike(made):
    again = document(made.run("--published", made.at("roster.csv"), "--keep", "--json"))
    assert again["work"] == made.first["work"]
    assert again["targets"] == made.first["targets"]
    assert again["short_hours"] == made.first["short_hours"]
    # How emotional the work is, and so how fairly it is shared, is measured on the roster itself.
    for part in ("short", "over", "requests", "dislikes"):
        assert again["certificate"]["parts"][part] == made.first["certificate"]["parts"][part]
    assert again["published"]["kept"]
    assert again["published"]["new"] is None
    assert again["published"]["changes"] == []
    assert again["published"]["in_use"]["targets_missed"] == sum(not t["met"] for t in made.first["targets"])
    assert again["published"]["in_use"]["shifts"] == made.first["shifts"]
    assert again["reliefs"] is None


def in_use(made: Made, name: str) -> tuple[str, list[dict]]:
    """A poor roster in use: the one made, without the last shifts of four people who have two, and one moved to another start."""
    rows = read(made.at("roster.csv"))
    last = {row["id"]: k for k, row in enumerate(rows) if k and rows[k - 1]["id"] == row["id"]}
    gone = set(list(last.values())[:4])
    rows = [row for k, row in enumerate(rows) if k not in gone]
    moved = next(row for row in rows if row["shift"] == "day")
    moved |= {"start": "08:45" if moved["start"] == "09:00" else "09:00", "end": "", "pauses": ""}
    path = made.at(name)
    with Path(path).open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    return path, rows


def test_a_replan_changes_what_pays_and_keeps_what_is_locked(made):
    path, rows = in_use(made, "in_use.csv")
    result = made.run(
        "--published",
        path,
        "--lock",
        "mon",
        "--lock",
        "care-003",
        "--changes",
        made.at("changes.csv"),
        "--json",
    )
    found = document(result)
    known = found["published"]
    before = {(r["id"], r["date"]): (r["shift"], r["start"]) for r in rows}
    after = {
        (w["person"], w["date"]): (w["shift"], f"{w['start_min'] // 60:02d}:{w['start_min'] % 60:02d}")
        for w in found["work"]
    }
    differs = {key for key in before | after if before.get(key) != after.get(key)}
    assert differs == {(r["id"], r["date"]) for r in known["changes"]}
    assert known["changed_shifts"] == len(differs) > 0
    assert known["changed_people"] == len({who for who, _ in differs})
    assert all(day == "2026-03-03" and who != "care-003" for who, day in differs)
    assert known["locked_days"] == 7 + 1
    assert known["new"]["short_hours"] < known["in_use"]["short_hours"]
    assert known["new"]["short_hours"] == found["short_hours"]
    assert {row["rule"]: row for row in found["rules"]}["changes"]["broken"] == len(differs)
    assert {row["rule"]: row for row in found["rules"]}["changes"]["price"] == 40
    listed = read(made.at("changes.csv"))
    assert {(r["id"], r["date"]) for r in listed} == differs
    assert {r["day"] for r in listed} == {"tue"}
    for row in listed:
        shift = before.get((row["id"], row["date"]))
        assert row["before"].startswith("off" if shift is None else " ".join(shift))


def test_the_dearer_a_change_the_fewer_there_are(made):
    path, _ = in_use(made, "dear.csv")
    free, dear = (
        document(made.run("--published", path, "--change-price", price, "--json"))["published"]
        for price in ("0", "100000")
    )
    assert free["changed_shifts"] > 0
    assert dear["changed_shifts"] == 0
    assert all(
        dear["new"][key] == dear["in_use"][key]
        for key in ("shifts", "paid_hours", "pay_per_week", "hard_rules_broken")
    )
    assert dear["new"]["short_hours"] <= dear["in_use"]["short_hours"]  # pauses may move


def test_in_print_a_replan_says_what_it_buys(made):
    path, _ = in_use(made, "print.csv")
    shown = made.run("--published", path, "--overtime", "8", "--time-off", "--xlsx", made.at("replan.xlsx"))
    assert shown.exit_code == 0, shown.stderr
    text = " ".join(shown.stdout.split())
    assert "Of the roster in use (print.csv) " in text
    assert "both simulated; rules broken " in text
    assert "The roster in use and the new one, both simulated" in text
    assert "Overtime: " in text
    assert "Time off: " in text
    assert "Written to" in shown.stderr
    book = openpyxl.load_workbook(made.at("replan.xlsx"))
    assert book.sheetnames[-2:] == ["Changes", "Time off"]
    assert "Of the roster in use (print.csv)" in " ".join(
        str(row[0].value) for row in book["Summary"].iter_rows()
    )


def test_a_roster_in_use_that_breaks_rules_is_told_of_and_mended(made):
    """Two of seven people work: the others' contracts are broken, and whatever a change costs they get their shifts."""
    path = Path(made.at("poor.csv"))
    rows = "".join(f"front-00{k},2026-03-0{day},early,09:00\n" for k in (1, 2) for day in (2, 3))
    path.write_text(f"id,date,shift,start\n{rows}", encoding="utf-8")
    shown = made.run("--published", str(path), "--keep", "--time-off")
    text = " ".join(shown.stdout.split())
    assert (
        "This is the roster in use, from poor.csv, as it stands; rules broken: paid time at least (5)."
        in text
    )
    assert "Time off: no shift can be given back without making anybody short." in text
    known = document(made.run("--published", str(path), "--change-price", "100000", "--json"))["published"]
    assert (known["in_use"]["shifts"], known["in_use"]["hard_rules_broken"]) == (4, 5)
    assert known["in_use"]["rules_broken"][0]["rule"] == "least_paid"
    assert known["new"]["hard_rules_broken"] == 0
    assert known["changed_people"] == known["changed_shifts"] == 5
    assert known["new"]["short_hours"] < known["in_use"]["short_hours"]


BUSY = ("--set", "what_if.volume=3")


def test_overtime_is_worked_where_it_is_worth_it(made):
    week = ("--set", "groups.front.hours_per_week=10", "--set", "groups.care.hours_per_week=10")
    plain = document(made.run(*BUSY, *week, "--json"))
    more = document(made.run(*BUSY, *week, "--overtime", "5", "--json"))
    assert more["overtime"]["hours"] > 0
    assert more["overtime"]["people"] > 0
    assert more["overtime"]["hours"] <= 5 * 7
    assert more["overtime"]["premium"] == pytest.approx(more["overtime"]["pay"] * 0.25 / 1.25)
    assert more["overtime"]["points_per_quarter"] == 6
    assert more["short_hours"] < plain["short_hours"]
    assert more["paid_hours"] > plain["paid_hours"]


def test_time_off_is_proposed_where_many_are_over(made):
    found = document(
        made.run(
            "--set",
            "what_if.volume=0.3",
            "--published",
            made.at("roster.csv"),
            "--keep",
            "--time-off",
            "--json",
        )
    )
    off = found["time_off"]
    assert len(off["shifts"]) > 1
    over = [row["over_hours"] for row in off["shifts"]]
    assert over == sorted(over, reverse=True)
    assert off["hours"] == pytest.approx(sum(row["paid_hours"] for row in off["shifts"]))
    rates = {"front": 24, "care": 21}
    assert off["pay"] == pytest.approx(sum(row["paid_hours"] * rates[row["group"]] for row in off["shifts"]))
    assert off["targets_missed_after"] >= off["targets_missed_before"] >= 0
    assert {(row["id"], row["date"]) for row in off["shifts"]} <= {key[:2] for key in cells(found)}


# --- refusals -------------------------------------------------------------------------------------------------------

REFUSED = {
    "keep": (("--keep",), "--keep: needs --published FILE.csv, the roster in use"),
    "lock": (("--lock", "mon"), "--lock: needs --published FILE.csv, the roster in use"),
    "price": (("--change-price", "5"), "--change-price: needs --published FILE.csv"),
    "changes": (("--changes", "c.csv"), "--changes: needs --published FILE.csv"),
    "keep and lock": (("--published", "u.csv", "--keep", "--lock", "mon"), "--lock: cannot go with --keep, which makes no other roster"),
    "keep and price": (("--published", "u.csv", "--keep", "--change-price", "1"), "--change-price: cannot go with --keep"),
    "keep and changes": (("--published", "u.csv", "--keep", "--changes", "c.csv"), "--changes: cannot go with --keep"),
    "keep and overtime": (("--published", "u.csv", "--keep", "--overtime", "1"), "--overtime: cannot go with --keep"),
    "no such file": (("--published", "usd.csv"), "usd.csv: no such file (did you mean used.csv?)"),
    "a bad row": (("--published", "used.csv"), "used.csv:2: id: must be an id of the people in force: front-001, "),
    "a bad lock": (("--published", "good.csv", "--lock", "xyz"), "--lock: must be days like mon-wed, a date, dates like "),
    "a price that is none": (("--published", "good.csv", "--change-price", "-1"), "'--change-price': must be a whole number from 0 to 1,000,000"),
    "no overtime": (("--overtime", "0"), "'--overtime': must be hours above 0 and at most 40 (found '0')"),
    "overtime in words": (("--overtime", "much"), "'--overtime': must be hours above 0 and at most 40 (found 'much')"),
    "overtime that is none": (("--overtime", "nan"), "must be hours above 0 and at most 40 (found 'nan')"),
    "csv there": (("--csv", "good.csv"), "'--csv': must be new: good.csv is there already, and may hold somebody's changes"),
    "wide there": (("--wide", "good.csv"), "'--wide': must be new"),
    "changes there": (("--changes", "good.csv"), "'--changes': must be new"),
    "calendars there": (("--ics", "."), "'--ics': must be the name of a folder, such as calendars (found '.')"),
    "a folder there": (("--ics", "there"), "'--ics': must be new: there is there already"),
    "no csv": (("--csv", "a.txt"), "'--csv': must be the name of a CSV file, such as roster.csv (found 'a.txt')"),
    "no workbook": (("--xlsx", "a.xls"), "'--xlsx': must be the name of an XLSX file, such as roster.xlsx (found 'a.xls')"),
    "nowhere": (("--xlsx", "no/a.xlsx"), "'--xlsx': must lie in a folder that there is (found 'no/a.xlsx')"),
    "no file name": (("--csv", "a\0.csv"), "'--csv': must be the name of a CSV file (found 'a\\x00.csv')"),
    "too long a name": (("--csv", f"{'a' * 300}.csv"), "'--csv': must be the name of a CSV file (found 'aaa"),
    "the same twice": (("--csv", "a.csv", "--wide", "./a.csv"), "must be files of their own (found the same name twice)"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_any_work(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "tiny.yaml").write_text(small.text(), encoding="utf-8")
    head = "id,date,shift,start\n"
    (tmp_path / "used.csv").write_text(f"{head}nobody,2026-03-02,day,09:00\n", encoding="utf-8")
    (tmp_path / "good.csv").write_text(f"{head}front-001,2026-03-02,day,09:00\n", encoding="utf-8")
    words, says = REFUSED[name]
    result = RUNS.invoke(app, ["roster", "tiny.yaml", *words], standalone_mode=False)
    if result.exception is not None and hasattr(result.exception, "format_message"):
        line = result.exception.format_message()
    else:
        lines = result.stderr.splitlines()
        assert (result.return_value, len(lines)) == (2, 1)
        line = lines[0]
    assert says in line
    assert {path.name for path in tmp_path.iterdir()} <= {
        "there",
        "tiny.yaml",
        "used.csv",
        "good.csv",
        "runs",
    }
    assert "Traceback" not in result.stderr


def test_a_rotating_roster_reads_back_with_its_queues_and_a_replan_is_never_worse(tmp_path):
    """Posts have other numbers once it is known how emotional each group's work is."""
    rotation = {"rotation": {"most_min": 60}, "prices": {"rotation": 1}}
    path = tmp_path / "tiny.yaml"
    path.write_text(
        small.text(**CHANGES, labour_rules=rotation, groups__care__skills=["order", "trouble"]),
        encoding="utf-8",
    )
    out = ("--out", str(tmp_path / "runs"))
    first = document(run(str(path), *FEW, *out, "--json", "--csv", str(tmp_path / "roster.csv")))
    assert {queue["name"] for work in first["work"] for queue in work["queues"]} >= {"emotional"}
    again = document(run(str(path), *FEW, *out, "--json", "--published", str(tmp_path / "roster.csv")))
    known = again["published"]
    assert known["in_use"]["hard_rules_broken"] == 0
    assert known["in_use"]["short_hours"] == first["short_hours"]
    assert known["new"]["targets_missed"] <= known["in_use"]["targets_missed"]


@pytest.mark.parametrize(("people", "days", "most"), [(8_000, 7, 6), (1_000, 70, 50)])
def test_more_than_a_roster_holds_is_refused_at_once(people: int, days: int, most: int, tmp_path: Path):
    changes = {
        "groups__front__headcount": people // 2,
        "groups__care__headcount": people // 2,
        "horizon__days": days,
    }
    (tmp_path / "tiny.yaml").write_text(small.text(**changes), encoding="utf-8")
    (line,) = told(run(str(tmp_path / "tiny.yaml"), *FEW, "--out", str(tmp_path / "runs")))
    assert line.startswith("tiny.yaml:")
    assert f"horizon.days: must be at most {most} for a roster of {people:,} people by name" in line


def test_a_folder_that_cannot_be_written_to_is_told_before_any_work(made, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    words = ["roster", made.scenario, "--csv", made.at("new.csv")]
    result = RUNS.invoke(app, words, standalone_mode=False)
    line = result.exception.format_message()
    assert "'--csv': must lie in a folder that can be written to" in line
