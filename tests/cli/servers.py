"""Servers that misbehave, on loopback, for the command line to meet."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REJECTED = b"<html><head><title>Request Rejected</title></head><body>no</body></html>"


@contextmanager
def server(status: int, body: bytes, kind: str, *, wait_s: float = 0.0) -> Iterator[str]:
    """Serve one answer to every request; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(wait_s)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_arguments: Any) -> None:
            return

    listening = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
