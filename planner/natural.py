"""Natural values: what a planner's observed numbers come from, before bots select and people get tired.

Automation takes the easy contacts. One Gaussian factor does this: with difficulty z ~ N(0, 1),
P(contained | z) = Phi((Phi^-1(c) - rho_c z) / sqrt(1 - rho_c^2)) averages to c, and talk is
F^-1(Phi(rho_h z + sqrt(1 - rho_h^2) e)). What is left for people is longer. For lognormal talk with mean m and
log-sd sigma, E[talk | not contained] = m Phi(rho_c rho_h sigma - Phi^-1(c)) / (1 - c); here any family is done by
Gauss-Hermite quadrature over z and e.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from sim.draws import p_contained, unit_sample
from sim.world import Floats

_X, _W = np.polynomial.hermite_e.hermegauss(81)
_W = _W / _W.sum()
NOBODY = -30.0
"""Centre of the logit of intensity where nobody is upset at all: nothing is drawn then."""


class NaturalValues(NamedTuple):
    """The natural values of a scenario; T types, G groups."""

    needs_per_contact: Floats
    """(T,) needs that arise for each observed contact."""
    talk_factor: Floats
    """(T,) natural mean talk over the observed."""
    acw_factor: Floats
    """(T,) natural mean after-contact work over the observed."""
    resolved: Floats
    """(T,) base log-odds of resolving."""
    heard: Floats
    """(T,) base log-odds of being heard."""
    contained_shift: Floats
    """(T,) added to the probit of containment."""
    intensity_mean: Floats
    """(T,) centre of the logit of intensity."""
    intensity_loading: Floats
    """(T,) correlation of intensity with difficulty."""
    exhaustion: Floats
    """(G,) mean exhaustion at the start of a shift under as_is."""
    leaving_base: Floats
    """(G,) yearly hazard of leaving at that exhaustion."""
    handle_ms: Floats
    """(T, n) equally likely handle times under as_is, without pressure."""
    handled: Floats
    """(T,) answered contacts per horizon under as_is."""


def as_document(natural: NaturalValues) -> dict[str, Any]:
    """As plain lists, to keep them with a run."""
    return {name: values.tolist() for name, values in natural._asdict().items()}


def from_document(document: Mapping[str, Any]) -> NaturalValues:
    """The very values that were kept. Raises KeyError or ValueError where they are not whole."""
    return NaturalValues(*(np.array(document[name], np.float64) for name in NaturalValues._fields))


def talk_given_difficulty(family: int, cv: float, loading: float, z: Floats) -> Floats:
    """E[talk | z] as a multiple of the natural mean."""
    e = _X
    mixed = ndtr(loading * z[:, None] + math.sqrt(1 - loading * loading) * e[None, :])
    values = unit_sample(family, cv, np.clip(mixed, 1e-15, 1 - 1e-15))
    return values @ _W


def residual_handle_ratio(
    containment: float, family: int, cv: float, rho_containment: float, rho_talk: float
) -> float:
    """Mean talk of contacts that were not contained over the natural mean, for pure containment c < 1."""
    left = 1 - p_contained(np.full_like(_X, containment), np.full_like(_X, rho_containment), _X)
    talk = talk_given_difficulty(family, cv, rho_talk, _X)
    return float((_W * left * talk).sum() / (_W * left).sum())


def reach_weights(
    offered: Floats,
    containment: Floats,
    share: Floats,
    asks_out: Floats | float,
    hangs_up: Floats | float,
    rho: float,
) -> Floats:
    """Probability that a contact of difficulty z reaches people, at the quadrature's nodes, over the segments."""
    weights = np.zeros_like(_X)
    leaks = (np.broadcast_to(part, share.shape) for part in (asks_out, hangs_up))
    for off, c, part, out, hangs in zip(offered, containment, share, *leaks, strict=True):
        left = 1 - p_contained(np.full_like(_X, c), np.full_like(_X, rho), _X)
        through = out + (1 - out) * (1 - hangs) * left
        weights += part * (1 - off + off * through)
    return weights


def mean_talk_reaching(weights: Floats, family: int, cv: float, loading: float) -> float:
    """E[talk | reaches people] as a multiple of the natural mean."""
    talk = talk_given_difficulty(family, cv, loading, _X)
    return float((_W * weights * talk).sum() / (_W * weights).sum())


class UnreachableError(ValueError):
    """A ratio of intense to other handle times that no natural values can give."""

    def __init__(self, low: float, high: float, most_acw_share: float) -> None:
        """Say from where to where it can be, and with how much after-contact work at most it could be had."""
        least, most = f"{max(low, 1):.2f}", f"{max(high, 1):.2f}"
        reach = f"a ratio from {least} to {most}" if least != most else f"a ratio of {least}"
        super().__init__(f"must be {reach} with this spread of talk")
        self.low, self.high, self.most_acw_share = low, high, most_acw_share


def intensity_shape(
    weights: Floats,
    family: int,
    cv: float,
    talk_loading: float,
    spread: float,
    above: float,
    intense: float,
    ratio: float,
    acw_share: float,
    listening: float,
) -> tuple[float, float]:
    """Centre of the logit of intensity and its loading on difficulty.

    Such that `intense` of the contacts that reach people lie above `above`, and their handle time is `ratio` times
    the others' (`acw_share` of the mean handle time is after-contact work, alike for both; `listening` is the factor
    that intense contacts take longer by themselves). Raises UnreachableError where no loading gives the ratio.
    """
    if intense <= 0:
        return NOBODY, 0.0
    from scipy.optimize import brentq  # slow to import

    talk = talk_given_difficulty(family, cv, talk_loading, _X)
    weight = _W * weights / (_W * weights).sum()
    mean = float((weight * talk).sum())
    cut = math.log(above / (1 - above)) if 0 < above < 1 else 0.0

    def p_intense(centre: float, loading: float) -> Floats:
        z = (centre + spread * loading * _X - cut) / (spread * math.sqrt(1 - loading * loading))
        return np.asarray(ndtr(z), np.float64)

    def centre_for(loading: float) -> float:
        return float(brentq(lambda m: float((weight * p_intense(m, loading)).sum()) - intense, -60, 60))

    def talk_at(loading: float) -> tuple[float, float]:
        p = p_intense(centre_for(loading), loading)
        hot = float((weight * p * talk).sum() / (weight * p).sum()) / mean * listening
        calm = float((weight * (1 - p) * talk).sum() / (weight * (1 - p)).sum()) / mean
        return hot, calm

    def ratio_at(loading: float) -> float:
        hot, calm = talk_at(loading)
        return ((1 - acw_share) * hot + acw_share) / ((1 - acw_share) * calm + acw_share)

    if talk_loading == 0:
        return centre_for(0.0), 0.0
    most = 0.98
    low, high = ratio_at(-most), ratio_at(most)
    if not low <= ratio <= high:
        hot, calm = talk_at(most if ratio > high else -most)
        gained = (hot - ratio * calm) / (ratio - 1) if ratio != 1 else 0.0
        raise UnreachableError(low, high, gained / (1 + gained) if gained > 0 else 0.0)
    loading = float(brentq(lambda x: ratio_at(x) - ratio, -most, most, xtol=1e-6))
    return centre_for(loading), loading
