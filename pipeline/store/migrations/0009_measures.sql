-- Part 2: measures of contacts, lists of what is open, queues, busy hours. docs/MEASURES.md, "Contact measures" defines every figure.
-- (The teams, inhabitants and days of a repeat that these views use stand in 0007.)

ALTER TABLE norms
    ADD COLUMN IF NOT EXISTS statistic LowCardinality(String) DEFAULT 'share' COMMENT 'share, mean, max',
    ADD COLUMN IF NOT EXISTS threshold_ms Nullable(Int64) COMMENT 'the limit of a norm on a mean or maximum',
    ADD COLUMN IF NOT EXISTS callback Bool DEFAULT false COMMENT 'a call-back stops its clock';

ALTER TABLE organisations ADD COLUMN IF NOT EXISTS link_template String DEFAULT '' COMMENT 'address of a contact in its own system, with {link} in it';

-- Days that are not as other days of their week. channel '' is the whole organisation.
CREATE TABLE special_days
(
    organisation String,
    channel LowCardinality(String),
    day Date32,
    version UInt64,
    closed Bool
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, channel, day);

-- Internal, as in 0007: the configuration in force of some organisations.
CREATE VIEW channels_of AS
SELECT organisation, channel, max_open_ms
FROM contactmeter.channels FINAL
WHERE organisation IN {organisations:Array(String)}
  AND (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL);

CREATE VIEW norms_of AS
SELECT organisation, norm, norm_version, statistic, threshold_ms, callback
FROM contactmeter.norms FINAL
WHERE organisation IN {organisations:Array(String)}
  AND (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL);

-- Internal: contacts that count, as far as measures need them; a small team under the name of the one above it.
CREATE VIEW counting_of AS
SELECT
    c.organisation AS organisation, system, contact, channel, via, product, if(t.team = '', toString(c.team), t.shown_as) AS team, location, segment,
    person, link, confidential, result, opened_at, queued_at, answered_at, abandoned_at, left_at, left_reason, closed_at, responded_at, last_word_at,
    suspended_at, callback_open_at, callbacks, callbacks_settled, transfers, reopened, wait_ms, handling_ms,
    `outcomes.norm` AS norms, `outcomes.version` AS norm_versions, `outcomes.start` AS starts, `outcomes.deadline` AS deadlines,
    `outcomes.stop` AS stops, `outcomes.judged_at` AS judgements, `outcomes.excluded` AS exclusions, `outcomes.measured` AS measurements
FROM (SELECT * FROM contactmeter.contacts FINAL WHERE organisation IN {organisations:Array(String)} AND role = 'counts') AS c
LEFT JOIN (SELECT organisation, team, shown_as FROM contactmeter.teams_of(organisations = {organisations:Array(String)})) AS t
    ON c.organisation = t.organisation AND c.team = t.team;

-- Internal: an instant by the clocks of organisations, the instants at which its local day begins and ends, [day_start, day_end), and what
-- else is needed to look at contacts.
CREATE VIEW moment_of AS
SELECT
    s.organisation AS organisation, {at:DateTime64(3, 'UTC')} AS moment, o.shifts AS shifts, small_cell, inhabitants, repeat_days, link_template,
    addSeconds(moment, arrayLast(x -> x.1 <= moment, o.shifts).2) AS local_at, toDate32(local_at) AS local_day,
    toDateTime64(local_day, 3, 'UTC') AS wall_start, toDateTime64(addDays(local_day, 1), 3, 'UTC') AS wall_end,
    subtractSeconds(wall_start, arrayLast(x -> addSeconds(x.1, x.2) <= wall_start, o.shifts).2) AS day_start,
    subtractSeconds(wall_end, arrayLast(x -> addSeconds(x.1, x.2) <= wall_end, o.shifts).2) AS day_end
FROM
(
    SELECT organisation, small_cell, inhabitants, repeat_days, link_template FROM contactmeter.organisations FINAL
    WHERE organisation IN {organisations:Array(String)}
) AS s
INNER JOIN
(
    SELECT organisation, arraySort(groupArray((since, seconds))) AS shifts
    FROM contactmeter.offsets_of(organisations = {organisations:Array(String)}) GROUP BY organisation
) AS o ON s.organisation = o.organisation;

