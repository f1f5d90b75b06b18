"""Every form of netlist that gdsfactory and SAX write, and what the reader makes of it."""

from __future__ import annotations

import json
import math
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import photosim as ps
from photosim.errors import Mark, NetlistError, PhotosimWarning
from photosim.expressions import parse, symbol
from photosim.model import Instance, Netlist, links, part
from photosim.netlist import check, find, from_dict, gallery, not_simulated, notes, read, read_text, to_yaml

PAIR = """
instances:
  a: straight
  b: {component: straight, settings: {length: 5}}
"""


def test_connections_and_nets_are_one_thing() -> None:
    expected = links("a,o2:b,o1")
    assert read_text(PAIR + "connections: {'a,o2': 'b,o1'}").connections == expected
    assert (
        read_text(PAIR + "nets:\n- {p1: 'a,o2', p2: 'b,o1', name: n, settings: {}}").connections == expected
    )


def test_an_instance_may_be_its_component_alone() -> None:
    netlist = read_text(PAIR)
    assert netlist.instances == {"a": part("straight"), "b": part("straight", length=5)}
    assert netlist.instances["b"].mark == Mark(None, 4, 3)


def test_arrays_become_members() -> None:
    netlist = read_text(
        "instances:\n  a: {component: straight, array: {columns: 2, rows: 3, column_pitch: 10}}\n"
        "connections: {'a<0.0>,o2': 'a<1.2>,o1'}"
    )
    assert list(netlist.instances) == ["a<0.0>", "a<0.1>", "a<0.2>", "a<1.0>", "a<1.1>", "a<1.2>"]
    assert netlist.connections == links("a<0.0>,o2:a<1.2>,o1")
    assert "10 inner ports are left open" in check(netlist)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{columns: 1000000000}",
            ("<text>:1:13: instance 'a' is an array of 1000000000 x 1 parts; a netlist may have 200000"),
        ),
        (
            "{columns: 0}",
            (
                "<text>:1:46: the array of instance 'a': 'columns' must be a whole number from 1, "
                "but is the number 0."
            ),
        ),
        (
            "{columns: 2.5}",
            (
                "<text>:1:46: the array of instance 'a': 'columns' must be a whole number from 1, "
                "but is the number 2.5."
            ),
        ),
        (
            "{column: 2}",
            (
                "<text>:1:46: the array of instance 'a' has no key 'column'. It may have: columns, rows. "
                "Did you mean 'columns'?"
            ),
        ),
    ],
)
def test_arrays_that_cannot_be(text: str, message: str) -> None:
    with pytest.raises(NetlistError) as caught:
        read_text(f"instances: {{a: {{component: straight, array: {text}}}}}")
    assert str(caught.value) == message


def test_the_name_of_an_array_is_not_an_instance() -> None:
    netlist = read_text("instances: {a: {component: straight, array: {columns: 2}}}\nports: {in: 'a,o1'}")
    with pytest.raises(NetlistError) as caught:
        check(netlist)
    assert str(caught.value) == (
        "<text>:2:9: 'a,o1' names a port of 'a', but there is no such instance. "
        "It is an array; its members are a<0.0>, a<1.0>."
    )


def test_texts_are_expressions_where_a_number_is_wanted() -> None:
    netlist = read_text(
        "settings: {radius: 10, round: 2*pi*radius, third: '1/3'}\n"
        "instances:\n  a: {component: straight, settings: {length: round + 1, neff: 2e0, "
        "cross_section: strip}}"
    )
    assert netlist.settings == {"radius": 10, "round": parse("2*pi*radius"), "third": 1 / 3}
    assert netlist.instances["a"].settings == {
        "length": parse("round + 1"),
        "neff": 2.0,
        "cross_section": "strip",
    }
    assert not_simulated(netlist) == ["instance 'a' (straight): cross_section"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{a: b + 1, b: 2*a}", "settings refer to each other in a circle: a -> b -> a"),
        (
            "{a: 2*radios, radius: 1}",
            (
                "setting 'a': the expression '2*radios' uses 'radios', which is not among the "
                "netlist's settings: a, radius, pi. Did you mean 'radius'?"
            ),
        ),
        ("{a: 1/0}", "setting 'a': the value of '1/0' is not a finite number (found inf)"),
        ("{a: b/c, b: 1, c: 0}", "setting 'a': the value of 'b/c' is not a finite number (found inf)."),
        ("{a: open(1)}", "setting 'a': 'open(1)' calls 'open'; it may call sqrt"),
        ("{a: {b: 1}}", "setting 'a': a number or an expression is wanted, got {'b': 1}"),
        ("{a: }", "setting 'a': a number or an expression is wanted, got None"),
    ],
)
def test_settings_that_cannot_be(settings: str, message: str) -> None:
    with pytest.raises(NetlistError) as caught:
        read_text(f"settings: {settings}\ninstances: {{a: straight}}")
    assert message in str(caught.value)
    assert str(caught.value).startswith("<text>:1:")


