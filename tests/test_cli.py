"""The command line: help, one document on stdout, one clear line for whatever is wrong, and runs kept whole or not at all."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pandas as pd
import pytest
import small
from click.testing import Result
from typer.testing import CliRunner

from planner import jobs, runs
from planner.channels import unused
from planner.cli import app
from sim.measures import CUSTOMER, PEOPLE

COMMANDS = (
    "check",
    "people",
    "simulate",
    "plan",
    "roster",
    "replan",
    "compare",
    "levers",
    "sweep",
    "mix",
    "evidence",
    "runs",
    "app",
)
NUMBERS = {**small.by_numbers(6, 4), "horizon__days": 2}
RUNS = CliRunner()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are kept in the working directory: not in the project's."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Write the tiny scenario with changes, and give its name."""

    def write(**changes: object) -> str:
        (tmp_path / "tiny.yaml").write_text(small.text(**{**NUMBERS, **changes}), encoding="utf-8")
        return "tiny.yaml"

    return write


def run(*words: str) -> Result:
    return RUNS.invoke(app, list(words))


def one_document(result: Result) -> dict:
    """All of stdout is one JSON text of finite numbers on one line."""
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("\n") == 1

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(result.stdout, parse_constant=refuse)


def told(result: Result) -> list[str]:
    """The lines of an expected error, progress left out."""
    assert result.exit_code == 2, (result.stdout, result.stderr, result.exception)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return [line for line in result.stderr.splitlines() if not line.lstrip()[:1].isdigit()]


# --- help ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"Example: unhurried {command}" in " ".join(result.stdout.split())


def test_help_lists_every_command() -> None:
    shown = run("--help").stdout
    assert all(command in shown for command in COMMANDS)
    assert len(app.registered_commands) == len(COMMANDS), "a new command belongs into these tests"


# --- one document -------------------------------------------------------------------------------------------


def test_check(file) -> None:
    document = one_document(run("check", file(), "--json", "--set", "what_if.volume=1.1"))
    assert document["ok"] is True
    assert document["types"] == ["order", "trouble"]
    assert document["policies"] == ["as_is", "hard", "soft"]
    assert document["contacts_per_week"] == 1500
    assert document["headcount"] == 7
    assert document["applied"] == [["what_if.volume", 1.1, "--set"]]
    plain = run("check", file())
    assert plain.exit_code == 0
    assert "2 contact types, 1,500 contacts a week, 2 groups with 7 people" in " ".join(plain.stdout.split())
    assert " 1 group with 16 people" in " ".join(run("check", "bank-1999").stdout.split())
    assert plain.stderr == ""


