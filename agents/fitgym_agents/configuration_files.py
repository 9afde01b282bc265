"""Settings of agents from YAML files and from the command line.

A file holds how an agent is trained, a section per environment:

    fitgym/Acquisition-v0:
      total_timesteps: 300_000
      configuration:
        learning_rate: 1e-3

Both keys of a section may be left out. ``configurations/`` has one file per agent, named after
it.
"""

from __future__ import annotations

import json
import os
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from fitgym.common.validation import require_integer
from fitgym_agents.agent import Agent


@dataclass(frozen=True, kw_only=True)
class TrainingConfiguration:
    """How an agent is trained in one environment.

    Attributes:
        total_timesteps: Environment steps; None if the file leaves them open.
        configuration: Settings of the agent that differ from its defaults.
        source: Where they are written, for messages; empty if nowhere.
    """

    total_timesteps: int | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without aliases and repeated keys, which reads 1e-3 as a number.

    PyYAML follows YAML 1.1, in which a number with an exponent needs a point and a sign.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            # Aliases of aliases make some lines grow beyond the memory.
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*) are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def read_configurations(path: str | os.PathLike[str]) -> dict[str, TrainingConfiguration]:
    """Return the sections of a file, by environment.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file; the message names file and key.
        TypeError: If a value has the wrong type.
    """
    content = _parse(Path(path).read_bytes(), str(path))
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a section per environment, got {_short(content)}")
    return {str(name): _section(f"{path}: {name}", section) for name, section in content.items()}


def _section(source: str, section: object) -> TrainingConfiguration:
    if not isinstance(section, dict):
        raise TypeError(f"{source} must hold keys and values, got {_short(section)}")
    allowed = ("total_timesteps", "configuration")
    unknown = sorted(str(key) for key in section if key not in allowed)
    if unknown:
        raise ValueError(f"{source} has unknown keys {unknown}; allowed are {', '.join(allowed)}")
    configuration = section.get("configuration") or {}
    if not isinstance(configuration, dict):
        raise TypeError(
            f"{source}: configuration must hold keys and values, got {_short(configuration)}"
        )
    steps = section.get("total_timesteps")
    if steps is not None:
        require_integer(f"{source}: total_timesteps", steps, 1)
    return TrainingConfiguration(total_timesteps=steps, configuration=configuration, source=source)


def shipped_configurations() -> dict[str, dict[str, TrainingConfiguration]]:
    """Return every section that ships, by agent and environment."""
    folder = Path(str(resources.files("fitgym_agents") / "configurations"))
    return {path.stem: read_configurations(path) for path in sorted(folder.glob("*.yaml"))}


def configuration_for(
    agent: str, env_id: str, path: str | os.PathLike[str] | None = None
) -> TrainingConfiguration:
    """Return how ``agent`` is trained in an environment.

    Args:
        agent: Name of the agent.
        env_id: Registered id.
        path: A file of one's own; None for the one that ships, if there is one.

    Raises:
        ValueError: If ``path`` has no section for the environment; without ``path``, an empty
            one is returned.
    """
    if path is None:
        return shipped_configurations().get(agent, {}).get(env_id, TrainingConfiguration())
    sections = read_configurations(path)
    if env_id not in sections:
        raise ValueError(f"{path} has no section {env_id!r}; it has {', '.join(sections)}")
    return sections[env_id]


def check_configuration(
    agent_class: type[Agent], configuration: Mapping[str, Any], source: str
) -> None:
    """Check settings before anything is made with them.

    Args:
        agent_class: Whose settings they are. Those that are the arguments of the class are left
            to ``Agent.create``.
        configuration: The settings.
        source: Where they come from, for the message.

    Raises:
        ValueError: If a key is unknown or a value out of range.
        TypeError: If a value has the wrong type.
    """
    if agent_class.settings_class is None:
        return
    try:
        agent_class.settings_class.from_mapping(configuration)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{source}: {error}") from None


def named_values(option: str, words: Sequence[str]) -> dict[str, Any]:
    """Return ``NAME=VALUE`` words of a command line as a dictionary.

    Values are read as YAML: 3, 1e-3, true, [64, 64], full.

    Args:
        option: What to call them in messages.
        words: The words.

    Raises:
        ValueError: If a word has another form, or a value is not JSON-able.
    """
    values: dict[str, Any] = {}
    for word in words:
        name, separator, text = word.partition("=")
        if not (name and separator):
            raise ValueError(f"{option} must be NAME=VALUE, got {_short(word)}")
        if name in values:
            raise ValueError(f"{option} gives {name} twice")
        values[name] = _parse(text, f"{option} {name}")
        try:
            json.dumps(values[name], allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(f"{option} {name} cannot be {_short(values[name])}") from None
    return values


def split_agent(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and arguments of an agent written as ``NAME,argument=value,...``.

    Raises:
        ValueError: If an argument is malformed.
    """
    name, *words = text.split(",")
    return name, named_values(f"argument of {name}", words)


def _parse(text: str | bytes, source: str) -> Any:
    """Return what a YAML text says; ``source`` is how to call it in messages."""
    try:
        # _Loader is a safe one: it makes plain values only.
        return yaml.load(text, _Loader)
    except RecursionError:
        raise ValueError(f"{source} is not valid YAML: nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{source} is not valid YAML: {' '.join(str(error).split())}") from None


def _short(value: object) -> str:
    """Return ``value`` as written in Python, shortened for a message."""
    return reprlib.repr(value)
