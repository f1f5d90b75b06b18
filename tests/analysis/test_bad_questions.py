"""What the questions of a designer say to what they cannot answer: one sentence, never a silent guess."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import runner
from photosim.errors import PhotosimError

WL = "1.5507:1.5517:101"
FLAT = {"wavelength_um": np.linspace(1.5, 1.6, 9), "p_dbm": np.ones(9)}
OWN = {"wavelength_um": np.linspace(1.5, 1.6, 99), "through_dbm": np.linspace(-9.0, -3.0, 99)}
BAND = {"quantity": "power_dB", "from": "in", "to": "drop", "at_least": -30.0}
UNIFORM = {"distribution": "uniform", "low": 2.4, "high": 2.5}
LIMIT = {"quantity": "resonance", "from": "in", "to": "drop"}


def sweep(**options: Any) -> Any:
    return ps.sweep(ps.load("add_drop_ring"), {"ring.radius": [9.0, 10.0]}, **({"wl": WL} | options))


def chips(variation: Any, *entries: Any, **options: Any) -> Any:
    return ps.montecarlo(
        ps.load("add_drop_ring"), variation, specification=entries, wl=WL, samples=64, **options
    )


def fit(data: Any, **options: Any) -> Any:
    return ps.fit(ps.load("all_pass_ring"), data, ["radius"], starts=1, bootstrap=50, **options)


def ring(data: dict[str, Any], **options: Any) -> Any:
    """A fit of one column that is called as the port is."""
    return ps.fit(ps.load("all_pass_ring"), data, ["radius"], **({"starts": 1, "bootstrap": 50} | options))


def design(vary: Any = ("*.phase",), **options: Any) -> Any:
    return ps.optimise(ps.load("clements_4x4"), vary, wl=1.55, **options)


def budget(**options: Any) -> Any:
    return ps.budget(ps.load("wdm_link"), **options)


CASES: list[tuple[Callable[[], Any], str]] = [
    (lambda: sweep(metrics=True, near=9.0), "near: there is no line next to 9 um in a sweep from 1.5507"),
    (lambda: sweep(metrics=True, near=np.nan), "positive numbers of um, got nan"),
    (lambda: sweep(metrics=True, channels=[1.551]), "two channels or more inside the sweep"),
    (lambda: sweep(metrics=True, channels=[1551.0, 1551.5]), "looks like nm"),
    (lambda: sweep(channels=[1.551, 1.5512]), "channels belongs to metrics: give metrics too"),
    (lambda: sweep(near=1.551), "near belongs to metrics: give metrics too"),
    (lambda: sweep(outputs=["drop", "drop"]), "'drop' is asked for twice: name it once"),
    (lambda: sweep(inputs=["in", "through", "in"]), "'in' is asked for twice: name it once"),
    (lambda: budget(rate=np.inf), "rate must be finite and above 0, got inf"),
    (lambda: sweep(outputs=[]), "a port in `inputs` and one in `outputs`, such as 'in'"),
    (lambda: sweep(mode="samples", samples=4, seed=-1), "sweep: seed must be 0 or more, got -1"),
    (lambda: chips({"width": 1e-3}, LIMIT | {"at_most": 1550}), "It looks like nm: write 1.55"),
    (lambda: chips({"width": {"dye": 1e-3}}, LIMIT | {"at_most": 1.551}),
     "width: a standard deviation has no option 'dye'.*Did you mean 'die'"),
    (lambda: chips({"settings": {"widht": {"sigma": 1e-3}}}, LIMIT | {"at_most": 1.551}), "mean 'width'"),
    (lambda: chips({"width": 1e-3}, LIMIT | {"at_most": 1.551}, seed=-2), "seed must be 0 or more"),
    (lambda: fit({"wavelength_um": [], "through_dbm": []}), "its columns are empty"),
    (lambda: fit({"wavelength_um": [1.5, 1.6]}), "got wavelength_um alone"),
    (lambda: fit({"wavelength_um": ["a"] * 9, "p_dbm": np.ones(9)}), "'wavelength_um' is not a list"),
    (lambda: fit(FLAT, seed=-1), "fit: seed must be 0"),
    (lambda: ps.fit(ps.load("all_pass_ring"), FLAT, [], columns={"p_dbm": "through"}), "Name at least one"),
    (lambda: ps.optimise(ps.load("clements_4x4"), ["*.phase"], target={"matrix": "none.npy"}, wl=1.55),
     "target: there is no file .*none.npy"),
    (lambda: budget(footprint={"*": -3.0}), "footprint of .*: area must be 0 or more, got -3"),
    (lambda: budget(wl=1550.0), "It looks like nm: write 1.55"),
    (lambda: budget(constants={"wall_plug_efficiency": {"value": 0.1, "low": 0.2, "high": 0.3}}),
     "wall_plug_efficiency: the value 0.1 must lie between low and high, got 0.2 and 0.3"),
    (lambda: budget(settings={"neff": [2.44, 2.45]}), "A budget is that of one circuit, but 'neff' is"),
    (lambda: chips({"width": 1e-3}, BAND, settings={"ring.radius": [9, 10]}), "A yield draws chips of one"),
    (lambda: budget(wl=1.55), "'wdm_link' has its own light, so its budget does not take wl"),
    (
        lambda: budget(start="in", end="out"),
        r"'wdm_link' .* take start \(`from` in a netlist\), end \(`to` in a netlist\)",
    ),
    (lambda: chips({"width": 1e-3}, LIMIT | {"near": 1551.0, "at_most": 1.551}), "near: .*looks like nm"),
    (lambda: chips({"width": 1e-3}, BAND | {"window": [1551, 1552]}), "window: .*looks like nm: write 1.551"),
    (lambda: chips({"width": 1e-3}, BAND | {"window": [1.551]}), "list of two numbers, .*but is a list of 1"),
    (lambda: chips({"width": 1e-3}, BAND, channels=[1551.0, 1552.0]), "looks like nm"),
    (lambda: chips({"width": 1e-3}, LIMIT | {"quantity": "fsr", "at_least": 0.008}),
     "No wavelength of the sweep, 1.5507 to 1.5517 um, can judge .*'fsr in to drop'.* needs two lines"),
    (lambda: chips({"width": 1e-3}, LIMIT | {"quantity": "crosstalk_dB", "at_most": -20.0}),
     "No wavelength .*'crosstalk_dB in to drop': .* needs two `channels` or more"),
    (lambda: chips({"width": 1e-3, "correlation_length": 100.0}, BAND), "belongs to the level local, but no"),
    (lambda: chips({"width": {"local": 1e-3}, "places": {"ring": [0, 0]}}, BAND), "its correlation_length"),
    (lambda: chips({"settings": {"ring.neff": {"sigma": 1e-3, "low": 2.0}}}, BAND),
     "A normal distribution has no low: it has sigma and mean; one with ends is truncated"),
    (lambda: chips({"settings": {"ring.neff": UNIFORM | {"sigma": 1e-3}}}, BAND),
     "A uniform distribution has no sigma: it has low and high alone"),
    (lambda: chips({"width": 1e-3}, BAND, tuning={"heaters": ["ring.radius"]}),
     "A heater is a phase in rad, but 'ring.radius' is in um"),
    (lambda: ring(OWN, window=[1545.0, 1555.0]), "looks like nm: write 1.545"),
    (lambda: ring(OWN, reference="through_dbm"), "'through_dbm' is one of the fitted columns"),
    (lambda: ring(OWN, starts=0), "starts must be .* 1 to 10000"),
    (lambda: design(target={"matrix": "fourrier"}), "no matrix 'fourrier': .*Did you mean 'fourier'"),
    (lambda: design(target={"matrix": [[1, 0], [0]]}), "the matrix must be 4 rows of 4 finite numbers"),
    (lambda: design(target={"matrix": [[1] * 4] * 3}), "4 rows of 4 finite numbers, got 3 rows of 4"),
    (lambda: design(target={"matrix": [[np.nan] * 4] * 4}), "finite numbers, got some that are not finite"),
    (lambda: design(target={"matrix": np.full((4, 4), "x")}), "finite numbers, got .*'x'"),
    (lambda: design(target={"matrix": [[1.25] * 50] * 49 + [[1]]}), "rows of different lengths, or entries"),
    (lambda: design(target={"matrix": "identity"}, constraints=[{"sum": {}, "at_most": 1.0}]),
     "constraints, entry 1: sum: give at least one setting a factor other than 0"),
    (lambda: budget(constants={"wall_plug_efficiency": -0.1}), r"must be positive, got -0\.1\.$"),
    (lambda: budget(constants={"dac_step_energy": -1e-15}), "must be 0 or more, got -1e-15 J"),
    (lambda: design(target={"matrix": "identity"}, chips=1000), "chips confirm a yield: give the goal yield"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "said"), CASES)
def test_what_cannot_be_answered_is_said_in_a_sentence(ask: Callable[[], Any], said: str) -> None:
    with pytest.raises(PhotosimError, match=said) as caught:
        ask()
    assert "\n" not in str(caught.value)


ENTRIES = [
    ("{kind: sweep, wl: WL, vary: {ring.radius: [9, 10]}, method: halton}", "halton belongs to samples"),
    ("{kind: sweep, wl: WL, vary: {ring.radius: [9, 10]}, mode: samples, samples: 0}",
     "'samples' must be a whole number from 1, but is the number 0"),
    ("{kind: fit, data: none.csv, parameters: [ring.radius, ring.radius]}", "'ring.radius' is listed twice"),
    ("{kind: optimise, wl: WL, vary: [ring.radius], target: {matrix: ../m.npy}}", "outside the netlist's"),
    ("{kind: budget, constants: {tia_enrgy: 1.0e-12}}", "no constant 'tia_enrgy'.*Did you mean 'tia_energy'"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "said"), ENTRIES)
def test_analyses_of_a_file_name_the_line(entry: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "ring.yml"
    circuit = "instances: {ring: ring_double}\nports: {in: 'ring,in', drop: 'ring,drop'}\n"
    circuit += "terminate: ['ring,add', 'ring,through']\n"
    file.write_text(f"{circuit}analyses:\n  - {entry.replace('WL', repr(WL))}\n", encoding="utf-8")
    with pytest.raises(PhotosimError, match=said) as caught:
        runner.run(file, out=tmp_path / "out")
    assert str(caught.value).startswith(f"{file}:5:")
    assert not (tmp_path / "out").exists()


def test_a_chip_without_a_value_is_warned_of() -> None:
    """The nominal line lies beyond the sweep, those of some chips inside."""
    limit = {**LIMIT, "at_least": 1.0}
    with pytest.warns(ps.PhotosimWarning, match="nominal chip has no value of 'resonance in to drop'"):
        data = ps.montecarlo(
            ps.load("add_drop_ring"),
            {"width": 1e-3},
            specification=[limit],
            wl="1.5515:1.5530:151",
            samples=64,
        )
    assert np.isnan(float(data.nominal[0]))
    assert 0.0 < float(data["yield"]) < 1.0


def test_a_search_that_begins_beside_the_written_value_says_so() -> None:
    chip = ps.load("add_drop_ring")
    loss = ps.losses.target_dB(("in", "drop"), -1.0, band=(1.551, 1.552))
    with pytest.warns(ps.PhotosimWarning, match="'ring.radius' is written as 10, outside of .* at 11"):
        data = ps.optimise(chip, {"ring.radius": [11.0, 11.2]}, wl="1.551:1.552:11", loss=loss)
    assert float(data.before[0]) == 11.0
