"""The optimiser against every roster there is, where pauses and posts decide on emotional work; posts that are kept; cover by post."""

import itertools

import numpy as np
import pytest
from lines import solved
from posts import ALL, BILLS, CLAIMS, best, needs, problem, work

from planner.rostering import model
from planner.rostering.problem import Duty, NamedRoster, Need, Pause, Person, Post, RosterProblem, Terms, Work
from planner.rostering.rules import RULES
from planner.rostering.validate import audit

PRICEABLE = ("exposure_stretch", "exposure_day", "exposure_week", "decompression", "rotation")


def tiny(seed: int) -> RosterProblem:
    """One or two people, one or two days, a shift with two pauses and one without, and limits at random."""
    rng = np.random.default_rng(seed)
    pick = lambda *values: values[rng.integers(len(values))]  # noqa: E731
    days, people = ((1, 2), (2, 1), (1, 1))[rng.integers(3)]
    tea = Pause("tea", 15, True, 15, int(pick(15, 30, 45)), pick("break", "decompression"))
    rest = Pause("rest", int(pick(15, 30)), True, int(pick(15, 45)), 60, "decompression")
    start = int(pick(600, 1380))
    duties = (Duty("A", start, 120, 120, (tea, rest)), Duty("B", start + 15, 60, 60))
    shares = [tuple(int(n) for n in rng.integers(0, 1001, pick(1, 7, 96))) for _ in range(2)]
    skills = [frozenset(one) for one in ("a", "b", "ab")]
    posts = (
        Post("all", pick(None, skills[2]), bool(rng.random() < 0.2), shares[0]),
        Post("emotional", skills[0], True, shares[1]),
        Post("routine", skills[1]),
    )

    def terms() -> Terms:
        return Terms(
            least_shifts=int(pick(0, 0, 0, 1)),
            most_exposed_stretch_min=pick(None, None, 5, 12, 20),
            most_exposed_day_min=pick(None, None, 10, 25, 40),
            most_exposed_week_min=pick(None, None, 10, 30, 50),
            decompress_after_min=pick(None, 5, 12, 25),
            most_at_emotional_min=pick(None, 0, 15, 30, 45),
        )

    who = tuple(
        Person(name, skills[rng.integers(3)], (pick((0, 1), (0,), (0,)),) * days, terms(),
               posts=pick((), (0,), (0, 1), (0, 2), (1, 2)) if people > 1 else pick((0, 1, 2), (1, 0), (2, 1, 0)))
        for name in ("Ann", "Bob")[:people]
    )  # fmt: skip
    wanted = tuple(
        Need(int(rng.integers(days)), int(rng.integers(3)), int(rng.integers(1, 12)), int(rng.integers(4)), None,
             start + 15 * int(rng.integers(8)), int(pick(15, 15, 15, 30, 45)), pick(frozenset(), *skills))
        for _ in range(rng.integers(4, 16))
    )  # fmt: skip
    prices = {name: int(rng.integers(1, 5)) for name in PRICEABLE if rng.random() < 0.4}
    return RosterProblem(days, 0, duties, who, wanted, prices, posts)


def every_roster(one: RosterProblem):
    choices: list[list[Work | None]] = []
    for number, who in enumerate(one.people):
        for day, allowed in enumerate(who.duties):
            cell: list[Work | None] = [None]
            for duty in allowed:
                given = one.duties[duty]
                windows = [
                    range(given.start_min + p.earliest_min, given.start_min + p.latest_min + 1, 15)
                    for p in given.pauses
                ]
                for starts in itertools.product(*windows):
                    posts = itertools.product(who.posts, repeat=len(starts) + 1) if who.posts else [()]
                    cell += [Work(number, day, duty, starts, those) for those in posts]
            choices.append(cell)
    for given in itertools.product(*choices):
        yield NamedRoster(tuple(one for one in given if one))


def cheapest_by_hand(one: RosterProblem) -> int | None:
    hard = [rule for rule in RULES if rule.NAME not in one.prices]
    costs = (
        audit(one, roster).objective
        for roster in every_roster(one)
        if not any(rule.check(one, roster) for rule in hard)
    )
    return min(costs, default=None)


