"""Anchoring gives back what was there: a world with known natural values is observed, and found again from that."""

import math
from dataclasses import dataclass
from functools import cache
from unittest import mock

import numpy as np
import pytest
import small
from scipy.stats import norm
from scipy.stats import t as student

from planner.anchor import (
    FIRST_SEED,
    MOST_REPLICATIONS,
    Anchored,
    Misfit,
    _luck_of_people,
    _refuse_impossible,
    anchor,
    first_guess,
    lens_of,
    simulated_values,
)
from planner.money import money
from planner.natural import NaturalValues
from planner.plan import as_is_roster
from planner.roster import Roster
from planner.scenario import compile as c
from planner.scenario.problems import FieldError, FieldErrors
from planner.scenario.schema import Policy, Scenario
from sim.draws import draw_needs
from sim.measures import Estimate, Totals, difference, estimate, overall
from sim.replicate import replicate
from sim.world import WorldTooLargeError

BIG = {"types__order__offered_per_week": 5000, "types__trouble__offered_per_week": 3000, "horizon__days": 1}
NUMBERS = (27, 10)
REPLICATIONS = MOST_REPLICATIONS
T_ALL = float(student.ppf(0.975, REPLICATIONS - 1))
"""Student's t for so many replications: an interval's half over its standard error."""
WIDER = float(student.ppf(0.9995, REPLICATIONS - 1)) / T_ALL
"""By so much an interval of 99.9 % is wider than one of 95 %."""
# Natural odds that are not the evidence table's, so that nothing comes back by default.
CHOSEN = {
    "types__order__resolved": 0.82,
    "types__order__heard": 0.72,
    "types__trouble__resolved": 0.7,
    "types__trouble__heard": 0.66,
    "types__trouble__intense": 0.3,
}
NAMES = ("order", "trouble")


@dataclass(frozen=True)
class Known:
    """A world of natural values, and what is observed in it under as_is."""

    scenario: Scenario
    natural: NaturalValues
    roster: Roster
    sums: Totals
    observed: Scenario


def observe(seed: int) -> Known:
    natural_fields = {f"types__{name}__natural": list(small.ALL_NATURAL) for name in NAMES}
    changes = {**BIG, **CHOSEN, **small.by_numbers(*NUMBERS)}
    scenario = small.tiny(**changes, **natural_fields)
    natural = first_guess(scenario)
    roster = small.plain_roster(scenario, *NUMBERS)
    world = c.compile_world(scenario, natural, "as_is", roster, follow=False)
    sums = replicate(world, lens_of(scenario), REPLICATIONS, seed=seed)
    cust = {name: value.sum(axis=(0, 2, 3)) for name, value in sums.customers.items()}
    hot = cust["intense_handle_min"] / cust["intense_answered"]
    calm = (cust["handle_min"] - cust["intense_handle_min"]) / (cust["answered"] - cust["intense_answered"])
    for t, name in enumerate(NAMES):
        kind = scenario.types[name]
        seen = {
            field: float(above[:, t].mean() if below is None else above[:, t].sum() / below[:, t].sum())
            for field, (above, below) in simulated_values(sums).items()
            if below is None or below[:, t].sum() > 0
        }
        changes |= {
            f"types__{name}__offered_per_week": seen["offered"] * 5,
            f"types__{name}__handle__talk_s": seen["talk"],
            f"types__{name}__handle__acw_s": seen["acw"],
            f"types__{name}__resolved": seen["resolved"],
            f"types__{name}__heard": seen["heard"],
            f"types__{name}__intense": seen["intense"],
            f"types__{name}__emotional_ratio": float(hot[t] / calm[t]),
        }
        if kind.automation.offered:
            changes[f"types__{name}__automation__contained"] = seen["contained"]
    return Known(scenario, natural, roster, sums, small.tiny(**changes))


