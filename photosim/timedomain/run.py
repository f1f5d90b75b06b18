"""A run of a cut circuit in time: islands by convolution, elements by their steps, in order."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.guards import reached
from photosim.engine.plan import Planned
from photosim.engine.plan_search import make_plan
from photosim.engine.waves import wave_request
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import Nonlinear
from photosim.timedomain import band, relaxation, rounds, spectral, stepping
from photosim.timedomain import drives as driving
from photosim.timedomain.beats import check_driven
from photosim.timedomain.convolution import convolve
from photosim.timedomain.cut import Cut, Element
from photosim.timedomain.low_pass import stepped_error
from photosim.timedomain.made import check_made
from photosim.timedomain.rational import FITTED, Fit, checked, fit, passive
from photosim.timedomain.scattering import at_carriers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ComplexArray = NDArray[np.complex128]

_FIT_SIZE = 512
"""Frequencies at which a loop's linear part is fitted."""
_ONSET, _BEFORE = 1e-2, 16
"""Part of its largest sample with which a response begins, and samples before that are fitted too."""
_FIT_ERROR = 1e-2
"""Largest error of a fit that is accepted."""
_FIT_GAIN = 1e-5
"""Largest gain, as an amplitude, of fits that stand for what does not amplify."""


@dataclass
class Run:
    """State of a simulation in progress: the complex envelopes computed so far, by wave number.

    noisy: whether noise is drawn; the band of what parts make is then not looked at, as noise fills it.
    glow: mean current in A that linear amplifiers' spontaneous emission gives each detector, by name.  least:
    samples before which nothing arrives at a wave where a long loop is cut.
    """

    drives: driving.Drives
    cut: Cut
    clock: stepping.Clock
    noisy: bool
    injected: dict[int, ComplexArray]
    names: dict[int, str]
    island: dict[int, int] = field(default_factory=dict)
    glow: dict[str, float] = field(default_factory=dict)
    least: Mapping[int, int] = field(default_factory=dict)
    responses: dict[Any, band.Response] = field(default_factory=dict)
    states: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    fits: dict[str, float] = field(default_factory=dict)
    filters: dict[str, tuple[float, float]] = field(default_factory=dict)
    starts: dict[str, str] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    settles: bool = False

    # --- linear islands -----------------------------------------------------------------------------

    def arriving(self, waves: Sequence[int], sources: Iterable[int] | None = None) -> dict[int, ComplexArray]:
        """Return the light (C, T) or (C, 1) on waves, of all known injected ones or of some."""
        known = list(self.injected if sources is None else sources)
        found: dict[int, ComplexArray] = {}
        for ends, starts in self.groups(waves, known):
            signals = {k: self.injected[w] for k, w in enumerate(starts)}
            columns = []
            for c in range(len(self.clock.carriers)):
                own = {k: x[c] if np.any(x[c] != x[c, 0]) else x[c, :1] for k, x in signals.items()}
                own = {k: x for k, x in own.items() if x.size > 1 or x[0] != 0}
                if own:
                    response = self.response(tuple(ends), tuple(starts), c)
                    columns.append(convolve(response, own, len(ends), self.clock.samples))
                else:
                    columns.append([np.zeros(1, dtype=np.complex128)] * len(ends))
            for k, wave in enumerate(ends):
                rows = [column[k] for column in columns]
                # One carrier, the usual case, needs no copy.
                found[wave] = rows[0][np.newaxis] if len(rows) == 1 else np.array(np.broadcast_arrays(*rows))
        return found

    def groups(self, waves: Sequence[int], known: Sequence[int]) -> list[tuple[list[int], list[int]]]:
        """Return (requested waves, injected waves that reach them) of each island."""
        by: dict[int, tuple[list[int], list[int]]] = {}
        for wave in dict.fromkeys(waves):
            by.setdefault(self.island[wave], ([], []))[0].append(wave)
        for wave in known:
            if self.island[wave] in by:
                by[self.island[wave]][1].append(wave)
        return [(ends, starts) for ends, starts in by.values() if starts]

    def response(self, ends: tuple[int, ...], starts: tuple[int, ...], carrier: int) -> band.Response:
        """Return the impulse responses between waves of one island, for a carrier by its number."""
        key = (ends, starts, carrier)
        if key not in self.responses:
            frequency = float(self.clock.carriers[carrier])
            where = self._where(starts)
            transfer = self._transfer(ends, starts)
            least = np.array([self.least.get(end, 0) for end in ends])
            one = band.response(transfer, frequency, self.clock.sample_rate, where, least)
            self.responses[key] = one
            if one.error > band.ALIASED:
                self.fits[where] = max(one.error, self.fits.get(where, 0.0))
        return self.responses[key]

    def _transfer(self, ends: Sequence[int], starts: Sequence[int]) -> band.Transfer:
        inside = self.island[starts[0]]
        edges = {pair: v for pair, v in self.cut.edges.items() if self.island[pair[0]] == inside}
        request = wave_request(edges, ends, starts)
        planned = Planned(make_plan(request.edges, request.wanted), request)
        shape = (len(ends), len(starts))
        compiled, base = self.drives.compiled, self.drives.base
        return lambda wl: compiled.solve(planned, base, np.ascontiguousarray(wl), shape)

    def _where(self, waves: Iterable[int]) -> str:
        """Return words for the linear part behind injected waves."""
        return f"the linear part behind {self.names.get(next(iter(waves)), 'its input')}"

    # --- elements ------------------------------------------------------------------------------------

    def carry(self) -> None:
        """Compute all elements in their order."""
        for members in self.cut.order:
            group = [self.cut.elements[k] for k in members]
            loop = members[0] in self.cut.loops
            arriving = self.arriving([w for e in group for w in e.arrivals])
            if all(element.kind == "delay" for element in group):
                self.injected |= rounds.turning(self, group, arriving)
                continue
            if not loop and group[0].kind != "nonlinear":
                self.injected |= self._passed(group[0], arriving)
                continue
            parts = [self._stepped(element) for element in group]
            paths = self._feedback(group) if loop else []
            stepper = stepping.Stepper(parts, paths, self.clock)
            begin = self._begin(stepper, arriving, loop=loop)
            incoming = stepper.arriving(arriving, slice(None))
            outgoing, states = stepper.run(incoming, begin)
            if not self.noisy:
                check_made(self.drives, stepper, incoming, outgoing, begin)
            self.states |= states
            for k, wave in enumerate(stepper.outs):
                if wave in self.cut.lit:
                    self.injected[wave] = outgoing[:, k].T

    def _begin(
        self, stepper: stepping.Stepper, arriving: Mapping[int, ComplexArray], *, loop: bool
    ) -> stepping.Begin:
        """Return how a group begins: in the steady state of its first light and settings, or at rest.

        A part that shines and that no light reaches knows its own. Warns where no steady state is found and
        the run has no time to settle.
        """
        first = stepper.arriving(arriving, slice(0, 1))
        own = [e for part in stepper.parts for e in [part.element] if e.emits and part.state_names]
        if not first.any() and not (loop and own):
            return stepper.rest()
        names = ", ".join(part.element.name for part in stepper.parts)
        nonlinear = any(part.element.kind == "nonlinear" for part in stepper.parts)
        found = relaxation.steady(stepper, first, nonlinear=nonlinear)
        if found.begin is None:
            self.starts[names] = f"at rest, no steady state found (it moves by {found.residual:.2g})"
            if not self.settles:
                message = (
                    f"No steady state was found for the first light and settings of {names}: the run starts "
                    "with these parts at rest. Give it time before with settle=."
                )
                warnings.warn(message, PhotosimWarning, stacklevel=4)
            return stepper.rest()
        branch = ", bistable: on the branch reached from dark" if found.bistable else ""
        self.starts[names] = f"steady, residual {found.residual:.2g}{branch}"
        return found.begin

    def _passed(self, element: Element, arriving: Mapping[int, ComplexArray]) -> dict[int, ComplexArray]:
        """Return what leaves a driven element that is not a loop."""
        lit = {element.arrivals.index(wave): values for wave, values in arriving.items()}
        rows: dict[int, list[ComplexArray]] = {}
        for c, carrier in enumerate(self.clock.carriers.tolist()):
            own = {a: x[c] if np.any(x[c] != x[c, 0]) else x[c, :1] for a, x in lit.items()}
            own = {a: x for a, x in own.items() if x.size > 1 or x[0] != 0}
            found: dict[int, ComplexArray] = {}
            if own:
                if not self.noisy:
                    check_driven(self.drives, element, carrier, own, f"the light out of {element.name!r}")
                found, products, error = spectral.passed(
                    self.drives, element, carrier, own, self.drives.few()
                )
                if products > 1:
                    way = f"spectrum of {element.name} in {products} products"
                    self.fits[way] = max(error, self.fits.get(way, 0.0))
            for k in range(len(element.departures)):
                rows.setdefault(k, []).append(found.get(k, np.zeros(1, dtype=np.complex128)))
        return {
            wave: np.array(np.broadcast_arrays(*rows[k]))
            for k, wave in enumerate(element.departures)
            if wave in self.cut.lit
        }

    def _stepped(self, element: Element) -> stepping.Stepped:
        """Return an element ready to be stepped."""
        from photosim.kernels.stepping import gate

        carriers = self.clock.carriers.tolist()
        if element.kind == "delay":
            same = np.ones((len(carriers), 1, 1, 1), dtype=np.complex128)
            return stepping.Stepped(element, gate, stepping.gates(same), np.zeros(0))
        if element.kind != "nonlinear":
            matrix = at_carriers(self.drives, element, carriers, self.clock.samples)
            return stepping.Stepped(element, gate, stepping.gates(matrix), np.zeros(0))
        part = self.drives.compiled.graph.part(element.name)
        model = part.model
        assert isinstance(model, Nonlinear)  # noqa: S101 - of that kind
        settings = self.drives.settings(part)
        constants = model.constants(settings)
        if settings.get("bandwidth") is not None:
            # An electrical filter on what light does in a step: as right as straight lines between samples.
            slow, rate = float(np.min(settings["bandwidth"])), self.clock.sample_rate
            self.filters[element.name] = slow, stepped_error(slow, rate, FITTED * rate)
        memory, count = model.memory, len(carriers)
        per = [f"{name}[{c}]" for c in range(count) for name in memory.carrier_states]
        start = model.start_state(constants[:, 0], count)
        return stepping.Stepped(
            element,
            model.step,
            constants,
            start,
            (*memory.states, *per),
            memory.noise_size(count),
            parts=memory.parts,
        )

    def _feedback(self, group: Sequence[Element]) -> list[stepping.Path]:
        """Return the rational fits of all linear ways between the elements of a loop."""
        departures = [d for e in group for d in e.departures if d in self.cut.lit]
        arrivals = [a for e in group for a in e.arrivals]
        pairs = [
            (a, d)
            for d in departures
            for a in arrivals
            if a in reached(self.cut.ahead, [d]) and self.island[a] == self.island[d]
        ]
        found: list[stepping.Path] = []
        for c in range(len(self.clock.carriers)):
            asked = [self._asked(a, d, c) for a, d in pairs]
            fits = [
                self._fit(*pair, *one, alone=len(group) == 1) for pair, one in zip(pairs, asked, strict=True)
            ]
            largest = 1.0
            if not self.active():
                rows = {wave: k for k, wave in enumerate(dict.fromkeys(a for a, _ in pairs))}
                columns = {wave: k for k, wave in enumerate(dict.fromkeys(d for _, d in pairs))}
                bins = 2 * max((s.size for s, _ in asked), default=_FIT_SIZE)
                fits, largest = passive(fits, [(rows[a], columns[d]) for a, d in pairs], bins)
            for pair, one, (s, start) in zip(pairs, fits, asked, strict=True):
                self._accept(*pair, checked(replace(one, delay=one.delay - start), s), largest)
            found += [stepping.Path(a, d, c, one) for (a, d), one in zip(pairs, fits, strict=True)]
        self._refuse_short(found, group)
        return found

    def active(self) -> bool:
        """Return whether a part of the circuit can amplify."""
        return any(group.model.active for group in self.drives.compiled.parts.groups)

    def _asked(self, arrival: int, departure: int, carrier: int) -> tuple[ComplexArray, int]:
        """Return S (W,) of one way of a loop at the bins of an FFT, and the delay in samples taken out of it.

        That delay is a buffer's, and exact; what is left is fitted.
        """
        one = self.response((arrival,), (departure,), carrier)  # causal, and not without end
        taps = np.abs(one.taps[0, 0])
        early = max(0, int(np.argmax(taps > _ONSET * taps.max())) - band.LEAD - _BEFORE)
        size, start = _FIT_SIZE, int(one.delay[0, 0]) + early
        while size < 4 * (taps.size - band.LEAD - early):
            size *= 2
        frequency, transfer = float(self.clock.carriers[carrier]), self._transfer((arrival,), (departure,))
        ask = band.Ask(transfer, frequency, self.clock.sample_rate)
        return ask.between(size, np.zeros(1, int), np.array([start]), 0.0)[:, 0], start

    def _fit(self, arrival: int, departure: int, s: ComplexArray, start: int, *, alone: bool) -> Fit:
        """Return the fit of one way of a loop; ParameterError where it takes less than a sample."""
        del arrival
        near = s.size // 8
        first = np.unwrap(np.angle(s[:near]))
        delay = start + max(0.0, float((first[0] - first[-1]) / (2 * np.pi * (near - 1) / s.size)))
        if alone and delay < 1:
            self._refuse_loop(self.names.get(departure, "a part"), delay)
        found = fit(s, 1 if alone and not start else 0)
        return replace(found, delay=found.delay + start)

    def _accept(self, arrival: int, departure: int, one: Fit, largest: float) -> None:
        """Keep the error of a fit that is used; raise ParameterError for one that is no good."""
        way = f"{self.names.get(departure, departure)} to {self.names.get(arrival, arrival)}"
        rate = self.clock.sample_rate
        if one.error > _FIT_ERROR or largest > 1 + _FIT_GAIN:
            why = (
                f"a fit is off by {one.error:.2g} within {FITTED * rate:g} Hz"
                if one.error > _FIT_ERROR
                else f"a fit amplifies by {largest - 1:.2g}"
            )
            message = (
                f"The linear part from {way} cannot be followed step by step at {rate:g} Hz ({why}): take "
                f"{4 * rate:g} Hz or more."
            )
            raise ParameterError(message)
        self.fits[way] = max(one.error, self.fits.get(way, 0.0))

    def _refuse_loop(self, name: str, delay: float) -> None:
        rate = self.clock.sample_rate
        wanted = (
            f"{math.ceil(1.5 * rate / delay / 1e9) * 1e9:g} Hz" if delay > 1e-3 else "one without that path"
        )
        message = (
            f"Light comes back to {name!r} after {delay / rate:.3g} s, less than a sample, {1 / rate:.3g} s: "
            f"take a sample rate of {wanted} or more, or quasi_static=True where its drive is slow enough."
        )
        raise ParameterError(message)

    def _refuse_short(self, paths: Sequence[stepping.Path], group: Sequence[Element]) -> None:
        """Raise ParameterError where a circle of ways takes no sample in all."""
        from graphlib import CycleError, TopologicalSorter

        waits: dict[str, set[str]] = {}
        into = {w: e.name for e in group for w in e.arrivals}
        out = {w: e.name for e in group for w in e.departures}
        for path in paths:
            if path.fit.delay == 0:
                waits.setdefault(into[path.to], set()).add(out[path.source])
        try:
            list(TopologicalSorter(waits).static_order())
        except CycleError as error:
            self._refuse_loop(str(error.args[1][0]), 0.5)
