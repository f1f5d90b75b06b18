"""The large Transformer: what is said before it begins, and the same lines in small on the CPU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from photosim.errors import ParameterError
from photosim.systems import find_system
from photosim.systems.transformer_dfa import billion
from photosim.systems.transformer_dfa.scaling import BASE

torch: Any = pytest.importorskip("torch", reason="PyTorch is an extra: pip install 'photosim[torch]'")


def test_parameters_are_those_of_the_network() -> None:
    from photosim.interop.torch import transformer

    own = billion.DRY
    network = transformer(40, own.tokens, own.width, own.blocks, own.heads)
    assert own.parameters(40) == sum(values.numel() for values in network.parameters())
    assert billion.LARGE.parameters(65) > 1e9


def test_a_small_one_learns_and_says_first_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(billion, "DRY", replace(billion.DRY, steps=30, batch=8))
    said: list[str] = []
    steps: list[tuple[int, int]] = []

    def report(done: int, total: int) -> None:
        assert len(said) == 3, "memory and time come before the first step"
        steps.append((done, total))

    options = find_system("transformer-dfa").options(quick=True)
    rows = {row[0]: str(row[1]) for row in billion.run(options, report, said.append).rows}
    assert steps[-1] == (30, 30)
    assert "parameters" in said[0]
    assert float(rows["held-out loss after"]) < float(rows["held-out loss before"]) - 0.5
    frames = int(rows["frames"].replace(",", ""))
    assert 0 < frames <= 30 * 8 * billion.DRY.tokens * BASE.frames


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_a_sentence_says_what_can_be_done() -> None:
    options = find_system("transformer-dfa").options(data="manual")
    with pytest.raises(ParameterError, match=r"PyTorch finds none here: `--billion --quick`"):
        billion.run(options, lambda _done, _total: None, lambda _line: None)


def test_too_little_memory_is_said_before_anything_is_made() -> None:
    with pytest.raises(ParameterError, match=r"Too little memory: .* parameters"):
        billion.plan(replace(billion.LARGE, blocks=20_000), 65, "cpu", 1e10)
