#!/usr/bin/env python3
"""Checks a bundle or a proof of the trail of Instrument Commons, without the platform.

    python3 verify_bundle.py BUNDLE.jsonl            (also .jsonl.gz, or - for standard input)
    python3 verify_bundle.py PROOF.json
    python3 verify_bundle.py BUNDLE.jsonl --seal 7 --digest HEX

One file, Python 3.8 or later, nothing else. It computes everything anew and names the first
entry that was changed, removed, added or moved. `--digest` is a seal's digest as it was mailed
or shown to you earlier: what was sealed by then cannot have been rewritten since, not even by
somebody who holds the database. Ends with 0: all is as it was sealed; 1: something is not;
2: this is no bundle.

How it is computed:

* An entry's digest is SHA-256 over its canonical JSON (RFC 8785).
* Free text that may have to be erased is not in the entry; the entry holds SHA-256 over its salt
  and its canonical JSON. Where it was erased the entry still proves everything else.
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
    """It cannot be read as a bundle or a proof."""


class Wrong(Exception):
    """What is not as it was sealed, and where."""


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
    """Its digests, once they are known to be what was sealed."""
    name = "seal %s" % seal.get("number")
    if seal_digest(seal) != bytes.fromhex(seal["digest"]):
        raise Wrong("%s says something else than its digest covers" % name)
    if previous is not None:
        if seal["number"] != previous["number"] + 1:
            raise Wrong("seal %d was removed or moved" % (previous["number"] + 1))
        if seal["previous"] != previous["digest"]:
            raise Wrong("%s does not follow the one before it" % name)
    digests = [bytes.fromhex(digest) for digest in seal["digests"]]
    if len(digests) != seal["count"] or root_of(digests) != bytes.fromhex(seal["root"]):
        raise Wrong("%s does not come to its root" % name)
    return digests


def check_entry(line, place):
    """An entry's digest; None where its content is gone, WITHHELD where it is not shown here."""
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
                "entry %s has another reason or free text than was written (%s)"
                % (line["id"], place)
            )
    return sha(canonical(entry))


def named(line):
    entry = line.get("entry") or {}
    return entry.get("id") or line.get("id") or "unknown"


def check_order(seal, digests, lines):
    """Name the first entry that does not stand as it was sealed."""
    number = seal["number"]
    actual = []
    for position, line in enumerate(lines):
        place = "seal %d, position %d" % (number, position)
        digest = check_entry(line, place)
        if digest is WITHHELD:
            stands = line.get("position")
            inside = isinstance(stands, int) and 0 <= stands < len(digests)
            digest = digests[stands] if inside else b""
        actual.append(digest)
    known, present = set(digests), set(actual)
    for position, (expected, digest) in enumerate(zip(digests, actual)):
        if digest == expected:
            continue
        if digest is MISSING:
            what = "was removed"
        elif digest in known:
            what = "was moved"
            if expected not in present:
                raise Wrong(
                    "the entry with digest %s was removed (seal %d, position %d)"
                    % (expected.hex(), number, position)
                )
        else:
            what = "was added" if expected in present else "was changed"
        raise Wrong(
            "entry %s %s (seal %d, position %d)" % (named(lines[position]), what, number, position)
        )
    if len(actual) < len(digests):
        raise Wrong(
            "the entry with digest %s was removed (seal %d, position %d)"
            % (digests[len(actual)].hex(), number, len(actual))
        )
    if len(actual) > len(digests):
        raise Wrong(
            "entry %s was added (seal %d, position %d)"
            % (named(lines[len(digests)]), number, len(digests))
        )
    for position, line in enumerate(lines):
        if line.get("position") != position or line.get("seal") != number:
            raise Wrong(
                "entry %s was moved (seal %d, position %d)" % (named(line), number, position)
            )
        if line.get("entry") and line["entry"].get("id") != line.get("id"):
            raise Wrong(
                "entry %s bears another name (seal %d, position %d)"
                % (named(line), number, position)
            )


def check_bundle(lines, manifest, known):
    """Sums of what was looked at; `Wrong` at the first place that is not as it was sealed."""
    if manifest.get("version") != 1:
        raise NoBundle("this verifier knows version 1 of the bundle")
    limited = manifest.get("regions") is not None
    sums = {"seals": 0, "entries": 0, "withheld": 0, "erased": 0}
    seal, digests, held, before, ended, is_known = None, [], [], None, False, known is None

    def finish():
        if seal is None:
            return
        check_order(seal, digests, held)
        for line in held:
            sums["entries"] += 1
            sums["withheld"] += bool(line.get("withheld"))
            entry = line.get("entry") or {}
            sums["erased"] += entry.get("text") is not None and line.get("text") is None

    for line in lines:
        kind = line.get("kind")
        if ended:
            raise Wrong("something follows the end")
        if kind == "seal":
            finish()
            digests = check_seal(line, before)
            if before is None and line["number"] != manifest["first_seal"]:
                raise Wrong("seal %s was removed" % manifest["first_seal"])
            seal, before, held = line, line, []
            sums["seals"] += 1
            if known and line["number"] == known[0]:
                if line["digest"] != known[1]:
                    raise Wrong(
                        "seal %d is not the one whose digest you know: history was "
                        "rewritten" % known[0]
                    )
                is_known = True
        elif kind == "entry":
            if line.get("seal") is None:
                finish()
                raise Wrong("entry %s was added: it is in no seal" % named(line))
            if line.get("withheld") and not limited:
                raise Wrong(
                    "an entry of seal %s, position %s was removed: nothing is withheld "
                    "from this reader" % (line.get("seal"), line.get("position"))
                )
            if seal is None:
                raise Wrong("entry %s was moved before the first seal" % named(line))
            held.append(line)
        elif kind == "end":
            finish()
            seal, ended = None, True
        else:
            raise Wrong("a line of an unknown kind was added")
    if not ended:
        finish()
        raise Wrong("the end was removed")
    last = before["number"] if before else None
    if last != manifest["last_seal"]:
        raise Wrong("seal %s was removed" % (last + 1 if last else manifest["first_seal"]))
    if not is_known:
        raise Wrong("seal %d, whose digest you know, is not in this bundle" % known[0])
    return sums


# Proofs


def check_proof(proof, known):
    """`Wrong` unless the entry is in its seal."""
    seal, position, count = proof["seal"], proof["position"], proof["seal"]["count"]
    if seal_digest(seal) != bytes.fromhex(seal["digest"]):
        raise Wrong("seal %s says something else than its digest covers" % seal["number"])
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
        raise Wrong(
            "entry %s was changed, or is not in seal %s" % (proof["entry"]["id"], seal["number"])
        )


def documents(stream):
    """The JSON documents of a file: one a line, or a single one over many lines."""
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
