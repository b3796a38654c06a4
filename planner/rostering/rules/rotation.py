"""The minutes on the queue at emotional posts, in stretches one after another, are at most `Terms.most_at_emotional_min`.

Pauses do not end such a run; a stretch of any length at another post does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from planner.rostering.problem import NamedRoster, RosterProblem, Work
from planner.rostering.rules.base import (
    Broken,
    Build,
    Literal,
    Span,
    added,
    amount,
    everybody,
    plural,
    stretches,
)

NAME = "rotation"
TITLE = "Rotation from emotional to routine work"
UNIT = "minute"
LIMIT = "most_at_emotional_min"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Runs at emotional posts that are too long, broken by the minutes beyond."""
    found = []
    for number, person, work in everybody(problem, roster):
        most = person.terms.most_at_emotional_min
        if most is not None:
            for day, given in work.items():
                for minutes in _runs(problem, given):
                    if minutes > most:
                        text = f"{person.id}, day {day}: {plural(minutes, 'minute')} at emotional posts without rotation, at most {most}"
                        found.append(Broken(NAME, number, day, minutes - most, text))
    return found


def _runs(problem: RosterProblem, work: Work) -> list[int]:
    """Minutes at emotional posts, by run."""
    runs = [0]
    for start, end, post in stretches(problem, work):
        if _emotional(problem, post):
            runs[-1] += end - start
        elif end > start:
            runs.append(0)
    return runs


def _emotional(problem: RosterProblem, post: int | None) -> bool:
    return post is not None and problem.posts[post].emotional


def post(build: Build) -> None:
    """For any stretches one after another that may be a run: if they are one, so many minutes at most."""
    problem = build.problem
    if not any(one.emotional for one in problem.posts):
        return
    for number, person in enumerate(problem.people):
        most = person.terms.most_at_emotional_min
        if most is not None:
            for day in range(problem.days):
                for duty in build.gives(number, day):
                    _limit(build, build.spans(number, day, duty), most)


def _limit(build: Build, spans: Sequence[Span], most: int) -> None:
    amounts = [amount(span, partial(_minutes, build.problem)) for span in spans]
    if added(amounts).top <= most:
        return
    away = [_away(build, span) for span in spans]
    for first in range(len(spans)):
        for last in range(first, len(spans)):
            total, top = added(amounts[first : last + 1])
            if top > most:
                around = [*away[max(first - 1, 0) : first], *away[last + 1 : last + 2]]
                not_so = [*away[first : last + 1], *(build.negation(one) for one in around)]
                is_run = build.negation(build.any_of(not_so))
                spare = top - most
                build.at_most(NAME, [*total, (spare, is_run)], top, top=top + spare)


def _minutes(problem: RosterProblem, post: int | None, start_min: int, end_min: int) -> int:
    return end_min - start_min if _emotional(problem, post) else 0


def _away(build: Build, span: Span) -> Literal:
    """Whether a stretch of any length is at another post."""
    others = {post: literal for post, literal in span.posts.items() if not _emotional(build.problem, post)}
    nothing = [
        _both(build, begin.literal, end.literal)
        for begin in span.begins
        for end in span.ends
        if begin.post in others and (begin.post, begin.at_min) == (end.post, end.at_min)
    ]
    return _both(build, build.any_of(others.values()), build.negation(build.any_of(nothing)))


def _both(build: Build, one: Literal, other: Literal) -> Literal:
    return build.negation(build.any_of([build.negation(one), build.negation(other)]))
