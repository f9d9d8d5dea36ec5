"""Why something is quarantined."""

from typing import Annotated

from pydantic import Field

from ringfence.model.fields import Statement
from ringfence.model.rules import Model


class Incident(Model):
    """Why the tenant, or one Namespace, is quarantined."""

    id: Annotated[str, Field(max_length=64, pattern="^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
    """Id in the platform team's incident process; records of everything that is done for it carry it."""
    reason: Statement
    """What happened."""
