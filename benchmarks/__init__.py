"""What Unhurried costs in time and memory, beside the usual way of writing the same thing."""