-- What happened in (since, at], each thing at its own moment, by `by`: via, product, team, location, or '' for the channel as a whole. Channel
-- '' is all channels. Times in seconds. Means and medians leave out contacts whose time is not known, asa has them as nought.
CREATE VIEW contactmeter_views.v_measures DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, {by:String} AS dimension, cell,
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
        ['', toString(via), toString(product), team, toString(location)][indexOf(['via', 'product', 'team', 'location'], {by:String}) + 1] AS cell,
        ifNull(opened_at > {since:DateTime64(3, 'UTC')} AND opened_at <= {at:DateTime64(3, 'UTC')}, 0) AS is_opened,
        ifNull(answered_at > {since:DateTime64(3, 'UTC')} AND answered_at <= {at:DateTime64(3, 'UTC')}, 0) AS is_answered,
        ifNull(abandoned_at > {since:DateTime64(3, 'UTC')} AND abandoned_at <= {at:DateTime64(3, 'UTC')}, 0) AS has_abandoned,
        ifNull(left_at > {since:DateTime64(3, 'UTC')} AND left_at <= {at:DateTime64(3, 'UTC')}, 0) AS has_left,
        ifNull(closed_at > {since:DateTime64(3, 'UTC')} AND closed_at <= {at:DateTime64(3, 'UTC')}, 0) AS is_closed
    FROM contactmeter.counting_of(organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ))
    WHERE is_opened OR is_answered OR has_abandoned OR has_left OR is_closed
)
GROUP BY GROUPING SETS ((organisation, cell, channel), (organisation, cell));

-- How contacts left the queue in (since, at]: answered, abandoned, or the reason of contact.left_queue.
CREATE VIEW contactmeter_views.v_ways_out DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, channel, {by:String} AS dimension, cell, way, count() AS contacts
FROM
(
    SELECT
        organisation, toString(channel) AS channel,
        ['', toString(via), toString(product), team, toString(location)][indexOf(['via', 'product', 'team', 'location'], {by:String}) + 1] AS cell,
        multiIf(isNotNull(answered_at), 'answered', isNotNull(abandoned_at), 'abandoned', toString(left_reason)) AS way,
        coalesce(answered_at, abandoned_at, left_at) AS out_at
    FROM contactmeter.counting_of(organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ))
    WHERE out_at > {since:DateTime64(3, 'UTC')} AND out_at <= {at:DateTime64(3, 'UTC')}
)
GROUP BY GROUPING SETS ((organisation, cell, way, channel), (organisation, cell, way));

-- Internal: contacts opened or closed in (since, at] of which the person and product are known, each held against the others of the same
-- person and product. came_again: one was opened later than this one, and at most repeat_days after this one was closed; is_repeat: this
-- one so follows on another.
CREATE VIEW repeats_of AS
SELECT
    r.* EXCEPT (next_at, last_closed, previous_open), isNotNull(closed_at) AND ifNull(next_at <= addDays(closed_at, repeat_days), 0) AS came_again,
    previous_open OR ifNull(opened_at <= addDays(last_closed, repeat_days), 0) AS is_repeat, m.repeat_days AS repeat_days
