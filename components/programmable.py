"""Cells of programmable meshes whose coupling and phase are both set by heaters, and filters made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from photosim.components.guides import STRIP_MODE, GuidedMode
from photosim.components.shifters import SwitchingPower
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.expressions import arccos, exp, maximum, minimum, mod, symbol
from photosim.expressions import round as nearest
from photosim.model import (
    Bandwidth,
    Instance,
    Loss_dB,
    Netlist,
    PathLength,
    Phase,
    Power,
    Quantity,
    Ratio_dB,
    SettingsGroup,
    composite,
    links,
    part,
    ref,
)

CouplingStep = Annotated[float, Quantity("1", 1e-9, 0.5)]
"""Distance of the couplings that a driver can set; never zero."""
Detuning = Annotated[float, Quantity("Hz", -1e15, 1e15)]
"""Distance in Hz of a resonance, or of a maximum, from the frequency of wl0."""

_TURN = 2.0 * np.pi
_END = 1.0 - 4e-16
_CELL_MODE = STRIP_MODE.changed(ng=4.157)


@dataclass(frozen=True)
class CellSettings(SettingsGroup):
    """Properties of all cells of a programmable mesh, by default those of a SmartLight chip's data sheet.

    Settings:
        length: length of each arm of a cell.
        mode: neff, ng, wl0 and temperature of the arms.
        loss_dB: insertion loss of every path through a cell.
        extinction_dB: ratio of the largest to the smallest power of an output, for bar and cross alike.
        power_pi: electric power of a heater for a phase of pi at wl0.
        coupling_step: step between the couplings that can be set; any coupling by default.
        bandwidth: half-power frequency of the heaters, which the time domain uses.
    """

    length: PathLength = 811.41
    mode: GuidedMode = _CELL_MODE
    loss_dB: Loss_dB = 0.50
    extinction_dB: Ratio_dB = 35.0
    power_pi: SwitchingPower = 1.34e-3
    coupling_step: CouplingStep | None = 0.001
    bandwidth: Bandwidth = 20.0

    def heater(self, phase: Any) -> Instance:
        """Arm of a cell whose heater holds a phase in rad."""
        return part(
            "thermo_optic_shifter", power=self.power_pi * phase / np.pi, power_pi=self.power_pi,
            length=self.length, loss_dB=self.loss_dB, bandwidth=self.bandwidth, **self.mode.settings(),
        )  # fmt: skip

    def uneven(self) -> Any:
        """Power that crosses the first coupler: one that is not even limits bar and cross to the same ratio.

        With x the amplitude of the light that cannot be put out, 1/2 + x/(1 + x**2).
        """
        x = exp(-np.log(10.0) / 20.0 * self.extinction_dB)
        return 0.5 + x / (1.0 + x * x)

    def optical_phase(self) -> Any:
        """Phase in rad of a cold arm at wl0 and 300 K."""
        return _TURN * self.mode.neff * self.length / self.mode.wl0

    def delay(self) -> Any:
        """Group delay of a cell in s."""
        return self.length * self.mode.ng / SPEED_OF_LIGHT_UM_S


CELL = CellSettings()


@composite(ports=("o1", "o2", "o3", "o4"), inputs=2, source="sanchez2025")
def tunable_coupler(*, coupling: Power = 0.5, phase: Phase = np.pi / 2, cell: CellSettings = CELL) -> Netlist:
    """Tunable coupler, the cell of a programmable mesh: an interferometer with a heater on each arm.

    Couplers `split` and `join`, equal arms `top` and `bottom`. The difference of the two heaters' phases,
    arccos(2 held - 1), sets the power that crosses (o1 to o3, o2 to o4), their mean the phase. Without loss
    and with even couplers the waves of (in0, in1) leave (out0, out1) as i exp(i phase + i arm) [[sqrt(1 -
    held), sqrt(held)], [sqrt(held), -sqrt(1 - held)]], arm the phase of a cold arm. `held` is the multiple of
    coupling_step nearest to `coupling`. Each heater holds its phase within a turn, as heaters can. `split` is
    uneven, so that neither bar nor cross can be darker than extinction_dB below the most; held is met to 3e-4
    with 35 dB. The defaults are the typical values of the data sheet of SmartLight, of which the length gives
    11.25 ps. Left out: dependence of the couplers on wavelength and a spread between cells, which are not
    known (the heaters alone change a coupling of 0.5 by 0.3 % over 5.5 nm), heat that reaches other arms,
    reflections.

    Settings:
        coupling: fraction of the power that crosses over.
        phase: mean of both heaters' phases at wl0; at pi/2 any coupling takes a heat of pi in all.
    """
    step = cell.coupling_step
    held = coupling if step is None else nearest(coupling / step) * step
    # At its ends the angle has no slope; within rounding of them it keeps still.
    half = arccos(maximum(minimum(2.0 * symbol("held") - 1.0, _END), -_END)) / 2.0
    return Netlist(
        instances={
            "split": part("coupler", coupling=cell.uneven()),
            "top": cell.heater(mod(phase + half, _TURN)),
            "bottom": cell.heater(mod(phase - half, _TURN)),
            "join": part("coupler", coupling=0.5),
        },
        connections=links("split,o4:top,o1", "top,o2:join,o1", "split,o3:bottom,o1", "bottom,o2:join,o2"),
        settings={"held": held},
        ports={"o1": ref("split,o1"), "o2": ref("split,o2"), "o3": ref("join,o3"), "o4": ref("join,o4")},
        name="tunable_coupler",
    )


@composite(ports=("o1", "o2"), inputs=1, source="tsirigotis2025", aliases={"in": "o1", "drop": "o2"})
def mesh_filter(
    *,
    shape: Literal["ring", "interferometer"] = "ring",
    coupling: Power = 0.3,
    detuning: Detuning = 0.0,
    cell: CellSettings = CELL,
) -> Netlist:
    """Band-pass filter made of the cells of a hexagonal mesh: a ring of six cells, or an interferometer.

    A cell is a `tunable_coupler`. ring: `c0` to `c5` are the cells round one hexagon; light couples in at c0
    and out at c3, both by `coupling`, and the heaters of c1 tune it. A turn takes 67.5 ps (14.8 GHz) and
    costs six cells' loss. interferometer: `c0` divides by `coupling`, one way leads through two cells of a
    hexagon, `s0` and `s1`, the other through four, `l0` to `l3`, `c1` joins them evenly; the ways differ by
    22.5 ps (44.4 GHz) and by two cells' loss, and the heaters of l1 tune it. Either is tuned so that at 300 K
    it passes most at `detuning` from the frequency of wl0. Left out: the way to and from the filter in the
    mesh, and what `tunable_coupler` leaves out.

    Settings:
        shape: ring, or interferometer.
        coupling: fraction of the power that crosses c0, and c3 of a ring.
        detuning: frequency of the nearest maximum minus the frequency of wl0.
    """
    return _ring(coupling, detuning, cell) if shape == "ring" else _interferometer(coupling, detuning, cell)


def _ring(coupling: Any, detuning: Any, cell: CellSettings) -> Netlist:
    # Six cells' bar from o2 to o3, -i each, and five mean phases of pi/2: -1 times i to the fifth.
    own = cell.settings()
    rest = 6.0 * cell.optical_phase() + np.pi + 5.0 * np.pi / 2
    tuned = mod(-rest - _TURN * detuning * 6.0 * cell.delay(), _TURN)
    instances = {f"c{n}": part("tunable_coupler", coupling=0.0, **own) for n in range(6)}
    instances["c1"] = part("tunable_coupler", coupling=0.0, phase=tuned, **own)
    for n in (0, 3):
        instances[f"c{n}"] = part("tunable_coupler", coupling=coupling, **own)
    outside = [f"c{n},{port}" for n in range(6) for port in ("o1", "o4")]
    return Netlist(
        instances=instances,
        connections=links(*(f"c{n},o3:c{(n + 1) % 6},o2" for n in range(6))),
        ports={"o1": ref("c0,o1"), "o2": ref("c3,o4")},
        terminate=tuple(ref(end) for end in outside if end not in {"c0,o1", "c3,o4"}),
        name="mesh_filter",
    )


def _interferometer(coupling: Any, detuning: Any, cell: CellSettings) -> Netlist:
    own = cell.settings()
    # Both ways are made of cells that cross at their ends, i each; the long one passes two more, -i each,
    # and the ends divide the light with i and i, or i and -i.
    names = {"s0": 1.0, "s1": 1.0, "l0": 1.0, "l1": 0.0, "l2": 0.0, "l3": 1.0}
    longer = 2.0 * cell.optical_phase() + np.pi / 2
    tuned = mod(-longer - _TURN * detuning * 2.0 * cell.delay(), _TURN)
    instances = {name: part("tunable_coupler", coupling=held, **own) for name, held in names.items()}
    instances["l1"] = part("tunable_coupler", coupling=0.0, phase=tuned, **own)
    instances["c0"] = part("tunable_coupler", coupling=coupling, **own)
    instances["c1"] = part("tunable_coupler", coupling=0.5, **own)
    wires = ("c0,o4:s0,o1", "s0,o3:s1,o2", "s1,o4:c1,o1", "c0,o3:l0,o2", "l0,o4:l1,o1", "l1,o4:l2,o1",
             "l2,o4:l3,o1", "l3,o3:c1,o2")  # fmt: skip
    used = {end for wire in wires for end in wire.split(":")} | {"c0,o1", "c1,o3"}
    ends = [f"{name},o{k}" for name in instances for k in range(1, 5)]
    return Netlist(
        instances=instances,
        connections=links(*wires),
        ports={"o1": ref("c0,o1"), "o2": ref("c1,o3")},
        terminate=tuple(ref(end) for end in ends if end not in used),
        name="mesh_filter",
    )
