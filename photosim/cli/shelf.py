"""Lists to choose from: the components, found by any of their names, and the circuits of the gallery."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING

from photosim.analysis.result import Table
from photosim.cli.show import show_json, show_tables
from photosim.errors import ParameterError, did_you_mean
from photosim.model import registry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from photosim.model import Model

_SEARCHED = {
    "coupler_ring": ("ebeam_dc_halfring_straight", "halfring"),
    "directional_coupler": ("ebeam_dc_te1550", "dc"),
    "phase_modulator": (
        "eom",
        "electro-optic modulator",
        "optical modulator measured",
        "elec_optical_modulator",
    ),
    "mach_zehnder_modulator": (
        "eom",
        "electro-optic modulator",
        "mzm",
        "optical modulator measured",
        "ook modulator",
    ),
    "photodetector": ("pd", "photodiode"),
    "avalanche_photodetector": ("apd",),
    "rate_equation_laser": ("twlm", "laser diode", "dfb"),
    "laser": ("cwl",),
    "electro_absorption_modulator": ("eam",),
    "ring_modulator": ("ring_single_pn", "ring_double_pn"),
    "fibre": ("optical fiber", "smf"),
    "coupler_straight": ("ebeam_dc",),
    "isolator": ("faraday rotator",),
    "transimpedance_amplifier": ("tia",),
    "soa": ("edfa", "optical amplifier"),
    "free_propagation_region": (
        *("awg", "arrayed waveguide grating", "wdm", "wavelength multiplexer"),
        *("mux", "demux", "wavelength demultiplexer"),
    ),
    "contra_directional_coupler": ("wdm", "wavelength multiplexer", "add-drop filter"),
    "ring_double": ("wdm", "wavelength multiplexer", "add-drop filter", "disk"),
    "ring_single": ("disk", "microdisk", "notch filter"),
    "mzi": ("optical switch",),
    "mzi_block": ("optical switch",),
    "splitter": ("splitter tree",),
    "reflector": ("loop mirror", "sagnac"),
    "low_pass_filter": ("bessel filter", "butterworth filter"),
    "sampled": ("optical n port", "nport", "s-parameter file"),
}
"""Words by which people look for a component, and that are not names of it in a netlist."""
_ELSEWHERE = {
    ("ona", "optical network analyzer", "osa", "optical spectrum analyzer"): (
        "`photosim simulate FILE --wl 1.54:1.56:auto` computes the spectrum between the ports of a circuit"
    ),
    ("prbs", "nrz", "pulse generator", "bit sequence generator"): (
        "`photosim transient FILE --drive SETTING=prbs:rate=1e10` drives a setting with a waveform"
    ),
    ("oscilloscope", "eye diagram", "ber tester"): (
        "`photosim transient FILE --eye` shows what the detectors of a circuit receive"
    ),
}
"""Instruments of other simulators, and the command in whose place they stand."""
_METAL = frozenset({"bond pad", "bondpad", "ebeam_BondPad", "gssg_electrical_pads", "metal", "route_metal"})
"""Drawn metal of other tools, beside the cells that layouts of gdsfactory have."""
_SHORT = 3
"""Letters of a word up to which it must begin a word of the texts: "ona" is not in "directional"."""
_NEAREST = 4
_MISSPELT = 0.9
"""Likeness of a name from which on it is one that is misspelt."""
_MAKES = frozenset(
    {"ebeam", "te", "tm", "te1550", "tm1550", "1550", "1310", "optical", "electrical", "array"}
)
"""Words in the names of cells that say nothing about the component."""
_SENTENCE_END = re.compile(r"\.(?=\s+[A-Z#]|$)")


def components(words: tuple[str, ...]) -> list[Model]:
    """Return the components whose name, other names, family or first sentence has all words.

    Letter case, spaces, hyphens and underscores do not matter. Names come before sentences. Raises
    ParameterError where there is none, with the command in place of an instrument, or the nearest name.
    """
    models = [registry.get(name) for name in registry.names() if "." not in name]
    if not words:
        return models
    _refuse_instrument(" ".join(words))
    wanted = [_plain(word) for word in words]
    titles = {model.name: _plain(" | ".join((model.name, *_sought(model)))) for model in models}
    names = {m.name: " | ".join((m.name, *_sought(m))) for m in models}
    texts = {m.name: f"{_family(m)} | {m.summary}" for m in models}
    _refuse_metal(" ".join(words), titles)
    found = [m for m in models if all(_begins(w, names[m.name]) or _starts(w, texts[m.name]) for w in words)]
    if not found and not any(word.isalpha() and len(word) <= _SHORT for word in wanted):
        found = [m for m in models if all(word in titles[m.name] + _plain(texts[m.name]) for word in wanted)]
    if not found:
        raise ParameterError(_not_found(" ".join(words), models))

    def rank(model: Model) -> tuple[bool, bool, bool]:
        own, other = _plain(model.name), titles[model.name]
        return (
            not all(word in own for word in wanted),
            not all(word in other for word in wanted),
            not all(_starts(word, names[model.name]) for word in words),
        )

    return sorted(found, key=rank)


def _refuse_instrument(text: str) -> None:
    """Raise ParameterError for an instrument of other simulators, with the command that does its work."""
    for names, command in _ELSEWHERE.items():
        if _plain(text) in map(_plain, names):
            message = f"{text!r} is not a component: {command}."
            raise ParameterError(message)


def _refuse_metal(text: str, titles: Mapping[str, str]) -> None:
    """Raise ParameterError for a cell that a layout draws and that carries no light, unless a name has it."""
    from photosim.netlist.layout_table import draws_only

    plain, cell = _plain(text), _cell(text)
    if plain in map(_plain, _METAL) or (
        draws_only(cell) and not any(plain in title for title in titles.values())
    ):
        message = (
            f"{text!r} is not a component: layouts draw it, and it carries no light; leave it out of a "
            "netlist. resistor, capacitor and bond_wire model contacts in electrical nets."
        )
        raise ParameterError(message)


def _not_found(text: str, models: list[Model]) -> str:
    """Return what to say of words that no component has: what the cell is, a likely name, or the nearest."""
    from photosim.netlist.layout_table import MISSING

    cell = _cell(text)
    if cell in MISSING:
        return f"{text!r} is not a component: it is {MISSING[cell]}."
    start = f"No component has {text!r} in its name, its other names or its first sentence."
    known = [name for model in models for name in (model.name, *_sought(model))]
    misspelt = difflib.get_close_matches(text, known, n=1, cutoff=_MISSPELT)
    near = _nearest(text, models)
    if near and not misspelt:
        verb = "nearest is" if len(near) == 1 else "nearest are"
        return f"{start} The {verb} {', '.join(near)}."
    return f"{start}{did_you_mean(text, known)}"


def _nearest(text: str, models: list[Model]) -> list[str]:
    """Return the components whose names have the most letters of the words of a text, at most four."""
    words = {_plain(word) for word in re.findall(r"[a-z]+", text.lower()) if len(word) >= _SHORT} - _MAKES
    score = {}
    for model in models:
        own, other = model.name, " ".join(_sought(model))
        score[model.name] = sum(
            len(word) * (2 if _begins(word, own) else 1) for word in words if _begins(word, f"{own} {other}")
        )
    best = max(score.values(), default=0)
    return [name for name in score if best and score[name] == best][:_NEAREST]


def _sought(model: Model) -> tuple[str, ...]:
    """Return the other names of a component, and words by which people look for it."""
    return (*also_called(model), *_SEARCHED.get(model.name, ()))


def _begins(word: str, text: str) -> bool:
    """Return whether a text has a word; a short one must begin a word of the text."""
    plain = _plain(word)
    if len(plain) > _SHORT:
        return plain in _plain(text)
    return any(_plain(one).startswith(plain) for one in re.split(r"[\W_]+", text))


def _starts(word: str, text: str) -> bool:
    """Return whether a word begins one of a text's: "ring" is in "rings", but not in "scattering"."""
    letters = r"[\W_]*".join(map(re.escape, _plain(word)))
    return bool(letters) and re.search(rf"(?<![^\W_]){letters}", text, re.IGNORECASE) is not None