FROM
(
    SELECT
        *,
        leadInFrame(toNullable(opened_at)) OVER (
            PARTITION BY organisation, pair ORDER BY opened_at, system, contact ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS next_at,
        max(closed_at) OVER (
            PARTITION BY organisation, pair ORDER BY opened_at, system, contact ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS last_closed,
        countIf(isNull(closed_at)) OVER (
            PARTITION BY organisation, pair ORDER BY opened_at, system, contact ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) > 0 AS previous_open
    FROM
    (
        SELECT
            organisation, system, contact, channel, via, product, team, location, opened_at, sipHash128(person, product) AS pair,
            if(closed_at <= {at:DateTime64(3, 'UTC')}, closed_at, NULL) AS closed_at
        FROM contactmeter.counting_of(organisations = {organisations:Array(String)})
        WHERE person != '' AND product != '' AND opened_at <= {at:DateTime64(3, 'UTC')} AND (organisation, sipHash128(person, product)) IN
        (
            SELECT organisation, sipHash128(person, product)
            FROM contactmeter.contacts FINAL
            WHERE organisation IN {organisations:Array(String)} AND role = 'counts' AND person != '' AND product != ''
              AND (opened_at > {since:DateTime64(3, 'UTC')} OR closed_at > {since:DateTime64(3, 'UTC')})
        )
    )
) AS r
INNER JOIN contactmeter.moment_of(organisations = {organisations:Array(String)}, at = {at:DateTime64(3, 'UTC')}) AS m ON r.organisation = m.organisation
WHERE opened_at > {since:DateTime64(3, 'UTC')} OR ifNull(closed_at > {since:DateTime64(3, 'UTC')}, 0);

-- Who came again. judged: closed in (since, at] and repeat_days ago at least, so that it is certain; provisional: closed more recently.
-- repeats: of the contacts opened in (since, at] those that followed on an earlier one.
CREATE VIEW contactmeter_views.v_repeats DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, {by:String} AS dimension, cell,
    countIf(is_closed AND certain) AS judged, countIf(is_closed AND certain AND NOT came_again) AS resolved,
    if(judged = 0, NULL, resolved / judged) AS resolved_share,
    countIf(is_closed AND NOT certain) AS provisional, countIf(is_closed AND NOT certain AND NOT came_again) AS resolved_so_far,
    countIf(is_opened) AS contacts, countIf(is_opened AND is_repeat) AS repeats, if(contacts = 0, NULL, repeats / contacts) AS repeat_share
FROM
(
    SELECT
        organisation, toString(channel) AS channel, came_again, is_repeat,
        ['', toString(via), toString(product), team, toString(location)][indexOf(['via', 'product', 'team', 'location'], {by:String}) + 1] AS cell,
        opened_at > {since:DateTime64(3, 'UTC')} AS is_opened, ifNull(closed_at > {since:DateTime64(3, 'UTC')}, 0) AS is_closed,
        ifNull(addDays(closed_at, repeat_days) <= {at:DateTime64(3, 'UTC')}, 0) AS certain
    FROM contactmeter.repeats_of(
        organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        ),
        since = {since:DateTime64(3, 'UTC')}, at = {at:DateTime64(3, 'UTC')}
    )
)
GROUP BY GROUPING SETS ((organisation, cell, channel), (organisation, cell));

-- Internal: contacts that are open at an instant, and those with a call-back to do then. waiting: nobody has answered or responded.
CREATE VIEW open_of AS
SELECT
    * EXCEPT (norms, deadlines, stops, judgements, last_word_at, max_open_ms, callback_norms, day_end),
    is_open AND ifNull(dateDiff('millisecond', opened_at, moment) > max_open_ms, 0) AS stale,
    is_open AND NOT stale AND ifNull(answered_at > moment, 1) AND ifNull(responded_at > moment, 1) AS waiting,
    is_open AND ifNull(suspended_at <= moment, 0) AS suspended,
    arrayFilter(
        x -> is_open AND NOT stale AND isNotNull(x.2) AND isNotNull(x.4) AND ifNull(x.3 > moment, 1), arrayZip(norms, deadlines, stops, judgements)
    ) AS running,
    arrayFilter(x -> assumeNotNull(x.2) <= moment, running) AS overdue,
    arraySort(overdue.1) AS overdue_norms, if(empty(overdue), NULL, arrayMin(x -> assumeNotNull(x.2), overdue)) AS overdue_since,
    arrayFilter(x -> assumeNotNull(x.2) > moment, running) AS ahead,
    arraySort(arrayFilter(x -> assumeNotNull(x.2) < day_end, ahead).1) AS today_norms,
    if(empty(ahead), NULL, arrayMin(x -> assumeNotNull(x.2), ahead)) AS next_deadline,
    ifNull(callback_open_at <= moment, 0) AS callback_to_do,
    arrayFilter(
        x -> callback_to_do AND has(callback_norms, x.1) AND isNotNull(x.2) AND isNull(x.3), arrayZip(norms, deadlines, stops, judgements)
    ) AS owed,
    if(empty(owed), NULL, arrayMin(x -> assumeNotNull(x.2), owed)) AS callback_due, ifNull(callback_due <= moment, 0) AS callback_overdue,
    intDiv(dateDiff('millisecond', opened_at, moment), 86400000) AS days_open,
    intDiv(dateDiff('millisecond', if(ifNull(last_word_at <= moment, 0), assumeNotNull(last_word_at), opened_at), moment), 86400000) AS silent_days
FROM
(
    SELECT
        c.organisation AS organisation, system, contact, toString(c.channel) AS channel, via, product, team, location, link, confidential,
        assumeNotNull(c.opened_at) AS opened_at, queued_at, answered_at, responded_at, last_word_at, suspended_at, callback_open_at,
        norms, deadlines, stops, judgements, m.moment AS moment, m.day_end AS day_end, m.link_template AS link_template, l.max_open_ms AS max_open_ms,
        n.callback_norms AS callback_norms, c.is_open AS is_open
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
    ) AS n ON c.organisation = n.organisation
);

-- What is open at an instant, counted. Channel '' is all channels; `by` as in v_measures. The days since the last word are of open contacts
-- that are not stale.
CREATE VIEW contactmeter_views.v_open DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, {by:String} AS dimension, cell, countIf(is_open) AS open, countIf(o.waiting) AS waiting,
    countIf(o.suspended) AS suspended, countIf(notEmpty(overdue_norms)) AS overdue, countIf(notEmpty(today_norms)) AS late_today,
    countIf(o.stale) AS stale, countIf(callback_to_do) AS callbacks_to_do, countIf(callback_overdue) AS callbacks_overdue,
    if(open = stale, NULL, quantileExactInclusiveIf(0.5)(silent_days, is_open AND NOT o.stale)) AS silent_days_median,
    if(open = stale, NULL, maxIf(silent_days, is_open AND NOT o.stale)) AS silent_days_longest
