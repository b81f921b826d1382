"""A key that is used twice at the same moment: what the claim could not see yet is still found."""

import hashlib
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from accounts.domain.errors import StillRunning
from accounts.models import IdempotencyKey, User
from accounts.services.idempotency import StoredResponse, idempotent
from tests.factories.cast import NOW, Cast

BODY = b'{"a": 1}'
ADDRESS = {"method": "POST", "path": "/api/v1/reservations/", "key": "k"}


def end_elsewhere(user_id: object, created_at: object = NOW) -> None:
    """As if the first request with the key ended now, on another connection."""
    values = (user_id, *ADDRESS.values(), hashlib.sha256(BODY).digest(), created_at)
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as other:
        other.execute(
            "INSERT INTO accounts_idempotencykey (user_id, method, path, key, body_digest, status,"
            " headers, body, created_at) VALUES (%s, %s, %s, %s, %s, 201, '{}', 'first', %s)",
            values,
        )


def asked(cast: Cast, status: int, *, ended: bool) -> StoredResponse:
    def answer() -> StoredResponse:
        if ended:
            end_elsewhere(cast.wang.pk)
        User.objects.filter(pk=cast.wang.pk).update(name="done twice")
        return StoredResponse(status, "second", {})

    return idempotent(user_id=cast.wang.pk, body=BODY, now=NOW, answer=answer, **ADDRESS)


def test_what_was_done_twice_is_undone(real_cast: Cast) -> None:
    with pytest.raises(StillRunning):
        asked(real_cast, 201, ended=True)
    assert User.objects.get(pk=real_cast.wang.pk).name == "Wang Li"
    assert asked(real_cast, 201, ended=False).body == "first"


def test_a_refusal_that_the_first_caused_is_the_first_answer(real_cast: Cast) -> None:
    answer = asked(real_cast, 409, ended=True)
    assert (answer.status, answer.body) == (201, "first")
    assert answer.headers == {"Idempotency-Replayed": "true"}


def test_a_key_of_yesterday_is_used_anew(real_cast: Cast) -> None:
    end_elsewhere(real_cast.wang.pk, NOW - timedelta(hours=24))
    assert asked(real_cast, 201, ended=False).body == "second"
    assert IdempotencyKey.objects.get().created_at == NOW
