# ruff: noqa: T201 - a command prints its report
"""Compare the numbers of this working tree with those of another git revision, bit for bit.

    python tests/house/compare_results.py main
    python tests/house/compare_results.py v0.1.0 --only wdm --keep ~/photosim-results --rtol 1e-12

For a restructuring in which no computed number may change. The revision is installed in a fresh environment,
with the versions of every package that this one has; the working tree is the one that this environment has
installed (`pip install -e`). `probe_results.py` then computes in both, one thread each: S-matrices,
gradients, waves, photocurrents, time traces and links of the gallery, the S-matrices of all components, the
analyses that netlists list, and every published system in small (PHOTOSIM_DATA names the folder of data sets
that `vowels` needs). Each side has a cache of kernels of its own, empty at first.

The table has a line for each quantity. "equal, refused" means that neither side has the quantity, "equal,
failed" that both fail alike. The exit code is 0 if all are equal, 1 if any is not, 2 for a bad command line.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PROBE = Path(__file__).with_name("probe_results.py")
LIMIT_S = 1800
"""Bound of one job: far above what any takes, so that a hang ends."""
LONG = ("system/", "run/", "component/", "netlist/mrr_weight_bank_50x20")
"""Jobs to begin with, so that no core waits for one of them at the end."""
ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMBA")

Arrays = Mapping[str, np.ndarray[Any, Any]]


class UsageError(Exception):
    """A sentence that says what the command needs; the exit code is 2."""


@dataclass(frozen=True)
class Side:
    """One of the two environments: what it is called, its Python, and the folders of its files.

    results: an .npz archive for each finished job.  caches: compiled kernels.
    """

    name: str
    python: Path
    results: Path
    caches: Path

    def file(self, job: str) -> Path:
        """Path of the archive of a job."""
        return self.results / f"{job.replace('/', '-')}.npz"


@dataclass(frozen=True)
class Line:
    """One line of the table; `wrong` if it is a difference."""

    item: str
    verdict: str
    wrong: bool


def main() -> int:
    """Compute on both sides, print the table and return the exit code."""
    options = command_line().parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="photosim-compare-") as folder:
            lines = compare(options, Path(folder))
    except UsageError as error:
        print(f"compare_results: {error}", file=sys.stderr)
        return 2
    show(lines, options.quiet)
    return int(any(line.wrong for line in lines))


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rev", metavar="REV", help="git revision to compare with")
    parser.add_argument(
        "--rtol", type=float, default=0.0, metavar="R",
        help="largest difference that passes, over the largest value of its array (default: 0, bit for bit)",
    )  # fmt: skip
    parser.add_argument(
        "--only",
        metavar="PATTERN",
        help="only jobs whose name has this in it, as in 'ring' or 'system/*dfa*'",
    )
    parser.add_argument("--skip-systems", action="store_true", help="leave out the published systems")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the results of REV here, and use those kept"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="jobs at a time")
    parser.add_argument("--quiet", action="store_true", help="show only the lines that differ")
    return parser


def compare(options: argparse.Namespace, folder: Path) -> list[Line]:
    """Return the lines of the table: compute what is missing on either side, then compare job by job."""
    commit = commit_of(options.rev)
    here = Side("here", Path(sys.executable), made(folder / "here"), made(folder / "here-caches"))
    check_installed(here)
    kept = made(options.keep.resolve() / key_of(commit)) if options.keep else made(folder / "there")
    there = Side(options.rev, folder / "venv" / "bin" / "python", kept, made(folder / "there-caches"))
    listed = there.results / "jobs.json"
    if not listed.exists():
        install(commit, folder)
        listed.write_text(json.dumps(jobs_of(there)), encoding="utf-8")
    both = {
        there: chosen(json.loads(listed.read_text(encoding="utf-8")), options),
        here: chosen(jobs_of(here), options),
    }
    if not any(both.values()):
        known = ", ".join(jobs_of(here))
        message = f"no job has {options.only!r} in its name. The jobs: {known}."
        raise UsageError(message)
    missing = [(side, job) for side, jobs in both.items() for job in jobs if not side.file(job).exists()]
    if any(side is there for side, _ in missing) and not there.python.exists():
        install(commit, folder)
    failures = compute(missing, options.jobs)
    names = dict.fromkeys([*both[there], *both[here]])
    return [line for job in names for line in job_lines(job, there, here, failures, options.rtol)]


# --- the two environments -----------------------------------------------------------------------------


def commit_of(rev: str) -> str:
    """Return the hash of a revision; UsageError if git does not know it."""
    done = ran(["git", "rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}"], cwd=ROOT)
    if done.returncode:
        message = f"{rev!r} is not a revision of the git checkout {ROOT}. {done.stderr.strip()}"
        raise UsageError(message.strip())
    return done.stdout.strip()


def check_installed(here: Side) -> None:
    """Require that this environment has the working tree installed, and not a copy of some older one."""
    code = "import photosim; print(photosim.__file__)"
    done = ran([str(here.python), "-P", "-c", code], cwd=here.caches)
    if done.returncode or not Path(done.stdout.strip()).resolve().is_relative_to(ROOT):
        found = done.stdout.strip() or "none"
        message = (
            f"{here.python} must have photosim of {ROOT} installed (pip install -e '.[test]'), got: {found}."
        )
        raise UsageError(message)


def versions() -> list[str]:
    """Return `name==version` of every package of this environment but photosim."""
    found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return sorted(f"{name}=={version}" for name, version in found.items() if name != "photosim")


def key_of(commit: str) -> str:
    """Return a name for stored results: the commit, and what else decides about their bits."""
    data = os.environ.get("PHOTOSIM_DATA", "")
    recipe = "\n".join([sys.version, data, *versions(), PROBE.read_text(encoding="utf-8")])
    return f"{commit}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"


def install(commit: str, folder: Path) -> None:
    """Install a commit, without its tests' packages, in the environment `folder`/venv."""
    print(f"installing {commit[:12]}", file=sys.stderr)
    source, venv, constraints = folder / "source", folder / "venv", folder / "constraints.txt"
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(source, filter="data")
    constraints.write_text("\n".join(versions()) + "\n", encoding="utf-8")
    python = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
    what = ["install", "--quiet", "--constraint", str(constraints), str(source)]
    uv = shutil.which("uv")
    if uv is not None:
        steps = [
            [uv, "venv", "--quiet", "--python", python, str(venv)],
            [uv, "pip", *what, "--python", str(venv / "bin" / "python")],
        ]
    else:
        steps = [
            [python, "-m", "venv", "--without-pip", str(venv)],
            [python, "-m", "pip", "--python", str(venv), *what],
        ]
    for step in steps:
        done = ran(step, cwd=folder)
        if done.returncode:
            message = f"cannot install {commit[:12]}: `{' '.join(step)}` said: {done.stderr.strip()}"
            raise UsageError(message)


