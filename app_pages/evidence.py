"""Evidence: every coefficient with default, range, grade and source; and how well today is met."""

from __future__ import annotations

import math

import streamlit as st

from app_pages import show, state
from planner import evidence, report

MEANING = {
    "A": "experiment or meta-analysis",
    "B": "observed in operations",
    "C": "claimed or practised",
    "D": "assumed",
}
FIELDS = {
    "offered": "Contacts offered",
    "talk": "Talk",
    "acw": "After-contact work",
    "resolved": "First-contact resolution",
    "heard": "Heard",
    "contained": "Containment",
    "intense": "Intense contacts",
    "attrition": "Attrition",
    "absence": "Absence",
}

frame = evidence.as_frame()
counts = frame["grade"].value_counts()
doubted = int(counts.get("C", 0) + counts.get("D", 0))
st.markdown(
    f"**Of {len(frame)} coefficients, {len(frame) - doubted} rest on experiments or observation and {doubted} on claims or assumptions;"
    " the second kind has a range, and the sceptic's setting switches its effects off.**"
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
        "Grade": row["grade"], "Coefficient": str(key), "Meaning": row["meaning"], "Default": plain(row["default"]),
        "Low": plain(row["low"]), "High": plain(row["high"]), "Own": plain(own[key]) if key in own else "", "Unit": row["unit"],
        "Source": row["source"], "Note": row["note"],
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
    config = {
        "Grade": st.column_config.TextColumn(width=55, pinned=True, alignment="center"),
        "Coefficient": st.column_config.TextColumn(width=190, pinned=True),
        "Meaning": st.column_config.TextColumn(width=420),
        "Source": st.column_config.TextColumn(width=420),
        "Note": st.column_config.TextColumn(width=300),
        **{
            k: st.column_config.TextColumn(width=75, alignment="right")
            for k in ("Default", "Low", "High", "Own")
        },
    }
    st.dataframe(
        rows, hide_index=True, column_config=config, height=520, alt="The evidence table", row_height=36
    )
    picked = st.selectbox(
        "Read one in full",
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
kinds = shown.record["scenario"]["types"]


def kind_of(name: str) -> str:
    """A type's name for people."""
    return kinds.get(name, {}).get("title") or name


st.markdown(
    f"**Simulating today gives today's own numbers back to within {show.share(abs(worst['off'] or 0.0))}**; furthest off:"
    f" {show.safe(FIELDS.get(worst['field'], worst['field']).lower())} of {show.safe(kind_of(worst['type']))}."
)
show.table(
    [
        {
            "Type": kind_of(r["type"]), "Field": FIELDS.get(r["field"], r["field"].replace("_", " ").capitalize()),
            "Observed": report.number(r["observed"], r["simulated"]["unit"]), "Simulated [95 %]": show.value(r["simulated"]),
            "Unit": show.unit_of(r["simulated"]["unit"]), "Off": f"{round(100 * (r['off'] or 0), 1) + 0.0:+.1f} %",
        }
        for r in misfit
    ],
    "Observed against simulated values of today by type", first=2, left=["Unit"], height=min(560, 38 + 35 * len(misfit)),
)  # fmt: skip
