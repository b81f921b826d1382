"""The description of the API: OpenAPI for programs, a page for people."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from threading import Lock
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import normalize_result_object

from accounts.api.schema import ABOUT
from accounts.areas import addresses
from bookings.record.messages import sentences, template_of
from config.api.description import completed

METHODS = ("head", "get", "post", "put", "patch", "delete")
# What any address may answer is said once.
EVERYWHERE = ("400", "401", "403", "406", "411", "413", "415", "429", "500", "503")


def _tags() -> dict[str, str]:
    """Return the groups of operations with their titles, in the order of the page."""
    return {
        "reference": gettext("Reference lists"),
        "facilities": gettext("Facilities"),
        "instruments": gettext("Instruments"),
        "closures": gettext("Closures"),
        "qualifications": gettext("Qualifications"),
        "training": gettext("Courses"),
        "reservations": gettext("Quotes and reservations"),
        "agreements": gettext("Agreements between regions"),
        "vouchers": gettext("Vouchers"),
        "money": gettext("Money"),
        "statistics": gettext("Hours"),
        "trail": gettext("The trail"),
        "operations": gettext("Scheduled jobs"),
        "audit": gettext("Audit desk"),
        "people": pgettext("organisation", "People"),
        "messages": gettext("Messages"),
        "webhooks": gettext("Webhooks"),
        "events": gettext("What webhooks are sent"),
        "imports": gettext("Imports"),
        "samples": gettext("Samples"),
        "results": gettext("Results"),
        "planning": gettext("Planned purchases"),
    }


_MAKING = Lock()


def openapi(language: str) -> dict[str, Any]:
    """Return the whole description, which is generated once per language."""
    with _MAKING:  # drf-spectacular loads its parts as it goes; two threads at once trip over it
        return _generated(language)


@lru_cache
def _generated(language: str) -> dict[str, Any]:
    with translation.override(language):
        generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
        schema = generator.get_schema(request=None, public=True)
        schema["paths"].update(_by_hand())
        return completed(normalize_result_object(schema), _tags())  # type: ignore[no-untyped-call]


def _by_hand() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the addresses of protocols whose views describe themselves."""
    for pattern in addresses("api"):
        view = getattr(pattern.callback, "view_class", None)
        if (described := getattr(view, "described", None)) is not None:
            yield "/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)), described()


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Send the description as OpenAPI 3.1 in JSON."""
    content = json.dumps(openapi(_language()), ensure_ascii=False, indent=1)
    return HttpResponse(content, content_type="application/json; charset=utf-8")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show every operation with what it takes and gives, and every code of a refusal with its sentence."""
    context = {
        "operations": _operations_page(_language()),
        "everywhere": [(status, _marked(str(ABOUT[int(status)]))) for status in EVERYWHERE],
        "site": settings.SITE_URL,
    }
    return render(request, "api_docs.html", context)


@lru_cache
def _operations_page(language: str) -> SafeString:
    """Return the part of the page that is the same for everybody who reads the language, made once: it takes
    some tenths of a second."""
    tags = _tags()
    groups: dict[str, list[dict[str, Any]]] = {tag: [] for tag in tags}
    for operation in _operations(openapi(language)):
        groups.setdefault(operation["tag"], []).append(operation)
    context = {
        "groups": [(tag, tags.get(tag, tag), operations) for tag, operations in groups.items() if operations],
        "codes": [(code, template_of(code, {})) for code in sorted(sentences())],
    }
    return render_to_string("api_operations.html", context)


def _language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE


def _operations(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    shapes, refusals = described["components"]["schemas"], described["components"]["responses"]
    for path, methods in chain(described["paths"].items(), described["webhooks"].items()):
        for method in METHODS:
            if (operation := methods.get(method)) is None:
                continue
            # Where a body may come in several media types, it has the same fields in all.
            body: dict[str, Any] = next(
                iter(operation.get("requestBody", {}).get("content", {}).values()), {}
            )
            yield {
                "name": operation["operationId"],
                "tag": operation["tags"][0],
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "description": _marked(operation.get("description", "")),
                "parameters": [_parameter(p, shapes) for p in operation.get("parameters", [])],
                "bodies": _bodies(body.get("schema", {}), shapes),
                "example": _example(body),
                "answers": [
                    _answer(status, _referred(answer, refusals), shapes)
                    for status, answer in operation["responses"].items()
                    if status not in EVERYWHERE
                ],
            }


def _marked(text: str) -> SafeString:
    """Turn text between backquotes into code."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", p) if i % 2 else p,) for i, p in parts)
    )


def _parameter(parameter: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "is_required": parameter.get("required", False),
        "type": _type(parameter["schema"], shapes),
        "description": _marked(parameter.get("description", "")),
    }


def _answer(status: str, answer: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    content = answer.get("content", {})
    shape = content.get("application/json", {}).get("schema", {})
    properties = _referred(shape, shapes).get("properties", {})
    is_page = "results" in properties
    if is_page:
        shape = properties["results"]["items"]
    return {
        "status": status,
        "description": _marked(answer.get("description", "")),
        "is_page": is_page,
        "bodies": _bodies(shape, shapes),
    }


def _bodies(shape: dict[str, Any], shapes: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the fields of a body; of one that may have several shapes, those of each."""
    shape = _referred(shape, shapes)
    several = shape.get("oneOf") or shape.get("anyOf") or [shape]
    bodies = [list(_fields(each, shapes)) for each in several]
    return [fields for fields in bodies if fields]


def _fields(shape: dict[str, Any], shapes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    resolved = _referred(shape, shapes)
    for part in resolved.get("allOf", []):
        yield from _fields(part, shapes)
    required = resolved.get("required", [])
    for name, field in resolved.get("properties", {}).items():
        yield {
            "name": name,
            "type": _type(field, shapes),
            "is_required": name in required,
            "description": _marked(field.get("description", "")),
        }


def _referred(item: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Return what an item refers to, or itself."""
    return shared[item["$ref"].rpartition("/")[2]] if "$ref" in item else item


def _type(field: dict[str, Any], shapes: dict[str, Any]) -> str:
    """Describe a type in words: `string (date-time)`, `[ integer ]`, `self · assisted`, `{ start, end }`."""
    field = _referred(field, shapes)
    if "enum" in field:
        return " · ".join(str(value) for value in field["enum"] if value not in (None, ""))
    if several := field.get("oneOf") or field.get("anyOf") or field.get("allOf"):
        kinds = (_type(option, shapes) for option in several)
        return " | ".join(dict.fromkeys(filter(None, kinds)))
    if "properties" in field:
        return "{ " + ", ".join(field["properties"]) + " }"
    if "const" in field:
        return str(field["const"])
    kinds = field.get("type", "")
    kind = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "items" in field:
        return f"[ {_type(field['items'], shapes)} ]"
    return f"{kind} ({field['format']})" if "format" in field else kind


def _example(body: dict[str, Any]) -> str:
    for example in body.get("examples", {}).values():
        return json.dumps(example["value"], ensure_ascii=False, indent=2)
    return ""
