"""An API that answers at once; the worker beside it works in its own time."""

import os
from datetime import UTC, datetime

from fastapi import FastAPI

app = FastAPI(title="fastapi-worker")


@app.get("/")
async def index():
    """Say who answers, and when."""
    return {
        "app": os.environ.get("PERRON_APP"),
        "release": os.environ.get("PERRON_RELEASE"),
        "instance": os.environ.get("PERRON_INSTANCE"),
        "time": datetime.now(UTC).isoformat(),
    }
