"""Settings of every process, from environment variables `CONTACTMETER_…`; read once, in the composition root."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from pathlib import Path

from pipeline import brake
from pipeline.kafka_security import KafkaSecurity
from pipeline.logs import STYLES
from pipeline.retention import KINDS, Period, Retention, variable
from pipeline.tls import Tls
from schemas.errors import InvalidConfiguration


@dataclass(frozen=True)
class Settings:
    """One frozen object. Times in seconds; `organisations` is the directory of the organisations' YAML files."""

    kafka: str = "127.0.0.1:9092"
    kafka_security: KafkaSecurity = field(default=KafkaSecurity())
    replication: int = 1
    clickhouse_host: str = "127.0.0.1"
    clickhouse_port: int = 8123
    clickhouse_user: str = "app"
    clickhouse_password: str = ""
    clickhouse_secure: bool = False
    clickhouse_tls: Tls = field(default=Tls("CONTACTMETER_CLICKHOUSE"))
    retention: Retention = field(default=Retention())
    backup_disk: str = "backups"
    log: str = "text"
    boards: tuple[str, ...] = ("board",)
    organisations: Path = Path("organisations")
    group: str = "contactmeter-worker"
    instance: str = ""
    health_host: str = "127.0.0.1"
    health_port: int = 9102
    stall_after_s: float = 60.0
    batch_bytes: int = 6_000_000
    contacts_in_memory: int = 100_000
    brake_share: float | None = brake.SHARE
    brake_run: int | None = brake.RUN
    look_every_s: float = 600.0
    board_port: int = 0
    board_user: str = "board"
    board_password: str = ""
    board_names: tuple[str, ...] = ()
    prometheus: str = ""
    fault: str = ""

    def __repr__(self) -> str:
        return f"Settings(kafka={self.kafka!r}, clickhouse={self.clickhouse_host}:{self.clickhouse_port}, group={self.group!r})"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings. Raises InvalidConfiguration, naming the variable that is wrong."""
    default = Settings()

    def text(name: str, fallback: str) -> str:
        return environment.get(f"CONTACTMETER_{name}", "") or fallback

    def number(name: str, fallback: float) -> float:
        given = text(name, str(fallback))
        try:
            value = float(given)
        except ValueError:
            value = nan
        if not 0 < value < 1e12:
            raise InvalidConfiguration(f"CONTACTMETER_{name} is {given!r}; it must be a number above 0")
        return value

    def limit(name: str, fallback: float) -> float | None:
        return None if text(name, "").lower() == "off" else number(name, fallback)

    def switch(name: str, fallback: str = "no") -> bool:
        given = text(name, fallback).lower()
        if given not in ("yes", "no", "true", "false", "1", "0"):
            raise InvalidConfiguration(f"CONTACTMETER_{name} is {given!r}; write yes or no")
        return given in ("yes", "true", "1")

    secure = switch("CLICKHOUSE_SECURE")
    clickhouse_tls = Tls(
        "CONTACTMETER_CLICKHOUSE",
        text("CLICKHOUSE_CA_FILE", ""),
        text("CLICKHOUSE_CERTIFICATE_FILE", ""),
        text("CLICKHOUSE_KEY_FILE", ""),
        verify=switch("CLICKHOUSE_VERIFY", "yes"),
    )
    if clickhouse_tls.given and not secure:
        raise InvalidConfiguration("certificates for ClickHouse are set, TLS is not: CONTACTMETER_CLICKHOUSE_SECURE must be yes")
    if secure:
        _ = clickhouse_tls.context  # what is wrong with the files is said now
    log = text("LOG", default.log)
    if log not in STYLES:
        raise InvalidConfiguration(f"CONTACTMETER_LOG is {log!r}; it must be {' or '.join(STYLES)}")
    return Settings(
        kafka=text("KAFKA", default.kafka),
        kafka_security=KafkaSecurity(
            switch("KAFKA_TLS") if text("KAFKA_TLS", "") else None,
            text("KAFKA_SASL", ""),
            text("KAFKA_USER", ""),
            _secret(environment, "KAFKA_PASSWORD"),
            Tls(
                "CONTACTMETER_KAFKA",
                text("KAFKA_CA_FILE", ""),
                text("KAFKA_CERTIFICATE_FILE", ""),
                text("KAFKA_KEY_FILE", ""),
                _secret(environment, "KAFKA_KEY_PASSWORD"),
            ),
        ),
        replication=int(number("REPLICATION", default.replication)),
        clickhouse_host=text("CLICKHOUSE_HOST", default.clickhouse_host),
        clickhouse_port=int(number("CLICKHOUSE_HTTP_PORT", default.clickhouse_port)),
        clickhouse_user=text("CLICKHOUSE_USER", default.clickhouse_user),
        clickhouse_password=_secret(environment, "CLICKHOUSE_PASSWORD"),
        clickhouse_secure=secure,
        clickhouse_tls=clickhouse_tls,
        retention=_retention(environment),
        backup_disk=text("BACKUP_DISK", default.backup_disk),
        log=log,
        boards=tuple(filter(None, text("BOARD_USERS", ",".join(default.boards)).split(","))),
        organisations=Path(text("ORGANISATIONS", str(default.organisations))),
        group=text("GROUP", default.group),
        instance=text("INSTANCE", default.instance),
        health_host=text("HEALTH_HOST", default.health_host),
        health_port=int(number("HEALTH_PORT", default.health_port)),
        stall_after_s=number("STALL_AFTER_S", default.stall_after_s),
        batch_bytes=int(number("BATCH_BYTES", default.batch_bytes)),
        contacts_in_memory=int(number("CONTACTS_IN_MEMORY", default.contacts_in_memory)),
        brake_share=limit("BRAKE_SHARE", brake.SHARE),
        brake_run=int(run) if (run := limit("BRAKE_RUN", brake.RUN)) else None,
        look_every_s=number("LOOK_EVERY_S", default.look_every_s),
        board_port=int(number("BOARD_PORT", 1)) if text("BOARD_PORT", "") else default.board_port,
        board_user=text("BOARD_USER", default.board_user),
        board_password=_secret(environment, "BOARD_PASSWORD"),
        board_names=tuple(filter(None, text("BOARD_NAMES", "").split(","))),
        prometheus=text("PROMETHEUS", default.prometheus),
        fault=text("FAULT", default.fault),
    )


def _retention(environment: Mapping[str, str]) -> Retention:
    given = {kind: environment[variable(kind)] for kind in KINDS if environment.get(variable(kind))}
    periods = {}
    for kind, text in given.items():
        try:
            periods[kind] = Period.parse(text)
        except ValueError as error:
            raise InvalidConfiguration(f"{variable(kind)} is {text!r}; {error}") from None
    return Retention(**periods)


def _secret(environment: Mapping[str, str], name: str) -> str:
    """A secret from its variable, or from the file that `…_FILE` names."""
    path = environment.get(f"CONTACTMETER_{name}_FILE", "")
    if not path:
        return environment.get(f"CONTACTMETER_{name}", "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InvalidConfiguration(f"CONTACTMETER_{name}_FILE names {path}, which can't be read: {error.strerror}") from None
