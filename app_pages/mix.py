"""Mix: what is left for people as automation contains more."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app_pages import residual, show, state
from planner import evidence, mix, report
from planner.scenario.schema import Scenario

Rows = list[dict[str, Any]]
TINTS = ("#2f7f7a", "#b8683a", "#6d62a5", "#a98a2d", "#8a4f6d", "#4c78a8", "#7c9a4e", "#77838a")

scenario: Scenario | None = st.session_state.get("asked")
if scenario is None:
    st.info("Choose a scenario on the left.")
    st.stop()


def tints(titles: list[str]) -> alt.Scale:
    """A colour for each type, dark for all together."""
    types = [t for t in titles if t != residual.TOGETHER]
    return alt.Scale(
        domain=titles,
        range=["#24302f" if t == residual.TOGETHER else TINTS[types.index(t) % len(TINTS)] for t in titles],
    )


@st.cache_data(max_entries=16, show_spinner="Working out what automation leaves over")
def computed(scenario: Scenario) -> tuple[Rows, Rows, Rows, dict[str, float]]:
    """The curve, today's types, the share of intense contacts by containment, and that of today."""
    levels = [float(v) for v in np.linspace(0, 0.9, 19)]
    return (
        mix.curve(scenario),
        residual.today(scenario),
        residual.intense_left(scenario, levels),
        residual.intense_today(scenario),
    )


try:
    curve, today, intense, shares = computed(scenario)
except Exception as error:
    st.error("\n".join(f"- {show.safe(line)}" for line in state.told(error)))
    st.stop()
row = evidence.table()["talk_loading"]
half = min(curve, key=lambda r: abs(r["containment"] - 0.6))
st.markdown(
    f"**Automation takes the easy contacts first: with {show.share(half['containment'], 0)} contained, what is left for people takes"
    f" {show.share(half['default'] - 1, 0)} longer each ({100 * (half['low'] - 1):.0f} to {show.share(half['high'] - 1, 0)}"
    " over the range of the evidence), so work falls by less than contacts do.**"
)
st.caption(
    f"{show.safe(scenario.title or scenario.name)}, types weighted by volume. The band is what nobody has measured: how strongly the bot"
    f" takes the easier contacts, and how much longer harder ones take. On a scale from 0, not at all, to 1, entirely, both go from"
    f" {row.low:g} to {row.high:g} (grade {row.grade} on the Evidence page)."
)

st.subheader("Talk of a contact left for people, against no automation")
y = alt.Y("default:Q", title="Change in mean talk", axis=alt.Axis(format="+%"), scale=alt.Scale(zero=True))
x = alt.X(
    "containment:Q",
    title="Share of a type's contacts contained",
    axis=alt.Axis(format="%"),
    scale=alt.Scale(domain=[0, 0.9], nice=False),
)
frame = pd.DataFrame(
    [{"containment": r["containment"], **{k: r[k] - 1 for k in ("default", "low", "high")}} for r in curve]
)
band = (
    alt.Chart(frame)
    .mark_area(color="#2f7f7a", opacity=0.16)
    .encode(x=x, y=alt.Y("low:Q", title="Change in mean talk"), y2="high:Q")
)
line = alt.Chart(frame).mark_line(color="#2f7f7a", strokeWidth=2.5).encode(
    x=x, y=y, tooltip=[alt.Tooltip(f"{k}:Q", format=".0%") for k in ("containment", "default", "low", "high")],
)  # fmt: skip
layers: list[alt.Chart] = [band, line]
if today:
    points = pd.DataFrame([{**r, "change": r["ratio"] - 1} for r in today])
    layers.append(
        alt.Chart(points).mark_point(filled=True, size=110, opacity=1).encode(
            x=alt.X("share:Q"), y=alt.Y("change:Q"),
            color=alt.Color("title:N", sort=None, legend=show.legend(3), scale=tints([r["title"] for r in today])),
            tooltip=["title:N", alt.Tooltip("share:Q", format=".0%", title="Contained"), alt.Tooltip("change:Q", format="+.1%", title="Change in talk")],
        )
    )  # fmt: skip
words = "; ".join(
    f"{100 * r['containment']:.0f} % contained: {100 * (r['default'] - 1):+.0f} % ({100 * (r['low'] - 1):+.0f} to {100 * (r['high'] - 1):+.0f})"
    for r in curve[::2]
)
show.draw(
    alt.layer(*layers).properties(height=430),
    f"Change in mean talk of contacts left for people as containment rises. {words}",
    key="curve",
)
if today:
    st.caption(
        "Dots: today's types. They lie below the curve where some callers are never offered the bot, ask for a person, or hang up: those are not chosen by how easy they are."
    )
    show.table(
        [
            {
                "Type": r['title'], "Offered to the bot": show.share(r['offered'], 0), "Contained, of its sessions": show.share(r['contained'], 0),
                "Contained, of all contacts": show.share(r['share'], 0), "Talk of those left": report.relative(r["ratio"] - 1),
            }
            for r in today
        ],
        "Today's containment by type and what it does to talk",
    )  # fmt: skip

if intense:
    st.subheader("Emotionally intense contacts among those left")
    order = list(dict.fromkeys(r["title"] for r in intense))
    by_type = {title: [r["intense"] for r in intense if r["title"] == title] for title in order}
    now = shares["now"]
    without, types = shares["without"], shares["types"]
    st.markdown(
        f"Of what reaches people today, {show.share(now)} is emotionally intense; without automation it would be {show.share(without)}."
        f" Of the difference, {100 * (types - without):+.1f} points come from which types are automated and {100 * (now - types):+.1f} from"
        " which contacts of a type the bot takes."
    )
    chart = alt.Chart(pd.DataFrame(intense)).mark_line(strokeWidth=2.2).encode(
        x=alt.X("contained:Q", title="Containment of the bot's sessions", axis=alt.Axis(format="%")),
        y=alt.Y("intense:Q", title="Intense, of those left", axis=alt.Axis(format="%"), scale=alt.Scale(zero=True)),
        color=alt.Color("title:N", sort=order, legend=show.legend(3), scale=tints(order)),
        strokeDash=alt.condition(f"datum.title == '{residual.TOGETHER}'", alt.value([6, 3]), alt.value([1, 0])),
        tooltip=["title:N", alt.Tooltip("contained:Q", format=".0%"), alt.Tooltip("intense:Q", format=".1%")],
    )  # fmt: skip
    words = "; ".join(
        f"{title}: from {100 * line[0]:.0f} to {100 * line[-1]:.0f} %" for title, line in by_type.items()
    )
    show.draw(
        chart.properties(height=400),
        f"Share of intense contacts among those left, by containment. {words}",
        key="intense",
    )
    st.caption(
        "Worked out without simulating, before anybody gets tired; a line ends where no more can be contained, for the others ask for a person"
        " or hang up. All types together: every bot contains that much."
    )
