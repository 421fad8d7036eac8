// The clients under test. Each knows how to call the tool `echo` for several texts at once and gives what it said.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const packages = join(here, 'node_modules')
const LONGEST_CALL = 60_000

/** A host that stays and takes its calls as lines on stdin. */
class Lines {
  constructor(command, args, environment) {
    this.child = spawn(command, args, { cwd: here, env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
    this.talk = ''
    this.child.stderr.on('data', (data) => (this.talk += data))
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
  }

  async echo(texts) {
    this.child.stdin.write(`${JSON.stringify(texts)}\n`)
    const line = await this.read()
    if (line.error) throw new Error(line.error)
    return line.texts
  }

  async read() {
    const { value, done } = await within(this.lines.next(), () => this.talk)
    if (done) throw new Error(`the host has ended:\n${this.talk.slice(-2000)}`)
    return JSON.parse(value)
  }

  stop() {
    this.child.kill()
  }
}

/** mcp-remote as a proxy, the way that desktop hosts run it: JSON-RPC lines in and out. */
class McpRemote extends Lines {
  static start({ resource, environment }) {
    return new McpRemote(join(packages, '.bin/node'), [join(packages, 'mcp-remote/dist/proxy.js'), resource], environment)
  }

  requests = 0

  async echo(texts) {
    if (this.requests === 0) {
      const clientInfo = { name: 'interop', version: '1.0.0' }
      await this.request(['initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }])
      this.send({ method: 'notifications/initialized' })
    }
    const calls = texts.map((message) => ['tools/call', { name: 'echo', arguments: { message } }])
    const results = await this.request(...calls)
    return results.map((result) => result.content[0].text)
  }

  async request(...calls) {
    const ids = calls.map(([method, params]) => {
      this.requests += 1
      this.send({ id: this.requests, method, params })
      return this.requests
    })
    const answers = new Map()
    while (!ids.every((id) => answers.has(id))) {
      const message = await this.read()
      if (message.error) throw new Error(JSON.stringify(message.error))
      if (message.id !== undefined) answers.set(message.id, message.result)
    }
    return ids.map((id) => answers.get(id))
  }

  send(message) {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
}

/** A command line: each call is a process, all of them at once. */
class Processes {
  constructor(run) {
    this.run = run
  }

  async echo(texts) {
    const [first, ...others] = texts
    return Promise.all([this.run(first), ...others.map((text) => this.run(text))])
  }

  stop() {}
}

function inspector({ resource, environment }) {
  const launcher = join(packages, '@modelcontextprotocol/inspector/clients/launcher/build/index.js')
  const settings = { ...environment, MCP_AUTO_OPEN_ENABLED: 'true', MCP_INSPECTOR_SECRET_STORE: 'file' }
  return new Processes(async (text) => {
    const call = ['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', `message=${text}`]
    const args = [launcher, '--cli', resource, '--transport', 'http', ...call, '--format', 'json']
    const { stdout } = await output(join(packages, '.bin/node'), args, settings)
    const answer = JSON.parse(stdout)
    return (answer.result ?? answer).content[0].text
  })
}

/** Claude Code cannot call a tool without a model: it signs in, then connects and lists the tools. */
function claudeCode({ resource, environment, greeting }) {
  const claude = join(packages, '.bin/claude')
  const connects = async () => {
    const { stdout } = await output(claude, ['mcp', 'list'], environment)
    return /mcp-demo: .*✔ Connected/.test(stdout)
  }
  let isAdded = false
  return new Processes(async (text) => {
    if (!isAdded) {
      isAdded = true
      await output(claude, ['mcp', 'add', 'mcp-demo', resource, '-t', 'http'], environment)
    }
    if (!(await connects())) {
      // It signs in only where it has a terminal.
      await output('script', ['-qefc', `${claude} mcp login mcp-demo`, '/dev/null'], environment)
      if (!(await connects())) throw new Error('mcp list does not say Connected after mcp login')
    }
    return greeting(text)
  })
}

/** Every client: its name, the revision it speaks, and how to start it. */
export const hosts = [
  { name: 'TypeScript SDK 1.32.2', wire: '2025-11-25', start: typescript('typescript_1.mjs') },
  { name: 'TypeScript SDK 2.4.0', wire: '2026-07-28', start: typescript('typescript_2.mjs') },
  { name: 'Python SDK 2.3.0', wire: '2025-11-25', start: python('mcp', 'python_sdk.py') },
  { name: 'FastMCP 4.1.2', wire: '2026-07-28', start: python('fastmcp', 'fastmcp_client.py') },
  { name: 'mcp-remote 0.15.1', wire: '2025-06-18', start: McpRemote.start },
  { name: 'MCP Inspector 2.12.0', wire: '2025-11-25', start: inspector },
  { name: 'Claude Code 2.1.330', wire: '2025-11-25', start: claudeCode, lists: true },
]

function typescript(script) {
  return ({ resource, environment }) => new Lines(join(packages, '.bin/node'), [script, resource], environment)
}

function python(place, script) {
  const interpreter = join(process.env.PYTHON_PLACES, place, 'bin/python')
  return ({ resource, environment }) => new Lines(interpreter, [script, resource], environment)
}

function output(command, args, environment) {
  const child = spawn(command, args, { cwd: environment.HOME, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => (stdout += data))
  child.stderr.on('data', (data) => (stderr += data))
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve({ stdout, stderr })
      else reject(new Error(`${command} ended with ${code}:\n${stdout.slice(-1000)}\n${stderr.slice(-1000)}`))
    })
  })
  return within(ended, () => {
    child.kill('SIGKILL')
    return `${stdout}\n${stderr}`
  })
}

async function within(promise, talk) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in time:\n${talk().slice(-2000)}`)), LONGEST_CALL)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
