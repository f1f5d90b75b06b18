"""The addresses of the page: its files, and one for each question; every answer is plain JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib import resources
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from photosim import __version__
from photosim.errors import ParameterError, PhotosimError
from photosim.explorer import curves, exports, guides, judged, knobs, times
from photosim.explorer.asks import Signal, Turn, View
from photosim.explorer.desk import Opened, Unknown, mistake
from photosim.explorer.guard import MOST_BYTES, Guard
from photosim.explorer.turns import Stale, Turns
from photosim.netlist.mappings import read

if TYPE_CHECKING:
    from starlette.requests import Request

    from photosim.explorer.desk import Desk
    from photosim.explorer.progress import Progress, Remarks

PAGE = resources.files("photosim.explorer") / "page"
FILES = {
    "explorer.css": "text/css", "uPlot.min.css": "text/css", "uPlot.iife.min.js": "text/javascript",
    "state.js": "text/javascript", "server.js": "text/javascript", "settings.js": "text/javascript",
    "plot.js": "text/javascript", "drawing.js": "text/javascript", "editor.js": "text/javascript",
    "numbers.js": "text/javascript", "time.js": "text/javascript", "main.js": "text/javascript",
    "uPlot.LICENSE.txt": "text/plain",
}  # fmt: skip
"""Files of the page besides index.html, and their media types."""
_TOKEN = "{{token}}"  # noqa: S105 - where the token stands in index.html
Body = dict[str, Any]
Answer = Callable[[Opened, Body], Body]


class Answers:
    """Answers the questions of pages about the netlist on the desk."""

    def __init__(self, desk: Desk, remarks: Remarks, progress: Progress) -> None:
        self.desk = desk
        self.remarks = remarks
        self.progress = progress
        self.turns = Turns()

    def file(self, _body: dict[str, Any]) -> dict[str, Any]:
        """Return the text of the file as it is on disk."""
        return {"file": self.desk.path.name, "text": self.desk.text()}

    def netlist(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return all that a page shows of a netlist, or the mistake of its text."""
        text = body.get("text")
        if not isinstance(text, str):
            message = f"The text of a netlist must be a string, got {type(text).__name__}."
            raise ParameterError(message)
        try:
            with self.progress.question("Reading the netlist"):
                opened = self.desk.open(text)
                return {"mistake": None, **_described(opened)}
        except PhotosimError as error:
            return {"mistake": asdict(mistake(error))}

    def answer(self, topic: str, words: str, find: Answer, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a question about a view when its turn comes; Stale if a newer one has come."""
        turn = read(Turn, body.pop("turn", {}), "turn")
        self.turns.announce(turn.page, topic, turn.number)
        opened = self.desk.opened(str(body.get("view", {}).get("key", "")))
        with self.turns.taken(turn.page, topic, turn.number), self.progress.question(words):
            with self.remarks.collected() as found:
                answered = find(opened, body)
            remarks = [*found, *(text for text in answered.get("remarks", []) if text not in found)]
            return {**answered, "number": turn.number, "remarks": remarks}


def _described(opened: Opened) -> dict[str, Any]:
    circuit = opened.circuit
    found = [knob.plain() for knob in knobs.knobs_of(circuit)]
    return {
        "key": opened.key,
        "name": circuit.name,
        "parts": len(circuit.graph.parts),
        "remarks": list(opened.remarks),
        "knobs": found,
        "starts": list(curves.starts_of(circuit)),
        "wl": curves.usual_range(circuit),
        "sources": list(circuit.sources),
        "detectors": list(circuit.detectors),
        "transients": list(times.analyses_of(circuit)),
        "drive": times.first_drive(circuit, found),
        "exports": list(exports.WRITERS),
    }


def _view(body: dict[str, Any]) -> View:
    return read(View, body.get("view", {}), "view")


QUESTIONS: dict[str, tuple[str, Answer]] = {
    "spectrum": (
        "Computing the spectrum",
        lambda opened, body: curves.spectrum(opened.circuit, _view(body)),
    ),
    "powers": (
        "Computing the power of the guides",
        lambda opened, body: guides.powers(opened.circuit, _view(body)),
    ),
    "drawing": ("Drawing", lambda opened, body: guides.drawing(opened.circuit, _view(body))),
    "numbers": (
        "Reading numbers off the spectrum",
        lambda opened, body: judged.numbers(opened.circuit, _view(body)),
    ),
    "time": (
        "Simulating in time",
        lambda opened, body: times.in_time(
            opened.circuit, _view(body), read(Signal, body.get("signal", {}), "signal")
        ),
    ),
}
"""What a page asks: the words while it waits, and what answers."""


def application(answers: Answers, *, token: str, port: int) -> Starlette:
    """Return the application that serves the page on a port to whoever has the token."""

    async def index(_request: Request) -> Response:
        html = (PAGE / "index.html").read_text(encoding="utf-8")
        return HTMLResponse(html.replace(_TOKEN, token).replace("{{version}}", __version__))

    async def page_file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FILES:
            return PlainTextResponse("The page has no such file.\n", status_code=404)
        return Response((PAGE / name).read_bytes(), media_type=FILES[name])

    async def progress(_request: Request) -> Response:
        return JSONResponse(answers.progress.plain())

    def asking(topic: str, words: str, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        return _answering(lambda body: answers.answer(topic, words, answer, body))

    async def export(request: Request) -> Response:
        try:
            body = await _body(request)
            opened = answers.desk.opened(str(body.get("view", {}).get("key", "")))
            what = str(body.get("what", ""))
            name, media, content = await run_in_threadpool(exports.export, opened, _view(body), what)
        except PhotosimError as error:
            return _refused(error)
        return Response(
            content, media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'}
        )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with answers.remarks.listening():
            yield

    routes = [
        Route("/", index, methods=["GET"]),
        Route("/page/{name}", page_file, methods=["GET"]),
        Route("/progress", progress, methods=["GET"]),
        Route("/file", _answering(answers.file), methods=["POST"]),
        Route("/netlist", _answering(answers.netlist), methods=["POST"]),
        Route("/export", export, methods=["POST"]),
        *(Route(f"/{topic}", asking(topic, *how), methods=["POST"]) for topic, how in QUESTIONS.items()),
    ]
    guard = Middleware(Guard, token=token, port=port)
    return Starlette(routes=routes, middleware=[guard], lifespan=lifespan)


def _answering(answer: Callable[[Body], Body]) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a question in a thread: 400 for a bad one, 409 for one that was overtaken."""

    async def respond(request: Request) -> Response:
        try:
            body = await _body(request)
            return JSONResponse(await run_in_threadpool(answer, body))
        except Stale:
            return JSONResponse({"stale": True}, status_code=409)
        except PhotosimError as error:
            return _refused(error)

    return respond


def _refused(error: PhotosimError) -> Response:
    """Return the sentence of an error; 404 for a netlist that this server does not know."""
    status = 404 if isinstance(error, Unknown) else 400
    return JSONResponse({"error": str(error)}, status_code=status)


async def _body(request: Request) -> dict[str, Any]:
    """Return the mapping that a question holds; ParameterError for anything else."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > MOST_BYTES:
            message = f"A request of the page may have at most {MOST_BYTES} bytes."
            raise ParameterError(message)
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("view", {}), dict):
        message = "A request of the page must be a JSON object."
        raise ParameterError(message)
    return body
