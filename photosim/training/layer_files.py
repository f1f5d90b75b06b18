"""Layers and their parameters as one .npz file: arrays and a JSON text, nothing that could be executed.

A record (a dataclass of `photosim.training`, or a layer of one's own that is handed to the reader) is written
as its class's name and its fields; numbers, texts, lists, arrays, sparse matrices and circuits as themselves.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import DataError, PhotosimError, listing
from photosim.files.atomic import replacing
from photosim.training.data.files import read_npz
from photosim.training.layers import ACTIVATIONS, Activation, Layer, Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ABOUT = "about"
_KIND = "photosim network"
_VERSION = 1
_OURS = re.compile(r"(photosim\.(?:training|signals|model|media)(?:\.[a-z_]+)*):([A-Za-z]+)")
"""Classes of this package, which a reader may look up by name."""
_DEEPEST = 40
"""Records inside records; a damaged file otherwise."""


def write_layers(
    path: Path, layers: Collection[Layer], parameters: list[Parameters], more: Mapping[str, NDArray[Any]]
) -> Path:
    """Write layers, their parameters and further arrays by name; return the path.  Raises DataError."""
    if path.suffix != ".npz":
        message = f"A network is saved as an .npz file, got {path}."
        raise DataError(message)
    writer = _Writer()
    written = [writer.value(layer, f"layer {k}") for k, layer in enumerate(layers, start=1)]
    for k, own in enumerate(parameters):
        writer.arrays |= {f"parameters/{k}/{name}": value for name, value in own.items()}
    writer.arrays |= {f"more/{name}": value for name, value in more.items()}
    about = {"kind": _KIND, "version": _VERSION, "layers": written, "names": list(writer.arrays)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, **writer.arrays, **{_ABOUT: np.array(json.dumps(about))}
        )
    return path


def read_layers(
    path: Path, own: Collection[type] = ()
) -> tuple[tuple[Layer, ...], list[Parameters], dict[str, NDArray[Any]]]:
    """Return layers, parameters and further arrays of a file; DataError for a missing or damaged one."""
    if not path.is_file():
        message = f"There is no file {path}."
        raise DataError(message)
    try:
        about = json.loads(str(read_npz(path, (_ABOUT,))[_ABOUT]))
        right = about["kind"] == _KIND and about["version"] == _VERSION
        arrays = read_npz(path, tuple(str(name) for name in about["names"])) if right else {}
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is not a network saved by photosim: {error}."
        raise DataError(message) from error
    if not right:
        message = f"{path} is not a network saved by this version of photosim."
        raise DataError(message)
    reader = _Reader(path, arrays, {kind.__name__: kind for kind in own})
    try:
        layers = tuple(reader.value(layer) for layer in about["layers"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{path} is damaged: {error}."
        raise DataError(message) from error
    parameters: list[Parameters] = [{} for _ in layers]
    more: dict[str, NDArray[Any]] = {}
    for name, value in arrays.items():
        group, *rest = name.split("/")
        if group == "parameters" and len(rest) == 2 and rest[0].isdigit() and int(rest[0]) < len(layers):
            parameters[int(rest[0])][rest[1]] = np.array(value)
        elif group == "more":
            more["/".join(rest)] = np.array(value)
    return layers, parameters, more


class _Writer:
    """Turns values into JSON; arrays are put aside under a name."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}

    def value(self, value: Any, where: str) -> Any:  # noqa: C901 - one case a kind of value
        """Return a value as JSON; DataError, beginning with `where`, for one that cannot be written."""
        from photosim.circuit import Circuit

        match value:
            case None | bool() | int() | float() | str():
                return value
            case np.generic():
                return self.value(value.item(), where)
            case complex():
                return {"complex": [value.real, value.imag]}
            case list() | tuple():
                inner = [self.value(one, where) for one in value]
                return inner if isinstance(value, list) else {"tuple": inner}
            case Mapping():
                return {"mapping": [[key, self.value(one, where)] for key, one in value.items()]}
            case np.ndarray():
                return {"array": self._aside(value, where)}
            case np.random.Generator():
                return {"generator": value.bit_generator.state}
            case Circuit():
                return {"circuit": _circuit_text(value, where)}
            case Activation():
                return _activation(value, where)
        if hasattr(value, "tocsr") and hasattr(value, "nnz"):
            rows = value.tocsr()
            parts = [self._aside(part, where) for part in (rows.data, rows.indices, rows.indptr)]
            return {"sparse": parts, "shape": list(rows.shape)}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._record(value, where)
        message = (
            f"{where}: a network with a {type(value).__name__} cannot be saved, as no file holds its code."
        )
        raise DataError(message)

    def _record(self, value: Any, where: str) -> dict[str, Any]:
        kind = type(value)
        fields = {
            item.name: self.value(getattr(value, item.name), f"{where}: {item.name}")
            for item in dataclasses.fields(value)
            # What takes no part in comparison is kept work and counters, but for generators.
            if item.init and (item.compare or isinstance(getattr(value, item.name), np.random.Generator))
        }
        full = f"{kind.__module__}:{kind.__qualname__}"
        return {"record": full if _OURS.fullmatch(full) else kind.__name__, "fields": fields}

    def _aside(self, value: NDArray[Any], where: str) -> str:
        if value.dtype.hasobject:
            message = f"{where}: an array of objects cannot be saved."
            raise DataError(message)
        name = f"array/{len(self.arrays)}"
        self.arrays[name] = value
        return name