def ran(command: Sequence[str], *, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Return a finished command, whatever its exit code."""
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip


def probe(side: Side, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the probe on one side: one thread, its own caches, nothing imported from the working folder."""
    return ran(
        [str(side.python), "-P", str(PROBE), *arguments], cwd=side.caches,
        PHOTOSIM_CACHE=str(side.caches / "photosim"), NUMBA_CACHE_DIR=str(side.caches / "numba"),
        PYTHONPATH="", PYTHONHASHSEED="0", MPLBACKEND="Agg", PHOTOSIM_THREADS="1",
        **{f"{name}_NUM_THREADS": "1" for name in ONE_THREAD},
    )  # fmt: skip


def jobs_of(side: Side) -> list[str]:
    """Return the names of the jobs that one side can do."""
    done = probe(side)
    if done.returncode:
        message = f"the probe cannot list the jobs of {side.name}: {done.stderr.strip()}"
        raise UsageError(message)
    return list(json.loads(done.stdout))


def chosen(jobs: Sequence[str], options: argparse.Namespace) -> list[str]:
    """Return the jobs that the options leave."""
    left = [job for job in jobs if not (options.skip_systems and job.startswith("system/"))]
    return [job for job in left if options.only is None or fnmatch(job, f"*{options.only}*")]


def compute(tasks: Sequence[tuple[Side, str]], jobs: int) -> dict[tuple[str, str], str]:
    """Compute and store jobs, several at a time; return the last message of those that failed."""
    order = sorted(tasks, key=lambda task: not task[1].startswith(LONG))
    failures: dict[tuple[str, str], str] = {}

    def one(task: tuple[Side, str]) -> None:
        side, job = task
        started = time.perf_counter()
        unfinished = side.file(job).with_suffix(".unfinished.npz")
        done = probe(side, job, str(unfinished))
        if done.returncode:
            failures[side.name, job] = (done.stderr.strip().splitlines() or ["no message"])[-1]
        else:
            unfinished.replace(side.file(job))
        print(f"{job} ({side.name}): {time.perf_counter() - started:.0f} s", file=sys.stderr)

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        list(pool.map(one, order))
    return failures


def made(folder: Path) -> Path:
    """Return a folder that exists from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# --- the comparison -----------------------------------------------------------------------------------


def job_lines(
    job: str, there: Side, here: Side, failures: Mapping[tuple[str, str], str], rtol: float
) -> Iterator[Line]:
    """Yield the lines of one job: a line for each quantity, or for the whole job if a side is without it."""
    failed = [
        f"failed ({s.name}): {failures[s.name, job]}" for s in (there, here) if (s.name, job) in failures
    ]
    if failed:
        yield Line(job, "; ".join(failed), wrong=True)
    elif not (there.file(job).exists() and here.file(job).exists()):
        only = there if there.file(job).exists() else here
        yield Line(job, f"only in {only.name}", wrong=True)
    else:
        with np.load(there.file(job)) as old, np.load(here.file(job)) as new:
            yield from quantity_lines(job, dict(old), dict(new), (there.name, here.name), rtol)


def quantity_lines(job: str, old: Arrays, new: Arrays, names: tuple[str, str], rtol: float) -> Iterator[Line]:
    """Yield a line for each quantity of a job, with its worst array."""
    for quantity in dict.fromkeys(key.partition("/")[0] for key in [*old, *new]):
        keys = [k for k in dict.fromkeys([*old, *new]) if k.partition("/")[0] == quantity]
        item = f"{job}: {quantity}"
        for name, side, other in ((names[0], old, new), (names[1], new, old)):
            alone = [key for key in keys if key in side and key not in other]
            if alone:
                yield Line(item, f"only in {name}: {shortened(alone)}", wrong=True)
        common = [key for key in keys if key in old and key in new]
        if common:
            yield verdict(item, {key: (old[key], new[key]) for key in common}, rtol)


def verdict(item: str, pairs: Mapping[str, tuple[Any, Any]], rtol: float) -> Line:
    """Return the line of the arrays of one quantity that both sides have."""
    same = {key: identical(a, b) for key, (a, b) in pairs.items()}
    if all(same.values()):
        texts = {str(a) for a, _ in pairs.values() if a.dtype.kind == "U" and a.ndim == 0}
        return Line(item, ", ".join(["equal", *sorted(texts)]), wrong=False)
    differences = {key: difference(*pairs[key]) for key in pairs if not same[key]}
    worst = max(differences, key=lambda key: differences[key])
    found = differences[worst]
    a, b = pairs[worst]
    text = f"{len(differences)} of {len(pairs)} differ, up to {found:.2g} relative: {worst}"
    if found == np.inf:
        text = (
            f"{len(differences)} of {len(pairs)} differ: {worst}, {described(a)} there, {described(b)} here"
        )
    return Line(item, text, wrong=rtol == 0.0 or found > rtol)


def identical(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays are the same bit for bit."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def difference(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """Return the largest difference of two arrays over the largest value of the first.

    inf where that makes no sense; 0 for arrays that differ in the signs of zeros only.
    """
    if a.shape != b.shape or "U" in {a.dtype.kind, b.dtype.kind}:
        return np.inf
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return np.inf
    apart = np.abs(a[finite] - b[finite]).max(initial=0.0)
    largest = np.abs(a[finite]).max(initial=0.0)
    return float(apart / largest) if largest > 0.0 else (np.inf if apart > 0.0 else 0.0)


def described(a: np.ndarray[Any, Any]) -> str:
    """Return a text, or the type and shape of an array."""
    return str(a) if a.ndim == 0 else f"{a.dtype} {a.shape}"


def shortened(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def show(lines: Sequence[Line], quiet: bool) -> None:
    """Print the table and a line that sums it up."""
    width = max(len(line.item) for line in lines)
    for line in lines:
        if line.wrong or not quiet:
            print(f"{line.item:{width}}  {line.verdict}")
    wrong = sum(line.wrong for line in lines)
    print(f"{len(lines)} lines, {wrong} of them wrong" if wrong else f"{len(lines)} lines, all equal")


if __name__ == "__main__":
    sys.exit(main())
