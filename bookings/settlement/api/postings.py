"""Postings of the ledger, and their sums."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import Resource
from accounts.api.schema import operation
from accounts.api.shapes import Instant, Money, amount, query_values, replaced_by
from bookings.charging.models import LedgerEntry, Posting
from bookings.record.api.lists import answered, listed, narrowing_of
from bookings.settlement.selectors import postings

TAG = "money"


class PostingShape(serializers.Serializer[Any]):
    """A posting: a signed amount on an account, debits above 0 and credits below. `charge`, `statement` and
    `payment` are null for who may not read them. A payment between regions has no host and no payer."""

    id = serializers.CharField()
    entry = serializers.UUIDField(source="entry_id", help_text="Postings of one entry sum to zero.")
    at = Instant(source="entry.at")
    kind = serializers.ChoiceField(LedgerEntry.Kind.choices, source="entry.kind")
    account = serializers.ChoiceField(Posting.Account.choices)
    host = serializers.CharField(allow_null=True, source="host.code", default=None)
    payer = serializers.CharField(
        allow_null=True, source="payer.code", default=None, style=replaced_by("payer_id", "payer_code")
    )
    payer_id = serializers.UUIDField(allow_null=True, default=None)
    payer_code = serializers.CharField(allow_null=True, source="payer.code", default=None)
    host_region = serializers.CharField(source="host_region.code")
    payer_region = serializers.CharField(source="payer_region.code")
    charge = serializers.UUIDField(allow_null=True, source="seen_charge")
    statement = serializers.UUIDField(allow_null=True, source="seen_statement")
    payment = serializers.UUIDField(allow_null=True, source="seen_payment")
    settlement = serializers.UUIDField(allow_null=True, source="seen_settlement")
    amount = Money()


class PostingSumShape(serializers.Serializer[Any]):
    """Postings of an account in one currency, added up."""

    currency = serializers.CharField()
    account = serializers.ChoiceField(Posting.Account.choices)
    postings = serializers.IntegerField(source="number", help_text="Number of postings.")
    amount = Money()


class PostingSumsShape(serializers.Serializer[Any]):
    rows = PostingSumShape(many=True)


class PostingSumsQuery(narrowing_of(postings.POSTINGS)):  # type: ignore[misc]
    sort = None


class Postings(Resource):
    at, tag, name, many = "postings/", TAG, "posting", "postings"
    shape, order = PostingShape, ("-id",)
    needs_person = True

    @listed(_("Postings of the ledger"), postings.POSTINGS)
    def rows(self, query: dict[str, Any]) -> QuerySet[Posting]:
        """Return the postings that you may see, the latest first: as finance or manager those of your
        organisation, as auditor those of your regions, as coordinator those between your region and others
        for vouchers. Filters narrow them to what a balance consists of."""
        return postings.postings_for(self.actor)

    def prepared(self, rows: list[Any]) -> list[Any]:
        """Add to each posting what the actor may read of what is behind it. One statement."""
        return postings.with_references(self.actor, rows)


class PostingSums(Endpoint):
    only_reads = True
    needs_person = True

    @operation("postingSums", _("Sums of postings"), tag=TAG, query=PostingSumsQuery, gives=PostingSumsShape)
    def get(self, request: Request) -> Response:
        """Return the postings that you may see, filtered as the list is, added up by currency and account:
        what is open on a statement, for example, with `statement` and `account=receivable`."""
        query = query_values(PostingSumsQuery, request.query_params)
        rows, _seen, _order = answered(self, postings.POSTINGS, postings.postings_for(self.actor), query, ())
        return Response(
            {
                "rows": [
                    {
                        "currency": one.currency,
                        "account": one.account,
                        "postings": one.number,
                        "amount": amount(one.amount, one.currency),
                    }
                    for one in postings.sums_of_postings(rows, self.actor)
                ]
            }
        )
