"""Signing programs in by email and password: short access tokens, and refresh tokens that rotate."""

from datetime import datetime
from typing import Annotated

from fastapi import Request
from pydantic import Field, StringConstraints

from api import accounts, doors, gate
from api.deps import CurrentServices
from api.doors import Tokens
from api.errors import BODY, problems
from api.fields import In, Line, Out, example
from api.nouns import Door
from core.access_tokens import LIFETIME

router = Door(prefix="/auth", tags=["signing in"])
Secret = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
_REFRESH = "gsr_5d0c2f7a1be94c0c8d5bb2c5b0c1d3e4f5061728394a5b6c7d8e9f0011223344"


class SignIn(In):
    model_config = example(email="anna@example.com", password="correct horse battery")

    email: Line
    password: Secret
    code: Line = Field(default="", description="Of the authenticator app, where the account asks for one.")


class Refreshing(In):
    model_config = example(refresh_token=_REFRESH)

    refresh_token: Secret


class TokensOut(Out):
    access_token: str = Field(
        description="Goes into `Authorization: Bearer`.", examples=["eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"]
    )
    token_type: str = Field(default="Bearer", examples=["Bearer"])
    expires_in: int = Field(
        default=int(LIFETIME.total_seconds()), description="Seconds until it is refreshed.", examples=[900]
    )
    refresh_token: str = Field(
        description="Good once; sent a second time after ten seconds it ends the session.",
        examples=[_REFRESH],
    )
    refresh_expires_at: datetime

    @classmethod
    def of(cls, tokens: Tokens) -> "TokensOut":
        return cls(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            refresh_expires_at=tokens.refresh_expires_at,
        )


class SignedOut(Out):
    is_signed_out: bool = Field(default=True, examples=[True])


@router.post(
    "/tokens", operation_id="sign_in", summary="Sign a program in", status_code=201, responses=problems(*BODY)
)
async def sign_in(request: Request, services: CurrentServices, who: SignIn) -> TokensOut:
    """A session of its own, which its person sees and ends on the page Sessions. 401 `second_factor_required` says that
    the password is right and a code is missing."""
    settings = services.settings
    knock = doors.knock(request, settings, who.email)
    credentials = await gate.check_password(services, knock, who.password)
    site = accounts.site_url_if_known(request, settings)
    return TokensOut.of(await doors.start_program(services, knock, credentials, code=who.code, site=site))


@router.post(
    "/refresh",
    operation_id="refresh_tokens",
    summary="Get the next pair of tokens",
    responses=problems(*BODY),
)
async def refresh_tokens(services: CurrentServices, carried: Refreshing) -> TokensOut:
    """Calls with the same token within ten seconds of each other all get the same pair's refresh token."""
    return TokensOut.of(await doors.refresh(services, carried.refresh_token))


@router.post(
    "/sign-out", operation_id="sign_out", summary="End a program's session", responses=problems(*BODY)
)
async def sign_out(services: CurrentServices, carried: Refreshing) -> SignedOut:
    """At once, its access tokens too; a token that is unknown or over changes nothing."""
    await doors.end_program(services, carried.refresh_token)
    return SignedOut()