RECURSIVE = """
arm:
  settings: {length: 7.0, extra: 0.0}
  instances:
    guide: {component: straight, settings: {length: length + extra}}
  ports: {o1: 'guide,o1', o2: 'guide,o2'}
top_level:
  settings: {step: 3.0}
  instances:
    short: arm
    long: {component: arm, settings: {extra: 2*step}}
  connections: {'short,o2': 'long,o1'}
  ports: {in: 'short,o1', out: 'long,o2'}
"""


def test_recursive_netlists_nest() -> None:
    netlist = read_text(RECURSIVE, "two_arms")
    assert netlist.name == "two_arms"
    assert netlist.components["arm"].name == "arm"
    assert netlist.components["arm"].instances["guide"].settings == {"length": parse("length + extra")}
    assert netlist.instances["long"].settings == {"extra": parse("2*step")}
    assert check(netlist, strict=True) == []


def test_without_a_top_level_the_first_netlist_is_the_circuit() -> None:
    netlist = read_text(RECURSIVE.replace("top_level", "second"))
    assert netlist.name == "arm"
    assert set(netlist.components) == {"second"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("component: straight", "component: arm", "<text>:2:1: netlist 'arm' contains itself: arm -> arm"),
        (
            "component: straight",
            "component: top_level",
            "<text>:7:1: netlist 'top_level' contains itself: top_level -> arm -> top_level",
        ),
        (
            "{extra: 2*step}",
            "{extr: 2*step}",
            (
                "<text>:11:39: instance 'long' (netlist 'arm') has no setting 'extr'. It has: length, extra. "
                "Did you mean 'extra'?"
            ),
        ),
        (
            "{extra: 2*step}",
            "{extra: -9}",
            (
                "<text>:5:45: instance 'guide' (straight) in netlist 'arm': setting 'length' is -2 um, "
                "but must be 0 to 1e+11 um (from 'length + extra')."
            ),
        ),
        ("'long,o1'", "'long,o3'", "<text>:12:29: instance 'long' (arm) has no port 'o3'. It has: o1, o2."),
        (
            "'guide,o2'",
            "'guide,o4'",
            (
                "<text>:6:27: instance 'guide' (straight) in netlist 'arm' has no port 'o4'. "
                "It has: o1, o2, in0, out0, in, out."
            ),
        ),
    ],
)
def test_mistakes_in_hierarchies(old: str, new: str, message: str) -> None:
    with pytest.raises(NetlistError) as caught:
        check(read_text(RECURSIVE.replace(old, new)))
    assert str(caught.value) == message


def test_hierarchies_without_end_are_refused() -> None:
    names = [f"n{k}" for k in range(70)]
    levels = [f"{a}: {{instances: {{x: {b}}}}}" for a, b in zip(names, [*names[1:], "straight"], strict=True)]
    with pytest.raises(NetlistError, match="netlists contain each other over more than 64 levels, the bound"):
        read_text("\n".join(levels))
    wide = [
        f"{a}: {{instances: {{x: {b}, y: {b}}}}}"
        for a, b in zip(names[:40], [*names[1:40], "straight"], strict=True)
    ]
    with pytest.raises(NetlistError, match=r"written out has .* instances; the bound is 2000000"):
        check(read_text("\n".join(wide)))


def test_python_netlists_that_contain_themselves_are_refused() -> None:
    inner: dict[str, Netlist] = {}
    inner["a"] = Netlist({"x": Instance("a")}, components=inner)
    with pytest.raises(NetlistError, match="sub-netlists contain themselves or are too deep: circuit, a, a"):
        check(Netlist({"x": Instance("a")}, components=inner))


def test_json_is_read_too(tmp_path: Path) -> None:
    data = {"instances": {"a": {"component": "straight", "settings": {"length": 1e-3, "neff": 2.5e0}}}}
    file = tmp_path / "one.json"
    file.write_text(json.dumps(data, indent="\t"), encoding="utf-8")
    netlist = read(file)
    assert netlist.name == "one"
    assert netlist.instances["a"].settings == {"length": 0.001, "neff": 2.5}
    assert netlist == from_dict(data, "one")