FROM
(
    SELECT
        * EXCEPT (via, product, team, location),
        ['', toString(via), toString(product), team, toString(location)][indexOf(['via', 'product', 'team', 'location'], {by:String}) + 1] AS cell
    FROM contactmeter.open_of(
        organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        ),
        at = {at:DateTime64(3, 'UTC')}
    )
) AS o
GROUP BY GROUPING SETS ((organisation, cell, channel), (organisation, cell));

-- Open contacts that are not stale, by how many days (of 24 hours) they are open: at least from_days, less than to_days.
CREATE VIEW contactmeter_views.v_ageing DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, channel, age.1 AS from_days, age.2 AS to_days, count() AS contacts, countIf(notEmpty(overdue_norms)) AS overdue
FROM contactmeter.open_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}
)
ARRAY JOIN [(0, 1), (1, 2), (2, 5), (5, 10), (10, 20), (20, 40), (40, 80), (80, NULL)] AS age
WHERE is_open AND NOT stale AND days_open >= from_days AND ifNull(days_open < to_days, 1)
GROUP BY GROUPING SETS ((organisation, channel, age), (organisation, age));

-- The same one by one, without confidential ones. `url` is its address in its own system, where the organisation's file tells how to make it.
CREATE VIEW contactmeter_views.v_open_contacts DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, system, contact, channel, via, product, team, location, opened_at, is_open AS open, waiting, suspended, stale, overdue_norms,
    overdue_since, today_norms, next_deadline, callback_open_at, callback_to_do, callback_due, callback_overdue, days_open, silent_days,
    if(link = '' OR link_template = '', '', replaceOne(link_template, '{link}', encodeURLComponent(link))) AS url
FROM contactmeter.open_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}
)
WHERE NOT confidential;

-- Norms on a mean or a maximum: what was measured in windows that end at `at` and in calendar quarters up to it. Times in seconds. within: at
-- most the limit that held for the contact; met: the mean, or every contact, is.
CREATE VIEW contactmeter_views.v_norm_times DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, norm, any(kind) AS statistic, span.1 AS period_kind, span.2 AS period, count() AS n, sum(took_ms) / n / 1000 AS mean,
    max(took_ms) / 1000 AS longest, countIf(took_ms <= limit_ms) AS within, argMax(limit_ms, judged_at) / 1000 AS limit,
    if(statistic = 'mean', mean <= limit, within = n) AS met
FROM
(
    SELECT
        o.organisation AS organisation, toString(channel) AS channel, norm, n.statistic AS kind, assumeNotNull(took) AS took_ms,
        assumeNotNull(n.threshold_ms) AS limit_ms, judged_at, addSeconds(judged_at, f.seconds) AS local_at,
        intDiv(toUnixTimestamp64Milli(judged_at) + 59999, 60000) AS minute,
        intDiv(toUnixTimestamp64Milli({at:DateTime64(3, 'UTC')}) + 59999, 60000) AS as_of,
        arrayConcat(
            [('quarter', concat(toString(toYear(local_at)), '-Q', toString(toQuarter(local_at))))],
            arrayMap(
                w -> ('window', w.1), arrayFilter(w -> minute > as_of - w.2, [('1h', 60), ('24h', 1440), ('7d', 10080), ('28d', 40320)])
            )
        ) AS spans
    FROM
    (
        SELECT organisation, channel, toString(one.1) AS norm, one.2 AS norm_version, assumeNotNull(one.3) AS judged_at, one.4 AS took
        FROM contactmeter.counting_of(organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        ))
        ARRAY JOIN arrayFilter(
            x -> isNotNull(x.4) AND ifNull(x.3 <= {at:DateTime64(3, 'UTC')}, 0), arrayZip(norms, norm_versions, judgements, measurements)
        ) AS one
    ) AS o
    INNER JOIN contactmeter.norms_of(organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    )) AS n ON o.organisation = n.organisation AND o.norm = n.norm AND o.norm_version = n.norm_version
    ASOF LEFT JOIN contactmeter.offsets_of(organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    )) AS f ON o.organisation = f.organisation AND o.judged_at >= f.since
)
ARRAY JOIN spans AS span
GROUP BY GROUPING SETS ((organisation, norm, span, channel), (organisation, norm, span));

