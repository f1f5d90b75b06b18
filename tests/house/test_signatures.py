"""Every public signature given junk: an error of photosim's own in one sentence, or an answer."""

from __future__ import annotations

import enum
import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import photosim as ps
from photosim import signals
from photosim.analysis.spectrum import SpectrumOptions, spectrum
from photosim.arguments import public
from photosim.training.data import Dataset, Samples
from photosim.training.devices import Digital
from photosim.training.layers import dense_network
from tests.house.test_arguments import ANY, JUNK, LINK, RING, response

MODULES = (
    *("photosim", "photosim.analysis", "photosim.drawing", "photosim.files", "photosim.losses"),
    *("photosim.netlist", "photosim.plotting", "photosim.runner", "photosim.signals", "photosim.systems"),
    *("photosim.testing", "photosim.timedomain.waveforms", "photosim.training", "photosim.training.data"),
    *("photosim.training.devices", "photosim.training.layers", "photosim.training.rules"),
    *("photosim.training.optimisers", "photosim.training.privacy", "photosim.training.result"),
    "photosim.training.trainer",
)
LONG = {
    *("reproduce", "check", "laws", "run", "fit"),
    *("PhotonicClassifier", "PhotonicRegressor", "PhotonicTransformer"),
}
"""What starts long work, or runs code of others: its arguments have tests of their own."""


def everything() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield public functions and classes of photosim, each once, under the name that a user sees first."""
    seen = set()
    for name in MODULES:
        module = importlib.import_module(name)
        own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == name and n[0] != "_"]
        for member in getattr(module, "__all__", own):
            thing = getattr(module, member)
            if id(thing) not in seen and is_ours(thing):
                seen.add(id(thing))
                yield f"{name}.{member}", thing


def is_ours(thing: Any) -> bool:
    """Return whether a public name is a function of photosim, or a class that is made by calling it."""
    if inspect.isclass(thing):
        odd = issubclass(thing, BaseException | enum.Enum | tuple) or getattr(thing, "_is_protocol", False)
        return thing.__module__.startswith("photosim") and not odd
    return inspect.isfunction(thing) and thing.__module__.startswith("photosim")


THINGS = dict(everything())
MANY = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
NETWORK = dense_network((2, 3, 2))
SAMPLES = Samples(np.zeros((4, 2)), np.array([0, 1, 0, 1]))


@cache
def lines() -> Any:
    """The ring's spectrum. Computed when a test first needs it: every process collects this file."""
    return spectrum(RING, SpectrumOptions("s", np.linspace(1.54, 1.56, 5)))


LATER: dict[str, Callable[[], Any]] = {
    "point": lambda: signals.operating_point(LINK, {}),
    "result": lines,
    "s": response,
    "spectra": lambda: {"a": lines()},
}
"""Arguments by name that are computed."""
RIGHT: dict[str, Any] = {
    "circuit": LINK,
    "data": Dataset("d", SAMPLES, SAMPLES, SAMPLES, 2),
    "depth": 0.5,
    "duration": 1e-10,
    "edges": np.array([[0, 1], [1, 2]]),
    "feedback": (Digital(np.ones((3, 2))),),
    "frequency": 1e9,
    "netlist": RING.netlist,
    "network": NETWORK,
    "pair": ("in", "drop"),
    "pairs": [("in", "drop")],
    "path": "none.csv",
    "ports": ("a", "b"),
    "rate": 1e9,
    "sample_rate": 160e9,
    "thing": "straight",
    "unitary": np.eye(2),
    "values": np.ones(4),
    "widths": [2, 3, 2],
    "wl": np.array([1.55]),
}
"""Arguments by name; others by what the annotation says first."""
BY_TYPE: dict[str, Any] = {
    "int": 2,
    "float": 0.5,
    "str": "a",
    "bool": False,
    "Sequence": (),
    "tuple": (),
    "list": [],
    "dict": {},
    "Mapping": {},
    "Callable": len,
    "Path": Path("none.csv"),
    "np.random.Generator": np.random.default_rng(0),
}


