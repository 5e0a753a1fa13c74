"""Grafana's variables in questions, texts and links."""

import pytest

from dashboards.reading.interpolation import interpolate, link
from dashboards.reading.macros import Span, expand
from pipeline.store.client import Connection
from tests.engines import ClickHouseEngine

SPAN = Span(1_415_792_726_123, 1_447_328_726_456)
CHOSEN = {"organisation": "blauwestad", "channel": "telefoon", "several": ["a", "b"], "single": ["a"], "odd": "a'b\\c\"d&e=f?g%h (i)*"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("$organisation ${organisation} [[organisation]]", "blauwestad blauwestad blauwestad"),
        ("$organisations ${organisations:sqlstring} $ ${} $1", "$organisations ${organisations:sqlstring} $ ${} $1"),
        ("${organisation:sqlstring}", "'blauwestad'"),
        ("[[organisation:sqlstring]]", "'blauwestad'"),
        ("${several:sqlstring} ${single:sqlstring}", "'a','b' 'a'"),
        ("${odd:sqlstring}", "'a''b\\\\c\"d&e=f?g%h (i)*'"),
        ("${odd:raw}", CHOSEN["odd"]),
        ("$several ${single} ${several:csv} ${several:pipe} ${several:raw}", "{a,b} a a,b a|b a,b"),
        ("${odd:percentencode}", "a%27b%5Cc%22d%26e%3Df%3Fg%25h%20%28i%29%2A"),
        ("${several:percentencode}", "%7Ba%2Cb%7D"),
        ("${odd:uriencode}", "a%27b%5Cc%22d&e=f?g%25h%20%28i%29%2A"),
        ("${odd:queryparam}", "var-odd=a%27b%5Cc%22d%26e%3Df%3Fg%25h%20%28i%29%2A"),
        ("${several:queryparam}", "var-several=a&var-several=b"),
        ("${odd:regex} ${several:regex} ${single:regex}", 'a\'b\\\\c"d&e=f\\?g%h \\(i\\)\\* (a|b) a'),
        ("${channel:text} ${organisation:text} ${several:text}", "Telefoon blauwestad a + b"),
        ("${organisation:nosuchformat}", "${organisation:nosuchformat}"),
        ("${organisation.path}", "${organisation.path}"),
        ("${__from} $__to ${__from:date} ${__to:date:seconds}", "1415792726123 1447328726456 2014-11-12T11:45:26.123Z 1447328726"),
        ("${__from:date:YYYY}", "${__from:date:YYYY}"),
        ("$__interval $__interval_ms $__interval_s", "5m 300000 $__interval_s"),
        ("${__url_time_range}", "from=now-24h%2Fd&to=now"),
        ("${__data.fields.url:raw} ${__data.fields[1]} ${__data.fields[\"a b\"]}", "https://x/a%20b c d"),
        ("${__data.fields.nothere} ${__data.fields[9]} ${__data.refId}", "${__data.fields.nothere} ${__data.fields[9]} ${__data.refId}"),
        ("${__value.raw} ${__value.text} ${__value.time}", "7,4 7,4 ${__value.time}"),
        ("$__timeFilter(at) ${__user.login}", "$__timeFilter(at) ${__user.login}"),
    ],
)  # fmt: skip
def test_a_reference_is_written_out(text: str, written: str) -> None:
    fields = {"url": "https://x/a%20b", "b": "c", "a b": "d"}
    shown = ("now-24h/d", "now")
    told = {"channel": "Telefoon"}
    assert interpolate(text, CHOSEN, texts=told, span=SPAN, shown=shown, interval_ms=300_000, fields=fields, value="7,4") == written


def test_without_a_format_the_place_decides() -> None:
    assert interpolate("$several", CHOSEN, default="sql") == "'a','b'"
    assert interpolate("$organisation", CHOSEN, default="sql") == "blauwestad"
    assert interpolate("$several", CHOSEN, default="regex") == "(a|b)"
    assert interpolate("$odd", CHOSEN, default="uriencode") == "a%27b%5Cc%22d&e=f?g%25h%20%28i%29%2A"


def test_what_is_not_told_stays() -> None:
    text = "$__interval ${__from} ${__value.raw} ${__url_time_range} ${__data.fields.a}"
    assert interpolate(text, {}) == text
    assert interpolate("${__url_time_range}", {}, span=Span(1, 2)) == "from=1&to=2"
    assert interpolate("/d/x?${__all_variables}", {"a": "1 2", "b": ["3", "4"]}) == "/d/x?var-a=1%202&var-b=3&var-b=4"


def test_a_value_is_not_read_for_variables_again() -> None:
    assert interpolate("${a:sqlstring}", {"a": "${b}", "b": "x"}) == "'${b}'"


@pytest.mark.parametrize(
    ("address", "href"),
    [
        (
            "/d/contactmeter-channel-nl?var-channel=${channel:percentencode}&${__url_time_range}",
            "/d/contactmeter-channel-nl?var-channel=telefoon&from=1&to=2",
        ),
        ("${__data.fields.url:raw}", "https://zaken.example/zaak?id=1%202"),
        ("${__data.fields.url}", "https://zaken.example/zaak?id=1%25202"),
        ("\n/d/x ", "/d/x"),
        ("${__data.fields.script:raw}", ""),
        ("${__data.fields.data:raw}", ""),
        ("", ""),
        ("mailto:a@b", ""),
    ],
)
def test_a_link_leads_to_a_page_or_nowhere(address: str, href: str) -> None:
    fields = {"url": "https://zaken.example/zaak?id=1%202", "script": " JavaScript:alert(1)", "data": "data:text/html,x"}
    assert link(address, CHOSEN, span=Span(1, 2), fields=fields) == href


@pytest.mark.parametrize(
    "value",
    ["\\' OR 1 = 1 --", "' OR 1 = 1 --", "\\", "\\\\'", "'; DROP TABLE x; --", "a\\'||(SELECT 1)||'", "$t$'$t$", '`"', "é\n\t", "/*",
     "{a:String}"],
)  # fmt: skip
def test_clickhouse_reads_every_value_as_itself(clickhouse: ClickHouseEngine, value: str) -> None:
    sql = expand(interpolate("SELECT ${value:sqlstring} AS value, 1 AS after, $__interval_s", {"value": value}, default="sql"), SPAN, 1000)
    connection = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)
    client = connection.open("default")
    try:
        assert list(client.query(sql).result_rows) == [(value, 1, 1)]
    finally:
        client.close()
