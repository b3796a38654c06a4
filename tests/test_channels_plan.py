"""What channels ask of a plan: a person's time for a chat, hours for deferred work, and what a spreadsheet makes of both."""

from __future__ import annotations

from io import StringIO
from typing import Any

import numpy as np
import pytest
import small
from rich.console import Console

from planner import channels, report
from planner.anchor import anchor
from planner.channels import ALMOST, agent_seconds, agent_share, more_for_deferred, usual_level
from planner.numbers import type_sets, workable
from planner.plan import BACK_OFFICE, as_is_roster, erlang_c, observed_load, plan
from planner.requirement import Search, describe, judge, require, targets_of
from planner.scenario import compile as c
from planner.scenario.problems import FieldError
from planner.scenario.schema import Scenario
from sim.world import Floats

CHAT = {"types__trouble__channel": "chat", "groups__care__chats": 3}
MAIL: dict[str, Any] = {
    "types__order__channel": "email",
    "types__order__patience": None,
    "targets": [
        {"measure": "service_level", "at_least": 0.9, "within_h": 20},
        {"measure": "service_level", "at_least": 0.75, "within_s": 40},
    ],
}
LIVE_ONLY = {"measure": "service_level", "at_least": 0.75, "within_s": 40, "types": ["trouble"]}
DAY = np.array([0] * 8 + [1] * 12 + [0] * 4)
OPEN = np.tile(DAY, 2).astype(bool)
"""Two days of 24 intervals, 12 of them open."""


def backlog(people: Floats, busy: Floats, arrivals: Floats, reach: Any = OPEN) -> tuple[Floats, int]:
    """Work waiting at the end of each interval of the second day, and the longest that anything waits, first come first served."""
    size, queue, waits = len(people), [], 0
    left = np.zeros(size)
    for j in range(3 * size):  # two rounds to settle
        queue.append([j, arrivals[j % size]])
        room = max(0.0, ALMOST * people[j % size] - busy[j % size]) if reach[j % size] else 0.0
        while queue and room > 1e-9:
            take = min(room, queue[0][1])
            queue[0][1] -= take
            room -= take
            if queue[0][1] <= 1e-9:
                waits = max(waits, j - queue.pop(0)[0]) if j >= 2 * size else queue.pop(0) and waits
        left[j % size] = sum(part for _, part in queue)
    return left, waits


def test_idle_minutes_hold_what_fits_into_them() -> None:
    people, busy = OPEN * 10.0, OPEN * 8.0
    more = more_for_deferred(people, busy, np.full(48, 0.5), OPEN, 24, OPEN)
    assert more.sum() == 0


def test_as_few_people_as_the_work_needs_and_the_valleys_first() -> None:
    people = OPEN * 10.0
    people[[10, 11, 12, 34, 35, 36]] = 16
    busy = people * 0.8
    more = more_for_deferred(people, busy, np.full(48, 2.0), OPEN, 24, OPEN)
    given = (ALMOST * (people + more) - busy)[OPEN].sum()
    assert given == pytest.approx(96), "no more than the work that comes"
    assert (people + more).max() <= 16 + 1e-6, "the valleys hold it"
    assert np.abs(np.diff(people + more)).sum() <= np.abs(np.diff(people)).sum() + 1e-6, "in no more steps"
    assert more[~OPEN].sum() == 0


def test_a_short_deadline_raises_the_morning() -> None:
    """What came over night is due four hours after: a backlog that only the first hours can work off."""
    people, busy, arrivals = OPEN * 10.0, OPEN * 8.0, np.full(48, 2.0)
    loose = more_for_deferred(people, busy, arrivals, OPEN, 24, OPEN)
    tight = more_for_deferred(people, busy, arrivals, OPEN, 4, OPEN)
    assert tight.sum() >= loose.sum() - 1e-6
    assert (people + tight)[8] > (people + loose)[8]
    left, _ = backlog(people + tight, busy, arrivals)
    assert left[11] <= arrivals[8:12].sum() + 1e-6, "at noon nothing waits that came before eight"


def test_work_over_a_closed_day_waits_and_is_done_by_the_first_hours_that_can() -> None:
    reach = np.concatenate([DAY, np.zeros(24)]).astype(bool)
    people = reach * 10.0
    more = more_for_deferred(people, people * 0.8, np.full(48, 1.0), reach, 12, reach)
    assert (ALMOST * (people + more) - people * 0.8)[reach].sum() == pytest.approx(48), "both days' work"
    assert more[24:].sum() == 0
    assert np.ptp((people + more)[reach]) < 5, (
        "what is late in any case is not all done in the first half-hour"
    )


