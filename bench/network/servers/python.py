"""Echo servers of Python: python.py asyncio|uvloop streams|protocol|buffered [KEY CERT]."""

import asyncio
import signal
import ssl
import sys

loop_name, kind, *pair = sys.argv[1:]


async def echo(reader, writer):
    while True:
        data = await reader.read(65536)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class BufferedEcho(asyncio.BufferedProtocol):
    def __init__(self):
        self.buffer = bytearray(256 * 1024)

    def connection_made(self, transport):
        self.transport = transport

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, count):
        self.transport.write(self.buffer[:count])


def tls_context():
    if not pair:
        return None
    key, cert = pair
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


async def main():
    where = {"host": "127.0.0.1", "port": 0, "ssl": tls_context()}
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, lambda: sys.exit(0))
    if kind == "streams":
        server = await asyncio.start_server(echo, **where)
    else:
        server = await loop.create_server(Echo if kind == "protocol" else BufferedEcho, **where)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if loop_name == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
