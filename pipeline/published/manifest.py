"""The manifest of a published store: the one object that is replaced, and names all others."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from cimis.pipeline.errors import StoreError
from cimis.pipeline.published.bucket import Bucket
from cimis.pipeline.storage.checksum import checksum_of

__all__ = ["MANIFEST", "VERSION", "Manifest"]

MANIFEST = "cimis-manifest.json"
FORMAT = "cimis published store"
VERSION = 1
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a published store is at a moment.

    Attributes
    ----------
    state : str
        A checksum over all that the catalog says: two stores that hold the same have the same.
    catalog : str
        The object with the catalog's snapshot, and in ``catalog_bytes`` and ``catalog_checksum``
        its size and checksum (BLAKE2b-128, hex).
    chunks, rows, chunk_bytes : int
        What is published.
    published_at : str
        ISO 8601, UTC.
    cimis : str
        The version of the program that published it.
    """

    state: str
    catalog: str
    catalog_bytes: int
    catalog_checksum: str
    chunks: int
    rows: int
    chunk_bytes: int
    published_at: str
    cimis: str

    def to_bytes(self) -> bytes:
        """Return the manifest's JSON, with a checksum of its own as its last line."""
        facts = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return _text(facts | {"checksum": _checksum(facts)}).encode()

    @classmethod
    def of_bytes(cls, data: bytes, where: str) -> Self:
        """Return the manifest that an object is, checked.

        Raises
        ------
        StoreError
            Where it is cut or changed, of a newer version, or of another program.
        """
        damaged = StoreError(
            f"the manifest {where} is damaged: it is cut, or was changed by other hands",
            hint="ask who publishes it to publish again (cimis publish)",
        )
        try:
            facts: dict[str, Any] = json.loads(data)
            kind, version = facts["format"], facts["version"]
        except (ValueError, KeyError, TypeError):
            raise damaged from None
        if kind != FORMAT:
            raise StoreError(f"{where} is no manifest of a published store", hint="check the URL")
        if version != VERSION:
            raise StoreError(
                f"{where} is of version {version} of published stores; {VERSION} is known",
                hint="update cimis",
            )
        stated = facts.pop("checksum", None)
        if stated != _checksum(facts):
            raise damaged
        return cls(**{name: facts[name] for name in cls.__dataclass_fields__})

    @classmethod
    def read(cls, bucket: Bucket) -> tuple[Self, object] | None:
        """Return a bucket's manifest and its tag; None where there is none."""
        try:
            data, tag = bucket.get(MANIFEST)
        except FileNotFoundError:
            return None
        return cls.of_bytes(data[:_MOST_BYTES], f"{bucket.url}/{MANIFEST}"), tag


def _text(facts: dict[str, Any]) -> str:
    return json.dumps(facts, indent=1) + "\n"


def _checksum(facts: dict[str, Any]) -> str:
    return checksum_of(_text(facts).encode())
