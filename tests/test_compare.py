"""The comparison on a small centre: equal is equal, parts add up, nothing differs without a lever, nobody is favoured."""

import io
import json
import math
from collections.abc import Iterator

import numpy as np
import pytest
import small
from rich.console import Console

from planner import plan as plans
from planner import report, words
from planner.anchor import anchor
from planner.channels import unused
from planner.compare import FRAMES, Cell, Comparison, Runner, differences_of, formulas, levers_between
from planner.money import CASH_LINES, MONEY, amounts, money
from planner.report import plain
from planner.scenario.schema import LEVERS, Policy, Scenario
from planner.schedule.cover import solve
from sim.measures import CUSTOMER, PEOPLE, Estimate

POLICIES = ("as_is", "hard", "soft")


@pytest.fixture(autouse=True, scope="module")
def _sooner() -> Iterator[None]:
    """One pass for each schedule: here it matters that it keeps to the hours, not how cheap it is."""
    patch = pytest.MonkeyPatch()
    patch.setattr(plans, "solve", lambda problem, **_: solve(problem, thorough=False))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def runner(_sooner: None) -> Runner:
    scenario = small.busy(4)
    roster = plans.as_is_roster(scenario)
    anchored = anchor(scenario, roster, replications=3, rounds=3, strict=False)
    return Runner(scenario, replications=4, plan_replications=8, anchored=anchored, as_is=roster)


@pytest.fixture(scope="module")
def comparison(runner: Runner) -> Comparison:
    found = runner.run(POLICIES)
    found.doubt = runner.doubt(found, 1, replications=2)
    found.ladders["hard"] = runner.ladder("hard", found, 4)
    return found


@pytest.fixture(scope="module")
def document(comparison: Comparison) -> dict:
    made = report.comparison_document(comparison, replications=4, seed=11_001, seconds=1.0)
    return json.loads(json.dumps(made, allow_nan=False))


def with_policies(runner: Runner, **policies: Policy) -> Runner:
    """A runner on the same world, roster and natural values, with these policies beside as_is."""
    scenario = runner.scenario.model_copy(
        update={"policies": {"as_is": runner.scenario.policies["as_is"], **policies}}
    )
    return Runner(scenario, replications=3, anchored=runner.anchored, as_is=runner.as_is)


# --- frames -------------------------------------------------------------------------------------------------


def test_equal_hours_are_equal(runner: Runner, comparison: Comparison) -> None:
    base = runner.paid_hours(comparison.today.roster)
    for policy in POLICIES:
        cell = comparison.frames["equal_hours"][policy]
        assert runner.paid_hours(cell.roster) == pytest.approx(base, rel=0.005)
        assert cell.residue == pytest.approx(runner.paid_hours(cell.roster) / base - 1)
        assert runner.paid_hours(comparison.frames["at_target"][policy].roster) < 0.95 * base, "a real change"


def test_equal_budget_is_equal(comparison: Comparison, document: dict) -> None:
    cells = comparison.frames["equal_budget"]
    aim = cells["as_is"].money.cash.mean()
    for policy in ("hard", "soft"):
        assert cells[policy].money.cash.mean() == pytest.approx(aim, rel=0.005)
        assert cells[policy].residue == pytest.approx(cells[policy].money.cash.mean() / aim - 1)
    shown = {f["frame"]: f["residue"] for f in document["frames"]}
    assert shown["equal_budget"]["soft"] == cells["soft"].residue
    assert shown["equal_budget"]["as_is"] == shown["at_target"]["soft"] == 0
    dear = comparison.frames["equal_hours"]["soft"].money.cash.mean()
    assert abs(dear / aim - 1) > 0.005, "the budget did cost hours"


def test_as_is_is_planned_anew_in_every_frame(runner: Runner, comparison: Comparison, document: dict) -> None:
    """A policy that is as_is under another name differs from it by nothing, so that planning is credited to nobody."""
    assert comparison.frames["at_target"]["as_is"].roster is comparison.plans["as_is"].roster
    assert comparison.frames["equal_hours"]["as_is"].roster != comparison.today.roster
    assert comparison.today.roster is runner.as_is
    double = with_policies(runner, double=Policy())
    double.plans = {"as_is": comparison.plans["as_is"]}
    found = double.run(["double"])
    for cells in found.frames.values():
        d = differences_of(cells["double"], cells["as_is"], double.scenario)
        assert all(e.mean == 0 for e in d.values() if not math.isnan(e.mean))
    anew = document["today"]["planned_anew"]
    hours = document["frames"][1]["policies"]["as_is"]["cash"]["mean"]
    assert anew["cash"]["mean"] == pytest.approx(hours - document["today"]["measures"]["cash"]["mean"])
    assert any("planned anew" in s for s in document["frames"][1]["verdict"]["sentences"])


