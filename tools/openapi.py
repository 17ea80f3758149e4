"""Writes the API's contract to ``docs/reference/openapi.json``: ``python -m tools.openapi``."""

import json
import tempfile
from pathlib import Path

from perron.kit.db import open_database
from perron.kit.settings import Home, Settings
from perron.server.app import create_app
from tools import reference

SNAPSHOT = Path(__file__).resolve().parent.parent / "docs" / "reference" / "openapi.json"


def document() -> str:
    """Return the contract as text that shows each change on a line of its own."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/perron.db")
        app = create_app(database, Home(Path(folder)), Settings())
        contract = app.openapi()
        database.dispose()
    contract["info"]["version"] = "1"
    return json.dumps(contract, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
    SNAPSHOT.write_text(document())
    print(SNAPSHOT)
    reference.main()  # pages that follow from it


if __name__ == "__main__":
    main()
