"""docs/OPERATIONS.md as a page that Grafana and the local board serve: what alerts link to must be there without the internet."""

import re
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body {{ font: 1rem/1.55 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem }}
body {{ color: #1b1b1b; background: #fff }} a {{ color: #00598c }} :target {{ background: #fff3c4 }}
pre {{ background: #f2f2f2; padding: .8rem; overflow-x: auto }} code {{ background: #f2f2f2 }}
table {{ border-collapse: collapse; display: block; overflow-x: auto }}
th, td {{ border: 1px solid #bbb; padding: .3rem .6rem; text-align: left; vertical-align: top }}
</style></head><body><main>
"""


def anchor_of(heading: str) -> str:
    """The anchor of a heading, as code hosts make it: lower case, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-")


def page(markdown: str) -> str:
    """The page as HTML; headings carry their anchors. Links to other files of docs/ become plain text: those are not served."""
    reader = MarkdownIt("commonmark").enable("table")
    tokens = reader.parse(markdown)
    title = "contactmeter"
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor_of(inline.content))
            if token.tag == "h1":
                title = inline.content
    for token in tokens:
        token.children = _without_outside_links(token.children)
    return _HEAD.format(title=escape(title)) + str(reader.renderer.render(tokens, reader.options, {})) + "</main></body></html>\n"


def _without_outside_links(children: list[Token] | None) -> list[Token] | None:
    if children is None:
        return None
    kept, dropped = [], False
    for child in children:
        if child.type == "link_open":
            dropped = not str(child.attrGet("href")).startswith(("#", "https://"))
        if not (dropped and child.type in ("link_open", "link_close")):
            kept.append(child)
    return kept
