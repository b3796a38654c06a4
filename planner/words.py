"""How things are said: amounts of money, targets and their windows, levers, and our own terms. Text only, no figures made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from planner.plan import BACK_OFFICE, Outcome
from planner.scenario import clocks
from planner.scenario import compile as c
from planner.scenario.schema import (
    DAY_MIN,
    AssistLever,
    CallBackLever,
    DecompressionLever,
    HiringLever,
    OutsourceLever,
    ProactiveLever,
    RecoveryLever,
    Scenario,
    SelfServiceLever,
    SpecialistLever,
    SupportLever,
    Target,
    TargetLever,
    TrainingLever,
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SCALES = ((1e6, " million"), (1e3, " thousand"), (1.0, ""))
FTE_WORDS = (
    "FTE: the hours of a full contract. On the queue (bare): only the hours that must be there to answer. Rostered: breaks, "
    "off-phone time, absence and lateness added. On the payroll (paid): leave added; this is what is hired for."
)
TERMS = {
    "load": "Load: how much hard contacts have tired an agent, in points that build up within a shift and fade with rest",
    "exhaustion": "Exhaustion: what of that is carried over from day to day, in points at the shift's start",
    "heard": "Heard: the customer felt listened to",
    "recovery_owed": "Recovery owed: pauses that were due after hard contacts and not taken",
    "deferred_in_time": "Deferred: messages and e-mails, answered by age when nobody waits on the line; in time: within the target's hours, nights inside, "
    "or a day where there is none",
    "chats_at_once": "Chats at once: how many somebody with a chat open has open; slot occupancy: their share of what they may hold",
    "undisclosed": "Undisclosed: needs that customers kept to themselves because they did not feel listened to",
}
"""Our own words, told once where they first appear; the rest are the field's."""


# --- money ----------------------------------------------------------------------------------------------------------


def three_figures(value: float) -> str:
    """Three significant figures, never more than three decimals."""
    size = abs(value)
    if size < 0.0005:
        return "0"
    if size >= 1000:
        return f"{round(value, 2 - math.floor(math.log10(size))):,.0f}"
    return f"{value:.{min(3, 2 - math.floor(math.log10(size)))}f}"


def scale_of(amounts: Iterable[float]) -> tuple[float, str]:
    """The unit in which all amounts of one sentence are said: that of the largest."""
    top = max((abs(a) for a in amounts if math.isfinite(a)), default=0.0)
    return next(((size, word) for size, word in SCALES if top >= size), SCALES[-1])


def money_of(currency: str, amounts: Iterable[float]) -> Callable[..., str]:
    """How the amounts of one sentence are said: three significant figures, one unit; `bare` leaves the unit out."""
    size, word = scale_of(amounts)

    def say(amount: float, *, sign: bool = False, bare: bool = False) -> str:
        text = three_figures(amount / size)
        plus = "+" if sign and amount > 0 and text != "0" else ""
        return plus + text + ("" if bare else f"{word} {currency}")

    return say


LINE_WORDS = {
    "payroll": "payroll",
    "overtime_premium": "overtime premium",
    "outsourcing": "outsourcing",
    "seats": "seats",
    "automation": "the automated front",
    "detectors": "detectors",
    "telephony": "telephony",
    "concessions": "concessions that agents make to customers",
    "complaints": "complaints",
    "leavers": "replacing leavers",
    "specialist_training": "training of specialists' successors",
    "levers": "licences, training and messages of levers",
    "policy": "the policy's other yearly costs",
}
"""Lines of cash in a sentence; needless concessions are told with the others."""


OBSERVED_WORDS = {
    "offered": "Contacts offered",
    "talk": "Talk",
    "acw": "After-contact work",
    "resolved": "Resolved at first contact",
    "heard": "Heard",
    "contained": "Containment",
    "intense": "Intense contacts",
    "attrition": "Attrition",
    "absence": "Absence",
}
"""What is observed of today, as it stands in the misfit table."""


def observed_words(field: str) -> str:
    """An observed number's name for people."""
    return OBSERVED_WORDS.get(field, field.replace("_", " ").capitalize())


# --- people ---------------------------------------------------------------------------------------------------------


