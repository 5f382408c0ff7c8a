"""The organization's own issuer of OpenID Connect, by which its people sign in."""

from typing import Annotated, Literal

from pydantic import Field

from api.deps import ApiTx, CurrentServices
from api.errors import BODY, problems
from api.fields import In, Line, Out, example
from api.nouns import Noun
from core.addresses import tenant_reach
from crm.identity import providers
from crm.identity.providers import NewProvider
from crm.identity.roles import Role

router = Noun(prefix="/organization/identity-provider", tags=["organization"])


class IdentityProviderOut(Out):
    """Its secret is never read back."""

    name: str = Field(examples=["Lind ID"])
    issuer: str = Field(examples=["https://id.lind.example"])
    client_id: str
    domain: str | None = Field(description="Whoever has a confirmed address there joins by signing in.")
    role: str = Field(description="With which role they join.")
    version: int


class IdentityProviderIn(In):
    model_config = example(
        version=0,
        name="Lind ID",
        issuer="https://id.lind.example",
        client_id="getsale",
        client_secret="the secret that the issuer gave",
        domain="lind.example",
        role="viewer",
    )

    version: Annotated[int, Field(ge=0, description="0 where there is none yet.")]
    name: Line
    issuer: Annotated[str, Field(max_length=500)]
    client_id: Line
    client_secret: Annotated[str, Field(max_length=1000, description="Empty: the one that is kept.")] = ""
    domain: Line | None = None
    role: Literal["supervisor", "bidi", "viewer"] = "viewer"


@router.get(
    "",
    operation_id="get_identity_provider",
    summary="Read how the organization's people sign in by its own issuer",
    responses=problems(404),
)
async def get_identity_provider(tx: ApiTx) -> IdentityProviderOut:
    return IdentityProviderOut.model_validate(await providers.get_provider(tx))


@router.put(
    "",
    operation_id="set_identity_provider",
    summary="Let the organization's people sign in by its own issuer",
    responses=problems(412, *BODY),
)
async def set_identity_provider(
    tx: ApiTx, services: CurrentServices, wanted: IdentityProviderIn
) -> IdentityProviderOut:
    settings = services.settings
    fields = wanted.model_dump(exclude={"version", "role"})
    kept = await providers.set_provider(
        tx,
        NewProvider(**fields, role=Role(wanted.role)),
        version=wanted.version,
        reach=tenant_reach(settings),
        keys=settings.keyring,
    )
    return IdentityProviderOut.model_validate(kept)


@router.delete(
    "",
    operation_id="remove_identity_provider",
    summary="Do without the organization's own issuer",
    status_code=204,
    responses=problems(404),
)
async def remove_identity_provider(tx: ApiTx) -> None:
    """Whoever came in by it is signed out."""
    await providers.remove_provider(tx)
