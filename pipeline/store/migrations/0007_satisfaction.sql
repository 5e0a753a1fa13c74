-- Part 2: satisfaction by published blocks, breakdowns with suppression, response, breaks, markers, and the configuration that they need.
-- docs/MEASURES.md, "Small cells" says what is published when, and why.

ALTER TABLE organisations
    ADD COLUMN IF NOT EXISTS small_cell UInt16 DEFAULT 5 COMMENT 'answers are published in steps of at least this many',
    ADD COLUMN IF NOT EXISTS inhabitants Nullable(UInt32),
    ADD COLUMN IF NOT EXISTS repeat_days UInt16 DEFAULT 7;

ALTER TABLE norms ADD COLUMN IF NOT EXISTS priority LowCardinality(String) DEFAULT '';

-- `minimum` and `maximum` are those of the aspect's own scale; `target` is the one without dates, `targets` has all: first day, first day after
-- it, target.
ALTER TABLE instruments
    ADD COLUMN IF NOT EXISTS targets Array(Tuple(Date32, Date32, Float64))
        DEFAULT if(isNull(target), [], [(toDate32('1900-01-01'), toDate32('2299-12-31'), assumeNotNull(target))]),
    ADD COLUMN IF NOT EXISTS kind LowCardinality(String) DEFAULT 'grade' COMMENT 'grade, satisfaction, recommendation, effort, smileys, yes-no',
    ADD COLUMN IF NOT EXISTS audience LowCardinality(String) DEFAULT '',
    ADD COLUMN IF NOT EXISTS expects LowCardinality(String) DEFAULT '' COMMENT 'the aspect of which this one asks what was expected',
    ADD COLUMN IF NOT EXISTS priority LowCardinality(String) DEFAULT '',
    ADD COLUMN IF NOT EXISTS indicator String DEFAULT '';

CREATE TABLE waves
(
    organisation String,
    wave String,
    version UInt64,
    number UInt16,
    title_nl String,
    title_en String,
    instrument String,
    instrument_version UInt16,
    start_day Date32,
    end_day Date32 COMMENT 'the first day after it',
    size Nullable(UInt32) COMMENT 'N: whom it could have asked',
    invited Nullable(UInt32),
    published Nullable(Date32)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, wave);

CREATE TABLE priorities
(
    organisation String,
    priority String,
    version UInt64,
    title_nl String,
    title_en String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, priority);

