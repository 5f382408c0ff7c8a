"""A local issuer that speaks OpenID Connect: discovery, keys, the code flow with PKCE, userinfo, and faults on demand."""
