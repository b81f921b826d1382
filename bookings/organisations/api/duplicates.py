"""Records that look like the same instrument."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import Resource, creates, lists, rendered
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Instant, Shape, Text
from accounts.domain.errors import NotPermitted, invalid
from bookings.organisations.services.duplicates import duplicates_merge
from instruments.managing.models import DuplicateVerdict
from instruments.managing.selectors.duplicates import SETTLE, load_likely_duplicates, verdicts_for
from instruments.managing.services.duplicates import duplicates_keep
from instruments.register.models import Instrument


class AlikeShape(serializers.Serializer[Any]):
    """One of the two records of a pair."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    host = serializers.CharField(source="organisation.code")
    publication = serializers.ChoiceField(Instrument.Publication.choices)


class PairShape(serializers.Serializer[Any]):
    """Two records, and the reasons why they look alike."""

    first = AlikeShape()
    second = AlikeShape()
    reasons = serializers.ListField(child=serializers.CharField())
    may_merge = serializers.BooleanField()
    limited = serializers.IntegerField(
        help_text="How many people hold a role limited to one of them, which does not pass to another host."
    )


class PairsShape(serializers.Serializer[Any]):
    results = PairShape(many=True)


class VerdictShape(serializers.Serializer[Any]):
    """A verdict on two records, with who decided and why."""

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
    """The two records, and the verdict."""

    first = serializers.UUIDField()
    second = serializers.UUIDField()
    verdict = Choice(DuplicateVerdict.Verdict.choices)
    keeper = serializers.UUIDField(required=False, help_text="With `merged`: the record to keep.")
    note = Text(500)


class Duplicates(Endpoint):
    needs_person = True

    @operation("duplicates", _("Likely duplicates"), tag="instruments", gives=PairsShape, refuses=[403])
    def get(self, request: Request) -> Response:
        """Return the pairs of records that nobody has decided on yet: with the same serial number; the same
        inventory number of one host; or the same maker and model at the same site. For managers of the hosts
        and coordinators of their regions; at most 200 pairs."""
        _require_say(self)
        pairs = load_likely_duplicates(self.actor)
        return Response(rendered(PairsShape, {"results": pairs}))


class DuplicateVerdicts(Resource):
    at, tag = "duplicates/verdicts/", "instruments"
    name, many = "duplicate", "duplicate_verdicts"
    shape, order = VerdictShape, ("-decided_at", "-id")
    needs_person = True

    @lists(_("Decisions on likely duplicates"))
    def rows(self, query: dict[str, Any]) -> QuerySet[DuplicateVerdict]:
        """Return the decisions on likely duplicates, the newest first."""
        _require_say(self)
        return verdicts_for(self.actor)

    @creates(
        _("Decide about two records"),
        VerdictBody,
        named="_decide",
        gives=VerdictShape,
        refuses=[404, 422],
        sends={
            "first": "0197a1de-0000-7000-8000-000000000001",
            "second": "0197a1de-0000-7000-8000-000000000002",
            "verdict": "merged",
            "keeper": "0197a1de-0000-7000-8000-000000000001",
            "note": "Entered twice.",
        },
    )
    def decide(self, data: dict[str, Any]) -> DuplicateVerdict:
        """Decide on two records. `kept`: they describe two instruments; the decision of one host is enough.
        `merged`: the keeper takes over what only the other record has; the other is retired and redirects to
        it. 422 `still-booked` while the other has bookings that are not over."""
        ids, note = [data["first"], data["second"]], data["note"]
        keeper: Any = data.get("keeper")
        is_merge = data["verdict"] == "merged"
        if is_merge and keeper is None:
            raise invalid("keeper", "required")
        if keeper is not None and (not is_merge or keeper not in ids):
            raise invalid("keeper", "unknown-value")
        if not is_merge:
            return duplicates_keep(self.by, instrument_ids=ids, note=note)
        loser = ids[1] if keeper == ids[0] else ids[0]
        return duplicates_merge(self.by, keeper_id=keeper, loser_id=loser, note=note)


def _require_say(endpoint: Endpoint) -> None:
    actor = endpoint.actor
    if not (actor.organisations_where(SETTLE) or actor.regions_where(SETTLE)):
        raise NotPermitted(capability=SETTLE)
