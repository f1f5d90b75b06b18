"""Annealing-inspired training of a laser network with Boolean and ternary weights (skalli2025)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from photosim.systems.harness.system import Case, Options, Published, Row, System
from photosim.systems.laser_reservoir import checks, tasks
from photosim.systems.laser_reservoir.figures import LABELS, pictures, tables
from photosim.systems.laser_reservoir.recipe import FULL, SMALL, settings_of
from photosim.systems.laser_reservoir.runs import SWEEPS, ceiling, classes, study, swept
from photosim.training.readouts import weight_rules

_KINDS = {"greedy-boolean": "greedy Boolean", "multi-flip-ternary": "multi-flip ternary"}


def _cases(options: Options) -> Sequence[Case]:
    recipe = SMALL if options.quick else FULL
    tried = {name: list(values) for name, values in SWEEPS.items()}

    def own(*names: str) -> dict[str, Any]:
        return settings_of(recipe, *names)

    flips = ("first", "decay")
    steady = {**own("hours", "steady"), "drifts": tasks.plain()}
    studied = own("study", "study_evaluations", "firsts", "decays")
    return [
        Case("classes", partial(classes, options, recipe), own("evaluations", *flips)),
        Case("ceiling", partial(ceiling, options, recipe), own()),
        Case(
            "bits", partial(tasks.bits, options, recipe), own("bits", "bit_evaluations", "readings", *flips),
            uses_data=False,
        ),
        Case("consistency", partial(tasks.consistency, options, recipe), steady),
        Case("sweeps", partial(swept, options, recipe), {**own("swept"), "tried": tried}),
        Case("study", partial(study, options, recipe), studied, repeated=False),
        Case(
            "locking", partial(checks.locking, options, recipe), own("settled", "spectra", "window"),
            repeated=False,
        ),
        Case("field", partial(checks.field, options, recipe), own("compared", "settled"), repeated=False),
    ]  # fmt: skip


def _rows(options: Options) -> Sequence[Row]:
    recipe = SMALL if options.quick else FULL
    known = {"multi-flip-ternary": Published(90.4, "secondary")}
    rows = [Row(f"ten readouts, {LABELS[k]}", "classes", k, published=known.get(k)) for k in weight_rules()]
    rows += [
        Row("ridge weights rounded to three levels", "classes", "rounded"),
        Row(LABELS["ridge"], "classes", "ridge"),
    ]
    headers = {2: Published(0.09, "read"), 3: Published(1.0, "read")}
    for key, label in _KINDS.items():
        own = key == "greedy-boolean"
        rows += [
            Row(
                f"header of {n} bits, {label}", "bits", f"header {n} {key}", digits=3,
                published=headers.get(n) if own else None,
            )
            for n in recipe.bits
        ]  # fmt: skip
        rows += [
            Row(f"exclusive or, {label}", "bits", f"xor {key}", digits=3,
                published=Published(2.9, "read") if own else None),
            Row(f"exclusive or, rms error, {label}", "bits", f"xor {key} rms", "", digits=4),
            Row(f"conversion of 2 bits, rms error, {label}", "bits", f"dac {key}", "", digits=4,
                published=Published(0.054, "read") if own else None),
        ]  # fmt: skip
    return (
        *rows,
        Row("consistency over 10 hours", "consistency", "mean", published=Published(99.0, "read")),
        Row("power outside the injected line, worst image", "locking", "worst", digits=4),
        Row("power outside it with spontaneous emission, dimmest image", "locking", "noisy", digits=3),
        Row(
            "correlation of states averaged over the detector's band with the map",
            "locking",
            "averaged",
            "",
            digits=4,
        ),
        Row("power outside it with a hundredth of the light, dimmest image", "locking", "free", digits=1),
        Row("correlation of the map with the simulation in time, mean", "field", "correlation", "", digits=4),
        Row(
            "correlation of the map with the simulation in time, worst image", "field", "least", "", digits=4
        ),
        Row("accuracy on these images, states of the map", "field", "map"),
        Row("accuracy on these images, states of the simulation in time", "field", "field"),
    )


SYSTEM = System(
    name="laser-reservoir",
    title="annealing-inspired training of a laser network",
    source="skalli2025",
    cases=_cases,
    rows=_rows,
    data=("mnist", "fashion-mnist", "digits"),
    quick_data="digits",
    reads=("samples",),
    pictures=pictures,
    tables=tables,
    netlists=("laser_reservoir",),
    remarks=(
        (
            "Sizes, wavelength, powers, schedule and accuracies of the authors are not known to us. The "
            "constants of the netlist are chosen so that the laser locks. The schedule is ours; it was "
            "chosen on training images with a fibre that is not used otherwise."
        ),
        (
            "Images are Boolean: a pixel is on above half of full scale. The figure of 90.4 % comes from a "
            "secondary source on an earlier system of the group. The bit errors are those of an earlier "
            "laser with Boolean weights (porte2021) and, for 3 bits, of an array of 24 lasers, which stays "
            "below the figure in the table. We have not read how they count errors. Ours are the "
            "percentage of wrong readings, and rms errors relative to full scale."
        ),
        (
            "States are the steady states of the laser, computed without time (`WideLaser.settle`). The "
            "case `field` compares them with a simulation of field and carriers over 3 ns. Each seed uses "
            "another fibre."
        ),
        (
            "Without spontaneous emission all light is at the injected line. With it, a few per cent of "
            "the light is at other frequencies. A detector of 1 MHz averages this light, and these "
            "averages are compared with the map too."
        ),
        (
            "An evaluation shows all samples once for Boolean weights and twice for ternary weights. "
            "Errors are computed from the covariance of the states, with added noise of the detector's "
            "variance: converter, shot, thermal and intensity noise."
        ),
        (
            "Drifts are fixed, not fitted: 0.25 K for the room at the fibre, 0.01 K for the laser's "
            "cooler, 50 MHz for the injected line and 0.1 % for its power. The correlation of each drift "
            "decays within an hour."
        ),
    ),
)
