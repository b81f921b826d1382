"""Statistics other than hours: who pays, flows between regions, bookings, unmet demand, norms."""

from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.resource import rendered
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Day, Shape, Text, Whole, checked
from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.replica import from_replica
from bookings.hours.domain.norms import FIRST, KINDS, MOST_HOURS
from bookings.hours.selectors.bookings import booking_figures
from bookings.hours.selectors.norms import entered_norms
from bookings.hours.selectors.scope import scope_for, whole_months
from bookings.hours.services.norms import norm_add
from bookings.statistics.api import hours as hour_api
from bookings.statistics.selectors.demand import DemandRow, demand
from bookings.statistics.selectors.flows import MEASURES, Flows, Spread, flows, spread
from bookings.statistics.selectors.payers import PAYERS_BY, PayerRow, payers

# Flows


class FlowsQuery(hour_api.DaysQuery):
    measure = Choice(list(MEASURES), default="hours")
    currency = Text(
        3, default="", help_text="Currency, if money is measured; default: the most frequent one."
    )


class FlowsShape(hour_api.DaysShape):
    """Flows between regions. `matrix`: the use by payers of `payer_region` at hosts of `host_region`;
    minutes, sessions or people as integers, money as decimal strings. Null and `hidden` if too few
    organisations are behind it, or if it would reveal another hidden cell; sums and ratios that would need a
    hidden cell are null as well."""

    measure = serializers.ChoiceField(list(MEASURES))
    unit = serializers.CharField()
    currencies = serializers.ListField(child=serializers.CharField())
    partial = serializers.BooleanField()  # type: ignore[assignment]
    matrix = serializers.ListField(child=serializers.DictField())
    regions = serializers.ListField(child=serializers.DictField())
    pairs = serializers.ListField(child=serializers.DictField())


def flows_json(result: Flows) -> dict[str, Any]:
    def number(value: Any) -> Any:
        return value if value is None or result.measure != "money" else f"{value:f}"

    return {
        "measure": result.measure,
        "unit": {"hours": "minutes", "money": result.currency}.get(result.measure, result.measure),
        "currencies": list(result.currencies),
        "partial": result.is_partial,
        "matrix": [
            {
                "payer_region": cell.payer.code,
                "host_region": cell.host.code,
                "value": number(cell.value),
                "organisations": cell.organisations,
                "hidden": cell.value is None,
            }
            for cell in result.cells
        ],
        "regions": [
            {
                "region": region.code,
                "names": hour_api.names_json(region.name, region.name_zh),
                "used": number(told.used),
                "used_elsewhere": number(told.used_elsewhere),
                "hosted": number(told.hosted),
                "hosted_for_others": number(told.hosted_for_others),
                "openness": told.openness,
                "external_share": told.external_share,
                "net": number(told.net),
            }
            for region, told in result.regions
        ],
        "pairs": [
            {
                "regions": [first.code, second.code],
                "there": number(pair.there),
                "back": number(pair.back),
                "reciprocity": pair.reciprocity,
            }
            for first, second, pair in result.pairs
        ],
    }


class FlowsBetweenRegions(Endpoint):
    @from_replica
    @operation(
        "statistics_flows", _("Flows between regions"), tag="statistics", query=FlowsQuery, gives=FlowsShape
    )
    def get(self, request: Request) -> Response:
        """Return the use by payers of each region at hosts of each region. Cells with few organisations are
        hidden, except from administrators and from auditors and coordinators of one of the two regions;
        anybody who does not read all cells must ask for whole months."""
        query = hour_api.day_values(FlowsQuery, request)
        result = flows(
            self.actor,
            since=query["from"],
            until=query["until"],
            measure=query["measure"],
            currency=query["currency"],
        )
        return Response(hour_api.days_json(query) | flows_json(result))


class SpreadShape(serializers.Serializer[Any]):
    """Herfindahl-Hirschman indices over regions (1: all instruments in one), and location
    quotients (above 1: the technique is concentrated there)."""

    concentration = serializers.CharField(allow_null=True)
    techniques = serializers.ListField(child=serializers.DictField())


def spread_json(row: Spread) -> dict[str, Any]:
    return {
        "technique": row.code,
        "names": hour_api.names_json(row.name, row.name_zh),
        "instruments": row.instruments,
        "concentration": row.concentration,
        "regions": [
            {"region": region, "instruments": number, "location_quotient": quotient}
            for region, number, quotient in row.regions
        ],
    }


class Concentration(Endpoint):
    @from_replica
    @operation(
        "statistics_concentration",
        _("Concentration of instruments over regions"),
        tag="statistics",
        gives=SpreadShape,
    )
    def get(self, request: Request) -> Response:
        """Return how published instruments are spread over the regions, in all and by technique."""
        concentration, rows = spread()
        return Response({"concentration": concentration, "techniques": [spread_json(row) for row in rows]})


# Who pays


class PayersQuery(hour_api.HoursQuery):
    by = Text(100, default="price_group", help_text="Any of: " + ", ".join(PAYERS_BY) + ".")
    scheme = None  # type: ignore[assignment]


class PayersShape(hour_api.DaysShape):
    """Productive minutes by payer, the largest first; they add up to `productive_minutes` of the hours. Null
    if hidden."""

    by = serializers.ListField(child=serializers.ChoiceField(list(PAYERS_BY)))
    rows = serializers.ListField(child=serializers.DictField())


def payer_json(row: PayerRow) -> dict[str, Any]:
    return {
        **row.keys,
        "names": {group: hour_api.names_json(*names) for group, names in row.names.items() if names[0]},
        "productive_minutes": row.minutes,
        "sessions": row.sessions,
        "organisations": row.organisations,
        "hidden": row.minutes is None,
    }


