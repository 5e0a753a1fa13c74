"""What a reader may choose on a board."""

from collections.abc import Callable
from functools import partial

from grafana_foundation_sdk.builders.dashboard import QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from dashboards.build.sources import CLICKHOUSE
from dashboards.build.sql import ALL, ORGANISATION, channel_name
from dashboards.words import Text
from schemas.words import Language

Variable = Callable[[Language], QueryVariable]


def choice(name: str, label: Text, sql: str, language: Language) -> QueryVariable:
    """A choice by a question of two columns: what the variable is, and what the reader sees of it. The first is chosen."""
    return (
        QueryVariable(name)
        .label(label.of(language))
        .datasource(CLICKHOUSE)
        .query(sql)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
        .multi(False)
    )


def organisation(language: Language) -> QueryVariable:
    """Those that the data source's user may see."""
    sql = f"SELECT organisation, title_{language} FROM v_organisations ORDER BY 2"
    return choice("organisation", Text("Organisatie", "Organisation"), sql, language)


def channel(language: Language) -> QueryVariable:
    """The channels that have figures."""
    name = channel_name("channel", language)
    sql = f"SELECT DISTINCT channel, {name} AS name FROM v_now_figures WHERE {ORGANISATION} AND channel != '' ORDER BY name"
    return choice("channel", Text("Kanaal", "Channel"), sql, language)


def _cell(name: str, label: Text, language: Language) -> QueryVariable:
    """The cells of a dimension with contacts in the last four weeks, the largest first."""
    text = Text("alle", "all").of(language)
    sql = (
        f"SELECT value, text FROM (SELECT '{ALL}' AS value, '{text}' AS text, 0 AS place, 0 AS contacts UNION ALL "
        f"SELECT toString({name}), toString({name}), 1, toInt64(sum(n)) FROM v_days WHERE {ORGANISATION} AND measure = 'volume' "
        f"AND {name} != '' AND day > today() - 28 GROUP BY {name}) ORDER BY place, contacts DESC, text LIMIT 200"
    )
    # Not Grafana's own "all": its value would have to be spelled in each question.
    return choice(name, label, sql, language).current(VariableOption(selected=True, text=text, value=ALL))


team: Variable = partial(_cell, "team", Text("Team", "Team"))
product: Variable = partial(_cell, "product", Text("Product", "Product"))
location: Variable = partial(_cell, "location", Text("Locatie", "Location"))
