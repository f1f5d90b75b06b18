"""The weight bank: its products, programming and noise, against a dense solve and against formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from photosim.circuit import Circuit
from photosim.conventions import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C
from photosim.errors import ParameterError
from photosim.training.devices import Converters, Measured, WeightBank, effective_bits
from photosim.training.devices.bank.circuit import BankCircuit, find_bank
from photosim.training.devices.bank.program import calibrate, solve

FloatArray = NDArray[np.float64]
Dense = Callable[[Circuit, FloatArray], FloatArray]
MakeBank = Callable[..., Circuit]

IDEAL = Converters(heater_bits=None, input_bits=None)
RNG = np.random.default_rng(8)
WANTED = RNG.uniform(-1.0, 1.0, (3, 4))
PHASES = RNG.uniform(0.0, 0.2, (3, 4))


@pytest.fixture(scope="module")
def exact(bank: WeightBank) -> WeightBank:
    """The small bank holding WANTED, with ideal converters and no noise."""
    return replace(bank, converters=IDEAL).program(WANTED)


def test_weights_are_those_of_a_dense_solve(circuit: Circuit, hardware: BankCircuit, dense: Dense) -> None:
    reference = dense(circuit, PHASES)
    found = hardware.weights(PHASES[np.newaxis])[0]
    # Rings of finesse 98: a hundred rounding steps of values below 1, times the current scale.
    np.testing.assert_allclose(found, reference, atol=1e-12 * np.abs(reference).max())


def test_slopes_are_derivatives_of_the_weights(hardware: BankCircuit) -> None:
    _, slopes = hardware.weights_and_slopes(PHASES[np.newaxis])
    step = 1e-5
    for n in range(4):
        moved = np.stack([PHASES, PHASES])
        moved[0, :, n] += step
        moved[1, :, n] -= step
        above, below = hardware.weights(moved)
        np.testing.assert_allclose(
            slopes[0, :, :, n], (above - below) / (2 * step), atol=1e-5 * np.abs(slopes).max()
        )


def test_neighbours_are_heard(hardware: BankCircuit) -> None:
    _, slopes = hardware.weights_and_slopes(PHASES[np.newaxis])
    own = np.abs(np.diagonal(slopes, axis1=2, axis2=3))
    across = np.abs(slopes).sum(axis=3) - own
    assert across.max() > 1e-3 * own.max()  # crosstalk is in the model, or programming would be trivial


def test_rows_that_leak_into_each_other_are_refused(hardware: BankCircuit) -> None:
    hardware.check_rows()

    class Leaky:
        """The circuit with a tenth of the next row's slope mixed into every row's."""

        parameters = hardware.circuit.parameters

        def pullback(self, wl: Any, outputs: Any, inputs: Any, names: list[str], **settings: Any) -> Any:
            waves, pull = hardware.circuit.pullback(wl, outputs, inputs, names, **settings)

            def leaking(cotangent: Any) -> dict[str, Any]:
                slopes = pull(cotangent)
                return {name: slopes[name] + 0.1 * slopes[names[k - 4]] for k, name in enumerate(names)}

            return waves, leaking

    with pytest.raises(ParameterError, match="rows of 'bank' are not independent"):
        replace(hardware, circuit=Leaky()).check_rows()  # type: ignore[arg-type]


def test_programmed_weights_are_right_before_the_converters(
    exact: WeightBank, circuit: Circuit, dense: Dense
) -> None:
    tiles = exact.programmed
    rms = np.sqrt(np.mean((tiles.solved - WANTED) ** 2))
    assert rms < 1e-6
    independent = dense(circuit, tiles.phases[0]) / tiles.unit
    assert np.sqrt(np.mean((independent - WANTED) ** 2)) < 1e-6


def test_the_first_guess_alone_would_not_do(bank: WeightBank) -> None:
    from photosim.training.devices.bank.program import _guess

    targets = 0.9 * bank.calibration.reach * WANTED[np.newaxis]
    error = bank.hardware.weights(_guess(bank.calibration, targets)) - targets
    assert np.abs(error).max() > 1e-3 * bank.calibration.reach


def test_solve_says_which_weights_do_not_exist(bank: WeightBank) -> None:
    beyond = np.full((1, 3, 4), 1.05 * bank.calibration.high.max())
    possible = 0.5 * bank.calibration.reach * WANTED[np.newaxis]
    _, found = solve(bank.hardware, bank.calibration, np.concatenate([beyond, possible]))
    np.testing.assert_array_equal(found, [False, True])


def test_products_are_those_of_the_dense_weights(exact: WeightBank, circuit: Circuit, dense: Dense) -> None:
    weights = dense(circuit, exact.programmed.phases[0]) / exact.programmed.unit
    x = RNG.normal(size=(20, 4))
    gain = RNG.uniform(0.0, 1.0, (20, 3))
    np.testing.assert_allclose(exact.apply(x), x @ weights.T, atol=1e-11)
    np.testing.assert_allclose(exact.apply(x, gain=gain), gain * (x @ weights.T), atol=1e-11)
    np.testing.assert_allclose(exact.matrix(), weights, atol=1e-11)


@pytest.mark.parametrize("change", [{"loss_dB_cm": 30.0}, {"spacing": 150e9}, {"coupling": 0.04}], ids=str)
def test_the_product_follows_the_netlist_as_the_dense_solve_predicts(
    change: dict[str, float], exact: WeightBank, make_bank: MakeBank, dense: Dense
) -> None:
    edited = make_bank(**change)
    tiles = exact.programmed
    plus, minus = find_bank(edited, "bank").currents(tiles.phases)
    shape = tiles.plus.shape
    device = replace(exact, tiles=replace(tiles, plus=plus.reshape(shape), minus=minus.reshape(shape)))
    predicted = dense(edited, tiles.phases[0]) / tiles.unit
    x = RNG.normal(size=(5, 4))
    np.testing.assert_allclose(device.apply(x), x @ predicted.T, atol=1e-11)
    assert np.abs(predicted - WANTED).max() > 0.02  # the edit is felt


def test_converters_limit_the_weights(bank: WeightBank) -> None:
    errors = []
    for bits in (8, 10, 12, 14):
        held = replace(bank, converters=Converters(heater_bits=bits)).program(WANTED).matrix()
        errors.append(np.sqrt(np.mean((held - WANTED) ** 2)))
    # Two bits are a factor of four in the error, on average over twelve weights within a factor of two.
    ratios = np.array(errors[:-1]) / np.array(errors[1:])
    assert np.all((ratios > 2.0) & (ratios < 8.0))


def test_matrices_larger_than_the_bank_are_tiled_and_cycles_counted(bank: WeightBank) -> None:
    matrix = RNG.uniform(-2.0, 2.0, (7, 6))
    device = replace(bank, converters=IDEAL).program(matrix)
    x = RNG.normal(size=(9, 6))
    np.testing.assert_allclose(device.apply(x), x @ matrix.T, atol=1e-6)
    tiles = 3 * 2  # 7 rows on 3, 6 channels on 4
    assert device.counters["cycles"] == 2 * tiles * 9  # the positive part, then the negative
    assert device.counters["samples"] == 9
    energy = device.energy()
    assert energy.seconds == pytest.approx(2 * tiles * 9 * 0.5 / 20e9)
    assert energy.light == pytest.approx(energy.seconds * 4 * 1e-3)


def test_many_matrices_are_programmed_as_one_by_one(bank: WeightBank) -> None:
    matrices = [RNG.normal(size=(3, 4)), RNG.normal(size=(5, 2))]
    ideal = replace(bank, converters=IDEAL)
    for together, matrix in zip(ideal.program_all(matrices), matrices, strict=True):
        np.testing.assert_allclose(together.matrix(), ideal.program(matrix).matrix(), atol=1e-9)


def test_each_sample_is_scaled_into_the_modulators_range(bank: WeightBank) -> None:
    device = bank.program(WANTED)
    x = RNG.normal(size=(6, 4))
    scales = np.array([1e-6, 1e-3, 1.0, 7.0, 1e3, 0.0])[:, np.newaxis]
    # With eight-bit converters everything but the zero comes out alike up to its scale.
    np.testing.assert_allclose(device.apply(x * scales), scales * device.apply(x), rtol=1e-9, atol=1e-18)


def test_clipped_readings_are_counted(bank: WeightBank) -> None:
    device = replace(bank, converters=Converters(adc_bits=8, adc_range=0.3)).program(WANTED)
    device.apply(np.eye(4))
    # One channel at full power gives |weight| in units of the largest; the negative cycle gives 0.
    assert device.counters["clipped readings"] == np.count_nonzero(
        np.abs(WANTED) > 0.3 * np.abs(WANTED).max()
    )


def readings(device: WeightBank, x: FloatArray, count: int) -> FloatArray:
    """Products of the same vector, `count` times over, in A."""
    return np.asarray(
        device.apply(np.broadcast_to(x, (count, x.size))) * device.programmed.unit, dtype=np.float64
    )


def test_shot_and_thermal_noise_have_their_variances(exact: WeightBank) -> None:
    quiet = replace(exact.hardware, receiver=replace(exact.hardware.receiver, rin_dB_Hz=-400.0))
    device = replace(exact, hardware=quiet).with_noise("physical", np.random.default_rng(1))
    x = np.array([1.0, 0.4, 0.7, 0.2])
    count = 20_000
    sample = readings(device, x, count)
    tiles, receiver = device.programmed, device.hardware.receiver
    total = (tiles.plus + tiles.minus)[0, 0] @ x
    shot = 2 * ELEMENTARY_CHARGE_C * (total + 2 * (2 * receiver.dark_current)) * receiver.noise_bandwidth
    thermal = 2 * 4 * BOLTZMANN_J_K * 300.0 * receiver.noise_bandwidth / receiver.load_resistance
    # Two cycles: the light comes in the first only, dark current and load are there in both.
    statistic = (count - 1) * sample.var(axis=0, ddof=1) / (shot + thermal)
    # Chi-square with n - 1 degrees of freedom: mean n - 1, deviation sqrt(2 n); five deviations.
    assert np.all(np.abs(statistic - (count - 1)) < 5 * np.sqrt(2 * count))
    np.testing.assert_allclose(
        sample.mean(axis=0), tiles.unit * (WANTED @ x), atol=5 * np.sqrt((shot + thermal).max() / count)
    )


def test_the_receiver_is_that_of_the_netlist(circuit: Circuit) -> None:
    hot = Circuit(replace(circuit.netlist, settings={"temperature": 350.0}))
    assert find_bank(circuit, "bank").receiver.temperature == 300.0
    assert find_bank(hot, "bank").receiver.temperature == 350.0


def test_shot_noise_follows_the_sum_of_both_diodes(exact: WeightBank) -> None:
    """Balanced light gives no current, but all of its shot noise."""
    receiver = exact.hardware.receiver
    still = receiver.current_variance(np.array(0.0))
    assert receiver.current_variance(np.array(2e-3)) - still == pytest.approx(
        2 * ELEMENTARY_CHARGE_C * 2e-3 * receiver.noise_bandwidth, rel=1e-9
    )


def test_intensity_noise_is_one_process_for_all_rows_and_both_diodes(exact: WeightBank) -> None:
    loud = replace(exact.hardware.receiver, rin_dB_Hz=-120.0, dark_current=0.0, temperature=0.0)
    device = replace(exact, hardware=replace(exact.hardware, receiver=loud)).with_noise(
        "physical", np.random.default_rng(2)
    )
    x = np.array([1.0, 0.4, 0.7, 0.2])
    count = 20_000
    sample = readings(device, x, count)
    tiles = device.programmed
    weights = (tiles.plus - tiles.minus)[0, 0]
    intensity = 10 ** (-120 / 10) * loud.noise_bandwidth
    # Fluctuations reach the difference current through the weights, channel by channel, in all rows at once.
    expected = (weights * x**2 * intensity) @ weights.T
    expected += np.diag(
        2 * ELEMENTARY_CHARGE_C * ((tiles.plus + tiles.minus)[0, 0] @ x) * loud.noise_bandwidth
    )
    covariance = np.cov(sample.T)
    deviation = np.sqrt((expected**2 + np.outer(np.diag(expected), np.diag(expected))) / count)
    assert np.all(np.abs(covariance - expected) < 5 * deviation)
    assert np.abs(expected[0, 1]) > 20 * deviation[0, 1]  # the correlation is really seen


def test_the_published_noise_model_is_as_published(exact: WeightBank) -> None:
    device = exact.with_noise("measured", np.random.default_rng(3), Measured(mean=0.03, deviation=0.618))
    x = np.zeros((5_000, 4))
    x[0, 2] = -0.8  # the largest entry of the whole batch scales every sample's noise
    error = (device.apply(x) - x @ device.matrix().T) / (0.8 * np.abs(WANTED).max())
    count = error.size
    assert error.mean() == pytest.approx(0.03, abs=5 * 0.618 / np.sqrt(count))
    assert error.std() == pytest.approx(0.618, rel=5 / np.sqrt(2 * count))


def test_effective_bits_follow_the_noise(exact: WeightBank) -> None:
    assert effective_bits(exact, np.random.default_rng(0)) > 25.0  # solved to 1e-9 of the reach
    device = exact.with_noise("measured", np.random.default_rng(4), Measured(mean=0.0, deviation=0.4))
    found = effective_bits(device, np.random.default_rng(4), samples=4_000)
    # max|x| of thousands of uniform draws is 1; sigma is 0.4 over the number of channels.
    assert found == pytest.approx(np.log2(2 / (0.4 / 4)), abs=0.05)


def test_noise_comes_from_the_generator_alone(exact: WeightBank) -> None:
    x = RNG.normal(size=(3, 4))
    first, again, other = (
        exact.with_noise("physical", np.random.default_rng(seed)).apply(x) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


def test_strong_crosstalk_costs_range_and_then_is_an_error(make_bank: MakeBank) -> None:
    many = np.random.default_rng(9).uniform(-1.0, 1.0, (60, 4))
    tight = WeightBank.from_circuit(make_bank({"spacing": 60e9}, spacing=60e9, coupling=0.05), "bank", IDEAL)
    device = tight.program(many)
    np.testing.assert_allclose(device.matrix(), many, atol=1e-6)
    taken = device.programmed.unit * np.abs(many).max() / tight.calibration.reach
    assert 0.2 <= taken < 0.89
    closer = make_bank({"spacing": 20e9}, spacing=20e9)
    with pytest.raises(
        ParameterError, match="Crosstalk leaves the rings of 'bank' less than 20% of their range"
    ):
        WeightBank.from_circuit(closer, "bank", IDEAL).program(WANTED)


def test_hopeless_rings_are_refused(make_bank: MakeBank) -> None:
    lossy = find_bank(make_bank(loss_dB_cm=400.0), "bank")
    with pytest.raises(ParameterError, match=r"do not reach weights of both signs.*loss is too high"):
        calibrate(lossy)


@pytest.mark.parametrize(
    "matrix", [np.zeros((3, 4)), np.full((3, 4), np.nan), np.ones(4)], ids=["zero", "nan", "vector"]
)
def test_matrices_that_are_none_are_refused(bank: WeightBank, matrix: FloatArray) -> None:
    with pytest.raises(ParameterError, match="finite matrix"):
        bank.program(matrix)


def test_a_bank_must_be_found(circuit: Circuit, make_bank: MakeBank, bank: WeightBank) -> None:
    with pytest.raises(ParameterError, match=r"'bnak' is not a weight bank.*Did you mean 'bank'"):
        find_bank(circuit, "bnak")
    with pytest.raises(ParameterError, match="has 5 lines, but a row of 'bank' has 4 rings"):
        find_bank(make_bank({"lines": 5}), "bank")
    with pytest.raises(ParameterError, match="holds no matrix yet"):
        bank.apply(np.ones((1, 4)))
    with pytest.raises(ParameterError, match=r"x must be \(batch, 4\)"):
        bank.program(WANTED).apply(np.ones((1, 3)))


def test_a_member_of_an_array_is_a_bank_too(hardware: BankCircuit) -> None:
    circuit = Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-3, "lines": 4, "spacing": 200e9}},
                "banks": {
                    "component": "weight_bank",
                    "settings": {"rows": 3, "channels": 4, "spacing": 200e9, "coupling": 0.03},
                    "array": {"columns": 2, "rows": 1},
                },
            },
            "connections": {"laser,o1": "banks<1.0>,o1"},
            "terminate": ["banks<0.0>,o1"],
        }
    )
    member = find_bank(circuit, "banks<1.0>")
    phases = np.random.default_rng(3).uniform(0.0, 0.3, (2, 3, 4))
    np.testing.assert_array_equal(member.weights(phases), hardware.weights(phases))