@cache
def same_draws() -> tuple[Known, Anchored]:
    known = observe(FIRST_SEED)
    with mock.patch("planner.anchor.SETTLED", 0.003):
        return known, anchor(known.observed, known.roster, replications=REPLICATIONS, rounds=20)


@cache
def fresh_draws() -> tuple[Known, Anchored]:
    known = observe(4_242)
    return known, anchor(known.observed, known.roster, replications=REPLICATIONS, rounds=10)


def plain_terms(scenario: Scenario, natural: NaturalValues) -> dict[str, np.ndarray]:
    """Natural values in terms that two ways of stating the same world share."""
    offered = c.offered_by_interval(scenario).sum(axis=(1, 2))
    talk, acw = (
        np.array([getattr(k.handle, f) for k in scenario.types.values()]) for f in ("talk_s", "acw_s")
    )
    bot = c.bot_of(scenario, natural, scenario.policies["as_is"], c.clock_of(scenario))
    return {
        "needs": offered * natural.needs_per_contact,
        "talk": talk * natural.talk_factor,
        "acw": acw * natural.acw_factor,
        "resolved": natural.resolved,
        "heard": natural.heard,
        "intensity": natural.intensity_mean,
        "contained": bot.containment[:1, 0],
    }


def test_known_natural_values_come_back_on_the_same_draws() -> None:
    """On the very draws that were observed there is no luck: what is left is where the rounds stop.

    They stop here when the largest correction is below 0.3 % (of the value, or of 0.5 on the logit scale); as corrections
    shrink about by half from round to round, what is left is about as much again.
    """
    known, anchored = same_draws()
    before, after = plain_terms(known.scenario, known.natural), plain_terms(known.observed, anchored.natural)
    for name in ("needs", "talk", "acw", "contained"):
        assert after[name] == pytest.approx(before[name], rel=0.01), name
    for name in ("resolved", "heard", "intensity"):
        assert after[name] == pytest.approx(before[name], abs=0.015), name
    # The loading comes from quadrature alone and is never corrected: repeats and listening leave a little.
    loading = anchored.natural.intensity_loading - known.natural.intensity_loading
    assert np.abs(loading).max() < 0.06


def test_known_natural_values_come_back_on_other_draws_within_their_intervals() -> None:
    """The observed are means over n replications, the anchor's over as many others, so that a natural value is off by
    sd sqrt(2 / n) in observed terms, over the slope from natural to observed; fourteen comparisons at 99 % together.

    The slopes: 1 in relative terms for needs, talk and ACW, p (1 - p) for log-odds, the density for the intensity's centre.
    """
    known, anchored = fresh_draws()
    before, after = plain_terms(known.scenario, known.natural), plain_terms(known.observed, anchored.natural)
    z = float(norm.ppf(1 - 0.01 / 28))
    spread = known.scenario.coefficient("intensity_spread")
    for name, field in [
        ("needs", "offered"), ("talk", "talk"), ("acw", "acw"), ("resolved", "resolved"), ("heard", "heard"),
        ("intensity", "intense"), ("contained", "contained"),
    ]:  # fmt: skip
        above, below = simulated_values(known.sums)[field]
        for t in range(len(before[name])):
            seen = estimate(above[:, t], None if below is None else below[:, t])
            share = seen.mean
            slope = {
                "needs": share / before["needs"][t],
                "talk": share / before["talk"][t],
                "acw": share / before["acw"][t],
                "resolved": share * (1 - share),
                "heard": share * (1 - share),
                "intensity": norm.pdf(norm.ppf(share)) / spread,
                "contained": share / before["contained"][0],
            }[name]
            se = (seen.high - seen.low) / 2 / T_ALL
            assert abs(after[name][t] - before[name][t]) < z * math.sqrt(2) * se / slope, (name, t)


