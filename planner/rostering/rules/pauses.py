"""Each pause of a duty starts from `Pause.earliest_min` to `latest_min` into it and after the pause before it has ended, and ends within it.

Part of what a roster is: it cannot have a price.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.rostering.problem import NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, Literal, plural

NAME = "pauses"
TITLE = "Breaks within their windows"
UNIT = "break"
LIMIT = None


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Duties with pauses at fault, broken by their number."""
    found = []
    for work in roster.work:
        duty = problem.duties[work.duty]
        who = f"{problem.people[work.person].id}, day {work.day}"
        if len(work.pauses) != len(duty.pauses):
            text = f"{who}: {plural(len(work.pauses), 'pause')}, not {len(duty.pauses)}"
            found.append(Broken(NAME, work.person, work.day, abs(len(work.pauses) - len(duty.pauses)), text))
            continue
        faults, free = [], 0
        for pause, at in zip(duty.pauses, work.pauses, strict=True):
            start = at - duty.start_min
            if not pause.earliest_min <= start <= pause.latest_min:
                faults.append(
                    f"{pause.name} {start} minutes into the shift, not {pause.earliest_min} to {pause.latest_min}"
                )
            elif start < free:
                faults.append(f"{pause.name} before the pause before it has ended")
            elif start < 0 or start + pause.minutes > duty.minutes:
                faults.append(f"{pause.name} not within the shift")
            free = max(free, start + pause.minutes)
        if faults:
            found.append(Broken(NAME, work.person, work.day, len(faults), f"{who}: {'; '.join(faults)}"))
    return found


def post(build: Build) -> None:
    """Each pause of a duty given has one start, and none starts before the one before it has ended."""
    problem = build.problem
    for person in range(len(problem.people)):
        for day in range(problem.days):
            for duty, given in build.gives(person, day).items():
                starts = build.starts(person, day, duty)
                for number, choices in enumerate(starts):
                    build.equal([(1, literal) for literal in choices.values()], given)
                    if number:
                        _in_order(
                            build,
                            starts[number - 1],
                            problem.duties[duty].pauses[number - 1].minutes,
                            choices,
                        )


def _in_order(
    build: Build, before: Mapping[int, Literal], minutes: int, choices: Mapping[int, Literal]
) -> None:
    """Whoever has started the pause by a time has ended the one before it."""
    for at in choices:
        if at < max(before) + minutes:
            started = [(1, literal) for start, literal in choices.items() if start <= at]
            ended = [(1, literal) for start, literal in before.items() if start + minutes <= at]
            build.never_above(started, ended)
