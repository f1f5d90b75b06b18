"""What a mesh costs as a module of PyTorch, beside the mesh itself; a part of `run_training.py`."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from photosim.bench.measuring import Row, cpu_seconds
from photosim.training.devices.mesh.circuit import mesh_chip


def through_modules(*, small: bool) -> list[Row]:
    """Compare forward and backward passes of a mesh as a module of PyTorch with those of the mesh itself."""
    if find_spec("torch") is None:
        return [Row("a mesh as a module of PyTorch", "PyTorch is not installed", "", None, np.nan)]
    import torch

    from photosim.interop.torch import mesh
    from photosim.training.layers.mesh import arrays_of

    torch.set_num_threads(1)
    guides, batch, rounds = (8, 64, 2) if small else (64, 1024, 40)
    module: Any = mesh(mesh_chip("clements_mesh", guides))
    hardware, phases = module.layer.hardware, module.layer.held(module.parameters_held())
    rng = np.random.default_rng(0)
    x, by_y = (rng.standard_normal((2, batch, guides, 2)).astype(np.float32).view(np.complex64))[..., 0]
    fields, cotangent = torch.from_numpy(x), torch.from_numpy(by_y)

    class Barest(torch.autograd.Function):  # type: ignore[misc]
        """The mesh with nothing around it: what PyTorch itself takes."""

        @staticmethod
        def forward(ctx: Any, own: torch.Tensor, *_: torch.Tensor) -> Any:
            ctx.passage = hardware.send(phases, own.detach().numpy())
            return torch.from_numpy(ctx.passage.outputs)

        @staticmethod
        def backward(ctx: Any, cotangent: torch.Tensor) -> Any:
            lit = ctx.needs_input_grad[0]
            found = ctx.passage.gradient(cotangent.numpy(), inputs=lit)
            slopes = [torch.from_numpy(own.astype(np.float32)) for own in arrays_of(found).values()]
            return torch.from_numpy(found.inputs) if lit else None, *slopes

    def alone(*, inputs: bool) -> None:
        hardware.send(phases, x).gradient(by_y, inputs=inputs)

    def barest(*, inputs: bool) -> None:
        module.zero_grad()
        given = fields.detach().requires_grad_(inputs)
        Barest.apply(given, *module.parameters()).backward(cotangent)

    def as_module(*, inputs: bool) -> None:
        module.zero_grad()
        module(fields.detach().requires_grad_(inputs)).backward(cotangent)

    rows = []
    for inputs, of in ((False, "phases"), (True, "phases and fields")):
        best = {alone: np.inf, barest: np.inf, as_module: np.inf}
        for _ in range(rounds):
            for work, least in best.items():
                best[work] = min(least, cpu_seconds(partial(work, inputs=inputs))[1])
        ratio = best[as_module] / best[alone]
        text = f"{ratio:.2f} ({1e3 * best[as_module]:.2f} to {1e3 * best[alone]:.2f} ms; "
        text += f"an empty Function round the mesh: {best[barest] / best[alone]:.2f})"
        what = f"{guides} x {guides} mesh, batch {batch}, as a module of PyTorch, by {of}, to the mesh itself"
        rows.append(Row(what, text, "at most 1.15", ratio <= 1.15, ratio))
    return rows
