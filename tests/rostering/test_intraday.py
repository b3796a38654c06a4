"""The rest of a day planned anew: the past stays, the sick are gone, every rule is kept, and a tiny day is the best of all there are."""

import itertools

import numpy as np
import pytest

from planner.rostering import intraday
from planner.rostering.intraday import (
    BREAKS,
    CALLED_IN,
    COMES_IN,
    LEAVES,
    MOVED,
    NOTICE_MIN,
    OTHER_START,
    OVERTIME,
    QUEUES,
    STARTS,
    STAYS,
    Moment,
    Replanned,
    replan,
    rest_of,
    scaled,
    short_hours,
)
from planner.rostering.problem import (
    DAY_MIN,
    Duty,
    NamedRoster,
    Need,
    Pause,
    Person,
    Post,
    RosterProblem,
    Terms,
    Work,
)
from planner.rostering.validate import audit

TEA, LUNCH = Pause("tea", 15, True, 60, 150), Pause("lunch", 30, False, 195, 300, "lunch")
DAY = Duty("D", 480, 480, 450, (TEA, LUNCH))
LATE = Duty("L", 720, 480, 450, (TEA, LUNCH))
LATER = LATE._replace(start_min=780)
NIGHT = Duty("N", 1320, 480, 480)
DUTIES = (DAY, LATE, LATER, NIGHT)
D, L, LL, N = range(4)
TERMS = Terms(least_rest_min=660, most_paid_min=2250, most_in_a_row=5)


def person(
    name: str, days: int, *, terms: Terms = TERMS, skills=frozenset({"calls"}), duties=(D, L, LL), **more
) -> Person:
    return Person(name, skills, (duties,) * days, terms, **more)


def needs(day: int, first: int, last: int, people: int, skills=frozenset()) -> tuple[Need, ...]:
    return tuple(Need(day, people, 20, 1, None, at, 15, skills) for at in range(first, last, 15))


def given(person: int, day: int, duty: int, tea=None, lunch=None, posts=()) -> Work:
    start = DUTIES[duty].start_min
    pauses = (tea or start + 90, lunch or start + 240) if DUTIES[duty].pauses else ()
    return Work(person, day, duty, pauses, posts)


def centre(people: int = 6, days: int = 3, wanted: int = 3, **more) -> tuple[RosterProblem, NamedRoster]:
    """Half of the people work early, a third late, one has every day off; so many people are wanted from 8 to 20."""
    who = tuple(person(f"P{k}", days, **more) for k in range(people))
    wishes = tuple(n for day in range(days) for n in needs(day, 480, 1200, wanted))
    work = [
        given(
            k,
            day,
            D if k % 2 == 0 else L,
            lunch=(DUTIES[D if k % 2 == 0 else L].start_min + 210 + 15 * (k % 4)),
        )
        for day in range(days)
        for k in range(people - 1)
    ]
    return RosterProblem(days, 0, DUTIES, who, wishes), NamedRoster(tuple(sorted(work)))


def planned(problem: RosterProblem, roster: NamedRoster, moment: Moment, moves: int = 60_000) -> Replanned:
    found = replan(rest_of(problem, roster, moment), moves=moves, seed=1)
    assert intraday.newly_broken(found.before, found.after) == []
    assert found.after.objective <= found.before.objective
    assert short_hours(found.rest.problem, found.after) <= short_hours(found.rest.problem, found.before)
    return found


def by_cell(roster: NamedRoster) -> dict[tuple[int, int], Work]:
    return {(work.person, work.day): work for work in roster.work}


def on_queue(problem: RosterProblem, work: Work) -> set[int]:
    """Minutes of its day at which somebody is on the queue."""
    duty = problem.duties[work.duty]
    there = set(range(duty.start_min, duty.end_min))
    for pause, at in zip(duty.pauses, work.pauses, strict=True):
        there -= set(range(at, at + pause.minutes))
    return there


