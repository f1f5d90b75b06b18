"""Goals of learning for run_goals.py: against a loop by hand, cgemm and a stored matrix, and on a GPU."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from photosim.bench.measuring import Row, cpu_seconds, seconds_text

ROUNDS = 7
DFA_A_SECOND, BANK_A_SECOND = 15_000, 8_000
GPU_S = {64: 0.15e-3, 256: 1e-3}
SIGN_RATE, SCREENS_RATE = 300e12, 1e16


def least(works: Mapping[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the least CPU seconds of each, in turns."""
    best = dict.fromkeys(works, np.inf)
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            best[name] = min(best[name], cpu_seconds(work)[1])
    return best


def training(*, small: bool) -> list[Row]:
    """Compare direct feedback in two hidden layers of 800 units, digital and through a bank, with a loop."""
    from photosim.circuit import load
    from photosim.training.devices import Digital, WeightBank
    from photosim.training.rules import DFA

    runs = importlib.import_module("run_training")
    setting = runs.Setting.drawn(small=small)
    banks = WeightBank.from_circuit(load(setting.netlist), "bank").program_all(setting.feedback)
    light = DFA(tuple(bank.with_noise("physical", np.random.default_rng(k)) for k, bank in enumerate(banks)))
    works = {
        "by hand": partial(runs.by_hand, setting, direct=True),
        "DFA": partial(runs.by_photosim, setting, DFA(tuple(map(Digital, setting.feedback)))),
        "DFA through a bank with physics": partial(runs.by_photosim, setting, light),
    }
    taken = least(works, 1 if small else ROUNDS)
    rows = []
    for name, goal in (("DFA", DFA_A_SECOND), ("DFA through a bank with physics", BANK_A_SECOND)):
        rate, ratio = len(setting.data.train) / taken[name], taken["by hand"] / taken[name]
        found = f"{rate:,.0f} samples/s, {ratio:.2f} of the loop by hand"
        what = f"{name}, {'-'.join(map(str, setting.widths))}, batch 64"
        rows.append(Row(what, found, f"{goal:,} samples/s", rate >= goal, ratio))
    return rows


def small_fit(*, small: bool) -> list[Row]:
    """Compare `fit` of a network of two hidden layers of 256 units with the loop by hand, four epochs."""
    from photosim.training.devices import Digital
    from photosim.training.layers import dense_network
    from photosim.training.optimisers import SGD
    from photosim.training.rules import DFA, Backprop
    from photosim.training.rules.catalogue import draw_feedback
    from photosim.training.trainer import Schedule, Streams, fit

    runs = importlib.import_module("run_training")
    drawn = runs.Setting.drawn(small=small)
    widths, epochs = (drawn.widths[0], *(2 * (32 if small else 256,)), 10), 4
    network = dense_network(widths, "relu")
    setting = replace(
        drawn, widths=widths, feedback=draw_feedback("dfa", network, 1.0, np.random.default_rng(0))
    )
    rules = {"backprop": Backprop(), "DFA": DFA(tuple(map(Digital, setting.feedback)))}

    def ours(rule: Any) -> None:
        fit(
            network, rule, SGD(runs.RATE, runs.MOMENTUM), setting.data, Schedule(epochs, runs.BATCH),
            Streams.tree(0, 1)[0],
        )  # fmt: skip

    works: dict[str, Callable[[], Any]] = {}
    for name, rule in rules.items():
        works[f"{name} by hand"] = partial(
            lambda direct: [runs.by_hand(setting, direct=direct) for _ in range(epochs)], name == "DFA"
        )
        works[name] = partial(ours, rule)
    taken = least(works, 1 if small else ROUNDS)
    rows = []
    for name, goal in (("backprop", 0.95), ("DFA", 0.9)):
        ratio = taken[f"{name} by hand"] / taken[name]
        rate = epochs * len(setting.data.train) / taken[name]
        what = f"fit by {name}, {'-'.join(map(str, widths))}, {epochs} epochs, to the loop by hand"
        rows.append(Row(what, f"{ratio:.2f} ({rate:,.0f} samples/s)", f"{goal}", ratio >= goal, ratio))
    return rows


def drawn_mesh(n: int) -> tuple[Any, Any]:
    """Return a mesh of n guides and phases of it."""
    from photosim.training.devices.mesh.circuit import find_mesh, mesh_chip
    from photosim.training.devices.mesh.decomposition import MeshPhases

    mesh = find_mesh(mesh_chip("clements_mesh", n), "mesh").u
    rng, count = np.random.default_rng(0), mesh.blocks.turn.size
    sizes = (count, count, n)
    return mesh, MeshPhases(mesh.arrangement, *(rng.uniform(0, 6, size) for size in sizes))


def fields(batch: int, n: int) -> Any:
    """Return random fields (batch, n) in single precision."""
    rng = np.random.default_rng(1)
    return (rng.standard_normal((batch, n)) + 1j * rng.standard_normal((batch, n))).astype(np.complex64)


