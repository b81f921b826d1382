"""The page to which the mails about a change of an address lead; their reader need not be signed in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.domain.administration import address_answers
from accounts.domain.errors import NotFound, WrongState
from accounts.letters.administration import address_signed
from accounts.models import AddressChange
from accounts.selectors.rows import visible
from bookings.operations.services.address_changes import address_change_stop, address_change_take


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def address_change(request: HttpRequest, token: str) -> HttpResponse:
    """Take on, stop or undo a change of an address when the button on the page is pressed. Opening the link
    alone changes nothing, because mail programs do that too."""
    signed = address_signed(token)
    if signed is None:
        raise NotFound
    change_id, is_new = signed
    row = visible(AddressChange.objects.select_related("user"), pk=change_id)
    now, refused = timezone.now(), None
    answer = address_answers(state=row.state, expires_at=row.expires_at, decided_at=row.decided_at, now=now)
    if is_new and answer:
        answer = "take" if answer == "stop" else None
    is_done = request.method == "POST" and answer is not None
    try:
        if answer is None:
            raise WrongState("address-link-over")
        if is_done:
            (address_change_take if is_new else address_change_stop)(change_id=change_id, now=now)
    except WrongState as error:
        refused = error
    with translation.override(row.user.language):
        context = {"change": row, "answer": answer, "is_done": is_done, "refused": refused}
        return render(
            request, "bookings/operations/address_change.html", context, status=409 if refused else 200
        )