@pytest.mark.parametrize("seed", range(6))
def test_what_lies_before_stays_and_so_do_other_days(seed: int):
    rng = np.random.default_rng(seed)
    problem, roster = centre(wanted=int(rng.integers(1, 6)))
    at = int(rng.integers(32, 80)) * 15
    sick = frozenset(rng.choice(6, 1).tolist())
    found = planned(problem, roster, Moment(1, at, sick))
    old, new = by_cell(roster), by_cell(found.roster)
    assert {cell: work for cell, work in new.items() if cell[1] != 1} == {
        cell: work for cell, work in old.items() if cell[1] != 1
    }
    for k in range(6):
        was = on_queue(problem, old[k, 1]) if (k, 1) in old else set()
        now = on_queue(found.rest.problem, new[k, 1]) if (k, 1) in new else set()
        assert {m for m in was if m < at} == {m for m in now if m < at}
    assert all((k, 1) not in new or max(on_queue(found.rest.problem, new[k, 1])) < at for k in sick)
    assert found.after.hard == ()


def test_breaks_that_have_begun_stay_and_one_under_way_is_finished():
    problem, roster = centre(people=2, wanted=1)
    # Tea from 9:30 to 9:45 is under way at 9:35; what can change does from 9:45 on.
    rest = rest_of(problem, roster, Moment(1, 9 * 60 + 45))
    for one in rest.options[0]:
        tea = rest.problem.duties[one.duty].pauses[0]
        assert (tea.earliest_min, tea.latest_min) == (90, 90)
    free = next(one for one in rest.options[0] if one.what == BREAKS)
    lunch = rest.problem.duties[free.duty].pauses[1]
    assert (lunch.earliest_min, lunch.latest_min) == (195, 300)
    later = rest_of(problem, roster, Moment(1, 12 * 60))
    # Lunch at 11:30 has begun, so that both breaks are where they are: nothing of them is free.
    assert by_cell(roster)[0, 1].pauses[1] == 690
    assert not any(one.what == BREAKS for one in later.options[0])


def test_who_is_sick_during_a_break_has_had_that_much_of_it():
    problem, roster = centre(people=2, wanted=1)
    found = planned(problem, roster, Moment(1, 11 * 60 + 45, frozenset({0})))
    work = by_cell(found.roster)[0, 1]
    duty = found.rest.problem.duties[work.duty]
    assert (duty.end_min, work.pauses) == (705, (570, 690))
    assert [pause.minutes for pause in duty.pauses] == [15, 15]
    assert duty.paid_min == 705 - 480 - 15
    assert not any((p, d) == (0, 1) for p, d in by_cell(found.roster) if found.rest.options.get(0))


def test_rest_to_the_next_day_and_paid_time_limit_how_long_people_stay():
    problem, _ = centre(people=2, days=2, wanted=3)
    # Late until 20:00, and the next day from 8:00: eleven hours of rest leave one hour more.
    work = NamedRoster(tuple(sorted([given(0, 0, L), given(0, 1, D)])))
    found = planned(problem, work, Moment(0, 15 * 60))
    assert max(found.rest.problem.duties[o.duty].end_min for o in found.rest.options[0]) == 21 * 60
    # A week of 15 hours at most, of which all are given: it is wider by the overtime that is allowed.
    tight = problem._replace(
        people=tuple(p._replace(terms=TERMS._replace(most_paid_min=900)) for p in problem.people)
    )
    for overtime, last in ((0, 1200), (30, 1230), (120, 1260)):
        rest = rest_of(tight, work, Moment(0, 15 * 60, overtime_min=overtime))
        assert max(rest.problem.duties[o.duty].end_min for o in rest.options[0]) == last


