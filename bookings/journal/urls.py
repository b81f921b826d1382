"""Addresses of *journal*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.journal.api import charts as charts_api
from bookings.journal.api import journal as journal_api
from bookings.journal.views import charts, journal

money = [
    path("journal/", journal.journal, name="money-journal"),
    path("journal/close/", journal.close, name="money-journal-close"),
    path("journal/year/", journal.year, name="money-journal-year"),
    path("journal/year/zip/", journal.archive, name="money-journal-year-zip"),
    path("journal/accounts/", charts.accounts, name="money-journal-accounts"),
    path("journal/accounts/<uuid:account_id>/", charts.change, name="money-journal-accounts-change"),
    *posts(charts_api.ChartAccounts),
]
api = [
    path("journal/", journal_api.JournalEntries.as_view(), name="api-journal"),
    *journal_api.JournalMonths.routes(),
    *charts_api.ChartAccounts.routes(),
    *charts_api.AccountRules.routes(),
]