def mesh_gradient(*, small: bool) -> list[Row]:
    """Compare value and gradient of a batch through a mesh, by phases and inputs, with three cgemm."""
    from scipy.linalg.blas import cgemm

    rows = []
    for n, goal in ((8, 2.0),) if small else ((64, 2.0), (256, 3.0)):
        mesh, phases = drawn_mesh(n)
        batch = 64 if small else 1024
        x, w = fields(batch, n), np.random.default_rng(2).random(n).astype(np.float32)
        matrix = fields(n, n)

        def both(mesh: Any = mesh, phases: Any = phases, x: Any = x, w: Any = w) -> Any:
            passage = mesh.send(phases, x)
            return passage.gradient(2.0 * w * passage.outputs, inputs=True)

        def products(x: Any = x, matrix: Any = matrix) -> Any:
            out = cgemm(1.0, matrix.T, x.T)
            cgemm(1.0, out, x.T, trans_b=2)
            return cgemm(1.0, matrix.T, out, trans_a=2)

        calls = 20 if n == 64 else 1
        works: dict[str, Callable[[], Any]] = {
            "mesh": partial(lambda work, k: [work() for _ in range(k)], both, calls),
            "cgemm": partial(lambda work, k: [work() for _ in range(k)], products, calls),
        }
        taken = least(works, 1 if small else 2 * ROUNDS)
        ratio = taken["mesh"] / taken["cgemm"]
        what = f"value and gradient of a mesh of {n}, batch {batch}, in times of three cgemm"
        note = f"{ratio:.2f} ({seconds_text(taken['mesh'] / calls)})"
        rows.append(Row(what, note, f"{goal:g}", ratio <= goal, ratio))
    return rows


def medium(*, small: bool) -> list[Row]:
    """Compare the procedural medium with the stored one, at 512 patterns."""
    products = importlib.import_module("run_media").products
    return [row for row in products(small=small) if row.what.startswith("512 ")]


def gpu(*, small: bool) -> list[Row]:
    """Time meshes and media of tensors on a GPU, by the clock; without one say that nothing was measured."""
    if find_spec("torch") is None:
        return [Row("meshes and media on a GPU", "not measured: PyTorch is not installed", "", None, 0.0)]
    import torch

    if not torch.cuda.is_available():
        return [Row("meshes and media on a GPU", "not measured: no GPU here", "", None, 0.0)]
    return [*_gpu_meshes(torch, small=small), *_gpu_media(torch, small=small)]


def _on_gpu(torch: Any, work: Callable[[], Any], rounds: int) -> float:
    """Return the least seconds of work by the clock, all of it done on the device."""
    taken = []
    for _ in range(rounds + 3):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return min(taken[3:])


def _gpu_meshes(torch: Any, *, small: bool) -> list[Row]:
    from photosim.interop.torch import TensorMesh

    rows = []
    for n in (64,) if small else (64, 256):
        module = TensorMesh(*drawn_mesh(n)).to("cuda")
        x = torch.from_numpy(fields(1024, n)).to("cuda").requires_grad_()

        def both(module: Any = module, x: Any = x) -> None:
            module(x).abs().square().sum().backward()

        seconds = _on_gpu(torch, both, 3 if small else 20)
        what = f"forward and gradient of a mesh of {n}, batch 1024, on {torch.cuda.get_device_name()}"
        note = seconds_text(seconds)
        rows.append(Row(what, note, seconds_text(GPU_S[n]), seconds <= GPU_S[n], seconds))
    return rows


def _gpu_media(torch: Any, *, small: bool) -> list[Row]:
    from photosim.interop.torch import ScreensProjection, SignProjection
    from photosim.media.screens import ScreensMedium
    from photosim.media.signs import SignMedium

    size, batch, side = (1024, 64, 64) if small else (65_536, 4096, 1000)
    lit = torch.randint(0, 2, (batch, size), device="cuda", dtype=torch.int8)
    signs = SignProjection(SignMedium(size, size)).to("cuda")
    rate = size * size * batch / _on_gpu(torch, lambda: signs(lit), 3)
    waves = ScreensProjection(ScreensMedium(side)).to("cuda")
    light = torch.ones((16, side**2), dtype=torch.complex64, device="cuda")
    equal = 16 * side**4 / _on_gpu(torch, lambda: waves(light), 3)
    return [
        Row(
            f"signs, {size} x {size}, {batch} patterns", f"{rate / 1e12:.3g} T complex multiply-adds/s",
            "300 T", rate >= SIGN_RATE, rate,
        ),
        Row(
            f"two screens of {side**2} pixels", f"{equal:.2g} equivalents/s", "1e16",
            equal >= SCREENS_RATE, equal,
        ),
    ]  # fmt: skip


MEASUREMENTS: dict[str, Callable[..., list[Row]]] = {
    "training": training,
    "small_fit": small_fit,
    "mesh_gradient": mesh_gradient,
    "medium": medium,
    "gpu": gpu,
}
