"""What operators read has a name in words."""

import pytest

from accounts.work import kept
from config.templatetags.operations import SINCE, cause


def test_it_is_called_something_from_when_a_record_is_kept() -> None:
    assert {each.since for each in kept()} <= set(SINCE)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("SMTPRecipientsRefused: {'li@x.test': (552, b'5.2.2 Full')}", "The mailbox of li@x.test is full."),
        ("SMTPRecipientsRefused: {'li@demo.test': (550, b'5.7.1 No')}",
         "The mail server does not accept mail to li@demo.test."),
        ("SMTPRecipientsRefused: {'li@x.test': (550, b'No such user')}", "There is no mailbox li@x.test."),
        ("SMTPServerDisconnected: Connection unexpectedly closed", "The mail server does not answer."),
        ("OSError: [Errno 28] No space left on device", "No space is left on the disk."),
        ("ConnectionRefusedError: [Errno 111]", "The connection was refused or broken off."),
        ("KeyError: 'x'", "It failed in a way that nobody foresaw."),
    ],
)  # fmt: skip
def test_what_went_wrong_is_a_sentence(error: str, words: str) -> None:
    assert cause(error) == words
