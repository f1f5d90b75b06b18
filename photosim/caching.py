"""The folder on this machine where kernels are kept between sessions."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of kernels: $PHOTOSIM_CACHE/kernels, else one in the user's cache folder."""
    chosen = os.environ.get("PHOTOSIM_CACHE")
    if chosen:
        return Path(chosen) / "kernels"
    from platformdirs import user_cache_path

    return user_cache_path("photosim") / "kernels"


@cache
def writable_folder() -> Path:
    """Return the cache folder, or where it cannot be written a temporary one that ends with the process."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="photosim-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
