// The real servers as processes on free ports: `auth`, `mcp`, and the stand-in for GitHub.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const programs = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug')

/** A port that nobody uses now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** A running stack with a database of its own. `options` are further settings, as environment variables. */
export class Stack {
  static async start(options = {}) {
    const stack = new Stack()
    const [auth, mcp, github] = await Promise.all([freePort(), freePort(), freePort()])
    stack.directory = mkdtempSync(join(tmpdir(), 'portcullis-'))
    stack.issuer = `http://localhost:${auth}`
    stack.resource = `http://localhost:${mcp}/mcp`
    stack.github = `http://localhost:${github}`
    const secret = join(stack.directory, 'secret')
    writeFileSync(secret, randomBytes(32).toString('base64url'), { mode: 0o600 })
    stack.environment = {
      PATH: process.env.PATH,
      AUTH_LISTEN: `127.0.0.1:${auth}`,
      AUTH_ISSUER: stack.issuer,
      AUTH_RESOURCE: stack.resource,
      AUTH_SECRET_FILE: secret,
      DATABASE_URL: `sqlite://${join(stack.directory, 'auth.db')}`,
      GITHUB_BASE_URL: stack.github,
      GITHUB_API_URL: stack.github,
      GITHUB_CLIENT_ID: 'portcullis-stand-in',
      GITHUB_CLIENT_SECRET: 'stand-in-secret',
      MCP_LISTEN: `127.0.0.1:${mcp}`,
      MCP_RESOURCE: stack.resource,
      MCP_ISSUER: stack.issuer,
      ...options,
    }
    stack.standIn = stack.run('examples/github-stand-in', ['--port', String(github)])
    await stack.startServers()
    return stack
  }

  processes = []
  log = ''

  /** Stops `auth` and `mcp` and starts them again, on the same ports with the same database. */
  async restart() {
    await Promise.all(this.servers.map(end))
    await this.startServers()
  }

  async stop() {
    await Promise.all(this.processes.map(end))
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Runs a command of `auth` on the stack's database and gives what it printed. */
  async operator(...args) {
    const child = this.run('auth', args, 'pipe')
    let printed = ''
    child.stdout.on('data', (data) => (printed += data))
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (code !== 0) throw new Error(`auth ${args.join(' ')} ended with ${code}:\n${this.log.slice(-2000)}`)
    return printed
  }

  async startServers() {
    this.servers = [this.run('auth', []), this.run('mcp', [])]
    await Promise.all([this.answers(`${this.issuer}/health`), this.answers(new URL('/health', this.resource))])
  }

  /** Waits until a URL answers. */
  answers(url) {
    return answers(url, this)
  }

  run(name, args, stdout = 'ignore') {
    const child = spawn(join(programs, name), args, {
      cwd: this.directory,
      env: this.environment,
      stdio: ['ignore', stdout, 'pipe'],
    })
    child.stderr.on('data', (data) => (this.log += data))
    this.processes.push(child)
    return child
  }
}

async function answers(url, stack) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${url} does not answer:\n${stack.log.slice(-2000)}`)
}

function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  return new Promise((resolve) => {
    child.on('exit', resolve)
    child.kill('SIGTERM')
  })
}
