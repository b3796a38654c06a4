"""Time and memory against contacts a day and against agents, and a chart of both: python -m benchmarks.scaling.

A week of the insurer's kind of centre: a bot, returns and redials, load; so many contacts a day, and so many agents
that they are as busy everywhere. Linear is a straight line of slope one on the chart's logarithmic axes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine import insurer, peak_of
from benchmarks.measure import cpu, table
from sim import kernel
from sim.measures import Lens
from sim.plain import anonymous_staffing
from sim.replicate import simulated, totals_of
from sim.world import World, frozen

CHART = Path(__file__).parent.parent / "docs" / "scaling.svg"
PER_DAY = (1_000, 3_000, 10_000, 30_000, 100_000)
AGENTS = (20, 60, 200, 600, 2_000)
PER_AGENT = 50
"""Contacts a day to an agent, where the number of contacts follows the agents."""


def run(quick: bool = False) -> dict[str, Any]:
    """Seconds and MB of one replication of each size."""
    world, lens = insurer(True)
    kernel.warm_up(lambda _: None)
    days, agents = (PER_DAY[:2], AGENTS[:2]) if quick else (PER_DAY, AGENTS)
    return {
        "contacts_a_day": [_point(world, lens, n, n // PER_AGENT) for n in days],
        "agents": [_point(world, lens, n * PER_AGENT, n) for n in agents],
    }


def _point(world: World, lens: Lens, per_day: int, agents: int) -> dict[str, float]:
    sized = of_size(world, per_day, agents)
    _, written = simulated(sized, 1, [0])
    offered = int(np.count_nonzero(written.outcome))
    seconds, _ = cpu(lambda: totals_of(sized, lens, 1, [0]), 3)
    return {
        "contacts_a_day": round(offered / sized.clock.n_days),
        "agents": agents,
        "contacts": offered,
        "seconds": round(seconds, 4),
        "contacts_per_s": round(offered / seconds),
        "memory_mb": peak_of(sized, lens, 1) or 0.0,
    }


def of_size(world: World, per_day: int, agents: int) -> World:
    """The same world with about so many contacts a day, and so many agents on duty while people answer."""
    clock, demand = world.clock, world.demand
    first = demand.expected.sum() / clock.n_days
    n_groups, n_intervals = len(world.groups.specialist), demand.expected.shape[2]
    at = np.arange(n_intervals) * clock.interval_ms
    answers = np.zeros((clock.n_days, n_intervals), np.bool_)
    for day, (opens, closes) in enumerate(zip(clock.open_ms.tolist(), clock.close_ms.tolist(), strict=True)):
        now = day * 86_400_000 + at
        answers[day] = (opens <= now) & (now < closes)
    share = np.full(n_groups, agents // n_groups) + (np.arange(n_groups) < agents % n_groups)
    duty = answers[None] * np.maximum(1, share)[:, None, None]
    return frozen(  # type: ignore[no-any-return]
        world._replace(
            demand=demand._replace(expected=demand.expected * (per_day / first)),
            staffing=anonymous_staffing(clock, duty),
        )
    )


def told(result: dict[str, Any]) -> str:
    """The figures as a table."""
    rows = [
        [f"{p['contacts_a_day']:,}", f"{p['agents']:,}", f"{p['seconds']:.3f}", f"{p['contacts_per_s']:,}", f"{p['memory_mb']:.0f}"]
        for name in ("contacts_a_day", "agents")
        for p in result[name]
    ]  # fmt: skip
    return table(
        "One replication of each size", ["contacts a day", "agents", "seconds", "contacts/s", "MB"], rows
    )


def chart(result: dict[str, Any]) -> str:
    """Time and memory of `contacts_a_day` and `agents` as an SVG, logarithmic both ways, with lines of slope one."""
    panels = [
        ("contacts a day", "contacts_a_day", "seconds", "seconds a replication"),
        ("contacts a day", "contacts_a_day", "memory_mb", "MB a replication"),
        ("agents", "agents", "seconds", "seconds a replication"),
        ("agents", "agents", "memory_mb", "MB a replication"),
    ]
    wide, high = 250, 200
    parts = [
        _panel(result[key], key, value, f"{title}, by {by}", 10 + (wide + 40) * i, wide, high)
        for i, (by, key, value, title) in enumerate(panels)
    ]
    text = (
        "Time and memory of one replication against contacts a day and against agents, on logarithmic axes. "
        "The points lie along the thin lines of slope one."
    )
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {(wide + 40) * 4} {high + 60}" role="img" font-family="sans-serif" font-size="11">',
        f"<title>{text}</title>", '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n",
    ])  # fmt: skip


def _panel(
    points: list[dict[str, float]], key: str, value: str, title: str, left: int, wide: int, high: int
) -> str:
    x = np.log10([p[key] for p in points])
    y = np.log10([max(p[value], 1e-4) for p in points])
    low_x, high_x = np.floor(x.min()), np.ceil(x.max())
    low_y, high_y = np.floor(y.min()), np.ceil(y.max())

    def at(a: float, b: float) -> tuple[float, float]:
        across = left + 45 + (wide - 45) * (a - low_x) / (high_x - low_x)
        return round(float(across), 1), round(float(30 + high * (high_y - b) / (high_y - low_y)), 1)

    x0, y0 = at(low_x, low_y)
    x1, y1 = at(high_x, high_y)
    parts = [
        f'<text x="{x0}" y="18" font-weight="bold">{title}</text>',
        f'<rect x="{x0}" y="{y1}" width="{x1 - x0:.1f}" height="{y0 - y1:.1f}" fill="none" stroke="#999"/>',
    ]
    parts += [
        f'<text x="{at(a, low_y)[0]}" y="{y0 + 15}" text-anchor="middle">{10**a:,}</text>'
        for a in range(int(low_x), int(high_x) + 1)
    ]
    parts += [
        f'<text x="{x0 - 4}" y="{at(low_x, b)[1] + 4}" text-anchor="end">{10.0**b:g}</text>'
        for b in range(int(low_y), int(high_y) + 1)
    ]
    # Slope one through the last point, as far as it lies inside.
    reach = min(x[-1] - low_x, y[-1] - low_y)
    (ax, ay), (bx, by) = at(x[-1] - reach, y[-1] - reach), at(x[-1], y[-1])
    parts.append(f'<line x1="{ax}" y1="{ay}" x2="{bx}" y2="{by}" stroke="#bbb" stroke-dasharray="4 3"/>')
    parts += [
        f'<circle cx="{at(a, b)[0]}" cy="{at(a, b)[1]}" r="4" fill="#1f6f8b"/>'
        for a, b in zip(x, y, strict=True)
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    measured = run()
    CHART.write_text(chart(measured), encoding="utf-8")
    print(told(measured))
