"""The API of hours."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Day, Query, Text, query_values
from accounts.domain.errors import invalid
from accounts.replica import from_replica
from bookings.catalogue.api.asking import codes_in
from bookings.hours.domain.hours import LONGEST, definitions_on
from bookings.hours.domain.norms import FIRST, USUAL_SCHEME
from bookings.hours.selectors.hours import BY, FIGURES, HoursRow
from bookings.hours.selectors.reading import figures_for
from bookings.statistics.selectors.tables import RATIOS

MOST_ANSWERED = 5_000  # rows at once; files have more
NARROWED_BY = ("region", "organisation", "facility", "instrument", "technique")


class DaysQuery(Query):
    def get_fields(self) -> Any:
        return {
            "from": Day(help_text="First day counted, in local time."),
            "until": Day(help_text="First day that is no longer counted, in local time."),
            **super().get_fields(),
        }


class DaysShape(serializers.Serializer[Any]):
    def get_fields(self) -> Any:
        return {"from": serializers.DateField(), "until": serializers.DateField(), **super().get_fields()}


class HoursRowShape(serializers.Serializer[Any]):
    """Minutes in each of the six states, which add up to `total_minutes`, and their ratios as decimal
    strings, null if the denominator is 0. The groups named in `by` are further fields: a date, a month, or
    the code or id of the group, and its `names`. In public figures a group with too few organisations is
    `hidden`: its figures are null."""

    def get_fields(self) -> Any:
        return {
            **{name: serializers.CharField(required=False) for name in BY},
            "instrument": serializers.UUIDField(required=False),
            **{name: serializers.IntegerField(allow_null=True) for name in FIGURES},
            "norm_minutes": serializers.IntegerField(allow_null=True),
            "hidden": serializers.BooleanField(),
            **{name: serializers.CharField(allow_null=True) for name in RATIOS},
            "names": serializers.DictField(child=serializers.DictField()),
        }


class HoursShape(DaysShape):
    """Hours by group. `definitions` is the version of the rules behind the figures."""

    definitions = serializers.CharField()
    by = serializers.ListField(child=serializers.ChoiceField(BY))
    public = serializers.BooleanField()
    rows = HoursRowShape(many=True)
    total = HoursRowShape(allow_null=True)


class HoursQuery(DaysQuery):
    by = Text(100, default="", help_text="Any of: " + ", ".join(BY) + "; separated by commas.")
    region = Text(20, default="", help_text="Code of a region; the regions within it are included.")
    organisation = Text(40, default="", help_text="Code of the host organisation.")
    facility = serializers.UUIDField(required=False)
    instrument = serializers.UUIDField(required=False)
    technique = Text(60, default="", help_text="Code of a technique; narrower techniques are included.")
    scheme = Choice(list(FIRST), default=USUAL_SCHEME, help_text="The scheme whose norm hours are used.")


def span_of(since: date, until: date) -> None:
    """Raise `Invalid` unless the days are in order and not too many."""
    if until <= since:
        raise invalid("until", "not-after-start")
    if until - since > LONGEST:
        raise invalid("until", "span-too-long", days=LONGEST.days)


def day_values(shape: type[DaysQuery], request: Request) -> dict[str, Any]:
    """Return the query of a request; raise `Invalid` if it, or the days in it, are not valid."""
    query = query_values(shape, request.query_params)
    span_of(query["from"], query["until"])
    return query


def days_json(query: Mapping[str, Any]) -> dict[str, str]:
    return {"from": query["from"].isoformat(), "until": query["until"].isoformat()}


def narrowed_in(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of a query for hours."""
    return {name: query[name] for name in NARROWED_BY if query.get(name)}


def names_json(name: str, name_zh: str) -> dict[str, str]:
    return {"name": name, "name_zh": name_zh}


def row_json(row: HoursRow) -> dict[str, Any]:
    return {
        **row.keys,
        "names": {group: names_json(*names) for group, names in row.names.items()},
        **row.figures,
        "norm_minutes": row.norm,
        "hidden": row.is_hidden,
        **row.ratios,
    }


class Hours(Endpoint):
    @from_replica
    @operation("statistics_hours", _("Hours"), tag="statistics", query=HoursQuery, gives=HoursShape)
    def get(self, request: Request) -> Response:
        """Return the hours of the instruments of your organisations and regions, for managers, finance,
        coordinators and auditors; for everybody else public figures: whole months by region, technique, month
        or year. Days count once they are rolled up: never today."""
        query = day_values(HoursQuery, request)
        groups = codes_in(query["by"], "by", BY)
        figures = figures_for(
            self.actor,
            narrowed=narrowed_in(query),
            since=query["from"],
            until=query["until"],
            by=groups,
            scheme=query["scheme"],
            most=MOST_ANSWERED,
        )
        return Response(
            {
                **days_json(query),
                "definitions": definitions_on(query["until"]).name,
                "by": groups,
                "public": figures.scope.is_public,
                "rows": [row_json(row) for row in figures.rows],
                "total": row_json(figures.total) if figures.total else None,
            }
        )
