"""One word for how an environment is, and what it needs from a person."""

from dataclasses import dataclass

from perron.contract.node import EnvironmentReport, InstanceState
from perron.releases import Summary


@dataclass(frozen=True)
class Glance:
    """What one word about an environment is decided from; None was not observed."""

    has_release: bool
    is_deploying: bool
    stopped: bool
    wished: int
    healthy: int | None
    in_crash_loop: bool = False

    @classmethod
    def of(cls, summary: Summary, report: EnvironmentReport | None, *, is_known: bool) -> "Glance":
        """Put wish and observation together."""
        live = summary.live.number if summary.live else None
        seen = [each for each in report.instances if each.release == live] if report else []
        well = [each for each in seen if each.state is InstanceState.HEALTHY]
        return cls(
            has_release=live is not None,
            is_deploying=summary.coming is not None,
            stopped=summary.stopped,
            wished=0 if live is None or summary.stopped else sum(summary.scale.values()),
            healthy=len(well) if is_known else None,
            in_crash_loop=bool(seen) and any(each.crash_loop for each in seen),
        )


def state_of(glance: Glance) -> str:
    """Say in one word how an environment is."""
    if glance.is_deploying:
        return "deploying"
    if not glance.has_release:
        return "empty"
    if glance.stopped:
        return "stopped"
    if glance.healthy is None:
        return "unknown"
    if glance.healthy >= glance.wished:
        return "healthy"
    return "degraded" if glance.healthy else "failed"


def needs_of(glance: Glance, report: EnvironmentReport | None) -> str:
    """Say what a person should look at; nothing when all is well."""
    if report and report.parked:
        return "Instances run that nothing wishes for: let them go, or deploy again."
    if glance.stopped or not glance.has_release:
        return ""
    if glance.healthy is None:
        return "Nothing was heard from the machine for 15 s: perron status."
    if glance.in_crash_loop:
        return "An instance crashes again and again: perron logs."
    if glance.healthy < glance.wished and not glance.is_deploying:
        return f"{glance.healthy} of {glance.wished} instances are healthy: perron ps."
    return ""