def test_simulating_as_is_gives_the_observed_back() -> None:
    """Observed, anchored and checked on three lots of draws, each with its luck: thirteen comparisons at 99 % together."""
    known, anchored = fresh_draws()
    z = float(norm.ppf(1 - 0.01 / 26))
    assert len(anchored.misfit) == 13, "seven fields of two types, no bot on one"
    for row in anchored.misfit:
        above, below = simulated_values(known.sums)[row.field]
        t = NAMES.index(row.type)
        seen = estimate(above[:, t], None if below is None else below[:, t])
        assert row.observed == pytest.approx(seen.mean)
        se = [(e.high - e.low) / 2 / T_ALL for e in (seen, seen, row.simulated)]
        assert abs(row.simulated.mean - row.observed) < z * math.hypot(*se), row
        assert row.off == pytest.approx(row.simulated.mean / row.observed - 1)


def test_observed_after_contact_work_comes_back_from_slow_people() -> None:
    """People who take a quarter longer over everything stretch ACW as well as talk: each is anchored by itself."""
    slow = {f"groups__{g}__speed": dict.fromkeys(NAMES, 1.25) for g in ("front", "care")}
    scenario = small.tiny(**BIG, **small.by_numbers(34, 13), **slow, types__order__handle__acw_s=0)
    anchored = anchor(scenario, small.plain_roster(scenario, 34, 13), replications=4, rounds=5)
    rows = {(row.type, row.field): row for row in anchored.misfit}
    # Anchored on 3,000 exponential times and checked on as many: 2.6 % standard error, three of them.
    assert rows["trouble", "acw"].observed == 60
    assert abs(rows["trouble", "acw"].off) < 0.08
    assert abs(rows["trouble", "talk"].off) < 0.08
    assert anchored.natural.acw_factor[1] == pytest.approx(1 / 1.25, rel=0.08)
    assert ("order", "acw") not in rows
    assert anchored.natural.acw_factor[0] == 1, "nothing is said of work that there is not"


def test_observed_attrition_comes_back() -> None:
    known, anchored = same_draws()
    sums = small.simulated(known.observed, anchored.natural, "as_is", known.roster, 6)
    assert known.observed.attrition is None
    found = money(known.observed, anchored.natural, "as_is", sums).attrition.mean()
    assert found == pytest.approx(known.observed.coefficient("attrition"), rel=0.05)
    assert anchored.natural.exhaustion.min() > 0.3, (
        "base hazards hold at the exhaustion of as_is, not at none"
    )


def test_base_rates_hold_at_the_load_of_as_is_and_not_at_zero() -> None:
    """The base odds of the observed numbers, taken at zero load, miss them; the anchored ones do not."""
    known, anchored = same_draws()
    naive = first_guess(known.observed)
    assert (anchored.natural.resolved > naive.resolved + 0.1).all()
    assert (anchored.natural.heard > naive.heard + 0.1).all()
    sums = {
        which: small.simulated(known.observed, natural, "as_is", known.roster, 6)
        for which, natural in (("naive", naive), ("anchored", anchored.natural))
    }
    for t, name in enumerate(NAMES):
        aim = known.observed.types[name].resolved
        got = {}
        for which, several in sums.items():
            above, below = simulated_values(several)["resolved"]
            got[which] = estimate(above[:, t], below[:, t])
        assert got["naive"].high < aim
        assert got["anchored"].mean == pytest.approx(aim, abs=0.025)


@pytest.mark.parametrize(
    "levers",
    [{}, {"scripts": False, "handle_time_target": "none", "recovery": "none", "authority": False}],
    ids=["left out", "said outright"],
)
def test_a_lever_left_as_it_is_changes_nothing(levers: dict[str, object]) -> None:
    known, anchored = same_draws()
    policies = {"as_is": Policy(), "same": Policy.model_validate(levers)}
    scenario = known.observed.model_copy(update={"policies": policies})
    today, same = (
        small.simulated(scenario, anchored.natural, name, known.roster, 2) for name in ("as_is", "same")
    )
    for part in range(3):
        for name, value in today[part].items():
            assert np.array_equal(value, same[part][name]), name


