"""The question's job, for real: the naive factorisation of `range(100, 1_000_000)`, done in each way and compared.

`python -m hardwork demo` shows progress, prints a table and saves a chart.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hardwork
from hardwork import _chart, _factorize

factorize_naive = _factorize.factorize_naive

SAMPLE = 20
_CPP_NAME = "factorize"


@dataclass
class Row:
    """A line of the table.

    Args:
        name: The way the job was done.
        seconds: For all numbers; extrapolated if a sample was measured.
        note: What there is to say about it: the sample, or why it is missing.
        agrees: Whether its results are those of the serial loop.
        ours: Whether hardwork did it.
    """

    name: str
    seconds: float | None
    note: str = ""
    agrees: bool | None = None
    ours: bool = False


class Progress:
    """One line that is written over on a terminal, plain lines elsewhere."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._step = 0
        self._terminal = sys.stdout.isatty()

    def run(self, name: str, command: Sequence[str]) -> str:
        """Runs a program, and tells how long it has been at it.

        Args:
            name: What it does.
            command: The program with its arguments.

        Returns:
            What it wrote to standard output.

        Raises:
            RuntimeError: It failed. Its own messages have been shown.
        """
        self._step += 1
        head = f"[{self._step}/{self._steps}] {name}"
        if not self._terminal:
            print(f"{head} ...", flush=True)
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while True:
                try:
                    output, _ = process.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    if self._terminal:
                        print(f"\r{head} ... {time.perf_counter() - start:.0f} s", end="", flush=True)
        if process.returncode != 0:
            raise RuntimeError(f"{name}: the program ended with code {process.returncode}")
        elapsed = f"{head}: {time.perf_counter() - start:.1f} s"
        print(f"\r{elapsed}      " if self._terminal else elapsed, flush=True)
        return output


def run(full: bool, output: Path, cpp: Path | None, stop: int = 1_000_000) -> int:
    """Does everything.

    Args:
        full: Whether the standard executor does the whole job too, which takes minutes.
        output: The folder for the charts.
        cpp: The program of examples/factorize.cpp; None if there is none.
        stop: End of the range.

    Returns:
        0 if all results agree, otherwise 1.
    """
    workers = hardwork.cpu_count()
    whole = len(_factorize.numbers(stop))
    step = 1 if full else SAMPLE
    print(f"Naive factorisation of range({_factorize.START}, {stop:_}), {workers} workers, Python {_version()}")
    progress = Progress(5 if cpp is not None else 4)

    def measure(way: str, name: str, step: int = 1) -> dict[str, Any]:
        return _measure(progress, way, name, workers, stop, step)

    serial = measure("serial", "serial loop")
    rows = [Row("serial loop", serial["seconds"], agrees=True)]
    pool = measure("pool_map", "Pool().map")
    rows.append(Row("multiprocessing.Pool().map", pool["seconds"], agrees=pool["digest"] == serial["digest"]))
    standard = measure("executor_map", "the standard ProcessPoolExecutor().map", step)
    expected = serial["digest"] if full else serial["samples"][str(SAMPLE)]
    rows.append(
        Row(
            "standard ProcessPoolExecutor().map",
            standard["seconds"] * whole / standard["items"],
            "" if full else f"measured on every {SAMPLE}th number ({standard['seconds']:.1f} s)",
            standard["digest"] == expected,
        )
    )
    ours = measure("hardwork_map", "hardwork.ProcessPoolExecutor().map")
    agrees = ours["digest"] == serial["digest"]
    rows.append(Row("hardwork.ProcessPoolExecutor().map", ours["seconds"], agrees=agrees, ours=True))
    rows += _cpp_rows(progress, cpp, serial["checksum"] if stop == 1_000_000 else None)

    print()
    print(_table(rows, whole))
    print()
    for path in _chart.save(_chart_of(rows, workers, stop), output, "demo"):
        print(f"chart: {path}")
    if not (output / "demo.png").exists():
        print("no PNG: that needs matplotlib, as in `pip install hardwork[demo]`")
    if all(row.agrees is not False for row in rows):
        print("All results agree.")
        return 0
    print("RESULTS DIFFER: see the table.")
    return 1


