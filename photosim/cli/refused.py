"""What typer refuses, in one sentence that names what was written, what is possible and where to read on."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from photosim.errors import did_you_mean, listing

_WANTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than": "above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "below {lt}",
    "less_than_equal": "{le} or less",
}
"""What the value of an option must be, by pydantic's name of the mistake."""
_BOUNDS = frozenset({"gt", "ge", "lt", "le"})
_OLDER = re.compile(
    r"(?P<quote>'?)(?P<given>.*)(?P=quote) is not "
    r"(a valid (?P<kind>integer|float)( range)?|in the range x>=(?P<least>[^<]+))\."
)
"""The same mistakes in the words of typer before 0.20."""
_EXTRA = re.compile(r"extra arguments?(\(s\))? \((?P<words>.*)\)")
_OTHER_WORDS = {
    "--wavelength": "--wl",
    "--wavelengths": "--wl",
    "--points": "--wl",
    "--output": "--out",
    "--input": "--from",
    "-o": "--out",
}
"""What options are called elsewhere, beside their names here."""


def refused(error: Exception, words: list[str]) -> str:
    """Return the sentence for an error of typer; `words` are those of the command line."""
    context = getattr(error, "ctx", None)
    text = _value(error) or _written(error, context, words)
    if not text:
        text = str(getattr(error, "format_message", error.__str__)()).strip().replace("\n", " ")
        text = text if text.endswith((".", "?")) else f"{text}."
    path = context.command_path if context is not None else f"photosim {words[0] if words else ''}".strip()
    return f"{text} `{path} --help` shows what is possible."


def _written(error: Exception, context: Any, words: list[str]) -> str:
    """Return what is wrong with the words themselves, or nothing where typer's own sentence is clear."""
    # The classes live in another module, and some under another name, in each version of typer and click.
    option = getattr(error, "option_name", None)
    kind = type(error).__name__
    if kind == "BadOptionUsage" and "requires" in str(error):
        return f"{option} needs a value."
    if context is None:
        return ""
    command = context.command
    name = command.name
    parameters = [p for p in command.params if not getattr(p, "hidden", False)]
    if kind == "NoSuchOption":
        known = [word for p in parameters for word in p.opts if word.startswith("--")]
        meant = _OTHER_WORDS.get(str(option))
        hint = f" Did you mean {meant!r}?" if meant in known else did_you_mean(str(option), known)
        return f"{name} has no option {option}.{hint or f' It has {listing(known, 20)}.'}"
    if kind == "NoSuchCommand" or "No such command" in str(error):
        known = command.list_commands(context)
        wanted = str(error).partition("'")[2].partition("'")[0]
        hint = did_you_mean(wanted, known) or f" It has {listing(known, 40)}."
        return f"{name or 'photosim'} has no command {wanted!r}.{hint}"
    extra = _EXTRA.search(str(error))
    if extra:
        return _too_many(name, parameters, extra["words"], words)
    return ""


def _too_many(name: str, parameters: list[Any], extra: str, words: list[str]) -> str:
    """Return which word is one too many, and which option takes no value if one stands before a free word."""
    takes = [
        str(p.metavar or p.name).strip("{}").upper() for p in parameters if p.param_type_name == "argument"
    ]
    flags = {
        word for p in parameters if getattr(p, "is_flag", False) for word in (*p.opts, *p.secondary_opts)
    }
    found = [word for word, after in pairwise(words) if word in flags and not after.startswith("-")]
    before = f": {found[0]} takes no value" if found else ""
    return f"{name} takes {' and '.join(takes) or 'options alone'}, and {extra!r} is too many{before}."


def _value(error: Exception) -> str:
    """Return which value an option cannot have and what it may be, or nothing for other mistakes."""
    # Newer versions of typer leave numbers to pydantic, whose sentences name neither option nor value.
    details = getattr(error.__cause__, "errors", None)
    first = details()[0] if callable(details) else {}
    wanted, bounds, given = _WANTED.get(first.get("type", "")), first.get("ctx", {}), first.get("input", "")
    older = _OLDER.fullmatch(str(getattr(error, "message", "")))
    if older and not first:
        given, kind, least = older["given"], older["kind"], older["least"]
        wanted = f"{least} or more" if least else "a whole number" if kind == "integer" else "a number"
    name = getattr(error, "param_hint", None) or getattr(getattr(error, "param", None), "opts", None)
    if wanted is None or not name:
        return ""
    name = name if isinstance(name, str) else max(name, key=len)
    wanted = wanted.format(**{key: f"{bound:g}" for key, bound in bounds.items() if key in _BOUNDS})
    return f"{name} must be {wanted}, got {str(given).strip() or 'nothing'}."
