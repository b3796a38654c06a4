"""The cases with a known answer: how each is built and run, and how the two answers are compared.

Both answers carry an interval. They agree when they differ by at most Z combined standard errors, plus half a
unit of the last digit that was printed. With Z = 4 a right simulator fails one figure in 16,000 where errors
come from thousands of days, one in 1,800 where from 24 runs; figures of one case share their luck.
Used by the tests, and with longer runs by `scripts/validate.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gamma as gamma_function
from scipy.stats import norm, poisson

from planner.anchor import first_guess
from planner.roster import Roster
from planner.scenario.compile import by_days, compile_world
from planner.scenario.load import read
from planner.scenario.schema import Scenario
from sim import world as w
from sim.draws import Block
from sim.erlang import agents_for, queue_a, queue_c, wait_quantile_c
from sim.measures import estimate, service_of, t_value
from sim.plain import anonymous_staffing, plain_world
from sim.records import ABANDONED, ANSWERED, OUTCOMES, TURNED_AWAY, Written
from sim.replicate import Engine
from sim.replicate import simulated as run
from sim.world import DAY_MS, Floats, World

CASES = Path(__file__).parent / "validation"
Z = 4.0
WITHIN_S = 20.0

try:
    from sim import kernel as _  # noqa: F401

    ENGINE: Engine = "kernel"
except ImportError:
    ENGINE = "simpy"


# --- two answers --------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """A number with its standard error, and half a unit of its last printed digit."""

    mean: float
    se: float
    rounding: float = 0.0
    text: str = ""
    """As it was printed, where it was."""


class Row(NamedTuple):
    """One figure: what it should be, what the simulator says."""

    case: str
    figure: str
    reference: Answer
    ours: Answer

    @property
    def off(self) -> float:
        """How far apart, in combined standard errors, rounding granted."""
        gap = abs(self.ours.mean - self.reference.mean) - self.reference.rounding
        se = math.hypot(self.ours.se, self.reference.se)
        return max(0.0, gap) / se if se > 0 else (0.0 if gap <= 0 else math.inf)

    @property
    def agrees(self) -> bool:
        """Whether they agree."""
        return self.off <= Z

    def __str__(self) -> str:
        return (
            f"{self.case}, {self.figure}: {self.reference.mean:.6g} (se {self.reference.se:.2g}) published, "
            f"{self.ours.mean:.6g} (se {self.ours.se:.2g}) simulated, {self.off:.1f} standard errors apart"
        )


def printed(text: str, level: float = 0.95) -> Answer:
    """An answer as it was printed: "0.902 [0.900, 0.904]"."""
    mean, low, high = re.findall(r"-?\d+\.?\d*", text)
    decimals = len(mean.partition(".")[2])
    se = (float(high) - float(low)) / 2 / float(norm.ppf(0.5 + level / 2))
    return Answer(float(mean), se, 0.5 * 10.0**-decimals, text)


def simulated(above: Floats, below: Floats | None = None) -> Answer:
    """The mean, or ratio of totals, over independent days or replications."""
    found = estimate(np.asarray(above, float), None if below is None else np.asarray(below, float))
    n = len(above)
    return Answer(found.mean, (found.high - found.low) / 2 / t_value(n))


def spread_of(values: Floats) -> Answer:
    """The standard deviation, with its standard error from the fourth moment."""
    n, sd = len(values), float(values.std(ddof=1))
    kurtosis = float(((values - values.mean()) ** 4).mean()) / sd**4
    return Answer(sd, sd * math.sqrt(max(kurtosis - 1, 0.1) / (4 * n)))


# --- running ------------------------------------------------------------------------------------------------


def load_case(name: str) -> tuple[Scenario, World]:
    """A scenario file of this folder, and its world: all values natural, staffed as its groups say."""
    scenario = read(CASES / f"{name}.yaml", Scenario).value
    duty = {g: by_days(group.on_duty, scenario) for g, group in enumerate(scenario.groups.values())}
    return scenario, compile_world(scenario, first_guess(scenario), "as_is", Roster((), duty))


Look = Callable[[World, Block, Written], Any]
"""What is made of a block of one replication."""


def looks(world: World, n: int, *wanted: Look, seed: int = 1, engine: Engine = ENGINE) -> Iterator[list[Any]]:
    """What each look makes of each of `n` replications, in order; on two threads where the engine allows."""

    def one(k: int) -> list[Any]:
        block, written = run(world, seed, [k], engine)
        return [look(world, block, written) for look in wanted]

    if engine == "simpy":
        yield from map(one, range(n))
        return
    with ThreadPoolExecutor(2) as pool:
        for first in range(0, n, 8):  # few at a time in memory
            yield from pool.map(one, range(first, min(first + 8, n)))


def service(within_s: float) -> Look:
    """The service figures by type (or group), day and interval, with this acceptable wait."""

    def look(world: World, block: Block, written: Written) -> dict[str, Floats]:
        sums = service_of(world, block, written, np.full(len(world.types.talk_cv), within_s * 1000))
        return {name: column[0] for name, column in sums.items()}

    return look


def by_day(parts: Iterable[dict[str, Floats]]) -> dict[str, Floats]:
    """(days, types or groups, intervals) figures of several replications, one after another."""
    several = list(parts)
    return {name: np.concatenate([part[name].transpose(1, 0, 2) for part in several]) for name in several[0]}


def whole(figures: dict[str, Floats]) -> dict[str, Floats]:
    """(days,) sums over types and intervals."""
    return {name: value.sum(axis=(1, 2)) for name, value in figures.items()}


def busy_share(world: World, block: Block, written: Written) -> tuple[Floats, Floats]:
    """(days,) the first group's busy and scheduled minutes from opening to closing."""
    busy = service(0.0)(world, block, written)["busy_min"][0]
    opening, closing = world.clock.open_ms[0], world.clock.close_ms[0]
    at = np.arange(busy.shape[1]) * world.clock.interval_ms
    staffing = world.staffing
    today = (staffing.slot_group == 0) & (staffing.slot_ms < closing)
    scheduled = ((closing - staffing.slot_ms[today]) * staffing.slot_change[today]).sum() / 60_000
    within = busy[:, (at >= opening) & (at < closing)].sum(axis=1)
    return within, np.full(len(busy), float(scheduled))


