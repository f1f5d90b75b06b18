"""SAX models as components, and circuits as SAX models.

Both count time as exp(-i omega t) and name an element from-to, so values pass as they are. SAX is the extra
`photosim[sax]`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from photosim.engine.bindings import TEMPERATURE, Scoped, owner, steps
from photosim.errors import ParameterError, listing
from photosim.model import Numerical, registry
from photosim.model.parameters import Parameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

SaxModel: TypeAlias = Callable[..., Any]


def _sax() -> Any:
    try:
        import sax
    except ImportError:
        message = "SAX models need SAX itself: pip install 'photosim[sax]'."
        raise ParameterError(message) from None
    return sax


def component(model: SaxModel, *, name: str | None = None) -> Numerical:
    """Register a SAX model function as a component and return it.

    Its settings are the model's numbers, without bounds, for SAX has none; whatever else the model takes
    (flags, texts, the nested settings of a circuit) keeps its default. Its ports are the model's. It has no
    derivative by its settings. Raises ParameterError if the argument is not a SAX
    model, or the name is taken.
    """
    sax = _sax()
    try:
        s = sax.sdict(model())
        ports = tuple(sax.get_ports(s))
    # A function of somebody else fails as it likes.
    except Exception as error:
        message = f"{getattr(model, '__name__', model)!r} is not a SAX model: {error}."
        raise ParameterError(message) from error
    index = {port: k for k, port in enumerate(ports)}
    structure = tuple(sorted((index[b], index[a]) for a, b in s))
    keys = {(index[b], index[a]): (a, b) for a, b in s}

    def evaluate(wl: NDArray[np.float64], **settings: Any) -> NDArray[np.complex128]:
        found = sax.sdict(model(wl=wl, **settings))
        out = np.zeros((wl.size, len(ports), len(ports)), dtype=np.complex128)
        for (to, source), key in keys.items():
            out[:, to, source] = np.asarray(found[key])
        return out

    evaluate.__name__ = evaluate.__qualname__ = name or model.__name__
    evaluate.__module__ = model.__module__ or "__main__"
    evaluate.__doc__ = inspect.getdoc(model) or f"SAX model {model.__name__}."
    reciprocal = all((b, a) in s and np.array_equal(s[b, a], value) for (a, b), value in s.items())
    source = f"SAX model {evaluate.__module__}.{model.__name__}"
    found = Numerical(
        evaluate.__name__, evaluate, ports, {}, _parameters(model), source,
        reciprocal=reciprocal, structure_of=lambda **_: structure,
    )  # fmt: skip
    registry.register(found)
    return found


def _parameters(model: SaxModel) -> dict[str, Parameter]:
    """Return the numbers that a model takes, beside its wavelength."""
    found = {}
    for key, argument in inspect.signature(model).parameters.items():
        default = argument.default
        if key == "wl" or isinstance(default, bool | str | Mapping) or default is inspect.Parameter.empty:
            continue
        if np.ndim(default) == 0 and np.asarray(default).dtype.kind in "iuf":
            text = f"setting {key!r} of the SAX model."
            found[key] = Parameter(key, float(default), "1", -np.inf, np.inf, text, "real", structural=False)
    return found


def model(circuit: Circuit) -> SaxModel:
    """Return a circuit as a SAX model: `model(wl=1.55, ring={"radius": 10.0})` gives an SDict over its ports.

    It runs inside jax.jit, and jax.grad by its settings is exact. Settings are numbers, wl is a number or an
    array (W,). A gradient by wl is nan: it is not computed.
    """
    _sax()
    import jax
    import jax.numpy as jnp

    ports = circuit.ports

    def shape(wl: Any) -> tuple[int, ...]:
        if np.ndim(wl) > 1:
            message = f"wl must be a number or one axis of wavelengths, got shape {np.shape(wl)}."
            raise ParameterError(message)
        return (*np.shape(wl), len(ports), len(ports))

    def forward(names: tuple[str, ...], wl: Any, values: tuple[Any, ...]) -> Any:
        result = jax.ShapeDtypeStruct(shape(wl), jnp.complex128)
        return jax.pure_callback(lambda w, v: _solve(circuit, names, w, v), result, wl, values)

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def solved(wl: Any, values: dict[str, Any]) -> Any:
        return forward(tuple(values), wl, tuple(values.values()))

    def keep(wl: Any, values: dict[str, Any]) -> Any:
        return solved(wl, values), (wl, values)

    def back(kept: Any, cotangent: Any) -> Any:
        wl, values = kept
        names = tuple(values)
        result = tuple(jax.ShapeDtypeStruct((), jnp.float64) for _ in names)
        slopes = jax.pure_callback(
            lambda w, v, c: _pull(circuit, names, w, v, c), result, wl, tuple(values.values()), cotangent
        )
        return jnp.full(jnp.shape(wl), jnp.nan), dict(zip(names, slopes, strict=True))

    solved.defvjp(keep, back)

    def sax_model(*, wl: Any = 1.55, **settings: Any) -> dict[tuple[str, str], Any]:
        flat = _flat(settings)
        wrong = [name for name, value in flat.items() if np.ndim(value)]
        if wrong:
            message = (
                f"A SAX model of a circuit takes numbers, but these settings are arrays: {listing(wrong)}."
            )
            raise ParameterError(message)
        values = {name: jnp.asarray(value, dtype=jnp.float64) for name, value in flat.items()}
        s = solved(jnp.asarray(wl, dtype=jnp.float64), values)
        return {(a, b): s[..., j, i] for i, a in enumerate(ports) for j, b in enumerate(ports)}

    sax_model.__name__ = sax_model.__qualname__ = circuit.name if circuit.name.isidentifier() else "circuit"
    sax_model.__doc__ = f"{circuit!r} as a SAX model."
    sax_model.__signature__ = _signature(circuit)  # type: ignore[attr-defined]
    return sax_model


def _solve(circuit: Circuit, names: tuple[str, ...], wl: Any, values: Any) -> NDArray[np.complex128]:
    s = circuit(np.asarray(wl, dtype=np.float64), **_named(names, values)).values
    return s if np.ndim(wl) else s[0]


def _pull(circuit: Circuit, names: tuple[str, ...], wl: Any, values: Any, cotangent: Any) -> tuple[Any, ...]:
    """Return the derivative by each setting; jax gives dL/dRe - i dL/dIm, pull takes the conjugate."""
    if not names:
        return ()
    grid = np.asarray(wl, dtype=np.float64)
    s, pull = circuit.pullback(grid, circuit.ports, circuit.ports, names, **_named(names, values))
    slopes = pull(np.conj(np.asarray(cotangent)).reshape(s.shape))
    return tuple(np.asarray(slopes[name].sum(), dtype=np.float64) for name in names)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by dotted name."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def _named(names: tuple[str, ...], values: Any) -> dict[str, Any]:
    """Return values by dotted name, as a call of the circuit takes them."""
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def _nested(values: Mapping[str, float]) -> dict[str, Any]:
    """Return values by dotted name as nested settings."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = steps(name)
        table = found
        for step in path:
            table = table.setdefault(step, {})
        table[last] = value
    return found


def _signature(circuit: Circuit) -> inspect.Signature:
    """Return the signature that SAX reads: wl and every free setting that is a number, nested as instances.

    SAX hands all of them back in each call. One that follows another, by an expression or as the temperature
    of a part, must not be among them: it would stop to follow.
    """
    bound = circuit.graph.bindings.bound
    numbers = {
        name: float(value)
        for name, value in circuit.parameters.items()
        if type(value) in {int, float}
        and name not in circuit.graph.structural
        and not isinstance(bound.get(name), Scoped)
        and (name in bound or owner(name)[1] != TEMPERATURE)
    }
    # An instance called wl, or one of an array, cannot be an argument; its settings keep their values.
    named = {key: value for key, value in _nested(numbers).items() if key.isidentifier() and key != "wl"}
    kind = inspect.Parameter.KEYWORD_ONLY
    arguments = {"wl": 1.55, **named}
    return inspect.Signature(
        [inspect.Parameter(key, kind, default=value) for key, value in arguments.items()]
    )
