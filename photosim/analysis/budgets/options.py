"""The kind of analysis `budget`: its options in a netlist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from photosim.analysis.budgets.constants import read_constants
from photosim.analysis.budgets.result import BudgetResult
from photosim.analysis.budgets.run import budget
from photosim.analysis.budgets.work import Training, Work
from photosim.analysis.options import inside, option, read_entry
from photosim.netlist.forms import NameList, Positive

if TYPE_CHECKING:
    from photosim.circuit import Circuit

Share = Annotated[Positive, Field(le=1)]


@dataclass(frozen=True)
class BudgetOptions:
    """What a budget computes; see `ps.budget`. training: name of a training of the netlist."""

    name: str
    rate: Positive | None = None
    wl: Positive | None = None
    start: Annotated[str | None, Field(alias="from")] = None
    end: Annotated[str | None, Field(alias="to")] = None
    bits: Positive | None = None
    link: Mapping[str, Any] = field(default_factory=dict)
    receiver: Mapping[str, Any] = field(default_factory=dict)
    converter_bits: Positive | None = None
    bits_per_symbol: Positive = 1.0
    operations: Positive | None = None
    use: Share = 1.0
    pipelined: bool = True
    static: NameList | tuple[()] = ()
    footprint: Mapping[str, Positive] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    published: tuple[Mapping[str, Any], ...] | list[Any] = ()
    training: str | None = None
    group: bool | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> BudgetOptions:
    """Return the options of an entry `{kind: budget, name, rate, bits, constants, published, ...}`.

    Raises ParameterError for an unknown key, constant, port or setting, and a training that is not there.
    """
    options = read_entry(BudgetOptions, entry, "budget")
    if options.training is not None:
        with option(options.name, "training"):
            circuit_training(circuit, options.training)
    with option(options.name), inside("constants"):  # before a training is run, which may take long
        read_constants(options.constants)
    return options


def circuit_training(circuit: Circuit, name: str) -> dict[str, Any]:
    """Return the entry of a training of the netlist; ParameterError where there is none of that name."""
    from photosim.errors import ParameterError, did_you_mean, listing

    own = {str(e.get("name", "train")): dict(e) for e in circuit.netlist.analyses if e.get("kind") == "train"}
    if name not in own:
        has = f"It has: {listing(own)}." if own else "It has none."
        message = f"The netlist has no training {name!r}. {has}{did_you_mean(name, own)}"
        raise ParameterError(message)
    return {"name": "train", **own[name]}


def compute(
    circuit: Circuit, options: BudgetOptions, training: Training | Sequence[Work] | None = None
) -> BudgetResult:
    """Return the budget of the options, with the work of a training."""
    with option(options.name):
        data = budget(
            circuit, rate=options.rate, wl=options.wl, start=options.start, end=options.end,
            bits=options.bits, link=options.link, receiver=options.receiver,
            converter_bits=options.converter_bits, bits_per_symbol=options.bits_per_symbol,
            operations=options.operations, use=options.use, pipelined=options.pipelined,
            static=options.static, footprint=options.footprint, constants=options.constants,
            published=options.published, training=training, group=options.group,
            settings=options.settings,
        )  # fmt: skip
    return BudgetResult(options.name, data)
