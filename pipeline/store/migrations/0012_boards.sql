-- Part 4: shown figures. Views over every contact take seconds on millions; a panel may take 300 ms. So a worker asks those views every few
-- seconds (pipeline/showing.py says when) and keeps each answer whole, as one row with an array of tuples; v_now_… reads that. What is kept is
-- the answer of the same views that `contactmeter figures` reads: there is one definition of every figure.

-- First those views by organisations named inside, so that one can be asked of one organisation alone; and what is open in two steps: the
-- facts at an instant, which can be kept, and what follows from them by the clock.

CREATE VIEW contact_rolling_of AS
SELECT organisation, channel, measure, window, as_of, n, total, squares, value, low, high, target, attainment, stored_at
FROM contactmeter.rolling_last FINAL
WHERE NOT startsWith(measure, 'answer:') AND organisation IN {organisations:Array(String)};

CREATE VIEW answer_rolling_of AS
SELECT
    organisation, channel, concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure, period AS window,
    toDateTime(as_of * 60, 'UTC') AS as_of, n, total, squares, value, low, high, target, attainment, now64(3) AS stored_at
FROM contactmeter.answer_figures_of(
    organisations = {organisations:Array(String)}, at = now64(3, 'UTC'), since = now64(3, 'UTC') - toIntervalDay(28), kinds = ['window']
);

CREATE OR REPLACE VIEW contactmeter_views.v_rolling DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM contactmeter.contact_rolling_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
)
UNION ALL
SELECT *
FROM contactmeter.answer_rolling_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);

CREATE VIEW counts_of AS
SELECT organisation, sum(contact) AS contacts, sum(answer) AS answers, sum(reject) AS rejects
FROM
(
    SELECT organisation, 1 AS contact, 0 AS answer, 0 AS reject FROM contactmeter.contacts FINAL
    WHERE role NOT IN ('mailbox', 'forgotten') AND organisation IN {organisations:Array(String)}
    UNION ALL
    SELECT organisation, 0, 1, 0 FROM contactmeter.survey_answers FINAL WHERE NOT forgotten AND organisation IN {organisations:Array(String)}
    UNION ALL
    SELECT organisation, 0, 0, 1 FROM contactmeter.rejects FINAL WHERE organisation IN {organisations:Array(String)}
)
GROUP BY organisation;

CREATE OR REPLACE VIEW contactmeter_views.v_counts DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM contactmeter.counts_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);

CREATE VIEW last_event_of AS
SELECT organisation, max(at) AS last_at
FROM
(
    SELECT organisation, c.last_at AS at FROM contactmeter.contacts AS c FINAL
    WHERE role NOT IN ('mailbox', 'forgotten') AND organisation IN {organisations:Array(String)}
    UNION ALL
    SELECT organisation, answered_at AS at FROM contactmeter.survey_answers FINAL
    WHERE NOT forgotten AND organisation IN {organisations:Array(String)}
)
GROUP BY organisation;

CREATE OR REPLACE VIEW contactmeter_views.v_last_event DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM contactmeter.last_event_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);

CREATE VIEW defects_of AS
SELECT organisation, system, if(confidential, '', contact) AS contact, channel, arrayJoin(defects) AS defect, opened_at
FROM contactmeter.contacts FINAL
WHERE role NOT IN ('mailbox', 'forgotten') AND organisation IN {organisations:Array(String)};

CREATE OR REPLACE VIEW contactmeter_views.v_defects DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM contactmeter.defects_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);

