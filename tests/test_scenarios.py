"""Every shipped scenario reads, hangs together, and employs people enough for its load, but not far more."""

from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from planner import jobs
from planner import plan as plans
from planner.anchor import first_guess, lens_of
from planner.channels import usual_level
from planner.levers import RANKED, is_on
from planner.money import money
from planner.scenario import compile as c
from planner.scenario.load import Loaded, read
from planner.scenario.schema import Scenario
from planner.schedule.cover import solve
from planner.shrinkage import share_of, worked_share
from scripts import write_schema
from sim.measures import summary
from sim.replicate import replicate

FOLDER = Path(__file__).resolve().parents[1] / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
EXPECTED = {"bank-1999", "insurer", "retail-returns", "social-housing", "telecom-digital", "utility"}


def variants(path: Path) -> list[str]:
    raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return [*(raw.get("overrides") or {}), *(raw.get("scenarios") or {})]


VARIANTS = [(path, name) for path in FILES for name in variants(path)]


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture
def scenario(path) -> Scenario:
    return read(path, Scenario).value


def load_hours(scenario: Scenario) -> dict[str, float]:
    """Handling hours of a week by type: contacts that pass the bot, times a person's share of their handle time."""
    result = {}
    offered = c.offered_by_interval(scenario).sum(axis=1)
    for t, (name, kind) in enumerate(scenario.types.items()):
        bot = kind.automation
        asks = scenario.coefficient("asks_for_person") if bot.asks is None else bot.asks
        hangs = scenario.coefficient("hang_up") if bot.hangs_up is None else bot.hangs_up
        reach = 1 - bot.offered * (bot.contained + (1 - asks) * hangs)
        handle = c.by_interval(kind.handle.talk_s, scenario) + kind.handle.acw_s
        result[name] = float((offered[t] * handle).sum()) * reach / 3600 / usual_level(scenario, name)[0]
    return result


def queue_hours(scenario: Scenario) -> dict[str, float]:
    """Hours of a week that each group has for the queue, after leave and every other loss."""
    paid, off = 0.0, 0.0
    for shift in scenario.shifts.values():
        paid += shift.hours * 60 - sum(b.minutes for b in shift.breaks if not b.paid)
        off += sum(b.minutes for b in shift.breaks if b.paid)
    kept = worked_share(scenario) * (1 - off / paid)
    for kinds in (("absence",), ("lateness", "adherence"), ("coaching", "meeting", "training")):
        kept *= 1 - share_of(scenario, *kinds)
    return {name: group.headcount * group.hours_per_week * kept for name, group in scenario.groups.items()}


def test_the_six_stories_are_there():
    assert {path.stem for path in FILES} == EXPECTED


def test_reads_under_its_own_name(path, scenario):
    assert scenario.name == path.stem
    assert scenario.title
    assert len(scenario.story.split()) >= 40
    assert len(scenario.sources) >= 3
    assert all(len(source) > 20 for source in scenario.sources)


@pytest.mark.parametrize(("path", "name"), VARIANTS, ids=[f"{p.stem}:{n}" for p, n in VARIANTS])
def test_every_override_and_scenario_reads_and_changes_something(path, name):
    loaded = read(path, Scenario, scenario=name)
    assert loaded.applied
    assert loaded.value != read(path, Scenario).value


def test_has_overrides_and_scenarios(path):
    raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    assert len(raw["overrides"]) >= 3
    assert raw["scenarios"]


def test_the_three_standing_policies(scenario):
    assert set(scenario.policies) == {"as_is", "rigid_aht", "empathy_aware"}
    assert all(policy.title and policy.story for policy in scenario.policies.values())
    today, rigid, aware = (scenario.policy(name) for name in ("as_is", "rigid_aht", "empathy_aware"))
    assert today.handle_time_target is None
    assert today.recovery is None
    assert not today.scripts
    assert set(rigid.handle_time_target.seconds) == set(scenario.types)
    assert rigid.scripts
    assert rigid.pooled
    assert rigid.recovery == "none"
    assert aware.handle_time_target == "none"
    assert aware.recovery.button
    assert aware.authority
    assert aware.occupancy_ceiling


def test_the_target_presses_but_can_be_met(scenario):
    """Near the mean of every type, so that the pressure cuts the long contacts and not all of them."""
    for name, seconds in scenario.policies["rigid_aht"].handle_time_target.seconds.items():
        handle = scenario.types[name].handle
        mean = handle.talk_s + handle.acw_s
        assert 0.95 < seconds / mean < 1.3, name