CREATE TABLE teams
(
    organisation String,
    team String,
    version UInt64,
    department LowCardinality(String),
    people Nullable(UInt32),
    shown_as String COMMENT 'itself, or for a team of fewer than three people the nearest larger one above it; empty without one'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (organisation, team);

-- Internal: the configuration in force of some organisations. They are named inside, so that no condition of a reader is tried on others' rows.
CREATE VIEW offsets_of AS
SELECT organisation, since, seconds
FROM contactmeter.offsets FINAL
WHERE organisation IN {organisations:Array(String)}
  AND (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL);

-- Aspects. low_to and high_from (thousandths) bound the shares that are told of such a scale: 1-10 up to 5
-- and from 8; 1-5 the lowest two and the top two; 0-10 detractors and promoters; yes and no.
CREATE VIEW aspects_of AS
SELECT
    organisation, instrument, instrument_version, aspect, kind, population, audience, targets,
    multiIf(kind = 'grade' AND minimum = 1 AND maximum = 10, 5000, kind = 'satisfaction' AND minimum = 1 AND maximum = 5, 2000,
        kind = 'recommendation' AND minimum = 0 AND maximum = 10, 6000, kind = 'yes-no', 0, NULL) AS low_to,
    multiIf(kind = 'grade' AND minimum = 1 AND maximum = 10, 8000, kind = 'satisfaction' AND minimum = 1 AND maximum = 5, 4000,
        kind = 'recommendation' AND minimum = 0 AND maximum = 10, 9000, kind = 'yes-no', 1000, NULL) AS high_from
FROM contactmeter.instruments FINAL
WHERE organisation IN {organisations:Array(String)}
  AND (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL);

CREATE VIEW waves_of AS
SELECT organisation, wave, number, title_nl, title_en, instrument, instrument_version, start_day, end_day, size, invited, published
FROM contactmeter.waves FINAL
WHERE organisation IN {organisations:Array(String)}
  AND (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL);

CREATE VIEW teams_of AS
SELECT organisation, team, department, people, shown_as
FROM contactmeter.teams FINAL
WHERE organisation IN {organisations:Array(String)}
  AND (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL);

-- Internal: what must be known of an organisation to publish its answers, and its local time at an instant.
CREATE VIEW settings_of AS
SELECT s.organisation AS organisation, s.small_cell AS small_cell, s.minimum_n AS minimum_n, addSeconds(s.moment, o.seconds) AS local_at
FROM
(
    SELECT organisation, small_cell, minimum_n, {at:DateTime64(3, 'UTC')} AS moment FROM contactmeter.organisations FINAL
    WHERE organisation IN {organisations:Array(String)}
) AS s
ASOF LEFT JOIN contactmeter.offsets_of(organisations = {organisations:Array(String)}) AS o ON s.organisation = o.organisation AND s.moment >= o.since;

-- How far `aggregates` is: contacts and answers apart, because each have a retention of their own.
CREATE TABLE aggregated
(
    organisation LowCardinality(String),
    kind LowCardinality(String) COMMENT 'contacts, answers',
    month Date,
    due DateTime64(3, 'UTC') COMMENT 'when the first of the rows behind it may be deleted',
    closed Bool COMMENT 'part of them may be gone: it is not counted again',
    as_of DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(as_of)
ORDER BY (organisation, kind, month);

-- Internal: answers of the quarters that end after `since`, with the local quarter in which they were given and the moment at which they
-- take their place among the published ones: when they were logged, and a partial one a day later, because most are completed by then.
-- A quarter (of a wave that ends sooner: the wave) is closed two days after its end; what takes its place later than that is late.
-- A quarter of which retention is about to delete answers is shown no more: it would shrink by one answer at a time (v_monthly keeps it).
CREATE VIEW placed_answers_of AS
SELECT
    organisation, instrument, instrument_version, channel, wave, product, team, location, segment, given, answered_at, local_at, quarter_start,
    placed_at, tie, small_cell, toDate(local_placed) >= closes_on AS late, toDate(local_now) >= closes_on AS closed
FROM
(
    SELECT
        t.* EXCEPT (wave_ends_on), addDays(least(addQuarters(quarter_start, 1), wave_ends_on), 2) AS closes_on
    FROM
    (
        SELECT
            a.organisation AS organisation, a.instrument AS instrument, a.instrument_version AS instrument_version, a.channel AS channel,
            a.wave AS wave, a.product AS product, a.team AS team, a.location AS location, a.segment AS segment, a.given AS given,
            a.answered_at AS answered_at, a.placed_at AS placed_at, a.tie AS tie, n.small_cell AS small_cell, n.local_at AS local_now,
            addSeconds(a.answered_at, o.seconds) AS local_at, addSeconds(a.placed_at, o.seconds) AS local_placed,
            toStartOfQuarter(toDate(local_at)) AS quarter_start, if(w.wave = '', toDate('2149-01-01'), toDate(w.end_day)) AS wave_ends_on
        FROM
        (
            SELECT
                a.*, arrayZip(a.aspects, a.grades) AS given, sipHash64(a.source, a.answer) AS tie,
                greatest(l.logged_at, a.answered_at) + if(a.status = 'partial', toIntervalDay(1), toIntervalDay(0)) AS placed_at
            FROM contactmeter.answers_of(organisations = {organisations:Array(String)}) AS a
            INNER JOIN
            (
                SELECT organisation, source, answer, logged_at
                FROM contactmeter.survey_answers FINAL
                WHERE organisation IN {organisations:Array(String)}
            ) AS l ON a.organisation = l.organisation AND a.source = l.source AND a.answer = l.answer
            WHERE a.channel != '' AND a.answered_at >= toStartOfQuarter({since:DateTime64(3, 'UTC')} - toIntervalDay(1)) - toIntervalDay(1)
        ) AS a
        ASOF LEFT JOIN contactmeter.offsets_of(organisations = {organisations:Array(String)}) AS o
            ON a.organisation = o.organisation AND a.answered_at >= o.since
        INNER JOIN contactmeter.settings_of(organisations = {organisations:Array(String)}, at = now64(3, 'UTC')) AS n
            ON a.organisation = n.organisation
        LEFT JOIN contactmeter.waves_of(organisations = {organisations:Array(String)}) AS w ON a.organisation = w.organisation AND a.wave = w.wave
        WHERE placed_at <= now64(3, 'UTC')
    ) AS t
    WHERE quarter_start >= toStartOfQuarter(toDate({since:DateTime64(3, 'UTC')} - toIntervalDay(1)))
      AND
      (
          addQuarters(quarter_start, 1) > toDate(now64(3, 'UTC')) - toIntervalDay(35)
          OR (organisation, quarter_start) NOT IN
              (SELECT organisation, toStartOfQuarter(month) FROM contactmeter.aggregated FINAL WHERE kind = 'answers' AND closed)
      )
);

-- Internal: what is published now, of the quarters that end after `since`: a row per series with its blocks. A block has `small_cell` answers,
-- in the order of their places. While the quarter runs its last whole block waits; when it is closed the answers that are left join that
-- block, which so appears as one step of enough answers. Late ones make blocks of their own. first and last are the times (ms) of the
-- answers of a block, day the local date of the last one. (Arrays, because windows over a row per answer and aspect take four times as long.)
CREATE VIEW answer_series_of AS
SELECT
    organisation, instrument, instrument_version, aspect, kind, population, audience, targets, channel, wave, quarter_start, late, closed,
    arrayZip(
        blocks, arrayMap(r -> toInt64(r.2), ranges), arrayReduceInRanges('sum', ranges, grades),
        arrayReduceInRanges('sum', ranges, arrayMap(x -> toInt128(x) * x, grades)),
        arrayReduceInRanges('sum', ranges, arrayMap(x -> toInt64(ifNull(x <= low_to, 0)), grades)),
        arrayReduceInRanges('sum', ranges, arrayMap(x -> toInt64(ifNull(x >= high_from, 0)), grades)),
        arrayReduceInRanges('min', ranges, moments), arrayReduceInRanges('max', ranges, moments), arrayReduceInRanges('max', ranges, days),
        if(
            kind = 'smileys',
            arrayReduceInRanges('sumForEach', ranges, arrayMap(x -> arrayMap(face -> toInt64(x = face), [1000, 2000, 3000, 4000, 5000]), grades)),
            arrayMap(b -> [], blocks)
        )
    )::Array(Tuple(block UInt64, n Int64, total Int64, squares Int128, low_n Int64, high_n Int64, first Int64, last Int64, day Date, faces Array(Int64)))
    AS published
FROM
(
    SELECT
        *,
        arrayMap(
            block -> (
                block * small_cell + 1,
                if(closed AND NOT late AND block + 1 = whole, toUInt64(length(grades) - block * small_cell), toUInt64(small_cell))
            ),
            blocks
        ) AS ranges
    FROM
    (
        SELECT *, range(if(late OR closed, whole, toUInt64(greatest(whole, 1) - 1))) AS blocks
        FROM
        (
            SELECT
                b.organisation AS organisation, b.instrument AS instrument, b.instrument_version AS instrument_version, b.aspect AS aspect,
                s.kind AS kind, s.population AS population, s.audience AS audience, s.targets AS targets, channel, wave, quarter_start, late,
                closed, small_cell,
                s.low_to AS low_to, s.high_from AS high_from, b.answers.1 AS moments, b.answers.2 AS days, b.answers.3 AS grades,
                intDiv(length(b.answers), small_cell) AS whole
            FROM
            (
                SELECT
                    organisation, instrument, instrument_version, channel, wave, quarter_start, late, closed, small_cell,
                    one.1 AS aspect, one.2 AS answers
                FROM
                (
                    SELECT
                        organisation, instrument, instrument_version, channel, wave, quarter_start, late, closed, small_cell,
                        arrayReduce('groupArrayMap', arraySort(a -> (a.1, a.2), groupArray((
                            placed_at, tie,
                            mapFromArrays(
                                given.1::Array(String),
                                arrayMap(grade -> (toUnixTimestamp64Milli(answered_at), toDate(local_at), grade), given.2)
                            )
                        ))).3) AS by_aspect
                    FROM contactmeter.placed_answers_of(organisations = {organisations:Array(String)}, since = {since:DateTime64(3, 'UTC')})
                    GROUP BY organisation, instrument, instrument_version, channel, wave, quarter_start, late, closed, small_cell
                )
                ARRAY JOIN by_aspect AS one
            ) AS b
            INNER JOIN contactmeter.aspects_of(organisations = {organisations:Array(String)}) AS s USING (organisation, instrument, instrument_version, aspect)
        )
    )
    WHERE notEmpty(blocks)
);

-- Internal: figures of answers at an instant over whole blocks: rolling windows (blocks that lie wholly inside), and quarters, years, months
-- and waves (a month holds the blocks that end in it). `kinds` says which; channel '' is all channels together, which windows do not have.
-- Mean, interval (Student's t), target on the last day and attainment as pipeline/rolling.py has them.
-- The 95 % point of Student's t: by table up to 30 degrees of freedom, above by the expansion of Abramowitz and Stegun 26.7.5 (to 8 decimals).
CREATE VIEW answer_figures_of AS
WITH
    1.959963984540054 AS z,
    [12.706204736174694, 4.302652729749462, 3.1824463052837078, 2.776445105197793, 2.5705818356363146, 2.446911851144969,
     2.3646242515927844, 2.306004135204166, 2.262157162798204, 2.2281388519649385, 2.200985160082949, 2.1788128296634177,
     2.160368656461013, 2.1447866879169273, 2.131449545559323, 2.1199052992212546, 2.1098155778331806, 2.10092204024096,
     2.093024054408263, 2.085963447265837, 2.0796138447276626, 2.073873067904015, 2.0686576104190406, 2.0638985616280205,
     2.059538552753294, 2.0555294386428713, 2.051830516480283, 2.048407141795244, 2.045229642132703, 2.042272456301238] AS points
SELECT
    * EXCEPT (half, minimum_n, targets, valid), value - half AS low, value + half AS high, if(valid = 0, NULL, targets[valid].3) AS target,
    multiIf(valid = 0, '', n < minimum_n OR isNull(half), 'too_few', low >= target, 'met', high < target, 'not_met', 'too_few') AS attainment
FROM
(
    SELECT
        *, total / n / 1000 AS value, arrayFirstIndex(x -> x.1 <= period_day AND period_day < x.2, targets) AS valid,
        deviation / sqrt(n) * if(
            n <= 31, points[n - 1], z + (pow(z, 3) + z) / 4 / (n - 1) + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / 96 / pow(n - 1, 2)
                + (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / 384 / pow(n - 1, 3)
                + (79 * pow(z, 9) + 776 * pow(z, 7) + 1482 * pow(z, 5) - 1920 * pow(z, 3) - 945 * z) / 92160 / pow(n - 1, 4)
        ) AS half
    FROM
    (
        SELECT *, if(n < 2, NULL, sqrt(greatest(toFloat64(n * squares - toInt128(total) * total), 0) / (n * (n - 1))) / 1000) AS deviation
        FROM
        (
            SELECT
                organisation, instrument, instrument_version, aspect, any(kind) AS kind, any(population) AS population, any(audience) AS audience,
                any(targets) AS targets, channel_or_all AS channel, span.1 AS period_kind, span.2 AS period, least(max(span.3), any(local_day)) AS period_day,
                min(closed) AS closed, any(as_of) AS as_of, any(minimum_n) AS minimum_n, sum(arraySum(chosen.n)) AS n,
                sum(arraySum(chosen.total)) AS total, sum(arraySum(chosen.squares)) AS squares, sum(arraySum(chosen.low_n)) AS low_n,
                sum(arraySum(chosen.high_n)) AS high_n, sumForEach(arrayReduce('sumForEach', chosen.faces)) AS faces
            FROM
            (
                SELECT
                    *,
                    arrayFilter(
                        b -> multiIf(span.1 = 'window', b.first > span.4 * 60000, span.1 = 'month', toLastDayOfMonth(b.day) = span.3, 1), ended
                    ) AS chosen
                FROM
                (
                    SELECT
                        *,
                        arrayJoin(arrayFilter(s -> has({kinds:Array(String)}, s.1) AND s.2 != '', arrayConcat(
                            arrayMap(w -> ('window', w.1, local_day, as_of - w.2), [('1h', 60), ('24h', 1440), ('7d', 10080), ('28d', 40320)]),
                            [
                                (
                                    'quarter', concat(toString(toYear(quarter_start)), '-Q', toString(toQuarter(quarter_start))),
                                    toDate32(addQuarters(quarter_start, 1) - 1), 0
                                ),
                                ('year', toString(toYear(quarter_start)), toDate32(toStartOfYear(addYears(quarter_start, 1)) - 1), 0),
                                ('wave', wave, toDate32(arrayMax(ended.day)), 0)
                            ],
                            arrayMap(
                                d -> ('month', formatDateTime(d, '%Y-%m'), toDate32(d), 0),
                                arrayDistinct(arrayMap(d -> toLastDayOfMonth(d), ended.day))
                            )
                        ))) AS span
                    FROM
                    (
                        SELECT *, arrayFilter(b -> b.last <= as_of * 60000, published) AS ended
                        FROM
                        (
                            SELECT
                                p.*, s.minimum_n AS minimum_n, toDate32(s.local_at) AS local_day,
                                intDiv(toUnixTimestamp64Milli({at:DateTime64(3, 'UTC')}) + 59999, 60000) AS as_of
                            FROM contactmeter.answer_series_of(organisations = {organisations:Array(String)}, since = {since:DateTime64(3, 'UTC')}) AS p
                            INNER JOIN contactmeter.settings_of(organisations = {organisations:Array(String)}, at = {at:DateTime64(3, 'UTC')}) AS s
                                USING (organisation)
                        )
                    )
                    WHERE notEmpty(ended)
                )
            )
            ARRAY JOIN if(span.1 = 'window', [toString(channel)], [toString(channel), '']) AS channel_or_all
            WHERE notEmpty(chosen)
            GROUP BY organisation, instrument, instrument_version, aspect, channel_or_all, span.1, span.2
        )
    )
);

-- Internal: the last word on every marker, by (occurred_at, time, digest); a cancelled one is gone, unless it is set again later.
CREATE VIEW markers_of AS
SELECT
    organisation, marker, JSONExtractString(said, 'kind') AS kind, fromUnixTimestamp64Milli(JSONExtractInt(said, 'from'), 'UTC') AS from_at,
    if(JSONHas(said, 'to'), fromUnixTimestamp64Milli(JSONExtractInt(said, 'to'), 'UTC'), NULL) AS to_at,
    JSONExtract(said, 'channels', 'Array(String)') AS channels, JSONExtractString(said, 'note') AS note, set_at
FROM
(
    SELECT
        organisation, JSONExtractString(data, 'marker') AS marker, argMax((n.kind, data), (occurred_at, logged_at, digest)) AS last,
        last.1 AS event, last.2 AS said, max(occurred_at) AS set_at
    FROM contactmeter.notices AS n FINAL
    WHERE organisation IN {organisations:Array(String)} AND n.kind IN ('marker.set', 'marker.cancelled')
    GROUP BY organisation, marker
)
WHERE event = 'marker.set';

-- Internal: invited and answered. An invitation counts once however often it was told, under the channel that it names or that of its
-- contact; without an id of its own it is known by its event.
CREATE VIEW response_of AS
SELECT organisation, instrument, instrument_version, wave, channel, quarter, count() AS invited, countIf(done) AS answered
FROM
(
    SELECT
        i.organisation AS organisation, i.instrument AS instrument, i.instrument_version AS instrument_version, i.wave AS wave,
        if(i.channel != '', i.channel, toString(c.channel)) AS channel, a.invitation != '' AS done,
        addSeconds(i.invited_at, o.seconds) AS local_at, concat(toString(toYear(local_at)), '-Q', toString(toQuarter(local_at))) AS quarter
    FROM
    (
        SELECT
            organisation, JSONExtractString(data, 'instrument') AS instrument, toUInt16(JSONExtractUInt(data, 'version')) AS instrument_version,
            if(JSONHas(data, 'invitation'), JSONExtractString(data, 'invitation'), id) AS invitation,
            argMin(JSONExtractString(data, 'wave'), (occurred_at, digest)) AS wave,
            argMin(JSONExtractString(data, 'channel'), (occurred_at, digest)) AS channel,
            argMin(JSONExtractString(data, 'contact', 'system'), (occurred_at, digest)) AS contact_system,
            argMin(JSONExtractString(data, 'contact', 'id'), (occurred_at, digest)) AS contact, min(occurred_at) AS invited_at
        FROM contactmeter.notices FINAL
        WHERE kind = 'survey.invited' AND organisation IN {organisations:Array(String)} AND occurred_at <= {at:DateTime64(3, 'UTC')}
        GROUP BY organisation, instrument, instrument_version, invitation
    ) AS i
    LEFT JOIN
    (
        SELECT DISTINCT organisation, instrument, instrument_version, invitation
        FROM contactmeter.survey_answers FINAL
        WHERE organisation IN {organisations:Array(String)} AND status = 'complete' AND invitation != '' AND NOT forgotten
          AND answered_at <= {at:DateTime64(3, 'UTC')}
    ) AS a USING (organisation, instrument, instrument_version, invitation)
    LEFT JOIN (SELECT organisation, system, contact, channel FROM contactmeter.contacts FINAL WHERE organisation IN {organisations:Array(String)}) AS c
        ON i.organisation = c.organisation AND i.contact_system = c.system AND i.contact = c.contact
    ASOF LEFT JOIN contactmeter.offsets_of(organisations = {organisations:Array(String)}) AS o
        ON i.organisation = o.organisation AND i.invited_at >= o.since
)
GROUP BY organisation, instrument, instrument_version, wave, channel, quarter
UNION ALL
SELECT
    w.organisation AS organisation, w.instrument AS instrument, w.instrument_version AS instrument_version, w.wave AS wave, '' AS channel,
    '' AS quarter, toUInt64(assumeNotNull(w.invited)) AS invited, least(countIf(a.answer != ''), invited) AS answered
FROM contactmeter.waves_of(organisations = {organisations:Array(String)}) AS w
LEFT JOIN
(
    SELECT organisation, instrument, instrument_version, wave, answer
    FROM contactmeter.survey_answers FINAL
    WHERE organisation IN {organisations:Array(String)} AND status = 'complete' AND wave != '' AND NOT forgotten
      AND answered_at <= {at:DateTime64(3, 'UTC')}
) AS a USING (organisation, instrument, instrument_version, wave)
WHERE w.organisation IN {organisations:Array(String)} AND isNotNull(w.invited)
GROUP BY w.organisation, w.instrument, w.instrument_version, w.wave, w.invited;

-- Internal: breakdowns of the answers of closed quarters, within a channel, by team (a small one as the team above it), product, location and
-- segment. A cell of fewer than `small_cell` answers is withheld, and with it the smallest other one as long as fewer than that would
-- follow by subtraction from the channel's figure. Late answers are in no breakdown: they would change a cell by one.
CREATE VIEW answer_cells_of AS
SELECT
    organisation, instrument, instrument_version, aspect, channel, quarter_start, dimension, cell, max(withheld) AS withheld,
    sumIf(n, NOT hidden) AS n, sumIf(total, NOT hidden) AS total, sumIf(squares, NOT hidden) AS squares
FROM
(
    SELECT
        *,
        sumIf(n, n < small_cell) OVER (PARTITION BY organisation, instrument, instrument_version, aspect, channel, wave, quarter_start, dimension) AS below,
        sum(n) OVER (PARTITION BY organisation, instrument, instrument_version, aspect, channel, wave, quarter_start, dimension) AS answers,
        row_number() OVER (
            PARTITION BY organisation, instrument, instrument_version, aspect, channel, wave, quarter_start, dimension, n >= small_cell ORDER BY n, cell
        ) AS rank,
        n < small_cell OR (rank = 1 AND below > 0 AND below < small_cell) AS hidden, hidden AS withheld
    FROM
    (
        SELECT
            organisation, instrument, instrument_version, given.1 AS aspect, channel, wave, quarter_start, small_cell, d.1 AS dimension, d.2 AS cell,
            toInt64(count()) AS n, sum(given.2) AS total, sum(toInt128(given.2) * given.2) AS squares
        FROM
        (
            SELECT a.*, if(t.team = '', a.team, t.shown_as) AS shown_team
            FROM contactmeter.placed_answers_of(organisations = {organisations:Array(String)}, since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC')) AS a
            LEFT JOIN (SELECT organisation, team, shown_as FROM contactmeter.teams_of(organisations = {organisations:Array(String)})) AS t
                ON a.organisation = t.organisation AND a.team = t.team
            WHERE closed AND NOT late
        )
        ARRAY JOIN given
        ARRAY JOIN [('team', shown_team), ('product', product), ('location', location), ('segment', segment)] AS d
        GROUP BY organisation, instrument, instrument_version, aspect, channel, wave, quarter_start, small_cell, dimension, cell
    )
)
WHERE answers >= small_cell
GROUP BY organisation, instrument, instrument_version, aspect, channel, quarter_start, dimension, cell;

-- What boards and reports read, as in 0002. Of answers only whole blocks.

CREATE OR REPLACE VIEW contactmeter_views.v_organisations DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, title_nl, title_en, zone, simulated, minimum_n, small_cell, inhabitants, repeat_days, generation
FROM contactmeter.organisations FINAL
WHERE organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE OR REPLACE VIEW contactmeter_views.v_norms DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, norm, norm_version, title_nl, title_en, clock, threshold, target, denominator, priority, valid_from, valid_to, published_in
FROM contactmeter.norms FINAL
WHERE (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL)
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE OR REPLACE VIEW contactmeter_views.v_instruments DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, instrument, instrument_version, aspect, title_nl, title_en, aspect_nl, aspect_en, population, audience, kind, minimum, maximum,
    target, expects, priority, indicator
FROM contactmeter.instruments FINAL
WHERE (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL)
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE VIEW contactmeter_views.v_targets DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, instrument, instrument_version, aspect, one.3 AS target, one.1 AS valid_from, one.2 AS valid_to
FROM contactmeter.aspects_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
)
ARRAY JOIN targets AS one;

CREATE VIEW contactmeter_views.v_waves DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, wave, number, title_nl, title_en, instrument, instrument_version, start_day, end_day, size, invited, published
FROM contactmeter.waves_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);

CREATE VIEW contactmeter_views.v_priorities DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, priority, title_nl, title_en
FROM contactmeter.priorities FINAL
WHERE (organisation, version) IN (SELECT organisation, version FROM contactmeter.organisations FINAL)
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

-- The figures now: of answers by blocks, of all else the last ones that the worker saw live.
CREATE OR REPLACE VIEW contactmeter_views.v_rolling DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, channel, measure, window, as_of, n, total, squares, value, low, high, target, attainment, stored_at
FROM contactmeter.rolling_last FINAL
WHERE NOT startsWith(measure, 'answer:')
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
UNION ALL
SELECT
    organisation, channel, concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure, period AS window,
    toDateTime(as_of * 60, 'UTC') AS as_of, n, total, squares, value, low, high, target, attainment, now64(3) AS stored_at
FROM contactmeter.answer_figures_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked),
    at = now64(3, 'UTC'), since = now64(3, 'UTC') - toIntervalDay(28), kinds = ['window']
);

CREATE OR REPLACE VIEW contactmeter_views.v_rolling_history DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, channel, measure, window, as_of, n, total, squares, value, low, high, target, attainment
FROM contactmeter.rolling FINAL
WHERE NOT startsWith(measure, 'answer:')
  AND organisation IN (SELECT organisation FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked);

CREATE OR REPLACE VIEW contactmeter_views.v_rolling_at DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, channel, measure, w.1 AS window,
    sum(n) AS n, sum(total) AS total, sum(squares) AS squares,
    multiIf(measure = 'volume', toFloat64(n), n = 0, NULL, measure = 'abandonment' OR startsWith(measure, 'norm:'), total / n, total / n / 1000) AS value
FROM
(
    SELECT organisation, channel, measure, minute, n, total, squares, intDiv(toUnixTimestamp64Milli({at:DateTime64(3, 'UTC')}) + 59999, 60000) AS as_of
    FROM contactmeter.contributions_of(organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ))
    WHERE NOT startsWith(measure, 'answer:')
)
ARRAY JOIN [('1h', 60), ('24h', 1440), ('7d', 10080), ('28d', 40320)] AS w
WHERE minute <= as_of AND minute > as_of - w.2
GROUP BY organisation, channel, measure, window
UNION ALL
SELECT
    organisation, channel, concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure, period AS window,
    n, total, squares, value
