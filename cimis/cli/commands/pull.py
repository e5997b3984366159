"""``cimis pull``: a local copy of a published store."""

from __future__ import annotations

import click

from cimis.cli.options import data_dir, declare, option, printing
from cimis.cli.showing.output import Output, counted

__all__ = ["command"]

_NAMED = 3


@declare(
    "pull",
    examples=["cimis pull s3://bucket/cimis", "cimis pull share/cimis --data-dir copy"],
)
@click.argument("source", metavar="FROM")
@option(
    "--keep",
    type=click.Choice(["stored", "published"]),
    default="stored",
    show_default=True,
    help="Whose value is kept where both have one and it was changed here.",
)
@data_dir
@printing(talks=True)
def command(*, source: str, keep: str, data_dir: str | None, out: Output) -> None:
    """Make the data directory hold what was published; only what is lacking is fetched.

    FROM is s3://BUCKET/PREFIX, gs://, az://, https:// or a folder (cimis publish). Each chunk is
    checked before it is stored; ended anywhere, run it again. Chunks that were changed here, as by
    a sync, are left as they are and told.
    """
    from cimis.cli.session import data_root
    from cimis.cli.showing.progress import counting
    from cimis.tasks.pulling import pull

    root = data_root(data_dir)
    with counting(out, "storing chunks") as on_chunk:
        done = pull(source, root, overwrite=keep == "published", on_chunk=on_chunk)
    if done.kept:
        out.warn(
            f"{counted(len(done.kept), 'chunk')} changed here, as {', '.join(done.kept[:_NAMED])}, "
            "left as they are; --keep published takes the published ones"
        )
    if out.as_json:
        out.json({"data_dir": str(root), **done.as_dict()})
        return
    if not done.fetched_chunks:
        out.line(f"up to date: {counted(done.chunks, 'chunk')} of {done.source} in {root}")
        return
    out.line(
        f"stored {counted(done.fetched_chunks, 'chunk')} of {done.chunks:,}, "
        f"{counted(done.fetched_bytes, 'byte')}, in {root}: {done.source}"
    )
