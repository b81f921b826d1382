"""Chains: steps on different instruments, found and booked as one."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.resource import Resource, acts, creates, reads, rendered, tells
from accounts.api.schema import PeriodShape
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Money,
    Number,
    ReasonBody,
    Text,
    TimeOfDay,
    Whole,
    amount,
    shown_by,
)
from bookings.availability.domain.times_of_day import times_of_day
from bookings.catalogue.api.asking import FundingBody, Samples, period_of, samples_of, shares_of
from bookings.plans.domain.chains import LONGEST_GAP, MOST_STEPS
from bookings.plans.selectors.chains import (
    StepWish,
    chain_for,
    load_chain_cancellation,
    load_chains,
    steps_of,
)
from bookings.plans.services.chains import chain_book, chain_cancel
from bookings.record.api.shapes import IdOf
from bookings.record.domain.steps import Gap, gaps_from_json
from bookings.reserving.api.reservations import (
    AcceptingBody,
    PurposeBody,
    ReservationShape,
    prepared,
    with_all,
)
from bookings.reserving.models import Chain
from instruments.models import Instrument


def _sums(sums: dict[str, Decimal]) -> list[dict[str, str]]:
    return [amount(value, currency) for currency, value in sorted(sums.items())]


Sums = shown_by(_sums, Money(many=True))


# Answers


class StageShape(PeriodShape):
    """A step with its time and its price."""

    start = Instant(source="period.start")
    end = Instant(source="period.end")
    instrument = serializers.UUIDField(source="instrument.pk")
    total = Money(allow_null=True, source="quote.total", currency="quote.currency")
    payable = Money(
        allow_null=True,
        source="quote.payable",
        currency="quote.currency",
        help_text="After vouchers, with the steps before it counted.",
    )


class ProposalShape(serializers.Serializer[Any]):
    """A way to take all steps."""

    steps = StageShape(many=True, source="stages")
    totals = Sums(help_text="Totals by currency.")
    payables = Sums(help_text="Totals after vouchers, by currency.")


class ProposalsShape(serializers.Serializer[Any]):
    """The first few ways, one for each start of the first step; none: `starts` says where it
    fails."""

    proposals = ProposalShape(many=True, source="ways")
    starts = serializers.ListField(
        child=serializers.IntegerField(), help_text="Number of free times of each step on its own."
    )


class GapShape(serializers.Serializer[Any]):
    """The pause before a step, in minutes."""

    least = serializers.IntegerField()
    most = serializers.IntegerField(allow_null=True)


class ChainShape(serializers.Serializer[Any]):
    """Steps that were booked as one. A host sees those on its own instruments."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code", help_text="The payer.")
    gaps = GapShape(
        many=True, source="pauses", help_text="Pause before the second and each later step."
    )
    reservations = ReservationShape(many=True, source="bookings")
    version = serializers.IntegerField()


class ChainCancellationShape(serializers.Serializer[Any]):
    """What cancelling all that is left would cost, by currency; the tax is on the fee."""

    reservations = serializers.ListField(child=IdOf())
    fees = Sums()
    taxes = Sums()


# Requests


class StepBody(AcceptingBody):
    """One step. The pauses are before it, and say nothing of the first."""

    instrument = serializers.UUIDField()
    minutes = Whole(min_value=1, max_value=44_640)
    service_mode = Choice(Instrument.ServiceMode.choices)
    gap_min = Whole(min_value=0, max_value=LONGEST_GAP, default=0)
    gap_max = Whole(
        min_value=0,
        max_value=LONGEST_GAP,
        required=False,
        allow_null=True,
        help_text="Not named: as long as it takes.",
    )
    options = serializers.DictField(
        child=Number(10, 4, min_value=0, max_value=10**6),
        required=False,
        help_text="Quantities of the rate card's options, by code.",
    )
    samples = Samples(required=False)


class ChainBody(FundingBody):
    """Two to five steps, each on another instrument, between two instants."""

    steps = StepBody(many=True)
    organisation = Text(
        40, required=False, help_text="Who pays: a code. Your only one, unless named."
    )
    purpose = PurposeBody()
    earliest = Instant()
    latest = Instant(help_text="Latest end of the last step.")
    hours_from = TimeOfDay(
        required=False,
        allow_null=True,
        help_text="A step begins no sooner in the day, by its instrument's clock. Neither named: "
        "usual working hours come first.",
    )
    hours_until = TimeOfDay(
        required=False,
        allow_null=True,
        help_text="It is over by then; at or before `hours_from`: on the next day.",
    )
    starts = ListOf(
        child=Instant(),
        required=False,
        max_length=MOST_STEPS,
        help_text="One for each step. Not named: the first way suggested.",
    )
    dry_run = Flag(default=False, help_text="Only find the first few ways.")


def steps_of_body(data: list[dict[str, Any]]) -> list[StepWish]:
    steps = []
    for item in data:
        quantity, samples = samples_of(item)
        steps.append(
            StepWish(
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
        return chain_for(self.actor, pk)

    def prepared(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.pauses = gaps_from_json(row.gaps)
            row.bookings = prepared(with_all(steps_of(self.actor, row)), self.actor, self.now)
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
        """All steps or none, in their order, with the pauses between them. With `dry_run` 200
        and the first few ways, distinct: usual working hours first, or those that were named; for
        each start of the first step that which is over soonest. Else 201: at `starts`, or the first
        of these. 409 `no-chain` if there is none; a refusal
        says with `booking`, from 0, which step it is of."""
        within = period_of(data, "earliest", "latest")
        steps = steps_of_body(data["steps"])
        organisation = data.get("organisation")
        lengths = [step.minutes for step in steps]
        times = times_of_day(data.get("hours_from"), data.get("hours_until"), lengths)
        if data["dry_run"]:
            proposals = load_chains(self.actor, organisation, steps, within, self.now, times=times)
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
            funding=shares_of(data),
        )

    @reads(_("One chain"))
    def detail(self, pk: UUID) -> None:
        """With its steps, in their order."""

    @tells(
        _("What cancelling the chain now would cost"),
        ChainCancellationShape,
        below="cancel",
        named="_cancellation",
        refuses=[404, 409],
    )
    def cancellation(self, pk: UUID) -> dict[str, Any]:
        """The fees of all steps that are left, added up. 409 if none is."""
        costs = load_chain_cancellation(self.actor, pk, self.now)
        return {
            "reservations": costs.reservations,
            "fees": {currency: fee for currency, (fee, _tax) in costs.sums.items()},
            "taxes": {currency: tax for currency, (_fee, tax) in costs.sums.items()},
        }

    @acts(_("Cancel the remaining steps of a chain"), ReasonBody, refuses=[404, 409, 422])
    def cancel(self, pk: UUID, data: dict[str, Any]) -> Chain:
        """Each step by the rules of cancelling one, all or none. A host's manager cancels the
        steps on its own instruments, with a reason."""
        return chain_cancel(self.by, chain_id=pk, **data)
