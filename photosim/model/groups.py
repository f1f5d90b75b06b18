"""Settings that many components share, declared once: a guide's indices and loss, a pass band.

    @dataclass(frozen=True)
    class Guide(SettingsGroup):
        '''Single-mode guide.

        Settings:
            neff: effective index at wl0.
            loss_dB_cm: propagation loss.
        '''

        neff: Index = 2.34
        loss_dB_cm: Loss_dB_cm = 0.0

A component that takes `guide: Guide = Guide()` has the settings `neff` and `loss_dB_cm`, in that place, with
their units and descriptions. Its function finds them as `guide.neff`; a composite component passes them on by
`part("straight", **guide.settings())`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import Any, Self, TypeVar

from photosim.model.parameters import SETTINGS_HEADING, descriptions, hints_of

Group = TypeVar("Group", bound="SettingsGroup")


@dataclass(frozen=True)
class SettingsGroup:
    """Base of a group of settings: a frozen dataclass whose fields are annotated as settings are.

    A field may also be a group; its settings join the others. Every field needs a default, and a line under
    "Settings:" in the docstring of its class.
    """

    def settings(self, *only: type[SettingsGroup]) -> dict[str, Any]:
        """Return the settings by name, those of inner groups included; with `only`, those of these groups."""
        found: dict[str, Any] = {}
        for name, value in vars(self).items():
            inner = value.settings() if isinstance(value, SettingsGroup) else {name: value}
            found |= {n: v for n, v in inner.items() if n not in found}
        wanted = {setting.name for group in only for setting in _single(group())}
        return {name: value for name, value in found.items() if not only or name in wanted}

    def changed(self, **settings: Any) -> Self:
        """Return the group with some settings of its own changed."""
        return replace(self, **settings)


def grouped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes settings one by one where the given one takes groups of them.

    Signature, annotations and docstring of the result list every setting. A keyword of the function's own
    keeps its place, default and description although a group has it too; a setting of two groups is one,
    with the default of the first. Each group that has a setting gets its value.
    """
    groups = groups_of(function)
    if not groups:
        return function
    given = inspect.signature(function).parameters
    listed = _listed(function, groups)
    defaults = {name: p.default for name, p in listed.items() if p.default is not p.empty}
    spread = {p.name for group in groups.values() for p in _single(group)} - set(given)

    @wraps(function)
    def call(*args: Any, **settings: Any) -> Any:
        values = {**defaults, **settings}
        made = {name: _filled(group, values) for name, group in groups.items()}
        return function(*args, **{k: v for k, v in settings.items() if k not in spread}, **made)

    call.__signature__ = inspect.Signature(list(listed.values()))  # type: ignore[attr-defined]
    call.__annotations__ = {name: p.annotation for name, p in listed.items()}
    call.__doc__ = _documented(function, groups.values(), listed)
    return call


def group_methods(used: object) -> Iterator[Callable[..., Any]]:
    """Yield the methods and properties of a group or its class, or of all groups that a function takes.

    What a formula evaluates to depends on them.
    """
    if inspect.isfunction(used):
        for group in groups_of(used).values():
            yield from group_methods(group)
    elif isinstance(used, SettingsGroup):
        for inner in (used, *vars(used).values()):
            yield from group_methods(type(inner))
    elif isinstance(used, type) and issubclass(used, SettingsGroup):
        for cls in used.__mro__[: used.__mro__.index(SettingsGroup)]:
            members = (m.fget if isinstance(m, property) else m for m in vars(cls).values())
            yield from (m for m in members if inspect.isfunction(m) and not m.__name__.startswith("__"))


def groups_of(function: Callable[..., Any]) -> dict[str, SettingsGroup]:
    """Return the groups that a function takes, by keyword, each with its defaults."""
    found: dict[str, SettingsGroup] = {}
    hints = hints_of(function)
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name)
        if isinstance(hint, type) and issubclass(hint, SettingsGroup):
            found[name] = hint() if parameter.default is parameter.empty else parameter.default
    return found


def _listed(
    function: Callable[..., Any], groups: Mapping[str, SettingsGroup]
) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function with those of its groups in their place, each once."""
    hints = hints_of(function)
    given = inspect.signature(function).parameters
    found: dict[str, inspect.Parameter] = {}
    for name, parameter in given.items():
        if name in groups:
            found |= {p.name: p for p in _single(groups[name]) if p.name not in {*found, *given}}
        else:
            found[name] = parameter.replace(annotation=hints.get(name, Any))
    return found


def _single(group: SettingsGroup) -> Iterator[inspect.Parameter]:
    """Yield the settings of a group as parameters of a function."""
    declared: Any = type(group)
    hints = hints_of(declared)
    for field in fields(group):
        value = getattr(group, field.name)
        if isinstance(value, SettingsGroup):
            yield from _single(value)
        else:
            kind = inspect.Parameter.KEYWORD_ONLY
            yield inspect.Parameter(field.name, kind, default=value, annotation=hints[field.name])


def _filled(group: Group, values: Mapping[str, Any]) -> Group:
    """Return the group with the values that belong to it."""
    old = vars(group)
    inner = {n: _filled(v, values) for n, v in old.items() if isinstance(v, SettingsGroup)}
    return replace(group, **{n: values.get(n, v) for n, v in old.items() if n not in inner}, **inner)


def _documented(function: Callable[..., Any], groups: Iterable[SettingsGroup], listed: Iterable[str]) -> str:
    """Return the docstring of a function with the descriptions that its groups give, in order."""
    texts: dict[str, str] = {}
    for group in groups:
        texts = {**_texts(group), **texts}
    texts |= descriptions(function)
    head = (inspect.getdoc(function) or "").partition(SETTINGS_HEADING)[0].rstrip()
    order = [*(name for name in listed if name in texts), *(name for name in descriptions(function))]
    lines = [f"    {name}: {texts[name]}" for name in dict.fromkeys(order)]
    return "\n".join([head, "", SETTINGS_HEADING, *lines])


def _texts(group: SettingsGroup) -> dict[str, str]:
    """Return the descriptions of a group's settings; a class of its own wins over the classes it extends."""
    texts: dict[str, str] = {}
    for value in vars(group).values():
        if isinstance(value, SettingsGroup):
            texts = {**_texts(value), **texts}
    for cls in reversed(type(group).__mro__):
        texts |= descriptions(cls) if issubclass(cls, SettingsGroup) else {}
    return texts
