"""Converters and noise formulas of a receiver."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.training.devices import Converters, Receiver

RECEIVER = Receiver(
    bandwidth=1e9, dark_current=1e-6, load_resistance=50.0, temperature=300.0, rin_dB_Hz=-140.0
)


def test_noise_of_a_milliampere_is_the_textbook_value() -> None:
    # saleh2019: shot 2 q I B, thermal 4 k T B / R, by hand for 1 mA and two diodes of 1 uA dark current.
    # B of a Bessel low-pass of order 4 is 1.04637 of its half-power frequency.
    shot = 2 * 1.602176634e-19 * 1.002e-3 * 1.04637e9
    thermal = 4 * 1.380649e-23 * 300 * 1.04637e9 / 50
    assert RECEIVER.current_variance(np.array(1e-3)) == pytest.approx(shot + thermal, rel=1e-5)
    assert RECEIVER.relative_intensity_variance == pytest.approx(1.04637e-5, rel=1e-5)
    assert RECEIVER.cycle_s == pytest.approx(0.5e-9)


def test_steps_of_converters_are_as_fine_as_their_bits() -> None:
    converters = Converters(heater_bits=4, heater_range=3.0, input_bits=3, adc_bits=5, adc_range=2.0)
    fine = np.linspace(0.0, 3.0, 5001)
    held, clipped = converters.heaters(fine)
    assert (len(np.unique(held)), clipped) == (16, 0)
    assert np.abs(held - fine).max() <= 3.0 / 15 / 2 + 1e-12
    assert len(np.unique(converters.inputs(fine / 3.0))) == 8
    read, clipped = converters.readings(np.linspace(-2.0, 2.0, 5001))
    assert (len(np.unique(read)), clipped) == (31, 0)  # symmetric about a code for zero
    assert 0.0 in read
    values = np.random.default_rng(0).uniform(-2.0, 2.0, 99)
    np.testing.assert_array_equal(converters.readings(-values)[0], -converters.readings(values)[0])


def test_what_lies_outside_a_range_is_clipped_and_counted() -> None:
    converters = Converters(heater_range=1.0, adc_bits=8, adc_range=1.0)
    held, clipped = converters.heaters(np.array([-0.1, 0.5, 1.5]))
    assert clipped == 2
    assert (held[0], held[2]) == (0.0, 1.0)
    read, clipped = converters.readings(np.array([-7.0, 0.0, 1.0, 1.001]))
    assert clipped == 2
    np.testing.assert_allclose(read, [-1.0, 0.0, 1.0, 1.0])


def test_ideal_converters_change_nothing() -> None:
    ideal = Converters(heater_bits=None, heater_range=7.0, input_bits=None)
    values = np.random.default_rng(0).uniform(0.0, 1.0, 9)
    np.testing.assert_array_equal(ideal.inputs(values), values)
    np.testing.assert_array_equal(ideal.heaters(values)[0], values)
    assert ideal.readings(50.0 * values)[1] == 0


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"adc_bits": 1}, "adc_bits must be a whole number, from 2 to 32"),
        ({"heater_bits": 12.5}, "heater_bits must be a whole number"),
        ({"heater_range": 0.0}, "heater_range must be above 0, got 0.0"),
        ({"adc_bits": 8, "adc_range": float("nan")}, "adc_range must be above 0, or None, got nan"),
        ({"adc_bits": 8}, "adc_bits and adc_range go together"),
        ({"adc_range": 3.0}, "adc_bits and adc_range go together"),
    ],
)
def test_impossible_converters_are_refused(wrong: dict[str, float], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        Converters(**wrong)  # type: ignore[arg-type]