def right(name: str, annotation: str) -> Any:
    """Return an argument that most functions take under a name and an annotation."""
    if name in LATER:
        return LATER[name]()
    if name in RIGHT:
        return RIGHT[name]
    first = annotation.split(" | ", maxsplit=1)[0].partition("[")[0]
    return BY_TYPE.get(first, np.ones((2, 2)))


def names_of(thing: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that a junk value can be given for."""
    return [p.name for p in inspect.signature(thing).parameters.values() if p.kind not in MANY]


def arguments_of(thing: Callable[..., Any]) -> dict[str, Any]:
    """Return an argument for every parameter that needs one, and the defaults of the others."""
    return {
        p.name: right(p.name, str(p.annotation)) if p.default is p.empty else p.default
        for p in inspect.signature(thing).parameters.values()
        if p.kind not in MANY
    }


def call_with(name: str, argument: str, value: Any) -> None:
    """Make a call with one argument replaced; any error but photosim's own fails the test."""
    thing = THINGS[name]
    named = {k: v for k, v in arguments_of(thing).items() if repr(v) != "<factory>"} | {argument: value}
    places = [
        named.pop(p.name) for p in inspect.signature(thing).parameters.values() if p.kind is p.POSITIONAL_ONLY
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            thing(*places, **named)
        except ps.PhotosimError as error:
            text = str(error)
            if len(text) < 15 or "Traceback" in text:
                pytest.fail(f"{name}({argument}={value!r}) is refused without a sentence: {text!r}")


PLACES = [(n, a) for n, thing in THINGS.items() if n.rpartition(".")[2] not in LONG for a in names_of(thing)]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", sorted({name for name, _ in PLACES}))
def test_junk_is_answered_or_refused_in_a_sentence(name: str) -> None:
    for place, argument in PLACES:
        if place == name:
            for value in JUNK[len(argument) % 3 :: 3]:  # a third, by turns
                call_with(name, argument, value)


@given(place=st.sampled_from(PLACES), value=ANY)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_at_all_is_answered_or_refused_in_a_sentence(place: tuple[str, str], value: Any) -> None:
    call_with(*place, value)


def test_there_is_something_to_try() -> None:
    assert len(THINGS) > 100
    assert {"photosim.load", "photosim.training.layers.Dense", "photosim.training.data.Samples"} <= set(
        THINGS
    )


@pytest.mark.parametrize("name", sorted({name for name, _ in PLACES}))
def test_a_misspelt_argument_gets_the_nearest_name(name: str) -> None:
    thing = THINGS[name]
    parameters = inspect.signature(thing).parameters.values()
    known = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if any(p.kind is p.VAR_KEYWORD for p in parameters) or not known:
        return  # other names are settings of the circuit, which names the nearest itself
    longest = max(known, key=len)
    with pytest.raises(ps.ParameterError, match=rf"has no argument '{longest}_'\. It has: .*Did you mean '"):
        thing(**{f"{longest}_": 1})


@public
def example(name: str, /, count: int, *, share: float = 0.5) -> str:
    return f"{name}{count}{share}"


@pytest.mark.parametrize(
    ("places", "named", "message"),
    [
        ((), {}, r"^example needs name, count\. Its arguments are: name, count, share\.$"),
        (("a",), {}, r"^example needs count\. Its arguments are: name, count, share\.$"),
        (("a", 1, 2), {}, r"^example takes 2 arguments without a name, got 3: example\(name=\.\.\., count="),
        (("a", 1), {"count": 2}, r"^example: count is given twice, by its place and by its name\.$"),
        (("a", 1), {"shara": 2}, r"^example has no argument 'shara'\. It has: .* Did you mean 'share'\?$"),
        (("a", 1.5), {}, r"^example: count must be a whole number, got 1\.5\.$"),
    ],
)
def test_a_call_that_does_not_fit_is_a_sentence(places: Any, named: Any, message: str) -> None:
    with pytest.raises(ps.ParameterError, match=message):
        example(*places, **named)


def test_errors_from_inside_a_public_function_are_its_own() -> None:
    @public
    def outer(value: Any) -> Any:
        return len(value, value)  # type: ignore[call-arg]

    with pytest.raises(TypeError, match="exactly one argument"):
        outer(1)
