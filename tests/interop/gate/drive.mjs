// The TypeScript SDK signs in at the gate and uses each feature of server-everything, which the gate has started: echo,
// progress, elicitation, sampling, roots, resources and cancellation.
import { strict as assert } from 'node:assert'
import { createServer } from 'node:http'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { Person } from '../person.mjs'
import { Stack, freePort } from '../stack.mjs'

const port = await freePort()
const resource = `http://localhost:${port}/mcp`
const stack = await Stack.start({ AUTH_RESOURCE: resource })
const listen = ['--listen', `127.0.0.1:${port}`, '--resource', resource, '--issuer', stack.issuer]
stack.run('gate', [...listen, '--', 'mcp-server-everything'])
await stack.answers(new URL('/health', resource))

/** An OAuth client in memory, whose browser is the person. */
class Provider {
  person = new Person(stack)
  async redirectToAuthorization(url) {
    await this.person.allow(url.href)
  }
  clientInformation() { return this.information }
  saveClientInformation(information) { this.information = information }
  tokens() { return this.saved }
  saveTokens(tokens) { this.saved = tokens }
  codeVerifier() { return this.verifier }
  saveCodeVerifier(verifier) { this.verifier = verifier }
}

/** Listens at the redirect URI for the code. */
async function callback(provider) {
  const server = createServer((request, response) => {
    provider.code = new URL(request.url, 'http://localhost').searchParams.get('code')
    response.end('Done.')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  provider.redirectUrl = `http://127.0.0.1:${server.address().port}/callback`
  provider.clientMetadata = {
    client_name: 'Interop', redirect_uris: [provider.redirectUrl], token_endpoint_auth_method: 'none',
  }
  return server
}

async function connect() {
  const provider = new Provider()
  const server = await callback(provider)
  const open = async () => {
    const capabilities = { elicitation: {}, sampling: {}, roots: {} }
    const client = new Client({ name: 'interop', version: '1.0.0' }, { capabilities })
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'decline' }))
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      role: 'assistant', model: 'none', content: { type: 'text', text: 'sampled by the client' },
    }))
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///interop', name: 'interop' }] }))
    const transport = new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider })
    return { client, transport }
  }
  const first = await open()
  await assert.rejects(first.client.connect(first.transport), UnauthorizedError)
  await first.transport.finishAuth(provider.code)
  server.close()
  const second = await open()
  await second.client.connect(second.transport)
  return second
}

const step = async (name, work) => {
  await work()
  console.log(`  ${name}`)
}
const textOf = (result) => result.content.map((content) => content.text ?? '').join('\n')
let failed = false
try {
  const { client, transport } = await connect()
  const call = (name, args = {}, ...options) => client.callTool({ name, arguments: args }, ...options)
  await step('sign in', () => assert.equal(client.getServerVersion().name, 'mcp-servers/everything'))
  await step('echo', async () => assert.match(textOf(await call('echo', { message: 'ping ☃' })), /ping ☃/))
  await step('progress', async () => {
    const seen = []
    const onprogress = ({ progress }) => seen.push(progress)
    await call('trigger-long-running-operation', { duration: 1, steps: 3 }, undefined, { onprogress })
    assert.deepEqual(seen, [1, 2, 3])
  })
  await step('elicitation', async () => assert.match(textOf(await call('trigger-elicitation-request')), /declined/i))
  await step('sampling', async () => {
    assert.match(textOf(await call('trigger-sampling-request', { prompt: 'hi' })), /sampled by the client/)
  })
  await step('roots', async () => assert.match(textOf(await call('get-roots-list')), /file:\/\/\/interop/))
  await step('resources', async () => {
    const { resources } = await client.listResources()
    const { contents } = await client.readResource({ uri: resources[0].uri })
    assert.ok(contents[0].text ?? contents[0].blob)
  })
  await step('cancellation', async () => {
    const controller = new AbortController()
    const options = { signal: controller.signal, onprogress: () => controller.abort('enough') }
    await assert.rejects(call('trigger-long-running-operation', { duration: 60, steps: 60 }, undefined, options), /enough/)
    assert.match(textOf(await call('echo', { message: 'still here' })), /still here/)
  })
  await step('end of the session', () => transport.terminateSession())
  await client.close()
} catch (error) {
  failed = true
  console.error(`${error.stack}\n${stack.log.split('\n').slice(-15).join('\n')}`)
} finally {
  await stack.stop()
}
process.exit(failed ? 1 : 0)
