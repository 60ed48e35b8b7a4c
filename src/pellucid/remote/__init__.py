"""Models behind a network: endpoints that speak the Open Inference Protocol v2."""

from pellucid.remote.endpoint import Endpoint
from pellucid.remote.faults import BadAnswer, BadEndpoint, EndpointDown

__all__ = ["BadAnswer", "BadEndpoint", "Endpoint", "EndpointDown"]
