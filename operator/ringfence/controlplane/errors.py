"""What can go wrong around the control plane; the message says what to do next."""


class ControlPlaneError(Exception):
    """The control plane, or a tool that it needs, cannot be had."""
