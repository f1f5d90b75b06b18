"""The examples of docs/training.md run, and its tables say what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from photosim.training.data.datasets import DATASETS
from photosim.training.optimisers import StepDecay
from photosim.training.options import parse
from photosim.training.rules import RULES


def test_the_page_runs_from_top_to_bottom(root: Path, tmp_path: Path) -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```",
        (root / "docs/training.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    code = "\nprint('----')\n".join(blocks)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = [section.split() for section in done.stdout.split("----\n")]
    (score, cycles), (best, *_) = (
        next(words for words, block in zip(printed, blocks, strict=True) if mark in block)
        for mark in ("PhotonicClassifier(", "history.best")
    )
    assert float(score) > 0.85
    assert int(cycles) > 0
    assert 1 <= int(best) <= 20


def test_the_page_names_every_rule_and_data_set(root: Path) -> None:
    page = (root / "docs/training.md").read_text(encoding="utf-8")
    for name in (*RULES, *DATASETS):
        # Variants are written by their ends: `sign-symmetry-uniform`, `-fixed`.
        assert f"`{name}`" in page or f"`-{name.rpartition('-')[2]}`" in page
    examples = [
        yaml.safe_load(own) for own in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ]
    first, second = (parse(entry) for own in examples for entry in own.get("analyses", ()))
    assert first.rules[2] == "ternary-dfa"
    assert second.network[1] == {"layer": "convolution", "channels": 8, "kernel": 3}
    assert second.optimiser.schedule == StepDecay((20, 25))
