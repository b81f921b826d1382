"""Addresses of *bank*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.bank.api import bank as bank_api
from bookings.bank.views import bank

_one = "bank/transactions/<uuid:transaction_id>/"

money = [
    path("bank/", bank.transactions, name="money-bank"),
    path("bank/book/", bank.book, name="money-bank-book-certain"),
    path("bank/set-aside/", bank.set_aside_many, name="money-bank-set-aside-many"),
    path("bank/files/", bank.files, name="money-bank-files"),
    path("bank/files/<uuid:file_id>/", bank.file, name="money-bank-file"),
    path("bank/formats/", bank.formats, name="money-bank-formats"),
    path(_one, bank.one, name="money-bank-one"),
    path(_one + "by-hand/", bank.by_hand, name="money-bank-by-hand"),
    path("statements/<uuid:statement_id>/use-credit/", bank.use_credit, name="money-statements-use-credit"),
    *posts(
        bank_api.BankFiles,
        bank_api.BankTransactions,
        bank_api.BankMatches,
        bank_api.BankCredits,
        bank_api.BankFormats,
    ),
]
api = [
    *bank_api.BankFiles.routes(),
    *bank_api.BankTransactions.routes(),
    *bank_api.BankMatches.routes(),
    *bank_api.BankCredits.routes(),
    *bank_api.StatementCreditUses.routes(),
    *bank_api.BankFormats.routes(),
]
