"""A run of days off inside the horizon has at least `Terms.least_off_in_a_row` days.

A run that touches the first or the last day of the horizon may be shorter: its other end is not known.
"""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, everybody, inner, plural, too_short

NAME = "least_off_in_a_row"
TITLE = "Days off together"
UNIT = "day"
LIMIT = "least_off_in_a_row"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Runs off that are too short, broken by the days missing."""
    found = []
    for number, person, work in everybody(problem, roster):
        least = person.terms.least_off_in_a_row
        off = [day for day in range(problem.days) if day not in work]
        for run in inner(problem, off):
            if run.days < least:
                text = (
                    f"{person.id}, day {run.first}: {plural(run.days, 'day')} off together, at least {least}"
                )
                found.append(Broken(NAME, number, run.first, least - run.days, text))
    return found


def post(build: Build) -> None:
    """No shorter run between two days worked."""
    for number, person in enumerate(build.problem.people):
        works = [build.works(number, day) for day in range(build.problem.days)]
        off = [build.negation(literal) for literal in works]
        too_short(build, NAME, off, person.terms.least_off_in_a_row)
