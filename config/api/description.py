"""Complete the description of the API with everything besides its operations: where it is served, the headers
and refusals that many answers share, and the events that webhooks send."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext

from accounts.api.schema import ABOUT, PROBLEM
from accounts.domain.hooks import INSTANT, schema_of
from bookings.messaging.domain.webhooks import PING, PING_PAYLOAD
from bookings.messaging.selectors.webhooks import all_events

type Described = dict[str, Any]

_SECONDS = {"type": "integer", "minimum": 1}
_SENT_WITH = {401: ("WWW-Authenticate",), 409: ("Retry-After",), 429: ("Retry-After",), 503: ("Retry-After",)}


def completed(generated: Described, tags: Mapping[str, str]) -> Described:
    """Return the description of all operations with whatever is not about a single one."""
    components = {
        **generated["components"],
        "headers": _headers(),
        "responses": {_name(status): _refusal(status) for status in ABOUT},
    }
    described = {
        **generated,
        "servers": [{"url": settings.SITE_URL}],
        "tags": [{"name": name, "description": title} for name, title in tags.items()],
        "webhooks": dict(_webhooks()),
        "components": components,
    }
    for operation in (each for methods in described["paths"].values() for each in methods.values()):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            several = _referred(media["schema"], components).get("oneOf", [])
            if several and all("required" in _referred(each, components) for each in several):
                operation["requestBody"]["required"] = True
        for status, answer in operation["responses"].items():
            _complete_answer(operation["responses"], status, answer, components)
    _link(described["paths"], components)
    for schema in _schemas(described):
        if schema.get("default") == "" and ("minLength" in schema or "" not in schema.get("enum", [""])):
            del schema["default"]  # "not given": sent, it would be refused
        if {} in schema.get("oneOf", []):  # any value, null among them
            del schema["oneOf"]
    return described


def _link(paths: Described, components: Described) -> None:
    """State what can be asked next: of a new record every operation below its address, of a list the record
    that comes first."""
    of_one = {path: methods for path, methods in paths.items() if path.count("{") == 1}
    for path, methods in paths.items():
        below = {
            operation["operationId"]: (name, method, rest)
            for other, operations in of_one.items()
            if (rest := other.removeprefix(path)) != other and rest.startswith("{")
            for name in [rest[1 : rest.index("}")]]
            for method, operation in operations.items()
        }
        for method, status in (("post", "201"), ("get", "200")):
            answer = methods.get(method, {}).get("responses", {}).get(status, {})
            schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
            shape, place = _referred(schema, components), "/id"
            if method == "get":
                rows = shape.get("properties", {}).get("results", {}).get("items", {})
                shape, place = _referred(rows, components), "/results/0/id"
            shapes = [_referred(each, components) for each in shape.get("oneOf", [shape])]
            if not any("id" in each.get("properties", {}) for each in shapes):
                continue
            links = {
                target: {"operationId": target, "parameters": {name: f"$response.body#{place}"}}
                for target, (name, asked, rest) in below.items()
                if method == "post" or (asked == "get" and rest.endswith("}/"))
            }
            if links:
                answer["links"] = links


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def _refusal(status: int) -> Described:
    answer: Described = {
        "description": str(ABOUT[status]),
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if sent := _SENT_WITH.get(status):
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in sent}
    return answer


def _headers() -> Described:
    return {
        "ETag": {
            "description": gettext("The version of the record, for `If-Match`."),
            "schema": {"type": "string", "pattern": r'^"(0|[1-9]\d{0,9})"$'},
        },
        "Location": {
            "description": gettext("The address of the new record, if it has one."),
            "schema": {"type": "string"},
        },
        "Retry-After": {"description": gettext("Seconds to wait before trying again."), "schema": _SECONDS},
        "WWW-Authenticate": {
            "description": gettext("How to sign in."),
            "schema": {"type": "string", "const": "Bearer"},
        },
    }


def _complete_answer(responses: Described, status: str, answer: Described, components: Described) -> None:
    plain = {key: value for key, value in _refusal_of(int(status)).items() if key != "headers"}
    if answer == plain:
        responses[status] = {"$ref": f"#/components/responses/{_name(int(status))}"}
        return
    if status not in {"200", "201"}:
        return
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    names = ["ETag"] if "version" in _referred(schema, components).get("properties", {}) else []
    if status == "201":
        names.append("Location")
    if names:
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _referred(schema: Described, components: Described) -> Described:
    found: Described = components["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return found


def _refusal_of(status: int) -> Described:
    return _refusal(status) if status in ABOUT else {}


def _schemas(node: Any) -> Iterator[Described]:
    """Yield every object of the description, of which some are schemas."""
    if isinstance(node, dict):
        yield node
        for each in node.values():
            yield from _schemas(each)
    elif isinstance(node, list):
        for each in node:
            yield from _schemas(each)


def _webhooks() -> Iterator[tuple[str, Described]]:
    for event in all_events().values():
        yield event.code, _webhook(event.code, str(event.words), schema_of(event.payload))
    yield PING, _webhook(PING, gettext("somebody sends a test"), schema_of(PING_PAYLOAD))


def _webhook(code: str, words: str, data: Described) -> Described:
    body = {
        "type": "object",
        "properties": {"type": {"type": "string", "const": code}, "timestamp": dict(INSTANT), "data": data},
        "required": ["type", "timestamp", "data"],
    }
    return {
        "post": {
            "operationId": "event_" + code.replace(".", "_"),
            "summary": capfirst(words),
            "description": gettext("Signed as Standard Webhooks says (standardwebhooks.com)."),
            "tags": ["events"],
            "security": [],
            "parameters": [_sent(name, said) for name, said in _sent_with_events().items()],
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {
                "2XX": {"description": gettext("Received.")},
                "410": {"description": gettext("Not wanted any more: the webhook is disabled.")},
                "default": {"description": gettext("Not received: it is sent again, for a day.")},
            },
        }
    }


def _sent_with_events() -> dict[str, str]:
    return {
        "webhook-id": gettext("The same whenever this event is sent again."),
        "webhook-timestamp": gettext("Seconds since 1970."),
        "webhook-signature": gettext("One signature for each secret in force, separated by spaces."),
    }


def _sent(name: str, said: str) -> Described:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": True, "description": said, "schema": schema}
