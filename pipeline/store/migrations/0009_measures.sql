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

-- Internal: contacts that count, as far as measures need them; a small team under the name of the one above it.
CREATE VIEW counting_of AS
SELECT
    c.organisation AS organisation, system, contact, channel, via, product, if(t.team = '', toString(c.team), t.shown_as) AS team, location, segment,
    person, link, confidential, result, opened_at, queued_at, answered_at, abandoned_at, left_at, left_reason, closed_at, responded_at, last_word_at,
    suspended_at, callback_open_at, callbacks, callbacks_settled, transfers, reopened, wait_ms, handling_ms,
    `outcomes.norm` AS norms, `outcomes.deadline` AS deadlines, `outcomes.stop` AS stops, `outcomes.judged_at` AS judgements,
    `outcomes.measured` AS measured
FROM (SELECT * FROM contactmeter.contacts FINAL WHERE organisation IN {organisations:Array(String)} AND role = 'counts') AS c
LEFT JOIN (SELECT organisation, team, shown_as FROM contactmeter.teams_in_force WHERE organisation IN {organisations:Array(String)}) AS t
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
    SELECT organisation, arraySort(groupArray((since, seconds))) AS shifts FROM contactmeter.offsets_in_force
    WHERE organisation IN {organisations:Array(String)} GROUP BY organisation
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
    * EXCEPT (norms, deadlines, stops, judgements, last_word_at),
    is_open AND ifNull(dateDiff('millisecond', opened_at, moment) > max_open_ms, 0) AS stale,
    is_open AND NOT stale AND ifNull(answered_at > moment, 1) AND ifNull(responded_at > moment, 1) AS waiting,
    is_open AND ifNull(suspended_at <= moment, 0) AS suspended,
    arraySort(arrayMap(x -> x.1, arrayFilter(
        x -> is_open AND NOT stale AND ifNull(x.4 <= moment AND x.2 <= moment, 0) AND ifNull(x.3 > x.2 AND x.3 > moment, 1),
        arrayZip(norms, deadlines, stops, judgements)
    ))) AS overdue_norms,
    arraySort(arrayMap(x -> x.1, arrayFilter(
        x -> is_open AND NOT stale AND ifNull(x.4 > moment AND x.2 > moment AND x.2 < day_end, 0) AND ifNull(x.3 > moment, 1),
        arrayZip(norms, deadlines, stops, judgements)
    ))) AS today_norms,
    arrayMin(arrayMap(x -> assumeNotNull(x.2), arrayFilter(
        x -> is_open AND ifNull(x.4 > moment AND x.2 > moment, 0) AND ifNull(x.3 > moment, 1), arrayZip(norms, deadlines, stops, judgements)
    ))) AS first_deadline,
    if(toUnixTimestamp64Milli(first_deadline) = 0, NULL, first_deadline) AS next_deadline,
    ifNull(callback_open_at <= moment, 0) AS callback_to_do,
    arrayMin(arrayMap(x -> assumeNotNull(x.2), arrayFilter(
        x -> callback_to_do AND has(callback_norms, x.1) AND isNotNull(x.2) AND isNull(x.3), arrayZip(norms, deadlines, stops, judgements)
    ))) AS first_due,
    if(toUnixTimestamp64Milli(first_due) = 0, NULL, first_due) AS callback_due, ifNull(callback_due <= moment, 0) AS callback_overdue,
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
    LEFT JOIN
    (
        SELECT organisation, channel, max_open_ms FROM contactmeter.channels_in_force WHERE organisation IN {organisations:Array(String)}
    ) AS l ON c.organisation = l.organisation AND toString(c.channel) = l.channel
    LEFT JOIN
    (
        SELECT organisation, groupUniqArray(norm) AS callback_norms FROM contactmeter.norms FINAL
        WHERE callback AND organisation IN {organisations:Array(String)}
          AND (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL)
        GROUP BY organisation
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
    today_norms, next_deadline, callback_open_at, callback_to_do, callback_due, callback_overdue, days_open, silent_days,
    if(link = '' OR link_template = '', '', replaceOne(link_template, '{link}', encodeURLComponent(link))) AS url
FROM contactmeter.open_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}
)
WHERE NOT confidential;
