"""Ctrl-C stops an answer while the engine reckons, when Python itself is not asked."""

from __future__ import annotations

import os
import signal
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
    if os.name == "nt" or threading.current_thread() is not threading.main_thread():
        yield  # there a signal wakes sockets only, and goes to the main thread only
        return
    near, far = os.pipe()
    os.set_blocking(far, False)
    before = signal.set_wakeup_fd(far, warn_on_full_buffer=False)
    pressed = threading.Event()

    def watch() -> None:
        while number := os.read(near, 1):
            if number[0] == signal.SIGINT:
                pressed.set()
                stop()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()

    def told() -> bool:
        """Stop watching, and tell whether the key was pressed."""
        signal.set_wakeup_fd(before)
        os.close(far)
        watching.join()
        os.close(near)
        return pressed.is_set()

    try:
        yield
    except Exception:
        if told():
            raise KeyboardInterrupt from None
        raise
    except BaseException:
        told()
        raise
    else:
        told()
