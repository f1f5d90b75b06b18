"""Pictures of a budget: power by part, what each constant's interval does, loss along the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.plotting.canvas import COLOURS, DARK, canvas, in_style, name_axis, titled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from photosim.analysis.budgets.result import BudgetResult

MOST_BARS = 14
_UNITS = (
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "\N{GREEK SMALL LETTER MU}"),
    (1e-9, "n"),
    (1e-12, "p"),
    (1e-15, "f"),
)


@public
def for_budget(result: BudgetResult) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw power by part, energy over each constant, and loss on the path.

    result: of a budget.
    """
    found: dict[str, Callable[[], Figure]] = {"parts": lambda: parts(result)}
    if np.ptp(result.data["energy_over"].values) > 0.0:
        found["constants"] = lambda: constants(result)
    if result.data.sizes["element"]:
        found["way"] = lambda: way(result)
    return found


def parts(result: BudgetResult) -> Figure:
    """Draw the energy of an operation (bit, cycle) by part with its interval, and published totals."""
    data = result.data
    per = _shown(data)
    values = data["energy"].sel(per=per).values
    order = [int(k) for k in np.argsort(-values[:, 0], kind="stable") if values[k, 0] > 0.0]
    kept = order[: MOST_BARS if len(order) <= MOST_BARS else MOST_BARS - 1]
    rows = [(_name(data, k), values[k], COLOURS[0]) for k in kept]
    left = order[len(kept) :]
    if left:
        rows.append((f"{len(left)} others", values[left].sum(axis=0), COLOURS[0]))
    digital = data["digital_energy"].sel(per=per).values
    if digital[0] > 0.0:
        rows.append(("computer", digital, COLOURS[0]))
    rows.append(("all", data["total_energy"].sel(per=per).values, DARK))
    if "published" in data:
        for k in range(data.sizes["published"]):
            one = data.isel(published=k)
            if str(one["published_per"].item()) == per:
                name = str(one["published"].item())
                rows.append((f"{name}: ours", one["our_energy"].values, COLOURS[2]))
                rows.append((f"{name}: published", np.repeat(float(one["published_energy"]), 3), COLOURS[1]))
    rows.reverse()
    with in_style():
        figure, axes = canvas((6.6, 1.1 + 0.26 * len(rows)))
        middle = np.array([v[0] for _, v, _ in rows])
        factor, prefix = _unit(float(middle.max(initial=0.0)))
        spread = np.array([[v[0] - v[1], v[2] - v[0]] for _, v, _ in rows]).T / factor
        axes.barh(range(len(rows)), middle / factor, color=[c for *_, c in rows], height=0.66, xerr=spread,
                  error_kw={"ecolor": "#303030", "elinewidth": 0.8, "capsize": 2})  # fmt: skip
        axes.set_yticks(range(len(rows)), [name for name, *_ in rows], fontsize=8)
        axes.set(xlabel=f"energy of {_article(per)} ({prefix}J), bars: interval of the constants")
        axes.set_xlim(left=0.0)
        axes.grid(visible=False, axis="y")
        titled(axes, f"{result.name}: energy by part")
    return figure


def constants(result: BudgetResult) -> Figure:
    """Draw what the interval of each constant alone does to the energy in all."""
    data = result.data
    per = _shown(data)
    over = data["energy_over"].sel(per=per).values
    ranked = np.argsort(-np.ptp(over, axis=1), kind="stable")
    order = [int(k) for k in ranked if np.ptp(over[k]) > 0.0][:MOST_BARS][::-1]
    total = float(data["total_energy"].sel(per=per)[0])
    factor, prefix = _unit(total)
    with in_style():
        figure, axes = canvas((6.6, 1.1 + 0.26 * len(order)))
        for n, k in enumerate(order):
            low, high = sorted((over[k] - total).tolist())
            axes.barh(n, high / factor, left=total / factor, color=COLOURS[1], height=0.66)
            axes.barh(n, low / factor, left=total / factor, color=COLOURS[0], height=0.66)
        axes.axvline(total / factor, color=DARK, linewidth=0.8)
        names = [str(data["constant"].values[k]).replace("_", " ") for k in order]
        axes.set_yticks(range(len(order)), names, fontsize=8)
        axes.set(xlabel=f"energy of {_article(per)} ({prefix}J)")
        axes.grid(visible=False, axis="y")
        titled(axes, f"{result.name}: what the constants' intervals do")
    return figure


def way(result: BudgetResult) -> Figure:
    """Draw the loss of the parts on the way of the light."""
    data = result.data
    losses = np.where(np.isfinite(data["loss_dB"].values), data["loss_dB"].values, np.nan)
    names = [str(n) for n in data["element"].values]
    with in_style():
        figure, axes = canvas((min(6.6, 2.2 + 0.7 * len(names)), 3.0))
        axes.bar(range(len(names)), losses, color=COLOURS[0], width=0.66)
        name_axis(axes, names, longest=min(48, 9 * len(names)))
        axes.set(ylabel="loss (dB)")
        axes.grid(visible=False, axis="x")
        titled(axes, f"{result.name}: loss on the way, {np.nansum(losses):.1f} dB in all")
    return figure


def _shown(data: Any) -> str:
    """Return the energy to draw: that of an update, an operation, a bit or a cycle, the first there is."""
    known = [str(name) for name in data["per"].values]
    for wanted in ("update", "operation", "bit"):
        found = [name for name in known if name.startswith(wanted)]
        if found:
            return found[-1]
    return "cycle"


def _article(per: str) -> str:
    return f"{'an' if per[0] in 'aeiou' else 'a'} {per}"


def _name(data: Any, k: int) -> str:
    count = int(data["count"].values[k])
    name = str(data["part"].values[k])
    return f"{name} ({count:,})" if count > 1 else name


def _unit(largest: float) -> tuple[float, str]:
    return next(((f, p) for f, p in _UNITS if largest >= f), _UNITS[-1])
