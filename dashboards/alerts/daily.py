"""The rules of which people hear once a day, in the morning: nobody is called for them."""

from typing import Final, NamedTuple

from dashboards.alerts.paging import SILENT_CONNECTOR, SILENT_S
from dashboards.alerts.pieces import ALIVE, OPEN_HOURS, ROUND_THE_CLOCK_H, channel_nl, team_in_words, within_open_days
from dashboards.alerts.rule import Rule
from dashboards.words import Text
from schemas.words import Language

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
MORNING_S: Final = 30 * 60


def _not_met(measures: str, missed: str, titles: str) -> str:
    """28 days of figures with a target: 1 where even the favourable end of the interval misses it and there are enough contacts."""
    return f"""
SELECT
    f.organisation AS organisation, toString(f.channel) AS channel, f.name AS measure, {channel_nl("f.channel")} AS channel_nl,
    if(t.title_nl = '', f.name, t.title_nl) AS title_nl, if(t.title_en = '', f.name, t.title_en) AS title_en,
    replaceOne(f.shown, '.', ',') AS shown_nl, f.shown AS shown_en, replaceOne(f.aim, '.', ',') AS aim_nl, f.aim AS aim_en,
    f.contacts AS contacts, toFloat64(ifNull(f.n >= f.minimum_n AND ({missed}), 0)) AS value
FROM
(
    SELECT
        *, toString(measure) AS name, toString(n) AS contacts,
        {_written("value")} AS shown, {_written("target")} AS aim
    FROM v_now_figures WHERE window = '28d' AND channel != '' AND isNotNull(target) AND ({measures})
) AS f
LEFT JOIN ({titles}) AS t ON f.organisation = t.organisation AND f.name = t.measure
"""


def _written(number: str) -> str:
    """A share as a percentage; seconds and grades with a decimal."""
    share, rounded = f"concat(toString(round(100 * {number})), ' %')", f"toString(round({number}, 1))"
    return (
        f"ifNull(multiIf(startsWith(measure, 'norm:'), {share}, startsWith(measure, 'norm_mean:'), concat({rounded}, ' s'), {rounded}), '')"
    )


_NORM_TITLES: Final = """
    SELECT
        organisation, arrayJoin([concat('norm:', norm), concat('norm_mean:', norm)]) AS measure, any(title_nl) AS title_nl,
        any(title_en) AS title_en
    FROM v_norms GROUP BY organisation, measure
"""
_ASPECT_TITLES: Final = """
    SELECT
        organisation, concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure,
        any(aspect_nl) AS title_nl, any(aspect_en) AS title_en
    FROM v_instruments GROUP BY organisation, measure
"""

NORM_NOT_MET: Final = Rule(
    "norm_not_met",
    Text("Norm niet gehaald", "Norm not met"),
    "daily",
    "norm-not-met",
    _not_met(
        "startsWith(measure, 'norm:') OR startsWith(measure, 'norm_mean:')",
        "if(startsWith(f.measure, 'norm:'), f.high < f.target, f.low > f.target)",
        _NORM_TITLES,
    ),
    ("organisation", "channel", "measure"),
    Text("✗ {channel_nl}, {title_nl}: {shown_nl} (doel {aim_nl})", "✗ {channel}, {title_en}: {shown_en} (target {aim_en})"),
    Text("Over 28 dagen, {contacts} contacten; het hele 95 %-interval ligt aan de verkeerde kant van het doel.",
         "Over 28 days, {contacts} contacts; the whole 95 % interval lies on the wrong side of the target."),
    told=("channel_nl", "title_nl", "title_en", "shown_nl", "shown_en", "aim_nl", "aim_en", "contacts"),
    interval_s=600,
    for_s=HOUR_S,
    keep_firing_s=DAY_S,
    board="channel",
)  # fmt: skip

