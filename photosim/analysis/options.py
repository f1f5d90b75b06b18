"""Reading the entries under `analyses` of a netlist file: a dataclass says which options a kind has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from photosim.errors import NetlistError, ParameterError, PhotosimError
from photosim.netlist.form_errors import MappingError
from photosim.netlist.mappings import read

if TYPE_CHECKING:
    from pathlib import Path

Made = TypeVar("Made")


def title(name: str) -> str:
    """Return how an error calls an analysis."""
    return f"analysis {name!r}"


def read_entry(form: Callable[..., Made], entry: Mapping[str, Any], kind: str) -> Made:
    """Return the options of an entry by their dataclass; an entry without a name has that of its kind.

    Raises MappingError for unknown options, missing ones, and values that they cannot have.
    """
    named = {"name": kind, **{key: value for key, value in entry.items() if key != "kind"}}
    return read(form, named, title(named["name"]))


def beside(name: str, folder: Path | None, entry: Mapping[str, Any], kind: str, *path: str) -> str:
    """Return the place of a file that an entry of a netlist in `folder` names; path: of the option.

    Raises ParameterError for a file outside that folder, as for tables of S-parameters.
    """
    from photosim.netlist.tables import locate

    try:
        return str(locate(name, folder))
    except NetlistError as error:
        message = ": ".join(
            (f"The analysis {entry.get('name', kind)!r}", *path, f"{str(error).rstrip('.')}.")
        )
        raise ParameterError(message) from None


@contextmanager
def option(name: str, *path: str) -> Iterator[None]:
    """Say of errors raised inside to which option of the analysis `name` they belong."""
    try:
        yield
    except PhotosimError as error:
        if isinstance(error, NetlistError) and error.mark is not None:  # of another place in the file
            raise
        whole = (*path, *getattr(error, "path", ()))
        raise MappingError(": ".join((title(name), *path, str(error))), whole) from None


@contextmanager
def inside(*path: str | int) -> Iterator[None]:
    """Let errors of parameters that are raised inside know to which option they belong."""
    try:
        yield
    except ParameterError as error:
        raise MappingError(str(error), (*path, *getattr(error, "path", ()))) from None
