"""What every address of the API does alike, its description, and its codes."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.management import call_command
from django.db import DataError
from django.test import Client
from django.urls import get_resolver
from drf_spectacular import validation
from drf_spectacular.renderers import OpenApiJsonRenderer
from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY
from referencing import Resource

from accounts.api import shapes
from bookings.demo.services.files import load
from bookings.pricing.domain.fees import GroupNotServed
from bookings.record.messages import sentence, sentences
from config.api import problems, urls
from config.api.docs import openapi
from tests.factories import api as programs
from tests.factories.cast import Cast

type Programs = Callable[..., programs.Program]

clock, program = programs.clock, programs.program  # fixtures

ROOT = Path(__file__).parents[2]


# Errors that no service raises


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["nonsense/", "instruments", "instruments/42/", "nonsense/42/", ""])
def test_an_address_that_is_not_there(cast: Cast, program: Programs, method: str, path: str) -> None:
    answer = program().send(method, path, None if method == "GET" else {})
    assert (answer.status, answer.code) == (404, "not-found")


def test_a_method_that_is_not_known(cast: Cast, program: Programs) -> None:
    answer = program("wang").delete("techniques/")
    assert (answer.status, answer.code) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == "GET, HEAD"
    assert program().send("OPTIONS", "regions/").status == 405


@pytest.mark.parametrize(
    ("sent", "kind", "status", "code"),
    [
        ("{", "application/json", 400, "malformed"),
        ("", "application/json", 400, "invalid"),
        ("[1, 2]", "application/json", 400, "invalid"),
        ('"text"', "application/json", 400, "invalid"),
        ("null", "application/json", 400, "invalid"),
        ('{"name": NaN}', "application/json", 400, "malformed"),
        (b'{"name": "\xff"}', "application/json", 400, "malformed"),
        (r'{"name": "\u0000"}', "application/json", 400, "malformed"),
        (r'{"name": "\ud800"}', "application/json", 400, "malformed"),
        (r'{"\u0000": 1}', "application/json", 400, "malformed"),
        ("[" * 100_000, "application/json", 400, "malformed"),
        ('{"a": ' * 30 + "1" + "}" * 30, "application/json", 400, "malformed"),
        ('{"latitude": ' + "9" * 5000 + "}", "application/json", 400, "malformed"),
        ('{"latitude": 1e400}', "application/json", 400, "invalid"),
        ("name=x", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        ("<x/>", "text/xml", 415, "unsupported-media-type"),
        ("x" * 1_048_577, "application/json", 413, "request-too-large"),
    ],
)
def test_bodies_that_cannot_be_read(
    cast: Cast, program: Programs, sent: str | bytes, kind: str, status: int, code: str
) -> None:
    answer = program("zhao").send("POST", "facilities/", sent, Content_Type=kind)
    assert (answer.status, answer.code) == (status, code)


def test_a_body_in_chunks_is_refused_rather_than_read_as_empty(cast: Cast, program: Programs) -> None:
    client = program("zhao").client
    headers = {"Authorization": f"Bearer {program('zhao').token}", "Transfer-Encoding": "chunked"}
    answer = client.generic("POST", "/api/v1/facilities/", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (411, "length-required")


def test_answers_are_json_and_nothing_else(cast: Cast, program: Programs) -> None:
    answer = program().get("regions/", Accept="text/html")
    assert (answer.status, answer.code) == (406, "not-acceptable")
    assert program().get("regions/", Accept="text/html, */*;q=0.1").status == 200
    assert program().get("regions/?format=xml").status == 200


def test_a_request_that_looks_forged(cast: Cast, program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    def forged(*args: Any) -> None:
        raise SuspiciousOperation

    monkeypatch.setattr("accounts.api.organisations.regions", forged)
    answer = program().get("regions/")
    assert (answer.status, answer.code) == (400, "malformed")


@pytest.mark.parametrize(
    "error", [DataError("integer out of range"), OverflowError("date value out of range")]
)
def test_what_no_field_has_caught_is_a_bad_request(error: Exception) -> None:
    answer = problems.exception_handler(error, {})
    assert (answer.status_code, answer.data["code"]) == (400, "malformed")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_that_nobody_can_mean(cast: Cast, program: Programs, day: str) -> None:
    answer = program("auditor").get(f"statistics/hours/?from={day}&until=2026-03-01")
    assert (answer.status, answer.body["errors"][0]["code"]) == (400, "out-of-range")


def test_an_answer_is_for_one_person_in_one_language(cast: Cast, program: Programs) -> None:
    headers = program("wang").get("regions/").headers
    assert {"Accept-Language", "Authorization", "Cookie"} <= set(headers["Vary"].split(", "))
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Content-Language"] == "en"


def test_a_group_that_is_not_served_by_the_rule_itself() -> None:
    answer = problems.exception_handler(GroupNotServed(price_group="partner"), {})
    assert answer.status_code == 422
    assert answer.data["refusals"] == [
        {
            "price_group": "partner",
            "code": "audience-not-served",
            "message": sentence("audience-not-served", {"price_group": "partner"}),
            "nearest": None,
        }
    ]


# The description


def test_the_description_is_valid_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--fail-on-warn", "--file", "/dev/null")
    assert "Warning" not in capsys.readouterr().err
    assert openapi("en")["openapi"] == "3.1.0"
    assert problems_of(openapi("en")) == []
    assert problems_of(openapi("en") | {"paths": {"/": {"get": {"responses": 1}}}}) != []


def problems_of(description: dict[str, Any]) -> list[str]:
    """What the specification of OpenAPI says against a description. As drf-spectacular's own
    `validate_schema`, but the specification is read through once instead of at each reference."""
    folder = Path(validation.__file__).parent
    specification = json.loads((folder / "openapi_3_1_schema.json").read_text())
    name = specification["$id"]
    known = REGISTRY.with_resource(name, Resource.from_contents(specification)).crawl()
    validator = Draft202012Validator({"$ref": name}, registry=known)
    rendered = json.loads(OpenApiJsonRenderer().render(description))
    return [error.message for error in validator.iter_errors(rendered)]


def routes() -> Iterator[tuple[str, Any]]:
    for pattern in urls.urlpatterns:
        yield "/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)), pattern


def test_every_address_and_method_is_described_and_named() -> None:
    paths = openapi("en")["paths"]
    names = [pattern.name for _, pattern in routes()]
    assert all(name.startswith("api-") for name in names)
    assert len(set(names)) == len(names)
    for address, pattern in routes():
        if pattern.name in {"api-schema", "api-docs", "api-unknown"}:
            continue
        view = pattern.callback.view_class
        if view.schema is None:  # a protocol that has a description of its own
            continue
        methods = {m for m in ("get", "post", "put", "patch", "delete") if hasattr(view, m)}
        assert methods == set(paths[address]), address
    assert len(paths) == len(names) - 5
    assert get_resolver().reverse_dict.getlist("api-docs")


# On or off for oneself: nobody else's change can be overwritten.
UNVERSIONED = {
    "/api/v1/trail/seals/mail/",
    "/api/v1/instruments/{instrument_id}/result-terms/",
    "/api/v1/result-storage/{organisation_id}/",
    "/api/v1/results/{hand_off_id}/hold/",
}


def test_every_operation_says_what_it_does(cast: Cast) -> None:
    ids = []
    for path, methods in openapi("en")["paths"].items():
        for method, operation in methods.items():
            ids.append(operation["operationId"])
            assert operation["summary"], path
            assert operation["description"], path
            assert {"401", "403", "429", "500", "503"} <= set(operation["responses"]), path
            if "requestBody" in operation:
                content = set(operation["requestBody"]["content"])
                assert content and content <= {"application/json", "multipart/form-data"}
            changes = method in {"put", "patch", "delete"} and path not in UNVERSIONED
            assert changes <= ("412" in operation["responses"]), path
    assert len(set(ids)) == len(ids)


def test_the_schema_and_the_page_for_people(cast: Cast) -> None:
    browser = Client()
    answer = browser.get("/api/v1/schema/")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert json.loads(answer.content)["info"]["title"] == "Instrument Commons"
    page = browser.get("/api/v1/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    for operation in (o for m in openapi("en")["paths"].values() for o in m.values()):
        assert f'id="{operation["operationId"]}"' in text
    for code in sentences():
        assert f' id="{code}">' in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)
    # A strict Content-Security-Policy stands.
    assert "style=" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\son\w+=", text)
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert browser.post("/api/v1/docs/").status_code == 405


def test_the_examples_name_organisations_of_the_demonstration() -> None:
    named = set(re.findall(r'"organisation": "([^"]+)"', json.dumps(openapi("en"))))
    assert named and named <= {row["code"] for row in load("places")["organisations"]}


# Codes

# Position of the code among the arguments of what raises one.
CALLS = {
    "FieldProblem": 1,
    "invalid": 1,
    "refuse": 1,
    "wrong": 1,
    "Problem": 1,
    "Refusal": 0,
    "Refused": 0,
    "WrongState": 0,
    "WrongVersion": 0,
    "NotPermitted": 0,
    "NotFound": 0,
}
# Commands alone answer with these, in words of their own.
OF_COMMANDS = {"file-refused", "not-local", "not-empty", "broader-than-itself", "unknown-technique"}


def codes_raised() -> Iterator[tuple[str, str]]:
    for app in ("accounts", "instruments", "bookings", "config"):
        for path in (ROOT / app).rglob("*.py"):
            where = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield from ((code, f"{where}:{node.lineno}") for code in _in_call(node))
                elif isinstance(node, ast.ClassDef):
                    for item in node.body:
                        match item:
                            case ast.Assign(targets=[ast.Name("code")], value=ast.Constant(str(c))):
                                yield c, f"{where}:{node.lineno}"


def _in_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    position = CALLS.get(name)
    if position is not None and len(node.args) > position:
        for part in ast.walk(node.args[position]):
            match part:
                case ast.Constant(str(code)):
                    yield code
    for keyword in node.keywords:
        match keyword:
            case ast.keyword("unknown_code" | "code", ast.Constant(str(code))) if "-" in code:
                yield code


def test_every_code_has_a_sentence() -> None:
    raised = dict(codes_raised())
    raised |= dict.fromkeys(shapes._CODES.values(), "accounts/api/shapes.py")
    raised |= dict.fromkeys((code for _, code in shapes._INVALID), "accounts/api/shapes.py")
    raised |= dict.fromkeys(shapes.Instant.default_error_messages, "accounts/api/shapes.py")
    raised |= dict.fromkeys(shapes.WebAddress.default_error_messages, "accounts/api/shapes.py")
    assert len(raised) > 60
    missing = {
        code: where for code, where in raised.items() if code not in sentences() and code not in OF_COMMANDS
    }
    assert missing == {}


def test_the_description_is_made_once_for_whoever_asks_at_the_same_moment() -> None:
    """As on a server that has just started: its library cannot be asked twice at once."""
    script = (
        "import django; django.setup()\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from config.api.docs import openapi\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    made = list(pool.map(openapi, ['en', 'zh-hans'] * 4))\n"
        "assert all(made[i] is made[i % 2] for i in range(8))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
