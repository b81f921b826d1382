"""Which version of a record a request means: `ETag` in answers, `If-Match` in requests."""

import re

from rest_framework.request import Request

from accounts.domain.errors import WrongVersion, invalid

NEVER = -1  # no record has it
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_NUMBER = re.compile(r"[1-9]\d{0,9}", re.ASCII)


def etag(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def expected_version(request: Request) -> int | None:
    """The version `If-Match` names; None for any. One of another kind than ours, or a weak
    one, is well-formed but names no version there is. `Invalid` if it cannot be read."""
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    match = _TAG.fullmatch(given.strip())
    if match is None:
        raise invalid("If-Match", "malformed-version")
    is_ours = match[1] is None and _NUMBER.fullmatch(match[2])
    return int(match[2]) if is_ours else NEVER


def require_version(request: Request, version: int) -> None:
    """`WrongVersion` if the request means another. For records that change once, from open to
    ended: the service's own lock then tells whoever comes second."""
    expected = expected_version(request)
    if expected is not None and expected != version:
        raise WrongVersion(version=version)
