"""Where the models of a circuit hold: parts whose wavelength or settings leave the window of their model.

All that does not change from call to call is worked out once. A call compares the ends of its wavelengths
with the narrowest window of the circuit, and looks at the parts whose settings it changes.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, lru_cache
from math import inf
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from photosim.engine.alike import kinds_inside
from photosim.engine.bindings import TEMPERATURE, owner
from photosim.errors import ParameterError, PhotosimWarning, listing
from photosim.model.quantities import other_unit
from photosim.model.windows import WAVELENGTH, Window
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Graph, Part
    from photosim.engine.parts import Point
    from photosim.model import Model

Policy: TypeAlias = Literal["warn", "error", "ignore"]
"""What follows where a model is asked outside of its window."""
_SHOWN = 4


_CHOSEN: ContextVar[Policy | None] = ContextVar("chosen", default=None)


def extrapolate(chosen: str) -> None:
    """Set what follows outside of windows for all circuits made from now on that do not say it themselves."""
    _CHOSEN.set(_known(chosen, "--extrapolate"))


def _known(chosen: Any, where: str) -> Policy:
    if str(chosen) not in {"warn", "error", "ignore"}:
        message = f"{where} must be 'warn', 'error' or 'ignore', got {shown(chosen)}."
        raise ParameterError(message)
    return chosen  # type: ignore[no-any-return]


def policy(windows: Policy | None, *, strict: bool) -> Policy | None:
    """Return what follows where a model is asked outside of its window; None: what each window says."""
    if windows is not None:
        return _known(windows, "Circuit: windows")
    return _CHOSEN.get() or ("error" if strict else None)


class _Place(NamedTuple):
    """A window of a model at settings that parts share: what a message speaks of."""

    model: Model
    window: Window
    span: tuple[float, float]


_ASKED: ContextVar[bool] = ContextVar("asked", default=True)


@contextmanager
def unasked() -> Iterator[None]:
    """Let wavelengths pass that nobody requested: those that an integral over a spectrum looks at."""
    token = _ASKED.set(False)
    try:
        yield
    finally:
        _ASKED.reset(token)


class Told:
    """What a circuit has been warned of: of each part and window once, whichever call meets it first."""

    def __init__(self, policy: Policy | None = None, known: Iterable[tuple[str, str]] = ()) -> None:
        self.policy = policy
        self._known = set(known)
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes with what has been said."""
        return Told, (self.policy, tuple(self._known))

    def say(self, place: _Place, parts: Iterable[str], found: tuple[float, float]) -> None:
        """Warn of parts outside of a window that have not been named before; ParameterError by policy."""
        policy = self.policy or ("error" if place.window.refuse else "warn")
        if policy == "ignore":
            return
        key = f"{place.window.of} of the kit" if place.window.refuse else place.window.of
        with self._lock:
            fresh = [name for name in parts if (name, key) not in self._known]
            if policy == "warn":
                self._known.update((name, key) for name in fresh)
        if not fresh:
            return
        message = _sentence(place, fresh, found)
        if policy == "error":
            raise ParameterError(message)
        warnings.warn(message, PhotosimWarning, stacklevel=6)