def test_headcount_fits_the_load(scenario):
    load, hours = load_hours(scenario), queue_hours(scenario)
    assert 0.70 < sum(load.values()) / sum(hours.values()) < 0.90


def test_no_set_of_types_is_beyond_the_people_who_have_the_skill(scenario):
    load, hours = load_hours(scenario), queue_hours(scenario)
    types = list(scenario.types)
    for some in chain.from_iterable(combinations(types, n) for n in range(1, len(types) + 1)):
        able = sum(h for g, h in hours.items() if set(some) & set(scenario.skills(g)))
        assert sum(load[t] for t in some) < 0.95 * able, some


def test_containment_leaves_room_for_those_who_ask_or_hang_up(scenario):
    for name, kind in scenario.types.items():
        asks, hangs = scenario.coefficient("asks_for_person"), scenario.coefficient("hang_up")
        assert kind.automation.contained < (1 - asks) * (1 - hangs), name


def test_shifts_lie_within_opening_hours(scenario):
    if scenario.name == "insurer":
        pytest.skip("its shifts begin half an hour before the doors open")
    week = scenario.opening.by_weekday()
    for name, shift in scenario.shifts.items():
        for day in c.days_of(shift.days):
            opens, closes = week[day]
            assert opens <= shift.starts[0], name
            assert shift.starts[1] + shift.hours * 60 <= closes, name


def test_every_open_half_hour_can_be_staffed(scenario):
    week = scenario.opening.by_weekday()
    for day, opening in enumerate(week):
        if opening is None:
            continue
        covered = set()
        for shift in scenario.shifts.values():
            if day in c.days_of(shift.days):
                for start in range(shift.starts[0], shift.starts[1] + 1, shift.every_min):
                    covered |= set(range(start, start + round(shift.hours * 60), 15))
        assert set(range(opening[0], opening[1], 15)) <= covered, day


