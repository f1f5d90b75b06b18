"""Convolution by optical spectrum slicing on a programmable chip (tsirigotis2025)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from photosim.systems.harness.system import Case, Options, Published, Row, System
from photosim.systems.spectrum_slicing.chip import BUS, NOTCH_BUS, circuits
from photosim.systems.spectrum_slicing.figures import pictures, tables
from photosim.systems.spectrum_slicing.learning import FULL_LEARNING, SMALL_LEARNING, learnt_filters
from photosim.systems.spectrum_slicing.learning import plain as plain_of
from photosim.systems.spectrum_slicing.recipe import FULL, SMALL
from photosim.systems.spectrum_slicing.runs import by_nodes, convolved, costs, search, sliced


def _cases(options: Options) -> Sequence[Case]:
    recipe = (SMALL if options.quick else FULL).with_netlists(options)
    learning = SMALL_LEARNING if options.quick else FULL_LEARNING
    plain = recipe.plain()
    hidden = recipe.hidden
    return [
        Case("ideal", partial(sliced, options, recipe, recipe.optics, hidden[0]), plain),
        Case("chip", partial(sliced, options, recipe, recipe.chip, hidden[1]), plain),
        Case("digital", partial(convolved, options, recipe), plain),
        Case("nodes", partial(by_nodes, options, recipe), plain),
        Case("costs", partial(costs, options, recipe), plain, repeated=False, uses_data=False),
        Case("mesh", circuits, {"bus": BUS, "notch": NOTCH_BUS}, repeated=False, uses_data=False),
        Case("search", partial(search, options, recipe), plain, repeated=False),
        Case(
            "learning",
            partial(learnt_filters, options, recipe, learning),
            {"recipe": plain, "learning": plain_of(learning)},
            repeated=False,
        ),
    ]


def _rows(_options: Options) -> Sequence[Row]:
    def read(value: float) -> Published:
        return Published(value, "read")

    return (
        Row("7 nodes, 1 layer", "ideal", "one", published=read(98.0)),
        Row("7 nodes, 2 layers (111, 10)", "ideal", "two", published=read(98.6)),
        Row("3 nodes, data sheet's losses, 1 layer", "chip", "one", published=read(95.9)),
        Row("3 nodes, data sheet's losses, 2 layers (80, 10)", "chip", "two", published=read(97.7)),
        Row("digital CNN, 1 layer", "digital", "one", published=read(98.6)),
        Row("digital CNN, 2 layers (117, 10)", "digital", "two", published=read(99.1)),
        Row("filters, best on held-out images", "search", "best"),
        Row("filters, median on held-out images", "search", "median"),
        Row("filters, before training", "learning", "before"),
        Row("filters, after training", "learning", "after"),
        Row("mean reading, 7 nodes", "ideal", "reading", "uA", digits=2),
        Row("noise and steps of a reading, 7 nodes", "ideal", "noise", "uA", digits=2),
        Row("mean reading, 3 nodes", "chip", "reading", "uA", digits=2),
        Row("noise and steps of a reading, 3 nodes", "chip", "noise", "uA", digits=2),
    )


SYSTEM = System(
    name="spectrum-slicing",
    title="convolution by optical spectrum slicing",
    source="tsirigotis2025",
    cases=_cases,
    rows=_rows,
    data=("mnist", "fashion-mnist", "digits"),
    reads=("samples",),
    quick_data="digits",
    pictures=pictures,
    tables=tables,
    netlists=("spectrum_slicing", "spectrum_slicing_chip"),
    remarks=(
        (
            "Patch, pixel rate, filters, receivers and light of the authors are not known to us. We use "
            "patches of 3 x 3 pixels at a stride of 2, with 22.5 ps per pixel, so that one round trip in a "
            "ring of six cells delays light by one row of the patch. The maxima of the filters lie between "
            "the carrier and half a free spectral range on one side of it, because the spectrum of a real "
            "field is symmetric. The amplifiers have half the rate of the patches (the pooling) and give "
            "one reading for each patch and node. A booster amplifier raises the laser to 100 mW."
        ),
        (
            "All networks learn from all training images. With 7 nodes and 4,000 training images, a back "
            "end of one layer reached 94.95 % on 2,000 other images, and 96.6 % with decorrelated readings "
            "of each patch, a linear map that its weights can absorb. Ridge regression reached 96.65 %, "
            "and 96.95 % without noise. So slow gradient descent along nearly equal readings had limited "
            "it to 95 %, not the optics. Weight decay up to 0.03 had no effect. Noise costs the chip more: "
            "ridge regression reached 93.05 %, and 94.9 % without noise, and decorrelated readings are not "
            "better."
        ),
        (
            "The digital network has 7 filters of 7 x 7 pixels at a stride of 2. With 4,000 training and "
            "2,000 other images and a learning rate of 0.003, filters of 5 x 5 pixels at strides of 2 and "
            "1 reached 95.0 and 95.15 %, and those of 7 x 7 pixels 95.7 %; at a learning rate of 0.001 "
            "they reached 93.85, 94.55 and 94.75 %. The chip's rings with a coupling of 0.2 reached 93.15 "
            "%, and those of 0.4 reached 90.05 %."
        ),
        (
            "The light and its noise are computed once. Each seed draws noise and jitter of the receivers, "
            "weights and batches."
        ),
        (
            "Energies include the laser (20 % wall-plug efficiency), heaters, converters and digital "
            "multiply-adds, with the constants of a published worked example. They do not include the data "
            "movement of the digital network."
        ),
    ),
)
