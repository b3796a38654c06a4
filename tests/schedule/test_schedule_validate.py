"""Each rule alone: a plan that keeps it, and one that breaks it."""

from dataclasses import replace

import pytest

from planner.schedule.problem import (
    BreakRule,
    CoverProblem,
    CoverRow,
    PaidTime,
    Plan,
    Prices,
    Shift,
    ShiftKind,
    Unmet,
    faults,
)
from planner.schedule.validate import proven_bound, validate, validate_people

TEA = BreakRule("tea", 30, True, 60, 120)
LUNCH = BreakRule("lunch", 60, False, 120, 300, "lunch")
LONG = ShiftKind("long", 480, (480, 1320), (0, 1), (TEA, LUNCH), (0,))
SHORT = ShiftKind("short", 240, (480,), (0,), (), (0, 1))
PROBLEM = CoverProblem(
    grid_min=30,
    n_days=2,
    group_names=("claims", "sales"),
    shift_kinds=(LONG, SHORT),
    rows=(CoverRow(16, (0,), 1.0), CoverRow(18, (0, 1), 1.0), CoverRow(18, (0,), 1.0)),
    cost_per_paid_min=(0.5, 0.25),
    under_cost=8.0,
    over_cost=0.5,
)
GOOD = Shift(0, 0, 480, 0, ((0, 570), (1, 660)))


def plan_of(problem, *shifts):
    """A plan that says of itself what the validator finds."""
    bare = Plan(shifts, "feasible", 0.0, 0.0, 0.0, 0.0)
    audit = validate(problem, bare)
    return replace(bare, objective=audit.objective, unmet=audit.unmet)


def rules(problem, *shifts):
    return {violation.rule for violation in validate(problem, plan_of(problem, *shifts)).violations}


def test_a_sound_plan_has_no_violations():
    assert rules(PROBLEM, GOOD) == set()


@pytest.mark.parametrize(
    ("shift", "rule"),
    [
        (GOOD._replace(kind=7), "kind"),
        (GOOD._replace(group=9), "group"),
        (GOOD._replace(group=1), "group of kind"),
        (GOOD._replace(day=2), "day"),
        (Shift(0, 1, 480, 1), "day of kind"),
        (GOOD._replace(start_min=510, breaks=((0, 570), (1, 660))), "start"),
        (GOOD._replace(start_min=490, breaks=((0, 570), (1, 660))), "grid"),
        (GOOD._replace(breaks=((0, 570),)), "break set"),
        (GOOD._replace(breaks=((1, 660), (0, 570))), "break set"),
        (GOOD._replace(breaks=((0, 510), (1, 660))), "break window"),
        (GOOD._replace(breaks=((0, 570), (1, 810))), "break window"),
        (GOOD._replace(breaks=((0, 555), (1, 660))), "grid"),
        (GOOD._replace(breaks=((0, 600), (1, 600))), "break order"),
        (GOOD._replace(breaks=((0, 570), (1, 930))), "break inside"),
    ],
)
def test_each_rule_of_a_shift(shift, rule):
    assert rule in rules(PROBLEM, shift)
    assert rule not in rules(PROBLEM, GOOD)


@pytest.mark.parametrize(
    ("limit", "rule"),
    [
        ({"max_shifts": (1, None)}, "max shifts"),
        ({"max_shifts_per_day": ((1, 9), None)}, "max shifts per day"),
        ({"paid_time": PaidTime(800.0)}, "paid time"),
        ({"budget": 400.0}, "budget"),
    ],
)
def test_each_limit(limit, rule):
    problem = replace(PROBLEM, **limit)
    assert rules(problem, GOOD) == set()
    assert rules(problem, GOOD, GOOD) == {rule}


def test_an_exact_paid_time_binds_both_ways():
    problem = replace(PROBLEM, paid_time=PaidTime(840.0, "exact"))
    assert rules(problem, GOOD) == {"paid time missing"}
    assert rules(problem, GOOD, GOOD) == set()
    assert rules(problem, GOOD, GOOD, GOOD) == {"paid time"}


def test_the_parts_of_the_objective_by_hand():
    audit = validate(PROBLEM, plan_of(PROBLEM, GOOD, GOOD))
    # Two people, 420 paid minutes each at 0.5. At 08:00 one is wanted: one over, in a row of its own.
    # At 09:00 the wide row counts one over, the row inside it does not.
    assert audit.paid_min == 840
    assert audit.payroll == 420.0
    assert audit.over == 1.0
    assert audit.under == 0.0
    assert audit.objective == 421.0


def test_shortage_is_listed_and_priced():
    audit = validate(PROBLEM, plan_of(PROBLEM))
    assert audit.unmet == tuple(Unmet(row.interval, row.groups, 1.0, 1.0) for row in PROBLEM.rows)
    assert audit.objective == 24.0


def test_a_wrong_list_of_shortages_is_found():
    plan = replace(plan_of(PROBLEM), unmet=())
    assert {v.rule for v in validate(PROBLEM, plan).violations} == {"unmet"}


def test_a_wrong_objective_is_found():
    plan = replace(plan_of(PROBLEM, GOOD), objective=1.0)
    assert {v.rule for v in validate(PROBLEM, plan).violations} == {"objective"}


