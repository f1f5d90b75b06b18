"""Every parameter of a public function is described where editors and the reference show it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.house.test_signatures import everything


def spoken(thing: Callable[..., Any]) -> str:
    """Return the docstring of a function or a class, with those that it refers to for its arguments."""
    text = inspect.getdoc(thing) or ""
    if inspect.isclass(thing):
        text += "\n\n" + (inspect.getdoc(vars(thing)["__init__"]) or "")
    return text


def arguments(thing: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(thing).parameters if name != "self" and name[0] != "_"]


def taken() -> dict[str, Callable[..., Any]]:
    """Return public functions, and classes with an `__init__` of their own; fields say what they are."""
    return {
        name: thing
        for name, thing in everything()
        if not inspect.isclass(thing)
        or ("__init__" in vars(thing) and not hasattr(thing, "__dataclass_fields__"))
    }


THINGS = taken()
AS = {"photosim.training.PhotonicRegressor": "photosim.training.PhotonicClassifier"}
"""Classes that send the reader to another one for their arguments."""


@pytest.mark.parametrize("name", list(THINGS))
def test_every_parameter_is_described(name: str) -> None:
    text = spoken(THINGS[name])
    if name in AS:
        assert AS[name].rpartition(".")[2] in text
        text += spoken(THINGS[AS[name]])
    missing = [one for one in arguments(THINGS[name]) if not re.search(rf"(?<![\w.]){one}(?!\w)", text)]
    assert missing == []


def test_a_parameter_without_a_word_is_found() -> None:
    def function(length: float, loss: float) -> None:
        """Do something with a length."""

    text = spoken(function)
    assert [one for one in arguments(function) if not re.search(rf"(?<![\w.]){one}(?!\w)", text)] == ["loss"]
