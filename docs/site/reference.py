"""Pages that nobody writes by hand: one for each public module, and one for each family of components."""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import numpy as np

import photosim as ps
from photosim import drawing
from photosim.cli import library
from photosim.model import ClosedForm, Composite, Model, registry
from photosim.plotting import COLOURS, DASHES, STYLE

_REFERENCE = """# Reference

Every public name, from the docstrings. Lengths and wavelengths are in um, powers in W, angles in rad,
unless a name says otherwise ([conventions](../docs/conventions.md)).
"""
_COMPONENTS = """# Components

The library has {} components. Each entry is made from its declaration: what it is and what it leaves
out, ports, settings, formula, where the model holds, its source, and the power that passes at its
defaults.

| component | what it is |
|---|---|
"""
LONGEST_FORMULA = 220
"""Characters of LaTeX in one line of a formula; longer ones are shown as text."""
LONGEST_VALUE = 24
MOST_PORTS = 8
DARK = 1e-6
"""Power below which nothing is drawn."""
FLAT = 1e-3
"""Change of power within the window below which no spectrum is drawn."""

MODULES = {
    "photosim": "The names of `import photosim as ps`",
    "photosim.losses": "Losses of an S-matrix",
    "photosim.netlist": "Netlists",
    "photosim.files": "Files of S-parameters",
    "photosim.signals": "Light and noise at detectors",
    "photosim.timedomain.waveforms": "Waveforms",
    "photosim.training": "Estimators",
    "photosim.training.devices": "Devices that learn",
    "photosim.pdk": "Design kits",
    "photosim.testing": "Laws of physics as tests",
    "photosim.gallery": "The gallery",
}
"""Public modules in the order of the reference, with titles."""
QUESTIONS = ("sweep", "montecarlo", "fit", "optimise", "budget", "link", "transient", "figures", "response")
"""Functions of `photosim` that answer a question about a circuit: they come first."""


def api_pages() -> Mapping[str, str]:
    """Return the text of each page of the reference by file name, and of its index."""
    known: set[int] = set()
    pages = {}
    for name, title in MODULES.items():
        module = importlib.import_module(name)
        pages[f"{name}.md"] = _module_page(module, title, known)
    listed = "\n".join(name.removesuffix(".md") for name in pages)
    pages["index.md"] = f"{_REFERENCE}\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"
    return pages


def public_names(module: ModuleType) -> Sequence[str]:
    """Return the public names of a module, as `__all__` or its own functions and classes."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return tuple(listed)
    own = [n for n, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    return tuple(sorted(name for name in own if not name.startswith("_")))


def _module_page(module: ModuleType, title: str, known: set[int]) -> str:
    """Return a page with an entry for each name that no page before has."""
    names = sorted(public_names(module), key=lambda n: (n not in QUESTIONS, n.lower()))
    text = [f"# {title}\n", "```{eval-rst}", f".. currentmodule:: {module.__name__}", ""]
    for name in names:
        thing = getattr(module, name)
        if isinstance(thing, ModuleType) or id(thing) in known:
            continue
        known.add(id(thing))
        if inspect.isclass(thing):
            text += [f".. autoclass:: {name}", "   :members:", "   :undoc-members:", ""]
        elif callable(thing):
            text += [f".. autofunction:: {name}", ""]
        else:
            text += [f".. autodata:: {name}", "   :no-value:", ""]
    return "\n".join([*text, "```", ""])


def component_pages(pictures: Path) -> Mapping[str, str]:
    """Return a page for each family of components by file name, and their index.

    pictures: folder for the spectra; made if it does not exist.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    families: dict[str, list[Model]] = {}
    for name in registry.names():
        if "." not in name:
            model = registry.get(name)
            families.setdefault(model.function.__module__.rpartition(".")[2], []).append(model)
    pages, rows = {}, []
    for family, models in sorted(families.items()):
        title = family.replace("_", " ").capitalize()
        parts = [f"# {title}\n"]
        for model in models:
            parts.append(_component(model, pictures))
            summary = " ".join(model.summary.split())
            rows.append(f"| [{model.name}]({family}.md#{model.name.replace('_', '-')}) | {summary} |\n")
        pages[f"{family}.md"] = "\n".join(parts)
    listed = "\n".join(name.removesuffix(".md") for name in pages)
    head = _COMPONENTS.format(sum(map(len, families.values())))
    pages["index.md"] = f"{head}{''.join(rows)}\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    return pages


