ALTER TABLE rejects ADD COLUMN IF NOT EXISTS connector LowCardinality(String) COMMENT 'that sent the record, as it calls itself';

-- What was done about a reject, by whom and why; the last decision holds. Kept longer than any reject.
CREATE TABLE reject_decisions
(
    topic LowCardinality(String),
    partition UInt16,
    offset Int64,
    position Int16,
    decision LowCardinality(String) COMMENT 'replayed, discarded',
    decided_at DateTime64(3, 'UTC'),
    decided_by String,
    because String
)
ENGINE = ReplacingMergeTree(decided_at)
ORDER BY (topic, partition, offset, position)
TTL toDateTime(decided_at) + INTERVAL 400 DAY;

-- Stops of workers by the brake.
CREATE TABLE brakes
(
    worker_group String,
    instance String COMMENT 'the worker in its group; empty when it has no name',
    since DateTime64(3, 'UTC'),
    version UInt8 COMMENT '0 when it stopped, 1 when it was let go: a release holds whatever is written later',
    software String,
    configuration FixedString(32) COMMENT 'digest of the configurations in force',
    reason String,
    released_at Nullable(DateTime64(3, 'UTC')),
    released_by String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (worker_group, instance, since)
TTL toDateTime(since) + INTERVAL 400 DAY;

-- Internal: every reject with what was decided about it; decision is empty while it is open.
CREATE VIEW decided_rejects AS
SELECT
    r.organisation AS organisation, reason, source, connector, path, message, topic, partition, offset, position, size, sha256, original,
    appended_at, decision, if(decision = '', NULL, decided_at) AS decided_at, decided_by, because
FROM (SELECT * FROM rejects FINAL) AS r
LEFT JOIN (SELECT * FROM reject_decisions FINAL) AS d USING (topic, partition, offset, position);

CREATE OR REPLACE VIEW contactmeter_views.v_rejects DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, reason, source, connector, path, message, topic, partition, offset, position, size, appended_at,
    decision, decided_at, decided_by, because
FROM contactmeter.decided_rejects
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);
