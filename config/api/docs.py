"""The description of the API: OpenAPI for programs, a page for people."""

import json
from collections.abc import Iterator
from functools import lru_cache
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
from bookings.record.messages import sentences, template_of

METHODS = ("get", "post", "put", "patch", "delete")
# What any address may answer is said once.
EVERYWHERE = (400, 401, 403, 406, 411, 413, 415, 429, 500, 503)


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
        "imports": gettext("Imports"),
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
        return dict(normalize_result_object(schema))  # type: ignore[no-untyped-call]


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
        "everywhere": [(status, _marked(str(ABOUT[status]))) for status in EVERYWHERE],
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
    shapes = described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method in METHODS:
            if (operation := methods.get(method)) is None:
                continue
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            yield {
                "name": operation["operationId"],
                "tag": operation["tags"][0],
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "description": _marked(operation.get("description", "")),
                "parameters": [_parameter(p) for p in operation.get("parameters", [])],
                "body": list(_fields(body.get("schema", {}), shapes)),
                "example": _example(body),
                "answers": [
                    _answer(status, answer, shapes)
                    for status, answer in operation["responses"].items()
                    if int(status) not in EVERYWHERE
                ],
            }


def _marked(text: str) -> SafeString:
    """Turn text between backquotes into code."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", p) if i % 2 else p,) for i, p in parts)
    )


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "is_required": parameter.get("required", False),
        "type": _type(parameter["schema"]),
        "description": _marked(parameter.get("description", "")),
    }


def _answer(status: str, answer: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    content = answer.get("content", {})
    shape = content.get("application/json", {}).get("schema", {})
    is_page = "results" in _resolved(shape, shapes).get("properties", {})
    if is_page:
        shape = _resolved(shape, shapes)["properties"]["results"]["items"]
    return {
        "status": status,
        "description": _marked(answer.get("description", "")),
        "is_page": is_page,
        "fields": list(_fields(shape, shapes)),
    }


def _fields(shape: dict[str, Any], shapes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    resolved = _resolved(shape, shapes)
    required = resolved.get("required", [])
    for name, field in resolved.get("properties", {}).items():
        yield {
            "name": name,
            "type": _type(field, shapes),
            "is_required": name in required,
            "description": _marked(field.get("description", "")),
        }


def _resolved(shape: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    for reference in (shape, *shape.get("allOf", []), *shape.get("oneOf", [])):
        if "$ref" in reference:
            resolved: dict[str, Any] = shapes[reference["$ref"].rpartition("/")[2]]
            return resolved
    return shape


def _type(field: dict[str, Any], shapes: dict[str, Any] | None = None) -> str:
    """Describe a type in words: `string (date-time)`, `list of integer`, `self, assisted ...`."""
    resolved = _resolved(field, shapes or {}) if shapes else field
    if "enum" in resolved:
        return " · ".join(str(value) for value in resolved["enum"] if value not in (None, ""))
    if resolved is not field and "properties" in resolved:
        return "{ " + ", ".join(resolved["properties"]) + " }"
    if "oneOf" in resolved:
        kinds = [_type(option, shapes) for option in resolved["oneOf"]]
        return " | ".join(kind for kind in kinds if kind)
    kinds = resolved.get("type", "")
    kind = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "items" in resolved:
        return f"[ {_type(resolved['items'], shapes)} ]"
    return f"{kind} ({resolved['format']})" if "format" in resolved else kind


def _example(body: dict[str, Any]) -> str:
    for example in body.get("examples", {}).values():
        return json.dumps(example["value"], ensure_ascii=False, indent=2)
    return ""
