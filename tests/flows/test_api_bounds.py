"""Bodies that are far too large: for every list, object and text of every body in the description,
the answer is a refusal with a code, is small, and little was checked to find it."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client
from django.test.client import FakePayload
from rest_framework.fields import Field
from rest_framework.throttling import SimpleRateThrottle

from accounts.domain.errors import MOST_UNKNOWN
from accounts.services.tokens import token_issue
from bookings.reserving.services.reservations import MOST_AT_ONCE
from config.api.docs import openapi
from tests.factories.api import clock as clock
from tests.factories.cast import NOW, Cast

pytestmark = pytest.mark.django_db

MANY = 900  # what a parser lets pass, and no field
MOST_ANSWER = 32_768  # bytes
MOST_CHECKED = 1_000  # fields
MOST_TOLD = 50
DESCRIBED = openapi("en")
SHAPES = DESCRIBED["components"]["schemas"]


def bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                yield method.upper(), path, content["application/json"]["schema"]


BODIES = list(bodies())


def options(shape: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A shape without references, or each of those it may be."""
    if "$ref" in shape:
        yield from options(SHAPES[shape["$ref"].rpartition("/")[2]])
    elif several := shape.get("oneOf") or shape.get("anyOf") or shape.get("allOf"):
        for each in several:
            yield from options(each)
    else:
        yield shape


def kinds(shape: Mapping[str, Any]) -> set[str]:
    kind = shape.get("type", [])
    return {kind} if isinstance(kind, str) else set(kind)


def too_large(shape: Mapping[str, Any], deep: int = 0) -> Iterator[tuple[str, Any]]:
    """What each place of a shape is called, and a value that has too much there and nothing
    elsewhere."""
    if deep > 6:
        return
    for each in options(shape):
        if "array" in kinds(each):
            yield "[]", [0] * MANY
            yield "[{}]", [{}] * MANY
            for place, value in too_large(each["items"], deep + 1):
                yield f"[0]{place}", [value]
        elif "object" in kinds(each):
            yield "{}", {f"key-{n}": 0 for n in range(MANY)}
            yield "{long}", {"k" * 200_000: 0}
            for name, field in each.get("properties", {}).items():
                if not field.get("readOnly"):
                    for place, value in too_large(field, deep + 1):
                        yield f".{name}{place}", {name: value}
            if isinstance(more := each.get("additionalProperties"), Mapping):
                for place, value in too_large(more, deep + 1):
                    yield f".any{place}", {"any": value}
        elif "string" in kinds(each) and "enum" not in each and each.get("maxLength", 0) < 50_000:
            yield "''", "x" * 200_000
        elif {"number", "integer"} & kinds(each):
            yield "9", 10**4000


def nullable(shape: Mapping[str, Any], deep: int = 0) -> Iterator[tuple[str, Any]]:
    """The places of a shape that take null and no text, each in a body that has it alone, empty."""
    for each in options(shape) if deep < 6 else ():
        if "array" in kinds(each):
            for place, value in nullable(each["items"], deep + 1):
                yield f"[0].{place}", [value]
        for name, field in each.get("properties", {}).items():
            several = list(options(field))
            is_text = any("string" in kinds(one) and one.keys() <= TEXT for one in several)
            if any("null" in kinds(one) for one in several) and not is_text:
                yield name, {name: ""}
            for place, value in nullable(field, deep + 1):
                yield f"{name}.{place}".replace(".[", "["), {name: value}


TEXT = {"type", "maxLength", "description", "default"}


def lists_in(shape: Mapping[str, Any], at: str, deep: int = 0) -> Iterator[tuple[str, Any]]:
    for each in options(shape) if deep < 8 else ():
        if "array" in kinds(each):
            yield at, each
            yield from lists_in(each["items"], f"{at}[]", deep + 1)
        for name, field in each.get("properties", {}).items():
            yield from lists_in(field, f"{at}.{name}", deep + 1)


