"""Counts of steps in the place of values: what archives in English units were converted from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipeline.chunks.encodings.kind import Step
from pipeline.chunks.encodings.signed import wrap

if TYPE_CHECKING:
    from pipeline.chunks.arrays import Ints

__all__ = ["MAX_STEP", "STEPS", "count_steps", "plain_undo_steps", "undo_steps"]

MAX_STEP = 1 << 24
STEPS: dict[int, tuple[Step, ...]] = {
    1: ((1_163, 240), (25_146, 15_625)),  # langleys a day in W/m², tenths of miles in km
    2: ((127, 5), (50, 9), (2_794, 625)),  # 0.01 in in mm, 0.1 °F in °C, 0.1 mph in m/s
    3: ((254, 1), (5_588, 125), (2_794, 625)),  # 0.01 in in mm, 0.1 and 0.01 mph in m/s
}
"""By decimals of a column, the widths of the English units that archives are converted from."""


def count_steps(values: Ints, step: Step) -> Ints:
    """Return how many steps are nearest to each value; values are of at most 2**40."""
    numerator, denominator = step
    counts: Ints = (2 * values * denominator + numerator) // (2 * numerator)
    return counts


def undo_steps(counts: Ints, step: Step) -> Ints:
    """Return counts of steps as values: times the step, rounded, halves up."""
    numerator, denominator = step
    values: Ints = (2 * numerator * counts + denominator) // (2 * denominator)
    return values


def plain_undo_steps(counts: Iterable[int], step: Step) -> Iterator[int]:
    """Yield what `undo_steps` returns."""
    numerator, denominator = step
    return (wrap(2 * numerator * n + denominator) // (2 * denominator) for n in counts)
