"""Helps tell every default once."""

from __future__ import annotations

import argparse
import importlib

import pytest

from fitgym.cli.command import COMMANDS
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym_agents.cli import COMMANDS as AGENTS
from fitgym_benchmarks.cli import COMMANDS as BENCHMARKS

EVERY = {**COMMANDS, **AGENTS, **BENCHMARKS}


def helps(parser: argparse.ArgumentParser) -> list[str]:
    texts = [" ".join(parser.format_help().split())]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts += [text for child in action.choices.values() for text in helps(child)]
    return texts


@pytest.mark.parametrize("name", EVERY)
def test_no_default_is_told_twice_or_is_none(name) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(EVERY[name].module).add_arguments(parser)
    for text in helps(parser):
        assert ") (default" not in text
        for none in ("None", "False", "[]"):
            assert f"(default: {none})" not in text


def test_defaults_that_there_are_are_told() -> None:
    parser = argparse.ArgumentParser(formatter_class=DefaultsHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the first episode")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    text = " ".join(parser.format_help().split())
    assert "of the first episode (default: 0)" in text
    assert text.endswith("no progress")