def test_layout_sections_are_accepted_and_routes_warn() -> None:
    text = PAIR + "placements: {a: {x: 1}}\ninfo: {}\npdk: generic\n"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_text(text) == read_text(PAIR)
    with pytest.warns(PhotosimWarning, match="<text>:5:1: 'routes' is layout and not simulated"):
        read_text(PAIR + "routes: {r: {waypoints: [1, 2]}}")


def test_keys_are_texts_and_scalars_follow_yaml_1_2() -> None:
    netlist = read_text("instances: {on: straight, 1: straight}\nports: {y: 'on,o1', 2: '1,o1'}")
    assert netlist.ports == {"y": ("on", "o1"), "2": ("1", "o1")}


def test_anchors_and_merges() -> None:
    netlist = read_text(
        "instances:\n  a: &g {component: straight, settings: &s {length: 2, neff: 2.5}}\n"
        "  b: *g\n  c: {component: straight, settings: {<<: *s, length: 3}}"
    )
    assert netlist.instances["b"] == netlist.instances["a"]
    assert netlist.instances["c"].settings == {"length": 3, "neff": 2.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a netlist is a mapping with 'instances', 'connections' and 'ports', but it is empty"),
        ("[1, 2]", "but it is a list"),
        ("just words", "but it is the text 'just words'"),
        ("a: b: c", "<text>:1:5: this is not YAML or JSON: mapping values are not allowed in this context"),
        (
            "a: [1, 2",
            "this is not YAML or JSON: did not find expected ',' or ']' while parsing a flow sequence",
        ),
        ("a: 1\n---\nb: 2", "<text>:2:1: a second document starts here; a netlist file holds one"),
        ("[" * 60, "<text>:1:51: values are nested deeper than 50 levels, the bound"),
        ("[" * 100_000, "values are nested deeper than 50 levels, the bound"),
        ("- " * 100_000, "values are nested deeper than 50 levels, the bound"),
        ("a: &a [*a]", "<text>:1:8: the alias *a stands for nothing that is complete before it"),
        ("a: !!python/object:os.system x", "is not allowed; a netlist holds plain data"),
        ("a: !mine {}", "the tag '!mine' is not allowed; a netlist holds plain data"),
        ("? [a]\n: b", "a mapping or list stands where a name should be"),
        ("<<: 3", "'<<' merges mappings: give the alias of one, as in <<: *base"),
        ("b: 1\na: \x00", "<text>:2:4: this is not YAML or JSON: control characters are not allowed"),
        ("a: \ud800", "surrogates not allowed"),
        ("instances: {a: straight, a: straight}", "'a' is given twice in this mapping, first on line 1"),
        ("a: {b: 1}\nc: 2", "the netlist has no key 'a'. It may have: instances"),
        (
            "a: {instances: {x: straight}}\nc: 2",
            "'c' must be a netlist, a mapping with 'instances', but is the number 2",
        ),
        ("connections: {}", "the netlist needs the key 'instances', as in instances: {guide: straight}."),
    ],
)
def test_texts_that_are_no_netlist(text: str, message: str) -> None:
    with pytest.raises(NetlistError) as caught:
        read_text(text)
    assert message in str(caught.value)


def test_a_bomb_of_aliases_names_the_bound() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 9)]
    message = "<text>:6:30: with its aliases written out the file has more than 320000 names and values"
    with pytest.raises(NetlistError, match=message):
        read_text("\n".join(levels))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NetlistError, match="is not a file; give a netlist, in YAML or JSON"):
        read(tmp_path)
    (tmp_path / "bytes.yml").write_bytes(b"#\r\nname: \xc3\xa9\xff\xfe")
    message = r"bytes\.yml:2:8: the file is not UTF-8 text: byte 11 does not fit"
    with pytest.raises(NetlistError, match=message):
        read(tmp_path / "bytes.yml")
    with (tmp_path / "big.yml").open("wb") as file:
        file.truncate(2**24 + 1)
    with pytest.raises(NetlistError, match=r"big\.yml has 16777217 bytes; a netlist file may have 16777216"):
        read(tmp_path / "big.yml")
    with pytest.raises(
        NetlistError, match=r"There is no file .*missing\.yml', and no netlist of that name in the gallery"
    ):
        read(tmp_path / "missing.yml")
    for bad in ("a" * 5000, "a\0b"):
        with pytest.raises(NetlistError, match=r"(cannot be the name of a file|There is no file)"):
            read(bad)


