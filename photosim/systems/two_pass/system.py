"""Two-pass forward propagation (ahmadnejad2024) beside backpropagation, DFA and PEPITA, through meshes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from photosim.analysis.chart import Chart, Level, Picture
from photosim.analysis.result import Table
from photosim.systems.harness.data import sizes
from photosim.systems.harness.pictures import is_trend
from photosim.systems.harness.system import Case, Options, Outcome, Published, Report, Row, System
from photosim.systems.two_pass.networks import (
    NETLIST,
    PASSES,
    Hardware,
    Recipe,
    cost,
    first_above,
    held_accuracy,
    pixels,
    train,
)
from photosim.systems.two_pass.optical_xor import XOR_NETLIST, xor_gate

NAMES = {
    "backprop": "backpropagation",
    "dfa": "direct feedback alignment",
    "pepita": "PEPITA",
    "two-pass": "two-pass, the paper's rule",
    "two-pass-gradient": "two-pass, its public code's",
}
RATES = {"backprop": 0.05, "dfa": 0.01, "pepita": 0.2, "two-pass": 0.2, "two-pass-gradient": 0.1}
"""Rates of SGD with momentum 0.9 and batches of 64; how they were chosen, a remark says."""
SMALL_RATES = {"backprop": 0.05, "dfa": 0.01, "pepita": 0.1, "two-pass": 0.1, "two-pass-gradient": 0.05}
"""Rates in small."""
CHIP = Hardware()
SIZES = (4, 8, 16, 32)
PHASES = (0.0, 0.01, 0.02, 0.05, 0.1)
NOISES = (0.0, 0.005, 0.01, 0.02, 0.05)
JUDGED = 1000
"""Test samples that the curves over hardware are made of."""
XOR_RULES = ("backprop", "pepita", "two-pass", "two-pass-gradient")
PUBLISHED_WIDTHS = (784, 128, 64, 10)


def _plain(options: Options) -> tuple[int, ...]:
    """Return the widths of the dense network, for the data that the options name."""
    inputs, classes = sizes(options)
    hidden = (32, 16) if inputs <= 64 else PUBLISHED_WIDTHS[1:-1]
    return (inputs, *hidden, classes)


def _recipes(options: Options) -> dict[str, Recipe]:
    """Return all training runs by name."""
    widths, quick = _plain(options), options.quick
    rates = SMALL_RATES if quick else RATES
    chip = replace(CHIP, guides=8) if quick else CHIP
    many, batch = (8, 16) if quick else (10, 64)

    def little(recipe: Recipe) -> Recipe:
        return replace(recipe, epochs=2, images=640 if quick else 6_400, decay=())

    found: dict[str, Recipe] = {}
    for rule in NAMES:
        whole = Recipe(rule, widths, many, rates[rule], batch_size=batch, decay=() if quick else (8,))
        small = little(whole)
        found |= {rule: whole, f"small {rule}": small, f"meshes {rule}": replace(small, hardware=chip)}
    found["PEPITA"] = Recipe(
        "pepita", _wide(options), many if quick else 30, 0.1, batch_size=batch,
        decay=() if quick else (19, 28), dropout=0.1,
    )  # fmt: skip
    epochs, rate, size = (many, 0.01, 16) if quick else (10, 1e-3, 100)
    branches = Recipe("backprop", (widths[0], widths[-1]), epochs, rate, None, size, branches=True)
    decay = () if quick else (8,)
    two = replace(branches, rule="two-pass", learning_rate=0.1, momentum=0.9, batch_size=batch, decay=decay)
    pairs = replace(CHIP, guides=round(np.sqrt(widths[0])), noise=0.0)
    found |= {
        "branches": branches,
        "branches two-pass": two,
        "branches small": little(branches),
        "branches meshes": replace(little(branches), hardware=pairs),
        "branches two-pass meshes": replace(little(two), hardware=pairs),
    }
    return found


def _wide(options: Options) -> tuple[int, ...]:
    """Return the widths of PEPITA's own network, or of a small one."""
    inputs, *_, classes = _plain(options)
    return (inputs, 128 if options.quick else 1024, classes)


