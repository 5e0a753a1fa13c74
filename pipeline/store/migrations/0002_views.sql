-- Internal: what every contact and answer adds to a figure, as pipeline/contributions.py computes it. `at` is when it counts.
CREATE VIEW contributions AS
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
                (norm, deadline, stop, judged_at) -> (concat('norm:', norm), assumeNotNull(judged_at), toInt64(ifNull(stop <= deadline, 0))),
                arrayFilter((norm, judged_at) -> isNotNull(judged_at), `outcomes.norm`, `outcomes.judged_at`),
                arrayFilter((deadline, judged_at) -> isNotNull(judged_at), `outcomes.deadline`, `outcomes.judged_at`),
                arrayFilter((stop, judged_at) -> isNotNull(judged_at), `outcomes.stop`, `outcomes.judged_at`),
                arrayFilter(judged_at -> isNotNull(judged_at), `outcomes.judged_at`)
            )
        ) AS parts
    FROM contacts FINAL
    WHERE channel != '' AND NOT withdrawn
)
ARRAY JOIN parts AS part
UNION ALL
SELECT
    organisation, channel, '' AS via, product, team, '' AS location, segment, NULL AS opened_at,
    concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure,
    answered_at AS at, intDiv(toUnixTimestamp64Milli(answered_at) + 59999, 60000) AS minute,
    toInt64(1) AS n, grade AS total, toInt128(grade) * grade AS squares
FROM survey_answers FINAL
ARRAY JOIN aspects AS aspect, grades AS grade
WHERE channel != '';

-- Internal: only what the configuration in force says; rows of an earlier one may still stand in the tables.
CREATE VIEW offsets_in_force AS
SELECT organisation, since, seconds FROM offsets FINAL WHERE (organisation, version) IN (SELECT organisation, version FROM organisations FINAL);

CREATE VIEW channels_in_force AS
SELECT organisation, channel, max_open_ms FROM channels FINAL WHERE (organisation, version) IN (SELECT organisation, version FROM organisations FINAL);

-- What boards and reports read. Each view runs with the rights of its maker and shows a user the organisations named in `readers`.

CREATE VIEW contactmeter_views.v_organisations DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, title_nl, title_en, zone, simulated, minimum_n, generation
FROM contactmeter.organisations FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_norms DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, norm, norm_version, title_nl, title_en, clock, threshold, target, denominator, valid_from, valid_to, published_in
FROM contactmeter.norms FINAL
WHERE (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL)
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_instruments DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, instrument, instrument_version, aspect, title_nl, title_en, aspect_nl, aspect_en, population, minimum, maximum, target
FROM contactmeter.instruments FINAL
WHERE (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL)
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

-- The last rolling figures, as the worker saw them live.
CREATE VIEW contactmeter_views.v_rolling DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, channel, measure, window, as_of, n, total, squares, value, low, high, target, attainment, stored_at
FROM contactmeter.rolling_last FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

-- The same minute by minute: a row holds from its as_of until the next; nothing is written while nothing changes.
CREATE VIEW contactmeter_views.v_rolling_history DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, channel, measure, window, as_of, n, total, squares, value, low, high, target, attainment
FROM contactmeter.rolling FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

-- Rolling figures at any instant, recomputed from what is stored now: windows end at `at` rounded up to the minute.
CREATE VIEW contactmeter_views.v_rolling_at DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, measure, w.1 AS window,
    sum(n) AS n, sum(total) AS total, sum(squares) AS squares,
    multiIf(measure = 'volume', toFloat64(n), n = 0, NULL, measure = 'abandonment' OR startsWith(measure, 'norm:'), total / n, total / n / 1000) AS value
FROM
(
    SELECT organisation, channel, measure, minute, n, total, squares, intDiv(toUnixTimestamp64Milli({at:DateTime64(3, 'UTC')}) + 59999, 60000) AS as_of
    FROM contactmeter.contributions
    WHERE organisation = {organisation:String}
      AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
)
ARRAY JOIN [('1h', 60), ('24h', 1440), ('7d', 10080), ('28d', 40320)] AS w
WHERE minute <= as_of AND minute > as_of - w.2
GROUP BY organisation, channel, measure, window;

-- Counts by calendar quarter of the organisation's zone: `quarter` by when a thing counts, `quarter_opened` by when its contact opened.
CREATE VIEW contactmeter_views.v_quarter_sums DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, via, measure,
    concat(toString(toYear(local_at)), '-Q', toString(toQuarter(local_at))) AS quarter,
    if(isNull(opened_at), quarter, concat(toString(toYear(local_opened)), '-Q', toString(toQuarter(local_opened)))) AS quarter_opened,
    sum(n) AS n, sum(total) AS total, sum(squares) AS squares
FROM
(
    SELECT c.organisation AS organisation, channel, via, measure, n, total, squares, c.opened_at AS opened_at,
        addSeconds(c.at, counted.seconds) AS local_at, addSeconds(opened_or_at, opened.seconds) AS local_opened
    FROM
    (
        SELECT *, ifNull(opened_at, at) AS opened_or_at
        FROM contactmeter.contributions
        WHERE organisation = {organisation:String} AND at <= {at:DateTime64(3, 'UTC')}
          AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
    ) AS c
    ASOF LEFT JOIN (SELECT organisation, since, seconds FROM contactmeter.offsets_in_force) AS counted ON c.organisation = counted.organisation AND c.at >= counted.since
    ASOF LEFT JOIN (SELECT organisation, since, seconds FROM contactmeter.offsets_in_force) AS opened ON c.organisation = opened.organisation AND c.opened_or_at >= opened.since
)
GROUP BY organisation, channel, via, measure, quarter, quarter_opened;

