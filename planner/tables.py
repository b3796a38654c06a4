"""Records as flat tables for whoever wants to look closer: contacts, journeys, and agents' time, names for numbers.

What is here is what an engine wrote down; every measure can be computed anew from it. Times are those of the scenario's
calendar; the warm-up and the follow-up are there too (`measured` says what counts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.channels import unused
from planner.scenario.schema import Scenario
from sim import measures as m
from sim import records as r
from sim.draws import Draws
from sim.records import Records
from sim.world import Floats, Ints, World

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = ("seen and sorted", "sorted, not heard", "warm, unresolved", "cold, unresolved")
FLAGS = (
    "flag_right", "flag_wrong", "flag_missed", "repeats", "refused", "passed_on", "escalated", "returns", "redials",
    "second_tier", "called_back", "recovery_due",
)  # fmt: skip
"""The bits of a contact's flags, in their order."""


def tables_of(
    scenario: Scenario, world: World, draws: Draws, records: Records, replication: int = 0
) -> dict[str, pd.DataFrame]:
    """The three tables of one replication."""
    return {
        "contacts": _contacts(scenario, world, draws, records, replication),
        "journeys": _journeys(scenario, world, draws, records, replication),
        "agents_time": _agents_time(scenario, world, records, replication),
    }


def _moment(scenario: Scenario, world: World, ms: Ints) -> Any:
    """Calendar times of simulated milliseconds; nothing where there is none (-1)."""
    start = np.datetime64(scenario.horizon.start, "ms") - np.timedelta64(world.clock.start_ms, "ms")
    return np.where(ms >= 0, start + ms.astype("timedelta64[ms]"), np.datetime64("NaT", "ms"))


def _named(names: Any, number: Ints, none: str = "") -> Any:
    """Names by number; `none` for -1."""
    return np.array([*names, none], object)[number]


def _endings(number: Ints) -> Any:
    return _named(ENDINGS, number)


def _contacts(
    scenario: Scenario, world: World, draws: Draws, records: Records, replication: int
) -> pd.DataFrame:
    import pandas as pd  # slow to import

    c, clock = records.contacts, world.clock
    row = np.flatnonzero(c.outcome > 0)
    need, agent = draws.rows.need[row], c.agent[row]
    group = np.where(agent >= 0, world.staffing.group_of[np.maximum(agent, 0)], -1)
    reached, ended = c.reach_ms[row] >= 0, c.end_ms[row] >= 0
    arrive = c.arrive_ms[row]
    waited = np.where(reached & ended, (c.end_ms - c.reach_ms)[row] / 1000, np.nan)
    columns = {
        "replication": np.full(len(row), replication),
        "need": need,
        "attempt": draws.rows.attempt[row],
        "type": _named(scenario.types, draws.needs.type[need]),
        "segment": _named(scenario.segments, draws.needs.segment[need]),
        "vulnerable": draws.needs.vulnerable[need] == 1,
        "measured": (arrive >= clock.start_ms) & (arrive < clock.end_ms),
        "arrived": _moment(scenario, world, arrive),
        "reached_people": _moment(scenario, world, c.reach_ms[row]),
        "answered_or_gone": _moment(scenario, world, c.end_ms[row]),
        "outcome": _named(r.OUTCOMES, c.outcome[row]),
        "ending": _endings(c.ending[row]),
        "bot_s": c.bot_ms[row] / 1000,
        "wait_s": waited,
        "agent": agent,
        "group": _named(scenario.groups, group),
        "talk_s": c.talk_ms[row] / 1000,
        "acw_s": c.acw_ms[row] / 1000,
        "unhurried_s": c.full_ms[row] / 1000,
        "difficulty": draws.needs.difficulty[need],
        "intensity": c.intensity[row],
        "load_of_agent": c.load[row],
        "unmet": c.unmet[row],
        "p_heard": c.heard[row],
        "p_resolved_if_heard": c.if_heard[row],
        "p_resolved_if_not": c.if_not[row],
    }
    columns |= {name: (c.flags[row] & (1 << k)) > 0 for k, name in enumerate(FLAGS)}
    kinds, left_out = scenario.types.values(), unused(scenario)
    if any(kind.channel == "chat" for kind in kinds):
        columns["handling_over"] = _moment(scenario, world, c.done_ms[row])
        columns["chats_at_once"] = c.live[row]
    if "messages" not in left_out:
        columns["message"] = c.flags[row] & r.MESSAGE > 0
    if "unreached" not in left_out:
        columns["call_back_taken"] = c.flags[row] & r.CALL_BACK_TAKEN > 0
    return pd.DataFrame(columns)


