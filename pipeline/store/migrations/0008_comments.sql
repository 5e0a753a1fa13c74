-- What citizens wrote, redacted: for instruments that say `comments: stored` only, apart from everything, for a short time. No view shows it.
CREATE TABLE comments
(
    organisation LowCardinality(String),
    source LowCardinality(String),
    answer String,
    version UInt64 COMMENT 'revision * 2^43 + logged_at in ms',
    instrument LowCardinality(String),
    instrument_version UInt16,
    answered_at DateTime64(3, 'UTC'),
    comment String CODEC(ZSTD(1)),
    stored_at DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, source, answer)
TTL toDateTime(answered_at) + INTERVAL 90 DAY;
