"""Drawing, compiled: the customers of many replications at once, one customer and one contact after the other.

Everything is worked out from (seed, replication, identity, attempt, purpose) by a counter-based hash (SplitMix64: Steele,
Lea & Flood 2014) and inversion. So a contact's draws may be worked out when it happens, or never: they would be the same.
Needs stand in the order of birth, rows attempt by attempt; `draws` says what each quantity means.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gamma
from scipy.special import ndtri as gaussian

from sim import world as w
from sim.compiled import compiled, jitable, special
from sim.draws import (
    ACCEPTS,
    ACW,
    ASKS,
    BALK,
    BUTTON,
    CALL_BACK,
    CONTAIN,
    CONTAINED,
    CONTAINED_FALSELY,
    CONTEXT,
    DETECT,
    DIFFICULTY,
    ESCALATE,
    FALSE,
    HANDED_OVER,
    HANGS_UP,
    HEARD,
    HUNG_UP,
    INSTANT,
    INTENSITY,
    KEYWORD,
    NEED,
    NO_BOT,
    OFFERED,
    PASSED_ON,
    PATIENCE,
    REDIAL_DELAY,
    RESOLVED,
    RETURN,
    RETURN_DELAY,
    SEGMENT,
    SESSION,
    SESSION_CV,
    SILENT,
    SPACING,
    TALK,
    UNANSWERED,
    VULNERABLE,
    asked,
    largest_continuation,
)  # fmt: skip
from sim.world import DAY_MS, Floats, Ints, World

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)
_ONE, _64 = np.uint64(1), np.uint64(64)
SURE = 7.941345326170997
"""Beyond this normal score nobody is harder: Phi is 1 - 1e-15 there."""

ndtr, ndtri, gammaincinv = special("ndtr"), special("ndtri"), special("gammaincinv")


_WHOLE, _REAL = np.int64, np.float64
ONE = np.dtype([
    ("interval_ms", _WHOLE), ("warm_days", _WHOLE), ("max_attempts", _WHOLE), ("p_onward", _REAL),
    ("p_return", _REAL), ("p_redial", _REAL), ("p_escalate", _REAL), ("p_passed_on", _REAL),
    ("has_bot", _WHOLE), ("early_way_out", _WHOLE), ("false_slope", _REAL), ("session_a", _REAL),
    ("session_b", _REAL), ("return_median_ms", _REAL), ("return_sigma", _REAL), ("redial_soon", _REAL),
    ("has_hours", _WHOLE), ("has_button", _WHOLE), ("has_silence", _WHOLE),
    ("has_offers", _WHOLE), ("has_rings", _WHOLE),
])  # fmt: skip
"""The world: largest probabilities of going on to another attempt, the bot, delays."""
KIND = np.dtype([
    ("id", _WHOLE), ("keyword", _REAL), ("intensity_mean", _REAL), ("intensity_spread", _REAL),
    ("intensity_loading", _REAL), ("intensity_rest", _REAL), ("has_difficulty", _WHOLE),
    ("talk_family", _WHOLE), ("talk_a", _REAL), ("talk_b", _REAL), ("talk_loading", _REAL), ("talk_rest", _REAL),
    ("acw_family", _WHOLE), ("acw_a", _REAL), ("acw_b", _REAL),
    ("patience_family", _WHOLE), ("patience_a", _REAL), ("patience_b", _REAL), ("balk", _REAL),
    ("contain_loading", _REAL), ("contain_rest", _REAL), ("ask_ms", _REAL), ("context", _REAL),
    ("bot_from", _WHOLE), ("bot_to", _WHOLE),
])  # fmt: skip
"""A type. `rest` is sqrt(1 - loading^2); a and b are a lognormal's sigma and sigma^2 / 2, a gamma's shape, a Weibull's
1 / shape and its mean at scale one."""
MEETING = np.dtype([
    ("offered", _REAL), ("asks", _REAL), ("hangs_up", _REAL), ("contained", _REAL), ("contain_score", _REAL),
    ("false_logit", _REAL), ("session_ms", _REAL),
])  # fmt: skip
"""The bot as a segment of a type meets it."""
PIECE = np.dtype([("start", _REAL), ("before", _REAL), ("rate", _REAL)])
"""A piece of a type's hazard of leaving, with what has gathered before it."""


