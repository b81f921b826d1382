"""Addresses of the pages about money; every name begins with `money`."""

from django.urls import path

from bookings.charging.views import charges, replay
from bookings.funding.views import funding, grants, programmes
from bookings.overview.views import money as start
from bookings.pricing.views import agreements
from bookings.settlement.views import ageing, notices, payments, rates, settlements, statements
from bookings.usage.views import sessions

_charge = "charges/<uuid:charge_id>/"
_source = "funding/<uuid:source_id>/"
_agreement = "agreements/<uuid:agreement_id>/"
_programme = "vouchers/programmes/<uuid:programme_id>/"
_grant = "vouchers/<uuid:grant_id>/"
_statement = "statements/<uuid:statement_id>/"
_notice = "payment-notices/<uuid:notice_id>/"
_settlement = "settlements/<uuid:settlement_id>/"

urlpatterns = [
    path("", start.money, name="money"),
    path("charges/", charges.charges, name="money-charges"),
    path(_charge, charges.charge, name="money-charges-one"),
    path(_charge + "dispute/", charges.dispute, name="money-charges-dispute"),
    path(_charge + "withdraw/", charges.withdraw, name="money-charges-withdraw"),
    path(_charge + "reject/", charges.reject, name="money-charges-reject"),
    path(_charge + "correct/", charges.correct, name="money-charges-correct"),
    path(_charge + "replay/", replay.charge, name="money-charges-replay"),
    path("corrections/<uuid:correction_id>/", charges.decide, name="money-charges-decide"),
    path("sessions/", sessions.sessions, name="money-sessions"),
    path("sessions/<uuid:reservation_id>/", sessions.complete, name="money-sessions-complete"),
    path("funding/", funding.sources, name="money-funding"),
    path("funding/new/", funding.new, name="money-funding-new"),
    path(_source, funding.source, name="money-funding-source"),
    path(_source + "change/", funding.change, name="money-funding-change"),
    path(_source + "suspend/", funding.suspend, name="money-funding-suspend"),
    path(_source + "resume/", funding.resume, name="money-funding-resume"),
    path("agreements/", agreements.agreements, name="money-agreements"),
    path("agreements/new/", agreements.new, name="money-agreements-new"),
    path(_agreement, agreements.one, name="money-agreements-one"),
    path(_agreement + "change/", agreements.change, name="money-agreements-change"),
    path(_agreement + "sign/", agreements.sign, name="money-agreements-sign"),
    path(_agreement + "end/", agreements.end, name="money-agreements-end"),
    path("vouchers/", programmes.vouchers, name="money-vouchers"),
    path("vouchers/programmes/new/", programmes.new, name="money-vouchers-programme-new"),
    path(_programme, programmes.programme, name="money-vouchers-programme"),
    path(_programme + "change/", programmes.change, name="money-vouchers-programme-change"),
    path(_programme + "suspend/", programmes.suspend, name="money-vouchers-programme-suspend"),
    path(_grant, grants.one, name="money-vouchers-grant"),
    path(_grant + "change/", grants.change, name="money-vouchers-grant-change"),
    path(_grant + "suspend/", grants.suspend, name="money-vouchers-grant-suspend"),
    # statements, settlements, exchange rates
    path("statements/", statements.statements, name="money-statements"),
    path(_statement, statements.one, name="money-statements-one"),
    path(_statement + "pdf/", statements.pdf, name="money-statements-pdf"),
    path(_statement + "csv/", statements.table, name="money-statements-csv"),
    path(_statement + "pay/", statements.pay, name="money-statements-pay"),
    path(_statement + "void/", statements.void, name="money-statements-void"),
    path(_statement + "notices/", notices.report, name="money-statements-notice"),
    path("payment-notices/", notices.notices, name="money-notices"),
    path(_notice + "match/", notices.match, name="money-notices-match"),
    path(_notice + "refuse/", notices.refuse, name="money-notices-refuse"),
    path(_notice + "withdraw/", notices.withdraw, name="money-notices-withdraw"),
    path(_statement + "rate/", statements.convert, name="money-statements-rate"),
    path("payments/", payments.payments, name="money-payments"),
    path("ageing/", ageing.ageing, name="money-ageing"),
    path("settlements/", settlements.settlements, name="money-settlements"),
    path(_settlement, settlements.one, name="money-settlements-one"),
    path(_settlement + "pdf/", settlements.pdf, name="money-settlements-pdf"),
    path(_settlement + "csv/", settlements.table, name="money-settlements-csv"),
    path(_settlement + "confirm/", settlements.confirm, name="money-settlements-confirm"),
    path(_settlement + "pay/", settlements.pay, name="money-settlements-pay"),
    path("rates/", rates.rates, name="money-rates"),
]
