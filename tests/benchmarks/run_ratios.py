"""Measure photosim against itself: gradients, threads, batches, kernels, and what guards and nets cost.

    python tests/benchmarks/run_ratios.py [--only gradients,threads,...] [--small] [--out FILE]

Every number is a ratio of two times taken in turns in one process: CPU time
of one thread, but for the threads themselves, where only the wall clock can tell.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy.linalg.blas import dgemm

from photosim.bench import circuits
from photosim.bench.circuits import Case
from photosim.bench.measuring import ONE_THREAD, Row, cpu_seconds, in_turns, options, report, seconds_text
from photosim.circuit import Circuit
from photosim.engine import solve as engine
from photosim.errors import PhotosimWarning
from photosim.kernels.elimination import forward, get, lanes_of
from photosim.timedomain import transient, waveforms
from photosim.timedomain.nets import Nets

THREADS_OF_PROCESSES = 0.95
"""Part of what two processes of dgemm gain that two threads are wanted to gain."""


def single(name: str, value: float) -> dict[str, Any]:
    """Return one setting by its dotted name, as calls take it."""
    return {name: value}


def sweeper(case: Case) -> tuple[Circuit, Callable[[int], Any]]:
    """Return the circuit of a case, warmed up, and a function that sweeps it with a new setting each time."""
    circuit, wl, number = Circuit(case.netlist), case.wl, count(1)

    def sweep(_: int) -> Any:
        return circuit(wl, **single(case.tuned, case.value(next(number)))).values

    for k in range(3):
        sweep(k)
    return circuit, sweep


# --- gradients ---------------------------------------------------------------------------------------


def gradients(*, small: bool) -> list[Row]:
    """Compare value and gradient by all phases of a mesh with a forward sweep of the same circuit."""
    size = 8 if small else 64
    rows = []
    for points in (1, 16) if small else (1, 16, 100):
        case = circuits.mesh(size, points)
        circuit, sweep = sweeper(case)
        names = [f"{n}.phase" for n, i in case.netlist.instances.items() if i.component == "phase_shifter"]
        weights = np.random.default_rng(5).uniform(0, 1, size)
        outs = [circuit.ports.index(f"out{k}") for k in range(size)]
        entry = circuit.ports.index("in0")

        def loss(
            s: Any, weights: Any = weights, outs: list[int] = outs, entry: int = entry
        ) -> tuple[float, Any]:
            """Weighted output powers of input 0, as the peers' gradient benchmark has them."""
            waves = s.values[:, outs, entry]
            cotangent = np.zeros(s.values.shape, dtype=np.complex128)
            cotangent[:, outs, entry] = 2 * weights * waves
            return float((weights * np.abs(waves) ** 2).sum()), cotangent

        def gradient(
            _: int, circuit: Circuit = circuit, loss: Any = loss, wl: Any = case.wl, names: Any = names
        ) -> Any:
            return circuit.value_and_grad(loss, wl=wl, parameters=names)

        _, begin = cpu_seconds(lambda gradient=gradient: gradient(0))  # type: ignore[misc]
        forward, both = in_turns(sweep, gradient)
        ratio = both / forward
        note = (
            f"{ratio:.2f} ({seconds_text(both)} against {seconds_text(forward)}; first {seconds_text(begin)})"
        )
        what = f"value and gradient by {len(names):,} phases of {case.name}, in forward sweeps"
        rows.append(Row(what, note, "5", ratio <= 5, ratio))
    return rows


# --- threads -----------------------------------------------------------------------------------------


def products(seconds: float) -> float:
    """Return the products a second of two 512 x 512 matrices, called for so long."""
    matrix = np.random.default_rng(0).normal(size=(512, 512))
    done, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        dgemm(1.0, matrix, matrix)
        done += 1
    return done / (time.perf_counter() - begin)


def gain_of_processes(pool: ProcessPoolExecutor, seconds: float, rounds: int) -> float:
    """Return what two processes that multiply matrices do together, in times of what one does alone.

    The best of some rounds of either counts: other work on the machine only takes from them.
    """
    alone = together = 0.0
    for _ in range(rounds):
        alone = max(alone, pool.submit(products, seconds).result())
        both = [pool.submit(products, seconds) for _ in range(2)]
        together = max(together, sum(each.result() for each in both))
    return together / alone


