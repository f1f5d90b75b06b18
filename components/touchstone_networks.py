"""Parts of electrical nets given by Touchstone files: two ports, or four, single-ended or in mixed modes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np

from photosim.components.electrical import Elements
from photosim.electronics.blocks import scattering
from photosim.electronics.tables import FittedNetwork, fitted_network, gain_of
from photosim.errors import ParameterError
from photosim.model import ElectricalTable, Fraction, Quantity, Remark, network

FitTolerance = Annotated[float, Quantity("1", 1e-9, 0.05)]
"""Error of a rational fit of S-parameters that is aimed at."""
Enforce = Literal["passive", "none"]

_ROUNDED = 1e-9
_MODES = np.array([[1, -1, 0, 0], [0, 0, 1, -1], [1, 1, 0, 0], [0, 0, 1, 1]]) / np.sqrt(2.0)


@lru_cache(maxsize=64)
def _single_ended(table: ElectricalTable, _file: str) -> ElectricalTable:
    return replace(table, s=_MODES.T @ table.s @ _MODES)


def _table(file: ElectricalTable | None, ports: int, order: str) -> ElectricalTable:
    """Return the table of single-ended ports; ParameterError for a missing one or another number of ports."""
    if file is None:
        message = f"setting 'file' is missing: it names a Touchstone file, as in file: cable.s{ports}p."
        raise ParameterError(message)
    if len(file.ohm) != ports:
        name = {1: "a .s1p", 2: "touchstone_two_port", 4: "touchstone_four_port"}.get(
            len(file.ohm), "no part"
        )
        message = f"table {file.name!r} has {len(file.ohm)} ports, but this part has {ports}"
        raise ParameterError(f"{message}: take {name}." if len(file.ohm) in {2, 4} else f"{message}.")
    if order == "mixed" and file.ordered:
        message = (
            f"table {file.name!r} names its modes itself by [Mixed-Mode Order], and its ports are "
            "single-ended again: leave setting 'order' out."
        )
        raise ParameterError(message)
    if order == "mixed" and np.ptp(file.ohm) > 0.0:
        message = (
            f"table {file.name!r} has different reference impedances, {file.ohm.min():g} to "
            f"{file.ohm.max():g} ohm: mixed modes need one."
        )
        raise ParameterError(message)
    return _single_ended(file, file.file) if order == "mixed" else file


def _fitted(table: ElectricalTable, enforce: str, tolerance: float, allowed: float) -> FittedNetwork:
    gain, at = gain_of(table)
    if enforce == "passive" and gain > 1.0 + allowed:
        message = (
            f"table {table.name!r} creates power: its largest singular value is {gain:.4f} at "
            f"{at:.5g} Hz, above the passivity_tolerance of {allowed:g}; of an amplifier write "
            "enforce: none."
        )
        raise ParameterError(message)
    return fitted_network(table, tolerance, enforce=enforce == "passive")


def _judge(ports: int) -> Any:
    """Return what tells of the fit of a file with so many ports."""

    def judge(
        *, file: ElectricalTable | None, enforce: str, tolerance: float, passivity_tolerance: float,
        order: str = "single",
    ) -> tuple[Remark, ...]:  # fmt: skip
        table = _table(file, ports, order)
        found = _fitted(table, enforce, tolerance, passivity_tolerance)
        late = f" behind delays of up to {found.delays.max():.3g} s" if found.delays.any() else ""
        start = f"table {table.name!r}"
        text = (
            f"{start}: a rational fit of {found.fit.poles.size} poles{late}, off by {found.error:.2g} at most"
        )
        moved = f", {found.moved:.2g} of it to be passive" if found.moved > _ROUNDED else ""
        remarks = [Remark(f"{text}{moved}.")]
        if found.error > 2.0 * tolerance:
            text = f"{start} is followed to {found.error:.2g} only, not to its tolerance of {tolerance:g}."
            remarks.append(Remark(text, serious=True))
        if enforce == "none" and found.left > 1.0 + _ROUNDED:
            text = f"{start} creates power: the largest singular value of its fit is {found.left:.4g}."
            remarks.append(Remark(text))
        return tuple(remarks)

    return judge


def _elements(pins: tuple[str, ...], table: ElectricalTable, found: FittedNetwork) -> Elements:
    return scattering(pins, "gnd", table.ohm.tolist(), found.fit, found.delays)


@network(pins=("e1", "e2"), source="gustavsen1999", judge=_judge(2))
def touchstone_two_port(
    *,
    file: ElectricalTable | None = None,
    enforce: Enforce = "passive",
    tolerance: FitTolerance = 1e-3,
    passivity_tolerance: Fraction = 0.01,
) -> Elements:
    """Electrical two-port against gnd by a Touchstone file: a rational fit of its S-parameters with delays.

    The reference impedances are those of the file. Below its first and above its last frequency the fit
    goes on, real at rest. Left out: noise, anything that depends on the level of the signal.

    Settings:
        file: Touchstone file (.s2p or .ts), found from the netlist's folder.
        enforce: `passive` removes gain of the fit; `none` keeps it, for an amplifier.
        tolerance: target error of the fit.
        passivity_tolerance: excess of the table's largest singular value over 1 that passive accepts.
    """
    table = _table(file, 2, "single")
    return _elements(("e1", "e2"), table, _fitted(table, enforce, tolerance, passivity_tolerance))


@network(pins=("e1", "e2", "e3", "e4"), source="gustavsen1999", judge=_judge(4))
def touchstone_four_port(
    *,
    file: ElectricalTable | None = None,
    order: Literal["single", "mixed"] = "single",
    enforce: Enforce = "passive",
    tolerance: FitTolerance = 1e-3,
    passivity_tolerance: Fraction = 0.01,
) -> Elements:
    """Electrical four-port against gnd by a Touchstone file, such as a pair of differential lines.

    A mixed file holds the modes d1, d2, c1, c2 of the pairs (e1, e2) and (e3, e4), differential impedances
    twice and common ones half of its reference; [Mixed-Mode Order] of version 2 is heeded by itself. The rest
    as for `touchstone_two_port`. Left out: noise, anything that depends on the level of the signal.

    Settings:
        file: Touchstone file (.s4p or .ts), found from the netlist's folder.
        order: `single` means that ports 1 to 4 are e1 to e4; `mixed`, differential and common modes.
        enforce: `passive` removes gain of the fit; `none` keeps it, for an amplifier.
        tolerance: target error of the fit.
        passivity_tolerance: excess of the table's largest singular value over 1 that passive accepts.
    """
    table = _table(file, 4, order)
    pins = ("e1", "e2", "e3", "e4")
    return _elements(pins, table, _fitted(table, enforce, tolerance, passivity_tolerance))
