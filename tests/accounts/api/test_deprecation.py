"""An operation that goes says so in the description and in each of its answers."""

from datetime import date
from typing import Any

import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from accounts.api.endpoint import Endpoint
from accounts.api.schema import Deprecation, operation
from accounts.domain.errors import NotFound

pytestmark = pytest.mark.django_db


class Going(Endpoint):
    """Reads are deprecated, writes are not."""

    only_reads = True

    @operation(
        "going", "Goes", tag="reference", gives=None,
        deprecated=Deprecation(date(2026, 1, 1), date(2027, 1, 1)),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        if "lang" in request.query_params:
            raise NotFound
        return Response({})

    @operation("staying", "Stays", tag="reference", gives=None)
    def post(self, request: Request) -> Response:
        return Response({})


def ask(method: str, query: str = "") -> Any:
    return Going.as_view()(getattr(APIRequestFactory(), method)(f"/going/{query}"))


@pytest.mark.parametrize(
    ("method", "query", "status"), [("get", "", 200), ("head", "", 200), ("get", "?lang=en", 404)]
)
def test_every_answer_says_that_it_goes(method: str, query: str, status: int, settings: Any) -> None:
    settings.SITE_URL = "https://instruments.example.org"
    answer = ask(method, query)
    assert answer.status_code == status
    assert answer["Deprecation"] == "@1767225600"
    assert answer["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert answer["Link"] == (
        '<https://instruments.example.org/docs/api-changes/>; rel="deprecation"; type="text/html"'
    )


def test_another_operation_of_the_address_says_nothing() -> None:
    answer = ask("post")
    assert answer.status_code == 200
    assert not {"Deprecation", "Sunset", "Link"} & set(answer.headers)


def test_the_description_marks_it() -> None:
    generator = SchemaGenerator(patterns=[path("going/", Going.as_view())])  # type: ignore[no-untyped-call]
    methods = generator.get_schema(public=True)["paths"]["/going/"]  # type: ignore[no-untyped-call]
    assert methods["get"]["deprecated"] is True
    assert "deprecated" not in methods["post"]


def test_less_than_a_year_is_refused() -> None:
    with pytest.raises(ValueError, match="less than a year"):
        Deprecation(date(2026, 1, 1), date(2026, 12, 31))
