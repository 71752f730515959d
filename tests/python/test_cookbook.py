"""The recipes of docs/cookbook.md are those of examples/cookbook.cpp, which the C++ tests compile and run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cookbook.md"
PROGRAM = ROOT / "examples" / "cookbook.cpp"

if not PAGE.exists():
    pytest.skip("the documents are not there: not a checkout", allow_module_level=True)


def test_each_recipe_is_in_the_program_word_by_word() -> None:
    recipes = re.findall(r"```cpp\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(recipes) >= 8
    program = PROGRAM.read_text()
    assert [recipe for recipe in recipes if recipe not in program] == []


def test_each_function_between_the_marks_is_a_recipe() -> None:
    recipes = PROGRAM.read_text().split("// --- the recipes ---")[1].split("// --- do they? ---")[0]
    functions = [part.strip() for part in recipes.strip().split("\n\n")]
    assert [function for function in functions if function not in PAGE.read_text()] == []
