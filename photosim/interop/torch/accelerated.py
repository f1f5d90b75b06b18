"""Meshes and media as plain tensor operations, for any of PyTorch's devices: nothing returns to the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from photosim.bounds import check_whole
from photosim.errors import ParameterError
from photosim.media.signs import COLUMN, MIXES, ROW, ROWS

if TYPE_CHECKING:
    from photosim.media.screens import ScreensMedium
    from photosim.media.signs import SignMedium
    from photosim.training.devices.mesh.blocks import OneMesh
    from photosim.training.devices.mesh.decomposition import MeshPhases


class TensorMesh(torch.nn.Module):  # type: ignore[misc] # PyTorch has no place in the checks
    """A mesh of tensor operations: complex fields (batch, n) in sqrt(W) to fields (batch, n).

    Its numbers and gradients are those of `mesh.send(phases, x)`. `values` (2 K + n,) holds the phases set in
    rad, theta, phi and end, and is learnt. All blocks that share no guide act at once; a batch larger than
    the mesh is multiplied by the matrix, which the unit matrix sent through the columns makes once.
    Raises ParameterError for a mesh whose drivers hold a number of bits, which have no gradient.
    """

    def __init__(self, mesh: OneMesh, phases: MeshPhases) -> None:
        super().__init__()
        if mesh.bits is not None:
            message = f"TensorMesh needs phases without steps, but the mesh's drivers have {mesh.bits} bits."
            raise ParameterError(message)
        self.guides, self.dark = mesh.end.size, mesh.dark
        levels, partners = _levels(mesh.pairs.astype(np.int64), self.guides + self.dark)
        own = np.concatenate([phases.theta, phases.phi, phases.end])
        self.values = torch.nn.Parameter(torch.from_numpy(own))
        leak = None if mesh.leak is None else torch.from_numpy(np.asarray(mesh.leak.todense()))
        kept = {
            "pairs": mesh.pairs.astype(np.int64), "levels": levels, "partners": partners,
            "parts": mesh.parts, "end": mesh.end, "turns": mesh.turns, "offsets": mesh.offsets,
        }  # fmt: skip
        for name, value in kept.items():
            self.register_buffer(name, torch.from_numpy(np.array(value)))
        self.register_buffer("leak", leak)

    def forward(self, x: torch.Tensor) -> Any:
        """Return (batch, n) of x (batch, n) on the module's device."""
        if x.ndim != 2 or x.shape[1] != self.guides or not x.is_complex():
            message = (
                f"TensorMesh takes complex fields (batch, {self.guides}), got {tuple(x.shape)} of {x.dtype}."
            )
            raise ParameterError(message)
        if len(x) <= self.guides:
            return self._sent(x.T).T
        return x @ self._sent(torch.eye(self.guides, dtype=x.dtype, device=x.device)).T

    def _sent(self, light: torch.Tensor) -> Any:
        """Return what comes out, (n, samples), of light (n, samples)."""
        straight, across, ends = (own.to(light.dtype)[..., None] for own in self._coefficients())
        light = torch.nn.functional.pad(light, (0, 0, self.dark, 0))
        for level, partner in enumerate(self.partners):
            light = straight[level] * light + across[level] * light[partner]
        return ends * light[self.dark :]

    def _coefficients(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what each guide keeps and gets of its partner, (levels, guides), and the ends (n,)."""
        count = len(self.pairs)
        held = self.values if self.leak is None else self.leak @ self.values
        turned = torch.exp(1j * (self.turns * held + self.offsets))
        ts, ks, tj, kj, both, inner, outer = self.parts.T
        first = inner * turned[:count]
        last = outer * turned[count : 2 * count]
        straight = torch.ones(self.partners.shape, dtype=turned.dtype, device=turned.device)
        a, b = self.pairs.T
        straight = straight.index_put((self.levels, a), both * (tj * ts * first - kj * ks) * last)
        straight = straight.index_put((self.levels, b), both * (tj * ts - kj * ks * first))
        across = torch.zeros_like(straight)
        across = across.index_put((self.levels, a), 1j * both * (tj * ks * first + kj * ts))
        across = across.index_put((self.levels, b), 1j * both * (kj * ts * first + tj * ks) * last)
        return straight, across, self.end * turned[2 * count :]


def _levels(pairs: Any, guides: int) -> tuple[Any, Any]:
    """Return each block's level, after all that meet its guides before, and partners (levels, guides)."""
    free, levels = np.zeros(guides, np.int64), np.empty(len(pairs), np.int64)
    for k, pair in enumerate(pairs):
        levels[k] = free[pair].max()
        free[pair] = levels[k] + 1
    partners = np.tile(np.arange(guides), (int(free.max(initial=0)), 1))
    partners[levels, pairs[:, 0]] = pairs[:, 1]
    partners[levels, pairs[:, 1]] = pairs[:, 0]
    return levels, partners


class SignProjection(torch.nn.Module):  # type: ignore[misc]
    """A `SignMedium` on any device: zeros and ones (batch, inputs) to complex64 fields (batch, outputs).

    Entries are counted out tile by tile as int8 and multiplied by integer units (`torch._int_mm`, tensor
    cores on a GPU), so that every sum is exact and the numbers are those of the CPU, bit for bit. Nothing of
    the matrix is kept but a tile of `tile` columns.  Raises ParameterError for inputs that are not zeros and
    ones.
    """

    def __init__(self, medium: SignMedium, tile: int = 1024) -> None:
        super().__init__()
        check_whole("SignProjection", 1, tile=tile)
        self.outputs, self.inputs, self.scale = medium.outputs, medium.inputs, float(medium.scale)
        self.tile = -(-tile // 8) * 8
        self.register_buffer("start", torch.tensor([_signed(medium.key)]))

    def forward(self, x: torch.Tensor) -> Any:
        """Return (batch, outputs) of x (batch, inputs) on the module's device."""
        if x.ndim != 2 or x.shape[1] != self.inputs or not bool(((x == 0) | (x == 1)).all()):
            message = f"SignProjection takes zeros and ones (batch, {self.inputs}), got {tuple(x.shape)}."
            raise ParameterError(message)
        # Integer units take more than 16 samples and a multiple of 8 inputs: what is missing is dark.
        rows, columns = max(24, len(x)), -(-self.inputs // 8) * 8
        lit = torch.zeros((rows, columns), dtype=torch.int8, device=x.device)
        lit[: len(x), : self.inputs] = x.to(torch.int8)
        total: Any = 0
        for first in range(0, columns, self.tile):
            own = lit[:, first : first + self.tile].contiguous()
            total = total + torch._int_mm(own, self._signs(first, own.shape[1]))  # noqa: SLF001 - no other name
        found = self.scale * total[: len(x)].to(torch.float32).reshape(len(x), -1, 2)
        return torch.view_as_complex(found[:, : self.outputs].contiguous())

    def _signs(self, first: int, count: int) -> torch.Tensor:
        """Return int8 signs (count, 2 rows), real and imaginary part side by side, rows a multiple of 32."""
        place = self.start.device
        columns = torch.arange(first, first + count, device=place)
        groups = torch.arange(-(-self.outputs // ROWS), device=place)
        starts = _mixed(_mixed(self.start) + columns * _signed(COLUMN))
        hashes = _mixed(starts[:, None] + groups * _signed(ROW))
        bits = (hashes[..., None] >> torch.arange(2 * ROWS, device=place)) & 1
        return (1 - 2 * bits.to(torch.int8)).reshape(count, -1)


def _signed(number: int) -> int:
    """Return 64 bits as PyTorch's signed numbers hold them, which multiply to the same bits."""
    return number - 2**64 if number >= 2**63 else number


def _mixed(z: torch.Tensor) -> Any:
    """Finaliser of splitmix64 in signed numbers, whose shifts would copy the sign."""
    for shift, factor in MIXES:
        z = (z ^ _shifted(z, shift)) * _signed(factor)
    return z ^ _shifted(z, 31)


def _shifted(z: torch.Tensor, by: int) -> Any:
    return (z >> by) & (2 ** (64 - by) - 1)


class ScreensProjection(torch.nn.Module):  # type: ignore[misc]
    """A `ScreensMedium` on any device: fields (batch, pixels) to complex64 fields (batch, pixels), by FFTs.

    Two screens of N pixels stand for N^2 entries at the price of three transforms. Those entries are not
    independent numbers: they follow from 2 N random phases, neighbouring inputs give the same speckle shifted
    (the memory effect), and a lossless medium has only singular values of 1. Fields and gradients are those
    of the CPU to single precision.
    """

    def __init__(self, medium: ScreensMedium) -> None:
        super().__init__()
        self.side = medium.side
        self.register_buffer("phases", torch.from_numpy(np.stack(medium.phases)))
        steps = np.stack(medium.steps) if medium.steps else np.empty((0, self.side, self.side), np.complex64)
        self.register_buffer("steps", torch.from_numpy(steps.astype(np.complex64)))

    def forward(self, x: torch.Tensor) -> Any:
        """Return (batch, pixels) of x (batch, pixels) on the module's device."""
        if x.ndim != 2 or x.shape[1] != self.side**2:
            message = f"ScreensProjection takes fields (batch, {self.side**2}), got {tuple(x.shape)}."
            raise ParameterError(message)
        plane = x.to(torch.complex64).reshape(-1, self.side, self.side) * self.phases[0]
        for step, phases in zip(self.steps, self.phases[1:], strict=True):
            plane = torch.fft.ifft2(torch.fft.fft2(plane) * step) * phases
        return torch.fft.fft2(plane, norm="ortho").reshape(len(x), -1)
