"""One journey's story in words, from the SimPy model: who called when, what the bot did, who answered how, and why it ended.

Told from records and draws, and from a model that watches the need stand in line (`sim.trace`). What is latent is told in
words only, as nobody in the centre can read it off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from planner import runs
from planner.scenario.load import Applied
from planner.scenario.problems import Problem, ScenarioError, counted, nearest, quote
from planner.scenario.schema import Scenario
from planner.tables import FLAGS
from planner.words import title_of
from sim import draws as d
from sim import records as r
from sim.draws import Draws
from sim.records import Records
from sim.trace import InLine, watch
from sim.world import World

Json = dict[str, Any]
TRACE = "--trace"
MOST_DIGITS = 18
BY = {"voice": "telephone", "chat": "chat", "messaging": "message", "email": "e-mail"}
ALL_FLAGS = (*FLAGS, "message", "call_back_taken", "same_agent")
"""Names of all bits of a contact's flags; tables have the last ones as columns only where they can be."""
ENDINGS = (
    "is resolved, and the customer is heard: seen and sorted", "is resolved, but the customer is not heard: sorted, not heard",
    "is not resolved, though the customer is heard: warm, unresolved", "is not resolved, nor is the customer heard: cold, unresolved",
)  # fmt: skip


class Journey(NamedTuple):
    """A need of one replication, and all that is known about it."""

    scenario: Scenario
    world: World
    draws: Draws
    records: Records
    need: int
    rows: list[int]
    """Its contacts that happened, one after another."""
    in_line: dict[int, InLine]


def check(scenario: Scenario, asked: str) -> None:
    """Raise ScenarioError for what is neither a number nor a type: before anything is simulated."""
    kinds = list(scenario.types)
    if asked not in kinds and not (asked.isascii() and asked.isdecimal() and len(asked) <= MOST_DIGITS):
        allowed = f"must be the number of a need, or a type, of which the first need with more than one contact is told: {', '.join(kinds)}"
        raise ScenarioError([Problem(TRACE, None, "", quote(asked), allowed, nearest(asked, kinds))])


def journey_of(scenario: Scenario, world: World, draws: Draws, asked: str) -> Journey:
    """Run the model and follow the need asked for. Raises ScenarioError where there is none."""
    check(scenario, asked)
    kinds, n = list(scenario.types), len(draws.needs.type)
    if asked in kinds:
        # Which need that is shows only afterwards; so the model runs twice, on the same draws.
        need = _first_of(world, draws, watch(world, draws, -1)[0], kinds.index(asked))
    else:
        need = int(asked) if int(asked) < n else None
    if need is None:
        allowed = (
            f"must be the number of a need, 0 to {n - 1:,} in this replication"
            if n
            else "finds nobody: no need arises"
        )
        if asked in kinds and n:
            allowed += ": none of this type has more than one contact"
        raise ScenarioError([Problem(TRACE, None, "", quote(asked), allowed)])
    records, in_line = watch(world, draws, need)
    return _journey(scenario, world, draws, records, need, in_line)


def _first_of(world: World, draws: Draws, records: Records, kind: int) -> int | None:
    """The first need of a type, born in the horizon, with more than one contact."""
    needs, clock = draws.needs, world.clock
    happened = np.bincount(draws.rows.need[records.contacts.outcome > 0], minlength=len(needs.type))
    born = (needs.birth_ms >= clock.start_ms) & (needs.birth_ms < clock.end_ms)
    found = np.flatnonzero(born & (needs.type == kind) & (happened > 1))
    return int(found[0]) if len(found) else None


def _journey(
    scenario: Scenario, world: World, draws: Draws, records: Records, need: int, in_line: dict[int, InLine]
) -> Journey:
    c = records.contacts
    rows = np.flatnonzero((draws.rows.need == need) & (c.outcome > 0))
    return Journey(
        scenario, world, draws, records, need, rows[np.argsort(draws.rows.attempt[rows])].tolist(), in_line
    )


# --- words ------------------------------------------------------------------------------------------------------------


def length(ms: float) -> str:
    """A length of time as people say it."""
    s = round(ms / 1000)
    if s < 100:
        return f"{s} s"
    minutes = round(s / 60)
    if minutes < 60:
        return f"{s // 60} min {s % 60:02d} s" if s < 1200 else f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(minutes / 60)
    return f"{hours // 24} days {hours % 24} h"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def how_hard(z: float) -> str:
    """Difficulty, in words."""
    words = ((-1.0, "very easy"), (-0.3, "rather easy"), (0.3, "as hard as usual"), (1.0, "rather hard"))
    return next((word for most, word in words if z < most), "very hard")


