"""Programmable interferometers: Mach-Zehnder blocks, and meshes of them that hold any matrix."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Annotated, Any

from photosim.components.mesh_places import PLACES, Arrangement, dark_guides, reach, warm_pairs
from photosim.components.receivers import Bits
from photosim.components.shifters import driven
from photosim.expressions import symbol
from photosim.model import (
    Instance,
    Loss_dB,
    Netlist,
    Phase,
    PortRef,
    Power,
    Quantity,
    SettingsGroup,
    Wavelength,
    composite,
    links,
    part,
    ref,
)

Modes = Annotated[int, Quantity("1", 2, 256, whole=True)]
"""Number of guides of a mesh; 256 of them make 32 640 blocks."""
HeatShare = Annotated[float, Quantity("1", 0.0, 0.25)]
"""Share of a shifter's phase that each of its four neighbours gets; more than their own would be strange."""


@dataclass(frozen=True)
class BlockSettings(SettingsGroup):
    """What all blocks of a mesh are like.

    Settings:
        coupling: power fraction that crosses the first coupler of a block, and by default the second one.
        coupling_join: power fraction that crosses the second coupler of a block; `coupling` by default.
        loss_dB: insertion loss of every path through a block, half of it in each coupler.
        loss_shifter_dB: additional insertion loss of each phase shifter; guides without one do not have it.
        wl0: wavelength at which the phases are given.
        bits: number of bits of the converters, 2**bits phases in 2 pi; any phase by default.
    """

    coupling: Power = 0.5
    coupling_join: Power | None = None
    loss_dB: Loss_dB = 0.0
    loss_shifter_dB: Loss_dB = 0.0
    wl0: Wavelength = 1.55
    bits: Bits | None = None

    def shifter(self, phase: Any, heat: Any) -> Instance:
        """Phase shifter of a block, or behind the last one."""
        return driven(phase, heat, self.bits, loss_dB=self.loss_shifter_dB, wl0=self.wl0)


_BLOCK = BlockSettings()


@composite(ports=("o1", "o2", "o3", "o4"), inputs=2, source="clements2016")
def mzi_block(
    *,
    theta: Phase = 0.0,
    phi: Phase = 0.0,
    block: BlockSettings = _BLOCK,
    heat_theta: Phase | None = None,
    heat_phi: Phase | None = None,
) -> Netlist:
    """Interferometer, the block of a mesh: shifter `outer` (phi), coupler `split`, `inner` (theta), `join`.

    Both shifters lie on the guide from in0 (o1) to out0 (o4). Without loss and
    with equal couplers the waves of (in0, in1) leave (out0, out1) as
    i exp(i theta/2) [[exp(i phi) s, c], [exp(i phi) c, -s]], s = sin(theta/2), c = cos(theta/2):
    theta = 0 crosses the guides, theta = pi keeps them. Clements et al. 2016, with their 2 theta
    and the phases of physical couplers. With `bits` or heat the shifters are a `driven_shifter` each, which
    holds its phase within a turn. Left out: length and dispersion of the guides, dependence of the
    couplers on wavelength, reflections.

    Settings:
        theta: phase at wl0 between the two couplers, which sets how the power is divided.
        phi: phase at wl0 before the first coupler.
        heat_theta: phase at wl0 that the heat of neighbours adds to theta; none by default.
        heat_phi: phase at wl0 that the heat of neighbours adds to phi.
    """
    join = block.coupling if block.coupling_join is None else block.coupling_join
    return Netlist(
        instances={
            "outer": block.shifter(phi, heat_phi),
            "split": part("coupler", coupling=block.coupling, loss_dB=block.loss_dB / 2),
            "inner": block.shifter(theta, heat_theta),
            "join": part("coupler", coupling=join, loss_dB=block.loss_dB / 2),
        },
        connections=links("outer,o2:split,o1", "split,o4:inner,o1", "inner,o2:join,o1", "split,o3:join,o2"),
        ports={"o1": ref("outer,o1"), "o2": ref("split,o2"), "o3": ref("join,o3"), "o4": ref("join,o4")},
        name="mzi_block",
    )


@composite(source="clements2016")
def clements_mesh(
    *,
    n: Modes = 4,
    block: BlockSettings = _BLOCK,
    crosstalk: HeatShare | None = None,
) -> Netlist:
    """Rectangular (Clements) mesh of n (n - 1)/2 interferometers, which can realise any unitary n x n matrix.

    It has n columns. Block `mC_R` is in column C, counted from the inputs, on guides R and R + 1,
    and has the phases `mC_R.theta` and `mC_R.phi`; shifter `endK` gives
    guide K its output phase, `endK.phase`. All phases are 0 until they are
    set, and guide K then leads to guide n - 1 - K. Light meets n blocks, or
    down to n/2 of them along an edge, so losses distort the matrix little. Inputs o1 to on are
    guides 0 to n - 1, outputs run on clockwise from the last guide. Left out:
    what `mzi_block` leaves out.

    Settings:
        n: number of waveguides, which is the size of the matrix.
        crosstalk: fraction of a shifter's phase that its heat adds to each neighbour; none by default.
    """
    return _mesh("clements", n, crosstalk, block)


@composite(source="reck1994")
def reck_mesh(
    *,
    n: Modes = 4,
    block: BlockSettings = _BLOCK,
    crosstalk: HeatShare | None = None,
) -> Netlist:
    """Triangular (Reck) mesh of n (n - 1)/2 interferometers, which can realise any unitary n x n matrix.

    It has 2n - 3 columns. Names and numbers are those of `clements_mesh`: block `mC_R` in column C on
    guides R and R + 1, output shifters `endK`. Guide n - 1 meets one block
    and guide 0 n - 1 of them, so loss distorts the matrix. Left
    out: what `mzi_block` leaves out.

    Settings:
        n: number of waveguides, which is the size of the matrix.
        crosstalk: fraction of a shifter's phase that its heat adds to each neighbour; none by default.
    """
    return _mesh("reck", n, crosstalk, block)


