"""The command `components`: the library as a table, and one component with its settings and formula."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from photosim.analysis.result import Table, plain
from photosim.cli.group import say
from photosim.cli.show import show_json, show_tables
from photosim.errors import ParameterError
from photosim.model import registry
from photosim.netlist.values import parameters_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.model import Model
    from photosim.model.parameters import Parameter

_LONG = 100
"""A formula with more characters than this is shown with its repeated parts named."""


def add_files(paths: list[Path]) -> None:
    """Add the components of Python files to the library, in the processes that this one starts too."""
    listed = filter(None, os.environ.get(registry.FILES, "").split(os.pathsep))
    os.environ[registry.FILES] = os.pathsep.join([*listed, *(str(path.resolve()) for path in paths)])
    registry.names()  # loads them, so that a mistake in one is said before any other


def components(words: tuple[str, ...], *, latex: bool, as_json: bool) -> None:
    """Show the component of this name, or list all with these words, all of them without a word."""
    from photosim.cli import shelf

    name = words[0] if len(words) == 1 else ""
    if name in registry.names():
        show_component(name, latex=latex, as_json=as_json)
        return
    models = shelf.components(words)
    if as_json:
        show_json({model.name: {**facts(model), "also": list(shelf.also_called(model))} for model in models})
    else:
        shelf.list_components(models)


def show_component(name: str, *, latex: bool, as_json: bool) -> None:
    """Show what a component is, its ports, parameters, formula and source."""
    model = registry.get(name)
    formulas = formulas_of(model, latex=latex)
    if as_json:
        show_json({"name": model.name, **facts(model), "formula": formulas})
        return
    typer.echo(f"{model.name} ({model.kind})\n\n{prose(model)}\n")
    show_tables([_port_table(model), _parameter_table(model)])
    for title, lines in formulas.items():
        typer.echo(f"{title}\n" + "\n".join(f"  {line}" for line in lines) + "\n")
    for title, windows in _windows(model).items():
        typer.echo(f"{title}\n" + "\n".join(f"  {window}" for window in windows) + "\n")
    typer.echo(f"Source: {model.source}")


def facts(model: Model) -> dict[str, Any]:
    """Return what there is to know about a model as plain JSON types."""
    return {
        "kind": model.kind,
        "summary": model.summary,
        "ports": list(model.ports_for({})),
        "electrical": list(model.electrical_for({})),
        "aliases": dict(model.aliases_for({})),
        "source": model.source,
        "layout_settings": list(model.layout_settings),
        "windows": _windows(model),
        "parameters": {
            p.name: {"default": plain(p.default), "unit": p.unit, "bounds": p.bounds(), "text": p.text}
            for p in parameters_of(model).values()
        },
    }


def _windows(model: Model) -> dict[str, list[str]]:
    """Return where a model and its variants hold, under a title each."""
    models = {"Holds at:": model}
    variants: Mapping[str, Model] = getattr(model, "variants", {})
    models |= {f"With the setting {key!r} holds at:": variant for key, variant in variants.items()}
    return {
        title: [f"{window.stated()} ({window.basis})" for window in one.windows if not window.zero]
        for title, one in models.items()
        if any(not window.zero for window in one.windows)
    }


def prose(model: Model) -> str:
    """Return the docstring up to the list of settings, which the table shows better."""
    return model.doc.partition("\nSettings:")[0].strip()


def _port_table(model: Model) -> Table:
    aliases = model.aliases_for({})
    rows = tuple(
        (port, " ".join(alias for alias, meant in aliases.items() if meant == port))
        for port in (*model.ports_for({}), *model.electrical_for({}))
    )
    return Table("ports", ("port", "also called"), rows)


def _parameter_table(model: Model) -> Table:
    rows = tuple((*_parameter_cells(p), p.text) for p in parameters_of(model).values())
    return Table("parameters", ("parameter", "default", "unit", "bounds", "meaning"), rows)


def _parameter_cells(parameter: Parameter) -> tuple[str, str, str, str]:
    default = parameter.default
    text = "none" if default is None else f"{default:g}" if isinstance(default, float) else str(default)
    unit = "" if parameter.unit == "1" else parameter.unit
    return parameter.name, text, unit, parameter.bounds()


def formulas_of(model: Model, *, latex: bool) -> dict[str, list[str]]:
    """Return the lines of each formula of a closed form, or the parts of a composite, under a title."""
    from photosim.model import ClosedForm, Composite

    if isinstance(model, Composite):
        inner = model.build({})
        parts = [f"{name}: {instance.component}" for name, instance in inner.instances.items()]
        wires = [f"{a},{p} - {b},{q}" for (a, p), (b, q) in inner.connections]
        return {"Made of (at its defaults):": parts, "Connected by:": wires}
    if not isinstance(model, ClosedForm):
        return {}
    forms = {"Formula, I**2 = -1 (elements that are not listed follow by reciprocity or are zero):": model}
    if not model.reciprocal:
        forms = {"Formula, I**2 = -1 (elements that are not listed are zero):": model}
    forms |= {f"With the setting {key!r}:": variant for key, variant in model.variants.items()}
    return {title: _lines(form, latex=latex) for title, form in forms.items()}


def _lines(model: Any, *, latex: bool) -> list[str]:
    """Return a formula line by line; long ones with their repeated parts named first."""
    if latex:
        return str(model.latex()).replace(r" \\ ", " \\\\\n  ").splitlines()
    import sympy

    formula = model.formula()
    names, values = [], list(formula.values())
    if any(len(str(value)) > _LONG for value in values):
        names, values = sympy.cse(values, symbols=sympy.numbered_symbols("x"))
    lines = [f"{name} = {part}" for name, part in names]
    lines += [f"S({a} to {b}) = {value}" for (a, b), value in zip(formula, values, strict=True)]
    if any("Cis(" in line for line in lines):
        lines.append("where cis(x) = exp(I x)")
    return [line.replace("Cis(", "cis(") for line in lines]


def try_laws(thing: str, examples: int, seed: int, *, as_json: bool) -> None:
    """Try the laws on a component, a netlist, a table or a Python file's components; exit 1 if one breaks."""
    from photosim.caching import cache_folder

    # hypothesis keeps what it reads off source files: not in the user's own folder.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache_folder().with_name("hypothesis")))
    from photosim.testing import check

    names = registry.load_file(thing) if thing.endswith(".py") else (thing,)
    if not names:
        message = f"{thing!r} declares no component."
        raise ParameterError(message)
    reports = [check(name, examples=examples, seed=seed, raises=False) for name in names]
    if as_json:
        show_json({report.name: report.numbers() for report in reports})
    else:
        show_tables([report.table() for report in reports])
        for report in reports:
            for verdict in report.broken:
                said = f" {verdict.said}" if verdict.said else ""
                law = verdict.law
                say(f"{report.name} breaks the law of {law.name}: {law.statement} ({law.formula}).{said}")
                if verdict.netlist is not None:
                    typer.echo(f"The smallest circuit that breaks it:\n{verdict.netlist}")
    if any(report.broken for report in reports):
        raise typer.Exit(1)
