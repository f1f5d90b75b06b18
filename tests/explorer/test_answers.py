"""What the page shows are the numbers of the circuit, and errors stand at their line."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import files
from photosim.explorer.turns import Stale, Turns

PageOf = Callable[[str | Path], Any]

SPECIFIED = """\
name: filter
instances:
  ring:
    component: ring_double
    settings: {radius: 10.0, coupling: 0.03, neff: 2.44553, ng: 4.19088, wl0: 1.55, loss_dB_cm: 2.5}
ports: {in: "ring,in", drop: "ring,drop", add: "ring,add", through: "ring,through"}
specification:
  - {name: narrow, quantity: fwhm, from: in, to: drop, at_most: 2.0e-4}
  - {name: strong, quantity: insertion_loss_dB, from: in, to: drop, at_most: 0.1}
  - {name: far, quantity: power_dB, from: in, to: through, window: [1.60, 1.601], at_least: -60}
"""


def test_a_spectrum_is_that_of_the_circuit(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    settings: dict[str, Any] = {"ring.radius": 10.003, "ring.coupling": 0.05, "temperature": 305.0}
    wl, curves = page.curves(wl="1.545:1.555:1001", settings=settings)
    circuit = ps.load("add_drop_ring")
    expected = circuit(ps.wavelengths(1.545, 1.555, 1001), **settings)
    np.testing.assert_array_equal(wl, expected.wl)
    for port in circuit.ports:
        np.testing.assert_allclose(curves[port], expected["in", port].power, rtol=1e-12, atol=1e-300)
    _, phases = page.curves(wl="1.545:1.555:1001", settings=settings, quantity="phase")
    turns = np.exp(1j * phases["drop"]) / np.exp(1j * np.angle(expected["in", "drop"].values))
    np.testing.assert_allclose(turns, 1.0, atol=1e-9)


def test_the_first_spectrum_of_a_page_reaches_the_bottom_of_its_dips(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    assert page.opened["wl"].endswith(":auto")
    circuit = ps.load("add_drop_ring")
    start, stop = (float(end) for end in page.opened["wl"].split(":")[:2])
    dense = circuit(np.linspace(start, stop, 200_001))["in", "through"].power_dB
    dips = np.sort(dense[1:-1][(dense[1:-1] < dense[:-2]) & (dense[1:-1] < dense[2:])])
    assert len(dips) == 2
    wl, curves = page.curves()
    level = 10.0 * np.log10(curves["through"])
    found = np.sort(level[1:-1][(level[1:-1] < level[:-2]) & (level[1:-1] < level[2:])])
    np.testing.assert_allclose(found, dips, atol=1e-3)
    assert np.diff(wl).min() > 0.0
    assert np.isin(ps.wavelengths(start, stop, 1001), wl).all()
    assert not page.ask("numbers")["remarks"]
    even = f"{start}:{stop}:1001"
    wl, curves = page.curves(wl=even)  # a range that is typed stays as it is, with its remark
    assert len(wl) == 1001
    assert 10.0 * np.log10(curves["through"].min()) > dips[0] + 0.05
    narrow: dict[str, Any] = {"ring.coupling": 1e-4, "ring.loss_dB_cm": 0.05}
    assert "undersamples" in page.ask("numbers", wl=even, settings=narrow)["remarks"][0]


def test_lines_between_the_even_points_are_found_and_too_many_of_them_are_a_remark(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    sharp: dict[str, Any] = {"ring.coupling": 1e-4, "ring.loss_dB_cm": 1e-3}
    _, curves = page.curves(settings=sharp)
    even = page.opened["wl"].replace("auto", "1001")
    _, missed = page.curves(settings=sharp, wl=even)
    assert curves["drop"].max() > 0.98
    assert missed["drop"].max() < 0.5
    crowded = sharp | {"ring.radius": 20_000.0}
    wl, _ = page.curves(settings=crowded)
    assert len(wl) == 1001
    assert "zoom in" in page.ask("numbers", settings=crowded)["remarks"][0]


def test_a_start_and_a_probe_are_waves_of_the_circuit(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    assert page.opened["starts"] == ["in", "drop", "add", "through"]
    wl, curves = page.curves(start="add", probes=["ring.right,o1:in"], wl="1.5512:1.5513:11")
    inner = ps.load("add_drop_ring").transfer(wl, ["ring.right,o1:in", "through"], ["add"])
    np.testing.assert_allclose(curves["ring.right,o1:in"], np.abs(inner[:, 0, 0]) ** 2, rtol=1e-12)
    np.testing.assert_allclose(curves["through"], np.abs(inner[:, 1, 0]) ** 2, rtol=1e-12)


def test_a_source_lights_a_circuit_without_ports(page_of: PageOf) -> None:
    page = page_of("link")
    assert page.opened["starts"] == ["laser,o1"]
    for phase in (0.0, 1.0):
        _, curves = page.curves(settings={"phase": phase}, wl="1.55")
        loss = 10**-0.3 * np.cos(phase / 2) ** 2  # the edge's 3 dB and the modulator
        np.testing.assert_allclose(curves["receiver,o1"], loss, rtol=1e-9)
        currents = page.ask("numbers", settings={"phase": phase})["currents"]
        assert currents[0]["current"] == pytest.approx(0.9 * 2e-3 * loss, rel=1e-6)


def test_every_setting_has_a_knob_whose_range_holds_its_value(page_of: PageOf) -> None:
    for name in ("add_drop_ring", "wdm_link", "mrr_weight_bank_1x4", "polarization_diversity"):
        page = page_of(name)
        circuit = ps.load(name)
        knobs = {knob["name"]: knob for knob in page.opened["knobs"]}
        shown = {n for n, value in circuit.parameters.items() if value is not None}
        assert shown <= set(knobs)
        for knob in knobs.values():
            if knob["kind"] in ("number", "whole"):
                assert knob["low"] <= knob["value"] <= knob["high"]
                assert knob["low"] < knob["high"]
                assert knob["least"] is None or knob["least"] <= knob["low"]
                assert knob["most"] is None or knob["high"] <= knob["most"]
    assert knobs["temperature"]["unit"] == "K"


def test_a_setting_of_the_netlist_has_the_unit_of_what_follows_it(page_of: PageOf) -> None:
    knobs = {knob["name"]: knob for knob in page_of("link").opened["knobs"]}
    assert knobs["phase"]["unit"] == "rad"
    assert knobs["modulator.phase"]["follows"] == "phase"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("instances:\n  a: {component: straigt}\nports: {in: 'a,o1'}\n", 2, "straight"),
        (
            "instances:\n  a:\n    component: straight\n    settings: {lenth: 3}\nports: {in: 'a,o1'}\n",
            4,
            "length",
        ),
        ("instances:\n  a: {component: straight}\nports:\n  in: a,o1\n  out: a,o9\n", 5, "o9"),
        ("name: x\ninstances: [\n", 3, "YAML"),
        ("", 1, "empty"),
        ("instances:\n  a: {component: straight}\n", 1, "nothing to compute"),
        (SPECIFIED.replace("fwhm", "fhwm"), 8, "fhwm"),
        (SPECIFIED + "analyses:\n  - {kind: spectrum, name: s, wl: nonsense}\n", 12, "nonsense"),
    ],
)
def test_a_mistake_stands_at_its_line(text: str, line: int, words: str, page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    found = page.open(text)["mistake"]
    assert found["line"] == line
    assert words in found["message"]
    assert "<text>" not in found["message"]
    page.curves(wl="1.55:1.551:3")  # the last circuit that was right is still answered
    assert page.open(SPECIFIED)["mistake"] is None


def test_the_specification_is_marked(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    page.open(SPECIFIED)
    found = {one["label"]: one for one in page.ask("numbers", wl="1.549:1.553:2001")["specification"]}
    assert found["narrow"]["met"]
    assert found["narrow"]["value"] == pytest.approx(0.0938e-3, rel=2e-3)
    assert not found["strong"]["met"]
    assert found["strong"]["value"] == pytest.approx(0.501, abs=2e-3)
    assert found["far"]["met"], "judged in its own window, which the page does not show"
    moved = page.ask("numbers", wl="1.549:1.553:2001", settings={"ring.coupling": 0.2})["specification"]
    assert [one["met"] for one in moved] == [False, True, True]


def test_metrics_are_those_of_the_result(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    found = page.ask("numbers", wl="1.549:1.553:2001")
    metrics = ps.load("add_drop_ring")(ps.wavelengths(1.549, 1.553, 2001))["in", "drop"].metrics()
    row = next(row for row in found["rows"] if row["wave"] == "drop")
    values = dict(zip(found["heads"], row["cells"], strict=True))
    assert float(values["resonance (um)"]) == pytest.approx(float(metrics.resonance), rel=1e-7)
    assert float(values["fwhm (nm)"]) == pytest.approx(1e3 * float(metrics.fwhm), rel=1e-4)
    assert float(values["q"]) == pytest.approx(float(metrics.q), rel=1e-4)


def test_a_coarse_grid_is_remarked(page_of: PageOf) -> None:
    remarks = page_of("add_drop_ring").ask("numbers", wl="1.54:1.56:101")["remarks"]
    assert any("undersamples" in text for text in remarks)


def test_guides_carry_the_power_of_the_circuit(page_of: PageOf) -> None:
    page = page_of("lattice_filter")
    found = page.ask("powers", at=1.55, start="in")
    circuit = ps.load("lattice_filter")
    guides = {guide["wire"]: guide for guide in found["guides"]}
    assert len(guides) == len(circuit.netlist.connections) + len(circuit.ports)
    for guide in guides.values():
        for way in (guide["along"], guide["back"]):
            power = abs(circuit.transfer(1.55, [way["wave"]], ["in"])[0, 0, 0]) ** 2
            if way["dBm"] is None:
                assert power < 1e-19
            else:
                assert way["dBm"] == pytest.approx(10 * np.log10(power), abs=1e-3)
    svg = page.ask("drawing")["svg"]
    assert all(f'data-wire="{name}"'.replace("<", "&lt;").replace(">", "&gt;") in svg for name in guides)


@pytest.mark.parametrize("name", ["add_drop_ring", "link", "wdm_link", "polarization_diversity", "vowels"])
def test_every_guide_of_a_drawing_can_be_probed(name: str, page_of: PageOf) -> None:
    page = page_of(name)
    guides = page.ask("powers")["guides"]
    assert guides
    waves = [guide["along"]["wave"] or guide["back"]["wave"] for guide in guides]
    _, curves = page.curves(probes=waves, wl="1.55:1.551:3")
    assert set(waves) <= set(curves)


def test_a_pattern_has_traces_and_an_eye(page_of: PageOf) -> None:
    page = page_of("link")
    drive = page.opened["drive"]
    assert drive["drive"] == "phase"
    found = page.ask("time", signal={**drive, "rate": 10e9, "symbols": 64})
    assert [one["name"] for one in found["signals"]] == ["receiver"]
    assert found["eye"]["name"] == "receiver"
    high, low = sorted(found["eye"]["levels"], reverse=True)
    assert high == pytest.approx(0.9 * 2e-3 * 10**-0.3, rel=2e-2)
    assert low == pytest.approx(0.0, abs=2e-2 * high)
    assert page.ask("time", signal={"drive": "phaze"}, status=400)["error"].endswith("Did you mean 'phase'?")


def test_an_analysis_in_time_of_the_netlist_is_offered(page_of: PageOf) -> None:
    page = page_of("pam4_transmitter")
    name = page.opened["transients"][0]
    assert page.ask("time", signal={"analysis": name})["signals"]


def test_exports_hold_what_the_page_shows(page_of: PageOf, tmp_path: Path) -> None:
    page = page_of("add_drop_ring")
    view = {"wl": "1.55:1.552:21", "settings": {"ring.radius": 10.01}}
    circuit = ps.load("add_drop_ring")
    expected = circuit(ps.wavelengths(1.55, 1.552, 21), ring={"radius": 10.01})
    rows = list(csv.DictReader(io.StringIO(page.export("data.csv", **view).decode())))
    np.testing.assert_allclose([float(r["in to drop (dB)"]) for r in rows], expected["in", "drop"].power_dB)
    (tmp_path / "data.npz").write_bytes(page.export("data.npz", **view))
    np.testing.assert_allclose(files.read(tmp_path / "data.npz").values, expected.values, rtol=1e-12)
    (tmp_path / "moved.yml").write_bytes(page.export("netlist.yml", **view))
    again = ps.load(tmp_path / "moved.yml")(expected.wl)
    np.testing.assert_allclose(again.values, expected.values, rtol=1e-9, atol=1e-14)
    assert page.export("netlist.yml").decode() == page.client.post("/file", json={}).json()["text"]
    for what, start in (("spectrum.png", b"\x89PNG"), ("spectrum.pdf", b"%PDF"), ("drawing.svg", b"<svg")):
        assert page.export(what, **view).startswith(start)
    assert b"Did you mean 'spectrum.png'" in page.export("spectrum.pgn", status=400)


def test_settings_inside_parts_and_temperature_reach_the_netlist(page_of: PageOf, tmp_path: Path) -> None:
    page = page_of("clements_4x4")
    settings: dict[str, Any] = {"b00.outer.phase": 0.3, "temperature": 310.0}
    (tmp_path / "moved.yml").write_bytes(page.export("netlist.yml", settings=settings))
    circuit = ps.load("clements_4x4")
    expected = circuit([1.55], **settings).values
    np.testing.assert_allclose(ps.load(tmp_path / "moved.yml")([1.55]).values, expected, atol=1e-12)


def test_stale_questions_are_dropped(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    page.ask("spectrum", turn={"page": "a", "number": 7}, wl="1.55:1.551:3")
    old = page.ask("spectrum", turn={"page": "a", "number": 6}, wl="1.55:1.551:3", status=409)
    assert old == {"stale": True}
    page.ask("spectrum", turn={"page": "b", "number": 1}, wl="1.55:1.551:3")
    page.ask("powers", turn={"page": "a", "number": 1}, wl="1.55:1.551:3")


def test_of_many_waiting_questions_the_newest_alone_is_computed() -> None:
    turns, done = Turns(), []
    computing, go_on = threading.Event(), threading.Event()

    def asked(number: int) -> None:
        try:
            with turns.taken("page", "spectrum", number):
                computing.set()
                go_on.wait()
                done.append(number)
        except Stale:
            pass

    turns.announce("page", "spectrum", 0)
    threads = [threading.Thread(target=asked, args=(0,))]
    threads[0].start()
    assert computing.wait()
    for number in range(1, 9):
        turns.announce("page", "spectrum", number)
        threads.append(threading.Thread(target=asked, args=(number,)))
        threads[-1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert done == [0, 8]


def test_a_netlist_that_the_server_forgot_is_asked_for_again(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    page.opened["key"] = "0" * 24
    assert "open it again" in page.ask("spectrum", status=404)["error"]


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ({"settings": {"ring.radios": 3.0}}, "radius"),
        ({"settings": {"ring.radius": -1.0}}, "radius"),
        ({"wl": "1.5:1.6"}, "start:stop:points"),
        ({"wl": "1.5:1.6:30001"}, "20001"),
        ({"start": "inn"}, "Did you mean 'in'?"),
        ({"probes": ["ring,o7"]}, "o7"),
        ({"quantity": "powr"}, "Did you mean 'power'?"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_bad_view_gets_one_sentence(view: dict[str, Any], words: str, page_of: PageOf) -> None:
    assert words in page_of("add_drop_ring").ask("spectrum", status=400, **view)["error"]


def test_files_that_a_netlist_names_are_found_beside_it(page_of: PageOf, tmp_path: Path) -> None:
    guide = {"component": "straight", "settings": {"length": 1.0, "loss_dB_cm": 3.0}}
    circuit = ps.Circuit({"instances": {"a": guide}, "ports": {"in": "a,o1", "out": "a,o2"}})
    circuit(ps.wavelengths(1.54, 1.56, 41)).save(tmp_path / "guide.npz")
    part = "  a: {component: sampled, settings: {file: guide.npz}}"
    text = f"instances:\n{part}\nports: {{in: 'a,in', out: 'a,out'}}\n"
    (tmp_path / "own.yml").write_text(text, encoding="utf-8")
    page = page_of(tmp_path / "own.yml")
    assert page.open()["mistake"] is None
    assert page.opened["name"] == "own"
    _, curves = page.curves(wl="1.545:1.555:11")
    assert np.isfinite(curves["out"]).all()


def test_progress_says_what_is_computed(page_of: PageOf) -> None:
    page = page_of("add_drop_ring")
    assert page.client.get("/progress").json()["words"] == ""
    with page.answers.progress.question("Computing the spectrum"):
        found = page.client.get("/progress").json()
    assert found["words"] == "Computing the spectrum"
    assert found["compiling"] == ""


def test_progress_hears_of_what_numba_compiles() -> None:
    import numba

    from photosim.explorer.progress import Progress

    seen: list[str] = []
    progress = Progress()

    class Watching(Progress):
        def on_start(self, event: Any) -> None:
            super().on_start(event)
            seen.append(self.plain()["compiling"])

    progress = Watching()

    @numba.njit
    def tripled(x: Any) -> Any:
        return 3.0 * x

    with progress.listening():
        tripled(2.0)
    assert any("tripled" in name for name in seen)
    assert progress.plain()["compiling"] == ""
    assert progress.plain()["compiled"] >= 1
