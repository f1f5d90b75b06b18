"""Array instances: one entry of a file stands for columns times rows parts, named ``name<column.row>``."""

from __future__ import annotations

import re

from photosim.errors import NetlistError

MAX_INSTANCES = 200_000
"""Instances that a file may make, its arrays expanded."""

_NAME = re.compile(r"[^\s,.:<>][^,.:<>]*(<(0|[1-9]\d*)\.(0|[1-9]\d*)>)?")
_MEMBER = re.compile(r"(?P<base>.+)<\d+\.\d+>")
MAX_NAME = 200
"""Characters that the name of an instance may have."""


def check_name(name: str) -> None:
    """Refuse names that a port reference or a dotted path could not hold."""
    if len(name) > MAX_NAME:
        raise NetlistError(
            f"the instance name {name[:20]!r}... has {len(name)} characters; the bound is {MAX_NAME}"
        )
    if not _NAME.fullmatch(name) or name != name.strip():
        raise NetlistError(
            f"{name!r} cannot name an instance: a name is not empty, has no comma, dot, colon or '<' '>' "
            "(only array members end in <column.row>), and no space around it"
        )


def members(name: str, columns: int, rows: int) -> list[str]:
    """Names of the members of an array, column by column.

    Raises:
        NetlistError: more members than MAX_INSTANCES.
    """
    if columns * rows > MAX_INSTANCES:
        raise NetlistError(
            f"instance {name!r} is an array of {columns} x {rows} parts; a netlist may have {MAX_INSTANCES}"
        )
    return [f"{name}<{column}.{row}>" for column in range(columns) for row in range(rows)]


def base_name(name: str) -> str:
    """Name under which an instance is written in the file: that of its array, for a member."""
    found = _MEMBER.fullmatch(name)
    return found["base"] if found else name
