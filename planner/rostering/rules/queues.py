"""Each stretch of a duty has one post, of those that the person may be given: `Work.posts`, where it is not empty, names one of them for each.
The first stretches have those that `Duty.posts` names.

Part of what a roster is: it cannot have a price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.rostering.problem import DAY_MIN, NamedRoster, RosterProblem
from planner.rostering.rules.base import Broken, Build, Edge, Literal, plural

NAME = "queues"
TITLE = "Work at queues one can serve"
UNIT = "time"
LIMIT = "posts"


def check(problem: RosterProblem, roster: NamedRoster) -> list[Broken]:
    """Duties with posts at fault, broken by their stretches."""
    found = []
    for work in roster.work:
        person, duty = problem.people[work.person], problem.duties[work.duty]
        n = len(duty.pauses) + 1
        if not work.posts and not duty.posts:
            continue
        who = f"{person.id}, day {work.day}"
        if work.posts and len(work.posts) != n:
            by, text = (
                abs(len(work.posts) - n),
                f"{plural(len(work.posts), 'post')} for {plural(n, 'stretch')}",
            )
            found.append(Broken(NAME, work.person, work.day, by, f"{who}: {text}"))
            continue
        posts = work.posts or person.posts[:1] * n
        no_place = {k: post for k, post in enumerate(posts) if post not in person.posts}
        not_fixed = {
            k: posts[k] for k in range(min(len(posts), len(duty.posts))) if posts[k] != duty.posts[k]
        }
        if no_place or not_fixed:
            faults = (
                (no_place, "where they have no place"),
                (not_fixed, "where the shift has another post"),
            )
            text = "; ".join(
                f"at {', '.join(problem.posts[post].name for post in those.values())}, {why}"
                for those, why in faults
                if those
            )
            by = len(no_place.keys() | not_fixed.keys())
            found.append(Broken(NAME, work.person, work.day, by, f"{who}: {text}"))
    return found


def post(build: Build) -> None:
    """Where there is a choice: one post for each stretch, from its begin to its end, which are those of the pauses around it."""
    problem = build.problem
    for person, who in enumerate(problem.people):
        if len(who.posts) < 2:
            continue
        for day in range(problem.days):
            for duty, given in build.gives(person, day).items():
                spans = build.spans(person, day, duty)
                starts = build.starts(person, day, duty)
                begin = day * DAY_MIN + problem.duties[duty].start_min
                for number, span in enumerate(spans):
                    if len(span.posts) < 2:
                        continue
                    build.equal([(1, literal) for literal in span.posts.values()], given)
                    if number:
                        minutes = problem.duties[duty].pauses[number - 1].minutes
                        _those_of(build, span.begins, starts[number - 1], begin + minutes, span.posts)
                    if number < len(starts):
                        _those_of(build, span.ends, starts[number], begin, span.posts)


def _those_of(
    build: Build,
    edges: Sequence[Edge],
    pause: Mapping[int, Literal],
    after_min: int,
    posts: Mapping[int | None, Literal],
) -> None:
    """Each edge is true at one post where the pause has that start; at each post one of them where the stretch has it."""
    for at, literal in pause.items():
        build.equal([(1, edge.literal) for edge in edges if edge.at_min == after_min + at], literal)
    for one, literal in posts.items():
        build.equal([(1, edge.literal) for edge in edges if edge.post == one], literal)
