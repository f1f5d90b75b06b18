"""What annotations of public functions are taken to mean."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.arguments.kinds import kinds_of
from photosim.systems.harness.system import System


def test_names_mean_what_their_own_module_imports() -> None:
    """Two rooms have a Kind: whichever was imported first must not stand for the other's."""
    import_module("photosim.systems.harness.data")
    import_module("photosim.training.hardware.found")
    found = dict(kinds_of.__wrapped__(System.__init__))["reads"]
    assert any(kind.fits(("samples", "graph")) for kind in found)
    assert not any(kind.fits((1.0,)) for kind in found)


def test_an_empty_array_is_a_list_of_what_it_could_hold() -> None:
    specification = dict(kinds_of.__wrapped__(ps.montecarlo))["specification"]
    ports = dict(kinds_of.__wrapped__(ps.Circuit.transfer))["inputs"]
    channels = dict(kinds_of.__wrapped__(ps.montecarlo))["channels"]
    empty = np.array([])
    assert not any(kind.fits(empty) for kind in specification)
    assert not any(kind.fits(empty) for kind in ports)
    assert any(kind.fits(empty) for kind in channels)
    assert any(kind.fits(empty.astype(str)) for kind in ports)


@pytest.mark.parametrize("values", [np.array([]), np.array([], dtype=bool), np.array([], dtype=object)])
def test_an_empty_array_in_place_of_records_is_refused_in_a_sentence(values: Any) -> None:
    circuit = ps.load("add_drop_ring")
    with pytest.raises(ps.ParameterError, match="specification must be a list"):
        ps.montecarlo(circuit, {}, wl=1.55, specification=values)
    with pytest.raises(ps.ParameterError, match="training must be"):
        ps.budget(circuit, training=values)