def test_long_chains_and_circles_of_settings_take_no_time() -> None:
    count = 20_000
    start = "instances: {a: straight}\nsettings:\n"
    steps = [f"  s{k}: s{k + 1} + 1\n" for k in range(count)]
    check(read_text(f"{start}{''.join(steps)}  s{count}: 1\n"))
    with pytest.raises(NetlistError, match=r"in a circle: s0 -> s1 -> .* -> s10 -> \.\.\. -> s0$"):
        read_text(f"{start}{''.join(steps)}  s{count}: s0\n")


def test_the_nearest_of_many_long_names_is_found_at_once() -> None:
    names = [f"{'ring' * 20}{k}" for k in range(20_000)]
    text = "instances:\n" + "".join(f"  {name}: straight\n" for name in names)
    with pytest.raises(NetlistError, match=r"Did you mean '(ring)+4321'\?$"):
        check(read_text(f"{text}ports: {{in: '{'ring' * 20}x4321,o1'}}\n"))


def test_messages_stay_on_one_line_of_bounded_length() -> None:
    with pytest.raises(NetlistError) as caught:
        check(read_text(f"instances: {{a: straight}}\nports: {{in: 'a,{'x' * 100_000}'}}\n"))
    assert len(str(caught.value)) < 1300
    assert str(caught.value).startswith("<text>:2:9: instance 'a' (straight) has no port 'xxx")
    assert str(caught.value).endswith("It has: o1, o2, in0, out0, in, out.")
    assert str(NetlistError("a\n\x1b[31mb\ud800c")) == "a [31mb c"


def test_strict_reading_refuses_open_ports(tmp_path: Path) -> None:
    file = tmp_path / "open.yml"
    file.write_text("instances: {a: straight}\nports: {in: 'a,o1'}\n", encoding="utf-8")
    assert len(check(read(file))) == 1
    with pytest.raises(NetlistError, match="inner port 'a,o2' is left open"):
        read(file, strict=True)


def test_dictionaries_may_hold_expressions_arrays_and_instances() -> None:
    lengths = np.array([1.0, 2.0])
    netlist = from_dict({
        "settings": {"radius": 5.0},
        "instances": {
            "a": {"component": "straight", "settings": {"length": 2 * symbol("radius")}},
            "b": part("straight", length=lengths),
        },
        "connections": {"a,o2": "b,o1"},
        "ports": {"in": "a,o1", "out": "b,o2"},
    })  # fmt: skip
    assert netlist.instances["a"].settings["length"] == parse("2*radius")
    assert netlist.instances["b"].settings["length"] is lengths
    assert check(netlist, strict=True) == []
    again = read_text(to_yaml(netlist))
    assert np.array_equal(np.asarray(again.instances["b"].settings["length"]), lengths)


def test_errors_without_a_file_have_no_place() -> None:
    with pytest.raises(NetlistError) as caught:
        check(from_dict({"instances": {"a": "strait"}}))
    assert str(caught.value).startswith(
        "instance 'a': there is no component 'strait'. Did you mean 'straight'?"
    )


def test_netlists_cross_processes_with_their_marks() -> None:
    netlist = read_text(RECURSIVE)
    copy = pickle.loads(pickle.dumps(netlist))  # noqa: S301 - our own bytes
    assert copy == netlist
    assert copy.mark("instances", "long", "settings", "extra") == Mark(None, 11, 39)


def test_electrical_ports_do_not_mix_with_optical_ones() -> None:
    text = "instances: {p: photodetector, a: straight}\nconnections: {'p,e1': 'a,o1'}"
    with pytest.raises(NetlistError) as caught:
        check(read_text(text))
    assert str(caught.value) == (
        "<text>:2:15: the electrical port 'p,e1' cannot be connected with the optical port 'a,o1'."
    )


def test_ports_that_depend_on_settings() -> None:
    text = "settings: {n: 3}\ninstances: {b: {component: weight_bank, settings: {rows: 1, channels: n}}}"
    assert len(check(read_text(text))) <= 1  # its ports are known, whatever they are called


