"""The server: a port of this machine alone, one line that says where, and the end by Ctrl+C."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.bounds import check_number
from photosim.errors import DataError, Mark, NetlistError

if TYPE_CHECKING:
    from photosim.explorer.app import Answers

HOST = "127.0.0.1"


@public
def explore(
    file: str,
    *,
    port: int = 0,
    browser: bool = True,
    cell_map: str | Path | None = None,
    mode: str | None = None,
    say: Callable[[str], object] = print,
) -> None:
    """Serve the explorer of a netlist file, or of a gallery circuit by its name, until it is interrupted.

    port: port number on this machine; 0 takes a free one.  browser: whether to open the address in the
    browser. say: function that is called once, with the address.  cell_map, mode: as for
    `photosim.netlist.read`.

    Raises NetlistError for a file that is not a netlist, and DataError for a port that is in use.
    """
    from photosim.netlist import find

    check_number("explore", 0, 65535, port=port)
    find(file)  # before all that takes a second to load
    from photosim.explorer.app import Answers, application
    from photosim.explorer.desk import Desk
    from photosim.explorer.progress import Progress, Remarks

    remarks = Remarks()
    desk = Desk(file, remarks, cell_map=Path(cell_map) if cell_map is not None else None, mode=mode)
    with remarks.listening(), _of_file(file):
        desk.open(desk.text())  # whatever is wrong with the file is said before anything is served
    token = secrets.token_urlsafe(24)
    progress = Progress()
    with contextlib.closing(listening(port)) as place:
        number = place.getsockname()[1]
        address = f"http://{HOST}:{number}/?token={token}"
        answers = Answers(desk, remarks, progress)
        threading.Thread(target=prepared, args=(answers,), daemon=True).start()
        say(address)
        if browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        with progress.listening():
            ended = asyncio.run(_serve(application(answers, token=token, port=number), place))
    if ended not in {None, signal.SIGINT}:
        signal.raise_signal(ended)  # whoever has a handler for it says so


@contextlib.contextmanager
def _of_file(file: str) -> Iterator[None]:
    """Name the file in errors of its text."""
    try:
        yield
    except NetlistError as error:
        if error.mark is None or error.mark.file is not None:
            raise
        place = Mark(file, error.mark.line, error.mark.column)
        raise NetlistError(error.message, place) from None


def listening(port: int) -> socket.socket:
    """Return a socket that listens on a port of this machine; DataError for one that cannot be had."""
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind((HOST, port))
        place.listen(128)
    except OSError as error:
        place.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had: {error.strerror}"
        message = f"Port {port} of this machine {reason}; --port 0 takes a free one."
        raise DataError(message) from None
    return place


async def _serve(app: object, place: socket.socket) -> int | None:
    """Serve until a signal comes, in the main thread; return its number."""
    import uvicorn

    class Server(uvicorn.Server):  # type: ignore[misc]
        """Leaves signals to us: uvicorn would raise them again where nobody expects them."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        app,
        log_level="error", access_log=False, http="h11", ws="none", loop="asyncio", lifespan="on",
        server_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = Server(config)
    came: list[int] = []

    def end(number: int) -> None:
        came.append(number)
        server.should_exit = True
        server.force_exit = len(came) > 1

    with _signals(end):
        await server.serve(sockets=[place])
    return came[0] if came else None


@contextlib.contextmanager
def _signals(end: Callable[[int], None]) -> Iterator[None]:
    """Call `end` with the number of a signal that ends the process, while the block runs in a loop."""
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP, and its loops take no handlers
        if number is not None:
            with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread
                previous = signal.getsignal(number)
                loop.add_signal_handler(number, end, number)
                before[number] = previous
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def prepared(answers: Answers) -> None:
    """Compute the first spectrum before a page asks for it: what must be compiled is compiled meanwhile."""
    from photosim.errors import PhotosimError
    from photosim.explorer import curves, guides, judged
    from photosim.explorer.asks import View

    desk = answers.desk
    with contextlib.suppress(PhotosimError), answers.remarks.collected():
        opened = desk.open(desk.text())
        view = View(opened.key)
        for words, answer in (
            ("Computing the first spectrum", curves.spectrum),
            ("Computing the first powers", guides.powers),
            ("Reading the first numbers off the spectrum", judged.numbers),
        ):
            with answers.progress.question(words):
                answer(opened.circuit, view)
