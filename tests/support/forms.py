"""What messages are made of: parts in every transfer encoding, archives, messages in messages."""

import base64
import binascii
import io
import quopri
import tarfile
import zipfile

# In pieces, so that a virus scanner lets this file live.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PAGE = b"<html><head><title>invoice</title></head><body><p>" + EICAR + b"</p></body></html>\n"


def lines(*text: bytes | str) -> bytes:
    """Lines with their ends."""
    return b"".join((one.encode() if isinstance(one, str) else one) + b"\r\n" for one in text)


def crlf(content: bytes) -> bytes:
    """With the line ends of a message."""
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def encoded(content: bytes, encoding: str) -> bytes:
    """`content` in a transfer encoding."""
    match encoding.lower():
        case "base64":
            return crlf(base64.encodebytes(content))
        case "quoted-printable":
            return crlf(quopri.encodestring(content))
        case _:
            return content + b"\r\n"


def as_hex(content: bytes) -> bytes:
    """Quoted-printable with every byte quoted, in short lines."""
    quoted = [b"=%02X" % byte for byte in content]
    return b"=\r\n".join(b"".join(quoted[start : start + 20]) for start in range(0, len(quoted), 20)) + b"\r\n"


def single(kind: str, encoding: str, content: bytes = EICAR) -> bytes:
    """A message of one part."""
    about = ["MIME-Version: 1.0", f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}"]
    return lines("Subject: invoice", *about, "") + encoded(content, encoding)


def part(
    kind: str, encoding: str, content: bytes = EICAR, disposition: str = "attachment; filename=invoice.dat"
) -> bytes:
    """A part of a multipart message."""
    about = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}"]
    about += [f"Content-Disposition: {disposition}"] if disposition else []
    return lines(*about, "") + encoded(content, encoding)


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "limit", about: str | None = None) -> bytes:
    """A multipart message; `about` in place of its Content-Type line's value."""
    header = lines(
        "Subject: invoice", "MIME-Version: 1.0", f"Content-Type: {about or f'multipart/{kind}; boundary={boundary}'}"
    )
    return header + b"\r\n" + body_of(*parts, boundary=boundary)


def body_of(*parts: bytes, boundary: str = "limit") -> bytes:
    """The body of a multipart message."""
    return b"".join(lines(f"--{boundary}") + one for one in parts) + lines(f"--{boundary}--")


TEXT = lines("Content-Type: text/plain; charset=utf-8", "", "see the attachment")


def attached(content: bytes, name: str = "invoice.dat", kind: str = "application/octet-stream") -> bytes:
    """A message with a text and an attachment in base64."""
    return multipart(TEXT, part(kind, "base64", content, f"attachment; filename={name}"))


def zipped(content: bytes, name: str = "invoice.com", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as file:
        file.writestr(name, content)
    return archive.getvalue()


def nested(depth: int, content: bytes, name: str = "invoice.com") -> bytes:
    """Zip files in each other."""
    for level in range(depth):
        content = zipped(content, name if level == 0 else f"{level}.zip")
    return content


def tarred(content: bytes, name: str = "invoice.com") -> bytes:
    """A tar file."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        about = tarfile.TarInfo(name)
        about.size = len(content)
        file.addfile(about, io.BytesIO(content))
    return archive.getvalue()


def locked(content: bytes, name: str = "invoice.com") -> bytes:
    """A zip file whose member says that it is encrypted (APPNOTE.TXT, section 4.4.4, bit 0)."""
    archive = bytearray(zipped(content, name, zipfile.ZIP_STORED))
    archive[6] |= 1
    archive[archive.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(archive)


def uuencoded(content: bytes, name: str = "invoice.com") -> bytes:
    """uuencode(1)."""
    coded = [binascii.b2a_uu(content[start : start + 45]).rstrip(b"\n") for start in range(0, len(content), 45)]
    return lines(f"begin 644 {name}", *coded, "`", "end")


def yencoded(content: bytes, name: str = "invoice.com") -> bytes:
    """yEnc, version 1.3 (http://www.yenc.org/yenc-draft.1.3.txt)."""
    coded = b""
    for byte in content:
        shifted = (byte + 42) % 256
        coded += b"=" + bytes([(shifted + 64) % 256]) if shifted in b"\0\n\r=" else bytes([shifted])
    size = len(content)
    return lines(f"=ybegin line=128 size={size} name={name}", coded, f"=yend size={size}")


def forwarded(message: bytes, encoding: str = "7bit") -> bytes:
    """A message in a message."""
    return multipart(TEXT, part("message/rfc822", encoding, message, "attachment"))


def entities(content: bytes) -> bytes:
    """HTML that shows `content` and has none of its bytes."""
    return b"<html><body>" + b"".join(b"&#%d;" % byte for byte in content) + b"</body></html>\r\n"


# The beginning of a RAR file, version 5.
RAR = b"Rar!\x1a\x07\x01\x00" + bytes(range(200))