def test_every_list_of_a_body_says_how_long_it_may_be() -> None:
    """Where the description has no limit, none is checked."""
    unlimited = {
        f"{method} {path} {at}"
        for method, path, shape in BODIES
        for at, found in lists_in(shape, "")
        if "maxItems" not in found
    }
    assert unlimited == set()


@pytest.fixture(scope="module")
def tokens(shared_cast: Cast) -> dict[str, str]:
    """That of somebody who may do much at the host."""
    return {
        name: token_issue(user=shared_cast.people[name], label="test", lifetime=timedelta(days=9), now=NOW)[1]
        for name in ("zhao",)
    }


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for every field that was asked whether it takes a value."""
    asked: list[str] = []
    before = Field.validate_empty_values

    def counting(self: Any, data: Any) -> Any:
        asked.append(type(self).__name__)
        return before(self, data)

    monkeypatch.setattr(Field, "validate_empty_values", counting)
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": None, "user": None})
    return asked


def address_of(path: str, cast: Cast) -> str:
    ids = {"instrument_id": cast.microscope.pk, "organisation_id": cast.ustc.pk}
    for name in (part[1:-1] for part in path.split("/") if part.startswith("{")):
        known = ids.get(name, UUID(int=7) if name.endswith("_id") else 1)
        path = path.replace(f"{{{name}}}", str(known))
    return path


def send(method: str, address: str, body: Any, token: str | None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = body if isinstance(body, str) else json.dumps(body)
    with transaction.atomic():
        answer = Client().generic(method, address, data, content_type="application/json", headers=headers)
        transaction.set_rollback(True)
    return answer


@pytest.mark.parametrize(("method", "path", "shape"), BODIES, ids=[f"{m} {p}" for m, p, _ in BODIES])
def test_too_much_of_anything_is_refused_in_few_words(
    shared_cast: Cast,
    tokens: dict[str, str],
    checked: list[str],
    method: str,
    path: str,
    shape: dict[str, Any],
) -> None:
    address = address_of(path, shared_cast)
    wrong = []
    for place, body in too_large(shape):
        for who, token in {**tokens, "nobody": None}.items():
            checked.clear()
            answer = send(method, address, body, token)
            problem = answer.json() if "json" in answer.get("Content-Type", "") else {}
            if not (
                400 <= answer.status_code < 500
                and problem.get("code")
                and len(answer.content) < MOST_ANSWER
                and len(problem.get("errors", [])) <= MOST_TOLD
                and len(checked) < MOST_CHECKED
            ):
                size = len(answer.content)
                wrong.append((place, who, answer.status_code, size, len(checked)))
    assert wrong == []


EMPTY = [(m, p, dict(nullable(shape))) for m, p, shape in BODIES if dict(nullable(shape))]


@pytest.mark.parametrize(("method", "path", "places"), EMPTY, ids=[f"{m} {p}" for m, p, _ in EMPTY])
def test_an_empty_string_is_not_null(
    shared_cast: Cast,
    tokens: dict[str, str],
    checked: list[str],
    method: str,
    path: str,
    places: dict[str, Any],
) -> None:
    """Null may mean without a limit; an empty string is a slip."""
    address = address_of(path, shared_cast)
    for place, body in places.items():
        told = send(method, address, body, tokens["zhao"]).json()
        wrong = {error["field"] for error in told.get("errors", [])}
        assert place in wrong, (place, told)


@pytest.mark.parametrize(
    "body",
    [
        {"funding": [{}] * 115_000},
        {"options": {str(n): 1 for n in range(60_000)}},
        {str(n): 0 for n in range(60_000)},
        {"funding": [[0] * 999] * 300},
    ],
    ids=["list", "object", "keys", "many of many"],
)
@pytest.mark.parametrize("who", ["zhao", None])
def test_a_body_of_a_megabyte_costs_nothing(
    shared_cast: Cast, tokens: dict[str, str], checked: list[str], body: Any, who: str | None
) -> None:
    """The length is looked at before what is in it; who is not signed in sends 64 KB."""
    answer = send("POST", "/api/v1/quotes/", body, tokens[who] if who else None)
    expected = (400, "invalid") if who else (413, "request-too-large")
    assert (answer.status_code, answer.json()["code"]) == expected
    assert len(answer.content) < 1000
    assert checked == []


def test_of_many_problems_fifty_are_told_and_the_rest_counted(
    shared_cast: Cast, tokens: dict[str, str], checked: list[str]
) -> None:
    body = {"bookings": [{}] * MOST_AT_ONCE}
    told = send("POST", "/api/v1/reservations/", body, tokens["zhao"]).json()
    wrong = MOST_AT_ONCE * 5
    assert len(told["errors"]) == MOST_TOLD
    assert told["errors_left_out"] == wrong - MOST_TOLD
    assert told["detail"].endswith(f"There are {wrong - 10} more problems.")


def test_of_unknown_names_twenty_are_told(shared_cast: Cast, tokens: dict[str, str]) -> None:
    told = send("POST", "/api/v1/quotes/", {f"k{n}": 0 for n in range(180)}, None).json()
    assert len(told["errors"]) == MOST_UNKNOWN + 3  # three are needed


PAGES = ("/", "/map/", "/needs/", "/open-enquiries/", "/bookings/", "/money/", "/hours/", "/reviews/")


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/needs/new/"])
@pytest.mark.parametrize("kind", ["form", "file"])
def test_a_form_of_who_is_not_signed_in_is_not_read_beyond_64_kb(
    shared_cast: Cast, path: str, kind: str
) -> None:
    def unread(size: int) -> Any:
        raise AssertionError("the body was read")

    stream = FakePayload(b"a" * 65_537)
    stream.read = unread  # type: ignore[method-assign]
    media = {"form": "application/x-www-form-urlencoded", "file": "multipart/form-data; boundary=xx"}[kind]
    given = {"CONTENT_TYPE": media, "CONTENT_LENGTH": 65_537, "wsgi.input": stream}
    answer = Client().post(path, **given)  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert "The request is too large." in answer.content.decode()
    assert len(answer.content) < MOST_ANSWER


def test_a_form_of_thousands_of_fields_is_refused(shared_cast: Cast) -> None:
    client = Client()
    client.force_login(shared_cast.people["zhao"])
    answer = client.post("/needs/new/", {f"field-{n}": "1" for n in range(1_001)})
    assert answer.status_code == 400 and len(answer.content) < MOST_ANSWER


@pytest.mark.parametrize("many", [1_001, 10_000])
def test_a_query_of_thousands_of_values_is_refused(shared_cast: Cast, many: int) -> None:
    query = "&".join(["service_mode=x"] * many)
    answer = Client().get(f"/api/v1/instruments/?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "too-many-parameters")
    assert len(answer.content) < 1_000
    for page in PAGES:
        answer = Client().get(f"{page}?{query}")
        assert answer.status_code in (302, 400), page
        # The address is in it twice: to come back to after signing in, and in another language.
        assert len(answer.content) < MOST_ANSWER + 3 * len(query), page


@pytest.mark.parametrize("who", ["zhao", None])
def test_a_query_of_many_values_does_not_multiply(shared_cast: Cast, who: str | None) -> None:
    """A page that repeats a query in each of its links is no longer than with a short one, give or
    take the query a few times."""
    client = Client()
    if who:
        client.force_login(shared_cast.people[who])
    for page in PAGES:
        usual = len(client.get(page, follow=True).content)
        for name in ("service_mode", "technique", "spec", "region", "state", "unheard-of"):
            query = "&".join(f"{name}=value-{n:06}" for n in range(900))
            answer = client.get(f"{page}?{query}", follow=True)
            assert answer.status_code in (200, 400), (page, name)
            assert len(answer.content) < usual + 40 * len(query), (page, name)