def test_at_target_means_the_proof_holds(comparison: Comparison) -> None:
    for policy in POLICIES:
        assert comparison.plans[policy].proof.missed == ()
        assert comparison.plans[policy].violations == ()


def cells_of(comparison: Comparison) -> list[Cell]:
    return [cell for frame in FRAMES for cell in comparison.frames[frame].values()]


# --- parts add up -------------------------------------------------------------------------------------------


def test_money_is_the_sum_of_its_lines(comparison: Comparison) -> None:
    assert len(cells_of(comparison)) == 9
    for cell in cells_of(comparison):
        assert tuple(cell.money.lines) == CASH_LINES
        assert cell.money.cash == pytest.approx(sum(cell.money.lines[name] for name in CASH_LINES))
        assert cell.money.cash_and_margin == pytest.approx(cell.money.cash + cell.money.margin_lost)
        rows = amounts(cell.money, cell.totals, comparison.scenario)
        assert rows["cash"][0] == pytest.approx(sum(rows[f"money_{name}"][0] for name in CASH_LINES))
        assert cell.money.lines["payroll"].min() > 0


def test_money_lines_by_hand(comparison: Comparison) -> None:
    """Payroll, seats, telephony, automation and policy costs from the sums themselves."""
    scenario = comparison.scenario
    cell = comparison.frames["equal_hours"]["soft"]
    years = 365.25 / 7 / 0.4
    people = cell.totals.people
    overtime = people["overtime_min"] / 60
    regular = people["paid_min"] / 60 - overtime
    pay = ((regular / 0.9 + overtime) * [24, 21]).sum(axis=1) * years
    assert cell.money.lines["payroll"] == pytest.approx(pay)
    assert cell.money.lines["overtime_premium"] == pytest.approx(
        (overtime * [24, 21]).sum(axis=1) * 0.5 * years
    )
    fte = (regular / 0.9 / 37.5 / 0.4).sum(axis=1)
    assert cell.money.lines["seats"] == pytest.approx(3000 * fte)
    assert cell.money.people == pytest.approx(fte)
    answered = cell.totals.customers["journey_answered"].sum(axis=(1, 2, 3))
    assert cell.money.lines["telephony"] == pytest.approx(0.1 * answered * years)
    conceded = answered * scenario.coefficient("concession_share") * 5 * years
    leaked = scenario.coefficient("concession_leakage")
    assert cell.money.lines["concessions"] == pytest.approx(conceded * (1 - leaked))
    assert cell.money.lines["concession_leakage"] == pytest.approx(conceded * leaked)
    sessions = cell.totals.customers["journey_sessions"].sum(axis=(2, 3))
    assert sessions[:, 1].sum() == 0
    assert cell.money.lines["automation"] == pytest.approx(20_000 + 0.2 * sessions[:, 0] * years)
    automation = {"by_segment": {"family": {"cost_per_session": 0.5}}}
    dear = small.busy(
        4, types__order__automation={**small.raw()["types"]["order"]["automation"], **automation}
    )
    by_segment = cell.totals.customers["journey_sessions"].sum(axis=(1, 3)) @ [0.2, 0.5]
    cost = money(dear, comparison.anchored.natural, "soft", cell.totals).lines["automation"]
    assert cost == pytest.approx(20_000 + by_segment * years)
    assert cell.money.lines["policy"].tolist() == [5000.0] * 4
    assert cell.money.once == 1000
    assert cell.money.lines["outsourcing"].tolist() == [0.0] * 4
    assert comparison.frames["equal_hours"]["as_is"].money.lines["concessions"].tolist() == [0.0] * 4
    idle = people["idle_min"] / 60 * years
    assert cell.money.idle_hours == pytest.approx(idle.sum(axis=1))
    assert cell.money.idle_pay == pytest.approx((idle / 0.9 * [24, 21]).sum(axis=1))


