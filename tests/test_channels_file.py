"""Channels in a scenario file: what is refused, in one line with its field, and what reaches the engines' world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small

from planner.scenario import compile as c
from planner.scenario.load import read
from planner.scenario.problems import ScenarioError
from planner.scenario.schema import Scenario
from sim import world as w

CHAT = {"types__trouble__channel": "chat", "groups__care__chats": 3}
LEVELS = "groups__care__chat_handle_by_level"
HOURS = {"measure": "service_level", "at_least": 0.9, "within_h": 24}
LIVE = {"measure": "service_level", "at_least": 0.75, "within_s": 40, "types": ["trouble"]}
MAIL = {
    "types__order__channel": "email",
    "types__order__patience": None,
    "targets": [{**HOURS, "types": ["order"]}, LIVE],
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a channel that is none": (
        {"types__order__channel": "mail"}, "types.order.channel: must be one of: voice, chat, messaging, email (found 'mail'; did you mean email?)",
    ),
    "chats that nobody takes": (
        {"types__trouble__channel": "chat"},
        "types.trouble.channel: needs a group with the skill trouble that says how many chats at once (chats) (found 'chat')",
    ),
    "chats at once without chats": (
        {"groups__care__chats": 3}, "groups.care.chats: is for groups with a skill whose channel is chat (found 3)",
    ),
    "a level above the chats at once": (
        {**CHAT, LEVELS: {2: 1.3, 3: 1.6, 4: 2}}, "chat_handle_by_level.4: has levels above the most chats at once (care: 3) (found 2)",
    ),
    "levels of somebody who holds one": (
        {**CHAT, "groups__care__chats": 1, LEVELS: {2: 1.3}}, "chat_handle_by_level.2: needs chats of 2 or more (care: 1)",
    ),
    "a level left out": ({**CHAT, LEVELS: {3: 1.6}}, "chat_handle_by_level: needs a level for 2 too: up to 3 chats"),
    "a level left out of what a policy allows": (
        {**CHAT, LEVELS: {2: 1.3, 3: 1.6}, "policies__hard__chats": {"care": 4}},
        "chat_handle_by_level: needs a level for 4 too: up to 4 chats at once are allowed",
    ),
    "chats that quicken one another": (
        {**CHAT, LEVELS: {2: 1.5, 3: 1.2}}, "chat_handle_by_level.3: must be at least 1.5: a further chat makes none of",
    ),
    "chats that get less done together": (
        {**CHAT, LEVELS: {2: 1.2, 3: 2.4}},
        "chat_handle_by_level.3: must be at most 1.8: beyond it 3 chats at once get less done than 2 (found 2.4)",
    ),
    "a level of one": ({**CHAT, LEVELS: {1: 1.0}}, "groups.care.chat_handle_by_level"),
    "silence on the telephone": ({"types__order__silent": 0.1}, "types.order.silent: is read for chat, and this type is voice"),
    "balking before a mailbox": (
        {**MAIL, "types__order__patience": {"mean_s": 90_000, "balk": 0.1}},
        "types.order.patience.balk: must be 0 for email: whoever writes sees no queue to turn away from (found 0.1)",
    ),
    "patience with an e-mail": (
        {**MAIL, "types__order__patience": {"mean_s": 60}}, "types.order.patience.mean_s: must be at least 3,600 seconds for email: how long customers wait for an answer",
    ),
    "an e-mail that nobody has hours for": (
        {**MAIL, "groups__front__headcount": 0}, "types.order.channel: is deferred work that has no hours: no group with the skill order",
    ),
    "an e-mail that nobody on duty reads": (
        {**MAIL, **small.by_numbers(0, 2), "groups__front__on_duty": {"09:00": 0}}, "is deferred work that has no hours",
    ),
    "seconds for an e-mail": (
        {**MAIL, "targets": [{"measure": "service_level", "at_least": 0.9, "within_s": 60, "types": ["order"]}, LIVE]},
        "targets.0.within_s: must be within_h, in hours, for deferred types (order) (found 60)",
    ),
    "hours and seconds": (
        {**MAIL, "targets": [{**HOURS, "within_s": 60}, LIVE]}, "targets.0.within_s: must be left out beside within_h",
    ),
    "hours for a call": (
        {"targets": [{**HOURS, "types": ["order"]}]}, "targets.0.within_h: is for deferred types, and order is live: use within_s (found 24)",
    ),
    "hours where nothing waits": ({"targets": [HOURS]}, "targets.0.within_h: has no type to judge: none is deferred"),
    "live and deferred together": (
        {**MAIL, "targets": [{**HOURS, "types": ["order", "trouble"]}]},
        "targets.0.types: must not mix live types (trouble) with deferred ones (order): give each a target",
    ),
    "e-mails that hang up": (
        {**MAIL, "targets": [{"measure": "abandonment", "at_most": 0.1, "types": ["order"]}]},
        "targets.0.measure: must be service_level with within_h for deferred types (order) (found 'abandonment')",
    ),
    "e-mails by the half-hour": (
        {**MAIL, "targets": [{**HOURS, "window": "interval"}]}, "targets.0.window: must be day or week for deferred work",
    ),
    "a call-back for an e-mail": (
        {**MAIL, "policies__soft__call_back": {"types": ["order"]}},
        "policies.soft.call_back.types.0: must be voice or chat: email does not wait on the line (found 'order')",
    ),
    "a call-back for nobody": (
        {"types__order__channel": "chat", **CHAT, "groups__front__chats": 1, "policies__soft__call_back": {"after_s": 60}},
        "policies.soft.call_back.types: must name types: none is voice",
    ),
    "a call-back for a type that is none": (
        {"policies__soft__call_back": {"types": ["odrer"]}}, "call_back.types.0: must be a contact type: order, trouble (found 'odrer'; did you mean order?)",
    ),
    "chats of a group that is none": ({**CHAT, "policies__soft__chats": {"car": 2}}, "soft.chats.car: must be a group"),
    "reserved for nothing": ({"groups__care__reserved": 0.2}, "groups.care.reserved: is for deferred work"),
    "reserved by a policy for nothing": (
        {"policies__soft__reserved": {"care": 0.2}}, "policies.soft.reserved.care: is for deferred work",
    ),
    "too many chats": ({**CHAT, "groups__care__chats": 40}, "groups.care.chats: must be at most 12 (found 40)"),
    "chats that waste all time by the table": ({"behaviour__chat_slowing": 1.5}, "behaviour.chat_slowing: must be between 0 and 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_its_field(name: str, tmp_path: Path) -> None:
    changes, says = REFUSED[name]
    path = tmp_path / "x.yaml"
    path.write_text(small.text(**changes))
    with pytest.raises(ScenarioError) as caught:
        read(path, Scenario)
    told = str(caught.value)
    assert says in told
    assert told.count("\n") == 0, "one line for one mistake"


def world_of(policy: str = "as_is", **changes: Any) -> w.World:
    scenario = small.tiny(**changes)
    natural = small.natural_values(scenario)
    return c.compile_world(scenario, natural, policy, small.plain_roster(scenario, 2, 2))


def test_a_voice_scenario_compiles_as_if_there_were_no_channels() -> None:
    world = world_of()
    assert (world.types.channel == w.VOICE).all()
    assert not world.types.silent.any()
    assert (world.groups.slots == 1).all()
    assert (world.groups.slowing == 1).all()
    assert (world.levers.call_back_after_ms == -1).all()
    live = w.MESSAGES * len(world.types.channel)
    assert world.routing.priority[:, :live].max() < c.AFTER_LIVE


def test_chats_slots_and_levels_reach_the_world() -> None:
    levels = {2: 1.3, 3: 1.6, 4: 2.0}
    world = world_of("hard", **CHAT, **{LEVELS: levels}, policies__hard__chats={"care": 4})
    assert world.types.channel.tolist() == [w.VOICE, w.CHAT]
    assert world.types.silent.tolist() == [0.0, 0.1], "the evidence table's default"
    assert world.types.silent_ms.tolist() == [0, 180_000]
    assert world.groups.slots.tolist() == [1, 4]
    np.testing.assert_allclose(world.groups.slowing[1], [1, 1, 1.3, 1.6, 2.0])
    today = world_of(**CHAT, **{LEVELS: levels}, policies__hard__chats={"care": 4})
    assert today.groups.slots.tolist() == [1, 3]


def test_the_table_slows_chats_where_no_levels_are_stated() -> None:
    world = world_of(**CHAT, behaviour__chat_slowing=0.5)
    np.testing.assert_allclose(world.groups.slowing[1], [1, 1, 1.5, 2.0])


def test_deferred_work_and_messages_come_after_all_that_is_live() -> None:
    world = world_of(
        **MAIL, opening__out_of_hours="message", groups__front__skills=["order", "trouble"], types__order__priority=1,
        types__trouble__priority=9, groups__front__reserved=0.25,
    )  # fmt: skip
    assert world.clock.out_of_hours == w.MESSAGE
    order, trouble = (world.routing.priority[0, form * 2 + t] for t in (0, 1) for form in (w.ORDINARY,))
    assert order > trouble, "whatever the priorities say"
    message = world.routing.priority[0, w.MESSAGES * 2 + 1]
    assert message > trouble
    assert order < message, "among what waits, priorities count"
    served = (world.routing.order >= 0).any(axis=1)
    assert served[w.MESSAGES * 2 : w.MESSAGES * 2 + 2].all()
    assert world.groups.reserved.tolist() == [0.25, 0.0]
    w.check(world)


def test_a_call_back_is_offered_to_callers_unless_types_are_named() -> None:
    world = world_of("soft", **CHAT, policies__soft__call_back={"after_s": 90, "accept": 0.5})
    assert world.levers.call_back_after_ms.tolist() == [90_000, -1]
    assert world.levers.call_back_accepts.tolist() == [0.5, 0.0]
    assert world.levers.call_back_unanswered == 0.15
    assert world.levers.call_back_dial_ms == 45_000
    chat = world_of("soft", **CHAT, policies__soft__call_back={"types": ["trouble"]})
    assert chat.levers.call_back_after_ms.tolist() == [-1, 120_000]
    off = world_of("hard", policies__as_is__call_back={"after_s": 90}, policies__hard__call_back="none")
    assert off.levers.call_back_after_ms.tolist() == [-1, -1]


def test_a_backlog_has_a_week_to_build_up_and_what_arrives_last_its_hours() -> None:
    plain, mail = small.tiny(), small.tiny(**{**MAIL, "targets": [{**HOURS, "within_h": 60}]})
    assert c.clock_of(plain, follow=False).follow_days == 1
    assert c.clock_of(mail, follow=False).follow_days == 3
    assert c.clock_of(mail).warm_days == max(c.clock_of(plain).warm_days, mail.horizon.days)
