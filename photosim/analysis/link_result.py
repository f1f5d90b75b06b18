"""What a link analysis found, and how it is shown: tables for people, charts, plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosim.analysis.chart import Bars, Chart, Curve, Picture
from photosim.analysis.result import Table
from photosim.arguments import check_arguments, public
from photosim.display import Tabled
from photosim.errors import ParameterError, listing
from photosim.signals import TERMS, Line, Passage, effective_bits
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    import xarray

FloatArray = NDArray[np.float64]

DARK_dB = 300.0
"""A ratio beyond this is one of light that is not there."""
_MOST_PATHS = 8
"""Detectors whose way is shown."""


@public
@dataclass(frozen=True, eq=False)
class Reception(ByValue):
    """Power, current and noise at one detector.

    line: number of the wanted line, which is the strongest one here.  power: its power in W at all ports
    together.  current: mean current in A out of the detector, with its sign: all lines, spontaneous emission
    of amplifiers, and dark current.  signal: current in A of the wanted line.  variances: A^2 by name of
    noise. crosstalk_dB: power of all other lines divided by that of the wanted one.  passages: parts that the
    wanted line passes on its way to the port where most of it arrives.
    """

    detector: str
    line: int
    power: float
    current: float
    signal: float
    bandwidth: float
    variances: Mapping[str, float]
    crosstalk_dB: float
    passages: tuple[Passage, ...]

    @property
    def noise(self) -> float:
        """Rms noise current in A: the square root of the sum of all variances."""
        return float(np.sqrt(sum(self.variances.values())))

    @property
    def snr_dB(self) -> float:
        """Signal-to-noise ratio: squared signal current over the variance of all noise, in dB."""
        return float(20.0 * np.log10(self._ratio)) if self._ratio > 0.0 else -np.inf

    @property
    def bits(self) -> float:
        """Effective bits: those of an ideal converter with this ratio of signal current to noise."""
        return float(effective_bits(self._ratio)) if self._ratio > 0.0 else -np.inf

    @property
    def _ratio(self) -> float:
        """Signal over noise; 0 without signal, infinite without noise."""
        if self.signal == 0.0:
            return 0.0
        return abs(self.signal) / self.noise if self.noise > 0.0 else np.inf


@public
@dataclass(frozen=True, eq=False)
class LinkResult(Tabled, ByValue):
    """Result of a link analysis at the operating point.

    lines: the laser lines.  receptions: one for each detector.  powers: power in W of each line at each
    detector, (lines, detectors).  point_powers: the same at each of `points`, (lines, points).  remarks:
    numbers outside the range of a model.
    """

    name: str
    lines: tuple[Line, ...]
    receptions: tuple[Reception, ...]
    powers: FloatArray
    points: tuple[str, ...]
    point_powers: FloatArray
    remarks: tuple[str, ...]

    @property
    def noise(self) -> xarray.DataArray:
        """Variances in A^2, dimensions (detector, term)."""
        import xarray

        values = [[reception.variances[term] for term in TERMS] for reception in self.receptions]
        names = [reception.detector for reception in self.receptions]
        return xarray.DataArray(
            values, dims=("detector", "term"), coords={"detector": names, "term": list(TERMS)},
            name="variance", attrs={"units": "A^2"},
        )  # fmt: skip

    def __getitem__(self, detector: str) -> Reception:
        """Return what one detector receives."""
        check_arguments(LinkResult.__getitem__, locals())
        for reception in self.receptions:
            if reception.detector == detector:
                return reception
        known = listing([reception.detector for reception in self.receptions], 16)
        message = f"The link has no detector {detector!r}. It has: {known}."
        raise ParameterError(message)

    def numbers(self) -> dict[str, Any]:
        """Return all numbers as plain JSON types."""
        return {
            "kind": "link",
            "name": self.name,
            "lines": [{"source": k.source, "wl_um": k.wl, "power_W": k.power} for k in self.lines],
            "detectors": {r.detector: _reception_numbers(r) for r in self.receptions},
            "power_W": {
                r.detector: self.powers[:, k].tolist() for k, r in enumerate(self.receptions)
            } | {name: self.point_powers[:, k].tolist() for k, name in enumerate(self.points)},
            "remarks": list(self.remarks),
        }  # fmt: skip

    def tables(self) -> tuple[Table, ...]:
        """Return detectors, noise, powers, channels, points and remarks as tables; without empty ones."""
        tables = [self._detector_table(), self._noise_table(), *self._power_tables()]
        if len(self.lines) > 1:
            names = [reception.detector for reception in self.receptions]
            tables.append(self._power_table("channels", names, self.powers))
        if self.points:
            tables.append(self._power_table("points", self.points, self.point_powers))
        if self.remarks:
            rows = tuple((str(k + 1), text) for k, text in enumerate(self.remarks))
            tables.append(Table(f"{self.name}: {len(rows)} out of range", ("", "what"), rows))
        return tuple(tables)

    def charts(self) -> tuple[Picture, ...]:
        """Return data of two charts: power along the path of each line, and noise of each detector."""
        return (*self._power_charts(), self._noise_chart())

    def _detector_table(self) -> Table:
        heads = ("detector", "line (um)", "power (dBm)", "current (uA)", "noise (uA rms)", "SNR (dB)", "bits",
                 "crosstalk (dB)")  # fmt: skip
        rows = tuple(
            (
                r.detector, f"{self.lines[r.line].wl:.6g}", _number(_dBm(r.power)), f"{1e6 * r.current:.5g}",
                f"{1e6 * r.noise:.4g}", _number(r.snr_dB), _number(r.bits), _number(r.crosstalk_dB),
            )
            for r in self.receptions
        )  # fmt: skip
        return Table(f"{self.name}: detectors", heads, rows)

    def _noise_table(self) -> Table:
        terms = [t for t in TERMS if any(r.variances[t] > 0.0 for r in self.receptions)]
        unit, scale = self._noise_unit()
        rows = tuple(
            (r.detector, *(f"{scale * np.sqrt(r.variances[t]):.4g}" for t in terms), f"{scale * r.noise:.4g}")
            for r in self.receptions
        )
        return Table(f"{self.name}: noise ({unit} rms)", ("detector", *terms, "all"), rows)

    def _noise_unit(self) -> tuple[str, float]:
        """Return the unit in which the noise is shown, and how many of it an ampere has."""
        return ("uA", 1e6) if any(r.noise >= 1e-6 for r in self.receptions) else ("nA", 1e9)

    def _power_tables(self) -> list[Table]:
        tables = []
        for r in self.receptions[:_MOST_PATHS]:
            line = self.lines[r.line]
            rows = [(line.source, "", _number(_dBm(line.power)))]
            rows += [(p.element, _number(p.loss_dB), _number(_dBm(p.power))) for p in r.passages]
            if r.passages:
                total = sum(p.loss_dB for p in r.passages)
                rows.append(("all", _number(total), _number(_dBm(r.passages[-1].power))))
                title = f"{self.name}: from {line.source} at {line.wl:.6g} um to {r.detector}"
                tables.append(Table(title, ("element", "loss (dB)", "power behind (dBm)"), tuple(rows)))
        return tables

    def _power_table(self, what: str, names: Sequence[str], powers: FloatArray) -> Table:
        rows = tuple(
            (str(k + 1), f"{line.wl:.6f}", *(_number(_dBm(p)) for p in powers[k]))
            for k, line in enumerate(self.lines)
        )
        heads = tuple(f"{name} (dBm)" for name in names)
        return Table(f"{self.name}: {what}", ("line", "wavelength (um)", *heads), rows)

    def _power_charts(self) -> tuple[Picture, ...]:
        shown = [r for r in self.receptions if r.passages][:_MOST_PATHS]
        if not shown:
            return ()
        title = f"{self.name}: power along the way"
        curves = []
        for r in shown:
            levels = [_dBm(self.lines[r.line].power), *(_dBm(p.power) for p in r.passages)]
            curves.append(Curve(r.detector, np.arange(len(levels)), np.array(levels)))
        ways = [("source", *(p.element for p in r.passages)) for r in shown]
        names = tuple(_common(place) for place in zip_longest(*ways))
        return (Chart("powers", title, "behind this part", "power (dBm)", tuple(curves), names=names),)

    def _noise_chart(self) -> Bars:
        """Return the noise of every detector, as long as its root mean square, divided by its variances."""
        terms = [t for t in TERMS if any(r.variances[t] > 0.0 for r in self.receptions)]
        unit, scale = self._noise_unit()
        whole = np.array([scale * r.noise for r in self.receptions])
        shares = {
            term: np.array([r.variances[term] / max(r.noise**2, 1e-300) for r in self.receptions])
            for term in terms
        }
        names = tuple(r.detector for r in self.receptions)
        parts = tuple((term, share * whole) for term, share in shares.items())
        words = f"noise current ({unit} rms), divided in proportion to the variances"
        return Bars("noise", f"{self.name}: noise by its kind", words, names, parts)


def _common(names: Sequence[str | None]) -> str:
    """Return what the names of parts at one place of several ways share, with * for what differs."""
    found = list(dict.fromkeys(name for name in names if name is not None))
    if len(found) == 1:
        return found[0]
    start = _start(found)
    end = _start([name[len(start) :][::-1] for name in found])[::-1]
    return f"{start}*{end}" if start or end else " / ".join(found[:2]) + (" ..." if len(found) > 2 else "")


def _start(names: Sequence[str]) -> str:
    """Return the letters that all names begin with."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same)


def _reception_numbers(r: Reception) -> dict[str, Any]:
    return {
        "line": r.line, "power_W": r.power, "current_A": r.current, "signal_A": r.signal,
        "bandwidth_Hz": r.bandwidth, "noise_A2": dict(r.variances), "noise_A_rms": r.noise,
        "snr_dB": r.snr_dB, "bits": r.bits, "crosstalk_dB": r.crosstalk_dB,
        "path": [{"element": p.element, "loss_dB": p.loss_dB, "power_W": p.power} for p in r.passages],
    }  # fmt: skip


def _dBm(power: float) -> float:
    return float(10.0 * np.log10(power / 1e-3)) if power > 0.0 else -np.inf


def _number(value: float) -> str:
    # Adding zero turns -0.0, which is what a loss of nothing rounds to, into 0.0.
    return f"{round(value, 2) + 0.0:.2f}" if np.isfinite(value) and abs(value) < DARK_dB else "none"
