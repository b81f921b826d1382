"""Addresses of the pages about money; every name begins with `money-`."""

from django.urls import path

from bookings.views.money import charges, rates, replay, settlements, statements

_statement = "statements/<uuid:statement_id>/"
_settlement = "settlements/<uuid:settlement_id>/"

urlpatterns = [
    path("charges/", charges.charges, name="money-charges"),
    path("charges/<uuid:charge_id>/replay/", replay.charge, name="money-charges-replay"),
    # statements, settlements, exchange rates
    path("statements/", statements.statements, name="money-statements"),
    path(_statement, statements.one, name="money-statements-one"),
    path(_statement + "pdf/", statements.pdf, name="money-statements-pdf"),
    path(_statement + "csv/", statements.table, name="money-statements-csv"),
    path(_statement + "pay/", statements.pay, name="money-statements-pay"),
    path(_statement + "void/", statements.void, name="money-statements-void"),
    path(_statement + "rate/", statements.convert, name="money-statements-rate"),
    path("settlements/", settlements.settlements, name="money-settlements"),
    path(_settlement, settlements.one, name="money-settlements-one"),
    path(_settlement + "pdf/", settlements.pdf, name="money-settlements-pdf"),
    path(_settlement + "csv/", settlements.table, name="money-settlements-csv"),
    path(_settlement + "confirm/", settlements.confirm, name="money-settlements-confirm"),
    path(_settlement + "pay/", settlements.pay, name="money-settlements-pay"),
    path("rates/", rates.rates, name="money-rates"),
]
