"""How numbers are shown: words, tables and charts, all made from a run's document."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app_pages.words import safe, share
from planner import report

__all__ = ["safe", "share"]

Json = dict[str, Any]
FRAME_LABEL = {"at_target": "At target", "equal_hours": "Equal hours", "equal_budget": "Equal budget"}
PALETTE = ("#77838a", "#b8683a", "#2f7f7a", "#6d62a5", "#a98a2d", "#8a4f6d", "#4c78a8", "#7c9a4e")
ENDINGS = {
    "seen_and_sorted": ("Resolved and heard", "#2f7f7a"),
    "sorted_not_heard": ("Resolved, not heard", "#8fbcb4"),
    "warm_unresolved": ("Heard, not resolved", "#e0b565"),
    "cold_unresolved": ("Neither heard nor resolved", "#b8683a"),
    "ended_unserved": ("Gave up unserved", "#8a4f4f"),
    "still_open": ("Still open", "#c9c6bf"),
}
DIFFERENCES = {
    "Money, million {currency} a year": (1e-6, ("cash", "margin_lost", "cash_and_margin")),
    "Shares, percentage points": (
        100.0,
        (
            "service_level",
            "abandonment",
            "first_contact_resolution",
            "resolution",
            "heard",
            "occupancy",
            "attrition",
        ),
    ),
    "Per 100 needs": (1.0, ("returns", "escalations", "vulnerable_unmet")),
}


# --- words ----------------------------------------------------------------------------------------------------------


def label(name: str) -> str:
    """A measure's or lever's name for people."""
    return report.label_of(name)


def lever(name: str) -> str:
    """A lever's name for people."""
    return name.replace("_", " ").capitalize()


def unit_of(unit: str) -> str:
    """A unit for people; shares carry their own."""
    return "" if unit == "share" else unit.replace("share a year", "a year")


def value(estimate: Mapping[str, Any]) -> str:
    """A mean with its 95 % interval."""
    unit = estimate["unit"]
    mean, low, high = (report.number(estimate[k], unit) for k in ("mean", "low", "high"))
    return f"{mean} [{low.removesuffix(' %')}, {high.removesuffix(' %')}]"


def titles(document: Json) -> dict[str, str]:
    """Policies' names for people, each once."""
    found: dict[str, str] = {}
    for name, policy in document["policies"].items():
        title = policy["title"] or name
        found[name] = title if title not in found.values() else f"{title} ({name})"
    return found


# --- tables ---------------------------------------------------------------------------------------------------------


def table(rows: Sequence[Mapping[str, Any]], alt_text: str, *, height: int | None = None) -> None:
    """A table of text that wraps, so that nothing is cut off; with a height, it scrolls. Numbers stand to the right."""
    if not rows:
        return
    plain = pd.DataFrame(list(rows)).astype(str)
    frame = plain.map(_cell)
    frame.columns = pd.Index([_cell(name) for name in frame.columns])
    # Streamlit aligns text to the left in each cell's own style, which only an important one outdoes.
    styles: Any = [
        {"selector": f"{cell}.col{k}", "props": "text-align: right !important"}
        for k in range(plain.shape[1]) if is_numbers(plain.iloc[:, k]) for cell in ("th", "td")
    ]  # fmt: skip
    st.table(
        frame.style.set_table_styles(styles), border="horizontal", width="content", height=height or "content",
        hide_index=True, alt=alt_text,
    )  # fmt: skip


def targets(rows: Sequence[Json], replications: int) -> None:
    """Every target in every window, simulated against the aim."""
    table(
        [
            {
                "Result": report.result_words(t),
                "Target": t["what"],
                "Window": t["when"],
                "Simulated [95 %]": f"{t['said'][0]} [{', '.join(end.removesuffix(' %') for end in t['said'][1:3])}]",
                "Aim": f"{t['side']} {t['said'][3]}",
            }
            for t in sorted(rows, key=lambda t: (t["met"], t["held"]))
        ],
        "Targets: simulated against the aim, missed ones first",
        height=420 if len(rows) > 10 else None,
    )
    st.caption(f"{report.HELD_WORDS} The proof has {replications} replications.")


NUMBER = re.compile(r"[-+]?[\d.,]+( (%|pts|s|points))?( \[.*\]| to .*)?")
"""A number with what may follow: its unit, its interval or range."""


def is_numbers(cells: Iterable[str]) -> bool:
    """Whether a column holds numbers, and nothing but dashes and gaps beside them."""
    told = [cell for cell in cells if cell not in ("", "-")]
    return bool(told) and all(NUMBER.fullmatch(cell) for cell in told)


def _cell(text: object) -> str:
    """A cell's text; a lone dash would be taken for a list."""
    return "\\-" if text == "-" else safe(text)


