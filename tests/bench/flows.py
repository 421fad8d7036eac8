"""The requests that are measured, as steps for `load`: for our servers, for each peer, and for the floors.

A flow is a dictionary of named lists of steps. Each server names its own steps alike: `login` signs a user in,
`register` registers a client, `consent` leads to the first code of a client, `authorize` to a further one,
`exchange` redeems it; then `refresh`, `client_credentials`, `introspect`, `userinfo`, `metadata`, `jwks`, `call`.
"""

REDIRECT_URI = "https://app.example.com/callback"
MESSAGE = "ping pong"
CLIENT = {"name": "bench", "version": "1"}


def step(name, url, status=200, **more):
    return {"name": name, "url": url, "status": status, **more}


def between(after, until="", **more):
    return {"after": after, "until": until, **more}


def member(name):
    """A string member of a JSON body."""
    return between(f'"{name}":"', '"')


def location(after="", until="&", **more):
    return between(after, until, header="location", **more)


CODE = location("code=", encoded=True)


def pairs(**values):
    return [[name, value] for name, value in values.items()]


def registration(url):
    metadata = {
        "client_name": "bench",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    return step("register", url, 201, json=metadata, save={"client_id": member("client_id")})


def authorization(url, status, save, **more):
    query = pairs(
        response_type="code",
        client_id="{{client_id}}",
        redirect_uri=REDIRECT_URI,
        scope="openid profile email offline_access mcp:tools",
        state="{{state}}",
        code_challenge="{{challenge}}",
        code_challenge_method="S256",
        resource="{{mcp}}",
    ) + pairs(**more)
    return step("authorize", url, status, query=query, cookies=True, pkce=True, fresh=["state"], save=save)


def exchange(url):
    form = pairs(
        grant_type="authorization_code",
        code="{{code}}",
        redirect_uri=REDIRECT_URI,
        client_id="{{client_id}}",
        code_verifier="{{verifier}}",
        resource="{{mcp}}",
    )
    save = {"access_token": member("access_token"), "refresh_token": member("refresh_token")}
    return step("token", url, form=form, save=save)


def refresh(url):
    form = pairs(
        grant_type="refresh_token", refresh_token="{{refresh_token}}", client_id="{{client_id}}", resource="{{mcp}}"
    )
    save = {"access_token": member("access_token"), "refresh_token": member("refresh_token")}
    return step("refresh", url, form=form, save=save)


def client_credentials(url, scope="mcp:tools"):
    form = pairs(grant_type="client_credentials", scope=scope, resource="{{mcp}}")
    return step("token", url, form=form, basic=["{{m2m_id}}", "{{m2m_secret}}"], save={"access_token": member("access_token")})


def introspect(url, token="{{access_token}}", who="m2m"):
    basic = [f"{{{{{who}_id}}}}", f"{{{{{who}_secret}}}}"]
    return step("introspect", url, form=pairs(token=token), basic=basic, contains='"active":true')


def userinfo(url, token="{{access_token}}"):
    return step("userinfo", url, headers={"authorization": f"Bearer {token}"}, contains='"sub"')


def call(token="{{access_token}}", status=200):
    """`tools/call` on the wire of 2026-07-28, which has no handshake."""
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "echo",
    }
    if token:
        headers["authorization"] = f"Bearer {token}"
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": CLIENT,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "echo", "arguments": {"message": MESSAGE}, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    contains = {"contains": MESSAGE} if status == 200 else {}
    return [step("call", "{{mcp}}", status, headers=headers, json=body, **contains)]


def session(token="{{access_token}}"):
    """The handshake of 2025-11-25, and the call in its session."""
    headers = {"accept": "application/json, text/event-stream"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT}
    initialize = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    save = {"session": {"header": "mcp-session-id"}}
    inside = {**headers, "mcp-session-id": "{{session}}", "mcp-protocol-version": "2025-11-25"}
    initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    begin = [
        step("initialize", "{{mcp}}", headers=headers, json=initialize, save=save),
        step("initialized", "{{mcp}}", 202, headers=inside, json=initialized),
    ]
    params = {"name": "echo", "arguments": {"message": MESSAGE}}
    body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
    return begin, [step("call", "{{mcp}}", headers=inside, json=body, contains=MESSAGE)]


