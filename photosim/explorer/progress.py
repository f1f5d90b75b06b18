"""What is under way while a page waits: the first question compiles machine code, which takes seconds."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from photosim.errors import PhotosimWarning


class Progress:
    """The questions under way, and the function that numba compiles at the moment, if any."""

    def __init__(self) -> None:
        self._under_way: dict[int, tuple[str, float]] = {}
        self._compiling: list[str] = []
        self._compiled = 0
        self._next = 0
        self._changing = threading.Lock()

    @contextmanager
    def question(self, words: str) -> Iterator[None]:
        """Count a question as under way while the block runs; words say what it computes."""
        with self._changing:
            self._next += 1
            number = self._next
            self._under_way[number] = (words, time.monotonic())
        try:
            yield
        finally:
            with self._changing:
                self._under_way.pop(number, None)

    def plain(self) -> dict[str, Any]:
        """Return the state as plain JSON types: what is computed, for how long, what is compiled meanwhile.

        compiled counts the functions that were compiled since the server began; compiling is empty where
        numba finds all of them in its cache.
        """
        with self._changing:
            oldest = min(self._under_way.values(), key=lambda one: one[1], default=None)
            words, since = oldest if oldest is not None else ("", 0.0)
            seconds = time.monotonic() - since if oldest is not None else 0.0
            compiling = self._compiling[0] if self._compiling else ""
            return {
                "words": words,
                "seconds": round(seconds, 1),
                "compiling": compiling,
                "compiled": self._compiled,
            }

    def on_start(self, event: Any) -> None:
        """Note that numba begins to compile a function; numba calls this."""
        with self._changing:
            self._compiling.append(_function(event))

    def on_end(self, event: Any) -> None:
        """Note that a function is compiled; numba calls this."""
        with self._changing:
            name = _function(event)
            if name in self._compiling:
                self._compiling.remove(name)
            self._compiled += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of what numba compiles while the block runs."""
        from numba.core import event

        with event.install_listener("numba:compile", _listener(self)):
            yield


def _listener(progress: Progress) -> Any:
    """Return a listener of numba's that tells `progress`."""
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            progress.on_start(event)

        def on_end(self, event: Any) -> None:
            progress.on_end(event)

    return Listener()


def _function(event: Any) -> str:
    """Return the name of the function that an event of numba's is about, or of its component."""
    function = event.data["dispatcher"].py_func
    module = str(function.__module__).rpartition(".")[2]
    if module.startswith("photosim_generated_"):
        component = module.removeprefix("photosim_generated_").rpartition("_")[0]
        return f"the formula of {component}"
    return f"{module}.{function.__name__}"


class Remarks(threading.local):
    """Collects the warnings of the question that a thread computes."""

    def __init__(self) -> None:
        self.found: list[str] | None = None

    @contextmanager
    def collected(self) -> Iterator[list[str]]:
        """Return a list that takes the warnings of this thread while the block runs, each once."""
        before, self.found = self.found, []
        try:
            yield self.found
        finally:
            self.found = before

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the warnings of all threads while the block runs: those of no question are dropped."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", PhotosimWarning)
            warnings.showwarning = self._show
            yield

    def _show(
        self, message: Warning | str, category: type[Warning], *_rest: object, **_named: object
    ) -> None:
        if (
            self.found is not None
            and issubclass(category, PhotosimWarning)
            and str(message) not in self.found
        ):
            self.found.append(str(message))
