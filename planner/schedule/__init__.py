"""From a requirement to shifts with their breaks, and an independent check of both."""
