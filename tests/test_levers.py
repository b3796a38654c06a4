"""Levers: each does what it says and costs what it says, nothing else; the ranking knows no lever that it likes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import small
from typer.testing import CliRunner

from planner import cli, evidence, jobs, lever_report, pieces, ranking
from planner import plan as plans
from planner.anchor import anchor, lens_of
from planner.compare import Cell, Runner, differences_of
from planner.levers import RANKED, is_on, known, own_costs, sentence
from planner.money import CASH_LINES, WEEKS_PER_YEAR, money
from planner.plan import weeks_of
from planner.ranking import Ranker, Setting, explicit, fitted, setting_of, with_blocks
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.load import read
from planner.scenario.problems import ScenarioError
from planner.scenario.schema import LEVERS, PRICED, Policy, Scenario, off_value
from planner.schedule.cover import solve
from planner.shrinkage import worked_share
from sim.draws import draw_needs, draw_people

LEVER_VALUES: dict[str, Any] = {
    "agent_assist": {"cost_once": 200, "cost_per_year": 500},
    "empathy_training": {"share": 0.5, "cost_per_person": 300, "hours": 6},
    "boundary_training": {"groups": ["care"], "cost_per_person": 200, "hours": 0},
    "hiring": {"share": 0.4, "cost_per_hire": 700},
    "team_support": {"hours": 10, "cost_per_person": 50},
    "proactive_contact": {
        "types": ["order"], "reached": 0.5, "helped": 0.4, "messages_per_need": 4, "cost_per_message": 0.1,
    },
    "self_service": {"offered": {"order": 0.95}, "cost_once": 9000},
    "outsourcing": {"share": 0.3, "groups": ["front"], "cost": 0.6, "cost_once": 800},
    "same_agent": True,
}  # fmt: skip
NEUTRAL = {
    "assist_newcomer_speed": 0, "assist_newcomer_resolved": 0, "assist_experienced_speed": 0,
    "assist_experienced_resolved": 0, "empathy_training_heard": 0, "empathy_training_resolved": 0,
    "empathy_training_talk": 0, "boundary_training": 0, "hiring_empathy": 0, "support_leaving": 0,
    "support_absorption": 0, "outsourced_empathy": 0, "outsourced_spread": 1, "same_agent_heard": 0,
    "same_agent_resolved": 0, "same_agent_talk": 0,
}  # fmt: skip
"""Settings in which none of these levers does anything."""


@pytest.fixture(autouse=True, scope="module")
def _sooner() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(plans, "solve", lambda problem, **_: solve(problem, thorough=False))
    yield
    patch.undo()


def runner_of(scenario: Scenario, n: int = 3) -> Runner:
    roster = plans.as_is_roster(scenario)
    anchored = anchor(scenario, roster, replications=2, rounds=3, strict=False)
    return Runner(scenario, replications=n, plan_replications=4, anchored=anchored, as_is=roster)


@pytest.fixture(scope="module")
def runner(_sooner: None) -> Runner:
    return runner_of(small.busy(6))


@pytest.fixture(scope="module")
def neutral(_sooner: None) -> Runner:
    return runner_of(small.busy(6, behaviour={**small.SOON, **NEUTRAL}))


def policy_with(scenario: Scenario, **levers: Any) -> Policy:
    """as_is, every lever said outright, with these."""
    return explicit(scenario, "as_is").model_copy(
        update={name: getattr(Policy.model_validate({name: value}), name) for name, value in levers.items()}
    )


def cell_of(runner: Runner, policy: Policy, roster: Roster | None = None) -> Cell:
    return Ranker(runner, "equal_hours")._cell(policy, roster or runner.as_is)


def ranked(runner: Runner, frame: str = "equal_occupancy", **levers: Any) -> ranking.Ranked:
    """These levers laid on as_is, as one."""
    ranker, base = Ranker(runner, frame), explicit(runner.scenario, "as_is")
    cell = ranker.base(base)
    changed = policy_with(runner.scenario, **levers)
    change = {name: getattr(changed, name) for name in levers}
    return ranker.rank(cell, base, Setting(next(iter(levers)), change, {}, "usual"))


# --- what is known of them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRICED)
def test_a_lever_has_a_sentence_and_evidence_that_exists(name: str) -> None:
    assert sentence(name).endswith(".")
    rows = evidence.table()
    for key in (*known(name).effects, *known(name).prices):
        assert rows[key].used != "context", key
    assert not is_on(Policy(**{name: off_value(name)}), name) or name == "early_way_out"


def test_what_a_lever_is_when_off_may_stand_in_a_file() -> None:
    off = Policy(**{lever: off_value(lever) for lever in LEVERS})
    assert [lever for lever in RANKED if is_on(off, lever)] == ["early_way_out"]


def test_every_lever_is_ranked_or_says_why_not() -> None:
    scenario = small.tiny()
    for name in PRICED:
        setting = setting_of(scenario, name, "as_is")
        if isinstance(setting, str):
            assert setting.strip()
            continue
        assert name in setting.change
        # what it is set to is something that a file may say
        changed = {k: v.model_dump() if hasattr(v, "model_dump") else v for k, v in setting.change.items()}
        raw = small.raw()
        raw["policies"]["variant"] = changed
        Scenario.model_validate(raw)


def test_a_setting_comes_from_the_policy_in_force_then_from_another_then_from_what_is_usual() -> None:
    other = {**small.raw()["policies"]["soft"], "recovery": {"button": True, "minutes": 9}}
    scenario = small.tiny(policies__other=other)

    def found(name: str, in_force: str) -> Setting:
        setting = setting_of(scenario, name, in_force)
        assert isinstance(setting, Setting)
        return setting

    assert found("recovery", "other").source == "other"
    assert found("recovery", "other").change["recovery"].minutes == 9
    assert found("recovery", "as_is").source == "soft"
    assert found("team_support", "soft").source == "usual"
    today = small.tiny(policies__as_is={"scripts": True})
    setting = setting_of(today, "scripts", "as_is")
    assert isinstance(setting, Setting)
    assert (setting.source, setting.change) == ("off", {"scripts": False})


def test_an_oracle_is_no_source() -> None:
    scenario = small.tiny(
        policies__oracle={"recovery": {"after_intensity": 0.5, "minutes": 8}}, policies__soft=None
    )
    setting = setting_of(scenario, "recovery", "as_is")
    assert isinstance(setting, Setting)
    assert setting.source == "usual"


# --- a lever that does nothing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in LEVER_VALUES if n not in ("same_agent", "outsourcing")])
def test_a_lever_without_effect_changes_nothing_but_its_cost(neutral: Runner, name: str) -> None:
    value = dict(LEVER_VALUES[name])
    if name == "proactive_contact":
        value["helped"] = 0
    if name == "self_service":
        value["offered"] = {"order": 0.8}
    part = ranked(neutral, **{name: value})
    differences = part.differences
    paid = {
        "cash",
        "cash_and_margin",
        "once",
        "money_levers",
        "cost_per_contact",
        "cost_per_resolved_need",
        "cost_per_kept_customer",
    }
    for measure, e in differences.items():
        if measure not in paid:
            assert e.mean == e.low == e.high == 0 or np.isnan(e.mean), measure
    assert differences["cash"].mean == pytest.approx(part.own_per_year.mean, rel=1e-9)
    assert differences["money_levers"].mean == pytest.approx(part.own_per_year.mean, rel=1e-9)
    assert differences["once"].mean == pytest.approx(part.own_once, rel=1e-9)
    assert part.hours.mean == 0
    assert part.moves == ()
    assert part.own_per_year.mean + part.own_once > 0 or name == "self_service"


def test_outsourced_people_like_those_they_replace_change_nothing_for_customers(neutral: Runner) -> None:
    part = ranked(neutral, "equal_hours", outsourcing={"share": 0.3, "cost": 1.0})
    for measure in (
        "service_level",
        "heard",
        "first_contact_resolution",
        "load",
        "paid_hours",
        "margin_lost",
    ):
        assert part.differences[measure].mean == 0


@pytest.mark.usefixtures("_sooner")
def test_who_comes_back_to_the_same_person_matters_to_nobody_who_never_comes_back() -> None:
    runner = runner_of(small.busy(4, behaviour={**small.SOON, "max_attempts": 1}), 2)
    part = ranked(runner, same_agent=True)
    assert part.differences["heard"].mean == part.differences["handle_time_s"].mean == 0
    assert part.differences["cash"].mean == 0
    assert part.differences["once"].mean == runner.scenario.coefficient("same_agent_cost")


# --- what they do ----------------------------------------------------------------------------------------------------


def people_of(scenario: Scenario, policy: Policy, n: int = 3_000) -> Any:
    """Many people of each group under a policy."""
    roster = small.plain_roster(scenario, n, n)
    chosen = scenario.model_copy(update={"policies": {**scenario.policies, "variant": policy}})
    world = c.compile_world(chosen, small.natural_values(scenario), "variant", roster)
    return world, draw_people(world, 3, 0)


def test_an_assistant_helps_newcomers_and_hardly_the_experienced() -> None:
    scenario = small.tiny(groups__front__newcomers=0.3, groups__front__spread=0, groups__care__spread=0)
    world, people = people_of(scenario, policy_with(scenario, agent_assist={"groups": ["front"]}))
    front = world.staffing.group_of == 0
    ramp, quick = scenario.coefficient("ramp_speed"), scenario.coefficient("assist_newcomer_speed")
    slow, some = people.speed[front] > 0.99, people.speed[front]
    assert slow.mean() == pytest.approx(0.3, abs=0.03)
    np.testing.assert_allclose(some[slow], (1 - quick) / ramp)
    np.testing.assert_allclose(some[~slow], 1 - scenario.coefficient("assist_experienced_speed"))
    np.testing.assert_allclose(people.resolved[front][slow], scenario.coefficient("assist_newcomer_resolved"))
    assert (people.speed[~front] == 1).all()


def test_newcomers_are_those_whom_attrition_brings_where_the_file_does_not_say() -> None:
    scenario = small.tiny(attrition=0.5, behaviour={**small.SOON, "ramp_weeks": 10})
    assert c.newcomers(scenario, scenario.groups["front"]) == pytest.approx(0.5 * 70 / 365.25)
    assert c.traits_of(scenario, scenario.policy("as_is")).lot.size == 0, (
        "their slowness is in the spread already"
    )


def test_training_wears_off_between_trainings() -> None:
    assert c.lasting(1e9) == pytest.approx(1)
    months = np.linspace(0, 12, 200_001)
    assert c.lasting(6) == pytest.approx(np.mean(0.5 ** (months / 6)), rel=1e-4)
    scenario = small.tiny()
    training = {"share": 0.5, "half_life_months": 6}
    _, people = people_of(
        scenario, policy_with(scenario, empathy_training=training, boundary_training=training)
    )
    trained = people.heard > 0
    assert trained.mean() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_allclose(people.heard[trained], 0.3 * c.lasting(6))
    np.testing.assert_allclose(people.talk[trained], 1 + 0.03 * c.lasting(6))
    without = people_of(scenario, policy_with(scenario, empathy_training=training))[1]
    ratio = people.absorption / np.maximum(without.absorption, 1e-12)
    assert set(np.round(ratio[without.absorption > 0], 9)) == {1.0, round(1 - 0.25 * c.lasting(6), 9)}


def test_hiring_and_partners_change_empathy_of_their_share() -> None:
    scenario = small.tiny(groups__front__empathy=0.4)
    world, people = people_of(scenario, policy_with(scenario, hiring={"share": 0.2, "groups": ["front"]}))
    front = world.staffing.group_of == 0
    assert np.mean(people.empathy[front] == 0.4 + 0.3) == pytest.approx(0.2, abs=0.03)
    assert (people.empathy[~front] == 0.3).all()
    _, people = people_of(
        scenario, policy_with(scenario, outsourcing={"share": 0.3, "groups": ["front"], "empathy": -0.9})
    )
    assert np.mean(people.empathy[front] == 0) == pytest.approx(0.3, abs=0.03)


def test_team_support_weakens_what_exhaustion_does_to_leaving() -> None:
    scenario = small.tiny(
        policies__calm={"team_support": {}}, behaviour={**small.SOON, "leaving_per_exhaustion": 1.5}
    )
    assert lens_of(scenario, "as_is").leaving_per_exhaustion == 1.5
    assert lens_of(scenario, "calm").leaving_per_exhaustion == pytest.approx(1 + 0.5 * 0.8)


def test_messages_leave_out_some_customers_and_no_others() -> None:
    scenario = small.busy(6, policies__told={"proactive_contact": LEVER_VALUES["proactive_contact"]})
    natural, roster = small.natural_values(scenario), small.plain_roster(scenario, 4, 4)
    before, after = (
        draw_needs(c.compile_world(scenario, natural, policy, roster), 5, 0) for policy in ("as_is", "told")
    )
    kept = np.isin(before.key, after.key)
    assert np.isin(after.key, before.key).all()
    assert kept[before.type == 1].all(), "of other types nobody is missing"
    n = int((before.type == 0).sum())
    assert kept[before.type == 0].mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / n) + 0.02)
    same = before.key[kept]
    np.testing.assert_array_equal(same, after.key)
    np.testing.assert_array_equal(before.intensity[kept], after.intensity)


def test_messages_that_go_out_today_are_in_what_is_observed_today() -> None:
    today = small.tiny(
        policies__as_is={"proactive_contact": LEVER_VALUES["proactive_contact"]},
        policies__none={"proactive_contact": "none"},
    )
    np.testing.assert_allclose(c.still_called(today, today.policy("as_is")), 1)
    np.testing.assert_allclose(c.still_called(today, today.policy("none")), [1 / 0.8, 1])


def test_self_service_offers_more_and_the_further_sessions_are_contained_less() -> None:
    scenario = small.tiny(policies__wide={"self_service": {"offered": {"order": 1.0}, "contained": 0.5}})
    natural = small.natural_values(scenario)
    clock = c.clock_of(scenario)
    before, after = (c.bot_of(scenario, natural, scenario.policy(p), clock) for p in ("as_is", "wide"))
    assert (before.offered[0], after.offered[0]) == (pytest.approx(0.8), pytest.approx(1.0))
    contained = before.containment[0] * before.offered[0], after.containment[0] * after.offered[0]
    np.testing.assert_allclose(contained[1] - contained[0], 0.2 * 0.5 * before.containment[0])


@pytest.mark.usefixtures("_sooner")
def test_today_is_anchored_with_its_own_levers_and_newcomers() -> None:
    scenario = small.busy(
        6, groups__front__newcomers=0.3,
        policies__as_is={"empathy_training": {"share": 0.6}, "outsourcing": {"share": 0.3}, "same_agent": True},
    )  # fmt: skip
    anchored = anchor(scenario, plans.as_is_roster(scenario))
    rows = [row for row in anchored.misfit if row.field in ("talk", "resolved", "heard")]
    assert len(rows) == 6
    for row in rows:
        assert abs(row.off) < 0.04, row


# --- what they cost ---------------------------------------------------------------------------------------------------


def test_costs_add_up_to_the_line_and_to_what_is_paid_once(runner: Runner) -> None:
    policy = policy_with(runner.scenario, **LEVER_VALUES).model_copy(
        update={
            "costs": Policy(
                costs={"agent_assist": {"once": 70, "per_year": 30, "per_person": 2, "once_per_person": 1}}
            ).costs
        }
    )
    cell = cell_of(runner, policy)
    m = cell.money
    assert set(m.by_lever) == set(LEVER_VALUES)
    np.testing.assert_allclose(sum(a_year for a_year, _ in m.by_lever.values()), m.lines["levers"])
    assert sum(once for _, once in m.by_lever.values()) == pytest.approx(m.once)
    np.testing.assert_allclose(sum(m.lines[line] for line in CASH_LINES), m.cash)
    off = policy.model_copy(update={"agent_assist": "none"})
    assert "agent_assist" not in cell_of(runner, off).money.by_lever, "a lever that is off costs nothing"


def test_what_a_lever_costs_is_what_one_counts_by_hand(runner: Runner) -> None:
    scenario = runner.scenario
    cell = cell_of(runner, policy_with(scenario, **LEVER_VALUES))
    m, p = cell.money, cell.totals.people
    hours = p["paid_min"] / 60 - p["overtime_min"] / 60
    heads = hours / worked_share(scenario) / 37.5 / weeks_of(scenario)
    own = m.by_lever

    def yearly(name: str) -> Any:
        return own[name][0]

    np.testing.assert_allclose(yearly("agent_assist"), heads.sum(axis=1) * 500)
    assert own["agent_assist"][1] == pytest.approx(heads.sum(axis=1).mean() * 200)
    hour = np.array([24, 21]) / worked_share(scenario)
    np.testing.assert_allclose(yearly("empathy_training"), (heads * 0.5 * (300 + 6 * hour)).sum(axis=1))
    np.testing.assert_allclose(yearly("boundary_training"), heads[:, 1] * 200)
    np.testing.assert_allclose(yearly("team_support"), (heads * (50 + 10 * hour)).sum(axis=1))
    np.testing.assert_allclose(yearly("hiring"), m.leavers * 700)
    assert own["self_service"][1] == 9000
    assert own["outsourcing"][1] == pytest.approx(heads[:, 0].mean() * 0.3 * 800)
    needs = cell.totals.customers["needs"].sum(axis=(2, 3))[:, 0] * WEEKS_PER_YEAR / weeks_of(scenario)
    np.testing.assert_allclose(yearly("proactive_contact"), needs / 0.8 * 0.5 * 4 * 0.1)


def test_a_partner_is_paid_by_the_hour_and_takes_seats_and_leavers_along(neutral: Runner) -> None:
    scenario = neutral.scenario
    before = cell_of(neutral, explicit(scenario, "as_is"))
    after = cell_of(neutral, policy_with(scenario, outsourcing=LEVER_VALUES["outsourcing"]))
    p = before.totals.people
    hours = (p["paid_min"] - p["overtime_min"])[:, 0] / 60 * WEEKS_PER_YEAR / weeks_of(scenario)
    over = p["overtime_min"][:, 0] / 60 * WEEKS_PER_YEAR / weeks_of(scenario)
    worked = worked_share(scenario)
    np.testing.assert_allclose(
        before.money.lines["payroll"] - after.money.lines["payroll"], 0.3 * 24 * (hours / worked + over)
    )
    np.testing.assert_allclose(
        after.money.lines["outsourcing"] - before.money.lines["outsourcing"], 0.3 * 24 * 0.6 * (hours + over)
    )
    heads = hours / worked / 37.5 / (WEEKS_PER_YEAR)
    np.testing.assert_allclose(before.money.lines["seats"] - after.money.lines["seats"], 0.3 * heads * 3000)
    np.testing.assert_allclose(before.money.people, after.money.people)


def test_customers_met_before_they_call_are_customers_still(runner: Runner) -> None:
    """Their number does not fall because fewer of them call; what they lose patience over does."""
    before = cell_of(runner, explicit(runner.scenario, "as_is"))
    after = cell_of(runner, policy_with(runner.scenario, proactive_contact=LEVER_VALUES["proactive_contact"]))
    assert after.money.customers.mean() == pytest.approx(before.money.customers.mean(), rel=0.02)
    assert after.totals.customers["needs"].sum() < 0.95 * before.totals.customers["needs"].sum()
    assert after.money.customers_lost.mean() < before.money.customers_lost.mean()


def test_money_of_a_policy_without_these_levers_has_none_of_their_costs(runner: Runner) -> None:
    totals = runner.simulate("hard", runner.as_is)
    m = money(runner.scenario, runner.anchored.natural, "hard", totals)
    assert (m.lines["levers"] == 0).all()
    assert m.by_lever == {}
    assert own_costs.__doc__


# --- rosters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.5, 0.93, 1.0, 1.04, 1.8, 2.6])
def test_a_roster_is_fitted_by_whole_shifts_evenly(runner: Runner, factor: float) -> None:
    scenario, roster = runner.scenario, runner.as_is
    found = fitted(scenario, roster, np.array([factor, 1.0]))
    mine = [[s for s in r.shifts if s.group == 0] for r in (roster, found)]
    assert len(mine[1]) == round(len(mine[0]) * factor)
    assert sorted(s for s in roster.shifts if s.group == 1) == sorted(s for s in found.shifts if s.group == 1)
    if factor == 1:
        assert set(found.shifts) == set(roster.shifts)
    who = [(s.person, s.day) for s in mine[1]]
    assert len(set(who)) == len(who), "nobody works twice on a day"
    weeks = [len(shifts) / len({s.person for s in shifts}) for shifts in mine]
    assert weeks[1] == pytest.approx(weeks[0], rel=0.12), "nobody's week gets shorter"
    for day in range(scenario.horizon.days):
        n = [sum(s.day == day for s in shifts) for shifts in mine]
        assert n[1] == pytest.approx(n[0] * factor, abs=1.01)


def test_numbers_on_duty_are_fitted_so_that_totals_hold() -> None:
    scenario = small.tiny(**small.by_numbers(5, 3))
    roster = plans.as_is_roster(scenario)
    found = fitted(scenario, roster, np.array([1.1, 1.0]))
    assert found.on_duty[0].sum() == pytest.approx(1.1 * roster.on_duty[0].sum(), abs=1)
    np.testing.assert_array_equal(found.on_duty[1], roster.on_duty[1])
    assert (np.abs(found.on_duty[0] - 1.1 * roster.on_duty[0]) <= 1).all()


def test_blocks_lie_inside_shifts_and_beside_what_is_there(runner: Runner) -> None:
    policy = policy_with(runner.scenario, decompression={"minutes": 15, "groups": ["care"]})
    for before, after in zip(
        runner.as_is.shifts, with_blocks(runner.scenario, runner.as_is, policy).shifts, strict=True
    ):
        added = [a for a in after.activities if a.kind == "decompression"]
        assert len(added) == (before.group == 1)
        times = sorted((a.start_min, a.start_min + a.minutes) for a in after.activities)
        assert all(end <= start for (_, end), (start, _) in pairwise(times))
        assert times[-1][1] <= after.minutes


# --- the ranking -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(runner: Runner) -> tuple[list[ranking.Lever], dict[str, ranking.Base]]:
    return ranking.rank(runner, "soft", "equal_occupancy")


@pytest.fixture(scope="module")
def document(runner: Runner, found: tuple[list[ranking.Lever], dict[str, ranking.Base]]) -> dict[str, Any]:
    made = lever_report.document_of(runner, *found, policy="soft", frame="equal_occupancy", seconds=1.0)
    return json.loads(json.dumps(made, allow_nan=False))  # type: ignore[no-any-return]


def test_all_levers_are_there_the_most_worth_first(document: dict[str, Any]) -> None:
    names = [row["lever"] for row in document["levers"]] + [row["lever"] for row in document["left_out"]]
    assert sorted(names) == sorted(RANKED)
    assert set(RANKED) | {"routing"} == set(PRICED) < set(LEVERS)
    worth = [row["on_top"]["differences"]["cash_and_margin"]["mean"] for row in document["levers"]]
    assert worth == sorted(worth)


def test_lines_of_a_lever_add_up_to_its_cash(document: dict[str, Any]) -> None:
    for row in document["levers"]:
        for way in ("alone", "on_top"):
            d = row[way]["differences"]
            lines = sum(d[f"money_{line}"]["mean"] for line in CASH_LINES)
            assert lines == pytest.approx(d["cash"]["mean"], abs=1e-3)
            assert d["cash"]["mean"] + d["margin_lost"]["mean"] == pytest.approx(
                d["cash_and_margin"]["mean"], abs=1e-3
            )


def test_a_lever_in_force_is_what_goes_without_it(
    runner: Runner, found: tuple[list[ranking.Lever], dict[str, ranking.Base]]
) -> None:
    levers, bases = found
    authority = next(lever for lever in levers if lever.name == "authority")
    assert authority.on_top is not None
    assert authority.alone is not None
    assert authority.on_top.in_force
    assert not authority.alone.in_force
    ranker = Ranker(runner, "equal_occupancy")
    ranker.base(explicit(runner.scenario, "as_is"))
    soft = explicit(runner.scenario, "soft")
    cell = bases["soft"].cell
    without = ranker.on(cell, soft, soft.model_copy(update={"authority": False}))
    again = differences_of(cell, without, runner.scenario)
    assert again["cash"] == authority.on_top.differences["cash"]


def test_people_are_as_busy_with_a_lever_as_without(runner: Runner) -> None:
    """What whole shifts cannot take is priced: over all groups next to no queue time is missing."""
    ranker, base = Ranker(runner, "equal_occupancy"), explicit(runner.scenario, "as_is")
    cell = ranker.base(base)
    slow = policy_with(runner.scenario, scripts=True, early_way_out=False)
    other = ranker.on(cell, base, slow)
    missing = ranker.missing(other, ranker.busy(slow)).sum(axis=1).mean()
    queue = (
        (other.totals.people["talk_min"] + other.totals.people["acw_min"] + other.totals.people["idle_min"])
        .sum(axis=1)
        .mean()
    )
    assert abs(missing) < 0.02 * queue
    assert ranker.missing(cell, ranker.busy(base)) == pytest.approx(0, abs=1e-6)


def test_hours_that_are_priced_cost_what_people_cost(runner: Runner) -> None:
    """Half the hours by whole shifts or all by price: the same money, to the price of a shift."""
    ranker, base = Ranker(runner, "equal_occupancy"), explicit(runner.scenario, "as_is")
    cell = ranker.base(base)
    thin = fitted(runner.scenario, runner.as_is, np.array([0.9, 0.9]))
    fewer = ranker._cell(base, thin)
    priced = ranker._priced(fewer, ranker.busy(base))
    saved = cell.money.by_group.sum(axis=1).mean() - fewer.money.by_group.sum(axis=1).mean()
    added = priced.money.cash.mean() - fewer.money.cash.mean()
    assert added == pytest.approx(saved, rel=0.25)


def test_a_ceiling_brings_people_and_the_hours_say_how_many(runner: Runner) -> None:
    base = cell_of(runner, explicit(runner.scenario, "as_is"))
    work = base.totals.people
    busy = (work["talk_min"] + work["acw_min"]).sum(axis=0) / (
        work["talk_min"] + work["acw_min"] + work["idle_min"]
    ).sum(axis=0)
    ceiling = {"front": float(busy[0] * 0.9)}
    part = ranked(runner, occupancy_ceiling=ceiling)
    hours = base.totals.people["paid_min"][:, 0].mean() / 60 * WEEKS_PER_YEAR / weeks_of(runner.scenario)
    assert part.hours.mean == pytest.approx(hours / 9, rel=0.25)
    assert part.differences["cash"].mean > 0
    none = ranked(runner, occupancy_ceiling={"front": 1.0})
    assert none.differences["cash"].mean == none.hours.mean == 0


@pytest.mark.usefixtures("_sooner")
def test_without_value_kept_margin_decides_nothing() -> None:
    runner = runner_of(small.busy(4, what_if={"value": 0}), 2)
    levers, _ = ranking.rank(runner, "as_is", "equal_hours", ["authority", "empathy_training"])
    for lever in (one for one in levers if one.alone):
        assert lever.alone is not None
        d = lever.alone.differences
        assert d["margin_lost"].mean == 0
        assert d["cash_and_margin"].mean == d["cash"].mean


def test_in_equal_hours_nobody_comes_or_goes(runner: Runner) -> None:
    part = ranked(runner, "equal_hours", agent_assist={})
    assert abs(part.differences["paid_hours"].mean) < 0.01 * 7 * 8 * 20
    assert part.hours.mean < 0, "the work needs fewer hours, which are shown"
    assert part.differences["cash"].mean > ranked(runner, agent_assist={}).differences["cash"].mean


def test_at_target_both_are_planned_anew(runner: Runner) -> None:
    levers, bases = ranking.rank(runner, "as_is", "at_target", ["scripts", "authority"])
    assert {lever.name for lever in levers} == {"scripts", "authority"}
    assert bases["as_is"].cell.roster != runner.as_is
    for lever in levers:
        assert lever.alone is not None
        assert lever.alone.differences["cash"].mean != 0
        policy = policy_with(runner.scenario, **{lever.name: True})
        assert lever.alone.missed == Ranker(runner, "at_target").planned(policy)[1]
    document = lever_report.document_of(runner, levers, bases, policy="as_is", frame="at_target", seconds=1.0)
    held = not any(
        [document["windows_missed"]["as_is"], *(row["alone"]["windows_missed"] for row in document["levers"])]
    )
    assert any("In every plan all targets hold" in text for text in document["sentences"]) == held
    document["levers"][0]["alone"]["windows_missed"] = 3
    ranker, base = Ranker(runner, "at_target"), explicit(runner.scenario, "as_is")
    seeds = (9001, 9101, 9201, 9301)
    cash = [ranker._cell(base, ranker.planned(base, seed)[0]).money.cash.mean() for seed in seeds]
    half = 3.182 * np.sqrt(2) * np.std(cash, ddof=1)
    assert document["search"]["cash"] == pytest.approx(half, rel=1e-3)
    assert half > 0
    for row in document["levers"]:
        small_one = abs(row["alone"]["differences"]["cash"]["mean"]) < half
        assert (row["alone"]["verdict_on_cash"] == "cannot tell") >= small_one
    told = next(text for text in lever_report.sentences(document) if "Plans miss" in text)
    assert f"with {lever_report.quoted(document['levers'][0])} 3 windows" in told


def test_the_same_again(runner: Runner) -> None:
    one, two = (ranked(runner, empathy_training={}).differences for _ in range(2))
    assert repr(one) == repr(two)


# --- doubt, and what is kept of an interrupted ranking ----------------------------------------------------------------


def doubted(runner: Runner, names: list[str], n: int, **more: Any) -> dict[str, ranking.Lever]:
    levers, _ = ranking.rank(runner, "as_is", "equal_occupancy", names)
    return {
        lever.name: lever for lever in ranking.doubt(runner, levers, "as_is", "equal_occupancy", n, **more)
    }


def test_a_draw_is_the_ranking_with_its_coefficients_and_the_settings_of_today(runner: Runner) -> None:
    said: list[str] = []
    runner.say = said.append
    found = doubted(runner, ["agent_assist", "scripts"], 2, seed=5, lanes=2)
    runner.say = lambda _: None
    own = dict(runner.scenario.behaviour)
    rows = [key for name in found for key in (*known(name).effects, *known(name).prices)]
    drawn = evidence.draw(2, 5, own, also=rows)[1]
    assert drawn["assist_experienced_speed"] != evidence.table()["assist_experienced_speed"].default
    scenario = runner.scenario.model_copy(update={"behaviour": {k: float(v) for k, v in drawn.items()}})
    anchored = anchor(scenario, runner.as_is, replications=2, rounds=3, strict=False)
    other = Runner(scenario, replications=2, plan_replications=4, anchored=anchored, as_is=runner.as_is)
    for lever in found.values():
        assert lever.alone is not None
        assert lever.alone.doubt is not None
        assert lever.setting is not None
        ranker, base = Ranker(other, "equal_occupancy"), explicit(scenario, "as_is")
        part = ranker.rank(ranker.base(base), base, lever.setting)
        for measure, values in lever.alone.doubt.values.items():
            assert len(values) == 2
            assert values[1] == part.differences[measure].mean
            assert values[0] != values[1]
    priced = next(text for text in said if "2 draws of the coefficients, 2 levers in each" in text)
    assert " a draw, about " in priced
    assert said.index(priced) < next(k for k, text in enumerate(said) if text.startswith("draw ")), (
        "what it costs is said before"
    )


def test_only_its_price_is_in_doubt_where_a_lever_surely_does_nothing(neutral: Runner) -> None:
    found = doubted(neutral, ["agent_assist", "hiring"], 3)
    for lever in found.values():
        assert lever.alone is not None
        assert lever.alone.doubt is not None
        both = lever.alone.doubt.values
        assert both["cash_and_margin"] == pytest.approx(both["cash"], rel=1e-9)
        assert min(both["cash"]) > 0
        assert max(both["cash"]) > 1.05 * min(both["cash"])
    document = lever_report._doubted(found["hiring"].alone.doubt)  # type: ignore[union-attr,arg-type]
    assert (document["cash"]["pays"], document["cash"]["costs"]) == (0, 3)
    low, median, high = (document["cash"][k] for k in ("low", "median", "high"))
    assert min(document["cash"]["values"]) <= low < median < high <= max(document["cash"]["values"])


@pytest.mark.usefixtures("_sooner")
def test_the_sceptic_believes_no_lever_of_assumptions() -> None:
    runner = runner_of(small.busy(4), 2)
    part = doubted(runner, ["boundary_training"], 1)["boundary_training"].alone
    assert part is not None
    assert part.doubt is not None
    assert part.doubt.sceptic["cash"] == pytest.approx(part.doubt.sceptic["cash_and_margin"])
    assert part.doubt.sceptic["cash"] > 0, "it costs, and does nothing"


def test_at_target_a_draw_plans_anew(runner: Runner) -> None:
    levers, _ = ranking.rank(runner, "as_is", "at_target", ["scripts"])
    (lever,) = ranking.doubt(runner, levers, "as_is", "at_target", 1)
    assert lever.alone is not None
    assert lever.alone.doubt is not None
    assert np.isfinite([*lever.alone.doubt.values["cash"], lever.alone.doubt.sceptic["cash"]]).all()
    assert lever.alone.doubt.values["cash"][0] != lever.alone.differences["cash"].mean


def test_more_draws_leave_the_first_as_they_are(runner: Runner, tmp_path: Any) -> None:
    kept = pieces.Kept(tmp_path / "kept")
    one = doubted(runner, ["scripts"], 1, kept=kept)["scripts"].alone
    said: list[str] = []
    runner.say = said.append
    three = doubted(runner, ["scripts"], 3, kept=kept)["scripts"].alone
    runner.say = lambda _: None
    assert one is not None
    assert three is not None
    assert one.doubt is not None
    assert three.doubt is not None
    assert three.doubt.values["cash"][:1] == one.doubt.values["cash"]
    assert "found 1 of 3 draws done before" in said


@pytest.mark.parametrize("breaks_at", [1, 3, 5, 7])
def test_an_interrupted_ranking_goes_on_from_what_is_done(
    breaks_at: int, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four parts of levers, the sceptic and two draws: whichever is interrupted, nothing is done twice."""
    scenario = small.tiny(**small.by_numbers(6, 4))
    options = jobs.rank_options("soft", "equal_occupancy", 2, 5, True, ["authority", "scripts"], 2)
    whole, _ = jobs.rank_levers(scenario, options)
    begun: list[str] = []
    broken = True

    def counting(name: str) -> Any:
        once = getattr(ranking, name)

        def piece(*words: Any) -> Any:
            begun.append(name)
            if broken and len(begun) >= breaks_at:
                raise KeyboardInterrupt
            return once(*words)

        return piece

    monkeypatch.setattr(jobs, "lanes", lambda: 1)
    for name in ("_part", "_drawn"):
        monkeypatch.setattr(ranking, name, counting(name))
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        jobs.kept_ranking(scenario, options, folder=tmp_path, say=said.append)
    assert any("the same command goes on from there" in text for text in said)
    broken = False
    begun.clear()
    again = jobs.kept_ranking(scenario, options, folder=tmp_path, say=said.append)
    assert len(begun) == 7 - (breaks_at - 1), "what was done is not done again"
    for key in ("levers", "bases", "sentences", "draws"):
        assert again[key] == whole[key]
    assert not (tmp_path / pieces.UNFINISHED).exists()


