"""A plan from end to end on a tiny centre: each stage against the next, and today's roster against its contracts."""

import itertools
from functools import cache

import numpy as np
import pytest
import small

from planner import plan as plans
from planner.natural import NaturalValues
from planner.plan import (
    PlanResult,
    as_is_roster,
    cover_problem,
    erlang_c_fte,
    plan,
    prove,
    schedule_of,
    shift_kinds,
    target_lines,
    weeks_of,
    workload_shares,
)
from planner.requirement import require
from planner.roster import Activity, Roster, RosteredShift
from planner.scenario.problems import FieldError
from planner.scenario.schema import Scenario
from planner.schedule import validate as v
from planner.schedule.cover import solve
from planner.shrinkage import off_phone_minutes, rostered_per_present, worked_share


@pytest.fixture(autouse=True, scope="module")
def _sooner():
    """One pass for each schedule: what is tested here is that stages agree, not how cheap the schedule is."""
    patch = pytest.MonkeyPatch()
    patch.setattr(plans, "solve", lambda problem, **_: solve(problem, thorough=False))
    yield
    patch.undo()


@cache
def planned() -> tuple[Scenario, NaturalValues, PlanResult]:
    scenario = small.busy(2)
    natural = small.natural_values(scenario)
    return scenario, natural, plan(scenario, natural, "soft", replications=6, plan_replications=8)


# --- the plan -----------------------------------------------------------------------------------------------


def test_the_validator_finds_nothing_and_would() -> None:
    scenario, _, result = planned()
    assert result.schedule is not None
    assert result.violations == ()
    assert result.schedule.bound <= result.schedule.objective + 1e-6
    problem = cover_problem(scenario, result.requirement)
    late = result.schedule.shifts[0]._replace(start_min=20 * 60)
    assert v.shift_violations(problem, late), "a shift that starts at eight in the evening"


def test_the_rosters_cover_is_the_schedules() -> None:
    """People on the queue by quarter-hour, counted by the validator from shifts and by the roster from activities."""
    scenario, natural, _ = planned()
    need = require(scenario, natural, "soft", most_replications=4)
    problem, schedule, roster, violations = schedule_of(scenario, need)
    assert violations == ()
    by_schedule = np.array(v.validate(problem, schedule).on_queue)
    by_roster = roster.cover(2, scenario.horizon.days, 15)
    assert np.array_equal(by_schedule, by_roster.reshape(2, -1))
    gross = roster.cover(2, scenario.horizon.days, 15, gross=True)
    assert (gross >= by_roster).all()
    assert gross.sum() > by_roster.sum()
    paid = sum(problem.shift_kinds[s.kind].paid_min for s in schedule.shifts)
    assert roster.paid_minutes(2, 60).sum() == paid


def test_fte_steps_up_from_the_queue_to_the_payroll() -> None:
    scenario, _, result = planned()
    assert [f.group for f in result.fte] == list(scenario.groups)
    assert sum(f.bare for f in result.fte) > 0
    for f in result.fte:
        assert f.bare <= f.rostered <= f.paid, "each step adds something"
        assert f.paid == pytest.approx(f.rostered / 0.9)
        assert f.headcount == scenario.groups[f.group].headcount
    hours = sum(f.rostered * scenario.groups[f.group].hours_per_week for f in result.fte) * 2 / 5
    assert hours == pytest.approx(result.roster.paid_minutes(2, 60).sum() / 60)
    assert result.erlang_c_fte == pytest.approx(erlang_c_fte(scenario, result.proof.totals))
    assert result.erlang_c_fte > sum(f.bare for f in result.fte)


def test_people_have_one_shift_a_day_and_their_rest() -> None:
    scenario, _, result = planned()
    by_person: dict[tuple[int, int], list[RosteredShift]] = {}
    for shift in result.roster.shifts:
        by_person.setdefault((shift.group, shift.person), []).append(shift)
    for shifts in by_person.values():
        assert len({s.day for s in shifts}) == len(shifts) <= scenario.days_per_week
        times = sorted((s.day * 1440 + s.start_min, s.day * 1440 + s.start_min + s.minutes) for s in shifts)
        for (_, end), (start, _) in itertools.pairwise(times):
            assert start - end >= scenario.rest_hours * 60
    assert sum(f.people for f in result.fte) == len(by_person)


def test_decompression_and_off_phone_time_stand_in_the_shifts() -> None:
    """15 minutes for the group that has them; coaching of 3 % of a paid 7.5 hours is 13.5 minutes: a quarter-hour."""
    scenario, _, result = planned()
    full = [s for s in result.roster.shifts if s.minutes == 480]
    care = [s for s in result.roster.shifts if s.group == 1]
    assert full
    assert care
    for shift in result.roster.shifts:
        kinds = [a.kind for a in shift.activities]
        assert kinds.count("decompression") == (1 if shift.group == 1 else 0)
        assert kinds.count("offline") == (1 if off_phone_minutes(scenario, shift.paid_minutes, 15) else 0)
        times = sorted((a.start_min, a.start_min + a.minutes) for a in shift.activities)
        assert all(b >= a for (_, a), (b, _) in itertools.pairwise(times)), "they do not overlap"
        assert times[-1][1] <= shift.minutes
        assert shift.paid_minutes == shift.minutes - (30 if "lunch" in kinds else 0)
    assert {a.minutes for s in care for a in s.activities if a.kind == "decompression"} == {15}


