"""The one list of component models: name to model.

Declaring a component registers it. A file of the library in photosim.components is loaded when one of its
names is first requested, so that importing photosim stays light; the whole library where a name is none of
its own, or where a caller lists all names. After it come the components of others: of installed packages,
which name a module under the entry point group "photosim.components", and of the Python files that the user
lists in PHOTOSIM_COMPONENTS, as `photosim --components FILE` does. A netlist cannot name code.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
import warnings
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING

from photosim.errors import ParameterError, PhotosimError, PhotosimWarning, did_you_mean
from photosim.model.shelf import LIBRARY, home

if TYPE_CHECKING:
    from photosim.model import Model

_models: dict[str, Model] = {}
_state = {"library_loaded": False}
GROUP = "photosim.components"
FILES = "PHOTOSIM_COMPONENTS"


def register(model: Model) -> None:
    """Add a model under its name.

    The same function declared again (a notebook cell run twice) replaces the
    old model; a second function of the same name is a ParameterError.
    """
    if model.module != home(model.name):
        _load_home(model.name)
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
        _load_home(name)
    if not _state["library_loaded"] and (name not in _models or _others_listed()):
        _load_library()
    return name in _models


def names() -> tuple[str, ...]:
    """Return the names of all components, sorted."""
    _load_library()
    return tuple(sorted(_models))


def load_file(path: str | Path) -> tuple[str, ...]:
    """Run a Python file of the user's and return the names of the components that it declares.

    A second time it is not run again. Raises ParameterError for a file that is missing or fails, with the
    line where it fails.
    """
    file = Path(path).resolve()
    name = f"photosim_components_{file.stem}_{abs(hash(str(file))):x}"
    if name in sys.modules:
        return _declared_in(name)
    spec = util.spec_from_file_location(name, file) if file.suffix == ".py" and file.is_file() else None
    if spec is None or spec.loader is None:
        message = f"{str(path)!r} is not a Python file of components: give a .py file that exists."
        raise ParameterError(message)
    module = util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are looked up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        message = f"{_place(error, file)}: {_reason(error)}"
        raise ParameterError(message) from error
    return _declared_in(name)


def _declared_in(module: str) -> tuple[str, ...]:
    return tuple(name for name, model in _models.items() if model.module == module)


def _load_home(name: str) -> None:
    """Load the file of the library that declares a component, where there is one."""
    module = home(name)
    if module is not None:
        importlib.import_module(module)


def _others_listed() -> list[str]:
    """Return the Python files of components that the user lists, which are run whatever a netlist needs."""
    return list(filter(None, os.environ.get(FILES, "").split(os.pathsep)))


def _load_library() -> None:
    if _state["library_loaded"]:
        return
    _state["library_loaded"] = True
    for file in pkgutil.iter_modules(importlib.import_module(LIBRARY).__path__):
        importlib.import_module(f"{LIBRARY}.{file.name}")
    for entry in metadata.entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:  # noqa: BLE001 - whatever a package of others does, the library works
            package = entry.dist.name if entry.dist is not None else entry.value
            message = f"The components of the installed package {package!r} are not loaded: {_reason(error)}"
            warnings.warn(message, PhotosimWarning, stacklevel=2)
    for path in _others_listed():
        load_file(path)


def _reason(error: Exception) -> str:
    """Return what went wrong as one sentence."""
    return str(error) if isinstance(error, PhotosimError) else f"{type(error).__name__}: {error}."


def _place(error: Exception, file: Path) -> str:
    """Return the file, and the last of its lines that the error came through."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{file}, line {error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file]
    return f"{file}, line {lines[-1]}" if lines else str(file)
