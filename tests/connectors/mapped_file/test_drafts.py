"""Drafts of mappings: what is guessed, what is left to decide, and that they load as they stand."""

import os
from pathlib import Path
from typing import Any

import pytest

from connectors.mapped_file.agreement import check_agreement
from connectors.mapped_file.connector import MappedFile
from connectors.mapped_file.drafts.guessing import channel_of, guess
from connectors.mapped_file.drafts.parts import MARK, slug
from connectors.mapped_file.drafts.sampling import Column, look, words
from connectors.mapped_file.drafts.writing import Draft, draft
from connectors.mapped_file.mapping import Mapping
from connectors.protocol import Finished, Refused
from schemas import yamlfile
from schemas.events import PREFIX
from schemas.organisation import Organisation
from tests.connectors.mapped_file.test_workbook import workbook

DATA = Path(os.environ.get("CONTACTMETER_DATA") or Path(__file__).parents[4] / "shared" / "data")
TRIED = 1_000


def drafted(path: Path) -> tuple[Draft, Mapping, Organisation]:
    sample = look(path)
    made = draft(sample, guess(sample), "leiden")
    mapping = yamlfile.loads(made.mapping, Mapping, "mapping.yaml")
    organisation = yamlfile.loads(made.organisation, Organisation, "organisation.yaml")
    check_agreement(mapping, Path("mapping.yaml"), organisation, Path("organisation.yaml"))
    return made, mapping, organisation


def loaded(path: Path, mapping: Mapping, tried: int = TRIED) -> MappedFile:
    """The first rows through a draft as it stands."""
    connector = MappedFile(path, mapping)
    connector.resume(None)
    try:
        while connector.tally.rows < tried:
            connector.poll()
    except Finished:
        pass
    connector.close()
    return connector