@composite(source="shokraneh2020")
def diamond_mesh(
    *,
    n: Modes = 4,
    block: BlockSettings = _BLOCK,
    crosstalk: HeatShare | None = None,
) -> Netlist:
    """Diamond mesh of (n - 1)^2 interferometers on 2n - 2 guides: a triangular mesh and its mirror image.

    The mirror image lies beyond guide 0. Names are those of `clements_mesh`, but block `mC_R` joins guides R
    and R + 1 of all 2n - 2, of which the last n are those of the ports. Blocks of the mirrored half keep
    their guides (theta = pi) while the triangle holds a unitary; imperfect blocks divert light to unused
    outputs, where it is lost. Left out: all that `mzi_block` leaves out, and detectors at the ends of the
    other guides.

    Settings:
        n: number of waveguides with ports, which is the size of the matrix.
        crosstalk: fraction of a shifter's phase that its heat adds to each neighbour; none by default.
    """
    return _mesh("diamond", n, crosstalk, block)


@composite(source="cooley1965")
def butterfly_mesh(
    *,
    n: Modes = 4,
    block: BlockSettings = _BLOCK,
    crosstalk: HeatShare | None = None,
) -> Netlist:
    """Butterfly mesh: interferometers between guides 1, 2, 4, ... apart, as in a fast Fourier transform.

    log2(n) columns of n/2 blocks, rounded up: far fewer than a unitary has parameters, so that such a mesh
    holds some unitaries only and is trained rather than programmed. Named and numbered as `clements_mesh`,
    but block `mC_R` joins guides R and R + 2^C. Where n is not a power of two some guides have no
    partner in a column, and some inputs no way to some outputs. Left out: crossings of the
    guides between blocks, what `mzi_block` leaves out.

    Settings:
        n: number of waveguides, which is the size of the matrix.
        crosstalk: fraction of a shifter's phase that its heat adds to each neighbour; none by default.
    """
    return _mesh("butterfly", n, crosstalk, block)


@composite(source="shen2017")
def svd_mesh(
    *,
    n: Modes = 4,
    arrangement: Arrangement = "clements",
    block: BlockSettings = _BLOCK,
    crosstalk: HeatShare | None = None,
) -> Netlist:
    """Two meshes, `v` and `u`, with an attenuator on each guide between them: any matrix of norm 1 or less.

    The attenuators `a0`, `a1`, ... are blocks as those of the meshes, of which in1 is dark and out1
    absorbed: they pass the amplitude i exp(i (theta/2 + phi)) sin(theta/2). A singular value
    decomposition U diag(a) V^H gives the settings of all three. Left out: what
    `mzi_block` leaves out.

    Settings:
        n: number of waveguides, which is the size of the matrix.
        arrangement: arrangement of the interferometers of both meshes.
        crosstalk: fraction of a shifter's phase that its heat adds to each neighbour; none by default.
    """
    mesh = part(f"{arrangement}_mesh", n=n, crosstalk=crosstalk, **block.settings())
    attenuator = part("mzi_block", **block.settings())
    wires = [wire for k in range(n) for wire in (f"v,out{k}:a{k},in0", f"a{k},out0:u,in{k}")]
    return Netlist(
        instances={"v": mesh, **{f"a{k}": attenuator for k in range(n)}, "u": mesh},
        connections=links(*wires),
        ports=_clockwise([ref(f"v,in{k}") for k in range(n)], [ref(f"u,out{k}") for k in range(n)]),
        terminate=tuple(ref(f"a{k},{port}") for k in range(n) for port in ("in1", "out1")),
        name="svd_mesh",
    )


def _mesh(arrangement: str, n: int, crosstalk: Any, block: BlockSettings) -> Netlist:
    """Netlist of blocks at their places, joined in the order in which light meets them, and end shifters."""
    places, dark = PLACES[arrangement](n), dark_guides(arrangement, n)
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
    heat = {} if crosstalk is None else _heat(arrangement, n, crosstalk)
    blocks = {
        name: part(
            "mzi_block",
            **block.settings(),
            heat_theta=heat.get(f"{name}.inner"),
            heat_phi=heat.get(f"{name}.outer"),
        )
        for name in (f"m{column}_{mode}" for column, mode in places)
    }
    ends = {f"end{k}": block.shifter(0.0, heat.get(f"end{k}")) for k in range(n)}
    return Netlist(
        instances={**blocks, **ends},
        connections=tuple(wires),
        ports=_clockwise([first[dark + k] for k in range(n)], [(f"end{k}", "o2") for k in range(n)]),
        terminate=tuple(side[guide] for guide in range(dark) for side in (first, last)),
        name=f"{arrangement}_mesh",
    )


def _heat(arrangement: str, n: int, crosstalk: Any) -> dict[str, Any]:
    """Phase that each shifter, by name, gets of what its neighbours' drivers hold."""
    held: defaultdict[str, Any] = defaultdict(float)
    for one, other in warm_pairs(arrangement, n):
        held[one] += symbol(f"{other}.held")
        held[other] += symbol(f"{one}.held")
    return {name: crosstalk * phases for name, phases in held.items()}


def _clockwise(inputs: list[PortRef], outputs: list[PortRef]) -> dict[str, PortRef]:
    """Ports o1, o2, ... of inputs from below and outputs from above, both given by guide."""
    return {f"o{k}": port for k, port in enumerate([*inputs, *reversed(outputs)], 1)}
