"""What-if curves: each point is what simulating it alone gives, and an interrupted one goes on from what is done."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small
from typer.testing import CliRunner

from planner import jobs, pieces, runs, sweeps
from planner.cli import app
from planner.pieces import Kept, Piece, finish
from planner.plan import PROOF_REPLICATIONS, as_is_roster
from planner.scenario.problems import ScenarioError
from planner.sweeps import Axis

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = small.by_numbers(6, 4)


@pytest.fixture
def file(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(small.text(**NUMBERS), encoding="utf-8")
    return "tiny.yaml"


def run(*words: str):
    return CliRunner().invoke(app, list(words))


def one_document(*words: str) -> dict:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def told(*words: str) -> list[str]:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, ""), result.exception
    return result.stderr.splitlines()


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_values_from_a_range_or_a_list():
    assert sweeps.axes_of(["what_if.contained=0.2:0.7:6", "what_if.volume=1,0.5"]) == [
        Axis("what_if.contained", (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
        Axis("what_if.volume", (1.0, 0.5)),
    ]
    values = [v for v, _ in sweeps.settings_of(sweeps.axes_of(["a=1:2:2", "b=3,4"]))]
    assert values == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert sweeps.settings_of(sweeps.axes_of(["a=3:1:3"]))[1] == ((2.0,), ["a=2"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("what_if.volume", "--vary: must be FIELD=FROM:TO:POINTS or FIELD=A,B,C, such as what_if.volume=0.9:1.2:4 (found 'what_if.volume')"),
        ("what_if.volume=1:2", "--vary: what_if.volume: must be FROM:TO:POINTS with 2 to 400 points, or values with commas (found '1:2')"),
        ("what_if.volume=1:2:1", "--vary: what_if.volume: must be FROM:TO:POINTS with 2 to 400 points, or values with commas (found '1:2:1')"),
        ("what_if.volume=1:1:3", "--vary: what_if.volume: must go from one value to another (found '1:1:3')"),
        ("what_if.volume=1,x", "--vary: what_if.volume: must be numbers (found '1,x')"),
        ("what_if.volume=1,nan", "--vary: what_if.volume: must be numbers (found '1,nan')"),
        ("what_if.volume=1,1", "--vary: what_if.volume: must be different values (found '1,1')"),
        ("what_if.volume=1:2:" + "9" * 5_000, "--vary: what_if.volume: must be FROM:TO:POINTS with 2 to 400 points, or values with commas (found '1:2:99999999999999999999999999999999999…')"),
        ("what_if.volume=0.1:0.1000000000001:9", "--vary: what_if.volume: must leave room for 9 different values of twelve digits (found '0.1:0.1000000000001:9')"),
        (".=1,2", "--vary: .: must be a path of names joined by single dots (found '1,2')"),
        ("what_if.contained=0.5:1.5:2", "--vary: what_if.contained: must be less than 1 (found 1.5)"),
        ("what_if.volumee=0.5,0.6", "--vary: what_if.volumee: unknown field (did you mean volume? allowed: volume, contained, handle, patience, absence, churn, value, headcount)"),
    ],
)  # fmt: skip
def test_a_line_for_what_is_wrong_with_values(file, text, line):
    assert told("sweep", file, "--vary", text) == [line]
    assert not list(Path("runs").rglob("*.json"))


def test_too_much_is_refused(file):
    assert told("sweep", file, "--vary", "what_if.volume=1:2:30", "--vary", "what_if.handle=1:2:30") == [
        "--vary: must make at most 400 points together (found 900)"
    ]
    assert told("sweep", file, "--vary", "what_if.volume=1,2", "--vary", "what_if.volume=3,4") == [
        "--vary: what_if.volume: is varied twice: keep one (found '3,4')"
    ]


def test_only_fields_that_are_varied_are_blamed_on_vary(file):
    assert told("sweep", file, "--vary", "what_if.volume=1,2", "--set", "what_if.handle=9") == [
        "--set: what_if.handle: must be at most 5 (found 9)"
    ]


def test_what_a_point_makes_wrong_elsewhere_is_blamed_on_the_point(file):
    path = Path(file)
    path.write_text(small.text(**NUMBERS, targets=[{"measure": "mean_wait", "at_most": 30}], events=[
        {"kind": "surge", "from_day": 2, "factor": 1.1},
    ]), encoding="utf-8")  # fmt: skip
    lines = told("sweep", file, "--vary", "horizon.days=1,2", "--vary", "what_if.volume=1,9,11")
    assert len(lines) == len(set(lines))
    blamed = [line for line in lines if line.startswith(file)]
    assert blamed
    assert all("events.0.from_day: must lie inside the horizon" in line for line in blamed)
    assert "with --vary horizon.days=1, what_if.volume=9" in " ".join(blamed)
    assert [line for line in lines if line not in blamed] == [
        "--vary: what_if.volume: must be at most 10 (found 11)"
    ]


def test_a_point_that_no_natural_value_can_give_is_told_before_anything_is_computed(file):
    (line,) = told("sweep", file, "--vary", "types.order.emotional_ratio=1.3,2.9")
    assert re.fullmatch(
        r"--vary: types.order.emotional_ratio: must be a ratio from 1.00 to [\d.]+ .*\(found 2.9\)", line
    )


# --- what is computed -------------------------------------------------------------------------------------------------


def test_a_point_is_what_simulating_it_alone_gives(file):
    swept = one_document("sweep", file, "--vary", "what_if.volume=0.8,1.3", "--policy", "soft", "-n", "5")
    assert [point["values"] for point in swept["points"]] == [
        {"what_if.volume": 0.8},
        {"what_if.volume": 1.3},
    ]
    for point, volume in zip(swept["points"], ("0.8", "1.3"), strict=True):
        alone = one_document(
            "simulate", file, "--set", f"what_if.volume={volume}", "--policy", "soft", "-n", "5"
        )
        mine = point["policies"]["soft"]["measures"]
        assert {k: mine[k] for k in alone["measures"]} == alone["measures"]
        assert {k: mine[k] for k in alone["money"]} == alone["money"]


def test_what_changes_today_itself_is_anchored_at_each_point(file, monkeypatch):
    seen = []
    anchor = sweeps.anchor
    monkeypatch.setattr(sweeps, "anchor", lambda *a, **k: (seen.append(1), anchor(*a, **k))[1])
    one_document("sweep", file, "--vary", "what_if.volume=0.8,1,1.2", "-n", "2")
    assert len(seen) == 1
    one_document("sweep", file, "--vary", "types.order.handle.talk_s=180,200", "-n", "2")
    assert len(seen) == 3


def test_policies_are_paired_and_the_sentence_follows(file):
    swept = one_document(
        "sweep",
        file,
        "--vary",
        "what_if.volume=0.7:1.6:3",
        "--policy",
        "as_is",
        "--policy",
        "hard",
        "-n",
        "6",
    )
    point = swept["points"][1]["policies"]
    for name in ("service_level", "cash_and_margin"):
        assert point["as_is"]["differences"][name]["mean"] == 0
        gap = point["hard"]["measures"][name]["mean"] - point["as_is"]["measures"][name]["mean"]
        assert point["hard"]["differences"][name]["mean"] == pytest.approx(gap)
    first, last = (
        swept["points"][i]["policies"]["as_is"]["measures"]["service_level"]["mean"] for i in (0, -1)
    )
    assert first > last, "more customers on the same roster wait longer"
    assert swept["sentences"][0].startswith(
        "As what_if.volume goes from 0.7 to 1.6, Today (on the roster in use) goes in service level from "
        f"{100 * first:.1f} % to {100 * last:.1f} %"
    )
    assert "Hard" in swept["sentences"][2]
    shown = run(
        "sweep",
        file,
        "--vary",
        "what_if.volume=0.7:1.6:3",
        "--policy",
        "as_is",
        "--policy",
        "hard",
        "-n",
        "6",
    )
    assert swept["sentences"][0][:60] in " ".join(shown.stdout.split())
    assert shown.stdout.count("│              Hard") + shown.stdout.count("│ Hard") == 3


def test_planned_anew_hours_follow_the_volume(file):
    swept = one_document("sweep", file, "--vary", "what_if.volume=0.8,1.6", "--replan", "--quick", "-n", "2")
    few, many = (point["policies"]["as_is"] for point in swept["points"])
    assert many["rostered_hours"] > 1.2 * few["rostered_hours"]
    assert few["windows_missed"] is not None
    assert swept["replanned"]
    _, _, made = jobs.make_plan(
        jobs.load(file, sets=["what_if.volume=0.8"]), "as_is", replications=PROOF_REPLICATIONS, quick=True
    )
    hours = made.roster.paid_minutes(2, 60).sum() / 60
    assert few["rostered_hours"] == pytest.approx(hours)


def test_a_finished_sweep_is_read(file):
    words = ("sweep", file, "--vary", "what_if.volume=1,1.1", "-n", "2")
    first, again = one_document(*words), one_document(*words)
    assert first == again
    table = pd.read_parquet(next(Path("runs").glob("sweep-*/measures.parquet")))
    assert set(table["what_if.volume"]) == {1.0, 1.1}
    assert not (Path("runs") / pieces.UNFINISHED).exists()


# --- going on ---------------------------------------------------------------------------------------------------------


def test_a_killed_sweep_goes_on_from_what_is_done(file, tmp_path, monkeypatch):
    words = ["sweep", file, "--vary", "what_if.volume=0.9,1.3", "-n", "320", "--json"]
    whole = one_document(*words[:-1], "--out", "elsewhere")
    process = subprocess.Popen(
        [sys.executable, "-m", "planner.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    def done() -> list[Path]:
        return list(Path("runs").glob(f"{pieces.UNFINISHED}/*/point-*.json"))

    for _ in range(2_000):
        if len(done()) >= 5 or process.poll() is not None:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    of = 2 * len(sweeps.blocks_of(320))
    n = len(done())
    assert 5 <= n < of
    done()[0].write_text('{"value": [', encoding="utf-8")
    computed = []
    sums_of = sweeps.sums_of
    monkeypatch.setattr(sweeps, "sums_of", lambda *a: (computed.append(a[3]), sums_of(*a))[1])
    monkeypatch.setattr(sweeps, "anchor", None)  # kept: not done again
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert len(computed) == of - n + 1
    assert f"found {n - 1} of {of} blocks of replications done before" in result.stderr
    went_on = json.loads(result.stdout)
    assert {k: v for k, v in went_on.items() if k != "seconds"} == {
        k: v for k, v in whole.items() if k != "seconds"
    }
    assert not done()


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("engine", "n"), [("kernel", 1600), ("simpy", 96)])
def test_a_stopped_simulation_says_what_is_kept_and_goes_on_from_there(file, tmp_path, engine, n, asked):
    words = ["simulate", file, "-n", str(n), "--engine", engine, "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "planner.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background ignore it
    )  # fmt: skip
    for _ in range(2_000):
        if (
            len(list((Path("runs") / pieces.UNFINISHED).glob("*/today-*.json"))) >= 3
            or process.poll() is not None
        ):
            break
        time.sleep(0.01)
    process.send_signal(asked)
    time.sleep(0.05)
    process.send_signal(asked)  # who is impatient gets no traceback
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    n = len(list((Path("runs") / pieces.UNFINISHED).glob("*/today-*.json")))
    kept, last = err.splitlines()[-2:]
    assert re.search(r"\d+ of 32 blocks of replications are done and kept in", kept)
    assert last == "stopped"
    assert 3 <= n < 32
    went_on, whole = run(*words), run(*words, "--out", "elsewhere")
    assert f"found {n} of 32 blocks of replications done before" in went_on.stderr
    documents = [json.loads(result.stdout) for result in (went_on, whole)]
    for document in documents:
        document.pop("seconds")
    assert documents[0] == documents[1]
    assert not (Path("runs") / pieces.UNFINISHED).exists()


def test_a_simulation_that_cannot_be_kept_loses_no_block(file, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(pd.DataFrame, "to_parquet", full)
        assert told("simulate", file, "-n", "4")[-1] == "runs: No space left on device"
    assert "found 4 of 4 blocks of replications done before" in run("simulate", file, "-n", "4").stderr


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(file, tmp_path):
    words = [
        sys.executable,
        "-m",
        "planner.cli",
        "sweep",
        file,
        "--vary",
        "what_if.volume=0.9:1.3:41",
        "-n",
        "3000",
    ]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background ignore it
    )  # fmt: skip
    for _ in range(2_000):
        if len(list((Path("runs") / pieces.UNFINISHED).glob("*/point-*.json"))) >= 3:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    folder = next((Path("runs") / pieces.UNFINISHED).iterdir())
    assert "blocks of replications are done and kept in" in err
    assert f"{folder}; the same command goes on from there" in " ".join(err.split())


def test_the_draws_of_a_doubt_are_kept_too(file, monkeypatch):
    scenario = jobs.load(file).value
    options = jobs.compare_options(["as_is", "soft"], ["equal_hours"], 2, 5, False, 3, True)
    whole, _ = jobs.compare(scenario, options)
    from planner import compare

    drawn, drawn_once, lock = [], compare._drawn, threading.Lock()

    def breaks(*words):
        with lock:
            drawn.append(1)
            if len(drawn) == 4:
                raise KeyboardInterrupt
        return drawn_once(*words)

    said: list[str] = []
    monkeypatch.setattr(compare, "_drawn", breaks)
    monkeypatch.setattr(jobs, "lanes", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        jobs.kept_compare(scenario, options, say=said.append)
    assert any("3 of 4 draws are done and kept in" in text for text in said)
    again = jobs.kept_compare(scenario, options, say=said.append)
    assert "found 3 of 4 draws done before" in said
    assert len(drawn) == 5
    assert again["doubt"] == whole["doubt"]
    assert not (Path("runs") / pieces.UNFINISHED).exists()


# --- pieces -----------------------------------------------------------------------------------------------------------


def test_a_piece_comes_back_bit_for_bit(tmp_path):
    kept = Kept(tmp_path / "there")
    values = [0.1 + 0.2, 1e-308, float("inf"), -0.0, 3.0]
    kept.put("a", values)
    assert [x.hex() for x in kept.get("a")] == [x.hex() for x in values]
    kept.put("b", float("nan"))
    assert np.isnan(kept.get("b"))
    assert (kept.has("a"), kept.has("c"), kept.get("c")) == (True, False, None)
    assert [p.name for p in sorted((tmp_path / "there").iterdir())] == ["a.json", "b.json"]
    kept.clear()
    assert not (tmp_path / "there").exists()


def test_pieces_are_told_apart_by_the_question(file):
    scenario = jobs.load(file).value
    other = scenario.model_copy(update={"title": "Another"})
    names = {
        pieces.kept_for(kind, s, {"n": n}, Path("runs")).folder
        for kind in ("a", "b")
        for s in (scenario, other)
        for n in (1, 2)
    }
    assert len(names) == 8
    assert pieces.kept_for("a", scenario, {}, None).folder is None


@pytest.mark.parametrize("pool", [None, ThreadPoolExecutor])
def test_pieces_come_back_in_their_order_whoever_is_first(tmp_path, pool):
    tasks = {f"p{k}": Piece(_slow, (k,)) for k in (3, 1, 2)}
    executor = None if pool is None else pool(3)
    assert list(finish(tasks, Kept(tmp_path), executor).items()) == [("p3", 3), ("p1", 1), ("p2", 2)]


def _slow(k: int) -> int:
    time.sleep(0.02 * k)
    return k


def test_an_error_ends_it_and_keeps_what_is_done(tmp_path):
    said: list[str] = []
    tasks = {"good": Piece(int, ("1",)), "bad": Piece(int, ("x",))}
    with pytest.raises(ValueError, match="invalid literal"):
        finish(tasks, Kept(tmp_path / "k"), None, say=said.append, what="numbers")
    assert said == [
        f"1 of 2 numbers are done and kept in {tmp_path / 'k'}; the same command goes on from there"
    ]
    assert Kept(tmp_path / "k").get("good") == 1


@pytest.mark.parametrize("n", [1, 2, 31, 33, 100, 999, 10_000])
def test_blocks_hold_every_replication_once(n):
    blocks = sweeps.blocks_of(n)
    assert [k for block in blocks for k in block] == list(range(n))
    assert max(len(block) for block in blocks) <= sweeps.MOST_IN_PART


def test_a_roster_of_shifts_is_kept_as_it_was():
    roster = as_is_roster(small.tiny())
    assert roster.shifts
    assert pieces.roster_from(json.loads(json.dumps(pieces.listed(roster)))) == roster


def test_problems_of_the_file_itself_are_not_blamed_on_vary():
    with pytest.raises(ScenarioError) as caught:
        jobs.sweep("nowhere.yaml", None, [], ["a=1,2"], [], replications=2, seed=1)
    assert "nowhere.yaml: no such file" in str(caught.value)
    assert Path("runs") == runs.FOLDER


def test_a_damaged_piece_is_done_again(tmp_path):
    kept, said = Kept(tmp_path), []
    for name, text in {
        "a": '{"value": 3}',
        "b": '{"value": [1, 2]}',
        "c": "[]",
        "d": '{"value": {}}',
    }.items():
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    found = finish(
        {name: Piece(abs, (-1,)) for name in "abcd"},
        kept,
        None,
        say=said.append,
        decode=lambda value: value[1],
    )
    assert found == {"a": 1, "b": 2, "c": 1, "d": 1}
    assert said == ["found 1 of 4 pieces of work done before"]


def test_whoever_is_done_first_takes_no_folder_from_the_other(tmp_path, monkeypatch):
    mine, other = Kept(tmp_path / "there" / "same"), Kept(tmp_path / "there" / "same")
    other.put("a", 1)
    write, times = Path.write_text, []

    def cleared_meanwhile(path, *words, **more):
        write(path, *words, **more)
        times.append(path)
        if len(times) == 1:
            other.clear()

    monkeypatch.setattr(Path, "write_text", cleared_meanwhile)
    mine.put("b", 2)
    assert (mine.get("a"), mine.get("b"), len(times)) == (None, 2, 2)
    mine.clear()
    assert not (tmp_path / "there").exists()


def test_a_full_disk_is_told_with_the_folder_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    kept = Kept(tmp_path / "there")

    def full(path, *_, **__):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left") as error:
        kept.put("a", 1)
    assert error.value.filename == str(tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []
