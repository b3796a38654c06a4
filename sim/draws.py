"""Every customer's fate, drawn beforehand: who has a need, how hard it is, and one number for each later question.

Nothing here is a stateful generator. A value depends on (seed, replication, identity, attempt, purpose) alone, through
a 64-bit counter-based hash (SplitMix64: Steele, Lea & Flood 2014) and inversion; so two policies meet the same
customers, five per cent more volume adds five per cent new ones and leaves the others alone, and more containment only
moves people from a human to the bot. A need's identity is (type, day, interval, k): the k-th need exists when the k-th
point of a unit-rate Poisson process lies below the expected count of its cell.
"""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, ndtri

from sim import world as w
from sim.world import DAY_MS, Floats, Ints, World

Hashes = NDArray[np.uint64]

NO_BOT, CONTAINED, CONTAINED_FALSELY, HUNG_UP, HANDED_OVER = 0, 1, 2, 3, 4

# Purposes: need-level ones are drawn at attempt 0, agent- and day-level ones have identities of their own.
(
    SPACING, INSTANT, SEGMENT, VULNERABLE, KEYWORD, DIFFICULTY, INTENSITY,
    TALK, ACW, PATIENCE, BALK, OFFERED, ASKS, HANGS_UP, CONTAIN, FALSE, SESSION, CONTEXT,
    HEARD, RESOLVED, RETURN, RETURN_DELAY, ESCALATE, REDIAL_DELAY, PASSED_ON, BUTTON, CALL_BACK,
    DETECT,
) = range(28)  # fmt: skip
# Detectors count upwards from DETECT; these lie where no attempt's purposes do (there are 64 to an attempt).
SILENT, ACCEPTS, UNANSWERED = range(1 << 16, (1 << 16) + 3)
SPEED, ABSORPTION, ABSENT, LATE, LATE_FOR = range(5)
FACTOR = 0
NEED, PERSON, DAY = 1, 2, 3

SESSION_CV = 0.5
"""Spread of the length of a session with the bot (lognormal)."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)


def _mix(x: Hashes) -> Hashes:
    x = (x ^ (x >> np.uint64(30))) * _A
    x = (x ^ (x >> np.uint64(27))) * _B
    return x ^ (x >> np.uint64(31))


def identity(seed: int, replication: int, *fields: Ints | int) -> Hashes:
    """A 64-bit identity from whole numbers, broadcast together; the same wherever it is asked for."""
    with np.errstate(over="ignore"):
        h = np.atleast_1d(np.asarray(0, np.uint64))
        for field in (seed, replication, *fields):
            part = np.asarray(field).astype(np.int64).astype(np.uint64)
            h = _mix((h ^ _mix(part + _GOLDEN)) + _GOLDEN)
        return h


def uniform(h: Hashes, purpose: int, attempt: Ints | int = 0) -> Floats:
    """Uniforms in (0, 1), never 0 or 1, shaped like `h`: one per identity, attempt and purpose."""
    from sim import hashing  # brings Numba, slow to import

    return hashing.uniforms(h, purpose, attempt)


def unit_sample(family: int, cv: float, u: Floats) -> Floats:
    """Values of mean one by inversion of `u`: exponential, lognormal, gamma (both with this CV) or fixed."""
    if family == w.EXPONENTIAL:
        return -np.log1p(-u)
    if family == w.LOGNORMAL and cv > 0:
        sigma2 = np.log1p(cv * cv)
        return np.asarray(np.exp(np.sqrt(sigma2) * ndtri(u) - sigma2 / 2), np.float64)
    if family == w.GAMMA and cv > 0:
        shape = 1.0 / (cv * cv)
        return np.asarray(gammaincinv(shape, u) / shape, np.float64)
    return np.ones_like(u)


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


class Needs(NamedTuple):
    """The needs of one replication, by the order of birth; each array has one entry per need."""

    type: Ints
    segment: Ints
    vulnerable: Ints
    keyword: Ints
    day: Ints
    """Simulated day of birth, 0 on the first day of the warm-up."""
    birth_ms: Ints
    difficulty: Floats
    intensity: Floats
    """Natural intensity, before bot loops and returns add to it."""
    key: Hashes


class Rows(NamedTuple):
    """One row per possible contact: attempt 0 of every need first, in the order of birth, then later attempts."""

    need: Ints
    attempt: Ints
    next: Ints
    """The row of the next attempt, -1 where no ending, load or policy can lead to one."""
    talk_unit: Floats
    """Natural talk as a multiple of the mean of its type and interval."""
    acw_unit: Floats
    patience_unit: Floats
    fate: Ints
    """What the bot makes of it if it is there: NO_BOT, CONTAINED, CONTAINED_FALSELY, HUNG_UP, HANDED_OVER."""
    refused: Ints
    """1 where the customer asked the bot for a person and was not let out."""
    bot_ms: Ints
    context: Ints
    """1 where a handover carries context."""
    heard: Floats
    """This and the next are uniforms, each for one later question."""
    resolved: Floats
    returns: Floats
    return_ms: Ints
    escalates: Floats
    redials: Floats
    redial_ms: Ints
    passed_on: Floats
    button: Floats
    call_back_ms: Ints
    detect: Floats
    """(D, rows)"""
    silent: Floats
    """Uniforms: whether the customer of a chat is gone when answered; whether a call-back is accepted instead of waiting,
    and whether it is picked up. Each (rows,), or (0,) where the world asks no such question."""
    accepts: Floats
    unanswered: Floats


class People(NamedTuple):
    """What is drawn about agents: per agent, then per shift."""

    speed: Floats
    absorption: Floats
    absent: Floats
    """(shifts,) uniforms, over the shift's absence factor."""
    late_ms: Ints


