"""The board "Pijplijn": whether measuring itself works, from the worker's own metrics."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from dashboards.build import sql, variables
from dashboards.build.fresh import STALE_S, fresh
from dashboards.build.page import Page
from dashboards.build.panels import Column, linked, metric_panel, metric_stat, table_panel
from dashboards.build.runbook import link as runbook
from dashboards.words import Text
from schemas.words import Language


class _Nought(NamedTuple):
    """A number that must be 0, and the section that says what to do when it is not."""

    title: Text
    about: Text
    expression: str
    anchor: str


class _Lines(NamedTuple):
    """Series of metrics in one unit. questions: expressions with what they are called."""

    title: Text
    about: Text
    questions: Sequence[tuple[str, Text]]
    anchor: str = "metrics"
    unit: str = "short"


def _mean(histogram: str) -> str:
    """The mean of a histogram over five minutes."""
    return f"sum(rate({histogram}_sum[5m])) / sum(rate({histogram}_count[5m]))"


_NOUGHT: Final = (
    _Nought(
        Text("Workers die niet antwoorden", "Workers that do not answer"),
        Text("Workers waarvan geen meetwaarden komen. Hun gemeenten staan stil tot een ander ze overneemt.",
             "Workers of which no metrics come. Their organisations stand still until another takes them over."),
        'count(up{job="worker"}) - sum(up{job="worker"})', "worker-down",
    ),
    _Nought(
        Text("Rem erop", "Brake on"),
        Text("1: meer dan de helft van wat binnenkomt wordt geweigerd. De worker leest niet verder tot `contactmeter resume` of een "
             "nieuwe configuratie.",
             "1: more than half of what arrives is refused. The worker reads no further until `contactmeter resume` or a new "
             "configuration."),
        "max(contactmeter_braked)", "brake",
    ),
    _Nought(
        Text("Wacht op ClickHouse", "Waits for ClickHouse"),
        Text("1: ClickHouse antwoordt niet. De worker bewaart zijn rijen en probeert het opnieuw.",
             "1: ClickHouse does not answer. The worker keeps its rows and tries again."),
        "max(contactmeter_waiting_for_store)", "store-away",
    ),
    _Nought(
        Text("Sommen die niet kloppen", "Sums that differ"),
        Text("Sommen in het geheugen die van de bewaarde rijen verschillen: een fout van ons. Herstart de worker en bewaar zijn logboek.",
             "Sums in memory that differ from the stored rows: a defect of ours. Restart the worker and keep its log."),
        "sum(contactmeter_mismatches)", "mismatch",
    ),
    _Nought(
        Text("Configuraties geweigerd", "Configurations refused"),
        Text("Gemeenten waarvan het gewijzigde bestand niet is overgenomen: het zou bewaarde contacten anders beoordelen.",
             "Organisations whose changed file was not taken: it would judge stored contacts otherwise."),
        "sum(contactmeter_configuration_refused)", "configuration-refused",
    ),
)  # fmt: skip
_LINES: Final = (
    _Lines(
        Text("Achterstand", "Lag"),
        Text("Records die in Kafka staan en nog niet verwerkt zijn. Een piek die zakt is gewoon; tien minuten lang groeien niet.",
             "Records that stand in Kafka and are not processed yet. A peak that falls is usual; growth for ten minutes is not."),
        [("sum(contactmeter_lag_records)", Text("records achter", "records behind"))], "lag",
    ),
    _Lines(
        Text("Gelezen en geschreven, per seconde", "Read and written, per second"),
        Text("Gebeurtenissen gelezen, rijen naar ClickHouse geschreven, en bekende contacten opgezocht. Stil in openingstijd: zie het "
             "bord Gegevens.",
             "Events read, rows written to ClickHouse, and known contacts looked up. Still in opening hours: see the board Data."),
        [
            ("sum(rate(contactmeter_events_total[5m]))", Text("gebeurtenissen gelezen", "events read")),
            ("sum(rate(contactmeter_rows_total[5m]))", Text("rijen geschreven", "rows written")),
            ("sum(rate(contactmeter_lookups_total[5m]))", Text("contacten opgezocht", "contacts looked up")),
        ],
    ),
    _Lines(
        Text("Hoe lang iets duurt", "How long things take"),
        Text("Gemiddelde tijd om een groepje records te berekenen en te schrijven (herhalingen meegerekend), om bij één gemeente naar "
             "drift te kijken, en "
             "om één deel van de borden bij te houden.",
             "Mean time to compute and to write a micro-batch (retries included), to look for drift at one organisation, and to keep one "
             "part of "
             "the boards."),
        [
            (_mean("contactmeter_batch_seconds"), Text("groepje berekenen", "compute a batch")),
            (_mean("contactmeter_insert_seconds"), Text("groepje schrijven", "write a batch")),
            (_mean("contactmeter_drift_look_seconds"), Text("naar drift kijken", "look for drift")),
            (_mean("contactmeter_shown_seconds"), Text("deel van de borden", "part of the boards")),
        ],
        unit="s",
    ),
    _Lines(
        Text("Wat niet vaak hoort te gebeuren, per uur", "What should not happen often, an hour"),
        Text("Herhaald: ClickHouse was weg en dezelfde aanroep is opnieuw gedaan. Toegewezen: start, herverdeling of nieuwe "
             "configuratie. Opgeteld: er "
             "was een late schrijver. ✗: fouten van ons, horen 0 te zijn.",
             "Retried: ClickHouse was away and the same call was made again. Assigned: start, rebalance or new configuration. Summed: "
             "there was a late "
             "writer. ✗: errors of ours, must be 0."),
        [
            ("sum(increase(contactmeter_store_retries_total[1h]))", Text("herhaald", "retried")),
            ("sum(increase(contactmeter_assignments_total[1h]))", Text("opnieuw toegewezen", "assigned anew")),
            ("sum(increase(contactmeter_sums_recomputed_total[1h]))", Text("opnieuw opgeteld", "summed anew")),
            ("sum(increase(contactmeter_drift_failures_total[1h]))", Text("✗ fouten bij drift", "✗ errors in drift")),
            ("sum(increase(contactmeter_shown_failures_total[1h]))", Text("✗ fouten bij borden", "✗ errors in boards")),
        ],
        "drift-fails",
    ),
    _Lines(
        Text("Wat geregeld hoort te gebeuren, per uur", "What should happen regularly, an hour"),
        Text("Hoe vaak de sommen zijn nagekeken en er naar drift is gekeken (elke gemeente minstens eens per uur), en hoe vaak daarbij "
             "iets gevonden, "
             "gegroeid of voorbij was. Staat het stil, dan werkt de worker niet.",
             "How often the sums were checked and drift was looked for (each organisation at least once an hour), and how often something "
             "was found, "
             "grown or over. When it stands still, the worker does not work."),
        [
            ("sum(increase(contactmeter_checks_total[1h]))", Text("sommen nagekeken", "sums checked")),
            ("sum(increase(contactmeter_drift_looks_total[1h]))", Text("naar drift gekeken", "looked for drift")),
            ("sum(increase(contactmeter_signals_total[1h]))", Text("signalen geschreven", "signals written")),
        ],
    ),
    _Lines(
        Text("Borden bijgehouden, per minuut", "Boards kept, a minute"),
        Text("Hoeveel delen van wat de borden tonen opnieuw zijn uitgerekend, van alle gemeenten samen.",
             "How many parts of what boards show were computed anew, of all organisations together."),
        [("60 * sum(rate(contactmeter_shown_total[5m]))", Text("delen", "parts"))],
        "figures-stand-still",
    ),
    _Lines(
        Text("Geweigerd, per uur", "Refused, an hour"),
        Text("Gebeurtenissen en records die niet te gebruiken waren. De redenen, met een voorbeeld, staan op het bord Gegevens.",
             "Events and records that could not be used. The reasons, with an example, are on the board Data."),
        [("sum(increase(contactmeter_rejects_total[1h]))", Text("geweigerd", "refused"))],
        "rejects-and-the-brake",
    ),
    _Lines(
        Text("Contacten in het geheugen", "Contacts in memory"),
        Text("Wat de worker bij de hand houdt. Hoort niet te blijven groeien.", "What the worker keeps at hand. Should not keep growing."),
        [("sum(contactmeter_contacts_in_memory)", Text("contacten", "contacts"))],
    ),
)  # fmt: skip


def build(language: Language) -> Page:
    """The board in a language."""
    about = Text(
        "Of het meten zelf werkt: wat de worker leest, schrijft en toont, en waar het stokt.",
        "Whether measuring itself works: what the worker reads, writes and shows, and where it sticks.",
    )
    page = Page("pipeline", language, about, (variables.organisation,), begin="now-3h")
    page.add(fresh(page), 4, 4)
    for one in _NOUGHT:
        about_it = f"{one.about.of(language)} {page.say('Hoort 0 te zijn.', 'Must be 0.')}"
        panel = metric_stat(one.title.of(language), about_it, one.expression, bad_from=1).no_value(page.say("niets gemeld", "nothing told"))
        page.add(linked(panel, page.say("Wat te doen", "What to do"), runbook(one.anchor), blank=True), 4, 4)
    page.add(_organisations(page), 24, 5)
    for lines in _LINES:
        questions = [(expression, name.of(language)) for expression, name in lines.questions]
        drawn = metric_panel(lines.title.of(language), lines.about.of(language), questions, lines.unit)
        page.add(linked(drawn, page.say("Uitleg", "Explanation"), runbook(lines.anchor), blank=True), 12, 8)
    return page


def _organisations(page: Page) -> object:
    """Whether every organisation that the reader may see is being measured, the stillest first."""
    language = page.language
    question = f"""
