"""Techniques: the terms of controlled vocabularies."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Text, asked
from instruments.models import Technique
from instruments.selectors.techniques import technique_by_code, techniques


class TechniqueShape(serializers.Serializer[Any]):
    """A term; `parents` are the codes of the broader ones above it."""

    code = serializers.CharField()
    scheme = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    synonyms = serializers.ListField(child=serializers.CharField())
    definition = serializers.CharField()
    parents = serializers.SerializerMethodField()

    def get_parents(self, technique: Technique) -> list[str]:
        return sorted(parent.code for parent in technique.parents.all())


class TechniqueQuery(Pages):
    q = Text(100, default="", help_text="Part of a name, synonym or code.")


class Techniques(Endpoint):
    @operation(
        "techniques",
        _("Techniques"),
        tag="reference",
        query=TechniqueQuery,
        gives=page(TechniqueShape),
    )
    def get(self, request: Request) -> Response:
        """The vocabulary that instruments are described with."""
        query = asked(TechniqueQuery, request.query_params)
        return paginated(
            request,
            techniques(query["q"]),
            query,
            ("code",),
            lambda rows: TechniqueShape(rows, many=True).data,
        )


class OneTechnique(Endpoint):
    @operation("technique", _("A technique"), tag="reference", gives=TechniqueShape, refuses=[404])
    def get(self, request: Request, code: str) -> Response:
        """One term. `instruments/?technique=CODE` finds what has it or a narrower one."""
        return Response(TechniqueShape(technique_by_code(code)).data)
