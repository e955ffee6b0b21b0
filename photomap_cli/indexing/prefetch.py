"""Owns working ahead in threads.  Knows nothing of photos."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Prefetch(Generic[Item, Result]):
    """An iterator over items with their results, in order; threads work on up to `limit` items ahead, starting now.

    `limit` can be changed meanwhile.  Close it to end the threads; running work is finished first.
    """

    def __init__(self, work: Callable[[Item], Result], items: Iterable[Item], *, threads: int, limit: int) -> None:
        self._work, self._items, self.limit = work, iter(items), limit
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._fill()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[Item, Result]:
        self._fill()
        if not self._waiting:
            raise StopIteration
        item, result = self._waiting.popleft()
        return item, result.result()

    @property
    def is_ready(self) -> bool:
        """Whether the next result is there, so that taking it doesn't wait."""
        return bool(self._waiting) and self._waiting[0][1].done()

    def put_back(self, item: Item, result: Result) -> None:
        """Return this item and result next, again."""
        done: Future[Result] = Future()
        done.set_result(result)
        self._waiting.appendleft((item, done))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _fill(self) -> None:
        for item in islice(self._items, max(0, self.limit - len(self._waiting))):
            self._waiting.append((item, self._pool.submit(self._work, item)))


def start_thread(work: Callable[[], Result], name: str) -> Future[Result]:
    """Run `work` on a separate thread, which isn't waited for if its result isn't needed."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