-- Internal: contacts opened up to an instant, by local time.
CREATE VIEW openings_of AS
SELECT
    c.organisation AS organisation, channel, segment, opened_at, answered_at, abandoned_at, wait_ms, addSeconds(c.opened_at, f.seconds) AS local_opened
FROM
(
    SELECT
        organisation, toString(channel) AS channel, toString(segment) AS segment, assumeNotNull(opened_at) AS opened_at, answered_at, abandoned_at, wait_ms
    FROM contactmeter.contacts FINAL
    WHERE organisation IN {organisations:Array(String)} AND role = 'counts'
      AND contacts.opened_at > {since:DateTime64(3, 'UTC')} AND contacts.opened_at <= {at:DateTime64(3, 'UTC')}
) AS c
ASOF LEFT JOIN contactmeter.offsets_of(organisations = {organisations:Array(String)}) AS f ON c.organisation = f.organisation AND c.opened_at >= f.since;

-- Contacts opened in each local quarter up to `at`, and how many that is per 1,000 inhabitants (as the organisation's file says now).
CREATE VIEW contactmeter_views.v_per_inhabitants DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    v.organisation AS organisation, channel, quarter, contacts, s.inhabitants AS inhabitants, contacts * 1000 / s.inhabitants AS per_thousand
FROM
(
    SELECT
        organisation, channel, concat(toString(toYear(local_opened)), '-Q', toString(toQuarter(local_opened))) AS quarter, count() AS contacts
    FROM contactmeter.openings_of(
        organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        ),
        since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC'), at = {at:DateTime64(3, 'UTC')}
    )
    GROUP BY GROUPING SETS ((organisation, quarter, channel), (organisation, quarter))
) AS v
INNER JOIN contactmeter.moment_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}
) AS s ON v.organisation = s.organisation;

-- Contacts by segment, within a channel, of local months that are over. A segment with fewer than `small_cell` contacts is withheld, and with
-- it the smallest other one where fewer than that would follow by subtraction from the channel's figure.
CREATE VIEW contactmeter_views.v_segments DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, month, segment, withheld, if(withheld, NULL, n) AS contacts, if(withheld, NULL, calls) AS answered,
    if(withheld, NULL, gave_up) AS abandoned, if(withheld, NULL, waited / waits / 1000) AS wait_mean
FROM
(
    SELECT
        *, sumIf(n, n < small_cell) OVER (PARTITION BY organisation, channel, month) AS below,
        row_number() OVER (PARTITION BY organisation, channel, month, n >= small_cell ORDER BY n, segment) AS rank,
        n < small_cell OR (rank = 1 AND below > 0 AND below < small_cell) AS withheld
    FROM
    (
        SELECT
            c.organisation AS organisation, channel, formatDateTime(toStartOfMonth(local_opened), '%Y-%m') AS month, segment, any(m.small_cell) AS small_cell,
            count() AS n, countIf(isNotNull(answered_at)) AS calls, countIf(isNotNull(abandoned_at)) AS gave_up, sum(wait_ms) AS waited,
            count(wait_ms) AS waits
        FROM contactmeter.openings_of(
            organisations = (
                SELECT groupArray(organisation) FROM contactmeter.readers FINAL
                WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
            ),
            since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC'), at = now64(3, 'UTC')
        ) AS c
        INNER JOIN contactmeter.moment_of(
            organisations = (
                SELECT groupArray(organisation) FROM contactmeter.readers FINAL
                WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
            ),
            at = now64(3, 'UTC')
        ) AS m ON c.organisation = m.organisation
        WHERE toStartOfMonth(local_opened) < toStartOfMonth(m.local_at)
        GROUP BY organisation, channel, month, segment
    )
);

-- Internal: the local day of an instant, and the eight usual days before it: of the same weekday, not before the channel's second day with us,
-- not closed, at most 16 weeks ago. Channel '' is all channels. day_counts_of has `openings`, contacts opened on those days as (day, quarter
-- of an hour, no later in the day than the instant, n).
CREATE VIEW usual_days_of AS
SELECT
    c.organisation AS organisation, channel, m.local_at AS local_at, m.local_day AS today,
    toDate32(addSeconds(c.first_at, arrayLast(x -> x.1 <= c.first_at, m.shifts).2)) AS first_day,
    arraySlice(arrayFilter(
        day -> day > first_day AND (has(opened_days, (channel, day)) OR NOT (has(closed_days, ('', day)) OR has(closed_days, (channel, day)))),
        arrayMap(week -> toDate32(subtractDays(today, 7 * week)), range(1, 17))
    ), 1, 8) AS days,
    NOT has(opened_days, (channel, today)) AND (has(closed_days, ('', today)) OR has(closed_days, (channel, today))) AS closed
