"""Laws in time: the transient against the S-matrix, and parts that step: faint light, darkness, lasers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import ELEMENTARY_CHARGE_C, PLANCK_J_S, SPEED_OF_LIGHT_UM_S, port_places
from photosim.errors import PhotosimWarning
from photosim.testing.law import LAWS, Example
from photosim.testing.linear_laws import sealed
from photosim.testing.subjects import Assembly, Formula, Linear, Stepped, Whole, quiet_circuit

if TYPE_CHECKING:
    from photosim.circuit import Circuit

SAMPLES, RATE_HZ = 256, 5e11
"""A record of 512 ps: spectra of a pulse of 20 ps, as far as 2 nm from the carrier."""
START, WIDTH = 40, 8


@LAWS.declare(
    "time against frequency",
    "The transient response agrees with the S-matrix",
    "a_out(t) = F^-1[S(f) F[a_in]]",
    tolerance=1e-6,
    why="the time-domain filter that approximates S, and light that wraps around the end of the record",
    source="oppenheim2010",
    applies=lambda subject: isinstance(subject, Formula | Assembly | Whole),
    every=50,
    refusal=True,
)
def _time(subject: Linear, example: Example) -> float:
    from photosim.timedomain.engine import transient

    if sealed(subject, example):
        return 0.0
    circuit, settings = _in_time(subject, example)
    wl, start = float(example.wl[0]), circuit.ports[example.seed % len(circuit.ports)]
    clock = np.arange(SAMPLES)
    pulse = 1e-3 * np.exp(-(((clock - START) / WIDTH) ** 2)).astype(np.complex128)
    offsets = np.fft.fftfreq(SAMPLES, 1 / RATE_HZ)
    grid = SPEED_OF_LIGHT_UM_S / (SPEED_OF_LIGHT_UM_S / wl - offsets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        s = circuit(grid, **settings).values[:, :, circuit.ports.index(start)]
        expected = np.fft.ifft(s * np.fft.fft(pulse)[:, np.newaxis], axis=0)
        if np.abs(expected[-START // 2 :]).max() > 1e-9 * np.abs(pulse).max():
            return 0.0  # it rings for longer than the record, whose end meets its start
        light = {start: {"field": pulse, "carrier": wl}}
        found = transient(circuit, SAMPLES / RATE_HZ, sample_rate=RATE_HZ, inputs=light, **settings)
    return float(np.abs(found["wave"].values[:, 0].T - expected).max() / np.abs(pulse).max())


def _in_time(subject: Linear, example: Example) -> tuple[Circuit, dict[str, Any]]:
    """Return a circuit and the settings of a call that are the subject at an example."""
    if isinstance(subject, Whole):
        return subject.circuit, dict(example.settings)
    settings = {f"part.{name}": value for name, value in example.settings.items()}
    if isinstance(subject, Assembly):
        return subject.circuit, settings
    part = {"component": subject.name.partition(".")[0], "settings": dict(example.settings)}
    ports = {place: f"part,{place}" for place in port_places(subject.ports)}
    return quiet_circuit({"instances": {"part": part}, "ports": ports}), {}


# --- parts that step ------------------------------------------------------------------------------

STEPS, STEP_S = 40, 1e-13
LONG_STEP_S, MOST_STEPS = 1e-10, 600
FAINT_W = 1e-15
WL = 1.55


def _steps(subject: Any) -> bool:
    return isinstance(subject, Stepped)


@LAWS.declare(
    "finite steps",
    "A nonlinear component gives finite numbers in faint light",
    "|b| < inf",
    tolerance=0.0,
    why="exact: it counts waves that are not finite",
    source="higham2002",
    applies=_steps,
    every=5,
)
def _finite_steps(subject: Stepped, example: Example) -> float:
    return float(np.count_nonzero(~np.isfinite(_through(subject.model, example, np.sqrt(FAINT_W)))))


def _follows_light(subject: Any) -> bool:
    return isinstance(subject, Stepped) and bool(subject.model.paths) and not subject.model.emits


@LAWS.declare(
    "small signal",
    "Faint light passes a nonlinear component as it passes a linear one",
    "b(2 a) = 2 b(a) for a -> 0",
    tolerance=1e-4,
    why="light of 1e-15 W is faint but not zero",
    source="saleh2019",
    applies=_follows_light,
    every=5,
)
def _small_signal(subject: Stepped, example: Example) -> float:
    faint, double = (_through(subject.model, example, factor * np.sqrt(FAINT_W)) for factor in (1.0, 2.0))
    if not np.isfinite(faint).all():
        return float("nan")
    return float(np.abs(double - 2 * faint).max() / max(np.abs(faint).max(), 1e-3 * np.sqrt(FAINT_W)))


@LAWS.declare(
    "darkness",
    "Without light at the input, a component that emits no light has no light at its output",
    "b = 0 for a = 0",
    tolerance=0.0,
    why="exact: darkness has no rounding error",
    source="saleh2019",
    applies=_follows_light,
    every=5,
)
def _darkness(subject: Stepped, example: Example) -> float:
    return float(np.abs(_through(subject.model, example, 0.0)).max())


@LAWS.declare(
    "linear limit",
    "In the steady state, faint light agrees with the S-matrix that `linear` declares",
    "b = S(wl) a for a -> 0 and t -> inf",
    tolerance=1e-5,
    why="light of 1e-15 W is faint but not zero",
    source="saleh2019",
    applies=lambda subject: _steps(subject) and subject.model.linear is not None,
    every=5,
)
def _linear_limit(subject: Stepped, example: Example) -> float:
    model, amplitude = subject.model, np.sqrt(FAINT_W)
    linear: Any = model.linear
    stated = linear(np.array([WL]), **model.full(example.settings))
    starts = sorted({start for start, _ in stated})
    start = starts[example.seed % len(starts)]
    found = _settled(model, example, start)
    if found is None:
        return 0.0
    expected = np.zeros(len(model.ports), dtype=np.complex128)
    for (a, b), value in stated.items():
        if a == start:
            expected[model.ports.index(b)] = np.ravel(value)[0]
    return float(np.abs(found / amplitude - expected).max() / max(1.0, np.abs(expected).max()))


def _settled(model: Any, example: Example, start: str) -> Any:
    """Return what leaves all ports (P,) once faint light into `start` has settled; None if it does not."""
    run = _Run(model, example)
    wave = np.zeros((len(model.ports), 1), dtype=np.complex128)
    wave[model.ports.index(start)] = np.sqrt(FAINT_W)
    before = run.step(wave, LONG_STEP_S)
    for _ in range(MOST_STEPS):
        after = run.step(wave, LONG_STEP_S)
        if np.abs(after - before).max() < 1e-9 * np.sqrt(FAINT_W):
            return after[:, 0]
        before = after
    return None


class _Run:
    """One part in time, from rest, under one carrier."""

    def __init__(self, model: Any, example: Example, **changed: Any) -> None:
        self.model = model
        self.constants = model.constants({**example.settings, **changed})[:, 0]
        line = model.wavelength({**example.settings, **changed})
        self.carriers = np.array([SPEED_OF_LIGHT_UM_S / (line or WL)])
        self.state = model.start_state(self.constants, 1)

    def step(self, wave: Any, seconds: float) -> Any:
        """Return the waves (P, 1) that leave after a step under constant waves that arrive."""
        out = np.zeros_like(wave)
        self.model.step(
            self.state, wave, wave, out, np.tile(self.constants, 2), self.carriers, np.zeros(0), seconds
        )
        return out


def _through(model: Any, example: Example, amplitude: float) -> Any:
    """Return what leaves all ports after some steps of constant light into the first path, from rest."""
    run = _Run(model, example)
    wave = np.zeros((len(model.ports), 1), dtype=np.complex128)
    if model.paths:
        wave[model.ports.index(model.paths[0][0])] = amplitude
    out = np.zeros_like(wave)
    for _ in range(STEPS):
        out = run.step(wave, STEP_S)
    return out


# --- lasers ---------------------------------------------------------------------------------------


def _lases(subject: Any) -> bool:
    return _steps(subject) and bool(subject.model.emits) and "current" in subject.parameters


def _power(subject: Stepped, example: Example, **changed: Any) -> float:
    """Return the power in W that a laser sends out of all ports, from its state at rest, in the dark."""
    run = _Run(subject.model, example, **changed)
    dark = np.zeros((len(subject.model.ports), 1), dtype=np.complex128)
    out = dark
    for _ in range(STEPS):
        out = run.step(dark, STEP_S)
    return float(np.sum(np.abs(out) ** 2))


@LAWS.declare(
    "slope of a laser",
    "A laser emits at most one photon per electron, and its power does not fall as the current rises",
    "0 <= dP/dI <= h f / q",
    tolerance=1e-4,
    why="powers of a steady state after a finite number of steps, in units of h f / q",
    source="coldren2012",
    applies=_lases,
    every=5,
)
def _slope(subject: Stepped, example: Example) -> float:
    current = max(float(example.settings["current"]), 1e-6)
    photon = PLANCK_J_S * SPEED_OF_LIGHT_UM_S / (subject.model.wavelength(example.settings) or WL)
    low, high = (_power(subject, example, current=value) for value in (current, 1.5 * current))
    slope = (high - low) / (0.5 * current) * ELEMENTARY_CHARGE_C / photon
    return float(max(slope - 1.0, -slope))


_RATES = {
    "current", "injection_efficiency", "carrier_lifetime", "photon_lifetime", "differential_gain",
    "transparency", "output",
}  # fmt: skip


@LAWS.declare(
    "threshold of a laser",
    "Above its threshold, the power of a laser rises linearly with the current; below it, there is none",
    "P = output eta h f (I - I_th) / q, I_th = q (N_tr + 1 / (g tau_p)) / (eta tau)",
    tolerance=0.02,
    why="light that spontaneous emission adds at twice the threshold and above",
    source="coldren2012",
    applies=lambda subject: _lases(subject) and set(subject.parameters) >= _RATES,
    every=5,
)
def _threshold(subject: Stepped, example: Example) -> float:
    own = {**subject.model.full(example.settings), "spontaneous": 1e-6, "gain_compression": 0.0}
    ideal = {
        n: v for n, v in own.items() if n in ("spontaneous", "gain_compression") and n in subject.parameters
    }
    if own["injection_efficiency"] <= 0.0:
        return 0.0
    carriers = own["transparency"] + 1.0 / (own["differential_gain"] * own["photon_lifetime"])
    threshold = ELEMENTARY_CHARGE_C * carriers / (own["carrier_lifetime"] * own["injection_efficiency"])
    photon = PLANCK_J_S * SPEED_OF_LIGHT_UM_S / (subject.model.wavelength(example.settings) or WL)
    slope = own["output"] * own["injection_efficiency"] * photon / ELEMENTARY_CHARGE_C
    expected = {0.5: 0.0, 2.0: slope * threshold, 4.0: 3.0 * slope * threshold}
    found = {k: _power(subject, example, current=k * threshold, **ideal) for k in expected}
    off = max(abs(found[k] - expected[k]) for k in expected)
    return float(off / max(slope * threshold, 1e-30))