-- As v_measures in 0009, by several dimensions at once: each row of contacts is read once.
CREATE VIEW measures_of AS
SELECT
    organisation, channel, dimension, cell,
    countIf(is_opened) AS contacts, countIf(is_answered) AS answered, countIf(has_abandoned) AS abandoned,
    countIf(has_left AND isNull(abandoned_at)) AS left_otherwise, if(answered + abandoned = 0, NULL, abandoned / (answered + abandoned)) AS abandonment,
    countIf(is_answered AND isNotNull(wait_ms)) AS waits, sumIf(wait_ms, is_answered) AS wait_total_ms,
    if(waits = 0, NULL, wait_total_ms / waits / 1000) AS wait_mean, if(answered = 0, NULL, ifNull(wait_total_ms, 0) / answered / 1000) AS asa,
    if(waits = 0, NULL, quantileExactInclusiveIf(0.5)(wait_ms, is_answered) / 1000) AS wait_median,
    if(waits = 0, NULL, quantileExactInclusiveIf(0.9)(wait_ms, is_answered) / 1000) AS wait_p90,
    countIf(is_closed) AS closed, countIf(is_closed AND isNotNull(handling_ms)) AS handled, sumIf(handling_ms, is_closed) AS handling_total_ms,
    if(handled = 0, NULL, handling_total_ms / handled / 1000) AS handling_mean,
    if(handled = 0, NULL, quantileExactInclusiveIf(0.5)(handling_ms, is_closed) / 1000) AS handling_median,
    if(handled = 0, NULL, quantileExactInclusiveIf(0.9)(handling_ms, is_closed) / 1000) AS handling_p90,
    countIf(is_closed AND transfers > 0) AS transferred, sumIf(transfers, is_closed) AS transfers_total,
    if(closed = 0, NULL, transferred / closed) AS transferred_share, if(closed = 0, NULL, transfers_total / closed) AS transfers_mean,
    sumIf(callbacks, is_opened) AS callbacks_promised, sumIf(callbacks_settled, is_opened) AS callbacks_kept,
    callbacks_promised - callbacks_kept AS callbacks_to_do,
    countIf(is_closed AND result != '') AS results,
    countIf(is_closed AND result = 'first_contact' AND transfers = 0 AND callbacks = 0 AND reopened = 0) AS first_contact,
    if(results = 0, NULL, first_contact / results) AS first_contact_share, countIf(is_closed AND reopened > 0) AS reopened_contacts
FROM
(
    SELECT
        organisation, toString(channel) AS channel, abandoned_at, wait_ms, handling_ms, transfers, callbacks, callbacks_settled, result, reopened,
        arrayFilter(
            d -> has({dimensions:Array(String)}, d.1),
            [('', ''), ('via', toString(via)), ('product', toString(product)), ('team', team), ('location', toString(location))]
        ) AS cells,
        ifNull(opened_at > {since:DateTime64(3, 'UTC')} AND opened_at <= {at:DateTime64(3, 'UTC')}, 0) AS is_opened,
        ifNull(answered_at > {since:DateTime64(3, 'UTC')} AND answered_at <= {at:DateTime64(3, 'UTC')}, 0) AS is_answered,
        ifNull(abandoned_at > {since:DateTime64(3, 'UTC')} AND abandoned_at <= {at:DateTime64(3, 'UTC')}, 0) AS has_abandoned,
        ifNull(left_at > {since:DateTime64(3, 'UTC')} AND left_at <= {at:DateTime64(3, 'UTC')}, 0) AS has_left,
        ifNull(closed_at > {since:DateTime64(3, 'UTC')} AND closed_at <= {at:DateTime64(3, 'UTC')}, 0) AS is_closed
    FROM contactmeter.counting_of(organisations = {organisations:Array(String)})
    WHERE is_opened OR is_answered OR has_abandoned OR has_left OR is_closed
)
ARRAY JOIN cells.1 AS dimension, cells.2 AS cell
GROUP BY GROUPING SETS ((organisation, dimension, cell, channel), (organisation, dimension, cell));

CREATE OR REPLACE VIEW contactmeter_views.v_measures DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM contactmeter.measures_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    since = {since:DateTime64(3, 'UTC')}, at = {at:DateTime64(3, 'UTC')}, dimensions = [{by:String}]
);

