// What clients show whom the operator does not take: registration is off, and metadata documents may be at one other
// host alone. Prints the answer of each, which must say what is wrong; nothing of it may be a sign-in that begins.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Stack } from '../stack.mjs'
import { home } from './home.mjs'
import { hosts } from './hosts.mjs'

const POLICY = '[clients]\nregistration = "off"\nmetadata_documents = ["docs.acme.example"]\n\n[access]\nanyone = true\n'
/** What a client shows must have one of these words. */
const TOLD = [/regist/i, /client[ _-]?id/i, /operator/i]

async function refused({ start }) {
  const directory = mkdtempSync(join(tmpdir(), 'policy-'))
  const file = join(directory, 'portcullis.toml')
  writeFileSync(file, POLICY)
  const stack = await Stack.start({ AUTH_CONFIG_FILE: file })
  const { directory: own, environment } = home('http://127.0.0.1:9/')
  const host = start({ resource: stack.resource, environment, greeting: (text) => text })
  try {
    const said = await host.echo(['ping pong'])
    throw new Error(`it was let in and said ${JSON.stringify(said)}`)
  } catch (error) {
    return error.message
  } finally {
    host.stop()
    await stack.stop()
    for (const place of [directory, own]) rmSync(place, { recursive: true, force: true, maxRetries: 5 })
  }
}

const wanted = process.argv.slice(2)
const chosen = hosts.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word)))
let failed = 0
for (const host of chosen) {
  const said = (await refused(host)).split('\n').map((line) => line.trim()).filter(Boolean)
  const told = said.find((line) => TOLD.some((word) => word.test(line)))
  failed += told ? 0 : 1
  process.stdout.write(`${host.name.padEnd(24)}${told ? '✔' : '✘'} ${told ?? said.join(' | ')}\n`)
}
process.exit(failed === 0 ? 0 : 1)
