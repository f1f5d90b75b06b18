"""Derivatives from line to line: those of sympy's own rules for the whole expression, of both orders."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from photosim.model.algebra import sympy_algebra
from photosim.model.chain_rule import Code

M = sympy_algebra()
X, Y, Z, WL = sympy.symbols("x y z wl", positive=True)
AT = {
    X: sympy.Float("0.7", 30),
    Y: sympy.Float("1.3", 30),
    Z: sympy.Float("0.2", 30),
    WL: sympy.Float("1.55", 30),
}
TURN = M.cis(2 * M.pi * (X + Y * (WL - 1)) / WL)
RING = (M.sqrt(1 - Z) - TURN) / (1 - M.sqrt(1 - Z) * TURN)
TARGETS = [RING, RING * M.i * M.sinc(X * WL), TURN * M.exp(-Z * X), X**Y, sympy.Integer(3), Y]


def value(code: Code, target: Any) -> complex:
    """Evaluate a target through its lines."""
    known: dict[Any, Any] = dict(AT)
    for symbol, expression in code.needed([target]):
        known[symbol] = expression.subs(known).evalf(25)
    return complex(target.subs(known).evalf(25))


def right(expression: Any) -> complex:
    return complex(expression.subs(AT).evalf(25))


def test_lines_give_what_they_stand_for() -> None:
    code = Code(TARGETS, WL)
    assert [value(code, target) for target in code.targets] == pytest.approx([right(t) for t in TARGETS])


def test_slopes_are_those_of_the_whole_expression() -> None:
    code, by = Code(TARGETS, WL), [X, Y, Z, WL]
    for x, row in zip(by, code.slopes(code.targets, by), strict=True):
        for target, slope in zip(TARGETS, row, strict=True):
            assert value(code, slope) == pytest.approx(right(target.diff(x)), rel=1e-13, abs=1e-15), (
                x,
                target,
            )


def test_slopes_of_slopes_are_second_derivatives() -> None:
    code = Code(TARGETS, WL)
    (first,) = code.slopes(code.targets, [WL])
    (second,) = code.slopes(first, [WL])
    for target, bend in zip(TARGETS, second, strict=True):
        expected = right(target.diff(WL).diff(WL))
        assert value(code, bend) == pytest.approx(expected, rel=1e-13, abs=1e-15), target


def test_what_many_settings_pass_through_is_derived_once() -> None:
    """Ten settings in one phase of a long chain: the chain's slopes are multiplied once, not for each."""
    settings = sympy.symbols("a0:10", positive=True)
    phase = sum(setting / WL**k for k, setting in enumerate(settings))
    inner = M.cis(phase)
    for _ in range(8):
        inner = inner + M.i * inner**2 / WL
    code = Code([inner], WL)
    rows = code.slopes(code.targets, settings)
    slopes = [row[0] for row in rows]
    alone = len(code.needed(slopes[:1]))
    assert len(code.needed(slopes)) <= alone + 3 * len(settings)


def test_lines_are_the_same_in_every_run() -> None:
    """Kernels are named by what they are made of, so that the same formula must give the same file."""

    def text() -> str:
        code = Code(TARGETS, WL)
        slopes = code.slopes(code.targets, [X, Y, Z, WL])
        return str((code.lines, slopes))

    assert text() == text()
