"""Messages with EICAR's test file in every disguise: encodings, types, structures, archives, and magic first lines."""

import base64
import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator

from tests.support.forms import (
    EICAR,
    PAGE,
    RAR,
    TEXT,
    as_hex,
    attached,
    body_of,
    encoded,
    entities,
    forwarded,
    lines,
    locked,
    multipart,
    nested,
    part,
    single,
    tarred,
    uuencoded,
    yencoded,
    zipped,
)

# First bytes by which clamd or others tell files apart, as far as they can stand in a header's first line.
MAGIC = [
    "BM",
    "GIF89a",
    "GIF87a",
    "%PDF-1.4",
    "MZ",
    "PK",
    "{\\rtf1",
    "#!/bin/sh",
    "Rar!",
    "7z",
    "<html>",
    "<?xml",
    "%!PS-Adobe-3.0",
    "RIFF",
    "II*",
    "FWS",
    "CWS",
    "ITSF",
    "MSCF",
    "BZh91AY",
    "SIS",
    "From",
    "ID3",
    "OggS",
    "FORM",
    "fLaC",
    "begin 644",
    "(This file must be converted with BinHex 4.0)",
    "ElfFile",
    "070707",
    "!<arch>",
    "x",
]
ENCODINGS = ["7bit", "8bit", "binary", "base64", "quoted-printable", "BASE64", "Quoted-Printable"]
TYPES = [
    "text/plain",
    "text/html",
    "text/csv",
    "application/octet-stream",
    "application/pdf",
    "application/zip",
    "application/x-msdownload",
    "image/png",
    "image/gif",
    "audio/mpeg",
    "video/mp4",
    "message/delivery-status",
    "application/ms-tnef",
    "x-unknown/x-unknown",
]


def _magic() -> Iterator[tuple[str, bytes]]:
    for magic in MAGIC:
        yield f"first line {magic}:", f"{magic}: x\r\n".encode() + attached(EICAR)
        yield f"first line {magic}: and zip", f"{magic}: 1\r\n".encode() + attached(zipped(EICAR), "invoice.zip")
    yield "first line BM: and text", b"BM: 1\r\n" + single("text/plain", "base64")
    yield "first line BM: and html", b"BM: 1\r\n" + single("text/html", "quoted-printable", PAGE)
    yield "first line BM: and mail in mail", b"BM: 1\r\n" + forwarded(b"GIF89a: 1\r\n" + attached(EICAR))
    yield "magic in a part", attached(b"GIF89a\x01\x00\x01\x00" + b"\x00" * 100 + EICAR, "picture.gif", "image/gif")
    yield "picture with a text behind it", attached(b"BM" + bytes(200) + EICAR + bytes(9), "a.bmp", "image/bmp")


