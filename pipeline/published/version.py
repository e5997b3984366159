"""A published store as it is at a moment: its manifest, and its catalog on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cimis.pipeline.errors import StoreError
from cimis.pipeline.published.bucket import Bucket
from cimis.pipeline.published.manifest import Manifest
from cimis.pipeline.published.near import Near
from cimis.pipeline.published.snapshot import Lies, lies_in, unpacked
from cimis.pipeline.storage.checksum import checksum_of

__all__ = ["Version", "open_version"]


@dataclass(frozen=True, slots=True)
class Version:
    """What a manifest names, its catalog read; ``tag`` changes with the manifest."""

    manifest: Manifest
    tag: object
    catalog: Path
    lies: Mapping[str, Lies]


def open_version(bucket: Bucket, near: Near) -> Version | None:
    """Read a bucket's manifest, and its catalog where it is not near; None where there is none.

    Raises
    ------
    StoreError
        When one of them is damaged, or of a newer version.
    """
    found = Manifest.read(bucket)
    if found is None:
        return None
    manifest, tag = found
    path = near.catalog(manifest.catalog_checksum)
    if not path.is_file():
        where = f"{bucket.url}/{manifest.catalog}"
        try:
            data, _ = bucket.get(manifest.catalog)
        except FileNotFoundError:
            raise StoreError(
                f"{bucket.url} is not complete: its manifest names {manifest.catalog}, which is "
                "not there",
                hint="open it again; if it stays so, ask who publishes it to publish again",
            ) from None
        if checksum_of(data) != manifest.catalog_checksum:
            raise StoreError(
                f"the catalog {where} is damaged: {len(data):,} bytes of another checksum than the "
                "manifest's",
                hint="ask who publishes it to publish again (cimis publish)",
            )
        path = near.keep_catalog(manifest.catalog_checksum, unpacked(data, where))
    return Version(manifest, tag, path, lies_in(path))
