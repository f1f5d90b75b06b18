"""What the fuzz command reads: files damaged at random, broken ones, and files as large as is allowed."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"
TABLES = (".sparam", ".dat", ".txt", ".s2p", ".ts", ".csv", ".npz", ".nc")

TOKENS = [
    *("{", "}", "[", "]", ":", ": ", ",", "-", "- ", "*c", "&c ", "<<: ", "!", "!!str ", "'", '"', "#", "\n"),
    *(
        "\n  ",
        "\t",
        "~",
        "null",
        "true",
        "1e999",
        ".nan",
        "nan",
        "inf",
        "-1",
        "0",
        "9" * 20,
        "1_0",
        "**",
        "(",
    ),
    *(
        ")",
        "\0",
        "radius",
        "arm",
        "straight",
        "coupler",
        "weight_bank",
        "photodetector",
        "sampled",
        "o1",
        "e1",
    ),
    *("<0.0>", "<9.9>", "%", "\u2028", "\x1b[31m", "\ufeff", "|", ">", "? ", "---\n", "...\n", "instances: "),
    *("columns: 1000000000", "components: ", "9**9**9", "a" * 300, "é", "\r", "\r\n", "+", "=", ".include "),
    *(".subckt a b\n", ".ends\n", "(3,3)\n", "file: ../x", "file: .", "1e-400", "i", "x" * 5000, "(" * 200),
]
RAW = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xfe\xff", b"\x80", b"PK\x03\x04")

Change = tuple[str, float, Any]


def change_at_random(rng: random.Random) -> Change:
    """A change: its kind, a relative place, and what it needs."""
    kind = rng.choice(
        ["insert", "insert", "delete", "repeat", "replace", "swap", "byte", "number", "cut", "ends"]
    )
    what: Any = {
        "delete": rng.randint(1, 30),
        "repeat": rng.randint(1, 60),
        "swap": rng.random(),
        "byte": rng.randint(0, 255),
        "number": rng.choice(["0", "-1", "1e999", "nan", "1e308", "-0.0", "1e-320", "9" * 400, "1.5", "3"]),
    }.get(kind)
    if what is None:
        what = rng.choice(RAW) if rng.random() < 0.1 else rng.choice(TOKENS).encode()
    return kind, rng.random(), what


def damaged(data: bytes, change: Change) -> bytes:
    """The content of a file after one change."""
    kind, where = change[:2]
    what: Any = change[2]
    at = int(where * len(data))
    match kind:
        case "insert":
            return data[:at] + bytes(what) + data[at:]
        case "delete":
            return data[:at] + data[at + what :]
        case "repeat":
            return data[: at + what] + data[at:]
        case "replace":
            return data[:at] + bytes(what) + data[at + len(what) :]
        case "byte":
            return data[:at] + bytes([what]) + data[at + 1 :]
        case "cut":
            return data[:at]
        case "ends":
            return data.replace(b"\n", b"\r\n") if where < 0.7 else b"\xef\xbb\xbf" + data
        case "number":
            found = [m.span() for m in re.finditer(rb"\d+(\.\d*)?(e[-+]?\d+)?", data)] or [(at, at)]
            start, stop = found[int(where * len(found))]
            return data[:start] + str(what).encode() + data[stop:]
        case "swap":
            lines = data.splitlines(keepends=True) or [b""]
            a, b = int(where * len(lines)), int(what * len(lines))
            lines[a], lines[b] = lines[b], lines[a]
            return b"".join(lines)
    raise AssertionError(kind)


_START = "instances: {a: straight}\n"


def _lines(text: str, count: int) -> str:
    """A text many times, with 0, 1, ... for # and 1, 2, ... for @."""
    return "".join(text.replace("#", str(k)).replace("@", str(k + 1)) for k in range(count))


LARGE: dict[str, Callable[[], str]] = {
    "brackets.yml": lambda: "[" * 2**23,
    "lists.yml": lambda: f"{_START}info: [{'[],' * 300_000}0]\n",
    "maps.yml": lambda: f"{_START}info: [{'{a: },' * 100_000}0]\n",
    "keys.yml": lambda: f"{_START}info:\n" + _lines("  k#:\n", 159_000),
    "parts.yml": lambda: "instances:\n" + _lines("  k#: straight\n", 159_000),
    "settings.yml": lambda: f"{_START}settings:\n" + _lines("  s#: s@+1\n", 50_000),
    "wires.yml": lambda: f"{_START}connections:\n" + _lines("  k#,o1: k,o#\n", 150_000),
    "nets.yml": lambda: f"{_START}nets:\n" + _lines("  - {p1: 'k,o#', p2: 'l,o#'}\n", 60_000),
    "names.yml": lambda: (
        f"instances:\n{_lines('  ' + 'ring' * 24 + '#: x' + chr(10), 80_000)}ports: {{i: 'r,o1'}}"
    ),
    "word.yml": lambda: f"instances: {{a: {'s' * 2**23}}}\n",
    "wide.yml": lambda: f"{_START}info: '{chr(0x4E00) * 5_000_000}'\n",
    "comments.yml": lambda: "#\n" * 2**23,
    "documents.yml": lambda: "---\n" * 2**22,
    "quotes.yml": lambda: '"' + "\\\n" * 2**22,
    "anchors.yml": lambda: f"{_START}info: [{'&a 1,' * 300_000}0]\n",
    "parts.spi": lambda: _lines("p# n# n@ straight\n", 60_000),
    "cells.spi": lambda: _lines("p# a b x#\n", 100_000),
    "nodes.spi": lambda: "p " + "n " * 2**20 + "straight\n",
    "blocks.spi": lambda: _lines(".subckt s# a\nx a s@\n.ends\n", 60_000),
    "rows.txt": lambda: _lines("190000000000# 1 0\n", 400_000),
    "rows.sparam": lambda: (
        "('p','TE',1,'p',1,'transmission')\n(200000,3)\n" + _lines("190000000000# 1 0\n", 200_000)
    ),
}
"""Files near the bounds of what is read, by name."""


def stage(number: int, seed: int, folder: Path) -> Path:
    """Put an input and the files that it names into an empty folder; return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CORPUS / "good", folder)
    if number < len(LARGE):
        name = list(LARGE)[number]
        (folder / name).write_text(LARGE[name](), encoding="utf-8")
        return folder / name
    good, broken = (sorted((CORPUS / kind).iterdir()) for kind in ("good", "broken"))
    rng = random.Random(f"{seed} {number}")
    number -= len(LARGE)
    if number < len(broken):
        for file in broken:
            if file.stem.partition(".")[0] == broken[number].stem.partition(".")[0]:
                shutil.copy(file, folder)
        return folder / broken[number].name
    start = rng.choice(good if rng.random() < 0.9 else broken)
    data = start.read_bytes()
    if rng.random() < 0.25:  # one other number, which a reader may well accept
        data = damaged(data, ("number", rng.random(), rng.choice(["0.5", "2", "0.1", "12"])))
    else:
        for _ in range(rng.choice([1, 1, 2, 3, 5])):
            data = damaged(data, change_at_random(rng))
    (folder / start.name).write_bytes(data)
    # What only another file names is reached through that one.
    through = {"pair.map.yml": "pair.spi", "more.spi": "pair.spi", "splitter.sparam": "measured.yml"}
    other = through.get(start.name, start.name)
    return folder / (start.name if start.suffix in TABLES and rng.random() < 0.5 else other)
