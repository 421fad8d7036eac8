// openid-client, the certified OpenID Connect client library, in its own words.
import assert from 'node:assert/strict'
import * as client from 'openid-client'

export async function openidClient(setting, done) {
  const { stack } = setting
  const config = await client.discovery(
    new URL(stack.issuer),
    setting.clientId,
    undefined,
    client.PrivateKeyJwt(setting.keys.privateKey),
    { execute: [client.allowInsecureRequests] },
  )
  client.enableNonRepudiationChecks(config)
  done('discovery')

  const dpop = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const parameters = {
    redirect_uri: setting.redirectUri,
    scope: 'openid profile email mcp:tools',
    resource: stack.resource,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    max_age: '300',
  }
  const url = await client.buildAuthorizationUrlWithPAR(config, parameters, dpop)
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 300, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, await setting.allow(url.href), checks, undefined, dpop)
  assert.equal(tokens.token_type, 'dpop')
  const { sub } = tokens.claims()
  done('code with PKCE, PAR and DPoP')

  const info = await client.fetchUserInfo(config, tokens.access_token, sub, dpop)
  assert.equal(info.name, 'Nick Lucas')
  done('userinfo')

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, dpop)
  assert.notEqual(refreshed.access_token, tokens.access_token)
  done('refresh')

  const known = await client.tokenIntrospection(config, refreshed.access_token)
  assert.equal(known.active, true)
  assert.equal(known.sub, sub)
  assert.ok(known.cnf.jkt)
  done('introspection')

  const own = await client.clientCredentialsGrant(config, { scope: 'mcp:tools', resource: stack.resource })
  assert.equal(own.refresh_token, undefined)
  done('client_credentials with private_key_jwt')

  const device = await client.initiateDeviceAuthorization(config, { scope: 'mcp:tools', resource: stack.resource })
  await setting.allowDevice(device.verification_uri_complete)
  const devices = await client.pollDeviceAuthorizationGrant(config, device)
  assert.equal(devices.token_type, 'bearer')
  done('device')

  await client.tokenRevocation(config, devices.access_token)
  assert.equal((await client.tokenIntrospection(config, devices.access_token)).active, false)
  done('revocation')

  assert.ok(await setting.isSignedIn())
  const logout = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: setting.afterwards,
    state: expectedState,
  })
  const page = await setting.person.open(logout.href)
  assert.equal(page.url, `${setting.afterwards}?state=${expectedState}`)
  assert.equal(await setting.isSignedIn(), false)
  done('logout')
}
