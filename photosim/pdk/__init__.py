"""Process design kits: read as they are written, and held against the component library.

    kit = ps.pdk.read("my_kit/")              # pdk-schema 0.3 JSON, or plain YAML of ours
    for finding in ps.pdk.check(kit):
        print(finding)
    kit.variation(circuit), kit.corner_settings(circuit), kit.netlist(cell)   # for a yield

Nothing that a kit names is imported or run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from photosim.arguments import check_arguments
from photosim.errors import NetlistError, listing
from photosim.netlist.compose import MAX_BYTES, compose
from photosim.netlist.text import read_utf8
from photosim.pdk.audit import Finding, audit
from photosim.pdk.cards import is_cards, read_cards
from photosim.pdk.kit import Kit
from photosim.pdk.plain import KEY, read_plain

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["Finding", "Kit", "check", "read"]

SUFFIXES = (".json", ".yml", ".yaml")
MAX_FILES = 2000
"""Files of a folder that are examined."""


def read(path: str | PathLike[str]) -> Kit:
    """Return a kit from a file, or from all files of a folder.

    Raises NetlistError for a missing file, a wrong version, an unknown key or a binding that is not a name,
    with file and line.
    """
    check_arguments(read, locals())
    place = Path(path)
    if place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        if len(files) > MAX_FILES:
            raise NetlistError(f"{str(path)!r} holds {len(files)} files; a kit has at most {MAX_FILES}")
        kits = [_read_file(file) for file in files]
        found = [kit for kit in kits if isinstance(kit, Kit)]
        others = tuple(text for text in kits if isinstance(text, str))
        if not found:
            what = f": {listing(others, 3)}" if others else ", which has no .json, .yml or .yaml"
            raise NetlistError(f"there is no kit in the folder {str(path)!r}{what}")
        return _joined(place.name, found, others)
    if not place.is_file():
        raise NetlistError(
            f"there is no file or folder {str(path)!r}: give a kit, or the folder that holds it"
        )
    kit = _read_file(place)
    if isinstance(kit, str):
        raise NetlistError(kit)
    return kit


def _read_file(file: Path) -> Kit | str:
    """Return the kit of a file, or why it is none."""
    tree = compose(read_utf8(file, str(file), MAX_BYTES), str(file), file.parent)
    if isinstance(tree.data, dict) and KEY in tree.data:
        return read_plain(tree, file.stem)
    if is_cards(tree.data):
        return read_cards(tree, file.stem)
    return (
        f"{file} is not a kit: it has neither {KEY!r}, as our own files have, nor the 'representation' of a "
        "model card of pdk-schema"
    )


def _joined(name: str, kits: list[Kit], others: tuple[str, ...]) -> Kit:
    """Return one kit of several files."""
    return Kit(
        name,
        tuple(cell for kit in kits for cell in kit.cells),
        {key: value for kit in kits for key, value in kit.corners.items()},
        {key: value for kit in kits for key, value in kit.random_vars.items()},
        {key: value for kit in kits for key, value in kit.marks.items()},
        others,
    )


def check(kit: Kit | str | PathLike[str]) -> list[Finding]:
    """Return everything in which a kit and the component library differ, a sentence each.

    Raises NetlistError as :func:`read`.
    """
    return audit(kit if isinstance(kit, Kit) else read(kit))
