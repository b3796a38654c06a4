"""From fractional starts to whole shifts: rounding along time, then one shift at a time. Knows no solver.

Rounding: per class the running totals of starts, X, and of breaks, B, are cut at one threshold, floor(X + u)
and floor(B + u). Both keep their order, so the k-th shift still has its k-th break inside its window, and
each running total is off by less than one. Search: a person more or less in a slot changes the price of that
slot alone, so a shift's worth is a sum along its slots, and its best breaks and its best place are exact.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

import numpy as np

from planner.schedule.frame import Floats, Frame, Ints, KindFrame, place_breaks, running_sum, worth_of_starts

EPSILON = 1e-9
HAIR = 1e-7  # what a solver may leave a whole number short of


class Piece(NamedTuple):
    """A whole shift, in slots of the horizon."""

    group: int
    kind: KindFrame
    start: int
    breaks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shares:
    """What the relaxation gives one class: shares of shifts per start and of breaks per slot."""

    group: int
    kind: KindFrame
    starts: Ints
    started: Floats
    """Running total per start."""
    begun: tuple[Floats, ...]
    """Per break, running total per slot, past the horizon too."""


def shares(frame: Frame, group: int, kind: KindFrame, starts: Ints, x: Floats, y: Sequence[Floats]) -> Shares:
    """Running totals of shifts `x` per start, and of breaks `y` per break, start and offset."""
    begun: list[Floats] = []
    for rule, parts in zip(kind.breaks, y, strict=True):
        at = starts[:, None] + np.arange(rule.first, rule.last + 1)
        per_slot = np.zeros(frame.n_slots + frame.tail)
        np.add.at(per_slot, at, np.maximum(parts, 0.0))
        begun.append(np.cumsum(per_slot))
    return Shares(group, kind, starts, np.cumsum(np.maximum(x, 0.0)), tuple(begun))


class Cut(NamedTuple):
    """Whole shifts of one class: starts, and one column of begins per break."""

    starts: Ints
    breaks: tuple[Ints, ...]


def round_class(part: Shares, threshold: float) -> Cut:
    """Cut the running totals at one threshold; the k-th shift takes the k-th of each break."""
    kind = part.kind
    counts = np.diff(np.floor(part.started + threshold + HAIR), prepend=0.0).astype(np.int64)
    starts = np.repeat(part.starts, counts)
    n = starts.size
    latest: list[Ints] = []
    ceiling: Ints = starts + kind.length
    for rule in reversed(kind.breaks):
        ceiling = np.minimum(starts + rule.last, ceiling - rule.span)
        latest.append(ceiling)
    places: list[Ints] = []
    free_from = starts
    for rule, begun, last in zip(kind.breaks, part.begun, reversed(latest), strict=True):
        cut = np.diff(np.floor(begun + threshold + HAIR), prepend=0.0).astype(np.int64)
        wished = np.repeat(np.arange(cut.size), cut)[:n]
        # A first-order solver leaves totals that differ by a hair: a break may be missing, or out of window.
        wished = np.append(wished, last[wished.size :])
        place = np.clip(wished, np.maximum(starts + rule.first, free_from), last)
        places.append(place)
        free_from = place + rule.span
    return Cut(starts, tuple(places))


def pieces_of(part: Shares, cut: Cut) -> list[Piece]:
    """The shifts of a cut, one by one."""
    table = zip(*(column.tolist() for column in cut.breaks), strict=True) if cut.breaks else repeat(())
    return [
        Piece(part.group, part.kind, start, tuple(row))
        for start, row in zip(cut.starts.tolist(), table, strict=False)
    ]


def people_of(frame: Frame, kind: KindFrame, cut: Cut) -> Ints:
    """How many of a cut are on the queue, per slot."""
    long = frame.n_slots + frame.tail
    edges = np.zeros(long + 1, dtype=np.int64)
    spans = [(cut.starts, kind.length, 1)]
    spans += [(at, rule.span, -1) for rule, at in zip(kind.breaks, cut.breaks, strict=True)]
    for at, span, sign in spans:
        edges += sign * np.bincount(at, minlength=long + 1)
        edges -= sign * np.bincount(at + span, minlength=long + 1)
    people = np.cumsum(edges)[:long]
    inside = people[: frame.n_slots].copy()
    if frame.problem.cyclic:
        for first in range(frame.n_slots, long, frame.n_slots):
            rest = people[first : first + frame.n_slots]
            inside[: rest.size] += rest
    return inside


class Bench:
    """Shifts on the work bench: who is on the queue, what it costs, and what one person more is worth."""

    def __init__(self, frame: Frame, pieces: Iterable[Piece] = ()) -> None:
        """Lay out the pieces."""
        self.frame = frame
        problem = frame.problem
        self.pieces: list[Piece] = []
        self.people = np.zeros((frame.n_groups, frame.n_slots), dtype=np.int64)
        self.shifts = np.zeros((frame.n_groups, problem.n_days), dtype=np.int64)
        self.paid_min = 0
        self.payroll = 0.0
        self.gain = np.zeros((frame.n_groups, frame.n_slots))
        self.turn = 0
        self.changed = np.zeros(frame.n_slots, dtype=np.int64)
        self._reach = np.arange(frame.n_slots + frame.tail)
        if problem.cyclic:
            self._reach %= frame.n_slots
        for piece in pieces:
            self._tally(piece, 1)
            self.pieces.append(piece)
        self._refresh(slice(None))

    def slots(self, first: int, span: int) -> Ints:
        """The slots from `first` on that lie in the horizon."""
        at = self._reach[first : first + span]
        return at if self.frame.problem.cyclic else at[at < self.frame.n_slots]

    def count(self, piece: Piece, sign: int) -> None:
        """Count a shift in, or out, without touching the list of shifts."""
        self._tally(piece, sign)
        self._refresh(self.slots(piece.start, piece.kind.length))

    def mark(self, piece: Piece) -> None:
        """Note that the slots of this shift have changed."""
        self.turn += 1
        self.changed[self.slots(piece.start, piece.kind.length)] = self.turn

    def last_change(self, piece: Piece) -> int:
        """The last turn that changed a slot that any shift near this one could reach."""
        tail = self.frame.tail
        near = np.arange(piece.start - tail, piece.start + piece.kind.length + tail) % self.frame.n_slots
        return int(self.changed[near].max())

    def _tally(self, piece: Piece, sign: int) -> None:
        problem = self.frame.problem
        people = self.people[piece.group]
        people[self.slots(piece.start, piece.kind.length)] += sign
        for rule, begin in zip(piece.kind.breaks, piece.breaks, strict=True):
            people[self.slots(begin, rule.span)] -= sign
        self.shifts[piece.group, piece.start // problem.slots_per_day] += sign
        self.paid_min += sign * piece.kind.paid_min
        self.payroll += sign * piece.kind.paid_min * problem.cost_per_paid_min[piece.group]

    def _refresh(self, at: Ints | slice) -> None:
        frame = self.frame
        short = frame.need[:, at] - frame.member @ self.people[:, at]
        filled = np.clip(short, 0.0, 1.0)
        worth = frame.under[:, at] * filled - frame.over[:, at] * (1.0 - filled)
        self.gain[:, at] = frame.member.T @ worth

    def put(self, piece: Piece) -> None:
        """Add a shift."""
        self.mark(piece)
        self.count(piece, 1)
        self.pieces.append(piece)

    def take(self, number: int) -> Piece:
        """Remove a shift; the last one takes its number."""
        piece = self.pieces[number]
        self.pieces[number] = self.pieces[-1]
        self.pieces.pop()
        self.count(piece, -1)
        return piece

    def objective(self) -> float:
        """What the shifts on the bench cost, shortage and all."""
        frame = self.frame
        short = frame.need - frame.member @ self.people
        rows = float((frame.under * np.maximum(short, 0.0) + frame.over * np.maximum(-short, 0.0)).sum())
        return self.payroll + rows + self.missing_min() * frame.problem.price_of_missing_minute

    def missing_min(self) -> float:
        """Paid minutes below an agreed number."""
        agreed = self.frame.problem.paid_time
        return max(0.0, agreed.least - self.paid_min) if agreed else 0.0

    def price(self, group: int, kind: KindFrame) -> float:
        """What one more such shift costs now."""
        problem = self.frame.problem
        saved = min(self.missing_min(), kind.paid_min) * problem.price_of_missing_minute
        return kind.paid_min * problem.cost_per_paid_min[group] - saved

    def fits(self, group: int, kind: KindFrame) -> bool:
        """Whether one more such shift keeps within the totals."""
        problem = self.frame.problem
        if problem.max_shifts:
            cap = problem.max_shifts[group]
            if cap is not None and self.shifts[group].sum() >= cap:
                return False
        if problem.paid_time is not None and self.paid_min + kind.paid_min > problem.paid_time.most:
            return False
        cost = kind.paid_min * problem.cost_per_paid_min[group]
        return problem.budget is None or self.payroll + cost <= problem.budget

    def open_days(self, group: int) -> Floats | None:
        """Per day 0 where one more shift may start, else minus infinity; None when all may."""
        limits = self.frame.problem.max_shifts_per_day
        caps = limits[group] if limits else None
        if caps is None:
            return None
        return np.where(self.shifts[group] < np.asarray(caps), 0.0, -np.inf)

    def best(self, near: tuple[int, int] | None = None) -> tuple[float, Piece | None]:
        """The shift whose worth most exceeds its price, among starts from `near[0]` to `near[1]`."""
        sums = running_sum(self.frame, self.gain)
        top, found = -np.inf, None
        for kind in self.frame.kinds:
            low, high = 0, kind.starts.size
            if near is not None:
                low, high = np.searchsorted(kind.starts, (near[0] - kind.length, near[1])).tolist()
            if low == high:
                continue
            starts = kind.starts[low:high]
            worth = worth_of_starts(kind, sums[kind.groups], starts)
            for row, group in enumerate(kind.groups.tolist()):
                if not self.fits(group, kind):
                    continue
                net = worth[row]
                days = self.open_days(group)
                if days is not None:
                    net = net + days[kind.days[low:high]]
                at = int(net.argmax())
                value = float(net[at]) - self.price(group, kind)
                if value > top + EPSILON:
                    top, found = value, (group, kind, int(starts[at]))
        if found is None:
            return top, None
        group, kind, start = found
        return top, Piece(group, kind, start, place_breaks(kind, sums[group], start))

    def worth(self, piece: Piece) -> float:
        """What adding this very shift would save, less its price."""
        gain = self.gain[piece.group]
        value = float(gain[self.slots(piece.start, piece.kind.length)].sum())
        for rule, begin in zip(piece.kind.breaks, piece.breaks, strict=True):
            value -= float(gain[self.slots(begin, rule.span)].sum())
        return value - self.price(piece.group, piece.kind)

    def losses(self) -> list[float]:
        """What taking each shift away would cost, less what it saves in pay."""
        frame = self.frame
        spare = frame.member @ self.people - frame.need
        idle = np.clip(spare, 0.0, 1.0)
        missed = frame.member.T @ (frame.under * (1.0 - idle) - frame.over * idle)
        sums = running_sum(frame, missed)
        out = []
        for piece in self.pieces:
            along = sums[piece.group]
            value = along[piece.start + piece.kind.length] - along[piece.start]
            for rule, begin in zip(piece.kind.breaks, piece.breaks, strict=True):
                value -= along[begin + rule.span] - along[begin]
            cost = piece.kind.paid_min * frame.problem.cost_per_paid_min[piece.group]
            out.append(float(value) - cost)
        return out

    def excess(self, piece: Piece) -> bool:
        """Whether a limit is broken that taking this shift away would ease."""
        problem = self.frame.problem
        group, day = piece.group, piece.start // problem.slots_per_day
        if problem.max_shifts:
            cap = problem.max_shifts[group]
            if cap is not None and self.shifts[group].sum() > cap:
                return True
        caps = problem.max_shifts_per_day[group] if problem.max_shifts_per_day else None
        if caps is not None and self.shifts[group, day] > caps[day]:
            return True
        if problem.paid_time is not None and self.paid_min > problem.paid_time.most:
            return True
        return problem.budget is not None and self.payroll > problem.budget


def best_thresholds(frame: Frame, parts: list[Shares], passes: int = 3, candidates: int = 8) -> list[Piece]:
    """Round every class at the threshold that, the others given, costs least."""
    problem = frame.problem
    parts = [part for part in parts if part.started[-1] > EPSILON]
    thresholds = [(k + 0.5) / candidates for k in range(candidates)]

    def cost(people: Ints, payroll: float) -> float:
        short = frame.need - frame.member @ people
        rows = frame.under * np.maximum(short, 0.0) + frame.over * np.maximum(-short, 0.0)
        return payroll + float(rows.sum())

    def pay(part: Shares, cut: Cut) -> float:
        return cut.starts.size * part.kind.paid_min * problem.cost_per_paid_min[part.group]

    chosen = [round_class(part, 0.5) for part in parts]
    people = np.zeros((frame.n_groups, frame.n_slots), dtype=np.int64)
    for part, cut in zip(parts, chosen, strict=True):
        people[part.group] += people_of(frame, part.kind, cut)
    payroll = sum(pay(part, cut) for part, cut in zip(parts, chosen, strict=True))
    current = cost(people, payroll)
    for _ in range(passes):
        before = current
        for at, part in enumerate(parts):
            others = people.copy()
            others[part.group] -= people_of(frame, part.kind, chosen[at])
            unpaid = payroll - pay(part, chosen[at])
            for threshold in thresholds:
                cut = round_class(part, threshold)
                tried = others.copy()
                tried[part.group] += people_of(frame, part.kind, cut)
                value = cost(tried, unpaid + pay(part, cut))
                if value < current - EPSILON:
                    current, people, payroll, chosen[at] = value, tried, unpaid + pay(part, cut), cut
        if current >= before - EPSILON:
            break
    return [piece for part, cut in zip(parts, chosen, strict=True) for piece in pieces_of(part, cut)]


def keep_limits(bench: Bench) -> None:
    """Take away what is over a limit, each time the shift that is missed least per paid minute."""
    while True:
        over = [k for k, piece in enumerate(bench.pieces) if bench.excess(piece)]
        if not over:
            return
        losses = bench.losses()
        bench.take(min(over, key=lambda k: (losses[k] / bench.pieces[k].kind.paid_min, k)))


def improve(bench: Bench, rng: np.random.Generator, passes: int, enough: float, deadline: float) -> bool:
    """Put every shift, one at a time, where it is worth most, or nowhere; false when the clock ended it.

    Ends with the first pass that saves less than the share `enough`. A shift that was best where it stood is
    not looked at again before something near it changes; nor are its equals.
    """
    settled: dict[Piece, int] = {}
    for _ in range(passes):
        before = bench.objective()
        if not fill(bench, deadline):
            return False
        bench.pieces = [bench.pieces[k] for k in rng.permutation(len(bench.pieces))]
        kept: list[Piece] = []
        while bench.pieces:
            if time.perf_counter() > deadline:
                bench.pieces += kept
                return False
            piece = bench.pieces[-1]
            if settled.get(piece, -1) >= bench.last_change(piece):
                kept.append(bench.pieces.pop())
                continue
            bench.take(len(bench.pieces) - 1)
            value, other = bench.best((piece.start, piece.start + piece.kind.length))
            old = bench.worth(piece)
            if other is not None and value > max(old, 0.0) + EPSILON:
                bench.mark(piece)
                bench.mark(other)
                kept.append(other)
                bench.count(other, 1)
            elif old > -EPSILON:
                settled[piece] = bench.turn
                kept.append(piece)
                bench.count(piece, 1)
            else:
                bench.mark(piece)
        bench.pieces = kept
        if bench.objective() > before * (1 - enough):
            break
    return fill(bench, deadline)


def fill(bench: Bench, deadline: float) -> bool:
    """Add shifts while one pays; false when the clock ended it."""
    while True:
        if time.perf_counter() > deadline:
            return False
        value, piece = bench.best()
        if piece is None or value <= EPSILON:
            return True
        bench.put(piece)
