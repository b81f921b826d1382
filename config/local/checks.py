"""Run the checks of "make check" and "make test": each runs to its end, pytest last, with one verdict."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.local.console import say
from config.local.foreground import run
from config.local.supervisor import APPS

PYTHON = [sys.executable, "-m"]
IMPORTS = "import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main())"
CHECKS: dict[str, list[str]] = {
    "ruff check": [*PYTHON, "ruff", "check", "."],
    "ruff format --check": [*PYTHON, "ruff", "format", "--check", "."],
    "djangofmt --check": [str(Path(sys.executable).with_name("djangofmt")), "--check", *APPS],
    "mypy": [*PYTHON, "mypy"],
    "lint-imports": [sys.executable, "-c", IMPORTS],
    "docstrings": [*PYTHON, "config.local.docstrings"],
}
# What mends by itself what a check found.
MENDED_BY = {
    "ruff check": "ruff check --fix . (some of it)",
    "ruff format --check": "ruff format .",
    "djangofmt --check": "djangofmt .",
}

# Rules are functions of values: their tests need no server, nor do those that read sources.
RULES = [
    *sorted(str(path) for path in Path("tests").rglob("domain")),
    *(f"tests/architecture/test_{name}.py" for name in ("migrations", "templates", "translations")),
]


def run_checks(pytest_arguments: Sequence[str], env: Mapping[str, str], tests: Sequence[str] = ()) -> int:
    """Run all checks and the named tests (all, if none are named), or pytest alone if it is given arguments.
    Return 0 if everything passed."""
    checks = {} if pytest_arguments else CHECKS
    failed = [name for name, command in checks.items() if not _passes(name, command, env)]
    if failed:
        say(f"\nFailed so far: {', '.join(failed)}")
    # Each process has half of the modules, so that what a module makes once is made once.
    both = ["-n", "2", "--dist", "worksteal", "--durations", "25"]
    pytest = [*PYTHON, "pytest", *(pytest_arguments or [*both, *tests])]
    code = _run("pytest", pytest, env)
    if failed:
        say(f"Also failed: {', '.join(failed)}")
    return code or int(bool(failed))


def _passes(name: str, command: list[str], env: Mapping[str, str]) -> bool:
    began = time.monotonic()
    code = _run(name, command, env)
    verdict = "passed" if code == 0 else f"FAILED (exit {code})"
    say(f"{name}: {verdict} in {time.monotonic() - began:.1f} s")
    if code and name in MENDED_BY:
        say(f"  Fix with: .venv/bin/{MENDED_BY[name]}")
    return code == 0


def _run(name: str, command: list[str], env: Mapping[str, str]) -> int:
    say(f"\n== {name}")
    return run(command, env)
