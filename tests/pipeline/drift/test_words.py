"""What is told of signals: every kind, side and state in both languages as sentences.txt has them, and the special cases by hand."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from pipeline.drift.notation import channel_title, figure_text, figures_text, moment_text, term_text
from pipeline.drift.phrases import WORDS
from pipeline.drift.signal import Contributor, Ended, Signal
from pipeline.drift.words import Learned, explanation, sentence
from schemas.norm import StopEvent
from schemas.organisation import Organisation
from schemas.types import CHANNELS
from schemas.words import Language
from tests.pipeline.builders import AMSTERDAM, DAY, NAME, ms, norm, organisation

ONSET, NOW = ms("2026-11-17T14:00"), ms("2026-11-19T11:00")
BURGERZAKEN = (Contributor("product", "Paspoort", 0.41, 130), Contributor("team", "Burgerzaken", 0.62, 180))
LANGUAGES: tuple[Language, ...] = ("nl", "en")
TITLE = {"nl": "Telefoon opgenomen binnen 45 seconden", "en": "Calls answered within 45 seconds"}


def municipality(**fields: Any) -> Organisation:
    telephone = norm(id="telefoon_45s", title=TITLE, **fields)
    return organisation(telephone, channels={"telephone": {}, "email": {}, "counter": {}, "form": {}})


def signal(kind: Any = "compliance", **fields: Any) -> Signal:
    """A fall of a norm or of a grade, a rise of a wait or of a volume, unless other fields are given."""
    shape: dict[str, dict[str, Any]] = {
        "compliance": {"channel": "telephone", "stream": "norm:telefoon_45s", "measure": "norm:telefoon_45s", "side": -1, "n": 412,
                       "size": -0.23, "low": -0.31, "high": -0.15, "value": 0.58, "usual": 0.81},
        "grade": {"channel": "email", "stream": "answer:na-contact:overall", "measure": "answer:na-contact:1:overall", "side": -1, "n": 214,
                  "size": -0.9, "low": -1.2, "high": -0.6, "value": 6.4, "usual": 7.3},
        "time": {"channel": "telephone", "stream": "wait", "measure": "wait", "side": 1, "n": 412,
                 "size": 1.8, "low": 1.5, "high": 2.1, "value": 74.0, "usual": 41.0},
        "volume": {"channel": "counter", "stream": "volume", "measure": "volume", "side": 1, "n": 1412,
                   "size": 2.1, "low": 1.7, "high": 2.5, "value": 38.0, "usual": 18.0},
    }  # fmt: skip
    plain: dict[str, Any] = {"organisation": NAME, "id": "s", "sequence": 0, "state": "found", "at": NOW, "onset": ONSET, "kind": kind}
    return Signal(**{**plain, **shape[kind], "contributors": BURGERZAKEN, **fields})


OTHER_SIDE: dict[str, dict[str, Any]] = {
    "compliance": {"side": 1, "size": 0.1, "low": 0.05, "high": 0.15, "value": 0.91},
    "grade": {"side": 1, "size": 0.5, "low": 0.2, "high": 0.8, "value": 7.8},
    "time": {"side": -1, "size": 0.6, "low": 0.5, "high": 0.7, "value": 25.0},
    "volume": {"side": -1, "size": 0.6, "low": 0.5, "high": 0.7, "value": 7.2, "usual": 12.0},
}


def all_sentences() -> Iterator[str]:
    of = municipality()
    for language in LANGUAGES:
        for kind, other in OTHER_SIDE.items():
            for one in (signal(kind), signal(kind, **other)):
                yield sentence(one, of, language, NOW)
                yield sentence(replace(one, state="grown"), of, language, NOW)
                for ended in get_args(Ended)[1:]:
                    yield sentence(replace(one, state="over", ended=ended), of, language, NOW)


def test_every_kind_side_and_state_reads_as_written_down() -> None:
    expected = (Path(__file__).parent / "sentences.txt").read_text(encoding="utf-8").splitlines()
    assert list(all_sentences()) == [line for line in expected if line and not line.startswith("#")]


def test_the_sentence_of_the_promise() -> None:
    assert sentence(signal(contributors=BURGERZAKEN[1:]), municipality(), "nl", NOW) == (
        "Telefoon: sinds di 14:00 wordt 58 % binnen 45 s opgenomen (was 81 %), 412 gesprekken; vooral Burgerzaken"
    )


def test_what_is_over_without_a_reason_has_recovered() -> None:
    of = municipality()
    assert sentence(signal(state="over"), of, "nl", NOW) == sentence(signal(state="over", ended="recovered"), of, "nl", NOW)


@pytest.mark.parametrize(
    ("channel", "value", "usual", "nl", "en"),
    [
        ("counter", 0, 12, "niemand meer (gewoonlijk 12 per uur)", "nobody any more (usually 12 an hour)"),
        ("form", 0, 5.25, "niets meer (gewoonlijk 5,2 per uur)", "nothing any more (usually 5.2 an hour)"),
        ("counter", 0.4, 12, "vrijwel niemand meer (0,4 per uur, gewoonlijk 12)", "hardly any visitors (0.4 an hour, usually 12)"),
    ],
)
def test_an_outage_says_that_nobody_comes(channel: str, value: float, usual: float, nl: str, en: str) -> None:
    one = signal("volume", channel=channel, side=-1, size=value / usual, value=value, usual=usual, contributors=())
    told = [sentence(one, municipality(), language, NOW).partition("di 14:00 ")[2] for language in LANGUAGES[:1]]
    assert told == [nl]
    assert sentence(one, municipality(), "en", NOW).partition("Tue 14:00, ")[2] == en


def test_an_outage_that_is_over() -> None:
    one = signal("volume", state="over", side=-1, size=0, value=0, usual=12)
    assert sentence(one, municipality(), "nl", NOW).endswith(
        "weer als gewoonlijk, rond 12 bezoekers per uur; vanaf di 14:00 was er niemand"
    )
    assert sentence(one, municipality(), "en", NOW).endswith("about 12 visitors an hour; since Tue 14:00 there had been nobody")


def claims(**fields: Any) -> list[str]:
    """What is told of the share within a norm, between the onset and the numbers it rests on, in Dutch and English."""
    of, one = municipality(**fields), signal(contributors=(), channel=fields.pop("channel", "telephone"))
    return [sentence(one, of, language, NOW).split(": ", 1)[1] for language in LANGUAGES]


@pytest.mark.parametrize(
    ("fields", "nl", "en"),
    [
        ({"denominator": "offered"}, "sinds di 14:00 wordt 58 % binnen 45 s opgenomen (was 81 %), 412 oproepen",
         "since Tue 14:00, 58 % are answered within 45 s (was 81 %), 412 calls"),
        ({"clock": "opening-hours", "threshold": "24h", "stop": "acknowledged"},
         "sinds di 14:00 krijgt 58 % binnen 24 uur openingstijd een ontvangstbevestiging (was 81 %), 412 gesprekken",
         "since Tue 14:00, 58 % get a receipt within 24 hours of opening time (was 81 %), 412 calls"),
        ({"clock": "working-days", "threshold": "1wd", "stop": ["responded", "informed", "closed"]},
         "sinds di krijgt 58 % binnen 1 werkdag bericht (was 81 %), 412 gesprekken",
         "since Tue, 58 % get word within 1 working day (was 81 %), 412 calls"),
        ({"clock": "working-days", "threshold": "2wd", "start": "callback_requested", "stop": "called_back"},
         "sinds di wordt 58 % binnen 2 werkdagen teruggebeld (was 81 %), 412 terugbelverzoeken",
         "since Tue, 58 % are called back within 2 working days (was 81 %), 412 call-backs"),
        ({"clock": "given", "threshold": None, "start": "opened", "stop": ["closed"]},
         "sinds di 14:00 wordt 58 % op tijd afgehandeld (was 81 %), 412 gesprekken",
         "since Tue 14:00, 58 % are dealt with in time (was 81 %), 412 calls"),
        ({"applies_to": {"channels": ["telephone"], "teams": ["Balie"]}},
         "sinds di 14:00 valt 58 % binnen de norm ‘Telefoon opgenomen binnen 45 seconden’ (was 81 %), 412 gesprekken",
         "since Tue 14:00, 58 % are within the norm “Calls answered within 45 seconds” (was 81 %), 412 calls"),
    ],
)  # fmt: skip
def test_a_norm_is_told_by_what_it_asks(fields: dict[str, Any], nl: str, en: str) -> None:
    assert claims(**fields) == [nl, en]


def test_every_stop_of_a_norm_has_a_phrase_and_every_channel_its_units() -> None:
    for words in WORDS.values():
        assert set(get_args(StopEvent)) <= words.phrases.keys()
        assert words.phrases.keys() == WORDS["nl"].phrases.keys()
        assert words.units.keys() == WORDS["nl"].units.keys()
        assert words.facts.keys() == WORDS["nl"].facts.keys()
        assert set(CHANNELS) - words.units.keys() == {"website", "app"}


def test_the_version_of_a_norm_that_holds_is_the_one_that_is_told() -> None:
    before, since = ({"valid": {"to": "2026-11-01"}}, {"valid": {"from": "2026-11-01"}, "threshold": "30s"})
    of = organisation(norm(id="telefoon_45s", **before), norm(id="telefoon_45s", **since))
    assert "binnen 30 s" in sentence(signal(), of, "nl", NOW)
    assert "binnen 45 s" in sentence(signal(at=ms("2026-10-08T12:00")), of, "nl", NOW)


def test_what_the_configuration_no_longer_has_is_told_by_its_id() -> None:
    of = organisation()
    assert "valt 58 % binnen de norm ‘telefoon_45s’" in sentence(signal(), of, "nl", NOW)
    gone = signal("grade", stream="answer:oud:overall", measure="answer:oud:1:overall")
    assert "rapportcijfer 6,4" in sentence(gone, of, "nl", NOW)
    assert "vraag ‘overall’" in explanation(gone, of, "nl", NOW)


def test_a_grade_of_another_scale_says_that_it_was_mapped_and_an_aspect_has_its_name() -> None:
    of = municipality()
    ease = {"stream": "answer:na-contact:ease"}
    assert "sinds di 14:00 ‘g’ 6,4 (was" in sentence(signal("grade", measure="answer:na-contact:1:ease", **ease), of, "nl", NOW)
    assert "‘g’ (omgerekend naar 1-10) 6,4" in sentence(signal("grade", measure="answer:na-contact:2:ease", **ease), of, "nl", NOW)


def test_of_few_answers_no_number_is_told() -> None:
    of = municipality()
    for language in LANGUAGES:
        found, over = (signal("grade", n=4, state=state) for state in ("found", "over"))
        for text in (sentence(found, of, language, NOW), sentence(over, of, language, NOW), explanation(found, of, language, NOW)):
            assert not {"6,4", "6.4", "0,9", "0.9", "62", "180", "Burgerzaken"} & set(text.replace("−", " ").split())
            assert all(number not in text for number in ("6,4", "6.4", "0,9", "0.9", "1,2", "1.2"))
    assert sentence(signal("grade", n=4), of, "nl", NOW) == (
        "E-mail: sinds di 14:00 rapportcijfer lager dan gewoonlijk (te weinig antwoorden om getallen te tonen)"
    )
    assert "6,4" in sentence(signal("grade", n=5), of, "nl", NOW)


def test_contributors_are_named_in_one_dimension_that_tells_most() -> None:
    three = tuple(Contributor("location", name, share, 9) for name, share in (("Noord", 0.4), ("Zuid", 0.3), ("Oost", 0.26)))
    assert sentence(signal(contributors=three), municipality(), "nl", NOW).endswith("; vooral Noord, Zuid en Oost")
    assert sentence(signal(contributors=three[:2]), municipality(), "en", NOW).endswith("; mainly Noord and Zuid")
    assert sentence(signal(contributors=(*three, *BURGERZAKEN)), municipality(), "nl", NOW).endswith("; vooral Burgerzaken")


def test_an_explanation_says_what_it_rests_on() -> None:
    learned = Learned(ms("2026-08-24T00:00"), ms("2026-11-16T00:00"))
    assert explanation(signal(announce=False), municipality(), "nl", NOW, learned, progress=0.4).splitlines() == [
        "Telefoon: sinds di 14:00 wordt 58 % binnen 45 s opgenomen (was 81 %), 412 gesprekken; vooral Burgerzaken",
        "  gekeken naar: norm ‘Telefoon opgenomen binnen 45 seconden’",
        "  gewoonlijk 81 %: wat op deze uren van de week te verwachten was, geleerd van ma 2026-08-24 tot en met zo 2026-11-15",
        "  verandering: −23 procentpunt (95 %-interval −31 tot −15), over 412 gesprekken",
        "  begonnen rond di 2026-11-17 14:00; gevonden do 2026-11-19 11:00",
        "  product: Paspoort 41 % van de verandering (130 gesprekken)",
        "  team: Burgerzaken 62 % van de verandering (180 gesprekken)",
        f"  {WORDS['nl'].facts['ends']} (nu op 40 % daarvan)",
        "  gevonden bij het inlezen van oude gegevens: vastgelegd, niet gemeld",
    ]
    assert explanation(signal("time", contributors=(), state="over"), municipality(), "en", NOW).splitlines()[1:] == [
        "  looked at: wait (geometric mean: a single very long wait does not weigh much)",
        "  usually 41 s: what was to be expected in these hours of the week",
        "  change: 1.8 times (95 % interval 1.5 to 2.1), over 412 calls",
        "  began about Tue 2026-11-17 14:00; over Thu 2026-11-19 11:00",
        "  no product, team or location stands out",
        "  new data clearly contradicted the drift",
    ]
    assert "0,60 keer (95 %-interval 0,50 tot 0,70)" in explanation(signal("volume", **OTHER_SIDE["volume"]), municipality(), "nl", NOW)


@pytest.mark.parametrize("ended", get_args(Ended)[1:])
def test_an_explanation_says_why_it_is_over(ended: Ended) -> None:
    for language in LANGUAGES:
        text = explanation(signal(state="over", ended=ended), municipality(), language, NOW)
        assert text.endswith(WORDS[language].facts[ended])
        assert WORDS[language].facts["ends"] not in text


@pytest.mark.parametrize(
    ("at", "now", "nl", "en"),
    [
        ("2026-11-18T09:00", "2026-11-18T09:30", "wo 9:00", "Wed 9:00"),
        ("2026-11-12T23:59", "2026-11-18T00:01", "do 23:59", "Thu 23:59"),
        ("2026-11-11T09:00", "2026-11-18T08:00", "11 november", "11 November"),
        ("2025-12-31T09:00", "2026-01-07T09:00", "31 december 2025", "31 December 2025"),
        ("2026-03-29T03:00", "2026-03-30T00:30", "zo 3:00", "Sun 3:00"),  # the night the clock moves on
    ],
)
def test_moments(at: str, now: str, nl: str, en: str) -> None:
    found = [moment_text(ms(at), ms(now), AMSTERDAM, words, whole_day=False) for words in WORDS.values()]
    assert found == [nl, en]


def test_a_whole_day_has_no_time_of_day() -> None:
    assert moment_text(ONSET, NOW, AMSTERDAM, WORDS["nl"], whole_day=True) == "di"
    assert moment_text(ONSET - 30 * DAY, NOW, AMSTERDAM, WORDS["nl"], whole_day=True) == "18 oktober"


@pytest.mark.parametrize(
    ("seconds", "nl", "en"),
    [(4, "4 s", "4 s"), (89, "89 s", "89 s"), (204, "3,4 min", "3.4 min"), (1500, "25 min", "25 min"), (5400, "1,5 uur", "1.5 hours"),
     (86_400, "24 uur", "24 hours"), (200_000, "2,3 dagen", "2.3 days")],
)  # fmt: skip
def test_durations(seconds: float, nl: str, en: str) -> None:
    assert [figure_text("time", seconds, words) for words in WORDS.values()] == [nl, en]


def test_two_figures_that_differ_look_different() -> None:
    nl = WORDS["nl"]
    assert figures_text("compliance", 0.9862, 0.9941, nl) == ("98,6 %", "99,4 %")
    assert figures_text("grade", 7.31, 7.34, nl) == ("7,31", "7,34")
    assert figures_text("volume", 12.2, 11.9, nl) == ("12,2", "11,9")
    assert figures_text("compliance", 0.58, 0.81, nl) == ("58 %", "81 %")


@pytest.mark.parametrize(
    ("threshold", "nl", "en"),
    [("45s", "45 s", "45 s"), ("90s", "90 s", "90 s"), ("15min", "15 min", "15 min"), ("24h", "24 uur", "24 hours"),
     ("1h", "1 uur", "1 hour"), ("2wd", "2 werkdagen", "2 working days"),
     ("1wd", "1 werkdag", "1 working day"), ("6w", "6 weken", "6 weeks"),
     ("10d", "10 dagen", "10 days"), ("3m", "3 maanden", "3 months")],
)  # fmt: skip
def test_thresholds(threshold: str, nl: str, en: str) -> None:
    assert [term_text(threshold, words) for words in WORDS.values()] == [nl, en]


def test_channels_begin_with_a_capital() -> None:
    assert [channel_title("public_space", language) for language in LANGUAGES] == ["Openbare ruimte", "Public space"]
    assert channel_title("whatsapp", "nl") == "WhatsApp"
