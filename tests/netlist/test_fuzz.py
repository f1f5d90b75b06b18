"""Whatever the text, reading ends in a netlist or in one sentence: never a traceback, never a hang."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from photosim.errors import NetlistError, PhotosimError, PhotosimWarning
from photosim.model import Netlist
from photosim.netlist import check, not_simulated, read_text, to_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

FLAT = """\
name: ring
settings: {radius: 10.0, round: "2*pi*radius"}
instances:
  coupler: {component: coupler, settings: &c {coupling: 0.1}}
  other: {component: coupler, settings: *c}
  guide: {component: straight, array: {columns: 2, rows: 1}, settings: {length: "round/2", npoints: 7}}
  bank: {component: weight_bank, settings: {rows: 2, channels: 2}}
connections: {"coupler,o3": "guide<0.0>,o1", "guide<0.0>,o2": "other,o1"}
nets: [{p1: "other,o4", p2: "guide<1.0>,o1"}, {p1: "guide<1.0>,o2", p2: "coupler,o2"}]
ports: {in: "coupler,o1", through: "coupler,o4", add: "other,o2", drop: "other,o3"}
terminate: ["bank,o1"]
analyses: [{kind: spectrum, wl: "1.54:1.56:2001"}]
"""
NESTED = """\
top_level:
  settings: {step: 3.0}
  instances: {short: arm, long: {component: arm, settings: {length: 2*step}}}
  connections: {"short,o2": "long,o1"}
  ports: {in: "short,o1", out: "long,o2"}
arm:
  settings: {length: 7.0}
  instances:
    guide: {component: straight, settings: {length: length}}
  ports: {o1: "guide,o1", o2: "guide,o2"}
"""
TOKENS = [
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        ",",
        "-",
        "- ",
        "*c",
        "&c ",
        "<<: ",
        "!",
        "!!str ",
        "'",
        '"',
        "#",
        "\n",
        "\n  ",
    ),
    *(
        "\t",
        "~",
        "null",
        "true",
        "1e999",
        ".nan",
        "-1",
        "0",
        "99999999999999999999",
        "1_0",
        "**",
        "(",
        ")",
        "\0",
    ),
    *(
        "radius",
        "arm",
        "straight",
        "coupler",
        "weight_bank",
        "photodetector",
        "o1",
        "e1",
        "<0.0>",
        "<9.9>",
        "%",
    ),
    *(
        "\ud800",
        "\u2028",
        "|",
        ">",
        "? ",
        "---\n",
        "...\n",
        "instances: ",
        "columns: 1000000000",
        "components: ",
    ),
    *("9**9**9", "a" * 300),
]

places = st.floats(0, 1, exclude_max=True)
changes = st.one_of(
    st.tuples(st.just("insert"), places, st.sampled_from(TOKENS) | st.text(max_size=4)),
    st.tuples(st.just("delete"), places, st.integers(1, 30)),
    st.tuples(st.just("repeat"), places, st.integers(1, 60)),
    st.tuples(st.just("replace"), places, st.sampled_from(TOKENS)),
    st.tuples(st.just("swap"), places, places),
)


def changed(text: str, change: tuple[str, float, object]) -> str:
    """The text after one change at a relative place."""
    kind, where, what = change
    at = int(where * len(text))
    match kind, what:
        case "insert", str():
            return text[:at] + what + text[at:]
        case "delete", int():
            return text[:at] + text[at + what :]
        case "repeat", int():
            return text[: at + what] + text[at:]
        case "replace", str():
            return text[:at] + what + text[at + len(what) :]
        case "swap", float():
            lines = text.splitlines(keepends=True) or [""]
            a, b = int(where * len(lines)), int(what * len(lines))
            lines[a], lines[b] = lines[b], lines[a]
            return "".join(lines)
    raise AssertionError(kind)


def attempt(step: Callable[[], object]) -> object:
    """What a step gives: its result, or the PhotosimError that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        try:
            return step()
        except PhotosimError as error:
            return error


def is_sentence(error: object) -> bool:
    """Whether an error is of the netlist, on one line, and not endless."""
    return isinstance(error, NetlistError) and "\n" not in str(error) and len(str(error)) < 1500


@settings(max_examples=300)
@given(st.sampled_from([FLAT, NESTED]), st.lists(changes, min_size=1, max_size=5))
def test_damaged_files_end_in_a_netlist_or_a_sentence(
    text: str, damage: list[tuple[str, float, object]]
) -> None:
    for change in damage:
        text = changed(text, change)
    netlist = attempt(lambda: read_text(text))
    if not isinstance(netlist, Netlist):
        assert is_sentence(netlist)
        return
    assert read_text(to_yaml(netlist)) == netlist
    assert all(isinstance(line, str) for line in not_simulated(netlist))
    found = attempt(lambda: check(netlist))
    assert is_sentence(found) or (isinstance(found, list) and len(found) <= 1 + len(netlist.components))


def test_the_undamaged_files_are_netlists() -> None:
    assert check(read_text(NESTED), strict=True) == []
    assert "inner port 'bank,o1' is left open" in check(read_text(FLAT.replace("terminate", "#")))[0]