def test_people_go_home_where_many_are_over_though_they_owe_the_hours():
    problem, roster = centre(wanted=3, terms=TERMS._replace(least_paid_min=1350))
    quiet = tuple(n._replace(people=1) if n.day == 1 and n.start_min >= 720 else n for n in problem.needs)
    found = planned(problem._replace(needs=quiet), roster, Moment(1, 720), moves=200_000)
    assert any(LEAVES in change.what for change in found.changes)
    assert not any(STAYS in change.what for change in found.changes)
    assert found.after.over < found.before.over
    assert found.after.under == found.before.under
    least = min(
        found.rest.problem.duties[o.duty].minutes
        for options in found.rest.options.values()
        for o in options
        if o.what == LEAVES
    )
    assert least >= intraday.LEAST_MIN
    # Nobody goes where one is over: somebody has to be left for the unforeseen.
    lone = tuple(n._replace(people=4) for n in quiet)
    rest = rest_of(problem._replace(needs=lone), roster, Moment(1, 900))
    assert not any(o.what == LEAVES for options in rest.options.values() for o in options)


def test_somebody_off_comes_in_only_where_much_is_missing_and_every_rule_allows_it():
    problem, roster = centre(people=6, days=7, wanted=3)
    rest = rest_of(problem, roster, Moment(1, 600))
    mine = rest.options[5]
    assert {o.what for o in mine} == {COMES_IN}
    assert {rest.problem.duties[o.duty].start_min for o in mine} == {720, 780}
    assert NOTICE_MIN <= 720 - 600
    many = tuple(n._replace(people=n.people + 4) for n in problem.needs)
    found = planned(problem._replace(needs=many), roster, Moment(1, 600))
    assert [change.person for change in found.changes if COMES_IN in change.what] == [5]
    few = planned(centre(people=6, days=7, wanted=2)[0], roster, Moment(1, 600))
    assert not any(COMES_IN in change.what for change in few.changes)
    away = problem.people[5]._replace(leave=frozenset({1}))
    on_leave = problem._replace(people=(*problem.people[:5], away))
    assert 5 not in rest_of(on_leave, roster, Moment(1, 600)).options
    five = NamedRoster(tuple(sorted([*roster.work, *(given(5, day, D) for day in (2, 3, 4, 5, 6))])))
    assert 5 not in rest_of(problem, five, Moment(1, 600)).options
    assert 5 not in rest_of(problem, roster, Moment(1, 600, frozenset({5}))).options
    assert 5 not in rest_of(problem, roster, Moment(1, 780)).options


def test_who_has_not_begun_may_begin_within_the_catalogue():
    problem, roster = centre(people=4, wanted=1)
    rest = rest_of(problem, roster, Moment(1, 600))
    starts = {rest.problem.duties[o.duty].start_min for o in rest.options[1] if o.what == STARTS}
    assert starts == {780}
    assert not any(o.what == STARTS for o in rest_of(problem, roster, Moment(1, 690)).options[1])


def test_shifts_of_the_night_before_are_there_and_what_comes_after_midnight_counts():
    people = tuple(person(name, 3, duties=(N, D)) for name in ("Ann", "Bob"))
    night = tuple(n for day in range(3) for n in (*needs(day, 0, 360, 1), *needs(day, 1320, 1440, 1)))
    problem = RosterProblem(3, 0, DUTIES, people, night)
    roster = NamedRoster((given(0, 0, N), given(0, 1, N)))
    rest = rest_of(problem, roster, Moment(1, 60))
    before = audit(rest.problem, rest.before)
    # From 1:00 on the night before is covered until 6:00, and this night until 6:00 of the next day.
    assert {need.day for need in rest.problem.needs} == {1, 2}
    assert before.under == 0
    assert audit(rest.search, rest.start).under == 0
    found = planned(problem, roster, Moment(1, 60))
    assert found.changes == ()
    sick = rest_of(problem, roster, Moment(1, 60, frozenset({0})))
    assert short_hours(sick.problem, audit(sick.problem, sick.before)) == 2 + 6


