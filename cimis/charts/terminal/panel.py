"""A plot of the terminal with its axes: ticks and their labels beside and below a canvas."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from cimis.charts.terminal.canvas import Canvas, Doubles, Ink, painted, sign_of
from cimis.pipeline.field.time import DAY_S, day_number

__all__ = [
    "Pen",
    "Ticks",
    "day_ticks",
    "legend",
    "number_ticks",
    "panel",
    "seconds",
    "side_by_side",
]

Ticks = Sequence[tuple[float, str]]

_LEAST_WIDTH = 10


@dataclass(frozen=True, slots=True)
class Pen:
    """How a terminal is drawn on: its width, whether ASCII only, and colours if any."""

    width: int
    plain: bool = False
    palette: tuple[int, ...] | None = None

    def paint(self, text: str, ink: Ink) -> str:
        """Return text in a series' colour."""
        return painted(text, ink, self.palette)


def panel(
    pen: Pen,
    height: int,
    x: tuple[float, float],
    y: tuple[float, float],
    draw: Callable[[Canvas], None],
    *,
    x_ticks: Callable[[int], Ticks],
) -> list[str]:
    """Return the lines of a plot.

    Parameters
    ----------
    pen : Pen
    height : int
        Lines of the canvas.
    x : tuple of float
        First and last of the horizontal axis.
    y : tuple of float
        Least and greatest of the vertical axis.
    draw : callable
        Draws on the canvas.
    x_ticks : callable
        Gives the ticks of the horizontal axis for so many cells.
    """
    low, high = y
    ticks = number_ticks(low, high, most=max(height // 2, 3))
    side = max(len(label) for _, label in ticks)
    width = max(pen.width - side - 2, _LEAST_WIDTH)
    canvas = Canvas(width, height, x, y, plain=pen.plain)
    draw(canvas)
    wall, corner, floor, tick, notch = "|+-++" if pen.plain else "│└─┬┤"
    labels = {
        height - 1 - round((value - low) / ((high - low) or 1) * (height - 1)): label
        for value, label in ticks
    }
    lines = []
    for number, cells in enumerate(canvas.rows()):
        text = "".join(
            pen.paint("".join(sign for sign, _ in group), ink)
            for ink, group in groupby(cells, key=lambda cell: cell[1])
        )
        label = labels.get(number, "")
        lines.append(f"{label:>{side}} {notch if label else wall}{text}".rstrip())
    axis, below = [floor] * width, [" "] * (width + side + 2)
    end = 0
    for value, label in x_ticks(width):
        place = round((value - x[0]) / ((x[1] - x[0]) or 1) * (width - 1))
        start = min(place, width - len(label))
        if not 0 <= place < width or start < end:
            continue
        axis[place] = tick
        below[side + 2 + start : side + 2 + start + len(label)] = label
        end = start + len(label) + 1
    lines.append(f"{'':>{side}} {corner}{''.join(axis)}")
    return [*lines, "".join(below).rstrip()]


def legend(pen: Pen, labels: Sequence[tuple[str, Ink]]) -> list[str]:
    """Return the lines that say which colour or sign is which."""
    signs = [pen.paint(sign_of(ink, plain=pen.plain), ink) for _, ink in labels]
    keys = [
        (f"{sign} {label}", len(label) + 2) for sign, (label, _) in zip(signs, labels, strict=True)
    ]
    return side_by_side(pen, keys)


def side_by_side(pen: Pen, keys: Sequence[tuple[str, int]]) -> list[str]:
    """Return texts, with their widths, in as few lines as they take."""
    lines: list[str] = []
    taken = 0
    for text, size in keys:
        if lines and taken + size + 3 <= pen.width:
            lines[-1] += f"   {text}"
            taken += size + 3
        else:
            lines.append(text)
            taken = size
    return lines


def number_ticks(low: float, high: float, most: int = 5) -> Ticks:
    """Return the round numbers in what is shown, about ``most`` at most; one where it is none."""
    if not high > low:
        return [(low, f"{low:,.4g}")]
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(-math.floor(math.log10(step)), 0) + (1 if step / power == 2.5 else 0)
    return [(n * step, f"{n * step:,.{decimals}f}") for n in range(first, last + 1)]


def seconds(times: Sequence[dt.date] | np.ndarray) -> Doubles:
    """Return times as seconds since 1970."""
    return np.asarray(times, dtype="datetime64[s]").astype(np.float64)


def day_ticks(first: dt.date, last: dt.date) -> Callable[[int], Ticks]:
    """Return what gives the ticks of an axis of days: months or years, few enough to be read."""

    def ticks(width: int) -> Ticks:
        days = (last - first).days + 1
        most = max(width // 9, 1)
        if days <= most * 4:
            step = math.ceil(days / most)
            chosen = [first + dt.timedelta(days=n) for n in range(0, days, step)]
            return [(_second(day), f"{day:%b} {day.day}") for day in chosen]
        months = [
            dt.date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1)
            for n in range((last.year - first.year) * 12 + last.month - first.month + 1)
        ]
        months = [day for day in months if day >= first]
        if len(months) > most:
            step = next((s for s in (2, 3, 4, 6, 12) if len(months) / s <= most), 12)
            months = [day for day in months if (day.month - 1) % step == 0]
        if len(months) > most:
            every = math.ceil(len(months) / most)
            months = [day for day in months if day.year % every == 0]
        return [(_second(day), f"{day:%Y}" if day.month == 1 else f"{day:%b}") for day in months]

    return ticks


def _second(day: dt.date) -> float:
    return float(day_number(day) * DAY_S)
