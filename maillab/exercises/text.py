"""What exercises say to people, in the reader's language: `messages/<language>.toml`."""

from pathlib import Path

from components.config.catalogue import CHINESE, ENGLISH, catalogue, filled, line, plain_values
from maillab.exercises.exercise import Text

MESSAGES = Path(__file__).parent / "messages"


def text(key: str, /, **values: object) -> str:
    """The text `key` with these values."""
    return line(key, plain_values(values), MESSAGES)


def both(key: str, /, **values: object) -> Text:
    """The text `key` in both languages."""
    en, chinese = (
        filled(catalogue(wanted, MESSAGES)["text"][key], plain_values(values)) for wanted in (ENGLISH, CHINESE)
    )
    return Text(en=en, zh=chinese)
