"""Where kernels are kept: the folder asked for, the user's, or a temporary one where neither is writable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numba
import pytest

from photosim import caching


@pytest.fixture(autouse=True)
def _forget() -> None:
    caching.writable_folder.cache_clear()


def test_folder_is_the_one_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSIM_CACHE", str(tmp_path / "mine"))
    assert caching.cache_folder() == tmp_path / "mine" / "kernels"
    assert caching.writable_folder() == tmp_path / "mine" / "kernels"
    assert caching.writable_folder().is_dir()


def test_folder_is_the_users_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOSIM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert caching.cache_folder().name == "kernels"
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
