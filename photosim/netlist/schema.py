"""The form of a netlist file, as pydantic models, and its errors as sentences.

Only the form is checked here: which keys there are and of what type. What they mean (components, ports,
expressions) is checked where it is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from photosim.errors import Mark, NetlistError, did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.netlist.compose import Tree


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


def _nothing_is_no_list(value: Any) -> Any:
    return [] if value is None else list(value) if isinstance(value, tuple) else value


def _short_instance(value: Any) -> Any:
    return {"component": value} if isinstance(value, str) else value


Names = Annotated[dict[str, str], BeforeValidator(_nothing_is_empty)]
Values = Annotated[dict[str, Any], BeforeValidator(_nothing_is_empty)]


class Form(BaseModel):
    """A mapping of a file: frozen, nothing converted silently, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ArrayForm(Form):
    """Copies of an instance in columns and rows; the pitches are layout."""

    columns: int = Field(default=1, ge=1)
    rows: int = Field(default=1, ge=1)
    column_pitch: Any = None
    row_pitch: Any = None
    pitch: Any = None


class InstanceForm(Form):
    """One entry of ``instances``."""

    component: str
    settings: Values = Field(default_factory=dict)
    array: ArrayForm | None = None
    info: Any = None
    placement: Any = None
    virtual: Any = None


class NetForm(Form):
    """One entry of ``nets``; its name and settings are layout."""

    p1: str
    p2: str
    name: Any = None
    settings: Any = None


class NetlistForm(Form):
    """A netlist file, or one of the netlists of a recursive file.

    The sections after `name` are what gdsfactory places and draws with: accepted, not simulated.
    """

    instances: dict[str, Annotated[InstanceForm, BeforeValidator(_short_instance)]]
    connections: Names = Field(default_factory=dict)
    nets: Annotated[list[NetForm], BeforeValidator(_nothing_is_no_list)] = Field(default_factory=list)
    ports: Names = Field(default_factory=dict)
    settings: Values = Field(default_factory=dict)
    terminate: Annotated[list[str], BeforeValidator(_nothing_is_no_list)] = Field(default_factory=list)
    analyses: Annotated[list[dict[str, Any]], BeforeValidator(_nothing_is_no_list)] = Field(
        default_factory=list
    )
    name: str | None = None
    placements: Any = None
    routes: Any = None
    bundles: Any = None
    info: Any = None
    pdk: Any = None
    schema_: Any = Field(default=None, alias="schema")
    schema_version: Any = None
    warnings: Any = None
    labels: Any = None


_KEYS: Mapping[str, tuple[str, ...]] = {
    "netlist": ("instances", "connections", "nets", "ports", "settings", "terminate", "analyses", "name"),
    "instance": ("component", "settings", "array"),
    "array": ("columns", "rows"),
    "net": ("p1", "p2"),
}
_WANTED: Mapping[str, str] = {
    "string_type": "a text",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping",
    "list_type": "a list",
    "int_type": "a whole number",
    "greater_than_equal": "1 or more",
}


def validate(data: Mapping[str, Any], tree: Tree, path: tuple[str, ...]) -> NetlistForm:
    """Check the form of one netlist, found in the tree at `path`.

    Raises:
        NetlistError: the first thing that is wrong, with its place.
    """
    try:
        return NetlistForm.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
    # A misspelt key is also a missing one: the misspelling is the news.
    first = min(found, key=lambda e: e["type"] != "extra_forbidden")
    steps = tuple(s for s in first["loc"] if s != "[key]")
    mark = tree.follow((*path, *steps)) or (Mark(tree.file, 1, 1) if tree.file else None)
    raise NetlistError(_sentence(first["type"], steps, first["input"], path), mark)


def _sentence(kind: str, steps: tuple[int | str, ...], found: Any, path: tuple[str, ...]) -> str:
    where, what = _place(steps[:-1], path)
    last = steps[-1] if steps else "netlist"
    if kind == "extra_forbidden":
        known = _KEYS[what]
        return f"{where} has no key {last!r}. It may have: {listing(known)}.{did_you_mean(str(last), known)}"
    if kind == "missing":
        hint = {"component": ", as in component: straight", "instances": ": a circuit needs parts"}
        return f"{where} lacks {last!r}{hint.get(str(last), '')}."
    subject = f"{last!r}" if isinstance(last, str) else f"entry {last + 1}"
    wanted = _WANTED.get(kind, "of another type")
    return f"{where}: {subject} must be {wanted}, but is {describe(found)}."


def _place(steps: tuple[int | str, ...], path: tuple[str, ...]) -> tuple[str, str]:
    """Words for where an error is, and which form it is in."""
    inside = f" of {path[-1]!r}" if path else ""
    match steps:
        case ():
            return (f"netlist {path[-1]!r}" if path else "the netlist"), "netlist"
        case ("instances", name):
            return f"instance {name!r}{inside}", "instance"
        case ("instances", name, "array"):
            return f"the array of instance {name!r}{inside}", "array"
        case ("nets", int() as position):
            return f"net {position + 1}{inside}", "net"
    return ", ".join(repr(s) if isinstance(s, str) else f"entry {s + 1}" for s in steps) + inside, "netlist"


def describe(value: Any) -> str:
    """A value as a message shows it: short, and with its type where the value alone would mislead."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    kind = {str: "the text", bool: "the flag", int: "the number", float: "the number"}.get(type(value), "")
    return f"{kind} {text if len(text) <= 60 else text[:57] + '...'}".strip()