def test_the_proof_judges_every_target_in_every_window() -> None:
    scenario, natural, result = planned()
    lines = target_lines(result)
    assert len(lines) == 3 * 2, "three targets on two days"
    assert {window for _, window, *_ in lines} == {"day 1", "day 2"}
    for said, verdict in zip(lines, result.proof.verdicts, strict=True):
        assert said[2:4] == (verdict.mean, verdict.aim)
        assert bool(said[4]) == (verdict not in result.proof.missed)
    assert 0 < result.proof.measures["occupancy"].mean < 1
    assert result.proof.measures["absence"].mean > 0, "absence and all"
    nobody = Roster((), {g: np.zeros((2, 24), np.int64) for g in range(2)})
    empty = prove(scenario, natural, "soft", nobody, replications=2)
    assert len(empty.missed) == 6, "nobody there meets nothing"


def test_what_the_schedule_leaves_short_is_told_in_words() -> None:
    """Nobody can start before ten: nine o'clock stays uncovered on both days."""
    changes = dict.fromkeys(("shifts__day", "shifts__early", "shifts__late"))
    scenario = small.tiny(**changes)
    natural = small.natural_values(scenario)
    need = require(scenario, natural, "as_is", most_replications=4)
    result = plan(scenario, natural, "as_is", requirement=need, repairs=0, replications=2)
    at_nine = [u for u in result.unmet if u.time == "09:00"]
    assert {u.day for u in at_nine} == {"Mon (day 1)", "Tue (day 2)"}
    flat = {"Mon (day 1)": 9, "Tue (day 2)": 33}
    both = {k: s for k, s in enumerate(need.sets) if s.groups == (0, 1)}
    assert len(both) == 2, "trouble, and everyone"
    for day, i in flat.items():
        said = {u.skill for u in at_nine if u.day == day} - {"order"}
        most = max(both, key=lambda k: need.need[k, i])
        assert said == {"trouble" if both[most].types == (1,) else "everyone"}, "the row that asks for most"
    u = max(at_nine, key=lambda u: u.short)
    factor = rostered_per_present(scenario)[0 if u.day.startswith("Mon") else 1]
    rows = need.need[:, flat[u.day]]
    assert u.short == pytest.approx(max(rows) * factor, rel=1e-6), "whole rows are short, grossed up"
    assert str(u) == f"{u.day} 09:00 {u.skill}: short by {u.short:.3g}"
    assert not [u for u in result.unmet if "03:00" in u.time]


def test_plain_numbers_are_grossed_up_and_proved_too() -> None:
    scenario = small.tiny(**{**small.by_numbers(6, 4), "shrinkage": None})
    natural = small.natural_values(scenario)
    need = require(scenario, natural, "as_is", most_replications=4)
    result = plan(scenario, natural, "as_is", requirement=need, repairs=0, replications=3)
    assert result.schedule is None
    assert result.unmet == ()
    assert np.array_equal(np.stack([result.roster.on_duty[g].reshape(-1) for g in range(2)]), need.duty)
    assert len(result.proof.verdicts) == 6


# --- shrinkage ----------------------------------------------------------------------------------------------


def test_shrinkage_by_weekday() -> None:
    """Sickness of 6 %, weighted 1.5 on Monday, 0.9 to Friday and 1 at weekends; lateness of 1 %; leave comes later."""
    mean = (1.5 + 4 * 0.9 + 2) / 7
    monday = 1 / ((1 - 0.06 * 1.5 / mean) * 0.99)
    tuesday = 1 / ((1 - 0.06 * 0.9 / mean) * 0.99)
    assert rostered_per_present(small.tiny()) == pytest.approx([monday, tuesday])
    more = small.tiny(what_if={"absence": 2}, shrinkage__0__share=0.2)
    assert rostered_per_present(more)[0] == pytest.approx(1 / ((1 - 0.12 * 1.5 / mean) * 0.99))
    assert worked_share(small.tiny()) == pytest.approx(0.9)
    assert off_phone_minutes(small.tiny(), 450, 15) == 15
    assert off_phone_minutes(small.tiny(), 240, 15) == 0