def test_check_with_json_gives_the_problems_as_one_document_too(file) -> None:
    result = run("check", file(types__order__resolved=1.5, typo=1), "--json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert {p["field"] for p in document["problems"]} == {"types.order.resolved", "typo"}
    assert all(p["line"] > 0 for p in document["problems"])
    assert result.stderr == ""


def test_simulate(file) -> None:
    result = run("simulate", file(), "--policy", "soft", "-n", "2", "--seed", "5", "--json")
    document = one_document(result)
    assert set(document) == {
        "title", "policy_title", "currency", "applied", "money", "scenario", "policy", "engine", "seed", "replications", "seconds", "measures", "by_type", "by_segment",
        "by_vulnerable", "by_channel", "by_group", "anchoring", "made_on",
    }  # fmt: skip
    assert (document["policy"], document["seed"], document["replications"]) == ("soft", 5, 2)
    told = {*CUSTOMER, *PEOPLE} - unused(small.tiny())
    assert set(document["measures"]) >= told
    assert not set(document["measures"]) & unused(small.tiny()), "calls alone have no chats and no backlog"
    assert set(document["by_group"]) == {"front", "care"}
    money = document["money"]
    lines = sum(e["mean"] for name, e in money.items() if name.startswith("money_"))
    assert money["cash"]["mean"] == pytest.approx(lines)
    assert money["cash"]["low"] < money["cash"]["mean"] < money["cash"]["high"]
    assert document["applied"] == []
    assert set(document["measures"]["occupancy"]) == {"mean", "low", "high", "unit"}
    assert "anchoring round 1" in result.stderr
    assert "simulating soft, 2 replications" in result.stderr


def test_more_records_than_replications_are_refused(file) -> None:
    result = run("simulate", file(), "-n", "3", "--records", "5")
    assert result.exit_code == 2
    assert result.stderr == "--records: must be at most the number of replications, 3 (found 5)\n"


def test_records_on_request(file, tmp_path: Path) -> None:
    """Contacts, journeys and agents' time, as Parquet; the measures can be computed anew from them."""
    name = file(**small.by_numbers(4, 2))
    words = ("simulate", name, "--policy", "soft", "-n", "3", "--seed", "5", "--json")
    plain = one_document(run(*words, "--out", "without"))
    document = one_document(run(*words, "--records", "2", "--out", "with"))
    assert document["measures"] == plain["measures"]
    (without,), (folder,) = ((tmp_path / name).iterdir() for name in ("without", "with"))
    assert {p.name for p in without.iterdir()} == {"run.json", "measures.parquet"}
    contacts, journeys, people = (
        pd.read_parquet(folder / f"{name}.parquet") for name in ("contacts", "journeys", "agents_time")
    )
    for table in (contacts, journeys, people):
        assert table["replication"].unique().tolist() == [0, 1]
    one = one_document(run(*words[:4], "-n", "2", *words[6:], "--out", "two"))["measures"]
    inside = contacts[contacts["measured"]]
    assert len(inside) / 2 == one["contacts"]["mean"]
    answered = inside[inside["outcome"] == "answered"]
    handle = answered["talk_s"] + answered["acw_s"]
    assert handle.mean() == pytest.approx(one["handle_time_s"]["mean"])
    assert inside["arrived"].dt.date.astype(str).unique().tolist() == ["2026-03-02", "2026-03-03"]
    waited = (answered["answered_or_gone"] - answered["reached_people"]).dt.total_seconds()
    assert waited.tolist() == pytest.approx(answered["wait_s"].tolist(), abs=1e-6)
    assert set(answered["group"]) == {"front", "care"}
    assert inside.loc[inside["outcome"] == "abandoned", "group"].unique().tolist() == [""]
    assert len(journeys) / 2 == one["needs"]["mean"]
    ended = journeys["ended"].value_counts(normalize=True)
    for name, key in (
        ("seen and sorted", "seen_and_sorted"), ("sorted, not heard", "sorted_not_heard"),
        ("warm, unresolved", "warm_unresolved"), ("cold, unresolved", "cold_unresolved"),
        ("gave up unserved", "ended_unserved"), ("still open", "still_open"),
    ):  # fmt: skip
        assert ended.get(name, 0.0) == pytest.approx(one[key]["mean"]), name
    assert journeys["expected_resolved"].mean() == pytest.approx(one["resolution"]["mean"])
    assert journeys["expected_churn"].sum() / 2 == pytest.approx(one["churned"]["mean"])
    assert 1000 * journeys["expected_undisclosed"].mean() == pytest.approx(one["undisclosed"]["mean"])
    assert 100 * journeys["returns"].mean() == pytest.approx(one["returns"]["mean"])
    assert (journeys["contacts"] >= journeys["answered"]).all()
    mine = people[people["measured"]]
    busy = mine["talk_min"] + mine["acw_min"]
    assert busy.sum() / (busy + mine["idle_min"]).sum() == pytest.approx(one["occupancy"]["mean"])
    load = (mine["mean_load"] * mine["present_min"]).sum() / mine["present_min"].sum()
    assert load == pytest.approx(one["load"]["mean"])


def test_simulate_for_people(file) -> None:
    result = run("simulate", file(), "-n", "2", "--set", "what_if.volume=1.1")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert (
        "A tiny centre, Today (tiny, as_is) Changed: what_if.volume = 1.1, by --set On today's roster; 2 repl"
        in said
    )
    assert "A year like this costs" in said
    assert "thousand EUR" in said
    assert "Load: how much hard contacts have tired an agent" in said
    assert "│ Trouble │ After-contact work " in result.stdout, "plain names, in the table of misfits too"
    assert "Kept in runs/simulate-tiny-" in result.stdout
    assert "anchoring round" not in result.stdout


def test_same_seed_same_numbers_and_another_seed_others(file) -> None:
    name = file()
    first, again, other = (
        one_document(run("simulate", name, "-n", "2", "--seed", seed, "--json")) for seed in ("1", "1", "2")
    )
    del first["seconds"], again["seconds"], other["seconds"]
    assert first == again
    assert first["measures"] != other["measures"]
    assert first["anchoring"] == other["anchoring"], "anchoring has its own draws"


def test_engines_give_the_same_numbers(file) -> None:
    few = {"types__order__offered_per_week": 200, "types__trouble__offered_per_week": 100}
    known = {f"types__{name}__natural": list(small.ALL_NATURAL) for name in ("order", "trouble")}
    name = file(horizon__days=1, **few, **known)
    kernel, simpy = (
        one_document(run("simulate", name, "-n", "1", "--engine", engine, "--json"))
        for engine in ("kernel", "simpy")
    )
    assert kernel["measures"] == simpy["measures"]
    assert (kernel["engine"], simpy["engine"]) == ("kernel", "simpy")


def test_plan(file) -> None:
    result = run("plan", file(), "--policy", "soft", "-n", "2", "--quick", "--json")
    document = one_document(result)
    assert set(document) == {
        "title", "policy_title", "currency", "applied", "binding", "money", "scenario", "policy", "seed", "status", "cost", "bound", "gap", "schedule_seconds", "seconds", "violations", "fte",
        "requirement", "unmet", "targets", "repairs", "proof", "week", "anchoring", "made_on",
    }  # fmt: skip
    assert document["status"] == "plain numbers"
    assert document["violations"] == []
    fte = document["fte"]
    assert 0 < fte["bare"] <= fte["rostered"] <= fte["paid"]
    assert [g["group"] for g in fte["by_group"]] == ["front", "care"]
    assert len(document["targets"]) == 6
    assert len(document["week"]["labels"]) == len(document["week"]["on_queue"][0]) == 48
    assert "requirement round 1" in result.stderr
    fte = document["fte"]
    assert fte["heads_change"] == fte["heads_needed"] - fte["heads_today"]
    assert fte["flat_shrinkage_source"] == "assumed"
    assert document["money"]["cash"]["mean"] > 0
    assert document["money"]["margin_lost"]["mean"] > 0


def test_a_plan_has_its_seed(file, tmp_path: Path) -> None:
    """Named in what is printed and kept; another one meets other customers in search, proof and price."""
    words = ("plan", file(), "-n", "2", "--quick", "--json")
    usual, named, other = (
        one_document(run(*words, *more)) for more in ((), ("--seed", "9001"), ("--seed", "5"))
    )
    for document in (usual, named, other):
        del document["seconds"]
    assert usual == named
    assert (usual["seed"], other["seed"]) == (9001, 5)
    assert usual["proof"]["measures"] != other["proof"]["measures"]
    assert usual["money"]["money_complaints"] != other["money"]["money_complaints"]
    assert usual["anchoring"] == other["anchoring"]
    kept = [json.loads(path.read_text()) for path in (tmp_path / "runs").glob("plan-*/run.json")]
    assert {record["options"]["seed"] for record in kept} == {9001, 5}


def test_plan_for_people(file) -> None:
    result = run("plan", file(), "--policy", "soft", "-n", "2", "--quick", "--set", "what_if.value=2")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert said.startswith("A tiny centre, Soft (tiny, soft) Changed: what_if.value = 2")
    assert "FTE on the payroll are needed" in said
    assert "(2 replications, seed 9002, the one after the search's)" in said
    assert "our assumption: the scenario names none" in said
    assert "target windows hold by the one-sided 95 % limit" in said
    assert "Soft: the staffing" in said or "Soft: no target is near its limit" in said
    assert "A year like this costs" in said
    assert all(word in said for word in ("Monday", "at least 75 %", "hire", "Heads needed"))
    assert "Simulating today gives" in said
    assert "reported numbers back" in said


def test_compare_and_what_is_kept(file, tmp_path: Path) -> None:
    words = (
        "compare",
        file(),
        "--policy",
        "hard",
        "-n",
        "2",
        "--quick",
        "--frame",
        "equal_hours",
        "--doubt",
        "1",
    )
    result = run(*words, "--json")
    document = one_document(result)
    assert set(document) >= {"frames", "doubt", "plans", "as_is_week", "anchoring", "policies"}
    assert [f["frame"] for f in document["frames"]] == ["equal_hours"]
    assert list(document["frames"][0]["differences"]) == ["hard"]
    assert document["doubt"]["hard"]["draws"] == 1
    assert document["frames"][0]["ladder"]["hard"]
    (folder,) = (tmp_path / "runs").iterdir()
    assert {p.name for p in folder.iterdir()} >= {"run.json", "measures.parquet", "differences.parquet"}
    table = pd.read_parquet(folder / "differences.parquet")
    cash = table[(table.measure == "cash") & (table.policy == "hard")]
    assert cash["mean"].tolist() == [document["frames"][0]["differences"]["hard"]["cash"]["mean"]]
    again = run(*words, "--json")
    assert one_document(again) == document, "found, not made again"
    assert "simulating" not in again.stderr
    people = run(*words)
    assert people.exit_code == 0
    assert "Equal hours" in people.stdout
    assert "No early way out" in people.stdout
    assert "Changed" not in people.stdout
    changed = run(*words, "--set", "what_if.volume=1.0")
    assert "Changed: what_if.volume = 1.0, by --set" in changed.stdout, "told although the result was kept"
    assert "simulating" not in changed.stderr
    assert one_document(run(*words, "--set", "what_if.volume=1.0", "--json"))["applied"] == [
        ["what_if.volume", 1.0, "--set"]
    ]
    assert "with the staffing of the frame equal hours, the sign of Hard against today flips in" in " ".join(
        people.stdout.split()
    )
    listed = one_document(run("runs", "--json"))["runs"]
    assert [row["run"] for row in listed] == [folder.name]
    assert listed[0]["kind"] == "compare"
    assert listed[0]["current"] is True
    assert listed[0]["options"]["policies"] == ["as_is", "hard"]


@pytest.mark.parametrize("frame", ["at_target", "equal_budget"])
def test_a_frame_by_itself_has_its_ladder_and_parts(frame: str, file) -> None:
    words = ("compare", file(), "--policy", "hard", "-n", "2", "--quick", "--frame", frame)
    (found,) = one_document(run(*words, "--json"))["frames"]
    assert {part["lever"] for part in found["ladder"]["hard"]} >= {"scripts", "roster"}
    people = run(*words, "--by", "type", "--by", "vulnerable").stdout
    assert "What each change from Today to Hard does" in people
    assert "By type" in people
    assert "│ Trouble " in people
    assert "│ Not vulnerable " in people
    assert "By segment" not in people
    (without,) = one_document(run(*words, "--no-ladder", "--json"))["frames"]
    assert without["ladder"] == {}


def test_mix_and_evidence(file) -> None:
    rows = one_document(run("mix", file(), "--json"))["curve"]
    assert rows[0]["default"] == pytest.approx(1)
    assert rows == sorted(rows, key=lambda row: row["default"])
    changed = one_document(run("mix", file(), "--set", "behaviour.talk_loading=0.7", "--json"))
    assert (changed["scenario"], changed["applied"]) == ("tiny", [["behaviour.talk_loading", 0.7, "--set"]])
    assert changed["curve"][-1]["default"] > rows[-1]["default"]
    assert (
        "Changed: behaviour.talk_loading = 0.7"
        in run("mix", file(), "--set", "behaviour.talk_loading=0.7").stdout
    )
    shown = " ".join(run("mix", file()).stdout.split())
    assert "│ 0 % │ +0.0 % │ +0.0 % │ +0.0 % │" in shown
    assert "Low and high: both at the ends" in shown
    table = json.loads(run("evidence", "--json").stdout)
    assert {"key", "default", "low", "high", "grade", "source"} <= set(table[0])
    assert {row["grade"] for row in table} == {"A", "B", "C", "D"}
    assert run("evidence").exit_code == 0


def test_as_a_program(file, tmp_path: Path) -> None:
    """A process of its own: stdout holds the document alone, stderr the progress, the exit code says how it went."""
    program = [sys.executable, "-m", "planner.cli"]
    place = {**os.environ, "PYTHONPATH": str(Path(jobs.__file__).resolve().parents[1])}
    good = subprocess.run(
        [*program, "simulate", file(), "-n", "2", "--json"],
        capture_output=True,
        text=True,
        env=place,
        cwd=tmp_path,
    )
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["scenario"] == "tiny"
    assert good.stderr.strip()
    bad = subprocess.run(
        [*program, "simulate", file(typo=1)], capture_output=True, text=True, env=place, cwd=tmp_path
    )
    assert bad.returncode == 2
    assert bad.stdout == ""
    assert len(bad.stderr.strip().splitlines()) == 1


# --- what can be wrong --------------------------------------------------------------------------------------

WRONG = {
    "wrong type": ({"types__order__handle__talk_s": "long"}, "types.order.handle.talk_s"),
    "unknown key": ({"types__order__talk": 5}, "types.order.talk"),
    "negative number": ({"types__order__offered_per_week": -5}, "types.order.offered_per_week"),
    "a share above one": ({"targets__0__at_least": 1.2}, "targets.0.at_least"),
    "not a number": ({"types__order__handle__acw_s": float("nan")}, "types.order.handle.acw_s"),
    "profile off the grid": ({"types__order__profile": {"09:00": 1, "09:10": 2}}, "types.order.profile"),
    "a skill nobody has": ({"groups__front__skills": ["trouble"]}, "types.order"),
    "a skill that is no type": ({"groups__front__skills": ["order", "trouble", "orders"]}, "groups.front.skills"),
    "zero volume": (
        {"types__order__offered_per_week": 0, "types__trouble__offered_per_week": 0}, "types",
    ),
    "never open": ({"opening__hours": {"every day": "closed"}}, "opening.hours"),
    "a horizon of closed days": ({"horizon__start": "2026-03-07"}, "horizon.start"),
    "no days": ({"horizon__days": 0}, "horizon.days"),
    "no types": ({"types": {}}, "types"),
    "no as_is": ({"policies": {"soft": {}}}, "policies"),
    "an oracle in disguise": (
        {"policies__soft__recovery": {"after_intensity": 0.5}}, "policies.soft.recovery.after_intensity",
    ),
    "more contained than reaches": ({"types__order__automation__contained": 0.9}, "types.order.automation.contained"),
    "an impossible coefficient": ({"behaviour": {"heard_share": 3}}, "behaviour.heard_share"),
    "not a coefficient": ({"behaviour": {"heard_sare": 0.5}}, "behaviour.heard_sare"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("command", ["check", "compare"])
def test_wrong_scenarios_are_told_in_one_line(case: str, command: str, file) -> None:
    changes, field = WRONG[case]
    lines = told(run(command, file(**changes)))
    assert len(lines) == 1, lines
    place, _, rest = lines[0].partition(": ")
    assert place.startswith("tiny.yaml:")
    assert int(place.split(":")[1]) > 0
    assert rest.startswith(field), lines[0]


def test_every_problem_is_told_at_once(file) -> None:
    lines = told(run("check", file(types__order__talk=5, horizon__days=0, targets__0__at_least=2)))
    assert len(lines) == 3
    assert len({line.split(":")[1] for line in lines}) == 3


def test_names_are_looked_up_wherever_they_stand_at_once(file) -> None:
    """Skills, detectors, events, coefficients: an error in one place hides none in another."""
    lines = told(run("check", file(
        groups__front__skills=["order", "trouble", "odrer"],
        policies__soft__detectors=["distres"],
        behaviour={"heard_sare": 0.5},
        events=[{"kind": "surge", "types": ["ordr"]}, {"kind": "surge", "from_day": 9}],
    )))  # fmt: skip
    fields = [line.split(": ")[1] for line in lines]
    assert sorted(fields) == [
        "behaviour.heard_sare", "events.0.types.0", "events.1.from_day", "groups.front.skills.2",
        "policies.soft.detectors.0",
    ]  # fmt: skip


SMALL_SHARE = {"measure": "service_level", "at_least": 0.97, "within_s": 30}


@pytest.mark.parametrize(
    ("words", "changes", "field"),
    [
        (
            ("plan", "--quick"),
            {
                "opening__out_of_hours": "lost",
                "types__trouble__profile": {"09:00": 1, "20:00": 0},
                "targets": [SMALL_SHARE],
            },
            "targets.0.at_least",
        ),
        (
            ("simulate", "-n", "2"),
            {
                "types__order__handle__talk_s": 20,
                "types__order__automation__context": 0,
                "types__order__automation__offered": 1,
            },
            "types.order.handle.talk_s",
        ),
        (
            ("simulate", "-n", "2"),
            {"types__trouble__emotional_ratio": 2.5, "types__trouble__handle__cv": 0.2},
            "types.trouble.emotional_ratio",
        ),
    ],
    ids=["unreachable target", "impossible observation", "impossible ratio"],
)
def test_what_only_simulation_finds_out_is_told_with_its_line(words, changes, field, file, tmp_path) -> None:
    name = file(**changes)
    lines = told(run(words[0], name, *words[1:], "--json"))
    assert len(lines) == 1, lines
    number = int(lines[0].split(":")[1])
    assert field in lines[0]
    last = field.split(".")[-1]
    assert (tmp_path / name).read_text().splitlines()[number - 1].strip(" -").startswith(last)
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_what_is_found_out_later_is_told_at_once_and_by_whom(file, tmp_path) -> None:
    """Values that --set or an override gave are theirs; of the file's own it is said what was changed."""
    name = file(
        types__order__handle__cv=1.1, types__trouble__handle__cv=1.1, overrides={"even": {"types.order.handle.cv": 0}}
    )  # fmt: skip
    by_hand = ("--set", "types.order.handle.cv=0", "--set", "types.trouble.handle.cv=0.1")
    rows = (tmp_path / name).read_text().splitlines()
    of_file = next(n for n, row in enumerate(rows, 1) if row.strip() == "cv: 1.1")
    of_override = next(n for n, row in enumerate(rows, 1) if row.strip() == "types.order.handle.cv: 0")
    for command in (("check",), ("simulate", "-n", "2"), ("plan", "--quick"), ("compare", "--quick")):
        lines = told(run(command[0], name, *command[1:], *by_hand))
        assert [line.split(": must be")[0] for line in lines] == [
            "--set: types.order.handle.cv", "--set: types.trouble.handle.cv",
        ]  # fmt: skip
    (line,) = told(run("check", name, "--scenario", "even"))
    assert line.startswith(f"tiny.yaml:{of_override}: types.order.handle.cv: must be at least 0.3")
    line, *_ = told(run("check", name, "--set", "behaviour.emotional_ratio=3"))
    assert line.startswith(f"tiny.yaml:{of_file}: types.order.handle.cv: must be at least")
    assert line.endswith(", with --set behaviour.emotional_ratio (found 1.1)")
    line, *_ = told(run("check", name, "--scenario", "even", "--set", "behaviour.emotional_ratio=3"))
    assert line.endswith(", with override even and --set behaviour.emotional_ratio (found 1.1)")
    result = run("check", name, "--json", *by_hand)
    assert [problem["file"] for problem in json.loads(result.stdout)["problems"]] == ["--set", "--set"]


def test_every_command_on_a_scenario_takes_changes(file) -> None:
    """`--set` and `--scenario`, `mix` included: easy contacts alone leave what was there before."""
    name = file(overrides={"even": {"behaviour.talk_loading": 0}})
    last = json.loads(run("mix", name, "--json", "--scenario", "even").stdout)["curve"][-1]
    assert last["default"] == pytest.approx(1.0)
    last = json.loads(run("mix", name, "--json", "--set", "behaviour.talk_loading=0.1").stdout)["curve"][-1]
    assert 1.0 < last["default"] < 1.2
    assert "--set: behaviour.talk_loading" in told(run("mix", name, "--set", "behaviour.talk_loading=x"))[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "insurance"), "insurance: no such file, and no scenario of that name ships"),
        (("simulate", "insurre"), "did you mean insurer?"),
        (("check", "missing.yaml"), "missing.yaml: no such file"),
        (("check", "tiny.yaml", "--scenario", "storm"), "storm"),
        (("simulate", "tiny.yaml", "--policy", "softer"), "no such policy; there are as_is, hard, soft"),
        (("compare", "tiny.yaml", "--policy", "softt"), "did you mean soft?"),
        (("check", "tiny.yaml", "--set", "what_if.volum=2"), "did you mean volume?"),
        (("check", "tiny.yaml", "--set", "what_if.volume=lots"), "what_if.volume"),
        (("check", "tiny.yaml", "--set", "volume"), "--set"),
        (("check", "tiny.yaml", "--set", "types.order.offered_per_week=-1"), "types.order.offered_per_week"),
        (("check", "tiny.yaml", "--set", "targets.7.at_least=0.5"), "targets"),
        (("mix", "missing.yaml"), "missing.yaml: no such file"),
    ],
)
def test_wrong_words_are_told_in_one_line(words: tuple[str, ...], said: str, file) -> None:
    file()
    lines = told(run(*words))
    assert len(lines) == 1, lines
    assert said in lines[0]


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "tiny.yaml", "--replications", "0"),
        ("simulate", "tiny.yaml", "--seed", "-1"),
        ("compare", "tiny.yaml", "--frame", "fair"),
        ("compare", "tiny.yaml", "--by", "age"),
        ("app", "--port", "80"),
        ("simulate", "tiny.yaml", "--engine", "magic"),
        ("simulate",),
        ("dance",),
    ],
)
def test_wrong_options_end_with_two_and_no_traceback(words: tuple[str, ...], file) -> None:
    file()
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"types: [unclosed\n", "unclosed.yaml:"),
        (b"just a sentence\n", "mapping"),
        (b"", "empty"),
        (b"\x00\x01\x02", "not a text file"),
        (b"PK\x03\x04rest", "workbook"),
        (b"name: \xff\xfe\n", "UTF-8"),
    ],
)
def test_what_is_no_scenario_is_told_in_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "unclosed.yaml").write_bytes(content)
    lines = told(run("check", "unclosed.yaml"))
    assert len(lines) == 1, lines
    assert said in lines[0]


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as stream:
        stream.truncate(200_000_000)
    assert told(run("check", "huge.yaml")) == [
        "huge.yaml: is too large for a scenario: 200.0 MB, at most 5 MB"
    ]


