"""Writes the table of docs/faults.md from the fault tests and their last results.

    python tools/faults_page.py [--results FOLDER]   new results are added to docs/faults.json, and the page written
    python tools/faults_page.py --check              whether the page is that of the tests that there are

A test is named after its row: `test_W04_killed_while_running` in tests/python/faults, `TEST_F(W04, ...)` in
tests/faults. Its docstring, or the comment above it, says what happens. FOLDER holds what the test runs leave there:
HARDWORK_FAULT_RESULTS=FOLDER for pytest, `ctest --output-junit FOLDER/cpp.xml` for C++.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from fault_rows import NOT_IN_CPP, ROWS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "faults.md"
RESULTS = ROOT / "docs" / "faults.json"
BEGIN = "<!-- table: tools/faults_page.py -->"
END = "<!-- end of the table -->"


class Test:
    """One test function: its row, what it says, and its results by interpreter or build."""

    def __init__(self, row: str, name: str, says: str, face: str) -> None:
        self.row = row
        self.name = name
        self.says = says
        self.face = face


def python_tests() -> list[Test]:
    found = []
    for path in sorted((ROOT / "tests/python/faults").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and (match := re.fullmatch(r"test_([A-Z]\d+)_\w+", node.name)):
                says = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
                found.append(Test(match[1], node.name, says, "python"))
    return found


def cpp_tests() -> list[Test]:
    found = []
    pattern = re.compile(r"((?:^// .*\n)+)^TEST(?:_[FP])?\(([A-Z]\d+), (\w+)\)", re.MULTILINE)
    for path in sorted((ROOT / "tests/faults").glob("*.cpp")):
        for comment, row, name in pattern.findall(path.read_text()):
            says = " ".join(line.removeprefix("// ") for line in comment.splitlines())
            found.append(Test(row, f"{row}.{name}", says, "cpp"))
    return found


def add_results(folder: Path) -> None:
    """Sums up what each run left: of a test in many variants, how many passed."""
    known = known_results()
    for path in sorted(folder.glob("python-*.json")):
        run: dict[str, dict[str, int]] = {}
        for node, outcome in json.loads(path.read_text()).items():
            name = node.partition("::")[2].partition("[")[0]
            counts = run.setdefault(name, {})
            counts[outcome] = counts.get(outcome, 0) + 1
        known[path.stem.replace("python-", "CPython ")] = run
    for path in sorted(folder.glob("cpp*.xml")):
        run = {}
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            match = re.fullmatch(r"faults\.([A-Z]\d+\.\w+)(?:/.*)?", case.get("name", ""))
            if match is not None:
                status = {"run": "passed", "fail": "failed"}.get(case.get("status", ""), "skipped")
                counts = run.setdefault(match[1], {})
                counts[status] = counts.get(status, 0) + 1
        known["C++" + path.stem.removeprefix("cpp").replace("-", " ")] = run
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def by_version(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def known_results() -> dict[str, dict[str, dict[str, int]]]:
    """Of each run: of each test in all its variants, how many ended in each way."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def result_of(test: Test, known: dict[str, dict[str, dict[str, int]]]) -> str:
    words = []
    for run in sorted(
        known, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
    ):
        counts = known[run].get(test.name)
        if counts is not None:
            said = ", ".join(f"{counts[word]} {word}" for word in ("passed", "failed", "skipped") if word in counts)
            words.append(f"{run.removeprefix('CPython ')}: {said}")
    return "; ".join(words) or "not run"


def table(tests: list[Test]) -> str:
    known = known_results()
    lines = ["| | fault | when | what happens | proven by |", "|---|---|---|---|---|"]
    for row, (fault, when) in ROWS.items():
        own = [test for test in tests if test.row == row]
        says = "<br>".join(dict.fromkeys(test.says for test in own))
        proofs = "<br>".join(f"`{test.name}` ({result_of(test, known)})" for test in own)
        lines.append(f"| {row} | {fault} | {when} | {says} | {proofs} |")
    lines += ["", "Not among the C++ tests:", ""]
    lines += [f"- {row}: {why}" for row, why in NOT_IN_CPP.items()]
    return "\n".join(lines)


def missing(tests: list[Test]) -> list[str]:
    rows = {(test.row, test.face) for test in tests}
    problems = [f"{row} has no Python test" for row in ROWS if (row, "python") not in rows]
    if (ROOT / "tests/faults").exists():
        problems += [f"{row} has no C++ test" for row in ROWS if (row, "cpp") not in rows and row not in NOT_IN_CPP]
    problems += [f"{test.name} says nothing" for test in tests if not test.says]
    problems += [f"{test.name} is of no row" for test in tests if test.row not in ROWS]
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, help="folder with what test runs have left")
    parser.add_argument("--check", action="store_true", help="change nothing, and say what is wrong")
    options = parser.parse_args()
    if options.results is not None:
        add_results(options.results)
    tests = python_tests() + cpp_tests()
    for problem in (problems := missing(tests)):
        print(problem, file=sys.stderr)
    before = PAGE.read_text()
    head, _, rest = before.partition(BEGIN)
    tail = rest.partition(END)[2]
    page = f"{head}{BEGIN}\n\n{table(tests)}\n\n{END}{tail}"
    if options.check:
        if before != page:
            print("docs/faults.md is not of these tests: python tools/faults_page.py", file=sys.stderr)
            return 1
    else:
        PAGE.write_text(page)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