def test_nobody_is_added_where_nobody_can_come() -> None:
    nobody = np.zeros(48, bool)
    assert more_for_deferred(OPEN * 5.0, OPEN * 4.0, np.full(48, 3.0), nobody, 24, OPEN).sum() == 0


def test_a_person_holds_k_chats_that_slow_one_another() -> None:
    scenario = small.tiny(
        **CHAT, groups__care__chat_handle_by_level={2: 1.3, 3: 1.8}, groups__front__skills=["order"],
        policies__soft__chats={"care": 2},
    )  # fmt: skip
    work, slot = agent_share(scenario, "as_is")
    np.testing.assert_allclose(work, [1, 1.8 / 3])
    np.testing.assert_allclose(slot, [1, 1 / 3])
    np.testing.assert_allclose(agent_share(scenario, "soft")[0], [1, 1.3 / 2])
    assert usual_level(scenario, "trouble") == pytest.approx((2, 1.3))
    assert agent_seconds(scenario)[1] == pytest.approx((360 + 60) / 2)


def test_groups_weigh_by_todays_hours_and_only_those_that_take_chats() -> None:
    both = small.tiny(**CHAT, groups__front__chats=1, groups__care__headcount=3, groups__front__headcount=9)
    one = small.tiny(**CHAT)
    f3 = 1 + 2 * 0.35
    assert agent_share(one, "as_is")[0][1] == pytest.approx(f3 / 3), "front says nothing of chats"
    assert agent_share(both, "as_is")[0][1] == pytest.approx((3 * f3 / 3 + 9 * 1) / 12)


def test_calls_and_mail_are_one_at_a_time() -> None:
    scenario = small.tiny(**MAIL)
    assert agent_share(scenario, "as_is")[0].tolist() == [1, 1]
    assert usual_level(scenario, "order") == (1, 1)


def test_deferred_work_is_done_when_people_are_there() -> None:
    profile = {"00:00": 1.0, "09:00": 0.0}
    scenario = small.tiny(**MAIL, types__order__profile=profile)
    load, plain = observed_load(scenario), observed_load(small.tiny())
    is_open = c.open_intervals(scenario)
    assert load[0][~is_open].sum() == 0
    assert load[0].sum() == pytest.approx(plain[0].sum())
    assert np.ptp(load[0][is_open]) == pytest.approx(0)


def test_a_target_without_types_counts_all_that_is_live_or_all_that_waits() -> None:
    scenario = small.tiny(**MAIL)
    assert [scenario.scope(target) for target in scenario.targets] == [("order",), ("trouble",)]
    assert describe(scenario.targets[0]) == "90% of all deferred work answered in 20 h (day)"
    world = c.compile_world(
        scenario, small.natural_values(scenario), "as_is", small.plain_roster(scenario, 1, 1)
    )
    sets = {s.types for s in type_sets(scenario, targets_of(scenario, "as_is"), world)}
    assert {(0,), (1,), (0, 1)} <= sets


def test_hours_at_which_people_can_come() -> None:
    """By shifts, doors open or not; by number, where they are on duty or the doors are open."""
    scenario = small.tiny(**MAIL)
    reach = workable(scenario).reshape(2, 2, 24)
    assert reach[:, :, 9:17].all()
    assert not reach[:, :, :9].any(), "a start at 08:45 does not hold the hour"
    numbers: Scenario = small.tiny(
        **{**small.by_numbers(2, 1), **MAIL, "groups__front__on_duty": {"06:00": 2, "12:00": 0}}
    )
    at = workable(numbers).reshape(2, 2, 24)
    assert at[0, 0, 6:17].all()
    assert not at[0, 0, :6].any()
    assert not at[1, 0, :9].any()


def test_measures_of_what_a_scenario_lacks_are_told_nowhere() -> None:
    every = {
        *channels.OF_CHATS, *channels.OF_CALL_BACKS, *channels.OF_MESSAGES, *channels.OF_DEFERRED, *channels.OF_BOTH,
    }  # fmt: skip
    assert channels.unused(small.tiny()) == every
    assert channels.unused(small.tiny(**CHAT)) == every - set(channels.OF_CHATS)
    assert channels.unused(small.tiny(**MAIL)) == every - {*channels.OF_DEFERRED, *channels.OF_BOTH}
    offered = small.tiny(policies__soft__call_back={"after_s": 60})
    assert channels.unused(offered) == every - set(channels.OF_CALL_BACKS)
    messages = small.tiny(opening__out_of_hours="message")
    assert channels.unused(messages) == (every | set(channels.OUT_OF_HOURS)) - {
        *channels.OF_MESSAGES,
        *channels.OF_BOTH,
    }


# --- with people and customers --------------------------------------------------------------------------------------


