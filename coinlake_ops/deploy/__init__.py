"""Brings an Azure environment to what this repository says: `coinlake deploy plan|apply|destroy`.

Every part compares what should be with what is, prints the difference, and changes only that.
"""

from coinlake_ops.deploy import bundle, deployment, doctor, environment_file, smoke
from coinlake_ops.deploy.clients import Clients

__all__ = ["Clients", "bundle", "deployment", "doctor", "environment_file", "smoke"]
