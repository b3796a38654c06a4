"""The question asked in the sidebar, and the answer that every page shows.

An answer is a kept run. A question whose run is already in `runs/` is answered at once; any other waits for the
button, and until then pages say that the answer they show belongs to other settings.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from app_pages import work
from app_pages.words import safe, share
from planner import evidence, jobs, runs
from planner.frames import FRAMES
from planner.frames import SEED as COMPARE_SEED
from planner.scenario.load import Applied, FieldError, FieldErrors, Loaded, ScenarioError, read
from planner.scenario.nodes import Composer
from planner.scenario.schema import CallBackLever, Policy, RecoveryLever, Scenario, TargetLever

if TYPE_CHECKING:
    from planner.rostering.wishes import Wishes

OWN = "A file of your own"
AS_IT_IS = "As it is"
QUICK_REPLICATIONS = 3
NEWEST = 20
HELP = {
    "volume": "The needs that customers have, in per cent of today's. Repeats and redials follow from them.",
    "headcount": "Today's people, in per cent of what the file says; plans may use more or fewer.",
    "churn": (
        "Customers lost beyond the ordinary because a contact went badly, in per cent of what the scenario assumes."
        " As far as the evidence's range goes."
    ),
    "value": "The margin lost with a lost customer, in per cent of what the scenario says.",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """Where a scenario is read from: a shipped name, a path, or the text of an uploaded file."""

    name: str
    text: bytes | None = None


@dataclass(frozen=True)
class Asked:
    """The sidebar's question; `loaded` is None where the scenario cannot be read."""

    loaded: Loaded[Scenario] | None
    problems: tuple[str, ...]
    replications: int
    pressed: bool
    is_opening: bool
    """Whether it is the question that the app opens on; that one is computed unasked."""


@dataclass(frozen=True)
class Shown:
    """The answer on the pages: a kept run, and the scenario that it belongs to."""

    record: dict[str, Any]
    path: Path
    digest: str

    @property
    def document(self) -> dict[str, Any]:
        """The comparison."""
        return dict(self.record["document"])


def folder() -> Path:
    """Where runs are kept; `UNHURRIED_RUNS` names another place."""
    return Path(os.environ.get("UNHURRIED_RUNS") or runs.FOLDER)


def opening() -> str:
    """The scenario that the app opens on; `UNHURRIED_SCENARIO` names another file."""
    return os.environ.get("UNHURRIED_SCENARIO") or jobs.DEMO


# --- reading --------------------------------------------------------------------------------------------------------


def load(source: Source, named: str | None, sets: tuple[str, ...]) -> Loaded[Scenario]:
    """Read and check a scenario with a named scenario and levers laid over it."""
    if source.text is not None:
        return _load_text(source.name, source.text, named, sets)
    path = jobs.path_of(source.name)
    # A list of people beside the file is read with it.
    files = [path, *path.parent.glob("*.csv"), *path.parent.glob("*/*.csv")] if path.exists() else []
    return _load_path(str(path), max((file.stat().st_mtime_ns for file in files), default=0), named, sets)


@st.cache_data(max_entries=64, show_spinner=False)
def _load_path(path: str, changed: int, named: str | None, sets: tuple[str, ...]) -> Loaded[Scenario]:  # noqa: ARG001
    return jobs.load(path, named, sets)


@st.cache_data(max_entries=16, show_spinner=False)
def _load_text(name: str, text: bytes, named: str | None, sets: tuple[str, ...]) -> Loaded[Scenario]:
    with tempfile.TemporaryDirectory(prefix="unhurried-") as aside:
        path = Path(aside) / (Path(name.replace("\\", "/")).name or "scenario.yaml")
        path.write_bytes(text)
        return read(path, Scenario, scenario=named, sets=sets)


