"""Messages without a virus: what can't be scanned, programs, and what people send every day."""

import bz2
import gzip
import io
import lzma
import zipfile

from tests.support.forms import (
    EICAR,
    RAR,
    TEXT,
    attached,
    encoded,
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


def _member(method: int) -> bytes:
    """A zip file whose member says that it is packed in a way that clamd does not know."""
    archive = bytearray(zipped(b"hello" * 20, "letter.txt", zipfile.ZIP_STORED))
    archive[8] = archive[archive.rfind(b"PK\x01\x02") + 10] = method
    return bytes(archive)


LARGE = 65 * 2**20  # more than MaxFileSize in clamd.conf


def unscannable() -> dict[str, bytes]:
    """Name to message; nobody can say whether there is a virus in it."""
    large = zipped(bytes(LARGE), "letter.txt")
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as file:
        for index in range(6_000):
            file.writestr(f"{index}.txt", str(index))
    contents = {
        "encrypted zip": locked(b"twelve bytes", "letter.txt"),
        "encrypted zip in a zip": zipped(locked(b"twelve bytes", "letter.txt"), "letter.zip"),
        "encrypted zip in a tar": tarred(locked(b"twelve bytes", "letter.txt"), "letter.zip"),
        "seventeen zips in each other": nested(17, b"seventeen " + EICAR),
        "sixteen zips, clean": nested(18, b"eighteen", "letter.txt"),
        "zip with a large file": large,
        "zip with a large file in a zip": zipped(large, "letter.zip"),
        "gzip of a large file": gzip.compress(bytes(LARGE)),
        "bzip2 of a large file": bz2.compress(bytes(LARGE)),
        "xz of a large file": lzma.compress(bytes(LARGE)),
        "zip of very many files": many.getvalue(),
        "zip of method LZMA": zipped(b"hello" * 20, "letter.txt", zipfile.ZIP_LZMA),
        "zip of method Zstandard": _member(93),
        "zip of method PPMd in a zip": zipped(_member(98), "letter.zip"),
        "bzip2 of two pieces": bz2.compress(b"hello") + bz2.compress(EICAR),
        "bzip2 behind an empty piece": bz2.compress(b"") + bz2.compress(EICAR),
        "bzip2 of two pieces in a zip": zipped(bz2.compress(b"hello") + bz2.compress(EICAR), "letter.bz2"),
        "gzip with zeros in between": gzip.compress(b"hello") + bytes(512) + gzip.compress(EICAR),
        "compress of 12 bits": b"\x1f\x9d\x8c" + bytes(range(200)),
        "zstd behind a frame to skip": b"\x50\x2a\x4d\x18\x04\0\0\0skip\x28\xb5\x2f\xfd" + bytes(range(200)),
        "lz4, the old kind": b"\x02\x21\x4c\x18" + bytes(range(200)),
        "lzip": b"LZIP\x01\x0c" + bytes(range(200)),
        "StuffIt": b"SIT!\0\x01\0\0\x01\0rLau" + bytes(range(200)),
        "StuffIt 5": b"StuffIt (c)1997-2002 Aladdin Systems, Inc., http://www.aladdinsys.com/StuffIt/\r\n\x1a\0\x05",
        "zpaq": b"zPQ\x01\x01" + bytes(range(200)),
        "squashfs": b"hsqs" + bytes(24) + b"\x04\0\0\0" + bytes(range(200)),
        "ar": b"!<arch>\n" + b"letter.txt/     0           0     0     644     5         `\nhello\n",
        "vhdx": b"vhdxfileM\0i\0c\0" + bytes(range(200)),
        "rar": RAR,
        "rar, version 4": b"Rar!\x1a\x07\x00" + bytes(range(200)),
        "rar in a zip": zipped(RAR, "letter.rar"),
        "lzma": lzma.compress(b"hello" * 20, format=lzma.FORMAT_ALONE),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(range(200)),
        "lz4": b"\x04\x22\x4d\x18" + bytes(range(200)),
        "ace": b"\x12\x34\x31\x00\x00\x00\x90**ACE**" + bytes(range(200)),
    }
    table = {name: attached(content, "letter.dat") for name, content in contents.items()}
    table["rar, called a picture"] = attached(RAR, "photo.jpg", "image/jpeg")
    table["piece of a message"] = multipart(TEXT, about="message/partial; id=a@b; number=1; total=2")
    return table


PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def _named(disposition: str) -> bytes:
    return multipart(TEXT, part("application/octet-stream", "base64", b"hello\r\n", disposition))


def _many_and(name: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for index in range(1_200):
            file.writestr(f"{index}.txt", str(index))
        file.writestr(name, "hello")
    return archive.getvalue()


RUN = "exe EXE scr com bat cmd pif js jse vbs vbe wsf hta lnk msi cpl jar ps1 reg docm xlsm sh py apk dmg"


def programs() -> dict[str, bytes]:
    """Name to message; each has something attached that a computer would run, and no virus."""
    harmless = b"hello\r\n"
    windows = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(100)
    table = {f".{kind}": attached(harmless, f"game.{kind}") for kind in RUN.split()}
    table |= {f".{kind} in a zip": attached(zipped(harmless, f"game.{kind}"), "game.zip") for kind in RUN.split()}
    table |= {f".{kind}.gz": attached(gzip.compress(harmless), f"game.{kind}.gz") for kind in ("exe", "js", "vbs")}
    table |= {
        "in a folder of a zip": attached(zipped(harmless, "a/b/game.exe"), "game.zip"),
        "in a tar": attached(tarred(harmless, "game.exe"), "game.tar"),
        "in a tar.gz": attached(gzip.compress(tarred(harmless, "game.exe")), "game.tar.gz"),
        "in a tgz": attached(gzip.compress(tarred(harmless, "game.exe")), "game.tgz"),
        "in a zip in a zip": attached(zipped(zipped(harmless, "game.exe"), "inner.zip"), "game.zip"),
        "two extensions": attached(harmless, "photo.jpg.exe"),
        "blank behind the name": attached(harmless, '"game.exe "'),
        "dot behind the name": attached(harmless, '"game.exe."'),
        "many blanks in the name": attached(harmless, '"photo.jpg                         .exe"'),
        "Chinese name": attached(harmless, '"=?utf-8?B?6YGK5oiyLmV4ZQ==?="'),
        "Chinese name in a zip": attached(zipped(harmless, "遊戲.exe"), "game.zip"),
        "name in Content-Type alone": multipart(
            TEXT, part("application/octet-stream; name=game.exe", "base64", harmless, "")
        ),
        "two names": multipart(
            TEXT, part("application/octet-stream; name=game.exe", "base64", harmless, "attachment; filename=photo.jpg")
        ),
        "name in pieces": multipart(
            TEXT, part("application/x-game", "base64", harmless, "attachment; filename*0=game; filename*1=.exe")
        ),
        "encoded name": multipart(
            TEXT, part("application/x-game", "base64", harmless, "attachment; filename*=utf-8''game%2Eexe")
        ),
        "two filenames": _named("attachment; filename=photo.txt; filename=game.exe"),
        "two filenames, the program first": _named("attachment; filename=game.exe; filename=photo.txt"),
        "two dispositions": _named("inline; filename=photo.txt\r\nContent-Disposition: inline; filename=game.exe"),
        "two dispositions, the program first": _named(
            "inline; filename=game.exe\r\nContent-Disposition: inline; filename=photo.txt"
        ),
        "pieces out of order": _named("attachment; filename*1=exe; filename*0=game."),
        "pieces and a whole name": _named("attachment; filename*0*=utf-8''game%2E; filename*1=exe; filename=photo.txt"),
        "stream of a program": _named('attachment; filename="game.exe:photo.txt"'),
        "zero in the name": _named("attachment; filename*=utf-8''game.exe%00.txt"),
        "hard blank behind the name": _named("attachment; filename*=utf-8''game.exe%C2%A0"),
        "Chinese full stop behind the name": _named('attachment; filename="game.exe\u3002"'),
        "backslash in the name": _named('attachment; filename="game.ex\\e"'),
        "blank in a name without quotes": _named("attachment; filename=my game.exe"),
        "class for an extension": _named('attachment; filename="game.{3050f4d8-98B5-11CF-BB82-00AA00BDCE0B}"'),
        "in a zip behind 200 bytes": attached(bytes(200) + zipped(harmless, "game.exe"), "game.zip"),
        "in a zip behind a picture": attached(PNG + zipped(harmless, "game.exe"), "photo.png", "image/png"),
        "last of 1,200 in a zip": attached(_many_and("game.exe"), "game.zip"),
        "uuencode in a text": single("text/plain", "7bit", uuencoded(harmless, "game.exe")),
        "uuencode in a text in base64": single("text/plain", "base64", uuencoded(harmless, "game.exe")),
        "yEnc in a text": single("text/plain", "8bit", yencoded(harmless, "game.exe")),
        "gzip without a name": attached(gzip.compress(windows), "game.gz"),
        "tar in gzip without a name": attached(gzip.compress(tarred(harmless, "game.exe")), "game.gz"),
        "gzip in gzip": attached(gzip.compress(gzip.compress(windows)), "game"),
        "program by its bytes": attached(windows, "photo.jpg", "image/jpeg"),
        "program without a name": multipart(TEXT, part("application/octet-stream", "base64", windows, "attachment")),
        "inline": multipart(TEXT, part("application/octet-stream", "base64", harmless, "inline; filename=game.exe")),
        "in mail in mail": forwarded(attached(harmless, "game.exe")),
        "alone": lines(
            "MIME-Version: 1.0",
            "Content-Type: application/octet-stream; name=game.exe",
            "Content-Transfer-Encoding: base64",
            "",
        )
        + encoded(harmless, "base64"),
    }
    return table


def _long_text() -> bytes:
    return b"".join(
        b"%08d the quick brown fox jumps over the lazy dog, and so on\r\n" % i for i in range(17 * 2**20 // 66)
    )


def ordinary() -> dict[str, bytes]:
    """Name to message; as people send them."""
    picture = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 20
    chinese = "各位老師好：\r\n\r\n明日停課一天，請查照。\r\n"
    page = "<html><body><p>明日停課一天</p><img src=cid:1></body></html>\r\n"
    words = "SIT!|StuffIt |StuffIt (c)1997-|LZIP|hsqs|vhdxfile|!<arch>|1234567**ACE**|zPQ|7kSt|MSWIM|Rar!|BZh91AY&SY"
    sentences = {word: f"{word} said the teacher, and {word} said all.\r\n".encode() for word in words.split("|")}
    table = {f"text that begins with {word}": single("text/plain", "7bit", text) for word, text in sentences.items()}
    table |= {f"{word} in a zip": attached(zipped(text, "letter.txt"), "a.zip") for word, text in sentences.items()}
    return table | {
        "large text": multipart(TEXT, part("text/plain", "7bit", _long_text(), "attachment; filename=letter.txt")),
        "gzip without a name": attached(gzip.compress(b"hello\r\n"), "letter.gz"),
        "bzip2": attached(bz2.compress(b"hello\r\n"), "letter.txt.bz2"),
        "xlsx with a printer's settings": attached(
            zipped(b"hello", "xl/printerSettings/printerSettings1.bin"), "a.xlsx"
        ),
        "sentence that begins a program": single(
            "text/plain", "7bit", b"begin 2006 with example.com\r\nand name=a.exe\r\n"
        ),
        "other parameter": multipart(TEXT, lines("Content-Type: text/plain; x-hostname=example.com", "", "hello")),
        "time in a name": attached(b"hello\r\n", '"12:30 letter.txt"'),
        "plain": single("text/plain", "7bit", b"hello\r\n"),
        "without MIME": lines("Subject: hello", "", "hello"),
        "utf-8": single("text/plain; charset=utf-8", "8bit", chinese.encode()),
        "utf-8 in base64": single("text/plain; charset=utf-8", "base64", chinese.encode()),
        "big5": single("text/plain; charset=big5", "8bit", chinese.encode("big5")),
        "big5 in base64": single("text/plain; charset=big5", "base64", chinese.encode("big5")),
        "big5 in quoted-printable": single("text/plain; charset=big5", "quoted-printable", chinese.encode("big5")),
        "utf-16": single("text/plain; charset=utf-16", "base64", chinese.encode("utf-16")),
        "html": single("text/html; charset=utf-8", "quoted-printable", page.encode()),
        "text and html": multipart(
            part("text/plain; charset=utf-8", "base64", chinese.encode(), ""),
            part("text/html; charset=utf-8", "base64", page.encode(), ""),
            kind="alternative",
        ),
        "picture": attached(picture, "photo.png", "image/png"),
        "pdf": attached(b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n", "letter.pdf", "application/pdf"),
        "zip with a text": attached(zipped(b"hello\r\n", "letter.txt"), "letters.zip", "application/zip"),
        "zip with a Chinese name": attached(zipped(b"hello\r\n", "公文.txt"), "letters.zip", "application/zip"),
        "docx": attached(zipped(b"<?xml version='1.0'?><w:document/>", "word/document.xml"), "letter.docx"),
        "text attached": attached(chinese.encode("big5"), "letter.txt", "text/plain; charset=big5"),
        "mail in mail": forwarded(attached(picture, "photo.png", "image/png")),
        "long base64 in a text": single("text/plain", "7bit", encoded(bytes(range(256)) * 20, "base64")),
        "many parts": multipart(*[TEXT] * 60),
        "name with many dots": attached(b"hello\r\n", "2006.03.08.letter.txt"),
        "magic first line": b"BM: 1\r\n" + attached(picture, "photo.png", "image/png"),
        "empty": lines("Subject: empty", ""),
    }
