"""Keys of kept work: whatever decides what a value does is part of its key."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from photosim.errors import DataError
from photosim.jobs.fingerprint import fingerprint
from photosim.training.devices import Digital


def test_fingerprints_tell_classes_methods_and_bound_functions_apart() -> None:
    def kind(factor: float, *, body: bool, record: bool) -> Any:
        class Own:
            size: float = 1.0 if body else factor

            def __call__(self, x: float) -> float:
                return factor * x if body else self.size * x

        return dataclass(frozen=True)(Own)() if record else Own()

    pairs = [(body, record) for body in (False, True) for record in (False, True)]
    different = [kind(factor, body=b, record=r) for factor in (0.5, 0.25) for b, r in pairs]
    different += [np.eye(2).dot, (2 * np.eye(2)).dot, {"a": 1}.get, {"a": 2}.get, np.sin, np.cos, expit]
    different += [math.sin, math.cos, Counter, Digital]
    keys = [fingerprint(value) for value in different]
    assert len(set(keys)) == len(keys)
    assert keys[0] == fingerprint(kind(0.5, body=False, record=False))
    assert keys[3] == fingerprint(kind(0.5, body=True, record=True))
    with pytest.raises(DataError, match="cannot be part of a checkpoint's key"):
        fingerprint(np.frompyfunc(lambda x: 0.5 * x, 1, 1))