FROM contactmeter.answer_figures_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}, since = {at:DateTime64(3, 'UTC')} - toIntervalDay(28), kinds = ['window']
);

CREATE OR REPLACE VIEW contactmeter_views.v_quarter_sums DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
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
        FROM contactmeter.contributions_of(organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        ))
        WHERE at <= {at:DateTime64(3, 'UTC')} AND NOT startsWith(measure, 'answer:')
    ) AS c
    ASOF LEFT JOIN (SELECT organisation, since, seconds FROM contactmeter.offsets_in_force) AS counted
        ON c.organisation = counted.organisation AND c.at >= counted.since
    ASOF LEFT JOIN (SELECT organisation, since, seconds FROM contactmeter.offsets_in_force) AS opened
        ON c.organisation = opened.organisation AND c.opened_or_at >= opened.since
)
GROUP BY organisation, channel, via, measure, quarter, quarter_opened
UNION ALL
SELECT
    organisation, channel, '' AS via, concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure,
    period AS quarter, period AS quarter_opened, n, total, squares
FROM contactmeter.answer_figures_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}, since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC'), kinds = ['quarter']
)
WHERE channel != '';

-- The publishable series: every block of answers, with the minutes of its first and its last answer.
CREATE VIEW contactmeter_views.v_answer_blocks DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, instrument, instrument_version, aspect, channel, wave,
    concat(toString(toYear(quarter_start)), '-Q', toString(toQuarter(quarter_start))) AS quarter, late, one.block AS block,
    toDateTime(intDiv(one.first, 60000) * 60, 'UTC') AS first_at, toDateTime(intDiv(one.last, 60000) * 60, 'UTC') AS last_at,
    one.n AS n, one.total AS total, one.squares AS squares, total / n / 1000 AS value
