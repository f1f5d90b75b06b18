"""Data and netlists of one's own: found by name or path, used, and refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photosim.errors import DataError, NetlistError, ParameterError
from photosim.netlist import read
from photosim.systems import find_system, reproduce, system_names
from photosim.systems.harness import circuits, data
from photosim.systems.harness.system import is_comparable
from photosim.training.devices.mesh.circuit import find_mesh

ROOT = Path(__file__).parents[3]


def write_graph(folder: Path, name: str = "mine") -> Path:
    """Write a ring of 60 nodes in three classes, each class with a word of its own."""
    nodes = np.arange(60)
    path = folder / f"{name}.npz"
    np.savez(
        path, feature_row=nodes, feature_col=nodes % 3, n_features=4, labels=nodes % 3,
        edges=np.column_stack([nodes, (nodes + 3) % 60]), train=nodes[:20], val=nodes[20:40], test=nodes[40:],
    )  # fmt: skip
    return path


@pytest.mark.filterwarnings("ignore:The threshold")
def test_a_graph_has_its_own_name_and_is_learnt(tmp_path: Path) -> None:
    path = write_graph(tmp_path)
    for given, folder in (("mine", tmp_path), (str(path), None)):
        options = find_system("dfa-gnn").options(data=given, data_dir=folder, seeds=1, quick=True)
        assert options.own
        graph = data.graph(options)
        assert (graph.name, graph.classes, graph.features.shape) == ("mine", 3, (60, 4))
    system = find_system("dfa-gnn")
    done = reproduce(system, options, tmp_path / "out")
    assert "data " in done.table().title
    assert done.outcome.values("backprop", "accuracy")[0] == 100.0
    assert all(not is_comparable(system, options, name) for name in ("backprop", "dfa"))


def test_a_graph_is_told_from_samples(tmp_path: Path) -> None:
    write_graph(tmp_path)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "pictures.npz", x=rng.integers(0, 256, (90, 64), dtype=np.uint8), y=np.arange(90) % 3)
    system = find_system("opu-dfa")
    graph = system.options(data="mine", data_dir=tmp_path)
    samples = system.options(data="pictures", data_dir=tmp_path)
    assert data.is_graph_set(graph)
    assert not data.is_graph_set(samples)
    assert data.sizes(samples) == (64, 3)
    found = data.samples(samples).train.x
    assert abs(float(found.mean())) < 1e-5  # one mean and one deviation for all pixels
    assert float(found.std()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("array", "value", "message"),
    [
        ("edges", np.array([[0, 60]]), "array 'edges' must hold numbers from 0 to 59, found from 0 to 60"),
        ("labels", np.ones(60), "array 'labels' must hold whole numbers, found float64"),
        ("train", np.arange(30), "a node is in two parts"),
        ("test", None, "lacks the array 'test'"),
    ],
)
def test_damaged_graphs_are_refused(tmp_path: Path, array: str, value: object, message: str) -> None:
    path = write_graph(tmp_path)
    with np.load(path) as kept:
        arrays = dict(kept)
    if value is None:
        del arrays[array]
    else:
        arrays[array] = np.asarray(value)
    np.savez(path, **arrays)
    options = find_system("dfa-gnn").options(data="mine", data_dir=tmp_path)
    with pytest.raises(DataError, match=message):
        data.graph(options)


@pytest.mark.parametrize("name", system_names())
def test_unknown_data_are_refused_with_what_there_is(name: str, tmp_path: Path) -> None:
    system = find_system(name)
    with pytest.raises((ParameterError, DataError), match=rf"System '{name}' does not run on data 'nope'"):
        system.options(data="nope", data_dir=tmp_path)


def test_a_series_and_a_text_of_ones_own(tmp_path: Path) -> None:
    time = np.arange(400)
    table = np.column_stack([np.sin(0.1 * time), np.cos(0.1 * time)])
    text = "\n".join(["a,b", *(f"{a},{b}" for a, b in table)])
    (tmp_path / "wave.csv").write_text(text, encoding="utf-8")
    (tmp_path / "tale.txt").write_text("abc " * 300, encoding="utf-8")
    system = find_system("ngrc")
    options = system.options(data="wave", data_dir=tmp_path, seeds=1, quick=True)
    np.testing.assert_allclose(data.series(options), table)
    forecast = next(case for case in system.cases(options) if case.name == "lorenz")
    assert forecast.compute(0, tmp_path / "state", lambda _a, _b: None)["nrmse"] < 0.05
    tale = find_system("transformer-dfa").options(data="tale", data_dir=tmp_path)
    assert data.text_of(tale).alphabet == " abc"


@pytest.mark.parametrize("name", system_names())
def test_netlists_take_the_place_of_a_systems_own(name: str, tmp_path: Path) -> None:
    system = find_system(name)
    first = system.netlists[0]
    file = tmp_path / "mine.yml"
    file.write_text((ROOT / "netlists" / f"{first}.yml").read_text(encoding="utf-8"), encoding="utf-8")
    plain = system.options(quick=True)
    for given in (str(file), f"{first}={file}"):
        options = system.options(quick=True, netlists=[given])
        assert options.netlist(first) == str(file)
        assert plain.netlist(first) == first
        cases = {case.name for case in system.cases(options)}
        assert cases == {case.name for case in system.cases(plain)}
    with pytest.raises(ParameterError, match=rf"has no netlist 'nope'. It has: .*{first}"):
        system.options(netlists=[f"nope={file}"])
    with pytest.raises(NetlistError, match="There is no file"):
        system.options(netlists=[str(tmp_path / "none.yml")])


def test_a_mesh_is_drawn_in_the_size_wanted_with_what_the_netlist_says(tmp_path: Path) -> None:
    file = tmp_path / "lossy.yml"
    text = (ROOT / "netlists" / "in_situ.yml").read_text(encoding="utf-8")
    file.write_text(text.replace("n: 4", "n: 4, loss_dB: 0.5, coupling: 0.4"), encoding="utf-8")
    found = find_mesh(circuits.mesh(str(file), 6))
    assert found.guides == 6
    np.testing.assert_allclose(found.u.blocks.split, 0.4)
    with pytest.raises(ParameterError, match="has 4 guides and is found by its structure, but 6 guides"):
        circuits.mesh("clements_4x4", 6)
    assert find_mesh(circuits.mesh("clements_4x4", 4)).guides == 4


def test_instances_are_found_by_their_components(tmp_path: Path) -> None:
    text = (ROOT / "netlists" / "opu.yml").read_text(encoding="utf-8")
    for old, new in (("medium", "glass"), ("mirrors", "chip"), ("grey_filter", "dim"), ("laser:", "lamp:"),
                     ("laser,", "lamp,")):  # fmt: skip
        text = text.replace(old, new)
    text = text.replace("scattering_glass", "scattering_medium").replace(
        "component: glass", "component: laser"
    )
    text = text.replace("component: lamp", "component: laser")
    file = tmp_path / "other.yml"
    file.write_text(text, encoding="utf-8")
    own = circuits.projector(str(file), "dmd")
    assert (own.laser, own.modulator, own.medium, own.filter) == ("lamp", "chip", "glass", "dim")
    with pytest.raises(ParameterError, match=r"must have one modulator \(slm\): it has none"):
        circuits.projector(str(file), "slm")
    assert read(str(file)).instances["glass"].component == "scattering_medium"
