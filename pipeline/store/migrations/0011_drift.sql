-- Part 3: what drift is looked for in, and what was found. docs/DRIFT.md.

-- Internal: as `answers_of` was, of the answers that were given in (since, until]. What they inherit is looked up for those only.
CREATE VIEW answers_between AS
SELECT
    a.organisation AS organisation, source, answer, instrument, instrument_version, revision, status, wave, invitation, a.contact_system AS contact_system,
    a.contact AS contact, answered_at, aspects, grades, has_comment, toString(c.via) AS via,
    if(a.channel != '', toString(a.channel), toString(c.channel)) AS channel, if(a.product != '', toString(a.product), toString(c.product)) AS product,
    if(a.team != '', toString(a.team), toString(c.team)) AS team, if(a.location != '', toString(a.location), toString(c.location)) AS location,
    if(a.segment != '', toString(a.segment), toString(c.segment)) AS segment
FROM
(
    SELECT * FROM contactmeter.survey_answers FINAL
    WHERE organisation IN {organisations:Array(String)} AND NOT forgotten
      AND answered_at > {since:DateTime64(3, 'UTC')} AND answered_at <= {until:DateTime64(3, 'UTC')}
) AS a
LEFT JOIN
(
    SELECT organisation, system, contact, channel, via, product, team, location, segment
    FROM contactmeter.contacts FINAL
    WHERE organisation IN {organisations:Array(String)} AND (system, contact) IN
    (
        SELECT contact_system, contact FROM contactmeter.survey_answers
        WHERE organisation IN {organisations:Array(String)} AND contact != ''
          AND answered_at > {since:DateTime64(3, 'UTC')} AND answered_at <= {until:DateTime64(3, 'UTC')}
    )
) AS c ON a.organisation = c.organisation AND a.contact_system = c.system AND a.contact = c.contact;

CREATE OR REPLACE VIEW answers_of AS
SELECT *
FROM contactmeter.answers_between(
    organisations = {organisations:Array(String)},
    since = toDateTime64('1900-01-01 00:00:00', 3, 'UTC'), until = toDateTime64('2299-12-31 23:59:59', 3, 'UTC')
);

-- Internal: what every contact and answer adds to a figure in (since, until], as pipeline/contributions.py computes it. `at` is when it counts.
-- wait_log: of a wait, millionths of the logarithm of its seconds, at least one second. Contacts that add nothing after `since` are left out
-- before their contributions are spread over rows.
CREATE VIEW contributions_between AS
SELECT
    organisation, channel, via, product, team, location, segment, opened_at,
    part.1 AS measure, part.2 AS at, intDiv(toUnixTimestamp64Milli(part.2) + 59999, 60000) AS minute,
    toInt64(1) AS n, part.3 AS total, toInt128(part.3) * part.3 AS squares,
    if(measure = 'wait', toInt64(round(1000000 * log(greatest(part.3, 1000) / 1000))), 0) AS wait_log
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
    WHERE organisation IN {organisations:Array(String)} AND role = 'counts' AND
    (
        ifNull(opened_at > {since:DateTime64(3, 'UTC')}, 0) OR ifNull(answered_at > {since:DateTime64(3, 'UTC')}, 0)
        OR ifNull(abandoned_at > {since:DateTime64(3, 'UTC')}, 0)
        OR arrayExists(judged_at -> ifNull(judged_at > {since:DateTime64(3, 'UTC')}, 0), `outcomes.judged_at`)
    )
)
ARRAY JOIN parts AS part
WHERE part.2 > {since:DateTime64(3, 'UTC')} AND part.2 <= {until:DateTime64(3, 'UTC')}
UNION ALL
SELECT
    organisation, channel, via, product, team, location, segment, NULL AS opened_at,
    concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure,
    answered_at AS at, intDiv(toUnixTimestamp64Milli(answered_at) + 59999, 60000) AS minute,
    toInt64(1) AS n, grade AS total, toInt128(grade) * grade AS squares, 0 AS wait_log
FROM contactmeter.answers_between(
    organisations = {organisations:Array(String)}, since = {since:DateTime64(3, 'UTC')}, until = {until:DateTime64(3, 'UTC')}
)
ARRAY JOIN aspects AS aspect, grades AS grade
WHERE channel != '';

