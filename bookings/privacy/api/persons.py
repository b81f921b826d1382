"""The API for a person's own data: export it, and preview erasure. Erasure itself is confirmed on the page by
the person; a token cannot do it."""

from io import BytesIO
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import operation
from accounts.api.shapes import Nothing, checked
from accounts.models import User
from bookings.audit.adapters.archive import archive_write
from bookings.privacy.api.leaving import AheadShape
from bookings.privacy.selectors.leaving import bookings_ahead, with_costs
from bookings.privacy.selectors.persons import load_obstacles
from bookings.privacy.services.persons import person_export
from bookings.record.api.files import FileEndpoint
from bookings.record.api.shapes import Sentence

ZIP = "application/zip"


class ObstacleShape(serializers.Serializer[Any]):
    """A reason why the account cannot be closed now."""

    code = serializers.CharField()
    message = Sentence()


class ErasureShape(serializers.Serializer[Any]):
    """The preview of an erasure. `ahead`: the bookings that would be cancelled, each by its rules."""

    obstacles = ObstacleShape(many=True)
    ahead = AheadShape(many=True)


class OwnExport(FileEndpoint):
    only_reads = False  # it writes an entry in the trail
    write_scope = "read"
    http_method_names = ["post"]

    @operation(
        "own_export", _("All your data"), tag="people", takes=Nothing, gives=OpenApiTypes.BINARY, media=ZIP
    )
    def post(self, request: Request) -> HttpResponse:
        """Return a ZIP with `data.json` and each table as CSV: profile, memberships and roles, bookings,
        sessions, charges, messages, and the person's entries in the trail. A token needs the scope `read`."""
        assert isinstance(request.user, User)
        checked(Nothing, request.data)
        out = BytesIO()
        tables = person_export(user=request.user, now=self.now)
        archive_write(out, tables, email=request.user.email, now=self.now)
        return self.file(out.getvalue(), ZIP, f"instrument-commons-{self.now:%Y-%m-%d}.zip")


class OwnErasure(Endpoint):
    needs_person = True

    @operation("own_erasure", _("Preview of closing the account"), tag="people", gives=ErasureShape)
    def get(self, request: Request) -> Response:
        """Return what prevents erasure, and which bookings would be cancelled at what cost. Erasure itself is
        done on the page, where people confirm who they are."""
        assert isinstance(request.user, User)
        ahead = with_costs(self.actor, bookings_ahead(request.user.pk, self.now), self.now)
        shown = {"obstacles": load_obstacles(request.user, self.now), "ahead": ahead}
        return Response(rendered(ErasureShape, shown))
