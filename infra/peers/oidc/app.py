"""The issuer as one aiohttp application: the protocol, a page to choose who signs in, its strings under /control."""

import base64
import hashlib
import html
import secrets
from urllib.parse import unquote, urlencode

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from infra.peers.oidc.state import CLIENT_SECRET, Granted, Issuer, Mode, Person
from infra.peers.oidc.tokens import id_token

ISSUER = web.AppKey("issuer", Issuer)
routes = web.RouteTableDef()


def create_app(url: str) -> web.Application:
    """Make the issuer that is known under this address."""
    app = web.Application()
    app[ISSUER] = Issuer(url)
    app.router.add_routes(routes)
    return app


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


@routes.get("/.well-known/openid-configuration")
async def discovery(request: web.Request) -> web.Response:
    issuer = request.app[ISSUER]
    if issuer.has(Mode.ERROR):
        return web.Response(status=500)
    if issuer.has(Mode.GARBAGE):
        return web.Response(text="<html>not what you look for</html>")
    if issuer.has(Mode.HUGE):
        return web.json_response({"issuer": issuer.url, "padding": "x" * 5_000_000})
    return web.json_response(
        {
            "issuer": "https://evil.example" if issuer.has(Mode.MISNAMED) else issuer.url,
            "authorization_endpoint": f"{issuer.url}/authorize",
            "token_endpoint": f"{issuer.url}/token",
            "userinfo_endpoint": f"{issuer.url}/userinfo",
            "jwks_uri": f"{issuer.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


@routes.get("/keys")
async def keys(request: web.Request) -> web.Response:
    return web.json_response({"keys": [request.app[ISSUER].key.as_dict(private=False)]})


@routes.get("/authorize")
async def choose(request: web.Request) -> web.Response:
    """Who signs in: a button each."""
    issuer, query = request.app[ISSUER], request.query
    if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
        return web.Response(status=400, text="Only the code flow with PKCE (S256) is spoken here.")
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in query.items()
    )
    buttons = "".join(
        f'<p><button name="subject" value="{html.escape(one.subject)}">{html.escape(one.name)} '
        f"&lt;{html.escape(one.email)}&gt;</button></p>"
        for one in issuer.people
    )
    page = f'<!doctype html><html lang="en"><title>Sign in</title><h1>Who are you?</h1><form method="post">{hidden}{buttons}</form>'
    return web.Response(text=page, content_type="text/html")


@routes.post("/authorize")
async def authorize(request: web.Request) -> web.Response:
    """Back to the client, with a code for whoever was chosen."""
    issuer, form = request.app[ISSUER], {name: str(value) for name, value in (await request.post()).items()}
    person = next((one for one in issuer.people if one.subject == form.get("subject")), None)
    sender = "https://evil.example" if issuer.has(Mode.OTHER_SENDER) else issuer.url
    answer = {"state": form.get("state", ""), "iss": sender}
    if person is None or issuer.has(Mode.DENIED):
        answer["error"] = "access_denied"
    else:
        answer["code"] = issuer.grant(
            Granted(
                client_id=form["client_id"],
                redirect_uri=form["redirect_uri"],
                nonce=form["nonce"],
                challenge=form["code_challenge"],
                person=person,
            )
        )
    return web.Response(status=303, headers={"Location": f"{form['redirect_uri']}?{urlencode(answer)}"})


@routes.post("/token")
async def token(request: web.Request) -> web.Response:
    """A code is good once, for the client that asked, with the secret that only the asking browser's server has."""
    issuer, form = request.app[ISSUER], {name: str(value) for name, value in (await request.post()).items()}
    issuer.requests.append({**form, "authorization": request.headers.get("Authorization", "")})
    granted = issuer.codes.pop(form.get("code", ""), None)
    if granted is None or not _is_of(request, granted, form):
        return web.json_response({"error": "invalid_grant"}, status=400)
    access_token = secrets.token_urlsafe(16)
    issuer.access_tokens[access_token] = granted.person
    answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": 300}
    if not issuer.has(Mode.NO_TOKEN):
        answer["id_token"] = id_token(issuer, granted)
    return web.json_response(answer)


def _is_of(request: web.Request, granted: Granted, form: dict[str, str]) -> bool:
    scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    known = (
        [unquote(part) for part in base64.b64decode(pair).decode().split(":")] if scheme == "Basic" else []
    )
    return (
        known == [granted.client_id, CLIENT_SECRET]
        and form.get("redirect_uri") == granted.redirect_uri
        and challenge == granted.challenge
    )


@routes.get("/userinfo")
async def userinfo(request: web.Request) -> web.Response:
    person = request.app[ISSUER].access_tokens.get(
        request.headers.get("Authorization", "").removeprefix("Bearer ")
    )
    if person is None:
        return web.Response(status=401)
    return web.json_response({"sub": person.subject, "email": person.email, "name": person.name})


@routes.post("/control/people")
async def add_people(request: web.Request) -> web.Response:
    """More people: a list of `subject`, `email` and `name`; one with a known subject takes its place."""
    try:
        new = TypeAdapter(list[Person]).validate_json(await request.read())
    except ValidationError as err:
        return web.json_response({"error": err.errors(include_url=False)[0]["msg"]}, status=422)
    issuer, subjects = request.app[ISSUER], {one.subject for one in new}
    issuer.people = [one for one in issuer.people if one.subject not in subjects] + new
    return web.json_response({"people": len(issuer.people)})


@routes.post("/control/faults")
async def add_faults(request: web.Request) -> web.Response:
    """What goes wrong next, in order, each once, at the step where it can."""
    try:
        request.app[ISSUER].faults.extend(TypeAdapter(list[Mode]).validate_json(await request.read()))
    except ValidationError as err:
        return web.json_response({"error": err.errors(include_url=False)[0]["msg"]}, status=422)
    return web.json_response({"waiting": len(request.app[ISSUER].faults)})
