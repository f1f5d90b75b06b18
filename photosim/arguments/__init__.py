"""Arguments of public functions held to their annotations: one sentence for one that is something else.

Public functions and classes are declared `@public`; methods begin with `check_arguments(method, locals())`.
What an annotation does not say (bounds, shapes, names that exist) the function checks itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from numbers import Integral
from typing import Any, TypeVar, overload

from photosim.arguments.kinds import is_names, kinds_of
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.reals import shown

T = TypeVar("T")


@overload
def public(thing: T) -> T: ...
@overload
def public(*, types: bool) -> Callable[[T], T]: ...
def public(thing: Any = None, *, types: bool = True) -> Any:
    """Return a function, or a class with an `__init__`, whose arguments are held to its signature.

    A call that does not fit it, as by a misspelt name, and an argument that is not what its annotation says
    raise ParameterError in a sentence.  types: look at annotations too; not where that takes longer than the
    call, or where others look later.
    """
    if thing is None:
        return lambda other: public(other) if types else _public(other, types=False)
    return _public(thing, types=True)


def _public(thing: Any, *, types: bool) -> Any:
    if isinstance(thing, type):
        thing.__init__ = _held(vars(thing)["__init__"], "", types=types)  # type: ignore[misc]
        return thing
    return _held(thing, thing.__qualname__, types=types)


def _held(function: Any, own: str, *, types: bool) -> Any:
    """Return a function whose arguments are held to its signature; own: its name, empty for a class."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]

    @wraps(function)
    def held(*arguments: Any, **named: Any) -> Any:
        title = own or type(arguments[0]).__qualname__
        if types and len(arguments) <= len(names):
            check_arguments(function, {**dict(zip(names, arguments, strict=False)), **named}, title)
        try:
            return function(*arguments, **named)
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:  # of this very call
                raise ParameterError(_unfit(function, title, arguments, named)) from None
            raise

    return held


def _unfit(function: Any, title: str, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    """Return the sentence on a call that does not fit a signature."""
    parameters = dict(inspect.signature(function).parameters)
    if next(iter(parameters), "") == "self":
        parameters.pop("self")
        arguments = arguments[1:]
    known = [name for name, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    for name in named:
        if name not in known:
            message = f"{title} has no argument {name!r}. It has: {listing(known, 20)}."
            return message + did_you_mean(name, known)
    places = [
        name for name, p in parameters.items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(arguments) > len(places):
        said = f"takes {len(places)} arguments without a name" if places else "takes named arguments only"
        return f"{title} {said}, got {len(arguments)}: {title}({', '.join(f'{name}=...' for name in known)})."
    for name in places[: len(arguments)]:
        if name in named:
            return f"{title}: {name} is given twice, by its place and by its name."
    needed = [name for name in known if parameters[name].default is inspect.Parameter.empty]
    missing = [name for name in needed if name not in named and name not in places[: len(arguments)]]
    return f"{title} needs {listing(missing, 20)}. Its arguments are: {listing(known, 20)}."


def check_arguments(function: Callable[..., Any], found: Mapping[str, Any], title: str = "") -> None:
    """Raise ParameterError for the first argument that is not what the function's annotation says.

    found: the arguments by name, as `locals()` has them in the first line of the function; those that it
    leaves out are not checked.  title: what the message calls the function.
    """
    for name, kinds in kinds_of(function):
        if name not in found:
            continue
        value = found[name]
        for kind in kinds:  # a loop, as every call of a public function comes here
            if kind.fits(value):
                break
        else:
            nouns = " or ".join(dict.fromkeys(kind.noun for kind in kinds))
            where = title or function.__qualname__.removesuffix(".__init__").removesuffix(".__call__")
            message = f"{where}: {name} must be {nouns}, got {shown(value)}."
            raise ParameterError(message)
        if name == "seed" and isinstance(value, Integral) and value < 0:
            where = title or function.__qualname__.removesuffix(".__init__").removesuffix(".__call__")
            message = f"{where}: seed must be 0 or more, got {value}."
            raise ParameterError(message)


def read_names(argument: str, value: Any) -> tuple[str, ...]:
    """Return an argument of a call that lists names; ParameterError where it is anything else."""
    refuse_settings(argument, value)
    if isinstance(value, str):
        message = f"{argument} must be a list of names, as in {argument}=[{value!r}], got the text {value!r}."
        raise ParameterError(message)
    if not is_names(value):
        message = f"{argument} must be a list of names, got {shown(value)}."
        raise ParameterError(message)
    return tuple(value)


def takes(function: Callable[..., Any], count: int) -> bool:
    """Return whether a function can be called with so many positional arguments; True where none can tell."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # built in: without a signature
        return True
    return True


def refuse_settings(argument: str, value: Any) -> None:
    """Raise ParameterError for settings of an instance whose name is that of an argument of the call."""
    if isinstance(value, Mapping):
        message = (
            f"{argument} is an argument of this call, so settings of an instance called {argument!r} need "
            f"dotted names, as in **{{'{argument}.{next(iter(value), 'length')}': ...}}."
        )
        raise ParameterError(message)
