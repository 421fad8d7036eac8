"""What is measured: the rows of the table, and for each target the plan that `load` follows for a row."""

import flows

CONNECTIONS = 16
# Codes and tokens that are made before the run that spends them, one by one.
CODES = 1500
NEW_TOKENS = 4000
WHOLE_SIGN_INS = 150


class Row:
    """One row of the table. A goal is in milliseconds, or in multiples of a floor if one is named."""

    def __init__(self, title, must=None, extreme=None, floor=None):
        self.title, self.must, self.extreme, self.floor = title, must, extreme, floor


ROWS = {
    "call": Row("authorized call, 2026-07-28, known token", 1.15, 0.75, "bare rmcp"),
    "call_new": Row("the same, every token new", 0.104, 0.088),
    "session_call": Row("authorized call in a session, 2025-11-25", 1.2, 1.0, "bare rmcp"),
    "refused_no_token": Row("refused: no token"),
    "refused_opaque": Row("refused: opaque token"),
    "refused_signature": Row("refused: bad signature"),
    "refused_audience": Row("refused: wrong audience", 0.03, 0.02),
    "refused_expired": Row("refused: expired token", 0.03, 0.02),
    "resource_metadata": Row("metadata of the resource", 0.012, 0.010),
    "refresh": Row("refresh", 0.20, 0.12),
    "code": Row("code exchange", 0.25, 0.15),
    "client_credentials": Row("client_credentials", 0.07, 0.045),
    "introspect": Row("introspection", 0.07, 0.04),
    "introspect_user": Row("introspection of a user's token", 0.07, 0.04),
    "userinfo": Row("userinfo", 0.07, 0.04),
    "jwks": Row("JWKS", 0.012, 0.010),
    "metadata": Row("metadata", 0.012, 0.010),
    "health": Row("health", 0.012, 0.010),
    "revocations": Row("revocation list", 0.015),
    "register": Row("registration", 0.05, 0.03),
    "sign_in_page": Row("sign-in page"),
    "authorize": Row("authorize, consent page, consent", 0.6, 0.4),
    "remembered": Row("authorize with remembered consent"),
    "sign_in": Row("sign-in at the upstream, our side", 0.5, 0.35),
    "whole": Row("whole sign-in and first call, one at a time", 1.5, 1.0),
}


class Target:
    """A named server, or more, with the plan of each row that it takes part in."""

    def __init__(self, name, values, plans):
        self.name, self.values, self.plans = name, values, plans


def plan(each, init=(), servers=(), **more):
    return {"each": list(each), "init": list(init), "servers": servers, "connections": CONNECTIONS, **more}


def ours(name, stack):
    flow = flows.ours()
    tokens = flow["login"] + flow["register"] + flow["consent"] + flow["exchange"]
    auth, mcp = [stack.auth], [stack.mcp]
    whole = flow["register"] + flow["consent"] + flow["exchange"] + flow["call"]
    app = {"client_id": stack.values["app_id"]}
    with_client = flow["login"] + flow["register"]
    documents = ("jwks", "metadata", "health", "revocations", "sign_in_page")
    return Target(name, stack.values, {
        "call": plan(flow["call"], tokens, mcp),
        "call_new": plan(flow["call"], tokens, mcp, prepare=flow["refresh"], iterations=NEW_TOKENS),
        "session_call": plan(flow["session_call"], tokens + flow["session_begin"], mcp),
        "refused_no_token": plan(flows.call(None, 401), servers=mcp),
        "refused_opaque": plan(flows.call("abcdefghijklmnopqrstuvwxyz012345", 401), servers=mcp),
        "refused_signature": plan(flows.call("{{bad_signature}}", 401), servers=mcp),
        "refused_audience": plan(flows.call("{{wrong_audience}}", 401), servers=mcp),
        "refused_expired": plan(flows.call("{{expired}}", 401), servers=mcp),
        "resource_metadata": plan(flow["resource_metadata"], servers=mcp),
        "refresh": plan(flow["refresh"], tokens, auth),
        "code": plan(flow["exchange"], with_client, auth, prepare=flow["authorize"], iterations=CODES),
        "client_credentials": plan(flow["client_credentials"], servers=auth),
        "introspect": plan(flow["introspect"], flow["client_credentials"], auth),
        "introspect_user": plan(flow["introspect_user"], tokens, auth),
        "userinfo": plan(flow["userinfo"], tokens, auth),
        "register": plan(flow["register"], servers=auth),
        "authorize": plan(flow["authorize"], with_client, auth),
        "remembered": plan(flow["remembered"], flow["login"] + flow["consent"], auth, values=app),
        "sign_in": plan(flow["login"], servers=auth),
        "whole": plan(whole, flow["login"], auth + mcp, connections=1, iterations=WHOLE_SIGN_INS),
        **{row: plan(flow[row], servers=auth) for row in documents},
    })


def authorization_server(name, values, flow, server, rows):
    """The rows that an authorization server of somebody else has, with what differs between them in `rows`."""
    servers = [server]
    tokens = flow["login"] + flow["register"] + flow["consent"] + flow["exchange"]
    once = flow["login"] + flow["register"] + flow["consent"]
    return Target(name, values, {
        "refresh": plan(flow["refresh"], tokens, servers),
        "code": plan(flow["exchange"], once, servers, prepare=flow["authorize"], iterations=CODES),
        "client_credentials": plan(flow["client_credentials"], flow.get("machine_login", ()), servers),
        "register": plan(flow["register"], servers=servers),
        "metadata": plan(flow["metadata"], servers=servers),
        "jwks": plan(flow["jwks"], servers=servers),
        **{row: plan(flow[row], init, servers) for row, init in rows.items()},
    })


def whole(name, values, flow, servers):
    steps = flow["register"] + flow["consent"] + flow["exchange"] + flow["call"]
    return Target(name, values, {"whole": plan(steps, flow["login"], servers, connections=1, iterations=WHOLE_SIGN_INS)})