@pytest.mark.parametrize("component", ["coupler", "ring_double", "ring_single"])
def test_settings_that_exclude_each_other_are_refused(component: str) -> None:
    text = f"instances: {{a: {{component: {component}, settings: {{coupling: 0.1, gap: 0.2}}}}}}"
    wanted = rf"<text>:1:\d+: instance 'a' \({component}\): .* exclude each other"
    with pytest.raises(NetlistError, match=wanted):
        check(read_text(text))


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        (
            "{component: weight_bank, settings: {rows: 1000000, channels: 1000000}}",
            (
                "<text>:1:13: instance 'b' (weight_bank) has rows 1000000 x channels 1000000 "
                "= 1000000000000 elements; the bound is 300000."
            ),
        ),
        (
            "{component: speckle_medium, settings: {inputs: 1000000, outputs: 1000000}}",
            (
                "<text>:1:55: instance 'b' (speckle_medium): setting 'inputs' is 1e+06, but must be "
                "1 to 10000."
            ),
        ),
    ],
)
def test_counts_that_no_machine_holds_are_refused(instance: str, message: str) -> None:
    with pytest.raises(NetlistError) as caught:
        check(read_text(f"instances: {{b: {instance}}}"))
    assert str(caught.value) == message


def test_the_gallery_is_found_by_name() -> None:
    known = gallery()
    assert known, "the gallery is packaged"
    for name, path in known.items():
        assert find(name) == path
        assert find(path.name) == path
        netlist = read(name)
        assert isinstance(check(netlist), list)
        assert read_text(to_yaml(netlist)) == netlist


def test_nothing_in_the_working_folder_hides_the_gallery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reproduction's results may stand in a folder of its own name, and its netlist be found as before."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vowels").mkdir()
    (tmp_path / "link").write_text(PAIR)
    assert find("vowels") == gallery()["vowels"]
    assert find("link") == gallery()["link"]
    assert find("./link").samefile(tmp_path / "link")
    with pytest.raises(NetlistError, match=r"'\./vowels' is not a file"):
        find("./vowels")


def test_an_unknown_name_gets_the_nearest_of_the_gallery() -> None:
    name = next(iter(gallery()))
    with pytest.raises(NetlistError, match=f"Did you mean '{name}'"):
        find(name[:-1] + "x")


@pytest.mark.parametrize("text", [PAIR, RECURSIVE, RECURSIVE.replace("top_level", "second"), """
name: 'on'
settings: {a: 1, b: 'a*2 + sqrt(a)', c: 1.0e-07, d: -0.5}
instances:
  'x<0.0>': {component: straight, settings: {length: b, cross_section: '1e5', npoints: null}}
  y: {component: photodetector}
  z: {component: no_such_thing, settings: {any: text, flag: true, list: [1, a], inner: {deep: 1}}}
nets:
- {p1: 'x<0.0>,o2', p2: 'y,o1'}
ports: {'1': 'x<0.0>,o1', 'null': 'y,e1'}
terminate: ['z,o1']
analyses:
- {kind: spectrum, wl: '1.54:1.56:2001', from: in, to: [drop, through], options: {yes: no, deep: [1, 2.5, ~]}}
"""])  # fmt: skip
def test_written_netlists_read_back_equal(text: str) -> None:
    netlist = read_text(text)
    written = to_yaml(netlist)
    assert read_text(written) == netlist
    assert to_yaml(read_text(written)) == written


words = st.text(st.characters(codec="utf-8", exclude_characters=",.:<>\x00"), min_size=1, max_size=8).filter(
    lambda t: t == t.strip() and t.isprintable() and t != "<<"
)
plain_values = st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()


@given(st.dictionaries(words, st.dictionaries(words, plain_values | words)), words)
@example({"a": {"low": -(2**63), "high": 2**63 - 1}}, "n")
def test_any_names_and_values_survive_writing(instances: dict[str, dict[str, object]], name: str) -> None:
    netlist = from_dict(
        {"instances": {k: {"component": "unknown " + name, "settings": v} for k, v in instances.items()}},
        name,
    )
    assert read_text(to_yaml(netlist)) == netlist


def test_what_yaml_cannot_hold_is_refused() -> None:
    netlist = Netlist({"a": Instance("straight", {"length": 1j})})
    with pytest.raises(NetlistError, match="setting 'length' of a is 1j, which a netlist file cannot hold"):
        to_yaml(netlist)
    one, other = Netlist({"a": Instance("straight")}), Netlist({"b": Instance("straight")})
    clash = Netlist({}, components={"x": Netlist({}, components={"y": one}), "y": other})
    with pytest.raises(NetlistError, match="two netlists are called 'y'"):
        to_yaml(clash)


