"""RO-Crates, read by a library that did not write them."""

from importlib.resources import files
from pathlib import Path
from typing import Any
from unittest.mock import patch


def crate_problems(folder: Path) -> list[str]:
    """What an independent validator says against an RO-Crate by the rules of 1.2 that are required. Where it
    asks for the context's address it gets what the library has of it: nobody is asked."""
    from requests import Response
    from rocrate_validator.models import Severity
    from rocrate_validator.services import ValidationSettings, validate
    from rocrate_validator.utils.http import HttpRequester

    def answer(self: Any, url: str, **how: Any) -> Response:
        assert url == "https://w3id.org/ro/crate/1.2/context"
        found = Response()
        found.status_code, found.url = 200, url
        found.headers["Content-Type"] = "application/ld+json"
        found._content = (files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()
        return found

    asked = ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="ro-crate-1.2",
        requirement_severity=Severity.REQUIRED,
        cache_path=folder.parent / "cache",
        offline=True,
    )
    with patch.object(HttpRequester, "get", answer, create=True):
        return [f"{issue.check.identifier}: {issue.message}" for issue in validate(asked).get_issues()]
