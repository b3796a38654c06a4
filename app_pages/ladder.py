"""Ladder: what each lever of a policy does alone, last in the bundle, and on average."""

from __future__ import annotations

from typing import Any

import altair as alt
import streamlit as st

from app_pages import show, state
from planner import report
from planner.words import money_of

shown = state.shown_or_stop()
document = shown.document
names = show.titles(document)
currency = document["currency"]
laddered = next((frame for frame in document["frames"] if frame["ladder"]), None)
ladders: dict[str, Any] = laddered["ladder"] if laddered else {}
quick = shown.record["options"].get("quick")
if laddered is None:
    st.info(
        "This run took no policy apart. Press Run on the left, or use `unhurried compare` without `--no-ladder`."
    )
    st.stop()
policies = list(ladders)
chosen = st.segmented_control(
    "Policy",
    policies,
    default=policies[0],
    required=True,
    key="bundle",
    bind="query-params",
    format_func=lambda p: names.get(p, p),
)
chosen = chosen if chosen in policies else policies[0]
SHORT = 42


def name_of(part: dict[str, Any]) -> str:
    """What a rung changes; the lever's own name where that takes too many words for a chart."""
    what = str(part["what"])
    return what if len(what) <= SHORT else show.lever(part["lever"])


parts = sorted(ladders[chosen], key=lambda part: part["average"]["cash_and_margin"])
by_lever = {name_of(part): part for part in parts}


def side(part: dict[str, Any]) -> int:
    """-1 where a lever saves cash and margin, 1 where it costs, alone, last and on average; 0 where the simulation cannot tell."""
    both = [part[way]["cash_and_margin"] for way in ("alone", "last", "average_interval")]
    if all((e["high"] or 0.0) < 0 for e in both):
        return -1
    return int(all((e["low"] or 0.0) > 0 for e in both))


def told(part: dict[str, Any], verb: str) -> str:
    """A lever's average on cash and margin, in words."""
    e = part["average_interval"]["cash_and_margin"]
    low, mean, high = sorted(abs(e[k] or 0.0) for k in ("low", "mean", "high"))
    say = money_of(currency, [high])
    name = str(part["what"])
    return f"“{name[0].lower()}{name[1:]}” {verb} most, {say(mean)} a year ({say(low, bare=True)} to {say(high, bare=True)})"


if by_lever:
    saving, costing = ([part for part in parts if side(part) == way] for way in (-1, 1))
    unsure = len(parts) - len(saving) - len(costing)
    said = [told(saving[0], "saves")] if saving else []
    said += [told(costing[-1], "costs")] if costing else []
    if said:
        text = f"Of the levers of {names[chosen]}, {' and '.join(said)}, on cash and margin"
        text += (
            f"; of {unsure} of {len(parts)} the simulation cannot tell whether they save or cost"
            if unsure
            else ""
        )
    else:
        text = (
            f"The simulation cannot tell of any lever of {names[chosen]} whether it saves or costs cash and margin:"
            " each has an interval that holds zero. More replications narrow them"
        )
    st.markdown(f"**{show.safe(text)}.**")
st.caption(
    f"Alone: the lever laid on {show.safe(names['as_is'])}. Last in the bundle: what is lost when it alone is taken out of the policy. Staffing is held; what the"
    " policy's own roster brings is shown as Roster. Parts need not add up to the whole, for levers work on each other. "
    + show.safe(report.own_costs(document, laddered, chosen))
    + (
        " In a quick run each lever rests on two simulated weeks: read the intervals with care."
        if quick
        else ""
    )
)

COLOURS = alt.Scale(
    domain=["Alone", "Last in the bundle", "Average"], range=["#a98a2d", "#6d62a5", "#24302f"]
)
CHARTS = {
    "cash": ("Cash, thousand {currency} a year", 1e-3),
    "cash_and_margin": ("Cash and margin lost, thousand {currency} a year", 1e-3),
    "first_contact_resolution": ("First-contact resolution, percentage points", 100.0),
}
extra = [m for m in next(iter(by_lever.values()))["alone"] if m not in CHARTS] if by_lever else []
for measure, (title, factor) in CHARTS.items():
    heading = title.format(currency=currency)
    rows: list[dict[str, Any]] = []
    for name, part in by_lever.items():
        for way, words in (
            ("alone", "Alone"),
            ("last", "Last in the bundle"),
            ("average_interval", "Average"),
        ):
            e = part[way][measure]
            rows.append(
                {
                    "measure": name,
                    "policy": words,
                    **{k: (e[k] or 0.0) * factor for k in ("mean", "low", "high")},
                }
            )
    if rows:
        st.subheader(heading)
        alt_text = "; ".join(
            f"{r['measure']}, {r['policy'].lower()}: {r['mean']:+.1f} ({r['low']:.1f} to {r['high']:.1f})"
            for r in rows
        )
        show.draw(
            show.intervals(rows, f"{heading}: change", COLOURS, ends=",.2f"),
            f"{heading} by lever. {alt_text}",
            key=f"ladder-{measure}",
        )

st.subheader("In numbers")
measure = st.selectbox(
    "Measure", [*CHARTS, *extra], format_func=show.label, key="rung", persist_state="session", width=360
)
unit = next(iter(by_lever.values()))["alone"][measure]["unit"] if by_lever else ""
rows = [
    {
        "What changes": part["what"],
        **{
            words: report.change(part[way][measure])
            for way, words in (("alone", "Alone"), ("last", "Last in the bundle"), ("average_interval", "Average"))
        },
    }
    for part in parts
]  # fmt: skip
show.table(rows, f"{show.label(measure)} by lever with 95 % intervals")
st.caption(
    f"{show.safe(show.label(measure))}{', ' + show.safe(unit) if not unit.startswith('share') else ', percentage points'}; 95 % intervals in brackets. {show.safe(report.meaning_of(measure))}"
)
if not rows:
    st.info("This policy differs from today in no lever.")