@st.cache_data(max_entries=16, show_spinner=False)
def _named_in(name: str, text: bytes) -> tuple[str, ...]:
    """Named scenarios of a file that has passed its checks, then its single overrides."""
    root = Composer(name, lines=False).compose(text.decode("utf-8-sig"))
    found: dict[str, None] = {}
    for section in ("scenarios", "overrides"):
        node = root.value.get(section) if root is not None and isinstance(root.value, dict) else None
        if node is not None and isinstance(node.value, dict):
            found |= dict.fromkeys(node.value)
    return tuple(found)


def told(error: Exception) -> tuple[str, ...]:
    """An error as lines for people; never a traceback."""
    if isinstance(error, ScenarioError):
        return tuple(str(problem) for problem in error.problems)
    if isinstance(error, FieldErrors):
        return tuple(line for each in error.errors for line in told(each))
    if isinstance(error, FieldError):
        found = "" if error.found is None else f" (found {error.found})"
        return (f"{'.'.join(str(key) for key in error.path)}: {error.allowed}{found}",)
    log.error("a run failed", exc_info=error)
    return (f"This could not be computed: {' '.join(str(error).split())[:300] or type(error).__name__}.",)


# --- asking ---------------------------------------------------------------------------------------------------------


def ask() -> Asked:
    """Draw the sidebar and read it."""
    first = opening()
    options = list(dict.fromkeys([first, *jobs.shipped(), OWN]))
    choice = st.selectbox(
        "Scenario", options, key="scenario", bind="query-params",
        format_func=lambda name: name if name == OWN else Path(name).stem.replace("-", " ").capitalize(),
    )  # fmt: skip
    source = Source(choice if choice in options else first)
    if choice == OWN:
        upload = st.file_uploader("Scenario file (YAML)", type=["yaml", "yml"], key="upload")
        if upload is None:
            st.caption(
                "Start from one that ships: `scenarios/` holds five, and every field has a tooltip in an editor."
            )
            return Asked(None, (), QUICK_REPLICATIONS, False, False)
        source = Source(upload.name, upload.getvalue())
    loaded, problems = None, tuple[str, ...]()
    try:
        text = jobs.path_of(source.name).read_bytes() if source.text is None else source.text
        load(source, None, ())
        names = (AS_IT_IS, *_named_in(source.name, text))
        if st.session_state.get("with", AS_IT_IS) not in names:
            st.session_state.pop("with", None)
        named = st.selectbox(
            "Named scenario", names, key="with", bind="query-params",
            format_func=lambda name: name if name == AS_IT_IS else name.replace("_", " ").capitalize(),
            help="Overrides that the file itself names.",
        ) if len(names) > 1 else AS_IT_IS  # fmt: skip
        chosen = None if named == AS_IT_IS else named
        base = load(source, chosen, ()).value
        mark = hashlib.sha256(f"{source} {chosen}".encode()).hexdigest()[:8]
        sets = _levers(base, f"{mark}-{st.session_state.get('lever_round', 0)}")
        loaded = load(source, chosen, sets)
    except (ScenarioError, FieldError, FieldErrors, OSError) as error:
        problems = told(error)
    replications = st.number_input(
        "Replications", 2, 50, QUICK_REPLICATIONS, key="replications", persist_state="session",
        help="How many simulated weeks each result rests on. More make the intervals narrower, and the run longer. Two is the least that gives an interval.",
    )  # fmt: skip
    pressed = st.button(
        "Run", type="primary", icon=":material/play_arrow:", width="stretch", disabled=loaded is None
    )
    st.button(
        "Back to the scenario's own values", width="stretch", type="tertiary",
        on_click=lambda: st.session_state.update(lever_round=st.session_state.get("lever_round", 0) + 1),
    )  # fmt: skip
    is_opening = choice == first and loaded is not None and not loaded.applied
    return Asked(loaded, problems, int(replications), pressed, is_opening)


def _percent(
    label: str,
    field: str,
    value: float,
    most: int,
    mark: str,
    *,
    least: int = 0,
    step: int = 5,
    off: bool = False,
) -> tuple[str, ...]:
    """A factor of `what_if` as a slider in per cent of today; empty where it is left alone."""
    now = round(100 * value)
    low, high = min(least, now), max(most, now)
    chosen = st.slider(
        label, low, high, now, step, format="%d %%", key=f"{field}-{mark}", persist_state="session",
        help=HELP[field], disabled=off,
    )  # fmt: skip
    return () if chosen == now else (f"what_if.{field}={chosen / 100:g}",)


