"""Mappings of plain data read by forms: the one way from a file's or a caller's options to typed values.

    @dataclass(frozen=True)
    class Pooling:
        size: Annotated[int, Field(ge=1)]
        stride: int | None = None

    read(Pooling, {"size": 2}, "layer 2")

Nothing is converted silently, unknown keys are refused, and what is wrong first becomes one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_origin

from pydantic import TypeAdapter, ValidationError

from photosim.bounds import untitled
from photosim.errors import ParameterError
from photosim.netlist.form_errors import MappingError, Place, Steps, explain
from photosim.netlist.forms import CONFIG, make, model_of

Made = TypeVar("Made")


def read(
    form: Callable[..., Made],
    value: Any,
    where: str = "",
    *,
    noun: str = "option",
    place: Callable[[Steps], str] | None = None,
) -> Made:
    """Return what a mapping means by a form.

    form: a pydantic model, a dataclass, a function or an annotated type.  Numbers among a
    function's arguments may be texts that mean them, and its whole numbers are from 0 on.
    where: begins the sentence of an error.  noun: what the error calls a key.  place: words for where a path
    of keys leads, in place of `where` and the keys.
    Raises MappingError for unknown keys, missing ones, values of another type or beyond a bound, and for what
    the dataclass or function itself refuses.
    """
    place = place or Place(where)
    try:
        if get_origin(form) is Annotated:
            return _reader(form).validate_python(value)  # type: ignore[no-any-return]
        model = model_of(form).model_validate(dict(value) if isinstance(value, Mapping) else value)
        return make(form, model)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise explain(error, form, value, noun, place) from None
    except MappingError:
        raise
    except ParameterError as error:
        start = place(())
        raise MappingError(f"{start}: {untitled(error)}" if start else str(error)) from None


@lru_cache(maxsize=64)
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind, config=CONFIG)