class Sheet(NamedTuple):
    """What drawing reads of a world, made ready once."""

    one: Any
    """(1,) of ONE."""
    kinds: Any
    """(T,) of KIND."""
    meetings: Any
    """(T, S) of MEETING."""
    pieces: Any
    """(T, K) of PIECE."""
    expected: Floats
    """(T, days, I) before the day factor."""
    segment_share: Floats
    vulnerable: Floats
    intensity_shift: Floats
    outage_from: Ints
    outage_to: Ints


def _sampling(family: Ints, cv: Floats) -> tuple[Ints, Floats, Floats]:
    """What inversion of each type's family needs; families without spread are fixed."""
    spread = np.where(cv > 0, cv, 1.0)
    sigma2 = np.log1p(spread * spread)
    a = np.where(family == w.GAMMA, 1.0 / (spread * spread), np.sqrt(sigma2))
    without = ((family == w.LOGNORMAL) | (family == w.GAMMA)) & ~(cv > 0)
    return np.where(without, w.FIXED, family), a, sigma2 / 2


def _table(kind: np.dtype[Any], shape: tuple[int, ...], **columns: Any) -> Any:
    table = np.zeros(shape, kind)
    for name in kind.names or ():
        table[name] = columns[name]
    table.flags.writeable = False
    return table


@w.once("clock", "demand", "types", "bot", "behaviour", "levers")
def sheet(world: World) -> Sheet:
    """What drawing reads of this world."""
    clock, demand, t, bot, b = world.clock, world.demand, world.types, world.bot, world.behaviour
    n_types, n_segments = demand.segment_share.shape
    talk, acw = _sampling(t.talk_family, t.talk_cv), _sampling(t.acw_family, t.acw_cv)
    _, session_a, session_b = _sampling(np.array([w.LOGNORMAL]), np.array([SESSION_CV]))
    weibull, shape = t.patience_family == w.WEIBULL, t.patience_shape
    inverse = 1.0 / np.where(weibull, shape, 1.0)
    starts = np.concatenate([np.zeros((n_types, 1)), t.hazard_ms[:, :-1]], axis=1)
    with np.errstate(invalid="ignore"):
        widths = np.where(np.isfinite(t.hazard_ms), t.hazard_ms - starts, 0.0)
    gathered = np.cumsum(t.hazard_rate * widths, axis=1)
    p_return, p_escalate, p_redial, p_passed_on = largest_continuation(world)
    silence, offers, rings = asked(world)
    arrays = {
        "expected": demand.expected, "segment_share": demand.segment_share, "vulnerable": demand.vulnerable,
        "intensity_shift": demand.intensity_shift, "outage_from": bot.outage_from, "outage_to": bot.outage_to,
    }  # fmt: skip
    return Sheet(
        one=_table(
            ONE, (1,), interval_ms=clock.interval_ms, warm_days=clock.warm_days, max_attempts=b.max_attempts,
            p_onward=max(p_return, p_redial), p_return=p_return, p_redial=p_redial, p_escalate=p_escalate,
            p_passed_on=p_passed_on, has_bot=int((bot.offered > 0).any()), early_way_out=bot.early_way_out,
            false_slope=bot.false_slope, session_a=session_a, session_b=session_b,
            return_median_ms=b.return_median_ms, return_sigma=b.return_sigma, redial_soon=b.redial_soon,
            has_hours=1 - clock.always_open, has_button=world.levers.rest_on_button,
            has_silence=silence, has_offers=offers, has_rings=rings,
        ),
        kinds=_table(
            KIND, (n_types,), id=demand.id_of_type, keyword=demand.keyword, intensity_mean=t.intensity_mean,
            intensity_spread=t.intensity_spread, intensity_loading=t.intensity_loading,
            intensity_rest=np.sqrt(1 - t.intensity_loading * t.intensity_loading),
            has_difficulty=w.asks_difficulty(world),
            talk_family=talk[0], talk_a=talk[1], talk_b=talk[2], talk_loading=t.talk_loading,
            talk_rest=np.sqrt(1 - t.talk_loading * t.talk_loading),
            acw_family=acw[0], acw_a=acw[1], acw_b=acw[2],
            patience_family=t.patience_family, patience_a=np.where(weibull, inverse, shape),
            patience_b=np.where(weibull, gamma(1.0 + inverse), shape * shape / 2), balk=t.balk,
            contain_loading=t.containment_loading,
            contain_rest=np.sqrt(1 - t.containment_loading * t.containment_loading),
            ask_ms=bot.ask_ms, context=bot.context, bot_from=bot.from_ms, bot_to=bot.to_ms,
        ),
        meetings=_table(
            MEETING, (n_types, n_segments), offered=bot.offered, asks=bot.asks, hangs_up=bot.hangs_up,
            contained=bot.containment, contain_score=gaussian(np.clip(bot.containment, 1e-12, 1 - 1e-12)),
            false_logit=bot.false_logit, session_ms=bot.session_ms,
        ),
        pieces=_table(
            PIECE, starts.shape, start=starts, before=np.concatenate([np.zeros((n_types, 1)), gathered[:, :-1]], axis=1),
            rate=np.maximum(t.hazard_rate, 1e-300),
        ),
        **{name: w.as_read(array) for name, array in arrays.items()},
    )  # fmt: skip