class Draws(NamedTuple):
    """Everything random about one replication."""

    needs: Needs
    rows: Rows
    people: People


def day_factors(world: World, seed: int, replication: int) -> Floats:
    """(T, days simulated) factors of mean one: Gamma(a, a) with AR(1) normal scores, shared or per type."""
    demand, clock = world.demand, world.clock
    n_types = len(demand.id_of_type)
    if demand.factor_shape <= 0:
        return np.ones((n_types, clock.n_days))
    # The chain starts at a fixed distance before the horizon, so that a longer warm-up changes no day's factor.
    back = 400
    days = np.arange(-back, clock.days + clock.follow_days)
    kinds = demand.id_of_type * (1 - demand.factor_shared)
    scores = np.empty((n_types, len(days)))
    for i, kind in enumerate(kinds):
        z = ndtri(uniform(identity(seed, replication, DAY, int(kind), days), FACTOR))
        memory = demand.factor_memory
        if memory:
            for d in range(1, len(days)):
                z[d] = memory * z[d - 1] + np.sqrt(1 - memory * memory) * z[d]
        scores[i] = z
    a = demand.factor_shape
    factors = gammaincinv(a, ndtr(scores)) / a
    return np.asarray(factors[:, back - clock.warm_days :], np.float64)


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
    z = ndtri(uniform(key, DIFFICULTY))
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


def largest_continuation(world: World) -> tuple[float, float, float, float]:
    """The largest probabilities of return, escalation, redial and passing on that this world allows."""
    b = world.behaviour
    returns = max(b.return_sorted_heard, b.return_sorted, b.return_warm, b.return_cold)
    escalates = max(b.escalate_sorted_heard, b.escalate_sorted, b.escalate_warm, b.escalate_cold)
    pressed = world.levers.cut[world.levers.target_ms > 0]
    most_cut = min(
        1.0, (b.queue_speed_up_most if b.queue_speed_up > 0 else 0.0) + float(pressed.max(initial=0.0))
    )
    return returns, escalates, b.redial, b.passed_on * most_cut


def asked(world: World) -> tuple[bool, bool, bool]:
    """Whether chats may be silent, call-backs be offered instead of waiting, and not be picked up."""
    silence = bool(((world.types.channel == w.CHAT) & (world.types.silent > 0)).any())
    offers = bool((world.levers.call_back_after_ms >= 0).any())
    return silence, offers, offers and world.levers.call_back_unanswered > 0


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
    nobody_asks = np.zeros(0)
    silence, offers, rings = asked(world)
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
        silent=u(SILENT) if silence else nobody_asks,
        accepts=u(ACCEPTS) if offers else nobody_asks,
        unanswered=u(UNANSWERED) if rings else nobody_asks,
    )


