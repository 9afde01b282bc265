"""Layout of the helps of commands."""

from __future__ import annotations

import argparse


class DefaultsHelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Appends the default to the help of an option that has one and does not tell it itself."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        # An equal 0 is a default worth telling.
        none = action.default is None or action.default is False or action.default == []
        if none or "default: " in (action.help or ""):
            return action.help
        return super()._get_help_string(action)
