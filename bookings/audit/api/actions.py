"""Actions agreed on findings, and the files of findings."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.endpoint import Endpoint
from accounts.api.resource import OnPage, Resource, acts, reads
from accounts.api.schema import operation
from accounts.api.shapes import Day, Instant, Shape, Text, TextOrNull
from bookings.audit.domain.actions import MOST_TEXT
from bookings.audit.forms.actions import OwnerForm, SendBackForm, VerifyForm, WithdrawForm
from bookings.audit.models import AuditAction
from bookings.audit.selectors import actions
from bookings.audit.services import actions as services
from bookings.record.api.lists import listed
from instruments.attachments.api.attachments import StoredFileShape, Upload, binary

NOTED = _("Noted, with your name and the time.")


class FindingFileShape(StoredFileShape):
    """A picture, re-encoded, or a document that the auditor or the organisation attached."""

    address = "api-audit-finding-file"
    is_of_auditor = serializers.BooleanField()
    added_by = serializers.CharField()
    added_at = Instant()


class ActionShape(serializers.Serializer[Any]):
    """An action agreed on a finding. `reason` is the auditor's: why it was sent back or withdrawn, or
    what was seen when it was verified."""

    id = serializers.UUIDField()
    finding = serializers.UUIDField(source="finding_id")
    text = serializers.CharField()
    owner = serializers.CharField()
    due_date = serializers.DateField()
    state = serializers.ChoiceField(AuditAction.State.choices)
    note = TextOrNull()
    done_at = Instant(allow_null=True)
    reason = TextOrNull()
    decided_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class ActionBody(Shape):
    text = Text(MOST_TEXT)
    owner = Text(254, help_text="Id or e-mail address of a member of the organisation.")
    due_date = Day()


class ActionChangeBody(Shape):
    owner = Text(254, required=False, help_text="Id or e-mail address of a member of the organisation.")
    due_date = Day(required=False, help_text="Only the auditor may change it.")


class ActionDoneBody(Shape):
    note = Text(5000)


class VerifyBody(Shape):
    reason = Text(5000, default="", allow_blank=True)


class SendBackBody(Shape):
    reason = Text(5000)
    due_date = Day(required=False, allow_null=True)


class WithdrawBody(Shape):
    reason = Text(5000)


class FindingFileBody(Shape):
    file = Upload(help_text="JPEG, PNG or WebP up to 15 MB; PDF, .xlsx, .docx, .ods or .odt up to 25 MB.")
    name = Text(250, help_text="File name shown to readers.")
    action = serializers.UUIDField(required=False, help_text="The action that it is about, if any.")


class Actions(Resource):
    at, key, tag, needs_person = "audit/actions/", "action_id", "audit", True
    name, many, shape, order = "audit_action", "audit_actions", ActionShape, ("due_date", "id")
    page_name = "action"

    def visible(self, pk: UUID) -> AuditAction:
        return actions.action_for(self.actor, pk)

    @listed(_("Agreed actions"), actions.ACTIONS)
    def rows(self, query: dict[str, Any]) -> QuerySet[AuditAction]:
        """List the actions on the findings that you audit or your organisation answers, or of which you own
        an action."""
        return actions.actions_for(self.actor)

    @reads(_("An action"))
    def detail(self, pk: UUID) -> None:
        """Return an action agreed on a finding."""

    @acts(_("Report an action as done"), ActionDoneBody, once=False, refuses=[403, 404, 409])
    def done(self, pk: UUID, data: dict[str, Any]) -> None:
        """Report an action as done, as its owner or as manager or finance of the organisation. Attach files
        first, to the finding."""
        services.action_done(self.by, action_id=pk, **data)

    @OnPage(
        "bookings:finding", done=NOTED, form=OwnerForm, name="owner_form", of="finding_id", part="#actions"
    )
    @acts(_("Change an action"), ActionChangeBody, once=False, refuses=[403, 404, 409])
    def change(self, pk: UUID, data: dict[str, Any]) -> None:
        """Give an action that is still to be done another owner, as the auditor or the organisation, or
        another due day, as the auditor."""
        services.action_change(self.by, action_id=pk, **data)

    @OnPage(
        "bookings:finding", done=NOTED, form=VerifyForm, name="verify_form", of="finding_id", part="#actions"
    )
    @acts(_("Verify an action"), VerifyBody, once=False, refuses=[403, 404, 409])
    def verify(self, pk: UUID, data: dict[str, Any]) -> None:
        """Verify, as the auditor, that an action was done."""
        services.action_verify(self.by, action_id=pk, **data)

    @OnPage(
        "bookings:finding", done=NOTED, form=SendBackForm, name="back_form", of="finding_id", part="#actions"
    )
    @acts(_("Send an action back"), SendBackBody, below="return", once=False, refuses=[403, 404, 409])
    def send_back(self, pk: UUID, data: dict[str, Any]) -> None:
        """Send an action back, as the auditor, because it is not done, with a new due day if one is given."""
        services.action_return(self.by, action_id=pk, **data)

    @OnPage(
        "bookings:finding",
        done=NOTED,
        form=WithdrawForm,
        name="withdraw_form",
        of="finding_id",
        part="#actions",
    )
    @acts(_("Withdraw an action"), WithdrawBody, once=False, refuses=[403, 404, 409])
    def withdraw(self, pk: UUID, data: dict[str, Any]) -> None:
        """Withdraw an action that is no longer needed, as the auditor, with the reason."""
        services.action_withdraw(self.by, action_id=pk, **data)


class FindingFiles(Endpoint):
    only_reads, needs_person = True, True
    http_method_names = ["get", "head"]

    @operation(
        "audit_finding_file",
        _("A file of a finding"),
        tag="audit",
        gives=OpenApiTypes.BINARY,
        media=["image/webp", "application/pdf", "application/octet-stream"],
        refuses=[404],
    )
    def get(self, request: Request, file_id: UUID, size: str) -> HttpResponseBase:
        """Return a file of a finding as a download, to those who may see the finding."""
        return binary(actions.file_for(self.actor, file_id), size)