def _no_bot(total: int) -> tuple[Ints, Ints, Ints]:
    return np.zeros(total, np.int64), np.zeros(total, np.int64), np.zeros(total, np.int64)


def p_contained(containment: Floats, loading: Floats, z: Floats) -> Floats:
    """P(contained | z) under the Gaussian factor: averages to `containment` over z ~ N(0, 1)."""
    inside = np.clip(containment, 1e-12, 1 - 1e-12)
    p = ndtr((ndtri(inside) - loading * z) / np.sqrt(1 - loading * loading))
    return np.where(containment <= 0, 0.0, np.where(containment >= 1, 1.0, p))


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


def draw_people(world: World, seed: int, replication: int) -> People:
    """Speed and absorption of agents, absence and lateness of shifts."""
    staffing, groups = world.staffing, world.groups
    who = identity(seed, replication, PERSON, staffing.person, 0)
    group = staffing.group_of
    sigma = np.sqrt(np.log1p(groups.speed_cv[group] ** 2))
    n = len(staffing.agent)
    agent = np.maximum(staffing.agent, 0)
    person = staffing.person[agent] if n else np.zeros(0, np.int64)
    shift = identity(seed, replication, PERSON, person, staffing.day - world.clock.warm_days + 1_000_000)
    of_shift = group[agent] if n else np.zeros(0, np.int64)
    late = uniform(shift, LATE) < groups.late[of_shift]
    late_for = -np.log1p(-uniform(shift, LATE_FOR)) * groups.late_ms[of_shift] * staffing.late_factor
    return People(
        speed=np.exp(sigma * ndtri(uniform(who, SPEED)) - sigma * sigma / 2),
        absorption=np.maximum(
            0.0, groups.absorption[group] + groups.absorption_sd[group] * ndtri(uniform(who, ABSORPTION))
        ),
        absent=uniform(shift, ABSENT) / staffing.absence_factor if n else np.zeros(0),
        late_ms=np.where(late, np.floor(late_for), 0).astype(np.int64),
    )


def draw(world: World, seed: int, replication: int, known: Known | None = None) -> Draws:
    """Everything random about replication `replication` of a world, ready for an engine."""
    w.check(world)
    if known is None:
        needs = draw_needs(world, seed, replication)
        return Draws(needs, draw_rows(world, needs), draw_people(world, seed, replication))
    return known.draw(world, seed, replication)


class Known:
    """Draws shared by worlds with the same demand: every policy meets the same customers.

    Their possible contacts are shared where nothing differs that they hang on; of these at most so many bytes are kept.
    """

    def __init__(self, most_bytes: int = 400_000_000) -> None:
        self.most_bytes, self.kept_bytes = most_bytes, 0
        self.needs: dict[tuple[int, int], Needs] = {}
        self.rows: dict[tuple[int, int, bytes], Rows] = {}
        self.lock = Lock()

    def draw(self, world: World, seed: int, replication: int) -> Draws:
        """As `draw` of the module."""
        needs = self.needs.get((seed, replication))
        if needs is None:
            needs = self.needs.setdefault((seed, replication), draw_needs(world, seed, replication))
        key = seed, replication, _what_rows_hang_on(world)
        rows = self.rows.get(key)
        if rows is None:
            rows = draw_rows(world, needs)
        self._keep(key, rows)
        return Draws(needs, rows, draw_people(world, seed, replication))

    def _keep(self, key: tuple[int, int, bytes], rows: Rows) -> None:
        """The latest last; the oldest go when there are too many."""
        with self.lock:
            if self.rows.pop(key, None) is None:
                self.kept_bytes += _size(rows)
            self.rows[key] = rows
            while self.kept_bytes > self.most_bytes:
                self.kept_bytes -= _size(self.rows.pop(next(iter(self.rows))))


def _size(rows: Rows) -> int:
    return sum(column.nbytes for column in rows)


def _what_rows_hang_on(world: World) -> bytes:
    """A digest of what `draw_rows` reads."""
    parts = (
        *world.types,
        *world.bot,
        *world.behaviour,
        len(world.detectors.target),
        *largest_continuation(world),
        *asked(world),
    )
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        value = np.asarray(part)
        digest.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    return digest.digest()
