"""The medium as a device: its matrix is the circuit's, read-outs agree with it, and all is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import photosim as ps
from photosim.circuit import Circuit
from photosim.errors import ParameterError
from photosim.training.checkpoint import restore_rule, rule_state
from photosim.training.devices import Drift, Projection, ScatteringMedium
from photosim.training.rules import TernaryDFA

FloatArray = NDArray[np.float64]
INPUTS, WIDTHS = 10, (40, 60)
NOISELESS: dict[str, Any] = {
    "camera": {"shot_noise": False, "read_noise": 0.0, "bits": 0, "full_well": 1e9, "dark_rate": 0.0}
}
METHODS = ("phase-stepping", "off-axis", "anchor")


@pytest.fixture(scope="module")
def opu() -> Circuit:
    """The gallery's chain of laser, mirrors, medium and camera."""
    return ps.load("opu")


def devices(circuit: Circuit, how: Projection | None = None, **settings: Any) -> tuple[ScatteringMedium, ...]:
    return ScatteringMedium.from_circuit(circuit, INPUTS, WIDTHS, how, **settings)


def signs(batch: int = 24, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).integers(-1, 2, (batch, INPUTS)).astype(float)


def dense_matrix(circuit: Circuit, **settings: Any) -> FloatArray:
    """Real part of the fields relative to the reference, from all mirrors one by one, summed over groups."""
    chain = circuit.chain(**settings)
    pixels, on = chain.modulator.pixels, np.eye(chain.modulator.pixels)
    matrix = (
        chain.medium.project(chain.modulator.modulate(on) - chain.modulator.modulate(0 * on)) * chain.beam
    )
    fields = matrix.T * np.exp(-1j * np.angle(chain.reference))
    groups = [fields[: sum(WIDTHS), group].sum(axis=1) for group in np.array_split(np.arange(pixels), INPUTS)]
    return np.asarray(np.stack(groups, axis=1).real)


def test_the_matrix_is_that_of_the_circuit(opu: Circuit) -> None:
    expected = dense_matrix(opu)
    found = np.concatenate([own.matrix() for own in devices(opu, size=0.5)])
    np.testing.assert_allclose(found, 0.5 * expected / expected.std(), atol=1e-4)
    assert [own.matrix().shape for own in devices(opu)] == [(40, INPUTS), (60, INPUTS)]


def test_the_netlist_decides_what_is_learnt_from(opu: Circuit) -> None:
    """Another seed, contrast or tap: the product is what a dense solve of the edited circuit says."""
    x = signs()
    before = devices(opu)[0].apply(x)
    for edit in ({"medium": {"seed": 2}}, {"mirrors": {"contrast": 2.0}}, {"tap": {"coupling": 0.5}}):
        chain = opu.chain(**edit)
        expected = dense_matrix(opu, **edit)
        own = devices(opu, **edit)[0]
        product = x @ expected[:40].T
        np.testing.assert_allclose(own.apply(x) * own.unit, product, atol=1e-3 * np.abs(product).max())
        assert own.unit == pytest.approx(expected.std(), rel=1e-4)
        assert own.power == pytest.approx(abs(chain.beam) ** 2 + abs(chain.reference) ** 2)
    assert np.abs(devices(opu, medium={"seed": 2})[0].apply(x) - before).max() > 0.5
    weaker = devices(opu, mirrors={"contrast": 2.0})[0].unit / devices(opu)[0].unit
    assert weaker == pytest.approx((1 - 2**-0.5) / (1 - 1000**-0.5), rel=1e-4)


def test_a_buffer_written_anew_is_shown_anew(opu: Circuit) -> None:
    """Devices share the exposure of equal numbers, in one array or two, and never that of other numbers."""
    first, second = devices(opu)
    buffer, other = signs(seed=1), signs(seed=2)
    first.apply(buffer)
    frames = first.counters["frames"]
    np.testing.assert_allclose(second.apply(buffer.copy()), buffer @ second.matrix().T, atol=1e-4)
    assert first.counters["frames"] == frames
    first.apply(buffer)
    buffer[...] = other
    np.testing.assert_allclose(second.apply(buffer), other @ second.matrix().T, atol=1e-4)
    assert first.counters["frames"] == 3 * frames
    buffer[3, 2] = np.nan
    with pytest.raises(ParameterError, match="The mirrors show finite numbers: x has nan among its entries"):
        second.apply(buffer)


