"""Charts of a roster, each with its words: cover and gaps, who does what when, emotional work, fairness, shortfalls, reliefs.

Made from a roster's document. Emotional work is told of all people together; a person's bars say what is planned, not how it felt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt
import pandas as pd

from app_pages import show
from planner.words import clock

Json = dict[str, Any]
DAY_MIN = 1440
TOGETHER = "Everybody asked for, together"
SHORT, NEUTRAL, OVER, INK = "#b8683a", "#f2efe8", "#2f7f7a", "#24302f"
ON_QUEUE = ("On the queue", "#8fbcb4")
QUEUES = {
    "all": ON_QUEUE,
    "routine": ("On routine queues only", "#bcd8d2"),
    "emotional": ("On emotional queues only", "#b8683a"),
}
"""What somebody on the queue takes, by the name of the post."""
PAUSES = {
    "decompression": ("Decompression", "#e9b93f"),
    "break": ("Break", "#d3cdc0"),
    "lunch": ("Lunch", "#a3adac"),
    "offline": ("Off the phone", "#aba4cf"),
}
ACTIVITIES = dict([*QUEUES.values(), *PAUSES.values()])
EXPOSED = {
    "day": "Minutes a day",
    "week": "Minutes a week",
    "longest_stretch": "Minutes in a day's longest stretch",
}
MOST_BARS = 12


def day_words(text: str) -> str:
    """A date as Mon 2 Mar."""
    day = date.fromisoformat(text)
    return f"{day:%a} {day.day} {day:%b}"


# --- cover ----------------------------------------------------------------------------------------------------------


def gaps(cover: Sequence[Json], dates: Sequence[str]) -> list[Json]:
    """Asked, short and over in each time of each day, summed over the rows of cover; times with nobody asked and nobody over are left out."""
    step = cover[0]["minutes"]
    per_day = DAY_MIN // step
    found = []
    for k in range(len(dates) * per_day):
        asked, short, over = (sum(row[name][k] for row in cover) for name in ("asked", "short", "over"))
        if asked or over:
            day, at = divmod(k, per_day)
            found.append({
                "day": day_words(dates[day]), "time": clock(at * step), "until": clock((at + 1) * step),
                "asked": asked, "short": short, "over": over, "gap": -short if short else over,
            })  # fmt: skip
    return found


def cover_map(cover: Sequence[Json], dates: Sequence[str], who: str) -> tuple[Any, str]:
    """Days down, the hours across: short in one colour, over in another."""
    rows = gaps(cover, dates)
    most = max((abs(row["gap"]) for row in rows), default=0) or 1
    times = sorted({row["time"] for row in rows})
    step = cover[0]["minutes"]
    first, last = (int(t[:2]) * 60 + int(t[3:]) for t in (times[0], times[-1]))
    slots = [clock(minute) for minute in range(first - first % 60, last + 1, step)]
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect()
        .encode(
            x=alt.X(
                "time:O", title=None, scale=alt.Scale(domain=slots),
                axis=alt.Axis(values=[slot for slot in slots if slot.endswith(":00")], labelAngle=0, labelAlign="left", labelOverlap=True),
            ),
            y=alt.Y("day:N", title=None, sort=[day_words(day) for day in dates], axis=alt.Axis(ticks=False, domain=False, labelOverlap=False, labelFlush=False)),
            color=alt.Color(
                "gap:Q", scale=alt.Scale(type="symlog", domain=[-most, 0, most], range=[SHORT, NEUTRAL, OVER]),
                legend=alt.Legend(title="People: below 0 short, above 0 over", titleLimit=320, orient="top", gradientLength=260, values=[-most, 0, most], format="d"),
            ),
            tooltip=[
                alt.Tooltip("day:N", title="Day"), alt.Tooltip("time:N", title="From"), alt.Tooltip("until:N", title="To"),
                alt.Tooltip("asked:Q", title="People asked for"), alt.Tooltip("short:Q", title="Short"), alt.Tooltip("over:Q", title="Over"),
            ],
        )
        .properties(height=80 + 30 * len({row["day"] for row in rows}))
    )  # fmt: skip
    return chart, f"Cover and gaps, {who}: {cover_words(rows, step)}"


def cover_words(rows: Sequence[Json], step: int) -> str:
    """A map in words: how much is short and over, and where it is worst."""
    asked, short, over = (sum(row[name] for row in rows) * step / 60 for name in ("asked", "short", "over"))
    told = f"of {asked:,.0f} hours asked for {short:,.1f} are short, and {over:,.1f} hours are over"
    worst = max(rows, key=lambda row: row["short"])
    if not worst["short"]:
        return f"{told}; nobody is missing at any time"
    return f"{told}; most are missing on {worst['day']} at {worst['time']}: {worst['short']:,} of {worst['asked']:,}"


# --- people ---------------------------------------------------------------------------------------------------------


def activities(work: Json) -> Iterator[tuple[str, int, int]]:
    """What somebody does in a shift: name, from and until, minutes after the midnight of its day."""
    at = work["start_min"]
    queues = [(q["start_min"], q["end_min"], q["name"]) for q in work.get("queues", ())]
    for pause in [*work["pauses"], {"start_min": work["end_min"], "end_min": work["end_min"], "kind": ""}]:
        if at < pause["start_min"]:
            post = next((name for start, end, name in queues if start <= at < end), "all")
            yield QUEUES.get(post, ON_QUEUE)[0], at, pause["start_min"]
        if pause["kind"]:
            yield PAUSES[pause["kind"]][0], pause["start_min"], pause["end_min"]
        at = pause["end_min"]


def on_day(work: Sequence[Json], day: int, group: str | None) -> dict[str, list[Json]]:
    """Bars of a day (from 1) by person, those who start first, first; what is left of the night before too."""
    found: dict[str, list[Json]] = {}
    for one in work:
        back = DAY_MIN * (day - one["day"])
        if back not in (0, DAY_MIN) or one["end_min"] <= back or group not in (None, one["group"]):
            continue
        for name, start, until in activities(one):
            if until > back:
                found.setdefault(one["person"], []).append({
                    "person": one["person"], "activity": name, "shift": one["shift"], "from": max(start - back, 0) / 60, "until": (until - back) / 60,
                    "at": f"{clock(max(start - back, 0))} to {clock(until - back)}",
                })  # fmt: skip
    return dict(sorted(found.items(), key=lambda item: (min(bar["from"] for bar in item[1]), item[0])))


def gantt(bars: Mapping[str, Sequence[Json]], when: str) -> tuple[Any, str]:
    """Who does what when: a line for each person, coloured by activity."""
    rows = [bar for person in bars.values() for bar in person]
    used = {row["activity"] for row in rows}
    names = [name for name in ACTIVITIES if name in used]
    hours = Counter[str]()
    for row in rows:
        hours[row["activity"]] += row["until"] - row["from"]
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(height={"band": 0.82})
        .encode(
            x=alt.X(
                "from:Q", title=None, scale=alt.Scale(nice=False, zero=False, domain=[min(r["from"] for r in rows) // 1, -(-max(r["until"] for r in rows) // 1)]),
                axis=alt.Axis(orient="top", tickMinStep=1, labelExpr="format(datum.value % 24, '02d') + ':00'"),
            ),
            x2="until:Q",
            y=alt.Y("person:N", sort=list(bars), title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=180, labelOverlap=False, labelFlush=False)),
            color=alt.Color(
                "activity:N", scale=alt.Scale(domain=names, range=[ACTIVITIES[name] for name in names]), legend=show.legend(7)
            ),
            tooltip=[
                alt.Tooltip("person:N", title="Person"), alt.Tooltip("activity:N", title="Activity"), alt.Tooltip("at:N", title="Time"),
                alt.Tooltip("shift:N", title="Shift"),
            ],
        )
        .properties(height=70 + 19 * len(bars))
    )  # fmt: skip
    told = ", ".join(f"{name.lower()} {hours[name]:,.1f} h" for name in names)
    return chart, f"Who does what when on {when}, {len(bars)} people: {told}"


# --- emotional work and fairness --------------------------------------------------------------------------------------


def exposure(name: str, row: Json) -> tuple[Any, str]:
    """How many minutes of emotional work there were, as simulated, with the limit as a line."""
    found, limit, unit = row["simulated"], row["limit_min"], "weeks" if name == "week" else "days worked"
    edges, counts = found["histogram"]["edges"], found["histogram"]["counts"]
    frame = pd.DataFrame(
        {"from": edges[:-1], "until": edges[1:], "share": [n / found["n"] for n in counts], "n": counts}
    )
    layers: list[Any] = [
        alt.Chart(frame)
        .mark_bar(color="#8fbcb4", binSpacing=1)
        .encode(
            x=alt.X("from:Q", bin="binned", title=EXPOSED[name], axis=alt.Axis(tickCount=6)),
            x2="until:Q",
            y=alt.Y("share:Q", title=f"Share of {unit}", axis=alt.Axis(format="%", tickCount=4)),
            tooltip=[
                alt.Tooltip("from:Q", format=".0f", title="From, min"), alt.Tooltip("until:Q", format=".0f", title="To, min"),
                alt.Tooltip("share:Q", format=".1%", title=f"Share of {unit}"),
            ],
        )
    ]  # fmt: skip
    told = f"{EXPOSED[name]}: half have less than {found['quantiles']['0.5']:,.0f}, 95 of 100 less than {found['quantiles']['0.95']:,.0f}"
    if limit is not None:
        line = pd.DataFrame({"limit": [limit], "text": [f"limit {limit:,} min"]})
        base = alt.Chart(line).encode(x="limit:Q")
        side = "right" if limit > 0.5 * max(edges[-1], limit) else "left"
        layers += [
            base.mark_rule(color=SHORT, strokeWidth=2, strokeDash=[5, 3]),
            base.mark_text(color=SHORT, align=side, dx=5 if side == "left" else -5, baseline="top").encode(
                text="text:N", y=alt.value(2)
            ),
        ]
        told += f"; {show.share(row['share_above_limit'])} above the limit of {limit:,}"
    return alt.layer(*layers).properties(height=210), told


def spread(row: Json, title: str) -> tuple[Any, str]:
    """How many people have how much."""
    frame = pd.DataFrame([{"value": f"{value:g}", "people": people} for value, people in row["counts"]])
    chart = (
        alt.Chart(frame)
        .mark_bar(color="#8fbcb4")
        .encode(
            x=alt.X("value:O", sort=None, title=title, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("people:Q", title="People", axis=alt.Axis(tickMinStep=1, tickCount=4, format="d")),
            tooltip=[alt.Tooltip("value:O", title=title), alt.Tooltip("people:Q", title="People")],
        )
        .properties(height=180)
    )
    told = ", ".join(f"{value:g}: {people}" for value, people in row["counts"])
    return chart, f"{title}, number of people with each: {told}"


# --- shortfalls and reliefs -------------------------------------------------------------------------------------------


def unmet(rows: Sequence[Json]) -> tuple[Any, str]:
    """The largest shortfalls, coloured by who is missing."""
    told = [
        {**{k: row[k] for k in ("skill", "hours", "people")}, "when": f"{day_words(row['date'])}, {row['time']}"}
        for row in rows[:MOST_BARS]
    ]  # fmt: skip
    skills = list(dict.fromkeys(row["skill"] for row in rows))
    scale = alt.Scale(
        domain=skills, range=[show.PALETTE[(k + 1) % len(show.PALETTE)] for k in range(len(skills))]
    )
    totals = Counter[str]()
    for row in told:
        totals[row["when"]] += row["hours"]
    chart = (
        alt.Chart(pd.DataFrame(told))
        .mark_bar(height={"band": 0.75})
        .encode(
            y=alt.Y("when:N", sort=[when for when, _ in totals.most_common()], title=None, axis=alt.Axis(ticks=False, domain=False, labelOverlap=False, labelFlush=False)),
            x=alt.X("hours:Q", title="Hours short", axis=alt.Axis(tickCount=8)),
            color=alt.Color("skill:N", scale=scale, legend=None if len(skills) == 1 else alt.Legend(title=None, orient="top", labelLimit=520, columns=1 if len(skills) > 3 else 3)),
            tooltip=[
                alt.Tooltip("when:N", title="When"), alt.Tooltip("skill:N", title="Who is missing"),
                alt.Tooltip("hours:Q", format=".1f", title="Hours short"), alt.Tooltip("people:Q", title="People, at most"),
            ],
        )
        .properties(height=70 + 22 * len(skills) * (len(skills) > 1) + 24 * len(totals))
    )  # fmt: skip
    words = "; ".join(f"{row['when']}, {row['skill']}: {row['hours']:.1f} h" for row in told)
    return chart, f"Hours short, the largest first. {words}"


def reliefs(rows: Sequence[Json], money: str) -> tuple[Any, str]:
    """What each relief saves; those with a clear effect in another colour."""
    told = [
        {
            "what": row["what"][:1].upper() + row["what"][1:], "saved": row["saved_hours"], "price": price_words(row, money),
            "effect": "Clear" if row["clear"] else "Not clear: saves too little, or breaks a rule",
        }
        for row in rows
    ]  # fmt: skip
    names = list(dict.fromkeys(sorted(row["effect"] for row in told)))
    colours = ["#2f7f7a" if name == "Clear" else "#c9c6bf" for name in names]
    chart = (
        alt.Chart(pd.DataFrame(told))
        .mark_bar(height={"band": 0.7})
        .encode(
            y=alt.Y("what:N", sort=[row["what"] for row in told], title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=430, labelOverlap=False, labelFlush=False)),
            x=alt.X("saved:Q", title="Hours short saved, over the period", axis=alt.Axis(tickCount=8)),
            color=alt.Color("effect:N", scale=alt.Scale(domain=names, range=colours), legend=show.legend(2)),
            tooltip=[
                alt.Tooltip("what:N", title="Relief"), alt.Tooltip("saved:Q", format=".1f", title="Hours short saved"),
                alt.Tooltip("price:N", title="An hour saved costs"),
            ],
        )
        .properties(height=90 + 26 * len(told))
    )  # fmt: skip
    words = "; ".join(f"{row['what']}: {row['saved']:.1f} h, {row['price']}" for row in told)
    return chart, f"Hours short that each relief saves. {words}"


def price_words(row: Json, money: str) -> str:
    """What an hour saved costs."""
    if row["saved_hours"] <= 0:
        return "-"
    once = f", {row['cost_once']:,.0f} {money} once" if row["cost_once"] else ""
    return f"{row['cost_per_week'] / row['saved_hours']:+,.0f} {money} a week{once}"
