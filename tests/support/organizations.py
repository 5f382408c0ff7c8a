"""Fresh organizations, so that tests that share a database do not see each other."""

from core import crypto
from core.db import Database
from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.identity.models import Role, member_principal
from events.ids import OrganizationId, UserId

PASSWORD = "correct horse battery"


async def make_organization(database: Database, name: str = "Test") -> Principal:
    """Insert an organization with one owner and return the owner as a principal that may do everything."""
    organization_id, user_id = uuid7(), uuid7()
    owner = Principal(PrincipalKind.USER, user_id, organization_id, scopes=frozenset({"*"}))
    async with database.transaction(owner, "test_organization") as tx:
        await tx.execute(
            """
            INSERT INTO users (id, email, name, password_hash)
            VALUES (%(user_id)s, %(email)s, 'Olga Owner', 'no login')
            """,
            user_id=user_id,
            email=f"{user_id}@test.example",
        )
        await tx.execute(
            """
            INSERT INTO organizations (organization_id, slug, name)
            VALUES (%(organization_id)s, %(slug)s, %(name)s)
            """,
            organization_id=organization_id,
            slug=f"test-{organization_id}",
            name=name,
        )
        await tx.execute(
            """
            INSERT INTO members (organization_id, id, user_id, name, role)
            VALUES (%(organization_id)s, gen_random_uuid(), %(user_id)s, 'Olga Owner', 'owner')
            """,
            organization_id=organization_id,
            user_id=user_id,
        )
    return owner


async def give_password(database: Database, person: Principal, password: str = PASSWORD) -> str:
    """Let a person of a test sign in; returns their email."""
    hashed = await crypto.hash_password(password)
    async with database.transaction(person, "test_password") as tx:
        await tx.execute(
            "UPDATE users SET password_hash = %(hashed)s WHERE id = %(id)s", hashed=hashed, id=person.id
        )
        email: str = await tx.value("SELECT email FROM users WHERE id = %(id)s", id=person.id)
        return email


async def add_member(database: Database, owner: Principal, role: Role) -> Principal:
    """One more person in an organization, as a principal that may do what the role says."""
    person = member_principal(UserId(uuid7()), OrganizationId(owner.organization_id), role)
    async with database.transaction(owner, "test_member") as tx:
        await tx.execute(
            """
            INSERT INTO users (id, email, name, password_hash)
            VALUES (%(user_id)s, %(email)s, 'Milo Member', 'no login')
            """,
            user_id=person.id,
            email=f"{person.id}@test.example",
        )
        await tx.execute(
            """
            INSERT INTO members (organization_id, id, user_id, name, role)
            VALUES (%(organization_id)s, gen_random_uuid(), %(user_id)s, 'Milo Member', %(role)s)
            """,
            organization_id=owner.organization_id,
            user_id=person.id,
            role=role,
        )
    return person


async def give_contacts(database: Database, owner: Principal, person: Principal) -> None:
    """Let every contact that is there be somebody's own, with all that hangs on it."""
    async with database.transaction(owner, "test_giving") as tx:
        await tx.execute(
            "UPDATE contacts SET owner_id = (SELECT id FROM members WHERE user_id = %(user_id)s)",
            user_id=person.id,
        )
