"""What theory says: distributions, closed forms, identities, and worlds that differ minimally."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference_cases as cases
from reference_cases import ENGINE, Z
from scipy import stats
from scipy.special import ndtr, ndtri

from planner.anchor import first_guess, lens_of
from planner.natural import residual_handle_ratio
from planner.roster import Activity, Roster, RosteredShift
from planner.scenario.compile import compile_world
from planner.scenario.load import read
from planner.scenario.schema import Scenario
from sim import draws as d
from sim import records as r
from sim import world as w
from sim.measures import Lens, overall, summary, totals
from sim.plain import plain_behaviour, plain_world
from sim.replicate import replicate, simulate_once

FAST = ENGINE == "kernel"
N = 200_000


def numbers(purpose: int, n: int = N) -> np.ndarray:
    return d.uniform(d.identity(3, 0, d.NEED, np.arange(n)), purpose)


def patience(family: int, shape: float, ends: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """As drawn for the contacts of a world with this patience."""
    world = plain_world(arrivals_per_hour=N / 40, days=5)
    types = world.types._replace(
        patience_family=np.array([family]), patience_shape=np.array([shape]), hazard_ms=ends[None], hazard_rate=rates[None]
    )  # fmt: skip
    return d.draw(world._replace(types=types), 3, 0).rows.patience_unit.copy()


def near_in(values: np.ndarray, expected: float) -> None:
    """The mean of independent values within Z standard errors of what is expected."""
    se = float(values.std(ddof=1)) / math.sqrt(len(values))
    assert abs(float(values.mean()) - expected) <= Z * se, (values.mean(), expected, se)


def is_distributed(values: np.ndarray, cdf) -> None:
    """Kolmogorov and Smirnov find no difference worth one in 10,000."""
    assert stats.kstest(values, cdf).pvalue > 1e-4


def check(rows):
    assert rows
    wrong = [str(row) for row in rows if not row.agrees]
    assert not wrong, "\n".join(wrong)


# --- distributions ----------------------------------------------------------------------------------------


def test_uniforms_are_uniform_and_purposes_independent():
    u, v = numbers(d.TALK), numbers(d.ACW)
    is_distributed(u, "uniform")
    assert 0 < u.min() < u.max() < 1
    for other in (v, np.roll(u, 1), d.uniform(d.identity(3, 0, d.NEED, np.arange(N)), d.TALK, 1)):
        assert abs(np.corrcoef(u, other)[0, 1]) <= Z / math.sqrt(N)
    for seed, replication in ((4, 0), (3, 1)):
        other = d.uniform(d.identity(seed, replication, d.NEED, np.arange(N)), d.TALK)
        assert abs(np.corrcoef(u, other)[0, 1]) <= Z / math.sqrt(N)


FAMILIES = [
    (w.EXPONENTIAL, 1.0, stats.expon()),
    (w.LOGNORMAL, 0.5, stats.lognorm(math.sqrt(math.log(1.25)), scale=1 / math.sqrt(1.25))),
    (w.LOGNORMAL, 1.3, stats.lognorm(math.sqrt(math.log(2.69)), scale=1 / math.sqrt(2.69))),
    (w.GAMMA, 0.5, stats.gamma(4, scale=1 / 4)),
    (w.GAMMA, 1.5, stats.gamma(1 / 2.25, scale=2.25)),
]


@pytest.mark.parametrize(("family", "cv", "stated"), FAMILIES)
def test_handle_time_families(family, cv, stated):
    assert stated.mean() == pytest.approx(1)
    assert stated.std() == pytest.approx(cv)
    values = d.unit_sample(family, cv, numbers(d.TALK))
    near_in(values, 1.0)
    near_in((values - 1) ** 2, cv * cv)
    is_distributed(values, stated.cdf)


def test_fixed_handle_time():
    for family in (w.FIXED, w.LOGNORMAL, w.GAMMA):
        assert np.all(d.unit_sample(family, 0.0, numbers(d.TALK, 100)) == 1.0)


NO_PIECES = (np.array([np.inf]), np.ones(1))


@pytest.mark.parametrize(
    ("family", "shape", "stated"),
    [
        (w.EXPONENTIAL, 1.0, stats.expon()),
        (w.WEIBULL, 0.6, stats.weibull_min(0.6, scale=1 / math.gamma(1 + 1 / 0.6))),
        (w.WEIBULL, 2.5, stats.weibull_min(2.5, scale=1 / math.gamma(1.4))),
        (w.LOGNORMAL, 1.1, stats.lognorm(1.1, scale=math.exp(-(1.1**2) / 2))),
    ],
)
def test_patience_families(family, shape, stated):
    assert stated.mean() == pytest.approx(1)
    values = patience(family, shape, *NO_PIECES)
    near_in(values, 1.0)
    is_distributed(values, stated.cdf)


def test_patience_by_hazard():
    """In each stretch, those who leave over the time that people wait in it is the stated hazard."""
    ends, rates = np.array([20.0, 60.0, 90.0, np.inf]), np.array([0.02, 0.004, 0.0, 0.01])
    values = patience(w.HAZARD, 1.0, ends, rates)
    start = 0.0
    for end, rate in zip(ends, rates, strict=True):
        leaving = float(((values >= start) & (values < end)).sum())
        exposed = float(np.clip(values - start, 0, end - start).sum())
        assert abs(leaving - rate * exposed) <= Z * math.sqrt(max(leaving, 1e-9)) + 1e-6
        start = float(end)


def test_arrivals_are_poisson_by_interval_and_uniform_within():
    world = plain_world(arrivals_per_hour=40, days=200)
    needs = d.draw_needs(world, 1, 0)
    cells = np.bincount(needs.birth_ms // world.clock.interval_ms, minlength=200 * 48).reshape(200, 48)
    assert np.all(cells[:, 16:] == 0)
    counts = cells[:, :16].ravel()
    near_in(counts.astype(float), 20.0)
    near_in((counts - 20.0) ** 2, 20.0)
    assert stats.chisquare(*_binned(counts, 20.0)).pvalue > 1e-4
    is_distributed(needs.birth_ms % world.clock.interval_ms / world.clock.interval_ms, "uniform")
    assert np.all(np.diff(needs.birth_ms) >= 0)


def _binned(counts: np.ndarray, mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Observed and expected numbers of Poisson counts, the tails pooled."""
    low, high = (int(stats.poisson.ppf(p, mean)) for p in (0.005, 0.995))
    seen = np.bincount(np.clip(counts, low, high) - low, minlength=high - low + 1)
    p = stats.poisson.pmf(np.arange(low, high + 1), mean)
    p[0], p[-1] = stats.poisson.cdf(low, mean), stats.poisson.sf(high - 1, mean)
    return seen, p * len(counts)


