"""What a scenario must not say: each is refused by `check` with its field, before anything is simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import small

from planner.compare import Runner
from planner.scenario.load import read
from planner.scenario.problems import FieldError, ScenarioError
from planner.scenario.schema import Scenario

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a group twice in a route": ({"types__order__route": ["front", "front"]}, "types.order.route.1: must name each"),
    "a skill twice": ({"groups__front__skills": ["order", "order", "trouble"]}, "groups.front.skills: must name each"),
    "starts off the grid": ({"shifts__day__starts": "07:31-07:44"}, "shifts.day.starts: must begin on a quarter"),
    "a break longer than the shift": ({"shifts__early__hours": 1}, "shifts.early.breaks.0.earliest: must be at most"),
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


def test_nobody_employed_has_no_equal_hours() -> None:
    scenario = small.tiny(groups__front__headcount=0, groups__care__headcount=0)
    runner = Runner(scenario, replications=2)
    with pytest.raises(FieldError, match="needs people employed today"):
        runner.run(["as_is", "hard"])
