"""How the installation is, as JSON."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import operation
from accounts.api.shapes import Instant, Nothing, checked
from accounts.domain.roles import Place
from accounts.permissions import require
from bookings.operations.services.health import Standing, examine, load_health

TAG = "operations"


class HealthFindingShape(serializers.Serializer[Any]):
    """A finding about a part of the installation. `code` says what was examined and stays the same; sentence
    and remedy are in the reader's language."""

    part = serializers.CharField(source="area")
    code = serializers.CharField()
    state = serializers.ChoiceField(["ok", "note", "amber", "red"])
    sentence = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True)


class HealthShape(serializers.Serializer[Any]):
    """`examined_at`: when the parts that take seconds were last examined; null: never."""

    examined_at = Instant(allow_null=True)
    findings = HealthFindingShape(many=True)


class Health(Endpoint):
    needs_person = True

    @operation("operations_health", _("Health of the installation"), tag=TAG, gives=HealthShape)
    def get(self, request: Request) -> Response:
        """Return what `manage.py doctor` finds. Only administrators may read this."""
        require(self.actor, "administer", Place(None))
        return Response(_shown(load_health(self.now)))

    @operation(
        "operations_examine", _("Examine the installation now"), tag=TAG, takes=Nothing, gives=HealthShape
    )
    def post(self, request: Request) -> Response:
        """Examine all parts, which takes seconds, and return what is found. Only administrators may do
        this."""
        require(self.actor, "administer", Place(None))
        checked(Nothing, request.data)
        examine()
        return Response(_shown(load_health(self.now)))


def _shown(found: Standing) -> Any:
    return rendered(HealthShape, found)
