"""Jobs: work that runs a tenant's code once, asked for by name, whatever becomes of the agent."""

from .model import JobDiffers, JobNotFound, JobRefused
from .service import Jobs

__all__ = ["JobDiffers", "JobNotFound", "JobRefused", "Jobs"]
