"""What is struck out of comments."""

import pytest

from pipeline.redaction import STRUCK, redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail me op jan.jansen@example.nl aub", f"mail me op {STRUCK} aub"),
        ("zie https://example.nl/dossier/7?naam=jan of www.example.nl", f"zie {STRUCK} of {STRUCK}"),
        ("bel 06-12345678", f"bel {STRUCK}"),
        ("bel +31 6 1234 5678 of (071) 516 51 65!", f"bel {STRUCK} of {STRUCK}!"),
        ("rekening NL91 ABNA 0417 1643 00", f"rekening {STRUCK}"),
        ("ik woon op 2351 AB 12", f"ik woon op {STRUCK}"),
        ("zaak 20261234", f"zaak {STRUCK}"),
        ("kenteken AB-123-C", f"kenteken {STRUCK}"),
        ("nummer 111222333", f"nummer {STRUCK}"),
    ],
)
def test_what_could_name_a_person_is_struck_out(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize("text", ["Prima geholpen, een 8!", "Ik wachtte 45 minuten op 3 maart 2026.", "", "Team 7 was vriendelijk"])
def test_what_names_nobody_stays(text: str) -> None:
    assert redact(text) == text