def test_what_is_marked_natural_is_left_alone() -> None:
    changes = {
        **BIG,
        **small.by_numbers(*NUMBERS),
        "types__order__natural": ["handle", "resolved", "offered"],
    }
    scenario = small.tiny(**changes)
    anchored = anchor(scenario, small.plain_roster(scenario, *NUMBERS), replications=2, rounds=3)
    natural = anchored.natural
    assert natural.talk_factor[0] == natural.acw_factor[0] == 1
    assert natural.needs_per_contact[0] == 1
    assert natural.resolved[0] == pytest.approx(math.log(0.75 / 0.25))
    assert natural.talk_factor[1] != 1
    assert natural.acw_factor[1] != 1
    assert natural.needs_per_contact[1] < 1
    assert natural.resolved[1] != pytest.approx(math.log(0.65 / 0.35), abs=0.01)
    shown = {(row.type, row.field) for row in anchored.misfit}
    assert not {("order", field) for field in ("talk", "acw", "resolved", "offered")} & shown
    assert {("order", "heard"), ("trouble", "talk"), ("trouble", "acw")} <= shown


def test_observed_numbers_that_nothing_can_give_are_refused_with_their_field() -> None:
    """Every handover without context costs a minute: 20 s of talk cannot be what is left."""
    scenario = small.tiny(
        **BIG,
        **small.by_numbers(*NUMBERS),
        types__order__handle__talk_s=20,
        types__order__automation__context=0,
        types__order__automation__offered=1,
    )
    roster = small.plain_roster(scenario, *NUMBERS)
    with pytest.raises(FieldError, match="cannot be what is observed") as caught:
        anchor(scenario, roster, replications=2)
    assert caught.value.path == ("types", "order", "handle", "talk_s")
    assert caught.value.found == pytest.approx(20)
    assert anchor(scenario, roster, replications=2, strict=False).misfit, (
        "draws of coefficients may be extreme"
    )


def test_a_small_centre_is_not_refused_for_its_luck() -> None:
    """Six intense contacts in a hundred, of a few hundred a week: four replications can miss them by half."""
    week = {
        "horizon__days": 5,
        "types__order__offered_per_week": 500,
        "types__trouble__offered_per_week": 250,
    }
    scenario = small.tiny(**week, groups__front__headcount=2, groups__care__headcount=2)
    anchored = anchor(scenario, small.plain_roster(scenario, 2, 2))
    off = {(row.type, row.field): abs(row.off) for row in anchored.misfit}
    assert off["order", "talk"] < 0.15
    assert len(off) == 13


@pytest.mark.parametrize("a_week", [0.01, 0.3, 2])
def test_a_type_that_hardly_anybody_has_is_not_refused_for_its_luck(a_week: float) -> None:
    """Of a dozen contacts all may be resolved and none intense: no spread, and nothing told."""
    scenario = small.tiny(types__order__offered_per_week=a_week)
    anchored = anchor(scenario, small.plain_roster(scenario, 4, 3))
    assert {row.type for row in anchored.misfit} >= {"order", "trouble"}


def test_volumes_beyond_what_a_simulation_holds_are_refused_before_anything_is_drawn() -> None:
    scenario = small.tiny(types__trouble__offered_per_week=1e8)
    with pytest.raises(FieldError, match="must leave at most 8,388,608 contacts of all types") as caught:
        first_guess(scenario)
    assert caught.value.path == ("types", "trouble", "offered_per_week")
    world = c.compile_world(
        small.tiny(types__trouble__offered_per_week=1e8), small.natural_values(small.tiny()), "as_is",
        small.plain_roster(scenario, 4, 3),
    )  # fmt: skip
    with pytest.raises(WorldTooLargeError, match="needs in one replication"):
        draw_needs(world, 1, 0)