def test_a_bound_above_the_objective_or_above_its_prices_is_found():
    plan = plan_of(PROBLEM, GOOD)
    assert {v.rule for v in validate(PROBLEM, replace(plan, bound=1e6)).violations} == {"bound"}
    prices = Prices(((8.0,), (8.0,), (8.0,)))
    proven = proven_bound(PROBLEM, prices)
    assert 0 < proven <= plan.objective
    assert validate(PROBLEM, replace(plan, bound=proven, prices=prices)).valid
    greedy = replace(plan, bound=proven + 1, prices=prices)
    assert {v.rule for v in validate(PROBLEM, greedy).violations} == {"bound"}


def test_breaks_take_people_off_and_shifts_run_past_midnight_and_the_horizon():
    late = Shift(0, 1, 1320, 0, ((0, 1410), (1, 1500)))
    on = validate(PROBLEM, plan_of(PROBLEM, late)).on_queue[0]
    assert [on[k] for k in (91, 92, 93, 94, 95)] == [0, 1, 1, 1, 0]
    assert on[:12] == (1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)
    once = replace(PROBLEM, cyclic=False)
    assert sum(validate(once, plan_of(once, late)).on_queue[0]) == 3


def test_row_intervals_may_span_slots():
    problem = replace(PROBLEM, interval_slots=2, rows=(CoverRow(8, (0,), 2.0),))
    audit = validate(problem, plan_of(problem, GOOD))
    assert audit.unmet == (Unmet(8, (0,), 1.0, 2.0),)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grid_min": 7}, "must divide"),
        ({"n_days": 0}, "at least 1"),
        ({"interval_slots": 5}, "fill the horizon"),
        ({"cost_per_paid_min": (1.0,)}, "one number per group"),
        ({"under_cost": -1.0}, "must not be negative"),
        ({"max_shifts": (1,)}, "one entry per group"),
        ({"max_shifts": (-1, None)}, "must not be negative"),
        ({"max_shifts_per_day": ((1,), None)}, "per day"),
        ({"paid_time": PaidTime(-1.0)}, "paid_time"),
        ({"budget": -1.0}, "budget"),
        ({"rows": (CoverRow(96, (0,), 1.0),)}, "outside the horizon"),
        ({"rows": (CoverRow(0, (), 1.0),)}, "empty, repeated or unknown"),
        ({"rows": (CoverRow(0, (5,), 1.0),)}, "empty, repeated or unknown"),
        ({"rows": (CoverRow(0, (0,), -1.0),)}, "0 or more"),
        ({"rows": (CoverRow(0, (0, 1), 1.0), CoverRow(0, (1, 0), 2.0))}, "stands twice"),
        ({"shift_kinds": (replace(LONG, length_min=470),)}, "multiples of 30"),
        ({"shift_kinds": (replace(LONG, length_min=4800),)}, "longer than the horizon"),
        ({"shift_kinds": (replace(LONG, starts=(1440,)),)}, "distinct minutes of a day"),
        ({"shift_kinds": (replace(LONG, days=(0, 0)),)}, "distinct days"),
        ({"shift_kinds": (replace(LONG, groups=(3,)),)}, "unknown or repeated group"),
        ({"shift_kinds": (replace(LONG, breaks=(replace(TEA, minutes=20),)),)}, "positive multiple"),
        ({"shift_kinds": (replace(LONG, breaks=(replace(TEA, latest_min=480),)),)}, "inside the shift"),
        ({"shift_kinds": (replace(LONG, breaks=(LUNCH, TEA)),)}, "no start on the grid is left"),
        ({"shift_kinds": (replace(LONG, breaks=(replace(TEA, kind="nap"),)),)}, "unknown kind"),
    ],
)
def test_each_fault_of_a_problem_is_named(change, words):
    assert faults(PROBLEM) == []
    assert any(words in text for text in faults(replace(PROBLEM, **change)))


WEEK = replace(
    PROBLEM, n_days=7, shift_kinds=(replace(LONG, days=tuple(range(7))), replace(SHORT, days=tuple(range(7))))
)


def people_rules(agents, *shifts, **options):
    return {v.rule for v in validate_people(WEEK, plan_of(WEEK, *shifts), agents, **options)}


def early(day):
    return Shift(1, day, 480, 1)


def test_each_rule_of_people():
    late = Shift(0, 0, 1320, 0, ((0, 1410), (1, 1500)))
    morning = Shift(0, 1, 480, 1)
    assert people_rules((0, 1), late, morning) == set()
    assert people_rules((0, 0), late, morning) == {"rest"}
    assert people_rules((0, 0), late, morning, rest_h=2.0) == set()
    assert people_rules((0, 0), early(0), early(1)) == set()
    assert "one shift a day" in people_rules((0, 0), early(0), early(0))
    assert people_rules((0,) * 5, *map(early, range(5))) == set()
    assert people_rules((0,) * 6, *map(early, range(6))) == {"days per week"}
    assert people_rules((0,), early(0), early(1)) == {"agents"}


def test_rest_holds_across_the_seam():
    late = Shift(0, 6, 1320, 0, ((0, 1410), (1, 1500)))
    assert people_rules((0, 0), Shift(0, 0, 480, 1), late) == {"rest"}
