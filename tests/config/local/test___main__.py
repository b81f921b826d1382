"""Commands of the launcher; no server is started here, "make test" itself does that."""

import os
import subprocess
import sys

import pytest

from config.local.__main__ import _run_platform
from config.local.checkout import ROOT
from config.local.console import Failed

REAL = {"DATABASE_URL": "postgresql://a:b@db.example/c", "REDIS_URL": "redis://cache.example"}


def test_the_launcher_needs_nothing_but_python_and_never_loads_settings() -> None:
    script = (
        "import sys; before = set(sys.modules); import config.local.__main__;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True, cwd=ROOT).split()
    assert set(loaded) - sys.stdlib_module_names == {"config"}


def test_for_a_developer_templates_and_static_files_are_read_anew() -> None:
    asked = "from config.settings import *; print(TEMPLATES[0], STORAGES, WHITENOISE_USE_FINDERS)"
    answers = {
        debug: subprocess.run(
            [sys.executable, "-c", asked],
            env=os.environ | {"DEBUG": debug},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for debug in ("0", "1")
    }
    for word in (".StaticFilesStorage", "} True\n"):
        assert [word in answers[debug] for debug in ("0", "1")] == [False, True], word
    assert ["cached.Loader" in answers[debug] for debug in ("0", "1")] == [True, False]


def test_with_real_servers_nothing_is_served_for_a_developer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", REAL | {"SECRET_KEY": "s", "SITE_URL": "https://x.example"})
    with pytest.raises(Failed, match="bundled servers only"):
        _run_platform(8000, dev=True)
