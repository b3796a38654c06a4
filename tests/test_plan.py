"""A plan from end to end on a tiny centre: each stage against the next, and today's roster against its contracts."""

import itertools
import math
from functools import cache

import numpy as np
import pytest
import small

from planner import plan as plans
from planner import report, runs, words
from planner.natural import NaturalValues
from planner.plan import (
    Outcome,
    PlanResult,
    as_is_roster,
    cover_problem,
    erlang_c,
    flat_shrinkage,
    fte_of,
    outcomes,
    plan,
    prove,
    schedule_of,
    shift_kinds,
    tightest,
    weeks_of,
    workload_shares,
)
from planner.requirement import Verdict, require
from planner.roster import Activity, Roster, RosteredShift
from planner.scenario.compile import compile_world
from planner.scenario.problems import FieldError
from planner.scenario.schema import Scenario, Target
from planner.schedule import validate as v
from planner.schedule.cover import solve
from planner.shrinkage import off_phone_minutes, rostered_per_present, worked_share
from sim.draws import draw_people


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
    assert result.erlang_c == erlang_c(scenario, result.proof.totals)
    assert result.erlang_c.on_queue > sum(f.bare for f in result.fte)
    assert result.erlang_c.fte == pytest.approx(result.erlang_c.on_queue / (1 - 0.2)), (
        "its items come to 20 %"
    )


def test_heads_are_whole_contracts_and_their_change_is_told() -> None:
    scenario, _, result = planned()
    document = report.plan_document(result, 1.0)
    rows = {row["group"]: row for row in document["fte"]["by_group"]}
    for f in result.fte:
        row = rows[f.group]
        assert row["heads_today"] == row["fte_today"] == scenario.groups[f.group].headcount
        assert row["fte_needed"] == f.paid
        assert f.paid - 0.05 <= row["heads_needed"] < f.paid + 1
        assert row["heads_change"] == row["heads_needed"] - row["heads_today"]
        assert row["fte_change"] == pytest.approx(f.paid - row["fte_today"])
    assert document["fte"]["heads_change"] == sum(row["heads_change"] for row in rows.values())
    said = words.staff_words(document["fte"])
    for row in rows.values():
        do = "hire" if row["heads_change"] > 0 else "release"
        assert row["heads_change"] == 0 or f"{do} {abs(row['heads_change'])} in {row['title']}" in said
    assert words.to_do([3, -2, 0]) == "hire 3, release 2"
    assert words.to_do([0]) == "keep"


def test_people_by_plain_numbers_are_employed_too() -> None:
    """Five and two on duty for eight hours on two of five days, a tenth on leave, nobody counted by head."""
    changes = {**small.by_numbers(5, 2), "groups__front__headcount": 0, "groups__care__headcount": 0}
    scenario = small.tiny(**changes, what_if={"headcount": 0.5})
    need = require(scenario, small.natural_values(scenario), "as_is", most_replications=4)
    rows = fte_of(scenario, need, as_is_roster(scenario))
    assert [f.today for f in rows] == pytest.approx([5 * 16 / 15, 2 * 16 / 15])
    counted = small.tiny(what_if={"headcount": 0.5})
    assert [f.today for f in fte_of(counted, need, Roster((), {}))] == [2.0, 1.5]


