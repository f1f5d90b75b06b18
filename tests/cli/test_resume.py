"""A training that is killed goes on with --resume to the same numbers, and keeps no checkpoints once done."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from photosim.cli.app import app

NETLIST = """
name: bank
instances:
  laser: {component: laser, settings: {lines: 10, spacing: 200.0e+9}}
  bank: {component: weight_bank, settings: {rows: 4, channels: 10, spacing: 200.0e+9, order: 50}}
connections: {"laser,o1": "bank,o1"}
analyses:
  - kind: train
    name: digits
    data: digits
    network: [64, 16, 10]
    device: bank
    rules: [backprop, dfa-device-noise]
    seeds: 2
    epochs: EPOCHS
    optimiser: {method: adam, learning_rate: 0.003}
"""


def words(folder: Path, *options: str) -> list[str]:
    return ["train", str(folder / "bank.yml"), "--out", str(folder / "out"), *options]


def here(folder: Path, *options: str) -> Any:
    """Run the command in this process, in which all is loaded."""
    return CliRunner().invoke(app, words(folder, *options), prog_name="photosim")


def numbers(folder: Path) -> Any:
    (entry,) = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))["analyses"]
    return {name: value for name, value in entry.items() if name != "seconds"}


def test_a_killed_training_ends_as_if_it_had_lived(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for folder in (killed, whole):
        folder.mkdir()
        (folder / "bank.yml").write_text(NETLIST.replace("EPOCHS", "6"), encoding="utf-8")
    command = [sys.executable, "-c", "from photosim.cli import main; main()", *words(killed)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    kept = killed / "out" / "photosim-checkpoints" / "digits-dfa-device-noise-0.checkpoint.npz"
    while not kept.exists() and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert kept.exists(), "the training ended before it could be killed"
    assert not (killed / "out" / "results.json").exists()
    assert here(killed, "--resume").exit_code == 0
    assert here(whole).exit_code == 0
    assert numbers(killed) == numbers(whole)
    assert not kept.parent.exists()


def test_checkpoints_of_another_training_are_refused_and_without_resume_replaced(tmp_path: Path) -> None:
    netlist = tmp_path / "bank.yml"
    netlist.write_text(NETLIST.replace("EPOCHS", "1").replace("seeds: 2", "seeds: 1"), encoding="utf-8")
    strange = tmp_path / "out" / "photosim-checkpoints" / "digits-backprop-0.checkpoint.npz"
    strange.parent.mkdir(parents=True)
    (strange.parent / "written-by-photosim").write_text("")
    strange.write_bytes(b"no checkpoint")
    done = here(tmp_path, "--resume")
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert "digits-backprop-0.checkpoint.npz" in done.stderr.splitlines()[-1]
    assert strange.exists()
    assert here(tmp_path).exit_code == 0
    assert not strange.parent.exists()
