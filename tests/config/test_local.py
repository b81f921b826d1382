"""The launcher: ports, the file that settings read, and which process is whose.

Real sockets, files and processes; no server is started here, "make test" itself does that.
"""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings

from bookings.tasks import make_calls, read_calendars
from config.env import read_env_file
from config.local import environment, stopping
from config.local.__main__ import _run_platform
from config.local.account import Account, elsewhere
from config.local.checkout import ROOT, kept_secret, locked, read_env, write_env
from config.local.console import Failed
from config.local.ports import LOOPBACK, any_free, first_free, is_free
from config.local.processes import Record, identity, last_lines, run_to_end, running_beside, start
from config.local.servers import Servers
from config.local.supervisor import NAMES, parts, reloading_parts
from instruments.tasks import work_harvests

REAL = {"DATABASE_URL": "postgresql://a:b@db.example/c", "REDIS_URL": "redis://cache.example"}


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield child
    child.kill()
    child.wait()


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "process.json")


class TestPorts:
    def test_a_taken_port_is_not_free(self, taken: int) -> None:
        assert not is_free(taken)

    def test_the_wanted_port_is_taken_when_free(self) -> None:
        wanted = any_free()
        assert first_free(wanted) == wanted

    def test_a_port_in_use_is_moved_round(self, taken: int) -> None:
        found = first_free(taken)
        assert found != taken
        assert is_free(found)

    def test_with_no_free_neighbour_any_free_port_serves(self, taken: int) -> None:
        assert is_free(first_free(taken, tries=1))

    def test_the_last_port_has_no_neighbour(self) -> None:
        assert 0 < first_free(65535) <= 65535

    @pytest.mark.parametrize("text", ["web", "0", "65536", "-1", "80.5"])
    def test_a_port_that_is_none_is_refused(self, text: str) -> None:
        with pytest.raises(Failed, match="PORT"):
            environment.preferred_port({"PORT": text})

    def test_port_is_honoured_and_has_a_default(self) -> None:
        assert environment.preferred_port({"PORT": "9123"}) == 9123
        assert environment.preferred_port({"PORT": ""}) == environment.preferred_port({}) == 8000


class TestEnvFile:
    VALUES = {
        "DATABASE_URL": "postgresql://commons:a=b#c@127.0.0.1:5/x",
        "EMPTY": "",
        "LOCAL_MODE": "1",
    }

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


class TestWhoseProcess:
    def test_a_running_process_is_recognised(
        self, record: Record, sleeper: "subprocess.Popen[bytes]"
    ) -> None:
        written = record.write(sleeper.pid, port=4321)
        assert record.read() == written
        assert written.port == 4321

    def test_one_that_ended_is_gone_even_before_its_parent_knows(
        self, record: Record, sleeper: "subprocess.Popen[bytes]"
    ) -> None:
        record.write(sleeper.pid)
        sleeper.kill()
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
        assert record.read() is None
        assert record.last() is not None

    def test_a_stranger_with_the_same_number_is_not_ours(
        self, record: Record, sleeper: "subprocess.Popen[bytes]"
    ) -> None:
        record.write(sleeper.pid)
        forged = json.loads(record.path.read_text())
        record.path.write_text(json.dumps(forged | {"identity": "another start"}))
        assert record.read() is None

    def test_the_record_of_a_copied_checkout_is_not_ours(
        self, record: Record, tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
    ) -> None:
        record.write(sleeper.pid)
        copy = Record(tmp_path / "copy.json")
        copy.path.write_bytes(record.path.read_bytes())
        assert copy.read() is None

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"other": 1}'])
    def test_a_torn_record_counts_as_none(self, record: Record, text: str) -> None:
        record.path.write_text(text)
        assert record.read() is None

    def test_no_record_no_process(self, record: Record) -> None:
        assert record.read() is None
        record.clear()

    def test_two_processes_differ(self, sleeper: "subprocess.Popen[bytes]") -> None:
        assert identity(sleeper.pid) != identity(os.getpid())
        assert identity(sleeper.pid) == identity(sleeper.pid)

    def test_stopping_is_polite_then_certain(self, record: Record, tmp_path: Path) -> None:
        deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)"
        child = start([sys.executable, "-c", f"{deaf}; time.sleep(60)"], tmp_path / "log", {})
        _until(lambda: "up" in (tmp_path / "log").read_text())
        record.write(child.pid).stop((signal.SIGTERM, 0.2))
        assert child.wait(5) == -signal.SIGKILL
        assert record.read() is None


