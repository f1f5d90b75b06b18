"""The command line. `main` is what the `photosim` script calls."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit: 0 done, 1 for a bad value or missing file, 2 for a bad command line."""
    from photosim.cli.questions import app

    try:
        app(prog_name="photosim")
    except MemoryError as error:
        sys.stderr.write(f"The memory of this machine does not suffice ({error}): ask for less at a time.\n")
        sys.exit(1)
    except Exception as error:  # a defect of ours: say so in a line, the traceback only on demand
        if os.environ.get("PHOTOSIM_DEBUG"):
            raise
        sys.stderr.write(
            f"photosim has a defect: {type(error).__name__}: {error} "
            "(PHOTOSIM_DEBUG=1 shows where; please report it).\n"
        )
        sys.exit(1)
