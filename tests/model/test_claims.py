"""Claims of a declaration name ports and settings that exist, or are refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from photosim.errors import ParameterError
from photosim.model import Algebra, Entries, Power, component, registry


@pytest.fixture(autouse=True)
def own_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what a test declares."""
    registry.names()
    monkeypatch.setattr(registry, "_models", dict(registry._models))


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        (
            {"lossless_when": {"los": 0.0}},
            "lossless_when has the setting 'los', which .* Did you mean 'loss'",
        ),
        (
            {"real_when": {"phase": 0.0}},
            "real_when has the setting 'phase', which the component does not have",
        ),
        ({"kramers_kronig_when": {"x": 1.0}}, "kramers_kronig_when has the setting 'x'"),
        (
            {"symmetries": {("o2", "o3"): {}}},
            "symmetries must list its ports in another order, o1, o2; got o2, o3",
        ),
        ({"symmetries": {("o2", "o1"): {"ratio": 0.5}}}, "symmetries has the setting 'ratio'"),
    ],
)
def test_a_claim_about_what_is_not_there_is_refused(claims: dict[str, Any], sentence: str) -> None:
    def claiming(m: Algebra, wl: Any, *, loss: Power = 0.5) -> Entries:
        """Pane.

        Settings:
            loss: power lost.
        """
        del wl
        return {("o1", "o2"): m.sqrt(1 - loss)}

    with pytest.raises(ParameterError, match=sentence):
        component(ports=("o1", "o2"), source="me", **claims)(claiming)
