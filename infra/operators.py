"""Who changes something by a command: the product itself, under the name of whoever uses this machine."""

import getpass
import os
from uuid import UUID

from core.principal import Origin, Principal, Via, system


def operator(organization_id: UUID) -> Principal:
    return system(organization_id).coming_from(Origin(Via.COMMAND, agent=_name()))


def _name() -> str:
    """A container may run under a number that has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"
