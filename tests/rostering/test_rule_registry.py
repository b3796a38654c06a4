"""Every rule is listed, told apart by its name, says what it limits, and has a test of its own."""

import pkgutil
from pathlib import Path

import pytest
from lines import alone, person, roster

from planner.rostering import rules
from planner.rostering.model import solve
from planner.rostering.problem import Person, RosterProblem, Terms
from planner.rostering.validate import audit


def test_every_module_is_a_rule_that_is_listed_and_tested():
    modules = {module.name for module in pkgutil.iter_modules(rules.__path__)} - {"base"}
    assert {rule.NAME for rule in rules.RULES} == modules == set(rules.BY_NAME)
    here = {file.name for file in Path(__file__).parent.glob("test_rule_*.py")}
    missing = [name for name in modules if f"test_rule_{name}.py" not in here]
    assert missing == []


def test_every_rule_has_a_plain_title_and_states_its_inequality():
    titles = [rule.TITLE for rule in rules.RULES]
    assert len(set(titles)) == len(titles)
    assert not any("_" in title for title in titles)
    for rule in rules.RULES:
        assert any(
            word in (rule.__doc__ or "") for word in ("at most", "at least", "one of", "starts from")
        ), rule.NAME


@pytest.mark.parametrize(
    ("prices", "told"),
    [
        ({"weekend": 3}, "no rule is called weekend; did you mean weekends?"),
        ({"zzz": 3}, "no rule is called zzz; rules are one_shift_a_day, "),
        ({"rest": -1}, "rest has -1, must be at least 0"),
        ({"one_shift_a_day": 1}, "cannot have a price"),
    ],
)
def test_prices_of_what_cannot_have_one(prices, told):
    problem = alone(Terms(), "D", prices=prices)
    with pytest.raises(ValueError, match=told.replace("?", r"\?")):
        solve(problem, seconds=1)
    with pytest.raises(ValueError, match=told.replace("?", r"\?")):
        audit(problem, roster("D"))


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (
            {"spread": {"fair_night": 1}},
            "spread: no rule of fair spread is called fair_night; did you mean fair_nights?",
        ),
        (
            {"spread": {"rest": 1}},
            "no rule of fair spread is called rest; rules of fair spread are fair_exposure, ",
        ),
        ({"spread": {"fair_nights": -1}}, "spread: fair_nights has -1, must be at least 0"),
        (
            {"people": (person(Terms(), 1, circle=-1),)},
            "circle of Ann: -1, must be at least 0, or None for nobody",
        ),
        ({"people": (person(Terms(), 1, posts=(0,)),)}, "posts of Ann: no post 0, there are 0"),
    ],
)
def test_spreads_circles_and_posts_that_make_no_sense(what, told):
    problem = alone(Terms(), "D")._replace(**what)
    with pytest.raises(ValueError, match=told.replace("?", r"\?")):
        solve(problem, seconds=1)
    with pytest.raises(ValueError, match=told.replace("?", r"\?")):
        audit(problem, roster("D"))


def test_every_rule_says_its_unit_and_where_its_limit_is_set():
    fields = {*Terms._fields, *Person._fields, *RosterProblem._fields}
    for rule in rules.RULES:
        assert rule.UNIT.isidentifier() or rule.UNIT == "quarter-hour", rule.NAME
        assert rule.LIMIT is None or rule.LIMIT in fields, rule.NAME


def test_a_rule_applies_only_where_somebody_has_the_limit():
    bare = alone(Terms(), "D")
    assert {rule.NAME for rule in rules.RULES if rules.applies(rule, bare)} == {
        rule.NAME for rule in rules.RULES if rule.LIMIT is None
    }
    limited = alone(Terms(least_rest_min=660, most_exposed_day_min=5), "D", leave=())
    assert rules.applies(rules.BY_NAME["rest"], limited)
    assert rules.applies(rules.BY_NAME["exposure_day"], limited)
    assert not rules.applies(rules.BY_NAME["exposure_week"], limited)
    assert not rules.applies(
        rules.BY_NAME["fair_nights"], limited._replace(people=(limited.people[0]._replace(circle=1),))
    )
