-- What the worker stores. Every row depends on events and configuration only, except the columns `writer`, `offset` and `stored_at`.
-- Nothing that may change for a row stands in a sort key or partition: a replaced row must meet the one it replaces.

-- Contacts and answers are synced to disk at every insert: Kafka's offset is committed past them.
CREATE TABLE contacts
(
    organisation LowCardinality(String),
    system LowCardinality(String),
    contact String,
    version UInt64 COMMENT 'changes of the event set * 65536 + generation of the configuration; equal version means equal content',
    channel LowCardinality(String) COMMENT 'empty while no event has told it',
    via LowCardinality(String),
    product LowCardinality(String),
    team LowCardinality(String),
    location LowCardinality(String),
    segment LowCardinality(String),
    direction LowCardinality(String),
    complexity LowCardinality(String),
    person String COMMENT 'keyed hash; in no view',
    link String,
    same_as String,
    result LowCardinality(String),
    opened_at Nullable(DateTime64(3, 'UTC')),
    queued_at Nullable(DateTime64(3, 'UTC')),
    answered_at Nullable(DateTime64(3, 'UTC')),
    abandoned_at Nullable(DateTime64(3, 'UTC')) COMMENT 'null once answered',
    left_at Nullable(DateTime64(3, 'UTC')) COMMENT 'gave up or left the queue otherwise, without being answered',
    closed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'the last close that no reopening follows',
    wait_ms Nullable(Int64),
    withdrawn Bool,
    timeline String CODEC(ZSTD(1)) COMMENT '[[occurred_at ms, source, id, digest, time ms, kind, data], …] sorted',
    `outcomes.norm` Array(LowCardinality(String)),
    `outcomes.version` Array(UInt16),
    `outcomes.start` Array(DateTime64(3, 'UTC')),
    `outcomes.deadline` Array(Nullable(DateTime64(3, 'UTC'))),
    `outcomes.stop` Array(Nullable(DateTime64(3, 'UTC'))),
    `outcomes.judged_at` Array(Nullable(DateTime64(3, 'UTC'))) COMMENT 'null exactly when excluded',
    `outcomes.excluded` Array(LowCardinality(String)),
    defects Array(LowCardinality(String)),
    writer UInt64 COMMENT 'assignment that wrote it',
    offset Int64 COMMENT 'last record of its batch',
    stored_at DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, system, contact)
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE survey_answers
(
    organisation LowCardinality(String),
    source LowCardinality(String),
    answer String,
    version UInt64,
    instrument LowCardinality(String),
    instrument_version UInt16,
    revision UInt32,
    status LowCardinality(String),
    channel LowCardinality(String),
    product LowCardinality(String),
    team LowCardinality(String),
    segment LowCardinality(String),
    wave LowCardinality(String),
    invitation String,
    contact_system LowCardinality(String),
    contact String,
    answered_at DateTime64(3, 'UTC'),
    logged_at DateTime64(3, 'UTC'),
    digest String,
    aspects Array(LowCardinality(String)),
    grades Array(Int64) COMMENT 'thousandths, in the order of aspects',
    has_comment Bool,
    writer UInt64,
    offset Int64,
    stored_at DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, source, answer)
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE rolling
(
    organisation LowCardinality(String),
    channel LowCardinality(String),
    measure LowCardinality(String),
    window LowCardinality(String),
    as_of DateTime('UTC'),
    version UInt64 COMMENT '(last offset applied + 1) * 65536 + generation',
    n Int64,
    total Int64,
    squares Int128,
    value Nullable(Float64),
    low Nullable(Float64),
    high Nullable(Float64),
    target Nullable(Float64),
    attainment LowCardinality(String),
    stored_at DateTime64(3) DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(as_of)
ORDER BY (organisation, channel, measure, window, as_of)
TTL as_of + INTERVAL 100 DAY;

-- The last row of each series and window, kept apart: "the figures now" must not read a hundred days of minutes.
CREATE TABLE rolling_last
(
    organisation LowCardinality(String),
    channel LowCardinality(String),
    measure LowCardinality(String),
    window LowCardinality(String),
    rank UInt64 COMMENT '(last offset applied + 1) * 2^32 + as_of in seconds: who knows more wins, then who is later',
    as_of DateTime('UTC'),
    n Int64,
    total Int64,
    squares Int128,
    value Nullable(Float64),
    low Nullable(Float64),
    high Nullable(Float64),
    target Nullable(Float64),
    attainment LowCardinality(String),
    stored_at DateTime64(3)
)
ENGINE = ReplacingMergeTree(rank)
ORDER BY (organisation, channel, measure, window);

CREATE MATERIALIZED VIEW rolling_to_last TO rolling_last AS
SELECT
    organisation, channel, measure, window, least(intDiv(version, 65536), 4294967295) * 4294967296 + toUInt32(as_of) AS rank,
    as_of, n, total, squares, value, low, high, target, attainment, stored_at
FROM rolling;

CREATE TABLE rejects
(
    topic LowCardinality(String),
    partition UInt16,
    offset Int64,
    position Int16 COMMENT 'event in its record, -1 for the whole record',
    organisation String COMMENT 'as the record claimed it',
    source String,
    reason LowCardinality(String),
    path String,
    message String,
    original String CODEC(ZSTD(1)) COMMENT 'at most 64 KB',
    size UInt64,
    sha256 FixedString(64),
    appended_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset, position)
TTL toDateTime(appended_at) + INTERVAL 14 DAY;

CREATE TABLE heartbeats
(
    organisation LowCardinality(String),
    connector LowCardinality(String),
    source LowCardinality(String),
    observed_at DateTime64(3, 'UTC'),
    last_read_at Nullable(DateTime64(3, 'UTC')),
    lag_s Nullable(Float64),
    cursor String
)
ENGINE = ReplacingMergeTree
ORDER BY (organisation, connector, source, observed_at)
TTL toDateTime(observed_at) + INTERVAL 14 DAY;

CREATE TABLE gauges
(
    organisation LowCardinality(String),
    channel LowCardinality(String),
    queue LowCardinality(String),
    gauge LowCardinality(String),
    observed_at DateTime64(3, 'UTC'),
    value Float64
)
ENGINE = ReplacingMergeTree
ORDER BY (organisation, channel, queue, gauge, observed_at)
TTL toDateTime(observed_at) + INTERVAL 100 DAY;

CREATE TABLE notices
(
    organisation LowCardinality(String),
    kind LowCardinality(String) COMMENT 'survey.invited, marker.set, marker.cancelled, incident.acknowledged, incident.silenced',
    source LowCardinality(String),
    id String,
    digest String,
    occurred_at DateTime64(3, 'UTC'),
    logged_at DateTime64(3, 'UTC'),
    data String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (organisation, kind, source, id, digest);

-- The configuration in force, written when a worker takes an organisation up. A version is its moment in ms.
CREATE TABLE organisations
(
    organisation String,
    version UInt64,
    generation UInt16,
    zone LowCardinality(String),
    title_nl String,
    title_en String,
    simulated Bool,
    minimum_n UInt16,
    configuration String CODEC(ZSTD(1)) COMMENT 'the text of its file'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY organisation;

CREATE TABLE channels
(
    organisation String,
    channel String,
    version UInt64,
    max_open_ms Nullable(Int64)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, channel);

CREATE TABLE norms
(
    organisation String,
    norm String,
    norm_version UInt16,
    version UInt64,
    title_nl String,
    title_en String,
    clock LowCardinality(String),
    threshold String,
    target Nullable(Float64),
    denominator LowCardinality(String),
    valid_from Date32,
    valid_to Date32,
    published_in String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, norm, norm_version);

CREATE TABLE instruments
(
    organisation String,
    instrument String,
    instrument_version UInt16,
    aspect String,
    version UInt64,
    title_nl String,
    title_en String,
    aspect_nl String,
    aspect_en String,
    population LowCardinality(String),
    minimum Float64,
    maximum Float64,
    target Nullable(Float64)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, instrument, instrument_version, aspect);

-- Offset of local time from UTC by organisation: ClickHouse takes no time zone from a column.
CREATE TABLE offsets
(
    organisation String,
    since DateTime64(3, 'UTC'),
    version UInt64,
    seconds Int32
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, since);

CREATE TABLE readers
(
    user String COMMENT 'a ClickHouse user',
    organisation String COMMENT 'that it may read through the views',
    version UInt64,
    revoked Bool DEFAULT false
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (user, organisation);

CREATE TABLE audit
(
    at DateTime64(3, 'UTC'),
    organisation String,
    actor String,
    action LowCardinality(String),
    detail String
)
ENGINE = MergeTree
ORDER BY (organisation, at);
