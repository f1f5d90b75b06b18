"""Examples in the docstrings of what people use most run, and say what comes out."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path
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
    "transient": ps.transient,
    "figures": ps.figures,
    "response": ps.response,
    "PhotonicClassifier": ps.training.PhotonicClassifier,
    "PhotonicRegressor": ps.training.PhotonicRegressor,
}


HOUSE = Path(ps.__file__).parent
TORCH = HOUSE / "interop" / "torch"
MODULES = sorted(
    ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in HOUSE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8") and TORCH not in path.parents  # which needs its extra
)


@pytest.mark.parametrize("name", list(USED))
def test_what_people_use_most_has_an_example(name: str) -> None:
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(USED[name]) or "", {}, name, None, None)
    assert example.examples
    assert inspect.unwrap(USED[name]).__module__ in MODULES, "where the test below finds it"


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    """Found and run here: doctests that pytest collects would import all 1,000 modules anew."""
    found = [one for one in doctest.DocTestFinder().find(importlib.import_module(name)) if one.examples]
    assert found, "the module has '>>>' where no docstring of its own is"
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for example in found:
        runner.run(example, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
