"""The simulator: what a centre is, each customer's fate, the rules, the engines, and what they measure."""
