"""Forms of mappings: how keys, types, bounds and defaults are declared, as annotations that pydantic reads.

A form is a pydantic model, a dataclass or a function. :mod:`photosim.netlist.mappings` reads by it.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from numbers import Integral
from types import MappingProxyType
from typing import Annotated, Any, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    create_model,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from photosim.bounds import untitled
from photosim.errors import ParameterError, PhotosimError, did_you_mean, listing

CONFIG = ConfigDict(
    extra="forbid",
    strict=True,
    allow_inf_nan=False,
    arbitrary_types_allowed=True,
    protected_namespaces=(),  # pydantic before 2.10 warns of names such as model_id
)
OWN_WORDS = "photosim"
"""Type of the errors of pydantic whose words are ours."""


class Form(BaseModel):
    """Base of forms that are pydantic models: frozen, strict, unknown keys refused."""

    # Made when it is first read by: most forms are not, in most processes.
    model_config = ConfigDict(**CONFIG, frozen=True, defer_build=True)


@dataclasses.dataclass(frozen=True)
class Words:
    """How an error calls the values of a type, where its annotation would say too little."""

    text: str


UNLISTED = Words("")
"""Marks keys that are accepted but that no error offers, such as those of a layout."""


@dataclasses.dataclass(frozen=True, eq=False)  # known by its identity, as it holds a mapping
class Choice:
    """A mapping whose value at `key` names the form of the others."""

    key: str
    forms: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of a union that is told by the key."""
        del source
        before: Callable[..., CoreSchema] = core_schema.no_info_before_validator_function
        choices: dict[Any, CoreSchema] = {
            name: before(self._others, RECORD.__get_pydantic_core_schema__(form, handler))
            for name, form in self.forms.items()
        }
        return core_schema.tagged_union_schema(choices, self._name)

    def _name(self, value: Any) -> str | None:
        name = value.get(self.key) if isinstance(value, Mapping) else None
        return name if isinstance(name, str) else None

    def _others(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {key: inner for key, inner in value.items() if key != self.key}


def _said(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return `make` with the errors of this package as errors of pydantic, which knows the place."""

    @functools.wraps(make)  # pydantic counts the arguments
    def safe(*arguments: Any) -> Any:
        try:
            return make(*arguments)
        except PhotosimError as error:
            kind, text = OWN_WORDS, "{text}"
            raise PydanticCustomError(kind, text, {"text": untitled(error)}) from None

    return safe


@dataclasses.dataclass(frozen=True, eq=False)
class Written:
    """How values of a type are written in a mapping: by `form`, from which `made` makes them.

    PhotosimErrors of `made` name their place.
    """

    form: Any
    made: Callable[[Any], Any] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the form."""
        del source
        schema = handler.generate_schema(self.form)
        if self.made is None:
            return schema
        return core_schema.no_info_after_validator_function(_said(self.made), schema)


@functools.lru_cache(maxsize=256)
def model_of(form: Any) -> type[BaseModel]:
    """Return a form as a pydantic model: itself, or that of the arguments of a function or dataclass."""
    if inspect.isclass(form) and issubclass(form, BaseModel):
        return form
    hints = get_type_hints(form, include_extras=True)
    arguments = inspect.signature(form).parameters
    if not inspect.isclass(form):
        hints = {name: _WRITTEN.get(hint, hint) for name, hint in hints.items()}
    # Only the keys that are written are handed on, so what stands for a default is never seen.
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is parameter.empty else None)
        for name, parameter in arguments.items()
    }
    return create_model(form.__name__, __base__=Form, **fields)


def make(form: Any, model: BaseModel) -> Any:
    """Return what a form makes of the keys of its model that were written."""
    if isinstance(form, type) and isinstance(model, form):
        return model
    return form(**{name: getattr(model, name) for name in model.model_fields_set})


@dataclasses.dataclass(frozen=True)
class _Record:
    """Reads a mapping into a dataclass, or into what a function returns."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the dataclass's model, from which it is made."""
        schema = handler.generate_schema(model_of(source))
        return core_schema.no_info_after_validator_function(_said(lambda model: make(source, model)), schema)


RECORD = _Record()
"""Note for a dataclass inside a form: it is read as a mapping, and checks itself when it is made."""


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_names(value: Any) -> Any:
    found = (value,) if isinstance(value, str) else _as_tuple(value)
    if isinstance(found, tuple) and not found:
        message = "at least one name is needed, but the list is empty"
        raise ValueError(message)
    return found


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = [name for position, name in enumerate(names) if name in names[:position]]
    if twice:
        message = f"{twice[0]!r} is listed twice."
        raise ParameterError(message)
    return names


def _as_numbers(value: Any) -> Any:
    return (value,) if isinstance(value, int | float) else _as_tuple(value)


def _as_number(value: Any) -> Any:
    """Return the number that a text means, since some YAML readers leave 1e9 a text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _as_whole(value: Any) -> Any:
    number = _as_number(value)
    return int(number) if isinstance(number, float) and number.is_integer() else value


def _as_int(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return int(value) if isinstance(value, Integral) else value


def one_of(what: str, known: Collection[str]) -> AfterValidator:
    """Return a note for a text or texts: each must be one of `known`; an error calls it `what`."""

    def check(value: str | tuple[str, ...]) -> Any:
        for name in (value,) if isinstance(value, str) else value:
            if name not in known:
                hint = did_you_mean(name, known)
                message = f"There is no {what} {name!r}. There are: {listing(known)}.{hint}"
                raise ParameterError(message)
        return value

    return AfterValidator(_said(check))


INTEGRAL = BeforeValidator(_as_int)
"""Note for whole numbers: those of numpy count."""
LIST = BeforeValidator(_as_tuple)
"""Note for tuples: files have lists."""
Number = Annotated[float, BeforeValidator(_as_number)]
"""A finite number, or a text that means one."""
Count = Annotated[int, Field(ge=0), BeforeValidator(_as_whole)]
"""A whole number from 0, or a text or float that means one."""
Positive = Annotated[float, Field(gt=0), BeforeValidator(_as_number)]
NotNegative = Annotated[float, Field(ge=0), BeforeValidator(_as_number)]
LabelList = Annotated[tuple[str, ...], BeforeValidator(_as_names), Words("a name or a list of names")]
"""A name or a list of names, as a tuple of at least one."""
NameList = Annotated[LabelList, AfterValidator(_said(_distinct))]
"""The same, all different."""
NumberList = Annotated[tuple[Number, ...], BeforeValidator(_as_numbers), Words("a list of numbers")]
"""A number or a list of them, as a tuple."""
PositiveList = Annotated[
    tuple[Positive, ...], BeforeValidator(_as_numbers), Words("a list of positive numbers")
]
_WRITTEN: Mapping[Any, Any] = MappingProxyType(
    {float: Number, int: Count, float | None: Number | None, int | None: Count | None}
)
"""What numbers among a function's arguments may be written as."""
