"""A roster, or a part of one, as a CP-SAT model: cells of a person and a day choose one duty or none, pauses one start each.

Each stretch between pauses chooses a post, unless that takes more than FREE_POSTS literals: then posts stay as `start` has them,
elsewhere they are the usual ones, and the bound is of such rosters. Pauses start on the grid of all edges of duties, pauses, needs and
shares, as those of every roster that is made; elsewhere a pause would only touch more needs, or move exposure by minutes. The objective is that of `planner.rostering.problem`, in whole numbers. Where
hard rules contradict each other, or nothing was found in half of the time, every one of them gets a slack: first as few as can be
are broken, then the cost comes down.
"""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ortools.sat.python import cp_model

from planner.rostering import cover, rules
from planner.rostering.cover import Group, Served
from planner.rostering.paths import add_paths
from planner.rostering.problem import DAY_MIN, SHARE_MIN, NamedRoster, Outcome, Person, RosterProblem, Work
from planner.rostering.rules.base import (
    Edge,
    Literal,
    Span,
    Sum,
    earliest_pauses,
    published_duties,
    stretches,
    touches_leave,
)
from planner.rostering.validate import audit

Cell = tuple[int, int]
"""A person and a day."""

SOLVED = (cp_model.OPTIMAL, cp_model.FEASIBLE)

EACH_BROKEN = 1_000_000
"""Weight of one more place where a hard rule is broken, against one more unit by which it is."""

FREE_POSTS = 2_000
"""Literals of posts at most: those of more are left as they are given. Some five people's day with the shifts that they have; with
fifteen, half a minute found less than it did with posts as they were."""


def solve(
    problem: RosterProblem,
    *,
    seconds: float,
    seed: int = 0,
    workers: int = 8,
    start: NamedRoster | None = None,
    free: Collection[Cell] | None = None,
    repeatable: bool = False,
    tell: Callable[[float, float], None] | None = None,
) -> Outcome:
    """The cheapest roster that the time allows, with its certificate; never nothing.

    start: a roster to begin from, and to return where nothing better is found. free: the cells that may change, all others
    stay as in `start`; the objective is still that of the whole roster, and the bound holds for rosters that keep the others.
    repeatable: the same seed gives the same roster on every run; `seconds` are then CP-SAT's deterministic ones. tell: called
    with objective and bound for every better roster that keeps all hard rules.
    status: `optimal` is proven; `none` means that the roster breaks hard rules, as few as could be found; the bound then
    holds for rosters that break no more. Raises ValueError for a problem that makes no sense, such as a price of what is no rule,
    for `free` without `start`, and for work that the problem does not have.
    """
    rules.require_sound(problem)
    _require_known(problem, start)
    if free is not None and start is None:
        raise ValueError("a part of a roster can be free only where the rest is given")
    begun = time.perf_counter()
    search = _Search(begun + seconds, seconds, seed, workers, repeatable)
    model = Model(problem, start, free)
    found = (
        [] if start is None else [_Found(model.hard_broken(start), audit(problem, start).objective, start)]
    )
    kept = bool(found) and not found[0].broken
    solver, status = search.run(model, patience=1.0 if kept else 0.5, tell=tell)
    bound = model.bound(solver, status)
    if status in SOLVED:
        found.append(model.found(solver))
    elif not kept:
        model = Model(problem, start, free, relaxed=True)
        few, bound = _few_broken(model, search)
        found += few
    best = min(found, key=lambda one: one[:2])
    bound = min(bound, best.cost)
    said = "none" if best.broken else "optimal" if bound >= best.cost else "feasible"
    return Outcome(best.roster, said, best.cost, bound, time.perf_counter() - begun, seed)


class _Found(NamedTuple):
    """A roster, how many hard rules it breaks, and its cost."""

    broken: int
    cost: int
    roster: NamedRoster


def _few_broken(model: Model, search: _Search) -> tuple[list[_Found], float]:
    """A roster with few hard rules broken, and the bound for those that break no more."""
    model.minimise_broken()
    solver, status = search.run(model, share=0.5)
    if status not in SOLVED:  # no time even for that: nobody works, or those who are fixed
        idle = NamedRoster(model.kept)
        return [_Found(model.hard_broken(idle), audit(model.problem, idle).objective, idle)], model.floor
    first = model.found(solver)
    model.minimise_cost(broken_at_most=round(solver.objective_value), hint=solver)
    solver, status = search.run(model)
    return [model.found(solver) if status in SOLVED else first], model.bound(solver, status)


