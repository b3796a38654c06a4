"""From needs to a proven roster: cuts where the proof misses, what is kept of several passes, the optimiser as a way out; reliefs."""

from dataclasses import replace

import numpy as np
import pytest
import small
from lines import DUTIES, person

from planner.plan import Proof, as_is_roster
from planner.requirement import Verdict
from planner.rostering import staff as s
from planner.rostering.people import needs_of_cover, people_of, problem_of
from planner.rostering.problem import NamedRoster, Need, RosterProblem, Terms
from planner.rostering.reliefs import Relief, Relieved, _agreed, _hiring, _rules, _starts, candidates, reliefs
from planner.rostering.validate import audit
from planner.rostering.wishes import with_overtime


def verdict(window: tuple[int, ...], mean: float, aim: float) -> Verdict:
    held = mean >= aim
    return Verdict(0, window, "day", mean, mean, aim, held, not held, held, mean, mean)


def test_more_is_asked_for_where_the_proof_misses_and_less_where_it_clears_by_far():
    missed = verdict((0, 1), 0.6, 0.8)
    proof = Proof(2, {}, (missed, verdict((2, 3), 0.99, 0.8)), None)
    scale = s.rescaled(np.ones(4), proof, np.array([0.0, 0.0, 0.19, 0.19]))
    assert (scale[:2] > 1.01).all()
    assert (scale[2:] < 0.999).all()
    assert (s.rescaled(np.full(4, 1.59), proof, np.zeros(4)) <= s.MOST_SCALE).all()


def test_what_the_search_leaves_broken_the_optimiser_breaks_as_little_as_can_be():
    """Two duties at least, on two days with a rest between them that no two duties keep."""
    who = person(Terms(least_shifts=2, least_rest_min=3000), 2)
    problem = RosterProblem(2, 0, DUTIES, (who,), (Need(0, 1, 10, 1, "D"),))
    named = s.made(problem, None, 1, 1)
    assert len(audit(problem, named).hard) == 1


def test_a_long_search_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr(s, "TOLD_EVERY_S", 0.0)
    problem = RosterProblem(1, 0, DUTIES, (person(Terms(), 1),), (Need(0, 1, 10, 1, "D"),))
    said: list[str] = []
    named = s.made(problem, None, 1, 1, said.append)
    assert said[0].startswith("searching for a roster: ")
    assert said[-1] == "searching for a roster: 100%"
    assert named == s.made(problem, None, 1, 1)


def short_of_everything() -> tuple:
    """A tiny centre with half of its people, asked for what all of them covered."""
    scenario = small.tiny()
    cover = as_is_roster(scenario).cover(2, scenario.horizon.days, scenario.horizon.interval_min)
    fewer = small.tiny(what_if__headcount=0.5)
    return fewer, people_of(fewer), problem_of(fewer, needs_of_cover(fewer, cover))


def test_a_relief_that_changes_nothing_saves_nothing_and_one_person_more_does():
    scenario, people, problem = short_of_everything()
    named = s.made(problem, None, 2_000, 1)
    found = reliefs(scenario, people, problem, named, moves=60_000, seed=1)
    assert found.short_hours > 1
    by_kind = {}
    for one in found.found:
        by_kind.setdefault(one.relief.kind, []).append(one)
    hired = [one for one in by_kind["person"] if one.clear]
    assert hired
    assert all(one.per_week > 0 and one.extra_hours > 0 for one in hired)
    rates = {group.cost_per_hour for group in scenario.groups.values()}
    for one in hired:
        dearest = max(rates) * one.extra_hours * 7 / problem.days
        assert one.per_week <= dearest * (1 + scenario.costs.overtime_premium) + 1e-9
    assert {one.relief.what[0] for one in by_kind["rule"] if one.clear} == {
        one.relief.what[0] for one in found.binding
    }
    prices = [(one.per_week + one.relief.one_off / 52) / one.saved_hours for one in found.found if one.clear]
    assert prices == sorted(prices)


def test_nobody_short_asks_for_no_relief():
    scenario, people, problem = short_of_everything()
    problem = problem._replace(needs=())
    assert reliefs(scenario, people, problem, NamedRoster(()), moves=100, seed=1).found == ()


