"""What follows from the rules on sequences of days, for the bound alone: each person's days as a path of runs.

A path goes from the start of the horizon to its end along arcs: a run of work of a length that is allowed, days off together, one
more day off. One unit flows from end to end; a day is worked when a run over it is taken; a weekend is worked when a run that
touches it is, for no two runs touch the same weekend. The linear relaxation of this knows no half runs, those of the rules do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from planner.rostering.problem import Person
from planner.rostering.rules import least_in_a_row, least_off_in_a_row, most_in_a_row
from planner.rostering.rules import weekends as weekends_rule
from planner.rostering.rules.base import Build, weekends

Node = tuple[str, int]
START, END = ("start", 0), ("end", 0)


class Arc(NamedTuple):
    """A step of a path, and the days that are worked on it."""

    tail: Node
    head: Node
    worked: range


class Limits(NamedTuple):
    """Of the rules that must hold; those with a price limit nothing here."""

    least: int
    most: int
    least_off: int
    first_most: int
    """Days of a run that begins on the first day."""


def limits(build: Build, person: Person) -> Limits:
    """What the hard rules say of a person's runs."""
    terms, days = person.terms, build.problem.days
    most = days
    before = 0
    if terms.most_in_a_row is not None and build.hard(most_in_a_row.NAME):
        most, before = min(days, terms.most_in_a_row), person.before.days_in_a_row
    least = terms.least_in_a_row if build.hard(least_in_a_row.NAME) else 1
    off = terms.least_off_in_a_row if build.hard(least_off_in_a_row.NAME) else 1
    return Limits(least, most, max(1, off), most - before)


def arcs(days: int, limit: Limits, workable: Sequence[bool]) -> list[Arc]:
    """All steps: `work` is a day on which a run begins, `off` one after a run, `rested` one after enough days off."""
    found = [Arc(START, ("work", 0), range(0)), Arc(START, ("rested", 0), range(0))]
    for day in range(days):
        for length in range(1, limit.most + 1 if day else limit.first_most + 1):
            after = day + length
            if after > days or not workable[after - 1]:
                break
            if length >= limit.least or day == 0 or after == days:
                found.append(Arc(("work", day), ("off", after) if after < days else END, range(day, after)))
        if day:
            rested = day + limit.least_off
            found.append(Arc(("off", day), ("rested", rested) if rested < days else END, range(0)))
            found.append(Arc(("rested", day), ("work", day), range(0)))
        found.append(Arc(("rested", day), ("rested", day + 1) if day + 1 < days else END, range(0)))
    return found


def add_paths(build: Build, model: Any, people: Iterable[int]) -> bool:
    """Add the path of each of these people to a CP-SAT model, but not where their rules limit no run. Whether there are any."""
    problem = build.problem
    added = False
    for number in people:
        person = problem.people[number]
        limit = limits(build, person)
        of_weekends = person.terms.most_weekends is not None and build.hard(weekends_rule.NAME)
        if limit == Limits(1, problem.days, 1, problem.days) and not of_weekends:
            continue
        added = True
        works = [build.works(number, day) for day in range(problem.days)]
        workable = [not isinstance(literal, int) for literal in works]
        out: dict[Node, list[Any]] = {}
        into: dict[Node, list[Any]] = {}
        over: list[list[Any]] = [[] for _ in works]
        for arc in arcs(problem.days, limit, workable):
            taken = model.new_bool_var("")
            out.setdefault(arc.tail, []).append(taken)
            into.setdefault(arc.head, []).append(taken)
            for day in arc.worked:
                over[day].append(taken)
        _flow(model, out, into)
        for literal, runs in zip(works, over, strict=True):
            if not isinstance(literal, int):
                model.add(sum(runs) == literal)
        if of_weekends:
            for days in weekends(problem):
                touching = {run.index: run for day in days for run in over[day]}
                model.add(sum(touching.values()) == build.any_of([works[day] for day in days]))
    return added


def _flow(model: Any, out: Mapping[Node, Sequence[Any]], into: Mapping[Node, Sequence[Any]]) -> None:
    model.add_exactly_one(out[START])
    for node in sorted(out.keys() | into.keys()):
        if node not in (START, END):
            model.add(sum(out.get(node, ())) == sum(into.get(node, ())))