def _levers(base: Scenario, mark: str) -> tuple[str, ...]:
    """The levers that matter, as `path=value`; only those that were moved."""
    world = base.what_if
    sets: list[str] = []
    st.caption("What if, for every policy alike")
    sets += _percent("Volume", "volume", world.volume, 200, mark, least=50)
    if any(kind.automation.contains for kind in base.types.values()):
        sets += _containment(mark)
    fixed = all(group.on_duty is not None for group in base.groups.values())
    sets += _percent("People employed today", "headcount", world.headcount, 150, mark, least=50, off=fixed)
    sets += _percent(
        "Customers lost after bad contacts", "churn", world.churn, _most_churn(base), mark, step=10
    )
    sets += _percent("Value of a customer", "value", world.value, 300, mark, step=10)
    for name, policy in base.policies.items():
        sets += _policy_levers(base, name, policy, mark)
    return tuple(sets)


def _most_churn(base: Scenario) -> int:
    """Per cent of today's churn, whole tens, at which no ending loses more customers than the evidence allows."""
    keys = ("churn_sorted", "churn_warm", "churn_cold", "churn_abandoned")
    factors = [evidence.table()[key].high / base.coefficient(key) for key in keys if base.coefficient(key)]
    return 10 * max(10, math.floor(10 * min(factors, default=3.0)))


def _range_of(coefficient: str, own: float) -> tuple[float, float]:
    """The evidence's range of a coefficient, widened to hold the scenario's own value."""
    row = evidence.table()[coefficient]
    return min(row.low, own), max(row.high, own)


def _containment(mark: str) -> tuple[str, ...]:
    how = st.segmented_control(
        "Containment", ["As in the file", "One share"], default="As in the file", required=True,
        key=f"how-{mark}", persist_state="session",
        help="Share of the bot's sessions that end with it, as its log counts them: each type as in the file, or one share for all.",
    )  # fmt: skip
    if how != "One share":
        return ()
    chosen = st.slider(
        "Contained, all types with a bot",
        0,
        80,
        40,
        5,
        format="%d %%",
        key=f"contained-{mark}",
        persist_state="session",
    )
    return (f"what_if.contained={chosen / 100:g}",)


def _policy_levers(base: Scenario, name: str, policy: Policy, mark: str) -> tuple[str, ...]:
    target, rest, offer = policy.handle_time_target, policy.recovery, policy.call_back
    levers = ((target, TargetLever), (rest, RecoveryLever), (offer, CallBackLever))
    if not policy.chats and not any(isinstance(lever, kind) for lever, kind in levers):
        return ()
    st.caption(safe(policy.title or name))
    sets: list[str] = []
    for group, now in (policy.chats or {}).items():
        known = base.groups[group].chat_handle_by_level
        chosen = st.slider(
            f"Chats at once, {safe(base.groups[group].title or group)}", 1, max(known) if known else max(6, now), now, 1, key=f"chats-{group}-{name}-{mark}",
            persist_state="session", help="The most chats that one person holds at once. Each slows the others, as the file or the evidence says.",
        )  # fmt: skip
        if chosen != now:
            sets.append(f"policies.{name}.chats.{group}={chosen}")
    if isinstance(offer, CallBackLever):
        after = st.slider(
            "Call-back offered after", 0, max(600, round(offer.after_s)), round(offer.after_s), 10, format="%d s", key=f"call-back-{name}-{mark}",
            persist_state="session", help="Whoever waits longer is offered a call-back, and keeps their place in the queue.",
        )  # fmt: skip
        if after != round(offer.after_s):
            sets.append(f"policies.{name}.call_back.after_s={after}")
    if isinstance(target, TargetLever):
        sets += _target(name, target, mark)
        own = base.coefficient("pressure_drop") if target.drop is None else target.drop
        now = round(100 * own)
        low, high = _range_of("pressure_drop", own)
        chosen = st.slider(
            "Handle time cut by pressure", round(100 * low), round(100 * high), now, 1, format="%d %%",
            key=f"drop-{name}-{mark}", persist_state="session",
            help="By how much the mean handle time falls under the target. As far as the evidence's range goes.",
        )  # fmt: skip
        if chosen != now:
            sets.append(f"policies.{name}.handle_time_target.drop={chosen / 100:g}")
    if isinstance(rest, RecoveryLever):
        own = base.coefficient("recovery_min") if rest.minutes is None else rest.minutes
        minutes = st.slider(
            "Pause after a hard contact", *_range_of("recovery_min", own), own, 0.5, format="%.1f min",
            key=f"recovery-{name}-{mark}", persist_state="session",
            help="Length of one recovery pause. As far as the evidence's range goes.",
        )  # fmt: skip
        if minutes != own:
            sets.append(f"policies.{name}.recovery.minutes={minutes:g}")
        budget = st.slider(
            "Most pauses in a shift", 0.0, max(90.0, rest.budget_min), float(rest.budget_min), 5.0, format="%.0f min",
            key=f"budget-{name}-{mark}", persist_state="session", help="All recovery pauses of a shift together last no longer than this.",
        )  # fmt: skip
        if budget != rest.budget_min:
            sets.append(f"policies.{name}.recovery.budget_min={budget:g}")
    return tuple(sets)