def digital(**changes: Any) -> Scenario:
    """The tiny centre five times as large; trouble comes by chat, to a group that holds up to three at once."""
    levels = {2: 1.3, 3: 1.7}
    given = {**CHAT, "groups__care__chat_handle_by_level": levels, "groups__front__skills": ["order"]}
    return small.busy(5, **{**given, **changes})


def test_the_handle_time_of_chats_is_anchored_as_the_log_shows_it() -> None:
    """From answer to close at today's number of chats at once: the work behind it is less."""
    scenario = digital(horizon__days=5, groups__care__headcount=7)
    anchored = anchor(scenario, as_is_roster(scenario))
    row = next(m for m in anchored.misfit if (m.type, m.field) == ("trouble", "talk"))
    assert abs(row.off) < 0.05
    sums = small.simulated(scenario, anchored.natural, "as_is", as_is_roster(scenario))
    x = {name: float(value[:, 1].sum()) for name, value in sums.customers.items()}
    shown, work = x["handle_min"], x["talk_min"] + x["acw_min"]
    at_once = sums.people["slot_min"].sum() / sums.people["chat_min"].sum()
    assert 1.1 < at_once < 3
    assert 1.02 < shown / work < 1.7
    assert shown / x["answered"] * 60 == pytest.approx(420, rel=0.05)


def test_a_target_on_chats_is_held_against_the_work_behind_them() -> None:
    scenario = digital()
    natural = small.natural_values(scenario)._replace(handle_ms=np.full((2, 5), 300_000.0))
    levers = c.levers_of(scenario, natural, scenario.policy("hard"))
    assert levers.target_ms[0] == 220_000
    assert levers.target_ms[1] == pytest.approx(440_000 * 300 / 420)


def pooled_mail(mails: float) -> Scenario:
    """Two groups that take calls first and e-mail in between, five days."""
    both = ["trouble", "order"]
    return small.busy(
        5, **{**MAIL, "types__order__automation": None, "types__order__offered_per_week": mails, "horizon__days": 5,
              "groups__front__skills": both, "groups__care__skills": both},
    )  # fmt: skip


def hours_of(scenario: Scenario) -> tuple[Search, float, float]:
    search = Search(scenario, small.natural_values(scenario), "as_is")
    need = search.run()
    assert not need.unreached
    sums = search.simulate(need.duty, range(8)).by_wait[40.0]
    handled = float(sums["handled_min"].sum(axis=(1, 2)).mean()) / 60
    missed = []
    for share in (1.0, 0.94):
        fewer = np.diff(np.round(np.cumsum(need.duty * share, axis=1)), axis=1, prepend=0).astype(np.int64)
        verdicts = judge(scenario, "as_is", search.simulate(fewer, range(16)))
        missed.append(sum(not v.met for v in verdicts))
    assert missed[0] == 0
    assert missed[1] > 0, "with six people fewer in a hundred, targets are missed"
    return search, need.agent_hours, handled


def test_a_requirement_with_mail_is_near_the_least_and_below_two_teams() -> None:
    """What calls leave idle is filled: less than the calls' people and the mail's own at a spreadsheet's occupancy."""
    _, without, calls = hours_of(pooled_mail(1))
    search, together, all_work = hours_of(pooled_mail(1600))
    mail = all_work - calls
    assert mail > 0.25 * calls
    assert together < without + mail / BACK_OFFICE
    duty = search.start().duty.sum(axis=0).reshape(5, -1)
    assert (duty[:, :9] == 0).all()
    assert (duty[:, 17:] == 0).all()


def test_a_plan_meets_hours_over_a_closed_night_and_says_so() -> None:
    scenario = small.busy(5, **{**MAIL, "types__order__profile": {"00:00": 1.0}})
    natural = small.natural_values(scenario)
    result = plan(scenario, natural, "as_is", replications=3, plan_replications=4)
    mail = [v for v in result.proof.verdicts if v.target == 0]
    assert len(mail) == 2
    assert all(v.mean > 0.9 for v in mail)
    document = report.plan_document(result, 1.0)
    assert document["fte"]["erlang_c_deferred"]
    assert {"deferred", "deferred_in_time"} <= set(document["week"])
    assert sum(map(sum, document["week"]["deferred"])) > 1000
    assert "deferred_in_time" in document["proof"]["measures"]
    out = StringIO()
    report.print_plan(Console(file=out, width=200), document)
    told = out.getvalue()
    assert "Service level of all deferred contacts: at least 90 % within 20 h" in told
    assert "Service level of all live contacts: at least 75 % within 40 s" in told
    assert "deferred work as its hours at 85 % occupancy" in told


