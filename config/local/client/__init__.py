"""Build the Python package of clients (`make release`), which is in no commit: it is generated from the
description of the API. The files beside this one are what is added to it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from config.local.console import Failed

HERE = Path(__file__).parent
PACKAGE = "instrument_commons_client"
BUILD = """
import sys
from flit_core import buildapi
buildapi.build_wheel(sys.argv[1])
buildapi.build_sdist(sys.argv[1])
"""
# In a process of its own, as the code is that of a commit.
DESCRIBE = """
import json, sys, django
django.setup()
from config.api.docs import openapi
with open(sys.argv[1], "w") as file:
    json.dump(openapi("en"), file)
"""


def build_client(
    code: Path, work: Path, to: Path, version: str, env: Mapping[str, str], then: int
) -> list[Path]:
    """Build wheel and source archive of the client for the code in a folder; return their paths in `to`. The
    same code gives the same bytes: files have the time `then`."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    described = work / "openapi.json"
    django = {"DJANGO_SETTINGS_MODULE": "config.settings", "PATH": os.environ["PATH"]}
    django |= {"PYTHONDONTWRITEBYTECODE": "1", **env}  # the folder may be packed next
    _run([sys.executable, "-c", DESCRIBE, str(described)], code, django)
    _run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"),
            *("--path", str(described), "--meta", "none", "--config", str(HERE / "generator.yaml")),
            *("--output-path", str(work / PACKAGE)),
        ],
        work, os.environ,
    )  # fmt: skip
    shutil.copy(HERE / "connect.py.in", work / PACKAGE / "connect.py")
    shutil.copy(HERE / "README.md", work)
    project = (HERE / "pyproject.toml.in").read_text("utf-8").replace("{version}", version)
    (work / "pyproject.toml").write_text(project)
    (work / PACKAGE / "__init__.py").write_text(
        '"""A client of Instrument Commons."""\n\nfrom .client import AuthenticatedClient, Client\n'
        'from .connect import connect\n\n__all__ = ("AuthenticatedClient", "Client", "connect")\n'
    )
    to.mkdir(exist_ok=True)
    _run([sys.executable, "-c", BUILD, str(to)], work, os.environ | {"SOURCE_DATE_EPOCH": str(then)})
    return [to / f"{PACKAGE}-{version}-py3-none-any.whl", to / f"{PACKAGE}-{version}.tar.gz"]


def _run(words: list[str], folder: Path, env: Mapping[str, str]) -> None:
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"The Python client: {done.stdout}{done.stderr}")
