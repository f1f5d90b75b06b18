"""Circuits cross processes, and are copied, as what they are."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np

import photosim as ps


def test_a_circuit_is_pickled_as_its_netlist() -> None:
    circuit = ps.load("add_drop_ring")
    wl = ps.wavelengths(1.54, 1.56, 11)
    wanted = circuit(wl=wl).values
    again = pickle.loads(pickle.dumps(circuit))  # noqa: S301 - our own
    np.testing.assert_array_equal(again(wl=wl).values, wanted)
    assert again.ports == circuit.ports
    assert copy.deepcopy(circuit) is circuit


def test_warnings_are_not_given_twice() -> None:
    parts = {"guide": {"component": "straight"}, "open": {"component": "straight"}}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        circuit = ps.Circuit({"instances": parts, "ports": {"in": "guide,o1", "out": "guide,o2"}})
        assert len(caught) > 0
        count = len(caught)
        again = pickle.loads(pickle.dumps(circuit))  # noqa: S301 - our own
    assert len(caught) == count
    assert again.ports == ("in", "out")
