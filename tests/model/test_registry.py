"""The registry: the nearest name, declaring twice, and pickling a component by its name."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.jobs.fingerprint import fingerprint
from photosim.model import ClosedForm, Entries, component, registry, shelf
from photosim.model.quantities import Power


def declare(module: str | None) -> ClosedForm:
    """Declare a component of one name, as a file called `module` would."""

    def twin(m: Any, wl: Any, *, kept: Power = 0.5) -> Entries:
        """Attenuator of two ports.

        Settings:
            kept: power that passes.
        """
        del wl
        return {("o1", "o2"): m.sqrt(kept)}

    # None where code is run without a name, which types do not know.
    twin.__module__ = module  # type: ignore[assignment]
    return component(ports=("o1", "o2"), source="saleh2007")(twin)


def test_component_of_code_without_a_module_is_simulated_and_found_again() -> None:
    twin = declare(None)
    assert (twin.module, twin.origin.partition(".")[0]) == ("__main__", "__main__")
    circuit = ps.Circuit({"instances": {"a": "twin"}, "ports": {"in": "a,o1", "out": "a,o2"}})
    assert circuit([1.55])["in", "out"].power[0] == pytest.approx(0.5)
    assert fingerprint(twin.function) == fingerprint(twin.function)


@pytest.mark.parametrize("name", ["strait", "Straight"])
def test_unknown_name_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(ParameterError, match=f"no component '{name}'. Did you mean 'straight'"):
        registry.get(name)
    assert not registry.known(name)


def test_name_that_is_not_text_is_refused() -> None:
    with pytest.raises(ParameterError, match="no component"):
        registry.get(["straight"])  # type: ignore[arg-type]


def test_same_declaration_again_replaces_the_old_one() -> None:
    declare("notebook")
    second = declare("notebook")
    assert registry.get("twin") is second


def test_second_component_of_a_name_is_refused_with_both_places() -> None:
    declare("first")
    with pytest.raises(ParameterError, match=r"'twin' is declared twice: in first\..*twin and in second\."):
        declare("second")


@pytest.mark.parametrize("name", ["straight", "ring_single", "coupler.gap", "sampled", "laser"])
def test_component_pickles_to_itself(name: str) -> None:
    model = registry.get(name)
    assert pickle.loads(pickle.dumps(model)) is model  # noqa: S301 - our own bytes


def test_every_component_of_the_library_stands_beside_its_file() -> None:
    declared: dict[str, set[str]] = {}
    for name in registry.names():
        place, _, file = registry.get(name).module.rpartition(".")
        if place == shelf.LIBRARY:
            declared.setdefault(file, set()).add(name)
    assert {file: set(names.split()) for file, names in shelf.FILES.items()} == declared


ALONE = """\
import sys
from photosim.model import registry
registry.get("ring_single")
print(*sorted(name for name in sys.modules if name.startswith("photosim.components.")))
"""


def test_a_component_brings_the_files_that_it_needs_and_an_unknown_one_all() -> None:
    def loaded(*more: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", "\n".join([ALONE, *more])], check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.splitlines()

    alone, *rest = loaded("print(registry.known('no such'), len(registry.names()), registry.known('laser'))")
    assert "photosim.components.rings" in alone
    assert len(alone.split()) < 10
    assert rest == [f"False {sum(len(names.split()) for names in shelf.FILES.values())} True"]


def test_a_name_of_the_library_is_refused_though_its_file_was_not_loaded() -> None:
    code = """\
from photosim.model import component

@component(ports=("o1", "o2"), source="saleh2007")
def coupler(m, wl):
    \"\"\"Coupler of the user's own.\"\"\"
    return {("o1", "o2"): 1.0}
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "Component 'coupler' is declared twice: in photosim.components.couplers.coupler" in done.stderr