def test_a_folder_that_cannot_be_written_is_told(file, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    lines = told(run("simulate", file(), "-n", "1", "--out", "taken"))
    assert len(lines) == 1, lines
    assert "taken" in lines[0]


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "planner.cli", "evidence"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read()
    assert (process.wait(60), told) == (0, "")


# --- runs on disk -------------------------------------------------------------------------------------------


def saved(folder: Path, value: float = 1.0) -> Path:
    frame = pd.DataFrame({"measure": ["cash"], "mean": [value]})
    return runs.save(
        "compare", small.tiny(), {"n": 1}, {"value": value}, {"measures": frame}, folder=folder,
        applied=[("what_if.volume", 1.1, "--set")],
    )  # fmt: skip


def test_a_run_is_found_by_its_question_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    path = saved(folder)
    assert runs.find("compare", small.tiny(), {"n": 1}, folder)["document"] == {"value": 1.0}
    assert runs.find("compare", small.tiny(), {"n": 2}, folder) is None
    assert runs.find("compare", small.tiny(what_if={"volume": 1.1}), {"n": 1}, folder) is None
    assert runs.find("plan", small.tiny(), {"n": 1}, folder) is None
    # The same question has the same answer, so the first one stays; a damaged one gives way.
    assert saved(folder, 2.0) == path
    assert runs.find("compare", small.tiny(), {"n": 1}, folder)["document"] == {"value": 1.0}
    (path / "run.json").write_text('{"made": NaN}')
    assert runs.listed(folder) == []
    assert saved(folder, 2.0) == path
    assert runs.find("compare", small.tiny(), {"n": 1}, folder)["document"] == {"value": 2.0}
    assert pd.read_parquet(path / "measures.parquet")["mean"].tolist() == [2.0]
    assert [p.name for p in folder.iterdir()] == [path.name], "nothing is left aside"
    record = runs.read(path / "run.json")
    assert record["applied"] == [{"path": "what_if.volume", "value": 1.1, "source": "--set"}]
    assert record["code"] == runs.code_hash()
    assert record["versions"]["numpy"]


@pytest.mark.parametrize("before", [False, True], ids=["first", "replacing"])
@pytest.mark.parametrize("where", ["table", "document"])
def test_a_run_that_is_stopped_leaves_nothing(
    before: bool, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    if before:
        saved(folder)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    if where == "table":
        monkeypatch.setattr(pd.DataFrame, "to_parquet", stop)
    else:
        monkeypatch.setattr(runs, "versions", stop)
    with pytest.raises(KeyboardInterrupt):
        saved(folder, 2.0)
    assert len(list(folder.iterdir())) == len(runs.listed(folder)) == int(before)
    found = runs.find("compare", small.tiny(), {"n": 1}, folder)
    assert found is None if not before else found["document"] == {"value": 1.0}


def test_a_document_with_nan_is_never_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        saved(tmp_path / "kept", float("nan"))
    assert list((tmp_path / "kept").iterdir()) == []


def test_broken_runs_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    path = saved(folder)
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{")
    (folder / ".writing-x").mkdir()
    (folder / ".writing-x" / "run.json").write_text((path / "run.json").read_text())
    listed = one_document(run("runs", "--json", "--out", str(folder)))["runs"]
    assert [row["run"] for row in listed] == [path.name]
    (path / "run.json").write_text("[]")
    assert runs.find("compare", small.tiny(), {"n": 1}, folder) is None


def test_no_runs_yet() -> None:
    assert one_document(run("runs", "--json")) == {"runs": []}
    assert "No runs are kept yet" in run("runs").stdout


@pytest.mark.parametrize("text", ['{"scenario": []}', '{"made": NaN}', "[" * 200_000, "", "\0"])
def test_a_damaged_run_hides_no_other(text: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "kept")
    (tmp_path / "kept" / "x").mkdir()
    (tmp_path / "kept" / "x" / "run.json").write_text(text)
    assert [row["run"] for row in runs.listed(tmp_path / "kept")] == [path.name]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["compare", "insurer", "--replications", "0"], "--replications"),
        (["simulate", "insurer", "--engine", "x"], "--engine"),
        (["nothing"], "nothing"),
        (["runs", "--out", "README.md"], "not a folder"),
    ],
)
def test_bad_options_are_told_in_one_line(command: list[str], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "planner.cli", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "planner.cli", "evidence", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_worker_process_that_ends_is_told_in_one_line(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(*_: object, **__: object) -> None:
        raise BrokenProcessPool("A process in the process pool was terminated abruptly")

    monkeypatch.setattr(jobs, "today", ends)
    line = "tiny.yaml: a worker process ended, most likely for want of memory on this machine"
    assert told(run("simulate", file(), "--engine", "simpy")) == [line]


# --- compiling ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "-n", "1"),
        ("simulate", "--engine", "simpy", "--trace", "0"),
        ("plan", "--quick", "-n", "2"),
        ("compare", "--quick", "-n", "2", "--policy", "hard", "--frame", "at_target", "--no-ladder"),
        ("sweep", "--vary", "what_if.volume=1,1.1", "-n", "2"),
    ],
    ids=lambda words: f"{words[0]} {words[-2]}",
)
def test_compiling_is_said_before_it_happens(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    from sim import kernel

    command, *options = words
    name = file()
    monkeypatch.setattr(kernel, "is_cached", lambda: False)
    result = run(command, name, *options)
    assert result.exit_code == 0, result.stderr
    first, *rest = result.stderr.splitlines()
    assert first.endswith("Compiling the simulation engine; this takes some seconds, once.")
    assert not any("Compiling" in line for line in rest)


def test_a_kept_comparison_is_read_without_compiling(
    file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sim import kernel

    words = (
        "compare",
        file(),
        "--quick",
        "-n",
        "2",
        "--policy",
        "hard",
        "--frame",
        "at_target",
        "--no-ladder",
    )
    first = run(*words)
    monkeypatch.setattr(kernel, "warm_up", None)
    again = run(*words)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
