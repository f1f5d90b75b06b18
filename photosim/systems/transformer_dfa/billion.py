"""A Transformer of more than 10^9 parameters trained by the medium's feedback, in PyTorch on one GPU.

Memory and time are worked out before anything is trained. A small network runs the same lines on a CPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from photosim.analysis.result import Table
from photosim.errors import ParameterError
from photosim.memory import memory_bytes, size
from photosim.systems.harness.circuits import projector
from photosim.systems.harness.data import text_of
from photosim.systems.harness.system import Options, Report
from photosim.systems.transformer_dfa.runs import NETLIST, Recipe, medium
from photosim.systems.transformer_dfa.scaling import BASE
from photosim.training.data.graphs import TextData

NAME = "billion"


@dataclass(frozen=True)
class Size:
    """A network, and how long it is trained.

    batch: sequences a step.  judged: sequences of a held-out loss.
    """

    tokens: int
    width: int
    blocks: int
    heads: int
    batch: int
    steps: int
    rate: float
    judged: int = 32

    def parameters(self, vocabulary: int) -> int:
        """Return the number of parameters: 12 w^2 + 13 w a block, embedding, positions and read-out."""
        block = 12 * self.width**2 + 13 * self.width
        ends = 2 * vocabulary * self.width + vocabulary + self.tokens * self.width
        return self.blocks * block + ends

    def memory(self, vocabulary: int, *, full: bool) -> float:
        """Return the bytes of weights, gradients and Adam's two moments, and of what the way back needs.

        full: numbers between layers in single precision; else in bfloat16. Some 22 numbers of a token's
        width are kept in each block: inputs of the four products, heads, sums, normalised rows.
        """
        kept = 22 * self.blocks * self.width * self.batch * self.tokens
        return 16.0 * self.parameters(vocabulary) + kept * (4.0 if full else 2.0)


LARGE = Size(tokens=256, width=2048, blocks=20, heads=16, batch=16, steps=200, rate=2e-4)
DRY = Size(tokens=32, width=64, blocks=2, heads=4, batch=16, steps=60, rate=3e-3)


def run(options: Options, report: Report, say: Callable[[str], None]) -> Table:
    """Train the large network on a GPU, or with options.quick the small one on the CPU; return what it took.

    say: is told memory and time before anything is trained.

    Raises:
        ParameterError: PyTorch is missing, there is no GPU, or too little memory.
    """
    from photosim.interop import torch as bridge  # says how to install PyTorch where it is missing

    own, where = (DRY, "cpu") if options.quick else (LARGE, _gpu())
    source = text_of(options)
    speed = _speed(where)
    for line in plan(own, len(source.alphabet), where, speed):
        say(line)
    recipe = Recipe(tokens=own.tokens, width=own.width, blocks=own.blocks, heads=own.heads)
    optics = _optics(recipe, source, options)
    feedback = bridge.DirectFeedback(optics, rounding="random")
    took = _train(own, source, feedback, where, report)
    return _table(own, source, took, feedback.work(), speed)


def plan(own: Size, vocabulary: int, where: str, speed: float) -> list[str]:
    """Return what a training will need: parameters, memory, time of the processor and of the optics.

    speed: operations a second that the processor reaches in a product of two matrices.
    ParameterError where the memory is too small.
    """
    count, tokens = own.parameters(vocabulary), own.tokens * own.batch
    needed = own.memory(vocabulary, full=where == "cpu")
    there = memory_bytes() if where == "cpu" else _memory_of_gpu()
    optics = own.steps * replace(BASE, tokens=tokens).optics() / 60.0
    lines = [
        f"{count:,} parameters; {size(needed)} of the {size(there)} of this {where}",
        (
            f"at least {own.steps * 4.0 * count * tokens / speed:.3g} s on the {where}: {own.steps} steps of "
            f"{tokens:,} tokens, 4 operations a parameter and token, {speed:.2g} operations a second"
        ),
        f"at most {optics:.3g} min of frames by a medium of {BASE.frame_rate / 1e3:g} kHz",
    ]
    if needed > there:
        message = f"Too little memory: {lines[0]}."
        raise ParameterError(message)
    return lines


def _optics(recipe: Recipe, source: TextData, options: Options) -> Any:
    """Return the device; a wider network gets more pixels and as much more light, as much on each."""
    netlist = options.netlist(NETLIST)
    names = projector(netlist, "dmd")
    from photosim.netlist import read

    written = read(netlist).instances
    more = recipe.width / int(written[names.camera].settings["pixels"])
    changed: dict[str, Any] = {}
    if more > 1.0:
        changed = {
            f"{names.camera}.pixels": recipe.width,
            f"{names.medium}.outputs": recipe.width,
            f"{names.laser}.power": more * float(written[names.laser].settings["power"]),
        }
    return medium(recipe, len(source.alphabet), 0, netlist, **changed)


def _train(own: Size, source: TextData, feedback: Any, where: str, report: Report) -> dict[str, Any]:
    """Return the held-out loss before and after, the loss of every step, seconds a step, peak memory."""
    import torch

    from photosim.interop.torch import transformer

    torch.manual_seed(0)
    with torch.device(where):
        network = transformer(
            len(source.alphabet), own.tokens, own.width, own.blocks, own.heads, feedback=feedback
        )
    steps = torch.optim.Adam(network.parameters(), lr=own.rate)
    rng, held = np.random.default_rng(0), np.random.default_rng(1)
    judged = _batch(source.test, own.tokens, own.judged, held, where)
    half = torch.autocast("cuda", torch.bfloat16, enabled=where != "cpu")
    with half, torch.no_grad():
        before = _loss(network, judged).item()
    losses, times = [], []
    for step in range(own.steps):
        began = time.perf_counter()
        with half:
            loss = _loss(network, _batch(source.train, own.tokens, own.batch, rng, where))
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(loss.item())  # waits for the GPU
        times.append(time.perf_counter() - began)
        report(step + 1, own.steps)
    with half, torch.no_grad():
        after = _loss(network, judged).item()
    peak = None if where == "cpu" else float(torch.cuda.max_memory_allocated())
    return {"before": before, "after": after, "losses": losses, "step": float(np.median(times)), "peak": peak}


def _batch(codes: Any, tokens: int, count: int, rng: np.random.Generator, where: str) -> tuple[Any, Any]:
    """Return sequences cut from a text at random places, and the codes that follow, (count, tokens) each."""
    import torch

    starts = rng.integers(codes.size - tokens, size=count)[:, np.newaxis]
    x = torch.from_numpy(codes[starts + np.arange(tokens + 1)]).to(where)
    return x[:, :-1], x[:, 1:]


def _loss(network: Any, batch: tuple[Any, Any]) -> Any:
    import torch

    logits = network(batch[0])
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), batch[1].flatten())


def _table(own: Size, source: TextData, took: dict[str, Any], work: dict[str, float], speed: float) -> Table:
    count, tokens = own.parameters(len(source.alphabet)), own.tokens * own.batch
    rows = [
        ("parameters", f"{count:,}", ""),
        ("steps", str(own.steps), ""),
        ("tokens a step", f"{tokens:,}", ""),
        ("held-out loss before", f"{took['before']:.3f}", "nats"),
        ("held-out loss after", f"{took['after']:.3f}", "nats"),
        ("time of a step, median", f"{took['step']:.3g}", "s"),
        ("operations a second, of 4 P T", f"{4.0 * count * tokens / took['step']:.3g}", "1/s"),
        ("operations a second of a matrix product", f"{speed:.3g}", "1/s"),
        ("memory at its peak", "-" if took["peak"] is None else f"{took['peak'] / 2**30:.3g}", "GiB"),
        ("frames", f"{work['frames']:,.0f}", ""),
        ("time of the optics", f"{work['seconds'] / 60.0:.3g}", "min"),
        ("light on mirrors and camera", f"{work['light_J']:.3g}", "J"),
    ]
    return Table("Transformer trained by the medium's feedback", ("figure", "ours", "unit"), tuple(rows))


def _gpu() -> str:
    import torch

    if not torch.cuda.is_available():
        message = (
            f"{LARGE.parameters(65):,} parameters are trained on a GPU, and PyTorch finds none here: "
            "`--billion --quick` trains a small network on the CPU."
        )
        raise ParameterError(message)
    return "cuda"


def _memory_of_gpu() -> float:
    import torch

    return float(torch.cuda.mem_get_info()[0])


def _speed(where: str) -> float:
    """Return the operations a second of a product of two matrices, the best of three."""
    import torch

    n, kind = (512, torch.float32) if where == "cpu" else (8192, torch.bfloat16)
    a = torch.ones((n, n), dtype=kind, device=where)
    times = []
    for _ in range(4):
        began = time.perf_counter()
        float((a @ a)[0, 0])
        times.append(time.perf_counter() - began)
    return float(2.0 * n**3 / min(times[1:]))
