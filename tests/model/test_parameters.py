"""Parameters read from signature and docstring, and what is said of a declaration or value that is wrong."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.model.parameters import Parameter, read_parameters, read_settings
from photosim.model.quantities import Count, Index, Length, Power


def told(
    m: Any, wl: Any, *, length: Length = 10.0, neff: Index | None = None, arms: Count = 2,
    shape: Literal["bar", "cross"] = "bar", closed: bool = False,
) -> None:  # fmt: skip
    """Guide of many kinds of setting.

    Settings:
        length: distance that
            light travels.
        neff: effective index.
        arms: number of arms.
        shape: which way light goes.
        closed: whether the end is closed.
    """


def test_everything_is_read_in_order() -> None:
    found = read_parameters(told, ["neff"])
    assert list(found) == ["length", "neff", "arms", "shape", "closed"]
    assert found["length"] == Parameter(
        "length", 10.0, "um", 0.0, np.inf, "distance that light travels.", "real", structural=False
    )
    assert [p.kind for p in found.values()] == ["real", "real", "whole", "choice", "flag"]
    assert [p.structural for p in found.values()] == [False, True, True, True, True]
    assert found["neff"].default is None
    assert found["shape"].choices == ("bar", "cross")


def no_default(*, power: Power) -> None:
    """Part.

    Settings:
        power: ratio that passes.
    """


def no_text(*, power: Power = 0.5) -> None:
    """Nothing is said."""


def no_unit(*, power: float = 0.5) -> None:
    """Part.

    Settings:
        power: ratio that passes.
    """


def too_much(*, power: Power = 0.5) -> None:
    """Part.

    Settings:
        power: ratio that passes.
        loss: what is lost.
    """


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_default, r"'no_default', parameter 'power' has no default"),
        (no_text, r"'no_text', parameter 'power' is not described: add a line"),
        (no_unit, r"'no_unit', parameter 'power' has no unit"),
        (too_much, r"'too_much' describes loss, which it does not have"),
    ],
)
def test_incomplete_declaration_names_what_is_missing(function: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        read_parameters(function, ())


def test_structural_setting_must_exist() -> None:
    with pytest.raises(ParameterError, match="reflection, which it does not have"):
        read_parameters(told, ["reflection"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length": -1.0}, r"setting 'length' is -1 um, but must be 0 or more um"),
        ({"length": np.array([1.0, -2.0])}, r"setting 'length' is -2 um"),
        ({"length": float("nan")}, r"setting 'length' is nan um"),
        ({"length": "10"}, r"setting 'length' must be a number in um, got '10'"),
        ({"length": True}, r"setting 'length' must be a number in um, got True"),
        ({"arms": 2.5}, r"setting 'arms' must be a whole number, got 2\.5"),
        ({"neff": 11.0}, r"setting 'neff' is 11, but must be 0\.5 to 10\."),
        ({"shape": "bra"}, r"setting 'shape' must be one of bar, cross, got 'bra'. Did you mean 'bar'"),
        ({"closed": 1}, r"setting 'closed' must be one of true or false, got 1"),
        ({"lenght": 1.0}, r"no setting 'lenght'\. It has: .*Did you mean 'length'"),
    ],
)
def test_wrong_value_is_one_sentence(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=r"^component 'told'.*" + message):
        read_settings(read_parameters(told, ()), (), settings, "component 'told'")


def test_none_and_layout_settings_pass() -> None:
    read_settings(read_parameters(told, ()), ("layer",), {"length": None, "layer": 3}, "component 'told'")
