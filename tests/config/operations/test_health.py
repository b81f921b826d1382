"""Alive, ready, and the numbers for Prometheus."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from accounts.services.jobs import run_begin
from config.operations import health
from tests.config.test_env import real

READY = {"database": "ok", "migrations": "ok", "broker": "ok", "clock": "ok"}


def test_ready_says_which_part_is_not(client, db, settings, monkeypatch):
    assert client.get("/healthz").json() == {"status": "alive", "version": settings.VERSION}
    run_begin("hours", timezone.now() - timedelta(minutes=6))
    for entry in ("make calls", "deliver messages", "harvests", "own calendars"):
        run_begin(entry, timezone.now())  # by workers of other queues: nobody reads ours
    silent = client.get("/readyz")
    assert (silent.status_code, silent.json()["clock"]) == (503, "silent")
    run_begin("hours", timezone.now())
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"} | READY)

    monkeypatch.setattr(health, "known_migrations", lambda: frozenset({("accounts", "9999_new")}))
    settings.CELERY_BROKER_URL = "redis://:secret@127.0.0.1:1/0"
    broken = client.get("/readyz")
    assert broken.status_code == 503
    assert broken.json() == {"status": "not ready"} | READY | {
        "migrations": "pending",
        "broker": "unreachable",
    }
    assert b"secret" not in broken.content


def test_no_numbers_without_a_token(client, db, settings):
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "t0ken"
    for given in ("", "Bearer", "Bearer t0ke", "Basic t0ken", "Bearer t0kén"):
        answer = client.get("/metrics", headers={"Authorization": given})
        assert (answer.status_code, answer.content) == (401, b"")


COUNTING = """
import os
import django
django.setup()
from django.test import Client
client = Client(headers={"host": "localhost"})
child = os.fork()
for _ in range(3 if child else 4):
    client.get("/healthz")
    client.get("/api/v1/not-there/1234/")
if not child:
    os._exit(0)
os.waitpid(child, 0)
answer = client.get("/metrics", headers={"Authorization": "Bearer t0ken"})
print(answer.content.decode())
"""


@pytest.mark.django_db
def test_numbers_of_all_web_processes(tmp_path):
    """Each counts for itself; whichever is asked says the sum."""
    address = os.environ["DATABASE_URL"].rpartition("/")[0]
    env = os.environ | {
        "DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}",
        "METRICS_TOKEN": "t0ken",
        "METRICS_FOLDER": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    said = subprocess.run(
        [sys.executable, "-c", COUNTING], env=env, cwd=Path(__file__).parents[3], text=True,
        check=True, stdout=subprocess.PIPE,
    ).stdout  # fmt: skip
    lines = said.splitlines()
    assert 'commons_http_requests_total{method="GET",route="healthz",status="200"} 7.0' in lines
    assert 'commons_http_requests_total{method="GET",route="api-unknown",status="404"} 7.0' in lines
    assert 'commons_http_request_seconds_count{route="healthz"} 7.0' in lines
    assert any(line.startswith('commons_job_overdue{job="hours"}') for line in lines)
    assert "1234" not in said  # an address names people and things


COMMANDS = """
import io, os
import django
django.setup()
from django.core.management import call_command
from config.env import Misconfigured
for words in (
    ["check"], ["migrate", "--check"], ["seal_trail"], ["verify_trail"], ["find_exceptions"],
    ["check_statements"], ["check_journals"], ["replay_fees"], ["draw_statements"], ["roll_up_utilisation"],
    ["retry_failed"], ["file_search", "--if-needed"],
):
    call_command(*words, stdout=io.StringIO(), stderr=io.StringIO())
from django.test import Client
try:
    Client().get("/healthz")
except Misconfigured as told:
    print(told)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start what another account runs")
def test_with_numbers_for_prometheus_a_command_writes_nothing_into_the_release(
    real_db: None, tmp_path: Path
) -> None:
    """Commands are run as an account that may not write where the release lies; only a web
    process needs the folder, and says so."""
    address = os.environ["DATABASE_URL"].rpartition("/")[0]
    env = real(
        DATABASE_URL=f"{address}/{connection.settings_dict['NAME']}",
        REDIS_URL=os.environ["REDIS_URL"],
        METRICS_TOKEN="t0ken",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS], env=env, cwd=Path(__file__).parents[3], text=True,
        check=False, capture_output=True, user=65534, group=65534, extra_groups=[],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "METRICS_FOLDER must be a folder that web processes may write to" in done.stdout
