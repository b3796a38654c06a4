"""How emotional the work of a roster is: measured by simulating it, as shares for the optimiser and as samples for its proof.

Shares are by group and post, in thousandths of the time on the queue, for each quarter of an hour of the horizon. Samples pool people and
replications: how many minutes a day, a week and a stretch held, never whose.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from planner.natural import NaturalValues
from planner.roster import Roster
from planner.rostering.people import Shares, people_of, post_at, taken
from planner.rostering.problem import NamedRoster, RosterProblem
from planner.scenario import compile as c
from planner.scenario.schema import Scenario
from sim import exposure as e
from sim.replicate import Engine, shared, simulated
from sim.world import Floats, World

REPLICATIONS = 4


class Exposed(NamedTuple):
    """What simulating a roster gave."""

    shares: Shares
    """By group and name of the post."""
    by_day_min: Floats
    """(person-days,) emotional minutes, ascending; so the others."""
    by_week_min: Floats
    longest_min: Floats
    """(person-days,) of the stretch that has most."""


def exposed(
    scenario: Scenario,
    natural: NaturalValues,
    policy: str,
    problem: RosterProblem,
    named: NamedRoster,
    roster: Roster,
    *,
    seed: int,
    replications: int = REPLICATIONS,
    engine: Engine = "kernel",
    executor: Executor | None = None,
) -> Exposed:
    """Simulate a roster, and see how emotional the work at each post was."""
    world = c.compile_world(scenario, natural, policy, roster, follow=False)
    if executor is None:
        found = [_once(world, seed, k, engine) for k in range(replications)]
    else:
        sent = shared(executor, world)
        futures = [executor.submit(_once, sent, seed, k, engine) for k in range(replications)]
        found = [future.result() for future in futures]
    emotional = np.sum([one.emotional_min for one in found], axis=0)
    on_queue = np.sum([one.on_queue_min for one in found], axis=0)
    numbers = c.posts_of(scenario, policy, roster)
    by_post: dict[tuple[str, str], set[int]] = {}
    for group, name, number in _used(scenario, problem, named, roster, numbers):
        by_post.setdefault((group, name), set()).add(number)
    shares: dict[str, dict[str, tuple[int, ...]]] = {}
    for (group, name), posts in sorted(by_post.items()):
        mine = sorted(posts)
        both = emotional[mine].sum(axis=0)[None], on_queue[mine].sum(axis=0)[None]
        shares.setdefault(group, {})[name] = tuple(e.shares(*both)[0].tolist())
    samples = (
        np.sort(np.concatenate([getattr(one, name) for one in found]))
        for name in ("by_day_min", "by_week_min", "longest_min")
    )
    return Exposed(shares, *samples)


def _once(world: World, seed: int, k: int, engine: Engine) -> e.Exposure:
    block, written = simulated(world, seed, [k], engine)
    return e.exposures(world, block, written)[0]


def _used(
    scenario: Scenario, problem: RosterProblem, named: NamedRoster, roster: Roster, numbers: list[int]
) -> Iterator[tuple[str, str, int]]:
    """Group, name of the post and its number in the simulation, for each stretch that is worked."""
    people, groups = people_of(scenario), list(scenario.groups)
    where = dict(zip(roster.variants, numbers, strict=True))
    for work in named.work:
        one, person = people[work.person], problem.people[work.person]
        group = groups.index(one.group)
        for stretch in range(len(problem.duties[work.duty].pauses) + 1):
            post = post_at(problem, person, work, stretch)
            variant = taken(scenario, one, post)
            yield one.group, post.name if post else "all", group if variant is None else where[group, variant]


def at_first(problem: RosterProblem, named: NamedRoster) -> NamedRoster:
    """The roster with the posts of those who have several taken in turn: a first look at what each is like."""
    work = []
    for number, one in enumerate(named.work):
        posts = problem.people[one.person].posts
        n = len(problem.duties[one.duty].pauses) + 1
        turn = tuple(posts[(number + k) % len(posts)] for k in range(n)) if len(posts) > 1 else ()
        work.append(one._replace(posts=turn))
    return NamedRoster(tuple(work))
