"""Chunks and calls on the workers of Dask distributed, and what goes wrong there in one sentence."""

from __future__ import annotations

import pickle
import socket
import sys
import time
import uuid
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from photosim.errors import ClusterError, DataError, PhotosimError, PhotosimWarning
from photosim.jobs import workers
from photosim.jobs.work import Arrays, Work

TIMEOUT_S = 10.0
"""How long a scheduler has to answer."""
_POLL_S = 1.0
_AHEAD = 2
"""Chunks that wait at each thread of a worker: it is never idle, and the client is never flooded."""
_KEPT = "Finished chunks are kept: the same call goes on from them."
_UNSAID = "__main__"


def chunks_of(
    work: Work, key: str, ranges: Sequence[tuple[int, int]], client: Any
) -> Iterator[tuple[int, int, Arrays]]:
    """Yield (first, last, arrays) of chunks that workers compute, each when it is there.

    Raises ClusterError where the scheduler or the workers fail, and what the work itself raises.
    """
    if not ranges:
        return
    from photosim import __version__

    said: set[str] = set()
    with connected(client) as own:
        payload = _submit(own, workers.whole, pickle.dumps(work))
        files = component_files(work)
        tasks = [(payload, key, __version__, files, first, last) for first, last in ranges]
        for number, (found, remarks) in _each(own, workers.chunk, tasks):
            for text in remarks:
                if text not in said:
                    said.add(text)
                    warnings.warn(text, PhotosimWarning, stacklevel=2)
            yield *ranges[number], found


def calls(function: Any, tasks: Sequence[tuple[Any, ...]], client: Any) -> Iterator[tuple[int, Any]]:
    """Yield (number of the task, what the function returns) of calls on workers, each when it is there."""
    if not tasks:
        return
    import cloudpickle

    from photosim import __version__

    with connected(client) as own:
        made = cloudpickle.dumps(function)
        whole = [(made, __version__, {}, *task) for task in tasks]
        yield from _each(own, workers.call, whole)


@contextmanager
def connected(client: Any) -> Iterator[Any]:
    """Give a client of Dask distributed: the one that is given, or one of the scheduler at an address.

    Raises ClusterError where Dask is missing, the address is wrong or nobody answers.
    """
    try:
        import distributed
    except ImportError:
        message = "A cluster needs Dask distributed: pip install 'photosim[distributed]'."
        raise ClusterError(message) from None
    if isinstance(client, str):
        with _told(client) as own:
            yield own
        return
    if not isinstance(client, distributed.Client):
        message = (
            "client must be a Client of Dask distributed or the address of a scheduler, such as "
            f"tcp://10.0.0.1:8786, got {type(client).__name__}."
        )
        raise ClusterError(message)
    if client.asynchronous:
        message = "client is asynchronous: give one made without asynchronous=True."
        raise ClusterError(message)
    if client.status != "running":
        message = f"client is {client.status}: it must be connected to its scheduler."
        raise ClusterError(message)
    yield client


