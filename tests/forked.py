"""Processes of Python that begin with heavy packages loaded: each is a fork, which is less work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SERVER = """\
import gc, json, os, sys
{imports}
gc.collect()
gc.freeze()
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
folder, out, error, environment, code = json.loads(line)
os.chdir(folder)
os.environ.clear()
os.environ.update(environment)
for stream, file in ((1, out), (2, error)):
    os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), stream)
def begin(code, space, streams=(sys.stdout, sys.stderr), end=os._exit):
    for name in [name for name in space if not name.startswith("__")]:
        del space[name]
    exec(code, space)
    for stream in streams:
        stream.flush()
    end(0)
begin(compile(code, "<string>", "exec"), globals())
"""
"""What is loaded is frozen, and not taken down at the end, so that its memory stays shared."""


class Forked:
    """Runs Python in new processes of one kind, each a fork of a process that has loaded packages."""

    def __init__(self, options: list[str], server: subprocess.Popen[str] | None, place: Path) -> None:
        self.options, self.server = options, server
        self.out, self.error = place / "out.txt", place / "error.txt"

    def run(
        self, code: str, folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run code in a folder and an environment; return its exit code, what it printed and its errors."""
        if self.server is None:
            command = [sys.executable, *self.options, "-c", code]
            return subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        for file in (self.out, self.error):
            file.write_text("")
        asked = [str(folder), str(self.out), str(self.error), dict(environment), code]
        print(json.dumps(asked), file=self.server.stdin, flush=True)
        ended = int(self.server.stdout.readline())
        return subprocess.CompletedProcess(code, ended, self.out.read_text(), self.error.read_text())


@contextmanager
def forked(imports: str, place: Path, options: list[str], environment: Mapping[str, str]) -> Iterator[Forked]:
    """Give what runs Python behind these imports, with options of the interpreter; `place` has its files."""
    if not hasattr(os, "fork") or sys.platform == "darwin":  # whose libraries do not bear a fork
        yield Forked(options, None, place)
        return
    command = [sys.executable, *options, "-c", SERVER.format(imports=imports)]
    own = {**environment, "OPENBLAS_NUM_THREADS": "1"}  # Python warns of forks with threads
    with subprocess.Popen(
        command, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        yield Forked(options, server, place)
        server.stdin.close()
