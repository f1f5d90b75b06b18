"""A kind of analysis is one entry: a new one is read, computed, filed and refused as the others are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from photosim import plotting, runner
from photosim.analysis.chart import Chart, Curve
from photosim.analysis.options import read_entry
from photosim.analysis.result import Table
from photosim.circuit import Circuit
from photosim.errors import NetlistError
from photosim.runner.kinds import Kind, Run, kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXT = """\
instances: {guide: straight}
ports: {a: "guide,o1", b: "guide,o2"}
analyses:
- kind: loss
  name: guide_loss
  wl: 1.5
"""


@dataclass(frozen=True)
class LossOptions:
    """Options of the kind that these tests add."""

    name: str
    wl: float
    factor: float = 1.0


@dataclass(frozen=True)
class Loss:
    """Its result."""

    name: str
    power: float

    def numbers(self) -> dict[str, Any]:
        """Return the power."""
        return {"kind": "loss", "name": self.name, "power": self.power}

    def tables(self) -> tuple[Table, ...]:
        """Return the power in a table."""
        return (Table(self.name, ("power",), ((self.power,),)),)


def loss() -> Kind:
    """Return the kind: its options, computation, picture and data."""

    def read(entry: Any, circuit: Circuit) -> LossOptions:
        del circuit
        return read_entry(LossOptions, entry, "loss")

    def compute(circuit: Circuit, options: LossOptions, run: Run) -> Loss:
        run.progress(options.name, 1, 1)
        return Loss(options.name, float(circuit(options.wl)["a", "b"].power[0]) * options.factor)

    def pictures(result: Loss) -> dict[str, Callable[[], Figure]]:
        curve = Curve("power", (0.0, 1.0), (result.power, result.power))
        return {"bar": partial(plotting.draw, Chart("bar", "power", "x", "power", (curve,)))}

    def write(path: Path, result: Loss) -> None:
        path.write_text(f"{result.power!r}\n", encoding="utf-8")

    return Kind(read, compute, pictures, write)


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    kind("loss")(loss)
    yield
    del runner.KINDS["loss"]


def test_one_entry_adds_a_kind(tmp_path: Path) -> None:
    file = tmp_path / "guide.yml"
    file.write_text(TEXT, encoding="utf-8")
    told: list[tuple[str, int, int]] = []
    report = runner.run(file, out=tmp_path / "out", progress=lambda *step: told.append(step))
    assert [path.name for path in report.files] == ["guide_loss_bar.png", "guide_loss.csv", "results.json"]
    (found,) = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))["analyses"]
    assert (tmp_path / "out" / "guide_loss.csv").read_text(encoding="utf-8") == f"{found['power']!r}\n"
    assert 0.0 < found["power"] <= 1.0
    assert told == [("guide_loss", 1, 1)]
    assert [table.title for table in report.tables] == ["guide_loss"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: loss", "kind: los", "4:3: There is no analysis of kind 'los'.*Did you mean 'loss'"),
        ("wl: 1.5", "wll: 1.5", "6:3: analysis 'guide_loss' has no option 'wll'.*Did you mean 'wl'"),
        ("wl: 1.5", "wl: red", "6:3: analysis 'guide_loss': 'wl' must be a number, but is the text 'red'"),
        ("  wl: 1.5\n", "", "4:3: analysis 'guide_loss' needs the option 'wl'"),
        ("wl: 1.5", "wl: 1.5\n  factor: .nan", "'factor' must be a finite number, but is the number nan"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "guide.yml"
    file.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(NetlistError, match=said):
        runner.run(file, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_line_of_a_wave_or_setting_that_the_circuit_lacks_is_named(tmp_path: Path) -> None:
    file = tmp_path / "guide.yml"
    entry = "kind: spectrum\n  from: a\n  to: c\n  settings: {guide: {length: 2}}"
    file.write_text(TEXT.replace("kind: loss", entry), encoding="utf-8")
    with pytest.raises(NetlistError, match=r"6:3: analysis 'guide_loss': to: 'c' names no port"):
        runner.run(file, out=tmp_path / "out")
    entry = entry.replace("to: c", "to: b").replace("length", "lenght")
    file.write_text(TEXT.replace("kind: loss", entry), encoding="utf-8")
    with pytest.raises(NetlistError, match=r"7:3: analysis 'guide_loss': settings: .*lenght.*Did you mean"):
        runner.run(file, out=tmp_path / "out")
