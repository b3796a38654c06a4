"""What the report of a roster says: limits that nobody set, units, reliefs in their order, how sure the proof is, no names beside feelings."""

import io

import pytest
from lines import person
from posts import ALL, CLAIMS, problem
from rich.console import Console

from planner import roster_report as report
from planner.rostering.problem import NamedRoster, Terms, Work
from planner.rostering.reliefs import Relief, Relieved, in_order
from planner.rostering.rules import RULES
from planner.rostering.staff import renumbered
from planner.rostering.validate import audit

LIMITED = problem(Terms(most_exposed_day_min=100), days=2, posts=(ALL, CLAIMS))
TOO_MUCH = NamedRoster((Work(0, 0, 3), Work(0, 1, 3)))


def rows(of, roster):
    return {row["rule"]: row for row in report.rule_rows(audit(of, roster), of)}


def test_a_limit_that_nobody_set_is_not_told_as_kept():
    found = rows(LIMITED, TOO_MUCH)
    assert list(found) == [rule.NAME for rule in RULES]
    assert found["exposure_day"]["applies"]
    assert not any(
        found[name]["applies"] for name in ("exposure_week", "rest", "weekends", "locked", "changes")
    )
    assert found["one_shift_a_day"]["applies"]
    free = rows(LIMITED._replace(people=(person(Terms(), 2),)), NamedRoster(()))
    assert not free["exposure_day"]["applies"]
    assert report.unlimited_sentence({"rules": list(free.values())}).startswith("No limit is set, or nobody")
    assert "emotional work in a day" in report.unlimited_sentence({"rules": list(free.values())})


def test_nobody_is_named_beside_emotional_work():
    row = rows(LIMITED, TOO_MUCH)["exposure_day"]
    assert (row["broken"], row["by"], row["texts"]) == (2, 40, [])
    double = NamedRoster((Work(0, 0, 3), Work(0, 0, 0)))
    assert rows(LIMITED, double)["one_shift_a_day"]["texts"], "other rules say where"


def test_prices_and_amounts_have_their_unit():
    assert report.by_words({"rule": "exposure_day", "by": 40}) == "40 minutes"
    assert report.by_words({"rule": "least_off_in_a_row", "by": 1}) == "1 day"
    assert report.by_words({"rule": "rest", "by": 0}) == ""
    assert report.price_words({"rule": "overtime", "price": 8}) == "8 a quarter-hour"
    assert report.price_words({"rule": "rest", "price": None}) == "must hold"


def relieved(name, saved, per_week, once=0.0, hard=0):
    return Relieved(
        Relief("person", (name,), LIMITED, one_off=once), 0.0, saved, 0.0, per_week, 0.0, hard, keeps=not hard
    )


def test_reliefs_that_cost_nothing_come_first_and_those_that_save_most_of_them():
    found = [
        relieved("broken", 50, 0, hard=1), relieved("dear", 2, 80), relieved("once", 10, 0, once=5200), relieved("little", 1, -500),
        relieved("free", 30, -10), relieved("cheap", 20, 60), relieved("unclear", 0.5, -900),
    ]  # fmt: skip
    told = [one.relief.what[0] for one in sorted(found, key=in_order)]
    assert told == ["free", "little", "cheap", "once", "dear", "broken", "unclear"]
    row = {"cost_per_week": 0.0, "cost_once": 5200.0, "saved_hours": 10.0}
    assert report.hour_price(row) == 10
    assert report.hour_price(row | {"cost_per_week": -500.0}) == 0


def target(held, met):
    return {
        "what": "Service level: at least 80 % within 20 s", "when": "Monday", "held": held, "met": met, "used": 1.0,
        "said": ["78 %", "75 %", "81 %", "80 %"], "side": "at least",
    }  # fmt: skip


def document(*targets, parts=None):
    return {
        "people": 2, "shifts": 3, "paid_hours": 20.0, "rules": [], "targets": list(targets), "proof": {"replications": 4},
        "shortfalls": [], "seed": 7,
        "certificate": {
            "status": "feasible", "objective": 120, "bound": 80.0, "gap": 1 / 3, "gap_in_hours_short": 0.5, "seconds": 2.0,
            "parts": parts or {"short": 100, "over": 15, "requests": 0, "dislikes": 0, "rules": 5},
        },
    }  # fmt: skip


def test_the_sentences_say_how_sure_the_proof_is_and_what_the_cost_is_made_of():
    _, proof, _, certificate = report.sentences(
        document(target(True, True), target(False, True), target(False, False))
    )
    assert "1 of 3 target windows hold by the one-sided 95 % limit, 1 in the mean only, 1 is missed" in proof
    assert "Service level, Monday: 78 % (95 % interval 75 % to 81 %), at least 80 % asked" in proof
    assert "cost 120 points (people short 100, people over 15, rules at their price 5)" in certificate
    nearly = report.sentences(document(target(True, True), target(False, True)))[1]
    assert nearly.endswith("1 of 2 target windows hold by the one-sided 95 % limit, 1 in the mean only.")


@pytest.mark.parametrize("width", [100, 160])
def test_no_number_of_the_reliefs_is_cut_off(width):
    tried = [
        {
            "kind": "start", "what": "weekend_early shifts at starts that there are not yet, most used: 14:00 (4 times)", "clear": True,
            "saved_hours": 1234.5, "extra_paid_hours": -0.2, "cost_per_week": -12345.0, "cost_once": 54321.0,
        }
    ]  # fmt: skip
    out = Console(file=io.StringIO(), width=width)
    report._print_reliefs(
        out,
        {"currency": "EUR", "reliefs": {"tried": tried, "binding": [], "short_hours_without": 9.0}},
    )
    text = out.file.getvalue()
    assert all(number in text for number in ("1234.5", " +0 ", "-12,345", "54,321"))
    assert "…" not in text


def test_a_roster_keeps_its_posts_where_shares_give_them_other_numbers():
    known = problem(Terms(), posts=(ALL, CLAIMS))
    other = known._replace(
        posts=(known.posts[CLAIMS], *known.posts),
        people=tuple(one._replace(posts=tuple(k + 1 for k in one.posts)) for one in known.people),
    )
    named = NamedRoster((Work(0, 0, 2, (540, 600), (ALL, CLAIMS, ALL)), Work(0, 1, 3)))
    found = renumbered(named, known, other)
    assert [other.posts[k].name for k in found.work[0].posts] == [
        known.posts[k].name for k in (ALL, CLAIMS, ALL)
    ]
    assert found.work[1] == named.work[1]
    assert renumbered(found, other, known) == named
    assert renumbered(named, known, known) is named
