"""What a reader may choose on the boards of satisfaction and of quarters, beside what variables.py has."""

from collections.abc import Callable
from functools import partial

from grafana_foundation_sdk.builders.dashboard import QueryVariable

from dashboards.build import sql
from dashboards.build.figures import grades
from dashboards.build.figures.quarters import name_of
from dashboards.build.variables import Variable, choice
from dashboards.words import Text
from schemas.words import Language

INSTRUMENT = "concat(instrument, ':', toString(instrument_version)) = ${instrument:sqlstring}"
"""A questionnaire is chosen with its version: two versions are two series."""

PERIOD = "concat(period_kind, ':', period) = ${period:sqlstring}"
"""A quarter, month, year or wave, with its kind."""

OVERALL_CHANNEL = f"channel = if(${{channel:sqlstring}} = '{sql.ALL}', '', ${{channel:sqlstring}})"
"""The chosen channel in views in which '' is all channels together."""

FIGURES = f"{INSTRUMENT} AND {PERIOD} AND {OVERALL_CHANNEL}"
"""The figures that were asked for."""

ASPECTS = f"v_instruments WHERE {sql.ORGANISATION} AND {INSTRUMENT}"
"""The aspects of the chosen questionnaire."""

_KIND, _NAME = "splitByChar(':', ${period:sqlstring})[1]", "splitByChar(':', ${period:sqlstring})[2]"
QUARTER = f"if({_KIND} = 'quarter', {_NAME}, '')"
"""The chosen period, where it is a quarter."""

RESPONSE_PERIOD = (
    f"multiIf({_KIND} = 'wave', wave = {_NAME}, {_KIND} = 'quarter', quarter = {_NAME}, {_KIND} = 'year', startsWith(quarter, {_NAME}), "
    f"quarter = concat(left({_NAME}, 4), '-Q', toString(intDiv(toUInt8OrZero(right({_NAME}, 2)) + 2, 3))))"
)
"""The chosen period in v_now_response, which has quarters and waves: of a month its quarter."""


def _asked(name: str, label: Text, question: Callable[[Language], str], language: Language) -> QueryVariable:
    return choice(name, label, question(language), language)


def _instruments(language: Language) -> str:
    who = grades.population(language, "i.population", "i.audience")
    version = sql.text(" · versie " if language == "nl" else " · version ")
    return (
        f"SELECT concat(i.instrument, ':', toString(i.instrument_version)) AS value, concat(any(i.title_{language}), {version}, "
        f"toString(i.instrument_version), if(lower(any(i.title_{language})) = any({who}), '', concat(' · ', any({who})))) AS text "
        f"FROM (SELECT * FROM v_instruments WHERE {sql.ORGANISATION}) AS i LEFT JOIN ("
        "SELECT instrument, instrument_version, max(period) AS latest, max(n) AS answers FROM v_now_satisfaction "
        f"WHERE {sql.ORGANISATION} AND period_kind = 'quarter' AND channel = '' GROUP BY instrument, instrument_version) AS a "
        "ON i.instrument = a.instrument AND i.instrument_version = a.instrument_version GROUP BY i.instrument, i.instrument_version "
        "ORDER BY max(a.latest) DESC, max(a.answers) DESC, i.instrument, i.instrument_version DESC"
    )


def _periods(language: Language) -> str:
    running, year, wave, month = ("loopt nog", "jaar", "golf", "maand") if language == "nl" else ("running", "year", "wave", "month")
    return (
        "SELECT concat(f.period_kind, ':', f.period) AS value, concat("
        f"multiIf(f.period_kind = 'wave', concat('{wave}: ', if(w.title = '', f.period, w.title)), f.period_kind = 'year', "
        f"concat('{year} ', f.period), f.period_kind = 'month', concat('{month} ', f.period), f.period), "
        f"if(f.closed, '', ' ({running})')) AS text "
        "FROM (SELECT period_kind, period, min(closed) AS closed FROM v_now_satisfaction "
        f"WHERE {sql.ORGANISATION} AND {INSTRUMENT} AND channel = '' GROUP BY period_kind, period) AS f "
        f"LEFT JOIN (SELECT wave, title_{language} AS title, start_day AS start FROM v_waves WHERE {sql.ORGANISATION}) "
        "AS w ON f.period = w.wave "
        "ORDER BY indexOf(['quarter', 'wave', 'year', 'month'], f.period_kind), w.start DESC, f.period DESC"
    )


def _channels(language: Language) -> str:
    every = "alle kanalen samen" if language == "nl" else "all channels together"
    return (
        f"SELECT value, text FROM (SELECT '{sql.ALL}' AS value, '{every}' AS text, 0 AS place UNION ALL "
        f"SELECT DISTINCT toString(channel), {sql.channel_name('channel', language)}, 1 FROM v_now_quarters "
        f"WHERE {sql.ORGANISATION} AND channel != '') ORDER BY place, text"
    )


def _aspects(language: Language) -> str:
    return (
        f"SELECT aspect AS value, any(aspect_{language}) AS text FROM {ASPECTS} "
        "GROUP BY aspect ORDER BY aspect != 'overall', any(expects) != '', text"
    )


def _dimensions(language: Language) -> str:
    names = ("team", "product", "locatie", "segment") if language == "nl" else ("team", "product", "location", "segment")
    pairs = ", ".join(f"('{value}', '{text}')" for value, text in zip(("team", "product", "location", "segment"), names, strict=True))
    return f"SELECT one.1 AS value, one.2 AS text FROM (SELECT arrayJoin([{pairs}]) AS one)"


def _quarters(language: Language) -> str:
    running = "loopt nog" if language == "nl" else "running"
    return (
        f"SELECT quarter AS value, if(over, quarter, concat(quarter, ' ({running})')) AS text FROM (SELECT quarter, "
        f"quarter < {name_of(sql.TODAY)} AS over FROM ("
        f"SELECT DISTINCT quarter FROM v_now_quarters WHERE {sql.ORGANISATION})) ORDER BY over DESC, value DESC"
    )


instrument: Variable = partial(_asked, "instrument", Text("Vragenlijst", "Questionnaire"), _instruments)
period: Variable = partial(_asked, "period", Text("Periode", "Period"), _periods)
channel: Variable = partial(_asked, "channel", Text("Kanaal", "Channel"), _channels)
aspect: Variable = partial(_asked, "aspect", Text("Aspect", "Aspect"), _aspects)
dimension: Variable = partial(_asked, "dimension", Text("Uitsplitsen naar", "Break down by"), _dimensions)
quarter: Variable = partial(_asked, "quarter", Text("Kwartaal", "Quarter"), _quarters)
