"""The SimPy model with an eye on one need: what happens to it in line, which no record keeps.

A model of its own that notes and changes nothing, so that the model itself pays nothing for it; everything else about a
journey stands in the records and draws.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.draws import Draws
from sim.model import Contact, Line, Model, Waiting
from sim.records import Records
from sim.world import World


class InLine(NamedTuple):
    """A contact in line."""

    ahead: int
    """People who waited for the same agents when it came."""
    behind: int
    """People who waited for any of these agents when it left the line, answered or not."""


class Watched(Model):
    """The model, watching one need."""

    def __init__(self, world: World, draws: Draws, need: int) -> None:
        super().__init__(world, draws)
        self.need = need
        self.in_line: dict[int, InLine] = {}
        """By row."""

    def waits(self, contact: Contact, flags: int, line: Line, now: int) -> None:
        """As ever, and noted."""
        if contact[1] == self.need:
            n = max((group.n_waiting for group in line.served_by), default=0)
            self.in_line[contact[0]] = InLine(n, n)
        super().waits(contact, flags, line, now)

    def out_of_line(self, waiting: Waiting) -> None:
        """As ever, and noted."""
        super().out_of_line(waiting)
        if waiting.contact[1] == self.need:
            n = max((group.n_waiting for group in waiting.line.served_by), default=0)
            self.in_line[waiting.row] = self.in_line[waiting.row]._replace(behind=n)


def watch(world: World, draws: Draws, need: int) -> tuple[Records, dict[int, InLine]]:
    """One replication in SimPy, its records, and how the need's contacts stood in line, by row."""
    model = Watched(world, draws, need)
    return model.run(), model.in_line
