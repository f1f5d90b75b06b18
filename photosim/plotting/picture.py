"""A figure that a notebook shows: matplotlib's own is shown as text where pyplot was never imported."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure


class Picture(Figure):
    """A matplotlib Figure that notebooks show as an image."""

    def _repr_png_(self) -> bytes:
        from photosim.plotting.canvas import in_style

        written = BytesIO()
        with in_style():
            self.savefig(written, format="png", dpi=110, bbox_inches="tight", pad_inches=0.08)
        return written.getvalue()
