"""The Python part of births.

Processes are real here; only the engine's loops in them (serve_template, run_worker) are stood in for.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import types
from collections.abc import Callable
from multiprocessing import shared_memory, util
from typing import Any

import pytest
from hardwork import Pool, ProcessPoolExecutor, _birth, _seed, _worker


def test_numbers_are_those_of_the_parents_processes() -> None:
    context = multiprocessing.get_context("fork")
    before = context.Process()._identity[-1]
    first = _birth.ForkSource(context, 3, _worker.EXECUTOR, None, ())
    assert first._next_number(3) == before + 1
    second = _birth.ForkSource(context, 1, _worker.EXECUTOR, None, ())
    assert second._next_number(1) == before + 4
    assert first._next_number(3) == before + 5  # a template that replaces a lost one
    assert context.Process()._identity[-1] == before + 8


def read_all(fd: int) -> list[Any]:
    with open(fd) as file:
        return [json.loads(line) for line in file]


def write(fd: int, report: object) -> None:
    os.write(fd, (json.dumps(report) + "\n").encode())


def facts() -> dict[str, Any]:
    current, parent = multiprocessing.current_process(), multiprocessing.parent_process()
    assert parent is not None
    return {
        "name": current.name,
        "daemon": current.daemon,
        "parent": [parent.pid, parent.name, parent.is_alive()],
        "stdin": sys.stdin.read(),
        "method": multiprocessing.get_start_method(),
        "main": sys.modules["__main__"].__name__,
        "sigint": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    }


def engine(**functions: Callable[..., Any]) -> Any:
    nothing = {"pause_parent_watch": lambda: None, "resume_parent_watch": lambda: None, "raise_if_stopped": print}
    return types.SimpleNamespace(**nothing, **functions)


def test_forked_template_and_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    inherited = object()
    seen: list[object] = []
    out, into = os.pipe()
    parent = os.pidfd_open(os.getpid())

    def serve_template(channel_fd: int, fork: Callable[[], int], worker_main: Callable[..., int]) -> int:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        write(into, [channel_fd, signal.SIGINT in blocked, signal.SIGTERM in blocked, os.getppid()])
        for _ in range(2):
            if (pid := fork()) == 0:
                return worker_main(1, 2, parent, -1)
            write(into, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        return 5

    def run_worker(lane_fd: int, input_fd: int, parent_fd: int, program_fd: int, initialize: Callable[[], None]) -> int:
        assert program_fd == -1
        initialize()
        util.Finalize(None, write, (into, "finalized"), exitpriority=1)
        write(into, [lane_fd, input_fd, parent_fd == parent, seen == [inherited], facts()])
        return 4

    monkeypatch.setattr(_worker, "_engine", engine(serve_template=serve_template, run_worker=run_worker))
    source = _birth.ForkSource(multiprocessing.get_context("fork"), 2, _worker.EXECUTOR, seen.append, (inherited,))
    assert source.uses_template
    first = source._pattern._identity[-1]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    pid = source.start_template(77)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    os.close(into)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    reports = read_all(out)
    os.close(parent)
    assert reports.pop(0) == [77, True, True, os.getpid()]
    for number in (first, first + 1):
        lane_fd, input_fd, same, initialized, worker = reports.pop(0)
        assert (lane_fd, input_fd, same, initialized) == (1, 2, True, True)
        assert worker == {
            "name": f"ForkProcess-{number}",
            "daemon": False,
            "parent": [os.getpid(), multiprocessing.current_process().name, True],
            "stdin": "",
            "method": "fork",
            "main": "__main__",
            "sigint": True,
            "blocked": sorted(before),
        }
        assert reports.pop(0) == "finalized"
        assert reports.pop(0) == 4
    assert not reports
    assert seen == []  # all of it happened elsewhere


def test_ctrl_c_while_a_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    source = _birth.ForkSource(multiprocessing.get_context("fork"), 1, _worker.EXECUTOR, None, ())

    def serve_template(*_: object) -> int:
        assert signal.SIGINT not in signal.sigpending()
        return 6

    def fork_process(*, quiet: bool) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        assert signal.SIGINT in signal.sigpending()
        return os.fork()

    monkeypatch.setattr(_worker, "_engine", engine(serve_template=serve_template))
    monkeypatch.setattr(_worker, "fork_process", fork_process)
    pid = source.start_template(0)  # the engine must hear of it
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 6
    assert type(source.interrupted) is KeyboardInterrupt


@pytest.mark.parametrize("method", ["fork", "forkserver"])  # with spawn it is the supervisor's thread that starts them
@pytest.mark.parametrize("kind", ["executor", "pool"])
def test_ctrl_c_before_a_process_is_started(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], kind: str, method: str
) -> None:
    """It comes where the source does not catch it yet. The caller gets it all the same, and nobody else says a word."""
    context = multiprocessing.get_context(method)

    def work() -> Any:
        if kind == "pool":
            with Pool(1, context=context) as pool:
                return pool.apply(abs, (-1,))
        with ProcessPoolExecutor(1, context) as executor:
            return executor.submit(abs, -1).result()

    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_birth._Source, "_next_number", interrupt)
        with pytest.raises(KeyboardInterrupt):
            work()
    assert capfd.readouterr() == ("", "")
    assert work() == 1


def test_warning_that_is_an_error_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork_process(*, quiet: bool) -> int:
        raise DeprecationWarning("other threads")

    monkeypatch.setattr(_worker, "fork_process", fork_process)
    executor = ProcessPoolExecutor(1, multiprocessing.get_context("fork"))
    with pytest.raises(DeprecationWarning, match="other threads"):
        executor.submit(abs, 1)


def test_failing_template_ends_silently(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def serve_template(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(_worker, "_engine", engine(serve_template=serve_template))
    source = _birth.ForkSource(multiprocessing.get_context("fork"), 1, _worker.EXECUTOR, None, ())
    assert os.waitstatus_to_exitcode(os.waitpid(source.start_template(0), 0)[1]) == 1
    assert capfd.readouterr() == ("", "")


class FreshWorkers:
    """Stands in for the engine in interpreters started by a source: names what runs there instead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = _seed.Seed.program

        def program(seed: _seed.Seed, entry: str, number: int, fds: Any) -> tuple[str, list[int]]:
            source, passed = original(seed, entry, number, fds)
            setup = (
                "import os, types, hardwork._worker as w; "
                "run = lambda lane, inp, parent, program, initialize: initialize() or 4; "
                "serve = lambda channel, fork, main: main(1, 2, os.pidfd_open(os.getppid()), -1); "
                "nop = lambda: None; "
                "w._engine = types.SimpleNamespace(run_worker=run, serve_template=serve, "
                "pause_parent_watch=nop, resume_parent_watch=nop, raise_if_stopped=print); "
            )
            return source.replace("from hardwork._worker", setup + "from hardwork._worker"), passed

        monkeypatch.setattr(_seed.Seed, "program", program)

    def run(self, source: Any) -> int:
        fds = [os.memfd_create("channel or lane"), os.memfd_create("input"), os.pidfd_open(os.getpid()), os.dup(0)]
        pid = source.start_template(fds[0]) if source.uses_template else source.start_worker(*fds)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        for fd in fds:
            os.close(fd)
        return code