def test_rows_are_grossed_up_by_their_own_day() -> None:
    scenario, _, result = planned()
    rows = cover_problem(scenario, result.requirement).rows
    factor = rostered_per_present(scenario)
    sets = {s.groups: result.requirement.need[k] for k, s in enumerate(result.requirement.sets)}
    seen = set()
    for row in rows:
        if row.wish:
            (g,) = row.groups
            assert row.people == pytest.approx(
                result.requirement.duty[g, row.interval] * factor[row.interval // 24]
            )
            continue
        need = max(
            result.requirement.need[k, row.interval]
            for k, s in enumerate(result.requirement.sets)
            if s.groups == row.groups
        )
        assert row.people == pytest.approx(need * factor[row.interval // 24])
        seen.add(row.groups)
    assert seen == set(sets)


# --- today's roster -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("headcount", [(8, 6), (20, 0), (0, 9)])
def test_todays_roster_works_the_contract_hours(headcount: tuple[int, int]) -> None:
    scenario = small.busy(2, groups__front__headcount=headcount[0], groups__care__headcount=headcount[1])
    roster = as_is_roster(scenario)
    paid = roster.paid_minutes(2, 60) / 60
    # Two of the five open days of a week, and a tenth on leave.
    assert weeks_of(scenario) == pytest.approx(0.4)
    for hours, people in zip(paid, headcount, strict=True):
        assert hours == pytest.approx(people * 37.5 * 0.4 * 0.9, rel=0.005)
    kinds = {k.length_min for k in shift_kinds(scenario, "as_is", [0])}
    assert {s.minutes for s in roster.shifts} <= kinds


def test_a_centre_without_anybody_loses_everyone_and_says_so() -> None:
    scenario = small.tiny(groups__front__headcount=0, groups__care__headcount=0)
    roster = as_is_roster(scenario)
    assert roster == Roster((), {})
    sums = small.simulated(scenario, small.natural_values(scenario), "as_is", roster, 2)
    assert sums.customers["answered"].sum() == 0
    assert sums.customers["abandoned"].sum() > 0
    assert sums.people["paid_min"].sum() == 0
    proof = prove(scenario, small.natural_values(scenario), "as_is", roster, replications=2)
    assert proof.measures["service_level"].mean == 0
    assert np.isnan(proof.measures["occupancy"].mean), "nobody is there to be occupied"
    assert len(proof.missed) == len(proof.verdicts) == 6


def test_given_numbers_are_todays_roster() -> None:
    roster = as_is_roster(small.tiny(**small.by_numbers(5, 2)))
    assert roster.shifts == ()
    assert roster.on_duty[0].sum() == 2 * 8 * 5
    assert roster.on_duty[1][0].tolist() == [0] * 9 + [2] * 8 + [0] * 7


def test_work_is_shared_so_that_the_busiest_is_least_busy() -> None:
    """Orders can only go to the front; trouble goes where there is room."""
    scenario = small.tiny(types__order__offered_per_week=100)
    shares = workload_shares(scenario)
    assert shares.sum(axis=1) == pytest.approx([1, 1])
    assert shares[0].tolist() == [1, 0]
    load = np.array([k.offered_per_week for k in scenario.types.values()]) * [(1 - 0.8 * 0.45) * 210, 420]
    busy = (shares * load[:, None]).sum(axis=0) / [4, 3]
    assert busy[0] == pytest.approx(busy[1]), "the same for both groups, as far as skills allow"


# --- the roster itself --------------------------------------------------------------------------------------


def test_cover_counts_people_and_wraps_at_the_end() -> None:
    night = RosteredShift(
        0, 0, 1, 22 * 60, 6 * 60, (Activity(180, 30, "lunch", False), Activity(60, 15, "break", True))
    )
    day = RosteredShift(1, 0, 0, 9 * 60, 2 * 60, ())
    roster = Roster((night, day), {})
    cover = roster.cover(2, 2, 60)
    wanted = np.zeros((2, 2, 24))
    wanted[0, 1, 22:] = [1, 0.75]
    wanted[0, 0, :4] = [1, 0.5, 1, 1]
    wanted[1, 0, 9:11] = 1
    assert np.array_equal(cover, wanted)
    gross = roster.cover(2, 2, 60, gross=True)
    assert gross[0].sum() == 6
    assert gross[0, 0, 1] == 1
    assert roster.paid_minutes(2, 60).tolist() == [330, 120]
    assert roster.people(2).tolist() == [1, 1]


def test_a_break_after_the_end_of_the_horizon_wraps_too() -> None:
    late = RosteredShift(0, 0, 0, 23 * 60, 120, (Activity(60, 60, "offline", True),))
    cover = Roster((late,), {}).cover(1, 1, 60)
    assert cover[0, 0].tolist() == [0] * 23 + [1]


def test_plain_numbers_pay_their_intervals() -> None:
    duty = np.zeros((2, 24), np.int64)
    duty[:, 9:17] = 3
    roster = Roster((), {0: duty})
    assert roster.paid_minutes(2, 60).tolist() == [2 * 8 * 3 * 60, 0]
    assert roster.people(2).tolist() == [3, 0]
    assert np.array_equal(roster.cover(2, 2, 60)[0], duty)


def test_a_plan_without_a_service_target_is_refused() -> None:
    scenario = small.tiny(targets=[{"measure": "occupancy", "at_most": 0.9}])
    with pytest.raises(FieldError, match="nobody is needed"):
        plan(scenario, small.natural_values(scenario), "as_is")