def test_nobody_is_expected_while_closed(scenario):
    """Profiles end at closing time; out-of-hours callers would all be calls back. What is written comes at any hour."""
    written = [kind.channel != "voice" for kind in scenario.types.values()]
    assert not any(written) or scenario.opening.out_of_hours == "message"
    offered = c.offered_by_interval(scenario)[np.logical_not(written)]
    week = scenario.opening.by_weekday()
    for day in range(scenario.horizon.days):
        opening = week[c.weekday_of(scenario, day)] or (0, 0)
        step = scenario.horizon.interval_min
        outside = [i for i in range(1440 // step) if not opening[0] <= i * step < opening[1]]
        assert offered[:, day, outside].sum() == 0


def test_volumes_are_those_stated(scenario):
    offered = c.offered_by_interval(scenario).sum(axis=(1, 2))
    for stated, (name, kind) in zip(offered, scenario.types.items(), strict=True):
        assert stated == pytest.approx(kind.offered_per_week), name
    assert offered.sum() / 7 > 1000


def test_natural_values_can_give_what_is_observed(scenario):
    """A ratio of emotional to calm handle time beyond what talk can carry is refused at the first guess."""
    assert first_guess(scenario).talk_factor.min() > 0


def test_a_detector_hears_what_its_story_says():
    housing = read(FOLDER / "social-housing.yaml", Scenario).value
    mould = housing.detectors["mould"]
    assert mould.target == "keyword"
    assert housing.types["damp_and_mould"].keyword > 0.5
    assert 0 < housing.types["repairs"].keyword < 0.2
    specialists = set(housing.policies["empathy_aware"].specialists.groups)
    for name in mould.types:  # a flag that no specialist may follow would be in vain
        assert any(name in housing.skills(group) for group in specialists), name
    utility = read(FOLDER / "utility.yaml", Scenario).value
    assert utility.detectors["strain"].target == "vulnerable"
    for name in utility.detectors["strain"].types:
        assert any(name in utility.skills(g) for g in utility.policies["empathy_aware"].specialists.groups), (
            name
        )


def test_the_price_change_is_an_event_that_can_be_taken_out():
    path = FOLDER / "utility.yaml"
    assert {event.kind for event in read(path, Scenario).value.events} == {"surge", "intensity_up"}
    assert read(path, Scenario, scenario="ordinary_week").value.events == ()


def test_the_telecom_has_every_channel_and_a_bot_on_each():
    telecom = read(FOLDER / "telecom-digital.yaml", Scenario).value
    assert {kind.channel for kind in telecom.types.values()} == {"voice", "chat", "messaging", "email"}
    assert all(kind.automation.contains for kind in telecom.types.values())
    assert telecom.policies["as_is"].call_back.after_s > 0
    assert telecom.opening.out_of_hours == "message"
    blended = {telecom.types[skill].channel for skill in telecom.skills("blended")}
    assert blended == {"voice", "chat", "messaging", "email"}
    assert telecom.chats("rigid_aht", "digital") > telecom.chats("as_is", "digital")
    assert telecom.chats("empathy_aware", "digital") < telecom.chats("as_is", "digital")


PROGRAMMES = {"telecom-digital": "programmes", "utility": "letter_answers"}


def test_levers_of_practice_are_used_where_a_centre_would_use_them():
    """As policies of their own in a named scenario, so that those of the file stay as they are."""
    used = set()
    for name, scenario in PROGRAMMES.items():
        before = read(FOLDER / f"{name}.yaml", Scenario).value
        after = read(FOLDER / f"{name}.yaml", Scenario, scenario=scenario).value
        assert {p: after.policies[p] for p in before.policies} == before.policies
        for policy in set(after.policies) - set(before.policies):
            assert after.policies[policy].title
            assert after.policies[policy].story
            mine = after.policy(policy)
            used |= {
                lever for lever in RANKED if is_on(mine, lever) and not is_on(before.policies["as_is"], lever)
            }
    assert used >= {
        "agent_assist", "empathy_training", "boundary_training", "hiring", "team_support", "proactive_contact",
        "self_service", "outsourcing", "same_agent", "call_back",
    }  # fmt: skip


def test_retail_is_the_story_with_little_to_keep():
    retail = read(FOLDER / "retail-returns.yaml", Scenario).value
    value = {p.stem: max(s.value for s in read(p, Scenario).value.segments.values()) for p in FILES}
    assert min(value, key=value.__getitem__) == retail.name


def test_json_schema_is_up_to_date():
    assert write_schema.main(["--check"]) == 0, "run python -m scripts.write_schema"


# --- they run -----------------------------------------------------------------------------------------------


@pytest.fixture
def cut(path) -> Loaded[Scenario]:
    """Two days of it, with what its programmes add."""
    return jobs.load(
        path.stem,
        PROGRAMMES.get(path.stem),
        ["horizon.days=2", *(["events=[]"] if path.stem == "utility" else [])],
    )


@pytest.fixture
def _sooner(monkeypatch) -> None:
    """One pass for each schedule: that it comes out whole matters here, not how cheap it is."""
    monkeypatch.setattr(plans, "solve", lambda problem, **_: solve(problem, thorough=False))


@pytest.mark.usefixtures("_sooner")
def test_two_days_run_from_file_to_proof(cut):
    """Anchored, simulated under every policy, and planned with the policy that has most in it."""
    scenario = cut.value
    with jobs.workers() as executor:
        now = jobs.today(scenario, executor=executor)
        natural = now.anchored.natural
        assert now.anchored.misfit
        result = plans.plan(
            scenario, natural, "empathy_aware", replications=2, plan_replications=4, executor=executor
        )
    assert result.violations == ()
    assert not result.requirement.unreached
    assert (
        sum(f.bare for f in result.fte)
        < sum(f.rostered for f in result.fte)
        < sum(f.paid for f in result.fte)
    )
    rosters = {**dict.fromkeys(scenario.policies, now.roster), "planned": result.roster}
    for name, roster in rosters.items():
        policy = "empathy_aware" if name == "planned" else name
        world = c.compile_world(scenario, natural, policy, roster)
        sums = replicate(world, lens_of(scenario), 2, seed=3)
        found = summary(sums)
        assert 0 < found["service_level"].mean <= 1, name
        assert 0 < found["occupancy"].mean <= 1, name
        assert found["still_open"].mean < 0.01, name
        x = sums.customers
        ends = (
            "contained",
            "hung_up",
            "answered",
            "abandoned",
            "turned_away",
            "closed",
            "in_system",
            "silent",
            "unreached",
        )
        assert np.array_equal(x["contacts"], sum(x[end] for end in ends)), name
        cash = money(scenario, natural, policy, sums)
        assert cash.cash == pytest.approx(sum(cash.lines.values()))
        assert min(line.min() for line in cash.lines.values()) >= 0
