"""The scenarios that ship with Unhurried."""
