"""Worker processes that leave with their parent and let only the parent answer Ctrl-C."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait


@contextmanager
def interrupts_blocked(*others: signal.Signals) -> Iterator[None]:
    """Start worker processes inside: they inherit the mask, so Ctrl-C never reaches them.

    Args:
        others: signals to be blocked besides SIGINT.
    """
    # Were it started with the first worker, it would let interrupts through to that one.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *others})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_with_parent() -> None:
    """Call in a worker: it exits at once when its parent is gone, however that died."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
