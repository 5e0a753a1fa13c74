"""The rules on the pipeline's own metrics (docs/OPERATIONS.md, "Metrics"): its failures, in which figures can't be trusted to tell."""

from typing import Final

from dashboards.alerts.rule import MetricRule
from dashboards.words import Text

HEARTBEAT: Final = MetricRule(
    "ContactmeterHeartbeat",
    Text("Hartslag", "Heartbeat"),
    "none",
    "heartbeat",
    "vector(1)",
    Text(
        "Gaat altijd uit; blijft zij weg, dan is Prometheus of Alertmanager dood.",
        "Always fires; when it stays away, Prometheus or Alertmanager is dead.",
    ),
)

WORKER_DOWN: Final = MetricRule(
    "ContactmeterWorkerDown",
    Text("Worker is weg", "Worker is down"),
    "page",
    "worker-down",
    'up{job="worker"} == 0',
    Text(
        "Worker {instance} antwoordt niet. Wat binnenkomt wacht in Kafka; herstart hem als zijn bewaker dat niet doet.",
        "Worker {instance} does not answer. What comes in waits in Kafka; start it if its supervisor does not.",
    ),
    for_s=45,
    keep_firing_s=60,
)

NO_WORKER: Final = MetricRule(
    "ContactmeterNoWorker",
    Text("Er is geen worker", "There is no worker"),
    "page",
    "worker-down",
    'absent(up{job="worker"})',
    Text("Prometheus kent geen enkele worker: niemand let op hem.", "Prometheus knows no worker at all: nobody watches it."),
    for_s=300,
)

WORKER_SILENT: Final = MetricRule(
    "ContactmeterWorkerSilent",
    Text("Worker doet niets, terwijl er werk is", "Worker does nothing while there is work"),
    "page",
    "worker-silent",
    "(contactmeter_lag_records > 0) + (increase(contactmeter_records_total[10m]) == 0)",
    Text(
        "{value} berichten wachten en in tien minuten werd er geen gelezen.",
        "{value} records wait and none was read in ten minutes.",
    ),
    for_s=300,
    keep_firing_s=120,
    follows=("ContactmeterWorkerDown", "ContactmeterStoreAway", "ContactmeterBraked"),
)

LAG: Final = MetricRule(
    "ContactmeterLag",
    Text("Worker raakt achter", "Worker falls behind"),
    "page",
    "lag",
    "contactmeter_lag_records > 2000",
    Text(
        "Al een kwartier wachten er meer dan 2.000 berichten, nu {value}: de borden lopen achter.",
        "More than 2,000 records wait for a quarter of an hour, now {value}: the boards lag.",
    ),
    for_s=900,
    keep_firing_s=300,
    follows=("ContactmeterWorkerDown", "ContactmeterStoreAway", "ContactmeterBraked", "ContactmeterWorkerSilent"),
)

STORE_AWAY: Final = MetricRule(
    "ContactmeterStoreAway",
    Text("ClickHouse antwoordt niet", "ClickHouse does not answer"),
    "page",
    "store-away",
    "contactmeter_waiting_for_store > 0",
    Text("De worker wacht op ClickHouse; er gaat niets verloren.", "The worker waits for ClickHouse; nothing is lost."),
    for_s=300,
    keep_firing_s=120,
    follows=("ContactmeterWorkerDown",),
)

INSERTS_FAILING: Final = MetricRule(
    "ContactmeterInsertsFailing",
    Text("Schrijven naar ClickHouse lukt telkens niet", "Writing to ClickHouse keeps failing"),
    "page",
    "inserts-failing",
    "increase(contactmeter_store_retries_total[10m]) > 20",
    Text(
        "{value} herhaalde pogingen in tien minuten: een volle schijf, te weinig geheugen, een wachtwoord.",
        "{value} repeated attempts in ten minutes: a full disk, too little memory, a password.",
    ),
    for_s=300,
    keep_firing_s=600,
    follows=("ContactmeterWorkerDown", "ContactmeterStoreAway"),
)

