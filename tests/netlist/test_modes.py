"""Modes in netlists: what check says, with its place, of connections, names and ends that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from photosim.errors import NetlistError
from photosim.netlist import check, read, read_text, to_yaml

if TYPE_CHECKING:
    from pathlib import Path

ROTATED = """\
instances:
  a:
    component: polarization_rotator
  b:
    component: straight
  c:
    component: mode_converter
connections:
  a,o2: b,o1
ports:
  in: a,o1
  out: b,o2
terminate: ['c,o1', 'c,o2', 'a,o2@TM']
"""


def said(folder: Path, *changes: tuple[str, str], strict: bool = False) -> str:
    """What checking the circuit says after some changes of its text, without the folder's name."""
    text = ROTATED
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "modes.yml"
    file.write_text(text, encoding="utf-8")
    try:
        warnings = check(read(file), strict=strict)
    except NetlistError as error:
        return str(error).replace(f"{folder}/", "")
    return " | ".join(warnings).replace(f"{folder}/", "")


def test_all_modes_and_single_ones_can_be_terminated(tmp_path: Path) -> None:
    assert said(tmp_path, strict=True) == ""


@pytest.mark.parametrize("strict", [False, True])
def test_mode_that_meets_a_part_without_it(tmp_path: Path, strict: bool) -> None:
    assert said(tmp_path, (", 'a,o2@TM'", ""), strict=strict) == (
        "modes.yml:2:3: mode TM of 'a,o2' at 'b,o1' meets a part without it and counts as matched; "
        "if that is meant, list 'a,o2@TM' under 'terminate'."
    )


def test_several_modes_that_meet_parts_without_them(tmp_path: Path) -> None:
    both = ("a,o2: b,o1\n", "a,o2: b,o1\n  c,o1: b,o2\n")
    ends = ("['c,o1', 'c,o2', 'a,o2@TM']", "['c,o2']")
    assert said(tmp_path, both, ends, ("  out: b,o2\n", "")) == (
        "modes.yml:2:3: 2 modes meet parts without them and count as matched: mode TM of 'a,o2' at 'b,o1', "
        "mode TE1 of 'c,o1' at 'b,o2'; if that is meant, list 'a,o2@TM' under 'terminate'."
    )


def test_mode_that_is_left_open(tmp_path: Path) -> None:
    assert said(tmp_path, ("in: a,o1", "in: a,o1@TE")) == (
        "modes.yml:2:3: inner port 'a,o1@TM' is left open and counts as matched: connect it, "
        "expose it under 'ports' or list it under 'terminate'."
    )


def test_mode_left_over_by_one_connection_can_be_used_by_another(tmp_path: Path) -> None:
    more = ("a,o2: b,o1\n", "a,o2: b,o1\n  a,o2@TM: c,o1@TE0\n")
    ends = ("['c,o1', 'c,o2', 'a,o2@TM']", "['c,o1@TE1', 'c,o2']")
    assert said(tmp_path, more, ends, strict=True) == ""


def test_ports_that_share_no_mode(tmp_path: Path) -> None:
    assert said(tmp_path, ("a,o2: b,o1", "a,o2: c,o1")) == (
        "modes.yml:9:3: 'a,o2' and 'c,o1' cannot be connected: the one has mode TE, TM, the other TE0, TE1; "
        "name a mode on both sides, as in a,o2@TE: b,o1@TE0."
    )
    assert said(tmp_path, ("a,o2: b,o1", "a,o2@TM: c,o1")) == (
        "modes.yml:9:3: 'a,o2@TM' and 'c,o1' cannot be connected: the one has mode TM, the other TE0, TE1; "
        "name a mode on both sides, as in a,o2@TE: b,o1@TE0."
    )


def test_port_with_modes_connected_with_itself(tmp_path: Path) -> None:
    assert said(tmp_path, ("a,o2: b,o1", "a,o2: a,out@TM")) == (
        "modes.yml:9:3: 'a,o2' and 'a,out@TM' cannot be connected: they are one port."
    )
    assert said(tmp_path, ("a,o2: b,o1", "a,o2: a,out")) == (
        "modes.yml:9:3: port 'a,o2' is connected with itself."
    )


def test_mode_used_twice(tmp_path: Path) -> None:
    assert said(tmp_path, ("a,o2: b,o1\n", "a,o2@TE: b,o1\n  a,o2: b,o2\n"), ("  out: b,o2\n", "")) == (
        "modes.yml:10:3: port 'a,o2' (o2@TE) is connected with 'b,o2' here, "
        "but already connected with 'b,o1' on line 9; a port has one use."
    )
    assert said(tmp_path, ("'a,o2@TM'", "'a,o2'")) == (
        "modes.yml:13:29: port 'a,o2' (o2@TE) is terminated here, "
        "but already connected with 'b,o1' on line 9; a port has one use."
    )


def test_mode_that_does_not_exist(tmp_path: Path) -> None:
    message = said(tmp_path, ("a,o2: b,o1", "a,o2@TN: b,o1"))
    assert message.startswith(
        "modes.yml:9:3: instance 'a' (polarization_rotator) has no port 'o2@TN'. It has: o1@TE"
    )
    assert "Did you mean 'o2@T" in message


def test_name_of_one_mode_for_all_modes(tmp_path: Path) -> None:
    assert said(tmp_path, ("in: a,o1", "in@TE: a,o1")) == (
        "modes.yml:11:3: 'in@TE' names one mode, but 'a,o1' has TE, TM: expose one of them, as in 'a,o1@TE'."
    )


def test_mode_exposed_twice(tmp_path: Path) -> None:
    assert said(tmp_path, ("out: b,o2", "in@TM: b,o2")) == (
        "modes.yml:12:3: port 'in@TM' is exposed twice: by its name, and by 'in', which exposes in@TE, in@TM."
    )


def test_electrical_port_has_no_modes(tmp_path: Path) -> None:
    changes = (("component: straight", "component: photodetector"), ("a,o2: b,o1", "a,o2: b,e1"))
    assert said(tmp_path, *changes).startswith(
        "modes.yml:9:3: the optical port 'a,o2' cannot be connected with the electrical port 'b,e1'"
    )


def test_modes_of_a_netlist_inside(tmp_path: Path) -> None:
    file = tmp_path / "nested.yml"
    inner = "\n".join(f"  {line}" for line in ROTATED.replace(", 'a,o2@TM'", "").splitlines())
    top = "top_level:\n  instances: {x: part, y: straight}\n  connections: {'x,in': 'y,o2'}\n"
    file.write_text(f"{top}  ports: {{in: 'y,o1', out: 'x,out'}}\npart:\n{inner}\n", encoding="utf-8")
    inside, outside = (text.replace(f"{tmp_path}/", "") for text in sorted(check(read(file)), reverse=True))
    assert inside == (
        "nested.yml:7:5: mode TM of 'a,o2' at 'b,o1' in netlist 'part' meets a part without it and counts "
        "as matched; if that is meant, list 'a,o2@TM' under 'terminate'."
    )
    assert outside == (
        "nested.yml:2:15: mode TM of 'x,in' at 'y,o2' meets a part without it and counts as matched; "
        "if that is meant, list 'x,in@TM' under 'terminate'."
    )


def test_modes_survive_writing() -> None:
    netlist = read_text(ROTATED)
    assert read_text(to_yaml(netlist)) == netlist
