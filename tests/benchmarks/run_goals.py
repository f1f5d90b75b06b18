"""Measure photosim against its goals: the way it goes now against the way before, in turns.

    python tests/benchmarks/run_goals.py [--only reflecting,gradient,chips,bank] [--small] [--out FILE]
    python tests/benchmarks/run_goals.py --only training,small_fit,mesh_gradient,medium,gpu [--out FILE]

Every number is a ratio of CPU times of one thread, taken in turns in one process, so that a busy machine
changes both alike. The way before is still in the program: elimination where sweeps are taken now, and one
entry of a batch at a time. `--out docs/speed/FILE.json` keeps the rows, and `python docs/build.py speed` puts
them on the page.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from photosim.bench import circuits
from photosim.bench.measuring import Row, cpu_seconds, in_turns, median_seconds, options, report, seconds_text
from photosim.bench.references import Assembled, sparse
from photosim.circuit import Circuit
from photosim.engine import solve as engine
from photosim.errors import PhotosimWarning
from photosim.kernels.elimination import Narrow

CHIPS_A_SECOND = 50_000
PROGRAM_S = 3.0
LARGEST_S = 1.6
"""Seconds of a reflecting mesh of 64 guides at 100 wavelengths that are wanted."""


def without_sweeps(circuit: Circuit) -> Circuit:
    """Return the circuit answered by elimination alone: the plans that it has been asked for."""
    other = Circuit(circuit.netlist)
    plans = circuit.compiled._plans
    other.compiled._plans.update({key: replace(plan, two_way=None) for key, plan in plans.items()})
    return other


def reflecting(*, small: bool) -> list[Row]:
    """Compare a sweep of reflecting meshes with elimination, and with SuperLU; numbers must agree."""
    rows = []
    cases = [(24, 2, -40.0, 1.0)] if small else [
        (32, 100, -40.0, 18.0), (32, 20, -30.0, 1.0), (24, 20, -20.0, 1.0),
    ]  # fmt: skip
    for size, points, reflection, goal in cases:
        case = circuits.mesh(size, points, reflection_dB=reflection)
        circuit = Circuit(case.netlist)
        new = circuit(case.wl).values
        before = without_sweeps(circuit)
        assert np.abs(before(case.wl).values - new).max() < 1e-12
        fast, slow = in_turns(
            lambda k, of=circuit, case=case: of(case.wl, **tuned(case, k)),  # type: ignore[misc]
            lambda k, of=before, case=case: of(case.wl, **tuned(case, k)),  # type: ignore[misc]
            1 if small else 3,
        )
        parts = Assembled(circuit, case.wl[: max(1, points // 25)])
        _, lu = cpu_seconds(lambda parts=parts: sparse(parts))  # type: ignore[misc]
        ratio = lu / len(parts.wl) * points / fast
        note = f"{ratio:.1f} times SuperLU, {slow / fast:.2f} times elimination ({seconds_text(fast)})"
        rows.append(Row(case.name, note, f"{goal:g} times SuperLU", ratio >= goal, slow / fast))
    return rows if small else [*rows, largest_reflecting()]


def largest_reflecting() -> Row:
    """Measure the mesh for which elimination takes too long to be repeated; it answers two wavelengths."""
    case = circuits.mesh(64, 100, reflection_dB=-40.0)
    circuit = Circuit(case.netlist)
    new = circuit(case.wl).values
    assert np.abs(without_sweeps(circuit)(case.wl[:2]).values - new[:2]).max() < 1e-12
    fast = median_seconds(lambda k: circuit(case.wl, **tuned(case, k)))
    parts = Assembled(circuit, case.wl[:2])
    _, lu = cpu_seconds(lambda: sparse(parts))
    note = f"{seconds_text(fast)}, {lu * case.points / 2 / fast:.1f} times SuperLU"
    return Row(case.name, note, f"{LARGEST_S:g} s", fast <= LARGEST_S, fast)


def tuned(case: circuits.Case, k: int) -> dict[str, Any]:
    """Return the setting of a case that changes, with its k-th value."""
    return {case.tuned: case.value(k)}


def gradient(*, small: bool) -> list[Row]:
    """Compare value and gradient by all phases of a reflecting mesh with those by elimination."""
    size, points = (24, 1) if small else (24, 10)
    case = circuits.mesh(size, points, reflection_dB=-40.0)
    circuit = Circuit(case.netlist)
    names = [n for n in circuit.parameters if n.endswith(".phase")]
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(points, 2 * size, 2 * size)).astype(np.complex128)

    def asked(of: Circuit) -> Callable[[int], Any]:
        def ask(_: int) -> Any:
            return of.value_and_grad(
                lambda s: (float((weights * s.values).real.sum()), weights), wl=case.wl, parameters=names
            )

        return ask

    _, new = asked(circuit)(0)
    before = without_sweeps(circuit)
    _, old = asked(before)(0)
    assert max(float(np.abs(new[n] - old[n])) for n in names) < 1e-10
    fast, slow = in_turns(asked(circuit), asked(before), 1 if small else 3)
    note = f"{slow / fast:.2f} times elimination ({seconds_text(fast)})"
    what = f"value and gradient by {len(names):,} phases: {case.name}"
    return [Row(what, note, "equal to 1e-10", True, slow / fast)]


def chips(*, small: bool) -> list[Row]:
    """Compare drawn chips of a mesh, eight at a time, with one after the other; bits must agree."""
    size, count = (4, 64) if small else (16, 4000)
    case = circuits.mesh(size, 1)
    circuit = Circuit(case.netlist)
    rng = np.random.default_rng(0)
    names = [n for n in circuit.parameters if n.endswith(".phase")]
    drawn: dict[str, Any] = {n: rng.uniform(0, 6, count) for n in names}

    def together(_: int) -> Any:
        return circuit(case.wl, **drawn).values

    def one_by_one(_: int) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "Narrow", type("Never", (), {"LANES": count + 1}))
            return circuit(case.wl, **drawn).values

    assert count > Narrow.LANES
    assert np.array_equal(together(0), one_by_one(0))
    fast, slow = in_turns(together, one_by_one, 1 if small else 3)
    rate = count / fast
    note = f"{rate:,.0f} chips/s, {slow / fast:.2f} times one by one"
    what = f"{count:,} drawn chips, all {len(names):,} phases: {case.name}"
    return [Row(what, note, f"{CHIPS_A_SECOND:,} chips/s", rate >= CHIPS_A_SECOND, slow / fast)]


def bank(*, small: bool) -> list[Row]:
    """Measure making a bank and programming two matrices into it, the first time in a process and again."""
    from photosim.circuit import load
    from photosim.training.devices import WeightBank

    rng = np.random.default_rng(0)
    shape = (8, 4) if small else (256, 10)
    matrices = [rng.normal(size=shape) for _ in range(2)]
    circuit = load("mrr_dfa_digits" if small else "mrr_weight_bank_50x20")

    def made() -> Any:
        return WeightBank.from_circuit(circuit, "bank").program_all(matrices)

    (_, begin), (_, again) = cpu_seconds(made), cpu_seconds(made)
    note = f"{begin:.2f} s CPU, {again:.2f} s again"
    what = f"two {shape[0]} x {shape[1]} matrices into bank {circuit.name}, first time"
    return [Row(what, note, f"{PROGRAM_S:g} s", begin < PROGRAM_S, begin)]


MEASUREMENTS = {
    "reflecting": reflecting,
    "gradient": gradient,
    "chips": chips,
    "bank": bank,
    **importlib.import_module("goals_of_training").MEASUREMENTS,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore", PhotosimWarning)
    report(MEASUREMENTS, options("photosim against its goals", MEASUREMENTS).parse_args())
