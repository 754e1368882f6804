"""The fitted weights of the second opinion."""


def doubt() -> None:
    """Placeholder."""
