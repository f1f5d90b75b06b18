"""One mechanism reads mappings: by models, dataclasses and functions, nested and chosen by a key."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from photosim.bounds import check_choice, check_whole
from photosim.errors import ParameterError
from photosim.netlist.form_errors import MappingError
from photosim.netlist.forms import (
    LIST,
    RECORD,
    UNLISTED,
    Choice,
    Count,
    Form,
    LabelList,
    NameList,
    Positive,
    Words,
    Written,
)
from photosim.netlist.mappings import read


@dataclass(frozen=True)
class Steps:
    """A dataclass that checks itself."""

    at: Annotated[tuple[Annotated[int, Field(ge=1)], ...], LIST]
    ratio: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a ratio that is not positive."""
        if self.ratio <= 0:
            message = f"ratio must be a positive number, got {self.ratio}"
            raise ParameterError(message)


def ramp(width: int, *, slope: float = 1.0) -> tuple[str, int, float]:
    """Return what it was called with."""
    return ("ramp", width, slope)


class Box(Form):
    """A pydantic model."""

    size: int = Field(examples=["size: 3"])
    colour: Annotated[Any, UNLISTED] = None


def square(text: str) -> int:
    """Return the square of a text that is a whole number below ten."""
    if len(text) != 1:
        message = f"{text!r} is too long"
        raise ParameterError(message)
    return int(text) ** 2


@dataclass(frozen=True)
class Options:
    """All kinds of keys."""

    name: str
    count: Annotated[int, Field(ge=1, le=9)] = 5
    starts: Annotated[NameList | None, Field(alias="from")] = None
    labels: LabelList = ()
    size: Literal["single", "double"] = "single"
    rate: Positive = 1.0
    seed: Count = 0
    on: bool = True
    squared: Annotated[int, Written(Annotated[str, Words("a digit")], square)] = 0
    box: Annotated[Box, RECORD] | None = None
    plan: Annotated[Any, Choice("method", {"steps": Steps, "ramp": ramp})] = field(default=None)


def test_what_is_written_is_read() -> None:
    assert read(Options, {"name": "a"}) == Options("a")
    given = {"name": "a", "from": "in", "labels": ["x", "x"], "rate": "1e9", "seed": 3.0, "squared": "7"}
    assert read(Options, given) == Options(
        "a", starts=("in",), labels=("x", "x"), rate=1e9, seed=3, squared=49
    )
    steps = read(Options, {"name": "a", "plan": {"method": "steps", "at": [1, 2]}}).plan
    assert steps == Steps((1, 2))
    assert read(Options, {"name": "a", "plan": {"method": "ramp", "width": 2}}).plan == ("ramp", 2, 1.0)
    assert read(Options, {"name": "a", "box": {"size": 2, "colour": [1]}}).box == Box(size=2, colour=[1])
    assert read(ramp, {"width": "4", "slope": "1e3"}) == ("ramp", 4, 1e3)


METHODS = "x: 'plan' must be a mapping with method: steps or ramp, but is"


