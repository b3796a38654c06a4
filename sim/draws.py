"""Every customer's fate, drawn beforehand: who has a need, how hard it is, and one number for each later question.

Nothing here is a stateful generator. A value depends on (seed, replication, identity, attempt, purpose) alone, through
a 64-bit counter-based hash (SplitMix64: Steele, Lea & Flood 2014) and inversion; so two policies meet the same
customers, five per cent more volume adds five per cent new ones and leaves the others alone, and more containment only
moves people from a human to the bot. A need's identity is (type, day, interval, k): the k-th need exists when the k-th
point of a unit-rate Poisson process lies below the expected count of its cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtr, ndtri

from sim import world as w
from sim.world import Floats, Ints, World

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
TRAIT = 16
"""And of a person's traits, by lot."""
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


def identity(seed: int, replication: Ints | int, *fields: Ints | int) -> Hashes:
    """A 64-bit identity from whole numbers, broadcast together; the same wherever it is asked for."""
    with np.errstate(over="ignore"):
        h = np.atleast_1d(np.asarray(0, np.uint64))
        for field in (seed, replication, *fields):
            part = np.asarray(field).astype(np.int64).astype(np.uint64)
            h = _mix((h ^ _mix(part + _GOLDEN)) + _GOLDEN)
        return h


def uniform(h: Hashes, purpose: int, attempt: Ints | int = 0) -> Floats:
    """Uniforms in (0, 1), never 0 or 1, shaped like `h`: one per identity, attempt and purpose."""
    from sim import drawing  # brings Numba, slow to import

    out = np.empty(h.size)
    attempts = np.atleast_1d(np.asarray(attempt, np.int64)).ravel()
    drawing.uniforms(out, np.ascontiguousarray(h).ravel(), attempts, purpose)
    return out.reshape(h.shape)


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


_OF_NEED = {"type": np.int32, "segment": np.int32, "vulnerable": np.int8, "keyword": np.int8, "day": np.int32}
NEED_LINE = np.dtype(
    [
        ("birth_ms", np.int64),
        ("difficulty", np.float64),
        ("intensity", np.float64),
        ("key", np.uint64),
        *_OF_NEED.items(),
    ],
    align=True,
)
"""A need as compiled code reads it, its fields side by side."""


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
    and whether it is picked up."""
    accepts: Floats
    unanswered: Floats


_FLOAT = (
    "talk_unit",
    "acw_unit",
    "patience_unit",
    "heard",
    "resolved",
    "again",
    "escalates",
    "passed_on",
    "button",
    "silent",
    "accepts",
    "unanswered",
)
LINE = np.dtype([
    *((name, np.float64) for name in _FLOAT), ("return_ms", np.int64),
    *((name, np.int32) for name in ("bot_ms", "redial_ms", "call_back_ms")),
    *((name, np.int8) for name in ("fate", "refused", "context")),
])  # fmt: skip
"""What is drawn about a row as compiled code reads it, side by side. `again` is both `returns` and `redials`."""
LINK = np.dtype([("need", np.int32), ("next", np.int32), ("attempt", np.int32)])
"""Which need a row is of, which attempt, and the row of the next one: all there is of an attempt until it happens."""


class People(NamedTuple):
    """What is drawn about agents: per agent, then per shift."""

    speed: Floats
    absorption: Floats
    absent: Floats
    """(shifts,) uniforms, over the shift's absence factor."""
    late_ms: Ints
    talk: Floats
    """(agents,) factor on talk alone."""
    heard: Floats
    """(agents,) what the person gives to the log-odds of being heard, beside what the group gives; so `resolved`."""
    resolved: Floats
    empathy: Floats
    """(agents,) empathy skill, the group's inside."""


class Draws(NamedTuple):
    """Everything random about one replication."""

    needs: Needs
    rows: Rows
    people: People


class Block(NamedTuple):
    """Everything random about several replications, one after another."""

    numbers: Ints
    first_need: Ints
    """(n + 1,) where each replication's needs begin, and its rows (`first_row`)."""
    first_row: Ints
    needs: Any
    """(needs,) of NEED_LINE."""
    links: Any
    """(rows,) of LINK; `need` and `next` count from the start of the block."""
    lines: Any
    """(rows,) of LINE."""
    ears: Floats
    """(rows, D) uniforms for detectors."""
    people: People
    """Each column with one more axis, the first, for replications."""
    whole: bool
    """Whether everything is drawn, or the later attempts are left to the engine."""


