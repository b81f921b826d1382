"""Chains: steps on different instruments, found and booked as one."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import PeriodShape, operation
from accounts.api.shapes import (
    Choice,
    Flag,
    Instant,
    ListOf,
    Money,
    Number,
    ReasonBody,
    Shape,
    Text,
    TimeOfDay,
    Whole,
    amount,
    checked,
)
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import invalid
from bookings.availability.domain.times_of_day import times_of_day
from bookings.catalogue.api.asking import LONGEST, FundingBody, Samples, samples_of, shares_of
from bookings.catalogue.api.availability import period_json
from bookings.plans.domain.chains import LONGEST_GAP, MOST_STEPS
from bookings.plans.selectors.chains import (
    Proposal,
    Proposals,
    StepWish,
    chain_for,
    load_chain_cancellation,
    load_chains,
    steps_of,
)
from bookings.plans.services.chains import chain_book, chain_cancel
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap, gaps_from_json
from bookings.reserving.api.reservations import (
    PurposeBody,
    ReservationShape,
    reservation_json,
    with_all,
)
from bookings.reserving.models import Chain
from instruments.models import Instrument

TAG = "reservations"


# Answers


class StageShape(PeriodShape):
    """A step with its time and its price."""

    instrument = serializers.UUIDField()
    total = Money(allow_null=True)
    payable = Money(allow_null=True, help_text="After vouchers, with the steps before it counted.")


class ProposalShape(serializers.Serializer[Any]):
    """A way to take all steps."""

    steps = StageShape(many=True)
    totals = Money(many=True, help_text="Totals by currency.")
    payables = Money(many=True, help_text="Totals after vouchers, by currency.")


class ProposalsShape(serializers.Serializer[Any]):
    """The first few ways, one for each start of the first step; none: `starts` says where it
    fails."""

    proposals = ProposalShape(many=True)
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
    organisation = serializers.CharField(help_text="The payer.")
    gaps = GapShape(many=True, help_text="Pause before the second and each later step.")
    reservations = ReservationShape(many=True)
    version = serializers.IntegerField()


class ChainCancellationShape(serializers.Serializer[Any]):
    """What cancelling all that is left would cost, by currency; the tax is on the fee."""

    reservations = serializers.ListField(child=serializers.UUIDField())
    fees = Money(many=True)
    taxes = Money(many=True)


def proposal_json(proposal: Proposal) -> dict[str, Any]:
    return {
        "steps": [
            {
                **period_json(stage.period),
                "instrument": str(stage.instrument.pk),
                **{
                    name: amount(getattr(stage.quote, name), stage.quote.currency)
                    if stage.quote
                    else None
                    for name in ("total", "payable")
                },
            }
            for stage in proposal.stages
        ],
        "totals": _sums(proposal.totals),
        "payables": _sums(proposal.payables),
    }


def _sums(sums: dict[str, Decimal]) -> list[dict[str, str]]:
    return [amount(value, currency) for currency, value in sorted(sums.items())]


def proposals_json(proposals: Proposals) -> dict[str, Any]:
    return {
        "proposals": [proposal_json(proposal) for proposal in proposals.found],
        "starts": list(proposals.starts),
    }


# Requests


class StepBody(Shape):
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
            )
        )
    return steps


class ChainEndpoint(Endpoint):
    write_scope = "book"
    needs_person = True

    def chain_json(self, chain: Chain) -> dict[str, Any]:
        rows = with_all(steps_of(self.actor, chain))
        return {
            "id": str(chain.pk),
            "organisation": chain.organisation.code,
            "gaps": [{"least": gap.least, "most": gap.most} for gap in gaps_from_json(chain.gaps)],
            "reservations": [reservation_json(row, self.actor, self.now) for row in rows],
            "version": chain.version,
        }

    def answer(self, chain: Chain, status: int = 200) -> Response:
        headers = etag(chain.version)
        if status == 201:
            headers["Location"] = reverse("api-chain", kwargs={"chain_id": chain.pk})
        return Response(self.chain_json(chain), status=status, headers=headers)


class Chains(ChainEndpoint):
    @operation(
        "chain_create",
        _("Book steps on several instruments"),
        tag=TAG,
        takes=ChainBody,
        gives=ChainShape,
        status=201,
        also={200: ProposalsShape},
        refuses=[404, 409, 422],
        once=True,
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
    def post(self, request: Request) -> HttpResponseBase:
        """All steps or none, in their order, with the pauses between them. With `dry_run` 200
        and the first few ways, distinct: usual working hours first, or those that were named; for
        each start of the first step that which is over soonest. Else 201: at `starts`, or the first
        of these. 409 `no-chain` if there is none; a refusal
        says with `booking`, from 0, which step it is of."""
        data = checked(ChainBody, request.data)
        if data["latest"] <= data["earliest"]:
            raise invalid("latest", "not-after-start")
        if data["latest"] - data["earliest"] > LONGEST:
            raise invalid("latest", "span-too-long", days=LONGEST.days)
        within = Period(data["earliest"], data["latest"])
        steps = steps_of_body(data["steps"])
        organisation = data.get("organisation")
        lengths = [step.minutes for step in steps]
        times = times_of_day(data.get("hours_from"), data.get("hours_until"), lengths)

        def act() -> Response:
            if data["dry_run"]:
                found = load_chains(self.actor, organisation, steps, within, self.now, times=times)
                return Response(proposals_json(found))
            chain = chain_book(
                actor=self.actor,
                steps=steps,
                organisation=organisation,
                purpose=data["purpose"]["code"],
                purpose_text=data["purpose"]["text"],
                within=within,
                starts=data.get("starts"),
                times=times,
                funding=shares_of(data),
                now=self.now,
            )
            return self.one(chain, status=201)

        return self.once(act)


class ChainDetail(ChainEndpoint):
    @operation("chain", _("One chain"), tag=TAG, gives=ChainShape, refuses=[404])
    def get(self, request: Request, chain_id: UUID) -> Response:
        """With its steps, in their order."""
        return self.one(chain_for(self.actor, chain_id))


class ChainCancel(ChainEndpoint):
    @operation(
        "chain_cancellation",
        _("What cancelling the chain now would cost"),
        tag=TAG,
        gives=ChainCancellationShape,
        refuses=[404, 409],
    )
    def get(self, request: Request, chain_id: UUID) -> Response:
        """The fees of all steps that are left, added up. 409 if none is."""
        found = load_chain_cancellation(self.actor, chain_id, self.now)
        return Response(
            {
                "reservations": [str(row.pk) for row in found.reservations],
                "fees": _sums({c: fee for c, (fee, _tax) in found.sums.items()}),
                "taxes": _sums({c: tax for c, (_fee, tax) in found.sums.items()}),
            }
        )

    @operation(
        "chain_cancel",
        _("Cancel the remaining steps of a chain"),
        tag=TAG,
        takes=ReasonBody,
        gives=ChainShape,
        refuses=[404, 409, 422],
        versioned=True,
        once=True,
    )
    def post(self, request: Request, chain_id: UUID) -> HttpResponseBase:
        """Each step by the rules of cancelling one, all or none. A host's manager cancels the
        steps on its own instruments, with a reason."""
        expected, data = expected_version(request), checked(ReasonBody, request.data)

        def act() -> Response:
            chain = chain_cancel(
                actor=self.actor,
                chain_id=chain_id,
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return self.one(chain)

        return self.once(act)