def test_all_observed_numbers_that_nothing_can_give_are_told_at_once() -> None:
    scenario = small.tiny(**BIG, **small.by_numbers(*NUMBERS))
    nearest = Estimate(100.0, 99.0, 101.0, "s")
    rows = (
        Misfit("order", "talk", 180.0, nearest, 1e4),
        Misfit("trouble", "acw", 60.0, nearest, 1e4),
        Misfit("trouble", "talk", 360.0, nearest, 20),
    )
    with pytest.raises(FieldErrors) as caught:
        _refuse_impossible(scenario, rows)
    assert [error.path for error in caught.value.errors] == [
        ("types", "order", "handle", "talk_s"), ("types", "trouble", "handle", "acw_s"),
    ]  # fmt: skip


def test_an_emotional_ratio_beyond_the_spread_of_talk_is_refused_with_its_field() -> None:
    scenario = small.tiny(types__trouble__emotional_ratio=2.5, types__trouble__handle__cv=0.2)
    with pytest.raises(FieldError, match="must be a ratio from") as caught:
        first_guess(scenario)
    assert caught.value.path == ("types", "trouble", "emotional_ratio")
    assert caught.value.found == 2.5


@pytest.mark.parametrize(
    ("handle", "field", "least"),
    [
        ({"talk_s": 180, "acw_s": 30, "cv": 0}, "cv", 0.3),
        ({"talk_s": 5, "acw_s": 600}, "talk_s", 172),
    ],
)
def test_what_keeps_intense_contacts_short_is_named_with_what_would_do(
    handle: dict[str, float], field: str, least: float
) -> None:
    with pytest.raises(FieldError, match=f"must be at least {least:g}") as caught:
        first_guess(small.tiny(types__order__handle=handle))
    assert caught.value.path == ("types", "order", "handle", field)
    first_guess(small.tiny(types__order__handle={**handle, field: least}))


# --- the handle-time target ---------------------------------------------------------------------------------

CALM = {
    "load_on_talk": 0.0,
    "queue_speed_up": 0.0,
    **dict.fromkeys(("passed_on", "resolved_unmet", "heard_unmet"), 0.0),
}


@cache
def pressed(drop: float, seconds: float) -> tuple[Totals, Totals, Scenario, NaturalValues]:
    """The same centre without and with a target on everything; the pressure has no other consequence.

    Its people are alike: the cut is solved from the anchor's handle times, whose luck the paired interval does not hold.
    """
    scenario = small.tiny(
        **BIG,
        groups__front__spread=0.0,
        groups__care__spread=0.0,
        **small.by_numbers(*NUMBERS),
        behaviour={**small.SOON, **CALM},
        policies={
            "as_is": {},
            "hard": {
                "handle_time_target": {"seconds": {"order": seconds, "trouble": 2 * seconds}, "drop": drop}
            },
        },
    )
    roster = small.plain_roster(scenario, *NUMBERS)
    natural = anchor(scenario, roster, replications=REPLICATIONS, rounds=5).natural
    today, hard = (
        small.simulated(scenario, natural, name, roster, REPLICATIONS) for name in ("as_is", "hard")
    )
    return today, hard, scenario, natural


@pytest.mark.parametrize("drop", [0.03, 0.1])
def test_the_drop_under_as_is_conditions_is_the_stated_one(drop: float) -> None:
    """Paired: mean handle time with the target less 1 - drop times the one without, within its 99.9 % interval."""
    today, hard, _, _ = pressed(drop, 230.0)
    sums = [overall(totals.customers) for totals in (hard, today)]
    (a, b), (e, f) = [(s["handle_min"], s["answered"]) for s in sums]
    gap = difference((a, b), (e * (1 - drop), f))
    assert abs(gap.mean) < (gap.high - gap.mean) * WIDER
    fall = 1 - (a.sum() / b.sum()) / (e.sum() / f.sum())
    assert fall == pytest.approx(drop, abs=0.006)
    assert (hard.customers["handle_min"] < hard.customers["full_min"]).any()


