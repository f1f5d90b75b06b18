"""The mistakes that people make, one clear sentence each; the texts are promises and tested whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from photosim.errors import NetlistError
from photosim.netlist import check, read

if TYPE_CHECKING:
    from pathlib import Path

RING = """\
instances:
  cin:
    component: coupler
    settings: {coupling: 0.1}
  cdrop:
    component: coupler
    settings: {coupling: 0.1}
  left:
    component: straight
    settings: {length: 31.4}
  right:
    component: straight
    settings: {length: 31.4}
connections:
  cin,o3: right,o1
  right,o2: cdrop,o1
  cdrop,o4: left,o1
  left,o2: cin,o2
ports:
  in: cin,o1
  through: cin,o4
  add: cdrop,o2
  drop: cdrop,o3
"""


def said(folder: Path, *changes: tuple[str, str], strict: bool = False) -> str:
    """What reading and checking the ring says after some changes of its text, without the folder's name."""
    text = RING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "ring.yml"
    file.write_text(text, encoding="utf-8")
    try:
        warnings = check(read(file), strict=strict)
    except NetlistError as error:
        return str(error).replace(f"{folder}/", "")
    return " | ".join(warnings).replace(f"{folder}/", "")


def test_the_ring_itself_is_right(tmp_path: Path) -> None:
    assert said(tmp_path, strict=True) == ""


def test_unknown_instance_in_a_connection(tmp_path: Path) -> None:
    assert said(tmp_path, ("left,o2: cin,o2", "left,o2: cinn,o2")) == (
        "ring.yml:18:12: 'cinn,o2' names a port of 'cinn', but there is no such instance. Did you mean 'cin'?"
    )


def test_unknown_port_in_a_connection(tmp_path: Path) -> None:
    assert said(tmp_path, ("left,o2: cin,o2", "left,o2: cin,in7")) == (
        "ring.yml:18:12: instance 'cin' (coupler) has no port 'in7'. "
        "It has: o1, o2, o3, o4, in0, in1, out0, out1. Did you mean 'in1'?"
    )


def test_port_connected_twice(tmp_path: Path) -> None:
    assert said(tmp_path, ("left,o2: cin,o2", "left,o2: cdrop,o1")) == (
        "ring.yml:18:12: port 'cdrop,o1' is connected with 'left,o2' here, "
        "but already connected with 'right,o2' on line 16; a port has one use."
    )


def test_port_connected_twice_under_two_names(tmp_path: Path) -> None:
    assert said(tmp_path, ("left,o2: cin,o2", "left,o2: cdrop,in0")) == (
        "ring.yml:18:12: port 'cdrop,in0' (o1) is connected with 'left,o2' here, "
        "but already connected with 'right,o2' on line 16; a port has one use."
    )


def test_port_connected_twice_as_a_key(tmp_path: Path) -> None:
    assert said(tmp_path, ("left,o2: cin,o2", "cin,o3: left,o2")) == (
        "ring.yml:18:3: port 'cin,o3' is connected twice, here and on line 15; a port has one use."
    )


def test_unknown_component(tmp_path: Path) -> None:
    assert said(tmp_path, ("component: straight", "component: strait")).startswith(
        "ring.yml:8:3: instance 'left': there is no component 'strait'. Did you mean 'straight'? "
        "`photosim components` lists all of them; say what it is in a map, "
    )


def test_misspelt_setting(tmp_path: Path) -> None:
    message = said(tmp_path, ("{length: 31.4}", "{lenght: 31.4}"))
    assert message.startswith(
        "ring.yml:10:16: instance 'left' (straight) has no setting 'lenght'. It has: length, neff, ng, wl0, "
    )
    assert message.endswith(" Did you mean 'length'?")


def test_inner_port_left_open(tmp_path: Path) -> None:
    message = (
        "ring.yml:2:3: 2 inner ports are left open and count as matched: 'cin,o2', 'left,o2'; "
        "connect them, expose them under 'ports' or list them under 'terminate'."
    )
    change = ("  left,o2: cin,o2\n", "")
    assert said(tmp_path, change) == message
    assert said(tmp_path, change, strict=True) == message
    assert said(tmp_path, change, ("  drop: cdrop,o3\n", "  drop: cdrop,o3\n  out: cin,o2\n")) == (
        "ring.yml:8:3: inner port 'left,o2' is left open and counts as matched: connect it, "
        "expose it under 'ports' or list it under 'terminate'."
    )


def test_open_ports_that_are_meant_are_silent(tmp_path: Path) -> None:
    change = ("  left,o2: cin,o2\n", "")
    listed = ("ports:", "terminate: ['cin,o2', 'left,o2']\nports:")
    assert said(tmp_path, change, listed, strict=True) == ""
    parts = (
        "connections:",
        "  t1: terminator\n  t2: terminator\nconnections:\n  cin,o2: t1,o1\n  left,o2: t2,o1",
    )
    assert said(tmp_path, change, parts, strict=True) == ""


def test_external_port_on_a_connected_port(tmp_path: Path) -> None:
    assert said(tmp_path, ("ports:\n", "ports:\n  extra: left,o1\n")) == (
        "ring.yml:20:3: port 'left,o1' is exposed as 'extra' here, "
        "but already connected with 'cdrop,o4' on line 17; a port has one use."
    )


