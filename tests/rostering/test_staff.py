"""From needs to a proven roster: cuts where the proof misses, what is kept of several passes, the optimiser as a way out; reliefs."""

import numpy as np
import pytest
import small
from lines import DUTIES, person, roster

from planner.plan import Proof, as_is_roster
from planner.requirement import Verdict
from planner.rostering import staff as s
from planner.rostering.improve import NotForThis
from planner.rostering.people import needs_of_cover, people_of, problem_of
from planner.rostering.problem import NamedRoster, Need, RosterProblem, Terms
from planner.rostering.reliefs import candidates, reliefs
from planner.rostering.validate import audit


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


def test_needs_that_the_search_cannot_judge_go_to_the_optimiser(monkeypatch):
    def refuse(*_, **__):
        raise NotForThis("too many")

    monkeypatch.setattr(s.search, "improve", refuse)
    problem = RosterProblem(1, 0, DUTIES, (person(Terms(), 1),), (Need(0, 1, 10, 1, "D"),))
    assert s.made(problem, None, 1, 1) == roster("D")


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
