"""The widget itself: an anywidget whose JavaScript lies beside this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.widgets.sliders import Sliders

if TYPE_CHECKING:
    from photosim.circuit import Circuit

FOLDER = Path(__file__).parent


@public
def interact(
    circuit: Circuit,
    names: Sequence[str] = (),
    *,
    wl: Any = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    ranges: Mapping[str, Any] | None = None,
) -> Any:
    """Return a widget of sliders and a live spectrum; see `Circuit.interact`.

    Raises ParameterError without the extra `notebook`.
    """
    sliders = Sliders(circuit, list(names), wl, pairs, ranges)
    return _widget()(sliders)


@cache
def _widget() -> Any:
    """Return the class of the widget, made at its first use: anywidget is an extra."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        message = "circuit.interact needs anywidget: pip install 'photosim[notebook]'."
        raise ParameterError(message) from None

    class Spectrum(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
        """Sliders over settings, and a live spectrum.

        title, sliders: what is shown.  question: {number, values} from the page, or from Python.  spectrum:
        {number, wl, curves, error}, the answer.
        """

        _esm = FOLDER / "spectrum.js"
        _css = FOLDER / "spectrum.css"
        title = traitlets.Unicode().tag(sync=True)
        sliders = traitlets.List().tag(sync=True)
        question = traitlets.Dict().tag(sync=True)
        spectrum = traitlets.Dict().tag(sync=True)

        def __init__(self, asked: Sliders) -> None:
            self.model = asked
            first = asked.answer({"number": 0}) or {}
            super().__init__(title=asked.circuit.name, sliders=asked.plain(), spectrum=first)
            self.observe(self._answer, "question")

        def _answer(self, change: Any) -> None:
            found = self.model.answer(change["new"])
            if found is not None:
                self.spectrum = found

        @property
        def values(self) -> dict[str, float]:
            """Where the sliders stand, by the name of the setting."""
            return dict(self.model.values)

        def set(self, **values: float) -> None:
            """Move sliders from Python, by dotted name, as in `**{"ring.radius": 10.1}`."""
            number = int(self.spectrum.get("number", 0)) + 1
            self.question = {"number": number, "values": values}
            if self.spectrum.get("error"):
                raise ParameterError(self.spectrum["error"])
            self.sliders = self.model.plain()

    return Spectrum