def _encodings() -> Iterator[tuple[str, bytes]]:
    for kind in TYPES:
        for encoding in ("7bit", "base64", "quoted-printable"):
            content = PAGE if kind == "text/html" else EICAR
            yield f"{kind} in {encoding}", single(kind, encoding, content)
            yield f"{kind} in {encoding} attached", multipart(TEXT, part(kind, encoding, content))
            yield f"{kind} in {encoding} inline", multipart(TEXT, part(kind, encoding, content, "inline"))
    for encoding in ENCODINGS:
        yield f"{encoding} without a disposition", multipart(TEXT, part("text/html", encoding, PAGE, ""))
    yield (
        "quoted-printable of every byte",
        single("text/plain", "quoted-printable").partition(b"\r\n\r\n")[0] + (b"\r\n\r\n" + as_hex(EICAR)),
    )
    hexed = lines("Content-Type: text/html", "Content-Transfer-Encoding: quoted-printable", "") + as_hex(PAGE)
    yield "html in quoted-printable of every byte", multipart(TEXT, hexed)
    for coding in ("base-64", "x-base64", "base64,", "(comment) base64", "base64 ; x=1", '"base64"', ""):
        content = lines("Content-Type: application/octet-stream", f"Content-Transfer-Encoding: {coding}", "")
        yield f"encoding named {coding!r}", multipart(TEXT, content + encoded(EICAR, "base64"))
    twice = lines(
        "Content-Type: text/plain", "Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: base64", ""
    )
    yield "two encodings", multipart(TEXT, twice + encoded(EICAR, "base64"))
    other = lines(
        "Content-Type: text/plain", "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: 7bit", ""
    )
    yield "two encodings, the other way round", multipart(TEXT, other + encoded(EICAR, "base64"))
    folded = lines("Content-Type: text/plain", "Content-Transfer-Encoding:", "\tbase64", "")
    yield "folded encoding", multipart(TEXT, folded + encoded(EICAR, "base64"))
    coded = base64.b64encode(EICAR)
    short = b"\r\n".join(coded[start : start + 8] for start in range(0, len(coded), 8)) + b"\r\n"
    about = lines("Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", "")
    yield "base64 in short lines", multipart(TEXT, about + short)
    yield "base64 with blank lines", multipart(TEXT, about + short.replace(b"\r\n", b"\r\n\r\n"))
    yield "base64 with blanks", multipart(TEXT, about + short.replace(b"\r\n", b" \r\n "))
    yield "base64 with other characters", multipart(TEXT, about + short.replace(b"\r\n", b"!*-\r\n"))
    yield "base64 in one long line", multipart(TEXT, about + base64.b64encode(EICAR + b" " * 2000) + b"\r\n")
    for size in (1, 2, 4, 5, 7, 8, 10, 11, 12, 14):
        for end in (b"\r\n", b""):
            pieces = b"".join(base64.b64encode(EICAR[i : i + size]) + end for i in range(0, len(EICAR), size))
            yield f"base64 in pieces of {size} bytes, {end!r} between", multipart(TEXT, about + pieces + b"\r\n")
    for front in (b"aGVsbG8=\r\n", b"aGVsbG8=", b"YWI=", b"=", b"====\r\n"):
        yield f"base64 behind {front!r}", multipart(TEXT, about + front + coded + b"\r\n")
        html = lines("Content-Type: text/html", "Content-Transfer-Encoding: base64", "") + front
        yield f"base64 of html behind {front!r}", multipart(html + encoded(PAGE, "base64"))
    for junk in (b"=", b"-", b"\0", b"\x80"):
        yield f"base64 with {junk!r} in it", multipart(TEXT, about + coded[:41] + junk + coded[41:] + b"\r\n")
    yield "uuencode in a text", single("text/plain", "7bit", lines("see below", "") + uuencoded(EICAR))
    yield (
        "uuencode as an encoding",
        multipart(
            TEXT,
            lines("Content-Type: application/octet-stream", "Content-Transfer-Encoding: x-uuencode", "")
            + uuencoded(EICAR),
        ),
    )
    yield "uuencode without MIME", lines("Subject: invoice", "") + uuencoded(EICAR)


