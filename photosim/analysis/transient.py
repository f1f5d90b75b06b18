"""The analysis of kind transient: a circuit in time, with the eyes of its signals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.options import Options
from photosim.analysis.result import Table
from photosim.analysis.spectrum import check_waves, read_settings
from photosim.analysis.traces import Eye, eye
from photosim.errors import ParameterError, PhotosimError, did_you_mean, listing
from photosim.timedomain import transient as simulate
from photosim.timedomain.waveforms import Waveform, read_waveform

if TYPE_CHECKING:
    import xarray

    from photosim.circuit import Circuit


@dataclass(frozen=True)
class TransientOptions:
    """What an analysis in time computes: the arguments of `ps.transient`, and which eye to look at.

    eye: (name of a detector or probe, symbols per s, levels); None looks at none.
    """

    name: str
    duration: float
    sample_rate: float
    drive: Mapping[str, Waveform] = field(default_factory=dict)
    inputs: Mapping[str, Waveform] = field(default_factory=dict)
    wl: tuple[float, ...] | None = None
    probes: tuple[str, ...] | None = None
    noise: bool = False
    seed: int = 0
    settle: float = 0.0
    quasi_static: bool | None = None
    eye: tuple[str, float, int] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TransientResult:
    """A simulation in time: the Dataset of `ps.transient`, and the eye that was asked for."""

    name: str
    data: xarray.Dataset
    eyes: Mapping[str, Eye] = field(default_factory=dict)

    def signals(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return real signals over time by name: currents in A, and powers in W of all carriers together."""
        found: dict[str, np.ndarray[Any, Any]] = {}
        if "current" in self.data:
            found |= dict(zip(self.data.detector.values.tolist(), self.data.current.values, strict=True))
        power = (np.abs(self.data.wave.values) ** 2).sum(axis=1)
        return found | dict(zip(self.data.probe.values.tolist(), power, strict=True))

    def numbers(self) -> dict[str, Any]:
        """Return everything but the traces as plain JSON types."""
        data = self.data
        return {
            "kind": "transient",
            "name": self.name,
            "samples": int(data.sizes["time"]),
            "sample_rate_Hz": float(data.attrs["sample_rate_Hz"]),
            "carriers_um": data.carrier.values.tolist(),
            "seed": None if data.attrs["seed"] < 0 else int(data.attrs["seed"]),
            "drives": data.attrs["drives"],
            "fits": data.attrs["fits"],
            "signals": {
                name: {"mean": float(v.mean()), "least": float(v.min()), "most": float(v.max())}
                for name, v in self.signals().items()
            },
            "saturated": self.saturated(),
            "eyes": {name: one.numbers() for name, one in self.eyes.items()},
        }

    def saturated(self) -> dict[str, float]:
        """Return the share of the time in which each detector had more light than it can follow."""
        if "saturated" not in self.data:
            return {}
        return dict(zip(self.data.detector.values.tolist(), self.data.saturated.values.tolist(), strict=True))

    def tables(self) -> tuple[Table, ...]:
        """Return mean and extremes of every signal, and the figures of the eye."""
        detectors = self.data.detector.values.tolist() if "current" in self.data else []
        rows = tuple(
            (
                name,
                "mA" if name in detectors else "mW",
                *(f"{1e3 * x:.6g}" for x in (v.mean(), v.min(), v.max())),
            )
            for name, v in self.signals().items()
        )
        tables = [Table(f"{self.name}: signals", ("signal", "unit", "mean", "least", "most"), rows)]
        for name, one in self.eyes.items():
            figures = (
                ("levels", ", ".join(f"{1e3 * level:.6g}" for level in one.levels)),
                ("height", f"{1e3 * one.height:.6g}"),
                ("width (ps)", f"{1e12 * one.width:.6g}"),
                ("Q", f"{one.q:.4g}"),
                ("symbol error rate", f"{one.error_rate:.3g}"),
            )
            unit = "mA" if name in detectors else "mW"
            tables.append(Table(f"{self.name}: eye of {name} ({unit})", ("figure", "value"), figures))
        return tuple(tables)


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> TransientOptions:
    """Return the options of an entry `{kind: transient, name, duration, sample_rate, drive, inputs, ...}`.

    Raises ParameterError for an unknown key, a setting, port or wave that the circuit does not have, or a
    waveform that cannot be made.
    """
    options = Options(entry, "transient")
    name = options.text("name", "transient")
    duration, rate = (_number(options, key, above=True) for key in ("duration", "sample_rate"))
    settle = _number(options, "settle", 0.0)
    drive, inputs = (_waveforms(options, key) for key in ("drive", "inputs"))
    for setting in drive:
        if setting not in circuit.parameters:
            hint = did_you_mean(setting, circuit.parameters)
            options.refuse(f"drives the setting {setting!r}, which the circuit does not have.{hint}")
    for port in inputs:
        if port not in circuit.ports:
            options.refuse(f"lights the port {port!r}; the circuit exposes {listing(circuit.ports, 20)}.")
    probes = options.names("probes")
    check_waves(circuit, None, probes)
    noise, quasi_static = (_flag(options, key) for key in ("noise", "quasi_static"))
    seed = options.scalar("seed", 0)
    if not isinstance(seed, int) or seed < 0:
        options.refuse(f"needs a whole number from 0 on for 'seed', got {seed!r}.")
    wl = options.numbers("wl")
    looked = _eye(options, circuit, probes)
    settings = read_settings(options, circuit)
    return TransientOptions(
        name, duration, rate, drive, inputs, wl, probes, bool(noise), int(seed), settle, quasi_static, looked,
        settings,
    )  # fmt: skip


