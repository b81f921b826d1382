#!/usr/bin/env python3
"""Checks a bundle or a proof of the trail of Instrument Commons, without the platform.

    python3 verify_bundle.py BUNDLE.jsonl            (also .jsonl.gz, or - for standard input)
    python3 verify_bundle.py PROOF.json
    python3 verify_bundle.py BUNDLE.jsonl --seal 7 --digest HEX

It needs only this file and Python 3.8 or later. It computes everything again and names the first
entry that was changed, removed, added or moved. `--digest` is a seal's digest as it was mailed
to auditors or shown on the platform's page of seals (/trail/seals/) earlier: what was sealed by
then cannot have been rewritten since, not even by somebody who holds the database. Without one it
cannot know whether everything from some seal on was rewritten, or the end was cut off, so it names
the newest seal for you to compare. The exit status is 0 if everything is as it was sealed, 1 if
something is not, 2 if this is not a bundle.

How it is computed:

* An entry's digest is SHA-256 over its canonical JSON (RFC 8785).
* Free text that may have to be erased is not in the entry; the entry holds SHA-256 over its salt
  and its canonical JSON. If it was erased, the entry still proves everything else.
* A seal's root is a Merkle tree over its entries' digests in their order, hashed as in RFC 9162:
  a leaf is SHA-256(00 || digest), a node SHA-256(01 || left || right), the left part of n
  leaves holds the largest power of two below n.
* A seal's digest is SHA-256 over the canonical JSON of its number, time, count, root and the
  digest of the seal before it.
"""

import argparse
import gzip
import hashlib
import json
import re
import sys

FORMAT = "instrument-commons-trail"
SEAL = ("number", "at", "count", "root", "previous")
MISSING, WITHHELD = None, object()


class NoBundle(Exception):
    """The input cannot be read as a bundle or a proof."""


class Wrong(Exception):
    """Something is not as it was sealed; the message says where."""


# Canonical JSON of text, whole numbers, truth values, null, lists and objects. Names are sorted
# by UTF-16 units, which is the order of code points but for those beyond the basic plane.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_beyond = re.compile("[\U00010000-\U0010ffff]")


def canonical(value):
    text = _encode(value)
    is_beyond = not text.isascii() and _beyond.search(text)
    return (_sorted(value) if is_beyond else text).encode("utf-8")


def _sorted(value):
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(_encode(n) + ":" + _sorted(value[n]) for n in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_sorted, value)) + "]"
    return _encode(value)


def sha(data):
    return hashlib.sha256(data).digest()