def threads(*, small: bool) -> list[Row]:
    """Compare two threads with one, beside two processes of dgemm; results must not differ in a bit."""
    rounds, seconds = (1, 0.1) if small else (5, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ONE_THREAD.items():
            patch.setenv(name, value)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            list(pool.map(products, (0.1, 0.1)))
            possible = gain_of_processes(pool, seconds, rounds)
    rows = []
    for case in [circuits.mesh(8, 200)] if small else [
        circuits.mesh(16, 1000), circuits.mesh(32, 1000), circuits.mesh(64, 100),
    ]:  # fmt: skip
        _, sweep = sweeper(case)
        times: dict[str, list[float]] = {"1": [], "2": []}
        kept: dict[str, Any] = {}
        for _ in range(2 if small else 7):  # the fastest counts: others use this machine too
            for number, taken in times.items():
                os.environ["PHOTOSIM_THREADS"] = number
                sweep(0)  # the table of values may be laid out anew
                for _ in range(3):
                    begin = time.perf_counter()
                    sweep(0)
                    taken.append(time.perf_counter() - begin)
        circuit = Circuit(case.netlist)
        for number in times:
            os.environ["PHOTOSIM_THREADS"] = number
            kept[number] = circuit(case.wl).values
        assert np.array_equal(kept["1"], kept["2"])
        ratio = min(times["1"]) / min(times["2"])
        clock = f"{seconds_text(min(times['2']))} against {seconds_text(min(times['1']))} wall"
        note = f"{ratio:.2f} ({clock}), where two processes of dgemm gain {possible:.2f}"
        goal = THREADS_OF_PROCESSES * possible
        rows.append(Row(f"two threads against one: {case.name}", note, f"{goal:.2f}", ratio >= goal, ratio))
    return rows


# --- batches -----------------------------------------------------------------------------------------


def batches(*, small: bool) -> list[Row]:
    """Compare a batch in one call with as many calls, and one changed setting with all changed."""
    size, many = (4, 8) if small else (16, 64)
    case = circuits.mesh(size, 10)
    circuit, _ = sweeper(case)
    settings = np.random.default_rng(1).uniform(0, 3, many)
    values: dict[str, Any] = {case.tuned: settings}

    def together(_: int) -> Any:
        return circuit(case.wl, **values).values

    def alone(_: int) -> Any:
        return [circuit(case.wl, **single(case.tuned, v)).values for v in settings.tolist()]

    assert np.array_equal(together(0), np.array(alone(0)))
    one, calls = in_turns(together, alone)
    note = f"{one / calls:.2f} ({seconds_text(one)} against {seconds_text(calls)})"
    rows = [
        Row(
            f"{many} settings in one call against {many} calls: {case.name}",
            note,
            "1",
            one < calls,
            one / calls,
        )
    ]
    names = [f"{n}.phase" for n, i in case.netlist.instances.items() if i.component == "phase_shifter"]
    number = count(1)

    def all_changed(_: int) -> Any:
        change: dict[str, Any] = dict.fromkeys(names, 1e-3 * next(number))
        return circuit(case.wl, **change).values

    def one_changed(_: int) -> Any:
        return circuit(case.wl, **single(case.tuned, 1e-3 * next(number))).values

    one, everything = in_turns(one_changed, all_changed)
    note = f"{one / everything:.2f} ({seconds_text(one)} against {seconds_text(everything)})"
    what = f"one setting changed against all {len(names):,} phases: {case.name}"
    return [*rows, Row(what, note, "1", one < everything, one / everything)]


# --- kernels -----------------------------------------------------------------------------------------


def kernels(*, small: bool) -> list[Row]:
    """Compare a sweep with the least that it must do: evaluate its components and write its result once.

    The components are evaluated as the sweep calls them: distinct values, those without dispersion at one
    wavelength, into an array that is there. The result is written into new memory, as that of a sweep is.
    """
    many = 100 if small else 10_000
    rows = []
    for case in (circuits.ring(many), circuits.lattice(10, many)):
        circuit, sweep = sweeper(case)
        wl, shape = case.wl, sweep(0).shape
        filled = []
        for group in circuit.compiled.parts.groups:
            grid = wl if group.kernel.dispersive else wl[:1]
            filled.append((group, grid, np.zeros((len(group.rows), 1, group.kernel.values, 2, len(grid)))))

        def least(_: int, filled: Any = filled, shape: Any = shape) -> Any:
            for group, grid, out in filled:
                group.kernel.evaluate(grid[np.newaxis], group.written, out)
            return np.full(shape, 1j)

        both, part = in_turns(sweep, least)
        note = f"{both / part:.2f} ({seconds_text(both)} against {seconds_text(part)})"
        text = f"sweep against its component kernels and writing its result: {case.name}"
        rows.append(Row(text, note, "1.5", both / part <= 1.5, both / part))
    return rows


# --- guards ------------------------------------------------------------------------------------------


@njit(error_model="numpy", nogil=True)
def unguarded(
    code: Any, address: Any, values: Any, exits: Any, out: Any, smallest: Any, work: Any, span: Any
) -> None:
    """Do what `run` of photosim does without its watch over results: steps, then copy the elements out."""
    for index in range(span.first, span.last):
        batch = index // span.blocks
        block = index - batch * span.blocks
        forward(code, address, values, work, batch, block, span)
        start = span.start + block * lanes_of(span)
        lanes = min(lanes_of(span), out.shape[2] - start)
        smallest[batch, start : start + lanes] = 1.0
        for k in range(exits.shape[0]):
            slot, place, mirror = exits[k, 0], exits[k, 1], exits[k, 2]
            for lane in range(lanes):
                value = get(work, slot, lane, span)
                out[batch, place, start + lane] = value
                if mirror >= 0:
                    out[batch, mirror, start + lane] = value


def guards(*, small: bool) -> list[Row]:
    """Compare sweeps with and without the watch over small pivots and results that are no numbers."""
    chosen = [circuits.ring(100), circuits.mesh(4, 100)] if small else [
        circuits.ring(10_000), circuits.chain(100, 1000), circuits.mesh(16, 1000),
    ]  # fmt: skip
    rows = []
    for case in chosen:
        _, sweep = sweeper(case)

        def bare(k: int, sweep: Any = sweep) -> Any:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(engine, "run", unguarded)
                return sweep(k)

        assert np.array_equal(sweep(0).shape, bare(0).shape)
        guarded, without = in_turns(sweep, bare)
        note = f"{guarded / without:.2f} ({seconds_text(guarded)} against {seconds_text(without)})"
        rows.append(
            Row(f"sweep with its guards, in sweeps without: {case.name}", note, "-", None, guarded / without)
        )
    return rows


# --- electronics -------------------------------------------------------------------------------------

LINK: dict[str, Any] = {
    "instances": {
        "laser": "laser",
        "mod": {"component": "mach_zehnder_modulator", "settings": {"bandwidth": 0.0}},
        "pd": {"component": "photodetector", "settings": {"bandwidth": 30e9}},
    },
    "connections": {"laser,o1": "mod,o1", "mod,o2": "pd,o1"},
}
DRIVEN: dict[str, Any] = {
    "instances": {
        **LINK["instances"], "src": "voltage_source",
        "c": {"component": "capacitor", "settings": {"capacitance": 1e-13}}, "r": "resistor",
    },
    "connections": LINK["connections"],
    "nets": [["src,e1", "r,e1"], ["r,e2", "c,e1", "mod,e1"], ["src,e2", "c,e2", "gnd"]],
}  # fmt: skip
"""The link, and the same behind a resistor and a capacitor."""


def electronics(*, small: bool) -> list[Row]:
    """Compare a link without nets with the same run from which all looks at nets are taken out."""
    samples = 1 << (12 if small else 17)
    rate, number = 200e9, count(1)

    def run(netlist: dict[str, Any], driven: str) -> Callable[[int], Any]:
        circuit = Circuit(netlist)

        def once(_: int) -> Any:
            wave = waveforms.prbs(10e9, order=15, rise=30e-12, high=1.0 + 1e-6 * next(number))
            return transient(circuit, samples / rate, sample_rate=rate, drive={driven: wave}, probes=[])

        return once

    plain = run(LINK, "mod.voltage")

    def bare(k: int) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Nets, "before", lambda _: {})
            patch.setattr(Nets, "behind", lambda *_: None)
            patch.setattr(Nets, "variables", lambda *_: {})
            return plain(k)

    assert np.allclose(plain(0).current.values, bare(0).current.values, rtol=1e-3)
    # One run each in turns; the shortest of them is what the other work of the machine has hindered least.
    both = [
        (cpu_seconds(lambda: plain(0))[1], cpu_seconds(lambda: bare(0))[1]) for _ in range(5 if small else 30)
    ]
    own, without = min(t for t, _ in both), min(t for _, t in both)
    behind, alone = in_turns(run(DRIVEN, "src.voltage"), plain)
    what = f"link of {samples} samples"
    note = f"{own / without:.3f} ({seconds_text(own)} against {seconds_text(without)})"
    beside = f"{behind / alone:.2f} ({seconds_text(behind)} against {seconds_text(alone)})"
    kept = own <= 1.05 * without
    return [
        Row(f"{what} without nets, in runs that look for none", note, "1.05", kept, own / without),
        Row(f"{what} behind R and C, in runs without nets", beside, "-", None, behind / alone),
    ]


MEASUREMENTS = {
    "gradients": gradients,
    "threads": threads,
    "batches": batches,
    "kernels": kernels,
    "guards": guards,
    "electronics": electronics,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore", PhotosimWarning)
    report(MEASUREMENTS, options("photosim measured against itself", MEASUREMENTS).parse_args())
