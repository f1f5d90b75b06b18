"""A registry of the test's own: what a test declares is forgotten after it."""

from __future__ import annotations

import pytest

from photosim.model import registry


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test declare components that no other test sees."""
    registry.names()  # the library is there before the copy, not only in it
    monkeypatch.setattr(registry, "_models", dict(registry._models))
