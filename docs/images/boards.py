"""Makes the pictures of the boards, docs/images/board-<name>.png, while the demo runs: python docs/images/boards.py [URL] [CHANNEL]."""

import json
import shutil
import sys
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8790"
CHANNEL = sys.argv[2] if len(sys.argv) > 2 else "telephone"
WIDTH, HEIGHT, TALLEST = 1400, 900, 1200
HERE = Path(__file__).parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """One picture a Dutch board."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        sys.exit(f"none of {', '.join(CHROMIUM)} is on PATH: install chromium")
    with urllib.request.urlopen(f"{URL}/api/boards/contactmeter-now-nl") as answer:
        boards = json.load(answer)["boards"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        for board in boards:
            page.goto(f"{URL}/d/{board['uid']}?var-channel={CHANNEL}")
            page.wait_for_selector("#panels[data-at]", timeout=60_000)
            page.wait_for_function("!document.querySelector('#alerts .calm')?.textContent.includes('…')")
            page.wait_for_timeout(500)  # charts settle in their places
            height = min(int(page.evaluate("document.documentElement.scrollHeight")), TALLEST)
            target = HERE / f"board-{board['uid'].split('-')[1]}.png"
            page.screenshot(path=target, full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
            print(f"{target.name}: {target.stat().st_size // 1024} kB")
        browser.close()


if __name__ == "__main__":
    main()
