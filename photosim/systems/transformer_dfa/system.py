"""Optical direct feedback alignment of a Transformer (wang2026)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import pairwise

import numpy as np

from photosim.analysis.chart import Chart, Picture
from photosim.analysis.result import Table
from photosim.jobs.fingerprint import fingerprint
from photosim.systems.harness.data import text_of
from photosim.systems.harness.system import Case, Options, Outcome, Published, Row, System
from photosim.systems.transformer_dfa import billion, scaling
from photosim.systems.transformer_dfa.runs import FED_BACK, FULL, NETLIST, RULES, SMALL, train

EXPECTED = ("backprop", "dfa", "ternary", "optical", "frozen")
"""Rules in the expected order of their losses."""


def _cases(options: Options) -> Sequence[Case]:
    recipe = SMALL if options.quick else FULL
    plain = asdict(recipe)
    if options.data == "manual":
        plain["text"] = fingerprint(text_of(options))  # another one in each version of Python
    cases = [Case(name, partial(train, options, recipe, name), plain) for name in RULES]
    cross = Case(
        "scaling",
        lambda _seed, _path, _report: {
            "plain": scaling.BASE.crossover() / 1e9,
            "off": scaling.OFFLOADED.crossover() / 1e9,
        },
        {"plain": asdict(scaling.BASE), "off": asdict(scaling.OFFLOADED)},
        repeated=False,
    )
    return [*cases, cross]


def _rows(_options: Options) -> Sequence[Row]:
    published = Published(scaling.PUBLISHED / 1e9, "secondary")
    return (
        *(Row(f"held-out loss, {label}", name, "loss", "nats", digits=3) for name, label in RULES.items()),
        Row("frames", "optical", "frames", "", digits=0),
        Row("errors that are all zeros, not sent", "optical", "skipped", "%", digits=1),
        Row("time of the optics", "optical", "minutes", "min"),
        Row("light on mirrors and camera", "optical", "light_J", "J", digits=3),
        Row("electrons per pixel from one character", "optical", "electrons", "", digits=1),
        Row("cross-over, no offloading", "scaling", "plain", "billion parameters", published),
        Row("cross-over, offloading", "scaling", "off", "billion parameters", published),
    )


def order(outcome: Outcome) -> Table | None:
    """Return which neighbours of the expected order differ by two standard errors, and which way."""
    rows = []
    for lower, higher in pairwise(EXPECTED):
        if min(len(outcome.of(lower)), len(outcome.of(higher))) < 2:
            return None
        one, other = outcome.values(lower, "loss"), outcome.values(higher, "loss")
        gap = float(other.mean() - one.mean())
        error = float(np.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size))
        verdict = "not distinguished" if abs(gap) < 2.0 * error else "yes" if gap > 0.0 else "reversed"
        rows.append((f"{lower} < {higher}", f"{gap:+.3f}", f"{error:.3f}", verdict))
    return Table("Expected order of losses", ("pair", "gap, nats", "standard error", "holds"), tuple(rows))


def _alignment(outcome: Outcome) -> Table | None:
    rows = []
    for name in FED_BACK:
        if not outcome.of(name):
            continue
        mean, error, redrawn = (outcome.values(name, key) for key in ("cosine", "cosine error", "redrawn"))
        for block in range(mean.shape[1]):
            beyond = np.min(mean[:, block] / error[:, block])
            rows.append(
                (
                    name,
                    block + 1,
                    f"{mean[:, block].mean():+.4f}",
                    f"{error[:, block].mean():.4f}",
                    f"{beyond:.1f}",
                    f"{redrawn[:, block].mean():+.4f}",
                )
            )
    columns = ("rule", "block", "cosine", "standard error", "errors above 0, worst seed", "redrawn feedback")
    return Table("Alignment with the exact gradient", columns, tuple(rows)) if rows else None


def _texts(outcome: Outcome) -> Table | None:
    rows = [(name, repr(outcome.of(name)[0]["text"])) for name in RULES if outcome.of(name)]
    return Table("What the first seed's network writes", ("rule", "text"), tuple(rows)) if rows else None


def _tables(outcome: Outcome) -> Sequence[Table]:
    found = (order(outcome), _alignment(outcome), _texts(outcome), scaling.table())
    return [table for table in found if table is not None]


def _pictures(outcome: Outcome) -> Sequence[Picture]:
    curves = outcome.curves(RULES, "curve")
    title = "Next character, by what trains the blocks"
    return [Chart("loss", title, "epoch", "held-out loss, nats a character", curves)] if curves else ()


SYSTEM = System(
    name="transformer-dfa",
    title="optical direct feedback alignment of a Transformer",
    source="wang2026",
    cases=_cases,
    rows=_rows,
    data=("tinyshakespeare", "manual"),
    reads=("text",),
    quick_data="manual",
    seeds=3,
    pictures=_pictures,
    tables=_tables,
    netlists=(NETLIST,),
    large={billion.NAME: billion.run},
    remarks=(
        (
            "No published loss can be compared, because sizes, data and losses of the paper are not known "
            "to us. The network is a substitute with 0.8 million parameters. It tests the order of the "
            "rules."
        ),
        (
            "Placement macro: the output of every block gets the same product, and gradients inside a "
            "block are exact. The embedding learns from the error that leaves the first block backwards. "
            "The read-out starts at zero and learns from the exact error."
        ),
        (
            "Errors are rounded to -1, 0 and 1 at random, so that they are right on average. If a "
            "threshold of 0.15 or 0.05 rounds them, they no longer cancel over the tokens, and the loss "
            "stays at that of the character frequencies: 3.29 and 3.30 nats after 131,072 characters. "
            "Random rounding gives 2.64 nats and exact errors give 2.62 (one seed)."
        ),
        (
            "The number of frames is 2 signs x 2 phase steps x the number of tokens with an entry that is "
            "not rounded to 0. The cross-over is computed from stated constants and is not fitted."
        ),
    ),
)
