"""What is known of each lever beside its sentence: its title, the evidence for its effect and price, and what it costs.

The sentence on what a lever is stands once, under its field of `Policy` (`planner/scenario/schema.py`). A lever's cost
here is what it costs beside what follows from what it does: licences, trainers, messages, and hours off the phone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from planner.scenario import compile as c
from planner.scenario.schema import (
    PRICED,
    AssistLever,
    HiringLever,
    OutsourceLever,
    Policy,
    ProactiveLever,
    Scenario,
    SelfServiceLever,
    SupportLever,
    TrainingLever,
    off_value,
)
from planner.shrinkage import worked_share
from sim.world import Floats

RANKED = tuple(name for name in PRICED if name != "routing")
"""Levers that are ranked: all but the one that reads what cannot be observed."""


class Lever(NamedTuple):
    """What is known of a lever."""

    title: str
    effects: tuple[str, ...] = ()
    """Rows of the evidence table that say what it does; none where the file itself says it, or nothing is believed."""
    prices: tuple[str, ...] = ()
    """Rows of the evidence table with what it costs where the file does not say."""


_KNOWN: dict[str, Lever] = {
    "handle_time_target": Lever("Handle-time target", ("pressure_drop", "slack", "passed_on", "resolved_unmet", "heard_unmet", "strain")),
    "scripts": Lever("Scripts and checklists", ("heard_scripts", "strain", "listening_on_talk")),
    "pooled": Lever("Everyone takes everything"),
    "early_way_out": Lever("Early way out of the bot", ("asks_for_person", "bot_loop_intensity")),
    "context": Lever("Handover with context", ("handover_s", "heard_repeat")),
    "contained": Lever("Better containment", ("false_share", "containment_loading")),
    "detectors": Lever("Cue detection", ("sensitivity", "specificity")),
    "specialists": Lever("Specialists", ("heard_specialist", "resolved_specialist")),
    "recovery": Lever("Recovery after hard contacts", ("recovery_min", "rest_half_life_min", "button_uptake")),
    "decompression": Lever("Decompression blocks", ("rest_half_life_min",)),
    "occupancy_ceiling": Lever("Occupancy ceiling", ("load_half_life_min",)),
    "authority": Lever("Authority to put things right", ("resolved_authority", "concession_share", "concession_leakage")),
    "agent_assist": Lever(
        "Agent assist",
        ("assist_newcomer_speed", "assist_newcomer_resolved", "assist_experienced_speed", "assist_experienced_resolved"),
        ("assist_cost_once", "assist_cost_per_year"),
    ),
    "empathy_training": Lever(
        "Empathy training",
        ("empathy_training_heard", "empathy_training_resolved", "empathy_training_talk", "training_half_life_months"),
        ("training_hours", "training_cost"),
    ),
    "boundary_training": Lever(
        "Boundary training", ("boundary_training", "training_half_life_months"), ("training_hours", "training_cost")
    ),
    "hiring": Lever("Hiring for emotional intelligence", ("hiring_empathy", "heard_empathy"), ("hiring_cost",)),
    "team_support": Lever("Team support", ("support_leaving", "support_absorption"), ("support_hours", "support_cost")),
    "proactive_contact": Lever(
        "Proactive contact", ("proactive_reached", "proactive_helped"), ("proactive_messages", "proactive_cost")
    ),
    "self_service": Lever("Self-service", ("self_service_more", "self_service_contained", "false_share"), ("self_service_cost",)),
    "outsourcing": Lever(
        "Outsourcing a share", ("outsourced_empathy", "outsourced_spread"), ("outsourced_cost", "outsourced_once")
    ),
    "same_agent": Lever(
        "Follow-up by the same agent", ("same_agent_heard", "same_agent_resolved", "same_agent_talk"), ("same_agent_cost",)
    ),
    "call_back": Lever(
        "Call-back instead of waiting", ("call_back_accepts", "call_back_unanswered", "call_back_dial_s")
    ),
    "chats": Lever("Chats at once", ("chat_slowing", "heard_concurrency", "resolved_concurrency")),
    "reserved": Lever("People reserved for deferred work"),
    "max_queue": Lever("A limit on the queue"),
}  # fmt: skip


def known(name: str) -> Lever:
    """What is known of a lever; of one that has no entry, its name made readable."""
    return _KNOWN.get(name, Lever(name.replace("_", " ").capitalize()))


def sentence(name: str) -> str:
    """What a lever is, in one sentence."""
    return " ".join((Policy.model_fields[name].description or "").split())


def is_on(policy: Policy, name: str) -> bool:
    """Whether a lever is on under a policy that was filled in from `as_is`."""
    value = getattr(policy, name)
    return value is True if isinstance(value, bool) else value is not None and value != off_value(name)


class People(NamedTuple):
    """What the costs of levers are counted by: yearly, per replication and group."""

    heads: Floats
    """(reps, G) full-time jobs, with leave."""
    leavers: Floats
    """(reps, G) people leaving a year."""
    needs: Floats
    """(reps, T) needs a year that reached the centre."""


def outsourced_shares(scenario: Scenario, policy: Policy) -> tuple[Floats, Floats]:
    """(G,) share of each group's people who are outsourced, and the cost of their hour over the group's own."""
    groups = scenario.groups.items()
    lever = policy.outsourcing
    share = np.array([1.0 if group.outsourced else 0.0 for _, group in groups])
    cost = np.ones(len(share))
    if isinstance(lever, OutsourceLever):
        goes = np.array(
            [not group.outsourced and (not lever.groups or name in lever.groups) for name, group in groups]
        )
        share = np.where(goes, lever.share, share)
        cost = np.where(goes, c.either(scenario, lever.cost, "outsourced_cost"), cost)
    return share, cost


def own_costs(scenario: Scenario, policy: Policy, people: People) -> dict[str, tuple[Floats, float]]:
    """What each lever that is on costs by itself: (reps,) a year, and once; levers without a cost are left out."""
    groups = scenario.groups.items()
    rate = np.array([group.cost_per_hour for _, group in groups])
    # Nobody answers in these hours: on the queue they are missed, with the leave that comes with them.
    hour = np.where([group.outsourced for _, group in groups], rate, rate / worked_share(scenario))
    heads, zero = people.heads, np.zeros(len(people.heads))

    def of(chosen: tuple[str, ...]) -> Floats:
        return np.array([1.0 if not chosen or name in chosen else 0.0 for name, _ in groups])

    def price(value: float | None, key: str) -> float:
        return c.either(scenario, value, key)

    found: dict[str, tuple[Floats, float]] = {}

    def add(name: str, a_year: Floats, once: float) -> None:
        before, paid = found.get(name, (zero, 0.0))
        found[name] = (before + a_year, paid + once)

    for name in PRICED:
        if not is_on(policy, name):
            continue
        lever: Any = getattr(policy, name)
        if isinstance(lever, AssistLever):
            who = heads * of(lever.groups)
            add(
                name,
                who.sum(axis=1) * price(lever.cost_per_year, "assist_cost_per_year"),
                float(who.sum(axis=1).mean()) * price(lever.cost_once, "assist_cost_once"),
            )
        elif isinstance(lever, TrainingLever):
            each = price(lever.cost_per_person, "training_cost") + price(lever.hours, "training_hours") * hour
            add(name, (heads * of(lever.groups) * lever.share * each).sum(axis=1), 0.0)
        elif isinstance(lever, HiringLever):
            hired = (people.leavers * of(lever.groups)).sum(axis=1)
            add(name, hired * price(lever.cost_per_hire, "hiring_cost"), 0.0)
        elif isinstance(lever, SupportLever):
            each = price(lever.cost_per_person, "support_cost") + price(lever.hours, "support_hours") * hour
            add(name, (heads * each).sum(axis=1), 0.0)
        elif isinstance(lever, ProactiveLever):
            reached = price(lever.reached, "proactive_reached")
            left = 1 - reached * price(lever.helped, "proactive_helped")
            aimed = np.array([1.0 if kind in lever.types else 0.0 for kind in scenario.types])
            sent = reached * price(lever.messages_per_need, "proactive_messages") / max(left, 1e-9)
            add(
                name,
                (people.needs * aimed).sum(axis=1) * sent * price(lever.cost_per_message, "proactive_cost"),
                0.0,
            )
        elif isinstance(lever, SelfServiceLever):
            further = sum(
                share > scenario.types[kind].automation.offered for kind, share in lever.offered.items()
            )
            add(name, zero, further * price(lever.cost_once, "self_service_cost"))
        elif isinstance(lever, OutsourceLever):
            own = np.array([not group.outsourced for _, group in groups])
            moved = float((heads * of(lever.groups) * own).sum(axis=1).mean()) * lever.share
            add(name, zero, moved * price(lever.cost_once, "outsourced_once"))
        elif name == "same_agent" and name not in policy.costs:
            add(name, zero, scenario.coefficient("same_agent_cost"))
        stated = policy.costs.get(name)
        if stated is not None:
            everyone = heads.sum(axis=1)
            add(
                name,
                zero + stated.per_year + stated.per_person * everyone,
                stated.once + stated.once_per_person * float(everyone.mean()),
            )
    return found
