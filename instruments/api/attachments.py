"""Photos and documents of instruments."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import Resource, changes, reads, removes, rendered
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, Shape, Text, Whole, checked
from accounts.api.versions import etag
from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from instruments.adapters.files import SIZES, file_open
from instruments.models import Attachment, StoredFile
from instruments.selectors.attachments import attachment_by_id, attachments_of
from instruments.selectors.managing import instrument_to_manage
from instruments.selectors.registry import instrument_by_id
from instruments.services.attachments import (
    attachment_add,
    attachment_change,
    attachment_delete,
)


class AttachmentShape(serializers.Serializer[Any]):
    """A photo or document. `files` are its addresses by size: `large` and `small` of a photo
    (WebP), `file` of a document (PDF)."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Attachment.Kind.choices)
    position = serializers.IntegerField()
    title = serializers.CharField()
    title_zh = serializers.CharField()
    credit = serializers.CharField()
    licence = serializers.ChoiceField(
        Attachment.Licence.choices, help_text="Empty: all rights reserved."
    )
    media_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Size in bytes of the largest variant.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    added_at = Instant()
    version = serializers.IntegerField()
    files = serializers.SerializerMethodField()

    def get_files(self, attachment: Attachment) -> dict[str, str]:
        return {
            size: settings.SITE_URL + reverse("instruments:file", args=[attachment.pk, size])
            for size in SIZES[attachment.kind]
        }


class AttachmentsShape(serializers.Serializer[Any]):
    results = AttachmentShape(many=True)


@extend_schema_field(OpenApiTypes.BINARY)
class Upload(serializers.Field[Any, Any, Any, Any]):
    """A file of a multipart body."""

    default_error_messages = {"not-a-file": "not a file"}

    def to_internal_value(self, data: Any) -> bytes:
        if not hasattr(data, "chunks"):
            self.fail("not-a-file")
        return bytes(data.read())


class StoredFileShape(serializers.Serializer[Any]):
    """A picture, re-encoded, or a document. `files` are its addresses in the API by size: `large`
    and `small` of a picture (WebP), `file` of a document (PDF)."""

    address = ""  # the view that gives its bytes

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(["photo", "document"])
    title = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField()
    files = serializers.SerializerMethodField()

    def get_files(self, file: StoredFile) -> dict[str, str]:
        return {
            size: reverse(self.address, kwargs={"file_id": file.pk, "size": size})
            for size in SIZES[file.kind]
        }


def binary(row: StoredFile, size: str) -> FileResponse:
    """The bytes of a file, always to be saved; `NotFound` for a size that it has not."""
    content = file_open(row.pk, size) if size in SIZES[row.kind] else None
    if content is None:
        raise NotFound
    name = f"{row.pk}.{'pdf' if size == 'file' else 'webp'}"
    return FileResponse(content, as_attachment=True, filename=name, content_type=row.media_type)


class AttachmentChanges(Shape):
    """What is said of it, and its place among those of its kind."""

    title = Text(
        250, required=False, allow_blank=True, help_text="What the picture shows, in English."
    )
    title_zh = Text(250, required=False, allow_blank=True)
    credit = Text(200, required=False, allow_blank=True)
    licence = Choice(Attachment.Licence.choices, required=False, allow_blank=True)
    position = Whole(min_value=1, max_value=1000, required=False)


class AttachmentBody(Shape):
    """A file, with a title in one language at least."""

    file = Upload(help_text="JPEG, PNG or WebP up to 15 MB; PDF up to 25 MB.")
    title = Text(250, required=False, allow_blank=True)
    title_zh = Text(250, required=False, allow_blank=True)
    credit = Text(200, required=False, allow_blank=True)
    licence = Choice(Attachment.Licence.choices, required=False, allow_blank=True)


class InstrumentAttachments(Endpoint):
    parser_classes = [MultiPartParser]

    @operation(
        "attachments",
        _("Photos and documents"),
        tag="instruments",
        gives=AttachmentsShape,
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Photos, then documents, each in their order."""
        rows = attachments_of(instrument_by_id(self.actor, instrument_id))
        return Response(AttachmentsShape({"results": rows}).data)

    @operation(
        "attachment_add",
        _("Add a photo or document"),
        tag="instruments",
        takes=AttachmentBody,
        gives=AttachmentShape,
        status=201,
        refuses=[404],
    )
    def post(self, request: Request, instrument_id: UUID) -> Response:
        """As `multipart/form-data`, for the host's managers. What it is is told by its content;
        photos are re-encoded, without metadata."""
        instrument_to_manage(self.actor, instrument_id)
        data = checked(AttachmentBody, request.data)
        row = attachment_add(
            By(self.actor, self.now), instrument_id=instrument_id, content=data.pop("file"), **data
        )
        content = rendered(AttachmentShape, row)
        return Response(content, status=201, headers=etag(row.version))


class Attachments(Resource):
    at, key, tag = "attachments/", "attachment_id", "instruments"
    name, many, shape = "attachment", "attachments", AttachmentShape

    def visible(self, pk: UUID) -> Attachment:
        return attachment_by_id(self.actor, pk)

    @reads(_("One photo or document"))
    def detail(self, pk: UUID) -> None:
        """What is said of it, and where its files are."""

    @changes(
        _("Change the description of a photo or document"),
        AttachmentChanges,
        sends={"title": "The column, from the left", "position": 1},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> Attachment:
        """For the host's managers. What is not named stays as it is."""
        instrument_to_manage(self.actor, self.visible(pk).instrument_id)
        return attachment_change(self.by, attachment_id=pk, changes=data)

    @removes(_("Delete a photo or document"))
    def remove(self, pk: UUID) -> None:
        """For good, with its files."""
        instrument_to_manage(self.actor, self.visible(pk).instrument_id)
        attachment_delete(self.by, attachment_id=pk)