class TestCommands:
    def test_a_failing_command_shows_the_end_of_its_log(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
        with pytest.raises(Failed, match=r"(?s)trial failed \(exit 3\).*the reason"):
            run_to_end("trial", command, {}, tmp_path / "log")

    def test_only_the_last_start_is_shown(self, tmp_path: Path) -> None:
        for word in ("earlier", "latest"):
            run_to_end("trial", [sys.executable, "-c", f"print('{word}')"], {}, tmp_path / "log")
        assert "latest" in last_lines(tmp_path / "log")
        assert "earlier" not in last_lines(tmp_path / "log")

    def test_one_beside_others_is_awaited_and_must_succeed(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", "import time; time.sleep(0.3); print('whole')"]
        with running_beside("trial", command, {}, tmp_path / "log"):
            pass
        assert "whole" in last_lines(tmp_path / "log")
        command[-1] += "; raise SystemExit(3)"
        with (
            pytest.raises(Failed, match=r"trial failed \(exit 3\)"),
            running_beside("trial", command, {}, tmp_path / "log"),
        ):
            pass

    def test_one_beside_what_fails_is_ended(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", "import time; time.sleep(60); print('whole')"]
        began = time.monotonic()
        with (
            pytest.raises(Failed, match="the first"),
            running_beside("trial", command, {}, tmp_path / "log"),
        ):
            raise Failed("the first")
        assert time.monotonic() - began < 10
        assert "whole" not in last_lines(tmp_path / "log")

    def test_a_wish_to_stop_ends_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stopping, "_received", [])
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        threading.Timer(0.3, stopping.note, [signal.SIGTERM]).start()
        began = time.monotonic()
        with pytest.raises(stopping.StopRequested):
            run_to_end("trial", command, {}, tmp_path / "log")
        assert time.monotonic() - began < 10

    def test_while_holding_back_nothing_is_cut_short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stopping, "_received", [signal.SIGINT])
        with stopping.holding_back():
            stopping.nap(0)
        with pytest.raises(stopping.StopRequested):
            stopping.nap(0)
        assert stopping.exit_code() == 130


class TestLocks:
    def test_a_busy_lock_is_waited_for(self, tmp_path: Path) -> None:
        seen: list[str] = []

        def second() -> None:
            with locked(tmp_path / "lock", lambda: seen.append("busy")):
                seen.append("second")

        with locked(tmp_path / "lock"):
            waiting = threading.Thread(target=second)
            waiting.start()
            _until(lambda: seen == ["busy"])
            seen.append("first")
        waiting.join(5)
        assert seen == ["busy", "first", "second"]


def test_the_launcher_needs_nothing_but_python_and_never_loads_settings() -> None:
    script = (
        "import sys; before = set(sys.modules); import config.local.__main__;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True, cwd=ROOT).split()
    assert set(loaded) - sys.stdlib_module_names == {"config"}


class TestAccount:
    def test_every_checkout_has_its_own_place_elsewhere(self) -> None:
        assert elsewhere(Path("/a/.local/postgres")) != elsewhere(Path("/b/.local/postgres"))

    def test_programs_are_called_through_what_lends_them_rights(self) -> None:
        account = Account(Path("/pg"), Path("/home"), prefix=("as", "nobody"))
        assert account.as_owner("initdb", "-D", Path("/d")) == [
            *("as", "nobody", "/pg/bin/initdb", "-D", "/d")
        ]
        assert account.program("createdb", "x") == ["/pg/bin/createdb", "x"]


def _until(true: Callable[[], bool], patience: float = 10) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def test_what_calls_others_has_a_worker_of_its_own() -> None:
    commands = {name: part.command for name, part in parts(8000, {}).items()}
    queues = {
        name: command[command.index("-Q") + 1].split(",")
        for name, command in commands.items()
        if "-Q" in command
    }
    assert queues == {"worker": ["celery", "letters"], "calls": ["calls"]}
    assert set(NAMES) == set(commands)
    for task in (make_calls, read_calendars, work_harvests):
        assert settings.CELERY_TASK_ROUTES[task.name] == {"queue": "calls"}


def test_modules_are_kept_compiled_whatever_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "ENV_FILE", tmp_path / "env")
    given = REAL | {"PYTHONDONTWRITEBYTECODE": "1"}
    assert environment.for_demo(given, Servers(REAL), None)["PYTHONDONTWRITEBYTECODE"] == ""


def test_for_a_developer_what_is_saved_starts_again() -> None:
    platform = reloading_parts(8000, {})
    assert set(platform) == {"web", "worker"}
    web = platform["web"].command
    watched = [path for flag, path in pairwise(web) if flag == "--reload-paths"]
    assert watched == ["accounts", "instruments", "bookings", "config"]
    ignored = re.compile(web[web.index("--reload-ignore-patterns") + 1])
    names = ("views.py", "django.mo", "page.html", "commons.css", "django.po", "sedXa1", "4913")
    assert [name for name in names if not ignored.search(name)] == ["views.py", "django.mo"]
    assert platform["worker"].command[-4:] == watched
    assert "-Q" not in " ".join(platform["worker"].command)  # all queues


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
