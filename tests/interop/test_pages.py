"""The examples of the pages on PyTorch, JAX and SAX run as they stand, where those are installed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import photosim as ps
from photosim.errors import ParameterError


@pytest.mark.parametrize(("page", "package"), [("pytorch", "torch"), ("jax", "jax"), ("formats", "sax")])
def test_page_runs_from_top_to_bottom(root: Path, page: str, package: str) -> None:
    pytest.importorskip(package, reason=f"{package} is an extra: pip install 'photosim[{package}]'")
    text = (root / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    exec(compile("\n".join(blocks), f"docs/{page}.md", "exec"), {})  # noqa: S102 - our own page


def test_without_pytorch_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("photosim.interop.torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    if "torch" in vars(ps.interop):
        monkeypatch.delattr(ps.interop, "torch")
    with pytest.raises(ParameterError, match=r"pip install 'photosim\[torch\]'"):
        _ = ps.interop.torch