FROM contactmeter.answer_series_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC')
)
ARRAY JOIN published AS one;

-- Satisfaction by quarter, month, year and wave; channel '' is all channels. Means for 1-10 (grade) and 1-7 (effort: CES 2.0); top_share is the
-- CSAT of 1-5, the promoters of 0-10, yes; `nps` in points. `face_shares` from the unhappiest to the happiest. `closed`: it grows no more.
CREATE VIEW contactmeter_views.v_satisfaction DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, instrument, instrument_version, aspect, kind, population, audience, channel, period_kind, period, closed, n, total, squares,
    value, deviation, low, high, low_n, high_n, low_n / n AS low_share, high_n / n AS top_share,
    if(kind = 'recommendation', 100 * (high_n - low_n) / n, NULL) AS nps, arrayMap(face -> face / n, faces) AS face_shares, target, attainment
FROM contactmeter.answer_figures_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}, since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC'), kinds = ['quarter', 'month', 'year', 'wave']
);

-- By team, product, location and segment, of closed quarters. A withheld cell has no figures.
CREATE VIEW contactmeter_views.v_satisfaction_by DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, instrument, instrument_version, aspect, channel,
    concat(toString(toYear(quarter_start)), '-Q', toString(toQuarter(quarter_start))) AS quarter, dimension, cell, withheld,
    if(withheld, NULL, c.n) AS n, if(withheld, NULL, c.total) AS total, if(withheld, NULL, c.squares) AS squares, total / n / 1000 AS value
