-- Part 2: what a contact counts as, links between systems, all moments that measures need. Workers of version 0.1 may go on writing beside
-- this: every new column has a default that says what such a row says, and a sweep (generation + 1) writes those rows again.

ALTER TABLE contacts
    ADD COLUMN IF NOT EXISTS role LowCardinality(String) DEFAULT multiIf(withdrawn, 'withdrawn', channel = '', 'unknown', 'counts')
        COMMENT 'counts, enriches, unlinked, unknown (channel), withdrawn, mailbox (only named by others), forgotten' AFTER withdrawn,
    ADD COLUMN IF NOT EXISTS confidential Bool DEFAULT false AFTER role,
    ADD COLUMN IF NOT EXISTS appointment_at Nullable(DateTime64(3, 'UTC')) AFTER closed_at,
    ADD COLUMN IF NOT EXISTS acknowledged_at Nullable(DateTime64(3, 'UTC')) AFTER appointment_at,
    ADD COLUMN IF NOT EXISTS responded_at Nullable(DateTime64(3, 'UTC')) AFTER acknowledged_at,
    ADD COLUMN IF NOT EXISTS last_word_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when the citizen last heard something' AFTER responded_at,
    ADD COLUMN IF NOT EXISTS suspended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'since when the clock stands still' AFTER last_word_at,
    ADD COLUMN IF NOT EXISTS callback_open_at Nullable(DateTime64(3, 'UTC')) COMMENT 'first request for a call-back that is not settled' AFTER suspended_at,
    ADD COLUMN IF NOT EXISTS callbacks UInt16 DEFAULT 0 AFTER callback_open_at,
    ADD COLUMN IF NOT EXISTS callbacks_settled UInt16 DEFAULT 0 AFTER callbacks,
    ADD COLUMN IF NOT EXISTS transfers UInt16 DEFAULT 0 AFTER callbacks_settled,
    ADD COLUMN IF NOT EXISTS reopened UInt16 DEFAULT 0 AFTER transfers,
    ADD COLUMN IF NOT EXISTS handling_ms Nullable(Int64) AFTER wait_ms,
    ADD COLUMN IF NOT EXISTS left_reason LowCardinality(String) DEFAULT '' AFTER left_at,
    ADD COLUMN IF NOT EXISTS last_at DateTime64(3, 'UTC') DEFAULT coalesce(closed_at, opened_at, toDateTime64(stored_at, 3, 'UTC'))
        COMMENT 'latest moment of the events that tell of it' AFTER closed_at,
    ADD COLUMN IF NOT EXISTS `outcomes.measured` Array(Nullable(Int64)) COMMENT 'ms by the clock of a norm on a mean or maximum' AFTER `outcomes.excluded`,
    ADD COLUMN IF NOT EXISTS links String DEFAULT '' CODEC(ZSTD(1)) COMMENT '[[system, id, changes, [events]], …] of the contacts that name this one' AFTER timeline,
    ADD COLUMN IF NOT EXISTS answers String DEFAULT '' COMMENT '[[source, answer], …] that named this contact' AFTER links,
    ADD COLUMN IF NOT EXISTS appended_at DateTime64(3, 'UTC') DEFAULT toDateTime64(stored_at, 3, 'UTC')
        COMMENT 'when the log took in the last change (of its batch): retention counts from there' AFTER defects,
    ADD COLUMN IF NOT EXISTS forgotten Bool MATERIALIZED role = 'forgotten' AFTER confidential;

ALTER TABLE survey_answers
    ADD COLUMN IF NOT EXISTS location LowCardinality(String) DEFAULT '' AFTER team,
    ADD COLUMN IF NOT EXISTS forgotten Bool DEFAULT false AFTER has_comment,
    ADD COLUMN IF NOT EXISTS appended_at DateTime64(3, 'UTC') DEFAULT toDateTime64(stored_at, 3, 'UTC') AFTER forgotten;

-- Gauges by the time at which they were logged: a reading sent again replaces the earlier one, whatever comes first.
CREATE TABLE gauge_readings
(
    organisation LowCardinality(String),
    channel LowCardinality(String),
    queue LowCardinality(String),
    gauge LowCardinality(String),
    observed_at DateTime64(3, 'UTC'),
    logged_at DateTime64(3, 'UTC'),
    value Float64,
    stored_at DateTime DEFAULT now()
)
ENGINE = ReplacingMergeTree(logged_at)
ORDER BY (organisation, channel, queue, gauge, observed_at)
TTL stored_at + INTERVAL 100 DAY;

CREATE MATERIALIZED VIEW gauges_to_readings TO gauge_readings AS
SELECT organisation, channel, queue, gauge, observed_at, toDateTime64(0, 3, 'UTC') AS logged_at, value FROM gauges;

INSERT INTO gauge_readings (organisation, channel, queue, gauge, observed_at, logged_at, value)
SELECT organisation, channel, queue, gauge, observed_at, toDateTime64(0, 3, 'UTC'), value FROM gauges;