GRADE_NOT_MET: Final = Rule(
    "grade_not_met",
    Text("Rapportcijfer onder het doel", "Grade below its target"),
    "daily",
    "grade-below-its-target",
    _not_met("startsWith(measure, 'answer:')", "f.high < f.target", _ASPECT_TITLES),
    ("organisation", "channel", "measure"),
    Text("✗ {channel_nl}, {title_nl}: {shown_nl} (doel {aim_nl})", "✗ {channel}, {title_en}: {shown_en} (target {aim_en})"),
    Text("Over 28 dagen, {contacts} antwoorden; het hele 95 %-interval ligt onder het doel.",
         "Over 28 days, {contacts} answers; the whole 95 % interval lies below the target."),
    told=("channel_nl", "title_nl", "title_en", "shown_nl", "shown_en", "aim_nl", "aim_en", "contacts"),
    interval_s=600,
    for_s=HOUR_S,
    keep_firing_s=DAY_S,
    board="satisfaction",
)  # fmt: skip

CALLBACKS: Final = Rule(
    "callbacks_due",
    Text("Terugbelverzoeken die vandaag moeten", "Call-backs due today"),
    "daily",
    "call-backs-due",
    f"""
SELECT
    o.organisation AS organisation, toString(o.channel) AS channel, toString(o.team) AS team, {channel_nl("o.channel")} AS channel_nl,
    {team_in_words("team")},
    toString(countIf(o.callback_overdue)) AS late, toString(countIf(due AND NOT o.callback_overdue)) AS soon,
    toFloat64(countIf(due)) AS value
FROM
(
    SELECT w.*, isNotNull(w.callback_due) AND {within_open_days("h.hours", "assumeNotNull(w.callback_due)", 1)} AS due
    FROM (SELECT * FROM v_now_open WHERE callback_to_do) AS w
    LEFT JOIN ({OPEN_HOURS}) AS h ON w.organisation = h.organisation
) AS o
GROUP BY organisation, channel, team
""",
    ("organisation", "channel", "team"),
    Text("◷ {channel_nl}, {team_nl}: {soon} keer terugbellen vandaag, {late} al te laat",
         "◷ {channel}, {team_en}: {soon} call-backs due today, {late} overdue"),
    Text("Wie het zijn staat op het bord Kanaal, met een koppeling naar het bronsysteem.",
         "Who they are stands on the board Channel, with a link to the source system."),
    told=("channel_nl", "team_nl", "team_en", "late", "soon"),
    interval_s=300,
    for_s=300,
    keep_firing_s=HOUR_S,
    board="channel",
)  # fmt: skip

TERMS_PASSED: Final = Rule(
    "term_passed",
    Text("Wettelijke termijn is verlopen", "Term of law has passed"),
    "daily",
    "term-passed",
    f"""
SELECT
    o.organisation AS organisation, toString(o.channel) AS channel, toString(o.team) AS team, o.norm AS norm,
    {channel_nl("o.channel")} AS channel_nl, {team_in_words("team")}, any(n.title_nl) AS norm_nl, any(n.title_en) AS norm_en,
    toString(count()) AS cases, toFloat64(count()) AS value
FROM (SELECT organisation, channel, team, arrayJoin(overdue_norms) AS norm FROM v_now_open) AS o
INNER JOIN
(
    SELECT organisation, toString(norm) AS norm, any(title_nl) AS title_nl, any(title_en) AS title_en
    FROM v_norms WHERE clock = 'statutory-term' GROUP BY organisation, norm
) AS n ON o.organisation = n.organisation AND o.norm = n.norm
GROUP BY organisation, channel, team, norm
""",
    ("organisation", "channel", "team", "norm"),
    Text("✗ {cases} × {norm_nl}: termijn voorbij", "✗ {cases} × {norm_en}: the term has passed"),
    Text("{channel_nl}, {team_nl}. Een ingebrekestelling kan volgen; meld de burger wanneer het wel komt.",
         "{channel}, {team_en}. A notice of default may follow; tell the citizen when it will come."),
    told=("channel_nl", "team_nl", "team_en", "norm_nl", "norm_en", "cases"),
    interval_s=300,
    for_s=300,
    keep_firing_s=HOUR_S,
    board="norms",
)  # fmt: skip


