"""What is wrong in a mapping, as one sentence: pydantic says where, the form says what would do."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.netlist.forms import OWN_WORDS, UNLISTED, Choice, Words, Written, model_of
from photosim.netlist.text import comma_hint
from photosim.reals import shown

Steps = tuple[int | str, ...]
"""Keys and positions that lead to a value inside a mapping."""


class MappingError(ParameterError):
    """What is wrong in a mapping, and the path of keys where; who knows its file adds the line."""

    def __init__(self, message: str, path: Steps = ()) -> None:
        super().__init__(message)
        self.path = path

    def __reduce__(self) -> tuple[type[MappingError], tuple[str, Steps]]:
        """Rebuild from text and path, so that the error crosses processes."""
        return (type(self), (str(self), self.path))


@dataclasses.dataclass(frozen=True)
class Place:
    """Words for a place: where the mapping is, then the keys."""

    where: str

    def __call__(self, steps: Steps) -> str:
        """Return the words for where `steps` lead."""
        text = self.where
        for step in steps:
            word = f"entry {step + 1}" if isinstance(step, int) else step
            joint = "" if not text else " " if word.startswith("(") else ": "
            text = f"{text}{joint}{word}"
        return text


def explain(
    error: ValidationError, form: Any, value: Any, noun: str, place: Callable[[Steps], str]
) -> MappingError:
    """Return the first thing that is wrong as a sentence.

    What a value must be is said by the annotation at its place, not by pydantic, which names one branch of
    many and one bound of two.
    """
    errors = error.errors(include_url=False)
    # A misspelt key is also a missing one: the misspelling is the news; of the branches of a union, the one
    # that came as far as words of its own is meant.
    first = min(errors, key=lambda e: (e["type"] != "extra_forbidden", e["type"] != OWN_WORDS))
    at = _follow(form, value, first["loc"])
    where = place(at.names)
    short = first["type"] == "missing" and isinstance(first["loc"][-1], int)  # a list of too few entries
    if first["type"] in {"extra_forbidden", "missing"} and not short:
        return _about_key(at, where, noun, missing=first["type"] == "missing")
    if first["type"] == OWN_WORDS:
        return MappingError(f"{where}: {first['msg']}" if where else first["msg"], at.path)
    if first["type"] == "invalid_key" or at.rest == ("[key]",):
        key = [*at.path, *at.rest][-2 if at.rest == ("[key]",) else -1]
        return MappingError(f"{where}: the key {key!r} must be a text.", at.path)
    found, hint = _found(at)
    inner = at.names and not str(at.names[-1]).startswith("(")
    subject = f"{place(at.names[:-1])}: {_quoted(at.names[-1])}" if inner else where
    wanted = _wanted(at.kind)
    if first["type"] == "finite_number":
        wanted = wanted.replace("a ", "a finite ", 1)
    is_ = describe(found)
    if is_ == "a list" and wanted.startswith("a list"):  # of another length
        is_ = f"a list of {len(found)}"
    return MappingError(f"{subject} must be {wanted}, but is {is_}.{hint}", at.path)


def _about_key(at: _Reached, where: str, noun: str, *, missing: bool) -> MappingError:
    """Return the sentence for a key that nothing has, or that is not there."""
    key = str(at.rest[0])
    keys = _keys(at.kind)
    if missing:
        return MappingError(f"{where} needs the {noun} {key!r}{keys[key][1]}.", at.path)
    known = [name for name, (inner, _) in keys.items() if UNLISTED not in _notes(inner)]
    message = f"{where} has no {noun} {key!r}. It may have: {listing(known, 30)}.{did_you_mean(key, known)}"
    return MappingError(message, (*at.path, key))


def _found(at: _Reached) -> tuple[Any, str]:
    """Return what stands where a choice is wanted, and the nearest name that would do."""
    choice, found = _choice(at.kind), at.value
    known = [str(option) for option in _options(at.kind)]
    if choice is not None and isinstance(found, Mapping) and choice.key in found:
        found, known = found[choice.key], [*choice.forms]
    if found is None:
        return found, _unquoted(at)
    return found, did_you_mean(found, known) if isinstance(found, str) else ""


def _unquoted(at: _Reached) -> str:
    """Return a hint where YAML has taken {in: a,o1} for the two entries in: a and o1: (empty)."""
    return comma_hint(at.around, at.path[-1]) if isinstance(at.around, Mapping) else ""


def _quoted(step: int | str) -> str:
    return repr(step) if isinstance(step, str) else f"entry {step + 1}"


@dataclasses.dataclass(frozen=True)
class _Reached:
    """How far a path of pydantic's leads: the keys, the type and the value there, and the rest of the path.

    names: the keys with the choices made on the way, in brackets.  rest: names of pydantic's own, such as the
    branches of a union, and keys that no form has.  around: the mapping or list that holds the value.
    """

    path: Steps
    names: Steps
    kind: Any
    value: Any
    rest: Steps
    around: Any = None


def _follow(kind: Any, value: Any, loc: Steps) -> _Reached:
    path: list[int | str] = []
    names: list[int | str] = []
    around = None
    for position, step in enumerate(loc):
        kind = _as_written(kind)
        choice = _choice(kind)
        if choice is not None and step in choice.forms:
            kind = choice.forms[str(step)]
            names.append(f"({step})")
            continue
        named = [bare for bare in _bare(kind) if _is_form(bare) and model_of(bare).__name__ == step]
        if named and not _has(value, step):  # which of several forms the words are about
            kind = named[0]
            continue
        inner = _inside(kind, step)
        if inner is None or not _has(value, step):
            return _Reached(tuple(path), tuple(names), kind, value, loc[position:], around)
        kind, value, around = inner, value[step], value
        path.append(step)
        names.append(step)
    return _Reached(tuple(path), tuple(names), _as_written(kind), value, (), around)


def _has(value: Any, step: int | str) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(step, int) and isinstance(value, list | tuple) and step < len(value)


def _inside(kind: Any, step: int | str) -> Any:
    """Return the type that a form, mapping or list has at a key or position; None if it has none."""
    for bare in _bare(kind):
        arguments = get_args(bare)
        origin = get_origin(bare)
        if origin in {list, tuple} and isinstance(step, int):
            return arguments[0]
        if inspect.isclass(origin) and issubclass(origin, Mapping) and step != "[key]":
            return arguments[1]
        found = _keys(bare).get(str(step))
        if found is not None:
            return found[0]
    return None


@lru_cache(maxsize=256)
def _keys(kind: Any) -> dict[str, tuple[Any, str]]:
    """Return the keys of a form, each with its type and, for who left it out, an example."""
    found: dict[str, tuple[Any, str]] = {}
    for bare in _bare(kind):
        if not _is_form(bare):
            continue
        for name, info in model_of(bare).model_fields.items():
            inner = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
            found[info.alias or name] = (inner, f", as in {info.examples[0]}" if info.examples else "")
    return found


def _is_form(kind: Any) -> bool:
    if inspect.isclass(kind):
        return issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind)
    return inspect.isfunction(kind)


def _bare(kind: Any) -> list[Any]:
    """Return the types that a type stands for, without their notes."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        return [bare for inner in get_args(kind) for bare in _bare(inner)]
    return [kind]


