"""What search engines may look at."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from instruments.models import Instrument
from instruments.selectors.registry import published


class InstrumentSitemap(Sitemap):  # type: ignore[type-arg]
    """Published instruments, ten thousand to a file."""

    limit = 10_000
    protocol = urlsplit(settings.SITE_URL).scheme

    def items(self) -> QuerySet[Instrument]:
        return published().only("id", "updated_at").order_by("id")

    def location(self, item: Instrument) -> str:
        return reverse("bookings:instrument", args=[item.pk])

    def lastmod(self, item: Instrument) -> datetime:
        return item.updated_at

    def get_latest_lastmod(self) -> datetime | None:
        latest: datetime | None = published().aggregate(last=Max("updated_at"))["last"]
        return latest

    def get_domain(self, site: Any = None) -> str:
        return urlsplit(settings.SITE_URL).netloc


SITEMAPS = {"instruments": InstrumentSitemap}

ROBOTS = """User-agent: *
Disallow: /accounts/
Disallow: /admin/
Disallow: /manage/
Disallow: /money/
Disallow: /instruments/*/book/
Disallow: /instruments/*/quote/
Disallow: /instruments/*/wait/
Disallow: /instruments/*/week/

Sitemap: {site}/sitemap.xml
"""


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Pages that only somebody signed in sees, and those without end, are not worth a visit."""
    content = ROBOTS.format(site=settings.SITE_URL)
    return HttpResponse(content, content_type="text/plain; charset=utf-8")