CREATE OR REPLACE VIEW contributions_of AS
SELECT organisation, channel, via, product, team, location, segment, opened_at, measure, at, minute, n, total, squares
FROM contactmeter.contributions_between(
    organisations = {organisations:Array(String)},
    since = toDateTime64('1900-01-01 00:00:00', 3, 'UTC'), until = toDateTime64('2299-12-31 23:59:59', 3, 'UTC')
);

-- Internal: sums by hour, of the hours [since, until) counted from 1970 in UTC. Minutes are ceilings, so hour h holds the moments (h, h + 1]
-- and not its own beginning. The waits come a second time on a logarithmic scale, as measure wait_log.
CREATE VIEW hourly_of AS
SELECT organisation, channel, one.1 AS measure, hour, n, one.2 AS total, one.3 AS squares
FROM
(
    SELECT
        organisation, toString(channel) AS channel, measure AS counted, intDiv(minute - 1, 60) AS hour, sum(n) AS n, sum(total) AS x,
        sum(squares) AS xx, sum(wait_log) AS log_x, sum(toInt128(wait_log) * wait_log) AS log_xx
    FROM contactmeter.contributions_between(
        organisations = {organisations:Array(String)},
        since = fromUnixTimestamp64Milli({since:Int64} * 3600000, 'UTC'), until = fromUnixTimestamp64Milli({until:Int64} * 3600000, 'UTC')
    )
    GROUP BY organisation, channel, counted, hour
)
ARRAY JOIN if(counted = 'wait', [(counted, x, xx), ('wait_log', log_x, log_xx)], [(counted, x, xx)]) AS one;

-- Every state of every signal. Versions are the ms of writing: a state that late data changed is written again.
CREATE TABLE signals
(
    organisation LowCardinality(String),
    id String,
    sequence UInt32 COMMENT '0 for found, counting on',
    version UInt64,
    state LowCardinality(String) COMMENT 'found, grown, over',
    channel LowCardinality(String),
    stream LowCardinality(String) COMMENT 'volume, wait, norm:…, answer:INSTRUMENT:ASPECT',
    measure LowCardinality(String) COMMENT 'as the views of figures name it',
    kind LowCardinality(String) COMMENT 'grade, compliance, time, volume',
    side Int8,
    at DateTime64(3, 'UTC'),
    onset DateTime64(3, 'UTC'),
    size Float64 COMMENT 'in grades of 1-10, as a difference of shares, or as a factor of times or volumes',
    low Float64,
    high Float64,
    value Float64,
    usual Float64,
    n Int64,
    contributors Array(Tuple(dimension LowCardinality(String), name String, share Float64, n Int64)),
    announce Bool,
    ended LowCardinality(String) COMMENT 'why it is over, empty while it is not',
    text_nl String,
    text_en String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, id, sequence)
TTL toDateTime(intDiv(version, 1000)) + INTERVAL 25 MONTH;

-- Where the detector of a stream stood when a local day began. JSON, but for the digest of the hours since the checkpoint before.
CREATE TABLE checkpoints
(
    organisation LowCardinality(String),
    channel LowCardinality(String),
    stream LowCardinality(String),
    day Int32 COMMENT 'days since 1970',
    version UInt64 COMMENT 'ms of writing',
    state String CODEC(ZSTD(1)),
    baseline String CODEC(ZSTD(1)),
    digest String,
    software UInt16 COMMENT 'revision of the detector that wrote it'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, channel, stream, day)
TTL toDateTime(intDiv(version, 1000)) + INTERVAL 35 DAY;

-- What is watched and how that stands. Each look writes all streams of its organisation, and the rows of the last look hold.
CREATE TABLE watches
(
    organisation LowCardinality(String),
    channel LowCardinality(String),
    stream LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    status LowCardinality(String) COMMENT 'learning, watching, drifting, silent, unknown',
    since DateTime64(3, 'UTC') COMMENT 'of the status',
    watches_from Nullable(DateTime64(3, 'UTC')),
    until Nullable(DateTime64(3, 'UTC')) COMMENT 'end of the last hour that was looked at',
    budget Float64 COMMENT 'false alarms a quarter',
    reason String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, channel, stream);

