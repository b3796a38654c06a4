"""Small scenarios for the tests of the planner: two types, two groups, two days, back within minutes.

Everything is there that the stages pass on (a bot on one type, returns, shifts with lunch, shrinkage, costs, two more
policies), and everything is so small that a stage takes a second. `raw` gives plain mappings, `text` YAML, `tiny` a
Scenario; each takes changes as `path__in__the__file=value`.
"""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from planner.anchor import first_guess, lens_of
from planner.natural import NaturalValues
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.schema import Scenario
from sim.measures import Totals
from sim.replicate import replicate

SOON = {"return_median_days": 0.02, "return_sigma": 0.8}
"""People come back within minutes or hours, so that a day of warm-up is enough."""

FULL = {"name": "lunch", "minutes": 30, "paid": False, "earliest": 180, "latest": 270, "kind": "lunch"}
PAUSE = {"name": "pause", "minutes": 15, "paid": True, "earliest": 60, "latest": 150}

_BASE: dict[str, Any] = {
    "name": "tiny",
    "title": "A tiny centre",
    "horizon": {"start": "2026-03-02", "days": 2, "interval_min": 60},
    "opening": {"hours": {"mon-fri": "09:00-17:00"}},
    "segments": {
        "home": {"share": 0.7, "value": 400, "needs_per_year": 1.5, "vulnerable": 0.1},
        "family": {"share": 0.3, "value": 900, "needs_per_year": 2.0, "vulnerable": 0.2},
    },
    "types": {
        "order": {
            "offered_per_week": 1000,
            "handle": {"talk_s": 180, "acw_s": 30},
            "patience": {"mean_s": 240},
            "intense": 0.06,
            "resolved": 0.75,
            "heard": 0.65,
            "automation": {"offered": 0.8, "contained": 0.4, "session_s": 90, "cost_per_session": 0.2},
        },
        "trouble": {
            "offered_per_week": 500,
            "handle": {"talk_s": 360, "acw_s": 60},
            "patience": {"mean_s": 360},
            "intense": 0.35,
            "resolved": 0.65,
            "heard": 0.6,
            "emotional": True,
            "priority": 4,
        },
    },
    "groups": {
        "front": {"skills": ["order", "trouble"], "headcount": 4, "cost_per_hour": 24},
        "care": {"skills": ["trouble"], "headcount": 3, "cost_per_hour": 21, "empathy": 0.3},
    },
    "detectors": {"distress": {"target": "intensity", "cost_per_contact": 0.02}},
    "shrinkage": [
        {"name": "Holiday", "kind": "leave", "share": 0.1},
        {"name": "Sickness", "kind": "absence", "share": 0.06, "weekdays": {"mon": 1.5, "tue-fri": 0.9}},
        {"name": "Lateness", "kind": "lateness", "share": 0.01},
        {"name": "Coaching", "kind": "coaching", "share": 0.03},
    ],
    "shifts": {
        "day": {
            "hours": 8,
            "starts": "08:45-09:00",
            "every_min": 15,
            "breaks": [PAUSE, FULL, {**PAUSE, "earliest": 330, "latest": 420}],
        },
        "early": {"hours": 4.5, "starts": "09:00-10:00", "breaks": [PAUSE]},
        "late": {"hours": 4.25, "starts": "12:00-12:30", "breaks": [PAUSE]},
        "peak": {"hours": 4, "starts": "10:00-13:00", "breaks": [PAUSE]},
    },
    "targets": [
        {"measure": "service_level", "at_least": 0.75, "within_s": 40, "types": ["order"]},
        {"measure": "service_level", "at_least": 0.7, "within_s": 60, "types": ["trouble"]},
        {"measure": "abandonment", "at_most": 0.1},
    ],
    "costs": {
        "seat_per_year": 3000,
        "automation_per_year": 20000,
        "concession": 5,
        "complaint": 60,
        "contact": 0.1,
        "recruiting": 1500,
    },
    "behaviour": SOON,
    "policies": {
        "as_is": {"title": "Today"},
        "hard": {
            "title": "Hard",
            "handle_time_target": {"seconds": {"order": 220, "trouble": 440}, "drop": 0.08},
            "scripts": True,
            "early_way_out": False,
        },
        "soft": {
            "title": "Soft",
            "detectors": ["distress"],
            "recovery": {"button": True, "after_flag": True, "minutes": 4},
            "decompression": {"minutes": 15, "groups": ["care"]},
            "authority": True,
            "cost_per_year": 5000,
            "cost_once": 1000,
        },
    },
}  # fmt: skip


