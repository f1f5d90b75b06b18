"""Where a netlist is: a file, or one of the packaged gallery by its name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from photosim.arguments import public
from photosim.errors import NetlistError, did_you_mean, listing

if TYPE_CHECKING:
    from os import PathLike

SUFFIXES = (".yml", ".yaml", ".json")
_GALLERY = "photosim.gallery"


@public
def gallery() -> dict[str, Path]:
    """Return the files of the packaged gallery by name, without their suffix."""
    folder = Path(str(resources.files(_GALLERY)))
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES}


@public
def find(path: str | PathLike[str]) -> Path:
    """Return the file of a path, or of a gallery circuit by its name (with or without its suffix).

    A name of the gallery without a suffix always means the gallery, so that a folder of results with the name
    of a circuit does not hide it. Write ./NAME for a file with that name.

    Raises:
        NetlistError: neither exists; the message has the nearest name of the gallery.
    """
    known = gallery()
    if str(path) in known:
        return known[str(path)]
    try:
        place = Path(path)
        if place.is_file():
            return place
        exists = place.exists()
    except (OSError, ValueError) as error:  # a name too long, or with a null byte
        reason = getattr(error, "strerror", None) or str(error)
        raise NetlistError(f"{str(path)[:60]!r} cannot be the name of a file: {reason.lower()}.") from None
    if exists:
        raise NetlistError(f"{str(path)!r} is not a file; give a netlist, in YAML or JSON")
    name = place.name.removesuffix(place.suffix) if place.suffix in SUFFIXES else place.name
    if place.parent == Path() and name in known and place.name == known[name].name:
        return known[name]
    raise NetlistError(
        f"There is no file {str(path)!r}, and no netlist of that name in the gallery, which has: "
        f"{listing(known, 20)}.{did_you_mean(name, known)}"
    )