def _circuit_text(circuit: Any, where: str) -> str:
    from photosim.netlist.write import to_yaml

    try:
        return to_yaml(circuit.netlist)
    except PhotosimError as error:
        message = f"{where}: its circuit cannot be saved: {error}"
        raise DataError(message) from None


def _activation(value: Activation, where: str) -> dict[str, str]:
    if ACTIVATIONS.get(value.name) != value:
        message = f"{where}: the activation {value.name!r} is your own function, which a file cannot hold."
        raise DataError(message)
    return {"activation": value.name}


class _Reader:
    """Turns JSON back into values."""

    def __init__(self, path: Path, arrays: Mapping[str, NDArray[Any]], own: Mapping[str, type]) -> None:
        self.path, self.arrays, self.own = path, arrays, own
        self.depth = 0

    def value(self, written: Any) -> Any:  # noqa: C901 - one case a kind of value
        """Return the value; KeyError, TypeError or ValueError for a damaged file, DataError for a class."""
        if isinstance(written, list):
            return [self.value(one) for one in written]
        if not isinstance(written, dict):
            return written
        match written:
            case {"record": str(name), "fields": dict(fields)}:
                return self._record(name, fields)
            case {"array": str(name)}:
                return np.array(self.arrays[name])
            case {"tuple": list(inner)}:
                return tuple(self.value(one) for one in inner)
            case {"mapping": list(pairs)}:
                return {key: self.value(one) for key, one in pairs}
            case {"complex": [real, imaginary]}:
                return complex(real, imaginary)
            case {"activation": str(name)}:
                return ACTIVATIONS[name]
            case {"circuit": str(text)}:
                return _circuit_of(text)
            case {"generator": dict(state)}:
                rng = np.random.default_rng()
                rng.bit_generator.state = state
                return rng
            case {"sparse": [data, indices, indptr], "shape": [*shape]}:
                from scipy.sparse import csr_array

                parts = tuple(np.array(self.arrays[name]) for name in (data, indices, indptr))
                return csr_array(parts, shape=tuple(shape))
        message = f"it holds {sorted(written)}"
        raise ValueError(message)

    def _record(self, name: str, fields: dict[str, Any]) -> Any:
        self.depth += 1
        if self.depth > _DEEPEST:
            message = "records lie too deep inside each other"
            raise ValueError(message)
        kind = self._class(name)
        made = kind(**{field: self.value(inner) for field, inner in fields.items()})
        self.depth -= 1
        return made

    def _class(self, name: str) -> Any:
        if name in self.own:
            return self.own[name]
        match = _OURS.fullmatch(name)
        kind = None
        if match is not None:
            try:
                kind = getattr(importlib.import_module(match[1]), match[2], None)
            except ImportError:
                kind = None
        if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
            given = f" Given are {listing(self.own)}." if self.own else ""
            message = (
                f"{self.path} has a layer of the class {name!r}, which photosim does not have: give your own "
                f"classes, load(path, layers=[{name.rpartition(':')[2]}]).{given}"
            )
            raise DataError(message)
        return kind


def _circuit_of(text: str) -> Any:
    import warnings

    from photosim.circuit import Circuit
    from photosim.errors import PhotosimWarning
    from photosim.netlist import read_text

    with warnings.catch_warnings():  # shown when the circuit was made
        warnings.simplefilter("ignore", PhotosimWarning)
        return Circuit(read_text(text))
