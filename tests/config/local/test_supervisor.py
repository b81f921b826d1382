"""The parts of the platform, and what each does."""

import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings

from accounts.work import jobs
from config.local import supervisor
from config.local.console import Failed
from config.local.supervisor import (
    NAMES,
    PlatformProcess,
    parts,
    reloading_parts,
    wait_for_server,
    wait_for_servers,
)


def test_what_calls_others_has_a_worker_of_its_own() -> None:
    commands = {name: part.command for name, part in parts(8000, {"UPLOADS_PORT": "8001"}).items()}
    queues = {
        name: command[command.index("-Q") + 1].split(",")
        for name, command in commands.items()
        if "-Q" in command
    }
    assert queues == {"worker": ["celery", "letters"], "calls": ["calls"]}
    assert set(NAMES) == set(commands)
    for entry in ("make calls", "own calendars", "harvests"):
        assert settings.CELERY_TASK_ROUTES[jobs()[entry].task] == {"queue": "calls"}


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


def test_a_process_of_uploads_whose_port_was_taken_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "LOGS", tmp_path)
    monkeypatch.setattr(supervisor, "LOCAL", tmp_path)
    monkeypatch.setattr(supervisor, "health", lambda port, host: 200 if port == 8000 else None)
    env = {"SITE_URL": "http://127.0.0.1:8000", "UPLOADS_PORT": "8001"}
    taken = 'raise SystemExit("Address already in use")'
    command = [sys.executable, "-c", taken]
    platform = {name: PlatformProcess(name, command, env) for name in ("web", "uploads")}
    platform["uploads"].start()
    with pytest.raises(Failed, match=r"uploads process, on port 8001, ended(?s:.*)already in use"):
        wait_for_servers(platform, 8000, env)


def test_a_process_that_lives_is_waited_for_and_said_to_be_starting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A busy machine needs five minutes."""
    part = PlatformProcess("web", [], {})
    clock = iter(range(0, 100_000, 20))
    answers = iter([None] * 5 + [503] * 2 + [200])
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(supervisor.stopping, "nap", lambda seconds: None)
    monkeypatch.setattr(supervisor, "health", lambda port, host: next(answers))
    wait_for_server(part, 8000, {"SITE_URL": "http://127.0.0.1:8000"})
    assert "the web process is still starting after" in capsys.readouterr().out
    assert next(clock) > 300
    monkeypatch.setattr(supervisor, "health", lambda port, host: None)
    with pytest.raises(Failed, match="does not answer on port 8000"):
        wait_for_server(part, 8000, {"SITE_URL": "http://127.0.0.1:8000"})
