"""A server made with aiocoap, at the address and port given, until standard input ends. With "group" it is a member of the groups of
all CoAP nodes on the loopback interface."""

import asyncio
import hashlib
import sys

import aiocoap
from aiocoap import resource
from aiocoap.numbers.codes import CHANGED, CREATED, DELETED, PRECONDITION_FAILED, VALID


class Hello(resource.Resource):
    rt = "greeting"

    async def render_get(self, request):
        return aiocoap.Message(payload=b"hello from aiocoap", content_format=0)


class Value(resource.ObservableResource):
    """Keeps what it is given."""

    body = None

    def check(self, request):
        has = self.body is not None
        wanted = request.opt.if_match
        failed = wanted and not (has and (b"" in wanted or self.etag() in wanted))
        return PRECONDITION_FAILED if failed or (request.opt.if_none_match and has) else None

    def etag(self):
        return hashlib.sha256(self.body).digest()[:4]

    async def render_get(self, request):
        if self.body is None:
            raise aiocoap.error.NotFound
        if self.etag() in request.opt.etags:
            return aiocoap.Message(code=VALID, etag=self.etag())
        return aiocoap.Message(payload=self.body, etag=self.etag())

    async def render_put(self, request):
        if code := self.check(request):
            return aiocoap.Message(code=code)
        code = CREATED if self.body is None else CHANGED
        self.body = request.payload
        self.updated_state()
        return aiocoap.Message(code=code)

    async def render_delete(self, request):
        self.body = None
        return aiocoap.Message(code=DELETED)


class Separate(resource.Resource):
    """Answers after the empty acknowledgement, which aiocoap sends after 0.1 s."""

    async def render_get(self, request):
        await asyncio.sleep(0.5)
        return aiocoap.Message(payload=b"at last")


class Upper(resource.Resource):
    """Answers in capitals."""

    async def render_post(self, request):
        return aiocoap.Message(code=CHANGED, payload=request.payload.upper())

    async def render_fetch(self, request):
        return aiocoap.Message(payload=request.payload.upper())

    async def render_ipatch(self, request):
        return aiocoap.Message(code=CHANGED, payload=request.payload.upper())


async def main(host, port, group):
    site = resource.Site()
    core = resource.WKCResource(site.get_resources_as_linkheader)
    site.add_resource([".well-known", "core"], core)
    site.add_resource(["hello"], Hello())
    site.add_resource(["value"], Value())
    site.add_resource(["separate"], Separate())
    site.add_resource(["upper"], Upper())
    interfaces = ["lo"] if group else []
    await aiocoap.Context.create_server_context(site, bind=(host, int(port)), multicast=interfaces)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(sys.argv[1], sys.argv[2], "group" in sys.argv[3:]))
