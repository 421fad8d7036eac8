// A host on the TypeScript SDK 1.x, which speaks 2025-11-25.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { serve } from './typescript.mjs'

const finish = (transport, answer) => transport.finishAuth(answer.get('code'))
await serve({ Client, Transport, UnauthorizedError, finish })
