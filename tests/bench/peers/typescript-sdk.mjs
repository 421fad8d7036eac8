// An MCP server of the TypeScript SDK with one tool, whose access tokens jose verifies locally.
// PORT, ISSUER, AUDIENCE; JWKS_URL, else the file jwks.json; SESSIONS=1 for the sessions of 2025-11-25.
import { createServer } from 'node:http'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from 'jose'
import { z } from 'zod'
import { createMcpExpressApp, requireBearerAuth } from '@modelcontextprotocol/express'
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import {
  bearerAuthChallengeResponse, createMcpHandler, isInitializeRequest, McpServer, OAuthError, OAuthErrorCode,
  verifyBearerToken,
} from '@modelcontextprotocol/server'

const { PORT, ISSUER: issuer, AUDIENCE: audience, JWKS_URL, SESSIONS } = process.env
const keys = JWKS_URL
  ? createRemoteJWKSet(new URL(JWKS_URL))
  : createLocalJWKSet(JSON.parse(readFileSync('jwks.json', 'utf8')))
const verifier = {
  async verifyAccessToken(token) {
    const { payload } = await jwtVerify(token, keys, { issuer, audience }).catch(() => {
      throw new OAuthError(OAuthErrorCode.InvalidToken, 'invalid token')
    })
    return { token, clientId: payload.client_id, scopes: (payload.scope ?? '').split(' '), expiresAt: payload.exp }
  },
}

function echo() {
  const server = new McpServer({ name: 'typescript-sdk', version: '1.0.0' })
  const inputSchema = z.object({ message: z.string() })
  server.registerTool('echo', { description: 'Repeats a message', inputSchema }, ({ message }) => ({
    content: [{ type: 'text', text: message }],
  }))
  return server
}

if (SESSIONS) {
  const sessions = new Map()
  const app = createMcpExpressApp()
  app.use(requireBearerAuth({ verifier }))
  app.post('/mcp', async (request, response) => {
    let transport = sessions.get(request.headers['mcp-session-id'])
    if (!transport) {
      if (!isInitializeRequest(request.body)) return response.status(404).end()
      transport = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => sessions.set(id, transport),
        enableJsonResponse: true,
      })
      await echo().connect(transport)
    }
    await transport.handleRequest(request, response, request.body)
  })
  app.listen(PORT, '127.0.0.1')
} else {
  const handle = toNodeHandler(createMcpHandler(echo))
  createServer(async (request, response) => {
    try {
      request.auth = await verifyBearerToken(request.headers.authorization, { verifier })
    } catch (error) {
      const challenge = bearerAuthChallengeResponse(error, { verifier })
      response.writeHead(challenge.status, Object.fromEntries(challenge.headers))
      return response.end(await challenge.text())
    }
    await handle(request, response)
  }).listen(PORT, '127.0.0.1')
}
