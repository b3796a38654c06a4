"""Closed forms for one queue in steady state, and the load that drives it through the day.

Erlang B and C; Erlang A, the M/M/n+M queue with exponential patience (Palm 1957; Garnett, Mandelbaum &
Reiman 2002; in the integral form of Mandelbaum & Zeltyn 2007); the fewest agents that meet a target; and the
offered load that lags demand (Eick, Massey & Whitt 1993). Times in seconds, rates per second, loads in
Erlangs, shares in [0, 1]. A number that does not exist (the mean wait in an overloaded Erlang C, the speed
of answer where nobody is answered) is None: never infinite, never negative.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Measure = Literal["g0", "g1", "g2", "g3", "p_wait", "mean_wait", "speed_of_answer", "p_abandon", "occupancy"]

_MEASURES: tuple[str, ...] = get_args(Measure)
_LEVELS = ("g0", "g1", "g2", "g3")
_TIMES = ("mean_wait", "speed_of_answer")
# A density is followed down to exp(-50) of its peak: well under double precision of the total.
_CUT = 50.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_UNIT = 1.0 + _NODES
_MAX_AGENTS = 1_000_000


class ServiceLevels(NamedTuple):
    """The four service levels in use, as shares.

    g0: answered in time / answered; g1: answered in time / (answered + abandoned after the threshold);
    g2: (answered or abandoned in time) / offered; g3: answered in time / offered.
    Where a denominator is nothing at all (no agent, so nobody is answered) the level is 0.
    """

    g0: float
    g1: float
    g2: float
    g3: float


class ErlangC(NamedTuple):
    """Steady state of M/M/n, where nobody abandons (so the four service levels are one).

    Overload, load >= agents, has no steady state: everyone waits, the service levels are 0, the occupancy
    is 1, and the waits and the queue length are None.
    """

    p_wait: float
    mean_wait_s: float | None
    """Over all customers, those answered at once included."""
    speed_of_answer_s: float | None
    """The mean wait of the served: here the same number."""
    service_level: ServiceLevels
    p_abandon: float
    occupancy: float
    queue_length: float | None
    """Mean number waiting."""


class ErlangA(NamedTuple):
    """Steady state of M/M/n+M, which exists at any load."""

    p_wait: float
    mean_wait_s: float
    """Time in queue over all customers, until answered or gone."""
    speed_of_answer_s: float | None
    """The mean wait of the served; None where nobody is served."""
    service_level: ServiceLevels
    p_abandon: float
    occupancy: float
    queue_length: float
    """Mean number waiting."""


def erlang_b(n: int, load: float) -> float:
    """Return the probability that all `n` servers are busy in a loss system offered `load` Erlangs.

    The recursion 1/B(k) = 1 + (k / load) / B(k - 1), unrolled: every term is positive, so nothing cancels.

    Raises ValueError if `n` or `load` is negative or not finite.
    """
    _check_agents(n)
    _check("load", load, zero=True)
    if n == 0:
        return 1.0
    if load == 0.0:
        return 0.0
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        inverse = 1.0 + float(np.cumprod(np.arange(n, 0, -1) / load).sum())
    return 1.0 / inverse


def erlang_c(n: int, load: float) -> float:
    """Return the probability of waiting in M/M/n offered `load` Erlangs; 1 in overload (load >= n).

    C = B / (1 - (load / n) (1 - B)). Raises ValueError if `n` or `load` is negative or not finite.
    """
    b = erlang_b(n, load)
    if load >= n:
        return 1.0
    # (n - load) + load b rather than n - load (1 - b): both parts are positive
    return n * b / ((n - load) + load * b)


def queue_c(n: int, arrivals_per_s: float, service_s: float, within_s: float) -> ErlangC:
    """Return the steady state of `n` agents without abandonment (Erlang C).

    `service_s` is the mean handle time (exponential), `within_s` the acceptable wait. `ErlangC` says what
    overload returns. Raises ValueError for `n` < 0, negative or non-finite rates and times, `service_s` = 0.
    """
    _check("arrivals_per_s", arrivals_per_s, zero=True)
    _check("service_s", service_s)
    _check("within_s", within_s, zero=True)
    load = arrivals_per_s * service_s
    p_wait = erlang_c(n, load)
    if load >= n:
        return ErlangC(1.0, None, None, ServiceLevels(0.0, 0.0, 0.0, 0.0), 0.0, 1.0 if n else 0.0, None)
    mean_wait_s = p_wait * service_s / (n - load)
    level = 1.0 - p_wait * math.exp(-(n - load) * within_s / service_s)
    levels = ServiceLevels(level, level, level, level)
    return ErlangC(p_wait, mean_wait_s, mean_wait_s, levels, 0.0, load / n, arrivals_per_s * mean_wait_s)


def queue_a(n: int, arrivals_per_s: float, service_s: float, patience_s: float, within_s: float) -> ErlangA:
    """Return the steady state of `n` agents with abandonment (Erlang A, M/M/n+M).

    `service_s` and `patience_s` are means of exponentials, `within_s` the acceptable wait. Without arrivals
    it is what a lone customer would meet. Exact at any load: sums over the density of the offered wait,
    proportional to exp(arrivals (1 - exp(-x / patience)) patience - n x / service), all of positive terms.

    Raises ValueError for `n` < 0, negative or non-finite rates and times, and a service or patience of 0.
    """
    _check_queue_a(n, arrivals_per_s, service_s, patience_s)
    _check("within_s", within_s, zero=True)
    left = -math.expm1(-within_s / patience_s)
    if n == 0:
        waiting = arrivals_per_s * patience_s
        return ErlangA(1.0, patience_s, None, ServiceLevels(0.0, 0.0, left, 0.0), 1.0, 0.0, waiting)
    wait = _offered_wait(n, arrivals_per_s, service_s, patience_s, within_s)
    x, p, k = wait.at_s, wait.p, wait.n_in_time
    gone = -np.expm1(x / -patience_s)
    served = p * np.exp(x / -patience_s)
    answered_in_time = wait.p_none + float(served[:k].sum())
    p_served = answered_in_time + float(served[k:].sum())
    p_abandon = min(1.0, float(p @ gone))  # rounding must not carry a share past 1
    beyond = float(p[k:].sum())
    lost_in_time = float(p[:k] @ gone[:k]) + left * beyond
    still_waiting = (1.0 - left) * beyond

    mean_wait_s = p_abandon * patience_s
    levels = ServiceLevels(
        min(1.0, answered_in_time / p_served),
        answered_in_time / ((answered_in_time + still_waiting) or 1.0),
        min(1.0, answered_in_time + lost_in_time),
        answered_in_time,
    )
    return ErlangA(
        p_wait=wait.p_some,
        mean_wait_s=mean_wait_s,
        speed_of_answer_s=float(served @ x) / p_served,
        service_level=levels,
        p_abandon=p_abandon,
        occupancy=min(1.0, arrivals_per_s * service_s / n * p_served),
        queue_length=arrivals_per_s * mean_wait_s,
    )


def wait_quantile_c(q: float, n: int, arrivals_per_s: float, service_s: float) -> float:
    """Return the wait in seconds that a share `q` of all customers does not exceed in Erlang C.

    Raises ValueError unless 0 <= q < 1, and in overload, where there is no such wait.
    """
    _check_share("q", q, zero=True)
    _check("arrivals_per_s", arrivals_per_s, zero=True)
    _check("service_s", service_s)
    load = arrivals_per_s * service_s
    p_wait = erlang_c(n, load)
    if load >= n:
        raise ValueError(f"{n} agents cannot carry {load:g} Erlangs without abandonment: waits grow for ever")
    if p_wait <= 1.0 - q:
        return 0.0
    return math.log(p_wait / (1.0 - q)) * service_s / (n - load)


def wait_quantile_a(
    q: float, n: int, arrivals_per_s: float, service_s: float, patience_s: float, *, served: bool = False
) -> float | None:
    """Return the wait in seconds that a share `q` of customers does not exceed in Erlang A.

    Of all customers, until answered or gone; or of the `served` alone, None where nobody is served.
    Raises ValueError unless 0 <= q < 1, and as `queue_a`.
    """
    _check_share("q", q, zero=True)

    def within(wait_s: float) -> float:
        levels = queue_a(n, arrivals_per_s, service_s, patience_s, wait_s).service_level
        return levels.g0 if served else levels.g2

    _check_queue_a(n, arrivals_per_s, service_s, patience_s)
    if n == 0:
        return None if served else -math.log1p(-q) * patience_s
    if within(0.0) >= q:
        return 0.0
    high = patience_s
    for _ in range(64):
        if within(high) >= q:
            break
        high *= 2.0
    return _bisect(lambda wait_s: within(wait_s) - q, 0.0, high)


def agents_for(
    arrivals_per_s: float,
    service_s: float,
    *,
    measure: Measure,
    target: float,
    patience_s: float | None = None,
    within_s: float = 20.0,
) -> int:
    """Return the smallest number of agents that meets a target: Erlang A, or C where `patience_s` is None.

    `measure` is a service level (`g0` to `g3`, at least `target` within `within_s`), or a ceiling: `p_wait`,
    `mean_wait` and `speed_of_answer` (seconds), `p_abandon`, `occupancy`. All improve with each agent, so a
    bracket grown from the load and then halved finds the answer. To let the requirement lag demand, pass
    `lagged_load(...) / service_s` as the arrivals. No arrivals need no agent; any arrivals need one at least.

    Raises ValueError for an unknown measure, a target that no number of agents meets or any number would
    (shares must lie strictly between 0 and 1, waits above 0), and as `queue_a`.
    """
    if measure not in _MEASURES:
        raise ValueError(f"measure must be one of {', '.join(_MEASURES)}, not {measure!r}")
    if measure in _TIMES:
        _check("target", target)
    else:
        _check_share("target", target)
    _check("arrivals_per_s", arrivals_per_s, zero=True)
    _check("service_s", service_s)
    _check("within_s", within_s, zero=True)
    if patience_s is not None:
        _check("patience_s", patience_s)
    if arrivals_per_s == 0.0:
        return 0

    def met(n: int) -> bool:
        return _meets(n, arrivals_per_s, service_s, patience_s, within_s, measure, target)

    load = arrivals_per_s * service_s
    if load > _MAX_AGENTS:
        raise ValueError(f"a load of {load:g} Erlangs is beyond the {_MAX_AGENTS} agents that are searched")
    guess, step = math.ceil(load), math.ceil(math.sqrt(load) / 2)
    if met(guess):
        high, low = guess, guess - step
        while low >= 1 and met(low):
            high, step = low, 2 * step
            low = high - step
        low = max(low, 0)
    else:
        low, high = guess, guess + step
        while not met(high):
            low, step = high, 2 * step
            high = low + step
            if high > 2 * _MAX_AGENTS:
                raise ValueError(f"no number of agents meets {measure} {target:g}")
    while high - low > 1:
        middle = (low + high) // 2
        if met(middle):
            high = middle
        else:
            low = middle
    return high


def lagged_load(
    rates_per_s: ArrayLike, interval_s: float, service_s: float, *, cyclic: bool = False
) -> NDArray[np.float64]:
    """Return the mean offered load in Erlangs of each interval: demand, delayed by the work in hand.

    `rates_per_s` has shape (n_intervals,), an arrival rate held constant through each interval of
    `interval_s`; the result has the same shape. The load is the mean number in an infinite-server system with
    exponential service, m' = rate - m / service, integrated exactly and averaged over the interval; from
    empty, or `cyclic`: the pattern repeats for ever (Eick, Massey & Whitt 1993). Divided by `service_s` it is
    the rate to staff for.

    Raises ValueError for a shape that is not one-dimensional, negative or non-finite rates, or times <= 0.
    """
    rates = np.asarray(rates_per_s, dtype=np.float64)
    if rates.ndim != 1:
        raise ValueError(f"rates_per_s must have one dimension, not {rates.ndim}")
    if not np.isfinite(rates).all() or (rates < 0.0).any():
        raise ValueError("rates_per_s must be finite and not negative")
    _check("interval_s", interval_s)
    _check("service_s", service_s)
    ratio = interval_s / service_s
    kept, lost = math.exp(-ratio), -math.expm1(-ratio)
    mean_kept = lost / ratio
    # 1 - (1 - exp(-r)) / r is the series r/2 - r²/6 + ... where r is small and the subtraction would cancel
    mean_built = 1.0 - mean_kept if ratio > 1e-3 else ratio / 2 * (1.0 - ratio / 3 * (1.0 - ratio / 4))
    targets: list[float] = (rates * service_s).tolist()

    in_system = 0.0
    if cyclic:
        for target in targets:
            in_system = in_system * kept + target * lost
        if targets:
            in_system /= -math.expm1(-ratio * len(targets))
    loads = np.empty(len(targets))
    for i, target in enumerate(targets):
        loads[i] = target * mean_built + in_system * mean_kept
        in_system = in_system * kept + target * lost
    return loads


class _OfferedWait(NamedTuple):
    """How long a customer of endless patience would wait: an atom at 0, and a density as points."""

    p_none: float
    p_some: float
    at_s: NDArray[np.float64]
    p: NDArray[np.float64]
    n_in_time: int
    """How many of the points, which rise, lie within the acceptable wait."""


def _offered_wait(
    n: int, arrivals_per_s: float, service_s: float, patience_s: float, within_s: float
) -> _OfferedWait:
    drain = n / service_s
    # The exponent is concave with its peak where arrivals that stay balance the drain, or at 0. Measured from
    # the peak it is rate (1 - exp(-z / patience)) patience - drain z: exact however large the exponent.
    peak_s, log_peak, rate = 0.0, 0.0, arrivals_per_s
    if arrivals_per_s > drain:
        peak_s, rate = patience_s * math.log(arrivals_per_s / drain), drain
        log_peak = (arrivals_per_s - drain) * patience_s - drain * peak_s
    first_s, last_s = _support(peak_s, rate, drain, patience_s)

    if within_s <= first_s or within_s >= last_s:
        x, width = _panels(first_s, last_s, patience_s)
        n_in_time = len(x) if within_s >= last_s else 0
    else:
        x, width = _panels(first_s, within_s, patience_s)
        n_in_time = len(x)
        x_beyond, width_beyond = _panels(within_s, last_s, patience_s)
        x, width = np.concatenate((x, x_beyond)), np.concatenate((width, width_beyond))

    z = x - peak_s
    blocked = erlang_b(n - 1, arrivals_per_s * service_s)
    density = np.exp(np.expm1(z / -patience_s) * (-rate * patience_s) - drain * z)
    mass = (blocked * arrivals_per_s) * width * density
    some, none = float(mass.sum()), math.exp(-log_peak)
    total = none + some
    return _OfferedWait(none / total, some / total, x, mass / total, n_in_time)


def _panels(start: float, end: float, finest: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Gauss-Legendre points and weights: one panel, or panels that double in length from `start`.

    `finest` is the time over which patience changes by a factor of e, near the start; beyond it the density
    can have a far longer tail, when handling takes much longer than patience.
    """
    length = (end - start) / (12.0 * finest)
    if length <= 1.0:
        half = 0.5 * (end - start)
        return half * _UNIT + start, half * _WEIGHTS
    halvings = np.arange(math.ceil(math.log2(length)), -1, -1)
    edges = start + (end - start) * np.concatenate(([0.0], 0.5**halvings))
    half_widths = 0.5 * np.diff(edges)[:, None]
    return (edges[:-1, None] + half_widths * _UNIT).ravel(), (half_widths * _WEIGHTS).ravel()