def _target(name: str, target: TargetLever, mark: str) -> list[str]:
    """A policy's handle-time target in per cent of the file's, for all its types alike."""
    chosen = st.slider(
        "Handle-time target", 50, 150, 100, 5, format="%d %%", key=f"target-{name}-{mark}", persist_state="session",
        help="The target, in per cent of what the file says, for each type alike. The lower it is, the more contacts the cut falls on.",
    )  # fmt: skip
    if chosen == 100:
        return []
    path, own = f"policies.{name}.handle_time_target.seconds", target.seconds
    each = {f"{path}.{kind}": s for kind, s in own.items()} if isinstance(own, dict) else {path: own}
    return [f"{key}={round(chosen / 100 * seconds)}" for key, seconds in each.items()]


# --- answering ------------------------------------------------------------------------------------------------------


def digest_of(scenario: Scenario | dict[str, Any]) -> str:
    """What tells one resolved scenario from another."""
    plain = scenario.model_dump(mode="json") if isinstance(scenario, Scenario) else scenario
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:16]


@st.cache_resource(max_entries=200, show_spinner=False)
def _head(path: str, changed: int) -> dict[str, Any] | None:  # noqa: ARG001
    record = runs.read(Path(path))
    if record is None:
        return None
    return {
        "kind": record.get("kind"), "digest": digest_of(record["scenario"]), "code": record["code"], "options": record["options"],
        "made": record["made"],
    }  # fmt: skip


def _opened(path: Path) -> Shown | None:
    record = runs.read(path)
    return (
        Shown(record, path, digest_of(record["scenario"]))
        if record and "frames" in record.get("document", {})
        else None
    )


def path_of(scenario: Scenario, options: dict[str, Any]) -> Path:
    """Where the run of exactly this question is kept."""
    return (
        folder() / runs.name_of("compare", scenario, runs.key_of("compare", scenario, options)) / "run.json"
    )


def kept(scenario: Scenario) -> Shown | None:
    """The kept run of this scenario by this code: the demo's, or else the one with most replications."""
    exact = path_of(scenario, jobs.demo_options(scenario))
    if exact.exists():
        return _opened(exact)
    digest, found = digest_of(scenario), list[tuple[int, str, Path]]()
    paths = sorted(folder().glob(f"compare-{scenario.name}-*/run.json"), key=_changed, reverse=True)
    for path in paths[:NEWEST]:
        head = _head(str(path), _changed(path))
        if head is None or not _answers(head, "compare", digest):
            continue
        options = head["options"]
        if set(options["policies"]) >= set(scenario.policies) and set(options["frames"]) >= set(FRAMES):
            found.append((int(options["replications"]), str(head["made"]), path))
    return _opened(max(found)[2]) if found else None


