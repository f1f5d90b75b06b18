"""Nouns that notebooks show: as pieces of HTML, or as their tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

from photosim.display.brief import Brief, rows
from photosim.display.html import figure, page, properties, svg, table
from photosim.errors import ParameterError, PhotosimError, did_you_mean, listing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_TABLES = 4
MOST_DRAWN = 200
"""Largest number of instances of a netlist that a notebook draws by itself."""


class Shown(Brief):
    """A noun that notebooks show by the pieces of HTML that it gives."""

    def html_blocks(self) -> Iterable[str]:
        """Return what a notebook shows, one below the other: its fields in a few words each."""
        yield properties(type(self).__name__, rows(self))

    def _repr_html_(self) -> str:
        return page(self.html_blocks())


class Tabled(Shown):
    """A result with tables and pictures: notebooks show the first of each."""

    def tables(self) -> Iterable[Any]:
        """Return the tables that people read: each a title, columns and rows."""
        raise NotImplementedError

    def plot(self, name: str | None = None) -> Figure:
        """Draw the picture of this name, the first one without; return the matplotlib figure.

        Raises ParameterError for a picture that the result does not have, and lists those that it has.
        """
        drawn = pictures_of(self)
        if not drawn:
            message = f"{type(self).__name__} has no picture."
            raise ParameterError(message)
        if name is not None and name not in drawn:
            message = f"{type(self).__name__} has no picture {name!r}. It has: {listing(drawn)}."
            raise ParameterError(message + did_you_mean(name, drawn))
        return drawn[next(iter(drawn)) if name is None else name]()

    def html_blocks(self) -> Iterable[str]:
        """Return the first picture and the first tables."""
        drawn = pictures_of(self)
        if drawn:
            yield figure(next(iter(drawn.values()))())
        for one in list(self.tables())[:MOST_TABLES]:
            yield table(one.columns, one.rows, one.title)


def pictures_of(result: Any) -> Mapping[str, Callable[[], Figure]]:
    """Return what draws each picture of a result, by its name; nothing for a result without any."""
    return plotting().pictures_of(result)  # type: ignore[no-any-return]


def plotting() -> Any:
    """Return the room of pictures.

    It lies above all nouns, which find it by name when somebody asks for a picture: they do not depend on it.
    """
    return import_module("photosim.plotting")


def drawing(netlist: Any) -> str:
    """Return the schematic of a netlist as an image; a sentence where it has too many parts, or none can be.

    A netlist that is not checked may name components that do not exist.
    """
    if len(netlist.instances) > MOST_DRAWN:
        return f"{len(netlist.instances):,} instances: draw(path) draws them."
    try:
        return svg(import_module("photosim.drawing").svg(netlist))
    except PhotosimError as error:
        return f"No drawing: {escape(str(error))}"
