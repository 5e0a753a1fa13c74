"""Teams, products and locations as rows of a table: what they are called, and the way from a row to the board of its channel."""

from dashboards.build import sql
from dashboards.build.page import Page, board_url
from dashboards.words import Text

_NAMES = {"team": Text("team", "team"), "product": Text("product", "product"), "location": Text("locatie", "location")}


def dimension_name(page: Page, column: str = "dimension") -> str:
    """A dimension in words."""
    return sql.said(column, _NAMES, page.language)


def cell_link(page: Page, channel: str) -> str:
    """The board of a row's channel, with the row's `dimension` set to its `cell`."""
    own = board_url("channel", page.language, organisation="${organisation:percentencode}", channel=channel)
    return own + "&var-${__data.fields.dimension:raw}=${__data.fields.cell:percentencode}"
