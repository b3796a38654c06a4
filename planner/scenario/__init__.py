"""The scenario file: its schema, how it is read, and how it becomes a world."""