def _cases(options: Options) -> list[Case]:
    cases = [
        Case(name, _training(recipe, options), recipe.plain()) for name, recipe in _recipes(options).items()
    ]
    steps, coupling = (300, 0.02) if options.quick else (2000, 0.02)
    for rule in XOR_RULES:

        def gate(seed: int, _path: Path, _report: Report, rule: str = rule) -> Mapping[str, Any]:
            return xor_gate(rule, seed, steps, coupling, netlist=options.netlist(XOR_NETLIST))

        cases.append(
            Case(f"xor {rule}", gate, {"rule": rule, "steps": steps, "coupling": coupling}, uses_data=False)
        )
    return cases


def _training(recipe: Recipe, options: Options) -> Callable[[int, Path, Report], Mapping[str, Any]]:
    def compute(seed: int, checkpoint: Path, report: Report) -> Mapping[str, Any]:
        data, netlist = pixels(options), options.netlist(NETLIST)
        _, history = train(recipe, data, seed, checkpoint, report, netlist)
        curve = 100.0 * history.accuracy
        numbers: dict[str, Any] = {"accuracy": curve[-1], "curve": curve}
        if recipe.widths == _plain(options) and recipe.images is None:
            held = Hardware(bits=None, coupling=0.0, phase=0.0, noise=0.0, guides=8 if options.quick else 16)
            chips = {
                "sizes": [replace(CHIP, guides=n) for n in SIZES],
                "phases": [replace(held, phase=value) for value in PHASES],
                "noises": [replace(held, noise=value) for value in NOISES],
            }
            some = type(data.test)(data.test.x[:JUDGED], data.test.y[:JUDGED])
            for name, own in chips.items():
                numbers[name] = [
                    held_accuracy(recipe, history.parameters, chip, some, seed, netlist) for chip in own
                ]
        return numbers

    return compute


def _rows(options: Options) -> list[Row]:
    rows = []
    for rule, name in NAMES.items():
        rows.append(Row(name, rule, "accuracy"))
        rows.append(Row(f"{name}: little training, exact", f"small {rule}", "accuracy"))
        rows.append(Row(f"{name}: little training, meshes", f"meshes {rule}", "accuracy"))
    pepita = None if options.quick or options.data != "mnist" else Published(98.01, "recalled")
    branches = Published(83.95, "code", data="fashion-mnist") if options.data == "fashion-mnist" else None
    rows += [
        Row(f"PEPITA, one hidden layer of {_wide(options)[1]}", "PEPITA", "accuracy", published=pepita),
        Row("column branches, backpropagation", "branches", "accuracy", published=branches),
        Row("column branches, two-pass", "branches two-pass", "accuracy"),
        Row("column branches: little training, exact", "branches small", "accuracy"),
        Row("column branches: little training, meshes", "branches meshes", "accuracy"),
        Row("column branches: little training, two-pass, meshes", "branches two-pass meshes", "accuracy"),
    ]
    for rule in XOR_RULES:
        rows.append(Row(f"XOR on a 4 x 4 mesh, {NAMES[rule]}: correct answers", f"xor {rule}", "right"))
        rows.append(
            Row(f"XOR on a 4 x 4 mesh, {NAMES[rule]}: contrast", f"xor {rule}", "contrast_dB", "dB", digits=1)
        )
    return rows


def _mean(outcome: Outcome, case: str) -> str:
    found = outcome.values(case, "accuracy") if outcome.of(case) else np.empty(0)
    return f"{found.mean():.2f}" if found.size else ""