@pytest.mark.parametrize("seed", range(8))
def test_the_day_alone_costs_what_the_validator_finds(seed: int):
    rng = np.random.default_rng(seed)
    problem, roster = centre(wanted=int(rng.integers(2, 6)))
    rest = rest_of(problem, roster, Moment(1, int(rng.integers(32, 80)) * 15))
    found = replan(rest, moves=30_000, seed=seed)
    alone, whole = audit(rest.search, rest.start), found.before
    assert (alone.under, alone.over, alone.disliked) == (whole.under, whole.over, whole.disliked)
    assert found.rest.search.days == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_tiny_day_is_the_best_of_all_there_are(seed: int):
    """Every end and every time of tea of two people, counted minute by minute and priced anew."""
    rng = np.random.default_rng(seed)
    short = Duty("S", 480, 180, 180, (Pause("tea", 15, True, 45, 120),))
    people = tuple(Person(name, frozenset(), ((0,),), Terms()) for name in ("Ann", "Bob"))
    # Somebody is always wanted at the end of the shift: nobody goes home.
    wanted = {at: int(rng.integers(at == 645, 4)) for at in range(540, 780, 15)}
    asked = tuple(Need(0, n, 20, 1, None, at, 15) for at, n in wanted.items())
    problem = RosterProblem(1, 0, (short,), people, asked)
    teas = rng.choice([525, 540, 555, 600], 2).tolist()
    roster = NamedRoster(tuple(Work(k, 0, 0, (tea,)) for k, tea in enumerate(teas)))
    at, overtime = 540, 60

    def ways(tea: int) -> list[tuple[int, set[int]]]:
        times = [tea] if tea < at else range(540, 615, 15)
        return [
            (
                OVERTIME * more // 15 + MOVED * (to != tea),
                set(range(480, 660 + more)) - set(range(to, to + 15)),
            )
            for to in times
            for more in (0, 30, 60)
        ]

    def cost(there: list[set[int]]) -> int:
        total = 0
        for begin, n in wanted.items():
            have = sum(set(range(begin, begin + 15)) <= one for one in there)
            total += 20 * max(0, n - have) + max(0, have - n)
        return total

    least = min(
        sum(price for price, _ in two) + cost([there for _, there in two])
        for two in itertools.product(*(ways(tea) for tea in teas))
    )
    rest = rest_of(problem, roster, Moment(0, at, overtime_min=overtime))
    found = replan(rest, moves=60_000, seed=1)
    assert found.after.objective == least


def test_posts_that_have_begun_stay_and_later_ones_may_change():
    posts = (Post("all"), Post("hard", frozenset({"hard"}), True), Post("easy", frozenset({"easy"})))
    one = person("Ann", 1, skills=frozenset({"hard", "easy"}), duties=(D,), posts=(0, 1, 2))
    asked = (*needs(0, 480, 690, 1, frozenset({"hard"})), *needs(0, 720, 960, 1, frozenset({"easy"})))
    problem = RosterProblem(1, 0, DUTIES, (one,), asked, posts=posts)
    roster = NamedRoster((given(0, 0, D, tea=570, lunch=690, posts=(2, 2, 1)),))
    found = planned(problem, roster, Moment(0, 600))
    assert QUEUES in found.changes[0].what
    # At 10:00 the second stretch is under way, at the post that nobody asks for then.
    assert found.roster.work[0].posts[:2] == (2, 2)
    assert found.roster.work[0].posts[2] in (0, 2)
    # At 9:30 tea begins: of what comes after it nothing has.
    assert planned(problem, roster, Moment(0, 585)).roster.work[0].posts[0] == 2
    assert planned(problem, roster, Moment(0, 585)).roster.work[0].posts[1] in (0, 1)


def test_emotional_minutes_of_other_days_of_the_week_count():
    posts = (Post("all", share=(1000,)),)
    limited = Terms(most_exposed_week_min=2 * 435 + 60)
    one = person("Ann", 3, terms=limited, duties=(D,), posts=(0,))
    problem = RosterProblem(3, 0, DUTIES, (one,), needs(2, 480, 1200, 1), posts=posts)
    roster = NamedRoster((given(0, 0, D), given(0, 2, D)))
    found = planned(problem, roster, Moment(2, 900))
    work = found.roster.work[-1]
    assert found.rest.problem.duties[work.duty].end_min == 960 + 60
    assert found.after.hard == ()


