"""The language switch."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.domain.errors import invalid
from accounts.forms import LanguageForm
from accounts.middleware import remember_language
from accounts.models import User
from accounts.selectors.installation import installation
from accounts.services.users import language_set
from accounts.views.pages import by_of


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Store the chosen language in this browser and for the person, and go back to the page they came
    from."""
    form = LanguageForm(request.POST)
    if not form.is_valid() or form.cleaned_data["language"] not in installation().languages:
        raise invalid("language", "unknown-value")
    language = form.cleaned_data["language"]
    if isinstance(request.user, User):
        language_set(by_of(request), user=request.user, language=language)
    response = HttpResponseRedirect(page_to_return_to(request, form.cleaned_data["next"]))
    remember_language(response, language)
    return response


def page_to_return_to(request: HttpRequest, url: str) -> str:
    """Return `url` without its `lang=` if it lies on this site; otherwise the home page."""
    allowed = {request.get_host()}
    is_here = url_has_allowed_host_and_scheme(url, allowed, require_https=request.is_secure())
    if not is_here or not url.startswith(("/", "http")):
        return "/"
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "lang"]
    return urlunsplit(parts._replace(query=urlencode(query)))
