"""The API described: OpenAPI for programs, a page for people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import normalize_result_object

from bookings.messages import SENTENCES
from bookings.messages import sentence as sentence_of

METHODS = ("get", "post", "put", "patch", "delete")


@lru_cache
def openapi(language: str) -> dict[str, Any]:
    """The whole description, made once per language."""
    with translation.override(language):
        made = SchemaGenerator().get_schema(request=None, public=True)
        return dict(normalize_result_object(made))


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.1 as JSON."""
    content = json.dumps(openapi(translation.get_language() or "en"), ensure_ascii=False, indent=1)
    return HttpResponse(content, content_type="application/json; charset=utf-8")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every operation, readable."""
    raise NotImplementedError
