// Better Auth with its OAuth provider and JWT plugins on SQLite. PORT, AUDIENCE, DATABASE.
import { createServer } from 'node:http'
import Database from 'better-sqlite3'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import { oauthProvider } from '@better-auth/oauth-provider'

const { PORT, AUDIENCE, DATABASE } = process.env
const origin = `http://127.0.0.1:${PORT}`
const scopes = ['openid', 'profile', 'email', 'offline_access', 'mcp:tools']
const database = new Database(DATABASE)
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')

const auth = () => betterAuth({
  baseURL: origin,
  basePath: '/api/auth',
  secret: 'only-for-measuring-0123456789-0123456789-0123456789',
  database,
  logger: { level: 'error' },
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  trustedOrigins: [origin],
  emailAndPassword: { enabled: true },
  plugins: [
    jwt({ jwks: { keyPairConfig: { alg: 'ES256' } }, disableSettingJwtHeader: true }),
    oauthProvider({
      loginPage: '/login',
      consentPage: '/consent',
      scopes,
      resources: [AUDIENCE],
      cachedResources: new Set([AUDIENCE]),
      enforcePerClientResources: false,
      allowDynamicClientRegistration: true,
      allowUnauthenticatedClientRegistration: true,
      grantTypes: ['authorization_code', 'client_credentials', 'refresh_token'],
      clientRegistrationDefaultScopes: scopes,
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
      rateLimit: { authorize: false, introspect: false, register: false, revoke: false, token: false, userinfo: false },
    }),
  ],
})

const { runMigrations } = await getMigrations(auth().options)
await runMigrations()
// The tables of a first start are only seen by a second one.
const handle = toNodeHandler(auth())
createServer((request, response) => {
  // Only an administrator on the server's side may set the scopes of a machine's client.
  const [, client] = /^\/machine\/([\w-]+)$/.exec(request.url) ?? []
  if (client) {
    const update = 'UPDATE oauthClient SET clientCredentialsScopes = ? WHERE clientId = ?'
    database.prepare(update).run('["mcp:tools"]', client)
    return response.end()
  }
  if (/^\/(login|consent)\b/.test(request.url)) return response.end('<!doctype html><title>page</title>')
  return handle(request, response)
}).listen(PORT, '127.0.0.1')