FROM contactmeter.answer_cells_of(organisations = (
    SELECT groupArray(organisation) FROM contactmeter.readers FINAL
    WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
)) AS c;

-- "x of y aspects": of the aspects with a target on the last day of the period, those whose interval lies at or above it.
CREATE VIEW contactmeter_views.v_attainment DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    organisation, instrument, instrument_version, channel, period_kind, period, met, not_met,
    toUInt64(arrayUniq(arrayFilter(a -> arrayExists(x -> x.1 <= day AND day < x.2, a.2), asked).1)) AS aspects, aspects - met - not_met AS too_few,
    aspects > 0 AND met = aspects AS all_met
FROM
(
    SELECT
        organisation, instrument, instrument_version, channel, period_kind, period, max(period_day) AS day,
        countIf(attainment = 'met') AS met, countIf(attainment = 'not_met') AS not_met
    FROM contactmeter.answer_figures_of(
        organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        ),
        at = {at:DateTime64(3, 'UTC')}, since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC'), kinds = ['quarter', 'month', 'year', 'wave']
    )
    GROUP BY organisation, instrument, instrument_version, channel, period_kind, period
) AS f
INNER JOIN
(
    SELECT organisation, instrument, instrument_version, groupArray((aspect, targets)) AS asked
    FROM contactmeter.aspects_of(
        organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        )
    )
    GROUP BY organisation, instrument, instrument_version
) AS g USING (organisation, instrument, instrument_version);