def test_what_seeds_alone_make_a_difference_of_is_no_relief():
    relief = Relief("rule", ("rest", ""), RosterProblem(0, 0, (), (), ()), rule="rest")
    one = Relieved(relief, 10.0, 3.0, 3.0, 0.0, 0.0, 0, luck_hours=2.5)
    assert one.clear
    assert not replace(one, luck_hours=3.0).clear
    assert not replace(one, saved_hours=0.9, luck_hours=0.0).clear
    assert not replace(one, keeps=False).clear


def test_a_contract_that_nobody_can_meet_does_not_hide_what_relieves():
    scenario, people, problem = short_of_everything()
    first, *others = problem.people
    owed = first._replace(terms=first.terms._replace(least_paid_min=50_000, most_paid_min=None))
    problem = problem._replace(people=(owed, *others))
    named = s.made(problem, None, 500, 1)
    assert audit(problem, named).hard
    found = reliefs(scenario, people, problem, named, moves=60_000, seed=1)
    assert any(one.clear and one.hard for one in found.found)


def test_overtime_that_is_offered_already_is_no_plain_pay():
    _, people, problem = short_of_everything()
    one = people[0]._replace(contract="full")
    assert _agreed(one, problem.people[0]) == problem.people[0].terms.most_paid_min
    offered = with_overtime(problem, 4.0, 0.25)
    assert _agreed(one, offered.people[0]) == problem.people[0].terms.most_paid_min


@pytest.mark.parametrize(("days", "hours"), [(2, 2), (7, 2), (28, 8)])
def test_two_hours_a_week_are_two_hours_a_week_over_any_horizon(days: int, hours: int):
    terms = Terms(least_paid_min=9_000, most_paid_min=9_600)
    problem = RosterProblem(days, 0, DUTIES, (person(terms, days),), ())
    changed = {one.rule: one.problem.people[0].terms for one in _rules(problem)}
    assert changed["least_paid"].least_paid_min == 9_000 - 60 * hours
    assert changed["most_paid"].most_paid_min == 9_600 + 60 * hours


def test_one_person_more_is_recruited_and_trained_once():
    scenario, people, problem = short_of_everything()
    weeks = scenario.coefficient("training_weeks")
    for one in _hiring(scenario, people, problem):
        group = scenario.groups[one.what[0]]
        assert one.one_off == pytest.approx(1_500 + weeks * group.hours_per_week * group.cost_per_hour)


def test_new_starts_keep_out_of_leave_elsewhere():
    _, people, problem = short_of_everything()
    away = (0, 12 * 60)
    people = (people[0]._replace(away=(away,)), *people[1:])
    for relief in _starts(people, problem):
        new = range(len(problem.duties), len(relief.problem.duties))
        mine = [relief.problem.duties[k] for k in relief.problem.people[0].duties[0] if k in new]
        assert all(duty.start_min >= away[1] for duty in mine)
        assert any(k in new for k in relief.problem.people[1].duties[0])


def test_put_off_is_what_goes_to_where_people_are_over_and_no_hour_is_lost():
    scenario, people, problem = short_of_everything()
    named = s.made(problem, None, 2_000, 1)
    asked = sum(need.people for need in problem.needs)
    put_off = [r for r in candidates(scenario, people, problem, named) if r.kind == "deferral"]
    for relief in put_off:
        assert sum(need.people for need in relief.problem.needs) == asked
        moved = [(a, b) for a, b in zip(problem.needs, relief.problem.needs, strict=True) if a != b]
        less = sum(a.people - b.people for a, b in moved if b.people < a.people)
        assert less * problem.needs[0].minutes / 60 == pytest.approx(relief.amount)
        assert all(a.people - b.people <= 0.1 * a.people for a, b in moved)


def test_overtime_and_rules_change_the_terms_by_a_notch():
    scenario, people, problem = short_of_everything()
    named = s.made(problem, None, 500, 1)
    for relief in candidates(scenario, people, problem, named):
        if relief.kind == "overtime":
            changed = [(a, b) for a, b in zip(problem.people, relief.problem.people, strict=True) if a != b]
            assert len(changed) == relief.amount
            assert all(b.terms.most_shifts == a.terms.most_shifts + 1 for a, b in changed)
        if relief.rule is not None:
            assert audit(relief.problem, named).hard == () or audit(problem, named).hard