def _component(model: Model, pictures: Path) -> str:
    """Return one entry: prose, picture, ports, settings, formula, window, source."""
    facts = library.facts(model)
    kind = f"*{model.kind}*; ports {', '.join(f'`{port}`' for port in facts['ports']) or 'none'}"
    if facts["electrical"]:
        kind += f"; electrical {', '.join(f'`{port}`' for port in facts['electrical'])}"
    text = [f"## {model.name}\n", kind + "\n"]
    if symbol := _symbol(model, pictures):
        text.append(f"![symbol of {model.name}]({symbol})\n")
    text.append(library.prose(model) + "\n")
    if picture := _spectrum(model, pictures):
        text.append(f"![power that passes {model.name} at its defaults, over the wavelength]({picture})\n")
    if facts["parameters"]:
        text.append("| setting | default | unit | bounds | meaning |\n|---|---|---|---|---|")
        for name, own in facts["parameters"].items():
            unit = "" if own["unit"] == "1" else own["unit"]
            cells = (f"`{name}`", _shown(own["default"]), unit, own["bounds"], own["text"] or "")
            text.append("| " + " | ".join(" ".join(str(c).replace("|", "\\|").split()) for c in cells) + " |")
        text.append("")
    text += _formula(model)
    for title, windows in facts["windows"].items():
        text += [f"{title}\n", *(f"* {window}" for window in windows), ""]
    return "\n".join([*text, f"Source: {model.source}\n"])


def _shown(default: object) -> str:
    if default is None:
        return "none"
    text = f"{default:g}" if isinstance(default, float) else str(default)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + " ..."


def _formula(model: Model) -> list[str]:
    """Return the formula: as mathematics where it fits a line, else as text with repeated parts named."""
    found = []
    for title, lines in library.formulas_of(model, latex=False).items():
        if "Formula" in title and isinstance(model, ClosedForm):
            latex = model.latex()
            if max(map(len, latex.split("\\\\"))) <= LONGEST_FORMULA:
                found.append(f"{title}\n\n$$\n{latex}\n$$\n")
                continue
        found.append(f"{title}\n\n```text\n" + "\n".join(lines) + "\n```\n")
    return found


def _file_name(model: Model) -> str:
    return re.sub(r"[^\w,]", "_", model.name)


def _symbol(model: Model, pictures: Path) -> str | None:
    """Draw the symbol of a component; None where one alone cannot be drawn, as without a file of its own."""
    ports = model.ports_for({})
    netlist = {"instances": {"part": model.name}, "ports": {port: f"part,{port}" for port in ports}}
    try:
        picture = drawing.draw(ps.netlist.from_dict(netlist, model.name))
    except ps.PhotosimError:
        return None
    path = pictures / f"{_file_name(model)}_symbol.svg"
    picture.save(path)
    return f"{pictures.name}/{path.name}"


def _spectrum(model: Model, pictures: Path) -> str | None:
    """Draw the power from the first optical port to the others at the defaults; None where there is none."""
    ports = model.ports_for({})
    if not isinstance(model, ClosedForm | Composite) or not 2 <= len(ports) <= MOST_PORTS:
        return None
    netlist = {
        "name": model.name,
        "instances": {"part": model.name},
        "ports": {port: f"part,{port}" for port in ports},
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ps.PhotosimWarning)
            wl = ps.wavelengths(1.53, 1.57, 2001)
            s = ps.Circuit(netlist)(wl)
    except ps.PhotosimError:
        return None  # a part with a setting that has no default, or that is not of this band
    power = {port: abs(s[ports[0], port].values) ** 2 for port in ports}
    if all(float(np.ptp(own)) < FLAT for own in power.values()):
        return None  # a horizontal line tells nothing
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(6.0, 2.6), layout="constrained")
    lit = {port: own for port, own in power.items() if own.max() > DARK}
    for (port, own), colour, dash in zip(lit.items(), cycle(COLOURS), cycle(DASHES), strict=False):
        axes.plot(wl, own, label=f"{ports[0]} to {port}", color=colour, linestyle=dash)
    axes.set(xlabel="wavelength (um)", ylabel="power", xlim=(wl[0], wl[-1]), ylim=(-0.02, 1.02))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(pictures / f"{_file_name(model)}.svg")
    plt.close(figure)
    return f"{pictures.name}/{_file_name(model)}.svg"
