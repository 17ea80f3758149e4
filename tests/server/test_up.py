"""What ``perron up`` needs before server and agent have begun."""

import subprocess
import sys

ASK = (
    "import sys, perron.server.main, perron.server.up; "
    "print(*sorted({'sqlalchemy', 'pydantic', 'fastapi', 'httpx'} & set(sys.modules)))"
)


def test_up_loads_neither_a_database_library_nor_a_shape():
    told = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