# --- numbers ------------------------------------------------------------------------------------------------


@jitable
def mixed(x: Any) -> Any:
    """The hash's finish."""
    x = (x ^ (x >> _S30)) * _A
    x = (x ^ (x >> _S27)) * _B
    return x ^ (x >> _S31)


@jitable
def joined(h: Any, field: Any) -> Any:
    """An identity with one more whole number in it."""
    return mixed((h ^ mixed(np.uint64(field) + _GOLDEN)) + _GOLDEN)


@jitable
def uniform(h: Any, attempt: int, purpose: int) -> Any:
    """A uniform in (0, 1), never 0 or 1, with 52 bits: so 1 - u is exact."""
    x = mixed(h + (np.uint64(attempt) * _64 + np.uint64(purpose) + _ONE) * _GOLDEN)
    return (np.float64(x >> _S12) + 0.5) * 2.0**-52


@jitable
def unit(family: int, a: float, b: float, u: float) -> Any:
    """A value of mean one by inversion."""
    if family == w.EXPONENTIAL:
        return -log(1.0 - u)
    if family == w.LOGNORMAL:
        return exp(a * ndtri(u, 0) - b)
    if family == w.GAMMA:
        return gammaincinv(a, u, 0) / a
    return 1.0


@jitable
def unit_of_score(family: int, a: float, b: float, score: float) -> Any:
    """The same by inversion of Phi(score)."""
    if family == w.LOGNORMAL:
        return exp(a * min(max(score, -SURE), SURE) - b)
    if family == w.FIXED:
        return 1.0
    return unit(family, a, b, min(max(ndtr(score, 0), 1e-15), 1 - 1e-15))


@jitable
def patience(kind: Any, pieces: Any, u: float) -> Any:
    """Patience on the scale of its mean by inversion; the hazard family gives ms directly."""
    family = kind.patience_family
    if family == w.EXPONENTIAL:
        return -log(1.0 - u)
    if family == w.WEIBULL:
        return (-log(1.0 - u)) ** kind.patience_a / kind.patience_b
    if family == w.LOGNORMAL:
        return exp(kind.patience_a * ndtri(u, 0) - kind.patience_b)
    if family == w.HAZARD:
        e = -log(1.0 - u)
        k = 0
        while k + 1 < len(pieces) and pieces[k + 1].before <= e:
            k += 1
        return min(pieces[k].start + (e - pieces[k].before) / pieces[k].rate, float(w.NEVER))
    return 1.0


def _uniforms(out: Floats, h: Any, attempts: Ints, purpose: int) -> None:
    """One for each identity; `attempts` has one entry, or one for each identity."""
    for i in range(len(h)):
        out[i] = uniform(h[i], attempts[0] if len(attempts) == 1 else attempts[i], purpose)


# --- needs --------------------------------------------------------------------------------------------------


