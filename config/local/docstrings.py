"""Count docstrings without a subject and a verb: "make check" fails when there are more than are left."""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from config.local.console import say
from config.local.supervisor import APPS

# How a docstring begins that is no whole sentence: "Return ...", "A hand-off receives ..." takes the place of
# "Of a hand-off ...". A number that is not nought may only be lowered.
PREPOSITIONS = (
    "about after against among as at before behind below between beyond by during except for from in into "
    "like near of off on out over per since through to towards under until upon via with within without"
)
CLAUSES = "what when where whether which who whom whose"
LEFT = {PREPOSITIONS: 0, CLAUSES: 0}


def beginning(source: str, words: str) -> Iterator[tuple[int, str]]:
    """Yield line number and first line of each docstring of a source that begins with one of the words."""
    starts = re.compile(rf"({'|'.join(words.split())})\b", re.IGNORECASE)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text and starts.match(text):
                yield node.body[0].lineno, text.splitlines()[0]


def main() -> int:
    """Print all docstrings of a kind that has more than are left. Return 0 if none has."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(path for app in APPS for path in Path(app).rglob("*.py")):
        if "migrations" not in path.parts:
            for words in LEFT:
                rows = beginning(path.read_text(encoding="utf-8"), words)
                found[words] += [f"{path}:{line}: {text}" for line, text in rows]
    for words, most in LEFT.items():
        count, sample = len(found[words]), ", ".join(words.split()[:4])
        if count > most:
            say("\n".join(found[words]))
        say(f"{count} docstrings begin with {sample} or the like; {most} may.")
    return int(any(len(found[words]) > most for words, most in LEFT.items()))


if __name__ == "__main__":
    sys.exit(main())
