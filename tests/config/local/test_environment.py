"""What the launcher hands on to what it starts."""

from pathlib import Path

import pytest

from config.local import environment
from config.local.checkout import read_env
from config.local.console import Failed
from config.local.servers import Servers

REAL = {"DATABASE_URL": "postgresql://a:b@db.example/c", "REDIS_URL": "redis://cache.example"}


class TestEnvironment:
    def test_real_servers_leave_nothing_to_bundle(self) -> None:
        assert Servers(REAL).bundled == {}
        assert list(Servers({"REDIS_URL": "redis://x"}).bundled) == ["DATABASE_URL"]
        assert environment.is_local(Servers({}))
        assert not environment.is_local(Servers({"REDIS_URL": "redis://x"}))

    def test_with_real_servers_no_secret_is_made_up(self) -> None:
        with pytest.raises(Failed, match="SECRET_KEY and SITE_URL"):
            environment.check_given(REAL, Servers(REAL))
        environment.check_given({}, Servers({}))

    def test_with_real_servers_local_mode_is_never_handed_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(environment, "ENV_FILE", tmp_path / "env")
        given = REAL | {"SECRET_KEY": "s", "SITE_URL": "https://x.example", "LOCAL_MODE": "1"}
        env = environment.for_demo(given, Servers(given), 8000)
        assert "LOCAL_MODE" not in env
        assert env["DATABASE_URL"] == REAL["DATABASE_URL"]
        assert read_env(tmp_path / "env") == {"PORT": "8000"}

    def test_tests_do_not_depend_on_what_somebody_has_set(self) -> None:
        env = environment.for_tests({**REAL, "SITE_URL": "https://x", "HOME": "/h"}, Servers(REAL))
        assert env["LOCAL_MODE"] == "1"
        assert env["SITE_URL"] == "http://127.0.0.1:8000"
        assert env["HOME"] == "/h"


def test_modules_are_kept_compiled_whatever_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "ENV_FILE", tmp_path / "env")
    given = REAL | {"PYTHONDONTWRITEBYTECODE": "1"}
    assert environment.for_demo(given, Servers(REAL), None)["PYTHONDONTWRITEBYTECODE"] == ""
