"""Every Prometheus metric of the worker, with its help text. Nothing else makes one."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
"""A registry of our own: no metric of a library slips in."""

RECORDS = Counter("contactmeter_records", "Kafka records taken from contact-events.", registry=REGISTRY)
EVENTS = Counter("contactmeter_events", "Events in those records, refused ones included.", registry=REGISTRY)
REJECTS = Counter("contactmeter_rejects", "Events and records refused, by reason.", ["reason"], registry=REGISTRY)
ROWS = Counter("contactmeter_rows", "Rows written, by table; a retried insert counts once.", ["table"], registry=REGISTRY)
RETRIES = Counter("contactmeter_store_retries", "Times ClickHouse was unavailable and the same call was tried again.", registry=REGISTRY)
BATCH_SECONDS = Histogram(
    "contactmeter_batch_seconds", "Time from taking a micro-batch to its rows being ready.", registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
INSERT_SECONDS = Histogram(
    "contactmeter_insert_seconds", "Time of writing a micro-batch to ClickHouse, retries included.", registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)  # fmt: skip
LOOKUPS = Counter("contactmeter_lookups", "Contacts and answers looked up in ClickHouse.", registry=REGISTRY)
ASSIGNMENTS = Counter("contactmeter_assignments", "Times state was computed anew: start, rebalance, new configuration.", registry=REGISTRY)
RECOMPUTED = Counter("contactmeter_sums_recomputed", "Times sums were computed anew because a late writer was found.", registry=REGISTRY)
CHECKS = Counter("contactmeter_checks", "Times an organisation's sums were compared with the stored rows.", registry=REGISTRY)
MISMATCHES = Gauge(
    "contactmeter_mismatches", "Sums that differ from the stored rows, stored contacts taken as new, without a late writer; must be 0.",
    registry=REGISTRY,
)  # fmt: skip
JUDGED_AGAIN = Counter("contactmeter_judged_again", "Contacts and answers judged again by another configuration.", registry=REGISTRY)
CONTACTS = Gauge("contactmeter_contacts_in_memory", "Contacts held in memory.", registry=REGISTRY)
LAG = Gauge("contactmeter_lag_records", "Records appended to the assigned partitions and not yet committed.", registry=REGISTRY)
REFUSED = Gauge(
    "contactmeter_configuration_refused",
    "Organisations whose changed configuration is refused (1 each).",
    ["organisation"],
    registry=REGISTRY,
)
DRIFT_LOOKS = Counter("contactmeter_drift_looks", "Times an organisation was looked at for drift.", registry=REGISTRY)
DRIFT_SECONDS = Histogram(
    "contactmeter_drift_look_seconds", "Time of one look at an organisation.", registry=REGISTRY,
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)  # fmt: skip
DRIFT_FAILURES = Counter("contactmeter_drift_failures", "Looks for drift that ended with an error of ours; must be 0.", registry=REGISTRY)
SIGNALS = Counter("contactmeter_signals", "States of signals written: found, grown, over.", ["state"], registry=REGISTRY)
SHOWN = Counter("contactmeter_shown", "Times figures were kept for boards, by part.", ["part"], registry=REGISTRY)
SHOWN_SECONDS = Histogram(
    "contactmeter_shown_seconds", "Time of keeping one part of one organisation for boards.", registry=REGISTRY,
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)  # fmt: skip
SHOWN_FAILURES = Counter(
    "contactmeter_shown_failures", "Times keeping figures for boards ended with an error of ours; must be 0.", registry=REGISTRY
)
BRAKED = Gauge("contactmeter_braked", "1 while the brake is on: too much was refused, and nothing more is read.", registry=REGISTRY)
WAITING = Gauge("contactmeter_waiting_for_store", "1 while ClickHouse is unavailable and the worker waits.", registry=REGISTRY)
