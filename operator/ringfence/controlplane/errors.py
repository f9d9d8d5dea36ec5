"""What can go wrong around the control plane; each message says what to do next."""


class ControlPlaneError(Exception):
    """The control plane, or a tool that it needs, cannot be had."""


class ToolMissingError(ControlPlaneError):
    """No source has the tool."""
