"""The two engines agree in every bit, and what they write down adds up."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import FEATURES, small_run, small_world, some_features

from sim import compiled, kernel, model, rules
from sim import draws as d
from sim import records as r
from sim import world as w
from sim.draws import Draws
from sim.plain import plain_world
from sim.records import Records
from sim.world import World

HERE = Path(__file__).resolve().parent
FLAGS = (
    "FLAG_RIGHT", "FLAG_WRONG", "FLAG_MISSED", "REPEATS", "REFUSED", "PASSED_ON", "ESCALATED", "RETURNS",
    "REDIALS", "TIER_TWO", "CALLED_BACK", "REST_DUE", "MESSAGE", "CALL_BACK_TAKEN", "SAME_AGENT",
)  # fmt: skip
SEEDS = range(60)


def differences(a: Records, b: Records) -> list[str]:
    """Names of the columns that differ in any bit."""
    pairs = [("absent", a.absent, b.absent), ("started", a.started, b.started)]
    pairs += zip(r.Contacts._fields, a.contacts, b.contacts, strict=True)
    pairs += zip(r.Spells._fields, a.spells, b.spells, strict=True)
    return [
        name for name, x, y in pairs if x.dtype != y.dtype or x.shape != y.shape or x.tobytes() != y.tobytes()
    ]


@cache
def run(seed: int) -> tuple[frozenset[str], World, Draws, Records]:
    """One of the numbered small worlds, simulated."""
    on = some_features(seed)
    world, draws = small_run(seed, on)
    return on, world, draws, kernel.simulate(world, draws)


# --- engine = engine ----------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), on=st.frozensets(st.sampled_from(FEATURES)))
@settings(
    max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
def test_engines_agree_on_any_features(seed: int, on: frozenset[str]) -> None:
    world, draws = small_run(seed, on)
    assert differences(model.simulate(world, draws), kernel.simulate(world, draws)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_engines_agree_on_most_features_together(seed: int) -> None:
    _, world, draws, records = run(seed)
    assert differences(model.simulate(world, draws), records) == []


@pytest.mark.parametrize("on", [frozenset(), frozenset(FEATURES)], ids=["none", "all"])
def test_engines_agree_with_no_and_with_every_feature(on: frozenset[str]) -> None:
    world, draws = small_run(3, on)
    assert differences(model.simulate(world, draws), kernel.simulate(world, draws)) == []


def test_engines_agree_on_an_empty_world() -> None:
    world = plain_world(arrivals_per_hour=0.0)
    draws = d.draw(world, 1, 0)
    records = kernel.simulate(world, draws)
    assert differences(model.simulate(world, draws), records) == []
    assert len(records.contacts.outcome) == 0
    assert records.spells.idle_ms.sum() == 12 * 8 * w.HOUR_MS


def test_engines_agree_on_a_long_line_that_nobody_leaves() -> None:
    world = plain_world(arrivals_per_hour=600.0, agents=9, patience_s=float("inf"), open_hours=(0.0, 24.0))
    draws = d.draw(world, 1, 0)
    assert differences(model.simulate(world, draws), kernel.simulate(world, draws)) == []


def test_a_journey_without_a_row_is_an_error_in_both_engines() -> None:
    world, draws = small_run(1, frozenset({"redials", "impatience", "busy"}))
    short = draws._replace(rows=draws.rows._replace(next=np.full_like(draws.rows.next, -1)))
    for engine in (model.simulate, kernel.simulate):
        with pytest.raises(RuntimeError, match="nothing was drawn"):
            engine(world, short)


def test_every_feature_occurred() -> None:
    """Each feature was on, off, and left its trace in at least one of the worlds on which engines agree."""
    seen: dict[str, int] = {}

    def count(name: str, happened: object) -> None:
        seen[name] = seen.get(name, 0) + int(np.sum(happened))

    for seed in SEEDS:
        on, world, draws, (c, s, absent, started) = run(seed)
        for name in FEATURES:
            count(f"{name} on", name in on)
            count(f"{name} off", name not in on)
        for number, name in enumerate(r.OUTCOMES):
            count(name, c.outcome == number)
        for name in FLAGS:
            count(name, c.flags & getattr(r, name) > 0)
        for name, column in zip(r.Spells._fields, s, strict=True):
            count(f"spells.{name}", column > 0)
        count("absent", absent)
        count("an activity that began later", started > world.staffing.act_ms)
        rows, needs = draws.rows, draws.needs
        kind = needs.type[rows.need]
        answered = c.outcome == r.ANSWERED
        wait = c.end_ms - c.reach_ms
        group = world.staffing.group_of[c.agent]
        for q in range(len(world.types.acw_ms)):
            late = answered & (kind == q) & (c.flags & (r.TIER_TWO | r.FLAG_RIGHT | r.FLAG_WRONG) == 0)
            count("answered by a group after its delay", late & (world.routing.delay_of_group[q, group] > 0))
        count("answered at once", answered & (wait == 0))
        count("answered after waiting", answered & (wait > 0))
        count("no patience at all", (c.outcome == r.ABANDONED) & (wait == 0))
        closed = c.outcome == r.CLOSED
        chat = answered & (world.types.channel[kind] == w.CHAT) & (c.flags & r.MESSAGE == 0)
        deferred = (world.types.channel[kind] == w.DEFERRED) | (c.flags & r.MESSAGE > 0)
        count("several chats at once", chat & (c.live > 1))
        count("a further chat from the line", chat & (c.live > 1) & (wait > 0))
        count("chat for longer than its work", chat & (c.done_ms - c.end_ms > c.talk_ms + c.acw_ms))
        count("escalated after a chat", chat & (c.flags & r.ESCALATED > 0))
        count("recovery after a chat", chat & (c.flags & r.REST_DUE > 0))
        count("silent and redials", (c.outcome == r.SILENT) & (c.flags & r.REDIALS > 0))
        count("chat called back", chat & (c.flags & r.CALL_BACK_TAKEN > 0))
        count("call-back on the next day", (c.flags & r.CALL_BACK_TAKEN > 0) & (wait > 8 * w.HOUR_MS))
        for agent, began in zip(s.agent[s.shift < 0].tolist(), s.on_ms[s.shift < 0].tolist(), strict=True):
            mine = chat & (c.agent == agent) & (c.end_ms < began) & (began < c.done_ms)
            count(
                "relieved in the middle of chats",
                mine.any() and ((s.agent == agent) & (s.off_ms == began)).any(),
            )
        count("deferred at once", answered & deferred & (wait == 0))
        count("deferred overnight", answered & deferred & (wait > 8 * w.HOUR_MS))
        count("deferred in backlog", deferred & (c.outcome == r.WAITING))
        count("message", answered & (c.flags & r.MESSAGE > 0))
        at_close = closed & np.isin(c.end_ms, world.clock.close_ms) & (wait > 0)
        count("sent away by policy", at_close & (world.clock.at_close == w.SEND_AWAY))
        count("sent away, nobody there", at_close & (world.clock.at_close == w.SERVE_OUT))
        count("lost out of hours", closed & (wait == 0))
        served_out = answered & ~world.clock.always_open & (wait > 0)
        day = np.clip(c.reach_ms // w.DAY_MS, 0, None)
        count("served out after closing", served_out & (c.end_ms >= world.clock.close_ms[day]))
        count(
            "call-back never possible", (c.outcome == r.WAITING) & (c.flags & r.CALLED_BACK == 0) & (wait < 0)
        )
        bot_missing = (
            (c.arrive_ms >= 0) & (rows.attempt == 0) & (rows.fate != d.NO_BOT) & (c.outcome != r.NOTHING)
        )
        count("bot not there", bot_missing & (c.bot_ms == 0) & ~np.isin(c.outcome, (1, 2, 3, 9)))
        count("hurried", (c.unmet > 0) & (world.levers.target_ms[kind] == 0))
        count("cut by a target", (c.unmet > 0) & (world.behaviour.queue_speed_up == 0))
        count("unsafe to tell", c.if_not < c.if_heard)
        count("load when answering", c.load > 0)
        count("recovery owed at the end", s.due_ms > s.rest_ms)
        gives = draws.people.heard[c.agent]
        count("answered by somebody with a trait", answered & (gives != 0))
        count(
            "a trait that only some of a group have", "traits" in on and len(np.unique(draws.people.talk)) > 2
        )
        known = c.flags & r.SAME_AGENT > 0
        count("put to the one who served them, out of several", known & (len(draws.people.heard) > 2))
        count(
            "came back and was put to somebody else",
            answered & (rows.attempt > 0) & ~known & ("same_agent" in on),
        )
        count("late", s.on_ms[s.shift >= 0] > world.staffing.start_ms[s.shift[s.shift >= 0]])
        count("anonymous", s.shift < 0)
        count("named", s.shift >= 0)
        count("stayed longer", s.off_ms[s.shift >= 0] > world.staffing.end_ms[s.shift[s.shift >= 0]])
        count("overnight opening", world.clock.close_ms - world.clock.open_ms > 15 * w.HOUR_MS)
        count("closed day", world.clock.open_ms == w.NEVER)
        for level in range(4):
            count(f"ending {level}", c.ending == level)
        for attempt in range(4):
            count(f"attempt {attempt}", (c.arrive_ms >= 0) & (rows.attempt == attempt))
        moments = np.concatenate([c.arrive_ms[c.arrive_ms >= 0], c.end_ms[answered] + c.talk_ms[answered]])
        if "fixed" in on:
            count("simultaneous", len(moments) - len(np.unique(moments)))
    missing = sorted(name for name, n in seen.items() if n == 0)
    assert missing == []
    assert seen["simultaneous"] > 1000


# --- the compiled engine's upkeep ---------------------------------------------------------------------------

SCRIPT = """
import sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from worlds import small_run, some_features
from sim import compiled, kernel, model, rules
assert rules.__file__.startswith(sys.argv[1])
kernel.warm_up(print)
print("cached", kernel.is_cached(), "hits", sum(kernel._engine().stats.cache_hits.values()))
total = 0
for seed in range(12):
    world, draws = small_run(seed, some_features(seed) | {"load"})
    a, b = model.simulate(world, draws), kernel.simulate(world, draws)
    for x, y in zip((*a.contacts, *a.spells, a.absent, a.started), (*b.contacts, *b.spells, b.absent, b.started)):
        assert x.tobytes() == y.tobytes()
    total += int(b.contacts.talk_ms.sum())
