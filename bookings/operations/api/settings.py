"""All settings that are data."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.resource import rendered
from accounts.api.schema import operation
from bookings.operations.selectors.settings import GROUPS, load_settings


class SettingShape(serializers.Serializer[Any]):
    """A setting as it holds today. `value`: of a review scheme its version, of a holding period hours.
    `since`, `entered_by` and `reason` are empty for what comes with the platform."""

    group = serializers.ChoiceField(choices=list(GROUPS))
    code = serializers.CharField()
    value = serializers.IntegerField()
    region = serializers.CharField(source="region.code", allow_null=True, default=None)
    since = serializers.DateField(allow_null=True)
    entered_by = PersonShape(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class SettingsShape(serializers.Serializer[Any]):
    settings = SettingShape(many=True)


class Settings(Endpoint):
    needs_person = True

    @operation("operations_settings", _("Settings"), tag="operations", gives=SettingsShape)
    def get(self, request: Request) -> Response:
        """Return all settings that are data, with today's values. Only administrators may read this."""
        return Response(rendered(SettingsShape, {"settings": load_settings(self.actor, self.now)}))
