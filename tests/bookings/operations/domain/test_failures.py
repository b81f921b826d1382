"""What an error says about its cause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.operations.domain.failures import CAUSES, cause_of
from config.templatetags import operations


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("SMTPRecipientsRefused: {'li@x.test': (552, b'5.2.2 Full')}", "mailbox-full"),
        ("SMTPRecipientsRefused: {'li@x.test': (550, b'5.1.1 Unknown')}", "no-mailbox"),
        ("OSError: [Errno 28] No space left on device", "disk-full"),
        ("HTTP 410", "receiver-gone"),
        ("HTTP 503", "receiver-fails"),
        ("too-slow", "no-answer"),
        ("import-failed", "worker-died"),
        ("not-a-table", "file-unreadable"),
        ("ValueError: no zone", "ValueError"),
        ("KeyError", "KeyError"),
        ("unforeseen", "unforeseen"),
        ("你好", "unforeseen"),
    ],
)
def test_what_an_error_says(error, cause):
    assert cause_of(error) == cause


@given(st.text(max_size=80))
def test_whatever_it_says_the_cause_is_short_and_has_words(error):
    cause = cause_of(error)
    assert 0 < len(cause) <= 60
    assert operations.cause_title(cause) and operations.cause_remedy(cause) and operations.cause(error)


def test_each_cause_has_words():
    assert {code for code, _ in CAUSES} == set(operations.CAUSES)
