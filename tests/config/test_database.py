"""Connections that serve no more are replaced when the next request begins."""

import socket
from datetime import UTC, datetime

import pytest
from django.db import connection, connections

from accounts.models import JobRun
from accounts.services.jobs import run_begin
from config import celery
from config.env import SILENCE


@pytest.fixture
def between_requests(real_db):
    """`between_requests()`: the number of the session that the next request works in."""

    def session():
        connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    connection.close()
    return session


def end(session):
    """As an administrator does."""
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [session])
    other.close()


def test_a_connection_is_kept_while_it_serves(between_requests):
    assert between_requests() == between_requests()


def test_one_that_the_server_has_ended_is_replaced(between_requests):
    first = between_requests()
    end(first)
    assert between_requests() != first


def test_a_job_whose_connection_ended_while_it_computed_is_written_down_as_done(between_requests):
    celery._runs["7"] = run_begin("meanings of needs", datetime.now(UTC))
    end(between_requests())
    celery._end(task_id="7", state="SUCCESS")
    assert JobRun.objects.get().outcome == "done"


def test_one_whose_server_takes_no_writes_any_more_is_replaced(between_requests):
    first = between_requests()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    second = between_requests()
    assert second != first
    assert between_requests() == second


def test_a_server_that_says_nothing_any_more_is_given_up(between_requests):
    """Of which the system knows after 20 seconds, not hours."""
    between_requests()
    with socket.socket(fileno=socket.dup(connection.connection.fileno())) as wire:
        of_tcp = [
            wire.getsockopt(socket.IPPROTO_TCP, option)
            for option in (
                socket.TCP_KEEPIDLE,
                socket.TCP_KEEPINTVL,
                socket.TCP_KEEPCNT,
                socket.TCP_USER_TIMEOUT,
            )
        ]
    assert of_tcp == list(SILENCE.values())
