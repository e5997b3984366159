"""What the kinds that predict a column from others have in common: residuals are what is left.

A column is predicted only from such as are not predicted themselves, so that no reader has to
follow a chain.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from cimis.pipeline.chunks.encodings.kind import Kind, Predictor, Way
from cimis.pipeline.chunks.encodings.signed import plain_unzigzag, unzigzag, zigzag
from cimis.pipeline.chunks.octets import Reader, Writer
from cimis.pipeline.errors import ChunkError

if TYPE_CHECKING:
    from cimis.pipeline.chunks.bulk.cells import Cells
    from cimis.pipeline.chunks.bulk.varints import InStep
    from cimis.pipeline.chunks.encodings.trial import Column, Trial
    from cimis.pipeline.rows.numbers import Ints, Numbers, Words

__all__ = ["MAX_SOURCES", "Predicted", "Terms"]

MAX_SOURCES = 3


class Terms(NamedTuple):
    """What the cells of one formula are predicted by, as arrays.

    ``coefficients`` (int64) are cells x inputs or inputs, ``offset`` (int64) is of the cells.
    """

    formula: int
    coefficients: Ints
    offset: Ints

    @classmethod
    def of(cls, predictor: Predictor) -> Self:
        """Return those of one cell."""
        import numpy as np

        coefficients = np.array(predictor.coefficients, np.int64)
        return cls(predictor.formula, coefficients, np.array(predictor.offset, np.int64))


class Predicted(Kind):
    """``prediction + unzigzag(r[i])``.

    Attributes
    ----------
    what : str
        What errors call the prediction.
    most_decimals : int
        That a column which is predicted, or predicted from, may have.
    scaled : bool
        Whether the prediction depends on decimals.
    """

    feature: ClassVar[int] = 1
    what: ClassVar[str]
    most_decimals: ClassVar[int] = 18
    scaled: ClassVar[bool] = True

    @abstractmethod
    def sets(self, code: str) -> tuple[tuple[str, ...], ...]:
        """Return the sets of items from which an item is foretold, most telling first."""

    @abstractmethod
    def fitted(self, column: Column, sources: Sequence[Column]) -> Predictor | None:
        """Return the prediction of a column from others, None where there is none."""

    @abstractmethod
    def foretold(
        self, terms: Terms, inputs: Sequence[Ints], decimals: Sequence[int], out: int
    ) -> Ints:
        """Return what is foretold of cells, modulo 2**64: the same on every machine.

        Parameters
        ----------
        terms : Terms
        inputs : sequence of int64 arrays, ... x rows
            Scaled values of the columns that it rests on, missing rows as the writer filled them.
        decimals : sequence of int
            Of the inputs.
        out : int
            Decimals of the predicted column.
        """

    @abstractmethod
    def plain_foretold(
        self,
        predictor: Predictor,
        inputs: Sequence[Sequence[int]],
        decimals: Sequence[int],
        out: int,
    ) -> Iterator[int]:
        """Yield what `foretold` returns of one cell, without numpy."""

    def candidates(self, trial: Trial) -> Iterator[tuple[Sequence[Way], Words]]:
        """Yield every prediction that can be made among a block's columns."""
        for place in trial.varied.tolist():
            column = trial.columns[place]
            for codes in self.sets(column.code):
                if not trial.sources.keys() >= {*codes}:
                    continue
                sources = [trial.sources[code] for code in codes]
                predictor = self.fitted(column, sources)
                if predictor is not None:
                    yield [(place, 0, predictor)], self._left(column, predictor, sources)

    def _left(self, column: Column, predictor: Predictor, sources: Sequence[Column]) -> Words:
        """Return what is left of a column's prediction, 0 where it is missing."""
        inputs, decimals = [s.values for s in sources], [s.decimals for s in sources]
        own = column.counts if self.steps else column.values
        left = own - self.foretold(Terms.of(predictor), inputs, decimals, column.decimals)
        if column.missing is not None:
            left[column.missing] = 0
        return zigzag(left)[None, :]

    def numbers(self, words: Words, base: Ints) -> Numbers:  # noqa: ARG002
        """Return what is left."""
        return unzigzag(words)

    def plain(self, words: Iterable[int], base: int) -> Iterator[int]:  # noqa: ARG002
        """Yield what is left."""
        return plain_unzigzag(words)

    def check_decimals(self, decimals: Sequence[int]) -> None:
        """Check the decimals of a predicted column and of those that it is predicted from."""
        if max(decimals) > self.most_decimals:
            raise ChunkError(f"{self.what} is used with {max(decimals)} decimals")

    def _write_columns(self, out: Writer, predictor: Predictor) -> None:
        out.unsigned(len(predictor.columns))
        for number in predictor.columns:
            out.unsigned(number)

    def _read_columns(
        self, source: Reader, columns: int, number: int, due: int | None = None
    ) -> tuple[int, ...]:
        """Return the columns, ``due`` of them, that column ``number`` is predicted from."""
        count = source.unsigned(MAX_SOURCES)
        numbers = tuple(source.unsigned(columns - 1) for _ in range(count))
        if not numbers or number in numbers or count != (count if due is None else due):
            raise ChunkError(f"a column is predicted from columns {numbers}")
        return numbers

    def _read_many_columns(
        self, source: InStep, who: Ints, cells: Cells, place: tuple[int, int], columns: Ints
    ) -> Ints:
        """Read, in step, what `_read_columns` reads; return how many columns there are of each."""
        used = source.unsigned(who, MAX_SOURCES)
        source.refuse(who, used == 0)
        for number in range(MAX_SOURCES):
            some = used > number
            column = source.unsigned(who[some], columns[some] - 1)
            source.refuse(who[some], column == place[1])
            cells.sources[who[some], *place, number] = column
        cells.used[who, *place] = used
        return used
