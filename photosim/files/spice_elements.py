"""Elements of SPICE subcircuits held against what there is, before ngspice sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from photosim.errors import did_you_mean, listing
from photosim.files.spice_scopes import GROUNDS, TYPES, Line, Scope, damaged_line

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?:t|g|meg|k|mil|m|u|n|p|f|a)?[a-z]*", re.ASCII)
_BRACED = re.compile(r"\{[^{}]*\}|'[^']*'")
_WORD = re.compile(r"(?<![\w.])[a-z_]\w*(?:\s*\()?", re.ASCII)
_FUNCTIONS = frozenset((
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "cos", "cosh", "exp",
    "fabs", "floor",
    "int", "ln", "log", "log10", "max", "min", "nint", "pow", "pwr", "pwl", "sgn", "sin", "sinh",
    "sqrt", "sqr",
    "tan", "tanh", "u", "u2", "uramp", "ternary_fcn", "eq0", "ne0", "gt0", "lt0", "ge0", "le0", "limit",
    "sign",
))  # fmt: skip
_CONSTANTS = frozenset({"pi", "e", "temper", "boltz", "planck", "echarge", "c", "kelvin", "true", "false"})
_RANDOM = frozenset({"gauss", "agauss", "unif", "aunif", "ddt", "vec", "var"})

_NODES = {"r": 2, "c": 2, "l": 2, "v": 2, "i": 2, "b": 2, "h": 2, "f": 2, "w": 2, "d": 2, "q": 3, "m": 4,
          "j": 3, "z": 3, "s": 4, "t": 4, "o": 4, "u": 3, "e": 4, "g": 4, "k": 0, "x": 0}  # fmt: skip
_REFUSED = {
    "a": "a code model, which is not loaded", "n": "a compiled Verilog-A model, which is not loaded",
    "p": "coupled lines: take T or O lines", "y": "a lossy line of kind TXL: take an O line",
}  # fmt: skip


def check_lines(top: Scope) -> None:  # noqa: C901 - each kind of definition
    """Raise DataError for an element that is not understood, or that uses what does not exist."""
    for scope in (top, *_within(top)):
        for name, line in scope.written.items():
            if name.startswith(".model"):
                for key, value in re.findall(r"([a-z_]\w*)=(\{[^}]*\}|'[^']*'|[^\s,()]*)", line.text):
                    if not re.fullmatch(r"[\d.]+", value):
                        check_number(line, scope, value, f"parameter {key!r} of model {name[7:]!r}")
            elif name in scope.functions:
                _check_words(
                    line, scope, line.text.partition(")")[2], f"function {name!r}", scope.functions[name]
                )
            else:
                check_number(line, scope, scope.values[name], f"parameter {name!r}")
        for name, value in scope.parameters.items():
            if scope.line is not None:
                check_number(scope.line, scope, value, f"parameter {name!r}")
        for line in scope.elements:
            _check_element(line, scope)
    done: set[int] = set()
    for scope in _within(top):
        _refuse_recursion(scope, [], done)
        _check_nodes(scope)


def _within(scope: Scope) -> Iterator[Scope]:
    for own in scope.inner.values():
        yield own
        yield from _within(own)


def _refuse_recursion(scope: Scope, open_: list[Scope], done: set[int]) -> None:
    if id(scope) in done:
        return
    for name, own in scope.calls.items():
        if own in open_ or own is scope:
            line = next(e for e in scope.elements if e.words[0] == name)
            raise damaged_line(line, f"subcircuit {own.name!r} contains itself")
        if len(open_) > 30:
            line = next(e for e in scope.elements if e.words[0] == name)
            raise damaged_line(line, "subcircuits are nested more than 30 deep")
        _refuse_recursion(own, [*open_, scope], done)
    done.add(id(scope))


def check_number(line: Line, scope: Scope, text: str, what: str) -> None:
    """Raise DataError for what is neither a number, as 4.7k, nor an expression in braces over known names."""
    if _NUMBER.fullmatch(text):
        return
    if _BRACED.fullmatch(text):
        _check_words(line, scope, text, what, set())
        return
    if text in scope.known("values"):
        raise damaged_line(line, f"{what} is {text!r}: write the parameter in braces, {{{text}}}")
    raise damaged_line(
        line, f"{what} is {text[:40]!r}, which is not a number such as 4.7k, nor an expression in braces"
    )


def _check_words(line: Line, scope: Scope, text: str, what: str, own: set[str]) -> None:
    """Raise DataError for a name in an expression that does not exist."""
    values, functions = {*scope.known("values"), *own}, {*scope.known("functions"), *_FUNCTIONS}
    plain = re.sub(r"\b[vi]\s*\([^()]*\)", " ", text)
    plain = re.sub(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[a-z]*", " ", plain)
    for match in _WORD.finditer(plain):
        word, called = match[0].rstrip("( \t"), match[0].endswith("(")
        if word in {"time", "hertz"}:
            raise damaged_line(
                line, f"{what} uses {word!r}: a deck does not change by itself; drive a source of the netlist"
            )
        if word in _RANDOM and called:
            raise damaged_line(line, f"{what} uses {word!r}, which a deck has no use of here")
        known = functions if called else {*values, *_CONSTANTS}
        if word not in known:
            noun = "function" if called else "parameter"
            hint = did_you_mean(word, sorted(known))
            raise damaged_line(line, f"{what} uses the {noun} {word!r}, which does not exist.{hint}")


def _check_element(line: Line, scope: Scope) -> None:  # noqa: C901 - one refusal after the other
    name, words = line.words[0], line.words[1:]
    letter = name[0]
    if letter in _REFUSED:
        raise damaged_line(line, f"{line.first!r} is {_REFUSED[letter]}")
    if letter not in _NODES or not re.fullmatch(r"[a-z][\w.\-]*", name):
        raise damaged_line(
            line, f"{line.first!r} is not an element: names begin with {listing(sorted(_NODES), 30)}"
        )
    if name in scope.ends:
        raise damaged_line(line, f"element {line.first!r} stands there twice")
    if letter == "x":
        _check_call(line, scope)
        return
    count = _NODES[letter]
    if letter in "eg" and any("=" in w for w in words[:3]):
        count = 2
    if letter in "eg" and any(re.match(r"(poly|laplace|freq|table)\b", w.partition("=")[0]) for w in words):
        raise damaged_line(
            line, f"{line.first!r}: write POLY, TABLE and LAPLACE as a B source, or as R, L and C"
        )
    if letter == "m" and len(words) > 3 and scope_model(scope, words[3]) == "vdmos":
        count = 3
    if len(words) < count + (letter != "t"):
        raise damaged_line(
            line,
            f"{line.first!r} needs {count} nodes and {_WANTED.get(letter, 'a value')}: got "
            f"{' '.join(line.raw.split()[1:])[:60]!r}",
        )
    nodes, rest = words[:count], words[count:]
    for node in nodes:
        if not re.fullmatch(r"[\w+\-#.\[\]]+", node):
            raise damaged_line(line, f"{line.first!r}: {node[:30]!r} is not the name of a node")
    scope.ends[name] = nodes
    _check_rest(line, scope, nodes, rest)
    path = _path(letter, nodes, line.text)
    if path:
        scope.paths.append(path)


_WANTED = {"d": "a model", "q": "a model", "m": "a model", "j": "a model", "z": "a model", "s": "a model",
           "o": "a model", "u": "a model", "w": "a source and a model", "h": "a source and a value",
           "f": "a source and a value", "k": "two inductors and a value", "b": "v=... or i=..."}  # fmt: skip


def scope_model(scope: Scope, name: str) -> str | None:
    """Return the type of a model that can be used in a scope."""
    return next((own.models[name] for own in scope.around() if name in own.models), None)


def _path(letter: str, nodes: Sequence[str], text: str) -> tuple[str, ...]:
    """Return the nodes that an element lets a direct current pass between."""
    if letter in "rlvdehsw":
        return tuple(nodes[:2])
    if letter in "qjz":
        return tuple(nodes[:3])
    if letter == "m":
        return nodes[0], nodes[2]
    if letter in "ou":
        return (nodes[0], nodes[2]) if letter == "o" else tuple(nodes)
    own = f"v({nodes[0]}" in text.replace(" ", "") if letter == "b" else tuple(nodes[:2]) == tuple(nodes[2:4])
    if (letter == "b" and " v=" in text) or (letter in "bg" and own):
        return tuple(nodes[:2])
    return tuple(nodes[:1]) + tuple(nodes[2:3]) if letter == "t" else ()


def _check_rest(  # noqa: C901 - one branch a letter
    line: Line, scope: Scope, nodes: Sequence[str], rest: Sequence[str]
) -> None:
    letter, what = line.words[0][0], f"the value of {line.first!r}"
    if letter in "vi":
        _check_constant(line, scope, rest)
    elif letter == "b":
        _check_behaviour(line, scope, " ".join(rest))
    elif letter == "k":
        if len(rest) != 3:
            raise damaged_line(line, f"{line.first!r} needs two inductors and a value")
        check_number(line, scope, rest[2], what)
    elif letter in "hf":
        check_number(line, scope, rest[1] if len(rest) > 1 else "", what)
    elif letter in "eg" and len(nodes) == 2:
        _check_behaviour(line, scope, " ".join(rest))
    elif letter in "rcleg":
        _check_value(line, scope, rest)
    elif letter != "t":
        name = rest[1] if letter == "w" and len(rest) > 1 else rest[0]
        if letter == "q" and scope_model(scope, name) is None and len(rest) > 1 and "=" not in rest[1]:
            name = rest[1] if scope_model(scope, rest[1]) or not _NUMBER.fullmatch(rest[1]) else name
        _check_model(line, scope, name, letter)
    if letter in "tmdqjrcl":
        for word in rest:
            key, sign, value = word.partition("=")
            if sign and not _FLAG.fullmatch(value):
                check_number(line, scope, value, f"{key!r} of {line.first!r}")


_FLAG = re.compile(r"[\d.,\s-]+")


def _check_model(line: Line, scope: Scope, name: str, letter: str) -> None:
    kind = scope_model(scope, name)
    if kind is None:
        known = scope.known("models")
        there = f" There are: {listing(known)}." if known else " The deck has no models."
        hint = did_you_mean(name, known)
        raise damaged_line(
            line, f"{line.first!r} uses the model {name!r}, which does not exist.{there}{hint}"
        )
    if kind not in TYPES[letter]:
        raise damaged_line(
            line,
            f"{line.first!r} uses the model {name!r} of type {kind!r}, but needs {listing(TYPES[letter])}",
        )


def _check_value(line: Line, scope: Scope, rest: Sequence[str]) -> None:
    """Check the value of a resistor, capacitor, inductor or controlled source, or its model."""
    letter, first = line.words[0][0], rest[0]
    if letter in TYPES and "=" not in first and not _NUMBER.fullmatch(first) and first[0] not in "{'":
        if first in scope.known("values"):
            check_number(line, scope, first, f"the value of {line.first!r}")
        if re.fullmatch(r"[a-z_]\w*", first):
            _check_model(line, scope, first, letter)
            return
    if "=" in first:
        key, _, value = first.partition("=")
        if len(key) == 1 and key in "rclq":
            _check_words(line, scope, value, f"the value of {line.first!r}", set())
        return
    check_number(line, scope, first, f"the value of {line.first!r}")


def _check_constant(line: Line, scope: Scope, rest: Sequence[str]) -> None:
    """Accept a constant source alone: what moves comes from the netlist, where time and drives are."""
    words = [w for w in rest if w != "dc"]
    words = [w.removeprefix("dc=") for w in words]
    if len(words) != 1:
        extra = " ".join(words[1:])[:40] or "no value"
        raise damaged_line(
            line, f"{line.first!r} has {extra!r}, but sources of a deck are constant, as in 'dc 1.8': "
            "drive a voltage_source or current_source of the netlist instead"
        )  # fmt: skip
    if re.match(r"(sin|pulse|pwl|exp|sffm|am|tr\w+|external)\b", words[0]):
        raise damaged_line(
            line, f"{line.first!r} changes over time ({words[0][:20]}): drive a voltage_source or "
            "current_source of the netlist instead"
        )  # fmt: skip
    check_number(line, scope, words[0], f"the value of {line.first!r}")


def _check_behaviour(line: Line, scope: Scope, text: str) -> None:
    match = re.match(r"(v|i|vol|cur|value)=(.+)$", text)
    if match is None:
        raise damaged_line(
            line, f"{line.first!r} needs v=... or i=..., an expression over v(node) and i(source)"
        )
    _check_words(line, scope, match[2], f"{line.first!r}", {"temp", "tc1", "tc2", "m", "dtemp"})


def _check_call(line: Line, scope: Scope) -> None:
    """Check the call of a subcircuit: its name, its pins and its parameters."""
    plain = [w for w in line.words[1:] if "=" not in w and w != "params:"]
    if not plain:
        raise damaged_line(line, f"{line.first!r} needs nodes and the name of a subcircuit")
    name, nodes = plain[-1], tuple(plain[:-1])
    own = next((s.inner[name] for s in scope.around() if name in s.inner), None)
    if own is None:
        known = scope.known("inner")
        raise damaged_line(
            line, f"{line.first!r} is the subcircuit {name!r}, which does not exist. There are: "
            f"{listing(known)}.{did_you_mean(name, known)}"
        )  # fmt: skip
    if len(nodes) != len(own.pins):
        raise damaged_line(
            line, f"{line.first!r} has {len(nodes)} nodes, but subcircuit {name!r} has the "
            f"{len(own.pins)} pins {' '.join(own.pins)}"
        )  # fmt: skip
    for word in line.words[1:]:
        key, sign, value = word.partition("=")
        if sign and key not in {*own.parameters, "m"}:
            hint = did_you_mean(key, own.parameters)
            raise damaged_line(
                line,
                f"subcircuit {name!r} has no parameter {key!r}. It has: "
                f"{listing(own.parameters) or 'none'}.{hint}",
            )
        if sign:
            check_number(line, scope, value, f"{key!r} of {line.first!r}")
    scope.ends[line.words[0]] = nodes
    scope.calls[line.words[0]] = own


def _check_nodes(scope: Scope) -> None:
    """Raise DataError for nodes, sources and inductors that an element uses and that do not exist."""
    nodes = {*(n for own in scope.ends.values() for n in own), *scope.pins, *GROUNDS}
    for line in scope.elements:
        letter = line.words[0][0]
        used: list[tuple[str, str]] = []
        for kind, inside in re.findall(r"(?<![\w.])([vi])\(([^()]*)\)", line.text.replace(" ", "")):
            used += [(kind, name) for name in inside.split(",") if name]
        if letter in "hfw" and len(line.words) > 3:
            used.append(("i", line.words[3]))
        if letter == "k":
            used += [("l", name) for name in line.words[1:3]]
        for kind, name in used:
            known = (
                nodes if kind == "v" else {e for e in scope.ends if e[0] in ("l" if kind == "l" else "vehlb")}
            )
            noun = {"v": "node", "i": "source", "l": "inductor"}[kind]
            if name not in known:
                hint = did_you_mean(name, sorted(known))
                raise damaged_line(
                    line, f"{line.first!r} uses the {noun} {name!r}, which does not exist.{hint}"
                )
    unused = [pin for pin in scope.pins if not any(pin in own for own in scope.ends.values())]
    if unused and scope.line is not None:
        raise damaged_line(
            scope.line,
            f"pin {unused[0]!r} of subcircuit {scope.name!r} leads nowhere: no element is connected to it",
        )