def ours():
    token = "{{as}}/token"
    confirm = pairs(request="{{request}}", decision="allow")
    confirm += [["scope", scope] for scope in ("openid", "profile", "email", "offline_access")]
    consent = [
        authorization("{{as}}/authorize", 303, {"page": location(until="")}),
        step("consent-page", "{{as}}{{page}}", cookies=True, save={"request": between('name="request" value="', '"')}),
        step("consent", "{{as}}/consent", 303, form=confirm, cookies=True, save={"code": CODE}),
    ]
    save = {"upstream_state": location("state=")}
    form = pairs(**{"continue": "/account"})
    login = [
        step("sign-in", "{{as}}/sign-in/github", 303, form=form, cookies=True, fresh=["person"], save=save),
        step("callback", "{{as}}/sign-in/github/callback?code={{person}}&state={{upstream_state}}", 303, cookies=True),
    ]
    begin, in_session = session()
    documents = {
        "metadata": "{{as}}/.well-known/oauth-authorization-server",
        "jwks": "{{as}}/jwks",
        "health": "{{as}}/health",
        "revocations": "{{as}}/revocations?after=0",
        "sign_in_page": "{{as}}/sign-in",
        "resource_metadata": "{{mcp_origin}}/.well-known/oauth-protected-resource/mcp",
    }
    return {
        "login": login,
        "register": [registration("{{as}}/register")],
        "consent": consent,
        # Consent of a client that registered itself is asked for each time.
        "authorize": consent,
        "remembered": [authorization("{{as}}/authorize", 303, {"code": CODE})],
        "exchange": [exchange(token)],
        "refresh": [refresh(token)],
        "client_credentials": [client_credentials(token)],
        "introspect": [introspect("{{as}}/introspect")],
        "introspect_user": [introspect("{{as}}/introspect", who="resource_server")],
        "userinfo": [userinfo("{{as}}/userinfo")],
        "call": call(),
        "session_begin": begin,
        "session_call": in_session,
        **{name: [step(name, url)] for name, url in documents.items()},
    }


def oidc_provider():
    token = "{{as}}/token"
    to_page = authorization("{{as}}/auth", 303, {"page": location()}, prompt="consent")
    resume = step("resume", "{{next}}", 303, cookies=True)
    go = {"method": "POST", "cookies": True, "save": {"next": location(until="")}}
    login = [
        registration("{{as}}/reg"),
        to_page,
        step("login", "{{as}}{{page}}/login", 303, **go),
        resume,
    ]
    consent = [
        to_page,
        step("consent-page", "{{as}}{{page}}", cookies=True),
        step("consent", "{{as}}{{page}}/confirm", 303, **go),
        {**resume, "save": {"code": CODE}},
    ]
    # Introspection and userinfo are for opaque tokens, which it issues where no resource is named.
    form = pairs(grant_type="client_credentials")
    opaque = step("token", token, form=form, basic=["{{m2m_id}}", "{{m2m_secret}}"], save={"access_token": member("access_token")})
    without = lambda steps, part: [
        {**it, part: [pair for pair in it[part] if pair[0] != "resource"]} if part in it else it for it in steps
    ]
    return {
        "login": login,
        "register": [registration("{{as}}/reg")],
        "consent": consent,
        "authorize": [authorization("{{as}}/auth", 303, {"code": CODE})],
        "exchange": [exchange(token)],
        "refresh": [refresh(token)],
        "client_credentials": [client_credentials(token)],
        "opaque": [opaque],
        "opaque_of_user": without(consent, "query") + without([exchange(token)], "form"),
        "introspect": [introspect("{{as}}/token/introspection")],
        "userinfo": [userinfo("{{as}}/me")],
        "metadata": [step("metadata", "{{as}}/.well-known/openid-configuration")],
        "jwks": [step("jwks", "{{as}}/jwks")],
        "call": call(),
    }


def better_auth():
    token = "{{as}}/oauth2/token"
    headers = {"origin": "{{origin}}"}
    account = {"name": "bench", "email": "{{person}}@example.com", "password": "a-password-1"}
    machine = {
        "client_name": "machine",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    credentials = {"m2m_id": member("client_id"), "m2m_secret": member("client_secret")}
    to_page = {"page": location(until=""), "query": location("?", "")}
    answer = {"accept": True, "oauth_query": "{{query}}"}
    return {
        "login": [
            step("sign-up", "{{as}}/sign-up/email", headers=headers, json=account, cookies=True, fresh=["person"]),
        ],
        "register": [registration("{{as}}/oauth2/register")],
        "consent": [
            authorization("{{as}}/oauth2/authorize", 302, to_page),
            step("consent-page", "{{origin}}{{page}}", cookies=True),
            step("consent", "{{as}}/oauth2/consent", headers=headers, json=answer, cookies=True,
                 save={"code": between("code=", '&"', encoded=True)}),
        ],
        "authorize": [authorization("{{as}}/oauth2/authorize", 302, {"code": CODE})],
        "exchange": [exchange(token)],
        "refresh": [refresh(token)],
        "machine_login": [
            step("register", "{{as}}/oauth2/register", 201, headers=headers, json=machine, cookies=True, save=credentials),
            step("scopes", "{{origin}}/machine/{{m2m_id}}", method="POST"),
        ],
        "client_credentials": [client_credentials(token)],
        "introspect": [introspect("{{as}}/oauth2/introspect")],
        "userinfo": [userinfo("{{as}}/oauth2/userinfo")],
        "metadata": [step("metadata", "{{as}}/.well-known/oauth-authorization-server")],
        "jwks": [step("jwks", "{{as}}/jwks")],
    }
