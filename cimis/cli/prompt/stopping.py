"""Ctrl-C stops an answer while the engine reckons, when Python itself is not asked."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["stopped_by_ctrl_c"]


@contextmanager
def stopped_by_ctrl_c(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` at SIGINT, and end with `KeyboardInterrupt` whatever that makes of the block.

    Python tells of a signal when the call that runs comes back, and a query does not before its
    end. So the signal's number is read by a thread of its own, which the engine leaves running.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    near, far = socket.socketpair()
    far.setblocking(False)
    before = signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
    pressed = threading.Event()

    def watch() -> None:
        while number := near.recv(1):
            if number[0] == signal.SIGINT:
                pressed.set()
                stop()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    except Exception:
        if pressed.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.set_wakeup_fd(before)
        far.close()
        watching.join()
        near.close()
