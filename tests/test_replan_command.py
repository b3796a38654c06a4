"""The command `replan`: a kept roster, an event, the rest of the day planned anew; and one clear line for whatever is wrong."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import small
from click.testing import Result
from typer.testing import CliRunner

from planner import natural, runs
from planner import replan as again
from planner.cli import app
from planner.rostering.intraday import STAYS

RUNS = CliRunner()
BUSY = {
    "types__order__offered_per_week": 3000,
    "types__trouble__offered_per_week": 1500,
    "groups__front__headcount": 14,
    "groups__care__headcount": 10,
}
OUTAGE = 'events=[{kind: bot_outage, from_day: 2, hours: "11:00-17:00"}]'
HOW = "make one with: unhurried roster tiny.yaml"


def run(*words: str) -> Result:
    return RUNS.invoke(app, list(words))


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scenario and a kept roster of it."""
    folder = tmp_path_factory.mktemp("centre")
    (folder / "tiny.yaml").write_text(small.text(**BUSY), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made = run("roster", "tiny.yaml", "--quick", "--no-reliefs", "--rounds", "0", "-n", "2", "--json")
    assert made.exit_code == 0, made.output
    return folder


@pytest.fixture(autouse=True)
def _inside(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(there)


@pytest.fixture(scope="module")
def kept(there: Path) -> dict:
    (path,) = there.glob("runs/roster-tiny-*/run.json")
    return json.loads(path.read_text(encoding="utf-8"))


def planned(*more: str, at: str = "tue 11:10") -> dict:
    result = run("replan", "tiny.yaml", "--at", at, "-n", "4", "--json", *more)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_outage_is_answered_and_the_past_stays(kept: dict):
    document = planned("--set", OUTAGE, "-n", "12")
    assert (document["day"], document["weekday"], document["at"], document["from"]) == (
        2,
        "Tuesday",
        "11:10",
        "11:15",
    )
    assert document["load"]["after"] > 1.05 * document["load"]["before"]
    by_type = {row["type"]: row for row in document["load"]["by_type"]}
    assert by_type["order"]["after"] > 1.1 * by_type["order"]["before"]
    assert document["short_hours"]["after"] < document["short_hours"]["before"]
    assert document["points"]["after"] < document["points"]["before"]
    assert document["hard_rules_newly_broken"] == []
    assert document["counts"][STAYS] > 0
    assert document["overtime_hours"] > 0
    rates = {"front": 24, "care": 21}
    stays = [row for row in document["changes"] if STAYS in row["what"]]
    premium = kept["scenario"]["costs"]["overtime_premium"]
    assert document["overtime_cost"] == pytest.approx(
        sum(r["extra_hours"] * rates[r["group"]] * (1 + premium) for r in stays)
    )
    assert all(0 < row["extra_hours"] <= 2 for row in stays)
    before = {row["person"]: row for row in kept["document"]["work"] if row["day"] == 2}
    for row in document["work"]:
        was = before[row["person"]]
        begun = [p for p in was["pauses"] if p["start_min"] < 675]
        assert row["pauses"][: len(begun)] == begun
        assert row["start_min"] == was["start_min"] or min(row["start_min"], was["start_min"]) >= 675
    rush = 'events=[{kind: bot_outage, from_day: 2, hours: "11:00-17:00"}, {kind: surge, from_day: 2, factor: 1.5}]'
    abandoned = planned("--set", rush, "-n", "12")["service"]["rest_of_day"][2]
    assert abandoned["after"]["mean"] < abandoned["before"]["mean"]
    assert abandoned["gained"]["high"] < 0
    for row in document["service"]["rest_of_day"]:
        assert row["gained"]["mean"] == pytest.approx(row["after"]["mean"] - row["before"]["mean"])
    assert {row["target"] for row in document["service"]["whole_day"]} == {0, 1, 2}


def test_the_sick_are_gone_from_the_moment_on(kept: dict):
    there = {
        row["person"]: row for row in kept["document"]["work"] if row["day"] == 2 and row["end_min"] > 660
    }
    begun = next(name for name, row in there.items() if row["start_min"] < 660)
    document = planned("--sick", begun, "--sick", "20%", at="2026-03-03 11:00")
    assert begun in document["sick"]
    # One of the fifth may be the one who is named.
    assert document["sick_at_work"] == len(document["sick"])
    assert round(0.2 * len(there)) <= len(document["sick"]) <= round(0.2 * len(there)) + 1
    last = {row["person"]: row["end_min"] for row in document["work"]}
    assert all(last.get(name, 0) <= 660 for name in document["sick"])
    assert last[begun] == 660
    assert document["load"]["before"] == document["load"]["after"]
    assert document["short_hours"]["after"] <= document["short_hours"]["before"]
    again_ = planned("--sick", f"{begun},20%", at="2026-03-03 11:00")
    timed = ("seconds", "made_on")
    assert {k: v for k, v in again_.items() if k not in timed} == {
        k: v for k, v in document.items() if k not in timed
    }


def test_nothing_has_happened():
    document = planned("--overtime", "0")
    assert document["load"]["before"] == document["load"]["after"]
    assert document["counts"][STAYS] == 0
    late = run("replan", "tiny.yaml", "--at", "mon 23:00", "-n", "2")
    assert late.exit_code == 0
    assert "From Monday 23:00 on nobody is asked for: there is nothing to plan anew." in late.stdout
    assert "Nobody's day changes." in late.stdout


def test_in_print_a_sentence_first_and_a_short_table():
    result = run("replan", "tiny.yaml", "--at", "tuesday 11:00", "--set", OUTAGE, "-n", "4")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "From Tuesday 11:00 on" in text
    assert "What happened: the work that reaches people changes by +" in text
    assert re.search(r"\d+ stays? longer \(\d+\.\d h of overtime, [\d,]+ EUR\)", text)
    assert "Every rule that the roster in force keeps is kept; all other days stay as they are." in text
    lines = result.stdout.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Who does what otherwise"))
    last = next(i for i, line in enumerate(lines) if i > first and line.startswith("└"))
    assert last - first - 4 <= 15
    assert list(Path("runs").glob("replan-tiny-*/run.json"))


def test_a_run_without_natural_values_is_anchored_anew_and_says_so(kept: dict, tmp_path: Path, there: Path):
    old = {**kept, "document": {k: v for k, v in kept["document"].items() if k != "basis"}}
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "run.json").write_text(json.dumps(old), encoding="utf-8")
    document = planned("--run", str(tmp_path / "old"), "--set", OUTAGE)
    assert document["anchored_anew"]
    assert (document["run"], planned("--set", OUTAGE)["anchored_anew"]) == ("old", False)
    # The same values are found again, and so is the same day.
    assert document["changes"] == planned("--set", OUTAGE)["changes"]


def test_natural_values_come_back_to_the_last_bit(kept: dict):
    basis = kept["document"]["basis"]
    assert (
        natural.as_document(natural.from_document(json.loads(json.dumps(basis["natural"]))))
        == basis["natural"]
    )


def test_the_newest_kept_roster_is_in_force(kept: dict, tmp_path: Path):
    for name, made in (("roster-tiny-a", "2026-01-01T00:00:00"), ("roster-tiny-b", "2026-02-01T00:00:00")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps({**kept, "made": made}), encoding="utf-8")
    scenario = again.scenario_of("x", kept)
    assert again.kept_run(scenario, "tiny.yaml", tmp_path, None)[0] == "roster-tiny-b"
    assert again.kept_run(scenario, "tiny.yaml", tmp_path, "roster-tiny-a")[0] == "roster-tiny-a"


def test_who_rotates_keeps_the_queue_of_a_stretch_that_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rules = {
        "rotation": {"most_min": 90},
        "decompression": {"after_min": 45, "minutes": 15},
        "exposure": {"day_min": 120, "week_min": 240, "stretch_min": 60},
    }
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(small.text(**BUSY, labour_rules=rules), encoding="utf-8")
    assert run("roster", "tiny.yaml", "--quick", "--no-reliefs", "--rounds", "0", "-n", "2").exit_code == 0
    (path,) = tmp_path.glob("runs/roster-tiny-*/run.json")
    roster = json.loads(path.read_text(encoding="utf-8"))["document"]
    document = planned("--set", OUTAGE, at="tue 12:00")
    before = {row["person"]: row for row in roster["work"] if row["day"] == 2}
    assert document["hard_rules_newly_broken"] == []
    assert document["counts"]["queues"] > 0
    several = 0
    for row in document["work"]:
        was = before[row["person"]]
        begun = sum(p["start_min"] < 720 for p in was["pauses"])
        assert row["pauses"][:begun] == was["pauses"][:begun]
        if was["start_min"] < 720 and was["posts"] and row["posts"]:
            # Stretches before the breaks that have begun, and the one after them unless the last break lasts.
            resting = begun and was["pauses"][begun - 1]["end_min"] >= 720
            n = begun + (not resting)
            assert row["posts"][:n] == was["posts"][:n]
            several += len(set(was["posts"])) > 1
    assert several


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--at", "sun 11:00"], "--at: must lie in the horizon, 2026-03-02 to 2026-03-03 (found 'sun 11:00')"),
        (["--at", "2026-03-09 11:00"], "--at: must lie in the horizon, 2026-03-02 to 2026-03-03 (found '2026-03-09 11:00')"),
        (["--at", "mon 25:00"], "--at: must have a time on the clock, 00:00 to 23:59 (found '25:00')"),
        (["--at", "mon noon"], "--at: must have a time on the clock, 00:00 to 23:59 (found 'noon')"),
        (["--at", "mnday 11:00"], "did you mean monday?"),
        (["--at", "monday"], '--at: must be a weekday or a date, and a time, like "wed 11:00" or "2026-03-04 11:00" (found \'monday\')'),
        (["--at", "mon 11:00", "--sick", "120%"], "--sick: must be one share above 0 % and up to 100 %, such as 15% (found '120%')"),
        (["--at", "mon 11:00", "--sick", "0%"], "up to 100 %, such as 15% (found '0%')"),
        (["--at", "mon 11:00", "--sick", "10%", "--sick", "20%"], "must be one share"),
        (["--at", "mon 11:00", "--sick", "frnt-001"], "(found 'frnt-001'; did you mean front-001?)"),
        (["--at", "mon 11:00", "--run", "nowhere"], f"--run: must be the folder of a kept roster; {HOW} (found 'nowhere')"),
        (["--at", "mon 11:00", "--out", "empty"], f"empty: has no kept roster of tiny; {HOW}"),
        (["--at", "mon 11:00", "--set", "groups.front.headcount=13"], "tiny.yaml: groups: must be as in the kept roster roster-tiny-"),
        (["--at", "mon 11:00", "--set", "what_if.headcount=1.5"], "tiny.yaml: what_if.headcount: must be as in the kept"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(words: list[str], says: str):
    result = run("replan", "tiny.yaml", *words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("hours", ["1.2", "9", "-1", "nan", "much"])
def test_overtime_is_whole_or_half_hours(hours: str):
    result = run("replan", "tiny.yaml", "--at", "mon 11:00", "--overtime", hours)
    assert result.exit_code == 2
    told = " ".join(result.stderr.replace("│", " ").split())
    assert f"must be half or whole hours from 0 to 8, like 1.5 (found '{hours}')" in told


def test_another_run_than_a_roster_is_told(kept: dict, tmp_path: Path):
    for name, changed, found in (
        ("plan", {"kind": "plan"}, "found a plan of tiny"),
        ("other", {"scenario": {**kept["scenario"], "name": "other"}}, "found a roster of other"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps({**kept, **changed}), encoding="utf-8")
        result = run("replan", "tiny.yaml", "--at", "mon 11:00", "--run", str(tmp_path / name))
        assert (result.exit_code, found in result.stderr) == (2, True)


def test_a_run_of_another_version_is_told(kept: dict, tmp_path: Path):
    work = [{**row, "shift": "gone"} for row in kept["document"]["work"]]
    broken: dict[str, Callable[[], dict]] = {
        "shifts": lambda: {**kept, "document": {**kept["document"], "work": work}},
        "scenario": lambda: {**kept, "scenario": {**kept["scenario"], "horizon": {"days": "many"}}},
    }
    for name, record in broken.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps(record()), encoding="utf-8")
        result = run("replan", "tiny.yaml", "--at", "mon 11:00", "--run", str(tmp_path / name))
        assert result.exit_code == 2
        assert "was kept by another version" in result.stderr
        assert runs.read(tmp_path / name / "run.json") is not None
