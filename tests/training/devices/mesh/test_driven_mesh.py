"""Meshes whose phases have converters and whose shifters warm each other: circuit, device and a twin."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import photosim as ps
from photosim.analysis.heaters import HeaterArray
from photosim.components.mesh_places import PLACES, dark_guides, reach
from photosim.errors import NetlistError, ParameterError
from photosim.model import registry
from photosim.training.devices import Mesh
from photosim.training.devices.mesh.circuit import find_mesh, mesh_chip
from photosim.training.devices.mesh.decomposition import MeshPhases, PairPhases
from photosim.training.layers.mesh import MeshLayer, arrays_of

RNG = np.random.default_rng(21)
N, WL0 = 5, 1.55
COUPLING, JOIN, LOSS_DB, SHIFTER_DB = 0.46, 0.53, 0.3, 0.1
DESIGN = {"coupling": COUPLING, "coupling_join": JOIN, "loss_dB": LOSS_DB, "loss_shifter_dB": SHIFTER_DB}
Matrix = NDArray[np.complex128]
DRIVES = [(6, 0.03), (6, None), (None, 0.03), (1, 0.2)]


def steps_of(phase: float, bits: int | None) -> float:
    """The phase that a driver holds: within a turn, on the nearest of its steps."""
    within = phase - 2 * np.pi * np.floor(phase / (2 * np.pi))
    if bits is None:
        return float(within)
    return float(2 * np.pi * (int(np.floor(within * 2**bits / (2 * np.pi) + 0.5)) % 2**bits) / 2**bits)


def warm(spots: list[tuple[int, int]]) -> NDArray[np.float64]:
    """1 where nothing stands between two shifters of a guide, or of a column, at (column, guide)."""
    found = np.zeros((len(spots), len(spots)))
    for (i, (c, g)), (j, (d, h)) in combinations(enumerate(spots), 2):
        between = [
            (e, k)
            for e, k in spots
            if (g == h == k and min(c, d) < e < max(c, d)) or (c == d == e and min(g, h) < k < max(g, h))
        ]
        found[i, j] = found[j, i] = float((g == h or c == d) and not between)
    return found


def one_mesh(phases: MeshPhases, bits: int | None, crosstalk: float | None, wl: float) -> Matrix:
    """The matrix of a mesh, part by part in its guides, heat by the places of all shifters."""
    n, arrangement = phases.end.size, phases.arrangement
    places, dark = PLACES[arrangement](n), dark_guides(arrangement, n)
    last = 2 * max(c for c, _ in places) + 2
    spots = [(2 * c, m) for c, m in places] + [(2 * c + 1, m) for c, m in places]
    spots += [(last, dark + k) for k in range(n)]
    asked = [*phases.phi, *phases.theta, *phases.end]
    driven = bits is not None or crosstalk is not None
    held = np.array([steps_of(p, bits) if driven else p for p in asked])
    acting = (held + (crosstalk or 0.0) * warm(spots) @ held) * WL0 / wl
    count, guides = len(places), dark + n
    lost = 10 ** (-SHIFTER_DB / 20)
    whole = np.eye(guides, dtype=complex)
    for k, (c, m) in enumerate(places):
        pair = [m, m + reach(arrangement, c)]
        for share, phase in ((COUPLING, acting[k]), (JOIN, acting[count + k])):
            t, x = np.sqrt(1 - share), 1j * np.sqrt(share)
            shifter = np.diag([lost * np.exp(1j * phase), 1.0])
            coupler = 10 ** (-LOSS_DB / 40) * np.array([[t, x], [x, t]])
            whole[pair] = coupler @ shifter @ whole[pair]
    ends = lost * np.exp(1j * acting[2 * count :])
    return np.asarray(ends[:, np.newaxis] * whole[dark:, dark:])


def by_hand(phases: Any, bits: int | None, crosstalk: float | None, wl: float) -> Matrix:
    if isinstance(phases, MeshPhases):
        return one_mesh(phases, bits, crosstalk, wl)
    middle = []
    for theta, phi in zip(phases.theta, phases.phi, strict=True):
        block = MeshPhases("clements", np.array([theta]), np.array([phi]), np.zeros(2))
        lost = 10 ** (-SHIFTER_DB / 20)  # an attenuator has no output shifter
        middle.append(one_mesh(block, bits, None, wl)[0, 0] / lost)
    u, v = (one_mesh(mesh, bits, crosstalk, wl) for mesh in (phases.u, phases.v))
    return np.asarray(u @ np.diag(middle) @ v)


def asked_of(circuit: ps.Circuit) -> MeshPhases | PairPhases:
    layer = MeshLayer.of(circuit)
    drawn = layer.phases(layer.initial(RNG))
    return drawn.changed(lambda own: own + 2 * np.pi * RNG.integers(-1, 2, own.shape))


def engine(circuit: ps.Circuit, wl: float, settings: Any) -> Matrix:
    outputs, inputs = [f"out{k}" for k in range(N)], [f"in{k}" for k in range(N)]
    return np.asarray(circuit.transfer([wl], outputs, inputs, mesh=settings)[0])


@pytest.mark.parametrize("wl", [WL0, 1.57])
@pytest.mark.parametrize(("bits", "crosstalk"), DRIVES)
@pytest.mark.parametrize("component", ["clements", "reck", "diamond", "butterfly", "svd"])
def test_circuit_device_and_hand_agree(
    component: str, bits: int | None, crosstalk: float | None, wl: float
) -> None:
    circuit = mesh_chip(f"{component}_mesh", N, bits=bits, crosstalk=crosstalk, **DESIGN)
    asked = asked_of(circuit)
    expected = by_hand(asked, bits, crosstalk, wl)
    np.testing.assert_allclose(engine(circuit, wl, asked.settings()), expected, atol=1e-12)
    hardware = find_mesh(circuit, "mesh", wl)
    np.testing.assert_allclose(hardware.matrix(hardware.held(asked)), expected, atol=1e-12)
    plain = by_hand(asked, None, None, wl)
    assert np.abs(expected - plain).max() > 1e-3  # or neither converters nor heat would have been there
    x = RNG.standard_normal((3, N))
    layer = replace(MeshLayer.of(circuit), hardware=hardware)
    parameters = arrays_of(asked)
    np.testing.assert_allclose(layer.forward(parameters, x).outputs, x @ expected.T, atol=1e-12)
    if wl == WL0:  # elsewhere a device allows for the wavelength
        mesh = Mesh.from_circuit(circuit, "mesh").with_phases(asked)
        np.testing.assert_allclose(mesh.matrix(), mesh.programmed.scale * expected, atol=1e-12)


def names_of(asked: MeshPhases | PairPhases) -> list[str]:
    """Dotted names of the phases in the order of arrays_of."""
    if isinstance(asked, PairPhases):
        inner = {"v": asked.v, "u": asked.u}
        found = [f"mesh.{side}.{name[5:]}" for side, own in inner.items() for name in names_of(own)]
        return found + [f"mesh.a{k}.{name}" for name in ("theta", "phi") for k in range(N)]
    blocks = [f"mesh.m{c}_{m}" for c, m in asked.places]
    names = [f"{block}.{name}" for name in ("theta", "phi") for block in blocks]
    return names + [f"mesh.end{k}.phase" for k in range(asked.end.size)]


@pytest.mark.parametrize(("bits", "crosstalk"), DRIVES)
@pytest.mark.parametrize("component", ["clements", "svd"])
def test_gradients_of_circuit_and_layer_are_one(
    component: str, bits: int | None, crosstalk: float | None
) -> None:
    circuit = mesh_chip(f"{component}_mesh", N, bits=bits, crosstalk=crosstalk, **DESIGN)
    asked, wanted = asked_of(circuit), RNG.standard_normal((N, N)) + 1j * RNG.standard_normal((N, N))
    rows = np.array([list(circuit.ports).index(f"out{k}") for k in range(N)])[:, np.newaxis]
    columns = np.array([list(circuit.ports).index(f"in{k}") for k in range(N)])

    def loss(s: ps.SMatrix) -> tuple[float, Matrix]:
        off = s.values[0][rows, columns] - wanted
        cotangent = np.zeros_like(s.values)
        cotangent[0, rows, columns] = 2 * off
        return float(np.sum(np.abs(off) ** 2)), cotangent

    def gradient(at: ps.Circuit, phases: Any) -> NDArray[np.float64]:
        names = names_of(phases)
        found = at.value_and_grad(loss, wl=[WL0], parameters=names, mesh=phases.settings())[1]
        return np.array([found[name] for name in names])

    exact = gradient(circuit, asked)
    layer = MeshLayer.of(circuit)
    trace = layer.forward(arrays_of(asked), np.eye(N))
    own = layer.gradient(trace, 2 * (trace.outputs - wanted.T), 1)
    np.testing.assert_allclose(np.concatenate([*own.values()]), exact, atol=1e-10)
    # Past the steps it is the gradient of a mesh without converters at the phases held.
    held = layer.held(arrays_of(asked))
    smooth = mesh_chip(f"{component}_mesh", N, crosstalk=crosstalk, **DESIGN)
    np.testing.assert_allclose(gradient(smooth, held), exact, atol=1e-10)
    if bits is None:
        start, step = arrays_of(asked), 1e-6
        for name, k in (("phi", 1), ("theta", 2)):
            one = step * (np.arange(len(start[name])) == k)
            moved = [{**start, name: start[name] + move} for move in (one, -one)]
            ahead, behind = (
                np.sum(np.abs(layer.forward(p, np.eye(N)).outputs - wanted.T) ** 2) for p in moved
            )
            assert (ahead - behind) / (2 * step) == pytest.approx(own[name][k], abs=1e-6)


def test_it_is_the_heat_of_an_array_of_heaters() -> None:
    share = 0.04
    circuit, plain = (mesh_chip("reck_mesh", 4, **own) for own in ({"crosstalk": share}, {}))
    asked = asked_of(plain)
    places = PLACES["reck"](4)
    spots = [(2 * c + side, m) for side in (1, 0) for c, m in places] + [(10, k) for k in range(4)]
    names = tuple(names_of(asked))
    array = HeaterArray(names, np.eye(len(names)) + share * warm(spots), power_pi=20e-3)
    held = np.array([steps_of(p, None) for own in arrays_of(asked).values() for p in own])
    settings: dict[str, Any] = dict(array.settings(20e-3 * held / np.pi))
    warmed = plain([WL0], **settings).values
    np.testing.assert_allclose(circuit([WL0], mesh=asked.settings()).values, warmed, atol=1e-12)


def test_a_mesh_of_converters_programmed_for_its_heat_keeps_the_matrix() -> None:
    target = np.linalg.qr(RNG.standard_normal((N, N)) + 1j * RNG.standard_normal((N, N)))[0]
    design = mesh_chip("clements_mesh", N, crosstalk=0.02)
    corrected = Mesh.from_circuit(design, "mesh").program(target, correct=True)
    np.testing.assert_allclose(corrected.matrix(), target, atol=1e-12)
    off = [
        np.abs(
            Mesh.from_circuit(mesh_chip("clements_mesh", N, crosstalk=0.02, bits=bits), "mesh")
            .program(target, correct=True)
            .matrix()
            - target
        ).max()
        for bits in (6, 10, 14)
    ]
    assert 0.3 > off[0] > 8 * off[1] > 64 * off[2] > 0.0


def test_a_file_and_a_call_say_it_too() -> None:
    ports = {f"{side}{k}": f"chip,{side}{k}" for side in ("in", "out") for k in range(4)}
    given = {"component": "clements_mesh", "settings": {"n": 4, "bits": 5, "crosstalk": "0.5*share"}}
    circuit = ps.Circuit({"settings": {"share": 0.04}, "instances": {"chip": given}, "ports": ports})
    phases = {"m0_0": {"theta": 1.0, "phi": -2.0}, "end1": {"phase": 9.0}}
    s = circuit([WL0], chip=phases).values
    other = mesh_chip("clements_mesh", 4)
    driven = other([WL0], mesh={"bits": 5, "crosstalk": 0.02, **phases}).values
    np.testing.assert_allclose(s, driven, atol=1e-15)
    assert np.abs(s - other([WL0], mesh=phases).values).max() > 1e-2
    # A batch of shares: the light follows each of them.
    batch = circuit([WL0], share=np.array([0.04, 0.08]), chip=phases).values
    np.testing.assert_allclose(batch[0], s, atol=1e-15)
    assert np.abs(batch[1] - batch[0]).max() > 1e-3
    # What a driver holds may be said outright, and warms as well.
    told = circuit([WL0], chip={"m0_0": {"outer": {"held": 1.0}}}).values
    asked = mesh_chip("clements_mesh", 4, crosstalk=0.02)([WL0], mesh={"m0_0": {"phi": 1.0}}).values
    np.testing.assert_allclose(told, asked, atol=1e-15)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"bits": 0}, "'bits' is 0"),
        ({"bits": 2.5}, "whole number"),
        ({"crosstalk": 0.3}, "be 0 to 0.25"),
    ],
    ids=str,
)
def test_impossible_drivers_are_refused(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises((NetlistError, ParameterError), match=text):
        mesh_chip("clements_mesh", 4, **wrong)


def test_a_mesh_whose_blocks_are_not_alike_is_refused() -> None:
    whole = registry.get("clements_mesh").build({"n": 3})  # type: ignore[attr-defined]

    def changed(**settings: Any) -> ps.Circuit:
        blocks = {**whole.instances, "m0_0": ps.part("mzi_block", **settings)}
        net = replace(whole, instances=blocks)
        ports = {name: ("mesh", name) for name in net.ports}
        return ps.Circuit(ps.Netlist({"mesh": ps.Instance("core")}, ports=ports, components={"core": net}))

    with pytest.raises(ParameterError, match="converters of mesh 'mesh' have different bits: 4, None"):
        find_mesh(changed(bits=4), "mesh")
    with pytest.raises(ParameterError, match="must not have heat_theta or heat_phi"):
        find_mesh(changed(heat_theta=0.1), "mesh")
