"""A page's way to ask the explorer without a network: an application in this process."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from starlette.testclient import TestClient

TOKEN = "secret"  # noqa: S105 - of a test
PORT = 8123
ADDRESS = f"http://127.0.0.1:{PORT}"


def unpacked(text: str) -> NDArray[np.float64]:
    """Return the numbers of an array as the page reads them."""
    return np.frombuffer(base64.b64decode(text), dtype="<f8")


@dataclass
class Page:
    """A page that is open: asks questions about its netlist and reads the answers."""

    client: TestClient
    answers: Any
    opened: dict[str, Any] = field(default_factory=dict)
    number: int = 0

    def open(self, text: str | None = None) -> dict[str, Any]:
        """Open a text, by default that of the file; keep what is said of it unless it has a mistake."""
        if text is None:
            text = self.client.post("/file", json={}).json()["text"]
        found: dict[str, Any] = self.client.post("/netlist", json={"text": text}).json()
        if found["mistake"] is None:
            self.opened = found
        return found

    def ask(self, topic: str, *, status: int = 200, **view: Any) -> dict[str, Any]:
        """Return the answer to a question about a view; `signal`, `what` and `turn` go beside it."""
        self.number += 1
        beside: dict[str, Any] = {key: view.pop(key) for key in ("signal", "turn") if key in view}
        asked: dict[str, Any] = {"key": self.opened["key"], **view}
        body: dict[str, Any] = {"turn": {"page": "test", "number": self.number}, "view": asked}
        body |= beside
        answer = self.client.post(f"/{topic}", json=body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def export(self, what: str, *, status: int = 200, **view: Any) -> bytes:
        """Return a file that the page exports."""
        asked: dict[str, Any] = {"key": self.opened["key"], **view}
        body = {"what": what, "view": asked}
        answer = self.client.post("/export", json=body)
        assert answer.status_code == status, answer.text
        content: bytes = answer.content
        return content

    def curves(self, **view: Any) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        """Return wavelengths and curves of a spectrum, by wave."""
        found = self.ask("spectrum", **view)
        return unpacked(found["wl"]), {one["wave"]: unpacked(one["values"]) for one in found["curves"]}


@pytest.fixture
def page_of() -> Iterator[Callable[[str | Path], Page]]:
    """Return what opens the explorer of a file."""
    from starlette.testclient import TestClient

    from photosim.explorer.app import Answers, application
    from photosim.explorer.desk import Desk
    from photosim.explorer.progress import Progress, Remarks

    with ExitStack() as stack:

        def opened(file: str | Path) -> Page:
            remarks = Remarks()
            answers = Answers(Desk(str(file), remarks), remarks, Progress())
            app = application(answers, token=TOKEN, port=PORT)
            client = stack.enter_context(TestClient(app, base_url=ADDRESS))
            client.headers["x-photosim-token"] = TOKEN
            page = Page(client, answers)
            page.open()
            return page

        yield opened
