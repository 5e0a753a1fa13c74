"""docker-compose.yml, deploy/Dockerfile and what they mount: valid, pinned, complete and without secrets. Nothing is run."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from deploy.local import clickhouse

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE_ENV = dict(
    line.split("=", 1) for line in (ROOT / "deploy/compose/example.env").read_text().splitlines() if line and not line.startswith("#")
)

ENDS_BY_ITSELF = {"setup"}
ONLY_SENDS = {"simulator"}
"""Listens nowhere, so there is nothing a health check could ask."""

VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def strings(node: Any) -> list[str]:
    """Every string in a YAML document, keys left out."""
    if isinstance(node, dict):
        return [text for value in node.values() for text in strings(value)]
    if isinstance(node, list):
        return [text for value in node for text in strings(value)]
    return [node] if isinstance(node, str) else []


def with_defaults(text: str) -> str:
    return VARIABLE.sub(lambda match: match[3] if match[2] == "-" else EXAMPLE_ENV[match[1]], text)


def test_it_meets_the_compose_specification() -> None:
    text = Path(__file__).with_name("compose-spec.json").read_bytes()
    assert hashlib.sha256(text).hexdigest() in Path(__file__).with_name("README.md").read_text()
    jsonschema.Draft202012Validator(json.loads(text)).validate(COMPOSE)


def test_the_schema_would_find_a_mistake() -> None:
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    broken = {**COMPOSE, "services": {**SERVICES, "worker": {**SERVICES["worker"], "restarts": "always"}}}
    with pytest.raises(jsonschema.ValidationError, match="'restarts' was unexpected"):
        jsonschema.Draft202012Validator(schema).validate(broken)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_limited_and_kept_running(name: str) -> None:
    service = SERVICES[name]
    tag = with_defaults(service["image"]).partition(":")[2]
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(\.\d+)?", tag), f"{name}: image {service['image']} is not pinned to a full version"
    assert service["mem_limit"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] == ("no" if name in ENDS_BY_ITSELF else "unless-stopped")
    if name in ONLY_SENDS:
        assert service["healthcheck"] == {"disable": True}
    elif name not in ENDS_BY_ITSELF:
        assert {"test", "interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_published_on_loopback_only(name: str) -> None:
    assert SERVICES[name].get("network_mode") != "host"
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", with_defaults(port)), f"{name}: {port}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_can_be_waited_for(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_completed_successfully":
            assert other in ENDS_BY_ITSELF
        else:
            assert how["condition"] == "service_healthy"
            assert "test" in SERVICES[other]["healthcheck"]


def test_no_secret_is_written_down() -> None:
    secret = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY|CREDENTIAL")
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if secret.search(key):
                match = VARIABLE.fullmatch(value)
                assert value.startswith("/run/secrets/") or (match and match[2] == "?"), f"{name}: {key} is written down or may be empty"
    assert all("environment" in source for source in COMPOSE["secrets"].values())
    passwords = {key: value for key, value in EXAMPLE_ENV.items() if secret.search(key)}
    assert len(passwords) == 4
    assert not any(passwords.values()), "example.env must leave the passwords to whoever copies it"


def test_every_secret_a_service_reads_is_given_to_it() -> None:
    for name, service in SERVICES.items():
        for value in service.get("environment", {}).values():
            if value.startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], name
        assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()


def test_the_example_environment_names_every_variable_and_no_other() -> None:
    used = {match[1] for text in strings(COMPOSE) for match in VARIABLE.finditer(text)}
    used |= {source["environment"] for source in COMPOSE["secrets"].values()}
    assert used - EXAMPLE_ENV.keys() == {"CONTACTMETER_TAG"}, "the tag is for a build, not for a deployment"
    assert used >= EXAMPLE_ENV.keys()
    for text in strings(COMPOSE):
        for match in VARIABLE.finditer(text):
            if match[2] == "-" and match[1] in EXAMPLE_ENV:
                assert EXAMPLE_ENV[match[1]] == match[3], f"{match[1]} has another default in example.env"


def test_every_mounted_or_built_file_exists() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, target = with_defaults(volume).split(":")[:2]
            assert target.startswith("/")
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {source} is missing"
                assert volume.endswith(":ro"), f"{name}: {source} must be mounted read-only"
            else:
                assert source in COMPOSE["volumes"], f"{name}: volume {source} is not declared"
        if "build" in service:
            assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_prometheus_asks_the_services_where_they_answer() -> None:
    config = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    assert targets["worker"] == [f"worker:{SERVICES['worker']['environment']['CONTACTMETER_HEALTH_PORT']}"]
    assert targets["clickhouse"] == [f"clickhouse:{clickhouse_xml('config').findtext('prometheus/port')}"]
    hosts = {target.partition(":")[0] for group in targets.values() for target in group}
    assert hosts <= SERVICES.keys() | {"localhost"}


def test_the_workers_health_check_asks_its_own_port() -> None:
    worker = SERVICES["worker"]
    assert f"127.0.0.1:{worker['environment']['CONTACTMETER_HEALTH_PORT']}/live" in worker["healthcheck"]["test"][-1]


def clickhouse_xml(name: str) -> ElementTree.Element:
    return ElementTree.parse(ROOT / f"deploy/compose/clickhouse/{name}.xml").getroot()


def test_clickhouse_has_two_users_with_the_rights_of_the_local_stack() -> None:
    users = clickhouse_xml("users").find("users")
    assert users is not None
    assert [user.tag for user in users] == ["default", "app", "board"]
    assert users[0].attrib == {"remove": "remove"}
    assert tuple(query.text for query in users.iterfind("app/grants/query")) == clickhouse._APP_GRANTS
    assert tuple(query.text for query in users.iterfind("board/grants/query")) == clickhouse._BOARD_GRANTS
    environment = SERVICES["clickhouse"]["environment"]
    for user in users[1:]:
        password = user.find("password")
        assert password is not None
        assert not password.text
        assert password.attrib["from_env"] in environment
    assert SERVICES["worker"]["environment"]["CONTACTMETER_CLICKHOUSE_USER"] == "app"


def test_boards_have_the_limits_of_the_local_stack() -> None:
    local = ElementTree.parse(ROOT / "deploy/local/clickhouse_users.xml").find("profiles/board")
    production = clickhouse_xml("users").find("profiles/board")
    assert local is not None
    assert production is not None
    # Only the embedded engine has the table function that the local stack must forbid.
    embedded_only = {"allow_python_table_function"}
    assert limits(production) == {path: value for path, value in limits(local).items() if not embedded_only & set(path)}


def limits(profile: ElementTree.Element, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for child in profile:
        found |= limits(child, (*path, child.tag)) if len(child) else {(*path, child.tag): (child.text or "").strip()}
    return found


def test_the_dockerfile_installs_from_the_lock_and_drops_root() -> None:
    lines = (ROOT / "deploy/Dockerfile").read_text().splitlines()
    images = {line.split()[1] for line in lines if line.startswith("FROM")}
    assert images == {"python:3.12.13-slim-bookworm"}
    assert any("--require-hashes --no-deps" in line and "base.txt" in line for line in lines)
    assert [line for line in lines if line.startswith("USER")][-1] == "USER 10001:10001"
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), f"{line}: {source} is missing"


def test_the_build_context_holds_what_the_dockerfile_copies() -> None:
    ignored = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        source.split("/")[0]
        for line in (ROOT / "deploy/Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    assert copied == kept
