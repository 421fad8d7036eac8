// Drives other people's clients through the life of a sign-in, and prints what each of them did:
// sign in and call, three calls at once after the access token has expired, a call after both servers were started
// anew, and a call after the person took the grant back, which must ask the person again.
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { Person } from '../person.mjs'
import { Stack } from '../stack.mjs'
import { home } from './home.mjs'
import { hosts } from './hosts.mjs'

const LIFETIME = 8
/** `mcp` allows clocks to differ by 5 seconds. */
const UNTIL_EXPIRED = (LIFETIME + 6) * 1000
const PHASES = ['sign in', 'expiry', 'restart', 'revoked']
const greeting = (text) => `Hello Nick Lucas: ${text}`

/** Where a client's browser would open: it asks the person to go there. */
async function listen(person) {
  const failures = []
  const server = createServer(async (request, response) => {
    response.end()
    const url = new URL(request.url, 'http://localhost').searchParams.get('url')
    await person.allow(url).catch((error) => failures.push(error))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}/`, failures, close: () => server.close() }
}

async function drive({ start }, report) {
  const stack = await Stack.start({ AUTH_ACCESS_TOKEN_LIFETIME: String(LIFETIME) })
  const person = new Person(stack)
  const browser = await listen(person)
  const { directory, environment } = home(browser.url)
  const host = start({ resource: stack.resource, environment, greeting })
  const call = async (phase, texts, asks) => {
    const before = person.answers
    const said = await host.echo(texts)
    const expected = texts.map(greeting)
    if (JSON.stringify(said) !== JSON.stringify(expected)) throw new Error(`${phase}: it said ${JSON.stringify(said)}`)
    const asked = person.answers - before
    if (asks ? asked === 0 : asked !== 0) throw new Error(`${phase}: the person was asked ${asked} times`)
    report(phase)
  }
  try {
    await call('sign in', ['ping pong'], true)
    await new Promise((resolve) => setTimeout(resolve, UNTIL_EXPIRED))
    await call('expiry', ['one', 'two', 'three'], false)
    await stack.restart()
    await call('restart', ['ping pong'], false)
    await person.disconnectEverything()
    await new Promise((resolve) => setTimeout(resolve, UNTIL_EXPIRED))
    await call('revoked', ['ping pong'], true)
  } catch (error) {
    const seen = browser.failures.map((failure) => `\n  the person: ${failure.message}`).join('')
    throw new Error(`${error.message}${seen}\n${stack.log.split('\n').slice(-12).join('\n')}`)
  } finally {
    host.stop()
    browser.close()
    await stack.stop()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

const wanted = process.argv.slice(2)
const chosen = hosts.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word)))
let failed = 0
for (const host of chosen) {
  const done = new Set()
  process.stdout.write(`${host.name.padEnd(24)}${host.wire.padEnd(12)}`)
  try {
    await drive(host, (phase) => {
      done.add(phase)
      process.stdout.write(`✔ ${phase}${host.lists ? ' (mcp list)' : ''}  `)
    })
    process.stdout.write('\n')
  } catch (error) {
    failed += 1
    process.stdout.write(`✘ ${PHASES.find((phase) => !done.has(phase))}\n${error.message}\n`)
  }
}
process.exit(failed === 0 ? 0 : 1)