def test_work_saved_at_equal_pay_stands_apart(comparison: Comparison, document: dict) -> None:
    """More or fewer hours between contacts, said where the simulation is sure, in no total."""
    seen = 0
    for cell in cells_of(comparison):
        paid = cell.money.lines["payroll"] + cell.money.lines["outsourcing"]
        assert (cell.money.idle_pay > 0).all()
        assert (cell.money.idle_pay < paid).all()
    for frame in document["frames"]:
        for policy in ("hard", "soft"):
            d = frame["differences"][policy]["idle_hours"]
            told = [
                s
                for s in frame["verdict"]["sentences"]
                if f"leave {policy.capitalize()} " in s and s.startswith("Apart")
            ]
            sure = not d["low"] <= 0 <= d["high"]
            assert len(told) == (frame["frame"] == "equal_hours" and sure)
            for sentence in told:
                seen += 1
                assert ("more hours" in sentence) == ("nobody can cash" in sentence) == (d["mean"] > 0)
                assert ("fewer hours" in sentence) == (d["mean"] < 0)
    assert seen


@pytest.mark.parametrize(
    ("hours", "pay", "told"),
    [
        ((500, 400, 600), (9_000, 7_000, 11_000), "500.0 more hours a year between contacts than Today: work saved, worth 9.00"),
        ((500, 400, 600), (-9_000, -11_000, -7_000), "than Today: work saved that nobody can cash."),
        ((500, 400, 600), (900, -7_000, 8_800), "than Today: work saved that nobody can cash."),
        ((-500, -600, -400), (-900, -7_000, 5_200), "500.0 fewer hours a year between contacts than Today."),
    ],
)  # fmt: skip
def test_saved_hours_are_worth_what_their_pay_surely_is(hours: tuple, pay: tuple, told: str) -> None:
    """Hours may move from dear groups to cheap ones: then their pay is not told as saved."""
    d = {"idle_hours": Estimate(*hours, "hours a year"), "idle_pay": Estimate(*pay, "EUR a year")}
    (sentence,) = report._not_cashed("Soft", "Today", d, "EUR")
    assert told in sentence


def test_outsourced_people_are_counted_with_leave_and_paid_without(comparison: Comparison) -> None:
    """A plan asks for as many people whoever employs them; the partner's rate has their leave inside."""
    cell, scenario = comparison.frames["at_target"]["hard"], comparison.scenario
    care = scenario.groups["care"].model_copy(update={"outsourced": True})
    bought = scenario.model_copy(update={"groups": {**scenario.groups, "care": care}})
    found = money(bought, comparison.anchored.natural, "hard", cell.totals)
    assert found.people.tolist() == cell.money.people.tolist()
    people = cell.totals.people
    hours = people["paid_min"][:, 1] / 60
    assert found.lines["outsourcing"] == pytest.approx(hours * 21 * 365.25 / 7 / 0.4)
    assert found.lines["seats"].max() < cell.money.lines["seats"].min()
    plan = comparison.plans["hard"]
    assert found.people.mean() == pytest.approx(sum(f.paid for f in plan.fte), rel=0.02), "late minutes apart"


def test_margin_lost_counts_a_customer_once_a_year(comparison: Comparison) -> None:
    scenario = comparison.scenario
    cell = comparison.frames["equal_hours"]["as_is"]
    years = 365.25 / 7 / 0.4
    wanted = np.zeros(4)
    for s, segment in enumerate(scenario.segments.values()):
        for vulnerable in (0, 1):
            needs = cell.totals.customers["needs"][:, :, s, vulnerable].sum(axis=1)
            churned = cell.totals.customers["churned"][:, :, s, vulnerable].sum(axis=1)
            customers = needs * years / segment.needs_per_year
            once = 1 - (1 - churned / needs) ** segment.needs_per_year
            wanted += customers * once * segment.value
    assert cell.money.margin_lost == pytest.approx(wanted)


def test_paid_minutes_are_the_sum_of_what_they_are_spent_on(comparison: Comparison) -> None:
    for cell in cells_of(comparison):
        p = cell.totals.people
        paid_off_queue = p["break_min"] + p["lunch_min"] + p["offline_min"] - p["unpaid_min"]
        parts = [p[f"{name}_min"] for name in ("talk", "acw", "idle", "rest", "decompression", "absence")]
        assert p["paid_min"] == pytest.approx(sum(parts) + paid_off_queue, rel=1e-12)
        assert (paid_off_queue > 0).any()
        assert (p["absence_min"] > 0).any()
    soft, today = (comparison.frames["equal_hours"][name].totals.people for name in ("soft", "as_is"))
    assert soft["decompression_min"][:, 1].min() > 0
    assert soft["rest_min"].sum() > 0
    assert today["decompression_min"].sum() == today["rest_min"].sum() == 0


