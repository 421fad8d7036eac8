// oidc-provider with signed access tokens for one resource. PORT; AUDIENCE; DATABASE for a SQLite file, else it keeps
// everything in memory. People sign in and consent without a page's form: /interaction/ID/login and /confirm.
import Provider from 'oidc-provider'
import Database from 'better-sqlite3'
import { generateKeyPairSync } from 'node:crypto'

const { PORT, DATABASE } = process.env
const scopes = ['openid', 'profile', 'email', 'offline_access', 'mcp:tools']
const inAnHour = (ttl) => Math.floor(Date.now() / 1000) + (ttl ?? 3600)

function memory() {
  const rows = new Map()
  const grants = new Map()
  return {
    put(key, payload) {
      rows.set(key, payload)
      if (payload.uid) rows.set(`uid:${payload.uid}`, payload)
      if (payload.grantId) grants.set(payload.grantId, (grants.get(payload.grantId) ?? new Set()).add(key))
    },
    get: (key) => rows.get(key),
    byUid: (uid) => rows.get(`uid:${uid}`),
    delete: (key) => rows.delete(key),
    deleteGrant(id) {
      for (const key of grants.get(id) ?? []) rows.delete(key)
      grants.delete(id)
    },
  }
}

function sqlite(file) {
  const database = new Database(file)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE rows (key TEXT PRIMARY KEY, payload TEXT NOT NULL, expires INTEGER, grant_id TEXT, uid TEXT) WITHOUT ROWID;
    CREATE INDEX rows_by_grant ON rows (grant_id) WHERE grant_id IS NOT NULL;
    CREATE INDEX rows_by_uid ON rows (uid) WHERE uid IS NOT NULL;`)
  const put = database.prepare('INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)')
  const get = database.prepare('SELECT payload FROM rows WHERE key = ? AND expires > unixepoch()')
  const byUid = database.prepare('SELECT payload FROM rows WHERE uid = ?')
  const remove = database.prepare('DELETE FROM rows WHERE key = ?')
  const removeGrant = database.prepare('DELETE FROM rows WHERE grant_id = ?')
  const parsed = (row) => row && JSON.parse(row.payload)
  return {
    put(key, payload, ttl) {
      put.run(key, JSON.stringify(payload), inAnHour(ttl), payload.grantId ?? null, payload.uid ?? null)
    },
    get: (key) => parsed(get.get(key)),
    byUid: (uid) => parsed(byUid.get(uid)),
    delete: (key) => remove.run(key),
    deleteGrant: (id) => removeGrant.run(id),
  }
}

const store = DATABASE ? sqlite(DATABASE) : memory()
class Adapter {
  constructor(name) { this.name = name }
  async upsert(id, payload, ttl) { store.put(`${this.name}:${id}`, payload, ttl) }
  async find(id) { return store.get(`${this.name}:${id}`) }
  async findByUid(uid) { return store.byUid(uid) }
  async findByUserCode() {}
  async consume(id) {
    const payload = store.get(`${this.name}:${id}`)
    store.put(`${this.name}:${id}`, { ...payload, consumed: inAnHour(0) })
  }
  async destroy(id) { store.delete(`${this.name}:${id}`) }
  async revokeByGrantId(id) { store.deleteGrant(id) }
}

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  adapter: Adapter,
  jwks: { keys: [{ ...key, kid: 'es256', alg: 'ES256', use: 'sig' }] },
  cookies: { keys: ['only for measuring'] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  scopes,
  clients: [{
    client_id: 'm2m', client_secret: 'a-secret-that-is-long-enough-0123456789', grant_types: ['client_credentials'],
    redirect_uris: [], response_types: [], scope: 'mcp:tools',
  }],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'bench', email: 'bench@example.com' }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  pkce: { required: () => true },
  ttl: { AccessToken: 3600, AuthorizationCode: 900, ClientCredentials: 3600, Grant: 86400, IdToken: 3600,
    Interaction: 3600, RefreshToken: 86400, Session: 86400 },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, audience) => ({
        audience, scope: scopes.join(' '), accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
})

provider.use(async (context, next) => {
  const [, , action] = /^\/interaction\/([^/]+)\/?(.*)$/.exec(context.path) ?? []
  if (action === undefined) return next()
  const { req, res } = context
  const { prompt, params, session } = await provider.interactionDetails(req, res)
  if (action === '') {
    context.body = `<!doctype html><title>${prompt.name}</title>`
    return
  }
  context.respond = false
  if (action === 'login') return provider.interactionFinished(req, res, { login: { accountId: 'user' } })
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '))
  for (const [resource, missing] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, missing.join(' '))
  }
  const consent = { grantId: await grant.save() }
  await provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true })
})
provider.listen(PORT, '127.0.0.1')
