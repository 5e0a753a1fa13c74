"""What the worker is held against, each a program of its own: a reader that only decodes, and the Faust agent of the manual.

    python -m benchmarks.yardsticks read BOOTSTRAP TOPIC PARTITION FIRST END
    python -m benchmarks.yardsticks faust BOOTSTRAP TOPIC RECORDS WARM_UP

Prints JSON: events a second.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import faust
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition


async def read(bootstrap: str, topic: str, partition: int, first: int, end: int, decode: Callable[[bytes], Any]) -> float:
    """Events a second of reading the records [first, end) and decoding them, from the first record that arrives to the last."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, max_partition_fetch_bytes=16_000_000, enable_auto_commit=False)
    await consumer.start()
    try:
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        consumer.seek(place, first)
        events, begin, following = 0, 0.0, first
        while following < end:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                begin = begin or time.monotonic()
                for record in records:
                    events += len(decode(record.value))
                    following = record.offset + 1
        return events / (time.monotonic() - begin)
    finally:
        await consumer.stop()


def idiomatic(bootstrap: str, topic: str, records: int, warm_up: int) -> None:
    """Run an agent over `records` records of one JSON event each, print the rate after the warm-up, and end the process."""
    app: Any = faust.App(f"yardstick-{topic}", broker=f"kafka://{bootstrap}", store="memory://", web_enabled=False)
    source = app.topic(topic, value_serializer="json")

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def nothing(stream: Any) -> None:
        seen, begin = 0, 0.0
        async for _event in stream:
            seen += 1
            if seen == warm_up:
                begin = time.monotonic()
            if seen == records:
                # On a line of its own: Faust's spinner has written on this one.
                print("\n" + json.dumps({"rate": (records - warm_up) / (time.monotonic() - begin)}), flush=True)
                os._exit(0)

    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False, quiet=True).execute_from_commandline()


def main(kind: str, bootstrap: str, topic: str, *numbers: str) -> None:
    """The program."""
    if kind == "faust":
        records, warm_up = map(int, numbers)
        idiomatic(bootstrap, topic, records, warm_up)
    else:
        partition, first, end = map(int, numbers)
        decoders: dict[str, Callable[[bytes], Any]] = {"orjson": orjson.loads, "json": json.loads}
        print(json.dumps({name: asyncio.run(read(bootstrap, topic, partition, first, end, decode)) for name, decode in decoders.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
