"""The stacks of all processes of a test that hangs, before pytest's own watchdog shows one process and ends the run.

    python watchdog.py FOLDER PID

A process of its own, so that nothing in the one that hangs has to work. Tests touch FOLDER/heartbeat as they begin.
Every process that has imported `helpers` answers SIGUSR2, in C, by writing its threads' stacks into FOLDER/stacks.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

VARIABLE = "HARDWORK_TEST_STACKS"
# Less than pytest's faulthandler_timeout.
PATIENCE = 105.0


def register() -> None:
    """Has this process, and the forks of it, answer."""
    folder = os.environ.get(VARIABLE)
    if folder:
        with contextlib.suppress(OSError):  # a test may have taken the file system away
            file = open(os.path.join(folder, "stacks"), "a")  # noqa: SIM115  # as long as the process lives
            faulthandler.register(signal.SIGUSR2, file=file)


def begin(folder: str) -> None:
    """Starts the watchdog of this process, which is nobody's child."""
    os.environ[VARIABLE] = folder
    beat(folder)
    script = '"$0" "$@" & '
    command = [sys.executable, str(Path(__file__)), folder, str(os.getpid())]
    subprocess.run(["sh", "-c", script, *command], start_new_session=True, stdin=subprocess.DEVNULL, check=True)


def beat(folder: str) -> None:
    Path(folder, "heartbeat").touch()


def show(folder: Path, root: int) -> None:
    """Everybody below that process, and what it is doing."""
    from leaks import descendants, process_table

    stacks = folder / "stacks"
    table = process_table()
    for pid in [root, *sorted(descendants(root))]:
        said = stacks.stat().st_size if stacks.exists() else 0
        print(
            f"\n== process {pid}, child of {table[pid][0]}: {table[pid][2]}" if pid in table else pid, file=sys.stderr
        )
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                print(
                    f"thread {(task / 'comm').read_text().strip()} in {(task / 'wchan').read_text()}", file=sys.stderr
                )
            status = Path(f"/proc/{pid}/status").read_text()
            caught = int(status.partition("SigCgt:")[2].split()[0], 16)
            if caught & (1 << (signal.SIGUSR2 - 1)):
                os.kill(pid, signal.SIGUSR2)
                time.sleep(0.5)
                with open(stacks) as file:
                    file.seek(said)
                    sys.stderr.write(file.read())
    sys.stderr.flush()


def main() -> None:
    folder, root = Path(sys.argv[1]), int(sys.argv[2])
    watched = os.pidfd_open(root)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    shown = 0.0
    while not poll.poll(1000):
        with contextlib.suppress(FileNotFoundError):
            last = (folder / "heartbeat").stat().st_mtime
            if time.time() - last > PATIENCE and last != shown:
                shown = last
                show(folder, root)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
