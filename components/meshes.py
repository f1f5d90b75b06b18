"""Programmable interferometers: Mach-Zehnder blocks, and meshes of them that hold any matrix."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from photosim.model import Instance, Netlist, PortRef, composite, links, part, ref
from photosim.quantities import Loss_dB, Phase, Power, Quantity, Wavelength

Modes = Annotated[int, Quantity("1", 2, 256, whole=True)]
"""Number of guides of a mesh; 256 of them make 32 640 blocks."""
Arrangement = Literal["clements", "reck", "diamond", "butterfly"]
"""Layout of the blocks of a mesh: a rectangle, a triangle, a rhombus, or that of a fast Fourier transform."""

Place = tuple[int, int]
"""Column of a block, counted from the inputs, and the first of the two guides that it joins."""


def clements_places(n: int) -> tuple[Place, ...]:
    """Places of a rectangular mesh: n columns, even ones start at guide 0 and odd ones at guide 1."""
    return tuple((column, mode) for column in range(n) for mode in range(column % 2, n - 1, 2))


def reck_places(n: int) -> tuple[Place, ...]:
    """Places of a triangular mesh: 2n - 3 columns, those at guide m from column m on."""
    return tuple(
        (column, mode)
        for column in range(2 * n - 3)
        for mode in range(column % 2, min(column, 2 * n - 4 - column) + 1, 2)
    )


def diamond_places(n: int) -> tuple[Place, ...]:
    """Places of a rhombus on 2n - 2 guides: the triangle on the last n of them, and its mirror image."""
    return tuple(
        (column, n - 2 + mode)
        for column in range(2 * n - 3)
        for mode in range(-min(column, 2 * n - 4 - column), min(column, 2 * n - 4 - column) + 1, 2)
    )


def butterfly_places(n: int) -> tuple[Place, ...]:
    """Places of columns that join guides 1, 2, 4, ... apart; a guide without partner passes by."""
    return tuple(
        (column, mode)
        for column in range((n - 1).bit_length())
        for mode in range(n - 2**column)
        if mode >> column & 1 == 0
    )


def reach(arrangement: str, column: int) -> int:
    """Distance of the two guides that a block of a column joins."""
    return 2**column if arrangement == "butterfly" else 1


def dark_guides(arrangement: str, n: int) -> int:
    """Number of guides before the first input of a mesh of n, which are dark unless light strays there."""
    return n - 2 if arrangement == "diamond" else 0


PLACES = {
    "clements": clements_places,
    "reck": reck_places,
    "diamond": diamond_places,
    "butterfly": butterfly_places,
}
"""Places of an arrangement by its name, in the order in which light meets the blocks."""


@composite(ports=("o1", "o2", "o3", "o4"), inputs=2, source="clements2016")
def mzi_block(
    *,
    theta: Phase = 0.0,
    phi: Phase = 0.0,
    coupling: Power = 0.5,
    coupling_join: Power | None = None,
    loss_dB: Loss_dB = 0.0,
    loss_shifter_dB: Loss_dB = 0.0,
    wl0: Wavelength = 1.55,
) -> Netlist:
    """Block of a mesh: shifter `outer` (phi), coupler `split`, shifter `inner` (theta), coupler `join`.

    Both shifters lie on the guide from in0 (o1) to out0 (o4). Without loss and
    with equal couplers the waves of (in0, in1) leave (out0, out1) as
    i exp(i theta/2) [[exp(i phi) s, c], [exp(i phi) c, -s]], s = sin(theta/2), c = cos(theta/2):
    theta = 0 crosses the guides, theta = pi keeps them. Clements et al. 2016, with their 2 theta
    and the phases of physical couplers. Left out: length and dispersion
    of the guides, dependence of the couplers on wavelength, heat that
    reaches neighbouring shifters, reflections.

    Settings:
        theta: internal phase at wl0, which sets how the power is divided.
        phi: external phase at wl0, ahead of the first coupler.
        coupling: power that crosses the first coupler, and the second one unless that is given.
        coupling_join: power that crosses the second coupler; like coupling if left out.
        loss_dB: insertion loss of every path, half of it in each coupler.
        loss_shifter_dB: insertion loss of each phase shifter; the other guides do not have it.
        wl0: wavelength at which the phases are given.
    """
    join = coupling if coupling_join is None else coupling_join
    return Netlist(
        instances={
            "outer": part("phase_shifter", phase=phi, loss_dB=loss_shifter_dB, wl0=wl0),
            "split": part("coupler", coupling=coupling, loss_dB=loss_dB / 2),
            "inner": part("phase_shifter", phase=theta, loss_dB=loss_shifter_dB, wl0=wl0),
            "join": part("coupler", coupling=join, loss_dB=loss_dB / 2),
        },
        connections=links("outer,o2:split,o1", "split,o4:inner,o1", "inner,o2:join,o1", "split,o3:join,o2"),
        ports={"o1": ref("outer,o1"), "o2": ref("split,o2"), "o3": ref("join,o3"), "o4": ref("join,o4")},
        name="mzi_block",
    )


@composite(source="clements2016")
def clements_mesh(
    *,
    n: Modes = 4,
    coupling: Power = 0.5,
    coupling_join: Power | None = None,
    loss_dB: Loss_dB = 0.0,
    loss_shifter_dB: Loss_dB = 0.0,
    wl0: Wavelength = 1.55,
) -> Netlist:
    """Rectangular mesh of n (n - 1)/2 blocks in n columns, which holds any unitary matrix of n guides.

    Block `mC_R` stands in column C, counted from the inputs, on guides R and R + 1,
    and has the phases `mC_R.theta` and `mC_R.phi`; shifter `endK` gives
    guide K its output phase, `endK.phase`. All phases are 0 until they are
    set, and guide K then leads to guide n - 1 - K. Light meets n blocks, or
    down to n/2 of them along an edge, so losses distort the matrix little. Inputs o1 to on are
    guides 0 to n - 1, outputs run on clockwise from the last guide. Left out:
    what `mzi_block` leaves out.

    Settings:
        n: number of guides.
        coupling: power that crosses the first coupler of a block, and the second one unless that is given.
        coupling_join: power that crosses the second coupler of a block; like coupling if left out.
        loss_dB: insertion loss of every path through a block.
        loss_shifter_dB: insertion loss of each phase shifter.
        wl0: wavelength at which the phases are given.
    """
    block = part(
        "mzi_block", coupling=coupling, coupling_join=coupling_join, loss_dB=loss_dB,
        loss_shifter_dB=loss_shifter_dB, wl0=wl0,
    )  # fmt: skip
    return _mesh("clements", n, block)


@composite(source="reck1994")
def reck_mesh(
    *,
    n: Modes = 4,
    coupling: Power = 0.5,
    coupling_join: Power | None = None,
    loss_dB: Loss_dB = 0.0,
    loss_shifter_dB: Loss_dB = 0.0,
    wl0: Wavelength = 1.55,
) -> Netlist:
    """Triangular mesh of n (n - 1)/2 blocks in 2n - 3 columns, which holds any unitary matrix of n guides.

    Named and numbered as `clements_mesh`: block `mC_R` in column C on
    guides R and R + 1, output shifters `endK`. Guide n - 1 meets one block
    and guide 0 n - 1 of them, so loss distorts the matrix. Left
    out: what `mzi_block` leaves out.

    Settings:
        n: number of guides.
        coupling: power that crosses the first coupler of a block, and the second one unless that is given.
        coupling_join: power that crosses the second coupler of a block; like coupling if left out.
        loss_dB: insertion loss of every path through a block.
        loss_shifter_dB: insertion loss of each phase shifter.
        wl0: wavelength at which the phases are given.
    """
    block = part(
        "mzi_block", coupling=coupling, coupling_join=coupling_join, loss_dB=loss_dB,
        loss_shifter_dB=loss_shifter_dB, wl0=wl0,
    )  # fmt: skip
    return _mesh("reck", n, block)


@composite(source="shokraneh2020")
def diamond_mesh(
    *,
    n: Modes = 4,
    coupling: Power = 0.5,
    coupling_join: Power | None = None,
    loss_dB: Loss_dB = 0.0,
    loss_shifter_dB: Loss_dB = 0.0,
    wl0: Wavelength = 1.55,
) -> Netlist:
    """Rhombus of (n - 1)^2 blocks on 2n - 2 guides: a triangular mesh and its mirror image beyond guide 0.

    Named and numbered as `clements_mesh`, but block `mC_R` joins guides R and R + 1 of all 2n - 2, of which
    the last n are those of the ports. Blocks of the mirrored half keep their guides (theta = pi) while the
    triangle holds a unitary; light that they take in errs out at ends that are not looked at. Left out: what
    `mzi_block` leaves out, detectors at the ends of the other guides.

    Settings:
        n: number of guides with ports.
        coupling: power that crosses the first coupler of a block, and the second one unless that is given.
        coupling_join: power that crosses the second coupler of a block; like coupling if left out.
        loss_dB: insertion loss of every path through a block.
        loss_shifter_dB: insertion loss of each phase shifter.
        wl0: wavelength at which the phases are given.
    """
    block = part(
        "mzi_block", coupling=coupling, coupling_join=coupling_join, loss_dB=loss_dB,
        loss_shifter_dB=loss_shifter_dB, wl0=wl0,
    )  # fmt: skip
    return _mesh("diamond", n, block)


@composite(source="cooley1965")
def butterfly_mesh(
    *,
    n: Modes = 4,
    coupling: Power = 0.5,
    coupling_join: Power | None = None,
    loss_dB: Loss_dB = 0.0,
    loss_shifter_dB: Loss_dB = 0.0,
    wl0: Wavelength = 1.55,
) -> Netlist:
    """Columns of blocks that join guides 1, 2, 4, ... apart, as a fast Fourier transform does.

    log2(n) columns of n/2 blocks, rounded up: far fewer than a unitary has parameters, so that such a mesh
    holds some unitaries only and is trained rather than programmed. Named and numbered as `clements_mesh`,
    but block `mC_R` joins guides R and R + 2^C. Where n is no power of two some guides have no
    partner in a column, and some inputs no way to some outputs. Left out: crossings of the
    guides between blocks, what `mzi_block` leaves out.

    Settings:
        n: number of guides.
        coupling: power that crosses the first coupler of a block, and the second one unless that is given.
        coupling_join: power that crosses the second coupler of a block; like coupling if left out.
        loss_dB: insertion loss of every path through a block.
        loss_shifter_dB: insertion loss of each phase shifter.
        wl0: wavelength at which the phases are given.
    """
    block = part(
        "mzi_block", coupling=coupling, coupling_join=coupling_join, loss_dB=loss_dB,
        loss_shifter_dB=loss_shifter_dB, wl0=wl0,
    )  # fmt: skip
    return _mesh("butterfly", n, block)


@composite(source="shen2017")
def svd_mesh(
    *,
    n: Modes = 4,
    arrangement: Arrangement = "clements",
    coupling: Power = 0.5,
    coupling_join: Power | None = None,
    loss_dB: Loss_dB = 0.0,
    loss_shifter_dB: Loss_dB = 0.0,
    wl0: Wavelength = 1.55,
) -> Netlist:
    """Two meshes, `v` and then `u`, with an attenuator on each guide between: any matrix of norm 1 or less.

    The attenuators `a0`, `a1`, ... are blocks as those of the meshes, of which in1 is dark and out1
    absorbed: they pass the amplitude i exp(i (theta/2 + phi)) sin(theta/2). A singular value
    decomposition U diag(a) V^H gives the settings of all three. Left out: what
    `mzi_block` leaves out.

    Settings:
        n: number of guides.
        arrangement: of the blocks of both meshes.
        coupling: power that crosses the first coupler of a block, and the second one unless that is given.
        coupling_join: power that crosses the second coupler of a block; like coupling if left out.
        loss_dB: insertion loss of every path through a block.
        loss_shifter_dB: insertion loss of each phase shifter.
        wl0: wavelength at which the phases are given.
    """
    settings: dict[str, Any] = {
        "coupling": coupling, "coupling_join": coupling_join, "loss_dB": loss_dB,
        "loss_shifter_dB": loss_shifter_dB, "wl0": wl0,
    }  # fmt: skip
    mesh, attenuator = part(f"{arrangement}_mesh", n=n, **settings), part("mzi_block", **settings)
    wires = [wire for k in range(n) for wire in (f"v,out{k}:a{k},in0", f"a{k},out0:u,in{k}")]
    return Netlist(
        instances={"v": mesh, **{f"a{k}": attenuator for k in range(n)}, "u": mesh},
        connections=links(*wires),
        ports=_clockwise([ref(f"v,in{k}") for k in range(n)], [ref(f"u,out{k}") for k in range(n)]),
        terminate=tuple(ref(f"a{k},{port}") for k in range(n) for port in ("in1", "out1")),
        name="svd_mesh",
    )


def _mesh(arrangement: str, n: int, block: Instance) -> Netlist:
    """Netlist of blocks at their places, joined in the order in which light meets them, and end shifters."""
    places, dark = PLACES[arrangement](n), dark_guides(arrangement, n)
    shifter = part("phase_shifter", loss_dB=block.settings["loss_shifter_dB"], wl0=block.settings["wl0"])
    first: dict[int, PortRef] = {}
    last: dict[int, PortRef] = {}
    wires: list[tuple[PortRef, PortRef]] = []
    for column, mode in places:
        for side in (0, 1):
            guide = mode + side * reach(arrangement, column)
            arriving = (f"m{column}_{mode}", f"in{side}")
            if guide in last:
                wires.append((last[guide], arriving))
            first.setdefault(guide, arriving)
            last[guide] = (f"m{column}_{mode}", f"out{side}")
    wires += [(last[dark + k], (f"end{k}", "o1")) for k in range(n)]
    return Netlist(
        instances={
            **{f"m{column}_{mode}": block for column, mode in places},
            **{f"end{k}": shifter for k in range(n)},
        },
        connections=tuple(wires),
        ports=_clockwise([first[dark + k] for k in range(n)], [(f"end{k}", "o2") for k in range(n)]),
        terminate=tuple(side[guide] for guide in range(dark) for side in (first, last)),
        name=f"{arrangement}_mesh",
    )


def _clockwise(inputs: list[PortRef], outputs: list[PortRef]) -> dict[str, PortRef]:
    """Ports o1, o2, ... of inputs from below and outputs from above, both given by guide."""
    return {f"o{k}": port for k, port in enumerate([*inputs, *reversed(outputs)], 1)}
