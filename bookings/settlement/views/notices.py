"""Pages of payment notices: reporting, the list, and answers."""

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from accounts.permissions import actor_of
from accounts.views.pages import bare, by_of, reads, writes
from bookings.record.views.lists import ListPage
from bookings.settlement.forms.money import NoticeForm
from bookings.settlement.selectors.payments import NOTICES
from bookings.settlement.selectors.statements import statement_by_id
from bookings.settlement.services.payment_notices import payment_notice_report
from bookings.settlement.views.statements import one, statement_act

LIST = ListPage("bookings/settlement/notices.html", NOTICES)


@reads
def notices(request: HttpRequest) -> HttpResponseBase:
    """List the notices on statements that the reader may see, the newest first."""
    return LIST.answer(request, by_of(request))


@writes
def report(request: HttpRequest, statement_id: UUID) -> HttpResponse:
    """Report that a statement was paid, in whole or in part."""
    row = statement_by_id(actor_of(request.user), statement_id)
    form = NoticeForm(request.POST, currency=row.currency)
    return statement_act(
        request,
        partial(bare(one), request, statement_id),
        form,
        "notice_form",
        lambda by, _: payment_notice_report(by, statement_id=statement_id, paid=form.paid()),
        gettext("The host has been notified, and will record the payment once it has found it."),
    )
