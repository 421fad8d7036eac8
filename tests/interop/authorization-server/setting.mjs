// A stack, a client that an operator entered, its key, and a person at a browser.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

import { Person, formsOf } from '../person.mjs'
import { Stack, freePort } from '../stack.mjs'

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

export class Setting {
  static async start() {
    const setting = new Setting()
    setting.stack = await Stack.start()
    setting.person = new Person(setting.stack)
    await setting.listen()
    await setting.enterClient()
    return setting
  }

  async stop() {
    this.callbacks.close()
    await this.stack.stop()
  }

  /** Signs in where need be, allows, and gives the address at which the client's page was opened. */
  async allow(url) {
    const page = await this.person.allow(url)
    assert.ok(page.url.startsWith(this.redirectUri), `the person ended at ${page.url}`)
    return new URL(page.url)
  }

  /** Allows a device what it asks for, at the page that its code leads to. */
  async allowDevice(url) {
    let page = await this.person.open(url)
    for (let step = 0; step < 10; step++) {
      const forms = formsOf(page.html)
      const answer = forms.find((form) => form.buttons.some((button) => button.value === 'allow'))
      const code = forms.find((form) => form.fields.some(([name]) => name === 'user_code'))
      if (answer) {
        const fields = [...answer.fields, ['started', 'yes'], ['decision', 'allow']]
        return this.person.send(page, { action: answer.action, fields })
      }
      page = await this.person.send(page, code ?? this.person.nextForm(page))
    }
    throw new Error(`the device is not allowed; the person stands at ${page.url}`)
  }

  async isSignedIn() {
    const page = await this.person.open(`${this.stack.issuer}/`)
    return page.html.includes('Nick Lucas')
  }

  async listen() {
    const port = await freePort()
    this.callbacks = createServer((_, answer) => answer.end('You can close this page.'))
    await new Promise((resolve) => this.callbacks.listen(port, '127.0.0.1', resolve))
    this.redirectUri = `http://127.0.0.1:${port}/callback`
    this.afterwards = `http://127.0.0.1:${port}/signed-out`
  }

  /** One client for everything, which proves itself by private_key_jwt. */
  async enterClient() {
    const usages = ['sign', 'verify']
    this.keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, usages)
    const jwk = await crypto.subtle.exportKey('jwk', this.keys.publicKey)
    const jwks = { keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, alg: 'ES256', use: 'sig' }] }
    const file = join(this.stack.directory, 'jwks.json')
    writeFileSync(file, JSON.stringify(jwks))
    const grants = ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_GRANT]
    const printed = await this.stack.operator(
      ...['clients', 'add', '--json', '--name', 'Certified library', '--jwks-file', file],
      ...['--auth-method', 'private_key_jwt', '--redirect-uri', this.redirectUri],
      ...['--post-logout-redirect-uri', this.afterwards],
      ...grants.flatMap((grant) => ['--grant-type', grant]),
    )
    this.clientId = JSON.parse(printed).client_id
  }
}
