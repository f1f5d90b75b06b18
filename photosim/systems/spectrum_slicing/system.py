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
        Row("filters, before they learn", "learning", "before"),
        Row("filters that have learnt", "learning", "after"),
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
            "Patch, pixel rate, filters, receivers and light of the authors are not known to us. Ours: "
            "patches of 3 x 3 pixels, 2 apart, 22.5 ps a pixel, so that a turn of a ring of six cells "
            "reaches back by a row of the patch; maxima from the carrier to half a spectral range, on one "
            "side, since a real field's spectrum has two alike; amplifiers of half the patches' rate (the "
            "pooling), one reading a patch and node; a booster brings the laser to 100 mW."
        ),
        (
            "All networks learn from all training images. Behind 7 nodes, 4,000 training images taught a "
            "back end of one layer 94.95 % of 2,000 others, and 96.6 % with the readings of each patch "
            "decorrelated, a linear map that its weights take up; ridge regression had 96.65 %, without "
            "noise 96.95 %: slow descent along readings that are nearly equal had held it at 95 %, not the "
            "optics. Weight decay up to 0.03 changed nothing. Noise costs the chip more: ridge regression "
            "had 93.05 %, without noise 94.9 %, and decorrelated readings are not better."
        ),
        (
            "The digital network has 7 filters of 7 x 7 pixels, 2 apart: with 4,000 and 2,000 images 5 x 5 "
            "filters 2 and 1 apart had 95.0 and 95.15 %, these 95.7 %, at a rate of 0.003; at 0.001 93.85, "
            "94.55 and 94.75 %. The chip's rings of coupling 0.2 had 93.15 %, those of 0.4 90.05 %."
        ),
        (
            "The light and its noise are computed once; each seed draws the receivers' noise and jitter, "
            "weights and batches."
        ),
        (
            "Energies count laser (20 % wall plug), heaters, converters and digital multiply-adds by a "
            "published worked example's constants; the digital network's moves of data are left out."
        ),
    ),
)
