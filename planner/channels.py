"""What channels change for a planner: a person's time for a chat, and hours for work that waits.

With n live chats each takes f(n) times its work, so one of them asks for f(n) / n of a person. Spreadsheets, and the
start of our own search, take a group as full: n is the number of chats that it may hold at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from planner.numbers import Bools
from planner.scenario import compile as c
from planner.scenario.schema import CallBackLever, Scenario
from sim.world import Floats, Ints

T = TypeVar("T")
ALMOST = 0.97
"""Share of the time between live contacts that deferred work can fill."""
CLOSED_HOURS = 1.05
"""Price of a person for deferred work while the doors are closed, against the same person while they are open."""
STEP = 0.05
"""Price of a person more or less from one interval to the next, against one person for one interval: fills valleys, for
shifts are hours long, and adds nobody."""


OF_CHATS = ("silent", "chats_at_once", "slot_occupancy")
OF_CALL_BACKS = ("unreached", "call_backs_taken", "call_back_wait_min")
OF_MESSAGES = ("messages", "message_wait_h")
OF_DEFERRED = ("deferred", "deferred_in_time", "deferred_wait_h")
OF_BOTH = ("backlog_end",)
OUT_OF_HOURS = ("call_backs",)


def unused(scenario: Scenario) -> frozenset[str]:
    """Measures of what the scenario does not have: they are told nowhere."""
    messages = scenario.opening.out_of_hours == "message"
    used = {
        OUT_OF_HOURS: not messages,  # whoever leaves a message is not called back
        OF_CHATS: any(kind.channel == "chat" for kind in scenario.types.values()),
        OF_CALL_BACKS: any(isinstance(p.call_back, CallBackLever) for p in scenario.policies.values()),
        OF_MESSAGES: messages,
        OF_DEFERRED: bool(scenario.deferred_types()),
        OF_BOTH: scenario.has_deferred(),
    }
    return frozenset(name for names, is_used in used.items() if not is_used for name in names)


def used_only(measures: Mapping[str, T], scenario: Scenario) -> dict[str, T]:
    """Measures by name, without those of what the scenario does not have."""
    left_out = unused(scenario)
    return {name: value for name, value in measures.items() if name not in left_out}


def _able(scenario: Scenario, name: str) -> list[tuple[str, float]]:
    """Groups with a skill, and their weight by today's hours; those that take chats at once, if any do."""
    groups = [g for g in scenario.groups if name in scenario.skills(g)]
    if scenario.types[name].channel == "chat":
        groups = [g for g in groups if scenario.groups[g].chats] or groups
    hours = [_hours(scenario, g) for g in groups]
    total = sum(hours)
    return [(g, h / total if total > 0 else 1 / len(groups)) for g, h in zip(groups, hours, strict=True)]


def _hours(scenario: Scenario, name: str) -> float:
    group = scenario.groups[name]
    if group.on_duty is None:
        return group.headcount * group.hours_per_week
    return float(c.by_days(group.on_duty, scenario).sum())


def agent_share(scenario: Scenario, policy: str) -> tuple[Floats, Floats]:
    """(T,) share of a person that a contact's work asks for, f(k) / k with k chats at once; (T,) that of an open slot, 1 / k.

    1 for all that is done one at a time.
    """
    work, slot = np.ones(len(scenario.types)), np.ones(len(scenario.types))
    for t, (name, kind) in enumerate(scenario.types.items()):
        if kind.channel != "chat":
            continue
        able = [
            (scenario.chats(policy, g), c.slowing_of(scenario, g), part) for g, part in _able(scenario, name)
        ]
        work[t] = sum(part * slowing[k] / k for k, slowing, part in able)
        slot[t] = sum(part / k for k, _, part in able)
    return work, slot


def usual_level(scenario: Scenario, name: str) -> tuple[float, float]:
    """Chats at once that somebody at work on this type has today, as a first guess, and how much they slow each other.

    Half-way between one and as many as are allowed; (1, 1) for all that is done one at a time.
    """
    if scenario.types[name].channel != "chat":
        return 1.0, 1.0
    at_once = slower = 0.0
    for group, part in _able(scenario, name):
        slowing = c.slowing_of(scenario, group)
        n = (1 + scenario.chats("as_is", group)) / 2
        at_once += part * n
        slower += part * float(np.interp(n, np.arange(len(slowing)), slowing))
    return at_once, slower


