"""amqtt's broker on a port of 127.0.0.1, until standard input ends; says `ready` when it listens."""

import asyncio
import logging
import sys

from amqtt.broker import Broker


async def main():
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    await broker.start()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await broker.shutdown()


logging.basicConfig(level=logging.ERROR)
asyncio.run(main())
