"""Work that needs more memory than there is: refused in a sentence before it starts."""

from __future__ import annotations

import os
import re
import tracemalloc
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import memory
from photosim.cli import inspect
from photosim.components.media import gaussian_transmission
from photosim.engine.slopes import empty_slopes
from photosim.media.camera import FRAME_BYTES, Camera
from photosim.media.gaussian import StoredMedium
from photosim.media.medium import Medium
from photosim.media.modulators import PATTERN_BYTES, Dmd, Slm
from photosim.media.procedural import ProceduralMedium
from photosim.media.screens import LensMedium, ScreensMedium
from photosim.media.waveguide import FIBRE_BYTES, WAVEGUIDE_BYTES, FibreMedium, WaveguideMedium
from photosim.model import registry
from photosim.netlist import check_size, from_dict
from photosim.netlist.size import _Count
from photosim.training.architecture import build_network
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.layers import Convolution
from photosim.training.layers.network import dense_network
from photosim.training.trainer import Schedule, check_memory


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 1 GB."""
    monkeypatch.setattr(memory, "memory_bytes", lambda: 1e9)


def test_the_machine_says_its_memory() -> None:
    found = memory.memory_bytes()
    assert found > 1e8
    if hasattr(os, "sysconf"):
        assert found <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("number", "text"),
    [(12, "12 bytes"), (2.44e9, "2.4 GB"), (24e9, "24 GB"), (512e9, "512 GB"), (3e15, "3000 TB")],
)
def test_sizes_are_written_for_people(number: float, text: str) -> None:
    assert memory.size(number) == text


@pytest.mark.usefixtures("small")
def test_a_sweep_beyond_the_memory_is_refused() -> None:
    """Ten million wavelengths of 4 x 4 elements are 2.56 GB of complex numbers."""
    circuit = ps.load("add_drop_ring")
    with pytest.raises(
        ps.ParameterError, match=r"4 x 4 elements at 10,000,000 points would take 3\.4 GB of memory"
    ):
        circuit(ps.wavelengths(1.5, 1.6, 10_000_000))
    assert circuit(ps.wavelengths(1.5, 1.6, 1001)).values.shape == (1001, 4, 4)


def bank(rows: int, channels: int) -> ps.Netlist:
    settings = {"rows": rows, "channels": channels}
    return from_dict({"instances": {"bank": {"component": "weight_bank", "settings": settings}}})


def parts_of_bank(n: int) -> int:
    """Return the parts of a bank of n rows and 2 n channels that was made."""
    instances = {
        "bank": {"component": "weight_bank", "settings": {"rows": n, "channels": 2 * n}},
        "g": "straight",
    }
    with pytest.warns(ps.PhotosimWarning, match="inner port"):
        circuit = ps.Circuit({"instances": instances, "ports": {"in": "g,o1"}})
    return len(circuit.graph.parts) - 1


def test_parts_are_counted_without_writing_them_out() -> None:
    """A bank has as many parts as a small one says by its rows, channels and ends."""
    small = {n: parts_of_bank(n) for n in (1, 2, 3)}
    second = small[3] - 2 * small[2] + small[1]  # differences of a polynomial of second degree
    first = small[2] - small[1]
    n = 200
    expected = small[1] + first * (n - 1) + second * (n - 1) * (n - 2) // 2
    text = check_size(bank(n, 2 * n))
    assert f"has {expected:,} parts" in text  # found from banks of 16 to 64 rows and channels
    assert "s to make, before anything is computed" in text


def test_check_says_what_a_large_circuit_takes_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def stop(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(inspect, "_made", stop)
    path = tmp_path / "bank.yml"
    path.write_text(
        "instances:\n  bank: {component: weight_bank, settings: {rows: 400, channels: 400}}\n",
        encoding="utf-8",
    )
    with pytest.raises(KeyboardInterrupt):
        inspect.check(str(path), strict=False, settings=False, as_json=False)
    assert "parts, which take about" in capsys.readouterr().err


def test_small_circuits_are_not_counted() -> None:
    assert check_size(bank(10, 10)) == ""


@pytest.mark.usefixtures("small")
def test_a_circuit_beyond_the_memory_is_refused_before_it_is_made() -> None:
    with pytest.raises(ps.ParameterError, match="make its arrays, meshes or media smaller"):
        ps.Circuit(bank(400, 400))


def test_a_written_out_medium_has_a_bound() -> None:
    with pytest.raises(ps.NetlistError, match="setting 'inputs' is 1e\\+06, but must be 1 to 10000"):
        ps.Circuit({"instances": {"m": {"component": "speckle_medium", "settings": {"inputs": 1_000_000}}}})


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("medium", [WaveguideMedium(100_000), FibreMedium(100_000)])
def test_a_matrix_of_a_medium_beyond_the_memory_is_refused(medium: Medium) -> None:
    with pytest.raises(ps.ParameterError, match=r"100,000 x 100,000 entries would take \d+ GB of memory"):
        medium.project(np.ones(100_000))
    with pytest.raises(ps.ParameterError, match="take fewer channels"):
        medium.block([0], [0])


@pytest.mark.usefixtures("small")
def test_a_stored_matrix_beyond_the_memory_names_the_procedural_one() -> None:
    with pytest.raises(ps.ParameterError, match=r"would take 80 GB of memory.*procedural"):
        StoredMedium(100_000, 100_000).project(np.ones(100_000))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("medium", [ProceduralMedium(100_000, 100_000), LensMedium(320)])
def test_what_is_asked_of_a_medium_without_a_matrix_has_the_bound(medium: Medium) -> None:
    with pytest.raises(ps.ParameterError, match=r"A copy of a medium's matrix .* take fewer rows"):
        medium.block()
    one = np.broadcast_to(np.float32(1), (10_000, medium.shape[1]))
    with pytest.raises(ps.ParameterError, match=r"A batch of 10,000 patterns .* send fewer at a time"):
        medium.project(one)


@pytest.mark.parametrize(
    ("medium", "each"),
    [(WaveguideMedium(400), WAVEGUIDE_BYTES), (FibreMedium(400), FIBRE_BYTES), (StoredMedium(400, 400), 8)],
)
def test_the_memory_of_a_matrix_is_what_it_takes_to_make(medium: Any, each: float) -> None:
    for small in (WaveguideMedium(8), FibreMedium(8), StoredMedium(8, 8)):
        assert small.columns.shape == (8, 8)  # libraries are loaded
    tracemalloc.start()
    try:
        assert medium.columns.shape == (400, 400)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # QR takes one matrix less, 16 bytes an entry, before numpy 2.5; numpy 2.1 draws with some bytes more.
    assert 0.79 * each < peak / 400**2 < 1.2 * each


@pytest.mark.usefixtures("small")
def test_derivatives_beyond_the_memory_are_refused() -> None:
    circuit = ps.load("add_drop_ring")
    names = [name for name in circuit.parameters if name.endswith("loss_dB_cm")]
    wl = np.linspace(1.5, 1.6, 2_000_000)
    ports = circuit.ports[:1]
    with pytest.raises(ps.ParameterError, match=r"Derivatives by .* at 100,000,000 points would take"):
        circuit.pullback(wl, ports, ports, names, **{names[0]: np.linspace(1.0, 2.0, 50)})
    assert circuit.pullback(wl[:10], ports, ports, names)[0].shape == (10, 1, 1)
    with pytest.raises(ps.ParameterError, match=r"Derivatives of waves of shape \(1000, 9, 9\) by 1,000"):
        empty_slopes([f"a{k}" for k in range(1000)], (1000, 9, 9))


@pytest.mark.usefixtures("small")
def test_a_training_beyond_the_memory_is_refused_before_it_starts() -> None:
    x = np.zeros((20_000, 4), dtype=np.float32)
    samples = Samples(x, np.zeros(len(x), dtype=np.int64))
    data = Dataset("zeros", samples, samples, samples, 2)
    with pytest.raises(ps.ParameterError, match=r"Training 60,000 weights in batches of 32 .* 20,000 at a"):
        check_memory(dense_network((4, 10_000, 2)), data, Schedule(1))
    check_memory(dense_network((4, 100, 2)), data, Schedule(1))
    with pytest.raises(ps.ParameterError, match=r"would take .* take a smaller network"):
        check_memory(dense_network((4, 100_000, 100_000, 2)), data, Schedule(1))


@pytest.mark.usefixtures("small")
def test_the_patches_of_a_convolution_are_counted() -> None:
    """256 images of 28 x 28 under windows of 9 x 9: 20 x 20 x 81 numbers each, 33 MB."""
    network = build_network(
        [[1, 28, 28], {"layer": "convolution", "channels": 1, "kernel": 9}, 10], "tanh", "n"
    )
    layer = network.layers[0]
    trace = layer.forward(layer.initial(np.random.default_rng(0), np.float32), np.zeros((3, 784), np.float32))
    assert isinstance(layer, Convolution)
    assert trace.memo is not None
    assert trace.memo.size == 3 * layer.patches
    for count, refused in ((256, False), (20_000, True)):
        samples = Samples(np.zeros((count, 784), np.float32), np.zeros(count, dtype=np.int64))
        data = Dataset("zeros", samples, samples, samples, 10)
        said = pytest.raises(ps.ParameterError, match=r"would take 2\.\d GB") if refused else nullcontext()
        with said:
            check_memory(network, data, Schedule(1))


def test_the_cost_of_a_large_circuit_is_near_what_banks_took() -> None:
    """A bank of 120 x 120 took 25.6 s of one core and 628 MB."""
    text = check_size(bank(200, 200))
    found = re.search(r"has ([\d,]+) parts, which take about ([\d.]+) GB and (\d+) s", text)
    assert found is not None
    parts = int(found[1].replace(",", ""))
    small_parts = 6 * 120 * 120
    assert parts == pytest.approx(6 * 200 * 200, rel=0.001)
    assert float(found[2]) * 1e9 / parts == pytest.approx(628e6 / small_parts, rel=0.2)
    assert float(found[3]) / parts == pytest.approx(25.6 / small_parts, rel=0.2)


@pytest.mark.usefixtures("small")
def test_a_simulation_in_time_beyond_the_memory_is_refused() -> None:
    with pytest.raises(ps.ParameterError, match=r"samples of .* would take .* make it shorter"):
        ps.transient(ps.load("link"), 0.5e-3, sample_rate=160e9)


def written_out(component: str, **settings: int) -> int:
    """Return the parts of a component that was written out."""
    return _Count()._component(registry.get(component), settings, exact=True).parts


@pytest.mark.parametrize(
    ("component", "settings"),
    [
        ("weight_bank", {"rows": 300, "channels": 70}),
        ("modulator_bus", {"channels": 3000}),
        ("weight_bank_row", {"channels": 500}),
    ],
)
def test_small_components_tell_the_parts_of_large_ones(
    component: str, settings: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = written_out(component, **settings)
    monkeypatch.setattr("photosim.netlist.size._WHOLE", 10)
    assert written_out(component, **settings) == whole


def of_one(component: str, **settings: object) -> ps.Netlist:
    return from_dict({"instances": {"part": {"component": component, "settings": settings}}})


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("component", "settings", "counts"),
    [
        ("speckle_medium", {"inputs": 10_000, "outputs": 10_000}, "200,000,000 S-matrix elements"),
        ("weight_bank", {"rows": 300_000, "channels": 1}, "parts"),
        ("modulator_bus", {"channels": 300_000}, "599,999 parts"),
    ],
)
def test_a_component_at_its_upper_bound_is_refused_before_it_is_made(
    component: str, settings: dict[str, object], counts: str
) -> None:
    with pytest.raises(ps.ParameterError, match=rf"{counts}.* would take .*make its arrays, meshes or media"):
        check_size(of_one(component, **settings))


def test_a_large_mesh_and_a_large_medium_say_what_they_take() -> None:
    assert re.search(r"parts, which take about .* and \d+ s", check_size(of_one("svd_mesh", n=256)))
    text = check_size(of_one("speckle_medium", inputs=2000, outputs=2000))
    assert "8,000,000 S-matrix elements of large parts, which take about 3.6 GB and 80 s to make" in text


def test_counts_beyond_any_machine_are_out_of_bounds() -> None:
    for component, settings, told in (
        ("weight_bank", {"rows": 1_000_000}, r"rows 1000000 x channels 4 = 4000000 elements"),
        ("modulator_bus", {"channels": 1_000_000}, r"channels 1000000 = 1000000 elements"),
        ("frequency_comb", {"lines": 1_000_000}, r"'lines' is 1e\+06 but must be|'lines' is 1e\+06, but"),
        ("phase_screens", {"screens": 1_000_000}, r"'screens' is 1e\+06, but must be 1 to 1000"),
    ):
        with pytest.raises(ps.NetlistError, match=told):
            ps.Circuit(of_one(component, **settings))


def test_the_order_of_a_resonance_is_no_number_of_parts() -> None:
    """A bank of 400 x 200 rings of order 200 was refused for 16 million elements."""
    assert "parts" in check_size(of_one("weight_bank", rows=400, channels=300, order=200))


@pytest.mark.usefixtures("small")
def test_frames_and_patterns_beyond_the_memory_are_refused() -> None:
    many = np.broadcast_to(np.float32(0), (100_000, 1000))
    with pytest.raises(ps.ParameterError, match=r"100,000 frames of 1,000 pixels would take 4\.5 GB"):
        Camera(pixels=1000).expose(many, 1.55, np.random.default_rng(0))
    for modulator, noun in ((Slm(pixels=1000), "cells"), (Dmd(pixels=1000), "mirrors")):
        with pytest.raises(ps.ParameterError, match=rf"100,000 patterns of 1,000 {noun} would take 4 GB"):
            modulator.modulate(many)
    with pytest.raises(ps.ParameterError, match=r"200 screens of 1,024 x 1,024 pixels would take"):
        ScreensMedium(1024, screens=200).project(np.ones(1024**2))


@pytest.mark.parametrize(
    ("show", "each"),
    [
        (lambda x: Camera(pixels=1000).expose(x, 1.55, np.random.default_rng(0)), FRAME_BYTES),
        (lambda x: Slm(pixels=1000).modulate(x), PATTERN_BYTES),
    ],
)
def test_the_memory_of_a_frame_is_what_it_takes(show: Any, each: float) -> None:
    light = np.zeros((1000, 1000))
    show(light[:2])
    tracemalloc.start()
    try:
        show(light)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak == pytest.approx(each * light.size, rel=0.15)


def test_media_that_take_minutes_say_so_before_they_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(memory, "memory_bytes", lambda: 1e12)
    monkeypatch.setattr("photosim.media.waveguide.haar", stop)
    for medium, told in ((WaveguideMedium(10_000), "43 min"), (FibreMedium(10_000), "32 min")):
        with pytest.warns(ps.PhotosimWarning, match=f"10,000 x 10,000 entries takes about {told}"):  # noqa: SIM117
            with pytest.raises(KeyboardInterrupt):
                medium.project(np.ones(10_000))
    monkeypatch.setattr(ProceduralMedium, "_share", stop)
    with pytest.warns(ps.PhotosimWarning, match="1,000,000 x 1,000,000 computed entries takes about 35 min"):  # noqa: SIM117
        with pytest.raises(KeyboardInterrupt):
            ProceduralMedium(1_000_000, 1_000_000).project(np.full(1_000_000, 0.5))


@pytest.mark.parametrize(("seconds", "text"), [(61, "61 s"), (150, "2 min"), (9000, "2 h"), (1e6, "12 days")])
def test_times_are_written_for_people(seconds: float, text: str) -> None:
    assert memory.duration(seconds) == text


def test_the_largest_singular_value_is_that_of_all() -> None:
    for shape in ((400, 300), (300, 900)):
        matrix, largest = gaussian_transmission(shape[1], shape[0], 7)
        assert largest == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0], rel=1e-12)
