"""What is left for people as automation contains more, by type: length and intensity of the contacts.

With difficulty z ~ N(0, 1), a contact of a bot's type reaches people with the weight that the bot leaves at z; the
intense are those with logit(intensity) = m + s (rho z + sqrt(1 - rho^2) e) above the cut.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtr

from planner.anchor import first_guess, observed_base
from planner.natural import mean_talk_reaching, reach_weights
from planner.scenario import compile as c
from planner.scenario.schema import Scenario

TOGETHER = "All types together"
_X, _W = np.polynomial.hermite_e.hermegauss(81)
_W = _W / _W.sum()


def today(scenario: Scenario) -> list[dict[str, Any]]:
    """Each type's containment today and what it has done to the talk of those who reach people."""
    base = observed_base(scenario)
    rows = []
    for name, kind in base.types.items():
        bot = kind.automation
        if not bot.contains:
            continue
        asks, hangs = _leaks(base, name)
        weights = _weights(base, name, bot.contained)
        family = c.FAMILY[kind.handle.family]
        ratio = mean_talk_reaching(
            weights,
            family,
            c.talk_cv(base, kind.handle.cv, kind.handle.family),
            c.talk_loading(base, kind.handle.family),
        )
        rows.append({
            "type": name, "title": kind.title or name, "offered": bot.offered, "contained": bot.contained,
            "share": bot.offered * bot.contained, "ratio": ratio, "asks": asks, "hangs": hangs,
        })  # fmt: skip
    return rows


def intense_left(scenario: Scenario, levels: list[float]) -> list[dict[str, Any]]:
    """Share of intense contacts among those that reach people, by type and containment of its sessions.

    For all types together, each bot contains that much, or the most that it can.
    """
    base, shares = observed_base(scenario), _intense(scenario)
    bots = [name for name, kind in base.types.items() if kind.automation.contains]
    rows = []
    for name in bots:
        for contained in levels:
            if contained < _most(base, name):
                reach, hot = _left(base, name, contained, shares[name])
                rows.append(
                    {"title": base.types[name].title or name, "contained": contained, "intense": hot / reach}
                )
    most = max((_most(base, name) for name in bots), default=0.0) if len(base.types) > 1 else 0.0
    together = [(v, _together(base, shares, dict.fromkeys(bots, v))) for v in levels if v < most]
    rows += [{"title": TOGETHER, "contained": v, "intense": share} for v, share in together]
    return rows


def intense_today(scenario: Scenario) -> dict[str, float]:
    """Share of intense contacts among all that reach people: today, if bots took any contact of a type, and without bots."""
    base, shares = observed_base(scenario), _intense(scenario)
    return {
        "now": _together(
            base, shares, {name: kind.automation.contained for name, kind in base.types.items()}
        ),
        "types": _together(
            base, shares, {name: kind.automation.contained for name, kind in base.types.items()}, chosen=False
        ),
        "without": _together(base, shares, None),
    }


def _intense(scenario: Scenario) -> dict[str, Any]:
    """The chance of being intense at each node of z, by type."""
    base = observed_base(scenario)
    natural = first_guess(base)
    spread, above = base.coefficient("intensity_spread"), base.coefficient("intense_above")
    cut = math.log(above / (1 - above)) if 0 < above < 1 else 0.0
    found = {}
    for t, name in enumerate(base.types):
        rho, centre = float(natural.intensity_loading[t]), float(natural.intensity_mean[t])
        found[name] = ndtr((centre + spread * rho * _X - cut) / (spread * math.sqrt(1 - rho * rho)))
    return found


def _left(scenario: Scenario, name: str, contained: float | None, intense: Any) -> tuple[float, float]:
    """The share of a type's contacts that reach people, and that of the intense ones; None is no automation."""
    weights = _W if contained is None else _W * _weights(scenario, name, contained)
    return float(weights.sum()), float((weights * intense).sum())


def _together(
    scenario: Scenario, shares: dict[str, Any], contained: dict[str, float] | None, *, chosen: bool = True
) -> float:
    reach = hot = 0.0
    for name, kind in scenario.types.items():
        level = None if contained is None or not kind.automation.contains else contained.get(name)
        a, b = _left(scenario, name, level, shares[name])
        if not chosen:
            b = a * float((_W * shares[name]).sum())
        reach, hot = reach + kind.offered_per_week * a, hot + kind.offered_per_week * b
    return hot / reach if reach else 0.0


def _leaks(scenario: Scenario, name: str) -> tuple[float, float]:
    bot, policy = scenario.types[name].automation, scenario.policies["as_is"]
    asks = scenario.coefficient("asks_for_person") if bot.asks is None else bot.asks
    hangs = scenario.coefficient("hang_up") if bot.hangs_up is None else bot.hangs_up
    return (asks if policy.early_way_out is not False else 0.0), hangs


def _most(scenario: Scenario, name: str) -> float:
    asks, hangs = _leaks(scenario, name)
    return (1 - asks) * (1 - hangs)


def _weights(scenario: Scenario, name: str, contained: float) -> Any:
    """The chance of reaching people at each node of z, where the log's containment is so much."""
    asks, hangs = _leaks(scenario, name)
    inner = min(contained / _most(scenario, name), 0.999)
    one = np.ones(1)
    offered = scenario.types[name].automation.offered
    return reach_weights(
        one * offered, one * inner, one, asks, hangs, scenario.coefficient("containment_loading")
    )
