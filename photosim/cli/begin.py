"""The command `new`: a commented file to start from."""

from __future__ import annotations

from importlib.resources import files as resources
from pathlib import Path

import typer

from photosim.errors import DataError, ParameterError, did_you_mean
from photosim.files import check_target
from photosim.files.atomic import replacing

STARTERS = {
    "circuit": ("circuit.yml", "photosim simulate {file} --wl 1.54:1.56:auto --plot circuit.png"),
    "component": ("component.py", "photosim --components {file} components window_pane"),
    "analysis": ("analysis.yml", "photosim run {file}"),
    "kit": ("kit.yml", "photosim pdk check {file}"),
}


def new(thing: str, file: Path | None) -> None:
    """Write the starter file of a circuit, component, list of analyses or kit; never over a file."""
    if thing not in STARTERS:
        near = did_you_mean(thing, STARTERS)
        message = f"There is no starter file of {thing!r}: choose from {', '.join(STARTERS)}.{near}"
        raise ParameterError(message)
    name, command = STARTERS[thing]
    target = check_target(file if file is not None else Path(name), (Path(name).suffix,))
    if target.exists():
        message = f"{target} exists already: give another name."
        raise DataError(message)
    folder = resources("photosim.cli") / "starters"
    # A .py there would be taken for a module of photosim.
    source = folder / (name if name.endswith(".yml") else f"{name}.txt")
    text = source.read_text(encoding="utf-8")
    with replacing(target) as half:
        half.write_text(text.replace(name, target.name), encoding="utf-8")
    typer.echo(f"Wrote {target}\nNext: {command.format(file=target)}")
