"""`photosim bench` measures what it says, agrees with the plain solvers, and writes what it shows."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from photosim.cli.app import app


def test_quick_bench_shows_times_agreement_and_the_machine(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    done = CliRunner().invoke(app, ["bench", "--quick", "--out", str(out)], prog_name="photosim")
    assert done.exit_code == 0, done.stderr
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["machine"]["cores"] >= 1
    assert result["machine"]["numpy"] in done.stdout
    for row in result["rows"]:
        assert row["case"] in done.stdout
        assert 0 < row["photosim"] < row["sparse"]
        assert row["times_faster"] == min(row["sparse"], row["dense"]) / row["photosim"]
        assert row["difference"] < 1e-10


def test_bench_prints_json_and_nothing_else_on_stdout() -> None:
    done = CliRunner().invoke(app, ["bench", "--quick", "--seed", "3", "--json"], prog_name="photosim")
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["seed"] == 3
    assert [row["wavelengths"] for row in result["rows"]] == [1000, 200, 20]


def test_bench_refuses_a_place_it_cannot_write_before_it_measures(tmp_path: Path) -> None:
    out = tmp_path / "missing" / "bench.json"
    done = CliRunner().invoke(app, ["bench", "--quick", "--out", str(out)], prog_name="photosim")
    assert done.exit_code == 1
    assert "does not exist" in done.stderr
    assert done.stdout == ""
