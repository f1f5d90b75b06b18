"""How every command fails and warns: one sentence on stderr, an exit code that says whose mistake it was."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from photosim.caching import CacheWarning
from photosim.cli.refused import refused
from photosim.errors import DataError, PhotosimError, PhotosimWarning

if TYPE_CHECKING:
    from typing import TextIO

# typer carries its own copy of click in some versions: take the class from where it surely is.
_UsageError: type[Exception] = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


PANELS = {
    "Start": ("new", "gallery", "components", "explore", "doctor", "version"),
    "Simulate a circuit": ("check", "draw", "simulate", "sweep", "transient", "response", "budget", "run"),
    "Design": ("optimise", "yield", "fit", "pdk", "calibrate"),
    "Learn through hardware": ("train", "reproduce"),
    "Validate and cite": ("test", "bench", "cite"),
}
"""The commands as help shows them, by what people want to do."""
_EXTRAPOLATE = "--extrapolate"
_INTERRUPTED = 130


def _extrapolated(words: list[str]) -> list[str]:
    """Take the option --extrapolate, which every command has, out of a command line and heed it."""
    for position, word in enumerate(words):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name != _EXTRAPOLATE:
            continue
        rest = words[:position] + words[position + (1 if equals else 2) :]
        if not equals and position + 1 < len(words):
            value = words[position + 1]
        from photosim.engine.windows import extrapolate

        extrapolate(value)
        return rest
    return words


class Commands(TyperGroup):
    """The group of all commands, without tracebacks and without boxes."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands in the order of the help, each in its panel."""
        known = super().list_commands(ctx)
        order = [(name, title) for title, names in PANELS.items() for name in names if name in known]
        for name, title in order:
            self.commands[name].rich_help_panel = title  # type: ignore[attr-defined]
        listed = [name for name, _ in order]
        return [*listed, *(name for name in known if name not in listed)]

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit: 0, 1 for a PhotosimError, 2 for a command line that typer refuses."""
        del standalone_mode
        with ended_by_signals():
            sys.exit(self._code(args, prog_name, complete_var, windows_expand_args, **extra))

    def _code(
        self,
        args: Sequence[str] | None,
        prog_name: str | None,
        complete_var: str | None,
        windows_expand_args: bool,
        **extra: Any,
    ) -> int:
        """Run a command; return the code to exit with."""
        _replace_closed()
        with warnings.catch_warnings():
            warnings.simplefilter("always", PhotosimWarning)
            warnings.simplefilter("always", CacheWarning)
            warnings.showwarning = _say_warning
            try:
                args = _extrapolated(list(sys.argv[1:] if args is None else args))
                code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
                sys.stdout.flush()
                if code == _INTERRUPTED:  # typer may return that, and say nothing
                    say("Interrupted.")
            except PhotosimError as error:
                say(str(error))
                code = 1
            except _UsageError as error:
                say(refused(error, list(sys.argv[1:] if args is None else args)))
                code = 2
            except (KeyboardInterrupt, typer.Abort):
                say("Interrupted.")
                code = _INTERRUPTED
            except (BrokenPipeError, SystemExit) as error:
                # `photosim components | head`: the reader has seen enough. Nothing more can be written.
                # rich, which writes help and tables, ends the process with code 1 where it meets that.
                if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
                    raise
                sys.stdout = None
                code = 0
            except OSError as error:
                if error.filename is not None:
                    raise
                # Files are written by photosim.files, which says what fails; this was the standard output.
                sys.stdout = None
                say(f"Cannot write to the standard output: {(error.strerror or str(error)).lower()}.")
                code = 1
        return code if isinstance(code, int) else 0


def say(sentence: str) -> None:
    """Write one line to stderr; where that is full or closed it is lost, and the work goes on."""
    try:
        typer.echo(sentence, err=True)
    except OSError:
        # Its buffer still holds the line, which would make the process end with code 120.
        sys.stderr = _nowhere()


def _replace_closed() -> None:
    """Let what is written to a closed stream (`>&-`, a job without a terminal) go nowhere."""
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def file_or_folder(text: str) -> Path:
    """Return an option that names a file or a folder; DataError for an empty text."""
    if not text.strip():
        message = "An option that takes a file or a folder got an empty name: write . for this folder."
        raise DataError(message)
    return Path(text)


class _Stopped(BaseException):
    """A signal has ended the work. Not a SystemExit, which hypothesis takes for an example that fails."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End work at SIGTERM and SIGHUP as an interrupt does, so that temporary files are removed."""
    before: dict[int, Any] = {}
    own = os.getpid()

    def stop(number: int, _frame: object) -> None:
        for other in before:  # a second one, as at the end of a session, must not stop the cleaning
            signal.signal(other, signal.SIG_IGN)
        if os.getpid() != own:  # a worker, which its pool ends in this way
            sys.exit(128 + number)
        with suppress(RuntimeError):  # the signal came amid a write to stderr
            say("Stopped.")
        raise _Stopped(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None:
            with suppress(ValueError):  # not in the main thread: whoever runs us there has its own signals
                before[number] = signal.signal(number, stop)
    try:
        yield
    except _Stopped as stopped:
        sys.exit(128 + stopped.number)


def _say_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Write our own warnings as a sentence; those of libraries are for developers and stay silent here."""
    del filename, lineno, file, line
    if issubclass(category, PhotosimWarning | CacheWarning):
        say(f"Warning: {message}")
