"""A run of days worked inside the horizon has at least `Terms.least_in_a_row` days.

A run that touches the first or the last day of the horizon may be shorter: its other end is not known.
"""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody, inner, plural, too_short

NAME = "least_in_a_row"
TITLE = "Days in a row at least"
UNIT = "day"
LIMIT = "least_in_a_row"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Runs of work that are too short, broken by the days missing."""
    found = []
    for number, person, work in everybody(problem, roster):
        least = person.terms.least_in_a_row
        for run in inner(problem, work):
            if run.days < least:
                text = f"{person.id}, day {run.first}: {plural(run.days, 'day')} in a row, at least {least}"
                found.append(Broken(NAME, number, run.first, least - run.days, text))
    return found


def post(build: Build) -> None:
    """No shorter run between two days off."""
    for number, person in enumerate(build.problem.people):
        works = [build.works(number, day) for day in range(build.problem.days)]
        too_short(build, NAME, works, person.terms.least_in_a_row)
