"""What every answer can be: a pandas frame, an xarray data set, its first rows in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from cimis.pipeline.markup import Card

__all__ = ["Labelled", "Sense"]


@dataclass(frozen=True, slots=True)
class Sense:
    """An answer's table, and what stands beside it.

    Attributes
    ----------
    table : pyarrow.Table
    facts : mapping of str to str
        Of the whole answer: see :func:`cimis.queries.labelled.facts.facts_of`.
    root : Path, optional
        The data directory, whose catalog knows the stations.
    whole : bool
        Whether the rows are days or hours, so that those without a row are holes.
    """

    table: pa.Table
    facts: Mapping[str, str]
    root: Path | None = None
    whole: bool = True


class Labelled:
    """An answer with what its figures mean."""

    __slots__ = ()

    def _sense(self) -> Sense:
        raise NotImplementedError

    def _card(self) -> Card:
        raise NotImplementedError

    def df(self) -> Any:
        """Return all rows as a :class:`pandas.DataFrame`; needs ``pip install 'cimis[pandas]'``.

        See :func:`cimis.queries.labelled.pandas_frame.pandas_frame`.
        """
        from cimis.queries.labelled.facts import needed
        from cimis.queries.labelled.pandas_frame import pandas_frame

        needed("pandas")
        sense = self._sense()
        return pandas_frame(sense.table, sense.facts)

    def xr(self, *, by: Sequence[str] | None = None) -> xr.Dataset:
        """Return all rows as a :class:`xarray.Dataset`; needs ``pip install 'cimis[xarray]'``.

        Station × time where the answer has both, a variable a column; see
        :func:`cimis.queries.labelled.cube.cube`.

        Parameters
        ----------
        by : sequence of str, optional
            Columns that make a row unique, where others do than the usual: the dimensions.
        """
        from cimis.queries.labelled.cube import cube
        from cimis.queries.labelled.facts import needed, places_of

        needed("xarray")
        sense = self._sense()
        places = None if sense.root is None else places_of(sense.root)
        return cube(sense.table, sense.facts, by=by, places=places, whole=sense.whole)

    def _repr_html_(self) -> str:
        from cimis.pipeline.markup import shown

        return shown(type(self).__name__, self._card)
