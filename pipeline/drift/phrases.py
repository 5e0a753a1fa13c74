"""The words of drift in Dutch and English, as `pipeline.drift.words` puts them together."""

from dataclasses import dataclass

from pipeline.drift.kinds import Name
from pipeline.drift.signal import Dimension, Ended
from schemas.words import Language


@dataclass(frozen=True)
class Words:
    """What is said in one language. Texts with fields are filled in by `pipeline.drift.words`.

    states: what stands after the channel, by what happened. A norm's phrase is (verb, what people get).
    units: (one, more) of what a figure rests on.
    """

    lang: Language
    months: tuple[str, ...]
    states: dict[str, str]
    told: str
    ended: dict[Ended, str]
    mainly: str
    joined: str
    norm: str
    usual_norm: str
    within: str
    open_time: str
    in_time: str
    by_title: tuple[str, str]
    phrases: dict[str, tuple[str, str]]
    terms: dict[str, tuple[str, str]]
    quoted: str
    grade: str
    mapped: str
    few: str
    seen_grade: str
    seen_time: str
    seen_volume: str
    busier: str
    fewer: str
    nobody_any_more: str
    hardly: str
    nobody: tuple[str, str]
    usual: dict[Name, str]
    was: dict[str, str]
    units: dict[str, tuple[str, str]]
    facts: dict[str, str]
    dimensions: dict[Dimension, str]


