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

    The function returns its non-zero S-matrix elements by (from, to); a reciprocal part gives one of each
    mirrored pair. A port that carries modes is declared once for each, "o1@TE" and "o1@TM", the fundamental
    one first. `inputs` is the number of ports on the left (all but half of them, rounded down, by default).
    `lossless_when` holds the settings at which it is unitary, `real_when` those at which S(-f) = S*(f), as
    for a response that is real in time, `kramers_kronig_when` those at which phase and absorption of a path
    follow from each other. `symmetries` holds other orders of the ports in which the part is the same again,
    each with the settings at which that holds, {("o2", "o1"): {}}. The laws of `photosim.testing` hold a part
    to these claims. An `active` part may create power, any other is refused where it does. `emission(m, wl,
    *, ...)` says what light it emits by itself, {port: W/Hz}. `drives` names the setting behind each
    electrical input, {"e1": "voltage"}. While a `structural` setting is zero, the elements that vanish with
    it are left out of the plan. `source` is a key in sources.bib. Outside of its `windows` a model computes
    and a warning says so; those of its groups of settings join its own.
    `aliases` are other names of ports; `layout` names settings that only layouts use.
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

    Without `ports` the exposed ports of the netlist count. Real settings may
    arrive as expressions, so the function computes with them but must not
    branch on them; a setting that shapes the netlist is `structural`.
    `exclusive` holds pairs of settings of which at most one may be given; `symmetries` as for `component`.

    source: key in sources.bib.  inputs: number of ports on the left.  aliases: other names of ports.
    electrical: ports of metal.  layout: settings that only layouts use.
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

    `multiplication(*, ...)` returns the mean multiplication and the excess
    noise factor of an avalanche; the responsivity includes the former.

    ports: optical ports.  electrical: output ports of the current.  source: key in sources.bib.
    aliases: other names of ports.
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

    ports: where the light leaves.  aliases: other names of ports.
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
    """Declare a nonlinear part from `f(*, ...)` that returns the constants of its `step`, numbers or (T,).

    `step(state, before, now, out, constants, carriers, noise, dt)` carries the states (S,) over dt seconds
    while the waves that arrive go from `before` to `now`, complex (ports, carriers) in sqrt(W), and fills
    `out` with those that leave. `constants` holds those of now and behind them those of the middle of the
    step, by which states go on. `carriers` (C,) are frequencies in Hz; `noise` standard normal numbers, or of
    length 0 where noise is off. It is plain Python that numba compiles: it may call jitted functions of its
    own file and nothing else. `paths` are the ways of light through the part, (from, to); `emits` the ports
    that light of its own leaves, at the wavelength that `line(*, ...)` returns. `start(*constants)` returns
    the states at rest. `linear(wl, *, ...)` returns the elements (from, to) of the S-matrix that faint light
    of wl (W,) in um meets once the part has settled; the laws of `photosim.testing` hold the step to it.
    `steady(m, power, *, ...)`, over the algebra m of a `component`, returns the factor on all paths for light
    that stays as it is, power in W that of all light where paths begin; it gives `linear`, and circuits with
    the part are devices. `drives`, `windows` as for `component`.

    source: key in sources.bib.  memory: of earlier samples.  inputs: number of ports on the left.
    aliases: other names of ports.
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
    """Declare a part of free space from `f(*, ...)` that returns a modulator, medium or camera.

    `buses` are the ports that carry as many waves as what is returned has pixels, inputs or outputs; the
    first port is where light comes in. `source` is a key in sources.bib, `aliases` are other names of ports.
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
    """Declare a part of the electronics from `f(*, ...)` that returns the Stage a signal passes in it.

    `units` has the unit of the signal at each port, V where it is left out.
    `inputs` and `outputs` are its ports, `source` is a key in sources.bib.
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

    `pins` stand in nets, where currents add up to zero; those that are `thermal` carry temperature and power.
    `drives` names the setting behind each one-way input, which a source among the elements follows, and
    `reads` the voltages that leave as one-way signals. `judge` sees all settings together: it returns remarks
    or raises ParameterError. `pins_of` returns the names of the pins, for parts of which the
    settings decide it. `photosim.model.elements` has the elements. `windows` as for `component`.
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

    `ports_of`, `aliases_of` and `structure_of` are functions of the settings, for parts whose number of ports
    is a setting. `judge` sees all settings together: it returns remarks or raises ParameterError.
    `reciprocal_when` says for which settings the part is reciprocal, where that depends. `series_of(wl,
    orders, *, ...)` gives the Taylor coefficients in wavelength, (orders, W, P, P), which group delay and
    dispersion need. `windows` and `symmetries` as for `component`.
    `source` is a key in sources.bib, `lossless_when` as for `component`.
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
