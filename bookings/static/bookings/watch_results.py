#!/usr/bin/env python3
"""Watches a folder at an instrument and uploads results to Instrument Commons.

    python3 watch_results.py https://instruments.example.org FOLDER
    python3 watch_results.py https://instruments.example.org FOLDER --booking ID --once

It needs only this file and Python 3.8 or later, also on Windows (`py watch_results.py ...`). The token,
with the scopes `read` and `upload`, is read from the environment variable
INSTRUMENT_COMMONS_TOKEN or from a file (`--token-file`), so that lists of processes do not show it.

FOLDER has one folder for each booking, whose name is the booking's code as its results' page
shows it, alone or before a space: `7f3a9c21` or `7f3a9c21 steel, second day`. With `--booking`
FOLDER is for that one booking. Files in subfolders keep their paths.

* A file is uploaded once its size and time have not changed for `--settle` seconds. Names that
  begin with a full stop, or end in .tmp, .part, .lock or ~, are ignored, and so are links.
* Its SHA-256 is stated first; the platform computes its own, and results are sealed only if the
  two agree. An interrupted upload resumes where the platform says that it stopped.
* Uploaded files are recorded in FOLDER/.instrument-commons.json and never uploaded twice, even if
  this program is killed in between: it then finds the file on the platform. A file that changes
  afterwards is reported and not uploaded again until it is removed on the page.

No other file in FOLDER is ever changed or deleted. The exit status is 0 (--once: everything is
uploaded), 1 (--once: something is not) or 2 (it cannot work at all, because of the token, the
address, or another program that watches FOLDER).
"""

import argparse
import base64
import hashlib
import json
import os
import re
import stat
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PIECE = 8 << 20  # bytes of one request; the platform accepts 16 MiB
STATE = ".instrument-commons.json"
SKIPPED = (".tmp", ".part", ".lock", ".crdownload", "~")
LONGEST_WAIT = 60.0
AGAIN = 3600  # seconds after which a refused file is tried again
JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT
CODE = re.compile(r"([0-9a-f]{8})(?: .*)?", re.IGNORECASE)


class Stop(Exception):
    """The program cannot continue at all."""


class NotTaken(Exception):
    """The server does not accept this file; the message says why."""


class Away(Exception):
    """The platform does not answer at the moment."""

    def __init__(self, why, wait=None):
        super().__init__(why)
        self.wait = wait


class _Stay(urllib.request.HTTPRedirectHandler):
    """A handler that follows no redirect, as the token is for one address only."""

    def redirect_request(self, *args):
        return None


class Platform:
    """The API of the platform, asked with a token."""

    def __init__(self, site, token):
        parts = urllib.parse.urlsplit(site)
        is_near = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_near):
            raise Stop("the address must begin with https://")
        self.api = site.rstrip("/") + "/api/v1/"
        self.token = token
        self.opener = urllib.request.build_opener(_Stay)

    def ask(self, method, address, body=None, **headers):
        """Return the headers and the content of an answer from an address below the API. Raise `Stop`,
        `NotTaken`, `Away`."""
        address = self.api + address
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = "Bearer " + self.token
        if "/uploads/" in address:
            headers["Tus-Resumable"] = "1.0.0"
        request = urllib.request.Request(address, data=body, headers=headers, method=method)
        try:
            with self.opener.open(request, timeout=120) as answer:
                return answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                content = error.read(100000)
            self._refuse(error.code, error.headers, content)
        except (OSError, ValueError) as error:
            raise Away(str(error)) from error

    def _refuse(self, status, headers, content):
        try:
            problem = json.loads(content.decode())
        except ValueError:
            problem = {}
        text = problem.get("title") or problem.get("detail") or "status %d" % status
        if status in (408, 423, 429) or status >= 500:
            wait = headers.get("Retry-After", "")
            raise Away(text, float(wait) if wait.isdigit() else None)
        if status in (401, 403):
            raise Stop("the platform does not accept the token: " + text)
        refused = NotTaken(text)
        refused.status, refused.problem = status, problem
        raise refused

    def rows(self, address):
        """Yield all rows of a list, page by page."""
        while address:
            page = json.loads(self.ask("GET", address)[1].decode())
            for row in page["results"]:
                yield row
            # Only the path below the API is used for the next page, so that the token goes nowhere else.
            address = (page.get("next") or "").partition("/api/v1/")[2]


