"""Addresses of *settlement*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.settlement.api import exchange_rates, payment_notices
from bookings.settlement.api import payments as payments_api
from bookings.settlement.api import postings as postings_api
from bookings.settlement.api import settlements as settlements_api
from bookings.settlement.api import statements as statements_api
from bookings.settlement.views import ageing, notices, payments, postings, rates, settlements, statements

_statement = "statements/<uuid:statement_id>/"
_notice = "payment-notices/<uuid:notice_id>/"
_settlement = "settlements/<uuid:settlement_id>/"

money = [
    path("statements/", statements.statements, name="money-statements"),
    path("statements/remind/", statements.remind_many, name="money-statements-remind-many"),
    path(_statement, statements.one, name="money-statements-one"),
    path(_statement + "pdf/", statements.pdf, name="money-statements-pdf"),
    path(_statement + "csv/", statements.table, name="money-statements-csv"),
    path(_statement + "e-invoice/", statements.e_invoice, name="money-statements-e-invoice"),
    path(_statement + "pay/", statements.pay, name="money-statements-pay"),
    path(_statement + "notices/", notices.report, name="money-statements-notice"),
    path("payment-notices/", notices.notices, name="money-notices"),
    path("payments/", payments.payments, name="money-payments"),
    path("postings/", postings.postings, name="money-postings"),
    path("ageing/", ageing.ageing, name="money-ageing"),
    path("settlements/", settlements.settlements, name="money-settlements"),
    path("settlements/balance/", settlements.balance, name="money-settlements-balance"),
    path(_settlement, settlements.one, name="money-settlements-one"),
    path(_settlement + "pdf/", settlements.pdf, name="money-settlements-pdf"),
    path(_settlement + "csv/", settlements.table, name="money-settlements-csv"),
    path(_settlement + "pay/", settlements.pay, name="money-settlements-pay"),
    path("rates/", rates.rates, name="money-rates"),
    *posts(statements_api.Statements, payment_notices.PaymentNotices, settlements_api.Settlements),
]
api = [
    *statements_api.Statements.routes(),
    path(_statement + "pdf/", statements_api.StatementPdf.as_view(), name="api-statement-pdf"),
    path(_statement + "csv/", statements_api.StatementCsv.as_view(), name="api-statement-csv"),
    path(
        _statement + "e-invoice/", statements_api.StatementEInvoice.as_view(), name="api-statement-e-invoice"
    ),
    *payment_notices.StatementNotices.routes(),
    *payment_notices.PaymentNotices.routes(),
    *payments_api.Payments.routes(),
    path("payments/csv/", payments_api.PaymentsCsv.as_view(), name="api-payments-csv"),
    path("postings/sums/", postings_api.PostingSums.as_view(), name="api-posting-sums"),
    *postings_api.Postings.routes(),
    path("ageing/", payments_api.AgeingReport.as_view(), name="api-ageing"),
    path("settlements/balance/", settlements_api.BalanceReport.as_view(), name="api-settlements-balance"),
    *settlements_api.Settlements.routes(),
    path(_settlement + "pdf/", settlements_api.SettlementPdf.as_view(), name="api-settlement-pdf"),
    path(_settlement + "csv/", settlements_api.SettlementCsv.as_view(), name="api-settlement-csv"),
    *exchange_rates.ExchangeRates.routes(),
]