def _journeys(
    scenario: Scenario, world: World, draws: Draws, records: Records, replication: int
) -> pd.DataFrame:
    """A row for each need that arose in the horizon, followed to its end.

    What is expected adds up over the contacts of a journey: its mean over many is the measure; of one it may exceed 1.
    """
    import pandas as pd  # slow to import

    c, clock, needs, rows = records.contacts, world.clock, draws.needs, draws.rows
    born = np.flatnonzero((needs.birth_ms >= clock.start_ms) & (needs.birth_ms < clock.end_ms))
    happened = np.flatnonzero(c.outcome > 0)
    of = rows.need[happened]
    n = len(needs.type)

    def total(values: Any) -> Floats:
        return np.asarray(np.bincount(of, values[happened].astype(float), n)[born], np.float64)

    def count(where: Any) -> Ints:
        return total(where).astype(np.int64)

    last = np.full(n, -1, np.int64)
    np.maximum.at(last, of, rows.attempt[happened])
    final = happened[rows.attempt[happened] == last[of]]
    row = np.zeros(n, np.int64)
    row[rows.need[final]] = final
    row = row[born]
    goes_on = c.flags[row] & (r.RETURNS | r.REDIALS | r.ESCALATED | r.PASSED_ON) > 0
    goes_on |= np.isin(c.outcome[row], (r.WAITING, r.IN_BOT))
    ended = np.where(
        goes_on, "still open", np.where(c.ending[row] >= 0, _endings(c.ending[row]), "gave up unserved")
    )
    stops = m.stopping(world, draws, c)
    columns = {
        "replication": np.full(len(born), replication),
        "need": born,
        "type": _named(scenario.types, needs.type[born]),
        "segment": _named(scenario.segments, needs.segment[born]),
        "vulnerable": needs.vulnerable[born] == 1,
        "arose": _moment(scenario, world, needs.birth_ms[born]),
        "difficulty": needs.difficulty[born],
        "intensity_at_first": needs.intensity[born],
        "intensity_at_last": c.intensity[row],
        "contacts": count(np.ones(len(c.outcome))),
        "bot_sessions": count(
            (c.bot_ms > 0) | np.isin(c.outcome, (r.CONTAINED, r.CONTAINED_FALSELY, r.HUNG_UP))
        ),
        "answered": count(c.outcome == r.ANSWERED),
        "abandoned": count(c.outcome == r.ABANDONED),
        "redials": count(c.flags & r.REDIALS > 0),
        "returns": count(c.flags & r.RETURNS > 0),
        "escalations": count(c.flags & r.ESCALATED > 0),
        "transfers": count(c.flags & r.PASSED_ON > 0),
        "refused": count(c.flags & r.REFUSED > 0) > 0,
        "handle_s": total((c.talk_ms + c.acw_ms) / 1000),
        "ended": ended,
        "expected_resolved": total(stops[0] + stops[1]),
        "expected_churn": total(m.expected_churn(world, draws, c)),
        "expected_undisclosed": total(np.where(c.outcome == r.ANSWERED, m.undisclosed(world, draws, c), 0.0)),
    }
    return pd.DataFrame(columns)


def _agents_time(scenario: Scenario, world: World, records: Records, replication: int) -> pd.DataFrame:
    """A row for each spell at work, from signing on to signing off."""
    import pandas as pd  # slow to import

    s, staffing = records.spells, world.staffing
    group = staffing.group_of[s.agent]
    parts: tuple[str, ...] = (
        "talk",
        "acw",
        "idle",
        "rest",
        "break",
        "lunch",
        "offline",
        "decompression",
        "unpaid",
    )
    if any(kind.channel == "chat" for kind in scenario.types.values()):
        parts += ("chat", "slot")
    present = s.off_ms - s.on_ms
    columns = {
        "replication": np.full(len(s.agent), replication),
        "agent": s.agent,
        "group": _named(scenario.groups, group),
        "shift": s.shift,
        "measured": (s.on_ms >= world.clock.start_ms) & (s.on_ms < world.clock.end_ms),
        "signed_on": _moment(scenario, world, s.on_ms),
        "signed_off": _moment(scenario, world, s.off_ms),
        "present_min": present / 60_000,
        **{f"{name}_min": getattr(s, f"{name}_ms") / 60_000 for name in parts},
        "contacts": s.contacts,
        "recovery_due_min": s.due_ms / 60_000,
        "over_threshold_min": s.over_ms / 60_000,
        "mean_load": s.load_area / np.maximum(present, 1),
        "load_at_end": s.load_end,
        "exhaustion_at_start": s.exhaustion,
    }
    return pd.DataFrame(columns)