def test_rostered_time_is_paid_or_late(comparison: Comparison) -> None:
    """Paid time is rostered time and overtime, less what those who come late are not there."""
    for cell in cells_of(comparison):
        p = cell.totals.people
        gap = p["rostered_min"] + p["overtime_min"] - p["paid_min"]
        assert (gap >= -1e-6).all()
        assert (gap.sum() <= 0.02 * p["rostered_min"].sum()).all()


# --- without a lever, no difference -------------------------------------------------------------------------


def test_a_policy_that_is_as_is_differs_by_exactly_nothing(runner: Runner) -> None:
    twin = with_policies(runner, same=Policy(title="The same"))
    base, same = (twin.cell(name, runner.as_is) for name in ("as_is", "same"))
    found = differences_of(same, base, twin.scenario)
    assert len(found) > 60
    said = {name: e for name, e in found.items() if not math.isnan(e.mean)}
    assert set(found) - set(said) <= {"flag_precision", "flag_recall"}, "nothing was flagged"
    assert {name: e for name, e in said.items() if (e.mean, e.low, e.high) != (0, 0, 0)} == {}
    assert same.money.cash.tolist() == base.money.cash.tolist()


def test_differences_are_paired(runner: Runner) -> None:
    """The same customers on both sides: a difference is surer than two separate intervals make it."""
    twin = with_policies(runner, scripted=Policy(scripts=True))
    base, other = (twin.cell(name, runner.as_is) for name in ("as_is", "scripted"))
    found = differences_of(other, base, twin.scenario)["heard"]
    assert found.high < 0, "scripts cost being heard"
    above, below, _ = formulas(other, twin.scenario)["heard"]
    alone = (above / below).std(ddof=1)
    paired = (above / below - np.divide(*formulas(base, twin.scenario)["heard"][:2])).std(ddof=1)
    assert paired < alone
    assert np.array_equal(
        formulas(base, twin.scenario)["needs"][0], formulas(other, twin.scenario)["needs"][0]
    )


# --- the ladder ---------------------------------------------------------------------------------------------


def test_one_lever_does_the_same_alone_and_last(runner: Runner) -> None:
    one = with_policies(runner, scripted=Policy(scripts=True))
    assert levers_between(one.scenario, "scripted") == ["scripts", "roster"]
    cells = {name: one.cell(name, runner.as_is) for name in ("as_is", "scripted")}
    comparison = Comparison(one.scenario, one.anchored, cells["as_is"], {"equal_hours": cells}, {})
    scripts, roster = one.ladder("scripted", comparison)
    whole = differences_of(cells["scripted"], cells["as_is"], one.scenario)
    assert plain(scripts.alone) == plain(scripts.last) == plain(whole)
    assert scripts.average["heard"].mean == pytest.approx(whole["heard"].mean)
    assert scripts.average["heard"].low == pytest.approx(whole["heard"].low)
    assert scripts.average["cash"].high == pytest.approx(whole["cash"].high)
    assert whole["heard"].mean < 0
    rungs = [*roster.alone.values(), *roster.last.values()]
    assert all(e.mean == 0 for e in rungs if not math.isnan(e.mean))


def test_a_bundles_ladder_has_a_rung_for_each_lever(comparison: Comparison) -> None:
    parts = comparison.ladders["hard"]
    assert [part.lever for part in parts] == ["handle_time_target", "scripts", "early_way_out", "roster"]
    pressure = parts[0]
    assert pressure.alone["handle_time_s"].high < 0
    for name in ("cash", "heard"):
        alone, last, average = (part[name] for part in (pressure.alone, pressure.last, pressure.average))
        assert average.mean == pytest.approx((alone.mean + last.mean) / 2)
        assert average.high - average.low <= (alone.high - alone.low + last.high - last.low) / 2 + 1e-9
    rows = report.ladder_rows(comparison)["hard"]
    assert [row["what"] for row in rows] == [
        "A handle-time target on 2 contact types",
        "Scripts and checklists",
        "No early way out of the bot",
        "Its own roster (mix of groups, planned breaks, occupancy ceilings)",
    ]
    assert rows[0]["average"]["cash"] == rows[0]["average_interval"]["cash"]["mean"]
    assert pressure.alone["paid_hours"].mean == pytest.approx(0, abs=20), "staffing held"
    assert parts[2].alone["refused_person"].mean > 0


