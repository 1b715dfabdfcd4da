"""What went wrong with the computer that the lab runs on."""


class WhereError(Exception):
    """What and where in the message; `remedy` says what to do, a line each; `id` is stable and kebab-case."""

    def __init__(self, id: str, message: str, *remedy: str) -> None:
        super().__init__(message)
        self.id = id
        self.remedy = remedy

    @property
    def text(self) -> str:
        """The message with its remedies below it, as a Command prints it."""
        return "\n".join([f"{self} [{self.id}]", *(f"    {line}" for line in self.remedy)])
