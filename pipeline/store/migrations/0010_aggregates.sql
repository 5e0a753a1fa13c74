-- Part 2: sums by month that stay when the contacts and answers behind them are deleted. docs/MEASURES.md, "Aggregates that stay".

CREATE TABLE aggregates
(
    organisation LowCardinality(String),
    period_kind LowCardinality(String) COMMENT 'month: exact; quarter: answers by whole blocks, as they were published',
    start Date COMMENT 'its first local day',
    channel LowCardinality(String),
    via LowCardinality(String),
    measure LowCardinality(String),
    norm_version UInt16 COMMENT '0 for what is no norm',
    definition String COMMENT 'digest of what it was counted by; empty where the product alone decides',
    n Int64,
    total Int64,
    squares Int128,
    as_of DateTime64(3, 'UTC') COMMENT 'when it was counted'
)
ENGINE = ReplacingMergeTree(as_of)
ORDER BY (organisation, period_kind, start, channel, via, measure, norm_version);

-- Norms and questionnaires as they were when something was counted by them. Nothing here changes: another text is another row.
CREATE TABLE definitions
(
    organisation LowCardinality(String),
    digest String,
    definition String CODEC(ZSTD(1)) COMMENT 'JSON'
)
ENGINE = ReplacingMergeTree
ORDER BY (organisation, digest);

-- Internal: every contribution until an instant with its local month, and of a norm the version that judged.
CREATE VIEW monthly_of AS
SELECT
    c.organisation AS organisation, if(startsWith(measure, 'answer:'), 'answers', 'contacts') AS kind,
    toStartOfMonth(toDate(addSeconds(c.at, o.seconds))) AS month, channel, via, measure, norm_version, n, total, squares
FROM
(
    SELECT organisation, toString(channel) AS channel, toString(via) AS via, measure, 0 AS norm_version, at, n, total, squares
    FROM contactmeter.contributions_of(organisations = {organisations:Array(String)})
    WHERE NOT startsWith(measure, 'norm')
    UNION ALL
    SELECT
        organisation, toString(channel) AS channel, toString(via) AS via, concat(if(is_mean, 'norm_mean:', 'norm:'), one.1) AS measure,
        one.2 AS norm_version, assumeNotNull(one.3) AS at, toInt64(1) AS n,
        if(is_mean, assumeNotNull(one.6), toInt64(ifNull(one.5 <= one.4, 0))) AS total, toInt128(total) * total AS squares
    FROM
    (
        SELECT organisation, channel, via, one, isNotNull(one.6) AND isNull(one.4) AS is_mean
        FROM contactmeter.counting_of(organisations = {organisations:Array(String)})
        ARRAY JOIN arrayFilter(x -> isNotNull(x.3), arrayZip(norms, norm_versions, judgements, deadlines, stops, measurements)) AS one
    )
) AS c
ASOF LEFT JOIN contactmeter.offsets_of(organisations = {organisations:Array(String)}) AS o ON c.organisation = o.organisation AND c.at >= o.since
WHERE c.at <= {at:DateTime64(3, 'UTC')};

-- Internal: by local month, when the first of the rows that count in it may be deleted. An answer that names a contact may lose with it what
-- it inherits.
CREATE VIEW due_of AS
SELECT c.organisation AS organisation, kind, toStartOfMonth(toDate(addSeconds(c.at, o.seconds))) AS month, min(c.due) AS due
FROM
(
    SELECT
        organisation, 'contacts' AS kind, greatest(last_at, appended_at) + toIntervalDay({contact_days:UInt32}) AS due,
        assumeNotNull(arrayJoin(arrayFilter(x -> isNotNull(x), arrayConcat([opened_at, answered_at, abandoned_at], `outcomes.judged_at`)))) AS at
    FROM contactmeter.contacts FINAL
    WHERE organisation IN {organisations:Array(String)} AND role = 'counts'
    UNION ALL
    SELECT
        organisation, 'answers' AS kind,
        greatest(answered_at, appended_at)
            + toIntervalDay(if(contact = '', {answer_days:UInt32}, least({answer_days:UInt32}, {contact_days:UInt32}))) AS due,
        answered_at AS at
    FROM contactmeter.survey_answers FINAL
    WHERE organisation IN {organisations:Array(String)} AND NOT forgotten
) AS c
ASOF LEFT JOIN contactmeter.offsets_of(organisations = {organisations:Array(String)}) AS o ON c.organisation = o.organisation AND c.at >= o.since
WHERE c.at <= {at:DateTime64(3, 'UTC')}
GROUP BY organisation, kind, month;

-- Internal: what of these sums may be shown: of contacts by month, of answers by quarter.
CREATE VIEW aggregates_of AS
SELECT
    a.organisation AS organisation, a.period_kind AS period_kind, a.start AS start, channel, via, measure, norm_version,
    d.definition AS definition, n, total, squares, m.closed AS closed, as_of
FROM
(
    SELECT *, if(startsWith(measure, 'answer:'), 'answers', 'contacts') AS kind
    FROM contactmeter.aggregates FINAL
    WHERE organisation IN {organisations:Array(String)} AND n > 0 AND (period_kind = 'quarter' OR NOT startsWith(measure, 'answer:'))
) AS a
LEFT JOIN
(
    SELECT organisation, digest, definition FROM contactmeter.definitions FINAL WHERE organisation IN {organisations:Array(String)}
) AS d ON a.organisation = d.organisation AND a.definition = d.digest
LEFT JOIN
(
    SELECT organisation, kind, period.1 AS period_kind, period.2 AS start, max(closed) AS closed
    FROM contactmeter.aggregated FINAL
    ARRAY JOIN [('month', month), ('quarter', toStartOfQuarter(month))] AS period
    WHERE organisation IN {organisations:Array(String)}
    GROUP BY organisation, kind, period_kind, start
) AS m ON a.organisation = m.organisation AND a.kind = m.kind AND a.period_kind = m.period_kind AND a.start = m.start;

-- Sums that stay: by month of what contacts add up to, by quarter of answers, as far as 0007 publishes those. `definition` is the norm or the
-- aspect as it was (JSON). closed: the rows behind it are being deleted, and it is counted no more.
CREATE VIEW contactmeter_views.v_monthly DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, period_kind,
    if(period_kind = 'month', formatDateTime(start, '%Y-%m'), concat(toString(toYear(start)), '-Q', toString(toQuarter(start)))) AS period,
    channel, via, measure, norm_version, definition, n, total, squares,
    multiIf(measure = 'volume', toFloat64(n), measure = 'abandonment' OR startsWith(measure, 'norm:'), total / n, total / n / 1000) AS value,
    closed, as_of
FROM contactmeter.aggregates_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);