-- Every outcome that had begun by an instant, with its verdict then. `overdue` and `stale` concern contacts open at that instant; a stale one is no longer overdue.
CREATE VIEW contactmeter_views.v_outcomes_at DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    o.organisation AS organisation, system, contact, o.channel AS channel, via, product, team, location, opened_at,
    norm, norm_version, start, deadline, stop, judged_at, excluded,
    multiIf(excluded != '', 'excluded', ifNull(judged_at > {at:DateTime64(3, 'UTC')}, 1), 'pending', ifNull(stop <= deadline, 0), 'within', 'late') AS verdict,
    open AND isNotNull(limits.max_open_ms) AND ifNull(dateDiff('millisecond', opened_at, {at:DateTime64(3, 'UTC')}) > limits.max_open_ms, 0) AS stale,
    verdict = 'late' AND open AND ifNull(stop > {at:DateTime64(3, 'UTC')}, 1) AND NOT stale AS overdue
FROM
(
    SELECT
        organisation, system, contact, channel, via, product, team, location, opened_at,
        ifNull(closed_at > {at:DateTime64(3, 'UTC')}, 1) AND ifNull(left_at > {at:DateTime64(3, 'UTC')}, 1) AS open,
        outcome_norm AS norm, outcome_version AS norm_version, outcome_start AS start, outcome_deadline AS deadline, outcome_stop AS stop,
        outcome_judged_at AS judged_at, outcome_excluded AS excluded
    FROM contactmeter.contacts FINAL
    ARRAY JOIN
        `outcomes.norm` AS outcome_norm, `outcomes.version` AS outcome_version, `outcomes.start` AS outcome_start, `outcomes.deadline` AS outcome_deadline,
        `outcomes.stop` AS outcome_stop, `outcomes.judged_at` AS outcome_judged_at, `outcomes.excluded` AS outcome_excluded
    WHERE organisation = {organisation:String} AND NOT withdrawn AND outcome_start <= {at:DateTime64(3, 'UTC')}
      AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
) AS o
LEFT JOIN (SELECT organisation, channel, max_open_ms FROM contactmeter.channels_in_force) AS limits ON o.organisation = limits.organisation AND o.channel = limits.channel;

-- Counts of verdicts by quarter. An excluded outcome has no moment at which it counts: its quarter is that of its stop, else of its start.
CREATE VIEW contactmeter_views.v_quarter_outcomes DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, via, norm, excluded,
    concat(toString(toYear(local_at)), '-Q', toString(toQuarter(local_at))) AS quarter,
    concat(toString(toYear(local_opened)), '-Q', toString(toQuarter(local_opened))) AS quarter_opened,
    count() AS outcomes, countIf(verdict = 'within') AS within, countIf(verdict = 'late') AS late, countIf(verdict = 'pending') AS pending,
    countIf(overdue) AS overdue, countIf(stale) AS stale
FROM
(
    SELECT
        o.organisation AS organisation, o.channel AS channel, o.via AS via, o.norm AS norm, o.excluded AS excluded,
        o.verdict AS verdict, o.overdue AS overdue, o.stale AS stale,
        addSeconds(o.counts_at, counted.seconds) AS local_at, addSeconds(o.opened_or_start, opened.seconds) AS local_opened
    FROM
    (
        SELECT *, coalesce(judged_at, stop, start) AS counts_at, coalesce(opened_at, start) AS opened_or_start
        FROM contactmeter_views.v_outcomes_at(organisation = {organisation:String}, at = {at:DateTime64(3, 'UTC')})
    ) AS o
    ASOF LEFT JOIN (SELECT organisation, since, seconds FROM contactmeter.offsets_in_force) AS counted
        ON o.organisation = counted.organisation AND o.counts_at >= counted.since
    ASOF LEFT JOIN (SELECT organisation, since, seconds FROM contactmeter.offsets_in_force) AS opened
        ON o.organisation = opened.organisation AND o.opened_or_start >= opened.since
)
GROUP BY organisation, channel, via, norm, excluded, quarter, quarter_opened;

-- What the sources and the connectors got wrong.
CREATE VIEW contactmeter_views.v_rejects DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, reason, source, path, message, topic, partition, offset, position, size, appended_at
FROM contactmeter.rejects FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_defects DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, system, contact, channel, arrayJoin(defects) AS defect, opened_at
FROM contactmeter.contacts FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_heartbeats DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, connector, source, observed_at, last_read_at, lag_s, cursor
FROM contactmeter.heartbeats FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
ORDER BY observed_at DESC
LIMIT 1 BY organisation, connector, source;

CREATE VIEW contactmeter_views.v_gauges DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, channel, queue, gauge, observed_at, value
FROM contactmeter.gauges FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

-- Rows stored, and the last thing that happened: for `status`, `figures --at last` and the freshness of boards.
CREATE VIEW contactmeter_views.v_counts DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, sum(contact) AS contacts, sum(answer) AS answers, sum(reject) AS rejects
FROM
(
    SELECT organisation, 1 AS contact, 0 AS answer, 0 AS reject FROM contactmeter.contacts FINAL
    UNION ALL SELECT organisation, 0, 1, 0 FROM contactmeter.survey_answers FINAL
    UNION ALL SELECT organisation, 0, 0, 1 FROM contactmeter.rejects FINAL
)
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
GROUP BY organisation;

CREATE VIEW contactmeter_views.v_last_event DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, max(at) AS last_at
FROM
(
    SELECT organisation, arrayMax(arrayFilter(at -> isNotNull(at), arrayConcat([opened_at, queued_at, answered_at, abandoned_at, left_at, closed_at], `outcomes.stop`))) AS at
    FROM contactmeter.contacts FINAL
    UNION ALL SELECT organisation, answered_at AS at FROM contactmeter.survey_answers FINAL
)
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
GROUP BY organisation;