print("talk", total)
"""


@pytest.fixture(scope="module")
def copy_of_sim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources in a folder of their own, free to be edited."""
    root = tmp_path_factory.mktemp("house")
    shutil.copytree(Path(rules.__file__).parent, root / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def in_copy(root: Path) -> list[str]:
    """Run the script on the copy with every index checked; its lines."""
    env = {**os.environ, "UNHURRIED_CACHE": str(root / "cache"), "NUMBA_BOUNDSCHECK": "1", "NUMBA_OPT": "1"}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(root), str(HERE)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_bounds_hold_and_an_edited_rule_leaves_no_stale_kernel(copy_of_sim: Path) -> None:
    first = in_copy(copy_of_sim)
    again = in_copy(copy_of_sim)
    assert first[0].startswith("Compiling")
    assert again[0].endswith("hits 1")
    assert again[-1] == first[-1]
    source = copy_of_sim / "sim" / "rules.py"
    old = "1.0 + b.load_on_talk * load"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, "1.0 + 2.0 * b.load_on_talk * load"))
    edited = in_copy(copy_of_sim)
    assert edited[0].startswith("Compiling")
    assert edited[-1] != first[-1]


def test_cache_folder_follows_the_environment_and_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNHURRIED_CACHE", str(tmp_path / "here"))
    folder = compiled.cache_folder()
    assert folder is not None
    assert folder.parent == tmp_path / "here"
    for k in range(9):
        (folder.parent / f"kernel-old{k}").mkdir()
        os.utime(folder.parent / f"kernel-old{k}", (k, k))
    assert compiled.cache_folder() == folder
    left = sorted(path.name for path in folder.parent.iterdir())
    assert len(left) == compiled.CACHES_KEPT
    assert folder.name in left
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("UNHURRIED_CACHE", str(tmp_path / "file"))
    assert compiled.cache_folder() is None


