"""Public functions given junk: an error of photosim's own in a sentence, or an answer, whatever comes in."""

from __future__ import annotations

import datetime as dt
import fractions
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import photosim as ps
from photosim import losses
from photosim.arguments import check_arguments
from photosim.timedomain.low_pass import low_pass

RING = ps.load("add_drop_ring")
LINK = ps.load("link")
OPU = ps.load("opu")
WAVES = ps.waveforms
PAIR = ("in", "drop")


@cache
def response() -> ps.SMatrix:
    """The ring's S-matrix. Computed when a test first needs it: every process collects this file."""
    return RING(wl=ps.wavelengths(1.54, 1.56, 11))


@cache
def table() -> Any:
    """The same as rows of a file."""
    return ps.files.table_of(response())


@cache
def pull() -> Callable[..., Any]:
    """What carries a cotangent of the ring's drop port back to its radius."""
    back: Callable[..., Any] = RING.pullback(1.55, ["drop"], ["in"], ["ring.radius"])[1]
    return back


def pulled(cotangent: Any) -> Any:
    return pull()(cotangent)


LATER = (response, table)
"""Arguments that stand in the table as the functions that compute them."""


class Call(NamedTuple):
    """A public function, and arguments that it takes, which are replaced by junk, one at a time."""

    function: Callable[..., Any]
    arguments: dict[str, Any]


def call(function: Callable[..., Any], **arguments: Any) -> Call:
    return Call(function, arguments)


OPEN = {"instances": {"a": "straight"}, "ports": {"in": "a,o1", "out": "a,o2"}}

