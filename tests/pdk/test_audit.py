"""Kits with seeded mismatches, each named in one sentence; kits that fit; files that are refused."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from photosim import pdk
from photosim.cli.questions import app
from photosim.errors import NetlistError
from photosim.pdk import cards
from photosim.pdk.units import comparable, factor

PROVENANCE: dict[str, Any] = {"source": "foundry", "label": None, "maturity": None, "citations": [],
              "comment": None, "url": None, "data_url": None, "info": {}}  # fmt: skip


def param(name: str, value: Any, unit: str, **others: Any) -> dict[str, Any]:
    return {"name": name, "kind": "float", "value": value, "unit": unit, "role": None, "description": None,
            "choices": [], "min": None, "max": None, "variation": None, **others}  # fmt: skip


def port(name: str, domain: str = "optical") -> dict[str, Any]:
    return {"name": name, "domain": domain, "polarization": "TE", "channels": 1}


def spread(sigma: float, var: str | None = None, **others: Any) -> dict[str, Any]:
    return {"distribution": "normal", "sigma_basis": "one_sigma", "lower_spec_limit": None,
            "upper_spec_limit": None, "scope": "process", "random_var": var, "sigma": sigma, "percent": False,
            "truncate_sigma": None, **others}  # fmt: skip


def card(factory: str, params: list[Any], ports: Any, **others: Any) -> dict[str, Any]:
    return {"factory": factory, "model_id": factory, "binding": "kit.models:straight",
            "provenance": PROVENANCE, "version": "1", "canonical": True, "binding_kwargs": {},
            "params": params, "ports": ports, "validity": None, "info": {},
            "representation": "sax", **others}  # fmt: skip


def band(low: float, high: float, unit: str = "um") -> dict[str, Any]:
    over = {"wavelength": {"min": low, "max": high, "unit": unit, "label": "C"}}
    return {"at": None, "over": over, "on_out_of_range": "raise"}


def kit() -> dict[str, Any]:
    """A kit that fits the library."""
    guide = [
        param("length", 10.0, "um", min=0.1, max=1e4),
        param("loss_dB_cm", 0.0, "dB/cm", variation=spread(0.0, "wall")),
        param("width", 0.5, "um"),
    ]
    return {
        "models": [
            card("kit.cells.straight", guide, [port("o1"), port("o2")], validity=band(1.5, 1.6)),
            card("kit.cells.mmi1x2", [param("loss_dB", 0.3, "dB")], [port("o1"), port("o2"), port("o3")]),
        ],
        "process": {
            "corners": [{"name": "rough", "knobs": {"wall": 3.0}, "info": {}}],
            "random_vars": {"wall": spread(0.2)},
        },
        "schema_version": "0.3.0",
    }


def texts(data: Any, tmp_path: Path) -> list[str]:
    file = tmp_path / "kit.json"
    file.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return [str(finding) for finding in pdk.check(file) if finding.serious]


def test_a_kit_that_fits_has_no_mismatch(tmp_path: Path) -> None:
    assert texts(kit(), tmp_path) == []
    read = pdk.read(tmp_path / "kit.json")
    assert read.corners == {"rough": {"wall": 3.0}}
    assert read.statistics()["straight.loss_dB_cm"]["random_var"] == "wall"


SEEDED: list[tuple[str, tuple[Any, ...], Any, str]] = [
    ("renamed port", (0, "ports", 0, "name"), "west", "component has no port 'west'. It has: o1, o2."),
    ("lost port", (1, "ports"), [port("o1"), port("o2")], "no port for o3 of the component"),
    ("port twice", (0, "ports", 1, "name"), "in0", "2 ports of the cell are the component's port 'o1'"),
    ("metal port", (0, "ports", 1, "domain"), "electrical", "port 'o2' is electrical in the kit and optical"),
    ("unit in a name", (0, "params", 0, "name"), "length_um", "no 'length_um'; the component calls it 'leng"),
    ("unknown name", (1, "params", 0, "name"), "loss_db", "has no 'loss_db'. It has:"),
    ("other unit", (0, "params", 0, "unit"), "nm", "the kit counts in nm, the component in um"),
    ("other dimension", (0, "params", 0, "unit"), "V", "unit is 'V', the component's 'um', which measure di"),
    ("other default", (0, "params", 0, "value"), 1000.0, "default is 1000 um in the kit and 10 um in the co"),
    ("default outside", (0, "params", 0, "min"), 20.0, "the default 10 um lies outside of the kit's own ran"),
    ("range reversed", (0, "params", 0, "min"), 1e5, "its min 100000 is above its max 10000"),
    ("beyond bounds", (0, "params", 0, "min"), -5.0, "its min of -5 um is beyond what the component takes"),
    ("kind", (0, "params", 0, "kind"), "enum", "the kit has a enum, the component a real value"),
    ("window in nm", (0, "validity"), band(1500, 1600), "1500 to 1600 um is not a window of wavelengths. It"),
    ("window reversed", (0, "validity"), band(1.6, 1.5), "its first value 1.6 is not below its last, 1.5"),
    ("window too wide", (0, "validity"), band(1.0, 1.6), "claims 1 to 1.6 um, but the component's model hol"),
    ("window's unit", (0, "validity"), band(1.5, 1.6, "V"), "its unit is 'V', which is not a unit such as '"),
    ("unknown draw", (0, "params", 1, "variation"), spread(0.1, "wal"), "random_var 'wal' is not declared. "),
    ("wide draw", (0, "params", 0, "variation"), spread(5.0), "three standard deviations of 5 um leave what"),
    ("unknown cell", (0, "factory"), "kit.cells.strait", "there is no component 'strait'. Did you mean 'str"),
    ("two claims", (1, "factory"), "kit.cells.straight", "2 cards claim to be the sax model of 'kit.cells.s"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "path", "value", "says"), SEEDED, ids=[seed[0] for seed in SEEDED])
def test_a_seeded_mismatch_is_named(
    what: str, path: tuple[Any, ...], value: Any, says: str, tmp_path: Path
) -> None:
    data = copy.deepcopy(kit())
    place: Any = data["models"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found = texts(data, tmp_path)
    assert any(says in text for text in found), (what, found)
    assert all(text.startswith(str(tmp_path / "kit.json:")) and text.endswith((".", "?")) for text in found)


def test_a_corner_of_an_unknown_draw_is_named(tmp_path: Path) -> None:
    data = kit()
    data["process"]["corners"][0]["knobs"] = {"walls": 3.0}
    assert (
        "corner 'rough' moves 'walls', which is not one of the kit's random_vars." in texts(data, tmp_path)[0]
    )


def test_all_mismatches_are_named_at_once(tmp_path: Path) -> None:
    data = kit()
    for what, path, value, _ in SEEDED:
        if what in {"renamed port", "other default", "window in nm", "unit in a name"} and path[0] == 0:
            place = data["models"][0]
            for step in path[1:-1]:
                place = place[step]
            place[path[-1]] = value
    found = texts(data, tmp_path)
    assert (
        sum(any(part in text for text in found) for part in ("'west'", "'length_um'", "window of wavel")) == 3
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema_version": "0.2.1"}, "version '0.2.1' of pdk-schema; version 0.3 is read"),
        ({"modles": []}, "modles"),
        ({"binding": "__import__('os').system('ls')"}, "must be the name of a function, as package.module"),
        ({"binding": "../../etc/passwd"}, "'binding' is '../../etc/passwd'"),
        ({"provenance": {}}, "source"),
        ({"representation": "matlab"}, "representation"),
    ],
)  # fmt: skip
def test_a_damaged_kit_is_refused_with_its_line(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    data = kit()
    for key, value in change.items():
        if key in {"schema_version", "modles"}:
            data[key] = value
        else:
            data["models"][0][key] = value
    with pytest.raises(NetlistError) as caught:
        texts(data, tmp_path)
    assert says in str(caught.value)
    assert "kit.json:" in str(caught.value)


PLAIN = """\
photosim_pdk: 1
name: ours
cells:
  my_guide:
    component: straight
    ports: {in: o1, out: o2}
    parameters:
      length_nm: {component: length, unit: nm, default: 10000, min: 100, max: 1.0e+7, sigma: 5, random_var: w}
    windows: {wl: {min: 1500, max: 1600, unit: nm}}
    limits: {insertion_loss_dB: {max: 0.3}}
