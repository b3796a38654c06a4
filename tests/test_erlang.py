"""The closed forms by themselves: identities, an independent calculation, edges, errors."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from sim.erlang import (
    ErlangA,
    agents_for,
    erlang_b,
    erlang_c,
    lagged_load,
    queue_a,
    queue_c,
    wait_quantile_a,
    wait_quantile_c,
)

MEASURES = {"g0": 0.9, "g1": 0.85, "g2": 0.85, "g3": 0.8, "p_wait": 0.3, "mean_wait": 8.0}
MEASURES |= {"speed_of_answer": 10.0, "p_abandon": 0.03, "occupancy": 0.85}

# agents, arrivals/s, service s, patience s: small, critical, overloaded, large, patience far shorter and far
# longer than handling, one agent, hardly any work
QUEUES = [
    (12, 0.07, 120.0, 60.0),
    (50, 0.8, 60.0, 120.0),
    (50, 50 / 300, 300.0, 300.0),
    (8, 0.0556, 180.0, 120.0),
    (3000, 10.0, 300.0, 120.0),
    (3000, 12.0, 300.0, 900.0),
    (3000, 8.0, 300.0, 60.0),
    (400, 1.0, 600.0, 100000.0),
    (2, 0.01, 900.0, 5.0),
    (1, 0.05, 600.0, 10.0),
    (1, 1e-7, 300.0, 60.0),
]


def birth_death(
    n: int, arrivals: float, service: float, patience: float
) -> tuple[float, float, float, float]:
    """P(wait), P(abandon), mean number waiting and busy, by summing the Markov chain's states."""
    top = int(n + 40 * math.sqrt(arrivals * max(service, patience) + 40) + arrivals * patience + 200)
    k = np.arange(1, top + 1)
    down = np.minimum(k, n) / service + np.maximum(k - n, 0) / patience
    log_p = np.concatenate(([0.0], np.cumsum(np.log(arrivals) - np.log(down))))
    p = np.exp(log_p - special.logsumexp(log_p))
    number = np.arange(top + 1)
    waiting = float(p @ np.maximum(number - n, 0))
    busy = float(p @ np.minimum(number, n))
    return float(p[n:].sum()), waiting / patience / arrivals, waiting, busy


@pytest.mark.parametrize("queue", QUEUES)
def test_erlang_a_is_the_markov_chain(queue):
    n = queue[0]
    p_wait, p_abandon, waiting, busy = birth_death(*queue)
    found = queue_a(*queue, 20.0)
    assert found.p_wait == pytest.approx(p_wait, rel=1e-9)
    assert found.p_abandon == pytest.approx(p_abandon, rel=1e-9)
    assert found.queue_length == pytest.approx(waiting, rel=1e-9)
    assert found.occupancy == pytest.approx(busy / n, rel=1e-9)


@pytest.mark.parametrize("queue", [q for q in QUEUES if q[0] <= 50])
@pytest.mark.parametrize("within", [0.0, 1.0, 20.0, 300.0])
def test_erlang_a_service_levels_are_incomplete_gammas(queue, within):
    n, arrivals, service, patience = queue
    found = queue_a(*queue, within)
    c, y, left = n * patience / service, arrivals * patience, math.exp(-within / patience)

    def below(power: float) -> float:
        # the integral over waits up to `within` of exp(y (1 - u)) u ** power, where u = exp(-wait / patience)
        share = special.gammainc(power, y) - special.gammainc(power, y * left)
        return patience * share * math.exp(y - power * math.log(y) + special.gammaln(power))

    density = arrivals * erlang_b(n - 1, arrivals * service) * (1.0 - found.p_wait)
    answered = 1.0 - found.p_wait + density * below(c + 1.0)
    waited_longer = found.p_wait - density * below(c)
    assert found.service_level.g3 == pytest.approx(answered, rel=1e-8)
    assert found.service_level.g2 == pytest.approx(1.0 - waited_longer * left, rel=1e-8)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("within", [0.0, 1.0, 20.0, 300.0, 1e6])
