#!/usr/bin/env python3
"""Checks the shape of the tree: who may include whom, where Python and the system may be met, how long files are.

Prints every violation as `file:line: message`, then the median length of our files. Exit status 1 if there was one.
Usage: tools/check_layers.py [ROOT]
"""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_FILE = 600
LONGEST_MEDIAN = 200

# What the headers of a layer may be included by, lowest layer first. A layer may always include itself.
LAYERS: dict[str, set[str]] = {
    "base": set(),
    "os": {"base"},
    "shm": {"base", "os"},
    "sched": {"base"},
    "worker": {"base", "os", "shm"},
    "zygote": {"base", "os", "shm", "worker"},
    "supervisor": {"base", "os", "shm"},
    "engine": {"base", "os", "shm", "sched", "worker", "zygote", "supervisor"},
    "face": {"base", "os", "shm", "sched", "worker", "zygote", "supervisor", "engine"},
    "command": {"base", "os"},
}
# Single headers beyond that: of the zygote the supervisor knows only how to talk to it.
ALSO_ALLOWED: dict[str, set[str]] = {"supervisor": {"zygote/protocol.hpp"}}
# Public headers: engine, face and the command may use all of them. Lower layers know only the words for errors, and the
# interfaces that a face implements for them (how processes are born, what a worker does with a task).
PUBLIC_USERS = {"engine", "face", "command"}
PUBLIC_ALLOWED: dict[str, set[str]] = {
    "hardwork/error.hpp": set(LAYERS),
    "hardwork/fault.hpp": set(LAYERS),
    "hardwork/births.hpp": {"worker", "zygote", "supervisor"},
    "hardwork/worker.hpp": {"worker", "zygote"},
    "hardwork/segment.hpp": {"worker"},
}

# Headers that are a door to the kernel: only src/os may open it.
SYSTEM_HEADERS = {
    "cerrno", "csignal", "dirent.h", "dlfcn.h", "errno.h", "fcntl.h", "ftw.h", "grp.h", "mntent.h", "netdb.h",
    "poll.h", "pthread.h", "pwd.h", "sched.h", "semaphore.h", "signal.h", "spawn.h", "syscall.h", "termios.h",
    "ucontext.h", "unistd.h", "wait.h",
}  # fmt: skip
SYSTEM_FOLDERS = ("sys/", "linux/", "asm/", "net/", "netinet/", "arpa/", "bits/")
SYSTEM_CALL = re.compile(r"(?<![\w.>:])(?:::)?syscall\s*\(|\berrno\b")

# What a public header for programs in C may include.
C_HEADERS = {"stddef.h"}
# Public headers that are made for another library's users, who have it: the folder of its headers.
ADAPTED = {"cereal.hpp": "cereal/"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>\n]+)>|"([^"\n]+)")', re.MULTILINE)
# Comments, strings (raw ones too) and character constants, so that only code is searched for calls.
NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<fence>[^()\s\\]{0,16})\(.*?\)(?P=fence)"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)
CPP_FOLDERS = ("include", "src", "python", "tests", "examples", "bench", "fuzz")
ALL_FOLDERS = (*CPP_FOLDERS, "tools", "docs")
CPP_SUFFIXES = {".cpp", ".hpp", ".h", ".c", ".cc"}
PY_SUFFIXES = {".py", ".pyi"}


@dataclass(frozen=True)
class Include:
    line: int
    name: str
    quoted: bool


