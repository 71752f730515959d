"""`python -m hardwork demo`, its factorisation and its charts."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from hardwork import _chart, _factorize
from hardwork.demo import factorize_naive, layout


def test_factors() -> None:
    assert [factorize_naive(number) for number in (2, 3, 4, 12, 97, 121, 999_999)] == [
        [2],
        [3],
        [2, 2],
        [2, 2, 3],
        [97],
        [11, 11],
        [3, 3, 3, 7, 11, 13, 37],
    ]


def test_factors_multiply_to_the_number() -> None:
    for number in range(2, 3000):
        assert math.prod(factorize_naive(number)) == number


def test_the_sample_is_one_number_of_each_block_and_takes_all_remainders() -> None:
    sample = _factorize.numbers(100_000, 20)
    assert len(sample) == 99_900 // 20
    assert all((number - 100) // 20 == block for block, number in enumerate(sample))
    assert {number % 20 for number in sample} == set(range(20))


def test_a_digest_tells_results_apart() -> None:
    results = [[2, 3], [5]]
    assert _factorize.digest(results) == _factorize.digest([[2, 3], [5]])
    for other in ([[2], [3, 5]], [[3, 2], [5]], [[2, 3]], [[2, 3], [7]]):
        assert _factorize.digest(other) != _factorize.digest(results)


def run_demo(*arguments: str) -> Any:
    command = [sys.executable, "-m", "hardwork", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_demo(tmp_path: Path) -> None:
    # A stand-in for the C++ program: what it prints is all that the demo knows of it.
    cpp = tmp_path / "factorize"
    found = {"serial_s": 0.5, "map_s": 0.25, "checksum": 0}
    cpp.write_text(f"#!/bin/sh\necho '{json.dumps(found)}'\n")
    cpp.chmod(0o700)
    ended = run_demo("--stop", "4000", "--output", str(tmp_path / "out"), "--cpp", str(cpp))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    for text in ("serial loop", "Pool().map", "every 20th number", "C++ hardwork::map", "All results agree."):
        assert text in ended.stdout
    assert ElementTree.parse(tmp_path / "out" / "demo.svg").getroot().tag.endswith("svg")


def test_the_demo_in_full_without_the_program(tmp_path: Path) -> None:
    output = str(tmp_path / "out")
    ended = subprocess.run(
        [sys.executable, "-m", "hardwork", "demo", "--stop", "2000", "--full", "--output", output],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "every 20th number" not in ended.stdout
    assert "examples/factorize.cpp" in ended.stdout


@pytest.mark.parametrize("arguments", [["--cpp", "no-such-program"], ["--stop", "5"], ["--stop", "many"]], ids=" ".join)
def test_bad_arguments(arguments: list[str]) -> None:
    ended = run_demo(*arguments)
    assert ended.returncode == 2
    assert arguments[0].lstrip("-") in ended.stderr
    assert arguments[1] in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("values", [[1.0], [0.001, 5.0, 12_345.6], [3.0, 3.0], [1e-9, 2e-9]], ids=str)
def test_charts_are_sound(values: list[float], logarithmic: bool) -> None:
    bars = [_chart.Bar(f"<label> & {value}", value, f"{value} s", target=2.0) for value in values]
    chart = _chart.Chart("Title <1>", "sub & title", "seconds", bars, logarithmic)
    root = ElementTree.fromstring(_chart.to_svg(chart))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {bar.label for bar in bars} <= set(texts)
    for element in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert 0 <= float(element.get("width", "-1")) <= 960


def test_a_table_is_lined_up() -> None:
    lines = layout([["name", "number"], ["a", "1"], ["long name", "1000"]], left={0}).splitlines()
    assert lines == ["name       number", "-----------------", "a               1", "long name    1000"]
