"""The independent reference of the engine: a dense solve of the same parts by numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from photosim.testing.dense import dense as dense_solve


@pytest.fixture(scope="session")
def dense() -> Callable[..., Any]:
    """Give tests the reference as a fixture."""
    return dense_solve
