"""Measure the time domain: a link of modulator and all-pass ring by FFT, and the same link stepped in time.

    python tests/benchmarks/run_time.py [--only link] [--small] [--out FILE]

`--only stream` has the same link streamed, with noise.

The stepper is what a time-domain simulator of S-matrices does: at each step the waves that left the parts
some steps ago arrive, and one matrix of all parts turns them into those that leave. Its step must divide the
delays of the circuit: a tenth of the ring's round trip, where the FFT takes the sample that the signal
needs. It is run over a part of the time, and its seconds are scaled to the whole. Every number is CPU time
of one thread.
"""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
from numba import njit

import photosim as ps
from photosim import waveforms
from photosim.bench.measuring import Row, cpu_seconds, options, report, seconds_text
from photosim.timedomain.low_pass import low_pass

C_UM = 299_792_458.0e6
NEFF, NG, RADIUS, COUPLING, LOSS_dB_cm = 2.44553, 4.19088, 10.0, 0.05, 2.5
RATE = 1e12
BITS = 25e9
LINK_S = 0.12
"""Seconds of a million samples that are wanted."""
ROUND_STEPS = 10
"""Steps of a round trip: the delay is exact, and the phase at the carrier."""


def link() -> ps.Circuit:
    """Laser, Mach-Zehnder modulator, all-pass ring, photodetector."""
    ring = {"radius": RADIUS, "coupling": COUPLING, "loss_dB_cm": LOSS_dB_cm, "neff": NEFF, "ng": NG}
    return ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-3}},
                "modulator": {
                    "component": "mach_zehnder_modulator",
                    "settings": {"loss_dB": 0.0, "bias": 2.0},
                },
                "ring": {"component": "ring_single", "settings": ring},
                "receiver": {"component": "photodetector", "settings": {"bandwidth": 0.0}},
            },
            "connections": {
                "laser,o1": "modulator,o1",
                "modulator,o2": "ring,o1",
                "ring,o2": "receiver,o1",
            },
        }
    )


def data() -> waveforms.Waveform:
    """Voltage of the modulator."""
    return waveforms.prbs(BITS, low=-2.0, high=2.0, order=15)


def transient(circuit: ps.Circuit, samples: int) -> Any:
    """The link by FFT."""
    return ps.transient(circuit, samples / RATE, sample_rate=RATE, drive={"modulator.voltage": data()})


# --- the stepper ----------------------------------------------------------------------------------------


def parts() -> tuple[Any, Any, Any]:
    """Return the matrix of all parts (9, 9), and for each arriving wave the leaving one and its delay.

    Waves: modulator 0 1, coupler 2 3 4 5, loop 6 7, and 8, which is dark and stands for what nothing sends.
    """
    length = 2 * np.pi * RADIUS
    turn = 10 ** (-LOSS_dB_cm * length * 1e-4 / 20) * np.exp(2j * np.pi * NEFF * length / 1.55)
    bar, cross = np.sqrt(1 - COUPLING), 1j * np.sqrt(COUPLING)
    s = np.zeros((9, 9), dtype=complex)
    for a, b, value in ((2, 5, bar), (3, 4, bar), (2, 4, cross), (3, 5, cross), (6, 7, turn)):
        s[b, a] = s[a, b] = value
    sender = np.array([8, 2, 1, 7, 6, 8, 4, 3, 8])
    delay = np.ones(9, dtype=np.int64)
    # The wire into the loop takes a step; the loop takes the rest of the round, on its way out.
    delay[3] = ROUND_STEPS - 1
    return s, sender, delay


def modulation(time: Any) -> Any:
    """Amplitude of the modulator at times (T,), by its closed form."""
    instances = {"m": {"component": "mach_zehnder_modulator", "settings": {"loss_dB": 0.0, "bias": 2.0}}}
    model = ps.Circuit({"instances": instances, "ports": {"in": "m,o1", "out": "m,o2"}})
    voltage = low_pass(data().sample(time), 30e9, 1 / (time[1] - time[0]))
    levels = np.linspace(-2.5, 2.5, 2001)
    table = model([1.55], m={"voltage": levels})["in", "out"].values[:, 0]
    return np.interp(voltage, levels, table.real) + 1j * np.interp(voltage, levels, table.imag)


def stepped(s: Any, sender: Any, delay: Any, driven: Any) -> Any:
    """Return the wave (T,) out of the ring, step by step in plain Python and numpy."""
    depth = int(delay.max()) + 1
    history = np.zeros((depth, len(s)), dtype=complex)
    out = np.empty(driven.size, dtype=complex)
    lit = np.sqrt(1e-3)
    for t in range(driven.size):
        arriving = history[(t - delay) % depth, sender]
        arriving[0] = lit
        s[1, 0] = driven[t]
        leaving = s @ arriving
        history[t % depth] = leaving
        out[t] = leaving[5]
    return out