def how_upset(intensity: float, intense_above: float) -> str:
    """Emotional intensity, in words."""
    if intensity > intense_above:
        return "very upset"
    return "upset" if intensity > intense_above / 2 else "calm"


def how_loaded(load: float, threshold: float) -> str:
    """An agent's load, in words."""
    if load > threshold:
        return f"loaded above the threshold ({load:.1f} points)"
    return f"carrying some load ({load:.1f} points)" if load >= 0.5 else "fresh"


def moment(journey: Journey, ms: int) -> str:
    """A simulated moment on the scenario's calendar, to the second."""
    return f"{_when(journey, ms).item():%a %-d %b %H:%M:%S}"


def _when(journey: Journey, ms: int) -> np.datetime64:
    start = np.datetime64(journey.scenario.horizon.start, "ms")
    return np.datetime64(start + np.timedelta64(int(ms) - journey.world.clock.start_ms, "ms"))


# --- the story --------------------------------------------------------------------------------------------------------


def document_of(journey: Journey, policy: str, seed: int, applied: Sequence[Applied] = ()) -> Json:
    """What `simulate --trace --json` prints: the need, its contacts as values and as sentences, and why it ended."""
    scenario, needs, need = journey.scenario, journey.draws.needs, journey.need
    kind, segment = list(scenario.types)[needs.type[need]], list(scenario.segments)[needs.segment[need]]
    born, vulnerable = int(needs.birth_ms[need]), bool(needs.vulnerable[need])
    intense_above = journey.world.behaviour.intense_above
    clock = journey.world.clock
    when = (
        "before what is measured, in the warm-up"
        if born < clock.start_ms
        else "after what is measured, in the follow-up"
        if born >= clock.end_ms
        else ""
    )
    opening = (
        f"Need {need}: {title_of(scenario, kind)}, a customer of the segment {segment}{', vulnerable' if vulnerable else ''}. "
        f"The matter is {how_hard(float(needs.difficulty[need]))}, the customer {how_upset(float(needs.intensity[need]), intense_above)} at first."
        f"{f' It arises {when}.' if when else ''}"
    )
    contacts = [_contact(journey, i) for i in range(len(journey.rows))]
    ended = _ended(journey)
    story = [opening, *(sentence for contact in contacts for sentence in contact["sentences"]), ended]
    return {
        "scenario": scenario.name,
        "title": scenario.title or scenario.name,
        "policy": policy,
        "policy_title": scenario.policies[policy].title or policy,
        "applied": runs.applied_rows(applied),
        "engine": "simpy",
        "seed": seed,
        "replication": 0,
        "need": need,
        "type": kind,
        "segment": segment,
        "vulnerable": vulnerable,
        "difficulty": how_hard(float(needs.difficulty[need])),
        "arose": str(_when(journey, born)),
        "contacts": contacts,
        "ended": ended,
        "story": story,
    }


def _contact(journey: Journey, i: int) -> Json:
    """One contact: values, and sentences from its start to its end."""
    c, row = journey.records.contacts, journey.rows[i]
    outcome = int(c.outcome[row])
    name = r.OUTCOMES[outcome] if outcome < len(r.OUTCOMES) else f"outcome {outcome}"
    reached, ended = int(c.reach_ms[row]), int(c.end_ms[row])
    said = [*_start(journey, i), *_bot(journey, row), *_line(journey, row, name)]
    values: Json = {
        "attempt": int(journey.draws.rows.attempt[row]),
        "arrived": str(_when(journey, int(c.arrive_ms[row]))),
        "outcome": name,
        "bot_s": int(c.bot_ms[row]) / 1000,
        "wait_s": (ended - reached) / 1000 if 0 <= reached <= ended else None,
        "flags": [flag for k, flag in enumerate(ALL_FLAGS) if c.flags[row] & (1 << k)],
        "agent": None,
    }
    if outcome == r.ANSWERED:
        said += _conversation(journey, row)
        values |= {
            "agent": int(c.agent[row]),
            "group": list(journey.scenario.groups)[journey.world.staffing.group_of[c.agent[row]]],
            "load": float(c.load[row]),
            "talk_s": int(c.talk_ms[row]) / 1000,
            "acw_s": int(c.acw_ms[row]) / 1000,
            "handled_s": (int(c.done_ms[row]) - ended) / 1000,
            "chats_at_once": int(c.live[row]),
            "unhurried_s": int(c.full_ms[row]) / 1000,
            "unmet": float(c.unmet[row]),
            "p_heard": float(c.heard[row]),
            "p_resolved_if_heard": float(c.if_heard[row]),
            "p_resolved_if_not": float(c.if_not[row]),
        }
    return values | {"sentences": said}


