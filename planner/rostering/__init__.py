"""Named people: who works which shift on which day, by rules that a union would sign, and an independent check."""
