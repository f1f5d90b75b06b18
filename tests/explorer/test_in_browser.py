"""The page in a real browser: move a slider, break the netlist and mend it, probe, open the address again.

Needs Chromium on this machine and playwright; the tests skip where there is none.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photosim.netlist import gallery

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here: install the package chromium"
)
SIZE = {"width": 1400, "height": 950}
PATIENCE = 600_000  # ms: longer than any busy machine takes, so that what never comes fails and does not hang


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser that finds no name and no other machine: requests beyond this one would fail and be seen."""
    with playwright.sync_playwright() as running:
        try:
            one = running.chromium.launch(
                executable_path=CHROMIUM,
                args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
            )
        except playwright.Error as error:  # a Chromium that lacks something of this machine
            pytest.skip(f"Chromium does not start here: {str(error).splitlines()[0]}")
        yield one
        one.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A netlist that two rings share: their guides lie between instances."""
    path = tmp_path_factory.mktemp("netlists") / "rings.yml"
    ring = "component: ring_double, settings: {radius: %s, coupling: 0.05, loss_dB_cm: 2.5}"
    path.write_text(
        "name: rings\ninstances:\n"
        f"  first: {{{ring % '10.0'}}}\n  second: {{{ring % '10.02'}}}\n"
        "connections: {'first,through': 'second,in'}\n"
        "ports: {in: 'first,in', first: 'first,drop', second: 'second,drop', out: 'second,through'}\n"
        "terminate: ['first,add', 'second,add']\n"
        "specification:\n  - {name: dropped, quantity: insertion_loss_dB, from: in, to: first, at_most: 3}\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def address(file: Path) -> Iterator[str]:
    """The address of an explorer of the file."""
    command = [sys.executable, "-m", "photosim", "explore", str(file), "--no-open", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page with its first spectrum; requests to other machines and errors of scripts fail the test."""
    context = browser.new_context(viewport=SIZE)
    one = context.new_page()
    one.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    one.on("pageerror", lambda error: wrong.append(str(error)))
    one.on("request", lambda r: None if r.url.startswith((address.partition("?")[0], "data:", "blob:"))
           else wrong.append(r.url))  # fmt: skip
    one.goto(address)
    ready(one)
    yield one
    context.close()
    assert wrong == []


def ready(page: Any) -> None:
    """Wait until the page has spectrum, drawing and numbers."""
    page.wait_for_selector("#plot[data-number]", state="attached")
    page.wait_for_selector("#drawing .hit", state="attached")
    page.wait_for_selector("#metrics tbody tr")


def curve(page: Any, wave: str) -> list[float]:
    """Return the numbers that the page draws of a wave."""
    found: list[float] = page.evaluate(
        "(wave) => Array.from(Explorer.lastSpectrum.curves.find((c) => c.wave === wave).numbers)", wave
    )
    return found


def pixels(page: Any) -> bytes:
    """Return the picture of the spectrum."""
    shot: bytes = page.locator("#plot canvas").screenshot()
    return shot


def after_next_spectrum(page: Any, act: Any) -> None:
    """Do something, and wait for the spectrum that comes of it."""
    before = int(page.get_attribute("#plot", "data-number"))
    act()
    page.wait_for_function("(n) => Number(document.getElementById('plot').dataset.number) > n", arg=before)