@pytest.mark.parametrize("method", METHODS)
def test_a_noiseless_camera_reads_the_matrix(opu: Circuit, method: Any) -> None:
    how = Projection(method=method, noise="physical")
    own = devices(opu, how, **NOISELESS)[0]
    x = signs()
    np.testing.assert_allclose(own.apply(x), x @ own.matrix().T, atol=5e-3)  # single precision beside A^2
    assert own.counters["saturated"] == 0


def test_intensity_is_read_as_it_is(opu: Circuit) -> None:
    """One entry alone gives |T|^2, several do not add: raw intensity is no linear product."""
    own = devices(opu, Projection(method="intensity", noise="physical"), **NOISELESS)[0]
    exact = devices(opu, Projection(method="intensity"), **NOISELESS)[0]
    for x in (np.eye(INPUTS), signs()):
        np.testing.assert_allclose(own.apply(x), exact.apply(x), atol=1e-3 * np.abs(exact.apply(x)).max())
    assert np.abs(exact.apply(signs()) - signs() @ exact.matrix().T).max() > 1.0
    assert (own.matrix() > 0.0).all()


def test_bit_planes_carry_numbers(opu: Circuit) -> None:
    x = np.random.default_rng(1).normal(size=(8, INPUTS))
    for noise in (None, "physical"):
        how = Projection(planes=6, noise=noise)
        own = devices(opu, how, **NOISELESS)[0]
        step = np.abs(x).max(axis=1, keepdims=True) / 63.0
        rounded = np.rint(x / step) * step
        np.testing.assert_allclose(own.apply(x), rounded @ own.matrix().T, atol=2e-2)
        assert own.counters["frames"] == 8 * 2 * 2 * 6
    with pytest.raises(ParameterError, match="shows errors of -1, 0 and 1: ternarise them, or set planes=6"):
        devices(opu)[0].apply(x)


@pytest.mark.parametrize(
    ("method", "each"), [("phase-stepping", 2), ("off-axis", 1), ("anchor", 2), ("intensity", 1)]
)
@pytest.mark.parametrize("noise", [None, "measured", "physical"])
def test_frames_time_and_light_are_counted(opu: Circuit, method: Any, each: int, noise: Any) -> None:
    how = Projection(method=method, noise=noise, frame=1e-3)
    first, second = devices(opu, how)
    x = signs(30)
    x[:10] = 0.0  # nothing to show: no frame
    products = first.apply(x), second.apply(x)
    frames = 20 * 2 * each + (method == "anchor" and noise == "physical") * 1  # the anchor itself, once
    assert first.counters["frames"] == second.counters["frames"] == frames
    assert np.abs(products[0][:10]).max() == 0.0
    done = first.energy()
    assert (done.cycles, done.samples) == (frames, 30)
    assert done.seconds == pytest.approx(frames * 1e-3)
    assert done.light == pytest.approx(first.power * frames * 1e-3)
    second.apply(x)  # asked again: a new exposure
    assert first.counters["samples"] == 60


def test_layers_share_an_exposure_and_its_noise(opu: Circuit) -> None:
    first, second = devices(opu, Projection(noise="physical"))
    x = signs()
    one, other = first.apply(x), second.apply(x)
    again = devices(opu, Projection(noise="physical"))[0]
    np.testing.assert_array_equal(again.apply(x), one)
    assert other.shape == (24, 60)
    assert np.abs(first.apply(x) - one).max() > 0.0  # the next exposure has noise of its own


def test_light_decides_the_noise(opu: Circuit) -> None:
    """Real part by two steps with a strong reference: variance 1/8 of an electron and a read noise.

    opu.md: Var = (2 (A^2 + |E|^2) + 2 s^2)/(16 A^2) in electrons. 24 x 40 values: 5 % of standard error.
    """
    light = {"camera": {"bits": 0, "full_well": 1e9, "dark_rate": 0.0, "read_noise": 3.0}}
    how = Projection(noise="physical")
    own = devices(opu, how, **light)[0]
    chain, x = own.chain, signs()
    per_watt = chain.camera.electrons_per_watt(chain.wl)
    errors = (own.apply(x) - x @ own.matrix().T) * own.unit * np.sqrt(per_watt)
    a2 = abs(chain.reference_at_pixel) ** 2 * per_watt
    e2 = [np.mean(np.abs(chain.fields(part)) ** 2) * per_watt for part in (x > 0, x < 0)]
    variance = sum((2 * (a2 + own_e2) + 2 * 3.0**2) / (16 * a2) for own_e2 in e2)
    assert np.var(errors) == pytest.approx(variance, rel=0.15)


