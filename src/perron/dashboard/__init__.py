"""The dashboard: pages over the platform API. They use the client alone, as any script could."""

from .house import Doorway, create_dashboard

__all__ = ["Doorway", "create_dashboard"]
