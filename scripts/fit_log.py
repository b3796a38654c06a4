"""Fit a scenario to a call log: arrivals, talk, patience, redials, the spread of days and people, staffing.

Waits of the served are censored patience, and the maximum-likelihood fits and the Kaplan-Meier median treat
them so. What a log cannot hold (names, shifts, costs, policies) comes from a frame, a partial scenario file.
Only derived figures are written, never a row.
"""

from __future__ import annotations

import argparse
import io
import math
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from scipy.stats import CensoredData, ecdf, weibull_min

from planner.scenario.load import ScenarioError, nearest, read
from planner.scenario.schema import DAYS, Scenario, days_of

COLUMNS = (
    "arrival",
    "ivr_seconds",
    "contact_type",
    "customer",
    "wait_seconds",
    "outcome",
    "handle_seconds",
    "agent",
)
OUTCOMES = ("served", "abandoned_queue", "abandoned_ivr", "short_or_unassigned")
EXAMPLE = """\
example:
  python -m scripts.fit_log ../shared/data/bank_1999_contacts_weeks_1_2.csv.gz \\
      --frame scripts/bank-1999.frame.yaml --out scenarios/bank-1999.yaml

columns of the log (CSV, also compressed; others are left alone):
  arrival         local time of joining the queue, 1999-02-01 07:00:17
  ivr_seconds     length of the automated part
  contact_type    a code
  customer        who called, blank where unknown
  wait_seconds    time in the queue
  outcome         served, abandoned_queue, abandoned_ivr or short_or_unassigned
  handle_seconds  talk, where served
  agent           who answered, where served
"""

SHORT_S = 10
"""A served call no longer than this is no conversation: the agent or the line hung up."""
LEAST = 30
"""Fewer observations than this are not fitted alone."""
PIECES_S = (5, 15, 30, 60, 120, 240)
"""Where the hazard of leaving may change, seconds waited."""
BRIDGE_S = 900
"""An agent counts as present through a gap between two calls no longer than this."""
OPEN_ABOVE = 0.25
"""Open where at least this share of the day's median of served calls per interval is served."""
SOON_S, HOUR_S = 600, 3600
MOST_BYTES = 500_000_000

Family = Literal["best", "exponential", "weibull", "hazard"]


class LogError(ValueError):
    """A log, frame or option that cannot be used; the message is one line."""


# --- reading ------------------------------------------------------------------------------------------------


def read_log(path: Path) -> pd.DataFrame:
    """Read the log and add `start_s`, the arrival in seconds after the first midnight; raise LogError."""
    if not path.is_file():
        raise LogError(f"{path.name}: {'is a folder' if path.is_dir() else 'no such file'}")
    if path.stat().st_size > MOST_BYTES:
        raise LogError(f"{path.name}: is too large ({path.stat().st_size / 1e6:.0f} MB)")
    try:
        log = pd.read_csv(path, dtype={"customer": "string", "agent": "string", "contact_type": "string"})
    except (OSError, EOFError, ValueError, UnicodeError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())[:120]
        raise LogError(f"{path.name}: cannot be read as CSV ({reason})") from None
    missing = [name for name in COLUMNS if name not in log.columns]
    if missing:
        close = nearest(missing[0], [str(c) for c in log.columns])
        hint = f" (did you mean {close}?)" if close else ""
        raise LogError(f"{path.name}: has no column {', '.join(missing)}{hint}")
    if log.empty:
        raise LogError(f"{path.name}: has no calls")
    try:
        times = pd.to_datetime(log["arrival"], errors="coerce")
    except (ValueError, TypeError, OverflowError):
        times = pd.Series(pd.NaT, index=log.index)
    _refuse(path, log, times.isna(), "arrival", "must be a time like 1999-02-01 07:00:17")
    for name in ("ivr_seconds", "wait_seconds", "handle_seconds"):
        values = pd.to_numeric(log[name], errors="coerce")
        low = -math.inf if name == "ivr_seconds" else 0  # clocks of the two systems differ by seconds
        _refuse(path, log, ~(values.ge(low) & values.le(86_400)), name, "must be seconds from 0 to 86400")
        log[name] = values.astype(float)
    _refuse(path, log, ~log["outcome"].isin(OUTCOMES), "outcome", f"must be one of {', '.join(OUTCOMES)}")
    _refuse(path, log, log["contact_type"].isna(), "contact_type", "must not be blank")
    served = log["outcome"] == "served"
    _refuse(path, log, served & log["agent"].isna(), "agent", "must be given for a served call")
    first = times.min().normalize()
    log["day"] = (times.dt.normalize() - first).dt.days
    log["start_s"] = (times - first).dt.total_seconds()
    log.attrs["first"] = first.date()
    if log["day"].max() < 6:
        raise LogError(f"{path.name}: covers {log['day'].max() + 1} days; at least a week is needed")
    if log["day"].max() > 3660:
        raise LogError(f"{path.name}: covers {log['day'].max() + 1} days; at most ten years are read")
    if served.sum() < LEAST:
        raise LogError(f"{path.name}: has {served.sum()} served calls; at least {LEAST} are needed")
    return log