def test_erlang_a_identities(queue, within):
    n, arrivals, service, patience = queue
    found = queue_a(*queue, within)
    load = arrivals * service
    assert found.p_abandon == pytest.approx(found.mean_wait_s / patience)
    assert found.occupancy * n == pytest.approx(load * (1 - found.p_abandon))
    assert found.queue_length == pytest.approx(arrivals * found.mean_wait_s)
    g0, g1, g2, g3 = found.service_level
    assert 0 <= g3 <= g1 * (1 + 1e-12) <= g0 * (1 + 2e-12) <= 1 + 1e-9
    assert g3 <= g2 <= 1 + 1e-9
    assert g0 * (1 - found.p_abandon) == pytest.approx(g3)
    lost_in_time = g2 - g3
    assert g1 * (1 - lost_in_time) == pytest.approx(g3)
    if within == 0.0:
        assert g3 == pytest.approx(1 - found.p_wait)


@given(load=st.floats(0.1, 2000), ratio=st.floats(0.3, 2.0))
@settings(max_examples=60, deadline=None)
def test_patience_equal_to_service_gives_a_poisson_number_in_system(load, ratio):
    n = max(1, round(load * ratio))
    assert queue_a(n, load, 1.0, 1.0, 0.1).p_wait == pytest.approx(stats.poisson.sf(n - 1, load), rel=1e-8)


@given(
    n=st.integers(1, 3000),
    ratio=st.floats(0.01, 20),
    service=st.floats(1, 1e4),
    patience=st.floats(0.1, 1e7),
    within=st.floats(0, 1e4),
)
@settings(max_examples=300, deadline=None)
def test_erlang_a_is_sane_everywhere_and_more_agents_never_hurt(n, ratio, service, patience, within):
    arrivals = ratio * n / service
    fewer = queue_a(n, arrivals, service, patience, within)
    more = queue_a(n + 1, arrivals, service, patience, within)
    for found in (fewer, more):
        shares = (found.p_wait, found.p_abandon, found.occupancy, *found.service_level)
        assert all(-1e-12 <= share <= 1 + 1e-9 for share in shares)
        assert math.isfinite(found.mean_wait_s)
        assert 0 <= found.speed_of_answer_s < math.inf
        p_answered = found.occupancy / (arrivals * service) * (n + (found is more))
        assert p_answered == pytest.approx(1 - found.p_abandon, abs=1e-9)
    assert more.p_wait <= fewer.p_wait + 1e-9
    assert more.p_abandon <= fewer.p_abandon + 1e-9
    assert more.occupancy <= fewer.occupancy + 1e-9
    assert more.speed_of_answer_s <= fewer.speed_of_answer_s * (1 + 1e-9)
    assert all(b >= a - 1e-9 for a, b in zip(fewer.service_level, more.service_level, strict=True))


@pytest.mark.parametrize(
    ("n", "load"), [(5000, 4900.0), (5000, 10.0), (5000, 50000.0), (1, 0.3), (5000, 5000.0)]
)
def test_erlang_b_is_the_recursion(n, load):
    b = 1.0
    for k in range(1, n + 1):
        b = load * b / (k + load * b)
    assert erlang_b(n, load) == pytest.approx(b, rel=1e-11, abs=1e-300)


def test_erlang_c_is_the_limit_of_erlang_a_as_patience_grows():
    c = queue_c(50, 0.8, 60.0, 20.0)
    a = queue_a(50, 0.8, 60.0, 1e10, 20.0)
    assert a.p_wait == pytest.approx(c.p_wait, rel=1e-5)
    assert a.speed_of_answer_s == pytest.approx(c.speed_of_answer_s, rel=1e-5)
    assert a.service_level == pytest.approx(c.service_level, rel=1e-5)


