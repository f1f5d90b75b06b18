"""A cached kernel depends on nothing that numba's cache does not see.

The cache is stamped with the defining file alone. A kernel that calls a kernel of another file, or
reads a constant that came from another file, keeps running its old machine code after that other file
has changed. So a `cache=True` function may use its arguments and locals, jitted functions of its own
file, numpy, math and numba, builtins, and constants that its own file computes from literals.
"""

from __future__ import annotations

import ast
import builtins
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SAFE_MODULES = {"numpy", "numba", "math", "cmath"}
JIT = {"njit", "jit", "vectorize", "guvectorize"}
FILES = sorted(
    path
    for folder in ("photosim", "components")
    for path in (ROOT / folder).rglob("*.py")
    if folder != "photosim" or not {"components", "gallery"} & set(path.relative_to(ROOT).parts[1:2])
)


def jit_call(decorator: ast.expr) -> ast.Call | None:
    """Return the decorator when it is a call of one of numba's jits."""
    if not isinstance(decorator, ast.Call):
        return None
    target = decorator.func
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    return decorator if name in JIT else None


def is_jitted(function: ast.FunctionDef) -> bool:
    """Return whether a function is compiled by numba, with options or without."""
    bare = {getattr(d, "attr", getattr(d, "id", "")) for d in function.decorator_list}
    return bool(bare & JIT) or any(jit_call(d) for d in function.decorator_list)


def is_cached(function: ast.FunctionDef) -> bool:
    """Return whether a function is compiled with cache=True."""
    calls = [call for d in function.decorator_list if (call := jit_call(d))]
    return any(k.arg == "cache" and ast.unparse(k.value) != "False" for call in calls for k in call.keywords)


def loaded_names(node: ast.AST) -> set[str]:
    """Return every name that is read inside a node."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def own_names(function: ast.FunctionDef) -> set[str]:
    """Return the arguments and the names bound inside a function."""
    arguments = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
    bound = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return arguments | bound


def safe_globals(tree: ast.Module) -> set[str]:
    """Return the module-level names of a file that numba's cache sees changing."""
    safe = set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a for a in node.names if a.name.partition(".")[0] in SAFE_MODULES]
            safe |= {a.asname or a.name.partition(".")[0] for a in names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in SAFE_MODULES:
            safe |= {a.asname or a.name for a in node.names}
    for statement in tree.body:  # in order: a constant may rest on an earlier one
        if isinstance(statement, ast.FunctionDef) and is_jitted(statement):
            safe.add(statement.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if loaded_names(statement.value) <= safe:
                safe |= {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return safe | made_here(tree)


def made_here(tree: ast.Module) -> set[str]:
    """Return names made by the file's own functions, in a file that imports nothing of the project.

    So are intrinsics: what they emit is written in this file, and nothing else is behind them.
    """
    imports = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    if any(module.partition(".")[0] == "photosim" for module in imports):
        return set()
    branches = [s for n in tree.body if isinstance(n, ast.If) for s in (*n.body, *n.orelse)]
    statements = [*tree.body, *branches]
    functions = {s.name for s in statements if isinstance(s, ast.FunctionDef)}
    made = [s for s in statements if isinstance(s, ast.Assign) and isinstance(s.value, ast.Call)]
    intrinsics = {
        s.name
        for s in statements
        if isinstance(s, ast.FunctionDef) and any(ast.unparse(d) == "intrinsic" for d in s.decorator_list)
    }
    return intrinsics | {
        target.id
        for statement in made
        if loaded_names(statement.value) <= functions
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def faults(tree: ast.Module) -> list[str]:
    """Return one line for each name that a cached kernel of a file must not read."""
    cached = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and is_cached(n)]
    if not cached:
        return []
    safe = safe_globals(tree)
    found = []
    for function in cached:
        body = ast.Module(body=function.body, type_ignores=[])
        unseen = loaded_names(body) - own_names(function) - safe
        found += [f"{function.name} reads {name}" for name in sorted(unseen)]
    return found


class Read(NamedTuple):
    """What a file is asked: names read in vain, lines of wrong fastmath, whether it has a cached kernel."""

    faults: list[str]
    fastmath: list[int]
    kernels: bool


@cache
def read(path: Path) -> Read:
    """Return the answers of a file, which is parsed once for all tests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kernels = any(isinstance(n, ast.FunctionDef) and is_cached(n) for n in ast.walk(tree))
    return Read(faults(tree), fastmath_faults(tree), kernels)


def test_cached_kernels_use_only_their_own_file() -> None:
    assert {str(path.relative_to(ROOT)): found for path in FILES if (found := read(path).faults)} == {}


def test_the_walk_reaches_the_kernels() -> None:
    assert any(read(path).kernels for path in FILES), (
        "the project has compiled kernels, so a walk that finds none looks in the wrong place"
    )


HEAD = """\
import numpy as np
from numba import njit
from photosim.conventions import C
from photosim.kernels.a import far
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("@njit(cache=True)\ndef f(x):\n    return far(x)", ["f reads far"]),
        ("@njit(cache=True)\ndef f(x):\n    return C * x", ["f reads C"]),
        ("D = 2 * C\n@njit(cache=True)\ndef f(x):\n    return D * x", ["f reads D"]),
        ("def g(x):\n    return x\n@njit(cache=True)\ndef f(x):\n    return g(x)", ["f reads g"]),
        ("@njit\ndef g(x):\n    return x\n@njit(cache=True)\ndef f(x):\n    return g(np.sqrt(x))", []),
        ("WIDTH = 8\nDOUBLE = 2 * WIDTH\n@njit(cache=True)\ndef f(x):\n    y = DOUBLE * x\n    return y", []),
        ("@njit\ndef f(x):\n    return far(x)", []),
        (
            "def make():\n    return far\ng = make()\n@njit(cache=True)\ndef f(x):\n    return g(x)",
            ["f reads g"],
        ),
    ],
)
def test_the_checker_sees_what_it_should(body: str, expected: list[str]) -> None:
    assert faults(ast.parse(HEAD + body)) == expected


def fastmath_faults(tree: ast.Module) -> list[int]:
    """Return the lines that pass fastmath as anything but a set of "contract" and "nsz"."""
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call))
    keywords = [k for call in calls for k in call.keywords if k.arg == "fastmath"]
    return [k.value.lineno for k in keywords if not _gentle(k.value)]


def _gentle(value: ast.expr) -> bool:
    try:
        flags = ast.literal_eval(value)
    except ValueError:
        return False
    return flags is False or (isinstance(flags, set) and flags <= {"contract", "nsz"})


def test_fastmath_never_breaks_nan_checks() -> None:
    assert {str(path.relative_to(ROOT)): found for path in FILES if (found := read(path).fastmath)} == {}
    # Generated code is text inside strings, which the syntax tree does not see.
    texts = {path: path.read_text(encoding="utf-8").replace(" ", "") for path in FILES}
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if "fastmath=True" in text] == []


def test_fastmath_checker_sees_what_it_should() -> None:
    assert fastmath_faults(ast.parse("njit(fastmath=True)")) == [1]
    assert fastmath_faults(ast.parse("njit(fastmath={'contract', 'nsz'})")) == []
    assert fastmath_faults(ast.parse("njit(fastmath={'nnan'})")) == [1]
