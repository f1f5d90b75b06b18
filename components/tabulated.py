"""Parts of which files hold more than one S-matrix: a guide by its index, a part over a quantity."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import numpy as np

from photosim.components.guides import ROOM, Warmth
from photosim.components.sampled import sampled
from photosim.errors import ParameterError
from photosim.model import (
    Fraction,
    IndexTable,
    Loss_dB_cm,
    PathLength,
    Quantity,
    Remark,
    SampledData,
    SampledFamily,
    grouped,
    numerical,
)

Number = Annotated[float, Quantity("1")]
"""A value in the unit of the table that it belongs to."""


@grouped
def _guide(wl: Any, *, length: float, file: IndexTable | None, loss_dB_cm: float, warmth: Warmth) -> Any:
    """Taylor coefficients in wavelength of the S-matrix, (3, W, 2, 2)."""
    if file is None:
        message = "setting 'file' is missing: it names the file of indices, as in file: strip.csv."
        raise ParameterError(message)
    grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    n = file.series(grid)
    n[0] += warmth.warming()
    # The phase is 2 pi length n/wl, and 1/(wl + d) is (1 - d/wl + d**2/wl**2)/wl.
    k0, k1 = n[0], n[1] - n[0] / grid
    phase = 2 * np.pi * length / grid * np.stack((k0, k1, n[2] - k1 / grid))
    through = 10 ** (-loss_dB_cm * length * 1e-4 / 20) * np.exp(1j * phase[0])
    series = np.stack((through, 1j * phase[1] * through, (1j * phase[2] - phase[1] ** 2 / 2) * through))
    s = np.zeros((*series.shape, 2, 2), dtype=np.complex128)
    s[..., 0, 1] = s[..., 1, 0] = series
    return s


def _guide_series(wl: Any, orders: int, **settings: Any) -> Any:
    return _guide(wl, **settings)[:orders]


def _guide_structure(**_: Any) -> tuple[tuple[int, int], ...]:
    return ((0, 1), (1, 0))


def _guide_judge(*, file: IndexTable | None, **_: Any) -> tuple[Remark, ...]:
    if file is None:
        message = "setting 'file' is missing: it names the file of indices, as in file: strip.csv."
        raise ParameterError(message)
    return ()


@numerical(
    ports=("o1", "o2"), source="deboor2001", reciprocal=True, lossless_when={"loss_dB_cm": 0.0},
    structure_of=_guide_structure, judge=_guide_judge, series_of=_guide_series,
)  # fmt: skip
def straight_sampled(
    wl: Any,
    *,
    length: PathLength = 10.0,
    file: IndexTable | None = None,
    loss_dB_cm: Loss_dB_cm = 0.0,
    warmth: Warmth = ROOM,
) -> Any:
    """Straight waveguide with a table of effective indices over wavelength, as mode solvers write it.

    The index between the points is a not-a-knot cubic spline over wavelength, so that group index and
    dispersion are smooth; wavelengths outside the table are refused. The file is a .csv with the columns
    `wl_um` and `neff`, or a .npz with arrays of these names. Left out: loss that depends on wavelength,
    noise of the table (dispersion is its second derivative), what `straight` leaves out.

    Settings:
        length: length along the waveguide.
        file: file of effective indices at 300 K, found from the netlist's folder.
        loss_dB_cm: propagation loss.
    """
    return _guide(wl, length=length, file=file, loss_dB_cm=loss_dB_cm, **warmth.settings())[0]


def _at(file: SampledFamily | None, at: Any) -> SampledData | None:
    """Return the table at a value; ParameterError where the value is missing or outside."""
    if file is None:
        return None
    if at is None:
        message = (
            f"setting 'at' is missing: table {file.name!r} needs a value of {file.quantity} from "
            f"{file.values[0]:g} to {file.values[-1]:g}."
        )
        raise ParameterError(message)
    return file.at(float(at))


def _middle(file: SampledFamily | None) -> SampledData | None:
    return None if file is None else file.at(float(file.values[0]))


def _rest(enforce: Any, passivity_tolerance: Any) -> dict[str, Any]:
    """Return the other settings of `sampled`."""
    return {
        "mode": None, "enforce": enforce, "passivity_tolerance": passivity_tolerance, "delay": None,
        "length": None, "ng": None,
    }  # fmt: skip


def _family_ports(*, file: SampledFamily | None, **_: Any) -> tuple[str, ...]:
    return () if file is None else file.ports


def _family_aliases(*, file: SampledFamily | None, **_: Any) -> Any:
    return cast("Any", sampled.aliases_of)(file=_middle(file), mode=None)


def _family_structure(*, file: SampledFamily | None, **_: Any) -> tuple[tuple[int, int], ...]:
    if file is None:
        return ()
    return tuple((int(a), int(b)) for a, b in np.argwhere((file.s != 0).any(axis=(0, 1))))


def _family_reciprocal(*, file: SampledFamily | None, enforce: str, **_: Any) -> bool:
    if file is None or enforce in {"reciprocal", "both"}:
        return True
    return bool((file.s == np.swapaxes(file.s, 2, 3)).all())


def _family_judge(
    *, file: SampledFamily | None, at: Any, enforce: str, passivity_tolerance: Any
) -> tuple[Remark, ...]:
    if file is None:
        message = "setting 'file' is missing: it names the tables over a quantity, as in file: coupler.csv."
        raise ParameterError(message)
    remarks: list[Remark] = []
    if file.coarse:
        text = (
            f"table {file.name!r} is coarse: from one {file.quantity} to the next a phase steps by more than "
            "pi/2, so its turns between them are a guess."
        )
        remarks.append(Remark(text, serious=True, guess=True))
    for value in np.atleast_1d(np.asarray(np.nan if at is None else at, dtype=np.float64)):
        table = _at(file, None if np.isnan(value) else value)
        remarks += cast("Any", sampled.judge)(file=table, **_rest(enforce, passivity_tolerance))
    return tuple(dict.fromkeys(remarks))


def _family_series(
    wl: Any, orders: int, *, file: SampledFamily, at: Any, enforce: str, passivity_tolerance: Any
) -> Any:
    rest = _rest(enforce, passivity_tolerance)
    return cast("Any", sampled.series_of)(wl, orders, file=_at(file, at), **rest)


@numerical(
    source="deboor2001", ports_of=_family_ports, aliases_of=_family_aliases, structure_of=_family_structure,
    judge=_family_judge, reciprocal_when=_family_reciprocal, series_of=_family_series,
)  # fmt: skip
def sampled_over(
    wl: Any,
    *,
    file: SampledFamily | None = None,
    at: Number | None = None,
    enforce: Literal["none", "passive", "reciprocal", "both"] = "none",
    passivity_tolerance: Fraction = 0.01,
) -> Any:
    """Component given by S-parameters at several values of a quantity, such as a gap, a width or a length.

    The file is a .csv with one column of the quantity's name and one called `file`, a file of S-parameters in
    each row; or a .npz with the arrays `wl_um` (F,), `ports` (P,), `S` (G, F, P, P) and the values (G,) under
    the quantity's name. Between the values the complex elements follow a not-a-knot cubic spline, after the
    phase that grows with the quantity is taken out; between frequencies they are interpolated as in
    `sampled`. Values and wavelengths outside the tables are refused. Left out: more than one quantity, and
    what `sampled` leaves out.

    Settings:
        file: file of the tables, found from the netlist's folder.
        at: value of the quantity, in the unit of the file.
        enforce: property that the table is corrected to: no gain (passive), no differences between
            directions (reciprocal), both or none.
        passivity_tolerance: excess of the largest singular value over 1 that is accepted, and reported.
    """
    del passivity_tolerance  # judged before anything is evaluated
    table = _at(file, at)
    return sampled.function(wl, **{**_rest(enforce, 0.0), "file": table})