def opened(folder, path):
    """Open a file below a folder for reading. No part of its path may be a link, even one created since it
    was listed, so that nothing from elsewhere is sent."""
    names = path.split("/")
    if os.open in os.supports_dir_fd:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in names[:-1]:
                outer, place = (
                    place,
                    os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place),
                )
                os.close(outer)
            file = os.open(names[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
        finally:
            os.close(place)
        stream, is_own = os.fdopen(file, "rb"), True
    else:  # Windows: check that the opened file is the one at the path, with no link on the way
        steps = [os.path.join(folder, *names[: n + 1]) for n in range(len(names))]
        stream = open(steps[-1], "rb")  # noqa: SIM115
        is_same = os.path.samestat(os.fstat(stream.fileno()), os.lstat(steps[-1]))
        is_own = is_same and not any(map(is_link, steps))
    if not is_own or not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError("it is no file of its own")
    return stream


def digest_of(folder, path):
    """Return the SHA-256 of a file below a folder, and its size and time while it was read."""
    digest = hashlib.sha256()
    with opened(folder, path) as stream:
        before = mark_of(stream.fileno())
        while True:
            piece = stream.read(1 << 20)
            if not piece:
                break
            digest.update(piece)
        if mark_of(stream.fileno()) != before:
            raise OSError("it changed while it was read")
    return digest.hexdigest(), before


def mark_of(file):
    """Return size and time of a file, given by path or open: they change when the file does."""
    entry = os.fstat(file) if isinstance(file, int) else os.lstat(file)
    return [entry.st_size, entry.st_mtime_ns]


def files_in(folder):
    """Yield the paths of the files below a folder, with `/` between names."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if is_meant(parent, each))
        for name in sorted(names):
            if is_meant(parent, name):
                path = os.path.relpath(os.path.join(parent, name), folder)
                yield path.replace(os.sep, "/")


def is_meant(parent, name):
    skipped = name.startswith(".") or name.lower().endswith(SKIPPED)
    return not skipped and not is_link(os.path.join(parent, name))


def is_link(path):
    """Say whether a path is a link, or a junction of Windows, which anybody may make."""
    try:
        entry = os.lstat(path)
    except OSError:  # gone
        return True
    return stat.S_ISLNK(entry.st_mode) or getattr(entry, "st_reparse_tag", 0) == JUNCTION


class Watch:
    """A watched folder, and what is known of its files."""

    def __init__(self, platform, folder, booking, settle):
        self.platform, self.folder, self.settle = platform, os.path.abspath(folder), settle
        self.booking = booking
        self.seen = {}  # since when a file is unchanged; lost when the program ends
        self.file = os.path.join(self.folder, STATE)
        self.lock = self._alone()
        self.state = {}
        if os.path.exists(self.file):
            with open(self.file, encoding="utf-8") as stream:
                self.state = json.load(stream)

    def _alone(self):
        # The system releases the lock, however the program ends.
        stream = open(self.file + ".lock", "a")  # noqa: SIM115
        try:
            if os.name == "nt":
                import msvcrt  # noqa: PLC0415

                msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl  # noqa: PLC0415

                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop("another one watches this folder") from None
        return stream

    def note(self):
        """Store what is known of the files, so that a crash leaves either the old state or the new."""
        with open(self.file + ".tmp", "w", encoding="utf-8") as stream:
            json.dump(self.state, stream, indent=1, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(self.file + ".tmp", self.file)

    def pairs(self):
        """Yield each folder of a booking, with the delivery that its files are for."""
        rows = []
        for state in ("expected", "uploading"):
            address = "results/?state=" + state
            if self.booking:
                address += "&reservation=" + self.booking
            rows += self.platform.rows(address)
        if self.booking:
            if rows:
                yield "", rows[0]["id"]
            return
        by_code = {}
        for row in rows:
            by_code.setdefault(row["reservation"].replace("-", "")[-8:], []).append(row["id"])
        for name in sorted(os.listdir(self.folder)):
            match = CODE.fullmatch(name)
            place = os.path.join(self.folder, name)
            if not match or not os.path.isdir(place) or is_link(place):
                continue
            found = by_code.get(match.group(1).lower(), [])
            if len(found) == 1:
                yield name, found[0]
            elif found:
                say(name, "the code stands for several bookings: use --booking")

    def round(self):
        """Look at everything once; return whether something still has to be done, or was refused."""
        is_open = False
        pairs = list(self.pairs())
        for name, hand_off in pairs:
            place = os.path.join(self.folder, name)
            theirs = None
            for path in files_in(place):
                key = name + "/" + path if name else path
                full = os.path.join(place, *path.split("/"))
                try:
                    mark = mark_of(full)
                    if not self._is_due(key, mark):
                        is_open = is_open or not self._is_done(key, mark)
                        continue
                    if theirs is None:
                        rows = self.platform.rows("results/%s/files/" % hand_off)
                        theirs = {row["path"]: row for row in rows}
                    self._upload(key, path, hand_off, theirs)
                except NotTaken as refused:
                    is_open = True
                    say(key, "not taken: %s" % refused)
                    if getattr(refused, "status", 0) != 404:  # otherwise it is started again
                        at = time.time()
                        self.state[key] = {"mark": mark, "refused": str(refused), "at": at}
                        self.note()
                except OSError as error:  # of the file: it is still being written, or is gone
                    say(key, str(error))
                    is_open = True
        if not pairs:
            say(self.folder, "no results are awaited for what is here")
        return is_open or not pairs

    def _is_done(self, key, mark):
        known = self.state.get(key, {})
        return known.get("done") and known["mark"] == mark

    def _is_due(self, key, mark):
        """Say whether a file is to be uploaded: it no longer changes, and was neither uploaded nor
        refused."""
        known = self.state.get(key, {})
        if known.get("done") and known["mark"] != mark and known.get("told") != mark:
            known["told"] = mark
            self.note()
            say(key, "changed after it was uploaded: take it away on the page to upload it anew")
        is_refused = known.get("refused") and known["mark"] == mark
        if known.get("done") or (is_refused and time.time() - known["at"] < AGAIN):
            return False
        since, before = self.seen.get(key, (time.monotonic(), None))
        if before != mark:
            self.seen[key] = (time.monotonic(), mark)
            return self.settle <= 0
        return time.monotonic() - since >= self.settle

    def _upload(self, key, path, hand_off, theirs):
        known = self.state.get(key, {})
        now = mark_of(os.path.join(self.folder, *key.split("/")))
        if known.get("mark") != now or "sha256" not in known:
            sha256, mark = digest_of(self.folder, key)
            known = self.state[key] = {"mark": mark, "sha256": sha256}
            self.note()
        size = known["mark"][0]
        there = theirs.get(path)
        if there is not None:
            if [there["size"], there["sha256_stated"]] != [size, known["sha256"]]:
                raise NotTaken("another file of this name is there")
            address = "uploads/%s/" % there["id"]
        else:
            values = {"hand_off": hand_off, "path": path, "sha256": known["sha256"]}
            pairs = [name + " " + base64.b64encode(value.encode()).decode() for name, value in values.items()]
            headers, _ = self.platform.ask(
                "POST", "uploads/", b"", Upload_Length=str(size), Upload_Metadata=",".join(pairs)
            )
            # The same upload by its path alone, whatever the platform's host name is.
            address = "uploads/" + headers["Location"].rstrip("/").rpartition("/")[2] + "/"
        is_whole = there is not None and there["state"] != "uploading"
        if size and not is_whole:
            self._send(address, key, known["mark"])
        known["done"] = True
        self.note()
        say(key, "uploaded")

    def _send(self, address, key, mark):
        size, offset, failures, most = mark[0], None, 0, PIECE
        with opened(self.folder, key) as stream:
            while offset != size:
                try:
                    if offset is None:
                        headers, _ = self.platform.ask("HEAD", address)
                        offset = int(headers["Upload-Offset"])
                        continue
                    stream.seek(offset)
                    piece = stream.read(most)
                    if mark_of(stream.fileno()) != mark:
                        raise NotTaken("it changed while it was uploaded")
                    digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
                    headers, _ = self.platform.ask(
                        "PATCH",
                        address,
                        piece,
                        Content_Type="application/offset+octet-stream",
                        Upload_Offset=str(offset),
                        Upload_Checksum="sha256 " + digest,
                    )
                    offset, failures = int(headers["Upload-Offset"]), 0
                except Away as away:
                    failures += 1
                    offset = None  # ask again, since only the platform knows how much arrived
                    time.sleep(min(away.wait or 0.5 * 2 ** min(failures, 8), LONGEST_WAIT))
                except NotTaken as refused:
                    status = getattr(refused, "status", 0)
                    failures += 1
                    if status == 413 and most > 1 << 16:  # a proxy accepts less
                        most //= 2
                    elif status in (409, 422, 460) and failures < 10:
                        offset = None
                        time.sleep(0.2 * failures)
                    else:
                        raise


def say(name, text):
    print("%s  %s: %s" % (time.strftime("%Y-%m-%d %H:%M:%S"), name, text), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("site", help="https://instruments.example.org")
    parser.add_argument("folder")
    parser.add_argument(
        "--booking", default="", help="id of the only booking whose results are in the folder"
    )
    parser.add_argument(
        "--settle", type=float, default=60, help="seconds without a change before a file is uploaded (60)"
    )
    parser.add_argument("--every", type=float, default=15, help="seconds between two checks (15)")
    parser.add_argument("--once", action="store_true", help="stop when everything is uploaded")
    parser.add_argument("--token-file", help="file with the token; default: INSTRUMENT_COMMONS_TOKEN")
    options = parser.parse_args()
    try:
        token = os.environ.get("INSTRUMENT_COMMONS_TOKEN", "")
        if options.token_file:
            with open(options.token_file, encoding="utf-8") as stream:
                token = stream.read()
        if not token.strip():
            raise Stop("no token: set INSTRUMENT_COMMONS_TOKEN or give --token-file")
        if not os.path.isdir(options.folder):
            raise Stop("there is no such folder")
        platform = Platform(options.site, token.strip())
        watch = Watch(platform, options.folder, options.booking, options.settle)
        return run(watch, options)
    except Stop as stop:
        print("watch_results: %s" % stop, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def run(watch, options):
    failures = 0
    while True:
        try:
            is_open = watch.round()
            failures = 0
        except Away as away:
            failures += 1
            say("platform", "does not answer: %s" % away)
            time.sleep(min(away.wait or 2.0 ** min(failures, 6), LONGEST_WAIT))
            continue
        waits = any(key not in watch.state for key in watch.seen)
        if options.once and (not is_open or not waits):
            return 1 if is_open else 0
        time.sleep(min(options.every, max(options.settle, 0.2)))


if __name__ == "__main__":
    sys.exit(main())
