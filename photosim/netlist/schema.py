"""The form of a netlist file.

Only the form is checked here: which keys there are and of what type. What they mean (components, ports,
expressions) is checked where it is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from photosim.errors import Mark, NetlistError
from photosim.netlist.form_errors import MappingError, Place
from photosim.netlist.forms import UNLISTED, Form
from photosim.netlist.mappings import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.netlist.compose import Tree
    from photosim.netlist.form_errors import Steps


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


def _nothing_is_no_list(value: Any) -> Any:
    return [] if value is None else list(value) if isinstance(value, tuple) else value


def _short_instance(value: Any) -> Any:
    return {"component": value} if isinstance(value, str) else value


Names = Annotated[dict[str, str], BeforeValidator(_nothing_is_empty)]
Values = Annotated[dict[str, Any], BeforeValidator(_nothing_is_empty)]
Items = BeforeValidator(_nothing_is_no_list)
Layout = Annotated[Any, UNLISTED]
"""Accepted and not simulated."""


class ArrayForm(Form):
    """Copies of an instance in columns and rows; the pitches are layout."""

    columns: int = Field(default=1, ge=1)
    rows: int = Field(default=1, ge=1)
    column_pitch: Layout = None
    row_pitch: Layout = None
    pitch: Layout = None


class InstanceForm(Form):
    """One entry of ``instances``."""

    component: str = Field(examples=["component: straight"])
    settings: Values = Field(default_factory=dict)
    array: ArrayForm | None = None
    info: Layout = None
    placement: Layout = None
    virtual: Layout = None
    kcl: Layout = None


class NetForm(Form):
    """One entry of ``nets``; its name and settings are layout."""

    p1: str
    p2: str
    name: Layout = None
    settings: Layout = None


class NetlistForm(Form):
    """A netlist file, or one of the netlists of a recursive file.

    The sections after `name` are what gdsfactory places and draws with.
    """

    instances: dict[str, Annotated[InstanceForm, BeforeValidator(_short_instance)]] = Field(
        examples=["instances: {guide: straight}"]
    )
    connections: Names = Field(default_factory=dict)
    nets: Annotated[list[NetForm | list[Any]], Items] = Field(default_factory=list)
    ports: Names = Field(default_factory=dict)
    settings: Values = Field(default_factory=dict)
    terminate: Annotated[list[str], Items] = Field(default_factory=list)
    analyses: Annotated[list[dict[str, Any]], Items] = Field(default_factory=list)
    specification: Annotated[list[dict[str, Any]], Items] = Field(default_factory=list)
    chip: dict[str, Any] | None = None
    name: str | None = None
    placements: Layout = None
    routes: Layout = None
    bundles: Layout = None
    info: Layout = None
    pdk: Layout = None
    schema_: Layout = Field(default=None, alias="schema")
    schema_version: Layout = None
    warnings: Layout = None
    labels: Layout = None


def validate(data: Mapping[str, Any], tree: Tree, path: tuple[str, ...]) -> NetlistForm:
    """Check the form of one netlist, found in the tree at `path`.

    Raises:
        NetlistError: the first thing that is wrong, with its place.
    """
    try:
        return read(NetlistForm, data, noun="key", place=lambda steps: _place(steps, path))
    except MappingError as error:
        mark = tree.follow((*path, *error.path)) or (Mark(tree.file, 1, 1) if tree.file else None)
        raise NetlistError(str(error), mark) from None


def _place(steps: Steps, path: tuple[str, ...]) -> str:
    """Words for the place of an error."""
    inside = f" of {path[-1]!r}" if path else ""
    match steps:
        case ():
            return f"netlist {path[-1]!r}" if path else "the netlist"
        case ("instances", name):
            return f"instance {name!r}{inside}"
        case ("instances", name, "array"):
            return f"the array of instance {name!r}{inside}"
        case ("nets", int() as position):
            return f"net {position + 1}{inside}"
    return Place("")(tuple(repr(s) if isinstance(s, str) else s for s in steps)) + inside
