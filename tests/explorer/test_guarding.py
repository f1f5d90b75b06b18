"""Nobody but the page itself is answered, and nothing of a netlist runs or leaves the machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from photosim.explorer.app import FILES, PAGE

TOKEN, PORT = "secret", 8123
PageOf = Callable[[str], Any]

THIRD_PARTY = {
    # uPlot 1.6.32 as its release has it, MIT, https://github.com/leeoniya/uPlot
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.LICENSE.txt": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
"""Files that others wrote, with the hash of what they published."""


@pytest.fixture
def client(page_of: PageOf) -> Any:
    return page_of("add_drop_ring").client


def test_the_address_is_answered_without_a_redirect(client: Any) -> None:
    client.headers.pop("x-photosim-token")
    answer = client.get(f"/?token={TOKEN}", follow_redirects=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "{{" not in answer.text
    for name in re.findall(r'(?:src|href)="(/[^"]+)"', answer.text):
        assert client.get(name).status_code == 200, name


@pytest.mark.parametrize(
    "address",
    ["/", "/?token=", "/?token=wrong", f"/?token=wrong&token={TOKEN}", "/page/main.js", "/progress"],
)
def test_without_the_token_nothing_is_answered(address: str, client: Any) -> None:
    client.headers.pop("x-photosim-token")
    answer = client.get(address, follow_redirects=False)
    assert answer.status_code == 403
    assert "token" in answer.text


@pytest.mark.parametrize(
    "topic", ["file", "netlist", "spectrum", "powers", "numbers", "time", "export", "no"]
)
def test_questions_need_the_token_too(topic: str, client: Any) -> None:
    client.headers.pop("x-photosim-token")
    assert client.post(f"/{topic}", json={}).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8123", "127.0.0.1", "127.0.0.1:8124", "127.0.0.1:8123.evil.example", ""],
)
def test_other_hosts_are_refused(host: str, client: Any) -> None:
    answer = client.get(f"/?token={TOKEN}", headers={"host": host})
    assert answer.status_code == 403
    assert "Host" in answer.text


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1:8123", "http://127.0.0.1:1"],
)
def test_other_origins_are_refused(origin: str, client: Any) -> None:
    for answer in (
        client.get(f"/?token={TOKEN}", headers={"origin": origin}),
        client.post("/file", json={}, headers={"origin": origin}),
    ):
        assert answer.status_code == 403
        assert "Origin" in answer.text


@pytest.mark.parametrize("host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}"])
def test_this_machine_is_answered(host: str, client: Any) -> None:
    headers = {"host": host, "origin": f"http://{host.lower()}"}
    assert client.get(f"/?token={TOKEN}", headers=headers).status_code == 200


def test_no_answer_lets_a_script_of_others_run(client: Any) -> None:
    policy = client.get(f"/?token={TOKEN}").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "'unsafe-eval'" not in policy
    assert "http" not in policy


def test_the_page_names_no_other_machine() -> None:
    """Every address in the page's own files is its own; a namespace and the licence are no addresses."""
    for name in {"index.html", *FILES} - set(THIRD_PARTY):
        text = (PAGE / name).read_text(encoding="utf-8")
        found = [one for one in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text) if "w3.org" not in one]
        assert found == [], name
        assert not re.search(r"\beval\(|new Function|\son\w+=\"", text), name


def test_files_of_others_are_unmodified_and_listed() -> None:
    folder = Path(str(PAGE))
    assert {path.name for path in folder.iterdir()} == {"index.html", *FILES}
    for name, expected in THIRD_PARTY.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name
    assert "MIT License" in (folder / "uPlot.LICENSE.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["../app.py", "..%2Fapp.py", "index.html", "nothing.js"])
def test_no_other_file_is_served(name: str, client: Any) -> None:
    assert client.get(f"/page/{name}").status_code == 404


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff", b'{"view": 3}', b"[" * 100_000])
def test_a_question_that_is_not_a_mapping_gets_a_sentence(body: bytes, client: Any) -> None:
    answer = client.post("/spectrum", content=body)
    assert answer.status_code == 400
    assert answer.json() == {"error": "A request of the page must be a JSON object."}


def test_a_question_that_is_too_long_is_refused(client: Any) -> None:
    assert client.post("/netlist", content=b" " * (21 * 2**20)).status_code == 413


HOSTILE = """\
name: "<img src=x onerror=alert(1)>"
instances:
  "<script>alert(1)</script>": {component: straight, settings: {length: 10.0}}
ports: {in: "<script>alert(1)</script>,o1", out: "<script>alert(1)</script>,o2"}
"""


def test_names_of_a_netlist_are_text_in_the_drawing(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    if page.open(HOSTILE)["mistake"] is None:
        svg = page.ask("drawing")["svg"]
        assert "<script" not in svg
        assert "<img" not in svg


def test_an_expression_with_a_call_is_a_mistake(page_of: PageOf) -> None:
    text = (
        "instances:\n  a:\n    component: straight\n    settings: {length: \"__import__('os').getpid()\"}\n"
    )
    found = page_of("add_drop_ring").open(text + "ports: {in: 'a,o1', out: 'a,o2'}\n")["mistake"]
    assert found["line"] == 4