def _factors(world: World, seed: int, numbers: Ints) -> Floats:
    """(n, T, days simulated) factors of mean one: Gamma(a, a) with AR(1) normal scores, shared or per type."""
    demand, clock = world.demand, world.clock
    n_types, a = len(demand.id_of_type), demand.factor_shape
    if a <= 0:
        return np.ones((len(numbers), n_types, clock.n_days))
    # The chain starts at a fixed distance before the horizon, so that a longer warm-up changes no day's factor.
    back = 400
    days = np.arange(-back if demand.factor_memory else -clock.warm_days, clock.days + clock.follow_days)
    kinds, of_type = np.unique(demand.id_of_type * (1 - demand.factor_shared), return_inverse=True)
    factors = np.empty((len(numbers), len(kinds), clock.n_days))
    for i, kind in enumerate(kinds):
        z: Any = ndtri(uniform(identity(seed, numbers[:, None], DAY, int(kind), days), FACTOR))
        if demand.factor_memory:
            from sim import drawing

            drawing.remember(z, float(demand.factor_memory))
        factors[:, i] = gammaincinv(a, ndtr(z[:, -clock.n_days :])) / a
    return np.asarray(factors[:, of_type], np.float64)


def day_factors(world: World, seed: int, replication: int) -> Floats:
    """(T, days simulated) factors of mean one on the needs of each day."""
    return np.asarray(_factors(world, seed, np.array([replication]))[0])


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


def _draw_needs(world: World, seed: int, numbers: Ints, room: w.Space = w.fresh) -> tuple[Ints, Any]:
    """Where each replication's needs begin, and the needs, by replication and birth."""
    from sim import drawing

    sheet = drawing.sheet(world)
    factors = _factors(world, seed, numbers)
    for wanted in (sheet.expected.sum(axis=2) * factors).sum(axis=(1, 2)).tolist():
        if wanted >= w.MAX_ROWS:  # before they are drawn: they might not fit into memory
            raise w.WorldTooLargeError(
                f"about {wanted:,.0f} needs in one replication; a simulation holds {w.MAX_ROWS:,} contacts"
            )
    n_types, n_days, n_intervals = sheet.expected.shape
    count = np.empty((len(numbers), n_days, n_intervals, n_types), np.int32)
    drawing.count(sheet, seed, numbers, factors, count)
    first = np.concatenate([[0], np.cumsum(count.reshape(len(numbers), -1).sum(axis=1, dtype=np.int64))])
    n, most = int(first[-1]), int(count.sum(axis=3).max(initial=0)) + 1
    needs = room("needs", n, NEED_LINE)
    space = [np.empty(most, np.uint64 if k == 1 else np.int64) for k in range(5)]
    drawing.needs(sheet, seed, numbers, count, needs, *space)
    return first, needs


def _draw_lines(
    world: World, first_need: Ints, needs: Any, whole: bool, room: w.Space
) -> tuple[Ints, Any, Any, Floats]:
    """Where each replication's rows begin, the rows (links and lines), and their uniforms for detectors."""
    from sim import drawing

    sheet = drawing.sheet(world)
    n, attempts = len(needs), np.empty(len(needs), np.int8)
    rows = np.zeros((len(first_need) - 1, world.behaviour.max_attempts), np.int64)
    drawing.chains(sheet, needs, first_need, attempts, rows)
    each = rows.sum(axis=1)
    first_row = np.concatenate([[0], np.cumsum(each)])
    if each.max(initial=0) >= w.MAX_ROWS:
        raise w.WorldTooLargeError(
            f"{each.max():,} possible contacts in one replication; a simulation holds {w.MAX_ROWS:,}"
        )
    total = int(first_row[-1])
    links, lines = room("links", total, LINK), room("lines", total, LINE)
    ears = np.empty((total, len(world.detectors.target)))
    drawing.link(first_need, attempts, rows, first_row, links, np.empty(n, np.int32))
    drawing.fill_rows(sheet, rows, first_row, links, lines, ears, needs, whole)
    return first_row, links, lines, ears


def needs_of(table: Any) -> Needs:
    """The needs (of NEED_LINE) as columns: whole numbers of one size, or views."""
    columns = {name: table[name] for name in Needs._fields}
    return Needs(**{name: c.astype(np.int64) if name in _OF_NEED else c for name, c in columns.items()})


def rows_of(links: Any, lines: Any, ears: Floats) -> Rows:
    """The rows as columns: views."""
    columns = {name: table[name] for table in (links, lines) for name in table.dtype.names if name != "again"}
    return Rows(**columns, returns=lines["again"], redials=lines["again"], detect=ears.T)


def block_of(draws: Draws) -> Block:
    """One replication as a block of one: copies."""
    rows, n = draws.rows, len(draws.needs.type)
    needs, links, lines = (
        np.empty(n, NEED_LINE),
        np.empty(len(rows.need), LINK),
        np.empty(len(rows.need), LINE),
    )
    for table, columns in ((needs, draws.needs), (links, rows), (lines, rows)):
        for name in table.dtype.names or ():
            table[name] = getattr(columns, "returns" if name == "again" else name)
    people: list[Any] = [column[None] for column in draws.people]
    first_need, first_row = np.array([0, n]), np.array([0, len(rows.need)])
    ears = np.ascontiguousarray(rows.detect.T)
    return Block(
        np.zeros(1, np.int64), first_need, first_row, needs, links, lines, ears, People(*people), True
    )


