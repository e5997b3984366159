"""Chunk files: the V2 format, the V1 codec, atomic writes and checks."""