def test_a_slider_moves_the_spectrum(page: Any) -> None:
    before, drawn = curve(page, "first"), pixels(page)
    slider = page.locator("[data-knob='first.radius'] input[type=range]")
    slider.focus()
    after_next_spectrum(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.input_value("[data-knob='first.radius'] input[type=number]") == "10.01"
    page.wait_for_function("() => Explorer.state.set['first.radius'] === 10.01")
    assert curve(page, "first") != before
    assert pixels(page) != drawn
    after_next_spectrum(page, lambda: page.keyboard.press("Delete"))
    assert curve(page, "first") == before


def test_a_mistake_stands_at_its_line_and_goes_when_mended(page: Any) -> None:
    text = page.input_value("#text")
    page.fill("#text", text.replace("ring_double", "ring_duble", 1))
    page.wait_for_selector("#mistake[data-line='3']")
    assert "Did you mean 'ring_double'?" in page.inner_text("#mistake")
    assert page.inner_text("#gutter .wrong") == "3"
    bubble = page.locator("#bubble")
    assert "ring_duble" in bubble.inner_text()
    line = page.locator("#gutter span").nth(2).bounding_box()
    assert abs(bubble.bounding_box()["y"] - line["y"] - line["height"]) < 4
    assert curve(page, "first"), "the last circuit that was right is still there"
    after_next_spectrum(page, lambda: page.fill("#text", text.replace("10.02", "10.05")))
    page.wait_for_selector("#gutter .wrong", state="detached")
    assert page.inner_text("#mistake") == ""
    assert page.inner_text("#edited") == "edited, not in the file"
    assert page.input_value("[data-knob='second.radius'] input[type=number]") == "10.05"


def test_a_guide_that_is_clicked_joins_the_spectrum(page: Any) -> None:
    guide = page.locator(".hit[data-wire='first,o4:second,o1']")
    after_next_spectrum(page, lambda: guide.click(force=True))
    wave = "second,o1:in"
    assert page.evaluate("() => Explorer.state.probes") == [wave]
    assert page.locator(f".chip[data-wave='{wave}']").count() == 1
    assert min(curve(page, wave)) < 0.2
    assert max(curve(page, wave)) > 0.9
    guide.focus()
    after_next_spectrum(page, lambda: page.keyboard.press("Enter"))
    assert page.evaluate("() => Explorer.state.probes") == []


def test_guides_are_coloured_by_their_power(page: Any) -> None:
    page.wait_for_selector(".wire.light[data-dbm]", state="attached")
    levels = dict(page.eval_on_selector_all(
        ".wire.light", "(all) => all.map((one) => [one.dataset.wire, one.dataset.dbm])"))  # fmt: skip
    colours = dict(page.eval_on_selector_all(
        ".wire.light", "(all) => all.map((one) => [one.dataset.wire, one.style.stroke])"))  # fmt: skip
    bright = "port in,in:first,o1"
    assert float(levels[bright]) == 0.0
    weakest = min((name for name in levels if levels[name] != "dark"), key=lambda n: float(levels[n]))
    assert colours[weakest] != colours[bright]


def test_the_specification_is_marked(page: Any) -> None:
    page.wait_for_selector("#spec tr[data-label=dropped][data-met=true]")
    field = page.locator("[data-knob='first.coupling'] input[type=number]")
    field.fill("0.0005")
    field.press("Enter")
    page.wait_for_selector("#spec tr[data-label=dropped][data-met=false]")


def test_a_value_that_is_being_typed_outlives_a_new_reading_of_the_netlist(page: Any) -> None:
    """The fields are made anew when the text has been read; a slow machine reads it while one types."""
    answer: list[Any] = []

    def held(route: Any) -> None:
        answer.append(route)

    page.route("**/netlist", held)  # until the value is typed
    page.fill("#text", page.input_value("#text").replace("10.02", "10.04"))
    while not answer:
        page.wait_for_timeout(20)
    field = page.locator("[data-knob='first.radius'] input[type=number]")
    field.fill("10.3")
    answer[0].continue_()
    page.wait_for_function("() => Explorer.knob('second.radius').value === 10.04")
    page.wait_for_function("() => Explorer.state.set['first.radius'] === 10.3")
    assert field.input_value() == "10.3"
    assert field.evaluate("(one) => one === document.activeElement")


def test_the_address_brings_the_same_state_back(page: Any, address: str) -> None:
    page.fill("#text", page.input_value("#text").replace("10.02", "10.04"))
    page.wait_for_function("() => Explorer.knob('second.radius').value === 10.04")
    field = page.locator("[data-knob='first.radius'] input[type=number]")
    field.fill("10.3")
    after_next_spectrum(page, lambda: field.press("Enter"))
    after_next_spectrum(page, lambda: page.click("[data-scale=linear]"))
    after_next_spectrum(page, lambda: page.locator(".hit").first.click(force=True))
    page.fill("#wl", "1.54:1.55:501")
    after_next_spectrum(page, lambda: page.press("#wl", "Enter"))
    page.wait_for_function("() => location.hash.includes('t=') && location.hash.includes('1.54')")
    page.wait_for_timeout(400)
    shown = [curve(page, "first"), page.input_value("#text"), page.evaluate("() => Explorer.state")]
    page.reload()
    ready(page)
    assert page.url.startswith(address + "#")
    assert [curve(page, "first"), page.input_value("#text"), page.evaluate("() => Explorer.state")] == shown
    assert len(shown[0]) == 501


def test_a_file_that_changes_on_disk_is_read_again(page: Any, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(text.replace("radius: 10.02", "radios: 10.02"), encoding="utf-8")
        page.wait_for_selector("#mistake[data-line='4']")
        assert "radius" in page.inner_text("#mistake")
        file.write_text(text.replace("10.02", "10.06"), encoding="utf-8")
        page.wait_for_selector("#gutter .wrong", state="detached")
        page.wait_for_function(
            "() => Explorer.knob('second.radius').value === 10.06 && !document.querySelector('.wrong')"
        )
    finally:
        file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("what", ["spectrum.svg", "data.csv", "netlist.yml"])
def test_what_is_shown_can_be_saved(what: str, page: Any, tmp_path: Path) -> None:
    page.click("#export-button")
    with page.expect_download() as saved:
        page.click(f"[data-what='{what}']")
    saved.value.save_as(tmp_path / what)
    assert saved.value.suggested_filename == ("rings.yml" if what == "netlist.yml" else f"rings_{what}")
    assert (tmp_path / what).stat().st_size > 200


def test_a_link_shows_trace_and_eye(browser: Any) -> None:
    command = [sys.executable, "-m", "photosim", "explore", str(gallery()["link"]), "--no-open"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    page = browser.new_page(viewport=SIZE)
    page.set_default_timeout(PATIENCE)
    try:
        page.goto(process.stdout.readline().strip())
        page.wait_for_selector("#time-card[data-number]")
        assert page.locator("#traces canvas").count() == 1
        assert page.inner_text("#eye-words") == "eye of receiver"
        assert re.search(r"902\.\d+ .A", page.inner_text("#currents"))
    finally:
        page.close()
        process.terminate()
        process.communicate()
