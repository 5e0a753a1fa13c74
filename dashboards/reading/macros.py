"""The macros of Grafana's ClickHouse plugin ($__timeFilter and its kin), expanded as the plugin's back end does.

The rules are those of grafana-clickhouse-datasource 4.20.0 (pkg/macros) with the engine it uses, macropro 1.0.1:

- Comments (`--` to the end of the line, `/* */`) become as many spaces as they have bytes, first, so that no macro in one is expanded.
  What looks like a comment within '…', "…", `…` or $tag$…$tag$ is none; in the first two a backslash escapes. No macro: comments stay.
- Macros are expanded wherever else they stand, also within quotes. A name is read as far as it goes: $__interval_ms is not $__interval.
- Arguments end at the parenthesis that closes the first, are separated by commas outside quotes and parentheses, and lose the spaces
  around them. Macros in arguments are expanded first; what a macro yields is not read again. Without a closing parenthesis there are none.
- Names that the plugin does not know stay as they are: ClickHouse then says what is wrong.

Not done: macros that rewrite the whole statement ($__columns and its kin), those of the plugin's front end ($__conditionalAll,
$__adHocFilters) and those of its query builder ($__table, $__column). Our boards have none of them, and `expand` refuses them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_PREFIX: Final = "$__"
_NAME: Final = re.compile(r"[A-Za-z0-9_]*")
_DOLLAR_TAG: Final = re.compile(r"\$[A-Za-z0-9_]*\$")
_DURATION: Final = re.compile(r"([-+]?)((?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_DURATION_PART: Final = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS: Final = {
    "ns": Decimal("1e-9"), "us": Decimal("1e-6"), "µs": Decimal("1e-6"), "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600),
}  # fmt: skip
_REFUSED: Final = frozenset(
    ("columns", "rateColumns", "perSecondColumns", "increaseColumns", "lttb", "conditionalAll", "adHocFilters", "table", "column")
)
_DEEPEST: Final = 128
"""How deep macros may stand within each other's arguments."""


class MacroError(ValueError):
    """A macro cannot be expanded: the message names it and says why."""


@dataclass(frozen=True)
class Span:
    """What a board shows: from and to, in milliseconds since 1970 (UTC)."""

    from_ms: int
    to_ms: int


def expand(sql: str, span: Span, interval_ms: int) -> str:
    """SQL with its macros expanded.

    interval_ms: how far apart points of a series should be; the plugin never goes below a second (a millisecond for the macros in _ms).
    Raises MacroError for a macro with the wrong number of arguments, a duration that is none, or one that boards must not use.
    """
    if _PREFIX not in sql:
        return sql
    return _expand(_without_comments(sql), _Asked(span, interval_ms), 0)


