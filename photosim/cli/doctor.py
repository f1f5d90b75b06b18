"""The command `doctor`: what photosim found on this machine, for who asks why something does not work."""

from __future__ import annotations

import os
import platform
import re
import sys
from contextlib import suppress
from importlib import metadata
from typing import Any

import photosim
from photosim.analysis.result import Table
from photosim.caching import cache_folder, user_folder
from photosim.cli.show import show_json, show_tables
from photosim.memory import memory_bytes, size

_NOT_FOR_USERS = ("test",)
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?P<bounds>[^;]*)(?:;.*extra == [\"'](?P<extra>[\w-]+)[\"'])?")


def doctor(*, as_json: bool) -> None:
    """Show versions, threads, memory, the cache and which extras are installed."""
    found = {"photosim": _photosim(), "machine": _machine(), "cache": _cache()}
    libraries, extras = _packages()
    if as_json:
        show_json({**found, "libraries": libraries, "extras": extras})
        return
    tables = [
        Table(title, ("", "found"), tuple((k, str(v)) for k, v in facts.items()))
        for title, facts in found.items()
    ]
    tables.append(Table("libraries", ("package", "needed", "found"), _rows(libraries)))
    lines = [
        (extra, *row, "" if row[2] else f"python3 -m pip install 'photosim[{extra}]'")
        for extra, packages in extras.items()
        for row in _rows(packages)
    ]
    lines = [(e, p, n, f or "not installed", how) for e, p, n, f, how in lines]
    tables.append(Table("extras", ("extra", "package", "needed", "found", "to install"), tuple(lines)))
    show_tables(tables)


def _photosim() -> dict[str, Any]:
    from photosim.model import registry

    return {
        "version": photosim.__version__,
        "folder": os.path.dirname(photosim.__file__),  # noqa: PTH120 - a text is shown
        "components": sum("." not in name for name in registry.names()),
        "PHOTOSIM_COMPONENTS": os.environ.get(registry.FILES, "not set"),
    }


def _machine() -> dict[str, Any]:
    import numba

    from photosim.electronics import ngspice

    return {
        "Python": f"{platform.python_version()}, {sys.executable}",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "processors": os.cpu_count() or 1,
        "threads of kernels": f"{numba.get_num_threads()} (NUMBA_NUM_THREADS sets them)",
        "memory": size(memory_bytes()),
        "ngspice": ngspice.installed() or f"not found (Debian's {ngspice.PACKAGE} has its shared library)",
    }


def _cache() -> dict[str, Any]:
    folder = cache_folder()
    files, taken = 0, 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # gone meanwhile: other processes use the folder too
                taken += os.stat(os.path.join(place, name)).st_size  # noqa: PTH116, PTH118
                files += 1
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    can = os.access(nearest, os.W_OK)
    return {
        "folder": f"{user_folder()} (PHOTOSIM_CACHE sets it)",
        "kernels": f"{files} files, {size(taken)}",
        "can be written": "yes" if can else "no: kernels are compiled again in every process",
    }


def _packages() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, dict[str, str]]]]:
    """Return needed and found versions: of the libraries, and of the packages of each extra."""
    libraries: dict[str, dict[str, str]] = {}
    extras: dict[str, dict[str, dict[str, str]]] = {}
    for requirement in metadata.requires("photosim") or ():
        match = _REQUIREMENT.match(requirement)
        if match is None or match["extra"] in _NOT_FOR_USERS:
            continue
        place = libraries if match["extra"] is None else extras.setdefault(match["extra"], {})
        place[match["name"]] = {"needed": match["bounds"].strip(), "found": _version(match["name"])}
    return libraries, extras


def _rows(packages: dict[str, dict[str, str]]) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, facts["needed"], facts["found"]) for name, facts in packages.items())


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
