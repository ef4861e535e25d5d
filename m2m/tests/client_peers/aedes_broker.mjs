// aedes on a port of 127.0.0.1, until standard input ends; says `ready` when it listens.

import { createRequire } from 'node:module'
import { createServer } from 'node:net'

const require = createRequire(process.env.M2M_NODE_MODULES + '/')
const { Aedes } = require('aedes')

const broker = await Aedes.createBroker()
const server = createServer(broker.handle)
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'))
process.stdin.on('end', () => process.exit()).resume()
