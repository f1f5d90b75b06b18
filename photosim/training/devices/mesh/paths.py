"""How a batch goes through a mesh and its gradient comes back: by the matrix, or block by block.

Both give the engine's answer. Where a batch is larger than the mesh the blocks act on the unit matrix once,
by patches where there are many, BLAS does the batch, and the gradient goes through the matrix; else a slice
of the batch goes through all columns while it lies in the cache, or one sample after the other where there
are few. Double precision unless the batch is in single.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.mesh.patches import Built, build
from photosim.training.devices.mesh.views import Fields, Reals, lanes_of, no_ends, real_view
from photosim.training.devices.mesh.way_back import WayBack, WorkArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.training.devices.mesh.blocks import OneMesh

Path = Literal["matrix", "blocks", "few"]


@dataclass(frozen=True)
class MeshGradient:
    """Derivatives of a real loss, summed over a batch, by the phases set of a mesh in rad.

    theta, phi: shape (K,).  end: shape (n,).  inputs: dL/dRe x + i dL/dIm x, shape (batch, n), if requested.
    """

    theta: FloatArray
    phi: FloatArray
    end: FloatArray
    inputs: Any = None


FEW = 8
"""Samples up to which lanes that are mostly empty cost more than one sample after the other."""


def choose(guides: int, batch: int, dtype: Any) -> Path:
    """Return the faster path: slices of the batch are counted against those of the unit matrix."""
    if batch <= FEW:
        return "few"
    lanes = lanes_of(np.dtype(dtype))
    return "matrix" if -(-batch // lanes) > -(-guides // lanes) else "blocks"


def explained(guides: int, batch: int, dtype: Any = np.complex64) -> str:
    """Return in a sentence which path a batch takes through a mesh, and why."""
    kind = np.dtype(dtype)
    lanes = lanes_of(kind)
    of_batch, of_mesh = -(-batch // lanes), -(-guides // lanes)
    if batch <= FEW:
        return (
            f"few: up to {FEW} samples go through all blocks one after the other, without lanes of samples."
        )
    if choose(guides, batch, kind) == "matrix":
        return (
            f"matrix: {batch} samples in {kind} are {of_batch} slices of {lanes} and the {guides} x {guides} "
            f"matrix {of_mesh}, so the blocks make the matrix once and BLAS does the batch."
        )
    return (
        f"blocks: {batch} samples in {kind} are not more slices of {lanes} ({of_batch}) than the "
        f"{guides} x {guides} matrix ({of_mesh}), so each goes through all blocks in cache."
    )


@dataclass(frozen=True)
class Passage:
    """One batch sent through a mesh: outputs of shape (batch, n), with their gradient.

    path: "matrix" or block by block.  built: the transposed matrix, if that is the path.  made: record of the
    patches of blocks that gave this matrix, in a mesh of many guides.
    """

    mesh: OneMesh
    x: Fields
    outputs: Fields
    path: Path
    entries: Reals
    ends: Reals
    built: Fields | None
    made: Built | None = None

    def gradient(self, cotangent: Any, *, inputs: bool = False) -> MeshGradient:
        """Return the gradient of a loss with this cotangent, dL/dRe y + i dL/dIm y, shape (batch, n)."""
        g = self._cotangent(cotangent)
        if self.built is None:
            return self._through(self.x, g, inputs=inputs)
        by_matrix = _product(self.x, g, "first")
        if self.made is None:
            own = self._through(np.eye(g.shape[1], dtype=g.dtype), by_matrix, inputs=False)
        else:
            totals = np.zeros(2 * len(self.entries) + len(self.ends))
            self.made.gradient(self.ends.view(g.dtype)[:, 0], by_matrix, totals)
            own = self._by_phases(totals)
        return MeshGradient(
            own.theta, own.phi, own.end, _product(g, self.built, "second") if inputs else None
        )

    def back(self, cotangent: Any) -> Fields:
        """Return the cotangent of the inputs (batch, n), by the adjoint of the mesh."""
        from photosim.kernels.mesh_batches import send_batch

        g = self._cotangent(cotangent)
        if self.built is not None:
            return _product(g, self.built, "second")
        dark = self.mesh.dark
        ahead = widened(np.ascontiguousarray(g * self.ends.view(g.dtype)[dark:, 0].conj()), dark)
        entries, pairs = reversed_entries(self)
        plain = no_ends(len(self.ends), self.ends.dtype)
        send_batch(entries, pairs, plain, real_view(ahead), real_view(ahead))
        return np.ascontiguousarray(ahead[:, dark:])

    def _cotangent(self, cotangent: Any) -> Fields:
        g = np.ascontiguousarray(cotangent, dtype=self.x.dtype)
        if g.shape != self.outputs.shape:
            message = f"The cotangent has the shape of the outputs, {self.outputs.shape}, got {g.shape}."
            raise ParameterError(message)
        return g

    def _through(self, x: Fields, cotangent: Fields, *, inputs: bool) -> MeshGradient:
        from photosim.kernels.mesh_batches import back_few

        mesh, count = self.mesh, len(self.entries)
        light, back = widened(x, mesh.dark), widened(cotangent, mesh.dark)
        totals = np.zeros(2 * count + len(self.ends))
        wanted = np.empty_like(light) if inputs or self.path == "few" else None
        if self.path == "few" and wanted is not None:
            x_view, g_view, by_x = real_view(light), real_view(back), real_view(wanted)
            back_few(self.entries, mesh.pairs, self.ends, x_view, g_view, by_x, totals)
        else:
            work = WorkArrays.of(len(self.ends), count, self.entries.dtype)
            way = WayBack(work, self.entries, mesh.pairs, self.ends, totals)
            way.go(light, back, inputs=wanted if inputs else None)
        found = np.ascontiguousarray(wanted[:, mesh.dark :]) if inputs and wanted is not None else None
        return self._by_phases(totals, found)

    def _by_phases(self, totals: FloatArray, inputs: Any = None) -> MeshGradient:
        """Return the gradient by the phases set; totals: by theta and phi, as they act, in turn; ends."""
        mesh, count = self.mesh, len(self.entries)
        acting = [totals[: 2 * count : 2], totals[1 : 2 * count : 2], totals[2 * count + mesh.dark :]]
        by_set = np.concatenate(acting) * mesh.turns
        by_phase = mesh.parted(by_set if mesh.leak is None else mesh.leak.T @ by_set)
        return MeshGradient(by_phase.theta, by_phase.phi, by_phase.end, inputs)


@dataclass(frozen=True)
class PairGradient:
    """Derivatives of a real loss, summed over a batch, by the phases set of a pair of meshes in rad.

    theta, phi: of the attenuators, shape (n,).  inputs: as that of a mesh.
    """

    v: MeshGradient
    theta: FloatArray
    phi: FloatArray
    u: MeshGradient

    @property
    def inputs(self) -> Any:
        """Cotangent of the inputs (batch, n), if requested."""
        return self.v.inputs


@dataclass(frozen=True)
class PairPassage:
    """One batch sent through mesh v, attenuators that pass amplitudes (n,), and mesh u.

    slopes: derivatives of those amplitudes by theta and phi, shape (2, n).
    """

    v: Passage
    passed: ComplexArray
    slopes: ComplexArray
    u: Passage

    @property
    def outputs(self) -> Fields:
        """Fields at the outputs, shape (batch, n)."""
        return self.u.outputs

    def gradient(self, cotangent: Any, *, inputs: bool = False) -> PairGradient:
        """Return the gradient of a loss with this cotangent of the outputs, shape (batch, n)."""
        u = self.u.gradient(cotangent, inputs=True)
        by_passed = np.sum(np.conj(u.inputs) * self.v.outputs, axis=0)
        theta, phi = (by_passed * self.slopes).real
        ahead = u.inputs * self.passed.conj()
        return PairGradient(self.v.gradient(ahead, inputs=inputs), theta, phi, u)

    def back(self, cotangent: Any) -> Fields:
        """Return the cotangent of the inputs alone, shape (batch, n)."""
        return self.v.back(self.u.back(cotangent) * self.passed.conj())


def send(mesh: OneMesh, phases: Any, x: Any) -> Passage:
    """Send a batch x (batch, n) through a mesh whose phases are set; ParameterError for a wrong shape."""
    from photosim.kernels.mesh_batches import fill_entries, send_batch, send_few

    fields = _fields(x, mesh.end.size)
    precision = fields.real.dtype
    angles = mesh.acting(phases).astype(precision, copy=False)
    entries = np.empty((len(mesh.parts), 14), precision)
    ends = np.zeros((mesh.dark + mesh.end.size, 2), precision)
    fill_entries(np.cos(angles), np.sin(angles), mesh.parts, mesh.end, entries, ends[mesh.dark :])
    path = choose(mesh.end.size, len(fields), fields.dtype)
    if path == "matrix" and mesh.patches is not None:
        made = build(mesh.patches, entries, len(ends), mesh.dark)
        whole = np.ascontiguousarray((made.fields * ends.view(fields.dtype))[mesh.dark :].T)
        return Passage(mesh, fields, fields @ whole, path, entries, ends, whole, made)
    sent = np.eye(mesh.end.size, dtype=fields.dtype) if path == "matrix" else fields
    light = widened(sent, mesh.dark)
    out = np.empty_like(light)
    kernel = send_few if path == "few" else send_batch
    kernel(entries, mesh.pairs, ends, real_view(light), real_view(out))
    out = np.ascontiguousarray(out[:, mesh.dark :])
    if path != "matrix":
        return Passage(mesh, fields, out, path, entries, ends, None)
    return Passage(mesh, fields, fields @ out, path, entries, ends, out)


def widened(fields: Fields, dark: int) -> Fields:
    """Return fields of all guides, those before the ports dark."""
    return np.pad(fields, ((0, 0), (dark, 0))) if dark else fields


def reversed_entries(passage: Passage) -> tuple[Reals, NDArray[np.uint64]]:
    """Return the adjoint of every block, (K, 8) as entries, and its guides, outputs first."""
    entries = np.ascontiguousarray(passage.entries[::-1, [0, 1, 4, 5, 2, 3, 6, 7]])
    entries[:, 1::2] *= -1.0
    return entries, np.ascontiguousarray(passage.mesh.pairs[::-1])


def _fields(x: Any, guides: int) -> Fields:
    x = np.asarray(x)
    single = x.dtype in (np.complex64, np.float32)
    fields: Fields = np.ascontiguousarray(x, dtype=np.complex64 if single else np.complex128)
    if fields.ndim != 2 or fields.shape[1] != guides:
        message = f"The mesh has {guides} guides: x must be (batch, {guides}), got {x.shape}."
        raise ParameterError(message)
    return fields


def _product(a: Fields, b: Fields, conjugate: Literal["first", "second"]) -> Fields:
    """Return a^H b or a b^H without a copy of the conjugated one."""
    from scipy.linalg.blas import cgemm, zgemm

    gemm: Any = cgemm if a.dtype == np.complex64 else zgemm
    # BLAS counts columns first: to it a row-major a is a^T, and the product comes back transposed.
    if conjugate == "first":
        return np.asarray(gemm(1.0, b.T, a.T, trans_b=2).T)
    return np.asarray(gemm(1.0, b.T, a.T, trans_a=2).T)
