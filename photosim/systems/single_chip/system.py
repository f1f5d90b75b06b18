"""Six modes, three layers and forward-only training on one chip (bandyopadhyay2024)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from photosim.analysis.chart import Chart, Curve, Level, Picture
from photosim.analysis.result import Table
from photosim.systems.harness.system import Case, Options, Outcome, Published, Row, System
from photosim.systems.single_chip import delay
from photosim.systems.single_chip.chip import NETLIST
from photosim.systems.single_chip.runs import learnt, recipes

ACCURACY = 92.5
"""Published accuracy in %."""
LABELS = {
    "in situ": "forward passes alone",
    "backprop": "exact gradient",
    "physics-aware": "physics-aware",
    "model": "ideal model, set on the chip",
    "digital": "digital, 126 weights",
}
"""What learns, by case."""


def _cases(options: Options) -> Sequence[Case]:
    small = recipes(quick=options.quick)
    lengths = {"shifter": delay.SHIFTER_UM, "coupler": delay.COUPLER_UM, "ring": delay.RING_UM}
    return [
        *(Case(name, partial(learnt, options, recipe), recipe.plain()) for name, recipe in small.items()),
        Case("latency", partial(delay.delay, options), lengths, repeated=False, uses_data=False),
    ]


def _rows(_options: Options) -> Sequence[Row]:
    read = Published(ACCURACY, "read")
    rows = [
        Row("best choice of classes (other classes and inputs)", "in situ", "best", published=read),
        Row("median choice (other classes and inputs)", "in situ", "median", published=read),
        Row("mean of all choices", "in situ", "mean"),
    ]
    for name in list(LABELS)[1:]:
        rows.append(Row(f"{LABELS[name]}, best choice", name, "best"))
        rows.append(Row(f"{LABELS[name]}, median choice", name, "median"))
        rows.append(Row(f"{LABELS[name]}, mean of all choices", name, "mean"))
    return [
        *rows,
        Row("linear discriminants, classes of the best choice in situ", "in situ", "best linear"),
        Row("linear discriminants, classes of the median choice in situ", "in situ", "median linear"),
        Row("latency with our lengths", "latency", "total", "ps", Published(delay.PUBLISHED_PS, "read"), 1),
        Row("latency of the mesh columns alone", "latency", "straight", "ps", digits=1),
        Row("latency of the rings on resonance alone", "latency", "rings", "ps", digits=1),
        Row("length of a column in our netlist", "latency", "own column", "um", digits=0),
        Row("length of a column that would give 410 ps", "latency", "column", "um", digits=0),
    ]


def _pictures(outcome: Outcome) -> Sequence[Picture]:
    """Return the test accuracies of all choices, best first, mean over the seeds."""
    curves = []
    for name, label in LABELS.items():
        judged = outcome.values(name, "judged")
        if judged.size:
            curves.append(Curve.over_seeds(label, -np.sort(-judged, axis=1)))
    if outcome.values("in situ", "linear").size:
        linear = outcome.values("in situ", "linear")
        curves.append(Curve.over_seeds("linear discriminants", -np.sort(-linear, axis=1)))
    if not curves:
        return ()
    levels = (Level("published, its own classes", ACCURACY),) if "in situ" in outcome.comparable else ()
    return (
        Chart(
            "choices", "Six classes by three meshes of six modes", "choice of classes, best first",
            "test accuracy (%)", tuple(curves), levels,
        ),
    )  # fmt: skip


def _tables(outcome: Outcome) -> Sequence[Table]:
    """Return the classes that were the best and the median choice of each seed."""
    rows = []
    for seed, own in sorted(outcome.found.get("in situ", {}).items()):
        half = np.array(own["learnt"])
        order = np.argsort(-half, kind="stable")
        for which, place in (("best", 0), ("median", (len(order) - 1) // 2)):
            classes = ", ".join(str(number) for number in own[f"{which} classes"])
            learnt_half = f"{half[order[place]]:.2f}"
            rows.append((str(seed), which, classes, learnt_half, f"{own[which]:.2f}"))
    columns = ("seed", "choice by the training half", "classes", "training half, %", "test accuracy, %")
    return [Table("Choices of classes", columns, tuple(rows))] if rows else ()


SYSTEM = System(
    name="single-chip",
    title="three meshes and two layers of activations on one chip",
    source="bandyopadhyay2024",
    cases=_cases,
    rows=_rows,
    data=("vowels", "digits"),
    reads=("samples",),
    netlists=(NETLIST,),
    quick_data="digits",
    pictures=_pictures,
    tables=_tables,
    remarks=(
        (
            "It is not known to us which six of the eleven vowels were used, and how ten ratios became six "
            "inputs. We draw 20 choices at random for each seed; the inputs are five linear discriminants "
            "of the training half and a constant. The best and the median choice are selected by the "
            "accuracy in situ on that half, and the accuracy shown is that on the other half. The standard "
            "error of 270 test samples is 1.5 points at 93 %. Step sizes and learning rates were chosen "
            "within the training half of one choice of seed 99, which is not used otherwise."
        ),
        (
            "The modes, the layers and the twelve activations are published. Losses, couplings, currents, "
            "noise and light are those of the netlist and are ours. For each seed a chip is drawn, whose "
            "couplers deviate from their design by 0.02 and whose phases deviate by 0.1 rad (rms)."
        ),
        (
            "In situ: simultaneous perturbation of 108 phases, 12 taps and 12 rings, with two noisy "
            "readings of all samples per step. Converters have 12 bits. The other rules train on the same "
            "chips."
        ),
        (
            "Latency: 18 columns of two shifters (61.6 um, Harris et al. 2014) and two couplers (40 um, "
            "ours), and two rings of 10 um radius on resonance. The authors' lengths are not known to us. "
            "Routing, detectors and modulators are not included."
        ),
    ),
)
