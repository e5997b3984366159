"""What a kind of encoding is, and what is said of how one block's column is encoded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cimis.pipeline.chunks.octets import Reader, Writer

if TYPE_CHECKING:
    from cimis.pipeline.chunks.bulk.cells import Cells
    from cimis.pipeline.chunks.bulk.varints import InStep
    from cimis.pipeline.chunks.encodings.trial import Trial
    from cimis.pipeline.rows.numbers import Ints, Numbers, Words

__all__ = ["Encoding", "Kind", "Predictor", "Step", "Way"]

Step = tuple[int, int]
"""Numerator and denominator of the step that values are rounded multiples of."""


class Predictor(NamedTuple):
    """What a predicted column rests on.

    ``columns`` are column numbers; for LINEAR the prediction is
    ``(offset + sum(coefficient * value)) >> 16``, for PSYCHRO ``formula`` of the columns.
    """

    columns: tuple[int, ...]
    coefficients: tuple[int, ...] = ()
    offset: int = 0
    formula: int = 0


Way = tuple[int, int, Predictor | None]
"""A candidate: place of the column, base, what it is predicted from."""


class Kind(ABC):
    """How residuals come from values, and values from residuals; there is one object of each.

    Attributes
    ----------
    number, name : int and str
        As on the format's page.
    doubles : bool
        Whether it stands in columns of doubles; it then stands in no other.
    steps : bool
        Whether its numbers may count steps.
    feature : int
        The feature bit of files that have it, 0 where it needs none.
    """

    number: ClassVar[int]
    name: ClassVar[str]
    doubles: ClassVar[bool] = False
    steps: ClassVar[bool] = True
    feature: ClassVar[int] = 0

    def __repr__(self) -> str:
        """Return its name."""
        return self.name

    def write(self, out: Writer, encoding: Encoding) -> None:
        """Append the parameters of a cell to a footer."""
        out.signed(encoding.base)

    def read(
        self,
        source: Reader,
        columns: int,  # noqa: ARG002
        number: int,  # noqa: ARG002
    ) -> tuple[int, Predictor | None]:
        """Return the base and predictor of the cell of column ``number`` of so many, checked."""
        return source.signed(), None

    def read_many(
        self,
        source: InStep,
        who: Ints,
        cells: Cells,
        place: tuple[int, int],
        columns: Ints,  # noqa: ARG002
    ) -> None:
        """Read the parameters of one cell of each of some files as `read` does, in step.

        Parameters
        ----------
        source : InStep
            Footers; a file whose parameters break a rule is refused.
        who : int64 array
            The files.
        cells : Cells
            Where parameters are put.
        place : tuple of int
            Block and column of the cell.
        columns : int64 array
            How many columns each of the files has.
        """
        cells.base[who, *place] = source.signed(who)

    @abstractmethod
    def candidates(self, trial: Trial) -> Iterator[tuple[Sequence[Way], Words]]:
        """Yield ways to encode columns of a block, with residuals: a row for each way."""

    @abstractmethod
    def numbers(self, words: Words, base: Ints) -> Numbers:
        """Return the numbers of cells; of a predicted kind what is left of the prediction.

        Parameters
        ----------
        words : array of unsigned integers, ... x rows
            Residuals.
        base : int64 array, ... x 1

        Returns
        -------
        array of signed integers, ... x rows
            Modulo 2**64. It may be narrower than int64 where they fit.
        """

    @abstractmethod
    def plain(self, words: Iterable[int], base: int) -> Iterator[int]:
        """Return what `numbers` returns of one cell, without numpy and without the modulo."""


class Encoding(NamedTuple):
    """How one block's column is encoded: kind, how residuals lie, and what the kind needs.

    ``width`` is the number of byte planes. With ``low`` bits (1 to 7) there is one plane, of the
    residuals shifted right by so many, and the low bits follow it, packed. With a ``step`` the kind
    gives counts of steps, and values are these times the step, rounded.
    """

    kind: Kind
    width: int
    base: int = 0
    predictor: Predictor | None = None
    low: int = 0
    step: Step | None = None

    def frame_bytes(self, rows: int) -> int:
        """Return the bytes that the residuals of so many rows take before compression."""
        return self.width * rows + (self.low * rows + 7 >> 3)
