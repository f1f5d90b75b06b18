"""Electronics that work symbol by symbol: pre-emphasis, equaliser, clock and data recovery."""

from __future__ import annotations

from typing import Annotated, Literal

from photosim.components.receivers import Span
from photosim.model import ClockRecovery, Equaliser, Quantity, Stage, electronic

Tap = Annotated[float, Quantity("1", -10.0, 10.0)]
"""Weight of a signal in a sum."""
SymbolRate = Annotated[float, Quantity("Hz", 1e3, 1e13)]
"""Symbols per s."""
LoopBandwidth = Annotated[float, Quantity("Hz", 1.0, 1e12)]
"""Bandwidth of a control loop in Hz."""
Damping = Annotated[float, Quantity("1", 0.3, 100.0)]
"""Damping of a loop of second order."""
AdaptationStep = Annotated[float, Quantity("1", 0.0, 1.0)]
"""Part of an error by which taps move at each symbol."""
Levels = Annotated[int, Quantity("1", 2, 16, whole=True)]
"""Number of levels of a symbol."""


@electronic(inputs=("e1",), outputs=("e2",), source="lucky1965")
def pre_emphasis(
    *,
    pre1: Tap = -0.05,
    main: Tap = 1.0,
    post1: Tap = -0.1,
    post2: Tap = 0.0,
    symbol_rate: SymbolRate = 10e9,
    output_range: Span = 8.0,
) -> Stage:
    """Transmit equaliser: v(e2) is the sum of the symbols at e1, weighted by four taps one symbol apart.

    Its place is between a `dac` and the modulator that it drives. The tap pre1 weights the next symbol,
    so the output is late by one symbol (lucky1965, section II). Slow signals pass with the sum of the taps.
    Voltages outside its range are clipped and counted. Left out: noise and a bandwidth of its own, steps
    of the taps.

    Settings:
        pre1: tap of the next symbol.
        main: tap of the symbol itself.
        post1: tap of the symbol before.
        post2: tap of the symbol before that.
        symbol_rate: symbols per second, the inverse of the distance of the taps.
        output_range: width of the output range, which is centred on zero.
    """
    work = Equaliser((pre1, main, post1, post2), 1, symbol_rate)
    return Stage(low=-output_range / 2, high=output_range / 2, work=work)


@electronic(inputs=("e1",), outputs=("e2",), source="lucky1965")
def feed_forward_equaliser(
    *,
    pre2: Tap = 0.0,
    pre1: Tap = 0.0,
    main: Tap = 1.0,
    post1: Tap = 0.0,
    post2: Tap = 0.0,
    symbol_rate: SymbolRate = 10e9,
    adaptation: Literal["fixed", "least_squares", "lms"] = "fixed",
    step: AdaptationStep = 2e-3,
    levels: Levels = 2,
    output_range: Span = 2.0,
) -> Stage:
    """Receive equaliser: v(e2) is the sum of the signal at e1, weighted by five taps one symbol apart.

    Noise at its input is weighted in the same way. Adaptation has no training: symbols are decided from the
    signal itself, in the middle between its edges (lucky1965, section IV, without the training pulses). The
    output is late by two symbols; what would lie beyond its range is counted. Left out: noise and a bandwidth
    of its own, steps of the taps.

    Settings:
        pre2: tap of the next symbol but one.
        pre1: tap of the next symbol.
        main: tap of the symbol itself.
        post1: tap of the symbol before.
        post2: tap of the symbol before that.
        symbol_rate: symbols per second, the inverse of the distance of the taps.
        adaptation: fixed; least_squares, taps of sum 1 over the whole record; lms, taps that follow.
        step: step size of lms: fraction of the error that a symbol corrects, over the signal's variance.
        levels: number of levels that symbols have, for adaptation.
        output_range: width of the output range, which is centred on zero.
    """
    work = Equaliser((pre2, pre1, main, post1, post2), 2, symbol_rate, adaptation, step, levels)
    return Stage(low=-output_range / 2, high=output_range / 2, work=work)


@electronic(inputs=("e1",), outputs=("e2",), source="gardner1986")
def clock_recovery(
    *,
    symbol_rate: SymbolRate = 10e9,
    bandwidth: LoopBandwidth = 4e6,
    damping: Damping = 2.0,
    output_range: Span = 2.0,
) -> Stage:
    """Clock and data recovery: samples v(e1) in the middle of each symbol, and holds it for a symbol at e2.

    A detector compares the signal between two symbols with the step between them (gardner1986, eq. 1), and a
    loop of second order moves the clock, so that jitter below its bandwidth is followed and that above it
    stays. The clock begins on the mean of the first edges. Left out: noise and jitter of the oscillator,
    decisions, slips that a start off lock would have.

    Settings:
        symbol_rate: symbols per second, correct within 0.1 %.
        bandwidth: frequency at which the clock follows half of the power of a jitter.
        damping: damping factor of the loop.
        output_range: width of the output range, which is centred on zero.
    """
    work = ClockRecovery(symbol_rate, bandwidth, damping)
    return Stage(low=-output_range / 2, high=output_range / 2, work=work)