def test_settings_resolve_in_any_order() -> None:
    netlist = read_text(
        "settings: {c: 2*b, b: a + 1, a: pi}\ninstances: {x: {component: straight, settings: {length: c}}}"
    )
    from photosim.netlist.values import resolve

    assert resolve(netlist.settings)["c"] == pytest.approx(2 * (math.pi + 1), rel=1e-15)


ENDS = "ports: {in: 'a,o1', out: 'b,o2'}\n"


def transmission(text: str) -> Any:
    return ps.Circuit(read_text(text))(wl=[1.55])["in", "out"].values[0]


@pytest.mark.parametrize("length", ["33000 nm", "-3", "[5.0]", "{'a,o2': long}", ".inf"])
@pytest.mark.parametrize("where", ["length: {}", "info: {{length: {}}}", "settings: {{length: {}}}"])
def test_length_of_a_route_that_is_not_one_is_refused(where: str, length: str) -> None:
    """It counted as none, and the ports were joined."""
    route = f"routes: {{r: {{links: {{'a,o2': 'b,o1'}}, {where.format(length)}}}}}"
    with pytest.raises(NetlistError, match="route 'r': the length of a,o2 must be"):
        read_text(PAIR + route)


@pytest.mark.parametrize("place", ["length: 7.5", "info: {length: 7.5}", "settings: {length: 7.5}"])
@pytest.mark.parametrize("section", ["routes", "bundles"])
def test_a_link_of_a_route_is_a_guide_of_its_length(section: str, place: str) -> None:
    """Guides of 10, 7.5 and 5 um behind one another have the phase of one of 22.5 um."""
    found = transmission(f"{PAIR}{ENDS}{section}: {{r: {{links: {{'a,o2': 'b,o1'}}, {place}}}}}")
    whole = ps.Circuit(
        {"instances": {"g": ps.part("straight", length=22.5)}, "ports": {"in": "g,o1", "out": "g,o2"}}
    )
    assert found == pytest.approx(whole(wl=[1.55])["in", "out"].values[0], abs=1e-12)


def test_each_link_of_a_bundle_has_its_own_length() -> None:
    text = "instances: {a: coupler, b: coupler}\nroutes: {r: {links: {'a,o3': 'b,o2', 'a,o4': 'b,o1'}, "
    found = read_text(text + "info: {length: {'a,o3': 3, 'a,o4': 4.5}}}}")
    assert {n: i.settings for n, i in found.instances.items() if i.component == "straight"} == {
        "r": {"length": 3.0}, "r_1": {"length": 4.5},
    }  # fmt: skip


def test_a_link_without_a_length_is_a_join_and_said() -> None:
    route = "routes: {r: {links: {'a,o2': 'b,o1'}}}"
    with pytest.warns(PhotosimWarning, match="'routes' has no length for a,o2 to b,o1: the ports are joined"):
        found = transmission(PAIR + ENDS + route)
    assert found == transmission(PAIR + ENDS + "connections: {'a,o2': 'b,o1'}")


def test_a_route_of_a_connection_is_its_layout() -> None:
    """Extracted netlists list guides as instances and their routes beside them."""
    text = PAIR + ENDS + "connections: {'a,o2': 'b,o1'}\n"
    assert transmission(text + "routes: {r: {links: {'a,o2': 'b,o1'}, length: 3}}") == transmission(text)


def test_settings_built_into_an_inner_netlist_are_a_note() -> None:
    inner = "arm:\n  instances: {s: {component: straight, settings: {length: 30.0}}}\n  ports: {o1: 's,o1'}\n"
    top = "top:\n  instances: {m: {component: arm, settings: {delta_length: 10.0, bend: {radius: 5}}}}\n"
    netlist = read_text(top + "  ports: {o1: 'm,o1'}\n" + inner)
    assert any("delta_length, bend is built into the netlist" in note for note in notes(netlist))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        circuit = ps.Circuit(netlist)
    assert circuit.parameters["m.s.length"] == 30.0
    with pytest.raises(ps.ParameterError, match="delta_length"):
        circuit(1.55, m={"delta_length": 3.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("instances: {}", "has no instances: there is nothing to compute"),
        ("instances: {a: straight}\nterminate: ['a,o1', 'a,o2']", "exposes no port and has no light source"),
    ],
)
def test_a_circuit_that_nothing_can_be_asked_of_is_refused(text: str, message: str) -> None:
    with pytest.raises(NetlistError, match=message):
        ps.Circuit(read_text(text))
