-- What `contactmeter backup` made. `offsets` is written just before a backup, and so lies in it: how far its data go at least.
CREATE TABLE backups
(
    name String,
    started_at DateTime64(3, 'UTC'),
    finished_at DateTime64(3, 'UTC') DEFAULT toDateTime64(0, 3, 'UTC') COMMENT '1970 while it is being made',
    base String COMMENT 'the backup it only adds to; empty for a full one',
    consumer_group String,
    topic String,
    offsets Map(UInt16, Int64) COMMENT 'committed offset by partition when it began',
    bytes UInt64
)
ENGINE = ReplacingMergeTree(finished_at)
ORDER BY name;
