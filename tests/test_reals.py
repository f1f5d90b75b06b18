"""What is a number and what is not, whatever Python code hands in."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from photosim.reals import NotReal, as_real, as_whole


class Failing:
    """An object of another library whose conversion fails in its own way."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        message = "needs its gradient detached"
        raise RuntimeError(message)

    def __repr__(self) -> str:
        message = "cannot be written"
        raise KeyError(message)


NUMBERS = [
    (4, 4.0),
    (np.int8(-3), -3.0),
    (np.float32(0.5), 0.5),
    (np.array(2.5), 2.5),
    (fractions.Fraction(1, 4), 0.25),
    (decimal.Decimal("1.25"), 1.25),
    (np.ma.masked_array(3.0, False), 3.0),
]
ARRAYS = [
    ([1, 2.5], [1.0, 2.5]),
    ((1, 2), [1.0, 2.0]),
    (range(3), [0.0, 1.0, 2.0]),
    ([[1], [2]], [[1.0], [2.0]]),
    (np.array([1, 2], dtype=object), [1.0, 2.0]),
    ([fractions.Fraction(1, 2)], [0.5]),
    (np.ma.masked_array([1.0, 2.0], [False, False]), [1.0, 2.0]),
    ([np.float32(1.5), 2], [1.5, 2.0]),
]
JUNK = [
    (None, "got None"),
    (True, "got True"),
    (np.bool_(False), "got np.False_"),
    ("4", "got '4'"),
    (b"4", "got b'4'"),
    (1 + 2j, r"got \(1\+2j\)"),
    (np.array([1j]), "got complex numbers"),
    ([True, 2.0], "got True in a list"),
    ([], "got an empty array"),
    (np.array([]), "got an empty array"),
    ([[1, 2], [3]], "got rows of unequal length"),
    ({1: 2}, r"got \{1: 2\}"),
    ({1, 2}, r"got \{1, 2\}"),
    (["1"], "got texts"),
    ([None, 1], "got "),
    (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "got datetime"),
    (np.datetime64("2026-01-02"), "got np.datetime64"),
    (np.array(["2026-01-02"], dtype="M8[D]"), "got dates"),
    (np.timedelta64(3, "s"), "got np.timedelta64"),
    (np.ma.masked, "got masked entries"),
    (np.ma.masked_array([1.0, 2.0], [True, False]), "got masked entries"),
    ([1.0, np.ma.masked], "got masked entries"),
    ([np.ma.masked_array([1.0, 2.0], [True, False]), [3.0, 4.0]], "got masked entries"),
    (10**400, "got a whole number of about 400 digits, beyond"),
    ([10**400], "got a whole number of about 400 digits"),
    ([-(10**5000)], "digits"),
    (fractions.Fraction(10**400), "beyond"),
    (decimal.Decimal("sNaN"), "got Decimal"),
    (np.zeros(1, dtype=[("a", float)]), "got records"),
    (Failing(), "got a Failing"),
    (iter([1]), "got "),
]


@pytest.mark.parametrize(("value", "number"), NUMBERS)
def test_numbers_of_any_type_are_floats(value: Any, number: float) -> None:
    found = as_real(value)
    assert type(found) is float
    assert found == number


@pytest.mark.parametrize(("value", "numbers"), ARRAYS)
def test_lists_of_numbers_are_new_arrays(value: Any, numbers: list[Any]) -> None:
    found = as_real(value)
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float64
    assert found.tolist() == numbers
    assert not np.shares_memory(found, np.asarray(value))


@pytest.mark.parametrize(("value", "message"), JUNK)
def test_anything_else_is_said_to_be_what_it_is(value: Any, message: str) -> None:
    with pytest.raises(NotReal, match=message):
        as_real(value)
    with pytest.raises(NotReal):
        as_whole([value])


@pytest.mark.parametrize(
    "value", [4, 4.0, np.float32(4), np.array(4.0), fractions.Fraction(8, 2), decimal.Decimal(4)]
)
def test_a_whole_number_is_one_however_it_is_written(value: Any) -> None:
    found = as_whole(value)
    assert type(found) is int
    assert found == 4


def test_seeds_keep_all_their_digits() -> None:
    assert as_whole(np.int64(2**63 - 1)) == 2**63 - 1
    assert as_whole(10**400) == 10**400


@pytest.mark.parametrize("value", [4.5, np.inf, np.nan, [4], np.array([4])])
def test_what_is_not_one_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(NotReal, match=r"got (4\.5|inf|nan|an array of shape \(1,\))"):
        as_whole(value)


@given(
    hnp.arrays(
        st.one_of(
            hnp.boolean_dtypes(),
            hnp.integer_dtypes(),
            hnp.floating_dtypes(),
            hnp.complex_number_dtypes(),
            hnp.datetime64_dtypes(),
            hnp.timedelta64_dtypes(),
            hnp.unicode_string_dtypes(),
            hnp.byte_string_dtypes(),
        ),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    )
)
def test_arrays_of_every_type_are_numbers_or_refused(array: Any) -> None:
    if array.dtype.kind in "iuf" and array.size:
        np.testing.assert_array_equal(as_real(array), array.astype(np.float64))
    else:
        with pytest.raises(NotReal, match="got "):
            as_real(array)
