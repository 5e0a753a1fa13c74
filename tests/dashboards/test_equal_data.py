"""The board "Gegevens": what commands tell, and else what is stored."""

from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta

from schemas.words import channel_text
from tests.dashboards.screens import Row, Screens, again, alike, lasting

ROLES = {
    "counts": "✓ telt mee", "enriches": "vult een ander contact aan", "unlinked": "✗ niet gekoppeld", "unknown": "? kanaal",
    "withdrawn": "teruggetrokken",
}  # fmt: skip


def stored(screens: Screens, sql: str) -> list[Row]:
    """What is in the tables themselves."""
    with closing(screens.town.owner.open()) as client:
        found = client.query(sql, {"organisation": screens.town.name})
        return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]


@again
def test_counts(screens: Screens) -> None:
    row = screens.row("data", "Gegevens")
    (contacts,) = stored(screens, "SELECT count() AS n FROM contacts FINAL WHERE organisation = {organisation:String} AND NOT forgotten")
    (defects,) = stored(
        screens,
        "SELECT sum(length(defects)) AS n FROM contacts FINAL "
        "WHERE organisation = {organisation:String} AND role NOT IN ('mailbox', 'forgotten')",
    )
    (answers,) = stored(screens, "SELECT uniqExact(source, answer) AS n FROM survey_answers WHERE organisation = {organisation:String}")
    rejects = screens.told("rejects", "list", "--organisation", screens.town.name)
    (whole,) = [one for one in screens.told("measures")["open"] if not one["channel"]]
    silent = {one["channel"] for one in screens.told("drift", "list", screens.town.name, "--all")["streams"] if one["status"] == "unknown"}
    assert row["rejects"] == f"✗ {sum(group['rejects'] for group in rejects)}"
    assert row["stale"] == f"{'✗' if whole['stale'] else '✓'} {whole['stale']}"
    assert row["unheard"] == f"{'?' if silent else '✓'} {len(silent)}"
    assert (row["contacts"], row["answers"], row["defects"]) == (contacts["n"], answers["n"], defects["n"])


def test_rejects(screens: Screens) -> None:
    rows = screens.rows("data", "Geweigerd")
    groups = screens.told("rejects", "list", "--organisation", screens.town.name)
    assert Counter((row["why"], row["system"], row["rejects"]) for row in rows) == Counter(
        (f"✗ {group['reason']}", (group["source"] or "").split(":")[-1], group["rejects"]) for group in groups
    )
    for row in rows:
        one = screens.told("rejects", "show", row["command"].split()[-1])
        assert (f"✗ {one['reason']}", f"{one['path']}: {one['message']}") == (row["why"], row["example"])


def test_what_counts_by_source(screens: Screens) -> None:
    meant = stored(
        screens,
        "SELECT system, toString(channel) AS channel, toString(role) AS role, count() AS contacts FROM contacts FINAL "
        "WHERE organisation = {organisation:String} AND role NOT IN ('mailbox', 'forgotten') GROUP BY system, channel, role",
    )
    rows = screens.rows("data", "Wat meetelt, per bron")
    shown = {(row["system"], row["which"], row["role"]): row["contacts"] for row in rows}
    assert sorted(shown.values()) == sorted(one["contacts"] for one in meant)
    for (system, which, role), contacts in shown.items():
        (one,) = [
            one for one in meant
            if (one["system"], channel_text(one["channel"], "nl")) == (system, which) and role.startswith(ROLES[one["role"]])
        ]  # fmt: skip
        assert one["contacts"] == contacts
    told = {(one["system"], one["channel"], one["role"]): one["contacts"] for one in screens.told_at("measures")["roles"]}
    assert told == {(one["system"], one["channel"], one["role"]): one["contacts"] for one in meant if one["role"] != "counts"}


@again
def test_odd_data_and_what_is_open_too_long(screens: Screens) -> None:
    odd = stored(
        screens,
        "SELECT system, arrayJoin(defects) AS defect, count() AS contacts FROM contacts FINAL "
        "WHERE organisation = {organisation:String} AND role NOT IN ('mailbox', 'forgotten') GROUP BY system, channel, defect",
    )
    assert Counter((row["system"], row["contacts"]) for row in screens.rows("data", "Vreemde gegevens")) == Counter(
        (one["system"], one["contacts"]) for one in odd
    )
    (whole,) = [one for one in screens.told("measures")["open"] if not one["channel"]]
    assert len(screens.rows("data", "Te lang open")) == min(whole["stale"], 100)


def test_connectors(screens: Screens) -> None:
    rows = {row["connector"]: row for row in screens.rows("data", "Koppelingen")}
    beats = {one["connector"]: one for one in screens.read("SELECT * FROM v_heartbeats WHERE organisation = {organisation:String}")}
    assert set(rows) == set(beats) == {"telefonie", "post"}
    assert rows["post"]["state"].startswith("✗ zwijgt ")
    for name, row in rows.items():
        assert row["lag"] == lasting(beats[name]["lag_s"])
    assert rows["post"]["heard"] == "5,0 d geleden"


def test_channels(screens: Screens) -> None:
    rows = {row["channel"]: row for row in screens.rows("data", "Kanalen")}
    told = {one["channel"]: one for one in screens.told_at("measures")["expected"] if one["channel"]}
    streams = screens.told("drift", "list", screens.town.name, "--all")["streams"]
    assert set(rows) == set(told)
    for channel, row in rows.items():
        usual = told[channel]["usual_so_far"]
        assert (row["so_far"], row["usual"]) == (told[channel]["so_far"], "" if usual is None else str(round(usual)))
        unheard = any(one["status"] == "unknown" for one in streams if one["channel"] == channel)
        assert row["state"].startswith("? niets gehoord" if unheard else "✓ vers")


def test_every_board_says_how_fresh_it_is(screens: Screens) -> None:
    (one,) = screens.read("SELECT toUnixTimestamp64Milli(last_event_at) AS at FROM v_status WHERE organisation = {organisation:String}")
    last = datetime.fromtimestamp(one["at"] / 1000, screens.at.tzinfo)
    assert last >= max(contact["last_at"] for contact in screens.contacts if contact["last_at"] <= screens.at)
    for name in ("now", "channel", "norms", "satisfaction", "busyness", "signals", "quarter", "data"):
        row = screens.row(name, "Actueel?")
        age = datetime.now(screens.at.tzinfo) - screens.at
        assert row["state"] == "✓ actueel" if age < timedelta(minutes=9) else row["state"].startswith(("✓", "✗")), name
        since = (datetime.now(screens.at.tzinfo) - last).total_seconds()
        assert alike(row["last"], f"{lasting(since)} geleden", 1 if since < 5400 else 0.1)
