"""A new organisation's file and a new department in one: valid, and what a person wrote stays."""

import difflib

import pytest

from pipeline.configured import Configured
from pipeline.onboarding import DepartmentWishes, Wishes, add_department, new_organisation, source_of
from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from schemas.instruments import questionnaires
from schemas.norm_sets import load_norm_set, norm_set, norm_set_names
from schemas.organisation import Organisation
from schemas.types import CHANNELS

OIN = "00000001234567890000"
SYSTEMS = {"telefonie": source_of(OIN, "telefonie"), "post": source_of(OIN, "post")}


def wishes(**fields: object) -> Wishes:
    usual = {"slug": "s", "title_nl": "Gemeente S", "title_en": "S", "oin": OIN, "channels": ("telephone", "email"), "systems": SYSTEMS}
    return Wishes(**{**usual, **fields})  # type: ignore[arg-type]


def loaded(text: str) -> Organisation:
    return yamlfile.loads(text, Organisation, "s.yaml")


@pytest.mark.parametrize("name", norm_set_names())
@pytest.mark.parametrize("channels", [CHANNELS, ("telephone",), ("letter",)])
def test_every_norm_set_can_be_copied_as_far_as_its_channels_are_used(name: str, channels: tuple[str, ...]) -> None:
    found = loaded(new_organisation(wishes(norm_sets=[name], channels=channels)))
    assert found.norms == load_norm_set(name, channels)
    Configured.of(found)


def test_what_a_set_leaves_open_stands_above_its_norms() -> None:
    text = new_organisation(wishes(norm_sets=["leiderdorp"]))
    assert "readings" not in text
    for reading in norm_set("leiderdorp").readings:
        assert 0 < text.index(f"  #   {reading}\n") < text.index("- id: telefoon_45s")


def test_it_brings_questionnaires_systems_and_who_leads() -> None:
    found = loaded(new_organisation(wishes(instruments=list(questionnaires()), leading={"email": "post"}, inhabitants=27_000)))
    assert {name: versions[0] for name, versions in found.instruments.items()} == {
        name: one.instrument for name, one in questionnaires().items()
    }
    assert (found.channels["telephone"].leading_system, found.channels["email"].leading_system) == (None, "post")
    assert (found.inhabitants, found.systems["contactmeter"].sources) == (27_000, (source_of(OIN, "contactmeter"),))


def test_the_only_system_leads() -> None:
    found = loaded(new_organisation(wishes(systems={"telefonie": SYSTEMS["telefonie"]})))
    assert {settings.leading_system for settings in found.channels.values()} == {"telefonie"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"slug": "Niet Goed"}, "organisation"),
        ({"channels": ("fax",)}, "channels"),
        ({"norm_sets": ["atlantis"]}, "there is no norm set 'atlantis'"),
        ({"instruments": ["horoscope"]}, "there is no questionnaire 'horoscope'"),
        ({"leading": {"email": "fax"}}, "'fax' is not one of this file's systems"),
        ({"norm_sets": ["leiderdorp", "leiderdorp"]}, "stands in two of the sets"),
    ],
)
def test_what_can_not_be_is_said(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        new_organisation(wishes(**fields))


BURGERZAKEN = DepartmentWishes(
    "burgerzaken", "Burgerzaken", "Civil affairs", "kcc@example.nl", ("Balie",), {"jcc": source_of(OIN, "jcc")}, ("counter", "email")
)


def test_a_department_joins_and_all_else_stays() -> None:
    new = new_organisation(wishes(norm_sets=["leiderdorp", "statutory"], instruments=list(questionnaires())))
    before = new.replace("minimum_n: 20 ", "minimum_n: 30 # ours ")
    after = add_department(before, BURGERZAKEN, "s.yaml")
    assert [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("-")] == [], "lines only come in"
    found = loaded(after)
    assert found.departments["burgerzaken"].contact == "kcc@example.nl"
    assert found.teams["Balie"].department == "burgerzaken"
    assert (found.systems["jcc"].department, found.channels["counter"].leading_system) == ("burgerzaken", "jcc")
    assert found.channels["email"].leading_system is None  # it was there
    assert (found.norms, found.minimum_n) == (loaded(before).norms, 30)
    with pytest.raises(InvalidConfiguration, match="'burgerzaken' is there already"):
        add_department(after, BURGERZAKEN, "s.yaml")
