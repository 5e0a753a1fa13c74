"""What Grafana, Prometheus and Alertmanager are given by docker-compose.yml: complete, well-formed, and of one piece."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.alerts import files as alert_files
from tests.deploy_compose.test_compose import EXAMPLE_ENV, ROOT, SERVICES, clickhouse_xml, strings, with_defaults
from tests.programs import program

GRAFANA = "/etc/grafana/provisioning"
DRIVER_ADDS_S = 5
"""clickhouse-go 2.47 asks for so much more than its own time-out as max_execution_time (queryOptions in its context.go)."""


def mounts(service: str) -> dict[str, Path]:
    """Path in the container -> file or directory of the repository."""
    pairs = (with_defaults(volume).split(":")[:2] for volume in SERVICES[service]["volumes"])
    return {target: ROOT / source for source, target in pairs if source.startswith(".")}


def provisioned(kind: str) -> dict[str, Any]:
    """The provisioned files of a kind, by name."""
    return {
        target.rpartition("/")[2]: yaml.safe_load(source.read_text())
        for target, source in mounts("grafana").items()
        if target.startswith(f"{GRAFANA}/{kind}/")
    }


def datasources() -> dict[str, Any]:
    return {one["uid"]: one for document in provisioned("datasources").values() for one in document["datasources"]}


def named(node: Any, key: str) -> Iterator[Any]:
    """Every value of `key`, however deep."""
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        for value in node.values():
            yield from named(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from named(value, key)


def test_every_file_is_of_the_first_version_and_for_the_first_organisation() -> None:
    for kind in ("datasources", "dashboards", "alerting"):
        documents = provisioned(kind)
        assert documents, kind
        for name, document in documents.items():
            assert document["apiVersion"] == 1, name
            assert set(named(document, "orgId")) <= {1}, name


def test_every_alerting_file_that_is_generated_is_mounted() -> None:
    generated = {name for name in alert_files() if name.startswith("grafana/")}
    assert {f"grafana/{name}" for name in provisioned("alerting")} == generated
    ours = {source.relative_to(ROOT / "dashboards/generated/alerting").as_posix() for source in every_mount() if "alerting" in source.parts}
    assert ours == alert_files().keys()


def every_mount() -> list[Path]:
    return [source for name in SERVICES if "volumes" in SERVICES[name] for source in mounts(name).values()]


def test_every_variable_in_a_provisioned_file_is_given_to_grafana() -> None:
    given = SERVICES["grafana"]["environment"]
    wanted = {
        match[1]
        for kind in ("datasources", "dashboards", "alerting")
        for document in provisioned(kind).values()
        for text in strings(document)
        for match in re.finditer(r"(?<!\$)\$\{?([A-Z][A-Z_]+)\}?", text)
    }
    assert {"CONTACTMETER_BOARD_PASSWORD", "ALERT_EMAIL"} <= wanted
    assert wanted <= given.keys()
    for name in wanted - {"CONTACTMETER_BOARD_PASSWORD"}:
        assert with_defaults(given[name]), f"{name}: Grafana does not start with a contact point that has no address"


def test_boards_and_rules_ask_data_sources_that_are_provisioned() -> None:
    boards = [json.loads(path.read_text()) for path in sorted((ROOT / "dashboards/generated/boards").glob("*/*.json"))]
    assert boards
    asked = {(one["type"], one["uid"]) for board in boards for one in named(board, "datasource") if isinstance(one, dict) and "uid" in one}
    known = {(one["type"], uid) for uid, one in datasources().items()} | {("grafana", "-- Grafana --"), ("datasource", "grafana")}
    assert asked <= known
    rules = set(named(provisioned("alerting"), "datasourceUid"))
    assert rules
    assert rules <= datasources().keys() | {"__expr__"}


def test_boards_are_where_the_folders_look_for_them() -> None:
    directory = mounts("grafana")["/etc/contactmeter/boards"]
    providers = provisioned("dashboards")["contactmeter.yml"]["providers"]
    paths = [provider["options"]["path"] for provider in providers]
    assert {directory / path.rpartition("/")[2] for path in paths} == {path for path in directory.iterdir() if path.is_dir()}
    assert len({provider["folder"] for provider in providers}) == len(providers)
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (directory / Path(home).relative_to("/etc/contactmeter/boards")).is_file()


def test_the_plugin_is_pinned_to_the_version_that_boards_are_written_for() -> None:
    plugin, _, version = SERVICES["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"].partition("@")
    assert plugin == datasources()["contactmeter"]["type"]
    boards = (ROOT / "dashboards/generated/boards/nl").glob("*.json")
    assert {one for path in boards for one in named(json.loads(path.read_text())["panels"], "pluginVersion") if "." in one} >= {version}


def test_the_data_source_is_the_user_of_boards_and_keeps_within_its_limits() -> None:
    source = datasources()["contactmeter"]
    users = clickhouse_xml("users")
    user = users.find(f"users/{source['jsonData']['username']}")
    assert user is not None
    assert user.findtext("profile") == "board"
    limits = users.find("profiles/board")
    assert limits is not None
    assert int(source["jsonData"]["queryTimeout"]) + DRIVER_ADDS_S <= int(limits.findtext("constraints/max_execution_time/max") or 0)
    assert int(source["jsonData"]["maxOpenConns"]) < int(limits.findtext("max_concurrent_queries_for_user") or 0)
    assert source["jsonData"]["host"] in SERVICES
    assert source["jsonData"]["defaultDatabase"] == "contactmeter_views"
    passwords = SERVICES["grafana"]["environment"], SERVICES["clickhouse"]["environment"]
    assert len({environment["CONTACTMETER_BOARD_PASSWORD"] for environment in passwords}) == 1


@pytest.mark.parametrize(("uid", "service"), [("contactmeter-prometheus", "prometheus"), ("contactmeter-alertmanager", "alertmanager")])
def test_other_data_sources_name_services(uid: str, service: str) -> None:
    port = with_defaults(SERVICES[service]["ports"][0]).rpartition(":")[2]
    assert datasources()[uid]["url"] == f"http://{service}:{port}"


def test_prometheus_takes_its_configuration_and_rules(tmp_path: Path) -> None:
    rules = [target for target in mounts("prometheus") if target.startswith("/etc/prometheus/rules/")]
    assert rules
    config = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    assert all(Path(target).match(config["rule_files"][0]) for target in rules)
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({**config, "rule_files": [str(mounts("prometheus")[rule]) for rule in rules]}))
    found = subprocess.run(
        [program("promtool"), "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert re.search(r"SUCCESS: \d+ rules found", found.stdout)
    alertmanagers = config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert alertmanagers == [f"alertmanager:{with_defaults(SERVICES['alertmanager']['ports'][0]).rpartition(':')[2]}"]


def test_alertmanager_takes_its_configuration(tmp_path: Path) -> None:
    text = mounts("alertmanager")["/etc/alertmanager/alertmanager.yml"].read_text()
    secrets = set(re.findall(r"/run/secrets/(\w+)", text))
    assert secrets == set(SERVICES["alertmanager"]["secrets"])
    assert "$" not in text, "Alertmanager takes nothing from the environment"
    # Debian's amtool is older than `url_file` of a webhook.
    (tmp_path / "alertmanager.yml").write_text(re.sub(r"url_file: \S+", "url: http://127.0.0.1:9/", text))
    found = subprocess.run(
        [program("amtool"), "check-config", str(tmp_path / "alertmanager.yml")], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


def test_runbooks_are_served_where_links_lead() -> None:
    public = mounts("grafana")["/usr/share/grafana/public/contactmeter"]
    assert (public / "operations.html").is_file()


def test_example_addresses_reach_nobody() -> None:
    for name, value in EXAMPLE_ENV.items():
        if name.startswith("ALERT_") and not name.endswith("PASSWORD"):
            assert value.startswith("http://127.0.0.1:9/") or value.endswith("@example.invalid"), name