def _version() -> str:
    return f"{platform.python_version()} on {platform.system()}"


def _measure(progress: Progress, way: str, name: str, workers: int, stop: int, step: int) -> dict[str, Any]:
    program = "from hardwork import _factorize; _factorize.main()"
    command = [sys.executable, "-c", program, way, str(workers), str(stop), str(step)]
    found: dict[str, Any] = json.loads(progress.run(name, command))
    return found


def _cpp_rows(progress: Progress, cpp: Path | None, checksum: int | None) -> list[Row]:
    if cpp is None:
        note = f"no program: build examples/{_CPP_NAME}.cpp (`make demo` does), or give --cpp PROGRAM"
        return [Row("C++ serial loop", None, note), Row("C++ hardwork::map", None, note, ours=True)]
    found = json.loads(progress.run("C++: serial loop and hardwork::map", [str(cpp)]))
    agrees = None if checksum is None else int(found["checksum"]) == checksum
    return [
        Row("C++ serial loop", found["serial_s"], agrees=agrees),
        Row("C++ hardwork::map", found["map_s"], agrees=agrees, ours=True),
    ]


def _table(rows: list[Row], items: int) -> str:
    pool, standard = rows[1].seconds, rows[2].seconds
    cells = [["", "time", "per item", "than executor", "than Pool", "result", ""]]
    for row in rows:
        if row.seconds is None:
            cells.append([row.name, "-", "-", "-", "-", "-", row.note])
            continue
        result = {True: "same", False: "DIFFERS", None: "-"}[row.agrees]
        per_item = f"{row.seconds / items * 1e6:.2f} us"
        faster = [f"{base / row.seconds:.1f}x" for base in (standard, pool) if base is not None]
        cells.append([row.name, f"{row.seconds:.2f} s", per_item, *faster, result, row.note])
    return layout(cells, left={0, 6})


def layout(cells: list[list[str]], left: set[int]) -> str:
    """Lines up a table for a terminal.

    Args:
        cells: Rows of equal length; the first is the heading.
        left: The columns that are aligned to the left; numbers go to the right.

    Returns:
        Its lines, with a rule below the heading.
    """
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = []
    for row in cells:
        fields = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(fields).rstrip())
    lines.insert(1, "-" * max(len(line) for line in lines))
    return "\n".join(lines)


def _chart_of(rows: list[Row], workers: int, stop: int) -> _chart.Chart:
    bars = []
    for row in rows:
        if row.seconds is not None:
            text = f"{row.seconds:.2f} s" + (" (extrapolated)" if row.note else "")
            bars.append(_chart.Bar(row.name, row.seconds, text, _chart.OURS if row.ours else _chart.THEIRS))
    subtitle = f"range({_factorize.START}, {stop:_}), {workers} workers, Python {_version()}; shorter is better"
    return _chart.Chart("Naive factorisation", subtitle, "seconds", bars, logarithmic=True)


def find_cpp() -> Path | None:
    """Looks for the example program in the build folders below the current one.

    Returns:
        The newest; None if there is none.
    """
    found = [path for path in Path("build").glob(f"*/examples/{_CPP_NAME}") if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def add_arguments(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Declares the demo's options.

    Args:
        parser: Where.

    Returns:
        What to call with what was parsed; returns the exit code.
    """
    parser.add_argument("--full", action="store_true", help="the standard executor does the whole job too (minutes)")
    parser.add_argument("--output", type=Path, default=Path("demo-out"), metavar="DIR", help="folder for the charts")
    parser.add_argument("--cpp", type=Path, metavar="PROGRAM", help="built from examples/factorize.cpp")
    parser.add_argument("--stop", type=int, default=1_000_000, metavar="N", help="end of the range (default: 1000000)")

    def main(options: argparse.Namespace) -> int:
        if options.stop < _factorize.START + SAMPLE:
            parser.error(f"--stop must be at least {_factorize.START + SAMPLE}, not {options.stop}")
        if options.cpp is not None and not options.cpp.is_file():
            parser.error(f"--cpp: there is no program {options.cpp}")
        try:
            return run(options.full, options.output, options.cpp or find_cpp(), options.stop)
        except RuntimeError as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            return 130

    return main