def _decoders() -> Iterator[tuple[str, bytes]]:
    """Where one mail program decodes, and another does not."""

    def transferred(coding: str, body: bytes) -> bytes:
        head = lines("Content-Type: application/octet-stream", f"Content-Transfer-Encoding: {coding}", "")
        return multipart(TEXT, head + body)

    twice = "\r\nContent-Transfer-Encoding: "
    coded = base64.b64encode(EICAR)
    blanks = b" ".join(coded[start : start + 8] for start in range(0, len(coded), 8)) + b"\r\n"
    soft = b"".join(bytes([byte]) + b"=\r\n" for byte in EICAR) + b"\r\n"
    for coding in ("x-base64", "7bit" + twice + "base64", "quoted-printable" + twice + "base64"):
        yield f"blanks in base64, encoding {coding!r}", transferred(coding, blanks)
    yield "base64, then quoted-printable", transferred("base64" + twice + "quoted-printable", as_hex(EICAR))
    yield "every byte behind a soft break", transferred("quoted-printable", soft)
    yield "soft breaks with blanks", transferred("quoted-printable", soft.replace(b"=\r\n", b"= \t\r\n"))
    yield "base64 of base64", transferred("base64", encoded(encoded(EICAR, "base64"), "base64"))
    body = body_of(TEXT, part("application/octet-stream", "base64"), boundary="inner")
    about = lines("Content-Type: multipart/mixed; boundary=inner", "Content-Transfer-Encoding: base64", "")
    yield "multipart in base64", multipart(TEXT, about + encoded(body, "base64"))
    for encoding in ("8bit", "base64", "quoted-printable"):
        for name, content in {"uuencode": uuencoded(EICAR), "yEnc": yencoded(EICAR)}.items():
            yield f"{name} in {encoding}", single("text/plain", encoding, lines("see below", "") + content)
    yield "uuencode of mode 0644", single("text/plain", "7bit", uuencoded(EICAR).replace(b"644", b"0644"))
    yield "begin-base64", single("text/plain", "7bit", lines("begin-base64 644 a") + encoded(EICAR, "base64"))
    # The raw text of a small part in base64 stands in the part before it too: it ends a line of uuencode there.
    text = lines("Content-Type: text/plain", "", "hi") + uuencoded(b"a" * 44 + EICAR)
    for lure in (b"4D0M04Y4", b"04Y4"):
        assert lure + b"\r\n" in text
        yield f"part that is in another: {lure!r}", multipart(text, _base64_part(lure))


def _base64_part(raw: bytes) -> bytes:
    return lines("Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", "", raw)


def _texts() -> Iterator[tuple[str, bytes]]:
    text = EICAR.decode()
    for charset in (
        "utf-8",
        "big5",
        "utf-16",
        "utf-16le",
        "utf-16be",
        "utf-32",
        "utf-7",
        "iso-2022-jp",
        "no-such-charset",
    ):
        codec = "ascii" if charset in ("no-such-charset", "iso-2022-jp", "big5") else charset
        yield f"charset {charset}", single(f"text/plain; charset={charset}", "base64", text.encode(codec))
        yield (
            f"charset {charset} in html",
            multipart(TEXT, part(f"text/html; charset={charset}", "base64", PAGE.decode().encode(codec), "")),
        )
    yield "charset left out, UTF-16", attached(text.encode("utf-16"), "invoice.txt")
    yield "html with entities", single("text/html", "7bit", entities(EICAR))
    yield "html with entities attached", attached(entities(EICAR), "invoice.html", "text/html")
    tags = b"<html><body>" + b"<b></b>".join(EICAR[i : i + 9] for i in range(0, 68, 9)) + b"</body></html>\r\n"
    yield "html with tags in between", single("text/html", "base64", tags)
    link = (
        b'<html><body><a href="data:application/octet-stream;base64,'
        + base64.b64encode(EICAR)
        + b'">x</a></body></html>'
    )
    yield "html with a data link", single("text/html", "quoted-printable", link)
    yield "in a subject", lines(b"Subject: " + EICAR, "") + b"hello\r\n"
    yield "amid a text", single("text/plain", "8bit", "各位老師好：\r\n".encode() + EICAR + "\r\n再見\r\n".encode())
    yield "long text before it", single("text/plain", "base64", b"hello world\n" * 20_000 + EICAR)
    yield "long html before it", single("text/html", "base64", b"<html><p>" + b"hello world\n" * 20_000 + PAGE)


