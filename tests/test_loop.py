"""What the loop buys: the three requirements are what their names say, judged alike, and the page is what was measured."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
import small

from benchmarks import loop
from planner import plan as plans
from planner.numbers import TypeSet
from planner.plan import BACK_OFFICE, queue_numbers
from planner.requirement import SEED, Search
from planner.scenario import compile as c
from planner.scenario.schema import Scenario
from planner.schedule.cover import solve
from sim import erlang

ONE = {
    "types__order": None, "targets": [{"measure": "service_level", "at_least": 0.8, "within_s": 30}], "policies__hard": None,
    "groups__front__skills": ["trouble"], "groups__care__skills": ["trouble"],
}  # fmt: skip
SENIOR = {
    "groups__senior": {"skills": ["order", "trouble"], "headcount": 2, "second_tier": True},
    "behaviour": {**small.SOON, **{f"escalate_{e}": 0.3 for e in ("sorted_heard", "sorted", "warm", "cold")}},
}  # fmt: skip
MAIL = {
    "types__order__channel": "email", "types__order__automation": None, "types__order__patience": None,
    "targets": [
        {"measure": "service_level", "at_least": 0.9, "within_h": 20},
        {"measure": "service_level", "at_least": 0.7, "within_s": 60, "types": ["trouble"]},
    ],
}  # fmt: skip


def searching(scenario: Scenario) -> Search:
    return Search(scenario, small.natural_values(scenario), "as_is", most_replications=4)


@cache
def of_one_type() -> Search:
    return searching(small.busy(3, **ONE))


@cache
def escalating() -> Search:
    return searching(small.busy(3, **SENIOR))


# --- the requirements -----------------------------------------------------------------------------------------------


def test_of_one_type_erlang_c_is_the_formula_rounded_up_in_every_interval() -> None:
    search = of_one_type()
    met, found = search.forecast(), loop.erlang_c(search)
    rates, handle = met.queued[0] / 3600, float(met.handle_s[0])
    expected = [
        erlang.agents_for(rate, handle, measure="g3", target=0.8, within_s=30) if rate * 3600 > 0.05 else 0
        for rate in rates.tolist()
    ]
    assert max(expected) > 5
    assert found.need[-1].tolist() == expected
    assert found.duty.sum(axis=0).tolist() == expected
    for rate, n in zip(rates.tolist(), expected, strict=True):
        if n:
            enough = erlang.queue_c(n, rate, handle, 30).service_level.g3
            fewer = erlang.queue_c(n - 1, rate, handle, 30).service_level.g3
            assert fewer < 0.8 <= enough


def test_of_one_type_erlang_a_is_the_formula_on_lagged_load_at_the_target_itself() -> None:
    search = of_one_type()
    met, found = search.forecast(), loop.erlang_a(search)
    handle, patience = float(met.handle_s[0]), float(met.patience_s[0])
    load = erlang.lagged_load(met.queued[0] / 3600, 3600, handle, cyclic=True)
    for i in np.flatnonzero(met.queued[0] > 1).tolist():
        n = erlang.agents_for(
            load[i] / handle, handle, measure="g3", target=0.8, patience_s=patience, within_s=30
        )
        assert found.need[-1, i] == max(n, np.ceil(load[i]))


def test_a_search_starts_below_the_targets_and_the_comparison_does_not() -> None:
    search = escalating()
    assert search.start().agent_hours < loop.erlang_a(search).agent_hours


def test_queues_are_added_up_over_every_set_of_types() -> None:
    search = escalating()
    met, found = search.forecast(), loop.erlang_c(search)
    assert TypeSet((2, 3), (2,)) in search.sets
    whole = sum(
        queue_numbers(
            search.scenario, name, (met.queued[t] + met.queued[t + 2]) / 3600, float(met.handle_s[t])
        )
        for t, name in enumerate(search.scenario.types)
    )
    rows = {s.types: need for s, need in zip(search.sets, found.need, strict=True)}
    assert np.allclose(rows[0, 1, 2, 3], whole)
    for types, row in rows.items():
        assert np.allclose(row, sum(rows.get((t,), 0.0) for t in types if t < 2) + (
            rows[2, 3] if set(types) >= {2, 3} else 0.0
        )), types  # fmt: skip
    assert rows[2, 3].sum() > 1
    assert (found.duty.sum(axis=0) >= whole).all()
    assert found.duty.sum() <= whole.sum() + np.count_nonzero(whole) * 2, "only shares are rounded again"


def test_pooled_needs_fewer_than_queue_by_queue() -> None:
    search = escalating()
    assert loop.erlang_a(search).agent_hours < 0.9 * loop.erlang_c(search).agent_hours


def test_deferred_work_is_its_hours_at_the_occupancy_of_a_back_office() -> None:
    search = searching(small.busy(3, **MAIL))
    met, found = search.forecast(), loop.erlang_c(search)
    assert met.waiting[0].sum() > 100
    (row,) = [need for s, need in zip(search.sets, found.need, strict=True) if s.types == (0,)]
    is_open = c.open_intervals(search.scenario).reshape(-1)
    assert row.sum() == pytest.approx(met.waiting[0].sum() * met.handle_s[0] / 3600 / BACK_OFFICE)
    assert not row[~is_open].any()
    assert np.ptp(row[is_open]) < 1e-9


# --- scheduled and judged alike -------------------------------------------------------------------------------------


def test_all_go_through_the_same_schedule_and_the_same_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled: list[dict[str, Any]] = []
    judged: list[tuple[int, int]] = []
    prove, schedule_of = loop.prove, loop.schedule_of

    def proving(*args: Any, **options: Any) -> Any:
        judged.append((options["seed"], options["replications"]))
        return prove(*args, **options)

    def scheduling(*args: Any, **options: Any) -> Any:
        scheduled.append(options)
        return schedule_of(*args, **options)

    monkeypatch.setattr(loop, "prove", proving)
    monkeypatch.setattr(loop, "schedule_of", scheduling)
    monkeypatch.setattr(plans, "solve", lambda problem, **_: solve(problem, thorough=False))
    scenario = small.busy(2)
    result = loop.steps_of(scenario, small.natural_values(scenario), replications=5, plan_replications=4)
    steps = result["steps"]
    assert list(steps) == list(loop.STEPS)
    assert judged == [(loop.JUDGE, 5)] * 4
    assert loop.JUDGE not in (SEED, SEED + 1), "whom the search and the repairs have met"
    assert scheduled == [{}] * 3
    assert len({one["windows"] for one in steps.values()}) == 1
    assert all(one["rules_broken"] == 0 for one in steps.values())
    assert steps["erlang_c"]["payroll"] > steps["erlang_a"]["payroll"]
    for one in steps.values():
        assert one["required_hours"] < one["scheduled_hours"] < one["paid_hours"]
        assert one["clearly_missed"] <= one["missed"] <= one["windows"]
        mean, low, high = one["service_level"]
        assert low < mean < high


# --- what is told ---------------------------------------------------------------------------------------------------


def test_page_and_chart_are_those_of_the_kept_figures() -> None:
    kept = json.loads(loop.KEPT.read_text(encoding="utf-8"))
    assert loop.PAGE.read_text(encoding="utf-8") == loop.page(kept)
    assert loop.CHART.read_text(encoding="utf-8") == loop.chart(kept)
    assert set(kept["scenarios"]) == set(loop.jobs.shipped())
    assert "/" not in json.dumps(kept["circumstances"])


def test_words_follow_the_figures_whichever_way_they_fall() -> None:
    kept = json.loads(loop.KEPT.read_text(encoding="utf-8"))
    steps = {"scenarios": {"insurer": kept["scenarios"]["insurer"]}}
    text = json.dumps(steps)
    worse, better = json.loads(text), json.loads(text)
    one = worse["scenarios"]["insurer"]["steps"]
    one["erlang_c"].update(missed=5, clearly_missed=3, payroll=one["repaired"]["payroll"] // 2)
    assert (
        "misses 5 of 18 windows, 3 of them clearly. It costs no more and misses in insurer."
        in loop.findings(worse)
    )
    assert "-50.0%" in loop.findings(worse)
    one = better["scenarios"]["insurer"]["steps"]
    one["erlang_c"].update(missed=0, clearly_missed=0, payroll=one["repaired"]["payroll"] * 2)
    assert "Erlang C per queue costs +100.0% to +100.0%" in loop.findings(better)
    assert "misses none of 18 windows. It has too many people in insurer." in loop.findings(better)
    one["erlang_c"].update(missed=1)
    assert "1 of 18 windows, none of them clearly. It costs more and misses all the same in insurer." in (
        loop.findings(better)
    )


def test_a_scenario_that_does_not_ship_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert loop.main(["insurrer"]) == 2
    error = capsys.readouterr().err
    assert "insurer" in error
    assert len(error.splitlines()) == 1
