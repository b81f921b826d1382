"""The catalogue of what anybody may download, for portals of open data."""

from typing import Any

from django.conf import settings
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from rest_framework.request import Request

from accounts.api.schema import operation
from accounts.selectors.installation import installation
from bookings.statistics.domain.dcat import DataSet, Download, Service, Texts, dcat_catalogue
from bookings.statistics.services.exports import media_of
from instruments.exchange.api.exports import File

KEPT_FOR = 3600  # seconds for which caches may keep it
MEDIA = "application/ld+json"
# The tables that strangers read on pages, as public figures.
TABLES = {
    "hours": (_("Hours of use"), _("Hours that instruments offered and were used, by region."), "hours"),
    "payers": (_("Users"), _("Hours of use by the price group of those who used them."), "hours-payers"),
    "flows": (_("Flows between regions"), _("Hours of use by regions of hosts and users."), "hours-flows"),
    "demand": (
        _("Unmet demand"), _("Bookings that were asked for and could not be had, by region."), "hours-demand"
    ),
}  # fmt: skip
LANGUAGES = {"en": "en", "zh-hans": "zh"}  # ours -> that of the standard


class Dcat(File):
    @operation(
        "dcat",
        _("What can be downloaded, as DCAT-AP"),
        tag="statistics",
        gives={"type": "object", "additionalProperties": True},
        media=MEDIA,
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Lists the catalogue of instruments and the tables of public figures, with the addresses where they
        can be had, as JSON-LD in the terms of DCAT-AP 3. Anybody may read this without signing in."""
        site = installation()
        name = {"en": site.name, "zh": site.name_zh}
        about = _texts(_("Scientific instruments that are shared, and figures about their use."))
        sets, licence = [_instruments(), *_tables()], settings.OPEN_DATA_LICENCE
        content = dcat_catalogue(_at("api-dcat"), settings.SITE_URL, name, about, sets, licence)
        answer = JsonResponse(content, content_type=MEDIA, json_dumps_params={"ensure_ascii": False})
        patch_cache_control(answer, public=True, max_age=KEPT_FOR)
        return answer


def _at(name: str) -> str:
    return settings.SITE_URL + reverse(name)


def _texts(text: Any) -> Texts:
    told = {}
    for ours, theirs in LANGUAGES.items():
        with override(ours):
            told[theirs] = str(text)
    return told


def _instruments() -> DataSet:
    catalogue = _at("api-catalogue-records")
    return DataSet(
        "instruments",
        _texts(_("Instruments")),
        _texts(_("Records of all instruments that are or were offered here.")),
        _at("bookings:catalogue"),
        [Download(catalogue, "JSON", "application/json")],
        [
            Service(_at("oai"), {"en": "OAI-PMH 2.0"}, "http://www.openarchives.org/OAI/2.0/"),
            Service(catalogue, {"en": "REST API"}, described_at=_at("api-schema")),
        ],
    )


def _tables() -> list[DataSet]:
    download = _at("bookings:hours-download")
    return [
        DataSet(
            f"figures-{table}",
            _texts(title),
            _texts(description),
            _at(f"bookings:{page}"),
            [
                Download(
                    f"{download}?table={table}&format={kind}", kind.upper(), media_of(kind).partition(";")[0]
                )
                for kind in ("csv", "xlsx")
            ],
        )
        for table, (title, description, page) in TABLES.items()
    ]
