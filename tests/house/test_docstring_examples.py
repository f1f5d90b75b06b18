"""Examples in the docstrings of what people use most run, and say what comes out."""

from __future__ import annotations

import doctest
import inspect
import sys
from typing import Any

import pytest

import photosim as ps
from photosim.smatrix import Trace

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
USED: dict[str, Any] = {
    "Circuit": ps.Circuit,
    "load": ps.load,
    "SMatrix": ps.SMatrix,
    "Trace.sel": Trace.sel,
    "wavelengths": ps.wavelengths,
    "sweep": ps.sweep,
    "montecarlo": ps.montecarlo,
    "fit": ps.fit,
    "optimise": ps.optimise,
    "budget": ps.budget,
    "link": ps.link,
    "figures": ps.figures,
    "response": ps.response,
    "PhotonicClassifier": ps.training.PhotonicClassifier,
    "PhotonicRegressor": ps.training.PhotonicRegressor,
}


@pytest.mark.parametrize("name", list(USED))
def test_the_example_of_a_docstring_runs(name: str) -> None:
    text = inspect.getdoc(USED[name]) or ""
    example = doctest.DocTestParser().get_doctest(
        text, dict(vars(sys.modules[USED[name].__module__])), name, None, None
    )
    assert example.examples, "what people use most has an example"
    said: list[str] = []
    found = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=said.append)
    assert found.failed == 0, "".join(said)
