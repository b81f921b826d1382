"""Photos and documents of instruments."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import OnPage, Resource, changes, reads, removes, rendered
from accounts.api.schema import operation
from accounts.api.shapes import Instant, checked
from accounts.api.versions import etag
from accounts.domain.errors import NotFound
from accounts.domain.roles import By
from instruments.attachments.adapters.files import SIZES, file_open
from instruments.attachments.domain.attachments import ending_of
from instruments.attachments.forms.attachments import AttachmentChanges, AttachmentWords
from instruments.attachments.models import Attachment, StoredFile
from instruments.attachments.selectors.attachments import attachment_by_id, attachments_of
from instruments.attachments.services.attachments import attachment_add, attachment_change, attachment_delete
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_by_id


class AttachmentShape(serializers.Serializer[Any]):
    """A photo or document. `files` maps each size to its address: `large` and `small` of a photo (WebP),
    `file` of a document (PDF)."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Attachment.Kind.choices)
    position = serializers.IntegerField()
    title = serializers.CharField()
    title_zh = serializers.CharField()
    credit = serializers.CharField()
    licence = serializers.ChoiceField(Attachment.Licence.choices, help_text="Empty: all rights reserved.")
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
    """A file in a multipart body."""

    default_error_messages = {"not-a-file": "not a file"}

    def to_internal_value(self, data: Any) -> bytes:
        if not hasattr(data, "chunks"):
            self.fail("not-a-file")
        return bytes(data.read())


class StoredFileShape(serializers.Serializer[Any]):
    """A re-encoded picture or a document. `files` maps each size to its address in the API: `large` and
    `small` of a picture (WebP), `file` of a document (PDF; of findings also .xlsx, .docx, .ods or .odt)."""

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
    """Return a response with the bytes of a file, to be saved and not shown. Raise `NotFound` if the file has
    no such size."""
    content = file_open(row.pk, size) if size in SIZES[row.kind] else None
    if content is None:
        raise NotFound
    name = f"{row.pk}.{ending_of(row.media_type, row.title)}"
    return FileResponse(content, as_attachment=True, filename=name, content_type=row.media_type)


class AttachmentBody(AttachmentWords):
    """A file, with a title in at least one language."""

    file = Upload(help_text="JPEG, PNG or WebP up to 15 MB; PDF up to 25 MB.")


class InstrumentAttachments(Endpoint):
    parser_classes = [MultiPartParser]

    @operation(
        "attachments", _("Photos and documents"), tag="instruments", gives=AttachmentsShape, refuses=[404]
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Lists the photos, then the documents, each in their chosen order."""
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
        once=True,
    )
    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """Adds a photo or document, which the host's managers send as `multipart/form-data`. The content
        decides which of the two it is; photos are re-encoded without their metadata."""
        data = checked(AttachmentBody, request.data)
        content = data.pop("file")

        def add() -> Response:
            row = attachment_add(
                By(self.actor, self.now), instrument_id=instrument_id, content=content, **data
            )
            return Response(rendered(AttachmentShape, row), status=201, headers=etag(row.version))

        return self.once(add)


class Attachments(Resource):
    at, key, tag = "attachments/", "attachment_id", "instruments"
    name, many, shape = "attachment", "attachments", AttachmentShape
    page_at = "manage/attachments/"

    def visible(self, pk: UUID) -> Attachment:
        return attachment_by_id(self.actor, pk)

    @reads(_("A photo or document"))
    def detail(self, pk: UUID) -> None:
        """Returns the attachment's description and the addresses of its files."""

    @changes(
        _("Change the description of a photo or document"),
        AttachmentChanges,
        sends={"title": "The column, from the left", "position": 1},
    )
    def change(self, pk: UUID, data: dict[str, Any]) -> Attachment:
        """Changes the description of a photo or document, or its place among those of its kind. Only the
        host's managers may do this. Fields left out stay as they are."""
        return attachment_change(self.by, attachment_id=pk, changes=data)

    @OnPage(
        "instruments:attachments",
        done=_("Deleted."),
        of="instrument_id",
        to=lambda instrument: reverse("instruments:attachments", args=[instrument.pk]),
        below="delete",
    )
    @removes(_("Delete a photo or document"))
    def remove(self, pk: UUID) -> Instrument:
        """Deletes a photo or document and its files for good. Only the host's managers may do this."""
        return attachment_delete(self.by, attachment_id=pk)
