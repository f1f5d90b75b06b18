"""What editors and notebooks complete: instances and settings of a call, pairs of ports, names of results."""

from __future__ import annotations

import inspect

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import photosim as ps

RING = ps.load("add_drop_ring")


def completed(text: str, **names: object) -> list[str]:
    shell = InteractiveShell.instance()
    shell.Completer.use_jedi = False
    shell.user_ns.update(names)
    with provisionalcompleter():
        return [one.text for one in shell.Completer.completions(text, len(text))]


def test_a_call_completes_instances_and_settings_of_the_circuit() -> None:
    found = completed("circuit(1.55, r", circuit=RING)
    assert "ring=" in found
    assert "temperature=" in completed("circuit(1.55, tem", circuit=RING)


def test_the_signature_of_a_circuit_names_its_own_settings_and_the_class_does_not() -> None:
    names = list(inspect.signature(RING).parameters)
    assert names[:2] == ["wl", "ports"]
    assert {"ring", "temperature"} <= set(names)
    assert "ring" not in inspect.signature(ps.Circuit).parameters


def test_brackets_of_a_matrix_complete_pairs_of_ports() -> None:
    s = RING(1.55)
    assert ("in", "drop") in s._ipython_key_completions_()
    assert any("drop" in text for text in completed('s["in", "d', s=s))


def test_brackets_of_parameters_complete_dotted_names() -> None:
    assert any("ring.radius" in text for text in completed('p["ring.ra', p=RING.parameters))


@pytest.mark.parametrize("name", ["fwhm", "sel", "plot", "metrics", "frequency"])
def test_a_trace_completes_what_it_can_be_asked(name: str) -> None:
    assert name in dir(RING(1.55)["in", "drop"])
