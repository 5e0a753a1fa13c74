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