@njit
def compiled(s: Any, sender: Any, delay: Any, driven: Any) -> Any:
    """Return the same, compiled: a lower bound of stepping, made for this circuit."""
    depth, size = delay.max() + 1, len(s)
    history = np.zeros((depth, size), dtype=np.complex128)
    arriving = np.zeros(size, dtype=np.complex128)
    out = np.empty(driven.size, dtype=np.complex128)
    for t in range(driven.size):
        for w in range(size):
            arriving[w] = history[(t - delay[w]) % depth, sender[w]]
        arriving[0] = np.sqrt(1e-3)
        s[1, 0] = driven[t]
        for w in range(size):
            total = 0j
            for v in range(size):
                total += s[w, v] * arriving[v]
            history[t % depth, w] = total
        out[t] = history[t % depth, 5]
    return out


def stepping_time(samples: int, run: Any, steps: int) -> tuple[Any, float, int]:
    """Return the wave, and the CPU seconds that all steps of `samples` would take, from those of `steps`."""
    round_trip = NG * 2 * np.pi * RADIUS / C_UM
    needed = int(samples / RATE / round_trip * ROUND_STEPS)
    few = min(steps, needed)
    time = np.arange(few) * round_trip / ROUND_STEPS
    driven = modulation(time)
    run(*parts(), driven[:10])
    out, taken = cpu_seconds(lambda: run(*parts(), driven))
    return (time, out), taken * needed / few, needed


def link_by_fft_and_by_steps(*, small: bool) -> list[Row]:
    """Compare the FFT with the stepper, in Python and compiled; their light must agree."""
    samples = 20_000 if small else 1_000_000
    circuit = link()
    transient(circuit, 2000)
    times = []
    for _ in range(2 if small else 5):
        out, taken = cpu_seconds(lambda: transient(circuit, samples))
        times.append(taken)
    best = min(times)
    rows = [
        Row(
            f"{samples:,} samples of a link with laser, modulator, ring and detector",
            f"{seconds_text(best)} CPU",
            seconds_text(LINK_S),
            best < LINK_S,
            best,
        )
    ]
    for name, run, steps, bound in (
        ("in numpy", stepped, 20_000 if small else 200_000, 100.0),
        ("compiled for this circuit", compiled, 2_000_000, None),
    ):
        (time, wave), taken, needed = stepping_time(samples, run, steps)
        error = agreement(out, time, wave)
        assert error < 0.02, error
        ratio = taken / best
        note = (
            f"{ratio:.3g} ({seconds_text(taken)} for {needed:,} steps; light differs by {100 * error:.2g} %)"
        )
        kept = None if bound is None else ratio >= bound
        rows.append(Row(f"time of stepping it {name} over time by FFT", note, str(bound or "-"), kept, ratio))
    return rows


def agreement(out: Any, time: Any, wave: Any) -> float:
    """Return the rms difference of the detected power between FFT and steps, over the largest power."""
    current = out.current.values[0]
    inner = (time > 2e-10) & (time < out.time.values[-200])
    power = np.abs(wave[inner]) ** 2
    expected = np.interp(time[inner], out.time.values, current)
    return float(np.sqrt(np.mean((power - expected) ** 2)) / current.max())


def streamed(*, small: bool) -> list[Row]:
    """Stream the link with all noise on and errors counted; two lengths tell what a sample costs."""
    noisy: dict[str, Any] = {
        "laser": {"power": 2e-5, "linewidth": 1e6, "rin_dB_Hz": -150.0},
        "receiver": {"bandwidth": 0.0},
    }

    def run(samples: int) -> Any:
        drive = {"modulator.voltage": data()}
        return ps.stream(link(), samples / RATE, sample_rate=RATE, drive=drive, **noisy)

    few, many = (300_000, 600_000) if small else (4_000_000, 40_000_000)
    run(few)
    _, first = cpu_seconds(lambda: run(few))
    counted, second = cpu_seconds(lambda: run(many))
    whole = first + (second - first) / (many - few) * (1_000_000_000 - few)
    assert counted.symbols > 0.99 * many * BITS / RATE
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return [
        Row("10^9 samples of the link streamed, noise on, errors counted, s of one core",
            seconds_text(whole), "240", whole < 240, whole),
        Row("memory of it, MB, the whole process", f"{memory:.0f}", "500", memory < 500, memory),
    ]  # fmt: skip


MEASUREMENTS = {"stream": streamed, "link": link_by_fft_and_by_steps}

if __name__ == "__main__":
    report(MEASUREMENTS, options("the time domain by FFT and by steps", MEASUREMENTS).parse_args())
