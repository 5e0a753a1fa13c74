"""Write the generated files again, or check that they are as they would be written: `python -m dashboards.generate [--check]`."""

import json
import sys
from pathlib import Path
from typing import Final

from dashboards import alerts
from dashboards.build.boards import BOARDS
from dashboards.runbooks import page as runbooks
from dashboards.words import LANGUAGES

FOLDER: Final = Path(__file__).with_name("generated")
DOCS: Final = Path(__file__).parent.parent / "docs"


def files() -> dict[str, str]:
    """The text of every generated file by its path under `generated`."""
    found = {}
    for build in BOARDS:
        for language in LANGUAGES:
            board = build(language)
            found[f"boards/{language}/{board.name}.json"] = json.dumps(board.content(), indent=1, ensure_ascii=False) + "\n"
    found |= {f"alerting/{path}": text for path, text in alerts.files().items()}
    found["public/operations.html"] = runbooks((DOCS / "OPERATIONS.md").read_text(encoding="utf-8"))
    return found


def main(arguments: list[str]) -> int:
    """Exit code 1 when `--check` finds a file that is not as it would be written, or one too many."""
    wanted = files()
    present = {str(path.relative_to(FOLDER)): path for path in FOLDER.rglob("*") if path.is_file()}
    if "--check" in arguments:
        wrong = [path for path, text in wanted.items() if path not in present or present[path].read_text(encoding="utf-8") != text]
        wrong += [path for path in present if path not in wanted]
        for path in sorted(wrong):
            print(f"dashboards/generated/{path} is not what the generator writes; run make generate", file=sys.stderr)
        return 1 if wrong else 0
    for path, text in wanted.items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for path, place in present.items():
        if path not in wanted:
            place.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
