"""The wheel, the sdist and the editable install hold the files of the tree, no more and no fewer.

The build hooks of setuptools are called directly on a copy of the tree: no network, no pip, and no stale
build/ folder of an earlier build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

NOT_SOURCE = (
    ".venv",
    ".git",
    "build",
    "dist",
    "results",
    "__pycache__",
    "*.egg-info",
    ".*_cache",
    ".hypothesis",
)
HOOKS = "from setuptools import build_meta as b; b.{hook}({folder!r})"


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with its links kept as links."""
    folder = tmp_path_factory.mktemp("source") / "photosim"
    shutil.copytree(root, folder, symlinks=True, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    return folder


def build(hook: str, source: Path, folder: Path) -> Path:
    """Run one build hook in `source` and return the archive it wrote to the empty `folder`."""
    code = HOOKS.format(hook=hook, folder=str(folder))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = folder.iterdir()
    return archive


def wheel_files(archive: Path) -> set[str]:
    """Return the names in a wheel without its metadata."""
    names = [name for name in zipfile.ZipFile(archive).namelist() if ".dist-info/" not in name]
    assert len(names) == len(set(names)), "the links put a file into the wheel twice"
    return set(names)


@pytest.fixture(scope="module")
def wheel(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("build_wheel", copy, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("build_sdist", copy, tmp_path_factory.mktemp("sdist"))


def package_files(root: Path) -> set[str]:
    """Return what an installation must hold: the files of the three source folders, by installed name."""
    homes = {
        "photosim": root / "photosim",
        "photosim/components": root / "components",
        "photosim/gallery": root / "netlists",
    }
    links = {root / "photosim" / "components", root / "photosim" / "gallery"}
    found = set()
    for prefix, folder in homes.items():
        for path in folder.rglob("*"):
            inside = not links & {path, *path.parents}
            if path.is_file() and inside and "__pycache__" not in path.parts:
                found.add(f"{prefix}/{path.relative_to(folder).as_posix()}")
    return found


def test_wheel_holds_the_tree(copy: Path, wheel: Path) -> None:
    assert wheel_files(wheel) == package_files(copy)


def test_wheel_has_one_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (top_level,) = (name for name in archive.namelist() if name.endswith("top_level.txt"))
        assert archive.read(top_level).decode().split() == ["photosim"]


def test_wheel_carries_licence_script_and_types(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (scripts,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "photosim = photosim.cli:main" in archive.read(scripts).decode()
    assert "photosim/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_packages_listed_by_hand_are_the_packages_of_the_tree(copy: Path, project: dict[str, Any]) -> None:
    listed = project["tool"]["setuptools"]["packages"]
    tree = {name.rpartition("/")[0].replace("/", ".") for name in package_files(copy) if name.endswith(".py")}
    assert sorted(listed) == sorted(tree)


def test_sdist_keeps_the_folders_and_rebuilds_the_same_wheel(
    copy: Path, wheel: Path, sdist: Path, tmp_path: Path
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    for name in ("README.md", "LICENSE", "pyproject.toml"):
        assert (source / name).read_bytes() == (copy / name).read_bytes()
    assert (source / "components" / "__init__.py").is_file()
    assert (source / "netlists" / "__init__.py").is_file()
    out = tmp_path / "out"
    out.mkdir()
    assert wheel_files(build("build_wheel", source, out)) == wheel_files(wheel)


def installed_paths(site: Path, folder: Path) -> dict[str, str]:
    """Return where a fresh interpreter in `folder` finds the three packages with only `site` on its path.

    -S keeps this environment's own installation of photosim out; `import photosim` itself needs none of it.
    """
    code = """\
import site, sys
site.addsitedir(sys.argv[1])
import importlib.util
for name in ("photosim", "photosim.components", "photosim.gallery"):
    print(name, importlib.util.find_spec(name).origin)
"""
    command = [sys.executable, "-S", "-c", code, str(site)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def editable(source: Path, tmp_path: Path) -> Path:
    """Return a folder like site-packages after `pip install -e` of a checkout."""
    built, site = tmp_path / "built", tmp_path / "site"
    built.mkdir()
    zipfile.ZipFile(build("build_editable", source, built)).extractall(site)
    return site


@pytest.mark.parametrize("where", ["elsewhere", "beside the checkout"])
def test_editable_install_points_at_the_checkout(copy: Path, tmp_path: Path, where: str) -> None:
    """Beside a checkout that is called photosim, Python must not take it for an empty package."""
    folder = copy.parent if where == "beside the checkout" else tmp_path
    found = installed_paths(editable(copy, tmp_path), folder)
    assert {name: Path(origin).resolve() for name, origin in found.items()} == {
        "photosim": (copy / "photosim" / "__init__.py").resolve(),
        "photosim.components": (copy / "components" / "__init__.py").resolve(),
        "photosim.gallery": (copy / "netlists" / "__init__.py").resolve(),
    }


def test_editable_install_without_links(root: Path, tmp_path: Path) -> None:
    """Git writes links as files of text where the system has none, as on Windows."""
    source = tmp_path / "checkout"
    shutil.copytree(root, source, symlinks=True, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    for name, target in (("components", "../components"), ("gallery", "../netlists")):
        (source / "photosim" / name).unlink()
        (source / "photosim" / name).write_text(target, encoding="utf-8")
    found = installed_paths(editable(source, tmp_path), tmp_path)
    assert Path(found["photosim.components"]) == source / "components" / "__init__.py"
    assert Path(found["photosim.gallery"]) == source / "netlists" / "__init__.py"
    out = tmp_path / "out"
    out.mkdir()
    assert wheel_files(build("build_wheel", source, out)) == package_files(root)


def test_wheel_install_is_complete_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    for origin in installed_paths(tmp_path, tmp_path).values():
        assert Path(origin).is_relative_to(tmp_path)


SIMULATE = """\
import photosim as ps
circuit = ps.Circuit({
    "instances": {"ring": "ring_double"},
    "ports": {"in": "ring,in", "drop": "ring,drop", "add": "ring,add", "through": "ring,through"},
})
print(circuit(wl=[1.55])["in", "drop"].power[0], ps.__file__)
"""


def test_installed_files_stay_as_they_were_after_a_simulation(wheel: Path, tmp_path: Path) -> None:
    """Files that pip did not write would outlive an uninstall, and hide an editable install made later."""
    site, cache = tmp_path / "site", tmp_path / "cache"
    zipfile.ZipFile(wheel).extractall(site)
    environment = dict(
        os.environ, PYTHONPATH=str(site), PHOTOSIM_CACHE=str(cache), PYTHONDONTWRITEBYTECODE="1"
    )
    for name in ("NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT"):
        environment.pop(name, None)
    before = {path for path in site.rglob("*") if path.is_file()}
    command = [sys.executable, "-W", "error", "-c", SIMULATE]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(site) in done.stdout
    assert {path for path in site.rglob("*") if path.is_file()} == before
    assert any("elimination" in path.name for path in cache.rglob("*.nbi"))


@pytest.mark.parametrize(("link", "target"), [("components", "../components"), ("gallery", "../netlists")])
def test_links_are_relative(root: Path, link: str, target: str) -> None:
    path = root / "photosim" / link
    assert path.is_symlink()
    assert path.readlink() == Path(target)


def test_components_folder_is_flat(root: Path) -> None:
    folders = [p.name for p in (root / "components").iterdir() if p.is_dir() and p.name != "__pycache__"]
    assert folders == []
