"""Random requests, by the description: nothing breaks, and answers are as described."""

import functools
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.throttling import SimpleRateThrottle
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.domain.roles import By
from accounts.services.organisation_moves import move_decide
from accounts.services.tokens import token_issue
from bookings.results.api.tus import MEDIA_TYPE as TUS
from config.api.docs import openapi
from config.wsgi import application
from tests.architecture.permission_table import ARGUMENTS, THINGS
from tests.architecture.test_permissions import world  # noqa: F401 (a fixture)
from tests.conftest import DEEP
from tests.factories import api as programs
from tests.factories.cast import NOW, Cast

clock = programs.clock  # a fixture
schemathesis.serializer.alias(TUS, "application/octet-stream")

EXAMPLES = 300 if DEEP else 3
# A manager, a researcher, finance, an auditor, a coordinator, an administrator, a newcomer.
ROLES = ("zhao", "wang", "gao", "auditor", "coordinator", "admin", "alice")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
OPERATIONS = sorted(
    (path, method.upper()) for path, methods in openapi("en")["paths"].items() for method in methods
)


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No throttle; and requests keep the test's own connection, as Django's client does."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": None, "user": None})
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def people(shared_cast: Cast) -> dict[str, str]:
    """What the program of each sends to say who it is."""
    lifetime = timedelta(days=366)
    return {
        name: "Bearer "
        + token_issue(user=shared_cast.people[name], label="test", lifetime=lifetime, now=NOW)[1]
        for name in ROLES
    }


@functools.cache
def described() -> Any:
    """The description as a program reads it."""
    return schemathesis.openapi.from_wsgi("/api/v1/schema/", application)


@pytest.fixture(scope="module")
def known(world: tuple[Cast, dict[str, str]]) -> dict[str, list[str]]:  # noqa: F811
    """Ids that there are, so that requests get past 404; made once, as every request is rolled
    back."""
    cast, things = world
    found: dict[str, list[str]] = defaultdict(list)
    for argument, thing in (*ARGUMENTS.items(), *((name, thing) for (_, name), thing in THINGS.items())):
        found[argument].append(things[thing])
    token, _ = token_issue(user=cast.people["wang"], label="known", lifetime=timedelta(days=9), now=NOW)
    move = move_decide(
        By(cast.actor("admin"), NOW),
        organisation_id=cast.ustc.pk,
        region=cast.shanghai,
        starts_on=(NOW + timedelta(days=300)).date(),
    )
    return found | {"token_id": [str(token.pk)], "move_id": [str(move.pk)], "size": ["large", "small"]}


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_nothing_breaks(people: dict[str, str], known: dict[str, list[str]], path: str, method: str) -> None:
    operation = described()[path][method]

    def attempts(mode: GenerationMode) -> Any:
        cases = operation.as_strategy(generation_mode=mode)
        return st.tuples(st.just(mode), cases, st.sampled_from([*people, None]), st.booleans())

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=not DEEP,
    )
    @given(
        attempt=st.one_of(attempts(GenerationMode.POSITIVE), attempts(GenerationMode.NEGATIVE)),
        data=st.data(),
    )
    def attempted(attempt: Any, data: Any) -> None:
        mode, case, who, is_known = attempt
        if is_known:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = data.draw(st.sampled_from(known[name]))
            if isinstance(case.body, dict):
                for name in ("instrument", "facility"):
                    if name in case.body and mode is GenerationMode.POSITIVE:
                        case.body[name] = data.draw(st.sampled_from(known[f"{name}_id"]))
        headers = {"Authorization": people[who]} if who else {}
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)

    attempted()
