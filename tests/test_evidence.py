"""The evidence table: whole, legal, read, and turned into settings that keep their promises."""

import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from planner import evidence
from planner.evidence import (
    ImpossibleValueError,
    UnknownCoefficientError,
    as_frame,
    behaviour,
    draw,
    sceptic,
    table,
)
from sim import rules
from sim.world import DAY_MS, Behaviour

ROOT = Path(__file__).resolve().parents[1]
ROWS = dict(table())
READ = [key for key, row in ROWS.items() if row.used != "context"]
DRAWN = [key for key, row in ROWS.items() if row.is_drawn]
NUMBERED = [key for key, row in ROWS.items() if not math.isnan(row.default)]


def code() -> str:
    """All code that may read a coefficient: not the table's own module nor the Behaviour's declaration."""
    skipped = {ROOT / "planner/evidence.py", ROOT / "sim/world.py"}
    paths = [*(ROOT / "sim").rglob("*.py"), *(ROOT / "planner").rglob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in sorted(paths) if path not in skipped)


def is_read(key: str, text: str) -> bool:
    """As a field of a Behaviour (`b.slack`), or by its key (`values["absence"]`, `either(x, "absence")`)."""
    fields = [field for field in Behaviour._fields if evidence.key_of(field) == key]
    as_field = any(re.search(rf"\b(b|behaviour)\.{field}\b", text) for field in fields)
    if key.startswith("complain_") and 'coefficient(f"complain_{e}")' in text:
        return True
    by_key = rf"[\[(]\s*[\"']{key}[\"']|\w\([^()\"']*,\s*[\"']{key}[\"']\)"
    return as_field or re.search(by_key, text) is not None


# --- the table ----------------------------------------------------------------------------------------------


def test_every_field_of_a_behaviour_has_a_row_for_the_engines_and_every_such_row_a_field() -> None:
    assert {evidence.key_of(field) for field in Behaviour._fields} == {
        k for k, r in ROWS.items() if r.used == "sim"
    }


@pytest.mark.parametrize("key", NUMBERED)
def test_the_default_lies_in_the_range(key: str) -> None:
    row = ROWS[key]
    assert row.low <= row.default <= row.high


@pytest.mark.parametrize("key", ROWS)
def test_a_row_says_what_it_is_and_where_it_comes_from(key: str) -> None:
    row = ROWS[key]
    assert row.meaning.strip().endswith(".")
    assert row.unit.strip()
    assert row.source.strip()
    assert row.grade in "ABCD"


def test_only_context_may_lack_a_number() -> None:
    assert all(ROWS[key].used == "context" for key in set(ROWS) - set(NUMBERED))


def test_an_assumption_says_that_it_is_one() -> None:
    words = ("assumption", "definition")
    assert [key for key, row in ROWS.items() if row.grade == "D" and not row.source.startswith(words)] == []


def test_a_row_that_is_drawn_has_a_range_and_a_definition_has_none() -> None:
    doubted = {key for key in READ if ROWS[key].is_doubted}
    definitions = {key for key in READ if ROWS[key].source == "definition"}
    nothing = {"escalate_sorted_heard", "churn_sorted_heard"}
    assert doubted - set(DRAWN) == definitions | nothing


def test_doubted_effects_and_only_they_have_a_neutral_value() -> None:
    doubted = {key for key in READ if ROWS[key].effect and ROWS[key].is_doubted}
    assert {key for key, row in ROWS.items() if row.zero is not None} == doubted


def test_a_neutral_value_lies_in_the_range_or_a_note_says_why_not() -> None:
    neutral = as_frame()["zero"]
    outside = [
        key
        for key, row in ROWS.items()
        if row.zero is not None and not row.low <= neutral[key] <= row.high and "sceptic" not in row.note
    ]
    assert outside == []


def test_a_neutral_value_that_names_another_row_names_one_without_an_effect_of_its_own() -> None:
    named = [row.zero for row in ROWS.values() if isinstance(row.zero, str)]
    assert named
    assert not any(ROWS[name].effect for name in named)


def test_every_row_is_read_or_context() -> None:
    text = code()
    assert [key for key in READ if not is_read(key, text)] == []


def test_context_is_not_read_and_cannot_be_set() -> None:
    """A value of one's own that nothing computes with is refused, not swallowed."""
    text = code()
    context = [key for key, row in ROWS.items() if row.used == "context"]
    assert [key for key in context if is_read(key, text)] == [], "read by now: say so in the table"
    for key in ("home_output", *context):
        with pytest.raises(UnknownCoefficientError, match="nothing computes with it"):
            evidence.check(key, 0.1)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        table()["slack"] = ROWS["slack"]  # type: ignore[index]
    with pytest.raises(ValueError, match="frozen"):
        table()["slack"].default = 1.0


