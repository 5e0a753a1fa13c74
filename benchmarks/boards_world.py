"""Millions of contacts of two years, made by ClickHouse itself: as many as a large installation has, as a worker writes them."""

import time
from collections.abc import Mapping
from typing import Final

from connectors.simulator.town import ORGANISATION_FILE
from pipeline.store.client import Client
from pipeline.store.facade import ClickHouseStore
from schemas import yamlfile
from schemas.organisation import Organisation

SHARES: Final[Mapping[str, float]] = {"metropool": 0.6, "grootstad": 0.3, "kleinstad": 0.1}
"""Part of all contacts that each organisation has."""
DAYS: Final = 730
AT_ONCE: Final = 250_000
CHANGED_AGAIN: Final = 33
"""One contact in so many, the latest ones, is stored in two versions that no merge has met yet."""
ASPECTS: Final = ("overall", "ease", "speed", "treatment", "clarity", "informed")
ANSWERED: Final = 10
"""One contact in so many has an answer."""

_CONTACTS = """
INSERT INTO contacts
(
    organisation, system, contact, version, channel, product, team, location, opened_at, queued_at, answered_at, abandoned_at, left_at,
    closed_at, last_at, wait_ms, handling_ms, withdrawn, role, result, person, timeline, `outcomes.norm`, `outcomes.version`,
    `outcomes.start`, `outcomes.deadline`, `outcomes.stop`, `outcomes.judged_at`, `outcomes.excluded`, `outcomes.measured`, writer, offset
)
SELECT
    {organisation:String}, if(phone, 'telefooncentrale', 'postbus'), hex(cityHash64(number, 'contact')), {version:UInt64},
    if(phone, 'telephone', 'email'), concat('product-', toString(h % 40)), concat('team-', toString(h % 8)), 'stadhuis', opened, opened,
    if(gave_up, NULL, waited), if(gave_up, waited, NULL), if(gave_up, waited, NULL), if(still_open, NULL, done), done, wait, handled, 0,
    'counts', 'first_contact', toString(h % 200000), repeat('x', 300), [if(phone, 'telephone_45s', 'email_answered_2wd')], [1], [opened],
    [due], [if(gave_up OR still_open, NULL, waited)], [if(still_open OR waited > due, due, waited)], [''], [NULL], 1, 1
FROM
(
    SELECT
        number, cityHash64(number) AS h, h % 10 < 7 AS phone, h % 20 = 0 AND phone AS gave_up,
        number < {contacts:UInt64} / 200 AND h % 3 = 0 AND NOT phone AS still_open,
        toInt64(cityHash64(number, 'wait') % if(phone, 90000, 400000000)) AS wait, toInt64(cityHash64(number, 'done') % 600000) AS handled,
        intDiv(number * {days:UInt64} * 86400000, {contacts:UInt64}) AS ago,
        fromUnixTimestamp64Milli({now:Int64}, 'UTC') - toIntervalMillisecond(ago) AS opened,
        opened + toIntervalMillisecond(wait) AS waited, waited + toIntervalMillisecond(handled) AS done,
        opened + toIntervalMillisecond(if(phone, 45000, 172800000)) AS due
    FROM numbers({first:UInt64}, {several:UInt64})
)
"""

_ANSWERS = """
INSERT INTO survey_answers
(
    organisation, source, answer, version, instrument, instrument_version, revision, status, channel, product, team, answered_at, logged_at,
    aspects, grades, writer, offset
)
SELECT
    {organisation:String}, 'enquete', hex(cityHash64(number, 'answer')), 65536, 'after_contact', 1, 0, 'complete',
    if(number % 10 < 7, 'telephone', 'email'), concat('product-', toString(number % 40)), concat('team-', toString(number % 8)),
    given, given,
    {aspects:Array(String)}, arrayMap(x -> toInt64(1000 * (1 + cityHash64(number, x) % 10)), {aspects:Array(String)}), 1, 1
FROM
(
    SELECT
        number, intDiv(number * {days:UInt64} * 86400000, {answers:UInt64}) AS ago,
        fromUnixTimestamp64Milli({now:Int64}, 'UTC') - toIntervalMillisecond(ago) AS given
    FROM numbers({answers:UInt64})
)
"""


def fill(client: Client, store: ClickHouseStore, contacts: int, readers: tuple[str, ...]) -> dict[str, Organisation]:
    """Store so many contacts, and a tenth as many answers, of three organisations; what each of them measures."""
    text = ORGANISATION_FILE.read_text(encoding="utf-8")
    now = time.time_ns() // 1_000_000
    made = {}
    for name, share in SHARES.items():
        own = text.replace("organisation: simulatiestad", f"organisation: {name}")
        made[name] = yamlfile.loads(own, Organisation, name)
        store.register(made[name], own, 0, readers, now)
        count = int(contacts * share)
        common = {"organisation": name, "now": now, "days": DAYS}
        for version, first, end in ((3, 0, count), (4, 0, count // CHANGED_AGAIN)):
            for begin in range(first, end, AT_ONCE):
                several = {"version": version << 16, "first": begin, "several": min(AT_ONCE, end - begin), "contacts": count}
                client.command(_CONTACTS, parameters={**common, **several})
        client.command(_ANSWERS, parameters={**common, "answers": max(count // ANSWERED, 1), "aspects": list(ASPECTS)})
    return made
