"""Tell search engines which pages they may index."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from instruments.register.models import Instrument
from instruments.register.selectors.registry import published


class InstrumentSitemap(Sitemap):  # type: ignore[type-arg]
    """Lists published instruments, ten thousand to a file."""

    limit = 10_000
    protocol = urlsplit(settings.SITE_URL).scheme

    def items(self) -> QuerySet[Instrument, tuple[UUID, datetime]]:
        return published().order_by("id").values_list("id", "updated_at")

    def get_urls(self, page: int | str = 1, site: Any = None, protocol: Any = None) -> list[Any]:
        """Return the lines of the file as one item, because rendering each by a template would take ten times
        as long."""
        rows = list(self.paginator.page(page).object_list)
        self.latest_lastmod = max((changed for _, changed in rows), default=None)
        root = f"{self.get_protocol(protocol)}://{self.get_domain(site)}"
        some = UUID(int=0)
        before, after = reverse("bookings:instrument", args=[some]).split(str(some))
        return [
            mark_safe(  # noqa: S308  # ids and days
                "".join(
                    f"<url><loc>{root}{before}{pk}{after}</loc>"
                    f"<lastmod>{timezone.localtime(changed):%Y-%m-%d}</lastmod></url>"
                    for pk, changed in rows
                )
            )
        ]

    def get_latest_lastmod(self) -> datetime | None:
        dated = published().filter(published_at__isnull=False)  # all are; the index knows these
        return dated.order_by("-updated_at", "-id").values_list("updated_at", flat=True).first()

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
    """Tell crawlers not to visit pages that need a person signed in, and those with endless links."""
    content = ROBOTS.format(site=settings.SITE_URL)
    return HttpResponse(content, content_type="text/plain; charset=utf-8")