def to_do(changes: Sequence[int]) -> str:
    """What changes of heads by group come to: hire so many, release so many."""
    hire, release = sum(n for n in changes if n > 0), -sum(n for n in changes if n < 0)
    words = [f"{word} {n}" for word, n in (("hire", hire), ("release", release)) if n]
    return ", ".join(words) or "keep"


def staff_words(fte: Mapping[str, Any]) -> str:
    """People needed against people employed, and what to do about it."""
    do = [
        f"{to_do([row['heads_change']])} in {row['title']}" for row in fte["by_group"] if row["heads_change"]
    ]
    return (
        f"{fte['fte_needed']:.1f} FTE on the payroll are needed ({fte['bare']:.1f} on the queue, {fte['rostered']:.1f} rostered), "
        f"against {fte['fte_today']:.1f} today: {', '.join(do) or 'as many in each group as today'}."
    )


def erlang_sentence(fte: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """What the usual spreadsheet would say, and which shrinkage it was given; for several plans at once."""
    shrinkage = percent(fte["flat_shrinkage"])
    assumed = {
        "flat_shrinkage": f"the flat {shrinkage} shrinkage that the scenario names",
        "items": f"a flat {shrinkage} shrinkage, the sum of the scenario's items",
        "assumed": f"a flat {shrinkage} shrinkage, which is our assumption: the scenario names none, and the plan has none",
    }[fte["flat_shrinkage_source"]]
    rows = others or {"": fte}
    said = "; ".join(
        f"{f'{title}, ' if title else ''}{row['erlang_c_on_queue']:.1f} FTE on the queue and {row['erlang_c_flat_shrinkage']:.1f} on the payroll"
        for title, row in rows.items()
    )
    how = "Erlang C for each queue by itself"
    if fte.get("erlang_c_chats"):
        how += ", chats with their handle time divided by the chats at once"
    if fte.get("erlang_c_deferred"):
        how += f", deferred work as its hours at {percent(BACK_OFFICE)} occupancy"
    return f"The usual spreadsheet ({how}, with {assumed}) would say: {said}."


# --- targets and windows --------------------------------------------------------------------------------------------


def title_of(scenario: Scenario, name: str) -> str:
    """The title of a type or group, or its name made readable."""
    part = scenario.types.get(name) or scenario.groups.get(name)
    return (part.title if part else "") or name.replace("_", " ").capitalize()


def clock(minute: int) -> str:
    """A minute of a day as 09:15; beyond midnight of the next."""
    return clocks.clock(minute % DAY_MIN)


def percent(share: float) -> str:
    """A share as people write it: 80 %, 7.5 %."""
    return f"{100 * share:.4g} %"


def target_words(scenario: Scenario, target: Target, *, floor: bool = False) -> str:
    """A target in words."""
    names = target.types or target.groups
    everyone = "all groups" if target.measure in ("occupancy", "load") else "all contacts"
    if everyone == "all contacts" and scenario.deferred_types():
        everyone = "all live contacts" if target.within_h is None else "all deferred contacts"
    who = " + ".join(title_of(scenario, name) for name in names) or everyone
    if floor:
        return (
            f"No interval below {percent(target.floor or 0)} of {who} answered within {target.within_s:g} s"
        )
    if target.measure == "service_level":
        counted = "" if target.definition == "g3" else f" ({target.definition})"
        within = f"{target.within_s:g} s" if target.within_h is None else f"{target.within_h:g} h"
        text = f"Service level of {who}: at least {percent(target.at_least or 0)} within {within}{counted}"
    else:
        name = {"mean_wait": "Average speed of answer"}.get(target.measure, target.measure.capitalize())
        plain = target.model_copy(update={"with_probability": None})
        text = f"{name} of {who}: at most {amount_words(plain, target.at_most or 0)}"
    return text + (f", in {percent(target.with_probability)} of cases" if target.with_probability else "")


def amount_words(target: Target, value: float, digits: int | None = None) -> str:
    """A value of a target's measure with its unit."""
    shown = f"{value:.4g}" if digits is None else f"{value:.{digits}f}"
    if is_share(target):
        return percent(value) if digits is None else f"{100 * value:.{digits}f} %"
    return f"{shown} {'s' if target.measure == 'mean_wait' else 'points'}"


def window_words(scenario: Scenario, one: Outcome) -> str:
    """When: a weekday, with its date where the horizon has several of them; or a week."""
    if one.target.window == "week" and not one.floor:
        return "whole week" if one.week is None else f"week {one.week}"
    day = WEEKDAYS[c.weekday_of(scenario, one.day)]
    if scenario.horizon.days > 7:
        date = scenario.horizon.start + timedelta(days=one.day)
        day = f"{day[:3]} {date.day} {date:%b}"
    return day if one.minute is None else f"{day} {one.minute // 60:02d}:{one.minute % 60:02d}"


NEAR = 0.8
"""A target whose room is used up to less than this, in its worst window, decides nothing if it holds."""


def binding_sentence(scenario: Scenario, who: str, ranked: Sequence[Outcome]) -> str:
    """Which target decided the staffing (the one with the least room left in its worst window), and which are overshot."""
    if not ranked:
        return f"No target could be judged for {who}."

    def told(one: Outcome) -> str:
        text = target_words(scenario, one.target, floor=one.floor).replace(": ", ", ", 1)
        return text[:1].lower() + text[1:]

    def gap(one: Outcome) -> str:
        if is_share(one.target):
            return f"{100 * abs(one.margin):.1f} points"
        return f"{abs(one.margin):.1f} {'s' if one.target.measure == 'mean_wait' else 'points of load'}"

    def where(one: Outcome) -> str:
        return f"{window_words(scenario, one)}, {amount_words(one.target, one.verdict.mean, 1)}"

    def listed(some: Sequence[Outcome]) -> str:
        return "; ".join(f"{told(one)}, by {gap(one)} ({where(one)})" for one in some)

    first, *rest = ranked
    stands = f"{told(first)}: in its worst window ({where(first)}) {gap(first)} are to spare"
    if first.margin < 0:
        text = f"{who}: the staffing falls short of {listed([one for one in ranked if one.margin < 0])}."
        rest = [one for one in ranked if one.margin >= 0]
    elif first.used < NEAR and first.verdict.met:
        text = f"{who}: no target is near its limit; the nearest is {stands}."
    else:
        text = f"{who}: the staffing is decided by {stands}."
    # Whoever is inside in the mean, and not by the one-sided limit, is close and not overshot.
    for words, some in (
        ("Close to its limit too", [one for one in rest if not one.verdict.met]),
        ("Overshot even in its worst window", [one for one in rest if one.verdict.met]),
    ):
        text += f" {words}: {listed(some)}." if some else ""
    return text


def is_share(target: Target) -> bool:
    """Whether a target's measure is a share, said in per cent."""
    return (
        target.measure in ("service_level", "abandonment", "occupancy") or target.with_probability is not None
    )


# --- levers ---------------------------------------------------------------------------------------------------------


def _listed(scenario: Scenario, names: Iterable[str]) -> str:
    return " + ".join(title_of(scenario, name) for name in names)


def lever_words(scenario: Scenario, policy: str, lever: str) -> str:
    """What a rung of the ladder changes, from as_is to the policy."""
    if lever == "roster":
        return "Its own roster (mix of groups, planned breaks, occupancy ceilings)"
    now = getattr(scenario.policies["as_is"], lever)
    return value_words(scenario, lever, getattr(scenario.policy(policy), lever), now)


def value_words(scenario: Scenario, lever: str, value: Any, now: Any = None) -> str:
    """A lever's value in words, beside the value of today."""
    if lever in SWITCHES:
        off = SWITCHES[lever][1]
        return SWITCHES[lever][0] if value else off
    if isinstance(value, TargetLever):
        who = value.types or (tuple(value.seconds) if isinstance(value.seconds, dict) else ())
        text = "A handle-time target" + (f" on {len(who)} contact types" if who else " on all contact types")
        return text if not isinstance(now, TargetLever) else text + ", another than today"
    if isinstance(value, SpecialistLever):
        return f"Specialists: {_listed(scenario, value.groups)}, for {_listed(scenario, value.types) or 'flagged contacts'}"
    if isinstance(value, RecoveryLever):
        return "Pauses after hard contacts" + (", set differently" if isinstance(now, RecoveryLever) else "")
    if isinstance(value, DecompressionLever):
        return f"A planned pause of {value.minutes} min in every shift"
    programme = _programme_words(scenario, lever, value)
    if programme:
        return programme
    if lever == "occupancy_ceiling" and value:
        ceilings = ", ".join(f"{title_of(scenario, k)} {percent(v)}" for k, v in value.items())
        return f"Ceilings on occupancy: {ceilings}"
    if lever == "detectors":
        heard = [name.replace("_", " ") for name in value or ()]
        return f"Detectors on: {', '.join(heard)}" if heard else "No detectors"
    if lever == "context":
        return f"Context passed on by the bot in {percent(value)} of handovers"
    if lever == "contained":
        return "Another containment of the bot: " + ", ".join(
            f"{title_of(scenario, k)} {percent(v)}" for k, v in (value or {}).items()
        )
    if isinstance(value, CallBackLever):
        to = f" to {_listed(scenario, value.types)}" if value.types else ""
        return f"A call-back offered{to} after {value.after_s:g} s of waiting"
    if lever == "chats":
        return "Chats at once: " + ", ".join(f"{title_of(scenario, k)} {v}" for k, v in (value or {}).items())
    if lever == "reserved":
        return "Reserved for deferred work: " + ", ".join(
            f"{percent(v)} of {title_of(scenario, k)}" for k, v in (value or {}).items()
        )
    if lever == "max_queue":
        return f"Turned away beyond {value} waiting" if value else "Nobody is turned away"
    if lever == "routing":
        return f"Routing to the {str(value).replace('_', ' ').replace('longest idle', 'agent idle longest').replace('least loaded', 'agent least loaded')}"
    return {
        "handle_time_target": "No handle-time target", "specialists": "No specialists", "recovery": "No pauses after hard contacts",
        "decompression": "No planned pauses", "agent_assist": "No assistant", "empathy_training": "No training in empathy",
        "boundary_training": "No training in boundaries", "hiring": "No hiring for emotional intelligence",
        "team_support": "No team support", "proactive_contact": "No messages before customers call",
        "self_service": "No more self-service than the types have", "outsourcing": "No share outsourced",
        "occupancy_ceiling": "No ceiling on occupancy", "call_back": "No call-back offered",
    }.get(lever, lever.replace("_", " ").capitalize())  # fmt: skip


def _programme_words(scenario: Scenario, lever: str, value: Any) -> str:
    """A programme's value in words; nothing for any other lever."""
    who = f", in {_listed(scenario, groups)}" if (groups := getattr(value, "groups", ())) else ""
    if isinstance(value, AssistLever):
        return f"An assistant for {_listed(scenario, groups) or 'all agents'}"
    if isinstance(value, TrainingLever):
        what = "empathy" if lever == "empathy_training" else "emotional boundaries"
        return f"Training in {what} for {percent(value.share)} of people{who}, every year"
    if isinstance(value, HiringLever):
        return f"{percent(round(c.hired_share(scenario, value), 3))} of people hired for emotional intelligence{who}"
    if isinstance(value, SupportLever):
        return "Time for team support"
    if isinstance(value, ProactiveLever):
        reached = c.either(scenario, value.reached, "proactive_reached")
        return f"Messages that reach {percent(reached)} of needs: {_listed(scenario, value.types)}"
    if isinstance(value, SelfServiceLever):
        shares = ", ".join(f"{title_of(scenario, k)} {percent(v)}" for k, v in value.offered.items())
        return f"Offered to automation: {shares}"
    if isinstance(value, OutsourceLever):
        return f"{percent(value.share)} of people at a partner{who}"
    return ""


SWITCHES = {
    "scripts": ("Scripts and checklists", "No scripts"),
    "pooled": ("Everyone takes everything (pooled)", "Groups keep to their skills"),
    "early_way_out": ("An early way out of the bot", "No early way out of the bot"),
    "authority": ("Agents may make concessions", "No concessions by agents"),
    "same_agent": ("Whoever comes back goes to the same agent", "Whoever comes back goes to anybody"),
}
"""Levers that are on or off, in words."""