def _remember(z: Floats, memory: float) -> None:
    """Make (n, days) independent normal scores a chain along the days."""
    fresh = sqrt(1 - memory * memory)
    for i in range(z.shape[0]):
        for d in range(1, z.shape[1]):
            z[i, d] = memory * z[i, d - 1] + fresh * z[i, d]


@jitable
def cell_of(seed: int, number: int, kind: int, day: int, interval: int) -> Any:
    """The identity of a cell, to which that of each of its needs is one number more."""
    return joined(
        joined(joined(joined(joined(joined(np.uint64(0), seed), number), NEED), kind), day), interval
    )


def _count(s: Sheet, seed: int, numbers: Ints, factors: Floats, count: Any) -> None:
    """(n, days, I, T) needs in each cell: points of a unit-rate Poisson process below the expected count."""
    warm = s.one[0].warm_days
    for i in range(len(numbers)):
        for kind in range(s.expected.shape[0]):
            for day in range(s.expected.shape[1]):
                for interval in range(s.expected.shape[2]):
                    expected = s.expected[kind, day, interval] * factors[i, kind, day]
                    k = 0
                    if expected > 0.0:
                        h = cell_of(seed, numbers[i], s.kinds[kind].id, day - warm, interval)
                        point = -log(1.0 - uniform(joined(h, 0), 0, SPACING))
                        while point < expected:
                            k += 1
                            point -= log(1.0 - uniform(joined(h, k), 0, SPACING))
                    count[i, day, interval, kind] = k


