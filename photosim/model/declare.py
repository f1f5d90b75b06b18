"""What a component is, and the decorators that declare one.

A component is said once, as one plain function. Which decorator it carries
says what the function returns: `component` a formula, `composite` a Netlist,
`detector` responsivities, `source` lines of light, `electronic` a stage,
`network` elements between electrical pins,
`numerical` an array, `block` what acts on a bus of waves in free space,
`nonlinear` the constants of its step in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.model.claims import Symmetries
from photosim.model.elements import Element
from photosim.model.kinds import (
    Block,
    ClosedForm,
    Composite,
    Detector,
    Electronic,
    Entries,
    Memory,
    Network,
    Nonlinear,
    Numerical,
    Reading,
    Remark,
    Source,
    Stage,
    port_names,
)
from photosim.model.netlist import Netlist
from photosim.model.steady import faint
from photosim.model.windows import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@public
def component(  # noqa: PLR0913 - keyword options of a declaration
    *,
    ports: tuple[str, ...],
    source: str,
    inputs: int | None = None,
    aliases: Mapping[str, str] | None = None,
    reciprocal: bool = True,
    lossless_when: Mapping[str, Any] | None = None,
    real_when: Mapping[str, Any] | None = None,
    kramers_kronig_when: Mapping[str, Any] | None = None,
    symmetries: Symmetries | None = None,
    active: bool = False,
    emission: Callable[..., Mapping[str, Any]] | None = None,
    drives: Mapping[str, str] | None = None,
    structural: tuple[str, ...] = (),
    layout: tuple[str, ...] = (),
    windows: tuple[Window, ...] = (),
) -> Callable[[Callable[..., Entries]], ClosedForm]:
    """Declare a closed-form component from one function `f(m, wl, *, setting: Quantity = default, ...)`.

    The function returns the non-zero S-matrix elements by (from, to), of a reciprocal component one of each
    mirrored pair. A port with modes is declared once for each mode, "o1@TE" and "o1@TM", the fundamental one
    first. The laws of `photosim.testing` test the claims below.

    ports: names of the ports.  source: key in sources.bib.  inputs: number of ports on the left, by default
    half of them, rounded up.  aliases: other names of ports.  reciprocal: whether S is symmetric.
    lossless_when: settings at which S is unitary.  real_when: settings at which S(-f) = S*(f).
    kramers_kronig_when: settings at which phase and absorption of a path fulfil the Kramers-Kronig relations.
    symmetries: other orders of the ports in which S is the same, each with the settings at which that holds,
    {("o2", "o1"): {}}.  active: whether the component may create power; any other that does raises
    UnphysicalResult.  emission: function `(m, wl, *, ...)` that returns the light that it emits by itself,
    {port: W/Hz}.  drives: setting behind each electrical input, {"e1": "voltage"}.  structural: settings
    whose elements are left out of the plan while they are zero.  layout: settings that only layouts use.
    windows: ranges of wavelength and settings outside of which a warning says that the model is not valid.
    """
    return partial(
        ClosedForm.declare,
        structural=structural,
        windows=windows,
        ports=ports,
        aliases=port_names(ports, inputs, aliases),
        source=source,
        layout_settings=layout,
        electrical=tuple(drives or ()),
        drives=dict(drives or {}),
        reciprocal=reciprocal,
        lossless_when=lossless_when,
        real_when=real_when,
        kramers_kronig_when=kramers_kronig_when,
        symmetries=dict(symmetries or {}),
        active=active,
        emission_of=emission,
    )


@public
def composite(  # noqa: PLR0913 - keyword options of a declaration
    *,
    source: str,
    ports: tuple[str, ...] = (),
    inputs: int | None = None,
    aliases: Mapping[str, str] | None = None,
    electrical: tuple[str, ...] = (),
    structural: tuple[str, ...] = (),
    layout: tuple[str, ...] = (),
    exclusive: tuple[tuple[str, str], ...] = (),
    symmetries: Symmetries | None = None,
) -> Callable[[Callable[..., Netlist]], Composite]:
    """Declare a composite component from a function of its settings that returns a Netlist.

    Real settings may arrive as expressions: the function may compute with them, but must not branch on them.
    A setting that changes the netlist is `structural`.

    source: key in sources.bib.  ports: its optical ports, by default the exposed ports of the netlist.
    inputs: number of ports on the left.  aliases: other names of ports.  electrical: electrical ports.
    structural: settings that change the netlist.  layout: settings that only layouts use.  exclusive: pairs
    of settings of which at most one may be given.  symmetries: as for `component`.
    """
    return partial(
        Composite.declare,
        structural=structural,
        ports=ports,
        aliases=port_names(ports, inputs, aliases),
        source=source,
        layout_settings=layout,
        electrical=electrical,
        exclusive=exclusive,
        symmetries=dict(symmetries or {}),
    )


@public
def detector(
    *,
    ports: tuple[str, ...],
    electrical: tuple[str, ...],
    source: str,
    aliases: Mapping[str, str] | None = None,
    multiplication: Callable[..., tuple[float, float]] | None = None,
) -> Callable[[Callable[..., dict[str, Any]]], Detector]:
    """Declare a detector from `f(m, wl, *, ...)` that returns {optical port: signed responsivity in A/W}.

    ports: optical ports.  electrical: output ports of the current.  source, aliases: as for `component`.
    multiplication: function `(*, ...)` of an avalanche detector that returns the mean multiplication, which
    the responsivity includes, and the excess noise factor.
    """
    return partial(
        Detector.declare,
        ports=ports,
        aliases=port_names(ports, len(ports), aliases),
        source=source,
        electrical=electrical,
        multiplication_of=multiplication,
    )


@public
def source(
    *, ports: tuple[str, ...], source: str, aliases: Mapping[str, str] | None = None
) -> Callable[[Callable[..., tuple[Any, Any]]], Source]:
    """Declare a light source from `f(*, ...)` that returns (wavelengths in um, powers in W) of its lines.

    ports: ports that the light leaves.  source: key in sources.bib.  aliases: other names of ports.
    """
    return partial(Source.declare, ports=ports, aliases=port_names(ports, 0, aliases), source=source)


@public
def nonlinear(  # noqa: PLR0913 - keyword options of a declaration
    *,
    ports: tuple[str, ...],
    source: str,
    step: Callable[..., None],
    paths: tuple[tuple[str, str], ...] = (),
    emits: tuple[str, ...] = (),
    memory: Memory | None = None,
    start: Callable[..., Any] | None = None,
    line: Callable[..., float] | None = None,
    linear: Callable[..., Mapping[tuple[str, str], Any]] | None = None,
    steady: Callable[..., Any] | None = None,
    drives: Mapping[str, str] | None = None,
    inputs: int | None = None,
    aliases: Mapping[str, str] | None = None,
    windows: tuple[Window, ...] = (),
) -> Callable[[Callable[..., tuple[Any, ...]]], Nonlinear]:
    """Declare a nonlinear component from `f(*, ...)` that returns the constants of its `step`.

    The constants are numbers or arrays (T,). `step(state, before, now, out, constants, carriers, noise, dt)`
    advances the states (S,) by dt seconds, while the arriving waves change from `before` to `now`, complex
    (ports, carriers) in sqrt(W), and writes the leaving waves to `out`. `constants` holds the constants of
    now, followed by those of the middle of the step, which advance the states. `carriers` (C,) are
    frequencies in Hz. `noise` holds standard normal numbers; its length is 0 if noise is off. `step` is plain
    Python that numba compiles. It may call jitted functions of its own file and nothing else.

    ports, source, inputs, aliases, drives, windows: as for `component`.  paths: pairs (from, to) between
    which light passes.  emits: ports where light of its own leaves, at the wavelength that `line(*, ...)`
    returns. memory: of earlier samples.  start: function of the constants that returns the states at rest.
    linear: function `(wl, *, ...)` that returns the S-matrix elements (from, to) for faint light of wl (W,)
    in um in the steady state; a law of `photosim.testing` compares the step with it.  steady: function `(m,
    power, *, ...)` over the algebra m of a `component`: the factor of all paths for constant light, with the
    total power in W where paths begin; it gives `linear`, and circuits with the component can then be
    devices.
    """
    return partial(
        Nonlinear.declare,
        windows=windows,
        ports=ports,
        aliases=port_names(ports, inputs, aliases),
        source=source,
        step=step,
        paths=paths,
        emits=emits,
        memory=memory or Memory(),
        start=start,
        line=line,
        linear=faint(steady, paths) if linear is None and steady is not None else linear,
        steady=steady,
        electrical=tuple(drives or ()),
        drives=dict(drives or {}),
    )


@public
def block(
    *,
    ports: tuple[str, ...],
    buses: tuple[str, ...],
    source: str,
    aliases: Mapping[str, str] | None = None,
    inputs: int | None = None,
) -> Callable[[Callable[..., Any]], Block]:
    """Declare a free-space component from `f(*, ...)` that returns a modulator, medium or camera.

    ports: names of the ports; light enters at the first one.  buses: ports with as many waves as the returned
    object has pixels, inputs or outputs.  source, aliases, inputs: as for `component`.
    """
    return partial(
        Block.declare, ports=ports, aliases=port_names(ports, inputs, aliases), source=source, buses=buses
    )


@public
def electronic(
    *,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    source: str,
    units: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Stage]], Electronic]:
    """Declare an electronic component from `f(*, ...)` that returns the Stage that its signal passes.

    inputs, outputs: names of its ports.  source: key in sources.bib.  units: of each port, by default V.
    """
    return partial(
        Electronic.declare,
        ports=(),
        aliases={},
        source=source,
        electrical=(*inputs, *outputs),
        inputs=inputs,
        outputs=outputs,
        units=dict(units or {}),
    )


@public
def network(
    *,
    pins: tuple[str, ...],
    source: str,
    thermal: tuple[str, ...] = (),
    drives: Mapping[str, str] | None = None,
    reads: Mapping[str, Reading] | None = None,
    windows: tuple[Window, ...] = (),
    judge: Callable[..., tuple[Remark, ...]] | None = None,
    pins_of: Callable[..., tuple[str, ...] | None] | None = None,
) -> Callable[[Callable[..., tuple[Element, ...]]], Network]:
    """Declare a component with electrical pins from `f(*, ...)` that returns elements between pins and nodes.

    `photosim.model.elements` has the elements.

    pins: names of the pins, which belong to nets, where currents add up to zero.  source: key in sources.bib.
    thermal: pins whose quantities are temperature and power.  drives: setting behind each one-way input,
    which a source among the elements follows.  reads: voltages that leave as one-way signals.  windows: as
    for `component`.  judge: function of all settings that returns remarks or raises ParameterError.  pins_of:
    function of the settings that returns the names of the pins, if these depend on settings.
    """
    return partial(
        Network.declare,
        ports=(),
        aliases={},
        source=source,
        electrical=(*pins, *(drives or {}), *(reads or {})),
        drives=dict(drives or {}),
        pins=pins,
        thermal=thermal,
        reads=dict(reads or {}),
        windows=windows,
        judge=judge,
        pins_of=pins_of,
    )


@public
def numerical(  # noqa: PLR0913 - keyword options of a declaration
    *,
    source: str,
    ports: tuple[str, ...] = (),
    ports_of: Callable[..., tuple[str, ...]] | None = None,
    aliases_of: Callable[..., Mapping[str, str]] | None = None,
    structure_of: Callable[..., tuple[tuple[int, int], ...]] | None = None,
    reciprocal: bool = False,
    lossless_when: Mapping[str, Any] | None = None,
    symmetries: Symmetries | None = None,
    judge: Callable[..., tuple[Remark, ...]] | None = None,
    reciprocal_when: Callable[..., bool] | None = None,
    series_of: Callable[..., NDArray[np.complex128]] | None = None,
    windows: tuple[Window, ...] = (),
) -> Callable[[Callable[..., NDArray[np.complex128]]], Numerical]:
    """Declare a component from `f(wl, *, ...)` that returns its S-matrix of shape (W, P, P), [to, from].

    source: key in sources.bib.  ports: names of the ports.  ports_of, aliases_of, structure_of: functions of
    the settings that return ports, aliases and non-zero elements, if these depend on settings.  reciprocal:
    whether S is symmetric; reciprocal_when: function of the settings that says so.  lossless_when, windows,
    symmetries: as for `component`.  judge: function of all settings that returns remarks or raises
    ParameterError. series_of: function `(wl, orders, *, ...)` that returns the Taylor coefficients in
    wavelength, (orders, W, P, P), for group delay and dispersion.
    """
    return partial(
        Numerical.declare,
        windows=windows,
        ports=ports,
        aliases=port_names(ports, None, None),
        source=source,
        reciprocal=reciprocal,
        lossless_when=lossless_when,
        symmetries=dict(symmetries or {}),
        ports_of=ports_of,
        aliases_of=aliases_of,
        structure_of=structure_of,
        judge=judge,
        reciprocal_when=reciprocal_when,
        series_of=series_of,
    )
