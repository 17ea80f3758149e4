"""What the server and the agent do not load."""

import subprocess
import sys

import pytest

HEAVY = ("rich", "pydantic.v1.errors", "sqlalchemy.dialects.postgresql", "jinja2", "alembic",
         "sqlalchemy.orm", "click.testing", "httpx._main")  # fmt: skip


@pytest.mark.parametrize("process", ["perron.server.serving", "perron.agent.main"])
def test_what_nobody_needs_at_rest_is_not_loaded(process):
    code = (
        "import sys; from perron.kit import memory; memory.spare_unused(); "
        f"import {process}; print([name for name in {HEAVY} if sys.modules.get(name)])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_what_is_there_when_serving_begins_is_looked_through_no_more():
    code = (
        "import gc; import perron.server.serving; from perron.kit import memory; "
        "memory.settle(); print(gc.get_freeze_count() > 50_000 > len(gc.get_objects()))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"
