// An MCP server over stdin and stdout that does what a test asks for, well or badly.
// Options: --modern speaks 2026-07-28 only; --old ends when it is asked anything before `initialize`; --stubborn
// ends neither with its input nor on SIGTERM.
import { readFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

const modern = process.argv.includes('--modern')
const old = process.argv.includes('--old')
const text = (text) => ({ content: [{ type: 'text', text }], ...(modern && { resultType: 'complete' }) })
const write = (message) => writeSync(1, `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
/** Calls that wait for others, requests to the client, calls that were cancelled, and what was said. */
const [held, asked, cancelled, said] = [[], new Map(), [], []]
let initialized = false
let asks = 0

const tools = {
  echo: (id, { text: said }) => write({ id, result: text(said) }),
  pid: (id) => write({ id, result: text(String(process.pid)) }),
  meta: (id, _, meta) => write({ id, result: text(JSON.stringify(meta)) }),
  environment: (id) => write({ id, result: text(JSON.stringify([process.cwd(), Object.keys(process.env)])) }),
  limits: (id) => write({ id, result: text(readFileSync('/proc/self/limits', 'utf8')) }),
  cancelled: (id) => write({ id, result: text(JSON.stringify(cancelled)) }),
  said: (id) => write({ id, result: text(JSON.stringify(said)) }),
  end: () => process.exit(3),
  noise: (id) => {
    writeSync(1, 'listening on nothing\n\n{"half":\n')
    write({ id, result: text('after noise') })
  },
  long: (id, { bytes }) => {
    write({ id, result: text('x'.repeat(bytes)) })
  },
  /** Says that it has begun, and no more. */
  wait: (id, _, meta) => meta.progressToken !== undefined && progress(meta.progressToken, 1),
  /** Reports progress so many times, then answers. */
  count: (id, { to }, meta) => {
    for (let n = 1; n <= to; n++) progress(meta.progressToken, n)
    write({ id, result: text('done') })
  },
  /** Answers when so many have called, the last one first. */
  gather: (id, { size, text: said }) => {
    held.push({ id, result: text(said) })
    if (held.length >= size) for (const answer of held.splice(0).reverse()) write(answer)
  },
  /** Answers with what the client answers. */
  ask: (id, { method, params }) => {
    const request = ++asks
    asked.set(request, id)
    write({ id: request, method, params })
  },
  announce: (id, { method, params }) => {
    write({ method, params })
    write({ id, result: text('announced') })
  },
}

const progress = (progressToken, n) => write({ method: 'notifications/progress', params: { progressToken, progress: n } })

function request({ id, method, params = {} }) {
  const about = { capabilities: { tools: { listChanged: true }, logging: {}, resources: { subscribe: true } } }
  const info = { serverInfo: { name: 'stdio', version: '1' }, instructions: 'Echo.' }
  if (method === 'server/discover' && modern) {
    return write({ id, result: { resultType: 'complete', supportedVersions: ['2026-07-28'], ...about, ttlMs: 0, cacheScope: 'private' } })
  }
  if (old && !initialized && method !== 'initialize') process.exit(1)
  if (method === 'initialize' && !modern) {
    initialized = true
    return write({ id, result: { protocolVersion: params.protocolVersion, ...about, ...info } })
  }
  if (method === 'tools/list') return write({ id, result: { tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })) } })
  if (method === 'resources/read') return write({ id, error: { code: -32002, message: 'no such resource' } })
  if (method === 'resources/subscribe' || method === 'resources/unsubscribe') return write({ id, result: {} })
  const tool = method === 'tools/call' && tools[params.name]
  if (!tool) return write({ id, error: { code: -32601, message: 'Method not found' } })
  tool(id, params.arguments ?? {}, params._meta ?? {})
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line)
  if (message.method !== 'tools/call') said.push(message.method ?? 'response')
  if (message.method === 'notifications/cancelled') cancelled.push(message.params.requestId)
  if (message.method === undefined) {
    const answer = JSON.stringify(message.result ?? message.error)
    write({ id: asked.get(message.id), result: text(answer) })
  } else if (message.id !== undefined) request(message)
})
if (process.argv.includes('--stubborn')) {
  process.on('SIGTERM', () => {})
  setInterval(() => {}, 1000)
}
process.stderr.write('ready\n')
