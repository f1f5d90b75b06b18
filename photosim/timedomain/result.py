"""What a simulation in time hands back: waves, photocurrents, drives and states as one xarray Dataset."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import Detector
from photosim.signals.saturation import detected_share, saturation_power, too_bright
from photosim.timedomain.alone import filter_errors
from photosim.timedomain.band import LEAD, PASS, SHOWN
from photosim.timedomain.beats import check_carriers, detected
from photosim.timedomain.draws import Draws
from photosim.timedomain.history import Beating
from photosim.timedomain.nets import Nets
from photosim.timedomain.rational import FITTED
from photosim.timedomain.receivers import chain_of, received
from photosim.timedomain.run import Run

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.timedomain.timeline import Timeline

    ComplexArray = NDArray[np.complex128]

SLOW = 4e-3
"""Bandwidth of a receiver, in sample rates, that still feels what was long before the first sample."""
STEPPED = 0.03
"""Error of what passes a stepped filter, relative to its largest value, that is accepted."""


@public
def dataset(
    run: Run,
    name: str,
    line: Timeline,
    probes: Mapping[str, int],
    arrived: Mapping[int, ComplexArray],
    how: Mapping[str, str],
    nets: Nets,
    *,
    energies: bool,
) -> xarray.Dataset:
    """Return the Dataset of a finished run; samples before time 0 and beyond the end are dropped."""
    import xarray

    count = len(run.clock.carriers)
    dark = np.zeros((count, 1), dtype=np.complex128)

    def whole(values: NDArray[Any]) -> NDArray[Any]:
        wide = np.broadcast_to(values, (*values.shape[:-1], line.total))
        return np.ascontiguousarray(wide[..., line.kept])

    waves = np.array([whole(arrived.get(w, dark)) for w in probes.values()], dtype=np.complex128)
    waves = waves.reshape(-1, count, line.samples)
    wl = SPEED_OF_LIGHT_UM_S / run.clock.carriers
    variables: dict[str, Any] = {"wave": (("probe", "carrier", "time"), waves, {"units": "sqrt(W)"})}
    coordinates: dict[str, Any] = {
        "time": ("time", line.time[line.kept], {"units": "s"}),
        "probe": list(probes),
        "carrier": ("carrier", wl, {"units": "um"}),
    }
    detectors = [part for part in run.drives.compiled.graph.parts if isinstance(part.model, Detector)]
    if detectors:
        found = [_current(run, part, wl, arrived, line) for part in detectors]
        currents = [whole(current) for current, _ in found]
        nets.behind({part.name: current for part, (current, _) in zip(detectors, found, strict=True)})
        variables["current"] = (("detector", "time"), np.array(currents), {"units": "A"})
        # The share of the time in which a detector had more light than it can follow.
        variables["saturated"] = ("detector", np.array([share for _, share in found]), {"units": "1"})
        coordinates["detector"] = [part.name for part in detectors]
    variables |= nets.variables(line, coordinates)
    if run.drives.values:
        variables["drive"] = (("setting", "time"), np.array([whole(v) for v in run.drives.values.values()]))
        coordinates["setting"] = list(run.drives.values)
    if run.states:
        variables["state"] = (("state_name", "time"), np.array([whole(v) for v in run.states.values()]))
        coordinates["state_name"] = list(run.states)
    if energies:
        variables |= _energies(run, line, coordinates)
    notes = {
        "circuit": name,
        "sample_rate_Hz": run.clock.sample_rate,
        "pass_band_Hz": PASS * run.clock.sample_rate,
        "seed": -1 if run.clock.seed is None else run.clock.seed,
        "drives": "; ".join(f"{part}: {text}" for part, text in how.items()),
        "filters": "; ".join(_filters(run, line)),
        "starts": "; ".join(f"{name}: {text}" for name, text in run.starts.items()),
        "ends": "; ".join(
            f"{name}: a list, the last {LEAD} samples behind it are right to {error:.1g} of its largest value"
            for name, error in run.ends.items()
        ),
        "beyond": "; ".join(
            f"{part}: fields beyond the band up to {worst:.2g} of the largest, left out"
            for part, worst in run.beyond.items()
            if worst > SHOWN
        ),
        "fits": "; ".join(f"{way}: error {error:.2g}" for way, error in run.fits.items()),
        "symbolwise": "; ".join(
            said
            for key, said in run.drives.tables.items()
            if isinstance(key, tuple) and key[0] == "symbolwise"
        ),
    }
    if nets.notes:
        notes["electronics"] = "; ".join(nets.notes)
    return xarray.Dataset(variables, coordinates, attrs=notes)


def _filters(run: Run, line: Timeline) -> list[str]:
    """Return what is to be said of each filter that is stepped; ParameterError where one is far off.

    It is judged by its signal, and by the light that the signal modulates: several turns of phase make more
    of a small error.
    """
    rate, found = run.clock.sample_rate, []
    for part, (bandwidth, error, factor) in run.filters.items():
        own = {name: v for name, v in run.states.items() if name.rpartition(".")[0] == part}
        errors = filter_errors(run.drives, part, own, bandwidth, line.kept)
        wrong, of_light = (error / factor**2 for error in errors)
        if max(wrong, of_light) > STEPPED:
            what, by = (
                ("what passes it", wrong) if wrong > STEPPED else ("the light that it modulates", of_light)
            )
            message = (
                f"The sample rate of {rate:g} Hz is too low for the bandwidth of {part!r} ({bandwidth:g} "
                f"Hz), which is stepped: {what} is off by {by:.2g} of its largest value. Take "
                f"{2 * rate:g} Hz or more."
            )
            raise ParameterError(message)
        often = f" {factor} times a sample" if factor > 1 else ""
        found.append(
            f"{part}: stepped{often}, error {error:.2g} within {FITTED * rate:g} Hz, in this run {wrong:.2g} "
            f"of its largest value and {of_light:.2g} of the light"
        )
    return found


def _current(
    run: Run, part: Any, wl: NDArray[np.float64], arrived: Mapping[int, ComplexArray], line: Timeline
) -> tuple[NDArray[np.float64], float]:
    """Return the current (T,) of a detector in A, and the share of the time in which it saturates."""
    total, absolute, bright = lit_current(run, part, wl, arrived, line.total)
    saturated = max((float(np.mean(over)) for over in bright), default=0.0)
    slow = min(passes(run, part)) < SLOW * run.clock.sample_rate and not saturated
    before = beating(run, part, part.model.responsivity(wl, **run.drives.settings(part))) if slow else None
    seed = run.clock.seed
    draws = None if seed is None else Draws(seed, part.name, line.begin - line.warm)
    return received(run.drives, part, total, absolute, line, draws, before), saturated


def passes(run: Run, part: Any) -> tuple[float, ...]:
    """Return the bandwidths in Hz of a detector and of the stages behind it; infinite where there is none."""
    own = float(run.drives.settings(part).get("bandwidth") or np.inf)
    return own, *(stage.bandwidth for stage in chain_of(run.drives, part).stages)


def lit_current(
    run: Run, part: Any, wl: NDArray[np.float64], arrived: Mapping[int, ComplexArray], samples: int,
    beats: Mapping[int, bool] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.bool_]]]:  # fmt: skip
    """Return the current (T,) in front of all low-passes, that of all ports whatever their sign, saturation.

    Light of all carriers adds in power. The second is for noise, and 0 without it. The last says for each
    port that saturates at which samples. beats: whether the light on a wave beats beyond the band, where that
    is known and has been judged.
    """
    settings, bandwidths = run.drives.settings(part), passes(run, part)
    per_watt = part.model.responsivity(wl, **settings)
    noisy, total, absolute = run.clock.seed is not None, np.zeros(samples), np.zeros(samples)
    bright = []
    for k, port in enumerate(part.ports):
        wave = arrived.get(part.first_port + k)
        if wave is not None and port in per_watt:
            what = f"the current of {part.name!r}"
            known = None if beats is None else beats[part.first_port + k]
            light = detected(wave, run.clock.sample_rate, bandwidths, what, noisy=noisy, beats=known)
            if beats is None and len(wl) > 1:
                check_carriers(light, wl, bandwidths, what)
            power, over = _unsaturated(f"{part.name},{port}", settings, light)
            bright += [] if over is None else [over]
            response = np.broadcast_to(
                np.asarray(per_watt[port], dtype=np.float64).reshape(-1, 1), (len(wl), 1)
            )
            current = response * power
            total += current.sum(axis=0) if len(wl) > 1 else current[0]
            if noisy:
                size = np.abs(current)
                absolute += size.sum(axis=0) if len(wl) > 1 else size[0]
    total += float(part.model.dark(wl, **settings))
    total += run.glow.get(part.name, 0.0)
    return total, absolute, bright


def beating(run: Run, part: Any, per_watt: Mapping[str, Any]) -> Beating | None:
    """Return the beats that the light on a detector had before the first sample; None where none is known."""
    history, parts = run.history, []
    for k, port in enumerate(part.ports):
        wave = part.first_port + k
        for c in range(len(run.clock.carriers)):
            turns = history.turns(c)
            if turns is None or wave in history.open_ones:
                return None
            if port in per_watt:
                weight = np.broadcast_to(np.asarray(per_watt[port], dtype=np.float64), len(history.offsets))
                parts.append((float(weight[c]), history.arriving(wave, c), turns))
    return Beating.of(parts)


def _unsaturated(
    port: str, settings: Mapping[str, Any], power: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Return powers (C, T) at a port as its current follows them, and at which samples it saturates, if any.

    Warns of what lies above.
    """
    limit = saturation_power(settings)
    if np.isinf(limit):
        return power, None
    total = power.sum(axis=0) if len(power) > 1 else power[0]
    text = too_bright(port, total, limit, "samples")
    if not text:
        return power, None
    warnings.warn(text, PhotosimWarning, stacklevel=5)
    return np.asarray(power * detected_share(total, limit)), total > limit


