"""Meshes as circuits: a block against its matrix, meshes against the laws of their layout."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import photosim as ps
from photosim.components.mesh_places import PLACES, clements_places, reach, reck_places
from photosim.errors import ParameterError
from photosim.model import registry

ComplexArray = NDArray[np.complex128]

MESHES = ["clements_mesh", "reck_mesh", "diamond_mesh", "butterfly_mesh"]
ANGLES = st.floats(-7.0, 7.0)
POWERS = st.floats(0.0, 1.0)
LOSSES = st.floats(0.0, 5.0)


def alone(component: str, **settings: Any) -> ps.Circuit:
    """A circuit of one instance, `part`, with its ports exposed."""
    ports = {p: ("part", p) for p in registry.get(component).ports_for(settings)}
    return ps.Circuit(ps.Netlist({"part": ps.part(component, **settings)}, ports=ports))


def matrix(
    circuit: ps.Circuit, guides: int, settings: Mapping[str, Any] | None = None, wl: float = 1.55
) -> ComplexArray:
    """Waves at the outputs of all guides per waves at their inputs."""
    outputs = [f"o{2 * guides - k}" for k in range(guides)]
    inputs = [f"o{k + 1}" for k in range(guides)]
    return np.asarray(circuit.transfer([wl], outputs, inputs, part=settings or {})[0])


BLOCK = alone("mzi_block")


def coupler(power: float) -> ComplexArray:
    bar, cross = np.sqrt(1 - power), 1j * np.sqrt(power)
    return np.array([[bar, cross], [cross, bar]])


def unitary_deviation(u: ComplexArray) -> float:
    return float(np.abs(u.conj().T @ u - np.eye(len(u))).max())


@given(theta=ANGLES, phi=ANGLES)
def test_block_is_the_matrix_of_the_literature(theta: float, phi: float) -> None:
    s, c, turn = np.sin(theta / 2), np.cos(theta / 2), np.exp(1j * phi)
    expected = 1j * np.exp(1j * theta / 2) * np.array([[turn * s, c], [turn * c, -s]])
    np.testing.assert_allclose(matrix(BLOCK, 2, {"theta": theta, "phi": phi}), expected, atol=1e-14)


@given(theta=ANGLES, phi=ANGLES, coupling=POWERS, join=POWERS, loss_dB=LOSSES, shifter_dB=LOSSES)
def test_imperfect_block_is_the_product_of_its_parts(
    theta: float, phi: float, coupling: float, join: float, loss_dB: float, shifter_dB: float
) -> None:
    wl, shifter = 1.53, 10 ** (-shifter_dB / 20)
    outer = np.diag([shifter * np.exp(1j * phi * 1.55 / wl), 1.0])
    inner = np.diag([shifter * np.exp(1j * theta * 1.55 / wl), 1.0])
    expected = 10 ** (-loss_dB / 20) * coupler(join) @ inner @ coupler(coupling) @ outer
    settings = {
        "theta": theta, "phi": phi, "coupling": coupling, "coupling_join": join, "loss_dB": loss_dB,
        "loss_shifter_dB": shifter_dB,
    }  # fmt: skip
    found = matrix(BLOCK, 2, settings, wl)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_second_coupler_is_like_the_first_unless_given() -> None:
    same = matrix(alone("mzi_block", coupling=0.3), 2, {"theta": 1.0})
    both = matrix(BLOCK, 2, {"theta": 1.0, "coupling": 0.3, "coupling_join": 0.3})
    np.testing.assert_allclose(same, both, atol=1e-15)


@pytest.mark.parametrize("n", range(2, 12))
@pytest.mark.parametrize("arrangement", ["clements", "reck"])
def test_every_pair_of_guides_that_must_meet_has_a_block(arrangement: str, n: int) -> None:
    places = PLACES[arrangement](n)
    columns = {column for column, _ in places}
    assert len(places) == len(set(places)) == n * (n - 1) // 2
    assert columns == set(range({"clements": n if n > 2 else 1, "reck": 2 * n - 3}[arrangement]))
    # No guide is in two blocks of a column, and no block could stand a column earlier.
    for column in columns:
        modes = sorted(mode for c, mode in places if c == column)
        assert all(b - a == 2 for a, b in pairwise(modes))
        if column:
            assert all({(column - 1, m - 1), (column - 1, m + 1)} & set(places) for m in modes)


@pytest.mark.parametrize("n", range(2, 12))
def test_diamond_is_the_triangle_and_its_mirror_image(n: int) -> None:
    places = set(PLACES["diamond"](n))
    triangle = {(column, mode + n - 2) for column, mode in reck_places(n)}
    mirrored = {(column, 2 * (n - 2) - mode) for column, mode in triangle}
    assert places == triangle | mirrored
    assert len(places) == (n - 1) ** 2


@pytest.mark.parametrize("n", range(2, 18))
def test_butterfly_brings_light_to_every_guide_where_the_size_is_a_power_of_two(n: int) -> None:
    places = PLACES["butterfly"](n)
    lit = np.eye(n, dtype=bool)
    for column, mode in places:
        other = mode + reach("butterfly", column)
        lit[mode] = lit[other] = lit[mode] | lit[other]
    columns = int(np.ceil(np.log2(n)))
    assert {column for column, _ in places} == set(range(columns))
    if 2**columns == n:
        assert lit.all()
        assert len(places) == n * columns // 2
    assert lit[0].all()  # the first guide has a partner in every column


def test_layouts_of_three_and_four_guides() -> None:
    assert clements_places(4) == ((0, 0), (0, 2), (1, 1), (2, 0), (2, 2), (3, 1))
    assert reck_places(4) == ((0, 0), (1, 1), (2, 0), (2, 2), (3, 1), (4, 0))
    assert reck_places(3) == ((0, 0), (1, 1), (2, 0))


@pytest.mark.parametrize("n", [2, 3, 5, 8])
@pytest.mark.parametrize("component", ["clements_mesh", "reck_mesh"])
def test_cold_mesh_reverses_the_guides(component: str, n: int) -> None:
    power = np.abs(matrix(alone(component, n=n), n)) ** 2
    np.testing.assert_allclose(power, np.eye(n)[::-1], atol=1e-14)


def random_settings(component: str, n: int, seed: int) -> Mapping[str, Mapping[str, float]]:
    rng = np.random.default_rng(seed)
    places = PLACES[component.removesuffix("_mesh")](n)
    blocks = {
        f"m{c}_{m}": {"theta": rng.uniform(-4, 4), "phi": rng.uniform(-4, 4), "coupling": rng.uniform()}
        for c, m in places
    }
    return {**blocks, **{f"end{k}": {"phase": rng.uniform(-4, 4)} for k in range(n)}}


@pytest.mark.parametrize("n", [2, 3, 6])
@pytest.mark.parametrize("component", ["clements_mesh", "reck_mesh", "butterfly_mesh"])
def test_lossless_mesh_is_unitary_and_every_setting_counts(component: str, n: int) -> None:
    circuit = alone(component, n=n)
    settings = random_settings(component, n, n)
    found = matrix(circuit, n, settings)
    assert unitary_deviation(found) < 1e-13
    for instance, own in settings.items():
        for name, value in own.items():
            moved = {**settings, instance: {**own, name: 0.9 * value}}
            assert np.abs(matrix(circuit, n, moved) - found).max() > 1e-6, (instance, name)


@pytest.mark.parametrize("n", [2, 4, 6])
def test_diamond_whose_mirrored_half_keeps_its_guides_is_the_triangle(n: int) -> None:
    settings = {**random_settings("reck_mesh", n, 3)}
    moved = {
        (f"m{name[1:].split('_')[0]}_{int(name.split('_')[1]) + n - 2}" if name[0] == "m" else name): own
        for name, own in settings.items()
    }
    rest = {f"m{c}_{m}" for c, m in PLACES["diamond"](n)} - set(moved)
    found = matrix(alone("diamond_mesh", n=n), n, {**moved, **{name: {"theta": np.pi} for name in rest}})
    np.testing.assert_allclose(found, matrix(alone("reck_mesh", n=n), n, settings), atol=1e-14)


@pytest.mark.parametrize("component", ["clements_mesh", "reck_mesh", "butterfly_mesh"])
def test_loss_of_a_path_is_that_of_the_blocks_it_meets(component: str) -> None:
    n, loss = 5, 0.7
    circuit = alone(component, n=n, loss_dB=loss)
    arrangement = component.removesuffix("_mesh")
    places = PLACES[arrangement](n)
    bars = {f"m{c}_{m}": {"theta": np.pi} for c, m in places}
    found = -10 * np.log10(np.abs(np.diagonal(matrix(circuit, n, bars))) ** 2)
    met = [sum(k in (m, m + reach(arrangement, c)) for c, m in places) for k in range(n)]
    np.testing.assert_allclose(found, loss * np.array(met), atol=1e-9)


def test_mesh_holds_the_fourier_transform_of_the_gallery() -> None:
    held = ps.load("clements_4x4").parameters
    settings = {
        f"m{c}_{m}": {name: held[f"b{c}{m}.{name}"] for name in ("theta", "phi")}
        for c, m in clements_places(4)
    }
    ends = {f"end{k}": {"phase": held[f"end{k}.phase"]} for k in range(4)}
    k = np.arange(4)
    expected = np.exp(2j * np.pi * np.outer(k, k) / 4) / 2
    found = matrix(alone("clements_mesh"), 4, {**settings, **ends})
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("arrangement", PLACES)
def test_svd_mesh_is_two_meshes_with_attenuators_between(arrangement: str) -> None:
    n = 3
    mesh = alone(f"{arrangement}_mesh", n=n)
    v, u = (random_settings(f"{arrangement}_mesh", n, seed) for seed in (1, 2))
    blocks = {f"a{k}": {"theta": 0.5 + k, "phi": 0.2 * k} for k in range(n)}
    middle = [1j * np.exp(1j * (a["theta"] / 2 + a["phi"])) * np.sin(a["theta"] / 2) for a in blocks.values()]
    expected = matrix(mesh, n, u) @ np.diag(middle) @ matrix(mesh, n, v)
    found = matrix(alone("svd_mesh", n=n, arrangement=arrangement), n, {"u": u, "v": v, **blocks})
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("component", [*MESHES, "svd_mesh"])
def test_ports_are_numbered_clockwise_and_known_by_guide(component: str) -> None:
    model = registry.get(component)
    aliases = model.aliases_for({"n": 3})
    assert model.ports_for({"n": 3}) == ("o1", "o2", "o3", "o4", "o5", "o6")
    names = ("in0", "in1", "in2", "out2", "out1", "out0")
    assert [aliases[name] for name in names] == ["o1", "o2", "o3", "o4", "o5", "o6"]


@pytest.mark.parametrize("n", [1, 257, 300_000])
@pytest.mark.parametrize("component", [*MESHES, "svd_mesh"])
def test_size_is_bounded(component: str, n: int) -> None:
    with pytest.raises(ParameterError, match=rf"'n' is {n:g}, but must be 2 to 256"):
        registry.get(component).check({"n": n})
