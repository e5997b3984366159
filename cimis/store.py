"""One open data directory: what users hold to read, ask, fetch and keep."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from cimis.answers import completeness, computing, nearby
from cimis.answers import named as questions
from cimis.answers import rows as reading
from cimis.answers import scans as scanning
from cimis.answers import splits as splitting
from cimis.answers import sql as asking
from cimis.arguments import keeping, path_of
from cimis.contents import contents_of
from cimis.directory import data_directory, make_directory
from cimis.exports import export as exporting
from cimis.health import doctor as examining
from cimis.opened import Opened
from cimis.pages import crop_report as crop_pages
from cimis.pages import network_report as network_pages
from cimis.pages import reporting
from cimis.pictures import plot as pictures
from cimis.pipeline.markup import shown
from cimis.season import cold, compared, crop_water, heat, model_files, normal
from cimis.soundness import filling, quality
from cimis.tasks import care, fetching, syncing

__all__ = ["Store", "create", "open_store"]


class Store(Opened):
    """A data directory, open for questions; also a context manager.

    Use :func:`cimis.open`. A store sees what other processes store while it is open: every question
    reads what the catalog holds at its start.

    Its methods are the functions of the modules that they come from, with the store as first
    argument: what each takes, gives and raises stands there, once.

    Parameters
    ----------
    root : path
        The data directory.
    cache : int or str, optional
        The most bytes that the read cache of a scope may take, also as ``"500MB"``; 0 keeps none.
        By default CIMIS_CACHE or the configuration file say it, or nothing does.

    Examples
    --------
    >>> import cimis
    >>> with cimis.open("data") as store:                        # doctest: +SKIP
    ...     june = store.daily(stations=[2, "Davis"], start="2024-06-01", end="2024-06-30")
    """

    def __init__(self, root: str | Path, *, cache: int | str | None = None) -> None:
        super().__init__(data_directory(path_of(root)), keeping(cache))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {str(self.root)!r}{' closed' if self._closed else ''}>"

    def _repr_html_(self) -> str:
        return shown(f"Store at {self.root}", lambda: contents_of(self.root))

    # rows
    daily = reading.daily
    hourly = reading.hourly
    query = reading.query
    scan_daily = scanning.scan_daily
    scan_hourly = scanning.scan_hourly
    dataset = scanning.dataset
    splits = splitting.splits
    export = exporting.export

    # questions
    sql = asking.sql
    connect = asking.connect
    named = questions.named
    every = questions.every
    gaps = completeness.gaps
    eto = computing.eto
    eto_table = computing.eto_table
    computed_eto = computing.computed_eto
    qc = quality.qc
    filled = filling.filled
    degree_days = heat.degree_days
    chill = cold.chill
    normals = normal.normals
    compare = compared.compare
    crop_et = crop_water.crop_et
    export_model = model_files.export_model

    # what is seen
    plot = pictures.plot
    report = reporting.report
    network_report = network_pages.network_report
    crop_report = crop_pages.crop_report

    # what is listed
    stations = asking.stations
    chunks = asking.chunks
    near = nearby.near
    county = nearby.county

    # what comes, and keeps
    fetch = fetching.fetch
    sync = syncing.sync
    import_archive = care.import_archive
    migrate = care.migrate
    verify = care.verify
    doctor = examining.doctor


def open_store(path: str | Path = "data", *, cache: int | str | None = None) -> Store:
    """Open a data directory.

    Parameters
    ----------
    path : path
        Made by ``cimis init`` or :func:`create`.
    cache : int or str, optional
        The most bytes that the read cache of a scope may take, also as ``"500MB"``; 0 keeps none.

    Raises
    ------
    StoreError
        When there is no data directory at the path. Where there are chunks without a catalog of
        ours, its hint says how to take them over.
    """
    from cimis.pipeline.catalog.database import Catalog

    store = Store(path, cache=cache)
    with Catalog(store.root):
        return store


def create(path: str | Path, *, adopt: bool = False) -> Store:
    """Make a data directory, unless it is one already, and open it.

    Parameters
    ----------
    path : path
    adopt : bool
        Take over the chunks that lie there without being listed, as those of the older program: see
        :func:`cimis.pipeline.care.adopt.adopt`.

    Raises
    ------
    StoreError
        When the path is a file, nothing can be written there, or chunks lie there without a catalog
        and are not to be taken over.
    NoDataError
        When there is nothing to take over.
    CheckFailed
        When some chunk cannot be taken over; the others are.
    """
    root = path_of(path)
    make_directory(root, adopt=adopt)
    return Store(root)
