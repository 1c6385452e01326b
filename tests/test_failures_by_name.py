"""Every failure that was promised to be survived has a test that names it."""

import ast
import re
from pathlib import Path

_TESTS = Path(__file__).parent
_PROMISED = {*range(1, 5), *range(6, 9), *range(10, 15), *range(18, 22), 33, 34, 36, 39, 40}
_NAME = re.compile(r"\bF(\d+)\b")


def test_every_failure_has_a_test_that_names_it() -> None:
    """F1 to F57 are the failures of the reliability research; these are the ones of plans, engine and data stores."""
    named: set[int] = set()
    for path in _TESTS.rglob("test_*.py"):
        if path.name == Path(__file__).name:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Module))
        words = " ".join(ast.get_docstring(node) or "" for node in functions)
        named.update(int(number) for number in _NAME.findall(words))
    assert sorted(_PROMISED - named) == []