-- Contacts that are open at an instant, and those with a call-back to do then, by what is true of them whatever the clock says next.
-- unheard: nobody has answered or responded. stale_after: from then on nobody waits for it any more. running: norms whose clock runs, and
-- their deadlines. last_word_at: when the citizen last heard something, or began.
CREATE VIEW open_facts_of AS
SELECT
    c.organisation AS organisation, system, contact, toString(c.channel) AS channel, via, product, team, location, link, confidential,
    assumeNotNull(c.opened_at) AS opened_at, callback_open_at, c.is_open AS is_open,
    addMilliseconds(c.opened_at, l.max_open_ms) AS stale_after,
    is_open AND ifNull(answered_at > m.moment, 1) AND ifNull(responded_at > m.moment, 1) AS unheard,
    is_open AND ifNull(suspended_at <= m.moment, 0) AS suspended,
    arrayMap(
        x -> (toString(x.1), assumeNotNull(x.2)),
        arrayFilter(
            x -> is_open AND isNotNull(x.2) AND isNotNull(x.4) AND ifNull(x.3 > m.moment, 1), arrayZip(norms, deadlines, stops, judgements)
        )
    ) AS running,
    ifNull(callback_open_at <= m.moment, 0) AS callback_to_do,
    arrayFilter(
        x -> callback_to_do AND has(n.callback_norms, x.1) AND isNotNull(x.2) AND isNull(x.3), arrayZip(norms, deadlines, stops)
    ) AS owed,
    if(empty(owed), NULL, arrayMin(x -> assumeNotNull(x.2), owed)) AS callback_due,
    if(ifNull(c.last_word_at <= m.moment, 0), assumeNotNull(c.last_word_at), assumeNotNull(c.opened_at)) AS last_word_at,
    m.moment AS moment, m.day_end AS day_end,
    if(link = '' OR m.link_template = '', '', replaceOne(m.link_template, '{link}', encodeURLComponent(link))) AS url
FROM
(
    SELECT *, ifNull(closed_at > {at:DateTime64(3, 'UTC')}, 1) AND ifNull(left_at > {at:DateTime64(3, 'UTC')}, 1) AS is_open
    FROM contactmeter.counting_of(organisations = {organisations:Array(String)})
    WHERE opened_at <= {at:DateTime64(3, 'UTC')} AND (is_open OR ifNull(callback_open_at <= {at:DateTime64(3, 'UTC')}, 0))
) AS c
INNER JOIN contactmeter.moment_of(organisations = {organisations:Array(String)}, at = {at:DateTime64(3, 'UTC')}) AS m
    ON c.organisation = m.organisation
LEFT JOIN contactmeter.channels_of(organisations = {organisations:Array(String)}) AS l
    ON c.organisation = l.organisation AND toString(c.channel) = l.channel
LEFT JOIN
(
    SELECT organisation, groupUniqArray(norm) AS callback_norms
    FROM contactmeter.norms_of(organisations = {organisations:Array(String)}) WHERE callback GROUP BY organisation
) AS n ON c.organisation = n.organisation;

CREATE OR REPLACE VIEW open_of AS
SELECT
    * EXCEPT (unheard, running, owed, last_word_at, day_end),
    is_open AND ifNull(moment > stale_after, 0) AS stale, unheard AND NOT stale AS waiting,
    arrayFilter(x -> x.2 <= moment AND NOT stale, running) AS overdue, arraySort(overdue.1) AS overdue_norms,
    if(empty(overdue), NULL, arrayMin(overdue.2)) AS overdue_since,
    arrayFilter(x -> x.2 > moment AND NOT stale, running) AS ahead, arraySort(arrayFilter(x -> x.2 < day_end, ahead).1) AS today_norms,
    if(empty(ahead), NULL, arrayMin(ahead.2)) AS next_deadline, ifNull(callback_due <= moment, 0) AS callback_overdue,
    intDiv(dateDiff('millisecond', opened_at, moment), 86400000) AS days_open,
    intDiv(dateDiff('millisecond', last_word_at, moment), 86400000) AS silent_days
FROM contactmeter.open_facts_of(organisations = {organisations:Array(String)}, at = {at:DateTime64(3, 'UTC')});

CREATE OR REPLACE VIEW contactmeter_views.v_open_contacts DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, system, contact, channel, via, product, team, location, opened_at, is_open AS open, waiting, suspended, stale, overdue_norms,
    overdue_since, today_norms, next_deadline, callback_open_at, callback_to_do, callback_due, callback_overdue, days_open, silent_days, url
FROM contactmeter.open_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}
)
WHERE NOT confidential;

-- What is kept: one row per organisation and part, the latest version holds. A row is a granule: who reads one organisation reads no other.

