"""Recognise the format of a bank's file."""

from bookings.bank.adapters.camt import is_camt
from bookings.bank.adapters.swift import is_swift
from bookings.bank.domain.files import CAMT053, CSV, MT940


def format_of(content: bytes) -> str:
    """Return the format that a file looks like; CSV if it is neither of the others."""
    if is_camt(content):
        return CAMT053
    return MT940 if is_swift(content) else CSV
