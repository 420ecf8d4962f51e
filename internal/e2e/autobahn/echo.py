"""A WebSocket server that sends each message back, and passes the Autobahn cases.

It knows the compression of messages, so that a proxy which lets the client and the
server agree on it, and then can't read it, is found out.

    python echo.py    (it picks a free port, and writes it as its first line)
"""

import asyncio
import logging

from websockets.asyncio.server import serve


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def main():
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # the cases are faults
    async with serve(echo, "127.0.0.1", 0, max_size=None, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