-- Invitations and the complete answers to them, by the quarter of the invitation; for a wave whose number of invitations the file tells, all
-- its complete answers out of those. Counts of people, not of what they said: exact.
CREATE VIEW contactmeter_views.v_response DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH 1.959963984540054 AS z
SELECT
    organisation, instrument, instrument_version, wave, channel, quarter, invited, answered, answered / invited AS rate,
    (rate + z * z / (2 * invited) - z * sqrt(rate * (1 - rate) / invited + z * z / (4 * invited * invited))) / (1 + z * z / invited) AS low,
    (rate + z * z / (2 * invited) + z * sqrt(rate * (1 - rate) / invited + z * z / (4 * invited * invited))) / (1 + z * z / invited) AS high
FROM contactmeter.response_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    ),
    at = {at:DateTime64(3, 'UTC')}
);

-- Breaks in a series, which no trend line and no comparison crosses: a new version of the questionnaire (on the day of its first published
-- answer), and announced changes of questionnaire or organisation. channel '' is all.
CREATE VIEW contactmeter_views.v_breaks DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, instrument, instrument_version, '' AS channel, 'version' AS kind, first AS at, '' AS marker, '' AS note
FROM
(
    SELECT organisation, instrument, instrument_version, toStartOfDay(fromUnixTimestamp64Milli(min(arrayMin(published.first)), 'UTC')) AS first
    FROM contactmeter.answer_series_of(
        organisations = (
            SELECT groupArray(organisation) FROM contactmeter.readers FINAL
            WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
        ),
        since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC')
    )
    GROUP BY organisation, instrument, instrument_version
    ORDER BY first
    LIMIT 1, 1000000 BY organisation, instrument
)
UNION ALL
SELECT organisation, '' AS instrument, 0 AS instrument_version, arrayJoin(if(empty(channels), [''], channels)) AS channel, kind, from_at AS at, marker, note
FROM contactmeter.markers_of(
    organisations = (
        SELECT groupArray(organisation) FROM contactmeter.readers FINAL
        WHERE user = authenticatedUser() AND NOT revoked AND organisation = {organisation:String}
    )
)
WHERE kind IN ('questionnaire_change', 'reorganisation');

-- Announced changes and what else figures carry: the last word on each marker, unless it was cancelled. Without to_at it has no end yet;
-- without channels it concerns all.
CREATE VIEW contactmeter_views.v_markers DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT organisation, marker, kind, from_at, to_at, channels, note, set_at
FROM contactmeter.markers_of(
    organisations = (SELECT groupArray(organisation) FROM contactmeter.readers FINAL WHERE user = authenticatedUser() AND NOT revoked)
);
