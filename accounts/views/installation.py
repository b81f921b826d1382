"""Pages for the platform's name, who may sign up, and its logo."""

from datetime import timedelta
from functools import partial

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from accounts.domain.errors import NotFound
from accounts.domain.roles import By, Place
from accounts.forms import InstallationForm
from accounts.models import Installation
from accounts.permissions import actor_of, require
from accounts.selectors.installation import site_of
from accounts.services.installation import MOST_LOGO, installation_update
from accounts.views.pages import act, edits, in_full, shown

DAY = int(timedelta(days=1).total_seconds())


@edits
def installation(request: HttpRequest) -> HttpResponse:
    """Let administrators set the name, the logo, the languages, and whether strangers may sign up."""
    require(actor_of(request.user), "administer", Place(None))
    site = site_of(Installation.objects.first())
    present = {
        "name": site.name,
        "name_zh": site.name_zh,
        "languages": site.languages,
        "usual": site.language,
        "admits_strangers": site.admits_strangers,
        "version": site.version,
    }
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = InstallationForm(data, files, initial=present)
    return act(
        request,
        partial(shown, request, "accounts/installation.html", site=site),
        lambda by, data: installation_update(
            by if site.version else By(by.actor, by.now),
            name=data["name"],
            name_zh=data["name_zh"],
            languages=form.languages_in_order(),
            admits_strangers=data["admits_strangers"],
            logo=data["logo"].read(MOST_LOGO + 1) if data["logo"] else None,
            without_logo=data["without_logo"],
        ),
        to=reverse("accounts:installation"),
        done=gettext("Saved."),
        form=form,
        shows=in_full,
    )


@require_safe
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def logo(request: HttpRequest) -> HttpResponseBase:
    """Send the logo, as re-encoded by us. A changed logo has another address."""
    row = Installation.objects.first()
    if row is None or not row.logo:
        raise NotFound
    try:
        answer = FileResponse(row.logo.open("rb"), content_type="image/png", filename="logo.png")
    except FileNotFoundError:
        raise NotFound from None
    answer["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(answer, public=True, max_age=DAY)
    return answer
