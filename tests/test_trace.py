"""One journey's story: what it says is what the records hold, watching changes nothing, and every ending reads well."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import small
from test_engines import differences
from typer.testing import CliRunner
from worlds import small_run, some_features

from planner import trace
from planner.cli import app
from sim import model
from sim import records as r
from sim.draws import Draws, draw
from sim.plain import plain_world
from sim.records import Records
from sim.trace import watch
from sim.world import World

SEEDS = range(40)
FRONT = small.raw()["groups"]["front"]
SCENARIO = small.tiny(
    types__third={"offered_per_week": 10, "handle": {"talk_s": 60}},
    groups__third={**FRONT, "skills": ["third"]},
)
"""Names for worlds of up to three types, groups and segments."""
CLOSING = re.compile(r"(It ends here|The journey|The need arises after)")


@cache
def run(seed: int) -> tuple[World, Draws, Records]:
    world, draws = small_run(seed, some_features(seed))
    return world, draws, model.simulate(world, draws)


def story(world: World, draws: Draws, records: Records, need: int, in_line: dict | None = None) -> dict:
    journey = trace._journey(SCENARIO, world, draws, records, need, in_line or {})
    return trace.document_of(journey, "as_is", 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_watching_changes_nothing(seed):
    world, draws, records = run(seed)
    need = int(np.argmax(np.bincount(draws.rows.need[records.contacts.outcome > 0], minlength=1)))
    watched, in_line = watch(world, draws, need)
    assert differences(records, watched) == []
    assert set(draws.rows.need[list(in_line)]) <= {need}


def test_every_journey_can_be_told_and_is_told_as_it_went():
    outcomes: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for seed in SEEDS:
        world, draws, records = run(seed)
        c = records.contacts
        happened = np.bincount(draws.rows.need[c.outcome > 0], minlength=len(draws.needs.type))
        for need in range(0, len(draws.needs.type), 3):
            told = story(world, draws, records, need)
            json.dumps(told, allow_nan=False)
            assert len(told["contacts"]) == happened[need]
            assert CLOSING.match(told["story"][-1])
            for contact in told["contacts"]:
                outcomes[contact["outcome"]] += 1
                assert all(s.endswith(".") and "nan" not in s and "-1" not in s for s in contact["sentences"])
            resolved = "ends here, resolved" in told["ended"]
            if happened[need]:
                row = np.flatnonzero((draws.rows.need == need) & (c.outcome > 0))
                last = row[np.argmax(draws.rows.attempt[row])]
                going = c.flags[last] & (r.RETURNS | r.REDIALS | r.ESCALATED | r.PASSED_ON)
                assert resolved == bool(
                    not going and (c.ending[last] in (0, 1) or c.outcome[last] == r.CONTAINED)
                )
            for sentence in told["story"]:
                for word in (
                    "solves it", "log says contained", "hangs up", "hands over", "told everything again", "with what was said",
                    "is not let out", "flags it, rightly", "flags it, wrongly", "misses", "called back", "loses patience", "Will not wait",
                    "turned away", "nobody is there any more", "nobody answers", "still waits", "Is answered at once", "put through", "passed on",
                    "leaves a message", "works on the message", "takes the call-back", "does not pick up", "picked up after", "whoever served",
                    "Beside other chats, which begin later", "of them open at its start", "by telephone",
                    "tries again", "comes back", "are cut, under", "left out", "recovery pause", "the bot", "gives up", "goes on after",
                    "seen and sorted", "sorted, not heard", "warm, unresolved", "cold, unresolved", "very upset", "above the threshold",
                ):  # fmt: skip
                    words[word] += word in sentence
    missing = {name for name in r.OUTCOMES[1:] if not outcomes[name]}
    assert not missing
    assert all(words.values()), [word for word, n in words.items() if not n]


def test_an_answered_contact_has_its_own_figures():
    world, draws, records = run(4)
    c = records.contacts
    row = int(np.flatnonzero((c.outcome == r.ANSWERED) & (c.end_ms - c.reach_ms > 5_000))[0])
    told = story(world, draws, records, int(draws.rows.need[row]))
    mine = next(x for x in told["contacts"] if x["attempt"] == draws.rows.attempt[row])
    assert (mine["agent"], mine["talk_s"]) == (c.agent[row], c.talk_ms[row] / 1000)
    assert mine["wait_s"] == (c.end_ms[row] - c.reach_ms[row]) / 1000
    said = " ".join(mine["sentences"])
    assert mine["handled_s"] == (c.done_ms[row] - c.end_ms[row]) / 1000
    assert f"Waits {trace.length(c.end_ms[row] - c.reach_ms[row])}" in said
    assert f"Agent {c.agent[row]} (" in said
    assert f"for {trace.length(c.talk_ms[row])}" in said
    assert f"{100 * c.heard[row]:.0f} % to be heard" in said


def test_who_waits_ahead_and_behind_is_counted():
    world = plain_world(arrivals_per_hour=260.0, agents=8, patience_s=120.0)
    draws = draw(world, 5, 0)
    c = model.simulate(world, draws).contacts
    tried = 0
    for row in np.flatnonzero(c.end_ms > c.reach_ms)[::40].tolist():
        _, in_line = watch(world, draws, int(draws.rows.need[row]))
        before = (c.reach_ms < c.reach_ms[row]) & (c.end_ms > c.reach_ms[row])
        after = (c.reach_ms < c.end_ms[row]) & (c.end_ms > c.end_ms[row])
        assert in_line[row].ahead == before.sum()
        assert in_line[row].behind == after.sum()
        tried += in_line[row].ahead > 0
    assert tried > 3


def test_an_outcome_without_words_of_its_own_is_still_told(monkeypatch):
    world, draws, records = run(4)
    c = records.contacts
    row = int(np.flatnonzero(c.outcome == r.ABANDONED)[0])
    c.outcome[row] = len(r.OUTCOMES)
    monkeypatch.setattr(r, "OUTCOMES", (*r.OUTCOMES, "gone with the wind"))
    try:
        told = story(world, draws, records, int(draws.rows.need[row]))
    finally:
        c.outcome[row] = r.ABANDONED
    assert any("Then: gone with the wind" in sentence for sentence in told["story"])


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (400, "0 s"), (99_400, "99 s"), (100_000, "1 min 40 s"), (725_000, "12 min 05 s"), (1_500_000, "25 min"),
        (3_600_000, "1 h 00 min"), (90 * 3_600_000, "3 days 18 h"), (47 * 3_600_000, "47 h 00 min"),
    ],
)  # fmt: skip
def test_lengths_read_as_people_say_them(ms, words):
    assert trace.length(ms) == words


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(small.text(**small.by_numbers(5, 3)), encoding="utf-8")
    return "tiny.yaml"


def simulate(*words: str):
    return CliRunner().invoke(app, ["simulate", *words])


def told(*words: str) -> str:
    result = simulate(*words)
    assert (result.exit_code, result.stdout) == (2, ""), (result.stdout, result.exception)
    lines = [line for line in result.stderr.splitlines() if not line.lstrip()[:1].isdigit()]
    assert len(lines) == 1
    return lines[0]


def test_a_type_gives_its_first_need_with_more_than_one_contact(file):
    result = simulate(file, "--engine", "simpy", "--policy", "hard", "--trace", "trouble", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["type"] == "trouble"
    assert len(document["contacts"]) > 1
    assert document["arose"] >= "2026-03-02"
    again = simulate(file, "--engine", "simpy", "--policy", "hard", "--trace", str(document["need"]))
    assert again.stdout.splitlines()[1:] == document["story"]
    assert "Hard" in again.stdout.splitlines()[0]
    assert not list(Path("runs").glob("*")), "a story is no run"


def test_what_is_no_need_is_told(file):
    words = (file, "--engine", "simpy", "--trace")
    assert told(*words, "trobble") == (
        "--trace: must be the number of a need, or a type, of which the first need with more than one contact is told: order, trouble "
        "(found 'trobble'; did you mean trouble?)"
    )
    assert re.fullmatch(
        r"--trace: must be the number of a need, 0 to [\d,]+ in this replication \(found '999999'\)",
        told(*words, "999999"),
    )
    assert told(*words, "9" * 5_000).startswith("--trace: must be the number of a need, or a type, ")
    assert told(file, "--trace", "4") == (
        "--trace: tells what happens in the SimPy model, which is written to be followed: add --engine simpy"
    )


def test_no_journey_of_several_contacts_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    once = small.text(**small.by_numbers(9, 6), behaviour={**small.SOON, "max_attempts": 1})
    (tmp_path / "tiny.yaml").write_text(once, encoding="utf-8")
    line = told("tiny.yaml", "--engine", "simpy", "--trace", "order")
    assert line.endswith("in this replication: none of this type has more than one contact (found 'order')")