def test_a_rung_is_named_by_what_changes(runner: Runner) -> None:
    """The same lever says the contrary where it is today that has it."""
    on = small.raw()["policies"]["hard"] | {"scripts": True, "authority": True, "detectors": ["distress"]}
    scenario = small.tiny(
        policies={
            "as_is": {**on, "recovery": {"button": True}, "specialists": {"groups": ["care"]}},
            "off": {
                "handle_time_target": "none", "scripts": False, "early_way_out": True, "authority": False, "detectors": [],
                "recovery": "none", "specialists": "none", "context": 0.85, "max_queue": 30, "routing": "longest_idle",
            },
        }
    )  # fmt: skip
    said = {lever: words.lever_words(scenario, "off", lever) for lever in levers_between(scenario, "off")}
    assert said == {
        "handle_time_target": "No handle-time target",
        "scripts": "No scripts",
        "early_way_out": "An early way out of the bot",
        "context": "Context passed on by the bot in 85 % of handovers",
        "detectors": "No detectors",
        "specialists": "No specialists",
        "recovery": "No pauses after hard contacts",
        "authority": "No concessions by agents",
        "max_queue": "Turned away beyond 30 waiting",
        "roster": "Its own roster (mix of groups, planned breaks, occupancy ceilings)",
    }
    assert words.lever_words(small.tiny(), "soft", "recovery") == "Pauses after hard contacts"
    for name, policy in runner.scenario.policies.items():
        for lever in LEVERS:
            if getattr(policy, lever) is not None:
                assert "{" not in words.lever_words(runner.scenario, name, lever)


@pytest.mark.parametrize(
    ("low", "high", "said"), [(-2, -1, "saves"), (1, 2, "costs"), (-1, 2, "cannot tell"), (None, None, "cannot tell"), (0, 0, "nothing")]
)  # fmt: skip
def test_an_interval_with_zero_in_it_cannot_tell(low, high, said) -> None:
    assert report.tells({"mean": 0.5, "low": low, "high": high}) == said


@pytest.mark.parametrize("width", [80, 160])
def test_the_printed_ladder_is_cut_at_no_width(width: int, document: dict) -> None:
    out = io.StringIO()
    report.print_comparison(Console(file=out, width=width), document)
    _, _, ladder = out.getvalue().partition("What each change from Today to Hard does")
    lines = ladder.partition("Alone: the change")[0].splitlines()
    rows = [line.rstrip() for line in lines if line.startswith(("│", "┃"))]
    assert {line[0] for line in rows} == {line[-1] for line in rows} == {"│", "┃"}
    parts = document["frames"][1]["ladder"]["hard"]
    told = "".join(line.split("│")[-2] for line in rows if line.startswith("│")).split()
    said = [report.tells(part["average_interval"]["cash_and_margin"]) for part in parts]
    assert " ".join(told) == " ".join(said)
    assert "…" not in ladder


def test_what_no_rung_holds_is_told(document: dict) -> None:
    frame = document["frames"][1]
    said = report.own_costs(document, frame, "soft")
    assert said == "The policy's own costs belong to no change: +5.00 thousand EUR a year."
    assert report.own_costs(document, frame, "hard") == ""


def test_levers_between_reads_values_and_not_words(runner: Runner) -> None:
    policies = {
        "words": Policy(recovery="none", scripts=False, handle_time_target="none", max_queue=0, context=None),
        "costs": Policy(cost_per_year=10, cost_once=5),
        "planned": Policy(decompression="none", occupancy_ceiling={"care": 0.7}),
    }
    scenario = with_policies(runner, **policies).scenario
    for name in policies:
        assert levers_between(scenario, name) == ["roster"], name


# --- mechanisms, not winners --------------------------------------------------------------------------------


def recovering(**changes: object) -> tuple[Cell, Cell, Scenario]:
    """as_is, and pauses after every long contact, on the same plain numbers; costs are people and complaints alone."""
    base = {
        **small.by_numbers(6, 4),
        "horizon__days": 1,
        "costs": {"seat_per_year": 3000, "recruiting": 1500},
        "policies": {"as_is": {}, "rest": {"recovery": {"after_minutes": 4, "minutes": 8, "postpone_over": 1000,
                                                        "at_most_share": 1, "budget_min": 120}}},
    }  # fmt: skip
    scenario = small.tiny(**{**base, **changes})
    natural = small.natural_values(scenario)
    roster = small.plain_roster(scenario, 6, 4)
    cells = []
    for policy in ("as_is", "rest"):
        totals = small.simulated(scenario, natural, policy, roster, 6)
        cells.append(Cell(policy, roster, totals, money(scenario, natural, policy, totals), 0.0))
    return cells[0], cells[1], scenario


