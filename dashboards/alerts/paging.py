"""The rules that call somebody: what drifts or is out, who has gone silent, terms of law, and figures that stand still."""

from typing import Final

from dashboards.alerts.pieces import ALIVE, OPEN_HOURS, channel_nl, team_in_words, within_open_days
from dashboards.alerts.rule import Rule
from dashboards.words import Text

OUT_BELOW: Final = 0.1
"""A volume or share below this part of what is usual is an outage."""
SILENT_S: Final = 15 * 60
"""Connectors give a sign of life every 30 seconds; a restart or a hiccup of the source is over within minutes."""
STILL_S: Final = 15 * 60
"""A worker shows something of every organisation at least every five minutes; a rebalance or a start takes some more."""

_INCIDENTS: Final = """
SELECT
    organisation, incident, channel, {channel_nl} AS channel_nl, text_nl, text_en,
    multiIf(isNotNull(asks_since) AND isNotNull(escalated_at), 'niemand heeft gereageerd', isNotNull(asks_since), 'wacht op iemand',
        state = 'closed', 'voorbij', state = 'merged', 'hoort bij een ander incident',
        acknowledged_by != '', concat('gezien door ', acknowledged_by),
        silenced_by != '', concat('stilgezet door ', silenced_by), 'vraagt niemand') AS status_nl,
    multiIf(isNotNull(asks_since) AND isNotNull(escalated_at), 'nobody has reacted', isNotNull(asks_since), 'waits for somebody',
        state = 'closed', 'over', state = 'merged', 'part of another incident', acknowledged_by != '', concat('noted by ', acknowledged_by),
        silenced_by != '', concat('silenced by ', silenced_by), 'asks for nobody') AS status_en,
    concat('`contactmeter incident acknowledge ', organisation, ' ', left(incident, 8), '`') AS command,
    if(isNull(asks_since), '', concat(' Neem nota: knop Ik kijk ernaar op het lokale bord, of ', command, '.')) AS act_nl,
    if(isNull(asks_since), '', concat(' Take note: button on the local board, or ', command, '.')) AS act_en,
    toFloat64({condition}) AS value
FROM
(
    SELECT
        i.organisation AS organisation, i.incident AS incident, argMin(toString(s.channel), (s.found_at, s.signal)) AS channel,
        any(i.state) AS state, any(i.text_nl) AS text_nl, any(i.text_en) AS text_en, any(i.asks_since) AS asks_since,
        any(i.escalated_at) AS escalated_at, any(i.acknowledged_by) AS acknowledged_by, any(i.silenced_by) AS silenced_by,
        countIf(
            s.state != 'over' AND s.side = -1 AND s.kind IN ('volume', 'compliance') AND ifNull(s.value <= {out_below} * s.usual, 0)
        ) AS gone
    FROM
    (
        SELECT *, arrayJoin(signals) AS signal FROM v_incidents
        WHERE pages AND (state = 'open' OR stored_at > now64(3, 'UTC') - INTERVAL 1 HOUR)
    ) AS i
    INNER JOIN v_signals AS s ON i.organisation = s.organisation AND i.signal = s.signal
    GROUP BY organisation, incident
)
"""
_TOLD: Final = ("channel_nl", "text_nl", "text_en", "status_nl", "status_en", "act_nl", "act_en")
_ENDED: Final = Text("{text_nl} ({channel_nl}: {status_nl})", "{text_en} ({channel}: {status_en})")
_INCIDENT: Final = ("organisation", "channel", "incident")


def _incidents(condition: str) -> str:
    return _INCIDENTS.format(condition=condition, channel_nl=channel_nl("channel"), out_below=OUT_BELOW)


INCIDENT: Final = Rule(
    "incident",
    Text("Incident: een kanaal is blijvend anders dan gewoonlijk", "Incident: a channel lastingly differs from the usual"),
    "page",
    "incident",
    _incidents("isNotNull(asks_since)"),
    _INCIDENT,
    Text("▲ {text_nl}", "▲ {text_en}"),
    Text(
        "{channel_nl}: {status_nl}.{act_nl}",
        "{channel}: {status_en}.{act_en}",
    ),
    told=_TOLD,
    ended=_ENDED,
    board="channel",
)

ESCALATED: Final = Rule(
    "incident_escalated",
    Text("Incident waarop niemand reageert", "Incident that nobody reacts to"),
    "page",
    "incident-that-nobody-reacts-to",
    _incidents("isNotNull(asks_since) AND isNotNull(escalated_at)"),
    _INCIDENT,
    Text("▲▲ Niemand reageert: {text_nl}", "▲▲ Nobody reacts: {text_en}"),
    Text(
        "{channel_nl}: {status_nl}. De eerste dienst heeft binnen de afgesproken openingstijd niets laten horen.{act_nl}",
        "{channel}: {status_en}. The first in line said nothing within the opening hours agreed on.{act_en}",
    ),
    told=_TOLD,
    ended=_ENDED,
    board="channel",
    fixed={"escalation": "yes"},
)

