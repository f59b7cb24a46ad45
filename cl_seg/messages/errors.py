"""The error that every bad input raises."""


class InputError(Exception):
    """Something the user gave is wrong; the message names it, what was expected and how to fix it.

    The command line prints the message on one line and exits with code 2.
    """


def one_line(error: object) -> str:
    """Text of an error on one line: libraries lay theirs out over several."""
    return " ".join(str(error).split())