def _energies(run: Run, line: Timeline, coordinates: dict[str, Any]) -> dict[str, Any]:
    """Return the energies in J that entered and left every lit island, named by what lights it."""
    rows: dict[str, tuple[float, float]] = {}
    for sources, ends in _energy_waves(run).values():
        found = run.arriving(ends)
        label = "+".join(dict.fromkeys(run.names.get(w, str(w)) for w in sources))
        entered = sum(_energy(run.injected[w], line) for w in sources)
        rows[label] = (entered, sum(_energy(found[w], line) for w in ends if w in found))
    coordinates["island"] = list(rows)
    values = np.array(list(rows.values())).reshape(-1, 2)
    return {
        "energy_in": ("island", values[:, 0], {"units": "J"}),
        "energy_out": ("island", values[:, 1], {"units": "J"}),
    }


def _energy(wave: ComplexArray, line: Timeline) -> float:
    """Return the energy in J of a wave (C, T) or (C, 1) from time 0 to the end."""
    power = (np.abs(wave) ** 2).sum(axis=0)
    return float((power[line.kept].sum() if power.size > 1 else power[0] * line.samples) / line.sample_rate)


def _energy_waves(run: Run) -> dict[int, tuple[list[int], list[int]]]:
    """Return for each island that light enters its injected waves and the waves in which light ends there."""
    ending: dict[int, tuple[list[int], list[int]]] = {}
    for wave in run.injected:
        ending.setdefault(run.island[wave], ([], []))[0].append(wave)
    onward = {a for a, _ in run.cut.edges}
    for wave, island in run.island.items():
        if island in ending and wave not in onward:
            ending[island][1].append(wave)
    return ending