-- Which older rows of a forgotten contact or answer are still to be deleted.
CREATE TABLE tombstones
(
    organisation LowCardinality(String),
    "table" LowCardinality(String) COMMENT 'contacts or survey_answers',
    second String COMMENT 'system or source',
    third String COMMENT 'contact or answer',
    noted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    erased_at DateTime64(3, 'UTC') DEFAULT toDateTime64(0, 3, 'UTC') COMMENT 'when the older rows were deleted; 1970 while they are not'
)
ENGINE = ReplacingMergeTree(erased_at)
ORDER BY (organisation, "table", second, third);

ALTER TABLE organisations ADD COLUMN IF NOT EXISTS judging UInt16 DEFAULT 1 COMMENT 'revision of the judging software that the generation belongs to';

-- Internal: answers as they stand, with what they inherit from the contact they name: whatever comes first, and as later corrections say.
CREATE VIEW answers_of AS
SELECT
    a.organisation AS organisation, source, answer, instrument, instrument_version, revision, status, wave, invitation, a.contact_system AS contact_system,
    a.contact AS contact, answered_at, aspects, grades, has_comment, toString(c.via) AS via,
    if(a.channel != '', toString(a.channel), toString(c.channel)) AS channel, if(a.product != '', toString(a.product), toString(c.product)) AS product,
    if(a.team != '', toString(a.team), toString(c.team)) AS team, if(a.location != '', toString(a.location), toString(c.location)) AS location,
    if(a.segment != '', toString(a.segment), toString(c.segment)) AS segment
FROM
(
    SELECT * FROM contactmeter.survey_answers FINAL WHERE organisation IN {organisations:Array(String)} AND NOT forgotten
) AS a
LEFT JOIN
(
    SELECT organisation, system, contact, channel, via, product, team, location, segment
    FROM contactmeter.contacts FINAL
    WHERE organisation IN {organisations:Array(String)}
      AND (system, contact) IN (SELECT contact_system, contact FROM contactmeter.survey_answers WHERE organisation IN {organisations:Array(String)} AND contact != '')
) AS c ON a.organisation = c.organisation AND a.contact_system = c.system AND a.contact = c.contact;

-- Internal: what every contact and answer adds to a figure, as pipeline/contributions.py computes it. `at` is when it counts. (Workers of
-- version 0.1 read the view `contributions`.)
CREATE VIEW contributions_of AS
SELECT
    organisation, channel, via, product, team, location, segment, opened_at,
    part.1 AS measure, part.2 AS at, intDiv(toUnixTimestamp64Milli(part.2) + 59999, 60000) AS minute,
    toInt64(1) AS n, part.3 AS total, toInt128(part.3) * part.3 AS squares
FROM
(
    SELECT
        organisation, channel, via, product, team, location, segment, opened_at,
        arrayConcat(
            if(isNull(opened_at), [], [('volume', assumeNotNull(opened_at), toInt64(0))]),
            if(isNull(answered_at), [], [('abandonment', assumeNotNull(answered_at), toInt64(0))]),
            if(isNull(abandoned_at), [], [('abandonment', assumeNotNull(abandoned_at), toInt64(1))]),
            if(isNull(answered_at) OR isNull(wait_ms), [], [('wait', assumeNotNull(answered_at), assumeNotNull(wait_ms))]),
            arrayMap(
                (norm, deadline, stop, judged_at, measured) -> if(
                    isNotNull(measured) AND isNull(deadline),
                    (concat('norm_mean:', norm), assumeNotNull(judged_at), assumeNotNull(measured)),
                    (concat('norm:', norm), assumeNotNull(judged_at), toInt64(ifNull(stop <= deadline, 0)))
                ),
                arrayFilter((norm, judged_at) -> isNotNull(judged_at), `outcomes.norm`, `outcomes.judged_at`),
                arrayFilter((deadline, judged_at) -> isNotNull(judged_at), `outcomes.deadline`, `outcomes.judged_at`),
                arrayFilter((stop, judged_at) -> isNotNull(judged_at), `outcomes.stop`, `outcomes.judged_at`),
                arrayFilter(judged_at -> isNotNull(judged_at), `outcomes.judged_at`),
                arrayFilter((measured, judged_at) -> isNotNull(judged_at), `outcomes.measured`, `outcomes.judged_at`)
            )
        ) AS parts
    FROM contactmeter.contacts FINAL
    WHERE organisation IN {organisations:Array(String)} AND role = 'counts'
)
ARRAY JOIN parts AS part
UNION ALL
SELECT
    organisation, channel, via, product, team, location, segment, NULL AS opened_at,
    concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure,
    answered_at AS at, intDiv(toUnixTimestamp64Milli(answered_at) + 59999, 60000) AS minute,
    toInt64(1) AS n, grade AS total, toInt128(grade) * grade AS squares
FROM contactmeter.answers_of(organisations = {organisations:Array(String)})
ARRAY JOIN aspects AS aspect, grades AS grade
WHERE channel != '';