def size(one: RosterProblem) -> int:
    n = 1
    for who in one.people:
        for allowed in who.duties:
            pauses = [
                np.prod([1 + (p.latest_min - p.earliest_min) // 15 for p in one.duties[duty].pauses])
                * max(1, len(who.posts)) ** (1 + len(one.duties[duty].pauses))
                for duty in allowed
            ]
            n *= 1 + int(sum(pauses))
    return n


SEEDS = [seed for seed in range(400) if size(tiny(seed)) <= 1500][:80]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_roster_at_all_is_cheaper(seed):
    one = tiny(seed)
    outcome, found = solved(one, seed=seed)
    cheapest = cheapest_by_hand(one)
    if cheapest is None:
        assert outcome.status == "none"
        assert found.hard
    else:
        assert outcome.status == "optimal"
        assert outcome.objective == outcome.bound == cheapest


def test_tiny_problems_are_of_all_sorts():
    problems = [tiny(seed) for seed in SEEDS]
    assert len(problems) == 80
    results = [solved(one)[0] for one in problems]
    given = [w.posts for outcome in results for w in outcome.roster.work]
    assert sum(len(set(posts)) > 1 for posts in given) >= 10
    assert {w.duty for outcome in results for w in outcome.roster.work} == {0, 1}
    assert {outcome.status for outcome in results} == {"optimal", "none"}
    # Each rule decides in some of them: without it the cheapest roster would break it.
    free = [
        solved(one._replace(people=tuple(who._replace(terms=Terms()) for who in one.people)))[0].roster
        for one in problems
    ]
    broken = {b.rule for one, roster in zip(problems, free, strict=True) for b in audit(one, roster).hard}
    assert broken >= set(PRICEABLE)


@pytest.mark.parametrize("seed", SEEDS[::4])
def test_a_part_that_is_kept_keeps_its_posts_and_counts_with_them(seed):
    one = tiny(seed)
    rosters = list(every_roster(one))
    rng = np.random.default_rng(seed)
    start = rosters[rng.integers(len(rosters))]
    cells = [(p, d) for p in range(len(one.people)) for d in range(one.days)]
    outcome, _ = solved(one, start=start, free=cells[1:])
    fixed = [w for w in start.work if (w.person, w.day) == cells[0]]
    assert [w for w in outcome.roster.work if (w.person, w.day) == cells[0]] == fixed
    hard = [rule for rule in RULES if rule.NAME not in one.prices]
    those = [r for r in rosters if [w for w in r.work if (w.person, w.day) == cells[0]] == fixed]
    kept = [audit(one, r).objective for r in those if not any(rule.check(one, r) for rule in hard)]
    assert outcome.status == ("optimal" if kept else "none")
    if kept:
        assert outcome.objective == min(kept)


def test_of_too_many_posts_those_given_stay(monkeypatch):
    wanted = [*needs(skill="claims", at=range(480, 600, 15)), *needs(skill="bills", at=range(615, 720, 15))]
    one = problem(Terms(), *wanted, duties="DX", posts=(CLAIMS, BILLS))
    assert best(one).objective == 0
    monkeypatch.setattr(model, "FREE_POSTS", 10)
    assert best(one).objective == 70
    start = work(Work(0, 0, 0, (540,), (CLAIMS, BILLS)))
    outcome, _ = solved(one, start=start)
    assert outcome.roster == work(Work(0, 0, 0, (600,), (CLAIMS, BILLS)))
    assert outcome.objective == 0
    # What is not one's own is not kept.
    outcome, _ = solved(one, start=work(Work(0, 0, 0, (540,), (ALL, BILLS))))
    assert outcome.objective == 70


def test_a_start_with_posts_is_where_the_search_begins():
    one = problem(Terms(), *needs(skill="claims"), duties="B", posts=(BILLS, CLAIMS))
    start = work(Work(0, 0, 2, (540, 600), (CLAIMS, CLAIMS, CLAIMS)))
    outcome = model.solve(one, seconds=0.0, start=start)
    assert (outcome.roster, outcome.objective) == (start, 20)


def test_somebody_counts_by_the_post_of_the_stretch_that_the_time_lies_in():
    one = problem(Terms(), posts=(ALL, CLAIMS, BILLS), people=2)
    at = work(Work(0, 0, 2, (540, 600), (CLAIMS, BILLS, ALL)))

    def short(start: int, minutes: int, *skills: str) -> int:
        need = Need(0, 1, 1, 0, None, start, minutes, frozenset(skills))
        return audit(one._replace(needs=(need,)), at).under

    assert [short(t, 15, "claims") for t in (480, 525, 540, 555, 600, 615)] == [0, 0, 1, 1, 1, 0]
    assert [short(t, 15, "bills") for t in (480, 555, 585, 600, 615)] == [1, 0, 0, 1, 0]
    assert [short(t, 15, "bills", "claims") for t in (480, 540, 555, 615)] == [0, 1, 0, 0]
    assert [short(t, 15) for t in (480, 540, 555)] == [0, 1, 0]
    assert short(480, 60, "claims") == 0
    assert short(480, 75, "claims") == 1
    # A shift is asked for by what somebody can do.
    of_kind = Need(0, 1, 1, 0, "B", skills=frozenset({"bills"}))
    assert audit(one._replace(needs=(of_kind,)), work(Work(0, 0, 2, (540, 600), (CLAIMS,) * 3))).under == 0


def test_a_pause_without_length_parts_stretches_too():
    turn = Pause("turn", 0, True, 60, 180)
    one = problem(Terms(), *needs(skill="claims", at=range(480, 600, 15)), posts=(CLAIMS, BILLS))
    one = one._replace(
        duties=(*one.duties[:3], Duty("T", 480, 240, 240, (turn,))),
        needs=(*one.needs, *needs(skill="bills", at=range(600, 720, 15))),
    )
    outcome = best(one)
    assert (outcome.objective, outcome.roster.work) == (0, (Work(0, 0, 3, (600,), (CLAIMS, BILLS)),))