def _tables(outcome: Outcome) -> list[Table]:
    """Return what learning costs: accuracy, epochs, passes, time and energy, rule by rule."""
    lines = []
    for rule, name in NAMES.items():
        own = cost(rule, PUBLISHED_WIDTHS, CHIP.guides, 64)
        curves = [numbers["curve"] for numbers in outcome.of(rule)]
        reached = [first_above(np.array(curve), 95.0) for curve in curves]
        epochs = ", ".join("never" if epoch is None else str(epoch) for epoch in reached)
        lines.append(
            (
                name,
                _mean(outcome, rule),
                epochs,
                _mean(outcome, f"small {rule}"),
                _mean(outcome, f"meshes {rule}"),
                str(own.passes),
                f"{own.seconds * 1e6:.2f}",
                f"{own.light * 1e9:.1f}",
                f"{own.converters * 1e9:.0f}",
                f"{own.heaters * 1e3:.0f}",
            )
        )
    columns = (
        "rule", "exact, %", "epochs to 95 %, by seed", "little training, exact, %", "through meshes, %",
        "passes a sample", "time, us", "light, nJ", "converters, nJ", "heaters, mJ",
    )  # fmt: skip
    title = "accuracy, and what one update of 784-128-64-10 takes (64 samples, tiles of 16 guides)"
    return [Table(title, columns, tuple(lines))]


def _pictures(outcome: Outcome) -> list[Picture]:
    if not any(outcome.of(rule) for rule in NAMES):
        return []
    test = "test accuracy (%)"
    epochs = Chart(
        "epochs", "exact products", "epoch", test, outcome.curves(NAMES, "curve"), (Level("95 %", 95.0),)
    )  # fmt: skip
    error, reading = "deviation of each phase (rad)", "noise of a reading (share of the largest)"
    sweeps = (
        ("mesh_size", "held by imperfect meshes", "guides of a tile", "sizes", SIZES),
        ("phase_error", "held by meshes with phase errors", error, "phases", PHASES),
        ("noise", "held by meshes with a noisy read-out", reading, "noises", NOISES),
    )
    found: list[Picture] = [epochs]
    for name, title, label, key, x in sweeps:
        curves = [own for own in outcome.curves(NAMES, key, x) if is_trend(own.y, len(x))]
        if curves:
            found.append(Chart(name, title, label, test, curves))
    return found


REMARKS = (
    (
        "No accuracy of the paper could be found. The notebook of its authors is named after MNIST but "
        "trains the column branches on Fashion-MNIST."
    ),
    (
        "The learning rates of SGD were chosen from three values each, a factor of 2 or 3 apart, by the "
        "accuracy on 5,000 held-out training images (20,000 to learn from, 5 epochs, seed 0). For the "
        "two-pass rule in column branches there were four values, in runs of the full length. PEPITA's own "
        "network and the backpropagation of the branches use their authors' rates."
    ),
    (
        "The figure of PEPITA is recalled. It belongs to 100 epochs, where the learning rate falls to a "
        "tenth at epochs 61 and 91. Ours has 30 epochs, where it falls at 19 and 28. Both use a dropout of "
        "a tenth of the hidden units."
    ),
    (
        "The paper's rule was read in descriptions of it by others. Its public code computes "
        "backpropagation of the second pass."
    ),
    (
        "Meshes: tiles of 16 guides (8 in small), pairs of 28 for the branches. Couplers have errors of "
        "0.01 in power and a loss of 0.02 dB each. Phases have errors of 0.01 rad and steps of a 256th of "
        "a turn. Converters have 8 bits, and the noise is 0.005 of a tile's largest reading. Meshes are "
        "programmed again after each of 200 updates. The mesh for XOR trains its phases."
    ),
    (
        "Curves over hardware errors belong to networks that are trained exactly and then held by meshes, "
        "without further training."
    ),
)
if set(NAMES) != set(PASSES):
    raise AssertionError  # every rule of the table has its passes

SYSTEM = System(
    name="two-pass",
    title="two-pass forward propagation on meshes",
    source="ahmadnejad2024",
    cases=_cases,
    rows=_rows,
    data=("mnist", "fashion-mnist", "digits"),
    reads=("samples",),
    quick_data="digits",
    seeds=3,
    pictures=_pictures,
    tables=_tables,
    netlists=(NETLIST, XOR_NETLIST),
    remarks=REMARKS,
)