@pytest.mark.parametrize(
    ("given", "path", "said"),
    [
        ({"naem": "a"}, ("naem",), "has no option 'naem'. It may have: name, count, from, labels, size, "),
        ({"naem": "a"}, ("naem",), "rate, seed, on, squared, box, plan. Did you mean 'name'?"),
        ({"name": None}, ("name",), "x: 'name' must be a text, but is empty."),
        ({"on": True}, (), "x needs the option 'name'."),
        ({3: 4}, (), "x: the key 3 must be a text."),
        ({"count": 0}, ("count",), "'count' must be a whole number from 1 to 9, but is the number 0."),
        ({"count": True}, ("count",), "'count' must be a whole number from 1 to 9, but is the flag True."),
        ({"starts": "a"}, ("starts",), "x has no option 'starts'."),
        ({"from": ["a", "a"]}, ("from",), "x: from: 'a' is listed twice."),
        ({"from": [3]}, ("from", 0), "x: from: entry 1 must be a text, but is the number 3."),
        ({"labels": []}, ("labels",), "'labels' must be a name or a list of names, but is an empty list."),
        ({"size": "doubl"}, ("size",), "must be single or double, but is the text 'doubl'. Did you mean 'd"),
        ({"rate": "fast"}, ("rate",), "x: 'rate' must be a positive number, but is the text 'fast'."),
        ({"rate": float("inf")}, ("rate",), "must be a finite positive number, but is the number inf."),
        ({"seed": 2.5}, ("seed",), "x: 'seed' must be a whole number from 0, but is the number 2.5."),
        ({"on": 1}, ("on",), "x: 'on' must be true or false, but is the number 1."),
        ({"squared": 7}, ("squared",), "x: 'squared' must be a digit, but is the number 7."),
        ({"squared": "77"}, ("squared",), "x: squared: '77' is too long"),
        ({"box": 3}, ("box",), "x: 'box' must be a mapping, but is the number 3."),
        ({"box": {}}, ("box",), "x: box needs the option 'size', as in size: 3."),
        ({"box": {"sice": 1}}, ("box", "sice"), "option 'sice'. It may have: size. Did you mean 'size'?"),
        ({"plan": 3}, ("plan",), f"{METHODS} the number 3."),
        ({"plan": {"method": "stepz"}}, ("plan",), f"{METHODS} the text 'stepz'. Did you mean 'steps'?"),
        ({"plan": {"method": ["ramp"]}}, ("plan",), f"{METHODS} a list."),
        (
            {"plan": {"method": "steps", "at": [2, 0]}},
            ("plan", "at", 1),
            "x: plan (steps): at: entry 2 must be a whole number from 1, but is the number 0.",
        ),
        (
            {"plan": {"method": "steps", "at": [2], "ratio": -1}},
            ("plan",),
            "x: plan (steps): ratio must be a positive number, got -1.0",
        ),
        (
            {"plan": {"method": "ramp", "wide": 2}},
            ("plan", "wide"),
            "x: plan (ramp) has no option 'wide'. It may have: width, slope. Did you mean 'width'?",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_one_sentence_with_its_path(
    given: dict[Any, Any], path: tuple[int | str, ...], said: str
) -> None:
    named = {} if "naem" in given or said.endswith("option 'name'.") else {"name": "a"}
    with pytest.raises(MappingError) as caught:
        read(Options, {**named, **given}, "x")
    assert caught.value.path == path
    assert said in str(caught.value)


def test_what_is_not_a_mapping_is_refused_as_a_whole() -> None:
    with pytest.raises(MappingError, match=r"^layer 2 must be a mapping, but is a list\.$"):
        read(Options, [1], "layer 2")
    wave: Any = Annotated[Any, Choice("kind", {"ramp": ramp})]
    with pytest.raises(MappingError, match=r"^wave must be a mapping with kind: ramp, but is empty\.$"):
        read(wave, None, "wave")


@dataclass(frozen=True)
class Bounded:
    """A dataclass whose bounds name its class, for those who make it in Python."""

    bits: Any = 8
    method: Any = "a"

    def __post_init__(self) -> None:
        """Refuse bits and methods that there are not."""
        check_whole(self, 2, 16, bits=self.bits)
        check_choice(self, ["a", "b"], method=self.method)


@dataclass(frozen=True)
class Holder:
    """A form that holds forms which check themselves."""

    inner: Annotated[Bounded, RECORD] | None = None
    plan: Annotated[Any, Choice("kind", {"bounded": Bounded})] = None


@pytest.mark.parametrize(
    ("form", "given", "said"),
    [
        (Bounded, {"bits": 1}, "x: bits must be a whole number, from 2 to 16, got 1."),
        (Bounded, {"method": "c"}, "x: method must be one of a, b, got 'c'."),
        (Holder, {"inner": {"bits": 99}}, "x: inner: bits must be a whole number, from 2 to 16, got 99."),
        (
            Holder,
            {"plan": {"kind": "bounded", "bits": 1.5}},
            "x: plan (bounded): bits must be a whole number, from 2 to 16, got 1.5.",
        ),
    ],
)
def test_the_place_of_a_bound_is_named_once(form: Any, given: dict[str, Any], said: str) -> None:
    """In Python the class begins the sentence, in a file the keys do."""
    with pytest.raises(MappingError) as caught:
        read(form, given, "x")
    assert str(caught.value) == said
    with pytest.raises(ParameterError, match=r"^Bounded: bits must be a whole number, from 2 to 16") as bare:
        Bounded(bits=1)
    back = pickle.loads(pickle.dumps(bare.value))  # noqa: S301 - made here
    assert (type(back), str(back), back.text) == (type(bare.value), str(bare.value), bare.value.text)  # type: ignore[attr-defined]


def test_an_error_crosses_processes_with_its_path() -> None:
    error = pickle.loads(pickle.dumps(MappingError("x has no y", ("a", 0))))  # noqa: S301 - our own bytes
    assert (str(error), error.path) == ("x has no y", ("a", 0))