def _start(journey: Journey, i: int) -> list[str]:
    """How a contact begins, after what came before."""
    c, row = journey.records.contacts, journey.rows[i]
    at = int(c.arrive_ms[row])
    channel = list(journey.scenario.types.values())[journey.draws.needs.type[journey.need]].channel
    if i == 0:
        return [f"{moment(journey, at)}: first contact, by {BY[channel]}."]
    before = journey.rows[i - 1]
    flags = int(c.flags[before])
    ended = int(c.end_ms[before])
    how = "the next contact"
    if flags & r.PASSED_ON:
        how = "passed on to the second tier, as time was up"
    elif flags & r.ESCALATED:
        how = "put through to the second tier"
    elif flags & r.REDIALS:
        how = "tries again"
    elif flags & r.RETURNS:
        how = "comes back"
    handled = 0
    if c.outcome[before] == r.ANSWERED:  # of several chats at once, what is talked in takes longer than it is
        handled = int(c.talk_ms[before]) if c.live[before] == 1 else int(c.done_ms[before]) - ended
    after = at - ended - handled if ended >= 0 else 0
    return [
        f"{moment(journey, at)}: {how}{f' after {length(after)}' if after >= 1000 else ''}, contact {i + 1}."
    ]


def _bot(journey: Journey, row: int) -> list[str]:
    """What the bot makes of it."""
    c, rows = journey.records.contacts, journey.draws.rows
    outcome, fate = int(c.outcome[row]), int(rows.fate[row])
    if not c.bot_ms[row]:
        return (
            []
            if fate == d.NO_BOT or c.flags[row] & r.TIER_TWO
            else ["The bot would take it, but is not there now."]
        )
    said = []
    if c.flags[row] & r.REFUSED:
        said.append("The customer asks the bot for a person and is not let out.")
    spent = length(int(c.bot_ms[row]))
    if outcome == r.CONTAINED:
        said.append(f"The bot solves it in {spent}.")
    elif outcome == r.CONTAINED_FALSELY:
        said.append(f"After {spent} the bot's log says contained, but the need is not met.")
    elif outcome == r.HUNG_UP:
        said.append(f"The customer hangs up in the bot after {spent}.")
    elif outcome == r.IN_BOT:
        said.append("The bot still talks when the simulation ends.")
    else:
        told = (
            "who have to be told everything again"
            if c.flags[row] & r.REPEATS
            else "with what was said so far"
        )
        said.append(f"After {spent} the bot hands over to people, {told}.")
    return said


def _line(journey: Journey, row: int, name: str) -> list[str]:
    """What happens between the bot and an answer."""
    c, clock = journey.records.contacts, journey.world.clock
    outcome, flags = int(c.outcome[row]), int(c.flags[row])
    reached, ended = int(c.reach_ms[row]), int(c.end_ms[row])
    said = []
    for flag, words in (
        (r.FLAG_RIGHT, "A detector flags it, rightly."),
        (r.FLAG_WRONG, "A detector flags it, wrongly."),
        (r.FLAG_MISSED, "A detector misses what it listens for."),
    ):
        if flags & flag:
            said.append(words)
    came = int(c.arrive_ms[row]) + int(c.bot_ms[row])
    if flags & r.CALLED_BACK and reached > came:
        said.append(f"The contact is called back at {moment(journey, reached)}.")
    if flags & r.MESSAGE:
        said.append("Nobody is there at this hour: the customer leaves a message.")
    if flags & r.CALL_BACK_TAKEN:
        said.append(
            "Still waiting, the customer takes the call-back that is offered, and keeps the place in line."
        )
    waited = ended - reached if 0 <= reached <= ended else 0
    line = journey.in_line.get(row)
    ahead = f"; {_waiting(line.ahead)} for the same people already" if line and line.ahead else ""
    if outcome == r.ANSWERED:
        said.append(f"Waits {length(waited)}{ahead}." if waited >= 500 else "Is answered at once.")
        if flags & r.SAME_AGENT:
            said.append("It goes to whoever served the customer before.")
    elif outcome == r.SILENT:
        said.append(f"The chat is picked up after {length(waited)}, and nobody is there any more.")
    elif outcome == r.UNREACHED:
        said.append(f"Is called after {length(waited)}{ahead}, and does not pick up.")
    elif outcome == r.ABANDONED:
        said.append(
            f"Waits {length(waited)}{ahead}, loses patience and leaves."
            if waited
            else "Will not wait, and leaves."
        )
    elif outcome == r.TURNED_AWAY:
        said.append("Is turned away: too many wait.")
    elif outcome == r.CLOSED:
        said.append(
            "Is sent away: nobody is there any more."
            if waited
            else "Comes while nobody answers, and is lost."
        )
    elif outcome == r.WAITING:
        then = "is to be called back" if flags & r.CALLED_BACK else "still waits"
        said.append(f"The contact {then} when the simulation ends ({moment(journey, clock.stop_ms)}).")
    elif outcome > r.IN_BOT:
        said.append(f"Then: {name}{f', after {length(waited)}' if waited >= 500 else ''}.")
    return said


