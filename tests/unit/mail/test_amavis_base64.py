"""amavis' decoder of base64: what a mail program shows, it looks at."""

import base64
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maillab.cli.stack import ROOT

PROGRAM = ROOT / "files" / "amavis" / "image" / "lib" / "amavis-base64.pl"
# MIME-tools is on the machine only: its decoder gets a file to read, and one to print to.
CALL = f"""
BEGIN {{ $INC{{"MIME/Decoder/Base64.pm"}} = 1 }}
require "{PROGRAM}";
binmode STDOUT;
MIME::Decoder::Base64::decode_it(undef, *STDIN{{IO}}, *STDOUT{{IO}});
"""


def decoded(text: bytes) -> bytes:
    """What it makes of the body of a part."""
    return subprocess.run(["perl", "-MIO::Handle", "-e", CALL], input=text, check=True, capture_output=True).stdout


@settings(deadline=None, max_examples=50)
@given(pieces=st.lists(st.binary(max_size=100)), between=st.sampled_from([b"", b"\r\n", b" !\r\n\r\n", b"=\r\n"]))
def test_goes_on_behind_padding(pieces: list[bytes], between: bytes) -> None:
    assert decoded(between.join(map(base64.b64encode, pieces))) == b"".join(pieces)


@settings(deadline=None, max_examples=50)
@given(content=st.binary(min_size=80))
def test_decodes_what_is_folded_as_usual(content: bytes) -> None:
    assert decoded(base64.encodebytes(content)) == content


@pytest.mark.parametrize("at", [0, 1, 4, 41, 44])
def test_passes_over_padding_that_has_no_place(at: int) -> None:
    coded = base64.b64encode(bytes(range(60)))
    assert decoded(coded[:at] + b"=" + coded[at:]) == bytes(range(60))
