"""The emotional minutes of each stretch on the queue, from one pause to the next, are at most `Terms.most_exposed_stretch_min`."""

from __future__ import annotations

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import (
    Broken,
    Build,
    beyond,
    bound_exposure,
    everybody,
    exposed,
    may_be_exposed,
    minutes_told,
)

NAME = "exposure_stretch"
TITLE = "Emotional work at a stretch"
UNIT = "minute"
LIMIT = "most_exposed_stretch_min"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Stretches with too much of it, broken by the minutes beyond, a begun one counts."""
    found = []
    for number, person, work in everybody(problem, roster):
        most = person.terms.most_exposed_stretch_min
        if most is None:
            continue
        for day, given in work.items():
            for stretch, amount in enumerate(exposed(problem, given), start=1):
                if beyond(amount, most) > 0:
                    text = (
                        f"{person.id}, day {day}: {minutes_told(amount)} in stretch {stretch}, at most {most}"
                    )
                    found.append(Broken(NAME, number, day, beyond(amount, most), text))
    return found


def post(build: Build) -> None:
    """A sum for each stretch of each duty."""
    for number, person in enumerate(build.problem.people):
        most = person.terms.most_exposed_stretch_min
        if most is not None:
            for day in range(build.problem.days):
                for _, stretches in may_be_exposed(build, number, day):
                    for stretch in stretches:
                        bound_exposure(build, NAME, [stretch], most)