def rankings(scenario: Scenario) -> list[dict[str, Any]]:
    """Documents of the kept rankings of this scenario's levers by this code, the newest first, or the one just asked for."""
    digest, found = digest_of(scenario), list[dict[str, Any]]()
    paths = sorted(folder().glob(f"levers-{scenario.name}-*/run.json"), key=_changed, reverse=True)
    paths.sort(key=lambda path: path != st.session_state.get("ranked"))
    for path in paths[:NEWEST]:
        record = runs.read(path)
        if record is None or record.get("kind") != "levers" or record["code"] != runs.code_hash():
            continue
        if digest_of(record["scenario"]) == digest:
            found.append(record["document"])
    return found


def rosters(scenario: Scenario) -> dict[Path, dict[str, Any]]:
    """Where the kept rosters of this scenario by this code are, with options and when they were made; the newest first, or the one just asked for."""
    digest, found = digest_of(scenario), dict[Path, dict[str, Any]]()
    paths = sorted(folder().glob(f"roster-{scenario.name}-*/run.json"), key=_changed, reverse=True)
    paths.sort(key=lambda path: path != st.session_state.get("rostered"))
    for path in paths[:NEWEST]:
        head = _head(str(path), _changed(path))
        if head is not None and _answers(head, "roster", digest):
            found[path] = head
    return found


def record_at(path: Path) -> dict[str, Any] | None:
    """A kept run's record; None if it cannot be read."""
    return _record(str(path), _changed(path))


@st.cache_resource(max_entries=8, show_spinner=False)
def _record(path: str, changed: int) -> dict[str, Any] | None:  # noqa: ARG001
    return runs.read(Path(path))


def _answers(head: dict[str, Any], kind: str, digest: str) -> bool:
    """Whether a run is of a kind and a scenario, and by this code."""
    return head["kind"] == kind and head["digest"] == digest and head["code"] == runs.code_hash()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def answer(asked: Asked, *, warn: bool = True) -> None:
    """Bring the shown answer up to the question where that costs nothing, or where the button was pressed.

    warn: whether to say where it belongs to other settings.
    """
    state = st.session_state
    if asked.problems:
        st.error(
            "\n".join(f"- {safe(line)}" for line in asked.problems),
            title="This scenario cannot be used as it stands",
        )
    first = "opened" not in state
    if first:
        state.opened = True
        for key, kind in WAITS.items():
            state[key] = work.running(kind)
    digest = None if asked.loaded is None else digest_of(asked.loaded.value)
    for key in WAITS:
        _take_up(key, digest)
    if asked.loaded is not None:
        _answer(asked, asked.loaded, first, warn=warn)
    failed = state.get("failed")
    if failed is not None and failed[0] == digest:
        st.error("\n".join(f"- {safe(line)}" for line in failed[1]), title=failed[2])
    if any(waiting(key) for key in WAITS):
        _progress()


def _answer(asked: Asked, loaded: Loaded[Scenario], first: bool, *, warn: bool) -> None:
    state, scenario = st.session_state, loaded.value
    shown, digest = state.get("shown"), digest_of(scenario)
    state.asked, state.asked_applied, state.asked_loaded = scenario, loaded.applied, loaded
    if asked.pressed:
        compute(scenario, loaded.applied, asked.replications)
    elif shown is None or shown.digest != digest:
        found = kept(scenario)
        if found is not None:
            state.shown = found
        elif first and shown is None and asked.is_opening:
            compute(scenario, loaded.applied, QUICK_REPLICATIONS)
        elif shown is not None and warn:
            st.warning(
                f"What you see belongs to {belongs(shown)}. The settings on the left have not been run yet: press Run.",
                title="Not this question's answer", icon=":material/update:",
            )  # fmt: skip