CREATE TABLE shown_figures
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, measure String, window String, as_of DateTime('UTC'), n Int64, total Int64, value Nullable(Float64), low Nullable(Float64),
        high Nullable(Float64), target Nullable(Float64), attainment String, minimum_n UInt16
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_expected
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, day Date32, closed Bool, usual_days UInt64, so_far UInt64, before Array(UInt64), after Array(UInt64),
        usual_so_far Nullable(Float64), usual_day Nullable(Float64), by_share Bool, shares Array(Float64), share Nullable(Float64),
        expected Nullable(Float64), expected_low Nullable(Float64), expected_high Nullable(Float64)
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_busy
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, day Date32, minutes UInt8, minute_of_day UInt16, contacts Nullable(UInt64), usual Nullable(Float64),
        least Nullable(UInt64), most Nullable(UInt64), days UInt64
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_measures
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, dimension String, cell String, contacts UInt64, answered UInt64, abandoned UInt64, left_otherwise UInt64,
        abandonment Nullable(Float64), waits UInt64, wait_total_ms Nullable(Int64), wait_mean Nullable(Float64), asa Nullable(Float64),
        wait_median Nullable(Float64), wait_p90 Nullable(Float64), closed UInt64, handled UInt64, handling_total_ms Nullable(Int64),
        handling_mean Nullable(Float64), handling_median Nullable(Float64), handling_p90 Nullable(Float64), transferred UInt64,
        transfers_total UInt64, transferred_share Nullable(Float64), transfers_mean Nullable(Float64), callbacks_promised UInt64,
        callbacks_kept UInt64, callbacks_to_do Int64, results UInt64, first_contact UInt64, first_contact_share Nullable(Float64),
        reopened_contacts UInt64
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_repeats
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        dimension String, channel String, cell String, judged UInt64, resolved UInt64, resolved_share Nullable(Float64), provisional UInt64,
        resolved_so_far UInt64, contacts UInt64, repeats UInt64, repeat_share Nullable(Float64)
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_quarters
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, via String, measure String, quarter String, quarter_opened String, n Int64, total Int64, squares Int128
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_quarter_outcomes
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, via String, norm String, excluded String, quarter String, quarter_opened String, outcomes UInt64, within UInt64,
        late UInt64, pending UInt64, measured UInt64, overdue UInt64, stale UInt64
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_satisfaction
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        instrument String, instrument_version UInt16, aspect String, kind String, population String, audience String, channel String,
        period_kind String, period String, closed Bool, n Int64, total Int64, squares Int128, value Float64, deviation Nullable(Float64),
        low Nullable(Float64), high Nullable(Float64), low_n Int64, high_n Int64, low_share Float64, top_share Float64, nps Nullable(Float64),
        face_shares Array(Float64), target Nullable(Float64), attainment String
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_satisfaction_by
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        instrument String, instrument_version UInt16, aspect String, channel String, quarter String, dimension String, cell String, withheld Bool,
        n Nullable(Int64), total Nullable(Int64), squares Nullable(Int128), value Nullable(Float64)
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_attainment
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        instrument String, instrument_version UInt16, channel String, period_kind String, period String, met UInt64, not_met UInt64,
        aspects UInt64, too_few Int64, all_met Bool
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_response
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        instrument String, instrument_version UInt16, wave String, channel String, quarter String, invited UInt64, answered UInt64, rate Float64,
        low Float64, high Float64
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_blocks
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        instrument String, instrument_version UInt16, aspect String, channel String, wave String, quarter String, late Bool, block UInt64,
        first_at DateTime('UTC'), last_at DateTime('UTC'), n Int64, total Int64, squares Int128, value Float64
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_norm_times
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, norm String, statistic String, period_kind String, period String, n UInt64, mean Float64, longest Float64, within UInt64,
        limit Float64, met Bool
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_opening
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, opens_at DateTime64(3, 'UTC'), closes_at DateTime64(3, 'UTC')
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_quality
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        kind String, system String, channel String, name String, contacts UInt64
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

CREATE TABLE shown_status
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        last_event_at Nullable(DateTime64(3, 'UTC')), contacts UInt64, answers UInt64, rejects UInt64
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