class Windows:
    """The windows of all parts of a graph, and what its netlist has written about them."""

    def __init__(self, graph: Graph, told: Told) -> None:
        self.graph = graph
        self.told = told
        self._settings: dict[str, dict[str, Any]] = {}  # as written, of parts that calls change

    def _settings_of(self, part: Part) -> dict[str, Any]:
        """Return the settings of a part as written, kept for the next call that changes some."""
        if part.name not in self._settings:
            self._settings[part.name] = self.graph.settings_of(part)
        return self._settings[part.name]

    @cached_property
    def spans(self) -> dict[_Place, list[str]]:
        """Every window of wavelength, at settings as written, to the parts that have it."""
        return self._found(of_wavelength=True)

    @cached_property
    def shared(self) -> tuple[float, float]:
        """The shortest and the longest wavelength in um at which every model holds."""
        low = max((place.span[0] for place in self.spans), default=-inf)
        high = min((place.span[1] for place in self.spans), default=inf)
        return low, high

    @cached_property
    def followed(self) -> frozenset[tuple[str, str]]:
        """The settings that windows are about or depend on, by part and name."""
        return frozenset(
            (part.name, name) for part in self._windowed for window in part.windows for name in window.names
        )

    @staticmethod
    @lru_cache(maxsize=512)
    def _concerned(model: Model, written: tuple[str, ...]) -> tuple[Window, ...]:
        """The windows of a model that are about or depend on settings that parts have written."""
        return tuple(w for w in model.windows if not set(w.names).isdisjoint(written))

    @cached_property
    def _windowed(self) -> tuple[Part, ...]:
        return tuple(part for part in self.graph.parts if part.windows)

    @cached_property
    def _ambient(self) -> dict[_Place, list[str]]:
        """Windows of temperature to the parts that take the circuit's."""
        found: dict[_Place, list[str]] = {}
        equal: dict[tuple[Model, tuple[str, ...]], list[list[str]]] = {}  # parts that share their windows
        for part in self._windowed:
            key = part.model, part.written
            if key not in equal or part.kit_windows:
                windows = [w for w in part.windows if w.of == TEMPERATURE and TEMPERATURE not in part.written]
                named = [found.setdefault(_Place(part.model, w, (w.low, w.high)), []) for w in windows]
                if not part.kit_windows:
                    equal[key] = named
            else:
                named = equal[key]
            for names in named:
                names.append(part.name)
        return found

    def _found(self, *, of_wavelength: bool) -> dict[_Place, list[str]]:
        found: dict[_Place, list[str]] = {}
        equal: dict[tuple[Model, tuple[str, ...]], list[list[str]]] = {}  # parts that share their windows
        for part in self._windowed:
            key = part.model, part.written
            if key not in equal or part.kit_windows:
                windows = [w for w in part.windows if (w.of == WAVELENGTH) is of_wavelength]
                settings = self.graph.settings_of(part)
                named = [found.setdefault(_Place(part.model, w, w.span(settings)), []) for w in windows]
                if not part.kit_windows and not any(n in part.written for w in windows for n in w.names):
                    equal[key] = named
            else:
                named = equal[key]
            for names in named:
                names.append(part.name)
        return found

    def look_at_written(self) -> None:
        """Warn of, or refuse, settings of the netlist that lie outside of their model's window."""
        inside = kinds_inside(self._windowed, self._concerned)
        parts = (p for p in self._windowed if p.kit_windows or id(p.written) not in inside)
        self._look_at(parts if inside else self._windowed, None)
        self._look_at_composites(
            {f"{name}.{key}" for name, keys in self.graph.written.items() for key in keys}, {}
        )
        self._look_at_temperature(self.graph.bindings.value(TEMPERATURE))

    def look(self, point: Point, wl: NDArray[np.float64]) -> None:
        """Warn of, or refuse, wavelengths wl (W,) in um and changed settings outside of a model's window."""
        if not _ASKED.get():
            return
        ends = float(wl.min()), float(wl.max())
        changed: set[str] = set()
        if point.settings:
            changed = {name for name, _ in self.followed.intersection(point.changed)}
            self._look_at([self.graph.part(name) for name in sorted(changed)], point, ends)
            self._look_at_composites(point.settings.keys(), point.settings)
            if TEMPERATURE in point.settings:
                self._look_at_temperature(point.settings[TEMPERATURE])
        if _outside(ends, self.shared):
            for place, parts in self.spans.items():
                if _outside(ends, place.span):
                    self.told.say(place, (name for name in parts if name not in changed), ends)

    @cached_property
    def _lengths(self) -> dict[str, tuple[str, _Place]]:
        """Lengths of outermost composites by dotted name, with the composite and the range of use.

        Their parts may see sums of them, in which nm and m are hidden.
        """
        found: dict[str, tuple[str, _Place]] = {}
        for name, model in self.graph.composites.items():
            if owner(name)[0] in self.graph.composites:
                continue
            for window in model.windows:
                if window.zero and model.parameters[window.of].unit == "um":
                    place = _Place(model, window, (window.low, window.high))
                    found[f"{name}.{window.of}"] = name, place
        return found

    def _look_at_composites(self, names: Iterable[str], changed: Mapping[str, Any]) -> None:
        """Look at lengths of composites, as written or as `changed`."""
        for name in sorted(self._lengths.keys() & set(names)):
            composite, place = self._lengths[name]
            ends = _ends(changed[name] if name in changed else self.graph.bindings.value(name))
            if _outside(ends, place.span) and ends != (0.0, 0.0):
                self.told.say(place, [composite], ends)

    def _look_at_temperature(self, value: Any) -> None:
        """Look at the parts that take the circuit's temperature."""
        ends = _ends(value)
        for place, parts in self._ambient.items():
            if _outside(ends, place.span):
                self.told.say(place, parts, ends)

    def _plainly_inside(self, part: Part, windows: Iterable[Window]) -> bool:
        """Return whether numbers as written lie inside of windows that depend on nothing else."""
        for window in windows:
            if window.of == WAVELENGTH or window.of not in part.written or window.about or window.scale:
                return False
            value = self.graph.bindings.value(f"{part.name}.{window.of}")
            if type(value) is not float or not window.low <= value <= window.high:
                return False
            if _too_small((value, value), window.least):
                return False
        return True

    def _look_at(
        self, parts: Iterable[Part], point: Point | None, wl: tuple[float, float] | None = None
    ) -> None:
        """Look at the settings of some parts, and with `wl` at the wavelengths, at a point or as written."""
        found: dict[_Place, tuple[list[str], list[tuple[float, float]]]] = {}
        for part in parts:
            changed: dict[str, Any] = {} if point is None else dict(point.of_part.get(part.name, {}))
            windows: Iterable[Window] = self._concerned(part.model, part.written)
            if point is not None or part.kit_windows:
                names = set(part.written if point is None else changed)  # what is written was examined
                windows = (w for w in part.windows if w.of == WAVELENGTH or not names.isdisjoint(w.names))
            windows = [w for w in windows if wl is not None or w.of != WAVELENGTH]
            if not windows or (point is None and self._plainly_inside(part, windows)):
                continue  # defaults lie inside
            settings = self.graph.settings_of(part) if point is None else self._settings_of(part) | changed
            for window in windows:
                ends = wl if window.of == WAVELENGTH and wl is not None else _ends(settings[window.of])
                span = window.span(settings)
                outside = _outside(ends, span) and not (window.zero and ends == (0.0, 0.0))
                if outside or _too_small(ends, window.least):
                    at = found.setdefault(_Place(part.model, window, span), ([], []))
                    at[0].append(part.name)
                    at[1].append(ends)
        for place, (names_out, all_ends) in found.items():
            self.told.say(place, names_out, (min(e[0] for e in all_ends), max(e[1] for e in all_ends)))


