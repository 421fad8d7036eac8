// Makes what resource servers of other people verify with, in the current folder: a key set, the key as PEM,
// and one access token for it.
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { writeFileSync } from 'node:fs'

const { publicKey, privateKey } = await generateKeyPair('ES256')
const key = { ...(await exportJWK(publicKey)), kid: 'es256', alg: 'ES256', use: 'sig' }
const token = await new SignJWT({ scope: 'mcp:tools', client_id: 'bench', name: 'bench' })
  .setProtectedHeader({ alg: 'ES256', kid: 'es256', typ: 'at+jwt' })
  .setIssuer(process.env.ISSUER).setAudience(process.env.AUDIENCE).setSubject('user').setJti('1')
  .setIssuedAt().setExpirationTime('1d').sign(privateKey)
writeFileSync('jwks.json', JSON.stringify({ keys: [key] }))
writeFileSync('key.pem', await exportSPKI(publicKey))
writeFileSync('token', token)