def test_without_value_and_intensity_recovery_cannot_pay() -> None:
    """Nothing to recover from, and nobody worth keeping: pauses cost service and never bring money."""
    base, rest, scenario = recovering(
        types__order__intense=0,
        types__trouble__intense=0,
        segments__home__value=0,
        segments__family__value=0,
        behaviour={**small.SOON, "return_intensity": 0, "bot_loop_intensity": 0},
    )
    found = differences_of(rest, base, scenario)
    assert found["recovery_taken"].low > 0
    assert found["service_level"].high < 0
    assert found["margin_lost"].mean == 0
    assert (rest.money.cash_and_margin >= base.money.cash_and_margin * (1 - 1e-9)).all()
    assert base.totals.people["load_area_min"].sum() == pytest.approx(0, abs=1e-6)


def test_with_intensity_recovery_lowers_load_and_exhaustion_at_a_cost_in_service() -> None:
    base, rest, scenario = recovering()
    found = differences_of(rest, base, scenario)
    assert found["load"].high < 0
    assert found["service_level"].high < 0
    assert found["paid_hours"].mean == pytest.approx(
        0, abs=0.02 * base.totals.people["paid_min"].sum() / 60 / 6
    )


def test_value_scales_margin_and_nothing_else() -> None:
    base, _, _ = recovering()
    double, _, _ = recovering(what_if={"value": 2})
    assert double.money.margin_lost == pytest.approx(2 * base.money.margin_lost)
    assert double.money.cash.tolist() == base.money.cash.tolist()


# --- doubt and the document ---------------------------------------------------------------------------------


def test_doubt_with_one_draw(comparison: Comparison) -> None:
    assert set(comparison.doubt) == {"hard", "soft"}
    for d in comparison.doubt.values():
        assert d.draws == 1
        assert all(len(values) == 1 and math.isfinite(values[0]) for values in d.values.values())
        assert set(d.flips.values()) <= {0.0, 1.0}
        assert set(d.flips) == set(d.sceptic) == set(d.values)
    default = differences_of(
        comparison.frames["equal_hours"]["hard"],
        comparison.frames["equal_hours"]["as_is"],
        comparison.scenario,
    )
    d = comparison.doubt["hard"]
    for name in d.flips:
        assert d.flips[name] == float(np.sign(d.values[name][0]) != np.sign(default[name].mean))
    assert d.sceptic["heard"] != d.values["heard"][0]


def test_document_keys(document: dict) -> None:
    assert set(document) >= {
        "scenario", "title", "story", "currency", "replications", "seed", "seconds", "policies", "anchoring",
        "frames", "doubt", "plans", "as_is_week",
    }  # fmt: skip
    assert [f["frame"] for f in document["frames"]] == list(FRAMES)
    told = {*CUSTOMER, *PEOPLE} - unused(small.tiny())
    for frame in document["frames"]:
        assert set(frame) >= {
            "frame", "meaning", "policies", "differences", "residue", "breakdown", "ladder", "verdict",
        }  # fmt: skip
        assert list(frame["policies"]) == list(POLICIES)
        assert list(frame["differences"]) == ["hard", "soft"]
        for measures in [*frame["policies"].values(), *frame["differences"].values()]:
            assert set(measures) >= {*told, "cash", "margin_lost", "cash_and_margin", "once"}
            for e in measures.values():
                assert set(e) == {"mean", "low", "high", "unit"}
                if e["mean"] is None:
                    assert e["low"] is e["high"] is None
                else:
                    assert e["low"] <= e["mean"] <= e["high"]
        assert set(frame["breakdown"]["soft"]) == {
            "by_type", "by_segment", "by_vulnerable", "by_channel", "by_group",
        }  # fmt: skip
    assert set(document["plans"]) == set(POLICIES)
    assert document["plans"]["soft"]["violations"] == []


