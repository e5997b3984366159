"""Write a file of answers whole or not at all: beside its place first, then into it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from cimis.pipeline.errors import StoreError, UsageError
from cimis.pipeline.storage.system import put_in_place

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``path`` that takes its place when all went well."""
    if path.is_dir():
        raise UsageError(f"cannot write '{path}': it is a directory", hint="name a file")
    if path.exists() and not path.is_file():  # a device or a pipe is written as it is
        with _telling(path), path.open("wb") as stream:
            yield stream
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise UsageError(
            f"cannot write '{path}': {error.strerror}", hint="choose an existing, writable folder"
        ) from error
    temporary = Path(name)
    try:
        with _telling(path):
            with os.fdopen(handle, "wb") as stream:
                yield cast("IO[bytes]", stream)
            temporary.chmod(0o666 & ~_umask())
            put_in_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn a failure of the disk into an error that names the file."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        denied = isinstance(error, PermissionError)
        hint = "close the program that has it open" if denied else "check the disk's free space"
        raise StoreError(f"cannot write '{path}': {error.strerror or error}", hint=hint) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