def _require_known(problem: RosterProblem, start: NamedRoster | None) -> None:
    for work in start.work if start else ():
        known = 0 <= work.person < len(problem.people) and 0 <= work.day < problem.days
        posts = all(0 <= post < len(problem.posts) for post in work.posts)
        if not known or not 0 <= work.duty < len(problem.duties) or not posts:
            raise ValueError(f"the roster to begin from has work that the problem does not have: {work}")


class _Better(cp_model.CpSolverSolutionCallback):
    """Whether there is any solution yet, and whom to tell of it."""

    def __init__(self, tell: Callable[[float, float], None] | None) -> None:
        super().__init__()
        self.any = False
        self.tell = tell

    def on_solution_callback(self) -> None:
        """Called by the solver for every better solution."""
        self.any = True
        if self.tell is not None:
            self.tell(self.objective_value, self.best_objective_bound)


class _Search:
    """What is left of the time, and how it is searched."""

    def __init__(self, until: float, seconds: float, seed: int, workers: int, repeatable: bool) -> None:
        self.until = until
        self.seconds = seconds
        self.seed = seed
        self.workers = workers
        self.repeatable = repeatable

    def run(
        self,
        model: Model,
        *,
        share: float = 1.0,
        patience: float = 1.0,
        tell: Callable[[float, float], None] | None = None,
    ) -> tuple[cp_model.CpSolver, cp_model.CpSolverStatus]:
        """Search for a share of the time left; give up after `patience` of it while nothing is found."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = self.workers
        solver.parameters.random_seed = self.seed
        solver.parameters.linearization_level = 2 if model.has_paths else 1  # the bound comes from the paths
        if self.repeatable:
            solver.parameters.interleave_search = True
            solver.parameters.max_deterministic_time = self.seconds * share
            return solver, _sound(model.model, solver.solve(model.model))
        left = max(0.0, self.until - time.perf_counter()) * share
        solver.parameters.max_time_in_seconds = left
        found = _Better(tell)
        impatient = threading.Timer(left * patience, lambda: None if found.any else solver.stop_search())
        impatient.daemon = True
        if patience < 1.0:
            impatient.start()
        try:
            return solver, _sound(model.model, solver.solve(model.model, found))
        finally:
            impatient.cancel()


def _sound(model: cp_model.CpModel, status: cp_model.CpSolverStatus) -> cp_model.CpSolverStatus:
    if status == cp_model.MODEL_INVALID:
        raise RuntimeError(f"the model is not valid: {model.validate()}")
    return status


class _Sum(NamedTuple):
    """A sum that is to be at most so much, in units of `per`, a begun one counts."""

    terms: Sequence[tuple[int, Literal]]
    most: int
    per: int = 1

    def beyond(self, value: Callable[[Literal], int]) -> int:
        """By how much a solution is above it."""
        return -(-(sum(c * value(literal) for c, literal in self.terms) - self.most) // self.per)


class _Spread(NamedTuple):
    """Sums, each with a constant, of which the largest less the smallest is to be at most so much, in whole units."""

    sums: Sequence[tuple[Sequence[tuple[int, Literal]], int]]
    most: int
    unit: int

    def beyond(self, value: Callable[[Literal], int]) -> int:
        """By how much a solution is above it."""
        units = [
            (constant + sum(c * value(literal) for c, literal in terms)) // self.unit
            for terms, constant in self.sums
        ]
        return max(units) - min(units) - self.most


class Model:
    """The CP-SAT model of a problem, or of its free cells; what `rules` ask of a `Build`."""

    def __init__(
        self,
        problem: RosterProblem,
        start: NamedRoster | None = None,
        free: Collection[Cell] | None = None,
        *,
        relaxed: bool = False,
    ) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.relaxed = relaxed
        self._terms: list[tuple[int, Literal]] = []  # of the objective
        self._linear: list[tuple[int, Literal]] = []  # those of its terms that are literals themselves
        self._constant = 0
        self._constant_of_counted = 0
        self._priced: list[tuple[int, _Sum | _Spread]] = []
        self._broken: list[tuple[int, Literal]] = []
        self._any: dict[tuple[int, ...], Literal] = {}
        self._given = {(w.person, w.day): w for w in sorted(start.work, reverse=True)} if start else {}
        everywhere = {(p, d) for p in range(len(problem.people)) for d in range(problem.days)}
        self._published = published_duties(problem)
        self._free = everywhere if free is None else everywhere & set(free)
        self.kept = tuple(w for w in start.work if (w.person, w.day) not in self._free) if start else ()
        self._groups = cover.groups(problem.needs)
        self._timed = sorted(
            (group.start_min, group.end_min, number)
            for number, group in enumerate(self._groups)
            if group.kind is None
        )
        self._of_kind = {
            (g.day, g.kind): number for number, g in enumerate(self._groups) if g.kind is not None
        }
        self._window_starts = [window[0] for window in self._timed]
        self._grid = _grid(problem)
        self._limited = [_pauses_count(problem, person) for person in problem.people]
        self._gives: dict[Cell, dict[int, Literal]] = {}
        self._works: dict[Cell, Literal] = {}
        self._starts: dict[tuple[int, int, int], tuple[dict[int, Literal], ...]] = {}
        self._spans: dict[tuple[int, int, int], tuple[Span, ...]] = {}
        for person, day in sorted(everywhere):
            self._choose(person, day)
        self._free_posts = self._literals_of_posts() <= FREE_POSTS
        for rule in rules.RULES:
            rule.post(self)
        self.has_paths = False
        if not relaxed:
            days = range(problem.days)
            whole = (p for p in range(len(problem.people)) if all((p, day) in self._free for day in days))
            self.has_paths = add_paths(self, self.model, whole)
        self._add_wishes()
        self._counted: list[tuple[Group, dict[Served, list[tuple[int, Literal]]], dict[Served, int]]] = []
        self._add_cover()
        self.minimise_cost()
        hints: dict[int, tuple[Literal, int]] = {}
        for literal, hint in self._hints():
            hints.setdefault(literal.index, (literal, hint))  # each may have one
        for literal, hint in hints.values():
            self.model.add_hint(literal, hint)

    # What a cell may hold.

    def _choose(self, person: int, day: int) -> None:
        cell = person, day
        if cell not in self._free:
            given = self._given.get(cell)
            self._gives[cell] = {given.duty: 1} if given else {}
            self._works[cell] = int(given is not None)
            return
        allowed: Iterable[int] = self.problem.people[person].duties[day]
        if "allowed_duties" in self.problem.prices:
            allowed = range(len(self.problem.duties))
        if self.hard("locked") and cell in self.problem.locked:
            allowed = set(allowed) & {self._published[cell]} if cell in self._published else ()
        gives = {
            duty: self.model.new_bool_var(f"x{person}_{day}_{duty}")
            for duty in sorted(set(allowed))
            if earliest_pauses(self.problem.duties[duty]) is not None
            and not ("leave" not in self.problem.prices and self._on_leave(person, day, duty))
        }
        self._gives[cell] = gives
        if len(gives) > 1:
            self._works[cell] = self.model.new_bool_var(f"w{person}_{day}")
        else:
            self._works[cell] = next(iter(gives.values()), 0)
        for duty in gives:
            self._starts[person, day, duty] = self._place(person, day, duty)

    def _on_leave(self, person: int, day: int, duty: int) -> bool:
        return touches_leave(self.problem.people[person], day, self.problem.duties[duty])

    def _place(self, person: int, day: int, number: int) -> tuple[dict[int, Literal], ...]:
        """A literal for each start of each pause, where there is anything that it could change."""
        duty = self.problem.duties[number]
        if not duty.pauses or not (self._limited[person] or self._windows(day, number)):
            return ()
        earliest = earliest_pauses(duty) or ()
        latest: list[int] = []
        end = duty.minutes
        for pause in reversed(duty.pauses):
            end = min(pause.latest_min, end - pause.minutes)
            latest.append(end)
        return tuple(
            {
                at: self.model.new_bool_var(f"y{person}_{day}_{number}_{index}_{at}")
                for at in range(first, last + 1, self._grid)
            }
            for index, (first, last) in enumerate(zip(earliest, reversed(latest), strict=True))
        )

    def _windows(self, day: int, number: int) -> list[tuple[int, int, int]]:
        """Start and end of the timed groups of needs that a duty covers, minutes into the duty, and their numbers."""
        duty = self.problem.duties[number]
        start = day * DAY_MIN + duty.start_min
        first, last = (
            bisect_left(self._window_starts, start),
            bisect_left(self._window_starts, start + duty.minutes),
        )
        return [(a - start, b - start, g) for a, b, g in self._timed[first:last] if b <= start + duty.minutes]

    def _stays(self, person: int, day: int, number: int) -> bool:
        """Whether a stretch can only be where, and at the post, that its duty is given with, for it does not matter."""
        return not (self._limited[person] or self._windows(day, number))

    def _literals_of_posts(self) -> int:
        """How many there are where all posts are free."""
        n = 0
        for person, day in self._free:
            choices = len(self.problem.people[person].posts)
            if choices > 1:
                for number in self._gives[person, day]:
                    starts = sum(len(pause) for pause in self._starts[person, day, number])
                    n += choices * (1 + 2 * starts)
        return n

    def _posts_of(self, person: int, day: int, number: int) -> list[tuple[int | None, ...]]:
        """For each stretch of a duty the posts that it may have."""
        mine, n = self.problem.people[person].posts, len(self.problem.duties[number].pauses) + 1
        given = self._given.get((person, day))
        choices: list[tuple[int | None, ...]] = [mine[:1] or (None,)] * n
        if self._free_posts and mine and not self._stays(person, day, number):
            choices = [mine] * n
        elif given and given.duty == number and len(given.posts) == n and set(given.posts) <= set(mine):
            choices = [(post,) for post in given.posts]
        fixed = [(post,) for post in self.problem.duties[number].posts[:n]] if mine else []
        return [*fixed, *choices[len(fixed) :]]

    def _make_spans(self, person: int, day: int, number: int, given: Literal) -> Iterable[Span]:
        if isinstance(given, int):
            for start, end, post in stretches(self.problem, self._given[person, day]):
                yield Span({post: 1}, (Edge(post, start, 1),), (Edge(post, end, 1),))
            return
        duty = self.problem.duties[number]
        begin = day * DAY_MIN + duty.start_min
        starts: Sequence[Mapping[int, Literal]] = self._starts[person, day, number]
        if not starts:
            starts = [{at: given} for at in earliest_pauses(duty) or ()]
        after: Mapping[int, Literal] = {begin: given}
        for index, posts in enumerate(self._posts_of(person, day, number)):
            until = (
                {begin + at: literal for at, literal in starts[index].items()} if index < len(starts) else {}
            )
            name = f"{person}_{day}_{number}_{index}"
            chosen: dict[int | None, Literal] = {posts[0]: given}
            if len(posts) > 1:
                chosen = {post: self.model.new_bool_var(f"p{name}_{post}") for post in posts}
            yield Span(
                chosen,
                self._edges(chosen, after, f"b{name}"),
                self._edges(chosen, until or {begin + duty.minutes: given}, f"e{name}"),
            )
            if until:
                minutes = duty.pauses[index].minutes
                after = {at + minutes: literal for at, literal in until.items()}

    def _edges(
        self, posts: Mapping[int | None, Literal], times: Mapping[int, Literal], name: str
    ) -> tuple[Edge, ...]:
        """Each time at each post: of one time the post says it all, of one post the time does."""
        if len(times) == 1:
            return tuple(Edge(post, at, literal) for post, literal in posts.items() for at in times)
        if len(posts) == 1:
            return tuple(Edge(post, at, literal) for post in posts for at, literal in times.items())
        return tuple(
            Edge(post, at, self.model.new_bool_var(f"{name}_{post}_{at}")) for post in posts for at in times
        )

    # What rules ask for.

    def works(self, person: int, day: int) -> Literal:
        """Whether somebody works on a day."""
        return self._works[person, day]

    def gives(self, person: int, day: int) -> Mapping[int, Literal]:
        """Each duty (its number) that may be given, and whether it is."""
        return self._gives[person, day]

    def starts(self, person: int, day: int, duty: int) -> Sequence[Mapping[int, Literal]]:
        """For each pause its possible starts, minutes into the duty; nothing where it does not matter when they are."""
        return self._starts.get((person, day, duty), ())

    def spans(self, person: int, day: int, duty: int) -> Sequence[Span]:
        """For each stretch of a duty that may be given where it may begin and end, and at which post."""
        key = person, day, duty
        if key not in self._spans:
            self._spans[key] = tuple(self._make_spans(*key, self._gives[person, day][duty]))
        return self._spans[key]

    def hard(self, rule: str) -> bool:
        """Whether the rule must hold, so that only whether it is broken counts, not by how much."""
        return not self.relaxed and rule not in self.problem.prices

    def negation(self, literal: Literal) -> Literal:
        """Whether it is false."""
        return 1 - literal if isinstance(literal, int) else literal.negated()

    def any_of(self, literals: Iterable[Literal]) -> Literal:
        """Whether any is true."""
        several = [literal for literal in literals if not (isinstance(literal, int) and not literal)]
        if any(isinstance(literal, int) for literal in several):
            return 1
        if len(several) < 2:
            return several[0] if several else 0
        key = tuple(sorted(literal.index for literal in several))
        if key not in self._any:
            found = self.model.new_bool_var("")
            self.model.add_bool_or([*several, found.negated()])
            for literal in several:
                self.model.add_implication(literal, found)
            self._any[key] = found
        return self._any[key]

    def equal(self, total: Sum, same: Literal) -> None:
        """The sum is the literal: part of what a roster is, never broken."""
        terms = list(total)
        if any(not isinstance(literal, int) for _, literal in terms) and (
            len(terms) > 1 or terms[0] != (1, same)
        ):
            if all(c == 1 for c, _ in terms):
                self.model.add_exactly_one([*(literal for _, literal in terms), self.negation(same)])
            else:
                self.model.add(_expression(terms) == same)

    def never_above(self, total: Sum, most: Sum) -> None:
        """One sum is at most the other: part of what a roster is, never broken."""
        terms = [*total, *((-c, literal) for c, literal in most)]
        if any(not isinstance(literal, int) for _, literal in terms):
            self.model.add(_expression(terms) <= 0)

    def at_most(
        self, rule: str, total: Sum, most: int, unit: int = 1, *, per: int = 1, top: int | None = None
    ) -> None:
        """The sum is at most so much; it is broken by `unit` for each `per` above, a begun one counts.

        top: a sum that is never exceeded, where that is known better than from the terms one by one.
        """
        excess = math.inf if top is None else top - most
        terms, constant = _apart(total)
        most -= constant
        excess = -(-int(min(excess, sum(max(0, c) for c, _ in terms) - most)) // per)
        if excess <= 0:
            return
        if self.hard(rule):
            if terms:  # or else nothing free can help
                self.model.add(_expression(terms) <= most)
            return
        slack = self.model.new_int_var(0, excess, "") if terms else excess
        if terms:
            self.model.add(_expression([*terms, (-per, slack)]) <= most)
        self._pay(rule, _Sum(terms, most, per), unit, slack, excess)

    def at_least(self, rule: str, total: Sum, least: int) -> None:
        """The sum is at least so much; it is broken by 1 for each 1 below."""
        self.at_most(rule, [(-c, literal) for c, literal in total], -least)

    def forbid(self, rule: str, all_of: Sequence[Literal], by: int = 1) -> None:
        """The literals are not all true; or else it is broken by so much."""
        if any(isinstance(literal, int) and not literal for literal in all_of):
            return
        literals = [literal for literal in all_of if not isinstance(literal, int)]
        negated = [literal.negated() for literal in literals]
        if self.hard(rule):
            if literals:
                self.model.add_bool_or(negated)
            return
        slack = self.model.new_bool_var("") if literals else 1
        if literals:
            self.model.add_bool_or([*negated, slack])
        self._pay(rule, _Sum([(1, literal) for literal in literals], len(literals) - 1), by, slack, 1)

    def spread(
        self, rule: str, sums: Sequence[Sum], most: int, unit: int = 1, *, tops: Sequence[int] | None = None
    ) -> None:
        """The largest sum less the smallest, each in whole `unit`s, is at most so much; it is broken by 1 for each 1 above.

        tops: what the sums never exceed, nor are they ever below 0, where that is known better than from the terms one by one.
        """
        apart = [_apart(total) for total in sums]
        lows = [constant + sum(min(0, c) for c, _ in terms) for terms, constant in apart]
        highs = [constant + sum(max(0, c) for c, _ in terms) for terms, constant in apart]
        if tops is not None:
            lows = [max(0, low) for low in lows]
            highs = [min(known) for known in zip(highs, tops, strict=True)]
        lows, highs = [low // unit for low in lows], [high // unit for high in highs]
        excess = max(highs) - min(lows) - most
        if excess <= 0:
            return
        free = any(terms for terms, _ in apart)
        slack: Literal = excess
        if free:
            largest = self.model.new_int_var(max(lows), max(highs), "")
            smallest = self.model.new_int_var(min(lows), min(highs), "")
            for terms, constant in apart:
                if terms:  # or else it is in the bounds of both
                    total = _expression(terms) + constant
                    self.model.add(total <= unit * largest + unit - 1)
                    self.model.add(total >= unit * smallest)
            if self.hard(rule):
                self.model.add(largest - smallest <= most)
                return
            slack = self.model.new_int_var(0, excess, "")
            self.model.add(largest - smallest - slack <= most)
        elif self.hard(rule):  # nothing free can help
            return
        self._pay(rule, _Spread(apart, most, unit), 1, slack, excess)

    def _pay(self, rule: str, limit: _Sum | _Spread, unit: int, slack: Literal, excess: int) -> None:
        """What a slack costs: its price, or its weight among hard rules broken."""
        price = self.problem.prices.get(rule)
        if price is not None:
            if isinstance(slack, int):
                self._constant += price * unit * slack
            else:
                self._terms.append((price * unit, slack))
                self._priced.append((price * unit, limit))
        elif not isinstance(slack, int):
            self._broken.append((unit, slack))
            is_broken = slack
            if excess > 1:
                is_broken = self.model.new_bool_var("")
                self.model.add(slack <= excess * is_broken)
            self._broken.append((EACH_BROKEN, is_broken))

    # What it costs.

    def _add_wishes(self) -> None:
        for number, person in enumerate(self.problem.people):
            for request in person.requests:
                gives = self._gives[number, request.day]
                if request.kind is None:
                    met = [self._works[number, request.day]]
                else:
                    met = [
                        given
                        for duty, given in gives.items()
                        if self.problem.duties[duty].kind == request.kind
                    ]
                if request.wants:
                    self._constant += request.weight
                self._linear += [
                    (-request.weight if request.wants else request.weight, literal) for literal in met
                ]
            if person.dislike:
                for day in range(self.problem.days):
                    gives = self._gives[number, day]
                    self._linear += [
                        (person.dislike[duty], gives[duty]) for duty in gives if person.dislike.get(duty)
                    ]
        self._constant += sum(c * literal for c, literal in self._linear if isinstance(literal, int))
        self._linear = [(c, literal) for c, literal in self._linear if not isinstance(literal, int)]
        self._terms += self._linear

    def _add_cover(self) -> None:
        self._served: dict[tuple[int, frozenset[str]], Served] = {}
        counted: list[dict[Served, list[tuple[int, Literal]]]] = [{} for _ in self._groups]
        constant: list[dict[Served, int]] = [{} for _ in self._groups]
        for (person, day), gives in self._gives.items():
            for number, literal in gives.items():
                for group, able, terms in self._presence(person, day, number, literal):
                    for c, one in terms:
                        if isinstance(one, int):
                            constant[group][able] = constant[group].get(able, 0) + c * one
                        else:
                            counted[group].setdefault(able, []).append((c, one))
        settled = []
        for together, of_these, fixed in zip(self._groups, counted, constant, strict=True):
            if of_these:
                self._counted.append((together, of_these, fixed))
                self._cover(together, of_these, fixed)
            else:
                settled.append((together, fixed))
        for met in cover.split(self.problem.needs, settled):
            need = self.problem.needs[met.need]
            self._constant += need.price(met.short, met.over)

    def _presence(
        self, person: int, day: int, number: int, literal: Literal
    ) -> Iterable[tuple[int, Served, list[tuple[int, Literal]]]]:
        """The groups of needs that a duty covers, which of them the person could count for, and whether there to be counted."""
        duty = self.problem.duties[number]
        of_kind = self._of_kind.get((day, duty.kind))
        if of_kind is not None:
            able = self._able(of_kind, person, None)
            if able:
                yield of_kind, able, [(1, literal)]
        windows = self._windows(day, number)
        if not windows:
            return
        starts = self._starts.get((person, day, number), ())
        midnight = day * DAY_MIN + duty.start_min
        mine = self.problem.people[person].posts
        spans: Sequence[Span] = ()
        posts: Iterable[int | None] = mine or (None,)
        if isinstance(literal, int) or len(mine) > 1:
            spans = self.spans(person, day, number)
            posts = dict.fromkeys(post for span in spans for post in span.posts)
        for begin, end, group in windows:
            by_able: dict[Served, set[int | None]] = {}
            for post in posts:
                by_able.setdefault(self._able(group, person, post), set()).add(post)
            if len(by_able) > 1 or isinstance(literal, int):
                for able, those in by_able.items():
                    if able:
                        yield group, able, self._at(spans, those, midnight + begin, midnight + end)
                continue
            (able,) = by_able
            if not able:
                continue
            off = [
                [pausing for at, pausing in choices.items() if at < end and begin < at + pause.minutes]
                for pause, choices in zip(duty.pauses, starts, strict=False)
            ]
            overlapping = [those for those in off if those]
            terms = [(1, literal)]
            if len(overlapping) == 1:  # a pause has one start: at most one is true
                terms += [(-1, pausing) for pausing in overlapping[0]]
            elif overlapping:
                terms.append((-1, self.any_of([pausing for those in overlapping for pausing in those])))
            yield group, able, terms

    def _able(self, group: int, person: int, post: int | None) -> Served:
        """Which needs of a group somebody could count for at a post."""
        key = group, cover.at_post(self.problem, person, post)
        if key not in self._served:
            self._served[key] = cover.served(self.problem.needs, self._groups[group], key[1])
        return self._served[key]

    def _at(
        self, spans: Sequence[Span], posts: Collection[int | None], begin: int, end: int
    ) -> list[tuple[int, Literal]]:
        """Whether somebody is at one of these posts throughout a time that lies in one stretch."""
        found: list[tuple[int, Literal]] = []
        for span in spans:
            begun = [e.literal for e in span.begins if e.post in posts and e.at_min <= begin]
            ended = [e.literal for e in span.ends if e.post in posts and e.at_min < end]
            if not begun:
                continue
            if (
                end - begin <= self._grid or not ended
            ):  # who has ended before such an end has begun before its begin
                found += [(1, literal) for literal in begun] + [(-1, literal) for literal in ended]
            else:
                here = [self.negation(self.any_of(begun)), self.any_of(ended)]
                found.append((1, self.negation(self.any_of(here))))
        return found

    def _cover(
        self, group: Group, terms: Mapping[Served, Sequence[tuple[int, Literal]]], fixed: Mapping[Served, int]
    ) -> None:
        """People short of and over each need of a group; who could count for several is shared out."""
        counts: dict[int, list[tuple[int, Literal]]] = {need: [] for need in group.needs}
        constants = dict.fromkeys(group.needs, 0)
        most = dict.fromkeys(group.needs, 0)
        for able in sorted(terms.keys() | fixed.keys()):
            of_these, n = terms.get(able, ()), fixed.get(able, 0)
            people = sum(max(0, c) for c, _ in of_these)
            for number in able:
                most[number] += people + (n if len(able) > 1 else 0)
            if len(able) == 1:
                counts[able[0]] += of_these
                constants[able[0]] += n
                continue
            shares = [(1, self.model.new_int_var(0, n + people, "")) for _ in able]
            self.model.add(_expression(shares) == _expression(of_these) + n)
            for number, share in zip(able, shares, strict=True):
                counts[number].append(share)
        for number, of_those in counts.items():
            need = self.problem.needs[number]
            lack = need.people - constants[number]
            if not of_those:
                self._constant_of_counted += need.price(max(0, lack), max(0, -lack))
                continue
            short = self.model.new_int_var(0, max(0, lack), "")
            over = self.model.new_int_var(0, max(0, most[number] - lack), "")
            self.model.add(_expression([*of_those, (1, short), (-1, over)]) == lack)
            self._terms += [(need.under, short), (need.over, over)]
            spared = need.people - need.core
            if need.core_under and lack > spared:
                deep = self.model.new_int_var(0, lack - spared, "")
                self.model.add(_expression([(1, short), (-1, deep)]) <= spared)
                self._terms.append((need.core_under, deep))

    def minimise_cost(self, broken_at_most: int | None = None, hint: cp_model.CpSolver | None = None) -> None:
        """Minimise the objective; no more of the hard rules broken than that, beginning from what a solver has found."""
        if broken_at_most is not None and self._broken:
            self.model.add(_expression(self._broken) <= broken_at_most)
        if hint is not None:
            self.model.clear_hints()  # type: ignore[no-untyped-call]
            for index, value in enumerate(hint.response_proto.solution):
                self.model.add_hint(self.model.get_int_var_from_proto_index(index), value)
        self.model.minimize(_expression(self._terms) + self._constant + self._constant_of_counted)

    def minimise_broken(self) -> None:
        """Minimise how many hard rules are broken, then by how much."""
        self.model.minimize(_expression(self._broken))

    def cost(self, solver: cp_model.CpSolver) -> int:
        """The objective of a solution, from its literals: a slack of the search may be larger than it need be."""

        def value(literal: Literal) -> int:
            return int(solver.value(literal))

        counts = []
        for group, terms, fixed in self._counted:
            people = dict(fixed)
            for able, those in terms.items():
                people[able] = people.get(able, 0) + sum(c * value(literal) for c, literal in those)
            counts.append((group, people))
        needs = self.problem.needs
        met = cover.split(needs, counts)
        return (
            self._constant
            + sum(needs[m.need].price(m.short, m.over) for m in met)
            + sum(c * value(literal) for c, literal in self._linear)
            + sum(price * max(0, limit.beyond(value)) for price, limit in self._priced)
        )

    # What comes out.

    @property
    def floor(self) -> int:
        """What no roster costs less than, before any search: nobody short, every wish met."""
        return self._constant + self._constant_of_counted + sum(min(0, c) for c, _ in self._terms)

    def bound(self, solver: cp_model.CpSolver, status: cp_model.CpSolverStatus) -> float:
        """What no roster of this model costs less than; whole, as all costs are."""
        proven = solver.best_objective_bound
        if status == cp_model.INFEASIBLE or not math.isfinite(proven):
            return self.floor
        return max(self.floor, math.ceil(proven - 1e-6))

    def found(self, solver: cp_model.CpSolver) -> _Found:
        """The roster of a solution, with what it breaks and costs."""
        roster = self.roster(solver)
        return _Found(self.hard_broken(roster), self.cost(solver), roster)

    def roster(self, solver: cp_model.CpSolver) -> NamedRoster:
        """The roster of a solution, with what was fixed."""
        work = list(self.kept)
        for (person, day), gives in self._gives.items():
            if (person, day) not in self._free:
                continue
            for number, literal in gives.items():
                if solver.boolean_value(literal):
                    duty = self.problem.duties[number]
                    starts: Sequence[int] = earliest_pauses(duty) or ()
                    if self._starts[person, day, number]:
                        starts = [
                            next(at for at, pausing in choices.items() if solver.boolean_value(pausing))
                            for choices in self._starts[person, day, number]
                        ]
                    posts = self._chosen_posts(solver, person, day, number)
                    pauses = tuple(duty.start_min + at for at in starts)
                    work.append(Work(person, day, number, pauses, posts))
        return NamedRoster(tuple(sorted(work)))

    def _chosen_posts(self, solver: cp_model.CpSolver, person: int, day: int, number: int) -> tuple[int, ...]:
        """Post in each stretch; nothing where it is the usual one throughout."""
        mine = self.problem.people[person].posts
        if len(mine) < 2:
            return ()
        chosen = tuple(
            next(post for post, literal in span.posts.items() if solver.boolean_value(literal))
            for span in self.spans(person, day, number)
        )
        return () if set(chosen) == {mine[0]} else tuple(post for post in chosen if post is not None)

    def hard_broken(self, roster: NamedRoster) -> int:
        """How many hard rules a roster breaks."""
        return sum(b.rule not in self.problem.prices for b in rules.check(self.problem, roster))

    def _hints(self) -> Iterable[tuple[Literal, int]]:
        if not self._given:
            return
        for cell in sorted(self._free):
            given = self._given.get(cell)
            gives = self._gives[cell]
            known = given is not None and given.duty in gives
            if len(gives) > 1:
                yield self._works[cell], int(known)
            for number, literal in gives.items():
                chosen = known and given is not None and given.duty == number
                yield literal, int(chosen)
                duty = self.problem.duties[number]
                for index, choices in enumerate(self._starts[(*cell, number)]):
                    at = given.pauses[index] - duty.start_min if chosen and given and given.pauses else None
                    for start, pausing in choices.items():
                        yield pausing, int(start == at)
                fixed = stretches(self.problem, given) if chosen and given else []
                for index, span in enumerate(self._spans.get((*cell, number), ())):
                    if len(span.posts) > 1:
                        begin, end, at_post = fixed[index] if index < len(fixed) else (-1, -1, None)
                        for post, literal in span.posts.items():
                            yield literal, int(post == at_post)
                        for edges, at in ((span.begins, begin), (span.ends, end)):
                            for edge in edges:
                                yield edge.literal, int((edge.post, edge.at_min) == (at_post, at))


def _expression(terms: Iterable[tuple[int, Literal]]) -> cp_model.LinearExpr:
    pairs = list(terms)
    return cp_model.LinearExpr.weighted_sum([literal for _, literal in pairs], [c for c, _ in pairs])


def _apart(total: Sum) -> tuple[list[tuple[int, Literal]], int]:
    """The terms of a sum that are free, and what the others come to."""
    terms, constant = [], 0
    for c, literal in total:
        if isinstance(literal, int):
            constant += c * literal
        else:
            terms.append((c, literal))
    return terms, constant


def _pauses_count(problem: RosterProblem, person: Person) -> bool:
    """Whether anything but cover depends on when somebody's pauses are, and at which posts the stretches between."""
    terms = person.terms
    limits = (
        terms.most_exposed_stretch_min,
        terms.most_exposed_day_min,
        terms.most_exposed_week_min,
        terms.decompress_after_min,
        terms.most_at_emotional_min,
    )
    spread = person.circle is not None and "fair_exposure" in problem.spread
    posts = (problem.posts[post] for post in person.posts)
    return (spread or any(most is not None for most in limits)) and any(p.share or p.emotional for p in posts)


def _grid(problem: RosterProblem) -> int:
    """Minutes between starts of pauses that can make a difference: all edges lie on multiples of it."""
    edges = [duty.start_min for duty in problem.duties]
    edges += [
        m for duty in problem.duties for pause in duty.pauses for m in (pause.minutes, pause.earliest_min)
    ]
    edges += [m for need in problem.needs if need.kind is None for m in (need.start_min, need.minutes)]
    if any(post.share or post.emotional for post in problem.posts):
        edges.append(SHARE_MIN)
    return math.gcd(*edges) or 1