def _refuse(path: Path, log: pd.DataFrame, bad: pd.Series, column: str, allowed: str) -> None:
    if bad.any():
        at = int(np.flatnonzero(bad.to_numpy())[0])
        found = str(log[column].iloc[at])[:40]
        raise LogError(f"{path.name}: row {at + 2}: {column} {allowed} (found {found!r})")


def read_frame(path: Path | None) -> CommentedMap:
    """What the log cannot say, as a partial scenario."""
    if path is None:
        return CommentedMap(name="from-log", title="Fitted to a call log", story="", sources=[], types={})
    try:
        frame = _yaml().load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LogError(f"{path.name}: no such file") from None
    except (OSError, UnicodeError) as error:
        raise LogError(f"{path.name}: cannot be read ({type(error).__name__})") from None
    except YAMLError as error:
        raise LogError(f"{path.name}: is not YAML ({' '.join(str(error).split())[:120]})") from None
    if not isinstance(frame, CommentedMap) or not isinstance(frame.get("types", {}), Mapping):
        raise LogError(f"{path.name}: must be a partial scenario with types: {{CODE: {{name: ...}}}}")
    return frame


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.preserve_quotes = True
    yaml.allow_unicode = True
    return yaml


# --- fits ---------------------------------------------------------------------------------------------------


class Talk(NamedTuple):
    """Talk of conversations."""

    n: int
    mean_s: float
    mu: float
    sigma: float
    short_share: float
    """Share of served calls too short to be a conversation."""

    @property
    def cv(self) -> float:
        """Coefficient of variation of the fitted lognormal."""
        return math.sqrt(math.expm1(self.sigma**2))


def fit_talk(handle_s: ArrayLike, short_s: float = SHORT_S) -> Talk:
    """Lognormal talk by maximum likelihood; the mean is the plain one, for it carries the load."""
    all_s = np.asarray(handle_s, float)
    long_s = all_s[all_s > short_s]
    if len(long_s) < 2:
        raise LogError(f"has {len(long_s)} served calls longer than {short_s:g} s: too few for talk time")
    logs = np.log(long_s)
    return Talk(
        len(long_s), float(long_s.mean()), float(logs.mean()), float(logs.std()), 1 - len(long_s) / len(all_s)
    )


def fit_agent_spread(agent: ArrayLike, handle_s: ArrayLike, least: int = 100) -> float | None:
    """CV of agents' true mean talk: the variance of their means less that of chance; None for too few."""
    by_agent = pd.Series(np.asarray(handle_s, float)).groupby(np.asarray(agent))
    table = by_agent.agg(["mean", "var", "size"])
    table = table[table["size"] >= least]
    if len(table) < 3:
        return None
    excess = table["mean"].var() - (table["var"] / table["size"]).mean()
    return math.sqrt(max(excess, 0.0)) / float(table["mean"].mean())


