"""Commands of the launcher; no server is started here, "make test" itself does that."""

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.local import __main__ as launcher
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


def test_reset_says_what_goes_and_deletes_nothing_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local, elsewhere = tmp_path / ".local", tmp_path / "elsewhere"
    for name in ("media/a", "log/web.log", "test-postgres/base", "uv/cache"):
        (local / name).parent.mkdir(parents=True, exist_ok=True)
        (local / name).write_bytes(b"x" * 1_500_000)
    (local / "env").write_text("SECRET_KEY=s")
    elsewhere.mkdir()
    (elsewhere / "thesis").write_text("mine")
    (local / "linked").symlink_to(elsewhere)
    monkeypatch.setattr(launcher, "LOCAL", local)
    monkeypatch.setattr(launcher, "stop", lambda words: 0)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    before = sorted(local.rglob("*"))
    with pytest.raises(Failed, match=r"Nothing was deleted\..*YES=1"):
        launcher.reset([])
    assert sorted(local.rglob("*")) == before
    told = capsys.readouterr().out
    assert "media                     1.5 MB  uploaded files" in told
    assert "are lost" in told and "uv" not in told and "test-postgres" not in told

    monkeypatch.setenv("YES", "1")
    assert launcher.reset([]) == 0
    assert {path.name for path in local.iterdir()} == {"log", "test-postgres", "uv"}
    assert (elsewhere / "thesis").read_text() == "mine"
    assert launcher.reset([]) == 0
    assert "There is no local data" in capsys.readouterr().out


@pytest.mark.parametrize(("typed", "is_gone"), [("yes", True), ("no", False), ("", False)])
def test_at_a_terminal_reset_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, is_gone: bool
) -> None:
    monkeypatch.delenv("YES", raising=False)
    monkeypatch.setattr(launcher, "LOCAL", tmp_path)
    monkeypatch.setattr(launcher, "stop", lambda words: 0)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda words: typed)
    (tmp_path / "media").mkdir()
    assert launcher.reset([]) == int(not is_gone)
    assert (tmp_path / "media").exists() is not is_gone


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


def test_with_real_servers_nothing_is_served_for_a_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", REAL | {"SECRET_KEY": "s", "SITE_URL": "https://x.example"})
    with pytest.raises(Failed, match="bundled servers only"):
        _run_platform(8000, dev=True)
