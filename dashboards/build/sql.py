"""SQL that many panels share: what a figure is called, how it is written, and which rows a reader asked for."""

from collections.abc import Mapping

from dashboards.words import Text
from schemas.words import CHANNELS, Language

ORGANISATION = "organisation = ${organisation:sqlstring}"
CHANNEL = "channel = ${channel:sqlstring}"
ALL = "*"
"""What a variable is when all of it is asked for."""

MINIMUM = f"(SELECT any(minimum_n) FROM v_organisations WHERE {ORGANISATION})"
"""From how many answers or contacts on a figure is told."""

ZONE = f"(SELECT if(count() = 0, 'UTC', any(zone)) FROM v_organisations WHERE {ORGANISATION})"
"""The organisation's time zone; another where there is no such organisation, so that a board shows nothing and does not fail."""

TODAY = f"toDate(now64(3, 'UTC'), {ZONE})"
"""The local day of the organisation."""
FIRST_DAY = f"toDate($__fromTime, {ZONE})"
LAST_DAY = f"toDate($__toTime, {ZONE})"
"""The local days in which the shown time begins and ends."""

EVER = "toDateTime64('1971-01-01 00:00:00', 3, 'UTC')"
"""Before it lies what never was: the maximum of no moments is 1970."""


def text(value: str) -> str:
    """A string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def chosen(*variables: str) -> str:
    """Conditions for variables that may be left at "all"; each has the name of its column."""
    return " AND ".join(f"('{ALL}' = ${{{name}:sqlstring}} OR {name} = ${{{name}:sqlstring}})" for name in variables)


def channel_name(column: str, language: Language) -> str:
    """A channel as people read it; '' is all of them."""
    slugs, names = ["", *CHANNELS], ["alle kanalen" if language == "nl" else "all channels", *CHANNELS.values()]
    if language != "nl":
        return f"if({column} = '', 'all channels', toString({column}))"
    return f"transform(toString({column}), [{', '.join(map(text, slugs))}], [{', '.join(map(text, names))}], toString({column}))"


def decimal(number: str, digits: int, language: Language) -> str:
    """A number with so many decimals, after a comma in Dutch."""
    written = f"printf('%.{digits}f', toFloat64({number}))"
    return f"replaceOne({written}, '.', ',')" if language == "nl" else written


def percentage(share: str, language: Language, digits: int = 0) -> str:
    """A share of 1 as a percentage."""
    return f"concat({decimal(f'100 * ({share})', digits, language)}, {text(' %' if language == 'nl' else '%')})"


def lasting(seconds: str, language: Language) -> str:
    """A time: in seconds up to a minute and a half, then in minutes, hours and days."""
    units = (" s", " min", " u", " d") if language == "nl" else (" s", " min", " h", " d")
    written = [
        f"concat({decimal(f'({seconds}) / {size}', digits, language)}, {text(unit)})"
        for unit, size, digits in zip(units, (1, 60, 3_600, 86_400), (0, 0, 1, 1), strict=True)
    ]
    return f"multiIf({seconds} < 90, {written[0]}, {seconds} < 5400, {written[1]}, {seconds} < 172800, {written[2]}, {written[3]})"


def too_few(n: str, least: str, language: Language) -> str:
    """What stands in the place of a figure that rests on too few: how many there are of how many it takes."""
    first, last, few, of = (
        ("eerste cijfers na ", " antwoorden", "te weinig antwoorden (", " van ")
        if language == "nl"
        else ("first figures after ", " answers", "too few answers (", " of ")
    )
    none = f"concat({text(first)}, toString({least}), {text(last)})"
    return f"if({n} = 0, {none}, concat({text(few)}, toString({n}), {text(of)}, toString({least}), ')'))"


def grade(language: Language, value: str = "value", low: str = "low", high: str = "high", n: str = "n", least: str = "minimum_n") -> str:
    """A mean grade with its 95 % interval and its number of answers; words where there are too few."""
    interval = f"{decimal(low, 1, language)}, '–', {decimal(high, 1, language)}"
    written = f"concat({decimal(value, 1, language)}, ' (', {interval}, '), n = ', toString({n}))"
    return f"if({n} < {least} OR isNull({low}), {too_few(n, least, language)}, {written})"


def norm_share(language: Language, value: str = "value", target: str = "target", n: str = "n") -> str:
    """A share against its target, with its number of contacts; words where there are none."""
    goal = "doel" if language == "nl" else "target"
    none = "geen contacten" if language == "nl" else "no contacts"
    aim = f"if(isNull({target}), '', concat(' ({goal} ', {percentage(target, language)}, ')'))"
    return f"if({n} = 0, {text(none)}, concat({percentage(value, language, 1)}, {aim}, ', n = ', toString({n})))"


def attainment(language: Language, column: str = "attainment") -> str:
    """Whether a target is met, with a symbol before the word."""
    words = (
        ("✓ gehaald", "✗ niet gehaald", "◔ te weinig om te zeggen", "")
        if language == "nl"
        else ("✓ met", "✗ not met", "◔ too few to tell", "")
    )
    return f"transform(toString({column}), ['met', 'not_met', 'too_few'], [{', '.join(map(text, words[:3]))}], '')"


def norm_title(language: Language, norm: str) -> str:
    """What the organisation's file calls a norm in its latest version; the norm's own name where it is in no file any more."""
    latest = f"SELECT norm, argMax(title_{language}, norm_version) AS title FROM v_norms WHERE {ORGANISATION} GROUP BY norm"
    title = f"(SELECT mapFromArrays(groupArray(toString(norm)), groupArray(title)) FROM ({latest}))[toString({norm})]"
    return f"if({title} = '', toString({norm}), {title})"


def measure_name(language: Language, column: str = "measure") -> str:
    """A measure as people read it: norms and aspects by their titles in the organisation's file. For rows of one organisation."""
    names = {
        "volume": ("contacten", "contacts"), "wait": ("wachttijd", "wait"), "abandonment": ("opgegeven", "abandoned"),
    }  # fmt: skip
    said = [names[name][0 if language == "nl" else 1] for name in names]
    norm = norm_title(language, f"substring({column}, position({column}, ':') + 1)")
    aspects = (
        "(SELECT mapFromArrays(groupArray(concat('answer:', instrument, ':', toString(instrument_version), ':', aspect)), "
        f"groupArray(aspect_{language})) FROM v_instruments WHERE {ORGANISATION})"
    )
    plain = f"transform(toString({column}), [{', '.join(map(text, names))}], [{', '.join(map(text, said))}], toString({column}))"
    return (
        f"multiIf(startsWith({column}, 'norm:') OR startsWith({column}, 'norm_mean:'), {norm}, "
        f"startsWith({column}, 'answer:') AND {aspects}[toString({column})] != '', {aspects}[toString({column})], {plain})"
    )


