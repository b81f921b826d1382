"""Mask secrets that some addresses, headers and cookies carry, so that logs do not show them."""

import re
from typing import Any

_END = r"""(?:/|%2F)"""
_SECRETS = (
    # /calendar/SECRET.ics, also inside another address (`?next=%2Finvitations%2FSECRET%2F`)
    re.compile(
        rf"({_END}(?:address|calendar|collect|invitations|kiosk{_END}enrol|messages{_END}stop|confirm-email|reset{_END}key){_END})"
        r"""[^/\s"'?<>\\]{12,}""",
        re.IGNORECASE,
    ),
    # What other places send people back with, and what keys are called.
    re.compile(
        r"((?:[?&]|%3F|%26)(?:code(?:_verifier)?|SAML\w+|RelayState|Signature|key|token|(?:client_)?secret|(?:id|access|refresh)_token)"
        r"""(?:=|%3D))[^&\s"'<>\\]+""",
        re.IGNORECASE,
    ),
    # Lists are asked for a `state` as well: those are short words.
    re.compile(r"""((?:[?&]|%3F|%26)(?:session_)?state(?:=|%3D))[^&\s"'<>\\]{12,}"""),
    re.compile(r"""((?:sessionid|csrftoken|known_browser)(?:=|['"]?: ?['"]?))[^;&\s"'\\]+"""),
    re.compile(r"""((?:Bearer|Token) )[^\s"'\\]{12,}"""),
)


def mask(text: str) -> str:
    """Return the text with `...` in place of each secret."""
    for secret in _SECRETS:
        text = secret.sub(r"\1...", text)
    return text


def mask_line(logger: Any, method: str, line: str) -> str:
    """Mask secrets in a finished log line, with its traceback; the last processor of structlog."""
    return mask(line)
