"""photosim: a physics-level photonic circuit simulator, and networks trained through its circuits.

    import photosim as ps
    circuit = ps.load("add_drop_ring")
    s = circuit(wl=ps.wavelengths(1.54, 1.56, 2001), ring={"radius": 10.0})
    s["in", "drop"].power_dB

Importing photosim loads numpy at most: each public name brings its module,
and what that needs, when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from photosim.lazy import attach

if TYPE_CHECKING:
    from photosim import analysis, files, gallery, interop, losses, netlist, pdk, signals, testing, training
    from photosim.analysis.budgets import budget
    from photosim.analysis.designs import optimise
    from photosim.analysis.figures import figures
    from photosim.analysis.fits import fit
    from photosim.analysis.link import link
    from photosim.analysis.streams import stream
    from photosim.analysis.sweeps import sweep
    from photosim.analysis.yields import montecarlo
    from photosim.circuit import Circuit, load
    from photosim.errors import (
        DataError,
        NetlistError,
        ParameterError,
        PhotosimError,
        PhotosimWarning,
        SingularCircuit,
        UnphysicalResult,
    )
    from photosim.interop.gdsfactory import from_gdsfactory
    from photosim.model import (
        Instance,
        Netlist,
        block,
        component,
        composite,
        detector,
        electronic,
        links,
        net,
        network,
        nonlinear,
        numerical,
        part,
        ref,
        source,
    )
    from photosim.runner.citation import cite
    from photosim.signals.small_signal import response
    from photosim.smatrix import SMatrix
    from photosim.timedomain import transient, waveforms
    from photosim.units import wavelengths

__version__ = "0.1.0"

_MODULES = (
    "analysis",
    "files",
    "gallery",
    "interop",
    "losses",
    "netlist",
    "pdk",
    "signals",
    "testing",
    "training",
)
_HOMES = {
    **{name: name for name in _MODULES},
    "Circuit": "circuit",
    "load": "circuit",
    "SMatrix": "smatrix",
    "wavelengths": "units",
    "response": "signals.small_signal",
    "transient": "timedomain",
    "waveforms": "timedomain",
    "figures": "analysis.figures",
    "fit": "analysis.fits",
    "link": "analysis.link",
    "budget": "analysis.budgets",
    "optimise": "analysis.designs",
    "stream": "analysis.streams",
    "sweep": "analysis.sweeps",
    "montecarlo": "analysis.yields",
    "cite": "runner.citation",
    "from_gdsfactory": "interop.gdsfactory",
    **dict.fromkeys(("Instance", "Netlist", "part", "ref", "links", "net"), "model"),
    **dict.fromkeys(("block", "component", "composite", "detector", "electronic", "network"), "model"),
    **dict.fromkeys(("nonlinear", "numerical", "source"), "model"),
    **dict.fromkeys(("PhotosimError", "NetlistError", "ParameterError", "DataError"), "errors"),
    **dict.fromkeys(("SingularCircuit", "UnphysicalResult", "PhotosimWarning"), "errors"),
}
__all__ = [
    "Circuit",
    "DataError",
    "Instance",
    "Netlist",
    "NetlistError",
    "ParameterError",
    "PhotosimError",
    "PhotosimWarning",
    "SMatrix",
    "SingularCircuit",
    "UnphysicalResult",
    "analysis",
    "block",
    "budget",
    "cite",
    "component",
    "composite",
    "detector",
    "electronic",
    "figures",
    "files",
    "fit",
    "from_gdsfactory",
    "gallery",
    "interop",
    "link",
    "links",
    "load",
    "losses",
    "montecarlo",
    "net",
    "netlist",
    "network",
    "nonlinear",
    "numerical",
    "optimise",
    "part",
    "pdk",
    "ref",
    "response",
    "signals",
    "source",
    "stream",
    "sweep",
    "testing",
    "training",
    "transient",
    "waveforms",
    "wavelengths",
]


__getattr__, __dir__ = attach(__name__, _HOMES)