FROM
(
    SELECT organisation, channel, assumeNotNull(min(opened_at)) AS first_at
    FROM (SELECT organisation, toString(channel) AS channel, opened_at, role FROM contactmeter.contacts FINAL WHERE organisation IN {organisations:Array(String)})
    WHERE role = 'counts' AND opened_at <= {at:DateTime64(3, 'UTC')}
    GROUP BY GROUPING SETS ((organisation, channel), (organisation))
) AS c
INNER JOIN
(
    SELECT organisation, local_at, local_day, shifts FROM contactmeter.moment_of(organisations = {organisations:Array(String)}, at = {at:DateTime64(3, 'UTC')})
) AS m ON c.organisation = m.organisation
LEFT JOIN
(
    SELECT
        organisation, groupArrayIf((toString(channel), day), closed) AS closed_days, groupArrayIf((toString(channel), day), NOT closed) AS opened_days
    FROM contactmeter.special_days FINAL
    WHERE organisation IN {organisations:Array(String)}
      AND (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL)
    GROUP BY organisation
) AS d ON c.organisation = d.organisation;

CREATE VIEW day_counts_of AS
SELECT u.organisation AS organisation, u.channel AS channel, u.local_at AS local_at, u.today AS today, u.days AS days, u.closed AS closed, c.openings AS openings
FROM contactmeter.usual_days_of(organisations = {organisations:Array(String)}, at = {at:DateTime64(3, 'UTC')}) AS u
LEFT JOIN
(
    SELECT organisation, channel, groupArray((day, slot, so_far, n)) AS openings
    FROM
    (
        SELECT
            organisation, channel, toDate32(local_opened) AS day, intDiv(toHour(local_opened) * 60 + toMinute(local_opened), 15) AS slot,
            dateDiff('millisecond', toDateTime64(day, 3, 'UTC'), local_opened)
                <= dateDiff('millisecond', toDateTime64(toDate32(local_at), 3, 'UTC'), local_at) AS so_far,
            count() AS n
        FROM
        (
            SELECT c.*, m.local_at AS local_at
            FROM contactmeter.openings_of(
                organisations = {organisations:Array(String)}, since = {at:DateTime64(3, 'UTC')} - toIntervalDay(114), at = {at:DateTime64(3, 'UTC')}
            ) AS c
            INNER JOIN
            (
                SELECT organisation, local_at FROM contactmeter.moment_of(organisations = {organisations:Array(String)}, at = {at:DateTime64(3, 'UTC')})
            ) AS m ON c.organisation = m.organisation
            WHERE toDayOfWeek(local_opened) = toDayOfWeek(local_at)
        )
        GROUP BY GROUPING SETS ((organisation, day, slot, so_far, channel), (organisation, day, slot, so_far))
    )
    GROUP BY organisation, channel
) AS c ON u.organisation = c.organisation AND u.channel = c.channel;

-- Busy hours of the local day of an instant, by quarters of an hour (`minutes` 15) and hours (60): contacts opened so far (null for what has not
-- begun), and what is usual: median, least and most of `counts`, those of the last eight usual days (`days`: how many there are), latest first.
CREATE VIEW contactmeter_views.v_busy DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, today AS day, width AS minutes, width * slot AS minute_of_day,
    if(minute_of_day <= toHour(local_at) * 60 + toMinute(local_at), toNullable(arraySum(x -> if(x.1 = today, x.4, 0), here)), NULL) AS contacts,
    length(c.days) AS days, arrayMap(d -> arraySum(x -> if(x.1 = d, x.4, 0), here), c.days) AS counts,
    if(days = 0, NULL, arrayReduce('quantileExactInclusive(0.5)', counts)) AS usual,
    if(days = 0, NULL, arrayMin(counts)) AS least, if(days = 0, NULL, arrayMax(counts)) AS most
FROM
(
    SELECT organisation, channel, local_at, today, days, width, slot, arrayFilter(x -> intDiv(x.2 * 15, width) = slot, openings) AS here
    FROM contactmeter.day_counts_of(
        organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        ),
        at = {at:DateTime64(3, 'UTC')}
    )
    ARRAY JOIN [15, 60] AS width
    ARRAY JOIN range(toUInt64(1440 / width)) AS slot
) AS c;

