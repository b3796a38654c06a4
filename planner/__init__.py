"""The planner: scenario file, requirement, schedule, plan, money and comparison."""