def _ends(value: Any) -> tuple[float, float]:
    """Return the least and the largest of a number or an array; of None, what no window excludes."""
    if isinstance(value, float):
        return value, value
    if value is None:
        return inf, -inf
    array = np.asarray(value, dtype=np.float64)
    return float(array.min()), float(array.max())


def _outside(ends: tuple[float, float], span: tuple[float, float]) -> bool:
    """Whether values reach beyond a span by more than rounding."""
    slack = 1e-9
    return ends[0] < span[0] - slack * abs(span[0]) or ends[1] > span[1] + slack * abs(span[1])


def _too_small(ends: tuple[float, float], least: float) -> bool:
    """Whether all values lie so near to 0, without being 0, that they must be in another unit."""
    return 1e-3 * least <= max(-ends[0], ends[1]) < least


def _sentence(place: _Place, parts: list[str], found: tuple[float, float]) -> str:
    """Return what is outside of which window, with the parts by name."""
    window, model = place.window, place.model
    unit = "um" if window.of == WAVELENGTH else model.parameters[window.of].unit
    unit = "" if unit == "1" else f" {unit}"
    value = f"{found[0]:.6g}" if found[0] == found[1] else f"{found[0]:.6g} to {found[1]:.6g}"
    used = "is used" if len(parts) == 1 else "are used"
    of = "a wavelength" if window.of == WAVELENGTH else f"{window.of!r}"
    names = listing([repr(name) for name in parts], _SHOWN)
    who = f"Instance{'' if len(parts) == 1 else 's'} {names} ({model.name.partition('.')[0]}) {used}"
    if not _outside(found, place.span):
        far = max(found, key=abs)
        hint = other_unit(abs(far), unit.strip(), 0.0, max(map(abs, place.span)))
        return f"{who} at {of} of {value}{unit}, too small to matter.{hint or f' Is it in{unit}?'}"
    basis = f" ({window.basis})" if window.basis else ""
    outlier = found[0] if found[0] < place.span[0] else found[1]
    hint = "" if window.of == WAVELENGTH else other_unit(outlier, unit.strip(), *place.span)
    return (
        f"{who} at {of} of {value}{unit}, outside the window of the "
        f"{'kit' if window.refuse else 'model'}, {window.words(place.span)}{unit}{basis}.{hint}"
    )
