"""``cimis publish``: what is stored, put where others read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cimis.cli.options import data_dir, declare, option, printing
from cimis.cli.showing.output import Output, counted

if TYPE_CHECKING:
    from cimis.pipeline.published.publish import Publication

__all__ = ["command"]


@declare(
    "publish",
    examples=[
        "cimis publish share/cimis",
        "cimis publish s3://bucket/cimis --dry-run",
        "cimis publish s3://bucket/cimis --parquet",
    ],
)
@click.argument("to", metavar="TO")
@option("--parquet", is_flag=True, help="Send Parquet files by year too, that any tool reads.")
@option("--replace", is_flag=True, help="Also where chunks are published that are not here.")
@option("--resend", is_flag=True, help="Send everything again: mends what was damaged there.")
@option("--dry-run", is_flag=True, help="Change nothing; say what would be sent.")
@data_dir
@printing(talks=True)
def command(
    *,
    to: str,
    parquet: bool,
    replace: bool,
    resend: bool,
    dry_run: bool,
    data_dir: str | None,
    out: Output,
) -> None:
    """Put what is stored into a bucket or a folder, where others read it without a copy.

    TO is s3://BUCKET/PREFIX, gs://, az:// or a folder. Only what changed is sent, and the manifest
    last, so that a reader always finds one version, whole; ended anywhere, run it again. Others use
    it as their data directory (--data-dir TO), or copy it (cimis pull TO). Object stores need
    pip install 'cimis[objects]' and take their keys as their own tools do, as AWS_ACCESS_KEY_ID.
    """
    from cimis.cli.session import opened
    from cimis.cli.showing.progress import counting

    with (
        opened(data_dir, None, told=out.note) as store,
        counting(out, "sending objects") as on_object,
    ):
        done = store.publish(
            to,
            parquet=parquet,
            replace=replace,
            resend=resend,
            dry_run=dry_run,
            on_object=on_object,
            on_year=None if out.as_json else lambda name: out.note(f"making {name}"),
        )
    _tell(done, out)


def _tell(done: Publication, out: Output) -> None:
    if out.as_json:
        out.json(done.as_dict())
        return
    if not done.changed:
        out.line(f"up to date: {counted(done.chunks, 'chunk')} at {done.to}")
        return
    verb = "would send" if done.dry_run else "sent"
    out.line(
        f"{verb} {counted(done.new_chunks, 'changed chunk')} of {done.chunks:,} in "
        f"{counted(done.objects, 'object')}, {counted(done.sent_bytes, 'byte')}: {done.to}"
    )
    if done.gone_chunks:
        out.note(f"{counted(done.gone_chunks, 'chunk')} there are named no more")
    if done.removed_objects:
        out.note(f"{counted(done.removed_objects, 'object')} of no use for a week removed")