INITIALIZER = """
import json, multiprocessing, os, signal, sys
def initialize(lock, event, barrier, value, queue, connection, memory, array, tag):
    current, parent = multiprocessing.current_process(), multiprocessing.parent_process()
    with lock:
        value.value += 1
    assert event.is_set() and barrier.parties == 2 and tag == "tag"
    memory.buf[0] += 1
    array[0] = 7  # one's own memory
    connection.send([current.name, parent.pid, bytes(current.authkey), multiprocessing.get_start_method(),
                     sys.modules["__main__"].__name__, os.getcwd(), len(array), sorted(signal.pthread_sigmask(0, ()))])
"""


@pytest.mark.keeps(reason="multiprocessing's heap keeps the memory of the Value and the Barrier")
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_initargs_reach_each_fresh_worker(method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "hw_initializer.py").write_text(INITIALIZER)
    monkeypatch.syspath_prepend(str(tmp_path))
    initialize = __import__("hw_initializer").initialize
    context = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    event, value = context.Event(), context.Value("i", 0)
    event.set()
    memory = shared_memory.SharedMemory(create=True, size=16)
    array = bytearray(100_000)
    before = set(os.listdir("/proc/self/fd"))
    source: Any = _birth.make_source(
        context,
        1,
        _worker.EXECUTOR,
        initialize,
        (context.Lock(), event, context.Barrier(2), value, context.Queue(), sender, memory, array, "tag"),
    )
    try:
        sender.close()  # the source has its own
        fresh = FreshWorkers(monkeypatch)
        for _ in range(2):  # the second replaces the first
            assert fresh.run(source) == 4
        kind = {"forkserver": "ForkServerProcess-", "spawn": "SpawnProcess-"}[method]
        names = []
        for _ in range(2):
            name, parent, authkey, start_method, main, folder, size, blocked = receiver.recv()
            names.append(name)
            assert name.startswith(kind)
            assert parent == os.getpid()
            assert authkey == bytes(multiprocessing.current_process().authkey)
            assert (start_method, folder, size) == (method, os.getcwd(), 100_000)
            assert main in ("__main__", "__mp_main__")
            assert blocked == sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        assert len(set(names)) == 2
        assert value.value == 2
        assert memory.buf[0] == 2
        assert array[0] == 0
    finally:
        source.close()
        receiver.close()
        memory.close()
        memory.unlink()
    source.close()
    tracker = 1  # multiprocessing's resource tracker, if this was its first use
    assert len(set(os.listdir("/proc/self/fd")) - before) <= tracker


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_initargs_that_do_not_pickle_are_an_error_at_the_first_submit(method: str) -> None:
    descriptors = os.listdir("/proc/self/fd")
    executor = ProcessPoolExecutor(1, multiprocessing.get_context(method), print, (sys._getframe(),))
    for _ in range(2):
        with pytest.raises(TypeError, match="frame"):
            executor.submit(abs, 1)
    assert os.listdir("/proc/self/fd") == descriptors


def test_frozen_program_is_told_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    executor = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    with pytest.raises(RuntimeError, match=r"use multiprocessing\.get_context\('fork'\)"):
        executor.submit(abs, 1)
