"""Stretches on the queue between pauses, and the emotional minutes that are expected of them."""

import numpy as np

from planner.rostering.problem import Duty, Pause, Person, Post, RosterProblem, Terms, Work
from planner.rostering.rules.base import exposure, stretches

TEA, LUNCH = Pause("tea", 15, True, 60, 120), Pause("lunch", 30, False, 180, 300)
DUTY = Duty("N", 22 * 60, 480, 450, (TEA, LUNCH))
SHARE = tuple(int(n) for n in np.random.default_rng(3).integers(0, 1001, 96))


def problem(posts=(0,), share=SHARE) -> RosterProblem:
    ann = Person("Ann", frozenset(), ((0,),) * 7, Terms(), posts=posts)
    return RosterProblem(7, 0, (DUTY,), (ann,), (), posts=(Post("calls", share=share), Post("mail")))


def test_one_stretch_more_than_pauses_each_at_its_post():
    work = Work(0, 1, 0, (23 * 60, 26 * 60), (0, 1, 0))
    midnight = 1440
    assert stretches(problem(), work) == [
        (midnight + 1320, midnight + 1380, 0),
        (midnight + 1395, midnight + 1560, 1),
        (midnight + 1590, midnight + 1800, 0),
    ]


def test_without_posts_it_is_the_usual_one_or_none():
    work = Work(0, 0, 0, (23 * 60, 26 * 60))
    assert [post for _, _, post in stretches(problem(), work)] == [0, 0, 0]
    assert [post for _, _, post in stretches(problem((1, 0)), work)] == [1, 1, 1]
    assert [post for _, _, post in stretches(problem(()), work)] == [None] * 3


def test_pauses_out_of_order_or_beyond_the_end_leave_no_time_below_0():
    spans = stretches(problem(), Work(0, 0, 0, (1800, 1400)))
    assert spans == [(1320, 1800, 0), (1800, 1800, 0), (1800, 1800, 0)]
    assert stretches(problem(), Work(0, 0, 0, (1300, 1310))) == [
        (1320, 1320, 0),
        (1320, 1320, 0),
        (1340, 1800, 0),
    ]


def test_emotional_minutes_are_those_of_each_minute_added_up():
    rng, p = np.random.default_rng(1), problem()
    for start, minutes in zip(rng.integers(0, 8 * 1440, 200), rng.integers(0, 700, 200), strict=True):
        by_minute = sum(SHARE[m // 15 % 96] for m in range(start, start + minutes))
        assert exposure(p, 0, int(start), int(start + minutes)) == by_minute
    assert exposure(p, 0, 100, 100) == exposure(p, 0, 100, 90) == 0


def test_nobody_is_exposed_without_a_post_or_at_one_without_a_share():
    assert exposure(problem(), None, 0, 600) == exposure(problem(), 1, 0, 600) == 0
    assert exposure(problem(share=(250,)), 0, 7, 107) == 25_000
