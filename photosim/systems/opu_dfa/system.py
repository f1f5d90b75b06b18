"""Direct feedback alignment by a scattering medium: the optical co-processor (launay2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from photosim.systems.harness import graph_runs
from photosim.systems.harness.data import is_graph_set
from photosim.systems.harness.optics import NETLIST, Point, graph_rule
from photosim.systems.harness.system import Case, Options, Published, Row, System
from photosim.systems.opu_dfa.figures import pictures, tables
from photosim.systems.opu_dfa.runs import FULL, RULES, SMALL, SWEEPS, SWEPT, SWEPT_SMALL, sweep, swept, train


def _cases(options: Options) -> Sequence[Case]:
    if is_graph_set(options):
        rule = partial(graph_rule, options.netlist(NETLIST))
        return [
            Case(
                name,
                partial(graph_runs.compute, options, recipe, name, rule),
                graph_runs.plain(recipe) | _plain(Point()),
            )
            for name in RULES
            for recipe in [graph_runs.EXACT if name in {"backprop", "shallow"} else graph_runs.FED_BACK]
        ]
    small = options.quick or (options.data == "digits" and not options.own)
    recipe, coarse = (SMALL, SWEPT_SMALL) if small else (FULL, SWEPT)
    point = Point(threshold=recipe.threshold)
    runs = [
        Case(name, partial(train, options, recipe, name, point), asdict(recipe) | _plain(point))
        for name in RULES
    ]
    exact = Case(
        "sweep exact",
        lambda seed, _path, report: train(options, coarse, "ternary", point, seed, None, report),
        asdict(coarse) | _plain(point),
    )
    sweeps = [
        Case(
            f"sweep {key}",
            partial(sweep, options, coarse, key),
            asdict(coarse) | {"values": [str(value) for value in swept(options, key)]},
        )
        for key in SWEEPS
    ]
    return (*runs, exact, *sweeps)


def _plain(point: Point) -> dict[str, str]:
    return {key: str(value) for key, value in asdict(point).items()}


def _rows(options: Options) -> Sequence[Row]:
    if is_graph_set(options):
        checked = {
            name: Published(value, "inferred", data="cora")
            for name, value in graph_runs.CHECKED.items()
            if options.data == "cora"
        }
        return [
            Row(f"accuracy, {label}", name, "accuracy", published=checked.get(name))
            for name, label in RULES.items()
        ]
    published: dict[str, Published] = {}
    if options.data == "mnist" and not options.quick:
        published = {
            "optical": Published(95.8, "press"),
            "ternary": Published(97.6, "press"),
            "dfa": Published(97.7, "recalled"),
        }
    return (
        *(
            Row(f"accuracy, {label}", name, "accuracy", published=published.get(name))
            for name, label in RULES.items()
        ),
        Row("range of the last three epochs, DFA by the medium", "optical", "wander"),
        Row("frames", "optical", "frames", "", digits=0),
        Row("time of the optics", "optical", "minutes", "min"),
        Row("light on mirrors and camera", "optical", "light_J", "J", digits=3),
        Row("electrons per pixel from one entry", "optical", "electrons", "", digits=1),
        Row("readings at the end of the scale", "optical", "saturated", "%", digits=3),
    )


SYSTEM = System(
    name="opu-dfa",
    title="direct feedback alignment by a scattering medium",
    source="launay2020",
    cases=_cases,
    rows=_rows,
    data=("mnist", "fashion-mnist", "cora", "digits"),
    reads=("samples", "graph"),
    quick_data="digits",
    seeds=3,
    pictures=pictures,
    tables=tables,
    netlists=(NETLIST,),
    remarks=(
        (
            "The published 95.8 and 97.6 % come from the press. Network and optimiser are recalled, not "
            "read: 784-1024-1024-10, tanh, Adam. Here the learning rate is 0.001, the batch size 128 and "
            "the threshold 0.15."
        ),
        (
            "The optical row uses the netlist's camera and a medium that does not drift. The sweeps (2 x "
            "512 units, 5,000 images, 5 epochs) show what else could cause the published loss of 1.8 "
            "points."
        ),
        (
            "On Cora, frozen layers reach 27 to 31 % with first weights from 0.25 to 8 times ours, and the "
            "independent check gives 37.3 %. The size of the weights is not the cause. The cause is not "
            "known."
        ),
    ),
)
