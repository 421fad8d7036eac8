// A host on the TypeScript SDK 2.x, held to 2026-07-28.
import { Client, StreamableHTTPClientTransport as Transport, UnauthorizedError } from '@modelcontextprotocol/client'
import { serve } from './typescript.mjs'

const finish = (transport, answer) => transport.finishAuth(answer)
const options = { versionNegotiation: { mode: { pin: '2026-07-28' } } }
await serve({ Client, Transport, UnauthorizedError, finish, options })
