"""cloudaudit audits cloud deployments: residency, recovery, portability, security, commitments."""

__version__ = "0.1.0"
