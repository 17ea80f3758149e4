"""Write docs/reference/perron.schema.json from the table that the parser reads."""

import json
from pathlib import Path

from perron.builds.model.schema import schema

WHERE = Path(__file__).parents[1] / "docs" / "reference" / "perron.schema.json"


def text() -> str:
    """Return the schema as it is kept."""
    return json.dumps(schema(), indent=2) + "\n"


def main() -> None:
    """Write it."""
    WHERE.parent.mkdir(parents=True, exist_ok=True)
    WHERE.write_text(text())


if __name__ == "__main__":
    main()
