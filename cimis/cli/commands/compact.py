"""``cimis compact``: whole columns beside the chunks, for questions over everything."""

from __future__ import annotations

from dataclasses import asdict

from cimis.cli.options import data_dir, declare, option, printing
from cimis.cli.output import Output

__all__ = ["command"]


@declare("compact", examples=["cimis compact", "cimis compact --discard"])
@option("--discard", is_flag=True, help="Delete the column cache; the chunks stay.")
@data_dir
@printing(talks=True)
def command(*, discard: bool, data_dir: str | None, out: Output) -> None:
    """Build or update the column cache: each column of all stations as one file, read by mapping.

    Questions over many stations and years then read no chunk. Chunks that were stored since are
    read from their files until the next run, which decodes only those. It is made from the chunks
    and can be deleted at any time; a year of a station takes about 17 KB.
    """
    from cimis.cli.session import opened

    with opened(data_dir, None) as store:
        if discard:
            freed = store.discard_columns()
            out.note(f"deleted the column cache: {freed:,} bytes freed")
            return
        rows = [asdict(done) for done in store.compact()]
    names = ("scope", "chunks", "decoded", "left_out", "rows", "bytes", "seconds")
    out.rows(names, [(*(row[n] for n in names[:-1]), round(row["seconds"], 3)) for row in rows])