def test_the_spreadsheets_shrinkage_is_named_or_summed_or_assumed() -> None:
    assert flat_shrinkage(small.tiny(flat_shrinkage=0.35)) == (0.35, "flat_shrinkage")
    assert flat_shrinkage(small.tiny()) == (pytest.approx(0.2), "items")
    assert flat_shrinkage(small.tiny(shrinkage=[])) == (0.3, "assumed")
    named, assumed = small.tiny(shrinkage=[], flat_shrinkage=0.3), small.tiny(shrinkage=[])
    assert flat_shrinkage(named) == (0.3, "flat_shrinkage")
    assert runs.key_of("plan", named, {}) != runs.key_of("plan", assumed, {})
    for scenario, said in (
        (small.tiny(flat_shrinkage=0.35), "35 % shrinkage that the scenario names"),
        (small.tiny(), "20 % shrinkage, the sum of the scenario's items"),
        (small.tiny(shrinkage=[]), "30 % shrinkage, which is our assumption"),
    ):
        share, source = flat_shrinkage(scenario)
        fte = {
            "flat_shrinkage": share,
            "flat_shrinkage_source": source,
            "erlang_c_on_queue": 7.0,
            "erlang_c_flat_shrinkage": 10.0,
        }
        assert said in words.erlang_sentence(fte)


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
    rows = report.plan_document(result, 1.0)["targets"]
    assert len(rows) == 3 * 2, "three targets on two days"
    assert {row["window"] for row in rows} == {"day 1", "day 2"}
    assert {row["when"] for row in rows} == {"Monday", "Tuesday"}
    assert rows[0]["what"] == "Service level of Order: at least 75 % within 40 s"
    assert rows[-1]["what"] == "Abandonment of all contacts: at most 10 %"
    for said, verdict in zip(rows, result.proof.verdicts, strict=True):
        assert (said["mean"], said["aim"], said["limit"]) == (verdict.mean, verdict.aim, verdict.limit)
        assert said["met"] == (verdict not in result.proof.missed)
        assert said["held"] == verdict.met, "held is by the one-sided limit"
        assert said["low"] <= min(said["mean"], said["limit"])
        assert said["high"] >= max(said["mean"], said["limit"])
        # Six replications and a control: Student's t of four degrees of freedom, one-sided and two-sided.
        wider = 2.776445 / 2.131847
        half = abs(said["mean"] - said["limit"]) * wider
        assert said["high"] == pytest.approx(min(1.0, said["mean"] + half), rel=1e-5)
    assert 0 < result.proof.measures["occupancy"].mean < 1
    assert result.proof.measures["absence"].mean > 0, "absence and all"
    nobody = Roster((), {g: np.zeros((2, 24), np.int64) for g in range(2)})
    empty = prove(scenario, natural, "soft", nobody, replications=2)
    assert len(empty.missed) == 6, "nobody there meets nothing"


def test_the_target_with_least_room_is_named_and_the_others_overshoot() -> None:
    _, _, result = planned()
    ranked = tightest(outcomes(result))
    assert len(ranked) == 3, "each target in its worst window"
    assert [one.used for one in ranked] == sorted((one.used for one in ranked), reverse=True)
    for one in ranked:
        others = [o for o in outcomes(result) if o.verdict.target == one.verdict.target]
        assert one.used == max(o.used for o in others)
        assert (one.margin >= 0) == (one.used <= 1) == one.verdict.held
    said = report.plan_document(result, 1.0)["binding"]
    assert [row["what"] for row in said["worst"]] == [
        words.target_words(result.scenario, o.target) for o in ranked
    ]
    for one in ranked[1:]:
        kind = "Overshot" if one.verdict.met else "Close to its limit too"
        assert one.margin < 0 or kind in said["sentence"]
    places = [said["sentence"].index(f"{100 * abs(o.margin):.1f} points") for o in ranked]
    assert places == sorted(places), "the one that decides comes first"


@pytest.mark.parametrize(
    ("target", "mean", "margin", "used"),
    [
        ({"measure": "service_level", "at_least": 0.8}, 0.9, 0.1, 0.5),
        ({"measure": "abandonment", "at_most": 0.08}, 0.06, 0.02, 0.75),
        ({"measure": "mean_wait", "at_most": 60}, 75, -15, 1.25),
        ({"measure": "occupancy", "at_most": 0.9}, 0.8, 0.1, 0.5),
        ({"measure": "abandonment", "at_most": 0.08, "with_probability": 0.8}, 0.7, -0.1, 1.5),
    ],
)
def test_room_left_is_measured_alike_for_every_target(target, mean, margin, used) -> None:
    kind = Target(**target)
    aim = kind.with_probability or kind.at_least or kind.at_most
    v = Verdict(0, (0, 1), "day 1", mean, mean, aim, True, False, True, mean, mean)
    one = Outcome(kind, 0, None, None, False, v)
    assert one.margin == pytest.approx(margin)
    assert one.used == pytest.approx(used)