BRAKED: Final = MetricRule(
    "ContactmeterBraked",
    Text("De rem staat erop", "The brake is on"),
    "page",
    "brake",
    "contactmeter_braked > 0",
    Text(
        "Te veel van wat binnenkomt wordt geweigerd; er wordt niets meer gelezen tot iemand kijkt.",
        "Too much of what comes in is refused; nothing more is read until somebody looks.",
    ),
    for_s=60,
    keep_firing_s=60,
    follows=("ContactmeterWorkerDown",),
)

MISMATCH: Final = MetricRule(
    "ContactmeterMismatch",
    Text("Sommen kloppen niet met wat is opgeslagen", "Sums differ from what is stored"),
    "page",
    "mismatch",
    "contactmeter_mismatches > 0",
    Text("Een fout van ons: herstart de worker en bewaar zijn log.", "A defect of ours: restart the worker and keep its log."),
    for_s=60,
)

DRIFT_FAILS: Final = MetricRule(
    "ContactmeterDriftFails",
    Text("Het zoeken naar afwijkingen mislukt", "Looking for drift fails"),
    "page",
    "drift-fails",
    "increase(contactmeter_drift_failures_total[1h]) > 3",
    Text(
        "{value} keer in een uur: zolang dit duurt wordt er geen afwijking gevonden.",
        "{value} times in an hour: no drift is found for as long as this lasts.",
    ),
    for_s=300,
    keep_firing_s=1800,
)

DRIFT_STANDS: Final = MetricRule(
    "ContactmeterDriftStands",
    Text("Er wordt niet naar afwijkingen gezocht", "Nobody looks for drift"),
    "page",
    "drift-fails",
    "increase(contactmeter_drift_looks_total[3h]) == 0",
    Text("In drie uur is naar geen organisatie gekeken.", "No organisation was looked at in three hours."),
    for_s=1800,
    keep_firing_s=300,
    follows=("ContactmeterWorkerDown", "ContactmeterStoreAway", "ContactmeterDriftFails"),
)

CONFIGURATION: Final = MetricRule(
    "ContactmeterConfigurationRefused",
    Text("Een gewijzigd bestand is geweigerd", "A changed file is refused"),
    "daily",
    "configuration-refused",
    "contactmeter_configuration_refused > 0",
    Text(
        "{organisation}: wat van kracht was blijft van kracht; `contactmeter status` zegt waarom.",
        "{organisation}: what was in force stays in force; `contactmeter status` says why.",
    ),
    for_s=300,
)

SHOWING_FAILS: Final = MetricRule(
    "ContactmeterShowingFails",
    Text("Cijfers voor borden worden niet vernieuwd", "Figures for boards are not renewed"),
    "daily",
    "showing-fails",
    "increase(contactmeter_shown_failures_total[1h]) > 3",
    Text(
        "{value} keer in een uur: een deel van de borden is verouderd.",
        "{value} times in an hour: part of the boards is out of date.",
    ),
    for_s=300,
    keep_firing_s=1800,
)

GRAFANA_DOWN: Final = MetricRule(
    "ContactmeterGrafanaDown",
    Text("Grafana is weg: meldingen komen niet aan", "Grafana is down: alerts don't arrive"),
    "page",
    "grafana-down",
    'up{job="grafana"} == 0',
    Text(
        "Grafana antwoordt niet; daar gaan de meldingen over kanalen uit.",
        "Grafana does not answer; alerts about channels come from there.",
    ),
    for_s=300,
    keep_firing_s=60,
)

METRICS: Final = (
    HEARTBEAT, WORKER_DOWN, NO_WORKER, WORKER_SILENT, LAG, STORE_AWAY, INSERTS_FAILING, BRAKED, MISMATCH, DRIFT_FAILS, DRIFT_STANDS,
    SHOWING_FAILS, CONFIGURATION, GRAFANA_DOWN,
)  # fmt: skip