SELECT
    if(dateDiff('second', s.at, now64(3, 'UTC')) > {STALE_S},
        {page.quoted("✗ staat stil", "✗ stands still")}, {page.quoted("✓ loopt", "✓ runs")}) AS state,
    o.title_{language} AS name, {sql.ago("s.at", language)} AS shown,
    {sql.ago("ifNull(t.last_event_at, toDateTime64(0, 3, 'UTC'))", language)} AS event,
    t.contacts AS contacts, t.answers AS answers, t.rejects AS rejects
FROM v_organisations AS o
LEFT JOIN (SELECT organisation, max(at) AS at FROM v_shown GROUP BY organisation) AS s ON o.organisation = s.organisation
LEFT JOIN v_status AS t ON o.organisation = t.organisation
ORDER BY s.at, name
"""
    columns = (
        Column("state", page.say("toestand", "state"), state=True, width=140),
        Column("name", page.say("gemeente", "organisation")),
        Column("shown", page.say("cijfers bijgewerkt", "figures made anew")),
        Column("event", page.say("laatste gebeurtenis", "last event")),
        Column("contacts", page.say("contacten", "contacts")),
        Column("answers", page.say("antwoorden", "answers")),
        Column("rejects", page.say("geweigerd", "refused")),
    )
    about = page.say(
        "Elke gemeente die u mag zien. ✗ staat stil: de worker heeft langer dan tien minuten niets van haar bijgewerkt.",
        "Every organisation that you may see. ✗ stands still: the worker made nothing of it anew for more than ten minutes.",
    )
    nothing = page.say("Nog geen gemeente", "No organisation yet")
    panel = table_panel(page.say("Gemeenten", "Organisations"), question, about, columns, nothing)
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("figures-stand-still"), blank=True)
