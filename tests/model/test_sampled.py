"""The noun of a table: what is refused, when two are equal, what its ports are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.errors import DataError
from photosim.model.sampled import SampledData, port_names


def table(scale: float = 1.0, file: str = "made.sparam") -> SampledData:
    """A two-port that passes `scale` of the amplitude at two frequencies."""
    s = scale * np.array([[[0.0, 1.0], [1.0, 0.0]]] * 2, dtype=np.complex128)
    return SampledData(np.array([190e12, 195e12]), s, ("o1", "o2"), file=file)


@pytest.mark.parametrize(
    ("frequency", "s", "ports", "message"),
    [
        ([1e14, 2e14], np.zeros((2, 1, 2)), ("a",), r"S has shape \(2, 1, 2\) for 2 frequencies and 1 ports"),
        ([2e14, 1e14], np.zeros((2, 1, 1)), ("a",), r"frequencies do not rise"),
        ([1e14, 1e14], np.zeros((2, 1, 1)), ("a",), r"frequencies do not rise"),
        ([1e14], np.full((1, 1, 1), np.nan), ("a",), r"not finite"),
        ([1e14], np.zeros((1, 2, 2)), ("a", "a"), r"two of its ports have one name"),
        ([], np.zeros((0, 1, 1)), ("a",), r"1 ports and 0 numbers"),
    ],
)
def test_what_is_no_table_is_refused(frequency: Any, s: Any, ports: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        SampledData(np.array(frequency), s, ports, file="x")


def test_tables_are_equal_when_they_hold_the_same() -> None:
    assert table() == table(file="other")
    assert hash(table()) == hash(table(file="other"))
    assert table() != table(scale=0.5)
    with pytest.raises(ValueError, match="read-only"):
        table().s[0, 0, 0] = 1


def test_port_names_are_what_netlists_can_write() -> None:
    assert port_names(["port 1", "Port 12"]) == ("o1", "o12")
    assert port_names(["in", "drop, left", ""]) == ("in", "drop_left", "o3")
