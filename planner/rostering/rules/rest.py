"""The start of a duty, less the end of the person's last duty before it, is at least `Terms.least_rest_min`.

The first duty of the horizon is judged against `Before.end_min`. Whatever its price, nobody works two duties at a time.
"""

from __future__ import annotations

from planner.rostering.problem import DAY_MIN, NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, Literal, everybody

NAME = "rest"
TITLE = "Rest between shifts"
UNIT = "minute"
LIMIT = "least_rest_min"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Duties that start too early, broken by the minutes of rest missing."""
    found = []
    for number, person, work in everybody(problem, roster):
        least, ended = person.terms.least_rest_min, person.before.end_min
        for day, given in work.items():
            duty = problem.duties[given.duty]
            start = day * DAY_MIN + duty.start_min
            if ended is not None and start - ended < least:
                text = f"{person.id}, day {day}: {start - ended} minutes of rest, at least {least}"
                found.append(Broken(NAME, number, day, least - (start - ended), text))
            ended = day * DAY_MIN + duty.end_min
    return found


def post(build: Build) -> None:
    """No two duties one after another that are too close: whoever ends so late cannot start so early."""
    for number, person in enumerate(build.problem.people):
        ended = person.before.end_min
        if ended is not None:
            _after(build, number, person.terms.least_rest_min, -1, {ended + DAY_MIN: []})
        for day in range(build.problem.days - 1):
            ends: dict[int, list[Literal]] = {}
            for duty, given in build.gives(number, day).items():
                ends.setdefault(build.problem.duties[duty].end_min, []).append(given)
            _after(build, number, person.terms.least_rest_min, day, ends)


def _after(build: Build, person: int, least: int, day: int, ends: dict[int, list[Literal]]) -> None:
    """What may follow the duties of a day, by their end; no literals where the end is a fact."""
    if not ends:
        return
    rested = max(ends) + least
    for following in range(day + 1, build.problem.days):
        midnight = (following - day) * DAY_MIN
        starts: dict[int, list[Literal]] = {}
        for duty, given in build.gives(person, following).items():
            start = midnight + build.problem.duties[duty].start_min
            if start < rested:
                starts.setdefault(start, []).append(given)
        if midnight + min((d.start_min for d in build.problem.duties), default=0) >= rested:
            return
        off = [build.negation(build.works(person, between)) for between in range(day + 1, following)]
        if build.hard(NAME) and not off and all(ends.values()):
            seen = 0
            for end in sorted(ends):
                early = [given for start, those in starts.items() if start < end + least for given in those]
                if len(early) > seen:
                    late = [given for other, those in ends.items() if other >= end for given in those]
                    build.at_most(NAME, [(1, given) for given in late + early], 1)
                    seen = len(early)
            continue
        for end, ending in ends.items():
            for start, starting in starts.items():
                both = [build.any_of(starting), build.any_of(ending) if ending else 1]
                if start < end:
                    build.never_above([(1, given) for given in both], [(1, 1)])
                elif start < end + least:
                    build.forbid(NAME, [*off, *both], end + least - start)
