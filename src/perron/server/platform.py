"""The platform about itself: whether it answers, and what it is."""

from datetime import timedelta
from time import monotonic

from fastapi import APIRouter, Request

from perron import __version__, access, runtime
from perron.access import By
from perron.contract.node import VERSION, NodeView
from perron.contract.platform import HEALTH, PLATFORM, AgentView, HealthView, PlatformView
from perron.kit import clock
from perron.kit.settings import Home, Settings
from perron.kit.web import Work

from . import freshness

API = "v1"

router = APIRouter(tags=["platform"])
started = clock.now()


@router.get(HEALTH)
def health() -> HealthView:
    """Say whether the server answers; needs no token."""
    return HealthView(status="ok", version=__version__)


@router.get(PLATFORM)
def show_platform(request: Request, work: Work, by: By) -> PlatformView:
    """Say what this platform is, and when its node was last heard."""
    access.authorize_platform(work, by, "platform.read")
    settings: Settings = request.app.state.settings
    home: Home = request.app.state.home
    sight = runtime.sight_of(home)
    node = runtime.node_of(home)
    ago = timedelta(seconds=monotonic() - sight.at)
    return PlatformView(
        version=__version__,
        api=API,
        url=settings.url,
        apps_domain=settings.apps_domain,
        http_port=settings.http_port,
        https_port=settings.https_port,
        started=started,
        node=sight.report.node if sight.report else None,
        node_seen=clock.now() - ago if sight.report else None,
        backup_made=freshness.newest_at(home),
        speaks=VERSION,
        agent=_agent(node) if node else None,
        agent_refuses=" ".join(dict.fromkeys(sight.refusals.values())),
    )


def _agent(node: NodeView) -> AgentView:
    return AgentView(
        version=node.agent_version,
        speaks=node.version,
        started=node.started,
        not_understood=node.not_understood,
    )
