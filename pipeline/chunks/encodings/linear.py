"""LINEAR: a column foretold by a least-squares fit of up to three others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from cimis.pipeline.chunks.encodings.kind import Encoding, Predictor
from cimis.pipeline.chunks.encodings.predicted import MAX_SOURCES, Predicted, Terms
from cimis.pipeline.chunks.encodings.signed import wrap
from cimis.pipeline.chunks.octets import Reader, Writer

if TYPE_CHECKING:
    from cimis.pipeline.chunks.bulk.cells import Cells
    from cimis.pipeline.chunks.bulk.varints import InStep
    from cimis.pipeline.chunks.encodings.trial import Column
    from cimis.pipeline.rows.numbers import Ints

__all__ = ["Linear"]

_SUN_AIR_WIND = ("day-sol-rad-avg", "day-air-tmp-avg", "day-wind-run")
_HOURLY_ETO = (("hly-sol-rad", "hly-air-tmp", "hly-wind-spd"), ("hly-sol-rad",))
_SETS: dict[str, tuple[tuple[str, ...], ...]] = {
    "day-wind-spd-avg": (("day-wind-run",),),
    "day-air-tmp-min": (("day-air-tmp-avg", "day-air-tmp-max"), ("day-air-tmp-avg",)),
    "day-soil-tmp-max": (("day-soil-tmp-avg", "day-soil-tmp-min"), ("day-soil-tmp-avg",)),
    "day-asce-eto": (_SUN_AIR_WIND,),
    "day-eto": (_SUN_AIR_WIND,),
    "day-asce-etr": (_SUN_AIR_WIND,),
    "day-sol-rad-net": (("day-sol-rad-avg",),),
    "day-rel-hum-max": (("day-vap-pres-avg", "day-air-tmp-avg"), ("day-rel-hum-min",)),
    "hly-res-wind": (("hly-wind-spd",),),
    "hly-asce-eto": _HOURLY_ETO,
    "hly-asce-etr": _HOURLY_ETO,
    "hly-eto": _HOURLY_ETO,
    "hly-net-rad": (("hly-sol-rad",),),
}
"""By item the sets of items that foretell it; found by trial on real years."""
_SHIFT = 16  # coefficients are 65,536 times what they stand for


class Linear(Predicted):
    """``(offset + Σ coefficient × column[i]) >> 16``, and what is left."""

    number: ClassVar[int] = 3
    name: ClassVar[str] = "LINEAR"
    what: ClassVar[str] = "a linear prediction"
    scaled: ClassVar[bool] = False

    def write(self, out: Writer, encoding: Encoding) -> None:
        """Append columns, coefficients and offset."""
        predictor = encoding.predictor
        assert predictor is not None
        self._write_columns(out, predictor)
        for coefficient in predictor.coefficients:
            out.signed(coefficient)
        out.signed(predictor.offset)

    def read(self, source: Reader, columns: int, number: int) -> tuple[int, Predictor]:
        """Return what `write` wrote."""
        numbers = self._read_columns(source, columns, number)
        coefficients = tuple(source.signed() for _ in numbers)
        return 0, Predictor(numbers, coefficients, source.signed())

    def read_many(
        self, source: InStep, who: Ints, cells: Cells, place: tuple[int, int], columns: Ints
    ) -> None:
        """Read, in step, what `read` reads."""
        used = self._read_many_columns(source, who, cells, place, columns)
        for number in range(MAX_SOURCES):
            some = who[used > number]
            cells.coefficients[some, *place, number] = source.signed(some)
        cells.shift[who, *place] = source.signed(who)

    def sets(self, code: str) -> tuple[tuple[str, ...], ...]:
        """Return the sets of items that a fit is tried with."""
        return _SETS.get(code, ())

    def fitted(self, column: Column, sources: Sequence[Column]) -> Predictor | None:
        """Return integer coefficients (times 65,536) of the least-squares fit over present rows.

        The sums are exact integers and the small system is solved in plain double arithmetic in a
        fixed order, so the coefficients do not depend on the machine.
        """
        import numpy as np

        size = len(sources) + 1
        data = np.ones((size + 1, column.values.size), np.int64)
        for place, source in enumerate(sources):
            data[place] = source.values
        data[size] = column.counts
        if column.missing is not None:
            data = data[:, ~column.missing]
        if data.shape[1] < 2 * size or column.is_large:
            return None
        system = (data[:size] @ data.T).astype(np.float64).tolist()
        for pivot in range(size):
            if abs(system[pivot][pivot]) < 1e-9:
                return None
            for row in range(size):
                if row != pivot:
                    factor = system[row][pivot] / system[pivot][pivot]
                    for place in range(pivot, size + 1):
                        system[row][place] -= factor * system[pivot][place]
        solved = [system[i][size] / system[i][i] for i in range(size)]
        if any(not abs(x) < 1 << 20 for x in solved):
            return None
        scaled = [round(x * (1 << _SHIFT)) for x in solved]
        half = 1 << _SHIFT - 1
        return Predictor(tuple(s.number for s in sources), tuple(scaled[:-1]), scaled[-1] + half)

    def foretold(
        self,
        terms: Terms,
        inputs: Sequence[Ints],
        decimals: Sequence[int],  # noqa: ARG002
        out: int,  # noqa: ARG002
    ) -> Ints:
        """Return the floor of the sum over 65,536."""
        total: Ints = terms.coefficients[..., 0, None] * inputs[0]
        for place, values in enumerate(inputs[1:], 1):
            total += terms.coefficients[..., place, None] * values
        total += terms.offset[..., None]
        total >>= _SHIFT
        return total

    def plain_foretold(
        self,
        predictor: Predictor,
        inputs: Sequence[Sequence[int]],
        decimals: Sequence[int],  # noqa: ARG002
        out: int,  # noqa: ARG002
    ) -> Iterator[int]:
        """Yield the same."""
        offset, coefficients = predictor.offset, predictor.coefficients
        rows = zip(*inputs, strict=True)
        sums = (sum(c * v for c, v in zip(coefficients, row, strict=True)) for row in rows)
        return (wrap(offset + total) >> _SHIFT for total in sums)