def compute(scenario: Scenario, applied: tuple[Applied, ...], replications: int) -> None:
    """Show a quick comparison if it is kept; else have it made, which goes on while other pages are looked at."""
    state, runs_folder, digest = st.session_state, folder(), digest_of(scenario)
    options = jobs.compare_options(list(scenario.policies), FRAMES, replications, COMPARE_SEED, True, 0, True)
    path = path_of(scenario, options)
    state.pop("failed", None)
    known = _opened(path)
    if known is not None:
        state.shown = known
        return
    state.waits = path
    work.start(
        path, digest, scenario,
        lambda say: jobs.kept_compare(scenario, options, folder=runs_folder, say=say, applied=applied),
    )  # fmt: skip


def rank(
    scenario: Scenario, applied: tuple[Applied, ...], policy: str, frame: str, quick: bool, doubt: int
) -> None:
    """Have a ranking of all levers made, which goes on while other pages are looked at."""
    state, runs_folder, digest = st.session_state, folder(), digest_of(scenario)
    n = jobs.rank_replications(quick)
    options = jobs.rank_options(policy, frame, n, COMPARE_SEED, quick, doubt=doubt)
    name = runs.name_of("levers", scenario, runs.key_of("levers", scenario, options))
    state.pop("failed", None)
    state.ranks = path = runs_folder / name / "run.json"
    parts = 10.0 if frame != "at_target" else 100.0
    counts = {"part": parts, "draw": doubt * parts * 3 / (1 + n)} if doubt else {"part": parts}
    work.start(
        path, digest, scenario,
        lambda say: jobs.kept_ranking(scenario, options, folder=runs_folder, say=say, applied=applied),
        kind="levers", counts=counts,
    )  # fmt: skip


def roster(loaded: Loaded[Scenario], policy: str, wishes: Wishes) -> None:
    """Have a roster of named people made, which goes on while other pages are looked at."""
    state, runs_folder, scenario = st.session_state, folder(), loaded.value
    try:
        options = wishes.options(policy, "kernel")
    except (ScenarioError, OSError) as error:
        state.failed = (digest_of(scenario), told(error), "The roster cannot be made")
        return
    name = runs.name_of("roster", scenario, runs.key_of("roster", scenario, options))
    state.pop("failed", None)
    state.rosters = path = runs_folder / name / "run.json"
    rosters = 1 + wishes.rounds
    work.start(
        path, digest_of(scenario), scenario,
        lambda say: jobs.kept_roster(loaded, policy, wishes, folder=runs_folder, say=say),
        kind="roster", counts={"relief": 6.0 * rosters} if wishes.reliefs else {},
        total=len(scenario.groups) + 3 + 6.0 * (rosters + (wishes.published is not None)),
    )  # fmt: skip


def published(path: Path, document: dict[str, Any]) -> Path:
    """A kept roster as a file that another one starts from, beside its run."""
    from planner import roster_files

    file = path.parent / "roster.csv"
    if not file.exists():
        file.write_bytes(roster_files.long_csv(document))
    return file


def last_roster(scenario: Scenario) -> Path | None:
    """Where the roster last looked at is kept, if its scenario is the same but for its settings."""
    path = st.session_state.get("last_roster")
    record = None if path is None else record_at(path)
    return path if record is not None and record["scenario"]["name"] == scenario.name else None


WAITS = {"waits": "compare", "ranks": "levers", "rosters": "roster"}
"""Where a session keeps the path of what it waits for, and of which kind that is."""
NOUNS = {"waits": "comparison", "ranks": "ranking", "rosters": "roster"}


def waiting(key: str = "waits") -> bool:
    """Whether this session waits for work that is under way."""
    return work.of(st.session_state.get(key)) is not None


