# ruff: noqa: T201 - a command prints its list
"""Compute results of the photosim that this Python has installed, and store them as arrays.

    python tests/house/probe_results.py                    # prints the names of all jobs as JSON
    python tests/house/probe_results.py netlist/link FILE  # computes one of them into FILE, an .npz archive

`compare_results.py` runs this in two environments. It therefore uses nothing of photosim but what the README
and docs show: modules of the package may have moved between the two. An array is stored under the name of the
result, "quantity" or "quantity/detail". A quantity that a circuit does not have (the photocurrents of one
without detectors) is stored as the text "refused", followed by the class of the error.
"""

from __future__ import annotations

import csv
import importlib.resources
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import photosim as ps

WAVELENGTHS = 21
SPAN = 0.005
"""Half the width of a sweep over its middle wavelength."""
MOST_PARAMETERS = 40
"""Settings of a circuit by which a gradient is taken."""
SAMPLES = 400
SAMPLE_RATE_HZ = {"wdm_link": 160e9, "mrr_dfa_digits": 160e9, "mrr_weight_bank_50x20": 80e9}
SAMPLE_RATE_HZ |= {"mrr_weight_bank": 160e9, "mrr_weight_bank_1x4": 160e9}
"""Gallery netlist -> sample rate, where lines of a comb lie closer than the usual 640 GHz."""
QUASI_STATIC = ("wdm_link",)
"""Gallery netlists whose driven ring is taken to follow its drive at once."""
DRIVES = {
    "link": ("phase", 0.0, 3.14),
    "modulator": ("drive", -1.0, 1.0),
    "direct_laser": ("laser.current", 20e-3, 45e-3),
    "wdm_link": ("mod0.voltage", 0.0, 4.0),
    "mzi_balanced": ("phase", 0.0, 3.14),
    "add_drop_ring": ("ring.phase", 0.0, 0.02),
}
"""Gallery netlist -> setting that a pseudo-random bit sequence drives, and its two levels."""
WITH_ANALYSES = ("direct_laser", "modulator", "wdm_link", "mrr_dfa_digits")
"""Gallery netlists that list analyses, which `photosim run` computes."""

DATA = "PHOTOSIM_DATA"
"""Environment variable of the folder of data sets, without which some systems cannot be computed."""

Arrays = dict[str, Any]


def main() -> None:
    """Print the names of all jobs, or compute one job into a file."""
    warnings.simplefilter("ignore")
    if len(sys.argv) == 1:
        print(json.dumps(jobs()))
        return
    name, file = sys.argv[1:]
    kind, _, own = name.partition("/")
    compute: dict[str, Callable[[str], Arrays]] = {
        "netlist": of_netlist,
        "component": of_component,
        "run": of_analyses,
        "system": of_system,
    }
    np.savez(file, **compute[kind](own))


def jobs() -> list[str]:
    """Return the names of all jobs, long ones first."""
    files = sorted(entry.name for entry in importlib.resources.files(ps.gallery).iterdir())
    gallery = [name.removesuffix(".yml") for name in files if name.endswith(".yml")]
    return [
        *(f"system/{name}" for name in json.loads(photosim("reproduce", "--json"))),
        *(f"run/{name}" for name in reversed(WITH_ANALYSES)),
        *(f"netlist/{name}" for name in gallery),
        "component/all",
    ]


