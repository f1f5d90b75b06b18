"""Whose turn it is: a page that moves a slider asks faster than answers come, and wants the newest alone."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

_MOST_PAGES = 256


class Stale(Exception):  # noqa: N818 - it is not an error: a newer question has come
    """A question that a newer one of the same page has overtaken."""


class Turns:
    """Lets one question of a topic be computed at a time, and drops those that a newer one has overtaken."""

    def __init__(self) -> None:
        self._newest: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._known = threading.Lock()
        self._work: dict[str, threading.Lock] = {}

    def announce(self, page: str, topic: str, number: int) -> None:
        """Note that a question has come; Stale if a newer one of the same page and topic came before."""
        key = (page, topic)
        with self._known:
            newest = self._newest.get(key, -1)
            if number < newest:
                raise Stale
            self._newest[key] = number
            self._newest.move_to_end(key)
            while len(self._newest) > _MOST_PAGES:
                self._newest.popitem(last=False)

    @contextmanager
    def taken(self, page: str, topic: str, number: int) -> Iterator[None]:
        """Wait for the turn of an announced question; Stale if a newer one has come in the meantime."""
        with self._known:
            work = self._work.setdefault(topic, threading.Lock())
        with work:
            with self._known:
                if number < self._newest.get((page, topic), number):
                    raise Stale
            yield
