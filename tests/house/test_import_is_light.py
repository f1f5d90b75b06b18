"""`import photosim` loads numpy at most, and each public name is found where the lazy face says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import photosim


def modules_after(code: str) -> set[str]:
    """Return the top-level names in sys.modules of a fresh interpreter that has run `code`."""
    report = "; import sys, json; print(json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "code",
    [
        "import photosim",
        "import photosim as ps; ps.wavelengths(1.5, 1.6, 3)",
        "import photosim as ps; ps.NetlistError",
        "import photosim as ps; ps.Netlist(instances={})",
    ],
)
def test_import_loads_numpy_at_most(code: str) -> None:
    brought = modules_after(code) - modules_after("pass") - sys.stdlib_module_names
    assert brought <= {"photosim", "numpy"}


def test_import_does_not_load_the_component_library() -> None:
    code = "import photosim, sys; assert 'photosim.components' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", photosim.__all__)
def test_public_name_is_found(name: str) -> None:
    assert getattr(photosim, name) is not None
    assert name in dir(photosim)


def test_all_lists_exactly_the_lazy_names() -> None:
    assert set(photosim.__all__) == set(photosim._HOMES)


def test_unknown_name_says_what_is_near() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Circiut'\. Did you mean 'Circuit'\?"):
        _ = photosim.Circiut  # the misspelling is the point


def test_components_refuse_a_second_name(root: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import components"],
        cwd=str(root),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ImportError: import photosim.components, not 'components'" in done.stderr
