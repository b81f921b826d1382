"""What the platform is called here, who may sign up; its logo."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.csp import CSP
from django.utils.translation import gettext
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain.errors import Invalid, NotFound, WrongVersion
from accounts.domain.roles import By, Place
from accounts.forms import InstallationForm
from accounts.models import Installation
from accounts.permissions import actor_of, require
from accounts.selectors.installation import site_of
from accounts.services.installation import MOST_LOGO, installation_update

DAY = int(timedelta(days=1).total_seconds())


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def installation(request: HttpRequest) -> HttpResponse:
    """Name, logo, languages, and whether strangers may sign up, for administrators."""
    actor = actor_of(request.user)
    require(actor, "administer", Place(None))
    row = Installation.objects.first()
    site = site_of(row)
    present = {
        "name": site.name,
        "name_zh": site.name_zh,
        "languages": site.languages,
        "usual": site.language,
        "admits_strangers": site.admits_strangers,
        "version": site.version,
    }
    is_sent = request.method == "POST"
    form = InstallationForm(
        request.POST if is_sent else None, request.FILES if is_sent else None, initial=present
    )
    status, refused = (400, None) if is_sent else (200, None)
    if is_sent and form.is_valid():
        data = form.cleaned_data
        try:
            installation_update(
                By(actor, timezone.now(), data["version"] if row else None),
                name=data["name"],
                name_zh=data["name_zh"],
                languages=form.languages_in_order(),
                admits_strangers=data["admits_strangers"],
                logo=data["logo"].read(MOST_LOGO + 1) if data["logo"] else None,
                without_logo=data["without_logo"],
            )
        except (Invalid, WrongVersion) as problem:
            refused, status = problem, 400 if isinstance(problem, Invalid) else 409
        else:
            messages.success(request, gettext("Saved."))
            return redirect("accounts:installation")
    context = {"form": form, "site": site, "refused": refused}
    return render(request, "accounts/installation.html", context, status=status)


@require_safe
@csp_override({"default-src": [CSP.NONE], "sandbox": [""]})
def logo(request: HttpRequest) -> HttpResponseBase:
    """The logo as it was encoded anew; another one has another address."""
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
