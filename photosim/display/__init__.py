"""How results show themselves: a short repr, and in notebooks tables with units and small pictures."""

from photosim.display.brief import Brief, brief, listed
from photosim.display.html import figure, page, properties, svg, table
from photosim.display.shown import Shown, Tabled, drawing, pictures_of, plotting

__all__ = [
    "Brief", "Shown", "Tabled", "brief", "drawing", "figure", "listed", "page", "pictures_of", "plotting",
    "properties", "svg", "table",
]  # fmt: skip
