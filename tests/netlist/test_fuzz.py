"""Whatever a file holds, reading ends in a netlist or in one sentence: never a traceback, never a hang.

`fuzz.py` beside this file does the same thousands of times, and measures time and memory.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photosim.errors import NetlistError, PhotosimError, PhotosimWarning
from photosim.model import Netlist
from photosim.netlist import check, not_simulated, read_text, to_yaml

if TYPE_CHECKING:
    from collections.abc import Callable


def loaded(name: str) -> Any:
    """A module beside this file: test files cannot import each other."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


fuzz = loaded("fuzz")
FLAT, NESTED = (
    (fuzz.inputs.CORPUS / "good" / name).read_text(encoding="utf-8") for name in ("ring.yml", "nested.yml")
)

places = st.floats(0, 1, exclude_max=True)
changes = st.one_of(
    st.tuples(st.just("insert"), places, st.sampled_from(fuzz.inputs.TOKENS) | st.text(max_size=4)),
    st.tuples(st.just("delete"), places, st.integers(1, 30)),
    st.tuples(st.just("repeat"), places, st.integers(1, 60)),
    st.tuples(st.just("replace"), places, st.sampled_from(fuzz.inputs.TOKENS)),
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


REFUSED = {
    "alias.yml": "1:12: the alias *nowhere stands for nothing",
    "array.yml": "2:3: instance 'a' is an array of 1000000000 x 1 parts; a netlist may have 200000",
    "attribute.yml": "1:15: setting 'x': '().__class__.__bases__' takes a part of something",
    "behind.spi": "1:1: 'behind' stands behind key=value",
    "binary.sparam": "1: the file is not text: byte 0 does not fit.",
    "binary.spi": "2:1: the file is not UTF-8 text: byte 8 does not fit",
    "binary.yml": "1:1: the file is not UTF-8 text: byte 0 does not fit",
    "bom.yml": "1:1: a netlist is a mapping",
    "bomb.yml": "6:20: with its aliases written out the file has more than 320000 names and values",
    "call.yml": "2:6: setting 'x': \"__import__('os').system('true')\" is not allowed",
    "cells.spi": "1:1: part 'a' (guide): setting 'length': the value of 'wg_length' is not a finite number",
    "circle.spi": "1:1: sub-circuits contain each other: a, b, a",
    "circle.yml": "4:1: netlist 'left' contains itself: left -> right -> left",
    "columns.txt": "2: this row has 2 columns, the first has 3.",
    "comment.yml": "1:1: a netlist is a mapping",
    "cut.npz": "Cannot read",
    "cut.sparam": "3: the file ends here, within the block of 3 rows from line 1.",
    "cut.yml": "2:7: the file is not UTF-8 text: byte 31 does not fit",
    "deep.yml": "1:56: values are nested deeper than 50 levels, the bound",
    "digits.yml": "1:15: setting 'x': a finite number is wanted, but it is inf",
    "doubling.yml": "62:15: netlist 'n19' written out has 2097152 instances; the bound is 2000000",
    "empty.yml": "1:1: a netlist is a mapping",
    "flow.json": "1:701: values are nested deeper than 50 levels, the bound",
    "folder.yml": "2:44: instance 'a' (sampled), setting 'file': Cannot read",
    "huge.sparam": "3: '1e999' is not finite.",
    "huge.yml": "1:15: setting 'x': a finite number is wanted, but it is inf",
    "include.spi": "includes itself",
    "inf.yml": "2:47: instance 'a' (straight), setting 'length': a finite number is wanted",
    "itself.yml": "1:1: netlist 'top_level' contains itself",
    "keys.spi": "2:11: cell 'guide' has no key 'componet'.",
    "lambda.yml": "1:15: setting 'x': '(lambda: 1)()' is not allowed",
    "latin.yml": "2:10: the file is not UTF-8 text: byte 34 does not fit",
    "leaves.yml": "2:44: instance 'a' (sampled), setting 'file': the file '../good/splitter.sparam' lies",
    "line.txt": "1: the line has 120007 characters; the bound is 100000.",
    "lines.spi": "1:1: a line, with those that continue it, has more than 100000 characters, the bound",
    "long.yml": "1:15: setting 'x': an expression may have at most 1000 characters",
    "meet.spi": "3:1: 'a,o1', 'b,o1', 'c,o1' meet at node 'n'",
    "merges.yml": "3:651: with its aliases written out the file has more than 320000 names and values",
    "mode.sparam": "1: a block starts with a line such as",
    "names.yml": "1:3: a mapping or list stands where a name should be",
    "nan.sparam": "3: 'nan' is not finite.",
    "nan.yml": "1:15: setting 'x': a finite number is wanted, but it is nan",
    "null_byte.yml": "2:44: instance 'a' (sampled), setting 'file': 'a\\x00b.sparam' cannot be the name",
    "old_mac.yml": "2:3: instance 'a': there is no component 'straigth'. Did you mean 'straight'?",
    "open.spi": "1:1: .subckt a is not closed by .ends",
    "overflow.sparam": "overflow.sparam is not a table of S-parameters: it holds an amplitude of 1e+308",
    "outside.spi": "1:1: the file '../../../conftest.py' lies outside the netlist's folder",
    "parentheses.yml": "is nested deeper than 100 levels, the bound of an expression",
    "pipe.spi": "1:1: the file '/dev/zero' lies outside the netlist's folder",
    "ports.ts": "3: it announces 9999999 ports; the bound is 1000.",
    "power.yml": "1:15: setting 'x': the value of '9**9**9**9' is not a finite number (found inf)",
    "repeats.dat": "5: the frequency 1.8e+14 Hz was given before.",
    "root.yml": "2:44: instance 'a' (sampled), setting 'file': the file '/etc/passwd' lies outside",
    "round.yml": "1:1: settings refer to each other in a circle: x -> y -> z -> x",
    "rows.sparam": "2: a block has rows of 3 numbers, at most 10000000, not (1000000000,3).",
    "rows.yml": "2:3: instance 'a' (weight_bank) has rows 100000 x channels 100000",
    "signs.yml": "is nested deeper than 100 levels, the bound of an expression",
    "tabs.yml": "2:1: this is not YAML or JSON: found character that cannot start any token",
    "tag.yml": "1:12: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
    "three.spi": "1:1: part 'a' (straight) has 1 pins, but 2 ports: o1, o2",
    "tower.yml": "193:1: netlists contain each other over more than 64 levels, the bound",
    "twice.json": "2:26: 'in' is given twice in this mapping, first on line 2",
    "twice.spi": "2:1: part 'a' is given twice",
    "twice.yml": "2:1: 'instances' is given twice in this mapping, first on line 1",
    "two.yml": "2:1: a second document starts here; a netlist file holds one",
    "utf16.yml": "1:1: the file is not UTF-8 text: byte 0 does not fit",
    "value.spi": "1:1: 'length' is given twice",
    "windows.yml": "2:3: instance 'a': there is no component 'straigth'. Did you mean 'straight'?",
    "within.yml": "1:19: the alias *a stands for nothing that is complete before it",
    "words.s2p": "2: 'a' is not a number.",
    "zero.yml": "3:1: this is not YAML or JSON: control characters are not allowed",
}


def test_every_broken_file_of_the_corpus_is_named_here() -> None:
    files = {path.name for path in (fuzz.inputs.CORPUS / "broken").iterdir()}
    assert files - {"cells.map.yml", "keys.map.yml"} == set(REFUSED)  # the two maps go with their netlists


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused_where_it_is_broken(name: str) -> None:
    ending, _ = fuzz.attempt(fuzz.inputs.CORPUS / "broken" / name)
    assert (ending.kind, ending.wrong) == ("refused", "")
    assert REFUSED[name] in ending.message
    if re.match(r"\d", REFUSED[name]):
        assert re.search(
            rf"{name.replace('keys.spi', 'keys.map.yml')}:{re.escape(REFUSED[name])}", ending.message
        )


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    for name in ("ring.yml", "nested.json", "splitter.sparam", "grating.txt"):
        data = (fuzz.inputs.CORPUS / "good" / name).read_bytes()
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"))
        first, second = (fuzz.attempt(folder / name)[1] for folder in (fuzz.inputs.CORPUS / "good", tmp_path))
        assert first is not None
        assert first == second


damage = st.lists(st.randoms(use_true_random=False).map(fuzz.inputs.change_at_random), min_size=1, max_size=4)


@settings(max_examples=150)
@given(
    name=st.sampled_from(["pair.spi", "pair.map.yml", "splitter.sparam", "coupler.dat", "grating.txt"]),
    damage=damage,
)
def test_damaged_netlists_of_layouts_and_tables_end_well(
    name: str, damage: list[tuple[str, float, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    for file in (fuzz.inputs.CORPUS / "good").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    data = (folder / name).read_bytes()
    for change in damage:
        data = fuzz.inputs.damaged(data, change)
    (folder / name).write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ending, _ = fuzz.attempt(folder / ("pair.spi" if name == "pair.map.yml" else name))
    assert not ending.wrong, ending.message


def test_the_nightly_command_in_small(tmp_path: Path) -> None:
    command = [sys.executable, fuzz.__file__, "--seed", "7", "--keep", str(tmp_path)]
    done = subprocess.run(
        [*command, "--first", "60", "--count", "240"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("240 inputs, seed 7")
    assert "'solved'" in done.stdout
    assert "all ended well" in done.stdout
