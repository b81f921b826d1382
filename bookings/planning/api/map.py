"""The planning map."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Query, Text, Whole, query_values
from bookings.planning.domain.map import formula_on
from bookings.planning.selectors.map import load_map, usual_year


class MapQuery(Query):
    year = Whole(
        min_value=2000,
        max_value=2200,
        required=False,
        help_text="Default: the last complete year for which there are hours.",
    )
    technique = Text(60, required=False, help_text="Code of a technique: only this class.")
    region = Text(60, required=False, help_text="Code of a region: only this region.")


class MapShape(serializers.Serializer[Any]):
    """The planning map of a year. `cells`: one for each class (narrower ones included) and region. `supply`,
    `demand` and those of the year before are null if they are hidden, because too few organisations are
    behind them; `planned` is null if the reader may not see the region's plans. An empty `technique`: demand
    that named none."""

    year = serializers.IntegerField()
    formula = serializers.CharField()
    cells = serializers.ListField(child=serializers.DictField())


class PlanningMapOfYear(Endpoint):
    needs_person = True

    @operation(
        "planning_map", _("The planning map"), tag="statistics", query=MapQuery, gives=MapShape, refuses=[403]
    )
    def get(self, request: Request) -> Response:
        """Return, for each class in each region, the number of instruments, their open, effective and spare
        minutes, the unmet demand, the median year and the plans, together with the year before. Only
        coordinators, auditors and administrators may read it."""
        query = query_values(MapQuery, request.query_params)
        year = query.get("year") or usual_year(self.now)
        whole = load_map(self.actor, year, self.now)
        cells = [
            {
                "technique": code,
                "region": region,
                **{
                    name: value if name == "instruments" or value is None else vars(value)
                    for name, value in vars(each).items()
                },
            }
            for (code, region), each in sorted(whole.cells.items())
            if query.get("technique") in (None, code) and query.get("region") in (None, region)
        ]
        return Response({"year": year, "formula": formula_on(year).name, "cells": cells})
