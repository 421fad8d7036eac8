// oauth4webapi, the certified low-level library: each message and each judgement by itself.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'

export async function oauth4webapi(setting, done) {
  const { stack } = setting
  const options = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(stack.issuer)
  // Both places where clients look, as RFC 8414 and as OpenID Connect Discovery want it.
  for (const algorithm of ['oauth2', 'oidc']) {
    await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm }))
  }
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
  done('discovery')

  const client = { client_id: setting.clientId }
  const proof = oauth.PrivateKeyJwt(setting.keys.privateKey)
  const dpop = { ...options, DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')) }
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: setting.clientId,
    redirect_uri: setting.redirectUri,
    scope: 'openid profile email mcp:tools',
    resource: stack.resource,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  const push = () => oauth.pushedAuthorizationRequest(as, client, proof, parameters, dpop)
  const pushed = await withNonce(async () => oauth.processPushedAuthorizationResponse(as, client, await push()))
  const url = new URL(as.authorization_endpoint)
  url.searchParams.set('client_id', setting.clientId)
  url.searchParams.set('request_uri', pushed.request_uri)
  const answer = oauth.validateAuthResponse(as, client, await setting.allow(url.href), state)
  const tokens = await withNonce(async () => {
    const { redirectUri } = setting
    const response = await oauth.authorizationCodeGrantRequest(as, client, proof, answer, redirectUri, verifier, dpop)
    const expected = { expectedNonce: nonce, requireIdToken: true }
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, expected)
    await oauth.validateApplicationLevelSignature(as, response, options)
    return tokens
  })
  assert.equal(tokens.token_type, 'dpop')
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  done('code with PKCE, PAR and DPoP')

  const info = await withNonce(async () => {
    const response = await oauth.userInfoRequest(as, client, tokens.access_token, dpop)
    return oauth.processUserInfoResponse(as, client, sub, response)
  })
  assert.equal(info.email, 'nick-lucas@example.com')
  done('userinfo')

  const refreshed = await withNonce(async () => {
    const response = await oauth.refreshTokenGrantRequest(as, client, proof, tokens.refresh_token, dpop)
    return oauth.processRefreshTokenResponse(as, client, response)
  })
  assert.ok(refreshed.refresh_token)
  done('refresh')

  const introspect = async (token) =>
    oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, proof, token, options))
  const known = await introspect(refreshed.access_token)
  assert.deepEqual([known.active, known.sub, known.client_id], [true, sub, setting.clientId])
  done('introspection')

  const wanted = new URLSearchParams({ scope: 'mcp:tools', resource: stack.resource })
  const ownResponse = await oauth.clientCredentialsGrantRequest(as, client, proof, wanted, options)
  const own = await oauth.processClientCredentialsResponse(as, client, ownResponse)
  assert.equal(own.scope, 'mcp:tools')
  done('client_credentials with private_key_jwt')

  const deviceResponse = await oauth.deviceAuthorizationRequest(as, client, proof, wanted, options)
  const device = await oauth.processDeviceAuthorizationResponse(as, client, deviceResponse)
  const poll = async () => {
    const response = await oauth.deviceCodeGrantRequest(as, client, proof, device.device_code, options)
    return oauth.processDeviceCodeResponse(as, client, response)
  }
  await assert.rejects(poll(), { error: 'authorization_pending' })
  await setting.allowDevice(device.verification_uri_complete)
  await new Promise((resolve) => setTimeout(resolve, device.interval * 1000))
  const devices = await poll()
  assert.equal(devices.token_type, 'bearer')
  done('device')

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof, devices.access_token, options))
  assert.equal((await introspect(devices.access_token)).active, false)
  done('revocation')

  const logout = new URL(as.end_session_endpoint)
  logout.searchParams.set('id_token_hint', tokens.id_token)
  logout.searchParams.set('post_logout_redirect_uri', setting.afterwards)
  logout.searchParams.set('state', state)
  const page = await setting.person.open(logout.href)
  assert.equal(page.url, `${setting.afterwards}?state=${state}`)
  assert.equal(await setting.isSignedIn(), false)
  done('logout')
}

/** Once more with the nonce that the server has asked for, as the library wants its users to do it. */
async function withNonce(send) {
  try {
    return await send()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return send()
  }
}
