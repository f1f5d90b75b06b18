"""Work on a real scheduler and real workers, processes on loopback: the same bits, and nothing is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.cli.questions import app
from photosim.errors import ClusterError, DataError, ParameterError
from photosim.jobs import cluster, work, workers
from photosim.systems import Case, Row, System, reproduce

pytest.importorskip("distributed", reason="Dask distributed comes with the extra `distributed`")
cloudpickle = pytest.importorskip("cloudpickle", reason="cloudpickle comes with Dask")
pytest.importorskip("zarr", reason="zarr comes with the extra `distributed`")
# What Dask's own loops leave behind when a process ends is not for us to warn of.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*:ResourceWarning", "ignore:.*:DeprecationWarning", "ignore:The grid undersamples"
)

RING = ps.load("add_drop_ring")
VARIATION = {"width": {"die": 1e-3}, "gap": {"local": 5e-3}}
QUESTION: dict[str, Any] = {
    "specification": [{"quantity": "bandwidth_3dB", "from": "in", "to": "drop", "at_most": 1e-4}],
    "wl": "1.55072:1.55172:31",
}
CHUNKS = 5
SAMPLES = CHUNKS * 8192


def start(*words: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen([sys.executable, "-m", *words], stdout=file, stderr=file)


@dataclass
class Cluster:
    """A scheduler and its workers."""

    address: str
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self) -> None:
        """Start one more worker of one thread."""
        log = self.folder / f"worker{len(self.processes)}.log"
        words = (self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
        place = ("--local-directory", str(self.folder))
        self.processes.append(start("distributed.cli.dask_worker", *words, *place, log=log))

    def wait_for(self, workers_: int) -> None:
        """Wait until so many workers are there."""
        with cluster.connected(self.address) as client:
            while len(client.scheduler_info(n_workers=-1)["workers"]) < workers_:
                assert all(process.poll() is None for process in self.processes), "a process has ended"
                time.sleep(0.1)


@contextmanager
def started(folder: Path, workers_: int) -> Iterator[Cluster]:
    """Start a scheduler, the first of the processes, and so many workers; end what is left of them."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers do not have this file
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = Cluster(f"tcp://127.0.0.1:{port}", folder)
    words = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    scheduler = start("distributed.cli.dask_scheduler", *words, log=folder / "scheduler.log")
    own.processes.append(scheduler)
    try:
        while scheduler.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        for _ in range(workers_):
            own.add_worker()
        own.wait_for(workers_)
        yield own
    finally:
        for process in reversed(own.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler with two workers."""
    with started(tmp_path_factory.mktemp("cluster"), 2) as own:
        yield own


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut chunks so short that little work has many."""
    monkeypatch.setattr(work, "SECONDS", 1e-3)


def test_workers_give_the_bits_of_one_machine(two: Cluster, tmp_path: Path) -> None:
    with cluster.connected(two.address) as client:  # a client of one's own does as well as an address
        heaters = {"heaters": ["ring.phase"], "points": 3}
        for method, samples, tuning in (
            ("random", 9_000, None),
            ("sobol", 9_000, None),
            ("lhs", 99, heaters),
        ):
            asked: dict[str, Any] = {
                **QUESTION,
                "samples": samples,
                "method": method,
                "tuning": tuning,
                "seed": 3,
            }
            there = ps.montecarlo(RING, VARIATION, **asked, client=client, chunks=tmp_path)
            assert there.identical(ps.montecarlo(RING, VARIATION, **asked))
        vary = {"ring.radius": [9.9, 10.0, 10.1], "ring.coupling": [0.01, 0.02]}
        for keep in ("elements", "none"):
            how: dict[str, Any] = {
                "wl": "1.5505:1.5519:101",
                "metrics": True,
                "keep": keep,
                "channels": [1.5506, 1.5512],
            }
            there = ps.sweep(RING, vary, **how, client=client, chunks=tmp_path)
            assert there.identical(ps.sweep(RING, vary, **how))
    assert len(list(tmp_path.iterdir())) == 5


def test_starts_of_a_fit(two: Cluster, tmp_path: Path) -> None:
    chip, wl = ps.load("all_pass_ring"), ps.wavelengths(1.548, 1.552, 201)
    measured = {"wavelength_um": wl, "through_dbm": chip(wl)["in", "through"].power_dB}
    how: dict[str, Any] = {"columns": {"through_dbm": "through"}, "envelope": "none", "bootstrap": 50}
    there = ps.fit(
        chip, measured, ["radius", "loss_dB_cm"], starts=3, **how, client=two.address, chunks=tmp_path
    )
    assert there.identical(ps.fit(chip, measured, ["radius", "loss_dB_cm"], starts=3, **how))


def test_a_worker_that_is_killed_loses_nothing(two: Cluster, tmp_path: Path) -> None:
    told: list[int] = []

    def progress(_name: str, done: int, _total: int) -> None:
        told.append(done)
        if done >= 8192 and two.processes[-1].poll() is None:
            two.processes[-1].kill()

    asked: dict[str, Any] = {**QUESTION, "samples": SAMPLES}
    there = ps.montecarlo(RING, VARIATION, **asked, client=two.address, chunks=tmp_path, progress=progress)
    assert two.processes[-1].wait() == -signal.SIGKILL
    assert told[-1] == SAMPLES
    assert there.identical(ps.montecarlo(RING, VARIATION, **asked))


def test_a_client_that_is_killed_goes_on(two: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    asked = f"""
import os, signal
import photosim as ps
from photosim.jobs import work
work.SECONDS = 1e-3
def progress(_name, done, _total):
    if done >= 2 * 8192:
        os.kill(os.getpid(), signal.SIGKILL)
ps.montecarlo(ps.load("add_drop_ring"), {VARIATION!r}, **{QUESTION!r}, samples={SAMPLES}, seed=5,
              client={two.address!r}, chunks={str(folder)!r}, progress=progress)
"""
    ended = subprocess.run([sys.executable, "-c", asked], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    told: list[int] = []
    here: dict[str, Any] = {**QUESTION, "samples": SAMPLES, "seed": 5}
    there = ps.montecarlo(
        RING, VARIATION, **here, client=two.address, chunks=folder, progress=lambda _n, d, _t: told.append(d)
    )
    assert told[1] >= 2 * 8192  # found, before anything was computed
    assert there.identical(ps.montecarlo(RING, VARIATION, **here))


def test_a_scheduler_that_is_lost_keeps_what_is_finished(tmp_path: Path) -> None:
    asked: dict[str, Any] = {**QUESTION, "samples": SAMPLES, "seed": 6, "chunks": tmp_path / "kept"}
    (tmp_path / "cluster").mkdir()
    with started(tmp_path / "cluster", 1) as own:

        def progress(_name: str, done: int, _total: int) -> None:
            if done >= 8192:
                own.processes[0].kill()

        lost = r"The scheduler was lost.*\. Finished chunks are kept"
        with pytest.raises(ClusterError, match=lost):
            ps.montecarlo(RING, VARIATION, **asked, client=own.address, progress=progress)
    told: list[int] = []
    here = ps.montecarlo(RING, VARIATION, **asked, progress=lambda _n, done, _t: told.append(done))
    assert 8192 <= told[1] < SAMPLES  # found, before anything was computed
    assert here.identical(ps.montecarlo(RING, VARIATION, **{**asked, "chunks": None}))


def test_a_scheduler_that_is_lost_while_chunks_are_computed(tmp_path: Path) -> None:
    """Dask cancels what runs, which is an error of another class than a broken connection."""
    with started(tmp_path, 1) as own:
        end = threading.Timer(3.0, own.processes[0].kill)
        end.start()
        with pytest.raises(ClusterError, match=r"^The scheduler was lost.*\. Finished chunks are kept"):
            list(cluster.calls(_rest, [(60.0,)], own.address))
        end.join()


def test_the_command_takes_the_address(two: Cluster, tmp_path: Path) -> None:
    words = ["sweep", "add_drop_ring", "--vary", "ring.radius=9.9:10.1:5", "--wl", "1.549:1.551:101"]
    words += ["--from", "in", "--to", "drop", "--json"]
    chunks = ["--chunks", str(tmp_path / "kept")]
    there = CliRunner().invoke(app, [*words, "--scheduler", two.address, *chunks])
    assert there.exit_code == 0, there.output
    assert there.stdout == CliRunner().invoke(app, words).stdout
    assert CliRunner().invoke(app, [*words, *chunks]).stdout == there.stdout  # from what is kept


def test_seeds_of_a_reproduction(two: Cluster, tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(2, 3))

    def compute(seed: int, checkpoint: Path, _report: Any) -> Mapping[str, Any]:
        assert checkpoint.parent.is_dir()
        return {"number": float((data @ data.T).sum()) + seed, "process": os.getpid()}

    system = System(
        name="toy", title="a toy", source="filipovich2022", cases=lambda _o: (Case("case", compute),),
        rows=lambda _o: (Row("number", "case", "number"),), seeds=3,
    )  # fmt: skip
    there = reproduce(system, system.options(), tmp_path / "there", client=two.address)
    here = reproduce(system, system.options(), tmp_path / "here")
    assert there.table().rows == here.table().rows
    assert os.getpid() not in {own["process"] for own in there.outcome.of("case")}
    again = reproduce(system, system.options(), tmp_path / "there")  # kept, and not computed again
    assert again.outcome.of("case") == there.outcome.of("case")


def test_what_a_worker_finds_wrong_is_said_here(two: Cluster) -> None:
    with pytest.raises(ParameterError, match="too large"):
        list(cluster.calls(_refuse, [(1,)], two.address))
    with pytest.raises(ClusterError, match="A worker failed with ZeroDivisionError: division by zero"):
        list(cluster.calls(_divide, [(0,)], two.address))
    with pytest.raises(ClusterError, match=r"A worker has photosim .*, and the client 0\.0: install"):
        workers.call(b"", "0.0", {})


def _refuse(number: int) -> None:
    message = f"{number} is too large."
    raise ParameterError(message)


def _rest(seconds: float) -> None:
    time.sleep(seconds)


def _divide(number: int) -> float:
    return 1 / number


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://127.0.0.1:9", "No scheduler of Dask answered at 'tcp://127.0.0.1:9' within 1 s"),
        ("127.0.0.1", "'127.0.0.1' is not the address of a scheduler, .* missing port number"),
        ("nonsense://x:1", "'nonsense://x:1' is not the address of a scheduler, such as tcp://10.0.0.1:8786"),
        ("", "'' is not the address of a scheduler"),
        (7, "client must be a Client of Dask distributed or the address of a scheduler, .*, got int"),
    ],
)
def test_wrong_addresses(address: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "TIMEOUT_S", 1.0)
    with pytest.raises(ClusterError, match=words):
        ps.sweep(RING, {"ring.radius": [9.9, 10.0]}, wl="1.5500:1.5502:11", client=address, chunks=tmp_path)
    assert not list(tmp_path.iterdir())  # nothing is begun that nobody computes


def test_nobody_but_a_scheduler_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "TIMEOUT_S", 1.0)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ClusterError, match="No scheduler of Dask answered"):
            ps.sweep(RING, {"ring.radius": [9.9]}, wl="1.5500:1.5502:11", client=address, chunks=tmp_path)


