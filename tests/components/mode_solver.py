"""Modes of a guide, or of two side by side, by finite differences on Yee's grid: all six fields, one solve.

After Zhu and Brown (Opt. Express 10, 853, 2002): with forward differences U and backward ones V between the
staggered components, the transverse electric field of a guided mode is an eigenvector of one sparse matrix.
Cores are rectangles whose walls lie on grid lines, where each component sees the mean permittivity that
continuity asks for, so that errors fall with the square of the step; `extrapolated` uses that on two grids.
Symmetry about both middles leaves a quarter of the plane. Steps grow outside the cores.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigs


def silicon(wl: float, kelvin: float = 0.0) -> float:
    """Index of crystalline silicon (Salzberg and Villa 1957), and 1.86e-4 per kelvin."""
    squared = (
        1 + 10.6684293 * wl**2 / (wl**2 - 0.301516485**2) + 0.0030434748 * wl**2 / (wl**2 - 1.13475115**2)
    )
    squared += 1.54133408 * wl**2 / (wl**2 - 1104.0**2)
    return float(np.sqrt(squared)) + 1.86e-4 * kelvin


def oxide(wl: float, kelvin: float = 0.0) -> float:
    """Index of fused silica (Malitson 1965), and 1e-5 per kelvin."""
    terms = ((0.6961663, 0.0684043), (0.4079426, 0.1162414), (0.8974794, 9.896161))
    return float(np.sqrt(1 + sum(a * wl**2 / (wl**2 - b**2) for a, b in terms))) + 1e-5 * kelvin


@dataclass(frozen=True)
class Strips:
    """One silicon strip in oxide, or two equal ones with a gap between their walls; lengths in um."""

    width: float = 0.5
    height: float = 0.22
    gap: float | None = None
    kelvin: float = 0.0
    step: float = 0.02
    margin: float = 1.4
    polarisation: Literal["TE", "TM"] = "TE"

    def index(self, wl: float, symmetry: Literal["even", "odd"] = "even") -> float:
        """Effective index of the fundamental mode, even or odd about the middle of the gap."""
        x, inside_x = self._across()
        y, inside_y = _spaced([(self.height / 2, True)], self.step, self.margin)
        core = np.outer(inside_x, inside_y)
        eps = np.where(core, silicon(wl, self.kelvin) ** 2, oxide(wl, self.kelvin) ** 2)
        # The strong transverse component, along x for TE, is even about the middle of the chip's plane; the
        # even supermode has it alike in both guides.
        te = self.polarisation == "TE"
        ex_even_x, ex_even_y = (symmetry == "even", True) if te else (symmetry == "odd", False)
        matrix = _operator(x, y, eps, 2 * np.pi / wl, ex_even_x=ex_even_x, ex_even_y=ex_even_y)
        guess = silicon(wl, self.kelvin) ** 2 * (2 * np.pi / wl) ** 2 * (0.56 if te else 0.36)
        start = np.ones(matrix.shape[0])  # a fixed vector, so that every run gives the same bits
        found = eigs(matrix, k=4, sigma=guess, v0=start, return_eigenvectors=False, tol=1e-10)
        return float(np.sqrt(found.real.max()) * wl / (2 * np.pi))

    def kappa(self, wl: float) -> float:
        """Coupling of the fields of two strips in 1/um: half the difference of the propagation constants."""
        return np.pi / wl * (self.index(wl, "even") - self.index(wl, "odd"))

    def _across(self) -> tuple[Any, Any]:
        if self.gap is None:
            return _spaced([(self.width / 2, True)], self.step, self.margin)
        return _spaced([(self.gap / 2, False), (self.width, True)], self.step, self.margin)


def extrapolated(strips: Strips, quantity: str, wl: float) -> tuple[float, float, float]:
    """Return a quantity on the grid of `strips`, on one of half its step, and extrapolated to none."""
    coarse, fine = (getattr(replace(strips, step=strips.step / n), quantity)(wl) for n in (1, 2))
    return coarse, fine, fine + (fine - coarse) / 3


def _spaced(layers: list[tuple[float, bool]], step: float, margin: float) -> tuple[Any, Any]:
    """Return grid lines from a plane of symmetry outwards, and which cells between them are core."""
    lines, core = [0.0], []
    for thickness, is_core in layers:
        cells = max(2, round(thickness / step))
        lines += list(lines[-1] + thickness / cells * np.arange(1, cells + 1))
        core += [is_core] * cells
    end, size = lines[-1] + margin, lines[-1] - lines[-2]
    while lines[-1] < end:
        size = min(size * 1.08, 0.15)
        lines.append(lines[-1] + size)
        core.append(False)
    return np.array(lines), np.array(core)


def _operator(x: Any, y: Any, eps: Any, k: float, *, ex_even_x: bool, ex_even_y: bool) -> Any:
    """Return Zhu and Brown's matrix for (Ex, Ey); its eigenvalues are squared propagation constants."""
    dx, dy = np.diff(x), np.diff(y)
    nx, ny = len(dx), len(dy)
    # Ex lies between lines in x and on lines in y; so do magnetic components that it is differentiated with.
    ux, uy = sp.kron(_forward(dx), sp.eye(ny)), sp.kron(sp.eye(nx), _forward(dy))
    vx = sp.kron(_backward(dx, even=ex_even_x), sp.eye(ny))
    vy = sp.kron(sp.eye(nx), _backward(dy, even=not ex_even_y))
    over_x, over_y = _mean(eps, dx, 0), _mean(eps, dy, 1)
    ez = sp.diags(1 / _mean(over_y, dx, 0).ravel())
    ex, ey = sp.diags(over_y.ravel()), sp.diags(over_x.ravel())
    one, k2 = sp.eye(nx * ny), k**2
    gx, gy = k2 * one + ux @ ez @ vx, k2 * one + uy @ ez @ vy
    xx = -ux @ ez @ vy @ vx @ uy / k2 + gx @ (ex + vy @ uy / k2)
    yy = -uy @ ez @ vx @ vy @ ux / k2 + gy @ (ey + vx @ ux / k2)
    xy = ux @ ez @ vy @ (ey + vx @ ux / k2) - gx @ vy @ ux / k2
    yx = uy @ ez @ vx @ (ex + vy @ uy / k2) - gy @ vx @ uy / k2
    # A component on a line of symmetry about which it is odd is zero there.
    keep_x, keep_y = np.ones((nx, ny), bool), np.ones((nx, ny), bool)
    keep_x[:, 0] = ex_even_y
    keep_y[0, :] = not ex_even_x
    keep = np.flatnonzero(np.concatenate([keep_x.ravel(), keep_y.ravel()]))
    return sp.bmat([[xx, xy], [yx, yy]]).tocsc()[keep][:, keep]


def _forward(step: Any) -> Any:
    """Differences from lines to the middles between them; beyond the last line all fields are zero."""
    n = len(step)
    return sp.diags([-1 / step, 1 / step[:-1]], [0, 1], shape=(n, n))


def _backward(step: Any, *, even: bool) -> Any:
    """Differences from middles to lines, of a field that is even or odd about the first line."""
    n = len(step)
    between = np.concatenate([step[:1], (step[:-1] + step[1:]) / 2])
    here = np.ones(n)
    here[0] = 0.0 if even else 2.0
    return sp.diags([here / between, -1 / between[1:]], [0, -1], shape=(n, n))


def _mean(cells: Any, step: Any, axis: int) -> Any:
    """Mean of the cells on both sides of every line along an axis, by size; mirrored at the first one."""
    cells = np.moveaxis(cells, axis, -1)
    mean = cells.copy()
    mean[..., 1:] = (cells[..., 1:] * step[1:] + cells[..., :-1] * step[:-1]) / (step[1:] + step[:-1])
    return np.moveaxis(mean, -1, axis)
