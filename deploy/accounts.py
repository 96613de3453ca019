"""An account that is made at the machine, and stands on the trail as made by its operator."""

from services.console import store
from services.console.domain.accounts import Account
from shared.audit import Outsider, record
from shared.database import Connection


async def make_account(db: Connection, operator: str, account: Account, password: str) -> bool:
    """Makes and records it in one transaction; False when its name is taken."""
    async with db.transaction():
        made = await store.create(db, account, password)
        if made:
            where = {"region": account.region, "enterprise": account.enterprise}
            who = Outsider(operator, "operator")
            await record(db, who, "account_created", f"account/{account.name}", given=account.role, **where)
    return made
