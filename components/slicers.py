"""Spectrum slicers: one waveform, shared by filters that each pass another part of its spectrum."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.components.programmable import CELL, CellSettings, Detuning
from photosim.components.weightbanks import READ_OUT, Electronics
from photosim.model import (
    Bandwidth,
    Instance,
    Netlist,
    PortRef,
    Power,
    Quantity,
    Responsivity,
    composite,
    links,
    part,
    ref,
)

Nodes = Annotated[int, Quantity("1", 1, 64, whole=True)]
"""Number of filters, each with a detector."""
Interferometers = Annotated[int, Quantity("1", 0, 64, whole=True)]
"""Number of the filters that are interferometers."""


@composite(source="tsirigotis2025")
def spectrum_slicer(
    *,
    nodes: Nodes = 7,
    interferometers: Interferometers = 0,
    coupling: Power = 0.3,
    detuning: Detuning = 0.0,
    spacing: Detuning = 2.0e9,
    cell: CellSettings = CELL,
    responsivity: Responsivity = 1.0,
    bandwidth: Bandwidth = 20e9,
    electronics: Electronics = READ_OUT,
) -> Netlist:
    """Spectrum slicer: divides light among filters `node0`, `node1`, ..., each with its own detector.

    e1, e2, ... are the outputs of the nodes. Couplers `tap0`, `tap1`, ... in a chain give every node 1/nodes
    of the power. A node is a `mesh_filter`, ring or, for the last `interferometers` of them, interferometer;
    its maximum lies `spacing` above that of the node before, all of them about `detuning`, unless
    `nodeN.detuning` says otherwise. `detectorN` measures its power. An `adc`, `adcN`, follows if one of its
    settings is given, and a `transimpedance_amplifier`, `tiaN`, between them if a setting of either is given.
    Left out: loss and phase of the distribution, what `mesh_filter` leaves out.

    Settings:
        nodes: number of filters.
        interferometers: number of the last filters that are interferometers, not rings.
        coupling: fraction of the power that crosses the first cell of a filter, and the fourth of a ring.
        detuning: mean frequency of all maxima minus the frequency of wl0.
        spacing: frequency distance of neighbouring maxima.
        responsivity: photocurrent per optical power of the detectors.
        bandwidth: half-power frequency of the detectors.
    """
    own, rings = cell.settings(), nodes - min(interferometers, nodes)
    instances: dict[str, Instance] = {
        f"tap{n}": part("coupler", coupling=1.0 / (nodes - n)) for n in range(nodes - 1)
    }
    wires = [f"tap{n},o4:tap{n + 1},o1" for n in range(nodes - 2)]
    ports: dict[str, PortRef] = {"o1": ref("tap0,o1" if nodes > 1 else "node0,o1")}
    for n in range(nodes):
        place: Any = detuning + (n - (nodes - 1) / 2) * spacing
        shape = "ring" if n < rings else "interferometer"
        instances[f"node{n}"] = part("mesh_filter", shape=shape, coupling=coupling, detuning=place, **own)
        instances[f"detector{n}"] = part("photodetector", responsivity=responsivity, bandwidth=bandwidth)
        wires.append(f"node{n},o2:detector{n},o1")
        read = f"detector{n},e1"
        for name, stage in electronics.instances().items():
            instances[f"{name}{n}"] = stage
            wires.append(f"{read}:{name}{n},e1")
            read = f"{name}{n},e2"
        ports[f"e{n + 1}"] = ref(read)
    wires += [f"tap{n},o3:node{n},o1" for n in range(nodes - 1)]
    wires += [f"tap{nodes - 2},o4:node{nodes - 1},o1"] if nodes > 1 else []
    return Netlist(
        instances=instances,
        connections=links(*wires),
        ports=ports,
        terminate=tuple(ref(f"tap{n},o2") for n in range(nodes - 1)),
        name="spectrum_slicer",
    )
