"""Numbers of things in messages."""


def counted(number: int, thing: str, things: str = "") -> str:
    """``1 slice``, ``2 slices``, and with ``things`` words whose plural has no s.

    Args:
        number: how many.
        thing: what, of one.
        things: what, of several; ``thing`` and an s by default.
    """
    return f"{number} {thing if number == 1 else things or thing + 's'}"
