"""The command: one line that says where, the page at that very address, and one sentence where it fails."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from photosim.errors import DataError
from photosim.explorer.serving import listening
from photosim.netlist import gallery

COMMAND = [sys.executable, "-m", "photosim", "explore"]
Started = Callable[..., tuple["subprocess.Popen[str]", str]]


@pytest.fixture
def started() -> Iterator[Started]:
    """Return what starts the command and reads its line; processes that are left are ended."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: str) -> tuple[subprocess.Popen[str], str]:
        command = [*COMMAND, *words, "--no-open"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline()

    yield start
    for process in running:
        process.kill()
        process.communicate()


def status_of(address: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:  # noqa: S310
            assert answer.url == address, "the page is served at the very address, not behind a redirect"
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_prints_one_line_and_serves_that_address(started: Started) -> None:
    process, line = started("add_drop_ring", "--port", "0")
    found = re.fullmatch(r"(http://127\.0\.0\.1:(\d+)/)\?token=([\w-]{16,})\n", line)
    assert found, line
    address = line.strip()
    assert status_of(address) == 200
    assert status_of(found[1]) == 403
    assert status_of(address, Host="evil.example") == 403
    assert status_of(address, Origin="https://evil.example") == 403
    connection = http.client.HTTPConnection("127.0.0.1", int(found[2]))
    connection.request("POST", "/file", b"{}", {"X-Photosim-Token": found[3]})
    text = json.loads(connection.getresponse().read())["text"]
    connection.close()
    assert text == gallery()["add_drop_ring"].read_text(encoding="utf-8")
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate()
    assert (process.returncode, out, errors) == (0, "", "")


def test_sigterm_ends_it_in_words(started: Started) -> None:
    process, _ = started("add_drop_ring")
    process.terminate()
    _, errors = process.communicate()
    assert (process.returncode, errors) == (128 + signal.SIGTERM, "Stopped.\n")


def test_only_this_machine_can_connect() -> None:
    with listening(0) as place:
        assert place.getsockname()[0] == "127.0.0.1"


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(DataError, match=f"Port {port} of this machine is in use; --port 0 takes a free"):
            listening(port)


BROKEN = "instances:\n  a: {component: straigt}\nports: {in: 'a,o1'}\n"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["nothing.yml"], 1, "There is no file 'nothing.yml'"),
        (["broken.yml"], 1, "Did you mean 'straight'?"),
        (["add_drop_ring", "--port", "70000"], 1, "70000"),
        (["add_drop_ring", "--port", "http"], 2, "must be a whole number, got http"),
        (["add_drop_ring", "--prot", "0"], 2, "--prot"),
        ([], 2, "FILE"),
    ],
)
def test_an_error_is_one_sentence(words: list[str], code: int, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text(BROKEN, encoding="utf-8")
    done = subprocess.run(
        [*COMMAND, *words, "--no-open"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    if "broken.yml" in words:
        assert done.stderr.startswith("broken.yml:2:3: ")