@dataclass(frozen=True)
class _Asked:
    span: Span
    interval_ms: int

    @property
    def seconds(self) -> int:
        return max(self.interval_ms // 1000, 1)


def _expand(sql: str, asked: _Asked, depth: int) -> str:
    if depth > _DEEPEST:
        raise MacroError(f"macros stand more than {_DEEPEST} deep within each other")
    done: list[str] = []
    at = 0
    while (start := sql.find(_PREFIX, at)) >= 0:
        name_from = start + len(_PREFIX)
        name = _match(_NAME, sql, name_from)
        after = name_from + len(name)
        done.append(sql[at:start])
        at = after
        if name in _REFUSED:
            raise MacroError(f"$__{name} is not expanded here: write the SQL out, so that every reader of a board understands it")
        macro = _MACROS.get(name)
        if macro is None:
            done.append(sql[start:after])
            continue
        inside = ""
        if sql[after : after + 1] == "(" and (end := _closing(sql, after)) is not None:
            inside, at = sql[after + 1 : end], end + 1
        arguments = [_expand(one, asked, depth + 1) for one in _arguments(inside)]
        if macro.takes is not None and len(arguments) != macro.takes:
            raise MacroError(f"$__{name} takes {macro.takes} argument{'s' if macro.takes > 1 else ''}, not {len(arguments)}")
        done.append(macro.text(asked, arguments))
    done.append(sql[at:])
    return "".join(done)


def _without_comments(sql: str) -> str:
    """The same SQL with spaces in the place of comments, one a byte."""
    done: list[str] = []
    at = 0
    while at < len(sql):
        character, two = sql[at], sql[at : at + 2]
        end = at + 1
        comment = False
        if character in "'\"":
            end = _quoted(sql, at, backslash=True)
        elif character == "`":
            end = _quoted(sql, at, backslash=False)
        elif character == "$":
            tag = _match(_DOLLAR_TAG, sql, at)
            closed = sql.find(tag, at + len(tag)) if tag else -1
            end = closed + len(tag) if closed >= 0 else end
        elif two == "--":
            comment = True
            end = min((found for found in (sql.find("\n", at), sql.find("\r", at)) if found >= 0), default=len(sql))
        elif two == "/*":
            comment = True
            closed = sql.find("*/", at + 2)
            end = closed + 2 if closed >= 0 else len(sql)
        done.append(" " * len(sql[at:end].encode()) if comment else sql[at:end])
        at = end
    return "".join(done)


def _match(pattern: re.Pattern[str], text: str, at: int) -> str:
    found = pattern.match(text, at)
    return found.group() if found else ""


def _quoted(text: str, at: int, backslash: bool) -> int:
    """Where what is quoted from `at` on ends: after the quote that is not doubled, else at the end of the text."""
    quote = text[at]
    at += 1
    while at < len(text):
        if backslash and text[at] == "\\" and at + 1 < len(text):
            at += 2
        elif text[at] != quote:
            at += 1
        elif text[at + 1 : at + 2] == quote:
            at += 2
        else:
            return at + 1
    return at


def _closing(text: str, at: int) -> int | None:
    """Where the parenthesis closes that opens at `at`; None when it does not."""
    depth = 0
    while at < len(text):
        if text[at] in "'\"":
            at = _quoted(text, at, backslash=False)
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
        at += 1
    return None


def _arguments(inside: str) -> list[str]:
    """What stands between commas outside quotes and parentheses; none at all for blanks. `inside` is balanced: _closing found its end."""
    inside = inside.strip()
    if not inside:
        return []
    found: list[str] = []
    depth = start = at = 0
    while at < len(inside):
        if inside[at] in "'\"":
            at = _quoted(inside, at, backslash=False)
            continue
        depth += {"(": 1, ")": -1}.get(inside[at], 0)
        if inside[at] == "," and depth == 0:
            found.append(inside[start:at].strip())
            start = at + 1
        at += 1
    return [*found, inside[start:].strip()]


@dataclass(frozen=True)
class _Macro:
    """takes: how many arguments, None for any number."""

    takes: int | None
    text: Callable[[_Asked, Sequence[str]], str]


def _seconds(ms: int) -> str:
    return f"toDateTime({ms // 1000})"


def _millis(ms: int) -> str:
    return f"fromUnixTimestamp64Milli({ms})"


def _date(ms: int) -> str:
    """The plugin takes the day in the time zone of Grafana's server, which we take to be UTC."""
    return f"toDate('{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}')"


def _between(column: str, asked: _Asked, written: Callable[[int], str]) -> str:
    return f"{column} >= {written(asked.span.from_ms)} AND {column} <= {written(asked.span.to_ms)}"


def _date_and_time(asked: _Asked, arguments: Sequence[str]) -> str:
    return f"({_between(arguments[0], asked, _date)}) AND ({_between(arguments[1], asked, _seconds)})"


def _group(_: _Asked, arguments: Sequence[str]) -> str:
    written = arguments[1].strip("'\"")
    found = _DURATION.fullmatch(written)
    if found is None:
        raise MacroError(f"$__timeGroup takes a duration such as 5m or 1h30m, not {written!r}")
    size = sum((Decimal(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(found[2])), Decimal())
    seconds = int(size.quantize(Decimal(1), ROUND_HALF_UP)) * (-1 if found[1] == "-" else 1)
    if seconds <= 0:
        raise MacroError(f"$__timeGroup takes a duration of at least a second, not {written!r}")
    return f"toStartOfInterval(toDateTime({arguments[0]}), INTERVAL {seconds} second)"


def _interval(asked: _Asked, _: Sequence[str]) -> str:
    """In the largest unit that it is a whole number of, hours at most."""
    if asked.interval_ms == 0:
        return "0s"
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if asked.interval_ms % size == 0:
            return f"{asked.interval_ms // size}{unit}"
    return f"{asked.interval_ms}ms"


_MACROS: Final = {
    "timeFilter": _Macro(1, lambda asked, given: _between(given[0], asked, _seconds)),
    "timeFilter_ms": _Macro(1, lambda asked, given: _between(given[0], asked, _millis)),
    "dateFilter": _Macro(1, lambda asked, given: _between(given[0], asked, _date)),
    "dateTimeFilter": _Macro(2, _date_and_time),
    "dt": _Macro(2, _date_and_time),
    "timeFrom": _Macro(1, lambda asked, given: f"{given[0]} >= {_seconds(asked.span.from_ms)}"),
    "timeTo": _Macro(1, lambda asked, given: f"{given[0]} <= {_seconds(asked.span.to_ms)}"),
    "fromTime": _Macro(None, lambda asked, _: _seconds(asked.span.from_ms)),
    "toTime": _Macro(None, lambda asked, _: _seconds(asked.span.to_ms)),
    "fromTime_ms": _Macro(None, lambda asked, _: _millis(asked.span.from_ms)),
    "toTime_ms": _Macro(None, lambda asked, _: _millis(asked.span.to_ms)),
    "timeInterval": _Macro(1, lambda asked, given: f"toStartOfInterval(toDateTime({given[0]}), INTERVAL {asked.seconds} second)"),
    "timeInterval_ms": _Macro(
        1, lambda asked, given: f"toStartOfInterval(toDateTime64({given[0]}, 3), INTERVAL {max(asked.interval_ms, 1)} millisecond)"
    ),
    "timeGroup": _Macro(2, _group),
    "interval": _Macro(None, _interval),
    "interval_ms": _Macro(None, lambda asked, _: str(asked.interval_ms)),
    "interval_s": _Macro(None, lambda asked, _: str(asked.seconds)),
}
