"""Model cards of pdk-schema 0.3, read by forms of our own; the package itself needs Python 3.12.

A file holds one card, a list of cards, or {"models": [...], "process": {...}, "name": ...}. A card's binding
is a text: nothing is imported and nothing is run because a file says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from photosim.errors import NetlistError
from photosim.netlist.form_errors import MappingError
from photosim.netlist.forms import Form
from photosim.netlist.mappings import read
from photosim.pdk.kit import Cell, Kit, Parameter, Port, Statistic, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.errors import Mark
    from photosim.netlist.compose import Tree

VERSION = "0.3"
"""Version of the schema that is read."""
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*(?::[A-Za-z_][\w.]*)?")
_FILE = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)*")
_KNOBS = {"wavelength": "wl"}
_SAX = ("sax", "circulax")


class CitationForm(Form):
    """Source of the numbers of a card."""

    role: Literal["fit", "data"]
    doi: str | None
    journal: str | None
    authors: str | None
    url: str | None


class ProvenanceForm(Form):
    """Who says what a card says."""

    source: Literal["foundry", "gdsfactory", "user", "literature"]
    label: str | None
    maturity: Literal["toy_model", "simulation", "empirical", "silicon_proven"] | None
    citations: list[CitationForm]
    comment: str | None
    url: str | None
    data_url: str | None
    info: dict[str, Any]


class _Spread(Form):
    sigma_basis: Literal["one_sigma", "three_sigma_norm"]
    lower_spec_limit: float | None
    upper_spec_limit: float | None
    scope: Literal["process", "mismatch"]
    random_var: str | None


class NormalForm(_Spread):
    """A normal distribution."""

    distribution: Literal["normal"] = "normal"
    sigma: float = Field(ge=0)
    percent: bool
    truncate_sigma: float | None = Field(ge=0)


class UniformForm(_Spread):
    """A uniform distribution."""

    distribution: Literal["uniform"] = "uniform"
    half_range: float = Field(gt=0)


class AsymmetricForm(_Spread):
    """Best, nominal and worst value."""

    distribution: Literal["asymmetric"] = "asymmetric"
    best: float
    nominal: float
    worst: float


VariationForm = Annotated[NormalForm | UniformForm | AsymmetricForm, Field(discriminator="distribution")]


class ParamForm(Form):
    """A parameter of a card."""

    name: str
    kind: Literal["float", "int", "string", "bool", "enum", "expr"]
    value: Any
    unit: str
    role: Literal["geometry", "operating_point", "model", "performance"] | None
    description: str | None
    choices: list[str]
    min: float | None
    max: float | None
    variation: VariationForm | None


class PortForm(Form):
    """A port of a card."""

    name: str
    domain: Literal["electrical", "optical"]
    polarization: Literal["TE", "TM", "both"] | None
    channels: int = Field(ge=1)


class BandForm(Form):
    """Values of a quantity from min to max."""

    min: float
    max: float
    unit: str
    label: str | None


class ValidityForm(Form):
    """Where a card holds."""

    at: dict[str, Any] | None
    over: dict[str, BandForm] | None
    on_out_of_range: Literal["raise", "warn", "clamp", "nan"]


class CardForm(Form):
    """A model card of any representation; decks that it names are not read."""

    factory: str
    model_id: str
    binding: str
    provenance: ProvenanceForm
    version: str
    canonical: bool
    binding_kwargs: dict[str, Any]
    params: list[ParamForm]
    ports: list[PortForm] | None
    parameter_map: dict[str, str] | None = None
    port_map: dict[str, str] | None = None
    validity: ValidityForm | None
    info: dict[str, Any]
    representation: Literal["sax", "circulax", "spice", "veriloga"]
    deck: dict[str, Any] | None = None


class CornerForm(Form):
    """A named corner of the process."""

    name: str
    knobs: dict[str, float]
    info: dict[str, Any]


class ProcessForm(Form):
    """Corners, and draws that several values share."""

    corners: list[CornerForm]
    random_vars: dict[str, VariationForm]


class FileForm(Form):
    """A file of several cards."""

    models: list[Any]
    process: ProcessForm | None = None
    name: str | None = None
    schema_version: str | None = None


def is_cards(data: Any) -> bool:
    """Whether data looks like cards of pdk-schema."""
    first = data[0] if isinstance(data, list) and data else data
    return isinstance(first, dict) and ("representation" in first or isinstance(first.get("models"), list))


def read_cards(tree: Tree, name: str) -> Kit:
    """Return the kit of a file of cards.

    Raises NetlistError for a file of another version or form, with its line.
    """
    data = tree.data
    whole = {"models": data} if isinstance(data, list) else data if "models" in data else {"models": [data]}
    form: FileForm = _formed(FileForm, whole, "the kit", tree, ())
    if form.schema_version is not None and not re.match(rf"v?{VERSION}(\.|$)", form.schema_version):
        raise NetlistError(
            f"the kit is written in version {form.schema_version!r} of pdk-schema; version {VERSION} is read",
            tree.mark(data, "schema_version"),
        )
    cells = tuple(_cell(tree, whole["models"], position) for position in range(len(form.models)))
    process = form.process
    return Kit(
        form.name or name,
        cells,
        {corner.name: corner.knobs for corner in process.corners} if process else {},
        {key: _statistic(value) for key, value in process.random_vars.items()} if process else {},
        {corner.name: tree.follow(("process", "corners", k)) for k, corner in enumerate(process.corners)}
        if process
        else {},
    )


def _formed(form: Any, data: Any, where: str, tree: Tree, path: tuple[Any, ...]) -> Any:
    try:
        return read(form, data, where, noun="key")
    except MappingError as error:
        raise NetlistError(str(error), tree.follow((*path, *error.path))) from None


def _cell(tree: Tree, cards: Any, position: int) -> Cell:
    data = cards[position]
    mark = tree.mark(cards, position)
    label = data.get("factory") if isinstance(data, dict) else None
    where = f"card {position + 1}" + (f" ({label})" if isinstance(label, str) else "")
    try:
        card: CardForm = read(CardForm, data, where, noun="key")
    except MappingError as error:
        place = _inside(tree, data, error.path) or mark
        raise NetlistError(str(error), place) from None
    pattern = _FUNCTION if card.representation in _SAX else _FILE
    if not pattern.fullmatch(card.binding) or ".." in card.binding:
        what = (
            "the name of a function, as package.module:name" if pattern is _FUNCTION else "the path of a file"
        )
        raise NetlistError(
            f"{where}: 'binding' is {card.binding[:60]!r}, but must be {what}; nothing in a kit is run",
            tree.mark(data, "binding", value=True) or mark,
        )
    ports = card.port_map or {}
    parameters = card.parameter_map or {}
    windows = (card.validity.over or {}) if card.validity else {}
    over = data["validity"]["over"] if windows else None
    return Cell(
        card.factory.rpartition(".")[2].rpartition(":")[2],
        card.factory.rpartition(".")[2].rpartition(":")[2],
        None if card.ports is None else tuple(
            Port(ports.get(p.name, p.name), p.name, p.domain, tree.mark(data["ports"], k))
            for k, p in enumerate(card.ports)
        ),
        tuple(
            _parameter(p, parameters, tree.mark(data["params"], k)) for k, p in enumerate(card.params)
            if p.role != "performance"
        ),
        tuple(
            Window(_KNOBS.get(knob, knob), band.min, band.max, band.unit, tree.mark(over, knob))
            for knob, band in windows.items()
        ),
        {
            p.name: {k: v for k, v in (("min", p.min), ("max", p.max)) if v is not None}
            for p in card.params if p.role == "performance"
        },
        (card.factory, card.representation) if card.canonical else None,
        mark,
    )  # fmt: skip


def _inside(tree: Tree, data: Any, path: tuple[Any, ...]) -> Mark | None:
    """Return the place of a path of keys below a container."""
    found = None
    for key in path:
        found = tree.mark(data, key) or found
        try:
            data = data[key]
        except (LookupError, TypeError):
            break
    return found


def _parameter(form: ParamForm, names: Mapping[str, str], mark: Mark | None) -> Parameter:
    spread = None if form.variation is None else _statistic(form.variation)
    return Parameter(
        names.get(form.name, form.name), form.name, form.unit, form.kind, form.value, form.min, form.max,
        tuple(form.choices), spread, mark,
    )  # fmt: skip


def _statistic(form: NormalForm | UniformForm | AsymmetricForm) -> Statistic:
    """Return a spread by its standard deviation."""
    if isinstance(form, NormalForm):
        sigma = form.sigma / (3 if form.sigma_basis == "three_sigma_norm" else 1)
        return Statistic(sigma, "normal", form.percent, form.scope, form.random_var)
    if isinstance(form, UniformForm):
        return Statistic(form.half_range / 3**0.5, "uniform", False, form.scope, form.random_var)
    sigma = abs(form.worst - form.best) / 6
    return Statistic(sigma, "asymmetric", False, form.scope, form.random_var, form.nominal)
