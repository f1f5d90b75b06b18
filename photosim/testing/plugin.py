"""The pytest plugin: `pytest --photosim-laws parts.py` tries the laws on all components that a file declares.

It does nothing unless asked, and loads photosim only then. The fixture `laws` is `photosim.testing.check`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

OPTION = "--photosim-laws"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("photosim", "laws of photonic components")
    group.addoption(
        OPTION, action="append", default=[], metavar="FILE", dest="photosim_laws",
        help="Python file of components to try the laws of physics on; repeatable.",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Collect the files of the option, and nothing else where only they are named."""
    files = [str(Path(name).resolve()) for name in config.getoption("photosim_laws")]
    if files:
        named = [name for name in config.invocation_params.args if not str(name).startswith("-")]
        given = [name for name in config.args if str(name) in map(str, named) and name not in _values(config)]
        config.args[:] = [*given, *files]


def _values(config: pytest.Config) -> set[str]:
    return set(config.getoption("photosim_laws"))


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a file of components as laws to try instead of as a module of tests."""
    wanted = {Path(name).resolve() for name in parent.config.getoption("photosim_laws")}
    if module_path.resolve() in wanted:
        collector: pytest.Collector = ComponentFile.from_parent(parent, path=module_path)
        return collector
    return None


class ComponentFile(pytest.File):
    """A file of components: one test for each component and each law that applies to it."""

    def collect(self) -> Iterator[pytest.Item]:
        """Run the file and yield its tests."""
        from photosim.model import registry
        from photosim.testing import laws

        for name in registry.load_file(self.path):
            for law in laws(name):
                yield LawItem.from_parent(self, name=f"{name}::{law.name}", component=name, law=law.name)


class LawItem(pytest.Item):
    """One law, tried on one component."""

    def __init__(self, *, component: str, law: str, **extra: Any) -> None:
        super().__init__(**extra)
        self.component, self.law = component, law

    def runtest(self) -> None:
        """Try the law; LawBroken fails the test."""
        from photosim.testing import check

        check(self.component, only=self.law)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the sentence of a broken law without a traceback."""
        from photosim.errors import PhotosimError

        if isinstance(excinfo.value, PhotosimError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the component stands."""
        return self.path, None, self.name


@pytest.fixture(scope="session")
def laws() -> Callable[..., Any]:
    """`photosim.testing.check`, which raises LawBroken for what breaks a law."""
    from photosim.testing import check

    return check
