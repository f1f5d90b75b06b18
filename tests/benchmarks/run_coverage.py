"""How often the errors of `ps.fit` hold the truth: chips with a ripple of 0.1 dB that the model lacks.

    .venv/bin/python tests/benchmarks/run_coverage.py --chips 200

Each chip is an interferometer below a slope, or a ring, with random settings; a cavity of random length adds
a ripple. A row a setting: the share of chips whose truth lies within one and three standard errors, by the
block bootstrap and by the usual covariance. docs/fit.md quotes the last line of each kind of chip.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import photosim as ps
from photosim.analysis.fits.columns import spectra_of
from photosim.analysis.fits.parameters import read_parameters
from photosim.analysis.fits.problem import Powers, Problem
from photosim.analysis.fits.refining import refine
from photosim.analysis.fits.uncertainty import noise_of, uncertainty
from photosim.files.measured import measured_of

RIPPLE_dB = 0.1
NOISE_dB = 0.02
POINTS = 601
COUPLERS = ("first", "second")


def interferometer(values: dict[str, float]) -> ps.Circuit:
    """Return an interferometer of two couplers with settings of its own."""
    guide = {"neff": "neff", "ng": "ng"}
    return ps.Circuit(
        {
            "settings": values,
            "instances": {
                "a": {"component": "coupler", "settings": {"coupling": "first"}},
                "b": {"component": "coupler", "settings": {"coupling": "second"}},
                "short": {"component": "straight", "settings": {"length": 5.0, **guide}},
                "long": {"component": "straight", "settings": {"length": "5.0 + delta_length", **guide}},
            },
            "connections": {
                "a,out0": "short,o1",
                "a,out1": "long,o1",
                "short,o2": "b,in0",
                "long,o2": "b,in1",
            },
            "ports": {"in": "a,in0", "bar": "b,out0", "cross": "b,out1"},
            "terminate": ["a,in1"],
        }
    )


def ring(values: dict[str, float]) -> ps.Circuit:
    """Return an add-drop ring."""
    return ps.Circuit(
        {
            "instances": {"ring": {"component": "ring_double", "settings": values}},
            "ports": {p: f"ring,{p}" for p in ("in", "drop", "add", "through")},
        }
    )


def errors_of(kind: str, rng: np.random.Generator) -> dict[str, Any]:
    """Return (error over standard error, over the usual one) of each setting of one random chip."""
    wl = ps.wavelengths(1.53, 1.57, POINTS)
    fitted: tuple[str, ...]
    if kind == "mzi":
        truth = {"delta_length": rng.uniform(80.0, 250.0), "neff": 2.4, "ng": rng.uniform(4.15, 4.25),
                 "first": rng.uniform(0.3, 0.46), "second": rng.uniform(0.54, 0.7)}  # fmt: skip
        chip, fitted, outputs = interferometer(truth), ("neff", "ng", *COUPLERS), ("bar", "cross")
    else:
        wl = ps.wavelengths(1.535, 1.565, 2 * POINTS)
        inner = {
            "radius": 10.0,
            "neff": 2.44,
            "ng": rng.uniform(4.15, 4.25),
            "coupling": rng.uniform(0.05, 0.1),
            "coupling_drop": rng.uniform(0.05, 0.1),
            "loss_dB_cm": rng.uniform(4.0, 10.0),
        }
        chip, outputs = ring(inner), ("through", "drop")
        truth = {f"ring.{name}": value for name, value in inner.items()}
        fitted = ("ring.neff", "ring.ng", "ring.coupling", "ring.coupling_drop", "ring.loss_dB_cm")
    s = chip(wl)
    data: dict[str, Any] = {"wavelength_um": wl}
    for port in outputs:
        cavity = rng.uniform(300.0, 3000.0)  # optical length of a round trip in um
        ripple = RIPPLE_dB * np.cos(2.0 * np.pi * cavity / wl + rng.uniform(0.0, 2.0 * np.pi))
        level = -10.0 + rng.normal(0.0, 1.0) * (wl - 1.55) / 0.02 if kind == "mzi" else 0.0
        data[f"{port}_dB"] = s["in", port].power_dB + level + ripple + NOISE_dB * rng.normal(size=wl.size)
    measured = spectra_of(chip, measured_of(data), {f"{port}_dB": port for port in outputs}, None, None)
    parameters = read_parameters(chip, list(fitted), {}, {})
    problem = Problem(
        Powers(chip, tuple(p.name for p in parameters), measured.pairs, {}), measured, parameters
    )
    problem = problem.changed(degree=1) if kind == "mzi" else problem
    # As ps.fit ends, from the truth: which minimum is found is not asked here.
    found = refine(problem, problem.whole(np.array([p.start for p in parameters])), tolerance=1e-8)
    problem = problem.changed(noise=noise_of(problem, found.x))
    errors = uncertainty(problem, found.x, 400, 0, None)
    return {
        p.name: (
            abs(found.x[k] - truth[p.name] / problem.scales[k]) / np.array([errors.error[k], errors.white[k]])
        )
        for k, p in enumerate(parameters)
    }


def shares(kind: str, chips: int, seed: int) -> dict[str, Any]:
    """Return |error| over both standard errors, (chips, 2), by setting; `all` has every setting."""
    found: dict[str, list[Any]] = {}
    for number in range(chips):
        for name, pair in errors_of(kind, np.random.default_rng([seed, number])).items():
            found.setdefault(name, []).append(pair)
    rows = {name: np.array(pairs) for name, pairs in found.items()}
    return {**rows, "all": np.concatenate([*rows.values()])}


def main() -> None:
    """Fit the chips and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=("mzi", "ring"), nargs="*", default=("mzi", "ring"))
    options = parser.parse_args()
    for kind in options.kind:
        rows = shares(kind, options.chips, options.seed)
        print(f"{kind}: {options.chips} chips; within 1 and 3 standard errors, and of the usual covariance")
        for name, pairs in rows.items():
            percent = [100.0 * np.mean(pairs[:, column] < bound) for column in (0, 1) for bound in (1.0, 3.0)]
            print(f"{name:22s}" + "".join(f"{share:8.1f} %" for share in percent), flush=True)


if __name__ == "__main__":
    main()