CALLS = {
    "Circuit": call(ps.Circuit, netlist=OPEN, strict=False, windows=None),
    "a netlist": call(
        lambda **k: ps.Circuit(k),
        instances={"a": "straight"},
        connections={},
        nets=[],
        ports={"in": "a,o1"},
        settings={},
        terminate=["a,o2"],
        analyses=[],
        name="x",
        placements={},
    ),
    "an instance": call(
        lambda **k: ps.Circuit({**OPEN, "instances": {"a": k}}),
        component="straight",
        settings={"length": 1.0},
        array=None,
        info={},
    ),
    "an array": call(
        lambda **k: ps.Circuit(
            {
                "instances": {"a": {"component": "straight", "array": k}},
                "ports": {"in": "a<0.0>,o1", "out": "a<0.0>,o2"},
            }
        ),
        columns=1,
        rows=1,
    ),
    "load": call(ps.load, path="add_drop_ring", strict=False, windows=None, cell_map=None, mode=None),
    "wavelengths": call(ps.wavelengths, start=1.5, stop=1.6, count=11),
    "circuit()": call(RING, wl=1.55, ports=["in", "drop"], ring={"radius": 10.0}, temperature=300.0),
    "settings": call(lambda **k: RING(1.55, ring=k), radius=10.0, length_x=3.0),
    "transfer": call(RING.transfer, wl=1.55, outputs=["drop"], inputs=["in"], ring={"radius": 10.0}),
    "pullback": call(RING.pullback, wl=1.55, outputs=["drop"], inputs=["in"], parameters=["ring.radius"]),
    "pull": call(pulled, cotangent=np.ones((1, 1, 1))),
    "value_and_grad": call(
        RING.value_and_grad, loss=losses.power([PAIR]), wl=1.55, parameters=["ring.radius"], ports=None
    ),
    "a loss": call(
        lambda value, slope: RING.value_and_grad(
            lambda _: (value, slope), wl=1.55, parameters=["ring.radius"]
        ),
        value=1.0,
        slope=np.zeros((1, 4, 4)),
    ),
    "jacobian": call(RING.jacobian, wl=1.55, outputs=["drop"], inputs=["in"], parameters=["ring.radius"]),
    "stream": call(lambda **k: list(RING.stream(**k)), wl=[1.55, 1.56], ports=["in"], size=1),
    "fields": call(RING.fields, wl=1.55, sources={"in": 1e-3}, probes=["drop"]),
    "powers": call(lambda power: RING.fields(1.55, {"in": power}, ["drop"]), power=1e-3),
    "photocurrents": call(LINK.photocurrents, wl=1.55, phase=0.1),
    "chain": call(lambda end, wl: OPU.chain(end, wl=wl), end=None, wl=1.55),
    "at": call(RING.at, settings={"ring": {"radius": 10.0}}),
    "Instance": call(
        lambda **k: ps.Circuit(
            ps.Netlist({"a": ps.Instance(**k)}, ports={"in": ("a", "o1"), "out": ("a", "o2")})
        ),
        component="straight",
        settings={"length": 1.0},
        mark=None,
    ),
    "Netlist": call(
        lambda **k: ps.Circuit(ps.Netlist(**k)),
        instances={"a": ps.part("straight")},
        connections=(),
        ports={"in": ("a", "o1")},
        settings={"x": 1.0},
        terminate=(("a", "o2"),),
        components={},
        name="n",
        analyses=(),
    ),
    "ref": call(ps.ref, text="a,b"),
    "links": call(lambda *, text: ps.links(text), text="a,o1:b,o2"),
    "is_passive": call(lambda **k: response().is_passive(**k), tolerance=1e-9),
    "is_reciprocal": call(lambda **k: response().is_reciprocal(**k), tolerance=1e-9),
    "s[from, to]": call(lambda a, b: response()[a, b], a="in", b="drop"),
    "link": call(lambda **k: ps.link(LINK, **k), points=(), without=(), tone=1e9, depth=0.5),
    "link of": call(ps.link, circuit=LINK),
    "link[name]": call(lambda name: ps.link(LINK)[name], name="receiver"),
    "transient": call(
        ps.transient,
        circuit=LINK,
        duration=1e-10,
        sample_rate=160e9,
        drive={"phase": 0.1},
        inputs=None,
        wl=None,
        probes=["laser,o1"],
        noise=False,
        seed=0,
        settle=0.0,
        quasi_static=None,
        energies=False,
        phase=0.0,
    ),
    "a drive": call(
        lambda phase: ps.transient(LINK, 1e-10, sample_rate=160e9, drive={"phase": phase}), phase=0.1
    ),
    "an input": call(
        lambda **k: ps.transient(RING, 1e-10, sample_rate=160e9, inputs={"in": k}), power=1e-3, carrier=1.55
    ),
    "low_pass": call(low_pass, values=np.ones(16), bandwidth=1e9, order=1, sample_rate=1e10),
    "constant": call(WAVES.constant, value=1.0),
    "step": call(WAVES.step, at=1e-9, low=0.0, high=1.0, rise=0.0, bandwidth=None),
    "pulse": call(
        WAVES.pulse,
        at=1e-9,
        width=1e-9,
        low=0.0,
        high=1.0,
        shape="sech2",
        rise=0.0,
        period=None,
        bandwidth=None,
    ),
    "sine": call(WAVES.sine, frequency=1e9, offset=0.0, amplitude=1.0, phase=0.0),
    "prbs": call(
        WAVES.prbs,
        rate=1e9,
        low=0.0,
        high=1.0,
        order=7,
        levels=2,
        rise=None,
        seed=None,
        bandwidth=None,
        filter_order=1,
    ),
    "samples": call(WAVES.samples, values=[1.0, 2.0]),
    "file": call(WAVES.file, path="none.csv", bandwidth=None),
    "read_waveform": call(lambda **k: WAVES.read_waveform(k), wave="sine", frequency=1e9),
    "a waveform": call(WAVES.as_waveform, value=1.0),
    "check_target": call(ps.files.check_target, path="x.csv", suffixes=(".csv",)),
    "files.read": call(ps.files.read, path="none.csv"),
    "files.read_table": call(ps.files.read_table, path="none.csv"),
    "files.write": call(ps.files.write, path="c.csv", s=response, pairs=[PAIR]),
    "smatrix_of": call(ps.files.smatrix_of, table=table),
    "table_of": call(ps.files.table_of, s=response, file=""),
    "losses.power": call(lambda pairs: losses.power(pairs)(response()), pairs=[PAIR]),
    "losses.flatness": call(lambda pair: losses.flatness(pair)(response()), pair=PAIR),
    "losses.target_spectrum": call(
        lambda **k: losses.target_spectrum(**k)(response()), pair=PAIR, wanted=np.ones(11)
    ),
    "netlist.check": call(ps.netlist.check, netlist=RING.netlist, strict=False),
    "netlist.find": call(ps.netlist.find, path="link"),
    "netlist.from_dict": call(ps.netlist.from_dict, data={"instances": {"a": "straight"}}, name="c"),
    "netlist.not_simulated": call(ps.netlist.not_simulated, netlist=RING.netlist),
    "netlist.notes": call(ps.netlist.notes, netlist=RING.netlist),
    "netlist.read": call(ps.netlist.read, path="link", strict=False, cell_map=None),
    "netlist.read_text": call(ps.netlist.read_text, text="instances: {a: straight}", name="c"),
    "netlist.to_yaml": call(ps.netlist.to_yaml, netlist=RING.netlist),
    "effective_bits": call(ps.signals.effective_bits, ratio=3.0),
    "operating_point": call(ps.signals.operating_point, circuit=LINK, settings={}),
    "sample": call(ps.signals.sample, circuit=LINK, samples=16, seed=0, without=(), tone=1e9, depth=1.0),
    "Tone": call(ps.signals.Tone, frequency=1e9, depth=1.0),
}

