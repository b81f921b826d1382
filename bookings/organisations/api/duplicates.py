"""Records that look like the same instrument."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Choice, Instant, Shape, Text, asked, checked
from accounts.domain.errors import NotPermitted, invalid
from bookings.organisations.services.duplicates import duplicates_merge
from instruments.models import DuplicateVerdict, Instrument
from instruments.selectors.duplicates import SETTLE, load_likely_duplicates, verdicts_for
from instruments.selectors.registry import instrument_by_id
from instruments.services.duplicates import duplicates_keep


class AlikeShape(serializers.Serializer[Any]):
    """One of two records."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    host = serializers.CharField(source="organisation.code")
    publication = serializers.ChoiceField(Instrument.Publication.choices)


class PairShape(serializers.Serializer[Any]):
    """Two records, and why they look alike."""

    first = AlikeShape()
    second = AlikeShape()
    reasons = serializers.ListField(child=serializers.CharField())
    may_merge = serializers.BooleanField()


class PairsShape(serializers.Serializer[Any]):
    results = PairShape(many=True)


class VerdictShape(serializers.Serializer[Any]):
    """What was decided, by whom, and why."""

    id = serializers.UUIDField()
    first = AlikeShape()
    second = AlikeShape()
    verdict = serializers.ChoiceField(DuplicateVerdict.Verdict.choices)
    keeper = serializers.UUIDField(source="keeper_id", allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()
    decided_by = serializers.CharField()
    decided_at = Instant()


class VerdictBody(Shape):
    """Which two, and what becomes of them."""

    first = serializers.UUIDField()
    second = serializers.UUIDField()
    verdict = Choice(DuplicateVerdict.Verdict.choices)
    keeper = serializers.UUIDField(required=False, help_text="Of `merged`: which of the two.")
    note = Text(500)


class Duplicates(Endpoint):
    needs_person = True

    @operation(
        "duplicates", _("Likely duplicates"), tag="instruments", gives=PairsShape, refuses=[403]
    )
    def get(self, request: Request) -> Response:
        """Pairs nobody has decided: the same serial number; the same inventory number of one
        host; the same maker and model at the same site. For managers of the hosts and
        coordinators of their regions; 200 pairs at most."""
        _require_say(self)
        pairs = load_likely_duplicates(self.actor)
        return Response(PairsShape({"results": pairs}).data)


class DuplicateVerdicts(Endpoint):
    needs_person = True

    @operation(
        "duplicate_verdicts",
        _("Decisions on likely duplicates"),
        tag="instruments",
        query=Pages,
        gives=page(VerdictShape),
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        _require_say(self)
        return paginated(
            request,
            verdicts_for(self.actor),
            asked(Pages, request.query_params),
            ("-decided_at", "-id"),
            lambda rows: VerdictShape(rows, many=True).data,
        )

    @operation(
        "duplicate_decide",
        _("Decide about two records"),
        tag="instruments",
        takes=VerdictBody,
        gives=VerdictShape,
        status=201,
        refuses=[404, 422],
        once=True,
        sends={
            "first": "0197a1de-0000-7000-8000-000000000001",
            "second": "0197a1de-0000-7000-8000-000000000002",
            "verdict": "merged",
            "keeper": "0197a1de-0000-7000-8000-000000000001",
            "note": "Entered twice.",
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """`kept`: they are two, which a say over one of them decides. `merged`: the keeper takes
        in what only the other knows; the other is retired and leads to it. 422 `still-booked`
        while the other has bookings that are not over."""
        data = checked(VerdictBody, request.data)
        ids = [data["first"], data["second"]]
        is_merge = data["verdict"] == "merged"
        if is_merge and "keeper" not in data:
            raise invalid("keeper", "required")
        if "keeper" in data and (not is_merge or data["keeper"] not in ids):
            raise invalid("keeper", "unknown-value")

        def decide() -> Response:
            for instrument_id in ids:
                instrument_by_id(self.actor, instrument_id)
            if is_merge:
                loser = ids[1] if data["keeper"] == ids[0] else ids[0]
                made = duplicates_merge(
                    actor=self.actor,
                    keeper_id=data["keeper"],
                    loser_id=loser,
                    note=data["note"],
                    now=self.now,
                )
            else:
                made = duplicates_keep(
                    actor=self.actor, instrument_ids=ids, note=data["note"], now=self.now
                )
            return Response(VerdictShape(made).data, status=201)

        return self.once(decide)


def _require_say(endpoint: Endpoint) -> None:
    actor = endpoint.actor
    if not (actor.organisations_where(SETTLE) or actor.regions_where(SETTLE)):
        raise NotPermitted(capability=SETTLE)