@contextmanager
def _told(address: str) -> Iterator[Any]:
    """Give a client of the scheduler at an address, closed at the end."""
    import logging

    import distributed

    for name in ("distributed.comm", "distributed.core", "distributed.client", "distributed.batched"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what they would say is said here
    where = address.strip()
    try:
        _probe(where)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own = distributed.Client(where, timeout=TIMEOUT_S, set_as_default=False)
    except (TimeoutError, OSError) as error:
        reason = f" ({error.strerror.lower()})" if error.strerror else ""
        message = (
            f"No scheduler of Dask answered at {where!r} within {TIMEOUT_S:g} s{reason}: is it running, and "
            "is that its address, such as tcp://10.0.0.1:8786?"
        )
        raise ClusterError(message) from None
    except Exception as error:  # noqa: BLE001 - what an address may be refused with is not one class
        message = f"{where!r} is not the address of a scheduler, such as tcp://10.0.0.1:8786: {error}."
        raise ClusterError(message) from None
    try:
        yield own
    finally:
        with suppress(Exception):
            own.close(timeout=2)


def _probe(address: str) -> None:
    """Wait until a scheduler greets whoever connects; OSError where none does in time.

    Dask itself waits for ever where something else listens that does not speak.
    """
    from distributed.comm import get_address_host_port, parse_address

    scheme, _ = parse_address(address)
    host, port = get_address_host_port(address)
    if scheme != "tcp":
        return
    end = time.monotonic() + TIMEOUT_S
    while True:
        left = max(0.05, end - time.monotonic())
        try:
            with socket.create_connection((host, port), timeout=left) as line:
                line.settimeout(left)
                if line.recv(1):
                    return
                raise ConnectionResetError  # closed without a word
        except socket.gaierror:
            raise
        except OSError:  # it may be about to start
            if time.monotonic() + 0.2 > end:
                raise
            time.sleep(0.2)


def _submit(client: Any, function: Any, *arguments: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large arguments: they are sent once
        name = f"photosim-{function.__name__}-{uuid.uuid4().hex}"
        return client.submit(function, *arguments, key=name, pure=False)


def _each(client: Any, function: Any, tasks: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
    """Yield (number, result) of tasks in the order in which they end, few of them ahead of the workers."""
    left = iter(enumerate(tasks))
    running: dict[Any, int] = {}
    try:
        more = True
        while more or running:
            room = _room(client) - len(running)
            while more and room > 0:
                following = next(left, None)
                more = following is not None
                if following is not None:
                    running[_submit(client, function, *following[1])] = following[0]
                    room -= 1
            for future in _ended(client, running):
                number = running.pop(future)
                yield number, _result(future)
    except PhotosimError:
        raise
    except CancelledError as error:  # what Dask makes of all that runs when the connection breaks
        message = f"The scheduler was lost, or dropped the work. {_KEPT}"
        raise ClusterError(message) from error
    except (TimeoutError, OSError) as error:
        message = f"The scheduler was lost ({str(error) or type(error).__name__}). {_KEPT}"
        raise ClusterError(message) from error
    finally:
        if running and client.status == "running":
            with suppress(Exception):
                client.cancel(list(running), force=True)


def _room(client: Any) -> int:
    """Return how many tasks should be with the workers; waits, with a warning, until there is one."""
    warned = False
    started = time.monotonic()
    while True:
        threads = sum(client.nthreads().values()) if client.status == "running" else 0
        if threads:
            return _AHEAD * threads
        if client.status != "running":
            raise ClusterError(f"The scheduler was lost. {_KEPT}")
        if not warned and time.monotonic() - started > _POLL_S:
            warned = True
            text = "The scheduler has no workers yet: waiting for one."
            warnings.warn(text, PhotosimWarning, stacklevel=2)
        time.sleep(0.1)


def _ended(client: Any, running: dict[Any, int]) -> list[Any]:
    """Return the futures that have ended, after a moment; ClusterError where the scheduler is gone."""
    from distributed import wait

    if not running:
        return []
    with suppress(TimeoutError), client.as_current():
        wait(list(running), timeout=_POLL_S, return_when="FIRST_COMPLETED")
    ended = [future for future in running if future.done()]
    if any(future.status in ("cancelled", "lost") for future in ended) or client.status != "running":
        message = f"The scheduler was lost, or dropped the work. {_KEPT}"
        raise ClusterError(message)
    return ended


def _result(future: Any) -> Any:
    """Return the result of a task; what a worker raised in one sentence."""
    from distributed.scheduler import KilledWorker

    try:
        return future.result(timeout=60)
    except (PhotosimError, KeyboardInterrupt):
        raise
    except KilledWorker:
        message = f"One chunk after another lost its worker, as when memory runs out there. {_KEPT}"
    except ModuleNotFoundError as error:
        message = f"A worker or the scheduler lacks {error.name}: install photosim there. {_KEPT}"
    except Exception as error:  # noqa: BLE001 - whatever happens on another machine
        message = f"A worker failed with {type(error).__name__}: {error}. {_KEPT}"
    raise ClusterError(message)


def component_files(work: Work) -> workers.Files:
    """Return the Python files that declare components of the user's own, by file name.

    Raises ClusterError for a component that a script declares: workers cannot run that.
    """
    found: workers.Files = {}
    for model in work.models():
        name = model.module
        if name == _UNSAID:
            message = (
                f"The component {model.name!r} is declared in a script, which workers do not run: put it "
                "into a separate file, and load that with --components or registry.load_file."
            )
            raise ClusterError(message)
        if name.startswith("photosim_components_"):
            path = Path(str(sys.modules[name].__file__))
            try:
                found[path.name] = path.read_text(encoding="utf-8"), model.name
            except OSError as error:
                message = f"Cannot read {path}, whose components the workers need: {error.strerror}."
                raise DataError(message) from error
    return found
