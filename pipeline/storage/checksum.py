"""The checksum by which files and objects are known."""

from __future__ import annotations

import hashlib

__all__ = ["checksum_of"]


def checksum_of(data: bytes) -> str:
    """Return the checksum of a file's or an object's bytes: BLAKE2b-128, hex."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()
