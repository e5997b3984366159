"""The forms that rows are written in, by name, each of a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyarrow as pa

from cimis.queries.export.forms.columnar import Arrow, Parquet
from cimis.queries.export.forms.delimited import Delimited
from cimis.queries.export.forms.markdown import Markdown
from cimis.queries.export.forms.objects import Json, Ndjson
from cimis.queries.export.forms.page import Page
from cimis.queries.export.forms.stream import Counted, Heading, Writer
from cimis.queries.export.forms.workbook import Workbook

__all__ = ["WRITERS", "Counted", "Heading", "Writer"]

WRITERS: dict[str, Callable[[Counted, pa.Schema, Heading], Writer]] = {
    "csv": partial(Delimited, separator=","),
    "tsv": partial(Delimited, separator="\t"),
    "json": Json,
    "ndjson": Ndjson,
    "parquet": Parquet,
    "arrow": Arrow,
    "xlsx": Workbook,
    "md": Markdown,
    "html": Page,
}
