"""What is stored, whole or of some sites, to be scanned lazily: Polars frames, pyarrow datasets."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cimis.answers.question import Question, question_of
from cimis.answers.sql import sql
from cimis.lacking import warn_of, warn_of_damage
from cimis.naming.sites import Sites, Stations
from cimis.opened import Opened
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import Lacks

if TYPE_CHECKING:
    import polars as pl
    import pyarrow.dataset as ds

    from cimis.queries.engines.answer import Answer
    from cimis.queries.mirror.twins import Twins

__all__ = ["dataset", "scan_daily", "scan_hourly", "strangers", "warn_of_strangers"]


def scan_daily(
    opened: Opened, stations: Stations | None = None, *, qc: str = "keep"
) -> pl.LazyFrame:
    """Return a lazy frame of daily rows, which reads only what its plan needs.

    It has a column for every item and ``reference_eto`` with its source, and answers from what is
    stored now, also when it is collected later.

    Parameters
    ----------
    stations : int, str, Target or iterable of them, optional
        As of :meth:`daily`; ``"targets"`` for all rows of spatial targets.
    qc : {"keep", "drop-severe", "strict"}

    Raises
    ------
    UsageError
        As of :meth:`daily`.

    Warns
    -----
    IncompleteAnswer
        When nothing is stored of some that are named, or of damaged chunks.
    """
    return _scan(opened, question_of(opened.root, Scope.DAILY, stations), qc)


def scan_hourly(
    opened: Opened, stations: Stations | None = None, *, qc: str = "keep"
) -> pl.LazyFrame:
    """Return a lazy frame of hourly rows; see :meth:`scan_daily`."""
    return _scan(opened, question_of(opened.root, Scope.HOURLY, stations), qc)


def dataset(
    opened: Opened,
    scope: str | Scope = "daily",
    *,
    stations: Stations | None = None,
    qc: str = "keep",
) -> ds.Dataset:
    """Return the rows of a scope as a dataset of pyarrow's own: it scans, pickles, unites.

    It has a column for every item, and answers from what is stored now; ``stations``, errors and
    warnings are as of :meth:`scan_daily`.
    """
    import pyarrow.compute as pc

    from cimis.queries.dataset import dataset, in_memory

    question = question_of(opened.root, scope, stations)
    found = _twins(opened, question, qc)
    made = (
        in_memory(_loose(opened, question.table, qc))
        if found is None
        else dataset(question.table, found)
    )
    named = question.sites.named
    if named is None:
        return made
    return made.filter(pc.field(_who(question)).isin(list(named)))


def _scan(opened: Opened, question: Question, qc: str) -> pl.LazyFrame:
    from cimis.queries.engines.forks import check_polars

    check_polars()
    import polars as pl

    from cimis.queries.frames import frame, scan

    found = _twins(opened, question, qc)
    table, made = question.table, None
    if found is not None:
        with suppress(FileNotFoundError):  # deleted since it was found
            made = scan(table, found)
    if made is None:
        made = frame(_loose(opened, table, qc)).lazy()
    named = question.sites.named
    return made if named is None else made.filter(pl.col(_who(question)).is_in(list(named)))


def _who(question: Question) -> str:
    return question.sites.kind.value


def _loose(opened: Opened, table: str, qc: str) -> Answer:
    """Return all rows of a table, to be read from the chunks; where no mirror is kept."""
    from cimis.queries.mirror.layout import columns_of

    listed = ", ".join([*columns_of(table), "reference_eto", "reference_eto_source"])
    return sql(opened, f"SELECT {listed} FROM {table}", qc=qc)


def _twins(opened: Opened, question: Question, qc: str) -> Twins | None:
    """Return the twins of a question's table, None where none are kept; tell what they lack."""
    from cimis.queries.quality import policy

    table = question.table
    found = opened.mirrors.twins(question.scope, table, policy(qc))
    if found is not None:
        warn_of_damage(opened.engine.damage(table))
    warn_of_strangers(opened, question)
    return found


def warn_of_strangers(opened: Opened, question: Question) -> None:
    """Warn of those named of whom no chunk is stored; a lazy answer tells nothing later."""
    warn_of(strangers(opened, question.sites, (question.scope,)))


def strangers(opened: Opened, sites: Sites, scopes: Sequence[Scope]) -> Lacks:
    """Return those named of whom no chunk of some scopes is stored."""
    from cimis.pipeline.catalog.database import Catalog

    if sites.named is None:
        return Lacks(kind=sites.kind)
    with Catalog(opened.root) as catalog:
        stored = {
            site
            for scope in scopes
            for site, *_ in catalog.holdings(scope, sites.named, kind=sites.kind)
        }
    missed = tuple(site for site in sites.named if site not in stored)
    return Lacks(without_rows=missed, kind=sites.kind)