process:
  random_vars: {w: {sigma: 1.0}}
  corners: {narrow: {w: -3.0}}
"""


def test_a_port_named_like_another_one_is_a_mismatch(tmp_path: Path) -> None:
    file = tmp_path / "kit.yml"
    cell = {"component": "ring_double", "ports": {"in": "o1", "through": "o2", "add": "o3", "drop": "o4"}}
    file.write_text(
        yaml.safe_dump({"photosim_pdk": 1, "cells": {"ring": cell}}, sort_keys=False), encoding="utf-8"
    )
    found = [str(f) for f in pdk.check(file) if f.serious]
    assert len(found) == 2
    assert "the kit has its port 'through' at 'o2', the component at 'o4'" in found[0]
    assert "the kit has its port 'drop' at 'o4', the component at 'o2'" in found[1]


def test_a_plain_kit_is_read(tmp_path: Path) -> None:
    file = tmp_path / "kit.yml"
    file.write_text(PLAIN, encoding="utf-8")
    assert [str(f) for f in pdk.check(file)] == []
    found = pdk.read(file)
    assert found.cells[0].limits == {"insertion_loss_dB": {"max": 0.3}}
    assert found.statistics()["my_guide.length_nm"]["sigma"] == 5
    wrong = yaml.safe_load(PLAIN)
    wrong["photosim_pdk"] = 2
    file.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    with pytest.raises(NetlistError, match=r"the kit is of version 2; version 1 is read"):
        pdk.read(file)


def test_a_folder_is_one_kit_and_names_what_it_does_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(PLAIN, encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(kit()["models"]), encoding="utf-8")
    (tmp_path / "rules.json").write_text('{"rules": []}', encoding="utf-8")
    found = pdk.check(tmp_path)
    assert len(pdk.read(tmp_path).cells) == 3
    assert any("rules.json is not a kit" in str(f) for f in found)
    assert any("random_var 'wall' is not declared" in str(f) for f in found)


def test_a_spread_of_a_shared_draw_that_is_not_used_is_named(tmp_path: Path) -> None:
    form = yaml.safe_load(PLAIN)
    parameter = form["cells"]["my_guide"]["parameters"]["length_nm"]
    parameter |= {"sigma": 5, "random_var": "width"}
    for sigma, said in ((2.0, True), (5.0, False), (1.0, False)):
        form["process"]["random_vars"] = {"width": {"sigma": sigma}}
        (tmp_path / "kit.yml").write_text(yaml.safe_dump(form), encoding="utf-8")
        found = [str(one) for one in pdk.check(tmp_path / "kit.yml")]
        assert any("its sigma of 2 is not used" in one for one in found) == said


def test_the_command_names_mismatches_and_exits_1(tmp_path: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["pdk", "check", *words], prog_name="photosim")

    data = kit()
    (tmp_path / "kit.json").write_text(json.dumps(data), encoding="utf-8")
    done = run(str(tmp_path / "kit.json"))
    assert (done.exit_code, "2 cells, 0 mismatches" in done.stdout) == (0, True)
    data["models"][0]["params"][0]["value"] = 1000.0
    (tmp_path / "kit.json").write_text(json.dumps(data), encoding="utf-8")
    done = run(str(tmp_path), "--json")
    assert done.exit_code == 1
    assert "1000 um in the kit and 10 um" in json.loads(done.stdout)["mismatches"][0]
    done = run(str(tmp_path / "none"))
    assert (done.exit_code, "there is no file or folder" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("unit", "here", "expected"),
    [("nm", "um", 1e-3), ("dB/m", "dB/cm", 1e-2), ("deg", "rad", math.pi / 180), ("1/cm", "1/um", 1e-4),
     ("", "1", 1.0), ("V", "um", None), ("mA/W", "A/W", 1e-3), ("dB/ohm", "dB/A", None), ("%", "1", 0.01),
     ("V/mA", "ohm", 1e3), ("um^2", "um2", 1.0), ("ps/(nm km)", "s/m2", 1e-6), ("parsec", "um", None),
     ("ns/um", "s/m", 1e-3), ("cm2/GW", "m2/W", 1e-13), ("1/GHz", "s", 1e-9)],
)  # fmt: skip
def test_units(unit: str, here: str, expected: float | None) -> None:
    found = factor(unit, here)
    assert found == (None if expected is None else pytest.approx(expected))
    assert comparable(unit, here) is (expected is not None)


def test_a_temperature_in_degrees_celsius_has_no_factor() -> None:
    assert comparable("degC", "K")
    assert factor("degC", "K") is None
    assert factor("1/degC", "1/K") == 1.0


def test_limits_and_parameters_of_plain_kits_are_compared(tmp_path: Path) -> None:
    cell: dict[str, Any] = {
        "component": "photodetector",
        "ports": {"in": "o1"},
        "parameters": {"R": {"component": "responsivity", "unit": "mA/W", "default": 1000.0},
                       "R2": {"component": "responsivity", "unit": "A/W", "default": 1.0}},
        "limits": {"insertion_los_dB": {"max": 1}, "fsr": {"min": 2, "max": 1}, "q": {}},
    }  # fmt: skip
    (tmp_path / "kit.yml").write_text(yaml.safe_dump({"photosim_pdk": 1, "cells": {"pd": cell}}))
    found = [str(finding) for finding in pdk.check(tmp_path / "kit.yml") if finding.serious]
    for says in ("2 parameters, 'R', 'R2', are the component's 'respo", "Did you mean 'insertion_loss_dB'",
                 "its min 2 is above its max 1", "neither min nor max"):  # fmt: skip
        assert any(says in text for text in found), says
    assert len(found) == 4


def test_forms_are_those_of_the_package() -> None:
    schema = pytest.importorskip("pdk_schema", reason="pdk-schema needs Python 3.12")
    for body in kit()["models"]:
        assert schema.PythonModel.model_validate(body).factory == body["factory"]
    for name, ours in (("ParamSpec", "ParamForm"), ("TypedPort", "PortForm"), ("Band", "BandForm"),
                       ("Validity", "ValidityForm"), ("Provenance", "ProvenanceForm"),
                       ("NormalVariation", "NormalForm"), ("Corner", "CornerForm")):  # fmt: skip
        theirs = getattr(schema, name).model_fields
        mine = getattr(cards, ours).model_fields
        assert set(theirs) == set(mine), name
        assert {k for k, f in theirs.items() if f.is_required()} == {
            k for k, f in mine.items() if f.is_required()
        }
