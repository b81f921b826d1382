"""Collecting results: files, packages, links, receipts, and how long they are kept."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request as ApiRequest

from accounts.api.memberships import PersonShape
from accounts.api.pagination import Pages
from accounts.api.resource import OnPage, Resource, acts, creates, lists, parts, reads, removes
from accounts.api.schema import operation
from accounts.api.shapes import Flag, Instant, ReasonBody, Shape, Text, Whole, replaced_by
from accounts.api.transfers import given_out
from accounts.selectors.rows import visible
from bookings.record.api.files import FileEndpoint
from bookings.results.domain.handoffs import MOST_KEEP_DAYS
from bookings.results.domain.retention import MOST_USES
from bookings.results.forms.collecting import ConfirmForm, HoldForm, ManifestBody
from bookings.results.models import CollectLink, KeepRequest, Receipt
from bookings.results.selectors import collecting
from bookings.results.selectors.handoffs import hand_off_by_id
from bookings.results.services.collecting import link_make, link_revoke, receipt_confirm
from bookings.results.services.delivering import Request, file_deliver, package_deliver
from bookings.results.services.retention import hold_lift, hold_place, keep_ask, keep_decide, results_keep

ZIP = "application/octet-stream"


class ResultContent(FileEndpoint):
    @operation(
        "result_file_content",
        _("Download a file of results"),
        tag="results",
        gives=OpenApiTypes.BINARY,
        media=ZIP,
        refuses=[404, 409],
    )
    def get(self, request: ApiRequest, hand_off_id: UUID, file_id: UUID) -> HttpResponseBase:
        """Download a file; recipients of the results and the host may do this. `Range` asks for a part. A
        complete download is recorded as a receipt."""
        hand_off = collecting.hand_off_to_read(self.actor, hand_off_id)
        row = collecting.file_to_read(hand_off, file_id)
        asked = Request(str(request.method), request.headers, timezone.now)
        return given_out(
            request._request,
            self.actor.user_id,
            lambda: file_deliver(self.by, hand_off=hand_off, file=row, link=None, request=asked),
        )

    head = get


class ResultPackage(FileEndpoint):
    @operation(
        "result_package",
        _("Download all results as one package"),
        tag="results",
        gives=OpenApiTypes.BINARY,
        media=ZIP,
        refuses=[404, 409],
    )
    def get(self, request: ApiRequest, hand_off_id: UUID) -> HttpResponseBase:
        """Return a ZIP file: BagIt 1.0 with the results, their checksums, and an RO-Crate 1.2 that describes
        the session. `Range` asks for a part; the bytes are the same each time."""
        hand_off = collecting.hand_off_to_read(self.actor, hand_off_id)
        asked = Request(str(request.method), request.headers, timezone.now)
        return given_out(
            request._request,
            self.actor.user_id,
            lambda: package_deliver(self.by, hand_off=hand_off, link=None, request=asked),
        )

    head = get


class LinkQuery(Pages):
    result = serializers.UUIDField(required=False, help_text="Only the links of this delivery.")


class LinkBody(Shape):
    result = serializers.UUIDField(help_text="Id of the delivery.")
    file = serializers.UUIDField(
        required=False, allow_null=True, help_text="Id of one of its files. Null: all files."
    )
    label = Text(200, help_text="Name of the person who receives the link.")  # type: ignore[assignment]
    expires_at = Instant()
    uses = Whole(
        min_value=1,
        max_value=MOST_USES,
        required=False,
        allow_null=True,
        help_text="Number of downloads that may be started; default: any number.",
    )


class CollectLinkShape(serializers.Serializer[Any]):
    """A link under which results are collected without signing in. `address` is secret: it is only shown to
    the side that made the link, and null if it cannot be shown any more."""

    id = serializers.UUIDField()
    result = serializers.UUIDField(source="hand_off_id")
    path = serializers.CharField(help_text="Path of the file. Empty: all files.")
    label = serializers.CharField()  # type: ignore[assignment]
    address = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.name")
    is_delivery = serializers.BooleanField(
        help_text="Whether a recipient of the results made the link, so that what is downloaded by it "
        "counts as delivered."
    )
    is_of_host = serializers.BooleanField(help_text="Whether a manager of the host made the link.")
    created_at = Instant()
    expires_at = Instant()
    uses_left = serializers.IntegerField(allow_null=True)
    first_used_at = Instant(allow_null=True)
    revoked_at = Instant(allow_null=True)
    version = serializers.IntegerField()

    def get_address(self, row: CollectLink) -> str | None:
        is_shown = row.revoked_at is None and row.is_shown  # type: ignore[attr-defined]
        return (collecting.collect_address(row) if is_shown else "") or None


class CollectLinks(Resource):
    for_persons = True
    at, key, name, many, tag = "result-links/", "link_id", "result_link", "result_links", "results"
    shape, needs_person, write_scope, page_at = CollectLinkShape, True, "book", "results/links/"

    def visible(self, pk: UUID) -> CollectLink:
        return visible(collecting.links_for(self.actor), pk=pk)

    @lists(_("Links to results"), LinkQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[CollectLink]:
        """Return the links to results that you collect or deliver, the newest first."""
        rows = collecting.links_for(self.actor)
        return rows.filter(hand_off=query["result"]) if query.get("result") else rows

    @creates(_("Create a link to results"), LinkBody, refuses=[403, 404, 409])
    def make(self, data: dict[str, Any]) -> UUID:
        """Create a link for somebody without an account. Whoever has it can collect the results until it
        expires."""
        return link_make(
            self.by,
            hand_off_id=data["result"],
            file_id=data.get("file"),
            label=data["label"],
            expires_at=data["expires_at"],
            uses=data.get("uses"),
        ).pk

    @reads(_("A link to results"))
    def detail(self, pk: UUID) -> None:
        """Return a link as it is now."""

    @OnPage(
        "bookings:result",
        _("Revoke"),
        _("The link no longer works."),
        _("Revoke this link? It stops working at once, for downloads under way too."),
        of="hand_off_id",
        part="#collect",
    )
    @removes(_("Revoke a link to results"))
    def revoke(self, pk: UUID) -> None:
        """Revoke a link. It stops working at once; running downloads end within a second."""
        link_revoke(self.by, link_id=pk)


class ReceiptShape(serializers.Serializer[Any]):
    """A receipt for results given to `person`, or to whoever used the `link` that `link_by` made. `way`:
    `streamed` by the platform, with the number of bytes taken in all (`reached`) and, if everything was
    taken, when; `handed_out` to a file server, which does not report how much was taken; `confirmed` by the
    person."""

    id = serializers.UUIDField()
    path = serializers.CharField(help_text="Path of the file. Empty: all files.")
    person = PersonShape(source="user", allow_null=True)
    user = serializers.CharField(
        source="user.name", default=None, allow_null=True, style=replaced_by("person")
    )
    link = serializers.CharField(source="link.label", default=None, allow_null=True)
    link_by = serializers.CharField(source="link.created_by.name", default=None, allow_null=True)
    is_delivery = serializers.BooleanField(
        help_text="False if the host downloaded its own results, signed in or by a link of its own."
    )
    is_of_host = serializers.BooleanField(
        help_text="Whether a manager of the host downloaded it, signed in or by a link of the host."
    )
    way = serializers.ChoiceField(Receipt.Way.choices)
    size = serializers.IntegerField()
    reached = serializers.IntegerField()
    started_at = Instant()
    completed_at = Instant(allow_null=True)


class KeepBody(Shape):
    days = Whole(min_value=1, max_value=MOST_KEEP_DAYS)
    reason = Text(500, default="", allow_blank=True)


class KeepRequestShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    result = serializers.UUIDField(source="hand_off_id")
    days = serializers.IntegerField()
    reason = serializers.CharField()
    state = serializers.ChoiceField(KeepRequest.State.choices)
    asked_at = Instant()
    decided_at = Instant(allow_null=True)


class Collecting(Resource):
    at, key, name, many, tag = "results/", "hand_off_id", "result", "results_collecting", "results"
    shape, needs_person, order = ReceiptShape, True, ("-started_at", "-id")

    def visible(self, pk: UUID) -> Any:
        return hand_off_by_id(self.actor, pk)

    @parts(_("Receipts of results"), ReceiptShape)
    def receipts(self, pk: UUID, query: dict[str, Any]) -> QuerySet[Receipt]:
        """Return the receipts of a delivery, which say who took which results, and whether completely; the
        newest first."""
        return collecting.receipts_of(self.visible(pk))

    @OnPage(
        "bookings:result",
        done=_("Confirmed. Thank you."),
        form=ConfirmForm,
        name="confirm_form",
        part="#collect",
    )
    @acts(
        _("Confirm results"),
        ManifestBody,
        gives=ReceiptShape,
        scope="book",
        versioned=False,
        refuses=[403, 404, 409],
    )
    def confirm(self, pk: UUID, data: dict[str, Any]) -> Receipt:
        """Confirm, as a recipient, that everything was received and matches the manifest."""
        return receipt_confirm(self.by, hand_off_id=pk, **data)

    @acts(_("Keep results longer"), KeepBody, status=204, refuses=[403, 404, 409])
    def keep(self, pk: UUID, data: dict[str, Any]) -> None:
        """Keep results longer, as a manager of the host; this also grants an open request."""
        results_keep(self.by, hand_off_id=pk, **data)

    @acts(
        _("Ask to keep results longer"),
        KeepBody,
        below="keep-requests",
        gives=KeepRequestShape,
        status=201,
        scope="book",
        versioned=False,
        refuses=[403, 404, 409],
    )
    def ask(self, pk: UUID, data: dict[str, Any]) -> KeepRequest:
        """Ask the host, as a recipient, to keep the results longer."""
        return keep_ask(self.by, hand_off_id=pk, **data)

    @OnPage(
        "bookings:result",
        done=_("They are kept until the hold is lifted."),
        form=HoldForm,
        name="hold_form",
        part="#collect",
    )
    @acts(
        _("Place a legal hold on results"), ReasonBody, status=204, versioned=False, refuses=[403, 404, 409]
    )
    def hold(self, pk: UUID, data: dict[str, Any]) -> None:
        """Place a legal hold: results are not deleted until it is lifted. The host, auditors of either region
        and administrators may do this."""
        hold_place(self.by, hand_off_id=pk, reason=data["reason"])

    @OnPage(
        "bookings:result",
        _("Lift the hold"),
        _("The hold is lifted."),
        part="#collect",
        below="lift",
        offered=lambda by, hand_off: collecting.may_lift(by.actor, hand_off),
    )
    @removes(_("Lift the legal hold"), below="hold", versioned=False, refuses=[403, 404, 409])
    def lift(self, pk: UUID) -> None:
        """Lift a legal hold. The person who placed it, auditors and administrators may do this. The results
        are then kept for at least another week."""
        hold_lift(self.by, hand_off_id=pk)


class DecisionBody(Shape):
    grant = Flag()


class KeepRequests(Resource):
    at, key, name, many = "result-keep-requests/", "request_id", "keep_request", "keep_requests"
    tag, shape, needs_person, order = "results", KeepRequestShape, True, ("-asked_at", "-id")

    def visible(self, pk: UUID) -> KeepRequest:
        return visible(collecting.keep_requests_for(self.actor), pk=pk)

    @lists(_("Requests to keep results longer"))
    def rows(self, query: dict[str, Any]) -> QuerySet[KeepRequest]:
        """Return the requests to keep results of bookings that you may see, the newest first."""
        return collecting.keep_requests_for(self.actor)

    @acts(_("Decide on a request to keep results"), DecisionBody, versioned=False)
    def decide(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Grant or decline a request to keep results longer. Only the host's managers may do this."""
        return keep_decide(self.by, request_id=pk, **data).pk
