"""The picture of the two READMEs: what `maillab graph --brief` draws of the stack dc1es."""

from components.load import parse
from components.plan import plan_of
from maillab.cli.graph import Format, picture_text
from maillab.graph.network import picture_of
from tests.support.documents import READMES, ROOT, blocks, read
from tests.support.language import speaking
from tests.support.stacks import stack_data


def readme(language: str) -> str:
    """The README with its first block, the picture, drawn again."""
    text = read(ROOT / READMES[language])
    with speaking(language):
        picture = picture_text(
            picture_of(plan_of(parse(stack_data(ROOT, "dc1es"), "dc1es"))), Format.TERMINAL, brief=True
        )
    return text.replace(f"```\n{blocks(text)[0].text}```", f"```\n{picture}```", 1)