-- This one names contacts: what was replaced must not lie about until some merge.
CREATE TABLE shown_open
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    day_ends Array(DateTime64(3, 'UTC')) COMMENT 'of the local days from then on',
    rows Array(Tuple(
        system String, contact String, confidential Bool, channel String, via String, product String, team String, location String,
        opened_at DateTime64(3, 'UTC'), is_open Bool, stale_after Nullable(DateTime64(3, 'UTC')), unheard Bool, suspended Bool,
        running Array(Tuple(norm String, deadline DateTime64(3, 'UTC'))), callback_to_do Bool, callback_due Nullable(DateTime64(3, 'UTC')),
        last_word_at DateTime64(3, 'UTC'), url String
    ))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
TTL toDateTime(at) + INTERVAL 7 DAY
SETTINGS index_granularity = 1;

-- A part is a local day. hours: the same contributions by local hour and channel.
CREATE TABLE shown_days
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    version UInt64 COMMENT 'ms of writing',
    at DateTime64(3, 'UTC') COMMENT 'the instant that it tells of',
    rows Array(Tuple(
        channel String, team String, product String, location String, measure String, n Int64, total Int64, squares Int128
    )),
    hours Array(Tuple(hour UInt8, channel String, measure String, n Int64, total Int64))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, part)
TTL toDateTime(at) + INTERVAL 100 DAY
SETTINGS index_granularity = 1;

