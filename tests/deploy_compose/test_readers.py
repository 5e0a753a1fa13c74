"""The files for municipalities that see their own boards only: made of those of docker-compose.yml, and fitting them."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from typer.testing import CliRunner, Result

from deploy.readers import Readers, files, password_variable
from pipeline.cli import program
from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from tests.deploy_compose.test_compose import ROOT, SERVICES, clickhouse_xml

TEXT = """
readers:
  leiden: {grafana: 2, organisations: [leiden]}
  servicecentrum: {grafana: 3, organisations: [leiden, oegstgeest], alerts: true}
"""
PLACE = "./deploy/compose/readers"


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return files(ROOT, yamlfile.loads(TEXT, Readers, "readers.yaml").readers, PLACE)


def document(written: dict[str, str], name: str) -> Any:
    return yaml.safe_load(written[name])


def test_each_has_a_user_with_the_rights_of_boards(written: dict[str, str]) -> None:
    users = ElementTree.fromstring(written["clickhouse.xml"]).find("users")
    board = clickhouse_xml("users").find("users/board")
    assert users is not None
    assert board is not None
    assert [user.tag for user in users] == ["leiden", "servicecentrum"]
    for user in users:
        password = user.find("password")
        assert password is not None
        assert not password.text
        assert password.attrib == {"from_env": password_variable(user.tag)}
        for path in ("profile", "quota", "networks/ip", "grants/query"):
            assert [one.text for one in user.iterfind(path)] == [one.text for one in board.iterfind(path)]


def test_each_grafana_organisation_has_one_data_source_of_its_own_user(written: dict[str, str]) -> None:
    sources = document(written, "datasources.yml")["datasources"]
    assert [(one["orgId"], one["uid"], one["jsonData"]["username"], one["secureJsonData"]["password"]) for one in sources] == [
        (2, "contactmeter", "leiden", "$READER_LEIDEN_PASSWORD"),
        (3, "contactmeter", "servicecentrum", "$READER_SERVICECENTRUM_PASSWORD"),
    ]


def test_each_has_the_boards_in_both_languages_but_none_on_the_metrics_of_all(written: dict[str, str]) -> None:
    providers = document(written, "dashboards.yml")["providers"]
    assert len({one["name"] for one in providers}) == len(providers) == 4
    assert sorted((one["orgId"], one["options"]["path"]) for one in providers) == [
        (number, f"/etc/contactmeter/readers/boards/{language}") for number in (2, 3) for language in ("en", "nl")
    ]
    boards = {name: text for name, text in written.items() if name.startswith("boards/")}
    assert {"boards/nl/now.json", "boards/en/now.json"} <= boards.keys()
    assert not any("contactmeter-prometheus" in text for text in boards.values())


def test_alert_rules_are_for_those_that_want_their_own(written: dict[str, str]) -> None:
    alerting = {name for name in written if name.startswith("alerting/")}
    generated = {path.name for path in (ROOT / "dashboards/generated/alerting/grafana").iterdir()}
    assert alerting == {f"alerting/servicecentrum-{name}" for name in generated}
    for name in alerting:
        original = yaml.safe_load((ROOT / "dashboards/generated/alerting/grafana" / name.partition("-")[2]).read_text())
        for key, value in document(written, name).items():
            if isinstance(value, list):
                assert [one.pop("orgId") for one in value] == [3] * len(value)
                assert value == [{part: of for part, of in one.items() if part != "orgId"} for one in original[key]]


def test_the_compose_file_mounts_all_of_it_and_holds_no_password(written: dict[str, str]) -> None:
    services = document(written, "compose.yml")["services"]
    sources = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    below = {f"{PLACE}/boards" if name.startswith("boards/") else f"{PLACE}/{name}" for name in written if name != "compose.yml"}
    assert sources == below
    targets = [volume.split(":")[1] for name in services for volume in (*services[name]["volumes"], *SERVICES[name]["volumes"])]
    assert len(set(targets)) == len(targets), "one would hide another"
    for service in services.values():
        assert service["environment"]["READER_LEIDEN_PASSWORD"] == "${READER_LEIDEN_PASSWORD:?set it in .env}"
    assert services["grafana"]["environment"]["GF_USERS_AUTO_ASSIGN_ORG_ROLE"] == "None"


@pytest.mark.parametrize(
    ("readers", "message"),
    [
        ("{}", "it needs at least one entry"),
        ("{board: {grafana: 2, organisations: [leiden]}}", "board is a user of the product itself"),
        ("{leiden: {grafana: 1, organisations: [leiden]}}", "readers.leiden.grafana: this must be at least 2"),
        ("{leiden: {grafana: 2, organisations: []}}", "readers.leiden.organisations"),
        ("{Leiden: {grafana: 2, organisations: [leiden]}}", "Leiden"),
        ("{a: {grafana: 2, organisations: [x]}, b: {grafana: 2, organisations: [y]}}", "a and b have Grafana organisation 2 both"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(readers: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        yamlfile.loads(f"readers: {readers}", Readers, "readers.yaml")


def contactmeter(*words: str) -> Result:
    return CliRunner().invoke(program("readers"), ["readers", "files", *words])


def test_the_command_writes_them_and_says_what_is_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "readers.yaml").write_text(TEXT)
    old = tmp_path / "out/boards/nl/gone.json"
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    monkeypatch.chdir(ROOT)
    said = contactmeter(str(tmp_path / "readers.yaml"), "--to", str(tmp_path / "out"))
    assert said.exit_code == 0, said.output
    assert (tmp_path / "out/compose.yml").is_file()
    assert not old.exists(), "a board that there is no more"
    assert "READER_SERVICECENTRUM_PASSWORD=" in said.output
    assert "contactmeter readers grant servicecentrum --organisation leiden --organisation oegstgeest\n" in said.output


def test_elsewhere_than_in_the_repository_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "readers.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    said = contactmeter("readers.yaml")
    assert said.exit_code == 2
    assert "there is no docker-compose.yml" in said.output
    assert not (tmp_path / "deploy").exists()
