"""The examples of the page on PyTorch run as they stand, where PyTorch is installed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import photosim as ps
from photosim.errors import ParameterError


def test_page_runs_from_top_to_bottom(root: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is an extra: pip install 'photosim[torch]'")
    text = (root / "docs" / "pytorch.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    exec(compile("\n".join(blocks), "docs/pytorch.md", "exec"), {})  # noqa: S102 - our own page


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("photosim.interop.torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delattr(ps.interop, "torch", raising=False)
    with pytest.raises(ParameterError, match=r"pip install 'photosim\[torch\]'"):
        _ = ps.interop.torch
