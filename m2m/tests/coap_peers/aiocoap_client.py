"""Prints what aiocoap's client gets from `m2m coap serve --demo` at the port given.

With a second argument, loss, only what has to come through a network that loses datagrams; with group, what the first member
of a group answers.
"""

import asyncio
import logging
import socket
import sys

from aiocoap import DELETE, FETCH, GET, NON, POST, PUT, Context, Message, iPATCH
from aiocoap.numbers.constants import TransportTuning

BASE = f"coap://127.0.0.1:{sys.argv[1]}"
WAIT = 20


class Impatient(TransportTuning):
    ACK_TIMEOUT = 0.3


async def ask(code, path, payload=b"", **options):
    # Not TransportTuning itself: aiocoap keeps its values in the class.
    message = Message(code=code, uri=BASE + path, payload=payload, transport_tuning=Impatient(), **options)
    return await asyncio.wait_for(context.request(message).response, WAIT)


def show(what, response, payload=True):
    text = f" {response.payload.decode()}" if payload and response.payload else ""
    print(f"{what}: {response.code.dotted}{text}", flush=True)
    return response


async def values():
    show("get", await ask(GET, "/test"))
    show("put", await ask(PUT, "/test", b"from aiocoap"))
    show("get", await ask(GET, "/test"))
    created = show("post", await ask(POST, "/test", b"made"))
    print("location:", "/".join(created.opt.location_path))
    show("delete", await ask(DELETE, "/test"))
    show("no such path", await ask(GET, "/nothing/here"))
    show("non-confirmable", await ask(GET, "/seg1/seg2", _mtype=NON))
    show("fetch", await ask(FETCH, "/test", b"x", content_format=0), payload=False)
    show("ipatch", await ask(iPATCH, "/test", b"x"), payload=False)
    show("query", await ask(GET, "/query?first=1&second=2"))
    show("accept xml", await ask(GET, "/multi-format", accept=41))
    show("accept json", await ask(GET, "/multi-format", accept=50))
    show("separate", await ask(GET, "/separate"))


async def conditions():
    first = show("get", await ask(GET, "/validate"))
    show("same etag", await ask(GET, "/validate", etags=[first.opt.etag]))
    show("if-match", await ask(PUT, "/validate", b"new", if_match=[first.opt.etag]))
    show("if-match again", await ask(PUT, "/validate", b"newer", if_match=[first.opt.etag]))
    show("if-none-match", await ask(PUT, "/create1", b"new", if_none_match=True))
    show("if-none-match again", await ask(PUT, "/create1", b"newer", if_none_match=True))


async def discovery():
    found = await ask(GET, "/.well-known/core?rt=ticks")
    print("found:", found.payload.decode())
    found = await ask(GET, "/.well-known/core")
    print("all:", found.opt.content_format, found.payload.decode().count("</"))


async def bodies(sizes):
    for size in sizes:
        body = bytes(n * n >> 3 & 255 for n in range(size))
        put = await ask(PUT, "/large-update", body, content_format=42)
        got = await ask(GET, "/large-update")
        print(f"{size} bytes: {put.code.dotted} {got.code.dotted} {got.payload == body}")
    text = b"capitals " * 400
    answer = await ask(POST, "/large-post", text)
    print(f"both ways: {answer.code.dotted} {answer.payload == text.upper()}")


async def observation():
    await ask(PUT, "/example_data", b"zero")
    request = context.request(Message(code=GET, uri=BASE + "/example_data", observe=0))
    show("observed", await asyncio.wait_for(request.response, WAIT))
    notifications = aiter(request.observation)
    for text in (b"one", b"long " * 1000, b"two"):
        await ask(PUT, "/example_data", text)
        # A notification that a newer state has overtaken does not come.
        while (await asyncio.wait_for(anext(notifications), WAIT)).payload != text:
            pass
        print(f"notified of {len(text)} bytes")
    request.observation.cancel()


async def group():
    # It warns that it will hear one member only.
    logging.disable(logging.WARNING)
    interface = context.request_interfaces[0].token_interface.message_interface
    sender = interface.transport.get_extra_info("socket")
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    uri = f"coap://224.0.1.187:{sys.argv[1]}/.well-known/core?rt=ticks"
    response = await asyncio.wait_for(context.request(Message(code=GET, uri=uri, _mtype=NON)).response, WAIT)
    print("found:", response.payload.decode())


async def main():
    global context
    context = await Context.create_client_context(transports=["udp6"])
    if "loss" in sys.argv[2:]:
        show("put", await ask(PUT, "/test", b"through"))
        show("get", await ask(GET, "/test"))
        show("separate", await ask(GET, "/async?1"))
        await bodies([4000])
    elif "group" in sys.argv[2:]:
        await group()
    else:
        for part in (values(), conditions(), discovery(), bodies([5000, 100_000]), observation()):
            await part
    await context.shutdown()


asyncio.run(main())
