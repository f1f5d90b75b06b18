"""Noise of a link against the textbook's formulas, and drawn samples against their variance."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import integrate

import photosim as ps
from photosim.signals import TERMS, contributions, operating_point, sample
from tests.validation.rows import NOISE, row

Q, K, C = 1.602176634e-19, 1.380649e-23, 299_792_458.0


def link(
    *between: tuple[str, dict[str, Any]], laser: dict[str, Any] | None = None, **detector: Any
) -> ps.Circuit:
    """Return a laser, two-port parts one after the other, and a photodetector."""
    instances: dict[str, Any] = {"laser": {"component": "laser", "settings": laser or {}}}
    connections, last = {}, "laser,o1"
    for k, (component, settings) in enumerate(between):
        instances[f"p{k}"] = {"component": component, "settings": settings}
        connections[last] = f"p{k},o1"
        last = f"p{k},o2"
    instances["pd"] = {"component": "photodetector", "settings": detector}
    return ps.Circuit({"instances": instances, "connections": {**connections, last: "pd,o1"}})


def variances(circuit: ps.Circuit) -> dict[str, float]:
    """Return the variances in A^2 by noise."""
    return dict(contributions(operating_point(circuit, {}), 0).variances)


@row(
    NOISE,
    "shot and intensity noise over thermal noise",
    "2 q I, RIN I^2 over 4 k T / R",
    measure="relative",
    limit=1e-3,
)
def densities_against_textbook() -> float:
    found = variances(link(laser={"power": 1e-3, "rin_dB_Hz": -145.0}, responsivity=0.8, dark_current=2e-6,
                           bandwidth=1e10, load_resistance=75.0, temperature=320.0))  # fmt: skip
    thermal = 4 * K * 320.0 / 75.0
    shot = found["shot"] / found["thermal"] / (2 * Q * (0.8e-3 + 2e-6) / thermal)
    rin = found["rin"] / found["thermal"] / (10**-14.5 * (0.8e-3) ** 2 / thermal)
    return float(max(abs(shot - 1), abs(rin - 1)))


@row(
    NOISE,
    "avalanche detector: noise over that of a diode",
    "M^2 F of McIntyre",
    measure="relative",
    limit=1e-9,
)
def avalanche_against_mcintyre() -> float:
    settings = {"responsivity": 0.8, "multiplication": 10.0, "ionisation_ratio": 0.1, "dark_current": 0.0}
    avalanche = ps.Circuit({
        "instances": {
            "laser": {"component": "laser", "settings": {"power": 1e-5}},
            "pd": {"component": "avalanche_photodetector", "settings": {**settings, "bandwidth": 1e10}},
        },
        "connections": {"laser,o1": "pd,o1"},
    })  # fmt: skip
    diode = link(laser={"power": 1e-5}, responsivity=0.8, dark_current=0.0, bandwidth=1e10)
    ratio = variances(avalanche)["shot"] / variances(diode)["shot"]
    excess = 0.1 * 10 + 0.9 * (2 - 1 / 10)
    return float(abs(ratio / (100 * excess) - 1))


@row(
    NOISE,
    "phase noise behind an unbalanced interferometer",
    "the integral of its spectrum",
    measure="relative",
    limit=0.12,
)
def phase_noise_against_integral() -> float:
    length, width = 20_000.0, 1e9
    quadrature = np.pi / 2 - 2 * np.pi * 2.34 * length / 1.55
    settings = {"delta_length": length, "phase": quadrature % (2 * np.pi) + 0.2, "splitter": "splitter"}
    circuit = link(("mzi", settings), laser={"linewidth": 1e6, "rin_dB_Hz": -400.0}, bandwidth=width)
    delay = 3.4 * length * 1e-6 / C
    turned = 2 * circuit.photocurrents().values.item() / 1e-3 - 1
    change = integrate.quad(
        lambda f: 4e6 / (np.pi * f**2) * np.sin(np.pi * f * delay) ** 2, 1.0, width, limit=500
    )[0]
    return float(abs(variances(circuit)["phase"] / (0.25e-6 * (1 - turned**2) * change) - 1))


@row(
    NOISE,
    "40,000 drawn samples of shot, thermal and intensity noise",
    "the variances of the link",
    measure="standard errors",
    limit=3.5,
)
def samples_against_variances() -> float:
    circuits = {"shot": link(bandwidth=5e9), "thermal": link(bandwidth=5e9),
                "rin": link(laser={"rin_dB_Hz": -140.0}, bandwidth=5e9)}  # fmt: skip
    worst = 0.0
    for term, circuit in circuits.items():
        without = tuple(other for other in TERMS if other != term)
        drawn = np.concatenate([sample(circuit, 4000, seed=k, without=without).values[0] for k in range(10)])
        ratio = drawn.var() / variances(circuit)[term]
        worst = max(worst, abs(ratio - 1) / np.sqrt(2 / drawn.size))
    return float(worst)