def test_the_frame_has_every_row_with_the_neutral_value_as_a_number() -> None:
    frame = as_frame()
    assert list(frame.index) == list(ROWS)
    assert frame.loc["return_cold", "zero"] == ROWS["return_warm"].default
    assert frame.loc["heard_load", "zero"] == 0
    assert frame["zero"].isna()["slack"]


# --- into the engines' units --------------------------------------------------------------------------------


def test_units_are_those_of_the_engines() -> None:
    b = behaviour()
    assert b.handover_ms == 60_000
    assert b.return_median_ms == DAY_MS
    assert (b.load_half_life_ms, b.rest_half_life_ms, b.off_half_life_ms) == (3_600_000, 720_000, 720_000)
    assert b.load_minutes == 10
    assert b.heard_wait_per_min == -0.05
    assert b.exhaustion_half_life_days == 5
    assert b.max_attempts == 5
    assert isinstance(b.max_attempts, int)


def test_own_values_replace_defaults_and_leave_the_rest_alone() -> None:
    before, after = behaviour(), behaviour({"handover_s": 90, "slack": 0.4})
    assert after == before._replace(handover_ms=90_000, slack=0.4)


@pytest.mark.parametrize("key", [key for key in READ if key in DRAWN])
def test_both_ends_of_every_range_are_possible(key: str) -> None:
    beside = {"recovery_min": "recovery_hardest_min", "off_half_life_min": "rest_half_life_min"}
    for end in (ROWS[key].low, ROWS[key].high):
        own = {key: end}
        if key in beside:
            own[beside[key]] = 24
        assert evidence.complete(own)[key] == end


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownCoefficientError, match="did you mean heard_load") as caught:
        behaviour({"herd_load": 1})
    assert isinstance(caught.value, KeyError)
    with pytest.raises(UnknownCoefficientError, match="context"):
        behaviour({"home_output": 0.13})


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"slack": 1.2}, "between 0 and 1"),
        ({"slack": 0.7, "passed_on": 0.4}, "together"),
        ({"handover_s": -1}, "at least 0"),
        ({"heard_load": math.nan}, "finite"),
        ({"load_half_life_min": 0}, "greater than 0"),
        ({"leaving_per_exhaustion": 0}, "greater than 0"),
        ({"max_attempts": 2.5}, "whole"),
        ({"rest_half_life_min": 90}, "load_half_life_min = 60"),
        ({"off_half_life_min": 30, "rest_half_life_min": 20}, "may not exceed"),
    ],
)
def test_an_impossible_value_is_refused(own: dict[str, float], words: str) -> None:
    with pytest.raises(ImpossibleValueError, match=words):
        behaviour(own)


def test_a_default_gives_way_to_an_own_value_where_an_order_must_hold() -> None:
    values = evidence.complete({"load_half_life_min": 9, "slack": 0.95})
    assert values["rest_half_life_min"] == values["off_half_life_min"] == 9
    assert values["passed_on"] == pytest.approx(0.05)
    assert evidence.complete({"passed_on": 0.9})["slack"] == pytest.approx(0.1)


# --- the sceptic --------------------------------------------------------------------------------------------


def test_the_sceptic_changes_doubted_effects_alone() -> None:
    values, plain, neutral = sceptic(), evidence.defaults(), as_frame()["zero"]
    assert values.keys() == plain.keys()
    for key in plain:
        row = ROWS[key]
        if row.effect and row.is_doubted:
            assert values[key] == neutral[key]
        else:
            assert values[key] == plain[key]


def test_to_the_sceptic_nothing_people_feel_changes_what_happens() -> None:
    b = behaviour(sceptic())
    for load, unmet, intensity, empathy in [(0.0, 0.0, 0.0, 0.0), (5.0, 0.5, 1.0, 1.0)]:
        assert rules.heard_odds(b, 0.7, intensity, empathy, unmet, load, 1, 600_000) == pytest.approx(0.7)
        assert rules.resolved_odds(b, 0.4, 1.5, unmet, load) == pytest.approx(0.4)
        assert rules.talk_factor(b, 1.0, load, 0, intensity, empathy, 0) == 1.0
        assert rules.p_absent(b, 0.06, 3 + load, 1.0) == pytest.approx(0.06)
    assert rules.heard_base(b, 0.7, 0.0, 1.0, 1) == 0.7
    assert rules.resolved_base(b, 0.4, 0.0, 1.0, 1) == 0.4
    assert b.resolved_not_heard == b.return_intensity == b.bot_loop_intensity == 0
    assert rules.p_return(b, rules.SORTED_HEARD) == rules.p_return(b, rules.SORTED)
    assert rules.p_return(b, rules.WARM) == rules.p_return(b, rules.COLD)
    assert all(rules.p_escalate(b, ending) == 0 for ending in range(4))
    assert b.churn_cold == b.churn_warm == b.churn_sorted == b.churn_abandoned == 0
    assert not rules.is_passed_on(b, 60_000, 300_000, 1e-9)