def as_text(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell.lstrip()[:1] in ("=", "+", "-", "@"):
        return "'" + cell
    if isinstance(cell, str) and cell[:1] in ("\t", "\r", "\n"):
        return "'" + cell
    return cell


def measures_csv(document: Json) -> str:
    """All measures and differences of a comparison, a row each."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["scenario", "frame", "policy", "measure", "label", "unit", "kind", "mean", "low", "high"]
    )
    for frame in document["frames"]:
        for kind, part in (("value", frame["policies"]), ("less as_is", frame["differences"])):
            for policy, measures in part.items():
                for name, e in measures.items():
                    row = [document["scenario"], frame["frame"], policy, name, label(name), e["unit"], kind]
                    writer.writerow([*(as_text(cell) for cell in row), e["mean"], e["low"], e["high"]])
    return out.getvalue()


# --- charts ---------------------------------------------------------------------------------------------------------


def colours(names: Sequence[str], only: Sequence[str] | None = None) -> alt.Scale:
    """Each policy's own colour, on every page; for all, or for those shown."""
    own = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}
    domain = [name for name in names if only is None or name in only]
    return alt.Scale(domain=domain, range=[own[name] for name in domain])


def legend(columns: int = 4) -> alt.Legend:
    """A legend above the chart, whose words are not cut."""
    return alt.Legend(title=None, orient="top", labelLimit=320, columns=columns)


def draw(chart: Any, text: str, key: str | None = None) -> None:
    """Draw a chart with its words for those who cannot see it."""
    st.altair_chart(
        chart.configure_axis(labelLimit=260, titleFontWeight="normal", titleLimit=500), alt=text, key=key
    )


def intervals(
    rows: Sequence[Mapping[str, Any]], x_title: str, scale: alt.Scale, *, zero: bool = True, ends: str = ".2f",
    told: tuple[str, str] = ("Mean", "95 % from"),
) -> Any:  # fmt: skip
    """Dots with intervals: rows of measure, policy, mean, low, high."""
    frame = pd.DataFrame(list(rows))
    order = list(dict.fromkeys(frame["measure"]))
    per = max(1, frame["policy"].nunique())
    base = alt.Chart(frame).encode(
        y=alt.Y("measure:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False, grid=True, gridDash=[1, 3])),
        yOffset=alt.YOffset("policy:N", sort=scale.domain),
        color=alt.Color("policy:N", scale=scale, legend=legend()),
        tooltip=[
            alt.Tooltip("measure:N", title="Measure"), alt.Tooltip("policy:N", title="Policy"),
            alt.Tooltip("mean:Q", format=ends, title=told[0]), alt.Tooltip("low:Q", format=ends, title=told[1]),
            alt.Tooltip("high:Q", format=ends, title="to"),
        ],
    )  # fmt: skip
    lines = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=x_title, scale=alt.Scale(zero=zero)), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("mean:Q", title=x_title))
    layers: list[alt.Chart] = [lines, dots]
    if zero:
        layers.insert(0, alt.Chart(pd.DataFrame({"x": [0.0]})).mark_rule(color="#9a968d").encode(x="x:Q"))
    return alt.layer(*layers).properties(height=90 + len(order) * (12 + 14 * per))


def endings(document: Json, frame: Json) -> tuple[Any, str]:
    """How needs ended, a bar per policy, and the same in words."""
    names = titles(document)
    rows, words = [], []
    for policy, measures in frame["policies"].items():
        told = []
        for place, (key, (title, _)) in enumerate(ENDINGS.items()):
            mean = measures[key]["mean"] or 0.0
            rows.append(
                {
                    "policy": names[policy],
                    "ending": title,
                    "share": mean,
                    "place": place,
                    "text": f"{100 * mean:.0f} %" if mean >= 0.04 else "",
                }
            )
            told.append(f"{title.lower()} {100 * mean:.0f} %")
        words.append(f"{names[policy]}: {', '.join(told)}")
    data = pd.DataFrame(rows)
    scale = alt.Scale(
        domain=[title for title, _ in ENDINGS.values()], range=[colour for _, colour in ENDINGS.values()]
    )
    base = alt.Chart(data).encode(
        y=alt.Y("policy:N", sort=list(names.values()), title=None, axis=alt.Axis(ticks=False, domain=False)),
        x=alt.X(
            "share:Q",
            stack="zero",
            title="Share of needs",
            axis=alt.Axis(format="%"),
            scale=alt.Scale(domain=[0, 1], nice=False, clamp=True),
        ),
        order=alt.Order("place:Q"),
        tooltip=["policy:N", "ending:N", alt.Tooltip("share:Q", format=".1%")],
    )
    bars = base.mark_bar(size=26).encode(
        color=alt.Color(
            "ending:N",
            scale=scale,
            sort=scale.domain,
            legend=alt.Legend(title=None, orient="top", labelLimit=300, columns=3),
        )
    )
    text = base.mark_text(color="white", fontSize=12, dx=-16).encode(
        x=alt.X("share:Q", stack="zero"), text="text:N", detail="ending:N"
    )
    dark = alt.condition(
        "datum.ending == 'Resolved, not heard' || datum.ending == 'Heard, not resolved' || datum.ending == 'Still open'",
        alt.value("#24302f"),
        alt.value("white"),
    )
    chart = alt.layer(bars, text.encode(color=dark)).properties(height=44 * data["policy"].nunique() + 100)
    return chart, "How needs ended. " + "; ".join(words)