def draws_of(block: Block, i: int) -> Draws:
    """The block's i-th replication, of a block drawn as a whole."""
    if not block.whole:
        raise ValueError("not everything is drawn")
    needs = slice(block.first_need[i], block.first_need[i + 1])
    rows = slice(block.first_row[i], block.first_row[i + 1])
    links = block.links[rows]
    if i > 0:
        links = links.copy()
        links["need"] -= needs.start
        links["next"][links["next"] >= 0] -= rows.start
    people: list[Any] = [column[i] for column in block.people]
    return Draws(
        needs_of(block.needs[needs]), rows_of(links, block.lines[rows], block.ears[rows]), People(*people)
    )


def people_of(world: World, seed: int, numbers: Ints) -> People:
    """What is drawn about agents and shifts in each of these replications."""
    staffing, groups, traits = world.staffing, world.groups, world.traits
    number = numbers[:, None]
    who = identity(seed, number, PERSON, staffing.person, 0)
    group = staffing.group_of
    cv = groups.speed_cv[group]
    quick, talk, absorbs = np.ones(who.shape), np.ones(who.shape), np.ones(who.shape)
    heard, resolved = np.zeros(who.shape), np.zeros(who.shape)
    empathy = np.broadcast_to(groups.empathy[group], who.shape)
    for k, lot in enumerate(traits.lot.tolist()):
        u = uniform(who, TRAIT + lot)
        has = (traits.low[k, group] <= u) & (u < traits.high[k, group])
        quick = quick * np.where(has, traits.speed[k, group], 1.0)
        talk = talk * np.where(has, traits.talk[k, group], 1.0)
        absorbs = absorbs * np.where(has, traits.absorption[k, group], 1.0)
        cv = cv * np.where(has, traits.spread[k, group], 1.0)
        heard = heard + np.where(has, traits.heard[k, group], 0.0)
        resolved = resolved + np.where(has, traits.resolved[k, group], 0.0)
        empathy = empathy + np.where(has, traits.empathy[k, group], 0.0)
    sigma = np.sqrt(np.log1p(cv**2))
    n = len(staffing.agent)
    agent = np.maximum(staffing.agent, 0)
    person = staffing.person[agent] if n else np.zeros(0, np.int64)
    shift = identity(seed, number, PERSON, person, staffing.day - world.clock.warm_days + 1_000_000)
    of_shift = group[agent] if n else np.zeros(0, np.int64)
    late = uniform(shift, LATE) < groups.late[of_shift]
    late_for = -np.log1p(-uniform(shift, LATE_FOR)) * groups.late_ms[of_shift] * staffing.late_factor
    return People(
        speed=np.exp(sigma * ndtri(uniform(who, SPEED)) - sigma * sigma / 2) * quick,
        absorption=absorbs
        * np.maximum(
            0.0, groups.absorption[group] + groups.absorption_sd[group] * ndtri(uniform(who, ABSORPTION))
        ),
        absent=uniform(shift, ABSENT) / staffing.absence_factor if n else np.zeros((len(numbers), 0)),
        late_ms=np.where(late, np.floor(late_for), 0).astype(np.int64),
        talk=talk,
        heard=heard,
        resolved=resolved,
        empathy=np.clip(empathy, 0.0, 1.0),
    )


def draw_people(world: World, seed: int, replication: int) -> People:
    """Speed and absorption of agents, absence and lateness of shifts."""
    return People(*(column[0] for column in people_of(world, seed, np.array([replication]))))


def draw_needs(world: World, seed: int, replication: int) -> Needs:
    """The needs of all simulated days, sorted by birth."""
    return needs_of(_draw_needs(world, seed, np.array([replication]))[1])


def draw_block(
    world: World, seed: int, numbers: Sequence[int], whole: bool = False, room: w.Space = w.fresh
) -> Block:
    """Everything random about these replications of a world, ready for an engine.

    Unless `whole`, only what can matter, and of later attempts nothing yet but that they are possible: the compiled
    engine works out the rest when such a contact happens. It lasts as long as the `room` that it is given.
    """
    w.check(world)
    which = np.array(numbers, np.int64)
    first_need, needs = _draw_needs(world, seed, which, room)
    first_row, links, lines, ears = _draw_lines(world, first_need, needs, whole, room)
    return Block(
        which, first_need, first_row, needs, links, lines, ears, people_of(world, seed, which), whole
    )


def draw(world: World, seed: int, replication: int) -> Draws:
    """Everything random about one replication."""
    return draws_of(draw_block(world, seed, [replication], whole=True), 0)


def p_contained(containment: Floats, loading: Floats, z: Floats) -> Floats:
    """P(contained | z) under the Gaussian factor: averages to `containment` over z ~ N(0, 1)."""
    inside = np.clip(containment, 1e-12, 1 - 1e-12)
    p = ndtr((ndtri(inside) - loading * z) / np.sqrt(1 - loading * loading))
    return np.where(containment <= 0, 0.0, np.where(containment >= 1, 1.0, p))
