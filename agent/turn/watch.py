"""A turn that can be left at once: it runs in a thread of its own while the person's stop is watched."""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agent.errors import Stopped

# How soon a stop is heard while a tool is busy.
_TICK_S = 0.1
_END = object()
Item = TypeVar("Item")


def watched(work: Callable[[], Iterator[Item]], stop: threading.Event) -> Iterator[Item]:
    """Items of `work` as they come.

    Args:
        work: Runs in its own thread; it looks at the same `stop` and ends by itself as soon as it can.
        stop: Set by the person.

    Raises:
        Stopped: `stop` was set; what `work` still does is thrown away.
        Whatever `work` raises.
    """
    items: queue.SimpleQueue[object] = queue.SimpleQueue()

    def run() -> None:
        try:
            for item in work():
                items.put(item)
        finally:
            items.put(_END)

    worker = ThreadPoolExecutor(1, thread_name_prefix="turn")
    running = worker.submit(run)
    worker.shutdown(wait=False)
    while True:
        try:
            item = items.get(timeout=_TICK_S)
        except queue.Empty:
            if stop.is_set():
                raise Stopped("stopped by the person") from None
            continue
        if item is _END:
            break
        yield item  # type: ignore[misc]
    running.result()
