"""The customers of one replication drawn with numpy, all of a kind at once: what the compiled drawing is held against.

The same definitions as `sim.draws` and `sim.drawing`, written the other way round: column by column, everything of
everybody, with numpy's own exponentials and logarithms.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri  # noqa: F401

from sim import world as w
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
    Hashes,
    Needs,
    Rows,
    day_factors,
    identity,
    largest_continuation,
    p_contained,
    uniform,
    unit_sample,
)  # fmt: skip
from sim.world import DAY_MS, Floats, Ints, World


def patience_sample(family: int, shape: float, ends: Floats, rates: Floats, u: Floats) -> Floats:
    """Patience on the scale of its mean by inversion; the hazard family gives ms directly (to be scaled by one)."""
    if family == w.EXPONENTIAL:
        return -np.log1p(-u)
    if family == w.WEIBULL:
        from scipy.special import gamma

        return np.asarray((-np.log1p(-u)) ** (1.0 / shape) / gamma(1.0 + 1.0 / shape), np.float64)
    if family == w.LOGNORMAL:
        return np.asarray(np.exp(shape * ndtri(u) - shape * shape / 2), np.float64)
    if family == w.HAZARD:
        starts = np.concatenate([[0.0], ends[:-1]])
        with np.errstate(invalid="ignore"):
            widths = np.where(np.isfinite(ends), ends - starts, 0.0)
        before = np.concatenate([[0.0], np.cumsum(rates * widths)[:-1]])
        e = -np.log1p(-u)
        piece = np.clip(np.searchsorted(before, e, side="right") - 1, 0, len(rates) - 1)
        rate = np.maximum(rates[piece], 1e-300)
        return np.asarray(np.minimum(starts[piece] + (e - before[piece]) / rate, float(w.NEVER)), np.float64)
    return np.ones_like(u)


def _existing(world: World, seed: int, replication: int, expected: Floats) -> tuple[Ints, Hashes, Floats]:
    """Cells (flat index) and identities of the needs that exist, cell by cell in the order of k."""
    _, n_days, n_intervals = expected.shape
    flat = expected.reshape(-1)
    live = np.flatnonzero(flat > 0)
    cells_out: list[Ints] = []
    keys_out: list[Hashes] = []
    size = np.maximum(16, flat[live] + 7 * np.sqrt(flat[live]) + 16)
    bucket = np.ceil(np.log2(size)).astype(np.int64)
    for power in np.unique(bucket):
        cells = live[bucket == power]
        width = 1 << int(power)
        for part in np.array_split(cells, max(1, len(cells) * width // 4_000_000)):
            kind, rest = np.divmod(part, n_days * n_intervals)
            day, interval = np.divmod(rest, n_intervals)
            key = identity(
                seed, replication, NEED, world.demand.id_of_type[kind][:, None],
                (day - world.clock.warm_days)[:, None], interval[:, None], np.arange(width)[None, :],
            )  # fmt: skip
            points = np.cumsum(-np.log1p(-uniform(key, SPACING)), axis=1)
            exists = points < flat[part][:, None]
            if exists[:, -1].any():
                raise w.WorldTooLargeError("more contacts in an interval than can be drawn")
            row, _ = np.nonzero(exists)
            cells_out.append(part[row])
            keys_out.append(key[exists])
    if not cells_out:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64), flat
    return np.concatenate(cells_out), np.concatenate(keys_out), flat


def draw_needs(world: World, seed: int, replication: int) -> Needs:
    """The needs of all simulated days, sorted by birth."""
    demand, clock = world.demand, world.clock
    expected = demand.expected * day_factors(world, seed, replication)[:, :, None]
    if expected.sum() >= w.MAX_ROWS:  # before they are drawn: they might not fit into memory
        raise w.WorldTooLargeError(
            f"about {expected.sum():,.0f} needs in one replication; a simulation holds {w.MAX_ROWS:,} contacts"
        )
    n_days, n_intervals = expected.shape[1:]
    cell, key, _ = _existing(world, seed, replication, expected)
    kind, rest = np.divmod(cell, n_days * n_intervals)
    day, interval = np.divmod(rest, n_intervals)
    instant = np.floor(uniform(key, INSTANT) * clock.interval_ms).astype(np.int64)
    birth = day * DAY_MS + interval * clock.interval_ms + instant
    order = np.lexsort((key, birth))
    kind, day, key, birth = kind[order], day[order], key[order], birth[order]
    u = uniform(key, SEGMENT)
    segment = (u[:, None] > demand.segment_share[kind]).sum(axis=1).astype(np.int64)
    segment = np.minimum(segment, demand.segment_share.shape[1] - 1)
    z = np.where(w.asks_difficulty(world)[kind], ndtri(uniform(key, DIFFICULTY)), 0.0)
    t = world.types
    loading = t.intensity_loading[kind]
    score = loading * z + np.sqrt(1 - loading * loading) * ndtri(uniform(key, INTENSITY))
    shift = demand.intensity_shift[kind, day]
    logit = t.intensity_mean[kind] + shift + t.intensity_spread[kind] * score
    return Needs(
        type=kind,
        segment=segment,
        vulnerable=(uniform(key, VULNERABLE) < demand.vulnerable[segment]).astype(np.int64),
        keyword=(uniform(key, KEYWORD) < demand.keyword[kind]).astype(np.int64),
        day=day,
        birth_ms=birth,
        difficulty=z,
        intensity=1.0 / (1.0 + np.exp(-logit)),
        key=key,
    )


def draw_rows(world: World, needs: Needs, with_bot: bool = True) -> Rows:
    """The possible contacts of these needs."""
    t, b, bot = world.types, world.behaviour, world.bot
    n = len(needs.key)
    p_return, p_escalate, p_redial, p_pass = largest_continuation(world)
    rows_need = [np.arange(n, dtype=np.int64)]
    rows_attempt = [np.zeros(n, np.int64)]
    rows_next: list[Ints] = []
    total = n
    for attempt in range(b.max_attempts):
        who = rows_need[attempt]
        onward = np.full(len(who), -1, np.int64)
        if attempt + 1 < b.max_attempts and len(who):
            key = needs.key[who]
            can = (
                (uniform(key, RETURN, attempt) < max(p_return, p_redial))
                | (uniform(key, ESCALATE, attempt) < p_escalate)
                | (uniform(key, PASSED_ON, attempt) < p_pass)
            )
            onward[can] = total + np.arange(int(can.sum()))
            rows_need.append(who[can])
            rows_attempt.append(np.full(int(can.sum()), attempt + 1, np.int64))
            total += int(can.sum())
        rows_next.append(onward)
        if len(rows_need) == attempt + 1:
            break
    need = np.concatenate(rows_need)
    attempt_of = np.concatenate(rows_attempt)
    following = np.concatenate(rows_next)
    if total >= w.MAX_ROWS:
        raise w.WorldTooLargeError(
            f"{total:,} possible contacts in one replication; a simulation holds 8,388,608"
        )
    key = needs.key[need]
    kind = needs.type[need]
    z = needs.difficulty[need]

    def u(purpose: int) -> Floats:
        return uniform(key, purpose, attempt_of)

    talk = np.empty(total)
    acw = np.empty(total)
    patience = np.empty(total)
    loading = t.talk_loading[kind]
    mixed = np.clip(ndtr(loading * z + np.sqrt(1 - loading * loading) * ndtri(u(TALK))), 1e-15, 1 - 1e-15)
    straight = u(TALK)
    u_acw, u_patience = u(ACW), u(PATIENCE)
    for i in range(len(t.talk_cv)):
        mine = np.flatnonzero(kind == i)
        source = mixed if t.talk_loading[i] else straight
        talk[mine] = unit_sample(int(t.talk_family[i]), float(t.talk_cv[i]), source[mine])
        acw[mine] = unit_sample(int(t.acw_family[i]), float(t.acw_cv[i]), u_acw[mine])
        patience[mine] = patience_sample(
            int(t.patience_family[i]), float(t.patience_shape[i]), t.hazard_ms[i], t.hazard_rate[i],
            u_patience[mine],
        )  # fmt: skip
    patience[u(BALK) < t.balk[kind]] = 0.0
    fate, refused, bot_ms = _bot_fates(world, needs, need, kind, z, u) if with_bot else _no_bot(total)
    return_ms = np.floor(b.return_median_ms * np.exp(b.return_sigma * ndtri(u(RETURN_DELAY))))
    soon = u(REDIAL_DELAY)
    redial_ms = np.where(
        soon < b.redial_soon,
        soon / max(b.redial_soon, 1e-12) * 600_000,
        600_000 + (soon - b.redial_soon) / max(1 - b.redial_soon, 1e-12) * 3_000_000,
    )
    # Whoever was served may return, whoever was not may redial: the same inclination, never both.
    returns = u(RETURN)
    n_detectors = len(world.detectors.target)
    detect = np.stack([u(DETECT + d) for d in range(n_detectors)]) if n_detectors else np.zeros((0, total))
    return Rows(
        need=need,
        attempt=attempt_of,
        next=following,
        talk_unit=talk,
        acw_unit=acw,
        patience_unit=patience,
        fate=fate,
        refused=refused,
        bot_ms=bot_ms,
        context=(u(CONTEXT) < bot.context[kind]).astype(np.int64),
        heard=u(HEARD),
        resolved=u(RESOLVED),
        returns=returns,
        return_ms=np.minimum(return_ms, float(w.NEVER)).astype(np.int64),
        escalates=u(ESCALATE),
        redials=returns,
        redial_ms=redial_ms.astype(np.int64),
        passed_on=u(PASSED_ON),
        button=u(BUTTON),
        call_back_ms=np.floor(u(CALL_BACK) * 3_600_000).astype(np.int64),
        detect=detect,
        silent=u(SILENT),
        accepts=u(ACCEPTS),
        unanswered=u(UNANSWERED),
    )


def _no_bot(total: int) -> tuple[Ints, Ints, Ints]:
    return np.zeros(total, np.int64), np.zeros(total, np.int64), np.zeros(total, np.int64)


def _bot_fates(
    world: World, needs: Needs, need: Ints, kind: Ints, z: Floats, u: object
) -> tuple[Ints, Ints, Ints]:
    bot, t = world.bot, world.types
    if not (bot.offered > 0).any():
        return _no_bot(len(need))
    draw = u
    assert callable(draw)
    segment = needs.segment[need]
    offered = draw(OFFERED) < bot.offered[kind, segment]
    asks = draw(ASKS) < bot.asks[kind, segment]
    hangs_up = draw(HANGS_UP) < bot.hangs_up[kind, segment]
    contained = draw(CONTAIN) < p_contained(bot.containment[kind, segment], t.containment_loading[kind], z)
    falsely = draw(FALSE) < 1.0 / (1.0 + np.exp(-(bot.false_logit[kind, segment] + bot.false_slope * z)))
    out = asks & (bot.early_way_out == 1)
    fate = np.where(contained, np.where(falsely, CONTAINED_FALSELY, CONTAINED), HANDED_OVER)
    fate = np.where(hangs_up, HUNG_UP, fate)
    fate = np.where(out, HANDED_OVER, fate)
    fate = np.where(offered, fate, NO_BOT).astype(np.int64)
    refused = (offered & asks & ~out).astype(np.int64)
    length = unit_sample(w.LOGNORMAL, SESSION_CV, draw(SESSION))
    bot_ms = np.where(out, bot.ask_ms[kind], bot.session_ms[kind, segment] * length)
    return fate, refused, np.where(fate == NO_BOT, 0, np.floor(bot_ms)).astype(np.int64)
