"""Speed, delay, memory and restart of the pipeline, measured on a real Kafka and a real ClickHouse: `python -m benchmarks`."""
