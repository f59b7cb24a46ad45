"""A group of commands that answers ``-h``, and a mistyped command with the one that was meant."""

from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperGroup

from cl_seg.messages.errors import InputError

OTHER_WORDS = {
    **dict.fromkeys(("train", "evaluate", "resume"), "run"),
    **dict.fromkeys(("segment", "infer"), "predict"),
    **dict.fromkeys(("networks", "strategies", "profiles", "scores"), "list"),
    "import": "ingest",
    "simulate": "phantom",
}
"""What a command is called elsewhere → its name here."""


class CommandGroup(TyperGroup):
    """A group of commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first of some arguments names.

        Raises:
            InputError: there is none, with what was meant or what there is.
        """
        name = args[0]
        if name not in self.commands and not name.startswith("-") and not ctx.resilient_parsing:
            raise InputError(f"no command {name}: {self._meant(name)} See `{ctx.command_path} -h`")
        return super().resolve_command(ctx, args)

    def _meant(self, name: str) -> str:
        shown = {name: name for name, command in self.commands.items() if not command.hidden}
        others = {word: command for word, command in OTHER_WORDS.items() if command in shown}
        words = {**others, **shown}
        if close := get_close_matches(name.lower(), words, n=1):
            return f"did you mean {words[close[0]]}?"
        return f"expected {', '.join(shown)}."


def command_group(description: str, **options: Any) -> typer.Typer:
    """An empty group of commands, which prints its help when it is given none."""
    return typer.Typer(
        cls=CommandGroup,
        help=description,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        **options,
    )