JUNK: list[Any] = [
    4.0,
    "2*2",
    [1, 2],
    10**400,
    -(10**400),
    [],
    np.array([]),
    {1: 2},
    None,
    True,
    np.bool_(True),
    1 + 2j,
    1 + 0j,
    np.array([1 + 2j]),
    dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    np.array(["2026-01-02"], dtype="M8[s]"),
    np.timedelta64(3, "s"),
    np.ma.masked_array([1.0, 2.0], [False, True]),
    np.ma.masked,
    np.nan,
    np.inf,
    "abc",
    b"x",
    object(),
    np.float32(4),
    np.int8(4),
    np.array(4.0),
    fractions.Fraction(4),
    {1, 2},
    len,
    int,
    "\ud800",
    np.array([1, None], dtype=object),
    np.array([True, False]),
    ps.Circuit,
    np.ones((2, 3)),
    3.5,
    range(3),
    [[[1]]],
    np.zeros(1, dtype=[("a", float)]),
    [10**400],
    ["1", "2"],
    0,
    -1,
    -3.7,
    (1, 2),
    memoryview(b"abc"),
    ("in", "drop"),
    {"in": 1e-3},
    "in",
    [None],
    [("in", "drop")],
    [["in", "drop"], 3],
]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def taken(name: str) -> dict[str, Any]:
    """Return the arguments of a call, those that are computed included."""
    return {
        key: value() if any(value is one for one in LATER) else value
        for key, value in CALLS[name].arguments.items()
    }


def answer_or_refusal(name: str, argument: str, value: Any) -> None:
    """Make a call with one argument replaced; any error but photosim's own fails the test."""
    function, arguments = CALLS[name].function, taken(name)
    if argument == "loss" and callable(value):
        return  # what another's function raises is its own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ps.PhotosimWarning)
        try:
            function(**{**arguments, argument: value})
        except ps.PhotosimError as error:
            text = str(error)
            if len(text) < 15 or "\n" in text or "Traceback" in text:
                pytest.fail(f"{name}({argument}={value!r}) is refused without a sentence: {text!r}")


@pytest.mark.parametrize("name", CALLS)
def test_what_the_table_holds_is_right(name: str) -> None:
    function, arguments = CALLS[name].function, taken(name)
    try:
        function(**arguments)
    except ps.DataError as error:
        assert name.startswith("file")
        assert "none.csv" in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", CALLS)
def test_junk_is_answered_or_refused_in_a_sentence(name: str) -> None:
    for argument in CALLS[name].arguments:
        for value in JUNK:
            answer_or_refusal(name, argument, value)


PLACES = [(name, argument) for name, found in CALLS.items() for argument in found.arguments]
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.dates(),
    st.decimals(),
    st.fractions(),
    hnp.arrays(
        st.one_of(hnp.scalar_dtypes()), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    ),
)
ANY = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=4,
)


@given(place=st.sampled_from(PLACES), value=ANY)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_at_all_is_answered_or_refused_in_a_sentence(place: tuple[str, str], value: Any) -> None:
    answer_or_refusal(*place, value)


def example(
    name: str,
    count: int = 1,
    *,
    share: float = 0.5,
    names: tuple[str, ...] = (),
    table: dict[str, Any] | None = None,
) -> None:
    check_arguments(example, locals())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": 3}, "example: name must be a text, got 3"),
        ({"count": 2.5}, "example: count must be a whole number, got 2.5"),
        ({"count": True}, "example: count must be a whole number, got True"),
        ({"share": "x"}, "example: share must be a number, got 'x'"),
        ({"share": 10**400}, "example: share must be a number, got a whole number of about 400 digits"),
        ({"names": "ab"}, "example: names must be a list of names, got 'ab'"),
        ({"table": {1: 2}}, r"example: table must be a mapping of names or None, got \{1: 2\}"),
    ],
)
def test_the_sentence_names_function_argument_kind_and_value(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ps.ParameterError, match=message):
        example(**{"name": "a", **arguments})


def test_numbers_of_numpy_are_numbers() -> None:
    numbers: list[Any] = [np.int64(3), np.float32(0.5), np.array(0.5)]
    example("a", numbers[0], share=numbers[1], names=("a", "b"), table={"a": 1})
    example("a", share=numbers[2])
