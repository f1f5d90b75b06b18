"""Expressions: the same numbers as Python and numpy, exact derivatives, and nothing but arithmetic."""

from __future__ import annotations

import functools
import math
import operator
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photosim import expressions as ex
from photosim.errors import ParameterError
from photosim.expressions import Expr, parse, symbol

NAMES = ("a", "b", "c")
CALLS = "sqrt, exp, log, sin, cos, tan, arcsin, arccos, arctan, abs, round, minimum, maximum, mod"
ALLOWED = f"+ - * / **, parentheses and {CALLS}"
MISFIT = "the values in 'a + b' have shapes (2,) and (3,), which do not fit"
NUMPY = {name: getattr(np, name) for name in ex.FUNCTIONS}
NUMPY["mod"] = lambda x, y: np.mod(np.float64(x), y)  # of whole numbers numpy calls a remainder by 0 a 0
BINARY = ("minimum", "maximum", "mod")
UNARY = tuple(name for name in ex.FUNCTIONS if name not in BINARY)

numbers = st.floats(0.25, 4.0).map(lambda x: round(x, 3))
points = st.fixed_dictionaries(dict.fromkeys(NAMES, numbers))
leaves = st.sampled_from(NAMES) | numbers.map(repr) | st.just("pi") | st.integers(0, 9).map(str)


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts one level deeper, with and without the parentheses that the grammar needs."""
    binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "**"]), inner)
    return st.one_of(
        binary.map(lambda t: f"({t[0]}){t[1]}({t[2]})"),
        binary.map(lambda t: f"{t[0]} {t[1]} {t[2]}"),
        inner.map(lambda t: f"-{t}"),
        inner.map(lambda t: f"-({t})"),
        st.tuples(st.sampled_from(UNARY), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(BINARY), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    )


texts = st.recursive(leaves, grow, max_leaves=8).filter(lambda t: len(t) < 300)


def by_numpy(text: str, values: dict[str, float]) -> float:
    """Python's own evaluation of the text, with numpy's functions: the independent twin."""
    scope: dict[str, Any] = {name: np.float64(value) for name, value in values.items()}
    with np.errstate(all="ignore"):
        code = compile(text, "<test>", "eval")
        return float(eval(code, {**NUMPY, "pi": np.float64(math.pi)}, scope))  # noqa: S307 - our own text


@given(texts, points)
def test_value_agrees_with_python(text: str, values: dict[str, float]) -> None:
    try:
        wanted = float(by_numpy(text, values))
    except (ArithmeticError, ValueError, TypeError):  # plain integers overflow, divide by 0 or turn complex
        wanted = math.nan
    if math.isfinite(wanted):
        assert parse(text).evaluate(values) == pytest.approx(wanted, rel=1e-14, abs=1e-300)
    elif not isinstance(_python_value(text, values), float):
        with pytest.raises(ParameterError):
            parse(text).evaluate(values)


def _python_value(text: str, values: dict[str, float]) -> float | str:
    try:
        return float(parse(text).evaluate(values))
    except ParameterError as error:
        return str(error)


@given(texts)
def test_written_text_reads_back_to_the_same_expression(text: str) -> None:
    expression = parse(text)
    assert parse(str(expression)) == expression
    assert hash(parse(str(expression))) == hash(expression)
    assert pickle.loads(pickle.dumps(expression)) == expression  # noqa: S301 - our own bytes


def test_comparison_is_of_writing_not_of_value() -> None:
    assert parse("a + b") != parse("b + a")
    assert parse("(a) + b") == parse("a+b")
    assert symbol("a") != "a"


@given(texts.filter(lambda text: "round" not in text), points)
def test_partials_agree_with_central_differences(text: str, values: dict[str, float]) -> None:
    expression = parse(text)
    step = 1e-6
    around = [{**values, n: values[n] + s * step} for n in NAMES for s in (-2, -1, 1, 2)]
    try:
        value = float(expression.evaluate(values))
        partials = expression.partials(values)
        near = np.array([expression.evaluate(v) for v in around]).reshape(len(NAMES), 4)
    except ParameterError:
        return  # at the edge of the domain; those cases have their own test
    assert set(partials) == set(expression.names)
    for row, name in zip(near, NAMES, strict=True):
        if name not in partials:
            assert np.all(row == value)
            continue
        narrow, wide = (row[2] - row[1]) / (2 * step), (row[3] - row[0]) / (4 * step)
        behind, ahead = (row[1] - row[0]) / step, (row[3] - row[2]) / step
        scale = 1 + abs(value) + abs(narrow)
        # Smooth here: no pole, and no kink, whose central difference is the mean of its two slopes.
        if abs(narrow - wide) < 1e-7 * scale and abs(ahead - behind) < 1e-3 * scale and scale < 1e6:
            assert partials[name] == pytest.approx(narrow, rel=1e-4, abs=1e-4 * scale)


@pytest.mark.parametrize("name", ex.FUNCTIONS)
def test_slope_of_every_function_is_exact(name: str) -> None:
    import mpmath

    other = {"minimum": min, "maximum": max, "abs": abs, "arcsin": mpmath.asin, "arccos": mpmath.acos}
    # A staircase counts as the line that it follows.
    other |= {"arctan": mpmath.atan, "mod": lambda x, y: x % y, "round": lambda x: x}
    function = other.get(name) or getattr(mpmath, name)
    text = f"{name}(a, 0.4)" if name in BINARY else f"{name}(a)"
    for a in (0.1, 0.3, 0.7):
        with mpmath.workdps(40):
            wanted = mpmath.diff((lambda x: function(x, 0.4)) if "," in text else function, mpmath.mpf(a))
        assert parse(text).partials({"a": a})["a"] == pytest.approx(float(wanted), rel=1e-14)


def test_arrays_broadcast_and_partials_have_the_shape_of_the_value() -> None:
    values = {"a": np.arange(1.0, 4.0)[:, None], "b": np.arange(1.0, 3.0)}
    expression = parse("a*b**2")
    assert np.array_equal(expression.evaluate(values), values["a"] * values["b"] ** 2)
    partials = expression.partials(values)
    assert np.array_equal(partials["a"], np.broadcast_to(values["b"] ** 2, (3, 2)))
    assert np.array_equal(partials["b"], 2 * values["a"] * values["b"])


def test_tracing_records_what_a_function_does() -> None:
    def circumference(radius: Any, length_x: Any) -> Any:
        return 2 * math.pi * radius + 2 * ex.maximum(length_x, 0.0) - np.sqrt(abs(radius)) / 4.0

    traced = circumference(symbol("radius"), symbol("length_x"))
    assert isinstance(traced, Expr)
    assert traced.names == {"radius", "length_x"}
    assert traced.evaluate({"radius": 4.0, "length_x": 1.0}) == circumference(4.0, 1.0)


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
@pytest.mark.parametrize("other", [2, 2.0, np.float64(2), np.int64(2), np.array([1.0, 2.0])])
def test_operators_take_numbers_and_arrays_on_both_sides(op: Any, other: Any) -> None:
    x = symbol("x")
    right, left = op(x, other), op(other, x)
    assert isinstance(right, Expr)
    assert isinstance(left, Expr)
    assert np.array_equal(right.evaluate({"x": 3.0}), op(3.0, other))
    assert np.array_equal(left.evaluate({"x": 3.0}), op(np.asarray(other, float), 3.0))


def test_functions_take_numbers_and_arrays_too() -> None:
    assert ex.sqrt(4.0) == 2.0
    assert isinstance(ex.sqrt(4.0), float)
    assert np.array_equal(ex.minimum(np.array([1.0, 3.0]), 2.0), [1.0, 2.0])
    assert np.array_equal(ex.round(np.array([0.5, 1.5, -0.7])), [0.0, 2.0, -1.0])
    assert np.array_equal(ex.mod(np.array([-0.5, 7.0]), 2.0), [1.5, 1.0])
    assert str(np.mod(np.rint(symbol("a")), 4.0)) == "mod(round(a), 4)"
    with pytest.raises(ParameterError, match=r"sqrt\(-1.0\) is not a finite number"):
        ex.sqrt(-1.0)


def test_rename_leaves_the_arithmetic() -> None:
    renamed = parse("a*b + a").rename({"a": "ring.radius"})
    assert str(renamed) == "ring.radius*b + ring.radius"
    assert parse(str(renamed)) == renamed
    assert renamed.evaluate({"ring.radius": 2.0, "b": 3.0}) == 8.0


def test_an_expression_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        symbol("a").content = "b"


@pytest.mark.parametrize(
    "use", [bool, float, int, complex, range, lambda x: x < 3, lambda x: x == 3, lambda x: x <= 3]
)
def test_using_the_value_too_early_says_structural(use: Any) -> None:
    with pytest.raises(ParameterError, match=r"'2\*rows' is .* must be declared in structural="):
        use(2 * symbol("rows"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a[0]", f"'a[0]' is not allowed in the expression 'a[0]'; it may have numbers, names, {ALLOWED}"),
        ("2^a", "'2 ^ a' is not allowed in the expression '2^a' (a power is written '**'); it may"),
        ("__import__('os').system('ls')", "'__import__('os').system('ls')\" is not allowed"),
        ("sqr(a)", f"'sqr(a)' calls 'sqr'; it may call {CALLS}. Did you mean 'sqrt'?"),
        ("open(a)", "'open(a)' calls 'open'; it may call sqrt"),
        ("sqrt(a, b)", "'sqrt' in 'sqrt(a, b)' takes 1 argument(s), not 2"),
        ("exp(x=1)", "'exp(x=1)' is not allowed"),
        ("a if b else c", "is not allowed"),
        ("lambda: 1", "is not allowed"),
        ("True", "'True' is not allowed"),
        ("'a'", "is not allowed"),
        ("1j", "'1j' is not allowed"),
        ("1and 2", "'1 and 2' is not allowed"),
        ("", "'' is not an arithmetic expression"),
        ("1 +", "'1 +' is not an arithmetic expression"),
        ("a\0", "is not an arithmetic expression"),
        ("1e999", "'1e999' holds a number that is not finite in double precision"),
        ("9" * 900, "holds a number that is not finite"),
        ("a+" * 600 + "a", "an expression may have at most 1000 characters; 'a+a+a+a+a+a+a+a+a...' has 1201"),
        ("-" * 101 + "a", "is nested deeper than 100 levels, the bound of an expression"),
        ("(" * 400 + "a" + ")" * 400, "is not an arithmetic expression"),
    ],
)
def test_hostile_or_wrong_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse(text)
    assert message.replace("'__", '"__') in str(caught.value)


def test_towers_of_powers_end_at_once() -> None:
    # Python's own integers would take for ever.
    with pytest.raises(
        ParameterError, match=r"the value of '9\*\*9\*\*9\*\*9' is not a finite number \(found inf\)"
    ):
        parse("9**9**9**9").evaluate({})


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("1/a", {"a": 0.0}, "the value of '1/a' is not a finite number (found inf)"),
        ("log(a)", {"a": -1.0}, "the value of 'log(a)' is not a finite number (found nan)"),
        ("2*gap", {"gaps": 1.0}, "'2*gap' needs a value for 'gap'; given: gaps. Did you mean 'gaps'?"),
        ("a", {"a": 1j}, "'a' in 'a' must be a real number, not 1j"),
        ("a + b", {"a": np.ones(2), "b": np.ones(3)}, MISFIT),
    ],
)
def test_values_that_do_not_work_are_refused(text: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse(text).evaluate(values)
    assert str(caught.value) == message


def test_a_slope_that_is_infinite_is_refused() -> None:
    with pytest.raises(ParameterError) as caught:
        parse("sqrt(a)").partials({"a": 0.0})
    assert str(caught.value) == "the derivative by 'a' of 'sqrt(a)' is not a finite number (found inf)"


@pytest.mark.parametrize(
    ("text", "wanted"), [("a**2", 0.0), ("a**1", 1.0), ("a**0", 0.0), ("2**a", math.log(2))]
)
def test_slopes_of_powers_at_zero(text: str, wanted: float) -> None:
    assert parse(text).partials({"a": 0.0}) == {"a": pytest.approx(wanted, rel=1e-15)}


def test_long_traces_work_and_endless_ones_are_refused() -> None:
    chain = x = symbol("x")
    for _ in range(3000):  # far deeper than Python's recursion limit
        chain = chain + x
    assert chain.evaluate({"x": 2.0}) == 6002.0
    assert chain.partials({"x": 2.0}) == {"x": 3001.0}
    assert pickle.loads(pickle.dumps(chain)) == chain  # noqa: S301
    with pytest.raises(ParameterError, match="more than 10000 operations"):
        functools.reduce(lambda total, _: total + total, range(100), x)


def test_complex_numbers_and_foreign_ufuncs_are_refused() -> None:
    with pytest.raises(ParameterError, match="expressions are real, and 1j is complex"):
        symbol("a") * 1j
    with pytest.raises(ParameterError, match="numpy's 'floor' cannot be traced; an expression has: add"):
        np.floor(symbol("a"))
    with pytest.raises(ParameterError, match="'pi' cannot name a parameter: it is a constant"):
        symbol("pi")
