"""Models behind a network: endpoints of the Open Inference Protocol v2, and of plain JSON."""

from pellucid.remote.endpoint import Endpoint
from pellucid.remote.faults import BadAnswer, BadEndpoint, EndpointDown
from pellucid.remote.terms import Terms

__all__ = ["BadAnswer", "BadEndpoint", "Endpoint", "EndpointDown", "Terms"]
