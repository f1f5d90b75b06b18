"""The analysis of kind transient: a circuit in time, with the eyes of its signals."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.figures import ConstellationFigures, Figures, figures
from photosim.analysis.result import Table
from photosim.analysis.traces import Eye, eye
from photosim.analysis.transient_options import EyeOptions, FiguresOptions, TransientOptions, sent_at
from photosim.arguments import public
from photosim.display import Tabled
from photosim.errors import ParameterError
from photosim.smatrix import ByValue
from photosim.timedomain import transient as simulate

if TYPE_CHECKING:
    import xarray

    from photosim.circuit import Circuit


_MOST_LEVELS = 16
_MOST_PERIOD = 1 << 20
"""Symbols of a constellation after which two sequences are taken to repeat together, at most."""


@public
@dataclass(frozen=True, eq=False)
class TransientResult(Tabled, ByValue):
    """A simulation in time: the Dataset of `ps.transient`, with the eye and the figures of its signals."""

    name: str
    data: xarray.Dataset
    eyes: Mapping[str, Eye] = field(default_factory=dict)
    figures: Mapping[str, Figures | ConstellationFigures] = field(default_factory=dict)

    def signals(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return real signals over time by name: currents in A, voltages of nets in V, and powers in W."""
        found: dict[str, np.ndarray[Any, Any]] = {}
        if "current" in self.data:
            found |= dict(zip(self.data.detector.values.tolist(), self.data.current.values, strict=True))
        power = (np.abs(self.data.wave.values) ** 2).sum(axis=1)
        found |= dict(zip(self.data.probe.values.tolist(), power, strict=True))
        if "voltage" in self.data:
            found |= dict(zip(self.data.net.values.tolist(), self.data.voltage.values, strict=True))
        return found

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
            "figures": {name: one.numbers() for name, one in self.figures.items()},
        }

    def unit(self, name: str) -> str:
        """Return the unit of a signal: A for a detector, V for a net, W for a probe."""
        if "current" in self.data and name in self.data.detector.values:
            return "A"
        return "V" if "voltage" in self.data and name in self.data.net.values else "W"

    def saturated(self) -> dict[str, float]:
        """Return, for each detector, the fraction of time with more light than its saturation power."""
        if "saturated" not in self.data:
            return {}
        return dict(zip(self.data.detector.values.tolist(), self.data.saturated.values.tolist(), strict=True))

    def tables(self) -> tuple[Table, ...]:
        """Return mean and extremes of every signal, and the figures of the eye."""
        rows = tuple(
            (
                name,
                f"m{self.unit(name)}",
                *(f"{1e3 * x:.6g}" for x in (v.mean(), v.min(), v.max())),
            )
            for name, v in self.signals().items()
        )
        tables = [Table(f"{self.name}: signals", ("signal", "unit", "mean", "least", "most"), rows)]
        for name, one in self.eyes.items():
            unit = f"m{self.unit(name)}"
            rows = (
                (f"levels ({unit})", ", ".join(f"{1e3 * level:.6g}" for level in one.levels)),
                (f"height ({unit})", f"{1e3 * one.height:.6g}"),
                ("width (ps)", f"{1e12 * one.width:.6g}"),
                ("Q", f"{one.q:.4g}"),
                ("symbol error rate", f"{one.error_rate:.3g}"),
            )
            tables.append(Table(f"{self.name}: eye of {name}", ("figure", "value"), rows))
        for name, judged in self.figures.items():
            tables += judged.tables(f"{self.name}: figures of {name}")
        return tuple(tables)


@public
def transient(circuit: Circuit, options: TransientOptions, seed: int | None = None) -> TransientResult:
    """Return the result of a time-domain simulation; `seed` replaces that of the options."""
    data = simulate(
        circuit, options.duration, sample_rate=options.sample_rate, drive=options.drive,
        inputs=options.inputs, wl=options.wl, probes=options.probes, noise=options.noise,
        settle=options.settle,
        seed=options.seed if seed is None else seed, quasi_static=options.quasi_static, **options.settings,
    )  # fmt: skip
    signals = TransientResult(options.name, data).signals()
    eyes, judged = {}, {}
    if options.eye is not None:
        name = str(options.eye.signal)
        eyes[name] = _seen(signals[name], options, options.eye)
    if options.figures is not None:
        asked = options.figures
        unit = TransientResult(options.name, data).unit(str(asked.signal))
        judged[str(asked.signal)] = _judged(signals, options, asked, unit)
    return TransientResult(options.name, data, eyes, judged)


def _seen(signal: np.ndarray[Any, Any], options: TransientOptions, asked: EyeOptions) -> Eye:
    """Return the eye of a signal by the symbols of the drive or input that it follows, if it follows any."""
    rate = float(asked.rate or 0.0)
    sent = sent_at(options, rate)
    for symbols in sent:
        with suppress(ParameterError):
            return eye(signal, options.sample_rate, rate, levels=asked.levels, sent=symbols)
    counts = [np.unique(symbols).size for symbols in sent]
    likely = next((count for count in counts if 2 <= count <= _MOST_LEVELS), 2)
    return eye(signal, options.sample_rate, rate, levels=asked.levels or likely)


def _judged(
    signals: Mapping[str, Any], options: TransientOptions, asked: FiguresOptions, unit: str
) -> Figures | ConstellationFigures:
    """Return the figures of a signal by the symbols that it follows, if it follows any."""
    rate = float(asked.rate or 0.0)
    trace, sent = signals[str(asked.signal)], sent_at(options, rate)
    if asked.quadrature is not None:
        trace = trace + 1j * signals[asked.quadrature]
        sent = [_complex(*sent[:2])] if len(sent) > 1 else []

    def found(symbols: Any, levels: int | None) -> Figures | ConstellationFigures:
        return figures(
            trace, options.sample_rate, rate, sent=symbols, levels=levels, received=asked.received,
            scope_noise=asked.scope_noise, unit=unit,
        )  # fmt: skip

    reasons = []
    for symbols in sent:
        try:
            return found(symbols, None if asked.quadrature is not None else asked.levels)
        except ParameterError as reason:
            reasons.append(reason)
    if reasons:
        raise reasons[0]
    return found(None, asked.levels)


def _complex(real: np.ndarray[Any, Any], imaginary: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the complex symbols of two sequences (N,) and (M,), each about the middle of its levels."""
    period = min(np.lcm(real.size, imaginary.size), _MOST_PERIOD)
    own = [np.resize(one - (one.max() + one.min()) / 2, period) for one in (real, imaginary)]
    return np.asarray(own[0] + 1j * own[1])