-- What the rest of the local day will bring, by the usual share that comes after this time of day: expected = so_far * share / (1 - share), by
-- the median, least and greatest share of the usual days. While nothing has come today, or nothing had come by now on one of those days:
-- the median, least and most that came after this time. Null with fewer than three usual days, and on a day that is closed.
CREATE VIEW contactmeter_views.v_expected DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, today AS day, closed, length(days) AS usual_days, arraySum(x -> if(x.1 = today, x.4, 0), openings) AS so_far,
    arrayMap(d -> arraySum(x -> if(x.1 = d AND x.3, x.4, 0), openings), days) AS before,
    arrayMap(d -> arraySum(x -> if(x.1 = d AND NOT x.3, x.4, 0), openings), days) AS after,
    if(empty(days), NULL, arrayReduce('quantileExactInclusive(0.5)', before)) AS usual_so_far,
    if(empty(days), NULL, arrayReduce('quantileExactInclusive(0.5)', arrayMap((b, a) -> b + a, before, after))) AS usual_day,
    so_far > 0 AND NOT has(before, 0) AS by_share,
    arrayMap((b, a) -> if(b + a = 0, 0, a / (b + a)), before, after) AS shares, arrayReduce('quantileExactInclusive(0.5)', shares) AS share,
    multiIf(closed OR usual_days < 3, NULL, by_share, so_far * share / (1 - share), arrayReduce('quantileExactInclusive(0.5)', after)) AS expected,
    multiIf(closed OR usual_days < 3, NULL, by_share, so_far * arrayMin(shares) / (1 - arrayMin(shares)), arrayMin(after)) AS expected_low,
    multiIf(closed OR usual_days < 3, NULL, by_share, so_far * arrayMax(shares) / (1 - arrayMax(shares)), arrayMax(after)) AS expected_high
FROM contactmeter.day_counts_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}
);

-- What contacts are good for, by system and channel: those that count, that only add to others, that name no known contact (unlinked) …
-- A mailbox is only named by others: no contact.
CREATE VIEW contactmeter_views.v_roles DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, system, channel, if(role = 'enriches' AND named = '', 'unlinked', toString(role)) AS role, count() AS contacts
FROM
(
    SELECT c.organisation AS organisation, c.system AS system, c.channel AS channel, c.role AS role, k.named AS named
    FROM
    (
        SELECT organisation, system, channel, role, same_as FROM contactmeter.contacts FINAL
        WHERE role != 'forgotten' AND organisation IN (
            SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        )
    ) AS c
    LEFT JOIN
    (
        SELECT concat(system, '/', contact) AS named FROM contactmeter.contacts FINAL
        WHERE role NOT IN ('mailbox', 'forgotten') AND organisation IN (
            SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        )
          AND concat(system, '/', contact) IN (SELECT same_as FROM contactmeter.contacts WHERE organisation = {organisation:String} AND same_as != '')
    ) AS k ON c.same_as = k.named
)
GROUP BY organisation, system, channel, role;

-- Queues: every reading; the last ones before an instant with the day's highest; and visits of a website by local day (readings are of the hour
-- that ends at observed_at).
CREATE OR REPLACE VIEW contactmeter_views.v_gauges DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, channel, queue, gauge, observed_at, value
FROM contactmeter.gauge_readings FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_gauges_now DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    g.organisation AS organisation, channel, queue, gauge, max(g.observed_at) AS last_at, argMax(g.value, g.observed_at) AS last_value,
    maxOrNullIf(g.value, g.observed_at >= m.day_start) AS highest_today
FROM
(
    SELECT organisation, channel, queue, gauge, observed_at, value FROM contactmeter.gauge_readings FINAL
    WHERE gauge != 'visits' AND observed_at <= {at:DateTime64(3, 'UTC')} AND organisation IN (
        SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    )
) AS g
INNER JOIN contactmeter.moment_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}
) AS m ON g.organisation = m.organisation
GROUP BY organisation, channel, queue, gauge;

CREATE VIEW contactmeter_views.v_visits DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT g.organisation AS organisation, channel, queue AS part, toDate(addSeconds(g.seen_at, f.seconds)) AS day, sum(g.value) AS visits
FROM
(
    SELECT organisation, channel, queue, observed_at - toIntervalMillisecond(1) AS seen_at, value FROM contactmeter.gauge_readings FINAL
    WHERE gauge = 'visits' AND organisation IN (
        SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    )
) AS g
ASOF LEFT JOIN contactmeter.offsets_of(organisations = (
    SELECT groupArray(organisation) FROM contactmeter.readers FINAL
    WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
)) AS f ON g.organisation = f.organisation AND g.seen_at >= f.since
GROUP BY organisation, channel, part, day;

CREATE OR REPLACE VIEW contactmeter_views.v_norms DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, norm, norm_version, title_nl, title_en, statistic, clock, threshold, target, denominator, priority, valid_from, valid_to, published_in
FROM contactmeter.norms FINAL
WHERE (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL)
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

