"""The file that settings read, and locks of a checkout."""

import stat
import threading
from pathlib import Path

from config.env import read_env_file
from config.local.checkout import kept_secret, locked, read_env, write_env
from tests.config.local.test_processes import until


class TestEnvFile:
    VALUES = {"DATABASE_URL": "postgresql://commons:a=b#c@127.0.0.1:5/x", "EMPTY": "", "LOCAL_MODE": "1"}

    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        write_env(tmp_path / "deep" / "env", self.VALUES)
        assert read_env(tmp_path / "deep" / "env") == self.VALUES

    def test_settings_read_the_same(self, tmp_path: Path) -> None:
        write_env(tmp_path / "env", self.VALUES)
        assert read_env_file(tmp_path / "env") == self.VALUES

    def test_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        (tmp_path / "env").touch(0o644)
        write_env(tmp_path / "env", self.VALUES)
        assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["env"]

    def test_a_missing_file_is_empty(self, tmp_path: Path) -> None:
        assert read_env(tmp_path / "env") == {}

    def test_a_secret_is_made_once(self, tmp_path: Path) -> None:
        secret = kept_secret(tmp_path / "secret")
        assert len(secret) >= 50
        assert kept_secret(tmp_path / "secret") == secret


class TestLocks:
    def test_a_busy_lock_is_waited_for(self, tmp_path: Path) -> None:
        seen: list[str] = []

        def second() -> None:
            with locked(tmp_path / "lock", lambda: seen.append("busy")):
                seen.append("second")

        with locked(tmp_path / "lock"):
            waiting = threading.Thread(target=second)
            waiting.start()
            until(lambda: seen == ["busy"])
            seen.append("first")
        waiting.join(5)
        assert seen == ["busy", "first", "second"]