def agent_seconds(scenario: Scenario) -> Floats:
    """(T,) a person's time for a contact today, seconds, from observed numbers alone."""
    return np.array([
        (float(c.by_interval(kind.handle.talk_s, scenario).mean()) + kind.handle.acw_s) / usual_level(scenario, name)[0]
        for name, kind in scenario.types.items()
    ])  # fmt: skip


def work_until(arrivals: Floats, due: int | None, reach: Bools) -> Ints:
    """(intervals,) by how many intervals later the work that arrives in each must be done.

    `due` intervals later, or rather at the last interval before that somebody can work in (`reach`); where there
    is none it is late in any case, and due as if it came when people are there again. None: within the horizon, which repeats itself.
    """
    size = len(arrivals)
    later = np.full(size, size - 1, np.int64)
    for i in range(size):
        if due is not None:
            ahead = np.flatnonzero(reach[(i + np.arange(size)) % size])
            inside = ahead[ahead < due] if ahead[0] < due else ahead[ahead < ahead[0] + due]
            later[i] = inside[-1]
    return later


def more_for_deferred(
    people: Floats, busy: Floats, arrivals: Floats, reach: Bools, due: int | None, is_open: Bools
) -> Floats:
    """(intervals,) people to add to `people`, so that deferred work is done when it is due; the horizon repeats itself.

    `busy` is the live work that they do meanwhile, `arrivals` the deferred work that arrives (both in people over an
    interval), `due` the intervals it may take. A linear program: what is done in an interval is at most what live work
    leaves of those present; what waits is at most what is not due yet. As few people as possible, in few steps: idle
    minutes are filled first, then valleys.
    """
    size = len(people)
    if arrivals.sum() <= 0 or not reach.any():
        return np.zeros(size)
    later = work_until(arrivals, due, reach)
    waiting = np.zeros(size)  # the most that may wait at the end of an interval: all that is not due yet
    for i in np.flatnonzero(arrivals):
        waiting[(i + np.arange(min(int(later[i]), size - 1))) % size] += arrivals[i]
    from scipy.optimize import Bounds, LinearConstraint, milp  # slow to import
    from scipy.sparse import coo_array

    # Columns by interval: people added, work done, work waiting at the end, and the step in people from the one before.
    j = np.arange(size)
    added, done, left, step = (k * size + j for k in range(4))
    before = np.roll(added, 1)
    rise = people - np.roll(people, 1)
    width = 4 * size

    def rows(*terms: tuple[float, Ints]) -> coo_array:
        values = np.repeat([factor for factor, _ in terms], size)
        places = np.tile(j, len(terms)), np.concatenate([column for _, column in terms])
        return coo_array((values, places), shape=(size, width))

    room = np.where(reach, np.maximum(0.0, ALMOST * people - busy), 0.0)
    can = np.where(reach, np.inf, 0.0)
    result = milp(
        np.concatenate([np.where(is_open, 1.0, CLOSED_HOURS), np.zeros(2 * size), np.full(size, STEP)]),
        constraints=[
            LinearConstraint(rows((1.0, done), (-ALMOST, added)).tocsr(), ub=room),
            LinearConstraint(rows((1.0, step), (-1.0, added), (1.0, before)).tocsr(), lb=rise),
            LinearConstraint(rows((1.0, step), (1.0, added), (-1.0, before)).tocsr(), lb=-rise),
            LinearConstraint(rows((1.0, done), (1.0, left), (-1.0, np.roll(left, 1))).tocsr(), arrivals, arrivals),
        ],
        bounds=Bounds(np.zeros(width), np.concatenate([can, can, waiting, np.full(size, np.inf)])),
    )  # fmt: skip
    if result.x is None:
        raise RuntimeError(f"the start for deferred work was not found: {result.message}")
    return np.asarray(result.x[:size], np.float64)
