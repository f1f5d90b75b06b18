"""What the shell completes behind a command: circuits, components, systems, and files to start from."""

from __future__ import annotations

from pathlib import Path


def circuits(incomplete: str) -> list[str]:
    """Return the netlists that begin so: circuits of the gallery, and files and folders of this machine."""
    from photosim import netlist
    from photosim.netlist import siepic
    from photosim.netlist.find import SUFFIXES

    folder, _, start = incomplete.rpartition("/")
    place = Path(folder + "/") if incomplete.startswith("/") else Path(folder or ".")
    found = [name for name in sorted(netlist.gallery()) if name.startswith(incomplete)]
    try:
        paths = sorted(path for path in place.iterdir() if path.name.startswith(start))
    except OSError:
        return found
    before = incomplete[: len(incomplete) - len(start)]
    found += [f"{before}{path.name}" for path in paths if path.suffix in (*SUFFIXES, siepic.SUFFIX)]
    return found + [f"{before}{path.name}/" for path in paths if path.is_dir() and path.name[0] != "."]


def components(incomplete: str) -> list[str]:
    """Return the components whose names begin so."""
    from photosim.model import registry

    return [name for name in registry.names() if name.startswith(incomplete) and "." not in name]


def systems(incomplete: str) -> list[str]:
    """Return the published systems whose names begin so."""
    from photosim.systems import system_names

    return [name for name in system_names() if name.startswith(incomplete)]


def starters(incomplete: str) -> list[str]:
    """Return the kinds of starter files that begin so."""
    from photosim.cli.begin import STARTERS

    return [name for name in STARTERS if name.startswith(incomplete)]