def test_measured_noise_has_its_deviation(opu: Circuit) -> None:
    own = devices(opu, Projection(noise="measured", deviation=0.1))[0]
    x = signs(400)
    exact = x @ own.matrix().T
    ratio = np.std(own.apply(x) - exact) / np.sqrt(np.mean(exact**2))
    assert ratio == pytest.approx(0.1, rel=0.05)  # 16,000 values, and the root mean square of all pixels


def test_saturation_is_counted(opu: Circuit) -> None:
    own = devices(opu, Projection(noise="physical"), camera={"full_well": 100.0})[0]
    own.apply(signs())
    assert own.counters["saturated"] > 100


def test_a_medium_forgets_at_its_rate(opu: Circuit) -> None:
    how = Projection(frame=1.0, drift=Drift(persistence=50.0, interval=1.0, seed=3))
    own = devices(opu, how)[0]
    before = own.matrix()
    own.counters["frames"] = 25
    after = own.matrix()
    # exp(-25/50) = 0.61; 400 entries give +-0.04.
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] == pytest.approx(np.exp(-0.5), abs=0.12)
    assert after.std() == pytest.approx(before.std(), rel=0.15)
    own.counters["frames"] = 0
    np.testing.assert_array_equal(own.matrix(), before)


def test_a_wandering_reference_turns_all_fields_alike(opu: Circuit) -> None:
    how = Projection(frame=1.0, drift=Drift(wander=0.5))
    steady = Projection(frame=1.0)
    turned, still = devices(opu, how)[0], devices(opu, steady)[0]
    turned.counters["frames"] = 4
    quadrature = replace(how, drift=Drift())
    other = devices(opu, quadrature)[0].shared.response(
        replace(still.chain, reference=still.chain.reference * 1j)
    )
    pair = np.stack([still.matrix().ravel(), other[still.pixels].ravel() / still.unit])
    share, *_ = np.linalg.lstsq(pair.T, turned.matrix().ravel(), rcond=None)
    np.testing.assert_allclose(share @ pair, turned.matrix().ravel(), atol=1e-4)
    assert np.hypot(*share) == pytest.approx(1.0, abs=1e-4)
    # The anchor is light that went the same way: it does not care.
    anchored = devices(opu, replace(how, method="anchor"))[0]
    first = anchored.matrix()
    anchored.counters["frames"] = 4
    np.testing.assert_allclose(anchored.matrix(), first, atol=1e-5)


def test_a_restored_device_meets_the_medium_it_would_have_met(opu: Circuit) -> None:
    def rule() -> TernaryDFA:
        how = Projection(
            noise="physical", frame=1.0, drift=Drift(persistence=500.0, wander=0.1, interval=4.0)
        )
        return TernaryDFA(devices(opu, how))

    whole, x = rule(), [signs(seed=k) for k in range(4)]
    for batch in x[:2]:
        whole.feedback[0].apply(batch)
    kept = rule_state(whole)
    expected = [whole.feedback[0].apply(batch) for batch in x[2:]]
    other = rule()
    restore_rule(other, kept)
    for batch, product in zip(x[2:], expected, strict=True):
        np.testing.assert_array_equal(other.feedback[0].apply(batch), product)


def test_wrong_use_is_one_sentence(opu: Circuit) -> None:
    with pytest.raises(ParameterError, match="cannot be programmed with a matrix of shape"):
        devices(opu)[0].program(np.eye(3))
    with pytest.raises(ParameterError, match=r"method must be .* got 'of-axis'.*Did you mean 'off-axis'"):
        Projection(method="of-axis")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="1024 mirrors and 1024 pixels: too few for 10 inputs and 2000"):
        ScatteringMedium.from_circuit(opu, 10, [2000])
    with pytest.raises(ParameterError, match=r"show 10 entries: x must be \(batch, 10\), got \(2, 9\)"):
        devices(opu)[0].apply(np.ones((2, 9)))
    with pytest.raises(ParameterError, match="persistence must be above 0"):
        Drift(persistence=-1.0)
    with pytest.raises(ParameterError, match="planes must be a whole number, 1 or more, got 0"):
        Projection(planes=0)
