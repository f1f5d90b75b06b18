"""Networks of PyTorch that learn by direct feedback: a device carries the error to every stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from photosim.bounds import check_choice, check_number, check_whole
from photosim.errors import ParameterError
from photosim.training.devices.device import Device
from photosim.training.rules.ternary_dfa import ternarise, ternarise_at_random

ROUNDINGS = ("none", "random", "threshold")
"""How errors are rounded to -1, 0 and 1 before a device shows them."""


class DirectFeedback(torch.nn.Module):  # type: ignore[misc] # PyTorch has no place in the checks
    """What sends the error of the logits to the outputs of stages, each through its own device (nokland2016).

    devices: one for each stage, or one for all of them, whose product is formed once and reaches all alike;
    anything with `apply`, such as a scattering medium.  rounding: "none"; "random", to -1, 0 and 1 by chance
    and right on average; "threshold", by size, beyond `threshold`.  reduction: of the loss over its rows,
    "mean" or "sum", so that the errors that are rounded lie between -1 and 1.  seed: of the rounding.

    Errors leave for the device and come back as they do in a laboratory: network and logits may lie on any
    of PyTorch's devices, the product is computed on the CPU.
    """

    def __init__(
        self,
        devices: Device | Sequence[Device],
        *,
        rounding: str = "none",
        threshold: float = 0.15,
        reduction: str = "mean",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.devices = tuple(devices) if isinstance(devices, Sequence) else (devices,)
        if not self.devices or not all(hasattr(device, "apply") for device in self.devices):
            kinds = ", ".join(type(device).__name__ for device in self.devices) or "none"
            message = f"DirectFeedback takes devices that form products (`apply`), got {kinds}."
            raise ParameterError(message)
        check_choice("DirectFeedback", ROUNDINGS, rounding=rounding)
        check_choice("DirectFeedback", ("mean", "sum"), reduction=reduction)
        check_number("DirectFeedback", 0.0, threshold=threshold)
        check_whole("DirectFeedback", 0, seed=seed)
        self.rounding, self.threshold, self.reduction = rounding, threshold, reduction
        self.rng = np.random.default_rng(seed)

    def forward(self, logits: torch.Tensor, states: Sequence[torch.Tensor]) -> Any:
        """Return the logits (..., classes) as they are; backwards, states (..., width) get the products.

        states: outputs of the stages, from first to last, with as many rows as the logits have.
        """
        if len(self.devices) not in {1, len(states)}:
            message = (
                f"DirectFeedback has {len(self.devices)} devices for {len(states)} stages: "
                "give one for all, or one for each."
            )
            raise ParameterError(message)
        rows = logits.numel() // logits.shape[-1]
        for state in states:
            if state.numel() // state.shape[-1] != rows:
                message = (
                    f"Each of the {rows} rows of the logits needs one row of a stage, got a stage of shape "
                    f"{tuple(state.shape)}."
                )
                raise ParameterError(message)
        return _Send.apply(self, logits, *states)

    def signals(self, error: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
        """Return what the devices make of errors (rows, classes), each (rows, width)."""
        sent = error
        if self.rounding == "random":
            sent = ternarise_at_random(error, self.rng)
        elif self.rounding == "threshold":
            sent = ternarise(error, self.threshold)
        return [device.apply(sent).astype(error.dtype, copy=False) for device in self.devices]

    def work(self) -> dict[str, float]:
        """Return frames, samples, seconds and joules of light so far; devices on one camera count once."""
        counting = [device for device in self.devices if hasattr(device, "energy")]
        cameras = {id(getattr(device, "counters", device)): device for device in counting}
        found = [device.energy() for device in cameras.values()]
        return {
            "frames": float(sum(one.cycles for one in found)),
            "samples": float(sum(one.samples for one in found)),
            "seconds": sum((one.seconds for one in found), 0.0),
            "light_J": sum((one.light for one in found), 0.0),
        }

    def extra_repr(self) -> str:
        """Say what carries errors, in the module's line of a printed network."""
        kinds = ", ".join(type(device).__name__ for device in self.devices)
        return f"{kinds}, rounding={self.rounding!r}"


class _Send(torch.autograd.Function):  # type: ignore[misc]
    """Logits forward; backwards the error to the read-out, and its products to the states."""

    @staticmethod
    def forward(ctx: Any, feedback: DirectFeedback, logits: torch.Tensor, *states: torch.Tensor) -> Any:
        ctx.feedback, ctx.shapes = feedback, [(state.shape, state.dtype) for state in states]
        return logits.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, cotangent: torch.Tensor) -> Any:
        feedback = ctx.feedback
        rows = cotangent.numel() // cotangent.shape[-1]
        scale = float(rows) if feedback.reduction == "mean" else 1.0
        kind = torch.float64 if cotangent.dtype == torch.float64 else torch.float32
        error = scale * cotangent.detach().reshape(rows, -1).to("cpu", kind).numpy()
        found = feedback.signals(error)
        sent = [torch.from_numpy(np.ascontiguousarray(one / scale)) for one in found]
        sent = sent if len(sent) == len(ctx.shapes) else sent * len(ctx.shapes)
        for one, (shape, _) in zip(sent, ctx.shapes, strict=True):
            if one.shape[-1] != shape[-1]:
                message = f"A device with {one.shape[-1]} outputs cannot reach a stage of width {shape[-1]}."
                raise ParameterError(message)
        back = [
            one.to(cotangent.device, dtype).reshape(shape)
            for one, (shape, dtype) in zip(sent, ctx.shapes, strict=True)
        ]
        return None, cotangent, *back


class Stages(torch.nn.Module):  # type: ignore[misc]
    """Stages in a row and a read-out; with feedback, each stage learns from what a device sends it.

    Gradients inside a stage are exact. Between stages none flows, so the backward pass through them is never
    computed. The read-out learns from the error itself. Without feedback the whole row learns by
    backpropagation.

    stages: modules, each from the outputs of the one before.  readout: from the last one's to the logits.
    """

    def __init__(
        self,
        stages: Sequence[torch.nn.Module],
        readout: torch.nn.Module,
        feedback: DirectFeedback | None = None,
    ) -> None:
        super().__init__()
        if not stages:
            message = "A network learns by direct feedback in stages: give at least one."
            raise ParameterError(message)
        self.stages, self.readout, self.feedback = torch.nn.ModuleList(stages), readout, feedback

    def forward(self, x: torch.Tensor) -> Any:
        """Return the logits of x, as the first stage takes it."""
        states = []
        for stage in self.stages:
            x = stage(x)
            if self.feedback is not None:
                states.append(x)
                x = x.detach()
        logits = self.readout(x)
        return logits if self.feedback is None else self.feedback(logits, states)
