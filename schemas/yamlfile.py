"""Reading a YAML file of a person into a model, with errors that name file, line and remedy."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import InvalidConfiguration
from schemas.messages import sentence

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice (YAML itself silently takes the last). Leaves dates as text: a model tells better what is wrong."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem="a list or mapping can't be a key", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path, model: type[Model]) -> Model:
    """The file as `model`. Raises InvalidConfiguration with every fault found, one a line: `file:line: place: what is wrong`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidConfiguration(f"{path}: can't be read ({error.strerror}); check the name and its permissions") from None
    except UnicodeDecodeError:
        raise InvalidConfiguration(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    return loads(text, model, str(path))


def loads(text: str, model: type[Model], name: str) -> Model:
    """As `load`, from text; `name` stands in the messages."""
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidConfiguration(f"{name}:{line}: not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InvalidConfiguration(f"{name}: not valid YAML: {error}") from None
    if not isinstance(document, dict):
        held = "nothing" if document is None else "a list" if isinstance(document, list) else "a single value"
        raise InvalidConfiguration(f"{name}:1: the file must hold a mapping of names to values; it holds {held}")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # Of a list whose entries are all faulty pydantic also says that it is too short.
        details = [detail for detail in error.errors(include_url=False) if detail["type"] != "too_short" or not detail["input"]]
        root = yaml.compose(text, Loader=_Loader)  # with its lines; only a file that is wrong pays for it
        faults = [_fault(name, root, detail) for detail in details]
        raise InvalidConfiguration("\n".join(faults)) from None


def _fault(name: str, root: yaml.Node | None, detail: ErrorDetails) -> str:
    location = tuple(part for part in detail["loc"] if part != "[key]") + detail.get("ctx", {}).get("place", ())
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    match detail["type"]:
        case "extra_forbidden":
            message = "this name is not known here; check its spelling"
        case "literal_error":
            message = f"{sentence(detail)}; it is {detail['input']!r}"
        case _:
            message = sentence(detail)
    return f"{name}:{_line(root, location)}: {place or 'file'}: {message}"


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the deepest node that the location leads to."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if str(key.value) == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