OUTAGE: Final = Rule(
    "outage",
    Text("Storing: er komt niets meer door", "Outage: nothing comes through any more"),
    "page",
    "outage",
    _incidents("isNotNull(asks_since) AND gone > 0"),
    _INCIDENT,
    Text("✗ Storing, {channel_nl}: {text_nl}", "✗ Outage, {channel}: {text_en}"),
    Text(
        "{channel_nl}: {status_nl}. Minder dan een tiende van wat gewoon is; bel het kanaal zelf, en dan de leverancier.{act_nl}",
        "{channel}: {status_en}. Less than a tenth of the usual; try the channel yourself, then call the supplier.{act_en}",
    ),
    told=_TOLD,
    ended=_ENDED,
    board="channel",
)

LASTS: Final = Rule(
    "incident_lasts",
    Text("Incident loopt", "Incident goes on"),
    "info",
    "incident",
    _incidents("state = 'open'"),
    _INCIDENT,
    Text("{text_nl}", "{text_en}"),
    Text("{channel_nl}: {status_nl}.", "{channel}: {status_en}."),
    told=_TOLD,
    ended=_ENDED,
    board="signals",
)
"""For whoever follows along, acknowledged or not; its end is the message that all is as usual again."""

SILENT_CONNECTOR: Final = Rule(
    "connector_silent",
    Text("Koppeling zwijgt in openingstijd", "Connector silent in opening hours"),
    "page",
    "connector-silent",
    f"""
SELECT
    organisation, connector, source, toString(intDiv(toUInt64(value), 60)) AS minutes, any(heard) AS last_heard,
    toFloat64(max(silent)) AS value
FROM
(
    SELECT
        h.organisation AS organisation, h.connector AS connector, h.source AS source, h.heard AS heard, o.channel AS channel,
        sum(greatest(0, dateDiff('second', greatest(o.opens_at, h.heard), least(o.closes_at, a.alive)))) AS silent
    FROM
    (
        SELECT organisation, toString(connector) AS connector, toString(source) AS source, ifNull(last_read_at, observed_at) AS heard
        FROM v_heartbeats
        WHERE observed_at > now64(3, 'UTC') - INTERVAL 7 DAY AND NOT (isNull(lag_s) AND ifNull(last_read_at >= observed_at, 0))
    ) AS h
    INNER JOIN ({ALIVE}) AS a ON h.organisation = a.organisation
    LEFT JOIN v_opening AS o ON h.organisation = o.organisation
    GROUP BY organisation, connector, source, heard, channel
)
GROUP BY organisation, connector, source
""",
    ("organisation", "connector", "source"),
    Text("? Koppeling {connector} zwijgt {minutes} minuten", "? Connector {connector} silent for {minutes} minutes"),
    Text(
        "{source}: geen teken van leven, of de bron is niet te lezen. De cijfers van deze bron staan stil; er is nog niets verloren.",
        "{source}: no sign of life, or the source can't be read. Its figures stand still; nothing is lost yet.",
    ),
    told=("minutes",),
    ended=Text("Koppeling {connector} leest weer, of is weggehaald", "Connector {connector} reads again, or was taken away"),
    threshold=SILENT_S,
    for_s=30,
    keep_firing_s=120,
    board="data",
)
"""Counted in open time, up to the last moment at which the worker lived: when the worker is dead, it is that rule that alerts, not this.

A source that has ended, such as a file, tells no lag and was read at its last sign of life: it is not missed. After a week of silence a
connector is taken for removed. It waits half a minute, for a worker that starts again shows figures a moment before it has read the signs
of life of its absence.
"""

UNHEARD: Final = Rule(
    "channel_unheard",
    Text("Van een kanaal komt niets meer binnen", "Nothing is heard of a channel any more"),
    "page",
    "channel-unheard",
    f"""
SELECT
    w.organisation AS organisation, w.channel AS channel, {channel_nl("w.channel")} AS channel_nl,
    toFloat64(
        if(arrayExists(heard -> heard >= w.looked_until AND heard < w.looked_until + INTERVAL 2 HOUR, s.heard), 0, w.unknown)
    ) AS value
FROM
(
    SELECT
        organisation, toString(channel) AS channel, countIf(status = 'unknown') AS unknown,
        ifNull(maxIf(until, status = 'unknown'), toDateTime64(0, 3, 'UTC')) AS looked_until
    FROM v_watches GROUP BY organisation, channel
) AS w
LEFT JOIN
(
    SELECT organisation, groupArray(last_heard) AS heard FROM ({SILENT_CONNECTOR.sql}) WHERE value > {SILENT_S} GROUP BY organisation
) AS s ON w.organisation = s.organisation
""",
    ("organisation", "channel"),
    Text("? Van {channel_nl} komt niets meer binnen", "? Nothing is heard of {channel} any more"),
    Text(
        "Al meer dan drie uur openingstijd geen teken van leven. Hoe het gaat is niet bekend: kijk of de bron en de koppeling werken.",
        "No sign of life for more than three hours of opening time. How it goes is not known: see whether source and connector work.",
    ),
    told=("channel_nl",),
    ended=Text("Van {channel_nl} komt weer iets binnen", "{channel} is heard of again"),
    for_s=30,
    keep_firing_s=60,
    board="data",
)
"""Not where a connector that is silent explains it, which has called somebody hours before: one that was last heard in the hour up to which
the channel was looked at, or in the next."""

