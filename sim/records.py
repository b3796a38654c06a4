"""What an engine writes down: one row per possible contact, one row per spell of an agent at work.

Flat arrays, aligned with `draws.Rows` and `draws.Needs`; every figure is computed from these, never in an engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sim.world import RELIEF_MS, Floats, Ints, Space, World, fresh

# outcomes of a contact
(
    NOTHING, CONTAINED, CONTAINED_FALSELY, HUNG_UP, ANSWERED, ABANDONED, TURNED_AWAY, CLOSED, WAITING, IN_BOT,
    SILENT, UNREACHED,
) = range(12)  # fmt: skip
OUTCOMES = (
    "never happened", "contained", "falsely contained", "hung up in the bot", "answered", "abandoned",
    "turned away", "closed", "still waiting", "still in the bot", "answered, nobody there", "not reached",
)  # fmt: skip

# bits of `flags`
(
    FLAG_RIGHT, FLAG_WRONG, FLAG_MISSED, REPEATS, REFUSED, PASSED_ON, ESCALATED, RETURNS, REDIALS, TIER_TWO,
    CALLED_BACK, REST_DUE, MESSAGE, CALL_BACK_TAKEN, SAME_AGENT,
) = (1 << i for i in range(15))  # fmt: skip


class Contacts(NamedTuple):
    """One entry per row of the draws; `outcome` NOTHING where the attempt never happened."""

    outcome: Ints
    arrive_ms: Ints
    reach_ms: Ints
    """When it reached the queue (after the bot), -1 if it never did."""
    end_ms: Ints
    """When it was answered, or left."""
    bot_ms: Ints
    agent: Ints
    """-1 where nobody answered."""
    talk_ms: Ints
    acw_ms: Ints
    full_ms: Ints
    """Talk and ACW as they would have been without pressure or hurry."""
    ending: Ints
    """0 to 3, -1 where there was none (passed on, or nobody spoke)."""
    flags: Ints
    intensity: Floats
    load: Floats
    """The agent's load when answering."""
    unmet: Floats
    heard: Floats
    """Probability of being heard."""
    if_heard: Floats
    """Probability of resolving for those heard; `if_not` for those not."""
    if_not: Floats
    done_ms: Ints
    """When its handling was over, -1 if nobody took it; may lie beyond the last day. Of chats `talk_ms` and `acw_ms`
    are the work at one chat at a time, of all others the time from the answer to here."""
    live: Ints
    """Chats open with the agent at its start, itself included; 1 for other work, 0 if nobody took it."""


LINE = np.dtype([
    *((name, np.float64) for name in ("intensity", "load", "unmet", "heard", "if_heard", "if_not")),
    *((name, np.int64) for name in ("arrive_ms", "reach_ms", "end_ms", "done_ms", "full_ms")),
    *((name, np.int32) for name in ("bot_ms", "agent", "talk_ms", "acw_ms", "flags", "queue", "behind")),
    *((name, np.int16) for name in ("ending", "live")),
])  # fmt: skip
"""A contact as the compiled engine writes it, its fields side by side but for the outcome; `queue` it waits in, and who
waits `behind`."""


class Spells(NamedTuple):
    """One entry per spell of an agent at work, from signing on to signing off."""

    agent: Ints
    shift: Ints
    """-1 for anonymous capacity."""
    on_ms: Ints
    off_ms: Ints
    talk_ms: Ints
    acw_ms: Ints
    idle_ms: Ints
    rest_ms: Ints
    break_ms: Ints
    lunch_ms: Ints
    offline_ms: Ints
    decompression_ms: Ints
    unpaid_ms: Ints
    """Of the breaks, what is not paid."""
    over_ms: Ints
    """Time with a load above the threshold."""
    due_ms: Ints
    """Recovery that fell due; with `rest_ms` what was taken, the rest is owed."""
    contacts: Ints
    """All that were taken on, chats with nobody there and call-backs not picked up included."""
    chat_ms: Ints
    """Time with at least one chat open; talk and after-contact work are of work one at a time alone."""
    slot_ms: Ints
    """The same summed over the chats open."""
    load_area: Floats
    """Integral of load over the spell, point-ms."""
    load_end: Floats
    exhaustion: Floats
    """At the start."""


class Records(NamedTuple):
    """Everything one replication leaves behind."""

    contacts: Contacts
    spells: Spells
    absent: Ints
    """(shifts,) 1 where the person did not come."""
    started: Ints
    """(activities,) when each began, -1 if it never did: it waits for the contact in progress."""


