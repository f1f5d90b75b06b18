"""Circuits as functions of JAX, for jit, grad and vmap; needs the extra, as in `pip install 'photosim[jax]'`.

JAX gives the gradient by complex numbers as dL/dRe - i dL/dIm, the conjugate of photosim's and PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.interop.passing import CircuitPass, Output

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from photosim.circuit import Circuit


class CircuitFunction:
    """A circuit as f(values, x): settings (P,) and fields x (..., inputs) in sqrt(W) to (..., outputs).

    inputs: ports of the circuit, or waves "inst,port".  outputs: the same, or detectors for "current".
    parameters: settings to learn, by dotted name, with `*` for any part of one; `names` are those found, and
    `start` (P,) their values.  wl: wavelengths (W,) in um; an array puts an axis W before the last one of the
    outputs, and x may have it too.  output: complex fields in sqrt(W), powers in W, or mean photocurrents in
    A. Other keywords are settings of the circuit, as in a call.

    Runs inside jax.jit, jax.grad and jax.vmap; gradients are exact, in reverse mode and of first order. A
    value beyond a setting's bounds acts as the bound. Computed in double; without JAX's 64 bit mode
    (`jax.config.update("jax_enable_x64", True)`) results are given in single precision.
    Raises ParameterError where JAX is missing, and for names that do not exist.
    """

    def __init__(
        self,
        circuit: Circuit,
        inputs: Sequence[str],
        outputs: Sequence[str],
        parameters: Sequence[str] = (),
        *,
        wl: ArrayLike,
        output: Output = "field",
        **settings: Any,
    ) -> None:
        self._jax = _jax()
        self.passing = CircuitPass(circuit, inputs, outputs, parameters, (wl, output, settings))
        self._pass = _differentiable(self._jax, self.passing)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the settings, in the order of `values`."""
        return self.passing.names

    @property
    def start(self) -> Any:
        """Values of the settings to start from, shape (P,)."""
        return self._jax.numpy.asarray(self.passing.start)

    def settings(self, values: Any) -> dict[str, float]:
        """Return values by dotted name, within their bounds, as a call of the circuit takes them."""
        return self.passing.named(np.asarray(values, dtype=np.float64))

    def __call__(self, values: Any, x: Any) -> Any:
        """Return (..., outputs) of x (..., inputs), or (..., W, outputs) where wl is an array."""
        work, jnp = self.passing, self._jax.numpy
        x, values = jnp.asarray(x), jnp.asarray(values)
        if x.ndim < 1 or x.shape[-1] != len(work.inputs):
            message = f"The circuit has {len(work.inputs)} inputs: x must be (..., {len(work.inputs)}), "
            raise ParameterError(f"{message}got {x.shape}.")
        if values.shape != (len(work.names),):
            message = f"values must be numbers ({len(work.names)},), one for each name, got {values.shape}."
            raise ParameterError(message)
        if not isinstance(values, self._jax.core.Tracer) and not np.isfinite(np.asarray(values)).all():
            message = f"values must be finite numbers, got {np.asarray(values)}."
            raise ParameterError(message)
        flat, found = work.shapes(x.shape)
        return self._pass(values, x.reshape(flat)).reshape(found)


def _jax() -> Any:
    try:
        import jax
    except ImportError:
        message = "Functions of JAX need JAX itself: pip install 'photosim[jax]'."
        raise ParameterError(message) from None
    return jax


def _differentiable(jax: Any, work: CircuitPass) -> Callable[[Any, Any], Any]:
    """Return the pass (values (P,), x (batch, 1 or W, inputs)) with its derivative, as JAX calls it."""

    def like(value: Any, dtype: Any) -> Any:
        return np.asarray(value if np.issubdtype(dtype, np.complexfloating) else np.real(value), dtype=dtype)

    def forward(values: Any, x: Any) -> Any:
        wide = jax.numpy.promote_types(x.dtype, jax.numpy.float32)
        double = wide in (np.dtype(np.float64), np.dtype(np.complex128))
        kind = np.dtype(np.complex128 if double else np.complex64)
        kind = kind if work.output == "field" else np.dtype(np.float64 if double else np.float32)
        shape = jax.ShapeDtypeStruct((x.shape[0], len(work.wl), len(work.outputs)), kind)

        def host(values: Any, x: Any) -> Any:
            found = work.forward(np.asarray(x), np.asarray(values, dtype=np.float64))[0]
            return like(found, kind)

        return jax.pure_callback(host, shape, values, x, vmap_method="sequential")

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def solved(values: Any, x: Any) -> Any:
        return forward(values, x)

    def keep(values: Any, x: Any) -> Any:
        return solved(values, x), (values, x)

    def back(kept: Any, cotangent: Any) -> Any:
        values, x = kept
        shapes = tuple(jax.ShapeDtypeStruct(each.shape, each.dtype) for each in (values, x))

        def host(values: Any, x: Any, cotangent: Any) -> Any:
            given, sent = np.asarray(values, dtype=np.float64), np.asarray(x)
            ours = np.conj(np.asarray(cotangent))
            passed = work.forward(sent, given)[1]
            by_x = work.back_to_inputs(ours, sent, passed).conj()
            return like(work.back_to_values(ours, sent, given, passed), values.dtype), like(by_x, x.dtype)

        return jax.pure_callback(host, shapes, values, x, cotangent, vmap_method="sequential")

    solved.defvjp(keep, back)
    return solved  # type: ignore[no-any-return]
