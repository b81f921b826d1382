"""Programs that use the API, and the clock they see. Import the fixtures where needed."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services.tokens import SCOPES, token_issue
from tests.factories.cast import NOW, Cast

BASE = "/api/v1/"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        """Of a problem, after checking that it is one."""
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.body["status"] == self.status
        assert {"type", "title", "detail", "code"} <= set(self.body)
        return str(self.body["code"])

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(field, code) of each problem of shape."""
        assert self.code == "invalid"
        assert all(error["message"] not in ("", error["code"]) for error in self.body["errors"])
        return [(error["field"], error["code"]) for error in self.body["errors"]]

    @property
    def refusals(self) -> list[str]:
        assert all(r["message"] not in ("", r["code"]) for r in self.body["refusals"])
        return [refusal["code"] for refusal in self.body["refusals"]]

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.body["results"]]


class Program:
    """A client with a token, or without."""

    def __init__(self, token: str | None = None, client: Client | None = None) -> None:
        self.client = client or Client()
        self.token = token

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}"} | headers
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {"headers": named}
        if body is not None:
            data = body if isinstance(body, (str, bytes)) else json.dumps(body)
            options |= {"data": data, "content_type": named.pop("Content-Type", "application/json")}
        address = path if path.startswith(("/", "http")) else BASE + path
        response = self.client.generic(method, address, **options)
        is_json = "json" in response.get("Content-Type", "")
        return Answer(
            response.status_code, response.json() if is_json else response.content, response.headers
        )

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.send("DELETE", path, **headers)

    def pages(self, path: str) -> Iterable[list[str]]:
        """The ids on each page, to the end and back to the beginning."""
        address: str | None = path
        last = None
        while address:
            last = self.get(address)
            assert last.status == 200, last.body
            yield last.ids
            address = last.body["next"]
        address = last.body["previous"] if last else None
        while address:
            back = self.get(address)
            yield back.ids
            address = back.body["previous"]


class Clock:
    """What time it is. Set `now`, or add to it."""

    def __init__(self) -> None:
        self.now: datetime = NOW

    def __iadd__(self, step: timedelta) -> "Clock":
        self.now += step
        return self


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It is noon of the cast until somebody says otherwise."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


@pytest.fixture
def program(cast: Cast) -> Callable[..., Program]:
    """`program("wang")`: a program with a token of Wang Li; `program()`: nobody's."""

    def make(name: str | None = None, scopes: Iterable[str] = SCOPES) -> Program:
        if name is None:
            return Program()
        _, token = token_issue(
            user=cast.people[name],
            label="test",
            lifetime=timedelta(days=30),
            now=NOW,
            scopes=scopes,
        )
        return Program(token)

    return make