-- As in 0002, of contacts that count. A norm on a mean has no verdict on one contact: `measured`. Confidential contacts are not named.
CREATE OR REPLACE VIEW contactmeter_views.v_outcomes_at DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    o.organisation AS organisation, system, if(confidential, '', contact) AS contact, o.channel AS channel, via, product, team, location, opened_at,
    norm, norm_version, start, deadline, stop, judged_at, excluded, measured AS measured_ms,
    multiIf(
        excluded != '', 'excluded', ifNull(judged_at > {at:DateTime64(3, 'UTC')}, 1), 'pending',
        isNotNull(measured) AND isNull(deadline), 'measured', ifNull(stop <= deadline, 0), 'within', 'late'
    ) AS verdict,
    open AND isNotNull(limits.max_open_ms) AND ifNull(dateDiff('millisecond', opened_at, {at:DateTime64(3, 'UTC')}) > limits.max_open_ms, 0) AS stale,
    verdict = 'late' AND open AND ifNull(stop > {at:DateTime64(3, 'UTC')}, 1) AND NOT stale AS overdue
FROM
(
    SELECT
        organisation, system, contact, confidential, channel, via, product, team, location, opened_at,
        ifNull(closed_at > {at:DateTime64(3, 'UTC')}, 1) AND ifNull(left_at > {at:DateTime64(3, 'UTC')}, 1) AS open,
        one.1 AS norm, one.2 AS norm_version, one.3 AS start, one.4 AS deadline, one.5 AS stop, one.6 AS judged_at, one.7 AS excluded, one.8 AS measured
    FROM contactmeter.counting_of(organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ))
    ARRAY JOIN arrayFilter(
        x -> x.3 <= {at:DateTime64(3, 'UTC')}, arrayZip(norms, norm_versions, starts, deadlines, stops, judgements, exclusions, measurements)
    ) AS one
) AS o
LEFT JOIN contactmeter.channels_of(organisations = (
    SELECT groupArray(organisation) FROM contactmeter.readers FINAL
    WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
)) AS limits ON o.organisation = limits.organisation AND toString(o.channel) = limits.channel;

CREATE OR REPLACE VIEW contactmeter_views.v_quarter_outcomes DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, via, norm, excluded,
    concat(toString(toYear(local_at)), '-Q', toString(toQuarter(local_at))) AS quarter,
    concat(toString(toYear(local_opened)), '-Q', toString(toQuarter(local_opened))) AS quarter_opened,
    count() AS outcomes, countIf(verdict = 'within') AS within, countIf(verdict = 'late') AS late, countIf(verdict = 'pending') AS pending,
    countIf(verdict = 'measured') AS measured, countIf(overdue) AS overdue, countIf(stale) AS stale
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
    ASOF LEFT JOIN contactmeter.offsets_of(organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    )) AS counted ON o.organisation = counted.organisation AND o.counts_at >= counted.since
    ASOF LEFT JOIN contactmeter.offsets_of(organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    )) AS opened ON o.organisation = opened.organisation AND o.opened_or_start >= opened.since
)
GROUP BY organisation, channel, via, norm, excluded, quarter, quarter_opened;

CREATE OR REPLACE VIEW contactmeter_views.v_defects DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, system, if(confidential, '', contact) AS contact, channel, arrayJoin(defects) AS defect, opened_at
FROM contactmeter.contacts FINAL
WHERE role NOT IN ('mailbox', 'forgotten')
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE OR REPLACE VIEW contactmeter_views.v_counts DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, sum(contact) AS contacts, sum(answer) AS answers, sum(reject) AS rejects
FROM
(
    SELECT organisation, 1 AS contact, 0 AS answer, 0 AS reject FROM contactmeter.contacts FINAL WHERE role NOT IN ('mailbox', 'forgotten')
    UNION ALL SELECT organisation, 0, 1, 0 FROM contactmeter.survey_answers FINAL WHERE NOT forgotten
    UNION ALL SELECT organisation, 0, 0, 1 FROM contactmeter.rejects FINAL
)
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
GROUP BY organisation;

CREATE OR REPLACE VIEW contactmeter_views.v_last_event DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, max(at) AS last_at
FROM
(
    SELECT organisation, c.last_at AS at FROM contactmeter.contacts AS c FINAL WHERE role NOT IN ('mailbox', 'forgotten')
    UNION ALL SELECT organisation, answered_at AS at FROM contactmeter.survey_answers FINAL WHERE NOT forgotten
)
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
GROUP BY organisation;