def test_an_overloaded_erlang_c_has_no_waits():
    found = queue_c(10, 0.1, 100.0, 20.0)
    assert erlang_c(10, 10.0) == erlang_c(10, 12.0) == found.p_wait == found.occupancy == 1.0
    assert found.mean_wait_s is found.speed_of_answer_s is found.queue_length is None
    assert found.service_level == (0.0, 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="without abandonment"):
        wait_quantile_c(0.5, 10, 0.12, 100.0)


def test_no_arrivals_and_no_agents():
    for found in (queue_a(3, 0.0, 100.0, 60.0, 20.0), queue_c(3, 0.0, 100.0, 20.0)):
        assert (found.p_wait, found.mean_wait_s, found.p_abandon, found.occupancy) == (0, 0, 0, 0)
        assert found.service_level == (1, 1, 1, 1)
    assert queue_a(1, 0.0, 100.0, 60.0, 20.0).p_wait == 0.0
    left = 1 - math.exp(-20 / 60)
    assert queue_a(0, 0.1, 100.0, 60.0, 20.0) == ErlangA(1, 60, None, (0, 0, left, 0), 1, 0, pytest.approx(6))
    assert queue_c(0, 0.1, 100.0, 20.0).occupancy == 0.0
    assert erlang_b(0, 3.0) == 1.0
    assert erlang_b(0, 0.0) == 1.0
    assert erlang_b(4, 0.0) == 0.0


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("q", [0.0, 0.5, 0.9, 0.999])
def test_a_wait_quantile_inverts_the_share_within_it(queue, q):
    everyone, served = wait_quantile_a(q, *queue), wait_quantile_a(q, *queue, served=True)
    levels = queue_a(*queue, everyone).service_level
    assert levels.g2 == pytest.approx(q, abs=1e-9) or (everyone == 0.0 and levels.g2 > q)
    levels = queue_a(*queue, served).service_level
    assert levels.g0 == pytest.approx(q, abs=1e-9) or (served == 0.0 and levels.g0 > q)


def test_wait_quantiles_without_agents_and_without_abandonment():
    assert wait_quantile_a(0.5, 0, 0.1, 60.0, 100.0) == pytest.approx(100 * math.log(2))
    assert wait_quantile_a(0.5, 0, 0.1, 60.0, 100.0, served=True) is None
    wait = wait_quantile_c(0.9, 50, 0.8, 60.0)
    assert queue_c(50, 0.8, 60.0, wait).service_level.g3 == pytest.approx(0.9)
    assert wait_quantile_c(0.2, 50, 0.8, 60.0) == 0.0


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("patience", [None, 30.0, 300.0])
@pytest.mark.parametrize("load", [0.01, 0.9, 7.0, 100.0, 1234.5])
def test_agents_for_is_the_smallest_number_that_meets_the_target(measure, patience, load):
    if measure == "p_abandon" and patience is None:
        pytest.skip("nobody abandons in Erlang C")
    target = MEASURES[measure]
    n = agents_for(load / 300, 300.0, measure=measure, target=target, patience_s=patience)

    def met(n: int) -> bool:
        if patience is None and n <= load:
            return False
        args = (n, load / 300, 300.0)
        found = queue_c(*args, 20.0) if patience is None else queue_a(*args, patience, 20.0)
        if measure.startswith("g"):
            return getattr(found.service_level, measure) >= target
        value = getattr(found, measure if hasattr(found, measure) else f"{measure}_s")
        return value is not None and value <= target

    assert n >= 1
    assert met(n)
    assert n == 1 or not met(n - 1)


def test_agents_for_needs_nobody_without_arrivals():
    assert agents_for(0.0, 300.0, measure="g3", target=0.8) == 0