def transient(circuit: Circuit, options: TransientOptions, seed: int | None = None) -> TransientResult:
    """Return the simulation in time that the options ask for; `seed` replaces theirs."""
    data = simulate(
        circuit, options.duration, sample_rate=options.sample_rate, drive=options.drive,
        inputs=options.inputs, wl=options.wl, probes=options.probes, noise=options.noise,
        settle=options.settle,
        seed=options.seed if seed is None else seed, quasi_static=options.quasi_static, **options.settings,
    )  # fmt: skip
    result = TransientResult(options.name, data)
    if options.eye is None:
        return result
    name, symbol_rate, levels = options.eye
    one = eye(result.signals()[name], options.sample_rate, symbol_rate, levels=levels)
    return TransientResult(options.name, data, {name: one})


def _number(options: Options, key: str, default: float | None = None, *, above: bool = False) -> float:
    """Return a number from 0 on, or above it; YAML leaves 1e9 a text, read as what it means."""
    value = options.scalar(key, default)
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and (number > 0 if above else number >= 0)):
        what = "a positive number" if above else "a number from 0 on"
        options.refuse(f"needs {what} for {key!r}, got {value!r}.")
    return number


def _flag(options: Options, key: str) -> bool | None:
    value = options.value(key)
    if value is not None and not isinstance(value, bool):
        options.refuse(f"needs true or false for {key!r}, got {value!r}.")
    return None if value is None else bool(value)


def _waveforms(options: Options, key: str) -> dict[str, Waveform]:
    found = {}
    for name, value in options.mapping(key).items():
        try:
            found[str(name)] = read_waveform(value)
        except PhotosimError as error:
            options.refuse(f"has a bad waveform for {name!r}: {error}")
    return found


def _eye(options: Options, circuit: Circuit, probes: tuple[str, ...] | None) -> tuple[str, float, int] | None:
    """Return which signal's eye to look at: `{signal, rate, levels}`."""
    entry = options.mapping("eye")
    if not entry:
        return None
    known = (*circuit.detectors, *(circuit.ports if probes is None else probes))
    signal = entry.get("signal", known[0] if known else None)
    if set(entry) - {"signal", "rate", "levels"} or "rate" not in entry or signal not in known:
        options.refuse(
            f"needs an eye {{signal, rate, levels}}, the signal one of {listing(known)}, got {entry}."
        )
    levels = entry.get("levels", 2)
    if not isinstance(levels, int) or levels < 2:
        options.refuse(f"needs 2 levels or more for its eye, got {levels!r}.")
    try:
        return str(signal), float(entry["rate"]), int(levels)
    except (TypeError, ValueError):
        message = f"The rate of an eye is a number of symbols per s, got {entry['rate']!r}."
        raise ParameterError(message) from None