def test_the_document_says_what_the_cells_say(comparison: Comparison, document: dict) -> None:
    frame = document["frames"][1]
    cells = comparison.frames["equal_hours"]
    assert frame["policies"]["hard"]["cash"]["mean"] == pytest.approx(cells["hard"].money.cash.mean())
    d = cells["hard"].money.cash - cells["as_is"].money.cash
    assert frame["differences"]["hard"]["cash"]["mean"] == pytest.approx(d.mean())
    half = 3.182446 * d.std(ddof=1) / 2  # t of 3 degrees of freedom, four replications
    assert frame["differences"]["hard"]["cash"]["high"] == pytest.approx(d.mean() + half, rel=1e-5)
    by_type = frame["breakdown"]["hard"]["by_type"]
    assert sum(m["contacts"]["mean"] for m in by_type.values()) == pytest.approx(
        frame["policies"]["hard"]["contacts"]["mean"]
    )


def test_parts_have_paired_differences_that_add_up(comparison: Comparison, document: dict) -> None:
    """By type, segment, channel, vulnerable or not, and group: policy less as_is, paired, in the order of the values."""
    frame, cells = document["frames"][1], comparison.frames["equal_hours"]
    assert list(frame["breakdown_differences"]) == ["hard", "soft"]
    for policy, parts in frame["breakdown_differences"].items():
        assert list(parts) == list(frame["breakdown"][policy])
        for by, some in parts.items():
            values, base = frame["breakdown"][policy][by], frame["breakdown"]["as_is"][by]
            assert list(some) == list(values)
            for name, measures in some.items():
                assert list(measures) == list(values[name])
                for key, e in measures.items():
                    if e["mean"] is not None:
                        assert e["mean"] == pytest.approx(values[name][key]["mean"] - base[name][key]["mean"])
            total = "paid_hours" if by == "by_group" else "contacts"
            assert sum(m[total]["mean"] for m in some.values()) == pytest.approx(
                frame["differences"][policy][total]["mean"], abs=1e-9
            )
    order = [cells[p].totals.customers["contacts"][:, 0].sum(axis=(1, 2)) for p in ("soft", "as_is")]
    d = order[0] - order[1]
    e = frame["breakdown_differences"]["soft"]["by_type"]["order"]["contacts"]
    half = 3.182446 * d.std(ddof=1) / 2  # t of 3 degrees of freedom, four replications
    assert (e["low"], e["high"]) == pytest.approx((d.mean() - half, d.mean() + half), rel=1e-5, abs=1e-9)
    assert document["titles"]["types"] == {"order": "Order", "trouble": "Trouble"}


def test_the_verdict_names_the_best_and_is_sure_only_beyond_doubt(runner: Runner) -> None:
    """With one rival, sure means that the paired interval leaves zero on the side of the best."""
    pair = with_policies(runner, nearly=Policy(context=0.52), scripted=Policy(scripts=True))
    sure_ones = 0
    for rival in ("nearly", "scripted"):
        cells = {name: pair.cell(name, runner.as_is) for name in ("as_is", rival)}
        found = Comparison(pair.scenario, pair.anchored, cells["as_is"], {"equal_hours": cells}, {})
        best = report.verdict(found, "equal_hours")["best"]
        d = differences_of(cells[rival], cells["as_is"], pair.scenario)
        for measure, row in best.items():
            e = d[measure]
            better = e.mean > 0 if measure in report.HIGHER_IS_BETTER else e.mean < 0
            assert row["policy"] == (rival if better else "as_is"), measure
            assert row["sure"] == (e.low > 0 or e.high < 0), measure
            sure_ones += row["sure"]
    assert 0 < sure_ones < 16


def test_the_verdict_says_who_does_best_on_what(document: dict) -> None:
    """A sentence a frame: each sure best with its value, and what cannot be told; nothing is left out."""
    for frame in document["frames"]:
        (said,) = [s for s in frame["verdict"]["sentences"] if s.startswith("Apart from money")]
        sure, _, open_ = said.partition("The simulation cannot tell")
        assert any(row["sure"] for row in frame["verdict"]["best"].values())
        for measure, row in frame["verdict"]["best"].items():
            name = report.label_of(measure)
            name = name[:1].lower() + name[1:]
            assert (name in sure) == row["sure"], (measure, said)
            assert (name in open_) == (not row["sure"]), (measure, said)
            unit = frame["policies"]["as_is"][measure]["unit"]
            assert not row["sure"] or f"{name} ({report.number(row['value'], unit)}" in sure


