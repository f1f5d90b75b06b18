"""Pictures hold what they say: the data, its units, a legend beside it, marks for channels."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from IPython.core import formatters
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from photosim import plotting
from photosim.errors import DataError, ParameterError
from photosim.plotting import signals
from photosim.smatrix import SMatrix
from photosim.training.result import RuleResult, TrainingResult, WeightMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAIRS = [("in", "drop"), ("in", "through")]


def matrix(points: int = 101) -> SMatrix:
    wl = np.linspace(1.5, 1.6, points)
    drop = 1.0 / (1.0 + ((wl - 1.55) / 0.005) ** 2)
    values = np.zeros((points, 3, 3), dtype=complex)
    values[:, 1, 0] = np.sqrt(drop)
    values[:, 2, 0] = np.sqrt(1.0 - drop)
    return SMatrix(wl, ("in", "drop", "through"), values)


def training(seeds: int = 3) -> TrainingResult:
    rng = np.random.default_rng(1)
    accuracy = 0.9 - 0.5 * np.exp(-np.arange(8.0)) + 0.01 * rng.random((seeds, 8))
    rules = tuple(
        RuleResult(rule, accuracy - k / 50, accuracy, 1 - accuracy) for k, rule in enumerate(("exact", "dfa"))
    )
    target = rng.uniform(-1, 1, (6, 4))
    weights = WeightMap("feedback to layer 1", target, target, target + 1e-3 * rng.normal(size=target.shape))
    return TrainingResult("digits", "images", (4, 6, 2), 8, 0, seeds, rules, (weights,))


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


def test_a_spectrum_shows_its_data_with_units() -> None:
    s = matrix()
    axes = plotting.spectrum(s, PAIRS, title="ring").axes[0]
    drop, through = axes.lines
    assert np.array_equal(drop.get_ydata(), s["in", "drop"].power_dB)
    assert np.array_equal(through.get_xdata(), s.wl)
    assert axes.get_xlabel() == "wavelength (\N{GREEK SMALL LETTER MU}m)"
    assert axes.get_ylabel() == "transmission (dB)"
    assert axes.get_title(loc="left") == "ring"
    assert legend(axes) == [
        "in \u2192 drop",
        "in \u2192 through",
    ]


def test_the_legend_hides_no_data() -> None:
    for figure in (plotting.spectrum(matrix(), PAIRS), plotting.learning_curves(training())):
        axes = figure.axes[0]
        figure.draw_without_rendering()
        assert cast("Any", axes.get_legend()).get_window_extent().x0 >= axes.get_window_extent().x1


def test_channels_inside_the_range_are_marked_and_numbered() -> None:
    axes = plotting.spectrum(matrix(), PAIRS, channels=[1.51, 1.55, 1.7]).axes[0]
    assert [line.get_xdata()[0] for line in axes.lines[2:]] == [1.51, 1.55]  # type: ignore[index]
    assert [text.get_text() for text in axes.texts] == ["1", "2"]


def test_dark_spectra_keep_finite_axes() -> None:
    s = matrix()
    dark = plotting.spectrum(s, [("drop", "in")]).axes[0]
    assert np.all(np.isfinite(dark.get_ylim()))
    deep = SMatrix(s.wl, s.ports, s.values * 1e-9)
    low, high = plotting.spectrum(deep, PAIRS).axes[0].get_ylim()
    assert low < high


def test_no_line_is_refused() -> None:
    with pytest.raises(ParameterError, match="1 port pair or more, got 0"):
        plotting.spectrum(matrix(), [])


def test_a_batch_is_coloured_by_its_setting_with_its_unit() -> None:
    s = matrix()
    batch = {"ring.radius": np.array([9.0, 10.0])}
    two = SMatrix(
        s.wl, s.ports, np.stack([s.values, 0.5 * s.values]), batch=batch, units={"ring.radius": "um"}
    )
    *panels, scale = plotting.spectrum(two, PAIRS).axes
    assert [len(axes.lines) for axes in panels] == [2, 2]
    assert scale.get_ylabel() == "ring.radius (\N{GREEK SMALL LETTER MU}m)"
    colours = {to_hex(line.get_color()) for line in panels[0].lines}
    assert len(colours) == 2
    low, high = (np.asarray(line.get_ydata(), dtype=float) for line in panels[0].lines)
    np.testing.assert_allclose(low - high, 20 * np.log10(2.0), rtol=1e-9)


def test_more_pairs_than_can_be_told_apart_are_a_map() -> None:
    s = matrix()
    axes = plotting.spectrum(s, [("in", "drop")] * 16).axes[0]
    assert not axes.lines
    (mesh,) = axes.collections
    rows = np.asarray(mesh.get_array()).reshape(16, -1)
    np.testing.assert_allclose(rows[5], s["in", "drop"].power_dB)


def test_a_matrix_at_one_wavelength_is_a_map_of_powers() -> None:
    s = matrix()
    one = SMatrix(s.wl[:1], s.ports, s.values[:1])
    pairs = [(a, b) for a in ("in", "drop") for b in ("in", "drop", "through")]
    axes = plotting.spectrum(one, pairs, title="ring").axes[0]
    shown = np.asarray(axes.images[0].get_array())
    assert shown.shape == (3, 2)
    assert shown[1, 0] == pytest.approx(one["in", "drop"].power[0])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("from", "to")
    assert axes.get_title(loc="left") == f"ring, {s.wl[0]:.6g} \N{GREEK SMALL LETTER MU}m"


def test_equal_curves_show_through_each_others_gaps() -> None:
    s = matrix()
    axes = plotting.spectrum(s, [("in", "drop"), ("in", "through"), ("in", "drop")]).axes[0]
    first, other, last = axes.lines
    offset, dashes = first._dash_pattern  # type: ignore[attr-defined]
    behind, also = last._dash_pattern  # type: ignore[attr-defined]
    assert np.array_equal(dashes, also)
    assert behind - offset == pytest.approx(dashes[0])  # where one has its gap the other has its dash
    assert other.get_linestyle() == "-"
    assert any("Equal: in" in text.get_text() for text in axes.texts)


def test_curves_below_the_frame_are_named() -> None:
    s = matrix()
    values = s.values.copy()
    values[:, s.ports.index("through"), s.ports.index("in")] = 1e-7
    axes = plotting.spectrum(SMatrix(s.wl, s.ports, values), PAIRS).axes[0]
    assert len(axes.lines) == 1
    assert any("Not in the frame" in t.get_text() and "through" in t.get_text() for t in axes.texts)


def test_wavelengths_are_in_nm_where_they_span_little() -> None:
    s = matrix()
    near = SMatrix(1.55 + (s.wl - s.wl[0]) / 100, s.ports, s.values)
    axes = plotting.spectrum(near, PAIRS, channels=[1.5501]).axes[0]
    assert axes.get_xlabel() == "wavelength (nm)"
    assert axes.get_xlim()[0] == pytest.approx(1550.0)
    assert axes.lines[2].get_xdata()[0] == pytest.approx(1550.1)  # type: ignore[index]


def test_colours_stay_apart_in_grey_and_for_red_green_blindness() -> None:
    rgb = np.array([[int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)] for colour in plotting.COLOURS])
    # vienot1999, deuteranopia on linear RGB: red and green merge into one channel.
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    merged = np.stack([0.29275 * linear[:, 0] + 0.70725 * linear[:, 1], linear[:, 2]], axis=1)
    for k in range(len(merged)):
        for other in merged[k + 1 :]:
            assert np.hypot(*(merged[k] - other)) > 0.03


def test_learning_curves_show_mean_and_spread_of_the_error() -> None:
    result = training()
    axes = plotting.learning_curves(result).axes[0]
    error = 100.0 * (1.0 - result.rules[0].accuracy)
    assert np.allclose(np.asarray(axes.lines[0].get_ydata(), dtype=float), error.mean(axis=0), rtol=1e-12)
    band = axes.collections[0].get_paths()[0].vertices
    heights = np.asarray(band)[:, 1]
    at_end = error.mean(axis=0)[-1] + np.array([-1, 1]) * error.std(axis=0, ddof=1)[-1]
    assert np.min(np.abs(heights - at_end[0])) < 1e-9
    assert np.min(np.abs(heights - at_end[1])) < 1e-9
    assert axes.get_ylabel() == "test error (%)"
    assert f"exact  {100 * result.rules[0].mean:.2f} %" in legend(axes)


def test_rules_that_learn_alike_stay_visible() -> None:
    first, second = plotting.learning_curves(training()).axes[0].lines
    assert first.get_zorder() > second.get_zorder()
    assert first.get_linestyle() != second.get_linestyle()


def test_one_seed_has_no_band() -> None:
    assert not plotting.learning_curves(training(1)).axes[0].collections


def test_alignment_is_drawn_for_every_layer_of_rules_that_have_it() -> None:
    plain = training(2)
    angles = np.random.default_rng(2).uniform(20.0, 80.0, (2, 8, 3))
    rules = (replace(plain.rules[0], angles=angles), plain.rules[1])
    result = replace(plain, rules=rules)
    assert "alignment" not in plotting.for_training(plain)
    axes = plotting.for_training(result)["alignment"]().axes[0]
    assert legend(axes) == [f"exact, layer {layer}" for layer in (1, 2, 3)]
    for line, own in zip(axes.lines, angles.mean(axis=0).T, strict=False):
        np.testing.assert_allclose(np.asarray(line.get_ydata(), dtype=float), own)
    # Beyond 90 degrees updates go uphill.
    np.testing.assert_array_equal(np.asarray(axes.lines[-1].get_ydata(), dtype=float), 90.0)


def test_a_perfect_rule_needs_no_logarithm() -> None:
    perfect = np.ones((2, 4))
    result = TrainingResult("x", "y", (2, 2), 4, 0, 2, (RuleResult("exact", perfect, perfect, 1 - perfect),))
    assert plotting.learning_curves(result).axes[0].get_yscale() == "linear"


def test_the_weight_map_shows_target_programmed_and_error() -> None:
    weights = training().weights[0]
    figure = plotting.weight_error_map(weights)
    target, programmed, error = (axes.images[0] for axes in figure.axes[:3])
    assert np.array_equal(np.asarray(target.get_array()), weights.target)
    assert np.array_equal(np.asarray(programmed.get_array()), weights.quantised)
    assert np.array_equal(np.asarray(error.get_array()), weights.quantised - weights.target)
    assert target.get_clim() == programmed.get_clim()
    assert f"{weights.quantised_rms:.1e}" in figure.axes[2].get_title(loc="left")


def test_photocurrents_choose_a_readable_unit() -> None:
    figure = plotting.photocurrents(np.array([1.5, 1.6]), {"pd": np.array([2e-6, 3e-6])})
    assert figure.axes[0].get_ylabel() == "photocurrent (\N{GREEK SMALL LETTER MU}A)"
    assert np.allclose(np.asarray(figure.axes[0].lines[0].get_ydata(), dtype=float), [2.0, 3.0])


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_pictures_are_saved_by_suffix(tmp_path: Path, suffix: str) -> None:
    path = plotting.save(plotting.spectrum(matrix(), PAIRS), tmp_path / f"a{suffix}")
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.pgn'.*Did you mean '\.png'"):
        plotting.save(Figure(), tmp_path / "a.pgn")
    assert not list(tmp_path.iterdir())


def test_pictures_need_no_global_state() -> None:
    plotting.spectrum(matrix(), PAIRS)
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_results_name_their_pictures() -> None:
    pictures = plotting.for_training(training())
    assert list(pictures) == ["learning", "weights_feedback_to_layer_1"]
    for draw in pictures.values():
        assert isinstance(draw(), Figure)


def test_a_notebook_shows_a_picture_without_pyplot() -> None:
    figure = plotting.traces(np.arange(3.0), {"a": np.ones(3)})
    shown = cast("Any", formatters.DisplayFormatter)().format(figure)[0]
    assert shown["image/png"].startswith(b"\x89PNG")


def test_a_trace_that_is_cut_says_so() -> None:
    for samples, said in ((4_000, "data"), (40_001, "data, 4 of 40 ns shown")):
        figure = plotting.traces(
            np.linspace(0.0, 1e-12 * (samples - 1), samples), {"a": np.zeros(samples)}, title="data"
        )
        assert figure.axes[0].get_title(loc="left") == said


@pytest.mark.parametrize(
    ("power", "unit", "radius"),
    [(4e-3, "mW", 2.0), (4e-6, "\N{GREEK SMALL LETTER MU}W", 2.0), (9.0, "W", 3.0)],
)
def test_a_constellation_is_in_roots_of_its_unit_of_power(power: float, unit: str, radius: float) -> None:
    # A wave of 1 mW lies at 1 on axes in sqrt(mW), whose square is a power in mW.
    points = np.sqrt(power) * np.exp(0.5j * np.pi * np.arange(4))
    (axes,) = signals.constellation(points).axes
    shown = axes.lines[0].get_xdata()
    assert np.max(np.asarray(shown, dtype=float)) == pytest.approx(radius)
    assert axes.get_xlabel() == rf"real part ($\sqrt{{\mathrm{{{unit}}}}}$)"


def test_a_single_epoch_is_a_point() -> None:
    from photosim.plotting.training import history

    figure = history({"test": np.array([0.9])}, np.array([0.3]))
    assert [line.get_marker() for axes in figure.axes for line in axes.get_lines()] == ["o", "o"]
    figure = history({"test": np.array([0.8, 0.9])}, np.array([0.5, 0.3]))
    assert [line.get_marker() for axes in figure.axes for line in axes.get_lines()] == ["", ""]
