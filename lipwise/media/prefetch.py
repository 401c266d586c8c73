"""Reading ahead in a thread, so that decoding and rendering share two cores."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_END = object()


def prefetch(items: Iterable[T], *, depth: int = 8) -> Iterator[T]:
    """Pass items through while a thread fetches up to `depth` of them ahead.

    An error of the items is raised here, where its item would have come; leaving early ends the thread.
    """
    ready: queue.Queue = queue.Queue(maxsize=depth)
    leave = threading.Event()

    def put(entry: object) -> bool:
        while not leave.is_set():
            try:
                ready.put(entry, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def fetch() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    return
            put((_END, None))
        except BaseException as error:
            put((_END, error))

    thread = threading.Thread(target=fetch, daemon=True, name="lipwise-prefetch")
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        leave.set()
        thread.join()
