"""Evidence: every coefficient with default, range, grade and source; and how well today is met."""

from __future__ import annotations

import math

import streamlit as st

from app_pages import show, state
from planner import evidence, report
from planner.words import observed_words

MEANING = {
    "A": "experiment or meta-analysis",
    "B": "observed in operations",
    "C": "claimed or practised",
    "D": "assumed",
}
frame = evidence.as_frame()
counts = frame["grade"].value_counts()
doubted = int(counts.get("C", 0) + counts.get("D", 0))
st.markdown(
    f"**Of {len(frame)} coefficients, the figures behind the model, {len(frame) - doubted} rest on experiments or observation and {doubted} on claims or assumptions;"
    " the second kind has a range, and the sceptic's setting asks what remains if none of it has any effect.**"
)
scenario = st.session_state.get("asked")
own = dict(scenario.behaviour) if scenario is not None else {}

with st.container(horizontal=True, vertical_alignment="top"):
    grades = st.pills(
        "Grade", list(MEANING), selection_mode="multi", default=list(MEANING), key="grades", persist_state="session",
        format_func=lambda g: f"{g}: {MEANING[g]}",
    )  # fmt: skip
    search = st.text_input(
        "Search", key="search", persist_state="session", placeholder="recovery, churn, bot…", width=260
    )


def plain(value: float) -> str:
    """A number, or a dash."""
    return "-" if value is None or math.isnan(value) else f"{value:g}"


rows = []
for key, row in frame.iterrows():
    text = " ".join(str(row[k]) for k in ("meaning", "source", "note", "unit")) + f" {key}"
    if row["grade"] not in (grades or []) or (search or "").lower() not in text.lower():
        continue
    rows.append({
        "Grade": row["grade"], "Coefficient": str(key), "Meaning": row["meaning"], "Unit": row["unit"], "Default": plain(row["default"]),
        "Range": "-" if math.isnan(row["low"]) else f"{row['low']:g} to {row['high']:g}", "Own": plain(own[key]) if key in own else "",
    })  # fmt: skip
if not own:
    for r in rows:
        r.pop("Own")
st.caption(
    f"{len(rows)} of {len(frame)} shown."
    + (
        f" {show.safe(scenario.name)} has {len(own)} values of its own."
        if scenario is not None and own
        else ""
    )
)
if rows:
    show.table(rows, "The evidence table", height=520 if len(rows) > 8 else None)
    picked = st.selectbox(
        "Read one in full, with its source",
        [r["Coefficient"] for r in rows],
        key="coefficient",
        persist_state="session",
        width=420,
    )
    full = evidence.table()[picked]
    with st.container(border=True):
        st.markdown(
            f"**{show.safe(picked)}**, grade {full.grade} ({MEANING[full.grade]}), {show.safe(full.unit)}"
        )
        st.markdown(show.safe(full.meaning))
        st.markdown(
            f"Default {plain(full.default)}, from {plain(full.low)} to {plain(full.high)}. Source: {show.safe(full.source)}"
        )
        if full.note:
            st.caption(show.safe(full.note))
else:
    st.info("No coefficient fits.")

# --- today, observed and simulated ----------------------------------------------------------------------------------

st.header("Today, observed and simulated")
shown = state.shown_or_stop()
misfit = shown.document["anchoring"]
st.caption(state.belongs(shown))
if not misfit:
    st.markdown("Nothing is observed in this scenario: all its values are natural.")
    st.stop()
worst = max(misfit, key=lambda r: abs(r["off"] or 0.0))
st.markdown(
    f"**Simulating today gives today's own numbers back to within {show.share(abs(worst['off'] or 0.0))}**; furthest off:"
    f" {show.safe(observed_words(worst['field']).lower())}, {show.safe(worst['title'])}."
)
show.table(
    [
        {
            "Type": r["title"], "What": observed_words(r["field"]),
            "Observed": report.number(r["observed"], r["simulated"]["unit"]), "Simulated [95 %]": show.value(r["simulated"]),
            "Unit": show.unit_of(r["simulated"]["unit"]), "Off": report.relative(r["off"] or 0),
        }
        for r in misfit
    ],
    "Observed against simulated values of today by type", height=560 if len(misfit) > 14 else None,
)  # fmt: skip