def _take_up(key: str, digest: str | None) -> None:
    """Take up what became of the work that this session waits for, if it has ended."""
    state, path = st.session_state, st.session_state.get(key)
    waited = work.of(path)
    if path is None or waited is None or not waited.ended:
        return
    state[key] = None
    noun = NOUNS[key]
    if waited.error is not None:
        if isinstance(waited.error, work.StoppedError):
            kept = (
                "asked for again, it goes on from what is done"
                if key == "ranks"
                else "nothing of it was kept"
            )
            st.toast(f"Stopped: {kept}.", icon=":material/stop_circle:")
        else:
            state.failed = (waited.digest, told(waited.error), f"The {noun} stopped")
        return
    if key == "ranks":
        state.ranked = path
        state.pop("ranking", None)
    elif key == "rosters":
        state.rostered = path
        state.pop("roster", None)
    else:
        shown, made = state.get("shown"), _opened(path)
        if made is not None and (shown is None or digest in (waited.digest, None) or shown.digest != digest):
            state.shown = made
    st.toast(f"The {noun} of {safe(waited.title)} is ready.", icon=":material/check:")


PROGRESS = {
    "waits": (
        "Comparing policies on",
        "Anchor today, plan each policy, simulate the same customers in three frames, take the levers apart. This takes"
        " some minutes the first time, then it is kept. It goes on while you look at other pages or change the settings.",
    ),
    "ranks": (
        "Ranking the levers of",
        "Anchor today, then value every lever by itself on the same customers. It goes on while you look at other pages or"
        " change the settings; what is done is kept, and the ranking opens on the Levers page.",
    ),
    "rosters": (
        "Rostering the people of",
        "Anchor today, find what the targets ask for, search for the roster, simulate it, and once more where the proof fails. It goes"
        " on while you look at other pages or change the settings, and opens on the Roster page.",
    ),
}
"""What is done for whom, and how."""


@st.fragment(run_every=1.0)
def _progress() -> None:
    """How far the work is that this session waits for; on whatever page."""
    for key, (doing, how) in PROGRESS.items():
        waited = work.of(st.session_state.get(key))
        if waited is None:
            continue
        if waited.ended:
            st.rerun()
        with st.container(border=True):
            st.markdown(f"**{doing} {safe(waited.title)}**")
            st.progress(waited.share, text=safe(waited.line))
            st.caption(how)
            if st.button(
                "Stop", icon=":material/stop:", disabled=waited.stop, key="stop" if key == "waits" else f"stop-{key}"
            ):  # fmt: skip
                waited.stop = True


def shown_or_stop() -> Shown:
    """The answer to show; where there is none, a sentence and nothing else."""
    shown = st.session_state.get("shown")
    if shown is None:
        st.info(
            "The answer is being computed: it opens here when it is ready."
            if waiting()
            else "Nothing has been computed for this scenario yet. Press Run on the left; it takes some minutes.",
            icon=":material/hourglass_empty:",
        )
        st.stop()
    return shown  # type: ignore[no-any-return]


def applied_to(shown: Shown) -> str:
    """The overrides and levers of an answer, in words."""
    parts = [f"{a['path']} = {_value(a['value'])}" for a in shown.record.get("applied", [])]
    return "; ".join(parts)


def _value(value: Any) -> str:
    if isinstance(value, float) and 0 <= value < 1:
        return share(value, 0)
    return f"{value:g}" if isinstance(value, float) else str(value)


def belongs(shown: Shown) -> str:
    """Which question an answer answers."""
    document, changed = shown.document, applied_to(shown)
    text = f"{document['title'] or document['scenario']}, {f'with {changed}' if changed else 'as the file has it'}"
    return safe(f"{text} ({document['replications']} replications)")


def header(title: str | None, *, of_run: bool = True) -> None:
    """A page's title (the scenario's where None), and which question the page answers.

    Drawn before the page's own code is imported, for charts are slow to import.
    """
    shown: Shown | None = st.session_state.get("shown")
    if shown is None or not of_run:
        st.title(title or "Unhurried")
        return
    st.title(title or shown.document["title"] or shown.document["scenario"])
    made = str(shown.record.get("made", ""))[:16].replace("T", " ")
    planning = "quick planning" if shown.record.get("options", {}).get("quick") else "thorough planning"
    st.caption(f"{belongs(shown)}, {planning}, seed {shown.document['seed']}, made {made} UTC.")
