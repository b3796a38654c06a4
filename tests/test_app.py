"""The app, page by page, on a small centre whose comparison is already made."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app_pages import roster_charts, show, state, work
from planner import evidence, jobs, ranking, report, runs
from planner.compare import FRAMES
from planner.compare import SEED as COMPARE_SEED
from planner.rostering.wishes import Wishes
from planner.scenario.problems import Problem, ScenarioError

pytestmark = pytest.mark.xdist_group("app")
ROOT = Path(__file__).resolve().parents[1]
PAGES = ("compare", "week", "roster", "mix", "ladder", "levers", "evidence")
LEVERS = ["authority", "empathy_training", "max_queue", "recovery", "same_agent"]
TINY = """
name: tiny
title: A small desk
horizon: {start: 2026-03-02, days: 1, interval_min: 60, warm_up_days: 1, follow_up_days: 1}
opening: {hours: {every day: "09:00-17:00"}}
segments:
  homes: {share: 0.7, value: 300, needs_per_year: 2, vulnerable: 0.1}
  firms: {share: 0.3, value: 900, needs_per_year: 3}
types:
  routine:
    title: Routine
    offered_per_week: 1400
    handle: {talk_s: 240, acw_s: 30}
    automation: {offered: 0.8, contained: 0.4}
  hard: {title: Hard, offered_per_week: 420, handle: {talk_s: 480, acw_s: 60}, intense: 0.35, emotional: true}
groups:
  desk: {title: The desk, skills: [routine, hard], headcount: 14, cost_per_hour: 25}
shrinkage:
  - {name: Sickness, kind: absence, share: 0.05}
  - {name: Holiday, kind: leave, share: 0.1}
shifts:
  day: {hours: 8, starts: "08:00-09:00", every_min: 60}
  half: {hours: 4, starts: "09:00-13:00", every_min: 60}
targets:
  - {measure: service_level, at_least: 0.8, within_s: 30}
costs: {currency: "$", seat_per_year: 3000, complaint: 50}
policies:
  as_is: {title: Today}
  rigid_aht: {title: Rigid AHT, handle_time_target: {seconds: 300}, scripts: true}
  empathy_aware: {title: Empathy-aware, recovery: {after_types: [hard], minutes: 3}, authority: true}
overrides:
  more_volume: {what_if.volume: 1.1}
scenarios:
  busy: [more_volume]
"""
ROSTER = Wishes(replications=2, quick=True, rounds=0)
Place = tuple[Path, Path]


@cache
def _made() -> tuple[tempfile.TemporaryDirectory[str], Place]:
    aside = tempfile.TemporaryDirectory(prefix="unhurried-test-")
    file, folder = Path(aside.name) / "tiny.yaml", Path(aside.name) / "runs"
    file.write_text(TINY, encoding="utf-8")
    scenario = jobs.load(str(file)).value
    options = jobs.compare_options(list(scenario.policies), FRAMES, 2, COMPARE_SEED, True, 0, True)
    jobs.kept_compare(scenario, options, folder=folder)
    ranked = jobs.rank_options("empathy_aware", "equal_occupancy", 2, COMPARE_SEED, True, LEVERS)
    jobs.kept_ranking(scenario, ranked, folder=folder)
    jobs.kept_roster(jobs.load(str(file)), "as_is", ROSTER, folder=folder)
    return aside, (file, folder)


def tiny_place() -> Place:
    """A small scenario's file and the folder that holds its comparison; made once."""
    return _made()[1]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    file, folder = tiny_place()
    monkeypatch.setenv("UNHURRIED_SCENARIO", str(file))
    monkeypatch.setenv("UNHURRIED_RUNS", str(folder))
    return file, folder


