// What the hosts on both TypeScript SDKs have in common: an OAuth provider in memory, a loopback port for the answer,
// and one connection that is kept until it breaks. Reads arrays of texts from stdin, a line each, and echoes their
// texts in parallel; answers a line each.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

const [resource] = process.argv.slice(2)

/** Serves lines with the classes of one SDK. */
export async function serve({ Client, Transport, UnauthorizedError, finish, options }) {
  const provider = await Provider.listen()
  let open
  const connect = async () => {
    const transport = new Transport(new URL(resource), { authProvider: provider })
    const client = new Client({ name: 'interop', version: '1.0.0' }, options)
    try {
      await client.connect(transport)
    } catch (error) {
      await signIn(error, transport)
      return connect()
    }
    return { client, transport }
  }
  const signIn = async (error, transport) => {
    if (!(error instanceof UnauthorizedError)) throw error
    await finish(transport, await provider.answer())
  }
  const echo = async (texts) => {
    open ??= await connect()
    const { client } = open
    const calls = texts.map((message) => client.callTool({ name: 'echo', arguments: { message } }))
    const results = await Promise.all(calls)
    return results.map((result) => result.content[0].text)
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const texts = JSON.parse(line)
    let answer
    try {
      // A host connects anew where its connection broke or its sign-in ended.
      answer = { texts: await echo(texts).catch(async (error) => {
        if (error instanceof UnauthorizedError) await signIn(error, open.transport)
        open = undefined
        return echo(texts)
      }) }
    } catch (error) {
      answer = { error: String(error?.stack ?? error) }
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  process.exit(0)
}

class Provider {
  static async listen() {
    const provider = new Provider()
    const server = createServer((request, response) => {
      response.end('Done.')
      provider.arrived?.(new URL(request.url, provider.redirectUrl).searchParams)
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    provider.redirectUrl = `http://127.0.0.1:${server.address().port}/callback`
    return provider
  }

  get clientMetadata() {
    return {
      client_name: 'Interop host',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
  }

  state() {
    return crypto.randomUUID()
  }

  redirectToAuthorization(url) {
    this.answered = new Promise((resolve) => (this.arrived = resolve))
    void fetch(`${process.env.BROWSER_CONTROL}?url=${encodeURIComponent(url.href)}`)
  }

  /** The parameters of the authorization response. */
  answer() {
    return this.answered
  }

  clientInformation() { return this.information }
  saveClientInformation(information) { this.information = information }
  tokens() { return this.saved }
  saveTokens(tokens) { this.saved = tokens }
  codeVerifier() { return this.verifier }
  saveCodeVerifier(verifier) { this.verifier = verifier }
  discoveryState() { return this.discovered }
  saveDiscoveryState(state) { this.discovered = state }
  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'client') this.information = undefined
    if (scope === 'all' || scope === 'tokens') this.saved = undefined
    if (scope === 'all' || scope === 'discovery') this.discovered = undefined
  }
}
