"""A plane of character cells on which dots, lines and bars are drawn, in Unicode or plain ASCII.

A cell of Unicode holds 2 × 4 dots of braille; one of ASCII a sign of its series. The latest series
drawn in a cell gives it its colour.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["COLORS", "Canvas", "Doubles", "Ink", "painted"]

Doubles: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

Ink: TypeAlias = int
"""A series' number, which picks colour and sign; -1 is grey."""

COLORS = {
    "any": (33, 202, 35, 169, 172, 38, 244),
    "light": (25, 166, 29, 175, 172, 74, 16),
    "dark": (74, 214, 43, 176, 227, 209, 231),
}
"""Numbers of the 256 colours of terminals that are nearest to those of the themes' categories, and
those that are seen on light and dark grounds."""

_GREY = 244
_SIGNS = "#*o+x@%"
_BAND_SIGN = "."
_BRAILLE = 0x2800
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.int64)
_EMPTY = -2


class Canvas:
    """Cells of a plot.

    Parameters
    ----------
    width, height : int
        In cells.
    x, y : tuple of float
        What is shown: least and greatest, of which the first may equal the second.
    plain : bool
        ASCII only.
    """

    def __init__(
        self,
        width: int,
        height: int,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        plain: bool,
    ) -> None:
        self.width, self.height = width, height
        self._x, self._y = x, y
        self._plain = plain
        self._across, self._down = (1, 1) if plain else (2, 4)
        self._dots = np.zeros((height * self._down, width * self._across), dtype=bool)
        self._inks = np.full((height, width), _EMPTY)
        self._signs: dict[tuple[int, int], str] = {}

    def points(self, x: Doubles, y: Doubles, ink: Ink) -> None:
        """Set a dot at each point; those with NaN are none."""
        kept = np.isfinite(x) & np.isfinite(y)
        self._set(*self._places(x[kept], y[kept]), ink)

    def lines(self, x: Doubles, y: Doubles, ink: Ink) -> None:
        """Draw a line from each point to the next, open where either has NaN."""
        self.points(x, y, ink)
        joined = np.isfinite(y[:-1]) & np.isfinite(y[1:])
        if not joined.any():
            return
        across, down = self._places(x, np.where(np.isfinite(y), y, self._y[0]))
        begin, end = np.flatnonzero(joined), np.flatnonzero(joined) + 1
        steps = np.maximum(np.abs(across[end] - across[begin]), np.abs(down[end] - down[begin]))
        of = np.repeat(np.arange(begin.size), steps + 1)
        number = np.arange(of.size) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
        share = number / np.maximum(steps[of], 1)
        self._set(
            _between(across[begin][of], across[end][of], share),
            _between(down[begin][of], down[end][of], share),
            ink,
        )

    def bars(self, x: Doubles, y: Doubles, ink: Ink, *, foot: Doubles | None = None) -> None:
        """Draw a bar at each point, from zero or from ``foot``; those of zero length are none."""
        low = np.zeros_like(y) if foot is None else foot
        kept = np.isfinite(x) & np.isfinite(y) & np.isfinite(low)
        if foot is None:
            kept &= y != 0
        across, top = self._places(x[kept], y[kept])
        _, bottom = self._places(x[kept], np.clip(low[kept], *self._y))
        high, deep = np.minimum(top, bottom), np.maximum(top, bottom)
        of = np.repeat(np.arange(across.size), deep - high + 1)
        number = np.arange(of.size) - np.repeat(
            np.cumsum(deep - high + 1) - (deep - high + 1), deep - high + 1
        )
        self._set(across[of], high[of] + number, ink)

    def sign(self, x: Doubles, y: Doubles, sign: str) -> None:
        """Put a sign over what is drawn at each point."""
        kept = np.isfinite(x) & np.isfinite(y)
        across, down = self._places(x[kept], y[kept])
        cells = zip((down // self._down).tolist(), (across // self._across).tolist(), strict=True)
        self._signs.update(dict.fromkeys(cells, sign))

    def rows(self) -> list[list[tuple[str, Ink]]]:
        """Return the cells, row by row, each with the ink of its colour."""
        texts = self._plain_cells() if self._plain else self._braille_cells()
        cells = [
            list(zip(text, inks, strict=True))
            for text, inks in zip(texts, self._inks.tolist(), strict=True)
        ]
        for (down, across), sign in self._signs.items():
            cells[down][across] = (sign, _EMPTY)
        return cells

    def _plain_cells(self) -> list[str]:
        signs = np.array(list(_BAND_SIGN + _SIGNS))
        inks = np.where(self._inks < 0, 0, self._inks % len(_SIGNS) + 1)
        return ["".join(row) for row in np.where(self._dots, signs[inks], " ").tolist()]

    def _braille_cells(self) -> list[str]:
        cells = self._dots.reshape(self.height, self._down, self.width, self._across)
        codes = (cells * _DOTS[None, :, None, :]).sum(axis=(1, 3))
        return ["".join(map(chr, row)) for row in np.where(codes, codes + _BRAILLE, 32).tolist()]

    def _places(self, x: Doubles, y: Doubles) -> tuple[Ints, Ints]:
        down = self._dots.shape[0] - 1 - _scaled(y, self._y, self._dots.shape[0])
        return _scaled(x, self._x, self._dots.shape[1]), down

    def _set(self, across: Ints, down: Ints, ink: Ink) -> None:
        inside = (across >= 0) & (across < self._dots.shape[1])
        inside &= (down >= 0) & (down < self._dots.shape[0])
        across, down = across[inside], down[inside]
        self._dots[down, across] = True
        self._inks[down // self._down, across // self._across] = ink


def painted(text: str, ink: Ink, palette: tuple[int, ...] | None) -> str:
    """Return text in a series' colour; as it is where there is no palette."""
    if palette is None or ink == _EMPTY or not text.strip():
        return text
    color = _GREY if ink < 0 else palette[ink % len(palette)]
    return f"\x1b[38;5;{color}m{text}\x1b[0m"


def sign_of(ink: Ink, *, plain: bool) -> str:
    """Return what a legend shows of a series."""
    if plain:
        return _BAND_SIGN if ink < 0 else _SIGNS[ink % len(_SIGNS)]
    return "■"


def _scaled(values: Doubles, shown: tuple[float, float], size: int) -> Ints:
    """Return in which of ``size`` dots values stand."""
    low, high = shown
    share = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
    return np.rint(np.clip(share, -1, 2) * (size - 1)).astype(np.int64)


def _between(begin: Ints, end: Ints, share: Doubles) -> Ints:
    return np.rint(begin + (end - begin) * share).astype(np.int64)
