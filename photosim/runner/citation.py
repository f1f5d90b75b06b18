"""The sources of what a circuit, a netlist's analyses or a published system uses, as BibTeX."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim import netlist as netlists
from photosim.arguments import public
from photosim.errors import ParameterError, did_you_mean
from photosim.model import registry
from photosim.runner.run import prepare

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.model import Model

_ENTRY = re.compile(r"^@\w+\{\s*([^,\s]+)\s*,", re.MULTILINE)
_LIBRARY = Path(registry.__file__).parents[1] / "components" / "sources.bib"


@public
def cite(thing: Circuit | str | Path) -> str:
    """Return the BibTeX entries of all sources that a circuit is based on, and of photosim itself.

    These are the sources of its components and of their inner components, those of the learning rules of its
    `train` analyses, and those of the components of circuits that these name as `hardware`. Sources of
    your own components are looked up in a `sources.bib` beside the file that declares them.

    thing: a circuit, a netlist file, a name of the gallery, a component, a learning rule
    (`photosim.training.rules.catalogue.RULES`) or a published system (`photosim reproduce` lists them).

    Raises ParameterError for any other name.

    >>> print(cite("mzi_balanced"))  # doctest: +ELLIPSIS
    @software{photosim,
    ...
    """
    keys, models = _used(thing)
    return "\n\n".join([_photosim(), *_entries(keys, models)])


def _used(thing: Any) -> tuple[list[str], list[Model]]:
    """Return the keys of the rules and systems that `thing` uses, and its components."""
    from photosim.circuit import Circuit, load
    from photosim.systems import find_system, system_names
    from photosim.training.rules.catalogue import RULES

    if isinstance(thing, Circuit):
        trainings = [job.options for job in prepare(thing) if job.kind == "train"]
        keys = [key for own in trainings for rule in own.rules for key in _of_rule(rule)]
        others = [load(name) for own in trainings for name in _netlists(own.hardware)]
        return keys, [model for circuit in (thing, *others) for model in _models(circuit)]
    if not isinstance(thing, str | Path):
        message = f"cite takes a circuit, a file or a name, not {thing!r}."
        raise ParameterError(message)
    name = str(thing)
    if name in system_names():
        return [find_system(name).source], []
    if name in RULES:
        return _of_rule(name), []
    if registry.known(name):
        return [], [registry.get(name)]
    if not Path(name).suffix and not Path(name).exists() and name not in netlists.gallery():
        known = [*registry.names(), *RULES, *system_names(), *netlists.gallery()]
        message = (
            f"There is no netlist, component, learning rule or published system {name!r}."
            f"{did_you_mean(name, known)}"
        )
        raise ParameterError(message)
    return _used(load(thing))


def _models(circuit: Circuit) -> list[Model]:
    """Return the components of a circuit, those that are made of others included."""
    graph = circuit.graph
    return [*graph.composites.values(), *(part.model for part in graph.parts)]


def _netlists(hardware: Any) -> list[str | Path]:
    """Return the names and paths of netlists among the hardware of a training: one, or one a layer."""
    several = hardware if isinstance(hardware, list | tuple) else [hardware]
    return [one for one in several if isinstance(one, str | Path)]


def _of_rule(name: str) -> list[str]:
    from photosim.training.options import catalogued
    from photosim.training.rules.catalogue import CATALOGUE

    return list(getattr(CATALOGUE[catalogued(name)].kind, "sources", ()))


def _entries(keys: Iterable[str], models: Iterable[Model]) -> list[str]:
    """Return the entries of the sources of models and the keys of the library's own, by key, each once."""
    library = _read(_LIBRARY)
    found = {key: library[key] for key in keys}
    for model in models:
        if not model.source or model.source in found:
            continue
        if model.source in library:
            found[model.source] = library[model.source]
            continue
        own = _read(Path(inspect.getfile(model.function)).with_name("sources.bib"))
        note = f"@misc{{{model.source},\n  note = {{Source of the component {model.name}}},\n}}"
        found[model.source] = own.get(model.source, note)
    return [found[key] for key in sorted(found)]


def _read(file: Path) -> dict[str, str]:
    """Return the entries of a BibTeX file by key; none if there is no such file."""
    if not file.is_file():
        return {}
    text = file.read_text(encoding="utf-8")
    starts = [match.start() for match in _ENTRY.finditer(text)]
    ends = [*starts[1:], len(text)]
    entries = [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    keys = [match.group(1) for match in _ENTRY.finditer(text)]
    return dict(zip(keys, entries, strict=True))


def _photosim() -> str:
    import photosim

    return (
        "@software{photosim,\n"
        "  author  = {{The photosim developers}},\n"
        "  title   = {photosim: a physics-level photonic circuit simulator},\n"
        f"  version = {{{photosim.__version__}}},\n"
        "  year    = {2026},\n"
        "}"
    )