def raw(**changes: Any) -> dict[str, Any]:
    """The plain mappings of the tiny scenario; `groups__front__headcount=0` puts a value, `None` takes one out."""
    result = copy.deepcopy(_BASE)
    for path, value in changes.items():
        *way, last = path.split("__")
        place: Any = result
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        key_or_number: Any = int(last) if isinstance(place, list) else last
        if value is None:
            del place[key_or_number]
        else:
            place[key_or_number] = copy.deepcopy(value)
    return result


def text(**changes: Any) -> str:
    """The tiny scenario as YAML."""
    out = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.representer.ignore_aliases = lambda _: True
    yaml.dump(raw(**changes), out)
    return out.getvalue()


def tiny(**changes: Any) -> Scenario:
    """The tiny scenario, checked."""
    return Scenario.model_validate(raw(**changes))


def busy(times: float = 5.0, **changes: Any) -> Scenario:
    """The tiny scenario with so many times the contacts and people: single shifts weigh less."""
    more = {
        "types__order__offered_per_week": 1000 * times,
        "types__trouble__offered_per_week": 500 * times,
        "groups__front__headcount": round(4 * times),
        "groups__care__headcount": round(3 * times),
    }
    return tiny(**{**more, **changes})


ON_DUTY = {"09:00": 1, "17:00": 0}


def by_numbers(front: int, care: int) -> dict[str, Any]:
    """Changes that staff the groups by plain numbers instead of shifts."""
    return {
        "groups__front__on_duty": {"09:00": front, "17:00": 0},
        "groups__care__on_duty": {"09:00": care, "17:00": 0},
        "shifts": {},
        "shrinkage": [],
    }


ALL_NATURAL = ("offered", "handle", "resolved", "heard", "contained", "intense")


def natural_values(scenario: Scenario) -> NaturalValues:
    """The values of a scenario whose numbers are taken as natural: nothing is corrected."""
    kinds = {name: kind.model_copy(update={"natural": ALL_NATURAL}) for name, kind in scenario.types.items()}
    return first_guess(scenario.model_copy(update={"types": kinds}))


def simulated(
    scenario: Scenario, natural: NaturalValues, policy: str, roster: Roster, n: int = 4, seed: int = 77
) -> Totals:
    """Stacked totals of a policy working to a roster."""
    return replicate(c.compile_world(scenario, natural, policy, roster), lens_of(scenario), n, seed=seed)


def plain_roster(scenario: Scenario, *numbers: int) -> Roster:
    """So many of each group on duty whenever the doors are open."""
    hours = scenario.opening.by_weekday()
    days, n = scenario.horizon.days, c.n_intervals(scenario)
    at = np.arange(n) * scenario.horizon.interval_min
    is_open = np.zeros((days, n), np.int64)
    for day in range(days):
        opening = hours[c.weekday_of(scenario, day)]
        if opening:
            is_open[day] = (at >= opening[0]) & (at < opening[1])
    return Roster((), {g: number * is_open for g, number in enumerate(numbers)})


def stack(several: list[Totals]) -> Totals:
    """Totals of single replications along a new first axis, as `replicate` gives them."""
    return Totals(
        *(
            {name: np.stack([part[name] for part in parts]) for name in parts[0]}
            for parts in zip(*several, strict=True)
        )
    )
