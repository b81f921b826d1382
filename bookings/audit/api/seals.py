"""Seals over the trail, proofs and bundles."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.resource import Resource, creates, reads
from accounts.api.schema import operation, page
from accounts.api.shapes import Instant, Nothing, Query, Shape, Text, checked, query_values
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.selectors.seals import bundle_lines, proof_of, seal_json, seals, seals_like
from accounts.services.seals import trail_seal_now
from bookings.audit.models import TrailBundle
from bookings.audit.selectors.bundles import bundle_for
from bookings.audit.selectors.trail import entry_for
from bookings.audit.services.bundles import bundle_ask, bundle_open, bundle_start
from bookings.record.api.files import FileEndpoint

JSON_LINES = "application/jsonl"


class SealShape(serializers.Serializer[Any]):
    """A seal. `digest` is SHA-256 over the canonical JSON of the other fields, `previous` the digest of the
    seal before, `root` that of a Merkle tree (RFC 9162) over the digests of its entries."""

    number = serializers.IntegerField()
    at = serializers.CharField(help_text="An RFC 3339 instant in UTC with microseconds.")
    count = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]
    previous = serializers.CharField(allow_null=True)
    digest = serializers.CharField()


class MadeSealsShape(serializers.Serializer[Any]):
    seals = SealShape(many=True)


class TextShape(serializers.Serializer[Any]):
    salt = serializers.CharField()
    content = serializers.DictField()


class ProofShape(serializers.Serializer[Any]):
    """A proof that `verify_bundle.py` checks without the platform: the entry as it is digested, the path to
    the root of its seal, and the seal. `text` is the entry's free text, unless erased."""

    format = serializers.CharField()
    kind = serializers.CharField()
    version = serializers.IntegerField()
    entry = serializers.DictField()
    text = TextShape(allow_null=True)
    digest = serializers.CharField()
    position = serializers.IntegerField()
    path = serializers.ListField(child=serializers.CharField())
    seal = SealShape()


class SealsQuery(Pages):
    """A query for a page of seals, or for the one that somebody holds."""

    seal = Text(
        80,
        required=False,
        help_text="`NUMBER:DIGEST` as sent by e-mail. The answer contains that seal; if it is empty, "
        "the seal is not in this chain: history was rewritten.",
    )


class BundleQuery(Query):
    def get_fields(self) -> Any:
        return {"from": Instant(required=False), "until": Instant(required=False), **super().get_fields()}


class Seals(Endpoint):
    needs_person = True

    @operation("trail_seals", _("Seals"), tag="trail", query=SealsQuery, gives=page(SealShape))
    def get(self, request: Request) -> Response:
        """List the seals, newest first. Keep a digest elsewhere: what it covers can then not be rewritten
        unnoticed."""
        query = query_values(SealsQuery, request.query_params)
        if text := query.get("seal"):
            rows = seals().filter(pk__in=[seal.pk for seal in seals_like(text)])
        else:
            rows = seals()
        return paginated(request, rows, query, ("-number",), lambda page: [seal_json(row) for row in page])

    @operation(
        "trail_seal",
        _("Seal unsealed entries"),
        tag="trail",
        takes=Nothing,
        gives=MadeSealsShape,
        status=201,
        once=True,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Seal the trail. Auditors may do this; a job does so every few minutes. The answer is empty if there
        was nothing to seal."""
        checked(Nothing, request.data)

        def seal() -> Response:
            new = trail_seal_now(By(self.actor, self.now))
            return Response({"seals": [seal_json(each) for each in new]}, status=201)

        return self.once(seal)


class Proof(Endpoint):
    only_reads = True
    needs_person = True

    @operation("trail_proof", _("Proof of an entry"), tag="trail", gives=ProofShape, refuses=[404, 409])
    def get(self, request: Request, entry_id: UUID) -> Response:
        """Return the proof of an entry you may read; 409 (`not-sealed`) until the next seal."""
        proof = proof_of(entry_for(self.actor, entry_id))
        if proof is None:
            raise WrongState("not-sealed")
        return Response(proof)


def span_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return the start and the end of a span, None where not given; raise `Invalid` if it does not end after
    it starts."""
    since, until = data.get("from"), data.get("until")
    if since is not None and until is not None and until <= since:
        raise invalid("until", "not-after-start")
    return {"since": since, "until": until}


class Bundle(FileEndpoint):
    @operation(
        "trail_bundle",
        _("The trail as a bundle to verify elsewhere"),
        tag="trail",
        query=BundleQuery,
        gives=OpenApiTypes.BINARY,
        media=JSON_LINES,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Return the entries of the trail from one instant until before another, widened to whole seals, as
        JSON Lines. Only auditors may read this. Entries outside your regions appear only as digests."""
        span = span_of(query_values(BundleQuery, request.query_params))
        part = bundle_ask(By(self.actor, self.now), **span)
        lines = bundle_lines(part, site=settings.SITE_URL, now=self.now)
        answer = StreamingHttpResponse(lines, content_type=JSON_LINES)
        answer["Content-Disposition"] = 'attachment; filename="trail.jsonl"'
        return answer


class BundleShape(serializers.Serializer[Any]):
    """A bundle that a worker writes: fetch `file/` once it is `done`."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(TrailBundle.State.choices)
    entries_done = serializers.IntegerField()
    entries_total = serializers.IntegerField()
    created_at = Instant()


class BundleBody(Shape):
    def get_fields(self) -> Any:
        return {
            "from": Instant(required=False, allow_null=True),
            "until": Instant(required=False, allow_null=True),
            **super().get_fields(),
        }


class Bundles(Resource):
    at, key, tag, needs_person = "trail/bundles/", "bundle_id", "trail", True
    name, many, shape = "trail_bundle_one", "trail_bundles", BundleShape

    def visible(self, pk: UUID) -> TrailBundle:
        return bundle_for(self.actor, pk)

    @creates(_("Start a bundle"), BundleBody, named="trail_bundle_start", status=202, refuses=[409])
    def start(self, data: dict[str, Any]) -> TrailBundle:
        """Request a large bundle, as an auditor: a worker writes it, compressed, and keeps it for a week."""
        return bundle_start(self.by, **span_of(data))

    @reads(_("Progress of a bundle"))
    def detail(self, pk: UUID) -> None:
        """Return the progress of your own bundle."""


class BundleFile(FileEndpoint):
    @operation(
        "trail_bundle_file",
        _("Download a bundle"),
        tag="trail",
        gives=OpenApiTypes.BINARY,
        media="application/gzip",
        refuses=[404, 409],
    )
    def get(self, request: Request, bundle_id: UUID) -> HttpResponseBase:
        """Return the finished file: JSON Lines, compressed."""
        row = bundle_for(self.actor, bundle_id)
        return FileResponse(
            bundle_open(row),
            as_attachment=True,
            filename=f"trail-{row.pk}.jsonl.gz",
            content_type="application/gzip",
        )
