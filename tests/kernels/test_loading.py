"""Files of kernels are loaded when they are used, and numba loads only what they need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


FOUND = """\
import sys
import numba
import numpy as np
from photosim.model import registry
from photosim.model.codegen import kernels

attenuator = kernels(registry.get("attenuator"))
given = np.ones((1, 1)), np.full((1, 1, len(attenuator.parameters)), 0.5)
out = np.zeros((1, 1, attenuator.values, 2, 1))
attenuator.evaluate(*given, out)
print(out.tolist(), "numba.np.arraymath" in sys.modules, "scipy.linalg" in sys.modules)

@numba.njit
def attenuated(wl, parameters, out):
    evaluate(wl, parameters, out)
    return np.dot(out.ravel(), out.ravel()), np.unique(wl)

evaluate = attenuator.evaluate
again = np.zeros_like(out)
square, grid = attenuated(*given, again)
assert (again == out).all()
assert np.isclose(square, (out**2).sum())
assert grid.tolist() == [1.0]
"""


def test_machine_code_that_is_found_needs_no_compiler_and_can_be_compiled_into_more(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in {"NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT"}}
    environment["PHOTOSIM_CACHE"] = str(tmp_path)
    seen = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", FOUND], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        seen.append(done.stdout.rpartition("]")[::2])
    (first, compiled), (second, found) = seen
    assert first == second
    assert compiled == " True False\n"
    assert found == " False False\n"


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