def busy_share_to_the_end(world: World, block: Block, written: Written) -> tuple[Floats, Floats]:
    """(days,) the first group's minutes busy, and scheduled or finishing a contact, to the day's end.

    The day ends with its last contact, and those scheduled last count until then: SimpleMSK's definition.
    """
    days = world.clock.days
    s, staffing = written.spells, world.staffing
    c, outcome = written.lines[written.outcome > 0], written.outcome[written.outcome > 0]
    ends = c["end_ms"] + np.where(outcome == ANSWERED, c["talk_ms"] + c["acw_ms"], 0)
    last = world.clock.close_ms.copy()
    np.maximum.at(last, c["arrive_ms"] // DAY_MS, ends)
    first = staffing.group_of[s.agent] == 0
    day = s.on_ms[first] // DAY_MS
    until = np.minimum(s.off_ms[first], world.clock.close_ms[day])
    present = np.bincount(day, until - s.on_ms[first], days)
    busy = np.bincount(day, s.talk_ms[first] + s.acw_ms[first], days)
    today = (staffing.slot_group == 0) & (staffing.slot_ms < world.clock.close_ms[0])
    staying = staffing.slot_change[today].sum()
    return busy, present + staying * (last - world.clock.close_ms)


# --- ContactCenters -----------------------------------------------------------------------------------------

CONTACT_CENTERS = {
    "mmc": {
        "answered in target a day": "1816.158 [1812.618, 1819.698]",
        "service level": "0.902 [0.900, 0.904]",
        "speed of answer, min": "0.099 [0.097, 0.102]",
        "occupancy": "0.695 [0.694, 0.697]",
    },
    "mmcab": {
        "abandoned a day": "58.609 [57.660, 59.558]",
        "answered in target a day": "1906.008 [1903.785, 1908.231]",
        "service level of the answered": "0.975 [0.974, 0.975]",
        "speed of answer, min": "0.024 [0.023, 0.024]",
        "occupancy": "0.675 [0.674, 0.677]",
        "in target / (served + abandoned after it)": "0.968 [0.968, 0.969]",
    },
    "simplemsk": {
        "served a day": "4297.305 [4270.150, 4324.460]",
        "abandoned a day": "910.335 [876.133, 944.537]",
        "in target / (served + abandoned after it)": "0.501 [0.494, 0.509]",
        "occupancy of the first group": "0.881 [0.877, 0.884]",
    },
}
"""Published by ContactCenters: 1,000 replications of a day, 95 % intervals."""

MSK_IN_TARGET = (
    ("170.154 [164.338, 175.970]", "599.334 [594.159, 604.509]", "15.490 [13.782, 17.198]"),
    ("262.936 [254.597, 271.275]", "511.648 [506.276, 517.020]", "34.697 [31.270, 38.124]"),
    ("259.806 [250.178, 269.434]", "613.732 [607.586, 619.878]", "24.888 [22.137, 27.639]"),
)
"""SimpleMSK's answered in target by type and period of arrival."""


def contact_centers(name: str, n_days: int, *, engine: Engine = ENGINE) -> list[Row]:
    """One published case of ContactCenters beside ours."""
    scenario, world = load_case(name)
    occupancy_as = busy_share_to_the_end if name == "simplemsk" else busy_share
    n = math.ceil(n_days / scenario.horizon.days)
    runs = list(looks(world, n, service(WITHIN_S), occupancy_as, engine=engine))
    figures = by_day(run[0] for run in runs)
    day = whole(figures)
    occupancy = simulated(*(np.concatenate(part) for part in zip(*(run[1] for run in runs), strict=True)))
    after = day["abandoned"] - day["abandoned_in_time"]
    found = {
        "answered in target a day": simulated(day["in_time"]),
        "served a day": simulated(day["answered"]),
        "abandoned a day": simulated(day["abandoned"]),
        "service level": simulated(day["in_time"], day["answered"]),
        "service level of the answered": simulated(day["in_time"], day["answered"]),
        "speed of answer, min": simulated(day["wait_answered_s"] / 60, day["answered"]),
        "occupancy": occupancy,
        "occupancy of the first group": occupancy,
        "in target / (served + abandoned after it)": simulated(day["in_time"], day["answered"] + after),
    }
    title = scenario.title.partition(":")[0]
    rows = [Row(title, key, printed(text), found[key]) for key, text in CONTACT_CENTERS[name].items()]
    if name == "simplemsk":
        first = (scenario.opening.by_weekday()[0] or (0, 0))[0] // scenario.horizon.interval_min
        for t, periods in enumerate(MSK_IN_TARGET):
            for p, text in enumerate(periods):
                values = figures["in_time"][:, t, first + 4 * p : first + 4 * p + 4].sum(axis=1)
                figure = f"in target, type {t}, period {p + 1}"
                rows.append(Row(title, figure, printed(text), simulated(values)))
    return rows


# --- SSJ ----------------------------------------------------------------------------------------------------

SSJ_CALLS = 1660


def ssj(n_days: int, *, engine: Engine = ENGINE) -> list[Row]:
    """SSJ's CallCenter: 10,000 days, 90 % intervals; its estimators divide by 1,660 on any day."""
    scenario, world = load_case("ssj_callcenter")
    n = math.ceil(n_days / scenario.horizon.days)
    day = whole(by_day(run[0] for run in looks(world, n, service(WITHIN_S), engine=engine)))
    lost = day["abandoned"] / SSJ_CALLS
    in_target = (day["in_time"] + day["abandoned_in_time"]) / SSJ_CALLS
    sd, sd_lost = 93.62, 0.0067
    error = 1 / math.sqrt(2 * 10_000)  # of a standard deviation, relative
    figures = (
        ("arrivals a day", printed("1660.366 [1658.826, 1661.906]", 0.9), simulated(day["offered"])),
        ("their standard deviation", Answer(sd, sd * error, 0.005, "93.62"), spread_of(day["offered"])),
        ("wait, s", printed("4.713 [4.680, 4.746]", 0.9), simulated(day["wait_s"] / SSJ_CALLS)),
        ("in target, abandoned too", printed("0.925 [0.924, 0.925]", 0.9), simulated(in_target)),
        ("lost", Answer(0.020, sd_lost / 100, 0.0005, "0.020"), simulated(lost)),
        ("its standard deviation", Answer(sd_lost, sd_lost * error, 0.00005, "0.0067"), spread_of(lost)),
    )
    return [Row("CallCenter", *figure) for figure in figures]


# --- staffing that follows a sine ---------------------------------------------------------------------------

CYCLES = 5
"""Cycles of 2 pi service times in a day of 24 h."""
STEP_MIN = 3
PHASES = 16
STEPS = 1440 // STEP_MIN // CYCLES
UNIT_S = 86_400 / CYCLES / (2 * math.pi)
"""One unit of time: the mean of handling and of patience."""
DELAY = 0.3


def mean_in_system(t: Floats) -> Floats:
    """m(t) of arrivals at 100 + 20 sin t, where handling and patience have mean one."""
    return np.asarray(100 + 10 * (np.sin(t) - np.cos(t)))


@cache
def agents_needed(load: float) -> int:
    """The smallest s with P(Poisson(load) >= s) <= 0.3."""
    return next(s for s in range(1, 1000) if poisson.sf(s - 1, load) <= DELAY)


def sine_staffing(*, follow_demand: bool = False) -> Floats:
    """Agents in each step of a cycle: for m(t) at its middle, or, wrongly, for lambda(t) itself."""
    middle = (np.arange(STEPS) + 0.5) * 2 * math.pi / STEPS
    loads = 100 + 20 * np.sin(middle) if follow_demand else mean_in_system(middle)
    return np.array([agents_needed(round(float(m), 9)) for m in loads])


def sine_world(days: int, staffing: Floats) -> World:
    """Arrivals at 100 + 20 sin t a unit of time, and these agents in every cycle."""
    world = plain_world(
        talk_s=UNIT_S, patience_s=UNIT_S, open_hours=(0.0, 24.0), days=days, interval_min=STEP_MIN, agents=1
    )
    edge = np.arange(STEPS + 1) * 2 * math.pi / STEPS
    expected = 100 * np.diff(edge) - 20 * np.diff(np.cos(edge))
    per_day = np.broadcast_to(np.tile(expected, CYCLES), (1, days, STEPS * CYCLES))
    agents = np.broadcast_to(np.tile(staffing, CYCLES), (1, days, STEPS * CYCLES))
    return w.frozen(  # type: ignore[no-any-return]
        world._replace(
            demand=world.demand._replace(expected=per_day), staffing=anonymous_staffing(world.clock, agents)
        )
    )


def exact_delay(staffing: Floats) -> Floats:
    """(phases,) exact P(delay) of arrivals around t = 2 pi k / 16."""
    fine = 20
    t = (np.arange(STEPS * fine) + 0.5) * 2 * math.pi / (STEPS * fine)
    rate = 100 + 20 * np.sin(t)
    delayed = rate * poisson.sf(np.repeat(staffing, fine) - 1, mean_in_system(t))
    half = STEPS * fine // PHASES // 2

    def phases(x: Floats) -> Floats:
        return np.roll(x, half).reshape(PHASES, -1).sum(axis=1)

    return phases(delayed) / phases(rate)


def sine_delay(
    days: int, staffing: Floats, *, seed: int = 1, engine: Engine = ENGINE
) -> list[tuple[Floats, Floats]]:
    """For each phase, (cycles,) delayed contacts and contacts, without the first day, which starts empty."""
    per_run = min(days, 41)
    world = sine_world(per_run, staffing)
    late: list[Floats] = []
    every: list[Floats] = []
    for (figures,) in looks(world, math.ceil(days / per_run), service(0.0), seed=seed, engine=engine):
        for into, values in ((every, figures["queued"]), (late, figures["queued"] - figures["in_time"])):
            steps = np.roll(values.reshape(-1), STEPS // PHASES // 2)[STEPS * CYCLES :]
            into.append(steps.reshape(-1, PHASES, STEPS // PHASES).sum(axis=2))
    delayed, contacts = np.concatenate(late), np.concatenate(every)
    return [(delayed[:, k], contacts[:, k]) for k in range(PHASES)]


def sine(days: int, *, engine: Engine = ENGINE) -> list[Row]:
    """P(delay) in each phase of the cycle beside the exact value."""
    staffing = sine_staffing()
    exact = exact_delay(staffing)
    return [
        Row("sine", f"P(delay) around t = {k}/8 pi", Answer(float(exact[k]), 0.0), simulated(*counts))
        for k, counts in enumerate(sine_delay(days, staffing, engine=engine))
    ]


# --- closed forms -------------------------------------------------------------------------------------------


class Queue(NamedTuple):
    """A steady state with a closed form."""

    name: str
    agents: int
    per_hour: float
    service_s: float
    patience_s: float
    """Infinite for Erlang C."""
    warm_hours: int = 4
    """Left out at the start, which is empty."""


QUEUES = (
    Queue("Erlang C, 14 agents at 71 %", 14, 200.0, 180.0, math.inf),
    Queue("Erlang C, 24 agents at 83 %", 24, 400.0, 180.0, math.inf),
    Queue("Erlang C, 12 agents at 90 %", 12, 324.0, 120.0, math.inf, 24),
    Queue("Erlang A, 14 agents at 71 %", 14, 200.0, 180.0, 120.0),
    Queue("Erlang A, 10 agents at 100 %", 10, 200.0, 180.0, 120.0),
    Queue("Erlang A, 8 agents at 125 %", 8, 200.0, 180.0, 120.0),
    Queue("Erlang A, 5 agents at 200 %", 5, 200.0, 180.0, 120.0),
    Queue("Erlang A, 50 agents at 96 % (Garnett et al.)", 50, 2880.0, 60.0, 120.0),
)


def closed_form(queue: Queue) -> dict[str, float]:
    """What the closed forms say."""
    rate = queue.per_hour / 3600
    if math.isinf(queue.patience_s):
        c = queue_c(queue.agents, rate, queue.service_s, WITHIN_S)
        assert c.mean_wait_s is not None
        assert c.queue_length is not None
        return {
            "P(wait)": c.p_wait, "mean wait, s": c.mean_wait_s, "service level": c.service_level.g3,
            "occupancy": c.occupancy, "queue length": c.queue_length,
        }  # fmt: skip
    a = queue_a(queue.agents, rate, queue.service_s, queue.patience_s, WITHIN_S)
    assert a.speed_of_answer_s is not None
    levels = a.service_level
    return {
        "P(wait)": a.p_wait, "abandoned": a.p_abandon, "mean wait, s": a.mean_wait_s,
        "speed of answer, s": a.speed_of_answer_s,
        "service level, g0": levels.g0, "service level, g1": levels.g1,
        "service level, g2": levels.g2, "service level, g3": levels.g3,
        "occupancy": a.occupancy, "queue length": a.queue_length,
    }  # fmt: skip


def long_run(queue: Queue, contacts: int, *, runs: int = 24, engine: Engine = ENGINE) -> dict[str, Answer]:
    """The same from independent runs round the clock, of about so many contacts in all."""
    days = math.ceil((contacts / runs / queue.per_hour + queue.warm_hours) / 24)
    world = plain_world(
        arrivals_per_hour=queue.per_hour, talk_s=queue.service_s, agents=queue.agents,
        patience_s=queue.patience_s, open_hours=(0.0, 24.0), days=days, interval_min=60,
    )  # fmt: skip
    seed = 1 + QUEUES.index(queue)  # luck of its own for each
    found = list(looks(world, runs, service(0.0), service(WITHIN_S), seed=seed, engine=engine))

    def figures(which: int) -> dict[str, Floats]:
        return {
            name: np.array([run[which][name].reshape(-1)[queue.warm_hours :].sum() for run in found])
            for name in found[0][which]
        }

    at_once, timed = figures(0), figures(1)
    queued, answered = timed["queued"], timed["answered"]
    good, left = timed["in_time"], timed["abandoned"]
    level = simulated(good, queued)
    minutes = 60.0 * (24 * days - queue.warm_hours)
    return {
        "P(wait)": simulated(queued - at_once["in_time"], queued),
        "abandoned": simulated(left, queued),
        "mean wait, s": simulated(timed["wait_s"], queued),
        "speed of answer, s": simulated(timed["wait_answered_s"], answered),
        "service level": level,
        "service level, g0": simulated(good, answered),
        "service level, g1": simulated(good, answered + left - timed["abandoned_in_time"]),
        "service level, g2": simulated(good + timed["abandoned_in_time"], queued),
        "service level, g3": level,
        "occupancy": simulated(timed["busy_min"] / (minutes * queue.agents)),
        "queue length": simulated(timed["wait_s"] / (minutes * 60)),
        # identities
        "wait over patience": simulated(timed["wait_s"] / queue.patience_s, queued),
        "busy agents": simulated(timed["busy_min"] / minutes),
        "offered": simulated(queued / minutes * 60),
    }


def closed_forms(contacts: int, *, engine: Engine = ENGINE) -> list[Row]:
    """All queues beside their closed forms."""
    rows = []
    for queue in QUEUES:
        ours = long_run(queue, contacts, engine=engine)
        exact = closed_form(queue)
        rows += [Row(queue.name, key, Answer(value, 0.0), ours[key]) for key, value in exact.items()]
    return rows


def garnett() -> list[Row]:
    """50 agents, 48 calls a minute of a minute, patience of two: as Garnett, Mandelbaum & Reiman printed it in 2002."""
    queue = 50, 0.8, 60.0
    c, a = queue_c(*queue, WITHIN_S), queue_a(*queue, 120.0, WITHIN_S)
    assert c.mean_wait_s is not None
    figures = (
        ("Erlang C, mean wait, s", "20.8", c.mean_wait_s),
        ("Erlang C, wait of nine in ten, s", "58.1", wait_quantile_c(0.9, *queue)),
        ("Erlang A, mean wait, s", "3.7", a.mean_wait_s),
        ("Erlang A, abandoned, %", "3.1", 100 * a.p_abandon),
    )
    return [
        Row(
            "Garnett et al.",
            figure,
            Answer(float(text), 0.0, 0.05, text),
            Answer(ours, 0.0, 0.0, f"{ours:.2f}"),
        )
        for figure, text, ours in figures
    ]


# --- the whole chain on real data -----------------------------------------------------------------------------

MILLER_CALLS = (
    6.75, 1.75, 1.25, 0.00, 0.50, 0.25, 4.75, 39.50, 97.25, 107.50, 124.00, 110.25, 95.50, 203.50, 115.75, 115.50,
    67.75, 75.00, 88.75, 85.50, 68.00, 61.50, 57.50, 44.25,
)  # fmt: skip
"""Calls an hour, the mean of the four Wednesdays of February 1999, as Miller's program states them (mtpa/mtpa, chapter 6)."""
MILLER_SERVERS = (1, 1, 1, 0, 1, 1, 1, 4, 8, 9, 10, 9, 8, 16, 10, 10, 6, 7, 8, 8, 6, 6, 5, 4)
MILLER_RATE_PER_HOUR = 15


def miller_servers(calls_per_hour: float) -> int:
    """The fewest with which at most half wait (Erlang C)."""
    return agents_for(calls_per_hour / 3600, 3600 / MILLER_RATE_PER_HOUR, measure="p_wait", target=0.5)


def miller() -> list[Row]:
    """The bank's Wednesday, hour by hour: from calls to people."""
    rows = []
    for hour, (calls, published) in enumerate(zip(MILLER_CALLS, MILLER_SERVERS, strict=True)):
        ours = miller_servers(calls)
        figure = f"people at {hour:02d}:00, for {calls:g} calls"
        rows.append(
            Row(
                "A bank's Wednesday", figure, Answer(published, 0.0, 0.0, str(published)),
                Answer(ours, 0.0, 0.0, str(ours)),
            )
        )  # fmt: skip
    return rows


# --- Ciw ----------------------------------------------------------------------------------------------------


def _compared(name: str, theirs: Sequence[dict[str, float]], ours: Sequence[dict[str, float]]) -> list[Row]:
    """Rows of ratios: each figure `a/b` is a ratio of two sums by replication."""

    def answers(runs: Sequence[dict[str, float]]) -> dict[str, Answer]:
        return {
            key: simulated(np.array([run[key] for run in runs]), np.array([run[f"of {key}"] for run in runs]))
            for key in runs[0]
            if not key.startswith("of ")
        }

    reference, found = answers(theirs), answers(ours)
    return [Row(name, key, reference[key], found[key]) for key in reference]


def _sums(kind: str, waits: Floats, outcome: Any, room: bool) -> dict[str, float]:
    """Sums of one replication and kind of contact, each with what it is a share of."""
    n = float(len(waits))
    answered = outcome == "answered"
    shares = {
        "abandoned": (float((outcome == "abandoned").sum()), n),
        "wait, s": (float(waits.sum()), n),
        "speed of answer, s": (float(waits[answered].sum()), float(answered.sum())),
        "answered in 20 s": (float((waits[answered] <= WITHIN_S).sum()), n),
    }
    if room:
        shares["turned away"] = (float((outcome == "turned away").sum()), n)
    sums: dict[str, float] = {}
    for name, (above, below) in shares.items():
        sums |= {f"{kind}: {name}": above, f"of {kind}: {name}": below}
    return sums


Kinds = dict[str, Callable[[Any, Any], Any]]
"""Which contacts are looked at, by their type and second of arrival."""


def _our_runs(world: World, n: int, kinds: Kinds, from_s: float, seed: int = 5) -> list[dict[str, float]]:
    def look(world: World, block: Block, written: Written) -> dict[str, float]:
        seen = np.flatnonzero(np.isin(written.outcome, (ANSWERED, ABANDONED, TURNED_AWAY)))
        seen = seen[written.lines["arrive_ms"][seen] >= from_s * 1000]
        c = written.lines[seen]
        kind, arrival = block.needs["type"][block.links["need"][seen]], c["arrive_ms"] / 1000
        wait, outcome = (c["end_ms"] - c["reach_ms"]) / 1000, np.array(OUTCOMES)[written.outcome[seen]]
        sums: dict[str, float] = {}
        for name, chosen in kinds.items():
            mine = chosen(kind, arrival)
            sums |= _sums(name, wait[mine], outcome[mine], world.routing.max_queue > 0)
        return sums

    return [run[0] for run in looks(world, n, look, seed=seed)]


CIW_OUTCOMES = {"service": "answered", "renege": "abandoned", "rejection": "turned away"}


def _ciw_runs(
    network: Callable[[], Any], n: int, until_s: float, kinds: Kinds, from_s: float, seed: int = 5
) -> list[dict[str, float]]:
    import ciw

    result = []
    for k in range(n):
        ciw.seed(seed * 1000 + k)
        simulation = ciw.Simulation(network())
        # whoever arrived by `until_s` is followed to their end
        simulation.simulate_until_max_time(until_s + 4 * 3600)
        records = [x for x in simulation.get_all_records() if from_s <= x.arrival_date < until_s]
        kind = np.array([int(x.customer_class) if x.customer_class.isdigit() else 0 for x in records])
        arrival = np.array([x.arrival_date for x in records])
        wait = np.array([0.0 if x.record_type == "rejection" else x.waiting_time for x in records])
        outcome = np.array([CIW_OUTCOMES[x.record_type] for x in records])
        sums: dict[str, float] = {}
        for name, chosen in kinds.items():
            mine = chosen(kind, arrival)
            sums |= _sums(name, wait[mine], outcome[mine], "turned away" in outcome)
        result.append(sums)
    return result


def ciw_priorities(runs: int, hours: int = 24) -> list[Row]:
    """Two types that differ in handle time and patience, one ahead of the other, five agents at 96 %."""
    import ciw

    rate, service_s, patience_s = (72.0, 90.0), (90.0, 120.0), (90.0, 180.0)
    warm_s = 3600.0

    def exponential(means: Sequence[float]) -> dict[str, Any]:
        return {str(i): [ciw.dists.Exponential(1 / mean)] for i, mean in enumerate(means)}

    def network() -> Any:
        return ciw.create_network(
            arrival_distributions=exponential([3600 / r for r in rate]),
            service_distributions=exponential(service_s),
            reneging_time_distributions=exponential(patience_s),
            priority_classes={"0": 0, "1": 1},
            number_of_servers=[5],
        )

    world = plain_world(types=2, agents=5, open_hours=(0.0, 24.0), days=hours // 24 + 1, interval_min=60)
    types = world.types._replace(
        talk_ms=np.repeat(np.array(service_s)[:, None] * 1000, 24, axis=1),
        patience_ms=np.repeat(np.array(patience_s)[:, None] * 1000, 24, axis=1),
    )
    world = w.frozen(
        world._replace(
            demand=world.demand._replace(expected=np.stack([_until(world, hours, r) for r in rate])),
            types=types,
            routing=world.routing._replace(priority=np.tile(np.array([0, 1]), 3)[None, :]),
        )
    )
    kinds: Kinds = {"first in line": lambda kind, _: kind == 0, "second in line": lambda kind, _: kind == 1}
    theirs = _ciw_runs(network, runs, hours * 3600.0, kinds, warm_s)
    return _compared("Two priorities", theirs, _our_runs(world, runs * 4, kinds, warm_s))


def _until(world: World, hours: int, per_hour: float) -> Floats:
    """(days, I) expected arrivals of a world with hourly intervals, level until so many hours have passed."""
    days, n_intervals = world.demand.expected.shape[1:]
    return per_hour * (np.arange(days * n_intervals).reshape(days, n_intervals) < hours)


def teams(sizes: Sequence[int], starts_s: Sequence[float], ends_s: Sequence[float]) -> w.Staffing:
    """Shifts of one team after another on the first day, each of its own people."""
    n = sum(sizes)
    none = np.zeros(0, np.int64)
    return w.Staffing(
        group_of=np.zeros(n, np.int64), person=np.arange(n), agent=np.arange(n),
        start_ms=np.repeat(np.array(starts_s) * 1000, sizes).astype(np.int64),
        end_ms=np.repeat(np.array(ends_s) * 1000, sizes).astype(np.int64),
        day=np.zeros(n, np.int64), absence_factor=np.ones(n), late_factor=np.ones(n), act_from=np.zeros(n + 1, np.int64),
        act_ms=none, act_length_ms=none, act_kind=none, act_paid=none,
        shift_post=np.full(n, -1), act_post=none,
        slot_ms=none, slot_group=none, slot_change=none, unseen_rest=np.zeros(1),
    )  # fmt: skip


def ciw_day(runs: int) -> list[Row]:
    """Four periods: arrivals change, teams relieve one another, lognormal handle time, Weibull patience."""
    import ciw

    period_s, rate, agents = 7200.0, (120.0, 260.0, 200.0, 90.0), (5, 11, 7, 5)
    mean_s, cv, patience_s, shape = 150.0, 0.8, 180.0, 0.7
    sigma, scale_s = math.sqrt(math.log(1 + cv * cv)), patience_s / gamma_function(1 + 1 / shape)

    ends = [period_s * (i + 1) for i in range(4)]

    def network() -> Any:
        return ciw.create_network(
            arrival_distributions=[_periods(rate, period_s)],
            service_distributions=[ciw.dists.Lognormal(math.log(mean_s) - sigma * sigma / 2, sigma)],
            reneging_time_distributions=[ciw.dists.Weibull(scale_s, shape)],
            number_of_servers=[ciw.Schedule([*agents, 5], [*ends, 86_400.0])],
        )

    world = plain_world(open_hours=(0.0, 24.0), interval_min=60, agents=5)
    expected = np.zeros((1, 1, 24))
    for i in range(4):
        expected[0, 0, 2 * i : 2 * i + 2] = rate[i]
    one = np.ones(1)
    types = world.types._replace(
        talk_ms=np.full((1, 24), mean_s * 1000), talk_family=np.array([w.LOGNORMAL]), talk_cv=one * cv,
        patience_ms=np.full((1, 24), patience_s * 1000), patience_family=np.array([w.WEIBULL]),
        patience_shape=one * shape,
    )  # fmt: skip
    world = w.frozen(
        world._replace(
            demand=world.demand._replace(expected=expected), types=types,
            staffing=teams((*agents, 5), [i * period_s for i in range(5)], [*ends, 86_400.0]),
        )
    )  # fmt: skip
    periods: Kinds = {f"period {i + 1}": (lambda _, at, i=i: at // period_s == i) for i in range(4)}
    theirs = _ciw_runs(network, runs, 4 * period_s, periods, 0.0)
    return _compared("A changing day", theirs, _our_runs(world, runs * 4, periods, 0.0))


def ciw_room(runs: int, hours: int = 24) -> list[Row]:
    """Six agents, gamma handle time, fixed patience, and room for four to wait: others are turned away."""
    import ciw

    rate, mean_s, cv, patience_s, warm_s = 150.0, 140.0, 0.6, 100.0, 3600.0

    def network() -> Any:
        return ciw.create_network(
            arrival_distributions=[ciw.dists.Exponential(rate / 3600)],
            service_distributions=[ciw.dists.Gamma(1 / cv**2, mean_s * cv**2)],
            reneging_time_distributions=[ciw.dists.Deterministic(patience_s)],
            number_of_servers=[6],
            queue_capacities=[4],
        )

    world = plain_world(open_hours=(0.0, 24.0), days=hours // 24 + 1, interval_min=60, agents=6)
    types = world.types._replace(
        talk_ms=np.full((1, 24), mean_s * 1000), talk_family=np.array([w.GAMMA]), talk_cv=np.array([cv]),
        patience_ms=np.full((1, 24), patience_s * 1000), patience_family=np.array([w.FIXED]),
    )  # fmt: skip
    world = w.frozen(
        world._replace(
            demand=world.demand._replace(expected=_until(world, hours, rate)[None]),
            types=types,
            routing=world.routing._replace(max_queue=4),
        )
    )
    kinds: Kinds = {"calls": lambda kind, _: np.ones(len(kind), bool)}
    theirs = _ciw_runs(network, runs, hours * 3600.0, kinds, warm_s)
    return _compared("Room for four", theirs, _our_runs(world, runs * 4, kinds, warm_s))


def _periods(rates: Sequence[float], period_s: float) -> Any:
    """Poisson arrivals at these hourly rates, one period after another, and none after the last."""
    import ciw

    gaps: list[float] = []
    last = 0.0
    generator = np.random.default_rng(int(ciw.random.random() * 2**53))
    for i, rate in enumerate(rates):
        n = generator.poisson(rate * period_s / 3600)
        for at in np.sort(generator.random(n)) * period_s + i * period_s:
            gaps.append(float(at) - last)
            last = float(at)
    return ciw.dists.Sequential([*gaps, math.inf])