def _raw_notes(kind: Any) -> list[Any]:
    """Return the notes of a type and of all that it stands for, outer ones first."""
    if get_origin(kind) is Annotated:
        return [*kind.__metadata__[::-1], *_raw_notes(get_args(kind)[0])]
    if get_origin(kind) in {Union, UnionType}:
        return [note for inner in get_args(kind) for note in _raw_notes(inner)]
    return []


def _notes(kind: Any) -> list[Any]:
    """Return the notes of a type, those that pydantic's Field holds among them."""
    return [
        note for raw in _raw_notes(kind) for note in (raw.metadata if isinstance(raw, FieldInfo) else (raw,))
    ]


def _choice(kind: Any) -> Choice | None:
    return next((note for note in _notes(kind) if isinstance(note, Choice)), None)


def _as_written(kind: Any) -> Any:
    """Return the type by which values of a type are written."""
    return next((note.form for note in _notes(kind) if isinstance(note, Written)), kind)


def _options(kind: Any) -> list[Any]:
    """Return the values of a type that is Literal."""
    return [option for bare in _bare(kind) if get_origin(bare) is Literal for option in get_args(bare)]


def _wanted(kind: Any) -> str:
    """Return the words for the values that a type has."""
    words = next((note.text for note in _notes(kind) if isinstance(note, Words)), None)
    if words is not None:
        return words
    choice = _choice(kind)
    if choice is not None:
        return f"a mapping with {choice.key}: {_either(choice.forms)}"
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(_wanted(k) for k in get_args(kind) if k is not NoneType))
    bare = _bare(kind)[0]
    if get_origin(bare) is Literal:
        return _either(map(str, _options(kind)))
    if bare in {int, float}:
        return _bounded("whole number" if bare is int else "number", _notes(kind))
    return _NOUNS.get(get_origin(bare) or bare, "a mapping")


_NOUNS: Mapping[Any, str] = MappingProxyType(
    {
        str: "a text",
        os.PathLike: "a text",
        bool: "true or false",
        dict: "a mapping of names to values",
        Mapping: "a mapping of names to values",
        list: "a list",
        tuple: "a list",
    }
)


def _either(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _bounded(noun: str, notes: list[Any]) -> str:
    """Return the words for numbers within the bounds that the notes set."""
    bounds: dict[str, Any] = {}
    for key, strictest in (("gt", max), ("ge", max), ("lt", min), ("le", min)):
        stated = [getattr(note, key) for note in notes if hasattr(note, key)]
        if stated:
            bounds[key] = strictest(stated)
    if bounds == {"gt": 0}:
        return f"a positive {noun}"
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    shown = {key: f"{bound:g}" if isinstance(bound, float) else str(bound) for key, bound in bounds.items()}
    return " ".join([f"a {noun}", *(f"{word} {shown[key]}" for key, word in words.items() if key in shown)])


def describe(value: Any) -> str:
    """A value as a message shows it: short, and with its type where the value alone would mislead."""
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    text = shown(value)
    kind = {str: "the text", bool: "the flag", int: "the number", float: "the number"}.get(type(value), "")
    return f"{kind} {text if len(text) <= 60 else text[:57] + '...'}".strip()
