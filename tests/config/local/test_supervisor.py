"""The parts of the platform, and what each does."""

import re
from itertools import pairwise

from django.conf import settings

from accounts.work import jobs
from config.local.supervisor import NAMES, parts, reloading_parts


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