def blank_contacts(n: int) -> Contacts:
    """Contacts that have not happened."""
    whole = {"reach_ms", "end_ms", "agent", "ending", "arrive_ms", "done_ms"}
    floats = {"intensity", "load", "unmet", "heard", "if_heard", "if_not"}
    columns: dict[str, Any] = {
        name: np.zeros(n) if name in floats else np.full(n, -1 if name in whole else 0, np.int64)
        for name in Contacts._fields
    }
    return Contacts(**columns)


def blank_spells(n: int) -> Spells:
    """Room for `n` spells."""
    floats = {"load_area", "load_end", "exhaustion"}
    columns: dict[str, Any] = {
        name: np.zeros(n) if name in floats else np.full(n, -1 if name in ("agent", "shift") else 0, np.int64)
        for name in Spells._fields
    }
    return Spells(**columns)


def most_spells(world: World) -> int:
    """The largest number of spells that a world's staffing can lead to."""
    staffing = world.staffing
    anonymous = 0 if len(staffing.agent) else len(staffing.group_of)
    return (
        len(staffing.agent)
        + int((staffing.slot_change > 0).sum())
        + anonymous * (world.clock.stop_ms // RELIEF_MS)
    )


def trimmed(spells: Spells, n: int) -> Spells:
    """The first `n` spells."""
    columns: list[Any] = [column[:n].copy() for column in spells]
    return Spells(*columns)


def of_spells(spells: Sequence[Any]) -> Spells:
    """Spells kept as objects with the same fields, as columns."""
    kinds = blank_spells(0)
    columns: list[Any] = [
        np.array([getattr(spell, name) for spell in spells], column.dtype)
        for name, column in zip(kinds._fields, kinds, strict=True)
    ]
    return Spells(*columns)


SPELL = np.dtype([(name, column.dtype) for name, column in blank_spells(0)._asdict().items()])
"""A spell as the compiled engine writes it."""


class Written(NamedTuple):
    """What the compiled engine leaves behind of a block of replications."""

    outcome: Any
    """(rows,); the lines of those that never happened mean nothing."""
    lines: Any
    """(rows,) of LINE."""
    spell_lines: Any
    """(spells,) of SPELL."""
    first_spell: Ints
    """(n + 1,) where each replication's spells begin."""
    absent: Ints
    """(n, shifts)"""
    started: Ints
    """(n, activities)"""

    @property
    def spells(self) -> Spells:
        """The spells as columns: views."""
        columns: dict[str, Any] = {name: self.spell_lines[name] for name in Spells._fields}
        return Spells(**columns)


def blank_written(
    n_rows: int, n_spells: int, n_shifts: int, n_acts: int, n: int, room: Space = fresh
) -> Written:
    """Room for `n` replications."""
    spells = room("spells", n_spells, SPELL)
    spells.view(np.int64)[:] = 0
    spells["agent"] = spells["shift"] = -1
    outcome, lines = room("outcome", n_rows, np.int8), room("written", n_rows, LINE)
    outcome[:] = NOTHING
    absent, first_spell = np.zeros((n, n_shifts), np.int64), np.zeros(n + 1, np.int64)
    return Written(outcome, lines, spells, first_spell, absent, np.full((n, n_acts), -1, np.int64))


def records_of(written: Written, first_row: Ints, i: int) -> Records:
    """The records of the block's i-th replication."""
    rows = slice(first_row[i], first_row[i + 1])
    outcome, lines = written.outcome[rows], written.lines[rows]
    contacts = blank_contacts(len(outcome))
    contacts.outcome[:] = outcome
    happened = np.flatnonzero(outcome)
    lines = lines[happened]
    for name, column in zip(contacts._fields, contacts, strict=True):
        if name != "outcome":
            column[happened] = lines[name]
    spells: list[Any] = [
        column[written.first_spell[i] : written.first_spell[i + 1]].copy() for column in written.spells
    ]
    return Records(contacts, Spells(*spells), written.absent[i], written.started[i])


def written_of(several: Sequence[Records]) -> Written:
    """The records of replications as those of a block."""
    contacts = [records.contacts for records in several]
    lines = np.zeros(sum(len(c.outcome) for c in contacts), LINE)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(c, name) for c in contacts]) for name in Contacts._fields
    }
    outcome = columns.pop("outcome").astype(np.int8)
    for name, column in columns.items():
        lines[name] = column
    spells = np.zeros(sum(len(x.spells.agent) for x in several), SPELL)
    for name in Spells._fields:
        spells[name] = np.concatenate([getattr(x.spells, name) for x in several])
    first_spell = np.cumsum([0, *(len(x.spells.agent) for x in several)])
    absent, started = (np.stack([getattr(x, name) for x in several]) for name in ("absent", "started"))
    return Written(outcome, lines, spells, first_spell, absent, started)
