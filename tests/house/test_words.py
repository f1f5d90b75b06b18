"""Sentences that people meet: patterns that readers stumble over, in docs, messages, help and docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = {"photosim": ROOT / "photosim", "components": ROOT / "components"}

IS_NO = re.compile(r"(?<!there )\b(?:is|are|was|were) no\b(?! longer)", re.IGNORECASE)
""" "X is no number": read twice by everybody; "X is not a number" is read once."""
LONE_VERB = re.compile(r"\b(?:asked (?:for|of)|looked (?:at|for|into)|told apart|and said)(?=[.,;:)]|$)")
"""A clause that ends in a verb without saying who does what."""
PRIVATE = re.compile(
    r"\b(?:(?:carried|carries(?: light)?) (?:in|through) time|sends? nothing back|never forgets"
    r"|before it is asked|who is to blame|says? so in a sentence|said nothing)\b",
    re.IGNORECASE,
)
"""Words that only this project understands, or that stand for a thing that has a name in the field."""
MOST_SEMICOLONS = 1


def sources() -> Iterator[Path]:
    for room, folder in ROOMS.items():
        for path in sorted(folder.rglob("*.py")):
            first = path.relative_to(folder).parts[0]
            if room == "components" or first not in {"components", "gallery"}:
                yield path


@cache
def strings(path: Path) -> list[tuple[int, str]]:
    """Return line and text of every string of a file; the values of an f-string are left out."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
            found.append((node.lineno, "".join(map(str, parts))))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.lineno, node.value))
    return found


def prose(path: Path) -> Iterator[str]:
    """Yield the sentences of a page outside of code, tables and brackets."""
    text = re.sub(r"```.*?```", "\n\n", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for block in re.split(r"\n\s*\n|\n(?=[*-] |\d+\. )", text):
        if block.lstrip().startswith("|"):
            continue
        flat = re.sub(r"\([^()]*\)", "()", re.sub(r"`[^`]*`", "`x`", " ".join(block.split())))
        yield from re.split(r"(?<=[.!?])\s+(?=[A-Z`*])", flat)


@pytest.mark.parametrize("pattern", [IS_NO, LONE_VERB, PRIVATE], ids=["is_no", "lone_verb", "private"])
def test_no_sentence_is_written_so_that_it_is_read_twice(pattern: re.Pattern[str]) -> None:
    pages = [
        f"{path.relative_to(ROOT)}: {' '.join(sentence.split())}"
        for path in PAGES
        for sentence in prose(path)
        if pattern.search(sentence)
    ]
    code = [
        f"{path.relative_to(ROOT)}:{line}: {' '.join(text.split())}"
        for path in sources()
        for line, text in strings(path)
        if pattern.search(" ".join(text.split()))
    ]
    assert pages + code == []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_a_sentence_has_one_semicolon_at_most(path: Path) -> None:
    assert [sentence for sentence in prose(path) if sentence.count(";") > MOST_SEMICOLONS] == []


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string that a file raises, warns with, or assigns to `message`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found: ast.expr | None = None
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "message" for t in node.targets):
            found = node.value
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            found = node.exc.args[0]
        if isinstance(found, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in found.values]
            yield found.lineno, "".join(map(str, parts))
        elif isinstance(found, ast.Constant) and isinstance(found.value, str):
            yield found.lineno, found.value


def test_a_message_has_one_semicolon_a_sentence_at_most() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sources()
        for line, text in messages(path)
        if max(part.count(";") for part in re.split(r"(?<=[.?])\s", text)) > MOST_SEMICOLONS
    ]
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert IS_NO.search("X is no number")
    assert not IS_NO.search("There is no number; it is no longer there")
    assert PRIVATE.search("parts that are not carried in time")
    assert not PRIVATE.search("the current is carried by a wire; in time it decays")
    assert LONE_VERB.search("the waves asked for, and")
    assert not LONE_VERB.search("the user asked for a plot")
