"""Mend the rain of station 224, whose gauge was counted in wrong units to 4 October 2016.

The network's note beside its archive says that the station's tips of 0.01 inch were taken for
0.1 mm, so that its files show rain divided by 2.54. Files that were made anew later are right: the
note names the true rain of 3 October 2016, 0.07 inch, which tells such a file of that year.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cimis.pipeline.field.items import Standard
from cimis.pipeline.field.units import DEPTH

__all__ = ["FINER", "STATION", "mend_rain"]

Ints = npt.NDArray[np.int64]

STATION = 224
FINER = 2
"""Decimals that mended rain has more: it is exact, so that it is rounded in conversion alone."""

_LAST = np.datetime64("2016-10-04", "D")
_WITNESS = np.datetime64("2016-10-03", "D")
_TRUE_INCH = 70  # thousandths
_THOUSANDTH, _OF = DEPTH.step(3, 3)
_TRUE = {Standard.ENGLISH: _TRUE_INCH, Standard.METRIC: _TRUE_INCH * _THOUSANDTH // _OF}
_TIP, _TENTH = DEPTH.step(2, 1)  # a hundredth of an inch in the tenths of mm that it was taken for


def mend_rain(
    days: npt.NDArray[np.datetime64],
    rain: Ints,
    missing: npt.NDArray[np.bool_],
    standard: Standard,
) -> tuple[Ints, int]:
    """Return station 224's rain with the error mended, and how many values that changed.

    The rain is in units of ``FINER`` decimals more than it was.

    Parameters
    ----------
    days : datetime64[D] array
    rain : int64 array
        Thousandths of an inch or of a millimetre.
    missing : bool array
    standard : Standard
        Units of the rain.
    """
    witness = (days == _WITNESS) & ~missing
    true = _TRUE[standard]
    if witness.any() and abs(int(rain[witness].sum()) - true) < 0.2 * true:
        first = np.datetime64("2016-01-01", "D")  # this year's part of the file is right
    else:
        first = _LAST + np.timedelta64(1, "D")
    wrong = (days <= _LAST) & (days < first) & ~missing & (rain != 0)
    finer = rain * 10**FINER
    return np.where(wrong, finer * _TIP // _TENTH, finer), int(wrong.sum())
