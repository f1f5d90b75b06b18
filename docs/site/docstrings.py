"""Docstrings as photosim writes them, turned into what Sphinx reads.

A docstring is plain text: `names` between backticks, examples after `>>>` or indented, and paragraphs
of the form "wl: wavelengths (W,) in um.  ports: names." that say what the arguments or fields are.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from textwrap import dedent

_SPECIAL = re.compile(r"([*|\\_])")
_CODE = re.compile(r"(`[^`\n]+`)")
_RAISES = re.compile(r"^Raises\s+")


def process(_app: object, what: str, _name: str, thing: object, _options: object, lines: list[str]) -> None:
    """Replace the lines of a docstring by reStructuredText (Sphinx's event autodoc-process-docstring)."""
    names = argument_names(thing) if what in {"function", "method", "class", "exception"} else ()
    lines[:] = restructured("\n".join(lines), names).splitlines()


def argument_names(thing: object) -> tuple[str, ...]:
    """Return the names of the arguments of a function, or of the fields of a class."""
    try:
        own = tuple(inspect.signature(thing).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        own = ()
    return (*own, *getattr(thing, "__annotations__", {}))


def restructured(text: str, names: Iterable[str]) -> str:
    """Return a docstring as reStructuredText; paragraphs about `names` become a list of fields."""
    found: list[str] = []
    for block in re.split(r"\n\s*\n", dedent(text).strip("\n")):
        if block.lstrip().startswith(">>>"):
            found.append(dedent(block))
        elif block.startswith((" ", "\t")):
            body = "\n".join(f"    {line}" for line in dedent(block).splitlines())
            found.append(f".. code-block:: python\n\n{body}")
        elif is_list(block):
            found.append("\n".join(_escaped(line) for line in block.splitlines()))
        else:
            found += _paragraph(block, tuple(names))
    return "\n\n".join(found) + "\n"


def is_list(block: str) -> bool:
    """Whether a block is a list, its points beginning with "* " or "- "."""
    return bool(re.match(r"[*-] ", block))


def _paragraph(block: str, names: tuple[str, ...]) -> list[str]:
    text = " ".join(block.split())
    if not names:
        return [_escaped(text)]
    any_name = "|".join(sorted(map(re.escape, set(names)), key=len, reverse=True))
    begins = re.compile(rf"(?:^|(?<=[.)] )|(?<=: ))((?:{any_name})(?:, (?:{any_name}))*): ")
    places = [match for match in begins.finditer(text) if match.group(1) in names or ", " in match.group(1)]
    if not places or places[0].start() != 0:
        return [_escaped(text)]
    ends = [match.start() for match in places[1:]] + [len(text)]
    fields = []
    for match, end in zip(places, ends, strict=True):
        said = text[match.end() : end].strip()
        # Sphinx takes the first of two words for a type: names of one sentence stand without a space.
        names_of_it = match.group(1).replace(", ", ",")
        fields.append(f":param {names_of_it}: {_escaped(said)}")
    return ["\n".join(fields)]


def _escaped(text: str) -> str:
    """Return a text in which only what stands between backticks is markup: code."""
    text = text.replace("``", "`")
    parts = _CODE.split(text)
    start = re.match(r"[*-] ", parts[0])
    head = start.group(0) if start else ""
    parts[0] = parts[0][len(head) :]
    done = [
        f"``{part[1:-1]}``" if _CODE.fullmatch(part) else _SPECIAL.sub(r"\\\1", part.replace("`", "\\`"))
        for part in parts
    ]
    # A literal must be parted from a letter that follows, as in `wl`s.
    text = ""
    for part in done:
        if text.endswith("``") and part[:1].isalnum():
            text += "\\ "
        if part.startswith("``") and text and (text[-1].isalnum() or text.endswith("``")):
            text += "\\ "
        text += part
    return head + text
