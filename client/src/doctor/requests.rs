//! The requests that the doctor sends, by name, and the values in them that checks look for.

/// The redirect URI to register if there is no sign-in. Nothing listens there.
pub(super) const REDIRECT_URI: &str = "http://127.0.0.1:53682/callback";
/// The registered redirect URI with another port.
pub(super) const OTHER_PORT_REDIRECT: &str = "http://127.0.0.1:53683/callback";
/// A redirect URI that is not registered.
pub(super) const FOREIGN_REDIRECT: &str = "https://attacker.example/callback";
/// A redirect URI with plain http, which a server should not register.
pub(super) const PLAIN_HTTP_REDIRECT: &str = "http://attacker.example/callback";
/// A redirect URI that is a script.
pub(super) const SCRIPT_REDIRECT: &str = "javascript:alert(1)";
/// What must come back with every answer of the authorization endpoint.
pub(super) const STATE: &str = "the doctors state";
/// A page that calls servers from a browser: the MCP Inspector at its usual place.
pub(super) const BROWSER_ORIGIN: &str = "http://localhost:6274";
/// A resource that no token may be given for.
pub(super) const FOREIGN_RESOURCE: &str = "https://other.example/mcp";

/// Another host and page, as an attacker would have them.
pub(super) const FOREIGN_HOST: &str = "attacker.example";
/// A page on it.
pub(super) const FOREIGN_PAGE: &str = "https://attacker.example";

/// Where resource metadata is looked for, in the order in which clients do.
pub(super) const RESOURCE_PLACES: [Probe; 3] =
    [Probe::ResourceAnnounced, Probe::ResourceInserted, Probe::ResourceRoot];
/// Where authorization server metadata is looked for.
pub(super) const SERVER_PLACES: [Probe; 2] = [Probe::ServerOauth, Probe::ServerOpenid];

/// One thing that is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Probe {
    /// `initialize` without a token.
    Post,
    /// `GET` of the MCP endpoint, as an old revision, without a token.
    Get,
    /// `server/discover` of the newest revision, without a token.
    Discover,
    /// `initialize` with a made-up token.
    BadToken,
    /// `initialize` without a token by a page in a browser.
    McpCrossOrigin,
    /// A browser asks whether it may call the MCP endpoint.
    McpPreflight,
    /// A call of a tool that does not exist, without a token.
    ToolCall,
    /// `initialize` without a token, as a browser sends it whose name for this host was changed.
    ForeignHost,
    /// `initialize` without a token by a page of someone else, as plain text.
    ForeignPage,
    /// Resource metadata where the challenge says that it is.
    ResourceAnnounced,
    /// Resource metadata with the server's path inserted.
    ResourceInserted,
    /// Resource metadata at the root.
    ResourceRoot,
    /// The resource metadata that was found, read by a page in a browser.
    ResourceCrossOrigin,
    /// Authorization server metadata (RFC 8414).
    ServerOauth,
    /// The same as OpenID Connect places it.
    ServerOpenid,
    /// The authorization server metadata that was found, read by a page in a browser.
    ServerCrossOrigin,
    Keys,
    /// Registration of the redirect URIs of all kinds of native clients, with every optional member
    /// left out.
    Register,
    /// Registration of a public client on 127.0.0.1 alone.
    RegisterPublic,
    /// The same on localhost.
    RegisterLocalhost,
    /// The same with a private-use scheme.
    RegisterPrivateScheme,
    /// A client on 127.0.0.1 that names no authentication method.
    RegisterMinimal,
    /// Registration of a plain http address elsewhere.
    RegisterPlainHttp,
    /// Registration of a `javascript:` address.
    RegisterScript,
    /// A browser asks whether it may register.
    RegisterPreflight,
    /// A valid authorization request.
    Authorize,
    /// The same without `resource`, asked only if the valid one is refused.
    AuthorizeWithoutResource,
    /// The same without `scope`, asked only if the valid one is refused.
    AuthorizeWithoutScope,
    /// The page that it leads to.
    AuthorizePage,
    /// The same from another port.
    AuthorizeOtherPort,
    /// The same of an unknown client, by a program.
    AuthorizeUnknownClient,
    /// The same by a script in a browser.
    AuthorizeCrossOrigin,
    /// The same with a redirect URI that is not registered.
    AuthorizeForeignRedirect,
    /// The same without PKCE.
    AuthorizeWithoutPkce,
    /// The same with PKCE `plain`.
    AuthorizePlain,
    /// The same with a PKCE method that does not exist.
    AuthorizeUnknownMethod,
    /// The same with an obsolete response type.
    AuthorizeImplicit,
    /// A code of an unknown client.
    TokenUnknownClient,
    /// The same by a page in a browser.
    TokenCrossOrigin,
    TokenBadCode,
    /// A made-up refresh token.
    TokenBadRefresh,
    /// A grant type that does not exist.
    TokenUnknownGrant,
    TokenWithoutGrant,
    /// A browser asks whether it may call the token endpoint.
    TokenPreflight,
    RevokeUnknown,
    /// The exchange of a true code.
    Exchange,
    /// A call with the access token.
    CallWithToken,
    /// The same with the token in the address.
    CallWithTokenInQuery,
    /// A request in the session that this call opened, without a token.
    CallWithSessionOnly,
    /// A call with the token after a claim was added to it.
    CallWithChangedToken,
    /// A call with its claims in a token that says it is not signed.
    CallWithUnsignedToken,
    RefreshForeignResource,
    /// A call with the token that this brought.
    CallWithForeignToken,
    Refresh,
    /// A call with the token that the refresh brought.
    CallWithRefreshed,
    /// The refresh token that was used last once more, at once.
    RefreshAgain,
    /// The newest refresh token, if the repeated one was refused.
    RefreshNewest,
    /// A call with the token that the refresh brought, after that.
    CallAfterRefresh,
    /// The end of the grant.
    Revoke,
    /// A refresh after that.
    RefreshAfterRevoke,
    /// The code once more.
    ExchangeAgain,
}
