"""An error of an analysis begins with its place in the netlist and its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photosim.errors import DataError, ParameterError
from photosim.runner import run

NETLIST = """\
instances:
  a: {component: straight, settings: {length: 10.0}}
ports: {in: "a,o1", out: "a,o2"}
analyses:
  - {kind: spectrum, name: first, wl: "1.54:1.56:3"}
  - {kind: train, name: second, data: %s, network: [%s, 2], rules: [backprop], %s epochs: 1, seeds: 1}
"""


@pytest.mark.parametrize(
    ("data", "inputs", "more", "kind", "said"),
    [
        ("absent.npz", "4", "", DataError, "There is no file or folder .*absent.npz"),
        ("own.npz", "8", "", ParameterError, "own has 4 inputs and 2 classes, but the network 8-2"),
        ("own.npz", "4", "hardware: clements, ", ParameterError, "'clements' is not a netlist"),
    ],
)
def test_an_error_while_computing_names_file_line_and_analysis(
    data: str, inputs: str, more: str, kind: type[Exception], said: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "own.npz", x=np.eye(4), y=np.array([0, 1, 0, 1]))
    file = tmp_path / "chip.yml"
    file.write_text(NETLIST % (tmp_path / data, inputs, more), encoding="utf-8")
    with pytest.raises(kind, match=rf"chip\.yml:6:5: analysis 'second': .*{said}") as caught:
        run(file, out=tmp_path / "out")
    assert str(caught.value).count("analysis 'second'") == 1
    assert not (tmp_path / "out").exists()
