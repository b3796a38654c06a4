"""The weekends with work on their Saturday or Sunday are at most `Terms.most_weekends`; those cut by the horizon count as one."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody, plural, weekends

NAME = "weekends"
TITLE = "Weekends at most"
UNIT = "weekend"
LIMIT = "most_weekends"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """People with more, broken by the weekends beyond."""
    found = []
    for number, person, work in everybody(problem, roster):
        most = person.terms.most_weekends
        n = sum(any(day in work for day in days) for days in weekends(problem))
        if most is not None and n > most:
            found.append(
                Broken(NAME, number, None, n - most, f"{person.id}: {plural(n, 'weekend')}, at most {most}")
            )
    return found


def post(build: Build) -> None:
    """For each weekend whether there is any work, added up."""
    for number, person in enumerate(build.problem.people):
        most = person.terms.most_weekends
        if most is not None:
            worked = [
                build.any_of([build.works(number, day) for day in days]) for days in weekends(build.problem)
            ]
            build.at_most(NAME, [(1, literal) for literal in worked], most)
