"""What is wrong with a channel, a connector or a case: from the event on Kafka by a real worker to the alert that a board user sees."""

from dashboards.alerts.rules import RULES
from tests.dashboards.scenarios import happenings
from tests.dashboards.scenarios.asking import now_ms
from tests.dashboards.scenarios.conftest import Watched
from tests.e2e.synthetic import PHONE
from tests.waiting import wait_until


def pages(watched: Watched, town: str) -> set[str]:
    """The rules that page of which a row is above its threshold."""
    return {one.id for one in RULES if one.severity == "page" and watched.asked(one.id, town).over()}


def test_a_channel_drifts_until_somebody_takes_note_and_it_is_over(watched: Watched) -> None:
    town = "drift"
    incident, lasts, escalated = (watched.asked(name, town) for name in ("incident", "incident_lasts", "incident_escalated"))
    alert = incident.fires()
    assert alert.labels == {
        "rule": "incident", "severity": "page", "organisation": town, "channel": "telephone", "incident": alert.labels["incident"],
    }  # fmt: skip
    assert alert.summary.nl.startswith("▲ Telefoon")
    assert alert.summary.en.startswith("▲ Telephone")
    assert "45 s" in alert.summary.nl or "wachttijd" in alert.summary.nl
    assert alert.description.nl.startswith("telefoon: wacht op iemand.")
    assert alert.path == f"/d/contactmeter-channel-nl?var-organisation={town}&var-channel=telephone"
    assert lasts.fires().labels["severity"] == "info"
    escalated.stays_quiet(300)
    assert "outage" not in pages(watched, town)
    labels = alert.labels
    assert {one.labels["incident"] for one in incident.read()} == {labels["incident"]}, "and no other"

    watched.stack.cli("incident", "acknowledge", town, labels["incident"], "--who", "Jan de Vries")
    ended = incident.clears()
    assert ended.labels == labels
    assert ended.description.nl.startswith("telefoon: gezien door Jan de Vries.")
    incident.stays_quiet(300)
    assert lasts.states() == ["firing"], "whoever follows along sees that it goes on"

    watched.stack.send(town, watched.recovers, 400)
    assert lasts.clears().description.nl == "telefoon: voorbij."
    assert not pages(watched, town)


def test_an_incident_that_nobody_reacts_to_calls_the_next_in_line(watched: Watched) -> None:
    town = "escalatie"
    incident, escalated = (watched.asked(name, town) for name in ("incident", "incident_escalated"))
    first, second = incident.fires(), escalated.fires()
    assert second.labels == {**first.labels, "rule": "incident_escalated", "escalation": "yes"}
    assert second.summary.nl == first.summary.nl.replace("▲", "▲▲ Niemand reageert:")
    assert incident.states() == ["firing"]
    watched.stack.cli("incident", "silence", town, first.labels["incident"], "--who", "Jan", "--for", "1h")
    assert escalated.clears().description.nl.startswith("telefoon: stilgezet door Jan.")
    incident.clears()


def test_a_connector_that_is_silent_in_opening_hours(watched: Watched) -> None:
    silent, elsewhere = watched.asked("connector_silent", "open"), watched.asked("connector_silent", "dicht")
    wait_until(lambda: len(silent.rows()) == len(elsewhere.rows()) == 3, "the heartbeats and the opening hours", 60)
    wait_until(silent.over, "the silence", 60)
    for _ in range(1 + silent.rule.for_s // silent.rule.interval_s):
        silent.read()
    by_name = {alert.labels["connector"]: alert for alert in silent.alerts}
    assert by_name.keys() == {"telefonie", "bron-weg"}
    alert = by_name["telefonie"]
    assert alert.fires
    assert alert.labels["severity"] == "page"
    assert alert.labels["source"] == PHONE
    assert alert.summary.nl.startswith("? Koppeling telefonie zwijgt 2")
    elsewhere.stays_quiet(600)

    now = now_ms()
    watched.stack.send("open", [happenings.heartbeat(name, now, now) for name in ("telefonie", "bron-weg")])
    wait_until(lambda: not silent.over(), "them to be heard again", 60)
    told = [[(alert.labels["connector"], alert.state) for alert in silent.read()] for _ in range(6)]
    both = ("telefonie", "bron-weg")
    assert [sorted(one) for one in told] == [
        *[sorted((name, "recovering") for name in both)] * 4, sorted((name, "resolved") for name in both), []
    ], "they end after two minutes of signs of life, once"  # fmt: skip


def test_a_term_of_law_that_is_about_to_pass(watched: Watched) -> None:
    term, ordinary = watched.asked("term_about_to_pass", "open"), watched.asked("term_about_to_pass", "dicht")
    alert = term.fires()
    assert alert.labels == {
        "rule": "term_about_to_pass", "severity": "page", "organisation": "open", "channel": "email", "team": "Klachten",
        "norm": "klacht_6w", "due": alert.labels["due"],
    }  # fmt: skip
    assert alert.summary.nl.startswith("◷ 1 × Klacht binnen 6 weken: termijn loopt af op ")
    assert "zaak-1" in alert.description.nl
    assert "zaak-2" not in alert.description.nl
    ordinary.stays_quiet(600)
    assert not pages(watched, "dicht"), "what nobody promised by law wakes nobody"

    watched.stack.send("open", [happenings.closed("zaak-1", now_ms())])
    assert term.clears().labels == alert.labels


def test_a_norm_that_is_not_met_is_told_in_the_morning_and_pages_nobody(watched: Watched) -> None:
    norm, few = watched.asked("norm_not_met", "open"), watched.asked("norm_not_met", "dicht")
    wait_until(lambda: few.rows(), "the figures of the other town", 60)
    wait_until(norm.over, "the norm to be judged", 60)
    quiet, waits = 0, norm.rule.for_s * 1000 // (norm.rule.interval_s * 1000)
    while norm.states() == ["pending"]:
        quiet += 1
    assert quiet == waits, "an hour long nobody is told"
    (alert,) = norm.alerts
    assert alert.labels == {
        "rule": "norm_not_met", "severity": "daily", "organisation": "open", "channel": "telephone", "measure": "norm:answered_45s",
    }  # fmt: skip
    assert alert.summary.nl == "✗ telefoon, Binnen 45 seconden: 0 % (doel 80 %)"
    assert "40 contacten" in alert.description.nl
    few.stays_quiet(2 * norm.rule.for_s)
    assert not pages(watched, "dicht")
