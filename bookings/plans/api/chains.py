"""Chains: steps on different instruments, found and booked together."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api import shapes
from accounts.api.resource import OnPage, Resource, acts, creates, reads, rendered, tells
from accounts.api.schema import PeriodShape
from bookings.availability.domain.times_of_day import times_of_day
from bookings.catalogue.api import asking
from bookings.plans.domain.chains import LONGEST_GAP, MOST_STEPS
from bookings.plans.selectors import chains
from bookings.plans.services.chains import chain_book, chain_cancel
from bookings.record.api.shapes import IdOf
from bookings.record.domain.steps import Gap, gaps_from_json
from bookings.reserving.api.reservations import PurposeBody, ReservationShape, prepared, with_all
from bookings.reserving.forms.reservations import ReasonForm
from bookings.reserving.models import Chain
from instruments.register.models import Instrument


def _sums(sums: dict[str, Decimal]) -> list[dict[str, str]]:
    return [shapes.amount(value, currency) for currency, value in sorted(sums.items())]


Sums = shapes.shown_by(_sums, shapes.Money(many=True))


# Answers


class StageShape(PeriodShape):
    """A step with its time and its price."""

    start = shapes.Instant(source="period.start")
    end = shapes.Instant(source="period.end")
    instrument = serializers.UUIDField(source="instrument.pk")
    total = shapes.Money(allow_null=True, source="quote.total", currency="quote.currency")
    payable = shapes.Money(
        allow_null=True,
        source="quote.payable",
        currency="quote.currency",
        help_text="After vouchers, allowing for the steps before it.",
    )


class ProposalShape(serializers.Serializer[Any]):
    """One way to schedule all steps."""

    steps = StageShape(many=True, source="stages")
    totals = Sums(help_text="Totals by currency.")
    payables = Sums(help_text="Totals after vouchers, by currency.")


class ProposalsShape(serializers.Serializer[Any]):
    """The first few ways to schedule all steps, one for each start of the first step. If there are none,
    `starts` shows which step has no possible start."""

    proposals = ProposalShape(many=True, source="ways")
    starts = serializers.ListField(
        child=serializers.IntegerField(), help_text="Number of free times for each step on its own."
    )


class GapShape(serializers.Serializer[Any]):
    """The pause before a step, in minutes."""

    least = serializers.IntegerField()
    most = serializers.IntegerField(allow_null=True)


class ChainShape(serializers.Serializer[Any]):
    """A chain: steps that were booked together. A host sees those on its own instruments."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(
        source="organisation.code", help_text="Code of the paying organisation."
    )
    gaps = GapShape(many=True, source="pauses", help_text="Pauses before the second and each later step.")
    reservations = ReservationShape(many=True, source="bookings")
    version = serializers.IntegerField()


class ChainCancellationShape(serializers.Serializer[Any]):
    """The cost of cancelling all steps that are left, by currency; the tax is on the fee."""

    reservations = serializers.ListField(child=IdOf())
    fees = Sums()
    taxes = Sums()


# Requests


class StepBody(asking.AcceptingBody):
    """One step of a chain. The pauses are those before it; they are ignored for the first step."""

    instrument = serializers.UUIDField()
    minutes = shapes.Whole(min_value=1, max_value=44_640)
    service_mode = shapes.Choice(Instrument.ServiceMode.choices)
    gap_min = shapes.Whole(min_value=0, max_value=LONGEST_GAP, default=0)
    gap_max = shapes.Whole(
        min_value=0, max_value=LONGEST_GAP, required=False, allow_null=True, help_text="Default: no limit."
    )
    options = shapes.ObjectOf(
        child=shapes.Number(10, 4, min_value=0, max_value=10**6),
        required=False,
        help_text="Quantities of the rate card's options, by code.",
    )
    samples = asking.Samples(required=False)


class ChainBody(asking.FundingBody):
    """Two to five steps, each on a different instrument, within a window."""

    steps = StepBody(many=True)
    organisation = shapes.Text(40, required=False, help_text="Who pays: a code. Your only one, unless named.")
    purpose = PurposeBody()
    earliest = shapes.Instant()
    latest = shapes.Instant(help_text="Latest end of the last step.")
    hours_from = shapes.TimeOfDay(
        required=False,
        allow_null=True,
        help_text="Earliest time of day at which a step may begin, in its instrument's time zone. "
        "Without `hours_from` and `hours_until`, usual working hours are preferred.",
    )
    hours_until = shapes.TimeOfDay(
        required=False,
        allow_null=True,
        help_text="Time of day by which a step must end; if not after `hours_from`, on the next day.",
    )
    starts = shapes.ListOf(
        child=shapes.Instant(),
        required=False,
        max_length=MOST_STEPS,
        help_text="One start for each step; default: the first proposal.",
    )
    dry_run = shapes.Flag(default=False, help_text="Only return the first few proposals; nothing is booked.")