def ago(moment: str, language: Language) -> str:
    """How long ago a column of moments is, in words; "never" where there is none."""
    never, since = ("nooit", " geleden") if language == "nl" else ("never", " ago")
    seconds = f"greatest(dateDiff('second', {moment}, now64(3, 'UTC')), 0)"
    return f"ifNull(if(isNull({moment}) OR {moment} < {EVER}, NULL, concat({lasting(seconds, language)}, {text(since)})), {text(never)})"


def clock(moment: str) -> str:
    """A moment as day and time of the organisation's zone."""
    return f"if(isNull({moment}), '', formatDateTime(toTimeZone(assumeNotNull({moment}), 'UTC'), '%d-%m %H:%i', {ZONE}))"


def expected(language: Language, middle: str = "expected", low: str = "expected_low", high: str = "expected_high") -> str:
    """How many contacts are still expected today, with the least and the most; words where it is too early to tell."""
    none = text("nog niet te zeggen" if language == "nl" else "too early to tell")
    least, most = f"toString(round({low}))", f"toString(round({high}))"
    return f"ifNull(concat(toString(round({middle})), ' (', {least}, '–', {most}, ')'), {none})"


def said(column: str, words: Mapping[str, Text], language: Language) -> str:
    """What a word of the product is called on a screen; a word without a name stays as it is."""
    names = [word.of(language) for word in words.values()]
    return f"transform(toString({column}), [{', '.join(map(text, words))}], [{', '.join(map(text, names))}], toString({column}))"


def shell(word: str) -> str:
    """A text as one word of a command that people copy to a terminal: ids come from sources, and may hold what a shell would act on."""
    quoted = f"""concat('\\'', replaceAll({word}, '\\'', '\\'"\\'"\\''), '\\'')"""
    return f"if(match({word}, '^[A-Za-z0-9_@%+=:,./-]+$'), {word}, {quoted})"


def signed(number: str, digits: int, language: Language) -> str:
    """A change: with its sign, and so many decimals."""
    sign = f"multiIf(round({number}, {digits}) = 0, '', {number} < 0, '−', '+')"
    return f"concat({sign}, {decimal(f'abs({number})', digits, language)})"
