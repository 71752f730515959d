"""`python -m bench`: runs workloads, prints the table, writes JSON and a chart."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import hardwork
from hardwork import _chart
from hardwork.demo import layout

from bench._harness import Line, Settings

NAMES = [
    "submit_result",
    "round_trip",
    "executor_map_100k",
    "map_1m",
    "question_job",
    "run_script",
    "chunk_sweep",
    "skewed",
    "tasks_100us",
    "future_memory",
    "flat_cost",
    "big_buffers",
    "startup",
    "pool_apply",
    "pool_map",
    "pool_imap",
    "joblib_small_calls",
    "faults",
]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="hardwork against the standard library")
    parser.add_argument("names", nargs="*", metavar="NAME", help="workloads: " + ", ".join(NAMES) + " (default: all)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, few rounds: to see that it runs")
    parser.add_argument("--whole", action="store_true", help="references are not scaled down (this takes long)")
    parser.add_argument("--output", type=Path, default=Path("bench-out"), metavar="DIR", help="folder for the files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: bench.json in the output folder")
    parser.add_argument("--one", choices=NAMES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    return options


def run_here(name: str, settings: Settings) -> None:
    """Runs one workload in this process, and prints its lines as JSON."""
    lines = importlib.import_module(f"bench.{name}").run(settings)
    print(json.dumps([dataclasses.asdict(line) for line in lines]))


def run_apart(name: str, settings: Settings) -> list[Line]:
    """Runs one workload in an interpreter of its own: a heap that others have filled costs whoever forks it."""
    command = [sys.executable, "-m", "bench", "--one", name]
    command += ["--quick"] * settings.quick + ["--whole"] * settings.whole
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode != 0:
        return [Line(name, "could not be measured", float("nan"), "x", failed=f"exit code {ended.returncode}")]
    return [Line(**fields) for fields in json.loads(ended.stdout)]


def describe_machine() -> dict[str, Any]:
    return {
        "hardwork": hardwork.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": hardwork.cpu_count(),
        "load": os.getloadavg()[0],
    }


def value_text(line: Line) -> str:
    if line.failed:
        return line.failed
    number = f"{line.value:.0f}" if line.value >= 100 else f"{line.value:.2f}"
    return f"{number}{'' if line.kind.startswith('x') else ' '}{line.kind}"


def table(lines: list[Line]) -> str:
    cells = [["workload", "what", "median", "target", "met", "measured"]]
    for line in lines:
        target = ""
        if line.target is not None:
            target = f"{'>=' if line.at_least else '<='} {line.target:g}"
        met = {True: "yes", False: "NO", None: ""}[line.met]
        detail = line.detail + (f" ({line.note})" if line.note else "")
        cells.append([line.workload, line.what, value_text(line), target, met, detail])
    return layout(cells, left={0, 1, 5})


def chart(lines: list[Line], machine: dict[str, Any]) -> _chart.Chart:
    bars = []
    for line in lines:
        if line.kind == "x" and not line.failed:
            colour = _chart.BAD if line.met is False or line.value < 1 else _chart.OURS
            label = line.what.replace("ProcessPoolExecutor", "executor")
            bars.append(_chart.Bar(label, line.value, value_text(line), colour, line.target))
    subtitle = f"Python {machine['python']}, {machine['cpus']} CPUs; the black marks are targets; red: missed or slower"
    return _chart.Chart("hardwork: times faster", subtitle, "times faster", bars, logarithmic=True)


def main() -> int:
    options = parse()
    settings = Settings(options.quick, options.whole)
    if options.one:
        run_here(options.one, settings)
        return 0
    machine = describe_machine()
    if machine["load"] > 0.5:
        print(f"The machine is busy (load {machine['load']:.1f}): the figures will be worse than they are.")
    lines: list[Line] = []
    for name in options.names or NAMES:
        print(name, flush=True)
        for line in run_apart(name, settings):
            lines.append(line)
            print(f"  {line.what}: {value_text(line)}   {line.detail}", flush=True)
    print()
    print(table(lines))
    if settings.quick:
        print("\nA quick run: the figures mean little.")
    path = options.json or options.output / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [{**dataclasses.asdict(line), "met": line.met} for line in lines]
    path.write_text(json.dumps({"machine": machine, "quick": settings.quick, "lines": entries}, indent=1) + "\n")
    print(f"\nwritten: {path}")
    drawing = chart(lines, machine)
    if drawing.bars:
        for path in _chart.save(drawing, options.output, "bench"):
            print(f"chart: {path}")
    return 1 if any(line.failed for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