def test_a_line_that_makes_up_much_of_the_difference_is_named(runner: Runner) -> None:
    """Concessions are all that authority changes in cash; with their leakage they are one."""
    pair = with_policies(runner, generous=Policy(title="Generous", authority=True))
    cells = {name: pair.cell(name, runner.as_is) for name in ("as_is", "generous")}
    found = Comparison(pair.scenario, pair.anchored, cells["as_is"], {"equal_hours": cells}, {})
    (said,) = [s for s in report.verdict(found, "equal_hours")["sentences"] if s.startswith("What moves")]
    lines, base = cells["generous"].money.lines, cells["as_is"].money.lines
    gap = sum((lines[k] - base[k]).mean() for k in ("concessions", "concession_leakage"))
    gross = gap + sum(abs((lines[k] - base[k]).mean()) for k in CASH_LINES if not k.startswith("concession"))
    assert gap > 0.2 * gross
    assert words.money_of("EUR", [gap])(gap, sign=True) in said
    assert f"{100 * gap / gross:.0f} %" in said
    assert "concessions that agents make to customers" in said
    same = Comparison(
        pair.scenario,
        pair.anchored,
        cells["as_is"],
        {"equal_hours": {**cells, "generous": cells["as_is"]}},
        {},
    )
    assert not [s for s in report.verdict(same, "equal_hours")["sentences"] if s.startswith("What moves")]


def test_the_frame_at_target_says_which_target_decides(document: dict) -> None:
    for frame in document["frames"]:
        said = [s for s in frame["verdict"]["sentences"] if "to spare" in s or "falls short" in s]
        assert len(said) == (len(POLICIES) if frame["frame"] == "at_target" else 0)
    at_target = document["frames"][0]
    for policy in POLICIES:
        assert document["plans"][policy]["binding"]["sentence"] in at_target["verdict"]["sentences"]
        money = document["plans"][policy]["money"]
        assert money["cash"] == at_target["policies"][policy]["cash"]
        assert set(MONEY) == set(money)


def test_what_cannot_be_told_is_not_paid_back(document: dict) -> None:
    """One-off cash is paid back only by a saving that the simulation is sure of."""
    seen = 0
    for frame in document["frames"]:
        for policy in ("hard", "soft"):
            d = frame["differences"][policy]["cash_and_margin"]
            (said,) = [
                s for s in frame["verdict"]["sentences"] if s.startswith(f"{policy.capitalize()} against")
            ]
            assert ("paid back" in said) == (policy == "soft" and d["high"] < 0)
            together = said.split("together")[1]
            assert ("cannot tell" in together) == (d["low"] <= 0 <= d["high"])
            seen += "; once " in said
    assert seen == 3


def test_amounts_of_a_sentence_have_one_unit_and_three_figures() -> None:
    say = words.money_of("EUR", [1_036_221, 996_545, -45_120, 0])
    assert say(1_036_221) == "1.04 million EUR"
    assert say(996_545, bare=True) == "0.997"
    assert say(-45_120, sign=True) == "-0.045 million EUR"
    assert say(0, sign=True) == "0 million EUR"
    assert words.money_of("GBP", [514_420, 7])(514_420, sign=True) == "+514 thousand GBP"
    assert words.money_of("EUR", [float("nan"), 45.678])(45.678) == "45.7 EUR"
    assert words.money_of("EUR", [23_456_789.0])(23_456_789.0) == "23.5 million EUR"
    assert words.money_of("EUR", [3.2e9])(3.2e9) == "3,200 million EUR"


def test_the_verdict_turns_where_margin_outweighs_cash(comparison: Comparison, document: dict) -> None:
    for frame in document["frames"]:
        for policy, factor in frame["verdict"]["turns_at_value_factor"].items():
            d = frame["differences"][policy]
            cash, margin = d["cash"]["mean"], d["margin_lost"]["mean"]
            if frame["frame"] == "equal_budget":  # cash is equal by construction: nothing turns on it
                assert factor is None
                continue
            assert (factor is not None) == (cash * margin < 0)
            if factor is not None:
                assert cash + factor * margin == pytest.approx(0, abs=1e-6 * abs(cash))
                (said,) = [s for s in frame["verdict"]["sentences"] if f"worth {factor:.2f} times" in s]
                sure = all(d[name]["low"] * d[name]["high"] > 0 for name in ("cash", "margin_lost"))
                assert ("no more than a hint" in said) == (not sure)
        assert frame["verdict"]["sentences"]
