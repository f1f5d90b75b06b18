"""Where kernels are kept: the folder asked for, the user's, or a temporary one where neither is writable."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
import pytest

from photosim import caching
from tests.forked import forked


@pytest.fixture(autouse=True)
def _forget() -> None:
    caching.writable_folder.cache_clear()


def test_folder_is_the_one_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSIM_CACHE", str(tmp_path / "mine"))
    assert caching.cache_folder() == tmp_path / "mine" / "compiled"
    assert caching.writable_folder() == tmp_path / "mine" / "compiled"
    assert caching.writable_folder().is_dir()


def test_folder_is_the_users_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOSIM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert caching.cache_folder().name == "compiled"
    assert "photosim" in caching.cache_folder().parts


def test_folder_is_temporary_where_the_cache_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("PHOTOSIM_CACHE", str(tmp_path / "file"))
    folder = caching.writable_folder()
    assert folder.is_dir()
    assert not folder.is_relative_to(tmp_path)
    assert caching.writable_folder() == folder, "one folder for the whole process"


def test_kernels_leave_the_users_numba_settings_alone() -> None:
    config: Any = numba.config
    before = config.CACHE_DIR
    import photosim.kernels.elimination

    assert photosim.kernels.elimination.run is not None
    after = config.CACHE_DIR
    assert after == before


Filled = Callable[[str], tuple[Path, str]]
FORMULA = """\
import numpy as np
from photosim.model import registry
from photosim.model.codegen import kernels
attenuator = kernels(registry.get("attenuator"))
out = np.zeros((1, 1, attenuator.values, 2, 1))
attenuator.evaluate(np.ones((1, 1)), np.full((1, 1, len(attenuator.parameters)), 0.5), out)
print(out.tolist())
"""
"""A component's formula, whose kernel is written as a file of Python."""
KERNEL = """\
import numpy as np
from photosim.kernels.chain import contract
out = np.zeros((1, 1, 1, 2))
contract(np.ones((1, 1, 2, 1, 2, 2)), np.ones((1, 1, 4)), np.zeros(1, int), np.ones(1, int), out)
print(out.tolist())
"""
"""One kernel of the package."""


Simulated = Callable[[Path, str], tuple[str, str]]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Give what runs a script in a fresh process with its own cache: what it printed and warned."""
    plain = {k: v for k, v in os.environ.items() if k not in {"NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT"}}
    place = tmp_path_factory.mktemp("processes")
    with forked("import numba, numpy, sympy", place, [], plain) as processes:

        def simulate(folder: Path, script: str) -> tuple[str, str]:
            done = processes.run(script, place, {**plain, "PHOTOSIM_CACHE": str(folder)})
            assert done.returncode == 0, done.stderr
            return done.stdout, done.stderr

        yield simulate


@pytest.fixture(scope="module")
def filled(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Give a script's cache folder with all that it needs, and what it prints."""

    @cache
    def fill(script: str) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp("filled")
        printed, warned = simulated(folder, script)
        assert "CacheWarning" not in warned
        assert simulated(folder, script) == (printed, ""), "what was kept is read again"
        return folder, printed

    return fill


def emptied(content: bytes) -> bytes:
    return content[:0]


def halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


def scrambled(content: bytes) -> bytes:
    return bytes(255 - byte for byte in content)


def touched(content: bytes) -> bytes:
    """One bit of one byte in the middle: machine code that would run and be wrong."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".py", emptied),
        *(
            pytest.param(suffix, damage, marks=pytest.mark.nightly)
            for suffix, damage in ((".nbi", scrambled), (".nbc", touched))
        ),
        (".nbc", halved),
    ],
)
def test_a_damaged_kernel_is_made_again(
    filled: Filled, simulated: Simulated, suffix: str, damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    script = FORMULA if suffix == ".py" else KERNEL
    folder, printed = filled(script)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    damaged = [path for path in copy.rglob(f"*{suffix}") if suffix != ".py" or path.parent.name == "compiled"]
    assert damaged
    for path in damaged:
        path.write_bytes(damage(path.read_bytes()))
    again, warned = simulated(copy, script)
    assert again == printed
    assert "CacheWarning: The kept kernel" in warned


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def full_folder_instead(path: Path) -> None:
    folder_instead(path)
    (path / "own").write_text("not ours", encoding="utf-8")


def pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
@pytest.mark.parametrize(
    ("suffix", "replaced"),
    [(".py", folder_instead), (".nbi", folder_instead), (".nbc", folder_instead), (".py", pipe_instead),
     (".nbi", pipe_instead), (".nbi", full_folder_instead), (".nbc", full_folder_instead)],
)  # fmt: skip
def test_what_is_not_a_file_is_no_kept_kernel(
    filled: Filled, simulated: Simulated, suffix: str, replaced: Callable[[Path], None], tmp_path: Path
) -> None:
    """Nothing waits for a pipe, and a folder that holds files of others is left as it is."""
    script = FORMULA if suffix == ".py" else KERNEL
    folder, printed = filled(script)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    places = [path for path in copy.rglob(f"*{suffix}") if suffix != ".py" or path.parent.name == "compiled"]
    for path in places:
        replaced(path)
    again, warned = simulated(copy, script)
    assert again == printed
    assert "CacheWarning: " in warned
    if replaced is full_folder_instead:
        assert all((path / "own").is_file() for path in places)
        assert "cannot be kept" in warned
    else:
        assert simulated(copy, script) == (printed, ""), "what was made again is kept"


def test_a_kernel_that_cannot_be_kept_is_used_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core.caching import IndexDataCacheFile

    from photosim.kernels.chain import contract

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "_save_index", full)
    monkeypatch.setattr(IndexDataCacheFile, "_save_data", full)
    kernel: Any = numba.njit(cache=True)(contract.py_func)
    caching.guard_kernel(kernel)
    with pytest.warns(caching.CacheWarning, match="cannot be kept in .*No space left on device"):
        kernel._cache._cache_file.save("key", b"data")
