"""Files of kernels are loaded when they are used, and numba loads only what they need."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """\
import sys
import numba
import numpy as np
import photosim as ps
values = ps.load("add_drop_ring")([1.55])["in", "drop"].values
assert "photosim.kernels.elimination" in sys.modules
late = {"photosim.kernels.networks", "photosim.kernels.meshes", "scipy.linalg"} & set(sys.modules)
assert not late, late
import photosim.kernels.meshes

@numba.njit
def product(a, b):
    return np.dot(a, b), np.linalg.solve(a, b)

a, b = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([1.0, -2.0])
found = product(a, b)
assert np.allclose(found[0], a @ b), found
assert np.allclose(a @ found[1], b), found
print("right")
"""


def test_a_first_result_loads_its_kernels_alone_and_algebra_works_later() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "right\n"


BESIDE = """\
import sys
import photosim.kernels
assert "numba" in sys.modules
assert "coverage" not in sys.modules
import coverage
assert coverage.Coverage.current() is None
print("right")
"""


def test_a_tool_for_tests_that_is_installed_is_loaded_by_those_who_ask_for_it() -> None:
    pytest.importorskip("coverage")
    # A run that measures coverage loads it in every process.
    plain = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", BESIDE], capture_output=True, text=True, check=False, env=plain
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "right\n"


def test_numba_keeps_its_own_look_at_its_algebra() -> None:
    from numba.np import linalg

    import photosim.kernels

    assert photosim.kernels.__doc__
    assert linalg.ensure_blas.__name__ == "ensure_blas"
    linalg.ensure_blas()  # type: ignore[no-untyped-call]
    assert "scipy.linalg.cython_blas" in sys.modules