def photosim(*arguments: str) -> str:
    """Return what a command of photosim's command line prints."""
    command = [str(Path(sys.executable).parent / "photosim"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"photosim {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


# --- circuits -----------------------------------------------------------------------------------------


def of_netlist(name: str) -> Arrays:
    """Return S-matrix, photocurrents, gradients, time traces and link of a gallery netlist."""
    circuit = ps.load(name)
    middle = next((float(v) for k, v in circuit.parameters.items() if k.endswith(".wl")), 1.55)
    wl = np.linspace(middle * (1 - SPAN), middle * (1 + SPAN), WAVELENGTHS)
    parts: dict[str, Callable[[], Mapping[str, Any]]] = {
        "parameters": lambda: parameters(circuit),
        "S": lambda: s_matrix(circuit, wl),
        "batch": lambda: batch(circuit, wl),
        "gradient": lambda: gradient(circuit, wl),
        "waves": lambda: waves(circuit, wl),
        "photocurrents": lambda: photocurrents(circuit, wl),
        "transient": lambda: transient(circuit, name, middle),
        "link": lambda: link(circuit),
    }
    return {key: value for part, make in parts.items() for key, value in attempted(part, make).items()}


def attempted(part: str, make: Callable[[], Mapping[str, Any]]) -> Arrays:
    """Return the arrays of one quantity by full name; a text where the circuit does not have it."""
    try:
        return {f"{part}/{key}" if key else part: np.asarray(value) for key, value in make().items()}
    except ps.PhotosimError as error:
        return {part: np.asarray(f"refused: {type(error).__name__}")}
    except Exception as error:  # noqa: BLE001 - a defect of one quantity must not hide the others
        return {part: np.asarray(f"failed: {type(error).__name__}: {error}")}


def need(names: Sequence[str], what: str) -> None:
    """Refuse a circuit without such names, as photosim refuses a quantity that a circuit does not have."""
    if not names:
        message = f"The circuit has no {what}."
        raise ps.ParameterError(message)


def float_names(circuit: Any) -> list[str]:
    """Return the names of the settings that are real numbers, evenly thinned out to MOST_PARAMETERS.

    Sorted, so that a component may list its settings in another order.
    """
    names = [name for name, value in sorted(circuit.parameters.items()) if isinstance(value, float)]
    return names[:: 1 + len(names) // MOST_PARAMETERS]


def parameters(circuit: Any) -> Arrays:
    """Return the value of every setting that is a number, in the order of the names."""
    numbers = {
        name: float(value)
        for name, value in sorted(circuit.parameters.items())
        if isinstance(value, int | float)
    }
    return {"names": list(numbers), "values": list(numbers.values())}


def s_matrix(circuit: Any, wl: Any) -> Arrays:
    """Return the S-matrix (W, ports, ports) and the names of its ports."""
    need(circuit.ports, "exposed ports")
    s = circuit(wl=wl)
    return {"": s.values, "ports": list(s.ports)}


def batch(circuit: Any, wl: Any) -> Arrays:
    """Return the S-matrix (3, W, ports, ports) for three values of each of the first settings."""
    need(circuit.ports, "exposed ports")
    found = {}
    for name in float_names(circuit)[:8]:
        value = circuit.parameters[name]
        try:
            found[name] = circuit(wl=wl, **{name: value * np.array([1.0, 1.001, 1.002])}).values
        except ps.PhotosimError as error:
            found[name] = f"refused: {type(error).__name__}"
    return found


def gradient(circuit: Any, wl: Any) -> Arrays:
    """Return a seeded loss of the S-matrix, and its derivative by each setting that has one."""
    need(circuit.ports, "exposed ports")
    random = np.random.default_rng(1)
    shape = circuit(wl=wl).values.shape
    slope = random.normal(size=shape) + 1j * random.normal(size=shape)
    weight = random.random(shape)

    def loss(s: Any) -> tuple[float, Any]:
        value = np.sum(weight * np.abs(s.values) ** 2) + np.sum((slope.conj() * s.values).real)
        return float(value), 2.0 * weight * s.values + slope

    def attempt(name: str) -> None:
        circuit.value_and_grad(loss, wl=wl, parameters=[name])

    names = list(accepted(attempt, float_names(circuit)))
    value, slopes = circuit.value_and_grad(loss, wl=wl, parameters=names)
    return {"loss": value, **slopes}


def accepted(attempt: Callable[[str], None], names: Sequence[str]) -> Iterator[str]:
    """Yield the names that `attempt` does not refuse."""
    for name in names:
        try:
            attempt(name)
        except ps.ParameterError:
            continue
        yield name


def waves(circuit: Any, wl: Any) -> Arrays:
    """Return the waves from a source to detectors, per wave sent, and derivatives of a seeded sum of them."""
    need(circuit.sources, "sources")
    need(circuit.detectors, "detectors")
    ends = [f"{name},o1" for name in circuit.detectors[:4]], [f"{circuit.sources[0]},o1"]

    def attempt(name: str) -> None:
        circuit.pullback(wl[:1], *ends, [name])[1](np.ones((1, len(ends[0]), 1), dtype=np.complex128))

    names = list(accepted(attempt, float_names(circuit)))
    values, pull = circuit.pullback(wl, *ends, names)
    random = np.random.default_rng(1)
    return {"": values, **pull(random.normal(size=values.shape) + 1j * random.normal(size=values.shape))}


def photocurrents(circuit: Any, wl: Any) -> Arrays:
    """Return the photocurrents at the lines of the sources, and with the sources tuned along wl."""
    return {"lines": circuit.photocurrents().values, "tuned": circuit.photocurrents(wl).values}


def transient(circuit: Any, name: str, middle: float) -> Arrays:
    """Return waves, currents and times: driven as DRIVES says, lit at the first port if there is one."""
    rate = SAMPLE_RATE_HZ.get(name, 640e9)
    asked: dict[str, Any] = {"sample_rate": rate, "seed": 1, "quasi_static": name in QUASI_STATIC or None}
    if name in DRIVES:
        setting, low, high = DRIVES[name]
        asked["drive"] = {setting: ps.waveforms.prbs(10e9, low=low, high=high, bandwidth=15e9)}
    if not circuit.sources and circuit.ports:
        asked |= {"inputs": {circuit.ports[0]: ps.waveforms.prbs(10e9, high=1e-3)}, "wl": middle}
    found: Arrays = {}
    for noise in (False, True):
        out = ps.transient(circuit, SAMPLES / rate, noise=noise, **asked)
        noisy = " with noise" if noise else ""
        found |= {f"{key}{noisy}": out[key].values for key in ("wave", "current", "time") if key in out}
    return found


def link(circuit: Any) -> Arrays:
    """Return powers, currents and the variance of every kind of noise at the detectors."""
    result = ps.link(circuit, tone=1e9)
    found: Arrays = {"powers": result.powers}
    found |= {f"variance, {term}": result.noise.sel(term=term).values for term in result.noise.term.values}
    detectors = [result[name] for name in result.noise.detector.values]
    for key in ("power", "current", "signal", "crosstalk_dB", "snr_dB"):
        found[key] = [getattr(one, key) for one in detectors]
    return found


def of_component(_all: str) -> Arrays:
    """Return the S-matrix of every component that works alone, at its default settings."""
    found: Arrays = {}
    wl = np.linspace(1.5, 1.6, WAVELENGTHS)
    for name, facts in json.loads(photosim("components", "--json")).items():
        netlist = {
            "instances": {"part": {"component": name}},
            "ports": {port: f"part,{port}" for port in facts["ports"]},
        }
        found |= attempted(name, lambda netlist=netlist: s_matrix(ps.Circuit(netlist), wl))  # type: ignore[misc]
    return found


# --- the command line ---------------------------------------------------------------------------------


def of_analyses(name: str) -> Arrays:
    """Return every number that `photosim run` writes for a gallery netlist, but for its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        photosim("run", name, "--out", f"{folder}/out", "--seed", "1")
        report = json.loads(Path(folder, "out", "results.json").read_text(encoding="utf-8"))
    return dict(numbers("results.json", report["analyses"]))


def of_system(name: str) -> Arrays:
    """Return every number of a published system in small: of results.json and of the table."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            photosim("reproduce", name, "--quick", "--out", folder)
        except SystemExit as end:
            if DATA not in str(end):
                raise
            return {"runs": np.asarray(f"refused: needs the data folder {DATA}")}
        report = json.loads(Path(folder, "results.json").read_text(encoding="utf-8"))
        with Path(folder, "table.csv").open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
    return {**dict(numbers("runs", report["runs"])), **dict(numbers("table", table))}


def numbers(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the numbers inside JSON data by their place; numbers written as text too, other text not."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key != "seconds":
                yield from numbers(f"{place}/{key}", inner)
    elif isinstance(value, list) and value and all(isinstance(one, int | float) for one in value):
        yield place, np.asarray(value, dtype=np.float64)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from numbers(f"{place}/{number}", inner)
    elif isinstance(value, int | float):
        yield place, np.float64(value)
    elif isinstance(value, str):
        try:
            yield place, np.float64(value)
        except ValueError:
            return


if __name__ == "__main__":
    main()
