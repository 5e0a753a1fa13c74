"""Grafana's template variables in SQL, PromQL, texts and links: $name, ${name}, ${name:format}, and the built-in ones that boards use.

The formats are Grafana's (grafana/scenes, formatRegistry). Two things differ on purpose:

- `sqlstring` doubles a quote, as Grafana does, and a backslash too. ClickHouse reads a backslash and a quote within a string as a quote,
  so that Grafana's form of a value that begins with those two ends the string early, and the rest of the value is read as SQL. Here every
  value is one string; a value without a backslash is written as Grafana writes it. (Under Grafana the data source's user still reads
  no more than its own rows.)
- A name that is not known stays as it is, and so does one with a format that is not known: an error that is seen.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import quote

from dashboards.reading.macros import Span

Value = str | Sequence[str]
Format = Literal["glob", "sql", "regex", "uriencode"]
"""How a variable without a format of its own is written: as it is (texts), as the ClickHouse plugin, Prometheus and links do."""

_REFERENCE: Final = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}")
_FIELD: Final = re.compile(r"fields(?:\.(.+)|\[\"(.+)\"\]|\[(\d+)\])")
_REGEX_MEANS: Final = re.compile(r"[\\^$*+?.()|[\]{}/]")
_SCHEMES: Final = ("http://", "https://", "/", "?", "#")
_UNITS: Final = (("y", 31_536_000_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def interpolate(
    text: str,
    variables: Mapping[str, Value],
    *,
    default: Format = "glob",
    texts: Mapping[str, str] | None = None,
    span: Span | None = None,
    shown: tuple[str, str] | None = None,
    interval_ms: int | None = None,
    fields: Mapping[str, str] | None = None,
    value: str | None = None,
) -> str:
    """Text with its variables written out.

    variables: the value of each, or its values where several may be chosen. texts: what the reader sees of it, for the format `text`.
    span: for ${__from} and ${__to}; shown: the same as a reader wrote it ("now-24h", "now"), for ${__url_time_range}. interval_ms: for
    $__interval and $__interval_ms. fields: the row of a table, in the order of its columns, for ${__data.fields.name}; value: the cell,
    for ${__value.raw} and ${__value.text}.
    """
    built_in = _built_in(span, shown, interval_ms, value)

    def written(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[4]
        path, style = found[5] or "", found[3] or found[6] or ""
        if name == "__all_variables":
            return "&".join(_formatted("queryparam", one, given) or "" for one, given in variables.items())
        if name == "__data":
            given: Value | None = _field(fields, path)
        else:
            given = built_in.get((name, path)) if path or name not in variables else variables[name]
        if given is None:
            return found[0]
        if style == "text":
            return (texts or {}).get(name) or (given if isinstance(given, str) else " + ".join(given))
        if name == "__url_time_range" and not style:
            return str(given)
        written_out = _formatted(style or default, name, given)
        return found[0] if written_out is None else written_out

    return _REFERENCE.sub(written, text)


def link(
    address: str,
    variables: Mapping[str, Value],
    *,
    span: Span | None = None,
    shown: tuple[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    value: str | None = None,
) -> str:
    """An address with its variables written out, as Grafana does in links of panels and cells.

    '' for what leads to no page: nothing at all, javascript:, data: and other schemes than http and https.
    """
    href = interpolate(
        address.replace("\n", ""), variables, default="uriencode", span=span, shown=shown, fields=fields, value=value
    ).strip()
    return href if href.lower().startswith(_SCHEMES) else ""


def _built_in(span: Span | None, shown: tuple[str, str] | None, interval_ms: int | None, value: str | None) -> dict[tuple[str, str], str]:
    known: dict[tuple[str, str], str] = {}
    if span is not None:
        known |= {("__from", ""): str(span.from_ms), ("__to", ""): str(span.to_ms)}
        shown = shown or (str(span.from_ms), str(span.to_ms))
    if shown is not None:
        known["__url_time_range", ""] = f"from={quote(shown[0], safe='')}&to={quote(shown[1], safe='')}"
    if interval_ms is not None:
        unit, size = next(((unit, size) for unit, size in _UNITS if interval_ms >= size), ("ms", 1))
        known |= {("__interval", ""): f"{interval_ms // size}{unit}", ("__interval_ms", ""): str(interval_ms)}
    if value is not None:
        known |= {("__value", path): value for path in ("raw", "text", "numeric")}
    return known


def _field(fields: Mapping[str, str] | None, path: str) -> str | None:
    found = _FIELD.fullmatch(path)
    if fields is None or found is None:
        return None
    if found[3]:
        columns = list(fields.values())
        return columns[int(found[3])] if int(found[3]) < len(columns) else None
    return fields.get(found[1] or found[2])


def _formatted(style: str, name: str, given: Value) -> str | None:
    """A value in one of Grafana's formats; None for a format that is not known."""
    several = [] if isinstance(given, str) else list(given)
    one = given if isinstance(given, str) else ",".join(several)
    globbed = "{" + one + "}" if len(several) > 1 else one
    match style:
        case "raw" | "csv":
            return one
        case "glob":
            return globbed
        case "sql":
            return one if isinstance(given, str) else "'" + "','".join(several) + "'"
        case "sqlstring":
            return ",".join(map(_sql_string, several)) if several else _sql_string(one)
        case "pipe":
            return "|".join(several) or one
        case "regex":
            escaped = [_REGEX_MEANS.sub(r"\\\g<0>", each) for each in several or [one]]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
        case "percentencode":
            return _component("{" + one + "}" if several else one)
        case "uriencode":
            return quote("{" + one + "}" if several else one, safe=";,/?:@&=+$-_.~#")
        case "queryparam":
            return "&".join(f"var-{name}={_component(each)}" for each in several or [one])
        case "date" | "date:iso":
            return _iso(one)
        case "date:seconds":
            return str(round(int(one) / 1000))
        case _:
            return None


def _sql_string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _component(value: str) -> str:
    """As a part of an address (RFC 3986: all but the unreserved characters is encoded)."""
    return quote(value, safe="")


def _iso(ms: str) -> str:
    return datetime.fromtimestamp(int(ms) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