-- When each part was last kept, and how long that took.
CREATE TABLE shown
(
    organisation LowCardinality(String),
    part LowCardinality(String),
    at DateTime64(3, 'UTC'),
    took_ms UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (organisation, part)
SETTINGS index_granularity = 1;

-- Internal: contributions of contacts in (since, until] by local hour, a small team under the name of the one above it.
CREATE VIEW local_hours_of AS
SELECT
    c.organisation AS organisation, toDate(local_at) AS day, toHour(local_at) AS hour, toString(c.channel) AS channel,
    if(t.team = '', toString(c.team), t.shown_as) AS team, toString(c.product) AS product, toString(c.location) AS location, c.measure AS measure,
    addSeconds(c.quarter_at, o.seconds) AS local_at, sum(c.n) AS n, sum(c.total) AS total, sum(c.squares) AS squares
FROM
(
    SELECT
        organisation, channel, team, product, location, measure, toStartOfFifteenMinutes(toDateTime(at, 'UTC')) AS quarter,
        toDateTime64(quarter, 3, 'UTC') AS quarter_at, sum(n) AS n, sum(total) AS total, sum(squares) AS squares
    FROM contactmeter.contributions_between(
        organisations = {organisations:Array(String)}, since = {since:DateTime64(3, 'UTC')}, until = {until:DateTime64(3, 'UTC')}
    )
    WHERE NOT startsWith(measure, 'answer:')
    GROUP BY organisation, channel, team, product, location, measure, quarter
) AS c
ASOF LEFT JOIN contactmeter.offsets_of(organisations = {organisations:Array(String)}) AS o ON c.organisation = o.organisation AND c.quarter_at >= o.since
LEFT JOIN (SELECT organisation, team, shown_as FROM contactmeter.teams_of(organisations = {organisations:Array(String)})) AS t
    ON c.organisation = t.organisation AND c.team = t.team
GROUP BY organisation, channel, team, product, location, measure, local_at;

-- What boards read, as in 0002. `at` is the instant of the figures.

CREATE VIEW contactmeter_views.v_shown DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, part, at, took_ms
FROM contactmeter.shown FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

-- What is open by the contacts that were open at `at`, judged by the clock of who reads, as open_of does. ahead: (norm, deadline) of what is
-- still to come, in order. A confidential contact is counted, not named.
CREATE VIEW contactmeter_views.v_now_open DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, system, contact, confidential, channel, via, product, team, location, opened_at, open, waiting, suspended, stale,
    arraySort(passed.1) AS overdue_norms, if(empty(passed), NULL, arrayMin(passed.2)) AS overdue_since, notEmpty(passed) AS overdue,
    arraySort(arrayFilter(x -> x.2 < day_end, ahead).1) AS today_norms, notEmpty(today_norms) AS late_today,
    if(empty(ahead), NULL, ahead[1].2) AS next_deadline, ahead[1].1 AS next_norm, ahead, callback_to_do, callback_due,
    ifNull(callback_due <= moment, 0) AS callback_overdue, intDiv(dateDiff('millisecond', opened_at, moment), 86400000) AS days_open,
    intDiv(dateDiff('millisecond', last_word_at, moment), 86400000) AS silent_days, url, at
FROM
(
    SELECT
        organisation, row.system AS system, row.contact AS contact, row.confidential AS confidential, row.channel AS channel, row.via AS via,
        row.product AS product, row.team AS team, row.location AS location, row.opened_at AS opened_at, row.is_open AS open,
        row.suspended AS suspended, row.callback_to_do AS callback_to_do, row.callback_due AS callback_due, row.last_word_at AS last_word_at,
        row.url AS url, at, now64(3, 'UTC') AS moment, arrayFirst(end -> end > moment, day_ends) AS day_end,
        open AND ifNull(moment > row.stale_after, 0) AS stale, row.unheard AND NOT stale AS waiting,
        arrayFilter(x -> x.2 <= moment AND NOT stale, row.running) AS passed,
        arraySort(x -> (x.2, x.1), arrayFilter(x -> x.2 > moment AND NOT stale, row.running)) AS ahead
    FROM contactmeter.shown_open FINAL
    ARRAY JOIN rows AS row
    WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);

CREATE VIEW contactmeter_views.v_days DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, toDate(part) AS day, row.channel AS channel, row.team AS team, row.product AS product, row.location AS location,
    row.measure AS measure, row.n AS n, row.total AS total, row.squares AS squares, at
FROM contactmeter.shown_days FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
  AND toDate(part) > toDate(now64(3, 'UTC')) - 91;

CREATE VIEW contactmeter_views.v_hours DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, toDate(part) AS day, row.hour AS hour, row.channel AS channel, row.measure AS measure, row.n AS n, row.total AS total, at
FROM contactmeter.shown_days FINAL
ARRAY JOIN hours AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
  AND toDate(part) > toDate(now64(3, 'UTC')) - 91;

CREATE VIEW contactmeter_views.v_now_figures DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.channel AS channel, row.measure AS measure, row.window AS window, row.as_of AS as_of, row.n AS n, row.total AS total,
    row.value AS value, row.low AS low, row.high AS high, row.target AS target, row.attainment AS attainment, row.minimum_n AS minimum_n, at
FROM contactmeter.shown_figures FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_expected DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.channel AS channel, row.day AS day, row.closed AS closed, row.usual_days AS usual_days, row.so_far AS so_far, row.before AS
    before, row.after AS after, row.usual_so_far AS usual_so_far, row.usual_day AS usual_day, row.by_share AS by_share, row.shares AS shares,
    row.share AS share, row.expected AS expected, row.expected_low AS expected_low, row.expected_high AS expected_high, at
FROM contactmeter.shown_expected FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_busy DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.channel AS channel, row.day AS day, row.minutes AS minutes, row.minute_of_day AS minute_of_day, row.contacts AS contacts,
    row.usual AS usual, row.least AS least, row.most AS most, row.days AS days, at
FROM contactmeter.shown_busy FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_measures DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, part AS period, row.channel AS channel, row.dimension AS dimension, row.cell AS cell, row.contacts AS contacts, row.answered AS
    answered, row.abandoned AS abandoned, row.left_otherwise AS left_otherwise, row.abandonment AS abandonment, row.waits AS waits,
    row.wait_total_ms AS wait_total_ms, row.wait_mean AS wait_mean, row.asa AS asa, row.wait_median AS wait_median, row.wait_p90 AS wait_p90,
    row.closed AS closed, row.handled AS handled, row.handling_total_ms AS handling_total_ms, row.handling_mean AS handling_mean,
    row.handling_median AS handling_median, row.handling_p90 AS handling_p90, row.transferred AS transferred, row.transfers_total AS
    transfers_total, row.transferred_share AS transferred_share, row.transfers_mean AS transfers_mean, row.callbacks_promised AS
    callbacks_promised, row.callbacks_kept AS callbacks_kept, row.callbacks_to_do AS callbacks_to_do, row.results AS results, row.first_contact AS
    first_contact, row.first_contact_share AS first_contact_share, row.reopened_contacts AS reopened_contacts, at
FROM contactmeter.shown_measures FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_repeats DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.dimension AS dimension, row.channel AS channel, row.cell AS cell, row.judged AS judged, row.resolved AS resolved,
    row.resolved_share AS resolved_share, row.provisional AS provisional, row.resolved_so_far AS resolved_so_far, row.contacts AS contacts,
    row.repeats AS repeats, row.repeat_share AS repeat_share, at
FROM contactmeter.shown_repeats FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_quarters DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.channel AS channel, row.via AS via, row.measure AS measure, row.quarter AS quarter, row.quarter_opened AS quarter_opened,
    row.n AS n, row.total AS total, row.squares AS squares, at
FROM contactmeter.shown_quarters FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_quarter_outcomes DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.channel AS channel, row.via AS via, row.norm AS norm, row.excluded AS excluded, row.quarter AS quarter, row.quarter_opened
    AS quarter_opened, row.outcomes AS outcomes, row.within AS within, row.late AS late, row.pending AS pending, row.measured AS measured,
    row.overdue AS overdue, row.stale AS stale, at
FROM contactmeter.shown_quarter_outcomes FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_satisfaction DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.instrument AS instrument, row.instrument_version AS instrument_version, row.aspect AS aspect, row.kind AS kind,
    row.population AS population, row.audience AS audience, row.channel AS channel, row.period_kind AS period_kind, row.period AS period,
    row.closed AS closed, row.n AS n, row.total AS total, row.squares AS squares, row.value AS value, row.deviation AS deviation, row.low AS low,
    row.high AS high, row.low_n AS low_n, row.high_n AS high_n, row.low_share AS low_share, row.top_share AS top_share, row.nps AS nps,
    row.face_shares AS face_shares, row.target AS target, row.attainment AS attainment, at
FROM contactmeter.shown_satisfaction FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_satisfaction_by DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.instrument AS instrument, row.instrument_version AS instrument_version, row.aspect AS aspect, row.channel AS channel,
    row.quarter AS quarter, row.dimension AS dimension, row.cell AS cell, row.withheld AS withheld, row.n AS n, row.total AS total, row.squares AS
    squares, row.value AS value, at
FROM contactmeter.shown_satisfaction_by FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_attainment DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.instrument AS instrument, row.instrument_version AS instrument_version, row.channel AS channel, row.period_kind AS
    period_kind, row.period AS period, row.met AS met, row.not_met AS not_met, row.aspects AS aspects, row.too_few AS too_few, row.all_met AS
    all_met, at
FROM contactmeter.shown_attainment FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_response DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.instrument AS instrument, row.instrument_version AS instrument_version, row.wave AS wave, row.channel AS channel,
    row.quarter AS quarter, row.invited AS invited, row.answered AS answered, row.rate AS rate, row.low AS low, row.high AS high, at
FROM contactmeter.shown_response FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_blocks DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.instrument AS instrument, row.instrument_version AS instrument_version, row.aspect AS aspect, row.channel AS channel,
    row.wave AS wave, row.quarter AS quarter, row.late AS late, row.block AS block, row.first_at AS first_at, row.last_at AS last_at, row.n AS n,
    row.total AS total, row.squares AS squares, row.value AS value, at
FROM contactmeter.shown_blocks FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_now_norm_times DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.channel AS channel, row.norm AS norm, row.statistic AS statistic, row.period_kind AS period_kind, row.period AS period,
    row.n AS n, row.mean AS mean, row.longest AS longest, row.within AS within, row.limit AS limit, row.met AS met, at
FROM contactmeter.shown_norm_times FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_opening DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.channel AS channel, row.opens_at AS opens_at, row.closes_at AS closes_at, at
FROM contactmeter.shown_opening FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_data_quality DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.kind AS kind, row.system AS system, row.channel AS channel, row.name AS name, row.contacts AS contacts, at
FROM contactmeter.shown_quality FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_status DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, row.last_event_at AS last_event_at, row.contacts AS contacts, row.answers AS answers, row.rejects AS rejects, at
FROM contactmeter.shown_status FINAL
ARRAY JOIN rows AS row
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);