def test_the_same_seed_gives_the_same():
    problem, roster = centre(wanted=5)
    rest = rest_of(problem, roster, Moment(1, 660))
    assert replan(rest, moves=30_000, seed=3) == replan(rest, moves=30_000, seed=3)


def test_prices_keep_their_order():
    assert MOVED < OVERTIME < OTHER_START < 20 < CALLED_IN


# --- needs and who is sick ------------------------------------------------------------------------------------------


def grown(
    people: dict[str, int], before: dict[str, float], after: dict[str, float], *, more: float = 1.0
) -> dict[str, int]:
    """Needs of one quarter-hour by skills, like `a` or `ab`, as other load of types a and b changes them."""
    asked = [Need(0, n, 20, 1, None, 600, 15, frozenset(skills)) for skills, n in people.items()]
    loads = [np.zeros((2, 48)) for _ in range(2)]
    for load, values in zip(loads, (before, after), strict=True):
        for t, name in enumerate("ab"):
            load[t, 20] = values[name]
    found = scaled(
        asked, lambda skills: ["ab".index(s) for s in sorted(skills)], *loads, from_min=600, interval_min=30,
        rostered=np.ones(1), rostered_after=np.full(1, more),
    )  # fmt: skip
    return {"".join(sorted(need.skills)): need.people for need in found}


def test_needs_follow_the_load_and_the_root_of_it():
    same = {"a": 8.0, "b": 4.0}
    asked = {"a": 12, "ab": 7}
    assert grown(asked, same, same) == asked
    # 8 of 12 are load, 12 of 19 in all: 4 x 8 + 2 x 4 = 40; 4 x 12 + 2 x 7 = 62, of which 40 are asked for already.
    assert grown(asked, same, {"a": 32.0, "b": 16.0}) == {"a": 40, "ab": 22}
    # Only a grows: 2 x 8 + 2^0.5 x 4 = 21.7; by 5/3 in all: 20 + 1.29 x 7 = 29.04.
    assert grown(asked, same, {"a": 16.0, "b": 4.0}) == {"a": 22, "ab": 7}
    assert grown(asked, same, {"a": 0.0, "b": 0.0}) == {"a": 0, "ab": 0}
    assert grown(asked, {"a": 0.0, "b": 0.0}, {"a": 3.0, "b": 0.0}) == {"a": 15, "ab": 7}
    assert grown(asked, same, same, more=1.5) == {"a": 18, "ab": 11}


def test_needs_before_the_moment_are_gone():
    asked = needs(0, 480, 720, 2, frozenset({"a"}))
    load = np.ones((1, 48))
    found = scaled(
        asked,
        lambda _: [0],
        load,
        load,
        from_min=600,
        interval_min=30,
        rostered=np.ones(1),
        rostered_after=np.ones(1),
    )
    assert [need.start_min for need in found] == list(range(600, 720, 15))


def test_the_sick_are_drawn_from_those_whose_shift_is_not_over():
    problem, roster = centre(people=20)
    at = 16 * 60
    late = {k for k in range(19) if k % 2}
    few, many = (intraday.drawn_sick(problem, roster, 1, at, share, 7) for share in (0.3, 0.8))
    assert few < many < late
    assert (len(few), len(many)) == (3, 7)
    assert few == intraday.drawn_sick(problem, roster, 1, at, 0.3, 7)
    assert any(few != intraday.drawn_sick(problem, roster, 1, at, 0.3, seed) for seed in range(5))
    assert intraday.drawn_sick(problem, roster, 1, at, 1.0, 7) == late
    assert intraday.drawn_sick(problem, roster, 1, DAY_MIN - 15, 1.0, 7) == frozenset()