def test_a_missing_extra_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vary = {"ring.radius": [9.9, 10.0]}
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"needs Dask distributed: pip install 'photosim\[distributed\]'"):
        ps.sweep(RING, vary, wl="1.5500:1.5502:11", client="tcp://127.0.0.1:9", chunks=tmp_path)
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ClusterError, match=r"not installed: pip install 'photosim\[distributed\]'"):
        ps.sweep(RING, vary, wl="1.5500:1.5502:11", chunks=tmp_path)
    ps.sweep(RING, vary, wl="1.5500:1.5502:11")  # one machine needs neither


def test_a_full_disk_keeps_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zarr

    vary, wl = {"ring.radius": "9.9:10.1:8"}, "1.5500:1.5502:11"
    write = zarr.Array.__setitem__
    written: list[Any] = []

    def full(self: Any, where: Any, value: Any) -> None:
        if len(written) >= 6:  # three chunks and their digests
            raise OSError(28, "No space left on device")
        written.append(where)
        write(self, where, value)

    monkeypatch.setattr(work, "SECONDS", 1e-9)
    with monkeypatch.context() as patch:
        patch.setattr(zarr.Array, "__setitem__", full)
        with pytest.raises(DataError, match=r"no space left on device\. 3 of 8 chunks are kept there"):
            ps.sweep(RING, vary, wl=wl, chunks=tmp_path)
    told: list[int] = []
    found = ps.sweep(RING, vary, wl=wl, chunks=tmp_path, progress=lambda _n, d, _t: told.append(d))
    assert told[:3] == [0, 3, 4]
    assert found.identical(ps.sweep(RING, vary, wl=wl))
    # A damaged chunk is computed again, whatever is wrong with it.
    store = next(tmp_path.glob("sweep-*.zarr"))
    (store / "kept" / "c" / "5" / "0" / "0").write_bytes(b"damaged")
    told.clear()
    found = ps.sweep(RING, vary, wl=wl, chunks=tmp_path, progress=lambda _n, d, _t: told.append(d))
    assert told == [0, 7, 8]
    assert found.identical(ps.sweep(RING, vary, wl=wl))
    (store / "zarr.json").write_text("{")
    with pytest.raises(DataError, match=r"cannot be read .*: remove that folder"):
        ps.sweep(RING, vary, wl=wl, chunks=tmp_path)


def test_another_question_has_other_chunks(tmp_path: Path) -> None:
    vary = {"ring.radius": [9.9, 10.0]}
    changed = ps.Circuit(ps.netlist.read_text(ps.netlist.to_yaml(RING.netlist).replace("2.5}", "2.6}"), "x"))
    asked: tuple[tuple[ps.Circuit, dict[str, Any]], ...] = (
        (RING, {}), (RING, {"settings": {"ring.coupling": 0.1}}), (RING, {"keep": "power"}), (changed, {}),
    )  # fmt: skip
    for circuit, how in asked:
        ps.sweep(circuit, vary, wl="1.5500:1.5502:11", chunks=tmp_path, **how)
    ps.sweep(RING, vary, wl="1.5500:1.5502:11", chunks=tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
