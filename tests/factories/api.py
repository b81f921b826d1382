"""Programs that use the API, and the clock they see. Import the fixtures where needed.

Every answer a program gets is held against the description at /api/v1/schema/: its status
must be named there, and its body must have the shape and no field besides.
"""

import copy
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from accounts.services.tokens import SCOPES, token_issue
from config.api.docs import openapi
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


# Beside their own fields these carry numbers.
OPEN_SHAPES = {"Problem", "RefusalShape"}


@lru_cache
def described() -> dict[str, Any]:
    """The description, made strict: what is not named in a shape may not be there."""
    strict = copy.deepcopy(openapi("en"))
    for name, shape in strict["components"]["schemas"].items():
        if "properties" in shape and name not in OPEN_SHAPES:
            shape["additionalProperties"] = False
    return strict


def hold_against_description(method: str, address: str, answer: Answer) -> None:
    """Fail where an answer is not what the description says."""
    match = resolve(urlsplit(address).path)
    route = match.route
    template = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
    operation = described()["paths"].get(template, {}).get(method.lower())
    if operation is None:  # no such address or method
        assert answer.status in (401, 404, 405, 412)  # tus looks at its version first
        return
    assert str(answer.status) in operation["responses"], (method, template, answer)
    said = operation["responses"][str(answer.status)]
    if "$ref" in said:
        said = described()["components"]["responses"][said["$ref"].rpartition("/")[2]]
    content = said.get("content", {})
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if not content:
        assert answer.body == b""
        return
    assert kind in content, (method, template, kind)
    if "json" not in kind:  # a file
        return
    shape = {**content[kind]["schema"], "components": described()["components"]}
    jsonschema.validate(
        answer.body,
        shape,
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def hold_event_against_description(
    event: str, data: dict[str, Any], at: str = "2026-03-05T04:00:00Z"
) -> None:
    """Fail where what a webhook is sent about an event is not what the description says, and nothing else."""
    content = openapi("en")["webhooks"][event]["post"]["requestBody"]["content"]
    shape = content["application/json"]["schema"]
    jsonschema.validate(
        {"type": event, "timestamp": at, "data": data},
        shape,
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    assert set(data) <= set(shape["properties"]["data"]["properties"])


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
        is_json = "json" in response.get("Content-Type", "") and method != "HEAD"
        body = response.json() if is_json else response.getvalue()
        answer = Answer(response.status_code, body, response.headers)
        hold_against_description(method, address, answer)
        return answer

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
            user=cast.people[name], label="test", lifetime=timedelta(days=366), now=NOW, scopes=scopes
        )
        return Program(token)

    return make