CREATE TABLE incidents
(
    organisation LowCardinality(String),
    incident String,
    version UInt64 COMMENT 'ms of writing',
    state LowCardinality(String) COMMENT 'open, closed, merged',
    channels Array(LowCardinality(String)),
    signals Array(String),
    worse Bool,
    pages Bool,
    opened_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC'),
    closed_at Nullable(DateTime64(3, 'UTC')),
    text_nl String,
    text_en String,
    merged_into String,
    acknowledged_at Nullable(DateTime64(3, 'UTC')),
    acknowledged_by String,
    silenced_until Nullable(DateTime64(3, 'UTC')),
    silenced_by String,
    reason String,
    asks_since Nullable(DateTime64(3, 'UTC')) COMMENT 'since when it waits for somebody',
    escalated_at Nullable(DateTime64(3, 'UTC'))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, incident)
TTL toDateTime(intDiv(version, 1000)) + INTERVAL 25 MONTH;

-- Internal: every state of every signal as readers may see it. Of grades nothing that rests on fewer than `small_cell` answers, and else n in
-- whole steps of so many and figures to a tenth: between two readings nobody can tell a single answer.
CREATE VIEW signals_of AS
SELECT
    s.organisation AS organisation, id AS signal, sequence, state, channel, stream, measure, kind, side,
    kind = 'volume' OR (side > 0) = (kind = 'time') AS worse, s.at AS at, onset,
    if(is_grade, intDiv(s.n, small_cell) * small_cell, s.n) AS n, is_grade AND n = 0 AS withheld,
    if(withheld, NULL, if(is_grade, round(s.size, 1), s.size)) AS size, if(withheld, NULL, if(is_grade, round(s.low, 1), s.low)) AS low,
    if(withheld, NULL, if(is_grade, round(s.high, 1), s.high)) AS high, if(withheld, NULL, if(is_grade, round(s.value, 1), s.value)) AS value,
    if(withheld, NULL, if(is_grade, round(s.usual, 1), s.usual)) AS usual,
    CAST(
        if(
            is_grade,
            arrayMap(
                x -> (x.1, x.2, round(x.3, 2), intDiv(x.4, small_cell) * small_cell), arrayFilter(x -> x.4 >= small_cell, s.contributors)
            ),
            s.contributors
        ),
        'Array(Tuple(dimension String, name String, share Float64, n Int64))'
    ) AS contributors,
    announce, ended, text_nl, text_en, fromUnixTimestamp64Milli(toInt64(version), 'UTC') AS stored_at
FROM
(
    SELECT *, kind = 'grade' AS is_grade FROM contactmeter.signals FINAL WHERE organisation IN {organisations:Array(String)}
) AS s
INNER JOIN
(
    SELECT organisation, toInt64(small_cell) AS small_cell FROM contactmeter.organisations FINAL WHERE organisation IN {organisations:Array(String)}
) AS o ON s.organisation = o.organisation;

-- What boards and reports read, as in 0002.

-- Every signal in its latest state; found_at and over_at: when it was first found, and when it was over.
CREATE VIEW contactmeter_views.v_signals DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    *, min(at) OVER (PARTITION BY organisation, signal) AS found_at, if(state = 'over', at, NULL) AS over_at
FROM contactmeter.signals_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
)
ORDER BY sequence DESC
LIMIT 1 BY organisation, signal;

CREATE VIEW contactmeter_views.v_signal_states DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM contactmeter.signals_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);

CREATE VIEW incidents_of AS
SELECT * EXCEPT (version), fromUnixTimestamp64Milli(toInt64(version), 'UTC') AS stored_at
FROM contactmeter.incidents FINAL
WHERE organisation IN {organisations:Array(String)};

CREATE VIEW contactmeter_views.v_incidents DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM contactmeter.incidents_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);

CREATE VIEW watches_of AS
SELECT * EXCEPT (version), fromUnixTimestamp64Milli(toInt64(version), 'UTC') AS looked_at
FROM contactmeter.watches FINAL
WHERE organisation IN {organisations:Array(String)} AND (organisation, version) IN
    (SELECT organisation, max(version) FROM contactmeter.watches WHERE organisation IN {organisations:Array(String)} GROUP BY organisation);

CREATE VIEW contactmeter_views.v_watches DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM contactmeter.watches_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);
