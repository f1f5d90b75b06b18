"""Netlists that Python code made: fields that hold something else are refused, quick ways or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import photosim as ps
from photosim.errors import PhotosimError
from photosim.model import Instance, Netlist, part, ref
from photosim.netlist import check

PAIR = (("a", "o2"), ("b", "o1"))
GUIDES = Netlist(
    {"a": part("straight", length=1.0), "b": part("straight", length=2.0)},
    (PAIR,),
    {"in": ref("a,o1"), "out": ref("b,o2")},
)


class Name(str):
    """A text of a class of its own."""

    __slots__ = ()


@pytest.mark.parametrize(
    "connections",
    [[PAIR], (list(PAIR),), (tuple(map(list, PAIR)),), (((Name("a"), Name("o2")), ("b", "o1")),)],
)
def test_lists_and_texts_of_other_classes_join_as_tuples_do(connections: Any) -> None:
    assert check(replace(GUIDES, connections=connections)) == []
    expected = ps.Circuit(GUIDES)(1.55).values
    assert (ps.Circuit(replace(GUIDES, connections=connections))(1.55).values == expected).all()


@pytest.mark.parametrize(
    "connections",
    [
        5,
        "a,o2:b,o1",
        ("a,o2:b,o1",),
        (PAIR, ("a", "b")),
        (PAIR, (("a", "o1"),)),
        (PAIR, (("a", 1), ("b", "o1"))),
    ],
)
def test_what_joins_nothing_is_refused_beside_plain_connections(connections: Any) -> None:
    with pytest.raises(PhotosimError, match="connection"):
        check(replace(GUIDES, connections=connections))


@pytest.mark.parametrize(
    ("instance", "words"),
    [
        ("straight", "instances must be a mapping of names to an Instance"),
        (Instance("straight", {1: 2.0}), "Instance: settings must be a mapping of names"),  # type: ignore[dict-item]
        (Instance("straight", [1.0]), "Instance: settings must be a mapping of names"),  # type: ignore[arg-type]
        (Instance(None), "Instance: component must be a text"),  # type: ignore[arg-type]
        (Instance("straight", {}, "line 3"), "Instance: mark must be a Mark"),  # type: ignore[arg-type]
    ],
)
def test_what_is_not_an_instance_is_refused_beside_plain_ones(instance: Any, words: str) -> None:
    with pytest.raises(PhotosimError, match=words):
        check(replace(GUIDES, instances={**GUIDES.instances, "c": instance}))
