"""A small mapping and small files for tests."""

from pathlib import Path
from textwrap import dedent
from typing import Any

from connectors.mapped_file.connector import MappedFile
from connectors.mapped_file.mapping import Mapping
from connectors.mapped_file.problems import Problem
from connectors.protocol import Finished, WireEvent
from schemas import yamlfile

MAPPING = """
mapping: desk
organisation: leiden
source: urn:nld:oin:00000000000000000000:systeem:desk
system: desk
file:
  drop: [Name]
times: {zone: Europe/Amsterdam, formats: ["%d-%m-%Y %H:%M:%S", iso], earliest: 2020-01-01, latest: 2030-12-31}
contact: Id
tables:
  channel: {values: {Telefoon: telephone, Balie: counter}}
events:
  - type: contact.opened
    at: Opened
    required: true
    data: {channel: {column: Channel, table: channel}, product: Product}
    deadlines: {answered: Due}
  - type: contact.closed
    at: Closed
  - type: survey.answered
    when: [{column: Grade, empty: false}]
    at: Closed
    data: {answer: Id, revision: 0, status: {value: complete}, instrument: {value: after}, version: 1, items: {overall: Grade}}
"""

HEADER = "Id,Name,Channel,Product,Opened,Closed,Due,Grade"


def mapping(text: str = MAPPING) -> Mapping:
    return yamlfile.loads(dedent(text), Mapping, "mapping.yaml")


def changed(**parts: Any) -> Mapping:
    """The small mapping with other parts."""
    return Mapping.model_validate({**mapping().model_dump(by_alias=True), **parts})


def rows(count: int) -> list[str]:
    """Distinct rows; every third is still open, every second of the others has a grade."""
    made = []
    for number in range(count):
        closed = "" if number % 3 == 0 else f"2026-03-{number % 28 + 1:02}T12:00:00"
        grade = str(number % 10 + 1) if closed and number % 2 else ""
        channel = "Balie" if number % 4 == 0 else "Telefoon"
        made.append(
            f"C{number},Jan,{channel},Paspoort,2026-03-{number % 28 + 1:02}T09:{number % 60:02}:00,{closed},2026-04-01T09:00:00,{grade}"
        )
    return made


def csv_file(path: Path, lines: list[str], header: str = HEADER, encoding: str = "utf-8", end: str = "\n") -> Path:
    path.write_bytes(end.join([header, *lines, ""]).encode(encoding))
    return path


def read_all(path: Path, by: Mapping | None = None, cursor: str | None = None) -> tuple[list[WireEvent], list[Problem], MappedFile]:
    """Everything a file gives: events, problems, and the connector."""
    problems: list[Problem] = []
    connector = MappedFile(path, by or mapping(), problem=problems.append, rows_a_batch=7)
    connector.resume(cursor)
    events: list[WireEvent] = []
    while True:
        try:
            events += connector.poll().events
        except Finished:
            return events, problems, connector
