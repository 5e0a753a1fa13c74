"""The connectors that ship, by name. Imported only when asked for, so that one connector's needs are not another's."""

from importlib import import_module
from typing import Any

from connectors.protocol import Refused

_CONNECTORS = {
    "mapped-file": ("connectors.mapped_file.connector", "MappedFile"),
    "simulator": ("connectors.simulator.connector", "Simulator"),
}

NAMES: tuple[str, ...] = tuple(_CONNECTORS)


def connector_class(name: str) -> Any:
    """The class of a connector; it follows connectors.protocol.Connector. Raises Refused for a name that does not exist."""
    if name not in _CONNECTORS:
        raise Refused(f"connector {name!r} does not exist; there are: {', '.join(NAMES)}")
    module, attribute = _CONNECTORS[name]
    return getattr(import_module(module), attribute)
