"""What a check of a sensor hands back: which values it marks, why, and what that says in sum."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

__all__ = ["Evidence", "Marks", "Verdict", "evidence_of"]

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]


class Verdict(StrEnum):
    """What a check says: nothing wrong, something wrong, or too little to say anything.

    BAD is what is suspect by far, see `cimis.agronomy.grades`.
    """

    SOUND = "sound"
    SUSPECT = "suspect"
    BAD = "bad"
    NO_EVIDENCE = "no evidence"


@dataclass(frozen=True, slots=True)
class Marks:
    """Values that a check marks; the values themselves stay as they are.

    Attributes
    ----------
    check : str
        Name of the check.
    figure : float64 array, shape of the values
        What was held against the bounds, in the unit that the check states; NaN where the check
        could not judge.
    marked : bool array, shape of the values
        True where the figure is out of bounds.
    low, high : float
        The bounds, infinite where there is none.
    tolerated : float
        Share of judged values that sound sensors have marked too, as some days are rare.
    """

    check: str
    figure: Doubles
    marked: Bools
    low: float
    high: float
    tolerated: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """The marks of one check over one series, in figures.

    ``judged`` and ``marked`` count values; ``first`` and ``last`` are the times of the first and
    last marked value, ``worst_at`` that of the figure ``worst`` farthest out of bounds (NaT, NaN
    where none is marked). SUSPECT is a series of which more is marked than sound ones have.
    """

    check: str
    verdict: Verdict
    judged: int
    marked: int
    low: float
    high: float
    first: np.datetime64
    last: np.datetime64
    worst: float
    worst_at: np.datetime64


def evidence_of(marks: Marks, times: Times) -> Evidence:
    """Return what the marks of one series, in order of time, say in sum."""
    judged, places = np.isfinite(marks.figure), np.flatnonzero(marks.marked)
    count = int(judged.sum())
    if places.size == 0:
        none, verdict = np.datetime64("NaT", "s"), Verdict.SOUND if count else Verdict.NO_EVIDENCE
        return Evidence(
            marks.check, verdict, count, 0, marks.low, marks.high, none, none, np.nan, none
        )
    figures = marks.figure[places]
    worst = int(places[np.argmax(np.maximum(figures - marks.high, marks.low - figures))])
    return Evidence(
        marks.check,
        Verdict.SUSPECT if places.size > marks.tolerated * count else Verdict.SOUND,
        count,
        int(places.size),
        marks.low,
        marks.high,
        times[places[0]],
        times[places[-1]],
        float(marks.figure[worst]),
        times[worst],
    )