def test_lagged_load_is_the_integral_of_its_equation():
    rates, interval, service = np.array([0.1, 0.5, 0.2, 0.0]), 900.0, 400.0
    loads = lagged_load(rates, interval, service)
    steps, m = 9000, 0.0
    h = interval / steps
    for rate, load in zip(rates, loads, strict=True):
        path = [m]
        for _ in range(steps):
            middle = m + h / 2 * (rate - m / service)
            m += h * (rate - middle / service)
            path.append(m)
        assert np.trapezoid(path, dx=h) / interval == pytest.approx(load, rel=1e-7)


def test_a_cyclic_load_repeats_and_conserves_work():
    rates = np.array([0.0, 0.0, 0.3, 0.9, 0.4, 0.1])
    cyclic = lagged_load(rates, 1800.0, 3000.0, cyclic=True)
    assert cyclic.mean() == pytest.approx(rates.mean() * 3000)
    assert lagged_load(np.tile(rates, 60), 1800.0, 3000.0)[-6:] == pytest.approx(cyclic)
    assert lagged_load(np.full(5, 0.2), 60.0, 300.0, cyclic=True) == pytest.approx(60.0)


@pytest.mark.parametrize("service", [1e-3, 1.0, 900.0, 9e5 * 0.9999, 9e5 * 1.0001, 1e9])
def test_lagged_load_at_any_ratio_of_interval_to_handling(service):
    loads = lagged_load([1.0], 900.0, service)
    ratio = 900.0 / service
    exact = special.hyp1f1(1, 3, -ratio) * 900.0 / 2  # service (1 - (1 - exp(-r)) / r), as a series
    assert loads[0] == pytest.approx(exact, rel=1e-9)
    assert lagged_load([0.7, 0.7], 900.0, service, cyclic=True) == pytest.approx(0.7 * service)


def test_lagged_load_follows_demand_later_the_longer_the_work():
    rates = 1 + np.sin(np.linspace(0, 2 * math.pi, 96, endpoint=False))
    peaks = [int(lagged_load(rates, 900.0, s, cyclic=True).argmax()) for s in (1.0, 1800.0, 7200.0, 14400.0)]
    assert peaks[0] == rates.argmax()
    assert all(later > sooner for sooner, later in pairwise(peaks))
    assert lagged_load([], 900.0, 300.0, cyclic=True).shape == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: erlang_b(-1, 1.0), "number of agents"),
        (lambda: erlang_b(1, -1.0), "load"),
        (lambda: erlang_c(1, math.inf), "load"),
        (lambda: queue_c(1, math.nan, 1.0, 1.0), "arrivals_per_s"),
        (lambda: queue_c(1, 1.0, 0.0, 1.0), "service_s"),
        (lambda: queue_a(1, 1.0, 1.0, 0.0, 1.0), "patience_s"),
        (lambda: queue_a(1, 1.0, 1.0, math.inf, 1.0), "patience_s"),
        (lambda: queue_a(1, 1.0, 1.0, 1.0, -1.0), "within_s"),
        (lambda: queue_a(-1, 1.0, 1.0, 1.0, 1.0), "number of agents"),
        (lambda: wait_quantile_a(1.0, 1, 1.0, 1.0, 1.0), "q must"),
        (lambda: agents_for(1.0, 1.0, measure="g4", target=0.8), "measure must be one of"),
        (lambda: agents_for(1.0, 1.0, measure="g3", target=1.0), "target"),
        (lambda: agents_for(1.0, 1.0, measure="mean_wait", target=0.0), "target"),
        (lambda: agents_for(1e7, 1.0, measure="g3", target=0.8), "beyond"),
        (lambda: agents_for(10.0, 1.0, measure="occupancy", target=1e-9), "no number of agents"),
        (lambda: lagged_load([[1.0]], 1.0, 1.0), "one dimension"),
        (lambda: lagged_load([-1.0], 1.0, 1.0), "not negative"),
        (lambda: lagged_load([1.0], 0.0, 1.0), "interval_s"),
    ],
)
def test_a_meaningless_question_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