@pytest.mark.parametrize("shared_by_types", [0, 1])
def test_day_factors(shared_by_types):
    """Gamma(a, a), with the stated autocorrelation of the normal score, shared between types or not."""
    a, memory, days = 25.0, 0.6, 3000
    world = plain_world(days=days, types=2)
    demand = world.demand._replace(
        factor_shape=a, factor_memory=memory, factor_shared=shared_by_types, expected=np.zeros((2, days, 48))
    )
    factors = d.day_factors(world._replace(demand=demand), 1, 0)
    scores = ndtri(stats.gamma(a, scale=1 / a).cdf(factors))
    # a chain with this memory is worth so many independent days
    worth = days * (1 - memory) / (1 + memory)
    for factor, score in zip(factors, scores, strict=True):
        assert abs(factor.mean() - 1) <= Z / math.sqrt(a * worth)
        assert factor.var() == pytest.approx(1 / a, rel=Z * math.sqrt(2 / worth) + 6 / a / math.sqrt(worth))
        lag = np.corrcoef(score[1:], score[:-1])[0, 1]
        assert abs(lag - memory) <= Z * math.sqrt((1 - memory**2) / days)
        innovation = (score[1:] - memory * score[:-1]) / math.sqrt(1 - memory**2)
        is_distributed(innovation, "norm")
    between = np.corrcoef(scores)[0, 1]
    assert between == pytest.approx(1) if shared_by_types else abs(between) <= Z / math.sqrt(worth)


def test_intensity_segments_and_vulnerability():
    world = plain_world(arrivals_per_hour=2000, days=5)
    types = world.types._replace(
        intensity_mean=np.array([-1.0]), intensity_spread=np.array([1.4]), intensity_loading=np.array([0.35])
    )
    shift = np.zeros((1, 5))
    shift[0, 3:] = 0.7
    demand = world.demand._replace(
        segment_share=np.array([[0.5, 0.8, 1.0]]), vulnerable=np.array([0.1, 0.0, 0.4]),
        keyword=np.array([0.2]), intensity_shift=shift,
    )  # fmt: skip
    needs = d.draw_needs(world._replace(types=types, demand=demand), 1, 0)
    score = (np.log(needs.intensity / (1 - needs.intensity)) + 1.0 - shift[0, needs.day]) / 1.4
    is_distributed(score, "norm")
    is_distributed(needs.difficulty, "norm")
    near_in(score * needs.difficulty, 0.35)
    for segment, share, vulnerable in ((0, 0.5, 0.1), (1, 0.3, 0.0), (2, 0.2, 0.4)):
        mine = needs.segment == segment
        near_in(mine.astype(float), share)
        near_in(needs.vulnerable[mine].astype(float), vulnerable)
    near_in(needs.keyword.astype(float), 0.2)


