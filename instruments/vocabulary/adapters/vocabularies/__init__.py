"""Read vocabularies of techniques: those that come with the platform, and other files.

`panet.csv` is PaNET, the Photon and Neutron Experimental Techniques ontology
(ExPaNDS-eu/ExPaNDS-experimental-techniques-ontology), CC BY 4.0, without its properties and specifiers.
`own.yaml` adds Chinese names, synonyms and broader terms to it, leaves out synonyms that usually mean
something else (`without`), and adds terms outside its scope. `measurands.yaml` lists what can be found out,
and by which techniques; `parameters.yaml` the quantities by which instruments are compared, with their units.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from instruments.reading.domain.delimited import Cells, FileRefused, RowProblem, read_records
from instruments.vocabulary.domain.needs import Measurand
from instruments.vocabulary.domain.parameters import Parameter, Parameters
from instruments.vocabulary.domain.techniques import Term, merged, with_broader

FOLDER = Path(__file__).parent


def shipped() -> list[Term]:
    """Return the terms that come with the platform: PaNET, merged with our own."""
    with (FOLDER / "panet.csv").open("rb") as stream:
        panet = read_panet(stream)
    own = _read("own")["techniques"]
    left_out = {row["code"]: set(row.pop("without", ())) for row in own}
    panet = [
        replace(t, synonyms=tuple(s for s in t.synonyms if s not in left_out.get(t.code, ()))) for t in panet
    ]
    return merged(with_broader(panet), (_own(row) for row in own))


def shipped_measurands() -> list[Measurand]:
    """Return the measurands that come with the platform."""
    rows = _read("measurands")["measurands"]
    return [
        Measurand(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})  # type: ignore[arg-type]
        for row in rows
    ]


def shipped_parameters() -> Parameters:
    """Return the parameters that come with the platform, by code."""
    rows = _read("parameters")["parameters"]
    return Parameters(
        (row["code"], Parameter(**{name: _of_parameter(value) for name, value in row.items()}))
        for row in rows
    )


def _of_parameter(value: Any) -> Any:
    match value:
        case list():
            return tuple(value)
        case dict():
            return {unit: (Decimal(pair[0]), Decimal(pair[1])) for unit, pair in value.items()}
        case _:
            return value


def _read(name: str) -> Any:
    # libyaml's loader takes a tenth of the time.
    return yaml.load((FOLDER / f"{name}.yaml").read_bytes(), yaml.CSafeLoader)


def read_panet(stream: BinaryIO) -> list[Term]:
    """Read PaNET's own table: `id,label,alt1,alt2,definition,parents`, with parents by code or name."""
    _, records = read_records(stream)
    rows = [record for _, record in records if not isinstance(record, RowProblem)]
    by_name = {row["label"]: row["id"] for row in rows}
    return [
        Term(
            code=row["id"],
            name=row["label"],
            synonyms=tuple(row[n] for n in ("alt1", "alt2") if row[n]),
            definition=row["definition"],
            parents=tuple(
                by_name.get(name, name)
                for name in (p.removeprefix("PaNET:") for p in row["parents"].split("|"))
                if name
            ),
        )
        for row in rows
    ]


def read_table(stream: BinaryIO, scheme: str) -> list[Term]:
    """Read the terms of any scheme from a table with the columns code and name, and optionally name_zh,
    synonyms, parents (codes) and definition; `|` separates several synonyms or parents. `FileRefused`:
    no-such-column, bad-row, and those of `read_records`."""
    header, records = read_records(stream)
    for column in ("code", "name"):
        if column not in header:
            raise FileRefused("no-such-column", column=column)
    return list(_terms(records, scheme))


def _terms(records: Iterator[tuple[int, Cells | RowProblem]], scheme: str) -> Iterator[Term]:
    for line, row in records:
        if isinstance(row, RowProblem) or not row["code"].strip() or not row["name"].strip():
            raise FileRefused("bad-row", line=line)
        several = {
            name: tuple(filter(None, (part.strip() for part in row.get(name, "").split("|"))))
            for name in ("synonyms", "parents")
        }
        yield Term(
            code=row["code"].strip()[:60],
            name=row["name"].strip()[:200],
            scheme=scheme,
            name_zh=row.get("name_zh", "").strip()[:200],
            definition=row.get("definition", "").strip(),
            **several,
        )


def _own(row: dict[str, object]) -> Term:
    return Term(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})  # type: ignore[arg-type]
