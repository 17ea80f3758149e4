"""How perron.db came to be, one step after the other."""

from pathlib import Path

FOLDER = str(Path(__file__).parent)