class PatienceFit(NamedTuple):
    """Time to abandonment, from censored waits."""

    family: str
    n_waits: int
    n_abandoned: int
    mean_s: float
    """Mean of the exponential or Weibull; of the exponential where the hazard is in pieces."""
    shape: float
    per_min: tuple[float, ...]
    """Hazard per minute by piece."""
    median_s: float
    """Kaplan-Meier median; infinite where fewer than half would have left within the longest wait."""
    aic: Mapping[str, float]


def fit_patience(wait_s: ArrayLike, abandoned: ArrayLike, family: Family = "best") -> PatienceFit:
    """Patience by maximum likelihood, the waits of the served right-censored; `best` is the lowest AIC.

    Calls that did not wait say nothing about patience and are left out.
    """
    wait, left = np.asarray(wait_s, float), np.asarray(abandoned, bool)
    wait, left = wait[wait > 0], left[wait > 0]
    n = int(left.sum())
    if n < 2:
        raise LogError(f"has {n} abandonments after a wait: too few for patience")
    data = CensoredData(uncensored=wait[left], right=wait[~left])
    rate = n / wait.sum()
    shape, _, scale = weibull_min.fit(data, 1.0, floc=0, scale=1 / rate)
    edges = np.array([0.0, *PIECES_S, math.inf])
    exposure = np.array([np.clip(wait - a, 0, b - a).sum() for a, b in pairwise(edges)])
    counts = np.array([((wait > a) & (wait <= b) & left).sum() for a, b in pairwise(edges)])
    while len(counts) > 1 and counts[-1] == 0:  # the last piece goes on for ever and needs a hazard
        counts, exposure = counts[:-1], np.append(exposure[:-2], exposure[-2:].sum())
    hazard = counts / np.maximum(exposure, 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        piecewise = np.where(counts > 0, counts * np.log(hazard), 0.0).sum() - n
    likelihood = {
        "exponential": n * math.log(rate) - n,
        "weibull": float(
            weibull_min.logpdf(wait[left], shape, scale=scale).sum()
            + weibull_min.logsf(wait[~left], shape, scale=scale).sum()
        ),
        "hazard": float(piecewise),
    }
    free = {"exponential": 1, "weibull": 2, "hazard": len(hazard)}
    aic = {name: 2 * free[name] - 2 * value for name, value in likelihood.items()}
    chosen = min(aic, key=aic.__getitem__) if family == "best" else family
    survival = ecdf(data).sf
    gone = np.flatnonzero(survival.probabilities <= 0.5)
    median = float(survival.quantiles[gone[0]]) if len(gone) else math.inf
    mean = scale * math.gamma(1 + 1 / shape) if chosen == "weibull" else 1 / rate
    return PatienceFit(
        chosen, len(wait), n, float(mean), float(shape) if chosen == "weibull" else 1.0,
        tuple(float(h) * 60 for h in hazard), median, aic,
    )  # fmt: skip


class Redial(NamedTuple):
    """Shares of identified callers who call again, after abandoning and after being served."""

    n_abandoned: int
    n_served: int
    abandoned_soon: float
    abandoned_hour: float
    served_soon: float
    served_hour: float

    @property
    def excess_soon(self) -> float:
        """Redials within ten minutes beyond ordinary calling back."""
        return max(self.abandoned_soon - self.served_soon, 0.0)

    @property
    def excess_hour(self) -> float:
        """Redials within the hour beyond ordinary calling back."""
        return max(self.abandoned_hour - self.served_hour, 0.0)


def fit_redial(log: pd.DataFrame) -> Redial | None:
    """How many identified callers call again soon after a call's end; None where too few are identified."""
    known = log[log["customer"].notna()].sort_values(["customer", "start_s"])
    again = known.groupby("customer")["start_s"].shift(-1)
    end = known["start_s"] + known["wait_seconds"] + known["handle_seconds"]
    gap = (again - end).fillna(math.inf)
    followed = end <= log["start_s"].max() - HOUR_S
    left = followed & (known["outcome"] == "abandoned_queue")
    served = followed & (known["outcome"] == "served")
    if min(left.sum(), served.sum()) < LEAST:
        return None
    share = [float((gap[who] <= within).mean()) for who in (left, served) for within in (SOON_S, HOUR_S)]
    return Redial(int(left.sum()), int(served.sum()), *share)


def fit_day_shape(counts: Iterable[Sequence[float]]) -> float:
    """Gamma shape of the day factor from counts of days alike, Poisson noise taken off; 0 for none seen."""
    excess = free = 0.0
    for several in counts:
        days = np.asarray(several, float)
        if len(days) > 1 and days.mean() > 0:
            own = len(days) - 1
            excess += own * (days.var(ddof=1) / days.mean() ** 2 - 1 / days.mean())
            free += own
    return free / excess if excess > 0 else 0.0


class DayClass(NamedTuple):
    """Days taken as alike."""

    key: str
    weekdays: tuple[int, ...]
    opens: int
    closes: int


def day_classes(log: pd.DataFrame, alike: Sequence[str], interval_min: int) -> list[DayClass]:
    """Classes of days with the hours in which people answer; closed days are left out."""
    keys: list[str] = []
    taken: set[int] = set()
    for key in alike:
        days = set(days_of(key))
        if taken & days:
            raise LogError(f"alike: {key} names a day twice")
        taken |= days
        keys.append(key)
    keys += [DAYS[day] for day in range(7) if day not in taken]
    served = log[log["outcome"] == "served"]
    place = ((served["start_s"] % 86_400) // (60 * interval_min)).astype(int)
    weekday = weekdays_of(log, served)
    found = []
    for key in keys:
        numbers = days_of(key)
        counts = np.bincount(place[weekday.isin(numbers)], minlength=1440 // interval_min)
        busy = counts[counts > 0]
        usual = np.median(busy[busy >= 0.1 * busy.max()]) if len(busy) else 0
        opened = np.flatnonzero(counts >= max(OPEN_ABOVE * usual, 1))
        if len(opened) and counts.sum() >= LEAST:
            found.append(
                DayClass(key, numbers, int(opened[0]) * interval_min, int(opened[-1] + 1) * interval_min)
            )
    if not found:
        raise LogError("has no day with enough served calls")
    return sorted(found, key=lambda c: -len(c.weekdays))


def weekdays_of(log: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Weekday of each row, 0 is Monday."""
    return (rows["day"] + log.attrs["first"].weekday()) % 7


def days_in(log: pd.DataFrame, weekdays: Sequence[int]) -> list[int]:
    """The log's days that fall on these weekdays."""
    first = log.attrs["first"].weekday()
    return [day for day in range(int(log["day"].max()) + 1) if (day + first) % 7 in weekdays]


class Duty(NamedTuple):
    """Staffing inferred from activity."""

    on_duty: dict[str, np.ndarray]
    """People present by class of days and interval, mean over its days."""
    hours_per_week: float
    occupancy: float
    """Talk over presence."""
    n_agents: int


def infer_on_duty(log: pd.DataFrame, classes: Sequence[DayClass], interval_min: int) -> Duty:
    """Who was present: from an agent's first call to the last, gaps beyond BRIDGE_S left out.

    Biased both ways: people waiting for their first call are missed, short breaks and other work are counted.
    """
    served = log[log["outcome"] == "served"].copy()
    served["from"] = served["start_s"] + served["wait_seconds"]
    served["to"] = served["from"] + served["handle_seconds"]
    n = 1440 // interval_min
    n_days = int(log["day"].max()) + 1
    seconds = np.zeros(n_days * 86_400 + 1)
    for _, calls in served.sort_values("from").groupby("agent"):
        start, end = calls["from"].to_numpy(), np.maximum.accumulate(calls["to"].to_numpy())
        new = np.flatnonzero(start[1:] - end[:-1] > BRIDGE_S) + 1
        spells = zip(start[np.r_[0, new]], end[np.r_[new - 1, len(end) - 1]], strict=True)
        for a, b in spells:
            seconds[min(int(a), len(seconds) - 1)] += 1
            seconds[min(int(b), len(seconds) - 1)] -= 1
    present = np.cumsum(seconds)[:-1].reshape(n_days, n, -1).mean(axis=2)
    level = {c.key: present[days_in(log, c.weekdays)].mean(axis=0) for c in classes}
    hours = sum(len(c.weekdays) * level[c.key].sum() for c in classes) * interval_min / 60
    occupancy = float(served["handle_seconds"].sum() / 3600 / (present.sum() * interval_min / 60))
    return Duty(level, float(hours), occupancy, int(served["agent"].nunique()))


# --- the scenario -------------------------------------------------------------------------------------------


def fit_scenario(
    log: pd.DataFrame,
    frame: CommentedMap,
    *,
    interval_min: int = 30,
    family: Family = "best",
    source: str = "",
) -> str:
    """Text of the scenario file that the log and the frame make."""
    names, titles = _names(log, frame)
    contacts = log[log["outcome"].isin(["served", "abandoned_queue"])].assign(
        kind=log["contact_type"].map(names), left=log["outcome"] == "abandoned_queue"
    )
    contacts["weekday"] = weekdays_of(log, contacts)
    contacts["minute"] = (contacts["start_s"] % 86_400) / 60
    alike = [str(key) for key in frame.get("alike", [])]
    try:
        classes = day_classes(log, alike, interval_min)
    except LogError:
        raise
    except ValueError as error:
        raise LogError(f"alike: {error}") from None
    within = np.zeros(len(contacts), bool)
    for c in classes:
        within |= (
            contacts["weekday"].isin(c.weekdays)
            & (contacts["minute"] >= c.opens)
            & (contacts["minute"] < c.closes)
        ).to_numpy()
    outside = 1 - within.mean()
    inside = contacts[within]
    order = inside["kind"].value_counts(sort=True).index.tolist()

    doc = CommentedMap()
    doc.yaml_set_start_comment(
        "yaml-language-server: $schema=scenario.schema.json\n"
        f"Fitted by scripts/fit_log.py to {source or 'a call log'}; derived figures only.\n"
        "Change the frame or the script rather than this file."
    )
    for key in ("name", "title", "story", "sources"):
        doc[key] = frame.get(key) or (
            "from-log" if key == "name" else [] if key == "sources" else "A fitted call log."
        )
    start = log.attrs["first"]
    doc["horizon"] = _flow(start=start, days=7, interval_min=interval_min)
    hours = _flow({c.key: DoubleQuotedScalarString(f"{_clock(c.opens)}-{_clock(c.closes)}") for c in classes})
    doc["opening"] = CommentedMap(hours=hours, at_close="serve_out", out_of_hours="lost")
    _say(
        doc,
        "opening",
        f"Where people answered; {outside:.1%} of the calls for them came outside and are left out.",
    )
    counts = [inside[inside["weekday"].isin(c.weekdays)].groupby("day").size() for c in classes]
    by_day = [
        series.reindex(days_in(log, c.weekdays), fill_value=0)
        for series, c in zip(counts, classes, strict=True)
    ]
    shape = fit_day_shape(by_day)
    doc["day_factor"] = _flow(shape=_round(shape), memory=0, shared=True)
    usual = by_day[0]
    _say(
        doc, "day_factor",
        f"{usual.mean():,.0f} calls on a day of {classes[0].key}, sd {usual.std():,.0f}, {len(usual)} days; "
        "too few days for an autocorrelation.",
    )  # fmt: skip
    if "segments" in frame:
        doc["segments"] = frame["segments"]
    doc["types"] = types = CommentedMap()
    patience = _patience_by_type(inside, order, family)
    pooled = {c.key: _profile(inside, c, interval_min) for c in classes}
    for name in order:
        types[name] = _type(inside, name, titles, classes, pooled, patience, log, interval_min)
        if greeting_s(log) >= 1:
            types[name]["automation"] = _greeting(log)
        _say(types, name, _said(inside, name, patience), indent=2)
    doc["groups"] = _groups(log, frame, classes, order, interval_min)
    behaviour = CommentedMap(frame.get("behaviour") or {})
    redial = fit_redial(log)
    if redial is not None and redial.excess_hour > 0:
        behaviour["redial"] = _round(redial.excess_hour)
        behaviour["redial_soon"] = _round(min(redial.excess_soon / redial.excess_hour, 1.0))
    for key, value in frame.items():
        if key not in (*doc, "alike", "group", "behaviour", "overrides", "scenarios"):
            doc[key] = value
    if behaviour:
        doc["behaviour"] = _flow(behaviour)
        if redial is not None:
            _say(
                doc, "behaviour",
                f"Called again within 10 minutes and an hour: after abandoning {redial.abandoned_soon:.0%} "
                f"and {redial.abandoned_hour:.0%} of {redial.n_abandoned:,}, after being served "
                f"{redial.served_soon:.0%} and {redial.served_hour:.0%} of {redial.n_served:,} identified "
                "callers; the excess counts.",
            )  # fmt: skip
    for key in ("overrides", "scenarios"):
        if key in frame:
            doc[key] = frame[key]
    out = io.StringIO()
    _yaml().dump(doc, out)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _names(log: pd.DataFrame, frame: CommentedMap) -> tuple[dict[str, str], dict[str, CommentedMap]]:
    """Type name by code, and what the frame says of each type."""
    names, said = {}, {}
    for code in sorted(log["contact_type"].unique()):
        entry = frame.get("types", {}).get(code) or {}
        if not isinstance(entry, Mapping):
            raise LogError(f"types.{code}: must be a mapping with a name (found {str(entry)[:40]!r})")
        plain = "".join(ch if ch.isalnum() else "_" for ch in str(code).lower())
        names[code] = str(entry.get("name", plain))
        said.setdefault(names[code], entry)
    return names, said


def _patience_by_type(
    contacts: pd.DataFrame, order: Sequence[str], family: Family
) -> dict[str, tuple[PatienceFit, bool]]:
    """Patience by type, and whether it is the type's own: types with few abandonments are pooled."""
    waited = contacts[contacts["wait_seconds"] > 0]
    n_left = waited.groupby("kind")["left"].sum()
    few = [name for name in order if n_left.get(name, 0) < LEAST]
    shared = waited[waited["kind"].isin(few)]
    if shared["left"].sum() < LEAST:
        shared = waited
    pooled = fit_patience(shared["wait_seconds"], shared["left"], family) if few else None
    result = {}
    for name in order:
        if pooled is not None and name in few:
            result[name] = (pooled, False)
        else:
            own = waited[waited["kind"] == name]
            result[name] = (fit_patience(own["wait_seconds"], own["left"], family), True)
    return result


def _profile(contacts: pd.DataFrame, c: DayClass, interval_min: int) -> np.ndarray:
    rows = contacts[contacts["weekday"].isin(c.weekdays)]
    place = ((rows["minute"] - c.opens) // interval_min).astype(int)
    return np.bincount(place, minlength=(c.closes - c.opens) // interval_min)


def _type(
    inside: pd.DataFrame, name: str, titles: Mapping[str, CommentedMap], classes: Sequence[DayClass],
    pooled: Mapping[str, np.ndarray], patience: Mapping[str, tuple[PatienceFit, bool]], log: pd.DataFrame,
    interval_min: int,
) -> CommentedMap:  # fmt: skip
    own = inside[inside["kind"] == name]
    kind = CommentedMap()
    kind["title"] = str(titles[name].get("title", name))
    per_day = {}
    for c in classes:
        per_day[c.key] = own["weekday"].isin(c.weekdays).sum() / len(days_in(log, c.weekdays))
    kind["offered_per_week"] = _round(sum(len(c.weekdays) * per_day[c.key] for c in classes))
    kind["weekdays"] = _flow({key: _round(value) for key, value in per_day.items()})
    profiles = {}
    for c in classes:
        counts = _profile(own, c, interval_min)
        # A profile from a handful of calls is noise: the shape of all types stands in.
        counts = counts if counts.sum() >= 10 * len(counts) else pooled[c.key]
        level = counts / counts.mean()
        steps = {_clock(c.opens + i * interval_min): _round(v, 2) for i, v in enumerate(level)}
        profiles[c.key] = _flow({**steps, _clock(c.closes): 0})
    kind["profile"] = profiles[classes[0].key]
    if len(classes) > 1:
        kind["profile_by_day"] = CommentedMap((c.key, profiles[c.key]) for c in classes[1:])
    talk = fit_talk(own.loc[~own["left"], "handle_seconds"])
    kind["handle"] = _flow(talk_s=_round(talk.mean_s), cv=_round(talk.cv), family="lognormal", acw_s=0)
    fit = patience[name][0]
    if fit.family == "hazard":
        ends = [*PIECES_S, 2 * PIECES_S[-1]][: len(fit.per_min)]
        pieces = CommentedSeq(
            _flow(to_s=end, per_min=_round(rate)) for end, rate in zip(ends, fit.per_min, strict=True)
        )
        pieces.fa.set_flow_style()
        kind["patience"] = _flow(family="hazard", pieces=pieces)
    elif fit.family == "weibull":
        kind["patience"] = _flow(family="weibull", mean_s=_round(fit.mean_s), shape=_round(fit.shape))
    else:
        kind["patience"] = _flow(family="exponential", mean_s=_round(fit.mean_s))
    for key, value in titles[name].items():
        if key not in ("name", "title"):
            kind[key] = value
    return kind


def _greeting(log: pd.DataFrame) -> CommentedMap:
    """The voice response unit in front of everybody: it contains nobody."""
    return _flow(offered=1, contained=0, asks=0, hangs_up=0, context=1, session_s=_round(greeting_s(log)))


def _said(inside: pd.DataFrame, name: str, patience: Mapping[str, tuple[PatienceFit, bool]]) -> str:
    own = inside[inside["kind"] == name]
    talk = fit_talk(own.loc[~own["left"], "handle_seconds"])
    fit, alone = patience[name]
    median = (
        f"median {fit.median_s:.0f} s" if math.isfinite(fit.median_s) else "median beyond the longest wait"
    )
    whose = "" if alone else " (pooled over the types with few abandonments)"
    return (
        f"{len(own):,} calls, {own['left'].mean():.1%} abandoned. Talk of {talk.n:,} calls over {SHORT_S} s "
        f"({talk.short_share:.1%} are shorter): lognormal, mu {talk.mu:.3f}, sigma {talk.sigma:.3f}. "
        f"Patience{whose}: Kaplan-Meier {median}, {fit.n_abandoned:,} of {fit.n_waits:,} waits."
    )


def _groups(
    log: pd.DataFrame,
    frame: CommentedMap,
    classes: Sequence[DayClass],
    order: Sequence[str],
    interval_min: int,
) -> CommentedMap:
    duty = infer_on_duty(log, classes, interval_min)
    group = CommentedMap(frame.get("group") or {})
    name = str(group.pop("name", "agents"))
    skills = CommentedSeq([_seq(order)])
    skills.fa.set_flow_style()
    made = CommentedMap(title=str(group.pop("title", "Agents")), skills=skills)
    own = log[log["outcome"] == "served"]
    long = own[own["handle_seconds"] > SHORT_S]
    commonest = long["contact_type"].mode().iloc[0]
    same = long[long["contact_type"] == commonest]
    spread = fit_agent_spread(same["agent"], same["handle_seconds"])
    if frame.get("shifts"):
        kept = 1.0
        for item in frame.get("shrinkage") or []:
            kept *= 1 - float(item["share"])
        contract = float(group.get("hours_per_week", 37.5))
        made["headcount"] = math.ceil(duty.hours_per_week / (contract * kept))
    else:
        level = CommentedMap()
        for c in classes:
            at = range(c.opens, c.closes, interval_min)
            steps = {_clock(m): round(float(duty.on_duty[c.key][m // interval_min])) for m in at}
            level[c.key] = _flow({**steps, _clock(c.closes): 0})
        made["on_duty"] = level
    made.update(group)
    if spread is not None:
        made["spread"] = _round(spread)
    groups = CommentedMap({name: made})
    text = (
        f"{duty.n_agents} people answered. On duty, inferred from their calls (from first to last, without "
        f"gaps over {BRIDGE_S // 60} minutes): {duty.hours_per_week:,.0f} hours a week, talking "
        f"{duty.occupancy:.0%} of it. Biased: those waiting for a first call are missed, short breaks and "
        "work off the phone are counted. "
        f"Every {interval_min} minutes, people on duty:"
    )
    lines = [text]
    for c in classes:
        at = np.arange(c.opens, c.closes, interval_min) // interval_min
        lines.append(
            f"  {c.key} from {_clock(c.opens)}: " + " ".join(f"{duty.on_duty[c.key][i]:.0f}" for i in at)
        )
    groups.yaml_set_comment_before_after_key(name, before="\n".join(_wrapped(lines)), indent=2)
    return groups


def _wrapped(lines: Sequence[str], width: int = 112) -> list[str]:
    return [
        part
        for line in lines
        for part in textwrap.wrap(line, width, subsequent_indent="  " if line[0] == " " else "")
    ]


def _say(doc: CommentedMap, key: str, text: str, indent: int = 0) -> None:
    doc.yaml_set_comment_before_after_key(key, before="\n".join(_wrapped([text])), indent=indent)


def _flow(values: Mapping[str, Any] | None = None, **more: Any) -> CommentedMap:
    made = CommentedMap({**(values or {}), **more})
    made.fa.set_flow_style()
    return made


def _seq(values: Iterable[Any]) -> CommentedSeq:
    made = CommentedSeq(values)
    made.fa.set_flow_style()
    return made


def _clock(minute: int) -> str:
    return DoubleQuotedScalarString(f"{minute // 60:02d}:{minute % 60:02d}")


def _round(value: float, digits: int = 3) -> float | int:
    """To so many significant digits; whole numbers without a point."""
    if value == 0 or not math.isfinite(value):
        return 0
    rounded = float(f"{value:.{digits}g}")
    if abs(value) >= 10**digits:
        rounded = float(round(value))
    return int(rounded) if rounded.is_integer() else rounded


def greeting_s(log: pd.DataFrame) -> float:
    """Mean of the automated part in front of people, seconds."""
    part = log["ivr_seconds"]
    return float(part[part >= 0].mean())


# --- the command --------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, check and write; 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.fit_log", description=__doc__, epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("log", type=Path, help="the call log (CSV, .gz allowed)")
    parser.add_argument("--frame", type=Path, help="partial scenario with what a log cannot say")
    parser.add_argument("--out", type=Path, help="scenario file to write; by default to the screen")
    parser.add_argument(
        "--interval", type=int, choices=(15, 30, 60), default=30, help="minutes of an interval"
    )
    parser.add_argument(
        "--patience", choices=("best", "exponential", "weibull", "hazard"), default="best",
        help="family of patience; best is the lowest AIC",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        log = read_log(options.log)
        frame = read_frame(options.frame)
        text = fit_scenario(
            log, frame, interval_min=options.interval, family=options.patience, source=options.log.name
        )
        if options.out is None:
            sys.stdout.write(text)
        else:
            _write_checked(options.out, text)
            print(
                f"{options.out}: fitted to {len(log):,} calls; automated part {greeting_s(log):.1f} s",
                file=sys.stderr,
            )
    except LogError as error:
        print(f"fit_log: {error}", file=sys.stderr)
        return 2
    return 0


def _write_checked(path: Path, text: str) -> None:
    """Write the scenario by way of a draft, so that one which does not read replaces nothing."""
    draft = path.with_name(path.name + ".draft")
    try:
        draft.write_text(text, encoding="utf-8")
        read(draft, Scenario)
        draft.replace(path)
    except ScenarioError as error:
        raise LogError(f"the frame does not fit: {str(error).splitlines()[0]}") from None
    except OSError as error:
        raise LogError(f"{path.name}: cannot be written ({error.strerror})") from None
    finally:
        draft.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