@jitable
def _in_order(n: int, width: int, at: Ints, key: Any, place: Ints, order: Ints) -> None:
    """The order of the first `n` needs of an interval by instant, then identity.

    Instants are uniform: sharing the interval out into as many bins puts nearly all in their places.
    """
    for j in range(n + 1):
        place[j] = 0
    for j in range(n):
        place[at[j] * n // width + 1] += 1
    for j in range(n):
        place[j + 1] += place[j]
    for j in range(n):
        where = at[j] * n // width
        order[place[where]] = j
        place[where] += 1
    for j in range(1, n):
        mine = order[j]
        i = j
        while i > 0:
            other = order[i - 1]
            if at[other] < at[mine] or (at[other] == at[mine] and key[other] <= key[mine]):
                break
            order[i] = other
            i -= 1
        order[i] = mine


def _needs(
    s: Sheet,
    seed: int,
    numbers: Ints,
    count: Any,
    needs: Any,
    at: Ints,
    key: Any,
    kind_of: Ints,
    place: Ints,
    order: Ints,
) -> None:
    """The needs of each replication in the order of birth; the last five arrays are for one interval at a time."""
    one, last = s.one[0], s.segment_share.shape[1] - 1
    need = 0
    for i in range(len(numbers)):
        for day in range(count.shape[1]):
            for interval in range(count.shape[2]):
                n = 0
                for kind in range(count.shape[3]):
                    if count[i, day, interval, kind] == 0:
                        continue
                    h = cell_of(seed, numbers[i], s.kinds[kind].id, day - one.warm_days, interval)
                    for k in range(count[i, day, interval, kind]):
                        key[n] = joined(h, k)
                        at[n] = int(uniform(key[n], 0, INSTANT) * one.interval_ms)
                        kind_of[n] = kind
                        n += 1
                _in_order(n, one.interval_ms, at, key, place, order)
                for j in range(n):
                    mine = order[j]
                    h, kind = key[mine], kind_of[mine]
                    t = s.kinds[kind]
                    of = 0
                    if last > 0:
                        u = uniform(h, 0, SEGMENT)
                        for k in range(last):
                            if u > s.segment_share[kind, k]:
                                of += 1
                    z = ndtri(uniform(h, 0, DIFFICULTY), 0) if t.has_difficulty else 0.0
                    logit = t.intensity_mean + s.intensity_shift[kind, day]
                    if t.intensity_spread > 0.0:
                        score = t.intensity_loading * z + t.intensity_rest * ndtri(
                            uniform(h, 0, INTENSITY), 0
                        )
                        logit = logit + t.intensity_spread * score
                    one_need = needs[need]
                    one_need.type = kind
                    one_need.segment = of
                    one_need.vulnerable = (
                        s.vulnerable[of] > 0.0 and uniform(h, 0, VULNERABLE) < s.vulnerable[of]
                    )
                    one_need.keyword = t.keyword > 0.0 and uniform(h, 0, KEYWORD) < t.keyword
                    one_need.day = day
                    one_need.birth_ms = day * DAY_MS + interval * one.interval_ms + at[mine]
                    one_need.difficulty = z
                    one_need.intensity = 1.0 / (1.0 + exp(-logit))
                    one_need.key = h
                    need += 1


# --- rows ---------------------------------------------------------------------------------------------------


@jitable
def _may_go_on(one: Any, h: Any, attempt: int) -> Any:
    """Whether any ending, load or policy can lead from this attempt to another one."""
    if uniform(h, attempt, RETURN) < one.p_onward:
        return True
    if one.p_escalate > 0.0 and uniform(h, attempt, ESCALATE) < one.p_escalate:
        return True
    return one.p_passed_on > 0.0 and uniform(h, attempt, PASSED_ON) < one.p_passed_on


def _chains(s: Sheet, needs: Any, first_need: Ints, attempts: Any, rows: Ints) -> None:
    """How many attempts each need can come to, and how many (n, attempts) rows that makes."""
    one = s.one[0]
    for i in range(len(first_need) - 1):
        for need in range(first_need[i], first_need[i + 1]):
            attempt = 0
            while attempt + 1 < one.max_attempts and _may_go_on(one, needs[need].key, attempt):
                rows[i, attempt] += 1
                attempt += 1
            rows[i, attempt] += 1
            attempts[need] = attempt + 1


def _link(first_need: Ints, attempts: Any, rows: Ints, first_row: Ints, links: Any, latest: Any) -> None:
    """Each row's need, attempt and next row: attempt by attempt, in each the needs by birth.

    `latest` is room for the latest row of each need.
    """
    for i in range(len(first_need) - 1):
        row = first_row[i]
        for attempt in range(rows.shape[1]):
            if rows[i, attempt] == 0:
                break
            for need in range(first_need[i], first_need[i + 1]):
                if attempts[need] > attempt:
                    links[row].need = need
                    links[row].attempt = attempt
                    links[row].next = -1
                    if attempt > 0:
                        links[latest[need]].next = row
                    latest[need] = row
                    row += 1


@jitable
def bot_is_up(t: Any, now: int, outage_from: Ints, outage_to: Ints) -> Any:
    """Whether the bot is there: its own hours, and no outage."""
    of_day = now % DAY_MS
    if of_day < t.bot_from or of_day >= t.bot_to:
        return False
    for k in range(len(outage_from)):  # noqa: SIM110
        if outage_from[k] <= now < outage_to[k]:
            return False
    return True


@jitable
def fill(
    one: Any,
    t: Any,
    bot: Any,
    pieces: Any,
    line: Any,
    ears: Floats,
    h: Any,
    attempt: int,
    z: float,
    meets: bool,
    whole: bool,
) -> None:
    """All that is drawn about one possible contact; unless `whole`, only what can matter.

    `meets`: the bot is surely there, so that whom it keeps reaches nobody.
    """
    line.fate = NO_BOT
    line.refused = 0
    line.bot_ms = 0
    line.context = 0
    reaches = True
    if one.has_bot and uniform(h, attempt, OFFERED) < bot.offered:
        asks = uniform(h, attempt, ASKS) < bot.asks
        out = asks and one.early_way_out == 1
        fate = HANDED_OVER
        if out:
            line.bot_ms = int(t.ask_ms)
        else:
            if uniform(h, attempt, HANGS_UP) < bot.hangs_up:
                fate = HUNG_UP
            else:
                p = bot.contained
                if 0.0 < p < 1.0:
                    p = ndtr((bot.contain_score - t.contain_loading * z) / t.contain_rest, 0)
                if uniform(h, attempt, CONTAIN) < p:
                    logit = bot.false_logit + one.false_slope * z
                    fate = CONTAINED
                    if uniform(h, attempt, FALSE) < 1.0 / (1.0 + exp(-logit)):
                        fate = CONTAINED_FALSELY
            length = exp(one.session_a * ndtri(uniform(h, attempt, SESSION), 0) - one.session_b)
            line.bot_ms = min(int(bot.session_ms * length), 2_147_483_647)
        line.fate = fate
        line.refused = asks and not out
        reaches = fate == HANDED_OVER or not meets
    if whole or line.fate == HANDED_OVER:
        line.context = uniform(h, attempt, CONTEXT) < t.context
    if whole or reaches:
        u = uniform(h, attempt, TALK)
        if t.talk_loading != 0.0:
            score = t.talk_loading * z + t.talk_rest * ndtri(u, 0)
            line.talk_unit = unit_of_score(t.talk_family, t.talk_a, t.talk_b, score)
        else:
            line.talk_unit = unit(t.talk_family, t.talk_a, t.talk_b, u)
        line.acw_unit = 1.0
        if t.acw_family != w.FIXED:
            line.acw_unit = unit(t.acw_family, t.acw_a, t.acw_b, uniform(h, attempt, ACW))
        line.patience_unit = 0.0
        if not (t.balk > 0.0 and uniform(h, attempt, BALK) < t.balk):
            line.patience_unit = patience(t, pieces, uniform(h, attempt, PATIENCE))
        line.resolved = uniform(h, attempt, RESOLVED)
        line.escalates = uniform(h, attempt, ESCALATE) if whole or one.p_escalate > 0.0 else 1.0
        line.passed_on = uniform(h, attempt, PASSED_ON) if whole or one.p_passed_on > 0.0 else 1.0
        line.button = uniform(h, attempt, BUTTON) if whole or one.has_button else 1.0
        line.silent = uniform(h, attempt, SILENT) if whole or one.has_silence else 1.0
        line.accepts = uniform(h, attempt, ACCEPTS) if whole or one.has_offers else 1.0
        line.unanswered = uniform(h, attempt, UNANSWERED) if whole or one.has_rings else 1.0
        for k in range(len(ears)):
            ears[k] = uniform(h, attempt, DETECT + k)
    line.heard = uniform(h, attempt, HEARD)
    # Whoever was served may return, whoever was not may redial: the same inclination, never both.
    again = uniform(h, attempt, RETURN) if whole or one.p_onward > 0.0 else 1.0
    line.again = again
    line.return_ms = 0
    if whole or again < one.p_return:
        score = ndtri(uniform(h, attempt, RETURN_DELAY), 0)
        line.return_ms = int(min(one.return_median_ms * exp(one.return_sigma * score), float(w.NEVER)))
    line.redial_ms = 0
    if whole or again < one.p_redial:
        soon = uniform(h, attempt, REDIAL_DELAY)
        share = one.redial_soon
        if soon < share:
            line.redial_ms = int(soon / max(share, 1e-12) * 600_000)
        else:
            line.redial_ms = int(600_000 + (soon - share) / max(1 - share, 1e-12) * 3_000_000)
    line.call_back_ms = 0
    if whole or one.has_hours:
        line.call_back_ms = int(uniform(h, attempt, CALL_BACK) * 3_600_000)


def _fill_rows(
    s: Sheet, rows: Ints, first_row: Ints, links: Any, lines: Any, ears: Floats, needs: Any, whole: bool
) -> None:
    """All rows; unless `whole`, only first attempts: later ones are filled when they happen."""
    for i in range(len(rows)):
        for row in range(first_row[i], first_row[i + 1] if whole else first_row[i] + rows[i, 0]):
            need, attempt = needs[links[row].need], links[row].attempt
            t = s.kinds[need.type]
            meets = attempt == 0 and bot_is_up(t, need.birth_ms, s.outage_from, s.outage_to)
            fill(
                s.one[0], t, s.meetings[need.type, need.segment], s.pieces[need.type], lines[row], ears[row], need.key,
                attempt, need.difficulty, meets, whole,
            )  # fmt: skip


uniforms = compiled(_uniforms)
remember = compiled(_remember)
count = compiled(_count)
needs = compiled(_needs)
chains = compiled(_chains)
link = compiled(_link)
fill_rows = compiled(_fill_rows)
