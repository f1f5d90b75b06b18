"""Work that needs more memory than there is: refused in a sentence before it starts."""

from __future__ import annotations

import os

import pytest

import photosim as ps
from photosim import memory
from photosim.netlist import check_size, from_dict


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
    assert f"has {expected:,} parts" in text
    assert "s to make, before anything is computed" in text


def test_small_circuits_are_not_counted() -> None:
    assert check_size(bank(10, 10)) == ""


@pytest.mark.usefixtures("small")
def test_a_circuit_beyond_the_memory_is_refused_before_it_is_made() -> None:
    with pytest.raises(ps.ParameterError, match="make its arrays or meshes smaller"):
        ps.Circuit(bank(400, 400))


def test_a_written_out_medium_has_a_bound() -> None:
    with pytest.raises(ps.NetlistError, match="setting 'inputs' is 1e\\+06, but must be 1 to 10000"):
        ps.Circuit({"instances": {"m": {"component": "speckle_medium", "settings": {"inputs": 1_000_000}}}})


@pytest.mark.usefixtures("small")
def test_a_simulation_in_time_beyond_the_memory_is_refused() -> None:
    with pytest.raises(ps.ParameterError, match=r"samples of .* would take .* make it shorter"):
        ps.transient(ps.load("link"), 0.5e-3, sample_rate=160e9)
