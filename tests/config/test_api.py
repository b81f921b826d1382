"""What every address of the API does alike, its description, and its codes."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DataError
from django.test import Client
from django.urls import get_resolver
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.api import shapes
from accounts.domain.errors import MOST_UNKNOWN
from accounts.domain.roles import Actor
from accounts.models import ApiToken, User
from accounts.services.tokens import SCOPES
from bookings.availability.api.misfits import NewRulesBody
from bookings.demo.services.files import load
from bookings.pricing.domain.fees import GroupNotServed
from bookings.record.messages import sentence, sentences
from bookings.results.api.tus import MEDIA_TYPE as TUS
from config.api import docs, problems, urls
from config.api.docs import openapi
from instruments.opening.api.opening import OpeningHoursShape
from instruments.policy.api.policies import PolicyBody
from instruments.rates.api.ratecards import CardShape, RateCardBody
from tests.factories import api as programs
from tests.factories.attachments import picture
from tests.factories.cast import Cast
from tests.providers.running import node as of_node

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
    little = {key: openapi("en")[key] for key in ("openapi", "info")} | {"paths": {}}
    empty = {"type": "string", "minLength": 1, "default": ""}
    assert problems_of(little) == []
    assert problems_of(little | {"components": {"schemas": {"A": empty}}}) != []
    with pytest.raises(OpenAPIValidationError):
        OpenAPIV31SpecValidator(little | {"paths": {"/": {"get": {"responses": 1}}}}).validate()


def problems_of(description: dict[str, Any]) -> list[str]:
    """What an independent reader says against a description: by the schema of OpenAPI, and that defaults fit
    their types, that references lead somewhere, that names are unique."""
    rendered = json.loads(json.dumps(description))
    return [error.message for error in OpenAPIV31SpecValidator(rendered).iter_errors()]


def test_a_linter_has_nothing_to_say(tmp_path: Path) -> None:
    """Also of the examples: each fits the shape of its body."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(openapi("en")))
    done = subprocess.run(
        [
            *(of_node(), str(ROOT / "node_modules/@redocly/cli/bin/cli.js"), "lint", str(file)),
            *("--config", str(Path(__file__).parent / "redocly.yaml"), "--format", "json"),
        ],
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    assert [(p["ruleId"], p["message"], p["location"][0]["pointer"]) for p in said["problems"]] == []
    assert done.returncode == 0


def test_what_a_caller_may_send_is_described_as_it_is_read() -> None:
    shapes = openapi("en")["components"]["schemas"]
    quiet = shapes["QuietBodyRequest"]["properties"]["start"]
    assert "format" not in quiet and re.fullmatch(quiet["pattern"], "22:00")
    amount = shapes["GrantBodyRequest"]["properties"]["amount"]["pattern"]
    assert re.fullmatch(amount, "12.50") and re.fullmatch(amount, "7")
    assert not any(re.fullmatch(amount, wrong) for wrong in ("", ".5", "1.", "-", "1e3"))
    change = openapi("en")["paths"]["/api/v1/grants/{grant_id}/"]["patch"]
    tag = next(p["schema"]["pattern"] for p in change["parameters"] if p["name"] == "If-Match")
    assert all(re.fullmatch(tag, right) for right in ('"3"', 'W/"3"', "*"))
    assert not re.fullmatch(tag, "3")
    assert openapi("en")["servers"] == [{"url": settings.SITE_URL}]


def test_headers_are_described_as_they_are_sent(cast: Cast, program: Programs) -> None:
    paths, kept = openapi("en")["paths"], openapi("en")["components"]
    pattern, path = kept["headers"]["ETag"]["schema"]["pattern"], f"instruments/{cast.microscope.pk}/"
    instrument = paths["/api/v1/instruments/{instrument_id}/"]
    assert set(instrument["get"]["responses"]["200"]["headers"]) == {"ETag"}
    assert re.fullmatch(pattern, program("zhao").get(path).headers["ETag"])
    assert "headers" not in paths["/api/v1/instruments/"]["get"]["responses"]["200"]
    refused = program().send("PATCH", path, {"name": "Another"})
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"] == kept["headers"]["WWW-Authenticate"]["schema"]["const"]
    for name in ("TooManyRequests", "Conflict", "ServiceUnavailable"):
        assert set(kept["responses"][name]["headers"]) == {"Retry-After"}
    assert "Location" in paths["/api/v1/facilities/"]["post"]["responses"]["201"]["headers"]


def test_answers_say_what_can_be_asked_next() -> None:
    paths = openapi("en")["paths"]
    made = paths["/api/v1/reservations/"]["post"]["responses"]["201"]["links"]
    assert {"reservation_move", "reservation_check_in", "reservation_cancel"} <= set(made)
    assert made["reservation_move"]["parameters"] == {"reservation_id": "$response.body#/id"}
    listed = paths["/api/v1/statements/"]["get"]["responses"]["200"]["links"]
    assert listed["statement"]["parameters"] == {"statement_id": "$response.body#/results/0/id"}
    linked = [
        (path, link)
        for path, methods in paths.items()
        for operation in methods.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len({path for path, _ in linked}) > 60
    operations = {o["operationId"]: p for p, methods in paths.items() for o in methods.values()}
    for path, link in linked:
        (name,) = link["parameters"]
        assert operations[link["operationId"]].startswith(path) and name in operations[link["operationId"]]


def test_the_page_shows_the_fields_of_every_body() -> None:
    """Also of a body that may have one of several shapes, or comes as a form."""
    for operation in docs._operations(openapi("en")):
        if operation["method"] == "POST" and operation["path"] == "/api/v1/reservations/":
            assert [fields[0]["name"] for fields in operation["bodies"]] == ["instrument", "bookings"]
            made = next(answer for answer in operation["answers"] if answer["status"] == "201")
            assert len(made["bodies"]) == 2
    described = openapi("en")
    assert set(described["webhooks"]) >= {"reservation.confirmed", "webhook.ping"}


# What a name of a field means wherever it stands: in answers, and in bodies and queries. A person is told by
# id and name, and named by id or mail address. What means something else besides is marked as deprecated.
ID = ["uuid"]
MEANS: dict[str, tuple[list[str], list[str]]] = {
    "instrument": (ID, ID),
    "instrument_id": (ID, ID),
    "payer": (ID, [*ID, "string"]),  # a code of one, too, for one version and a year
    "payer_id": (ID, []),
    "user": (["PersonShape"], ["string"]),
    "person": (["PersonShape"], [*ID, "string"]),
}
AMOUNTS = {
    *("payable", "subtotal", "tax", "net", "covered", "eligible", "debit", "unit_price", "budget", "price"),
    *(
        "own_cost",
        "shared_cost",
        "price_from",
        "price_below",
        "max_price",
        "max_payable",
        "covers",
        "setup_fee",
    ),
    *("rate", "fee", "total", "balance", "acquisition_cost", "cap_per_booking", "amount"),
}
MONEY = {"Money", "object", "CostRequest", "AmountBodyRequest"}  # an amount and its currency
NO_AMOUNTS = {
    ("total", "integer"),  # how many there are
    ("total", "HoursRowShape"),
    ("price", "number"),  # of a place among many needs, in needs
    ("price", "QuotedShape"),
    *(("amount", name) for name in ("SampleItemShape", "SampleItemBodyRequest", "SampleItemsNewBodyRequest")),
    *(("rate", name) for name in ("RateShape", "ShownAtShape")),  # of exchange
}


def fields_described() -> Iterator[tuple[str, str, str, Any]]:
    """Yield every field and parameter: where it stands, way (answer or request), name and schema."""
    described = openapi("en")
    for name, schema in described["components"]["schemas"].items():
        way = "request" if name.endswith("Request") else "answer"
        yield from ((name, way, *each) for each in schema.get("properties", {}).items())
    for path, methods in described["paths"].items():
        for parameter in (p for operation in methods.values() for p in operation.get("parameters", [])):
            yield path, "request", parameter["name"], parameter["schema"]
    for event, hook in described["webhooks"].items():
        body = hook["post"]["requestBody"]["content"]["application/json"]["schema"]
        data = body["properties"]["data"]
        yield from ((event, "answer", *each) for each in data.get("properties", {}).items())


def kinds_of(schema: Any) -> list[str]:
    """Return the shapes or types of a field, without null."""
    if "$ref" in schema:
        return [schema["$ref"].rpartition("/")[2]]
    if several := schema.get("oneOf") or schema.get("allOf"):
        return [kind for each in several for kind in kinds_of(each)]
    types = schema.get("type", "any")
    types = [types] if isinstance(types, str) else types
    return [schema["format"] if schema.get("format") == "uuid" else kind for kind in types if kind != "null"]


def test_a_name_means_the_same_in_every_answer_and_body() -> None:
    fields = [each for each in fields_described() if each[2] in MEANS and not each[3].get("deprecated")]
    assert len(fields) > 120
    wrong = [
        (where, name, kinds_of(schema))
        for where, way, name, schema in fields
        if not set(kinds_of(schema)) <= set(MEANS[name][way == "request"])
    ]
    assert wrong == []


def test_every_amount_has_the_pattern_of_a_decimal() -> None:
    wrong = []
    for where, _, name, schema in fields_described():
        kinds = kinds_of(schema)
        if name not in AMOUNTS or {(name, where), *((name, kind) for kind in kinds)} & NO_AMOUNTS:
            continue
        if not set(kinds) <= MONEY and "pattern" not in schema:
            wrong.append((where, name, kinds))
    assert wrong == []


def test_what_is_deprecated_names_what_replaces_it() -> None:
    schemas = openapi("en")["components"]["schemas"]
    for name, schema in schemas.items():
        fields = schema.get("properties", {})
        for field in (each for each in fields.values() if each.get("deprecated")):
            named = re.findall(r"`(\w+)`", field["description"])
            assert named and set(named) <= set(fields), (name, field)
            assert not any(fields[each].get("deprecated") for each in named)
    assert schemas["HandOffShape"]["properties"]["instrument"]["deprecated"]


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
        if view.schema is None:  # a protocol that is described by hand
            assert set(view.described()) == set(paths[address])
            continue
        methods = {m for m in ("get", "post", "put", "patch", "delete") if hasattr(view, m)}
        assert methods == set(paths[address]), address
    assert len(paths) == len(names) - 3
    assert get_resolver().reverse_dict.getlist("api-docs")


# On or off for oneself: nobody else's change can be overwritten.
UNVERSIONED = {
    "/api/v1/me/",
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
                assert content and content <= {"application/json", "multipart/form-data", TUS}
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


# Fields and parameters that do not exist


def operations() -> Iterator[tuple[Any, str, Any]]:
    """(pattern of the address, method, what the description says of it) of all operations."""
    for _, pattern in routes():
        view = getattr(pattern.callback, "view_class", None)
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(declared := getattr(view, method, None), "takes"):
                yield pattern, method, declared


def answer_without_rows(pattern: Any, method: str, query: str = "", body: Any = None) -> Any:
    """Ask an operation about rows that nobody has looked for: what is refused here is refused unseen."""
    is_form = MultiPartParser in pattern.callback.view_class.parser_classes
    send = getattr(APIRequestFactory(), method)
    request = send(f"/api/v1/{query}", body, format="multipart" if is_form else "json")
    user = User(pk=UUID(int=1), email="somebody@example.org")
    user._actor = Actor(user.pk, is_platform=True)  # type: ignore[attr-defined]
    token = ApiToken(scopes=list(SCOPES), with_second_factor=True)
    force_authenticate(request, user=user, token=token)
    ids = {"UUIDConverter": UUID(int=1), "IntConverter": 1}
    kinds = pattern.pattern.converters.items()
    return pattern.callback(request, **{name: ids.get(type(kind).__name__, "x") for name, kind in kinds})


def unknown_in(answer: Any) -> list[str]:
    problems = answer.data.get("errors", []) if answer.status_code == 400 else []
    return [problem["field"] for problem in problems if problem["code"] == "unknown-field"]


def test_no_operation_takes_a_parameter_that_it_does_not_have() -> None:
    asked = list(operations())
    assert len(asked) > 450
    taken = [
        f"{method} {pattern.pattern}"
        for pattern, method, _ in asked
        if unknown_in(answer_without_rows(pattern, method, "?surprise=1&format=json&lang=en")) != ["surprise"]
    ]
    assert taken == []


def test_no_operation_takes_a_field_that_it_does_not_have() -> None:
    # Acts on people's accounts refuse every token before anything else.
    people = "operations/people/"
    asked = [(p, m) for p, m, _ in operations() if m != "get" and not str(p.pattern).startswith(people)]
    assert len(asked) > 250
    taken = [
        f"{method} {pattern.pattern}"
        for pattern, method in asked
        if "surprise" not in unknown_in(answer_without_rows(pattern, method, body={"surprise": 1}))
    ]
    assert taken == []


@pytest.mark.parametrize(
    ("path", "field", "nearest"),
    [("?stat=draft&x=1", "stat", "state"), ("?limits=1", "limits", "limit"), ("?" + "x" * 900, "x", None)],
)
def test_the_nearest_name_is_named(
    cast: Cast, program: Programs, path: str, field: str, nearest: str | None
) -> None:
    answer = program("wang").get(f"reservations/{path}")
    assert answer.problems[0][0].startswith(field) and answer.problems[0][1] == "unknown-field"
    assert answer.body["errors"][0].get("nearest") == nearest
    assert nearest is None or nearest in answer.body["errors"][0]["message"]


def test_a_body_where_none_is_taken_is_no_object(cast: Cast, program: Programs) -> None:
    answer = program("wang").post(f"reservations/{UUID(int=1)}/approve/", [1])
    assert answer.problems == [("", "not-an-object")]
    answer = program("zhao").post("facilities/", "null")
    assert answer.problems == [("", "not-an-object")]
    assert "organisation" in answer.body["errors"][0]["message"]


# Their answer has a secret, which is shown once and kept nowhere.
SHOW_A_SECRET = {*("webhooks/", "calendar-feeds/", "kiosks/")}


def test_what_makes_something_is_carried_out_once_if_it_is_asked_twice() -> None:
    makes = [(p, d) for p, method, d in operations() if method == "post" and d.makes]
    assert len(makes) > 80
    assert {str(p.pattern) for p, declared in makes if not declared.once} == SHOW_A_SECRET
    once = [declared for _, _, declared in operations() if declared.once]
    assert [d.__qualname__ for d in once if "self.once(" not in inspect.getsource(d)] == []


def test_a_file_that_is_sent_twice_with_one_key_is_kept_once(cast: Cast, program: Programs) -> None:
    def send(content: bytes) -> Any:
        return program("zhao").client.post(
            f"/api/v1/instruments/{cast.microscope.pk}/attachments/",
            {"title": "The column", "file": SimpleUploadedFile("column.png", content, "image/png")},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "7f3c"},
        )

    token, content = program("zhao").token, picture()
    first, second = send(content), send(content)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() and second["Idempotency-Replayed"] == "true"
    assert send(picture(410)).status_code == 422


# `parse_rate_card`, `parse_policy` and `parse_hours` read these, and refuse unknown names at every depth.
READ_BY_RULES = {RateCardBody, CardShape, PolicyBody, OpeningHoursShape, NewRulesBody}


def test_no_field_of_a_body_takes_fields_that_it_does_not_have() -> None:
    def lenient(field: Any, path: str) -> Iterator[str]:
        if isinstance(field, serializers.Serializer):
            if not isinstance(field, shapes.Shape):
                yield path
            for name, inner in field.fields.items():
                yield from lenient(inner, f"{path}.{name}")
        elif child := getattr(field, "child", None):
            yield from lenient(child, f"{path}[]")

    taken = [declared.takes for _, _, declared in operations() if declared.takes is not None]
    bodies = {body for each in taken for body in getattr(each, "serializers", [each])} - READ_BY_RULES
    found = {each for body in bodies for each in lenient(body(), body.__name__)}
    assert found == set()


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
OF_COMMANDS = {
    *("file-refused", "not-local", "not-empty", "broader-than-itself", "unknown-technique", "backup-newer")
}


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


def test_few_of_many_unknown_names_are_answered(cast: Cast, program: Programs) -> None:
    """Each is compared with every name that there is, which costs time."""
    answer = program("wang").send("PATCH", "me/", {f"organisation{n}": 1 for n in range(1000)})
    assert answer.status == 400
    assert len(answer.problems) == MOST_UNKNOWN
