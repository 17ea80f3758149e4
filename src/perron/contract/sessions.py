"""One-off commands: ``run`` in a fresh sandbox, ``exec`` in a running one.

Both are WebSockets. Binary frames are bytes of input (to the command) and output (from it).
Text frames are JSON: ``{"resize": [rows, columns]}`` and ``{"end_of_input": true}`` and
``{"signal": "INT"}`` towards it; ``{"exit": code, "text": …}`` from it, as the last one.
"""

from pydantic import BaseModel, ConfigDict

RUN = "/v1/apps/{app}/environments/{environment}/runs"
ATTACH = RUN + "/{run}/attach"
EXEC = "/v1/apps/{app}/environments/{environment}/instances/{instance}/exec"


class RunRequest(BaseModel):
    """A command to run once with the live release's build, config and volumes."""

    model_config = ConfigDict(extra="forbid")

    argv: list[str]
    terminal: bool = False
    interactive: bool = True


class RunView(BaseModel):
    """A one-off command that was asked for."""

    id: str
    state: str
    exit_code: int | None = None
