"""Chaotic systems to forecast: Lorenz's three equations, and the Kuramoto-Sivashinsky equation."""

from __future__ import annotations

import numpy as np

from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError
from photosim.training.arrays import ComplexArray, FloatArray

LORENZ_START = (-0.8032, -0.18, 19.4488)
"""Where the series of wang2025 begins."""
CONTOUR = 16
"""Points on the circle over which ETDRK4's coefficients are averaged: cancellation is then no matter."""


def lorenz63(
    steps: int,
    *,
    step: float = 0.025,
    start: tuple[float, float, float] = LORENZ_START,
    sigma: float = 10.0,
    rho: float = 28.0,
    beta: float = 8.0 / 3.0,
) -> FloatArray:
    """Return x, y and z of lorenz1963 at 0, step, 2 step, ..., shape (steps, 3).

    The relative error of a step is 1e-9. The largest Lyapunov exponent is 0.9, so that the results of two
    solvers differ after some 25 units of time, however accurate they are.
    Raises ParameterError for no steps, a step that is not positive, and numbers that are not finite.

    >>> lorenz63(3).shape
    (3, 3)
    """
    check_whole("lorenz63", 1, steps=steps)
    check_number("lorenz63", 0.0, above=True, step=step)
    x, y, z = start
    check_number("lorenz63", x=x, y=y, z=z, sigma=sigma, rho=rho, beta=beta)
    from scipy.integrate import solve_ivp

    def slope(_time: float, at: FloatArray) -> list[float]:
        x, y, z = at
        return [sigma * (y - x), x * (rho - z) - y, x * y - beta * z]

    times = step * np.arange(steps)
    found = solve_ivp(slope, (0.0, times[-1]), start, "DOP853", times, rtol=1e-9, atol=1e-9)
    return np.asarray(found.y.T)


def kuramoto_sivashinsky(
    steps: int,
    start: FloatArray,
    *,
    length: float = 22.0,
    step: float = 0.25,
    transient: int = 1000,
) -> FloatArray:
    """Return u of u_t = -u u_x - u_xx - u_xxxx on a ring, shape (steps, ..., points).

    steps: number of steps in the result.  start: u at evenly spaced points of the ring, shape (..., points),
    with an even number of points; more axes give several series.  length: circumference of the ring.  step:
    time between results.  transient: steps before the first result. The linear part is exact in Fourier
    space, and the nonlinear part uses the fourth-order Runge-Kutta scheme ETDRK4 of kassam2005. Left out:
    dealiasing, which 64 points on a length of 22 do not need, because the highest waves are damped to
    rounding. Raises ParameterError for numbers that are out of bounds.
    """
    check_whole("kuramoto_sivashinsky", 1, steps=steps)
    check_whole("kuramoto_sivashinsky", 0, transient=transient)
    check_number("kuramoto_sivashinsky", 0.0, above=True, length=length, step=step)
    points = start.shape[-1]
    if points % 2 or points < 4 or not np.isfinite(start).all():
        message = f"The ring needs finite values at an even number of points, 4 or more, got {points} points."
        raise ParameterError(message)
    k = 2.0 * np.pi / length * np.arange(points // 2 + 1)
    full, half, *weights = _etdrk4(k**2 - k**4, step)
    # The highest wave has no partner of the other sign, and so no derivative on the grid.
    half_derivative = -0.5j * np.where(np.arange(k.size) < points // 2, k, 0.0)

    def nonlinear(v: ComplexArray) -> ComplexArray:
        return np.asarray(half_derivative * np.fft.rfft(np.fft.irfft(v, points) ** 2))

    v = np.fft.rfft(start)
    series = np.empty((steps, *start.shape))
    for index in range(-transient, steps):
        if index >= 0:
            series[index] = np.fft.irfft(v, points)
        at_start = nonlinear(v)
        a = half * v + weights[0] * at_start
        at_a = nonlinear(a)
        at_b = nonlinear(half * v + weights[0] * at_a)
        at_end = nonlinear(half * a + weights[0] * (2.0 * at_b - at_start))
        v = full * v + weights[1] * at_start + 2.0 * weights[2] * (at_a + at_b) + weights[3] * at_end
    return series


def _etdrk4(linear: FloatArray, step: float) -> list[FloatArray]:
    """Return exp(h L), exp(h L / 2), and the weights Q, f1, f2, f3 of kassam2005 for linear rates L."""
    circle = np.exp(1j * np.pi * (np.arange(1, CONTOUR + 1) - 0.5) / CONTOUR)
    z = step * linear[:, np.newaxis] + circle  # half a circle: the other half is its mirror image
    turn = np.exp(z)
    integrals = (
        (np.exp(z / 2.0) - 1.0) / z,
        (-4.0 - z + turn * (4.0 - 3.0 * z + z**2)) / z**3,
        (2.0 + z + turn * (z - 2.0)) / z**3,
        (-4.0 - 3.0 * z - z**2 + turn * (4.0 - z)) / z**3,
    )
    weights = [step * integral.mean(axis=1).real for integral in integrals]
    return [np.exp(step * linear), np.exp(step * linear / 2.0), *weights]