class _Count(NamedTuple):
    """What the morning line counts: a name, the words for it, what it counts and where."""

    name: str
    nl: str
    en: str
    counted: str
    source: str

    @property
    def sql(self) -> str:
        return f"SELECT organisation, countIf({self.counted}) AS n FROM {self.source} GROUP BY organisation"


_COUNTS: Final = (
    _Count("silent", "koppelingen die zwijgen", "connectors silent", f"value > {SILENT_S}", f"({SILENT_CONNECTOR.sql})"),
    _Count(
        "unheard",
        "kanalen waarvan niets binnenkomt",
        "channels unheard",
        "unknown",
        "(SELECT organisation, channel, max(status = 'unknown') AS unknown FROM v_watches GROUP BY organisation, channel)",
    ),
    _Count("incidents", "incidenten", "incidents", "state = 'open' AND pages", "v_incidents"),
    _Count(
        "norms",
        "normen niet gehaald",
        "norms not met",
        "window = '28d' AND channel != '' AND startsWith(measure, 'norm') AND attainment = 'not_met'",
        "v_now_figures",
    ),
    _Count("overdue", "te laat", "overdue", "overdue", "v_now_open"),
    _Count("today", "vandaag te laat als niemand iets doet", "late today if nobody acts", "late_today", "v_now_open"),
    _Count("callbacks", "terug te bellen", "call-backs to do", "callback_to_do", "v_now_open"),
)


def _line(language: Language, quiet: str) -> str:
    counted = ", ".join(
        f"if({one.name}.n > 0, concat('{one.nl if language == 'nl' else one.en}: ', toString({one.name}.n)), '')" for one in _COUNTS
    )
    words = f"arrayFilter(x -> x != '', [{counted}])"
    return f"if(empty({words}), '{quiet}', arrayStringConcat({words}, ', '))"


MORNING: Final = Rule(
    "morning",
    Text("Ochtendregel", "Morning line"),
    "daily",
    "morning-line",
    f"""
SELECT
    s.organisation AS organisation,
    if(a.alive < now64(3, 'UTC') - INTERVAL 1 HOUR, '✗ de cijfers staan stil', {_line("nl", "✓ alles rustig")}) AS line_nl,
    if(a.alive < now64(3, 'UTC') - INTERVAL 1 HOUR, '✗ the figures stand still', {_line("en", "✓ all quiet")}) AS line_en,
    toFloat64(s.begun) AS value
FROM
(
    SELECT organisation, max(starts <= now64(3, 'UTC') AND starts > now64(3, 'UTC') - INTERVAL {MORNING_S} SECOND) AS begun
    FROM
    (
        SELECT organisation, min(opens_at) AS starts
        FROM v_opening WHERE dateDiff('hour', opens_at, closes_at) < {ROUND_THE_CLOCK_H} GROUP BY organisation, toDate(opens_at)
    )
    GROUP BY organisation
) AS s
LEFT JOIN ({ALIVE}) AS a ON s.organisation = a.organisation
{chr(10).join(f"LEFT JOIN ({one.sql}) AS {one.name} ON s.organisation = {one.name}.organisation" for one in _COUNTS)}
""",
    ("organisation",),
    Text("{line_nl}", "{line_en}"),
    Text("De stand bij opening. Komt deze regel op een werkdag niet, dan werkt de melding zelf niet.",
         "How it stands at opening time. When this line does not come on a working day, alerting itself does not work."),
    told=("line_nl", "line_en"),
    interval_s=60,
    board="now",
    fixed={"morning": "yes"},
)  # fmt: skip
"""Fires for half an hour from the first opening of each day that is open (hours round the clock left out), whatever there is to say: a
message that always comes needs no scheduler, which Grafana does not have, and its absence is a sign too."""

DAILY: Final = (NORM_NOT_MET, GRADE_NOT_MET, CALLBACKS, TERMS_PASSED, MORNING)
