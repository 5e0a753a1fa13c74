"""The board in a real browser: what people see, choose, follow and say, at a desk, on a wall, on a phone, by keyboard and by ear."""

import re
from typing import get_args

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from dashboards.reading.boards import board, boards
from schemas.words import Language
from tests.dashboards.board.conftest import Reader, Served, reading, serving
from tests.dashboards.board.fixture import CHARTS, PER_CHANNEL
from tests.dashboards.towns import TOWN, Town

BOARDS = [uid for language in get_args(Language) for uid in boards(language)]
NL, EN = "contactmeter-fixture-nl", "contactmeter-fixture-en"
PHONE = (360, 740)


def channels(measured: Town, team: str = "*") -> dict[str, int]:
    """What the table of channels must show."""
    sql = PER_CHANNEL.replace("${organisation:sqlstring}", f"'{TOWN}'").replace("${team:sqlstring}", f"'{team}'")
    with measured.reader() as client:
        return {row[0]: row[1] for row in client.query(sql).result_rows}


def shown(reader: Reader) -> dict[str, int]:
    """What it shows."""
    rows = reader.page.locator(f"{reader.panel('Kanalen')} tbody tr")
    cells = [row.locator("td").all_text_contents() for row in rows.all()]
    return {cell[0]: int(re.sub(r"\D", "", cell[1])) for cell in cells}