def _waiting(n: int) -> str:
    return "1 person waits" if n == 1 else f"{n} people wait"


def _conversation(journey: Journey, row: int) -> list[str]:
    """Who answers, under which load and pressure, and how it ends."""
    c, scenario, world = journey.records.contacts, journey.scenario, journey.world
    agent, at = int(c.agent[row]), int(c.end_ms[row])
    group = title_of(scenario, list(scenario.groups)[world.staffing.group_of[agent]])
    spells = journey.records.spells
    mine = np.flatnonzero((spells.agent == agent) & (spells.on_ms <= at) & (spells.off_ms >= at))
    on_shift = f", {length(at - int(spells.on_ms[mine[-1]]))} into the shift" if len(mine) else ""
    loaded = how_loaded(float(c.load[row]), world.behaviour.load_threshold)
    upset = how_upset(float(c.intensity[row]), world.behaviour.intense_above)
    channel = list(scenario.types.values())[journey.draws.needs.type[journey.need]].channel
    worked = {"voice": "They talk", "chat": "They chat"}.get(channel, "The agent works on it")
    if c.flags[row] & r.MESSAGE:
        worked = "The agent works on the message"
    talk, acw, full = int(c.talk_ms[row]), int(c.acw_ms[row]), int(c.full_ms[row])
    longer = int(c.done_ms[row]) - at - talk - acw
    said = [
        f"Agent {agent} ({group}) answers, {loaded}{on_shift}; the customer is {upset}.",
        f"{worked} for {length(talk)}{f', then {length(acw)} of after-contact work' if acw else ''}.",
    ]
    if longer >= 1000:
        n = int(c.live[row])
        open_ones = "which begin later" if n == 1 else f"{n - 1} of them open at its start"
        said.append(f"Beside other chats, {open_ones}, it takes {length(longer)} longer.")
    if full - talk - acw >= 1000:
        said.append(
            f"It would have taken {length(full)}: {length(full - talk - acw)} are cut{_why_cut(journey, row)}."
        )
    if c.unmet[row] > 0:
        said.append(f"{_percent(c.unmet[row])} of what was needed is left out.")
    if c.flags[row] & r.REST_DUE:
        said.append("A recovery pause falls due for the agent.")
    ending = int(c.ending[row])
    if ending >= 0:
        if_resolved = c.if_heard[row] if ending in (0, 2) else c.if_not[row]
        said.append(
            f"The need {ENDINGS[ending]} (the chance was {_percent(c.heard[row])} to be heard, then {_percent(if_resolved)} to be resolved)."
        )
    elif c.flags[row] & r.PASSED_ON:
        said.append("Nothing is settled: it is passed on.")
    return said


def _why_cut(journey: Journey, row: int) -> str:
    """What pressed."""
    target = float(journey.world.levers.target_ms[journey.draws.needs.type[journey.need]])
    line = journey.in_line.get(row)
    why = [f"a handle-time target of {length(target)}"] if target > 0 else []
    if line and line.behind:
        why.append(f"the sight of {counted(line.behind, 'other')} waiting")
    elif not why:
        why.append("the sight of others waiting")
    return f", under {' and '.join(why)}"


def _ended(journey: Journey) -> str:
    """Why nothing comes after the last contact."""
    if not journey.rows:
        return "The need arises after the simulation has ended: nothing happens."
    c, row = journey.records.contacts, journey.rows[-1]
    flags, outcome, ending = int(c.flags[row]), int(c.outcome[row]), int(c.ending[row])
    n = counted(len(journey.rows), "contact")
    if flags & (r.RETURNS | r.REDIALS | r.ESCALATED | r.PASSED_ON):
        return f"The journey goes on after the simulated days; so far {n}."
    if outcome in (r.WAITING, r.IN_BOT):
        return f"The journey is not over when the simulation ends; so far {n}."
    last = int(journey.draws.rows.attempt[row]) + 1 >= journey.world.behaviour.max_attempts
    if ending in (0, 1) or outcome == r.CONTAINED:
        return f"It ends here, resolved, after {n}."
    if last:
        return f"It ends here, unresolved: after {n} the customer gives up, as everybody does by then."
    return f"It ends here, unresolved: after {n} the customer does not try again."


def print_story(console: Any, document: Json) -> None:
    """The story, line by line."""
    console.print(
        f"[bold]{document['title']}[/bold], {document['policy_title']}: seed {document['seed']}, first replication",
        highlight=False,
    )
    for sentence in document["story"]:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