def list_components(models: list[Model]) -> None:
    """Show name, family, ports, first sentence and other names of components, a line each."""
    rows = tuple(
        (model.name, _family(model), model.summary.rstrip("."), ", ".join(also_called(model)))
        for model in models
    )
    count = f"{len(models)} component{'s' if len(models) > 1 else ''}"
    title = f"{count}; `photosim components NAME` shows one with its settings and formula"
    show_tables([Table(title, ("component", "family", "first sentence", "also called"), rows)])


def also_called(model: Model) -> tuple[str, ...]:
    """Return the names that a component has in gdsfactory, SAX, SiEPIC and INTERCONNECT."""
    return _other_names().get(model.name, ())


@cache
def _other_names() -> dict[str, tuple[str, ...]]:
    from photosim.netlist.layout_table import RULES, SYNONYMS

    found: dict[str, tuple[str, ...]] = {}
    for name, component in ({n: rule.component for n, rule in RULES.items()} | dict(SYNONYMS)).items():
        if name != component:
            found[component] = (*found.get(component, ()), name)
    return found


def list_gallery(*, as_json: bool) -> None:
    """Show every circuit of the gallery with one sentence."""
    from photosim import netlist as netlists

    circuits: Mapping[str, Path] = netlists.gallery()
    sentences = {name: _opening(path) for name, path in sorted(circuits.items())}
    if as_json:
        show_json({name: {"summary": sentences[name], "file": str(circuits[name])} for name in sentences})
        return
    title = f"{len(sentences)} circuits; their names can stand in the place of a file"
    show_tables([Table(title, ("name", "circuit"), tuple(sentences.items()))])


def _opening(path: Path) -> str:
    """Return the first sentence of the comment at the top of a netlist."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#") or not line.strip("# "):
            break
        lines.append(line.lstrip("# "))
    return _SENTENCE_END.split(" ".join(lines), maxsplit=1)[0].partition(" Expected")[0]


def _family(model: Model) -> str:
    """Return the file of the library in which a component stands, as words."""
    return model.module.rpartition(".")[2].replace("_", " ")


def _cell(text: str) -> str:
    """Return a text as layouts write the names of their cells."""
    return re.sub(r"[\s-]+", "_", text.strip().lower())


def _plain(text: str) -> str:
    """Return a text without what may differ between two writings of one name."""
    plain = re.sub(r"[\s_-]+", "", text.lower())
    for written, ours in (("waveguide", "guide"), ("fiber", "fibre"), ("polaris", "polariz")):
        plain = plain.replace(written, ours)
    return plain
