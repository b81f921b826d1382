#!/usr/bin/env python3
"""Draws a sample of Instrument Commons again, without the platform.

    python3 draw_sample.py POPULATION.csv --method random --seed SEED --size 25 [--digest HEX]

POPULATION.csv is the frozen population as it is downloaded with the sample: a line of names
(`id,stratum,value`), then one row each, sorted by id. `value` is in the smallest unit of the
currency. Prints the SHA-256 of the file, and the ids that are drawn; the exit status is 1 if the
digest differs from HEX.

How the sample is drawn, where N(x) is the number whose big-endian bytes are SHA-256 of "SEED:x":

* random: the rows in the order of N(id); the first SIZE of them.
* stratified: each stratum gets SIZE * rows in it / rows in all, rounded down; the rest
  goes to the largest remainders, of equal ones to the first name. Within a stratum as random.
* monetary: the amounts without their signs are laid end to end in the order of the file. The
  interval is their sum / SIZE, rounded down; the first point is N("start") modulo the interval,
  each further one an interval later. A row is drawn if a point falls on its amount; a large
  amount may be hit more than once, but is drawn once.
"""

import argparse
import csv
import hashlib
import io
import sys


def number(seed, text):
    return int.from_bytes(hashlib.sha256(("%s:%s" % (seed, text)).encode("utf-8")).digest(), "big")


def draw_random(rows, seed, size):
    return sorted(rows, key=lambda row: (number(seed, row["id"]), row["id"]))[:size]


def draw_stratified(rows, seed, size):
    strata = {}
    for row in rows:
        strata.setdefault(row["stratum"], []).append(row)
    size = min(size, len(rows))
    parts = {name: size * len(members) // len(rows) for name, members in strata.items()}
    rest = sorted(strata, key=lambda name: (-(size * len(strata[name]) % len(rows)), name))
    for name in rest[: size - sum(parts.values())]:
        parts[name] += 1
    return [row for name in strata for row in draw_random(strata[name], seed, parts[name])]


def draw_monetary(rows, seed, size):
    total = sum(abs(int(row["value"])) for row in rows)
    interval = total // size
    if interval == 0:
        return [row for row in rows if int(row["value"])]
    point, laid, drawn = number(seed, "start") % interval, 0, []
    left = size
    for row in rows:
        laid += abs(int(row["value"]))
        is_drawn = False
        while left and point < laid:
            is_drawn, point, left = True, point + interval, left - 1
        if is_drawn:
            drawn.append(row)
    return drawn


METHODS = {"random": draw_random, "stratified": draw_stratified, "monetary": draw_monetary}


def main():
    words = argparse.ArgumentParser(description="Draws a sample again.")
    words.add_argument("population")
    words.add_argument("--method", choices=sorted(METHODS), required=True)
    words.add_argument("--seed", required=True)
    words.add_argument("--size", type=int, required=True)
    words.add_argument("--digest", help="SHA-256 of the population, as the platform shows it")
    arguments = words.parse_args()
    with open(arguments.population, "rb") as file:
        content = file.read()
    digest = hashlib.sha256(content).hexdigest()
    print("population %s" % digest)
    if arguments.digest and arguments.digest.lower() != digest:
        print("WRONG: this is not the population that was frozen.")
        return 1
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
    drawn = METHODS[arguments.method](rows, arguments.seed, arguments.size) if rows else []
    for name in sorted(row["id"] for row in drawn):
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
