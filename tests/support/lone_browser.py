"""Chromium in a network of its own, whose port 443 leads to a server of the lab, through a machine there.

Nothing of what the browser sends gets onto the computer's network: connections are carried by `docker exec`.
Started by `lone-browser`, with CHROMIUM, CONTAINER and SERVER in the environment; the arguments are the browser's.
"""

import asyncio
import os
import subprocess
import sys

HTTPS = 443
DEVTOOLS = (3, 4)  # Playwright speaks to the browser over these descriptors
# In the container: its stdin to the server, the server's words to stdout, until one of the two ends.
RELAY = 'exec 3<>"/dev/tcp/$0/$1"; { cat <&3; kill $$; } & cat >&3; kill $!'


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection of the browser, to SERVER."""
    words = ("exec", "-i", os.environ["CONTAINER"], "bash", "-c", RELAY, os.environ["SERVER"], str(HTTPS))
    pipe = asyncio.subprocess.PIPE
    relay = await asyncio.create_subprocess_exec("docker", *words, stdin=pipe, stdout=pipe)
    assert relay.stdin is not None
    assert relay.stdout is not None
    await asyncio.gather(_pump(reader, relay.stdin), _pump(relay.stdout, writer))
    await relay.wait()


async def main() -> int:
    """The browser's exit status, when it has ended."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    await asyncio.start_server(_carry, "127.0.0.1", HTTPS)
    browser = await asyncio.create_subprocess_exec(os.environ["CHROMIUM"], *sys.argv[1:], pass_fds=DEVTOOLS)
    return await browser.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