def test_what_the_user_has_measured_is_not_doubted() -> None:
    own = {"heard_load": -0.4, "return_sorted_heard": 0.06}
    values = sceptic(own)
    assert values["heard_load"] == -0.4
    assert values["return_sorted"] == 0.06
    assert all(row["heard_load"] == -0.4 for row in draw(5, 1, own))


# --- draws --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many() -> dict[str, np.ndarray]:
    rows = draw(4_000, seed=20)
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


@pytest.mark.parametrize("key", DRAWN)
def test_draws_have_the_mean_and_spread_of_their_triangle(key: str, many: dict[str, np.ndarray]) -> None:
    a, c, b = ROWS[key].low, ROWS[key].default, ROWS[key].high
    mean, sd = (a + b + c) / 3, math.sqrt((a * a + b * b + c * c - a * b - a * c - b * c) / 18)
    x = many[key]
    assert abs(x.mean() - mean) < 4.5 * sd / math.sqrt(len(x))
    assert x.std() == pytest.approx(sd, rel=0.06)
    assert a <= x.min()
    assert x.max() <= b


def test_what_is_well_known_or_defined_is_not_drawn(many: dict[str, np.ndarray]) -> None:
    for key in set(READ) - set(DRAWN):
        assert np.all(many[key] == ROWS[key].default), key


def test_draws_keep_every_order(many: dict[str, np.ndarray]) -> None:
    orders = [
        ("return_sorted_heard", "return_sorted", "return_cold", "return_warm"),
        ("escalate_sorted_heard", "escalate_sorted", "escalate_warm", "escalate_cold"),
        ("complain_sorted_heard", "complain_sorted", "complain_warm", "complain_cold"),
        ("churn_sorted_heard", "churn_sorted", "churn_warm", "churn_cold"),
        ("off_half_life_min", "rest_half_life_min", "load_half_life_min"),
        ("recovery_min", "recovery_hardest_min"),
    ]
    for order in orders:
        for small, large in pairwise(order):
            assert np.all(many[small] <= many[large] + 1e-12), (small, large)
    assert np.all(many["slack"] + many["passed_on"] <= 1)


def test_draws_keep_their_orders_beside_own_values() -> None:
    for row in draw(200, 4, {"load_half_life_min": 10, "slack": 0.9, "recovery_hardest_min": 4}):
        assert row["off_half_life_min"] <= row["rest_half_life_min"] <= 10
        assert row["slack"] + row["passed_on"] <= 1
        assert row["recovery_min"] <= 4
        behaviour(row)


def test_draws_are_the_same_again_and_more_of_them_add_to_the_first() -> None:
    assert draw(5, 7) == draw(5, 7) == draw(9, 7)[:5]
    assert draw(5, 7) != draw(5, 8)
    assert draw(0, 7) == []


def test_rows_that_are_asked_for_are_drawn_whatever_their_grade_and_change_no_other() -> None:
    observed = "assist_newcomer_speed"
    assert ROWS[observed].grade == "B"
    with_it, without = draw(300, 7, also=[observed]), draw(300, 7)
    values = [row.pop(observed) for row in with_it]
    assert {row.pop(observed) for row in without} == {ROWS[observed].default}
    assert with_it == without
    assert ROWS[observed].low <= min(values) < max(values) <= ROWS[observed].high
    assert {row[observed] for row in draw(3, 7, {observed: 0.2}, also=[observed])} == {0.2}, "own values stay"


def test_draws_of_different_coefficients_are_unrelated(many: dict[str, np.ndarray]) -> None:
    alone = [key for key in DRAWN if not ROWS[key].together]
    r = np.corrcoef([many[key] for key in alone])
    assert np.abs(r - np.eye(len(alone))).max() < 5 / math.sqrt(4_000)


def test_a_setting_becomes_a_behaviour_whichever_way_it_was_made() -> None:
    assert behaviour(evidence.defaults()) == behaviour()
    for setting in (sceptic(), *draw(20, 3)):
        b = behaviour(setting)
        assert b.slack == setting["slack"]
        assert b.handover_ms == setting["handover_s"] * 1_000