def _structures() -> Iterator[tuple[str, bytes]]:
    virus = part("application/octet-stream", "base64")
    yield "without MIME", lines("Subject: invoice", "", EICAR)
    yield "without any header", lines("", EICAR)
    yield "without MIME-Version", multipart(TEXT, virus).replace(b"MIME-Version: 1.0\r\n", b"")
    yield (
        "without Content-Type",
        lines("MIME-Version: 1.0", "Content-Transfer-Encoding: base64", "") + encoded(EICAR, "base64"),
    )
    yield (
        "part without Content-Type",
        multipart(TEXT, lines("Content-Transfer-Encoding: base64", "") + encoded(EICAR, "base64")),
    )
    yield (
        "empty Content-Type",
        multipart(TEXT, lines("Content-Type:", "Content-Transfer-Encoding: base64", "") + encoded(EICAR, "base64")),
    )
    yield (
        "broken Content-Type",
        multipart(
            TEXT, lines("Content-Type: text", "Content-Transfer-Encoding: base64", "") + encoded(EICAR, "base64")
        ),
    )
    for kind in (
        "mixed",
        "alternative",
        "related",
        "parallel",
        "digest",
        "signed",
        "report",
        "form-data",
        "appledouble",
        "x",
    ):
        yield f"multipart/{kind}", multipart(TEXT, virus, kind=kind)
    inner = multipart(TEXT, virus, boundary="inner").partition(b"MIME-Version: 1.0\r\n")[2]
    yield "multipart in multipart", multipart(TEXT, inner)
    deep = part("text/html", "base64", PAGE, "")
    for level in range(30):
        deep = multipart(deep, boundary=f"level{level}").partition(b"MIME-Version: 1.0\r\n")[2]
    yield "thirty multiparts in each other", multipart(TEXT, deep)
    message = attached(EICAR)
    yield "mail in mail", forwarded(message)
    yield "html in mail in mail", forwarded(single("text/html", "base64", PAGE))
    yield "mail in mail, as base64", forwarded(message, "base64")
    yield "mail in mail, as quoted-printable", forwarded(message, "quoted-printable")
    yield "mail as a file", attached(message, "invoice.eml")
    for _ in range(12):
        message = forwarded(message)
    yield "twelve mails in each other", message
    yield "quoted boundary", multipart(TEXT, virus, about='multipart/mixed; boundary="limit"')
    yield "folded boundary", multipart(TEXT, virus, about="multipart/mixed;\r\n\tboundary=\r\n\tlimit")
    yield "boundary in two pieces", multipart(TEXT, virus, about="multipart/mixed; boundary*0=lim; boundary*1=it")
    yield "encoded boundary", multipart(TEXT, virus, about="multipart/mixed; boundary*=us-ascii''limit")
    yield "two boundaries", multipart(TEXT, virus, about="multipart/mixed; boundary=other; boundary=limit")
    yield (
        "two boundaries, the other way round",
        multipart(TEXT, virus, about="multipart/mixed; boundary=limit; boundary=other"),
    )
    yield "no boundary parameter", multipart(TEXT, virus, about="multipart/mixed")
    yield "wrong boundary", multipart(TEXT, virus, about="multipart/mixed; boundary=other")
    yield (
        "comment before the boundary",
        multipart(TEXT, virus, about="multipart/mixed (boundary=other); boundary=limit"),
    )
    yield "boundary with blanks behind it", multipart(TEXT, virus).replace(b"--limit\r\n", b"--limit  \t\r\n")
    yield "no end", multipart(TEXT, virus).replace(b"--limit--\r\n", b"")
    yield "behind the end", multipart(TEXT) + body_of(virus)
    yield "before the beginning", multipart(TEXT).replace(b"\r\n\r\n--limit", b"\r\n\r\n" + virus + b"\r\n--limit", 1)
    types = "multipart/mixed; boundary=limit\r\nContent-Type: multipart/mixed; boundary=other"
    yield "two Content-Types", multipart(TEXT, about=types) + body_of(virus, boundary="other")
    types = "text/plain\r\nContent-Type: multipart/mixed; boundary=limit"
    yield "two Content-Types, text first", multipart(TEXT, virus, about=types)
    yield "text/plain that is a multipart", multipart(TEXT, virus, about="text/plain")
    yield "application/octet-stream that is a multipart", multipart(TEXT, virus, about="application/octet-stream")
    yield "first of many parts", multipart(virus, *[TEXT] * 200)
    yield "last of many parts", multipart(*[TEXT] * 200, virus)
    yield "among many pictures", multipart(TEXT, *[part("image/png", "base64", b"\x89PNG" + bytes(99))] * 50, virus)
    named = "application/octet-stream; name*0*=utf-8''%E7%99%BC; name*1*=%E7%A5%A8.com"
    yield "name in pieces", multipart(TEXT, part(named, "base64", EICAR, "attachment"))