def steps_of_body(data: list[dict[str, Any]]) -> list[chains.StepWish]:
    steps = []
    for item in data:
        quantity, samples = asking.samples_of(item)
        steps.append(
            chains.StepWish(
                instrument_id=item["instrument"],
                minutes=item["minutes"],
                service_mode=item["service_mode"],
                gap=Gap(item["gap_min"], item.get("gap_max")),
                options=item.get("options", {}),
                quantity=quantity,
                samples=samples,
                house_rules=item.get("house_rules"),
            )
        )
    return steps


class Chains(Resource):
    at, key, name, many, tag = "chains/", "chain_id", "chain", "chains", "reservations"
    shape, write_scope, needs_person = ChainShape, "book", True

    def visible(self, pk: UUID) -> Chain:
        return chains.chain_for(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.pauses = gaps_from_json(row.gaps)
            row.bookings = prepared(with_all(chains.steps_of(self.actor, row)), self.actor, self.now)
        return rows

    @creates(
        _("Book steps on several instruments"),
        ChainBody,
        also={200: ProposalsShape},
        refuses=[404, 409, 422],
        sends={
            "steps": [
                {
                    "instrument": "0197a1de-0000-7000-8000-000000000002",
                    "minutes": 120,
                    "service_mode": "assisted",
                },
                {
                    "instrument": "0197a1de-0000-7000-8000-000000000003",
                    "minutes": 240,
                    "service_mode": "self",
                    "gap_min": 30,
                    "gap_max": 1440,
                },
            ],
            "organisation": "wusong-tech",
            "purpose": {"code": "research", "text": ""},
            "earliest": "2026-03-09T00:00:00+08:00",
            "latest": "2026-03-14T00:00:00+08:00",
        },
    )
    def create(self, data: dict[str, Any]) -> Chain | Response | None:
        """Book all steps or none, in their order, with the pauses between them. With `dry_run` 200 and the
        first few ways that do not overlap in their first step; those in usual working hours, or at the given
        times of day, come first, and each start of the first step has only the way that ends soonest.
        Otherwise 201: booked at `starts`, or in the first of these ways. 409 `no-chain` if there is none; a
        refusal names its step with `booking`, counted from 0."""
        within = asking.period_of(data, "earliest", "latest")
        steps = steps_of_body(data["steps"])
        organisation = data.get("organisation")
        lengths = [step.minutes for step in steps]
        times = times_of_day(data.get("hours_from"), data.get("hours_until"), lengths)
        if data["dry_run"]:
            proposals = chains.load_chains(self.actor, organisation, steps, within, self.now, times=times)
            return Response(rendered(ProposalsShape, proposals))
        return chain_book(
            self.by,
            steps=steps,
            organisation=organisation,
            purpose=data["purpose"]["code"],
            purpose_text=data["purpose"]["text"],
            within=within,
            starts=data.get("starts"),
            times=times,
            funding=asking.shares_or_default(data),
        )

    @reads(_("A chain"))
    def detail(self, pk: UUID) -> None:
        """Return a chain with its steps, in their order."""

    @tells(
        _("Cost of cancelling a chain now"),
        ChainCancellationShape,
        below="cancel",
        named="_cancellation",
        refuses=[404, 409],
    )
    def cancellation(self, pk: UUID) -> dict[str, Any]:
        """Return what cancelling the steps that are left costs, added up. 409 if none is left."""
        costs = chains.load_chain_cancellation(self.actor, pk, self.now)
        return {
            "reservations": costs.reservations,
            "fees": {currency: fee for currency, (fee, _tax) in costs.sums.items()},
            "taxes": {currency: tax for currency, (_fee, tax) in costs.sums.items()},
        }

    @OnPage("bookings:chain", done=_("Cancelled."), form=ReasonForm, name="reason_form")
    @acts(_("Cancel the remaining steps of a chain"), shapes.ReasonBody, refuses=[404, 409, 422])
    def cancel(self, pk: UUID, data: dict[str, Any]) -> Chain:
        """Cancel all steps of a chain or none, each by the rules for cancelling a booking. A host's manager
        cancels the steps on its own instruments, with a reason."""
        return chain_cancel(self.by, chain_id=pk, **data)