def _support(peak_s: float, rate: float, drain: float, patience_s: float) -> tuple[float, float]:
    """Return where the log density has fallen by `_CUT` or more from its peak, on either side, from 0 on."""
    # right: Newton from beyond the root of a convex function stays beyond it
    right = (_CUT + rate * patience_s) / drain
    for _ in range(40):
        stays = math.exp(-right / patience_s)
        miss = drain * right - rate * patience_s * (1.0 - stays) - _CUT
        step = miss / (drain - rate * stays)
        right -= step
        if step < 0.05 * right:
            break
    if peak_s == 0.0:
        return 0.0, right
    # left, in units of patience: c (exp(u) - 1 - u) = cut, approached from above
    c = drain * patience_s
    u = math.sqrt(2.0 * _CUT / c)
    for _ in range(8):
        u = math.log1p(_CUT / c + u)
    return max(0.0, peak_s - u * patience_s), peak_s + right


def _meets(
    n: int,
    arrivals_per_s: float,
    service_s: float,
    patience_s: float | None,
    within_s: float,
    measure: Measure,
    target: float,
) -> bool:
    queue: ErlangA | ErlangC
    if patience_s is None:
        if arrivals_per_s * service_s >= n:
            return False
        queue = queue_c(n, arrivals_per_s, service_s, within_s)
    else:
        queue = queue_a(n, arrivals_per_s, service_s, patience_s, within_s)
    if measure in _LEVELS:
        level: float = getattr(queue.service_level, measure)
        return level >= target
    value: float | None = getattr(queue, f"{measure}_s" if measure in _TIMES else measure)
    return value is not None and value <= target


def _bisect(rising: Callable[[float], float], low: float, high: float) -> float:
    """Return the root of a rising function between `low` and `high`, to double precision."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if rising(middle) < 0.0:
            low = middle
        else:
            high = middle
    return high


def _check(name: str, value: float, *, zero: bool = False) -> None:
    if not math.isfinite(value) or value < 0.0 or (value == 0.0 and not zero):
        raise ValueError(f"{name} must be {'at least' if zero else 'above'} 0 and finite, not {value!r}")


def _check_share(name: str, value: float, *, zero: bool = False) -> None:
    if not (0.0 < value < 1.0 or (zero and value == 0.0)):
        raise ValueError(f"{name} must lie between 0 and 1, not {value!r}")


def _check_agents(n: int) -> None:
    if n < 0:
        raise ValueError(f"the number of agents must be at least 0, not {n!r}")


def _check_queue_a(n: int, arrivals_per_s: float, service_s: float, patience_s: float) -> None:
    _check_agents(n)
    _check("arrivals_per_s", arrivals_per_s, zero=True)
    _check("service_s", service_s)
    _check("patience_s", patience_s)
