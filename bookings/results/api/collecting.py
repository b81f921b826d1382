"""Collecting results: files, packages, links, receipts, and how long they are kept."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request as ApiRequest

from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, creates, lists, parts, reads, removes
from accounts.api.schema import operation
from accounts.api.shapes import Flag, Instant, ReasonBody, Shape, Text, Whole
from accounts.selectors.rows import visible
from bookings.record.api.files import FileEndpoint
from bookings.results.domain.handoffs import MOST_KEEP_DAYS
from bookings.results.domain.retention import MOST_USES
from bookings.results.models import CollectLink, KeepRequest, Receipt
from bookings.results.selectors.collecting import (
    collect_address,
    file_to_read,
    hand_off_to_read,
    keep_requests_for,
    links_for,
    receipts_of,
)
from bookings.results.selectors.handoffs import hand_off_by_id
from bookings.results.services.collecting import link_make, link_revoke, receipt_confirm
from bookings.results.services.delivering import Answer, Request, file_deliver, package_deliver
from bookings.results.services.retention import (
    hold_lift,
    hold_place,
    keep_ask,
    keep_decide,
    results_keep,
)

ZIP = "application/octet-stream"


def _given(answer: Answer) -> HttpResponseBase:
    if answer.content:
        return StreamingHttpResponse(answer.content, status=answer.status, headers=answer.headers)
    return HttpResponse(status=answer.status, headers=answer.headers)


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
        """For whom the results are for, and the host. With `Range` a part; what was taken to the
        end is noted as a receipt."""
        hand_off = hand_off_to_read(self.actor, hand_off_id)
        row = file_to_read(hand_off, file_id)
        asked = Request(str(request.method), request.headers, timezone.now)
        return _given(file_deliver(self.by, hand_off=hand_off, file=row, link=None, request=asked))

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
        """A ZIP file: BagIt 1.0 with the results, their checksums, and an RO-Crate 1.2 that
        describes the session. With `Range` a part; the bytes are the same each time."""
        hand_off = hand_off_to_read(self.actor, hand_off_id)
        asked = Request(str(request.method), request.headers, timezone.now)
        return _given(package_deliver(self.by, hand_off=hand_off, link=None, request=asked))

    head = get


class LinkQuery(Pages):
    result = serializers.UUIDField(required=False, help_text="Of this hand-off alone.")


class LinkBody(Shape):
    result = serializers.UUIDField(help_text="The hand-off.")
    file = serializers.UUIDField(required=False, allow_null=True, help_text="One; else all.")
    label = Text(200, help_text="Whom it is for.")  # type: ignore[assignment]
    expires_at = Instant()
    uses = Whole(
        min_value=1,
        max_value=MOST_USES,
        required=False,
        allow_null=True,
        help_text="Downloads that may begin; any number unless given.",
    )


class CollectLinkShape(serializers.Serializer[Any]):
    """A link under which results are collected without signing in. `address` is secret, and null
    where it cannot be shown any more."""

    id = serializers.UUIDField()
    result = serializers.UUIDField(source="hand_off_id")
    path = serializers.CharField(help_text="Of one file; empty: everything.")
    label = serializers.CharField()  # type: ignore[assignment]
    address = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.name")
    created_at = Instant()
    expires_at = Instant()
    uses_left = serializers.IntegerField(allow_null=True)
    first_used_at = Instant(allow_null=True)
    revoked_at = Instant(allow_null=True)
    version = serializers.IntegerField()

    def get_address(self, row: CollectLink) -> str | None:
        return (collect_address(row) if row.revoked_at is None else "") or None


class CollectLinks(Resource):
    at, key, name, many, tag = "result-links/", "link_id", "result_link", "result_links", "results"
    shape, needs_person, write_scope = CollectLinkShape, True, "book"

    def visible(self, pk: UUID) -> CollectLink:
        return visible(links_for(self.actor), pk=pk)

    @lists(_("Links to results"), LinkQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[CollectLink]:
        """Of results that one collects or hands over; the newest first."""
        rows = links_for(self.actor)
        return rows.filter(hand_off=query["result"]) if query.get("result") else rows

    @creates(_("Create a link to results"), LinkBody, refuses=[403, 404, 409])
    def make(self, data: dict[str, Any]) -> UUID:
        """For somebody without an account. Whoever has it can collect until it ends."""
        return link_make(
            self.by,
            hand_off_id=data["result"],
            file_id=data.get("file"),
            label=data["label"],
            expires_at=data["expires_at"],
            uses=data.get("uses"),
        ).pk

    @reads(_("One link to results"))
    def detail(self, pk: UUID) -> None:
        """As it is now."""

    @removes(_("Revoke a link to results"))
    def revoke(self, pk: UUID) -> None:
        """It stops working at once, for downloads under way within a second."""
        self.meant(pk)
        link_revoke(self.by, link_id=pk)


class ReceiptShape(serializers.Serializer[Any]):
    """What was given out, to `user` or to whoever had the link for `link`. `way`: `streamed` by the
    platform, with how many bytes (`reached`) and, if to the end, when; `handed_out` to a file
    server, which does not say; `confirmed` by the person."""

    id = serializers.UUIDField()
    path = serializers.CharField(help_text="Of a file; empty: everything.")
    user = serializers.CharField(source="user.name", default=None, allow_null=True)
    link = serializers.CharField(source="link.label", default=None, allow_null=True)
    is_delivery = serializers.BooleanField(help_text="Not where the host reads its own.")
    way = serializers.ChoiceField(Receipt.Way.choices)
    size = serializers.IntegerField()
    reached = serializers.IntegerField()
    started_at = Instant()
    completed_at = Instant(allow_null=True)


class ManifestBody(Shape):
    manifest_digest = Text(64)


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
        """What was given out of them, to whom, and whether to the end; the newest first."""
        return receipts_of(self.visible(pk))

    @acts(
        _("Confirm results"),
        ManifestBody,
        gives=ReceiptShape,
        scope="book",
        versioned=False,
        refuses=[403, 404, 409],
    )
    def confirm(self, pk: UUID, data: dict[str, Any]) -> Receipt:
        """As one of those they are for: all was received and compared with the manifest."""
        return receipt_confirm(self.by, hand_off_id=pk, **data)

    @acts(_("Keep results longer"), KeepBody, status=204, refuses=[403, 404, 409])
    def keep(self, pk: UUID, data: dict[str, Any]) -> None:
        """For the host's managers; an open request is granted by this."""
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
        """As one of those they are for; the host decides."""
        return keep_ask(self.by, hand_off_id=pk, **data)

    @acts(
        _("Place a legal hold on results"),
        ReasonBody,
        status=204,
        versioned=False,
        refuses=[403, 404, 409],
    )
    def hold(self, pk: UUID, data: dict[str, Any]) -> None:
        """They are not deleted until it is lifted: for the host, auditors of either region and
        administrators."""
        hold_place(self.by, hand_off_id=pk, reason=data["reason"])

    @removes(_("Lift the legal hold"), below="hold", versioned=False, refuses=[403, 404, 409])
    def lift(self, pk: UUID) -> None:
        """For who placed it, auditors and administrators. At least a week is left then."""
        hold_lift(self.by, hand_off_id=pk)


class DecisionBody(Shape):
    grant = Flag()


class KeepRequests(Resource):
    at, key, name, many = "result-keep-requests/", "request_id", "keep_request", "keep_requests"
    tag, shape, needs_person, order = "results", KeepRequestShape, True, ("-asked_at", "-id")

    def visible(self, pk: UUID) -> KeepRequest:
        return visible(keep_requests_for(self.actor), pk=pk)

    @lists(_("Requests to keep results longer"))
    def rows(self, query: dict[str, Any]) -> QuerySet[KeepRequest]:
        """Of results of bookings that one may see; the newest first."""
        return keep_requests_for(self.actor)

    @acts(_("Decide a request to keep results"), DecisionBody, versioned=False)
    def decide(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """For the host's managers."""
        return keep_decide(self.by, request_id=pk, **data).pk
