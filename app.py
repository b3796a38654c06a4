"""The app: `unhurried app` or `streamlit run app.py`. It opens on a comparison that is already computed.

The sidebar asks the question (scenario, levers); the pages show the answer, and say which question it answers.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from app_pages import state

# A page's heading (None: the scenario's title), and whether a run stands behind all of it.
TITLES = {
    "Compare": (None, True),
    "Week": ("The week", True),
    "Roster": ("The roster", False),
    "Mix": ("The right mix", False),
    "Ladder": ("The ladder", True),
    "Levers": ("Levers one by one", False),
    "Evidence": ("Evidence", False),
}

# Pages that show results of the settings on the left, kept apart from the comparison.
OWN_RESULTS = ("Roster", "Levers")


def icon() -> Image.Image:
    """An hourglass for the tab, drawn here: an icon by name would be fetched from the internet."""
    y, x = np.mgrid[-16:16, -16:16] + 0.5
    glass = (abs(x) < abs(y)) & (abs(y) < 13)
    return Image.fromarray(np.where(glass[..., None], [47, 107, 111], [253, 252, 249]).astype(np.uint8))


def main() -> None:
    """Lay out one run of the app."""
    st.set_page_config(page_title="Unhurried", page_icon=icon(), layout="wide")
    page = st.navigation(
        [
            st.Page(
                "app_pages/compare.py", title="Compare", icon=":material/balance:", default=True,
                help="The verdict: policies side by side, in three frames, with what they cost and what becomes of customers.",
            ),
            st.Page(
                "app_pages/week.py", title="Week", icon=":material/calendar_view_week:",
                help="Requirement against schedule by interval, people by group, and the targets that hold or do not.",
            ),
            st.Page(
                "app_pages/roster.py", title="Roster", icon=":material/groups:",
                help="People by name: cover and gaps, who does what when, emotional work, what would relieve it, and what a re-plan changes.",
            ),
            st.Page(
                "app_pages/mix.py", title="Mix", icon=":material/filter_alt:",
                help="What is left for people as automation contains more: longer and more intense contacts.",
            ),
            st.Page(
                "app_pages/ladder.py", title="Ladder", icon=":material/stairs:",
                help="What each lever of a policy does by itself, last in the bundle, and on average.",
            ),
            st.Page(
                "app_pages/levers.py", title="Levers", icon=":material/leaderboard:",
                help="Every lever by itself, ranked: what it costs, what it changes in cash and kept margin, and on what evidence.",
            ),
            st.Page(
                "app_pages/evidence.py", title="Evidence", icon=":material/menu_book:",
                help="Every coefficient with its default, range, grade and source; and how well today is met.",
            ),
        ],
        position="top",
    )  # fmt: skip
    with st.sidebar:
        asked = state.ask()
    state.answer(asked, warn=page.title not in OWN_RESULTS)
    title, of_run = TITLES[page.title]
    state.header(title, of_run=of_run)
    page.run()


if __name__ == "__main__":
    main()
