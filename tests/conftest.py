"""What tests of every folder share: places, and the settings of plots and of generated examples."""

from __future__ import annotations

import compileall
import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).parents[1]

# Coverage is of what tests reach, not of the commands that they start, whose memory is limited.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.pop("COVERAGE_PROCESS_START", None)
    # One thread of linear algebra for each process of tests, and for the commands that it starts: OpenBLAS's
    # threads wait in a busy loop, and on cores that they share a small product took a hundred times as long.
    for library in ("OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    threadpool_limits(1, "blas")  # plugins of other packages have loaded numpy before the lines above
# Plots are drawn without a screen; set before anything imports matplotlib.
os.environ.setdefault("MPLBACKEND", "Agg")

# A first call may compile a kernel, so no deadline; the same examples on every run, so that a
# failure in CI is the failure seen at home.
settings.register_profile(
    "photosim", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# Nightly, other examples every time; what fails is printed so that it can be run again anywhere.
settings.register_profile(
    "nightly",
    deadline=None,
    print_blob=True,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "photosim"))
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


def pytest_configure(config: pytest.Config) -> None:
    """Compile the sources once, where Python would do so again in each command that a test starts."""
    if sys.dont_write_bytecode and not hasattr(config, "workerinput"):
        compileall.compile_dir(ROOT / "photosim", quiet=2)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the collector of cycles pass over what collecting made, which lives as long as the process."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip by day what runs at night."""
    if not NIGHTLY:
        skipped = pytest.mark.skip(reason="runs at night: HYPOTHESIS_PROFILE=nightly")
        for item in items:
            if "nightly" in item.keywords:
                item.add_marker(skipped)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data and golden arrays, PHOTOSIM_SHARED_DATA or beside the checkout; skips without it."""
    folder = Path(os.environ.get("PHOTOSIM_SHARED_DATA", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the folder of shared data and golden arrays is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def siepic() -> Path:
    """The folder of real netlists and S-parameters of the SiEPIC kit."""
    return ROOT / "tests" / "data" / "siepic"


@pytest.fixture(scope="session")
def forms() -> Path:
    """The folder of short files in the forms that other programs write."""
    return ROOT / "tests" / "data" / "forms"
