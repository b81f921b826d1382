"""The API for techniques, the terms of controlled vocabularies."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, lists, reads
from accounts.api.shapes import Text
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.techniques import technique_by_code, techniques


class TechniqueShape(serializers.Serializer[Any]):
    """A technique; `parents` are the codes of the next broader ones."""

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


class Techniques(Resource):
    at, key, converter, tag = "techniques/", "code", "str", "reference"
    name, many = "technique", "techniques"
    shape, order = TechniqueShape, ("code",)

    def visible(self, pk: Any) -> Technique:
        return technique_by_code(pk)

    @lists(_("Techniques"), TechniqueQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Technique]:
        """Lists the techniques with which instruments are described."""
        return techniques(query["q"])

    @reads(_("A technique"))
    def detail(self, pk: str) -> None:
        """Returns one technique. `instruments/?technique=CODE` lists the instruments that have it or a
        narrower one."""