@pytest.fixture
def opened(place: Place) -> Callable[[str], AppTest]:
    def at(page: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        return app if page == "compare" else app.switch_page(f"app_pages/{page}.py").run()

    return at


def settled(app: AppTest, key: str = "waits") -> AppTest:
    """The app when the work it waits for has ended, and has been taken up."""
    for _ in range(600):
        waited = work.of(app.session_state[key])
        if waited is None:
            return app
        if waited.ended:
            return app.run()
        time.sleep(0.1)
    raise TimeoutError


def words(app: AppTest) -> str:
    """Everything said on the page."""
    kinds = (
        app.title,
        app.header,
        app.subheader,
        app.markdown,
        app.caption,
        app.warning,
        app.error,
        app.info,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("page", PAGES)
def test_page_opens_computed_with_a_sentence_and_without_a_traceback(
    page: str, opened: Callable[[str], AppTest]
) -> None:
    app = opened(page)
    assert not app.exception
    assert not app.error
    assert app.title
    assert any(element.value.startswith("**") for element in app.markdown), "a sentence comes first"
    assert not app.get("status"), "nothing was computed"


def test_compare_shows_verdict_measures_money_and_endings(opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    text = words(app)
    assert "A small desk" in text
    assert "2 replications" in text
    assert "costs least" in text or "cannot tell" in text
    values, money = app.table[0].value, app.table[1].value
    assert {"Today", "Rigid AHT", "Empathy-aware"} <= set(values.columns)
    assert {"= Cash", "Margin of customers lost", "= Cash and margin lost"} <= set(money["Measure"])
    level = values.set_index("Measure").loc["Service level", "Today"]
    assert level.count("[") == 1
    assert "%" in level, "a mean with its interval"
    assert len(app.get("vega_lite_chart")) + len(app.get("arrow_vega_lite_chart")) >= 4


@pytest.mark.parametrize("frame", FRAMES)
def test_each_frame_can_be_chosen(frame: str, opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    app.get_by_key("frame").set_value(frame).run()
    assert not app.exception
    assert "costs least" in words(app) or "cannot tell" in words(app)


@pytest.mark.parametrize("part", ["By segment", "By channel", "Vulnerable or not", "By group of people"])
def test_breakdowns_open_one_by_one(part: str, opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    app.session_state["parts"] = part
    app.run()
    assert not app.exception
    assert {part, "Rigid AHT less Today"} <= set(app.table[-1].value.columns)


def test_moved_lever_says_that_the_result_belongs_to_other_settings(opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    volume = next(s for s in app.slider if s.label == "Volume")
    volume.set_value(120).run()
    assert not app.exception
    assert "have not been run yet" in app.warning[0].value
    assert "as the file has it" in app.warning[0].value
    next(b for b in app.button if b.label.startswith("Back to")).click().run()
    assert not app.warning
    assert next(s for s in app.slider if s.label == "Volume").value == 100


def test_named_scenario_is_read_and_waits_for_the_button(opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    app.selectbox(key="with").set_value("busy").run()
    assert next(s for s in app.slider if s.label == "Volume").value == 110
    assert app.warning
    app.switch_page("app_pages/week.py").run()
    assert app.selectbox(key="with").value == "busy", "the question is the same on every page"
    assert app.warning


def test_moved_levers_reach_the_run(
    opened: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def record(scenario: Any, options: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        kwargs["say"]("planning as_is at target")
        asked.append((scenario, options, kwargs["applied"]))
        raise ValueError("stopped\nhere")

    app = opened("compare")
    monkeypatch.setattr(jobs, "kept_compare", record)
    moves = {
        "Volume": 120, "People employed today": 90, "Customers lost after bad contacts": 50, "Value of a customer": 200,
        "Handle-time target": 80, "Handle time cut by pressure": 12, "Pause after a hard contact": 2.5, "Most pauses in a shift": 45.0,
    }  # fmt: skip
    for name, value in moves.items():
        next(s for s in app.slider if s.label == name).set_value(value)
    app.run()
    next(b for b in app.button if b.label == "Run").click().run()
    settled(app)
    scenario, options, applied = asked[0]
    world, rest = scenario.what_if, scenario.policies["empathy_aware"].recovery
    assert (world.volume, world.headcount, world.churn, world.value) == (1.2, 0.9, 0.5, 2.0)
    assert scenario.policies["rigid_aht"].handle_time_target.seconds == 240
    assert scenario.policies["rigid_aht"].handle_time_target.drop == 0.12
    assert (rest.minutes, rest.budget_min) == (2.5, 45)
    assert options["replications"] == 3
    assert len(applied) == len(moves)
    assert not app.exception
    assert "stopped here" in app.error[0].value, "one line, no traceback"


def test_containment_for_all_types(opened: Callable[[str], AppTest]) -> None:
    app = opened("mix")
    how = next(c for c in app.get("segmented_control") if c.label == "Containment")
    how.set_value("One share").run()
    next(s for s in app.slider if s.label.startswith("Contained")).set_value(60).run()
    assert not app.exception
    assert app.session_state["asked"].what_if.contained == 0.6


def test_run_finds_what_was_kept_and_the_locked_result_stays(opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    next(n for n in app.number_input if n.label == "Replications").set_value(2)
    next(b for b in app.button if b.label == "Run").click().run()
    assert not app.exception
    assert not app.error
    next(b for b in app.button if b.label.startswith("Lock")).click().run()
    assert "Locked baseline" in words(app)
    assert "It is the result shown" in words(app)
    next(b for b in app.button if b.label == "Unlock").click().run()
    assert "Locked baseline" not in words(app)


def test_locked_result_gives_differences(opened: Callable[[str], AppTest]) -> None:

    app = opened("compare")
    shown = app.session_state["shown"]
    app.session_state["locked"] = replace(shown, path=shown.path.with_name("other.json"))
    app.run()
    app.session_state["sides"] = "Difference from the locked result"
    app.run()
    assert not app.exception
    rows = app.table[0].value.set_index("Measure")
    assert rows.loc["Heard", "Today"].startswith(r"+0.00 pts \["), "a result less itself"


@pytest.mark.parametrize("plan", ["as_is", "rigid_aht", "today's roster"])
def test_week_of_each_plan(plan: str, opened: Callable[[str], AppTest]) -> None:
    app = opened("week")
    app.get_by_key("plan").set_value(plan).run()
    assert not app.exception
    text = words(app)
    if plan == "today's roster":
        assert "no requirement stands behind it" in text
    else:
        assert "Erlang C per queue with flat shrinkage would have said" in text
        assert any("Rostered" in table.value.columns for table in app.table)
        assert "by the one-sided 95 % limit" in text
        assert "to spare" in text or "falls short" in text, "the target that decides"
        made = app.session_state["shown"].document["plans"]
        (targets,) = [table.value for table in app.table if "Result" in table.value.columns]
        told = sorted(report.result_words(t) for t in made[plan]["targets"])
        assert sorted(targets["Result"]) == told
        assert targets.filter(like="Simulated").iloc[:, 0].str.contains("[", regex=False).all(), (
            "with intervals"
        )


def test_week_names_the_difference_from_compare_and_tells_shortages_in_people(
    opened: Callable[[str], AppTest],
) -> None:
    app = opened("week")
    document = app.session_state["shown"].document
    plan, at_target = document["plans"]["as_is"], document["frames"][0]["policies"]["as_is"]
    assert f"{plan['fte']['paid']:.1f} FTE on the payroll" in words(app)
    named = f"Compare counts {at_target['people']['mean']:.1f} FTE" in words(app)
    assert named == (abs(at_target["people"]["mean"] - plan["fte"]["paid"]) >= 0.05)
    assert "in 0 intervals" not in words(app)
    plan["unmet"] = [{"day": "Mon (day 1)", "time": "09:00", "skill": "hard", "short": 0.3}]
    app.run()
    assert "in 1 interval it is short by a fraction of a person" in words(app)
    assert not any("Short by, people" in table.value.columns for table in app.table)
    plan["unmet"][0]["short"] = 1.5
    app.run()
    assert "half a person or more in 1 interval, at most by 1.5 people" in words(app)
    assert list(app.table[-1].value["Contacts"]) == ["Hard"]


@pytest.mark.parametrize(
    ("low", "high", "said"), [(-5.0, 5.0, "cannot tell of any lever"), (2.0, 9.0, "costs most"), (-9.0, -2.0, "saves most")]
)  # fmt: skip
def test_ladder_tells_only_what_the_intervals_allow(
    low: float, high: float, said: str, opened: Callable[[str], AppTest]
) -> None:
    app = opened("ladder")
    ladders = next(f["ladder"] for f in app.session_state["shown"].document["frames"] if f["ladder"])
    for part in (part for parts in ladders.values() for part in parts):
        for way in ("alone", "last", "average_interval"):
            part[way]["cash_and_margin"] |= {"mean": (low + high) / 2, "low": low, "high": high}
    app.run()
    assert said in app.markdown[0].value


def test_a_target_by_type_moves_for_each_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY.replace("seconds: 300", "seconds: {routine: 300, hard: 501}"), encoding="utf-8")
    monkeypatch.setenv("UNHURRIED_SCENARIO", str(file))
    monkeypatch.setenv("UNHURRIED_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(jobs, "kept_compare", lambda *_, **__: {})
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    next(s for s in app.slider if s.label == "Handle-time target").set_value(110).run()
    assert not app.exception
    assert dict(app.session_state["asked"].policies["rigid_aht"].handle_time_target.seconds) == {
        "routine": 330, "hard": 551,
    }  # fmt: skip


def test_levers_stay_within_the_evidence(opened: Callable[[str], AppTest]) -> None:
    app, rows = opened("compare"), evidence.table()
    ends = {s.label: (s.min, s.max) for s in app.slider}
    assert ends["Handle time cut by pressure"] == (
        round(100 * rows["pressure_drop"].low),
        round(100 * rows["pressure_drop"].high),
    )
    assert ends["Pause after a hard contact"] == (rows["recovery_min"].low, rows["recovery_min"].high)
    most = ends["Customers lost after bad contacts"][1] / 100
    lost = [
        row for key, row in rows.items() if row.meaning.startswith("Customers lost beyond") and row.default
    ]
    assert len(lost) == 4
    assert all(most * row.default <= row.high + 1e-9 for row in lost)
    assert any((most + 0.1) * row.default > row.high for row in lost)


def test_mix_tells_what_is_left(opened: Callable[[str], AppTest]) -> None:
    app = opened("mix")
    text = words(app)
    assert "Automation takes the easy contacts first" in text
    assert "emotionally intense" in text
    assert list(app.table[0].value["Type"]) == ["Routine"]


def test_ladder_has_each_lever_alone_last_and_on_average(opened: Callable[[str], AppTest]) -> None:
    app = opened("ladder")
    rows = app.table[0].value
    assert list(rows.columns) == ["What changes", "Alone", "Last in the bundle", "Average"]
    assert len(rows) == 3
    assert "Scripts and checklists" in set(rows["What changes"])
    assert rows["Average"].str.contains("[", regex=False).all()


def test_levers_are_ranked_alone_and_on_top_with_what_stands_behind_them(
    opened: Callable[[str], AppTest],
) -> None:
    app = opened("levers")
    assert "levers laid on top of Empathy-aware" in app.markdown[0].value
    on_top, alone, behind = (table.value for table in app.table)
    assert len(on_top) == len(alone) == len(behind) == len(LEVERS) - 1
    assert on_top["Lever"].str.endswith("(in force)").sum() == 2
    assert behind["Effect"].str.contains("same agent heard 0.2").any()
    assert "Not ranked: a limit on the queue" in words(app)
    charts = app.get("arrow_vega_lite_chart") or app.get("vega_lite_chart")
    assert len(charts) == 2


@pytest.fixture
def unranked(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """The app where the comparison is kept, and no ranking; levers ranked are few, for time's sake."""
    (kept,) = place[1].glob("compare-*")
    shutil.copytree(kept, tmp_path / kept.name)
    monkeypatch.setenv("UNHURRIED_RUNS", str(tmp_path))
    monkeypatch.setattr(ranking, "RANKED", tuple(LEVERS))

    def at(page: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        return app.switch_page(f"app_pages/{page}.py").run()

    return at


def labelled(elements: Any, label: str) -> Any:
    return next(element for element in elements if element.label == label)


def test_a_ranking_is_made_where_none_is_kept(unranked: Callable[[str], AppTest], tmp_path: Path) -> None:
    app = unranked("levers")
    assert not app.exception
    assert "have not been ranked" in app.markdown[0].value
    assert "unhurried levers" in app.markdown[0].value
    labelled(app.selectbox, "On top of").set_value("empathy_aware")
    labelled(app.number_input, "Draws").set_value(2)
    labelled(app.button, "Rank the levers").click().run()
    assert not app.exception
    assert "Ranking the levers of A small desk" in words(app)
    app.switch_page("app_pages/evidence.py").run()
    settled(app, "ranks").switch_page("app_pages/levers.py").run()
    assert not app.exception
    assert not app.error
    document = state.rankings(app.session_state["asked"])[0]
    assert (document["policy"], document["replications"], document["draws"]) == ("empathy_aware", 3, 2)
    assert "levers laid on top of Empathy-aware" in words(app)
    assert "How sure the conclusion is: over 2 draws" in words(app).replace("\\", "")
    ranked, drawn, alone, alone_drawn, behind = (table.value for table in app.table)
    assert set(ranked["Lever"]) == set(drawn["Lever"])
    assert len(ranked) == len(alone) == len(alone_drawn) == len(behind) == len(LEVERS) - 1
    assert drawn["Saves on cash in"].str.fullmatch(r"[0-2] of 2").all()
    charts = app.get("arrow_vega_lite_chart") or app.get("vega_lite_chart")
    assert len(charts) == 4
    options = jobs.rank_options("empathy_aware", "equal_occupancy", 3, COMPARE_SEED, True, doubt=2)
    assert runs.find("levers", app.session_state["asked"], options, tmp_path), "the command finds it too"


def test_a_ranking_goes_on_while_pages_change_can_be_stopped_and_tells_a_failure(
    unranked: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    goes_on, real = threading.Event(), jobs.kept_ranking

    def slow(*args: Any, **kwargs: Any) -> dict[str, Any]:
        kwargs["say"]("part 1 of 4")
        goes_on.wait(60)
        kwargs["say"]("part 2 of 4")
        return real(*args, **kwargs)

    monkeypatch.setattr(jobs, "kept_ranking", slow)
    app = unranked("levers")
    labelled(app.button, "Rank the levers").click().run()
    app.switch_page("app_pages/week.py").run()
    assert "Ranking the levers of A small desk" in words(app), "told on whatever page"
    app.button(key="stop-ranks").click().run()
    goes_on.set()
    settled(app, "ranks")
    assert not app.error
    assert "Ranking" not in words(app)
    assert not list(tmp_path.glob("levers-*")), "stopped before its end"

    def fails(*_: Any, **__: Any) -> dict[str, Any]:
        raise ValueError("no\nroom")

    monkeypatch.setattr(jobs, "kept_ranking", fails)
    app.switch_page("app_pages/levers.py").run()
    labelled(app.button, "Rank the levers").click().run()
    settled(app, "ranks")
    assert not app.exception
    assert "no room" in app.error[0].value


def test_a_ranking_that_is_kept_can_be_followed_by_another(opened: Callable[[str], AppTest]) -> None:
    app = opened("levers")
    assert labelled(app.button, "Rank the levers")
    labelled(app.selectbox, "Staffing").set_value("equal_hours")
    asked: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "kept_ranking", lambda *args, **_: asked.append(args))
        labelled(app.button, "Rank the levers").click().run()
        settled(app, "ranks")
    ((_, options),) = asked
    assert options == jobs.rank_options("as_is", "equal_hours", 3, COMPARE_SEED, True)


def test_how_far_a_ranking_is_never_goes_back() -> None:
    found = work.Work("levers", "A", "d", 6.0, {"part": 10.0, "draw": 30.0})
    shares = []
    for text in (
        "today's roster: desk",
        "anchoring round 1",
        "part 1 of 4",
        "part 4 of 4",
        "draw 1 of 3",
        "draw 3 of 3",
    ):
        found.say(text)
        shares.append(found.share)
    assert shares == sorted(set(shares))
    assert shares[-1] > 0.85
    assert found.line == "Draw 3 of 3"


# --- the roster -----------------------------------------------------------------------------------------------------


@pytest.fixture
def rosters(
    opened: Callable[[str], AppTest], place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], AppTest]:
    """The app where a comparison and a roster are kept, in a folder of its own."""
    for kind in ("compare", "roster"):
        (kept,) = place[1].glob(f"{kind}-*")
        shutil.copytree(kept, tmp_path / kept.name)
    monkeypatch.setenv("UNHURRIED_RUNS", str(tmp_path))
    return opened


def roster_shown(app: AppTest) -> dict[str, Any]:
    record = state.record_at(app.session_state["last_roster"])
    assert record is not None
    return dict(record["document"])


def shifts_of(document: dict[str, Any]) -> set[tuple[str, int, str, int]]:
    return {(w["person"], w["day"], w["shift"], w["start_min"]) for w in document["work"]}


def test_roster_shows_cover_people_exposure_and_rules_without_naming_feelings(
    rosters: Callable[[str], AppTest],
) -> None:
    app = rosters("roster")
    assert not app.exception
    document = roster_shown(app)
    heads = [str(element.value) for element in app.subheader]
    assert heads[:4] == ["Targets, from the simulated roster", "Cover and gaps", "Who does what when", "Emotional work, over people"]  # fmt: skip
    assert {"How it is shared", "What is unmet", "Rules, as the validator finds them"} <= set(heads)
    charts = [str(chart.proto) for chart in [*app.get("vega_lite_chart"), *app.get("arrow_vega_lite_chart")]]
    told = next(chart for chart in charts if "Cover and gaps, " in chart)
    short = sum(sum(row["short"]) * row["minutes"] for row in document["cover"]) / 60
    assert f"{short:,.1f} are short" in told
    gantt = next(chart for chart in charts if "Who does what when on Mon 2 Mar" in chart)
    assert f"{len({w['person'] for w in document['work']})} people" in gantt
    felt = [chart for chart in charts if "half have less than" in chart]
    assert len(felt) == 3
    assert not any(one["id"] in chart for one in document["persons"] for chart in felt), "nobody is named"
    labels = {button.label for button in app.get("download_button")}
    assert {"CSV, a row a shift", "CSV, a row a person", "Workbook (XLSX)", "Calendars (ICS)"} == labels


def test_a_roster_is_replanned_around_what_is_locked_round_after_round(
    rosters: Callable[[str], AppTest],
) -> None:
    app = rosters("roster")
    first = roster_shown(app)
    ids = sorted({work["person"] for work in first["work"]})[:3]
    labelled(app.slider, "Volume").set_value(130)
    app.run()
    assert app.warning[0].proto.body, "told that it belongs to other settings"
    labelled(app.multiselect, "Lock people").set_value(ids)
    labelled(app.number_input, "Price of a change, points").set_value(1)
    labelled(app.button, "Re-plan the rest").click().run()
    assert "Rostering the people of A small desk" in words(app)
    settled(app, "rosters").run()
    assert not app.exception
    assert not app.error
    second = roster_shown(app)
    assert {w for w in shifts_of(second) if w[0] in ids} == {w for w in shifts_of(first) if w[0] in ids}
    known = second["published"]
    assert (known["locks"], known["change_price"]) == (ids, 1)
    assert known["changed_shifts"] == len({w[:2] for w in shifts_of(first) ^ shifts_of(second)})
    assert "What changed" in [element.value for element in app.subheader]
    sides = app.table[0].value
    assert list(sides.columns) == ["", "Before", "Now"]
    assert not app.warning

    labelled(app.multiselect, "Lock people").set_value([])
    labelled(app.multiselect, "Lock days").set_value(["2026-03-02"])
    labelled(app.button, "Re-plan the rest").click().run()
    settled(app, "rosters").run()
    assert not app.exception
    third = roster_shown(app)
    assert third["published"]["in_use"]["shifts"] == second["shifts"], "from the roster that was shown"
    assert shifts_of(third) == shifts_of(second), "the only day is locked"
    assert "No shift changes in the roster in use" in words(app).replace("\\", "")
    assert len(labelled(app.selectbox, "Roster").options) == 2, "the earlier one can be gone back to"


def test_no_roster_is_made_unasked_and_one_can_be_stopped(
    rosters: Callable[[str], AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept,) = tmp_path.glob("roster-*")
    shutil.rmtree(kept)
    goes_on = threading.Event()

    def slow(*_: Any, **kwargs: Any) -> dict[str, Any]:
        kwargs["say"]("roster 1: 10 shifts")
        goes_on.wait(60)
        kwargs["say"]("roster 2: 10 shifts")
        raise AssertionError("it was to stop")

    monkeypatch.setattr(jobs, "kept_roster", slow)
    app = rosters("roster")
    assert "have not been rostered" in app.markdown[0].value
    assert "Rostering" not in words(app)
    labelled(app.button, "Make the roster").click().run()
    app.switch_page("app_pages/week.py").run()
    assert "Rostering the people of A small desk" in words(app), "told on whatever page"
    app.button(key="stop-rosters").click().run()
    goes_on.set()
    settled(app, "rosters")
    assert not app.error
    assert "Rostering" not in words(app)


def test_bars_of_a_day_hold_the_whole_shift_and_the_rest_of_the_night_before() -> None:
    pauses = [
        {"kind": "decompression", "start_min": 1380, "end_min": 1395},
        {"kind": "lunch", "start_min": 1500, "end_min": 1530},
    ]
    queues = [
        {"name": "emotional", "start_min": 1320, "end_min": 1380},
        {"name": "routine", "start_min": 1395, "end_min": 1500},
        {"name": "all", "start_min": 1530, "end_min": 1800},
    ]
    work = [
        {"person": "a", "group": "g", "day": 1, "shift": "night", "start_min": 1320, "end_min": 1800, "pauses": pauses, "queues": queues},
        {"person": "b", "group": "h", "day": 2, "shift": "day", "start_min": 480, "end_min": 960, "pauses": [], "queues": []},
    ]  # fmt: skip
    (evening,) = roster_charts.on_day(work, 1, None).values()
    assert [bar["activity"] for bar in evening] == [
        "On emotional queues only",
        "Decompression",
        "On routine queues only",
        "Lunch",
        "On the queue",
    ]
    assert sum(bar["until"] - bar["from"] for bar in evening) == 8
    after = roster_charts.on_day(work, 2, None)
    assert list(after) == ["a", "b"]
    assert [(bar["from"], bar["until"]) for bar in after["a"]] == [(0, 1), (1, 1.5), (1.5, 6)]
    assert [bar["activity"] for bar in after["b"]] == ["On the queue"]
    assert list(roster_charts.on_day(work, 2, "h")) == ["b"]
    assert not roster_charts.on_day(work, 3, None)


def test_gaps_are_short_or_over_and_leave_out_what_nobody_asks_for() -> None:
    rows = [
        {"minutes": 720, "asked": [0, 4], "short": [0, 3], "over": [2, 0]},
        {"minutes": 720, "asked": [0, 5], "short": [0, 0], "over": [0, 1]},
    ]
    found = roster_charts.gaps(rows, ["2026-03-02"])
    assert [(row["time"], row["asked"], row["gap"]) for row in found] == [("00:00", 0, 2), ("12:00", 9, -3)]
    assert roster_charts.gaps([{"minutes": 720, "asked": [0, 0], "short": [0, 0], "over": [0, 0]}], ["2026-03-02"]) == []  # fmt: skip


def test_evidence_can_be_searched_and_shows_the_misfit(opened: Callable[[str], AppTest]) -> None:
    app = opened("evidence")
    assert len(app.table[0].value) > 100
    assert {"Observed", "Off"} <= set(app.table[1].value.columns)
    app.text_input(key="search").set_value("recovery").run()
    assert not app.exception
    assert 0 < len(app.table[0].value) < 60


def test_own_file_with_faults_is_told_in_lines(opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    app.selectbox(key="scenario").set_value("A file of your own").run()
    assert not app.exception
    upload = app.file_uploader(key="upload")
    upload.upload("mine.yaml", TINY.replace("headcount: 14", "headcount: -3").encode())
    app.run()
    assert not app.exception
    assert "mine.yaml" in app.error[0].value
    assert "headcount" in app.error[0].value
    assert "tmp" not in app.error[0].value


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"a: [", b"PK\x03\x04", "ünsinn".encode("latin-1"), b"- 1\n- 2"]
)
def test_own_file_that_is_no_scenario(data: bytes, opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    app.selectbox(key="scenario").set_value("A file of your own").run()
    app.file_uploader(key="upload").upload("../../mine.yaml", data)
    app.run()
    assert not app.exception
    assert app.error


def test_own_file_that_is_known_is_answered_at_once(opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    app.selectbox(key="scenario").set_value("A file of your own").run()
    app.file_uploader(key="upload").upload("mine.yaml", TINY.encode())
    app.run()
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert "A small desk" in words(app)


def test_nothing_kept_computes_on_opening_and_tells_a_failure(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: Any, **__: Any) -> dict[str, Any]:
        raise ScenarioError([Problem("tiny.yaml", 3, "types.hard", None, "cannot be *met*")])

    monkeypatch.setenv("UNHURRIED_RUNS", str(tmp_path))
    monkeypatch.setattr(jobs, "kept_compare", fail)
    app = settled(AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run())
    assert not app.exception
    assert r"cannot be \*met\*" in app.error[0].value
    assert "Press Run" in app.info[0].value


def test_a_run_goes_on_while_pages_change_and_can_be_stopped(
    opened: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, real = threading.Event(), jobs.kept_compare

    def slow(*args: Any, **kwargs: Any) -> dict[str, Any]:
        kwargs["say"]("planning as_is at target")
        goes_on.wait(60)
        kwargs["say"]("simulating as_is at target")
        return real(*args, **kwargs)

    monkeypatch.setattr(jobs, "kept_compare", slow)
    app = opened("compare")
    next(n for n in app.number_input if n.label == "Replications").set_value(4)
    next(b for b in app.button if b.label == "Run").click().run()
    app.switch_page("app_pages/evidence.py").run()
    assert "Comparing policies on A small desk" in words(app), "told on whatever page"
    assert not app.exception
    app.button(key="stop").click().run()
    goes_on.set()
    settled(app)
    assert not app.error
    assert "Comparing" not in words(app)
    assert app.session_state["shown"].document["replications"] == 2, "nothing of it was kept"

    next(b for b in app.button if b.label == "Run").click().run()
    app.switch_page("app_pages/week.py").run()
    settled(app)
    assert not app.exception
    assert "(4 replications)" in words(app)


def test_missing_opening_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNHURRIED_SCENARIO", str(tmp_path / "gone.yaml"))
    monkeypatch.setenv("UNHURRIED_RUNS", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    assert not app.exception
    assert app.error


def test_csv_holds_no_formulas() -> None:
    from app_pages import show

    estimate = {"mean": -1.5, "low": -2.0, "high": None, "unit": "@unit"}
    document = {
        "scenario": "=cmd()",
        "frames": [
            {
                "frame": "at_target",
                "policies": {"+p": {"-m": estimate}},
                "differences": {"p": {"cash": estimate}},
            }
        ],
    }
    rows = list(csv.reader(io.StringIO(show.measures_csv(document))))
    assert rows[1][:7] == ["'=cmd()", "at_target", "'+p", "'-m", rows[1][4], "'@unit", "value"]
    assert not rows[1][4].startswith(("=", "+", "-", "@"))
    assert rows[1][7:] == ["-1.5", "-2.0", ""], "numbers stay numbers"
    assert show.as_text("\t=1") == "'\t=1"


def test_only_columns_of_numbers_stand_to_the_right() -> None:
    for cells in (
        ["1,234", "-"],
        ["86.4 % [66.3, 100.0]"],
        ["+0.45 pts [-6.8, 5.9]", ""],
        ["0 to 0.03"],
        ["-1"],
    ):
        assert show.is_numbers(cells), cells
    for cells in (["", "-"], ["75 % of everyone answered"], ["3 min", "keep"], ["Mon"], []):
        assert not show.is_numbers(cells), cells


def test_safe_text_is_shown_as_it_is() -> None:
    from app_pages import show

    assert show.safe("5 $ and 6 $ *now*\n[x](y)") == r"5 \$ and 6 \$ \*now\* \[x\](y)"


# --- channels -------------------------------------------------------------------------------------------------------

WRITTEN = (
    TINY.replace("title: Routine\n", "title: Routine\n    channel: email\n", 1)
    .replace("title: Hard, offered", "title: Hard, channel: chat, offered")
    .replace("headcount: 14, cost", "headcount: 9, chats: 3, cost")
    .replace("within_s: 30}", "within_s: 30}\n  - {measure: service_level, at_least: 0.8, within_h: 24}")
    .replace(
        "authority: true}\n",
        "authority: true, chats: {desk: 2}, call_back: {after_s: 60, types: [hard]}}\n",
        1,
    )
)


@cache
def _written() -> tuple[tempfile.TemporaryDirectory[str], Place]:
    aside = tempfile.TemporaryDirectory(prefix="unhurried-test-")
    file, folder = Path(aside.name) / "tiny.yaml", Path(aside.name) / "runs"
    file.write_text(WRITTEN, encoding="utf-8")
    scenario = jobs.load(str(file)).value
    options = jobs.compare_options(list(scenario.policies), FRAMES, 2, COMPARE_SEED, True, 0, True)
    jobs.kept_compare(scenario, options, folder=folder)
    return aside, (file, folder)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    file, folder = _written()[1]
    monkeypatch.setenv("UNHURRIED_SCENARIO", str(file))
    monkeypatch.setenv("UNHURRIED_RUNS", str(folder))

    def at(page: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        return app if page == "compare" else app.switch_page(f"app_pages/{page}.py").run()

    return at


def test_the_week_shows_deferred_work_apart(written: Callable[[str], AppTest]) -> None:
    app = written("week")
    assert not app.exception
    assert "Messages and e-mail" in words(app)
    assert "answered by age when nobody waits on the line" in words(app)
    charts = [*app.get("vega_lite_chart"), *app.get("arrow_vega_lite_chart")]
    assert any("Deferred contacts by interval of arrival" in str(chart.proto) for chart in charts), (
        "told in words"
    )
    told = {text.replace("\\", "") for text in app.table[1].value["Target"]}
    assert "Service level of all deferred contacts: at least 80 % within 24 h" in told


def test_a_week_of_calls_says_nothing_of_messages(opened: Callable[[str], AppTest]) -> None:
    assert "Messages and e-mail" not in words(opened("week"))


def test_compare_shows_chats_and_deferred_work_where_they_are(written: Callable[[str], AppTest]) -> None:
    app = written("compare")
    assert not app.exception
    measures = set(app.table[0].value["Measure"])
    assert {
        "Deferred work in time",
        "Chats at once (chats)",
        "Chats with nobody there (contacts)",
    } <= measures
    app.session_state["parts"] = "By channel"
    app.run()
    assert not app.exception
    assert set(app.table[-1].value["By channel"]) == {"E-mail", "Chat"}


def test_chats_at_once_and_the_call_back_have_sliders(written: Callable[[str], AppTest]) -> None:
    app = written("compare")
    next(s for s in app.slider if s.label == "Chats at once, The desk").set_value(1)
    next(s for s in app.slider if s.label == "Call-back offered after").set_value(120)
    app.run()
    assert not app.exception
    asked = app.session_state["asked"].policies["empathy_aware"]
    assert asked.chats == {"desk": 1}
    assert asked.call_back.after_s == 120


def test_calls_have_no_measures_of_other_channels(opened: Callable[[str], AppTest]) -> None:
    app = opened("compare")
    told = " ".join(app.table[0].value["Measure"])
    assert "eferred" not in told
    assert "Chats" not in told
    assert not any(s.label.startswith("Chats at once") for s in app.slider)