def test_a_target_that_cannot_achieve_the_drop_cuts_everything_above_it() -> None:
    _, hard, scenario, natural = pressed(0.5, 900.0)
    cut = c.levers_of(scenario, natural, scenario.policy("hard")).cut
    assert cut.tolist() == [1.0, 1.0]
    sums = overall(hard.customers)
    fall = 1 - sums["handle_min"].sum() / sums["full_min"].sum()
    assert 0 < fall < 0.2


def test_cut_for_drop_by_hand() -> None:
    handle = np.array([[50.0, 150.0], [100.0, 300.0]])
    handled, target = np.array([30.0, 10.0]), np.array([100.0, 200.0])
    # means 100 and 200: 5,000 in all; above the targets 25 x 30 + 50 x 10 = 1,250.
    assert c.cut_for_drop(handle, handled, target, 0.1) == pytest.approx([0.4, 0.4])
    assert c.cut_for_drop(handle, handled, target, 0.25).tolist() == [1.0, 1.0]
    assert c.cut_for_drop(handle, handled, target, 0.6).tolist() == [1.0, 1.0], "never more than all of it"
    assert c.cut_for_drop(handle, handled, np.array([100.0, 0.0]), 0.1) == pytest.approx([0.4, 0.0])
    assert c.cut_for_drop(handle, handled, np.array([400.0, 400.0]), 0.1).tolist() == [0.0, 0.0]
    assert c.cut_for_drop(handle, handled, target, 0.0).tolist() == [0.0, 0.0]


def test_attrition_and_absence_stand_in_the_misfit_table_where_they_are_observed() -> None:
    scenario = small.busy(3, attrition=0.3)
    anchored = anchor(scenario, as_is_roster(scenario), replications=4)
    rows = {row.field: row for row in anchored.misfit if row.type == "everyone"}
    assert rows["attrition"].observed == 0.3
    assert abs(rows["attrition"].off) < 0.02
    assert rows["absence"].observed == 0.06
    # Monday and Tuesday alone: on Mondays more are ill.
    absence, expected = rows["absence"].simulated, 0.06 * c._by_weekday(scenario, "absence")[:2].mean()
    assert abs(absence.mean - expected) < (absence.high - absence.mean) * WIDER
    assert not [
        row
        for row in anchor(small.tiny(), as_is_roster(small.tiny()), strict=False).misfit
        if row.field == "attrition"
    ]


def test_a_drawn_ratio_that_a_type_cannot_have_gives_way_to_the_nearest() -> None:
    scenario = small.tiny(behaviour={"emotional_ratio": 2.9})
    with pytest.raises((FieldError, FieldErrors)):
        first_guess(scenario)
    nearest, fitting = first_guess(scenario, strict=False), first_guess(small.tiny())
    assert (nearest.intensity_loading >= fitting.intensity_loading).all()
    assert nearest.intensity_loading.max() == pytest.approx(0.98, abs=1e-3)
    anchored = anchor(scenario, as_is_roster(scenario), replications=2, rounds=2, strict=False)
    assert np.isfinite(anchored.natural.intensity_mean).all()


def test_small_centres_are_anchored_on_more_replications() -> None:
    """The mean of n people's speeds varies by spread / sqrt(n); a tenth of the people takes ten times the replications."""
    for headcount in (4, 40):
        scenario = small.tiny(
            groups__front__headcount=headcount, groups__front__spread=0.2, groups__care__spread=0.2
        )
        roster = as_is_roster(scenario)
        n = int(roster.people(2).sum())
        assert n >= headcount
        assert _luck_of_people(scenario, roster) == pytest.approx(0.2**2 / n)
    said: list[str] = []
    anchored = {}
    for spread in (0.0, 0.2):
        scenario = small.busy(4, groups__front__spread=spread, groups__care__spread=spread)
        anchored[spread] = anchor(scenario, as_is_roster(scenario), rounds=3, say=said.append)
    wide, narrow = (
        {m.field: m.contacts for m in anchored[s].misfit if m.type == "order"}["talk"] for s in (0.2, 0.0)
    )
    assert wide > 2 * narrow