TERM: Final = Rule(
    "term_about_to_pass",
    Text("Wettelijke termijn verloopt bijna", "Term of law about to pass"),
    "page",
    "term-about-to-pass",
    f"""
SELECT
    o.organisation AS organisation, o.channel AS channel, o.team AS team, o.norm AS norm, o.due AS due,
    {channel_nl("o.channel")} AS channel_nl, {team_in_words("team")}, any(n.title_nl) AS norm_nl, any(n.title_en) AS norm_en,
    formatDateTime(toDate(o.due), '%d-%m-%Y') AS due_nl, toString(uniqExact(o.system, o.contact, o.opened_at)) AS cases,
    arrayStringConcat(arraySort(groupUniqArrayIf(20)(o.contact, o.contact != '')), ', ') AS named,
    if(named = '', 'vertrouwelijk', named) AS which_nl, if(named = '', 'confidential', named) AS which_en, toFloat64(cases) AS value
FROM
(
    SELECT
        organisation, toString(channel) AS channel, toString(team) AS team, system, contact, opened_at,
        arrayJoin(ahead) AS term, toString(term.1) AS norm, term.2 AS deadline, toString(toDate(deadline)) AS due
    FROM v_now_open
) AS o
INNER JOIN
(
    SELECT organisation, toString(norm) AS norm, any(title_nl) AS title_nl, any(title_en) AS title_en
    FROM v_norms WHERE clock = 'statutory-term' GROUP BY organisation, norm
) AS n ON o.organisation = n.organisation AND o.norm = n.norm
INNER JOIN ({OPEN_HOURS}) AS h ON o.organisation = h.organisation
WHERE {within_open_days("h.hours", "o.deadline", 2)}
GROUP BY organisation, channel, team, norm, due
""",
    ("organisation", "channel", "team", "norm", "due"),
    Text("◷ {cases} × {norm_nl}: termijn loopt af op {due_nl}", "◷ {cases} × {norm_en}: the term ends on {due}"),
    Text("{channel_nl}, {team_nl}: {which_nl}. Wat niet op tijd kan, moet voor die dag verdaagd zijn.",
         "{channel}, {team_en}: {which_en}. What can't be in time must be extended before that day."),
    told=("channel_nl", "team_nl", "team_en", "norm_nl", "norm_en", "due_nl", "cases", "which_nl", "which_en"),
    ended=Text("{norm_nl}, {channel_nl}, {team_nl}, {due_nl}: afgehandeld, verdaagd of verlopen",
               "{norm_en}, {channel}, {team_en}, {due}: done, extended or past"),
    for_s=30,
    keep_firing_s=300,
    board="now",
)  # fmt: skip
"""From the beginning of the last working day but one. An alert a day on which terms end, so that a new day is a new message and a new case
of a known day is none. Confidential contacts are counted, not named."""

STILL: Final = Rule(
    "figures_still",
    Text("De cijfers staan stil", "The figures stand still"),
    "page",
    "figures-stand-still",
    f"""
SELECT
    organisation, toString(intDiv(toUInt64(value), 60)) AS minutes,
    toFloat64(greatest(0, dateDiff('second', alive, now64(3, 'UTC')))) AS value
FROM ({ALIVE})
""",
    ("organisation",),
    Text(
        "✗ De cijfers van {organisation} staan {minutes} minuten stil",
        "✗ The figures of {organisation} stand still for {minutes} minutes",
    ),
    Text(
        "De worker toont niets meer. Wat binnenkomt wacht in Kafka en gaat niet verloren; tot dan zegt geen bord hoe het nu gaat.",
        "The worker shows nothing any more. What comes in waits in Kafka and is not lost; until then no board says how it goes now.",
    ),
    told=("minutes",),
    ended=Text("De cijfers van {organisation} lopen weer", "The figures of {organisation} run again"),
    threshold=STILL_S,
    for_s=30,
    keep_firing_s=60,
    board="pipeline",
    fixed={"team": "beheer"},
    tells_errors=True,
)

HEARTBEAT: Final = Rule(
    "heartbeat",
    Text("Hartslag", "Heartbeat"),
    "none",
    "heartbeat",
    f"SELECT toFloat64(count() > 0 AND min(alive) > now64(3, 'UTC') - INTERVAL {STILL_S} SECOND) AS value FROM ({ALIVE})",
    (),
    Text("Hartslag van contactmeter", "Heartbeat of contactmeter"),
    Text(
        "Deze melding gaat altijd uit zolang worker, ClickHouse en Grafana werken. Blijft zij weg, dan is er een van de drie dood.",
        "This alert always fires while worker, ClickHouse and Grafana work. When it stays away, one of the three is dead.",
    ),
    interval_s=60,
    board="pipeline",
)

PAGING: Final = (INCIDENT, ESCALATED, OUTAGE, LASTS, SILENT_CONNECTOR, UNHEARD, TERM, STILL, HEARTBEAT)