def root_of(digests):
    level = [sha(b"\x00" + digest) for digest in digests]
    while len(level) > 1:
        pairs = [sha(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0] if level else sha(b"")


def seal_digest(seal):
    return sha(canonical({name: seal[name] for name in SEAL}))


def _pairs(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def parse(line):
    return json.loads(line, object_pairs_hook=_pairs)


def opened(name):
    if name == "-":
        return sys.stdin.buffer
    with open(name, "rb") as start:
        is_packed = start.read(2) == b"\x1f\x8b"
    return gzip.open(name, "rb") if is_packed else open(name, "rb")


# One seal and the lines that follow it


def check_seal(seal, previous):
    """Return the digests of a seal after checking that they are what was sealed."""
    name = "seal %s" % seal.get("number")
    if seal_digest(seal) != bytes.fromhex(seal["digest"]):
        raise Wrong("%s does not match its digest" % name)
    if previous is not None:
        if seal["number"] != previous["number"] + 1:
            raise Wrong("seal %d was removed or moved" % (previous["number"] + 1))
        if seal["previous"] != previous["digest"]:
            raise Wrong("%s does not follow the one before it" % name)
    digests = [bytes.fromhex(digest) for digest in seal["digests"]]
    if len(digests) != seal["count"] or root_of(digests) != bytes.fromhex(seal["root"]):
        raise Wrong("%s does not lead to its root" % name)
    return digests


def check_entry(line, place):
    """Return an entry's digest; MISSING if its content is gone, WITHHELD if it is not shown to this
    reader."""
    if line.get("withheld"):
        return WITHHELD
    entry, text = line.get("entry"), line.get("text")
    if entry is None:
        return MISSING
    if text is not None:
        digest = sha(bytes.fromhex(text["salt"]) + canonical(text["content"])).hex()
        if entry.get("text") is None:
            raise Wrong("entry %s had no free text when it was written (%s)" % (line["id"], place))
        if digest != entry["text"]:
            raise Wrong(
                "entry %s has a different reason or free text than was written (%s)" % (line["id"], place)
            )
    return sha(canonical(entry))


def named(line):
    entry = line.get("entry") or {}
    return entry.get("id") or line.get("id") or "unknown"


def digests_in(number, digests, lines):
    """Yield the digests of the lines of a seal; for a withheld line, the one at the position that the line
    states."""
    for position, line in enumerate(lines):
        digest = check_entry(line, "seal %d, position %d" % (number, position))
        if digest is WITHHELD:
            stands = line.get("position")
            inside = isinstance(stands, int) and 0 <= stands < len(digests)
            digest = digests[stands] if inside else b""
        yield digest


def check_order(seal, digests, lines):
    """Raise `Wrong` for the first entry that is not as and where it was sealed."""
    actual = list(digests_in(seal["number"], digests, lines))
    known, present = set(digests), set(actual)

    def misplaced(position, what, *values):
        return Wrong("%s (seal %d, position %d)" % (what % values, seal["number"], position))

    for position, (expected, digest) in enumerate(zip(digests, actual)):
        if digest == expected:
            continue
        if digest is MISSING:
            what = "was removed"
        elif digest not in known:
            what = "was added" if expected in present else "was changed"
        elif expected in present:
            what = "was moved"
        else:
            raise misplaced(position, "the entry with digest %s was removed", expected.hex())
        raise misplaced(position, "entry %s %s", named(lines[position]), what)
    if len(actual) < len(digests):
        raise misplaced(len(actual), "the entry with digest %s was removed", digests[len(actual)].hex())
    if len(actual) > len(digests):
        raise misplaced(len(digests), "entry %s was added", named(lines[len(digests)]))
    for position, line in enumerate(lines):
        if line.get("position") != position or line.get("seal") != seal["number"]:
            raise misplaced(position, "entry %s was moved", named(line))
        if line.get("entry") and line["entry"].get("id") != line.get("id"):
            raise misplaced(position, "entry %s bears another name", named(line))


class Reading:
    """The state of reading a bundle: the seal whose entries are being read, and those of its entries read so
    far."""

    def __init__(self, manifest, known):
        self.manifest, self.known, self.is_known = manifest, known, known is None
        self.seal, self.digests, self.held = None, [], []
        self.ended = False
        self.sums = {"seals": 0, "entries": 0, "withheld": 0, "erased": 0, "newest": None}

    def take(self, line):
        if self.ended:
            raise Wrong("something follows the end")
        kind = line.get("kind")
        if kind == "seal":
            self.begin(line)
        elif kind == "entry":
            self.hold(line)
        elif kind == "end":
            self.finish()
            self.seal, self.ended = None, True
        else:
            raise Wrong("a line of an unknown kind was added")

    def begin(self, seal):
        """Begin a seal after checking that the one before it is complete."""
        self.finish()
        before = self.sums["newest"]
        self.digests = check_seal(seal, before)
        if before is None and seal["number"] != self.manifest["first_seal"]:
            raise Wrong("seal %s was removed" % self.manifest["first_seal"])
        self.seal, self.held = seal, []
        self.sums["newest"] = seal
        self.sums["seals"] += 1
        if self.known and seal["number"] == self.known[0]:
            if seal["digest"] != self.known[1]:
                raise Wrong(
                    "seal %d is not the one whose digest you know: history was rewritten" % self.known[0]
                )
            self.is_known = True

    def hold(self, line):
        """Keep an entry of a bundle until all entries of its seal have been read."""
        if line.get("seal") is None:
            self.finish()
            raise Wrong("entry %s was added: it is in no seal" % named(line))
        if line.get("withheld") and self.manifest.get("regions") is None:
            raise Wrong(
                "an entry of seal %s, position %s was removed: nothing is withheld "
                "from this reader" % (line.get("seal"), line.get("position"))
            )
        if self.seal is None:
            raise Wrong("entry %s was moved before the first seal" % named(line))
        self.held.append(line)

    def finish(self):
        """Check the entries of the seal against it, and count them."""
        if self.seal is None:
            return
        check_order(self.seal, self.digests, self.held)
        for line in self.held:
            self.sums["entries"] += 1
            self.sums["withheld"] += bool(line.get("withheld"))
            entry = line.get("entry") or {}
            self.sums["erased"] += entry.get("text") is not None and line.get("text") is None

    def end(self):
        """Return the counts, after checking that nothing is missing at the end."""
        if not self.ended:
            self.finish()
            raise Wrong("the end was removed")
        newest = self.sums["newest"]
        last = newest["number"] if newest else None
        if last != self.manifest["last_seal"]:
            raise Wrong("seal %s was removed" % (last + 1 if last else self.manifest["first_seal"]))
        if not self.is_known:
            raise Wrong("seal %d, whose digest you know, is not in this bundle" % self.known[0])
        return self.sums


def check_bundle(lines, manifest, known):
    """Return the counts of what was checked; raise `Wrong` at the first place that is not as it was
    sealed."""
    if manifest.get("version") != 1:
        raise NoBundle("this verifier knows version 1 of the bundle")
    reading = Reading(manifest, known)
    for line in lines:
        reading.take(line)
    return reading.end()


# Proofs


def check_proof(proof, known):
    """Raise `Wrong` unless the entry of a proof is in its seal."""
    seal, position, count = proof["seal"], proof["position"], proof["seal"]["count"]
    if seal_digest(seal) != bytes.fromhex(seal["digest"]):
        raise Wrong("seal %s does not match its digest" % seal["number"])
    if known and (seal["number"], seal["digest"]) != known:
        raise Wrong("it is not the seal whose digest you know")
    line = {"id": proof["entry"]["id"], "entry": proof["entry"], "text": proof.get("text")}
    value = sha(b"\x00" + check_entry(line, "seal %s" % seal["number"]))
    # RFC 9162, 2.1.3.2
    first, last = position, count - 1
    if not 0 <= first <= last:
        raise Wrong("its position lies outside the seal")
    for beside in map(bytes.fromhex, proof["path"]):
        if last == 0:
            raise Wrong("the path is too long")
        if first % 2 or first == last:
            value = sha(b"\x01" + beside + value)
            while first % 2 == 0 and first:
                first, last = first // 2, last // 2
        else:
            value = sha(b"\x01" + value + beside)
        first, last = first // 2, last // 2
    if last or value != bytes.fromhex(seal["root"]):
        raise Wrong("entry %s was changed, or is not in seal %s" % (proof["entry"]["id"], seal["number"]))


def documents(stream):
    """Yield the JSON documents of a file: one a line, or a single one over many lines."""
    first = stream.readline()
    try:
        yield parse(first)
    except ValueError:
        yield parse(first + stream.read())
    for number, line in enumerate(stream, 2):
        if line.strip():
            try:
                yield parse(line)
            except ValueError as error:
                raise Wrong("line %d was changed: %s" % (number, error)) from None


def compare(newest, known):
    """Print the newest seal, and what can only be told by a digest kept elsewhere."""
    print("Newest seal: %(number)d, sealed %(at)s, SHA-256 %(digest)s." % newest)
    if not known:
        print(
            "Compare it with the one that was mailed to auditors that day, or that you copied from the"
            " platform's page of seals (/trail/seals/): give that one as --seal and --digest."
            " Whether everything was rewritten, or its end cut off, shows in nothing else."
        )
    elif known[0] != newest["number"]:
        print("What was sealed after seal %d is held by no digest of yours." % known[0])


def main():
    words = argparse.ArgumentParser(description="Checks a bundle or a proof of the trail.")
    words.add_argument("file", help="bundle or proof; - reads standard input")
    words.add_argument("--seal", type=int, help="number of a seal whose digest you know")
    words.add_argument("--digest", help="that digest, 64 hex digits")
    arguments = words.parse_args()
    if (arguments.seal is None) != (arguments.digest is None):
        words.error("--seal and --digest go together")
    known = (arguments.seal, arguments.digest.lower()) if arguments.digest else None
    try:
        with opened(arguments.file) as stream:
            lines = documents(stream)
            try:
                manifest = next(lines)
            except ValueError:
                raise NoBundle("it is not JSON") from None
            if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
                raise NoBundle("it does not begin as one")
            if manifest.get("kind") == "proof":
                check_proof(manifest, known)
                print(
                    "RIGHT: entry %s is in seal %d, as it was written."
                    % (manifest["entry"]["id"], manifest["seal"]["number"])
                )
                compare(manifest["seal"], known)
                return 0
            sums = check_bundle(lines, manifest, known)
    except Wrong as wrong:
        print("WRONG: %s." % wrong)
        return 1
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        print("WRONG: it was damaged: %s: %s." % (type(error).__name__, error))
        return 1
    except (OSError, EOFError, NoBundle) as error:
        print("This is no bundle and no proof: %s." % error)
        return 2
    print(
        "RIGHT: %(entries)d entries in %(seals)d seals are as they were sealed"
        " (%(withheld)d not shown to this reader, %(erased)d with erased text)." % sums
    )
    if known:
        print("The seal you know is among them.")
    if sums["newest"]:
        compare(sums["newest"], known)
    return 0


if __name__ == "__main__":
    sys.exit(main())