def test_hours_that_nobody_can_keep_are_refused() -> None:
    """What comes in the evening is not answered in two hours where nobody works at night."""
    evening = {"types__order__profile": {"18:00": 1.0, "22:00": 0}, "targets__0__within_h": 2}
    scenario = small.busy(
        5,
        **{**MAIL, **evening, "targets": MAIL["targets"]}
        | {"targets": [{**MAIL["targets"][0], "within_h": 2}, MAIL["targets"][1]]},
    )
    with pytest.raises(FieldError, match="cannot be reached with any number of people"):
        require(scenario, small.natural_values(scenario), "as_is", most_replications=4)


def test_the_spreadsheet_divides_chats_and_spreads_mail() -> None:
    scenario = digital(types__order__channel="email", types__order__patience=None, targets=[LIVE_ONLY])
    natural = small.natural_values(scenario)
    sums = small.simulated(scenario, natural, "as_is", small.plain_roster(scenario, 20, 12))
    found = erlang_c(scenario, sums)
    one = erlang_c(
        scenario.model_copy(
            update={
                "groups": {**scenario.groups, "care": scenario.groups["care"].model_copy(update={"chats": 1})}
            }
        ),
        sums,
    )
    assert found.chats
    assert found.deferred
    assert one.on_queue > found.on_queue
    handle = sums.customers["handle_min"].sum(axis=(0, 2, 3)) / sums.customers["answered"].sum(axis=(0, 2, 3))
    mail = float(sums.service["deferred"].mean(axis=0)[0].sum() * handle[0]) / 60 / BACK_OFFICE
    contract = 37.5 * 2 / 5
    assert found.on_queue > mail / contract


def test_a_scenario_without_channels_is_told_as_before() -> None:
    scenario = small.tiny()
    natural = small.natural_values(scenario)
    sums = small.simulated(scenario, natural, "as_is", small.plain_roster(scenario, 6, 4), n=2)
    document = report.simulation_document(scenario, "as_is", "kernel", 1, 2, 1.0, sums, natural=natural)
    told = {*document["measures"], *document["by_type"]["order"], *document["by_group"]["care"]}
    assert not told & channels.unused(scenario)
    out = StringIO()
    report.print_simulation(Console(file=out, width=200), document)
    assert "By channel" not in out.getvalue()
    assert "eferred" not in out.getvalue()


def test_channels_stand_side_by_side() -> None:
    scenario = digital(types__order__channel="email", types__order__patience=None, targets=[LIVE_ONLY])
    natural = small.natural_values(scenario)
    sums = small.simulated(scenario, natural, "as_is", small.plain_roster(scenario, 20, 12), n=2)
    document = report.simulation_document(scenario, "as_is", "kernel", 1, 2, 1.0, sums, natural=natural)
    assert document["by_channel"]["email"]["service_level"]["mean"] is None
    assert document["by_channel"]["chat"]["deferred"]["mean"] == 0
    assert document["measures"]["chats_at_once"]["mean"] > 1
    out = StringIO()
    report.print_simulation(Console(file=out, width=200), document)
    told = out.getvalue()
    assert "By channel" in told
    assert "Chats with nobody there" in told
    assert "Deferred work in time" in told


def test_a_group_that_helps_only_when_a_call_is_late_is_not_counted_for_its_target() -> None:
    """Of the types that say how they are routed; where the delay is shorter than the target's wait, it is."""

    def groups_of(after_s: float) -> tuple[int, ...]:
        scenario = small.tiny(types__trouble__route=["care", {"group": "front", "after_s": after_s}])
        world = c.compile_world(
            scenario, small.natural_values(scenario), "as_is", small.plain_roster(scenario, 1, 1)
        )
        sets = {s.types: s.groups for s in type_sets(scenario, targets_of(scenario, "as_is"), world)}
        return sets[(1,)]

    assert groups_of(30) == (0, 1), "answered within 60 s is in time"
    assert groups_of(90) == (1,)


def test_a_frame_that_leaves_mail_unanswered_is_told() -> None:
    """Money does not see a backlog: the verdict has to."""
    from planner.compare import Runner

    scenario = small.busy(
        2,
        **{
            **MAIL,
            "policies__soft": None,
            "types__order__offered_per_week": 9000,
            "groups__front__headcount": 5,
            "groups__care__headcount": 4,
        },
    )
    runner = Runner(scenario, replications=2, plan_replications=4)
    comparison = runner.run(["as_is", "hard"], frames=("at_target", "equal_hours"))
    cells = comparison.frames
    here = report.measures_of(cells["equal_hours"]["as_is"], scenario)["deferred_in_time"].mean
    there = report.measures_of(cells["at_target"]["as_is"], scenario)["deferred_in_time"].mean
    assert here < there - 0.05, "today's people cannot answer so many"
    said = " ".join(report.verdict(comparison, "equal_hours")["sentences"])
    assert f"misses its service targets here: {100 * here:.0f} % of deferred work in time" in said
