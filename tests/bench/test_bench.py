"""The benchmarks run: their circuits are what they claim, and the plain solvers agree with photosim."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from photosim.bench import circuits, references
from photosim.bench.circuits import Case
from photosim.bench.measuring import seconds_text
from photosim.circuit import Circuit

CASES = (
    circuits.ring(7),
    circuits.lattice(3, 5),
    circuits.bus(3, 5),
    circuits.chain(4, 5),
    circuits.mesh(4, 3),
    circuits.mesh(4, 3, reflection_dB=-20.0),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.netlist.name)
@pytest.mark.filterwarnings("ignore::photosim.errors.PhotosimWarning")
def test_plain_solvers_follow_a_changed_setting_and_agree_with_the_engine(case: Case) -> None:
    circuit = Circuit(case.netlist, strict=True)
    before = circuit(case.wl).values
    parts = references.Assembled(circuit, case.wl)
    name, _, setting = case.tuned.partition(".")
    changed = circuit(case.wl, ports=None, **{name: {setting: case.value(3)}}).values
    assert np.abs(changed - before).max() > 1e-6
    parts.change(case.tuned, case.value(3))
    # 1e-11: phases of long guides are near 10^3 rad, and two orders of arithmetic round them apart.
    np.testing.assert_allclose(references.dense(parts), changed, rtol=0, atol=1e-11)
    np.testing.assert_allclose(references.sparse(parts), changed, rtol=0, atol=1e-11)


def test_plain_solvers_see_the_temperature_of_the_circuit() -> None:
    ring = {"component": "ring_double", "settings": {"radius": 10.0}}
    netlist = {
        "settings": {"temperature": 330.0},
        "instances": {"ring": ring},
        "ports": {"in": "ring,o1", "drop": "ring,o2", "add": "ring,o3", "through": "ring,o4"},
    }
    circuit, wl = Circuit(netlist), np.linspace(1.54, 1.56, 41)
    warm = circuit(wl).values
    assert np.abs(warm - circuit(wl, temperature=300.0).values).max() > 0.1
    np.testing.assert_allclose(references.dense(references.Assembled(circuit, wl)), warm, rtol=0, atol=1e-11)


def test_a_mesh_is_unitary_and_sends_back_what_it_is_told_to() -> None:
    silent = Circuit(circuits.mesh(4, 2).netlist)([1.54, 1.55])
    sent = np.abs(silent.values) ** 2
    np.testing.assert_allclose(sent.sum(axis=1), 1.0, atol=1e-13)
    assert silent["in0", "in0"].power.max() == 0.0
    loud = Circuit(circuits.mesh(4, 2, reflection_dB=-20.0).netlist)([1.54, 1.55])
    np.testing.assert_allclose((np.abs(loud.values) ** 2).sum(axis=1), 1.0, atol=1e-13)
    assert loud["in0", "in0"].power.min() > 1e-4


def test_times_are_written_with_the_unit_that_suits_them() -> None:
    assert [seconds_text(t) for t in (3.2e-4, 0.0154, 0.35, 2.42, 312.0, None)] == [
        "0.32 ms", "15.4 ms", "350 ms", "2.42 s", "312 s", "",
    ]  # fmt: skip


def test_photosim_runs_in_the_harness_of_the_peers(shared: Path, root: Path, tmp_path: Path) -> None:
    peers = shared / "bench" / "peers"
    if not (peers / "bench.py").is_file():
        pytest.skip("the peers' harness is not among the shared data")
    script = root / "tests" / "benchmarks" / "run_peers.py"
    command = [sys.executable, str(script), "--peers-dir", str(peers), "--out", str(tmp_path)]
    cases = "ring:1:20,reflecting:4:3"
    done = subprocess.run(
        [*command, "--cases", cases, "--peers", "numpy_dense"], check=True, capture_output=True, text=True
    )
    rows = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))["rows"]
    assert [row["name"] for row in rows] == cases.split(",")
    for row in rows:
        assert row["photosim"] > 0
        assert row["peer"] == "numpy_dense"
        assert row["error"] < 1e-11
    assert "| ring:1:20 |" in done.stdout


def test_batches_through_meshes_are_timed_alone() -> None:
    script = Path(__file__).parents[1] / "benchmarks" / "run_meshes.py"
    done = subprocess.run(
        [sys.executable, str(script), "--alone", "--n", "4", "--b", "1", "40"],
        capture_output=True,
        text=True,
        check=True,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(record["n"], record["b"], record["path"]) for record in records] == [
        (4, 1, "few"),
        (4, 40, "matrix"),
    ]
    assert all(record["grad_cpu_s"] > 0.0 for record in records)


def test_link_by_fft_and_by_steps_is_the_same_light(root: Path, tmp_path: Path) -> None:
    script = root / "tests" / "benchmarks" / "run_time.py"
    out = tmp_path / "rows.json"
    subprocess.run(
        [sys.executable, str(script), "--small", "--out", str(out)], check=True, capture_output=True
    )
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]  # the script itself compares the light
    assert len(rows) == 5
    assert all(row["number"] > 0 for row in rows)