def test_coupling_above_one(tmp_path: Path) -> None:
    assert said(tmp_path, ("{coupling: 0.1}", "{coupling: 1.69}")) == (
        "ring.yml:4:16: instance 'cin' (coupler): setting 'coupling' is 1.69, but must be 0 to 1."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{length: 31.4}",
            "{length: -3}",
            (
                "ring.yml:10:16: instance 'left' (straight): setting 'length' is -3 um, but must "
                "be 0 to 1e+11 um."
            ),
        ),
        (
            "{length: 31.4}",
            "{length: .nan}",
            (
                "ring.yml:10:24: instance 'left' (straight), setting 'length': "
                "a finite number is wanted, but it is nan"
            ),
        ),
        (
            "{length: 31.4}",
            "{length: [1, a]}",
            (
                "ring.yml:10:24: instance 'left' (straight), setting 'length': "
                "a list must hold numbers only, all rows of one length, got texts, [1, 'a']"
            ),
        ),
        (
            "{length: 31.4}",
            "{length: 2*pi*radius}",
            (
                "ring.yml:10:24: instance 'left' (straight), setting 'length': the expression "
                "'2*pi*radius' uses "
                "'radius', which is not among the netlist's settings: pi."
            ),
        ),
        ("instances:", "settings: {radius: 5}\ninstances:", ""),
        ("left,o2: cin,o2", "left,o2: left,o2", "ring.yml:18:3: port 'left,o2' is connected with itself."),
        (
            "left,o2: cin,o2",
            "left: cin,o2",
            "ring.yml:18:3: 'left' does not name a port: write instance,port, as in ring,o1.",
        ),
        (
            "in: cin,o1",
            "in: cin,o9",
            (
                "ring.yml:20:3: instance 'cin' (coupler) has no port 'o9'. "
                "It has: o1, o2, o3, o4, in0, in1, out0, out1."
            ),
        ),
        (
            "component: coupler",
            "componnt: coupler",
            (
                "ring.yml:3:5: instance 'cin' has no key 'componnt'. It may have: component, "
                "settings, array. "
                "Did you mean 'component'?"
            ),
        ),
        (
            "    component: coupler\n",
            "",
            "ring.yml:2:3: instance 'cin' needs the key 'component', as in component: straight.",
        ),
        (
            "component: coupler",
            "component: 7",
            "ring.yml:3:5: instance 'cin': 'component' must be a text, but is the number 7.",
        ),
        (
            "connections:",
            "conections:",
            (
                "ring.yml:14:1: the netlist has no key 'conections'. It may have: instances, "
                "connections, nets, "
                "ports, settings, terminate, analyses, specification, chip, name. Did you mean 'connections'?"
            ),
        ),
        (
            "settings: {coupling: 0.1}",
            "settings: 0.1",
            (
                "ring.yml:4:5: instance 'cin': 'settings' must be a mapping of names to values, "
                "but is the number 0.1."
            ),
        ),
        (
            "  cdrop:\n",
            "  cin:\n",
            "ring.yml:5:3: 'cin' is given twice in this mapping, first on line 2; keep one of them.",
        ),
        (
            "  cin:\n",
            "  c.in:\n",
            (
                "ring.yml:2:3: 'c.in' cannot name an instance: a name is not empty, has no "
                "comma, dot, colon or '<' '>' "
                "(only array members end in <column.row>), and no space around it"
            ),
        ),
        (
            "ports:",
            "terminate: ['left,o1']\nports:",
            (
                "ring.yml:19:13: port 'left,o1' is terminated here, but already connected with "
                "'cdrop,o4' on line 17; "
                "a port has one use."
            ),
        ),
        (
            "ports:",
            "analyses: [{wl: 1.55}]\nports:",
            "ring.yml:19:12: analysis 1 does not say its kind, as in {kind: spectrum, ...}",
        ),
        (
            "ports:",
            "  cin,o4: [left]\nports:",
            "ring.yml:19:3: 'connections': 'cin,o4' must be a text, but is a list.",
        ),
        (
            "ports:\n  in: cin,o1\n  through: cin,o4\n  add: cdrop,o2\n  drop: cdrop,o3\n",
            "ports: {in: cin,o1, through: cin,o4}\n",
            (
                "ring.yml:19:17: 'ports': 'o1' must be a text, but is empty. A comma between { and } ends "
                'an entry: write "cin,o1" in quotes, if that is meant.'
            ),
        ),
        (
            "connections:\n  cin,o3: right,o1\n  right,o2: cdrop,o1\n",
            "connections: {cin,o3: right,o1, right,o2: cdrop,o1}\nx:\n",
            (
                "ring.yml:14:49: port 'o1' is connected twice, here and on line 14; a port has one use. "
                'A comma between { and } ends an entry: write "cin,o3" in quotes, if that is meant.'
            ),
        ),
        (
            "ports:\n  in: cin,o1\n  through: cin,o4\n  add: cdrop,o2\n  drop: cdrop,o3\n",
            "ports: {in: cin,o1, through: right,o1}\n",
            (
                "ring.yml:19:36: 'o1' is given twice in this mapping, first on line 19; keep one of them. "
                'A comma between { and } ends an entry: write "cin,o1" in quotes, if that is meant.'
            ),
        ),
        (
            "  add: cdrop,o2\n  drop: cdrop,o3\n",
            '  add: "cdrop,o2"\n  drop:\n',
            "ring.yml:23:3: 'ports': 'drop' must be a text, but is empty.",
        ),
    ],
)
def test_other_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert said(tmp_path, (old, new)) == message


def test_out_of_bounds_by_an_expression_shows_it(tmp_path: Path) -> None:
    changes = [
        ("instances:", "settings: {radius: 5}\ninstances:"),
        ("{length: 31.4}", "{length: radius - 6}"),
    ]
    assert said(tmp_path, *changes) == (
        "ring.yml:11:16: instance 'left' (straight): setting 'length' is -1 um, "
        "but must be 0 to 1e+11 um (from 'radius - 6')."
    )
