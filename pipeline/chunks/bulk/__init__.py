"""Chunk files decoded many at a time: blocks of like shape together, with every check kept.

The reader of single chunks (:mod:`cimis.pipeline.chunks.v2.codec`) is the reference: bulk reading
gives its rows, and whatever it does not take is left to the reference, with its errors.
"""

from cimis.pipeline.chunks.bulk.reading import ChunkFile, Damaged, Decoded, read_many

__all__ = ["ChunkFile", "Damaged", "Decoded", "read_many"]