def _archives() -> Iterator[tuple[str, bytes]]:
    yield "zip", attached(zipped(EICAR), "invoice.zip", "application/zip")
    yield "zip, stored", attached(zipped(EICAR, method=zipfile.ZIP_STORED), "invoice.zip")
    yield "zip, bzip2", attached(zipped(EICAR, method=zipfile.ZIP_BZIP2), "invoice.zip")
    yield "zip, called a picture", attached(zipped(EICAR), "photo.png", "image/png")
    yield "zip, called a text", attached(zipped(EICAR), "note.txt", "text/plain")
    about = lines("Content-Type: application/zip", "Content-Transfer-Encoding: quoted-printable", "")
    yield "zip in quoted-printable", multipart(TEXT, about + as_hex(zipped(EICAR)))
    yield "html in zip", attached(zipped(PAGE, "invoice.html"), "invoice.zip")
    yield "html with entities in zip", attached(zipped(entities(EICAR), "invoice.html"), "invoice.zip")
    yield "UTF-16 in zip", attached(zipped(EICAR.decode().encode("utf-16"), "invoice.txt"), "invoice.zip")
    yield "zip in zip", attached(nested(2, EICAR), "invoice.zip")
    yield "ten zips in each other", attached(nested(10, EICAR), "invoice.zip")
    yield "zip behind a picture", attached(b"\x89PNG\r\n\x1a\n" + bytes(100) + zipped(EICAR), "photo.png", "image/png")
    yield "docx", attached(zipped(EICAR, "word/document.xml"), "letter.docx")
    yield "mail in zip", attached(zipped(attached(EICAR), "invoice.eml"), "invoice.zip")
    yield "gzip", attached(gzip.compress(EICAR), "invoice.gz")
    yield "bzip2", attached(bz2.compress(EICAR), "invoice.bz2")
    yield "zip behind a zip", attached(zipped(b"hello") + zipped(EICAR), "invoice.zip")
    yield "zip behind gzip", attached(gzip.compress(b"hello") + zipped(EICAR), "invoice.zip")
    yield "gzip of two pieces", attached(gzip.compress(b"hello") + gzip.compress(EICAR), "invoice.gz")
    yield "xz of two pieces", attached(lzma.compress(b"hello") + lzma.compress(EICAR), "invoice.xz")
    yield "xz", attached(lzma.compress(EICAR), "invoice.xz")
    yield "tar", attached(tarred(EICAR), "invoice.tar")
    yield "tar, gzip", attached(gzip.compress(tarred(EICAR)), "invoice.tar.gz")
    yield "html in tar, xz", attached(lzma.compress(tarred(PAGE, "a.html")), "invoice.tar.xz")
    yield "zip with a text and the virus", attached(_two(EICAR), "invoice.zip")
    yield (
        "beside an encrypted zip",
        multipart(
            TEXT,
            part("application/zip", "base64", locked(b"twelve bytes")),
            part("application/zip", "base64", zipped(EICAR)),
        ),
    )
    yield (
        "beside a rar",
        multipart(
            TEXT,
            part("application/x-rar", "base64", RAR),
            part("application/octet-stream", "base64", gzip.compress(EICAR)),
        ),
    )


def _two(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("readme.txt", b"hello\n")
        file.writestr("invoice.com", content)
    return archive.getvalue()


GROUPS = {
    "magic first lines": _magic,
    "encodings": _encodings,
    "decoders": _decoders,
    "texts": _texts,
    "structures": _structures,
    "archives": _archives,
}


def viruses(group: str) -> dict[str, bytes]:
    """Name to message of one of GROUPS; each has EICAR in it, and somebody's mail program would show or open it."""
    return dict(GROUPS[group]())