class Payers(Endpoint):
    @from_replica
    @operation(
        "statistics_payers",
        _("Productive hours by payer"),
        tag="statistics",
        query=PayersQuery,
        gives=PayersShape,
    )
    def get(self, request: Request) -> Response:
        """Return the hours by price group, the payer's region, or payer, of the instruments whose hours you
        may read; public figures are by price group and region, for whole months."""
        query = hour_api.day_values(PayersQuery, request)
        by = list(dict.fromkeys(name.strip() for name in query["by"].split(",") if name.strip()))
        scope = scope_for(self.actor, hour_api.narrowed_in(query))
        rows = payers(
            scope, since=query["from"], until=query["until"], by=by, least=settings.PUBLIC_LEAST_ORGANISATIONS
        )
        return Response(hour_api.days_json(query) | {"by": by, "rows": [payer_json(row) for row in rows]})


# Bookings


class BookingsQuery(hour_api.HoursQuery):
    by = None  # type: ignore[assignment]
    scheme = None  # type: ignore[assignment]


class BookingsShape(hour_api.DaysShape):
    """Figures of bookings that were ever confirmed and start on these days. Late: less than 24 hours before
    the start. `lead_hours`: the median time from the request to the start, as a decimal string; null without
    bookings."""

    booked = serializers.IntegerField()
    booked_minutes = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    cancelled_late = serializers.IntegerField()
    cancelled_late_minutes = serializers.IntegerField()
    not_used = serializers.IntegerField()
    not_used_minutes = serializers.IntegerField()
    lead_hours = serializers.CharField(allow_null=True)


class Bookings(Endpoint):
    @from_replica
    @operation(
        "statistics_bookings",
        _("Lead times, late cancellations and unused bookings"),
        tag="statistics",
        query=BookingsQuery,
        gives=BookingsShape,
    )
    def get(self, request: Request) -> Response:
        """Return the figures of bookings of the instruments whose hours you may read; public figures are for
        whole months."""
        query = hour_api.day_values(BookingsQuery, request)
        scope = scope_for(self.actor, hour_api.narrowed_in(query))
        if scope.is_public:
            whole_months(query["from"], query["until"])
            if hour_api.narrowed_in(query):
                raise NotPermitted
        result = booking_figures(scope, since=query["from"], until=query["until"])
        lead = None if result.lead_hours is None else str(result.lead_hours)
        return Response(hour_api.days_json(query) | vars(result) | {"lead_hours": lead})


# Unmet demand


class DemandQuery(hour_api.DaysQuery):
    techniques = Text(1000, default="", help_text="Codes of techniques, joined by commas: only these.")
    regions = Text(1000, default="", help_text="Codes of regions, joined by commas: only people of these.")


class DemandShape(hour_api.DaysShape):
    """Unmet demand by technique and by the region of the people who had it; null if hidden."""

    rows = serializers.ListField(child=serializers.DictField())


def demand_json(row: DemandRow) -> dict[str, Any]:
    return {
        **vars(row),
        "technique": row.technique[0],
        "region": row.region[0],
        "names": {
            "technique": hour_api.names_json(*row.technique[1:]),
            "region": hour_api.names_json(*row.region[1:]),
        },
        "minutes": row.minutes,
        "hidden": row.minutes is None,
    }


class Demand(Endpoint):
    @from_replica
    @operation("statistics_demand", _("Unmet demand"), tag="statistics", query=DemandQuery, gives=DemandShape)
    def get(self, request: Request) -> Response:
        """Return the demand that was refused for lack of capacity, waited for without an offer, or searched
        for without a result."""
        query = hour_api.day_values(DemandQuery, request)
        rows = demand(
            self.actor,
            since=query["from"],
            until=query["until"],
            least=settings.PUBLIC_LEAST_ORGANISATIONS,
            techniques=list(filter(None, query["techniques"].split(","))),
            regions=list(filter(None, query["regions"].split(","))),
        )
        return Response(hour_api.days_json(query) | {"rows": [demand_json(row) for row in rows]})


# Norm hours


class NormShape(serializers.Serializer[Any]):
    """A norm; `valid_from` null: it has always applied."""

    scheme = serializers.ChoiceField(list(FIRST))
    kind = serializers.ChoiceField(list(KINDS))
    hours = serializers.IntegerField()
    valid_from = serializers.DateField(allow_null=True)
    reason = serializers.CharField()


class NormsShape(serializers.Serializer[Any]):
    norms = NormShape(many=True)


class NormBody(Shape):
    scheme = Choice(list(FIRST))
    kind = Choice(list(KINDS))
    hours = Whole(min_value=1, max_value=MOST_HOURS)
    valid_from = Day()
    reason = Text(500, default="", allow_blank=True)


class Norms(Endpoint):
    @operation("statistics_norms", _("Norm hours"), tag="statistics", gives=NormsShape)
    def get(self, request: Request) -> Response:
        """Return the hours a year expected of an instrument by scheme and kind, the newest first."""
        first = [
            {"scheme": scheme, "kind": kind, "hours": hours, "valid_from": None, "reason": ""}
            for scheme, norms in FIRST.items()
            for kind, hours in norms.items()
        ]
        return Response(rendered(NormsShape, {"norms": [*entered_norms(), *first]}))

    @operation(
        "statistics_norm_add",
        _("Enter norm hours"),
        tag="statistics",
        takes=NormBody,
        gives=NormShape,
        status=201,
        once=True,
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Enter the norm from a day on. Only administrators may do this. Figures of earlier days keep their
        norm; the earliest possible start is the beginning of this year."""
        body = checked(NormBody, request.data)

        def add() -> Response:
            return Response(rendered(NormShape, norm_add(By(self.actor, self.now), **body)), status=201)

        return self.once(add)