def test_plans_of_the_bases_are_kept_too(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, runner: Runner
) -> None:
    kept, planned, once = pieces.Kept(tmp_path / "kept"), list[Policy](), Ranker.planned

    def counted(self: Ranker, policy: Policy, seed: int = 9001) -> tuple[Roster, int]:
        planned.append(policy)
        if len(planned) == 2:
            raise KeyboardInterrupt
        return once(self, policy, seed)

    monkeypatch.setattr(Ranker, "planned", counted)
    with pytest.raises(KeyboardInterrupt):
        ranking.rank(runner, "as_is", "at_target", ["scripts"], kept)
    _, bases = ranking.rank(runner, "as_is", "at_target", ["scripts"], kept)
    assert len(planned) == 2 + 3 + 1, (
        "as_is is planned once, again where it was broken off and twice more, then the lever"
    )
    assert (
        bases["as_is"].cell.roster == once(Ranker(runner, "at_target"), explicit(runner.scenario, "as_is"))[0]
    )


# --- files and commands --------------------------------------------------------------------------------------------------


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a group that is not there": (
        {"policies__soft__agent_assist": {"groups": ["frnt"]}}, "policies.soft.agent_assist.groups.0",
    ),
    "training nobody": ({"policies__soft__empathy_training": {"share": 0}}, "policies.soft.empathy_training.share"),
    "messages to no type": (
        {"policies__soft__proactive_contact": {"types": ["ordr"]}}, "policies.soft.proactive_contact.types.0",
    ),
    "automation where there is none": (
        {"policies__soft__self_service": {"offered": {"trouble": 0.5}}}, "policies.soft.self_service.offered.trouble",
    ),
    "less offered than today": (
        {"policies__soft__self_service": {"offered": {"order": 0.5}}}, "must be at least 0.8, as today",
    ),
    "outsourcing what is outsourced": (
        {"groups__care__outsourced": True, "policies__soft__outsourcing": {"share": 0.2, "groups": ["care"]}},
        "must be a group that is not outsourced: front",
    ),
    "nobody left to outsource": (
        {"groups__care__outsourced": True, "groups__front__outsourced": True, "policies__soft__outsourcing": {"share": 0.2}},
        "policies.soft.outsourcing: needs a group that is not outsourced",
    ),
    "costs of no lever": ({"policies__soft__costs": {"authoritty": {"once": 5}}}, "policies.soft.costs.authoritty"),
    "all are new": ({"groups__front__newcomers": 1.0}, "groups.front.newcomers: must be less than 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_levers_are_told_in_one_line(name: str, tmp_path: Any) -> None:
    changes, words = BAD[name]
    file = tmp_path / "own.yaml"
    file.write_text(small.text(**changes))
    with pytest.raises(ScenarioError) as caught:
        read(file, Scenario)
    lines = str(caught.value).splitlines()
    assert len(lines) == 1
    assert words in lines[0]
    assert lines[0].startswith(f"{file}:") or "own.yaml:" in lines[0]


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("own") / "own.yaml"
    file.write_text(small.text(types__order__offered_per_week=3000, groups__front__headcount=12))
    return file


def test_the_command_prints_one_document_and_a_ranking(own_file: Any, tmp_path: Any) -> None:
    asked = ["levers", str(own_file), "--quick", "-n", "2", "--policy", "soft", "--out", str(tmp_path), "--lever", "authority",
             "--lever", "same_agent", "--lever", "max_queue"]  # fmt: skip
    result = CliRunner().invoke(cli.app, [*asked, "--json"])
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert {row["lever"] for row in document["levers"]} == {"authority", "same_agent"}
    assert [row["lever"] for row in document["left_out"]] == ["max_queue"]
    assert document["levers"][0]["effects"][0].keys() >= {"key", "value", "low", "high", "grade", "source"}
    printed = CliRunner().invoke(cli.app, asked).stdout
    for text in (
        "Levers on top of Soft",
        "Levers alone on Today",
        "Not ranked: a limit on the queue",
        "as busy as before",
    ):
        assert text in " ".join(printed.split()), text
    assert "│" in printed


def test_the_command_tells_the_doubt(own_file: Any, tmp_path: Any) -> None:
    asked = [
        "levers",
        str(own_file),
        "-n",
        "2",
        "--out",
        str(tmp_path),
        "--lever",
        "authority",
        "--doubt",
        "2",
    ]
    result = CliRunner().invoke(cli.app, [*asked, "--json"])
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert (document["draws"], document["drawn_replications"]) == (2, 2)
    found = document["levers"][0]["alone"]["doubt"]
    assert set(found) == {"cash", "cash_and_margin"}
    for d in found.values():
        assert len(d["values"]) == 2
        assert d["pays"] == sum(value < 0 for value in d["values"])
    printed = " ".join(CliRunner().invoke(cli.app, asked).stdout.split())
    assert "How sure the conclusion is: over 2 draws" in printed
    assert "over 2 draws of the uncertain coefficients (thousand" in printed
    assert f"{found['cash']['pays']} of 2" in printed


def test_what_moves_comes_with_its_unit_and_never_as_nothing() -> None:
    def told(mean: float, unit: str) -> str:
        return lever_report.short_change({"mean": mean, "low": mean - 1, "high": mean + 1, "unit": unit})

    assert told(12.345, "s") == "+12.35 s"
    assert told(-0.0456, "share") == "-4.56 pts"
    assert told(-0.0021, "contacts") == "-0.002 contacts"
    assert told(0.00001, "share") == "+0.001 pts"
    assert told(0.0, "points") == "+0.00 points"


def test_what_draws_come_to_is_drawn_from_low_to_high() -> None:
    assert lever_report.span(-11, 11, 11) == "█" * 11 + "│" + "█" * 11
    assert lever_report.span(2, 5, 11) == " " * 11 + "│" + " " + "█" * 4 + " " * 6
    assert lever_report.span(-5, -5, 11).count("█") == 1
    assert len(lever_report.span(0, 0, 0)) == 23


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--lever", "authoritty"], "did you mean authority?"),
        (["--lever", "routing"], "must be one of: handle_time_target, scripts"),
        (["--policy", "sft"], "did you mean soft"),
        (["--frame", "at_taget"], "did you mean at_target?"),
        (["-n", "1"], "must be a whole number from 2 to 10,000"),
    ],
)
def test_bad_options_are_told_in_one_line(own_file: Any, more: list[str], words: str) -> None:
    result = CliRunner().invoke(cli.app, ["levers", str(own_file), *more])
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr


def test_a_bar_points_to_where_the_money_goes() -> None:
    assert lever_report.bar(-10, 10) == "█" * 11 + "│" + " " * 11
    assert lever_report.bar(5, 10).rstrip().endswith("█")
    assert len(lever_report.bar(0, 0)) == 23
