"""Values that nobody can mean, in every parameter and field that a page reads: it says so."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.utils.datastructures import MultiValueDict

from tests.architecture import test_permissions
from tests.architecture.permission_table import PAGE_BODIES, PAGES, PEOPLE
from tests.architecture.test_permissions import address, filled, rows
from tests.conftest import DEEP

pytestmark = pytest.mark.django_db
clock, world = test_permissions._clock, test_permissions.world  # fixtures

VALUES = ("\0", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-12:00", "9" * 5000, "-99999999999")


@contextmanager
def names_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Which parameters and fields are asked for."""
    names: set[str] = set()

    def noting(method: str) -> Any:
        read = getattr(MultiValueDict, method)

        def noted(self: Any, name: str, *rest: Any) -> Any:
            names.add(name)
            return read(self, name, *rest)

        return noted

    with monkeypatch.context() as patched:
        for method in ("__getitem__", "getlist", "__contains__"):
            patched.setattr(QueryDict, method, noting(method), raising=False)
        yield names


@pytest.mark.parametrize(("method", "name", "cells"), list(rows(PAGES)))
def test_nothing_breaks(
    world: Any, monkeypatch: pytest.MonkeyPatch, method: str, name: str, cells: list[str]
) -> None:
    """Whoever may open the page (or send the form) sends each value in each of its names, and gets
    an answer that is no failure."""
    cast, things = world
    browser = Client(raise_request_exception=False)
    person = next(
        (who for who, cell in zip(PEOPLE, cells, strict=True) if who and cell in {"200", "302"}), ""
    )
    if person:
        browser.force_login(cast.people[person])
    path, _, query = address(name, things).partition("?")
    usual = QueryDict(query).dict() if method == "GET" else filled(PAGE_BODIES.get(name, {}), things)
    send = browser.get if method == "GET" else browser.post

    def answer(data: dict[str, Any]) -> int:
        with transaction.atomic():
            status: int = send(path, data).status_code
            transaction.set_rollback(True)
        return status

    with names_read(monkeypatch) as names:
        answer(usual)
    read = sorted((names | set(usual)) - {"csrfmiddlewaretoken"})
    # Each name has each value when tests run deep, otherwise one of them: another one on another page.
    first = zlib.crc32(f"{method} {name}".encode()) & ~1  # even: also what is usually sent is bad
    turns = range(len(VALUES)) if DEEP else (first,)
    for turn in turns if read else ():
        values = {key: VALUES[(turn + at) % len(VALUES)] for at, key in enumerate(read)}
        data = {**values, **usual} if turn % 2 else values
        assert answer(data) < 500, data
