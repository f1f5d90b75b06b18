"""Public names are the glossary's: words that once stood for the same thing do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import photosim

ROOT = Path(__file__).parents[2]
WRONG = {"leaf", "leaves", "single", "piece", "given", "asked", "overridden"}
"""Words of the glossary's column "not" that are wrong in every sense; docs/glossary.md has the others."""
GDSFACTORY = {"ring_single", "ring_single_ideal"}
"""Names that are gdsfactory's, so that its netlists run unchanged."""


def words(name: str) -> set[str]:
    """Return the words of a name in snake_case or CamelCase, in lower case and the singular."""
    found = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}
    return found | {word.removesuffix("s") for word in found}


def public(tree: ast.AST, path: str) -> Iterator[tuple[str, str]]:
    """Yield (where, name) of the classes, functions, parameters, fields and constants of a module."""
    for node in getattr(tree, "body", []):
        match node:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield f"{path}.{name}", name
                yield from public(node, f"{path}.{name}")
            case ast.FunctionDef(name=name, args=own) if not name.startswith("_") or name == "__init__":
                yield f"{path}.{name}", name
                everything = [*own.posonlyargs, *own.args, *own.kwonlyargs, own.vararg, own.kwarg]
                yield from ((f"{path}.{name}({a.arg})", a.arg) for a in everything if a and a.arg[0] != "_")
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                if not name.startswith("_"):
                    yield f"{path}.{name}", name
            case _:
                pass


def public_names() -> Iterator[tuple[str, str]]:
    """Yield (where, name) of the public face, of every module, and of what stands in it."""
    yield from ((f"photosim.{name}", name) for name in photosim.__all__)
    for path in sorted((ROOT / "photosim").rglob("*.py")) + sorted((ROOT / "components").glob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        yield module, parts[-1]
        yield from public(ast.parse(path.read_text(encoding="utf-8")), module)


def test_public_names_are_the_glossarys() -> None:
    wrong = {where for where, name in public_names() if words(name) & WRONG and name not in GDSFACTORY}
    assert sorted(wrong) == []


def test_the_walk_finds_words_at_any_place_of_a_name() -> None:
    source = "class LeafNode:\n    given_values: int = 0\n    def f(self, piece): ...\n"
    source += "asked: int = 1\n_single = 2\n"
    found = [where for where, name in public(ast.parse(source), "m") if words(name) & WRONG]
    assert found == ["m.LeafNode", "m.LeafNode.given_values", "m.LeafNode.f(piece)", "m.asked"]
    assert not words("signal_pieced_bleaf") & WRONG
