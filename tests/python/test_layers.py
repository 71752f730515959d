"""The shape of the tree: the real one is sound, and each way to break it is noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "check_layers.py"


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), str(root)], capture_output=True, text=True, check=False)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small sound tree with a header in every layer."""
    for layer in ("base", "os", "shm", "sched", "worker", "zygote", "supervisor", "engine", "face", "command"):
        write(tmp_path, f"src/{layer}/{layer}.hpp", "#pragma once\n#include <cstdint>\n")
    write(tmp_path, "src/zygote/protocol.hpp", "#pragma once\n")
    write(tmp_path, "include/hardwork/error.hpp", "#pragma once\n#include <string>\n")
    write(tmp_path, "include/hardwork/pool.hpp", '#pragma once\n#include "hardwork/error.hpp"\n')
    write(tmp_path, "python/src/module.cpp", "#include <Python.h>\n#include <hardwork/pool.hpp>\n")
    return tmp_path


def test_this_tree_is_sound() -> None:
    result = check(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_is_allowed(tree: Path) -> None:
    write(
        tree,
        "src/os/a.cpp",
        '#include "os/os.hpp"\n#include <sys/mman.h>\n#include "base/base.hpp"\nint f() { return errno; }\n',
    )
    write(tree, "src/supervisor/a.cpp", '#include "zygote/protocol.hpp"\n#include "shm/shm.hpp"\n')
    write(tree, "src/engine/a.cpp", '#include "sched/sched.hpp"\n#include "hardwork/pool.hpp"\n')
    write(
        tree, "src/base/a.cpp", "// errno and syscall(1) in a comment\nconst char* a = \"errno\";\nint n = 1'000'000;\n"
    )
    write(tree, "include/hardwork/cereal.hpp", "#include <cereal/archives/binary.hpp>\n")
    write(tree, "include/hardwork/plugin.h", "#include <stddef.h>\n")
    write(tree, "src/command/a.cpp", '#include "os/os.hpp"\n#include "hardwork/pool.hpp"\n')
    write(tree, "tests/os/a_test.cpp", '#include <gtest/gtest.h>\n#include <unistd.h>\n#include "os/os.hpp"\n')
    result = check(tree)
    assert result.returncode == 0, result.stdout
    assert "0 violations" in result.stdout


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        ("src/base/a.cpp", '#include "os/os.hpp"', "base must not include os"),
        ("src/shm/a.cpp", '#include "worker/worker.hpp"', "shm must not include worker"),
        ("src/sched/a.cpp", '#include "os/os.hpp"', "sched must not include os"),
        ("src/worker/a.cpp", '#include "sched/sched.hpp"', "worker must not include sched"),
        ("src/supervisor/a.cpp", '#include "worker/worker.hpp"', "supervisor must not include worker"),
        ("src/supervisor/a.cpp", '#include "zygote/zygote.hpp"', "supervisor must not include zygote"),
        ("src/engine/a.cpp", '#include "face/face.hpp"', "engine must not include face"),
        ("src/face/a.cpp", '#include "command/command.hpp"', "face must not include command"),
        ("src/command/a.cpp", '#include "engine/engine.hpp"', "command must not include engine"),
        ("src/shm/a.cpp", '#include "hardwork/pool.hpp"', "must not know this part of the faces"),
        ("src/misc/a.cpp", '#include "base/base.hpp"', "src/misc is no layer"),
        ("src/engine/a.cpp", "#include <Python.h>", "Python.h outside python/src"),
        ("src/engine/a.cpp", "#include <unistd.h>", "<unistd.h> outside src/os"),
        ("src/engine/a.cpp", "#include <sys/mman.h>", "<sys/mman.h> outside src/os"),
        ("src/engine/a.cpp", "#include <cerrno>", "<cerrno> outside src/os"),
        ("src/engine/a.cpp", "long f() { return ::syscall(1); }", "syscall outside src/os"),
        ("src/engine/a.cpp", "int f() { return errno; }", "errno outside src/os"),
        ("src/engine/a.cpp", '#include "engine/nowhere.hpp"', "does not exist"),
        ("include/hardwork/a.hpp", "#include <poll.h>", "<poll.h> outside src/os"),
        ("include/hardwork/a.hpp", "#include <stddef.h>", "includes only standard C++ headers"),
        ("include/hardwork/a.h", "#include <cstddef>", "includes only standard C++ headers"),
        ("include/hardwork/a.hpp", "#include <boost/any.hpp>", "includes only standard C++ headers"),
        ("include/hardwork/a.hpp", "#include <cereal/cereal.hpp>", "includes only standard C++ headers"),
        ("include/hardwork/a.hpp", '#include "../../src/base/base.hpp"', "must not show what is behind it"),
        ("python/src/a.cpp", '#include "engine/engine.hpp"', "python sees only include/hardwork"),
        ("examples/a.cpp", '#include "engine/engine.hpp"', "examples sees only include/hardwork"),
    ],
)
def test_what_is_not(tree: Path, name: str, line: str, says: str) -> None:
    write(tree, name, f"// one line before\n{line}\n")
    result = check(tree)
    assert result.returncode == 1
    assert f"{name}:2: " in result.stdout
    assert says in result.stdout
    assert "1 violations" in result.stdout


def test_circle(tree: Path) -> None:
    write(tree, "src/shm/a.hpp", '#include "shm/b.hpp"\n')
    write(tree, "src/shm/b.hpp", '#include "shm/a.hpp"\n')
    result = check(tree)
    assert result.returncode == 1
    assert "circle of includes: src/shm/a.hpp -> src/shm/b.hpp -> src/shm/a.hpp" in result.stdout


@pytest.mark.parametrize("name", ["src/engine/a.cpp", "python/hardwork/a.py", "tools/a.py"])
def test_long_file(tree: Path, name: str) -> None:
    write(tree, name, "\n" * 601)
    result = check(tree)
    assert result.returncode == 1
    assert f"{name}:601: 601 lines; a file may have 600" in result.stdout


def test_median(tree: Path) -> None:
    for number in range(30):
        write(tree, f"src/engine/long{number}.cpp", "\n" * 201)
    result = check(tree)
    assert result.returncode == 1
    assert "the median length is over 200" in result.stdout
