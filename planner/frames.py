"""The frames of a comparison and its usual seed: for those who ask for a comparison, or read one that is kept."""

FRAMES = ("at_target", "equal_hours", "equal_budget")
FRAME_MEANING = {
    "at_target": "each policy staffed until the same service targets hold",
    "equal_hours": "each policy with the paid hours of today's policy",
    "equal_budget": "each policy with the cash of today's policy",
}
SEED = 11_001