@dataclass
class Checker:
    root: Path
    violations: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    # Which of our files includes which, with the line, for the search for circles.
    edges: dict[Path, list[tuple[Path, int]]] = field(default_factory=dict)

    def report(self, path: Path, line: int, message: str) -> None:
        self.violations.append(f"{path.relative_to(self.root)}:{line}: {message}")

    def run(self) -> None:
        for path in files_in(self.root, ALL_FOLDERS, CPP_SUFFIXES | PY_SUFFIXES):
            self.check_length(path)
        for path in files_in(self.root, CPP_FOLDERS, CPP_SUFFIXES):
            self.check_cpp(path)
        self.check_circles()
        self.violations.sort(key=sort_key)

    def check_length(self, path: Path) -> None:
        lines = path.read_bytes().count(b"\n")
        if lines:
            self.lengths.append(lines)
        if lines > LONGEST_FILE:
            self.report(path, lines, f"{lines} lines; a file may have {LONGEST_FILE}")

    def median(self) -> float:
        return statistics.median(self.lengths) if self.lengths else 0

    def check_cpp(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        place = path.relative_to(self.root).parts
        for include in includes_of(text):
            self.check_include(path, place, include)
        # Tests and benchmarks may call the system: they make the faults that the library must survive.
        if place[0] in {"src", "include"} and place[:2] != ("src", "os"):
            code = NOT_CODE.sub(lambda match: "\n" * match.group().count("\n") or " ", text)
            for match in SYSTEM_CALL.finditer(code):
                self.report(path, line_of(code, match.start()), f"{match.group().rstrip('( ')} outside src/os")

    def check_include(self, path: Path, place: tuple[str, ...], include: Include) -> None:
        name = include.name

        def report(message: str) -> None:
            self.report(path, include.line, message)

        if name == "Python.h" and place[:2] != ("python", "src"):
            report("Python.h outside python/src")
        if place[0] in {"src", "include"} and place[:2] != ("src", "os") and is_system_header(name):
            report(f"<{name}> outside src/os")
            return

        target = self.resolve(path, include)
        if target is None:
            if include.quoted or name.startswith("hardwork/") or name.split("/")[0] in LAYERS:
                report(f'"{name}" does not exist')
            elif place[0] == "include" and not is_standard(place[-1], name) and not is_adapted(place[-1], name):
                report(f"<{name}>: a public header includes only standard C++ headers and other public ones")
            return
        self.edges.setdefault(path, []).append((target, include.line))
        reason = forbidden(place, target.relative_to(self.root).parts)
        if reason:
            report(f'"{name}": {reason}')

    def resolve(self, path: Path, include: Include) -> Path | None:
        """The file of ours that an include means, looked for where the compiler would look."""
        beside = [path.parent] if include.quoted else []
        for folder in [*beside, *(self.root / each for each in ("include", "src", "python/src", "tests"))]:
            target = folder / include.name
            if target.is_file():
                return Path(target.resolve())
        return None

    def check_circles(self) -> None:
        done: set[Path] = set()
        for start in sorted(self.edges):
            self.walk(start, [], done)

    def walk(self, path: Path, trail: list[Path], done: set[Path]) -> None:
        if path in done:
            return
        trail.append(path)
        for target, line in self.edges.get(path, []):
            if target in trail:
                circle = [*trail[trail.index(target) :], target]
                names = " -> ".join(str(each.relative_to(self.root)) for each in circle)
                self.report(path, line, f"circle of includes: {names}")
            else:
                self.walk(target, trail, done)
        trail.pop()
        done.add(path)


def forbidden(place: tuple[str, ...], target: tuple[str, ...]) -> str | None:
    """Why a file at `place` may not include our file `target`, or None if it may."""
    public = target[0] == "include"
    inside = "/".join(target[1:])
    match place[0]:
        case "include":
            return None if public else "a public header must not show what is behind it"
        case "python" | "examples":
            own = target[: len(place) - 1] == place[:-1] or target[0] == place[0]
            return None if public or own else f"{place[0]} sees only include/hardwork and its own"
        case "src":
            layer = place[1]
            if layer not in LAYERS:
                return f"src/{layer} is no layer; add it to tools/check_layers.py"
            if public:
                fine = layer in PUBLIC_USERS or layer in PUBLIC_ALLOWED.get(inside, set())
                return None if fine else f"{layer} must not know this part of the faces"
            if target[0] != "src":
                return "src sees only src and include"
            fine = target[1] == layer or target[1] in LAYERS[layer] or inside in ALSO_ALLOWED.get(layer, set())
            return None if fine else f"{layer} must not include {target[1]}"
    return None


def is_standard(header: str, name: str) -> bool:
    return name in C_HEADERS if header.endswith(".h") else "/" not in name and "." not in name


def is_adapted(header: str, name: str) -> bool:
    return header in ADAPTED and name.startswith(ADAPTED[header])


def is_system_header(name: str) -> bool:
    return name in SYSTEM_HEADERS or name.startswith(SYSTEM_FOLDERS)


def includes_of(text: str) -> Iterator[Include]:
    for match in INCLUDE.finditer(text):
        angled, quoted = match.groups()
        yield Include(line_of(text, match.start(match.lastindex or 0)), angled or quoted, quoted is not None)


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def sort_key(violation: str) -> tuple[str, int]:
    name, line, _ = violation.split(":", 2)
    return name, int(line)


def files_in(root: Path, folders: tuple[str, ...], suffixes: set[str]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file() and "__pycache__" not in path.parts:
                yield path


def main(arguments: list[str]) -> int:
    root = Path(arguments[0] if arguments else Path(__file__).parent.parent).resolve()
    checker = Checker(root)
    checker.run()
    for violation in checker.violations:
        print(violation)
    median = checker.median()
    print(f"{len(checker.lengths)} files, median length {median:g} lines, {len(checker.violations)} violations")
    if median > LONGEST_MEDIAN:
        print(f"the median length is over {LONGEST_MEDIAN} lines")
        return 1
    return 1 if checker.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
