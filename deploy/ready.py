"""Wait until the web process at a port of this machine serves: `python deploy/ready.py 8000`.

systemd runs it when it has started the process, whose number is in `MAINPID`. It needs nothing but Python, so
that it costs next to nothing while another process serves everybody.
"""

import json
import os
import sys
import time
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

PATIENCE = 150.0  # below TimeoutStartSec of the unit


def wait(port: str, main: int) -> str:
    """Return why the process cannot serve, or nothing as soon as it does. Where the database is away it
    serves: it says so to everybody and goes on by itself."""
    ask = build_opener(ProxyHandler({})).open
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            ask(f"http://127.0.0.1:{port}/readyz/web", timeout=30).close()
        except HTTPError as answer:
            if json.load(answer).get("migrations") != "pending":
                return ""
            return "The database lacks migrations of this release: systemctl start instrument-commons-migrate"
        except (OSError, ValueError):  # not yet
            if main and not _lives(main):
                return "The process has ended; its last lines say why."
            time.sleep(0.2)
        else:
            return ""
    return f"Nobody answers at port {port}."


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(wait(sys.argv[1], int(os.environ.get("MAINPID", "0"))) or None)
