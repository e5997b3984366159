"""A bucket of S3, Google Cloud or Azure, or files behind HTTP, through obstore.

Keys, endpoints and regions are that library's conventions (``AWS_ACCESS_KEY_ID``,
``AWS_ENDPOINT_URL``, ``AWS_SKIP_SIGNATURE``, ``GOOGLE_SERVICE_ACCOUNT``, ...); none is kept here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from cimis.pipeline.errors import AuthError, CimisError, NetworkError, StoreError, UsageError
from cimis.pipeline.extras import needing
from cimis.pipeline.published.bucket import Held, Superseded, Traffic

__all__ = ["ObjectStore"]

T = TypeVar("T")
_CLIENT = {"connect_timeout": "10s", "timeout": "60s"}
_RETRIES = {"max_retries": 3, "retry_timeout": dt.timedelta(seconds=30)}
_NO_WAY = re.compile(
    r"error sending request|connect|timed? ?out|dns|Connection|reset|body", re.IGNORECASE
)
_BEYOND = re.compile(r"\b416\b|InvalidRange|range .*(larger|beyond|start)", re.IGNORECASE)
_LONGEST = 200


class ObjectStore:
    """Objects below a URL; a bucket (`cimis.pipeline.published.bucket`).

    Raises
    ------
    UsageError
        Where obstore is not installed, or the URL cannot be meant.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.traffic = Traffic()
        with needing("objects", f"{url} needs obstore, which is not installed ({{error}})"):
            self._api = import_module("obstore")
            stores = import_module("obstore.store")
            self._errors = import_module("obstore.exceptions")
        client = dict(_CLIENT) | {"allow_http": url.startswith("http:") or _plain_http()}
        try:
            self._store = stores.from_url(url, client_options=client, retry_config=_RETRIES)
        except (self._errors.BaseError, ValueError) as error:
            raise UsageError(
                f"{url} cannot be opened: {_short(error)}",
                hint="give s3://bucket/prefix, gs://, az://, https:// or a folder",
            ) from None

    def get(self, name: str) -> tuple[bytes, object]:
        """Return an object, and what it is known by (``e_tag``, ``version``)."""

        def get() -> tuple[bytes, object]:
            found = self._api.get(self._store, name)
            meta = found.meta
            tag = {key: meta[key] for key in ("e_tag", "version") if meta.get(key) is not None}
            return bytes(found.bytes()), tag

        data, tag = self._asked(name, "read", get)
        self.traffic.count(received=len(data))
        return data, tag

    def get_range(self, name: str, start: int, stop: int) -> bytes:
        """Return a part of an object."""

        def get() -> bytes:
            try:
                return bytes(self._api.get_range(self._store, name, start=start, end=stop))
            except self._errors.BaseError as error:
                if _BEYOND.search(str(error)):  # the object ends before the range begins
                    return b""
                raise

        data = self._asked(name, "read", get)
        self.traffic.count(received=len(data))
        return data

    def put(self, name: str, data: bytes) -> None:
        """Put an object in place at once."""
        self._asked(name, "write", lambda: self._api.put(self._store, name, data))
        self.traffic.count(sent=len(data))

    def put_if(self, name: str, data: bytes, tag: object) -> None:
        """Put an object in place, unless it has changed; the store compares."""
        mode = "create" if tag is None else tag

        def put() -> None:
            try:
                self._api.put(self._store, name, data, mode=mode, use_multipart=False)
            except (self._errors.PreconditionError, self._errors.AlreadyExistsError):
                raise Superseded(name) from None

        self._asked(name, "write", put)
        self.traffic.count(sent=len(data))

    def held(self) -> Iterator[Held]:
        """Yield all objects, a thousand a request."""
        pages = iter(self._asked("", "list", lambda: self._api.list(self._store, chunk_size=1000)))
        while (page := self._asked("", "list", lambda: next(pages, None))) is not None:
            self.traffic.count()
            for one in page:
                yield Held(one["path"], one["size"], one["last_modified"])

    def standing(self, name: str) -> tuple[int, int]:
        """Return an object's size, and a number that is another when it was changed.

        The time alone does not tell: stores keep whole seconds.
        """
        meta = self._asked(name, "read", lambda: self._api.head(self._store, name))
        self.traffic.count()
        seen = f"{meta.get('e_tag')} {meta['last_modified']}".encode()
        return meta["size"], int.from_bytes(hashlib.blake2b(seen, digest_size=7).digest())

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects, many a request."""
        if names:
            self._asked(names[0], "remove", lambda: self._api.delete(self._store, list(names)))
            self.traffic.count()

    def _asked(self, name: str, doing: str, ask: Callable[[], T]) -> T:
        """Return what the library gives; what it refuses is worded."""
        try:
            return ask()
        except FileNotFoundError as error:  # the library's own error of what is not there is one
            if "NoSuchBucket" in str(error):
                raise StoreError(
                    f"there is no bucket at {self.url}", hint="check its name and the endpoint"
                ) from None
            raise FileNotFoundError(f"there is no {self.url}/{name}") from None
        except self._errors.BaseError as error:
            raise self._worded(error, name, doing) from None

    def _worded(self, error: Any, name: str, doing: str) -> CimisError:
        what, said = f"{self.url}/{name}".rstrip("/"), _short(error)
        known = self._errors
        text = str(error)
        if isinstance(error, known.PermissionDeniedError | known.UnauthenticatedError) or re.search(
            r"\b40[13]\b|credential|AccessDenied|InvalidAccessKey", text
        ):
            return AuthError(
                f"no right to {doing} {what}: {said}",
                hint="set the store's keys as its own tools take them (AWS_ACCESS_KEY_ID, ...); "
                "for a public bucket AWS_SKIP_SIGNATURE=true",
            )
        if isinstance(error, known.NotSupportedError):
            return StoreError(
                f"cannot {doing} {what}: {said}", hint="this kind of store can only be read"
            )
        if "NoSuchBucket" in text:
            return StoreError(f"there is no bucket at {self.url}", hint="check its name")
        if _NO_WAY.search(text):
            return NetworkError(
                f"cannot {doing} {what}: {said}",
                kind="connect",
                hint="check the network and the endpoint (AWS_ENDPOINT_URL; AWS_ALLOW_HTTP=true "
                "where it has no TLS), and try again",
            )
        return StoreError(f"cannot {doing} {what}: {said}", hint="try again; see docs/scale.md")


def _plain_http() -> bool:
    """Tell whether the environment lets an endpoint be without TLS; options of ours hide that."""
    return os.environ.get("AWS_ALLOW_HTTP", "").strip().lower() in ("1", "true", "yes")


def _short(error: Exception) -> str:
    """Return what a library says in one line, without what follows a question mark in a URL."""
    text = " ".join(str(error).split("\n\nDebug source")[0].split())
    text = re.sub(r"\?\S*| in [\d.]+[µmn]?s\b|, after \d+ retries.*?retry_timeout: \w+", "", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