CASES = {
    # What the draft gives of the first rows, as a share of them; what it guesses; what it leaves to decide.
    "pwc_calls.csv": (
        "contact.opened",
        1.0,
        ["Call Id is the id", "Date and Time is when", "a rating from 1 to 5"],
        "the channel: no column",
    ),
    "techsupport_tickets.csv": (
        "contact.opened",
        1.0,
        ["Source is the channel", "Resolution time is contact.closed"],
        "what ends the term",
    ),
    "baltimore_311.csv": ("contact.opened", 0.5, ["given deadlines: DueDate"], "the channel of \"API\" in column 'MethodReceived'"),
    "wabo_receipt.csv.gz": ("contact.opened", 0.1, ["stands on several rows", "not kept: case:responsible"], 'the channel of "Intern"'),
    "assen_meldingen.csv": ("contact.opened", 1.0, ["resolved_date is contact.closed"], "the channel: no column names it"),
    "katwijk_fixi.csv.gz": ("contact.opened", 0.95, ["source is the channel"], "the zone: the file names none"),
    "warsaw_counters.csv.gz": ("channel.observed", 1.0, ["they look like observations of queues"], "which column counts who waits"),
    "montpellier_qualiville.csv": ("survey.answered", 5.0, ["each row is a total"], "the share of the satisfied"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_draft_of_each_real_file_loads_and_says_what_to_decide(name: str) -> None:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not here (CONTACTMETER_DATA names its directory)")
    kind, least, guessed, to_decide = CASES[name]
    made, mapping, _ = drafted(path)
    for text in guessed:
        assert any(text in line for line in made.notes.guessed), made.notes.guessed
    assert any(to_decide in line for line in made.notes.to_decide), made.notes.to_decide
    for line in made.notes.to_decide:
        assert f"{MARK}: {line}" in made.mapping + made.organisation
    tally = loaded(path, mapping).tally
    assert tally.events[PREFIX + kind] >= least * tally.rows
    assert tally.refused < 0.5 * tally.rows
    assert tally.refused == 0 or any("the channel of" in line for line in made.notes.to_decide), "whatever is refused is to be decided"


def test_wrong_clocks_show_in_a_draft() -> None:
    path = DATA / "warsaw_counters.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here (CONTACTMETER_DATA names its directory)")
    after, before = sorted(text.split(" the rows around")[0].rsplit(" ", 1)[1] for text in loaded(path, drafted(path)[1], 3_000).warnings())
    assert (after, before) == ("after", "before")


def csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_day_or_month_first_is_settled_by_the_file_or_by_a_person(tmp_path: Path) -> None:
    lines = "Id,Datum,Kanaal\n" + "".join(f"{n},{n % 12 + 1:02}/{n % 12 + 1:02}/2026 10:00,Telefoon\n" for n in range(40))
    made, mapping, _ = drafted(csv(tmp_path / "a.csv", lines))
    assert mapping.times.formats[0] == "%d/%m/%Y %H:%M"
    assert any("day or month first: the times would also fit %m/%d/%Y %H:%M" in line for line in made.notes.to_decide)
    made, mapping, _ = drafted(csv(tmp_path / "b.csv", lines + "99,03/31/2026 10:00,Balie\n"))
    assert mapping.times.formats[0] == "%m/%d/%Y %H:%M"
    assert not any("day or month" in line for line in made.notes.to_decide)
    assert loaded(tmp_path / "b.csv", mapping).tally.refused == 0


@pytest.mark.parametrize(
    ("grades", "scale"), [((1, 5), "1-5"), ((3, 9), "1-10"), ((0, 10), "0-10"), ((0, 1), "yes-no"), ((1, 7), "{minimum: 1, maximum: 7}")]
)
def test_the_scale_of_ratings_is_named_where_it_has_a_name(tmp_path: Path, grades: tuple[int, int], scale: str) -> None:
    lines = "Id,Datum,Kanaal,Cijfer\n" + "".join(f"{n},2026-03-{n % 28 + 1:02} 10:00,Telefoon,{grades[n % 2]}\n" for n in range(40))
    made, _, _ = drafted(csv(tmp_path / "a.csv", lines))
    assert f"      scale: {scale} # " in made.organisation


def test_personal_data_is_dropped_and_a_text_for_no_rating_is_empty(tmp_path: Path) -> None:
    lines = "Melding nr;Aangemaakt;Telefoon beller;Klant email;Cijfer;Gesloten\n" + "".join(
        f"{n};0{n % 9 + 1}-03-2026;061234567{n};p{n % 7}@example.nl;{'geen' if n % 3 else n % 10 + 1};\n" for n in range(60)
    )
    made, mapping, organisation = drafted(csv(tmp_path / "a.csv", lines))
    assert mapping.file.drop == ("Telefoon beller", "Klant email")
    assert mapping.file.empty == ("geen",)
    assert "scale: 1-10 #" in made.organisation
    assert organisation.instruments["rating"][0].scale.maximum == 10
    assert "06123" not in made.mapping + made.organisation
    tally = loaded(tmp_path / "a.csv", mapping).tally
    assert (tally.refused, tally.events[PREFIX + "contact.opened"], tally.events[PREFIX + "survey.answered"]) == (0, 60, 20)


def test_a_workbook_with_titles_above_the_header(tmp_path: Path) -> None:
    lines: list[list[Any]] = [
        ["Export"],
        [],
        ["Zaaknummer", "Ontvangen", "Kanaal"],
        *([n, f"2026-03-{n:02}T09:00:00", "Balie"] for n in range(1, 20)),
    ]
    made, mapping, organisation = drafted(workbook(tmp_path / "Zaken 2026.xlsx", lines))
    assert (mapping.mapping, mapping.file.header_row, mapping.contact) == ("zaken_2026", 3, "Zaaknummer")
    assert set(organisation.channels) == {"counter"}
    assert loaded(tmp_path / "Zaken 2026.xlsx", mapping).tally.events == {PREFIX + "contact.opened": 19}
    assert made.notes.guessed


def test_odd_names_and_values_make_valid_files(tmp_path: Path) -> None:
    header = '"yes","a: b #c","Datum\nen tijd","Kanaal ""x"""\n'
    made, mapping, _ = drafted(
        csv(tmp_path / "2026 (1).csv", header + '1,x,2026-03-02T09:00:00,"Telefoon: ""nee"""\n2,y,2026-03-03T09:00:00,Balie\n')
    )
    assert mapping.mapping == "file_2026_1"
    assert mapping.columns() == {"yes", "Datum\nen tijd", 'Kanaal "x"'}
    assert not any("\n" in line for line in (*made.notes.guessed, *made.notes.to_decide))


def test_a_file_that_tells_nothing_says_so(tmp_path: Path) -> None:
    made, _, _ = drafted(csv(tmp_path / "a.csv", "a,b\nx,1\nx,2\n"))
    assert {line.split(":")[0] for line in made.notes.to_decide} >= {"the id of a contact", "when a contact was opened", "the channel"}
    with pytest.raises(Refused, match="there are no rows from which to draft a mapping"):
        look(csv(tmp_path / "b.csv", "a,b\n"))


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("Telefoon", "telephone"),
        ("E-mail", "email"),
        ("whats-app", "whatsapp"),
        ("citizen-ios", "app"),
        ("Balie Stadhuis", "counter"),
        ("e-form", "form"),
        ("WebFormulier", "form"),
        ("Post", "letter"),
        ("other", None),
        ("", None),
    ],
)
def test_values_that_name_a_channel(text: str, channel: str | None) -> None:
    assert channel_of(text) == channel


def test_words_and_slugs() -> None:
    assert words("SRRecordID") == {"sr", "record", "id"}
    assert words("Délai d'attente") == {"delai", "d", "attente"}
    assert [slug(text) for text in ("DueDate", "Expected SLA to resolve", "???")] == ["due_date", "expected_sla_to_resolve", "file"]


def test_how_times_are_written() -> None:
    forms = {
        "2026-03-02T09:00:00+01:00": ("iso", True),
        "2026-03-02 09:00": ("iso", False),
        "2026-03-02": ("%Y-%m-%d", False),
        "13-03-2026 9:05:06": ("%d-%m-%Y %H:%M:%S", False),
        "03/13/2026 09:05:06 PM": ("%m/%d/%Y %I:%M:%S %p", False),
        "20260302": ("%Y%m%d", False),
    }
    for text, expected in forms.items():
        found = Column("At", [text, ""]).time
        assert found is not None
        assert (found.form, found.has_offset) == expected
    assert [Column("At", [text]).time for text in ("Jan", "12", "09:05", "")] == [None] * 4
