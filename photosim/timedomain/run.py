"""A run of a cut circuit in time: islands by convolution, elements by their steps, in order."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.plan import Planned
from photosim.engine.plan_search import make_plan
from photosim.engine.waves import wave_request
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import Nonlinear
from photosim.timedomain import alone, band, relaxation, rounds, spectral, stepping
from photosim.timedomain import drives as driving
from photosim.timedomain.beats import check_driven
from photosim.timedomain.content import moves
from photosim.timedomain.convolution import convolve
from photosim.timedomain.cut import Cut, Element
from photosim.timedomain.feedback import check_rounds, feedback
from photosim.timedomain.history import History
from photosim.timedomain.low_pass import stepped_error
from photosim.timedomain.made import check_made
from photosim.timedomain.rational import FITTED
from photosim.timedomain.scattering import at_carriers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ComplexArray = NDArray[np.complex128]


@dataclass
class Run:
    """State of a simulation in progress: the complex envelopes computed so far, by wave number.

    noisy: whether noise is drawn; the band of what parts make is then not checked, as noise fills it.
    glow: mean current in A that linear amplifiers' spontaneous emission gives each detector, by name.  least:
    samples before which nothing arrives at a wave where a long loop is cut.  history: of the light before
    the first sample.  filters: bandwidth in Hz, error and steps a sample of stepped ones, by name.  beyond:
    largest field that a part makes beyond the band, over its largest, by name.
    """

    drives: driving.Drives
    cut: Cut
    clock: stepping.Clock
    noisy: bool
    injected: dict[int, ComplexArray]
    names: dict[int, str]
    history: History
    island: dict[int, int] = field(default_factory=dict)
    glow: dict[str, float] = field(default_factory=dict)
    least: Mapping[int, int] = field(default_factory=dict)
    responses: dict[Any, band.Response] = field(default_factory=dict)
    states: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    fits: dict[str, float] = field(default_factory=dict)
    filters: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    starts: dict[str, str] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    beyond: dict[str, float] = field(default_factory=dict)
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
                own = {k: x[c] if moves(x[c]) else x[c, :1] for k, x in signals.items()}
                own = {k: x for k, x in own.items() if x.size > 1 or x[0] != 0}
                if own:
                    response = self.response(tuple(ends), tuple(starts), c)
                    first = {k: (starts[k], complex(x[0])) for k, x in own.items()}
                    self.history.pass_on(response, ends, first, c)
                    before = {k: self.history.earlier(wave, c, x) for k, (wave, x) in first.items()}
                    columns.append(convolve(response, own, len(ends), self.clock.samples, before))
                else:
                    columns.append([np.zeros(1, dtype=np.complex128)] * len(ends))
            for k, wave in enumerate(ends):
                rows = [column[k] for column in columns]
                found[wave] = _as_one(rows)
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
            transfer = self.transfer(ends, starts)
            least = np.array([self.least.get(end, 0) for end in ends])
            one = band.response(transfer, frequency, self.clock.sample_rate, where, least)
            self.responses[key] = one
            if one.error > band.ALIASED:
                self.fits[where] = max(one.error, self.fits.get(where, 0.0))
        return self.responses[key]

    def transfer(self, ends: Sequence[int], starts: Sequence[int]) -> band.Transfer:
        """Return S (W, ends, starts) between waves of one island as a function of wavelengths in um."""
        inside = self.island[starts[0]]
        edges = {pair: v for pair, v in self.cut.edges.items() if self.island[pair[0]] == inside}
        request = wave_request(edges, ends, starts)
        planned = Planned(request, lambda: make_plan(request.edges, request.wanted))
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
            paths = feedback(self, group) if loop else []
            stepper = stepping.Stepper(parts, paths, self.clock)
            if not self.history.turning:  # what comes back after the end never comes; before, light was held
                stepper = stepper.shortened(self.clock.samples)
            begin = self._begin(stepper, arriving, loop=loop)
            self.history.guess(stepper)
            incoming = stepper.arriving(arriving, slice(None))
            outgoing, states = self._run(stepper, incoming, begin, loop=loop)
            if loop:
                check_rounds(self, stepper, paths, (incoming, outgoing))
            if not self.noisy:
                self.beyond |= check_made(self.drives, stepper, incoming, outgoing, begin)
            self.states |= states
            for k, wave in enumerate(stepper.outs):
                if wave in self.cut.lit:
                    self.injected[wave] = outgoing[:, k].T

    def _run(
        self, stepper: stepping.Stepper, incoming: ComplexArray, begin: stepping.Begin, *, loop: bool
    ) -> tuple[ComplexArray, dict[str, NDArray[np.float64]]]:
        """Return the waves that leave a group, and states; filters alone are stepped finely enough."""
        outgoing, states = stepper.run(incoming, begin)
        name = stepper.parts[0].element.name
        if loop or name not in self.filters:
            return outgoing, states
        (bandwidth, _, _), rate = self.filters[name], self.clock.sample_rate
        factor = alone.fineness(max(alone.filter_errors(self.drives, name, states, bandwidth, slice(None))))
        self.filters[name] = bandwidth, stepped_error(bandwidth, factor * rate, FITTED * rate), factor
        return (outgoing, states) if factor == 1 else alone.finely(stepper, incoming, begin, factor)

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
        if not nonlinear and self.history.turning:
            self.starts[names] = "steady for each line"
            return self.history.begun(stepper)
        settled = None if loop else stepper.parts[0].settled
        if settled is not None:  # a part that knows where steady light leaves it
            found = relaxation.known(stepper, first, settled)
            none = "as without light, which does not lock it"
            why = (
                f"The first light into {names} does not lock it, so the two beat and no state is steady: the "
                "run starts with its own light alone."
            )
        else:
            found = relaxation.steady(stepper, first, nonlinear=nonlinear)
            none = f"at rest, no steady state found (it moves by {found.residual:.2g})"
            why = (
                f"No steady state was found for the first light and settings of {names}: the run starts "
                "with these parts at rest."
            )
        if found.begin is None:
            self.starts[names] = none
            if not self.settles:
                warnings.warn(f"{why} Give it time before with settle=.", PhotosimWarning, stacklevel=4)
            return stepper.rest()
        branch = ", bistable: on the branch reached from dark" if found.bistable else ""
        faint = "as without light, which is too faint to count"
        self.starts[names] = faint if found.dark else f"steady, residual {found.residual:.2g}{branch}"
        return found.begin

    def _passed(self, element: Element, arriving: Mapping[int, ComplexArray]) -> dict[int, ComplexArray]:
        """Return what leaves a driven element that is not a loop."""
        lit = {element.arrivals.index(wave): values for wave, values in arriving.items()}
        rows: dict[int, list[ComplexArray]] = {}
        for c, carrier in enumerate(self.clock.carriers.tolist()):
            own = {a: x[c] if moves(x[c]) else x[c, :1] for a, x in lit.items()}
            own = {a: x for a, x in own.items() if x.size > 1 or x[0] != 0}
            found: dict[int, ComplexArray] = {}
            if own:
                before = {a: self.history.arrived_earlier(element.arrivals[a], c) for a in own}
                what = f"the light out of {element.name!r}"
                try:
                    found, products, error = spectral.passed(
                        self.drives, element, carrier, own, self.drives.few(), before
                    )
                except ParameterError:
                    if not self.noisy:  # light beyond the band is said first
                        check_driven(self.drives, element, carrier, own, what)
                    raise
                if not self.noisy:
                    worst = check_driven(self.drives, element, carrier, own, what, found)
                    self.beyond[element.name] = max(worst, self.beyond.get(element.name, 0.0))
                self.history.through(self, element, c, own)
                if products > 1:
                    way = f"spectrum of {element.name} in {products} products"
                    self.fits[way] = max(error, self.fits.get(way, 0.0))
            for k in range(len(element.departures)):
                rows.setdefault(k, []).append(found.get(k, np.zeros(1, dtype=np.complex128)))
        return {wave: _as_one(rows[k]) for k, wave in enumerate(element.departures) if wave in self.cut.lit}

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
            self.filters[element.name] = slow, stepped_error(slow, rate, FITTED * rate), 1
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
            settled=memory.settled,
        )

    def active(self) -> bool:
        """Return whether a part of the circuit can amplify."""
        return any(group.model.active for group in self.drives.compiled.parts.groups)


def _as_one(rows: Sequence[ComplexArray]) -> ComplexArray:
    """Return the light of all carriers, (T,) or (1,) each, as one array; that of one is not copied."""
    return rows[0][np.newaxis] if len(rows) == 1 else np.array(np.broadcast_arrays(*rows))