WORDS: dict[Language, Words] = {
    "nl": Words(
        lang="nl",
        months=("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"),
        states={
            "found": "", "better": "verbetering", "grown": "erger geworden", "grown_better": "verder verbeterd", "fallen": "verder gedaald",
            "risen": "verder gestegen", "recovered": "voorbij", "recovered_better": "verbetering voorbij",
            "revised": "vervallen", "announced": "afgesloten", "usual": "afgesloten",
        },
        told="sinds {onset} {claim}{rests}{mainly}",
        ended={
            "recovered": "weer als gewoonlijk, {usual}; vanaf {onset} {was}",
            "revised": "door gegevens die later binnenkwamen is er geen afwijking meer; gemeld was: sinds {onset} {claim}",
            "announced": "er is een wijziging aangekondigd, nu wordt opnieuw geleerd wat gewoonlijk is; gemeld was: sinds {onset} {claim}",
            "usual": "dit duurt zo lang dat het voortaan de maat is: sinds {onset} {claim}",
        },
        mainly="; vooral {}",
        joined=" en ",
        norm="{verb} {value} {how} (was {usual})",
        usual_norm="rond {usual} {verb} {how}",
        within="binnen {term} {what}",
        open_time="{} openingstijd",
        in_time="op tijd {what}",
        by_title=("valt", "binnen de norm {}"),
        quoted="‘{}’",
        phrases={
            "answered": ("wordt", "beantwoord"), "taken": ("wordt", "opgenomen"), "helped": ("wordt", "geholpen"),
            "acknowledged": ("krijgt", "een ontvangstbevestiging"), "informed": ("krijgt", "bericht"), "responded": ("wordt", "beantwoord"),
            "called_back": ("wordt", "teruggebeld"), "reached": ("wordt", "teruggebeld en bereikt"), "closed": ("wordt", "afgehandeld"),
        },
        terms={
            "s": ("s", "s"), "min": ("min", "min"), "h": ("uur", "uur"), "d": ("dag", "dagen"), "working-days": ("werkdag", "werkdagen"),
            "weeks": ("week", "weken"), "months": ("maand", "maanden"),
        },
        grade="rapportcijfer",
        mapped="{} (omgerekend naar 1-10)",
        few="{name} {direction} dan gewoonlijk (te weinig antwoorden om getallen te tonen)",
        seen_grade="{name} {value} (was {usual}; {size} ± {half})",
        seen_time="wachttijd {value} (was {usual})",
        seen_volume="{change} ({value} per uur, gewoonlijk {usual})",
        busier="is het {factor} keer zo druk als gewoonlijk",
        fewer="zijn er {share} minder {units} dan gewoonlijk",
        nobody_any_more="{nobody} meer (gewoonlijk {usual} per uur)",
        hardly="vrijwel {nobody} meer ({value} per uur, gewoonlijk {usual})",
        nobody=("niemand", "niets"),
        usual={"grade": "{name} rond {usual}", "time": "wachttijd rond {usual}", "volume": "rond {usual} {units} per uur"},
        was={
            "value": "was het {value}", "volume": "was het {value} per uur", "nobody": "was er {nobody}",
            "few": "was het cijfer {direction}", "lower": "lager", "higher": "hoger",
        },
        units={
            "answers": ("antwoord", "antwoorden"), "callback": ("terugbelverzoek", "terugbelverzoeken"), "offered": ("oproep", "oproepen"),
            "telephone": ("gesprek", "gesprekken"), "counter": ("bezoeker", "bezoekers"), "reception": ("bezoeker", "bezoekers"),
            "email": ("e-mail", "e-mails"), "letter": ("brief", "brieven"), "form": ("formulier", "formulieren"),
            "public_space": ("melding", "meldingen"), "chat": ("chatgesprek", "chatgesprekken"), "whatsapp": ("gesprek", "gesprekken"),
            "social": ("bericht", "berichten"), "other": ("contact", "contacten"),
        },
        facts={
            "measure": "gekeken naar: {what}",
            "compliance": "norm {norm}",
            "time": "wachttijd (meetkundig gemiddelde: een enkele heel lange wacht telt niet zwaar)",
            "volume": "aantal {units} in een open uur",
            "grade": "vraag {aspect} van {instrument}",
            "baseline": "gewoonlijk {usual}: wat op deze uren van de week te verwachten was",
            "learned": ", geleerd van {since} tot en met {until}",
            "change": "verandering: {size} (95 %-interval {low} tot {high}), over {n}",
            "points": "{} procentpunt",
            "factor": "{} keer",
            "onset": "begonnen rond {onset}; {state} {at}",
            "found": "gevonden", "grown": "gegroeid", "over": "voorbij", "ended": "afgesloten",
            "contributor": "{dimension}: {listed}",
            "part": "{name} {share} van de verandering ({n})",
            "spread": "geen product, team of locatie springt eruit",
            "ends": "voorbij is het als nieuwe gegevens de afwijking even duidelijk tegenspreken; zonder verse gegevens blijft zij staan",
            "progress": " (nu op {share} daarvan)",
            "backfill": "gevonden bij het inlezen van oude gegevens: vastgelegd, niet gemeld",
            "recovered": "nieuwe gegevens hebben de afwijking duidelijk tegengesproken",
            "revised": "gegevens die later binnenkwamen hebben deze afwijking weggenomen; er is niets hersteld",
            "announced": "de oude maat geldt niet meer: tot de nieuwe geleerd is, wordt er niets gemeld",
            "usual": "de maat is verlegd: een volgende afwijking wordt hiertegen gemeten",
            "few": "er zijn minder dan {small_cell} antwoorden: getallen worden niet getoond",
        },
        dimensions={"product": "product", "team": "team", "location": "locatie"},
    ),
    "en": Words(
        lang="en",
        months=("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
        states={
            "found": "", "better": "improvement", "grown": "worse now", "grown_better": "further improved", "fallen": "fallen further",
            "risen": "risen further", "recovered": "over", "recovered_better": "improvement over",
            "revised": "withdrawn", "announced": "closed", "usual": "closed",
        },
        told="since {onset}, {claim}{rests}{mainly}",
        ended={
            "recovered": "as usual again, {usual}; since {onset} {was}",
            "revised": "with data that came in later there is no drift any more; what was told: since {onset}, {claim}",
            "announced": "a change was announced, what is usual is learned anew now; what was told: since {onset}, {claim}",
            "usual": "this has lasted so long that it is the measure from now on: since {onset}, {claim}",
        },
        mainly="; mainly {}",
        joined=" and ",
        norm="{value} {verb} {how} (was {usual})",
        usual_norm="about {usual} {verb} {how}",
        within="{what} within {term}",
        open_time="{} of opening time",
        in_time="{what} in time",
        by_title=("are", "within the norm {}"),
        quoted="“{}”",
        phrases={
            "answered": ("are", "answered"), "taken": ("are", "answered"), "helped": ("are", "helped"),
            "acknowledged": ("get", "a receipt"), "informed": ("get", "word"), "responded": ("are", "answered"),
            "called_back": ("are", "called back"), "reached": ("are", "called back and reached"), "closed": ("are", "dealt with"),
        },
        terms={
            "s": ("s", "s"), "min": ("min", "min"), "h": ("hour", "hours"), "d": ("day", "days"),
            "working-days": ("working day", "working days"), "weeks": ("week", "weeks"), "months": ("month", "months"),
        },
        grade="grade",
        mapped="{} (mapped to 1-10)",
        few="{name} {direction} than usual (too few answers to show numbers)",
        seen_grade="{name} {value} (was {usual}; {size} ± {half})",
        seen_time="a wait of {value} (was {usual})",
        seen_volume="{change} ({value} an hour, usually {usual})",
        busier="it is {factor} times as busy as usual",
        fewer="there are {share} fewer {units} than usual",
        nobody_any_more="{nobody} any more (usually {usual} an hour)",
        hardly="hardly any {units} ({value} an hour, usually {usual})",
        nobody=("nobody", "nothing"),
        usual={"grade": "{name} about {usual}", "time": "a wait of about {usual}", "volume": "about {usual} {units} an hour"},
        was={
            "value": "it had been {value}", "volume": "it had been {value} an hour", "nobody": "there had been {nobody}",
            "few": "the grade had been {direction}", "lower": "lower", "higher": "higher",
        },
        units={
            "answers": ("answer", "answers"), "callback": ("call-back", "call-backs"), "offered": ("call", "calls"),
            "telephone": ("call", "calls"), "counter": ("visitor", "visitors"), "reception": ("visitor", "visitors"),
            "email": ("e-mail", "e-mails"), "letter": ("letter", "letters"), "form": ("form", "forms"),
            "public_space": ("report", "reports"), "chat": ("chat", "chats"), "whatsapp": ("chat", "chats"),
            "social": ("message", "messages"), "other": ("contact", "contacts"),
        },
        facts={
            "measure": "looked at: {what}",
            "compliance": "norm {norm}",
            "time": "wait (geometric mean: a single very long wait does not weigh much)",
            "volume": "number of {units} in an open hour",
            "grade": "question {aspect} of {instrument}",
            "baseline": "usually {usual}: what was to be expected in these hours of the week",
            "learned": ", learned from {since} up to {until}",
            "change": "change: {size} (95 % interval {low} to {high}), over {n}",
            "points": "{} percentage points",
            "factor": "{} times",
            "onset": "began about {onset}; {state} {at}",
            "found": "found", "grown": "grown", "over": "over", "ended": "closed",
            "contributor": "{dimension}: {listed}",
            "part": "{name} {share} of the change ({n})",
            "spread": "no product, team or location stands out",
            "ends": "it is over when new data contradict the drift just as clearly; without fresh data it stays",
            "progress": " (at {share} of that now)",
            "backfill": "found while old data were read in: recorded, not announced",
            "recovered": "new data clearly contradicted the drift",
            "revised": "data that came in later took this drift away; nothing recovered",
            "announced": "the old measure holds no more: nothing is told until the new one is learned",
            "usual": "the measure has moved: a next drift is measured against this",
            "few": "there are fewer than {small_cell} answers: numbers are not shown",
        },
        dimensions={"product": "product", "team": "team", "location": "location"},
    ),
}  # fmt: skip
