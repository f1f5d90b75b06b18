"""The one list of component models: name to model.

Declaring a component registers it. The library in photosim.components is
loaded when a name is first asked for, so that importing photosim stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from photosim.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from photosim.model import Model

_models: dict[str, Model] = {}
_state = {"library_loaded": False}


def register(model: Model) -> None:
    """Add a model under its name.

    The same function declared again (a notebook cell run twice) replaces the
    old model; a second function of the same name is a ParameterError.
    """
    known = _models.get(model.name)
    if known is not None and known.origin != model.origin:
        message = f"Component {model.name!r} is declared twice: in {known.origin} and in {model.origin}."
        raise ParameterError(message)
    _models[model.name] = model


def get(name: str) -> Model:
    """Return the model of that name; ParameterError with the nearest name if there is none."""
    if not known(name):
        message = (
            f"There is no component {name!r}.{did_you_mean(str(name), _models)} "
            "`photosim components` lists all of them."
        )
        raise ParameterError(message)
    return _models[name]


def known(name: object) -> bool:
    """Return whether a component of that name exists."""
    if not isinstance(name, str):
        return False  # a file can give a list where a name belongs
    if name not in _models:
        _load_library()
    return name in _models


def names() -> tuple[str, ...]:
    """Return the names of all components, sorted."""
    _load_library()
    return tuple(sorted(_models))


def _load_library() -> None:
    if not _state["library_loaded"]:
        _state["library_loaded"] = True
        importlib.import_module("photosim.components")