def test_rules_use_only_operations_that_both_engines_round_alike() -> None:
    tree = ast.parse(Path(rules.__file__).read_text())
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    math = {"exp", "log", "log1p", "expm1", "tanh", "erf", "floor"}
    calls = own | math | {"int", "round", "min", "max"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert [name.name for name in node.names] in (["math"], ["typing"])
        elif isinstance(node, ast.ImportFrom):
            assert node.module in ("__future__", "math", "typing", "sim.world"), node.module
            if node.module == "math":
                assert {name.name for name in node.names} <= math
            if node.module == "sim.world":
                assert [name.name for name in node.names] == ["Behaviour"], "for the type checker alone"
        elif isinstance(node, ast.BinOp):
            exact = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.BitOr)
            assert isinstance(node.op, exact), ast.dump(node)
        elif isinstance(node, ast.AugAssign):
            assert isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)), ast.dump(node)
        elif isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name), ast.dump(node)
            assert node.func.id in calls, node.func.id
        elif isinstance(node, ast.Attribute):
            assert isinstance(node.value, ast.Name), ast.dump(node)
            assert node.value.id == "b", ast.dump(node)


# --- what is written down adds up ---------------------------------------------------------------------------


def when_open(world: World, when: int, share_ms: int) -> int:
    """Whoever would call while nobody is there calls at some time of the next opening."""
    clock = world.clock
    spans = list(zip(clock.open_ms.tolist(), clock.close_ms.tolist(), strict=True))
    if clock.always_open or when >= clock.stop_ms or any(start <= when < end for start, end in spans):
        return when
    for start, end in spans[when // w.DAY_MS :]:
        if when < start < w.NEVER:
            return start + share_ms * (end - start) // w.HOUR_MS
    return when


@pytest.mark.parametrize("seed", SEEDS)
def test_contacts_and_time_are_conserved(seed: int) -> None:
    _, world, draws, (c, s, _, _) = run(seed)
    rows, stop = draws.rows, world.clock.stop_ms
    offered = c.arrive_ms >= 0
    ends = [r.CONTAINED, r.CONTAINED_FALSELY, r.HUNG_UP, r.ANSWERED, r.ABANDONED, r.TURNED_AWAY, r.CLOSED]
    ends += [r.SILENT, r.UNREACHED]
    kind = draws.needs.type[rows.need]
    message = c.flags & r.MESSAGE > 0
    chat = (world.types.channel[kind] == w.CHAT) & ~message & (c.agent >= 0)
    deferred = (world.types.channel[kind] == w.DEFERRED) | message
    inside = np.isin(c.outcome, (r.WAITING, r.IN_BOT))
    assert offered.sum() == np.isin(c.outcome, ends).sum() + inside.sum()
    assert (c.end_ms[inside] == -1).all()
    assert offered[: len(draws.needs.type)].all()

    # Every further contact follows from exactly one ending, at its time, unless beyond the last day.
    # after a call's talk, a chat's handling, or at once
    talked = np.where(c.outcome == r.ANSWERED, np.where(chat, c.done_ms, c.end_ms + c.talk_ms), c.end_ms)
    onward = np.full(len(offered), -1)
    for flag, later in (
        (r.PASSED_ON, 0), (r.ESCALATED, 0), (r.RETURNS, rows.return_ms), (r.REDIALS, rows.redial_ms),
    ):  # fmt: skip
        flagged = c.flags & flag > 0
        assert (onward[flagged] == -1).all()
        onward[flagged] = (talked + later)[flagged]
        if flag in (r.RETURNS, r.REDIALS):
            for row in np.flatnonzero(flagged & (world.types.channel[kind] != w.DEFERRED)):
                onward[row] = when_open(world, int(onward[row]), int(rows.call_back_ms[rows.next[row]]))
    came = np.full(len(offered), -1)
    came[rows.next[onward >= 0]] = onward[onward >= 0]
    later_row = rows.attempt > 0
    assert (c.arrive_ms[later_row] == np.where(came < stop, came, -1)[later_row]).all()

    # An agent's time, to the millisecond, where the spell is complete.
    used = (
        s.talk_ms
        + s.acw_ms
        + s.idle_ms
        + s.rest_ms
        + s.break_ms
        + s.lunch_ms
        + s.offline_ms
        + s.decompression_ms
        + s.chat_ms
    )
    complete = s.off_ms < stop
    assert complete.any()
    assert (used == s.off_ms - s.on_ms)[complete].all()
    assert (used >= s.off_ms - s.on_ms).all()
    assert (s.unpaid_ms <= s.break_ms + s.lunch_ms + s.offline_ms + s.decompression_ms).all()
    assert (s.rest_ms <= s.due_ms).all()

    # What agents did is what customers got; nobody talks to two at once, nor chats with more than they have slots.
    taken = np.isin(c.outcome, (r.ANSWERED, r.SILENT, r.UNREACHED))
    assert (taken == (c.agent >= 0)).all()
    assert (taken == (c.done_ms > c.end_ms)).all()
    assert (taken == (c.live > 0)).all()
    assert (s.contacts.sum(), s.talk_ms.sum(), s.acw_ms.sum()) == (
        taken.sum(), c.talk_ms[~chat].sum(), c.acw_ms[~chat].sum(),
    )  # fmt: skip
    assert (c.done_ms == c.end_ms + c.talk_ms + c.acw_ms)[taken & ~chat].all()
    assert (c.live == 1)[taken & ~chat].all()
    assert s.slot_ms.sum() == (np.minimum(c.done_ms, stop) - c.end_ms)[chat].sum()
    slots = world.groups.slots[world.staffing.group_of]
    together = 0
    for agent in range(len(slots)):
        mine = np.flatnonzero(taken & (c.agent == agent))
        alone, several = mine[~chat[mine]], mine[chat[mine]]
        alone = alone[np.argsort(c.end_ms[alone])]
        assert (c.end_ms[alone][1:] >= c.done_ms[alone][:-1]).all()
        at = np.sort(np.concatenate([c.end_ms[several], c.done_ms[several]]))
        for moment in at:
            here = (c.end_ms[several] <= moment) & (moment < c.done_ms[several])
            assert here.sum() <= slots[agent]
            together += int(here.sum() > 1)
            assert not (here.any() and ((c.end_ms[alone] <= moment) & (moment < c.done_ms[alone])).any())
    assert (s.slot_ms >= s.chat_ms).all()
    assert (s.slot_ms > s.chat_ms).any() == (together > 0)
    # Deferred work is never turned away; who has left a message does not give it up, who has written may.
    assert np.isin(c.outcome[deferred], (*ends[:5], r.WAITING, r.IN_BOT, r.NOTHING)).all()
    assert not ((c.outcome == r.ABANDONED) & (c.flags & r.MESSAGE > 0)).any()


def test_same_seed_twice() -> None:
    on = some_features(5)
    once, twice = (kernel.simulate(*small_run(5, on)) for _ in range(2))
    assert differences(once, twice) == []


def test_engines_leave_world_and_draws_alone() -> None:
    world, draws = small_run(7, some_features(7))
    before = [column.tobytes() for part in draws for column in part]
    kernel.simulate(world, draws)
    model.simulate(world, draws)
    assert [column.tobytes() for part in draws for column in part] == before


# --- minimally different worlds -----------------------------------------------------------------------------

RICH = frozenset(FEATURES) - {"fixed", "day_factor"}


def same_rows(a: Draws, b: Draws) -> None:
    """Whoever is in both has the same fate in every column."""
    ids_a = a.needs.key[a.rows.need] + a.rows.attempt.astype(np.uint64)
    ids_b = b.needs.key[b.rows.need] + b.rows.attempt.astype(np.uint64)
    _, in_a, in_b = np.intersect1d(ids_a, ids_b, return_indices=True)
    assert len(in_a) == min(len(ids_a), len(ids_b))
    for name in d.Rows._fields:
        if name in ("need", "next"):
            continue
        if getattr(a.rows, name).size == getattr(b.rows, name).size == 0:
            continue  # a question that neither world asks
        assert np.array_equal(getattr(a.rows, name)[..., in_a], getattr(b.rows, name)[..., in_b]), name
    _, in_a, in_b = np.intersect1d(a.needs.key, b.needs.key, return_indices=True)
    for name in d.Needs._fields:
        assert np.array_equal(getattr(a.needs, name)[in_a], getattr(b.needs, name)[in_b]), name


@pytest.mark.parametrize("seed", range(4))
def test_more_volume_adds_needs_and_leaves_the_others_alone(seed: int) -> None:
    world = small_world(seed, RICH)
    more = world._replace(demand=world.demand._replace(expected=world.demand.expected * 1.05))
    a, b = d.draw(world, seed, 0), d.draw(more, seed, 0)
    assert set(a.needs.key.tolist()) < set(b.needs.key.tolist())
    assert len(b.needs.key) < 1.15 * len(a.needs.key)
    same_rows(a, b)


@pytest.mark.parametrize("seed", range(4))
def test_more_containment_only_moves_people_from_humans_to_the_bot(seed: int) -> None:
    world = small_world(seed, RICH)
    more = world._replace(bot=world.bot._replace(containment=world.bot.containment + 0.2))
    a, b = d.draw(world, seed, 0), d.draw(more, seed, 0)
    moved = a.rows.fate != b.rows.fate
    assert moved.any()
    assert (a.rows.fate[moved] == d.HANDED_OVER).all()
    assert np.isin(b.rows.fate[moved], (d.CONTAINED, d.CONTAINED_FALSELY)).all()
    same_rows(a, b._replace(rows=b.rows._replace(fate=a.rows.fate)))


@pytest.mark.parametrize("seed", range(4))
def test_another_policy_and_staffing_meets_the_same_needs(seed: int) -> None:
    rich = small_world(seed, RICH)
    poor = small_world(seed, RICH - {"targets", "hurry", "rest", "scripts", "shifts"})
    world = rich._replace(levers=poor.levers, staffing=poor.staffing)
    a, b = d.draw(rich, seed, 0), d.draw(world, seed, 0)
    assert np.array_equal(a.needs.key, b.needs.key)
    same_rows(a, b)


def test_activities_out_of_order_are_refused() -> None:
    """What is planned next for somebody is looked up in their order."""
    world = small_world(1, frozenset({"shifts", "activities"}))
    staffing = world.staffing
    shift = int(np.flatnonzero(np.diff(staffing.act_from) > 1)[0])
    act_ms = staffing.act_ms.copy()
    first = staffing.act_from[shift]
    act_ms[[first, first + 1]] = act_ms[[first + 1, first]]
    with pytest.raises(ValueError, match="order of their times"):
        w.check(world._replace(staffing=staffing._replace(act_ms=act_ms)))