def serious(reader: Reader) -> list[str]:
    """What axe-core finds that keeps people out."""
    found = Axe().run(reader.page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


def one_column(reader: Reader) -> None:
    """Nothing sticks out of a phone, and all panels are below each other."""
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    lefts = {round((panel.bounding_box() or {"x": -1})["x"]) for panel in reader.page.locator("section.panel").all()}
    assert len(lefts) == 1


def test_there_are_nine_boards_in_both_languages() -> None:
    assert len(BOARDS) == 18


@pytest.mark.parametrize("uid", BOARDS)
def test_every_board_shows_all_its_panels_and_asks_nobody_else(reader: Reader, uid: str) -> None:
    reader.open(uid)
    panels = [panel for panel in board(uid).panels if panel.type != "row"]
    assert reader.page.locator("section.panel").count() == len(panels)
    assert reader.page.locator(".panel .problem").all_text_contents() == []
    assert reader.page.locator("html").get_attribute("lang") == uid[-2:]
    assert serious(reader) == []
    reader.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    one_column(reader)
    assert (reader.problems, reader.abroad) == ([], [])


def test_every_kind_of_panel_is_drawn_with_its_figures(reader: Reader, measured: Town) -> None:
    reader.open(NL)
    expect(reader.page.locator(".js-plotly-plot svg.main-svg").first).to_be_visible()
    assert reader.page.locator(".js-plotly-plot").count() == CHARTS
    assert shown(reader) == channels(measured)
    days = reader.page.locator(f"{reader.panel('Per dag')} tbody tr")
    assert days.count() > 40
    assert set(reader.page.locator(f"{reader.panel('Per kanaal')} thead th").all_text_contents()[1:]) == set(channels(measured))
    assert "1.234.567" in reader.page.locator(reader.panel("Klok")).inner_text()
    assert "83 %" in reader.page.locator(reader.panel("Meter")).inner_text()
    words = reader.page.locator(reader.panel("Woorden"))
    assert words.locator("strong").all_text_contents() == ["Vet"]
    assert "<b>geen HTML</b>" in words.inner_text()
    assert words.locator("a", has_text="geen").count() == 0
    refused = reader.page.locator(f"{reader.panel('Fout')} .problem")
    assert "ClickHouse weigert deze vraag" in refused.inner_text()
    assert "nothing_of_the_kind" in refused.inner_text()
    assert reader.abroad == []


def test_it_refreshes_by_itself(reader: Reader) -> None:
    reader.open(NL)
    clock = reader.page.locator(f"{reader.panel('Klok')} dd").first
    before, stamp = clock.inner_text(), reader.page.locator("#panels").get_attribute("data-at")
    expect(clock).not_to_have_text(before)
    expect(reader.page.locator("#panels")).not_to_have_attribute("data-at", stamp or "")


def test_a_reader_filters_and_the_figures_follow(reader: Reader, measured: Town) -> None:
    reader.open(NL)
    everything = shown(reader)
    team = reader.page.locator("select[name=var-team] option").nth(1).get_attribute("value") or ""
    reader.page.select_option("select[name=var-team]", team)
    reader.page.wait_for_url(re.compile("var-team=(?!%2A|\\*)"))
    reader.ready()
    assert shown(reader) == channels(measured, team) != everything
    reader.page.select_option("select[name=from]", "now-7d")
    reader.page.wait_for_url(re.compile("from=now-7d"))
    reader.ready()
    assert reader.page.input_value("select[name=var-team]") == team


def test_a_reader_drills_down_and_changes_language(reader: Reader) -> None:
    reader.open(NL)
    reader.page.locator(f"{reader.panel('Kanalen')} tbody a").first.click()
    reader.page.wait_for_url(re.compile(f"/d/contactmeter-now-nl\\?var-organisation={TOWN}&var-channel=\\w+$"))
    reader.ready()
    reader.page.click("text=English")
    reader.page.wait_for_url(re.compile("/d/contactmeter-now-en"))
    reader.ready()
    assert reader.page.locator("html").get_attribute("lang") == "en"
    assert [one for one in reader.problems if NL not in one] == []  # the fixture has a panel that is refused
    assert reader.abroad == []


def test_it_says_what_fires_and_takes_note_of_who_looks(reader: Reader, served: Served) -> None:
    reader.open(NL)
    alert = reader.page.locator("#alerts li.page", has=reader.page.locator("button")).first
    expect(alert).to_contain_text("Telefoon", timeout=60_000)
    reader.page.once("dialog", lambda dialog: dialog.accept("Jan de Wit"))
    alert.locator("button").click()
    expect(reader.page.locator("#told")).to_contain_text("Verstuurd")
    assert [(organisation, who) for organisation, _, who in served.seen] == [(TOWN, "Jan de Wit")]


def test_it_can_be_used_by_keyboard_alone(reader: Reader) -> None:
    reader.open(NL)
    reader.page.keyboard.press("Tab")
    expect(reader.page.locator(":focus")).to_have_text("Naar het bord")
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(":focus")).to_have_attribute("id", "panels")
    about = reader.page.locator(f"{reader.panel('Klok')} .about")
    for _ in range(4):
        reader.page.keyboard.press("Tab")
        if reader.page.locator(":focus").evaluate("one => one.tagName") == "SUMMARY":
            break
    reader.page.keyboard.press("Enter")
    expect(about.locator("p")).to_be_visible()
    table = reader.page.locator(f"{reader.panel('Per dag')} details:not(.about) summary")
    table.focus()
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator(f"{reader.panel('Per dag')} table")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_serious_is_in_the_way_of_a_screen_reader(browser: Browser, served: Served, dark: bool) -> None:
    with reading(browser, served, dark=dark) as reader:
        reader.open(EN)
        assert serious(reader) == []
        for chart in reader.page.locator(".chart").all():
            assert "table below" in (chart.get_attribute("aria-label") or "")


def test_a_phone_shows_one_column_and_scrolls_one_way(browser: Browser, served: Served) -> None:
    with reading(browser, served, *PHONE) as reader:
        reader.open(NL)
        one_column(reader)


def test_a_wall_screen_is_large_and_has_no_controls(browser: Browser, served: Served) -> None:
    with reading(browser, served, 1920, 1080) as reader:
        reader.open(NL, kiosk="")
        assert float(reader.page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")) > 16
        expect(reader.page.locator("select[name=from]")).to_be_hidden()
        expect(reader.page.locator("#stamp")).to_be_visible()


def test_figures_that_stand_still_are_seen_to(browser: Browser, measured: Town) -> None:
    with serving(measured) as own, reading(browser, own) as reader:
        reader.open(NL)
        before = shown(reader)
        own.stop()
        panel = reader.page.locator(reader.panel("Kanalen"))
        expect(panel.locator(".problem")).to_contain_text("Het bord antwoordt niet")
        expect(panel.locator(".problem")).to_contain_text("Wat hier staat is van")
        expect(reader.page.locator("#stamp")).to_contain_text("niet alles is bij")
        assert shown(reader) == before