@pytest.mark.parametrize(
    ("mean", "held", "said"),
    [
        (0.95, True, "Today: no target is near its limit; the nearest is service level of Order, at least 80 % within 20 s: in its worst window (Monday, 95.0 %) 15.0 points are to spare."),
        (0.81, True, "Today: the staffing is decided by service level of Order, at least 80 % within 20 s: in its worst window (Monday, 81.0 %) 1.0 points are to spare."),
        (0.95, False, "Today: the staffing is decided by service level of Order, at least 80 % within 20 s: in its worst window (Monday, 95.0 %) 15.0 points are to spare."),
        (0.78, False, "Today: the staffing falls short of service level of Order, at least 80 % within 20 s, by 2.0 points (Monday, 78.0 %)."),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("wait", "sure", "then"),
    [
        (6.0, True, " Overshot even in its worst window: average speed of answer of all contacts, at most 60 s, by 54.0 s (Monday, 6.0 s)."),
        (6.0, False, " Close to its limit too: average speed of answer of all contacts, at most 60 s, by 54.0 s (Monday, 6.0 s)."),
    ],
)  # fmt: skip
def test_what_decides_the_staffing_is_said_as_surely_as_it_is_known(
    mean, held, said, wait, sure, then
) -> None:
    def outcome(k, target, mean, aim, sure):
        v = Verdict(k, (0, 1), "day 1", mean, mean, aim, sure, False, True, mean, mean)
        return Outcome(target, 0, None, None, False, v)

    level = Target(measure="service_level", at_least=0.8, types=("order",))
    waits = Target(measure="mean_wait", at_most=60)
    ranked = tightest([outcome(0, level, mean, 0.8, held), outcome(1, waits, wait, 60, sure)])
    assert words.binding_sentence(small.tiny(), "Today", ranked) == said + then


def test_windows_are_said_as_people_say_them() -> None:
    week, long = small.tiny(), small.tiny(horizon__days=14)
    v = Verdict(0, (0, 1), "day 1", 0.8, 0.8, 0.8, True, False, True, 0.7, 0.9)
    day, whole = (Target(measure="service_level", at_least=0.8, window=w) for w in ("day", "week"))

    def said(scenario, target, day=1, minute=None, week=None, floor=False):
        return words.window_words(scenario, Outcome(target, day, minute, week, floor, v))

    assert said(week, day) == "Tuesday"
    assert said(week, day, minute=570, floor=True) == "Tuesday 09:30"
    assert said(week, whole) == "whole week"
    assert said(long, day, 8) == "Tue 10 Mar"
    assert said(long, whole, 7, week=2) == "week 2"


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


def test_what_the_roster_loses_by_weekday_is_what_was_divided_out() -> None:
    """Absence, lateness and adherence of very many people on Monday and Tuesday, against the stated shares."""
    people, z = 4_000, 4.0
    weights = {"mon": 1.5, "tue-fri": 0.9}
    scenario = small.tiny(
        shrinkage=[
            {"name": kind, "kind": kind, "share": share, "weekdays": weights}
            for kind, share in (("absence", 0.08), ("lateness", 0.02), ("adherence", 0.05))
        ],
        behaviour={**small.SOON, "absence_per_exhaustion": 1.0},
    )
    shifts = tuple(RosteredShift(0, k, day, 540, 400, ()) for day in (0, 1) for k in range(people))
    world = compile_world(scenario, small.natural_values(scenario), "as_is", Roster(shifts, {}))
    drawn = draw_people(world, 3, 0)
    staffing, clock = world.staffing, world.clock
    mean = (1.5 + 4 * 0.9 + 2) / 7
    mean_shift_min = np.mean([shift.hours for shift in scenario.shifts.values()]) * 60
    for day, weight in ((0, 1.5 / mean), (1, 0.9 / mean)):
        mine = staffing.day == clock.warm_days + day
        assert mine.sum() == people
        away = drawn.absent[mine] < world.groups.absence[0]
        assert abs(away.mean() - 0.08 * weight) <= z * math.sqrt(0.08 * weight / people)
        late_min = drawn.late_ms[mine] / 60_000
        se = late_min.std() / math.sqrt(people)
        assert abs(late_min.mean() - 0.02 * weight * mean_shift_min) <= z * se
        assert abs((late_min > 0).mean() - 0.25) <= z * math.sqrt(0.25 * 0.75 / people)
        off = [staffing.act_length_ms[staffing.act_from[i]] / 60_000 for i in np.flatnonzero(mine)]
        assert off == [round(0.05 * weight * 400)] * people
    expected = [1 / np.prod([1 - share * w / mean for share in (0.08, 0.02, 0.05)]) for w in (1.5, 0.9)]
    assert rostered_per_present(scenario) == pytest.approx(expected)


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
