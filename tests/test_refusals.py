"""What a scenario must not say: each is refused by `check` with its field, before anything is simulated."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import small

from planner import cli, evidence
from planner.compare import Runner
from planner.scenario.load import read
from planner.scenario.problems import FieldError, ScenarioError
from planner.scenario.schema import Scenario

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a group twice in a route": ({"types__order__route": ["front", "front"]}, "types.order.route.1: must name each"),
    "a coefficient that nothing reads": (
        {"behaviour__home_output": 0.4}, "behaviour.home_output: is shown only: nothing computes with it",
    ),
    "an outage of one type": (
        {"events": [{"kind": "bot_outage", "types": ["order"]}]}, "events.0.types: changes nothing in bot_outage, which",
    ),
    "absence by the hour": (
        {"events": [{"kind": "absence_spike", "factor": 2, "hours": "09:00-12:00"}]},
        "events.0.hours: changes nothing in absence_spike, which reads factor",
    ),
    "a surge of feeling": (
        {"events": [{"kind": "surge", "factor": 2, "add": 0.5}]}, "events.0.add: changes nothing in surge, which reads hours, factor, types (found 0.5)",
    ),
    "a segment contained beyond what is left": (
        {"types__order__automation__by_segment": {"home": {"contained": 0.7, "asks": 0.4}}},
        "types.order.automation.by_segment.home.contained: must be less than 0.57",
    ),
    "a skill twice": ({"groups__front__skills": ["order", "order", "trouble"]}, "groups.front.skills: must name each"),
    "starts off the grid": ({"shifts__day__starts": "07:31-07:44"}, "shifts.day.starts: must begin on a quarter"),
    "a break longer than the shift": ({"shifts__early__hours": 1}, "shifts.early.breaks.0.earliest: must be at most"),
    "a break between two quarter-hours": (
        {"shifts__early__breaks": [{"name": "tea", "minutes": 15, "earliest": 92, "latest": 98}]},
        "shifts.early.breaks.0.latest: must be at least 105, the first quarter-hour at which it can start (found 98)",
    ),
    "a break before the one before": (
        {"shifts__early__breaks": [{"name": n, "minutes": 30, "earliest": 60, "latest": 75} for n in ("tea", "lunch")]},
        "shifts.early.breaks.1.latest: must be at least 90, the first quarter-hour at which it can start after the breaks before it (found 75)",
    ),
    "all time off the phone": (
        {"shrinkage": [{"name": "a", "kind": "meeting", "share": 0.9}]}, "shrinkage.0.share: adds up to 0.9",
    ),
    "more leave than time": (
        {"shrinkage": [{"name": k, "kind": "leave", "share": 0.6} for k in "ab"]}, "shrinkage.0.share: adds up to 1.2",
    ),
    "doors open between intervals": (
        {"opening__hours": {"mon-fri": "08:10-08:20"}}, "opening.hours.mon-fri: must lie on the 60-minute",
    ),
    "more people than a machine holds": ({"groups__front__headcount": 90_000}, "groups.front.headcount: must leave"),
    "a multitude on duty": (
        {**small.by_numbers(3, 3), "groups__front__on_duty": {"09:00": 1e9}}, "groups.front.on_duty: must be at most",
    ),
    "shifts on intervals of five minutes": (
        {"horizon__interval_min": 5}, "horizon.interval_min: must be 15, 30 or 60 where there are shifts",
    ),
    "numbers off the intervals": (
        {**small.by_numbers(3, 3), "groups__front__on_duty": {"09:07": 3}}, "groups.front.on_duty: must have times",
    ),
    "shifts while closed": (
        {"groups__front__shifts": ["late"], "shifts__late__starts": "18:00-19:00"}, "groups.front.shifts: has no shift",
    ),
    "no talk at all": ({"types__order__handle__talk_s": {}}, "types.order.handle.talk_s: needs values above 0"),
    "no patience for an hour": (
        {"types__order__patience__mean_s": {"09:00": 0}}, "types.order.patience.mean_s: needs values above 0",
    ),
    "talk off the intervals": ({"types__order__handle__talk_s": {"09:07": 200}}, "must have times on the 60-minute"),
    "a day twice in the hours": (
        {"opening__hours": {"mon-fri": "09:00-17:00", "wed": "10:00-12:00"}},
        "opening.hours.wed: names wed, which mon-fri names too",
    ),
    "a day twice in the weights": (
        {"types__order__weekdays": {"mon-thu": 1, "thu, fri": 2}}, "weekdays.thu, fri: names thu, which mon-thu names too",
    ),
    "a day twice in the profiles": (
        {"types__order__profile_by_day": {"every day": {"09:00": 1}, "wed": {"10:00": 2}}},
        "profile_by_day.wed: names wed, which every day names too",
    ),
    "a day twice on duty": (
        {**small.by_numbers(3, 3), "groups__front__on_duty": {"mon-fri": {"09:00": 1}, "tue": {"09:00": 2}}},
        "groups.front.on_duty.tue: names tue, which mon-fri names too",
    ),
    "a time twice": ({"types__order__profile": {"09:00": 1, "9:00": 2}}, "profile.9:00: is the same time as 09:00"),
    "hardly any talk": ({"types__order__handle__talk_s": 1e-9}, "handle.talk_s: must be at least 1 (found 1e-09)"),
    "hardly any talk for an hour": (
        {"types__order__handle__talk_s": {"09:00": 1e-9}}, "handle.talk_s: needs values from 1 to 86,400 seconds",
    ),
    "log-odds beyond all": ({"groups__front__heard": 1e308}, "groups.front.heard: must be at most 20"),
    "an effect beyond all": ({"behaviour__heard_load": -1e308}, "behaviour.heard_load: must be between -20 and 20"),
    "a coefficient beyond its range": (
        {"behaviour__fatigue_per_hour": 3}, "behaviour.fatigue_per_hour: must be between -0.3 and 0.3 (share per hour)",
    ),
    "a half-life of nothing": ({"behaviour__load_half_life_min": 1e-9}, "must be between 0.3 and 1200 (min)"),
    "no spread of intensity": ({"behaviour__intensity_spread": 0}, "must be between 0.005 and 15 (sd)"),
    "a day unlike any other": ({"day_factor": {"shape": 1e-9}}, "day_factor.shape: must be 0 (every day alike) or at"),
    "nothing to do": ({"groups__front__skills": []}, "groups.front.skills: must have at least 1 entry"),
    "a skill in an inner list": ({"groups__front__skills": ["order", ["trouble", "odrer"]]}, "groups.front.skills.1.1:"),
    "a name without end": ({"title": "x" * 100_000}, "title: must have at most 200 characters"),
    "a target for nobody": (
        {"policies__hard__handle_time_target": {"seconds": {}}}, "handle_time_target.seconds: must have at least 1 entry",
    ),
    "a list for a number of seconds": (
        {"policies__hard__handle_time_target": {"seconds": []}},
        "handle_time_target.seconds: must be a number or a mapping",
    ),
    "a number in quotes": (
        {"types__order__resolved": "0.7"}, "resolved: must be a number, not text: take the quotes away (found '0.7')",
    ),
    "a whole number in quotes": (
        {"groups__front__headcount": "7"}, "headcount: must be a whole number, not text: take the quotes away",
    ),
    "a choice of numbers in quotes": ({"horizon__interval_min": "30"}, "60, not text: take the quotes away"),
    "a decimal comma": ({"types__order__resolved": "0,7"}, "must be a number written with a point, not a comma"),
    "a share in per cent": ({"types__order__resolved": "70 %"}, "must be a number, such as 0.7 for 70 %"),
    "an order that does not hold": (
        {"behaviour__off_half_life_min": 30}, "behaviour.off_half_life_min: 30 may not exceed rest_half_life_min = 12",
    ),
    "nobody at work is ever busy": (
        {"policies__soft__occupancy_ceiling": {"care": 0}}, "soft.occupancy_ceiling.care: must be at least 0.05 (found 0)",
    ),
    "a target for people without work": (
        {"targets": [{"measure": "occupancy", "at_most": 0.01}]},
        "targets.0.at_most: must be at least 0.05: no number of people keeps occupancy below (found 0.01)",
    ),
    "work that leaves no trace": (
        {"targets": [{"measure": "load", "at_most": 0}]}, "targets.0.at_most: must be at least 0.01: no number of people",
    ),
    "a day in another language": (
        {"shifts__day__days": "montag"}, "must be days like mon, mon-fri or every day (found 'montag')",
    ),
    "a day that is none": (
        {"shifts__day__days": "mon, xyz"}, "must be days like mon, mon-fri or every day: xyz is none (found 'mon, xyz')",
    ),
    "hours beyond the day": (
        {"opening__hours": {"mon-fri": "08:00-25:00"}}, 'must be hours like "08:00-20:00" (from 00:00 to 24:00)',
    ),
    "no hours": ({"opening__hours": {"mon": []}}, "opening.hours.mon: must be hours like"),
    "a start that is none": (
        {"shifts__day__starts": []}, 'must be a start like "09:00", or a range like "07:00-12:00" (found a list of 0',
    ),
    "a name with capitals": ({"name": "Big Name"}, "name: must look like north-2 or head_office (found 'Big Name')"),
    "a detector where there is none": (
        {"detectors": None}, "soft.detectors.0: must be a detector, of which there are none (found 'distress')",
    ),
    "stretches of waiting in no order": (
        {"types__order__patience": {"family": "hazard", "pieces": [{"to_s": s, "per_min": 1} for s in (9, 5)]}},
        "patience.pieces.1.to_s: must be greater than 9, where the piece before it ends (found 5)",
    ),
    "a day without a profile": (
        {"types__order__profile_by_day": {"tue": {}}}, "order.profile_by_day.tue: needs a rate above 0 at some time",
    ),
    "control characters": ({"title": "\0\x1b[31m"}, "title: must not hold control characters"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_field(name: str, tmp_path: Path) -> None:
    changes, says = REFUSED[name]
    path = tmp_path / "x.yaml"
    path.write_text(small.text(**changes))
    with pytest.raises(ScenarioError) as caught:
        read(path, Scenario)
    assert says in str(caught.value)


BESIDE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a number that is none": ({"types__order__offered_per_week": "many"}, ["types.order.offered_per_week"]),
    "a field that is missing": ({"types__order__handle": None}, ["types.order.handle"]),
    "an unknown field": ({"types__order__talk": 5}, ["types.order.talk"]),
    "several": (
        {"costs__seat_per_year": -1, "attrition": "x", "policies__soft__recovery": {"after_minutes": "x"}},
        ["costs.seat_per_year", "attrition", "policies.soft.recovery.after_minutes"],
    ),
    "a target without its limit": ({"targets__0__at_least": None}, ["targets.0.at_least"]),
    "an event of no kind": ({"events": [{"kind": "bogus"}]}, ["events.0.kind"]),
}


def test_a_list_of_what_cannot_be_read_is_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(small.text(groups__front__skills=[[1]]))
    with pytest.raises(ScenarioError) as caught:
        read(path, Scenario)
    assert [p.field for p in caught.value.problems] == ["groups.front.skills.0.0"]


@pytest.mark.parametrize("name", BESIDE)
def test_names_are_looked_up_beside_values_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    changes, fields = BESIDE[name]
    path = tmp_path / "x.yaml"
    path.write_text(
        small.text(**changes, groups__front__skills=["order", "odrer"], groups__care__skills=["order"])
    )
    with pytest.raises(ScenarioError) as caught:
        read(path, Scenario)
    skills = ["types.trouble", "groups.front.skills.1"]
    assert sorted(p.field for p in caught.value.problems) == sorted([*fields, *skills])
    assert all(p.line for p in caught.value.problems)


ALONE: dict[str, dict[str, Any]] = {
    "no group's skills can be read": {"groups__front__skills": 5},
    "nobody knows which detectors there are": {"detectors": 5},
    "nor which types": {"types__trouble": 5},
    "a misspelt section": {"detektors": {}, "detectors": None},
    "shares of which one cannot be read": {
        "shrinkage": [{"name": k, "kind": "meeting", "share": v} for k, v in (("a", 0.4), ("b", "x"))]
    },
    "the one trigger": {"policies__soft__recovery": {"after_minutes": "x"}},
    "all volumes": {"types__order__offered_per_week": "x", "types__trouble__offered_per_week": 0},
    "who asks for a person": {
        "types__order__automation__asks": "x",
        "types__order__automation__contained": 0.88,
    },
    "an early way out": {"policies__as_is__early_way_out": "x", "types__order__automation__contained": 0.9},
    "days": {"horizon__days": "x", "events": [{"kind": "surge", "from_day": 9}]},
}


@pytest.mark.parametrize("name", ALONE)
def test_what_only_seems_wrong_beside_an_unreadable_value_is_not_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(small.text(**ALONE[name]))
    with pytest.raises(ScenarioError) as caught:
        read(path, Scenario)
    assert len(caught.value.problems) == 1


def test_every_setting_of_the_evidence_table_is_within_its_limits(tmp_path: Path) -> None:
    rows = {key: row for key, row in evidence.table().items() if row.used != "context"}
    ends = ({key: getattr(row, end) for key, row in rows.items()} for end in ("low", "default", "high"))
    for setting in (evidence.sceptic(), *ends):
        path = tmp_path / "x.yaml"
        path.write_text(
            small.text(behaviour={k: v for k, v in setting.items() if k not in ("slack", "passed_on")})
        )
        read(path, Scenario)


OPTIONS = {
    "simulate insurer -n 0": "must be a whole number from 1 to 10,000 (found '0')",
    "plan insurer -n 1.5": "must be a whole number from 2 to 1,000 (found '1.5')",
    "compare insurer --doubt -1": "must be a whole number from 0 to 10,000 (found '-1')",
    "simulate insurer --seed x": "must be a whole number from 0 to",
    "simulate insurer --engine kernelx": "one of: kernel, simpy (found 'kernelx'; did you mean kernel?)",
    "compare insurer --frame equal_hour": "(found 'equal_hour'; did you mean equal_hours?)",
    "check insurer --policy as_is": "No such option: --policy (options of check: --scenario, --set, --json)",
    "bogus": "There are check, people, simulate, plan, roster, replan, compare, levers, sweep, mix, evidence, runs, app.",
    "check ''": "must be a scenario file, or the name of one that ships (found nothing)",
    "simulate insurer --out ''": "must be a folder (found nothing)",
    "simulate insurer --out pyproject.toml/x": "pyproject.toml is a file)",
    "levers insurer --lever scriptz": "--lever: must be one of: handle_time_target, scripts, ",
    "simulate insurer --trace 3 --engine simpy --records 1": "--records: cannot go with --trace",
}


@pytest.mark.parametrize("line", OPTIONS)
def test_wrong_options_are_told_in_one_line(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["unhurried", *shlex.split(line)])
    monkeypatch.chdir(Path(__file__).parent.parent)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    told = capsys.readouterr()
    assert stopped.value.code == 2
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert OPTIONS[line] in told.err


def test_check_finds_a_ratio_that_no_talk_can_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(small.text(types__order__handle__cv=0))
    monkeypatch.setattr("sys.argv", ["unhurried", "check", str(path)])
    with pytest.raises(SystemExit):
        cli.main()
    line = next(i for i, row in enumerate(path.read_text().splitlines(), 1) if row.strip() == "cv: 0")
    assert f"x.yaml:{line}: types.order.handle.cv: must be at least 0.3" in capsys.readouterr().err


def test_nobody_employed_has_no_equal_hours() -> None:
    scenario = small.tiny(groups__front__headcount=0, groups__care__headcount=0)
    runner = Runner(scenario, replications=2)
    with pytest.raises(FieldError, match="needs people employed today"):
        runner.run(["as_is", "hard"])