def bot_world(contained: float, rho: float, rho_talk: float = 0.5, *, per_hour: float = 5000, days: int = 2):
    """Every contact meets a bot that contains this share; lognormal talk; people enough for all others."""
    world = plain_world(arrivals_per_hour=per_hour, days=days, agents=2 * int(per_hour / 30))
    one = np.ones((1, 1))
    return world._replace(
        bot=world.bot._replace(offered=one, containment=contained * one, session_ms=60_000 * one),
        types=world.types._replace(
            containment_loading=np.array([rho]), talk_loading=np.array([rho_talk]),
            talk_family=np.array([w.LOGNORMAL]), talk_cv=np.array([0.9]),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(("contained", "rho"), [(0.2, 0.5), (0.58, 0.5), (0.58, 0.8), (0.9, 0.3), (0.4, 0.0)])
def test_containment_averages_to_what_is_stated_and_takes_the_easy(contained, rho):
    x, weight = np.polynomial.hermite_e.hermegauss(81)
    p = d.p_contained(np.full(81, contained), np.full(81, rho), x)
    assert float(p @ weight / weight.sum()) == pytest.approx(contained, abs=2e-5)
    assert np.all(np.diff(p) <= 0)
    drawn = d.draw(bot_world(contained, rho), 1, 0)
    inside = drawn.rows.fate == d.CONTAINED
    near_in(inside.astype(float), contained)
    # E[z | contained] = -rho phi(Phi^-1(c)) / c
    easy = -rho * float(stats.norm.pdf(ndtri(contained))) / contained
    near_in(drawn.needs.difficulty[drawn.rows.need[inside]], easy)


def test_false_containment_rises_with_difficulty():
    world = bot_world(0.6, 0.5)
    world = world._replace(bot=world.bot._replace(false_logit=np.full((1, 1), -1.2), false_slope=0.8))
    drawn = d.draw(world, 1, 0)
    z, fate = drawn.needs.difficulty[drawn.rows.need], drawn.rows.fate
    ended = np.isin(fate, (d.CONTAINED, d.CONTAINED_FALSELY))
    near_in(ended.astype(float), 0.6)
    falsely = (fate == d.CONTAINED_FALSELY).astype(float)
    p = 1 / (1 + np.exp(1.2 - 0.8 * z[ended]))
    near_in(falsely[ended] - p, 0.0)


@pytest.mark.parametrize("way_out", [0, 1])
def test_what_a_session_comes_to(way_out):
    """Who is offered the bot, asks for a person, hangs up, is contained of those left, and comes with context."""
    world = bot_world(0.4, 0.0, rho_talk=0.0)
    bot = world.bot._replace(
        offered=np.full((1, 1), 0.8), asks=np.full((1, 1), 0.15), hangs_up=np.full((1, 1), 0.05), context=np.array([0.3]),
        ask_ms=np.array([20_000.0]), early_way_out=way_out,
    )  # fmt: skip
    rows = d.draw(world._replace(bot=bot), 1, 0).rows
    fate = rows.fate
    near_in((fate != d.NO_BOT).astype(float), 0.8)
    met = fate != d.NO_BOT
    stays = 1 - 0.15 * way_out
    near_in((fate[met] == d.HUNG_UP).astype(float), stays * 0.05)
    near_in((fate[met] == d.CONTAINED).astype(float), stays * 0.95 * 0.4)
    near_in((fate[met] == d.HANDED_OVER).astype(float), 1 - stays * (0.05 + 0.95 * 0.4))
    near_in(rows.refused[met].astype(float), 0.0 if way_out else 0.15)
    assert not rows.refused[~met].any()
    near_in(rows.context.astype(float), 0.3)
    let_out = rows.bot_ms[met] == 20_000
    near_in(let_out.astype(float), 0.15 * way_out) if way_out else near_in(rows.bot_ms[met] + 0.5, 60_000.0)
    assert np.all(fate[met][let_out] == d.HANDED_OVER)


def test_balking_and_patience_together():
    world = plain_world(arrivals_per_hour=5000, days=2)
    world = world._replace(types=world.types._replace(balk=np.array([0.1])))
    unit = d.draw(world, 1, 0).rows.patience_unit
    near_in((unit == 0).astype(float), 0.1)
    is_distributed(unit[unit > 0], "expon")


def test_detectors_hear_as_well_as_they_are_said_to():
    """From the records: of those with what is listened for, the sensitivity is flagged; of the others, 1 - specificity."""
    world = plain_world(arrivals_per_hour=3000, agents=120, days=2)
    n = 3
    world = w.frozen(
        world._replace(
            detectors=w.Detectors(
                target=np.arange(n), above=np.full(n, 0.3), sensitivity=np.array([0.8, 0.7, 0.9]),
                specificity=np.array([0.85, 0.95, 0.9]), listens=np.ones((n, 1), np.int64),
            ),
            demand=world.demand._replace(vulnerable=np.array([0.2]), keyword=np.array([0.1])),
        )
    )  # fmt: skip
    for only in range(n):
        ears = world.detectors
        one = w.Detectors(*(column[only : only + 1] for column in ears))
        drawn, records = simulate_once(w.frozen(world._replace(detectors=one)), 1, 0, ENGINE)
        c, needs = records.contacts, drawn.needs
        there = (needs.intensity > 0.3, needs.vulnerable == 1, needs.keyword == 1)[only][drawn.rows.need]
        heard = c.reach_ms >= 0
        right, wrong, missed = (c.flags & flag > 0 for flag in (r.FLAG_RIGHT, r.FLAG_WRONG, r.FLAG_MISSED))
        assert np.array_equal((right | missed)[heard], there[heard])
        near_in(right[heard & there].astype(float), float(one.sensitivity[0]))
        near_in(wrong[heard & ~there].astype(float), 1 - float(one.specificity[0]))


def test_sessions_delays_and_people():
    world = bot_world(0.5, 0.0)._replace(behaviour=plain_behaviour(return_median_ms=7.2e7, return_sigma=1.1))
    drawn = d.draw(world, 1, 0)
    near_in(drawn.rows.bot_ms + 0.5, 60_000.0)
    delay = np.log((drawn.rows.return_ms + 0.5) / 7.2e7) / 1.1
    is_distributed(delay[drawn.rows.return_ms < w.NEVER], "norm")
    near_in((drawn.rows.redial_ms < 600_000).astype(float), world.behaviour.redial_soon)
    assert drawn.rows.redial_ms.max() < 3_600_000
    people = plain_world(agents=4000)
    groups = people.groups._replace(
        speed_cv=np.array([0.15]), absorption=np.array([2.0]), absorption_sd=np.array([0.2])
    )
    found = d.draw_people(people._replace(groups=groups), 1, 0)
    near_in(found.speed, 1.0)
    near_in((found.speed - 1) ** 2, 0.15**2)
    near_in(found.absorption, 2.0)


def test_each_segment_meets_its_own_bot():
    """From the file to the draws: one segment's exceptions, and the other's numbers left alone."""
    own = {"offered": 0.6, "contained": 0.3, "false": 0.4, "session_s": 40, "asks": 0.35, "hangs_up": 0.1}
    sets = {f"types__service__automation__by_segment__business__{key}": value for key, value in own.items()}
    scenario, world = everything(
        what_if__volume=9, types__service__natural="[contained]", behaviour__false_slope=0, **sets
    )
    drawn = d.draw(world, 1, 0)
    rows, needs = drawn.rows, drawn.needs
    first = (needs.type[rows.need] == 0) & (rows.attempt == 0)
    plain = {"offered": 0.9, "contained": 0.5, "false": 0.15, "session_s": 90, "asks": 0.15, "hangs_up": 0.05}
    for segment, bot in enumerate((plain, own)):
        mine = first & (needs.segment[rows.need] == segment)
        met = mine & (rows.fate != d.NO_BOT)
        near_in((rows.fate[mine] != d.NO_BOT).astype(float), bot["offered"])
        stays = (1 - bot["asks"]) * (1 - bot["hangs_up"])
        ended = np.isin(rows.fate, (d.CONTAINED, d.CONTAINED_FALSELY))
        near_in((rows.fate[met] == d.HUNG_UP).astype(float), (1 - bot["asks"]) * bot["hangs_up"])
        near_in(ended[met].astype(float), stays * bot["contained"])
        near_in((rows.fate[met & ended] == d.CONTAINED_FALSELY).astype(float), bot["false"])
        near_in(rows.bot_ms[met & ended] / 1000, bot["session_s"])
    other = needs.type[rows.need] == 1
    assert not np.array_equal(world.bot.asks[0], world.bot.asks[1])
    near_in((rows.fate[other & (rows.attempt == 0)] != d.NO_BOT).astype(float), 0.5)
    assert scenario.types["service"].automation.of("household") is scenario.types["service"].automation


def test_one_share_of_containment_moves_only_bots_that_contain_anybody():
    """A segment that alone is contained moves; one whose bot only greets does not."""
    for level, own, moved in ((0.5, 0.0, [True, False]), (0.0, 0.3, [False, True])):
        sets = {
            "types__service__automation__contained": level,
            "types__service__automation__by_segment__business__contained": own,
            "types__service__natural": "[contained]",
        }
        before, after = (
            everything(**sets, what_if__contained=c)[1].bot.containment[0] for c in ("null", 0.6)
        )
        assert (before != after).tolist() == moved
        assert after[moved] == pytest.approx(0.6)


# --- closed forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("queue", cases.QUEUES, ids=lambda q: q.name)
def test_long_runs_against_closed_forms(queue):
    ours = cases.long_run(queue, 600_000 if FAST else 100_000)
    exact = cases.closed_form(queue)
    check([cases.Row(queue.name, key, cases.Answer(value, 0), ours[key]) for key, value in exact.items()])
    load = queue.per_hour * queue.service_s / 3600
    if math.isfinite(queue.patience_s):
        # P(abandon) = E[wait] / E[patience]; E[busy] = load (1 - P(abandon))
        left, waited, busy = ours["abandoned"], ours["wait over patience"], ours["busy agents"]
        assert abs(left.mean - waited.mean) <= Z * math.hypot(left.se, waited.se)
        assert abs(busy.mean - load * (1 - left.mean)) <= Z * math.hypot(busy.se, load * left.se)
    else:
        assert abs(ours["busy agents"].mean - load) <= Z * ours["busy agents"].se


def test_patience_like_handling_makes_the_number_in_system_poisson():
    agents, load, days = 10, 12.0, 40
    world = plain_world(
        arrivals_per_hour=120, talk_s=360, patience_s=360, agents=agents, days=days, open_hours=(0.0, 24.0)
    )
    _, records = simulate_once(world, 1, 0, ENGINE)
    c = records.contacts
    answered = c.outcome == r.ANSWERED
    leaves = c.end_ms + np.where(answered, c.talk_ms, 0)
    known = (c.outcome == r.ANSWERED) | (c.outcome == r.ABANDONED)
    # ten handle times apart, what is in the system is as good as independent
    at = np.arange(3_600_000, (days - 1) * w.DAY_MS, 3_600_000)
    inside = np.searchsorted(np.sort(c.reach_ms[known]), at, side="right")
    inside = inside - np.searchsorted(np.sort(leaves[known]), at, side="right")
    near_in(inside.astype(float), load)
    near_in((inside - load) ** 2, load)
    assert stats.chisquare(*_binned(inside, load)).pvalue > 1e-4


# --- what automation leaves to people ---------------------------------------------------------------------


def residual(c: float, rho_c: float, rho_h: float, cv: float) -> float:
    """E[talk | not contained] / m = Phi(rho_c rho_h sigma - Phi^-1(c)) / (1 - c), lognormal talk."""
    sigma = math.sqrt(math.log(1 + cv * cv))
    return float(ndtr(rho_c * rho_h * sigma - ndtri(c))) / (1 - c)


@pytest.mark.parametrize(
    ("c", "rho_c", "rho_h"),
    [(0.1, 0.5, 0.5), (0.58, 0.5, 0.5), (0.58, 0.6, 0.6), (0.9, 0.4, 0.8), (0.3, 0, 0.5)],
)
def test_residual_difficulty(c, rho_c, rho_h):
    exact = residual(c, rho_c, rho_h, 0.9)
    assert residual_handle_ratio(c, w.LOGNORMAL, 0.9, rho_c, rho_h) == pytest.approx(exact, rel=2e-4)
    drawn = d.draw(bot_world(c, rho_c, rho_h), 2, 0)
    near_in(drawn.rows.talk_unit, 1.0)
    near_in(drawn.rows.talk_unit[drawn.rows.fate == d.HANDED_OVER], exact)


def test_residual_difficulty_reaches_people():
    """Handled talk itself, from the records; and the two points that the model states."""
    world = w.frozen(bot_world(0.58, 0.5, per_hour=1500, days=3))
    _, records = simulate_once(world, 1, 0, ENGINE)
    c = records.contacts
    answered = c.outcome == r.ANSWERED
    near_in(c.talk_ms[answered] / 120_000, residual(0.58, 0.5, 0.5, 0.9))
    assert residual(0.58, 0.5, 0.5, 1.1) == pytest.approx(1.21, abs=0.02)
    assert residual(0.58, 0.6, 0.6, 1.1) == pytest.approx(1.30, abs=0.02)


def test_residual_talk_grows_with_containment():
    curve = [residual_handle_ratio(c, w.LOGNORMAL, 1.1, 0.5, 0.5) for c in np.linspace(0, 0.95, 20)]
    assert curve[0] == pytest.approx(1, abs=1e-6)
    assert np.all(np.diff(curve) > 0)


# --- more agents ------------------------------------------------------------------------------------------


def test_one_more_agent_never_raises_abandonment_noticeably():
    lens = Lens(np.array([20_000.0]))
    before = None
    for agents in range(7, 16):
        world = plain_world(arrivals_per_hour=200, talk_s=180, patience_s=120, agents=agents, days=5)
        sums = overall(replicate(world, lens, 6, engine=ENGINE).customers)
        gone = sums["abandoned"] / sums["queued"]
        if before is not None:
            assert np.all(gone <= before + 0.002)
            assert gone.mean() <= before.mean()
        before = gone


# --- a centre in which everything happens -----------------------------------------------------------------


def full_roster(scenario: Scenario) -> Roster:
    """Shifts, Monday to Saturday, with lunch, a paid break, work off the phone and decompression."""
    shifts = []
    for day in range(scenario.horizon.days):
        if day % 7 == 6:
            continue
        for group, (weekday, saturday) in enumerate(((13, 6), (6, 3))):
            for person in range(saturday if day % 7 == 5 else weekday):
                start = 480 + 30 * (person % 4)
                activities = (
                    Activity(60 + 15 * (person % 3), 30, "offline", True),
                    Activity(150, 15, "break", True),
                    Activity(200 + 15 * (person % 4), 30, "lunch", False),
                    Activity(400, 15, "decompression" if group else "break", True),
                )
                shifts.append(RosteredShift(group, person, day, start, 510, activities))
    return Roster(tuple(shifts), {})


def everything(policy: str = "as_is", **sets: object) -> tuple[Scenario, w.World]:
    """The scenario `everything`, with some values set, under a policy."""
    assigned = [f"{key.replace('__', '.')}={value}" for key, value in sets.items()]
    scenario = read(cases.CASES / "everything.yaml", Scenario, sets=assigned).value
    return scenario, compile_world(scenario, first_guess(scenario), policy, full_roster(scenario))


POLICIES = ("as_is", "hurried", "patient")
CASES = (*POLICIES, "cut off")


@pytest.fixture(scope="module")
def runs():
    """One replication of every policy, and of a window that cuts journeys off."""
    result = {}
    for name in CASES:
        cut_off = {"horizon__follow_up_days": 0} if name == "cut off" else {}
        scenario, world = everything("patient" if cut_off else name, **cut_off)
        drawn, records = simulate_once(world, 1, 0, ENGINE)
        result[name] = world, drawn, records, totals(world, drawn, records, lens_of(scenario))
    return result


ENDS = ("contained", "hung_up", "answered", "abandoned", "turned_away", "closed", "in_system")


@pytest.mark.parametrize("name", CASES)
def test_every_contact_offered_ends_in_one_way(runs, name):
    sums = runs[name][3].customers
    assert np.array_equal(sums["contacts"], sum(sums[end] for end in ENDS))
    assert np.array_equal(sums["needs"], sum(sums[f"ended_{end}"] for end in (
        "sorted_heard", "sorted", "warm", "cold", "unserved", "open",
    )))  # fmt: skip


def test_everything_happens(runs):
    """The identities are worth something only where each of their parts is there."""
    happened = {
        name: overall({k: v[None] for k, v in run[3].customers.items()}) for name, run in runs.items()
    }
    for part in (*ENDS, "falsely_contained", "handed_over", "returns", "redials", "escalations"):
        if part not in ("closed", "in_system"):
            assert happened["as_is"][part][0] > 0, part
    assert happened["as_is"]["called_back"][0] > 0
    assert happened["hurried"]["passed_on"][0] > 0
    assert happened["hurried"]["refused"][0] > 0
    assert happened["patient"]["flags_right"][0] * happened["patient"]["flags_wrong"][0] > 0
    assert happened["cut off"]["in_system"][0] + happened["cut off"]["ended_open"][0] > 0
    people = runs["patient"][3].people
    for part in (
        "talk",
        "acw",
        "idle",
        "rest",
        "break",
        "lunch",
        "offline",
        "unpaid",
        "absence",
        "recovery_due",
    ):
        assert people[f"{part}_min"].sum() > 0, part
    assert people["decompression_min"][1] > 0


@pytest.mark.parametrize("name", POLICIES)
def test_paid_minutes_are_the_sum_of_their_parts(runs, name):
    world, _, records, sums = runs[name]
    p = {key.removesuffix("_min"): value for key, value in sums.people.items()}
    paid_breaks = p["break"] + p["lunch"] - p["unpaid"]
    parts = (
        p["talk"]
        + p["acw"]
        + p["idle"]
        + p["rest"]
        + p["decompression"]
        + paid_breaks
        + p["offline"]
        + p["absence"]
    )
    assert p["paid"] == pytest.approx(parts, rel=1e-12)
    # the same shift by shift: whoever was there was doing one thing at a time
    s = records.spells
    doing = (
        s.talk_ms
        + s.acw_ms
        + s.idle_ms
        + s.rest_ms
        + s.break_ms
        + s.lunch_ms
        + s.offline_ms
        + s.decompression_ms
    )
    done = s.off_ms < world.clock.stop_ms
    assert np.array_equal((s.off_ms - s.on_ms)[done], doing[done])
    # eight paid hours in each shift of eight and a half
    staffing = world.staffing
    here = (staffing.start_ms >= world.clock.start_ms) & (staffing.start_ms < world.clock.end_ms)
    assert p["rostered"].sum() == pytest.approx(480 * here.sum())


@pytest.mark.parametrize("name", POLICIES)
def test_handling_is_counted_alike_for_customers_and_people(runs, name):
    world, _, records, sums = runs[name]
    c, s = records.contacts, records.spells
    answered = c.outcome == r.ANSWERED
    assert c.talk_ms[answered].sum() == s.talk_ms.sum()
    assert c.acw_ms[answered].sum() == s.acw_ms.sum()
    assert answered.sum() == s.contacts.sum()
    busy = sums.service["busy_min"].sum()
    ends = c.end_ms + c.talk_ms + c.acw_ms
    start, stop = world.clock.start_ms, world.clock.end_ms
    inside = np.clip(ends, start, stop) - np.clip(c.end_ms, start, stop)
    assert busy == pytest.approx(inside[answered].sum() / 60_000, rel=1e-9)


def test_anonymous_people_are_paid_for_their_hours_and_for_finishing():
    scenario, world = cases.load_case("mmcab")
    _, records = simulate_once(world, 1, 0, ENGINE)
    s = records.spells
    assert len(s.agent) == 12 * scenario.horizon.days
    close = world.clock.close_ms[s.on_ms // w.DAY_MS]
    over = np.maximum(s.off_ms - close, 0)
    assert np.array_equal(np.minimum(s.off_ms, close) - s.on_ms, np.full(len(s.agent), 8 * w.HOUR_MS))
    assert 0 < over.sum() < 12 * scenario.horizon.days * 10 * w.MINUTE_MS
    assert np.array_equal(s.off_ms - s.on_ms, s.talk_ms + s.acw_ms + s.idle_ms)


# --- worlds that differ minimally -------------------------------------------------------------------------


def by_key(world: w.World, seed: int = 1, replication: int = 0) -> dict[int, tuple]:
    """Every need by its identity, with what is drawn once for it; births count from the horizon's start."""
    needs = d.draw_needs(world, seed, replication)
    columns = needs._replace(
        day=needs.day - world.clock.warm_days, birth_ms=needs.birth_ms - world.clock.start_ms
    )
    return {row[-1]: row[:-1] for row in zip(*(column.tolist() for column in columns), strict=True)}


def test_growth_adds_needs_and_moves_none():
    few, many = by_key(everything()[1]), by_key(everything(what_if__volume=1.05)[1])
    assert few.items() <= many.items()
    added = len(many) - len(few)
    assert abs(added - 0.05 * len(few)) <= Z * math.sqrt(0.05 * len(few))


def test_other_days_leave_a_day_alone():
    """Another warm-up, follow-up or length of the horizon changes no need of a day that both simulate."""
    scenario, world = everything(horizon__warm_up_days=3, horizon__follow_up_days=2)
    base = by_key(world)
    for sets in (
        {"horizon__warm_up_days": 9, "horizon__follow_up_days": 2},
        {"horizon__warm_up_days": 3, "horizon__follow_up_days": 11},
        {"horizon__warm_up_days": 3, "horizon__follow_up_days": 2, "horizon__days": 14},
    ):
        other = by_key(everything(**sets)[1])
        # events belong to the horizon, so only its days are common to all
        for day in range(scenario.horizon.days):
            mine = {key: need for key, need in base.items() if need[4] == day}
            assert bool(mine) == (day != 6)
            assert mine == {key: need for key, need in other.items() if need[4] == day}


def row_of(drawn: d.Draws) -> dict[tuple[int, int], int]:
    """The row of each need's each attempt."""
    return {
        pair: i
        for i, pair in enumerate(zip(drawn.rows.need.tolist(), drawn.rows.attempt.tolist(), strict=True))
    }


def test_policies_meet_the_same_customers():
    drawn = [d.draw(everything(policy)[1], 1, 0) for policy in POLICIES]
    for other in drawn[1:]:
        for a, b in zip(drawn[0].needs, other.needs, strict=True):
            assert np.array_equal(a, b)
        attempts = [row_of(x) for x in (drawn[0], other)]
        both = sorted(attempts[0].keys() & attempts[1].keys())
        assert len(both) >= len(drawn[0].needs.type)
        mine, theirs = ([rows[key] for key in both] for rows in attempts)
        for column in (
            "talk_unit",
            "acw_unit",
            "patience_unit",
            "heard",
            "resolved",
            "returns",
            "return_ms",
            "button",
        ):
            assert np.array_equal(getattr(drawn[0].rows, column)[mine], getattr(other.rows, column)[theirs])


def test_more_containment_only_moves_contacts_to_the_bot():
    less, more = (d.draw(everything(what_if__contained=c)[1], 1, 0) for c in (0.3, 0.45))
    inside = [np.isin(x.rows.fate, (d.CONTAINED, d.CONTAINED_FALSELY)) for x in (less, more)]
    assert np.all(inside[0] <= inside[1])
    assert inside[1].sum() > inside[0].sum()
    moved = inside[0] != inside[1]
    assert np.all(less.rows.fate[moved] == d.HANDED_OVER)
    assert np.array_equal(less.rows.fate[~moved], more.rows.fate[~moved])


def test_another_type_leaves_the_others_alone():
    _, world = everything()
    keep = [0, 2]
    fewer = world._replace(
        demand=world.demand._replace(
            **{
                name: getattr(world.demand, name)[keep]
                for name in ("expected", "segment_share", "keyword", "intensity_shift", "id_of_type")
            }
        ),
        types=w.Types(*(column[keep] for column in world.types)),
        bot=world.bot._replace(
            **{
                name: column[keep]
                for name, column in world.bot._asdict().items()
                if np.ndim(column) and not name.startswith("outage")
            }
        ),
    )
    all_three, two = by_key(world), by_key(fewer)
    renamed = {0: 0, 2: 1}
    assert two == {
        key: (renamed[need[0]], *need[1:]) for key, need in all_three.items() if need[0] in renamed
    }


# --- the same again ---------------------------------------------------------------------------------------


def same(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_same_seed_twice_and_another_seed():
    _, world = everything("patient", horizon__follow_up_days=1, horizon__warm_up_days=0)
    first, second, other = (simulate_once(world, seed, 3, ENGINE)[1] for seed in (1, 1, 2))
    assert same(first.contacts, second.contacts)
    assert same(first.spells, second.spells)
    assert len(first.contacts.outcome) != len(other.contacts.outcome)


def test_serial_is_parallel():
    scenario, world = everything("patient", horizon__follow_up_days=1, horizon__warm_up_days=0)
    serial = replicate(world, lens_of(scenario), 4, engine=ENGINE)
    with ThreadPoolExecutor(3) as pool:
        parallel = replicate(world, lens_of(scenario), 4, engine=ENGINE, executor=pool)
    backwards = replicate(world, lens_of(scenario), [3, 2, 1, 0], engine=ENGINE)
    for part in ("customers", "people", "service", "single"):
        for name, value in getattr(serial, part).items():
            assert np.array_equal(value, getattr(parallel, part)[name]), name
            assert np.array_equal(value, getattr(backwards, part)[name][::-1]), name


@pytest.mark.parametrize("policy", POLICIES)
def test_engine_is_engine(policy):
    if not FAST:
        pytest.skip("there is one engine only")
    _, world = everything(policy, horizon__follow_up_days=2, horizon__warm_up_days=1)
    drawn = d.draw(world, 5, 0)
    from sim import kernel, model

    one, other = kernel.simulate(world, drawn), model.simulate(world, drawn)
    assert same(one.contacts, other.contacts)
    assert same(one.spells, other.spells)
    assert np.array_equal(one.absent, other.absent)


@pytest.mark.parametrize("policy", ["as_is", "patient"])
def test_a_follow_up_twice_as_long_moves_no_measure_beyond_its_interval(policy):
    scenario, world = everything(policy)
    _, longer = everything(policy, horizon__follow_up_days=2 * world.clock.follow_days)
    lens = lens_of(scenario)
    sums = [replicate(x, lens, 6, engine=ENGINE) for x in (world, longer)]
    # nothing that happens afterwards changes what happened in the horizon
    for name, value in sums[0].service.items():
        assert np.array_equal(value, sums[1].service[name]), name
    short, double = (summary(x) for x in sums)
    # journeys still open shrink, of course: what is open must be little
    assert short["still_open"].mean < 0.01
    for name, measure in short.items():
        if name != "still_open" and not np.isnan(measure.mean):
            assert measure.low <= double[name].mean <= measure.high, name
