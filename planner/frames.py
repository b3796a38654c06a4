"""The frames of a comparison and the usual seeds: for those who ask for a comparison, or read one that is kept."""

FRAMES = ("at_target", "equal_hours", "equal_budget")
FRAME_MEANING = {
    "at_target": "each policy staffed until the same service targets hold",
    "equal_hours": "each policy with the paid hours of today's policy",
    "equal_budget": "each policy with the cash of today's policy",
}
SEED = 11_001
PLAN_SEED = 9_001
"""Of a plan's search; its proof and its price take others, so that no figure is judged by the customers it was found with."""
